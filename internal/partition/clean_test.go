package partition

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCleanRestoresASpoiltDistrict: of a partition whose borders were drawn
// twice, a metre off, a partition comes back with the same neighbours and
// about the same areas.
func TestCleanRestoresASpoiltDistrict(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			shapes := district(t, seed, 20, 600, 30)
			truth, err := New(shapes)
			if err != nil {
				t.Fatal(err)
			}
			rnd := rand.New(rand.NewPCG(seed, 99))
			bad := spoil(rnd, shapes, 1, 0.03)
			p, rep, err := Clean(bad, CleanOptions{MaxNoise: 0.02})
			if err != nil {
				t.Fatal(err)
			}
			if rep.OK() || rep.Exact {
				t.Error("the report finds nothing wrong with the spoilt district")
			}
			if got := rep.Repairs.Moves.MaxM; got > reachFactor*DefaultToleranceM {
				t.Errorf("a border moved by %.2f m", got)
			}
			if diff := cmp.Diff(truth.Faces(), p.Faces()); diff != "" {
				t.Fatal(diff)
			}
			for _, f := range truth.Faces() {
				if diff := cmp.Diff(truth.Neighbours(f), p.Neighbours(f)); diff != "" {
					t.Errorf("neighbours of face %d (-want +got):\n%s", f, diff)
				}
				if got, want := p.AreaM2(f), truth.AreaM2(f); math.Abs(got-want) > perimeterM(truth, f) {
					t.Errorf("face %d has %.0f m², want %.0f", f, got, want)
				}
			}
			again := Check(shapesOf(p), CheckOptions{})
			if !again.OK() || !again.Exact {
				t.Errorf("after cleaning: %v", again.Defects)
			}
			rnd.Shuffle(len(bad), func(i, j int) { bad[i], bad[j] = bad[j], bad[i] })
			q, _, err := Clean(bad, CleanOptions{MaxNoise: 0.02})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p.Arcs(), q.Arcs()); diff != "" {
				t.Errorf("the result depends on the order of the shapes:\n%.600s", diff)
			}
		})
	}
}

func perimeterM(p *Partition, f FaceID) float64 {
	sum := 0.0
	for _, i := range p.ArcsOf(f) {
		if i < 0 {
			i = ^i
		}
		for k := 1; k < len(p.arcs[i].Points); k++ {
			o := planeAt(p.arcs[i].Points[k])
			a := o.of(p.arcs[i].Points[k-1])
			sum += math.Hypot(a.x, a.y)
		}
	}
	return sum
}

func shapesOf(p *Partition) []Shape {
	var out []Shape
	for _, f := range p.Faces() {
		out = append(out, Shape{f, p.Rings(f)})
	}
	return out
}

func TestCleanLeavesAPartitionAlone(t *testing.T) {
	shapes := district(t, 7, 9, 400, 2) // vertices closer than the tolerance
	want, err := New(shapes)
	if err != nil {
		t.Fatal(err)
	}
	got, rep, err := Clean(shapes, CleanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Arcs(), got.Arcs()); diff != "" {
		t.Errorf("arcs (-want +got):\n%.600s", diff)
	}
	if diff := cmp.Diff(&Repairs{}, rep.Repairs); diff != "" {
		t.Error(diff)
	}

	// One spoilt vertex changes nothing away from it.
	shapes[4].Rings[0] = slices.Clone(shapes[4].Rings[0])
	k := len(shapes[4].Rings[0]) / 3
	moved := shapes[4].Rings[0][k]
	shapes[4].Rings[0][k].X += metre
	got, rep, err = Clean(shapes, CleanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Defects) != 1 || rep.Repairs.Moves.Count > 1 {
		t.Errorf("defects %v, moves %v; want one", rep.Defects, rep.Repairs.Moves)
	}
	for i, a := range want.Arcs() {
		b := got.Arcs()[i]
		near := func(c, d []Arc) bool { return slices.Contains(c[i].Points, moved) }
		if diff := cmp.Diff(a, b); diff != "" && !near(want.Arcs(), got.Arcs()) {
			t.Errorf("an arc far from the spoilt vertex changed:\n%.400s", diff)
		}
	}
}

func BenchmarkCheck417(b *testing.B) {
	shapes := spoil(rand.New(rand.NewPCG(1, 1)), district(b, 1, 417, 1070, 45), 1, 0.03)
	b.ReportMetric(float64(len(shapes[0].Rings[0])), "vertices")
	for b.Loop() {
		Check(shapes, CheckOptions{})
	}
}

func BenchmarkClean417(b *testing.B) {
	shapes := spoil(rand.New(rand.NewPCG(1, 1)), district(b, 1, 417, 1070, 45), 1, 0.03)
	for b.Loop() {
		if _, _, err := Clean(shapes, CleanOptions{MaxNoise: 0.02}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCleanDecides(t *testing.T) {
	box := func(x0, y0, x1, y1 int32) Ring { return ring(x0, y0, x1, y0, x1, y1, x0, y1) }
	frame := Shape{1, []Ring{at(box(-500, -500, 1500, 1500)), at(reversed(box(0, 0, 1000, 1000)))}}
	for _, tt := range []struct {
		name    string
		shapes  []Shape
		opt     CleanOptions
		refused string          // a part of the reason, or
		areas   map[FaceID]int  // m² of each face, to 1 %
		changed []string        // "from→to m²"
		filled  int             // gaps
		touch   map[FaceID]bool // faces beside face 1
	}{
		{name: "a narrow gap goes to the longer border; as long ones keep the lower line",
			shapes: []Shape{frame, {2, []Ring{at(box(0, 0, 998, 1000))}}},
			areas:  map[FaceID]int{1: 3_000_000, 2: 1_000_000}, changed: []string{"0→2 2000"}, filled: 1, touch: map[FaceID]bool{2: true}},
		{name: "a narrow overlap keeps the lower line",
			shapes: plots(box(0, 0, 1000, 1000), box(998, 0, 2000, 1000)),
			areas:  map[FaceID]int{1: 1_000_000, 2: 1_000_000}, changed: []string{"2→1 2000"}, touch: map[FaceID]bool{2: true}},
		{name: "a narrow notch goes to the face around it",
			shapes: []Shape{{1, []Ring{at(box(0, 0, 1000, 1000))}}, {2, []Ring{at(ring(1000, 0, 2000, 0, 2000, 1000, 1000, 1000, 1000, 502, 1300, 502, 1300, 500, 1000, 500))}}},
			areas:  map[FaceID]int{1: 1_000_000, 2: 1_000_000}, changed: []string{"0→2 600"}, filled: 1, touch: map[FaceID]bool{2: true}},
		{name: "a slit that is open at both ends",
			shapes: plots(box(0, 0, 1000, 1000), box(1002, 0, 2000, 1000)), opt: CleanOptions{MaxNoise: 0.01},
			areas: map[FaceID]int{1: 1_000_000, 2: 1_000_000}, changed: []string{"0→2 2000"}, filled: 1, touch: map[FaceID]bool{2: true}},
		{name: "all borders drawn back by a metre",
			shapes: plots(box(1, 1, 999, 999), box(1001, 1, 1999, 999), box(1, 1001, 999, 1999), box(1001, 1001, 1999, 1999)), opt: CleanOptions{MaxNoise: 0.01},
			areas: map[FaceID]int{1: 998_000, 2: 998_000, 3: 998_000, 4: 998_000}, filled: 8, touch: map[FaceID]bool{2: true, 3: true}},
		{name: "a wide gap stays",
			shapes: []Shape{frame, {2, []Ring{at(box(0, 0, 990, 1000))}}, {3, []Ring{at(box(-1001, -500, -499, 1500))}}},
			opt:    CleanOptions{MaxNoise: 0.01},
			areas:  map[FaceID]int{1: 3_000_000, 2: 990_000, 3: 1_002_000}, changed: []string{"3→1 2000"}, touch: map[FaceID]bool{2: true, 3: true}},
		{name: "a wide overlap", shapes: plots(box(0, 0, 1000, 1000), box(900, 0, 2000, 1000)), refused: "wider than 3 m"},
		{name: "a wide overlap to the first",
			shapes: plots(box(0, 0, 1000, 1000), box(900, 0, 2000, 1000)), opt: CleanOptions{Overlaps: OverlapsToFirst},
			areas: map[FaceID]int{1: 1_000_000, 2: 1_000_000}, changed: []string{"2→1 99700"}, touch: map[FaceID]bool{2: true}},
		{name: "a wide overlap to the larger",
			shapes: plots(box(0, 0, 1000, 1000), box(900, 0, 2000, 1000)), opt: CleanOptions{Overlaps: OverlapsToLarger},
			areas: map[FaceID]int{1: 900_000, 2: 1_100_000}, changed: []string{"1→2 99700"}, touch: map[FaceID]bool{2: true}},
		{name: "more noise than allowed",
			shapes: plots(box(0, 0, 1000, 1000), box(998, 0, 2000, 1000)), opt: CleanOptions{MaxNoise: 0.0005}, refused: "more than 0.050 %"},
		{name: "a thin spike into a neighbour is cut off",
			shapes: plots(ring(0, 0, 1000, 0, 1000, 500, 1300, 501, 1000, 502, 1000, 1000, 0, 1000), box(1000, 0, 2000, 1000)),
			areas:  map[FaceID]int{1: 1_000_000, 2: 1_000_000}, changed: []string{"1→2 300"}, touch: map[FaceID]bool{2: true}},
		{name: "the same area twice", shapes: plots(box(0, 0, 1000, 1000), box(0, 0, 1000, 1000)),
			opt: CleanOptions{Overlaps: OverlapsToFirst}, refused: "face 2 would be left with nothing"},
		{name: "a bow tie is untangled", shapes: plots(ring(0, 0, 1000, 1000, 1000, 0, 0, 1000)),
			areas: map[FaceID]int{1: 500_000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, rep, err := Clean(tt.shapes, tt.opt)
			if tt.refused != "" {
				var refused *Refused
				if !errors.As(err, &refused) || !strings.Contains(refused.Why, tt.refused) {
					t.Fatalf("got %v, want it refused: %s", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for f, want := range tt.areas {
				if got := p.AreaM2(f); math.Abs(got-float64(want)) > 0.01*float64(want) {
					t.Errorf("face %d has %.0f m², want %d", f, got, want)
				}
			}
			var changed []string
			for _, e := range rep.Repairs.Exchanges {
				changed = append(changed, fmt.Sprintf("%d→%d %.0f", e.From, e.To, math.Round(e.AreaM2/100)*100))
			}
			if diff := cmp.Diff(tt.changed, changed); tt.changed != nil && diff != "" {
				t.Errorf("exchanges (-want +got):\n%s", diff)
			}
			if got := rep.Repairs.Filled.Count; got != tt.filled {
				t.Errorf("%d gaps filled, want %d", got, tt.filled)
			}
			for _, f := range p.Neighbours(1) {
				if !tt.touch[f] {
					t.Errorf("face %d has become a neighbour of face 1", f)
				}
				delete(tt.touch, f)
			}
			if len(tt.touch) > 0 {
				t.Errorf("%v are no longer neighbours of face 1", tt.touch)
			}
		})
	}
}
