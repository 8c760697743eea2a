package geofile

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// GDAL is the outside judge: nobody here wrote it.
func needGDAL(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"ogrinfo", "ogr2ogr"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing; CI needs GDAL's command line tools", tool)
			}
			t.Skipf("%s is missing; install gdal-bin to let GDAL judge the files", tool)
		}
	}
}

func run(t *testing.T, tool string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(tool, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", tool, args, err, out)
	}
	return out
}

// byGDAL is what GDAL sees in a file: ogr2ogr to GeoJSON, read by encoding/json
// and orb rather than by the code under test.
func byGDAL(t *testing.T, path string) []gdalFeature {
	t.Helper()
	out := filepath.Join(t.TempDir(), "gdal.geojson")
	run(t, "ogr2ogr", "-f", "GeoJSON", "-a_srs", "EPSG:4326", "-lco", "COORDINATE_PRECISION=15", out, path)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var collection struct{ Features []gdalFeature }
	if err := json.Unmarshal(data, &collection); err != nil {
		t.Fatal(err)
	}
	return collection.Features
}

type gdalFeature struct {
	Properties map[string]any
	Geometry   *struct {
		Type        string
		Coordinates json.RawMessage
	}
}

func (f gdalFeature) area(t *testing.T) float64 {
	t.Helper()
	if f.Geometry == nil {
		return 0
	}
	var polygons [][][][]float64
	if f.Geometry.Type == "Polygon" {
		polygons = make([][][][]float64, 1)
		if err := json.Unmarshal(f.Geometry.Coordinates, &polygons[0]); err != nil {
			t.Fatal(err)
		}
	} else if err := json.Unmarshal(f.Geometry.Coordinates, &polygons); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, polygon := range polygons {
		for i, ring := range polygon {
			var r orb.Ring
			for _, p := range ring {
				r = append(r, orb.Point{p[0], p[1]})
			}
			area := math.Abs(planar.Area(r))
			if i > 0 {
				area = -area
			}
			sum += area
		}
	}
	return sum
}

func areaOf(g orb.Geometry) float64 {
	if g == nil {
		return 0
	}
	return math.Abs(planar.Area(g))
}

func TestGDALReadsWhatWeWrite(t *testing.T) {
	needGDAL(t)
	for _, name := range []string{"grids.geojson", "grids.shp", "grids.gpkg", "grids.kml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := district()
			path := write(t, f, name)
			got := byGDAL(t, path)
			if len(got) != len(f.Features) {
				t.Fatalf("GDAL sees %d features, want %d", len(got), len(f.Features))
			}
			for i, want := range f.Features {
				if g, w := got[i].area(t), areaOf(want.Geometry); math.Abs(g-w) > 1e-9 {
					t.Errorf("feature %d: GDAL's area is %v, want %v", i+1, g, w)
				}
				for _, column := range []string{"编码", "户数", "备注"} {
					g, w := got[i].Properties[column], plainValue(want.Text(column), column)
					if diff := cmp.Diff(w, g); diff != "" {
						t.Errorf("feature %d, %s (-want +GDAL):\n%s", i+1, column, diff)
					}
				}
			}
		})
	}
}

// plainValue is a value as encoding/json decodes it from GDAL's GeoJSON.
func plainValue(s, column string) any {
	var v any
	switch {
	case s == "":
		return nil
	case column == "户数":
		_ = json.Unmarshal([]byte(s), &v)
		return v
	}
	return s
}

// The zip and the GeoPackage as ogrinfo reports them, its warnings included.
func TestGDALFindsNothingToWarnAbout(t *testing.T) {
	needGDAL(t)
	for _, name := range []string{"grids.gpkg", "grids.shp", "grids.kml", "grids.geojson"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, district(), name)
			cmd := exec.Command("ogrinfo", "-ro", "-al", "-so", path)
			var stderr []byte
			cmd.Stderr = writerFunc(func(b []byte) (int, error) { stderr = append(stderr, b...); return len(b), nil })
			if _, err := cmd.Output(); err != nil {
				t.Errorf("ogrinfo: %v", err)
			}
			if len(stderr) > 0 {
				t.Errorf("ogrinfo: %s", stderr)
			}
		})
	}
	zipped := write(t, district(), "grids.zip")
	if got := len(byGDAL(t, "/vsizip/"+zipped)); got != 3 {
		t.Errorf("GDAL sees %d features in the zip, want 3", got)
	}
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(b []byte) (int, error) { return w(b) }

func TestWeReadWhatGDALWrites(t *testing.T) {
	needGDAL(t)
	source := write(t, district(), "source.geojson")
	tests := []struct {
		name string
		args []string
	}{
		{"gdal.gpkg", []string{"-f", "GPKG"}},
		{"gdal.shp", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8"}},
		{"gbk.shp", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=GBK"}},
		{"z.shp", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=GBK", "-dim", "XYZ"}},
		{"xyzm.shp", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8", "-dim", "XYZM"}},
		{"xyzm.gpkg", []string{"-f", "GPKG", "-dim", "XYZM"}},
		{"kml.kml", []string{"-f", "KML"}},
		{"libkml.kml", []string{"-f", "LIBKML"}},
		{"libkml.kmz", []string{"-f", "LIBKML"}},
		{"gdal.geojson", []string{"-f", "GeoJSON", "-lco", "RFC7946=YES", "-lco", "COORDINATE_PRECISION=15"}},
		{"zipped.shz", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8"}},
		{"cgcs2000.gpkg", []string{"-f", "GPKG", "-t_srs", "EPSG:4490"}},
		{"gk120.shp", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=GBK", "-t_srs", "EPSG:4549"}},
		{"gk120.gpkg", []string{"-f", "GPKG", "-t_srs", "EPSG:4549"}},
		{"zone41.gpkg", []string{"-f", "GPKG", "-t_srs", "EPSG:4529"}},
		{"gk6.shp", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8", "-t_srs", "EPSG:4499"}},
		{"utm51.gpkg", []string{"-f", "GPKG", "-t_srs", "EPSG:32651"}},
		{"mercator.shp", []string{"-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8", "-t_srs", "EPSG:3857"}},
		{"old-crs.geojson", []string{"-f", "GeoJSON", "-t_srs", "EPSG:4549"}},
	}
	want := district()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.name)
			run(t, "ogr2ogr", append(tt.args, path, source)...)
			got := read(t, path)
			if len(got.Features) != len(want.Features) {
				t.Fatalf("%d features, want %d", len(got.Features), len(want.Features))
			}
			for i := range want.Features {
				sameArea(t, &want.Features[i], &got.Features[i])
				for _, column := range []string{"编码", "户数"} {
					if g, w := got.Features[i].Text(column), want.Features[i].Text(column); g != w {
						t.Errorf("feature %d: %s = %q, want %q", i+1, column, g, w)
					}
				}
			}
		})
	}
}

// sameArea compares polygons vertex by vertex to 1e-8 degree, a millimetre,
// which is what reprojection may cost.
func sameArea(t *testing.T, want, got *Feature) {
	t.Helper()
	w, wantArea := want.Polygons()
	g, gotArea := got.Polygons()
	if wantArea != gotArea || len(w) != len(g) {
		t.Errorf("feature %d: %d polygons, want %d", got.Number, len(g), len(w))
		return
	}
	for _, p := range g {
		for _, ring := range p {
			for _, vertex := range ring {
				if d := nearest(w, vertex); d > 1e-8 {
					t.Errorf("feature %d: vertex %v is %.1e degrees from any of the original's", got.Number, vertex, d)
					return
				}
			}
		}
	}
	if g, w := areaOf(g), areaOf(w); math.Abs(g-w) > 1e-8 {
		t.Errorf("feature %d: area %v, want %v", got.Number, g, w)
	}
}

func nearest(mp orb.MultiPolygon, p orb.Point) float64 {
	best := math.Inf(1)
	for _, polygon := range mp {
		for _, ring := range polygon {
			for _, v := range ring {
				best = min(best, planar.Distance(v, p))
			}
		}
	}
	return best
}
