package casework

import (
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Place is where a case lies, by the borders of the generation in force when
// it was captured.
type Place struct {
	At         orb.Point `json:"at"`                   // WGS-84 degrees
	AccuracyM  float64   `json:"accuracy_m,omitempty"` // 0 is unknown
	Address    string    `json:"address,omitempty"`
	Generation int       `json:"generation"`
	Grid       grid.ID   `json:"grid"`
	GridCode   string    `json:"grid_code"`
	Street     string    `json:"street"` // code
}

// Order is a work order of the 12345 hotline, whose clock nothing of ours
// pauses.
type Order struct {
	Number      string    `json:"number"`
	Days        int       `json:"days"` // working days: 1, 5 or 15
	Issued      time.Time `json:"issued"`
	Due         time.Time `json:"due"`
	Provisional bool      `json:"provisional,omitempty"`
	Finished    time.Time `json:"finished,omitzero"`
	Answer      string    `json:"answer,omitempty"`
}

// Filing is what a case got from the catalogue when it was filed: the version
// and the limits, which a later version does not change.
type Filing struct {
	Catalogue int          `json:"catalogue"`
	Response  Limit        `json:"response"`
	Disposal  Limit        `json:"disposal"`
	Stages    []StageLimit `json:"stages,omitempty"`
}

// Class is what the catalogue says an item is.
type Class struct {
	Kind  Kind   `json:"kind"`
	Major string `json:"major"` // code
	Key   bool   `json:"xiaolianqin_key,omitempty"`
}

// StageLimit is one stage of a staged disposal, from its start.
type StageLimit struct {
	Name string        `json:"name"`
	Span time.Duration `json:"span_ns"`
}

// Period is a time [From, To); a zero To is still open.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
}

// Cycle is one way of a case from being filed to being closed. Reopening
// begins another; the one before is kept as it ended.
type Cycle struct {
	Number     int       `json:"number"` // from 1
	Begun      time.Time `json:"begun"`
	Accepted   time.Time `json:"accepted,omitzero"`
	Filed      time.Time `json:"filed,omitzero"`
	Dispatched time.Time `json:"dispatched,omitzero"` // first
	Disposed   time.Time `json:"disposed,omitzero"`   // as it holds: not while in rework
	Closed     time.Time `json:"closed,omitzero"`
	Reworked   time.Time `json:"reworked,omitzero"` // first
	Extended   time.Time `json:"extended,omitzero"` // first
	Returned   time.Time `json:"returned,omitzero"` // first time taken back from a department

	Dispatches int `json:"dispatches,omitempty"`
	Reworks    int `json:"reworks,omitempty"`
	Extensions int `json:"extensions,omitempty"`

	Lead    grid.Department   `json:"lead,omitzero"`
	Support []grid.Department `json:"support,omitempty"`
	Why     *Assignment       `json:"why,omitempty"`   // of the last dispatch
	Ruled   *grid.Department  `json:"ruled,omitempty"` // by coordination: whom the next dispatch goes to
	Joint   *Joint            `json:"joint,omitempty"`
	DoneBy  string            `json:"done_by,omitempty"` // who disposed, or found and did it
	Paused  []Period          `json:"paused,omitempty"`  // of the disposal's clock: suspended, in coordination, or returned
	Clocks  []Timer           `json:"clocks"`
}

// Case is a case as it stands. It is a value: Apply makes another of it, and
// nothing that it holds is changed in place.
type Case struct {
	ID       int64     `json:"id"`
	Seq      int       `json:"seq"` // number of entries in its history
	State    State     `json:"state"`
	Overlays Overlay   `json:"overlays"`
	Changed  time.Time `json:"changed"`        // when the last entry was made
	Ended    time.Time `json:"ended,omitzero"` // when it ceased to be open

	Channel   Channel   `json:"channel"`
	Emergency bool      `json:"emergency,omitempty"` // by the emergency's limits
	Captured  time.Time `json:"captured"`            // when it was seen, by the reporter's clock
	Received  time.Time `json:"received"`            // when it came in, by ours
	Text      string    `json:"text,omitempty"`
	Item      string    `json:"item,omitempty"` // code
	Class     Class     `json:"class,omitzero"` // of Item
	Place     Place     `json:"place"`
	Centre    string    `json:"centre,omitempty"` // code of the street whose centre has it; empty is the district's
	Order     *Order    `json:"order,omitempty"`
	Filing    *Filing   `json:"filing,omitempty"`
	Evidence  []string  `json:"evidence,omitempty"` // of all actions, as their names in the store

	Review    time.Time `json:"review,omitzero"`       // when the suspension is looked at again
	WatchOn   time.Time `json:"watch_on,omitzero"`     // when the watch list is
	Duplicate int64     `json:"duplicate_of,omitzero"` // of a void case
	Cycle     Cycle     `json:"cycle"`
	Past      []Cycle   `json:"past,omitempty"` // earlier cycles
}

// Clock is the last timer of that name in the present cycle, or false.
func (c *Case) Clock(name ClockName) (*Timer, bool) {
	i := latest(c.Cycle.Clocks, name)
	if i < 0 {
		return nil, false
	}
	return &c.Cycle.Clocks[i], true
}

// Deadline is something that is due on a case.
type Deadline struct {
	Clock ClockName
	Stage string // of the clock, when it is one
	At    time.Time
}

// Next is what is due first, or false when nothing is: what a queue is sorted
// by. It is the due time of a running clock, that of a 12345 order which is not
// answered yet, or the day on which a suspension or the watch list is looked at
// again.
func (c *Case) Next() (Deadline, bool) {
	var next Deadline
	earlier := func(d Deadline) {
		if next.At.IsZero() || d.At.Before(next.At) {
			next = d
		}
	}
	for i := range c.Cycle.Clocks {
		t := &c.Cycle.Clocks[i]
		if due, stage, ok := t.NextDue(); ok {
			earlier(Deadline{t.Name, stage, due})
		}
	}
	if o := c.Order; o != nil && o.Finished.IsZero() && !o.Due.IsZero() {
		earlier(Deadline{Clock: OrderClock, At: o.Due})
	}
	if c.Overlays.Has(Suspended) && !c.Review.IsZero() {
		earlier(Deadline{Clock: SuspensionReview, At: c.Review})
	}
	if c.watched() {
		earlier(Deadline{Clock: WatchReview, At: c.WatchOn})
	}
	return next, !next.At.IsZero()
}

// ReviewOn is when somebody has to look at it again, because it is suspended or
// on the watch list; zero when nobody has.
func (c *Case) ReviewOn() time.Time {
	var at time.Time
	if c.Overlays.Has(Suspended) {
		at = c.Review
	}
	if c.watched() && (at.IsZero() || c.WatchOn.Before(at)) {
		at = c.WatchOn
	}
	return at
}

// watched reports whether somebody can still look at it for the watch list.
func (c *Case) watched() bool {
	return c.Overlays.Has(Watched) && !c.WatchOn.IsZero() && slices.Contains(watchable, c.State)
}

func (c *Case) describe() string {
	if c.State == Draft {
		return "a draft"
	}
	return strings.Join(append([]string{string(c.State)}, c.Overlays.Names()...), ", ")
}

// With is c after e, which must be its next entry; c itself does not change.
// It follows from the entry alone, without calendar, catalogue or rules.
// Conflict says that e belongs elsewhere.
func (c Case) With(e Entry) (Case, error) {
	if e.Seq != c.Seq+1 || e.From != c.State || e.At.Before(c.Changed) || c.Seq > 0 && e.Case != c.ID {
		return c, fault.New(fault.Conflict, "entry %d (%s) of case %d does not follow on case %d after entry %d, %s", e.Seq, e.Action, e.Case, c.ID, c.Seq, c.describe())
	}
	switch {
	case e.To.Open():
		c.Ended = time.Time{}
	case c.State.Open() || c.State == Draft:
		c.Ended = e.At
	}
	c.ID, c.Seq, c.State, c.Changed = e.Case, e.Seq, e.To, e.At
	c.Overlays = c.Overlays&^e.Clears | e.Sets
	if e.Action == Reopen {
		c.Past = append(slices.Clip(c.Past), c.Cycle)
		c.Cycle = Cycle{Number: c.Cycle.Number + 1, Begun: e.At}
	}
	c.takeIn(&e)
	c.count(&e)
	for _, ch := range e.Clocks {
		c.Cycle.Clocks = changed(c.Cycle.Clocks, ch, e.At)
		if ch.Clock == DisposalClock {
			c.Cycle.pause(ch.Op, e.At)
		}
	}
	return c, nil
}

// takeIn enters what an entry brings.
func (c *Case) takeIn(e *Entry) {
	in := &e.Input
	if in.Intake != nil {
		c.Channel, c.Captured, c.Text, c.Received = in.Intake.Channel, in.Intake.Captured, in.Intake.Text, e.At
		c.Emergency = e.Emergency
		c.Cycle = Cycle{Number: 1, Begun: e.At}
	}
	if e.Order != nil {
		c.Order = e.Order
	}
	if in.Item != "" {
		c.Item = in.Item
	}
	if e.Class != nil {
		c.Class = *e.Class
	}
	if in.Place != nil {
		c.Place = *in.Place
		if !c.Overlays.Has(Escalated) {
			c.Centre = in.Place.Street
		}
	}
	if e.Filing != nil {
		c.Filing = e.Filing
	}
	if len(in.Evidence) > 0 {
		c.Evidence = append(slices.Clip(c.Evidence), in.Evidence...)
	}
	if in.Joint != nil {
		c.Cycle.Joint = in.Joint
	}
	if in.Duplicate != 0 {
		c.Duplicate = in.Duplicate
	}
}

// count enters what an action is, beside what it brings.
func (c *Case) count(e *Entry) {
	y := &c.Cycle
	first := func(at *time.Time) {
		if at.IsZero() {
			*at = e.At
		}
	}
	switch e.Action {
	case Accept:
		y.Accepted = e.At
	case File:
		y.Filed = e.At
	case Dispatch:
		first(&y.Dispatched)
		y.Dispatches++
		y.Why, y.Lead, y.Support, y.Ruled = e.Input.Assignment, e.Input.Assignment.Lead, e.Input.Assignment.Support, nil
	case Return, ReturnMisdirected:
		first(&y.Returned)
	case SelfHandle, Dispose:
		y.Disposed, y.DoneBy = e.At, e.By.ID
	case SendBack:
		y.Disposed, y.DoneBy = time.Time{}, ""
	case Rework:
		first(&y.Reworked)
		y.Reworks, y.Disposed = y.Reworks+1, time.Time{}
	case Close:
		y.Closed = e.At
	case ExtendOnce, ExtendAgain:
		first(&y.Extended)
		y.Extensions++
	case Suspend, ReviewSuspension:
		c.Review = e.Input.Review
	case EndSuspension:
		c.Review = time.Time{}
	case Reassign:
		first(&y.Returned)
		c.Review = time.Time{}
		y.Ruled = &e.Input.Assignment.Lead
	case Rule:
		if e.Input.Assignment != nil {
			y.Ruled = &e.Input.Assignment.Lead
		}
	case Escalate:
		c.Centre = ""
	case Watch, ReviewWatch:
		c.WatchOn = e.Input.Review
	case Unwatch:
		c.WatchOn = time.Time{}
	case FinishOrder:
		order := *c.Order
		order.Finished, order.Answer = e.At, e.Input.Text
		c.Order = &order
	}
}

// pause keeps when the disposal's clock stood.
func (y *Cycle) pause(op Op, at time.Time) {
	n := len(y.Paused)
	standing := n > 0 && y.Paused[n-1].To.IsZero()
	switch {
	case op == Pause && !standing:
		y.Paused = append(slices.Clip(y.Paused), Period{From: at})
	case (op == Resume || op == Stop || op == Cancel) && standing:
		y.Paused = slices.Clone(y.Paused)
		y.Paused[n-1].To = at
	}
}

// Replay is the case that a history leads to. Conflict says that the entries
// are not one case's, in order and without a gap.
func Replay(entries []Entry) (Case, error) {
	var c Case
	for _, e := range entries {
		var err error
		if c, err = c.With(e); err != nil {
			return c, err
		}
	}
	return c, nil
}
