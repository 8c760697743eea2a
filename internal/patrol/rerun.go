package patrol

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"lianqin/internal/grid"
)

// rerun takes the past of one unit again, in order of time: the track and what
// of it is in quarantine, from a moment at which all that counts is known, to
// one from which on nothing is changed. What comes out otherwise than it is
// entered is corrected.
type rerun struct {
	t     *Tracker
	staff *Staff
	unit  UnitID
	late  *backlog

	events []Event // crossings and calls for help as they are entered, in order

	sieve   sieve
	course  course
	last    Fix
	sos     bool
	held    []candidate // the sieve's suspects
	open    []candidate // believed, and fewer than would hold against others
	crossed []Event     // and calls for help: as they should be
	change  Correction
	from    int64 // Unix milliseconds: what lies after is taken again
	until   int64 // and what lies up to this; at first without end
}

// candidate is a fix and where it is: in the track, in quarantine, or in both
// when its sender repeated it.
type candidate struct {
	fix              Fix
	inTrack, refused bool
}

// lookBacks are how far back a moment to begin from is looked for, the last of
// them further than any fix is taken from.
var lookBacks = [...]time.Duration{10 * time.Minute, time.Hour, 12 * time.Hour, 3 * 24 * time.Hour, maxAge + 24*time.Hour}

// How much of the past is read at once: after a slice in which there is
// nothing, more.
const (
	pastSlice = 30 * time.Minute
	dayOff    = 8 * time.Hour
)

// endOfTime is when an unbounded re-run ends.
const endOfTime = math.MaxInt64

// rerun is run with the gate held, and with all of unit's entered.
func (t *Tracker) rerun(ctx context.Context, unit UnitID, b *backlog) error {
	r := &rerun{t: t, staff: t.staff(), unit: unit, late: b, until: endOfTime, change: Correction{Unit: unit}}
	for _, back := range lookBacks {
		found, err := r.begin(ctx, back, back == lookBacks[len(lookBacks)-1])
		if err != nil {
			return err
		}
		if found {
			break
		}
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	r.compare()
	if r.change.changes() {
		if err := t.tracks.Correct(ctx, &r.change); err != nil {
			return err
		}
		t.stats.corrections.Add(1)
	}
	r.install()
	return nil
}

func (c *Correction) changes() bool {
	return len(c.Released)+len(c.Withdrawn)+len(c.Retracted)+len(c.Entered) > 0
}

// begin looks for a fix not longer ago than back before all that are late, at
// which the state is known whatever came before: one of an unbroken run of three,
// which lies in the grid that events of the same shift tell of. Failing that,
// with last or where the shift begins in the time looked at, it begins with
// the first fix there.
func (r *rerun) begin(ctx context.Context, back time.Duration, last bool) (bool, error) {
	start := r.late.from - back.Milliseconds()
	var before []Fix // in time
	shift, _, _ := r.staff.shift(r.unit, r.late.from)
	err := r.t.tracks.Fixes(ctx, r.unit, instant(start), instant(r.late.from), func(fixes []Fix) error {
		before = append(before, fixes...)
		return nil
	})
	if err != nil {
		return false, err
	}
	// Most crossings are of the same shift.
	if err := r.readEvents(ctx, start-max(back, 24*time.Hour).Milliseconds()); err != nil {
		return false, err
	}
	for i := len(before) - 1; i >= agreeing-1; i-- {
		if r.anchored(before[i-agreeing+1 : i+1]) {
			return true, nil
		}
	}
	if !last && shift < start {
		return false, nil
	}
	// Nothing is known of this shift before its first fix; of the fix before it,
	// only where it was.
	i, _ := slices.BinarySearchFunc(before, shift, func(f Fix, at int64) int { return cmp.Compare(f.At, at) })
	r.from = start - 1
	if i > 0 {
		f := &before[i-1]
		r.last, r.from = *f, f.At
		r.sieve = sieve{last: placeOf(f), run: agreeing, runFrom: f.At}
		r.sos = f.Flags&SOS != 0
	}
	return true, nil
}

// newest is the time of the newest fix that was heard.
func (r *rerun) newest() int64 { return max(r.t.units[r.unit].heardAt, r.late.to) }

// readEvents reads crossings and calls for help from start on.
func (r *rerun) readEvents(ctx context.Context, start int64) error {
	r.events = r.events[:0]
	q := EventQuery{Unit: r.unit, Kinds: []EventKind{Crossed, CalledHelp}, From: instant(start), To: instant(r.newest() + 1)}
	return r.t.tracks.Events(ctx, q, func(e Event) error {
		r.events = append(r.events, e)
		return nil
	})
}

// anchored begins from the last of fixes, an unbroken run, if it can.
func (r *rerun) anchored(fixes []Fix) bool {
	f := &fixes[len(fixes)-1]
	for i := 1; i < len(fixes); i++ {
		if fixes[i].At-fixes[i-1].At > SilentAfter.Milliseconds() {
			return false
		}
	}
	shift, _, on := r.staff.shift(r.unit, f.At)
	entered := r.crossingAt(f.At)
	if !on || entered == nil || entered.At.UnixMilli() < shift || f.AccuracyM > movingAccuracyM {
		return false
	}
	x := r.t.bounds.At(f.At)
	if x == nil || entered.To == grid.None || x.LocateCoord(f.Pos) != entered.To {
		return false
	}
	r.from, r.last = f.At, *f
	r.sieve = sieve{last: placeOf(f), run: agreeing, runFrom: fixes[0].At}
	r.course = course{begun: true, shift: shift, raw: entered.To, grid: entered.To, since: entered.At.UnixMilli()}
	r.sos = f.Flags&SOS != 0
	return true
}

// crossingAt is the last crossing that was confirmed by a fix up to at, as
// events are entered, or nil.
func (r *rerun) crossingAt(at int64) *Event {
	for i := len(r.events) - 1; i >= 0; i-- {
		if e := &r.events[i]; e.Kind == Crossed && e.confirmed() <= at {
			return e
		}
	}
	return nil
}

// confirmed is the time of the fix that made e.
func (e *Event) confirmed() int64 {
	if n := len(e.Evidence); n > 0 {
		return e.Evidence[n-1].At
	}
	return e.At.UnixMilli()
}

// again takes the fixes after from, until nothing changes any more or there
// are none.
func (r *rerun) again(ctx context.Context) error {
	newest, slice := r.newest(), pastSlice
	for start := r.from + 1; start <= newest; {
		end := min(start+slice.Milliseconds(), newest+1)
		all, err := r.read(ctx, start, end)
		if err != nil {
			return err
		}
		start = end
		if slice = pastSlice; len(all) == 0 { // a night, or days off
			slice = dayOff
		}
		for i := range all {
			r.take(&all[i])
			if r.converged(&all[i]) {
				r.until = all[i].fix.At
				r.refuseHeld()
				return nil
			}
		}
	}
	r.flush()
	r.refuseHeld()
	return nil
}

// read is what track and quarantine have in [start, end), in order of time,
// one of each time.
func (r *rerun) read(ctx context.Context, start, end int64) ([]candidate, error) {
	var all []candidate
	add := func(inTrack bool) func([]Fix) error {
		return func(fixes []Fix) error {
			for _, f := range fixes {
				all = append(all, candidate{f, inTrack, !inTrack})
			}
			return nil
		}
	}
	if err := r.t.tracks.Fixes(ctx, r.unit, instant(start), instant(end), add(true)); err != nil {
		return nil, err
	}
	if err := r.t.tracks.Suspects(ctx, r.unit, instant(start), instant(end), add(false)); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.fix.At, b.fix.At) })
	one := all[:0]
	for _, c := range all {
		if n := len(one); n > 0 && one[n-1].fix.At == c.fix.At {
			one[n-1].refused = one[n-1].refused || c.refused && c.fix.Pos == one[n-1].fix.Pos
			continue
		}
		one = append(one, c)
	}
	return one, nil
}

func (r *rerun) take(c *candidate) {
	if e, ok := alarm(&r.sos, &c.fix); ok {
		r.crossed = append(r.crossed, e)
	}
	if reason, detail := unfit(&c.fix); reason != "" {
		r.refuse(c, refusal(&c.fix, reason, detail))
		return
	}
	before := r.sieve.last
	switch v := r.sieve.step(&c.fix, r.t.settings.MaxSpeedMPS); v {
	case kept:
		r.refuseHeld()
		if r.sieve.run == 1 {
			r.flush()
		}
		r.open = append(r.open, *c)
		if r.sieve.run == agreeing {
			r.flush()
		}
	case suspect:
		if len(r.sieve.suspects) == 1 {
			r.refuseHeld()
		}
		r.held = append(r.held, *c)
	case released, outvoted:
		r.sieve.take()
		if v == outvoted {
			for i := range r.open {
				o := &r.open[i]
				r.refuse(o, implausible(&o.fix, &before))
			}
			r.open = r.open[:0]
		}
		r.open = append(append(r.open, r.held...), *c)
		r.held = r.held[:0]
		r.flush()
	case older: // of a time that was judged: there is one of each
	}
}

// flush moves along the course by what is believed for good.
func (r *rerun) flush() {
	for i := range r.open {
		c := &r.open[i]
		if c.refused {
			r.change.Released = append(r.change.Released, c.fix)
		}
		shift, _, ok := r.staff.shift(r.unit, c.fix.At)
		if !ok {
			shift = r.course.shift
		}
		if e, ok := r.course.step(r.t.bounds.At(c.fix.At), shift, &c.fix); ok {
			r.crossed = append(r.crossed, e)
		}
		before := placeOf(&r.last)
		r.t.mu.Lock()
		r.t.sweep.pass(&before, &c.fix)
		if id := r.course.grid; id != grid.None {
			r.t.visits[id] = max(r.t.visits[id], c.fix.At)
		}
		r.t.mu.Unlock()
		r.last = c.fix
	}
	r.open = r.open[:0]
}

func (r *rerun) refuseHeld() {
	for i := range r.held {
		c := &r.held[i]
		r.refuse(c, implausible(&c.fix, &r.sieve.last))
	}
	r.held = r.held[:0]
}

func (r *rerun) refuse(c *candidate, why Refusal) {
	if c.inTrack {
		r.change.Withdrawn = append(r.change.Withdrawn, why)
	}
}

// converged reports whether, from c on, everything comes out as it is entered:
// no late fix follows, and both then and now c was believed in the same grid,
// with nothing open.
func (r *rerun) converged(c *candidate) bool {
	at := c.fix.At
	if at <= r.late.to || !c.inTrack || len(r.open)+len(r.held) > 0 || r.sieve.last.at != at ||
		c.fix.AccuracyM > movingAccuracyM || !r.course.settled() || r.course.grid == grid.None {
		return false
	}
	e := r.crossingAt(at)
	return e != nil && e.To == r.course.grid && e.At.UnixMilli() >= r.course.shift
}

// compare finds what of the events between from and until does not hold, and
// what is missing.
func (r *rerun) compare() {
	var gone []Event
	for _, e := range r.events {
		if at := e.confirmed(); at <= r.from || at > r.until || e.Kind == CalledHelp && e.At.UnixMilli() != at {
			continue
		}
		i := slices.IndexFunc(r.crossed, func(n Event) bool { return n.says(&e) })
		if i < 0 {
			gone = append(gone, e)
			r.change.Retracted = append(r.change.Retracted, e.ID)
			continue
		}
		r.crossed = slices.Delete(r.crossed, i, i+1)
	}
	for _, e := range r.crossed {
		e.Recorded, e.Rule = instant(r.late.last), ruleLate+e.Rule
		if i := slices.IndexFunc(gone, func(g Event) bool { return g.Kind == e.Kind }); i >= 0 {
			e.Corrects = gone[i].ID
			gone = slices.Delete(gone, i, i+1)
		}
		r.change.Entered = append(r.change.Entered, e)
	}
}

// says reports whether two events say the same of the unit, from the same
// fixes.
func (e *Event) says(other *Event) bool {
	return e.Kind == other.Kind && e.At.Equal(other.At) && e.From == other.From && e.To == other.To &&
		slices.EqualFunc(e.Evidence, other.Evidence, func(a, b Evidence) bool { return a.At == b.At })
}

// install makes the unit's present follow from its past as it is now.
func (r *rerun) install() {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	u := &r.t.units[r.unit]
	if r.until == endOfTime {
		u.sieve, u.course, u.last, u.sos = r.sieve, r.course, r.last, r.sos
		return
	}
	if u.course.since <= r.until && u.course.grid == r.course.grid {
		u.course.since = r.course.since
	}
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
