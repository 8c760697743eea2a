package httpapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
)

// drive is a track: 20 minutes east at 8 m/s, ten minutes in place, ten
// minutes back, a fix every 10 s from at on.
func drive(unit patrol.UnitID, at time.Time) (fixes []patrol.Fix) {
	scale := geo.ScaleAt(31.26)
	eastM := 0.0
	for i := range 240 {
		switch {
		case i < 120:
			eastM += 80
		case i >= 180:
			eastM -= 80
		}
		at = at.Add(10 * time.Second)
		fixes = append(fixes, patrol.Fix{Unit: unit, At: at.UnixMilli(), Received: at.Add(time.Second).UnixMilli(), Source: patrol.FromOsmAnd,
			Pos: geo.Coord{X: 1_211_260_000 + int32(eastM/scale.XM*geo.UnitsPerDegree), Y: 312_560_000}, AccuracyM: 5, SpeedMPS: 8, HeadingDeg: -1, BatteryPct: 77})
	}
	return fixes
}

// followedTown is patrolTown with a tracker that runs, and the track of A2, of
// B2 and some refusals in it. The drive began at the time returned.
func followedTown(t *testing.T) (a *API, district, one, two visitor, began time.Time) {
	t.Helper()
	s := openStore(t)
	atlas, err := grid.Open(t.Context(), s.Generations(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := patrol.OpenRegistry(t.Context(), s.Register())
	if err != nil {
		t.Fatal(err)
	}
	tracker := patrol.NewTracker(patrol.Config{Registry: registry, Boundaries: locate.NewIndexes(atlas), Log: s.Log(), Tracks: s.Tracks(),
		Failed: func(err error) { t.Error(err) }})
	a, district, one, two = patrolTown(t, Config{Now: time.Now, Gate: auth.NewGate(s.Accounts(), time.Now), Atlas: atlas, Patrols: registry,
		Tracker: tracker, Tracks: s.Tracks(), Quarantine: s.Tracks()})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = tracker.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	began = time.Now().Truncate(time.Second).Add(-45 * time.Minute)
	if w := district.call(a, "PATCH", "/api/v1/units/B2", `{"duty":"always"}`); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	now := time.Now().UnixMilli()
	batch := patrol.Batch{Fixes: append(drive(2, began), drive(4, began.Add(time.Minute))...), Refusals: []patrol.Refusal{
		{Unit: 2, Device: "dev-a", Source: patrol.FromOsmAnd, At: now, Received: now, Reason: patrol.NoPosition, Detail: "no latitude", Raw: "id=…&lon=121.2"},
		{Unit: 4, Device: "dev-b", Source: patrol.FromMQTT, Received: now, Reason: patrol.NoTime, Detail: "no tst"},
		{Device: "dev-c", Source: patrol.FromAPI, Received: now, Reason: patrol.UnknownUnit, Detail: "Z9", Raw: "{}"},
	}}
	if err := tracker.Accept(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for tracker.Stats().Applied == 0 { // the one entry of the log
		time.Sleep(time.Millisecond)
	}
	if err := tracker.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a, district, one, two, began
}

func trackPath(unit string, from, to time.Time, more string) string {
	q := url.Values{"from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339)}}
	return "/api/v1/units/" + unit + "/track?" + q.Encode() + more
}

func TestTrackOverHTTP(t *testing.T) {
	a, _, one, two, began := followedTown(t)
	from, to := began, began.Add(time.Hour)
	w := one.call(a, "GET", trackPath("A2", from, to, ""), "")
	got := decode[struct {
		Unit     string
		Fixes    int
		Features []struct {
			Geometry   struct{ Type string }
			Properties struct {
				Kind     string
				LengthM  float64   `json:"length_m"`
				Times    []int64   `json:"times"`
				Accuracy []float64 `json:"accuracy_m"`
			}
		}
	}](t, w, 200)
	kinds := make(map[string]int)
	for _, f := range got.Features {
		kinds[f.Properties.Kind+" "+f.Geometry.Type]++
	}
	if got.Unit != "A2" || got.Fixes != 240 || kinds["track LineString"] != 1 || kinds["trip LineString"] != 2 || kinds["stop Point"] != 1 || len(got.Features) != 4 {
		t.Fatalf("%s, %d fixes, %v", got.Unit, got.Fixes, kinds)
	}
	if p := got.Features[0].Properties; len(p.Times) != 240 || len(p.Accuracy) != 240 || p.Times[0] != began.Add(10*time.Second).UnixMilli() || p.Accuracy[5] != 5 {
		t.Errorf("the whole: %d times from %d, %v", len(p.Times), p.Times[0], p.Accuracy[:3])
	}
	if l := got.Features[1].Properties.LengthM; l < 9300 || l > 9700 {
		t.Errorf("the first trip is %.0f m", l)
	}
	if w.Header().Get("Content-Type") != geoJSONType || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}

	w = one.call(a, "GET", trackPath("A2", from, to, "&format=csv"), "")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(rows) != 241 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if strings.Join(rows[0], ",") != "unit,time,lon,lat,accuracy_m,speed_mps,heading_deg,altitude_m,battery_pct,source,part" ||
		rows[1][0] != "A2" || rows[1][1] != began.Add(10*time.Second).In(grid.Zone).Format(time.RFC3339) || rows[1][6] != "" || rows[1][9] != "osmand" ||
		rows[1][10] != "trip 1" || rows[150][10] != "stop 1" || rows[240][10] != "trip 2" {
		t.Errorf("header %v, first %v, a stop's %v", rows[0], rows[1], rows[150])
	}
	if d := w.Header().Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename=A2-") {
		t.Errorf("disposition %q", d)
	}

	w = one.call(a, "GET", trackPath("A2", from, to, ""), "", "Accept", "application/gpx+xml")
	var gpx struct {
		XMLName xml.Name `xml:"http://www.topografix.com/GPX/1/1 gpx"`
		Version string   `xml:"version,attr"`
		Points  []struct {
			Lat float64 `xml:"lat,attr"`
		} `xml:"wpt"`
		Tracks []struct {
			Points []struct {
				Time time.Time `xml:"time"`
			} `xml:"trkseg>trkpt"`
		} `xml:"trk"`
	}
	if err := xml.NewDecoder(w.Body).Decode(&gpx); err != nil || gpx.Version != "1.1" || len(gpx.Points) != 1 || len(gpx.Tracks) != 2 {
		t.Fatalf("%+v, %v", gpx, err)
	}
	if p := gpx.Tracks[0].Points; len(p) < 110 || !p[0].Time.Equal(began.Add(10*time.Second)) {
		t.Errorf("the first trip: %d points", len(p))
	}

	if got := decode[struct{ Fixes int }](t, one.call(a, "GET", trackPath("A2", from, from.Add(time.Minute), ""), ""), 200); got.Fixes != 5 {
		t.Errorf("[from, to) of a minute has %d fixes, want 5", got.Fixes)
	}
	if got := decode[struct{ Features []any }](t, one.call(a, "GET", trackPath("A1", from, to, ""), ""), 200); got.Features == nil || len(got.Features) != 0 {
		t.Errorf("a unit without fixes: %+v", got)
	}
	wantProblem(t, two.call(a, "GET", trackPath("A2", from, to, ""), ""), 404)
	for more, says := range map[string]string{"&format=pdf": "pdf", "&street=1": "street"} {
		if p := wantProblem(t, one.call(a, "GET", trackPath("A2", from, to, more), ""), 400); !strings.Contains(p.Detail, says) {
			t.Errorf("%s: %+v", more, p)
		}
	}
	wantProblem(t, one.call(a, "GET", trackPath("A2", to, from, ""), ""), 400)
	wantProblem(t, one.call(a, "GET", trackPath("A2", from.AddDate(0, -3, 0), from, ""), ""), 400)

	audit := signedIn(t, a, "root").call(a, "GET", "/api/v1/audit?action=track.read", "").Body.String()
	if n := strings.Count(audit, `"action":"track.read"`); n != 5 || strings.Count(audit, `"who":"one"`) != n {
		t.Errorf("%d looks in the audit chain, want the 5 that were answered: %s", n, audit)
	}
}

// TestNoLookWithoutItsEntry breaks the audit chain's database: nothing of the
// track may be told.
func TestNoLookWithoutItsEntry(t *testing.T) {
	a, _, one, _, began := followedTown(t)
	kept := openStore(t)
	a.cfg.Gate = auth.NewGate(kept.Accounts(), time.Now) // another chain, where the caller is not known
	w := one.call(a, "GET", trackPath("A2", began, began.Add(time.Hour), ""), "")
	if w.Code < 400 || strings.Contains(w.Body.String(), "coordinates") {
		t.Errorf("%d %s", w.Code, clipText(w.Body.String()))
	}
}

func TestEventsOverHTTP(t *testing.T) {
	a, district, one, two, began := followedTown(t)
	span := url.Values{"from": {began.UTC().Format(time.RFC3339)}, "to": {began.Add(2 * time.Hour).UTC().Format(time.RFC3339)}}.Encode()
	type events struct {
		Events []eventAnswer
		More   bool
	}
	all := decode[events](t, district.call(a, "GET", "/api/v1/events?kind=crossed&"+span, ""), 200)
	units := make(map[string]int)
	for i, e := range all.Events {
		units[e.Unit]++
		if e.Rule == "" || len(e.Evidence) == 0 || e.Generation != 1 || i > 0 && e.At.Before(all.Events[i-1].At) {
			t.Errorf("event %+v", e)
		}
		if e.To != nil && (e.To.Code == "" || e.To.Name == "") {
			t.Errorf("the grid has no name: %+v", e.To)
		}
	}
	if units["A2"] < 10 || units["B2"] < 10 || all.More {
		t.Fatalf("crossings %v, more %v", units, all.More)
	}
	if got := decode[events](t, one.call(a, "GET", "/api/v1/events?"+span, ""), 200); len(got.Events) == 0 || strings.Contains(string(jsonOf(t, got)), `"B2"`) {
		t.Errorf("street one: %s", jsonOf(t, got))
	}
	if got := decode[events](t, district.call(a, "GET", "/api/v1/events?limit=3&unit=A2&"+span, ""), 200); len(got.Events) != 3 || !got.More {
		t.Errorf("the first three: %+v", got)
	}
	if got := decode[events](t, district.call(a, "GET", "/api/v1/events?street="+secondStreet+"&"+span, ""), 200); len(got.Events) == 0 || got.Events[0].Unit != "B2" {
		t.Errorf("of a street: %+v", got.Events[:min(1, len(got.Events))])
	}
	wantProblem(t, two.call(a, "GET", "/api/v1/events?unit=A2", ""), 404)
	for q, says := range map[string]string{"kind=party": "party", "limit=0": "limit", "street=nowhere": "nowhere", "from=x": "from"} {
		if p := wantProblem(t, district.call(a, "GET", "/api/v1/events?"+q, ""), 400); !strings.Contains(p.Detail, says) {
			t.Errorf("%s: %+v", q, p)
		}
	}
	if audit := signedIn(t, a, "root").call(a, "GET", "/api/v1/audit?action=events.read", "").Body.String(); strings.Count(audit, `"subject":"A2"`) != 1 {
		t.Errorf("a look at one unit's events: %s", audit)
	}
}

func jsonOf(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestQuarantineOverHTTP(t *testing.T) {
	a, district, one, two, _ := followedTown(t)
	type quarantine struct {
		Counts   map[patrol.Reason]int
		Refusals []refusalAnswer
		More     bool
	}
	all := decode[quarantine](t, district.call(a, "GET", "/api/v1/quarantine", ""), 200)
	if len(all.Refusals) != 3 || all.Counts[patrol.NoPosition] != 1 || all.Counts[patrol.NoTime] != 1 || all.Counts[patrol.UnknownUnit] != 1 || all.More {
		t.Fatalf("%+v", all)
	}
	if _, told := all.Counts[patrol.Encrypted]; !told || len(all.Counts) != len(patrol.Reasons) {
		t.Errorf("counts %v", all.Counts)
	}
	ours := decode[quarantine](t, one.call(a, "GET", "/api/v1/quarantine", ""), 200)
	if len(ours.Refusals) != 1 || ours.Counts[patrol.NoTime] != 0 || ours.Counts[patrol.NoPosition] != 1 {
		t.Fatalf("street one: %+v", ours)
	}
	if r := ours.Refusals[0]; r.Unit != "A2" || r.Device != "dev-a" || r.Source != "osmand" || r.Reason != patrol.NoPosition || r.Detail != "no latitude" || r.Raw == "" || r.At.IsZero() || r.Position != nil {
		t.Errorf("refusal %+v", r)
	}
	if got := decode[quarantine](t, district.call(a, "GET", "/api/v1/quarantine?reason=no-time", ""), 200); len(got.Refusals) != 1 || got.Refusals[0].Unit != "B2" || got.Counts[patrol.NoPosition] != 1 {
		t.Errorf("by reason, counts stay whole: %+v", got)
	}
	first := decode[quarantine](t, district.call(a, "GET", "/api/v1/quarantine?limit=2", ""), 200)
	if len(first.Refusals) != 2 || !first.More {
		t.Fatalf("a page: %+v", first)
	}
	rest := decode[quarantine](t, district.call(a, "GET", "/api/v1/quarantine?limit=2&before="+jsonNumber(first.Refusals[1].ID), ""), 200)
	if len(rest.Refusals) != 1 || rest.More || rest.Refusals[0].ID >= first.Refusals[1].ID {
		t.Errorf("the next page: %+v", rest)
	}
	if got := decode[quarantine](t, one.call(a, "GET", "/api/v1/quarantine?unit=A2", ""), 200); len(got.Refusals) != 1 {
		t.Errorf("of a unit: %+v", got)
	}
	wantProblem(t, two.call(a, "GET", "/api/v1/quarantine?unit=A2", ""), 404)
	wantProblem(t, one.call(a, "GET", "/api/v1/quarantine?reason=mood", ""), 400)
	wantProblem(t, one.call(a, "GET", "/api/v1/quarantine?before=x", ""), 400)
}

func jsonNumber(n int64) string { b, _ := json.Marshal(n); return string(b) }

func TestCoverageOverHTTP(t *testing.T) {
	a, district, one, _, _ := followedTown(t)
	type coverage struct {
		Generation int
		Grids      []coverageAnswer
	}
	all := decode[coverage](t, district.call(a, "GET", "/api/v1/coverage", ""), 200)
	visited, debts := 0, 0
	for _, g := range all.Grids {
		if !g.Visited.IsZero() {
			visited++
		}
		if g.DebtS > 0 {
			debts++
		}
		for _, r := range g.Nearest {
			if r.Unit == "" || r.DistanceM < 0 {
				t.Errorf("%s: %+v", g.Grid.Code, r)
			}
		}
	}
	if all.Generation != 1 || len(all.Grids) != len(shown(t, a).gen.Grids()) || visited < 5 {
		t.Errorf("generation %d, %d grids, %d of them visited, %d in debt", all.Generation, len(all.Grids), visited, debts)
	}
	ours := decode[coverage](t, one.call(a, "GET", "/api/v1/coverage", ""), 200)
	byStreet := decode[coverage](t, district.call(a, "GET", "/api/v1/coverage?street="+firstStreet, ""), 200)
	if len(ours.Grids) == 0 || len(ours.Grids) >= len(all.Grids) || len(ours.Grids) != len(byStreet.Grids) {
		t.Errorf("%d grids of all, %d of street one, %d when asked for it", len(all.Grids), len(ours.Grids), len(byStreet.Grids))
	}
	for _, g := range ours.Grids {
		if g.Street != firstStreet {
			t.Errorf("street one sees %s", g.Grid.Code)
		}
	}
	page := decode[unitPage](t, one.call(a, "GET", "/api/v1/units/A2", ""), 200)
	if page.State == nil || page.State.Position == nil || page.State.Grid == nil || page.State.Source != "osmand" || page.State.Battery == nil || page.State.Heading != nil {
		t.Errorf("the state of A2: %s", jsonOf(t, page.State))
	}
}

// TestTrackFiles holds the formats against files, which the pages' tests read.
func TestTrackFiles(t *testing.T) {
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	fixes := drive(7, at)[105:190] // the end of a trip, the stop, and the beginning of the way back
	fixes[3].AccuracyM, fixes[3].SpeedMPS, fixes[3].AltitudeM = 0, -1, 4.25
	tr := &track{unit: &patrol.Unit{ID: 7, Code: "甲-7"}, from: at, to: at.Add(time.Hour), fixes: fixes}
	tr.trips, tr.stops = patrol.Journeys(fixes)
	for _, form := range trackForms {
		var out bytes.Buffer
		if err := form.write(&out, tr); err != nil {
			t.Fatal(err)
		}
		golden(t, "track."+form.name, out.Bytes())
		if err := form.write(failing{}, tr); err == nil {
			t.Errorf("%s: a writer that fails is not noticed", form.name)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestPatrolAnswers holds what the pages read against files.
func TestPatrolAnswers(t *testing.T) {
	a, district, _, _ := patrolTown(t, Config{})
	for name, path := range map[string]string{"units.json": "/api/v1/units?retired=1", "teams.json": "/api/v1/teams", "unit.json": "/api/v1/units/A1"} {
		golden(t, name, district.call(a, "GET", path, "").Body.Bytes())
	}
	w := district.call(a, "POST", "/api/v1/units/import", "code,name,team,street\nA9,,T1,310114001\nA8,某,T9,310114001\n")
	var p map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	p["instance"] = "urn:lianqin:request:0"
	golden(t, "sheet-faults.json", append(jsonOf(t, p), '\n'))
}
