package live

import (
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// change is what happened between two moments: worked out once, and then said
// to every scope.
type change struct {
	before, now *moment
	all         bool            // the two cannot be compared row by row: say everything
	units       []patrol.UnitID // whose rows differ
	grids       []int
	events      []event
}

// event is one thing that happened to a unit, worth showing.
type event struct {
	kind     int
	unit     patrol.UnitID
	at       int64 // Unix ms
	from, to grid.ID
}

// The codes of events in frames.
const (
	eventCrossed = 1 + iota
	eventSilent
	eventBack
	eventSOS
	eventDatum
)

func compare(before, now *moment) *change {
	c := &change{before: before, now: now, all: !now.likens(before)}
	for i := range max(len(before.units), len(now.units)) {
		unit := patrol.UnitID(i)
		a, b := before.unit(unit), now.unit(unit)
		if *a == *b {
			continue
		}
		c.units = append(c.units, unit)
		c.notice(unit, a, b)
	}
	if c.all {
		return c
	}
	for i := range now.grids {
		if now.grids[i] != before.grids[i] {
			c.grids = append(c.grids, i)
		}
	}
	return c
}

var unshown unitRow

func (m *moment) unit(id patrol.UnitID) *unitRow {
	if int(id) < len(m.units) {
		return &m.units[id]
	}
	return &unshown
}

func (r *unitRow) placed() bool { return r.presence == patrol.Online || r.presence == patrol.Silent }

// notice adds the events that unit's row tells of by going from a to b.
func (c *change) notice(unit patrol.UnitID, a, b *unitRow) {
	if !b.placed() {
		return
	}
	if a.grid != b.grid {
		c.events = append(c.events, event{eventCrossed, unit, b.since, a.grid, b.grid})
	}
	add := func(kind int, at int64) { c.events = append(c.events, event{kind, unit, at, b.grid, b.grid}) }
	switch {
	case b.presence == patrol.Silent && a.presence == patrol.Online:
		add(eventSilent, b.at+patrol.SilentAfter.Milliseconds())
	case b.presence == patrol.Online && a.presence == patrol.Silent:
		add(eventBack, b.at)
	}
	rose := b.flags &^ a.flags
	if rose&flagSOS != 0 {
		add(eventSOS, b.at)
	}
	if rose&flagDatum != 0 {
		add(eventDatum, b.at)
	}
}
