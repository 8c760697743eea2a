package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
)

// listenTo serves town on a port and returns where.
func listenTo(t testing.TB, a *API) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.Serve(ctx, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return "http://" + l.Addr().String()
}

// caseEvent is one event of the live desk.
type caseEvent struct {
	kind     string
	Row      []any
	Line     struct{ Allowed []string }
	ID       int64
	Who      []string
	Revision int64
}

func (e caseEvent) String() string {
	switch e.kind {
	case "case":
		return fmt.Sprintf("case %v %v", e.Row[0], e.Row[5])
	case "gone":
		return fmt.Sprintf("gone %d", e.ID)
	case "viewing":
		return fmt.Sprintf("viewing %d %v", e.ID, e.Who)
	}
	return e.kind
}

// liveDesk reads the events of one reader.
type liveDesk struct {
	t testing.TB
	*bufio.Scanner
}

func watchDesk(t testing.TB, url string, v visitor, headers ...string) *liveDesk {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/api/v1/cases/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for h := append(slices.Clone(v.headers), headers...); len(h) > 0; h = h[2:] {
		r.Header.Set(h[0], h[1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatal(resp, err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	d := &liveDesk{t, bufio.NewScanner(resp.Body)}
	d.Buffer(nil, 1<<20)
	if e := d.next(); e.kind != "hello" {
		t.Fatalf("begins with %v", e)
	}
	return d
}

func (d *liveDesk) next() (e caseEvent) {
	d.t.Helper()
	for d.Scan() {
		line := d.Text()
		if kind, ok := strings.CutPrefix(line, "event: "); ok {
			e.kind = kind
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				d.t.Fatal(err)
			}
		}
		if line == "" && e.kind != "" {
			return e
		}
	}
	return caseEvent{kind: "end"}
}

func (d *liveDesk) want(events ...string) (last caseEvent) {
	d.t.Helper()
	for _, want := range events {
		if last = d.next(); last.String() != want {
			d.t.Errorf("got %v, want %s", last, want)
		}
	}
	return last
}

// TestLiveDesk: everybody is told of his own cases, and of one that leaves his
// jurisdiction that it is gone.
func TestLiveDesk(t *testing.T) {
	town := newCaseTown(t)
	url := listenTo(t, town.API)
	first := town.report(t, town.device, 0, 0)
	district, one, two, team := watchDesk(t, url, town.district), watchDesk(t, url, town.one), watchDesk(t, url, town.two), watchDesk(t, url, town.team)

	// Each step is told before the next is taken: else two may be told as one.
	step := func(v visitor, c caseAnswer, action, fields string) caseAnswer {
		t.Helper()
		c = decode[caseAnswer](t, town.act(v, c, action, fields).ResponseRecorder, 200)
		district.want(fmt.Sprintf("case %d %s", c.Case.ID, c.Case.State))
		return c
	}
	c := step(town.one, first, "accept", "")
	if e := one.want("case 1 accepted"); !slices.Contains(e.Line.Allowed, "file") || len(e.Row) != 12 || e.Row[7] != "0701" || e.Row[8] != firstStreet {
		t.Errorf("%+v", e)
	}
	// It lies in the other street after all.
	c = step(town.district, c, "file", `,"position":`+at(6, 0))
	step(town.district, c, "dispatch", `,"lead":"S02","text":"移交"`)
	d := town.report(t, town.device, 1, 0)
	district.want("case 2 reported")
	one.want("gone 1", "case 2 reported")
	two.want("case 1 filed", "case 1 dispatched")

	// The department of the first street leads the second case, and then not.
	for _, action := range []string{"accept", "file", "dispatch"} {
		d = step(town.one, d, action, "")
	}
	d = step(town.team, d, "ask-return", `,"text":"不属本队"`)
	d = step(town.one, d, "return-misdispatched", "")
	step(town.one, d, "dispatch", `,"lead":"U11","text":"改派"`)
	if e := team.want("case 2 dispatched", "case 2 returned"); slices.Contains(e.Line.Allowed, "close") {
		t.Errorf("%+v", e)
	}
	team.want("case 2 filed", "gone 2")
	one.want("case 2 accepted", "case 2 filed", "case 2 dispatched", "case 2 returned", "case 2 filed", "case 2 dispatched")
}

// TestViewing: who else looks is told to whose business the case is, until he
// leaves or is not heard of.
func TestViewing(t *testing.T) {
	clock := clockAt(testNow)
	town := newCaseTownAt(t, clock.now)
	url := listenTo(t, town.API)
	town.report(t, town.device, 0, 0)
	one, two := watchDesk(t, url, town.one), watchDesk(t, url, town.two)
	view := func(method string, v visitor, status int) (got struct{ Who []string }) {
		t.Helper()
		w := v.call(town, method, "/api/v1/cases/1/viewing", "")
		if w.Code != status {
			t.Fatal(w.Code, w.Body)
		}
		_ = json.Unmarshal(w.Body.Bytes(), &got)
		return got
	}
	if got := view("PUT", town.one, 200).Who; len(got) != 0 {
		t.Errorf("he himself: %v", got)
	}
	if got := view("PUT", town.district, 200).Who; !slices.Equal(got, []string{"某某"}) {
		t.Errorf("who else: %v", got)
	}
	view("PUT", town.district, 200) // again: nothing new
	if got := decode[struct{ Viewing []string }](t, town.page(town.inspector, 1).ResponseRecorder, 200).Viewing; !slices.Equal(got, []string{"某某", "某某"}) {
		t.Errorf("on the page: %v", got)
	}
	view("PUT", town.two, 404)
	view("DELETE", town.one, 204)
	view("DELETE", town.one, 204)
	clock.set(testNow.Add(viewingFor))
	town.cases.swept(clock.now())
	one.want("viewing 1 [某某]", "viewing 1 [某某 某某]", "viewing 1 [某某]", "viewing 1 []")

	for i := range maxViewing {
		town.report(t, town.device, i%3, 0)
		v := town.one.call(town, "PUT", fmt.Sprint("/api/v1/cases/", i+2, "/viewing"), "")
		if v.Code != 200 {
			t.Fatal(v.Body)
		}
	}
	view("PUT", town.one, 429)
	town.report(t, town.device, 6, 0) // the first that is the other street's
	two.want(fmt.Sprintf("case %d reported", maxViewing+2))
}

// TestLiveDeskEnds: for a reader who takes nothing, who may read no more, and
// with the service.
func TestLiveDeskEnds(t *testing.T) {
	town := newCaseTown(t)
	hub := town.cases
	r := hub.read(auth.Caller{Role: auth.StreetOperator, Jurisdiction: streetOne})
	defer r.close()
	if frames, err := r.Next(t.Context(), 0); err != nil || len(frames) != 1 {
		t.Fatal(frames, err)
	}
	for i := range heldFrames + 1 {
		hub.viewed(&casework.Kept{Case: int64(i + 1), Street: firstStreet})
	}
	if _, err := r.Next(t.Context(), 0); err == nil {
		t.Error("a reader who is further behind than what is held reads on")
	}
	url := listenTo(t, town.API)
	one, district := watchDesk(t, url, town.one), watchDesk(t, url, town.district)
	if w := town.one.call(town, "DELETE", "/api/v1/session", ""); w.Code != 204 {
		t.Fatal(w.Code)
	}
	one.want("end") // within checkEvery
	town.streams.end()
	district.want("end")
	wantProblem(t, town.team.call(town, "GET", "/api/v1/cases/live?x=1", ""), 400)
}

// TestLiveDeskRace: readers come and go while cases change; each that stays is
// told of all of his.
func TestLiveDeskRace(t *testing.T) {
	town := newCaseTown(t)
	const cases = 40
	hub := town.cases
	var readers sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer func() { stop(); readers.Wait() }()
	for i := range 8 {
		readers.Go(func() {
			for ctx.Err() == nil {
				r := hub.read(auth.Caller{Role: auth.StreetOperator, Jurisdiction: auth.Jurisdiction{Level: auth.Street, Code: []string{firstStreet, secondStreet}[i%2]}})
				for range 3 {
					frames, _ := r.Next(ctx, time.Millisecond)
					for _, f := range frames {
						f.Bytes()
					}
				}
				r.close()
			}
		})
	}
	stays := hub.read(auth.Caller{Role: auth.StreetOperator, Jurisdiction: streetOne})
	defer stays.close()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range cases / 4 {
				v := town.device.call(town, "POST", "/api/v1/cases", `{"item":"0701","position":`+at(w, i%8)+`,"evidence":["`+town.photo(t, town.device)+`"]}`)
				if v.Code != 201 {
					t.Error(v.Body)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for deadline := time.Now().Add(20 * time.Second); len(seen) < cases && time.Now().Before(deadline); {
		frames, err := stays.Next(ctx, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			if text := string(f.Bytes()); strings.HasPrefix(text, "event: case") {
				if seen[text] {
					t.Errorf("told twice: %s", text)
				}
				seen[text] = true
			}
		}
	}
	if len(seen) != cases {
		t.Errorf("told of %d of %d", len(seen), cases)
	}
}

// BenchmarkLiveDesk is 100 readers in 13 jurisdictions, of 50 changes a second.
func BenchmarkLiveDesk(b *testing.B) {
	town := newCaseTown(b)
	hub := town.cases
	k := decode[caseAnswer](b, town.device.call(town, "POST", "/api/v1/cases", `{"item":"0701","text":"占道经营","position":`+at(0, 0)+`}`), 201)
	rec, err := hub.desk.Case(b.Context(), k.Case.ID)
	if err != nil {
		b.Fatal(err)
	}
	var read atomic.Int64
	ctx, stop := context.WithCancel(b.Context())
	var readers sync.WaitGroup
	for i := range 100 {
		caller := auth.Caller{Role: auth.DistrictOperator, Jurisdiction: auth.WholeDistrict}
		if i >= 10 {
			caller = auth.Caller{Role: auth.StreetOperator, Jurisdiction: auth.Jurisdiction{Level: auth.Street, Code: fmt.Sprint(310114001 + i%12)}}
		}
		r := hub.read(caller)
		readers.Go(func() {
			defer r.close()
			for {
				frames, err := r.Next(ctx, time.Second)
				if err != nil {
					return
				}
				for _, f := range frames {
					read.Add(int64(len(f.Bytes()) + len(f.Deflated())))
				}
			}
		})
	}
	kept := casework.KeptOf(&rec.Case)
	start, cpu := time.Now(), cpuSeconds()
	n := 0
	for b.Loop() {
		kept.Street = fmt.Sprint(310114001 + n%12)
		kept.Seq++
		hub.changed(ctx, kept)
		n++
		time.Sleep(time.Until(start.Add(time.Duration(n) * 20 * time.Millisecond)))
	}
	b.ReportMetric((cpuSeconds()-cpu)*1e6/float64(n), "cpu-µs/change")
	b.ReportMetric(100*(cpuSeconds()-cpu)/time.Since(start).Seconds(), "%cpu")
	b.ReportMetric(float64(read.Load())/float64(n), "bytes/change")
	stop()
	readers.Wait()
}
