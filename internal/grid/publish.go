package grid

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Import is a district from outside, to become a draft.
type Import struct {
	// Streets without a seat, or named by their code, take it from the
	// generation before.
	Streets []Street
	// Areas form a partition. Their grids' IDs are given by Identify.
	Areas              []Area
	Name, Note, Author string
}

// Import enters a draft and returns its record. The areas are proven to form a
// partition; it is Invalid when they do not.
func (a *Atlas) Import(ctx context.Context, in Import) (Record, error) {
	l, err := a.store.Ledger(ctx)
	if err != nil {
		return Record{}, err
	}
	var base *Generation
	last := l.Last()
	if last == 0 && len(l.Records) > 0 { // before the first publication, the latest draft
		last = l.Records[len(l.Records)-1].Number
	}
	if last != 0 {
		if base, err = a.load(ctx, l, last); err != nil {
			return Record{}, err
		}
	}
	if base != nil {
		in.Streets = inherit(in.Streets, base)
	}
	areas, err := Identify(in.Streets, in.Areas, base, l.Greatest)
	if err != nil {
		return Record{}, err
	}
	src, err := Assemble(in.Streets, areas)
	if err != nil {
		return Record{}, err
	}
	gen, err := New(0, src)
	if err != nil {
		return Record{}, err
	}
	var r Record
	_, err = a.store.Update(ctx, func(now *Ledger) (*Change, error) {
		if now.Greatest != l.Greatest && gen.grids[len(gen.grids)-1].ID > l.Greatest {
			return nil, fault.New(fault.Conflict, "another import has just used the same grid IDs; import again")
		}
		r = Record{Number: nextNumber(now), Hash: gen.hash, Grids: len(gen.grids),
			Name: in.Name, Note: in.Note, Author: in.Author, Imported: a.instant()}
		return &Change{Record: &r, Content: gen}, nil
	})
	if err != nil {
		return Record{}, err
	}
	return r, a.Reload(ctx)
}

func nextNumber(l *Ledger) int {
	if len(l.Records) == 0 {
		return 1
	}
	return l.Records[len(l.Records)-1].Number + 1
}

// instant is now in the whole milliseconds that are stored.
func (a *Atlas) instant() time.Time { return a.now().UTC().Truncate(time.Millisecond) }

// Check proves generation number anew, compares it with generation base and
// enters the result, which Publish asks for. A base below 0 stands for the
// generation that the schedule ends with, and 0 for none.
func (a *Atlas) Check(ctx context.Context, number, base int, by string) (Check, error) {
	l, err := a.store.Ledger(ctx)
	if err != nil {
		return Check{}, err
	}
	if base < 0 {
		base = l.Last()
	}
	r, ok := l.Record(number)
	if !ok {
		return Check{}, fault.New(fault.NotFound, "there is no generation %d", number)
	}
	gen, err := readContent(ctx, a.store, r) // from the store, not from memory: that is what is checked
	if err != nil {
		return Check{}, err
	}
	var before *Generation
	if base != 0 {
		if before, err = a.load(ctx, l, base); err != nil {
			return Check{}, err
		}
	}
	found, err := findings(gen, before)
	if err != nil {
		return Check{}, err
	}
	c := Check{Generation: number, Hash: r.Hash, Base: base, By: by, Sound: refusal(found) == "", Findings: found}
	_, err = a.store.Update(ctx, func(*Ledger) (*Change, error) {
		c.At = a.instant()
		return &Change{Check: &c}, nil
	})
	if err != nil {
		return Check{}, err
	}
	return c, a.Reload(ctx)
}

// Publication puts a generation into force.
type Publication struct {
	Number int
	// From is when it comes into force; in the past it corrects the schedule
	// in retrospect, which is recorded as such. Until is when the term ends; a
	// zero Until lets it last until what is scheduled after From.
	From, Until time.Time
	By          string
	// Revision is of the ledger that the publisher looked at: when the schedule
	// has changed since, the publication is a Conflict. 0 does not ask.
	Revision int64
}

// Published is what a Publication came to.
type Published struct {
	// Record is the generation in force: a new one when the number given had
	// been published before, since what was in force once stays as it was.
	Record Record `json:"generation"`
	Term   Term   `json:"term"`
	// Before is the generation in force until From, 0 for none; After is the
	// one that takes over at Term.To, 0 for none.
	Before int `json:"before"`
	After  int `json:"after"`
}

// Publish enters a term for a generation. A draft must have been checked, and
// found sound, against the very generation that is in force at From. It is
// NotFound for an unknown number, Invalid for a draft that is not sound or a
// term that is none, and a Conflict, telling what changed, when the schedule
// moved on. Of two publications at once, one wins.
//
// Publishing what was published before is how to roll back: its content
// becomes a new generation, compared with what it replaces.
func (a *Atlas) Publish(ctx context.Context, p Publication) (Published, error) {
	p.From, p.Until = p.From.UTC().Truncate(time.Millisecond), p.Until.UTC().Truncate(time.Millisecond)
	if p.From.IsZero() || !p.Until.IsZero() && !p.Until.After(p.From) {
		return Published{}, fault.InvalidField("from", "a term from %s until %s is none", p.From.In(Zone).Format(time.RFC3339), p.Until.In(Zone).Format(time.RFC3339))
	}
	l, err := a.store.Ledger(ctx)
	if err != nil {
		return Published{}, err
	}
	plan, err := a.plan(l, p)
	if err != nil {
		return Published{}, err
	}
	if err := a.prepare(ctx, l, plan); err != nil {
		return Published{}, err
	}
	var out Published
	_, err = a.store.Update(ctx, func(now *Ledger) (*Change, error) {
		if p.Revision == 0 {
			p.Revision = l.Revision // what was prepared fits no other schedule
		}
		again, err := a.plan(now, p)
		if err != nil {
			return nil, err
		}
		again.take(plan)
		out = Published{Record: again.record, Term: again.term, Before: again.before, After: again.after}
		return again.change(), nil
	})
	if err != nil {
		return Published{}, err
	}
	return out, a.Reload(ctx)
}

// plan is what a Publication means for one ledger.
type plan struct {
	record        Record
	term          Term
	replaced      []Term
	entered       []Term
	before, after int
	check         *Check // made for a rollback
	lineages      []Lineage
}

func (a *Atlas) plan(l *Ledger, p Publication) (*plan, error) {
	if p.Revision != 0 {
		if err := l.changedSince(p.Revision); err != nil {
			return nil, err
		}
	}
	r, ok := l.Record(p.Number)
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no generation %d", p.Number)
	}
	recorded := a.instant()
	if last := l.lastRecorded(); !recorded.After(last) {
		recorded = last.Add(time.Millisecond) // versions of the schedule follow one another
	}
	pl := &plan{record: r}
	if t, ok := l.At(p.From); ok {
		pl.before = t.Generation
	}
	if l.published(p.Number) {
		if pl.before == p.Number {
			return nil, fault.New(fault.Conflict, "generation %d is in force at %s already", p.Number, p.From.In(Zone).Format(time.RFC3339))
		}
		pl.record = Record{Number: nextNumber(l), Hash: r.Hash, Grids: r.Grids, Again: r.Number,
			Name: r.Name, Note: r.Note, Author: p.By, Imported: recorded}
	} else if err := l.passed(r, pl.before, p.From); err != nil {
		return nil, err
	}
	pl.replaced, pl.entered = carve(l, Term{Generation: pl.record.Number, From: p.From, To: p.Until, Recorded: recorded, By: p.By})
	pl.term = pl.entered[len(pl.entered)-1]
	if !pl.term.To.IsZero() {
		if t, ok := l.At(pl.term.To); ok {
			pl.after = t.Generation
		}
	}
	return pl, nil
}

// passed holds that r was checked against base, the generation in force at
// from.
func (l *Ledger) passed(r Record, base int, from time.Time) error {
	c, ok := l.CheckOf(r.Number)
	switch {
	case !ok:
		return fault.New(fault.Invalid, "generation %d has not been checked", r.Number)
	case c.Hash != r.Hash:
		return fault.New(fault.Conflict, "generation %d was checked with other content", r.Number)
	case !c.Sound:
		return fault.New(fault.Invalid, "generation %d was checked and is not sound: %s", r.Number, refusal(c.Findings))
	case c.Base != base:
		since := ""
		if t, ok := l.At(from); ok {
			since = fmt.Sprintf(" (published by %s on %s, in force from %s)", t.By, t.Recorded.In(Zone).Format(time.RFC3339), t.From.In(Zone).Format(time.RFC3339))
		}
		return fault.New(fault.Conflict, "generation %d was checked against generation %d, but at %s generation %d is in force%s; check it against that",
			r.Number, c.Base, from.In(Zone).Format(time.RFC3339), base, since)
	}
	return nil
}

// changedSince is a Conflict that lists the terms entered after revision.
func (l *Ledger) changedSince(revision int64) error {
	var news []string
	for _, t := range l.Terms {
		if t.Revision > revision {
			news = append(news, fmt.Sprintf("generation %d in force from %s, entered by %s on %s",
				t.Generation, t.From.In(Zone).Format(time.RFC3339), t.By, t.Recorded.In(Zone).Format(time.RFC3339)))
		}
	}
	if len(news) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "the schedule has changed meanwhile: %s", strings.Join(news, "; "))
}

// prepare does a plan's slow work, outside of any transaction: lineages from
// the generation before and to the one after, and the check of a rollback.
func (a *Atlas) prepare(ctx context.Context, l *Ledger, pl *plan) error {
	number := pl.record.Number
	if pl.record.Again != 0 {
		number = pl.record.Again
	}
	gen, err := a.load(ctx, l, number)
	if err != nil {
		return err
	}
	gen = gen.numbered(pl.record.Number)
	var before *Generation
	if pl.before != 0 {
		if before, err = a.load(ctx, l, pl.before); err != nil {
			return err
		}
		if err := pl.descend(before, gen); err != nil {
			return err
		}
	}
	if pl.after != 0 {
		after, err := a.load(ctx, l, pl.after)
		if err != nil {
			return err
		}
		if err := pl.descend(gen, after); err != nil {
			return err
		}
	}
	if pl.record.Again == 0 {
		return nil
	}
	found, err := findings(gen, before)
	if err != nil {
		return err
	}
	if why := refusal(found); why != "" {
		return fault.New(fault.Invalid, "generation %d cannot come back: %s", pl.record.Again, why)
	}
	pl.check = &Check{Generation: pl.record.Number, Hash: pl.record.Hash, Base: pl.before, At: pl.record.Imported,
		By: pl.term.By, Sound: true, Findings: found}
	return nil
}

func (pl *plan) descend(parent, child *Generation) error {
	lineage, err := LineageOf(parent, child)
	if err != nil {
		return err
	}
	pl.lineages = append(pl.lineages, lineage)
	return nil
}

// take gives pl what was prepared for an earlier plan of the same publication.
// An import in between may have taken the number meant for a rollback.
func (pl *plan) take(prepared *plan) {
	for _, l := range prepared.lineages {
		if l.Parent == prepared.record.Number {
			l.Parent = pl.record.Number
		} else {
			l.Child = pl.record.Number
		}
		pl.lineages = append(pl.lineages, l)
	}
	if prepared.check != nil {
		c := *prepared.check
		c.Generation = pl.record.Number
		pl.check = &c
	}
}

func (pl *plan) change() *Change {
	c := &Change{Replaced: pl.replaced, Terms: pl.entered, Lineages: pl.lineages, Check: pl.check}
	if pl.record.Again != 0 {
		c.Record = &pl.record
	}
	return c
}

// Lineage is the lineage of generation child from parent: the one entered when
// they followed each other, or made now for two that never did.
func (a *Atlas) Lineage(ctx context.Context, parent, child int) (Lineage, error) {
	lineage, err := a.store.Lineage(ctx, parent, child)
	if fault.KindOf(err) != fault.NotFound {
		return lineage, err
	}
	p, err := a.Generation(ctx, parent)
	if err != nil {
		return Lineage{}, err
	}
	c, err := a.Generation(ctx, child)
	if err != nil {
		return Lineage{}, err
	}
	return LineageOf(p, c)
}
