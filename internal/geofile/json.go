package geofile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"unicode/utf8"
)

// maxJSONDepth is deeper than any boundary file: a MultiPolygon inside a
// collection of a FeatureCollection is at depth 9.
const maxJSONDepth = 64

// anyJSON accepts every value without keeping it, so that Unmarshal only
// checks the syntax.
type anyJSON struct{}

func (*anyJSON) UnmarshalJSON([]byte) error { return nil }

// checkJSON proves data to be one JSON value nested no deeper than
// maxJSONDepth. The walkers below rely on it.
func checkJSON(data []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString:
			if c == '\\' {
				i++
			}
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > maxJSONDepth {
				return fmt.Errorf("byte %d: nested more than %d deep", i, maxJSONDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	err := json.Unmarshal(data, new(anyJSON))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("byte %d: %w", syntax.Offset, err)
	}
	return err
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// endOfValue is the index after the value that starts at b[i].
func endOfValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return endOfString(b, i)
	case '{', '[':
		for depth := 0; i < len(b); i++ {
			switch b[i] {
			case '"':
				i = endOfString(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return i
	}
	for ; i < len(b); i++ {
		switch b[i] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return i
}

func endOfString(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// members are the names and raw values of a checked JSON object, without
// copying; none when v is not an object.
func members(v []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		i := skipSpace(v, 0)
		if i >= len(v) || v[i] != '{' {
			return
		}
		i = skipSpace(v, i+1)
		for i < len(v) && v[i] == '"' {
			end := endOfString(v, i)
			key := unquote(v[i:end])
			i = skipSpace(v, end)
			i = skipSpace(v, i+1) // the colon
			end = endOfValue(v, i)
			if !yield(key, v[i:end]) {
				return
			}
			i = skipSpace(v, end)
			i = skipSpace(v, i+1) // the comma or the end
		}
	}
}

// elements are the raw values of a checked JSON array; none when v is not one.
func elements(v []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipSpace(v, 0)
		if i >= len(v) || v[i] != '[' {
			return
		}
		i = skipSpace(v, i+1)
		for i < len(v) && v[i] != ']' {
			end := endOfValue(v, i)
			if !yield(v[i:end]) {
				return
			}
			i = skipSpace(v, end)
			i = skipSpace(v, i+1)
		}
	}
}

func isKind(v []byte, first byte) bool {
	i := skipSpace(v, 0)
	return i < len(v) && v[i] == first
}

func isNull(v []byte) bool { return v == nil || isKind(v, 'n') }

// unquote is a checked JSON string's text.
func unquote(v []byte) string {
	if plain := v[1 : len(v)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		return string(plain)
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// stringOf is v's text when it is a string, else empty.
func stringOf(v []byte) string {
	if !isKind(v, '"') {
		return ""
	}
	return unquote(v[skipSpace(v, 0):])
}

// scalar is a property's value as Property documents it.
func scalar(v []byte) (any, error) {
	switch v[0] {
	case '"':
		return unquote(v), nil
	case '{', '[':
		var compact bytes.Buffer
		err := json.Compact(&compact, v)
		return json.RawMessage(compact.Bytes()), err
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case 'n':
		return nil, nil
	}
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return nil, fmt.Errorf("%.40s is not a finite number", v)
	}
	return f, nil
}

// properties reads a GeoJSON "properties" object. A repeated name keeps its
// first place and its last value, as JSON parsers do.
func (r *reader) properties(v []byte) (Properties, error) {
	var props Properties
	var place map[string]int
	for name, raw := range members(v) {
		if err := r.takeValues(1); err != nil {
			return nil, err
		}
		value, err := scalar(raw)
		if err != nil {
			return nil, fmt.Errorf("property %q: %w", name, err)
		}
		if place == nil {
			place = make(map[string]int)
		}
		if i, ok := place[name]; ok {
			props[i].Value = value
			continue
		}
		place[name] = len(props)
		props = append(props, Property{name, value})
	}
	return props, nil
}
