package casework

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var inspector = Actor{ID: "sun", Role: Inspector}

// looked answers the whole checklist of a subject, good but for bad.
func looked(s Subject, item int, bad ...Mark) InspectionResult {
	r := InspectionResult{Item: item}
	for _, c := range ChecksOf(s) {
		if i := slices.IndexFunc(bad, func(m Mark) bool { return m.Check == c.Code }); i >= 0 {
			m := bad[i]
			m.Verdict = Bad
			r.Marks = append(r.Marks, m)
			continue
		}
		r.Marks = append(r.Marks, Mark{Check: c.Code, Verdict: Good})
	}
	return r
}

// ordered is an inspection of two cases in one street, one in another, and a
// place.
func ordered(t *testing.T) Inspection {
	t.Helper()
	team, police := grid.Department{Code: "S02", Name: "城管"}, grid.Department{Code: "D13", Name: "公安"}
	in, err := Inspection{ID: 1}.With(InspectionEntry{Seq: 1, By: inspector, Action: OrderInspection,
		Plan: &Plan{Kind: AuditInspection, Title: "三月流动设摊"}, Drawing: &Drawing{Population: 4},
		Items: []InspectionItem{
			{Number: 1, Case: 10, Street: "A", Department: team}, {Number: 2, Case: 11, Street: "A", Department: police},
			{Number: 3, Case: 12, Street: "B", Department: team}, {Number: 4, Street: "B", Grid: "B01"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func (in Inspection) record(t *testing.T, r InspectionResult) Inspection {
	t.Helper()
	e, err := in.Record(inspector, time.Time{}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	next, err := in.With(e)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// TestInspectionFigures counts what was written down by hand.
func TestInspectionFigures(t *testing.T) {
	in := ordered(t)
	in = in.record(t, looked(CaseSubject, 1))
	in = in.record(t, looked(CaseSubject, 2, Mark{Check: "not-fixed", Severity: GraveFinding, Text: "摊位仍在"}, Mark{Check: "wrong-grid", Severity: MinorFinding, Text: "隔壁网格"}))
	in = in.record(t, looked(PlaceSubject, 4, Mark{Check: "unreported", Severity: MajorFinding, Text: "占道"}))
	got := in.Figures(func(*InspectionItem) bool { return true })
	want := InspectionFigures{
		Whole:       InspectionLine{"", 4, 3, 1},
		Streets:     []InspectionLine{{"A", 2, 2, 1}, {"B", 2, 1, 0}},
		Departments: []InspectionLine{{"D13", 1, 1, 0}, {"S02", 2, 1, 1}},
		Findings:    []FindingCount{{"not-fixed", GraveFinding, 1}, {"wrong-grid", MinorFinding, 1}, {"unreported", MajorFinding, 1}},
		Remedies:    map[Action]int{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	// A later result takes the place of the one before, which is kept.
	again := looked(CaseSubject, 2)
	again.Corrects = in.Standing(2).Seq
	in = in.record(t, again)
	got = in.Figures(func(i *InspectionItem) bool { return i.Department.Code == "D13" })
	want = InspectionFigures{Whole: InspectionLine{"", 1, 1, 1}, Streets: []InspectionLine{{"A", 1, 1, 1}}, Departments: []InspectionLine{{"D13", 1, 1, 1}},
		Findings: []FindingCount{}, Remedies: map[Action]int{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(in.Entries) != 5 || in.Entries[2].Result.Passed() {
		t.Errorf("the finding is gone: %+v", in.Entries)
	}
}

func TestRefusedResults(t *testing.T) {
	bad := Mark{Check: "not-fixed", Severity: MinorFinding, Text: "还在"}
	short := looked(CaseSubject, 1)
	short.Marks = short.Marks[1:]
	none := looked(CaseSubject, 1)
	for i := range none.Marks {
		none.Marks[i].Verdict = NotApplicable
	}
	disposed := &Record{Entries: []Entry{{By: Actor{ID: "sun", Role: Patrol}, Action: Check}}}
	fresh := func(in Inspection) Inspection { return in }
	done := func(in Inspection) Inspection { return in.record(t, looked(CaseSubject, 1)) }
	over := func(in Inspection) Inspection {
		e, err := in.Finish(inspector, time.Time{}, "其余改日")
		if err != nil {
			t.Fatal(err)
		}
		in, err = in.With(e)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	given := func(in Inspection) Inspection { in.Inspectors = []string{"qian"}; return in }
	for name, c := range map[string]struct {
		in    func(Inspection) Inspection
		who   Actor
		r     InspectionResult
		about *Record
		kind  fault.Kind
		says  string
	}{
		"a check left out":         {fresh, inspector, short, nil, fault.Invalid, "false-disposal is answered 0 times"},
		"of another subject":       {fresh, inspector, looked(PlaceSubject, 1), nil, fault.Invalid, "answered 0 times"},
		"nothing looked at":        {fresh, inspector, none, nil, fault.Invalid, "nothing was looked at"},
		"no words":                 {fresh, inspector, looked(CaseSubject, 1, Mark{Check: "not-fixed", Severity: MinorFinding}), nil, fault.Invalid, "says what is wrong"},
		"no severity":              {fresh, inspector, looked(CaseSubject, 1, Mark{Check: "not-fixed", Text: "x"}), nil, fault.Invalid, "severity"},
		"no such item":             {fresh, inspector, looked(CaseSubject, 5), nil, fault.NotFound, "no item 5"},
		"not an inspector":         {fresh, Actor{ID: "li", Role: ShiftLeader}, looked(CaseSubject, 1), nil, fault.Denied, "does not inspect"},
		"given to another":         {given, inspector, looked(CaseSubject, 1), nil, fault.Denied, "not given to"},
		"checked it himself":       {fresh, inspector, looked(CaseSubject, 1), disposed, fault.Denied, "did check himself"},
		"somebody was faster":      {done, inspector, looked(CaseSubject, 1, bad), nil, fault.Conflict, "faster"},
		"corrects what is not":     {fresh, inspector, InspectionResult{Item: 1, Marks: looked(CaseSubject, 1).Marks, Corrects: 2}, nil, fault.Conflict, "faster"},
		"another after it is over": {over, inspector, looked(CaseSubject, 1), nil, fault.Conflict, "is finished"},
	} {
		in := c.in(ordered(t))
		_, err := in.Record(c.who, time.Time{}, c.r, c.about)
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unseen := ordered(t)
	if _, err := unseen.Finish(inspector, time.Time{}, ""); !strings.Contains(fmt.Sprint(err), "4 items were not looked at") {
		t.Errorf("finish: %v", err)
	}
	in := over(done(ordered(t)))
	fix := looked(CaseSubject, 1, bad)
	fix.Corrects = 2
	if in = in.record(t, fix); in.State != Finished || in.Standing(1).Result.Passed() {
		t.Errorf("a correction after the end: %+v", in)
	}
}

func TestRefusedPlans(t *testing.T) {
	now := time.Date(2026, 3, 3, 9, 0, 0, 0, grid.Zone)
	good := Plan{Kind: SampleInspection, Title: "抽查", Seed: "s", Size: 10, Due: now.Add(time.Hour),
		Scope: Scope{Source: FromClosed, From: now.AddDate(0, -1, 0), To: now}}
	if err := good.Check(now); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(p *Plan){
		`kind: "x"`:       func(p *Plan) { p.Kind = "x" },
		"title":           func(p *Plan) { p.Title = "" },
		"size: -1":        func(p *Plan) { p.Size = -1 },
		"size: 1001":      func(p *Plan) { p.Size = 1001 },
		"due":             func(p *Plan) { p.Due = now },
		"at most a year":  func(p *Plan) { p.Scope.From = now.AddDate(-2, 0, 0) },
		"at most 62 days": func(p *Plan) { p.Scope.Source, p.Scope.From = FromReceived, now.AddDate(0, -3, 0) },
		"is empty":        func(p *Plan) { p.Scope.To = p.Scope.From },
		"does not draw":   func(p *Plan) { p.Scope = Scope{Source: FromGrids} },
		"no use for stat": func(p *Plan) { p.Scope.State = Filed },
		"no use for a wi": func(p *Plan) { p.Kind, p.Scope.Source = FieldInspection, FromGrids },
		"places: needs":   func(p *Plan) { p.Kind, p.Scope = FieldInspection, Scope{Source: FromNames} },
		"not drawn": func(p *Plan) {
			p.Kind, p.Scope, p.Places = FieldInspection, Scope{Source: FromNames}, []Spot{{Grid: "x"}}
		},
		"seed: longer": func(p *Plan) { p.Seed = strings.Repeat("x", 65) },
	} {
		p := good
		change(&p)
		if err := p.Check(now); fault.KindOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
