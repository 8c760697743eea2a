// Package livetest has a town whose patrols move at random, and a screen that
// reads the frames which show them: written from docs/live.md, apart from the
// code that makes the frames.
package livetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/live"
	"lianqin/internal/patrol"
)

// Town is a small district whose patrols move at random: what a Hub looks at.
// It is safe for concurrent use.
type Town struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	units  []patrol.Unit
	states []patrol.State
	grids  []patrol.Cover
	roll   int64
	gen    int
}

// Origin is what positions of a Town count from.
var Origin = geo.Coord{X: 1_211_200_000, Y: 312_400_000}

// New has n units in 4 streets, S0 to S3, of 8 grids each, 1 to 32.
func New(n int) *Town {
	t := &Town{rnd: rand.New(rand.NewPCG(1, 2)), roll: 1, gen: 1}
	for i := range 32 {
		t.grids = append(t.grids, patrol.Cover{Grid: grid.ID(i + 1), Street: fmt.Sprint("S", i/8), Assigned: 3})
	}
	for i := range n {
		g := t.grids[i%len(t.grids)]
		t.units = append(t.units, patrol.Unit{ID: patrol.UnitID(i + 1), Code: fmt.Sprint("U", i), Name: "王五", Street: g.Street, Grids: []grid.ID{g.Grid}})
		t.states = append(t.states, patrol.State{Unit: patrol.UnitID(i + 1)})
	}
	return t
}

// Look is what a Hub looks at.
func (t *Town) Look(now time.Time) live.Picture {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := live.Picture{Roll: t.roll, Units: t.units, Generation: t.gen, Grids: append([]patrol.Cover(nil), t.grids...)}
	p.States = append(p.States, t.states...)
	return p
}

// Stir moves about share of the units, and lets some begin or end their
// shifts, fall silent and call for help.
func (t *Town) Stir(now time.Time, share float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.states {
		if t.rnd.Float64() >= share {
			continue
		}
		s := &t.states[i]
		switch r := t.rnd.IntN(100); {
		case r == 0:
			*s = patrol.State{Unit: s.Unit}
		case r == 1:
			*s = patrol.State{Unit: s.Unit, Presence: patrol.Unheard}
		case r == 2 && s.Presence == patrol.Online:
			s.Presence = patrol.Silent
		default:
			s.Presence = patrol.Online
			s.SOS = r == 3
			s.Last = patrol.Fix{Unit: s.Unit, At: now.UnixMilli() - t.rnd.Int64N(3000), AccuracyM: t.rnd.Float32() * 30,
				Pos:      geo.Coord{X: Origin.X + t.rnd.Int32N(4_000_000), Y: Origin.Y + t.rnd.Int32N(3_000_000)},
				SpeedMPS: t.rnd.Float32()*3 - .5, HeadingDeg: t.rnd.Float32() * 360, BatteryPct: int8(t.rnd.IntN(101))}
			if s.Raw = grid.ID(t.rnd.IntN(len(t.grids) + 1)); t.rnd.IntN(10) == 0 {
				s.Grid, s.Since = s.Raw, s.Last.At
			}
		}
		if g := &t.grids[t.rnd.IntN(len(t.grids))]; t.rnd.IntN(20) == 0 {
			g.Present, g.Visited, g.Swept = t.rnd.IntN(4), now, t.rnd.Float64()
		}
	}
}

// Edit changes whose business some unit is.
func (t *Town) Edit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.units = append([]patrol.Unit(nil), t.units...)
	u, g := &t.units[t.rnd.IntN(len(t.units))], t.grids[t.rnd.IntN(len(t.grids))]
	u.Street, u.Grids = g.Street, []grid.ID{g.Grid}
	t.roll++
}

// Want is what a Screen of s must show, as far as it is known without frames.
func (t *Town) Want(s live.Scope) *Screen {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &Screen{Units: map[int64]Row{}, Grids: map[int64]Row{}}
	for i, st := range t.states {
		u := t.units[i]
		if s.Street != "" && u.Street != s.Street || s.Grid != 0 && u.Grids[0] != s.Grid || st.Presence == patrol.OffDutyNow {
			continue
		}
		out.Units[int64(u.ID)] = wantUnit(&st)
	}
	for _, g := range t.grids {
		if s.Street != "" && g.Street != s.Street || s.Grid != 0 && g.Grid != s.Grid {
			continue
		}
		out.Grids[int64(g.Grid)] = Row{"grid": int64(g.Grid), "present": int64(g.Present), "assigned": int64(g.Assigned)}
	}
	return out
}

func wantUnit(st *patrol.State) Row {
	if st.Presence == patrol.Unheard {
		return nil
	}
	row := Row{"unit": int64(st.Unit), "presence": int64(st.Presence), "flags": 0, "at": st.Last.At,
		"x": int64(st.Last.Pos.X+50)/100 - int64(Origin.X)/100, "y": int64(st.Last.Pos.Y+50)/100 - int64(Origin.Y)/100,
		"battery": int64(st.Last.BatteryPct), "grid": int64(st.Grid), "raw": int64(st.Raw)}
	if st.SOS {
		row["flags"] = 1
	}
	if st.Grid != 0 {
		row["since"] = st.Since
	}
	return row
}
