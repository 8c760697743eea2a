package casework

import (
	"context"
	"slices"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Arrival is a case that comes in.
type Arrival struct {
	By       []Actor // in each of these capacities
	Intake   Intake
	Item     string    // code; empty when it is not known yet
	Position *Position // nil where who telephones cannot say
	Answer   grid.ID   // which of the candidates it is, when the desk has asked
	Evidence []string
	Reporter *Reporter
	// Source and Number are what the case is called in another system, or empty;
	// with them it is Conflict when it is here already.
	Source, Number string
	Key            SendKey // of what is sent again when no answer came

	Inspected *Inspected // by the item of an inspection that it was found in
}

// SendKey is by what something that is sent twice is known again: random, and
// of whoever sends it. The zero SendKey is none.
type SendKey [32]byte

// Opened is a case that came in. Outcome is empty without item or position: it
// tells whom the case will go to, or which question is still to be asked.
// Duplicates may be the same case.
type Opened struct {
	Case       Case
	Outcome    Outcome
	Duplicates []Hint
	Repeated   bool // it was there already, by its Key: nothing was entered
}

// Open enters a case, durably, with the place that the borders in force when
// it was captured give it. The faults are those of Procedure.Apply, Invalid for
// a position outside the district, and Conflict for a 12345 order that is there
// already.
func (d *Desk) Open(ctx context.Context, r Arrival) (*Opened, error) {
	if c, err := d.sent(ctx, r.Key); err != nil || c != nil {
		return repeated(c), err
	}
	s, now := d.set.Load(), d.cfg.Now()
	out := &Opened{}
	in, err := d.intake(s, &r, now, &out.Outcome)
	if err != nil {
		return nil, err
	}
	err = d.store.UpdateCase(ctx, 0, func(c Case) (*Change, error) {
		ch, err := s.open(c, &r, now, in)
		if err == nil {
			out.Case = ch.Case
		}
		return ch, err
	})
	if err != nil {
		if fault.KindOf(err) == fault.Conflict { // the other sending may have been faster
			if c, lookErr := d.sent(ctx, r.Key); lookErr == nil && c != nil {
				return repeated(c), nil
			}
		}
		return nil, err
	}
	d.kept(ctx)
	out.Duplicates, err = d.duplicates(ctx, s, &out.Case)
	return out, err
}

// intake is what r brings, with its place; found gets whom it will go to.
func (d *Desk) intake(s *deskSetting, r *Arrival, now time.Time, found *Outcome) (Input, error) {
	in := Input{Intake: &r.Intake, Item: r.Item, Evidence: r.Evidence, Inspected: r.Inspected}
	if r.Position == nil {
		return in, nil
	}
	place, err := d.place(r.Position, r.Intake.Captured)
	if err != nil {
		return in, err
	}
	if r.Item != "" {
		if *found, err = d.explain(s, r.Item, r.Position, r.Answer, r.Intake.Captured, now); err != nil {
			return in, err
		}
		place.Grid, place.GridCode, place.Street = found.Place.Grid, found.Place.GridCode, found.Place.Street
	}
	in.Place = &place
	return in, nil
}

// open is the draft c after r has come in.
func (s *deskSetting) open(c Case, r *Arrival, now time.Time, in Input) (*Change, error) {
	who, err := choose(&c, Report, r.By, r.Intake.Channel)
	if err != nil {
		return nil, err
	}
	next, e, err := s.procedure.Apply(c, Report, who, now, in)
	if err != nil {
		return nil, err
	}
	return &Change{Case: next, Entry: e, Reporter: r.Reporter, Source: r.Source, Number: r.Number, Key: r.Key}, nil
}

// sent is the case to which what has that key came, or nil.
func (d *Desk) sent(ctx context.Context, key SendKey) (*Record, error) {
	if key == (SendKey{}) {
		return nil, nil
	}
	found, err := d.store.Find(ctx, Search{Key: key, Limit: 1})
	if err != nil || len(found.Records) == 0 {
		return nil, err
	}
	return &found.Records[0], nil
}

func repeated(r *Record) *Opened {
	if r == nil {
		return nil
	}
	return &Opened{Case: r.Case, Repeated: true}
}

// kept has the book follow what was committed just now. It is committed even
// if that fails: Follow will have it then.
func (d *Desk) kept(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.catchUp(context.WithoutCancel(ctx))
}

// choose is the first of who that may do a to c, or the most telling reason
// why none may.
func choose(c *Case, a Action, who []Actor, channel Channel) (Actor, error) {
	var worst error
	for _, w := range who {
		_, err := find(c, a, w)
		if err == nil && a == Report && !slices.Contains(brings[w.Role], channel) {
			err = fault.InvalidField("channel", "%s does not report by channel %q", w.Role, string(channel))
		}
		if err == nil {
			return w, nil
		}
		if worst == nil || fault.KindOf(worst) == fault.Denied && fault.KindOf(err) != fault.Denied {
			worst = err
		}
	}
	if worst == nil {
		worst = fault.New(fault.Denied, "you have no part in casework")
	}
	return Actor{}, worst
}

// duplicates are the cases that may be the same as c, which has just come in.
func (d *Desk) duplicates(ctx context.Context, s *deskSetting, c *Case) ([]Hint, error) {
	if c.Item == "" || c.Place.Generation == 0 {
		return nil, nil
	}
	catalogue, err := s.procedure.Catalogues.At(c.Received)
	if err != nil {
		return nil, err
	}
	item, err := catalogue.Item(c.Item)
	if err != nil {
		return nil, err
	}
	return d.similar(ctx, s, c.ID, item, c)
}

func (d *Desk) similar(ctx context.Context, s *deskSetting, id int64, item *Item, c *Case) ([]Hint, error) {
	rules := &s.procedure.Rules
	span := rules.DuplicateFor[item.Kind]
	found, err := d.store.Find(ctx, Search{Near: &Near{Item: item.Code, Box: rules.DuplicateBox(item.Kind, c.Place.At),
		From: c.Captured.Add(-span), To: c.Captured.Add(span)}, Limit: 100})
	if err != nil {
		return nil, err
	}
	return rules.Duplicates(id, item, c.Place.At, c.Captured, func(yield func(*Case) bool) {
		for i := range found.Records {
			if !yield(&found.Records[i].Case) {
				return
			}
		}
	}), nil
}
