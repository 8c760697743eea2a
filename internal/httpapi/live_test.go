package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/grid"
	"lianqin/internal/live"
	"lianqin/internal/live/livetest"
)

// liveService is an API that listens, with a hub that makes a frame every few
// milliseconds of a town that moves.
type liveService struct {
	*API
	url  string
	town *livetest.Town
	hub  *live.Hub
	stop func() // ends the service, and returns when it has ended
}

const fastFrames = 3 * time.Millisecond

func serveLive(t testing.TB, cfg Config, units int) *liveService {
	t.Helper()
	return serveLiveIn(t, cfg, lattice(t, 4, 2), units)
}

func serveLiveIn(t testing.TB, cfg Config, gen *grid.Generation, units int) *liveService {
	t.Helper()
	s := &liveService{town: livetest.New(units)}
	s.town.Stir(time.Now(), 1)
	s.hub = live.NewHub(live.Config{Look: s.town.Look, Origin: livetest.Origin, Every: fastFrames})
	cfg.Live = s.hub
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s.API = closedAPI(t, cfg, gen)
	addAccount(t, s.API, "root", auth.Administrator, auth.WholeDistrict)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.hub.Run(ctx) })
	running.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	s.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(s.stop)
	return s
}

// open begins a stream as v. Its body is decompressed.
func (s *liveService) open(ctx context.Context, v visitor, path string, headers ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "identity")
	for h := append(v.headers, headers...); len(h) > 0; h = h[2:] {
		r.Header.Set(h[0], h[1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err == nil && resp.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(resp.Body); err == nil {
			resp.Body = struct {
				io.Reader
				io.Closer
			}{z, resp.Body}
		}
	}
	return resp, err
}

func (s *liveService) mustOpen(t testing.TB, v visitor, headers ...string) *http.Response {
	t.Helper()
	resp, err := s.open(t.Context(), v, "/api/v1/live", headers...)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	body := resp.Body
	t.Cleanup(func() { body.Close() })
	resp.Body = struct { // which Screen.Read can go on with, again and again
		*bufio.Reader
		io.Closer
	}{bufio.NewReaderSize(body, 1<<16), body}
	return resp
}

// cutting ends a body after n bytes, in the middle of whatever is there.
type cutting struct {
	io.ReadCloser
	n int
}

func (c *cutting) Read(p []byte) (int, error) {
	if c.n <= 0 {
		c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.n)])
	c.n -= n
	return n, err
}

// TestLiveCutOffAThousandTimes has four readers, half of them with gzip, whose
// connections break 250 times each, anywhere, sometimes for longer than frames
// are held. While they read, everything moves. In the end each shows exactly
// how things stand.
func TestLiveCutOffAThousandTimes(t *testing.T) {
	s := serveLive(t, Config{}, 200)
	addAccount(t, s.API, "district", auth.DistrictOperator, auth.WholeDistrict)
	addAccount(t, s.API, "street", auth.StreetOperator, auth.Jurisdiction{Level: auth.Street, Code: "S1"})
	moving, still := context.WithCancel(t.Context())
	var mover, readers sync.WaitGroup
	mover.Go(func() {
		for i := 0; moving.Err() == nil; i++ {
			s.town.Stir(time.Now(), .03)
			if i%500 == 499 {
				s.town.Edit()
			}
			time.Sleep(fastFrames / 2)
		}
	})
	const cuts = 250
	screens := make([]livetest.Screen, 4)
	scopes := []live.Scope{{}, {Street: "S1"}, {}, {Street: "S1"}}
	who := []visitor{signedIn(t, s.API, "district"), signedIn(t, s.API, "street")}
	read := func(i int, limit int, each func() bool) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		resp, err := s.open(ctx, who[i%2], "/api/v1/live", "Last-Event-ID", screens[i].Last, "Accept-Encoding", []string{"identity", "gzip"}[i/2])
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return screens[i].Read(&cutting{resp.Body, limit}, each)
	}
	for i := range screens {
		rnd := rand.New(rand.NewPCG(5, uint64(i)))
		readers.Go(func() {
			for range cuts {
				if err := read(i, rnd.IntN(1<<rnd.IntN(16)), nil); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("reader %d: %v", i, err)
					return
				}
				if rnd.IntN(50) == 0 {
					time.Sleep(live.Every / 2) // longer than frames are held at this pace
				}
			}
		})
	}
	readers.Wait()
	still()
	mover.Wait()
	end := time.Now().UnixMilli()
	for i := range screens {
		if err := read(i, 1<<30, func() bool { return screens[i].At <= end }); err != nil {
			t.Fatal(err)
		}
		if d := screens[i].Differs(s.town.Want(scopes[i])); d != "" {
			t.Errorf("reader %d: (-want +got)\n%s", i, d)
		}
		t.Logf("reader %d: %d frames, %d of them snapshots", i, screens[i].Frames, screens[i].Snaps)
		if screens[i].Snaps == 0 || screens[i].Snaps == screens[i].Frames {
			t.Errorf("reader %d had %d snapshots among %d frames", i, screens[i].Snaps, screens[i].Frames)
		}
	}
}

func TestLiveHeaders(t *testing.T) {
	s := serveLive(t, Config{}, 20)
	addAccount(t, s.API, "district", auth.DistrictOperator, auth.WholeDistrict)
	v := signedIn(t, s.API, "district")
	for _, encoding := range []string{"", "gzip"} {
		h := s.mustOpen(t, v, "Accept-Encoding", encoding+";q=1").Header
		for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
			"Content-Encoding": encoding, "Vary": "Accept-Encoding"} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	if w := call(s.API, "GET", "/metrics", "", v.headers...); w.Code != 403 {
		t.Errorf("/metrics: %d", w.Code)
	}
	addAccount(t, s.API, "ops", auth.Administrator, auth.WholeDistrict)
	if text := signedIn(t, s.API, "ops").call(s.API, "GET", "/metrics", "").Body.String(); !strings.Contains(text, "lianqin_live_readers 2\n") {
		t.Error("/metrics has not the two readers")
	}
	r, _ := http.NewRequest("HEAD", s.url+"/api/v1/live", nil)
	for h := v.headers; len(h) > 0; h = h[2:] {
		r.Header.Set(h[0], h[1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %v, %v", resp, err)
	}
	if w := v.call(s.API, "GET", "/api/v1/live?since=1", ""); w.Code != 400 {
		t.Errorf("an unknown parameter: %d", w.Code)
	}
	if w := v.call(closedAPIWith(t, s.API), "GET", "/api/v1/live", ""); w.Code != 503 {
		t.Errorf("without a hub: %d", w.Code)
	}
}

// closedAPIWith is an API of a's gate that follows no patrols.
func closedAPIWith(t testing.TB, a *API) *API {
	return closedAPI(t, Config{Gate: a.cfg.Gate, Atlas: a.cfg.Atlas}, nil)
}

// TestLiveJurisdictions compares what each may see with what there is, and
// looks for names.
func TestLiveJurisdictions(t *testing.T) {
	s := serveLive(t, Config{}, 100)
	d, err := s.inForce()
	if err != nil {
		t.Fatal(err)
	}
	village, _ := d.gen.Grid(3)
	addAccount(t, s.API, "street", auth.StreetOperator, auth.Jurisdiction{Level: auth.Street, Code: "S2"})
	addAccount(t, s.API, "village", auth.VillageStation, auth.Jurisdiction{Level: auth.Village, Code: village.Code})
	addAccount(t, s.API, "lost", auth.VillageStation, auth.Jurisdiction{Level: auth.Village, Code: "none"})
	addAccount(t, s.API, "department", auth.Viewer, auth.Jurisdiction{Level: auth.Department, Code: "U02"})
	wall, _ := holder(t, s.API, auth.Link, auth.Jurisdiction{Level: auth.Street, Code: "S1"})
	for name, tt := range map[string]struct {
		visitor
		live.Scope
	}{
		"street": {signedIn(t, s.API, "street"), live.Scope{Street: "S2"}}, "village": {signedIn(t, s.API, "village"), live.Scope{Grid: 3}},
		"link": {wall, live.Scope{Street: "S1"}},
	} {
		var screen livetest.Screen
		var raw bytes.Buffer
		body := io.TeeReader(s.mustOpen(t, tt.visitor).Body, &raw)
		if err := screen.Read(body, func() bool { return screen.Frames < 5 }); err != nil {
			t.Fatal(err)
		}
		if d := screen.Differs(s.town.Want(tt.Scope)); d != "" || len(screen.Units) == 0 {
			t.Errorf("%s: %d units (-want +got)\n%s", name, len(screen.Units), d)
		}
		if regexp.MustCompile(`王|"U\d`).Match(raw.Bytes()) {
			t.Errorf("%s: a name or a code in %s", name, raw.Bytes())
		}
	}
	for login, status := range map[string]int{"lost": 404, "department": 403} {
		if w := signedIn(t, s.API, login).call(s.API, "GET", "/api/v1/live", ""); w.Code != status {
			t.Errorf("%s: %d %s, want %d", login, w.Code, w.Body, status)
		}
	}
}

// TestLiveEndsWithItsSession revokes what streams were opened by.
func TestLiveEndsWithItsSession(t *testing.T) {
	s := serveLive(t, Config{}, 20)
	addAccount(t, s.API, "wang", auth.DistrictOperator, auth.WholeDistrict)
	person, gone := signedIn(t, s.API, "wang"), signedIn(t, s.API, "wang")
	wall, link := holder(t, s.API, auth.Link, auth.WholeDistrict)
	var screens [3]livetest.Screen
	var bodies [3]io.Reader
	for i, v := range []visitor{gone, wall, person} {
		bodies[i] = s.mustOpen(t, v).Body
		if err := screens[i].Read(bodies[i], func() bool { return false }); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	if w := gone.call(s.API, "DELETE", "/api/v1/session", ""); w.Code != 204 {
		t.Fatal(w.Code, w.Body)
	}
	if err := s.cfg.Gate.Revoke(t.Context(), auth.Operator("root"), link.ID); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if _, err := io.Copy(io.Discard, bodies[i]); err != nil {
			t.Errorf("stream %d: %v", i, err)
		}
	}
	if took := time.Since(begin); took > 3*checkEvery {
		t.Errorf("the streams ended after %v", took)
	}
	if err := screens[2].Read(bodies[2], func() bool { return screens[2].At < time.Now().UnixMilli()-100 }); err != nil {
		t.Errorf("the one that was not revoked: %v", err)
	}
	if resp, err := s.open(t.Context(), wall, "/api/v1/live"); err != nil || resp.StatusCode != 401 {
		t.Errorf("coming back: %v, %v", resp, err)
	}
}

func TestLiveStreamsAreLimited(t *testing.T) {
	s := serveLive(t, Config{Limits: Limits{StreamsPerAddress: 3}}, 20)
	wall, _ := holder(t, s.API, auth.Link, auth.WholeDistrict)
	first := s.mustOpen(t, wall)
	s.mustOpen(t, wall)
	s.mustOpen(t, wall)
	ask := func() int {
		resp, err := s.open(t.Context(), wall, "/api/v1/live")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := ask(); got != 429 {
		t.Errorf("one too many: %d", got)
	}
	first.Body.Close()
	for tries := 0; ask() != 200; tries++ { // until its handler has noticed
		if tries == 1000 {
			t.Fatal("a stream that was left counts for ever")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestLiveSlowReaderIsCutOff has one that reads nothing, and one that does.
func TestLiveSlowReaderIsCutOff(t *testing.T) {
	s := serveLive(t, Config{Limits: Limits{StreamWrite: 200 * time.Millisecond}}, 3000)
	wall, _ := holder(t, s.API, auth.Link, auth.WholeDistrict)
	stuck, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	_, _ = io.WriteString(stuck, "GET /api/v1/live HTTP/1.1\r\nHost: x\r\nCookie: "+wall.headers[1]+"\r\n\r\n")
	var screen livetest.Screen
	body := s.mustOpen(t, wall).Body
	var gone bool
	err = screen.Read(body, func() bool {
		s.town.Stir(time.Now(), 1)
		gone = screen.Frames > 10 && s.hub.Figures().Readers == 1
		return !gone && screen.Frames < 20_000
	})
	if err != nil || !gone {
		t.Fatalf("after %d frames the stuck reader is still there (%v)", screen.Frames, err)
	}
	frames := screen.Frames
	if err := screen.Read(body, func() bool { return screen.Frames < frames+10 }); err != nil {
		t.Errorf("the other one: %v", err)
	}
	if screen.Snaps != 1 {
		t.Errorf("the other one had %d snapshots", screen.Snaps)
	}
}

// TestLiveReadersLeaveNothing opens and closes many streams.
func TestLiveReadersLeaveNothing(t *testing.T) {
	s := serveLive(t, Config{}, 50)
	wall, _ := holder(t, s.API, auth.Link, auth.WholeDistrict)
	round := func(n int) {
		for range n {
			ctx, cancel := context.WithCancel(t.Context())
			resp, err := s.open(ctx, wall, "/api/v1/live")
			if err != nil {
				t.Fatal(err)
			}
			var screen livetest.Screen
			if err := screen.Read(resp.Body, func() bool { return false }); err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			cancel()
		}
		for s.hub.Figures().Readers > 0 {
			time.Sleep(time.Millisecond)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	round(50)
	before := runtime.NumGoroutine()
	round(300)
	after := runtime.NumGoroutine()
	for tries := 0; after > before+10 && tries < 1000; tries++ { // connections on their way out
		time.Sleep(time.Millisecond)
		after = runtime.NumGoroutine()
	}
	if after > before+10 {
		t.Errorf("%d goroutines became %d", before, after)
	}
	all := &s.streams.all
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.open != 0 || len(all.of) != 0 {
		t.Errorf("%d streams of %d addresses are counted", all.open, len(all.of))
	}
}

// TestLiveShutdownEndsStreamsFirst stops a service that many read, with a
// reader among them that takes nothing.
func TestLiveShutdownEndsStreamsFirst(t *testing.T) {
	s := serveLive(t, Config{}, 1000)
	wall, _ := holder(t, s.API, auth.Link, auth.WholeDistrict)
	var readers sync.WaitGroup
	for i := range 50 {
		body := s.mustOpen(t, wall, "Accept-Encoding", []string{"identity", "gzip"}[i%2]).Body
		readers.Go(func() {
			if _, err := io.Copy(io.Discard, body); err != nil { // a proper end: of the gzip stream, too
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	begin := time.Now()
	s.stop()
	if took := time.Since(begin); took > s.cfg.Limits.Shutdown/2 {
		t.Errorf("stopping took %v", took)
	}
	readers.Wait()
}

// TestDocumentedClients runs the clients of docs/live.md against the service.
func TestDocumentedClients(t *testing.T) {
	text, err := os.ReadFile("../../docs/live.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ language, program, file, harness string }{
		{"python", "python3", "client.py", `
import sys
def changed(frame, units, grids, origin):
    n = globals()["n"] = globals().get("n", 0) + 1
    if n == 5:
        for u in units.values():
            if u: print(u["unit"], u["presence"], origin[0] + u["x"], origin[1] + u["y"])
        sys.exit()
follow(sys.argv[1], sys.argv[2], changed)
`},
		{"js", "node", "client.mjs", `
import http from 'node:http'
globalThis.EventSource = class {
  listeners = {}
  constructor(url) {
    http.get(url, { headers: { Authorization: 'Bearer ' + process.argv[3] } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece
        for (let i; (i = text.indexOf('\n\n')) >= 0; text = text.slice(i + 2)) {
          const field = Object.fromEntries(text.slice(0, i).split('\n').map((line) => line.split(/: (.*)/)))
          this.listeners[field.event]?.({ type: field.event, data: field.data })
        }
      })
    })
  }
  addEventListener(type, listener) { this.listeners[type] = listener }
}
let n = 0
follow(process.argv[2], (frame, units, grids, origin) => {
  if (++n < 5) return
  for (const u of units.values()) if (u) console.log(u.unit, u.presence, origin[0] + u.x, origin[1] + u.y)
  process.exit()
})
`},
	} {
		t.Run(tt.language, func(t *testing.T) {
			client := regexp.MustCompile("(?s)```" + tt.language + "\n(.*?)```").FindSubmatch(text)
			if client == nil {
				t.Fatal("docs/live.md has no such client")
			}
			if lines := bytes.Count(client[1], []byte("\n")); lines > 30 {
				t.Errorf("%d lines", lines)
			}
			program, err := exec.LookPath(tt.program)
			if err != nil {
				t.Skipf("%s is not here: its client is not run", tt.program)
			}
			s := serveLive(t, Config{}, 60)
			wall, _ := holder(t, s.API, auth.Link, auth.WholeDistrict)
			file := filepath.Join(t.TempDir(), tt.file)
			if err := os.WriteFile(file, append(client[1], tt.harness...), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			out, err := exec.CommandContext(ctx, program, file, s.url+"/api/v1/live", wall.secret).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			want := make(map[string]bool)
			for id, u := range s.town.Want(live.Scope{}).Units {
				if u != nil {
					want[line(id, u["presence"], 12_112_000+u["x"], 3_124_000+u["y"])] = true
				}
			}
			for got := range strings.Lines(string(out)) {
				if !want[got] {
					t.Errorf("the client shows %q", got)
				}
				delete(want, got)
			}
			if len(want) > 0 {
				t.Errorf("the client does not show %v", want)
			}
		})
	}
}

func line(v ...int64) string {
	return strings.Trim(fmt.Sprint(v), "[]") + "\n"
}
