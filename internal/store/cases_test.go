package store

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"lianqin/geodata"
	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/evidence"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/store/storetest"
)

// office is a desk on a small district, with a clock that tests turn.
type office struct {
	*casework.Desk
	t      testing.TB
	store  *Store
	mu     sync.Mutex
	now    time.Time
	photos int
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

// deskOf opens a desk; the district is entered when there is none.
func deskOf(t testing.TB, s *Store) *office { return deskWith(t, s) }

// deskWith is deskOf for those who watch.
func deskWith(t testing.TB, s *Store, watchers ...func(*casework.Kept)) *office {
	t.Helper()
	a := atlas(t, s)
	if _, ok := a.Current(); !ok {
		publish(t, a, enter(t, a, 1), day(2020, 1, 1))
	}
	o := &office{t: t, store: s, now: time.Date(2026, 3, 3, 9, 0, 0, 0, grid.Zone)}
	cat, err := casework.ReadCatalogue(bytes.NewReader(geodata.Departments), bytes.NewReader(geodata.Catalogue))
	if err != nil {
		t.Fatal(err)
	}
	hours, err := casework.ParseHours(casework.UsualHours)
	if err != nil {
		t.Fatal(err)
	}
	days, err := casework.ReadCalendar(bytes.NewReader(geodata.Calendar), hours)
	if err != nil {
		t.Fatal(err)
	}
	standards, err := casework.ReadStandards(bytes.NewReader(geodata.Standards))
	if err != nil {
		t.Fatal(err)
	}
	o.Desk, err = casework.OpenDesk(t.Context(), s.Cases(), casework.DeskConfig{Indexes: locate.NewIndexes(a), Rules: casework.UsualRules(),
		Standards: standards, Hours: hours, Catalogue: cat, Calendar: days, Now: o.clock, Watchers: watchers})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

const unlawfulBuilding = "0801" // led by the street's enforcement team

var (
	inStreet1 = orb.Point{121.115, 31.205}
	patrolman = []casework.Actor{{ID: "device:1", Role: casework.Patrol}}
	checker   = []casework.Actor{{ID: "device:2", Role: casework.Patrol}}
	centre    = []casework.Actor{{ID: "li", Role: casework.Clerk}, {ID: "li", Role: casework.ShiftLeader}, {ID: "li", Role: casework.Dispatcher}}
	team      = []casework.Actor{{ID: "zhao", Role: casework.Handler, Department: "310114001-S02"}}
)

// photo is a photo that somebody has just sent.
func (o *office) photo() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.photos++
	name := fmt.Sprintf("desk%p.photo%d", o, o.photos)
	if err := o.store.Evidence().EnterFile(o.t.Context(), sent(name, o.now), 1<<40); err != nil {
		o.t.Error(err)
	}
	return []string{name}
}

func sent(name string, at time.Time) evidence.File {
	return evidence.File{Name: name, Type: evidence.JPEG, Size: 2000, ThumbSize: 1000, Width: 40, Height: 30, SHA256: strings.Repeat("0a", 32), Sender: "device:1", Received: at}
}

func (o *office) seen(item string, at orb.Point) casework.Arrival {
	return casework.Arrival{By: patrolman, Item: item, Position: &casework.Position{At: at, AccuracyM: 8},
		Intake: casework.Intake{Channel: casework.ByPatrol, Captured: o.clock().Add(-time.Minute), Text: "墙外堆物"}, Evidence: o.photo()}
}

func (o *office) open(t testing.TB, a casework.Arrival) casework.Case {
	t.Helper()
	out, err := o.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return out.Case
}

// do takes an action by whom it is for.
func (o *office) do(t testing.TB, c casework.Case, a casework.Action, by []casework.Actor, in casework.Input) casework.Case {
	t.Helper()
	o.pass(10 * time.Minute)
	r, err := o.Act(t.Context(), casework.Deed{Case: c.ID, Seq: c.Seq, By: by, Action: a, Input: in})
	if err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	return r.Case
}

// through takes a case all the way.
func (o *office) through(t testing.TB, c casework.Case, steps int) casework.Case {
	t.Helper()
	for _, s := range []struct {
		action casework.Action
		by     []casework.Actor
		in     casework.Input
	}{
		{casework.Accept, centre, casework.Input{}},
		{casework.File, centre, casework.Input{}},
		{casework.Dispatch, centre, casework.Input{}},
		{casework.Take, team, casework.Input{}},
		{casework.Dispose, team, casework.Input{Text: "已拆除", Evidence: o.photo()}},
		{casework.Check, checker, casework.Input{Evidence: o.photo()}},
		{casework.Close, centre, casework.Input{}},
	}[:steps] {
		c = o.do(t, c, s.action, s.by, s.in)
	}
	return c
}

func TestACaseIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		opened, err := o.Open(t.Context(), o.seen(unlawfulBuilding, inStreet1))
		if err != nil {
			t.Fatal(err)
		}
		if w := opened.Outcome.Assignment; w == nil || w.Lead.Code != "310114001-S02" || w.Why.GridCode != "310114001U02" || w.Why.BorderM <= 0 {
			t.Errorf("to whom it will go: %+v", opened.Outcome)
		}
		c := o.through(t, opened.Case, 7)
		if got := ids(t, o.Desk, casework.Search{Party: "D05"}); got != nil {
			t.Errorf("a department still has a part in what is closed: %v", got)
		}
		if c.State != casework.Closed || c.Seq != 8 {
			t.Fatalf("%+v", c)
		}
		r, err := o.Case(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, r.Case); diff != "" {
			t.Errorf("kept otherwise: %s", diff)
		}
		if len(r.Entries) != 8 || r.Entries[3].Input.Assignment.Why.Catalogue != 1 {
			t.Errorf("history: %+v", r.Entries)
		}

		// Another process sees the same, with the same figures.
		other := deskOf(t, s)
		if diff := cmp.Diff(figures(t, o.Desk), figures(t, other.Desk)); diff != "" {
			t.Errorf("another process: %s", diff)
		}
		if got := figures(t, other.Desk).Of(casework.WholeDistrict, "", "disposal-of-accepted"); got.Numerator != 1 || got.Denominator != 1 {
			t.Errorf("disposed: %+v", got)
		}
		second := o.open(t, o.seen(unlawfulBuilding, inStreet1))
		o.do(t, second, casework.Accept, centre, casework.Input{})
		if err := other.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(figures(t, o.Desk), figures(t, other.Desk)); diff != "" {
			t.Errorf("another process later: %s", diff)
		}

		// Everything is in the audit chain, and the chain is whole.
		var actions []string
		var chain auth.Verifier
		head, err := s.Accounts().Audit(t.Context(), auth.AuditQuery{}, func(e auth.Entry) error {
			if strings.HasPrefix(e.Action, "case.") {
				actions = append(actions, e.Action+" "+e.Subject+" "+e.Who)
			}
			return chain.Next(e)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := chain.End(head); err != nil || len(actions) != 10 || actions[3] != "case.dispatch 1 li" {
			t.Errorf("%v: %q", err, actions)
		}
	})
}

func figures(t testing.TB, d *casework.Desk) *casework.Figures {
	t.Helper()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, grid.Zone)
	f, err := d.Figures(casework.Query{From: from, To: from.AddDate(1, 0, 0), AsOf: from.AddDate(1, 0, 0), By: casework.Dimensions})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestActRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		o := deskOf(t, open(t, url))
		c := o.open(t, o.seen(unlawfulBuilding, inStreet1))
		for _, tt := range []struct {
			name  string
			deed  casework.Deed
			kind  fault.Kind
			field string
		}{
			{"no such case", casework.Deed{Case: 99, Seq: 1, By: centre, Action: casework.Accept}, fault.NotFound, ""},
			{"an old view of it", casework.Deed{Case: 1, Seq: 0, By: centre, Action: casework.Accept}, fault.Conflict, "seq"},
			{"no action", casework.Deed{Case: 1, Seq: 1, By: centre, Action: "eat"}, fault.Invalid, "action"},
			{"not now", casework.Deed{Case: 1, Seq: 1, By: centre, Action: casework.Close}, fault.Conflict, ""},
			{"a role that never does it", casework.Deed{Case: 1, Seq: 1, By: patrolman, Action: casework.Accept}, fault.Denied, ""},
			{"nobody", casework.Deed{Case: 1, Seq: 1, Action: casework.Accept}, fault.Denied, ""},
			{"without a reason", casework.Deed{Case: 1, Seq: 1, By: centre, Action: casework.NotAccept}, fault.Invalid, "text"},
			{"of no use", casework.Deed{Case: 1, Seq: 1, By: centre, Action: casework.Accept, Lead: "U02"}, fault.Invalid, "lead"},
			{"outside", casework.Deed{Case: 1, Seq: 1, By: centre, Action: casework.Accept, Position: &casework.Position{At: orb.Point{120, 30}}}, fault.Invalid, "position"},
		} {
			_, err := o.Act(t.Context(), tt.deed)
			if fault.KindOf(err) != tt.kind || fault.FieldOf(err) != tt.field {
				t.Errorf("%s: %v, want %s of %q", tt.name, err, tt.kind, tt.field)
			}
		}
		if r, err := o.Case(t.Context(), c.ID); err != nil || r.Case.Seq != 1 {
			t.Errorf("what was refused is there: %+v, %v", r, err)
		}
	})
}

// TestOnlyOneIsFirst: of many who act on the same view of a case, one does.
func TestOnlyOneIsFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		o := deskOf(t, open(t, url))
		c := o.open(t, o.seen(unlawfulBuilding, inStreet1))
		errs := make([]error, 12)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = o.Act(context.Background(), casework.Deed{Case: c.ID, Seq: 1, By: centre, Action: casework.Accept})
			})
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if fault.KindOf(err) != fault.Conflict || fault.FieldOf(err) != "seq" {
				t.Error(err)
			}
		}
		if done != 1 {
			t.Errorf("%d were first", done)
		}
	})
}

func TestQueues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		for i := range 9 {
			c := o.open(t, o.seen(unlawfulBuilding, orb.Point{121.105 + float64(i%3)*0.01, 31.205 + float64(i/3)*0.01}))
			if i < 5 {
				c = o.through(t, c, min(i, 3))
			}
			if i == 8 {
				o.do(t, c, casework.NotAccept, centre, casework.Input{Text: "重复"})
			}
		}
		for _, tt := range []struct {
			name string
			q    casework.Search
			want []int64
		}{
			{"all that is open", casework.Search{}, []int64{1, 2, 3, 4, 5, 6, 7, 8}},
			{"a street", casework.Search{Street: "310114001"}, []int64{1, 2, 3}},
			{"a grid", casework.Search{Grid: "310114001U02"}, []int64{2}},
			{"its centre", casework.Search{Centre: new("310114002")}, []int64{4, 5, 6}},
			{"a state", casework.Search{State: casework.Reported}, []int64{1, 6, 7, 8}},
			{"what is not accepted", casework.Search{State: casework.NotAccepted}, []int64{9}},
			{"what is over", casework.Search{Closed: true}, []int64{9}},
			{"a department's", casework.Search{Department: "310114002-S02"}, []int64{4, 5}},
			{"where a department helps", casework.Search{Party: "310114002-S06"}, []int64{4, 5}},
			{"where the lead helps", casework.Search{Party: "310114002-S02"}, nil},
			{"nobody's", casework.Search{Department: "U02"}, nil},
			{"an item", casework.Search{Item: "0101"}, nil},
			{"an overlay", casework.Search{Overlay: casework.Suspended}, nil},
			{"a channel", casework.Search{Channel: casework.ByPublic}, nil},
		} {
			got := ids(t, o.Desk, tt.q)
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
			}
		}
		found, err := o.Find(t.Context(), casework.Search{})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range found.Records[1:] {
			a, b := casework.CursorOf(&found.Records[i].Case), casework.CursorOf(&r.Case)
			if a.Due > b.Due || a.Due == b.Due && a.Case >= b.Case {
				t.Errorf("%+v before %+v", a, b)
			}
		}
		// In the order of what is due, and page by page the same as at once.
		for _, q := range []casework.Search{{}, {Closed: true}, {Street: "310114002"}} {
			whole, q2 := ids(t, o.Desk, q), q
			var paged []int64
			for {
				q2.Limit = 2
				page, err := o.Find(t.Context(), q2)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					paged = append(paged, r.Case.ID)
				}
				if !page.More {
					break
				}
				q2.After, err = casework.ParseCursor(casework.CursorOf(&page.Records[len(page.Records)-1].Case).String())
				if err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(paged, whole) {
				t.Errorf("%+v by pages: %v, want %v", q, paged, whole)
			}
		}
		now := o.clock()
		counts, err := o.Find(t.Context(), casework.Search{Street: "310114001", Count: true, AsOf: now, Within: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		n, overdue := 0, 0
		for _, c := range counts.Counts {
			n, overdue = n+c.N, overdue+c.Overdue
		}
		late := ids(t, o.Desk, casework.Search{Street: "310114001", DueTo: now})
		if n != 3 || overdue != len(late) || overdue == 0 {
			t.Errorf("%d open, %d of them overdue, %v: %+v", n, overdue, late, counts.Counts)
		}
	})
}

func ids(t *testing.T, d *casework.Desk, q casework.Search) []int64 {
	t.Helper()
	found, err := d.Find(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []int64
	for _, r := range found.Records {
		out = append(out, r.Case.ID)
	}
	return out
}

func TestDuplicateHint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		o := deskOf(t, open(t, url))
		first := o.open(t, o.seen(unlawfulBuilding, inStreet1))
		o.pass(time.Hour)
		near := orb.Point{inStreet1[0] + 0.0002, inStreet1[1]} // 19 m
		again, err := o.Open(t.Context(), o.seen(unlawfulBuilding, near))
		if err != nil || len(again.Duplicates) != 1 || again.Duplicates[0].Case != first.ID || again.Duplicates[0].DistanceM > 20 {
			t.Errorf("%+v, %v", again.Duplicates, err)
		}
		o.pass(48 * time.Hour)
		later, err := o.Open(t.Context(), o.seen(unlawfulBuilding, near))
		if err != nil || len(later.Duplicates) != 0 {
			t.Errorf("two days later: %+v, %v", later.Duplicates, err)
		}
		other, err := o.Open(t.Context(), o.seen("0802", near))
		if err != nil || len(other.Duplicates) != 0 {
			t.Errorf("another item: %+v, %v", other.Duplicates, err)
		}
	})
}

func TestReporterIsKeptApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		a := o.seen(unlawfulBuilding, inStreet1)
		a.By, a.Intake.Channel = centre, casework.ByPublic
		want := casework.Reporter{Name: "陈女士", Contact: "13900000000"}
		a.Reporter = &want
		c := o.open(t, a)
		r, err := o.Case(t.Context(), c.ID)
		if err != nil || strings.Contains(fmt.Sprintf("%+v", r), want.Contact) {
			t.Errorf("the case tells who reported it: %+v, %v", r, err)
		}
		if got, err := o.Reporter(t.Context(), c.ID, centre); err != nil || got != want {
			t.Errorf("the centre: %+v, %v", got, err)
		}
		for name, who := range map[string][]casework.Actor{"a patrol": patrolman, "a department that does not lead": team, "another street": {{ID: "x", Role: casework.Clerk, Street: "310114002"}}} {
			if _, err := o.Reporter(t.Context(), c.ID, who); fault.KindOf(err) != fault.Denied {
				t.Errorf("%s: %v", name, err)
			}
		}
		looks := 0
		_, err = s.Accounts().Audit(t.Context(), auth.AuditQuery{Action: "case.reporter"}, func(auth.Entry) error { looks++; return nil })
		if err != nil || looks != 1 {
			t.Errorf("%d looks in the audit chain, %v", looks, err)
		}
		anonymous := o.open(t, o.seen(unlawfulBuilding, inStreet1))
		if _, err := o.Reporter(t.Context(), anonymous.ID, centre); fault.KindOf(err) != fault.NotFound {
			t.Errorf("nobody gave a name: %v", err)
		}
	})
}

func TestOrdersAreImportedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		o := deskOf(t, open(t, url))
		m, err := casework.ReadMapping(strings.NewReader(`{"number":"工单号","item":"事项","text":"内容","created":"签发","days":"天","lon":"x","lat":"y","layout":"2006-01-02 15:04","channels":{"":"12345"}}`))
		if err != nil {
			t.Fatal(err)
		}
		rows, bad, err := casework.ReadForeign(strings.NewReader("工单号,事项,内容,签发,天,x,y\n"+
			"A1,0801,违建,2026-03-02 08:00,5,121.115,31.205\nA2,0802,噪声,2026-03-02 09:00,1,,\nA3,0801,违建,2026-03-02 08:00,7,121.115,31.205\nA4,0801,违建,2026-03-02 08:00,5,120,30\n"), m)
		if err != nil || len(bad) != 0 {
			t.Fatal(err, bad)
		}
		by := []casework.Actor{{ID: "li", Role: casework.Hotline}}
		got, err := o.ImportOrders(t.Context(), by, rows)
		if err != nil || got.Added != 2 || got.Known != 0 || len(got.Rejected) != 2 || fault.FieldOf(got.Rejected[0].Error) != "order.days" || fault.FieldOf(got.Rejected[1].Error) != "position" {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err = o.ImportOrders(t.Context(), by, rows); err != nil || got.Added != 0 || got.Known != 2 {
			t.Errorf("again: %+v, %v", got, err)
		}
		if n := len(ids(t, o.Desk, casework.Search{})); n != 2 {
			t.Errorf("%d cases", n)
		}
		// Two imports at once, in two processes, say.
		a := casework.Arrival{By: by, Intake: casework.Intake{Channel: casework.ByHotline, Captured: o.clock(), Text: "x",
			Order: &casework.Order{Number: "B1", Days: 1, Issued: o.clock()}}}
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = o.Open(context.Background(), a) })
		}
		wg.Wait()
		entered := 0
		for _, err := range errs {
			if err == nil {
				entered++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		}
		if entered != 1 {
			t.Errorf("%d entered", entered)
		}
	})
}

func TestSettingIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		other := deskOf(t, s) // does not begin anew
		first := o.Procedure().Catalogues.Versions()
		if len(first) != 1 || first[0].Number() != 1 {
			t.Fatalf("%+v", first)
		}
		item, err := first[0].Item(unlawfulBuilding)
		if err != nil {
			t.Fatal(err)
		}
		changed := *item
		changed.ResponseMinutes = 45
		from := o.clock().Add(24 * time.Hour)
		diff, err := o.EditCatalogue(t.Context(), from, casework.Edit{Items: []casework.Item{changed}})
		if err != nil || len(diff) != 1 || diff[0].Column != "response_minutes" || diff[0].After != "45" {
			t.Fatalf("%+v, %v", diff, err)
		}
		if _, err := o.EditCatalogue(t.Context(), o.clock().Add(-time.Hour), casework.Edit{}); fault.FieldOf(err) != "from" {
			t.Errorf("in the past: %v", err)
		}
		if _, err := o.ImportCatalogue(t.Context(), from.Add(time.Hour), o.Procedure().Catalogues.Versions()[1]); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the same again: %v", err)
		}
		hours, err := casework.ParseHours(casework.UsualHours)
		if err != nil {
			t.Fatal(err)
		}
		days, err := casework.ReadCalendar(strings.NewReader("date,kind,name\n2031-01-01,holiday,元旦\n"), hours)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.ImportCalendar(t.Context(), days); err != nil {
			t.Fatal(err)
		}
		if err := o.ImportCalendar(t.Context(), days); fault.KindOf(err) != fault.Conflict {
			t.Errorf("again: %v", err)
		}
		standards, err := casework.ReadStandards(strings.NewReader("code,version,from,name\nB01,2,2024-03-01,纲要\nB09,1,2020-01-01,\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := o.ImportStandards(t.Context(), standards); err != nil {
			t.Fatal(err)
		}
		if err := o.ImportStandards(t.Context(), standards); fault.KindOf(err) != fault.Conflict {
			t.Errorf("again: %v", err)
		}
		if err := o.Turn(t.Context(), true, "li", "暴雨"); err != nil {
			t.Fatal(err)
		}
		if err := o.Turn(t.Context(), true, "li", "暴雨"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("turned twice: %v", err)
		}
		if err := other.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*casework.Desk{o.Desk, other.Desk} {
			p := d.Procedure()
			v := p.Catalogues.Versions()
			if len(v) != 2 || v[1].Hash() == v[0].Hash() || !v[1].From().Equal(from) || !slices.Contains(p.Calendar.Years(), 2031) || !slices.Contains(p.Calendar.Years(), 2026) || !p.Modes.Emergency(o.clock()) {
				t.Errorf("%+v %v %+v", v, p.Calendar.Years(), p.Modes)
			}
			if s, err := p.Standards.At("B01", o.clock()); err != nil || s.Version != 2 || len(p.Standards.Standards()) != 7 {
				t.Errorf("%+v, %v", p.Standards.Standards(), err)
			}
		}
		if c := o.open(t, o.seen(unlawfulBuilding, inStreet1)); !c.Emergency {
			t.Error("a case of the emergency goes by the usual limits")
		}
	})
}

func TestRulingsArePrecedents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		street := []casework.Actor{{ID: "wang", Role: casework.ShiftLeader, Street: "310114001"}}
		c := o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), 4)
		c = o.do(t, c, casework.AskCoordination, street, casework.Input{Text: "不属我队", Kind: "meeting"})
		o.pass(time.Minute)
		r, err := o.Act(t.Context(), casework.Deed{Case: c.ID, Seq: c.Seq, By: centre, Action: casework.Reassign, Lead: "310114001-S03", Input: casework.Input{Text: "由该所负责"}})
		if err != nil {
			t.Fatal(err)
		}
		c = o.do(t, r.Case, casework.Dispatch, centre, casework.Input{})
		if c.Cycle.Lead.Code != "310114001-S03" || c.Cycle.Why.Why.Basis != casework.ByPrecedent {
			t.Errorf("after the ruling: %+v", c.Cycle.Why)
		}
		near := orb.Point{inStreet1[0] + 0.0002, inStreet1[1]}
		for _, d := range []*office{o, deskOf(t, s)} {
			next, err := d.Open(t.Context(), d.seen(unlawfulBuilding, near))
			if err != nil || next.Outcome.Assignment == nil || next.Outcome.Assignment.Why.Precedent != c.ID || next.Outcome.Assignment.Lead.Code != "310114001-S03" {
				t.Errorf("near by: %+v, %v", next, err)
			}
		}
	})
}

// TestDispatchAsksOnce: where the accuracy crosses into another street, the
// dispatcher is asked, and his answer is kept.
func TestDispatchAsksOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		o := deskOf(t, open(t, url))
		a := o.seen(unlawfulBuilding, orb.Point{121.115, 31.2098})
		a.Position.AccuracyM = 300
		opened, err := o.Open(t.Context(), a)
		if err != nil || opened.Outcome.Assignment != nil || len(opened.Outcome.Candidates) < 2 {
			t.Fatalf("%+v, %v", opened, err)
		}
		c := o.through(t, opened.Case, 2)
		_, err = o.Act(t.Context(), casework.Deed{Case: c.ID, Seq: c.Seq, By: centre, Action: casework.Dispatch})
		q, ok := err.(*casework.Question)
		if !ok || fault.KindOf(err) != fault.Conflict || len(q.Candidates) < 2 {
			t.Fatalf("%v", err)
		}
		chosen := q.Candidates[1]
		r, err := o.Act(t.Context(), casework.Deed{Case: c.ID, Seq: c.Seq, By: centre, Action: casework.Dispatch, Answer: chosen.Grid})
		if err != nil || r.Case.Cycle.Lead.Code != chosen.Lead.Code || r.Case.Cycle.Why.Why.Basis != casework.ByAnswer {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := o.Act(t.Context(), casework.Deed{Case: 1, Seq: 4, By: team, Action: casework.AddNote, Lead: "x", Input: casework.Input{Text: "x"}}); fault.FieldOf(err) != "lead" && fault.KindOf(err) != fault.Denied {
			t.Errorf("%v", err)
		}
	})
}

// TestHistoriesAreKept: nothing changes or deletes what was done.
func TestHistoriesAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		o.open(t, o.seen(unlawfulBuilding, inStreet1))
		for _, query := range []string{`DELETE FROM case_history`, `UPDATE case_history SET seq = 2`, `DELETE FROM case_file`, `UPDATE catalogue SET items = ''`} {
			_, err := s.writer.ExecContext(t.Context(), query)
			if fault.KindOf(s.faultOf(err)) != fault.Conflict {
				t.Errorf("%s: %v", query, err)
			}
		}
	})
}

func TestCasesAreInTheBackup(t *testing.T) {
	for from, to := range map[string]string{"sqlite": "postgres", "postgres": "sqlite"} {
		t.Run(from+" to "+to, func(t *testing.T) {
			url := map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
			s := open(t, url[from](t))
			o := deskOf(t, s)
			a := o.seen(unlawfulBuilding, inStreet1)
			a.Reporter = &casework.Reporter{Name: "陈"}
			c := o.through(t, o.open(t, a), 5)
			path := filepath.Join(t.TempDir(), "backup")
			if _, err := s.BackupFile(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			into := leave(t, url[to](t))
			if _, err := into.Restore(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			other := deskOf(t, into)
			r, err := other.Case(t.Context(), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, r.Case); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(figures(t, o.Desk), figures(t, other.Desk)); diff != "" {
				t.Error(diff)
			}
			if got, err := other.Reporter(t.Context(), c.ID, centre); err != nil || got.Name != "陈" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
