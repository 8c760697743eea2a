package partition

import (
	"fmt"
	"slices"

	"lianqin/internal/geo"
)

// findCrossings reports every pair of edges that meet anywhere but in a common
// end. Edges are sorted into square cells; only edges of one cell are compared.
func findCrossings(edges []edge, bad *NotPartition) {
	forMeetings(edges, func(i, j int32, at geo.Coord) {
		e, f := edges[i], edges[j]
		faces := []FaceID{e.left, e.right, f.left, f.right}
		slices.Sort(faces)
		faces = slices.DeleteFunc(slices.Compact(faces), func(f FaceID) bool { return f == Outside })
		bad.add(Defect{Kind: Crossing, Faces: faces, At: at, Msg: fmt.Sprintf("%v meets %v", e, f)})
	})
}

// forMeetings calls f once for every two edges that meet anywhere but in a
// common end, with a vertex of one of them near the place.
func forMeetings(edges []edge, f func(i, j int32, at geo.Coord)) {
	c := newCells(edges)
	if c.pairs() > 64*len(edges)+4096 { // the edges lie too unevenly for squares of one size
		forMeetingsByTree(edges, f)
		return
	}
	for cell := range c.count() {
		in := c.at(cell)
		for n, i := range in {
			for _, j := range in[n+1:] {
				if at, ok := meet(&edges[i], &edges[j]); ok && c.first(&edges[i], &edges[j]) == cell {
					f(i, j, at)
				}
			}
		}
	}
}

func forMeetingsByTree(edges []edge, f func(i, j int32, at geo.Coord)) {
	t := newTree(len(edges), func(i int32) box { return boxOf(edges[i].a, edges[i].b) })
	var near []int32
	for i := range edges {
		near = t.searchLine(edges[i].a, edges[i].b, 0, 0, near[:0])
		for _, j := range near {
			if int(j) > i {
				if at, ok := meet(&edges[i], &edges[j]); ok {
					f(int32(i), j, at)
				}
			}
		}
	}
}

// meet reports whether e and f have a point in common other than one common
// end, and an end of one of them at or near it.
func meet(e, f *edge) (geo.Coord, bool) {
	if max(e.a.X, e.b.X) < min(f.a.X, f.b.X) || max(f.a.X, f.b.X) < min(e.a.X, e.b.X) || e.b.Y < f.a.Y || f.b.Y < e.a.Y {
		return geo.Coord{}, false
	}
	if e.a == f.a || e.a == f.b || e.b == f.a || e.b == f.b {
		return meetAtEnd(e, f)
	}
	ea, eb := geo.Cross(f.a, f.b, e.a), geo.Cross(f.a, f.b, e.b)
	fa, fb := geo.Cross(e.a, e.b, f.a), geo.Cross(e.a, e.b, f.b)
	if ea == 0 && eb == 0 { // in line: they meet where an end of one lies in the other's box
		for _, v := range [...]geo.Coord{e.a, e.b} {
			if inBox(f, v) {
				return v, true
			}
		}
		return f.a, inBox(e, f.a)
	}
	if (ea > 0) == (eb > 0) && ea != 0 && eb != 0 || (fa > 0) == (fb > 0) && fa != 0 && fb != 0 {
		return geo.Coord{}, false
	}
	switch {
	case ea == 0:
		return e.a, true
	case eb == 0:
		return e.b, true
	case fa == 0:
		return f.a, true
	}
	return f.b, true
}

// meetAtEnd is meet for edges with a common end: they must not run along each
// other.
func meetAtEnd(e, f *edge) (geo.Coord, bool) {
	if e.a == f.a && e.b == f.b {
		return e.a, true
	}
	v, eo, fo := e.a, e.b, f.b // common end, far ends
	switch {
	case e.a == f.b:
		fo = f.a
	case e.b == f.a:
		v, eo = e.b, e.a
	case e.b == f.b:
		v, eo, fo = e.b, e.a, f.a
	}
	if geo.Cross(v, eo, fo) != 0 {
		return geo.Coord{}, false
	}
	dot := (int64(eo.X)-int64(v.X))*(int64(fo.X)-int64(v.X)) + (int64(eo.Y)-int64(v.Y))*(int64(fo.Y)-int64(v.Y))
	return v, dot > 0
}

func inBox(e *edge, v geo.Coord) bool {
	return min(e.a.X, e.b.X) <= v.X && v.X <= max(e.a.X, e.b.X) && e.a.Y <= v.Y && v.Y <= e.b.Y
}

// cells sorts edges into the squares of 2^shift units that their boxes touch.
type cells struct {
	x0, y0 int64
	w, h   int64
	shift  uint
	start  []int32 // per cell, into items; one more than there are cells
	items  []int32
}

// newCells takes the finest squares with at most about two cells an edge, and
// at most eight entries an edge however long a few of them are.
func newCells(edges []edge) *cells {
	b := boundOf(edges)
	c := &cells{x0: b.min.X, y0: b.min.Y}
	for c.shift = 4; ; c.shift++ {
		c.w, c.h = (b.max.X-b.min.X)>>c.shift+1, (b.max.Y-b.min.Y)>>c.shift+1
		if c.w*c.h > int64(2*len(edges)+1) {
			continue
		}
		entries := int64(0)
		for i := range edges {
			x0, y0, x1, y1 := c.box(&edges[i])
			entries += (x1 - x0 + 1) * (y1 - y0 + 1)
		}
		if entries <= int64(8*len(edges)+8) {
			break
		}
	}
	c.start = make([]int32, c.w*c.h+1)
	c.each(edges, func(_ int32, cell int64) { c.start[cell+1]++ })
	for i := range c.count() {
		c.start[i+1] += c.start[i]
	}
	c.items = make([]int32, c.start[c.count()])
	fill := slices.Clone(c.start)
	c.each(edges, func(e int32, cell int64) {
		c.items[fill[cell]] = e
		fill[cell]++
	})
	return c
}

// pairs is how many comparisons the cells ask for.
func (c *cells) pairs() (n int) {
	for i := range c.count() {
		in := len(c.at(i))
		n += in * (in - 1) / 2
	}
	return n
}

func (c *cells) count() int          { return len(c.start) - 1 }
func (c *cells) at(cell int) []int32 { return c.items[c.start[cell]:c.start[cell+1]] }

func (c *cells) box(e *edge) (x0, y0, x1, y1 int64) {
	x0, x1 = (int64(min(e.a.X, e.b.X))-c.x0)>>c.shift, (int64(max(e.a.X, e.b.X))-c.x0)>>c.shift
	return x0, (int64(e.a.Y) - c.y0) >> c.shift, x1, (int64(e.b.Y) - c.y0) >> c.shift
}

func (c *cells) each(edges []edge, f func(e int32, cell int64)) {
	for i := range edges {
		x0, y0, x1, y1 := c.box(&edges[i])
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				f(int32(i), y*c.w+x)
			}
		}
	}
}

// first is the lowest cell that both e and f are in, so that a pair that
// shares several cells is reported once.
func (c *cells) first(e, f *edge) int {
	ex, ey, _, _ := c.box(e)
	fx, fy, _, _ := c.box(f)
	return int(max(ey, fy)*c.w + max(ex, fx))
}
