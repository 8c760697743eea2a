package demo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/geodata"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/heat"
	"lianqin/internal/locate"
)

var shipped = sync.OnceValues(func() (*casework.Procedure, error) {
	catalogue, err := casework.ReadCatalogue(bytes.NewReader(geodata.Departments), bytes.NewReader(geodata.Catalogue))
	if err != nil {
		return nil, err
	}
	editions, err := casework.NewEditions(catalogue.Numbered(1, time.Date(2024, 1, 1, 0, 0, 0, 0, grid.Zone)))
	if err != nil {
		return nil, err
	}
	hours, err := casework.ParseHours(casework.UsualHours)
	if err != nil {
		return nil, err
	}
	calendar, err := casework.ReadCalendar(bytes.NewReader(geodata.Calendar), hours)
	if err != nil {
		return nil, err
	}
	standards, err := casework.ReadStandards(bytes.NewReader(geodata.Standards))
	return &casework.Procedure{Catalogues: editions, Calendar: calendar, Rules: casework.UsualRules(), Standards: standards}, err
})

func procedure(t testing.TB) *casework.Procedure {
	t.Helper()
	p, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func index(t testing.TB) *locate.Index {
	t.Helper()
	g, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return locate.New(g)
}

func newCases(t testing.TB, opt CaseOptions) *Cases {
	t.Helper()
	opt.Index, opt.Procedure = index(t), procedure(t)
	c, err := NewCases(opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bothYears are the published year and the one before it in one book and in
// one index of heat, as a district that began to work with the first of them
// has.
func bothYears(t *testing.T) (*casework.Book, []casework.Fact, *heat.Index) {
	book, facts := casework.NewBook(), []casework.Fact{}
	warm := heat.New()
	if err := warm.Cover(district(t).Bound()); err != nil {
		t.Fatal(err)
	}
	first, x := int64(1), index(t)
	for _, before := range []bool{true, false} {
		c := newCases(t, CaseOptions{Before: before, FirstID: first})
		started := time.Now()
		for h, err := range c.All() {
			if err != nil {
				t.Fatal(err)
			}
			book.Put(&h.Case)
			facts = append(facts, casework.FactsOf(&h.Case)...)
			where, err := geo.Quantise(h.Case.Place.At)
			if err != nil {
				t.Fatal(err)
			}
			if x.LocateCoord(where) != h.Case.Place.Grid {
				t.Fatalf("case %d of grid %d lies in %d", h.Case.ID, h.Case.Place.Grid, x.LocateCoord(where))
			}
			if err := warm.Put(heat.Case{ID: h.Case.ID, At: h.Case.Received, Where: where, Grid: h.Case.Place.GridCode, Street: h.Case.Place.Street,
				Item: h.Case.Item, Channel: string(h.Case.Channel), State: string(h.Case.State)}); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d cases in %s", c.Len(), time.Since(started))
		first += int64(c.Len())
	}
	return book, facts, warm
}

// TestPublishedYear reads every published figure back from the cases, twice:
// from the book and by Tally.
func TestPublishedYear(t *testing.T) {
	if testing.Short() {
		t.Skip("two years of cases")
	}
	book, facts, warm := bothYears(t)
	from := time.Date(FirstYear, 1, 1, 0, 0, 0, 0, grid.Zone)
	year := casework.Query{From: from, To: from.AddDate(1, 0, 0), AsOf: from.AddDate(1, 0, 0), By: []casework.Dimension{casework.WholeDistrict}}
	of := func(q casework.Query, items ...string) [2]*casework.Figures {
		q.Filter.Items = items
		a, err := book.Figures(q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := casework.Tally(q, func(yield func(*casework.Fact) bool) {
			for i := range facts {
				if !yield(&facts[i]) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return [2]*casework.Figures{a, b}
	}
	// As known at the year's end, and whenever later.
	for _, asOf := range []time.Time{year.AsOf, year.AsOf.AddDate(0, 1, 0), year.AsOf.AddDate(3, 0, 0)} {
		q := year
		q.AsOf = asOf
		for _, f := range of(q) {
			got := map[string]string{}
			for _, x := range f.By[casework.WholeDistrict][0].Figures {
				got[x.Indicator] = strings.TrimSuffix(fmt.Sprintf("%d/%d", x.Numerator, x.Denominator), "/0") + " " + x.Percent()
			}
			for indicator, want := range map[string]string{
				"accepted": "298694 298694", "accepted-grid": "287894 287894", "accepted-events": "270082 270082", "accepted-components": "17812 17812",
				"accepted-orders": "10800 10800", "disposal-of-accepted": "287241/287894 99.77 %", "orders-finished": "10301/10800 95.38 %",
				"orders-on-time": "10208/10800 94.52 %", "orders-on-time-of-finished": "10208/10301 99.10 %", "self-handled": "11600 11600",
			} {
				if got[indicator] != want {
					t.Errorf("as of %s: %s is %s, want %s", asOf.Format(time.DateOnly), indicator, got[indicator], want)
				}
			}
		}
	}
	for _, tt := range []struct {
		name     string
		items    []string
		decimals int
		want     string
	}{
		{"street robberies and snatches", []string{Robbery}, 1, "-52.8"},
		{"enforcement", Enforcement, 2, "-37.68"},
		{"street stalls", []string{Stalls}, 2, "-44.65"},
		{"unlicensed medicine", []string{Medicine}, 2, "-50.41"},
	} {
		now, then := of(year, tt.items...), of(year.YearBefore(), tt.items...)
		for i := range now {
			for _, indicator := range []string{"accepted", "accepted-grid"} {
				change, ok := now[i].Of(casework.WholeDistrict, "", indicator).Change(then[i].Of(casework.WholeDistrict, "", indicator).Counted)
				if got := fmt.Sprintf("%.*f", tt.decimals, change*100); !ok || got != tt.want {
					t.Errorf("%s, %s: %s %%, want %s", tt.name, indicator, got, tt.want)
				}
			}
		}
	}
	rate := func(indicator string) float64 {
		r, _ := of(year)[0].Of(casework.WholeDistrict, "", indicator).Rate()
		return r
	}
	for indicator, bounds := range map[string][2]float64{"disposal": {.99, 1}, "disposal-on-time": {.93, .99}, "filing-on-time": {.98, .999}, "dispatch-accurate": {.98, .999}, "rework": {.005, .02}, "extension": {.002, .03}, "closing": {.97, 1}} {
		if r := rate(indicator); r < bounds[0] || r > bounds[1] {
			t.Errorf("%s is %.4f, which is no city's", indicator, r)
		}
	}
	cityOf(t, facts)
	warmAs(t, facts, warm)
}

// warmAs holds the heat of the year against its facts, and looks whether what
// rises as the year ends is found.
func warmAs(t *testing.T, facts []casework.Fact, warm *heat.Index) {
	t.Helper()
	gen := district(t)
	from := time.Date(FirstYear, 1, 1, 0, 0, 0, 0, grid.Zone)
	q := heat.Query{From: from, To: from.AddDate(1, 0, 0), Items: []string{Stalls, newcomer}, Channels: []string{"patrol", "village", "public"},
		States: []string{"closed", "to-check", "in-disposal", "dispatched", "filed", "accepted", "reported", "not-accepted"}}
	want := map[string]int{} // void cases have no facts
	for i := range facts {
		f := &facts[i]
		if at := time.UnixMilli(f.Received); !at.Before(q.From) && at.Before(q.To) && slices.Contains(q.Items, f.Item) && slices.Contains(q.Channels, string(f.Channel)) {
			want[f.Grid]++
		}
	}
	m, err := warm.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, g := range m.Grids {
		got[g.Grid] = g.Count
	}
	if d := cmp.Diff(want, got); d != "" || m.Outside != 0 {
		t.Errorf("heat is not what the facts say, %d outside (-want +got):\n%s", m.Outside, d)
	}
	rising, err := warm.Rising(heat.Rising{Query: heat.Query{To: q.To, Items: []string{newcomer}}})
	if err != nil {
		t.Fatal(err)
	}
	exit := newClimate(newCases(t, CaseOptions{})).exit
	if len(rising) == 0 || rising[0].Grid != gen.Grids()[exit].Code || rising[0].P != 0.01 || rising[0].Weeks != 3 || rising[0].Ratio < 1.5 {
		t.Errorf("rising are %+v, want grid %s since three weeks", rising, gen.Grids()[exit].Code)
	}
	t.Logf("%+v", rising)
}

// cityOf looks whether the year has nights, weekends, a Spring Festival, a
// summer and a town.
func cityOf(t *testing.T, facts []casework.Fact) {
	t.Helper()
	gen := district(t)
	var hours [24]int
	var months, stalls [13]int
	kinds, days, items, grids := map[grid.Kind]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i := range facts {
		f := &facts[i]
		at := time.UnixMilli(f.Received).In(grid.Zone)
		if at.Year() != FirstYear {
			continue
		}
		hours[at.Hour()]++
		months[at.Month()]++
		if f.Item == Stalls {
			stalls[at.Month()]++
		}
		g, _ := gen.GridByCode(f.Grid)
		kinds[g.Kind]++
		days[at.Format(time.DateOnly)]++
		items[f.Item]++
		grids[f.Grid]++
	}
	if len(days) != 365 || len(items) != 151 || len(grids) != 417 {
		t.Errorf("%d days, %d items and %d grids have cases", len(days), len(items), len(grids))
	}
	if hours[10] < 8*hours[3] {
		t.Errorf("at ten there are %d, at three in the night %d", hours[10], hours[3])
	}
	if kinds[grid.Urban]/96 < 4*kinds[grid.Autonomous]/321 {
		t.Errorf("an urban grid has %d, an autonomous %d", kinds[grid.Urban]/96, kinds[grid.Autonomous]/321)
	}
	if stalls[7]*10 < stalls[1]*15 {
		t.Errorf("stalls in July are %d, in January %d", stalls[7], stalls[1])
	}
	if festival, usual := days["2025-01-30"], days["2025-03-13"]; festival*2 > usual {
		t.Errorf("%d on the second day of the year of the snake, %d on a Thursday in March", festival, usual)
	}
	if sunday, monday := days["2025-06-15"], days["2025-06-16"]; sunday*10 > monday*9 {
		t.Errorf("%d on a Sunday, %d on the Monday after", sunday, monday)
	}
	if working := days["2025-09-28"]; working*10 < 9*days["2025-09-25"] {
		t.Errorf("%d on a Sunday that is worked, %d on the Thursday before", working, days["2025-09-25"])
	}
}

// TestEveryCaseHasALife replays a part of each year, and asks the index for
// the grid of each.
func TestEveryCaseHasALife(t *testing.T) {
	x := index(t)
	for _, before := range []bool{true, false} {
		c := newCases(t, CaseOptions{Before: before, FirstID: 1000})
		last, next := int64(0), int64(1000)
		channels, states := map[casework.Channel]int{}, map[casework.State]int{}
		const stretch = 6000
		for _, from := range []int{0, c.Len() - stretch} {
			next = 1000 + int64(from)
			for h, err := range c.Part(from, from+stretch) {
				if err != nil {
					t.Fatal(err)
				}
				replayed, err := casework.Replay(h.Entries)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(h.Case, replayed); d != "" {
					t.Fatalf("case %d replays otherwise:\n%s", h.Case.ID, d)
				}
				if id, ok := x.Locate(h.Case.Place.At); !ok || id != h.Case.Place.Grid {
					t.Fatalf("case %d at %v is of grid %d, and lies in %d", h.Case.ID, h.Case.Place.At, h.Case.Place.Grid, id)
				}
				if at := h.Case.Received.UnixMilli(); h.Case.ID != next || at < last && from == 0 {
					t.Fatalf("case %d of %s comes after case %d", h.Case.ID, h.Case.Received, next-1)
				} else {
					last = at
				}
				next++
				if h.Case.Changed.Before(h.Case.Received) || !h.Case.Changed.Before(c.end) {
					t.Fatalf("case %d changed at %s", h.Case.ID, h.Case.Changed)
				}
				if known := h.Reporter != nil; known == slices.Contains([]casework.Channel{casework.ByPatrol, casework.ByVillage}, h.Case.Channel) {
					t.Fatalf("case %d by %s has reporter %v", h.Case.ID, h.Case.Channel, h.Reporter)
				}
				channels[h.Case.Channel]++
				states[h.Case.State]++
			}
		}
		if len(channels) != len(casework.Channels) {
			t.Errorf("channels are %v", channels)
		}
		if !before && (states[casework.InDisposal] == 0 || states[casework.ToCheck] == 0 || states[casework.Closed] == 0) {
			t.Errorf("as the year ends states are %v", states)
		}
		t.Logf("%v, %v", channels, states)
	}
}

func TestTheSameSeedTheSameCases(t *testing.T) {
	a, b, other := newCases(t, CaseOptions{Seed: 5}), newCases(t, CaseOptions{Seed: 5}), newCases(t, CaseOptions{Seed: 6})
	if !slices.Equal(a.plans, b.plans) {
		t.Fatal("the same seed plans otherwise")
	}
	if slices.Equal(a.plans, other.plans) {
		t.Error("another seed plans the same")
	}
	for i := 0; i < a.Len(); i += 997 {
		x, err := a.history(i)
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.history(i)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(x, y); d != "" {
			t.Fatalf("case %d (-first +second):\n%s", x.Case.ID, d)
		}
	}
}

// TestTheChangesAreTheSmallest holds the numbers of the year before to the
// rule that published tells.
func TestTheChangesAreTheSmallest(t *testing.T) {
	fall := func(now, then, scale int) int { return ((then-now)*2*scale + then) / (2 * then) } // rounded half up
	for _, tt := range []struct {
		name             string
		now, then        int
		scale, want      int
		smallestOfNowToo bool
	}{
		{"robberies", published.robberies, before.robberies, 1000, 528, true},
		{"medicine", published.medicine, before.medicine, 10_000, 5041, true},
		{"stalls", published.stalls, before.stalls, 10_000, 4465, false},
		{"enforcement", published.enforcement, before.enforcement, 10_000, 3768, false},
	} {
		if got := fall(tt.now, tt.then, tt.scale); got != tt.want {
			t.Errorf("%s fell by %d, want %d", tt.name, got, tt.want)
		}
		for then := 1; then < tt.then; then++ {
			least, most := tt.now, tt.now
			if tt.smallestOfNowToo {
				least, most = 0, then-1
			}
			for now := least; now <= most; now++ {
				if fall(now, then, tt.scale) == tt.want {
					t.Errorf("%s: %d → %d is smaller than %d → %d", tt.name, then, now, tt.then, tt.now)
				}
			}
		}
	}
}

// TestTopics: the topics that ship are the items whose changes were published.
func TestTopics(t *testing.T) {
	topics, err := casework.ReadTopics(bytes.NewReader(geodata.Topics))
	if err != nil {
		t.Fatal(err)
	}
	for code, items := range map[string][]string{"robbery": {Robbery}, "enforcement": Enforcement, "stalls": {Stalls}, "medicine": {Medicine}} {
		if got, err := casework.TopicOf(topics, code); err != nil || !slices.Equal(got.Items, items) {
			t.Errorf("%s: %+v, %v, want %v", code, got, err, items)
		}
	}
}

func TestCasesNeedACatalogue(t *testing.T) {
	p := *procedure(t)
	small, err := casework.ReadCatalogue(bytes.NewReader(geodata.Departments), strings.NewReader(
		"code,major_code,major_name,name,kind,lead_department,support_departments,response_minutes,disposal_hours,clock,xiaolianqin_key\n0101,01,公用设施,给水井盖缺损,component,U02,U11,30,4,calendar,0\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from int
		kind fault.Kind
	}{{2020, fault.Invalid}, {2030, fault.NotFound}} {
		if p.Catalogues, err = casework.NewEditions(small.Numbered(1, time.Date(tt.from, 1, 1, 0, 0, 0, 0, grid.Zone))); err != nil {
			t.Fatal(err)
		}
		if _, err := NewCases(CaseOptions{Index: index(t), Procedure: &p}); fault.KindOf(err) != tt.kind {
			t.Errorf("from %d: got %v, want %v", tt.from, err, tt.kind)
		}
	}
}

func BenchmarkCases(b *testing.B) {
	c := newCases(b, CaseOptions{})
	i := 0
	for b.Loop() {
		if _, err := c.history(i % c.Len()); err != nil {
			b.Fatal(err)
		}
		i += 101
	}
}
