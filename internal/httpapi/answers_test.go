package httpapi

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lianqin/internal/casework"
)

// TestAnswers: an order's clock is what is due next until it is answered, and
// its answer goes out.
func TestAnswers(t *testing.T) {
	town := newCaseTown(t)
	issued := testNow.Add(-time.Minute).Format(time.RFC3339)
	for _, number := range []string{"W1", "W2"} {
		w := town.district.call(town, "POST", "/api/v1/cases", `{"channel":"12345","text":"噪声","order":{"number":"`+number+`","days":1,"issued":"`+issued+`"}}`)
		if w.Code != 201 {
			t.Fatal(w.Body)
		}
	}
	list := func(query string) []int64 {
		return decode[caseList](t, town.district.call(town, "GET", "/api/v1/cases"+query, ""), 200).ids()
	}
	c := decode[caseAnswer](t, town.page(town.district, 1).ResponseRecorder, 200)
	c = decode[caseAnswer](t, town.act(town.district, c, "not-accept", `,"text":"不属本区"`).ResponseRecorder, 200)
	if c.Next.Clock != string(casework.OrderClock) {
		t.Errorf("what is not accepted still owes an answer: %+v", c.Next)
	}
	if got := list("?due=order"); !slices.Equal(got, []int64{2, 1}) {
		t.Errorf("unanswered: %v", got)
	}
	decode[caseAnswer](t, town.act(town.district, c, "finish-order", `,"text":"=已告知来电人"`).ResponseRecorder, 200)
	if got := list("?due=order"); !slices.Equal(got, []int64{2}) {
		t.Errorf("unanswered: %v", got)
	}
	window := "?from=" + testNow.Add(-time.Hour).UTC().Format("2006-01-02T15:04:05Z") + "&to=" + testNow.Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	got := decode[struct{ Answers []orderAnswer }](t, town.district.call(town, "GET", "/api/v1/orders/answers"+window, ""), 200).Answers
	if len(got) != 1 || got[0].Number != "W1" || !got[0].OnTime || got[0].Answer != "=已告知来电人" || got[0].State != casework.NotAccepted {
		t.Errorf("%+v", got)
	}
	w := town.district.call(town, "GET", "/api/v1/orders/answers"+window+"&format=csv", "")
	if lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[1], "W1,1,not-accepted,") || !strings.HasSuffix(lines[1], ",'=已告知来电人") {
		t.Errorf("%s", w.Body)
	}
	if p := wantProblem(t, town.district.call(town, "GET", "/api/v1/orders/answers?format=xml", ""), 400); p.Parameter != "format" {
		t.Errorf("%+v", p)
	}
	wantProblem(t, town.one.call(town, "GET", "/api/v1/orders/answers", ""), 403)
}
