package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"lianqin/internal/casework"
)

// TestStandardsOverHTTP: a district enters its register; what is done after
// that cites the version that is in force.
func TestStandardsOverHTTP(t *testing.T) {
	town := newCaseTown(t)
	enter := func(v visitor, csv string) *caseRecorder {
		return &caseRecorder{v.call(town, "POST", "/api/v1/standards", csv, "Content-Type", "text/csv")}
	}
	cites := func(c caseAnswer) string {
		got := decode[struct {
			History []struct{ Standard string }
		}](t, town.page(town.one, c.Case.ID).ResponseRecorder, 200)
		return got.History[len(got.History)-1].Standard
	}
	c := town.report(t, town.device, 0, 0)
	c = decode[caseAnswer](t, town.act(town.one, c, "accept", "").ResponseRecorder, 200)
	if got := cites(c); got != "B01/1" {
		t.Errorf("before: %q", got)
	}

	var table strings.Builder
	table.WriteString("code,version,from,name\nB01,2,2026-01-01,工作内容纲要（修订）\n")
	for n := 6; n <= 28; n++ {
		fmt.Fprintf(&table, "B%02d,1,2021-05-01,\n", n) // known by their codes alone
	}
	got := decode[struct {
		Imported  int
		Standards []casework.Standard
	}](t, enter(town.admin, table.String()).ResponseRecorder, 200)
	if got.Imported != 24 || len(got.Standards) != 29 {
		t.Errorf("%d imported, %d in all", got.Imported, len(got.Standards))
	}
	c = decode[caseAnswer](t, town.act(town.one, c, "file", "").ResponseRecorder, 200)
	if got := cites(c); got != "B01/2" {
		t.Errorf("after: %q", got)
	}
	out := town.one.call(town, "GET", "/api/v1/standards", "")
	if !strings.HasPrefix(out.Header().Get("Content-Type"), "text/csv") || !strings.Contains(out.Body.String(), "B01,1,2020-01-01,处理事件、部件工作内容纲要\nB01,2,2026-01-01,工作内容纲要（修订）\n") ||
		!strings.Contains(out.Body.String(), "\nB28,1,2021-05-01,\n") {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	wantProblem(t, enter(town.admin, out.Body.String()).ResponseRecorder, 409) // what was exported is the same

	for _, tt := range []struct{ name, csv, parameter, detail string }{
		{"no date", "code,version,from,name\nB06,2,2027-01-01,x\nB07,2,soon,x\n", "from", "line 3"},
		{"no version", "code,version,from,name\nB06,0,2027-01-01,x\n", "version", "line 2"},
		{"twice", "code,version,from,name\nB06,2,2027-01-01,x\nB06,2,2028-01-01,x\n", "version", "line 3"},
		{"a column is missing", "code,version,name\n", "from", "line 1"},
		{"before the one before it", "code,version,from,name\nB06,2,2021-05-01,x\n", "from", "B06 version 2"},
		{"nothing", "", "", "header"},
	} {
		if p := wantProblem(t, enter(town.admin, tt.csv).ResponseRecorder, 400); p.Parameter != tt.parameter || !strings.Contains(p.Detail, tt.detail) {
			t.Errorf("%s: %+v", tt.name, p)
		}
	}
	wantProblem(t, enter(town.district, table.String()).ResponseRecorder, 403)

	cited := decode[struct{ Cited map[string][]string }](t, town.team.call(town, "GET", "/api/v1/rules", ""), 200).Cited
	if _, ok := cited["B05"]; !ok || len(cited) != 5 || cited["B03"][0] == "" {
		t.Errorf("%v", cited)
	}
}

// TestPrecedents: a ruling is shown to those in whose jurisdiction it serves,
// and to the department that it names.
func TestPrecedents(t *testing.T) {
	town := newCaseTown(t)
	c := town.report(t, town.device, 0, 0)
	for _, step := range []struct{ action, fields string }{
		{"accept", ""}, {"file", ""}, {"dispatch", ""}, {"ask-coordination", `,"text":"不属我队","kind":"meeting"`},
		{"reassign", `,"text":"由该公司负责","lead":"U11"`},
	} {
		who := town.one
		if step.action == "reassign" {
			who = town.district
		}
		w := town.act(who, c, step.action, step.fields).ResponseRecorder
		if w.Code != 200 {
			t.Fatalf("%s: %s", step.action, w.Body)
		}
		c = decode[caseAnswer](t, w, 200)
	}
	for _, tt := range []struct {
		name  string
		who   visitor
		query string
		want  int
	}{
		{"district", town.district, "", 1},
		{"its street", town.one, "", 1},
		{"another street", town.two, "", 0},
		{"another department", town.team, "", 0},
		{"its item", town.one, "?item=0701", 1},
		{"another item", town.one, "?item=0101", 0},
	} {
		got := decode[struct {
			RadiusM    float64 `json:"radius_m"`
			Count      int
			Precedents []casework.PlacedPrecedent
		}](t, tt.who.call(town, "GET", "/api/v1/precedents"+tt.query, ""), 200)
		if got.Count != tt.want || len(got.Precedents) != tt.want || got.RadiusM != 50 {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if tt.want == 1 && (got.Precedents[0].Case != c.Case.ID || got.Precedents[0].Lead.Code != "U11" || got.Precedents[0].Street != firstStreet || got.Precedents[0].By != "district") {
			t.Errorf("%s: %+v", tt.name, got.Precedents[0])
		}
	}
	wantProblem(t, town.one.call(town, "GET", "/api/v1/precedents?street=x", ""), 400)
	wantProblem(t, town.admin.call(town, "GET", "/api/v1/precedents", ""), 403)
}
