package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/ingest"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// precinct is an API with a database, a roll of units and a log of fixes.
type precinct struct {
	*API
	store *store.Store
	clock *clock
	keys  ingest.Keys
}

// The units of a precinct, by code: two of the first street, always on duty;
// one of the second; one that is on duty by its roster, which is empty; one
// that is retired.
var precinctUnits = []patrol.Unit{
	{Code: "A-1", Name: "甲", Kind: patrol.Vehicle, Street: "310114001", Duty: patrol.Always},
	{Code: "A-2", Name: "乙", Kind: patrol.Vehicle, Street: "310114001", Duty: patrol.Always},
	{Code: "B-1", Name: "丙", Kind: patrol.Vehicle, Street: "310114002", Duty: patrol.Always},
	{Code: "A-3", Name: "丁", Kind: patrol.GridPatrol, Street: "310114001", Duty: patrol.ByRoster},
	{Code: "A-4", Name: "戊", Kind: patrol.Vehicle, Street: "310114001", Duty: patrol.Always, Retired: testNow.Add(-time.Hour)},
}

func newPrecinct(t testing.TB, sink ingest.Sink) *precinct {
	t.Helper()
	p := &precinct{store: openStore(t), clock: clockAt(testNow)}
	_, err := p.store.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) {
		return &patrol.RollChange{Units: slices.Clone(precinctUnits)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := patrol.OpenRegistry(t.Context(), p.store.Register())
	if err != nil {
		t.Fatal(err)
	}
	atlas, err := grid.Open(t.Context(), p.store.Generations(), p.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	gate := auth.NewGate(p.store.Accounts(), p.clock.now)
	if sink == nil {
		sink = patrol.NewTracker(patrol.Config{Registry: registry, Log: p.store.Log(), Now: p.clock.now})
	}
	p.keys = DeviceKeys(gate, registry, atlas, p.clock.now)
	station := ingest.New(ingest.Config{Keys: p.keys, Sink: sink, Key: []byte("key"), Now: p.clock.now})
	p.API = closedAPI(t, Config{Gate: gate, Atlas: atlas, Patrols: registry, Ingest: station, Now: p.clock.now}, lattice(t, 8, 2))
	return p
}

// device is a device of the precinct: a gateway with unit "".
func (p *precinct) device(t testing.TB, j auth.Jurisdiction, unit, terminal string) (visitor, auth.Token) {
	t.Helper()
	v, tok := holder(t, p.API, auth.Device, j)
	if unit == "" {
		return v, tok
	}
	u, ok := p.cfg.Patrols.Staff().UnitByCode(unit)
	if !ok {
		t.Fatalf("no unit %s", unit)
	}
	_, err := p.store.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) {
		return &patrol.RollChange{Devices: []patrol.Device{{ID: tok.ID, Unit: u.ID, Datum: "wgs84", Terminal: terminal}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cfg.Patrols.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v, tok
}

// logged is what the log of fixes holds, in one batch.
func (p *precinct) logged(t testing.TB) (all patrol.Batch) {
	t.Helper()
	end := []byte("the end, at " + fmt.Sprint(time.Now().UnixNano()))
	if _, err := p.store.Log().Append(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	done := errors.New("done")
	err := p.store.Log().Tail(t.Context(), 1, func(_ uint64, entry [][]byte) error {
		for _, data := range entry {
			if bytes.Equal(data, end) {
				return done
			}
			if bytes.HasPrefix(data, []byte("the end")) {
				continue
			}
			b, err := patrol.DecodeBatch(data)
			if err != nil {
				return err
			}
			all.Fixes = append(all.Fixes, b.Fixes...)
			all.Refusals = append(all.Refusals, b.Refusals...)
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
	return all
}

func report(unit string, second int) string {
	named := ""
	if unit != "" {
		named = fmt.Sprintf(`"unit":%q,`, unit)
	}
	return fmt.Sprintf(`{%s"time":"2026-03-01T07:59:%02dZ","lon":121.1812,"lat":31.3051,"accuracy":6}`, named, second)
}

func TestPositionsOverHTTP(t *testing.T) {
	p := newPrecinct(t, nil)
	street := auth.Jurisdiction{Level: auth.Street, Code: "310114001"}
	bound, _ := p.device(t, street, "A-1", "")
	gateway, _ := p.device(t, street, "", "")
	wide, _ := p.device(t, auth.WholeDistrict, "", "")
	type receipt = ingest.Receipt
	send := func(v visitor, body string, want int, header ...string) (r receipt) {
		t.Helper()
		w := v.call(p.API, "POST", "/api/v1/positions", body, header...)
		if w.Code != want {
			t.Fatalf("%s: %d %s, want %d", body, w.Code, w.Body, want)
		}
		if want != 200 {
			wantProblem(t, w, want)
			return r
		}
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Refused == nil {
			t.Fatalf("%s: %s, %v", body, w.Body, err)
		}
		return r
	}
	refused := func(r receipt) (reasons string) {
		for _, one := range r.Refused {
			reasons += fmt.Sprintf("%d:%s ", one.Index, one.Reason)
		}
		return strings.TrimSpace(reasons)
	}
	if r := send(bound, `{"positions":[`+report("", 1)+","+report("A-1", 2)+","+report("A-2", 3)+`]}`, 200); r.Accepted != 2 || refused(r) != "2:unknown-unit" {
		t.Errorf("bound: %+v", r)
	}
	if r := send(gateway, "["+report("A-1", 4)+","+report("A-2", 5)+","+report("B-1", 6)+","+report("", 7)+","+report("A-4", 8)+","+report("A-3", 9)+"]", 200); r.Accepted != 3 || refused(r) != "2:unknown-unit 3:unknown-unit 4:unknown-unit" {
		t.Errorf("a street's gateway: %+v", r)
	}
	if r := send(wide, report("B-1", 10)+"\n{\n"+report("B-1", 11), 200, "Content-Type", "application/x-ndjson"); r.Accepted != 2 || refused(r) != "1:malformed" {
		t.Errorf("lines: %+v", r)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("[" + report("B-1", 12) + "]"))
	_ = z.Close()
	if r := send(wide, zipped.String(), 200, "Content-Encoding", "gzip"); r.Accepted != 1 {
		t.Errorf("gzip: %+v", r)
	}
	send(wide, "[", 400)
	send(wide, "["+strings.Repeat(`{},`, 10_000)+"{}]", 413)
	send(wide, "time,lon,lat", 415, "Content-Type", "text/csv")
	send(visitor{}, "[]", 401)
	send(visitor{headers: []string{"Authorization", "Bearer " + auth.NewSecret(auth.Device)}}, "[]", 401)
	addAccount(t, p.API, "root", auth.Administrator, auth.WholeDistrict)
	addAccount(t, p.API, "op", auth.DistrictOperator, auth.WholeDistrict)
	send(signedIn(t, p.API, "op"), "[]", 403)

	all := p.logged(t)
	var units []patrol.UnitID
	for _, f := range all.Fixes {
		units = append(units, f.Unit)
		if f.Source != patrol.FromAPI || f.Received != testNow.UnixMilli() || f.AccuracyM != 6 {
			t.Errorf("%+v", f)
		}
	}
	if fmt.Sprint(units) != "[1 1 1 2 3 3 3]" {
		t.Errorf("the log has fixes of %v", units)
	}
	reasons := map[patrol.Reason]int{}
	for _, r := range all.Refusals {
		reasons[r.Reason]++
		if r.Reason == patrol.OffDuty && (r.Fix != nil || r.Raw != "" || r.Unit != 4) {
			t.Errorf("off duty, and kept: %+v", r)
		}
	}
	if reasons[patrol.UnknownUnit] != 4 || reasons[patrol.OffDuty] != 1 || reasons[patrol.Malformed] != 1 {
		t.Errorf("refused: %v", reasons)
	}
	metrics := signedIn(t, p.API, "root").call(p.API, "GET", "/metrics", "").Body.String()
	if !strings.Contains(metrics, `lianqin_ingest_fixes_total{source="api"} 8`) || !strings.Contains(metrics, `lianqin_ingest_refused_total{reason="unknown-unit",source="api"} 4`) {
		t.Errorf("metrics without what devices sent: %s", metrics)
	}
}

func TestPhonesOverHTTP(t *testing.T) {
	p := newPrecinct(t, nil)
	v, tok := p.device(t, auth.WholeDistrict, "A-1", "")
	query := "?lat=31.3051&lon=121.1812&timestamp=1772351940&id="
	w := call(p.API, "GET", "/ingest"+query+v.secret, "")
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Type") == "application/problem+json" {
		t.Errorf("OsmAnd: %d %s", w.Code, w.Body)
	}
	if w := call(p.API, "POST", "/ingest/pub", "lat=31.3051&lon=121.1812&timestamp=1772351941&id="+v.secret, "Content-Type", "application/x-www-form-urlencoded"); w.Code != 200 {
		t.Errorf("Traccar 10: %d %s", w.Code, w.Body)
	}
	own := `{"_type":"location","lat":31.3051,"lon":121.1812,"tst":1772351942}`
	basic := func(user, secret string) []string {
		r := httptest.NewRequest("POST", "/", nil)
		r.SetBasicAuth(user, secret)
		return []string{"Authorization", r.Header.Get("Authorization")}
	}
	if w := call(p.API, "POST", "/ingest", own, basic("A-1", v.secret)...); w.Code != 200 || w.Body.String() != "[]" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("OwnTracks: %d %s %v", w.Code, w.Body, w.Header())
	}
	for name, header := range map[string][]string{"another unit": basic("A-2", v.secret), "an invented secret": basic("A-1", auth.NewSecret(auth.Device)), "none": nil} {
		if w := call(p.API, "POST", "/ingest", own, header...); w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic") || strings.Contains(w.Body.String(), "{") {
			t.Errorf("%s: %d %s %v", name, w.Code, w.Body, w.Header())
		}
	}
	link, _ := holder(t, p.API, auth.Link, auth.WholeDistrict)
	if w := call(p.API, "GET", "/ingest"+query+link.secret, ""); w.Code != 401 {
		t.Errorf("a share link reports: %d", w.Code)
	}
	if n := len(p.logged(t).Fixes); n != 3 {
		t.Errorf("%d fixes, want 3", n)
	}
	if err := p.cfg.Gate.Revoke(t.Context(), auth.Operator("root"), tok.ID); err != nil {
		t.Fatal(err)
	}
	if w := call(p.API, "GET", "/ingest"+query+v.secret, ""); w.Code != 401 {
		t.Errorf("revoked: %d", w.Code)
	}
	without := closedAPI(t, Config{}, nil)
	if w := call(without, "GET", "/ingest"+query+v.secret, ""); w.Code != 503 {
		t.Errorf("without a station: %d", w.Code)
	}
}

// TestSetupWorks reports as the links of a device's setup say.
func TestSetupWorks(t *testing.T) {
	p := newPrecinct(t, nil)
	v, _ := p.device(t, auth.WholeDistrict, "A-1", "")
	setup, err := ingest.SetupFor(ingest.Public{URL: "http://lianqin.test"}, precinctUnits[0], v.secret)
	if err != nil {
		t.Fatal(err)
	}
	qr, _ := url.Parse(setup.TraccarQR)
	id := qr.Query().Get("id")
	if w := call(p.API, "POST", qr.Path, "id="+id+"&lat=31.3051&lon=121.1812&timestamp=1772351940"); w.Code != 200 {
		t.Errorf("Traccar: %d %s", w.Code, w.Body)
	}
	osmand := strings.NewReplacer("{0}", "31.3051", "{1}", "121.1812", "{2}", "1772351941000", "{3}", "5", "{4}", "3", "{5}", "1.2", "{6}", "90").Replace(setup.OsmAnd)
	if w := call(p.API, "GET", strings.TrimPrefix(osmand, "http://lianqin.test"), ""); w.Code != 200 {
		t.Errorf("OsmAnd: %d %s", w.Code, w.Body)
	}
	if w := call(p.API, "GET", strings.TrimPrefix(setup.TraccarQR, "http://lianqin.test"), ""); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("the QR picture before a camera: %d %s", w.Code, w.Body)
	}
	if w := call(p.API, "POST", strings.TrimPrefix(setup.API, "http://lianqin.test"), "["+report("", 5)+"]", "Authorization", "Bearer "+setup.Token, "Content-Type", "application/json"); w.Code != 200 {
		t.Errorf("own API: %d %s", w.Code, w.Body)
	}
	if got := p.logged(t); len(got.Fixes) != 3 || len(got.Refusals) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestDeviceKeysOfTerminals(t *testing.T) {
	p := newPrecinct(t, nil)
	_, tok := p.device(t, auth.Jurisdiction{Level: auth.Street, Code: "310114001"}, "A-2", "13800138000")
	from, err := p.keys.Terminal(t.Context(), "13800138000")
	if err != nil || from.Unit.Code != "A-2" || from.Device.ID != tok.ID {
		t.Fatalf("%+v, %v", from, err)
	}
	if _, err := p.keys.Terminal(t.Context(), "13800138001"); fault.KindOf(err) != fault.Denied {
		t.Errorf("an unknown terminal: %v", err)
	}
	if err := p.cfg.Gate.Revoke(t.Context(), auth.Operator("root"), tok.ID); err != nil {
		t.Fatal(err)
	}
	p.clock.set(testNow.Add(tokensFor))
	if _, err := p.keys.Terminal(t.Context(), "13800138000"); fault.KindOf(err) != fault.Denied {
		t.Errorf("a revoked terminal: %v", err)
	}
}

func TestPositionsWithoutADatabase(t *testing.T) {
	p := newPrecinct(t, nil)
	v, _ := p.device(t, auth.WholeDistrict, "A-1", "")
	if w := v.call(p.API, "POST", "/api/v1/positions", "["+report("", 1)+"]"); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	if w := v.call(p.API, "POST", "/api/v1/positions", "["+report("", 2)+"]"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("own API: %d %s", w.Code, w.Body)
	}
	// The token is remembered for a moment; then there is no telling who it is.
	for _, at := range []time.Time{testNow, testNow.Add(time.Minute)} {
		p.clock.set(at)
		if w := call(p.API, "GET", "/ingest?lat=31.3051&lon=121.1812&timestamp=1772351940&id="+v.secret, ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("phones: %d %s", w.Code, w.Body)
		}
	}
}

// sunk takes everything in and keeps nothing: what remains is the cost of
// HTTP, accounts and decoding.
type sunk struct{}

func (sunk) Accept(context.Context, patrol.Batch) error { return nil }

// BenchmarkReports is one request of each form, without the network and the
// log.
func BenchmarkReports(b *testing.B) {
	p := newPrecinct(b, sunk{})
	p.clock.set(time.Now())
	v, _ := p.device(b, auth.WholeDistrict, "A-1", "")
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = report("", i%60)
	}
	for name, r := range map[string]struct {
		target, body string
		header       []string
	}{
		"osmand":    {"/ingest?lat=31.3051&lon=121.1812&timestamp=1772351940&speed=1.2&bearing=90&altitude=4&accuracy=5&batt=80&id=" + v.secret, "", nil},
		"traccar-9": {"/ingest", fmt.Sprintf(`{"location":{"timestamp":"2026-03-01T08:00:00.862Z","coords":{"latitude":31.3051,"longitude":121.1812,"accuracy":5,"speed":1.3,"heading":45.5,"altitude":4.2},"is_moving":true,"battery":{"level":0.83,"is_charging":true},"activity":{"type":"walking"},"extras":{}},"device_id":%q}`, v.secret), nil},
		"api-1":     {"/api/v1/positions", "[" + report("", 1) + "]", append([]string{"Content-Type", "application/json"}, v.headers...)},
		"api-100":   {"/api/v1/positions", "[" + strings.Join(hundred, ",") + "]", append([]string{"Content-Type", "application/json"}, v.headers...)},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				method := http.MethodPost
				if r.body == "" {
					method = http.MethodGet
				}
				if w := call(p.API, method, r.target, r.body, r.header...); w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkDurableReport is one phone's request over loopback, answered when
// its position is in the database: 64 phones at once, client included.
func BenchmarkDurableReport(b *testing.B) {
	p := newPrecinct(b, nil)
	p.clock.set(time.Now())
	v, _ := p.device(b, auth.WholeDistrict, "A-1", "")
	srv := httptest.NewServer(p.API)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	target := srv.URL + "/ingest?lat=31.3051&lon=121.1812&timestamp=1772351940&speed=1.2&accuracy=5&id=" + v.secret
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := client.Get(target)
			if err != nil {
				b.Error(err)
				return
			}
			_ = r.Body.Close()
			if r.StatusCode != 200 {
				b.Error(r.Status)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
