package httpapi

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// lattice is a district of n x n grids, some 1.2 km wide, whose borders wander
// and have perBorder edges between corners. Columns of grids make streets,
// four columns each. The last but one grid of the diagonal is a hole in
// coverage, and the last of the first column belongs to the first grid.
func lattice(t testing.TB, n int, perBorder int32) *grid.Generation {
	t.Helper()
	const side = 120_000
	rnd := rand.New(rand.NewPCG(5, 7))
	wander := func(c geo.Coord, by int32) geo.Coord {
		return geo.Coord{X: c.X + rnd.Int32N(2*by+1) - by, Y: c.Y + rnd.Int32N(2*by+1) - by}
	}
	type node [2]int
	corners := make(map[node]geo.Coord)
	for i := range n + 1 {
		for j := range n + 1 {
			corners[node{i, j}] = wander(geo.Coord{X: 1_211_200_000 + int32(i)*side, Y: 312_500_000 + int32(j)*side}, side/8)
		}
	}
	lines := make(map[[2]node]orb.LineString) // both ways, without the last point
	line := func(a, b node) {
		p, q := corners[a], corners[b]
		there := orb.LineString{p.Point()}
		for s := int32(1); s < perBorder; s++ {
			there = append(there, wander(geo.Coord{X: p.X + (q.X-p.X)*s/perBorder, Y: p.Y + (q.Y-p.Y)*s/perBorder}, side/perBorder/4).Point())
		}
		back := orb.LineString{q.Point()}
		for i := len(there) - 1; i > 0; i-- {
			back = append(back, there[i])
		}
		lines[[2]node{a, b}], lines[[2]node{b, a}] = there, back
	}
	for i := range n + 1 {
		for j := range n + 1 {
			if i < n {
				line(node{i, j}, node{i + 1, j})
			}
			if j < n {
				line(node{i, j}, node{i, j + 1})
			}
		}
	}
	var streets []grid.Street
	for s := range (n + 3) / 4 {
		streets = append(streets, grid.Street{Code: fmt.Sprintf("3101140%02d", s+1), Name: fmt.Sprintf("第%d街道", s+1),
			Seat: orb.Point{121.121 + 0.048*float64(s), 31.26}})
	}
	var areas []grid.Area
	for i := range n {
		for j := range n {
			if n > 2 && i == n-2 && j == n-2 {
				continue
			}
			around := []node{{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}, {i, j}}
			var ring orb.Ring
			for k := range 4 {
				ring = append(ring, lines[[2]node{around[k], around[k+1]}]...)
			}
			ring = append(ring, ring[0])
			if n > 2 && i == 0 && j == n-1 {
				areas[0].Polygons = append(areas[0].Polygons, orb.Polygon{ring})
				continue
			}
			areas = append(areas, grid.Area{Grid: latticeGrid(streets[i/4], i, j), Polygons: orb.MultiPolygon{{ring}}})
		}
	}
	src, err := grid.Assemble(streets, areas)
	if err != nil {
		t.Fatal(err)
	}
	g, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func latticeGrid(s grid.Street, i, j int) grid.Grid {
	g := grid.Grid{Code: fmt.Sprintf("%sA%02d%02d", s.Code, i, j), Name: fmt.Sprintf("第%d街道%d排%d列村", i/4+1, j+1, i+1), Kind: grid.Autonomous, Street: s.Code}
	g.Department = grid.Department{Code: g.Code + "-S15", Name: g.Name + "综治联勤工作站"}
	if j < 2 {
		g.Code = strings.Replace(g.Code, "A", "U", 1)
		g.Kind = grid.Urban
		g.Department = grid.Department{Code: s.Code + "-S01", Name: s.Name + "联勤网格化中心"}
	}
	return g
}

const testDepartments = `code,name,level
U02,区自来水公司,district
U11,区市政道路养护公司,district
S02,街镇城管执法中队,street
S15,村居综治联勤工作站,street
`

const testItems = `code,major_code,major_name,name,kind,lead_department,support_departments,response_minutes,disposal_hours,clock,xiaolianqin_key
0101,01,公用设施,给水井盖缺损,component,U02,U11,30,4,calendar,0
0701,07,街面秩序,占道设摊,event,S02,S15;U11,60,8,working,1
`

func testCatalogue(t testing.TB) *casework.Catalogue {
	t.Helper()
	c, err := casework.ReadCatalogue(strings.NewReader(testDepartments), strings.NewReader(testItems))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var testNow = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// newAPI is an API without a rate limit, closed with the test.
func newAPI(t testing.TB, cfg Config, gen *grid.Generation) *API {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return testNow }
	}
	if cfg.Limits.Rate == 0 {
		cfg.Limits.Rate = -1
	}
	if cfg.Catalogue == nil {
		cfg.Catalogue = testCatalogue(t)
	}
	if cfg.Public == nil {
		cfg.Public = []auth.Action{auth.ReadMap, auth.ReadMetrics}
	}
	s := openStore(t)
	if cfg.Gate == nil {
		cfg.Gate = auth.NewGate(s.Accounts(), cfg.Now)
	}
	if cfg.Atlas == nil {
		atlas, err := grid.Open(t.Context(), s.Generations(), cfg.Now)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Atlas = atlas
	}
	if cfg.Patrols == nil {
		registry, err := patrol.OpenRegistry(t.Context(), s.Register())
		if err != nil {
			t.Fatal(err)
		}
		cfg.Patrols = registry
	}
	if gen != nil {
		putInForce(t, cfg.Atlas, gen, day(2000, 1, 1))
	}
	if cfg.Indexes == nil {
		cfg.Indexes = locate.NewIndexes(cfg.Atlas)
	}
	if cfg.Files == nil {
		cfg.Files = testShelf(t, s, cfg.Now)
	}
	if cfg.Attention == nil {
		cfg.Attention = s.Attention()
	}
	if cfg.Heat == nil {
		cfg.Heat = NewHeat(cfg.Atlas, func(err error) { t.Error(err) })
	}
	if cfg.Hours == nil {
		cfg.Hours = patrol.NewTimesheet(s.Tracks(), cfg.Indexes, 0, cfg.Now)
	}
	if cfg.Desk == nil && gen != nil {
		cfg.Desk = testDesk(t, s, cfg)
		cfg.Filters = s.Cases()
		cfg.Inspections = casework.NewInspectorate(cfg.Desk, s.Cases())
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, grid.Zone) }

var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "lianqin-test-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(context.Background(), "sqlite:"+filepath.Join(dir, "empty.db"), store.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "empty.db"))
})

// openStore is a SQLite database of its own, migrated once for all tests.
func openStore(t testing.TB) *store.Store {
	t.Helper()
	empty, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, empty, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), "sqlite:"+path, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// draft enters gen as a generation that has been checked.
func draft(t testing.TB, a *grid.Atlas, gen *grid.Generation) int {
	t.Helper()
	r, err := a.Import(t.Context(), grid.Import{Streets: gen.Streets(), Areas: grid.AreasOf(gen), Name: "test", Author: "tester"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := a.Check(t.Context(), r.Number, -1, "tester"); err != nil || !c.Sound {
		t.Fatal(c, err)
	}
	return r.Number
}

func putInForce(t testing.TB, a *grid.Atlas, gen *grid.Generation, from time.Time) int {
	t.Helper()
	n := draft(t, a, gen)
	if _, err := a.Publish(t.Context(), grid.Publication{Number: n, From: from, By: "tester"}); err != nil {
		t.Fatal(err)
	}
	return n
}

// shown is the district that a shows now.
func shown(t testing.TB, a *API) *district {
	t.Helper()
	d, err := a.inForce()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// call sends one request; headers are name, value, name, value.
func call(a http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name, or writes it there.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s differs; run with -update and look at the change.\ngot:\n%s\nwant:\n%s", path, clipText(string(got)), clipText(string(want)))
	}
}

// clock is a test's time, which the service's goroutines read beside it.
type clock struct{ at atomic.Pointer[time.Time] }

func clockAt(t time.Time) *clock {
	c := &clock{}
	c.set(t)
	return c
}

func (c *clock) now() time.Time  { return *c.at.Load() }
func (c *clock) set(t time.Time) { c.at.Store(&t) }
