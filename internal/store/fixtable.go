package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// fixTable is how a database keeps the fixes of tracks: the one thing that is
// too much for a form that suits both. Instants are Unix milliseconds.
type fixTable interface {
	// known are the fixes that are kept under the unit and time of one of
	// those given.
	known(ctx context.Context, tx *transaction, fixes []patrol.Fix) (map[fixKey]patrol.Fix, error)
	// entering does outside of a transaction what can be done there, and
	// returns what enters the fixes in one. Of those that are kept already,
	// the first stay.
	entering(fixes []patrol.Fix) func(context.Context, *transaction) error
	// remove takes away those that are there, and returns them.
	remove(ctx context.Context, tx *transaction, fixes []patrol.Fix) ([]patrol.Fix, error)
	// track is one unit's fixes in [from, to), in order.
	track(ctx context.Context, tx *transaction, unit patrol.UnitID, from, to int64) ([]patrol.Fix, error)
	// days are the beginnings of the days of which there may be fixes, in
	// order.
	days(ctx context.Context, tx *transaction) ([]int64, error)
	// window is how much of a day is read at once by each of the next two.
	window() time.Duration
	// all are all units' fixes in [from, to), no more than a window, in order
	// of time and unit.
	all(ctx context.Context, tx *transaction, from, to int64) ([]patrol.Fix, error)
	// compact tidies up what came in before now.
	compact(ctx context.Context, now int64) error
	// drop forgets a day.
	drop(ctx context.Context, day int64) error
	// bundles calls f with all fixes of the trackSpan from start on, by unit.
	// What f gets is its own only until it returns.
	bundles(ctx context.Context, tx *transaction, start int64, f func(bundle) error) error
	// enterBundles enters what bundles gave into a table without fixes.
	enterBundles(ctx context.Context, tx *transaction, bundles []bundle) error
}

// bundle is the fixes of one unit in the trackSpan from start on, as
// patrol.AppendTrack has them: the same bytes from either database.
type bundle struct {
	unit  patrol.UnitID
	start int64
	track []byte
}

// fixes are those of b. It is Invalid when they are not what a bundle has.
func (b bundle) fixes() ([]patrol.Fix, error) {
	fixes, err := patrol.DecodeTrack(nil, b.unit, b.track)
	if err != nil {
		return nil, fmt.Errorf("unit %d: %w", b.unit, err)
	}
	outside := func(f patrol.Fix) bool { return spanOf(f.At) != b.start }
	increasing := slices.IsSortedFunc(fixes, byTime) && len(slices.CompactFunc(slices.Clone(fixes), sameFix)) == len(fixes)
	if len(fixes) == 0 || b.unit == 0 || b.start != spanOf(b.start) || !increasing || slices.ContainsFunc(fixes, outside) {
		return nil, fault.New(fault.Invalid, "unit %d: %d fixes that are no track of the ten minutes from %d on", b.unit, len(fixes), b.start)
	}
	return fixes, nil
}

// fixKey is the identity of a fix.
type fixKey struct {
	unit patrol.UnitID
	at   int64
}

func keyOf(f *patrol.Fix) fixKey { return fixKey{f.Unit, f.At} }

// trackSpan is how much of a unit's track is kept in one piece, in SQLite and
// in backups. It divides a day in Shanghai.
const trackSpan = 10 * time.Minute

const (
	spanMS = int64(trackSpan / time.Millisecond)
	dayMS  = int64(24 * time.Hour / time.Millisecond)
	zoneMS = int64(8 * time.Hour / time.Millisecond) // grid.Zone is ahead of UTC by that
)

// dayOf is the beginning of the day in Shanghai that at lies in.
func dayOf(at int64) int64 { return at - modulo(at+zoneMS, dayMS) }

// spanOf is the beginning of the trackSpan that at lies in.
func spanOf(at int64) int64 { return at - modulo(at, spanMS) }

func modulo(a, n int64) int64 { return ((a % n) + n) % n }

// dayFormat is a day in names of tables.
const dayFormat = "20060102"

// dayName is the day that begins at day.
func dayName(day int64) string { return time.UnixMilli(day).In(grid.Zone).Format(dayFormat) }

// dayNamed is the reverse of dayName, or false.
func dayNamed(name string) (int64, bool) {
	t, err := time.ParseInLocation(dayFormat, name, grid.Zone)
	return t.UnixMilli(), err == nil
}

// daysNamed are the days that names of tables end in, in order.
func daysNamed(tables []string, prefix string) []int64 {
	var days []int64
	for _, name := range tables {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			if day, ok := dayNamed(rest); ok {
				days = append(days, day)
			}
		}
	}
	slices.Sort(days)
	return days
}

func byTime(a, b patrol.Fix) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Unit, b.Unit)) }
func byUnit(a, b patrol.Fix) int { return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.At, b.At)) }

func sameFix(a, b patrol.Fix) bool { return keyOf(&a) == keyOf(&b) }

// merged is a and b, which it may use, in order of unit and time, each
// identity once: a's before b's.
func merged(a, b []patrol.Fix) []patrol.Fix {
	all := append(a, b...)
	if !slices.IsSortedFunc(all, byUnit) {
		slices.SortStableFunc(all, byUnit)
	}
	return slices.CompactFunc(all, sameFix)
}

// unitByUnit is fixes in order of unit and, among those of one time as they
// are, of time. It counts how many each unit has, which are small numbers, where
// that is cheaper than to compare.
func unitByUnit(fixes []patrol.Fix) []patrol.Fix {
	if slices.IsSortedFunc(fixes, byUnit) {
		return fixes
	}
	var most patrol.UnitID
	for i := range fixes {
		most = max(most, fixes[i].Unit)
	}
	if int(most)/8 > len(fixes) {
		fixes = slices.Clone(fixes)
		slices.SortStableFunc(fixes, byUnit)
		return fixes
	}
	next := make([]int32, most+2)
	for i := range fixes {
		next[fixes[i].Unit+1]++
	}
	for i := range next[1:] {
		next[i+1] += next[i]
	}
	out := make([]patrol.Fix, len(fixes))
	for i := range fixes {
		n := &next[fixes[i].Unit]
		out[*n] = fixes[i]
		*n++
	}
	for rest := out; len(rest) > 0; {
		n := runOf(rest, unitOf)
		if !slices.IsSortedFunc(rest[:n], byTime) {
			slices.SortStableFunc(rest[:n], byTime)
		}
		rest = rest[n:]
	}
	return out
}

// within leaves of fixes those in [from, to).
func within(fixes []patrol.Fix, from, to int64) []patrol.Fix {
	return slices.DeleteFunc(fixes, func(f patrol.Fix) bool { return f.At < from || f.At >= to })
}

// between is the part of fixes, in order of time, that lies in [from, to).
func between(fixes []patrol.Fix, from, to int64) []patrol.Fix {
	at := func(f patrol.Fix, at int64) int { return cmp.Compare(f.At, at) }
	first, _ := slices.BinarySearchFunc(fixes, from, at)
	last, _ := slices.BinarySearchFunc(fixes, to, at)
	return fixes[first:last]
}

func unitOf(f *patrol.Fix) patrol.UnitID { return f.Unit }

func spanKeyOf(f *patrol.Fix) fixKey { return fixKey{f.Unit, spanOf(f.At)} }

// runOf is how many fixes at the beginning have the same key.
func runOf[K comparable](fixes []patrol.Fix, key func(*patrol.Fix) K) int {
	n, first := 1, key(&fixes[0])
	for n < len(fixes) && key(&fixes[n]) == first {
		n++
	}
	return n
}

// inOrder is fixes, all of [from, to), in order of time and unit, each
// identity once, the first of those given. It counts how many there are of
// each millisecond, which takes a tenth of the time of comparing them.
func inOrder(fixes []patrol.Fix, from, to int64) []patrol.Fix {
	if int64(len(fixes)) < (to-from)/64 {
		slices.SortStableFunc(fixes, byTime)
		return slices.CompactFunc(fixes, sameFix)
	}
	next := make([]int32, to-from+1)
	for i := range fixes {
		next[fixes[i].At-from+1]++
	}
	for i := range next[1:] {
		next[i+1] += next[i]
	}
	out := make([]patrol.Fix, len(fixes))
	for i := range fixes {
		n := &next[fixes[i].At-from]
		out[*n] = fixes[i]
		*n++
	}
	for rest := out; len(rest) > 0; {
		n := runOf(rest, func(f *patrol.Fix) int64 { return f.At })
		slices.SortStableFunc(rest[:n], byUnit)
		rest = rest[n:]
	}
	return slices.CompactFunc(out, sameFix)
}
