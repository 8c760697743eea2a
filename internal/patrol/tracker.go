package patrol

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// Boundaries are the borders in force over time, as locate.Indexes has them.
type Boundaries interface {
	// At is the index of the borders in force at that instant, in Unix
	// milliseconds; nil when there are none. It takes nanoseconds.
	At(ms int64) *locate.Index
}

// Config is what a Tracker works with.
type Config struct {
	Registry   *Registry
	Boundaries Boundaries
	Log        Log
	Tracks     Tracks
	Settings   Settings         // the zero Settings are DefaultSettings
	Now        func() time.Time // nil is time.Now
	// Failed is told what goes wrong while Run goes on and tries again; nil is
	// nobody.
	Failed func(error)
}

// Tracker keeps where every unit is, and what follows from the fixes in the
// log. It is safe for concurrent use.
type Tracker struct {
	staff    func() *Staff
	bounds   Boundaries
	log      Log
	tracks   Tracks
	settings Settings
	now      func() time.Time
	failed   func(error)

	// gate is held by whoever changes what the units' states rest on: the
	// applying of an entry, a re-run, the taking of effects.
	gate    sync.Mutex
	effects *effects // nil in a replay; under gate
	past    bool     // this is a replay
	late    map[UnitID]*backlog

	saving sync.Mutex // over what is entered, so that it is in order; taken before gate
	owed   []Event    // of the clock, not entered yet; under saving
	put    uint64     // the last entry of the newest checkpoint; under saving

	mu      sync.RWMutex // over all that follows, which gate's holder changes
	units   []unitState  // by UnitID
	sweep   sweep
	visits  map[grid.ID]int64 // Unix milliseconds: when a unit was last there that has left since
	began   int64             // Unix milliseconds: the first fix ever
	applied uint64            // entries of the log

	batch Batch // room for the one being applied; under gate

	full  chan struct{} // of effects: save soon
	room  chan struct{} // effects were saved
	ready chan struct{}
	stats counters
}

// unitState is what is known of one unit.
type unitState struct {
	last    Fix   // the newest fix of the track; zero before the first
	heard   int64 // Unix milliseconds by our clock: when anything was last received
	heardAt int64 // by the device's: the newest fix, of the track or not
	sieve   sieve
	course  course
	datum   sentinel
	sos     bool
	silent  bool // and that was said
}

type counters struct{ kept, late, refused, events, corrections atomic.Int64 }

// Stats are counts since the process began, but for the last three, which are
// as they are now.
type Stats struct {
	Kept, Late, Refused, Events, Corrections int64
	Applied                                  uint64 // entries of the log, ever
	Unsaved                                  int    // fixes and refusals that were applied and not entered yet
	Backlogs                                 int    // units whose late fixes wait for a re-run
}

// NewTracker makes a Tracker that knows nothing until Run.
func NewTracker(cfg Config) *Tracker {
	t := newTracker(cfg.Registry.Staff, cfg.Boundaries, cfg.Settings)
	t.log, t.tracks, t.effects = cfg.Log, cfg.Tracks, &effects{}
	if cfg.Now != nil {
		t.now = cfg.Now
	}
	if cfg.Failed != nil {
		t.failed = cfg.Failed
	}
	return t
}

// NewReplay makes a Tracker of the past, which is fed and never Run. It begins
// without a fix: feed it the fixes of some minutes more than SilentAfter before
// the first moment to be shown, so that silence is told from absence and the
// confirmed grids have come about. Where the roster does not reach back to
// then, who reports is on duty.
func NewReplay(staff *Staff, bounds Boundaries, settings Settings) *Tracker {
	t := newTracker(func() *Staff { return staff }, bounds, settings)
	t.past = true
	return t
}

func newTracker(staff func() *Staff, bounds Boundaries, settings Settings) *Tracker {
	if settings == (Settings{}) {
		settings = DefaultSettings()
	}
	return &Tracker{
		staff: staff, bounds: bounds, settings: settings, now: time.Now, failed: func(error) {},
		late: make(map[UnitID]*backlog), visits: make(map[grid.ID]int64),
		full: make(chan struct{}, 1), room: make(chan struct{}, 1), ready: make(chan struct{}),
	}
}

// Feed takes fixes of a track, those of each unit in order of time, as heard
// when they were made. Those that are not newer than what the unit has are
// passed over.
func (t *Tracker) Feed(fixes []Fix) {
	t.gate.Lock()
	defer t.gate.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	staff := t.staff()
	for i := range fixes {
		f := &fixes[i]
		u := t.unit(f.Unit)
		if u == nil || f.At <= u.last.At {
			continue
		}
		u.heard = f.At
		u.sos = f.Flags&SOS != 0
		t.keep(staff, u, f)
	}
}

// unit is the state of a unit, or nil for an ID that cannot be.
func (t *Tracker) unit(id UnitID) *unitState {
	if id == 0 || id > MaxUnitID {
		return nil
	}
	if int(id) >= len(t.units) {
		t.units = append(t.units, make([]unitState, int(id)+1-len(t.units))...)
	}
	return &t.units[id]
}

// Accept makes batch durable, without what may not be kept: positions of units
// that are not on duty at the fix's time are counted and forgotten here, and
// so are those of unknown or retired units, and the text of reports that could
// not be read but may hold a position. It returns once the rest may be
// acknowledged; Unavailable says that nothing of it was kept. It takes over
// batch's slices.
func (t *Tracker) Accept(ctx context.Context, batch Batch) error {
	staff := t.staff()
	for i := range batch.Refusals {
		forgetOffDuty(staff, &batch.Refusals[i])
	}
	fixes := batch.Fixes[:0]
	for i := range batch.Fixes {
		f := &batch.Fixes[i]
		// A fix from the future was made by now, whatever its clock says.
		if staff.OnDuty(f.Unit, f.At) && (f.At <= f.Received || staff.OnDuty(f.Unit, f.Received)) {
			fixes = append(fixes, *f)
			continue
		}
		r := Refusal{Unit: f.Unit, Source: f.Source, At: f.At, Received: f.Received, Reason: OffDuty}
		if u, ok := staff.Unit(f.Unit); !ok {
			r.Unit, r.Reason, r.Detail = 0, UnknownUnit, fmt.Sprintf("there is no unit %d", f.Unit)
		} else if !u.Retired.IsZero() && f.At >= u.Retired.UnixMilli() {
			r.Reason, r.Detail = UnknownUnit, "retired"
		}
		batch.Refusals = append(batch.Refusals, r)
	}
	batch.Fixes = fixes
	if len(batch.Fixes)+len(batch.Refusals) == 0 {
		return nil
	}
	room := encodeRoom.Get().(*[]byte)
	defer encodeRoom.Put(room)
	*room = AppendBatch((*room)[:0], &batch)
	_, err := t.log.Append(ctx, *room)
	return err
}

// forgetOffDuty takes the report as it came out of r, unless its unit is known
// to be on duty: what cannot be read as a position may well be one to who looks
// at it.
func forgetOffDuty(staff *Staff, r *Refusal) {
	if r.Raw == "" {
		return
	}
	at := r.Received
	if r.At != 0 {
		at = min(r.At, r.Received)
	}
	if !staff.OnDuty(r.Unit, at) {
		r.Raw = ""
	}
}

var encodeRoom = sync.Pool{New: func() any { return new([]byte) }}

// apply takes one entry of the log. The gate is held.
func (t *Tracker) apply(seq uint64, entry [][]byte) {
	staff := t.staff()
	for _, data := range entry {
		if err := decodeBatch(data, &t.batch); err != nil {
			t.failed(fmt.Errorf("entry %d of the log: %w", seq, err))
			continue
		}
		t.mu.Lock()
		for i := range t.batch.Fixes {
			t.applyFix(staff, &t.batch.Fixes[i])
		}
		t.mu.Unlock()
		for i := range t.batch.Refusals {
			t.refuse(t.batch.Refusals[i])
		}
	}
	t.mu.Lock()
	t.applied = seq
	t.mu.Unlock()
	t.effects.mark(seq)
}

func (t *Tracker) applyFix(staff *Staff, f *Fix) {
	u := t.unit(f.Unit)
	if u == nil {
		t.refuse(Refusal{Source: f.Source, At: f.At, Received: f.Received, Reason: UnknownUnit, Detail: fmt.Sprintf("there is no unit %d", f.Unit)})
		return
	}
	t.hear(staff, u, f)
	reason, detail := unfit(f)
	if reason == InFuture || reason == TooOld {
		if f.Flags&SOS != 0 && !u.sos { // whatever its clock says, somebody calls
			u.sos = true
			e := newEvent(f, CalledHelp, f.Received, ruleClock)
			e.Evidence = []Evidence{{At: f.At, AccuracyM: f.AccuracyM}}
			t.happened(e)
		}
		t.refuse(refusal(f, reason, detail))
		return
	}
	if f.At > u.heardAt {
		u.heardAt = f.At
		if e, ok := alarm(&u.sos, f); ok {
			t.happened(e)
		}
	} else if f.Flags&SOS != 0 {
		t.postpone(f.Unit, f.At, f.At, f.Received, true)
	}
	switch {
	case reason != "":
		t.refuse(refusal(f, reason, detail))
	case u.sieve.holds(f.At):
		t.refuse(refusal(f, Duplicate, "there is another of that time"))
	default:
		t.sift(staff, u, f)
	}
}

// hear notes that a unit was heard of.
func (t *Tracker) hear(staff *Staff, u *unitState, f *Fix) {
	if f.Received <= u.heard {
		return
	}
	u.heard = f.Received
	if !u.silent {
		return
	}
	u.silent = false
	if staff.OnDuty(f.Unit, f.Received) {
		e := newEvent(f, CameBack, f.Received, ruleHeard)
		e.From, e.To = u.course.grid, u.course.grid
		t.happened(e)
	}
}

// alarm is the event that f makes when it calls for help and the one before it
// did not.
func alarm(sos *bool, f *Fix) (Event, bool) {
	before := *sos
	*sos = f.Flags&SOS != 0
	if before || !*sos {
		return Event{}, false
	}
	e := newEvent(f, CalledHelp, f.At, ruleButton)
	e.Evidence = []Evidence{{At: f.At, AccuracyM: f.AccuracyM}}
	return e, true
}

func (t *Tracker) sift(staff *Staff, u *unitState, f *Fix) {
	runFrom, before := u.sieve.runFrom, u.sieve.last
	switch v := u.sieve.step(f, t.settings.MaxSpeedMPS); v {
	case kept:
		t.effects.Kept = append(t.effects.Kept, *f)
		t.keep(staff, u, f)
		t.stats.kept.Add(1)
	case older:
		t.effects.Late = append(t.effects.Late, *f)
		t.postpone(f.Unit, f.At, f.At, f.Received, false)
		t.stats.late.Add(1)
	case suspect:
		t.refuse(implausible(f, &before))
	case released, outvoted:
		fixes := u.sieve.take()
		t.effects.Released = append(t.effects.Released, fixes[:len(fixes)-1]...)
		t.effects.Kept = append(t.effects.Kept, fixes...)
		for i := range fixes {
			t.keep(staff, u, &fixes[i])
		}
		t.stats.kept.Add(int64(len(fixes)))
		if v == outvoted {
			t.postpone(f.Unit, runFrom, f.At, f.Received, true)
		}
	}
}

// keep moves u to f, the newest fix of its track.
func (t *Tracker) keep(staff *Staff, u *unitState, f *Fix) {
	if t.began == 0 {
		t.began = f.At
	}
	x := t.bounds.At(f.At)
	if t.sweep.gen == nil && x != nil {
		t.sweep.layOut(x)
	}
	shift, _, ok := staff.shift(f.Unit, f.At)
	if !ok { // the roster changed since f was accepted
		shift = u.course.shift
	}
	was := u.course.grid
	if e, ok := u.course.step(x, shift, f); ok {
		t.happened(e)
	}
	if was != u.course.grid && was != grid.None {
		t.visits[was] = max(t.visits[was], min(u.last.At, u.course.since))
	}
	if u.course.raw != grid.None {
		before := placeOf(&u.last)
		t.sweep.pass(&before, f)
	}
	if unit, ok := staff.Unit(f.Unit); ok && u.datum.sample(x, unit.Grids, f) {
		e := newEvent(f, SuspectDatum, f.At, ruleDatum)
		e.From, e.To = u.course.grid, u.course.grid
		t.happened(e)
	}
	u.last = *f
}

func (t *Tracker) refuse(r Refusal) {
	t.effects.Refused = append(t.effects.Refused, r)
	t.stats.refused.Add(1)
}

func (t *Tracker) happened(e Event) {
	if t.effects == nil {
		return
	}
	t.effects.Events = append(t.effects.Events, e)
	t.stats.events.Add(1)
}

// States appends to dst the states of the units that are on duty at now, by
// unit.
func (t *Tracker) States(now time.Time, dst []State) []State {
	staff := t.staff()
	t.mu.RLock()
	defer t.mu.RUnlock()
	ms := now.UnixMilli()
	for i := range staff.units {
		if s := t.state(staff, staff.units[i].ID, ms); s.Presence != OffDutyNow {
			dst = append(dst, s)
		}
	}
	return dst
}

// State is that of one unit at now. It is NotFound for an unknown unit.
func (t *Tracker) State(unit UnitID, now time.Time) (State, error) {
	staff := t.staff()
	if _, ok := staff.Unit(unit); !ok {
		return State{}, fault.New(fault.NotFound, "there is no unit %d", unit)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.state(staff, unit, now.UnixMilli()), nil
}

// state tells no position off duty, and none from before the shift. In a
// replay, whose roster may not reach so far back, a unit is on duty while its
// track goes on, too: there are no fixes but those of duty.
func (t *Tracker) state(staff *Staff, id UnitID, now int64) State {
	s := State{Unit: id}
	from, _, on := staff.shift(id, now)
	var u *unitState
	if int(id) < len(t.units) && t.units[id].last.At != 0 {
		u = &t.units[id]
	}
	if !on {
		if !t.past || u == nil || now-u.last.At >= SilentAfter.Milliseconds() || staff.OnDuty(id, u.last.At) {
			return s
		}
		from = u.last.At
	}
	s.Presence = Unheard
	if u == nil || u.last.At < from {
		return s
	}
	s.Presence = Online
	if now-u.heard >= SilentAfter.Milliseconds() {
		s.Presence = Silent
	}
	s.Last, s.Raw, s.Grid, s.Since = u.last, u.course.raw, u.course.grid, u.course.since
	s.SOS, s.Datum = u.sos, u.datum.suspects
	return s
}

// Stats are counts for metrics.
func (t *Tracker) Stats() Stats {
	t.gate.Lock()
	defer t.gate.Unlock()
	s := Stats{Kept: t.stats.kept.Load(), Late: t.stats.late.Load(), Refused: t.stats.refused.Load(),
		Events: t.stats.events.Load(), Corrections: t.stats.corrections.Load(), Applied: t.applied, Backlogs: len(t.late)}
	if t.effects != nil {
		s.Unsaved = t.effects.size()
	}
	return s
}

// Ready is closed when Run has applied what was in the log when it began, so
// that States are of the present.
func (t *Tracker) Ready() <-chan struct{} { return t.ready }
