package demo

import (
	"fmt"
	"time"

	"lianqin/internal/casework"
	"lianqin/internal/grid"
)

// story writes the history of one case. Once something would happen after the
// demonstration stands still, nothing more is written.
type story struct {
	*Cases
	p     *plan
	place *place
	item  *casework.Item
	d     *dice

	c    casework.Case
	h    []casework.Entry
	over bool
	err  error
}

// usualEntries is how many entries most cases come to at the most.
const usualEntries = 8

// history makes case i.
func (c *Cases) history(i int) (History, error) {
	p := &c.plans[i]
	s := &story{Cases: c, p: p, place: &c.grids[p.grid], item: &c.catalogue.Items()[p.item],
		d: throw(c.opt.Seed, 67, uint64(c.from.Year()), uint64(p.serial)), c: casework.Case{ID: c.opt.FirstID + int64(i)}, h: make([]casework.Entry, 0, usualEntries)}
	out := History{}
	if p.channel == byPublic || p.channel == byHotline || p.channel == byEmergency {
		out.Reporter = &casework.Reporter{Name: person(s.d), Contact: fmt.Sprintf("120%08d", s.d.below(100_000_000))}
	}
	s.write()
	out.Case, out.Entries = s.c, s.h
	if s.err != nil {
		return out, fmt.Errorf("demonstration case %d, %s in %s: %w", s.c.ID, s.item.Code, s.place.grid.Code, s.err)
	}
	return out, nil
}

func (s *story) write() {
	s.report()
	switch s.p.fate {
	case selfDone:
		s.do(casework.SelfHandle, s.finder(), s.in(5, 40), casework.Input{Text: "当场处置", Evidence: s.photo()})
		s.check(s.c.Changed)
	case refused:
		if s.p.channel == byPublic {
			s.do(casework.AskVerification, s.centre(casework.Clerk), s.in(2, 12), casework.Input{})
			s.do(casework.VerifyNotFound, s.patrol(0), s.in(10, 90), casework.Input{Text: "现场未发现所报问题"})
		}
		s.do(casework.NotAccept, s.centre(casework.Clerk), s.in(2, 20), casework.Input{Text: "不属于受理范围"})
	case discarded:
		s.do(casework.Discard, s.centre(casework.ShiftLeader), s.in(3, 30), casework.Input{Text: "误报"})
	default:
		s.accept()
		s.dispatch()
		s.dispose()
	}
}

// do is an action at that time, or at the last one's when that was later.
func (s *story) do(a casework.Action, who casework.Actor, at time.Time, in casework.Input) {
	if at.Before(s.c.Changed) {
		at = s.c.Changed
	}
	if s.over || s.err != nil || !at.Before(s.end) {
		s.over = true
		return
	}
	next, e, err := s.opt.Procedure.Apply(s.c, a, who, at, in)
	if err != nil {
		s.err = err
		return
	}
	s.c, s.h = next, append(s.h, e)
}

// must is do of what the figures count as done within the year: what would
// come after it comes somewhere between the last action and the year's end.
func (s *story) must(a casework.Action, who casework.Actor, at time.Time, in casework.Input) {
	s.do(a, who, s.within(at), in)
}

func (s *story) within(at time.Time) time.Time {
	if at.Before(s.to) {
		return at
	}
	rest := int(s.to.Sub(s.c.Changed) / time.Millisecond)
	return s.c.Changed.Add(time.Duration(s.d.below(max(1, rest))) * time.Millisecond)
}

// in is so many minutes after the last action.
func (s *story) in(least, most int) time.Time {
	return s.c.Changed.Add(time.Duration(least)*time.Minute + time.Duration(s.d.below((most-least)*60_000+1))*time.Millisecond)
}

func (s *story) photo() []string { return []string{s.opt.Photo} }

// Who acts. Names are those of the work, but for the patrols'.

func (s *story) centre(role casework.Role) casework.Actor {
	return casework.Actor{ID: s.place.grid.Street + "-" + string(role), Role: role, Street: s.place.grid.Street}
}

func (s *story) patrol(n int) casework.Actor {
	who := s.place.patrols
	return casework.Actor{ID: who[(int(s.p.serial)+n)%len(who)], Role: casework.Patrol, Street: s.place.grid.Street}
}

func (s *story) village() casework.Actor {
	return casework.Actor{ID: s.place.grid.Code + "-village", Role: casework.Village, Street: s.place.grid.Street, Grid: s.place.grid.Code}
}

// finder is who found what patrols and villages find.
func (s *story) finder() casework.Actor {
	if s.p.channel == byVillage {
		return s.village()
	}
	return s.patrol(0)
}

func (s *story) lead() casework.Actor {
	code := s.c.Cycle.Lead.Code
	return casework.Actor{ID: code, Role: casework.Handler, Department: code}
}

func (s *story) report() {
	at := time.UnixMilli(s.p.at)
	in := casework.Intake{Channel: casework.Channels[s.p.channel], Captured: at.Add(-time.Duration(s.d.below(12*60_000)) * time.Millisecond), Text: s.item.Name}
	var who casework.Actor
	input := casework.Input{Intake: &in, Item: s.item.Code}
	switch s.p.channel {
	case byPatrol, byVillage:
		who, input.Evidence = s.finder(), s.photo()
	case byPublic:
		who, input.Evidence = casework.Actor{ID: "public", Role: casework.Citizen}, s.photo()
	case byEmergency:
		who = s.centre(casework.Clerk)
	case byHotline:
		who = casework.Actor{ID: "12345", Role: casework.Hotline}
		in.Captured = s.p.issued()
		in.Order = &casework.Order{Number: fmt.Sprintf("SH%s%05d", in.Captured.In(grid.Zone).Format("060102"), s.p.serial%100_000), Days: int(s.p.days), Issued: in.Captured}
	}
	g := s.place.grid
	where := s.place.somewhere(s.opt.Index, s.d, uint64(s.p.item))
	input.Place = &casework.Place{At: where.Point(), AccuracyM: float64(3 + s.d.below(6)), Address: g.Name + "附近",
		Generation: s.opt.Index.Generation().Number(), Grid: g.ID, GridCode: g.Code, Street: g.Street}
	s.do(casework.Report, who, at, input)
}

func (s *story) accept() {
	if s.p.channel == byPublic {
		s.must(casework.AskVerification, s.centre(casework.Clerk), s.in(2, 12), casework.Input{})
		s.must(casework.Verify, s.patrol(0), s.in(8, 90), casework.Input{Evidence: s.photo()})
	}
	quick := s.p.channel == byEmergency
	most := func(usual int) int {
		if quick {
			return 4
		}
		return usual
	}
	s.must(casework.Accept, s.centre(casework.Clerk), s.in(1, most(22)), casework.Input{})
	filing := s.in(1, most(28))
	if s.d.below(100) == 0 {
		filing = s.in(62, 150)
	}
	s.step(casework.File, s.centre(casework.ShiftLeader), filing, casework.Input{})
}

// step is must for what is disposed of within the year, and do for what is
// left where it stands.
func (s *story) step(a casework.Action, who casework.Actor, at time.Time, in casework.Input) {
	if s.p.fate == done {
		at = s.within(at)
	}
	s.do(a, who, at, in)
}

// dispatch takes the case to the department that has it: of a hundred one goes
// to another first, which sends it back.
func (s *story) dispatch() {
	a := s.assignment()
	if a == nil {
		return
	}
	dispatcher := s.centre(casework.Dispatcher)
	soon := 24
	if s.p.channel == byEmergency {
		soon = 4
	}
	if s.d.below(100) == 0 && len(a.Support) > 0 && s.p.channel != byEmergency && s.p.channel != byHotline {
		wrong := *a
		wrong.Lead, wrong.Support = a.Support[0], nil
		wrong.Why.Basis, wrong.Why.Note = casework.ByHand, "按现场描述判断"
		s.step(casework.Dispatch, dispatcher, s.in(1, soon), casework.Input{Assignment: &wrong})
		if s.over || s.err != nil {
			return
		}
		s.step(casework.AskReturn, s.lead(), s.in(5, 60), casework.Input{Text: "不属于本部门职责"})
		s.step(casework.ReturnMisdirected, dispatcher, s.in(5, 25), casework.Input{})
	}
	s.step(casework.Dispatch, dispatcher, s.in(1, soon), casework.Input{Assignment: a})
	if s.over || s.err != nil {
		return
	}
	part := 50 + min(s.d.below(850), s.d.below(850))
	if s.d.below(50) == 0 {
		part = 1000 + s.d.below(800)
	}
	response, _ := s.c.Clock(casework.ResponseClock)
	at := s.after(response, part)
	if s.p.channel == byHotline { // whose own clock does not wait
		at = s.in(5, 50)
	}
	s.step(casework.Take, s.lead(), at, casework.Input{})
}

// after is when so many thousandths of a clock's limit have passed.
func (s *story) after(k *casework.Timer, permill int) time.Time {
	at, _ := s.opt.Procedure.Calendar.Add(k.Limit.Clock, k.Started, k.Limit.Span*time.Duration(permill)/1000)
	return at.Add(time.Duration(s.d.below(60_000)) * time.Millisecond)
}

// assignment asks as a dispatcher does, and answers for the grid itself where
// the accuracy crosses a border.
func (s *story) assignment() *casework.Assignment {
	if s.over || s.err != nil {
		return nil
	}
	q := casework.Inquiry{Index: s.opt.Index, At: s.c.Place.At, AccuracyM: s.c.Place.AccuracyM, Catalogue: s.catalogue, Item: s.item.Code}
	out, err := casework.Explain(q)
	if err == nil && out.Assignment == nil {
		q.Answer = s.place.grid.ID
		out, err = casework.Explain(q)
	}
	s.err = err
	return out.Assignment
}

func (s *story) dispose() {
	if s.over || s.err != nil {
		return
	}
	k, _ := s.c.Clock(casework.DisposalClock)
	leader := s.centre(casework.ShiftLeader)
	switch {
	case s.p.fate == suspended:
		review := s.c.Changed.Add(s.after(k, 200).Sub(s.c.Changed))
		s.do(casework.AskSuspension, s.lead(), s.in(60, 600), casework.Input{Text: "需列入下一年度工程", Review: review.AddDate(0, 3, 0)})
		s.do(casework.Suspend, leader, s.in(30, 300), casework.Input{Review: review.AddDate(0, 3, 0)})
		return
	case s.p.channel == byHotline:
	case s.d.below(500) == 0:
		s.step(casework.Supervise, leader, s.in(30, 120), casework.Input{Text: "请尽快处置", ReplyBy: s.c.Changed.AddDate(0, 0, 3)})
		s.step(casework.Answer, s.lead(), s.in(20, 300), casework.Input{Text: "已安排处置"})
	case s.p.permill > 700 && s.p.permill <= 1000 && s.d.below(6) == 0 && k.Limit.Span >= 8*time.Hour:
		extra := (k.Limit.Span / 2).Truncate(time.Millisecond)
		s.step(casework.AskExtension, s.lead(), s.after(k, 500), casework.Input{Text: "需专业单位配合", Extra: extra})
		s.step(casework.ExtendOnce, leader, s.in(10, 60), casework.Input{Text: "同意", Extra: extra})
	}
	answered := s.answerBy()
	if s.p.fate == left && !s.to.Before(s.end) {
		return
	}
	at := s.after(k, int(s.p.permill))
	switch {
	case s.p.fate == left: // in the new year
		if !at.After(s.to) {
			at = s.to
		}
		at = at.Add(time.Duration(1+s.d.below(40*24*60)) * time.Minute)
	case !answered.IsZero():
		if latest := s.c.Changed.Add(answered.Sub(s.c.Changed) * 7 / 8); at.After(latest) {
			at = latest
		}
	}
	s.stages(k, at)
	s.step(casework.Dispose, s.lead(), at, casework.Input{Text: "已处置", Evidence: s.photo()})
	if s.p.fate == done && s.p.channel != byHotline && s.d.below(90) == 0 {
		s.must(casework.Rework, s.patrol(1), s.in(20, 200), casework.Input{Text: "处置不到位"})
		s.must(casework.Dispose, s.lead(), s.in(40, 400), casework.Input{Text: "已重新处置", Evidence: s.photo()})
	}
	if s.p.channel == byHotline {
		s.finish(answered)
	}
	s.check(s.c.Changed)
}

// stages finishes those of a staged limit one after the other, before the
// whole.
func (s *story) stages(k *casework.Timer, until time.Time) {
	begun := s.c.Changed
	for i := range k.Stages {
		part := time.Duration(i+1) * time.Duration(900/len(k.Stages))
		s.step(casework.FinishStage, s.lead(), begun.Add(until.Sub(begun)*part/1000), casework.Input{Stage: k.Stages[i].Name, Evidence: s.photo()})
	}
}

// answerBy is when an order is finished; zero for what is none, or is not
// answered within the year.
func (s *story) answerBy() time.Time {
	if s.c.Order == nil || s.p.answer == unanswered {
		return time.Time{}
	}
	o := s.c.Order
	if s.p.answer == late {
		return s.within(o.Due.Add(time.Duration(1+s.d.below(40*60)) * time.Minute))
	}
	calendar := s.opt.Procedure.Calendar
	span := time.Duration(o.Days) * calendar.Hours().Day()
	at, _ := calendar.Add(casework.Working, o.Issued, span*time.Duration(350+s.d.below(620))/1000)
	if at = s.within(at); at.Before(s.c.Changed) {
		at = s.c.Changed
	}
	return at
}

// finish answers an order.
func (s *story) finish(at time.Time) {
	if s.p.answer == unanswered {
		if !s.to.Before(s.end) {
			return
		}
		at = s.c.Changed
		if at.Before(s.to) {
			at = s.to
		}
		at = at.Add(time.Duration(1+s.d.below(10*24*60)) * time.Minute)
	}
	s.do(casework.FinishOrder, s.centre(casework.Clerk), at, casework.Input{Text: "已答复来电人"})
}

// check looks whether it is done, and closes.
func (s *story) check(after time.Time) {
	if s.over || s.err != nil {
		return
	}
	who := s.patrol(1)
	limit := s.opt.Procedure.Rules.Normal.Check
	at, _ := s.opt.Procedure.Calendar.Add(limit.Clock, after, limit.Span*time.Duration(20+min(s.d.below(900), s.d.below(900)))/1000)
	s.do(casework.Check, who, at, casework.Input{Evidence: s.photo()})
	s.do(casework.Close, s.centre(casework.ShiftLeader), s.in(2, 90), casework.Input{})
}
