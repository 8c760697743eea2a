package simulate

import (
	"testing"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// One unit walks in grid 1, is in grid 2 from minute 10 on for ten minutes,
// and then in 1 again; what it passes is told by where its fixes are.
func TestJudge(t *testing.T) {
	f := fleet(t, 1, Options{Seed: 1, Truth: true})
	x := district(t)
	inside := func(id grid.ID) geo.Coord {
		g, _ := x.Generation().Grid(id)
		c, err := geo.Quantise(g.Label)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	minute := func(m float64) int64 { return begin.Add(time.Duration(m * float64(time.Minute))).UnixMilli() }
	out, back := Crossing{At: minute(10), From: 1, To: 2, Known: minute(10)}, Crossing{At: minute(20), From: 2, To: 1, Known: minute(20)}
	settled := Crossing{At: minute(10), From: 1, To: 2, Known: minute(11)}
	m := f.units[0]
	m.truths = []*Truth{{Shift: m.walker.shift, First: 1, Since: minute(0), Until: minute(60),
		Crossings: []Crossing{out, back}, Settled: []Crossing{settled, {At: minute(20), From: 2, To: 1, Known: minute(21)}}}}
	var sent []sending
	for s := 0.0; s < 60; s += 0.25 {
		id := grid.ID(1)
		if s >= 10 && s < 20 {
			id = 2
		}
		sent = append(sent, sending{taken: minute(s), truly: inside(id), answered: true})
	}
	event := func(at float64, from, to grid.ID) Crossing {
		return Crossing{At: minute(at), From: from, To: to, Known: minute(at)}
	}
	for _, tt := range []struct {
		name   string
		events []Crossing
		want   Crossings
	}{
		{"all told", []Crossing{event(10.1, 1, 2), event(20.1, 2, 1)}, Crossings{Events: 2}},
		{"told a little early", []Crossing{event(9.6, 1, 2), event(20, 2, 1)}, Crossings{Events: 2}},
		{"nothing told", nil, Crossings{MissedTrue: 2, MissedSettled: 2}},
		{"never left", []Crossing{event(10, 1, 2), event(20, 2, 1), event(30, 1, 2)}, Crossings{Events: 3, False: 1}},
		{"far from the grid entered", []Crossing{event(10, 1, 9), event(20, 9, 1)}, Crossings{Events: 2, False: 1, MissedTrue: 1, MissedSettled: 1}},
		{"the first grid of the shift is no crossing", []Crossing{event(0, grid.None, 1), event(10, 1, 2), event(20, 2, 1)}, Crossings{Events: 2}},
		{"confirmed late", []Crossing{{At: minute(8), From: 1, To: 2, Known: minute(10.2)}, event(20, 2, 1)}, Crossings{Events: 2, MissedTrue: 1, MissedSettled: 1}},
	} {
		tt.want.True, tt.want.Settled, tt.want.Seen = 2, 2, 2
		if got := f.judge(m, tt.events, sent); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
	few := f.judge(m, nil, sent[:2])
	if few.Seen != 0 || few.MissedSettled != 0 || few.MissedTrue != 2 {
		t.Errorf("without fixes: %+v, want nothing to be seen", few)
	}
}

func TestScoreTellsLostDoubledAndAccused(t *testing.T) {
	f := fleet(t, 1, Options{Seed: 1, Truth: true})
	reports := until(f, 3*time.Minute)
	r := asRecord(f, reports[:len(reports)-1])
	r.made(&reports[len(reports)-1])
	got := Concluded{Kept: make(map[int64]int), Caught: make(map[int64]bool)}
	for i, p := range reports[:len(reports)-1] {
		switch i {
		case 0:
		case 1:
			got.Kept[p.At] = 2
		case 2:
			got.Caught[p.At] = true
		default:
			got.Kept[p.At] = 1
		}
	}
	s := f.Score(r, []Concluded{got})
	n := len(reports) - 1
	if s.Sent != n || s.Unsent != 1 || s.Fixes != n || s.Lost != 1 || s.Doubled != 1 || s.Accused != 1 || s.Found != n-3 {
		t.Errorf("%+v of %d reports", s, len(reports))
	}
}
