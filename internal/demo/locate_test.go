package demo

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/paulmach/orb/planar"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/partition"
)

// parallel is where the borders of each grid alone cross one parallel: by the
// half-open rule, the first whole X east of each crossing, in order. It answers
// without the index.
type parallel struct {
	met    []crossing
	passed int
	in     map[grid.ID]bool // at the place passed
}

type crossing struct {
	x  int32
	id grid.ID
}

// holder is the grid that holds x, and how many do. X may not fall from one
// call to the next.
func (p *parallel) holder(x int32) (id grid.ID, n int) {
	for ; p.passed < len(p.met) && p.met[p.passed].x <= x; p.passed++ {
		if d := p.met[p.passed].id; p.in[d] {
			delete(p.in, d)
		} else {
			p.in[d] = true
		}
	}
	for d := range p.in {
		id = d
	}
	return id, len(p.in)
}

func parallelAt(all []ringEdges, y int32) *parallel {
	p := &parallel{in: make(map[grid.ID]bool)}
	for _, g := range all {
		if y < g.lo || y >= g.hi {
			continue
		}
		for _, e := range g.edges {
			if e[0].Y <= y && y < e[1].Y {
				dx, dy := int64(e[1].X-e[0].X), int64(e[1].Y-e[0].Y)
				x := e[0].X + int32(math.Floor(float64(dx)*float64(y-e[0].Y)/float64(dy))) - 1
				for geo.LeftOf(e[0], e[1], geo.Coord{X: x, Y: y}) {
					x++
				}
				p.met = append(p.met, crossing{x, g.id})
			}
		}
	}
	slices.SortFunc(p.met, func(a, b crossing) int { return cmp.Compare(a.x, b.x) })
	return p
}

type ringEdges struct {
	id     grid.ID
	edges  [][2]geo.Coord
	lo, hi int32
}

func gridEdges(g *grid.Generation) []ringEdges {
	var all []ringEdges
	for _, d := range g.Grids() {
		e := ringEdges{id: d.ID, lo: 1 << 30, hi: -1 << 30}
		for _, r := range g.Partition().Rings(partition.FaceID(d.ID)) {
			a := r[len(r)-1]
			for _, b := range r {
				lo, hi := a, b
				if !geo.Upward(lo, hi) {
					lo, hi = hi, lo
				}
				e.edges = append(e.edges, [2]geo.Coord{lo, hi})
				e.lo, e.hi = min(e.lo, lo.Y), max(e.hi, hi.Y)
				a = b
			}
		}
		all = append(all, e)
	}
	return all
}

func embedded(t testing.TB) (*grid.Generation, *locate.Index) {
	t.Helper()
	src, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	g, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	return g, locate.New(g)
}

// TestEveryVertexAndMidpointHasOneGrid asks, at each vertex and each edge's
// middle and one unit around it, every grid alone, and the index.
func TestEveryVertexAndMidpointHasOneGrid(t *testing.T) {
	g, x := embedded(t)
	all := gridEdges(g)
	points := make(map[int32][]int32) // by parallel
	for _, a := range g.Partition().Arcs() {
		for i, c := range a.Points {
			at := []geo.Coord{c}
			if i > 0 {
				p := a.Points[i-1]
				at = append(at, geo.Coord{X: p.X + (c.X-p.X)/2, Y: p.Y + (c.Y-p.Y)/2})
			}
			for _, q := range at {
				points[q.Y] = append(points[q.Y], q.X-1, q.X, q.X+1)
			}
		}
	}
	tested := 0
	for y, xs := range points {
		r := parallelAt(all, y)
		slices.Sort(xs)
		for _, px := range xs {
			want, n := r.holder(px)
			if n > 1 {
				t.Fatalf("%d,%d is in %d grids", px, y, n)
			}
			if got := x.LocateCoord(geo.Coord{X: px, Y: y}); got != want {
				t.Fatalf("%d,%d: got grid %d, want %d", px, y, got, want)
			}
			tested++
		}
	}
	if tested < 150_000 {
		t.Errorf("only %d points", tested)
	}
}

// TestSweep goes over the whole district every 10 m: each point has one grid
// or, outside the outline, none; the areas of grids come out; and orb, whose
// test counts borders twice, agrees on every twentieth parallel away from
// borders.
func TestSweep(t *testing.T) {
	if testing.Short() {
		t.Skip("7 million points")
	}
	g, x := embedded(t)
	all := gridEdges(g)
	b := g.Bound()
	scale := geo.ScaleAt(b.Center()[1])
	stepX, stepY := int32(10/scale.XM*geo.UnitsPerDegree), int32(10/scale.YM*geo.UnitsPerDegree)
	west, east := int32(b.Min[0]*geo.UnitsPerDegree), int32(b.Max[0]*geo.UnitsPerDegree)
	south, north := int32(b.Min[1]*geo.UnitsPerDegree), int32(b.Max[1]*geo.UnitsPerDegree)

	rows := make(chan int32)
	var mu sync.Mutex
	count := make(map[grid.ID]int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			mine := make(map[grid.ID]int)
			for y := range rows {
				sweepRow(t, g, x, all, y, west, east, stepX, (y-south)/stepY%20 == 0, mine)
			}
			mu.Lock()
			defer mu.Unlock()
			for id, n := range mine {
				count[id] += n
			}
		})
	}
	for y := south - stepY; y <= north+stepY; y += stepY {
		rows <- y
	}
	close(rows)
	wg.Wait()
	inside := 0
	for _, d := range g.Grids() {
		n := count[d.ID]
		inside += n
		if area := float64(n) * 100; area < d.AreaM2*0.97-2000 || area > d.AreaM2*1.03+2000 {
			t.Errorf("grid %s: %d points of 100 m², area %.0f m²", d.Code, n, d.AreaM2)
		}
	}
	if inside < 4_600_000 {
		t.Errorf("only %d points inside", inside)
	}
}

// sweepRow compares the index with every grid alone along a parallel.
func sweepRow(t *testing.T, g *grid.Generation, x *locate.Index, all []ringEdges, y, west, east, step int32, withOrb bool, count map[grid.ID]int) {
	r := parallelAt(all, y)
	for px := west - step; px <= east+step; px += step {
		c := geo.Coord{X: px, Y: y}
		got := x.LocateCoord(c)
		count[got]++
		if want, n := r.holder(px); n > 1 || got != want {
			t.Errorf("%v: got grid %d; alone, %d grids hold it, the last %d", c.Point(), got, n, want)
			return
		}
		if !withOrb || px/step%7 != 0 || x.BorderDistance(c.Point()) < 0.5 {
			continue
		}
		if got == grid.None {
			if planar.MultiPolygonContains(g.Outline(), c.Point()) {
				t.Errorf("%v: no grid, and orb has it inside", c.Point())
				return
			}
		} else if !planar.MultiPolygonContains(g.Polygon(got), c.Point()) {
			t.Errorf("%v: grid %d, and orb has it elsewhere", c.Point(), got)
			return
		}
	}
}
