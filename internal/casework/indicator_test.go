package casework

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

func year(t testing.TB, y int) Query {
	from := time.Date(y, 1, 1, 0, 0, 0, 0, grid.Zone)
	return Query{From: from, To: from.AddDate(1, 0, 0), AsOf: from.AddDate(1, 1, 0), By: Dimensions}
}

// figuresOf are num/den of every indicator, those of nothing left out.
func figuresOf(l []Figure) map[string]string {
	out := map[string]string{}
	for _, f := range l {
		if f.Numerator != 0 || f.Denominator != 0 {
			out[f.Indicator] = fmt.Sprintf("%d/%d", f.Numerator, f.Denominator)
		}
	}
	return out
}

// TestIndicators: one fact at a time, each with one thing to tell.
func TestIndicators(t *testing.T) {
	at := func(s string) int64 { return local(t, s).UnixMilli() }
	good := Fact{Case: 1, Cycle: 1, Street: streetA, Channel: ByPatrol, Instants: Instants{
		Kind: Event, Received: at("2026-03-02 09:00"), Accepted: at("2026-03-02 09:10"), Filed: at("2026-03-02 09:20"), FileDue: at("2026-03-02 10:10"),
		Dispatched: at("2026-03-02 09:30"), Due: at("2026-03-03 09:30"), Disposed: at("2026-03-03 09:30"), CheckDue: at("2026-03-04 09:30"),
		Closed: at("2026-03-03 12:00"), Final: true}}
	all := map[string]string{"received": "1/0", "accepted": "1/0", "accepted-grid": "1/0", "accepted-events": "1/0", "disposal": "1/1", "disposal-on-time": "1/1",
		"disposal-of-accepted": "1/1", "disposal-on-time-of-accepted": "1/1", "closing": "1/1", "rework": "0/1", "extension": "0/1", "filing-on-time": "1/1", "dispatch-accurate": "1/1"}
	order := Instants{Kind: Event, Hotline: true, Received: at("2026-03-02 09:00"), Accepted: at("2026-03-02 09:10"), OrderDue: at("2026-03-09 09:00")}
	for _, tt := range []struct {
		name   string
		change func(*Fact)
		want   map[string]string // other than all; "" takes away
	}{
		{"all is well, to the very minute", func(*Fact) {}, nil},
		{"a component", func(f *Fact) { f.Kind = Component }, map[string]string{"accepted-events": "", "accepted-components": "1/0"}},
		{"disposed late", func(f *Fact) { f.Disposed++ }, map[string]string{"disposal-on-time": "0/1", "disposal-on-time-of-accepted": "0/1"}},
		{"reopened", func(f *Fact) { f.Cycle = 2 }, map[string]string{"received": ""}},
		{"near its limit", func(f *Fact) {
			f.Disposed, f.Closed, f.CheckDue, f.Due = 0, 0, 0, year(t, 2026).AsOf.Add(119*time.Minute).UnixMilli()
		}, map[string]string{"disposal": "", "disposal-on-time": "", "disposal-of-accepted": "0/1", "disposal-on-time-of-accepted": "0/1", "extension": "",
			"closing": "", "rework": "", "in-disposal": "1/0", "near-limit": "1/1", "overdue-pending": "0/1"}},
		{"never disposed", func(f *Fact) { f.Disposed, f.Closed, f.CheckDue = 0, 0, 0 }, map[string]string{"disposal": "0/1", "disposal-on-time": "0/1",
			"disposal-of-accepted": "0/1", "disposal-on-time-of-accepted": "0/1", "closing": "", "rework": "", "in-disposal": "1/0", "near-limit": "0/1", "overdue-pending": "1/1"}},
		{"suspended", func(f *Fact) {
			f.Disposed, f.Closed, f.CheckDue, f.rare = 0, 0, 0, &rare{paused: [][2]int64{{at("2026-03-02 12:00"), 0}}}
		}, map[string]string{"disposal": "", "disposal-on-time": "", "disposal-of-accepted": "0/1", "disposal-on-time-of-accepted": "0/1", "extension": "", "closing": "", "rework": ""}},
		{"not closed", func(f *Fact) { f.Closed = 0 }, map[string]string{"closing": "0/1"}},
		{"reworked", func(f *Fact) { f.Reworked = at("2026-03-03 10:00") }, map[string]string{"rework": "1/1"}},
		{"extended", func(f *Fact) { f.Extended = at("2026-03-03 08:00") }, map[string]string{"extension": "1/1"}},
		{"filed late", func(f *Fact) { f.FileDue = f.Filed - 1 }, map[string]string{"filing-on-time": "0/1"}},
		{"returned", func(f *Fact) { f.Returned = at("2026-03-02 10:00") }, map[string]string{"dispatch-accurate": "0/1"}},
		{"due in the next year", func(f *Fact) { f.Due = at("2027-01-01 00:00") }, map[string]string{"disposal": "", "disposal-on-time": "", "extension": ""}},
		{"after as-of", func(f *Fact) { f.Disposed, f.Closed = at("2027-02-02 00:00"), at("2027-02-02 00:00") }, map[string]string{"disposal": "0/1", "disposal-on-time": "0/1",
			"disposal-of-accepted": "0/1", "disposal-on-time-of-accepted": "0/1",
			"closing": "0/1", "in-disposal": "1/0", "near-limit": "0/1", "overdue-pending": "1/1"}},
		{"self-handled", func(f *Fact) {
			f.Instants = Instants{Kind: Event, Received: f.Received, Disposed: f.Disposed, Closed: f.Closed, SelfHandled: true, Final: true}
		}, map[string]string{"self-handled": "1/0", "accepted": "", "accepted-grid": "", "accepted-events": "", "disposal": "", "disposal-on-time": "",
			"disposal-of-accepted": "", "disposal-on-time-of-accepted": "", "closing": "", "rework": "", "extension": "", "filing-on-time": "", "dispatch-accurate": ""}},
		{"an order, open", func(f *Fact) { f.Channel, f.Instants = ByHotline, order }, map[string]string{"accepted-grid": "", "accepted-events": "", "accepted-orders": "1/0",
			"disposal": "", "disposal-on-time": "", "disposal-of-accepted": "", "disposal-on-time-of-accepted": "", "closing": "", "rework": "", "extension": "", "filing-on-time": "", "dispatch-accurate": "",
			"orders-finished": "0/1", "orders-on-time": "0/1"}},
		{"an order, late", func(f *Fact) {
			f.Channel, f.Instants = ByHotline, order
			f.OrderFinished = f.OrderDue + 1
		}, map[string]string{"accepted-grid": "", "accepted-events": "", "accepted-orders": "1/0",
			"disposal": "", "disposal-on-time": "", "disposal-of-accepted": "", "disposal-on-time-of-accepted": "", "closing": "", "rework": "", "extension": "", "filing-on-time": "", "dispatch-accurate": "",
			"orders-finished": "1/1", "orders-on-time": "0/1", "orders-on-time-of-finished": "0/1"}},
	} {
		f := good
		tt.change(&f)
		want := map[string]string{}
		for k, v := range all {
			want[k] = v
		}
		for k, v := range tt.want {
			if want[k] = v; v == "" {
				delete(want, k)
			}
		}
		got, err := Tally(year(t, 2026), slices.Values([]*Fact{&f}))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, figuresOf(got.By[WholeDistrict][0].Figures)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if x := got.Of(WholeDistrict, "", "accepted"); !x.AsOf.Equal(year(t, 2026).AsOf) || x.Rules != IndicatorRules {
			t.Errorf("%s: figure %+v does not say when and by which rules", tt.name, x)
		}
	}
}

// TestPublishedFigures: the shape of the published year, as numbers.
func TestPublishedFigures(t *testing.T) {
	for _, tt := range []struct {
		num, den int64
		want     string
	}{{287_241, 287_894, "99.77 %"}, {10_301, 10_800, "95.38 %"}, {10_208, 10_800, "94.52 %"}, {10_208, 10_301, "99.10 %"}, {298_694, 0, "298694"}} {
		if got := (Counted{tt.num, tt.den}).Percent(); got != tt.want {
			t.Errorf("%d of %d is %s, want %s", tt.num, tt.den, got, tt.want)
		}
	}
	if got, ok := (Counted{Numerator: 472}).Change(Counted{Numerator: 1000}); !ok || fmt.Sprintf("%.1f", got*100) != "-52.8" {
		t.Errorf("change %v, %v", got, ok)
	}
	if _, ok := (Counted{Numerator: 1}).Change(Counted{}); ok {
		t.Error("a change from nothing")
	}
	for _, tt := range []struct {
		now, before Counted
		want        string
	}{
		{Counted{17, 0}, Counted{36, 0}, "-52.78 %"}, {Counted{41_300, 0}, Counted{66_266, 0}, "-37.68 %"},
		{Counted{12_460, 0}, Counted{22_510, 0}, "-44.65 %"}, {Counted{60, 0}, Counted{121, 0}, "-50.41 %"},
		{Counted{298_694, 0}, Counted{293_112, 0}, "+1.90 %"}, {Counted{5, 0}, Counted{5, 0}, "0.00 %"}, {Counted{5, 0}, Counted{}, ""},
		{Counted{10_301, 10_800}, Counted{9_312, 9_917}, "+1.48 pp"}, {Counted{1, 3}, Counted{2, 3}, "-33.33 pp"}, {Counted{1, 1}, Counted{0, 0}, ""},
		{Counted{2_999_999, 3_000_000}, Counted{0, 3_000_000}, "+100.00 pp"},
	} {
		if got := tt.now.ChangeText(tt.before); got != tt.want {
			t.Errorf("%v after %v is %q, want %q", tt.now, tt.before, got, tt.want)
		}
	}
}

// walk makes cases by offered actions, and calls each after every entry.
func walk(t *testing.T, p *Procedure, seed uint64, cases, steps int, without []Action, each func(*Case, *Entry)) []*Case {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	actors := modelActors()
	var out []*Case
	for id := range int64(cases) {
		c := Case{ID: id + 1}
		at := local(t, "2025-11-20 09:00").Add(time.Duration(r.IntN(120*24*60)) * time.Minute)
		for range steps {
			at = at.Add(time.Duration(r.IntN(4*3600)) * time.Second)
			a, who := offered(r, &c, Report, actors)
			if slices.Contains(without, a) {
				continue
			}
			next, e, err := p.Apply(c, a, who, at, modelInput(r, a, who, at))
			if err == nil {
				c = next
				each(&c, &e)
			}
		}
		out = append(out, &c)
	}
	return out
}

func factsOfAll(cases []*Case) iter.Seq[*Fact] {
	return func(yield func(*Fact) bool) {
		for _, c := range cases {
			for _, f := range FactsOf(c) {
				if !yield(&f) {
					return
				}
			}
		}
	}
}

// pairs are two dimensions at once, of each kind.
var pairs = []Dimension{Cross(PerStreet, PerMonth), Cross(PerDay, PerHour), Cross(PerGrid, PerItem), Cross(PerMonth, PerChannel), Cross(PerTopic, PerStreet), Cross(PerMonth, PerTopic)}

// TestBook holds the book, told of every step, against all facts at once, and
// each figure against the cases behind it.
func TestBook(t *testing.T) {
	b := NewBook()
	cases := walk(t, modelProcedure(t), 7, 400, 60, nil, func(c *Case, _ *Entry) { b.Put(c) })
	for pass := range 2 {
		for _, month := range []int{-2, 0, 1, 3, 20} {
			from := time.Date(2026, time.Month(1+month), 1, 0, 0, 0, 0, grid.Zone)
			for _, q := range []Query{
				{From: from, To: from.AddDate(0, 1, 0), AsOf: from.AddDate(0, 2, 0)},
				{From: from, To: from.AddDate(0, 3, 0), AsOf: from.AddDate(0, 1, 3)},
				{From: from.AddDate(-1, 0, 0), To: from, AsOf: from.AddDate(9, 0, 0), Filter: Filter{Street: streetB}},
				{From: from.AddDate(-1, 0, 0), To: from.AddDate(1, 0, 0), AsOf: from.AddDate(9, 0, 0), Filter: Filter{Channel: ByHotline, Department: leadA.Code}},
				{From: from, To: from.AddDate(1, 0, 0), AsOf: from.AddDate(9, 0, 0), Filter: Filter{Items: []string{"nothing"}}},
				{From: from.AddDate(-1, 0, 0), To: from.AddDate(1, 0, 0), AsOf: from.AddDate(9, 0, 0), Filter: Filter{Items: []string{"nothing", well}, Street: streetA}},
			} {
				q.By, q.Topics = slices.Concat(Dimensions, pairs), []Topic{{Code: "wells", Items: []string{well}}, {Code: "many", Items: []string{well, "0701", "0802"}}}
				want, err := Tally(q, factsOfAll(cases))
				if err != nil {
					t.Fatal(err)
				}
				got, err := b.Figures(q)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("%+v (-all +book):\n%s", q, d)
				}
				for _, f := range got.By[WholeDistrict][0].Figures {
					den, err := b.Cases(q, f.Indicator, false)
					if err != nil {
						t.Fatal(err)
					}
					num, _ := b.Cases(q, f.Indicator, true)
					if int64(len(num)) != f.Numerator || f.Denominator != 0 && int64(len(den)) != f.Denominator {
						t.Fatalf("%s is %d/%d, and its cases are %d/%d", f.Indicator, f.Numerator, f.Denominator, len(num), len(den))
					}
				}
				sums(t, got)
				if pass == 0 {
					drill(t, b, q, got)
				}
			}
		}
		for _, c := range cases { // told again, nothing is counted twice
			b.Put(c)
		}
	}
	n := 0
	for range factsOfAll(cases) {
		n++
	}
	if b.Len() != n {
		t.Errorf("the book has %d facts, want %d", b.Len(), n)
	}
	if _, err := b.Cases(year(t, 2026), "x", false); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no indicator: %v", err)
	}
	q := year(t, 2026)
	q.To = q.From
	if _, err := b.Figures(q); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no window: %v", err)
	}
}

// drill narrows q down to each line and asks for the cases behind its figures.
func drill(t *testing.T, b *Book, q Query, got *Figures) {
	t.Helper()
	for d, lines := range got.By {
		first, second := d.Parts()
		for i := 0; i < len(lines); i += 1 + len(lines)/2 {
			l, narrow := &lines[i], q
			if !narrowed(&narrow, first, l.Key) || second != "" && !narrowed(&narrow, second, l.Also) {
				continue
			}
			for i, f := range l.Figures {
				if Indicators[i].on == atAsOf && (first.inTime() || second.inTime()) {
					continue // the window does not matter to these
				}
				den, err := b.Cases(narrow, f.Indicator, false)
				if err != nil {
					t.Fatal(err)
				}
				num, _ := b.Cases(narrow, f.Indicator, true)
				if int64(len(num)) != f.Numerator || f.Denominator != 0 && int64(len(den)) != f.Denominator {
					t.Fatalf("%s of %s %q %q is %d/%d, and its cases are %d/%d", f.Indicator, d, l.Key, l.Also, f.Numerator, f.Denominator, len(num), len(den))
				}
			}
		}
	}
}

// narrowed puts one value of a dimension into q; false where it has another
// already.
func narrowed(q *Query, d Dimension, key string) bool {
	if key == "" {
		key = None
	}
	f := &q.Filter
	set := func(s *string) bool {
		ok := *s == "" || *s == key
		*s = key
		return ok
	}
	within := func(from, to time.Time) bool {
		if from.After(q.From) {
			q.From = from
		}
		if to.Before(q.To) {
			q.To = to
		}
		return q.From.Before(q.To)
	}
	switch d {
	case PerStreet:
		return set(&f.Street)
	case PerGrid:
		return set(&f.Grid)
	case PerDepartment:
		return set(&f.Department)
	case PerMajor:
		return set(&f.Major)
	case PerChannel:
		return set((*string)(&f.Channel))
	case PerHour:
		return set(&f.Hour)
	case PerItem:
		f.Items = []string{key}
	case PerTopic:
		of, _ := TopicOf(q.Topics, key)
		if len(f.Items) > 0 {
			return false
		}
		f.Items = of.Items
	case PerMonth:
		at, _ := time.ParseInLocation("2006-01", key, grid.Zone)
		return within(at, at.AddDate(0, 1, 0))
	case PerDay:
		at, _ := time.ParseInLocation(time.DateOnly, key, grid.Zone)
		return within(at, at.AddDate(0, 0, 1))
	}
	return true
}

// sums: the lines of every dimension add up to the district. A month's do so
// but for what stands at an as-of outside the window.
func sums(t *testing.T, got *Figures) {
	t.Helper()
	for d, lines := range got.By {
		if d == PerTopic || strings.Contains(string(d), string(PerTopic)) {
			continue // they overlap
		}
		for i, whole := range got.By[WholeDistrict][0].Figures {
			var num, den int64
			for _, l := range lines {
				num, den = num+l.Figures[i].Numerator, den+l.Figures[i].Denominator
			}
			if num != whole.Numerator || den != whole.Denominator {
				t.Fatalf("%s by %s: %d/%d, the district has %d/%d", whole.Indicator, d, num, den, whole.Numerator, whole.Denominator)
			}
		}
	}
}

// TestAsOf: a figure as of a past instant is what it was then, where nothing
// was taken back since.
func TestAsOf(t *testing.T) {
	histories := map[int64][]Entry{}
	takenBack := []Action{Rework, SendBack, Discard, Reopen, ReturnMisdirected, Reassign, Return}
	cases := walk(t, modelProcedure(t), 8, 300, 60, takenBack, func(c *Case, e *Entry) { histories[c.ID] = append(histories[c.ID], *e) })
	for day := range 30 {
		asOf := local(t, "2025-12-15 12:00").AddDate(0, 0, 5*day)
		q := Query{From: asOf.AddDate(0, -1, 0), To: asOf.AddDate(0, 1, 0), AsOf: asOf, By: []Dimension{WholeDistrict, PerMonth, PerStreet}}
		var then []*Case
		for _, c := range cases {
			past := histories[c.ID]
			for len(past) > 0 && past[len(past)-1].At.After(asOf) {
				past = past[:len(past)-1]
			}
			was, err := Replay(past)
			if err != nil {
				t.Fatal(err)
			}
			then = append(then, &was)
		}
		want, _ := Tally(q, factsOfAll(then))
		got, _ := Tally(q, factsOfAll(cases))
		// Where a case lies may have been corrected since: by district alone.
		if d := cmp.Diff(want.By[WholeDistrict], got.By[WholeDistrict]); d != "" {
			t.Fatalf("as of %s (-then +in retrospect):\n%s", asOf, d)
		}
	}
}

func TestYearBefore(t *testing.T) {
	got, want := year(t, 2026).YearBefore(), year(t, 2025)
	if !got.From.Equal(want.From) || !got.To.Equal(want.To) || !got.AsOf.Equal(want.AsOf) {
		t.Errorf("%s to %s as of %s", got.From, got.To, got.AsOf)
	}
}

func TestSample(t *testing.T) {
	var cases []int64
	for i := range int64(1000) {
		cases = append(cases, i*7)
	}
	want := Sample("2026-03 spot check", 50, cases)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	if got := Sample("2026-03 spot check", 50, cases); !slices.Equal(got, want) || len(got) != 50 {
		t.Errorf("another order gives another sample: %v and %v", want, got)
	}
	if got := Sample("another", 50, cases); slices.Equal(got, want) {
		t.Error("another seed gives the same sample")
	}
	kept := 0
	for _, id := range Sample("2026-03 spot check", 50, append(cases, 3)) {
		if slices.Contains(want, id) {
			kept++
		}
	}
	if kept < 49 {
		t.Errorf("one more case leaves %d of 50", kept)
	}
	if got := Sample("x", 5, []int64{3, 1, 3}); !slices.Equal(got, []int64{1, 3}) {
		t.Errorf("of three: %v", got)
	}
}

// TestOrdersAreImported reads 12345 orders and reports them.
func TestOrdersAreImported(t *testing.T) {
	m, err := ReadMapping(strings.NewReader(`{"number":"工单编号","item":"事项","text":"诉求","created":"派单时间","days":"办理时限","layout":"2006-01-02 15:04",
		"items":{"井盖":"0101"},"channels":{"":"12345"}}`))
	if err != nil {
		t.Fatal(err)
	}
	rows, bad, err := ReadForeign(strings.NewReader("工单编号,派单时间,办理时限,事项,诉求\nSH1,2026-02-13 16:00,5,井盖,井盖缺了\nSH2,2026-02-13 16:00,五,井盖,x\n"), m)
	if err != nil || len(rows) != 1 || len(bad) != 1 || !strings.Contains(bad[0].Error.Error(), "line 3, column 办理时限") {
		t.Fatalf("%+v, %v, %v", rows, bad, err)
	}
	c, _, err := procedure(t).Apply(Case{ID: 1}, Report, actor(Hotline), local(t, "2026-02-13 17:00"), rows[0].Report())
	if err != nil {
		t.Fatal(err)
	}
	if c.Order.Number != "SH1" || c.Item != well || c.Text != "井盖缺了" || !c.Order.Due.Equal(local(t, "2026-02-27 16:00")) {
		t.Errorf("%+v, order %+v", c, c.Order)
	}
}

func TestMappingMistakes(t *testing.T) {
	for _, tt := range []struct{ name, mapping, want string }{
		{"no JSON", "{", "mapping"},
		{"an unknown field", `{"numbr":"a"}`, "numbr"},
		{"nothing", `{}`, "number"},
		{"no offset", `{"number":"a","item":"b","created":"c","layout":"2006","offset":"EST"}`, "offset"},
		{"half a position", `{"number":"a","item":"b","created":"c","layout":"2006","lon":"x"}`, "lat"},
	} {
		if _, err := ReadMapping(strings.NewReader(tt.mapping)); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	m := &Mapping{Number: "n", Item: "i", Created: "c", Due: "d", Lon: "x", Lat: "y", Layout: time.DateOnly}
	if _, _, err := ReadForeign(strings.NewReader("n,i\n"), m); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a column is missing: %v", err)
	}
	rows, bad, err := ReadForeign(strings.NewReader("n,i,c,d,x,y\n1,a,2026-01-01,,1,2\n1,a,2026-01-01,,1,2\n2,a,soon,,1,2\n3,a,2026-01-01,2026-01-02,1,95\n4,,2026-01-01,,1,2\n5,a,2026-01-02,,1,2\n"), m)
	if err != nil || len(rows) != 2 || len(bad) != 4 || rows[1].Number != "5" || rows[1].Line != 7 {
		t.Fatalf("%+v, %v, %v", rows, bad, err)
	}
	for i, want := range []string{"line 3, column n", "line 4, column c", "line 5, column x", "line 6, column i"} {
		if !strings.Contains(bad[i].Error.Error(), want) {
			t.Errorf("row %d: %v, want %q", i, bad[i].Error, want)
		}
	}
}

func FuzzReadForeign(f *testing.F) {
	f.Add("n,i,c,d,x,y\n1,a,2026-01-01,,1,2\n")
	m := &Mapping{Number: "n", Item: "i", Created: "c", Due: "d", Lon: "x", Lat: "y", Layout: time.DateOnly, Channels: map[string]Channel{"": ByPublic}}
	p := procedure(f)
	f.Fuzz(func(t *testing.T, table string) {
		rows, bad, err := ReadForeign(strings.NewReader(table), m)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("kind %v of %v", fault.KindOf(err), err)
		}
		for i := range rows {
			h, err := rows[i].History(p, nil)
			if err == nil {
				_, err = h.Check(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
			}
			if err != nil && fault.KindOf(err) != fault.Invalid {
				t.Fatalf("kind %v of %v", fault.KindOf(err), err)
			}
		}
		for _, u := range bad {
			if fault.KindOf(u.Error) != fault.Invalid || u.Line < 2 {
				t.Fatalf("line %d: %v", u.Line, u.Error)
			}
		}
	})
}

func FuzzReadStandards(f *testing.F) {
	f.Add("code,version,from,name\nB01,1,2020-01-01,处理事件、部件工作内容纲要\nB01,2,2024-01-01,x\n")
	f.Fuzz(func(t *testing.T, table string) {
		r, err := ReadStandards(strings.NewReader(table))
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("kind %v of %v", fault.KindOf(err), err)
			}
			return
		}
		for _, s := range r.Standards() {
			if got, err := r.At(s.Code, s.From); err != nil || got != s {
				t.Fatalf("%+v at its beginning is %+v, %v", s, got, err)
			}
		}
	})
}

// manyFacts fills a book with years like the published one.
func manyFacts(b *testing.B, years int) *Book {
	r := rand.New(rand.NewPCG(1, 9))
	book := NewBook()
	id := int64(0)
	for y := range years {
		from := time.Date(2026-y, 1, 1, 0, 0, 0, 0, grid.Zone).UnixMilli()
		for range 298_694 {
			id++
			at := from + r.Int64N(365*24*hour)
			street := r.IntN(12)
			f := Fact{Case: id, Cycle: 1, Street: fmt.Sprint("3101140", street), Grid: fmt.Sprint("3101140", street, "A", r.IntN(35)), Department: fmt.Sprint("D", r.IntN(200)),
				Item: fmt.Sprintf("%02d%02d", r.IntN(10), r.IntN(15)), Channel: ByPatrol, Instants: Instants{Kind: Event,
					Received: at, Accepted: at + 10*minute, Filed: at + 20*minute, FileDue: at + 70*minute, Dispatched: at + 30*minute, Due: at + 24*hour,
					Disposed: at + r.Int64N(26*hour), CheckDue: at + 40*hour, Closed: at + 30*hour, Final: true}}
			f.Major = f.Item[:2]
			if r.IntN(28) == 0 {
				f.Channel, f.Hotline, f.OrderDue, f.OrderFinished = ByHotline, true, at+100*hour, at+90*hour
			}
			if r.IntN(400) == 0 {
				f.Disposed, f.Closed, f.Final = 0, 0, false
			}
			book.PutFacts(id, []Fact{f})
		}
	}
	return book
}

func BenchmarkFiguresOfAYear(b *testing.B) {
	for _, years := range []int{1, 10} {
		book := manyFacts(b, years)
		for by, dimensions := range map[string][]Dimension{"all": Dimensions, "district": {WholeDistrict}, "street-by-month": {Cross(PerStreet, PerMonth)}} {
			b.Run(fmt.Sprint(years, "-years-by-", by), func(b *testing.B) {
				q := year(b, 2026)
				q.By = dimensions
				for b.Loop() {
					if _, err := book.Figures(q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkApply(b *testing.B) {
	p := procedure(b)
	c := Case{ID: 1}
	c, _, err := p.Apply(c, Report, actor(Patrol), local(b, "2026-02-11 08:50"), intake(ByPatrol, well, "2026-02-11 08:45", b))
	if err != nil {
		b.Fatal(err)
	}
	at := local(b, "2026-02-11 08:55")
	for b.Loop() {
		if _, _, err := p.Apply(c, Accept, actor(Clerk), at, Input{}); err != nil {
			b.Fatal(err)
		}
	}
}
