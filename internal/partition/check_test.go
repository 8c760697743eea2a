package partition

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/peterstace/simplefeatures/geom"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// at moves a ring drawn in metres round the origin to Jiading.
func at(r Ring) Ring {
	out := make(Ring, len(r))
	for i, c := range r {
		out[i] = geo.Coord{X: jiading.X + c.X*105, Y: jiading.Y + c.Y*90}
	}
	return out
}

// plots makes shapes 1, 2, … of one ring each.
func plots(rings ...Ring) []Shape {
	out := make([]Shape, len(rings))
	for i, r := range rings {
		out[i] = Shape{FaceID(i + 1), []Ring{at(r)}}
	}
	return out
}

func TestCheckNamesEachDefect(t *testing.T) {
	box := func(x0, y0, x1, y1 int32) Ring { return ring(x0, y0, x1, y0, x1, y1, x0, y1) }
	frame := func(x0, y0, x1, y1 int32) Shape {
		return Shape{1, []Ring{at(box(-500, -500, 1500, 1500)), at(reversed(box(x0, y0, x1, y1)))}}
	}
	type found struct {
		Kind   DefectKind
		Faces  string
		Owners int
		AreaM2 int
		WidthM int // rounded
	}
	for _, tt := range []struct {
		name   string
		shapes []Shape
		want   []found
		ok     bool
	}{
		{"side by side", plots(box(0, 0, 100, 100), box(100, 0, 200, 100)), nil, true},
		{"an overlap", plots(box(0, 0, 100, 100), box(90, 0, 200, 100)),
			[]found{{Overlap, "[1 2]", 2, 1000, 10}}, false},
		{"an overlap of three", plots(box(0, 0, 100, 100), box(90, 0, 200, 100), box(90, 0, 100, 100)),
			[]found{{Overlap, "[1 2 3]", 3, 1000, 10}}, false},
		{"two overlaps of one pair", plots(box(0, 0, 100, 100), ring(90, 0, 200, 0, 200, 100, 90, 100, 90, 60, 110, 60, 110, 40, 90, 40)),
			[]found{{Overlap, "[1 2]", 2, 400, 10}, {Overlap, "[1 2]", 2, 400, 10}, {Uncovered, "[1 2]", 0, 200, 10}}, false},
		{"a thin overlap", plots(box(0, 0, 100, 100), box(98, 0, 200, 100)),
			[]found{{Sliver, "[1 2]", 2, 200, 2}}, false},
		{"a thin gap", []Shape{frame(0, 0, 102, 100), {2, []Ring{at(box(0, 0, 100, 100))}}},
			[]found{{Sliver, "[1 2]", 0, 200, 2}}, false},
		{"a strip that was forgotten", []Shape{frame(0, 0, 105, 100), {2, []Ring{at(box(0, 0, 100, 100))}}},
			[]found{{Gap, "[1 2]", 0, 500, 5}}, false},
		{"a hole that is short and wide", []Shape{frame(0, 0, 10, 10)},
			[]found{{Uncovered, "[1]", 0, 100, 10}}, true},
		{"a wide hole", []Shape{frame(0, 0, 500, 500)},
			[]found{{Uncovered, "[1]", 0, 250000, 500}}, true},
		{"an island in a hole", []Shape{frame(0, 0, 500, 500), {2, []Ring{at(box(100, 100, 200, 200))}}},
			[]found{{Uncovered, "[1 2]", 0, 240000, 351}}, true},
		{"apart, with the sea between", plots(box(0, 0, 100, 100), box(110, 0, 200, 100)), nil, true},
		{"a slit that is open at both ends", plots(box(0, 0, 100, 100), box(102, 0, 200, 100)),
			[]found{{Sliver, "[1 2]", 0, 200, 2}}, false},
		{"a bay between two faces that is as deep as wide", plots(box(0, 0, 100, 100), ring(100, 0, 200, 0, 200, 100, 102, 100, 100, 98)), nil, true},
		{"a bow tie", plots(ring(0, 0, 100, 100, 100, 0, 0, 100)),
			[]found{{InvalidRing, "[1]", 1, 2500, 41}}, false},
		{"the wrong way round", plots(reversed(box(0, 0, 100, 100))),
			[]found{{InvalidRing, "[1]", 1, 10000, 100}}, false},
		{"a loop", plots(ring(0, 0, 100, 0, 100, 50, 120, 50, 120, 40, 90, 40, 90, 100, 0, 100)),
			[]found{{InvalidRing, "[1]", 1, 200, 10}}, false},
		{"a spike", plots(ring(0, 0, 100, 0, 100, 50, 150, 50, 100, 50, 100, 100, 0, 100)),
			[]found{{InvalidRing, "[1]", 1, 0, 0}}, false},
		{"a ring twice", []Shape{{1, []Ring{at(box(0, 0, 100, 100)), at(box(0, 0, 100, 100))}}},
			[]found{{InvalidRing, "[1]", 1, 10000, 100}}, false},
		{"two parts with a common edge", []Shape{{1, []Ring{at(box(0, 0, 100, 100)), at(box(100, 0, 200, 100))}}},
			[]found{{InvalidRing, "[1]", 1, 0, 0}}, false},
		{"a ring of two vertices", plots(ring(0, 0, 100, 100), box(0, 500, 100, 600)),
			[]found{{InvalidRing, "[1]", 1, 0, 0}, {InvalidRing, "[1]", 0, 0, 0}}, false},
		{"no ring", []Shape{{1, nil}, {2, []Ring{at(box(0, 0, 100, 100))}}},
			[]found{{InvalidRing, "[1]", 0, 0, 0}}, false},
		{"nothing", nil, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep := Check(tt.shapes, CheckOptions{})
			if rep.Err != nil {
				t.Fatal(rep.Err)
			}
			var got []found
			for _, d := range rep.Defects {
				got = append(got, found{d.Kind, fmt.Sprint(d.Faces), d.Owners, round(d.AreaM2, 10), round(d.WidthM, 1)})
				holdsPlace(t, tt.shapes, d)
			}
			for i := range tt.want {
				tt.want[i].AreaM2 = tt.want[i].AreaM2 / 10 * 10
			}
			near := cmp.Comparer(func(a, b int) bool { return math.Abs(float64(a-b)) <= 0.03*float64(max(a, b))+1 })
			if diff := cmp.Diff(tt.want, got, near); diff != "" {
				t.Errorf("defects (-want +got):\n%s", diff)
			}
			if rep.OK() != tt.ok {
				t.Errorf("OK = %v, want %v", rep.OK(), tt.ok)
			}
		})
	}
}

func round(v, to float64) int { return int(math.Round(v/to) * to) }

// holdsPlace holds that a defect's place is claimed by as many faces as it
// says.
func holdsPlace(t *testing.T, shapes []Shape, d Defect) {
	t.Helper()
	if d.AreaM2 == 0 || d.Kind == InvalidRing {
		return
	}
	claimed := 0
	for _, s := range shapes {
		if windings(s, d.At) != 0 {
			claimed++
		}
	}
	if claimed != d.Owners {
		t.Errorf("%v: %d faces claim the place, want %d", d, claimed, d.Owners)
	}
}

// windings is how often the rings of s wind round c, by the half-open rule.
func windings(s Shape, c geo.Coord) (n int) {
	for _, r := range s.Rings {
		for i, b := range r {
			a := r[(i+len(r)-1)%len(r)]
			switch {
			case a.Y <= c.Y && c.Y < b.Y && geo.Cross(a, b, c) > 0:
				n++
			case b.Y <= c.Y && c.Y < a.Y && geo.Cross(b, a, c) > 0:
				n--
			}
		}
	}
	return n
}

func TestUnmatchedVerticesAreNoDefects(t *testing.T) {
	// A junction on the middle of the neighbour's long edge: on a level edge
	// exactly, on a slanted one off by the rounding.
	for _, tt := range []struct {
		name      string
		lift      int32
		hairlines int
	}{{"level", 0, 0}, {"slanted", 10, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			a := geo.Coord{X: jiading.X, Y: jiading.Y}
			b := geo.Coord{X: jiading.X + 30_001, Y: jiading.Y + tt.lift}
			m := geo.Coord{X: jiading.X + 14_000, Y: jiading.Y + tt.lift/2}
			up, down := int32(20_000), int32(-20_000)
			shapes := []Shape{
				{1, []Ring{{a, {X: a.X, Y: a.Y + down}, {X: b.X, Y: a.Y + down}, b}}},
				{2, []Ring{{a, m, {X: m.X, Y: a.Y + up}, {X: a.X, Y: a.Y + up}}}},
				{3, []Ring{{m, b, {X: b.X, Y: a.Y + up}, {X: m.X, Y: a.Y + up}}}},
			}
			rep := Check(shapes, CheckOptions{})
			if !rep.OK() || rep.Unmatched == 0 || rep.Hairlines.Count != tt.hairlines || rep.Exact {
				t.Errorf("got %+v, want no defect, unmatched vertices, %d hairlines, not exact", rep, tt.hairlines)
			}
			p, rep, err := Clean(shapes, CleanOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if rep.Repairs.Moves.Count != 0 {
				t.Errorf("matching a vertex moved %v", rep.Repairs.Moves)
			}
			if got := p.Rings(1); len(got) != 1 || !slices.Contains(got[0], m) {
				t.Errorf("face 1 did not get the vertex: %v", got)
			}
		})
	}
}

func TestCheckRefusesWhatItCannotLookAt(t *testing.T) {
	small := at(square(0, 0, 10))
	nested := make([]Shape, 3000)
	for i := range nested {
		nested[i] = Shape{FaceID(i + 1), []Ring{square(int32(-i-1), int32(-i-1), int32(2*i+2))}}
	}
	for _, tt := range []struct {
		name   string
		shapes []Shape
		opt    CheckOptions
	}{
		{"face 0", []Shape{{0, []Ring{small}}}, CheckOptions{}},
		{"half the world", []Shape{{1, []Ring{small}}, {2, []Ring{square(-1_200_000_000, 0, 10)}}}, CheckOptions{}},
		{"thousands on top of one another", nested, CheckOptions{}},
		{"a tolerance of a kilometre", nil, CheckOptions{ToleranceM: 1000}},
		{"a tolerance that is no number", nil, CheckOptions{ToleranceM: math.NaN()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep := Check(tt.shapes, tt.opt)
			if fault.KindOf(rep.Err) != fault.Invalid || rep.OK() {
				t.Errorf("got %v, want invalid", rep.Err)
			}
			_, rep, err := Clean(tt.shapes, CleanOptions{ToleranceM: tt.opt.ToleranceM})
			if fault.KindOf(err) != fault.Invalid || rep != nil && rep.OK() {
				t.Errorf("Clean: got %v, want invalid", err)
			}
		})
	}
}

// TestOverlapAreasAgreeWithJTS holds the areas that Check finds against those
// of an independent overlay (simplefeatures' port of JTS).
func TestOverlapAreasAgreeWithJTS(t *testing.T) {
	rnd := rand.New(rand.NewPCG(20, 1))
	for range 60 {
		shapes := make([]Shape, 5)
		for i := range shapes {
			shapes[i] = Shape{FaceID(i + 1), []Ring{star(rnd)}}
		}
		rep := Check(shapes, CheckOptions{})
		if rep.Err != nil {
			t.Fatal(rep.Err)
		}
		polys := make([]geom.Geometry, len(shapes))
		for i, s := range shapes {
			polys[i] = jts(t, s)
		}
		union, err := geom.UnionMany(polys)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "covered", rep.CoveredM2, jtsM2(union))
		got := map[[2]FaceID]float64{}
		for _, d := range rep.Defects {
			for i, f := range d.Faces {
				for _, g := range d.Faces[i+1:] {
					if d.Owners > 1 {
						got[[2]FaceID{f, g}] += d.AreaM2
					}
				}
			}
		}
		for i := range polys {
			for j := range polys[:i] {
				both, err := geom.Intersection(polys[j], polys[i])
				if err != nil {
					t.Fatal(err)
				}
				near(t, fmt.Sprint("overlap of ", j+1, " and ", i+1), got[[2]FaceID{FaceID(j + 1), FaceID(i + 1)}], jtsM2(both))
			}
		}
		enclosed := rep.GapM2 + rep.Totals[Uncovered].AreaM2
		for _, d := range rep.Of(Sliver) {
			if strings.Contains(d.Msg, "open") {
				enclosed -= d.AreaM2
			}
		}
		near(t, "gaps", enclosed, jtsM2(filled(t, union))-jtsM2(union))
	}
}

// star is a ring round Jiading that does not cross itself.
func star(rnd *rand.Rand) Ring {
	n := 5 + rnd.IntN(20)
	cx, cy := rnd.Float64()*60_000, rnd.Float64()*60_000
	var r Ring
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		d := 5_000 + 40_000*rnd.Float64()
		r = append(r, geo.Coord{X: jiading.X + int32(cx+d*cos), Y: jiading.Y + int32(cy+d*sin)})
	}
	return r
}

// jts is a shape of one ring in units from Jiading.
func jts(t *testing.T, s Shape) geom.Geometry {
	t.Helper()
	var xy []float64
	for _, c := range append(slices.Clone(s.Rings[0]), s.Rings[0][0]) {
		xy = append(xy, float64(c.X-jiading.X), float64(c.Y-jiading.Y))
	}
	poly := geom.NewPolygon([]geom.LineString{geom.NewLineString(geom.NewSequence(xy, geom.DimXY))})
	if err := poly.Validate(); err != nil {
		t.Fatal(err)
	}
	return poly.AsGeometry()
}

// filled is g without its holes.
func filled(t *testing.T, g geom.Geometry) geom.Geometry {
	t.Helper()
	var shells []geom.Geometry
	for _, p := range g.Dump() {
		poly := p.MustAsPolygon()
		shells = append(shells, geom.NewPolygon([]geom.LineString{poly.ExteriorRing()}).AsGeometry())
	}
	u, err := geom.UnionMany(shells)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// jtsM2 turns square units into m² round Jiading.
func jtsM2(g geom.Geometry) float64 {
	s := geo.ScaleAt(jiading.Point()[1] + 0.003)
	return g.Area() * s.XM * s.YM / geo.UnitsPerDegree / geo.UnitsPerDegree
}

// near allows for the rounding of crossings and the plane's 0.01 %.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 2e-4*want+15 {
		t.Errorf("%s: %.1f m², JTS finds %.1f", what, got, want)
	}
}
