package casework

import (
	"slices"

	"lianqin/internal/fault"
)

// Action is something that somebody does to a case.
type Action string

// Need is what an action cannot do without.
type Need string

// The needs. Where one names a field of Input, that must be there.
const (
	NeedsReport      Need = "report"          // channel, place or words
	NeedsReason      Need = "reason"          // Text
	NeedsEvidence    Need = "evidence"        // a photo or a file
	NeedsWriting     Need = "written-request" // the same, on paper
	NeedsReview      Need = "review-date"
	NeedsReplyBy     Need = "reply-by"
	NeedsExtra       Need = "extra-time"
	NeedsItem        Need = "item" // of the catalogue, given or known already
	NeedsPlace       Need = "place"
	NeedsLead        Need = "lead-department"
	NeedsKind        Need = "coordination-kind"
	NeedsStage       Need = "stage"
	NeedsJoint       Need = "joint-duty"
	NeedsVerified    Need = "verified" // public reports alone
	NeedsOrder       Need = "12345-order"
	NeedsOtherPerson Need = "another-person" // than who did it
)

// ClockName names one of a case's clocks.
type ClockName string

// The clocks. EveryClock stands for all of them in a transition.
const (
	AcceptClock       ClockName = "accept"
	VerifyClock       ClockName = "verify"
	FileClock         ClockName = "file"
	DispatchClock     ClockName = "dispatch"
	ResponseClock     ClockName = "response"
	DisposalClock     ClockName = "disposal"
	CheckClock        ClockName = "check"
	CoordinationClock ClockName = "coordination"
	ReplyClock        ClockName = "reply"
	EveryClock        ClockName = "all"
)

// What else is due as a clock is, though none runs.
const (
	OrderClock       ClockName = "order"             // of a 12345 order
	SuspensionReview ClockName = "suspension-review" // 挂账复核
	WatchReview      ClockName = "watch-review"      // 动态管控复核
)

// Op is what a transition does to a clock.
type Op string

// The operations. Those that find nothing to do do nothing: a clock that does
// not run is not paused.
const (
	Start    Op = "start"    // anew; or on from where it was paused
	Stop     Op = "stop"     // for good
	Pause    Op = "pause"    // it stands
	Resume   Op = "resume"   // it was paused, and nothing else keeps it
	Continue Op = "continue" // it was stopped too early
	Extend   Op = "extend"   // more time
	Cancel   Op = "cancel"   // it never counted
	Note     Op = "note"     // a stage is done
)

// ClockOp is one operation on one clock.
type ClockOp struct {
	Clock ClockName `json:"clock"`
	Op    Op        `json:"op"`
}

// Transition is one row of the life cycle: who may take a case from where to
// where, and what comes with it.
type Transition struct {
	Action Action  `json:"action"`
	From   []State `json:"from"`
	To     State   `json:"to,omitempty"` // empty: the state stays
	Who    []Role  `json:"who"`
	Tier   Tier    `json:"tier,omitempty"`
	Party  bool    `json:"party,omitempty"` // departments that only take part, too
	Under  Overlay `json:"under,omitzero"`  // overlays that must be set, all of them
	Unless Overlay `json:"unless,omitzero"` // overlays that must not be set, none of them
	Needs  []Need  `json:"needs,omitempty"`
	Sets   Overlay `json:"sets,omitzero"`
	Clears Overlay `json:"clears,omitzero"`

	Clocks   []ClockOp `json:"clocks,omitempty"`
	Standard string    `json:"standard"` // code in the register of standards
	Name     string    `json:"name"`     // what a button says
}

// fits reports whether c stands where t begins.
func (t *Transition) fits(c *Case) bool {
	return slices.Contains(t.From, c.State) && c.Overlays.Has(t.Under) && c.Overlays&t.Unless == 0
}

// Allowed are the transitions that who may make of c as it stands, in the
// table's order: what buttons and the API offer. What they need is in Needs.
func Allowed(c Case, who Actor) []Transition {
	var out []Transition
	for i := range LifeCycle {
		if t := &LifeCycle[i]; t.fits(&c) && slices.Contains(t.Who, who.Role) && t.reaches(&c, who) {
			out = append(out, *t)
		}
	}
	return out
}

// find is the row by which who does a to c. It is Invalid for no action at
// all, Denied for a role that never does it, Conflict where the case does not
// stand for it, and Denied again for who has nothing to do with this case.
func find(c *Case, a Action, who Actor) (*Transition, error) {
	known, ofRole := false, false
	var fitting *Transition
	for i := range LifeCycle {
		t := &LifeCycle[i]
		if t.Action != a {
			continue
		}
		known = true
		if !slices.Contains(t.Who, who.Role) {
			continue
		}
		ofRole = true
		if t.fits(c) {
			fitting = t
			break
		}
	}
	switch {
	case !known:
		return nil, fault.InvalidField("action", "%q is none", string(a))
	case !ofRole:
		return nil, fault.New(fault.Denied, "%s may not %s", who.Role, a)
	case fitting == nil:
		return nil, fault.New(fault.Conflict, "case %d is %s: it is not for %s to %s", c.ID, c.describe(), who.Role, a)
	case !fitting.reaches(c, who):
		return nil, fault.New(fault.Denied, "case %d is not the business of %s %q", c.ID, who.Role, who.ID)
	}
	return fitting, nil
}
