package casework

import (
	"slices"
	"time"
)

// Limit is a span of time by one of the two kinds of clock.
type Limit struct {
	Span  time.Duration `json:"span_ns"`
	Clock Clock         `json:"clock"`
}

// Due is one due time that a clock was given. None is ever taken back: the
// last one holds, and those before it tell what was due earlier.
type Due struct {
	At  time.Time `json:"at"`
	Set time.Time `json:"set"`
	Why Action    `json:"why"` // what gave it
	// Provisional is a due time that ran through a year whose working days
	// were not known yet.
	Provisional bool `json:"provisional,omitempty"`
}

// StageTimer is one stage of a staged limit, measured from the start of its
// clock.
type StageTimer struct {
	Name string        `json:"name"`
	Span time.Duration `json:"span_ns"`
	Due  time.Time     `json:"due"`
	Done time.Time     `json:"done,omitzero"`
}

// Timer is one run of one of a case's clocks. It is running, or paused, or
// stopped, or cancelled.
type Timer struct {
	Name      ClockName     `json:"name"`
	Limit     Limit         `json:"limit"`
	Started   time.Time     `json:"started"`
	Since     time.Time     `json:"since,omitzero"` // running since then; zero when it is not
	Used      time.Duration `json:"used_ns"`        // before Since, by the limit's clock
	Stopped   time.Time     `json:"stopped,omitzero"`
	Cancelled bool          `json:"cancelled,omitempty"`
	Dues      []Due         `json:"dues"`
	Stages    []StageTimer  `json:"stages,omitempty"`
}

// Running reports whether time passes on the clock.
func (t *Timer) Running() bool { return !t.Since.IsZero() }

// Paused reports whether it stands and will go on.
func (t *Timer) Paused() bool { return t.Since.IsZero() && t.Stopped.IsZero() && !t.Cancelled }

// Due is the due time that holds, or was the last to hold. A paused clock has
// none until it goes on.
func (t *Timer) Due() (time.Time, bool) {
	return t.Dues[len(t.Dues)-1].At, !t.Paused() && !t.Cancelled
}

// NextDue is when something is next due on a clock that runs: a stage that is
// still to be done, which it names, or the whole.
func (t *Timer) NextDue() (due time.Time, stage string, ok bool) {
	if !t.Running() {
		return time.Time{}, "", false
	}
	for _, s := range t.Stages {
		if s.Done.IsZero() {
			return s.Due, s.Name, true
		}
	}
	due, ok = t.Due()
	return due, "", ok
}

// Late reports whether the clock ran out before it was stopped, or before now
// when it runs. What is done at the very due time is done in time.
func (t *Timer) Late(now time.Time) bool {
	due, ok := t.Due()
	if !ok {
		return false
	}
	if !t.Stopped.IsZero() && t.Stopped.Before(now) {
		now = t.Stopped
	}
	return now.After(due)
}

// ClockChange is what an action did to one clock, with the figures that it came
// to, so that history needs no calendar.
type ClockChange struct {
	Clock  ClockName     `json:"clock"`
	Op     Op            `json:"op"`
	Limit  Limit         `json:"limit,omitzero"`   // of Start and Extend
	Used   time.Duration `json:"used_ns,omitzero"` // until now, of all but Start
	Due    *Due          `json:"due,omitempty"`    // of Start, Resume, Continue, Extend
	Stages []StageTimer  `json:"stages,omitempty"` // as they stand then
}

// changed is timers after ch at that time; timers itself does not change.
func changed(timers []Timer, ch ClockChange, at time.Time) []Timer {
	timers = slices.Clone(timers)
	if ch.Op == Start {
		return append(timers, Timer{Name: ch.Clock, Limit: ch.Limit, Started: at, Since: at, Dues: []Due{*ch.Due}, Stages: ch.Stages})
	}
	i := latest(timers, ch.Clock)
	if i < 0 {
		return timers
	}
	t := &timers[i]
	t.Used = ch.Used
	if ch.Stages != nil {
		t.Stages = ch.Stages
	}
	if ch.Due != nil {
		t.Dues = append(slices.Clip(t.Dues), *ch.Due)
	}
	switch ch.Op {
	case Stop:
		t.Since, t.Stopped = time.Time{}, at
	case Pause:
		t.Since = time.Time{}
	case Cancel:
		t.Since, t.Cancelled = time.Time{}, true
	case Resume, Continue:
		t.Since, t.Stopped = at, time.Time{}
	case Extend:
		t.Limit = ch.Limit
	}
	return timers
}

// latest is the place of the last timer of that name, or -1.
func latest(timers []Timer, name ClockName) int {
	for i := len(timers) - 1; i >= 0; i-- {
		if timers[i].Name == name {
			return i
		}
	}
	return -1
}
