package geofile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// twoSquares is two unit squares side by side that share arc 0, the way
// topojson-server writes them: quantised differences.
const twoSquares = `{"type":"Topology","transform":{"scale":[0.5,0.25],"translate":[121,31]},
"arcs":[[[2,0],[0,4]],[[2,4],[-2,0],[0,-4],[2,0]],[[2,0],[2,0],[0,4],[-2,0]]],
"objects":{"grids":{"type":"GeometryCollection","geometries":[
 {"type":"Polygon","id":12,"properties":{"name":"西网格"},"arcs":[[0,1]]},
 {"type":"MultiPolygon","id":"e","properties":{"name":"东网格"},"arcs":[[[2,-1]]]},
 {"type":"Point","coordinates":[2,4]},
 {"type":"LineString","arcs":[-1]},
 {"type":null,"properties":{"name":"空"}},
 {"type":"Polygon","id":"bad","arcs":[[0,7]]}
]}}}`

func TestTopoJSON(t *testing.T) {
	for _, name := range []string{"grids.topojson", "mislabelled.geojson"} {
		f := readText(t, name, twoSquares)
		want := []Feature{
			{Number: 1, ID: "12", Properties: Properties{{"name", "西网格"}}, Geometry: orb.Polygon{{{122, 31}, {122, 32}, {121, 32}, {121, 31}, {122, 31}}}},
			{Number: 2, ID: "e", Properties: Properties{{"name", "东网格"}}, Geometry: orb.MultiPolygon{{{{122, 31}, {123, 31}, {123, 32}, {122, 32}, {122, 31}}}}},
			{Number: 3, Geometry: orb.Point{122, 32}},
			{Number: 4, Geometry: orb.LineString{{122, 32}, {122, 31}}},
			{Number: 5, Properties: Properties{{"name", "空"}}},
		}
		if diff := cmp.Diff(want, f.Features); diff != "" {
			t.Errorf("%s: features (-want +got):\n%s", name, diff)
		}
		if f.Format != TopoJSON || f.Name != "grids" {
			t.Errorf("%s: format %s, name %q, want topojson, grids", name, f.Format, f.Name)
		}
		if len(f.Refused) != 1 || f.Refused[0].ID != "bad" || !strings.Contains(f.Refused[0].Reason, "no arc 7") {
			t.Errorf("%s: refused %v, want the polygon that names arc 7", name, f.Refused)
		}
	}
}

func TestTopoJSONLayer(t *testing.T) {
	text := strings.Replace(twoSquares, `"objects":{`, `"objects":{"seat":{"type":"Point","coordinates":[0,0]},`, 1)
	f, err := ReadBytes([]byte(text), "x.json", Options{Layer: "seat"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Feature{{Number: 1, Geometry: orb.Point{121, 31}}}, f.Features); diff != "" {
		t.Errorf("features (-want +got):\n%s", diff)
	}
	_, err = ReadBytes([]byte(text), "x.json", Options{Layer: "streets"})
	mustBeInvalid(t, err, `no object "streets"; there are seat, grids`)
}

// GDAL reads the same areas out of the same topology.
func TestTopoJSONAgreesWithGDAL(t *testing.T) {
	needGDAL(t)
	sound := strings.Replace(twoSquares, `,"arcs":[[0,7]]`, `,"arcs":[[0,1]]`, 1)
	sound = strings.Replace(sound, ` {"type":null,"properties":{"name":"空"}},`, "", 1) // GDAL leaves it out
	path := t.TempDir() + "/t.topojson"
	writeBytes(t, path, []byte(sound))
	got, want := read(t, path), byGDAL(t, path)
	if len(got.Features) != len(want) {
		t.Fatalf("%d features, GDAL sees %d", len(got.Features), len(want))
	}
	for _, i := range []int{0, 1, 4} {
		if g, w := areaOf(got.Features[i].Geometry), want[i].area(t); g != w || g != 1 {
			t.Errorf("feature %d: area %v, GDAL's is %v, want 1", i+1, g, w)
		}
	}
}
