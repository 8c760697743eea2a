package casework

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// model is a second telling of the life of a case, written from the
// specification and not from LifeCycle. It knows no Transition, no Timer and
// no calendar: every limit in it is of all hours, in milliseconds.
type model struct {
	state                     string
	flags                     map[string]bool
	channel                   string
	item, inGrid              bool
	street, centre            string
	lead, ruled, doneBy       string
	parties                   []string
	cycle, extended, reworked int
	dispatched                int
	orderDue                  int64
	clocks                    map[string]*modelClock
	stages                    map[string]bool // done or not
}

type modelClock struct {
	limit, used, since int64
	due                int64
	mode               string // running, paused, stopped, cancelled
}

const (
	minute = int64(60_000)
	hour   = 60 * minute
)

var modelRoles = map[Action]string{
	Report: "patrol village public 12345 clerk inspector", AskVerification: "clerk", Verify: "patrol village", VerifyNotFound: "patrol village",
	Accept: "clerk", NotAccept: "clerk", SelfHandle: "patrol village", File: "shift-leader", NotFile: "shift-leader",
	Dispatch: "dispatcher", Take: "department", AskReturn: "department", Return: "dispatcher", ReturnMisdirected: "dispatcher",
	RefuseReturn: "dispatcher", FinishStage: "department", Dispose: "department", Check: "patrol village inspector",
	Close: "shift-leader", Rework: "patrol village inspector", SendBack: "patrol village inspector",
	AskExtension: "department", ExtendOnce: "shift-leader", ExtendAgain: "deputy-director", RefuseExtension: "shift-leader deputy-director",
	AskSuspension: "department", Suspend: "shift-leader", RefuseSuspension: "shift-leader", ReviewSuspension: "shift-leader",
	EndSuspension: "shift-leader dispatcher", Supervise: "shift-leader deputy-director inspector", Answer: "department dispatcher",
	AskCoordination: "shift-leader dispatcher", Rule: "shift-leader deputy-director", Reassign: "shift-leader deputy-director",
	Escalate: "shift-leader dispatcher", Watch: "shift-leader inspector", ReviewWatch: "shift-leader inspector", Unwatch: "shift-leader", JoinDuty: "dispatcher",
	Contribute: "department", Reopen: "inspector 12345", Discard: "shift-leader", FinishOrder: "clerk",
	AddNote: "patrol village clerk shift-leader dispatcher department deputy-director inspector", AddReport: "public",
}

// step is what the model makes of an action: "" when it is done, or why not.
func (m *model) step(a Action, who Actor, at int64, in Input) string {
	if !slices.Contains(strings.Fields(modelRoles[a]), string(who.Role)) {
		return "denied"
	}
	if !m.stands(a) {
		return "conflict"
	}
	if !m.reach(a, who) {
		return "denied"
	}
	if why := m.lacks(a, who, in); why != "" {
		return why
	}
	m.act(a, who, at, in)
	return ""
}

func (m *model) is(states ...string) bool { return slices.Contains(states, m.state) }

func (m *model) open() bool { return !m.is("", "not-accepted", "not-filed", "closed", "void") }

func (m *model) free() bool { return !m.flags["suspended"] && !m.flags["coordination"] }

func (m *model) stands(a Action) bool {
	switch a {
	case Report:
		return m.is("")
	case AskVerification:
		return m.is("reported") && m.free() && !m.flags["verified"]
	case Verify, VerifyNotFound:
		return m.is("to-verify") && m.free()
	case Accept, NotAccept, SelfHandle:
		return m.is("reported") && m.free()
	case File, NotFile:
		return m.is("accepted") && m.free()
	case Dispatch:
		return m.is("filed") && m.free()
	case Take, AskReturn:
		return m.is("dispatched") && m.free()
	case Return, ReturnMisdirected, RefuseReturn:
		return m.is("returned") && m.free()
	case FinishStage, Dispose:
		return m.is("in-disposal") && m.free()
	case Check:
		return m.is("to-check") && m.free() && !m.flags["checked"]
	case Close:
		return m.is("to-check") && m.free() && m.flags["checked"]
	case Rework:
		return m.is("to-check") && m.free() && !m.flags["self-handled"]
	case SendBack:
		return m.is("to-check") && m.free() && m.flags["self-handled"]
	case AskExtension:
		return m.is("in-disposal") && m.free() && !m.flags["extension-asked"] && !m.flags["extended-twice"]
	case ExtendOnce:
		return m.is("in-disposal") && m.free() && !m.flags["extended"]
	case ExtendAgain:
		return m.is("in-disposal") && m.free() && m.flags["extended"] && !m.flags["extended-twice"]
	case RefuseExtension:
		return m.is("in-disposal") && m.flags["extension-asked"]
	case AskSuspension:
		return m.is("in-disposal") && m.free() && !m.flags["suspension-asked"]
	case Suspend:
		return m.is("in-disposal") && m.free() && m.flags["suspension-asked"]
	case RefuseSuspension:
		return m.is("in-disposal") && m.flags["suspension-asked"]
	case ReviewSuspension, EndSuspension:
		return m.is("in-disposal") && m.flags["suspended"]
	case Supervise:
		return m.open() && !m.flags["supervised"]
	case Answer:
		return m.open() && m.flags["supervised"]
	case AskCoordination:
		return m.open() && !m.flags["coordination"]
	case Rule:
		return m.open() && m.flags["coordination"]
	case Reassign:
		return m.is("dispatched", "returned", "in-disposal") && m.flags["coordination"]
	case Escalate:
		return m.open() && !m.flags["escalated"]
	case Watch:
		return (m.open() || m.is("closed")) && !m.flags["watched"]
	case ReviewWatch, Unwatch:
		return (m.open() || m.is("closed")) && m.flags["watched"]
	case JoinDuty:
		return m.is("filed", "dispatched", "in-disposal") && m.free()
	case Contribute:
		return m.is("dispatched", "in-disposal")
	case Reopen:
		return m.is("closed")
	case Discard:
		return m.is("reported", "to-verify", "accepted", "filed") && m.free()
	case FinishOrder:
		return !m.is("") && !m.flags["order-finished"]
	case AddNote:
		return m.open() || m.is("closed")
	case AddReport:
		return m.open()
	}
	panic("no such action: " + string(a))
}

func (m *model) reach(a Action, who Actor) bool {
	switch who.Role {
	case Patrol, Village, Inspector:
		return a == Report || who.Street == "" || who.Street == m.street
	case Handler:
		return who.Department == m.lead || (a == Contribute || a == AddNote) && slices.Contains(m.parties, who.Department)
	case Citizen, Hotline:
		return true
	}
	switch a {
	case Report:
		return true
	case AskCoordination, Escalate:
		return who.Street != "" && who.Street == m.centre
	case Rule, Reassign:
		return who.Street == ""
	}
	return who.Street == "" || who.Street == m.centre
}

// lacks is what keeps an action back that the case stands for.
func (m *model) lacks(a Action, who Actor, in Input) string {
	text, photo := in.Text != "", len(in.Evidence) > 0
	assigned := in.Assignment != nil
	ok := true
	switch a {
	case Report:
		ok = in.Intake != nil
	case SelfHandle:
		ok = photo && m.item && m.inGrid
	case Verify, Dispose:
		ok = photo
	case VerifyNotFound, NotAccept, NotFile, AskReturn, RefuseReturn, Rework, RefuseExtension, RefuseSuspension,
		EndSuspension, Answer, Escalate, Unwatch, Contribute, Reopen, Discard, AddNote, AddReport:
		ok = text
	case Accept, File:
		if !m.item && in.Item == "" || !m.inGrid && in.Place == nil {
			return "invalid"
		}
		if m.channel == "public" && !m.flags["verified"] || m.cycle > 1 && (in.Item != "" || in.Place != nil) {
			return "conflict"
		}
	case Dispatch:
		if assigned && m.ruled != "" && m.ruled != in.Assignment.Lead.Code {
			return "conflict"
		}
		ok = assigned
	case FinishStage:
		done, there := m.stages[in.Stage]
		ok = photo && there && !done
	case Check, SendBack:
		if a == Check && !photo || a == SendBack && !text {
			return "invalid"
		}
		if who.ID == m.doneBy {
			return "denied"
		}
	case AskExtension, ExtendOnce:
		ok = text && in.Extra > 0
	case ExtendAgain:
		ok = text && in.Extra > 0 && in.Writing != ""
	case AskSuspension, ReviewSuspension, Watch, ReviewWatch:
		ok = text && !in.Review.IsZero()
	case Suspend:
		ok = !in.Review.IsZero()
	case Supervise:
		ok = text && !in.ReplyBy.IsZero()
	case AskCoordination:
		ok = text && in.Kind != ""
	case Rule:
		if text && assigned && m.is("dispatched", "returned", "in-disposal") && in.Assignment.Lead.Code != m.lead {
			return "conflict"
		}
		ok = text
	case Reassign:
		ok = text && assigned
	case JoinDuty:
		ok = in.Joint != nil
	case FinishOrder:
		if m.orderDue == 0 {
			return "conflict"
		}
		ok = text
	}
	if !ok {
		return "invalid"
	}
	return ""
}

func (m *model) start(name string, at, limit int64) {
	m.clocks[name] = &modelClock{limit: limit, since: at, due: at + limit, mode: "running"}
}

func (m *model) stop(name, how string, at int64) {
	c := m.clocks[name]
	if c == nil || c.mode == "stopped" || c.mode == "cancelled" || how == "paused" && c.mode == "paused" {
		return
	}
	if c.mode == "running" {
		c.used += at - c.since
	}
	c.mode = how
}

func (m *model) goOn(name string, at int64, from string) {
	if c := m.clocks[name]; c != nil && c.mode == from {
		c.mode, c.since, c.due = "running", at, at+max(c.limit-c.used, 0)
	}
}

func (m *model) stopAll(at int64) {
	for name := range m.clocks {
		m.stop(name, "stopped", at)
	}
	delete(m.flags, "supervised")
}

func (m *model) drop(flags ...string) {
	for _, f := range flags {
		delete(m.flags, f)
	}
}

func (m *model) extend(extra time.Duration) {
	c := m.clocks["disposal"]
	c.limit += extra.Milliseconds()
	c.due = c.since + max(c.limit-c.used, 0)
	m.extended++
	m.drop("extension-asked")
}

func (m *model) act(a Action, who Actor, at int64, in Input) {
	if in.Item != "" {
		m.item = true
	}
	if in.Place != nil {
		m.street, m.inGrid = in.Place.Street, in.Place.Grid != grid.None
		if !m.flags["escalated"] {
			m.centre = m.street
		}
	}
	switch a {
	case Report:
		m.state, m.channel, m.cycle = "reported", string(in.Intake.Channel), 1
		if o := in.Intake.Order; o != nil {
			m.orderDue = -1 // known after the first look
		}
		m.start("accept", at, 30*minute)
	case AskVerification:
		m.state = "to-verify"
		m.start("verify", at, 2*hour)
	case Verify, VerifyNotFound:
		m.state = "reported"
		if a == Verify {
			m.flags["verified"] = true
		}
		m.stop("verify", "stopped", at)
	case Accept:
		m.state = "accepted"
		m.stop("accept", "stopped", at)
		m.start("file", at, hour)
	case NotAccept:
		m.state = "not-accepted"
		m.stopAll(at)
	case SelfHandle:
		m.state, m.flags["self-handled"], m.doneBy = "to-check", true, who.ID
		m.stop("accept", "cancelled", at)
	case File:
		m.state = "filed"
		m.stop("file", "stopped", at)
		m.start("dispatch", at, 30*minute)
	case NotFile:
		m.state = "not-filed"
		m.stopAll(at)
	case Dispatch:
		m.state, m.lead, m.ruled = "dispatched", in.Assignment.Lead.Code, ""
		m.dispatched++
		m.stop("dispatch", "stopped", at)
		m.start("response", at, 30*minute)
		if c := m.clocks["disposal"]; c != nil && c.mode == "paused" {
			m.goOn("disposal", at, "paused")
		} else {
			m.start("disposal", at, 4*hour)
			m.stages = map[string]bool{"围挡": false, "修复": false}
		}
	case Take:
		m.state = "in-disposal"
		m.stop("response", "stopped", at)
	case AskReturn:
		m.state = "returned"
	case Return:
		m.state = "filed"
		m.stop("response", "cancelled", at)
		m.stop("disposal", "paused", at)
		m.start("dispatch", at, 30*minute)
	case ReturnMisdirected:
		m.state = "filed"
		m.stop("response", "cancelled", at)
		m.stop("disposal", "cancelled", at)
		m.start("dispatch", at, 30*minute)
	case RefuseReturn:
		m.state = "dispatched"
	case FinishStage:
		m.stages[in.Stage] = true
	case Dispose:
		m.state, m.doneBy = "to-check", who.ID
		m.drop("extension-asked", "suspension-asked")
		m.stop("disposal", "stopped", at)
		m.start("check", at, 8*hour)
	case Check:
		m.flags["checked"] = true
	case Close:
		m.state = "closed"
		m.stopAll(at)
	case Rework:
		m.state = "in-disposal"
		m.reworked++
		m.drop("checked")
		m.stop("check", "stopped", at)
		m.goOn("disposal", at, "stopped")
	case SendBack:
		m.state, m.doneBy = "reported", ""
		m.drop("checked", "self-handled")
		m.start("accept", at, 30*minute)
	case AskExtension:
		m.flags["extension-asked"] = true
	case ExtendOnce:
		m.flags["extended"] = true
		m.extend(in.Extra)
	case ExtendAgain:
		m.flags["extended-twice"] = true
		m.extend(in.Extra)
	case RefuseExtension:
		m.drop("extension-asked")
	case AskSuspension:
		m.flags["suspension-asked"] = true
	case Suspend:
		m.flags["suspended"] = true
		m.drop("suspension-asked")
		m.stop("disposal", "paused", at)
	case RefuseSuspension:
		m.drop("suspension-asked")
	case EndSuspension:
		m.drop("suspended")
		if m.free() {
			m.goOn("disposal", at, "paused")
		}
	case Supervise:
		m.flags["supervised"] = true
		m.start("reply", at, in.ReplyBy.UnixMilli()-at)
	case Answer:
		m.drop("supervised")
		m.stop("reply", "stopped", at)
	case AskCoordination:
		m.flags["coordination"] = true
		m.stop("response", "paused", at)
		m.stop("disposal", "paused", at)
		m.start("coordination", at, 8*hour)
	case Rule:
		m.drop("coordination")
		m.stop("coordination", "stopped", at)
		if m.is("dispatched", "returned", "in-disposal") && m.free() {
			m.goOn("response", at, "paused")
			m.goOn("disposal", at, "paused")
		}
		if in.Assignment != nil {
			m.ruled = in.Assignment.Lead.Code
		}
	case Reassign:
		m.state, m.ruled = "filed", in.Assignment.Lead.Code
		m.drop("coordination", "suspended", "suspension-asked", "extension-asked", "extended", "extended-twice")
		m.stop("coordination", "stopped", at)
		m.stop("response", "cancelled", at)
		m.stop("disposal", "cancelled", at)
		m.start("dispatch", at, 30*minute)
	case Escalate:
		m.flags["escalated"], m.centre = true, ""
	case Watch:
		m.flags["watched"] = true
	case Unwatch:
		m.drop("watched")
	case JoinDuty:
		m.parties = slices.Concat(in.Joint.Core, in.Joint.Joining)
	case Reopen:
		m.cycle++
		m.clocks = map[string]*modelClock{}
		m.stages, m.doneBy, m.lead, m.ruled, m.parties = nil, "", "", "", nil
		m.dispatched, m.reworked, m.extended = 0, 0, 0
		m.flags["reopened"] = true
		if m.flags["self-handled"] {
			m.state = "reported"
			m.start("accept", at, 30*minute)
		} else {
			m.state = "filed"
			m.start("dispatch", at, 30*minute)
		}
		m.drop("checked", "extended", "extended-twice", "self-handled")
	case Discard:
		m.state = "void"
		m.stopAll(at)
	case FinishOrder:
		m.flags["order-finished"] = true
	}
}

// differs is how a case is other than the model, or "".
func (m *model) differs(c *Case) string {
	got := []any{string(c.State), c.Centre, c.Cycle.Lead.Code, c.Cycle.Number, c.Cycle.Extensions, c.Cycle.Reworks, c.Cycle.Dispatches, c.Cycle.DoneBy}
	want := []any{m.state, m.centre, m.lead, m.cycle, m.extended, m.reworked, m.dispatched, m.doneBy}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("got %v, want %v", got, want)
	}
	flags := slices.Sorted(maps.Keys(m.flags))
	if names := c.Overlays.Names(); !slices.Equal(slices.Sorted(slices.Values(names)), flags) {
		return fmt.Sprintf("overlays %v, want %v", names, flags)
	}
	for name, want := range m.clocks {
		k, ok := c.Clock(ClockName(name))
		if !ok {
			return "no clock " + name
		}
		mode := "paused"
		switch {
		case k.Cancelled:
			mode = "cancelled"
		case k.Running():
			mode = "running"
		case !k.Stopped.IsZero():
			mode = "stopped"
		}
		if due := k.Dues[len(k.Dues)-1].At.UnixMilli(); mode != want.mode || k.Used.Milliseconds() != want.used || due != want.due || k.Limit.Span.Milliseconds() != want.limit {
			return fmt.Sprintf("clock %s is %s after %s of %s, due %d; want %+v", name, mode, k.Used, k.Limit.Span, due, *want)
		}
	}
	for i := range c.Cycle.Clocks {
		if m.clocks[string(c.Cycle.Clocks[i].Name)] == nil {
			return fmt.Sprintf("there is a clock %s", c.Cycle.Clocks[i].Name)
		}
	}
	return ""
}

// modelProcedure is a procedure whose limits are all of all hours.
func modelProcedure(t *testing.T) *Procedure {
	p := procedure(t)
	day := Limit{8 * time.Hour, Calendar}
	p.Rules.Normal.Check = day
	p.Rules.Coordination = []CoordinationKind{{"on-site", "现场协调", day}}
	staged := *must(p.Catalogues.Versions()[0].Item(well))
	staged.Stages = []Stage{{"围挡", 1}, {"修复", 4}}
	next, _, err := p.Catalogues.Versions()[0].Edit(Edit{Items: []Item{staged}}, time.Date(2025, 2, 1, 0, 0, 0, 0, grid.Zone))
	if err != nil {
		t.Fatal(err)
	}
	if p.Catalogues, err = NewEditions(p.Catalogues.Versions()[0], next); err != nil {
		t.Fatal(err)
	}
	return p
}

var modelLeads = []grid.Department{leadA, {Code: "U02", Name: "区自来水公司"}, {Code: "D10", Name: "区水务局"}}

func modelActors() []Actor {
	var all []Actor
	for _, r := range Roles {
		if r == Handler {
			for _, d := range modelLeads {
				all = append(all, Actor{ID: "handler " + d.Code, Role: r, Department: d.Code})
			}
			all = append(all, Actor{ID: "joiner", Role: r, Department: "J1"})
			continue
		}
		for _, s := range []string{"", streetA, streetB} {
			all = append(all, Actor{ID: string(r) + " " + s, Role: r, Street: s})
		}
	}
	return all
}

// modelInput is what an action may need, or too little of it.
func modelInput(r *rand.Rand, a Action, who Actor, at time.Time) Input {
	if r.IntN(12) == 0 {
		return Input{}
	}
	in := Input{Text: "x", Evidence: []string{"a.jpg"}}
	place := func() *Place {
		return placeIn([]string{streetA, streetB}[r.IntN(2)])
	}
	lead := func() *Assignment {
		return &Assignment{Lead: modelLeads[r.IntN(len(modelLeads))], Why: Why{Basis: ByCatalogue}}
	}
	switch a {
	case Report:
		channel := map[Role]Channel{Patrol: ByPatrol, Inspector: ByPatrol, Village: ByVillage, Citizen: ByPublic, Hotline: ByHotline, Clerk: ByPublic}[who.Role]
		in.Intake = &Intake{Channel: channel, Captured: at.Add(-time.Duration(r.IntN(100)) * time.Minute)}
		if channel == ByHotline {
			in.Intake.Order = &Order{Number: "n", Days: 5, Issued: at.Add(-time.Hour)}
		}
		if r.IntN(2) == 0 {
			in.Item, in.Place = well, place()
		}
	case Accept, File:
		if r.IntN(2) == 0 {
			in.Item, in.Place = well, place()
		}
	case Dispatch, Reassign:
		in.Assignment = lead()
	case Rule:
		if r.IntN(2) == 0 {
			in.Assignment = lead()
		}
	case AskSuspension, Suspend, ReviewSuspension, Watch, ReviewWatch:
		in.Review = at.Add(48 * time.Hour)
	case Supervise:
		in.ReplyBy = at.Add(24 * time.Hour)
	case AskExtension, ExtendOnce:
		in.Extra = time.Duration(1+r.IntN(300)) * time.Minute
	case ExtendAgain:
		in.Extra, in.Writing = time.Duration(1+r.IntN(300))*time.Minute, "scan.pdf"
	case AskCoordination:
		in.Kind = "on-site"
	case FinishStage:
		in.Stage = []string{"围挡", "修复"}[r.IntN(2)]
	case JoinDuty:
		in.Joint = &Joint{Template: "street-order", Lead: leadA.Code, Core: []string{"U02", "D10"}, Joining: []string{"J1"}}
	}
	return in
}

// offered is an action that the case stands for, by somebody who may, so that
// cases come far; or else as it was.
func offered(r *rand.Rand, c *Case, a Action, actors []Actor) (Action, Actor) {
	onward := r.IntN(2) == 0
	var fitting []*Transition
	for i := range LifeCycle {
		t := &LifeCycle[i]
		over := t.Action == Discard || t.Action == NotAccept || t.Action == NotFile
		if t.fits(c) && !(over && r.IntN(8) > 0) && !(onward && t.To == Draft) {
			fitting = append(fitting, t)
		}
	}
	if len(fitting) == 0 {
		return a, actors[r.IntN(len(actors))]
	}
	t := fitting[r.IntN(len(fitting))]
	who := actors[r.IntN(len(actors))]
	for range 200 {
		if slices.Contains(t.Who, who.Role) && t.reaches(c, who) {
			break
		}
		who = actors[r.IntN(len(actors))]
	}
	return t.Action, who
}

// TestModel drives cases by a million random actions of random roles, in parts,
// and holds each answer and each case against the model.
func TestModel(t *testing.T) {
	const parts = 8
	actions := 1_000_000
	few := testing.Short() || raceDetector // of which there is nothing to find here
	if few {
		actions = 40_000
	}
	if n := len(verbs()); n != len(modelRoles) {
		t.Fatalf("the table has %d actions, the model %d", n, len(modelRoles))
	}
	p := modelProcedure(t)
	all := &seen{taken: map[string]int{}, denied: map[string]int{}}
	t.Run("parts", func(t *testing.T) {
		for part := range uint64(parts) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				all.add(modelPart(t, p, part, actions/parts))
			})
		}
	})
	t.Logf("%d entries", all.entries)
	if few || t.Failed() {
		return
	}
	for _, row := range LifeCycle {
		for _, from := range row.From {
			if all.taken[string(row.Action)+" from "+string(from)] == 0 {
				t.Errorf("%s from %q was never taken", row.Action, from)
			}
		}
		if all.denied[string(row.Action)] == 0 {
			t.Errorf("%s was never refused", row.Action)
		}
		for _, who := range Roles {
			if !slices.Contains(strings.Fields(modelRoles[row.Action]), string(who)) && all.denied[string(row.Action)+" by "+string(who)] == 0 {
				t.Errorf("%s was never denied to %s", row.Action, who)
			}
		}
	}
}

// seen counts what happened: actions by the state they were taken from, and
// refusals by action, and by action and role.
type seen struct {
	mu            sync.Mutex
	taken, denied map[string]int
	entries       int
}

func (s *seen) add(other *seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, n := range other.taken {
		s.taken[k] += n
	}
	for k, n := range other.denied {
		s.denied[k] += n
	}
	s.entries += other.entries
}

func verbs() []Action {
	var out []Action
	for _, row := range LifeCycle {
		if !slices.Contains(out, row.Action) {
			out = append(out, row.Action)
		}
	}
	return out
}

func modelPart(t *testing.T, p *Procedure, seed uint64, actions int) *seen {
	const perCase = 150
	r := rand.New(rand.NewPCG(2026, seed))
	saw := &seen{taken: map[string]int{}, denied: map[string]int{}}
	actors, verbs := modelActors(), verbs()
	for id := int64(1); actions > 0; id++ {
		c, m := Case{ID: id}, &model{flags: map[string]bool{}, clocks: map[string]*modelClock{}}
		at := local(t, "2025-03-03 09:00").Add(time.Duration(r.IntN(500*24)) * time.Hour).UTC()
		var history []Entry
		for range perCase {
			actions--
			if r.IntN(3) == 0 {
				at = at.Add(time.Duration(r.IntN(6*3600_000)) * time.Millisecond)
			}
			now := at
			if r.IntN(50) == 0 {
				now = at.Add(-time.Hour)
			}
			a, who := verbs[r.IntN(len(verbs))], actors[r.IntN(len(actors))]
			if r.IntN(3) > 0 {
				a, who = offered(r, &c, a, actors)
			}
			in := modelInput(r, a, who, now)
			before := c
			var frozen []byte
			if r.IntN(100) == 0 {
				frozen, _ = json.Marshal(c)
			}
			next, e, err := p.Apply(c, a, who, now, in)
			want := m.answer(a, who, now, c.Changed, in)
			got := ""
			if err != nil {
				got = fault.KindOf(err).String()
			}
			if got != want {
				t.Fatalf("case %d (%s) %s by %+v at %s with %+v: got %q (%v), the model says %q", id, c.describe(), a, who, now, in, got, err, want)
			}
			if frozen != nil {
				look(&next, who, at)
				first, _ := json.Marshal(next)
				fork := in
				fork.Text, fork.Evidence = "fork", []string{"fork.jpg"}
				_, _, _ = p.Apply(before, a, who, now.Add(time.Second), fork)
				if again, _ := json.Marshal(next); string(again) != string(first) {
					t.Fatalf("%s done twice to one case changed the first result:\n%s\n%s", a, first, again)
				}
				if after, _ := json.Marshal(before); string(after) != string(frozen) {
					t.Fatalf("%s changed the case that it was asked of:\n%s\n%s", a, frozen, after)
				}
			}
			if err != nil {
				saw.denied[string(a)]++
				if want == "denied" {
					saw.denied[string(a)+" by "+string(who.Role)]++
				}
				if next.Seq != before.Seq || frozen != nil && !reflect.DeepEqual(next, before) {
					t.Fatalf("%s was refused and changed the case", a)
				}
				continue
			}
			saw.taken[string(a)+" from "+string(before.State)]++
			history, c = append(history, e), next
			if m.orderDue == -1 {
				m.orderDue = c.Order.Due.UnixMilli()
			}
			if c.Order != nil && c.Order.Due.UnixMilli() != m.orderDue {
				t.Fatalf("%s moved the 12345 clock", a)
			}
			if diff := m.differs(&c); diff != "" {
				t.Fatalf("case %d after %s from %s: %s", id, a, before.State, diff)
			}
			if e.At.Before(before.Changed) || !slices.Contains(States, c.State) {
				t.Fatalf("case %d after %s: state %q at %s", id, a, c.State, e.At)
			}
		}
		saw.entries += len(history)
		again, err := Replay(history)
		if len(history) > 0 && (err != nil || !reflect.DeepEqual(again, c)) {
			t.Fatalf("case %d: history replays to another case, %v (-case +replayed):\n%s", id, err, cmp.Diff(c, again))
		}
		if id%8 == 0 && len(history) > 0 {
			h := History{Number: "1", Entries: slices.Clone(history)}
			handed, err := h.Check(c.Changed)
			if handed.ID = c.ID; err != nil || !reflect.DeepEqual(handed, c) {
				t.Fatalf("case %d: as a history it is another case, %v (-case +handed over):\n%s", id, err, cmp.Diff(c, handed))
			}
		}
		if id%32 == 0 && len(history) > 0 {
			if err := replays(c, history); err != nil {
				t.Fatalf("case %d: %v", id, err)
			}
		}
	}
	return saw
}

// answer is step, for an action that may come before the case's last change.
func (m *model) answer(a Action, who Actor, now, changed time.Time, in Input) string {
	switch {
	case !now.Before(changed):
		return m.step(a, who, now.UnixMilli(), in)
	case !slices.Contains(strings.Fields(modelRoles[a]), string(who.Role)),
		m.stands(a) && !m.reach(a, who):
		return "denied"
	}
	return "conflict"
}

// look asks a case for all that it can be asked for.
func look(c *Case, who Actor, at time.Time) {
	c.Next()
	Allowed(*c, who)
	FactsOf(c)
	for i := range c.Cycle.Clocks {
		c.Cycle.Clocks[i].Late(at.Add(time.Hour))
		c.Cycle.Clocks[i].NextDue()
	}
}
