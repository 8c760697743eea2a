package patrol_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/partition"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// columns are grids 1 to n side by side, each a hundredth of a degree wide.
func columns(t testing.TB, n int) *locate.Index {
	t.Helper()
	const west, south, side = 1_212_000_000, 313_000_000, 100_000
	var shapes []partition.Shape
	var grids []grid.Grid
	for i := range int32(n) {
		at := func(dx, dy int32) geo.Coord { return geo.Coord{X: west + (i+dx)*side, Y: south + dy*side} }
		shapes = append(shapes, partition.Shape{ID: partition.FaceID(i + 1), Rings: []partition.Ring{{at(0, 0), at(1, 0), at(1, 1), at(0, 1)}}})
		grids = append(grids, grid.Grid{ID: grid.ID(i + 1), Code: fmt.Sprintf("G%d", i+1)})
	}
	p, err := partition.New(shapes)
	if err != nil {
		t.Fatal(err)
	}
	g, err := grid.New(1, grid.Source{Grids: grids, Partition: p})
	if err != nil {
		t.Fatal(err)
	}
	return locate.New(g)
}

type indexAt struct{ x *locate.Index }

func (i indexAt) At(int64) *locate.Index { return i.x }

// morning is when a shift begins, on the hour.
var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, grid.Zone)

// walks are the fixes of some units over some hours at whole seconds, some of
// them outside the district, some inaccurate, with silences.
func walks(r *rand.Rand, units, hours int) (fixes []patrol.Fix) {
	for u := range units {
		x := 1_212_000_000 + r.Int32N(400_000)
		for s := r.IntN(600); s < hours*3600; s += 5 + r.IntN(60) {
			if r.IntN(50) == 0 {
				s += 200 + r.IntN(300) // around SilentAfter
			}
			x += r.Int32N(12_001) - 6000
			f := patrol.Fix{Unit: patrol.UnitID(u + 1), At: morning.UnixMilli() + int64(s)*1000, Pos: geo.Coord{X: x, Y: 313_050_000}, AccuracyM: float32(r.IntN(20) * r.IntN(8)), SpeedMPS: -1, HeadingDeg: -1, BatteryPct: -1}
			f.Received = f.At
			fixes = append(fixes, f.Quantised())
		}
	}
	return fixes
}

// spentBySecond asks of every second of [from, to) where each unit was.
func spentBySecond(x *locate.Index, fixes []patrol.Fix, from, to time.Time) map[grid.ID]float64 {
	good := map[patrol.UnitID]map[int64]geo.Coord{}
	for _, f := range fixes {
		if f.AccuracyM <= 100 {
			if good[f.Unit] == nil {
				good[f.Unit] = map[int64]geo.Coord{}
			}
			good[f.Unit][f.At/1000] = f.Pos
		}
	}
	out := map[grid.ID]float64{}
	for _, at := range good {
		for s := from.Unix(); s < to.Unix(); s++ {
			last, next := int64(-1), int64(-1)
			for back := range int64(300) {
				if _, ok := at[s-back]; ok {
					last = s - back
					break
				}
			}
			for ahead := int64(1); ahead <= 300 && last >= 0; ahead++ {
				if _, ok := at[s+ahead]; ok {
					next = s + ahead
					break
				}
			}
			if last < 0 || next < 0 || next-last >= 300 {
				continue
			}
			if id := x.LocateCoord(at[last]); id != grid.None {
				out[id] += 1.0 / 3600
			}
		}
	}
	return out
}

// enterer enters fixes as a tracker does.
type enterer struct {
	s    *store.Store
	last uint64
}

func (e *enterer) save(t *testing.T, kept, late []patrol.Fix) {
	t.Helper()
	e.last++
	if _, err := e.s.Tracks().Save(t.Context(), &patrol.Effects{First: e.last, Last: e.last, Kept: kept, Late: late}); err != nil {
		t.Fatal(err)
	}
}

var asHours = cmpopts.EquateApprox(0, 1e-9)

// TestTimesheet holds what is kept against a count of every second, on both
// databases, as fixes come in order, late, and are withdrawn, and while two
// processes reckon.
func TestTimesheet(t *testing.T) {
	each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		s := database(t, url, 6)
		x := columns(t, 4)
		const hours = 3
		now := func() time.Time { return morning.Add(hours * time.Hour) }
		one, two := patrol.NewTimesheet(s.Tracks(), indexAt{x}, 0, now), patrol.NewTimesheet(reopen(t, url).Tracks(), indexAt{x}, 0, now)
		if spent, since, until := one.Spent(morning, now()); spent != nil || since != until {
			t.Errorf("before anything was reckoned: %v from %v to %v", spent, since, until)
		}
		r := rand.New(rand.NewPCG(1, 2))
		all := walks(r, 6, hours)
		var kept, late []patrol.Fix
		for _, f := range all {
			if r.IntN(5) == 0 {
				late = append(late, f)
			} else {
				kept = append(kept, f)
			}
		}
		check := func(what string, fixes []patrol.Fix) {
			t.Helper()
			for _, sheet := range []*patrol.Timesheet{one, two, one} { // what the other reckoned is taken in
				if err := sheet.Reckon(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, sheet := range []*patrol.Timesheet{one, two} {
				for _, w := range [][2]int{{0, 3}, {1, 2}, {2, 3}} {
					from, to := morning.Add(time.Duration(w[0])*time.Hour), morning.Add(time.Duration(w[1])*time.Hour)
					got, since, until := sheet.Spent(from, to)
					if d := cmp.Diff(spentBySecond(x, fixes, from, to), got, asHours); d != "" {
						t.Errorf("%s, hours %v (-by the second +got):\n%s", what, w, d)
					}
					if !since.Equal(from) || !until.Equal(to) {
						t.Errorf("%s: known from %v to %v", what, since, until)
					}
				}
			}
		}
		e := &enterer{s: s}
		half := len(kept) / 2
		e.save(t, kept[:half], nil)
		check("the first half", kept[:half])
		e.save(t, kept[half:], nil)
		check("in order", kept)
		e.save(t, nil, late)
		check("with the late ones", all)
		e.save(t, nil, late[:10])
		check("late ones again", all)
		gone := map[int64]bool{}
		c := &patrol.Correction{Unit: 1}
		var left []patrol.Fix
		for i := range all {
			if f := all[i]; f.Unit == 1 && r.IntN(4) == 0 && !gone[f.At] {
				gone[f.At] = true
				c.Withdrawn = append(c.Withdrawn, patrol.Refusal{Unit: 1, At: f.At, Received: f.Received, Reason: patrol.Implausible, Fix: &f})
				continue
			}
			left = append(left, all[i])
		}
		if err := s.Tracks().Correct(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		check("without those that were withdrawn", left)
		// A process that begins now knows it all without reckoning.
		three := patrol.NewTimesheet(reopen(t, url).Tracks(), indexAt{nil}, 0, now)
		if err := three.Reckon(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, _, _ := three.Spent(morning, now())
		if d := cmp.Diff(spentBySecond(x, left, morning, now()), got, asHours); d != "" {
			t.Errorf("after a restart (-by the second +got):\n%s", d)
		}
	})
}

// TestPutHourRaces: what was read earlier never takes the place of what was
// read later, and an hour whose fixes changed meanwhile stays due.
func TestPutHourRaces(t *testing.T) {
	each(t, func(t *testing.T, fresh func() string) {
		s := database(t, fresh(), 1)
		tracks, e := s.Tracks(), &enterer{s: s}
		save := func(second int) {
			e.save(t, []patrol.Fix{(patrol.Fix{Unit: 1, At: morning.UnixMilli() + int64(1000+second)*1000, Pos: geo.Coord{X: 1_212_050_000, Y: 313_050_000}}).Quantised()}, nil)
		}
		due := func() patrol.HourMark {
			t.Helper()
			all, err := tracks.DueHours(t.Context())
			if err != nil || len(all) > 1 {
				t.Fatal(all, err)
			}
			if len(all) == 0 {
				return patrol.HourMark{}
			}
			return all[0]
		}
		put := func(m patrol.HourMark, seconds uint32) {
			t.Helper()
			if err := tracks.PutHour(t.Context(), m, []patrol.GridTime{{Grid: 1, Seconds: seconds}}); err != nil {
				t.Fatal(err)
			}
		}
		holds := func() uint32 {
			t.Helper()
			var got uint32
			if _, err := tracks.Hours(t.Context(), 0, func(h patrol.HourTime) error { got = h.Grids[0].Seconds; return nil }); err != nil {
				t.Fatal(err)
			}
			return got
		}
		save(1)
		first := due()
		if first.Hour != morning.Unix()/3600 {
			t.Fatalf("due is %+v", first)
		}
		save(2)
		second := due()
		put(second, 22)
		put(first, 11)
		if due() != (patrol.HourMark{}) || holds() != 22 {
			t.Errorf("the older one came last: %d s, due %+v", holds(), due())
		}
		save(3)
		third := due()
		save(4)
		put(third, 33)
		if due().Mark <= third.Mark || holds() != 33 {
			t.Errorf("changed meanwhile: %d s, due %+v", holds(), due())
		}
		put(second, 22)
		if holds() != 33 {
			t.Error("long ago counts")
		}
		if err := tracks.PutHour(t.Context(), due(), nil); err != nil || holds() != 33 || due() != (patrol.HourMark{}) {
			t.Errorf("left as it is: %d s, due %+v, %v", holds(), due(), err)
		}
	})
}

// TestHoursWithoutTracks: an hour whose tracks may be gone keeps what it came
// to, whatever comes in late.
func TestHoursWithoutTracks(t *testing.T) {
	s, x := database(t, "sqlite:"+t.TempDir()+"/x.db", 1), columns(t, 1)
	at := morning.Add(time.Hour)
	sheet := patrol.NewTimesheet(s.Tracks(), indexAt{x}, 24*time.Hour, func() time.Time { return at })
	e := &enterer{s: s}
	fix := func(seconds int) patrol.Fix {
		return (patrol.Fix{Unit: 1, At: morning.UnixMilli() + int64(seconds)*1000, Pos: geo.Coord{X: 1_212_050_000, Y: 313_050_000}}).Quantised()
	}
	e.save(t, []patrol.Fix{fix(600), fix(700)}, nil)
	spent := func() float64 {
		t.Helper()
		if err := sheet.Reckon(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, _, _ := sheet.Spent(morning, morning.Add(time.Hour))
		return math.Round(got[1] * 3600)
	}
	if got := spent(); got != 100 {
		t.Errorf("%v s", got)
	}
	e.save(t, nil, []patrol.Fix{fix(760)})
	at = at.Add(25 * time.Hour)
	if got := spent(); got != 100 {
		t.Errorf("from tracks that may be gone: %v s", got)
	}
	if due, err := s.Tracks().DueHours(t.Context()); err != nil || len(due) > 0 {
		t.Errorf("still due: %v, %v", due, err)
	}
}

// TestSpentOfPartOfAnHour: a window that cuts an hour gets its share, and of
// the hour that runs the share of what has passed.
func TestSpentOfPartOfAnHour(t *testing.T) {
	s, x := database(t, "sqlite:"+t.TempDir()+"/x.db", 1), columns(t, 1)
	now := morning.Add(90 * time.Minute)
	sheet := patrol.NewTimesheet(s.Tracks(), indexAt{x}, 0, func() time.Time { return now })
	e := &enterer{s: s}
	var fixes []patrol.Fix
	for second := 0; second <= 90*60; second += 60 {
		fixes = append(fixes, (patrol.Fix{Unit: 1, At: morning.UnixMilli() + int64(second)*1000, Pos: geo.Coord{X: 1_212_050_000, Y: 313_050_000}}).Quantised())
	}
	e.save(t, fixes, nil)
	if err := sheet.Reckon(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, to, want, since, until int }{ // minutes
		{0, 60, 60, 0, 60},
		{-600, 60, 60, 0, 60}, // nobody knows before the first hour
		{15, 45, 30, 15, 45},
		{60, 90, 30, 60, 90},
		{75, 600, 15, 75, 90},
		{30, 75, 45, 30, 75},
		{90, 200, 0, 90, 90},
	} {
		minute := func(n int) time.Time { return morning.Add(time.Duration(n) * time.Minute) }
		got, since, until := sheet.Spent(minute(tt.from), minute(tt.to))
		if math.Abs(got[1]*60-float64(tt.want)) > 1e-9 || !since.Equal(minute(tt.since)) || !until.Equal(minute(tt.until)) {
			t.Errorf("minutes %d to %d: %v, from %v to %v", tt.from, tt.to, got[1]*60, since, until)
		}
	}
}
