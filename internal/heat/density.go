package heat

import (
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/grid"
)

// Density is a grid's count, and what it comes to by area and by work. A grid
// that nobody patrolled, or that the generation does not have, has no rate.
type Density struct {
	Grid          grid.ID  `json:"grid"`
	Count         int      `json:"count"`
	PerKM2        *float64 `json:"per_km2,omitempty"`
	PatrolHours   float64  `json:"patrol_hours,omitempty"`
	PerPatrolHour *float64 `json:"per_patrol_hour,omitempty"`
}

// Densities are those of all grids of gen, by ID, those without a case
// included, and then of whatever else m counted. Hours are the patrol hours
// of each grid in the map's window.
func (m *Map) Densities(gen *grid.Generation, hours map[grid.ID]float64) []Density {
	counts := make(map[grid.ID]int, len(m.Grids))
	for _, g := range m.Grids {
		counts[g.Grid] = g.Count
	}
	var out []Density
	for _, g := range gen.Grids() {
		d := Density{Grid: g.ID, Count: counts[g.ID], PatrolHours: hours[g.ID]}
		d.PerKM2 = rate(d.Count, g.AreaM2/1e6)
		d.PerPatrolHour = rate(d.Count, d.PatrolHours)
		out = append(out, d)
	}
	for _, g := range m.Grids {
		if _, ok := gen.Grid(g.Grid); !ok {
			out = append(out, Density{Grid: g.Grid, Count: g.Count})
		}
	}
	return out
}

func rate(count int, by float64) *float64 {
	if by <= 0 {
		return nil
	}
	r := float64(count) / by
	return &r
}

// Cell is one cell with cases in it, ready to be a feature of a tile.
type Cell struct {
	Number int
	Bound  orb.Bound
	Count  int
	PerKM2 float64
}

// Filled are the cells that have cases and touch bound, by number.
func (m *Map) Filled(bound orb.Bound) []Cell {
	var out []Cell
	for n, count := range m.Cells {
		if count == 0 {
			continue
		}
		if b := m.Raster.Bound(n); b.Intersects(bound) {
			out = append(out, Cell{n, b, int(count), float64(count) / m.Raster.CellM2 * 1e6})
		}
	}
	return out
}

// Texture is the cells as bytes for the browser, row by row from the south.
// 255 stands for Full cases or more; the map is linear, and a cell that has
// any case is 1 at least.
type Texture struct {
	Width, Height int
	Full          uint32
	Cells         []byte
}

// Texture makes full cases the brightest; 0 takes the count that one filled
// cell in a hundred exceeds, so that one bad corner does not dim the rest.
func (m *Map) Texture(full uint32) Texture {
	if full == 0 {
		full = m.bright()
	}
	t := Texture{m.Raster.Width, m.Raster.Height, full, make([]byte, len(m.Cells))}
	paint(t.Cells, m.Cells, full)
	return t
}

func paint(dst []byte, cells []uint32, full uint32) {
	for i, n := range cells {
		if n > 0 {
			dst[i] = byte(max(1, min(255, uint64(n)*255/uint64(full))))
		}
	}
}

// bright is the 99th percentile of the filled cells, 1 at least.
func (m *Map) bright() uint32 {
	var filled []uint32
	for _, n := range m.Cells {
		if n > 0 {
			filled = append(filled, n)
		}
	}
	if len(filled) == 0 {
		return 1
	}
	slices.Sort(filled)
	return filled[(len(filled)*99-1)/100]
}
