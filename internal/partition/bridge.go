package partition

import (
	"cmp"
	"math"
	"slices"

	"lianqin/internal/geo"
)

// bridgeSpan is a bridge under consideration: from a vertex to the nearest
// place on another face's border across what nobody owns.
type bridgeSpan struct {
	to     geo.Coord
	line   int32 // on which to lies
	owners int32 // beside it
	lenM   float64
}

// bridges cuts what nobody owns wherever two faces come closer than the
// tolerance: each vertex is tied to the nearest place on the other border.
// What is narrow then falls apart into cells between two faces, each with an
// obvious taker, and a slit that is open at its end is closed there. Nothing
// moves, and a cell that is not taken leaves no trace.
//
// The lines are those of the subdivision, cut where bridges end, with the
// bridges; they are not noded.
func (s *survey) bridges() []line {
	cross := make([]bool, len(s.list))
	for i := range s.list {
		cross[i] = s.needsBridges(int32(i))
	}
	var shores []int32 // half-edges with nobody's cell on their left
	for h, c := range s.cell {
		if r := s.of[c]; cross[r] && r != s.of[s.cell[h^1]] {
			shores = append(shores, int32(h))
		}
	}
	t := newTree(len(shores), func(i int32) box { return boxOf(s.fan.from(shores[i]), s.fan.to(shores[i])) })
	var spans []line
	var cuts []cut
	var near []int32
	for _, h := range shores {
		v := s.fan.from(h)
		p := planeAt(v)
		near = t.search(boxOf(v, v).grow(p.units(s.opt.ToleranceM)), near[:0])
		if t.work += len(near); t.work > maxWork(len(s.lines)) {
			break // bridges only help; without them more is left to a person
		}
		for i, n := range near {
			near[i] = shores[n]
		}
		for _, b := range s.spansFrom(h, p, near) {
			a, c := v, b.to
			if !geo.Upward(a, c) {
				a, c = c, a
			}
			spans = append(spans, line{a: a, b: c, fresh: true})
			if l := &s.lines[b.line]; b.to != l.a && b.to != l.b {
				cuts = append(cuts, cut{b.line, b.to})
			}
		}
	}
	if len(spans) == 0 {
		return nil
	}
	n := newNoder(s.lines)
	n.apply(dedupe(s.lines, cuts))
	return replaceLines(n.result(), nil, foldLines(spans))
}

// needsBridges says that region r is nobody's and not simply a narrow cell
// between two faces.
func (s *survey) needsBridges(r int32) bool {
	if s.list[r].owners != 0 {
		return false
	}
	return r == 0 || s.widthM[r] >= s.opt.ToleranceM || len(s.facesAround(&s.list[r])) > 2
}

// spansFrom are the bridges from the origin of shore h: the nearest to each
// owner set that has a face which the origin does not touch.
func (s *survey) spansFrom(h int32, p plane, near []int32) []bridgeSpan {
	v := s.fan.from(h)
	var out []bridgeSpan
	for _, g := range near {
		a, b := s.fan.from(g), s.fan.to(g)
		owners := s.owners(s.cell[g^1])
		if a == v || b == v || s.of[s.cell[g]] != s.of[s.cell[h]] || geo.Cross(a, b, v) <= 0 || s.touchesAll(h, owners) {
			continue
		}
		to, lenM := p.nearest(v, a, b)
		if lenM > s.opt.ToleranceM || to == v || !s.opensTo(h, to) {
			continue
		}
		span := bridgeSpan{to, g >> 1, owners, lenM}
		i := slices.IndexFunc(out, func(o bridgeSpan) bool { return o.owners == owners })
		if i < 0 {
			out = append(out, span)
		} else if cmp.Or(cmp.Compare(lenM, out[i].lenM), cmp.Compare(span.line, out[i].line)) < 0 {
			out[i] = span
		}
	}
	return out
}

// touchesAll reports whether each face of an owner set touches the origin of h.
func (s *survey) touchesAll(h, owners int32) bool {
	for _, f := range s.ownerSet(owners) {
		if !slices.ContainsFunc(s.fan.around(int(s.fan.vert[h])), func(k int32) bool {
			return slices.Contains(s.ownerSet(s.owners(s.cell[k])), f)
		}) {
			return false
		}
	}
	return true
}

// opensTo reports whether the way from h's origin towards c starts into the
// cell on the left of h.
func (s *survey) opensTo(h int32, c geo.Coord) bool {
	v := s.fan.vert[h]
	k := s.fan.slot[h] + 1 // the next half-edge counter-clockwise
	if k == s.fan.first[v+1] {
		k = s.fan.first[v]
	}
	o, p, q := s.fan.from(h), s.fan.to(h), s.fan.to(s.fan.halfs[k])
	if p == q {
		return geo.Cross(o, p, c) != 0
	}
	leftOfFirst, rightOfSecond := geo.Cross(o, p, c) > 0, geo.Cross(o, q, c) < 0
	if geo.Cross(o, p, q) > 0 {
		return leftOfFirst && rightOfSecond
	}
	return leftOfFirst || rightOfSecond
}

// units is how many units m metres are at most, each way.
func (p plane) units(m float64) (dx, dy int32) {
	// Near the poles a metre is many degrees of longitude: let it be what it is
	// at 85 degrees.
	return int32(m/max(p.xm, p.ym/12)) + 1, int32(m/p.ym) + 1
}

// nearest is the coordinate nearest to v on a–b and its distance in metres.
func (p plane) nearest(v, a, b geo.Coord) (geo.Coord, float64) {
	e, c := spotEdge{p.of(a), p.of(b)}, p.of(v)
	dx, dy := e.b.x-e.a.x, e.b.y-e.a.y
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(1, max(0, ((c.x-e.a.x)*dx+(c.y-e.a.y)*dy)/l))
	}
	on := geo.Coord{
		X: a.X + int32(math.Round(t*float64(int64(b.X)-int64(a.X)))),
		Y: a.Y + int32(math.Round(t*float64(int64(b.Y)-int64(a.Y)))),
	}
	return on, math.Sqrt(e.dist2(c))
}
