package httpapi

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
)

// inspectedTown is a town with inspectors, a minute after everything that was
// done.
type inspectedTown struct {
	*caseTown
	ahead        atomic.Int64 // of the real clock
	sun          visitor      // inspector of the first street
	deputy       visitor      // of the second
	police, wang visitor
}

func newInspectedTown(t *testing.T) *inspectedTown {
	town := &inspectedTown{}
	town.caseTown = newCaseTownAt(t, func() time.Time { return time.Now().Add(time.Duration(town.ahead.Load())) })
	who := func(login string, role auth.Role, j auth.Jurisdiction) visitor {
		addAccount(t, town.API, login, role, j)
		return signedIn(t, town.API, login)
	}
	town.sun = who("sun", auth.Inspector, streetOne)
	town.wang = who("wang", auth.Inspector, auth.WholeDistrict)
	town.deputy = who("deputy", auth.DistrictOperator, streetTwo)
	town.police = who("police", auth.DepartmentHandler, auth.Jurisdiction{Level: auth.Department, Code: "U02"})
	return town
}

func (town *inspectedTown) pass(d time.Duration) { town.ahead.Add(int64(d)) }

// closed takes a case in grid i, j of the first street to its end.
func (town *inspectedTown) closed(t *testing.T, i, j int, checkedBy visitor) caseAnswer {
	t.Helper()
	c := town.report(t, town.device, i, j)
	for _, step := range []struct {
		who            visitor
		action, fields string
	}{
		{town.one, "accept", ""}, {town.one, "file", ""}, {town.one, "dispatch", ""}, {town.team, "take", ""},
		{town.team, "dispose", `,"text":"已清理","evidence":["` + town.photo(t, town.team) + `"]`}, {checkedBy, "check", `,"evidence":["` + town.photo(t, checkedBy) + `"]`}, {town.one, "close", ""},
	} {
		c = decode[caseAnswer](t, town.act(step.who, c, step.action, step.fields).ResponseRecorder, 200)
	}
	return c
}

func (town *inspectedTown) plan(fields string) string {
	now := town.cfg.Now()
	return fmt.Sprintf(`{"kind":"sample","title":"结案抽查","source":"closed","from":%q,"to":%q,"due":%q%s}`,
		now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339), now.Add(24*time.Hour).Format(time.RFC3339), fields)
}

type inspectionAnswer struct {
	Inspection struct {
		ID                       int64
		State                    string
		Items, Checked, Findings int
	}
	Drawing struct {
		Population int
		Hash, Seed string
		Sample     []int64
	}
	Items []struct {
		Number int
		Case   int64
		Grid   string
		Result *struct {
			Seq    int
			Passed bool
			AwayM  *float64 `json:"away_m"`
			Remedy *struct {
				Action string
				Case   int64
			}
		}
		Earlier []struct{ Passed bool }
	}
	Figures struct {
		Whole struct{ Items, Checked, Passed int }
	}
	May []string
}

func checklist(s casework.Subject, bad string) string {
	var out []string
	for _, c := range casework.ChecksOf(s) {
		if c.Code == bad {
			out = append(out, fmt.Sprintf(`{"check":%q,"verdict":"bad","severity":"grave","text":"摊位仍在"}`, c.Code))
		} else {
			out = append(out, fmt.Sprintf(`{"check":%q,"verdict":"good"}`, c.Code))
		}
	}
	return "[" + strings.Join(out, ",") + "]"
}

// TestAnInspectionOverHTTP: drawn, verified, a finding that reopens, corrected,
// finished, exported, each seen by those whose business it is.
func TestAnInspectionOverHTTP(t *testing.T) {
	town := newInspectedTown(t)
	for i := range 3 {
		town.closed(t, i, 0, town.other)
	}
	own := town.closed(t, 3, 0, town.sun) // which the inspector checked himself
	town.pass(time.Minute)

	dry := decode[struct {
		Population int
		Hash, Seed string
		Sample     []int64
	}](t, town.sun.call(town, "POST", "/api/v1/inspections?dry_run=1", town.plan(`,"size":3`)), 200)
	if dry.Population != 4 || dry.Sample != nil || dry.Seed == "" {
		t.Errorf("dry run: %+v", dry)
	}
	in := decode[inspectionAnswer](t, town.sun.call(town, "POST", "/api/v1/inspections", town.plan(`,"inspectors":["sun"],"seed":"`+dry.Seed+`"`)), 201)
	if in.Drawing.Hash != dry.Hash || in.Inspection.State != "drawn" || len(in.Items) != 4 || !slices.Equal(in.May, []string{"verify", "record", "assign", "finish"}) {
		t.Fatalf("%+v", in)
	}
	path := fmt.Sprint("/api/v1/inspections/", in.Inspection.ID)
	verify := func() bool {
		return decode[struct{ Same bool }](t, town.sun.call(town, "GET", path+"/verify", ""), 200).Same
	}
	if !verify() {
		t.Error("drawn again, it is another sample")
	}

	// Who may see it while it is under way.
	for name, tt := range map[string]struct {
		who    visitor
		status int
	}{
		"district": {town.district, 200}, "another inspector": {town.wang, 200}, "the street's centre": {town.one, 404}, "another street": {town.deputy, 404},
		"the department": {town.team, 404}, "a patrol": {town.device, 403}, "an administrator": {town.admin, 403}, "a village": {town.station, 403},
	} {
		if w := tt.who.call(town, "GET", path, ""); w.Code != tt.status {
			t.Errorf("%s before its end: %d %s", name, w.Code, w.Body)
		}
	}

	first := in.Items[0].Case
	seq := decode[caseAnswer](t, town.page(town.sun, first).ResponseRecorder, 200).Case.Seq
	result := func(item int, bad, more string) string {
		return fmt.Sprintf(`{"item":%d,"marks":%s%s}`, item, checklist(casework.CaseSubject, bad), more)
	}
	record := func(v visitor, body string) *caseRecorder {
		return &caseRecorder{v.call(town, "POST", path+"/results", body)}
	}
	wantProblem(t, record(town.wang, result(1, "", "")).ResponseRecorder, 403) // given to sun alone
	wantProblem(t, record(town.district, result(1, "", "")).ResponseRecorder, 403)
	if p := wantProblem(t, record(town.sun, result(4, "", "")).ResponseRecorder, 403); !strings.Contains(p.Detail, "did check himself") || in.Items[3].Case != own.Case.ID {
		t.Errorf("his own check: %+v", p)
	}
	if p := wantProblem(t, record(town.sun, `{"item":1,"marks":[]}`).ResponseRecorder, 400); p.Parameter != "marks" {
		t.Errorf("%+v", p)
	}
	wantProblem(t, record(town.sun, result(9, "", "")).ResponseRecorder, 404)
	w := record(town.sun, result(1, "not-fixed", fmt.Sprintf(`,"action":"reopen","seq":%d,"position":%s`, seq, at(0, 0))))
	done := decode[struct {
		State string
		Item  struct {
			Result struct {
				Seq    int
				Remedy struct{ Action string }
				AwayM  float64 `json:"away_m"`
			}
		}
	}](t, w.ResponseRecorder, 200)
	if done.State != "under-way" || done.Item.Result.Remedy.Action != "reopen" || done.Item.Result.AwayM > 1 {
		t.Errorf("%+v %s", done, w.Body)
	}
	c := decode[caseAnswer](t, town.page(town.one, first).ResponseRecorder, 200)
	if c.Case.State != "filed" || !slices.Contains(c.Case.Overlays, "reopened") || !strings.Contains(town.page(town.one, first).Body.String(), fmt.Sprintf(`"inspected":{"inspection":%d,"item":1}`, in.Inspection.ID)) {
		t.Errorf("not reopened: %+v", c.Case)
	}
	if !verify() {
		t.Error("drawn again after a case was reopened, it is another sample")
	}
	photo := town.photo(t, town.sun)
	decode[inspectionAnswer](t, record(town.sun, result(2, "late-as-timely", `,"evidence":["`+photo+`"]`)).ResponseRecorder, 200)
	for name, tt := range map[string]struct {
		who    visitor
		file   string
		status int
	}{"the inspector": {town.sun, photo, 200}, "another file": {town.sun, "none.jpg", 404}, "the department, too early": {town.team, photo, 404}} {
		if w := tt.who.call(town, "GET", path+"/files/"+tt.file, ""); w.Code != tt.status {
			t.Errorf("the photo for %s: %d %s", name, w.Code, clipText(w.Body.String()))
		}
	}
	if w := record(town.sun, result(2, "", "")); w.Code != 409 {
		t.Errorf("without having seen the first: %d", w.Code)
	}
	if p := wantProblem(t, town.sun.call(town, "POST", path+"/finish", `{}`), 400); p.Parameter != "text" {
		t.Errorf("%+v", p)
	}
	// The one that he checked himself is another's.
	decode[inspectionAnswer](t, town.district.call(town, "POST", path+"/assign", `{"inspectors":["sun","wang"]}`), 200)
	if p := wantProblem(t, town.district.call(town, "POST", path+"/assign", `{"inspectors":["one"]}`), 400); p.Parameter != "inspectors" {
		t.Errorf("%+v", p)
	}
	decode[inspectionAnswer](t, record(town.wang, result(4, "", "")).ResponseRecorder, 200)
	end := decode[inspectionAnswer](t, town.sun.call(town, "POST", path+"/finish", `{"text":"一处封路"}`), 200)
	if end.Inspection.State != "finished" || end.Figures.Whole.Checked != 3 || end.Figures.Whole.Passed != 1 {
		t.Errorf("%+v", end)
	}

	// And after it: those whose it is.
	for name, tt := range map[string]struct {
		who    visitor
		status int
	}{"the street's centre": {town.one, 200}, "another street": {town.deputy, 404}, "the department": {town.team, 200}, "another department": {town.police, 404}, "a patrol": {town.device, 403}} {
		if w := tt.who.call(town, "GET", path, ""); w.Code != tt.status {
			t.Errorf("%s after its end: %d %s", name, w.Code, w.Body)
		}
	}
	// A finding that was wrong is corrected, and kept.
	again := decode[inspectionAnswer](t, town.sun.call(town, "GET", path, ""), 200)
	decode[inspectionAnswer](t, record(town.sun, result(2, "", fmt.Sprintf(`,"corrects":%d`, again.Items[1].Result.Seq))).ResponseRecorder, 200)
	seen := decode[inspectionAnswer](t, town.team.call(town, "GET", path, ""), 200)
	if seen.Figures.Whole.Passed != 2 || !seen.Items[1].Result.Passed || len(seen.Items[1].Earlier) != 1 || len(seen.May) != 0 {
		t.Errorf("the department sees %+v", seen)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(town.team.call(town, "GET", path+"/export", "").Body.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][1] != fmt.Sprint(first) || rows[1][11] != "finding" || rows[1][17] != "reopen" || rows[3][11] != "" || rows[2][16] != "1" {
		t.Errorf("%v %q", err, rows)
	}
	lists := func(v visitor, query string) (out []int64) {
		l := decode[struct{ Inspections []struct{ ID int64 } }](t, v.call(town, "GET", "/api/v1/inspections"+query, ""), 200)
		for _, i := range l.Inspections {
			out = append(out, i.ID)
		}
		return out
	}
	for name, tt := range map[string]struct {
		who   visitor
		query string
		n     int
	}{"all": {town.sun, "", 1}, "mine": {town.sun, "?mine=1", 1}, "not given to him": {town.district, "?mine=1", 0}, "under way": {town.sun, "?state=under-way", 0},
		"the department": {town.team, "", 1}, "another": {town.police, "", 0}, "another street": {town.deputy, "", 0}} {
		if got := lists(tt.who, tt.query); len(got) != tt.n {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestInspectionsRefused(t *testing.T) {
	town := newInspectedTown(t)
	town.pass(time.Minute)
	past := town.cfg.Now().Add(-time.Hour).Format(time.RFC3339)
	for _, tt := range []struct {
		name, fields string
		who          visitor
		status       int
		parameter    string
	}{
		{"nothing there", "", town.sun, 400, "scope"},
		{"another's street", `,"street":"` + secondStreet + `"`, town.sun, 404, "street"},
		{"no such street", `,"street":"310114999"`, town.district, 400, "street"},
		{"a kind that is none", `,"kind":"x"`, town.sun, 400, "kind"},
		{"a size that is none", `,"size":-1`, town.sun, 400, "size"},
		{"too soon", `,"as_of":"` + town.cfg.Now().Format(time.RFC3339) + `"`, town.sun, 400, "as_of"},
		{"due in the past", `,"due":"` + past + `"`, town.sun, 400, "due"},
		{"an overlay that is none", `,"overlay":"x"`, town.sun, 400, "overlay"},
		{"no inspector", `,"inspectors":["one"]`, town.sun, 400, "inspectors"},
		{"of one street, for the district", `,"inspectors":["sun"]`, town.wang, 400, "inspectors"},
		{"a field that is none", `,"x":1`, town.sun, 400, "body"},
		{"a department", "", town.team, 403, ""},
		{"a centre of a street", "", town.one, 403, ""},
		{"a patrol", "", town.device, 403, ""},
	} {
		if p := wantProblem(t, tt.who.call(town, "POST", "/api/v1/inspections", town.plan(tt.fields)), tt.status); p.Parameter != tt.parameter {
			t.Errorf("%s: %+v", tt.name, p)
		}
	}
	if p := wantProblem(t, town.sun.call(town, "GET", "/api/v1/inspections/x", ""), 404); p.Detail == "" {
		t.Errorf("%+v", p)
	}
}

// TestAFieldCheckOverHTTP: grids are drawn in the inspector's street, and what
// nobody reported becomes a case.
func TestAFieldCheckOverHTTP(t *testing.T) {
	town := newInspectedTown(t)
	due := town.cfg.Now().Add(time.Hour).Format(time.RFC3339)
	in := decode[inspectionAnswer](t, town.sun.call(town, "POST", "/api/v1/inspections", `{"kind":"field","title":"夜查","source":"grids","size":3,"due":"`+due+`"}`), 201)
	if len(in.Items) != 3 || in.Drawing.Population != 31 || !strings.HasPrefix(in.Items[0].Grid, firstStreet) {
		t.Fatalf("%+v", in)
	}
	path := fmt.Sprint("/api/v1/inspections/", in.Inspection.ID)
	body := fmt.Sprintf(`{"item":1,"marks":%s,"action":"report","report":{"item":"0701","text":"占道","position":%s}}`, checklist(casework.PlaceSubject, "unreported"), at(1, 1))
	got := decode[struct {
		Item struct {
			Result struct{ Remedy struct{ Case int64 } }
		}
	}](t, town.sun.call(town, "POST", path+"/results", body), 200)
	c := decode[caseAnswer](t, town.page(town.one, got.Item.Result.Remedy.Case).ResponseRecorder, 200)
	if c.Case.State != "reported" || c.Case.Place.GridCode != firstStreet+"U0101" || c.History[0].By.Role != "inspector" {
		t.Errorf("%+v", c)
	}
	if p := wantProblem(t, town.sun.call(town, "POST", "/api/v1/inspections", `{"kind":"field","title":"x","source":"names","due":"`+due+`","places":[{"unit":"none"}]}`), 400); p.Parameter != "places" {
		t.Errorf("%+v", p)
	}
	// The watch list, as each sees it.
	c = decode[caseAnswer](t, town.act(town.sun, c, "watch", `,"text":"反复","review":"`+due+`"`).ResponseRecorder, 200)
	for name, tt := range map[string]struct {
		who visitor
		n   int
	}{"the inspector": {town.sun, 1}, "its centre": {town.one, 1}, "another's": {town.deputy, 0}} {
		l := decode[struct {
			Cases []struct {
				ID      int64
				WatchOn time.Time `json:"watch_on"`
			}
		}](t, tt.who.call(town, "GET", "/api/v1/watchlist", ""), 200)
		if len(l.Cases) != tt.n || tt.n > 0 && (l.Cases[0].ID != c.Case.ID || l.Cases[0].WatchOn.IsZero()) {
			t.Errorf("%s: %+v", name, l)
		}
	}
	who := decode[struct{ Inspectors []struct{ Login string } }](t, town.sun.call(town, "GET", "/api/v1/inspectors", ""), 200)
	if len(who.Inspectors) != 3 { // of the street, and two of the district
		t.Errorf("%+v", who)
	}
}
