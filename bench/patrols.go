package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// A shift as the district has it, and a number of units that no district has.
const (
	districtUnits = 1283
	manyUnits     = 100_000
)

// patrolService is the program itself, serving a database in which units and
// a gateway's token were entered.
type patrolService struct {
	service
	dir      string
	database string
	secret   string // of the gateway
	viewer   string // of a share link
}

// startPatrols builds the program, enters n units that are always on duty,
// and serves them on database, which is "sqlite" or a PostgreSQL address.
func (b *bench) startPatrols(ctx context.Context, name, database string, n int) (s *patrolService, err error) {
	dir, err := os.MkdirTemp("", "lianqin-bench-*")
	if err != nil {
		return nil, err
	}
	s = &patrolService{service: service{name: name}, dir: dir, database: database}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	if database == "sqlite" {
		s.database = "sqlite:" + filepath.Join(dir, "bench.db")
	}
	if err := s.enter(ctx, b, n); err != nil {
		return nil, err
	}
	program, err := b.program(ctx)
	if err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, program, "serve", "--listen", "127.0.0.1:0", "--database", s.database, "--rate", "0", "--public-metrics", "--log-level", "warn")
	s.cmd.Dir, s.cmd.Stderr = dir, os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.in = interrupt{s.cmd}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	for address := regexp.MustCompile(`http://([0-9.:]+)/`); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.stop()
			return nil, fmt.Errorf("%s did not start: %w", name, err)
		}
		if m := address.FindStringSubmatch(line); m != nil {
			s.addr = m[1]
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return s, nil
		}
	}
}

// interrupt ends a program that serves.
type interrupt struct{ cmd *exec.Cmd }

func (i interrupt) Close() error { return i.cmd.Process.Signal(os.Interrupt) }

func (s *patrolService) end() {
	s.stop()
	_ = os.RemoveAll(s.dir)
}

// program is the program as it is in this checkout, built once.
func (b *bench) program(ctx context.Context) (string, error) {
	if b.built != "" {
		return b.built, nil
	}
	dir, err := os.MkdirTemp("", "lianqin-bench-*")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "lianqin")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/lianqin")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	b.built = program
	return program, nil
}

// enter brings the demonstration district into force and registers n units
// and the gateway.
func (s *patrolService) enter(ctx context.Context, b *bench, n int) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, s.database, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer st.Close()
	if err := putInForce(ctx, st, d.gen); err != nil {
		return err
	}
	gate := auth.NewGate(st.Accounts(), time.Now)
	t := auth.Token{Kind: auth.Device, Name: "gateway", Jurisdiction: auth.WholeDistrict}
	if s.secret, err = gate.Issue(ctx, auth.Operator("bench"), &t); err != nil {
		return err
	}
	if s.viewer, err = gate.Issue(ctx, auth.Operator("bench"), &auth.Token{Kind: auth.Link, Name: "wall", Jurisdiction: auth.WholeDistrict}); err != nil {
		return err
	}
	street := d.gen.Streets()[0].Code
	_, err = st.Register().UpdateRoll(ctx, func(*patrol.Roll) (*patrol.RollChange, error) {
		c := &patrol.RollChange{Teams: []patrol.Team{{Code: "T1", Name: "T1", Street: street}}, Devices: []patrol.Device{{ID: t.ID, Datum: "wgs84"}}}
		for i := range n {
			c.Units = append(c.Units, patrol.Unit{Code: unitCode(i), Name: unitCode(i), Kind: patrol.Kinds[i%len(patrol.Kinds)], Team: "T1", Street: street, Duty: patrol.Always})
		}
		return c, nil
	})
	return err
}

func putInForce(ctx context.Context, st *store.Store, gen *grid.Generation) error {
	a, err := grid.Open(ctx, st.Generations(), nil)
	if err != nil {
		return err
	}
	r, err := a.Import(ctx, grid.Import{Streets: gen.Streets(), Areas: grid.AreasOf(gen), Author: "bench"})
	if err != nil {
		return err
	}
	if _, err := a.Check(ctx, r.Number, 0, "bench"); err != nil {
		return err
	}
	_, err = a.Publish(ctx, grid.Publication{Number: r.Number, From: time.Unix(0, 0), By: "bench"})
	return err
}

func unitCode(i int) string { return fmt.Sprintf("B%06d", i) }

// A crowd is units that move about and report in batches, each of its own
// units, whose bodies are made once: only the time and the last digits of
// each position are written anew for every request.
type crowd struct {
	secret  string
	batches [][]byte // whole requests
	first   []int    // place of the first unit of each batch
	size    int
	places  [][]place // in each batch, of each fix
	// acked, if any, is told of every answer: the place of the batch's first
	// unit, how many units, and the time of their fixes.
	acked func(first, n int, at time.Time)
}

type place struct{ time, lon, lat int }

// newCrowd spreads n units over the district, so many to a batch.
func newCrowd(d *district, s *patrolService, n, size int) *crowd {
	c := &crowd{secret: s.secret, size: size}
	for first := 0; first < n; first += size {
		var body bytes.Buffer
		var at []place
		body.WriteString(`{"positions":[`)
		for i := first; i < min(first+size, n); i++ {
			if i > first {
				body.WriteByte(',')
			}
			p := d.random[i%len(d.random)]
			fmt.Fprintf(&body, `{"unit":%q,"time":`, unitCode(i))
			var pl place
			pl.time = body.Len()
			body.WriteString("0000000000000")
			fmt.Fprintf(&body, `,"lon":%s`, degrees(p[0]))
			pl.lon = body.Len() - 3
			fmt.Fprintf(&body, `,"lat":%s`, degrees(p[1]))
			pl.lat = body.Len() - 3
			body.WriteString(`,"accuracy":8,"speed":1.4,"heading":90,"battery":77}`)
			at = append(at, pl)
		}
		body.WriteString("]}")
		request := httpRequest("POST", "/api/v1/positions", "Authorization: Bearer "+s.secret+"\r\nContent-Type: application/json\r\n", body.Bytes())
		for k := range at {
			offset := len(request) - body.Len()
			at[k].time += offset
			at[k].lon += offset
			at[k].lat += offset
		}
		c.batches, c.first, c.places = append(c.batches, request), append(c.first, first), append(c.places, at)
	}
	return c
}

// move writes the time and a new position, a metre on and every tenth time
// back, into batch b: its fifth and sixth decimals.
func (c *crowd) move(b int, at time.Time, step int) []byte {
	request := c.batches[b]
	var digits [13]byte
	copy(digits[:], strconv.FormatInt(at.UnixMilli(), 10))
	hi, lo := byte('0'+step%10), byte('0'+step/10%10)
	for _, p := range c.places[b] {
		copy(request[p.time:], digits[:])
		request[p.lon], request[p.lon+1] = hi, lo
		request[p.lat], request[p.lat+1] = hi, lo
	}
	return request
}

// latencies is how long answers took, in milliseconds.
type latencies struct {
	mu sync.Mutex
	ms sample
}

func (l *latencies) add(ms ...float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ms = append(l.ms, ms...)
}

func (l *latencies) quantile(q float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ms) == 0 {
		return 0
	}
	slices.Sort(l.ms)
	return l.ms[min(len(l.ms)-1, int(q*float64(len(l.ms))))]
}

// drive sends the crowd's batches over so many connections, each batch once
// every period in real time (0: as fast as it is answered), until it has taken
// that long. It returns how many fixes were acknowledged.
func (c *crowd) drive(ctx context.Context, addr string, conns int, period, length time.Duration, l *latencies) (int64, error) {
	var acked atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, conns)
	began := time.Now()
	for k := range conns {
		wg.Go(func() {
			errs[k] = func() error {
				conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
				if err != nil {
					return err
				}
				defer conn.Close()
				in := bufio.NewReaderSize(conn, 64<<10)
				var took []float64
				defer func() { l.add(took...) }()
				for step := 0; ; step++ {
					for b := k; b < len(c.batches); b += conns {
						if period > 0 { // its place in the period
							due := began.Add(time.Duration(step) * period).Add(period * time.Duration(b) / time.Duration(len(c.batches)))
							if wait := time.Until(due); wait > 0 {
								time.Sleep(wait)
							}
						}
						if time.Since(began) >= length || ctx.Err() != nil {
							return ctx.Err()
						}
						sent := time.Now()
						_ = conn.SetDeadline(sent.Add(30 * time.Second))
						if _, err := conn.Write(c.move(b, sent, step)); err != nil {
							return err
						}
						if err := skipHTTP(in); err != nil {
							return err
						}
						took = append(took, float64(time.Since(sent).Microseconds())/1000)
						acked.Add(int64(len(c.places[b])))
						if c.acked != nil {
							c.acked(c.first[b], len(c.places[b]), sent)
						}
					}
				}
			}()
		})
	}
	wg.Wait()
	return acked.Load(), errors.Join(errs...)
}

// stream is one reader of the live stream. It counts frames and calls on with
// each frame's data, if any.
type stream struct {
	frames atomic.Int64
	bytes  atomic.Int64
	cancel context.CancelFunc
	done   chan error
}

func (s *patrolService) open(ctx context.Context, path string, on func(data []byte)) *stream {
	ctx, cancel := context.WithCancel(ctx)
	r := &stream{cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- r.read(ctx, "http://"+s.addr+path, s.viewer, on) }()
	return r
}

func (r *stream) close() error {
	r.cancel()
	err := <-r.done
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

var streams = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}}

func (r *stream) read(ctx context.Context, url, secret string, on func([]byte)) error {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := streams.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	in := bufio.NewReaderSize(resp.Body, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // a long snapshot
			head := bytes.Clone(line)
			rest, restErr := in.ReadBytes('\n')
			line, err = append(head, rest...), restErr
		}
		if err != nil {
			return err
		}
		r.bytes.Add(int64(len(line)))
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			r.frames.Add(1)
			if on != nil {
				on(data)
			}
		}
	}
}

// resident is the memory that a process holds now, in MB.
func resident(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1000
		}
	}
	return 0
}
