package demo

import (
	"cmp"
	"math"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// frame turns positions of the diagram into coordinates of the district at
// its scale.
type frame struct {
	origin, centre geo.Coord
	scale          int32
}

func (f frame) coord(dm span) geo.Coord {
	return f.enlarge(shift(f.origin, span{dm.X * 100, dm.Y * 100}))
}

func frameOf(ring []geo.Coord, scale int) frame {
	lo, hi := bounds(ring)
	centre := geo.Coord{X: lo.X + (hi.X-lo.X)/2, Y: lo.Y + (hi.Y-lo.Y)/2}
	return frame{origin: ring[0], centre: centre, scale: int32(scale)}
}

// enlarge moves c away from the centre by the factor scale.
func (f frame) enlarge(c geo.Coord) geo.Coord {
	return geo.Coord{X: f.centre.X + (c.X-f.centre.X)*f.scale, Y: f.centre.Y + (c.Y-f.centre.Y)*f.scale}
}

// outlineStepMM is about the distance between vertices along the outline.
const outlineStepMM = 36_000

// refine keeps every vertex of ring and puts more on its straight edges, as
// near to them as the integer grid allows.
func refine(ring []geo.Coord, seed uint64) []geo.Coord {
	var out []geo.Coord
	d := throw(seed)
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		out = append(out, a)
		n := max(1, divRound(distanceMM(a, b), outlineStepMM))
		for k := int64(1); k < n; k++ {
			t := k*1000 + d.around(200) - 1000
			out = append(out, geo.Coord{
				X: a.X + int32(divRound(int64(b.X-a.X)*t, n*1000)),
				Y: a.Y + int32(divRound(int64(b.Y-a.Y)*t, n*1000)),
			})
		}
	}
	return out
}

// lay divides the district among the streets: one simple plot each, of the
// listed areas, with its seat inside.
func lay(ring []geo.Coord, wards []ward, scale int, seed uint64) ([]*plot, error) {
	f := frameOf(ring, scale)
	large := make([]geo.Coord, len(ring))
	for i, c := range ring {
		large[i] = f.enlarge(c)
	}
	outer := newPlot(refine(large, mix(seed, 7)), nil)

	listed := int64(0)
	for _, w := range wards {
		listed += w.areaM2
	}
	fair := make([]int64, len(wards))
	for i, w := range wards {
		fair[i] = m2(newPlot(ring, nil).area()) * (w.areaM2 / 1000) / (listed / 1000)
	}
	g := newDiagram(ring, wards)
	for range 5 {
		g.balance(fair)
	}
	return g.level(fair, scale, func(chosen map[int]choice) ([]*plot, error) {
		return g.plots(outer, f, wards, chosen, seed)
	})
}

// level draws the streets again and again, and shifts the weights by what
// their areas miss of fair, because borders that wander move more land one
// way than the other. It ends when all are within 0.6 % or keeps the best of
// thirty rounds.
func (g *diagram) level(fair []int64, scale int, draw func(map[int]choice) ([]*plot, error)) (best []*plot, err error) {
	n := len(fair)
	chosen := make(map[int]choice)
	short, last, gain := make([]int64, n), make([]int64, n), make([]int64, n)
	weight, least := slices.Clone(g.weight), int64(math.MaxInt64)
	for round := range 30 {
		if round < 4 {
			clear(chosen) // later rounds keep to what the fourth chose, to converge
		}
		plots, err := draw(chosen)
		if err != nil && best == nil {
			return nil, err
		}
		if err != nil { // went too far
			copy(g.weight, weight)
			clear(gain)
			continue
		}
		off := int64(0)
		for i, p := range plots {
			short[i] = fair[i] - m2(p.area())/int64(scale*scale)
			off = max(off, abs(short[i])*1000/fair[i])
		}
		if off < least {
			best, least = plots, off
			copy(weight, g.weight)
		}
		if off <= 6 {
			break
		}
		for i := range short {
			if short[i] > 0 == (last[i] > 0) {
				gain[i] = min(1500, gain[i]*3/2+16)
			} else {
				gain[i] = max(16, gain[i]/3)
			}
			g.weight[i] += short[i] * gain[i]
		}
		copy(last, short)
	}
	return best, nil
}

// stretch is a border run with one street on its left.
type stretch []geo.Coord

// plots draws the diagram's borders over the outline and follows each street's
// around its land.
func (g *diagram) plots(outer *plot, f frame, wards []ward, chosen map[int]choice, seed uint64) ([]*plot, error) {
	sides, err := g.frontiers()
	if err != nil {
		return nil, err
	}
	left := make([][]stretch, len(wards))
	var gates []gate
	fixed := ringSegments(outer.ring)
	for _, s := range sides {
		draw := frontierDrawer{newFence(fixed), frontierCourse(wards[s.a], wards[s.b]), mix(seed, 8, uint64(s.a), uint64(s.b)), chosen[s.a*len(wards)+s.b]}
		path, gate := draw.between(outer, f.coord(s.from), f.coord(s.to))
		if path == nil {
			continue
		}
		chosen[s.a*len(wards)+s.b] = draw.prefer
		if gate.at >= 0 {
			gate.after, gate.before = s.a, s.b
			if gate.inbound {
				gate.after, gate.before = s.b, s.a
			}
			gates = append(gates, gate)
		}
		for k := 1; k < len(path); k++ {
			fixed = append(fixed, segment{path[k-1], path[k], 0})
		}
		left[s.a] = append(left[s.a], path)
		back := slices.Clone(path)
		slices.Reverse(back)
		left[s.b] = append(left[s.b], back)
	}
	slices.SortFunc(gates, func(a, b gate) int { return cmp.Compare(a.at, b.at) })
	for i, a := range gates {
		b := gates[(i+1)%len(gates)]
		if a.after != b.before || a.at == b.at {
			return nil, fault.New(fault.Internal, "the outline after the border of %s and %s is not one street's", wards[a.after].name, wards[a.before].name)
		}
		run := stretch{outer.ring[a.at]}
		for k := a.at; k != b.at; {
			k = (k + 1) % len(outer.ring)
			run = append(run, outer.ring[k])
		}
		left[a.after] = append(left[a.after], run)
	}
	out := make([]*plot, len(wards))
	for i := range wards {
		if out[i] = follow(left[i]); out[i] == nil {
			return nil, fault.New(fault.Internal, "the land of %s is not in one piece", wards[i].name)
		}
	}
	return out, nil
}

// gate is where a street border meets the outline: the vertex, the street that
// owns the outline after it counter-clockwise and the one before it.
type gate struct {
	at            int
	inbound       bool // the border begins here
	after, before int
}

// choice is how the border of two streets was drawn before: how many vertices
// of the outline its end lies from where the straight line would leave, and
// which of the tries fitted.
type choice struct {
	made      bool
	gate, try int
}

// frontierDrawer draws the border between two streets.
type frontierDrawer struct {
	fixed  *fence
	style  course
	seed   uint64
	prefer choice
}

// between draws the border from one corner of the diagram to another, as far
// as it lies in outer; nil when it lies outside.
func (d *frontierDrawer) between(outer *plot, from, to geo.Coord) (stretch, gate) {
	inFrom, inTo := outer.holds(from), outer.holds(to)
	switch {
	case inFrom && inTo:
		return d.draw(from, to), gate{at: -1}
	case !inFrom && !inTo:
		return nil, gate{}
	case inTo:
		path, g := d.between(outer, to, from)
		slices.Reverse(path)
		g.inbound = true
		return path, g
	}
	first, n := outer.exit(from, to), len(outer.ring)
	exits := outer.exits(from, first)
	if d.prefer.made {
		exits = slices.Insert(exits, 0, (first+d.prefer.gate+n)%n)
	}
	for _, at := range exits {
		if path := d.draw(from, outer.ring[at]); path != nil && outer.inward(at, path[len(path)-2]) {
			d.prefer = choice{true, at - first, d.prefer.try}
			return path, gate{at: at}
		}
	}
	return nil, gate{}
}

// draw wanders from one place to another, as wildly as the borders already
// drawn allow.
func (d *frontierDrawer) draw(from, to geo.Coord) stretch {
	damps := [...]int64{1000, 1000, 800, 600, 400, 200, 60, 0}
	for k := range damps {
		try := (d.prefer.try + k) % len(damps)
		if path := wander(from, to, d.style, mix(d.seed, uint64(try)), damps[try]); d.fixed.free(path, d.style.stepMM) {
			d.prefer.try = try
			return path
		}
	}
	return nil
}

// exits are vertices of the outline around the one where a straight line from
// inside leaves, those first that are near and squarely met.
func (p *plot) exits(inside geo.Coord, first int) []int {
	n := len(p.ring)
	step := max(1, n/5000) // the outline has 5,000 vertices at scale 1
	var out []chord
	for o := -60; o <= 60; o++ {
		at := ((first+o*step)%n + n) % n
		t, c := between(p.ring[(at+n-3)%n], p.ring[(at+3)%n]), between(p.ring[at], inside)
		l := c.length()
		out = append(out, chord{0, at, l + l/1000*slant(t, c)/2 + int64(max(o, -o)*step)*outlineStepMM/4})
	}
	slices.SortFunc(out, byScore)
	exits := make([]int, len(out))
	for i, c := range out {
		exits[i] = c.to
	}
	return exits
}

// exit is the vertex of the outline nearest to where the line from inside to
// outside first leaves.
func (p *plot) exit(inside, outside geo.Coord) int {
	best, least := 0, int64(math.MaxInt64)
	n := len(p.ring)
	for i, a := range p.ring {
		b := p.ring[(i+1)%n]
		if !meet(inside, outside, a, b) {
			continue
		}
		if d := distanceMM(inside, a); d < least {
			best, least = i, d
		}
	}
	return best
}

// frontierCourse is the manner of the border between two streets: a river's,
// with vertices as dense as their grids' borders have.
func frontierCourse(a, b ward) course {
	mean := math.Sqrt(float64(a.areaM2/int64(a.urban+a.autonomous))) * math.Sqrt(float64(b.areaM2/int64(b.urban+b.autonomous)))
	return riverCourse(stepFor(int64(mean)), 4_000_000)
}

// follow joins stretches end to end into the plot that lies on their left; nil
// when they make more than one ring.
func follow(runs []stretch) *plot {
	if len(runs) == 0 {
		return nil
	}
	var ring []geo.Coord
	var corner []bool
	at := runs[0][0]
	for range runs {
		i := slices.IndexFunc(runs, func(s stretch) bool { return s[0] == at })
		if i < 0 {
			return nil
		}
		for k, c := range runs[i][:len(runs[i])-1] {
			ring, corner = append(ring, c), append(corner, k == 0)
		}
		at = runs[i][len(runs[i])-1]
		if at == runs[0][0] {
			break
		}
	}
	n := 0
	for _, s := range runs {
		n += len(s) - 1
	}
	if at != runs[0][0] || len(ring) != n {
		return nil
	}
	return newPlot(ring, corner)
}
