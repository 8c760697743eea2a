package casework

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// History is one case with all its past, as one system hands it to another:
// in a file of histories, one a line.
type History struct {
	// Source and Number are what the case is called where it comes from: the
	// same two are the same case, however often it is handed over.
	Source   string    `json:"source,omitempty"`
	Number   string    `json:"number"`
	Entries  []Entry   `json:"entries"`
	Reporter *Reporter `json:"reporter,omitempty"`
}

// Bounds of one history.
const (
	MaxHistoryBytes = 1 << 20
	maxEntries      = 2000
	maxName         = 200 // bytes of a code, a name, a number
)

// ReadHistory reads one line of a file of histories; what it says is still to
// be checked.
func ReadHistory(line []byte) (History, error) {
	var h History
	if !utf8.Valid(line) {
		return h, fault.New(fault.Invalid, "not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&h); err != nil {
		return h, fault.New(fault.Invalid, "not a history: %w", err)
	}
	if dec.InputOffset() != int64(len(bytes.TrimRight(line, " \t\r\n"))) {
		return h, fault.New(fault.Invalid, "more than one history in a line")
	}
	return h, nil
}

// Check is the case that h comes to, without an ID, or Invalid where the life
// of a case does not lead to that. Limits, items and places are as they were
// where it comes from; what was done, by which role, and what it did to the
// clocks has to fit LifeCycle. Instants become whole milliseconds of UTC.
func (h *History) Check(now time.Time) (Case, error) {
	var c Case
	if err := h.checkNames(); err != nil {
		return c, err
	}
	if n := len(h.Entries); n == 0 || n > maxEntries {
		return c, fault.InvalidField("entries", "%d are not 1 to %d", n, maxEntries)
	}
	for i := range h.Entries {
		e := &h.Entries[i]
		e.Case = 0
		err := e.check(&c, now)
		if err == nil {
			c, err = c.With(*e)
		}
		if err != nil {
			return c, fault.InvalidField("entries", "entry %d, %s: %w", i+1, clipName(string(e.Action)), err)
		}
	}
	return c, nil
}

func (h *History) checkNames() error {
	if h.Number == "" {
		return fault.InvalidField("number", "empty")
	}
	if err := plainName("source", h.Source); err != nil {
		return err
	}
	if err := plainName("number", h.Number); err != nil {
		return err
	}
	if r := h.Reporter; r != nil {
		if err := plainName("reporter.name", r.Name); err != nil {
			return err
		}
		return plainName("reporter.contact", r.Contact)
	}
	return nil
}

// plainName is Invalid for what is too long for a name or a code, or has
// characters that nobody sees.
func plainName(field, s string) error {
	if len(s) > maxName {
		return fault.InvalidField(field, "longer than %d bytes", maxName)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return fault.InvalidField(field, "%q has control characters", clipName(s))
	}
	return nil
}

func clipName(s string) string {
	if len(s) <= 40 {
		return s
	}
	return strings.ToValidUTF8(s[:40], "") + "…"
}

// check is whether e can be the next entry of c: the transition and what the
// case's state rests on. With checks order and time.
func (e *Entry) check(c *Case, now time.Time) error {
	if err := e.instants(now); err != nil {
		return err
	}
	t := e.transition(c)
	if t == nil {
		return fault.New(fault.Invalid, "a %s does not do that to a case that is %s", clipName(string(e.By.Role)), c.describe())
	}
	to := t.To
	if to == Draft {
		to = c.State
	}
	if e.To != to {
		return fault.InvalidField("to", "leads to %s, not to %q", to, clipName(string(e.To)))
	}
	if e.Sets != t.Sets || e.Clears != t.Clears&c.Overlays {
		return fault.InvalidField("sets", "sets %v and clears %v, not %v and %v", t.Sets.Names(), (t.Clears & c.Overlays).Names(), e.Sets.Names(), e.Clears.Names())
	}
	if err := e.Input.refuseUnused(e.Action); err != nil {
		return err
	}
	if err := e.checkGiven(c); err != nil {
		return err
	}
	if err := e.checkNames(); err != nil {
		return err
	}
	for i := range e.Clocks {
		if err := e.Clocks[i].check(c, t, e.Action); err != nil {
			return err
		}
	}
	return nil
}

// transition is the row of the life cycle that e took, or nil.
func (e *Entry) transition(c *Case) *Transition {
	for i := range LifeCycle {
		t := &LifeCycle[i]
		if t.Action == e.Action && t.fits(c) && slices.Contains(t.Who, e.By.Role) {
			return t
		}
	}
	return nil
}

// checkGiven is whether e brings what With and later actions rely on, and
// nothing that belongs to another action.
func (e *Entry) checkGiven(c *Case) error {
	in := &e.Input
	wants := func(field string, has bool, actions ...Action) error {
		if want := slices.Contains(actions, e.Action); has && !want {
			return fault.InvalidField(field, "has no use for it")
		}
		return nil
	}
	for _, err := range [...]error{
		wants("order", e.Order != nil, Report), wants("class", e.Class != nil, Report, Accept, File), wants("filing", e.Filing != nil, File),
	} {
		if err != nil {
			return err
		}
	}
	switch e.Action {
	case Report:
		if in.Intake == nil {
			return fault.InvalidField("intake", "missing")
		}
		if err := oneOf("intake.channel", in.Intake.Channel, Channels...); err != nil {
			return err
		}
		if in.Intake.Captured.IsZero() {
			return fault.InvalidField("intake.captured", "missing")
		}
		if in.Intake.Order != nil && e.Order == nil {
			return fault.InvalidField("order", "missing")
		}
		if o := e.Order; o != nil && (in.Intake.Channel != ByHotline || o.Number == "" || o.Due.IsZero()) {
			return fault.InvalidField("order", "an order comes from 12345, with its number and due time")
		}
	case File:
		if e.Filing == nil {
			return fault.InvalidField("filing", "missing")
		}
		for _, l := range []Limit{e.Filing.Response, e.Filing.Disposal} {
			if err := l.bounded(); err != nil {
				return err
			}
		}
		for _, s := range e.Filing.Stages {
			if err := (Limit{s.Span, Calendar}).bounded(); err != nil {
				return err
			}
		}
	case Dispatch, Reassign:
		if in.Assignment == nil {
			return fault.InvalidField("assignment", "missing")
		}
	case FinishOrder:
		if c.Order == nil {
			return fault.New(fault.Invalid, "it came with no 12345 order")
		}
	case JoinDuty:
		if in.Joint == nil {
			return fault.InvalidField("joint", "missing")
		}
	}
	if p := in.Place; p != nil {
		if _, err := geo.Quantise(p.At); err != nil || p.AccuracyM < 0 || math.IsInf(p.AccuracyM, 0) {
			return fault.InvalidField("place", "%v is no position", p.At)
		}
	}
	return nil
}

// checkNames is whether what is kept for looking up can be.
func (e *Entry) checkNames() error {
	in := &e.Input
	names := [...]struct{ field, value string }{
		{"by.id", e.By.ID}, {"by.street", e.By.Street}, {"by.grid", e.By.Grid}, {"by.department", e.By.Department}, {"item", in.Item}, {"standard", e.Standard},
	}
	for _, n := range names {
		if err := plainName(n.field, n.value); err != nil {
			return err
		}
	}
	var more []string
	if p := in.Place; p != nil {
		more = append(more, p.GridCode, p.Street)
	}
	if e.Order != nil {
		more = append(more, e.Order.Number)
	}
	if e.Class != nil {
		if e.Class.Kind != "" {
			if err := oneOf("class.kind", e.Class.Kind, Event, Component); err != nil {
				return err
			}
		}
		more = append(more, e.Class.Major)
	}
	if a := in.Assignment; a != nil {
		more = append(more, a.Lead.Code, a.Lead.Name)
		for _, d := range a.Support {
			more = append(more, d.Code)
		}
	}
	if j := in.Joint; j != nil {
		more = append(append(append(more, j.Lead), j.Core...), j.Joining...)
	}
	for _, name := range more {
		if err := plainName("entries", name); err != nil {
			return err
		}
	}
	return nil
}

const maxSpan = 20 * 366 * 24 * time.Hour

// bounded is Invalid for a limit that no table can have.
func (l Limit) bounded() error {
	if l.Span < 0 || l.Span > maxSpan {
		return fault.InvalidField("limit", "%s is not between 0 and %s", l.Span, maxSpan)
	}
	return oneOf("limit.clock", l.Clock, Working, Calendar)
}

// check is whether ch can happen to the clocks of c by t.
func (ch *ClockChange) check(c *Case, t *Transition, a Action) error {
	allowed := a == FinishStage && ch.Clock == DisposalClock && ch.Op == Note
	for _, op := range t.Clocks {
		same := op.Op == ch.Op || op.Op == Start && ch.Op == Resume
		allowed = allowed || same && (op.Clock == ch.Clock || op.Clock == EveryClock)
	}
	if !allowed {
		return fault.InvalidField("clocks", "does not %s the clock %q", clipName(string(ch.Op)), clipName(string(ch.Clock)))
	}
	if ch.Used < 0 || ch.Used > maxSpan {
		return fault.InvalidField("clocks", "%s on the clock %q", ch.Used, ch.Clock)
	}
	if ch.Op != Start {
		if _, there := c.Clock(ch.Clock); !there || a == Reopen {
			return fault.InvalidField("clocks", "the clock %q was never started", ch.Clock)
		}
	}
	switch ch.Op {
	case Start, Resume, Continue, Extend:
		if ch.Due == nil || ch.Due.At.IsZero() {
			return fault.InvalidField("clocks", "the clock %q has no due time", ch.Clock)
		}
	}
	if ch.Op == Start || ch.Op == Extend {
		return ch.Limit.bounded()
	}
	return nil
}

// earliest and farthest bound what instants a history may have.
var earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// instants makes e's instants whole milliseconds of UTC. It is Invalid for one
// that nobody can mean, and for what is still to come but is told as past.
func (e *Entry) instants(now time.Time) error {
	var err error
	set := func(field string, t *time.Time) {
		if t.IsZero() {
			*t = time.Time{}
			return
		}
		if t.Before(earliest) || t.After(now.Add(maxSpan)) {
			err = fault.InvalidField(field, "%s is out of all reason", t.Format(time.RFC3339))
		}
		*t = instant(*t)
	}
	set("at", &e.At)
	if e.At.IsZero() || e.At.After(now.Add(clockSkew)) {
		return fault.InvalidField("at", "%s is not past", e.At.Format(time.RFC3339))
	}
	in := &e.Input
	set("review", &in.Review)
	set("reply_by", &in.ReplyBy)
	if in.Intake != nil {
		set("intake.captured", &in.Intake.Captured)
	}
	for _, o := range []*Order{e.Order, in.orderOrNil()} {
		if o != nil {
			set("order.issued", &o.Issued)
			set("order.due", &o.Due)
			set("order.finished", &o.Finished)
		}
	}
	for i := range e.Clocks {
		ch := &e.Clocks[i]
		if ch.Due != nil {
			set("clocks.due", &ch.Due.At)
			set("clocks.due.set", &ch.Due.Set)
		}
		for k := range ch.Stages {
			set("clocks.stages", &ch.Stages[k].Due)
			set("clocks.stages", &ch.Stages[k].Done)
		}
	}
	return err
}

func (in *Input) orderOrNil() *Order {
	if in.Intake == nil {
		return nil
	}
	return in.Intake.Order
}

// Referring are h's entries with other numbers for the other cases that they
// name, as cases have elsewhere: f is asked for each. It is nil when none is
// named, and f's error when there is one.
func (h *History) Referring(f func(number int64) (int64, error)) ([]Entry, error) {
	var out []Entry
	for i := range h.Entries {
		e := h.Entries[i]
		var err error
		if e.Input.Duplicate != 0 {
			if e.Input.Duplicate, err = f(e.Input.Duplicate); err != nil {
				return nil, err
			}
		}
		if a := e.Input.Assignment; a != nil && a.Why.Precedent != 0 {
			own := *a
			if own.Why.Precedent, err = f(a.Why.Precedent); err != nil {
				return nil, err
			}
			e.Input.Assignment = &own
		}
		if e.Input.Duplicate != h.Entries[i].Input.Duplicate || e.Input.Assignment != h.Entries[i].Input.Assignment {
			if out == nil {
				out = slices.Clone(h.Entries)
			}
			out[i] = e
		}
	}
	return out, nil
}
