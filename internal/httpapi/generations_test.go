package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/geofile"
	"lianqin/internal/grid"
)

// fileReader reads boundary files that this API wrote itself.
func fileReader(_ context.Context, file BoundaryFile) ([]grid.Street, []grid.Area, error) {
	f, err := geofile.ReadBytes(file.Data, file.Name, geofile.Options{})
	if err != nil {
		return nil, nil, err
	}
	var streets []grid.Street
	var areas []grid.Area
	known := make(map[string]bool)
	for i := range f.Features {
		p := &f.Features[i]
		if code := p.Text("street"); !known[code] {
			known[code] = true
			streets = append(streets, grid.Street{Code: code, Name: p.Text("street_name")})
		}
		polygons, ok := p.Polygons()
		if !ok {
			return nil, nil, fault.New(fault.Invalid, "feature %d is no area", i)
		}
		areas = append(areas, grid.Area{Polygons: polygons, Grid: grid.Grid{ID: grid.ID(i + 1), Code: p.Text("code"), Name: p.Text("name"), Kind: grid.Kind(p.Text("kind")),
			Street: p.Text("street"), Department: grid.Department{Code: p.Text("department"), Name: p.Text("department_name")}}})
	}
	return streets, areas, nil
}

func decode[T any](t testing.TB, w *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("%d %s, want %d", w.Code, clipText(w.Body.String()), status)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestGenerationOverHTTP takes a second generation from a file to force, by
// the people who may.
func TestGenerationOverHTTP(t *testing.T) {
	a := closedAPI(t, Config{Boundaries: fileReader}, lattice(t, 4, 2))
	for _, role := range []auth.Role{auth.Administrator, auth.Planner, auth.Approver, auth.Inspector} {
		addAccount(t, a, string(role), role, auth.WholeDistrict)
	}
	planner, approver, inspector := signedIn(t, a, "planner"), signedIn(t, a, "approver"), signedIn(t, a, "inspector")
	file := planner.call(a, "GET", "/api/v1/generations/1/grids", "").Body.String()
	name := a.views.current.Load().gen.Grids()[0].Name
	file = strings.Replace(file, `"name":"`+name+`"`, `"name":"改名"`, 1)

	type generation struct {
		Number int
		Name   string
		Author string
		Status string
		Check  *struct{ Sound bool }
		From   time.Time `json:"effective_from"`
	}
	type list struct {
		Generations []generation
		Schedule    []grid.Term
		Revision    int64
	}
	w := planner.call(a, "POST", "/api/v1/generations?name=%E4%BA%8C&format=geojson", file, "Content-Type", "application/octet-stream")
	made := decode[generation](t, w, 201)
	if made.Number != 2 || made.Status != "draft" || made.Author != "planner" || made.Name != "二" {
		t.Errorf("imported %+v", made)
	}
	if w := planner.call(a, "GET", "/api/v1/resolve?lon=121.15&lat=31.27", ""); !strings.Contains(w.Body.String(), `"generation":{"number":1,`) {
		t.Errorf("a draft is in force: %s", w.Body)
	}
	if w := approver.call(a, "POST", "/api/v1/generations/2/publish", `{"from":"2026-06-01"}`); w.Code != 400 {
		t.Errorf("publishing without a check: %d %s", w.Code, w.Body)
	}
	if check := decode[grid.Check](t, planner.call(a, "POST", "/api/v1/generations/2/check", ""), 200); !check.Sound || check.Base != 1 || check.By != "planner" {
		t.Errorf("check %+v", check)
	}
	seen := decode[list](t, inspector.call(a, "GET", "/api/v1/generations", ""), 200)
	diff := decode[struct {
		Grids    []grid.GridChange
		Features struct {
			Features []struct{ Properties struct{ Name, Side string } }
		}
	}](t, inspector.call(a, "GET", "/api/v1/generations/1/diff/2", ""), 200)
	if len(diff.Grids) != 1 || diff.Grids[0].Name != "改名" || len(diff.Features.Features) != 2 || diff.Features.Features[1].Properties.Name != "改名" {
		t.Errorf("diff %+v", diff)
	}
	body := fmt.Sprintf(`{"from":"2026-06-01","expect":%d}`, seen.Revision)
	done := decode[grid.Published](t, approver.call(a, "POST", "/api/v1/generations/2/publish", body), 200)
	if done.Before != 1 || !done.Term.From.Equal(day(2026, 6, 1)) || done.Term.By != "approver" {
		t.Errorf("published %+v", done)
	}
	p := wantProblem(t, approver.call(a, "POST", "/api/v1/generations/1/publish", body), 409)
	if !strings.Contains(p.Detail, "generation 2") || !strings.Contains(p.Detail, "approver") {
		t.Errorf("the conflict does not tell what changed: %+v", p)
	}
	now := decode[list](t, inspector.call(a, "GET", "/api/v1/generations", ""), 200)
	if g := now.Generations[1]; g.Status != "scheduled" || !g.From.Equal(day(2026, 6, 1)) || g.Check == nil || len(now.Schedule) != 2 {
		t.Errorf("the list says %+v", now)
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/api/v1/generations/9", "", 404},
		{"GET", "/api/v1/generations/x", "", 404},
		{"GET", "/api/v1/generations/9/grids", "", 404},
		{"GET", "/api/v1/generations/1/diff/9", "", 404},
		{"GET", "/tiles/generations/2/10/856/418.mvt", "", 200},
		{"GET", "/tiles/generations/9/10/856/418.mvt", "", 404},
		{"GET", "/api/v1/generations/2/grids?at=2026-01-01", "", 400},
		{"GET", "/api/v1/generations?x=1", "", 400},
	} {
		if w := inspector.call(a, tt.method, tt.path, tt.body); w.Code != tt.status {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, w.Code, clipText(w.Body.String()), tt.status)
		}
	}
	for name, tt := range map[string]struct {
		query, body string
		status      int
	}{
		"nothing": {"", "", 400}, "no boundary file": {"", "hello", 400}, "an unknown format": {"?format=dwg", "x", 400},
		"a long name": {"?name=" + strings.Repeat("x", 300), "x", 400}, "too large": {"", strings.Repeat("x", maxBoundaries+1), 413},
	} {
		if w := planner.call(a, "POST", "/api/v1/generations"+tt.query, tt.body, "Content-Type", "application/octet-stream"); w.Code != tt.status {
			t.Errorf("importing %s: %d %s, want %d", name, w.Code, w.Body, tt.status)
		}
	}
}

// TestAsOf asks for the boundaries of several times, as the clock passes the
// beginning of a scheduled term.
func TestAsOf(t *testing.T) {
	clock := clockAt(testNow)
	a := newAPI(t, Config{Now: clock.now}, nil)
	first := putInForce(t, a.cfg.Atlas, lattice(t, 4, 2), day(2020, 1, 1))
	second := putInForce(t, a.cfg.Atlas, lattice(t, 4, 3), day(2027, 1, 1))
	of := func(n int) string { return fmt.Sprintf(`"generation":{"number":%d,`, n) }
	check := func(path, want string) {
		t.Helper()
		if w := call(a, "GET", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s; want %s", path, w.Code, clipText(w.Body.String()), want)
		}
	}
	for _, base := range []string{"/api/v1/resolve?lon=121.15&lat=31.27&", "/api/v1/grids?", "/api/v1/grids?street=310114001&", "/api/v1/streets?"} {
		check(strings.TrimRight(base, "?&"), of(first))
		for at, want := range map[string]int{
			"2020-01-01": first, "2026-12-31T23:59:59.999%2B08:00": first, "2026-12-31T16:00:00Z": second, "2026-12-31T15:59:59Z": first,
			"2027-01-01": second, "2027-01-01T00:00:00+08:00": second, "2100-01-01": second,
		} {
			check(base+"at="+at, of(want))
		}
		for at, status := range map[string]int{"2019-12-31": 404, "": 400, "yesterday": 400, "2026-13-01": 400} {
			if p := wantProblem(t, call(a, "GET", base+"at="+at, ""), status); p.Parameter != "at" {
				t.Errorf("%sat=%s: %+v", base, at, p)
			}
		}
	}
	shape := func(path string) string {
		t.Helper()
		w := call(a, "GET", path, "")
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	for _, tt := range []struct{ now, then, before string }{
		{"/tiles/grids/12/3426/1672.mvt", "/tiles/grids/12/3426/1672.mvt?at=2027-01-01", "/tiles/grids/12/3426/1672.mvt?at=2019-01-01"},
		{"/api/v1/grids/1", "/api/v1/grids/1?at=2027-01-01", "/api/v1/grids/1?at=2019-01-01"},
		{"/ogc/collections/grids/items/1", "/ogc/collections/grids/items/1?datetime=2027-01-01T00:00:00%2B08:00", "/ogc/collections/grids/items/1?datetime=2019-01-01"},
	} {
		if shape(tt.now) == shape(tt.then) {
			t.Errorf("%s is the same then as now", tt.now)
		}
		wantProblem(t, call(a, "GET", tt.before, ""), 404)
	}
	items := func(datetime string) string {
		body := shape("/ogc/collections/grids/items?limit=1&datetime=" + datetime)
		return body[strings.Index(body, `"features"`):]
	}
	early, late := items("2026-01-01T00:00:00Z"), items("2028-01-01T00:00:00Z")
	if early == late {
		t.Error("OGC features are the same at both times")
	}
	for datetime, want := range map[string]string{"../..": early, "2020-06-01T00:00:00Z/..": early, "../2028-01-01T00:00:00Z": late, "2028-01-01T00:00:00Z/..": late} {
		if items(datetime) != want {
			t.Errorf("datetime=%s finds the other generation", datetime)
		}
	}
	w := call(a, "POST", "/api/v1/resolve?at=2027-06-01", `[{"lon":121.15,"lat":31.27}]`, "Content-Type", "application/json")
	if got := w.Header().Get(generationHeader); w.Code != 200 || !strings.HasPrefix(got, fmt.Sprint(second, " ")) {
		t.Errorf("a batch of then: %d, %s %q", w.Code, generationHeader, got)
	}
	if w := call(a, "POST", "/api/v1/resolve?at=2019-06-01", `[]`, "Content-Type", "application/json"); w.Code != 404 {
		t.Errorf("a batch of before: %d", w.Code)
	}
	clock.set(day(2027, 1, 1).Add(-time.Millisecond))
	check("/api/v1/streets", of(first))
	clock.set(day(2027, 1, 1))
	check("/api/v1/streets", of(second))
	check("/readyz", of(second))
	check("/api/v1/streets?at=2026-06-01", of(first))
}

func TestViewsAreBounded(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 3, 2))
	gen := lattice(t, 3, 3)
	for range maxViews + 5 {
		n := draft(t, a.cfg.Atlas, gen)
		d, err := a.views.number(t.Context(), n)
		if err != nil || d.gen.Number() != n {
			t.Fatal(d, err)
		}
	}
	if n := len(a.views.kept); n > maxViews || a.views.kept[1] == nil {
		t.Errorf("%d views are kept, the one in force %v", n, a.views.kept[1])
	}
	if w := call(a, "GET", "/readyz", ""); !bytes.Contains(w.Body.Bytes(), []byte(`"number":1`)) {
		t.Errorf("readyz: %s", w.Body)
	}
}
