package heat

import (
	"math"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// Raster divides a district into cells of about a hundred metres: Width
// columns from west to east, Height rows from south to north, each CellX by
// CellY units of 1e-7 degree. A cell is [west, east) × [south, north), and its
// number is row·Width + column.
type Raster struct {
	West, South   int32 // of the raster, in units of 1e-7 degree
	CellX, CellY  int32
	Width, Height int
	CellM2        float64 // area of a cell in the middle of the raster
}

const (
	cellM = 100
	// maxCells bounds a raster; cells of a district that needs more are
	// enlarged, doubling.
	maxCells = 4 << 20
)

// NewRaster covers bound, in WGS-84 degrees.
func NewRaster(bound orb.Bound) (Raster, error) {
	lo, err := geo.Quantise(bound.Min)
	if err != nil {
		return Raster{}, err
	}
	hi, err := geo.Quantise(bound.Max)
	if err != nil {
		return Raster{}, err
	}
	s := geo.ScaleAt(bound.Center()[1])
	r := Raster{CellX: side(s.XM), CellY: side(s.YM)}
	for {
		r.West, r.South = floorTo(lo.X, r.CellX), floorTo(lo.Y, r.CellY)
		r.Width = int((int64(hi.X)-int64(r.West))/int64(r.CellX)) + 1
		r.Height = int((int64(hi.Y)-int64(r.South))/int64(r.CellY)) + 1
		if r.Width*r.Height <= maxCells {
			break
		}
		r.CellX, r.CellY = 2*r.CellX, 2*r.CellY
	}
	r.CellM2 = float64(r.CellX) * s.XM / geo.UnitsPerDegree * float64(r.CellY) * s.YM / geo.UnitsPerDegree
	return r, nil
}

// grown is r with as many more cells on each side as it takes to cover bound.
// It is Invalid beyond maxCells.
func (r Raster) grown(bound orb.Bound) (Raster, error) {
	if r.Width == 0 {
		return NewRaster(bound)
	}
	lo, err := geo.Quantise(bound.Min)
	if err != nil {
		return r, err
	}
	hi, err := geo.Quantise(bound.Max)
	if err != nil {
		return r, err
	}
	g := r
	g.West, g.Width = widened(r.West, r.CellX, r.Width, lo.X, hi.X)
	g.South, g.Height = widened(r.South, r.CellY, r.Height, lo.Y, hi.Y)
	if int64(g.Width)*int64(g.Height) > maxCells {
		return r, fault.InvalidField("bound", "%v would make %d × %d cells of %d × %d, too many", bound, g.Width, g.Height, r.Width, r.Height)
	}
	return g, nil
}

// widened is where n cells begin, and how many there are, once they reach from
// lo to hi as well.
func widened(first, cell int32, n int, lo, hi int32) (int32, int) {
	begin := min(first, floorTo(lo, cell))
	end := max(int64(first)+int64(n)*int64(cell), int64(floorTo(hi, cell))+int64(cell))
	return begin, int((end - int64(begin)) / int64(cell))
}

// side is how many units a cell measures, of metres per degree.
func side(perDegreeM float64) int32 {
	return int32(min(math.Round(cellM/perDegreeM*geo.UnitsPerDegree), 1e6)) // near a pole a degree is short
}

func floorTo(v, step int32) int32 {
	q := v / step
	if v%step < 0 {
		q--
	}
	return q * step
}

// Cells is the number of cells.
func (r Raster) Cells() int { return r.Width * r.Height }

// Cell is the cell of a position, or false outside the raster.
func (r Raster) Cell(c geo.Coord) (int, bool) {
	x, y := int64(c.X)-int64(r.West), int64(c.Y)-int64(r.South)
	if x < 0 || y < 0 || r.Width == 0 {
		return 0, false
	}
	x, y = x/int64(r.CellX), y/int64(r.CellY)
	if x >= int64(r.Width) || y >= int64(r.Height) {
		return 0, false
	}
	return int(y)*r.Width + int(x), true
}

// Bound is the box of a cell in degrees.
func (r Raster) Bound(cell int) orb.Bound { return r.boundOf(cell%r.Width, cell/r.Width, 1, 1) }

// boundOf is the box of w columns and h rows of cells.
func (r Raster) boundOf(x, y, w, h int) orb.Bound {
	corner := func(x, y int) orb.Point {
		return geo.Coord{X: r.West + int32(x)*r.CellX, Y: r.South + int32(y)*r.CellY}.Point()
	}
	return orb.Bound{Min: corner(x, y), Max: corner(x+w, y+h)}
}
