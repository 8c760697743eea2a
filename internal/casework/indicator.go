package casework

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// IndicatorRules is the version of the definitions in Indicators.
const IndicatorRules = "1"

// Indicator defines a figure: what counts in its denominator, at which
// instant, and what of that counts in its numerator. A count has a numerator
// alone.
type Indicator struct {
	Code string
	Name string // Chinese
	Text string // English
	// Count is a number of cases, not a rate.
	Count bool

	when func(f *Instants, asOf int64) int64 // the instant that places it in a window, 0 for none; nil for what stands at as-of
	of   func(f *Instants, asOf int64) bool  // further, to be in the denominator; nil for no more
	num  func(f *Instants, asOf int64) bool  // and in the numerator; nil for a count
}

func accepted(f *Instants, _ int64) int64       { return f.Accepted }
func dueForDisposal(f *Instants, a int64) int64 { return f.dueAsOf(a) }
func dueForClosing(f *Instants, _ int64) int64  { return f.CheckDue }
func ofGrid(f *Instants, _ int64) bool          { return !f.Hotline }
func ofHotline(f *Instants, _ int64) bool       { return f.Hotline }
func disposed(f *Instants, a int64) bool        { return happened(f.Disposed, a) }
func finished(f *Instants, a int64) bool        { return happened(f.OrderFinished, a) }
func inTime(f *Instants, a int64) bool          { return finished(f, a) && f.OrderFinished <= f.OrderDue }
func pending(f *Instants, a int64) bool         { return f.dueAsOf(a) != 0 && !disposed(f, a) }

// happened reports whether an instant is one, and not after asOf.
func happened(at, asOf int64) bool { return at != 0 && at <= asOf }

// Indicators are all figures. "Due" is due within the window and not later
// than as-of, by the due time that held then; what is suspended or in
// coordination is left out.
var Indicators = []Indicator{
	{Code: "accepted", Name: "受理数", Text: "accepted", Count: true, when: accepted},
	{Code: "accepted-grid", Name: "网格案件", Text: "accepted grid cases", Count: true, when: accepted, of: ofGrid},
	{Code: "accepted-events", Name: "事件", Text: "accepted events", Count: true, when: accepted,
		of: func(f *Instants, _ int64) bool { return !f.Hotline && f.Kind == Event }},
	{Code: "accepted-components", Name: "部件", Text: "accepted components", Count: true, when: accepted,
		of: func(f *Instants, _ int64) bool { return !f.Hotline && f.Kind == Component }},
	{Code: "accepted-orders", Name: "12345 工单", Text: "accepted 12345 orders", Count: true, when: accepted, of: ofHotline},
	{Code: "self-handled", Name: "自行处置数", Text: "done by who found it", Count: true,
		when: func(f *Instants, _ int64) int64 { return f.Disposed }, of: func(f *Instants, _ int64) bool { return f.SelfHandled }},

	{Code: "disposal", Name: "处置率", Text: "disposed / due for disposal", when: dueForDisposal, num: disposed},
	{Code: "disposal-on-time", Name: "按时处置率", Text: "disposed on time / due for disposal", when: dueForDisposal,
		num: func(f *Instants, a int64) bool { return disposed(f, a) && f.Disposed <= f.dueAsOf(a) }},
	{Code: "disposal-of-accepted", Name: "受理处置率", Text: "disposed / accepted grid cases", when: accepted, of: ofGrid, num: disposed},
	{Code: "closing", Name: "结案率", Text: "closed / due for closing", when: dueForClosing,
		num: func(f *Instants, a int64) bool { return happened(f.Closed, a) }},
	{Code: "rework", Name: "返工率", Text: "reworked / due for closing", when: dueForClosing,
		num: func(f *Instants, a int64) bool { return happened(f.Reworked, a) }},
	{Code: "extension", Name: "延期率", Text: "extended / due for disposal", when: dueForDisposal,
		num: func(f *Instants, a int64) bool { return happened(f.Extended, a) }},
	{Code: "filing-on-time", Name: "按时立案率", Text: "filed on time / filed", when: func(f *Instants, _ int64) int64 { return f.Filed },
		num: func(f *Instants, _ int64) bool { return f.Filed <= f.FileDue }},
	{Code: "dispatch-accurate", Name: "派遣准确率", Text: "dispatched once / dispatched", when: func(f *Instants, _ int64) int64 { return f.Dispatched },
		num: func(f *Instants, a int64) bool { return !happened(f.Returned, a) }},
	{Code: "overdue-pending", Name: "超时未处置", Text: "overdue / pending at as-of", of: pending,
		num: func(f *Instants, a int64) bool { return f.dueAsOf(a) < a }},

	{Code: "orders-finished", Name: "12345 办结率", Text: "finished / accepted 12345 orders", when: accepted, of: ofHotline, num: finished},
	{Code: "orders-on-time", Name: "12345 按时办结率（按受理）", Text: "finished on time / accepted 12345 orders", when: accepted, of: ofHotline, num: inTime},
	{Code: "orders-on-time-of-finished", Name: "12345 按时办结率（按办结）", Text: "finished on time / finished 12345 orders", when: accepted,
		of: func(f *Instants, a int64) bool { return ofHotline(f, a) && finished(f, a) }, num: inTime},
}

// Dimension is what figures are broken down by.
type Dimension string

// The dimensions. A month is that of the instant that places a fact in the
// window, written 2026-02, and of as-of for what stands then.
const (
	WholeDistrict Dimension = "district"
	PerStreet     Dimension = "street"
	PerGrid       Dimension = "grid"
	PerDepartment Dimension = "department"
	PerItem       Dimension = "item"
	PerMajor      Dimension = "major"
	PerChannel    Dimension = "channel"
	PerMonth      Dimension = "month"
)

// Dimensions are all dimensions.
var Dimensions = []Dimension{WholeDistrict, PerStreet, PerGrid, PerDepartment, PerItem, PerMajor, PerChannel, PerMonth}

// Filter narrows figures down; what is empty does not.
type Filter struct {
	Street     string   `json:"street,omitempty"`
	Grid       string   `json:"grid,omitempty"`
	Department string   `json:"department,omitempty"`
	Items      []string `json:"items,omitempty"` // any of them
	Major      string   `json:"major,omitempty"`
	Channel    Channel  `json:"channel,omitempty"`
}

func (w *Filter) passes(f *Fact) bool {
	return (w.Street == "" || w.Street == f.Street) && (w.Grid == "" || w.Grid == f.Grid) &&
		(w.Department == "" || w.Department == f.Department) && (len(w.Items) == 0 || slices.Contains(w.Items, f.Item)) &&
		(w.Major == "" || w.Major == f.Major) && (w.Channel == "" || w.Channel == f.Channel)
}

// Query asks for all figures of a window [From, To), as known at AsOf.
type Query struct {
	From, To time.Time
	AsOf     time.Time
	Filter   Filter
	By       []Dimension
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
	for _, d := range q.By {
		if err := oneOf("by", d, Dimensions...); err != nil {
			return err
		}
	}
	return nil
}

// Figure is a number that can be traced: what it is of, when it was known, and
// by which definitions.
type Figure struct {
	Indicator   string    `json:"indicator"`
	Numerator   int64     `json:"numerator"`
	Denominator int64     `json:"denominator"` // 0 for a count
	AsOf        time.Time `json:"as_of"`
	Rules       string    `json:"rules"`
}

// Rate is numerator by denominator; false for a count, and when there was
// nothing to count.
func (f Figure) Rate() (float64, bool) {
	if f.Denominator == 0 {
		return 0, false
	}
	return float64(f.Numerator) / float64(f.Denominator), true
}

// Percent is the rate with two decimals, rounded half up, as it is published:
// "99.77 %"; or the number itself.
func (f Figure) Percent() string {
	if f.Denominator == 0 {
		return fmt.Sprint(f.Numerator)
	}
	hundredths := (f.Numerator*20000 + f.Denominator) / (2 * f.Denominator)
	return fmt.Sprintf("%d.%02d %%", hundredths/100, hundredths%100)
}

// Change is by how much a count grew from before to f, in parts of before:
// −0.528 is a fall of 52.8 %. False when there was none before.
func (f Figure) Change(before Figure) (float64, bool) {
	if before.Numerator == 0 {
		return 0, false
	}
	return float64(f.Numerator-before.Numerator) / float64(before.Numerator), true
}

// Line are the figures of one value of a dimension, in the order of
// Indicators. Key is empty for the whole district, and for what has no value.
type Line struct {
	Key     string   `json:"key"`
	Figures []Figure `json:"figures"`
}

// Figures are the answer to a Query: for each dimension, its lines by key.
type Figures struct {
	From  time.Time            `json:"from"`
	To    time.Time            `json:"to"`
	AsOf  time.Time            `json:"as_of"`
	Rules string               `json:"rules"`
	By    map[Dimension][]Line `json:"by"`
}

// Tally computes all figures from all facts there are.
func Tally(q Query, facts iter.Seq[*Fact]) (*Figures, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	n, named := newCounter(q), &naming{}
	for f := range facts {
		if q.Filter.passes(f) {
			k := named.keys(f)
			n.add(&f.Instants, &k)
		}
	}
	return n.figures(named), nil
}

// keys are the places of a fact's values in the names of their dimensions, by
// place in Dimensions. Those of the district and of the month are not used.
type keys [8]uint32

// names numbers the values of a dimension as they come.
type names struct {
	all []string
	at  map[string]uint32
}

func (n *names) number(s string) uint32 {
	i, ok := n.at[s]
	if !ok {
		if n.at == nil {
			n.at = map[string]uint32{}
		}
		i = uint32(len(n.all))
		n.all, n.at[s] = append(n.all, s), i
	}
	return i
}

// naming are the names of all dimensions, by place in Dimensions.
type naming [8]names

func (n *naming) keys(f *Fact) keys {
	return keys{0, n[1].number(f.Street), n[2].number(f.Grid), n[3].number(f.Department), n[4].number(f.Item), n[5].number(f.Major), n[6].number(string(f.Channel))}
}

// counter adds facts up, for each dimension and key.
type counter struct {
	q              Query
	from, to, asOf int64
	by             []int      // places in Dimensions
	rows           [][]counts // by place in by, then by key
	months         []int64    // their beginnings
	monthNames     []string
	at             [32]int64 // of the last fact, by indicator
}

const (
	district = 0 // places in Dimensions
	itemwise = 4
	monthly  = 7
)

type counts [32]struct{ num, den int64 }

func newCounter(q Query) *counter {
	n := &counter{q: q, from: q.From.UnixMilli(), to: q.To.UnixMilli(), asOf: q.AsOf.UnixMilli()}
	for _, d := range q.By {
		n.by = append(n.by, slices.Index(Dimensions, d))
	}
	n.rows = make([][]counts, len(n.by))
	local := q.From.In(grid.Zone)
	for m := time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, grid.Zone); m.Before(q.To); m = m.AddDate(0, 1, 0) {
		n.months, n.monthNames = append(n.months, m.UnixMilli()), append(n.monthNames, m.Format("2006-01"))
	}
	// What stands at as-of has that month, the last place.
	n.monthNames = append(n.monthNames, q.AsOf.In(grid.Zone).Format("2006-01"))
	return n
}

// weigh says in which denominators f counts and in which numerators, a bit for
// each indicator; a count counts in both.
func (n *counter) weigh(f *Instants) (den, num uint32) {
	for i := range Indicators {
		d := &Indicators[i]
		if d.when != nil {
			at := d.when(f, n.asOf)
			if at < n.from || at >= n.to || at > n.asOf {
				continue
			}
			n.at[i] = at
		}
		if d.of != nil && !d.of(f, n.asOf) {
			continue
		}
		den |= 1 << i
		if d.num == nil || d.num(f, n.asOf) {
			num |= 1 << i
		}
	}
	return den, num
}

func (n *counter) add(f *Instants, k *keys) {
	den, num := n.weigh(f)
	if den == 0 {
		return
	}
	for at, dimension := range n.by {
		if dimension != monthly {
			n.row(at, int(k[dimension])).add(den, num)
			continue
		}
		for rest := den; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros32(rest)
			month := len(n.months)
			if Indicators[i].when != nil {
				later, _ := slices.BinarySearch(n.months, n.at[i]+1)
				month = later - 1
			}
			n.row(at, month).add(1<<i, num&(1<<i))
		}
	}
}

func (n *counter) row(at, key int) *counts {
	if key >= len(n.rows[at]) {
		n.rows[at] = append(n.rows[at], make([]counts, key+1-len(n.rows[at]))...)
	}
	return &n.rows[at][key]
}

func (c *counts) add(den, num uint32) {
	for ; den != 0; den &= den - 1 {
		i := bits.TrailingZeros32(den)
		c[i].den++
		c[i].num += int64(num >> i & 1)
	}
}

func (c *counts) fold(other *counts) {
	for i := range c {
		c[i].den += other[i].den
		c[i].num += other[i].num
	}
}

func (n *counter) figures(named *naming) *Figures {
	out := &Figures{From: n.q.From, To: n.q.To, AsOf: n.q.AsOf, Rules: IndicatorRules, By: map[Dimension][]Line{}}
	for at, dimension := range n.by {
		keyNames := named[dimension].all
		switch dimension {
		case district:
			n.row(at, 0) // even if there is nothing to tell
			keyNames = []string{""}
		case monthly:
			keyNames = n.monthNames
			n.foldStanding(at)
		}
		lines := []Line{}
		for key := range n.rows[at] {
			c := &n.rows[at][key]
			if *c == (counts{}) && dimension != district {
				continue
			}
			l := Line{Key: keyNames[key], Figures: make([]Figure, len(Indicators))}
			for i, d := range Indicators {
				l.Figures[i] = Figure{Indicator: d.Code, Numerator: c[i].num, AsOf: n.q.AsOf, Rules: IndicatorRules}
				if !d.Count {
					l.Figures[i].Denominator = c[i].den
				}
			}
			lines = append(lines, l)
		}
		slices.SortFunc(lines, func(a, b Line) int { return strings.Compare(a.Key, b.Key) })
		out.By[Dimensions[dimension]] = lines
	}
	return out
}

// foldStanding adds what stands at as-of to its month, where the window has it.
func (n *counter) foldStanding(at int) {
	last := len(n.months)
	standing := *n.row(at, last)
	if i := slices.Index(n.monthNames[:last], n.monthNames[last]); i >= 0 {
		n.row(at, i).fold(&standing)
		*n.row(at, last) = counts{}
	}
}

// Of is the figure of an indicator in a line, by its code; zero when there is
// no such line or indicator.
func (f *Figures) Of(d Dimension, key, indicator string) Figure {
	for _, l := range f.By[d] {
		if l.Key == key {
			for _, x := range l.Figures {
				if x.Indicator == indicator {
					return x
				}
			}
		}
	}
	return Figure{}
}
