package patrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"lianqin/internal/fault"
)

const (
	// saveEvery is how long effects wait for company in one transaction.
	saveEvery = 100 * time.Millisecond
	// saveAt is how many fixes and refusals do not wait.
	saveAt = 20_000
	// maxUnsaved is how many the database may be behind before the log is left
	// to grow instead.
	maxUnsaved = 500_000
	// checkEvery is how often the clock is looked at, for who went silent and
	// whose past is due to be run again.
	checkEvery = time.Second
	// checkpointEvery bounds the log that a restart replays.
	checkpointEvery = 30 * time.Second
	// rerunFor is how long the applying of the log may be held up for re-runs,
	// once every checkEvery.
	rerunFor = 150 * time.Millisecond
	// closeWithin is how long a last save may take when Run is to end.
	closeWithin = 5 * time.Second
	// retryFirst and retryLast are how soon what the database refused is tried
	// again.
	retryFirst, retryLast = 100 * time.Millisecond, 2 * time.Second
)

// Run applies the log until ctx ends: it begins from the newest checkpoint,
// enters what follows, puts down checkpoints and trims the log. While the
// database is unavailable it tries again, and keeps what is not entered, up to
// a bound. It is to be called once; it returns nil when ctx ended, and an
// error when the log or the tracks are not as they should be.
func (t *Tracker) Run(ctx context.Context) error {
	from, applied, err := t.resume(ctx)
	if err != nil {
		return t.ended(ctx, err)
	}
	if applied <= from {
		close(t.ready)
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		return t.persist(running, func() error {
			return t.log.Tail(running, max(from, t.Stats().Applied)+1, func(seq uint64, entry [][]byte) error {
				return t.take(running, seq, entry, applied)
			})
		})
	})
	group.Go(func() error { return t.keepSaving(running) })
	err = group.Wait()
	if ctx.Err() == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	if err := t.save(last, true); err != nil {
		t.failed(err) // the log has it
	}
	return t.ended(ctx, err)
}

func (t *Tracker) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) == fault.Unavailable) {
		return nil
	}
	return err
}

// resume loads the newest checkpoint, and what the clock brought about since.
func (t *Tracker) resume(ctx context.Context) (from, applied uint64, err error) {
	var state []byte
	err = t.persist(ctx, func() (err error) {
		state, from, applied, err = t.tracks.Checkpoint(ctx)
		return err
	})
	if err != nil || len(state) == 0 {
		return from, applied, err
	}
	put, err := t.load(state)
	if err != nil { // of another version: units are known again as they report
		t.failed(err)
		return from, applied, nil
	}
	q := EventQuery{Kinds: []EventKind{WentSilent, CameBack}, From: put.Add(-time.Hour), To: t.now().Add(time.Hour)}
	staff, now := t.staff(), t.now().UnixMilli()
	err = t.persist(ctx, func() error {
		return t.tracks.Events(ctx, q, func(e Event) error {
			shift, _, on := staff.shift(e.Unit, now)
			if u := t.unit(e.Unit); u != nil {
				u.silent = e.Kind == WentSilent && on && e.At.UnixMilli() >= shift
			}
			return nil
		})
	})
	return from, applied, err
}

// persist tries f again while the database is unavailable.
func (t *Tracker) persist(ctx context.Context, f func() error) error {
	for wait := retryFirst; ; wait = min(2*wait, retryLast) {
		err := f()
		if err == nil || fault.KindOf(err) != fault.Unavailable {
			return err
		}
		if ctx.Err() == nil {
			t.failed(err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// take applies one entry. The effects of those up to applied are known.
func (t *Tracker) take(ctx context.Context, seq uint64, entry [][]byte, applied uint64) error {
	for {
		t.gate.Lock()
		if t.effects.size() < maxUnsaved {
			break
		}
		t.gate.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.room:
		}
	}
	defer t.gate.Unlock()
	t.apply(seq, entry)
	if seq <= applied {
		*t.effects = effects{}
	}
	if seq >= applied && !t.isReady() {
		close(t.ready)
	}
	if t.effects.size() >= saveAt {
		signal(t.full)
	}
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// keepSaving enters effects, corrections and what the clock brings about.
func (t *Tracker) keepSaving(ctx context.Context) error {
	saving, checking, putting := time.NewTicker(saveEvery), time.NewTicker(checkEvery), time.NewTicker(checkpointEvery)
	defer saving.Stop()
	defer checking.Stop()
	defer putting.Stop()
	began := t.now()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.full:
			err = t.save(ctx, false)
		case <-saving.C:
			err = t.save(ctx, false)
		case <-putting.C:
			err = t.save(ctx, true)
		case <-checking.C:
			if err = t.checkSilence(ctx, t.now(), began); err == nil {
				err = t.rerunDue(ctx, t.now(), rerunFor)
			}
		}
		if err != nil {
			return err
		}
	}
}

// save enters the effects so far, and with put a checkpoint of them.
func (t *Tracker) save(ctx context.Context, put bool) error {
	t.saving.Lock()
	defer t.saving.Unlock()
	return t.saveHeld(ctx, put)
}

func (t *Tracker) saveHeld(ctx context.Context, put bool) error {
	if !t.isReady() {
		return nil // what is replayed was entered
	}
	t.gate.Lock()
	e := t.effects
	t.effects = &effects{}
	put = put && len(t.owed) == 0 && t.applied > t.put
	var state []byte
	at := t.applied
	if put {
		state = t.checkpoint(t.now())
	}
	t.gate.Unlock()
	if err := t.enter(ctx, e); err != nil {
		return err
	}
	if !put {
		return nil
	}
	// Another process may be some entries behind, or about to begin from the
	// checkpoint before: what lies between the two stays.
	before := t.put
	return t.persist(ctx, func() error {
		if err := t.tracks.SaveCheckpoint(ctx, at, state); err != nil {
			return err
		}
		t.put = at
		return t.log.Trim(ctx, before+1)
	})
}

// enter saves e, without what another process entered. When it cannot, e goes
// back before what was applied since.
func (t *Tracker) enter(ctx context.Context, e *effects) error {
	defer signal(t.room)
	for len(e.marks) > 0 {
		if err := t.enterOnce(ctx, e); err != nil {
			t.gate.Lock()
			e.join(t.effects)
			t.effects = e
			t.gate.Unlock()
			return err
		}
	}
	return nil
}

// enterOnce leaves of e what has to be tried again.
func (t *Tracker) enterOnce(ctx context.Context, e *effects) error {
	var saved Saved
	err := t.persist(ctx, func() (err error) {
		saved, err = t.tracks.Save(ctx, &e.Effects)
		return err
	})
	if err == nil {
		t.gate.Lock()
		t.known(saved.Duplicates)
		t.gate.Unlock()
		e.marks = nil
		return nil
	}
	if fault.KindOf(err) != fault.Conflict {
		return err
	}
	var applied uint64
	err = t.persist(ctx, func() (err error) {
		_, _, applied, err = t.tracks.Checkpoint(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if applied < e.First {
		return fault.New(fault.Internal, "entries %d to %d of the log: refused as applied already, but %d is the last that was", e.First, e.Last, applied)
	}
	e.cut(applied)
	return nil
}

// checkSilence finds who went silent by now. Nobody did while this process was
// not there to hear.
func (t *Tracker) checkSilence(ctx context.Context, now, began time.Time) error {
	t.saving.Lock()
	defer t.saving.Unlock()
	t.gate.Lock()
	events := append(t.owed, t.silences(now.UnixMilli(), began.UnixMilli())...)
	if t.owed = nil; t.effects.add(events) {
		events = nil
	}
	t.gate.Unlock()
	for i := range events {
		err := t.tracks.Correct(ctx, &Correction{Unit: events[i].Unit, Entered: events[i : i+1]})
		if fault.KindOf(err) == fault.Unavailable && err != nil {
			t.owed = events[i:]
			t.failed(err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("unit %d went silent: %w", events[i].Unit, err)
		}
	}
	return nil
}

// silences marks the units that went silent and returns their events.
func (t *Tracker) silences(now, began int64) []Event {
	staff := t.staff()
	t.mu.Lock()
	defer t.mu.Unlock()
	var events []Event
	for i := range t.units {
		u, id := &t.units[i], UnitID(i)
		if u.last.At == 0 {
			continue
		}
		s := t.state(staff, id, now)
		if s.Presence == OffDutyNow || s.Presence == Unheard {
			u.silent = false
			continue
		}
		since := max(u.heard, began) + SilentAfter.Milliseconds()
		if u.silent || now < since {
			continue
		}
		u.silent = true
		e := Event{Unit: id, Kind: WentSilent, At: time.UnixMilli(since).UTC(), Recorded: time.UnixMilli(now).UTC(), Rule: ruleSilence, From: u.course.grid, To: u.course.grid}
		e.Evidence = []Evidence{{At: u.last.At, AccuracyM: u.last.AccuracyM, Grid: u.course.raw}}
		events = append(events, e)
		t.stats.events.Add(1)
	}
	return events
}

// rerunDue runs the past of those units again whose late fixes have come in,
// as many as there is time for, and leaves the rest.
func (t *Tracker) rerunDue(ctx context.Context, now time.Time, atMost time.Duration) error {
	if !t.isReady() {
		return nil
	}
	var due []UnitID
	t.gate.Lock()
	for id, b := range t.late {
		if b.due(now.UnixMilli()) {
			due = append(due, id)
		}
	}
	t.gate.Unlock()
	if len(due) == 0 {
		return nil
	}
	return t.rerunUnits(ctx, due, atMost)
}

func (t *Tracker) isReady() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// Settle enters all that was applied, and runs the past of every unit again
// that has late fixes, at once.
func (t *Tracker) Settle(ctx context.Context) error {
	for {
		if err := t.save(ctx, false); err != nil {
			return err
		}
		var due []UnitID
		t.gate.Lock()
		for id := range t.late {
			due = append(due, id)
		}
		t.gate.Unlock()
		if len(due) == 0 {
			return nil
		}
		if err := t.rerunUnits(ctx, due, time.Hour); err != nil {
			return err
		}
	}
}

// rerunUnits holds up the applying of the log. A re-run reads what was entered:
// a unit of which something is not is left for the next time.
func (t *Tracker) rerunUnits(ctx context.Context, due []UnitID, atMost time.Duration) error {
	t.saving.Lock()
	defer t.saving.Unlock()
	if err := t.saveHeld(ctx, false); err != nil {
		return err
	}
	t.gate.Lock()
	defer t.gate.Unlock()
	began := time.Now()
	for _, id := range due {
		b := t.late[id]
		if b == nil || t.effects.has(id) { // the track had its fixes; or there are newer ones
			continue
		}
		if time.Since(began) > atMost {
			return nil
		}
		err := t.rerun(ctx, id, b)
		if err != nil && fault.KindOf(err) == fault.Unavailable {
			t.failed(err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("unit %d, its past again: %w", id, err)
		}
		delete(t.late, id)
	}
	return nil
}
