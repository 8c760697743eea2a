package httpapi

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/geo"
	"lianqin/internal/heat"
	"lianqin/internal/patrol"
)

// heatTown is a town with many cases, entered as a desk tells them.
type heatTown struct {
	*caseTown
	viewer, wall visitor // of the first street
	cases        []casework.Kept
}

func newHeatTown(t testing.TB, n int) *heatTown {
	town := &heatTown{caseTown: newCaseTown(t)}
	addAccount(t, town.API, "viewer", auth.Viewer, streetOne)
	town.viewer = signedIn(t, town.API, "viewer")
	town.wall, _ = holder(t, town.API, auth.Link, streetOne)
	r := rand.New(rand.NewPCG(21, 22))
	x := town.cfg.Indexes.At(testNow.UnixMilli())
	for i := range n {
		k := casework.Kept{Case: int64(i + 1), Placed: true, At: geo.Coord{X: 1_211_000_000 + r.Int32N(1_400_000), Y: 312_300_000 + r.Int32N(1_400_000)},
			Item: []string{"0101", "0701", ""}[r.IntN(3)], Channel: casework.Channels[r.IntN(4)], State: casework.States[r.IntN(len(casework.States))],
			Lead: []string{"U02", firstStreet + "-S02", ""}[r.IntN(3)], Emergency: r.IntN(9) == 0, Received: testNow.Add(-time.Duration(r.Int64N(int64(60*24*time.Hour)))).UnixMilli() / 1000 * 1000}
		if r.IntN(20) == 0 {
			k.Placed, k.At = false, geo.Coord{}
		}
		k.Captured = k.Received
		if g, ok := x.Generation().Grid(x.LocateCoord(k.At)); ok && k.Placed {
			k.Grid, k.GridID, k.Street = g.Code, g.ID, g.Street
		}
		town.cases = append(town.cases, k)
		town.cfg.Heat.Put(&k)
	}
	return town
}

type heatGrids struct {
	From, To time.Time
	Total    int
	Patrol   *struct{ From, To time.Time }
	Grids    []struct {
		Grid          struct{ Code string }
		Street        string
		Count         int
		AreaKM2       float64  `json:"area_km2"`
		PerKM2        float64  `json:"per_km2"`
		PatrolHours   *float64 `json:"patrol_hours"`
		PerPatrolHour *float64 `json:"per_patrol_hour"`
		Value         *float64
	}
	Former []struct {
		Code  string
		Count int
	}
}

// counted are the cases that a query of the last thirty days counts.
func (town *heatTown) counted(pass func(*casework.Kept) bool) (out []*casework.Kept) {
	for i := range town.cases {
		k := &town.cases[i]
		if at := time.UnixMilli(k.Received); !at.Before(testNow.AddDate(0, 0, -30)) && at.Before(testNow) && pass(k) {
			out = append(out, k)
		}
	}
	return out
}

// heatQueries are ways to ask, by whom, and what passes.
func (town *heatTown) heatQueries() []heatQueryCase {
	notVoid := func(k *casework.Kept) bool { return k.State != casework.Void }
	of := func(pass func(*casework.Kept) bool) func(*casework.Kept) bool {
		return func(k *casework.Kept) bool { return notVoid(k) && pass(k) }
	}
	inOne := of(func(k *casework.Kept) bool { return k.Street == firstStreet })
	village := firstStreet + "A0002"
	return []heatQueryCase{
		{"all", town.district, "", notVoid, 62},
		{"an administrator", town.admin, "", notVoid, 62},
		{"a street's", town.one, "", inOne, 31},
		{"a street's viewer", town.viewer, "", inOne, 31},
		{"a street's wall", town.wall, "", inOne, 31},
		{"of a street by the district", town.district, "&street=" + firstStreet, inOne, 31},
		{"a village's", town.station, "", of(func(k *casework.Kept) bool { return k.Grid == village }), 1},
		{"a grid", town.one, "&grid=" + village, of(func(k *casework.Kept) bool { return k.Grid == village }), 1},
		{"a department's", town.team, "", of(func(k *casework.Kept) bool { return k.Lead == firstStreet+"-S02" }), 62},
		{"items and channels", town.district, "&item=0101,0701&channel=12345,public", of(func(k *casework.Kept) bool {
			return k.Item != "" && (k.Channel == casework.ByHotline || k.Channel == casework.ByPublic)
		}), 62},
		{"a major", town.one, "&major=07", func(k *casework.Kept) bool { return inOne(k) && k.Item == "0701" }, 31},
		{"an item of another major", town.district, "&major=07&item=0101", func(*casework.Kept) bool { return false }, 62},
		{"states", town.district, "&state=void,closed", func(k *casework.Kept) bool { return k.State == casework.Void || k.State == casework.Closed }, 62},
		{"open and urgent", town.district, "&open=1&urgent=1", func(k *casework.Kept) bool { return k.State.Open() && k.Emergency }, 62},
	}
}

type heatQueryCase struct {
	name  string
	who   visitor
	query string
	pass  func(*casework.Kept) bool
	grids int // in the answer
}

// lastDays is the window of counted.
const lastDays = "window=30d&to=2026-03-01T08:00:00Z"

// TestHeatCounts holds every form of answer against plain counting, for callers
// of every jurisdiction.
func TestHeatCounts(t *testing.T) {
	town := newHeatTown(t, 5000)
	raster := town.cfg.Heat.index.Raster()
	for _, tt := range town.heatQueries() {
		want := town.counted(tt.pass)
		byGrid, byCell, outside := map[string]int{}, make([]int, raster.Cells()), 0
		days := make([]int, 30)
		for _, k := range want {
			byGrid[k.Grid]++
			if cell, ok := raster.Cell(k.At); ok {
				byCell[cell]++
			} else {
				outside++
			}
			days[time.UnixMilli(k.Received).Sub(testNow.AddDate(0, 0, -30))/(24*time.Hour)]++
		}
		url := "/api/v1/heat?" + lastDays + tt.query
		grids := decode[heatGrids](t, tt.who.call(town, "GET", url+"&per=km2", ""), 200)
		sum := 0
		for _, g := range grids.Grids {
			sum += g.Count
			if g.Count != byGrid[g.Grid.Code] || math.Abs(g.PerKM2*g.AreaKM2-float64(g.Count)) > 1e-6 || *g.Value != g.PerKM2 || g.PerPatrolHour != nil {
				t.Errorf("%s: %+v, want %d", tt.name, g, byGrid[g.Grid.Code])
			}
		}
		for _, f := range grids.Former {
			sum += f.Count
			if f.Count != byGrid[f.Code] {
				t.Errorf("%s: former %+v", tt.name, f)
			}
		}
		if grids.Total != len(want) || sum != len(want) || len(grids.Grids) != tt.grids {
			t.Errorf("%s: %d in %d grids that add up to %d, want %d", tt.name, grids.Total, len(grids.Grids), sum, len(want))
		}
		cells := decode[struct {
			Total, Outside int
			Raster         rasterAnswer
			Cells, Counts  []int
		}](t, tt.who.call(town, "GET", url+"&by=cell", ""), 200)
		got := make([]int, raster.Cells())
		for i, cell := range cells.Cells {
			got[cell] = cells.Counts[i]
		}
		if cells.Total != len(want) || cells.Outside != outside || !slices.Equal(got, byCell) || cells.Raster != rasterOf(raster) {
			t.Errorf("%s: cells are not those counted one by one", tt.name)
		}
		header, frames := framesOf(t, tt.who.call(town, "GET", url+"&by=density&full=3", "").Body.Bytes())
		if len(frames) != 1 || header.Full != 3 || header.Totals[0] != len(want) {
			t.Errorf("%s: %d textures, %+v", tt.name, len(frames), header)
		}
		for cell, n := range byCell {
			if want := byte(min(255, n*255/3)); frames[0][cell] != want {
				t.Fatalf("%s: cell %d with %d cases is %d", tt.name, cell, n, frames[0][cell])
			}
		}
		series := decode[struct {
			Totals []int
			Grids  []gridSeries
		}](t, tt.who.call(town, "GET", strings.Replace(url, "heat?", "heat/series?", 1)+"&step=1d&by=grid", ""), 200)
		ofGrids := map[string]int{}
		for _, g := range series.Grids {
			for _, n := range g.Counts {
				ofGrids[g.Code] += int(n)
			}
		}
		if !slices.Equal(series.Totals, days) || fmt.Sprint(ofGrids) != fmt.Sprint(byGrid) {
			t.Errorf("%s: by day %v %v, want %v %v", tt.name, series.Totals, ofGrids, days, byGrid)
		}
		header, frames = framesOf(t, tt.who.call(town, "GET", strings.Replace(url, "heat?", "heat/series?", 1)+"&step=10d&by=density", "").Body.Bytes())
		if len(frames) != 3 || header.StepS != 864000 || header.Totals[0]+header.Totals[1]+header.Totals[2] != len(want) {
			t.Errorf("%s: %d textures, %+v", tt.name, len(frames), header)
		}
	}
}

// framesOf reads textures as a browser does.
func framesOf(t *testing.T, b []byte) (header framesHeader, frames [][]byte) {
	t.Helper()
	n := binary.LittleEndian.Uint32(b)
	if err := json.Unmarshal(b[4:4+n], &header); err != nil {
		t.Fatalf("%v: %q", err, b[:min(len(b), 200)])
	}
	for frame := range slices.Chunk(b[4+n:], header.Raster.Width*header.Raster.Height) {
		frames = append(frames, frame)
	}
	return header, frames
}

// TestHeatOfOthers: who asks for what is another's is told that there is none.
func TestHeatOfOthers(t *testing.T) {
	town := newHeatTown(t, 10)
	for _, path := range []string{"/api/v1/heat", "/api/v1/heat/series", "/api/v1/heat/rising", "/tiles/heat/10/856/418.mvt"} {
		for _, tt := range []struct {
			who    visitor
			query  string
			status int
		}{
			{town.two, "street=" + firstStreet, 404},
			{town.viewer, "street=310114002", 404},
			{town.station, "grid=" + firstStreet + "U0000", 404},
			{town.team, "department=U02", 404},
			{town.device, "", 403},
			{visitor{}, "", 401},
		} {
			wantProblem(t, tt.who.call(town, "GET", path+"?"+tt.query, ""), tt.status)
		}
	}
	wantProblem(t, town.team.call(town, "GET", "/api/v1/heat?per=patrol-hour", ""), 403) // no watching of patrols
}

func TestHeatMistakes(t *testing.T) {
	town := newHeatTown(t, 10)
	for _, tt := range []struct{ target, param string }{
		{"/api/v1/heat?by=hexagon", "by"},
		{"/api/v1/heat?per=head", "per"},
		{"/api/v1/heat?per=patrol-hour&by=cell", "per"},
		{"/api/v1/heat?full=3", "full"},
		{"/api/v1/heat?by=density&full=0", "full"},
		{"/api/v1/heat?from=2026-01-01&window=3d", "window"},
		{"/api/v1/heat?window=0d", "window"},
		{"/api/v1/heat?window=3y", "window"},
		{"/api/v1/heat?window=99999999999d", "window"},
		{"/api/v1/heat?from=2026-03-02&to=2026-03-01", "to"},
		{"/api/v1/heat?from=1990-01-01", "to"},
		{"/api/v1/heat?item=9999", "item"},
		{"/api/v1/heat?major=99", "major"},
		{"/api/v1/heat?channel=fax", "channel"},
		{"/api/v1/heat?state=lost", "state"},
		{"/api/v1/heat?open=yes", "open"},
		{"/api/v1/heat?itm=0101", "itm"},
		{"/api/v1/heat?item=" + strings.Repeat("0101,", 200) + "0101", "item"},
		{"/api/v1/heat/series?step=1m&window=3d", "step"},
		{"/api/v1/heat/series?step=x", "step"},
		{"/api/v1/heat/series?by=cell", "by"},
		{"/api/v1/heat/series?usual=1&window=8d", "usual"},
		{"/api/v1/heat/series?usual=1&by=grid", "usual"},
		{"/api/v1/heat/series?by=density&window=3600d&step=3d", "step"},
		{"/api/v1/heat/rising?weeks=9", "weeks"},
		{"/api/v1/heat/rising?reference=0", "reference"},
		{"/api/v1/heat/rising?alpha=1", "alpha"},
		{"/api/v1/heat/rising?alpha=NaN", "alpha"},
		{"/api/v1/heat/rising?least=1", "least"},
		{"/api/v1/heat/rising?from=2026-01-01", "from"},
		{"/tiles/heat/10/856/418.mvt?per=x", "per"},
		{"/tiles/heat/10/856/418.mvt?datum=x", "datum"},
	} {
		if p := wantProblem(t, town.district.call(town, "GET", tt.target, ""), 400); p.Parameter != tt.param {
			t.Errorf("%s: %q, %s", tt.target, p.Parameter, p.Detail)
		}
	}
	wantProblem(t, town.district.call(town, "GET", "/tiles/heat/17/0/0.mvt", ""), 404)
	without := closedAPI(t, Config{}, lattice(t, 4, 2))
	without.cfg.Heat, without.cfg.Hours = nil, nil
	addAccount(t, without, "root", auth.Administrator, auth.WholeDistrict)
	addAccount(t, without, "district", auth.DistrictOperator, auth.WholeDistrict)
	v := signedIn(t, without, "district")
	wantProblem(t, v.call(without, "GET", "/api/v1/heat", ""), 503)
}

// TestHeatFollowsTheDesk: a case counts once it is reported, in its state, and
// no more once it turned out to be none.
func TestHeatFollowsTheDesk(t *testing.T) {
	town := newCaseTown(t)
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() {
		town.cfg.Desk.Follow(ctx, func(err error) { t.Error(err) })
		close(followed)
	}()
	defer func() { cancel(); <-followed }()
	wait := func(query string, want int) {
		t.Helper()
		got := -1
		for range 1000 {
			// Each asks of a window of its own: an answer holds for two seconds.
			got = decode[heatGrids](t, town.district.call(town, "GET", fmt.Sprintf("/api/v1/heat?from=%s&%s", testNow.Add(-time.Duration(rand.Int64N(1e15))).Format(time.RFC3339), query), ""), 200).Total
			if got == want {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("%s: %d, want %d", query, got, want)
	}
	c := town.report(t, town.device, 0, 0)
	other := town.report(t, town.other, 5, 2)
	wait("state=reported", 2)
	wait("street="+firstStreet, 1)
	wait("grid="+c.Case.Place.GridCode, 1)
	decode[caseAnswer](t, town.act(town.one, c, "accept", "").ResponseRecorder, 200)
	wait("state=accepted", 1)
	wait("state=reported", 1)
	decode[caseAnswer](t, town.act(town.two, other, "not-accept", `,"text":"重复"`).ResponseRecorder, 200)
	wait("open=1", 1)
	wait("state=not-accepted", 1)
}

// TestHeatPerPatrolHour: only cases of times of which patrol hours are known
// are divided by them, and a grid without any has no rate.
func TestHeatPerPatrolHour(t *testing.T) {
	town := newHeatTown(t, 5000)
	ask := func(query string) heatGrids {
		t.Helper()
		return decode[heatGrids](t, town.one.call(town, "GET", "/api/v1/heat?per=patrol-hour&"+query, ""), 200)
	}
	none := ask(lastDays)
	if none.Patrol != nil || none.Total != len(town.counted(func(k *casework.Kept) bool { return k.Street == firstStreet && k.State != casework.Void })) {
		t.Errorf("before anything is known: %+v, %d", none.Patrol, none.Total)
	}
	for _, g := range none.Grids {
		if g.Value != nil || g.PatrolHours != nil {
			t.Fatalf("nothing is known, and yet %+v", g)
		}
	}
	begun := testNow.AddDate(0, 0, -10)
	grid := firstStreet + "A0102"
	gen, _ := town.cfg.Atlas.At(testNow)
	there, _ := gen.GridByCode(grid)
	where, err := geo.Quantise(there.Label)
	if err != nil {
		t.Fatal(err)
	}
	var fixes []patrol.Fix
	for s := 0; s <= 3*3600; s += 60 {
		fixes = append(fixes, (patrol.Fix{Unit: 1, At: begun.UnixMilli() + int64(s)*1000, Pos: where}).Quantised())
	}
	town.cfg.Hours = hoursOf(t, fixes, town)
	got := ask(lastDays)
	if got.Patrol == nil || !got.Patrol.From.Equal(begun) || !got.Patrol.To.Equal(testNow) || !got.From.Equal(begun) {
		t.Fatalf("known is %+v of %v", got.Patrol, got.From)
	}
	want := map[string]int{}
	for _, k := range town.counted(func(k *casework.Kept) bool {
		return k.Street == firstStreet && k.State != casework.Void && !time.UnixMilli(k.Received).Before(begun)
	}) {
		want[k.Grid]++
	}
	for _, g := range got.Grids {
		switch {
		case g.Count != want[g.Grid.Code]:
			t.Errorf("%+v, want %d", g, want[g.Grid.Code])
		case g.Grid.Code == grid && (g.PatrolHours == nil || *g.PatrolHours != 3 || *g.PerPatrolHour != float64(g.Count)/3 || *g.Value != *g.PerPatrolHour):
			t.Errorf("the patrolled one: %+v", g)
		case g.Grid.Code != grid && (g.PatrolHours == nil || *g.PatrolHours != 0 || g.PerPatrolHour != nil || g.Value != nil):
			t.Errorf("one without patrols: %+v", g)
		}
	}
}

// hoursOf is a timesheet of fixes.
func hoursOf(t *testing.T, fixes []patrol.Fix, town *heatTown) *patrol.Timesheet {
	t.Helper()
	s := openStore(t)
	_, err := s.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) {
		return &patrol.RollChange{Units: []patrol.Unit{{Code: "U1", Name: "张三", Kind: patrol.GridPatrol, Street: firstStreet, Duty: patrol.ByRoster}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Tracks().Save(t.Context(), &patrol.Effects{First: 1, Last: 1, Kept: fixes}); err != nil {
		t.Fatal(err)
	}
	sheet := patrol.NewTimesheet(s.Tracks(), town.cfg.Indexes, 0, town.cfg.Now)
	if err := sheet.Reckon(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sheet
}

// TestHeatTiles: over a whole zoom the squares hold every case that has a cell,
// once; grids have their counts, and those of others are not there.
func TestHeatTiles(t *testing.T) {
	town := newHeatTown(t, 5000)
	raster := town.cfg.Heat.index.Raster()
	for _, tt := range town.heatQueries() {
		want, byGrid := 0, map[string]int{}
		for _, k := range town.counted(tt.pass) {
			byGrid[k.Grid]++
			if _, ok := raster.Cell(k.At); ok {
				want++
			}
		}
		for _, z := range []int{8, 12, 14} {
			squares, grids := map[uint64]uint64{}, map[string]uint64{}
			x0, y0 := mercator(raster.Bound(raster.Cells() - raster.Width).Min)
			x1, y1 := mercator(raster.Bound(raster.Width - 1).Max)
			n := float64(int(1) << z)
			for x := int(x0 * n); x <= int(x1*n); x++ {
				for y := int(y0*n) - 1; y <= int(y1*n)+1; y++ {
					w := tt.who.call(town, "GET", fmt.Sprintf("/tiles/heat/%d/%d/%d.mvt?%s%s", z, x, y, lastDays, tt.query), "")
					if w.Code == 204 {
						continue
					}
					layers := decodeTile(t, w.Body.Bytes())
					for _, f := range layers["cells"] {
						squares[f.id] = f.tags["count"].(uint64)
						if per := f.tags["per_km2"].(float64); per <= 0 {
							t.Fatalf("%+v", f)
						}
					}
					for _, f := range layers["grids"] {
						grids[f.tags["code"].(string)] = f.tags["count"].(uint64)
						if f.tags["value"].(float64) != float64(f.tags["count"].(uint64)) {
							t.Fatalf("%+v", f.tags)
						}
					}
					if len(layers) > 2 {
						t.Fatalf("layers %v", layers)
					}
				}
			}
			sum := uint64(0)
			for _, n := range squares {
				sum += n
			}
			if int(sum) != want || len(grids) != tt.grids {
				t.Errorf("%s, zoom %d: %d cases in cells, want %d; %d grids", tt.name, z, sum, want, len(grids))
			}
			for code, n := range grids {
				if int(n) != byGrid[code] {
					t.Errorf("%s, zoom %d: %s has %d, want %d", tt.name, z, code, n, byGrid[code])
				}
			}
		}
	}
}

func TestHeatTileAgain(t *testing.T) {
	town := newHeatTown(t, 500)
	gen, _ := town.cfg.Atlas.At(testNow)
	x, y := mercator(gen.Bound().Center())
	target := fmt.Sprintf("/tiles/heat/12/%d/%d.mvt?%s", int(x*4096), int(y*4096), lastDays)
	w := town.district.call(town, "GET", target, "")
	tag := w.Header().Get("Etag")
	if w.Code != 200 || tag == "" || w.Header().Get("Cache-Control") != "private, no-cache" || w.Header().Get("Content-Type") != mvtType {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	again := visitor{append(slices.Clone(town.district.headers), "If-None-Match", tag), ""}
	if w := again.call(town, "GET", target, ""); w.Code != 304 {
		t.Errorf("the same again: %d", w.Code)
	}
	k := town.cases[0]
	k.Case, k.Placed, k.State, k.Received = 9999, true, casework.Closed, testNow.Add(-time.Hour).UnixMilli()
	k.At, _ = geo.Quantise(gen.Bound().Center())
	town.cfg.Heat.Put(&k)
	town.cfg.Heat.maps.Purge() // as two seconds later
	if w := again.call(town, "GET", target, ""); w.Code != 200 {
		t.Errorf("after a case came in: %d", w.Code)
	}
	dir := filepath.Join(t.TempDir(), "12", fmt.Sprint(int(x*4096)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprintf("%d.mvt", int(y*4096)))
	if err := os.WriteFile(file, w.Body.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out := ogr(t, "-ro", "-al", "MVT:"+file)
	for _, want := range []string{"Layer name: cells", "Layer name: grids", "count (Integer) = ", "per_km2 (Real) = "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in what GDAL read:\n%s", want, clipText(out))
		}
	}
	if in := ogr(t, "-ro", "MVT:"+file, "-sql", "SELECT count FROM cells WHERE ST_IsValid(geometry) = 0", "-dialect", "SQLite"); strings.Contains(in, "OGRFeature") {
		t.Errorf("GDAL finds invalid polygons:\n%s", in)
	}
}

// TestRisingOverHTTP: eighty cases more in a corner within the last week are a
// cluster, to the district and to the corner's street, and none to the other.
func TestRisingOverHTTP(t *testing.T) {
	town := newHeatTown(t, 3000)
	r := rand.New(rand.NewPCG(31, 32))
	gen, _ := town.cfg.Atlas.At(testNow)
	corner, _ := gen.GridByCode(firstStreet + "A0203")
	at, err := geo.Quantise(corner.Label)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 80 {
		town.cfg.Heat.Put(&casework.Kept{Case: int64(100_000 + i), Placed: true, At: geo.Coord{X: at.X + r.Int32N(12_000) - 6000, Y: at.Y + r.Int32N(12_000) - 6000}, State: casework.Closed,
			Grid: corner.Code, Street: firstStreet, Item: "0701", Channel: casework.ByPatrol, Received: testNow.Add(-time.Minute - time.Duration(r.Int64N(int64(6*24*time.Hour)))).UnixMilli()})
	}
	type rising struct {
		To       time.Time
		AsOf     time.Time `json:"as_of"`
		Clusters []struct {
			Grid               *struct{ Code string }
			Since              time.Time
			Weeks, Observed    int
			Expected, Ratio, P float64
			Bound              [4]float64
		}
	}
	ask := func(v visitor, query string) rising {
		t.Helper()
		return decode[rising](t, v.call(town, "GET", "/api/v1/heat/rising?reference=5"+query, ""), 200)
	}
	for name, v := range map[string]visitor{"district": town.district, "its street": town.one} {
		got := ask(v, "")
		if len(got.Clusters) == 0 || !got.To.Equal(testNow) {
			t.Fatalf("%s: %+v", name, got)
		}
		c := got.Clusters[0]
		if c.Grid == nil || c.Grid.Code != corner.Code || c.Weeks != 1 || !c.Since.Equal(testNow.AddDate(0, 0, -7)) || c.Observed < 75 || c.P != 0.01 || c.Ratio < 2 ||
			c.Bound[0] > corner.Label[0] || c.Bound[2] < corner.Label[0] {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for _, c := range ask(town.two, "").Clusters {
		if c.Grid != nil && c.Grid.Code == corner.Code {
			t.Errorf("the other street sees %+v", c)
		}
	}
	if got := ask(town.district, "&item=0101"); len(got.Clusters) > 0 && got.Clusters[0].Grid != nil && got.Clusters[0].Grid.Code == corner.Code {
		t.Errorf("other items: %+v", got)
	}
	first := ask(town.district, "&to=2026-03-01T15:59:59%2B08:00")
	if again := ask(town.district, "&to=2026-03-01T15:00:00%2B08:00"); !again.To.Equal(first.To) {
		t.Errorf("within the hour: %v, then %v", first.To, again.To)
	}
	if n := town.cfg.Heat.rising.kept.Len(); n != 5 {
		t.Errorf("%d answers are kept, want one for each question", n)
	}
}

func TestRisingIsBusy(t *testing.T) {
	town := newHeatTown(t, 10)
	for range maxRisingWait {
		town.cfg.Heat.rising.wait <- struct{}{}
	}
	wantProblem(t, town.district.call(town, "GET", "/api/v1/heat/rising", ""), 503)
	<-town.cfg.Heat.rising.wait
	town.cfg.Heat.rising.turn <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := town.cfg.Heat.rising.of(ctx, town.cfg.Heat.index, heat.Rising{Query: heat.Query{To: testNow}}, testNow); err == nil {
		t.Error("two at once")
	}
}

func TestUsual(t *testing.T) {
	town := newHeatTown(t, 0)
	id := int64(0)
	put := func(at time.Time, n int) {
		for range n {
			id++
			town.cfg.Heat.Put(&casework.Kept{Case: id, Received: at.UnixMilli(), State: casework.Closed, Street: firstStreet})
		}
	}
	for week := 1; week <= 9; week++ { // the ninth is too long ago
		put(testNow.AddDate(0, 0, -7*week).Add(-30*time.Minute), week)
		put(testNow.AddDate(0, 0, -7*week).Add(-90*time.Minute), 1)
	}
	put(testNow.Add(-30*time.Minute), 40)
	got := decode[struct {
		Totals []int
		Usual  []float64
	}](t, town.one.call(town, "GET", "/api/v1/heat/series?window=3h&step=1h&usual=1&to=2026-03-01T08:00:00Z", ""), 200)
	if !slices.Equal(got.Totals, []int{0, 0, 40}) || !slices.Equal(got.Usual, []float64{0, 1, 4.5}) {
		t.Errorf("got %+v", got)
	}
}
