package patrol

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// replayed is a replay of a town of 3 by 3 with units 1 to n.
func replayed(t testing.TB, n int, fixes ...Fix) *Tracker {
	t.Helper()
	r := NewReplay(crew(t, n), always{town(t, 1, 3)}, Settings{})
	r.Feed(fixes)
	return r
}

func TestPresence(t *testing.T) {
	before := seen(1, -3600, 500, 500, 5) // of no shift
	for _, tt := range []struct {
		name  string
		fixes []Fix
		now   float64
		want  Presence
		shown bool
	}{
		{"nothing heard yet", nil, 60, Unheard, false},
		{"before the shift", []Fix{before}, -1, OffDutyNow, false},
		{"long before the shift", []Fix{before}, -3000, OffDutyNow, false},
		{"at its first instant", []Fix{before}, 0, Unheard, false},
		{"heard", []Fix{seen(1, 10, 500, 500, 5)}, 10, Online, true},
		{"for just under five minutes", []Fix{seen(1, 10, 500, 500, 5)}, 309.999, Online, true},
		{"for five minutes", []Fix{seen(1, 10, 500, 500, 5)}, 310, Silent, true},
		{"in its last instant", []Fix{seen(1, 8*3600-10, 500, 500, 5)}, 8*3600 - 0.001, Online, true},
		{"when it ends", []Fix{seen(1, 8*3600-10, 500, 500, 5)}, 8 * 3600, OffDutyNow, false},
	} {
		r := replayed(t, 1, tt.fixes...)
		got, err := r.State(1, time.UnixMilli(at(tt.now)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Presence != tt.want || (got.Last.At != 0) != tt.shown || (got.Grid != 0) != tt.shown {
			t.Errorf("%s: got %v, %+v", tt.name, got.Presence, got)
		}
		states := r.States(time.UnixMilli(at(tt.now)), nil)
		if want := tt.want != OffDutyNow; (len(states) == 1) != want {
			t.Errorf("%s: %d states", tt.name, len(states))
		} else if want && cmp.Diff(got, states[0]) != "" {
			t.Errorf("%s: one %+v, of all %+v", tt.name, got, states[0])
		}
	}
	if _, err := replayed(t, 1).State(2, eight); err == nil {
		t.Error("an unknown unit has a state")
	}
}

func TestAReplayShowsWhoReportedBeforeTheRosterReaches(t *testing.T) {
	r := replayed(t, 2, seen(1, -3600, 500, 500, 5), seen(1, -3590, 500, 500, 5))
	for _, tt := range []struct {
		now  float64
		want int
	}{{-3600, 1}, {-3300, 1}, {-3291, 1}, {-3290, 0}} {
		if got := r.States(time.UnixMilli(at(tt.now)), nil); len(got) != tt.want || tt.want == 1 && (got[0].Presence != Online || got[0].Grid != 1) {
			t.Errorf("at %v: %+v", tt.now, got)
		}
	}
}

func TestCoverage(t *testing.T) {
	const hour = 3600
	r := replayed(t, 3,
		seen(1, 0, 500, 500, 5), seen(2, 0, gridM+500, 500, 5), // 1 in its grid, 2 in its own
		seen(2, 600, gridM+500, 500, 5),
		seen(2, 1200, 500, 500, 5), seen(2, 1201, 500, 500, 5), // then with 1
		seen(1, 5*hour, 500, 500, 5)) // who stays
	now := time.UnixMilli(at(5 * hour))
	cover := r.Coverage(now)
	type row struct {
		Present, Assigned int
		Visited, Debt     time.Duration // after eight; -1 is never
	}
	got := make(map[grid.ID]row)
	for _, c := range cover {
		v := time.Duration(-1)
		if !c.Visited.IsZero() {
			v = c.Visited.Sub(eight)
		}
		got[c.Grid] = row{c.Present, c.Assigned, v, c.Debt}
	}
	want := map[grid.ID]row{
		1: {1, 1, 5 * time.Hour, 0},                                             // 2 is silent since
		2: {0, 1, 20 * time.Minute, 5*time.Hour - 20*time.Minute - 2*time.Hour}, // left by the first fix in 1
		3: {0, 1, -1, 3 * time.Hour},                                            // its unit was never heard
	}
	for id := grid.ID(4); id <= 9; id++ {
		want[id] = row{0, 0, -1, 3 * time.Hour}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	reliefs := r.Reliefs(now, cover, 2)
	if len(reliefs) != 8 {
		t.Fatalf("%d reliefs: %+v", len(reliefs), reliefs)
	}
	first := reliefs[0]
	if first.Unit != 1 || first.Grid != 3 || math.Abs(first.DistanceM-2*gridM) > 60 || first.Clears != 3*time.Hour-first.Travel {
		t.Errorf("%+v", first)
	}
}

func TestReliefsAreRankedByWhatTheyClear(t *testing.T) {
	staff := crew(t, 4)
	staff.units[2].Kind = Vehicle
	r := NewReplay(staff, always{town(t, 1, 3)}, Settings{})
	r.Feed([]Fix{
		seen(1, 5*3600, gridM*1.5, gridM*2.5, 5),    // beside grid 9
		seen(2, 5*3600, gridM*0.5, gridM*0.5, 5),    // far from it
		seen(3, 5*3600, gridM*0.4, gridM*0.5, 5),    // further, and drives
		seen(4, 5*3600-1, gridM*2.5, gridM*0.5, 5)}) // calls for help
	r.units[4].sos = true
	r.began = at(0)
	now := time.UnixMilli(at(5 * 3600))
	var got []UnitID
	for _, relief := range r.Reliefs(now, r.Coverage(now), 5) {
		if relief.Grid == 9 {
			got = append(got, relief.Unit)
		}
	}
	if diff := cmp.Diff([]UnitID{3, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
}

// TestSwept walks up and down a grid in lanes of 40 m, and through another
// once.
func TestSwept(t *testing.T) {
	r := replayed(t, 9)
	seconds := 0.0
	for lane := 20.0; lane < gridM; lane += 40 {
		for north := 5.0; north < gridM*1.2; north += 10 {
			seconds += 2
			r.Feed([]Fix{seen(1, seconds, lane, north, 5)})
		}
	}
	for north := 5.0; north < gridM; north += 100 { // a fix every 10 s is a line, too
		seconds += 10
		r.Feed([]Fix{seen(2, seconds, gridM*1.5, north, 5)})
	}
	cover := r.Coverage(time.UnixMilli(at(seconds)))
	if got := cover[0].Swept; got < 0.95 {
		t.Errorf("walked up and down: %.2f", got)
	}
	if got, want := cover[1].Swept, 45/gridM; math.Abs(got-want) > want {
		t.Errorf("walked through: %.3f, want about %.3f", got, want)
	}
	if got := cover[8].Swept; got != 0 {
		t.Errorf("never seen: %.2f", got)
	}
	if got := r.Coverage(time.UnixMilli(at(9*3600 + seconds)))[0].Swept; got != 0 {
		t.Errorf("nine hours later: %.2f", got)
	}
}

// TestSweptOutlivesNewBorders has the same cells in other grids.
func TestSweptOutlivesNewBorders(t *testing.T) {
	var s sweep
	small, large := town(t, 1, 2), town(t, 2, 3)
	s.layOut(small)
	for east := 10.0; east < 2*gridM; east += 20 {
		f := seen(1, east, east, 500, 5)
		s.pass(nil, &f)
	}
	before := s.shares(make([]int64, 4))
	s.layOut(large)
	after := s.shares(make([]int64, 9))
	if before[0] == 0 || math.Abs(before[0]-after[0]) > 0.01 || math.Abs(before[1]-after[1]) > 0.01 || after[8] != 0 {
		t.Errorf("before %v, after %v", before, after)
	}
}

// turning are borders that change with every question.
type turning struct {
	x []*locate.Index
	n *atomic.Int64
}

func (b turning) At(int64) *locate.Index { return b.x[int(b.n.Add(1))%len(b.x)] }

// TestLookingWhileBordersChange is for the race detector: everything is looked
// at while fixes are applied and borders change.
func TestLookingWhileBordersChange(t *testing.T) {
	tr := applying(t, 5)
	tr.bounds = turning{[]*locate.Index{town(t, 1, 3), town(t, 2, 2)}, new(atomic.Int64)}
	entries := reports(9, 5)[:100]
	var looking sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		looking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				now := time.UnixMilli(at(600))
				if n := len(tr.Coverage(now)); n != 9 && n != 4 {
					t.Errorf("%d grids", n)
				}
				tr.States(now, nil)
				tr.Stats()
			}
		})
	}
	for i, e := range entries {
		tr.gate.Lock()
		tr.apply(uint64(i+1), [][]byte{e})
		tr.checkpoint(eight)
		tr.gate.Unlock()
	}
	close(done)
	looking.Wait()
}
