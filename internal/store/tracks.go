package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// Tracks is the part of a Store that keeps what a patrol.Tracker concludes:
// tracks, the quarantine and events.
type Tracks struct{ s *Store }

var (
	_ patrol.Tracks     = Tracks{}
	_ patrol.Quarantine = Tracks{}
)

// Tracks is where the database keeps what follows from the log.
func (s *Store) Tracks() Tracks { return Tracks{s} }

// fixesLog names the log in the tables of how far it was applied.
const fixesLog = "fixes"

// appliedSoFar is the last entry of the log that was applied. Asking makes
// every other transaction that enters effects wait for the end of this one.
func appliedSoFar(ctx context.Context, tx *transaction) (seq uint64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO fix_applied (log, seq) VALUES ($1, 0) ON CONFLICT (log) DO UPDATE SET seq = fix_applied.seq RETURNING seq`,
		fixesLog).Scan(&seq)
	return seq, err
}

// Save implements patrol.Tracks. It is Invalid when entries before e.First were
// not applied. It gives e.Events their IDs.
func (t Tracks) Save(ctx context.Context, e *patrol.Effects) (patrol.Saved, error) {
	if e.First == 0 || e.Last < e.First {
		return patrol.Saved{}, fault.New(fault.Invalid, "effects of entries %d to %d of the log", e.First, e.Last)
	}
	kept, duplicates, err := t.sortLate(ctx, e)
	if err != nil {
		return patrol.Saved{}, err
	}
	enter := t.s.fixes.entering(kept)
	refused := slices.Concat(e.Refused, duplicates.refused)
	var ids []int64
	err = t.s.update(ctx, func(tx *transaction) error {
		applied, err := appliedSoFar(ctx, tx)
		if err != nil {
			return err
		}
		switch {
		case applied >= e.First:
			return fault.New(fault.Conflict, "entry %d of the log was applied already, and all up to %d", e.First, applied)
		case applied+1 < e.First:
			return fault.New(fault.Invalid, "the log was applied up to entry %d: entry %d cannot be next", applied, e.First)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE fix_applied SET seq = $1 WHERE log = $2`, e.Last, fixesLog); err != nil {
			return err
		}
		if err := enter(ctx, tx); err != nil {
			return err
		}
		if err := markHours(ctx, tx, kept); err != nil {
			return err
		}
		if err := refuse(ctx, tx, refused); err != nil {
			return err
		}
		if err := release(ctx, tx, e.Released); err != nil { // some were refused just now
			return err
		}
		ids, err = enterEvents(ctx, tx, e.Events)
		return err
	})
	if err != nil {
		return patrol.Saved{}, err
	}
	for i, id := range ids {
		e.Events[i].ID = id
	}
	return patrol.Saved{Duplicates: duplicates.fixes}, nil
}

// duplicates are late fixes that are in the track already, and what the
// quarantine gets of them.
type duplicates struct {
	fixes   []patrol.Fix
	refused []patrol.Refusal
}

// sortLate tells those fixes of e that are to be kept from those that the
// track has already. Nothing but a Save changes that, and this one succeeds
// only when no other came between.
func (t Tracks) sortLate(ctx context.Context, e *patrol.Effects) ([]patrol.Fix, duplicates, error) {
	var d duplicates
	if len(e.Late) == 0 {
		return e.Kept, d, nil
	}
	var have map[fixKey]patrol.Fix
	err := t.s.snapshot(ctx, func(tx *transaction) (err error) {
		have, err = t.s.fixes.known(ctx, tx, e.Late)
		return err
	})
	if err != nil {
		return nil, d, err
	}
	late := make(map[fixKey]bool, len(e.Late))
	for i := range e.Late {
		late[keyOf(&e.Late[i])] = true
	}
	kept := slices.Clip(e.Kept)
	for i := range kept {
		if k := keyOf(&kept[i]); late[k] {
			have[k] = kept[i].Quantised()
		}
	}
	for _, f := range e.Late {
		f = f.Quantised()
		first, there := have[keyOf(&f)]
		if !there {
			kept = append(kept, f)
			have[keyOf(&f)] = f
			continue
		}
		d.fixes = append(d.fixes, f)
		r := patrol.Refusal{Unit: f.Unit, Source: f.Source, At: f.At, Received: f.Received, Reason: patrol.Duplicate}
		if differ(first, f) {
			r.Fix, r.Detail = &f, "the track has another fix of that time"
		}
		d.refused = append(d.refused, r)
	}
	return kept, d, nil
}

// differ reports whether two fixes of one identity say different things, apart
// from how and when they came.
func differ(a, b patrol.Fix) bool {
	b.Received, b.Source, b.BatteryPct, b.Flags = a.Received, a.Source, a.BatteryPct, a.Flags
	return a != b
}

// Checkpoint implements patrol.Tracks.
func (t Tracks) Checkpoint(ctx context.Context) (state []byte, at, applied uint64, err error) {
	err = t.s.view(ctx, func(q queryer) error {
		err := q.QueryRowContext(ctx, `SELECT seq FROM fix_applied WHERE log = $1`, fixesLog).Scan(&applied)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		err = q.QueryRowContext(ctx, `SELECT seq, state FROM fix_checkpoint WHERE log = $1`, fixesLog).Scan(&at, &state)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return state, at, applied, err
}

// SaveCheckpoint implements patrol.Tracks. It is Invalid for an entry that was
// not applied yet. An older checkpoint than the one that is there changes
// nothing.
func (t Tracks) SaveCheckpoint(ctx context.Context, at uint64, state []byte) error {
	if state == nil {
		state = []byte{}
	}
	return t.s.update(ctx, func(tx *transaction) error {
		applied, err := appliedSoFar(ctx, tx)
		if err != nil {
			return err
		}
		if at > applied {
			return fault.New(fault.Invalid, "a checkpoint after entry %d of the log, which was applied up to %d", at, applied)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO fix_checkpoint (log, seq, state) VALUES ($1, $2, $3)
			ON CONFLICT (log) DO UPDATE SET seq = excluded.seq, state = excluded.state WHERE fix_checkpoint.seq <= excluded.seq`, fixesLog, at, state)
		return err
	})
}

// Fixes implements patrol.Tracks. It reads a day of one unit's, or some
// minutes of all units', before it calls f, and holds no transaction meanwhile,
// so that f may take its time.
func (t Tracks) Fixes(ctx context.Context, unit patrol.UnitID, from, to time.Time, f func([]patrol.Fix) error) error {
	begin, end := from.UnixMilli(), to.UnixMilli()
	days, err := t.daysBetween(ctx, begin, end)
	if err != nil {
		return err
	}
	step := dayMS
	if unit == 0 {
		step = t.s.fixes.window().Milliseconds()
	}
	for _, day := range days {
		for start := day; start < day+dayMS; start += step {
			first, last := max(start, begin), min(start+step, end)
			if first >= last {
				continue
			}
			if err := t.window(ctx, unit, first, last, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// daysBetween are days that [from, to) touches: all of them when they are few,
// and otherwise those of which there are fixes.
func (t Tracks) daysBetween(ctx context.Context, from, to int64) (days []int64, err error) {
	const few = 7
	if to-from <= few*dayMS {
		for day := dayOf(from); day < to; day += dayMS {
			days = append(days, day)
		}
		return days, nil
	}
	err = t.s.snapshot(ctx, func(tx *transaction) (err error) {
		days, err = t.s.fixes.days(ctx, tx)
		return err
	})
	return days, err
}

// sliceFixes bounds what Fixes hands over at once.
const sliceFixes = 1 << 13

func (t Tracks) window(ctx context.Context, unit patrol.UnitID, from, to int64, f func([]patrol.Fix) error) error {
	var fixes []patrol.Fix
	err := t.s.snapshot(ctx, func(tx *transaction) (err error) {
		if unit == 0 {
			fixes, err = t.s.fixes.all(ctx, tx, from, to)
		} else {
			fixes, err = t.s.fixes.track(ctx, tx, unit, from, to)
		}
		return err
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(fixes, sliceFixes) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(part); err != nil {
			return err
		}
	}
	return nil
}

// Correct implements patrol.Tracks.
func (t Tracks) Correct(ctx context.Context, c *patrol.Correction) error {
	now := time.Now()
	if len(c.Entered) > 0 {
		now = c.Entered[0].Recorded
	}
	enter := t.s.fixes.entering(c.Released)
	var ids []int64
	err := t.s.update(ctx, func(tx *transaction) error {
		if _, err := appliedSoFar(ctx, tx); err != nil { // nobody else enters anything meanwhile
			return err
		}
		if err := enter(ctx, tx); err != nil {
			return err
		}
		if err := release(ctx, tx, c.Released); err != nil {
			return err
		}
		withdrawn, err := t.withdraw(ctx, tx, c.Withdrawn)
		if err != nil {
			return err
		}
		if err := markHours(ctx, tx, c.Released, withdrawn); err != nil {
			return err
		}
		for _, id := range c.Retracted {
			if err := retractEvent(ctx, tx, c.Unit, id, now); err != nil {
				return fmt.Errorf("event %d: %w", id, err)
			}
		}
		ids, err = enterEvents(ctx, tx, c.Entered)
		return err
	})
	if err != nil {
		return fmt.Errorf("correction of unit %d: %w", c.Unit, err)
	}
	for i, id := range ids {
		c.Entered[i].ID = id
	}
	return nil
}

// withdraw takes fixes out of the track and puts them into the quarantine,
// unless they are there.
func (t Tracks) withdraw(ctx context.Context, tx *transaction, refusals []patrol.Refusal) (fixes []patrol.Fix, err error) {
	var fresh []patrol.Refusal
	for i, r := range refusals {
		if r.Fix == nil {
			return nil, fault.New(fault.Invalid, "refusal %d withdraws no fix", i)
		}
		fixes = append(fixes, *r.Fix)
		var there bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM quarantine WHERE unit = $1 AND at = $2 AND reason = $3 AND fix IS NOT NULL)`,
			int64(r.Fix.Unit), r.Fix.At, string(r.Reason)).Scan(&there)
		if err != nil {
			return nil, err
		}
		if !there {
			fresh = append(fresh, r)
		}
	}
	if _, err := t.s.fixes.remove(ctx, tx, fixes); err != nil {
		return nil, err
	}
	return fixes, refuse(ctx, tx, fresh)
}
