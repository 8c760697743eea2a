package casework

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

const (
	streetA  = "310114001"
	streetB  = "310114002"
	well     = "0101" // calendar clock, 30 min and 4 h
	unlawful = "0801" // working clock, 30 min and 160 h in three stages
)

var leadA = grid.Department{Code: "310114001-S02", Name: "新成路街道城管执法中队"}

func procedure(t testing.TB) *Procedure {
	t.Helper()
	c, err := ReadCatalogue(data(t, "departments.csv"), data(t, "catalogue.csv"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEditions(c.Numbered(1, time.Date(2025, 1, 1, 0, 0, 0, 0, grid.Zone)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadStandards(data(t, "standards.csv"))
	if err != nil {
		t.Fatal(err)
	}
	p := &Procedure{Catalogues: e, Calendar: notices(t), Rules: UsualRules(), Standards: r}
	if err := p.Rules.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

func placeIn(street string) *Place {
	return &Place{At: orb.Point{121.26, 31.38}, AccuracyM: 8, Generation: 1, Grid: 7, GridCode: street + "A01", Street: street}
}

// script walks a case through steps at given times and fails at the first that
// is refused.
type script struct {
	t       *testing.T
	p       *Procedure
	c       Case
	history []Entry
}

func newScript(t *testing.T) *script { return &script{t: t, p: procedure(t), c: Case{ID: 42}} }

func (s *script) do(at string, a Action, role Role, in Input) *Entry {
	s.t.Helper()
	next, e, err := s.p.Apply(s.c, a, actor(role), local(s.t, at), in)
	if err != nil {
		s.t.Fatalf("%s at %s by %s: %v", a, at, role, err)
	}
	s.c, s.history = next, append(s.history, e)
	return &s.history[len(s.history)-1]
}

func (s *script) refuse(at string, a Action, role Role, in Input, kind fault.Kind, want string) {
	s.t.Helper()
	if _, _, err := s.p.Apply(s.c, a, actor(role), local(s.t, at), in); fault.KindOf(err) != kind || err == nil || !strings.Contains(err.Error(), want) {
		s.t.Errorf("%s at %s by %s: got %v, want %v: %q", a, at, role, err, kind, want)
	}
}

func (s *script) due(name ClockName, want string) {
	s.t.Helper()
	k, ok := s.c.Clock(name)
	if !ok {
		s.t.Fatalf("no clock %s", name)
	}
	if due, _ := k.Due(); due.In(grid.Zone).Format("2006-01-02 15:04") != want {
		s.t.Errorf("%s is due %s, want %s", name, due.In(grid.Zone).Format("2006-01-02 15:04"), want)
	}
}

// actor is somebody of that role whose business a case in streetA is: the
// district's centre, or the department that leads.
func actor(role Role) Actor {
	who := Actor{ID: string(role), Role: role}
	if role == Handler {
		who.Department = leadA.Code
	}
	return who
}

func street(role Role) Actor { return Actor{ID: "street " + string(role), Role: role, Street: streetA} }

func assigned(lead grid.Department) Input {
	return Input{Assignment: &Assignment{Lead: lead, Why: Why{Basis: ByCatalogue}}}
}

var reason, photo = Input{Text: "说明"}, Input{Evidence: []string{"a.jpg"}}

func intake(channel Channel, item, at string, t testing.TB) Input {
	return Input{Item: item, Place: placeIn(streetA), Intake: &Intake{Channel: channel, Captured: local(t, at), Text: "发现"}}
}

// toDisposal brings a staged case into disposal on the Wednesday before Spring
// Festival 2026.
func (s *script) toDisposal() {
	s.do("2026-02-11 08:50", Report, Patrol, intake(ByPatrol, unlawful, "2026-02-11 08:45", s.t))
	s.do("2026-02-11 08:52", Accept, Clerk, Input{})
	s.do("2026-02-11 08:55", File, ShiftLeader, Input{})
	s.do("2026-02-11 09:00", Dispatch, Dispatcher, assigned(leadA))
	s.do("2026-02-11 09:20", Take, Handler, Input{})
}

func TestACaseThatGoesWell(t *testing.T) {
	s := newScript(t)
	s.toDisposal()
	s.due(ResponseClock, "2026-02-11 09:30")
	s.due(DisposalClock, "2026-03-17 09:00") // 160 working hours, twenty days, over the festival
	k, _ := s.c.Clock(DisposalClock)
	var stages []string
	for _, g := range k.Stages {
		stages = append(stages, g.Name+" "+g.Due.In(grid.Zone).Format("01-02 15:04"))
	}
	if d := cmp.Diff([]string{"停工 02-11 14:30", "处罚 02-27 09:00", "拆除 03-17 09:00"}, stages); d != "" {
		t.Errorf("stages (-want +got):\n%s", d)
	}
	s.do("2026-02-11 11:00", FinishStage, Handler, Input{Stage: "停工", Evidence: []string{"b.jpg"}})
	s.refuse("2026-02-11 11:01", FinishStage, Handler, Input{Stage: "停工", Evidence: []string{"b.jpg"}}, fault.Invalid, "stage")
	s.do("2026-03-01 10:00", Dispose, Handler, photo)
	s.due(CheckClock, "2026-03-02 18:00") // a Sunday: the next working day
	s.refuse("2026-03-02 10:00", Close, ShiftLeader, Input{}, fault.Conflict, "to-check")
	s.do("2026-03-02 10:00", Check, Patrol, photo)
	s.refuse("2026-03-02 10:01", Close, Inspector, Input{}, fault.Denied, "inspector may not close")
	e := s.do("2026-03-02 10:05", Close, ShiftLeader, Input{})
	if e.Standard != "B03/1" || s.c.State != Closed || s.c.Filing.Catalogue != 1 {
		t.Errorf("closed by standard %s: %+v", e.Standard, s.c)
	}
	for i := range s.c.Cycle.Clocks {
		if k := &s.c.Cycle.Clocks[i]; k.Running() || k.Late(local(t, "2026-04-01 00:00")) {
			t.Errorf("clock %s runs on, or was late", k.Name)
		}
	}
	s.replays()
}

// replays holds the history, read back from JSON, against the case.
func (s *script) replays() {
	s.t.Helper()
	if err := replays(s.c, s.history); err != nil {
		s.t.Fatal(err)
	}
}

func replays(c Case, history []Entry) error {
	written, err := json.Marshal(history)
	if err != nil {
		return err
	}
	var read []Entry
	if err := json.Unmarshal(written, &read); err != nil {
		return err
	}
	again, err := Replay(read)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(again, c) {
		return errors.New("history replays to another case (-case +replayed):\n" + cmp.Diff(c, again))
	}
	return nil
}

func TestSuspensionPauses(t *testing.T) {
	s := newScript(t)
	s.toDisposal()
	s.do("2026-02-12 10:00", AskSuspension, Handler, Input{Text: "待规划认定", Review: local(t, "2026-02-28 09:00")})
	s.refuse("2026-02-12 10:30", Suspend, ShiftLeader, Input{}, fault.Invalid, "review date")
	s.do("2026-02-12 11:00", Suspend, ShiftLeader, Input{Review: local(t, "2026-02-28 09:00")}) // 10 h used
	k, _ := s.c.Clock(DisposalClock)
	if _, ok := k.Due(); ok || !k.Paused() || k.Used != 10*time.Hour {
		t.Errorf("suspended after %s, paused %v, with a due time %v", k.Used, k.Paused(), ok)
	}
	s.refuse("2026-02-13 11:00", Dispose, Handler, photo, fault.Conflict, "suspended")
	s.do("2026-02-28 09:00", EndSuspension, ShiftLeader, reason)
	s.due(DisposalClock, "2026-03-25 16:30") // 150 h from a worked Saturday 09:00
	if k, _ := s.c.Clock(DisposalClock); len(k.Dues) != 2 || !k.Stages[1].Due.Equal(local(t, "2026-03-06 16:30")) {
		t.Errorf("the earlier due time is lost, or the stages stood still: %+v", k)
	}
	if got := s.c.Cycle.Paused; len(got) != 1 || !got[0].To.Equal(local(t, "2026-02-28 09:00")) {
		t.Errorf("suspended %v", got)
	}
	s.replays()
}

func TestExtensionAppends(t *testing.T) {
	s := newScript(t)
	s.toDisposal()
	more := Input{Text: "材料未到", Extra: 16 * time.Hour}
	s.do("2026-03-17 10:00", AskExtension, Handler, more)
	s.do("2026-03-17 11:00", ExtendOnce, ShiftLeader, more)
	s.due(DisposalClock, "2026-03-19 09:00")
	s.refuse("2026-03-18 10:00", ExtendOnce, ShiftLeader, more, fault.Conflict, "extended")
	s.refuse("2026-03-18 10:00", ExtendAgain, DeputyDirector, more, fault.Invalid, "written request")
	s.refuse("2026-03-18 10:00", ExtendAgain, ShiftLeader, more, fault.Denied, "may not")
	more.Writing = "scan.pdf"
	s.do("2026-03-21 10:00", ExtendAgain, DeputyDirector, more) // late already: two days on from the due time all the same
	s.due(DisposalClock, "2026-03-23 09:00")
	more.Writing = ""
	s.refuse("2026-03-22 10:00", AskExtension, Handler, more, fault.Conflict, "extended-twice")
	k, _ := s.c.Clock(DisposalClock)
	if len(k.Dues) != 3 || k.Dues[0].Why != Dispatch || k.Dues[2].Why != ExtendAgain || s.c.Cycle.Extensions != 2 {
		t.Errorf("due times %+v", k.Dues)
	}
	s.replays()
}

func TestReworkResumesTheDisposal(t *testing.T) {
	s := newScript(t)
	s.toDisposal()
	s.do("2026-02-11 16:00", Dispose, Handler, photo) // 5.5 h of 160 used
	s.do("2026-02-12 09:00", Rework, Patrol, reason)
	s.due(DisposalClock, "2026-03-17 11:30") // 154.5 h left
	if s.c.State != InDisposal || s.c.Cycle.Reworks != 1 || !s.c.Cycle.Disposed.IsZero() {
		t.Errorf("after rework: %+v", s.c.Cycle)
	}
	s.replays()
}

func TestReturn(t *testing.T) {
	for _, tt := range []struct {
		how       Action
		cancelled bool
		due       string // of the disposal, dispatched again
		timers    int
	}{
		{Return, false, "2026-02-11 14:00", 1},           // one of the four hours was used
		{ReturnMisdirected, true, "2026-02-11 15:00", 2}, // they begin anew
	} {
		s := newScript(t)
		s.do("2026-02-11 08:50", Report, Patrol, intake(ByPatrol, well, "2026-02-11 08:45", t))
		s.do("2026-02-11 08:52", Accept, Clerk, Input{})
		s.do("2026-02-11 08:55", File, ShiftLeader, Input{})
		s.do("2026-02-11 09:00", Dispatch, Dispatcher, assigned(leadA))
		s.do("2026-02-11 09:10", AskReturn, Handler, reason)
		s.do("2026-02-11 10:00", tt.how, Dispatcher, Input{})
		k, _ := s.c.Clock(DisposalClock)
		if s.c.State != Filed || k.Cancelled != tt.cancelled || k.Paused() == tt.cancelled {
			t.Errorf("%s: %s, disposal %+v", tt.how, s.c.State, k)
		}
		if r, _ := s.c.Clock(ResponseClock); !r.Cancelled {
			t.Errorf("%s: the response goes on", tt.how)
		}
		s.do("2026-02-11 11:00", Dispatch, Dispatcher, assigned(grid.Department{Code: "U02"}))
		s.due(DisposalClock, tt.due)
		n := 0
		for _, k := range s.c.Cycle.Clocks {
			if k.Name == DisposalClock {
				n++
			}
		}
		if n != tt.timers || s.c.Cycle.Dispatches != 2 || s.c.Cycle.Lead.Code != "U02" {
			t.Errorf("%s: %d disposal clocks, %+v", tt.how, n, s.c.Cycle)
		}
		s.replays()
	}
}

func TestReopeningLinksACycle(t *testing.T) {
	s := newScript(t)
	s.toDisposal()
	s.do("2026-02-11 16:00", Dispose, Handler, photo)
	s.do("2026-02-11 17:00", Check, Patrol, photo)
	s.do("2026-02-11 17:30", Close, ShiftLeader, Input{})
	s.do("2026-02-24 09:00", Reopen, Inspector, reason)
	if s.c.State != Filed || s.c.Cycle.Number != 2 || len(s.c.Past) != 1 || s.c.Past[0].Closed.IsZero() || s.c.Overlays.Has(Checked) || !s.c.Overlays.Has(Reopened) {
		t.Fatalf("reopened: %+v", s.c)
	}
	s.do("2026-02-24 09:10", Dispatch, Dispatcher, assigned(leadA))
	if k, _ := s.c.Clock(DisposalClock); k.Used != 0 || len(k.Dues) != 1 {
		t.Errorf("the new cycle has the old one's clock: %+v", k)
	}
	s.replays()
}

func TestOrderRunsOn(t *testing.T) {
	s := newScript(t)
	in := intake(ByHotline, unlawful, "2026-02-13 16:00", t)
	in.Intake.Order = &Order{Number: "SH2026-1", Days: 5, Issued: local(t, "2026-02-13 16:00")}
	s.do("2026-02-13 17:00", Report, Hotline, in)
	due := s.c.Order.Due
	if got := due.In(grid.Zone).Format("2006-01-02 15:04"); got != "2026-02-27 16:00" { // 14, 24, 25, 26, 27 February
		t.Fatalf("five working days are over %s", got)
	}
	s.do("2026-02-13 17:05", Accept, Clerk, Input{})
	s.do("2026-02-13 17:10", File, ShiftLeader, Input{})
	s.do("2026-02-13 17:15", Dispatch, Dispatcher, assigned(leadA))
	s.do("2026-02-13 17:20", Take, Handler, Input{})
	s.do("2026-02-13 17:30", AskSuspension, Handler, Input{Text: "x", Review: local(t, "2026-02-28 09:00")})
	s.do("2026-02-13 17:40", Suspend, ShiftLeader, Input{Review: local(t, "2026-02-28 09:00")})
	s.do("2026-02-24 17:40", FinishOrder, Clerk, Input{Text: "已告知"})
	if o := s.c.Order; !o.Due.Equal(due) || o.Finished.IsZero() || o.Answer != "已告知" || !s.c.Overlays.Has(Suspended) {
		t.Errorf("order %+v of a case that is %s", o, s.c.describe())
	}
	s.refuse("2026-02-24 18:00", FinishOrder, Clerk, reason, fault.Conflict, "order-finished")
	s.replays()
}

func TestCoordinationAndEscalation(t *testing.T) {
	s := newScript(t)
	as := func(at string, a Action, who Actor, in Input, kind fault.Kind) {
		t.Helper()
		next, e, err := s.p.Apply(s.c, a, who, local(t, at), in)
		if fault.KindOf(err) != kind || (err == nil) != (kind == 0) {
			t.Fatalf("%s at %s: %v", a, at, err)
		}
		if err == nil {
			s.c, s.history = next, append(s.history, e)
		}
	}
	s.toDisposal()
	ask := Input{Text: "界河归属不清", Kind: "on-site"}
	as("2026-02-11 10:00", AskCoordination, actor(Dispatcher), ask, fault.Denied) // the district has nobody to ask
	as("2026-02-11 10:00", AskCoordination, Actor{ID: "b", Role: Dispatcher, Street: streetB}, ask, fault.Denied)
	as("2026-02-11 10:00", AskCoordination, street(Dispatcher), ask, 0)
	s.due(CoordinationClock, "2026-02-12 10:00")
	if k, _ := s.c.Clock(DisposalClock); !k.Paused() || k.Used != time.Hour {
		t.Errorf("the department's clock: %+v", k)
	}
	as("2026-02-11 10:05", Dispose, actor(Handler), photo, fault.Conflict)
	as("2026-02-11 10:05", Rule, street(ShiftLeader), reason, fault.Denied)
	ruled := assigned(grid.Department{Code: "D10", Name: "区水务局"})
	ruled.Text = "由区水务局牵头"
	as("2026-02-11 14:00", Rule, actor(ShiftLeader), ruled, fault.Conflict) // it is with another: reassign
	as("2026-02-11 14:00", Reassign, actor(ShiftLeader), ruled, 0)
	if s.c.State != Filed || s.c.Overlays.Has(InCoordination) || s.c.Cycle.Ruled.Code != "D10" {
		t.Errorf("after the ruling: %+v", s.c)
	}
	if r, ok := PrecedentOf(&s.c, &s.history[len(s.history)-1]); !ok || r.Lead.Code != "D10" || r.Item != unlawful || r.Case != 42 {
		t.Errorf("precedent %+v, %v", r, ok)
	}
	as("2026-02-11 14:05", Dispatch, street(Dispatcher), assigned(leadA), fault.Conflict)
	as("2026-02-11 14:05", Escalate, street(ShiftLeader), reason, 0)
	if s.c.Centre != "" || s.c.State != Filed {
		t.Errorf("escalated: centre %q, %s", s.c.Centre, s.c.State)
	}
	as("2026-02-11 14:10", Dispatch, street(Dispatcher), ruled, fault.Denied) // it is the district's now
	ruled.Text = ""
	as("2026-02-11 14:10", Dispatch, actor(Dispatcher), ruled, 0)
	s.replays()
}

// TestTwoReasonsToStand: a case that is suspended and in coordination goes on
// when the last of both has ended.
func TestTwoReasonsToStand(t *testing.T) {
	for _, rulingFirst := range []bool{true, false} {
		s := newScript(t)
		s.toDisposal()
		s.do("2026-02-11 09:30", AskSuspension, Handler, Input{Text: "x", Review: local(t, "2026-02-28 09:00")})
		s.do("2026-02-11 10:00", Suspend, ShiftLeader, Input{Review: local(t, "2026-02-28 09:00")})
		next, e, err := s.p.Apply(s.c, AskCoordination, street(ShiftLeader), local(t, "2026-02-11 10:30"), Input{Text: "x", Kind: "on-site"})
		if err != nil {
			t.Fatal(err)
		}
		s.c, s.history = next, append(s.history, e)
		steps := []Action{Rule, EndSuspension}
		if !rulingFirst {
			slices.Reverse(steps)
		}
		s.do("2026-02-12 09:00", steps[0], ShiftLeader, reason)
		if k, _ := s.c.Clock(DisposalClock); !k.Paused() {
			t.Errorf("after %s the clock runs while the case is %s", steps[0], s.c.describe())
		}
		s.do("2026-02-13 09:00", steps[1], ShiftLeader, reason)
		if k, _ := s.c.Clock(DisposalClock); !k.Running() || k.Used != time.Hour || len(s.c.Cycle.Paused) != 1 || s.c.Cycle.Paused[0].To.IsZero() {
			t.Errorf("after %s: %+v, paused %v", steps[1], k, s.c.Cycle.Paused)
		}
		s.replays()
	}
}

func TestLate(t *testing.T) {
	due := local(t, "2026-03-02 10:00")
	running := Timer{Since: due.Add(-time.Hour), Dues: []Due{{At: due}}}
	stopped, paused, cancelled := running, running, running
	stopped.Since, stopped.Stopped = time.Time{}, due
	paused.Since = time.Time{}
	cancelled.Since, cancelled.Cancelled = time.Time{}, true
	for _, tt := range []struct {
		name string
		k    Timer
		now  time.Time
		want bool
	}{
		{"running, at the very due time", running, due, false},
		{"running, a moment later", running, due.Add(1), true},
		{"stopped at the very due time", stopped, due.Add(time.Hour), false},
		{"paused", paused, due.Add(time.Hour), false},
		{"cancelled", cancelled, due.Add(time.Hour), false},
	} {
		if got := tt.k.Late(tt.now); got != tt.want {
			t.Errorf("%s: late %v", tt.name, got)
		}
	}
	stopped.Stopped = due.Add(1)
	if !stopped.Late(due.Add(time.Hour)) || stopped.Late(due) {
		t.Error("stopped a moment late: late afterwards, and not before")
	}
}

func TestCloserLimits(t *testing.T) {
	quarter, day := Limit{15 * time.Minute, Calendar}, Limit{24 * time.Hour, Calendar}
	for _, tt := range []struct{ own, strict, want Limit }{
		{day, Limit{}, day},
		{day, quarter, quarter},
		{Limit{5 * time.Minute, Calendar}, quarter, Limit{5 * time.Minute, Calendar}},
		{Limit{5 * time.Minute, Working}, quarter, quarter}, // which may be tomorrow
	} {
		if got := tt.own.closer(tt.strict); got != tt.want {
			t.Errorf("%v and %v: %v, want %v", tt.own, tt.strict, got, tt.want)
		}
	}
}

func TestRulesAreChecked(t *testing.T) {
	for _, tt := range []struct {
		field  string
		change func(*Rules)
	}{
		{"version", func(r *Rules) { r.Version = "" }},
		{"normal", func(r *Rules) { r.Normal.Accept.Span = 0 }},
		{"emergency", func(r *Rules) { r.Emergency.Response.Clock = "lunar" }},
		{"order_days", func(r *Rules) { r.OrderDays = []int{0, 5} }},
		{"coordination", func(r *Rules) { r.Coordination = []CoordinationKind{{Code: "x"}} }},
		{"max_extra_ns", func(r *Rules) { r.MaxExtra = 0 }},
	} {
		r := UsualRules()
		tt.change(&r)
		if err := r.Check(); fault.FieldOf(err) != tt.field {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
}

func TestPublicReportsAreVerified(t *testing.T) {
	s := newScript(t)
	in := intake(ByPublic, "", "2026-02-11 08:45", t)
	in.Place = nil
	s.do("2026-02-11 08:50", Report, Citizen, in)
	full := Input{Item: well, Place: placeIn(streetA)}
	s.refuse("2026-02-11 08:51", Accept, Clerk, full, fault.Conflict, "verified")
	s.do("2026-02-11 08:51", AskVerification, Clerk, Input{})
	s.due(VerifyClock, "2026-02-11 10:51")
	s.do("2026-02-11 09:10", Verify, Patrol, photo)
	s.refuse("2026-02-11 09:12", Accept, Clerk, Input{}, fault.Invalid, "item")
	s.refuse("2026-02-11 09:12", Accept, Clerk, Input{Item: well}, fault.Invalid, "place")
	s.do("2026-02-11 09:12", Accept, Clerk, full)
	if s.c.Centre != streetA {
		t.Errorf("centre %q", s.c.Centre)
	}
	s.replays()
}

func TestEmergencyHasItsOwnLimits(t *testing.T) {
	s := newScript(t)
	var err error
	if s.p.Modes, err = s.p.Modes.With(ModeChange{At: local(t, "2026-02-11 08:00"), Emergency: true, By: "指挥长", Reason: "暴雪"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.p.Modes.With(ModeChange{At: local(t, "2026-02-11 09:00"), Emergency: true, By: "x", Reason: "y"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("turned twice: %v", err)
	}
	s.toDisposal()
	s.due(AcceptClock, "2026-02-11 08:55")
	s.due(ResponseClock, "2026-02-11 09:15")
	s.due(DisposalClock, "2026-02-12 09:00") // 24 hours of every day in the place of 160 working hours
	s.replays()
}

func TestTheEmergencyLane(t *testing.T) {
	s := newScript(t)
	s.do("2026-02-11 03:00", Report, Clerk, intake(ByEmergency, well, "2026-02-11 02:58", t))
	s.due(AcceptClock, "2026-02-11 03:05") // whatever the switch says
	if !s.c.Emergency {
		t.Error("the emergency lane has normal limits")
	}
	s.do("2026-02-11 03:02", Accept, Clerk, Input{})
	s.do("2026-02-11 03:04", File, ShiftLeader, Input{})
	byHand := assigned(grid.Department{Code: "D07", Name: "区应急管理办公室"})
	byHand.Assignment.Why.Basis = ByHand
	s.refuse("2026-02-11 03:05", Dispatch, Dispatcher, byHand, fault.Invalid, "says why")
	byHand.Assignment.Why.Note = "抢险队就在现场"
	s.do("2026-02-11 03:05", Dispatch, Dispatcher, byHand)
	s.due(ResponseClock, "2026-02-11 03:20") // 15 min, and not the catalogue's 30
	s.due(DisposalClock, "2026-02-11 07:05") // the catalogue's four hours are closer than a day
	s.replays()
}

func TestSwitch(t *testing.T) {
	var m Modes
	turn := func(at string, emergency bool, reason string) error {
		next, err := m.With(ModeChange{At: local(t, at), Emergency: emergency, By: "指挥长", Reason: reason})
		if err == nil {
			m = next
		}
		return err
	}
	for _, tt := range []struct {
		at        string
		emergency bool
		reason    string
		kind      fault.Kind
	}{
		{"2026-07-01 08:00", false, "x", fault.Conflict}, // it is so already
		{"2026-07-01 08:00", true, "", fault.Invalid},
		{"2026-07-01 08:00", true, "台风", 0},
		{"2026-07-01 07:00", false, "x", fault.Conflict}, // before the last turn
		{"2026-07-02 08:00", false, "解除", 0},
	} {
		if err := turn(tt.at, tt.emergency, tt.reason); fault.KindOf(err) != tt.kind || (err == nil) != (tt.kind == 0) {
			t.Errorf("%s to %v: %v", tt.at, tt.emergency, err)
		}
	}
	for at, want := range map[string]bool{"2026-07-01 07:59": false, "2026-07-01 08:00": true, "2026-07-02 07:59": true, "2026-07-02 08:00": false} {
		if got := m.Emergency(local(t, at)); got != want {
			t.Errorf("at %s: emergency %v", at, got)
		}
	}
}

func TestSelfHandled(t *testing.T) {
	s := newScript(t)
	s.do("2026-02-11 08:50", Report, Patrol, intake(ByPatrol, well, "2026-02-11 08:45", t))
	s.do("2026-02-11 08:55", SelfHandle, Patrol, photo)
	s.refuse("2026-02-11 09:00", Check, Patrol, photo, fault.Denied, "somebody else")
	s.do("2026-02-11 09:00", Check, Inspector, photo)
	s.do("2026-02-11 09:05", Close, ShiftLeader, Input{})
	for _, k := range s.c.Cycle.Clocks {
		if !k.Cancelled {
			t.Errorf("clock %s counts", k.Name)
		}
	}
	s.do("2026-02-12 09:05", Reopen, Inspector, reason)
	if s.c.State != Reported || s.c.Overlays.Has(SelfHandled) {
		t.Errorf("reopened: %s", s.c.describe())
	}
	s.replays()
}

func TestInputIsChecked(t *testing.T) {
	s := newScript(t)
	good := intake(ByPatrol, well, "2026-02-11 08:45", t)
	with := func(change func(*Input)) Input {
		in := good
		i := *good.Intake
		in.Intake = &i
		change(&in)
		return in
	}
	order := func(o Order) Input {
		return with(func(in *Input) { in.Intake.Channel, in.Intake.Order = ByHotline, &o })
	}
	for _, tt := range []struct {
		name string
		role Role
		in   Input
		want string
	}{
		{"nothing", Patrol, Input{}, "how it came in"},
		{"another's channel", Patrol, with(func(in *Input) { in.Intake.Channel = ByHotline }), "channel"},
		{"from the future", Patrol, with(func(in *Input) { in.Intake.Captured = local(t, "2026-02-11 09:45") }), "captured"},
		{"an unknown item", Patrol, with(func(in *Input) { in.Item = "9999" }), "item"},
		{"no words", Patrol, with(func(in *Input) { in.Item, in.Intake.Text = "", "" }), "words"},
		{"an order from a patrol", Patrol, with(func(in *Input) { in.Intake.Order = &Order{} }), "order"},
		{"no order", Hotline, with(func(in *Input) { in.Intake.Channel = ByHotline }), "order"},
		{"three days", Hotline, order(Order{Number: "1", Days: 3, Issued: local(t, "2026-02-11 08:00")}), "order.days"},
		{"an order without a number", Hotline, order(Order{Days: 5, Issued: local(t, "2026-02-11 08:00")}), "order.number"},
		{"an order not issued", Hotline, order(Order{Number: "1", Days: 5}), "order.issued"},
		{"what has no use", Patrol, with(func(in *Input) { in.Stage = "停工" }), "stage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := s.p.Apply(Case{ID: 1}, Report, actor(tt.role), local(t, "2026-02-11 08:50"), tt.in); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	s.refuse("2026-02-11 08:50", "fly", Patrol, good, fault.Invalid, "fly")
	s.refuse("2026-02-11 08:50", Accept, Clerk, Input{}, fault.Conflict, "draft")
	s.toDisposal()
	s.refuse("2026-02-11 09:19", Dispose, Handler, photo, fault.Conflict, "was changed at")
	s.refuse("2026-02-11 09:30", Dispose, Handler, Input{Evidence: []string{""}}, fault.Invalid, "evidence")
	s.refuse("2026-02-11 09:30", JoinDuty, Dispatcher, Input{Joint: &Joint{Template: "street-order", Lead: "a", Core: []string{"b"}}}, fault.Invalid, "2 core")
	s.do("2026-02-11 09:30", JoinDuty, Dispatcher, Input{Joint: &Joint{Template: "street-order", Lead: leadA.Code, Core: []string{"b", "c"}, Joining: []string{"d"}}})
	if _, _, err := s.p.Apply(s.c, Contribute, Actor{ID: "x", Role: Handler, Department: "d"}, local(t, "2026-02-11 10:00"), reason); err != nil {
		t.Errorf("who joins contributes: %v", err)
	}
	if _, _, err := s.p.Apply(s.c, Dispose, Actor{ID: "x", Role: Handler, Department: "d"}, local(t, "2026-02-11 10:00"), photo); fault.KindOf(err) != fault.Denied {
		t.Errorf("who joins does not dispose: %v", err)
	}
}

// TestTableIsSound: every row can be taken, names what exists, and every open
// state has a way on.
func TestTableIsSound(t *testing.T) {
	p := procedure(t)
	reached := map[State]bool{Draft: true}
	for range States {
		for _, r := range LifeCycle {
			if r.To != Draft && slices.ContainsFunc(r.From, func(s State) bool { return reached[s] }) {
				reached[r.To] = true
			}
		}
	}
	left := map[State]bool{}
	for _, r := range LifeCycle {
		name := fmt.Sprintf("%s from %v", r.Action, r.From)
		if r.Name == "" || len(r.From) == 0 || len(r.Who) == 0 || r.Under&r.Unless != 0 {
			t.Errorf("%s: incomplete, or never fits", name)
		}
		if _, err := p.Standards.At(r.Standard, local(t, "2026-01-01 00:00")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, n := range r.Needs {
			if needs[n] == nil {
				t.Errorf("%s: nothing checks %s", name, n)
			}
		}
		for _, who := range r.Who {
			if !slices.Contains(Roles, who) {
				t.Errorf("%s: no role %s", name, who)
			}
		}
		if r.To != Draft {
			for _, s := range r.From {
				left[s] = true
			}
		}
	}
	for _, s := range States {
		if !reached[s] || s.Open() && !left[s] {
			t.Errorf("%s: reached %v, left %v", s, reached[s], left[s])
		}
	}
}

// TestDocumentation holds what of the documentation is generated against the
// code.
func TestDocumentation(t *testing.T) {
	const path = "../../docs/casework.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, part := range map[string]string{
		"the life cycle": "\n```mermaid\n" + Diagram() + "```\n\n" + Table() + "\n",
		"the figures":    "\n" + FigureTable() + "\n",
	} {
		begin, end := "<!-- "+name+", generated from internal/casework -->\n", "<!-- end of "+name+" -->\n"
		head, rest, ok := strings.Cut(want, begin)
		_, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for %s", path, name)
		}
		want = head + begin + part + end + tail
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(want, string(text)); d != "" {
		t.Errorf("%s is not up to date, run with -update (-want +got):\n%s", path, d)
	}
}

func TestWhoHandles(t *testing.T) {
	s := newScript(t)
	s.toDisposal()
	for _, tt := range []struct {
		who  Actor
		want bool
	}{
		{actor(Clerk), true}, {street(Dispatcher), true}, {actor(Handler), true},
		{Actor{Role: Dispatcher, Street: streetB}, false}, {Actor{Role: Handler, Department: "U02"}, false}, {Actor{Role: Handler}, false},
		{actor(Patrol), false}, {actor(Inspector), false}, {actor(Citizen), false}, {Actor{}, false},
	} {
		if got := s.c.Handles(tt.who); got != tt.want {
			t.Errorf("%+v handles it: %v", tt.who, got)
		}
	}
	next, ok := s.c.Next()
	if !ok || next.Clock != DisposalClock || !next.At.Equal(local(t, "2026-02-11 14:30")) {
		t.Errorf("next is %+v", next)
	}
}
