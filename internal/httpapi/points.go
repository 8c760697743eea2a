package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/scan"
)

// point is one element of a batch. Bad says why it cannot be resolved.
type point struct {
	lon, lat float64
	accuracy float64 // metres; negative when none was given
	id       []byte  // raw JSON, part of the body; nil when none was given
	bad      *badPoint
}

type badPoint struct{ field, detail string }

// maxBatchAccuracyM keeps a batch's circles from reaching over the whole
// district, a hundred thousand times.
const maxBatchAccuracyM = 1000

// The fields of a point that were given.
const (
	hasLon = 1 << iota
	hasLat
	hasID
	hasAccuracy
)

// decodeJSON reads a JSON array of points. Syntax that is not JSON is Invalid
// as a whole; an element that is no point, or none on earth, is bad by itself.
// Keys are taken as they are written, of a key that is there twice the last
// counts, and unknown keys are passed over.
//
// Elements as programs write them, {"lon":…,"lat":…,"id":…,"accuracy":…} in
// any order, are read in one pass; others go to encoding/json, with the same
// result.
func decodeJSON(b []byte, limit int, points []point) ([]point, error) {
	i := scan.Space(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil, fault.InvalidField("body", "not a JSON array of points")
	}
	if i = scan.Space(b, i+1); i < len(b) && b[i] == ']' {
		return points, endOfJSON(b, i+1)
	}
	for {
		if len(points) >= limit {
			return nil, tooManyPoints(limit)
		}
		p, next, ok := scanPoint(b, i)
		if !ok {
			next = scan.ValueEnd(b, i)
			var err error
			if p, err = readPoint(b[i:next]); err != nil {
				return nil, fault.InvalidField("body", "point %d at byte %d: %w", len(points), i, err)
			}
		}
		points = append(points, p)
		i = scan.Space(b, next)
		switch {
		case i < len(b) && b[i] == ',':
			i = scan.Space(b, i+1)
		case i < len(b) && b[i] == ']':
			return points, endOfJSON(b, i+1)
		default:
			return nil, fault.InvalidField("body", "not JSON: no comma or bracket at byte %d, after point %d", i, len(points)-1)
		}
	}
}

func endOfJSON(b []byte, i int) error {
	if i = scan.Space(b, i); i < len(b) {
		return fault.InvalidField("body", "not JSON: more text at byte %d, after the array", i)
	}
	return nil
}

// decodeLines reads one JSON object a line. Empty lines are passed over; a
// line that is not JSON is bad by itself.
func decodeLines(b []byte, limit int, points []point) ([]point, error) {
	for len(b) > 0 {
		line := b
		if end := bytes.IndexByte(b, '\n'); end >= 0 {
			line, b = b[:end], b[end+1:]
		} else {
			b = nil
		}
		line = bytes.Trim(line, " \t\r")
		if len(line) == 0 {
			continue
		}
		if len(points) >= limit {
			return nil, tooManyPoints(limit)
		}
		p, next, ok := scanPoint(line, 0)
		if !ok || next != len(line) {
			var err error
			if p, err = readPoint(line); err != nil {
				p = point{accuracy: -1, bad: &badPoint{"", err.Error()}}
			}
		}
		points = append(points, p)
	}
	return points, nil
}

// scanPoint reads the object at b[i:]. It reports false for all that is
// unusual, and then has decided nothing.
func scanPoint(b []byte, i int) (p point, next int, ok bool) {
	if i >= len(b) || b[i] != '{' {
		return p, i, false
	}
	p.accuracy = -1
	given, n := 0, 0
	for {
		i = scan.Space(b, i+1)
		field, length := fieldAt(b[min(i, len(b)):])
		if field == 0 || given&field != 0 {
			return p, i, false
		}
		given |= field
		if i = scan.Space(b, i+length); i >= len(b) || b[i] != ':' {
			return p, i, false
		}
		if i = scan.Space(b, i+1); i >= len(b) {
			return p, i, false
		}
		switch field {
		case hasLon:
			p.lon, n = scan.Number(b[i:])
		case hasLat:
			p.lat, n = scan.Number(b[i:])
		case hasAccuracy:
			p.accuracy, n = scan.Number(b[i:])
		case hasID:
			n = scanID(b[i:])
			p.id = b[i : i+n : i+n]
		}
		if n == 0 {
			return p, i, false
		}
		i = scan.Space(b, i+n)
		if i < len(b) && b[i] == ',' {
			continue
		}
		if i < len(b) && b[i] == '}' {
			p.check(given)
			return p, i + 1, true
		}
		return p, i, false
	}
}

// fieldAt is the field whose quoted key b begins with, and the key's length.
func fieldAt(b []byte) (field, length int) {
	if len(b) < 5 || b[0] != '"' {
		return 0, 0
	}
	switch b[1] {
	case 'l':
		switch string(b[:5]) {
		case `"lon"`:
			return hasLon, 5
		case `"lat"`:
			return hasLat, 5
		}
	case 'i':
		if string(b[:4]) == `"id"` {
			return hasID, 4
		}
	case 'a':
		if len(b) >= 10 && string(b[:10]) == `"accuracy"` {
			return hasAccuracy, 10
		}
	}
	return 0, 0
}

// scanID is the length of the plain string or number that b begins with, 0
// for others.
func scanID(b []byte) int {
	if b[0] != '"' {
		_, n := scan.Number(b)
		return n
	}
	return scan.Plain(b)
}

// readPoint reads one JSON value with encoding/json; the error is about
// syntax alone.
func readPoint(raw []byte) (point, error) {
	p := point{accuracy: -1}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		if !json.Valid(raw) {
			return p, fmt.Errorf("not JSON: %w", err)
		}
		p.bad = &badPoint{"", "not an object with lon and lat"}
		return p, nil
	}
	given := 0
	if id, ok := fields["id"]; ok {
		p.id = id
		given |= hasID
	}
	for _, f := range [...]struct {
		name  string
		field int
		value *float64
	}{{"lon", hasLon, &p.lon}, {"lat", hasLat, &p.lat}, {"accuracy", hasAccuracy, &p.accuracy}} {
		text, ok := fields[f.name]
		if !ok || string(text) == "null" {
			continue
		}
		given |= f.field
		v, n := scan.Number(text)
		if n != len(text) {
			v = math.NaN()
		}
		*f.value = v
	}
	p.check(given)
	if p.bad != nil && p.bad.detail == missing {
		p.bad.detail += hintFor(p.bad.field, fields)
	}
	return p, nil
}

const missing = "missing"

func hintFor(field string, fields map[string]json.RawMessage) string {
	best := ""
	for key := range fields {
		if meant(key, []string{field}) == field && (best == "" || key < best) {
			best = key
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %.20q meant for it?", best)
}

// check says what is wrong with a point whose fields were read; NaN stands for
// a value that is no number.
func (p *point) check(given int) {
	fail := func(field, detail string) { p.bad = &badPoint{field, detail} }
	switch {
	case given&hasLon == 0:
		fail("lon", missing)
	case given&hasLat == 0:
		fail("lat", missing)
	case math.IsNaN(p.lon):
		fail("lon", "not a number")
	case math.IsNaN(p.lat):
		fail("lat", "not a number")
	case given&hasAccuracy != 0 && !(p.accuracy >= 0 && p.accuracy <= maxBatchAccuracyM):
		fail("accuracy", fmt.Sprintf("not a number of metres from 0 to %d", maxBatchAccuracyM))
	case !(math.Abs(p.lon) <= 180) || !(math.Abs(p.lat) <= 90):
		_, err := geo.Quantise(orb.Point{p.lon, p.lat})
		p.bad = badFrom(err)
	}
}

func badFrom(err error) *badPoint {
	field := fault.FieldOf(err)
	detail := err.Error()
	if field != "" {
		detail = detail[len(field)+len(": "):]
	}
	return &badPoint{field, detail}
}

func tooManyPoints(limit int) error {
	return withStatus(413, fault.New(fault.Invalid, "more than %d points in one request", limit))
}
