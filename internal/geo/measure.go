package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// The WGS-84 ellipsoid.
const (
	semiMajorM = 6378137.0
	flattening = 1 / 298.257223563
	ecc2       = flattening * (2 - flattening)
)

// Scale is how many metres one degree measures around a latitude, on the
// WGS-84 ellipsoid. It makes a plane of a neighbourhood: within 50 km of the
// latitude it was made for, lengths are good to 0.1 %.
type Scale struct{ XM, YM float64 }

// ScaleAt is the Scale at latDeg degrees of latitude.
func ScaleAt(latDeg float64) Scale {
	sin, cos := math.Sincos(latDeg * math.Pi / 180)
	w2 := 1 - ecc2*sin*sin
	n := semiMajorM / math.Sqrt(w2) // radius of curvature in the prime vertical
	m := n * (1 - ecc2) / w2        // and in the meridian
	return Scale{XM: n * cos * math.Pi / 180, YM: m * math.Pi / 180}
}

// DistanceM is the distance in metres on the plane of s.
func (s Scale) DistanceM(a, b orb.Point) float64 {
	return math.Hypot((b[0]-a[0])*s.XM, (b[1]-a[1])*s.YM)
}

// FarM is from where on the earth is a sphere to DistanceM.
const FarM = 300_000

// DistanceM is the distance between a and b in metres: within 0.1 % of the
// geodesic up to FarM, by the mid-latitude formula on the ellipsoid, and within
// 0.6 % beyond, by the haversine formula on the sphere of the mean radius.
func DistanceM(a, b orb.Point) float64 {
	d := ScaleAt((a[1]+b[1])/2).DistanceM(a, b)
	if d < FarM {
		return d
	}
	const meanRadiusM = 6371008.8
	const rad = math.Pi / 180
	sinLat, sinLon := math.Sin((b[1]-a[1])*rad/2), math.Sin((b[0]-a[0])*rad/2)
	h := sinLat*sinLat + math.Cos(a[1]*rad)*math.Cos(b[1]*rad)*sinLon*sinLon
	return 2 * meanRadiusM * math.Asin(math.Sqrt(min(1, h)))
}

// SegmentDistanceM is the distance in metres from p to the segment a–b on the
// plane of s.
func (s Scale) SegmentDistanceM(p, a, b orb.Point) float64 {
	ax, ay := (a[0]-p[0])*s.XM, (a[1]-p[1])*s.YM
	dx, dy := (b[0]-a[0])*s.XM, (b[1]-a[1])*s.YM
	t := 0.0
	if l2 := dx*dx + dy*dy; l2 > 0 {
		t = min(1, max(0, -(ax*dx+ay*dy)/l2))
	}
	return math.Hypot(ax+t*dx, ay+t*dy)
}

// RingAreaM2 is the area that ring encloses on the ellipsoid, in m²: positive
// when it runs counter-clockwise. The last vertex need not repeat the first.
// Edges are straight in longitude and latitude. Source: the authalic
// (equal-area cylindrical) form of Snyder, Map Projections, eq. 3-12.
func RingAreaM2(ring []Coord) float64 {
	if len(ring) < 3 {
		return 0
	}
	// Latitudes enter as differences from the first vertex's, so that a small
	// ring does not lose its digits.
	q0 := authalic(ring[0].Point()[1])
	sum := 0.0
	prev := ring[len(ring)-1].Point()
	qPrev := authalic(prev[1]) - q0
	for _, c := range ring {
		p := c.Point()
		q := authalic(p[1]) - q0
		sum -= (p[0] - prev[0]) * (q + qPrev) / 2
		prev, qPrev = p, q
	}
	return sum * math.Pi / 180 * semiMajorM * semiMajorM / 2
}

// authalic is Snyder's q: the area of a band from the equator is
// proportional to it.
func authalic(latDeg float64) float64 {
	e := math.Sqrt(ecc2)
	sin := math.Sin(latDeg * math.Pi / 180)
	es := e * sin
	return (1 - ecc2) * (sin/(1-es*es) + math.Atanh(es)/e)
}
