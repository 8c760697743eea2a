package partition

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChainAgreesWithAngles colours the squares of a board at random and takes
// each colour for a face: islands, holes, and corners in which a face touches
// itself.
func TestChainAgreesWithAngles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	chained, touching := 0, 0
	for range 300 {
		size, colours := 2+rnd.IntN(5), 1+rnd.IntN(5)
		shapes := make([]Shape, colours)
		for x := range int32(size) {
			for y := range int32(size) {
				c := rnd.IntN(colours + 1)
				if c == colours {
					continue // outside
				}
				shapes[c].ID = FaceID(c + 1)
				shapes[c].Rings = append(shapes[c].Rings, Ring{{X: x, Y: y}, {X: x + 1, Y: y}, {X: x + 1, Y: y + 1}, {X: x, Y: y + 1}})
			}
		}
		p := boardOf(t, shapes)
		if p == nil {
			continue
		}
		for _, f := range append([]FaceID{Outside}, p.Faces()...) {
			want := p.ringsByAngle(f, f == Outside)
			got, ok := p.chain(f, f == Outside)
			if !ok {
				touching++
				continue
			}
			chained++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("face %d of %v: %s", f, shapes, diff)
			}
		}
	}
	if chained < 100 || touching < 100 {
		t.Errorf("%d faces chained and %d left to angles: too few of either", chained, touching)
	}
}

// boardOf merges squares of one face by dropping the edges between them.
func boardOf(t *testing.T, shapes []Shape) *Partition {
	t.Helper()
	var used []Shape
	for _, s := range shapes {
		if len(s.Rings) > 0 {
			used = append(used, s)
		}
	}
	if len(used) == 0 {
		return nil
	}
	index := make(map[edgeKey]int32)
	var edges []edge
	bad := &NotPartition{}
	for _, s := range used {
		for _, r := range s.Rings {
			prev := r[len(r)-1]
			for _, c := range r {
				edges = fold(edges, index, prev, c, s.ID, bad)
				prev = c
			}
		}
	}
	var kept []edge
	for _, e := range edges {
		if e.left != e.right {
			kept = append(kept, e)
		}
	}
	if bad.Count > 0 || len(kept) == 0 {
		t.Fatal(bad)
	}
	return newPartition(newFan(kept).arcs())
}
