package demo

import (
	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// diagram is a power diagram of the streets: a point belongs to the site whose
// squared distance minus weight is least. Its borders are straight, its cells
// convex, and the weights make the cells' areas what is wanted. Positions are
// in decimetres from origin, on the district's own size whatever the scale.
type diagram struct {
	origin geo.Coord
	sites  []span
	weight []int64 // square decimetres
	land   []span  // sample points evenly spread over the district
}

const sampleDM = 2000

func newDiagram(ring []geo.Coord, wards []ward) *diagram {
	g := &diagram{origin: ring[0], weight: make([]int64, len(wards))}
	for _, w := range wards {
		at, lean := g.dm(w.seat), leaning[w.code]
		g.sites = append(g.sites, span{at.X + lean.X*10, at.Y + lean.Y*10})
	}
	p := newPlot(ring, nil)
	lo, hi := bounds(ring)
	for y := lo.Y; y < hi.Y; y += sampleDM * 100_000 / unitYUM {
		for x := lo.X; x < hi.X; x += sampleDM * 100_000 / unitXUM {
			if c := (geo.Coord{X: x, Y: y}); p.holds(c) {
				g.land = append(g.land, g.dm(c))
			}
		}
	}
	return g
}

func (g *diagram) dm(c geo.Coord) span {
	s := between(g.origin, c)
	return span{s.X / 100, s.Y / 100}
}

func (g *diagram) power(i int, p span) int64 {
	return span{p.X - g.sites[i].X, p.Y - g.sites[i].Y}.square() - g.weight[i]
}

// nearest is the site that p belongs to.
func (g *diagram) nearest(p span) int {
	best := 0
	for i := range g.sites {
		if g.power(i, p) < g.power(best, p) {
			best = i
		}
	}
	return best
}

// balance moves the weights until the cells have the areas want, in square
// metres, as nearly as the samples tell.
func (g *diagram) balance(want []int64) {
	total := int64(0)
	for _, a := range want {
		total += a
	}
	for range 120 {
		have := make([]int64, len(want))
		for _, p := range g.land {
			have[g.nearest(p)]++
		}
		for i := range want {
			g.weight[i] += (want[i] - total*have[i]/int64(len(g.land))) * 100 / 4
		}
	}
}

// leaning is where each street's site lies from its seat, in metres east and
// north, by street code: its land reaches further that way. The values were
// found by a search for cells that are compact and hold their seats well
// inside; a street that is not listed has its site at its seat.
var leaning = map[string]span{
	"310114001": {-1760, 910},   // 新成路街道
	"310114002": {1990, -5740},  // 真新街道
	"310114004": {-1120, 790},   // 嘉定镇街道
	"310114102": {120, -600},    // 南翔镇
	"310114103": {3970, 380},    // 安亭镇
	"310114106": {-1950, -1500}, // 马陆镇
	"310114109": {2850, -1410},  // 徐行镇
	"310114111": {3430, 2400},   // 华亭镇
	"310114114": {3060, 730},    // 外冈镇
	"310114118": {-2780, -2970}, // 江桥镇
	"310114401": {-960, 720},    // 菊园新区
	"310114501": {-3340, 2250},  // 嘉定工业区
}

// corner is a place where three cells meet.
type corner struct {
	at    span
	cells [3]int
}

// corners are where three cells meet and no fourth is nearer, inside the
// district or not.
func (g *diagram) corners() []corner {
	var out []corner
	n := len(g.sites)
	for i := range n {
		for j := i + 1; j < n; j++ {
			for k := j + 1; k < n; k++ {
				at, ok := g.meeting(i, j, k)
				if !ok {
					continue
				}
				for m := range n {
					if m != i && m != j && m != k && g.power(m, at) < g.power(i, at) {
						ok = false
					}
				}
				if ok {
					out = append(out, corner{at, [3]int{i, j, k}})
				}
			}
		}
	}
	return out
}

// meeting is the point of equal power to i, j and k, the district's size away
// at most.
func (g *diagram) meeting(i, j, k int) (span, bool) {
	a, b := g.line(i, j), g.line(i, k)
	det := a.n.X*b.n.Y - a.n.Y*b.n.X
	if det == 0 {
		return span{}, false
	}
	x, y := (a.c/2*b.n.Y-b.c/2*a.n.Y)/det, (a.n.X*(b.c/2)-b.n.X*(a.c/2))/det
	const far = 1_000_000
	return span{x, y}, abs(x) < far && abs(y) < far
}

// halving is the line of equal power n·p = c/2 between two sites.
type halving struct {
	n span
	c int64
}

func (g *diagram) line(i, j int) halving {
	s, t := g.sites[i], g.sites[j]
	return halving{span{t.X - s.X, t.Y - s.Y}, t.square() - s.square() - g.weight[j] + g.weight[i]}
}

// frontier is the straight border between cells a and b, a on the
// left of from→to.
type frontier struct {
	a, b     int
	from, to span
}

// frontiers are all borders between cells; those without a corner at one end run
// on for 60 km.
func (g *diagram) frontiers() ([]frontier, error) {
	var out []frontier
	corners := g.corners()
	for i := range g.sites {
		for j := i + 1; j < len(g.sites); j++ {
			var at []span
			for _, c := range corners {
				if has(c.cells, i) && has(c.cells, j) {
					at = append(at, c.at)
				}
			}
			n := g.line(i, j).n
			along := span{-n.Y, n.X} // i on the left
			if len(at) == 0 {
				continue
			}
			if len(at) == 1 {
				l := along.length()
				step := func(m int64) span { return span{at[0].X + along.X*m/l, at[0].Y + along.Y*m/l} }
				if k := g.nearest(step(10_000)); k == i || k == j {
					at = append(at, step(600_000))
				} else {
					at = append(at, step(-600_000))
				}
			}
			if len(at) > 2 {
				return nil, fault.New(fault.Internal, "streets %d and %d meet at %d corners", i, j, len(at))
			}
			from, to := at[0], at[1]
			if (to.X-from.X)*along.X+(to.Y-from.Y)*along.Y < 0 {
				from, to = to, from
			}
			out = append(out, frontier{i, j, from, to})
		}
	}
	return out, nil
}

func has(cells [3]int, i int) bool { return cells[0] == i || cells[1] == i || cells[2] == i }
