package simulate

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// ReplayOptions say where and when recorded fixes are to happen again.
type ReplayOptions struct {
	// Begin is when each unit's first fix happens; zero leaves times as they
	// are.
	Begin time.Time
	// To is where the middle of all fixes comes to lie, distances kept; nil
	// leaves them where they are.
	To *orb.Point
	// MaxGap shortens longer pauses of a unit to it; 0 leaves them.
	MaxGap time.Duration
	// AccuracyM is told of every fix; 0 is unknown, as recorded files have it.
	AccuracyM float64
}

// Replay is recorded fixes as a Source. Nothing is known of their truth.
type Replay struct {
	names   []string // of the units in the file, in order
	reports []Report // by Due
	next    int
}

// columns of a file of fixes, with the other names that such files have.
var fixColumns = map[string]string{
	"unit": "unit", "uid": "unit", "user": "unit", "id": "unit",
	"time": "time", "datetime": "time", "timestamp": "time",
	"lon": "lon", "lng": "lon", "longitude": "lon", "lat": "lat", "latitude": "lat",
}

// ReadReplay reads CSV with the columns unit, time, lon and lat in any order:
// WGS-84 degrees, and times in RFC 3339, as "2006-01-02 15:04:05" of
// Asia/Shanghai, or in Unix seconds or milliseconds. It is Invalid, naming the
// line, for a row that cannot be read.
func ReadReplay(r io.Reader, opt ReplayOptions) (*Replay, error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	at, err := readHeader(rows)
	if err != nil {
		return nil, err
	}
	p := &Replay{}
	units := make(map[string]int)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "%w", err)
		}
		report, err := readFix(row, at)
		if err != nil {
			line, _ := rows.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		name := strings.Clone(row[at["unit"]])
		unit, known := units[name]
		if !known {
			unit = len(units)
			units[name] = unit
			p.names = append(p.names, name)
		}
		report.Unit = unit
		p.reports = append(p.reports, report)
	}
	if len(p.reports) == 0 {
		return nil, fault.New(fault.Invalid, "there are no fixes in it")
	}
	p.shift(opt)
	return p, nil
}

func readHeader(rows *csv.Reader) (map[string]int, error) {
	header, err := rows.Read()
	if err != nil {
		return nil, fault.New(fault.Invalid, "no header: %w", err)
	}
	at := make(map[string]int)
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if column, ok := fixColumns[name]; ok {
			at[column] = i
		}
	}
	for _, column := range []string{"unit", "time", "lon", "lat"} {
		if _, ok := at[column]; !ok {
			return nil, fault.InvalidField(column, "there is no such column")
		}
	}
	return at, nil
}

func readFix(row []string, at map[string]int) (Report, error) {
	var p orb.Point
	for i, column := range []string{"lon", "lat"} {
		v, err := strconv.ParseFloat(strings.TrimSpace(row[at[column]]), 64)
		if err != nil {
			return Report{}, fault.InvalidField(column, "%q is no number", row[at[column]])
		}
		p[i] = v
	}
	c, err := geo.Quantise(p)
	if err != nil {
		return Report{}, err
	}
	t, err := readTime(strings.TrimSpace(row[at["time"]]))
	if err != nil {
		return Report{}, err
	}
	ms := t.UnixMilli()
	return Report{At: ms, Taken: ms, Due: ms, Pos: c, Truly: c, SpeedMPS: -1, HeadingDeg: -1, Battery: -1}, nil
}

func readTime(s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n < math.MaxInt32 {
			return time.Unix(n, 0), nil
		}
		return time.UnixMilli(n), nil
	}
	for _, form := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.ParseInLocation(form, s, grid.Zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.InvalidField("time", "%q is no time", s)
}

// shift moves the fixes in time and place, and brings them in order.
func (p *Replay) shift(opt ReplayOptions) {
	slices.SortStableFunc(p.reports, func(a, b Report) int { return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Taken, b.Taken)) })
	last, moved := int64(0), int64(0)
	for i := range p.reports {
		r := &p.reports[i]
		gap := r.Taken - last
		last = r.Taken
		switch first := i == 0 || p.reports[i-1].Unit != r.Unit; {
		case first && !opt.Begin.IsZero():
			moved = opt.Begin.UnixMilli() - r.Taken
		case first:
			moved = 0
		case opt.MaxGap > 0 && gap > opt.MaxGap.Milliseconds():
			moved -= gap - opt.MaxGap.Milliseconds()
		}
		r.AccuracyM = opt.AccuracyM
		r.Taken += moved
		r.At, r.Due = r.Taken, r.Taken
	}
	if opt.To != nil {
		p.move(*opt.To)
	}
	slices.SortStableFunc(p.reports, func(a, b Report) int { return cmp.Compare(a.Due, b.Due) })
}

// move brings the median of the fixes to a place, and keeps distances.
func (p *Replay) move(to orb.Point) {
	lons, lats := make([]float64, len(p.reports)), make([]float64, len(p.reports))
	for i, r := range p.reports {
		q := r.Pos.Point()
		lons[i], lats[i] = q[0], q[1]
	}
	slices.Sort(lons)
	slices.Sort(lats)
	middle := orb.Point{lons[len(lons)/2], lats[len(lats)/2]}
	here, there := geo.ScaleAt(middle[1]), geo.ScaleAt(to[1])
	for i := range p.reports {
		r := &p.reports[i]
		q := r.Pos.Point()
		c, err := geo.Quantise(orb.Point{to[0] + (q[0]-middle[0])*here.XM/there.XM, to[1] + (q[1]-middle[1])*here.YM/there.YM})
		if err == nil { // a fix on the other side of the earth stays there
			r.Pos, r.Truly = c, c
		}
	}
}

// Units are how the file calls its units; a Report's Unit is an index here.
func (p *Replay) Units() []string { return p.names }

// Len is how many fixes there are.
func (p *Replay) Len() int { return len(p.reports) }

// Peek is when the next fix is due; false at the end.
func (p *Replay) Peek() (time.Time, bool) {
	if p.next == len(p.reports) {
		return time.Time{}, false
	}
	return time.UnixMilli(p.reports[p.next].Due), true
}

// Next is the next fix.
func (p *Replay) Next() Report {
	p.next++
	return p.reports[p.next-1]
}
