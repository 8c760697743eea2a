package patrol

import (
	"cmp"
	"slices"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Cover is how one grid is covered at a moment.
type Cover struct {
	Grid     grid.ID
	Street   string // code
	Present  int    // units online and confirmed in it
	Assigned int    // units on duty that it is assigned to
	// Swept is the share of it, [0, 1], that somebody passed within 30 m since
	// the shift began of those assigned to it who are on duty, the earliest,
	// but OwedAutonomous ago at most; where nobody is, since then.
	Swept float64
	// Visited is the last confirmed visit: now, while somebody is present;
	// zero when none is known.
	Visited time.Time
	// Debt is how much longer than it is owed the grid has gone without a
	// visit; 0 for none. Where none is known, it counts from the first fix.
	Debt time.Duration
}

// Coverage is how the grids in force at now are covered, in the order of their
// generation's Grids; nil when no borders are in force.
func (t *Tracker) Coverage(now time.Time) []Cover {
	ms := now.UnixMilli()
	x := t.bounds.At(ms)
	if x == nil {
		return nil
	}
	staff, gen := t.staff(), x.Generation()
	t.mu.RLock()
	for t.sweep.gen != gen { // somebody may lay it out otherwise meanwhile
		t.mu.RUnlock()
		t.mu.Lock()
		t.sweep.layOut(x)
		t.mu.Unlock()
		t.mu.RLock()
	}
	defer t.mu.RUnlock()
	out := make([]Cover, len(gen.Grids()))
	visited, since := make([]int64, len(out)), make([]int64, len(out))
	for i, g := range gen.Grids() {
		out[i] = Cover{Grid: g.ID, Street: g.Street}
		visited[i] = t.visits[g.ID]
	}
	for i := range staff.units {
		unit := &staff.units[i]
		s := t.state(staff, unit.ID, ms)
		t.visit(gen, s, ms, out, visited)
		if s.Presence == OffDutyNow {
			continue
		}
		from, _, _ := staff.shift(unit.ID, ms)
		from = max(from, ms-t.settings.OwedAutonomous.Milliseconds())
		for _, id := range unit.Grids {
			if place, ok := gen.Place(id); ok {
				out[place].Assigned++
				if since[place] == 0 || from < since[place] {
					since[place] = from
				}
			}
		}
	}
	for i := range since {
		if since[i] == 0 {
			since[i] = ms - t.settings.OwedAutonomous.Milliseconds()
		}
	}
	for i, share := range t.sweep.shares(since) {
		out[i].Swept = share
		t.owe(&out[i], gen.Grids()[i].Kind, visited[i], now)
	}
	return out
}

// visit counts a unit in the grid where it is, or was last.
func (t *Tracker) visit(gen *grid.Generation, s State, now int64, out []Cover, visited []int64) {
	if int(s.Unit) >= len(t.units) {
		return
	}
	u := &t.units[s.Unit]
	place, ok := gen.Place(u.course.grid)
	if !ok {
		return
	}
	if s.Presence == Online {
		out[place].Present++
		visited[place] = max(visited[place], now)
		return
	}
	visited[place] = max(visited[place], u.last.At)
}

// owe reckons c's debt from its last visit, in Unix milliseconds, 0 for none.
func (t *Tracker) owe(c *Cover, kind grid.Kind, visited int64, now time.Time) {
	owed := t.settings.OwedUrban
	if kind == grid.Autonomous {
		owed = t.settings.OwedAutonomous
	}
	since := t.began
	if visited > 0 {
		since = visited
		c.Visited = time.UnixMilli(visited).UTC()
	}
	if since > 0 {
		c.Debt = max(0, now.Sub(time.UnixMilli(since))-owed)
	}
}

// Relief is a unit that could visit a grid in debt.
type Relief struct {
	Unit      UnitID
	Grid      grid.ID
	DistanceM float64       // from the unit to a point well inside the grid
	Travel    time.Duration // at the usual speed of its kind
	// Clears is how much of the grid's debt it clears: all there is, less what
	// accrues on its way.
	Clears time.Duration
}

// usualMPS is how fast a unit goes where it is sent: on foot, by bicycle, by
// car in a town.
var usualMPS = map[Kind]float64{GridPatrol: 1.4, MobilePatrol: 4, Vehicle: 8}

// Reliefs are, for each grid in debt, at most each of the units that clear
// most of it, the best first; the grids are those of cover, as Coverage made
// it at now, with the greatest debt first.
func (t *Tracker) Reliefs(now time.Time, cover []Cover, each int) []Relief {
	x := t.bounds.At(now.UnixMilli())
	if x == nil {
		return nil
	}
	gen := x.Generation()
	idle := t.idle(now)
	debts := slices.Clone(cover)
	debts = slices.DeleteFunc(debts, func(c Cover) bool { return c.Debt == 0 })
	slices.SortStableFunc(debts, func(a, b Cover) int { return cmp.Compare(b.Debt, a.Debt) })
	staff := t.staff()
	var out []Relief
	for _, c := range debts {
		g, ok := gen.Grid(c.Grid)
		if !ok {
			continue
		}
		first := len(out)
		for i := range idle {
			unit, ok := staff.Unit(idle[i].Unit)
			if !ok {
				continue
			}
			r := Relief{Unit: unit.ID, Grid: c.Grid, DistanceM: geo.DistanceM(idle[i].Last.Pos.Point(), g.Label)}
			r.Travel = time.Duration(r.DistanceM / usualMPS[unit.Kind] * float64(time.Second))
			r.Clears = max(0, c.Debt-r.Travel)
			out = best(out, first, each, r)
		}
	}
	return out
}

// best puts r in its place among out[first:], which holds at most n.
func best(out []Relief, first, n int, r Relief) []Relief {
	order := func(a, b Relief) int {
		return cmp.Or(cmp.Compare(b.Clears, a.Clears), cmp.Compare(a.Travel, b.Travel), cmp.Compare(a.Unit, b.Unit))
	}
	at, _ := slices.BinarySearchFunc(out[first:], r, order)
	if at >= n {
		return out
	}
	out = slices.Insert(out, first+at, r)
	return out[:min(len(out), first+n)]
}

// idle are the states of the units that can be sent elsewhere: online, and not
// calling for help. The grid where one is has just been visited.
func (t *Tracker) idle(now time.Time) []State {
	return slices.DeleteFunc(t.States(now, nil), func(s State) bool { return s.Presence != Online || s.SOS })
}
