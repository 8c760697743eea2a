package casework

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Deed is an action that somebody wants to take on a case.
type Deed struct {
	Case   int64
	Seq    int // the last entry of the history that he has seen
	By     []Actor
	Action Action
	Input  Input // without Place, Assignment and Joint, which the desk fills in

	Position *Position // of accept and file: where it is, when that was wrong or not known
	Answer   grid.ID   // in which of the candidates' grids it is, when the desk has asked
	Lead     string    // of dispatch, rule and reassign: code of a department by hand; Input.Text says why
	Template string    // of joint duty
	Joining  []string  // of joint duty: codes of the table of departments
	Key      SendKey   // of what is sent again when no answer came
}

// Question is a Conflict that one answer resolves: in which of the candidates'
// grids is it?
type Question struct {
	Candidates []Candidate
	err        error
}

func (q *Question) Error() string { return q.err.Error() }

// Unwrap is the Conflict.
func (q *Question) Unwrap() error { return q.err }

// Act takes an action: decided and entered in one transaction. It is Conflict
// when the case has moved on since Seq, *Question when a dispatch has to ask
// first, and else what Procedure.Apply says.
func (d *Desk) Act(ctx context.Context, deed Deed) (*Record, error) {
	var out Record
	ruled := false
	err := d.store.UpdateCase(ctx, deed.Case, func(c Case) (*Change, error) {
		ch, err := d.decide(&deed, c)
		if err != nil {
			return nil, err
		}
		out = Record{ch.Case, []Entry{ch.Entry}}
		ruled = ch.Precedent != nil
		return ch, nil
	})
	if err != nil {
		return nil, err
	}
	if ruled {
		return &out, d.Reload(context.WithoutCancel(ctx)) // the next dispatch goes by it
	}
	d.kept(ctx)
	return &out, nil
}

func (d *Desk) decide(deed *Deed, c Case) (*Change, error) {
	s, now := d.set.Load(), d.cfg.Now()
	if deed.Seq != c.Seq {
		return nil, &fault.Error{Kind: fault.Conflict, Field: "seq", Msg: "somebody else was faster: look at the case again"}
	}
	who, err := choose(&c, deed.Action, deed.By, c.Channel)
	if err != nil {
		return nil, err
	}
	in := deed.Input
	if err := d.fill(s, deed, &c, &in); err != nil {
		return nil, err
	}
	if now.Before(c.Changed) { // another process's clock is a little ahead
		now = c.Changed
	}
	next, e, err := s.procedure.Apply(c, deed.Action, who, now, in)
	if err != nil {
		return nil, err
	}
	ch := &Change{Case: next, Entry: e, Key: deed.Key}
	if p, ok := PrecedentOf(&next, &e); ok {
		ch.Precedent = &p
	}
	return ch, nil
}

// fill enters what the desk knows better than who acts: place, assignment,
// joint duty.
func (d *Desk) fill(s *deskSetting, deed *Deed, c *Case, in *Input) error {
	if deed.Position != nil || deed.Answer != grid.None && deed.Action != Dispatch {
		place, err := d.corrected(s, deed, c)
		if err != nil {
			return err
		}
		in.Place = &place
	}
	switch deed.Action {
	case Dispatch:
		return d.assign(s, deed, c, in)
	case Rule, Reassign:
		if deed.Lead == "" {
			return nil // Reassign says itself that it needs one
		}
		lead, err := d.department(s, deed.Lead, c)
		if err != nil {
			return err
		}
		in.Assignment = &Assignment{Lead: lead}
	case JoinDuty:
		return d.join(s, deed, c, in)
	default:
		if deed.Lead != "" {
			return fault.InvalidField("lead", "%s has no use for it", deed.Action)
		}
	}
	return nil
}

// corrected is where c lies by what deed says of it.
func (d *Desk) corrected(s *deskSetting, deed *Deed, c *Case) (Place, error) {
	p := deed.Position
	if p == nil {
		p = &Position{c.Place.At, c.Place.AccuracyM, c.Place.Address}
	}
	if deed.Answer == grid.None {
		return d.place(p, c.Captured)
	}
	found, err := d.explain(s, cmp.Or(deed.Input.Item, c.Item), p, deed.Answer, c.Captured, d.cfg.Now())
	found.Place.Address = p.Address
	return found.Place, err
}

// assign says to whom a case is dispatched: whom coordination ruled, whom the
// dispatcher names, or whom Explain finds.
func (d *Desk) assign(s *deskSetting, deed *Deed, c *Case, in *Input) error {
	at := &Position{At: c.Place.At, AccuracyM: c.Place.AccuracyM}
	named := cmp.Or(deed.Lead, ruledCode(c))
	answer := deed.Answer
	if named != "" && answer == grid.None {
		answer = c.Place.Grid // who leads is settled, so nothing is to be asked
	}
	found, err := d.explain(s, c.Item, at, answer, c.Captured, d.cfg.Now())
	if err != nil {
		return err
	}
	if found.Assignment == nil {
		err := fault.New(fault.Conflict, "the position is not exact enough to tell %d grids apart: which one is it?", len(found.Candidates))
		return &Question{found.Candidates, err}
	}
	in.Assignment = found.Assignment
	if named == "" || named == in.Assignment.Lead.Code {
		return nil
	}
	lead, err := d.department(s, named, c)
	if err != nil {
		return err
	}
	a := in.Assignment
	a.Lead, a.Why.Basis, a.Why.Note = lead, ByHand, deed.Input.Text
	if c.Cycle.Ruled != nil && c.Cycle.Ruled.Code == named {
		a.Lead, a.Why.Basis, a.Why.Precedent = *c.Cycle.Ruled, ByPrecedent, c.ID
	}
	a.Support = slices.DeleteFunc(slices.Clone(a.Support), func(d grid.Department) bool { return d.Code == named })
	return nil
}

func ruledCode(c *Case) string {
	if c.Cycle.Ruled == nil {
		return ""
	}
	return c.Cycle.Ruled.Code
}

// department is a department by its code, as it answers where c lies: a row of
// the table, or one of the instances of a template.
func (d *Desk) department(s *deskSetting, code string, c *Case) (grid.Department, error) {
	catalogue, err := s.procedure.Catalogues.At(d.cfg.Now())
	if err != nil {
		return grid.Department{}, err
	}
	g, street, err := d.whereabouts(c)
	if err != nil {
		return grid.Department{}, err
	}
	for _, row := range catalogue.Departments() {
		if instance := catalogue.Instance(row.Code, g, street); code == row.Code || code == instance.Code {
			return instance, nil
		}
	}
	return grid.Department{}, fault.InvalidField("lead", "there is no department %q for a case in street %s", code, c.Place.Street)
}

// whereabouts are the grid and street in which c lies, or nil without a place.
func (d *Desk) whereabouts(c *Case) (*grid.Grid, *grid.Street, error) {
	if c.Place.Grid == grid.None {
		return nil, nil, nil
	}
	x, err := d.index(c.Captured)
	if err != nil {
		return nil, nil, err
	}
	g, ok := x.Generation().Grid(c.Place.Grid)
	if !ok {
		return nil, nil, nil
	}
	street, _ := x.Generation().Street(g.Street)
	return g, street, nil
}

func (d *Desk) join(s *deskSetting, deed *Deed, c *Case, in *Input) error {
	catalogue, err := s.procedure.Catalogues.At(d.cfg.Now())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.procedure.Rules.Joint, func(t JointTemplate) bool { return t.Code == deed.Template })
	if i < 0 {
		return fault.InvalidField("template", "%q is no kind of joint duty", deed.Template)
	}
	g, street, err := d.whereabouts(c)
	if err != nil {
		return err
	}
	in.Joint, err = catalogue.JointOf(s.procedure.Rules.Joint[i], deed.Joining, g, street)
	return err
}

// Explain is to whom c would go if it were dispatched now, and why; or the
// question to be asked. It is Conflict for a case without item or place.
func (d *Desk) Explain(c *Case) (Outcome, error) {
	if c.Item == "" || c.Place.Grid == grid.None {
		return Outcome{}, fault.New(fault.Conflict, "case %d has no item or no place yet", c.ID)
	}
	return d.explain(d.set.Load(), c.Item, &Position{At: c.Place.At, AccuracyM: c.Place.AccuracyM}, grid.None, c.Captured, d.cfg.Now())
}

// ImportOrders enters the 12345 orders of a table, each that is not there yet.
// Rejected are those that cannot be entered, by line, and why.
func (d *Desk) ImportOrders(ctx context.Context, by []Actor, orders []Foreign) (*Imported, error) {
	out := &Imported{}
	for _, f := range orders {
		in := f.Report()
		a := Arrival{By: by, Intake: *in.Intake, Item: in.Item}
		if f.At[0] != 0 || f.At[1] != 0 {
			a.Position = &Position{At: f.At}
		}
		found, err := d.store.Find(ctx, Search{Order: f.Number, Limit: 1})
		if err != nil {
			return out, err
		}
		if f.Channel == ByHotline && len(found.Records) > 0 {
			out.Known++
			continue
		}
		_, err = d.Open(ctx, a)
		if question := (*Question)(nil); errors.As(err, &question) {
			err = nil
		}
		switch fault.KindOf(err) {
		case fault.Conflict:
			out.Known++
		case fault.Invalid, fault.Denied, fault.NotFound:
			out.Refused++
			out.Rejected = append(out.Rejected, Unreadable{f.Line, err})
		default:
			if err != nil {
				return out, err
			}
			out.Added++
		}
	}
	return out, nil
}
