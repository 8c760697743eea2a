package geofile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// byWKT reads the well-known text of a coordinate system, as a .prj file or a
// GeoPackage holds it. It goes by the authority's code where the text carries
// one, and otherwise by the datum and the projection's parameters. The error
// names the system that is not supported.
func byWKT(wkt string) (*crs, error) {
	root, err := parseWKT(wkt)
	if err != nil {
		return nil, err
	}
	if root.key == "COMPD_CS" && len(root.kids) > 0 {
		root = root.kids[0]
	}
	if code, ok := root.epsg(); ok {
		if c, ok := byEPSG(code); ok {
			return c, nil
		}
	}
	switch root.key {
	case "GEOGCS":
		return geographicWKT(root)
	case "PROJCS":
		return projectedWKT(root)
	}
	return nil, unsupportedCRS(root)
}

func unsupportedCRS(n *wktNode) error {
	return fmt.Errorf("the coordinate system %q is not supported; WGS 84, CGCS2000, CGCS2000 Gauss-Kruger zones, UTM and Web Mercator are", n.name())
}

// datums are the spellings of the two datums in GDAL's, Esri's and the
// standard's texts, without punctuation.
var datums = map[string]float64{
	"wgs1984": wgs84Flattening, "dwgs1984": wgs84Flattening, "wgs84": wgs84Flattening,
	"worldgeodeticsystem1984": wgs84Flattening, "worldgeodeticsystem1984ensemble": wgs84Flattening,
	"china2000": cgcs2000Flattening, "dchina2000": cgcs2000Flattening, "cgcs2000": cgcs2000Flattening,
	"dcgcs2000": cgcs2000Flattening, "chinageodeticcoordinatesystem2000": cgcs2000Flattening,
}

func datumOf(geogcs *wktNode) (name string, flattening float64, ok bool) {
	datum := geogcs.kid("DATUM")
	if datum == nil {
		return "", 0, false
	}
	plain := strings.ToLower(strings.NewReplacer("_", "", " ", "", "-", "").Replace(datum.name()))
	flattening, ok = datums[plain]
	if prime := geogcs.kid("PRIMEM"); prime != nil && prime.num(0) != 0 {
		return "", 0, false
	}
	name = wgs84Name
	if flattening == cgcs2000Flattening {
		name = cgcs2000Name
	}
	return name, flattening, ok
}

func geographicWKT(n *wktNode) (*crs, error) {
	name, _, ok := datumOf(n)
	unit := n.kid("UNIT")
	if !ok || unit != nil && math.Abs(unit.num(0)-math.Pi/180) > 1e-9 {
		return nil, unsupportedCRS(n)
	}
	return &crs{name: name}, nil
}

func projectedWKT(n *wktNode) (*crs, error) {
	geogcs, projection, unit := n.kid("GEOGCS"), n.kid("PROJECTION"), n.kid("UNIT")
	if geogcs == nil || projection == nil || unit == nil || unit.num(0) != 1 {
		return nil, unsupportedCRS(n)
	}
	datum, flattening, ok := datumOf(geogcs)
	if !ok {
		return nil, unsupportedCRS(n)
	}
	param := make(map[string]float64)
	for _, kid := range n.kids {
		if kid.key == "PARAMETER" {
			param[strings.ToLower(kid.name())] = kid.num(0)
		}
	}
	switch strings.ToLower(projection.name()) {
	case "mercator_auxiliary_sphere", "popular_visualisation_pseudo_mercator":
		if param["central_meridian"] == 0 && param["false_easting"] == 0 && param["false_northing"] == 0 {
			return &crs{name: n.name(), toWGS84: fromWebMercator}, nil
		}
	case "gauss_kruger", "transverse_mercator":
		scale, ok := param["scale_factor"]
		if !ok {
			scale = 1
		}
		if param["latitude_of_origin"] != 0 || scale < 0.9 || scale > 1.1 {
			break
		}
		tm := transverseMercator{flattening: flattening, lon0: param["central_meridian"], scale: scale,
			falseEast: param["false_easting"], falseNorth: param["false_northing"]}
		return &crs{name: fmt.Sprintf("%s (%s)", n.name(), datum), toWGS84: func(p orb.Point) (orb.Point, bool) { return tm.toWGS84(p) }}, nil
	}
	return nil, unsupportedCRS(n)
}

// wktNode is KEY["text", number, KID[...], ...].
type wktNode struct {
	key   string
	texts []string
	nums  []float64
	kids  []*wktNode
}

func (n *wktNode) name() string {
	if len(n.texts) == 0 {
		return n.key
	}
	return n.texts[0]
}

func (n *wktNode) num(i int) float64 {
	if i >= len(n.nums) {
		return 0
	}
	return n.nums[i]
}

func (n *wktNode) kid(key string) *wktNode {
	for _, k := range n.kids {
		if k.key == key {
			return k
		}
	}
	return nil
}

// epsg is the code in AUTHORITY["EPSG","4490"] or ID["EPSG",4490].
func (n *wktNode) epsg() (int, bool) {
	for _, k := range n.kids {
		if (k.key != "AUTHORITY" && k.key != "ID") || !strings.EqualFold(k.name(), "EPSG") {
			continue
		}
		if len(k.nums) > 0 {
			return int(k.nums[0]), true
		}
		if len(k.texts) > 1 {
			code, err := strconv.Atoi(k.texts[1])
			return code, err == nil
		}
	}
	return 0, false
}

const (
	maxWKTBytes = 64 << 10
	maxWKTDepth = 16
)

var errWKT = errors.New("the coordinate system is not well-known text")

func parseWKT(s string) (*wktNode, error) {
	if len(s) > maxWKTBytes {
		return nil, fmt.Errorf("the coordinate system's text is %d bytes long", len(s))
	}
	p := wktParser{s: strings.TrimPrefix(s, "\ufeff")}
	n := p.node(maxWKTDepth)
	if n == nil {
		return nil, errWKT
	}
	return n, nil
}

type wktParser struct {
	s string
	i int
}

func (p *wktParser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n\x00", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *wktParser) take(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// word is a keyword or a number.
func (p *wktParser) word() string {
	p.space()
	from := p.i
	for p.i < len(p.s) && strings.IndexByte("[](),\" \t\r\n\x00", p.s[p.i]) < 0 {
		p.i++
	}
	return p.s[from:p.i]
}

// node is nil when the text is not of the form.
func (p *wktParser) node(depth int) *wktNode {
	n := &wktNode{key: strings.ToUpper(p.word())}
	if depth == 0 || n.key == "" || !p.take('[') && !p.take('(') {
		return nil
	}
	for {
		p.space()
		switch {
		case p.take('"'):
			end := strings.IndexByte(p.s[p.i:], '"')
			if end < 0 {
				return nil
			}
			n.texts = append(n.texts, p.s[p.i:p.i+end])
			p.i += end + 1
		default:
			from := p.i
			w := p.word()
			if v, err := strconv.ParseFloat(w, 64); err == nil {
				n.nums = append(n.nums, v)
				break
			}
			p.space()
			if w != "" && p.i < len(p.s) && (p.s[p.i] == '[' || p.s[p.i] == '(') {
				p.i = from
				kid := p.node(depth - 1)
				if kid == nil {
					return nil
				}
				n.kids = append(n.kids, kid)
			} else if w == "" {
				return nil
			} // a bare word such as AXIS["Lat",NORTH] says nothing we need
		}
		if p.take(',') {
			continue
		}
		if p.take(']') || p.take(')') {
			return n
		}
		return nil
	}
}
