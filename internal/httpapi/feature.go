package httpapi

import (
	"math"
	"strconv"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// appendGridFeature appends a GeoJSON Feature (RFC 7946), open at its end for
// further members: no closing brace.
func (d *district) appendGridFeature(b []byte, g *grid.Grid) []byte {
	b = append(b, `{"type":"Feature","id":`...)
	b = strconv.AppendUint(b, uint64(g.ID), 10)
	b = append(b, `,"geometry":`...)
	b = appendMultiPolygon(b, d.gen.Polygon(g.ID))
	b = append(b, `,"properties":`...)
	return d.appendGridProperties(b, g)
}

func (d *district) appendGridProperties(b []byte, g *grid.Grid) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, uint64(g.ID), 10)
	streetName := ""
	if s, ok := d.gen.Street(g.Street); ok {
		streetName = s.Name
	}
	for _, p := range [...]struct{ key, value string }{
		{`,"code":`, g.Code}, {`,"name":`, g.Name}, {`,"kind":`, string(g.Kind)},
		{`,"street":`, g.Street}, {`,"street_name":`, streetName},
		{`,"department":`, g.Department.Code}, {`,"department_name":`, g.Department.Name},
	} {
		b = append(b, p.key...)
		b = appendString(b, p.value)
	}
	b = append(b, `,"area_m2":`...)
	b = strconv.AppendInt(b, int64(math.Round(g.AreaM2)), 10)
	b = append(b, `,"label":`...)
	b = appendPoint(b, g.Label)
	return append(b, '}')
}

// appendStreetFeature appends a Feature open at its end, as appendGridFeature.
func (d *district) appendStreetFeature(b []byte, place int) []byte {
	s := &d.gen.Streets()[place]
	b = append(b, `{"type":"Feature","id":`...)
	b = appendString(b, s.Code)
	b = append(b, `,"geometry":`...)
	b = appendMultiPolygon(b, d.outlines().shapes[place])
	b = append(b, `,"properties":`...)
	return d.appendStreetProperties(b, s)
}

func (d *district) appendStreetProperties(b []byte, s *grid.Street) []byte {
	t := d.totals[s.Code]
	b = append(b, `{"code":`...)
	b = appendString(b, s.Code)
	b = append(b, `,"name":`...)
	b = appendString(b, s.Name)
	b = append(b, `,"seat":`...)
	if s.Seat == (orb.Point{}) {
		b = append(b, "null"...)
	} else {
		b = appendPoint(b, s.Seat)
	}
	b = append(b, `,"grids":`...)
	b = strconv.AppendInt(b, int64(t.grids), 10)
	b = append(b, `,"urban":`...)
	b = strconv.AppendInt(b, int64(t.urban), 10)
	b = append(b, `,"autonomous":`...)
	b = strconv.AppendInt(b, int64(t.autonomous), 10)
	b = append(b, `,"area_m2":`...)
	b = strconv.AppendInt(b, int64(math.Round(t.areaM2)), 10)
	return append(b, '}')
}

func appendPoint(b []byte, p orb.Point) []byte {
	c, err := geo.Quantise(p)
	if err != nil {
		return append(b, "null"...)
	}
	return appendCoord(b, c)
}

// appendMultiPolygon appends a Polygon, a MultiPolygon when there are several
// parts, or null when there is none.
func appendMultiPolygon(b []byte, m orb.MultiPolygon) []byte {
	switch len(m) {
	case 0:
		return append(b, "null"...)
	case 1:
		b = append(b, `{"type":"Polygon","coordinates":`...)
		b = appendPolygon(b, m[0])
		return append(b, '}')
	}
	b = append(b, `{"type":"MultiPolygon","coordinates":[`...)
	for i, p := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPolygon(b, p)
	}
	return append(b, "]}"...)
}

func appendPolygon(b []byte, p orb.Polygon) []byte {
	b = append(b, '[')
	for i, r := range p {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for j, pt := range r {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendPoint(b, pt)
		}
		b = append(b, ']')
	}
	return append(b, ']')
}

// outlines are the areas of the streets.
type outlines struct {
	shapes []orb.MultiPolygon // by place in gen.Streets
	bounds []orb.Bound
	labels []orb.Point // where a street's name is shown
}

func newOutlines(d *district) *outlines {
	gen := d.gen
	whole := gen.Partition().Dissolve(streetFaces(gen))
	o := &outlines{}
	for i, s := range gen.Streets() {
		shape := partition.MultiPolygonOf(whole.Polygons(partition.FaceID(i + 1)))
		bound := shape.Bound()
		o.shapes = append(o.shapes, shape)
		o.bounds = append(o.bounds, bound)
		o.labels = append(o.labels, d.streetLabel(s.Code, bound.Center()))
	}
	return o
}

// streetLabel is the label point of the street's grid nearest to its middle.
func (d *district) streetLabel(code string, middle orb.Point) orb.Point {
	best, label := math.Inf(1), middle
	for i := range d.gen.Grids() {
		g := &d.gen.Grids()[i]
		if g.Street != code {
			continue
		}
		if m := geo.DistanceM(g.Label, middle); m < best {
			best, label = m, g.Label
		}
	}
	return label
}
