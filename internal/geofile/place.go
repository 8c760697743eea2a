package geofile

import (
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// place brings a geometry as it was read into the form that Feature promises:
// WGS-84, checked, rings closed and turned. It works in place.
func (r *reader) place(g orb.Geometry) (orb.Geometry, error) {
	switch g := g.(type) {
	case nil:
		return nil, nil
	case orb.Point:
		return r.placePoint(g)
	case orb.MultiPoint:
		return orNil(g, len(g)), r.placeAll(g)
	case orb.LineString:
		return orNil(g, len(g)), r.placeLine(g)
	case orb.MultiLineString:
		for i, line := range g {
			if err := r.placeLine(line); err != nil {
				return nil, at("line", i, err)
			}
		}
		g = slices.DeleteFunc(g, func(l orb.LineString) bool { return len(l) == 0 })
		return orNil(g, len(g)), nil
	case orb.Polygon:
		return orNil(g, len(g)), r.placePolygon(g)
	case orb.MultiPolygon:
		for i, p := range g {
			if err := r.placePolygon(p); err != nil {
				return nil, at("polygon", i, err)
			}
		}
		g = slices.DeleteFunc(g, func(p orb.Polygon) bool { return len(p) == 0 })
		return orNil(g, len(g)), nil
	case orb.Collection:
		return r.placeCollection(g)
	}
	return nil, fmt.Errorf("a %s is not read", g.GeoJSONType())
}

func orNil(g orb.Geometry, n int) orb.Geometry {
	if n == 0 {
		return nil
	}
	return g
}

func (r *reader) placeCollection(c orb.Collection) (orb.Geometry, error) {
	kept := c[:0]
	for i, part := range c {
		placed, err := r.place(part)
		if err != nil {
			return nil, at("part", i, err)
		}
		if placed != nil {
			kept = append(kept, placed)
		}
	}
	return orNil(kept, len(kept)), nil
}

func (r *reader) placeLine(line orb.LineString) error {
	if len(line) == 1 {
		return fmt.Errorf("a line of one position")
	}
	return r.placeAll(line)
}

func (r *reader) placePolygon(p orb.Polygon) error {
	for i, ring := range p {
		if len(ring) > 0 && ring[0] != ring[len(ring)-1] {
			ring = append(ring, ring[0])
			p[i] = ring
			r.closedRings++
		}
		if len(ring) < 4 {
			return at("ring", i, fmt.Errorf("%d positions; a closed ring has at least 4", len(ring)))
		}
		if err := r.placeAll(ring); err != nil {
			return at("ring", i, err)
		}
	}
	turn(p)
	return nil
}

// turn makes the outer ring counter-clockwise and the holes clockwise.
func turn(p orb.Polygon) {
	for i, ring := range p {
		if turned := ring.Orientation(); i == 0 && turned == orb.CW || i > 0 && turned == orb.CCW {
			ring.Reverse()
		}
	}
}

func (r *reader) placeAll(points []orb.Point) error {
	for i, p := range points {
		placed, err := r.placePoint(p)
		if err != nil {
			return at("vertex", i, err)
		}
		points[i] = placed
	}
	return nil
}

func (r *reader) placePoint(p orb.Point) (orb.Point, error) {
	for _, v := range p {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return p, fmt.Errorf("%v, %v is not a position", p[0], p[1])
		}
	}
	if r.crs != nil && r.crs.toWGS84 != nil {
		q, ok := r.crs.toWGS84(p)
		if !ok {
			return p, fmt.Errorf("%v, %v is outside %s", p[0], p[1], r.crs.name)
		}
		p = q
	}
	if math.Abs(p[0]) > 180 || math.Abs(p[1]) > 90 {
		if r.crs == nil {
			return p, fmt.Errorf("%v, %v is not in degrees, and the file does not say its coordinate system", p[0], p[1])
		}
		return p, fmt.Errorf("%v, %v is outside ±180, ±90 degrees", p[0], p[1])
	}
	return p, nil
}
