package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// town is a small district whose patrols move at random: what a Hub looks at.
type town struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	units  []patrol.Unit
	states []patrol.State
	grids  []Grid
	roll   int64
	gen    int
}

var origin = geo.Coord{X: 1_211_200_000, Y: 312_400_000}

// newTown has n units in 4 streets of 8 grids each.
func newTown(n int) *town {
	t := &town{rnd: rand.New(rand.NewPCG(1, 2)), roll: 1, gen: 1}
	for i := range 32 {
		t.grids = append(t.grids, Grid{ID: grid.ID(i + 1), Street: fmt.Sprint("S", i/8), Assigned: 3})
	}
	for i := range n {
		g := t.grids[i%len(t.grids)]
		t.units = append(t.units, patrol.Unit{ID: patrol.UnitID(i + 1), Code: fmt.Sprint("U", i), Name: "王五", Street: g.Street, Grids: []grid.ID{g.ID}})
		t.states = append(t.states, patrol.State{Unit: patrol.UnitID(i + 1)})
	}
	return t
}

func (t *town) look(now time.Time) Picture {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := Picture{Roll: t.roll, Units: t.units, Generation: t.gen, Grids: append([]Grid(nil), t.grids...)}
	p.States = append(p.States, t.states...)
	return p
}

// stir moves about share of the units, and lets some begin or end their
// shifts, fall silent and call for help.
func (t *town) stir(now time.Time, share float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.states {
		if t.rnd.Float64() >= share {
			continue
		}
		s := &t.states[i]
		switch r := t.rnd.IntN(100); {
		case r == 0:
			*s = patrol.State{Unit: s.Unit}
		case r == 1:
			*s = patrol.State{Unit: s.Unit, Presence: patrol.Unheard}
		case r == 2 && s.Presence == patrol.Online:
			s.Presence = patrol.Silent
		default:
			s.Presence = patrol.Online
			s.SOS = r == 3
			s.Last = patrol.Fix{Unit: s.Unit, At: now.UnixMilli() - t.rnd.Int64N(3000), AccuracyM: t.rnd.Float32() * 30,
				Pos:      geo.Coord{X: origin.X + t.rnd.Int32N(4_000_000), Y: origin.Y + t.rnd.Int32N(3_000_000)},
				SpeedMPS: t.rnd.Float32()*3 - .5, HeadingDeg: t.rnd.Float32() * 360, BatteryPct: int8(t.rnd.IntN(101))}
			if s.Raw = grid.ID(t.rnd.IntN(len(t.grids) + 1)); t.rnd.IntN(10) == 0 {
				s.Grid, s.Since = s.Raw, s.Last.At
			}
		}
		if g := &t.grids[t.rnd.IntN(len(t.grids))]; t.rnd.IntN(20) == 0 {
			g.Present, g.Visited, g.Swept = t.rnd.IntN(4), now, t.rnd.Float64()
		}
	}
}

// edit changes whose business some unit is.
func (t *town) edit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.units = append([]patrol.Unit(nil), t.units...)
	u, g := &t.units[t.rnd.IntN(len(t.units))], t.grids[t.rnd.IntN(len(t.grids))]
	u.Street, u.Grids = g.Street, []grid.ID{g.ID}
	t.roll++
}

// screen is what a reader knows: a client of the stream, as docs/live.md has
// it, written apart from the code that makes the frames.
type screen struct {
	at     int64
	roll   int64
	units  map[int64]map[string]int64 // nil for one unheard
	grids  map[int64]map[string]int64
	events int
	last   string
	snaps  int
	cols   map[string][]string
}

func (s *screen) take(event []byte) error {
	var id, kind string
	for line := range strings.Lines(string(event)) {
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			if err := s.apply(kind, []byte(value)); err != nil {
				return err
			}
			s.last = id
		}
	}
	return nil
}

func (s *screen) apply(kind string, data []byte) error {
	var f struct {
		At, Roll             int64
		Columns              map[string][]string
		Unheard, Gone        []int64
		Units, Grids, Events []int64
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	if kind == "snap" {
		s.units, s.grids, s.cols = map[int64]map[string]int64{}, map[int64]map[string]int64{}, f.Columns
		s.snaps++
	}
	if s.cols == nil {
		return errors.New("the first frame is no snapshot")
	}
	rows := func(name string, flat []int64) (out []map[string]int64) {
		cols := s.cols[name]
		for i := 0; i < len(flat); i += len(cols) {
			row := map[string]int64{}
			for j, c := range cols {
				row[c] = flat[i+j]
			}
			if age, ok := row["age"]; ok {
				row["at"] = f.At - age
				delete(row, "age")
			}
			if dwell, ok := row["dwell"]; ok {
				row["since"] = f.At - dwell
				delete(row, "dwell")
			}
			out = append(out, row)
		}
		return out
	}
	for _, u := range rows("units", f.Units) {
		if u["grid"] == 0 {
			u["since"] = 0
		}
		s.units[u["unit"]] = u
	}
	for _, u := range f.Unheard {
		s.units[u] = nil
	}
	for _, u := range f.Gone {
		if _, ok := s.units[u]; !ok {
			return fmt.Errorf("unit %d goes and never came", u)
		}
		delete(s.units, u)
	}
	for _, g := range rows("grids", f.Grids) {
		s.grids[g["grid"]] = g
	}
	s.events += len(f.Events)
	s.at, s.roll = f.At, f.Roll
	return nil
}

// want is what a screen of s must show of t.
func (t *town) want(s Scope) *screen {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &screen{roll: t.roll, units: map[int64]map[string]int64{}, grids: map[int64]map[string]int64{}}
	for i, st := range t.states {
		u := t.units[i]
		if s.Street != "" && u.Street != s.Street || s.Grid != 0 && u.Grids[0] != s.Grid || st.Presence == patrol.OffDutyNow {
			continue
		}
		if st.Presence == patrol.Unheard {
			out.units[int64(u.ID)] = nil
			continue
		}
		flags := int64(0)
		if st.SOS {
			flags = 1
		}
		row := map[string]int64{"unit": int64(u.ID), "presence": int64(st.Presence), "flags": flags, "at": st.Last.At,
			"x": int64(st.Last.Pos.X+50)/100 - 12_112_000, "y": int64(st.Last.Pos.Y+50)/100 - 3_124_000,
			"battery": int64(st.Last.BatteryPct), "grid": int64(st.Grid), "raw": int64(st.Raw), "since": st.Since}
		if st.Grid == 0 {
			row["since"] = 0
		}
		out.units[int64(u.ID)] = row
	}
	for _, g := range t.grids {
		if s.Street != "" && g.Street != s.Street || s.Grid != 0 && g.ID != s.Grid {
			continue
		}
		out.grids[int64(g.ID)] = map[string]int64{"grid": int64(g.ID), "present": int64(g.Present), "assigned": int64(g.Assigned)}
	}
	return out
}

// differs compares what want says with what a screen shows; want may say less
// of a row.
func (s *screen) differs(want *screen) string {
	less := func(rows, like map[int64]map[string]int64) map[int64]map[string]int64 {
		out := map[int64]map[string]int64{}
		for id, row := range rows {
			if out[id] = nil; row != nil {
				out[id] = map[string]int64{}
			}
			for name, v := range row {
				if _, ok := like[id][name]; ok || like[id] == nil {
					out[id][name] = v
				}
			}
		}
		return out
	}
	return cmp.Diff(want.units, less(s.units, want.units)) + cmp.Diff(want.grids, less(s.grids, want.grids))
}

var scopes = []Scope{{}, {Street: "S1"}, {Street: "S2"}, {Grid: 3}, {Street: "nowhere"}}

func newTestHub(look func(time.Time) Picture) *Hub {
	return NewHub(Config{Look: look, Origin: origin})
}

func start() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, grid.Zone) }

func mustRead(t testing.TB, h *Hub, s Scope, last string) *Reader {
	t.Helper()
	r, err := h.Read(s, last)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// drain takes what is ready.
func drain(t testing.TB, r *Reader, s *screen) error {
	t.Helper()
	for {
		frames, err := r.Next(t.Context(), 0)
		if err != nil || len(frames) == 0 {
			return err
		}
		for _, f := range frames {
			if err := s.take(f.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCutOffAtRandom has readers of every scope leave and come back at random,
// now and then after more than is held for them, while units move, rolls are
// edited and the hub at times has no readers at all.
func TestCutOffAtRandom(t *testing.T) {
	tw := newTown(200)
	h := newTestHub(tw.look)
	rnd := rand.New(rand.NewPCG(3, 4))
	now := start()
	h.cfg.Now = func() time.Time { return now }
	readers, screens := make([]*Reader, len(scopes)), make([]screen, len(scopes))
	cuts := 0
	for range 5000 {
		now = now.Add(time.Second)
		tw.stir(now, .05)
		if rnd.IntN(100) == 0 {
			tw.edit()
		}
		h.tick(now)
		for i, s := range scopes {
			switch away := readers[i] == nil; {
			case away && rnd.IntN(20) == 0, away && rnd.IntN(3) == 0 && i == 0:
				readers[i] = mustRead(t, h, s, screens[i].last)
			case !away && rnd.IntN(10) == 0:
				readers[i].Close()
				readers[i] = nil
				cuts++
			}
			if readers[i] != nil && rnd.IntN(3) > 0 {
				if err := drain(t, readers[i], &screens[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	h.tick(now)
	for i, s := range scopes {
		if readers[i] == nil {
			readers[i] = mustRead(t, h, s, screens[i].last)
		}
		if err := drain(t, readers[i], &screens[i]); err != nil {
			t.Fatal(err)
		}
		if d := screens[i].differs(tw.want(s)); d != "" {
			t.Errorf("%+v: (-want +got)\n%s", s, d)
		}
		t.Logf("%+v: %d units, %d snapshots, %d events", s, len(screens[i].units), screens[i].snaps, screens[i].events)
	}
	if cuts < 1000 {
		t.Errorf("only %d cuts", cuts)
	}
}

// TestScopesAreApart looks for numbers of units and grids where they have no
// business, among them after units changed hands.
func TestScopesAreApart(t *testing.T) {
	tw := newTown(100)
	h := newTestHub(tw.look)
	now := start()
	screens := make([]screen, len(scopes))
	readers := make([]*Reader, len(scopes))
	for i, s := range scopes {
		readers[i] = mustRead(t, h, s, "")
	}
	for range 300 {
		now = now.Add(time.Second)
		tw.stir(now, .2)
		if tw.rnd.IntN(10) == 0 {
			tw.edit()
		}
		h.tick(now)
		for i, s := range scopes {
			if err := drain(t, readers[i], &screens[i]); err != nil {
				t.Fatal(err)
			}
			if d := screens[i].differs(tw.want(s)); d != "" {
				t.Fatalf("%+v: (-want +got)\n%s", s, d)
			}
		}
	}
	if len(screens[0].units) == 0 || len(screens[1].units) == 0 || len(screens[3].units) == 0 || len(screens[4].units) != 0 {
		t.Error("a scope shows nothing, or too much")
	}
	if screens[0].events == 0 {
		t.Error("no event was shown")
	}
}

func TestWhereAReaderBegins(t *testing.T) {
	tw := newTown(50)
	h := newTestHub(tw.look)
	now := start()
	var s screen
	keep := mustRead(t, h, Scope{}, "")
	defer keep.Close()
	tick := func(n int) {
		for range n {
			now = now.Add(time.Second)
			tw.stir(now, .5)
			h.tick(now)
		}
	}
	tick(10)
	r := mustRead(t, h, Scope{}, "")
	if err := drain(t, r, &s); err != nil || s.snaps != 1 {
		t.Fatal(err, s.snaps)
	}
	r.Close()
	r.Close()
	tick(5)
	epoch, _, _ := strings.Cut(s.last, "-")
	for _, tt := range []struct {
		name, last string
		more       int
		snaps      int
	}{
		{"within what is held", s.last, 0, 0},
		{"of another process", "other-12", 0, 1},
		{"of another scope", h.epochOf(Scope{Street: "S1"}) + "-12", 0, 1},
		{"from the future", epoch + "-999999", 0, 1},
		{"no number", epoch + "-x", 0, 1},
		{"nothing", "", 0, 1},
		{"before what is held", s.last, ringFrames, 1},
	} {
		tick(tt.more)
		got := screen{cols: s.cols, units: map[int64]map[string]int64{}, grids: map[int64]map[string]int64{}}
		if tt.snaps == 0 {
			got = s
			got.snaps = 0
		}
		r := mustRead(t, h, Scope{}, tt.last)
		if err := drain(t, r, &got); err != nil || got.snaps != tt.snaps {
			t.Errorf("%s: %d snapshots, want %d (%v)", tt.name, got.snaps, tt.snaps, err)
		}
		if d := got.differs(tw.want(Scope{})); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, d)
		}
		r.Close()
	}
}

func TestSlowReaderIsDroppedAndComesBack(t *testing.T) {
	tw := newTown(50)
	h := newTestHub(tw.look)
	now := start()
	slow, quick := mustRead(t, h, Scope{}, ""), mustRead(t, h, Scope{}, "")
	var a, b screen
	if err := errors.Join(drain(t, slow, &a), drain(t, quick, &b)); err != nil {
		t.Fatal(err)
	}
	for range ringFrames + 1 {
		now = now.Add(time.Second)
		tw.stir(now, .5)
		h.tick(now)
		if err := drain(t, quick, &b); err != nil {
			t.Fatal(err)
		}
	}
	if err := drain(t, slow, &a); !errors.Is(err, ErrSlow) {
		t.Fatalf("the slow reader: %v", err)
	}
	slow.Close()
	if b.snaps != 1 {
		t.Errorf("the other reader had %d snapshots", b.snaps)
	}
	again := mustRead(t, h, Scope{}, a.last)
	if err := drain(t, again, &a); err != nil || a.snaps != 2 {
		t.Errorf("coming back: %d snapshots, %v", a.snaps, err)
	}
	if d := a.differs(tw.want(Scope{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestOneEncodingPerFrame counts frames while hundreds read two scopes.
func TestOneEncodingPerFrame(t *testing.T) {
	tw := newTown(100)
	h := newTestHub(tw.look)
	now := start()
	var readers []*Reader
	for i := range 500 {
		readers = append(readers, mustRead(t, h, scopes[i%2], ""))
	}
	first := make(map[*byte]bool)
	collect := func() {
		for _, r := range readers {
			frames, err := r.Next(t.Context(), 0)
			if err != nil || len(frames) != 1 {
				t.Fatal(len(frames), err)
			}
			first[&frames[0].Bytes()[0]] = true
			first[&frames[0].Deflated()[0]] = true
		}
	}
	collect()
	for range 10 {
		now = now.Add(time.Second)
		tw.stir(now, .9)
		h.tick(now)
		collect()
	}
	if got := h.Figures(); got.Frames != 2*11 || got.Readers != 500 || got.Scopes != 2 || len(first) != 2*2*11 {
		t.Errorf("%+v, %d different pieces of memory", got, len(first))
	}
}

// TestRunKeepsTime runs a hub for two minutes of a bubble's time.
func TestRunKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tw := newTown(20)
		h := newTestHub(tw.look)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { h.Run(ctx) })
		r := mustRead(t, h, Scope{}, "")
		var s screen
		begin := time.Now()
		for n := range 120 {
			frames, err := r.Next(ctx, 15*time.Second)
			if err != nil || len(frames) != 1 {
				t.Fatalf("frame %d: %d, %v", n, len(frames), err)
			}
			if got, want := time.Since(begin), time.Duration(n)*time.Second; got != want {
				t.Fatalf("frame %d came after %v", n, got)
			}
			if err := s.take(frames[0].Bytes()); err != nil || s.at != time.Now().UnixMilli() {
				t.Fatal(s.at, err)
			}
			tw.stir(time.Now(), .5)
		}
		r.Close()
		time.Sleep(idleFor + 2*time.Second)
		if got := h.Figures(); got.Scopes != 0 || got.Readers != 0 {
			t.Errorf("long after the last reader: %+v", got)
		}
		before := h.Figures().Frames
		time.Sleep(time.Hour + Every/2)
		if got := h.Figures().Frames; got != before {
			t.Errorf("%d frames for nobody", got-before)
		}
		r = mustRead(t, h, Scope{}, "")
		if err := drain(t, r, &s); err != nil || s.at != time.Now().UnixMilli() {
			t.Errorf("after an hour without readers the snapshot is of %d: %v", s.at, err)
		}
		none, err := r.Next(ctx, 100*time.Millisecond)
		if len(none) != 0 || err != nil {
			t.Errorf("before the next frame: %d, %v", len(none), err)
		}
		stop()
		if _, err := r.Next(t.Context(), time.Hour); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("after the end: %v", err)
		}
		running.Wait()
		r.Close()
		if _, err := h.Read(Scope{}, ""); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("reading after the end: %v", err)
		}
	})
}

// TestReadersLeaveNothing lets many thousand come and go.
func TestReadersLeaveNothing(t *testing.T) {
	tw := newTown(300)
	h := newTestHub(tw.look)
	now := start()
	h.cfg.Now = func() time.Time { return now }
	round := func(n int) {
		for range n {
			now = now.Add(time.Second)
			tw.stir(now, .5)
			h.tick(now)
			for i := range 100 {
				r := mustRead(t, h, scopes[i%len(scopes)], "")
				if frames, err := r.Next(t.Context(), 0); err != nil || len(frames) != 1 {
					t.Fatal(len(frames), err)
				}
				r.Close()
			}
		}
	}
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round(2 * ringFrames)
	goroutines, memory := runtime.NumGoroutine(), used()
	round(10 * ringFrames)
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d goroutines became %d", goroutines, got)
	}
	if got := used(); got > memory+memory/4 {
		t.Errorf("%d bytes became %d", memory, got)
	}
	if got := h.Figures().Readers; got != 0 {
		t.Errorf("%d readers are left", got)
	}
}

// TestHeldBytesAreBounded has frames so large that the ring is never full.
func TestHeldBytesAreBounded(t *testing.T) {
	tw := newTown(40_000)
	h := newTestHub(tw.look)
	now := start()
	r := mustRead(t, h, Scope{}, "")
	mustRead(t, h, Scope{Street: "S1"}, "")
	var s screen
	if err := drain(t, r, &s); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		now = now.Add(time.Second)
		tw.stir(now, 1)
		h.tick(now)
		held := 0
		for _, f := range h.feeds {
			for _, frame := range f.frames {
				held += len(frame.Bytes())
			}
		}
		if held != h.held || held > heldBytes {
			t.Fatalf("%d bytes are held, and %d are counted", held, h.held)
		}
	}
	if n := len(h.feeds[Scope{}].frames); n >= 30 || n < 5 {
		t.Errorf("%d frames are held", n)
	}
	if err := drain(t, r, &s); !errors.Is(err, ErrSlow) {
		t.Errorf("a reader behind them: %v", err)
	}
}
