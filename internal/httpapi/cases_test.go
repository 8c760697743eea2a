package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"lianqin/geodata"
	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/store"
)

func testDesk(t testing.TB, s *store.Store, cfg Config) *casework.Desk {
	t.Helper()
	hours, err := casework.ParseHours(casework.UsualHours)
	if err != nil {
		t.Fatal(err)
	}
	days, err := casework.ReadCalendar(bytes.NewReader(geodata.Calendar), hours)
	if err != nil {
		t.Fatal(err)
	}
	standards, err := casework.ReadStandards(bytes.NewReader(geodata.Standards))
	if err != nil {
		t.Fatal(err)
	}
	topics, err := casework.ReadTopics(bytes.NewReader(geodata.Topics))
	if err != nil {
		t.Fatal(err)
	}
	d, err := casework.OpenDesk(t.Context(), s.Cases(), casework.DeskConfig{Topics: topics, Indexes: cfg.Indexes, Rules: casework.UsualRules(), Standards: standards,
		Hours: hours, Catalogue: cfg.Catalogue, Calendar: days, Now: cfg.Now, Archive: s.Cases(), Watchers: []func(*casework.Kept){cfg.Heat.Put}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// caseTown is a district of two streets with everybody who has a part in
// casework.
type caseTown struct {
	*API
	district, one, two, team, station, inspector, admin, device, other visitor
}

func newCaseTown(t testing.TB) *caseTown { return newCaseTownAt(t, nil) }

// newCaseTownAt is newCaseTown by another clock.
func newCaseTownAt(t testing.TB, now func() time.Time) *caseTown {
	return newCaseTownOf(t, Config{Now: now})
}

func newCaseTownOf(t testing.TB, cfg Config) *caseTown {
	town := &caseTown{API: closedAPI(t, cfg, lattice(t, 8, 2))}
	who := func(login string, role auth.Role, j auth.Jurisdiction) visitor {
		addAccount(t, town.API, login, role, j)
		return signedIn(t, town.API, login)
	}
	town.admin = who("root", auth.Administrator, auth.WholeDistrict)
	town.district = who("district", auth.DistrictOperator, auth.WholeDistrict)
	town.one = who("one", auth.StreetOperator, streetOne)
	town.two = who("two", auth.StreetOperator, streetTwo)
	town.team = who("team", auth.DepartmentHandler, auth.Jurisdiction{Level: auth.Department, Code: firstStreet + "-S02"})
	town.station = who("station", auth.VillageStation, auth.Jurisdiction{Level: auth.Village, Code: firstStreet + "A0002"})
	town.inspector = who("inspector", auth.Inspector, auth.WholeDistrict)
	town.device, _ = holder(t, town.API, auth.Device, auth.WholeDistrict)
	town.other, _ = holder(t, town.API, auth.Device, auth.WholeDistrict)
	return town
}

type caseAnswer struct {
	Case struct {
		ID       int64
		Seq      int
		State    string
		Overlays []string
		Place    struct {
			GridCode string `json:"grid_code"`
			Street   string
		}
		Cycle struct{ Lead struct{ Code string } }
	}
	Next    struct{ Clock string }
	History []struct {
		Action string
		By     struct{ ID, Role string }
	}
	Allowed []struct {
		Action, As string
		Needs      []string
	}
	Dispatch struct {
		Assignment struct {
			Lead struct{ Code string }
			Why  struct {
				Basis   string
				BorderM float64 `json:"border_m"`
			}
		}
		Candidates []struct{ Grid int }
	}
	Duplicates []struct{ Case int64 }
}

func (c caseAnswer) allowed() (out []string) {
	for _, a := range c.Allowed {
		out = append(out, a.Action)
	}
	return out
}

// at is the middle of the lattice's grid i, j, as a position of the API.
func at(i, j int) string {
	return fmt.Sprintf(`{"lon":%.4f,"lat":%.4f,"accuracy_m":5}`, 121.126+0.012*float64(i), 31.256+0.012*float64(j))
}

func (town *caseTown) report(t testing.TB, v visitor, i, j int) caseAnswer {
	t.Helper()
	w := v.call(town, "POST", "/api/v1/cases", `{"item":"0701","text":"占道","position":`+at(i, j)+`,"evidence":["`+town.photo(t, v)+`"]}`)
	c := decode[caseAnswer](t, w, 201)
	if w.Header().Get("Location") != fmt.Sprint("/api/v1/cases/", c.Case.ID) {
		t.Errorf("Location %q", w.Header().Get("Location"))
	}
	return c
}

func (town *caseTown) act(v visitor, c caseAnswer, action, fields string) *caseRecorder {
	return &caseRecorder{v.call(town, "POST", fmt.Sprintf("/api/v1/cases/%d/actions/%s", c.Case.ID, action), fmt.Sprintf(`{"seq":%d%s}`, c.Case.Seq, fields))}
}

func (town *caseTown) page(v visitor, id int64) *caseRecorder {
	return &caseRecorder{v.call(town, "GET", fmt.Sprint("/api/v1/cases/", id), "")}
}

// TestACaseOverHTTP: by five accounts, each seeing only its own.
func TestACaseOverHTTP(t *testing.T) {
	town := newCaseTown(t)
	c := town.report(t, town.device, 0, 0)
	if c.Case.State != "reported" || c.Case.Place.GridCode != firstStreet+"U0000" || c.Dispatch.Assignment.Lead.Code != firstStreet+"-S02" ||
		c.Dispatch.Assignment.Why.Basis != "catalogue" || c.Dispatch.Assignment.Why.BorderM <= 0 || len(c.Duplicates) != 0 {
		t.Fatalf("%+v", c)
	}
	if again := town.report(t, town.device, 0, 0); len(again.Duplicates) != 1 || again.Duplicates[0].Case != c.Case.ID {
		t.Errorf("the same again: %+v", again.Duplicates)
	}
	// Another street, the department before it is dispatched, another village.
	for _, v := range []visitor{town.two, town.team, town.station} {
		wantProblem(t, town.page(v, c.Case.ID).ResponseRecorder, 404)
		wantProblem(t, town.act(v, c, "accept", "").ResponseRecorder, 404)
	}
	wantProblem(t, town.page(town.admin, c.Case.ID).ResponseRecorder, 403)

	page := decode[caseAnswer](t, town.page(town.one, c.Case.ID).ResponseRecorder, 200)
	if page.Next.Clock != "accept" || !slices.Contains(page.allowed(), "accept") || !slices.Contains(page.allowed(), "not-accept") || slices.Contains(page.allowed(), "close") ||
		page.Dispatch.Assignment.Lead.Code != firstStreet+"-S02" {
		t.Errorf("the centre sees %+v", page)
	}
	for _, a := range page.Allowed {
		if a.Action == "not-accept" && (!slices.Equal(a.Needs, []string{"reason"}) || a.As != "clerk") {
			t.Errorf("%+v", a)
		}
	}
	for _, step := range []struct {
		who            visitor
		action, fields string
		state          string
	}{
		{town.one, "accept", "", "accepted"},
		{town.one, "file", "", "filed"},
		{town.one, "dispatch", "", "dispatched"},
		{town.team, "take", "", "in-disposal"},
		{town.team, "dispose", `,"text":"已清理","evidence":["` + town.photo(t, town.team) + `"]`, "to-check"},
		{town.other, "check", `,"evidence":["` + town.photo(t, town.other) + `"]`, "to-check"},
		{town.one, "close", "", "closed"},
	} {
		before := c
		c = decode[caseAnswer](t, town.act(step.who, c, step.action, step.fields).ResponseRecorder, 200)
		if c.Case.State != step.state || c.Case.Seq != before.Case.Seq+1 || len(c.History) != c.Case.Seq {
			t.Fatalf("%s: %+v", step.action, c.Case)
		}
		if p := wantProblem(t, town.act(step.who, before, step.action, step.fields).ResponseRecorder, 409); p.Parameter != "seq" {
			t.Errorf("%s twice: %+v", step.action, p)
		}
	}
	if got := c.History[4]; got.Action != "take" || got.By.ID != "team" || got.By.Role != "department" {
		t.Errorf("%+v", got)
	}
	if p := wantProblem(t, town.act(town.district, c, "reopen", "").ResponseRecorder, 400); p.Parameter != "text" {
		t.Errorf("without a reason: %+v", p)
	}
	c = decode[caseAnswer](t, town.act(town.inspector, c, "reopen", `,"text":"又来了"`).ResponseRecorder, 200)
	if c.Case.State != "filed" || !slices.Contains(c.Case.Overlays, "reopened") {
		t.Errorf("%+v", c.Case)
	}
}

func TestCasesRefused(t *testing.T) {
	town := newCaseTown(t)
	c := town.report(t, town.device, 0, 0)
	path := fmt.Sprintf("/api/v1/cases/%d/actions/", c.Case.ID)
	for _, tt := range []struct {
		name, method, path, body string
		who                      visitor
		status                   int
		parameter                string
	}{
		{"outside the district", "POST", "/api/v1/cases", `{"item":"0701","position":{"lon":120,"lat":30}}`, town.device, 400, "position"},
		{"no longitude", "POST", "/api/v1/cases", `{"item":"0701","position":{"lat":30}}`, town.device, 400, "position"},
		{"no such place", "POST", "/api/v1/cases", `{"item":"0701","position":{"lon":200,"lat":30}}`, town.device, 400, "lon"},
		{"no such item", "POST", "/api/v1/cases", `{"item":"9999","position":` + at(0, 0) + `}`, town.device, 400, "item"},
		{"nothing said", "POST", "/api/v1/cases", `{"position":` + at(0, 0) + `}`, town.device, 400, "text"},
		{"another's channel", "POST", "/api/v1/cases", `{"channel":"12345","text":"x"}`, town.device, 400, "channel"},
		{"a channel that is none", "POST", "/api/v1/cases", `{"channel":"smoke","text":"x"}`, town.one, 400, "channel"},
		{"of tomorrow", "POST", "/api/v1/cases", `{"text":"x","captured":"2099-01-01T00:00:00Z","position":` + at(0, 0) + `}`, town.device, 400, "captured"},
		{"a field that is none", "POST", "/api/v1/cases", `{"txt":"x"}`, town.device, 400, "body"},
		{"much too long", "POST", "/api/v1/cases", `{"text":"` + strings.Repeat("x", maxCaseText+1) + `"}`, town.device, 400, "text"},
		{"no such case", "GET", "/api/v1/cases/99", "", town.district, 404, ""},
		{"no number", "GET", "/api/v1/cases/x", "", town.district, 404, ""},
		{"no action", "POST", path + "eat", `{"seq":1}`, town.district, 400, "action"},
		{"not yet", "POST", path + "close", `{"seq":1}`, town.district, 409, ""},
		{"not a patrol's", "POST", path + "accept", `{"seq":1}`, town.device, 403, ""},
		{"no use for it", "POST", path + "accept", `{"seq":1,"stage":"x"}`, town.district, 400, "stage"},
		{"another's street", "GET", "/api/v1/cases?street=" + secondStreet, "", town.one, 404, "street"},
		{"a state that is none", "GET", "/api/v1/cases?state=lost", "", town.one, 400, "state"},
		{"an overlay that is none", "GET", "/api/v1/cases?overlay=lost", "", town.one, 400, "overlay"},
		{"a cursor that is none", "GET", "/api/v1/cases?after=!", "", town.one, 400, "after"},
		{"whose part", "GET", "/api/v1/cases?party=1", "", town.one, 400, "department"},
		{"due when", "GET", "/api/v1/cases?due=soon", "", town.one, 400, "due"},
		{"an unknown indicator", "GET", "/api/v1/indicators/x/cases?part=numerator", "", town.one, 404, ""},
		{"an indicator that is none", "GET", "/api/v1/indicators?indicators=accepted,x", "", town.one, 400, "indicators"},
		{"neither part", "GET", "/api/v1/indicators/accepted/cases?part=half", "", town.one, 400, "part"},
		{"a pair with itself", "GET", "/api/v1/indicators?by=street*street", "", town.one, 400, "by"},
		{"a pair of three", "GET", "/api/v1/indicators?by=street*month*item", "", town.one, 400, "by"},
		{"a pair with the district", "GET", "/api/v1/indicators?by=district*month", "", town.one, 400, "by"},
		{"an unknown topic", "GET", "/api/v1/indicators?topic=x", "", town.one, 400, "topic"},
		{"no hour", "GET", "/api/v1/indicators?hour=24", "", town.one, 400, "hour"},
		{"a format that is none", "GET", "/api/v1/indicators?format=pdf", "", town.one, 400, "format"},
		{"a mark for what is no CSV", "GET", "/api/v1/indicators?bom=1", "", town.one, 400, "bom"},
		{"cases of another's street", "GET", "/api/v1/indicators/accepted/cases?part=numerator&street=" + secondStreet, "", town.one, 404, "street"},
		{"an unknown dimension", "GET", "/api/v1/indicators?by=mood", "", town.one, 400, "by"},
		{"no window", "GET", "/api/v1/indicators?from=2026-01-02&to=2026-01-01", "", town.one, 400, "to"},
	} {
		p := wantProblem(t, tt.who.call(town, tt.method, tt.path, tt.body), tt.status)
		if p.Parameter != tt.parameter {
			t.Errorf("%s: %+v, want parameter %q", tt.name, p, tt.parameter)
		}
	}
}

type caseList struct {
	Cases []struct {
		ID      int64
		State   string
		Allowed []string
	}
	After string
}

func (l caseList) ids() (out []int64) {
	for _, c := range l.Cases {
		out = append(out, c.ID)
	}
	return out
}

func TestQueuesOverHTTP(t *testing.T) {
	town := newCaseTown(t)
	for i := range 8 {
		town.report(t, town.device, i, i%2) // 1 to 4 in the first street
	}
	town.report(t, town.station, 0, 2) // 9, its own
	list := func(v visitor, query string) caseList {
		return decode[caseList](t, v.call(town, "GET", "/api/v1/cases"+query, ""), 200)
	}
	for _, tt := range []struct {
		name, query string
		who         visitor
		want        []int64
	}{
		{"the district's", "", town.district, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"a street's", "", town.one, []int64{1, 2, 3, 4, 9}},
		{"the other's", "", town.two, []int64{5, 6, 7, 8}},
		{"a village's", "", town.station, []int64{9}},
		{"a department's", "", town.team, nil},
		{"a street of the district's", "?street=" + secondStreet, town.district, []int64{5, 6, 7, 8}},
		{"a channel", "?channel=village", town.district, []int64{9}},
		{"what is closed", "?closed=1", town.district, nil},
		{"what is overdue", "?due=overdue", town.district, nil},
		{"what is near its limit", "?due=near", town.one, []int64{1, 2, 3, 4, 9}},
	} {
		if got := list(tt.who, tt.query).ids(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	var paged []int64
	for page := list(town.one, "?limit=2"); ; page = list(town.one, "?limit=2&after="+page.After) {
		if paged = append(paged, page.ids()...); page.After == "" || len(paged) > 9 {
			break
		}
	}
	if !slices.Equal(paged, []int64{1, 2, 3, 4, 9}) {
		t.Errorf("page by page: %v", paged)
	}
	if got := list(town.one, "").Cases[0].Allowed; !slices.Contains(got, "accept") {
		t.Errorf("allowed: %v", got)
	}
	c := decode[caseAnswer](t, town.page(town.one, 1).ResponseRecorder, 200)
	for _, action := range []string{"accept", "file", "dispatch"} {
		c = decode[caseAnswer](t, town.act(town.one, c, action, "").ResponseRecorder, 200)
	}
	if got := list(town.team, "").ids(); !slices.Equal(got, []int64{1}) {
		t.Errorf("a department leads %v", got)
	}
	addAccount(t, town.API, "helper", auth.DepartmentHandler, auth.Jurisdiction{Level: auth.Department, Code: "U11"})
	helper := signedIn(t, town.API, "helper")
	if leads, helps := list(helper, "").ids(), list(helper, "?party=1").ids(); leads != nil || !slices.Equal(helps, []int64{1}) {
		t.Errorf("a department leads %v and helps with %v", leads, helps)
	}
	if got := decode[caseAnswer](t, town.page(helper, 1).ResponseRecorder, 200).allowed(); !slices.Equal(got, []string{"contribute", "note"}) {
		t.Errorf("who helps may %v", got)
	}
	counts := decode[struct {
		Cases, Overdue, Near int
		States               []stateCount
	}](t, town.two.call(town, "GET", "/api/v1/cases/counts", ""), 200)
	if counts.Cases != 4 || counts.Near != 4 || counts.Overdue != 0 || len(counts.States) != 1 || counts.States[0].State != casework.Reported {
		t.Errorf("%+v", counts)
	}
}

func TestCatalogueOverHTTP(t *testing.T) {
	town := newCaseTown(t)
	items := town.one.call(town, "GET", "/api/v1/catalogue?table=items", "")
	departments := town.one.call(town, "GET", "/api/v1/catalogue?table=departments", "")
	if items.Code != 200 || !strings.HasPrefix(items.Header().Get("Content-Type"), "text/csv") {
		t.Fatal(items.Code, items.Header())
	}
	form := func(items string) string {
		b, err := json.Marshal(map[string]string{"items": items, "departments": departments.Body.String()})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	wantProblem(t, town.admin.call(town, "POST", "/api/v1/catalogue", form(items.Body.String())), 409) // what was exported is the same
	if p := wantProblem(t, town.admin.call(town, "POST", "/api/v1/catalogue", form(strings.Replace(items.Body.String(), "U02", "U77", 1))), 400); !strings.Contains(p.Detail, "U77") || !strings.Contains(p.Detail, "line 2") {
		t.Errorf("%+v", p)
	}
	type version struct {
		Number      int
		Differences []casework.Difference
		Versions    []struct{ Number int }
		Items       []casework.Item
	}
	made := decode[version](t, town.admin.call(town, "POST", "/api/v1/catalogue", form(strings.Replace(items.Body.String(), ",30,4,", ",45,4,", 1))), 201)
	if made.Number != 2 || len(made.Differences) != 1 || made.Differences[0].After != "45" {
		t.Errorf("%+v", made)
	}
	shown := decode[version](t, town.one.call(town, "GET", "/api/v1/catalogue", ""), 200)
	old := decode[version](t, town.one.call(town, "GET", "/api/v1/catalogue?version=1", ""), 200)
	if shown.Number != 2 || len(shown.Versions) != 2 || shown.Items[0].ResponseMinutes != 45 || old.Items[0].ResponseMinutes != 30 {
		t.Errorf("%+v, before %+v", shown, old)
	}
	wantProblem(t, town.one.call(town, "GET", "/api/v1/catalogue?version=3", ""), 404)
	item := shown.Items[0]
	item.DisposalHours = 6
	later := testNow.Add(time.Hour)
	b, err := json.Marshal(map[string]any{"from": later, "items": []casework.Item{item}})
	if err != nil {
		t.Fatal(err)
	}
	if edited := decode[version](t, town.admin.call(town, "PATCH", "/api/v1/catalogue", string(b)), 201); edited.Number != 3 || len(edited.Differences) != 1 {
		t.Errorf("%+v", edited)
	}

	days := town.admin.call(town, "POST", "/api/v1/calendar", "date,kind,name\n2031-01-01,holiday,元旦\n", "Content-Type", "text/csv")
	if got := decode[struct{ Imported, Years []int }](t, days, 200); !slices.Equal(got.Imported, []int{2031}) || !slices.Contains(got.Years, 2026) {
		t.Errorf("%+v", got)
	}
	if p := wantProblem(t, town.admin.call(town, "POST", "/api/v1/calendar", "date,kind,name\n2031-01-32,holiday,x\n", "Content-Type", "text/csv"), 400); !strings.Contains(p.Detail, "line 2") {
		t.Errorf("%+v", p)
	}
	if w := town.one.call(town, "GET", "/api/v1/calendar", ""); !strings.Contains(w.Body.String(), "2031-01-01,holiday,元旦") {
		t.Errorf("%d %s", w.Code, w.Body)
	}

	if p := wantProblem(t, town.district.call(town, "POST", "/api/v1/mode", `{"emergency":true}`), 400); p.Parameter != "reason" {
		t.Errorf("%+v", p)
	}
	if got := decode[modeAnswer](t, town.district.call(town, "POST", "/api/v1/mode", `{"emergency":true,"reason":"台风"}`), 200); !got.Emergency || len(got.Turns) != 1 || got.Turns[0].By != "district" {
		t.Errorf("%+v", got)
	}
	wantProblem(t, town.district.call(town, "POST", "/api/v1/mode", `{"emergency":true,"reason":"台风"}`), 409)
}

func TestOrdersOverHTTP(t *testing.T) {
	town := newCaseTown(t)
	issued := testNow.Add(-time.Hour).Format("2006-01-02T15:04:05Z07:00")
	mapping := `{"number":"no","item":"what","created":"at","days":"days","lon":"x","lat":"y","layout":"2006-01-02T15:04:05Z07:00"}`
	type imported struct {
		Added, Known int
		Rejected     []struct {
			Line           int
			Column, Detail string
		}
	}
	for name, body := range map[string]string{
		"objects": `{"mapping":` + mapping + `,"orders":[{"no":"W1","what":"0701","at":"` + issued + `","days":5,"x":121.126,"y":31.256},{"no":"W2","what":"0101","at":"` + issued + `","days":"1","x":null,"y":null},{"no":"W3","what":"0101","at":"` + issued + `","days":3}]}`,
		"CSV":     `{"mapping":` + mapping + `,"csv":"no,what,at,days,x,y\nW1,0701,` + issued + `,5,121.126,31.256\nW2,0101,` + issued + `,1,,\nW3,0101,` + issued + `,3,,\n"}`,
	} {
		town := newCaseTown(t)
		got := decode[imported](t, town.district.call(town, "POST", "/api/v1/orders", body), 200)
		if got.Added != 2 || got.Known != 0 || len(got.Rejected) != 1 || got.Rejected[0].Line != 4 || got.Rejected[0].Column != "order.days" {
			t.Errorf("%s: %+v", name, got)
		}
		if got = decode[imported](t, town.district.call(town, "POST", "/api/v1/orders", body), 200); got.Added != 0 || got.Known != 2 {
			t.Errorf("%s again: %+v", name, got)
		}
		if l := decode[caseList](t, town.one.call(town, "GET", "/api/v1/cases?order=W1", ""), 200); len(l.Cases) != 1 {
			t.Errorf("%s: by its number: %+v", name, l)
		}
		if l := decode[caseList](t, town.two.call(town, "GET", "/api/v1/cases?order=W1", ""), 200); len(l.Cases) != 0 {
			t.Errorf("%s: another street finds %+v", name, l)
		}
	}
	for body, parameter := range map[string]string{
		`{"mapping":{"number":"no"},"csv":"no\n"}`:                                  "item",
		`{"mapping":` + mapping + `,"csv":"no\n1\n"}`:                               "what",
		`{"mapping":` + mapping + `,"csv":"no\n","orders":[]}`:                      "orders",
		`{"mapping":` + mapping + `,"orders":[{"no":{}}]}`:                          "orders",
		`{"mapping":` + mapping + `,"colour":1}`:                                    "body",
		`{"mapping":{"number":"no","item":"i","created":"c","layout":"x","z":1}}`:   "",
		`{"mapping":` + mapping + `,"csv":"no,no,what,at,days,x,y\n1,1,1,1,1,1\n"}`: "no",
	} {
		if p := wantProblem(t, town.district.call(town, "POST", "/api/v1/orders", body), 400); p.Parameter != parameter {
			t.Errorf("%s: %+v, want %q", body, p, parameter)
		}
	}
}

func TestReporterOverHTTP(t *testing.T) {
	town := newCaseTown(t)
	w := town.one.call(town, "POST", "/api/v1/cases", `{"channel":"public","item":"0701","text":"吵","position":`+at(0, 0)+`,"reporter":{"name":"陈","contact":"139"}}`)
	c := decode[caseAnswer](t, w, 201)
	if strings.Contains(w.Body.String(), "139") || strings.Contains(town.page(town.one, c.Case.ID).Body.String(), "139") {
		t.Error("the case tells who reported it")
	}
	path := fmt.Sprintf("/api/v1/cases/%d/reporter", c.Case.ID)
	if got := decode[casework.Reporter](t, town.one.call(town, "GET", path, ""), 200); got.Name != "陈" || got.Contact != "139" {
		t.Errorf("%+v", got)
	}
	wantProblem(t, town.inspector.call(town, "GET", path, ""), 403)
	wantProblem(t, town.device.call(town, "GET", path, ""), 403)
	wantProblem(t, town.two.call(town, "GET", path, ""), 404)
	anonymous := town.report(t, town.device, 1, 0)
	wantProblem(t, town.one.call(town, "GET", fmt.Sprintf("/api/v1/cases/%d/reporter", anonymous.Case.ID), ""), 404)
}

// TestCapacities: an account acts in casework only with a jurisdiction that
// its role has a meaning for.
func TestCapacities(t *testing.T) {
	for _, role := range append(slices.Clone(auth.Roles), auth.Public) {
		for _, j := range []auth.Jurisdiction{auth.WholeDistrict, streetOne, {Level: auth.Village, Code: "v"}, {Level: auth.Department, Code: "d"}} {
			for _, who := range actorsOf(auth.Caller{Name: "x", Role: role, Jurisdiction: j}) {
				if j.Level != auth.District && who.Street == "" && who.Grid == "" && who.Department == "" {
					t.Errorf("a %s of %s acts as a %s of the whole district", role, j, who.Role)
				}
				if (who.Role == casework.Handler) != (who.Department != "") {
					t.Errorf("a %s of %s acts as %+v", role, j, who)
				}
			}
		}
		if can, does := role.May(auth.ActOnCases), len(caseRoles[role].does) > 0; can != does {
			t.Errorf("%s: may act %v, has a part %v", role, can, does)
		}
	}
}

// caseRecorder is an answer about a case.
type caseRecorder struct{ *httptest.ResponseRecorder }
