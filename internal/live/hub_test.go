package live_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/live"
	"lianqin/internal/live/livetest"
)

var scopes = []live.Scope{{}, {Street: "S1"}, {Street: "S2"}, {Grid: 3}, {Street: "nowhere"}}

// clock is a hub's time, moved by the test.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

// next lets a second pass, in which share of tw's units move, and makes the
// frame.
func (c *clock) next(h *live.Hub, tw *livetest.Town, share float64) {
	c.Time = c.Add(time.Second)
	tw.Stir(c.Time, share)
	h.Tick(c.Time)
}

func newHub(tw *livetest.Town) (*live.Hub, *clock) {
	c := &clock{time.Date(2026, 3, 1, 8, 0, 0, 0, grid.Zone)}
	return live.NewHub(live.Config{Look: tw.Look, Origin: livetest.Origin, Now: c.now}), c
}

func mustRead(t testing.TB, h *live.Hub, s live.Scope, last string) *live.Reader {
	t.Helper()
	r, err := h.Read(s, last)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// drain takes what is ready.
func drain(t testing.TB, r *live.Reader, s *livetest.Screen) error {
	t.Helper()
	for {
		frames, err := r.Next(t.Context(), 0)
		if err != nil || len(frames) == 0 {
			return err
		}
		for _, f := range frames {
			if err := s.Take(f.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func mustShow(t testing.TB, s *livetest.Screen, tw *livetest.Town, scope live.Scope) {
	t.Helper()
	if d := s.Differs(tw.Want(scope)); d != "" {
		t.Fatalf("%+v: (-want +got)\n%s", scope, d)
	}
}

// TestCutOffAtRandom has readers of every scope leave and come back at random,
// now and then after more than is held for them, while units move, rolls are
// edited and the hub at times has no readers at all.
func TestCutOffAtRandom(t *testing.T) {
	tw := livetest.New(200)
	h, now := newHub(tw)
	rnd := rand.New(rand.NewPCG(3, 4))
	readers, screens := make([]*live.Reader, len(scopes)), make([]livetest.Screen, len(scopes))
	cuts := 0
	for range 5000 {
		if rnd.IntN(100) == 0 {
			tw.Edit()
		}
		now.next(h, tw, .05)
		for i, s := range scopes {
			switch away := readers[i] == nil; {
			case away && rnd.IntN(20) == 0, away && rnd.IntN(3) == 0 && i == 0:
				readers[i] = mustRead(t, h, s, screens[i].Last)
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
	for i, s := range scopes {
		if readers[i] == nil {
			readers[i] = mustRead(t, h, s, screens[i].Last)
		}
	}
	now.next(h, tw, .05)
	for i, s := range scopes {
		if err := drain(t, readers[i], &screens[i]); err != nil {
			t.Fatal(err)
		}
		mustShow(t, &screens[i], tw, s)
		t.Logf("%+v: %d units, %d frames, %d of them snapshots", s, len(screens[i].Units), screens[i].Frames, screens[i].Snaps)
	}
	if cuts < 1000 {
		t.Errorf("only %d cuts", cuts)
	}
}

// TestScopesAreApart looks for numbers of units and grids where they have no
// business, after units changed hands too.
func TestScopesAreApart(t *testing.T) {
	tw := livetest.New(100)
	h, now := newHub(tw)
	screens, readers := make([]livetest.Screen, len(scopes)), make([]*live.Reader, len(scopes))
	for i, s := range scopes {
		readers[i] = mustRead(t, h, s, "")
	}
	for second := range 150 {
		if second%10 == 0 {
			tw.Edit()
		}
		now.next(h, tw, .2)
		for i, s := range scopes {
			if err := drain(t, readers[i], &screens[i]); err != nil {
				t.Fatal(err)
			}
			mustShow(t, &screens[i], tw, s)
			for _, e := range screens[i].Events {
				if _, ours := screens[i].Units[e["unit"]]; !ours {
					t.Fatalf("%+v: an event of unit %d, %v", s, e["unit"], e)
				}
			}
			if i > 0 {
				screens[i].Events = nil
			}
		}
		for id := range screens[1].Units {
			if _, theirs := screens[2].Units[id]; theirs {
				t.Fatalf("unit %d is two streets'", id)
			}
		}
		screens[0].Events = nil
	}
	if len(screens[0].Units) == 0 || len(screens[1].Units) == 0 || len(screens[3].Units) == 0 || len(screens[4].Units) != 0 || len(screens[4].Grids) != 0 {
		t.Error("a scope shows nothing, or too much")
	}
}

func TestWhereAReaderBegins(t *testing.T) {
	tw := livetest.New(50)
	h, now := newHub(tw)
	var s livetest.Screen
	defer mustRead(t, h, live.Scope{}, "").Close()
	tick := func(n int) {
		for range n {
			now.next(h, tw, .5)
		}
	}
	tick(10)
	r := mustRead(t, h, live.Scope{}, "")
	if err := drain(t, r, &s); err != nil || s.Snaps != 1 {
		t.Fatal(err, s.Snaps)
	}
	r.Close()
	r.Close()
	tick(5)
	epoch, _, _ := strings.Cut(s.Last, "-")
	for _, tt := range []struct {
		name, last  string
		more, snaps int
	}{
		{"within what is held", s.Last, 0, 0},
		{"of another process", "other-12", 0, 1},
		{"of another scope", h.EpochOf(live.Scope{Street: "S1"}) + "-12", 0, 1},
		{"from the future", epoch + "-999999", 0, 1},
		{"beyond numbers", epoch + "-99999999999999999999", 0, 1},
		{"no number", epoch + "-x", 0, 1},
		{"nothing", "", 0, 1},
		{"before what is held", s.Last, live.RingFrames, 1},
	} {
		tick(tt.more)
		var got livetest.Screen
		if tt.snaps == 0 {
			got, got.Snaps = s, 0
		}
		r := mustRead(t, h, live.Scope{}, tt.last)
		if err := drain(t, r, &got); err != nil || got.Snaps != tt.snaps {
			t.Errorf("%s: %d snapshots, want %d (%v)", tt.name, got.Snaps, tt.snaps, err)
		}
		mustShow(t, &got, tw, live.Scope{})
		r.Close()
	}
}

func TestSlowReaderIsDroppedAndComesBack(t *testing.T) {
	tw := livetest.New(50)
	h, now := newHub(tw)
	slow, quick := mustRead(t, h, live.Scope{}, ""), mustRead(t, h, live.Scope{}, "")
	var a, b livetest.Screen
	if err := errors.Join(drain(t, slow, &a), drain(t, quick, &b)); err != nil {
		t.Fatal(err)
	}
	for range live.RingFrames + 1 {
		now.next(h, tw, .5)
		if err := drain(t, quick, &b); err != nil {
			t.Fatal(err)
		}
	}
	if err := drain(t, slow, &a); !errors.Is(err, live.ErrSlow) {
		t.Fatalf("the slow reader: %v", err)
	}
	slow.Close()
	if b.Snaps != 1 {
		t.Errorf("the other reader had %d snapshots", b.Snaps)
	}
	again := mustRead(t, h, live.Scope{}, a.Last)
	if err := drain(t, again, &a); err != nil || a.Snaps != 2 {
		t.Errorf("coming back: %d snapshots, %v", a.Snaps, err)
	}
	mustShow(t, &a, tw, live.Scope{})
}

// TestOneEncodingPerFrame counts frames while hundreds read two scopes.
func TestOneEncodingPerFrame(t *testing.T) {
	tw := livetest.New(100)
	h, now := newHub(tw)
	var readers []*live.Reader
	for i := range 500 {
		readers = append(readers, mustRead(t, h, scopes[i%2], ""))
	}
	pieces := make(map[*byte]bool)
	collect := func() {
		for _, r := range readers {
			frames, err := r.Next(t.Context(), 0)
			if err != nil || len(frames) != 1 {
				t.Fatal(len(frames), err)
			}
			pieces[&frames[0].Bytes()[0]] = true
			pieces[&frames[0].Deflated()[0]] = true
		}
	}
	collect()
	for range 10 {
		now.next(h, tw, .9)
		collect()
	}
	if got := h.Figures(); got.Frames != 2*11 || got.Readers != 500 || got.Scopes != 2 || len(pieces) != 2*2*11 {
		t.Errorf("%+v, %d different pieces of memory", got, len(pieces))
	}
}

// TestRunKeepsTime runs a hub for two minutes of a bubble's time, and then
// without readers.
func TestRunKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tw := livetest.New(20)
		h := live.NewHub(live.Config{Look: tw.Look})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { h.Run(ctx) })
		r := mustRead(t, h, live.Scope{}, "")
		var s livetest.Screen
		begin := time.Now()
		for n := range 120 {
			frames, err := r.Next(ctx, 15*time.Second)
			if err != nil || len(frames) != 1 {
				t.Fatalf("frame %d: %d, %v", n, len(frames), err)
			}
			if got, want := time.Since(begin), time.Duration(n)*time.Second; got != want {
				t.Fatalf("frame %d came after %v", n, got)
			}
			if err := s.Take(frames[0].Bytes()); err != nil || s.At != time.Now().UnixMilli() {
				t.Fatal(s.At, err)
			}
			tw.Stir(time.Now(), .5)
		}
		r.Close()
		time.Sleep(live.IdleFor + 2*time.Second)
		before := h.Figures()
		if before.Scopes != 0 || before.Readers != 0 {
			t.Errorf("long after the last reader: %+v", before)
		}
		time.Sleep(time.Hour + live.Every/2)
		if got := h.Figures(); got != before {
			t.Errorf("frames for nobody: %+v became %+v", before, got)
		}
		r = mustRead(t, h, live.Scope{}, "")
		if err := drain(t, r, &s); err != nil || s.At != time.Now().UnixMilli() {
			t.Errorf("after an hour without readers the snapshot is of %d: %v", s.At, err)
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
		if _, err := h.Read(live.Scope{}, ""); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("reading after the end: %v", err)
		}
	})
}

// TestReadersLeaveNothing lets many thousand come and go.
func TestReadersLeaveNothing(t *testing.T) {
	tw := livetest.New(300)
	h, now := newHub(tw)
	round := func(n int) {
		for range n {
			now.next(h, tw, .5)
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
	round(2 * live.RingFrames)
	goroutines, memory := runtime.NumGoroutine(), used()
	round(10 * live.RingFrames)
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
	tw := livetest.New(40_000)
	h, now := newHub(tw)
	r := mustRead(t, h, live.Scope{}, "")
	mustRead(t, h, live.Scope{Street: "S1"}, "")
	var s livetest.Screen
	if err := drain(t, r, &s); err != nil {
		t.Fatal(err)
	}
	for range 18 {
		now.next(h, tw, 1)
		if counted, bytes, _ := h.Held(live.Scope{}); counted != bytes || bytes > live.HeldBytes {
			t.Fatalf("%d bytes are held, and %d are counted", bytes, counted)
		}
	}
	if _, _, n := h.Held(live.Scope{}); n >= 18 || n < 5 {
		t.Errorf("%d frames are held", n)
	}
	if err := drain(t, r, &s); !errors.Is(err, live.ErrSlow) {
		t.Errorf("a reader behind them: %v", err)
	}
}
