package demo

import (
	"math"

	"lianqin/internal/geo"
)

// The generator decides in integers only, so that every platform makes the
// same district: a compiler may fuse floating-point operations on one and not
// on another. Lengths are millimetres on a plane where a unit of longitude and
// a unit of latitude measure what they do in the middle of the district.
const (
	unitXUM = 9530  // micrometres
	unitYUM = 11086 // micrometres
)

// span is a distance east and north: in millimetres, but for the diagram of
// the streets, which reckons in decimetres.
type span struct{ X, Y int64 }

func between(a, b geo.Coord) span {
	return span{(int64(b.X) - int64(a.X)) * unitXUM / 1000, (int64(b.Y) - int64(a.Y)) * unitYUM / 1000}
}

// length is s's length rounded down; the square root is correctly rounded on
// every platform.
func (s span) length() int64 { return int64(math.Sqrt(float64(s.X*s.X + s.Y*s.Y))) }

func (s span) square() int64 { return s.X*s.X + s.Y*s.Y }

func distanceMM(a, b geo.Coord) int64 { return between(a, b).length() }

// shift is c moved by s.
func shift(c geo.Coord, s span) geo.Coord {
	return geo.Coord{X: c.X + int32(divRound(s.X*1000, unitXUM)), Y: c.Y + int32(divRound(s.Y*1000, unitYUM))}
}

func divRound(a, b int64) int64 {
	if a < 0 {
		return -((-a + b/2) / b)
	}
	return (a + b/2) / b
}

// m2 is an area in square metres, of twice the area in square units.
func m2(twice int64) int64 { return twice / 2000 * (unitXUM * unitYUM / 1000) / 1e6 }

// segmentMM2 is the square of the distance from p to the segment a–b.
func segmentMM2(p, a, b geo.Coord) int64 {
	d, v := between(a, b), between(a, p)
	l2 := d.square()
	if l2 == 0 {
		return v.square()
	}
	dot := d.X*v.X + d.Y*v.Y
	if dot <= 0 {
		return v.square()
	}
	if dot >= l2 {
		return between(b, p).square()
	}
	across := (d.X*v.Y - d.Y*v.X) / int64(math.Sqrt(float64(l2)))
	return across * across
}
