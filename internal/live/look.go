package live

import (
	"math"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// Looker is a Config.Look at what tracker knows, of the units of registry and
// the grids of atlas.
func Looker(registry *patrol.Registry, tracker *patrol.Tracker, atlas *grid.Atlas) func(time.Time) Picture {
	return looker(registry.Staff, tracker, func(now time.Time) *grid.Generation {
		gen, _ := atlas.At(now)
		return gen
	})
}

// looker looks at tracker, which follows staff by the borders of inForce, nil
// for none.
func looker(staff func() *patrol.Staff, tracker *patrol.Tracker, inForce func(time.Time) *grid.Generation) func(time.Time) Picture {
	var states []patrol.State // room for the next look
	return func(now time.Time) Picture {
		s := staff()
		states = tracker.States(now, states[:0])
		p := Picture{Roll: s.Revision(), Units: s.Units(), States: states, Grids: tracker.Coverage(now)}
		if gen := inForce(now); gen != nil {
			p.Generation = gen.Number()
		}
		return p
	}
}

// OriginOf is a good Origin for frames of gen, which may be nil: a round
// position south-west of it.
func OriginOf(gen *grid.Generation) geo.Coord {
	if gen == nil {
		return geo.Coord{}
	}
	round := func(deg float64) int32 { return int32(math.Floor(deg*100)) * (geo.UnitsPerDegree / 100) }
	return geo.Coord{X: round(gen.Bound().Min[0]), Y: round(gen.Bound().Min[1])}
}
