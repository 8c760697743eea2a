package grid

import (
	"cmp"
	"slices"
	"time"
)

// Zone is where instants are shown and read when nothing else is said:
// Asia/Shanghai, which has kept one offset since 1991. They are stored in UTC.
var Zone = time.FixedZone("Asia/Shanghai", 8*60*60)

// Record is one imported generation. It never changes.
type Record struct {
	Number   int       `json:"number"` // from 1, in the order of import
	Hash     string    `json:"hash"`   // of the content, as Generation.Hash
	Grids    int       `json:"grids"`
	Name     string    `json:"name"`
	Note     string    `json:"note"`
	Author   string    `json:"author"`
	Imported time.Time `json:"imported"`
	// Again is the generation whose content this one brings back, or 0.
	Again int `json:"again,omitempty"`
}

// Term is a time [From, To) during which a generation is in force: the time
// that matters for a report is the report's own. Recorded and Replaced say when
// the term was entered and when another version of the schedule took its
// place; a Term without Replaced holds. A zero To or Replaced is open.
type Term struct {
	ID         int64     `json:"id"`
	Generation int       `json:"generation"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to,omitzero"`
	Recorded   time.Time `json:"recorded"`
	Replaced   time.Time `json:"replaced,omitzero"`
	By         string    `json:"by"`
	Revision   int64     `json:"revision"` // of the ledger that first had it
}

// Covers reports whether t lies in [From, To).
func (t Term) Covers(at time.Time) bool {
	return !at.Before(t.From) && (t.To.IsZero() || at.Before(t.To))
}

// heldAt reports whether t was part of the schedule as recorded at known.
func (t Term) heldAt(known time.Time) bool {
	return !known.Before(t.Recorded) && (t.Replaced.IsZero() || known.Before(t.Replaced))
}

// Ledger is all that was ever entered about generations, without their
// content. Callers do not modify it.
type Ledger struct {
	Revision int64    `json:"revision"` // grows with every change
	Records  []Record `json:"records"`  // by number
	Terms    []Term   `json:"terms"`    // by ID
	Checks   []Check  `json:"checks"`   // by ID, the latest last
	Greatest ID       `json:"-"`        // greatest grid ID ever used
}

// Status is how far a generation has come.
type Status string

const (
	Draft      Status = "draft"
	Checked    Status = "checked" // and found sound
	Scheduled  Status = "scheduled"
	InForce    Status = "in-force"
	Superseded Status = "superseded" // had a term that ended or was replaced
)

// Record is the generation of that number, or false.
func (l *Ledger) Record(number int) (Record, bool) {
	i, ok := slices.BinarySearchFunc(l.Records, number, func(r Record, n int) int { return cmp.Compare(r.Number, n) })
	if !ok {
		return Record{}, false
	}
	return l.Records[i], true
}

// Schedule is the terms that hold, by From; they never overlap.
func (l *Ledger) Schedule() []Term {
	return l.schedule(func(t Term) bool { return t.Replaced.IsZero() })
}

// ScheduleAsKnown is the schedule as it was recorded at known.
func (l *Ledger) ScheduleAsKnown(known time.Time) []Term {
	return l.schedule(func(t Term) bool { return t.heldAt(known) })
}

func (l *Ledger) schedule(keep func(Term) bool) []Term {
	var terms []Term
	for _, t := range l.Terms {
		if keep(t) {
			terms = append(terms, t)
		}
	}
	slices.SortFunc(terms, func(a, b Term) int { return a.From.Compare(b.From) })
	return terms
}

// At is the term in force at that time, or false.
func (l *Ledger) At(at time.Time) (Term, bool) {
	for _, t := range l.Terms {
		if t.Replaced.IsZero() && t.Covers(at) {
			return t, true
		}
	}
	return Term{}, false
}

// Last is the generation that the schedule ends with, 0 when it is empty.
func (l *Ledger) Last() int {
	terms := l.Schedule()
	if len(terms) == 0 {
		return 0
	}
	return terms[len(terms)-1].Generation
}

// Status is how far the generation of that number has come at now.
func (l *Ledger) Status(number int, now time.Time) Status {
	status := Draft
	if c, ok := l.CheckOf(number); ok && c.Sound {
		status = Checked
	}
	for _, t := range l.Terms {
		switch {
		case t.Generation != number:
		case t.Replaced.IsZero() && t.Covers(now):
			return InForce
		case t.Replaced.IsZero() && t.From.After(now):
			status = Scheduled
		case status != Scheduled:
			status = Superseded
		}
	}
	return status
}

// CheckOf is the latest check of a generation, or false.
func (l *Ledger) CheckOf(number int) (Check, bool) {
	for _, c := range slices.Backward(l.Checks) {
		if c.Generation == number {
			return c, true
		}
	}
	return Check{}, false
}

// published reports whether a generation ever had a term.
func (l *Ledger) published(number int) bool {
	return slices.ContainsFunc(l.Terms, func(t Term) bool { return t.Generation == number })
}

// lastRecorded is the latest recorded time in the schedule.
func (l *Ledger) lastRecorded() (last time.Time) {
	for _, t := range l.Terms {
		for _, at := range [...]time.Time{t.Recorded, t.Replaced} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// Change is what one step adds to a ledger. A Store enters all of it or
// nothing, and never takes anything out.
type Change struct {
	Record  *Record
	Content *Generation // of Record, when the store may not have it yet
	Check   *Check
	// Replaced are terms that hold no longer, with their Replaced time set;
	// they are ended before Terms are entered. A term gets its ID and Revision
	// from the store.
	Replaced []Term
	Terms    []Term
	Lineages []Lineage
}

// carve makes room for next in the schedule: terms that it meets are replaced
// by what is left of them. A zero next.To becomes the start of the term after
// it, so that what was scheduled for later still comes; then lasts tells how
// far. All times are whole milliseconds.
func carve(l *Ledger, next Term) (replaced, entered []Term) {
	schedule := l.Schedule()
	if next.To.IsZero() {
		for _, t := range schedule {
			if t.From.After(next.From) {
				next.To = t.From
				break
			}
		}
	}
	part := func(t Term, from, to time.Time) {
		t.ID, t.From, t.To, t.Recorded, t.Revision = 0, from, to, next.Recorded, 0
		entered = append(entered, t)
	}
	for _, t := range schedule {
		before := !t.To.IsZero() && !t.To.After(next.From)
		after := !next.To.IsZero() && !t.From.Before(next.To)
		if before || after {
			continue
		}
		if t.From.Before(next.From) {
			part(t, t.From, next.From)
		}
		if !next.To.IsZero() && (t.To.IsZero() || t.To.After(next.To)) {
			part(t, next.To, t.To)
		}
		t.Replaced = next.Recorded
		replaced = append(replaced, t)
	}
	return replaced, append(entered, next)
}
