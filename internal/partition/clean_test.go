package partition

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
	shapes := district(t, 7, 30, 500, 2) // vertices closer than the tolerance
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
