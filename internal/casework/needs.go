package casework

import (
	"slices"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// clockSkew is how far ahead of ours a reporter's clock may go.
const clockSkew = 5 * time.Minute

// needs checks what a transition needs, against the case and the entry to be.
var needs = map[Need]func(p *Procedure, c *Case, e *Entry) error{
	NeedsReport: func(p *Procedure, c *Case, e *Entry) error { return p.checkIntake(e) },
	NeedsReason: func(_ *Procedure, _ *Case, e *Entry) error {
		return missing("text", e.Input.Text == "", "%s needs a reason", e.Action)
	},
	NeedsEvidence: func(_ *Procedure, _ *Case, e *Entry) error {
		return missing("evidence", len(e.Input.Evidence) == 0 || slices.Contains(e.Input.Evidence, ""), "%s needs a photo or a file", e.Action)
	},
	NeedsWriting: func(_ *Procedure, _ *Case, e *Entry) error {
		return missing("writing", e.Input.Writing == "", "%s needs the written request", e.Action)
	},
	NeedsReview: func(_ *Procedure, _ *Case, e *Entry) error {
		return missing("review", !e.Input.Review.After(e.At), "%s needs a review date to come", e.Action)
	},
	NeedsReplyBy: func(_ *Procedure, _ *Case, e *Entry) error {
		return missing("reply_by", !e.Input.ReplyBy.After(e.At), "%s needs a time to reply by, to come", e.Action)
	},
	NeedsExtra: func(p *Procedure, _ *Case, e *Entry) error {
		return missing("extra_ns", e.Input.Extra < time.Minute || e.Input.Extra > p.Rules.MaxExtra || e.Input.Extra%time.Millisecond != 0,
			"%s needs from a minute to %s more, in whole milliseconds", e.Action, p.Rules.MaxExtra)
	},
	NeedsItem: func(p *Procedure, c *Case, e *Entry) error {
		_, _, err := p.item(c, e)
		return err
	},
	NeedsPlace: func(_ *Procedure, c *Case, e *Entry) error {
		at := &c.Place
		if e.Input.Place != nil {
			at = e.Input.Place
		}
		return missing("place", at.Grid == grid.None || at.Street == "", "%s needs a place in one of the district's grids", e.Action)
	},
	NeedsLead: func(_ *Procedure, c *Case, e *Entry) error {
		if e.Input.Assignment == nil || e.Input.Assignment.Lead.Code == "" {
			return fault.InvalidField("assignment", "%s needs a lead department", e.Action)
		}
		if e.Action == Dispatch {
			why := &e.Input.Assignment.Why
			if err := oneOf("assignment.why.basis", why.Basis, ByCatalogue, ByAnswer, ByPrecedent, ByHand); err != nil {
				return err
			}
			if why.Basis == ByHand && why.Note == "" {
				return fault.InvalidField("assignment.why.note", "who sends a case elsewhere says why")
			}
		}
		if r := c.Cycle.Ruled; r != nil && e.Action == Dispatch && r.Code != e.Input.Assignment.Lead.Code {
			return fault.New(fault.Conflict, "coordination ruled that %s %s leads", r.Code, r.Name)
		}
		return nil
	},
	NeedsKind: func(p *Procedure, _ *Case, e *Entry) error {
		_, ok := p.coordination(e.Input.Kind)
		return missing("kind", !ok, "%q is no kind of coordination", e.Input.Kind)
	},
	NeedsStage: func(_ *Procedure, c *Case, e *Entry) error {
		if k, ok := c.Clock(DisposalClock); ok {
			for _, s := range k.Stages {
				if s.Name == e.Input.Stage && s.Done.IsZero() {
					return nil
				}
			}
		}
		return fault.InvalidField("stage", "%q is not a stage that is still to be done", e.Input.Stage)
	},
	NeedsJoint: func(p *Procedure, _ *Case, e *Entry) error { return p.checkJoint(e.Input.Joint) },
	NeedsVerified: func(_ *Procedure, c *Case, e *Entry) error {
		if c.Channel == ByPublic && !c.Overlays.Has(Verified) {
			return fault.New(fault.Conflict, "a public report is verified before it is %s", e.To)
		}
		return nil
	},
	NeedsOrder: func(_ *Procedure, c *Case, e *Entry) error {
		if c.Order == nil {
			return fault.New(fault.Conflict, "case %d came with no 12345 order", c.ID)
		}
		return nil
	},
	NeedsOtherPerson: func(_ *Procedure, c *Case, e *Entry) error {
		if e.By.ID == c.Cycle.DoneBy {
			return fault.New(fault.Denied, "case %d was done by %q, and is checked by somebody else", c.ID, e.By.ID)
		}
		return nil
	},
}

func missing(field string, is bool, format string, args ...any) error {
	if !is {
		return nil
	}
	return fault.InvalidField(field, format, args...)
}

// brings are the channels by which a role may report.
var brings = map[Role][]Channel{
	Patrol:    {ByPatrol},
	Village:   {ByVillage},
	Citizen:   {ByPublic},
	Hotline:   {ByHotline},
	Clerk:     {ByPublic, ByHotline, ByEmergency}, // who telephones, and the duty roster
	Inspector: {ByPatrol},                         // what he comes upon in the field counts as found by patrol
}

func (p *Procedure) checkIntake(e *Entry) error {
	in := e.Input.Intake
	if in == nil {
		return fault.InvalidField("intake", "a report needs to say how it came in")
	}
	if !slices.Contains(brings[e.By.Role], in.Channel) {
		return fault.InvalidField("channel", "%s does not report by channel %q", e.By.Role, string(in.Channel))
	}
	if in.Captured.IsZero() || in.Captured.After(e.At.Add(clockSkew)) {
		return fault.InvalidField("captured", "a report needs a time when it was captured, which is past")
	}
	if e.Input.Item != "" {
		if _, _, err := p.item(&Case{}, e); err != nil {
			return err
		}
	}
	if in.Text == "" && e.Input.Item == "" && len(e.Input.Evidence) == 0 {
		return fault.InvalidField("text", "a report needs words, an item or a photo")
	}
	o := in.Order
	switch {
	case (in.Channel == ByHotline) != (o != nil):
		return fault.InvalidField("order", "a report has a 12345 order when it comes from there, and only then")
	case o == nil:
		return nil
	case o.Number == "":
		return fault.InvalidField("order.number", "empty")
	case !slices.Contains(p.Rules.OrderDays, o.Days):
		return fault.InvalidField("order.days", "%d is not one of %v working days", o.Days, p.Rules.OrderDays)
	case o.Issued.IsZero() || o.Issued.After(e.At):
		return fault.InvalidField("order.issued", "an order was issued before it came in")
	case !o.Finished.IsZero() || o.Answer != "":
		return fault.InvalidField("order", "an order that comes in is not finished")
	}
	return nil
}

func (p *Procedure) checkJoint(j *Joint) error {
	if j == nil {
		return fault.InvalidField("joint", "which duty, with whom?")
	}
	i := slices.IndexFunc(p.Rules.Joint, func(t JointTemplate) bool { return t.Code == j.Template })
	if i < 0 {
		return fault.InvalidField("joint.template", "%q is no kind of joint duty", j.Template)
	}
	t := &p.Rules.Joint[i]
	all := slices.Concat([]string{j.Lead}, j.Core, j.Joining)
	seen := map[string]bool{}
	for _, d := range all {
		if d == "" || seen[d] {
			return fault.InvalidField("joint", "department %q is empty or there twice", d)
		}
		seen[d] = true
	}
	if len(j.Core) != len(t.Core) {
		return fault.InvalidField("joint.core", "%s has %d core departments, not %d", t.Name, len(t.Core), len(j.Core))
	}
	if len(j.Joining) > t.MaxJoining {
		return fault.InvalidField("joint.joining", "%s takes up to %d others, not %d", t.Name, t.MaxJoining, len(j.Joining))
	}
	return nil
}

// uses are the actions that have a use for a field of the input.
var uses = []struct {
	field   string
	given   func(*Input) bool
	actions []Action
}{
	{"intake", func(in *Input) bool { return in.Intake != nil }, []Action{Report}},
	{"item", func(in *Input) bool { return in.Item != "" }, []Action{Report, Accept, File}},
	{"place", func(in *Input) bool { return in.Place != nil }, []Action{Report, Accept, File}},
	{"assignment", func(in *Input) bool { return in.Assignment != nil }, []Action{Dispatch, Rule, Reassign}},
	{"writing", func(in *Input) bool { return in.Writing != "" }, []Action{ExtendAgain}},
	{"review", func(in *Input) bool { return !in.Review.IsZero() }, []Action{AskSuspension, Suspend, ReviewSuspension, Watch, ReviewWatch}},
	{"reply_by", func(in *Input) bool { return !in.ReplyBy.IsZero() }, []Action{Supervise}},
	{"extra_ns", func(in *Input) bool { return in.Extra != 0 }, []Action{AskExtension, ExtendOnce, ExtendAgain}},
	{"kind", func(in *Input) bool { return in.Kind != "" }, []Action{AskCoordination}},
	{"stage", func(in *Input) bool { return in.Stage != "" }, []Action{FinishStage}},
	{"joint", func(in *Input) bool { return in.Joint != nil }, []Action{JoinDuty}},
	{"inspected", func(in *Input) bool { return in.Inspected != nil }, Remedies},
	{"duplicate_of", func(in *Input) bool { return in.Duplicate != 0 }, []Action{Discard}},
}

func (in *Input) refuseUnused(a Action) error {
	for _, u := range uses {
		if u.given(in) && !slices.Contains(u.actions, a) {
			return fault.InvalidField(u.field, "%s has no use for it", a)
		}
	}
	return nil
}

// instants is in with its times in whole milliseconds of UTC.
func (in Input) instants() Input {
	in.Review, in.ReplyBy = instant(in.Review), instant(in.ReplyBy)
	if in.Intake != nil {
		intake := *in.Intake
		intake.Captured = instant(intake.Captured)
		if intake.Order != nil {
			order := *intake.Order
			order.Issued, order.Finished = instant(order.Issued), instant(order.Finished)
			order.Due, order.Provisional = time.Time{}, false // ours to say
			intake.Order = &order
		}
		in.Intake = &intake
	}
	return in
}
