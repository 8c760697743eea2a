package partition

import (
	"math"
	"slices"

	"lianqin/internal/geo"
)

// breadth is how wide a region is and a place in it.
type breadth struct {
	at     geo.Coord
	widthM float64
}

// hairlineM is what rounding alone can do: two units. Vertices that one side
// of a border has and the other has not leave hairlines when they are rounded.
const hairlineM = 0.0223

// breadthOf measures r, already measured, by the largest circle that fits in
// it: widthM is the circle's diameter, at its centre. It is exact to about a
// twentieth of toleranceM near the tolerance, and good to a factor of two
// elsewhere. It is below toleranceM exactly when the region is.
func (s *subdivision) breadthOf(r *region, toleranceM float64) breadth {
	b := s.boundsOf(r)
	w, p := s.widener(r, b)
	floor := 2 * r.areaM2 / r.perimeterM
	most := w.most(r)
	if most < toleranceM && (len(w.edges) <= 12 || most < hairlineM) {
		// A simple sliver lies between a strip and a triangle, and of a triangle
		// the inner circle measures twice the floor.
		return breadth{s.anyPlaceIn(r, b), min(most, 2*floor)}
	}
	lo, hi := p.of(geo.Coord{X: b.x0, Y: b.y0}), p.of(geo.Coord{X: b.x1, Y: b.y1})
	probes := 2000
	if most >= toleranceM && floor < toleranceM && !w.fits(lo, hi, toleranceM/2) {
		most = math.Nextafter(toleranceM, 0)
	}
	if most < toleranceM || floor > toleranceM {
		probes = 60
	}
	step := min(toleranceM/40, floor/8)
	at, radius := w.widest(lo, hi, floor/2, step, min(probes, 16+20_000_000/len(r.border)))
	out := breadth{at: p.coord(at), widthM: min(max(floor, 2*radius), most)}
	if radius <= 0 || !s.holds(r, out.at) {
		out.at = s.anyPlaceIn(r, b)
	}
	return out
}

// narrow reports whether r, already measured, is narrower than toleranceM. It
// agrees with breadthOf and saves the search where it can.
func (s *subdivision) narrow(r *region, toleranceM float64) bool {
	if 2*r.areaM2 >= toleranceM*r.perimeterM {
		return false
	}
	b := s.boundsOf(r)
	w, p := s.widener(r, b)
	return w.most(r) < toleranceM || !w.fits(p.of(geo.Coord{X: b.x0, Y: b.y0}), p.of(geo.Coord{X: b.x1, Y: b.y1}), toleranceM/2)
}

// isHairline reports whether r, already measured, is thinner than hairlineM.
func (s *subdivision) isHairline(r *region) bool {
	w, _ := s.widener(r, s.boundsOf(r))
	return w.most(r) < hairlineM
}

func (s *subdivision) widener(r *region, b box) (*widener, plane) {
	p := planeAt(geo.Coord{X: int32((int64(b.x0) + int64(b.x1)) / 2), Y: int32((int64(b.y0) + int64(b.y1)) / 2)})
	w := &widener{edges: make([]spotEdge, len(r.border))}
	for i, h := range r.border {
		w.edges[i] = spotEdge{p.of(s.fan.from(h)), p.of(s.fan.to(h))}
	}
	return w, p
}

// most is an upper bound of the width: a circle does not fit in less than its
// own area, nor between two parallels closer than it is wide.
func (w *widener) most(r *region) float64 {
	return min(2*math.Sqrt(max(0, r.areaM2)/math.Pi), w.thickness())
}

func (s *subdivision) boundsOf(r *region) box {
	c := s.fan.from(r.border[0])
	b := boxOf(c, c)
	for _, h := range r.border {
		b = b.join(boxOf(s.fan.from(h), s.fan.to(h)))
	}
	return b
}

// holds reports whether c is in r by the half-open rule.
func (s *subdivision) holds(r *region, c geo.Coord) bool {
	in := false
	for _, h := range r.border {
		a, b := s.lines[h>>1].a, s.lines[h>>1].b
		if a.Y <= c.Y && c.Y < b.Y && !geo.LeftOf(a, b, c) {
			in = !in
		}
	}
	return in
}

// anyPlaceIn is a coordinate in r, near the middle of its widest row. Where r
// has no integer point within, it is a vertex.
func (s *subdivision) anyPlaceIn(r *region, b box) geo.Coord {
	best, wide := s.fan.from(r.border[0]), -1.0
	const rows = 7 // odd, so that the middle is one of them
	for k := range int64(rows) {
		y := int64(b.y0) + (int64(b.y1)-int64(b.y0))*(2*k+1)/(2*rows)
		var xs []float64
		for _, h := range r.border {
			l := &s.lines[h>>1]
			if int64(l.a.Y) <= y && y < int64(l.b.Y) {
				t := float64(y-int64(l.a.Y)) / float64(int64(l.b.Y)-int64(l.a.Y))
				xs = append(xs, float64(l.a.X)+t*float64(int64(l.b.X)-int64(l.a.X)))
			}
		}
		slices.Sort(xs)
		from, to := 0.0, -1.0
		for i := 0; i+1 < len(xs); i += 2 {
			if xs[i+1]-xs[i] > to-from {
				from, to = xs[i], xs[i+1]
			}
		}
		c := geo.Coord{X: int32(math.Round((from + to) / 2)), Y: int32(y)}
		if to-from > wide && s.holds(r, c) {
			best, wide = c, to-from
		}
	}
	return best
}

type spotEdge struct{ a, b spot }

// widener searches the largest circle that fits between edges.
type widener struct {
	edges []spotEdge
	heap  []probe
}

// probe is a square of half-width half: r is the distance of its middle from
// the edges, negative outside; top is what a circle in the square may reach.
type probe struct {
	at           spot
	half, r, top float64
}

// thickness is the extent across the line between the two ends of the longest
// of a few chords: an upper bound of every inner circle's diameter.
func (w *widener) thickness() float64 {
	far := func(from spot) (best spot) {
		d := -1.0
		for _, e := range w.edges {
			if l := math.Hypot(e.a.x-from.x, e.a.y-from.y); l > d {
				best, d = e.a, l
			}
		}
		return best
	}
	p := far(w.edges[0].a)
	q := far(p)
	l := math.Hypot(q.x-p.x, q.y-p.y)
	if l == 0 {
		return 0
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, e := range w.edges {
		d := ((q.x-p.x)*(e.a.y-p.y) - (q.y-p.y)*(e.a.x-p.x)) / l
		lo, hi = min(lo, d), max(hi, d)
	}
	return hi - lo
}

// fits reports whether a circle of that radius fits. It gives up, and says
// yes, where that takes too many probes.
func (w *widener) fits(lo, hi spot, radius float64) bool {
	half := max(min(hi.x-lo.x, hi.y-lo.y), max(hi.x-lo.x, hi.y-lo.y)/16, radius) / 2
	var stack []probe
	for x := lo.x; x < hi.x; x += 2 * half {
		for y := lo.y; y < hi.y; y += 2 * half {
			stack = append(stack, probe{at: spot{x + half, y + half}, half: half})
		}
	}
	for left := 4000 + 20_000_000/len(w.edges); len(stack) > 0; left-- {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		r := w.distance(p.at)
		if r >= radius || left == 0 {
			return true
		}
		// A circle that fits only just is taken for one that does not.
		if r+p.half*math.Sqrt2 < radius || p.half < radius/64 {
			continue
		}
		h := p.half / 2
		for _, d := range [...]spot{{-h, -h}, {h, -h}, {-h, h}, {h, h}} {
			stack = append(stack, probe{at: spot{p.at.x + d.x, p.at.y + d.y}, half: h})
		}
	}
	return false
}

// widest finds the largest inner circle to within step, or the best after so
// many probes, but at least radius floor: squares that cannot beat it are not
// searched, and the answer is then any place with a circle nearly as large.
func (w *widener) widest(lo, hi spot, floor, step float64, probes int) (at spot, radius float64) {
	size := max(min(hi.x-lo.x, hi.y-lo.y), max(hi.x-lo.x, hi.y-lo.y)/16)
	if size <= 0 {
		return lo, 0
	}
	radius = math.Inf(-1)
	for x := lo.x; x < hi.x; x += size {
		for y := lo.y; y < hi.y; y += size {
			at, radius = w.push(spot{x + size/2, y + size/2}, size/2, at, radius)
		}
	}
	for n := 0; n < probes && len(w.heap) > 0; n++ {
		p := w.pop()
		if p.top <= max(radius*1.02, floor*0.98)+step && radius > 0 {
			break
		}
		h := p.half / 2
		for _, d := range [...]spot{{-h, -h}, {h, -h}, {-h, h}, {h, h}} {
			at, radius = w.push(spot{p.at.x + d.x, p.at.y + d.y}, h, at, radius)
		}
	}
	return at, radius
}

func (w *widener) push(c spot, half float64, at spot, radius float64) (spot, float64) {
	p := probe{at: c, half: half, r: w.distance(c)}
	p.top = p.r + half*math.Sqrt2
	if p.top > 0 {
		w.heap = append(w.heap, p)
		for i := len(w.heap) - 1; i > 0 && w.heap[(i-1)/2].top < w.heap[i].top; i = (i - 1) / 2 {
			w.heap[i], w.heap[(i-1)/2] = w.heap[(i-1)/2], w.heap[i]
		}
	}
	if p.r > radius {
		return c, p.r
	}
	return at, radius
}

func (w *widener) pop() probe {
	top := w.heap[0]
	last := len(w.heap) - 1
	w.heap[0] = w.heap[last]
	w.heap = w.heap[:last]
	for i := 0; ; {
		k := 2*i + 1
		if k+1 < last && w.heap[k+1].top > w.heap[k].top {
			k++
		}
		if k >= last || w.heap[k].top <= w.heap[i].top {
			return top
		}
		w.heap[i], w.heap[k] = w.heap[k], w.heap[i]
		i = k
	}
}

// distance is how far c is from the edges, negative outside.
func (w *widener) distance(c spot) float64 {
	in, d2 := false, math.Inf(1)
	for _, e := range w.edges {
		if (e.a.y <= c.y) != (e.b.y <= c.y) && c.x > e.a.x+(e.b.x-e.a.x)*(c.y-e.a.y)/(e.b.y-e.a.y) {
			in = !in
		}
		d2 = min(d2, e.dist2(c))
	}
	if in {
		return math.Sqrt(d2)
	}
	return -math.Sqrt(d2)
}

// dist2 is the square of the distance from c to e.
func (e spotEdge) dist2(c spot) float64 {
	ax, ay := c.x-e.a.x, c.y-e.a.y
	dx, dy := e.b.x-e.a.x, e.b.y-e.a.y
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(1, max(0, (ax*dx+ay*dy)/l))
	}
	ax, ay = ax-t*dx, ay-t*dy
	return ax*ax + ay*ay
}
