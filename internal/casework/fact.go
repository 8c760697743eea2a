package casework

import "time"

// Fact is what figures are made of: one cycle of one case. Instants are Unix
// milliseconds, and 0 for what did not happen.
type Fact struct {
	Case       int64
	Cycle      int
	Street     string // code
	Grid       string // code
	Department string // code of the lead
	Item       string // code
	Major      string // code
	Channel    Channel
	Instants
}

// Instants are when what happened to a cycle. What was disposed of and came
// back for rework counts as not disposed until it is again, in retrospect too.
type Instants struct {
	Received   int64
	Accepted   int64 // in the cycle in which it was; reopening does not accept again
	Filed      int64
	FileDue    int64
	Dispatched int64 // first
	Returned   int64 // first time taken back from a department
	Due        int64 // of the disposal, the last one given
	Disposed   int64
	CheckDue   int64
	Closed     int64
	Reworked   int64 // first
	Extended   int64 // first

	OrderDue      int64 // of a 12345 order, in the first cycle
	OrderFinished int64

	Kind        Kind
	Hotline     bool
	SelfHandled bool
	Final       bool // nothing more will happen to it

	rare *rare
}

// rare is what few facts have.
type rare struct {
	dues   []dueSet // all that were given, when there were several
	paused [][2]int64
}

type dueSet struct{ set, at int64 }

// FactsOf are the facts of a case, one for each cycle but one that is void.
func FactsOf(c *Case) []Fact {
	facts := make([]Fact, 0, len(c.Past)+1)
	for i := range c.Past {
		facts = append(facts, factOf(c, &c.Past[i], true))
	}
	if c.State == Void || c.State == Draft {
		return facts
	}
	return append(facts, factOf(c, &c.Cycle, !c.State.Open()))
}

func factOf(c *Case, y *Cycle, over bool) Fact {
	f := Fact{
		Case: c.ID, Cycle: y.Number, Street: c.Place.Street, Grid: c.Place.GridCode, Department: y.Lead.Code,
		Item: c.Item, Major: c.Class.Major, Channel: c.Channel,
		Instants: Instants{Kind: c.Class.Kind, Hotline: c.Channel == ByHotline,
			Received: millis(y.Begun), Accepted: millis(y.Accepted), Filed: millis(y.Filed),
			Dispatched: millis(y.Dispatched), Returned: millis(y.Returned), Disposed: millis(y.Disposed),
			Closed: millis(y.Closed), Reworked: millis(y.Reworked), Extended: millis(y.Extended),
			Final: over,
		},
	}
	for i := range y.Clocks {
		k := &y.Clocks[i]
		last := millis(k.Dues[len(k.Dues)-1].At)
		switch {
		case k.Name == AcceptClock && k.Cancelled && y.Accepted.IsZero() && !y.Disposed.IsZero():
			f.SelfHandled = true
		case k.Cancelled && k.Name == DisposalClock:
			f.Due, f.rare = 0, nil
		case k.Cancelled:
		case k.Name == FileClock:
			f.FileDue = last
		case k.Name == CheckClock:
			f.CheckDue = last
		case k.Name == DisposalClock:
			f.Due = last
			if len(k.Dues) > 1 {
				f.rare = &rare{}
				for _, d := range k.Dues {
					f.rare.dues = append(f.rare.dues, dueSet{millis(d.Set), millis(d.At)})
				}
			}
		}
	}
	if len(y.Paused) > 0 {
		if f.rare == nil {
			f.rare = &rare{}
		}
		for _, p := range y.Paused {
			f.rare.paused = append(f.rare.paused, [2]int64{millis(p.From), millis(p.To)})
		}
	}
	if c.Order != nil && y.Number == 1 {
		f.OrderDue, f.OrderFinished = millis(c.Order.Due), millis(c.Order.Finished)
		f.Final = over && f.OrderFinished != 0
	}
	return f
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// dueAsOf is the due time of the disposal as it was known then; 0 when none
// was running.
func (f *Instants) dueAsOf(asOf int64) int64 {
	if f.Dispatched == 0 || f.Dispatched > asOf {
		return 0
	}
	if f.rare == nil {
		return f.Due
	}
	for _, p := range f.rare.paused {
		if p[0] <= asOf && (p[1] == 0 || asOf < p[1]) {
			return 0
		}
	}
	for i := len(f.rare.dues) - 1; i >= 0; i-- {
		if d := f.rare.dues[i]; d.set <= asOf {
			return d.at
		}
	}
	return f.Due
}
