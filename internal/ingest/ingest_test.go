package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/patrol"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

var testNow = time.Date(2026, 3, 1, 8, 0, 5, 0, time.UTC)

// The secrets of the devices that tests know.
var secrets = map[string]string{
	"bound":     "lqd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"gcj02":     "lqd_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
	"osmandapp": "lqd_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC",
	"gateway":   "lqd_DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD",
	"retired":   "lqd_EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE",
	"none":      "lqd_ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ",
}

// ring are Keys in a map.
type ring struct {
	mu        sync.Mutex
	secrets   map[string]Sender
	terminals map[string]Sender
	asked     int
	down      bool
}

func newRing() *ring {
	units := map[string]patrol.Unit{}
	for i, code := range []string{"JD-0017", "JD-0018", "JD-0019", "JD-0042", "JD-0050", "JD-0060"} {
		units[code] = patrol.Unit{ID: patrol.UnitID(i + 1), Code: code, Street: "310114001"}
	}
	retired := units["JD-0050"]
	retired.Retired = testNow.Add(-time.Hour)
	speaks := func(code string) (patrol.Unit, bool) { u, ok := units[code]; return u, ok }
	return &ring{
		secrets: map[string]Sender{
			secrets["bound"]:     {Device: patrol.Device{ID: "d-bound", Unit: 1}, Unit: units["JD-0017"]},
			secrets["gcj02"]:     {Device: patrol.Device{ID: "d-gcj02", Unit: 2, Datum: geo.GCJ02}, Unit: units["JD-0018"]},
			secrets["osmandapp"]: {Device: patrol.Device{ID: "d-osmandapp", Unit: 3, SpeedMPS: true}, Unit: units["JD-0019"]},
			secrets["gateway"]:   {Device: patrol.Device{ID: "d-gateway"}, Speaks: speaks},
			secrets["retired"]:   {Device: patrol.Device{ID: "d-retired", Unit: 5}, Unit: retired},
		},
		terminals: map[string]Sender{
			"13800138000": {Device: patrol.Device{ID: "d-t1", Unit: 6, Terminal: "13800138000"}, Unit: units["JD-0060"]},
			"13800138001": {Device: patrol.Device{ID: "d-t2", Unit: 2, Terminal: "13800138001", Datum: geo.GCJ02}, Unit: units["JD-0018"]},
		},
	}
}

func (r *ring) find(from map[string]Sender, name string) (Sender, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	s, ok := from[name]
	switch {
	case r.down:
		return Sender{}, fault.New(fault.Unavailable, "no database")
	case !ok:
		return Sender{}, fault.New(fault.Denied, "unknown")
	}
	return s, nil
}

func (r *ring) Secret(_ context.Context, secret, _ string) (Sender, error) {
	return r.find(r.secrets, secret)
}
func (r *ring) Terminal(_ context.Context, number string) (Sender, error) {
	return r.find(r.terminals, number)
}

// heap is a Sink in memory, which can be out of order.
type heap struct {
	mu      sync.Mutex
	batches []patrol.Batch
	err     error
	before  func() // called before each
}

func (h *heap) Accept(_ context.Context, b patrol.Batch) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.before != nil {
		h.before()
	}
	if h.err != nil {
		return h.err
	}
	h.batches = append(h.batches, b)
	return nil
}

func (h *heap) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

// all is everything taken in, in one batch.
func (h *heap) all() (b patrol.Batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.batches {
		b.Fixes = append(b.Fixes, one.Fixes...)
		b.Refusals = append(b.Refusals, one.Refusals...)
	}
	return b
}

func newStation(t testing.TB, limits Limits) (*Station, *ring, *heap) {
	t.Helper()
	keys, sink := newRing(), &heap{}
	return New(Config{Keys: keys, Sink: sink, Key: []byte("a key of the test"), Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return testNow }, Limits: limits}), keys, sink
}

// golden compares got with testdata/name, or writes it there.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs; run with -update and look at the change.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

var placeholder = regexp.MustCompile(`\{(basic:([^:{}]*):)?([a-z0-9]+)\}`)

// fill puts secrets in the places of {name} and {basic:user:name}.
func fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		m := placeholder.FindStringSubmatch(p)
		secret, ok := secrets[m[3]]
		switch {
		case !ok:
			return p
		case m[1] != "":
			return base64.StdEncoding.EncodeToString([]byte(m[2] + ":" + secret))
		}
		return secret
	})
}

// recorded reads a request in testdata/http as a server would.
func recorded(t testing.TB, name string) Request {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "http", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(fill(string(text)), "\n\n")
	body = strings.TrimSuffix(body, "\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return Request{Query: r.URL.RawQuery, Header: r.Header, Body: []byte(body), Address: "192.0.2.7"}
}

func recordings(t testing.TB) (names []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/http/*.http")
	if err != nil || len(files) < 30 {
		t.Fatalf("only %d recordings: %v", len(files), err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".http"))
	}
	return names
}

// shown is a batch as golden files have it.
type shown struct {
	Status   int               `json:"status,omitempty"`
	Header   map[string]string `json:"header,omitempty"`
	Body     string            `json:"body,omitempty"`
	Fixes    []shownFix        `json:"fixes,omitempty"`
	Refusals []patrol.Refusal  `json:"refusals,omitempty"`
}

type shownFix struct {
	patrol.Fix
	Source string
	Time   string
	Lag    string
}

func show(b patrol.Batch) (s shown) {
	for _, f := range b.Fixes {
		s.Fixes = append(s.Fixes, shownFix{f, f.Source.String(), time.UnixMilli(f.At).UTC().Format(time.RFC3339Nano), time.Duration((f.Received - f.At) * 1e6).String()})
	}
	s.Refusals = b.Refusals
	return s
}

func indented(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRecordedRequests sends what phones send, as their documentation has it,
// and looks at what is taken in and answered.
func TestRecordedRequests(t *testing.T) {
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			s, _, sink := newStation(t, Limits{})
			a := s.HTTP(t.Context(), recorded(t, name))
			got := show(sink.all())
			got.Status, got.Header, got.Body = a.Status, a.Header, a.Body
			text := indented(t, got)
			for _, secret := range secrets {
				if strings.Contains(string(text), secret) {
					t.Errorf("a secret was kept: %s", text)
				}
			}
			golden(t, filepath.Join("http", name+".json"), text)
		})
	}
}

// wantCounter looks for a line of s's metrics.
func wantCounter(t testing.TB, s *Station, line string) {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(s)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
		t.Errorf("no %s in\n%s", line, w.Body)
	}
}
