package httpapi

import (
	"net/url"
	"slices"
	"strings"

	"lianqin/internal/fault"
)

// params are the query parameters of one request, by their place in the
// route's list of names.
type params struct {
	names  []string
	values [16]string
	given  uint16
}

// readParams reads a raw query. A parameter that is not among names, is there
// twice or is not encoded properly is Invalid, named in the error.
func readParams(raw string, names []string) (p params, err error) {
	p.names = names
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if name, err = unescape(name); err != nil {
			return p, err
		}
		i := slices.Index(names, name)
		if i < 0 {
			return p, unknownParam(name, names)
		}
		if p.given&(1<<i) != 0 {
			return p, fault.InvalidField(name, "given more than once")
		}
		if p.values[i], err = unescape(value); err != nil {
			return p, fault.InvalidField(name, "%w", err)
		}
		p.given |= 1 << i
	}
	return p, nil
}

func unescape(s string) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	out, err := url.QueryUnescape(s)
	if err != nil {
		return "", fault.New(fault.Invalid, "the query is not encoded properly: %w", err)
	}
	return out, nil
}

// has reports whether parameter i was given, even empty.
func (p *params) has(i int) bool { return p.given&(1<<i) != 0 }

// number is parameter i as a finite number; Invalid when it is missing.
func (p *params) number(i int) (float64, error) {
	if !p.has(i) {
		return 0, fault.InvalidField(p.names[i], "missing")
	}
	v, ok := readNumber(p.values[i])
	if !ok {
		return 0, fault.InvalidField(p.names[i], "%.40q is not a number", p.values[i])
	}
	return v, nil
}

// flag is parameter i as 0 or 1, false when it is missing.
func (p *params) flag(i int) (bool, error) {
	switch v := p.values[i]; {
	case !p.has(i), v == "0", v == "false":
		return false, nil
	case v == "1", v == "true":
		return true, nil
	default:
		return false, fault.InvalidField(p.names[i], "%.40q is not 0 or 1", v)
	}
}

// aliases are what other services call the same thing.
var aliases = map[string]string{
	"lng": "lon", "long": "lon", "longitude": "lon", "x": "lon", "经度": "lon",
	"latitude": "lat", "y": "lat", "纬度": "lat",
	"acc": "accuracy", "radius": "accuracy", "precision": "accuracy",
	"crs": "datum", "srs": "datum", "coordtype": "datum", "coord_type": "datum",
	"code": "item", "category": "item", "size": "limit", "page_size": "limit", "start": "offset", "startindex": "offset",
}

func unknownParam(name string, names []string) error {
	if hint := meant(name, names); hint != "" {
		return fault.InvalidField(name, "unknown parameter; did you mean %s?", hint)
	}
	if len(names) == 0 {
		return fault.InvalidField(name, "unknown parameter; there are none here")
	}
	return fault.InvalidField(name, "unknown parameter; known are %s", strings.Join(names, ", "))
}

// meant is the name that a wrong one was likely meant for, or "".
func meant(wrong string, names []string) string {
	lower := strings.ToLower(wrong)
	if len(lower) > 20 {
		return ""
	}
	if a, ok := aliases[lower]; ok && slices.Contains(names, a) {
		return a
	}
	best, hint := 2, ""
	for _, n := range names {
		if d := editDistance(lower, n); d < best {
			best, hint = d, n
		}
	}
	return hint
}

// editDistance counts the bytes to insert, drop or change between a and b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
