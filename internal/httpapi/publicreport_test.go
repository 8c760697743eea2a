package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
)

func (p *publicTown) ticket(t testing.TB) string {
	t.Helper()
	ticket := decode[struct{ Ticket string }](t, call(p, "GET", "/api/v1/public/report/ticket", ""), 200).Ticket
	p.pass(3 * time.Second)
	return ticket
}

// key is a page's own for one report.
func sendKeyOf(name string) string { return (name + strings.Repeat("x", 22))[:22] }

// send sends a report as the page does; fields stand in the place of the usual
// ones.
func (p *publicTown) send(t testing.TB, name, fields string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	body := map[string]any{"key": sendKeyOf(name), "ticket": p.ticket(t)}
	if err := json.Unmarshal([]byte("{"+fields+"}"), &body); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return call(p, "POST", "/api/v1/public/reports", string(b), append([]string{"Content-Type", "application/json"}, headers...)...)
}

func (p *publicTown) follow(t testing.TB, secret string) publicStatus {
	t.Helper()
	return decode[publicStatus](t, call(p, "GET", "/api/v1/public/reports/"+secret, ""), 200)
}

// TestPublicReport follows a report by its receipt from the page to its end.
func TestPublicReport(t *testing.T) {
	p := newPublicTown(t, Limits{})
	photo := p.photo(t, visitor{})
	fields := `"item":"0701","text":"门口摆摊","evidence":["` + photo + `"],"position":` + at(0, 0) + `,"address":"某路 1 号","reporter":{"name":"陈","contact":"13800000000"}`
	w := p.send(t, "a", fields)
	got := decode[publicReceipt](t, w, 201)
	if got.Number != "1" || got.Repeated || got.Added || !strings.HasPrefix(got.Follow, "lqr_") {
		t.Errorf("%+v", got)
	}
	// Sent again, because the answer was lost.
	if again := decode[publicReceipt](t, p.send(t, "a", fields), 201); again.Number != "1" || !again.Repeated || again.Follow != got.Follow {
		t.Errorf("sent again: %+v", again)
	}
	c := decode[caseAnswer](t, p.page(p.one, 1).ResponseRecorder, 200)
	if c.Case.State != "reported" || c.History[0].By.ID != "public" || c.History[0].By.Role != "public" || c.Case.Place.Street != firstStreet {
		t.Errorf("%+v", c)
	}
	if page := p.page(p.one, 1).Body.String(); strings.Contains(page, "13800000000") || !strings.Contains(page, "某路 1 号") {
		t.Errorf("the case's page: %s", page)
	}
	if who := decode[casework.Reporter](t, p.one.call(p, "GET", "/api/v1/cases/1/reporter", ""), 200); who.Contact != "13800000000" {
		t.Errorf("%+v", who)
	}
	events := 0
	_, err := p.cfg.Gate.Audit(t.Context(), auth.AuditQuery{Action: "case.report"}, func(e auth.Entry) error {
		events++
		if e.Who != "public" || e.Role != auth.Public || e.Address == "" || strings.Contains(fmt.Sprint(e), "13800000000") {
			t.Errorf("audit: %+v", e)
		}
		return nil
	})
	if err != nil || events != 1 {
		t.Errorf("%d reports in the audit chain, %v", events, err)
	}
	if w := p.one.call(p, "GET", "/api/v1/cases/1/files/"+photo, ""); w.Code != 200 {
		t.Errorf("the photo: %d %s", w.Code, w.Body)
	}
	if pr := wantProblem(t, p.send(t, "b", `"item":"0701","position":`+at(0, 0)+`,"evidence":["`+photo+`"]`), 400); pr.Parameter != "evidence" {
		t.Errorf("another report with the same photo: %+v", pr)
	}
	// It is verified before it is filed.
	if pr := wantProblem(t, p.act(p.one, c, "accept", "").ResponseRecorder, 409); !strings.Contains(pr.Detail, "verified") {
		t.Errorf("accepted unseen: %+v", pr)
	}
	if s := p.follow(t, got.Follow); s.State != casework.Reported || s.Item != "占道设摊" || s.English != "Street vendor" || s.Street != "第1街道" || !s.Own || len(s.Steps) != 1 || !s.Due.IsZero() {
		t.Errorf("%+v", s)
	}
	p.accept(t, 1)
	p.step(t, p.one, 1, "file", "")
	p.step(t, p.one, 1, "dispatch", "")
	p.step(t, p.team, 1, "take", "")
	if s := p.follow(t, got.Follow); s.State != casework.InDisposal || s.Agency != "第1街道城管执法中队" || !s.Due.After(p.clock()) || s.Answer != "" {
		t.Errorf("%+v", s)
	}
	p.step(t, p.team, 1, "dispose", `,"text":"已劝离","evidence":["`+p.photo(t, p.team)+`"]`)
	p.step(t, p.other, 1, "check", `,"evidence":["`+p.photo(t, p.other)+`"]`)
	p.step(t, p.one, 1, "close", "")
	s := p.follow(t, got.Follow)
	if s.State != casework.Closed || s.Answer != "已劝离" || s.Answered.IsZero() || len(s.Steps) != 9 {
		t.Errorf("%+v", s)
	}
	if w := call(p, "GET", "/api/v1/public/reports/"+got.Follow, ""); strings.Contains(w.Body.String(), "13800000000") || strings.Contains(w.Body.String(), "门口摆摊") || strings.Contains(w.Body.String(), "某路") {
		t.Errorf("who has the link reads %s", w.Body)
	}
}

func TestPublicReportRefused(t *testing.T) {
	p := newPublicTown(t, Limits{ReportsBurst: 1000})
	usual := `"item":"0701","position":` + at(0, 0)
	for name, tt := range map[string]struct {
		fields    string
		status    int
		parameter string
	}{
		"a trap sprung":       {usual + `,"website":"http://x"`, 400, "website"},
		"no key":              {usual + `,"key":""`, 400, "key"},
		"a poor key":          {usual + `,"key":"1"`, 400, "key"},
		"no ticket":           {usual + `,"ticket":""`, 400, "ticket"},
		"a forged ticket":     {usual + `,"ticket":"` + strings.Repeat("A", 30) + `"`, 400, "ticket"},
		"a long text":         {usual + `,"text":"` + strings.Repeat("长", 400) + `"`, 400, "text"},
		"a long name":         {usual + `,"reporter":{"name":"` + strings.Repeat("长", 100) + `"}`, 400, "text"},
		"six photos":          {usual + `,"evidence":["1","2","3","4","5","6"]`, 400, "evidence"},
		"no item":             {`"item":"9999","position":` + at(0, 0), 400, "item"},
		"one not public":      {`"item":"0801","position":` + at(0, 0), 400, "item"},
		"nothing said":        {`"position":` + at(0, 0), 400, "text"},
		"nowhere":             {`"item":"0701"`, 400, "position"},
		"half a position":     {`"item":"0701","position":{"lon":121.1}`, 400, "position"},
		"no position":         {`"item":"0701","position":{"lon":1,"lat":200}`, 400, "lat"},
		"too vague":           {`"item":"0701","position":{"lon":121.126,"lat":31.256,"accuracy_m":5000}`, 400, "accuracy_m"},
		"outside":             {`"item":"0701","position":{"lon":121.0,"lat":31.256}`, 400, "position"},
		"seen tomorrow":       {usual + `,"captured":"2026-03-03T00:00:00Z"`, 400, "captured"},
		"an unknown field":    {usual + `,"colour":"blue"`, 400, "body"},
		"joined to nothing":   {usual + `,"join":"lqr_x"`, 400, "join"},
		"an answer not asked": {usual + `,"answer":99`, 400, "answer"},
	} {
		if pr := wantProblem(t, p.send(t, "a", tt.fields), tt.status); pr.Parameter != tt.parameter {
			t.Errorf("%s: %+v", name, pr)
		}
	}
	if w := call(p, "POST", "/api/v1/public/reports", `{"text":"`+strings.Repeat("x", maxForm)+`"}`, "Content-Type", "application/json"); w.Code != 413 {
		t.Errorf("a large body: %d", w.Code)
	}
	if w := call(p, "POST", "/api/v1/public/reports", `{}`, "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("a form of another site: %d", w.Code)
	}
	found, err := p.cfg.Desk.Find(t.Context(), casework.Search{})
	if err != nil || len(found.Records) != 0 {
		t.Errorf("%d cases were made, %v", len(found.Records), err)
	}
}

func TestTickets(t *testing.T) {
	p := newPublicTown(t, Limits{})
	for _, tt := range []struct {
		age time.Duration
		ok  bool
	}{
		{0, false}, {ticketYoungest - time.Millisecond, false}, {ticketYoungest, true}, {time.Hour, true}, {ticketOldest, true},
		{ticketOldest + time.Millisecond, false}, {-time.Minute, false},
	} {
		if err := p.checkTicket(p.writeTicket(p.clock().Add(-tt.age))); (err == nil) != tt.ok {
			t.Errorf("of %s: %v", tt.age, err)
		}
	}
}

func TestReceipts(t *testing.T) {
	p := newPublicTown(t, Limits{})
	for _, r := range []receipt{{ownReceipt, 1}, {addedReceipt, 298694}, {hintReceipt, 1<<62 + 1}} {
		s := p.writeReceipt(r)
		if got, err := p.readReceipt(s); err != nil || got != r {
			t.Errorf("%+v is read as %+v, %v", r, got, err)
		}
		if redact("GET /"+s) != "GET /lqr_…" {
			t.Errorf("a log shows %s", redact(s))
		}
		for i := range s {
			b := []byte(s)
			if b[i]++; b[i] == s[i] {
				continue
			}
			if got, err := p.readReceipt(string(b)); err == nil {
				t.Errorf("%s, changed at %d, is read as %+v", s, i, got)
			}
		}
	}
	p.report(t, p.device, 0, 0)
	wantProblem(t, call(p, "GET", "/api/v1/public/reports/"+p.writeReceipt(receipt{hintReceipt, 1}), ""), 404)
	wantProblem(t, call(p, "GET", "/api/v1/public/reports/"+p.writeReceipt(receipt{ownReceipt, 2}), ""), 404)
	wantProblem(t, call(p, "GET", "/api/v1/public/reports/1", ""), 404)
	other := newPublicTown(t, Limits{})
	wantProblem(t, call(other, "GET", "/api/v1/public/reports/"+p.writeReceipt(receipt{ownReceipt, 1}), ""), 404)
}

// TestPublicReportNearABorder: it is asked once, with both sides by name.
func TestPublicReportNearABorder(t *testing.T) {
	p := newPublicTown(t, Limits{})
	where := p.border(t)
	position := fmt.Sprintf(`{"lon":%v,"lat":%v,"accuracy_m":30}`, where[0], where[1])
	check := decode[publicCheck](t, call(p, "POST", "/api/v1/public/reports/check", `{"item":"0701","position":`+position+`}`, "Content-Type", "application/json"), 200)
	if len(check.Candidates) != 2 || check.Candidates[0].Street == check.Candidates[1].Street || check.Agency != "" || !check.Inside {
		t.Fatalf("%+v", check)
	}
	for _, c := range check.Candidates {
		if c.Answer == 0 || c.Grid == "" || !strings.HasPrefix(c.Agency, c.Street) {
			t.Errorf("%+v", c)
		}
	}
	fields := `"item":"0701","text":"x","position":` + position
	pr := wantProblem(t, p.send(t, "a", fields), 409)
	if len(pr.Sides) != 2 || pr.Sides[0] != check.Candidates[0] {
		t.Errorf("%+v", pr)
	}
	other := check.Candidates[1]
	decode[publicReceipt](t, p.send(t, "a", fields+fmt.Sprintf(`,"answer":%d`, other.Answer)), 201)
	if c := decode[caseAnswer](t, p.page(p.district, 1).ResponseRecorder, 200); !strings.Contains(other.Street, map[string]string{firstStreet: "第1", "310114002": "第2"}[c.Case.Place.Street]) {
		t.Errorf("answered %+v, and it lies in %s", other, c.Case.Place.Street)
	}
	decode[publicReceipt](t, p.send(t, "b", fields+`,"unsure":true`), 201)
	// Without an item nobody can tell yet whether it matters.
	decode[publicReceipt](t, p.send(t, "c", `"text":"x","position":`+position), 201)
}

func TestPublicCheck(t *testing.T) {
	p := newPublicTown(t, Limits{})
	ask := func(body string) *httptest.ResponseRecorder {
		return call(p, "POST", "/api/v1/public/reports/check", body, "Content-Type", "application/json")
	}
	out := decode[publicCheck](t, ask(`{"position":{"lon":121.0,"lat":31.256}}`), 200)
	if out.Inside || out.Nearest == nil || out.Nearest.Grid != "第1街道1排1列村" || out.Nearest.DistanceM < 11_000 || out.Nearest.DistanceM > 12_000 {
		t.Errorf("outside: %+v %+v", out, out.Nearest)
	}
	in := decode[publicCheck](t, ask(`{"item":"0701","position":`+at(1, 0)+`}`), 200)
	if !in.Inside || in.Street != "第1街道" || in.Grid != "第1街道1排2列村" || in.Agency != "第1街道城管执法中队" || len(in.Candidates)+len(in.Duplicates) != 0 {
		t.Errorf("inside: %+v", in)
	}
	for body, parameter := range map[string]string{`{}`: "position", `{"item":"0801","position":` + at(0, 0) + `}`: "item", `{"position":{"lon":1}}`: "position"} {
		if pr := wantProblem(t, ask(body), 400); pr.Parameter != parameter {
			t.Errorf("%s: %+v", body, pr)
		}
	}
}

// TestPublicDuplicates adds a report to another's, of which nothing is told.
func TestPublicDuplicates(t *testing.T) {
	p := newPublicTown(t, Limits{})
	first := decode[publicReceipt](t, p.send(t, "a", `"item":"0701","text":"秘密的话","position":`+at(0, 0)+`,"reporter":{"name":"秘密人"}`), 201)
	p.pass(40 * time.Minute)
	near := `{"lon":121.1263,"lat":31.2561,"accuracy_m":5}`
	w := call(p, "POST", "/api/v1/public/reports/check", `{"item":"0701","position":`+near+`}`, "Content-Type", "application/json")
	check := decode[publicCheck](t, w, 200)
	if len(check.Duplicates) != 1 || strings.Contains(w.Body.String(), "秘密") {
		t.Fatalf("%s", w.Body)
	}
	hint := check.Duplicates[0]
	if hint.DistanceM != 30 || hint.AgoS/60 != 40 || hint.State != casework.Reported || !hint.Open {
		t.Errorf("%+v", hint)
	}
	fields := `"item":"0701","text":"还在","position":` + near + `,"join":"` + hint.Join + `"`
	for range 2 {
		got := decode[publicReceipt](t, p.send(t, "b", fields), 201)
		if got.Number != first.Number || !got.Added || got.Follow == first.Follow {
			t.Errorf("%+v", got)
		}
		p.step(t, p.one, 1, "note", `,"text":"x"`)
		if s := p.follow(t, got.Follow); s.Own || s.Added != 1 {
			t.Errorf("who added sees %+v", s)
		}
	}
	if pr := wantProblem(t, p.send(t, "c", fields+`,"reporter":{"contact":"13800000000"}`), 400); pr.Parameter != "reporter" {
		t.Errorf("%+v", pr)
	}
	c := decode[caseAnswer](t, p.page(p.one, 1).ResponseRecorder, 200)
	if c.History[1].Action != "add-report" || c.History[1].By.Role != "public" {
		t.Errorf("%+v", c.History)
	}
	p.step(t, p.one, 1, "not-accept", `,"text":"秘密的答复"`)
	if s := p.follow(t, first.Follow); s.Answer != "秘密的答复" {
		t.Errorf("the reporter sees %+v", s)
	}
	if w := call(p, "GET", "/api/v1/public/reports/"+p.writeReceipt(receipt{addedReceipt, 1}), ""); strings.Contains(w.Body.String(), "秘密") {
		t.Errorf("who added sees %s", w.Body)
	}
	wantProblem(t, p.send(t, "d", fields), 409)
}

func TestPublicReportsAreLimited(t *testing.T) {
	p := newPublicTown(t, Limits{Reports: 60, ReportsBurst: 2, AllReports: 24})
	fields := `"item":"0701","position":` + at(0, 0)
	for i, want := range []int{201, 201, 429} {
		w := p.send(t, fmt.Sprint("a", i), fields, "X-Forwarded-For", "203.0.113.9")
		if w.Code != want || (w.Header().Get("Retry-After") != "") != (want == 429) {
			t.Errorf("report %d: %d %s", i+1, w.Code, w.Body)
		}
	}
	p.pass(time.Minute)
	if w := p.send(t, "b", fields); w.Code != 201 {
		t.Errorf("a minute later: %d %s", w.Code, w.Body)
	}
	// All together: a burst of 4, of which 3 are gone and a little came back.
	p.post(t, "0701", middle(2, 2))
	w := p.form("/open311/v2/requests.json", "api_key", p.key, "service_code", "0701", "lat", "31.256", "long", "121.126")
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("all together: %d %s", w.Code, w.Body)
	}
	validate(t, "errors.json", w.Body.Bytes())
}

func TestPublicForm(t *testing.T) {
	p := newPublicTown(t, Limits{})
	page := decode[publicPage](t, call(p, "GET", "/api/v1/public/report", ""), 200)
	if len(page.Items) != 3 || len(page.Majors) != 2 || page.Photos != 5 || len(page.Borders) == 0 || page.Bounds[0] > 121.122 || page.Bounds[2] < 121.21 {
		t.Errorf("%+v", page)
	}
	if page.Items[0].Code != "0101" {
		t.Errorf("without cases: %+v", page.Items)
	}
	p.report(t, p.device, 0, 0)
	p.pass(time.Hour)
	page = decode[publicPage](t, call(p, "GET", "/api/v1/public/report", ""), 200)
	if got := page.Items[0]; got.Code != "0701" || got.English != "Street vendor" || got.Thing || len(got.Words) != 2 {
		t.Errorf("what is reported most comes first: %+v", page.Items)
	}
	streets, grids := 0, 0
	for _, n := range page.Names {
		if n.Street {
			streets++
		} else {
			grids++
		}
	}
	if streets != 2 || grids == 0 {
		t.Errorf("%d streets, %d grids", streets, grids)
	}
}
