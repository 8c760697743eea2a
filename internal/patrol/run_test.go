package patrol_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// inOrder are the reports of units as they come, one by one.
func inOrder(seed uint64, units int) []patrol.Fix {
	rnd := rand.New(rand.NewPCG(seed, 3))
	var all []patrol.Fix
	for id := 1; id <= units; id++ {
		all = append(all, wander(rnd, patrol.UnitID(id))...)
	}
	slices.SortStableFunc(all, func(a, b patrol.Fix) int { return int(a.At - b.At) })
	for i := range all { // some come late, with the next but ten
		if i > 10 && rnd.IntN(20) == 0 {
			all[i], all[i-10] = all[i-10], all[i]
		}
	}
	return all
}

func lateNow() time.Time { return patrol.Eight.Add(5 * time.Hour) }

// TestARestartLosesNothing ends the tracker, or takes its database away from
// it, again and again while reports come in: what there is in the end is as
// without.
func TestARestartLosesNothing(t *testing.T) {
	const units = 3
	staff, bounds := members(t, units), patrol.AllTime(patrol.Town(t, 1, 3))
	fixes := inOrder(1, units)
	each(t, func(t *testing.T, fresh func() string) {
		want, wantStates := play(t, database(t, fresh(), units), staff, bounds, units, slices.Collect(slices.Chunk(fixes, 10)))
		url := fresh()
		s := database(t, url, units)
		rnd := rand.New(rand.NewPCG(2, 2))
		for round, sent := 0, 0; sent < len(fixes); round++ {
			ctx, cancel := context.WithCancel(t.Context())
			mine := s
			if round%2 == 1 { // another process, whose database goes away
				mine = reopen(t, url)
			}
			tracker := patrol.NewTracker(patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: mine.Log(), Tracks: mine.Tracks(), Now: lateNow})
			ended := make(chan error, 1)
			go func() { ended <- tracker.Run(ctx) }()
			for range min(1+rnd.IntN(150), len(fixes)-sent) {
				report(t, tracker, fixes[sent], sent)
				sent++
			}
			if round%2 == 1 {
				mine.Close()
			}
			cancel()
			if err := <-ended; err != nil && round%2 == 0 {
				t.Errorf("round %d: %v", round, err)
			}
		}
		tracker, stop := running(t, patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: s.Tracks(), Now: lateNow})
		defer stop()
		settled(t, tracker, lastEntry(t, s.Log()))
		if diff := cmp.Diff(want, finals(t, s.Tracks(), units)); diff != "" {
			t.Error(diff)
		}
		got := tracker.States(patrol.Eight.Add(4*time.Hour+45*time.Minute), nil)
		if diff := cmp.Diff(wantStates, got, butReceived); diff != "" {
			t.Error(diff)
		}
	})
}

// report sends f as play does the n-th.
func report(t testing.TB, tracker *patrol.Tracker, f patrol.Fix, n int) {
	t.Helper()
	f.Received = lateNow().Add(-time.Minute).UnixMilli() + int64(n)
	if err := tracker.Accept(t.Context(), patrol.Batch{Fixes: []patrol.Fix{f}}); err != nil {
		t.Fatal(err)
	}
}

// lastEntry is where the log ends.
func lastEntry(t testing.TB, log patrol.Log) uint64 {
	t.Helper()
	empty := patrol.AppendBatch(nil, &patrol.Batch{})
	seq, err := log.Append(t.Context(), empty)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// TestTwoProcessesEnterEverythingOnce has two trackers apply the same log to
// the same tracks.
func TestTwoProcessesEnterEverythingOnce(t *testing.T) {
	const units = 3
	staff, bounds := members(t, units), patrol.AllTime(patrol.Town(t, 1, 3))
	fixes := inOrder(4, units)
	each(t, func(t *testing.T, fresh func() string) {
		want, _ := play(t, database(t, fresh(), units), staff, bounds, units, slices.Collect(slices.Chunk(fixes, 10)))
		s := database(t, fresh(), units)
		cfg := patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: s.Tracks(), Now: lateNow}
		one, stopOne := running(t, cfg)
		defer stopOne()
		other, stopOther := running(t, cfg)
		defer stopOther()
		for i, f := range fixes {
			report(t, []*patrol.Tracker{one, other}[i%2], f, i)
		}
		last := lastEntry(t, s.Log())
		settled(t, one, last)
		settled(t, other, last)
		if diff := cmp.Diff(want, finals(t, s.Tracks(), units)); diff != "" {
			t.Error(diff)
		}
		now := patrol.Eight.Add(4*time.Hour + 45*time.Minute)
		if diff := cmp.Diff(one.States(now, nil), other.States(now, nil)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestTheLogWaitsForOtherProcesses has one process put down a checkpoint of
// entries that another has not seen.
func TestTheLogWaitsForOtherProcesses(t *testing.T) {
	staff, bounds := members(t, 1), patrol.AllTime(patrol.Town(t, 1, 3))
	s := database(t, storetest.SQLite(t), 1)
	cfg := patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: s.Tracks(), Now: lateNow}
	tracker, stop := running(t, cfg)
	for i := range 10 {
		report(t, tracker, patrol.Seen(1, float64(i), 500, 500, 5), i)
	}
	settled(t, tracker, lastEntry(t, s.Log()))
	stop() // with a checkpoint
	if _, at, _, err := s.Tracks().Checkpoint(t.Context()); err != nil || at < 11 {
		t.Fatalf("a checkpoint after entry %d, %v", at, err)
	}
	enough := errors.New("enough")
	if err := s.Log().Tail(t.Context(), 1, func(uint64, [][]byte) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
}

// away is Tracks that cannot be reached while it says so.
type away struct {
	patrol.Tracks
	down atomic.Bool
}

func (a *away) Save(ctx context.Context, e *patrol.Effects) (patrol.Saved, error) {
	if a.down.Load() {
		return patrol.Saved{}, fault.New(fault.Unavailable, "away")
	}
	return a.Tracks.Save(ctx, e)
}

// TestLookingWhileSaving looks at who is off duty beside the saving of what
// others report, for the race detector.
func TestLookingWhileSaving(t *testing.T) {
	staff, bounds := members(t, 2), patrol.AllTime(patrol.Town(t, 1, 3))
	s := database(t, storetest.SQLite(t), 2)
	tracker, stop := running(t, patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: s.Tracks(), Now: lateNow})
	defer stop()
	for i := range 20 {
		report(t, tracker, patrol.Seen(1, float64(i), 500, 500, 5), i)
	}
	eventually(t, "all is entered", func() bool {
		state, err := tracker.State(1, patrol.Eight.Add(-time.Hour))
		if err != nil || state != (patrol.State{Unit: 1}) {
			t.Errorf("%+v, %v", state, err)
		}
		return len(finals(t, s.Tracks(), 1)[1].Track) == 20
	})
}

func TestWhatTheDatabaseMissedIsEnteredOnceItIsBack(t *testing.T) {
	staff, bounds := members(t, 2), patrol.AllTime(patrol.Town(t, 1, 3))
	s := database(t, storetest.SQLite(t), 2)
	tracks := &away{Tracks: s.Tracks()}
	tracks.down.Store(true)
	var failures atomic.Int64
	tracker := patrol.NewTracker(patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: tracks, Now: lateNow,
		Failed: func(err error) {
			if fault.KindOf(err) != fault.Unavailable {
				t.Error(err)
			}
			failures.Add(1)
		}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tracker.Run(ctx) }()
	for i := range 100 {
		f := patrol.Seen(1, float64(i), 500, 500, 5)
		if err := tracker.Accept(t.Context(), patrol.Batch{Fixes: []patrol.Fix{f}}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it is tried", func() bool { return failures.Load() > 2 })
	eventually(t, "states go on", func() bool {
		state, err := tracker.State(1, patrol.Eight.Add(time.Minute))
		return err == nil && state.Last.At == patrol.At(99)
	})
	tracks.down.Store(false)
	eventually(t, "it is entered", func() bool { return len(finals(t, s.Tracks(), 1)[1].Track) == 100 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestNoPositionIsKeptOffDuty looks at what is durable.
func TestNoPositionIsKeptOffDuty(t *testing.T) {
	roll := &patrol.Roll{
		Units:  []patrol.Unit{{ID: 1, Code: "U1"}, {ID: 2, Code: "U2", Duty: patrol.Always, Retired: patrol.Eight.Add(time.Hour)}},
		Shifts: []patrol.Shift{{Unit: 1, Post: patrol.PatrolPost, From: patrol.Eight, To: patrol.Eight.Add(8 * time.Hour)}},
	}
	staff, err := patrol.NewStaff(roll)
	if err != nil {
		t.Fatal(err)
	}
	s := database(t, storetest.SQLite(t), 2)
	tracker := patrol.NewTracker(patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: patrol.AllTime(nil), Log: s.Log(), Tracks: s.Tracks()})
	const hour = 3600
	unread := func(unit patrol.UnitID, at, received float64, raw string) patrol.Refusal {
		r := patrol.Refusal{Unit: unit, Received: patrol.At(received), Reason: patrol.Malformed, Detail: "battery: not a number", Raw: raw}
		if at != 0 {
			r.At = patrol.At(at)
		}
		return r
	}
	const raw = `{"lon":121.2461,"lat":31.3861,"battery":"full"}`
	batch := patrol.Batch{Refusals: []patrol.Refusal{unread(1, 0, 1, raw), unread(1, 5, 9*hour, raw),
		unread(1, 0, 9*hour, raw), unread(1, 9*hour, 9*hour, raw), unread(1, hour, -hour, raw), unread(0, 0, 1, raw), unread(9, 0, 1, raw), unread(2, 0, 2*hour, raw)}}
	for _, f := range []patrol.Fix{
		patrol.Seen(1, -0.001, 1, 1, 5), patrol.Seen(1, 0, 2, 2, 5), patrol.Seen(1, 8*hour, 3, 3, 5),
		patrol.Seen(2, 0, 4, 4, 5), patrol.Seen(2, hour, 5, 5, 5), patrol.Seen(9, 0, 6, 6, 5),
	} {
		batch.Fixes = append(batch.Fixes, f)
	}
	early := patrol.Seen(1, 7, 7, 7, 5) // on duty by a clock that is ahead
	early.Received = patrol.At(-1)
	batch.Fixes = append(batch.Fixes, early)
	if err := tracker.Accept(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Accept(t.Context(), patrol.Batch{}); err != nil {
		t.Fatal(err)
	}
	last := lastEntry(t, s.Log())
	var got []patrol.Batch
	enough := errors.New("enough")
	err = s.Log().Tail(t.Context(), 1, func(seq uint64, data [][]byte) error {
		for _, d := range data {
			b, err := patrol.DecodeBatch(d)
			if err != nil {
				return err
			}
			got = append(got, b)
		}
		if seq == last {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || len(got) != 2 { // the last is lastEntry's
		t.Fatalf("%v, %d batches: %+v", err, len(got), got)
	}
	wantFixes := []patrol.Fix{patrol.Seen(1, 0, 2, 2, 5), patrol.Seen(2, 0, 4, 4, 5)}
	if diff := cmp.Diff(wantFixes, got[0].Fixes); diff != "" {
		t.Error(diff)
	}
	off := func(unit patrol.UnitID, seconds float64, reason patrol.Reason, detail string) patrol.Refusal {
		return patrol.Refusal{Unit: unit, At: patrol.At(seconds), Received: patrol.At(seconds), Reason: reason, Detail: detail}
	}
	ahead := off(1, 7, patrol.OffDuty, "")
	ahead.Received = patrol.At(-1)
	wantRefusals := []patrol.Refusal{unread(1, 0, 1, raw), unread(1, 5, 9*hour, raw),
		unread(1, 0, 9*hour, ""), unread(1, 9*hour, 9*hour, ""), unread(1, hour, -hour, ""), unread(0, 0, 1, ""), unread(9, 0, 1, ""), unread(2, 0, 2*hour, ""),
		off(1, -0.001, patrol.OffDuty, ""), off(1, 8*hour, patrol.OffDuty, ""),
		off(2, hour, patrol.UnknownUnit, "retired"), off(0, 0, patrol.UnknownUnit, "there is no unit 9"), ahead}
	if diff := cmp.Diff(wantRefusals, got[0].Refusals); diff != "" {
		t.Error(diff)
	}
}

// TestSilence lets hours pass.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Time begins in 2000 in here.
		begin := time.Now()
		roll := &patrol.Roll{}
		for id := patrol.UnitID(1); id <= 3; id++ {
			roll.Units = append(roll.Units, patrol.Unit{ID: id, Code: "U" + string('0'+rune(id)), Duty: patrol.ByRoster})
			roll.Shifts = append(roll.Shifts, patrol.Shift{Unit: id, Post: patrol.PatrolPost, From: begin, To: begin.Add(time.Hour)})
		}
		staff, err := patrol.NewStaff(roll)
		if err != nil {
			t.Fatal(err)
		}
		s := database(t, storetest.SQLite(t), 3)
		tracker, stop := running(t, patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: patrol.AllTime(patrol.Town(t, 1, 3)), Log: s.Log(), Tracks: s.Tracks()})
		hear := func(unit patrol.UnitID) {
			t.Helper()
			f := patrol.Seen(unit, 0, 500, 500, 5)
			f.At, f.Received = time.Now().UnixMilli(), time.Now().UnixMilli()
			if err := tracker.Accept(t.Context(), patrol.Batch{Fixes: []patrol.Fix{f}}); err != nil {
				t.Fatal(err)
			}
		}
		until := func(minutes float64) {
			time.Sleep(time.Until(begin.Add(time.Duration(minutes * float64(time.Minute)))))
			synctest.Wait()
		}
		until(1)
		hear(1) // then silent until 20, and from 50
		hear(2) // heard every four minutes until 58
		for m := 4.0; m <= 58; m += 4 {
			until(m)
			hear(2)
			if m == 20 {
				hear(1)
			}
			if m > 20 && m < 52 {
				hear(1)
			}
		}
		until(70)
		stop()
		var got []string
		q := patrol.EventQuery{Kinds: []patrol.EventKind{patrol.WentSilent, patrol.CameBack}, From: begin, To: begin.Add(2 * time.Hour)}
		err = s.Tracks().Events(t.Context(), q, func(e patrol.Event) error {
			got = append(got, string(e.Kind)+" "+string('0'+rune(e.Unit))+" after "+e.At.Sub(begin).String())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"silent 1 after 6m0s", "back 1 after 20m0s", "silent 1 after 53m0s"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
