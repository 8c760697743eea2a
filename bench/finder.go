package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// finder finds grids of points, one thread, one point after another: dst[i]
// becomes the grid at pts[i] or grid.None.
type finder interface {
	find(dst []grid.ID, pts []orb.Point)
}

// peer is a way to find grids: build makes its index of a generation.
type peer struct {
	name  string
	build func(*grid.Generation) (finder, error)
	// limit is the greatest number of grids at which it is worth the wait.
	limit int
}

// peers are ours first.
var peers = []peer{
	{"Lianqin, Locate", buildOurs, math.MaxInt},
	{"tidwall/rtree + tidwall/geojson", buildTidwall, math.MaxInt},
	{"golang/geo S2 ShapeIndex", buildS2, math.MaxInt},
	{"tidwall/rtree + orb/planar", buildOrb, 10_000},
	{"ringsaturn/tzf", buildTZF, 1000},
}

type ours struct{ *locate.Index }

func buildOurs(g *grid.Generation) (finder, error) { return ours{locate.New(g)}, nil }

func (x ours) find(dst []grid.ID, pts []orb.Point) {
	for i, p := range pts {
		dst[i], _ = x.Locate(p)
	}
}

// batch is ours with LocateAll.
type batch struct{ *locate.Index }

func (x batch) find(dst []grid.ID, pts []orb.Point) { x.LocateAll(dst, pts) }

// timeFinder is the processor time of f in nanoseconds a point. A slow finder gets fewer
// points in a round, other ones each time.
func (b *bench) timeFinder(f finder, pts []orb.Point) sample {
	const roundNS = 20e6
	dst := make([]grid.ID, len(pts))
	trial := min(1000, len(pts))
	try, _ := processor(3, trial, func() error { f.find(dst, pts[:trial]); return nil })
	n := min(max(int(roundNS/try.min()), trial), len(pts))
	runtime.GC() // the garbage of the one before is not the cost of this one
	at := 0
	s, _ := processor(3*b.rounds, n, func() error {
		if at+n > len(pts) {
			at = 0
		}
		f.find(dst, pts[at:at+n])
		at += n
		return nil
	})
	return s
}

// agreement is how far a peer gives the same grids as we do.
type agreement struct {
	points, same int
	farthestM    float64 // from a border, of the points that differ
}

func compare(x *locate.Index, pts []orb.Point, want, got []grid.ID) agreement {
	a := agreement{points: len(got)}
	for i := range got {
		if got[i] == want[i] {
			a.same++
		} else {
			a.farthestM = max(a.farthestM, x.BorderDistance(pts[i]))
		}
	}
	return a
}

func (a agreement) String() string {
	if a.same == a.points {
		return fmt.Sprintf("all of %s", number(float64(a.points)))
	}
	return fmt.Sprintf("all but %s of %s, ≤ %.3g m from a border", number(float64(a.points-a.same)), number(float64(a.points)), a.farthestM)
}

// agree compares f with ours on up to so many of the points.
func agree(x *locate.Index, f finder, pts []orb.Point, most int) agreement {
	pts = pts[:min(len(pts), most)]
	want, got := make([]grid.ID, len(pts)), make([]grid.ID, len(pts))
	x.LocateAll(want, pts)
	f.find(got, pts)
	return compare(x, pts, want, got)
}

// tooFar is an error when a peer differs from us by more than rounding
// explains: then one of the two is wrong and its figure says nothing.
func (a agreement) tooFar(name string, allowedM float64) error {
	if a.same == a.points || a.farthestM <= allowedM {
		return nil
	}
	return fmt.Errorf("%s: %d of %d answers differ from ours, as far as %.3g m from a border",
		name, a.points-a.same, a.points, a.farthestM)
}

// boxesOf calls f with every polygon of g and its box.
func boxesOf(g *grid.Generation, f func(id grid.ID, box orb.Bound, p orb.Polygon)) {
	for _, d := range g.Grids() {
		for _, p := range g.Polygon(d.ID) {
			f(d.ID, p.Bound(), p)
		}
	}
}

// best is the least of the medians.
func best(medians []float64) float64 {
	if len(medians) == 0 {
		return math.NaN()
	}
	return slices.Min(medians)
}
