package geofile

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/paulmach/orb"
)

// coordinateScanner walks a checked JSON value of nested arrays of numbers.
// encoding/json and orb/geojson would read [121] as latitude 0 and pass over a
// null; here they are errors that name the ring and the vertex.
type coordinateScanner struct {
	r *reader
	b []byte
	i int
}

var errNotArray = errors.New("not an array of positions")

// open steps into an array.
func (s *coordinateScanner) open() bool {
	s.i = skipSpace(s.b, s.i)
	if s.i >= len(s.b) || s.b[s.i] != '[' {
		return false
	}
	s.i = skipSpace(s.b, s.i+1)
	return true
}

// more steps over a comma; at the end of the array it steps out and is false.
func (s *coordinateScanner) more() bool {
	s.i = skipSpace(s.b, s.i)
	if s.i >= len(s.b) {
		return false
	}
	end := s.b[s.i] == ']'
	if end || s.b[s.i] == ',' {
		s.i = skipSpace(s.b, s.i+1)
	}
	return !end
}

func list[T any, L ~[]T](s *coordinateScanner, what string, item func(*coordinateScanner) (T, error), all L) (L, error) {
	if !s.open() {
		return nil, errNotArray
	}
	for s.more() {
		v, err := item(s)
		if err != nil {
			return nil, at(what, len(all), err)
		}
		all = append(all, v)
	}
	return all, nil
}

func positions[L ~[]P, P ~[2]float64](s *coordinateScanner) (L, error) {
	return list(s, "vertex", func(s *coordinateScanner) (P, error) {
		p, err := s.position()
		return P(p), err
	}, L(nil))
}

func (s *coordinateScanner) polygon() (orb.Polygon, error) {
	return list(s, "ring", positions[orb.Ring, orb.Point], orb.Polygon(nil))
}

// position reads [longitude, latitude, ...]; what follows the two is dropped.
func (s *coordinateScanner) position() (orb.Point, error) {
	var p orb.Point
	if err := s.r.takeVertices(1); err != nil {
		return p, err
	}
	n := 0
	if !s.open() {
		return p, errors.New("not a position")
	}
	for s.more() {
		v, err := s.number()
		if err != nil {
			return p, err
		}
		if n < 2 {
			p[n] = v
		}
		n++
	}
	if n < 2 {
		return p, fmt.Errorf("a position of %d numbers", n)
	}
	return p, nil
}

func (s *coordinateScanner) number() (float64, error) {
	end := endOfValue(s.b, s.i)
	raw := s.b[s.i:end]
	s.i = end
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%.40s is not a finite number", raw)
	}
	return v, nil
}
