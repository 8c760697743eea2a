package simulate

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
)

// ledger is a patrol.Log and patrol.Tracks in memory, for runs of hundreds of
// thousands of fixes; the store's are tested with the same tracker elsewhere.
type ledger struct {
	mu      sync.Mutex
	more    *sync.Cond
	log     [][]byte
	applied uint64
	fixes   map[patrol.UnitID]map[int64]patrol.Fix
	held    map[patrol.UnitID]map[int64]patrol.Refusal
	events  []patrol.Event
}

func newLedger() *ledger {
	l := &ledger{fixes: make(map[patrol.UnitID]map[int64]patrol.Fix), held: make(map[patrol.UnitID]map[int64]patrol.Refusal)}
	l.more = sync.NewCond(&l.mu)
	return l
}

func (l *ledger) Append(_ context.Context, data []byte) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, slices.Clone(data))
	l.more.Broadcast()
	return uint64(len(l.log)), nil
}

func (l *ledger) Tail(ctx context.Context, from uint64, f func(uint64, [][]byte) error) error {
	defer context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.more.Broadcast()
	})()
	for seq := from; ; seq++ {
		l.mu.Lock()
		for uint64(len(l.log)) < seq && ctx.Err() == nil {
			l.more.Wait()
		}
		if ctx.Err() != nil {
			l.mu.Unlock()
			return ctx.Err()
		}
		data := l.log[seq-1]
		l.mu.Unlock()
		if err := f(seq, [][]byte{data}); err != nil {
			return err
		}
	}
}

func (l *ledger) Trim(context.Context, uint64) error { return nil }

func (l *ledger) keep(f patrol.Fix) bool {
	of := l.fixes[f.Unit]
	if of == nil {
		of = make(map[int64]patrol.Fix)
		l.fixes[f.Unit] = of
	}
	if _, twice := of[f.At]; twice {
		return false
	}
	of[f.At] = f
	return true
}

func (l *ledger) hold(r patrol.Refusal) {
	if r.Fix == nil || r.Reason == patrol.Duplicate {
		return
	}
	of := l.held[r.Unit]
	if of == nil {
		of = make(map[int64]patrol.Refusal)
		l.held[r.Unit] = of
	}
	of[r.At] = r
}

func (l *ledger) enter(events []patrol.Event) {
	for _, e := range events {
		same := func(x patrol.Event) bool {
			return x.Unit == e.Unit && x.Kind == e.Kind && x.At.Equal(e.At) && x.Retracted.IsZero()
		}
		if !slices.ContainsFunc(l.events, same) {
			e.ID = int64(len(l.events) + 1)
			l.events = append(l.events, e)
		}
	}
}

func (l *ledger) Save(_ context.Context, e *patrol.Effects) (saved patrol.Saved, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.First != l.applied+1 && e.Last != 0 && e.First != 0 {
		return saved, fault.New(fault.Conflict, "applied up to %d, not %d", l.applied, e.First-1)
	}
	for _, r := range e.Refused {
		l.hold(r)
	}
	for _, f := range e.Released {
		delete(l.held[f.Unit], f.At)
	}
	for _, f := range e.Kept {
		l.keep(f)
	}
	for _, f := range e.Late {
		if !l.keep(f) {
			saved.Duplicates = append(saved.Duplicates, f)
		}
	}
	l.enter(e.Events)
	l.applied = max(l.applied, e.Last)
	return saved, nil
}

func (l *ledger) Correct(_ context.Context, c *patrol.Correction) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range c.Released {
		delete(l.held[f.Unit], f.At)
		l.keep(f)
	}
	for _, r := range c.Withdrawn {
		delete(l.fixes[r.Unit], r.At)
		l.hold(r)
	}
	for i := range l.events {
		if slices.Contains(c.Retracted, l.events[i].ID) && l.events[i].Retracted.IsZero() {
			l.events[i].Retracted = time.Now()
		}
	}
	l.enter(c.Entered)
	return nil
}

func (l *ledger) Checkpoint(context.Context) ([]byte, uint64, uint64, error) { return nil, 0, 0, nil }
func (l *ledger) SaveCheckpoint(context.Context, uint64, []byte) error       { return nil }

func (l *ledger) Fixes(_ context.Context, unit patrol.UnitID, from, to time.Time, f func([]patrol.Fix) error) error {
	l.mu.Lock()
	var out []patrol.Fix
	for at, x := range l.fixes[unit] {
		if at >= from.UnixMilli() && at < to.UnixMilli() {
			out = append(out, x)
		}
	}
	l.mu.Unlock()
	slices.SortFunc(out, func(a, b patrol.Fix) int { return cmp.Compare(a.At, b.At) })
	return f(out)
}

func (l *ledger) Suspects(_ context.Context, unit patrol.UnitID, from, to time.Time, f func([]patrol.Fix) error) error {
	l.mu.Lock()
	var out []patrol.Fix
	for at, r := range l.held[unit] {
		if at >= from.UnixMilli() && at < to.UnixMilli() && (r.Reason == patrol.Implausible || r.Reason == patrol.Inaccurate) {
			out = append(out, *r.Fix)
		}
	}
	l.mu.Unlock()
	slices.SortFunc(out, func(a, b patrol.Fix) int { return cmp.Compare(a.At, b.At) })
	return f(out)
}

func (l *ledger) Events(_ context.Context, q patrol.EventQuery, f func(patrol.Event) error) error {
	l.mu.Lock()
	var out []patrol.Event
	for _, e := range l.events {
		if (q.Unit == 0 || q.Unit == e.Unit) && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind)) &&
			!e.At.Before(q.From) && e.At.Before(q.To) && (q.Retracted || e.Retracted.IsZero()) {
			out = append(out, e)
		}
	}
	l.mu.Unlock()
	slices.SortFunc(out, func(a, b patrol.Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, e := range out {
		if err := f(e); err != nil {
			if errors.Is(err, patrol.ErrEnough) {
				return nil
			}
			return err
		}
	}
	return nil
}

// register is the units of a fleet, on duty day and night.
type register struct{ roll patrol.Roll }

func (r *register) RollRevision(context.Context) (int64, error) { return r.roll.Revision, nil }
func (r *register) Roll(context.Context) (*patrol.Roll, error)  { return &r.roll, nil }
func (r *register) UpdateRoll(context.Context, func(*patrol.Roll) (*patrol.RollChange, error)) (int64, error) {
	return 0, fault.New(fault.Unavailable, "the roll of a test does not change")
}

// borders are one generation's, at all times.
type borders struct{ *locate.Index }

func (b borders) At(int64) *locate.Index { return b.Index }

// follower is a patrol.Tracker that follows a fleet.
type follower struct {
	t       *testing.T
	fleet   *Fleet
	ledger  *ledger
	tracker *patrol.Tracker
	now     time.Time
	stop    func()
}

func follow(t *testing.T, f *Fleet) *follower {
	t.Helper()
	r := &register{}
	for i := range f.Units() {
		u := f.Unit(i)
		r.roll.Units = append(r.roll.Units, patrol.Unit{ID: patrol.UnitID(i + 1), Code: u.Code, Name: u.Code, Kind: patrol.GridPatrol, Street: u.Street, Grids: u.Grids, Duty: patrol.Always})
	}
	registry, err := patrol.OpenRegistry(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	w := &follower{t: t, fleet: f, ledger: newLedger()}
	ctx, cancel := context.WithCancel(t.Context())
	end := begin.Add(12 * time.Hour)
	w.tracker = patrol.NewTracker(patrol.Config{Registry: registry, Boundaries: borders{district(t)}, Log: w.ledger, Tracks: w.ledger, Now: func() time.Time { return end }})
	done := make(chan error, 1)
	go func() { done <- w.tracker.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
	return w
}

// send has the tracker take reports and waits until it has applied them.
func (w *follower) send(reports []Report) {
	w.t.Helper()
	for batch := range slices.Chunk(reports, 2000) {
		b := patrol.Batch{}
		for i := range batch {
			r := &batch[i]
			f := patrol.Fix{Unit: patrol.UnitID(r.Unit + 1), At: r.At, Received: r.Due, Pos: r.Pos, AccuracyM: float32(r.AccuracyM),
				SpeedMPS: float32(r.SpeedMPS), HeadingDeg: float32(r.HeadingDeg), BatteryPct: int8(r.Battery), Source: patrol.FromAPI}
			if r.SOS {
				f.Flags = patrol.SOS
			}
			b.Fixes = append(b.Fixes, f)
		}
		if err := w.tracker.Accept(w.t.Context(), b); err != nil {
			w.t.Fatal(err)
		}
	}
	w.ledger.mu.Lock()
	want := uint64(len(w.ledger.log))
	w.ledger.mu.Unlock()
	for w.tracker.Stats().Applied < want {
		time.Sleep(20 * time.Microsecond)
	}
}

// concluded is what the tracker made of the fleet, once all is entered.
func (w *follower) concluded() []Concluded {
	w.t.Helper()
	if err := w.tracker.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.stop()
	out := make([]Concluded, w.fleet.Units())
	for i := range out {
		out[i] = Concluded{Kept: make(map[int64]int), Caught: make(map[int64]bool)}
		for at := range w.ledger.fixes[patrol.UnitID(i+1)] {
			out[i].Kept[at]++
		}
		for at := range w.ledger.held[patrol.UnitID(i+1)] {
			out[i].Caught[at] = true
		}
	}
	for _, e := range w.ledger.events {
		c := &out[e.Unit-1]
		switch {
		case e.Kind == patrol.SuspectDatum:
			c.Suspect = true
		case e.Kind == patrol.Crossed && !e.Retracted.IsZero():
			c.Retracted++
		case e.Kind == patrol.Crossed:
			x := Crossing{At: e.At.UnixMilli(), From: e.From, To: e.To}
			for _, v := range e.Evidence {
				x.Known = max(x.Known, v.At)
			}
			c.Crossings = append(c.Crossings, x)
		}
	}
	for i := range out {
		slices.SortFunc(out[i].Crossings, func(a, b Crossing) int { return cmp.Compare(a.At, b.At) })
	}
	return out
}

// asRecord is a Record of which everything was answered.
func asRecord(f *Fleet, reports []Report) *Record {
	r := NewRecord(f.Units())
	for i := range reports {
		r.made(&reports[i])
	}
	r.answered(reports)
	return r
}

func logScore(t *testing.T, what string, s *Score) {
	t.Helper()
	var b strings.Builder
	if err := s.Print(&b); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s\n%s", what, b.String())
}

// With 10 m of noise, hysteresis makes at most one false crossing for 200 true
// ones, and the bare grid of each fix makes ten times as many and more.
func TestHysteresisAgainstTheTruth(t *testing.T) {
	f := fleet(t, 120, Options{Seed: 11, Faults: Faults{AccuracyM: 10}, Truth: true})
	reports := until(f, 4*time.Hour)
	w := follow(t, f)
	w.send(reports)
	record := asRecord(f, reports)
	with := f.Score(record, w.concluded())
	with.Tracks, with.Quarantine = true, true
	logScore(t, "with hysteresis", &with)
	without := f.Score(record, bare(t, f, reports))
	logScore(t, "without", &without)
	if with.Found != with.Fixes || with.Fixes != len(reports) {
		t.Errorf("%d of %d fixes are in the track", with.Found, len(reports))
	}
	c := with.Crossings
	if c.Settled < 1500 {
		t.Fatalf("%d settled crossings: nothing much was tested", c.Settled)
	}
	if limit := c.Settled / 200; c.False > limit {
		t.Errorf("%d crossings of %d are false, want at most %d: 0.5 %% of %d true ones", c.False, c.Events, limit, c.Settled)
	}
	if without.Crossings.False < 10*max(1, c.False) {
		t.Errorf("without hysteresis %d are false, with it %d: want ten times as many", without.Crossings.False, c.False)
	}
}

// bare is the crossings of whoever takes every fix at its word.
func bare(t *testing.T, f *Fleet, reports []Report) []Concluded {
	out := make([]Concluded, f.Units())
	last := make([]grid.ID, f.Units())
	seen := make([]bool, f.Units())
	reports = slices.Clone(reports)
	slices.SortStableFunc(reports, func(a, b Report) int { return cmp.Compare(a.At, b.At) })
	for _, r := range reports {
		id := district(t).LocateCoord(r.Pos)
		if seen[r.Unit] && id != last[r.Unit] {
			out[r.Unit].Crossings = append(out[r.Unit].Crossings, Crossing{At: r.At, From: last[r.Unit], To: id, Known: r.At})
		}
		last[r.Unit], seen[r.Unit] = id, true
	}
	return out
}

// A backlog that comes late moves no marker, and leaves the same crossings as
// if everything had come in time.
func TestBacklogsMoveNoMarkerAndChangeNothingInTheEnd(t *testing.T) {
	faults := Faults{Offline: 1.5, Reordered: 0.01, Tunnels: 0.3, Latency: 900 * time.Millisecond}
	f := fleet(t, 40, Options{Seed: 21, Faults: faults, Truth: true})
	reports := until(f, 3*time.Hour)
	w := follow(t, f)
	newest := make([]int64, f.Units())
	late := 0
	for len(reports) > 0 {
		// All that is sent within ten seconds.
		n, _ := slices.BinarySearchFunc(reports, reports[0].Due+10_000, func(r Report, due int64) int { return cmp.Compare(r.Due, due) })
		for _, r := range reports[:n] {
			if r.At < newest[r.Unit] {
				late++
			}
			newest[r.Unit] = max(newest[r.Unit], r.At)
		}
		w.send(reports[:n])
		for i := range f.Units() {
			s, err := w.tracker.State(patrol.UnitID(i+1), time.UnixMilli(reports[n-1].Due))
			if err != nil {
				t.Fatal(err)
			}
			if s.Last.At != newest[i] {
				t.Fatalf("unit %d is shown where it was at %d; its newest fix is of %d", i, s.Last.At, newest[i])
			}
		}
		reports = reports[n:]
	}
	if late < 1000 {
		t.Fatalf("%d late fixes: nothing much was tested", late)
	}
	got := w.concluded()

	again := fleet(t, 40, Options{Seed: 21, Faults: faults, Truth: true})
	inTime := until(again, 3*time.Hour)
	slices.SortStableFunc(inTime, func(a, b Report) int { return cmp.Compare(a.At, b.At) })
	for i := range inTime {
		inTime[i].Due = inTime[i].At
	}
	v := follow(t, again)
	v.send(inTime)
	want := v.concluded()
	corrected := 0
	for i := range got {
		if diff := gocmp.Diff(want[i].Crossings, got[i].Crossings); diff != "" {
			t.Errorf("unit %d: crossings (-in time +late):\n%s", i, diff)
		}
		if len(got[i].Kept) != len(want[i].Kept) {
			t.Errorf("unit %d: %d fixes, in time %d", i, len(got[i].Kept), len(want[i].Kept))
		}
		corrected += got[i].Retracted
	}
	t.Logf("%d late fixes, %d corrections, %d crossings retracted", late, w.tracker.Stats().Corrections, corrected)
}

// The sentinel finds every device that sends GCJ-02, and no other, among all
// the other faults.
func TestSentinelFindsEveryLiarAndNoOther(t *testing.T) {
	faults := UsualFaults
	faults.GCJ02 = 0.12
	f := fleet(t, 200, Options{Seed: 31, Faults: faults, Truth: true, Interval: 10 * time.Second})
	reports := until(f, 4*time.Hour)
	w := follow(t, f)
	w.send(reports)
	s := f.Score(asRecord(f, reports), w.concluded())
	s.Tracks, s.Quarantine = true, true
	logScore(t, "all faults", &s)
	if s.Liars < 15 {
		t.Fatalf("%d liars: nothing much was tested", s.Liars)
	}
	if s.Exposed != s.Liars || s.Wronged != 0 {
		t.Errorf("of %d devices that send GCJ-02 %d are found, and %d others suspected", s.Liars, s.Exposed, s.Wronged)
	}
	if s.Lost != 0 || s.Doubled != 0 {
		t.Errorf("%d fixes are lost, %d doubled", s.Lost, s.Doubled)
	}
	if s.Outliers < 30 || s.Caught*100 < s.Outliers*95 {
		t.Errorf("%d of %d outliers are caught, want 95 %% at least", s.Caught, s.Outliers)
	}
	if s.Accused*1000 > s.Fixes {
		t.Errorf("%d of %d plain fixes are in quarantine", s.Accused, s.Fixes)
	}
}
