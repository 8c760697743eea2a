package geofile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// rectangle is a closed ring from its south-west corner, counter-clockwise.
func rectangle(w, s, e, n float64) orb.Ring {
	return orb.Ring{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}}
}

func reversed(r orb.Ring) orb.Ring {
	r = r.Clone()
	r.Reverse()
	return r
}

// district is what every format must carry: a hole, two islands, Chinese names,
// nulls, an empty geometry and numbers of all sizes.
func district() *File {
	return &File{Name: "嘉定网格", Features: []Feature{
		{ID: "1", Properties: Properties{
			{"name", "嘉定镇街道城区01网格"}, {"编码", "310114004U01"}, {"area_m2", 1234567.891},
			{"户数", int64(4211)}, {"urban", true}, {"备注", "含 <外冈> & \"安亭\"'镇'"},
		}, Geometry: orb.Polygon{rectangle(121.2, 31.3, 121.3, 31.4), reversed(rectangle(121.22, 31.32, 121.2471234567, 31.3831234567))}},
		{ID: "2", Properties: Properties{
			{"name", "𠮷家村"}, {"编码", "310114004A12"}, {"area_m2", 1e-12},
			{"户数", int64(-2147483648)}, {"urban", false}, {"备注", nil},
		}, Geometry: orb.MultiPolygon{
			{rectangle(121.4, 31.3, 121.5, 31.4), reversed(rectangle(121.41, 31.31, 121.42, 31.32)), reversed(rectangle(121.43, 31.31, 121.44, 31.32))},
			{rectangle(121.412, 31.312, 121.418, 31.318)}, // an island in the first hole
			{rectangle(121.6, 31.3, 121.7, 31.4)},
		}},
		{ID: "7", Properties: Properties{
			{"name", nil}, {"编码", nil}, {"area_m2", nil}, {"户数", nil}, {"urban", nil}, {"备注", nil},
		}, Geometry: nil},
	}}
}

func write(t *testing.T, f *File, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := Write(path, f); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) *File {
	t.Helper()
	f, err := Read(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, refusal := range f.Refused {
		t.Errorf("%s: %s", path, refusal)
	}
	return f
}

// areas compares polygons by their parts, so that a format may promote them.
var areas = cmp.Transformer("areas", func(f Feature) any {
	g := f.Geometry
	if mp, ok := f.Polygons(); ok {
		g = mp
	}
	return struct {
		Number int
		ID     string
		Props  Properties
		G      orb.Geometry
	}{f.Number, f.ID, f.Properties, g}
})

func numbered(f *File) []Feature {
	features := f.Features
	for i := range features {
		features[i].Number = i + 1
	}
	return features
}

func TestRoundTrip(t *testing.T) {
	tests := []struct {
		name   string
		format Format
		change func(*Feature) // what the format cannot keep
	}{
		{"grids.geojson", GeoJSON, nil},
		{"grids.json", GeoJSON, nil},
		{"grids.geojson.gz", GeoJSON, nil},
		{"grids.gpkg", GeoPackage, nil},
		{"grids.kml", KML, nil},
		{"grids.shp", Shapefile, idAsColumn},
		{"grids.zip", Shapefile, idAsColumn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, err := json.Marshal(district())
			if err != nil {
				t.Fatal(err)
			}
			source := district()
			got := read(t, write(t, source, tt.name))
			after, err := json.Marshal(source)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, after) {
				t.Error("Write changed the file it was given")
			}
			want := district()
			if tt.change != nil {
				for i := range want.Features {
					tt.change(&want.Features[i])
				}
			}
			if diff := cmp.Diff(numbered(want), got.Features, areas); diff != "" {
				t.Errorf("features (-want +got):\n%s", diff)
			}
			if got.Format != tt.format {
				t.Errorf("Format = %q, want %q", got.Format, tt.format)
			}
			if wantName := want.Name; tt.name != "grids.shp" && got.Name != wantName {
				t.Errorf("Name = %q, want %q", got.Name, wantName)
			}
			if !strings.Contains(got.CRS, "WGS 84") && got.CRS != wgs84Name {
				t.Errorf("CRS = %q, want WGS 84", got.CRS)
			}
			if len(got.Warnings) > 0 {
				t.Errorf("warnings: %q", got.Warnings)
			}
		})
	}
}

func idAsColumn(f *Feature) {
	f.Properties = append(Properties{{"id", f.ID}}, f.Properties...)
	f.ID = ""
}

func TestRoundTripOfLinesAndPoints(t *testing.T) {
	line := orb.LineString{{121.2, 31.3}, {121.3, 31.35}, {121.4, 31.3}}
	tests := []struct {
		name string
		g    []orb.Geometry
	}{
		{"points", []orb.Geometry{orb.Point{121.2, 31.3}, orb.Point{121.25, 31.35}}},
		{"multipoints", []orb.Geometry{orb.MultiPoint{{121.2, 31.3}, {121.3, 31.3}}}},
		{"lines", []orb.Geometry{line, line}},
		{"multilines", []orb.Geometry{orb.MultiLineString{line, {{121, 31}, {122, 32}}}}},
	}
	for _, tt := range tests {
		for _, ext := range []string{".geojson", ".gpkg", ".kml", ".shp", ".zip"} {
			t.Run(tt.name+ext, func(t *testing.T) {
				want := &File{Name: tt.name}
				for _, g := range tt.g {
					want.Features = append(want.Features, Feature{Properties: Properties{{"路名", "博乐路"}}, Geometry: g})
				}
				got := read(t, write(t, want, tt.name+ext))
				if len(got.Features) != len(want.Features) {
					t.Fatalf("%d features, want %d", len(got.Features), len(want.Features))
				}
				for i := range want.Features {
					if diff := cmp.Diff(want.Features[i].Geometry, got.Features[i].Geometry); diff != "" {
						t.Errorf("feature %d (-want +got):\n%s", i+1, diff)
					}
					if _, ok := got.Features[i].Polygons(); ok {
						t.Errorf("feature %d counts as an area", i+1)
					}
				}
			})
		}
	}
}

// Rings that run the wrong way come out of every format the right way.
func TestWriteTurnsRings(t *testing.T) {
	wrong := &File{Name: "wrong", Features: []Feature{{Properties: Properties{{"a", int64(1)}},
		Geometry: orb.Polygon{reversed(rectangle(0, 0, 10, 10)), rectangle(2, 2, 3, 3)}}}}
	for _, name := range []string{"w.geojson", "w.shp", "w.gpkg", "w.kml"} {
		t.Run(name, func(t *testing.T) {
			p := read(t, write(t, wrong, name)).Features[0].Geometry
			if mp, ok := p.(orb.MultiPolygon); ok {
				p = mp[0]
			}
			polygon := p.(orb.Polygon)
			if len(polygon) != 2 || polygon[0].Orientation() != orb.CCW || polygon[1].Orientation() != orb.CW {
				t.Errorf("got %v", polygon)
			}
		})
	}
}

func TestGeoJSONOutputIsStable(t *testing.T) {
	var got bytes.Buffer
	if err := Encode(&got, district(), GeoJSON); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "district.geojson")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("GeoJSON (-want +got):\n%s", diff)
	}
}

// What a format cannot hold is an error that names the feature, never a loss.
func TestWriteRefusesWhatIsLost(t *testing.T) {
	point, area := orb.Geometry(orb.Point{1, 2}), orb.Geometry(orb.Polygon{rectangle(0, 0, 1, 1)})
	tests := []struct {
		name, path string
		features   []Feature
		want       string
	}{
		{"mixed kinds in a Shapefile", "x.shp", []Feature{{Geometry: point}, {Geometry: area}}, "feature 2"},
		{"a collection in a Shapefile", "x.zip", []Feature{{Geometry: orb.Collection{point, area}}}, "GeometryCollection"},
		{"300 bytes of text in a .dbf", "x.shp", []Feature{{Geometry: area, Properties: Properties{{"备注", strings.Repeat("沪", 100)}}}}, "备注"},
		{"an unknown extension", "x.dwg", nil, ".dwg"},
		{"TopoJSON", "x.topojson", nil, ".topojson"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			err := Write(filepath.Join(folder, tt.path), &File{Name: "x", Features: tt.features})
			mustBeInvalid(t, err, tt.want)
			if left, _ := os.ReadDir(folder); len(left) > 0 {
				t.Errorf("a failed Write left %v behind", left)
			}
		})
	}
}

func TestShapefileColumnNames(t *testing.T) {
	f := &File{Name: "names", Features: []Feature{{Geometry: orb.Point{1, 2}, Properties: Properties{
		{"responsible_department", "a"}, {"responsible_person", "b"}, {"责任部门名称", "c"}, {"责任部门名字", "d"}, {"", "e"},
	}}}}
	got := read(t, write(t, f, "names.shp"))
	want := []string{"responsibl", "responsi_2", "责任部", "责任_2", "_2"}
	if diff := cmp.Diff(want, got.Columns()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestGeoPackageColumnNames(t *testing.T) {
	f := &File{Name: `gpkg_"x"`, Features: []Feature{{ID: "a1", Geometry: orb.Point{1, 2}, Properties: Properties{
		{"fid", int64(9)}, {"Name", "a"}, {"name", "b"}, {`quo"te`, "c"}, {"when", "2026-03-01"}, {"tags", json.RawMessage(`["x"]`)},
	}}}}
	got := read(t, write(t, f, "names.gpkg"))
	want := []Feature{{Number: 1, ID: "1", Geometry: orb.Point{1, 2}, Properties: Properties{
		{"id", "a1"}, {"fid_2", int64(9)}, {"Name", "a"}, {"name_2", "b"}, {`quo"te`, "c"}, {"when", "2026-03-01"}, {"tags", `["x"]`},
	}}}
	if diff := cmp.Diff(want, got.Features); diff != "" {
		t.Errorf("features (-want +got):\n%s", diff)
	}
}

func TestText(t *testing.T) {
	f := Feature{Properties: Properties{{"s", "宝山区"}, {"i", int64(310113)}, {"f", 0.00001}, {"b", true}, {"n", nil}, {"j", json.RawMessage(`[1]`)}}}
	for property, want := range map[string]string{"s": "宝山区", "i": "310113", "f": "0.00001", "b": "true", "n": "", "j": "[1]", "none": ""} {
		if got := f.Text(property); got != want {
			t.Errorf("Text(%q) = %q, want %q", property, got, want)
		}
	}
}

// Integers that a float64 cannot hold survive where the format has them.
func TestLongIntegers(t *testing.T) {
	const long = int64(-9007199254740993)
	tests := []struct {
		name string
		want any
	}{
		{"n.geojson", long}, {"n.gpkg", long}, {"n.shp", long}, {"n.kml", "-9007199254740993"},
	}
	for _, tt := range tests {
		f := &File{Name: "n", Features: []Feature{{Geometry: orb.Point{1, 2}, Properties: Properties{{"n", long}}}}}
		if got, _ := read(t, write(t, f, tt.name)).Features[0].Properties.Lookup("n"); got != tt.want {
			t.Errorf("%s: n = %v (%T), want %v", tt.name, got, got, tt.want)
		}
	}
}
