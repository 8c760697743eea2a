package heat

import (
	"slices"

	"github.com/paulmach/orb"
)

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
