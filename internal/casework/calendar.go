package casework

import (
	"io"
	"slices"
	"sort"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// DayKind is why a day is other than its weekday tells.
type DayKind string

const (
	// Holiday is a day off.
	Holiday DayKind = "holiday"
	// WorkingWeekend is a Saturday or Sunday that is worked (调休).
	WorkingWeekend DayKind = "working-weekend"
)

// Day is one row of the calendar's table.
type Day struct {
	Date time.Time // midnight in grid.Zone
	Kind DayKind
	Name string
}

// WorkingCalendar tells working hours from all others. It knows the years
// whose New Year's Day is in its table: every year's notice begins with it. In
// other years all weekdays and no weekends are worked, and what follows from
// that is provisional. It is immutable and safe for concurrent use. All days
// are those of grid.Zone.
type WorkingCalendar struct {
	hours Hours
	days  []Day // by date
	years map[int]bool

	// Of the days that differ from their weekday: the number of the day, and
	// by how many working days the count up to and with it differs from the
	// count of weekdays.
	exception []int
	shifted   []int
}

// ReadCalendar reads a table of days: date (2026-02-15), kind and name. It is
// Invalid, naming line and column, when a date is none or there twice, or a
// working weekend is no weekend.
func ReadCalendar(r io.Reader, hours Hours) (*WorkingCalendar, error) {
	if hours.Day() <= 0 {
		return nil, fault.InvalidField("hours", "there are no working hours")
	}
	t, err := openTable("calendar", r, "date", "kind", "name")
	if err != nil {
		return nil, err
	}
	c := &WorkingCalendar{hours: slices.Clone(hours), years: map[int]bool{}}
	seen := map[time.Time]bool{}
	for t.next() {
		date, err := time.ParseInLocation(time.DateOnly, t.optional("date"), grid.Zone)
		if err != nil || date.Year() < 1 {
			t.wrong("date", "%q is not a date such as 2026-02-15", t.optional("date"))
		}
		d := Day{Date: date, Kind: DayKind(t.oneOf("kind", string(Holiday), string(WorkingWeekend))), Name: t.text("name")}
		t.refuse(plain("name", d.Name))
		switch {
		case seen[date]:
			t.wrong("date", "%s is there twice", t.optional("date"))
		case d.Kind == WorkingWeekend && !weekend(dayNumber(date)):
			t.wrong("kind", "%s is a %s", t.optional("date"), date.Weekday())
		}
		seen[date] = true
		c.days = append(c.days, d)
	}
	if t.err != nil {
		return nil, t.err
	}
	c.index()
	return c, nil
}

func (c *WorkingCalendar) index() {
	slices.SortFunc(c.days, func(a, b Day) int { return a.Date.Compare(b.Date) })
	shift := 0
	for _, d := range c.days {
		if d.Date.YearDay() == 1 {
			c.years[d.Date.Year()] = true
		}
		switch n := dayNumber(d.Date); {
		case d.Kind == WorkingWeekend:
			shift++
		case !weekend(n):
			shift--
		default:
			continue // a holiday on a weekend
		}
		c.exception = append(c.exception, dayNumber(d.Date))
		c.shifted = append(c.shifted, shift)
	}
}

// WriteDays writes the table as ReadCalendar reads it.
func (c *WorkingCalendar) WriteDays(w io.Writer) error {
	rows := [][]string{{"date", "kind", "name"}}
	for _, d := range c.days {
		rows = append(rows, []string{d.Date.Format(time.DateOnly), string(d.Kind), d.Name})
	}
	return writeRows(w, rows)
}

// With is c with the days of other in the place of its own for every year that
// other knows, and with all other's days besides: how a new year's notice
// comes in. The working hours are c's.
func (c *WorkingCalendar) With(other *WorkingCalendar) *WorkingCalendar {
	next := &WorkingCalendar{hours: c.hours, years: map[int]bool{}}
	next.days = slices.Clone(other.days)
	for _, d := range c.days {
		_, twice := slices.BinarySearchFunc(other.days, d.Date, func(o Day, t time.Time) int { return o.Date.Compare(t) })
		if !other.years[d.Date.Year()] && !twice {
			next.days = append(next.days, d)
		}
	}
	next.index()
	return next
}

// Hours are the working hours of a working day.
func (c *WorkingCalendar) Hours() Hours { return c.hours }

// Days are the days that the table has, by date.
func (c *WorkingCalendar) Days() []Day { return c.days }

// Years are the years that the calendar knows, in order.
func (c *WorkingCalendar) Years() []int {
	var out []int
	for y := range c.years {
		out = append(out, y)
	}
	slices.Sort(out)
	return out
}

// Knows reports whether all years that [from, to] touches are known.
func (c *WorkingCalendar) Knows(from, to time.Time) bool {
	for y := from.In(grid.Zone).Year(); y <= to.In(grid.Zone).Year(); y++ {
		if !c.years[y] {
			return false
		}
	}
	return true
}

// Works reports whether the day of t is worked.
func (c *WorkingCalendar) Works(t time.Time) bool {
	n := dayNumber(t)
	return c.worked(n+1) > c.worked(n)
}

// Add is the earliest instant, not before start, by which limit has passed on
// a clock of that kind: a limit that is used up when work ends is due then and
// not the next morning. A limit that is not positive is due at start. Elapsed
// is its exact inverse. Provisional tells that a working clock ran through a
// year that the calendar does not know.
func (c *WorkingCalendar) Add(clock Clock, start time.Time, limit time.Duration) (due time.Time, provisional bool) {
	if limit <= 0 {
		return start, clock == Working && !c.Knows(start, start)
	}
	if clock == Calendar {
		return start.Add(limit), false
	}
	day := c.hours.Day()
	spent := c.hours.until(sinceMidnight(start)) // of start's day, where that is worked
	if !c.Works(start) {
		spent = 0
	}
	whole, rest := int((spent+limit)/day), (spent+limit)%day
	if rest == 0 {
		whole, rest = whole-1, day
	}
	due = midnight(c.workingDay(c.worked(dayNumber(start)) + whole)).Add(c.hours.after(rest)).In(start.Location())
	return due, !c.Knows(start, due)
}

// Elapsed is how much of a clock of that kind passed in [from, to); negative
// when to lies before from.
func (c *WorkingCalendar) Elapsed(clock Clock, from, to time.Time) time.Duration {
	if clock == Calendar {
		return to.Sub(from)
	}
	days := c.worked(dayNumber(to)) - c.worked(dayNumber(from))
	return time.Duration(days)*c.hours.Day() + c.today(to) - c.today(from)
}

// today is how much of t's own day had been worked at t.
func (c *WorkingCalendar) today(t time.Time) time.Duration {
	if !c.Works(t) {
		return 0
	}
	return c.hours.until(sinceMidnight(t))
}

// worked is the number of working days in [Monday 1970-01-05, day n), negative
// before.
func (c *WorkingCalendar) worked(n int) int {
	count := weekdays(n)
	if i := sort.SearchInts(c.exception, n); i > 0 {
		count += c.shifted[i-1]
	}
	if i := sort.SearchInts(c.exception, 0); i > 0 {
		count -= c.shifted[i-1]
	}
	return count
}

// workingDay is the number of the day that is worked and has k working days
// before it.
func (c *WorkingCalendar) workingDay(k int) int {
	// Exceptions move a working day by less than seven days for each of them.
	span := 7 * (len(c.exception) + 1)
	guess := floorDiv(k, 5) * 7
	return guess - span + sort.Search(2*span, func(i int) bool { return c.worked(guess-span+i+1) > k })
}

// A day's number counts from Monday 1970-01-05 in grid.Zone.
var monday = time.Date(1970, 1, 5, 0, 0, 0, 0, grid.Zone).Unix()

const daySeconds = 24 * 60 * 60

func dayNumber(t time.Time) int { return floorDiv(int(t.Unix()-monday), daySeconds) }

func midnight(n int) time.Time { return time.Unix(monday+int64(n)*daySeconds, 0) }

func sinceMidnight(t time.Time) time.Duration { return t.Sub(midnight(dayNumber(t))) }

func weekend(n int) bool { return n-7*floorDiv(n, 7) >= 5 }

// weekdays is the number of days from Monday to Friday in [0, n), negative for
// n < 0.
func weekdays(n int) int {
	week := floorDiv(n, 7)
	return 5*week + min(n-7*week, 5)
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
