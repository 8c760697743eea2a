package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/live"
	"lianqin/internal/live/livetest"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
	"lianqin/internal/store/storetest"
)

func replayOf(p *livetest.Past, from, to time.Time, speed float64, step time.Duration) live.ReplayConfig {
	return live.ReplayConfig{Past: p, Staff: p.Staff, Bounds: p, From: from, To: to, Speed: speed, Step: step}
}

func mustReplay(t testing.TB, cfg live.ReplayConfig) *live.Replay {
	t.Helper()
	r, err := live.NewReplay(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// play takes all frames of r.
func play(t testing.TB, r *live.Replay, each func(*live.Frame)) {
	t.Helper()
	for {
		frames, err := r.Next(t.Context(), time.Hour)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || len(frames) != 1 {
			t.Fatal(len(frames), err)
		}
		each(frames[0])
	}
}

// dataOf is a frame without its id.
func dataOf(t testing.TB, f *live.Frame) (out map[string]any) {
	t.Helper()
	_, data, _ := strings.Cut(string(f.Bytes()), "\ndata: ")
	if err := json.Unmarshal([]byte(data), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReplayShowsWhatWasShownLive has units followed live, second by second,
// on their way through the log and into the database, and then replays them
// from there: frame for frame the same, of the district and of a street.
func TestReplayShowsWhatWasShownLive(t *testing.T) {
	const lasts = 3 * time.Minute
	p := livetest.NewPast(t, 300, lasts)
	gen := p.Index.Generation()
	scopes := []live.Scope{{}, {Street: gen.Streets()[2].Code}}
	frames := make([][]*live.Frame, len(scopes))
	readers := make([]*live.Reader, len(scopes))
	now := &clock{p.Begin}
	var h *live.Hub
	s, err := store.Open(t.Context(), storetest.SQLite(t), store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p.Keep(t, s, func(at time.Time, r *patrol.Registry, tracker *patrol.Tracker) {
		now.Time = at
		if h == nil {
			h = live.NewHub(live.Config{Now: now.now, Origin: live.OriginOf(gen), Look: live.LookerAt(r.Staff(), tracker, gen)})
			for i, scope := range scopes {
				readers[i] = mustRead(t, h, scope, "")
			}
		} else {
			h.Tick(at)
		}
		for i, r := range readers {
			got, err := r.Next(t.Context(), 0)
			if err != nil || len(got) != 1 {
				t.Fatal(at, len(got), err)
			}
			frames[i] = append(frames[i], got...)
		}
	})
	for i, scope := range scopes {
		cfg := replayOf(p, p.Begin.Add(time.Second), p.Begin.Add(lasts), 0, time.Second)
		cfg.Past, cfg.Scope = s.Tracks(), scope
		n, events := 0, 0
		play(t, mustReplay(t, cfg), func(f *live.Frame) {
			if n == len(frames[i]) {
				if !strings.Contains(string(f.Bytes()), "event: end") {
					t.Fatalf("frame %d: %s", n, f.Bytes())
				}
				return
			}
			want, got := dataOf(t, frames[i][n]), dataOf(t, f)
			if d := cmp.Diff(want, got, cmpopts.IgnoreMapEntries(func(k string, _ any) bool { return k == "events" && n == 0 })); d != "" {
				t.Fatalf("frame %d: (-live +replay)\n%s", n, d)
			}
			if n++; got["events"] != nil {
				events++
			}
		})
		if n != int(lasts/time.Second) || events < 2 {
			t.Errorf("%+v: %d frames, %d with events", scope, n, events)
		}
	}
}

// TestReplayBeginsAnywhere begins in the middle, at once or by coming back: the
// first frame shows what a replay from the beginning shows then, and so does
// the last.
func TestReplayBeginsAnywhere(t *testing.T) {
	p := livetest.NewPast(t, 200, 30*time.Minute)
	end := p.Begin.Add(30 * time.Minute)
	shown := make(map[string]livetest.Screen)
	var whole livetest.Screen
	var ids []string
	play(t, mustReplay(t, replayOf(p, p.Begin, end, 0, 15*time.Second)), func(f *live.Frame) {
		if err := whole.Take(f.Bytes()); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, whole.Last)
		s := whole
		s.Units, s.Grids = clone(whole.Units), clone(whole.Grids)
		shown[whole.Last] = s
	})
	for _, tt := range []struct {
		name string
		at   int // of ids
		cfg  func(at time.Time, id string) live.ReplayConfig
	}{
		{"from then on", 97, func(at time.Time, _ string) live.ReplayConfig { return replayOf(p, at, end, 0, 15*time.Second) }},
		{"coming back", 61, func(_ time.Time, id string) live.ReplayConfig {
			cfg := replayOf(p, p.Begin, end, 0, 15*time.Second)
			cfg.Last = id
			return cfg
		}},
	} {
		want := shown[ids[tt.at]]
		var s livetest.Screen
		play(t, mustReplay(t, tt.cfg(time.UnixMilli(want.At), ids[tt.at])), func(f *live.Frame) {
			first := s.Snaps == 0
			if err := s.Take(f.Bytes()); err != nil {
				t.Fatal(err)
			}
			if first {
				mustAgree(t, tt.name+": the first frame", &want, &s)
			}
		})
		if !s.Ended || s.Snaps != 1 || s.At != end.UnixMilli() {
			t.Errorf("%s: %+v", tt.name, s)
		}
		last := shown[ids[len(ids)-1]]
		mustAgree(t, tt.name+": the last frame", &last, &s)
	}
	cfg := replayOf(p, p.Begin, end, 0, 0)
	cfg.Last = ids[len(ids)-1]
	if r := mustReplay(t, cfg); !r.Over() {
		t.Error("coming back after the end is not over")
	}
	cfg.Scope.Street = "another"
	if r := mustReplay(t, cfg); r.Over() {
		t.Error("an id of another scope counts")
	}
}

func clone(rows map[int64]livetest.Row) map[int64]livetest.Row {
	out := make(map[int64]livetest.Row, len(rows))
	for id, row := range rows {
		out[id] = row
	}
	return out
}

// mustAgree compares two screens, but for what a replay that begins later
// cannot know: what was swept before, and what takes long to suspect of a
// device. A visit it knows by its crossing, which is confirmed a fix or two
// later.
func mustAgree(t testing.TB, what string, want, got *livetest.Screen) {
	t.Helper()
	flags := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["flags"]` },
		cmp.Comparer(func(a, b int64) bool { return a&^2 == b&^2 }))
	swept := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["swept"]` }, cmp.Ignore())
	minutes := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["unvisited"]` || p.Last().String() == `["debt"]` },
		cmp.Comparer(func(a, b int64) bool { return -1 <= a-b && a-b <= 1 && (a < 0) == (b < 0) }))
	if d := cmp.Diff(want.Units, got.Units, flags) + cmp.Diff(want.Grids, got.Grids, swept, minutes); d != "" {
		t.Errorf("%s: (-want +got)\n%s", what, d)
	}
}

// TestReplayKeepsPace replays at several speeds in a bubble's time.
func TestReplayKeepsPace(t *testing.T) {
	p := livetest.NewPast(t, 20, 2*time.Minute)
	for _, tt := range []struct {
		speed  float64
		step   time.Duration
		frames int
		takes  time.Duration
	}{
		{1, 0, 121, 120 * time.Second},
		{2.5, 0, 121, 48 * time.Second},
		{60, 0, 9, 2 * time.Second},
		{10, time.Minute, 3, 12 * time.Second},
		{60, 7 * time.Second, 19, 2 * time.Second}, // the last step is shorter
		{0, 0, 121, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin, frames, waits := time.Now(), 0, 0
			r := mustReplay(t, replayOf(p, p.Begin, p.Begin.Add(2*time.Minute), tt.speed, tt.step))
			for {
				got, err := r.Next(t.Context(), 3*time.Second)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(got) == 0 {
					waits++
				}
				frames += len(got)
			}
			if took := time.Since(begin).Round(time.Millisecond); took != tt.takes || frames != tt.frames+1 {
				t.Errorf("speed %g, step %v: %d frames in %v, want %d in %v", tt.speed, tt.step, frames-1, took, tt.frames, tt.takes)
			}
			if (waits > 0) != (tt.step == time.Minute) {
				t.Errorf("speed %g, step %v: %d waits without a frame", tt.speed, tt.step, waits)
			}
		})
	}
}

func TestReplayRefuses(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, grid.Zone)
	p := &livetest.Past{}
	for _, tt := range []struct {
		field string
		cfg   live.ReplayConfig
	}{
		{"to", replayOf(p, at, at, 0, 0)},
		{"to", replayOf(p, at, at.Add(-time.Hour), 0, 0)},
		{"to", replayOf(p, at, at.Add(live.MaxReplay+1), 0, 0)},
		{"speed", replayOf(p, at, at.Add(time.Hour), 61, 0)},
		{"speed", replayOf(p, at, at.Add(time.Hour), .5, 0)},
		{"speed", replayOf(p, at, at.Add(time.Hour), -1, 0)},
		{"step", replayOf(p, at, at.Add(time.Hour), 0, 61*time.Second)},
		{"step", replayOf(p, at, at.Add(time.Hour), 0, time.Millisecond)},
	} {
		if _, err := live.NewReplay(tt.cfg); fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) != tt.field {
			t.Errorf("%+v: %v, want one about %s", tt.cfg, err, tt.field)
		}
	}
}

// broken is a database that goes away.
type broken struct {
	*livetest.Past
	after int
}

func (b *broken) Fixes(ctx context.Context, unit patrol.UnitID, from, to time.Time, f func([]patrol.Fix) error) error {
	if b.after--; b.after < 0 {
		return fault.New(fault.Unavailable, "gone")
	}
	return b.Past.Fixes(ctx, unit, from, to, f)
}

func TestReplayEndsWithItsDatabase(t *testing.T) {
	p := livetest.NewPast(t, 20, 10*time.Minute)
	for after := range 3 {
		cfg := replayOf(p, p.Begin, p.Begin.Add(10*time.Minute), 0, 0)
		cfg.Past = &broken{p, after}
		r := mustReplay(t, cfg)
		var err error
		for err == nil {
			_, err = r.Next(t.Context(), time.Hour)
		}
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("after %d reads: %v", after, err)
		}
	}
}

// BenchmarkReplay replays ten minutes of 1,283 units at a fix a second, as
// fast as it goes, out of a database that is tidied up. It reports how long the
// first frame takes, and how many times as fast as it was the rest goes.
func BenchmarkReplay(b *testing.B) {
	const before, span = 20 * time.Minute, 10 * time.Minute
	p := livetest.NewPast(b, 1283, before+span)
	s, err := store.Open(b.Context(), storetest.SQLite(b), store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	p.Keep(b, s, nil)
	if err := s.Compact(b.Context(), p.Begin.Add(24*time.Hour)); err != nil {
		b.Fatal(err)
	}
	var first time.Duration
	for b.Loop() {
		begin := time.Now()
		cfg := replayOf(p, p.Begin.Add(before), p.Begin.Add(before+span), 0, 15*time.Second)
		cfg.Past = s.Tracks()
		n := 0
		play(b, mustReplay(b, cfg), func(f *live.Frame) {
			f.Bytes()
			if n++; n == 1 {
				first += time.Since(begin)
			}
		})
	}
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "first-frame-ms")
	b.ReportMetric(span.Seconds()*float64(b.N)/(b.Elapsed()-first).Seconds(), "x")
}
