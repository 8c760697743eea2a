package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// TestAnswers is the table by which phones keep or lose their reports, for
// every one of the wire forms.
func TestAnswers(t *testing.T) {
	const at = "&timestamp=1772352000&lat=31.38&lon=121.24"
	basic := func(secret string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth("JD-0017", secret)
		return r.Header
	}
	forms := map[string]struct {
		request func(secret, lat string) Request
		body    string // of a good answer
	}{
		"OsmAnd": {func(secret, lat string) Request {
			return Request{Query: "id=" + secret + strings.Replace(at, "31.38", lat, 1)}
		}, ""},
		"Traccar 9": {func(secret, lat string) Request {
			return Request{Body: fmt.Appendf(nil, `{"device_id":%q,"location":{"timestamp":"2026-03-01T08:00:00Z","coords":{"latitude":%s,"longitude":121.24}}}`, secret, lat)}
		}, ""},
		"Traccar 10": {func(secret, lat string) Request {
			return Request{Body: []byte("id=" + secret + strings.Replace(at, "31.38", lat, 1))}
		}, ""},
		"OwnTracks": {func(secret, lat string) Request {
			return Request{Header: basic(secret), Body: fmt.Appendf(nil, `{"_type":"location","lat":%s,"lon":121.24,"tst":1772352000}`, lat)}
		}, "[]"},
	}
	rows := []struct {
		name        string
		secret, lat string
		outage      bool // of the log
		keysDown    bool
		status      int
		fixes       int
		reason      patrol.Reason
	}{
		{"a good fix is durable", "bound", "31.38", false, false, 200, 1, ""},
		{"a bad fix is quarantined", "bound", "91.5", false, false, 200, 0, patrol.NoPosition},
		{"a fix of a unit that is no more", "retired", "31.38", false, false, 200, 0, patrol.UnknownUnit},
		{"wrong credentials", "none", "31.38", false, false, 401, 0, ""},
		{"wrong credentials during an outage of the log", "none", "31.38", true, false, 401, 0, ""},
		{"the log is out of order", "bound", "31.38", true, false, 503, 0, ""},
		{"a bad fix while the log is out of order", "bound", "91.5", true, false, 503, 0, ""},
		{"the accounts are out of order", "bound", "31.38", false, true, 503, 0, ""},
	}
	for form, f := range forms {
		for _, row := range rows {
			t.Run(form+"/"+row.name, func(t *testing.T) {
				s, keys, sink := newStation(t, Limits{})
				if row.outage {
					sink.fail(fault.New(fault.Unavailable, "disk full"))
				}
				keys.down = row.keysDown
				q := f.request(secrets[row.secret], row.lat)
				if row.secret == "retired" && q.Header != nil {
					q.Header = func() http.Header {
						r := http.Request{Header: http.Header{}}
						r.SetBasicAuth("JD-0050", secrets["retired"])
						return r.Header
					}()
				}
				if q.Header == nil {
					q.Header = http.Header{}
				}
				a := s.HTTP(t.Context(), q)
				if a.Status != row.status || a.Status == 200 && a.Body != f.body {
					t.Errorf("got %d %q, want %d", a.Status, a.Body, row.status)
				}
				if a.Status == 503 && a.Header["Retry-After"] == "" {
					t.Error("503 without Retry-After")
				}
				got := sink.all()
				if len(got.Fixes) != row.fixes {
					t.Errorf("%d fixes, want %d", len(got.Fixes), row.fixes)
				}
				if n := len(got.Refusals); (row.reason != "") != (n == 1) || n == 1 && got.Refusals[0].Reason != row.reason {
					t.Errorf("refusals %+v, want %q", got.Refusals, row.reason)
				}
			})
		}
	}
}

// TestAnswerAfterDurable holds the log back and sees that nothing is answered
// meanwhile.
func TestAnswerAfterDurable(t *testing.T) {
	s, _, sink := newStation(t, Limits{})
	durable := make(chan struct{})
	reached := make(chan struct{})
	sink.before = func() { close(reached); <-durable }
	answered := make(chan Answer, 1)
	go func() { answered <- s.HTTP(context.Background(), recorded(t, "owntracks-location")) }()
	<-reached
	select {
	case a := <-answered:
		t.Fatalf("answered %d before it was durable", a.Status)
	default:
	}
	close(durable)
	if a := <-answered; a.Status != 200 || len(sink.all().Fixes) != 1 {
		t.Errorf("got %+v", a)
	}
}

// slow is a Sink that is never done.
type slow struct{}

func (slow) Accept(ctx context.Context, _ patrol.Batch) error { <-ctx.Done(); return ctx.Err() }

func TestALogThatHangsIsAnOutage(t *testing.T) {
	s, _, _ := newStation(t, Limits{Durable: time.Millisecond})
	s.cfg.Sink = slow{}
	if a := s.HTTP(t.Context(), recorded(t, "osmand-query")); a.Status != 503 {
		t.Errorf("got %d", a.Status)
	}
	wantCounter(t, s, `lianqin_ingest_unavailable_total{source="osmand"} 1`)
}

func TestCounters(t *testing.T) {
	s, _, _ := newStation(t, Limits{})
	for _, name := range []string{"osmand-query", "osmand-heartbeat", "osmand-no-time", "osmand-unknown-secret", "owntracks-location", "owntracks-encrypted"} {
		s.HTTP(t.Context(), recorded(t, name))
	}
	for _, want := range []string{
		`lianqin_ingest_fixes_total{source="osmand"} 1`,
		`lianqin_ingest_fixes_total{source="owntracks"} 1`,
		`lianqin_ingest_fixes_total{source="mqtt"} 0`,
		`lianqin_ingest_other_total{source="osmand"} 1`,
		`lianqin_ingest_refused_total{reason="encrypted",source="owntracks"} 1`,
		`lianqin_ingest_refused_total{reason="no-time",source="osmand"} 1`,
		`lianqin_ingest_refused_total{reason="wrong-credentials",source="osmand"} 1`,
	} {
		wantCounter(t, s, want)
	}
}

func TestTheDoor(t *testing.T) {
	s, keys, _ := newStation(t, Limits{})
	now := testNow
	s.cfg.Now = func() time.Time { return now }
	guess := func(i int, address string) int {
		return s.HTTP(t.Context(), Request{Query: fmt.Sprintf("id=lqd_%d&lat=1&lon=1&timestamp=1", i), Address: address, Header: http.Header{}}).Status
	}
	good := recorded(t, "osmand-query")
	if a := s.HTTP(t.Context(), good); a.Status != 200 {
		t.Fatal(a)
	}
	for i := range failBurst {
		if got := guess(i, good.Address); got != 401 {
			t.Fatalf("guess %d: %d", i, got)
		}
	}
	asked := keys.asked
	if got := guess(1000, good.Address); got != 503 || keys.asked != asked {
		t.Errorf("one guess too many: %d, and the database was asked %d times", got, keys.asked-asked)
	}
	if a := s.HTTP(t.Context(), good); a.Status != 200 {
		t.Errorf("a phone beside the guesser: %d", a.Status)
	}
	if got := guess(1001, "192.0.2.8"); got != 401 {
		t.Errorf("another address: %d", got)
	}
	now = now.Add(failEvery)
	if got := guess(1002, good.Address); got != 401 {
		t.Errorf("after a wait: %d", got)
	}
	if got := guess(1003, good.Address); got != 503 {
		t.Errorf("and one more: %d", got)
	}
	var d door
	for i := range 3 * doorAddresses {
		d.bad("x", netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), testNow)
		d.good(fmt.Sprint(i % (2 * doorKnown)))
	}
	if len(d.fails) > doorAddresses || len(d.known) > doorKnown {
		t.Errorf("the door remembers %d addresses and %d names", len(d.fails), len(d.known))
	}
}

// phones serves s on a loopback port until the test ends.
func phones(t testing.TB, s *Station) string {
	t.Helper()
	addr, _ := served(t, s.ServePhones)
	return addr
}

func TestServePhones(t *testing.T) {
	s, _, sink := newStation(t, Limits{Body: 4096})
	base := "http://" + phones(t, s)
	send := func(method, path string, body io.Reader, header ...string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, body)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		text, _ := io.ReadAll(w.Body)
		return w.StatusCode, string(text)
	}
	query := recorded(t, "osmand-query").Query
	for _, method := range []string{"GET", "POST", "PUT"} {
		if code, body := send(method, "/any/path?"+query, nil); code != 200 || body != "" {
			t.Errorf("%s: %d %q", method, code, body)
		}
	}
	own := recorded(t, "owntracks-location")
	if code, body := send("POST", "/", bytes.NewReader(own.Body), "Authorization", own.Header.Get("Authorization")); code != 200 || body != "[]" {
		t.Errorf("OwnTracks: %d %q", code, body)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(recorded(t, "traccar-9").Body)
	_ = z.Close()
	if code, _ := send("POST", "/", &zipped, "Content-Encoding", "gzip"); code != 200 {
		t.Errorf("gzip: %d", code)
	}
	if n := len(sink.all().Fixes); n != 5 {
		t.Errorf("%d fixes, want 5", n)
	}
	// Too large: never taken, so the phone must not send it again.
	for name, body := range map[string]io.Reader{"long": strings.NewReader(strings.Repeat("x", 5000)), "of unknown length": io.MultiReader(strings.NewReader(strings.Repeat("x", 5000)))} {
		before := len(sink.all().Refusals)
		if code, _ := send("POST", "/?id="+secrets["bound"], body); code != 200 {
			t.Errorf("%s: %d", name, code)
		}
		if got := sink.all().Refusals; len(got) != before+1 || got[before].Reason != patrol.Malformed {
			t.Errorf("%s: %+v", name, got)
		}
	}
	zipped.Reset()
	z = gzip.NewWriter(&zipped)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	if code, _ := send("POST", "/?id="+secrets["bound"], &zipped, "Content-Encoding", "gzip"); code != 200 {
		t.Errorf("a bomb: %d", code)
	}
	if code, _ := send("POST", "/", strings.NewReader(strings.Repeat("x", 5000))); code != 401 {
		t.Errorf("too large, of nobody: %d", code)
	}
}

// TestASlowPhoneHarmsNobody opens more connections than there may be and says
// nothing on them: others are served, and the silent ones are closed.
func TestASlowPhoneHarmsNobody(t *testing.T) {
	s, _, sink := newStation(t, Limits{Connections: 8, PerAddress: 4, Handshake: 300 * time.Millisecond})
	addr := phones(t, s)
	var conns []net.Conn
	for range 6 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Len")
		conns = append(conns, c)
	}
	for i, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadAll(c); errors.Is(err, context.DeadlineExceeded) || err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("connection %d was kept open: %v", i, err)
		}
	}
	wantCounter(t, s, `lianqin_ingest_turned_away_total{listener="phones"} 2`)
	w, err := http.Get("http://" + addr + "/?" + recorded(t, "osmand-query").Query)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	if w.StatusCode != 200 || len(sink.all().Fixes) != 1 {
		t.Errorf("after them: %d", w.StatusCode)
	}
}

// FuzzHTTP sends anything: there is an answer, nobody without a secret gets
// in, and what comes out is within the ranges of patrol.Fix.
func FuzzHTTP(f *testing.F) {
	for _, name := range recordings(f) {
		q := recorded(f, name)
		f.Add(q.Query, q.Header.Get("Authorization"), q.Body)
	}
	f.Fuzz(func(t *testing.T, query, authorization string, body []byte) {
		s, _, sink := newStation(t, Limits{})
		a := s.HTTP(t.Context(), Request{Query: query, Header: http.Header{"Authorization": {authorization}}, Body: body})
		if !slices.Contains([]int{200, 401}, a.Status) {
			t.Fatalf("status %d", a.Status)
		}
		got := sink.all()
		if a.Status != 200 && len(got.Fixes)+len(got.Refusals) > 0 {
			t.Fatalf("taken in without credentials: %+v", got)
		}
		for _, fix := range got.Fixes {
			checkFix(t, fix)
		}
		for _, r := range got.Refusals {
			if len(r.Raw) > patrol.MaxRaw || !slices.Contains(patrol.Reasons, r.Reason) || r.Detail == "" {
				t.Fatalf("refusal %+v", r)
			}
		}
	})
}

func checkFix(t *testing.T, f patrol.Fix) {
	t.Helper()
	if f.Unit == 0 || f.At <= 0 || f.At > lastInstant || f.Received != testNow.UnixMilli() || f.Source == patrol.FromUnknown ||
		f.Pos.X < -1_800_000_000 || f.Pos.X > 1_800_000_000 || f.Pos.Y < -900_000_000 || f.Pos.Y > 900_000_000 || f.Pos.X == 0 && f.Pos.Y == 0 && f.Unit != 2 ||
		!(f.AccuracyM >= 0) || !(f.SpeedMPS == -1 || f.SpeedMPS >= 0) || !(f.HeadingDeg == -1 || f.HeadingDeg >= 0 && f.HeadingDeg < 360) ||
		f.AltitudeM != f.AltitudeM || f.BatteryPct < -1 || f.BatteryPct > 100 {
		t.Fatalf("%+v", f)
	}
}
