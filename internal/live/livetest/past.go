package livetest

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"lianqin/internal/demo"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// Past is what units of the demonstration district did from Begin on, at a fix
// a second, kept in memory.
type Past struct {
	Staff  *patrol.Staff
	Index  *locate.Index
	Begin  time.Time
	Track  []patrol.Fix // in order of time
	events []patrol.Event
}

// At is the borders at any time.
func (p *Past) At(int64) *locate.Index { return p.Index }

// NewPast has n units of the demonstration district, always on duty, walk
// about their grids for as long as lasts. Now and then one is not heard for
// some minutes.
func NewPast(t testing.TB, n int, lasts time.Duration) *Past {
	t.Helper()
	src, err := demo.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	gen, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	demoStaff, err := demo.Patrols(gen, 1, n)
	if err != nil {
		t.Fatal(err)
	}
	units := demoStaff.Units
	for i := range units {
		units[i].ID, units[i].Duty = patrol.UnitID(i+1), patrol.Always
	}
	p := &Past{Index: locate.New(gen), Begin: time.Date(2026, 3, 1, 8, 0, 0, 0, grid.Zone)}
	if p.Staff, err = patrol.NewStaff(&patrol.Roll{Revision: 1, Teams: demoStaff.Teams, Units: units}); err != nil {
		t.Fatal(err)
	}
	p.walk(gen, lasts)
	p.note()
	return p
}

// walk makes the track.
func (p *Past) walk(gen *grid.Generation, lasts time.Duration) {
	rnd := rand.New(rand.NewPCG(7, 7))
	units := p.Staff.Units()
	type walker struct {
		home, at geo.Coord
		heading  float64
		quiet    int // seconds
	}
	walkers := make([]walker, len(units))
	for i, u := range units {
		g := &gen.Grids()[i%len(gen.Grids())]
		if len(u.Grids) > 0 {
			g, _ = gen.Grid(u.Grids[0])
		}
		c, _ := geo.Quantise(g.Label) // a point of the district
		walkers[i] = walker{home: c, at: c, heading: rnd.Float64() * 2 * math.Pi}
	}
	for s := range int64(lasts / time.Second) {
		for i := range walkers {
			w := &walkers[i]
			if w.quiet--; w.quiet < 0 && rnd.IntN(3600) == 0 {
				w.quiet = 120 + rnd.IntN(600)
			}
			w.heading += rnd.NormFloat64() / 3
			if dx, dy := float64(w.home.X-w.at.X), float64(w.home.Y-w.at.Y); math.Hypot(dx, dy) > 60_000 { // some 600 m
				w.heading = math.Atan2(dy, dx)
			}
			w.at.X += int32(math.Cos(w.heading) * 300)
			w.at.Y += int32(math.Sin(w.heading) * 300)
			if w.quiet > 0 {
				continue
			}
			at := p.Begin.UnixMilli() + s*1000 + int64(i%900)
			p.Track = append(p.Track, patrol.Fix{Unit: units[i].ID, At: at, Received: at, Pos: w.at, AccuracyM: 5,
				SpeedMPS: 3, HeadingDeg: -1, BatteryPct: 80, Source: patrol.FromAPI})
		}
	}
	slices.SortFunc(p.Track, func(a, b patrol.Fix) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Unit, b.Unit)) })
}

// note finds the crossings, as a tracker has them.
func (p *Past) note() {
	t := patrol.NewReplay(p.Staff, p, patrol.Settings{})
	was := make(map[patrol.UnitID]grid.ID)
	var states []patrol.State
	for rest := p.Track; len(rest) > 0; {
		at := rest[0].At - rest[0].At%1000 + 1000
		n := countBefore(rest, at)
		t.Feed(rest[:n])
		rest = rest[n:]
		states = t.States(time.UnixMilli(at), states[:0])
		for _, s := range states {
			if s.Grid != was[s.Unit] {
				p.events = append(p.events, patrol.Event{Unit: s.Unit, Kind: patrol.Crossed, At: time.UnixMilli(s.Since), From: was[s.Unit], To: s.Grid, Generation: 1,
					Evidence: []patrol.Evidence{{At: s.Last.At}}})
				was[s.Unit] = s.Grid
			}
		}
	}
	slices.SortStableFunc(p.events, func(a, b patrol.Event) int { return a.At.Compare(b.At) })
}

// countBefore is how many of fixes are before ms.
func countBefore(fixes []patrol.Fix, ms int64) int {
	n, _ := slices.BinarySearchFunc(fixes, ms, func(f patrol.Fix, ms int64) int { return cmp.Compare(f.At, ms) })
	return n
}

// Between are the fixes in [from, to).
func (p *Past) Between(from, to time.Time) []patrol.Fix {
	return p.Track[countBefore(p.Track, from.UnixMilli()):countBefore(p.Track, to.UnixMilli())]
}

// Fixes is as patrol.Tracks has it, for all units.
func (p *Past) Fixes(_ context.Context, _ patrol.UnitID, from, to time.Time, f func([]patrol.Fix) error) error {
	return f(p.Between(from, to))
}

// Events is as patrol.Tracks has it.
func (p *Past) Events(_ context.Context, q patrol.EventQuery, f func(patrol.Event) error) error {
	for _, e := range p.events {
		if !e.At.Before(q.From) && e.At.Before(q.To) {
			if err := f(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Keep has a tracker take p, a second at a time, by way of s's log and into
// its tracks, as it takes what devices send; each is called after every
// second, and may be nil. It returns the registry that s now has.
func (p *Past) Keep(t testing.TB, s *store.Store, each func(now time.Time, r *patrol.Registry, tracker *patrol.Tracker)) *patrol.Registry {
	t.Helper()
	_, err := s.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) {
		c := &patrol.RollChange{Teams: p.Staff.Teams(), Units: slices.Clone(p.Staff.Units())}
		for i := range c.Units {
			c.Units[i].ID = 0
		}
		return c, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := patrol.OpenRegistry(t.Context(), s.Register())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range p.Staff.Units() {
		if kept, ok := registry.Unit(u.ID); !ok || kept.Code != u.Code {
			t.Fatalf("unit %d is not %s", u.ID, u.Code)
		}
	}
	var clock atomic.Int64
	tracker := patrol.NewTracker(patrol.Config{Registry: registry, Boundaries: p, Log: s.Log(), Tracks: s.Tracks(),
		Now: func() time.Time { return time.UnixMilli(clock.Load()) }, Failed: func(err error) { t.Error(err) }})
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- tracker.Run(ctx) }()
	entries := uint64(0)
	for now := p.Begin; len(p.Track) > 0 && now.UnixMilli() <= p.Track[len(p.Track)-1].At; now = now.Add(time.Second) {
		clock.Store(now.Add(time.Second).UnixMilli())
		if err := tracker.Accept(ctx, patrol.Batch{Fixes: slices.Clone(p.Between(now, now.Add(time.Second)))}); err != nil {
			t.Fatal(err)
		}
		for entries++; tracker.Stats().Applied < entries; {
			time.Sleep(50 * time.Microsecond)
		}
		if each != nil {
			each(now.Add(time.Second), registry, tracker)
		}
	}
	for tracker.Stats().Unsaved > 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	return registry
}
