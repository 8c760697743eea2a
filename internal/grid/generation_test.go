package grid

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// box is a square area of side degrees.
func box(lon, lat, side float64) orb.MultiPolygon {
	return orb.MultiPolygon{{{{lon, lat}, {lon + side, lat}, {lon + side, lat + side}, {lon, lat + side}, {lon, lat}}}}
}

func two() ([]Street, []Area) {
	return []Street{{Code: "310114001", Name: "新成路街道"}}, []Area{
		{Grid{Code: "A", Name: "甲", Kind: Urban, Street: "310114001"}, box(121, 31, 0.01)},
		{Grid{Code: "B", Name: "乙", Kind: Autonomous, Street: "310114001"}, box(121.01, 31, 0.01)},
	}
}

func generation(t *testing.T, change func([]Street, []Area) ([]Street, []Area)) (*Generation, error) {
	t.Helper()
	streets, areas := change(two())
	src, err := Assemble(streets, areas)
	if err != nil {
		return nil, err
	}
	return New(3, src)
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, field string
		change      func([]Street, []Area) ([]Street, []Area)
	}{
		{"nothing wrong", "", func(s []Street, a []Area) ([]Street, []Area) { return s, a }},
		{"a code used twice", "code", func(s []Street, a []Area) ([]Street, []Area) { a[1].Grid.Code = "A"; return s, a }},
		{"no code", "code", func(s []Street, a []Area) ([]Street, []Area) { a[1].Grid.Code = ""; return s, a }},
		{"an unknown street", "street", func(s []Street, a []Area) ([]Street, []Area) { a[1].Grid.Street = "9"; return s, a }},
		{"an unknown kind", "kind", func(s []Street, a []Area) ([]Street, []Area) { a[1].Grid.Kind = "rural"; return s, a }},
		{"a street twice", "street", func(s []Street, a []Area) ([]Street, []Area) { return append(s, s[0]), a }},
		{"an ID too great", "id", func(s []Street, a []Area) ([]Street, []Area) { a[0].Grid.ID = MaxID + 1; return s, a }},
	} {
		_, err := generation(t, tt.change)
		if (err == nil) != (tt.field == "") || err != nil && (fault.FieldOf(err) != tt.field || fault.KindOf(err) != fault.Invalid) {
			t.Errorf("%s: got %v, want a fault of %q", tt.name, err, tt.field)
		}
	}
	src, err := Assemble(two())
	if err != nil {
		t.Fatal(err)
	}
	missing := src
	missing.Grids = src.Grids[:1]
	if _, err := New(1, missing); fault.FieldOf(err) != "geometry" {
		t.Errorf("a face without a grid: got %v", err)
	}
	extra := src
	extra.Grids = append(extra.Grids[:2:2], Grid{ID: 9, Code: "C"})
	if _, err := New(1, extra); fault.FieldOf(err) != "geometry" {
		t.Errorf("a grid without a face: got %v", err)
	}
}

func TestGenerationKnowsItsGrids(t *testing.T) {
	g, err := generation(t, func(s []Street, a []Area) ([]Street, []Area) { return s, a })
	if err != nil {
		t.Fatal(err)
	}
	b, ok := g.GridByCode("B")
	if !ok || b.ID != 2 || b.Name != "乙" {
		t.Fatalf("B = %+v", b)
	}
	if same, _ := g.Grid(2); same != b {
		t.Error("Grid and GridByCode differ")
	}
	if want := 0.01 * 0.01 * 95_500 * 110_900; b.AreaM2 < want*0.99 || b.AreaM2 > want*1.01 {
		t.Errorf("area %.0f m², want about %.0f", b.AreaM2, want)
	}
	if !b.Bound.Contains(b.Label) {
		t.Errorf("label %v lies outside %v", b.Label, b.Bound)
	}
	if diff := cmp.Diff(orb.Bound{Min: orb.Point{121, 31}, Max: orb.Point{121.02, 31.01}}, g.Bound()); diff != "" {
		t.Error(diff)
	}
	for _, id := range []ID{None, 3, MaxID, MaxID + 5} {
		if _, ok := g.Grid(id); ok || g.Polygon(id) != nil {
			t.Errorf("there is a grid %d", id)
		}
	}
}

func TestHashDependsOnContentAlone(t *testing.T) {
	keep := func(s []Street, a []Area) ([]Street, []Area) { return s, a }
	hash := func(change func([]Street, []Area) ([]Street, []Area)) string {
		t.Helper()
		g, err := generation(t, change)
		if err != nil {
			t.Fatal(err)
		}
		return g.Hash()
	}
	base := hash(keep)
	if got := hash(func(s []Street, a []Area) ([]Street, []Area) {
		a[0].Grid.ID, a[1].Grid.ID = 1, 2
		a[0], a[1] = a[1], a[0]
		return s, a
	}); got != base {
		t.Error("the order of grids changes the hash")
	}
	if got := hash(func(s []Street, a []Area) ([]Street, []Area) {
		r := a[0].Polygons[0][0]
		a[0].Polygons[0][0] = orb.Ring{r[2], r[3], r[0], r[1], r[2]}
		return s, a
	}); got != base {
		t.Error("where a ring starts changes the hash")
	}
	for name, change := range map[string]func([]Street, []Area) ([]Street, []Area){
		"name":       func(s []Street, a []Area) ([]Street, []Area) { a[0].Grid.Name = "丙"; return s, a },
		"department": func(s []Street, a []Area) ([]Street, []Area) { a[0].Grid.Department.Code = "D"; return s, a },
		"street":     func(s []Street, a []Area) ([]Street, []Area) { s[0].Name = "x"; return s, a },
		"a vertex":   func(s []Street, a []Area) ([]Street, []Area) { a[1].Polygons[0][0][1][0] += 1e-7; return s, a },
	} {
		if hash(change) == base {
			t.Errorf("a change of %s keeps the hash", name)
		}
	}
}

func TestAssembleNamesTheGridThatIsNoArea(t *testing.T) {
	streets, areas := two()
	areas[1].Polygons = orb.MultiPolygon{{{{121, 31}, {121.1, 31}, {121, 31}}}}
	if _, err := Shapes(areas); err == nil || err.Error() != `grid "B": no ring encloses anything` {
		t.Errorf("got %v", err)
	}
	streets, areas = two()
	areas[1].Polygons = box(121.005, 31, 0.01)
	if _, err := Assemble(streets, areas); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an overlap: got %v", err)
	}
}
