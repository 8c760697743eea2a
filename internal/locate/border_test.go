package locate

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// TestBorderDistanceIsTheLeastOfAll holds the search in rings against all edges.
func TestBorderDistanceIsTheLeastOfAll(t *testing.T) {
	for _, side := range []int32{3000, 100_000, 9_000_000} {
		g := lattice(t, 5, side, 11, 3)
		x := New(g)
		rnd := rand.New(rand.NewPCG(9, 9))
		b := g.Bound().Pad(float64(side) / 2 / geo.UnitsPerDegree)
		for range 1000 {
			p := orb.Point{b.Min[0] + rnd.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + rnd.Float64()*(b.Max[1]-b.Min[1])}
			want := math.Inf(1)
			s := geo.ScaleAt(p[1])
			for _, a := range g.Partition().Arcs() {
				for i := 1; i < len(a.Points); i++ {
					want = min(want, s.SegmentDistanceM(p, a.Points[i-1].Point(), a.Points[i].Point()))
				}
			}
			got := x.BorderDistance(p)
			if math.Abs(got-want) > 0.02+want*0.002 {
				t.Fatalf("side %d, %v: got %.3f m, want %.3f m", side, p, got, want)
			}
		}
	}
}

// TestDistanceToAGridIsTheLeastOfItsBorders holds the search against every
// border of every grid, the outside included, within the raster and far off.
func TestDistanceToAGridIsTheLeastOfItsBorders(t *testing.T) {
	for _, side := range []int32{3000, 100_000} {
		g := lattice(t, 4, side, 11, 3)
		x := New(g)
		rnd := rand.New(rand.NewPCG(9, 9))
		b := g.Bound().Pad(2 * float64(side) / geo.UnitsPerDegree)
		ids := []grid.ID{grid.None}
		for _, d := range g.Grids() {
			ids = append(ids, d.ID)
		}
		for range 500 {
			c, err := geo.Quantise(orb.Point{b.Min[0] + rnd.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + rnd.Float64()*(b.Max[1]-b.Min[1])})
			if err != nil {
				t.Fatal(err)
			}
			p := c.Point()
			s := geo.ScaleAt(p[1])
			for _, id := range ids {
				want := math.Inf(1)
				for _, a := range g.Partition().Arcs() {
					if grid.ID(a.Left) != id && grid.ID(a.Right) != id {
						continue
					}
					for i := 1; i < len(a.Points); i++ {
						want = min(want, s.SegmentDistanceM(p, a.Points[i-1].Point(), a.Points[i].Point()))
					}
				}
				if x.LocateCoord(c) == id {
					want = 0
				}
				limit := float64(side) / 100 * rnd.Float64()
				if got := x.DistanceTo(c, id, 1e9); math.Abs(got-want) > 0.02+want*0.002 {
					t.Fatalf("side %d, %v to grid %d: got %.3f m, want %.3f m", side, p, id, got, want)
				}
				if got := x.DistanceTo(c, id, limit); math.Abs(got-min(want, limit)) > 0.02+want*0.002 {
					t.Fatalf("side %d, %v to grid %d within %.1f m: got %.3f m, want %.3f m", side, p, id, limit, got, want)
				}
			}
		}
		if got := x.DistanceTo(geo.Coord{}, grid.MaxID, 50); got != 50 {
			t.Errorf("to a grid that there is not: %v m", got)
		}
	}
}

func TestNearest(t *testing.T) {
	g := lattice(t, 5, 100_000, 11, 3)
	x := New(g)
	inside := g.Grids()[7]
	if id, d := x.Nearest(inside.Label); id != inside.ID || d != 0 {
		t.Errorf("inside: got %d at %v m", id, d)
	}
	rnd := rand.New(rand.NewPCG(1, 9))
	b := g.Bound().Pad(0.5)
	for range 300 {
		p := orb.Point{b.Min[0] + rnd.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + rnd.Float64()*(b.Max[1]-b.Min[1])}
		if _, in := x.Locate(p); in {
			continue
		}
		want := math.Inf(1)
		for _, d := range g.Grids() {
			for _, poly := range g.Polygon(d.ID) {
				for _, r := range poly {
					for i := 1; i < len(r); i++ {
						want = min(want, geo.ScaleAt(p[1]).SegmentDistanceM(p, r[i-1], r[i]))
					}
				}
			}
		}
		id, got := x.Nearest(p)
		if _, ok := g.Grid(id); !ok || math.Abs(got-want) > 0.02+want*0.01 {
			t.Fatalf("%v: got grid %d at %.2f m, want %.2f m", p, id, got, want)
		}
	}
	if id, d := x.Nearest(orb.Point{math.NaN(), 0}); id != grid.None || !math.IsNaN(d) {
		t.Errorf("no position: got %d, %v", id, d)
	}
	for name, far := range map[string]struct {
		at   orb.Point
		want float64
	}{
		"Beijing":            {orb.Point{116.4, 39.9}, 1_045e3},
		"the South Pole":     {orb.Point{-180, -90}, 13_478e3},
		"the Gulf of Guinea": {orb.Point{0, 0}, 12_930e3},
	} {
		if id, d := x.Nearest(far.at); id == grid.None || math.Abs(d-far.want) > 0.012*far.want {
			t.Errorf("from %s: got grid %d at %.0f m, want about %.0f", name, id, d, far.want)
		}
		if d := x.BorderDistance(far.at); math.Abs(d-far.want) > 0.012*far.want {
			t.Errorf("border from %s: got %.0f m, want about %.0f", name, d, far.want)
		}
	}
}

// TestSharesAreWhatASampleSays throws darts at the circle.
func TestSharesAreWhatASampleSays(t *testing.T) {
	g := lattice(t, 5, 20_000, 11, 4)
	x := New(g)
	rnd := rand.New(rand.NewPCG(2, 2))
	b := g.Bound()
	for range 40 {
		p := orb.Point{b.Min[0] + rnd.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + rnd.Float64()*(b.Max[1]-b.Min[1])}
		acc := 5 + rnd.Float64()*200
		s := geo.ScaleAt(p[1])
		want := make(map[grid.ID]float64)
		const darts = 20_000
		for range darts {
			r, a := acc*math.Sqrt(rnd.Float64()), 2*math.Pi*rnd.Float64()
			id, _ := x.Locate(orb.Point{p[0] + r*math.Cos(a)/s.XM, p[1] + r*math.Sin(a)/s.YM})
			want[id] += 1.0 / darts
		}
		sum := 0.0
		got := x.Shares(p, acc)
		for i, sh := range got {
			sum += sh.Share
			if math.Abs(sh.Share-want[sh.Grid]) > 0.02 {
				t.Errorf("%v ± %.0f m, grid %d: got %.3f, want %.3f", p, acc, sh.Grid, sh.Share, want[sh.Grid])
			}
			if i > 0 && sh.Share > got[i-1].Share {
				t.Errorf("%v: shares are not in order: %v", p, got)
			}
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Errorf("%v: shares add up to %v", p, sum)
		}
	}
	if got := x.Shares(g.Grids()[0].Label, 0); len(got) != 1 || got[0].Share != 1 {
		t.Errorf("no accuracy: got %v", got)
	}
}

func TestInBound(t *testing.T) {
	g := lattice(t, 5, 100_000, 11, 4)
	x := New(g)
	inside := g.Grids()[9].Label
	for _, tt := range []struct {
		name string
		box  orb.Bound
		want int
	}{
		{"the whole district", g.Bound(), len(g.Grids())},
		{"a speck inside one grid", orb.Bound{Min: inside, Max: orb.Point{inside[0] + 1e-6, inside[1] + 1e-6}}, 1},
		{"elsewhere", orb.Bound{Min: orb.Point{10, 10}, Max: orb.Point{11, 11}}, 0},
	} {
		if got := x.InBound(tt.box); len(got) != tt.want {
			t.Errorf("%s: got %v, want %d grids", tt.name, got, tt.want)
		}
	}
}
