package httpapi

import (
	"math"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
)

// mercator is p in the unit square of Web Mercator, y downwards from the
// north.
func mercator(p orb.Point) (x, y float64) {
	sin := math.Sin(min(max(p[1], -85.05112878), 85.05112878) * math.Pi / 180)
	return p[0]/360 + 0.5, 0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)
}

// tileBox is a closed box in units.
type tileBox struct{ minX, minY, maxX, maxY int32 }

func boxOf(points []tilePoint) tileBox {
	b := tileBox{points[0].X, points[0].Y, points[0].X, points[0].Y}
	for _, p := range points[1:] {
		b.minX, b.maxX = min(b.minX, p.X), max(b.maxX, p.X)
		b.minY, b.maxY = min(b.minY, p.Y), max(b.maxY, p.Y)
	}
	return b
}

func (b tileBox) union(o tileBox) tileBox {
	return tileBox{min(b.minX, o.minX), min(b.minY, o.minY), max(b.maxX, o.maxX), max(b.maxY, o.maxY)}
}

func (b tileBox) meets(o tileBox) bool {
	return b.minX <= o.maxX && o.minX <= b.maxX && b.minY <= o.maxY && o.minY <= b.maxY
}

func (b tileBox) within(o tileBox) bool {
	return b.minX >= o.minX && b.maxX <= o.maxX && b.minY >= o.minY && b.maxY <= o.maxY
}

// unitPoints rounds positions of the unit square to a grid of the given size
// and drops repetitions; ends are kept.
func (l *zoomLevel) unitPoints(coords []geo.Coord, size float64) []tilePoint {
	out := make([]tilePoint, 0, len(coords))
	for _, c := range coords {
		x, y := mercator(l.datum.FromWGS84(c.Point()))
		p := tilePoint{int32(math.Floor(x*size + 0.5)), int32(math.Floor(y*size + 0.5))}
		if n := len(out); n == 0 || out[n-1] != p {
			out = append(out, p)
		}
	}
	return out
}

// simplify drops the points of a line that lie within tolerance of what is
// left (Douglas and Peucker, 1973). Ends are kept, and of a closed line also
// the point farthest from them. The points are changed in place.
func simplify(line []tilePoint, tolerance float64) []tilePoint {
	if len(line) < 3 || tolerance <= 0 {
		return line
	}
	keep := make([]bool, len(line))
	keep[0], keep[len(line)-1] = true, true
	type span struct{ from, to int }
	stack := []span{{0, len(line) - 1}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		worst, at := tolerance*tolerance, 0
		for i := s.from + 1; i < s.to; i++ {
			if d := squareDistance(line[i], line[s.from], line[s.to]); d > worst {
				worst, at = d, i
			}
		}
		if at > 0 {
			keep[at] = true
			stack = append(stack, span{s.from, at}, span{at, s.to})
		}
	}
	out := line[:0]
	for i, p := range line {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out
}

// squareDistance is from p to the segment a–b.
func squareDistance(p, a, b tilePoint) float64 {
	ax, ay := float64(a.X)-float64(p.X), float64(a.Y)-float64(p.Y)
	dx, dy := float64(b.X)-float64(a.X), float64(b.Y)-float64(a.Y)
	t := 0.0
	if l2 := dx*dx + dy*dy; l2 > 0 {
		t = min(1, max(0, -(ax*dx+ay*dy)/l2))
	}
	x, y := ax+t*dx, ay+t*dy
	return x*x + y*y
}

// doubleTileArea is twice the signed area of a ring whose first point is not
// repeated: positive when it runs clockwise as seen on a screen.
func doubleTileArea(ring []tilePoint) int64 {
	sum := int64(0)
	prev := ring[len(ring)-1]
	for _, p := range ring {
		sum += int64(prev.X)*int64(p.Y) - int64(p.X)*int64(prev.Y)
		prev = p
	}
	return sum
}

// clipRing clips a ring to box (Sutherland and Hodgman, 1974); what remains of
// a ring in several pieces is joined along the box's sides.
func clipRing(ring []tilePoint, box tileBox) []tilePoint {
	for side := range 4 {
		if len(ring) == 0 {
			return nil
		}
		out := make([]tilePoint, 0, len(ring)+4)
		prev := ring[len(ring)-1]
		for _, p := range ring {
			in, wasIn := box.inside(p, side), box.inside(prev, side)
			if in != wasIn {
				out = append(out, box.cross(prev, p, side))
			}
			if in {
				out = append(out, p)
			}
			prev = p
		}
		ring = out
	}
	return dropRepeats(ring)
}

func dropRepeats(ring []tilePoint) []tilePoint {
	out := ring[:0]
	for _, p := range ring {
		if n := len(out); n == 0 || out[n-1] != p {
			out = append(out, p)
		}
	}
	for len(out) > 1 && out[0] == out[len(out)-1] {
		out = out[:len(out)-1]
	}
	return out
}

// inside and cross take the sides of a box in the order west, east, north,
// south.
func (b tileBox) inside(p tilePoint, side int) bool {
	switch side {
	case 0:
		return p.X >= b.minX
	case 1:
		return p.X <= b.maxX
	case 2:
		return p.Y >= b.minY
	default:
		return p.Y <= b.maxY
	}
}

func (b tileBox) cross(p, q tilePoint, side int) tilePoint {
	if q.X < p.X || q.X == p.X && q.Y < p.Y {
		p, q = q, p // the same point whichever way the edge runs
	}
	switch side {
	case 0:
		return tilePoint{b.minX, along(p.X, p.Y, q.X, q.Y, b.minX)}
	case 1:
		return tilePoint{b.maxX, along(p.X, p.Y, q.X, q.Y, b.maxX)}
	case 2:
		return tilePoint{along(p.Y, p.X, q.Y, q.X, b.minY), b.minY}
	default:
		return tilePoint{along(p.Y, p.X, q.Y, q.X, b.maxY), b.maxY}
	}
}

// along is v at u on the line from (u0, v0) to (u1, v1), rounded.
func along(u0, v0, u1, v1, u int32) int32 {
	t := (float64(u) - float64(u0)) / (float64(u1) - float64(u0))
	return v0 + int32(math.Floor(t*(float64(v1)-float64(v0))+0.5))
}

// clipLine calls emit for each piece of line inside box.
func clipLine(line []tilePoint, box tileBox, emit func([]tilePoint)) {
	var piece []tilePoint
	flush := func() {
		if len(piece) > 1 {
			emit(piece)
		}
		piece = piece[:0]
	}
	for i := 1; i < len(line); i++ {
		p, q, ok := clipSegment(line[i-1], line[i], box)
		if !ok {
			flush()
			continue
		}
		if len(piece) == 0 || piece[len(piece)-1] != p {
			flush()
			piece = append(piece, p)
		}
		if q != p {
			piece = append(piece, q)
		}
		if q != line[i] {
			flush()
		}
	}
	flush()
}

// clipSegment clips to one side after the other.
func clipSegment(p, q tilePoint, box tileBox) (tilePoint, tilePoint, bool) {
	for side := range 4 {
		switch pIn, qIn := box.inside(p, side), box.inside(q, side); {
		case !pIn && !qIn:
			return p, q, false
		case !pIn:
			p = box.cross(p, q, side)
		case !qIn:
			q = box.cross(p, q, side)
		}
	}
	return p, q, true
}
