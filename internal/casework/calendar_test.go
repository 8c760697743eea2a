package casework

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

func usualHours(t testing.TB) Hours {
	t.Helper()
	h, err := ParseHours(UsualHours)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// notices is the calendar that ships with the program.
func notices(t testing.TB) *WorkingCalendar {
	t.Helper()
	c, err := ReadCalendar(data(t, "calendar.csv"), usualHours(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func local(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, grid.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The table was written by hand from the notices of the State Council.
func TestDeadlines(t *testing.T) {
	c := notices(t)
	for _, tt := range []struct {
		name  string
		clock Clock
		start string
		limit string
		want  string
	}{
		// Spring Festival 2026: 14 February (Saturday) worked, 15th to 23rd off, 28th (Saturday) worked.
		{"within the afternoon", Working, "2026-02-13 15:00", "3h", "2026-02-13 18:00"},
		{"over noon", Working, "2026-02-13 11:00", "1h", "2026-02-13 13:30"},
		{"from noon", Working, "2026-02-13 12:00", "3h", "2026-02-13 16:00"},
		{"until noon", Working, "2026-02-13 08:30", "3h", "2026-02-13 11:30"},
		{"a minute more than until noon", Working, "2026-02-13 08:30", "3h1m", "2026-02-13 13:01"},
		{"before work", Working, "2026-02-13 05:00", "30m", "2026-02-13 09:00"},
		{"Friday into a worked Saturday", Working, "2026-02-13 17:00", "2h", "2026-02-14 09:30"},
		{"a worked Saturday over the festival", Working, "2026-02-14 17:30", "1h", "2026-02-24 09:00"},
		{"at the very end of work", Working, "2026-02-14 18:00", "8h", "2026-02-24 18:00"},
		{"on the Sunday it begins", Working, "2026-02-15 10:00", "30m", "2026-02-24 09:00"},
		{"at midnight of the first day of the year", Working, "2026-02-17 00:00", "4h", "2026-02-24 14:00"},
		{"five working days over the festival", Working, "2026-02-11 09:00", "40h", "2026-02-25 09:00"},
		{"Friday into the second worked Saturday", Working, "2026-02-27 16:00", "4h", "2026-02-28 10:30"},
		{"five working days after it", Working, "2026-02-28 17:00", "40h", "2026-03-06 17:00"},
		{"an ordinary Sunday before it", Working, "2026-02-08 09:00", "8h", "2026-02-09 18:00"},
		{"an ordinary Saturday after it", Working, "2026-03-07 09:00", "8h", "2026-03-09 18:00"},
		{"all hours", Calendar, "2026-02-14 20:00", "24h", "2026-02-15 20:00"},
		{"all hours over the festival", Calendar, "2026-02-14 20:00", "240h", "2026-02-24 20:00"},
		{"no time at all", Working, "2026-02-16 20:00", "0h", "2026-02-16 20:00"},
		// National Day 2026: 20 September (Sunday) worked, 25th to 27th off for Mid-Autumn,
		// 1 to 7 October off, 10 October (Saturday) worked.
		{"a Saturday before a worked Sunday", Working, "2026-09-19 10:00", "1h", "2026-09-20 09:30"},
		{"a worked Sunday", Working, "2026-09-20 17:00", "2h", "2026-09-21 09:30"},
		{"over Mid-Autumn", Working, "2026-09-24 17:00", "2h", "2026-09-28 09:30"},
		{"over National Day", Working, "2026-09-30 17:00", "8h", "2026-10-08 17:00"},
		{"ten working days", Working, "2026-09-18 08:30", "80h", "2026-10-08 18:00"},
		{"Friday evening into a worked Saturday", Working, "2026-10-09 18:00", "3h", "2026-10-10 11:30"},
		{"a worked Saturday, then Sunday off", Working, "2026-10-10 17:00", "16h", "2026-10-13 17:00"},
		{"15 working days", Working, "2026-09-23 10:00", "120h", "2026-10-21 10:00"},
		// The other notices of 2025 and 2026.
		{"New Year 2026, and a worked Sunday", Working, "2025-12-31 17:00", "2h", "2026-01-04 09:30"},
		{"Spring Festival 2025", Working, "2025-01-27 17:00", "2h", "2025-02-05 09:30"},
		{"a worked Sunday in January 2025", Working, "2025-01-24 18:00", "8h", "2025-01-26 18:00"},
		{"National Day 2025, eight days", Working, "2025-09-30 18:00", "24h", "2025-10-11 18:00"},
		{"Labour Day 2026", Working, "2026-04-30 18:00", "32h", "2026-05-09 18:00"},
	} {
		limit, err := time.ParseDuration(tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		start := local(t, tt.start)
		due, provisional := c.Add(tt.clock, start, limit)
		if got := due.In(grid.Zone).Format("2006-01-02 15:04"); got != tt.want || provisional {
			t.Errorf("%s: %s and %s of %s hours is %s (provisional %v), want %s", tt.name, tt.start, tt.limit, tt.clock, got, provisional, tt.want)
		}
		if back := c.Elapsed(tt.clock, start, due); back != limit {
			t.Errorf("%s: %s elapsed, want %s", tt.name, back, limit)
		}
	}
}

func TestUnknownYear(t *testing.T) {
	c := notices(t)
	due, provisional := c.Add(Working, local(t, "2026-12-31 17:00"), 2*time.Hour)
	if got := due.In(grid.Zone).Format("2006-01-02 15:04"); got != "2027-01-01 09:30" || !provisional {
		t.Errorf("got %s, provisional %v: want a plain Friday, provisional", got, provisional)
	}
	if _, provisional := c.Add(Calendar, local(t, "2026-12-31 17:00"), 48*time.Hour); provisional {
		t.Error("hours of every day need no calendar")
	}
	next, err := ReadCalendar(strings.NewReader("date,kind,name\n2027-01-01,holiday,元旦\n"), usualHours(t))
	if err != nil {
		t.Fatal(err)
	}
	both := c.With(next)
	if due, provisional := both.Add(Working, local(t, "2026-12-31 17:00"), 2*time.Hour); provisional || !due.Equal(local(t, "2027-01-04 09:30")) {
		t.Errorf("with the notice: %s, provisional %v", due, provisional)
	}
	if got, want := both.Years(), []int{2023, 2024, 2025, 2026, 2027}; len(got) != len(want) || got[4] != 2027 {
		t.Errorf("years %v, want %v", got, want)
	}
	if c.Knows(local(t, "2027-01-01 00:00"), local(t, "2027-01-01 00:00")) {
		t.Error("With changed the calendar it was asked of")
	}
}

// TestAddAndElapsed holds both against one another and against counting
// minute by minute.
func TestAddAndElapsed(t *testing.T) {
	c := notices(t)
	kinds := map[string]DayKind{}
	for _, d := range c.Days() {
		kinds[d.Date.Format(time.DateOnly)] = d.Kind
	}
	works := func(at time.Time) bool {
		day := at.In(grid.Zone)
		m := day.Hour()*60 + day.Minute()
		if m < 510 || m >= 690 && m < 780 || m >= 1080 {
			return false
		}
		kind := kinds[day.Format(time.DateOnly)]
		return kind == WorkingWeekend || kind != Holiday && day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		start := local(t, "2025-12-20 00:00").Add(time.Duration(r.IntN(330*24*60)) * time.Minute)
		want := time.Duration(0)
		for m := range r.IntN(14*24*60) + 1 {
			at := start.Add(time.Duration(m) * time.Minute)
			if got := c.Elapsed(Working, start, at); got != want {
				t.Fatalf("elapsed from %s to %s: %s, counted %s", start, at, got, want)
			}
			if works(at) {
				want += time.Minute
			}
		}
	}
	span := int64(40 * 365 * 24 * time.Hour)
	for range 200_000 {
		start := time.Unix(0, local(t, "1969-01-01 00:00").UnixNano()+r.Int64N(2*span))
		limit := time.Duration(r.Int64N(int64(3000 * time.Hour)))
		if r.IntN(4) == 0 {
			limit = limit.Truncate(8 * time.Hour)
		}
		due, _ := c.Add(Working, start, limit)
		if back := c.Elapsed(Working, start, due); back != limit || c.Elapsed(Working, due, start) != -limit {
			t.Fatalf("%s and %s is %s, from which %s elapsed", start, limit, due, back)
		}
		if limit > 0 && c.Elapsed(Working, start, due.Add(-1)) >= limit {
			t.Fatalf("%s and %s is due before %s already", start, limit, due)
		}
	}
}

func TestCalendarMistakes(t *testing.T) {
	for _, tt := range []struct{ name, table, want string }{
		{"no date", "date,kind,name\n2026-02-30,holiday,x\n", "calendar line 2, column date"},
		{"no such kind", "date,kind,name\n2026-02-15,feast,x\n", "column kind"},
		{"a worked weekday", "date,kind,name\n2026-02-16,working-weekend,x\n", "2026-02-16 is a Monday"},
		{"twice", "date,kind,name\n2026-02-16,holiday,x\n2026-02-16,holiday,y\n", "line 3, column date: 2026-02-16 is there twice"},
		{"no name", "date,kind,name\n2026-02-16,holiday,\n", "column name: empty"},
	} {
		_, err := ReadCalendar(strings.NewReader(tt.table), usualHours(t))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	for _, s := range []string{"", "8-9", "09:00-08:00", "09:00-12:00,11:00-13:00", "09:00-12:00;13:00-14:00"} {
		if _, err := ParseHours(s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("hours %q: got %v", s, err)
		}
	}
	if h := usualHours(t); h.Day() != 8*time.Hour || h.String() != UsualHours {
		t.Errorf("the usual hours are %s, %s", h, h.Day())
	}
}

// TestWorkingDaysOfTheYear are the counts that the notices come to.
func TestWorkingDaysOfTheYear(t *testing.T) {
	c := notices(t)
	for year, want := range map[int]int{2024: 251, 2025: 248, 2026: 248} {
		from := time.Date(year, 1, 1, 0, 0, 0, 0, grid.Zone)
		got := int(c.Elapsed(Working, from, from.AddDate(1, 0, 0)) / c.Hours().Day())
		if got != want {
			t.Errorf("%d has %d working days, want %d", year, got, want)
		}
	}
}

func FuzzReadCalendar(f *testing.F) {
	f.Add("date,kind,name\n2026-01-01,holiday,元旦\n2026-01-04,working-weekend,元旦调休\n", int64(1_770_000_000), int64(100_000))
	f.Add("date,kind,name\n0001-01-01,holiday,x\n9999-12-31,holiday,y\n", int64(-1), int64(0))
	hours := usualHours(f)
	f.Fuzz(func(t *testing.T, table string, at, seconds int64) {
		c, err := ReadCalendar(strings.NewReader(table), hours)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("kind %v of %v", fault.KindOf(err), err)
			}
			return
		}
		var out bytes.Buffer
		if err := c.WriteDays(&out); err != nil {
			t.Fatal(err)
		}
		again, err := ReadCalendar(&out, hours)
		if err != nil || len(again.Days()) != len(c.Days()) {
			t.Fatalf("%v after writing", err)
		}
		start := time.Unix(at%5_000_000_000, 0)
		limit := time.Duration(max(seconds, 0)%50_000_000) * time.Second
		due, _ := again.Add(Working, start, limit)
		if back := c.Elapsed(Working, start, due); back != limit {
			t.Fatalf("%s and %s is %s, from which %s elapsed", start, limit, due, back)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	c := notices(b)
	start := local(b, "2026-02-11 09:00")
	for b.Loop() {
		c.Add(Working, start, 40*time.Hour)
	}
}

func BenchmarkElapsed(b *testing.B) {
	c := notices(b)
	start, end := local(b, "2026-02-11 09:00"), local(b, "2026-03-11 09:00")
	for b.Loop() {
		c.Elapsed(Working, start, end)
	}
}
