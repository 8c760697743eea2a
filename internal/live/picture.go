package live

import (
	"cmp"
	"math"
	"slices"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// Picture is all there is to show at a moment. A Hub changes none of its
// slices, and keeps none beyond the next Picture but Units.
type Picture struct {
	Roll       int64         // revision of the roll that Units are of
	Units      []patrol.Unit // by ID: whose business each unit is; kept until Roll changes
	Generation int           // number of the boundaries in force; 0 for none
	States     []patrol.State
	Grids      []patrol.Cover // always in the same order, while Generation is the same
}

// Scope is what a reader may see: the zero Scope the whole district, Street
// its units and grids, Grid one grid and the units that it is assigned to.
type Scope struct {
	Street string
	Grid   grid.ID
}

// moment is a Picture in the units of frames. It never changes.
type moment struct {
	seq        uint64
	at         int64 // Unix ms
	roll       int64
	generation int
	units      []unitRow // by UnitID; the zero row is a unit that is not shown
	grids      []gridRow
	business   *business
}

// unitRow is what frames say of a unit; equal rows need no saying again.
type unitRow struct {
	at, since int64 // Unix ms
	x, y      int32
	accuracy  int32
	speed     int32
	grid, raw grid.ID
	heading   int16
	presence  patrol.Presence
	flags     uint8
	battery   int8
}

// gridRow is what frames say of a grid.
type gridRow struct {
	id                grid.ID
	present, assigned int32
	unvisited, debt   int32
	swept             int8
}

// business is whose each unit is, of one revision of the roll.
type business struct {
	units   []patrol.Unit // by ID
	streets []string      // of the grids, in the order of the moment's
}

// The bits of a unit's flags in a frame.
const (
	flagSOS = 1 << iota
	flagDatum
	flagMocked
	flagCharging
)

// unitsPerStep is how many units of geo.Coord are one of a frame, 1e-5 degree.
const unitsPerStep = 100

// newMoment is p at now. It takes over from old, which may be nil, what has
// not changed.
func newMoment(p *Picture, now time.Time, origin geo.Coord, old *moment) *moment {
	m := &moment{at: now.UnixMilli(), roll: p.Roll, generation: p.Generation}
	var last patrol.UnitID
	for i := range p.States {
		last = max(last, p.States[i].Unit)
	}
	m.units = make([]unitRow, last+1)
	for i := range p.States {
		m.units[p.States[i].Unit] = newUnitRow(&p.States[i], origin)
	}
	m.grids = make([]gridRow, len(p.Grids))
	for i := range p.Grids {
		m.grids[i] = newGridRow(&p.Grids[i], now)
	}
	if old != nil && m.likens(old) {
		m.business = old.business
	} else {
		m.business = newBusiness(p)
	}
	return m
}

// likens reports whether m and o can be compared row by row: the same roll,
// the same boundaries, the same grids.
func (m *moment) likens(o *moment) bool {
	if m.roll != o.roll || m.generation != o.generation || len(m.grids) != len(o.grids) {
		return false
	}
	for i := range m.grids {
		if m.grids[i].id != o.grids[i].id {
			return false
		}
	}
	return true
}

func newUnitRow(s *patrol.State, origin geo.Coord) unitRow {
	if s.Presence == patrol.OffDutyNow {
		return unitRow{}
	}
	if s.Presence == patrol.Unheard || s.Last.At == 0 {
		return unitRow{presence: patrol.Unheard}
	}
	f := &s.Last
	r := unitRow{
		at: f.At, since: s.Since,
		x: step(f.Pos.X) - step(origin.X), y: step(f.Pos.Y) - step(origin.Y),
		accuracy: int32(math.Ceil(clamp(f.AccuracyM, 0))), speed: int32(math.Round(clamp(f.SpeedMPS*10, -1))),
		grid: s.Grid, raw: s.Raw,
		heading: -1, presence: s.Presence, battery: max(f.BatteryPct, -1),
	}
	if h := clamp(f.HeadingDeg, -1); h >= 0 {
		r.heading = int16(math.Mod(math.Round(h), 360))
	}
	if f.SpeedMPS < 0 {
		r.speed = -1
	}
	for bit, set := range [...]bool{s.SOS, s.Datum, f.Flags&patrol.Mocked != 0, f.Flags&patrol.Charging != 0} {
		if set {
			r.flags |= 1 << bit
		}
	}
	return r
}

// step rounds a coordinate of 1e-7 degree to 1e-5, halves upwards.
func step(v int32) int32 {
	v += unitsPerStep / 2
	q := v / unitsPerStep
	if v%unitsPerStep < 0 {
		q--
	}
	return q
}

// clamp is v within [least, 1e6]; what is no number is the least.
func clamp(v float32, least float64) float64 {
	if !(float64(v) >= least) {
		return least
	}
	return min(float64(v), 1e6)
}

func newGridRow(g *patrol.Cover, now time.Time) gridRow {
	r := gridRow{id: g.Grid, present: int32(g.Present), assigned: int32(g.Assigned), unvisited: -1,
		debt: int32(g.Debt / time.Minute), swept: int8(clamp(float32(g.Swept*100), 0))}
	if !g.Visited.IsZero() {
		r.unvisited = int32(max(0, now.Sub(g.Visited)/time.Minute))
	}
	return r
}

func newBusiness(p *Picture) *business {
	b := &business{units: p.Units, streets: make([]string, len(p.Grids))}
	for i := range p.Grids {
		b.streets[i] = p.Grids[i].Street
	}
	return b
}

// unit is the unit of that ID. IDs are dense from 1, but for those that a
// roll lacks.
func (b *business) unit(id patrol.UnitID) (*patrol.Unit, bool) {
	if i := int(id) - 1; i >= 0 && i < len(b.units) && b.units[i].ID == id {
		return &b.units[i], true
	}
	i, ok := slices.BinarySearchFunc(b.units, id, func(u patrol.Unit, id patrol.UnitID) int { return cmp.Compare(u.ID, id) })
	if !ok {
		return nil, false
	}
	return &b.units[i], true
}

// covers reports whether unit is s's business.
func (b *business) covers(s Scope, unit patrol.UnitID) bool {
	if s == (Scope{}) {
		return true
	}
	u, ok := b.unit(unit)
	switch {
	case !ok:
		return false // not in this roll
	case s.Grid != grid.None:
		return slices.Contains(u.Grids, s.Grid)
	}
	return u.Street == s.Street
}

// coversGrid reports whether the i-th grid of a moment is s's.
func (b *business) coversGrid(s Scope, i int, id grid.ID) bool {
	if s.Grid != grid.None {
		return id == s.Grid
	}
	return s == Scope{} || b.streets[i] == s.Street
}
