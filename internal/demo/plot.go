package demo

import (
	"lianqin/internal/geo"
)

// plot is a piece of land, one simple ring run counter-clockwise, with sums
// along it, so that the piece beyond any chord is measured at once.
type plot struct {
	ring   []geo.Coord
	corner []bool  // where a border of the plot ends
	twice  []int64 // up to each vertex: twice the area swept, seen from ring[0]
	along  []int64 // up to each vertex: the length in millimetres
}

func newPlot(ring []geo.Coord, corner []bool) *plot {
	n := len(ring)
	p := &plot{ring: ring, corner: corner, twice: make([]int64, n+1), along: make([]int64, n+1)}
	for i, a := range ring {
		b := ring[(i+1)%n]
		p.twice[i+1] = p.twice[i] + geo.Cross(ring[0], a, b)
		p.along[i+1] = p.along[i] + distanceMM(a, b)
	}
	return p
}

func (p *plot) area() int64      { return p.twice[len(p.ring)] }
func (p *plot) perimeter() int64 { return p.along[len(p.ring)] }

// beyond is twice the area of the piece that a straight chord cuts off: the
// ring from i on to j, and back.
func (p *plot) beyond(i, j int) int64 {
	a := p.twice[j] - p.twice[i] + geo.Cross(p.ring[0], p.ring[j], p.ring[i])
	if j < i {
		a += p.area()
	}
	return a
}

// onward is the length of the ring from i on to j.
func (p *plot) onward(i, j int) int64 {
	l := p.along[j] - p.along[i]
	if j < i {
		l += p.perimeter()
	}
	return l
}

// steps is the number of edges from i to j the shorter way round.
func (p *plot) steps(i, j int) int {
	d := i - j
	if d < 0 {
		d = -d
	}
	return min(d, len(p.ring)-d)
}

// cut divides p along path, which runs inside it from vertex i to vertex j:
// the piece of ring i … j and the piece of ring j … i.
func (p *plot) cut(i, j int, path []geo.Coord) (beyond, rest *plot) {
	n := len(p.ring)
	piece := func(from, to int, back func(k int) geo.Coord) *plot {
		edges := (to - from + n) % n
		ring := make([]geo.Coord, 0, edges+len(path)-1)
		corner := make([]bool, 0, edges+len(path)-1)
		for k := range edges + 1 {
			ring = append(ring, p.ring[(from+k)%n])
			corner = append(corner, p.corner[(from+k)%n] || k == 0 || k == edges)
		}
		for k := 1; k < len(path)-1; k++ {
			ring = append(ring, back(k))
			corner = append(corner, false)
		}
		return newPlot(ring, corner)
	}
	last := len(path) - 1
	return piece(i, j, func(k int) geo.Coord { return path[last-k] }),
		piece(j, i, func(k int) geo.Coord { return path[k] })
}

// holds reports whether c lies inside p, away from its border.
func (p *plot) holds(c geo.Coord) bool {
	in := false
	a := p.ring[len(p.ring)-1]
	for _, b := range p.ring {
		lo, hi := a, b
		if lo.Y > hi.Y {
			lo, hi = hi, lo
		}
		if lo.Y <= c.Y && c.Y < hi.Y && geo.Cross(lo, hi, c) > 0 {
			in = !in
		}
		a = b
	}
	return in
}

// inward reports whether the step from vertex i to c leaves into p.
func (p *plot) inward(i int, c geo.Coord) bool {
	n := len(p.ring)
	before, at, after := p.ring[(i+n-1)%n], p.ring[i], p.ring[(i+1)%n]
	if geo.Cross(before, at, after) > 0 { // a convex vertex
		return geo.Cross(at, after, c) > 0 && geo.Cross(before, at, c) > 0
	}
	return geo.Cross(at, after, c) > 0 || geo.Cross(before, at, c) > 0
}

// northWest orders plots as officials number them: the lower, the further
// north and west the middle of its box.
func (p *plot) northWest() int64 {
	lo, hi := bounds(p.ring)
	return int64(lo.X) + int64(hi.X) - int64(lo.Y) - int64(hi.Y)
}

func bounds(line []geo.Coord) (lo, hi geo.Coord) {
	lo, hi = line[0], line[0]
	for _, c := range line {
		lo.X, lo.Y = min(lo.X, c.X), min(lo.Y, c.Y)
		hi.X, hi.Y = max(hi.X, c.X), max(hi.Y, c.Y)
	}
	return lo, hi
}

// shapeOf is a figure's compactness, perimeter² / area in thousandths: a disc
// has 12566, a square 16000, and more the longer or the more ragged it is.
func shapeOf(perimeterMM, twice int64) int64 {
	m, a := perimeterMM/1000, m2(twice)
	if a <= 0 {
		return 1 << 40
	}
	return m*m/a*1000 + m*m%a*1000/a
}
