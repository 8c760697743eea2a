package locate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// lattice is a district of n x n grids of about side units, whose inner
// corners and borders wander by up to a fifth of it, with a hole in coverage
// where the last but one grid would be, and a grid in two parts.
func lattice(t testing.TB, n int, side, perBorder int32, seed uint64) *grid.Generation {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 7))
	origin := geo.Coord{X: 1212470000, Y: 313830000}
	wander := func(c geo.Coord, by int32) geo.Coord {
		if by == 0 {
			return c
		}
		return geo.Coord{X: c.X + rnd.Int32N(2*by+1) - by, Y: c.Y + rnd.Int32N(2*by+1) - by}
	}
	corner := make(map[[2]int]geo.Coord)
	for i := range n + 1 {
		for j := range n + 1 {
			corner[[2]int{i, j}] = wander(geo.Coord{X: origin.X + int32(i)*side, Y: origin.Y + int32(j)*side}, side/8)
		}
	}
	border := make(map[[4]int][]geo.Coord) // inner vertices from one corner to the next
	line := func(i, j, k, l int) []geo.Coord {
		a, b := corner[[2]int{i, j}], corner[[2]int{k, l}]
		var out []geo.Coord
		for s := int32(1); s < perBorder; s++ {
			out = append(out, wander(geo.Coord{X: a.X + (b.X-a.X)*s/perBorder, Y: a.Y + (b.Y-a.Y)*s/perBorder}, side/perBorder/4))
		}
		border[[4]int{i, j, k, l}] = out
		return out
	}
	for i := range n + 1 {
		for j := range n + 1 {
			if i < n {
				line(i, j, i+1, j)
			}
			if j < n {
				line(i, j, i, j+1)
			}
		}
	}
	var shapes []partition.Shape
	var grids []grid.Grid
	for i := range n {
		for j := range n {
			if n > 2 && i == n-2 && j == n-2 {
				continue
			}
			var r partition.Ring
			side := func(k, l, m, o int) {
				r = append(r, corner[[2]int{k, l}])
				if in, ok := border[[4]int{k, l, m, o}]; ok {
					r = append(r, in...)
					return
				}
				in := border[[4]int{m, o, k, l}]
				for s := len(in) - 1; s >= 0; s-- {
					r = append(r, in[s])
				}
			}
			side(i, j, i+1, j)
			side(i+1, j, i+1, j+1)
			side(i+1, j+1, i, j+1)
			side(i, j+1, i, j)
			if n > 2 && i == n-1 && j == 0 { // joins the first grid
				shapes[0].Rings = append(shapes[0].Rings, r)
				continue
			}
			id := len(shapes) + 1
			shapes = append(shapes, partition.Shape{ID: partition.FaceID(id), Rings: []partition.Ring{r}})
			grids = append(grids, grid.Grid{ID: grid.ID(id), Code: fmt.Sprintf("G%03d", id)})
		}
	}
	p, err := partition.New(shapes)
	if err != nil {
		t.Fatal(err)
	}
	g, err := grid.New(1, grid.Source{Grids: grids, Partition: p})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func ringsOf(g *grid.Generation) map[grid.ID][]partition.Ring {
	out := make(map[grid.ID][]partition.Ring)
	for _, d := range g.Grids() {
		out[d.ID] = g.Partition().Rings(partition.FaceID(d.ID))
	}
	return out
}

// holders are the grids that hold c by the half-open rule, each tested alone.
func holders(rings map[grid.ID][]partition.Ring, c geo.Coord) (out []grid.ID) {
	for id, rs := range rings {
		in := false
		for _, r := range rs {
			a := r[len(r)-1]
			for _, b := range r {
				lo, hi := a, b
				if !geo.Upward(a, b) {
					lo, hi = b, a
				}
				if lo.Y <= c.Y && c.Y < hi.Y && geo.LeftOf(lo, hi, c) {
					in = !in
				}
				a = b
			}
		}
		if in {
			out = append(out, id)
		}
	}
	return out
}

// TestEveryPointHasOneGrid holds the index against testing each grid alone, at
// every vertex, at the middle of every edge, beside them, at the corners of
// cells and at random.
func TestEveryPointHasOneGrid(t *testing.T) {
	for _, tt := range []struct {
		name            string
		n               int
		side, perBorder int32
	}{
		{"one square", 1, 40, 1},
		{"tiny, all degenerate", 5, 16, 1},
		{"unit-sized borders", 6, 24, 4},
		{"small", 6, 3000, 7},
		{"real size", 5, 100_000, 35},
		{"large cells, long edges", 3, 9_000_000, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(4) {
				g := lattice(t, tt.n, tt.side, tt.perBorder, seed)
				x, rings := New(g), ringsOf(g)
				for _, c := range probes(g, x, seed) {
					want := grid.None
					switch in := holders(rings, c); len(in) {
					case 0:
					case 1:
						want = in[0]
					default:
						t.Fatalf("seed %d: %v is in grids %v", seed, c, in)
					}
					if got := x.LocateCoord(c); got != want {
						t.Fatalf("seed %d: %v: got grid %d, want %d", seed, c, got, want)
					}
					if got, _ := x.Locate(c.Point()); got != want {
						t.Fatalf("seed %d: %v in degrees: got grid %d, want %d", seed, c, got, want)
					}
				}
			}
		})
	}
}

func probes(g *grid.Generation, x *Index, seed uint64) (out []geo.Coord) {
	add := func(c geo.Coord) {
		for dy := int32(-1); dy <= 1; dy++ {
			for dx := int32(-1); dx <= 1; dx++ {
				out = append(out, geo.Coord{X: c.X + dx, Y: c.Y + dy})
			}
		}
	}
	for _, a := range g.Partition().Arcs() {
		for i, c := range a.Points {
			add(c)
			if i > 0 {
				p := a.Points[i-1]
				add(geo.Coord{X: p.X + (c.X-p.X)/2, Y: p.Y + (c.Y-p.Y)/2})
			}
		}
	}
	rnd := rand.New(rand.NewPCG(seed, 3))
	for range 500 {
		col, row := x.west+rnd.Int32N(x.w+2)-1, x.south+rnd.Int32N(x.h+2)-1
		add(geo.Coord{X: col << x.shift, Y: row << x.shift})
		out = append(out, geo.Coord{
			X: x.west<<x.shift + rnd.Int32N(x.w<<x.shift), Y: x.south<<x.shift + rnd.Int32N(x.h<<x.shift),
		})
	}
	return out
}

func TestLocateAllIsLocate(t *testing.T) {
	g := lattice(t, 6, 100_000, 35, 1)
	x := New(g)
	rnd := rand.New(rand.NewPCG(5, 5))
	b := g.Bound()
	for _, n := range []int{0, 1, 255, 256, 257, 5000} {
		pts := make([]orb.Point, n)
		for i := range pts {
			pts[i] = orb.Point{b.Min[0] - 0.01 + rnd.Float64()*(b.Max[0]-b.Min[0]+0.02), b.Min[1] - 0.01 + rnd.Float64()*(b.Max[1]-b.Min[1]+0.02)}
		}
		if n > 3 {
			pts[0], pts[1], pts[2] = orb.Point{math.NaN(), 31}, orb.Point{math.Inf(1), 31}, orb.Point{121, 1e300}
		}
		dst := make([]grid.ID, n)
		x.LocateAll(dst, pts)
		for i, p := range pts {
			if want, _ := x.Locate(p); dst[i] != want {
				t.Fatalf("%d points: %v: got %d, want %d", n, p, dst[i], want)
			}
		}
	}
}

func TestPointPathDoesNotAllocate(t *testing.T) {
	g := lattice(t, 4, 100_000, 35, 1)
	x := New(g)
	p := g.Grids()[3].Label
	pts, dst := make([]orb.Point, 1000), make([]grid.ID, 1000)
	for name, f := range map[string]func(){
		"Locate":         func() { x.Locate(p) },
		"LocateAll":      func() { x.LocateAll(dst, pts) },
		"BorderDistance": func() { x.BorderDistance(p) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// TestAgreesWithPlanarAwayFromBorders takes orb's test, written by others, as
// the judge where it is right: more than a metre from any border.
func TestAgreesWithPlanarAwayFromBorders(t *testing.T) {
	g := lattice(t, 6, 100_000, 35, 2)
	x := New(g)
	rnd := rand.New(rand.NewPCG(8, 8))
	b := g.Bound()
	tested := 0
	for range 4000 {
		p := orb.Point{b.Min[0] + rnd.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + rnd.Float64()*(b.Max[1]-b.Min[1])}
		if x.BorderDistance(p) < 1 {
			continue
		}
		tested++
		want := grid.None
		for _, d := range g.Grids() {
			if planar.MultiPolygonContains(g.Polygon(d.ID), p) {
				want = d.ID
			}
		}
		if got, _ := x.Locate(p); got != want {
			t.Fatalf("%v: got %d, want %d", p, got, want)
		}
	}
	if tested < 3500 {
		t.Errorf("only %d points away from borders", tested)
	}
}

func TestTheOutlineIsHalfOpen(t *testing.T) {
	sq := partition.Ring{{X: 1000, Y: 1000}, {X: 2000, Y: 1000}, {X: 2000, Y: 2000}, {X: 1000, Y: 2000}}
	p, err := partition.New([]partition.Shape{{ID: 1, Rings: []partition.Ring{sq}}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := grid.New(0, grid.Source{Grids: []grid.Grid{{ID: 1, Code: "A"}}, Partition: p})
	if err != nil {
		t.Fatal(err)
	}
	x := New(g)
	for _, tt := range []struct {
		name string
		at   geo.Coord
		want grid.ID
	}{
		{"western side", geo.Coord{X: 1000, Y: 1500}, 1},
		{"southern side", geo.Coord{X: 1500, Y: 1000}, 1},
		{"south-western corner", geo.Coord{X: 1000, Y: 1000}, 1},
		{"eastern side", geo.Coord{X: 2000, Y: 1500}, 0},
		{"northern side", geo.Coord{X: 1500, Y: 2000}, 0},
		{"north-western corner", geo.Coord{X: 1000, Y: 2000}, 0},
		{"south-eastern corner", geo.Coord{X: 2000, Y: 1000}, 0},
	} {
		if got := x.LocateCoord(tt.at); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
