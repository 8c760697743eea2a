package partition

import (
	"cmp"
	"math"
	"slices"

	"lianqin/internal/geo"
)

// Repairs is what Clean changed. All of it is zero when it changed nothing.
type Repairs struct {
	// Moves is how far borders moved.
	Moves Moves
	// Exchanges are the areas that changed hands, the largest first.
	Exchanges []Exchange
	// Filled are the gaps that were given to a neighbour.
	Filled Total
	// Given are the overlaps that were given to one of their owners.
	Given Total
	// Left are narrow gaps that stay open because filling them would move a
	// border too far.
	Left []Defect
	// Share is the area of Filled and of narrow overlaps in Given, as a share of
	// the covered area. It was held against MaxNoise.
	Share float64
}

// Moves says how far borders moved. Less than 2.2 cm is not counted.
type Moves struct {
	// Count is how many vertices are no longer on the border of their face.
	Count int
	// MaxM is the greatest distance of a vertex of a new border from the old
	// one.
	MaxM float64
	// Largest are the vertices of Count farthest from the new border, at most
	// MaxMoves. The tip of a spike that was cut off may be far from it.
	Largest []Move
}

// MaxMoves is how many moves a report lists.
const MaxMoves = 20

// Move is a vertex of a face and the place on the face's new border that is
// nearest to it.
type Move struct {
	Face      FaceID
	From, To  geo.Coord
	DistanceM float64
}

// Exchange is area that went from one face to another: from Outside when a gap
// was filled.
type Exchange struct {
	From, To FaceID
	AreaM2   float64
}

// account enters the decisions in the report. It refuses when they take too
// much of the area or all of a face.
func (a *allotment) account(rep *Report, opt CleanOptions) error {
	out := rep.Repairs
	narrowM2 := 0.0
	sums := make(map[Exchange]float64)
	has := make([]bool, len(a.faces))
	for i, to := range a.owner {
		if to < 0 {
			continue
		}
		has[to] = true
		r := &a.plots[i]
		set := a.ownerSet(r.owners)
		switch len(set) {
		case 1:
			continue
		case 0:
			out.Filled = Total{out.Filled.Count + 1, out.Filled.AreaM2 + r.areaM2}
			sums[Exchange{From: Outside, To: a.faces[to]}] += r.areaM2
		default:
			out.Given = Total{out.Given.Count + 1, out.Given.AreaM2 + r.areaM2}
			for _, f := range set {
				if f != to {
					sums[Exchange{From: a.faces[f], To: a.faces[to]}] += r.areaM2
				}
			}
		}
		if a.was[i] == undecided {
			narrowM2 += r.areaM2
		}
	}
	for e, m2 := range sums {
		e.AreaM2 = m2
		out.Exchanges = append(out.Exchanges, e)
	}
	slices.SortFunc(out.Exchanges, func(e, f Exchange) int {
		return cmp.Or(cmp.Compare(f.AreaM2, e.AreaM2), cmp.Compare(e.From, f.From), cmp.Compare(e.To, f.To))
	})
	if rep.CoveredM2 > 0 {
		out.Share = narrowM2 / rep.CoveredM2
	}
	if out.Share > opt.MaxNoise {
		return refuse(rep, "repairs take %.3f %% of the area, more than %.3f %%", 100*out.Share, 100*opt.MaxNoise)
	}
	if i := slices.Index(has, false); i >= 0 {
		return refuse(rep, "face %d would be left with nothing", a.faces[i])
	}
	return nil
}

// measureMoves finds how far the vertices of shapes are from the borders of
// their faces in p, and new vertices from the old borders. A line along which
// a ring runs there and back was no border. Where no rule gave overlaps away it
// refuses a border that came to lie much too far from the old one: in a tangle
// of narrow places each may be given within reach and all together not.
func (s *survey) measureMoves(original map[geo.Coord]bool, p *Partition, opt CleanOptions) error {
	out := s.report.Repairs
	var now []edge
	for _, arc := range p.arcs {
		for i := 1; i < len(arc.Points); i++ {
			now = append(now, edge{a: arc.Points[i-1], b: arc.Points[i], left: arc.Left, right: arc.Right})
		}
	}
	for _, m := range moved(s.oldBorders(false), now) {
		if original[m.From] {
			out.Moves.Count++
			out.Moves.Largest = append(out.Moves.Largest, m)
		}
	}
	slices.SortStableFunc(out.Moves.Largest, func(m, n Move) int {
		return cmp.Or(cmp.Compare(n.DistanceM, m.DistanceM), cmp.Compare(m.Face, n.Face))
	})
	out.Moves.Largest = slices.Clip(out.Moves.Largest[:min(MaxMoves, len(out.Moves.Largest))])
	for _, m := range moved(now, s.oldBorders(true)) {
		if m.DistanceM > 2*opt.ToleranceM && opt.Overlaps == RefuseOverlaps {
			return refuse(s.report, "face %d would get a border at %v, %.1f m from its old one", m.Face, m.From.Point(), m.DistanceM)
		}
		out.Moves.MaxM = max(out.Moves.MaxM, m.DistanceM)
	}
	return nil
}

// oldBorders are the lines that have different owners beside them, once for
// every face that owns one side only; those of hairlines only on demand.
func (s *survey) oldBorders(hairlines bool) []edge {
	var old []edge
	hairline := func(c int32) bool {
		r := s.of[c]
		return r != 0 && len(s.ownerSet(s.list[r].owners)) != 1 && s.widthM[r] < hairlineM
	}
	for i := range s.lines {
		l, r := s.owners(s.cell[2*i]), s.owners(s.cell[2*i+1])
		if l == r || !hairlines && (hairline(s.cell[2*i]) || hairline(s.cell[2*i+1])) {
			continue
		}
		for _, c := range s.lines[i].claims {
			if slices.Contains(s.ownerSet(l), c.face) != slices.Contains(s.ownerSet(r), c.face) {
				old = append(old, edge{a: s.lines[i].a, b: s.lines[i].b, left: s.faces[c.face]})
			}
		}
	}
	return old
}

// moved are the vertices of the first edges that are off the second ones of
// the same face.
func moved(from, to []edge) []Move {
	type key struct {
		face FaceID
		at   geo.Coord
	}
	on := make(map[key]bool, 2*len(to))
	for _, e := range to {
		for _, f := range [...]FaceID{e.left, e.right} {
			on[key{f, e.a}], on[key{f, e.b}] = true, true
		}
	}
	borders := newBorders(to)
	var out []Move
	for _, e := range from {
		for _, f := range [...]FaceID{e.left, e.right} {
			for _, v := range [...]geo.Coord{e.a, e.b} {
				if f == Outside || on[key{f, v}] {
					continue
				}
				on[key{f, v}] = true
				if m := borders.nearest(f, v); m.DistanceM > hairlineM && !math.IsInf(m.DistanceM, 1) {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// borders finds places on the borders of single faces.
type borders struct {
	edges []edge
	of    map[FaceID][]int32
	trees map[FaceID]*tree
}

func newBorders(edges []edge) *borders {
	b := &borders{edges: edges, of: make(map[FaceID][]int32), trees: make(map[FaceID]*tree)}
	for i, e := range edges {
		b.of[e.left] = append(b.of[e.left], int32(i))
		b.of[e.right] = append(b.of[e.right], int32(i))
	}
	return b
}

// nearest is the way from v to the border of f, infinite when f has none.
func (b *borders) nearest(f FaceID, v geo.Coord) Move {
	own := b.of[f]
	t := b.trees[f]
	if t == nil {
		t = newTree(len(own), func(i int32) box { return boxOf(b.edges[own[i]].a, b.edges[own[i]].b) })
		b.trees[f] = t
	}
	p := planeAt(v)
	i, d := t.nearest(p.leastTo, func(i int32) float64 {
		_, d := p.nearest(v, b.edges[own[i]].a, b.edges[own[i]].b)
		return d
	})
	m := Move{Face: f, From: v, DistanceM: d}
	if i >= 0 {
		m.To, _ = p.nearest(v, b.edges[own[i]].a, b.edges[own[i]].b)
	}
	return m
}

// leastTo is the distance from p's origin to b.
func (p plane) leastTo(b box) float64 {
	lo, hi := p.of(geo.Coord{X: b.x0, Y: b.y0}), p.of(geo.Coord{X: b.x1, Y: b.y1})
	return math.Hypot(max(0, lo.x, -hi.x), max(0, lo.y, -hi.y))
}
