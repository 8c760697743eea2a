package geofile

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func readText(t *testing.T, name, text string) *File {
	t.Helper()
	f, err := ReadBytes([]byte(text), name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestGeoJSONForms(t *testing.T) {
	square := orb.Polygon{rectangle(0, 0, 1, 1)}
	const coordinates = `[[[0,0],[1,0],[1,1],[0,1],[0,0]]]`
	tests := []struct {
		name, text string
		want       Feature
	}{
		{"a bare geometry", `{"type":"Polygon","coordinates":` + coordinates + `}`, Feature{Geometry: square}},
		{"one feature", `{"type":"Feature","id":"U03","properties":{"a":1.5},"geometry":{"type":"Polygon","coordinates":` + coordinates + `}}`,
			Feature{ID: "U03", Properties: Properties{{"a", 1.5}}, Geometry: square}},
		{"members in another order, spaces, a byte order mark", "\ufeff { \"features\" : [ { \"geometry\" : { \"coordinates\" : [ 1.5 , 2 , 30 ] , \"type\" : \"Point\" } , \"type\" : \"Feature\" } ] , \"type\" : \"FeatureCollection\" } ",
			Feature{Geometry: orb.Point{1.5, 2}}},
		{"a number as id keeps its digits", `{"type":"Feature","id":310114004001,"properties":null,"geometry":null}`, Feature{ID: "310114004001"}},
		{"every kind of value", `{"type":"Feature","properties":{"s":"\u5609\"\\","i":-7,"f":1e3,"t":true,"n":null,"a":[ 1, {"b":2} ],"s":"last"},"geometry":null}`,
			Feature{Properties: Properties{{"s", "last"}, {"i", int64(-7)}, {"f", 1000.0}, {"t", true}, {"n", nil}, {"a", json.RawMessage(`[1,{"b":2}]`)}}}},
		{"a collection of areas", `{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":` + coordinates + `}]}`,
			Feature{Geometry: orb.Collection{square}}},
		{"an empty geometry", `{"type":"MultiPolygon","coordinates":[]}`, Feature{}},
		{"an open ring is closed, a backward one turned", `{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[1,0]]]}`,
			Feature{Geometry: orb.Polygon{{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}}}}},
		{"the old crs member in Web Mercator", `{"type":"Point","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3857"}},"coordinates":[20037508.342789244,0]}`,
			Feature{Geometry: orb.Point{180, 0}}},
		{"the old crs member in CGCS2000", `{"type":"Point","crs":{"type":"name","properties":{"name":"EPSG:4490"}},"coordinates":[121.25,31.375]}`,
			Feature{Geometry: orb.Point{121.25, 31.375}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := readText(t, "x.geojson", tt.text)
			tt.want.Number = 1
			if diff := cmp.Diff([]Feature{tt.want}, f.Features); diff != "" {
				t.Errorf("features (-want +got):\n%s\nrefused: %v", diff, f.Refused)
			}
			if f.Format != GeoJSON {
				t.Errorf("Format = %s", f.Format)
			}
		})
	}
}

func TestGeoJSONInGBK(t *testing.T) {
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(`{"type":"Feature","properties":{"名称":"嘉定镇街道"},"geometry":null}`))
	if err != nil {
		t.Fatal(err)
	}
	f := readText(t, "x.geojson", string(b))
	if got := f.Features[0].Text("名称"); got != "嘉定镇街道" || len(f.Warnings) != 1 {
		t.Errorf("名称 = %q with warnings %q, want 嘉定镇街道 with one", got, f.Warnings)
	}
}

// A bad feature is named with its ring and vertex, and loses no other.
func TestGeoJSONRefusesOneFeature(t *testing.T) {
	tests := []struct {
		name, feature string
		want          []string
	}{
		{"a latitude out of range", `"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]],[[1,1],[1,2],[2,200],[1,1]]]}`,
			[]string{"ring 2", "vertex 3", "200"}},
		{"in the second polygon", `"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[4,0],[4,4],[0,0]]],[[[0,0],[4,0],[-200,4],[0,0]]]]}`,
			[]string{"polygon 2", "ring 1", "vertex 3", "-200"}},
		{"too large for a float64", `"geometry":{"type":"Point","coordinates":[1e999,0]}`, []string{"1e999"}},
		{"one number", `"geometry":{"type":"LineString","coordinates":[[1,2],[3]]}`, []string{"vertex 2", "position"}},
		{"a null ordinate", `"geometry":{"type":"LineString","coordinates":[[1,2],[3,null]]}`, []string{"vertex 2", "null"}},
		{"text for a number", `"geometry":{"type":"Point","coordinates":["121","31"]}`, []string{`"121"`}},
		{"nested too little", `"geometry":{"type":"Polygon","coordinates":[[0,0],[1,0],[1,1],[0,0]]}`, []string{"ring 1", "vertex 1"}},
		{"nested too much", `"geometry":{"type":"Point","coordinates":[[0,0]]}`, []string{"[0,0]"}},
		{"two positions in a ring", `"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0]]]}`, []string{"ring 1", "positions"}},
		{"a line of one position", `"geometry":{"type":"LineString","coordinates":[[0,0]]}`, []string{"one position"}},
		{"an unknown kind", `"geometry":{"type":"Circle","coordinates":[[0,0]]}`, []string{"Circle"}},
		{"no coordinates", `"geometry":{"type":"Point"}`, []string{"coordinates"}},
		{"collections in collections", `"geometry":` + strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 10) + strings.Repeat(`]}`, 10), []string{"nested"}},
		{"a property that is no number", `"properties":{"a":1e999},"geometry":null`, []string{`"a"`, "1e999"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const good = `{"type":"Feature","id":"g","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}}`
			f := readText(t, "x.geojson", `{"type":"FeatureCollection","features":[`+good+`,{"type":"Feature","id":"U7",`+tt.feature+`},`+good+`]}`)
			if len(f.Features) != 2 || f.Features[0].Number != 1 || f.Features[1].Number != 3 {
				t.Errorf("features %v, want the first and the third", f.Features)
			}
			if len(f.Refused) != 1 || f.Refused[0].Feature != 2 || f.Refused[0].ID != "U7" {
				t.Fatalf("refused %v, want feature 2", f.Refused)
			}
			for _, want := range tt.want {
				if !strings.Contains(f.Refused[0].Reason, want) {
					t.Errorf("reason %q does not say %q", f.Refused[0].Reason, want)
				}
			}
			mustBeInvalid(t, f.Err(), "1 of 3 features refused: feature 2 (id U7)")
		})
	}
	if err := readText(t, "x.geojson", `{"type":"FeatureCollection","features":[]}`).Err(); err != nil {
		t.Errorf("Err of a sound file = %v", err)
	}
}

func TestRefusedFiles(t *testing.T) {
	tests := []struct {
		name, file, text, want string
	}{
		{"cut off", "cut.geojson", `{"type":"FeatureCollection","features":[`, "byte 40"},
		{"two values", "two.geojson", `{"type":"Point","coordinates":[1,2]}{}`, "byte 37"},
		{"a depth bomb", "bomb.geojson", `{"type":"Polygon","coordinates":` + strings.Repeat("[", 1_000_000), "nested more than 64 deep"},
		{"a depth bomb in the properties", "bomb.geojson", `{"type":"Feature","properties":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`, "nested more than 64 deep"},
		{"some other JSON", "package.json", `{"name":"web","type":"module"}`, `"module"`},
		{"features that are none", "x.geojson", `{"type":"FeatureCollection","features":{}}`, `"features" array`},
		{"Xian 1980", "x.geojson", `{"type":"Point","crs":{"type":"name","properties":{"name":"EPSG:4610"}},"coordinates":[1,2]}`, "EPSG:4610"},
		{"a linked coordinate system", "x.geojson", `{"type":"Point","crs":{"type":"link","properties":{"href":"http://x/"}},"coordinates":[1,2]}`, "coordinate system"},
		{"text", "x.geojson", "lon,lat\n121,31\n", `begins with "lon,lat`},
		{"nothing", "x.geojson", "", "not a GeoJSON"},
		{"a lone attribute table", "x.dbf", "\x03abcdefgh", "name its .shp"},
		{"HTML", "x.kml", "<html><body></body></html>", "<html>"},
		{"XML cut off", "x.kml", "<kml><Document><Placemark>", "line 1"},
		{"an XML depth bomb", "x.kml", "<kml>" + strings.Repeat("<Folder>", 1000), "nested more than 100 deep"},
		{"an XML entity bomb", "x.kml", `<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><kml><Document><name>&b;</name></Document></kml>`, "entity"},
		{"topology without objects", "x.json", `{"type":"Topology","arcs":[]}`, "objects"},
		{"topology with several objects", "x.json", `{"type":"Topology","arcs":[],"objects":{"grids":{"type":null},"streets":{"type":null}}}`, "grids, streets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadBytes([]byte(tt.text), tt.file, Options{})
			mustBeInvalid(t, err, tt.want)
			if !strings.HasPrefix(err.Error(), tt.file) {
				t.Errorf("error %q does not name %s", err, tt.file)
			}
		})
	}
}
