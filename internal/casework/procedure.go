package casework

import (
	"slices"
	"time"

	"lianqin/internal/fault"
)

// Procedure is all that decides what an action leads to, beside the case
// itself: the catalogue's versions, the working calendar, the rules, the
// standards, and the turns of the emergency switch. It is a value that nobody
// changes: a district that changes one of them makes another Procedure.
type Procedure struct {
	Catalogues *Editions
	Calendar   *WorkingCalendar
	Rules      Rules
	Standards  *Register
	Modes      Modes
}

// Apply is c after who has done a at that time, and the entry that history gets
// for it. It changes nothing that it is given.
//
// Of a draft, c has its ID and nothing else. At is in whole milliseconds; what
// is finer is cut off. The kinds of fault are Invalid for an action or input
// that cannot be, naming the field; Denied for a role that never does it, or
// to whom this case is none of its business; Conflict for a case that does not
// stand for it, and for a time before its last entry.
func (p *Procedure) Apply(c Case, a Action, who Actor, at time.Time, in Input) (Case, Entry, error) {
	at, in = instant(at), in.instants()
	t, err := find(&c, a, who)
	if err != nil {
		return c, Entry{}, err
	}
	if at.Before(c.Changed) {
		return c, Entry{}, fault.New(fault.Conflict, "%s at %s: case %d was changed at %s", a, at.Format(time.RFC3339), c.ID, c.Changed.Format(time.RFC3339))
	}
	if err := in.refuseUnused(a); err != nil {
		return c, Entry{}, err
	}
	e := Entry{Case: c.ID, Seq: c.Seq + 1, At: at, By: who, Action: a, From: c.State, To: t.To, Sets: t.Sets, Clears: t.Clears & c.Overlays,
		Rules: p.Rules.Version, Input: in}
	if t.To == Draft {
		e.To = c.State
	}
	if s, err := p.Standards.At(t.Standard, at); err == nil {
		e.Standard = s.ref()
	}
	for _, need := range t.Needs {
		if err := needs[need](p, &c, &e); err != nil {
			return c, Entry{}, err
		}
	}
	if err := p.prepare(&c, &e); err != nil {
		return c, Entry{}, err
	}
	p.plan(&c, t, &e)
	next, err := c.With(e)
	return next, e, err
}

// prepare enters what an action takes from the rules and the catalogue.
func (p *Procedure) prepare(c *Case, e *Entry) error {
	if c.Cycle.Number > 1 && (e.Input.Item != "" || e.Input.Place != nil) {
		// The figures of the cycle before rest on them.
		return fault.New(fault.Conflict, "case %d was closed once: its item and place stand", c.ID)
	}
	if e.Input.Item != "" || e.Action == Accept || e.Action == File {
		item, _, err := p.item(c, e)
		if err != nil {
			return err
		}
		e.Class = &Class{Kind: item.Kind, Major: item.Major.Code, Key: item.Key}
	}
	switch e.Action {
	case Report:
		e.Emergency = e.Input.Intake.Channel == ByEmergency || p.Modes.Emergency(e.At)
		if o := e.Input.Intake.Order; o != nil {
			order := *o
			order.Due, order.Provisional = p.orderDue(o)
			e.Order = &order
		}
	case Rule:
		if a := e.Input.Assignment; a != nil && a.Lead.Code != c.Cycle.Lead.Code && slices.Contains(withLead, c.State) {
			return fault.New(fault.Conflict, "case %d is with %s: to take it away is to %s", c.ID, c.Cycle.Lead.Code, Reassign)
		} else if a != nil && a.Lead.Code == "" {
			return fault.InvalidField("assignment", "a ruling that names a department has its code")
		}
	case File:
		f, err := p.filing(c, e)
		e.Filing = f
		return err
	}
	return nil
}

// orderDue is when a 12345 order is due.
func (p *Procedure) orderDue(o *Order) (due time.Time, provisional bool) {
	return p.Calendar.Add(Working, o.Issued, time.Duration(o.Days)*p.Calendar.Hours().Day())
}

// filing is what the catalogue in force gives the case.
func (p *Procedure) filing(c *Case, e *Entry) (*Filing, error) {
	item, catalogue, err := p.item(c, e)
	if err != nil {
		return nil, err
	}
	f := &Filing{
		Catalogue: catalogue.Number(),
		Response:  Limit{time.Duration(item.ResponseMinutes) * time.Minute, item.Clock},
		Disposal:  Limit{time.Duration(item.DisposalHours) * time.Hour, item.Clock},
	}
	for _, s := range item.Stages {
		f.Stages = append(f.Stages, StageLimit{s.Name, time.Duration(s.Hours) * time.Hour})
	}
	set := p.limits(c.Emergency)
	f.Response = f.Response.closer(set.Response)
	if strict := f.Disposal.closer(set.Disposal); strict != f.Disposal {
		f.Disposal, f.Stages = strict, nil
	}
	return f, nil
}

// item is the case's item in the catalogue in force at the entry.
func (p *Procedure) item(c *Case, e *Entry) (*Item, *Catalogue, error) {
	code := e.Input.Item
	if code == "" {
		code = c.Item
	}
	catalogue, err := p.Catalogues.At(e.At)
	if err != nil {
		return nil, nil, err
	}
	item, err := catalogue.Item(code)
	if err != nil {
		return nil, nil, fault.InvalidField("item", "%w", err)
	}
	return item, catalogue, nil
}

func (p *Procedure) limits(emergency bool) *Limits {
	if emergency {
		return &p.Rules.Emergency
	}
	return &p.Rules.Normal
}

// limit is what a clock that starts with e is given.
func (p *Procedure) limit(name ClockName, c *Case, e *Entry) (Limit, []StageLimit) {
	set := p.limits(c.Emergency || e.Emergency)
	switch name {
	case AcceptClock:
		return set.Accept, nil
	case VerifyClock:
		return set.Verify, nil
	case FileClock:
		return set.File, nil
	case DispatchClock:
		return set.Dispatch, nil
	case ResponseClock:
		return c.Filing.Response, nil
	case DisposalClock:
		return c.Filing.Disposal, c.Filing.Stages
	case CheckClock:
		return set.Check, nil
	case CoordinationClock:
		k, _ := p.coordination(e.Input.Kind)
		return k.Limit, nil
	case ReplyClock:
		return Limit{e.Input.ReplyBy.Sub(e.At), Calendar}, nil
	}
	return Limit{}, nil
}

func (p *Procedure) coordination(code string) (CoordinationKind, bool) {
	for _, k := range p.Rules.Coordination {
		if k.Code == code {
			return k, true
		}
	}
	return CoordinationKind{}, false
}

// plan works out what e does to the clocks.
func (p *Procedure) plan(c *Case, t *Transition, e *Entry) {
	after := c.Overlays&^e.Clears | e.Sets
	for _, op := range t.Clocks {
		if op.Clock == EveryClock {
			for i := range c.Cycle.Clocks {
				if k := &c.Cycle.Clocks[i]; k.Running() || k.Paused() {
					e.Clocks = append(e.Clocks, ClockChange{Clock: k.Name, Op: op.Op, Used: p.used(k, e.At)})
				}
			}
			continue
		}
		if ch, ok := p.change(c, op, e, after); ok {
			e.Clocks = append(e.Clocks, ch)
		}
	}
	if e.Action == FinishStage {
		e.Clocks = append(e.Clocks, p.finishStage(c, e))
	}
}

// used is the time on a timer until now.
func (p *Procedure) used(k *Timer, at time.Time) time.Duration {
	if !k.Running() {
		return k.Used
	}
	return k.Used + p.Calendar.Elapsed(k.Limit.Clock, k.Since, at)
}

// change is one operation on one clock, or false when it finds nothing to do.
func (p *Procedure) change(c *Case, op ClockOp, e *Entry, after Overlay) (ClockChange, bool) {
	k, there := c.Clock(op.Clock)
	if e.Action == Reopen {
		k, there = nil, false // the clocks of the cycle before are over
	}
	if op.Op == Start && there && k.Paused() {
		op.Op = Resume
	}
	if op.Op == Start {
		limit, stages := p.limit(op.Clock, c, e)
		ch := ClockChange{Clock: op.Clock, Op: Start, Limit: limit, Due: p.due(limit.Clock, e.At, limit.Span, e)}
		for _, s := range stages {
			due, _ := p.Calendar.Add(limit.Clock, e.At, s.Span)
			ch.Stages = append(ch.Stages, StageTimer{Name: s.Name, Span: s.Span, Due: due})
		}
		return ch, true
	}
	if !there || k.Cancelled {
		return ClockChange{}, false
	}
	ch := ClockChange{Clock: op.Clock, Op: op.Op, Used: p.used(k, e.At)}
	switch op.Op {
	case Stop, Cancel:
		return ch, k.Stopped.IsZero()
	case Pause:
		return ch, k.Running()
	case Resume, Continue:
		if op.Op == Resume && (!k.Paused() || after&standing != 0) || op.Op == Continue && k.Stopped.IsZero() {
			return ch, false
		}
		ch.Due = p.due(k.Limit.Clock, e.At, k.Limit.Span-k.Used, e)
		for _, s := range k.Stages {
			if s.Done.IsZero() {
				s.Due, _ = p.Calendar.Add(k.Limit.Clock, e.At, s.Span-k.Used)
			}
			ch.Stages = append(ch.Stages, s)
		}
		return ch, true
	case Extend:
		if !k.Running() {
			return ch, false
		}
		ch.Used, ch.Limit = k.Used, k.Limit
		ch.Limit.Span += e.Input.Extra
		ch.Due = p.due(k.Limit.Clock, k.Since, ch.Limit.Span-k.Used, e)
		if n := len(k.Stages); n > 0 { // the last stage is the whole
			ch.Stages = append(ch.Stages, k.Stages...)
			ch.Stages[n-1].Span, ch.Stages[n-1].Due = ch.Limit.Span, ch.Due.At
		}
		return ch, true
	}
	return ch, false
}

func (p *Procedure) due(clock Clock, from time.Time, span time.Duration, e *Entry) *Due {
	at, provisional := p.Calendar.Add(clock, from, span)
	return &Due{At: at, Set: e.At, Why: e.Action, Provisional: provisional}
}

// finishStage marks the stage that e names as done; NeedsStage has seen to it
// that there is one.
func (p *Procedure) finishStage(c *Case, e *Entry) ClockChange {
	k, _ := c.Clock(DisposalClock)
	ch := ClockChange{Clock: DisposalClock, Op: Note, Used: k.Used}
	for _, s := range k.Stages {
		if s.Name == e.Input.Stage {
			s.Done = e.At
		}
		ch.Stages = append(ch.Stages, s)
	}
	return ch
}

// instant is t in the whole milliseconds of UTC that are stored; zero stays
// zero.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}
