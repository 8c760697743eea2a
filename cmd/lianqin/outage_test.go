package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/bus/bustest"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
	"lianqin/internal/store/storetest"
)

// kills is how often a test kills: a few times, or as often as asked for.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("LIANQIN_KILLS")); err == nil && n > 0 {
		return n
	}
	return 4
}

const (
	senders     = 4
	batchOf     = 10
	betweenFix  = 50 * time.Millisecond
	patience    = 90 * time.Second // for what takes a moment
	sendPause   = 2 * time.Millisecond
	reportsFrom = -2 * time.Hour
)

// A post is a database with a district, a unit for each sender and a gateway's
// token, and what of the senders' fixes was acknowledged.
type post struct {
	url    string
	secret string
	begin  time.Time

	mu      sync.Mutex
	sent    [senders]int // fixes that each sender made
	acked   map[patrol.UnitID]map[int64]bool
	answers map[int]int // by status; 0 is none
}

func newPost(t *testing.T, url string) *post {
	t.Helper()
	ctx := t.Context()
	p := &post{url: url, begin: time.Now().Add(reportsFrom).Truncate(time.Second), acked: make(map[patrol.UnitID]map[int64]bool), answers: make(map[int]int)}
	st := p.open(t)
	defer st.Close()
	a, err := grid.Open(ctx, st.Generations(), nil)
	if err != nil {
		t.Fatal(err)
	}
	streets, areas := storetest.District(4, 3, 5, 1)
	r, err := a.Import(ctx, grid.Import{Streets: streets, Areas: areas, Author: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Check(ctx, r.Number, 0, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Publish(ctx, grid.Publication{Number: r.Number, From: time.Unix(0, 0), By: "test"}); err != nil {
		t.Fatal(err)
	}
	gateway := auth.Token{Kind: auth.Device, Name: "gateway", Jurisdiction: auth.WholeDistrict}
	if p.secret, err = auth.NewGate(st.Accounts(), time.Now).Issue(ctx, auth.Operator("test"), &gateway); err != nil {
		t.Fatal(err)
	}
	_, err = st.Register().UpdateRoll(ctx, func(*patrol.Roll) (*patrol.RollChange, error) {
		c := &patrol.RollChange{Devices: []patrol.Device{{ID: gateway.ID, Datum: geo.WGS84}}}
		for i := range senders {
			c.Units = append(c.Units, patrol.Unit{Code: senderCode(i), Name: senderCode(i), Kind: patrol.GridPatrol, Street: streets[0].Code, Duty: patrol.Always})
		}
		return c, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func senderCode(i int) string { return fmt.Sprintf("P%03d", i+1) }

func (p *post) open(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), p.url, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// serve starts the program and returns its address and process.
func (p *post) serve(t *testing.T, more ...string) (string, *exec.Cmd) {
	t.Helper()
	c := program(t, append([]string{"serve", "--quiet", "--database", p.url, "--listen", "127.0.0.1:0", "--rate", "0", "--log-level", "error"}, more...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for address := regexp.MustCompile(`http://[0-9.:]+`); lines.Scan(); {
		if m := address.FindString(lines.Text()); m != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return m, c
		}
	}
	_ = c.Wait()
	t.Fatalf("the program did not start: %s", said.String())
	return "", nil
}

// send has every sender report until ctx ends, each a batch after the other
// and to the services by turns. What was not acknowledged is not sent again.
func (p *post) send(ctx context.Context, urls ...string) {
	var wg sync.WaitGroup
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	for i := range senders {
		wg.Go(func() {
			for turn := i; ctx.Err() == nil; turn++ {
				p.report(client, urls[turn%len(urls)], i)
				time.Sleep(sendPause)
			}
		})
	}
	wg.Wait()
}

func (p *post) report(client *http.Client, url string, sender int) {
	p.mu.Lock()
	first := p.sent[sender]
	p.sent[sender] += batchOf
	p.mu.Unlock()
	type position struct {
		Unit string  `json:"unit"`
		Time int64   `json:"time"`
		Lon  float64 `json:"lon"`
		Lat  float64 `json:"lat"`
	}
	var batch struct {
		Positions []position `json:"positions"`
	}
	for k := range batchOf {
		at := p.begin.Add(time.Duration(first+k) * betweenFix)
		batch.Positions = append(batch.Positions, position{senderCode(sender), at.UnixMilli(), 121.2055, 31.3055})
	}
	body, err := json.Marshal(batch)
	if err != nil {
		panic(err) // numbers and a code
	}
	r, err := http.NewRequest("POST", url+"/api/v1/positions", bytes.NewReader(body))
	if err != nil {
		panic(err) // our own address
	}
	r.Header.Set("Authorization", "Bearer "+p.secret)
	r.Header.Set("Content-Type", "application/json")
	status := 0
	if resp, err := client.Do(r); err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err == nil {
			status = resp.StatusCode
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[status]++
	if status/100 != 2 {
		return
	}
	unit := patrol.UnitID(sender + 1)
	if p.acked[unit] == nil {
		p.acked[unit] = make(map[int64]bool)
	}
	for _, at := range batch.Positions {
		p.acked[unit][at.Time] = true
	}
}

// holds waits until the program that serves has entered all that was
// acknowledged, and fails unless all of it is there, and none twice.
func (p *post) holds(t *testing.T) {
	t.Helper()
	st := p.open(t)
	defer st.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	acked := 0
	for _, of := range p.acked {
		acked += len(of)
	}
	for until := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		found, missing := make(map[patrol.UnitID]map[int64]bool), acked
		err := st.Tracks().Fixes(t.Context(), 0, p.begin, p.begin.Add(24*time.Hour), func(fixes []patrol.Fix) error {
			for _, f := range fixes {
				if found[f.Unit] == nil {
					found[f.Unit] = make(map[int64]bool)
				}
				if found[f.Unit][f.At] {
					t.Errorf("unit %d is twice at %d", f.Unit, f.At)
				}
				found[f.Unit][f.At] = true
				if p.acked[f.Unit][f.At] {
					missing--
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if missing == 0 || t.Failed() {
			t.Logf("%d fixes acknowledged, answers by status %v", acked, p.answers)
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d of %d acknowledged fixes are missing", missing, acked)
		}
	}
}

// stopped ends the program as an operator does.
func stopped(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

func TestAcknowledgedFixesSurviveKills(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		p := newPost(t, url)
		for range kills() {
			url, c := p.serve(t)
			ctx, stop := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond+rand.N(700*time.Millisecond), func() {
				_ = c.Process.Kill()
				stop()
			})
			p.send(ctx, url)
			_ = c.Wait() // killed
		}
		_, c := p.serve(t)
		p.holds(t)
		stopped(t, c)
		if p.answers[http.StatusOK] == 0 {
			t.Errorf("nothing was acknowledged: %v", p.answers)
		}
	})
}

// TestDatabaseAway stops PostgreSQL under load: phones are told to come again,
// what was acknowledged is there, and the service goes on by itself.
func TestDatabaseAway(t *testing.T) {
	away := 3 * time.Second
	if d, err := time.ParseDuration(os.Getenv("LIANQIN_AWAY")); err == nil {
		away = d
	}
	storetest.Outage(t, func(url string, stop, start func()) {
		p := newPost(t, url)
		url, c := p.serve(t)
		ctx, end := context.WithCancel(t.Context())
		sent := make(chan struct{})
		go func() { p.send(ctx, url); close(sent) }()
		count := func(status int) int {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.answers[status]
		}
		await := func(status, more int) {
			t.Helper()
			for from, until := count(status), time.Now().Add(patience); count(status) < from+more; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(until) {
					t.Fatalf("no answers %d any more: %v", status, p.answers)
				}
			}
		}
		await(http.StatusOK, 50)
		stop()
		await(http.StatusServiceUnavailable, 1)
		time.Sleep(away)
		start()
		await(http.StatusOK, 50)
		end()
		<-sent
		p.holds(t)
		stopped(t, c)
		for status := range p.answers {
			if status != http.StatusOK && status != http.StatusServiceUnavailable {
				t.Errorf("answers by status: %v; only 200 and 503 may be", p.answers)
			}
		}
	})
}

// TestTwoProcessesShareALog has phones report to two processes by turns, which
// share PostgreSQL and NATS, after one that was alone. Both apply the log, and
// it counts once.
func TestTwoProcessesShareALog(t *testing.T) {
	p := newPost(t, storetest.Postgres(t))
	alone, c := p.serve(t)
	before, enough := context.WithTimeout(t.Context(), time.Second)
	defer enough()
	p.send(before, alone) // into the database's own log, which NATS's goes on from
	stopped(t, c)
	nats := bustest.Start(t).ClientURL()
	one, first := p.serve(t, "--nats", nats)
	two, second := p.serve(t, "--nats", nats)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	p.send(ctx, one, two)
	p.holds(t)
	stopped(t, first)
	p.holds(t) // by the other alone
	stopped(t, second)
	if p.answers[http.StatusOK] == 0 || len(p.answers) != 1 {
		t.Errorf("answers by status: %v", p.answers)
	}
}
