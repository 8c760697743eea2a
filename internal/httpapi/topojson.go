package httpapi

import (
	"strconv"

	"lianqin/internal/geo"
)

// gridsTopoJSON is the district as TopoJSON (its specification, 1.0): every
// border once. Positions are the exact integers of the partition, counted from
// the south-west corner of the district's box in steps of 1e-7 degree, and
// delta-encoded; nothing is lost by the quantisation.
func gridsTopoJSON(d *district) *document {
	t := d.topology()
	bound := d.gen.Bound()
	origin, _ := geo.Quantise(bound.Min) // a corner of vertices that were quantised
	b := append([]byte(`{"type":"Topology",`), d.generation...)
	b = append(b, `,"bbox":[`...)
	b = appendBox(b, bound)
	b = append(b, `],"transform":{"scale":[1e-7,1e-7],"translate":`...)
	b = appendCoord(b, origin)
	b = append(b, `},"objects":{"grids":{"type":"GeometryCollection","geometries":[`...)
	for i := range d.gen.Grids() {
		g := &d.gen.Grids()[i]
		b = append(comma(b, i), '\n')
		b = appendArcGeometry(b, t.grids[i])
		b = append(b, `,"id":`...)
		b = strconv.AppendUint(b, uint64(g.ID), 10)
		b = append(b, `,"properties":`...)
		b = append(d.appendGridProperties(b, g), '}')
	}
	b = append(b, "\n]},\"streets\":{\"type\":\"GeometryCollection\",\"geometries\":["...)
	for i := range d.gen.Streets() {
		s := &d.gen.Streets()[i]
		b = append(comma(b, i), '\n')
		b = appendArcGeometry(b, t.streets[i])
		b = append(b, `,"id":`...)
		b = appendString(b, s.Code)
		b = append(b, `,"properties":`...)
		b = append(d.appendStreetProperties(b, s), '}')
	}
	b = append(b, "\n]}},\"arcs\":["...)
	for i, arc := range t.arcs {
		b = append(comma(b, i), '\n', '[')
		from := origin
		for j, p := range arc.Points {
			b = append(comma(b, j), '[')
			b = strconv.AppendInt(b, int64(p.X)-int64(from.X), 10)
			b = append(b, ',')
			b = strconv.AppendInt(b, int64(p.Y)-int64(from.Y), 10)
			b = append(b, ']')
			from = p
		}
		b = append(b, ']')
	}
	return newDocument(jsonType[0], append(b, "\n]}\n"...))
}

// appendArcGeometry appends a geometry made of arcs, open at its end.
func appendArcGeometry(b []byte, polygons []arcPolygon) []byte {
	switch len(polygons) {
	case 0:
		return append(b, `{"type":null`...)
	case 1:
		b = append(b, `{"type":"Polygon","arcs":`...)
		return appendArcPolygon(b, polygons[0])
	}
	b = append(b, `{"type":"MultiPolygon","arcs":[`...)
	for i, p := range polygons {
		b = appendArcPolygon(comma(b, i), p)
	}
	return append(b, ']')
}

func appendArcPolygon(b []byte, p arcPolygon) []byte {
	b = append(b, '[')
	for i, r := range p {
		b = append(comma(b, i), '[')
		for j, arc := range r {
			b = strconv.AppendInt(comma(b, j), int64(arc), 10)
		}
		b = append(b, ']')
	}
	return append(b, ']')
}

// comma separates the element at place i from the one before.
func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}
