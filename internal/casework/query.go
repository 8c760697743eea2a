package casework

import (
	"slices"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Dimension is what figures are broken down by: one of Dimensions, or two at
// once, as Cross writes them: street*month.
type Dimension string

// The dimensions. Month, day and hour (of the day) are those of the instant
// that places a fact in the window, written 2026-02, 2026-02-01 and 08, and
// those of as-of for what stands then. Topics may overlap, and not every item
// is of one.
const (
	WholeDistrict Dimension = "district"
	PerStreet     Dimension = "street"
	PerGrid       Dimension = "grid"
	PerDepartment Dimension = "department"
	PerItem       Dimension = "item"
	PerMajor      Dimension = "major"
	PerChannel    Dimension = "channel"
	PerTopic      Dimension = "topic"
	PerMonth      Dimension = "month"
	PerDay        Dimension = "day"
	PerHour       Dimension = "hour"
)

// Dimensions are all dimensions.
var Dimensions = []Dimension{WholeDistrict, PerStreet, PerGrid, PerDepartment, PerItem, PerMajor, PerChannel, PerTopic, PerMonth, PerDay, PerHour}

// Cross is both dimensions at once: a line for each pair of their values.
func Cross(a, b Dimension) Dimension { return a + "*" + b }

// Parts are the one or two dimensions of d; the second is empty for one.
func (d Dimension) Parts() (first, second Dimension) {
	a, b, _ := strings.Cut(string(d), "*")
	return Dimension(a), Dimension(b)
}

// inTime reports whether d's values are spans of time.
func (d Dimension) inTime() bool { return d == PerMonth || d == PerDay || d == PerHour }

// check is Invalid for what is no dimension. A pair is of two different ones.
func (d Dimension) check() error {
	a, b := d.Parts()
	if err := oneOf("by", a, Dimensions...); err != nil || !strings.Contains(string(d), "*") {
		return err
	}
	if err := oneOf("by", b, Dimensions...); err != nil {
		return err
	}
	switch {
	case a == b, a == WholeDistrict, b == WholeDistrict:
		return fault.InvalidField("by", "%s: a pair is of two different dimensions, and none of them the district", d)
	case a == PerTopic && b == PerItem, a == PerItem && b == PerTopic:
		return fault.InvalidField("by", "%s: topics are made of items; ask for the items of one", d)
	}
	return nil
}

// None in a Filter asks for what has no value there, such as cases that nobody
// leads yet.
const None = "-"

// Filter narrows figures down; what is empty does not.
type Filter struct {
	Street     string   `json:"street,omitempty"`
	Grid       string   `json:"grid,omitempty"`
	Department string   `json:"department,omitempty"`
	Items      []string `json:"items,omitempty"` // any of them
	Major      string   `json:"major,omitempty"`
	Channel    Channel  `json:"channel,omitempty"`
	Hour       string   `json:"hour,omitempty"` // of the day, of the instant that places a fact: 00 to 23
}

func (w *Filter) passes(f *Fact) bool {
	is := func(want, got string) bool { return want == "" || want == got || want == None && got == "" }
	return is(w.Street, f.Street) && is(w.Grid, f.Grid) && is(w.Department, f.Department) && is(w.Major, f.Major) &&
		is(string(w.Channel), string(f.Channel)) &&
		(len(w.Items) == 0 || slices.ContainsFunc(w.Items, func(item string) bool { return is(item, f.Item) }))
}

// Query asks for all figures of a window [From, To), as known at AsOf.
type Query struct {
	From, To time.Time
	AsOf     time.Time
	Filter   Filter
	By       []Dimension
	Topics   []Topic // those of PerTopic
}

// YearBefore is q a year earlier, as known a year earlier.
func (q Query) YearBefore() Query {
	q.From, q.To, q.AsOf = q.From.AddDate(-1, 0, 0), q.To.AddDate(-1, 0, 0), q.AsOf.AddDate(-1, 0, 0)
	return q
}

// Check is Invalid when q asks for nothing.
func (q *Query) Check() error {
	if !q.From.Before(q.To) {
		return fault.InvalidField("to", "the window from %s to %s is empty", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
	}
	if h := q.Filter.Hour; h != "" && (len(h) != 2 || h < "00" || h > "23" || h[1] > '9') {
		return fault.InvalidField("hour", "%.10q is not 00 to 23", h)
	}
	for _, d := range q.By {
		if err := d.check(); err != nil {
			return err
		}
	}
	return nil
}
