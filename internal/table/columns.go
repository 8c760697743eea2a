package table

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"lianqin/internal/fault"
)

// Common names of the two columns, the likeliest first.
var (
	lonNames = []string{"lon", "lng", "longitude", "long", "经度", "gps_lon", "gps_lng", "lon_wgs84", "lng_wgs84", "x", "point_x"}
	latNames = []string{"lat", "latitude", "纬度", "gps_lat", "lat_wgs84", "y", "point_y"}
)

// columnsIn finds the two columns among names.
func columnsIn(names []string, opt Options) (lon, lat Column, err error) {
	if lon, err = columnIn(names, opt.Settings.LonColumn, opt.LonColumn, lonNames); err != nil {
		return
	}
	if lat, err = columnIn(names, opt.Settings.LatColumn, opt.LatColumn, latNames); err != nil {
		return
	}
	if lon.Number == lat.Number {
		err = fault.InvalidField(fieldOf(opt.Settings.LatColumn), "%q is the longitude column already", lat.Name)
	}
	return
}

func columnIn(names []string, setting, want string, guesses []string) (Column, error) {
	field := fieldOf(setting)
	if want == "" {
		for _, g := range guesses {
			if at := indexFold(names, g); len(at) == 1 {
				return Column{Name: names[at[0]], Number: at[0] + 1, Guessed: true}, nil
			} else if len(at) > 1 {
				return Column{}, ambiguous(field, g, at)
			}
		}
		return Column{}, fault.InvalidField(field, "none of the columns has a name like %s; name it with %s. The columns are: %s",
			strings.Join(guesses[:4], ", "), setting, listed(names))
	}
	for _, find := range []func([]string, string) []int{indexExact, indexFold} {
		if at := find(names, want); len(at) == 1 {
			return Column{Name: names[at[0]], Number: at[0] + 1}, nil
		} else if len(at) > 1 {
			return Column{}, ambiguous(field, want, at)
		}
	}
	if n, err := strconv.Atoi(want); err == nil && n >= 1 && n <= len(names) {
		return Column{Name: names[n-1], Number: n}, nil
	}
	return Column{}, fault.InvalidField(field, "there is no column %q. The columns are: %s", want, listed(names))
}

// fieldOf is a setting's name in a fault.
func fieldOf(setting string) string { return strings.TrimLeft(setting, "-") }

func ambiguous(field, name string, at []int) error {
	return fault.InvalidField(field, "columns %d and %d are both named %q; give the number of the right one", at[0]+1, at[1]+1, name)
}

func indexExact(names []string, want string) []int {
	return indexes(names, func(n string) bool { return n == want })
}

func indexFold(names []string, want string) []int {
	return indexes(names, func(n string) bool { return strings.EqualFold(n, want) })
}

func indexes(names []string, is func(string) bool) []int {
	var at []int
	for i, n := range names {
		if is(n) {
			at = append(at, i)
		}
	}
	return at
}

// listed names at most 40 columns, each cut to 40 characters.
func listed(names []string) string {
	var short []string
	for _, n := range names[:min(len(names), 40)] {
		if r := []rune(n); len(r) > 40 {
			n = string(r[:40]) + "…"
		}
		short = append(short, strconv.Quote(n))
	}
	if len(names) > 40 {
		short = append(short, "…")
	}
	return strings.Join(short, ", ")
}

// repeated are the names that the appended columns have, too.
func repeated(names []string) []string {
	var out []string
	for _, c := range Columns {
		if slices.Contains(names, c) {
			out = append(out, c)
		}
	}
	return out
}

// delimiterOf is the commonest of comma, semicolon and tab in the first row.
func delimiterOf(line []byte) byte {
	best, most := byte(','), 0
	for _, d := range []byte(",;\t") {
		if n := bytes.Count(line, []byte{d}); n > most {
			best, most = d, n
		}
	}
	return best
}

// looksLikeData reports whether no name of the header is a word.
func looksLikeData(names []string) bool {
	numbers := 0
	for _, n := range names {
		if _, err := strconv.ParseFloat(n, 64); err == nil {
			numbers++
		}
	}
	return numbers >= 2
}
