package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"lianqin/internal/demo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// demonstration is the district that ships with the program.
func demonstration(t testing.TB) *grid.Generation {
	t.Helper()
	src, err := demo.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	gen, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	return gen
}

// TestGDALReadsFeatures has GDAL's own client walk /ogc: both layers, every
// page of the grids, a box, a filter and one feature.
func TestGDALReadsFeatures(t *testing.T) {
	gen := demonstration(t)
	srv := httptest.NewServer(newAPI(t, Config{}, gen))
	defer srv.Close()
	source := "OAPIF:" + srv.URL + "/ogc"
	list := ogr(t, "-ro", source)
	for _, want := range []string{"grids", "streets"} {
		if !strings.Contains(list, want) {
			t.Errorf("layer %s is not listed:\n%s", want, list)
		}
	}
	// -al reads every feature; the count that GDAL prints may be the server's.
	all := ogr(t, "-ro", "-al", "-geom=NO", source, "grids")
	if n := strings.Count(all, "OGRFeature(grids)"); n != 417 {
		t.Errorf("GDAL read %d grids, want 417", n)
	}
	for _, g := range gen.Grids() {
		if !strings.Contains(all, "code (String) = "+g.Code+"\n") {
			t.Errorf("grid %s is missing", g.Code)
		}
	}
	paged := ogr(t, "-ro", "-al", "-geom=NO", "-oo", "PAGE_SIZE=50", source, "grids")
	if n := strings.Count(paged, "OGRFeature(grids)"); n != 417 {
		t.Errorf("in pages of 50 GDAL read %d grids, want 417", n)
	}
	g := gen.Grids()[100]
	b := g.Bound
	box := []string{"-ro", "-al", "-geom=NO", "-spat", num(b.Min[0]), num(b.Min[1]), num(b.Max[0]), num(b.Max[1]), source, "grids"}
	want := len(locate.New(gen).InBound(b))
	if n := strings.Count(ogr(t, box...), "OGRFeature(grids)"); n != want {
		t.Errorf("in the box of grid %s GDAL read %d, want %d", g.Code, n, want)
	}
	if n := strings.Count(ogr(t, "-ro", "-al", "-geom=NO", "-where", "code = '"+g.Code+"'", source, "grids"), "OGRFeature(grids)"); n != 1 {
		t.Errorf("GDAL read %d grids of code %s", n, g.Code)
	}
	streets := ogr(t, "-ro", "-al", "-geom=SUMMARY", source, "streets")
	if n := strings.Count(streets, "OGRFeature(streets)"); n != 12 {
		t.Errorf("GDAL read %d streets, want 12", n)
	}
}

func num(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

type featurePage struct {
	NumberMatched, NumberReturned int
	Features                      []struct {
		ID         any
		Geometry   struct{ Type string }
		Properties map[string]any
	}
	Links []struct{ Href, Rel, Type string }
}

func (p featurePage) link(rel string) string {
	for _, l := range p.Links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

func page(t *testing.T, a *API, target string, headers ...string) featurePage {
	t.Helper()
	w := call(a, "GET", target, "", headers...)
	if w.Code != 200 || w.Header().Get("Content-Type") != geoJSONType {
		t.Fatalf("%s: %d %v %s", target, w.Code, w.Header(), w.Body)
	}
	var p featurePage
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	if p.NumberReturned != len(p.Features) {
		t.Errorf("%s: says %d, has %d", target, p.NumberReturned, len(p.Features))
	}
	return p
}

func TestItemsPageThrough(t *testing.T) {
	gen := lattice(t, 6, 3)
	a := newAPI(t, Config{}, gen)
	seen := make(map[any]bool)
	next, pages := "/ogc/collections/grids/items?limit=7&kind=autonomous", 0
	last := ""
	for next != "" {
		p := page(t, a, strings.TrimPrefix(next, "http://example.com"))
		for _, f := range p.Features {
			if seen[f.ID] || f.Properties["kind"] != "autonomous" {
				t.Errorf("feature %v again, or of another kind", f.ID)
			}
			seen[f.ID] = true
		}
		if pages++; pages > 1 && p.link("prev") == "" {
			t.Error("no way back")
		}
		last, next = next, p.link("next")
		if len(seen) > p.NumberMatched {
			t.Fatal("more than there are")
		}
		if next == "" && len(seen) != p.NumberMatched {
			t.Errorf("read %d of %d", len(seen), p.NumberMatched)
		}
	}
	if want := (len(gen.Grids()) - 12 + 6) / 7; pages != want {
		t.Errorf("%d pages, want %d (the last was %s)", pages, want, last)
	}
}

func TestItems(t *testing.T) {
	gen := lattice(t, 6, 3)
	a := newAPI(t, Config{}, gen)
	g, _ := gen.GridByCode("310114001A0203")
	speck := fmt.Sprintf("%v,%v,%v,%v", g.Label[0], g.Label[1], g.Label[0], g.Label[1])
	tall := fmt.Sprintf("%v,%v,0,%v,%v,100", g.Label[0], g.Label[1], g.Label[0], g.Label[1])
	for _, tt := range []struct {
		query string
		want  int
	}{
		{"grids/items", len(gen.Grids())},
		{"grids/items?limit=99999", len(gen.Grids())},
		{"grids/items?bbox=" + speck, 1},
		{"grids/items?bbox=" + tall, 1},
		{"grids/items?bbox-crs=" + crs84 + "&bbox=" + speck, 1},
		{"grids/items?bbox=10,10,11,11", 0},
		{"grids/items?bbox=121.1,31,-170,32", len(gen.Grids())},
		{"grids/items?code=" + g.Code, 1},
		{"grids/items?name=" + g.Name, 1},
		{"grids/items?street=310114002", 11},
		{"grids/items?street=310114002&kind=urban", 4},
		{"grids/items?street=nowhere", 0},
		{"grids/items?offset=1000000000000", len(gen.Grids())},
		{"grids/items?datetime=2026-03-01T00:00:00Z&f=json", len(gen.Grids())},
		{"grids/items?datetime=../2026-03-01T00:00:00%2B08:00", len(gen.Grids())},
		{"streets/items", 2},
		{"streets/items?bbox=" + speck, 1},
		{"streets/items?code=310114002", 1},
	} {
		if p := page(t, a, "/ogc/collections/"+tt.query); p.NumberMatched != tt.want {
			t.Errorf("%s: %d matched, want %d", tt.query, p.NumberMatched, tt.want)
		}
	}
	for _, tt := range []struct {
		query     string
		status    int
		parameter string
	}{
		{"grids/items?bbox=1,2,3", 400, "bbox"}, {"grids/items?bbox=1,2,3,x", 400, "bbox"}, {"grids/items?bbox=1,2,3,NaN", 400, "bbox"},
		{"grids/items?bbox=1,2,3,1e999", 400, "bbox"}, {"grids/items?bbox=1,3,2,2", 400, "bbox"}, {"grids/items?bbox=", 400, "bbox"},
		{"grids/items?bbox-crs=EPSG:3857", 400, "bbox-crs"}, {"grids/items?limit=0", 400, "limit"}, {"grids/items?limit=ten", 400, "limit"},
		{"grids/items?limit=99999999999999999999", 400, "limit"},
		{"grids/items?offset=-1", 400, "offset"}, {"grids/items?datetime=yesterday", 400, "datetime"}, {"grids/items?datetime=", 400, "datetime"},
		{"grids/items?datetime=2026-03-01T00:00:00Z/2025-03-01T00:00:00Z", 400, "datetime"},
		{"grids/items?colour=red", 400, "colour"}, {"streets/items?kind=urban", 400, "kind"}, {"grids/items?f=html", 400, "f"},
		{"roads/items", 404, ""}, {"roads", 404, ""}, {"grids/items/0", 404, ""}, {"streets/items/1", 404, ""}, {"grids?x=1", 400, "x"},
	} {
		if p := wantProblem(t, call(a, "GET", "/ogc/collections/"+tt.query, ""), tt.status); p.Parameter != tt.parameter {
			t.Errorf("%s: parameter %q, want %q", tt.query, p.Parameter, tt.parameter)
		}
	}
	w := call(a, "GET", fmt.Sprintf("/ogc/collections/grids/items/%d", g.ID), "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), g.Code) || !strings.Contains(w.Body.String(), `"rel":"collection"`) {
		t.Errorf("item: %d %s", w.Code, w.Body)
	}
}

// TestLinksAreAbsolute follows every link that /ogc gives, and tells whose
// word counts for the address.
func TestLinksAreAbsolute(t *testing.T) {
	gen := lattice(t, 4, 2)
	a := newAPI(t, Config{}, gen)
	href := regexp.MustCompile(`"href":"([^"]*)"`)
	seen := map[string]bool{"http://example.com/ogc": false}
	for more := true; more; {
		more = false
		for url, done := range seen {
			if done {
				continue
			}
			seen[url], more = true, true
			path, ok := strings.CutPrefix(url, "http://example.com/")
			if !ok {
				t.Fatalf("link %q", url)
			}
			w := call(a, "GET", "/"+strings.ReplaceAll(path, `\u0026`, "&"), "")
			if w.Code != 200 {
				t.Errorf("%s: %d", url, w.Code)
			}
			for _, m := range href.FindAllStringSubmatch(w.Body.String(), -1) {
				if !seen[m[1]] {
					seen[m[1]] = false
				}
			}
		}
	}
	if len(seen) < 8 {
		t.Errorf("only %d links: %v", len(seen), seen)
	}
	forged := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "grid.example", "X-Forwarded-Prefix", "/lianqin/"}
	if w := call(a, "GET", "/ogc", "", forged...); strings.Contains(w.Body.String(), "grid.example") {
		t.Errorf("an untrusted proxy was believed: %s", w.Body)
	}
	trusting := newAPI(t, Config{TrustForwarded: true}, gen)
	if w := call(trusting, "GET", "/ogc", "", forged...); !strings.Contains(w.Body.String(), `"https://grid.example/lianqin/ogc/collections"`) {
		t.Errorf("a trusted proxy was not believed: %s", w.Body)
	}
}
