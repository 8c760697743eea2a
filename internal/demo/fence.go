package demo

import "lianqin/internal/geo"

// fence is a set of edges that new borders must keep clear of, sorted into
// square cells.
type fence struct {
	edges  []segment
	x0, y0 int64
	w, h   int64
	bits   uint
	start  []int32 // of each cell, into items
	items  []int32
}

// segment is an edge and the place of its first vertex in the ring it is of.
type segment struct {
	a, b geo.Coord
	at   int
}

func ringSegments(ring []geo.Coord) []segment {
	out := make([]segment, len(ring))
	for i, a := range ring {
		out[i] = segment{a, ring[(i+1)%len(ring)], i}
	}
	return out
}

func newFence(edges []segment) *fence {
	f := &fence{edges: edges}
	lo, hi := edges[0].a, edges[0].a
	for _, e := range edges {
		l, h := bounds([]geo.Coord{lo, hi, e.a, e.b})
		lo, hi = l, h
	}
	f.x0, f.y0 = int64(lo.X), int64(lo.Y)
	dx, dy := int64(hi.X)-f.x0, int64(hi.Y)-f.y0
	for f.bits = 10; (dx>>f.bits+1)*(dy>>f.bits+1) > int64(2*len(edges)); {
		f.bits++
	}
	f.w, f.h = dx>>f.bits+1, dy>>f.bits+1
	f.start = make([]int32, f.w*f.h+1)
	for i := range edges {
		f.cells(edges[i].a, edges[i].b, 0, func(c int64) { f.start[c+1]++ })
	}
	for c := 1; c < len(f.start); c++ {
		f.start[c] += f.start[c-1]
	}
	f.items = make([]int32, f.start[len(f.start)-1])
	fill := append([]int32(nil), f.start...)
	for i := range edges {
		f.cells(edges[i].a, edges[i].b, 0, func(c int64) { f.items[fill[c]] = int32(i); fill[c]++ })
	}
	return f
}

// cells calls visit for the cells that the box of a–b, widened by margin
// units, touches.
func (f *fence) cells(a, b geo.Coord, margin int64, visit func(cell int64)) {
	x0, x1 := (int64(min(a.X, b.X))-margin-f.x0)>>f.bits, (int64(max(a.X, b.X))+margin-f.x0)>>f.bits
	y0, y1 := (int64(min(a.Y, b.Y))-margin-f.y0)>>f.bits, (int64(max(a.Y, b.Y))+margin-f.y0)>>f.bits
	for y := max(0, y0); y <= min(f.h-1, y1); y++ {
		for x := max(0, x0); x <= min(f.w-1, x1); x++ {
			visit(y*f.w + x)
		}
	}
}

// free reports whether path meets no edge, its own two ends excepted, and
// keeps its inner vertices clearMM from them; the first and last few vertices,
// which cannot, keep a third of that.
func (f *fence) free(path []geo.Coord, clearMM int64) bool {
	last := len(path) - 1
	margin := clearMM * 1000 / unitXUM
	for k := 1; k <= last; k++ {
		a, b := path[k-1], path[k]
		need := clearMM
		if k <= 4 || last-k <= 3 {
			need /= 3
		}
		ok := true
		f.cells(a, b, margin, func(cell int64) {
			for _, i := range f.items[f.start[cell]:f.start[cell+1]] {
				if !ok {
					return
				}
				e := &f.edges[i]
				atEnd := k == 1 && (e.a == a || e.b == a) || k == last && (e.a == b || e.b == b)
				if !atEnd {
					ok = !meet(a, b, e.a, e.b) && (k == last || segmentMM2(b, e.a, e.b) >= need*need)
				}
			}
		})
		if !ok {
			return false
		}
	}
	return true
}

// meet reports whether the segments a–b and c–d have a point in common.
func meet(a, b, c, d geo.Coord) bool {
	if max(a.X, b.X) < min(c.X, d.X) || max(c.X, d.X) < min(a.X, b.X) ||
		max(a.Y, b.Y) < min(c.Y, d.Y) || max(c.Y, d.Y) < min(a.Y, b.Y) {
		return false
	}
	return side(a, b, c)*side(a, b, d) <= 0 && side(c, d, a)*side(c, d, b) <= 0
}

// side is 1 when p lies left of a→b, -1 right of it, 0 on its line.
func side(a, b, p geo.Coord) int {
	switch x := geo.Cross(a, b, p); {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}
