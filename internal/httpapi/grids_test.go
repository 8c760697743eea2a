package httpapi

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"lianqin/internal/geo"
)

func TestGridsGolden(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 3, 2))
	for _, tt := range []struct{ name, path, contentType string }{
		{"grids.geojson", "/api/v1/grids", geoJSONType},
		{"grids.topojson", "/api/v1/grids?format=topojson", "application/json"},
		{"grid.geojson", "/api/v1/grids/310114001U0100", geoJSONType},
		{"streets.json", "/api/v1/streets", "application/json"},
	} {
		w := call(a, "GET", tt.path, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != tt.contentType {
			t.Fatalf("%s: %d %v %s", tt.path, w.Code, w.Header(), w.Body)
		}
		golden(t, tt.name, w.Body.Bytes())
	}
}

// TestGeoJSONIsTheGeneration reads the collection back with orb.
func TestGeoJSONIsTheGeneration(t *testing.T) {
	gen := lattice(t, 6, 5)
	a := newAPI(t, Config{}, gen)
	fc, err := geojson.UnmarshalFeatureCollection(call(a, "GET", "/api/v1/grids", "").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(fc.Features) != len(gen.Grids()) {
		t.Fatalf("%d features, want %d", len(fc.Features), len(gen.Grids()))
	}
	for i, g := range gen.Grids() {
		f := fc.Features[i]
		want := gen.Polygon(g.ID)
		got, ok := f.Geometry.(orb.MultiPolygon)
		if !ok {
			got = orb.MultiPolygon{f.Geometry.(orb.Polygon)}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("grid %d (-want +got):\n%s", g.ID, d)
		}
		if f.ID != float64(g.ID) || f.Properties["code"] != g.Code || f.Properties["department_name"] != g.Department.Name {
			t.Errorf("grid %d: %v", g.ID, f.Properties)
		}
	}
	part, err := geojson.UnmarshalFeatureCollection(call(a, "GET", "/api/v1/grids?street=310114002", "").Body.Bytes())
	if err != nil || len(part.Features) != 11 {
		t.Errorf("one street: %d features, %v", len(part.Features), err)
	}
}

// TestTopoJSONIsTheGeneration puts the rings together again from the arcs.
func TestTopoJSONIsTheGeneration(t *testing.T) {
	gen := lattice(t, 6, 5)
	a := newAPI(t, Config{}, gen)
	var topo struct {
		Transform struct{ Scale, Translate [2]float64 }
		Objects   map[string]struct {
			Geometries []struct {
				ID   any
				Type string
				Arcs json.RawMessage
			}
		}
		Arcs [][][2]int64
	}
	if err := json.Unmarshal(call(a, "GET", "/api/v1/grids?format=topojson", "").Body.Bytes(), &topo); err != nil {
		t.Fatal(err)
	}
	origin, err := geo.Quantise(topo.Transform.Translate)
	if err != nil || topo.Transform.Scale != [2]float64{1e-7, 1e-7} {
		t.Fatalf("transform %+v: %v", topo.Transform, err)
	}
	arcs := make([][]geo.Coord, len(topo.Arcs))
	for i, arc := range topo.Arcs {
		at := origin
		for _, d := range arc {
			at = geo.Coord{X: at.X + int32(d[0]), Y: at.Y + int32(d[1])}
			arcs[i] = append(arcs[i], at)
		}
	}
	areas := func(kind string, raw json.RawMessage) (m [][][]int) {
		if kind == "Polygon" {
			m = make([][][]int, 1)
			err = json.Unmarshal(raw, &m[0])
		} else {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	area := func(polygons [][][]int) float64 {
		sum := 0.0
		for _, rings := range polygons {
			for _, ring := range rings {
				var line []geo.Coord
				for _, i := range ring {
					pts := arcs[max(i, ^i)]
					if i < 0 {
						pts = reversed(pts)
					}
					if len(line) > 0 && line[len(line)-1] != pts[0] {
						t.Fatalf("arc %d does not follow", i)
					}
					line = append(line, pts...)
				}
				if line[0] != line[len(line)-1] {
					t.Fatalf("ring %v is open", ring)
				}
				sum += geo.RingAreaM2(line)
			}
		}
		return sum
	}
	total := 0.0
	for i, g := range gen.Grids() {
		o := topo.Objects["grids"].Geometries[i]
		if got := area(areas(o.Type, o.Arcs)); o.ID != float64(g.ID) || got < g.AreaM2*0.999999 || got > g.AreaM2*1.000001 {
			t.Errorf("grid %v: %v m², want %v", o.ID, got, g.AreaM2)
		}
		total += g.AreaM2
	}
	for _, o := range topo.Objects["streets"].Geometries {
		total -= area(areas(o.Type, o.Arcs))
	}
	if total > 1 || total < -1 {
		t.Errorf("streets and grids differ by %v m²", total)
	}
}

func reversed(line []geo.Coord) []geo.Coord {
	out := make([]geo.Coord, len(line))
	for i, c := range line {
		out[len(line)-1-i] = c
	}
	return out
}

func TestGridsRefuse(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 3, 2))
	for _, tt := range []struct {
		path      string
		status    int
		parameter string
	}{
		{"/api/v1/grids?street=9", 400, "street"}, {"/api/v1/grids?street=", 400, "street"}, {"/api/v1/grids?format=kml", 400, "format"},
		{"/api/v1/grids?format=topojson&street=310114001", 400, "format"}, {"/api/v1/grids?page=2", 400, "page"},
		{"/api/v1/grids/0", 404, ""}, {"/api/v1/grids/99", 404, ""}, {"/api/v1/grids/-1", 404, ""}, {"/api/v1/grids/%2e%2e%2fx", 404, ""},
		{"/api/v1/streets?x=1", 400, "x"}, {"/api/v1/nothing", 404, ""}, {"/api/v2/resolve", 404, ""},
	} {
		if p := wantProblem(t, call(a, "GET", tt.path, ""), tt.status); p.Parameter != tt.parameter {
			t.Errorf("%s: parameter %q, want %q", tt.path, p.Parameter, tt.parameter)
		}
	}
	w := call(a, "DELETE", "/api/v1/grids", "")
	if wantProblem(t, w, 405); !strings.Contains(w.Header().Get("Allow"), "GET") {
		t.Errorf("405 with Allow %q", w.Header().Get("Allow"))
	}
	byID, byCode := call(a, "GET", "/api/v1/grids/1", ""), call(a, "GET", "/api/v1/grids/310114001U0000", "")
	if byID.Code != 200 || byID.Body.String() != byCode.Body.String() {
		t.Errorf("by id and by code: %d, %d", byID.Code, byCode.Code)
	}
}

func TestConditionalRequests(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 4, 3))
	for _, path := range []string{"/api/v1/grids", "/api/v1/grids?format=topojson", "/api/v1/grids?street=310114001", "/api/v1/grids/1", "/api/v1/streets", "/openapi.json", "/ogc/api"} {
		plain := call(a, "GET", path, "")
		zipped := call(a, "GET", path, "", "Accept-Encoding", "br;q=1, gzip;q=0.8")
		for _, w := range []string{plain.Header().Get("ETag"), zipped.Header().Get("ETag")} {
			if !strings.HasPrefix(w, `"`) {
				t.Errorf("%s: ETag %q", path, w)
			}
			for _, match := range []string{w, "W/" + w, `"other", ` + w, "*"} {
				if r := call(a, "GET", path, "", "If-None-Match", match); r.Code != 304 || r.Body.Len() > 0 || r.Header().Get("ETag") == "" {
					t.Errorf("%s with %s: %d", path, match, r.Code)
				}
			}
		}
		if r := call(a, "GET", path, "", "If-None-Match", `"other"`); r.Code != 200 {
			t.Errorf("%s with another tag: %d", path, r.Code)
		}
		if zipped.Header().Get("Content-Encoding") == "gzip" && (zipped.Header().Get("Vary") != "Accept-Encoding" || zipped.Header().Get("ETag") == plain.Header().Get("ETag")) {
			t.Errorf("%s: %v", path, zipped.Header())
		}
		if r := call(a, "GET", path, "", "Accept-Encoding", "gzip;q=0"); r.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: gzip though refused", path)
		}
		if r := call(a, "HEAD", path, ""); r.Code != 200 || r.Body.Len() > 0 || r.Header().Get("Content-Length") != fmt.Sprint(plain.Body.Len()) {
			t.Errorf("HEAD %s: %d, %d bytes, %v", path, r.Code, r.Body.Len(), r.Header())
		}
	}
}

// TestGDALReadsGeoJSON hands the collection to GDAL.
func TestGDALReadsGeoJSON(t *testing.T) {
	gen := lattice(t, 6, 4)
	file := filepath.Join(t.TempDir(), "grids.geojson")
	if err := os.WriteFile(file, call(newAPI(t, Config{}, gen), "GET", "/api/v1/grids", "").Body.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := ogr(t, "-ro", "-so", "-al", file); !strings.Contains(out, fmt.Sprintf("Feature Count: %d", len(gen.Grids()))) {
		t.Errorf("GDAL read:\n%s", out)
	}
}
