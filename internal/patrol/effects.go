package patrol

import (
	"context"
	"errors"
	"time"
)

// Effects are what follows from one stretch of the log, to be entered in one
// transaction together with how far the log was applied.
type Effects struct {
	First, Last uint64    // entries of the log, both included
	Kept        []Fix     // in no order; none of these is known to the track
	Late        []Fix     // beside those; older than the unit's newest: the track may have them already
	Refused     []Refusal // for the quarantine, which counts all, and keeps but those of OffDuty, and those with neither Fix, Raw nor Detail
	Released    []Fix     // out of the quarantine again, since later fixes bear them out, perhaps after Refused put them in; among Kept as well
	Events      []Event
}

// Correction is what late fixes changed in one unit's past, to be entered in
// one transaction. Entering it again changes nothing.
type Correction struct {
	Unit      UnitID
	Released  []Fix     // out of the quarantine, however often they are there, and into the track, which may have them already
	Withdrawn []Refusal // out of the track and into the quarantine, where they may be already, with their Fix
	Retracted []int64   // events that do not hold; those retracted already stay as they are
	Entered   []Event   // instead, or beside
}

// Saved is what entering effects brought to light.
type Saved struct {
	Duplicates []Fix // of Late: the track had them, and they are in quarantine or, where they say the same, counted only
}

// Tracks keeps what Tracker concludes. All methods are safe for concurrent
// use. It is Unavailable while the database is.
type Tracks interface {
	// Save enters e when exactly the log before e.First was applied; Conflict
	// says that e.First was applied already, by this process before a restart
	// or by another. An event of a unit, kind and time that another holds
	// already is not entered again, here and in Correct: what the clock brings
	// about may be found by two processes.
	Save(ctx context.Context, e *Effects) (Saved, error)
	// Checkpoint is the newest state that was put down with how far the log was
	// applied then, and Applied how far it is applied now; zeros at first.
	Checkpoint(ctx context.Context) (state []byte, at, applied uint64, err error)
	// SaveCheckpoint puts down state after entry at; the log up to there may
	// be trimmed.
	SaveCheckpoint(ctx context.Context, at uint64, state []byte) error
	// Fixes calls f with the fixes of a track, or of all with unit 0, with
	// At in [from, to), in slices that f must not keep: those of one unit in
	// order of time; those of all in windows of time, and within a window in
	// order of time.
	Fixes(ctx context.Context, unit UnitID, from, to time.Time, f func([]Fix) error) error
	// Suspects calls f with the fixes of a unit that are in quarantine as
	// Implausible or Inaccurate, with At in [from, to), in order of time, as
	// Fixes does.
	Suspects(ctx context.Context, unit UnitID, from, to time.Time, f func([]Fix) error) error
	// Correct enters c.
	Correct(ctx context.Context, c *Correction) error
	// Events calls f with the events that q asks for, by time and ID.
	Events(ctx context.Context, q EventQuery, f func(Event) error) error
}

// EventQuery asks for events with At in [From, To).
type EventQuery struct {
	Unit      UnitID // 0 is all
	Kinds     []EventKind
	From, To  time.Time
	Retracted bool // also those that were withdrawn
	Limit     int  // 0 is none
}

// Log is where batches are durable before their sender is answered. The store
// has one, and so has bus.
type Log interface {
	// Append makes data durable and returns the place of the entry that holds
	// it; several callers share one commit. It is Unavailable when it cannot.
	// After an error the entry is most likely not there, but may be: who sends
	// it again must be told apart by what is in it.
	Append(ctx context.Context, data []byte) (seq uint64, err error)
	// Tail calls f with every entry from seq on, in order and without gaps,
	// the first of which is 1, and waits for more until ctx ends or f fails,
	// also while the log cannot be reached. Data holds what one or more calls
	// of Append were given, each apart; f must neither keep nor change it. It
	// is NotFound when the entry was trimmed.
	Tail(ctx context.Context, from uint64, f func(seq uint64, data [][]byte) error) error
	// Trim forgets the entries before the one given; the newest may stay.
	Trim(ctx context.Context, before uint64) error
}

// Quarantine is the reports that became no fix, for people to look at. The
// store of Tracks has it as well.
type Quarantine interface {
	// Refusals calls f with those that q asks for, the last received first,
	// each with its ID, until f fails; ErrEnough ends it without a failure.
	Refusals(ctx context.Context, q RefusalQuery, f func(id int64, r Refusal) error) error
	// CountRefusals calls f with how many were received in [from, to), by
	// unit, device and reason, those of OffDuty included.
	CountRefusals(ctx context.Context, from, to time.Time, f func(unit UnitID, device string, reason Reason, n int64) error) error
}

// RefusalQuery asks for refusals with Received in [From, To).
type RefusalQuery struct {
	Unit     UnitID   // 0 is all, those of no known unit included
	Street   string   // only those of units of that street; empty is all
	Reasons  []Reason // none is all
	From, To time.Time
	Before   int64 // only those with a lesser ID; 0 is no bound
}

// ErrEnough is what a callback answers that wants no more.
var ErrEnough = errors.New("enough")
