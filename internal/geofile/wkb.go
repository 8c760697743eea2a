package geofile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// wkbReader reads well-known binary in the ISO form (types 1001, 2001, 3001
// for Z, M, ZM) and PostGIS's (flag bits). orb reads no Z, and go-geom
// allocates what the counts claim; here a count is held against the bytes that
// are left. Heights and measures are dropped.
type wkbReader struct {
	r *reader
	b []byte
}

var (
	errShortWKB = errors.New("the geometry is shorter than it claims")
	errWKBOrder = errors.New("the geometry's byte order is neither 0 nor 1")
)

const (
	wkbHeaderBytes = 5
	wkbFlagZ       = 0x80000000
	wkbFlagM       = 0x40000000
	wkbFlagSRID    = 0x20000000
)

// wkbLayout is what one geometry's header says of the bytes after it.
type wkbLayout struct {
	order binary.ByteOrder
	kind  uint32
	dims  int
}

func (w *wkbReader) header() (l wkbLayout, err error) {
	if len(w.b) < wkbHeaderBytes {
		return l, errShortWKB
	}
	switch w.b[0] {
	case 0:
		l.order = binary.BigEndian
	case 1:
		l.order = binary.LittleEndian
	default:
		return l, errWKBOrder
	}
	code := l.order.Uint32(w.b[1:])
	w.b = w.b[wkbHeaderBytes:]
	if code&wkbFlagSRID != 0 {
		if len(w.b) < 4 {
			return l, errShortWKB
		}
		w.b = w.b[4:]
	}
	l.dims = 2
	if code&wkbFlagZ != 0 {
		l.dims++
	}
	if code&wkbFlagM != 0 {
		l.dims++
	}
	code &^= wkbFlagZ | wkbFlagM | wkbFlagSRID
	switch code / 1000 {
	case 0:
	case 1, 2:
		l.dims = 3
	case 3:
		l.dims = 4
	default:
		return l, fmt.Errorf("geometry type %d is not read", code)
	}
	l.kind = code % 1000
	return l, nil
}

// count reads a count of items that take at least size bytes each.
func (w *wkbReader) count(l wkbLayout, size int) (int, error) {
	if len(w.b) < 4 {
		return 0, errShortWKB
	}
	n := l.order.Uint32(w.b)
	w.b = w.b[4:]
	if int64(n)*int64(size) > int64(len(w.b)) {
		return 0, fmt.Errorf("claims %d items in %d bytes", n, len(w.b))
	}
	return int(n), nil
}

func (w *wkbReader) geometry(depth int) (orb.Geometry, error) {
	if depth == 0 {
		return nil, errCollectionDepth
	}
	l, err := w.header()
	if err != nil {
		return nil, err
	}
	switch l.kind {
	case 1:
		return w.point(l)
	case 2:
		points, err := w.points(l)
		return orb.LineString(points), err
	case 3:
		return w.polygon(l)
	case 4, 5, 6, 7:
		return w.collection(l, depth)
	}
	return nil, fmt.Errorf("geometry type %d is not read", l.kind)
}

func (w *wkbReader) point(l wkbLayout) (orb.Geometry, error) {
	if len(w.b) < 8*l.dims {
		return nil, errShortWKB
	}
	if err := w.r.takeVertices(1); err != nil {
		return nil, err
	}
	p := w.next(l)
	if math.IsNaN(p[0]) && math.IsNaN(p[1]) {
		return nil, nil // the empty point
	}
	return p, nil
}

// next takes one position; the caller has made sure that it is there.
func (w *wkbReader) next(l wkbLayout) orb.Point {
	p := orb.Point{
		math.Float64frombits(l.order.Uint64(w.b)),
		math.Float64frombits(l.order.Uint64(w.b[8:])),
	}
	w.b = w.b[8*l.dims:]
	return p
}

func (w *wkbReader) points(l wkbLayout) ([]orb.Point, error) {
	n, err := w.count(l, 8*l.dims)
	if err != nil {
		return nil, err
	}
	if err := w.r.takeVertices(n); err != nil {
		return nil, err
	}
	points := make([]orb.Point, n)
	for i := range points {
		points[i] = w.next(l)
	}
	return points, nil
}

func (w *wkbReader) polygon(l wkbLayout) (orb.Geometry, error) {
	n, err := w.count(l, 4)
	if err != nil {
		return nil, err
	}
	var p orb.Polygon
	for i := range n {
		points, err := w.points(l)
		if err != nil {
			return nil, at("ring", i, err)
		}
		p = append(p, points)
	}
	return p, nil
}

// collection reads a multi-geometry or a collection, and makes the former of a
// collection whose parts are all of one kind.
func (w *wkbReader) collection(l wkbLayout, depth int) (orb.Geometry, error) {
	n, err := w.count(l, wkbHeaderBytes)
	if err != nil {
		return nil, err
	}
	var parts orb.Collection
	for i := range n {
		g, err := w.geometry(depth - 1)
		if err != nil {
			return nil, at("part", i, err)
		}
		if g != nil {
			parts = append(parts, g)
		}
	}
	return gather(parts), nil
}

// gather makes a multi-geometry of parts that are all points, all lines or all
// polygons, and leaves other collections as they are.
func gather(parts orb.Collection) orb.Geometry {
	var points orb.MultiPoint
	var lines orb.MultiLineString
	var polygons orb.MultiPolygon
	for _, g := range parts {
		switch g := g.(type) {
		case orb.Point:
			points = append(points, g)
		case orb.LineString:
			lines = append(lines, g)
		case orb.Polygon:
			polygons = append(polygons, g)
		}
	}
	switch len(parts) {
	case 0:
		return nil
	case len(points):
		return points
	case len(lines):
		return lines
	case len(polygons):
		return polygons
	}
	return parts
}
