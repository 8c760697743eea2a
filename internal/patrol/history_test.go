package patrol_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lianqin/internal/patrol"
	"lianqin/internal/store"
	"lianqin/internal/store/storetest"
)

// members are units 1 to n on duty from 8 to 16 o'clock, but for the last,
// which is always.
func members(t testing.TB, n int) *patrol.Staff {
	t.Helper()
	roll := &patrol.Roll{Revision: 1}
	for i := range n {
		u := patrol.Unit{ID: patrol.UnitID(i + 1), Code: fmt.Sprintf("U%d", i+1), Name: "张三", Kind: patrol.GridPatrol, Street: "S0", Duty: patrol.ByRoster}
		if i == n-1 {
			u.Duty = patrol.Always
		}
		roll.Units = append(roll.Units, u)
		for half := range 2 { // two shifts that join
			from := patrol.Eight.Add(time.Duration(half) * 4 * time.Hour)
			roll.Shifts = append(roll.Shifts, patrol.Shift{Unit: u.ID, Post: patrol.PatrolPost, From: from, To: from.Add(4 * time.Hour)})
		}
	}
	s, err := patrol.NewStaff(roll)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wander is what a unit's device reports of an hour around a change of shifts:
// a way along and over borders, with noise, leaps, tunnels, silences, bad
// accuracies and calls for help.
func wander(rnd *rand.Rand, unit patrol.UnitID) []patrol.Fix {
	var out []patrol.Fix
	east, north, heading := patrol.GridM*1.5, patrol.GridM*1.5, rnd.Float64()*2*math.Pi
	for second := 3.5 * 3600; second < 4.5*3600; second += 5 + rnd.Float64()*5 {
		heading += rnd.NormFloat64() * 0.3
		speed := 1.5 + rnd.Float64()*8
		east += math.Cos(heading) * speed * 7
		north += math.Sin(heading) * speed * 7
		if east < 0 || east > 3*patrol.GridM || north < 0 || north > 3*patrol.GridM {
			heading += math.Pi / 2
		}
		f := patrol.Seen(unit, second, east+rnd.NormFloat64()*10, north+rnd.NormFloat64()*10, float32(5+rnd.Float64()*15))
		switch rnd.IntN(40) {
		case 0: // a leap, sometimes of several fixes
			for range 1 + rnd.IntN(4) {
				leap := patrol.Seen(unit, second, east+9000+rnd.Float64()*50, north, 10)
				out = append(out, leap)
				second += 2
			}
			continue
		case 1: // a silence, after which the receiver is wrong at first
			second += rnd.Float64() * 900
			for range rnd.IntN(3) {
				out = append(out, patrol.Seen(unit, second, east-3000, north, 10))
				second += 2
			}
		case 2:
			f.AccuracyM = 150
		case 3:
			f.AccuracyM = 2000
		case 4, 5:
			f.Flags |= patrol.SOS
		}
		out = append(out, f.Quantised())
	}
	return out
}

// final is what there is in the end of a unit's track, quarantine and events.
type final struct {
	Track, Suspects []int64
	Events          []string
}

func finals(t testing.TB, tracks patrol.Tracks, units int) map[patrol.UnitID]*final {
	t.Helper()
	out := make(map[patrol.UnitID]*final)
	from, to := patrol.Eight.AddDate(0, 0, -1), patrol.Eight.AddDate(0, 0, 2)
	for id := patrol.UnitID(1); int(id) <= units; id++ {
		r := &final{}
		out[id] = r
		times := func(dst *[]int64) func([]patrol.Fix) error {
			return func(fixes []patrol.Fix) error {
				for _, f := range fixes {
					*dst = append(*dst, f.At)
				}
				return nil
			}
		}
		if err := tracks.Fixes(t.Context(), id, from, to, times(&r.Track)); err != nil {
			t.Fatal(err)
		}
		if err := tracks.Suspects(t.Context(), id, from, to, times(&r.Suspects)); err != nil {
			t.Fatal(err)
		}
		r.Suspects = slices.Compact(r.Suspects)
		q := patrol.EventQuery{Unit: id, Kinds: []patrol.EventKind{patrol.Crossed, patrol.CalledHelp}, From: from, To: to}
		err := tracks.Events(t.Context(), q, func(e patrol.Event) error {
			evidence := make([]int64, len(e.Evidence))
			for i, v := range e.Evidence {
				evidence[i] = v.At - patrol.At(0)
			}
			r.Events = append(r.Events, fmt.Sprintf("%s %d→%d at %d %v", e.Kind, e.From, e.To, e.At.UnixMilli()-patrol.At(0), evidence))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// running is a Tracker that runs until stop.
func running(t testing.TB, cfg patrol.Config) (tracker *patrol.Tracker, stop func()) {
	t.Helper()
	cfg.Failed = func(err error) { t.Error(err) }
	tracker = patrol.NewTracker(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tracker.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	<-tracker.Ready()
	return tracker, stop
}

// settled waits until entries of the log were applied, and has every past run
// again.
func settled(t testing.TB, tracker *patrol.Tracker, entries uint64) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); tracker.Stats().Applied < entries; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("applied %d entries of %d", tracker.Stats().Applied, entries)
		}
	}
	if err := tracker.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// play sends batches in that order, each received after the other, and returns
// what comes of them.
func play(t testing.TB, s *store.Store, staff *patrol.Staff, bounds patrol.Boundaries, units int, batches [][]patrol.Fix) (map[patrol.UnitID]*final, []patrol.State) {
	t.Helper()
	tracker, stop := running(t, patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: s.Tracks(), Now: lateNow})
	defer stop()
	for i, b := range batches {
		b = slices.Clone(b)
		for j := range b {
			b[j].Received = lateNow().Add(-time.Minute).UnixMilli() + int64(i)
		}
		if err := tracker.Accept(t.Context(), patrol.Batch{Fixes: b}); err != nil {
			t.Fatal(err)
		}
	}
	settled(t, tracker, uint64(len(batches)))
	states := tracker.States(patrol.Eight.Add(4*time.Hour+45*time.Minute), nil)
	return finals(t, s.Tracks(), units), states
}

// TestTheOrderOfBatchesDoesNotMatter has the reports of some units come in
// order, and then in batches that come in any order, some of them twice: track, quarantine, events and present are the same in the end.
func TestTheOrderOfBatchesDoesNotMatter(t *testing.T) {
	const units = 4
	staff, bounds := members(t, units), patrol.AllTime(patrol.Town(t, 1, 3))
	each(t, func(t *testing.T, fresh func() string) {
		for seed := range uint64(4) {
			inOrder, shuffled := shuffledReports(seed, units)
			want, wantStates := play(t, database(t, fresh(), units), staff, bounds, units, inOrder)
			got, gotStates := play(t, database(t, fresh(), units), staff, bounds, units, shuffled)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: %s", seed, diff)
			}
			if diff := cmp.Diff(wantStates, gotStates, butReceived); diff != "" {
				t.Fatalf("seed %d: %s", seed, diff)
			}
			track, suspects, events := 0, 0, 0
			for _, f := range want {
				track, suspects, events = track+len(f.Track), suspects+len(f.Suspects), events+len(f.Events)
			}
			if track < 400 || suspects < 10 || events < 40 {
				t.Errorf("seed %d: %d fixes, %d suspects, %d events: there is little to see", seed, track, suspects, events)
			}
		}
	})
}

// butReceived compares states whose reports came at other times.
var butReceived = cmpopts.IgnoreFields(patrol.Fix{}, "Received")

// shuffledReports are the reports of units in order, and the same in batches in
// any order, some of them twice.
func shuffledReports(seed uint64, units patrol.UnitID) (inOrder, shuffled [][]patrol.Fix) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	for id := patrol.UnitID(1); id <= units; id++ {
		fixes := wander(rnd, id)
		inOrder = slices.AppendSeq(inOrder, slices.Chunk(fixes, 10))
		for len(fixes) > 0 {
			n := min(1+rnd.IntN(40), len(fixes))
			shuffled = append(shuffled, fixes[:n])
			if rnd.IntN(5) == 0 {
				shuffled = append(shuffled, fixes[:n])
			}
			fixes = fixes[n:]
		}
	}
	rnd.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return inOrder, shuffled
}

// TestConfirmedGridsAreAChain holds each crossing to begin where the one before
// it ended, and the first of a shift to begin nowhere.
func TestConfirmedGridsAreAChain(t *testing.T) {
	const units = 4
	staff, bounds := members(t, units), patrol.AllTime(patrol.Town(t, 1, 3))
	for seed := range uint64(3) {
		s := database(t, storetest.SQLite(t), units)
		_, shuffled := shuffledReports(seed+100, units)
		play(t, s, staff, bounds, units, shuffled)
		last := make(map[patrol.UnitID]patrol.Event)
		q := patrol.EventQuery{Kinds: []patrol.EventKind{patrol.Crossed}, From: patrol.Eight, To: patrol.Eight.AddDate(0, 0, 1)}
		n := 0
		noon := patrol.Eight.Add(4 * time.Hour)
		err := s.Tracks().Events(t.Context(), q, func(e patrol.Event) error {
			before := last[e.Unit]
			if e.Unit < units && before.At.Before(noon) && !e.At.Before(noon) {
				before = patrol.Event{} // a new shift
			}
			if e.From != before.To || !e.At.After(before.At) || e.From == e.To {
				t.Errorf("seed %d, unit %d: %d→%d at %v by %s, after %d→%d at %v", seed, e.Unit, e.From, e.To, e.At, e.Rule, before.From, before.To, before.At)
			}
			last[e.Unit] = e
			n++
			return nil
		})
		if err != nil || n < 40 {
			t.Errorf("%d crossings, %v", n, err)
		}
	}
}
