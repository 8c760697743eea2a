package partition

import (
	"cmp"
	"slices"

	"lianqin/internal/geo"
)

// Polygons are the areas of f: each an outer ring (counter-clockwise) followed
// by its holes (clockwise), every ring simple. It is empty for a face that the
// partition does not have.
func (p *Partition) Polygons(f FaceID) [][]Ring {
	if f == Outside {
		return nil
	}
	return group(p.rings(f, false))
}

// Outline is the area that all faces cover together, as Polygons.
func (p *Partition) Outline() [][]Ring { return group(p.rings(Outside, true)) }

// Rings are all rings of f, outer and holes, in no order.
func (p *Partition) Rings(f FaceID) []Ring { return p.rings(f, false) }

// rings walks the arcs beside f with f on the left, or on the right when
// reversed.
func (p *Partition) rings(f FaceID, reversed bool) []Ring {
	if rings, ok := p.chain(f, reversed); ok {
		return rings
	}
	return p.ringsByAngle(f, reversed)
}

// ringsByAngle is rings for a face that may touch itself.
func (p *Partition) ringsByAngle(f FaceID, reversed bool) []Ring {
	var loops []edge
	for _, i := range p.on[f] {
		forward := i >= 0
		if !forward {
			i = ^i
		}
		pts := p.arcs[i].Points
		for k := 1; k < len(pts); k++ {
			// The edge's direction is carried by left and right: 1 is the
			// walked face.
			e := edge{a: pts[k-1], b: pts[k], left: 1}
			if forward == reversed {
				e.left, e.right = 0, 1
			}
			if !geo.Upward(e.a, e.b) {
				e = edge{a: e.b, b: e.a, left: e.right, right: e.left}
			}
			loops = append(loops, e)
		}
	}
	return walk(newFan(loops))
}

// walk collects the boundaries of face 1 and cuts each where it touches
// itself, so that every ring is simple.
func walk(g *fan) []Ring {
	var rings []Ring
	done := make([]bool, 2*len(g.edges))
	seen := make([]int32, g.vertices()) // place on the path, plus one
	for _, start := range g.halfs {
		if done[start] || g.left(start) != 1 {
			continue
		}
		var path []int32
		for h := start; !done[h]; h = g.next(h) {
			done[h] = true
			if at := seen[g.vert[h]]; at > 0 {
				rings = append(rings, cutLoop(g, &path, int(at-1), seen))
			}
			path = append(path, h)
			seen[g.vert[h]] = int32(len(path))
		}
		rings = append(rings, cutLoop(g, &path, 0, seen))
	}
	return rings
}

// cutLoop takes the half-edges from place at off the path as a ring.
func cutLoop(g *fan, path *[]int32, at int, seen []int32) Ring {
	ring := make(Ring, 0, len(*path)-at)
	for _, h := range (*path)[at:] {
		ring = append(ring, g.from(h))
		seen[g.vert[h]] = 0
	}
	*path = (*path)[:at]
	return ring
}

// group puts each hole into the smallest outer ring around it.
func group(rings []Ring) [][]Ring {
	type outer struct {
		ring Ring
		area int64
	}
	var outers []outer
	var holes []Ring
	for _, r := range rings {
		if a := doubleArea(r); a > 0 {
			outers = append(outers, outer{r, a})
		} else if a < 0 {
			holes = append(holes, r)
		}
	}
	slices.SortStableFunc(outers, func(a, b outer) int { return cmp.Compare(a.area, b.area) })
	out := make([][]Ring, len(outers))
	for i, o := range outers {
		out[i] = []Ring{o.ring}
	}
	for _, h := range holes {
		for i, o := range outers {
			if holds(o.ring, h) {
				out[i] = append(out[i], h)
				break
			}
		}
	}
	slices.Reverse(out) // the largest part first
	return out
}

// holds reports whether hole lies in outer. The two share no edge, so the
// middle of a hole's edge, exact in half units, is never on outer.
func holds(outer, hole Ring) bool {
	mx, my := int64(hole[0].X)+int64(hole[1].X), int64(hole[0].Y)+int64(hole[1].Y)
	in := false
	a := outer[len(outer)-1]
	for _, b := range outer {
		lo, hi := a, b
		if lo.Y > hi.Y {
			lo, hi = hi, lo
		}
		if 2*int64(lo.Y) <= my && my < 2*int64(hi.Y) {
			cross := (int64(hi.X)-int64(lo.X))*(my-2*int64(lo.Y)) - (int64(hi.Y)-int64(lo.Y))*(mx-2*int64(lo.X))
			if cross > 0 {
				in = !in
			}
		}
		a = b
	}
	return in
}

// doubleArea is twice the signed area of r in square units.
func doubleArea(r Ring) int64 {
	sum := int64(0)
	for i := 2; i < len(r); i++ {
		sum += geo.Cross(r[0], r[i-1], r[i])
	}
	return sum
}

// AreaM2 is the area of f on the ellipsoid in m².
func (p *Partition) AreaM2(f FaceID) float64 {
	sum := 0.0
	for _, r := range p.rings(f, false) {
		sum += geo.RingAreaM2(r)
	}
	return sum
}
