package httpapi

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/geo"
	"lianqin/internal/patrol"
)

type attentionList struct {
	Counts  map[string]int
	Matters []struct {
		ID, Kind, Subject, Name, Street, Grid string
		Where                                 []float64
		Due                                   time.Time
		Seen                                  *struct{ By string }
	}
}

func attentionFor(t testing.TB, a *API, v visitor) attentionList {
	t.Helper()
	return decode[attentionList](t, v.call(a, "GET", "/api/v1/attention", ""), 200)
}

// kinds are the matters in their order, as "kind subject".
func (l attentionList) kinds() string {
	var out []string
	for _, m := range l.Matters {
		out = append(out, m.Kind+" "+m.Subject)
	}
	return strings.Join(out, ", ")
}

// TestAttentionToCases lets the time of two cases run out.
func TestAttentionToCases(t *testing.T) {
	var ahead atomic.Int64
	now := func() time.Time { return testNow.Add(time.Duration(ahead.Load())) }
	town := newCaseTownAt(t, now)
	a, b := town.report(t, town.device, 0, 0), town.report(t, town.device, 5, 5)
	one, two := fmt.Sprint(a.Case.ID), fmt.Sprint(b.Case.ID)
	if a.Case.Place.Street == b.Case.Place.Street {
		t.Fatal("both cases lie in one street")
	}
	due := decode[struct {
		Next struct{ At time.Time }
	}](t, town.page(town.district, a.Case.ID).ResponseRecorder, 200).Next.At
	ahead.Store(int64(due.Add(-30 * time.Minute).Sub(testNow)))
	got := attentionFor(t, town.API, town.district)
	if got.kinds() != "lapsing "+one+", lapsing "+two || got.Counts["lapsing"] != 2 || !got.Matters[0].Due.Equal(due) || got.Matters[0].Name == "" || len(got.Matters[0].Where) != 2 {
		t.Fatalf("half an hour before: %+v", got)
	}
	if got := attentionFor(t, town.API, town.one); got.kinds() != "lapsing "+one {
		t.Errorf("street one sees %s", got.kinds())
	}
	if got := attentionFor(t, town.API, town.two); got.kinds() != "lapsing "+two {
		t.Errorf("street two sees %s", got.kinds())
	}

	path := "/api/v1/attention/" + url.PathEscape(got.Matters[0].ID)
	for _, v := range []visitor{town.one, town.district} {
		if seen := decode[struct{ By string }](t, v.call(town, "PUT", path, ""), 200); seen.By != "one" {
			t.Errorf("%s has it, not who was first", seen.By)
		}
	}
	if got := attentionFor(t, town.API, town.district); got.kinds() != "lapsing "+two+", lapsing "+one || got.Matters[1].Seen == nil || got.Matters[1].Seen.By != "one" {
		t.Errorf("once it is taken on: %+v", got)
	}
	link, _ := holder(t, town.API, auth.Link, auth.WholeDistrict)
	for name, c := range map[string]struct {
		v      visitor
		path   string
		status int
	}{
		"another street's": {town.two, path, 404},
		"a link":           {link, path, 403},
		"none":             {town.one, "/api/v1/attention/joy", 400},
		"what is over":     {town.one, "/api/v1/attention/lapsing:" + one + ":5", 404},
	} {
		if w := c.v.call(town, "PUT", c.path, ""); w.Code != c.status {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, c.status)
		}
	}
	for _, want := range []int{204, 404} {
		if w := town.one.call(town, "DELETE", path, ""); w.Code != want {
			t.Errorf("giving it back: %d %s, want %d", w.Code, w.Body, want)
		}
	}

	ahead.Store(int64(due.Add(time.Hour).Sub(testNow)))
	if got := attentionFor(t, town.API, link); got.kinds() != "overdue "+one+", overdue "+two || got.Matters[0].Seen != nil {
		t.Errorf("an hour after: %+v", got)
	}
	if w := link.call(town, "GET", "/api/v1/cases/index", ""); w.Code != 200 || strings.Contains(w.Body.String(), "占道") {
		t.Errorf("a link's index: %d %s", w.Code, w.Body)
	}
	for _, target := range []string{"/api/v1/cases", "/api/v1/cases/" + one, "/api/v1/cases/index?q=占道"} {
		if w := link.call(town, "GET", target, ""); w.Code != 403 {
			t.Errorf("a link may see %s: %d", target, w.Code)
		}
	}
}

// TestAttentionToACall has somebody press the alarm button.
func TestAttentionToACall(t *testing.T) {
	a, district, one, two, _ := followedTown(t)
	at := time.Now()
	fix := drive(4, at.Add(-10*time.Second))[0]
	fix.Flags, fix.Received = patrol.SOS, at.UnixMilli()
	applied := a.cfg.Tracker.Stats().Applied
	if err := a.cfg.Tracker.Accept(t.Context(), patrol.Batch{Fixes: []patrol.Fix{fix}}); err != nil {
		t.Fatal(err)
	}
	for a.cfg.Tracker.Stats().Applied == applied {
		time.Sleep(time.Millisecond)
	}
	if err := a.cfg.Tracker.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		v    visitor
		want string
	}{"the district": {district, "sos B2"}, "its street": {two, "sos B2"}, "another": {one, ""}} {
		got := attentionFor(t, a, c.v)
		first := ""
		if len(got.Matters) > 0 && got.Matters[0].Kind == "sos" {
			first = got.Matters[0].Kind + " " + got.Matters[0].Subject
		}
		if first != c.want {
			t.Errorf("%s sees %s", name, got.kinds())
		}
	}
}

// TestAttentionToWhatRises has one place with more cases in the last week than
// in all the weeks before.
func TestAttentionToWhatRises(t *testing.T) {
	town := newCaseTown(t)
	town.cfg.Heat = NewHeat(town.cfg.Atlas, func(err error) { t.Error(err) })
	g, _ := town.cfg.Atlas.Current()
	id := int64(0)
	put := func(at time.Time, i int) {
		id++
		where := &g.Grids()[i]
		c, err := geo.Quantise(where.Label)
		if err != nil {
			t.Fatal(err)
		}
		town.cfg.Heat.Put(&casework.Kept{Case: id, State: casework.Closed, Received: at.UnixMilli(), Captured: at.UnixMilli(), Placed: true, At: c, Grid: where.Code, Street: where.Street})
	}
	for week := range 12 {
		for i := range g.Grids() {
			put(testNow.AddDate(0, 0, -7*week-1), i)
		}
	}
	for range 30 {
		put(testNow.AddDate(0, 0, -2), 3)
	}
	want := g.Grids()[3]
	got := attentionFor(t, town.API, town.district)
	if got.kinds() != "rising "+want.Code || got.Matters[0].Name != want.Name || got.Counts["rising"] != 1 {
		t.Errorf("%s, not rising %s", got.kinds(), want.Code)
	}
	for street, v := range map[string]visitor{firstStreet: town.one, "another": town.two} {
		if got := attentionFor(t, town.API, v); (len(got.Matters) == 1) != (street == want.Street) {
			t.Errorf("street %s sees %q of a place in %s", street, got.kinds(), want.Street)
		}
	}
}
