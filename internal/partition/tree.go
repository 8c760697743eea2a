package partition

import (
	"math"
	"slices"

	"lianqin/internal/geo"
)

// box is a closed rectangle.
type box struct{ x0, y0, x1, y1 int32 }

func boxOf(a, b geo.Coord) box {
	return box{min(a.X, b.X), min(a.Y, b.Y), max(a.X, b.X), max(a.Y, b.Y)}
}

// grow widens b by dx and dy on every side.
func (b box) grow(dx, dy int32) box { return box{b.x0 - dx, b.y0 - dy, b.x1 + dx, b.y1 + dy} }

func (b box) meets(c box) bool { return b.x0 <= c.x1 && c.x0 <= b.x1 && b.y0 <= c.y1 && c.y0 <= b.y1 }

func (b box) join(c box) box {
	return box{min(b.x0, c.x0), min(b.y0, c.y0), max(b.x1, c.x1), max(b.y1, c.y1)}
}

// treeFan is how many boxes one node of a tree holds.
const treeFan = 8

// tree is a packed R-tree over boxes in Hilbert order. Unlike a raster it does
// not care how unevenly they lie: a stray shape on another continent costs
// nothing.
type tree struct {
	items []int32 // in the order of the lowest level
	boxes []box   // lowest level first
	level []int32 // where each level starts in boxes; one more than there are levels
	work  int     // nodes and items looked at so far
}

func newTree(n int, at func(i int32) box) *tree {
	t := &tree{items: make([]int32, n), level: []int32{0}}
	if n == 0 {
		return t
	}
	keys := make([]uint64, n)
	all := at(0)
	for i := range n {
		all = all.join(at(int32(i)))
	}
	for i := range n {
		b := at(int32(i))
		x := (int64(b.x0)+int64(b.x1))/2 - int64(all.x0)
		y := (int64(b.y0)+int64(b.y1))/2 - int64(all.y0)
		wide := max(int64(all.x1)-int64(all.x0), int64(all.y1)-int64(all.y0), 1)
		keys[i] = uint64(hilbert(uint32(x*0xffff/wide), uint32(y*0xffff/wide)))<<32 | uint64(i)
	}
	slices.Sort(keys)
	t.boxes = make([]box, 0, n+n/(treeFan-1)+8)
	for i, k := range keys {
		t.items[i] = int32(uint32(k))
		t.boxes = append(t.boxes, at(t.items[i]))
	}
	for from := 0; ; {
		to := len(t.boxes)
		t.level = append(t.level, int32(to))
		if to-from == 1 {
			return t
		}
		for i := from; i < to; i += treeFan {
			b := t.boxes[i]
			for _, c := range t.boxes[i+1 : min(i+treeFan, to)] {
				b = b.join(c)
			}
			t.boxes = append(t.boxes, b)
		}
		from = to
	}
}

// hilbert is the place of x, y (16 bits each) on the Hilbert curve.
func hilbert(x, y uint32) uint32 {
	d := uint32(0)
	for s := uint32(1 << 15); s > 0; s >>= 1 {
		rx, ry := uint32(0), uint32(0)
		if x&s != 0 {
			rx = 1
		}
		if y&s != 0 {
			ry = 1
		}
		d += s * s * (3*rx ^ ry)
		if ry == 0 {
			if rx == 1 {
				x, y = 0xffff-x, 0xffff-y
			}
			x, y = y, x
		}
	}
	return d
}

// search appends to out the items whose box meets q, in no telling order but
// always the same one.
func (t *tree) search(q box, out []int32) []int32 {
	return t.walk(q, nil, out)
}

// searchLine is search for the boxes that come within dx, dy of a–b. Boxes
// that only the line's own box meets are left out where that saves work.
func (t *tree) searchLine(a, b geo.Coord, dx, dy int32, out []int32) []int32 {
	q := boxOf(a, b).grow(dx, dy)
	miss := func(c box) bool {
		if c.x1-c.x0 >= q.x1-q.x0 || c.y1-c.y0 >= q.y1-q.y0 {
			return false
		}
		c = c.grow(dx, dy)
		s := geo.Cross(a, b, geo.Coord{X: c.x0, Y: c.y0})
		t := geo.Cross(a, b, geo.Coord{X: c.x1, Y: c.y0})
		u := geo.Cross(a, b, geo.Coord{X: c.x0, Y: c.y1})
		v := geo.Cross(a, b, geo.Coord{X: c.x1, Y: c.y1})
		return s > 0 && t > 0 && u > 0 && v > 0 || s < 0 && t < 0 && u < 0 && v < 0
	}
	return t.walk(q, miss, out)
}

func (t *tree) walk(q box, miss func(box) bool, out []int32) []int32 {
	if len(t.items) == 0 {
		return out
	}
	type node struct{ at, level int32 }
	var space [128]node
	stack := append(space[:0], node{int32(len(t.boxes) - 1), int32(len(t.level) - 2)})
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		t.work++
		if b := t.boxes[n.at]; !q.meets(b) || miss != nil && miss(b) {
			continue
		}
		if n.level == 0 {
			out = append(out, t.items[n.at])
			continue
		}
		first := t.level[n.level-1] + (n.at-t.level[n.level])*treeFan
		for c := min(first+treeFan, t.level[n.level]) - 1; c >= first; c-- {
			stack = append(stack, node{c, n.level - 1})
		}
	}
	return out
}

// nearest is the item with the least distance, and that distance; -1 in an
// empty tree. Least must not exceed the distance of any item in a box.
func (t *tree) nearest(least func(box) float64, distance func(i int32) float64) (int32, float64) {
	best, d := int32(-1), math.Inf(1)
	if len(t.items) > 0 {
		t.descend(int32(len(t.boxes)-1), len(t.level)-2, least, distance, &best, &d)
	}
	return best, d
}

func (t *tree) descend(at int32, level int, least func(box) float64, distance func(i int32) float64, best *int32, d *float64) {
	t.work++
	if level == 0 {
		if m := distance(t.items[at]); m < *d {
			*best, *d = t.items[at], m
		}
		return
	}
	type child struct {
		at int32
		d  float64
	}
	var kids [treeFan]child
	n := 0
	first := t.level[level-1] + (at-t.level[level])*treeFan
	for c := first; c < min(first+treeFan, t.level[level]); c++ {
		kids[n] = child{c, least(t.boxes[c])}
		for k := n; k > 0 && kids[k].d < kids[k-1].d; k-- {
			kids[k], kids[k-1] = kids[k-1], kids[k]
		}
		n++
	}
	for _, k := range kids[:n] {
		if k.d < *d {
			t.descend(k.at, level-1, least, distance, best, d)
		}
	}
}
