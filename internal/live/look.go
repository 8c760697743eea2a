package live

import (
	"time"

	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// Looker is a Config.Look at what tracker knows, of the units of registry and
// the grids of atlas.
func Looker(registry *patrol.Registry, tracker *patrol.Tracker, atlas *grid.Atlas) func(time.Time) Picture {
	var states []patrol.State // room for the next look
	return func(now time.Time) Picture {
		staff := registry.Staff()
		states = tracker.States(now, states[:0])
		p := Picture{Roll: staff.Revision(), Units: staff.Units(), States: states}
		if gen, ok := atlas.At(now); ok {
			p.Generation = gen.Number()
			for _, c := range tracker.Coverage(now) {
				p.Grids = append(p.Grids, Grid{ID: c.Grid, Street: c.Street, Present: c.Present, Assigned: c.Assigned, Swept: c.Swept, Visited: c.Visited, Debt: c.Debt})
			}
		}
		return p
	}
}
