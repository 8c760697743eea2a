package heat

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

var (
	jiading = orb.Bound{Min: orb.Point{121.05, 31.2}, Max: orb.Point{121.4, 31.52}}
	newYear = time.Date(2025, 1, 1, 0, 0, 0, 0, grid.Zone)
)

func newIndex(t testing.TB, bound orb.Bound) *Index {
	t.Helper()
	x := New()
	if err := x.Cover(bound); err != nil {
		t.Fatal(err)
	}
	return x
}

func put(t testing.TB, x *Index, c Case) {
	t.Helper()
	if err := x.Put(c); err != nil {
		t.Fatal(err)
	}
}

func code(n int) string { return fmt.Sprintf("%03d", n) }

// anyCase is a case somewhere in the year and, now and then, outside.
func anyCase(r *rand.Rand, id int64, years int) Case {
	return Case{ID: id, At: newYear.Add(time.Duration(r.Int64N(int64(years) * 365 * 24 * int64(time.Hour)))),
		Where: geo.Coord{X: int32(1_210_400_000 + r.IntN(3_700_000)), Y: int32(311_900_000 + r.IntN(3_400_000))},
		Grid:  code(r.IntN(418)), Street: fmt.Sprint(r.IntN(12)), Department: fmt.Sprint("D", r.IntN(40)), Item: fmt.Sprintf("%02d%02d", 1+r.IntN(10), 1+r.IntN(15)),
		Channel: []string{"patrol", "village", "public", "12345"}[r.IntN(4)], State: []string{"closed", "in-disposal", "to-check"}[r.IntN(3)], Urgency: uint8(r.IntN(3))}
}

func TestRaster(t *testing.T) {
	r, err := NewRaster(jiading)
	if err != nil {
		t.Fatal(err)
	}
	if r.CellM2 < 9900 || r.CellM2 > 10100 {
		t.Errorf("a cell has %.0f m²", r.CellM2)
	}
	d := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		c := geo.Coord{X: r.West + d.Int32N(r.CellX*int32(r.Width)), Y: r.South + d.Int32N(r.CellY*int32(r.Height))}
		cell, ok := r.Cell(c)
		b := r.Bound(cell)
		if p := c.Point(); !ok || p[0] < b.Min[0] || p[0] >= b.Max[0] || p[1] < b.Min[1] || p[1] >= b.Max[1] {
			t.Fatalf("%v is in cell %d, %v, %v", p, cell, b, ok)
		}
	}
	for _, c := range []geo.Coord{{X: r.West - 1, Y: r.South}, {X: r.West, Y: r.South - 1}, {X: r.West + r.CellX*int32(r.Width), Y: r.South}, {X: -1_800_000_000, Y: 900_000_000}} {
		if cell, ok := r.Cell(c); ok {
			t.Errorf("%v, outside, is in cell %d", c, cell)
		}
	}
	world, err := NewRaster(orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}})
	if err != nil || world.Cells() > maxCells {
		t.Errorf("the world has %d cells, %v", world.Cells(), err)
	}
}

// TestQueryCounts holds every kind of filter against plain counting, while
// cases come, move, and change their state.
func TestQueryCounts(t *testing.T) {
	x, r := newIndex(t, jiading), rand.New(rand.NewPCG(3, 4))
	cases := map[int64]Case{}
	for i := range 30_000 {
		c := anyCase(r, int64(1+r.IntN(20_000))*int64(1+i%2*1_000_003), 1)
		cases[c.ID] = c
		put(t, x, c)
	}
	if x.Len() != len(cases) {
		t.Fatalf("%d cases, want %d", x.Len(), len(cases))
	}
	at := func(days float64) time.Time { return newYear.Add(time.Duration(days * 24 * float64(time.Hour))) }
	for _, tt := range []struct {
		name string
		q    Query
	}{
		{"the year", Query{From: at(0), To: at(365)}},
		{"a day and a bit", Query{From: at(100.3), To: at(101.7)}},
		{"items", Query{From: at(0), To: at(365), Items: []string{"0701", "0604", "9999"}}},
		{"no items", Query{From: at(0), To: at(365), Items: []string{}}},
		{"a channel and states", Query{From: at(30), To: at(90), Channels: []string{"12345"}, States: []string{"to-check", "in-disposal"}}},
		{"urgent ones of some grids", Query{From: at(0), To: at(200), Grids: []string{"003", "017", "200", "nowhere"}, MinUrgency: 2}},
		{"grids of a street", Query{From: at(0), To: at(200), Grids: []string{"003", "017"}, Streets: []string{"3"}}},
		{"streets and a department", Query{From: at(0), To: at(365), Streets: []string{"1", "11", "nowhere"}, Departments: []string{"D7"}}},
		{"no streets", Query{From: at(0), To: at(365), Streets: []string{}}},
		{"long ago", Query{From: at(-9000), To: at(-1)}},
		{"from before the beginning to after the end of time", Query{From: at(-90_000), To: at(90_000)}},
		{"between the seconds", Query{From: at(10).Add(time.Nanosecond), To: at(11).Add(time.Nanosecond)}},
	} {
		want := Map{Raster: x.Raster(), Cells: make([]uint32, x.raster.Cells())}
		grids := map[string]int{}
		for _, c := range cases {
			q, when := &tt.q, c.At.Truncate(time.Second)
			if when.Before(q.From) || !when.Before(q.To) || q.Items != nil && !slices.Contains(q.Items, c.Item) || q.Channels != nil && !slices.Contains(q.Channels, c.Channel) ||
				q.States != nil && !slices.Contains(q.States, c.State) || q.Grids != nil && !slices.Contains(q.Grids, c.Grid) ||
				q.Streets != nil && !slices.Contains(q.Streets, c.Street) || q.Departments != nil && !slices.Contains(q.Departments, c.Department) || c.Urgency < q.MinUrgency {
				continue
			}
			want.Total++
			grids[c.Grid]++
			if cell, ok := want.Raster.Cell(c.Where); ok {
				want.Cells[cell]++
			} else {
				want.Outside++
			}
		}
		for _, grid := range slices.Sorted(maps.Keys(grids)) {
			want.Grids = append(want.Grids, GridCount{grid, grids[grid]})
		}
		got, err := x.Query(tt.q)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Cells, want.Cells) {
			t.Errorf("%s: cells are not those counted one by one", tt.name)
		}
		if d := cmp.Diff(&want, got, cmpopts.IgnoreFields(Map{}, "Cells")); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if tt.q.From.Year() < 1970 {
			continue
		}
		series, err := x.Series(tt.q, (tt.q.To.Sub(tt.q.From)/7).Truncate(time.Second)+time.Second, true)
		if err != nil {
			t.Fatal(err)
		}
		sum, cells, ofGrids := 0, make([]uint32, len(want.Cells)), map[string]int{}
		for i, n := range series.Totals {
			sum += n
			for c, n := range series.Cells[i] {
				cells[c] += n
			}
			for _, g := range series.Grids {
				ofGrids[g.Grid] += int(g.Counts[i])
			}
		}
		if sum != want.Total || !slices.Equal(cells, want.Cells) || !cmp.Equal(ofGrids, grids) {
			t.Errorf("%s: the steps add up to %d of %d", tt.name, sum, want.Total)
		}
	}
}

func TestSeriesSteps(t *testing.T) {
	x := newIndex(t, jiading)
	for i, at := range []time.Duration{0, 59 * time.Minute, time.Hour, 150 * time.Minute, 3 * time.Hour} {
		put(t, x, Case{ID: int64(i), At: newYear.Add(at), Where: geo.Coord{X: 1_212_000_000, Y: 313_500_000}, Grid: "A", Street: fmt.Sprint(i % 2)})
	}
	s, err := x.Series(Query{From: newYear, To: newYear.Add(150*time.Minute + time.Second)}, time.Hour, true)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Totals, []int{2, 1, 1}) || !cmp.Equal(s.Grids, []GridRow{{"A", []uint32{2, 1, 1}}}) {
		t.Errorf("got %v, %v", s.Totals, s.Grids)
	}
	cell, _ := x.raster.Cell(geo.Coord{X: 1_212_000_000, Y: 313_500_000})
	frames := s.Textures(0)
	if frames[0].Full != 2 || frames[0].Cells[cell] != 255 || frames[1].Cells[cell] != 127 {
		t.Errorf("full %d, then %d and %d", frames[0].Full, frames[0].Cells[cell], frames[1].Cells[cell])
	}
}

func TestMistakes(t *testing.T) {
	x := newIndex(t, jiading)
	day := Query{From: newYear, To: newYear.AddDate(0, 0, 1)}
	for name, err := range map[string]error{
		"to":       func() error { _, err := x.Query(Query{From: newYear, To: newYear}); return err }(),
		"step":     func() error { _, err := x.Series(day, time.Minute, false); return err }(),
		"from":     func() error { _, err := x.Series(Query{To: newYear}, time.Hour, false); return err }(),
		"at":       x.Put(Case{ID: 1, At: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}),
		"weeks":    func() error { _, err := x.Rising(Rising{Query: day, Weeks: 9}); return err }(),
		"replicas": func() error { _, err := x.Rising(Rising{Query: day, Replicas: 5}); return err }(),
		"alpha":    func() error { _, err := x.Rising(Rising{Query: day, Alpha: 2}); return err }(),
	} {
		if fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) != name {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for i := range maxSmall {
		put(t, x, Case{ID: 1, At: newYear, Channel: fmt.Sprint(i)})
	}
	if err := x.Put(Case{ID: 1, At: newYear, Channel: "one more"}); fault.FieldOf(err) != "channel" {
		t.Errorf("a channel too many: %v", err)
	}
}

func TestFilled(t *testing.T) {
	x := newIndex(t, jiading)
	for i := range 30 {
		put(t, x, Case{ID: int64(i), At: newYear, Where: geo.Coord{X: 1_212_010_000, Y: 313_550_000}})
	}
	m, err := x.Query(Query{From: newYear, To: newYear.AddDate(0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	filled := m.Filled(jiading)
	if len(filled) != 1 || filled[0].Count != 30 || filled[0].PerKM2 < 2900 || filled[0].PerKM2 > 3100 || !filled[0].Bound.Contains(orb.Point{121.201, 31.355}) {
		t.Errorf("filled cells are %+v", filled)
	}
	if elsewhere := m.Filled(orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{2, 2}}); elsewhere != nil {
		t.Errorf("elsewhere are %+v", elsewhere)
	}
}

// TestCover: after the raster has grown, in any direction and again, every case
// is in the cell that covers it, as if the raster had been so from the start.
func TestCover(t *testing.T) {
	x, r := New(), rand.New(rand.NewPCG(11, 12))
	cases := map[int64]Case{}
	enter := func() {
		for range 3000 {
			c := anyCase(r, int64(r.IntN(8000)), 1)
			c.Where = geo.Coord{X: 1_211_000_000 + r.Int32N(3_000_000), Y: 312_500_000 + r.Int32N(3_000_000)}
			if r.IntN(10) == 0 {
				c.Where = geo.Coord{} // somewhere
			}
			cases[c.ID] = c
			put(t, x, c)
		}
	}
	year := Query{From: newYear, To: newYear.AddDate(1, 0, 0)}
	for _, bound := range []orb.Bound{town, {Min: orb.Point{121.15, 31.36}, Max: orb.Point{121.21, 31.37}}, {Min: orb.Point{121.2, 31.3}, Max: orb.Point{121.33, 31.5}}, jiading} {
		enter()
		before, version := x.Raster(), x.Version()
		if err := x.Cover(bound); err != nil {
			t.Fatal(err)
		}
		grown := x.Raster()
		if (grown != before) != (x.Version() != version) {
			t.Errorf("%v: raster %+v and version %d, before %+v and %d", bound, grown, x.Version(), before, version)
		}
		enter()
		got, err := x.Query(year)
		if err != nil {
			t.Fatal(err)
		}
		want, outside := make([]uint32, grown.Cells()), 0
		for _, c := range cases {
			if cell, ok := grown.Cell(c.Where); ok {
				want[cell]++
			} else {
				outside++
			}
		}
		if !slices.Equal(got.Cells, want) || got.Outside != outside || got.Total != len(cases) {
			t.Errorf("covering %v: %d of %d outside, want %d of %d, or other cells", bound, got.Outside, got.Total, outside, len(cases))
		}
		for _, corner := range []orb.Point{bound.Min, bound.Max} {
			at, err := geo.Quantise(corner)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := grown.Cell(at); !ok {
				t.Errorf("%v is not covered by %+v", corner, grown)
			}
		}
	}
	if err := x.Cover(orb.Bound{Min: orb.Point{-179, -80}, Max: orb.Point{179, 80}}); fault.KindOf(err) != fault.Invalid || x.Raster().Cells() > maxCells {
		t.Errorf("the world: %v", err)
	}
}

func TestVersion(t *testing.T) {
	x := newIndex(t, town)
	c := Case{ID: 7, At: newYear, Item: "0701", State: "accepted"}
	put(t, x, c)
	first := x.Version()
	put(t, x, c)
	if x.Version() != first {
		t.Error("the same again is a change")
	}
	c.State = "filed"
	if put(t, x, c); x.Version() == first {
		t.Error("another state is none")
	}
}

func TestMemory(t *testing.T) {
	if got := testing.AllocsPerRun(1, func() {
		x := newIndex(t, jiading)
		for id := range int64(blockRows) {
			put(t, x, Case{ID: id, At: newYear, Item: "0701"})
		}
	}); got > 40 {
		t.Errorf("%.0f allocations for %d cases", got, blockRows)
	}
}

func filled(b *testing.B, years int) *Index {
	x, r := newIndex(b, jiading), rand.New(rand.NewPCG(5, 6))
	n := 300_000 * years
	for id := range n {
		c := anyCase(r, int64(id), 1)
		c.At = newYear.Add(time.Duration(id) * (365 * 24 * time.Hour / 300_000))
		put(b, x, c)
	}
	return x
}

func BenchmarkQuery(b *testing.B) {
	for _, years := range []int{1, 10} {
		x := filled(b, years)
		for _, asked := range []int{1, years} {
			b.Run(fmt.Sprintf("%d-of-%d-years", asked, years), func(b *testing.B) {
				q := Query{From: newYear, To: newYear.AddDate(asked, 0, 0), Channels: []string{"patrol", "village"}}
				for b.Loop() {
					if _, err := x.Query(q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRising(b *testing.B) {
	x := filled(b, 1)
	for b.Loop() {
		if _, err := x.Rising(Rising{Query: Query{To: newYear.AddDate(0, 6, 0)}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	x, c := newIndex(b, jiading), Case{At: newYear, Item: "0701"}
	for b.Loop() {
		c.ID++
		put(b, x, c)
	}
}
