package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// patrols is a database with n units, half of each of two streets.
func patrols(t testing.TB, url string, n int) *Store {
	t.Helper()
	s := open(t, url)
	c := &patrol.RollChange{}
	for i := range n {
		c.Units = append(c.Units, patrol.Unit{Code: fmt.Sprintf("P%05d", i+1), Kind: patrol.GridPatrol, Street: fmt.Sprintf("31011400%d", 1+i%2)})
	}
	change(t, s, c)
	return s
}

// fixAt is a fix that differs from those of other units and times.
func fixAt(unit patrol.UnitID, at int64) patrol.Fix {
	n := int32(at/1000)*7 + int32(unit)*131
	return patrol.Fix{Unit: unit, At: at, Received: at + 900, Pos: geo.Coord{X: 1212000000 + n%100_000, Y: 313000000 + n%70_000},
		AccuracyM: float32(n&63) / 2, SpeedMPS: float32(n&7) / 4, HeadingDeg: float32(n & 255), AltitudeM: 4, BatteryPct: int8(n & 63),
		Flags: patrol.Flags(n & 1), Source: patrol.FromAPI}.Quantised()
}

// saver numbers effects as a log would.
type saver struct {
	s    *Store
	last uint64
}

func (v *saver) save(t testing.TB, e patrol.Effects) patrol.Saved {
	t.Helper()
	e.First, e.Last = v.last+1, v.last+3
	saved, err := v.s.Tracks().Save(context.Background(), &e)
	if err != nil {
		t.Fatal(err)
	}
	v.last = e.Last
	return saved
}

// fixesOf is what Fixes hands over.
func fixesOf(t testing.TB, s *Store, unit patrol.UnitID, from, to time.Time) []patrol.Fix {
	t.Helper()
	var all []patrol.Fix
	if err := s.Tracks().Fixes(context.Background(), unit, from, to, func(f []patrol.Fix) error { all = append(all, f...); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func compacted(t testing.TB, s *Store, now time.Time) {
	t.Helper()
	if err := s.Compact(context.Background(), now); err != nil {
		t.Fatal(err)
	}
}

var (
	wholeTime = [2]time.Time{time.UnixMilli(0), day(2100, 1, 1)}
	// midnight is when a day in Shanghai begins.
	midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, grid.Zone)
)

func TestSaveOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 2)
		tr := s.Tracks()
		at := midnight.UnixMilli()
		e := &patrol.Effects{First: 1, Last: 5, Kept: []patrol.Fix{fixAt(1, at), fixAt(2, at)},
			Refused: []patrol.Refusal{{Unit: 1, Received: at, Reason: patrol.TooOld, Detail: "x"}},
			Events:  []patrol.Event{{Unit: 1, Kind: patrol.Crossed, At: midnight, Recorded: midnight, To: 7}}}
		for _, tt := range []struct {
			name        string
			first, last uint64
			want        fault.Kind
		}{
			{"no entry at all", 0, 5, fault.Invalid},
			{"backwards", 5, 4, fault.Invalid},
			{"not the next", 2, 5, fault.Invalid},
			{"the next", 1, 5, fault.Internal},
			{"the same", 1, 5, fault.Conflict},
			{"part of the same", 5, 9, fault.Conflict},
			{"one left out", 7, 9, fault.Invalid},
		} {
			e.First, e.Last = tt.first, tt.last
			_, err := tr.Save(t.Context(), e)
			if (err == nil) != (tt.name == "the next") || err != nil && fault.KindOf(err) != tt.want {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
			}
		}
		if e.Events[0].ID != 1 {
			t.Errorf("the event has ID %d", e.Events[0].ID)
		}
		bad := &patrol.Effects{First: 6, Last: 6, Kept: []patrol.Fix{fixAt(1, at+1000)}, Refused: []patrol.Refusal{{Unit: 1, Received: at, Reason: patrol.TooOld, Detail: "x"}},
			Events: []patrol.Event{{Unit: 9, Kind: patrol.Crossed, At: midnight, Recorded: midnight}}}
		if _, err := tr.Save(t.Context(), bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("an event of nobody: %v", err)
		}
		if got := fixesOf(t, s, 0, wholeTime[0], wholeTime[1]); len(got) != 2 {
			t.Errorf("%d fixes", len(got))
		}
		if _, at, applied, err := tr.Checkpoint(t.Context()); applied != 5 || at != 0 || err != nil {
			t.Errorf("applied up to %d, checkpoint %d, %v", applied, at, err)
		}
		if got := refusals(t, s, patrol.RefusalQuery{}); len(got) != 1 {
			t.Errorf("%d refusals", len(got))
		}
	})
}

// TestSaveByTwo lets two processes apply one log in strides of their own.
func TestSaveByTwo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 1)
		const entries = 200
		fix := func(seq uint64) patrol.Fix { return fixAt(1, midnight.UnixMilli()+int64(seq)*1000) }
		var wg sync.WaitGroup
		var saves [2]int
		for p := range saves {
			tr := open(t, url).Tracks()
			wg.Go(func() {
				dice := rand.New(rand.NewPCG(uint64(p), 1))
				for next := uint64(1); next <= entries; {
					e := &patrol.Effects{First: next, Last: min(next+dice.Uint64N(7), entries)}
					for seq := e.First; seq <= e.Last; seq++ {
						e.Kept = append(e.Kept, fix(seq))
					}
					_, err := tr.Save(t.Context(), e)
					switch fault.KindOf(err) {
					case fault.Conflict:
						_, _, applied, err := tr.Checkpoint(t.Context())
						if err != nil || applied < next {
							t.Errorf("applied up to %d, %v", applied, err)
							return
						}
						next = applied + 1
					default:
						if err != nil {
							t.Error(err)
							return
						}
						next = e.Last + 1
						saves[p]++
					}
				}
			})
		}
		wg.Wait()
		if got := fixesOf(t, s, 1, wholeTime[0], wholeTime[1]); len(got) != entries {
			t.Errorf("%d fixes of %d", len(got), entries)
		}
		t.Logf("%d and %d saves", saves[0], saves[1])
	})
}

// TestTracksOnBoth enters random tracks over three days in Shanghai into both
// databases, some of it late, some again, and compares all ways of reading with
// a plain map, before, between and after compactions.
func TestTracksOnBoth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		const units = 12
		s := patrols(t, url, units)
		v := &saver{s: s}
		dice := rand.New(rand.NewPCG(7, 7))
		model := make(map[fixKey]patrol.Fix)
		now := midnight.Add(-24 * time.Hour)
		for round := range 60 {
			var e patrol.Effects
			now = now.Add(time.Hour)
			for range 150 {
				f := fixAt(patrol.UnitID(1+dice.IntN(units)), now.UnixMilli()-dice.Int64N(3_600_000))
				if dice.IntN(8) == 0 { // the border of a day, and of ten minutes
					f.At = dayOf(f.At) + dice.Int64N(3) - 1
				}
				if _, there := model[keyOf(&f)]; there {
					continue
				}
				model[keyOf(&f)] = f
				e.Kept = append(e.Kept, f)
			}
			twice := 0
			for range dice.IntN(20) {
				f := fixAt(patrol.UnitID(1+dice.IntN(units)), now.UnixMilli()-dice.Int64N(40*3_600_000))
				if dice.IntN(2) == 0 {
					for _, f = range model {
						break
					}
				}
				if _, there := model[keyOf(&f)]; there {
					twice++
				} else {
					model[keyOf(&f)] = f
				}
				e.Late = append(e.Late, f)
			}
			if saved := v.save(t, e); len(saved.Duplicates) != twice {
				t.Fatalf("round %d: %d duplicates, want %d", round, len(saved.Duplicates), twice)
			}
			if round%7 == 3 {
				compacted(t, s, now)
			}
			if round%5 == 4 {
				compare(t, s, model, dice, now)
			}
		}
		compacted(t, s, now.Add(48*time.Hour))
		for range 5 {
			compare(t, s, model, dice, now)
		}
		if s.d.name == sqliteDialect.name {
			var chunks int
			if err := s.readers.QueryRow(`SELECT count(*) FROM fix_chunk`).Scan(&chunks); err != nil || chunks != 0 {
				t.Errorf("%d chunks are left, %v", chunks, err)
			}
		}
	})
}

// compare holds what is read of a random time against model.
func compare(t *testing.T, s *Store, model map[fixKey]patrol.Fix, dice *rand.Rand, now time.Time) {
	t.Helper()
	from := now.Add(-time.Duration(dice.Int64N(int64(100 * time.Hour)))).Truncate(time.Millisecond)
	to := from.Add(time.Duration(dice.Int64N(int64(100 * time.Hour)))).Truncate(time.Millisecond)
	if dice.IntN(3) == 0 {
		from, to = wholeTime[0], wholeTime[1]
	}
	if dice.IntN(3) == 0 {
		from, to = midnight, midnight.Add(24*time.Hour)
	}
	for unit := range patrol.UnitID(13) {
		var want []patrol.Fix
		for _, f := range model {
			if (unit == 0 || f.Unit == unit) && f.At >= from.UnixMilli() && f.At < to.UnixMilli() {
				want = append(want, f)
			}
		}
		slices.SortFunc(want, byTime)
		if diff := cmp.Diff(want, fixesOf(t, s, unit, from, to)); diff != "" {
			t.Fatalf("unit %d from %s to %s: %.2000s", unit, from, to, diff)
		}
	}
}

func TestLateFixes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 2)
		v := &saver{s: s}
		at := midnight.UnixMilli()
		v.save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, at), fixAt(1, at+20_000)}})
		for _, tidy := range []bool{false, true} {
			if tidy {
				compacted(t, s, midnight.Add(time.Hour))
			}
			again := fixAt(1, at)
			again.Received, again.Source = at+60_000, patrol.FromOwnTracks // the same, sent another way
			other := fixAt(1, at+20_000)
			other.Pos.X += 900
			fresh := fixAt(1, at+10_000)
			if tidy {
				fresh.At += 1000
			}
			saved := v.save(t, patrol.Effects{Late: []patrol.Fix{again, fresh, other, fresh, fixAt(2, at)}})
			want := []patrol.Fix{again, other, fresh}
			if tidy {
				want = append(want, fixAt(2, at))
			}
			if diff := cmp.Diff(want, saved.Duplicates); diff != "" {
				t.Errorf("duplicates: %s", diff)
			}
			got := refusals(t, s, patrol.RefusalQuery{Reasons: []patrol.Reason{patrol.Duplicate}})
			if len(got) == 0 || got[0].Fix == nil || *got[0].Fix != other || got[0].Detail == "" || tidy != (len(got) == 2) {
				t.Errorf("quarantine: %+v", got)
			}
		}
		want := []patrol.Fix{fixAt(1, at), fixAt(1, at+10_000), fixAt(1, at+10_000), fixAt(1, at+20_000)}
		want[2].At += 1000
		if diff := cmp.Diff(want, fixesOf(t, s, 1, midnight, midnight.Add(time.Hour))); diff != "" {
			t.Error(diff)
		}
		if got := counts(t, s, midnight, midnight.Add(time.Hour))["1 duplicate"]; got != 6 {
			t.Errorf("%d duplicates were counted, want 6", got)
		}
	})
}

// TestKeptTwice breaks the promise that a kept fix is new: the first stays, and
// all else of the effects is entered.
func TestKeptTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 1)
		v := &saver{s: s}
		at := midnight.UnixMilli()
		v.save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, at)}})
		other := fixAt(1, at)
		other.Pos.X++
		v.save(t, patrol.Effects{Kept: []patrol.Fix{other, fixAt(1, at+1000)}})
		want := []patrol.Fix{fixAt(1, at), fixAt(1, at+1000)}
		for range 2 {
			if diff := cmp.Diff(want, fixesOf(t, s, 1, midnight, midnight.Add(time.Hour))); diff != "" {
				t.Error(diff)
			}
			compacted(t, s, midnight)
		}
	})
}

func TestExpire(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 2)
		v := &saver{s: s}
		at := midnight.UnixMilli()
		old := []patrol.Fix{fixAt(1, at-1), fixAt(2, at-dayMS), fixAt(1, at-5*dayMS)}
		left := []patrol.Fix{fixAt(1, at), fixAt(2, at+dayMS-1), fixAt(1, at+dayMS)}
		late := fixAt(2, at-3*dayMS)
		v.save(t, patrol.Effects{Kept: slices.Concat(old, left), Refused: []patrol.Refusal{
			{Unit: 1, Received: at - 1, Reason: patrol.TooOld, Detail: "yesterday"}, {Unit: 1, Received: at, Reason: patrol.TooOld, Detail: "today"}}})
		compacted(t, s, midnight.Add(48*time.Hour))
		v.save(t, patrol.Effects{Late: []patrol.Fix{late}})
		keep := Retention{Tracks: 24 * time.Hour, Quarantine: 24 * time.Hour}
		read := func() []patrol.Fix { return fixesOf(t, s, 0, wholeTime[0], wholeTime[1]) }
		if err := s.Expire(t.Context(), midnight.Add(24*time.Hour-1), keep); err != nil {
			t.Fatal(err)
		}
		if got, want := read(), slices.Concat([]patrol.Fix{old[1], old[0]}, left); cmp.Diff(want, got) != "" {
			t.Errorf("a moment too early: %s", cmp.Diff(want, got))
		}
		for range 2 {
			if err := s.Expire(t.Context(), midnight.Add(24*time.Hour), keep); err != nil {
				t.Fatal(err)
			}
			if got := read(); cmp.Diff(left, got) != "" {
				t.Errorf("what ended a day ago: %s", cmp.Diff(left, got))
			}
		}
		got := refusals(t, s, patrol.RefusalQuery{})
		if len(got) != 1 || got[0].Detail != "today" || len(counts(t, s, wholeTime[0], wholeTime[1])) != 1 {
			t.Errorf("quarantine: %+v", got)
		}
		if err := s.Expire(t.Context(), midnight.Add(1000*24*time.Hour), Retention{}); err != nil || len(read()) != len(left) {
			t.Errorf("kept for good: %v", err)
		}
		v.save(t, patrol.Effects{Late: []patrol.Fix{old[0]}}) // its day comes back
		if got := read(); len(got) != len(left)+1 {
			t.Errorf("%d fixes", len(got))
		}
	})
}

// TestDropCutShort leaves a day as a drop leaves it that was killed.
func TestDropCutShort(t *testing.T) {
	s := patrols(t, storetest.Postgres(t), 1)
	v := &saver{s: s}
	at := midnight.UnixMilli()
	v.save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, at), fixAt(1, at+dayMS)}})
	if _, err := s.writer.Exec(`ALTER TABLE fix DETACH PARTITION fix_20260302`); err != nil {
		t.Fatal(err)
	}
	reader, err := s.readers.Begin() // makes the next one wait, until it is given up
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Exec(`SELECT count(*) FROM fix`); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := s.fixes.drop(short, at+dayMS); err == nil {
		t.Fatal("a partition was dropped while it was read")
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	v.save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, at+1)}}) // the day comes back
	until(t, func() bool {                                        // the server gives up what was cancelled
		compacted(t, s, midnight)
		var left int
		if err := s.readers.QueryRow(`SELECT count(*) FROM pg_class WHERE relname ~ '^fix_[0-9]{8}$'`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		return left == 1
	})
	v.save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, at+dayMS+1)}})
	if got := fixesOf(t, s, 0, wholeTime[0], wholeTime[1]); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestCheckpoint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 1)
		tr := s.Tracks()
		if state, at, applied, err := tr.Checkpoint(t.Context()); state != nil || at != 0 || applied != 0 || err != nil {
			t.Errorf("at first: %v, %d, %d, %v", state, at, applied, err)
		}
		(&saver{s: s}).save(t, patrol.Effects{})
		for _, tt := range []struct {
			at   uint64
			want fault.Kind
			now  string
		}{{2, fault.Internal, "2"}, {3, fault.Internal, "3"}, {1, fault.Internal, "3"}, {4, fault.Invalid, "3"}} {
			err := tr.SaveCheckpoint(t.Context(), tt.at, fmt.Append(nil, tt.at))
			if fault.KindOf(err) != tt.want {
				t.Errorf("checkpoint %d: %v", tt.at, err)
			}
			state, at, applied, err := tr.Checkpoint(t.Context())
			if string(state) != tt.now || fmt.Sprint(at) != tt.now || applied != 3 || err != nil {
				t.Errorf("after checkpoint %d: %s, %d, %d, %v", tt.at, state, at, applied, err)
			}
		}
	})
}

// TestCompactBesideAll reads, enters, corrects and compacts at once, the last by
// two processes: whoever reads sees every fix once that was there when it began.
func TestCompactBesideAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		const units, rounds = 30, 60
		s := patrols(t, url, units)
		v := &saver{s: s}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 2 {
			other := open(t, url)
			wg.Go(func() {
				for ctx.Err() == nil {
					if err := other.Compact(ctx, midnight.Add(48*time.Hour)); err != nil && ctx.Err() == nil {
						t.Error(err)
						return
					}
				}
			})
		}
		var want int // units times rounds so far, and never less
		for round := range rounds {
			var e patrol.Effects
			for unit := range patrol.UnitID(units) {
				e.Kept = append(e.Kept, fixAt(unit+1, midnight.UnixMilli()+int64(round)*20_000))
			}
			v.save(t, e)
			want += units
			gone := e.Kept[round%units]
			for _, c := range []patrol.Correction{
				{Unit: gone.Unit, Withdrawn: []patrol.Refusal{{Unit: gone.Unit, At: gone.At, Received: gone.Received, Reason: patrol.Implausible, Fix: &gone}}},
				{Unit: gone.Unit, Released: []patrol.Fix{gone}},
			} {
				if err := s.Tracks().Correct(t.Context(), &c); err != nil {
					t.Fatal(err)
				}
				there := want - len(c.Withdrawn)
				if got := fixesOf(t, s, 0, midnight, midnight.Add(time.Hour)); len(got) != there || !slices.IsSortedFunc(got, byTime) {
					t.Fatalf("round %d: %d fixes, want %d", round, len(got), there)
				}
				if got := fixesOf(t, s, gone.Unit, midnight, midnight.Add(time.Hour)); len(got) != there/units+min(there%units, 1)*(1-len(c.Withdrawn)) && len(got) != round+1-len(c.Withdrawn) {
					t.Fatalf("round %d: %d fixes of unit %d", round, len(got), gone.Unit)
				}
			}
		}
		stop()
		wg.Wait()
	})
}

func TestFixesEndsWithItsFunction(t *testing.T) {
	s := patrols(t, storetest.SQLite(t), 1)
	(&saver{s: s}).save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, midnight.UnixMilli())}})
	stop := errors.New("stop")
	for _, unit := range []patrol.UnitID{0, 1} {
		err := s.Tracks().Fixes(t.Context(), unit, midnight, midnight.Add(time.Hour), func([]patrol.Fix) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
	}
}
