package table

import (
	"bytes"
	"math"
	"strconv"
	"sync/atomic"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// Reason is why a row has no grid.
type Reason uint8

const (
	// Outside lies in no grid, by coordinates that are sound.
	Outside Reason = iota
	// Missing has no longitude or no latitude.
	Missing
	// NotNumber has something else in their place.
	NotNumber
	// OutOfRange is beyond ±180 or ±90 degrees.
	OutOfRange
	// Zero is 0, 0: what devices without a fix report.
	Zero
	// Rounded has too few decimals, in both, to tell a grid.
	Rounded
	// Ragged has more or fewer fields than the header, so that nothing says
	// which of them are the coordinates.
	Ragged
	// Malformed is a row that cannot be read at all.
	Malformed
	// TooLong is a row beyond 16 MiB; of it only the beginning is kept.
	TooLong

	reasons = 9
)

var reasonTexts = [reasons]struct{ word, chinese, english string }{
	Outside:    {"outside", "不在辖区内", "not in any grid"},
	Missing:    {"missing", "缺少经度或纬度", "no longitude or no latitude"},
	NotNumber:  {"not-a-number", "经度或纬度不是数字", "longitude or latitude is not a number"},
	OutOfRange: {"out-of-range", "经纬度超出范围", "beyond 180 degrees of longitude or 90 of latitude"},
	Zero:       {"zero", "经纬度均为零", "longitude and latitude are both zero"},
	Rounded:    {"rounded", "坐标被取整 精度不足", "longitude and latitude are rounded"},
	Ragged:     {"ragged", "列数与表头不符", "more or fewer fields than the header"},
	Malformed:  {"malformed", "无法解析", "not readable"},
	TooLong:    {"too-long", "行超过 16 MiB 只保留开头", "the row is longer than 16 MiB and only its beginning is kept"},
}

// Word is the reason for machines: a lower-case word.
func (r Reason) Word() string { return reasonTexts[r].word }

// Sentence is the reason for people, Chinese before English, without any
// delimiter or quote.
func (r Reason) Sentence() string { return reasonTexts[r].chinese + " " + reasonTexts[r].english }

// String is what the reason column holds: "word: sentence".
func (r Reason) String() string { return r.Word() + ": " + r.Sentence() }

// Reasons are all of them, the one that is no fault of the row first.
func Reasons() []Reason {
	all := make([]Reason, reasons)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// resolver answers for one position given as text.
type resolver struct {
	index       *locate.Index
	gen         *grid.Generation
	datum       geo.Datum
	minDecimals int
	department  func(grid.ID) string // nil: the grid's own
}

// fields are a grid's four columns.
func (rs *resolver) fields(id grid.ID) [4]string {
	g, ok := rs.gen.Grid(id)
	if !ok {
		return [4]string{}
	}
	f := [4]string{g.Code, g.Name, "", g.Department.Name}
	if s, ok := rs.gen.Street(g.Street); ok {
		f[2] = s.Name
	}
	if rs.department != nil {
		f[3] = rs.department(id)
	}
	return f
}

// texts are what is appended for each grid, written out when the first row
// falls there. It is safe for concurrent use.
type texts []atomic.Pointer[[]byte]

func newTexts(gen *grid.Generation) texts {
	grids := gen.Grids()
	return make(texts, grids[len(grids)-1].ID+1)
}

func (t texts) of(id grid.ID, write func(grid.ID) []byte) []byte {
	if b := t[id].Load(); b != nil {
		return *b
	}
	b := write(id) // two threads may both do it, with the same result
	t[id].Store(&b)
	return b
}

// answer is a grid, or why there is none. borderM is NaN without a position.
type answer struct {
	grid    grid.ID
	reason  Reason
	borderM float64
}

func refused(r Reason) answer { return answer{reason: r, borderM: math.NaN()} }

func (rs *resolver) answer(lon, lat []byte, s *Summary) answer {
	p, reason, ok := rs.position(lon, lat, s)
	if !ok {
		return refused(reason)
	}
	id, in := rs.index.Locate(p)
	a := answer{grid: id, borderM: rs.index.BorderDistance(p)}
	if !in {
		a.grid, a.reason = grid.None, Outside
	}
	return a
}

// position is the WGS-84 place that lon and lat say, or the reason not to
// believe them.
func (rs *resolver) position(lon, lat []byte, s *Summary) (p orb.Point, why Reason, ok bool) {
	lon, lat = bytes.TrimSpace(lon), bytes.TrimSpace(lat)
	if absent(lon) || absent(lat) {
		return p, Missing, false
	}
	x, okX := number(lon)
	y, okY := number(lat)
	switch {
	case !okX || !okY:
		return p, NotNumber, false
	case math.Abs(x) > 180 || math.Abs(y) > 90:
		if math.Abs(x) <= 90 && math.Abs(y) <= 180 {
			s.Swapped++
		} else if math.Abs(x) >= 1000 && math.Abs(y) >= 1000 {
			s.Projected++
		}
		return p, OutOfRange, false
	case x == 0 && y == 0:
		return p, Zero, false
	case rs.rounded(x) && rs.rounded(y):
		return p, Rounded, false
	}
	p = orb.Point{x, y}
	if rs.datum != "" && rs.datum != geo.WGS84 {
		p = rs.datum.ToWGS84(p)
	}
	return p, 0, true
}

// absent reports what programs write for no value.
func absent(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 1:
		return b[0] == '-'
	case 2, 3, 4:
		switch string(b) {
		case `\N`, "NA", "na", "N/A", "n/a", "NaN", "nan", "NAN", "nil", "null", "NULL", "Null", "None", "none":
			return true
		}
	}
	return false
}

// number reads a plain decimal fraction, with an exponent or without.
func number(b []byte) (float64, bool) {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false // hexadecimal, infinity and underscores are nobody's coordinates
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil
}

var powersOfTen = [...]float64{1, 10, 100, 1000, 10000}

// rounded reports whether v has fewer than minDecimals decimals.
func (rs *resolver) rounded(v float64) bool {
	if rs.minDecimals < 1 {
		return false
	}
	scaled := v * powersOfTen[min(rs.minDecimals, len(powersOfTen))-1]
	return math.Abs(scaled-math.Round(scaled)) < 1e-9
}
