package partition

import (
	"cmp"
	"slices"

	"lianqin/internal/geo"
)

// chain joins the arcs beside f end to end, which makes its rings without
// looking at single edges. It is false when f touches itself in a node, so that
// which arc goes on is a matter of angles. Rings and their first vertices are
// in the order in which walk finds them.
func (p *Partition) chain(f FaceID, reversed bool) ([]Ring, bool) {
	on := p.on[f]
	starts := make(map[geo.Coord]int32, len(on))
	for _, i := range on {
		from := p.along(i, reversed)
		if _, twice := starts[from.first()]; twice {
			return nil, false
		}
		starts[from.first()] = i
	}
	var rings []Ring
	for _, i := range on {
		start := p.along(i, reversed).first()
		if _, left := starts[start]; !left {
			continue
		}
		var ring Ring
		for at := start; ; {
			next, ok := starts[at]
			if !ok {
				break
			}
			delete(starts, at)
			way := p.along(next, reversed)
			ring = way.appendTo(ring)
			at = way.last()
		}
		rings = append(rings, fromLowest(ring))
	}
	slices.SortFunc(rings, func(a, b Ring) int { return cmp.Or(cmp.Compare(a[0].Y, b[0].Y), cmp.Compare(a[0].X, b[0].X)) })
	return rings, true
}

// way is an arc walked one way.
type way struct {
	points []geo.Coord
	back   bool
}

// along is the arc with index i, one's complement for back, or the other way
// when reversed.
func (p *Partition) along(i int32, reversed bool) way {
	if i < 0 {
		return way{p.arcs[^i].Points, !reversed}
	}
	return way{p.arcs[i].Points, reversed}
}

func (w way) first() geo.Coord {
	if w.back {
		return w.points[len(w.points)-1]
	}
	return w.points[0]
}

func (w way) last() geo.Coord { return way{w.points, !w.back}.first() }

// appendTo appends all vertices but the last.
func (w way) appendTo(ring Ring) Ring {
	if !w.back {
		return append(ring, w.points[:len(w.points)-1]...)
	}
	for i := len(w.points) - 1; i > 0; i-- {
		ring = append(ring, w.points[i])
	}
	return ring
}

// fromLowest turns r to begin at its lowest, westernmost vertex.
func fromLowest(r Ring) Ring {
	low := 0
	for i := range r {
		if r[i].Less(r[low]) {
			low = i
		}
	}
	if low == 0 {
		return r
	}
	return slices.Concat(r[low:], r[:low])
}
