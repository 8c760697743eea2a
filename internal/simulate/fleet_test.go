package simulate

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/demo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
)

var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, grid.Zone)

// district is the demonstration district, made once.
var made = sync.OnceValues(func() (*locate.Index, error) {
	src, err := demo.Embedded()
	if err != nil {
		return nil, err
	}
	g, err := grid.New(1, src)
	if err != nil {
		return nil, err
	}
	return locate.New(g), nil
})

func district(t testing.TB) *locate.Index {
	t.Helper()
	x, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// crew is n units of the demonstration's staff, walking and driving: on duty
// from begin, but for a tenth that keep their roster.
func crew(t testing.TB, n int) []Unit {
	t.Helper()
	staff, err := demo.Patrols(district(t).Generation(), 1, max(n, 12))
	if err != nil {
		t.Fatal(err)
	}
	var out []Unit
	for i, u := range staff.Units {
		if u.Kind == patrol.Vehicle || len(out) == n {
			continue
		}
		duty := Always(begin)
		if i%10 == 9 {
			duty = func(after time.Time) Shift {
				sh := staff.Next(i, after)
				return Shift{From: sh.From, To: sh.To, Stationed: sh.Post == patrol.EmergencyPost}
			}
		}
		out = append(out, Unit{Code: u.Code, Street: u.Street, Grids: u.Grids, Drives: u.Kind == patrol.MobilePatrol, Duty: duty})
	}
	return out
}

func fleet(t testing.TB, n int, opt Options) *Fleet {
	t.Helper()
	if opt.Begin.IsZero() {
		opt.Begin = begin
	}
	if opt.Interval == 0 {
		opt.Interval = 5 * time.Second
	}
	f, err := NewFleet(district(t), crew(t, n), opt)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// until are all reports due before d has passed.
func until(f *Fleet, d time.Duration) (out []Report) {
	end := f.options.Begin.Add(d)
	for {
		if due, _ := f.Peek(); !due.Before(end) {
			return out
		}
		out = append(out, f.Next())
	}
}

func TestTheSameSeedMakesTheSameReports(t *testing.T) {
	run := func(seed uint64) []Report {
		return until(fleet(t, 60, Options{Seed: seed, Faults: UsualFaults, Truth: true}), time.Hour)
	}
	a, b, c := run(3), run(3), run(4)
	if !slices.Equal(a, b) {
		t.Error("the same seed made other reports")
	}
	if slices.Equal(a, c) {
		t.Error("two seeds made the same reports")
	}
	if len(a) < 60*600*8/10 {
		t.Errorf("%d reports of 60 units in an hour", len(a))
	}
}

// Looking every millisecond finds the same crossings, and no others.
func TestCrossingsAreThoseOfEveryMillisecond(t *testing.T) {
	f := fleet(t, 40, Options{Seed: 5, Truth: true})
	x, found := district(t), 0
	for _, m := range f.units {
		again := newWalker(f.roads, &m.Unit, 5, m.key, m.walker.shift)
		at := m.watch.Since
		for again.leg.to <= at {
			again.next()
		}
		end := at + (20 * time.Minute).Milliseconds()
		m.moveTo(end)
		var want []Crossing
		for now := x.LocateCoord(again.leg.at(at)); at <= end; at++ {
			for again.leg.to <= at {
				again.next()
			}
			if id := x.LocateCoord(again.leg.at(at)); id != now {
				want = append(want, Crossing{At: at, From: now, To: id, Known: at})
				now = id
			}
		}
		if diff := cmp.Diff(want, m.watch.Crossings); diff != "" {
			t.Fatalf("%s (-every millisecond +followed):\n%s", m.Code, diff)
		}
		found += len(want)
	}
	if found < 40 {
		t.Errorf("%d crossings by 40 units in 20 minutes: nothing much was tested", found)
	}
	t.Logf("%d crossings", found)
}

func TestNobodyIsFasterThanAllowed(t *testing.T) {
	f := fleet(t, 60, Options{Seed: 9})
	for _, m := range f.units {
		limit := fastWalkMPS
		if m.Drives {
			limit = fastDriveMPS
		}
		for last := m.walker.leg; last.to < begin.Add(time.Hour).UnixMilli(); {
			m.walker.next()
			l := m.walker.leg
			if l.a != last.b || l.from != last.to {
				t.Fatalf("%s jumps from %v to %v", m.Code, last.b, l.a)
			}
			d := f.roads.spot(l.a).distance(f.roads.spot(l.b))
			if v := d / float64(l.to-l.from) * 1000; v > limit*1.01+0.05 {
				t.Fatalf("%s moves %.1f m at %.2f m/s", m.Code, d, v)
			}
			last = l
		}
	}
}

// Whoever begins to watch later finds the unit where it was.
func TestAUnitIsWhereItWasWheneverTheWatchBegins(t *testing.T) {
	early := fleet(t, 30, Options{Seed: 2, Begin: begin})
	late := fleet(t, 30, Options{Seed: 2, Begin: begin.Add(time.Hour)})
	at := begin.Add(80 * time.Minute).UnixMilli()
	for i := range early.units {
		a, b := early.units[i], late.units[i]
		if a.walker.shift != b.walker.shift {
			continue
		}
		a.moveTo(at)
		b.moveTo(at)
		if p, q := a.walker.leg.at(at), b.walker.leg.at(at); p != q {
			t.Errorf("%s is at %v and %v", a.Code, p, q)
		}
	}
}

func BenchmarkFleet(b *testing.B) {
	for _, truth := range []bool{false, true} {
		name := map[bool]string{false: "positions", true: "truth"}[truth]
		b.Run(name, func(b *testing.B) {
			f := fleet(b, 1283, Options{Seed: 1, Faults: UsualFaults, Truth: truth})
			for b.Loop() {
				f.Next()
			}
		})
	}
}
