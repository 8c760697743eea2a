package grid

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// strip makes a generation of columns between the given longitudes, in units of
// 0.01°, named by codes. IDs are by place unless given.
func strip(t *testing.T, number int, at []float64, codes string, ids ...ID) *Generation {
	t.Helper()
	var areas []Area
	for i, code := range codes {
		west, east := 121+at[i]*0.01, 121+at[i+1]*0.01
		a := Area{Grid: Grid{Code: string(code), Name: string(code)},
			Polygons: orb.MultiPolygon{{{{west, 31}, {east, 31}, {east, 31.01}, {west, 31.01}, {west, 31}}}}}
		if ids != nil {
			a.Grid.ID = ids[i]
		}
		areas = append(areas, a)
	}
	src, err := Assemble(nil, areas)
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(number, src)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestLineage(t *testing.T) {
	three := []float64{0, 1, 2, 3}
	for _, tt := range []struct {
		name          string
		parent, child *Generation
		want          []string // parent→child kind share of parent, share of child
	}{
		{"nothing moved", strip(t, 1, three, "ABC"), strip(t, 2, three, "ABC"),
			[]string{"1→1 same 1.00 1.00", "2→2 same 1.00 1.00", "3→3 same 1.00 1.00"}},
		{"a border moved", strip(t, 1, three, "ABC"), strip(t, 2, []float64{0, 1.1, 2, 3}, "ABC"),
			[]string{"1→1 redrawn 1.00 0.91", "2→1 redrawn 0.10 0.09", "2→2 redrawn 0.90 1.00", "3→3 same 1.00 1.00"}},
		{"one split", strip(t, 1, three, "ABC"), strip(t, 2, []float64{0, 1, 1.6, 2, 3}, "ABDC", 1, 2, 4, 3),
			[]string{"1→1 same 1.00 1.00", "3→3 same 1.00 1.00", "2→2 split 0.60 1.00", "2→4 split 0.40 1.00"}},
		{"two merged", strip(t, 1, three, "ABC"), strip(t, 2, []float64{0, 1, 3}, "AB"),
			[]string{"1→1 same 1.00 1.00", "2→2 merged 1.00 0.50", "3→2 merged 1.00 0.50"}},
		{"the district grew", strip(t, 1, three, "ABC"), strip(t, 2, []float64{0, 1, 2, 3, 4}, "ABCD"),
			[]string{"1→1 same 1.00 1.00", "2→2 same 1.00 1.00", "3→3 same 1.00 1.00", "0→4 new 0.00 1.00"}},
		{"the district shrank", strip(t, 1, three, "ABC"), strip(t, 2, []float64{0, 1, 1.5}, "AB"),
			[]string{"2→0 gone 0.50 0.00", "3→0 gone 1.00 0.00", "1→1 same 1.00 1.00", "2→2 redrawn 0.50 1.00"}},
		{"renumbered", strip(t, 1, three, "ABC"), strip(t, 2, three, "XYZ", 7, 8, 9),
			[]string{"1→7 same 1.00 1.00", "2→8 same 1.00 1.00", "3→9 same 1.00 1.00"}},
	} {
		l, err := LineageOf(tt.parent, tt.child)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range l.Descents {
			got = append(got, fmt.Sprintf("%d→%d %s %.2f %.2f", d.Parent, d.Child, d.Kind, d.ShareOfParent, d.ShareOfChild))
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		sumsToOne(t, tt.name, &l)
	}
}

func sumsToOne(t *testing.T, name string, l *Lineage) {
	t.Helper()
	for id, rows := range l.Children() {
		sum := 0.0
		for _, d := range rows {
			sum += d.ShareOfParent
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: the shares of parent %d sum to %.12f", name, id, sum)
		}
	}
	for id, rows := range l.Parents() {
		sum := 0.0
		for _, d := range rows {
			sum += d.ShareOfChild
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: the shares of child %d sum to %.12f", name, id, sum)
		}
	}
}

func TestCompare(t *testing.T) {
	base := strip(t, 1, []float64{0, 1, 2, 3}, "ABC")
	next := strip(t, 2, []float64{0, 1.1, 2, 3.9}, "ABX", 1, 2, 5)
	d, err := Compare(base, next)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range d.Grids {
		line := fmt.Sprintf("%d %s %s", c.ID, c.Code, c.Kind)
		for _, p := range c.Parents {
			line += fmt.Sprintf(" <%s %.2f", p.Code, p.Share)
		}
		for _, p := range c.Children {
			line += fmt.Sprintf(" >%s %.2f", p.Code, p.Share)
		}
		got = append(got, line)
	}
	want := []string{"1 A redrawn <A 0.91 <B 0.09", "2 B redrawn <B 1.00", "3 C gone >X 1.00", "5 X new <C 0.53 < 0.47"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if km2 := d.GainedM2 / 1e6; km2 < 0.9 || km2 > 1.1 || d.LostM2 != 0 {
		t.Errorf("gained %.2f km², lost %.0f m²", km2, d.LostM2)
	}
	same, err := Compare(base, base)
	if err != nil || !same.Same() {
		t.Errorf("a generation differs from itself: %+v, %v", same, err)
	}
}

func TestFindingsRefuseAnIDForAnotherPlace(t *testing.T) {
	base := strip(t, 1, []float64{0, 1, 2}, "AB")
	next := strip(t, 2, []float64{0, 1, 2}, "AB", 2, 1)
	found, err := findings(next, base)
	if err != nil || refusal(found) == "" {
		t.Errorf("swapped IDs: %v, %v", found, err)
	}
	found, err = findings(strip(t, 2, []float64{0, 1.5, 2}, "AB"), base)
	if err != nil || refusal(found) != "" {
		t.Errorf("a border that moved: %v, %v", found, err)
	}
}

func TestIdentify(t *testing.T) {
	base := strip(t, 1, []float64{0, 1, 2, 3}, "ABC", 1, 2, 5)
	for _, tt := range []struct {
		name  string
		at    []float64
		codes string
		want  []ID
	}{
		{"the same codes", []float64{0, 1, 2, 3}, "ABC", []ID{1, 2, 5}},
		{"codes exchanged", []float64{0, 1, 2, 3}, "CBA", []ID{1, 2, 5}},
		{"renumbered", []float64{0, 1, 2, 3}, "ABZ", []ID{1, 2, 5}},
		{"renumbered and nudged", []float64{0, 1, 2.05, 3}, "ABZ", []ID{1, 2, 5}},
		{"another grid in the place of two", []float64{0, 1, 3}, "AZ", []ID{1, 10}},
		{"a code that went to new land", []float64{0, 1, 2, 3, 4}, "ABDC", []ID{1, 2, 5, 10}},
		{"a new one", []float64{0, 1, 2, 3, 4}, "ABCD", []ID{1, 2, 5, 10}},
	} {
		areas := AreasOf(strip(t, 0, tt.at, tt.codes))
		out, err := Identify(nil, areas, base, 9)
		if err != nil {
			t.Fatal(err)
		}
		var got []ID
		for _, a := range out {
			got = append(got, a.Grid.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
