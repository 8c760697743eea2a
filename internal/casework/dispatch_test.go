package casework

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// threeGrids are two grids of street A and one of street B, from west to east,
// each a hundredth of a degree wide and high: 951 m by 1109 m.
func threeGrids(t *testing.T) *locate.Index {
	t.Helper()
	streets := []grid.Street{{Code: streetA, Name: "新成路街道"}, {Code: streetB, Name: "真新街道"}}
	var areas []grid.Area
	for i, code := range []string{streetA + "U01", streetA + "U02", streetB + "U01"} {
		w, s := 121.26+0.01*float64(i), 31.38
		ring := orb.Ring{{w, s}, {w + 0.01, s}, {w + 0.01, s + 0.01}, {w, s + 0.01}, {w, s}}
		areas = append(areas, grid.Area{Grid: grid.Grid{ID: grid.ID(i + 1), Code: code, Name: code, Kind: grid.Urban, Street: code[:9]}, Polygons: orb.MultiPolygon{{ring}}})
	}
	gen, err := grid.New(3, must(grid.Assemble(streets, areas)))
	if err != nil {
		t.Fatal(err)
	}
	return locate.New(gen)
}

func TestExplain(t *testing.T) {
	index, p := threeGrids(t), procedure(t)
	const stall, hydrant = "0701", "0108" // of the street's enforcement team, of the district's waterworks
	ruling := Precedent{Case: 5, Item: stall, At: orb.Point{121.28, 31.385}, Lead: grid.Department{Code: "D05", Name: "区城市管理行政执法局"}}
	precedents := NewPrecedents([]Precedent{ruling})
	s02 := func(street string) string { return street + "-S02" }
	for _, tt := range []struct {
		name       string
		at         orb.Point
		accuracyM  float64
		item       string
		answer     grid.ID
		precedents *Precedents
		basis      Basis // empty: a question
		lead       string
		centre     string
		candidates []grid.ID // asked about, or mentioned
	}{
		{"well inside", orb.Point{121.265, 31.385}, 20, stall, 0, precedents, ByCatalogue, s02(streetA), streetA, nil},
		{"no accuracy at all", orb.Point{121.28001, 31.385}, 0, stall, 0, nil, ByCatalogue, s02(streetB), streetB, nil},
		{"on the border, which is the eastern grid's", orb.Point{121.28, 31.385}, 0, stall, 0, nil, ByCatalogue, s02(streetB), streetB, nil},
		{"within one street it does not matter", orb.Point{121.26999, 31.385}, 20, stall, 0, nil, ByCatalogue, s02(streetA), streetA, []grid.ID{2}},
		{"between streets it does", orb.Point{121.27999, 31.385}, 20, stall, 0, nil, "", "", "", []grid.ID{2, 3}},
		{"between streets with one lead, the centre differs", orb.Point{121.27999, 31.385}, 20, hydrant, 0, nil, "", "", "", []grid.ID{2, 3}},
		{"less than a hundredth of the circle beyond", orb.Point{121.2798023, 31.385}, 20, stall, 0, nil, ByCatalogue, s02(streetA), streetA, nil},
		{"answered: the other side", orb.Point{121.27999, 31.385}, 20, stall, 3, nil, ByAnswer, s02(streetB), streetB, []grid.ID{2}},
		{"a precedent needs no question", orb.Point{121.27999, 31.3851}, 20, stall, 0, precedents, ByPrecedent, "D05", streetA, []grid.ID{3}},
		{"a precedent 60 m away is none", orb.Point{121.27999, 31.38555}, 20, stall, 0, precedents, "", "", "", []grid.ID{2, 3}},
		{"a precedent for another item is none", orb.Point{121.27999, 31.385}, 20, hydrant, 0, precedents, "", "", "", []grid.ID{2, 3}},
		{"outside by a metre, or not", orb.Point{121.25999, 31.385}, 20, stall, 0, nil, "", "", "", []grid.ID{1, 0}},
		{"outside, answered", orb.Point{121.25999, 31.385}, 20, stall, 1, nil, ByAnswer, s02(streetA), streetA, []grid.ID{0}},
	} {
		out, err := Explain(Inquiry{Index: index, At: tt.at, AccuracyM: tt.accuracyM, Catalogue: p.Catalogues.Versions()[0], Item: tt.item,
			Precedents: tt.precedents, PrecedentM: p.Rules.PrecedentM, Answer: tt.answer})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		all := out.Candidates
		if (out.Assignment == nil) != (tt.basis == "") || (len(out.Candidates) > 0) != (tt.basis == "") {
			t.Errorf("%s: %+v, want basis %q", tt.name, out, tt.basis)
			continue
		}
		if a := out.Assignment; a != nil {
			all = a.Why.Others
			got := []string{string(a.Why.Basis), a.Lead.Code, a.Why.Centre}
			if d := cmp.Diff([]string{string(tt.basis), tt.lead, tt.centre}, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, d)
			}
			if a.Why.Generation != 3 || a.Why.Catalogue != 1 || a.Why.Boundaries != index.Generation().Hash() || a.Why.Row == "" || math.Abs(a.Why.BorderM-index.BorderDistance(tt.at)) > 0.1 {
				t.Errorf("%s: why %+v", tt.name, a.Why)
			}
			if out.Place.Grid != a.Why.Grid || out.Place.Generation != 3 {
				t.Errorf("%s: place %+v", tt.name, out.Place)
			}
		}
		var ids []grid.ID
		for _, c := range all {
			ids = append(ids, c.Grid)
		}
		slices.Sort(ids)
		slices.Sort(tt.candidates)
		if !slices.Equal(ids, tt.candidates) {
			t.Errorf("%s: candidates %v, want %v", tt.name, ids, tt.candidates)
		}
	}
}

func TestExplainRefuses(t *testing.T) {
	index, p := threeGrids(t), procedure(t)
	for _, tt := range []struct {
		name string
		in   Inquiry
		want string
	}{
		{"no such item", Inquiry{At: orb.Point{121.265, 31.385}, Item: "9999"}, "item"},
		{"no position", Inquiry{At: orb.Point{math.NaN(), 0}, Item: well}, "no position"},
		{"far outside", Inquiry{At: orb.Point{121.25, 31.385}, AccuracyM: 50, Item: well}, "outside the district, 95"},
		{"an answer from elsewhere", Inquiry{At: orb.Point{121.265, 31.385}, Item: well, Answer: 3}, "not one of the candidates"},
	} {
		tt.in.Index, tt.in.Catalogue = index, p.Catalogues.Versions()[0]
		if _, err := Explain(tt.in); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if at := PlaceAt(index, orb.Point{121.285, 31.385}, 5, "路口"); at.Grid != 3 || at.Street != streetB || at.Generation != 3 {
		t.Errorf("place %+v", at)
	}
	if at := PlaceAt(index, orb.Point{122, 31}, 5, ""); at.Grid != grid.None || at.Street != "" {
		t.Errorf("outside: place %+v", at)
	}
}

func TestPrecedents(t *testing.T) {
	at := orb.Point{121.28, 31.385}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	p := NewPrecedents([]Precedent{
		{Case: 1, Item: well, At: at, Ruled: day(1)},
		{Case: 2, Item: well, At: at, Ruled: day(3)},
		{Case: 3, Item: well, At: at, Ruled: day(2)},
		{Case: 4, Item: well, At: orb.Point{121.2802, 31.385}, Ruled: day(9)}, // 19 m east
	})
	for _, tt := range []struct {
		at      orb.Point
		item    string
		radiusM float64
		want    int64
	}{
		{at, well, 50, 2},
		{orb.Point{121.28019, 31.385}, well, 50, 4},
		{orb.Point{121.281, 31.385}, well, 50, 0},
		{at, "0102", 50, 0},
	} {
		if got, ok := p.Find(tt.item, tt.at, tt.radiusM); got.Case != tt.want || ok != (tt.want != 0) {
			t.Errorf("at %v: case %d, %v, want %d", tt.at, got.Case, ok, tt.want)
		}
	}
}

func TestDuplicates(t *testing.T) {
	p := procedure(t)
	at, seen := orb.Point{121.28, 31.385}, local(t, "2026-03-02 10:00")
	cases := []*Case{
		{ID: 1, Item: well, State: Closed, Captured: seen.Add(-24 * time.Hour), Place: Place{At: orb.Point{121.28015, 31.385}}},        // 14 m
		{ID: 2, Item: well, State: Accepted, Captured: seen.Add(-90 * 24 * time.Hour), Place: Place{At: orb.Point{121.28005, 31.385}}}, // long ago, and still open
		{ID: 3, Item: well, State: Closed, Captured: seen.Add(-90 * 24 * time.Hour), Place: Place{At: at}},
		{ID: 4, Item: well, State: Accepted, Captured: seen, Place: Place{At: orb.Point{121.2803, 31.385}}}, // 29 m
		{ID: 5, Item: "0102", State: Accepted, Captured: seen, Place: Place{At: at}},
		{ID: 6, Item: well, State: Void, Captured: seen, Place: Place{At: at}},
		{ID: 7, Item: well, State: Reported, Captured: seen, Place: Place{At: at}},
		{ID: 8, Item: "0701", State: Reported, Captured: seen.Add(20 * time.Hour), Place: Place{At: orb.Point{121.2803, 31.385}}},
		{ID: 9, Item: "0701", State: Reported, Captured: seen.Add(-25 * time.Hour), Place: Place{At: at}},
	}
	for _, tt := range []struct {
		item string
		want []int64
	}{{well, []int64{2, 1}}, {"0701", []int64{8}}} {
		item := must(p.Catalogues.Versions()[0].Item(tt.item))
		var got []int64
		for _, h := range p.Rules.Duplicates(7, item, at, seen, slices.Values(cases)) {
			got = append(got, h.Case)
			if box := p.Rules.DuplicateBox(item.Kind, at); !box.Contains(cases[h.Case-1].Place.At) {
				t.Errorf("case %d lies outside the box %v", h.Case, box)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("item %s: %v, want %v", tt.item, got, tt.want)
		}
	}
}

func TestJointOf(t *testing.T) {
	p := procedure(t)
	c := p.Catalogues.Versions()[0]
	s, g := &grid.Street{Code: streetA, Name: "新成路街道"}, &grid.Grid{Code: streetA + "A01", Name: "一号村"}
	for _, tpl := range p.Rules.Joint {
		j, err := c.JointOf(tpl, []string{"D05", "S07"}, g, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.checkJoint(j); err != nil || !strings.HasPrefix(j.Lead, streetA+"-S") || j.Joining[0] != "D05" {
			t.Errorf("%s: %+v, %v", tpl.Code, j, err)
		}
	}
	if _, err := c.JointOf(p.Rules.Joint[0], []string{"X"}, g, s); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an unknown department joins: %v", err)
	}
}
