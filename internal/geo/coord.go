// Package geo holds what the earth forces on everyone else: the integer
// coordinate that decides on which side of a border a point lies, the datums
// that Chinese devices report in, and distances and areas in metres.
//
// At the program's edges a point is an orb.Point{lon, lat} in WGS-84 degrees.
// Inside, it is a Coord in units of 1e-7 degree (about 1 cm), and every
// decision is made on Coords with integer arithmetic.
package geo

import (
	"math"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// UnitsPerDegree is how many Coord units make a degree.
const UnitsPerDegree = 1e7

// Coord is a WGS-84 position, X the longitude and Y the latitude, in units of
// 1e-7 degree.
type Coord struct{ X, Y int32 }

// Quantise rounds p to the nearest Coord, halves upwards: floor(degrees·1e7 +
// 0.5), the rule of JavaScript's Math.round, so that the browser gets the
// same. It is Invalid when p is not finite or lies outside ±180, ±90 degrees.
func Quantise(p orb.Point) (Coord, error) {
	if !(math.Abs(p[0]) <= 180) {
		return Coord{}, fault.InvalidField("lon", "%v is not a longitude between -180 and 180", p[0])
	}
	if !(math.Abs(p[1]) <= 90) {
		return Coord{}, fault.InvalidField("lat", "%v is not a latitude between -90 and 90", p[1])
	}
	return Coord{quantise(p[0]), quantise(p[1])}, nil
}

// The conversion of the product keeps compilers from fusing it with the sum,
// which would round otherwise on some processors.
func quantise(deg float64) int32 { return int32(math.Floor(float64(deg*UnitsPerDegree) + 0.5)) }

// Point is c in degrees: the float64 nearest to the decimal fraction, so that
// it prints with at most seven decimals and quantises back to c.
func (c Coord) Point() orb.Point {
	return orb.Point{float64(c.X) / UnitsPerDegree, float64(c.Y) / UnitsPerDegree}
}

// Less orders coords by Y, then X.
func (c Coord) Less(d Coord) bool { return c.Y < d.Y || c.Y == d.Y && c.X < d.X }

// Cross is twice the signed area of the triangle a, b, p in square units:
// positive when p lies left of a→b, zero when the three are in line. It is
// exact while the three span less than 2^31 units (214 degrees) each way.
func Cross(a, b, p Coord) int64 {
	return (int64(b.X)-int64(a.X))*(int64(p.Y)-int64(a.Y)) - (int64(b.Y)-int64(a.Y))*(int64(p.X)-int64(a.X))
}

// Upward reports whether a→b is the direction in which an undirected edge is
// stored: towards greater Y or, when horizontal, towards lesser X. For an edge
// so directed, LeftOf is the whole of the half-open rule.
func Upward(a, b Coord) bool { return a.Y < b.Y || a.Y == b.Y && a.X > b.X }

// LeftOf reports on which side of the upward edge a→b the point p falls, a
// point on the edge included: it is treated as if it lay an infinitesimal step
// to the east and, far smaller, to the north. So a point on a border belongs
// to the face east of it, and a point on a border that runs exactly east–west
// to the face north of it: [west, east) × [south, north), as in the textbook
// ray-crossing test.
func LeftOf(a, b, p Coord) bool { return Cross(a, b, p) > 0 }
