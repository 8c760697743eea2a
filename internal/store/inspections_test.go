package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/store/storetest"
)

var inspector = casework.Actor{ID: "sun", Role: casework.Inspector}

func monthPlan(o *office, source casework.Source, size int) casework.Plan {
	now := o.clock()
	return casework.Plan{Kind: casework.AuditInspection, Title: "三月违建", Seed: "种子", Size: size, Due: now.AddDate(0, 0, 7),
		Scope: casework.Scope{Source: source, From: now.AddDate(0, -1, 0), To: now.AddDate(0, 0, 1), Filter: casework.Filter{Items: []string{unlawfulBuilding}}}}
}

// lookedAt answers the whole checklist, good but for one check.
func lookedAt(s casework.Subject, item int, bad string) casework.InspectionResult {
	r := casework.InspectionResult{Item: item}
	for _, c := range casework.ChecksOf(s) {
		m := casework.Mark{Check: c.Code, Verdict: casework.Good}
		if c.Code == bad {
			m = casework.Mark{Check: c.Code, Verdict: casework.Bad, Severity: casework.MajorFinding, Text: "现场未整改"}
		}
		r.Marks = append(r.Marks, m)
	}
	return r
}

// TestADrawIsReproducible: whatever becomes of the cases after a draw, and
// whoever asks, the same seed, scope and as-of give the same sample.
func TestADrawIsReproducible(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		inspections := casework.NewInspectorate(o.Desk, s.Cases())
		r := rand.New(rand.NewPCG(9, 4))
		everybody := slices.Concat(patrolman, checker, centre, team, []casework.Actor{{ID: "sun", Role: casework.Inspector}, {ID: "h", Role: casework.Hotline},
			{ID: "he", Role: casework.DeputyDirector}, {ID: "wang", Role: casework.ShiftLeader, Street: "310114001"}})
		var cases []casework.Case
		for i := range 24 {
			cases = append(cases, o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), []int{0, 2, 4, 5, 7, 7}[i%6]))
		}
		moved := map[casework.Action]int{}
		move := func() {
			for range 250 {
				o.pass(time.Duration(r.IntN(120)) * time.Minute)
				i := r.IntN(len(cases))
				who := everybody[r.IntN(len(everybody))]
				offered := casework.Allowed(cases[i], who)
				if len(offered) == 0 {
					continue
				}
				a := offered[r.IntN(len(offered))]
				if a.Action == casework.Rule || a.Action == casework.Reassign {
					continue // a precedent would send later cases elsewhere
				}
				if rec, err := o.Act(t.Context(), o.deedOf(&a, &cases[i], who)); err == nil {
					cases[i] = rec.Case
					moved[a.Action]++
				}
			}
		}
		var drawn []casework.Inspection
		order := func(source casework.Source, size int, state casework.State) {
			o.pass(time.Minute)
			p := monthPlan(o, source, size)
			p.Scope.State = state
			if source == casework.FromGrids {
				p.Scope = casework.Scope{Source: source}
			}
			in, err := inspections.Order(t.Context(), inspector, p, time.Time{})
			if err != nil {
				t.Fatalf("%s %s: %v", source, state, err)
			}
			drawn = append(drawn, in)
		}
		for range 3 {
			order(casework.FromClosed, 4, "")
			order(casework.FromReceived, 6, "")
			order(casework.FromReceived, 0, casework.Closed)
			order(casework.FromGrids, 2, "")
			move()
			for i := range 4 { // what comes in later is not in the samples before
				cases = append(cases, o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), 7*(i%2)))
			}
		}
		// Another process, whose book was read anew.
		other := deskOf(t, s)
		other.now = o.clock()
		for _, desk := range []*office{o, other} {
			fresh := casework.NewInspectorate(desk.Desk, s.Cases())
			for _, was := range drawn {
				in, err := fresh.Inspection(t.Context(), was.ID)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(was.Items, in.Items); diff != "" {
					t.Errorf("inspection %d is kept otherwise: %s", was.ID, diff)
				}
				v, err := fresh.Verify(t.Context(), &in)
				if err != nil || !v.Same {
					t.Errorf("inspection %d of %s: %+v %v", in.ID, in.Plan.Scope.Source, v, err)
				}
			}
		}
		if moved[casework.Reopen] == 0 || moved[casework.Discard] == 0 || moved[casework.Close] == 0 || len(moved) < 15 {
			t.Errorf("the walk is too tame: %v", moved)
		}
		// The proof can fail: with another seed, or of a population that differs by one.
		forged := drawn[1]
		forged.Plan.Seed = "种子2"
		if v, _ := inspections.Verify(t.Context(), &forged); v.Same {
			t.Error("another seed draws the same")
		}
		forged = drawn[1]
		forged.Drawing.Hash = casework.Digest([]int64{1})
		if v, _ := inspections.Verify(t.Context(), &forged); v.Same {
			t.Error("another population is the same")
		}
	})
}

// TestAFindingReopens: the finding and the case's next cycle are one step.
func TestAFindingReopens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		inspections := casework.NewInspectorate(o.Desk, s.Cases())
		closed := o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), 7)
		toCheck := o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), 5)
		o.pass(time.Minute)
		in, err := inspections.Order(t.Context(), inspector, monthPlan(o, casework.FromReceived, 0), time.Time{})
		if err != nil || len(in.Items) != 2 || in.Items[0].Department.Code != "310114001-S02" {
			t.Fatalf("%+v %v", in.Items, err)
		}

		record := func(f casework.Finding) (casework.Inspection, error) {
			o.pass(time.Minute)
			return inspections.Record(t.Context(), in.ID, inspector, f)
		}
		// A finding whose remedy is refused is not entered either.
		if _, err := record(casework.Finding{Result: lookedAt(casework.CaseSubject, 1, "not-fixed"), Action: casework.Rework, Seq: closed.Seq}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("rework of a closed case: %v", err)
		}
		if _, err := record(casework.Finding{Result: lookedAt(casework.CaseSubject, 1, "not-fixed"), Action: casework.Reopen, Seq: closed.Seq - 1}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("reopen of a case that moved on: %v", err)
		}
		if _, err := record(casework.Finding{Result: lookedAt(casework.CaseSubject, 1, ""), Action: casework.Reopen, Seq: closed.Seq}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("reopen without a finding: %v", err)
		}
		if _, err := record(casework.Finding{Result: lookedAt(casework.CaseSubject, 1, "not-fixed"), Action: casework.Close}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("an inspector closes: %v", err)
		}
		if again, _ := inspections.Inspection(t.Context(), in.ID); again.State != casework.Drawn || len(again.Entries) != 1 {
			t.Fatalf("a refused finding was entered: %+v", again)
		}

		after, err := record(casework.Finding{Result: lookedAt(casework.CaseSubject, 1, "not-fixed"), Action: casework.Reopen, Seq: closed.Seq})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&casework.Remedy{Action: casework.Reopen, Case: closed.ID, Seq: closed.Seq + 1}, after.Standing(1).Result.Remedy); diff != "" || after.State != casework.UnderWay {
			t.Errorf("%s: %s", after.State, diff)
		}
		rec, err := o.Case(t.Context(), closed.ID)
		if err != nil {
			t.Fatal(err)
		}
		last := rec.Entries[len(rec.Entries)-1]
		if rec.Case.Cycle.Number != 2 || len(rec.Case.Past) != 1 || *last.Input.Inspected != (casework.Inspected{Inspection: in.ID, Item: 1}) || last.Input.Text != "问题未解决：现场未整改" {
			t.Errorf("reopened: %+v", last)
		}
		if _, err := record(casework.Finding{Result: lookedAt(casework.CaseSubject, 2, "photo-mismatch"), Action: casework.Rework, Seq: toCheck.Seq}); err != nil {
			t.Error(err)
		}
		// Again without having seen the first: somebody was faster.
		if _, err := record(casework.Finding{Result: lookedAt(casework.CaseSubject, 2, "")}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("over another's result: %v", err)
		}
		o.pass(time.Minute)
		done, err := inspections.Finish(t.Context(), in.ID, inspector, "")
		if err != nil || done.State != casework.Finished {
			t.Fatalf("%+v %v", done, err)
		}
		heads, err := inspections.Inspections(t.Context(), casework.InspectionSearch{Department: "310114001-S02", Limit: 10})
		if err != nil || len(heads) != 1 || heads[0].Items != 2 || heads[0].Checked != 2 || heads[0].Findings != 2 || !heads[0].Finished.Equal(o.clock()) {
			t.Errorf("list: %+v %v", heads, err)
		}

		var chain auth.Verifier
		var said []string
		head, err := s.Accounts().Audit(t.Context(), auth.AuditQuery{}, func(e auth.Entry) error {
			if strings.HasPrefix(e.Action, "inspection.") {
				said = append(said, e.Action+" "+e.Subject+" "+e.Who)
			}
			return chain.Next(e)
		})
		if err != nil || chain.End(head) != nil {
			t.Fatal(err)
		}
		if want := []string{"inspection.order 1 sun", "inspection.record 1 sun", "inspection.record 1 sun", "inspection.finish 1 sun"}; !slices.Equal(said, want) {
			t.Errorf("audit: %q", said)
		}
		for _, sql := range []string{`UPDATE inspection_entry SET seq = 9`, `DELETE FROM inspection_entry`, `DELETE FROM inspection_item`, `DELETE FROM inspection`} {
			if _, err := s.writer.ExecContext(t.Context(), sql); fault.KindOf(s.faultOf(err)) != fault.Conflict {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
}

// TestAFieldCheckOpensACase: what nobody reported becomes a case, with the
// result or not at all.
func TestAFieldCheckOpensACase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		inspections := casework.NewInspectorate(o.Desk, s.Cases())
		spot := inStreet1
		plan := casework.Plan{Kind: casework.FieldInspection, Title: "沿街巡查", Due: o.clock().Add(time.Hour), Scope: casework.Scope{Source: casework.FromNames},
			Places: []casework.Spot{{Name: "公交站", At: &spot}, {Unit: "P-001", Street: "310114001"}}}
		outside := plan
		outside.Places = []casework.Spot{{At: &orb.Point{120, 30}}}
		if _, err := inspections.Order(t.Context(), inspector, outside, time.Time{}); !strings.Contains(fmt.Sprint(err), "places: 1: [120 30] lies outside the district") {
			t.Errorf("%v", err)
		}
		in, err := inspections.Order(t.Context(), inspector, plan, time.Time{})
		if err != nil || in.Items[0].Grid != "310114001U02" {
			t.Fatalf("%+v %v", in.Items, err)
		}
		report := func(item string) (casework.Inspection, error) {
			return inspections.Record(t.Context(), in.ID, inspector, casework.Finding{Result: lookedAt(casework.PlaceSubject, 1, "unreported"), Action: casework.Report,
				Report: &casework.Arrival{Item: item, Position: &casework.Position{At: spot}, Intake: casework.Intake{Text: "占道堆物"}}})
		}
		if _, err := report("9999"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("no such item: %v", err)
		}
		after, err := report(unlawfulBuilding)
		if err != nil {
			t.Fatal(err)
		}
		remedy := after.Standing(1).Result.Remedy
		rec, err := o.Case(t.Context(), remedy.Case)
		if err != nil || rec.Case.Channel != casework.ByPatrol || rec.Case.Place.GridCode != "310114001U02" || rec.Entries[0].By != inspector || rec.Entries[0].Input.Inspected.Inspection != in.ID {
			t.Errorf("%+v %v", rec, err)
		}
		if got := ids(t, o.Desk, casework.Search{}); len(got) != 1 {
			t.Errorf("cases %v", got)
		}
		_, err = inspections.Record(t.Context(), in.ID, inspector, casework.Finding{Result: lookedAt(casework.PlaceSubject, 2, "not-found"), Action: casework.Supervise})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("a place is supervised: %v", err)
		}
		// What was taken where nothing followed is the inspection's, and no case's.
		photo := o.photo()
		result := lookedAt(casework.PlaceSubject, 2, "not-found")
		result.Evidence = photo
		if _, err = inspections.Record(t.Context(), in.ID, inspector, casework.Finding{Result: result}); err != nil {
			t.Fatal(err)
		}
		a := o.seen(unlawfulBuilding, inStreet1)
		a.Evidence = photo
		if _, err := o.Open(t.Context(), a); fault.FieldOf(err) != "evidence" {
			t.Errorf("a case names the inspection's photo: %v", err)
		}
		result.Corrects = 3
		result.Evidence = []string{"none.jpg"}
		if _, err := inspections.Record(t.Context(), in.ID, inspector, casework.Finding{Result: result}); fault.FieldOf(err) != "evidence" {
			t.Errorf("a photo that there is not: %v", err)
		}
		if stale, err := s.Evidence().StaleFiles(t.Context(), o.clock().AddDate(0, 0, 2), 10); err != nil || slices.Contains(stale, photo[0]) {
			t.Errorf("to be removed: %v %v", stale, err)
		}
		if v, err := inspections.Verify(t.Context(), &in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v %v", v, err)
		}
	})
}

func TestTheWatchList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		who := []casework.Actor{inspector}
		var want []int64
		for _, days := range []int{9, 3, 6} {
			c := o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), days%7)
			c = o.do(t, c, casework.Watch, who, casework.Input{Text: "反复", Review: o.clock().AddDate(0, 0, days)})
			want = append(want, c.ID)
		}
		o.open(t, o.seen(unlawfulBuilding, inStreet1))
		list := func() (got []int64) {
			cases, err := s.Cases().WatchList(t.Context(), "310114001", "", 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				got = append(got, c.ID)
			}
			return got
		}
		if got := list(); !slices.Equal(got, []int64{want[1], want[2], want[0]}) {
			t.Errorf("by review date: %v", got)
		}
		rec, err := o.Case(t.Context(), want[1])
		if err != nil {
			t.Fatal(err)
		}
		o.do(t, rec.Case, casework.ReviewWatch, who, casework.Input{Text: "仍反复", Review: o.clock().AddDate(0, 0, 30)})
		if got := list(); !slices.Equal(got, []int64{want[2], want[0], want[1]}) {
			t.Errorf("after a review: %v", got)
		}
		if want := fmt.Sprintf("overlays & %d <> 0", casework.Watched); watched != want {
			t.Errorf("%q is not %q", watched, want)
		}
		if got, err := s.Cases().WatchList(t.Context(), "310114009", "", 10); len(got) != 0 || err != nil {
			t.Errorf("another street: %v %v", got, err)
		}
	})
}
