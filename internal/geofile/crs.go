package geofile

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// crs is a coordinate system that can be brought to WGS-84. CGCS2000 differs
// from WGS-84 by centimetres and is read as WGS-84. toWGS84 is nil when the
// file's coordinates are already longitude and latitude; otherwise it answers
// false for a position outside the projection.
type crs struct {
	name    string
	toWGS84 func(orb.Point) (orb.Point, bool)
}

const (
	wgs84Name    = "WGS 84"
	cgcs2000Name = "CGCS2000"
)

func geographic(name string, epsg int) *crs {
	return &crs{name: fmt.Sprintf("%s (EPSG:%d)", name, epsg)}
}

// byEPSG knows the geographic systems, Web Mercator, the four series of
// CGCS2000 Gauss–Krüger zones and UTM on WGS-84.
func byEPSG(code int) (*crs, bool) {
	switch {
	case code == 4326:
		return geographic(wgs84Name, code), true
	case code == 4490:
		return geographic(cgcs2000Name, code), true
	case code == 3857 || code == 900913 || code == 102100:
		return &crs{name: "Web Mercator (EPSG:3857)", toWGS84: fromWebMercator}, true
	case code >= 4491 && code <= 4501: // 6-degree zones, the zone's number before the easting
		zone := float64(code - 4491 + 13)
		return gaussKruger(code, zone*6-3, zone*1e6), true
	case code >= 4502 && code <= 4512:
		return gaussKruger(code, float64(code-4502)*6+75, 0), true
	case code >= 4513 && code <= 4533: // 3-degree zones, likewise
		zone := float64(code - 4513 + 25)
		return gaussKruger(code, zone*3, zone*1e6), true
	case code >= 4534 && code <= 4554:
		return gaussKruger(code, float64(code-4534)*3+75, 0), true
	case code > 32600 && code <= 32660 || code > 32700 && code <= 32760:
		tm := transverseMercator{flattening: wgs84Flattening, lon0: float64(code%100)*6 - 183, scale: 0.9996, falseEast: 5e5}
		if code > 32700 {
			tm.falseNorth = 1e7
		}
		return &crs{name: fmt.Sprintf("WGS 84 / UTM zone %d (EPSG:%d)", code%100, code), toWGS84: tm.toWGS84}, true
	}
	return nil, false
}

func gaussKruger(code int, lon0, zone float64) *crs {
	tm := transverseMercator{flattening: cgcs2000Flattening, lon0: lon0, scale: 1, falseEast: 5e5 + zone}
	return &crs{name: fmt.Sprintf("CGCS2000 / Gauss-Kruger CM %gE (EPSG:%d)", lon0, code), toWGS84: tm.toWGS84}
}

var epsgName = regexp.MustCompile(`(?i)\bEPSG(?::|::|/[0-9.]+/|:[0-9.]+:)([0-9]{1,6})$`)

// byName reads the names that GeoJSON's old "crs" member carries:
// EPSG:4490, urn:ogc:def:crs:EPSG::4490, urn:ogc:def:crs:OGC:1.3:CRS84 and
// http://www.opengis.net/def/crs/EPSG/0/4490.
func byName(name string) (*crs, bool) {
	if strings.HasSuffix(strings.ToUpper(name), "CRS84") {
		return &crs{name: wgs84Name + " (CRS84)"}, true
	}
	m := epsgName.FindStringSubmatch(strings.TrimSpace(name))
	if m == nil {
		return nil, false
	}
	code, err := strconv.Atoi(m[1])
	if err != nil {
		return nil, false
	}
	return byEPSG(code)
}

const (
	semiMajorM         = 6378137.0
	wgs84Flattening    = 1 / 298.257223563
	cgcs2000Flattening = 1 / 298.257222101
)

func fromWebMercator(p orb.Point) (orb.Point, bool) {
	const edgeM = math.Pi * semiMajorM
	if math.Abs(p[0]) > edgeM*1.000001 || math.Abs(p[1]) > edgeM*1.000001 {
		return p, false
	}
	lat := math.Atan(math.Sinh(p[1]/semiMajorM)) * 180 / math.Pi
	return orb.Point{min(180, max(-180, p[0]/edgeM*180)), lat}, true
}

// transverseMercator holds the parameters of a Gauss–Krüger or UTM zone; the
// latitude of origin is the equator. Angles in degrees, lengths in metres.
type transverseMercator struct {
	flattening            float64
	lon0, scale           float64
	falseEast, falseNorth float64
}

// toWGS84 inverts the projection by Krüger's series to the fourth order of the
// third flattening: below a millimetre within 1,000 km of the central meridian.
// Source: Karney, Transverse Mercator with an accuracy of a few nanometers,
// eq. 11, 36; Kawase, A general formula for calculating meridian arc length.
func (t transverseMercator) toWGS84(p orb.Point) (orb.Point, bool) {
	east, north := p[0]-t.falseEast, p[1]-t.falseNorth
	if math.Abs(east) > 1e6 || math.Abs(north) > 10_002_000 {
		return p, false
	}
	n := t.flattening / (2 - t.flattening)
	n2, n3, n4 := n*n, n*n*n, n*n*n*n
	radius := semiMajorM / (1 + n) * (1 + n2/4 + n4/64) * t.scale
	beta := [4]float64{
		n/2 - n2*2/3 + n3*37/96 - n4/360,
		n2/48 + n3/15 - n4*437/1440,
		n3*17/480 - n4*37/840,
		n4 * 4397 / 161280,
	}
	delta := [4]float64{
		2*n - n2*2/3 - 2*n3 + n4*116/45,
		n2*7/3 - n3*8/5 - n4*227/45,
		n3*56/15 - n4*136/35,
		n4 * 4279 / 630,
	}
	x, y := north/radius, east/radius
	xi, eta := x, y
	for i, b := range beta {
		j := float64(2 * (i + 1))
		xi -= b * math.Sin(j*x) * math.Cosh(j*y)
		eta -= b * math.Cos(j*x) * math.Sinh(j*y)
	}
	conformal := math.Asin(math.Sin(xi) / math.Cosh(eta))
	lat := conformal
	for i, d := range delta {
		lat += d * math.Sin(float64(2*(i+1))*conformal)
	}
	lon := t.lon0 + math.Atan2(math.Sinh(eta), math.Cos(xi))*180/math.Pi
	return orb.Point{lon, lat * 180 / math.Pi}, true
}
