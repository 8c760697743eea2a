package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"lianqin/internal/grid"
)

func TestWeekOf(t *testing.T) {
	for _, tt := range []struct{ at, want string }{
		{"2026-03-02T00:00:00+08:00", "2026-03-02"},
		{"2026-03-08T23:59:59+08:00", "2026-03-02"},
		{"2026-03-01T16:00:00Z", "2026-03-02"}, // Monday already, here
		{"2026-03-01T15:59:59Z", "2026-02-23"},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := weekOf(at).Format("2006-01-02T15:04:05-07:00"); got != tt.want+"T00:00:00+08:00" {
			t.Errorf("%s: %s", tt.at, got)
		}
	}
}

func TestSheetTime(t *testing.T) {
	for _, tt := range []struct{ day, text, want string }{
		{"", "2026-03-02 08:00", "2026-03-02T08:00"},
		{"", "2026/3/2 8:00", "2026-03-02T08:00"},
		{"", "2026-03-02T00:00:00Z", "2026-03-02T08:00"},
		{"2026-03-02", "08:00", "2026-03-02T08:00"},
		{"2026/3/2", "8:00", "2026-03-02T08:00"},
		{"2026-03-02", "24:00", "2026-03-03T00:00"},
		{"", "08:00", ""},
		{"2026-02-30", "08:00", ""},
		{"", "soon", ""},
		{"", "0026-03-02 08:00", ""},
		{"9999-12-31", "20:00", ""},
	} {
		got := ""
		if at, ok := sheetTime(tt.day, tt.text); ok {
			got = inZone(at.UnixMilli()).Format("2006-01-02T15:04")
		}
		if got != tt.want {
			t.Errorf("%q %q: got %q, want %q", tt.day, tt.text, got, tt.want)
		}
	}
}

type rosterAnswer struct {
	Shifts []shiftAnswer
	Gaps   []gapAnswer
}

// nextWeek puts the days of next week in the place of those of the week of
// 2026-03-02: the store keeps no shifts of long ago.
func nextWeek(s string) string {
	monday := weekOf(time.Now()).AddDate(0, 0, 7)
	for i := range 8 {
		day := time.Date(2026, 3, 2+i, 0, 0, 0, 0, grid.Zone)
		s = strings.ReplaceAll(s, day.Format(time.DateOnly), monday.AddDate(0, 0, i).Format(time.DateOnly))
	}
	return s
}

func TestRosterOverHTTP(t *testing.T) {
	a, district, one, two := patrolTown(t, Config{})
	file := "单位,岗位,日期,开始,结束\n" +
		"A1,应急,2026-03-02,08:00,20:00\n" +
		"A1,巡逻,2026-03-03,08:00,16:00\n" +
		"A2,应急,2026-03-02,20:00,08:00\n"
	w := one.call(a, "POST", "/api/v1/roster", nextWeek(file), "Content-Type", "text/csv")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"entered":3`) {
		t.Fatal(w.Code, w.Body)
	}
	got := decode[rosterAnswer](t, one.call(a, "GET", nextWeek("/api/v1/roster?from=2026-03-02&to=2026-03-09"), ""), 200)
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", nextWeek(s), inZone(0).Location())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	want := []shiftAnswer{
		{"A1", "emergency", at("2026-03-02 08:00"), at("2026-03-02 20:00")},
		{"A1", "patrol", at("2026-03-03 08:00"), at("2026-03-03 16:00")},
		{"A2", "emergency", at("2026-03-02 20:00"), at("2026-03-03 08:00")},
	}
	equal := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if diff := cmp.Diff(want, got.Shifts, equal); diff != "" {
		t.Error(diff)
	}
	wantGaps := []gapAnswer{{firstStreet, at("2026-03-02 00:00"), at("2026-03-02 08:00")}, {firstStreet, at("2026-03-03 08:00"), at("2026-03-09 00:00")}}
	if diff := cmp.Diff(wantGaps, got.Gaps, equal); diff != "" {
		t.Error(diff)
	}
	if got := decode[rosterAnswer](t, two.call(a, "GET", nextWeek("/api/v1/roster?from=2026-03-02&to=2026-03-09"), ""), 200); len(got.Shifts) != 0 || len(got.Gaps) != 1 || got.Gaps[0].Street != secondStreet {
		t.Errorf("street two sees %+v", got)
	}
	if got := decode[rosterAnswer](t, district.call(a, "GET", nextWeek("/api/v1/roster?from=2026-03-02&to=2026-03-03&street="+firstStreet), ""), 200); len(got.Shifts) != 2 {
		t.Errorf("one day of a street: %+v", got)
	}
	for path, says := range map[string]string{"?from=2026-03-09&to=2026-03-02": "after", "?from=2026-01-01&to=2026-06-01": "days", "?from=soon": "soon"} {
		if p := wantProblem(t, one.call(a, "GET", "/api/v1/roster"+path, ""), 400); !strings.Contains(p.Detail, says) {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestRosterTellsWhatIsWrong(t *testing.T) {
	a, _, one, _ := patrolTown(t, Config{})
	file := "unit,post,date,from,to\n" +
		"A1,patrol,2026-03-02,08:00,16:00\n" +
		"A1,patrol,2026-03-02,15:00,17:00\n" +
		"B1,patrol,2026-03-02,08:00,16:00\n" +
		"A2,guard,2026-03-02,08:00,16:00\n" +
		"A2,patrol,2026-03-32,08:00,16:00\n" +
		"A2,patrol,2026-03-02,08:00,later\n"
	faults := wantSheetFaults(t, one.call(a, "POST", "/api/v1/roster", nextWeek(file)))
	var got []string
	for _, f := range faults {
		got = append(got, strings.Join([]string{string(rune('0' + f.Line)), f.Column, f.Value}, " "))
	}
	want := []string{"4 unit B1", "5 post guard", "6 from 08:00", "7 to later"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	overlap := "unit,from,to\nA1,2026-03-02 08:00,2026-03-02 16:00\nA1,2026-03-02 15:00,2026-03-02 17:00\n"
	faults = wantSheetFaults(t, one.call(a, "POST", "/api/v1/roster", nextWeek(overlap)))
	if len(faults) != 1 || faults[0].Line != 3 || faults[0].Column != "from" {
		t.Errorf("an overlap: %+v", faults)
	}
	gap := "unit,post,from,to\nA1,emergency,2026-03-02 08:00,2026-03-02 16:00\nA2,emergency,2026-03-02 18:00,2026-03-03 08:00\n"
	w := one.call(a, "POST", "/api/v1/roster", nextWeek(gap))
	var p struct{ Gaps []gapAnswer }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 400 || len(p.Gaps) != 1 || p.Gaps[0].To.Sub(p.Gaps[0].From) != 2*time.Hour {
		t.Errorf("a gap: %d %s", w.Code, w.Body)
	}
	if got := decode[rosterAnswer](t, one.call(a, "GET", nextWeek("/api/v1/roster?from=2026-03-02&to=2026-03-09"), ""), 200); len(got.Shifts) != 0 {
		t.Errorf("something was entered: %+v", got)
	}
	if w := one.call(a, "POST", "/api/v1/roster?gaps=1", nextWeek(gap)); w.Code != 200 {
		t.Errorf("with the gap: %d %s", w.Code, w.Body)
	}
}

// TestNoYearOfFiveDigits asks for times that JSON has no words for.
func TestNoYearOfFiveDigits(t *testing.T) {
	a, district, _, _ := patrolTown(t, Config{})
	for _, path := range []string{"/api/v1/roster", "/api/v1/units/A1/track", "/api/v1/events", "/api/v1/quarantine"} {
		for _, span := range []string{"from=9999-12-31&to=9999-12-31T23:59:59Z", "from=0000-12-31&to=0001-01-01"} {
			w := district.call(a, "GET", path+"?"+span, "")
			if w.Code != 400 || !strings.Contains(w.Body.String(), "is not an instant") {
				t.Errorf("%s?%s: %d %s", path, span, w.Code, w.Body)
			}
		}
	}
}

// TestWhatCannotBeTold is an answer that JSON has no words for: no empty 200.
func TestWhatCannotBeTold(t *testing.T) {
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	if err := writeValue(c, http.StatusOK, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Errorf("no error, and %q", w.Body)
	}
}
