package geo

import (
	"math"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// Datum is the coordinate system a source reports in. It is a property of the
// source, never guessed from the numbers. CGCS2000 differs from WGS-84 by
// centimetres and is read as WGS-84.
type Datum string

const (
	WGS84 Datum = "wgs84"
	// GCJ02 is the offset datum of Chinese consumer maps, about 480 m from
	// WGS-84 in Jiading.
	GCJ02 Datum = "gcj02"
	// BD09 is Baidu's further offset of GCJ-02.
	BD09 Datum = "bd09"
)

// ParseDatum reads a datum's name; the empty string is WGS-84.
func ParseDatum(s string) (Datum, error) {
	switch d := Datum(s); d {
	case "", "cgcs2000":
		return WGS84, nil
	case WGS84, GCJ02, BD09:
		return d, nil
	}
	return "", fault.InvalidField("datum", "%q is not one of wgs84, cgcs2000, gcj02, bd09", s)
}

// ToWGS84 converts p from d. GCJ-02 is inverted by a first guess and two extra
// iterations: within 1 cm all over China, 8 µm in Jiading. Outside the
// rectangle where GCJ-02 applies the point is returned as it is, as map
// services do.
func (d Datum) ToWGS84(p orb.Point) orb.Point {
	switch d {
	case GCJ02:
		return gcjToWGS(p)
	case BD09:
		return gcjToWGS(bdToGCJ(p))
	}
	return p
}

// FromWGS84 converts p to d.
func (d Datum) FromWGS84(p orb.Point) orb.Point {
	switch d {
	case GCJ02:
		return wgsToGCJ(p)
	case BD09:
		return gcjToBD(wgsToGCJ(p))
	}
	return p
}

// The constants of GCJ-02: the Krasovsky ellipsoid.
const (
	gcjA  = 6378245.0
	gcjE2 = 0.00669342162296594323
)

func inGCJ(p orb.Point) bool {
	return p[0] >= 72.004 && p[0] <= 137.8347 && p[1] >= 0.8293 && p[1] <= 55.8271
}

func wgsToGCJ(p orb.Point) orb.Point {
	if !inGCJ(p) {
		return p
	}
	dx, dy := gcjOffset(p)
	return orb.Point{p[0] + dx, p[1] + dy}
}

func gcjToWGS(p orb.Point) orb.Point {
	if !inGCJ(p) {
		return p
	}
	w := p
	for range 3 {
		dx, dy := gcjOffset(w)
		w = orb.Point{p[0] - dx, p[1] - dy}
	}
	return w
}

// gcjOffset is the published approximation of GCJ-02 minus WGS-84, in degrees.
func gcjOffset(p orb.Point) (dx, dy float64) {
	x, y := p[0]-105, p[1]-35
	root := math.Sqrt(math.Abs(x))
	waveX := (20*math.Sin(6*x*math.Pi) + 20*math.Sin(2*x*math.Pi)) * 2 / 3
	dy = -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*root + waveX +
		(20*math.Sin(y*math.Pi)+40*math.Sin(y/3*math.Pi))*2/3 +
		(160*math.Sin(y/12*math.Pi)+320*math.Sin(y*math.Pi/30))*2/3
	dx = 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*root + waveX +
		(20*math.Sin(x*math.Pi)+40*math.Sin(x/3*math.Pi))*2/3 +
		(150*math.Sin(x/12*math.Pi)+300*math.Sin(x/30*math.Pi))*2/3
	sin, cos := math.Sincos(p[1] * math.Pi / 180)
	w2 := 1 - gcjE2*sin*sin
	w := math.Sqrt(w2)
	dx = dx * 180 / (gcjA / w * cos * math.Pi)
	dy = dy * 180 / (gcjA * (1 - gcjE2) / (w2 * w) * math.Pi)
	return dx, dy
}

// bdPi is Baidu's angle constant, not quite π.
const bdPi = math.Pi * 3000 / 180

func gcjToBD(p orb.Point) orb.Point {
	z := math.Hypot(p[0], p[1]) + 0.00002*math.Sin(p[1]*bdPi)
	sin, cos := math.Sincos(math.Atan2(p[1], p[0]) + 0.000003*math.Cos(p[0]*bdPi))
	return orb.Point{z*cos + 0.0065, z*sin + 0.006}
}

// bdToGCJ is the closed form as first guess (0.1 m), then two iterations
// against the exact forward form.
func bdToGCJ(p orb.Point) orb.Point {
	x, y := p[0]-0.0065, p[1]-0.006
	z := math.Hypot(x, y) - 0.00002*math.Sin(y*bdPi)
	sin, cos := math.Sincos(math.Atan2(y, x) - 0.000003*math.Cos(x*bdPi))
	g := orb.Point{z * cos, z * sin}
	for range 2 {
		b := gcjToBD(g)
		g = orb.Point{g[0] + p[0] - b[0], g[1] + p[1] - b[1]}
	}
	return g
}
