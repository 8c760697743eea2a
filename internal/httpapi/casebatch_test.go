package httpapi

import (
	"fmt"
	"strings"
	"testing"
)

type batchAnswer struct {
	Done    []caseSeen
	Refused []struct {
		ID    int64
		Error problem
	}
}

func (b batchAnswer) String() string {
	var s strings.Builder
	for _, k := range b.Done {
		fmt.Fprintf(&s, "%d:%d ", k.ID, k.Seq)
	}
	for _, k := range b.Refused {
		fmt.Fprintf(&s, "%d:%d(%s) ", k.ID, k.Error.Status, k.Error.Parameter)
	}
	return strings.TrimSpace(s.String())
}

// TestBatch: each case is taken further, or refused, as if it were alone.
func TestBatch(t *testing.T) {
	town := newCaseTown(t)
	for i := range 6 {
		town.report(t, town.device, i, 0) // 1 to 4 in the first street
	}
	if w := town.district.call(town, "POST", "/api/v1/cases", `{"channel":"12345","text":"噪声"`+`,"position":`+at(0, 0)+`,"order":{"number":"W1","days":1,"issued":"`+testNow.Format("2006-01-02T15:04:05Z07:00")+`"}}`); w.Code != 201 {
		t.Fatal(w.Body)
	}
	batch := func(v visitor, action, body string) string {
		t.Helper()
		return decode[batchAnswer](t, v.call(town, "POST", "/api/v1/cases/actions/"+action, body), 200).String()
	}
	for _, tt := range []struct {
		name, action, body, want string
		who                      visitor
	}{
		{"its own, not another's, none that there is not, none without an item", "accept",
			`{"cases":[{"id":1,"seq":1},{"id":5,"seq":1},{"id":99,"seq":1},{"id":7,"seq":1},{"id":2,"seq":1}]}`, "1:2 2:2 5:404() 99:404() 7:400(item)", town.one},
		{"what somebody else was faster with", "file", `{"cases":[{"id":1,"seq":1},{"id":2,"seq":2}]}`, "2:3 1:409(seq)", town.one},
		{"what it does not stand for", "close", `{"cases":[{"id":3,"seq":1}]}`, "3:409()", town.one},
		{"what is not his to do", "accept", `{"cases":[{"id":3,"seq":1}]}`, "3:403()", town.inspector},
		{"without a reason", "not-accept", `{"cases":[{"id":3,"seq":1},{"id":4,"seq":1}]}`, "3:400(text) 4:400(text)", town.one},
		{"with one for all", "not-accept", `{"cases":[{"id":3,"seq":1},{"id":4,"seq":1}],"text":"重复"}`, "3:2 4:2", town.one},
		{"no action", "eat", `{"cases":[{"id":1,"seq":2}]}`, "1:400(action)", town.one},
	} {
		if got := batch(tt.who, tt.action, tt.body); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	many := `{"id":1,"seq":1}` + strings.Repeat(`,{"id":1,"seq":1}`, maxActedOn)
	for body, parameter := range map[string]string{`{}`: "cases", `{"cases":[]}`: "cases", `{"cases":[` + many + `]}`: "cases", `{"cases":[{"id":1,"seq":1},{"id":1,"seq":2}]}`: "cases",
		`{"seq":1,"cases":[{"id":1,"seq":1}]}`: "seq", `{"cases":[{"id":1,"seq":1}],"position":{"lat":1}}`: "position"} {
		if p := wantProblem(t, town.one.call(town, "POST", "/api/v1/cases/actions/accept", body), 400); p.Parameter != parameter {
			t.Errorf("%.60s: %+v", body, p)
		}
	}
	if c := decode[caseAnswer](t, town.page(town.one, 3).ResponseRecorder, 200); c.Case.State != "not-accepted" || c.History[1].By.ID != "one" {
		t.Errorf("%+v", c)
	}
}
