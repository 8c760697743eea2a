package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/scan"
)

// Form is how a request of the own API holds its positions.
type Form uint8

const (
	JSON   Form = iota // {"positions":[…]}, or the array alone
	NDJSON             // one object a line
)

// Receipt says what became of a request of the own API: how many positions are
// durable, and which were refused.
type Receipt struct {
	Accepted int       `json:"accepted"`
	Refused  []Refused `json:"refused"`
}

// Refused is a position that became no fix, by its place in the request, from
// 0 on.
type Refused struct {
	Index  int           `json:"index"`
	Reason patrol.Reason `json:"reason"`
	Detail string        `json:"detail"`
}

// TooMany is Invalid: a request holds more positions than Limits.Fixes.
type TooMany struct{ Limit int }

func (e *TooMany) Error() string {
	return fmt.Sprintf("more than %d positions in one request", e.Limit)
}

// Unwrap makes TooMany a fault of kind Invalid.
func (e *TooMany) Unwrap() error { return errTooMany }

var errTooMany = fault.InvalidField("body", "too many positions")

// Positions takes in a request of the own API, which from sent. A position
// that is none is refused by itself. A body that is no JSON is Invalid as a
// whole, one that holds too many *TooMany, and when it cannot be made durable
// it is Unavailable: then nothing of it was taken in.
func (s *Station) Positions(ctx context.Context, from Sender, form Form, body []byte) (Receipt, error) {
	d := apiDecoder{in: s.begin(&from, patrol.FromAPI, ""), limit: s.cfg.Limits.Fixes, receipt: Receipt{Refused: []Refused{}}}
	if err := d.decode(form, body); err != nil {
		return Receipt{}, err
	}
	if err := s.take(ctx, d.in); err != nil {
		return Receipt{}, err
	}
	d.receipt.Accepted = len(d.in.Fixes)
	return d.receipt, nil
}

// apiDecoder reads a request of the own API. Objects as programs write them
// are read in one pass; others go to encoding/json, with the same result.
//
// The quick libraries would be fast enough, but not for data from outside:
// goccy/go-json 0.10 reads beyond the end after a malformed key, into what
// another request left there.
type apiDecoder struct {
	in      *intake
	limit   int
	n       int // positions so far
	receipt Receipt
}

func (d *apiDecoder) decode(form Form, b []byte) error {
	if !utf8.Valid(b) {
		return fault.InvalidField("body", "not UTF-8, as JSON has to be")
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if form == NDJSON {
		return d.lines(b)
	}
	i := scan.Space(b, 0)
	if i < len(b) && b[i] == '{' {
		return d.wrapped(b, i)
	}
	end, err := d.array(b, i)
	if err != nil {
		return err
	}
	return atEnd(b, end)
}

// wrapped reads the object at b[i:], whose positions usually come first and
// alone.
func (d *apiDecoder) wrapped(b []byte, i int) error {
	const key = `"positions"`
	var body struct {
		Positions json.RawMessage `json:"positions"`
	}
	j := scan.Space(b, i+1)
	if !bytes.HasPrefix(b[j:], []byte(key)) {
		if err := json.Unmarshal(b, &body); err != nil {
			return fault.InvalidField("body", "not JSON: %w", err)
		}
		if body.Positions == nil {
			return fault.InvalidField("body", `holds no "positions"`)
		}
		_, err := d.array(body.Positions, 0)
		return err
	}
	if j = scan.Space(b, j+len(key)); j >= len(b) || b[j] != ':' {
		return fault.InvalidField("body", "not JSON: no colon at byte %d", j)
	}
	end, err := d.array(b, scan.Space(b, j+1))
	if err != nil {
		return err
	}
	if end = scan.Space(b, end); end < len(b) && b[end] == '}' {
		return atEnd(b, end+1)
	}
	// What else the object holds is not ours, but has to be JSON.
	rest := append([]byte(`{"":0`), b[end:]...)
	if err := json.Unmarshal(rest, &body); err != nil || body.Positions != nil {
		return fault.InvalidField("body", "not one JSON object with positions, from byte %d on", end)
	}
	return nil
}

func atEnd(b []byte, i int) error {
	if i = scan.Space(b, i); i < len(b) {
		return fault.InvalidField("body", "not JSON: more text at byte %d, after the positions", i)
	}
	return nil
}

// array reads the array at b[i:] and returns its end.
func (d *apiDecoder) array(b []byte, i int) (int, error) {
	if i >= len(b) || b[i] != '[' {
		return 0, fault.InvalidField("body", "positions: not a JSON array")
	}
	if i = scan.Space(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		if d.n >= d.limit {
			return 0, &TooMany{d.limit}
		}
		end, err := d.element(b, i)
		if err != nil {
			return 0, fault.InvalidField("body", "position %d at byte %d: not JSON: %w", d.n, i, err)
		}
		switch i = scan.Space(b, end); {
		case i < len(b) && b[i] == ',':
			i = scan.Space(b, i+1)
		case i < len(b) && b[i] == ']':
			return i + 1, nil
		default:
			return 0, fault.InvalidField("body", "not JSON: no comma or bracket at byte %d, after position %d", i, d.n-1)
		}
	}
}

// lines reads one object a line; a line that is no JSON is refused by itself.
func (d *apiDecoder) lines(b []byte) error {
	for line := range bytes.Lines(b) {
		if line = bytes.Trim(line, " \t\r\n"); len(line) == 0 {
			continue
		}
		if d.n >= d.limit {
			return &TooMany{d.limit}
		}
		r, bad, end, ok := scanPosition(line, 0)
		if !ok || end != len(line) {
			var err error
			if r, bad, err = readPosition(line); err != nil {
				d.refused(d.in.malformed(line, "not JSON: %v", err))
				continue
			}
		}
		d.enter(&r, bad, line)
	}
	return nil
}

// element takes in the value at b[i:] and returns its end. The error is about
// syntax.
func (d *apiDecoder) element(b []byte, i int) (int, error) {
	r, bad, end, ok := scanPosition(b, i)
	if !ok {
		end = scan.ValueEnd(b, i)
		var err error
		if r, bad, err = readPosition(b[i:end]); err != nil {
			return 0, err
		}
	}
	d.enter(&r, bad, b[i:end])
	return end, nil
}

func (d *apiDecoder) enter(r *report, bad string, raw []byte) {
	r.raw = raw
	if bad != "" {
		d.refused(d.in.refuse(r, d.in.from.Unit.ID, patrol.Malformed, bad))
	} else {
		d.refused(d.in.add(r))
	}
}

// refused enters what became of the next position; nil for a fix.
func (d *apiDecoder) refused(r *patrol.Refusal) {
	if r != nil {
		d.receipt.Refused = append(d.receipt.Refused, Refused{d.n, r.Reason, r.Detail})
	}
	d.n++
}

// field is a key of a position: first those whose values are numbers.
type field uint8

const (
	lonField field = iota
	latField
	accuracyField
	speedField
	headingField
	altitudeField
	batteryField
	numbers // how many those are
	timeField
	unitField
	chargingField
	sosField
	mockField
	otherField
)

// fieldNames are the keys, by field.
var fieldNames = [otherField]string{"lon", "lat", "accuracy", "speed", "heading", "altitude", "battery", "", "time", "unit", "charging", "sos", "mock"}

// flagOf are the flags whose values are true or false.
var flagOf = [otherField]patrol.Flags{chargingField: patrol.Charging, sosField: patrol.SOS, mockField: patrol.Mocked}

func fieldOf(key []byte) field {
	switch string(key) {
	case "lon":
		return lonField
	case "lat":
		return latField
	case "time":
		return timeField
	case "unit":
		return unitField
	case "accuracy":
		return accuracyField
	case "speed":
		return speedField
	case "heading":
		return headingField
	case "altitude":
		return altitudeField
	case "battery":
		return batteryField
	case "charging":
		return chargingField
	case "sos":
		return sosField
	case "mock":
		return mockField
	}
	return otherField
}

// values are the numbers of a position; NaN for what is not there.
type values [numbers]float64

func noValues() values {
	nan := math.NaN()
	return values{nan, nan, nan, nan, nan, nan, nan}
}

func (v *values) into(r *report) {
	r.lon, r.lat, r.accuracyM, r.speedMPS, r.heading, r.altitudeM, r.battery = v[0], v[1], v[2], v[3], v[4], v[5], v[6]
}

// scanPosition reads the object at b[i:]. It reports false for all that is
// unusual, and then has decided nothing.
func scanPosition(b []byte, i int) (r report, bad string, end int, ok bool) {
	if i >= len(b) || b[i] != '{' {
		return r, "", i, false
	}
	v, seen := noValues(), 0
	for {
		i = scan.Space(b, i+1)
		n := scan.Plain(b[min(i, len(b)):])
		if n == 0 {
			return r, "", i, false
		}
		f := fieldOf(b[i+1 : i+n-1])
		if f != otherField && seen&(1<<f) != 0 {
			return r, "", i, false
		}
		seen |= 1 << f
		if i = scan.Space(b, i+n); i >= len(b) || b[i] != ':' {
			return r, "", i, false
		}
		if i = scan.Space(b, i+1); i >= len(b) {
			return r, "", i, false
		}
		n = 0
		switch {
		case f < numbers:
			v[f], n = scan.Number(b[i:])
		case f == timeField && b[i] != '"':
			var t float64
			if t, n = scan.Number(b[i:]); n > 0 {
				r.setNumber(t)
			}
		case f == timeField:
			if n = scan.Plain(b[i:]); n > 0 {
				r.setText(b[i+1 : i+n-1])
			}
		case f == unitField:
			if n = scan.Plain(b[i:]); n > 0 {
				r.unit = string(b[i+1 : i+n-1])
			}
		default:
			switch {
			case bytes.HasPrefix(b[i:], []byte("true")):
				n = 4
				if f != otherField {
					r.flags |= flagOf[f]
				}
			case bytes.HasPrefix(b[i:], []byte("false")):
				n = 5
			case f == otherField:
				if n = scan.Plain(b[i:]); n == 0 {
					_, n = scan.Number(b[i:])
				}
			}
		}
		if n == 0 {
			return r, "", i, false
		}
		switch i = scan.Space(b, i+n); {
		case i < len(b) && b[i] == ',':
		case i < len(b) && b[i] == '}':
			v.into(&r)
			return r, "", i + 1, true
		default:
			return r, "", i, false
		}
	}
}

// readPosition reads one JSON value with encoding/json. The error is about
// syntax alone; bad says what else is wrong, beside position and time.
func readPosition(raw []byte) (r report, bad string, err error) {
	r = newReport()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		if !json.Valid(raw) {
			if err == nil {
				err = errors.New("no value")
			}
			return r, "", err
		}
		return r, "not an object with time, lon and lat", nil
	}
	v := noValues()
	for f, name := range fieldNames {
		text, ok := fields[name]
		if f := field(f); ok && name != "" && string(text) != "null" {
			if wrong := r.read(f, text, &v); wrong != "" && bad == "" {
				bad = name + ": " + wrong
			}
		}
	}
	v.into(&r)
	return r, bad, nil
}

// read takes the value of one field and says what is wrong with it.
func (r *report) read(f field, text []byte, v *values) string {
	switch {
	case f < numbers:
		n := 0
		if v[f], n = scan.Number(text); n != len(text) {
			v[f] = math.NaN()
			if f != lonField && f != latField { // these have a reason of their own
				return "not a number"
			}
		}
	case f == timeField:
		var s string
		if t, n := scan.Number(text); n == len(text) {
			r.setNumber(t)
		} else if json.Unmarshal(text, &s) == nil {
			r.setText([]byte(s))
		} else {
			r.badTime = "time is neither text nor a number"
		}
	case f == unitField:
		if json.Unmarshal(text, &r.unit) != nil {
			return "not text"
		}
	default:
		var on bool
		if json.Unmarshal(text, &on) != nil {
			return "neither true nor false"
		}
		if on {
			r.flags |= flagOf[f]
		}
	}
	return ""
}

// secondsBefore tells seconds from milliseconds: as seconds it is the year
// 5138, as milliseconds 1973.
const secondsBefore = 1e11

// setNumber takes a time in Unix seconds or milliseconds.
func (r *report) setNumber(v float64) {
	if !(v > 0) {
		r.badTime = fmt.Sprintf("time: %v is before 1970", v)
		return
	}
	if v < secondsBefore {
		v *= 1000
	}
	r.setMillis(v)
}

// setText takes a time by RFC 3339.
func (r *report) setText(b []byte) {
	var t time.Time
	if err := t.UnmarshalText(b); err != nil {
		r.badTime = fmt.Sprintf("time: %.40q is not RFC 3339", b)
		return
	}
	r.setMillis(float64(t.UnixMilli()))
}
