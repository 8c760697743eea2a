package geofile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// real is a file of the shared collection of real boundary data.
func realFile(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "real", name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the shared real data is not beside the repository: no %s", name)
	}
	return path
}

// The counts and values are GDAL's for the same files.
func TestRealFiles(t *testing.T) {
	tests := []struct {
		path     string
		format   Format
		features int
		feature  int // from 1
		values   map[string]any
	}{
		{"la/lapd_basic-car-areas.shp", Shapefile, 169, 2, map[string]any{"number": "5A55"}},
		{"la/neighborhoods_v4_neighborhoods.shp", Shapefile, 276, 1,
			map[string]any{"name": "Wilmington", "slug": "wilmington", "sqmi": 9.14045542875, "type": "unclassified"}},
		{"la/neighborhoods_v6_neighborhoods.shp", Shapefile, 318, 2,
			map[string]any{"name": "View Park-Windsor Hills", "city": nil, "region": "south-la"}},
		// GBK or UTF-8, without a .cpg to say which.
		{"la/quxianjie_area.shp", Shapefile, 17, 1,
			map[string]any{"NAME": "宝山区", "ADMINCODE": "310113", "Shape_Leng": 1.20829536234}},
		{"baltimore311/neighborhood.geojson.gz", GeoJSON, 278, 1, map[string]any{"neighborhood": "Armistead Gardens"}},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			f := read(t, realFile(t, tt.path))
			if len(f.Features) != tt.features || f.Format != tt.format {
				t.Fatalf("%d features of %s, want %d of %s", len(f.Features), f.Format, tt.features, tt.format)
			}
			for name, want := range tt.values {
				got, _ := f.Features[tt.feature-1].Properties.Lookup(name)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			for i := range f.Features {
				if _, ok := f.Features[i].Polygons(); !ok {
					t.Errorf("feature %d is no area", i+1)
				}
			}
			if len(f.Warnings) > 0 {
				t.Errorf("warnings: %q", f.Warnings)
			}
		})
	}
}

// Every real file survives every format, judged by areas and one attribute.
func TestRealFilesRoundTrip(t *testing.T) {
	for _, path := range []string{"la/quxianjie_area.shp", "la/neighborhoods_v4_neighborhoods.shp", "baltimore311/neighborhood.geojson.gz"} {
		source := read(t, realFile(t, path))
		column := source.Columns()[0]
		for _, ext := range []string{".geojson", ".zip", ".gpkg", ".kml"} {
			t.Run(path+ext, func(t *testing.T) {
				got := read(t, write(t, source, "copy"+ext))
				if len(got.Features) != len(source.Features) {
					t.Fatalf("%d features, want %d", len(got.Features), len(source.Features))
				}
				for i := range source.Features {
					want := &source.Features[i]
					if g, w := areaOf(got.Features[i].Geometry), areaOf(want.Geometry); g != w {
						t.Errorf("feature %d: area %v, want %v", i+1, g, w)
					}
					name := column
					if len(name) > maxDBFName && ext == ".zip" {
						name = name[:maxDBFName]
					}
					if g, w := got.Features[i].Text(name), want.Text(column); g != w {
						t.Errorf("feature %d: %s = %q, want %q", i+1, column, g, w)
					}
				}
			})
		}
	}
}

// GDAL, too, sees the same number of rings in the real Shapefiles.
func TestRealFilesAgreeWithGDAL(t *testing.T) {
	needGDAL(t)
	for _, path := range []string{"la/quxianjie_area.shp", "la/lapd_basic-car-areas.shp"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			path := realFile(t, path)
			got, want := read(t, path), byGDAL(t, path)
			if len(got.Features) != len(want) {
				t.Fatalf("%d features, GDAL sees %d", len(got.Features), len(want))
			}
			for i := range want {
				if g, w := areaOf(got.Features[i].Geometry), want[i].area(t); g-w > 1e-12 || w-g > 1e-12 {
					t.Errorf("feature %d: area %v, GDAL's is %v", i+1, g, w)
				}
			}
		})
	}
}
