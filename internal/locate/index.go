// Package locate finds the grid of a point: an immutable index of one
// generation that answers with exactly one grid or none, by integer arithmetic
// alone.
//
// A raster of square cells covers the district. A cell that no border touches
// holds its grid. A border cell holds the grid at its south-west corner and
// the few edges that touch it, each with the grids on its two sides; the
// point's grid follows by walking from the corner north and then east to the
// point and changing grids at every edge crossed. The walk is exact, the order
// of edges does not matter, and one edge serves both its neighbours. This
// needs a true partition, which package partition proves.
//
// A point on a border belongs to the grid east of it, and on a border that
// runs exactly east–west to the one north of it (geo.LeftOf). The outline of
// the district follows the same rule: a point on its western or southern
// border is in the grid there, a point on its eastern or northern border is
// outside.
package locate

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// A cell is either a grid's label and, above it, how many rings of cells away
// the nearest border cell is (at most maxRing), or borderCell and the place of
// its record.
const (
	borderCell = 1 << 31
	ringShift  = 24
	maxRing    = 1<<7 - 1
	labelMask  = 1<<ringShift - 1
)

// A record is the label at the cell's corner, the number of edges, and for
// each edge its two ends, upward, and a mask: the labels of its two sides
// XORed, and two flags.
const (
	recordHead   = 2
	edgeWords    = 5
	crossesWest  = 1 << 31 // the edge crosses the cell's west side
	leftOfCorner = 1 << 30 // the cell's corner lies left of the edge
)

// Index finds grids of one generation. It is immutable and safe for
// concurrent use.
type Index struct {
	gen *grid.Generation

	minX, minY float64 // the raster, in quantised units, as floats for one
	maxX, maxY float64 // comparison that also refuses NaN: [min, max)
	west       int32   // of the raster, in cells
	south      int32
	w, h       int32
	shift      uint

	cells   []uint32
	records []uint32
	lefts   []uint32    // the label left of the edge at records[i] is lefts[i/edgeWords]
	scales  []geo.Scale // of each row of cells

	boxes rtree.RTreeG[int32] // grids by their boxes, as places in gen.Grids
}

// Generation is what the index was made of.
func (x *Index) Generation() *grid.Generation { return x.gen }

// Bytes is the memory that the index holds beside its generation, without the
// tree of boxes.
func (x *Index) Bytes() int {
	return 4*len(x.cells) + 4*len(x.records) + 4*len(x.lefts) + 16*len(x.scales)
}

// Locate is the grid at p, in WGS-84 degrees, or false when p lies outside the
// district, in a hole in coverage, or is no position at all.
func (x *Index) Locate(p orb.Point) (grid.ID, bool) {
	c, ok := x.coord(p)
	if !ok {
		return grid.None, false
	}
	cell := x.cells[x.cellAt(c)]
	if cell < borderCell {
		id := grid.ID(cell & labelMask)
		return id, id != grid.None
	}
	id := x.walk(cell, c)
	return id, id != grid.None
}

// cellAt is the place in cells of a position inside the raster.
func (x *Index) cellAt(c geo.Coord) int {
	shift := x.shift & 31
	return int(c.Y>>shift-x.south)*int(x.w) + int(c.X>>shift-x.west)
}

// coord quantises p as geo.Quantise does, or false outside the raster.
func (x *Index) coord(p orb.Point) (geo.Coord, bool) {
	fx, fy := float64(p[0]*geo.UnitsPerDegree)+0.5, float64(p[1]*geo.UnitsPerDegree)+0.5
	if !(fx >= x.minX && fx < x.maxX && fy >= x.minY && fy < x.maxY) {
		return geo.Coord{}, false
	}
	return geo.Coord{X: int32(math.Floor(fx)), Y: int32(math.Floor(fy))}, true
}

// LocateCoord is Locate for a quantised position; grid.None is outside.
func (x *Index) LocateCoord(c geo.Coord) grid.ID {
	cx, cy := c.X>>(x.shift&31)-x.west, c.Y>>(x.shift&31)-x.south
	if uint32(cx) >= uint32(x.w) || uint32(cy) >= uint32(x.h) {
		return grid.None
	}
	cell := x.cells[int(cy)*int(x.w)+int(cx)]
	if cell < borderCell {
		return grid.ID(cell & labelMask)
	}
	return x.walk(cell, c)
}

// walk follows the way from the corner of a border cell to c. It has no branch
// but the loop's: which edges a point crosses no processor can foretell. The
// sign of a word, spread over all its bits, stands for a truth value.
func (x *Index) walk(cell uint32, c geo.Coord) grid.ID {
	rec := x.records[cell&^borderCell:]
	label, n := rec[0], int(rec[1])
	rec = rec[recordHead : recordHead+n*edgeWords]
	px, py := int64(c.X), int64(c.Y)
	cornerX := int64(c.X >> (x.shift & 31) << (x.shift & 31))
	for len(rec) >= edgeWords {
		ax, ay, mask := int64(int32(rec[0])), int64(int32(rec[1])), int32(rec[4])
		bx, by := int64(int32(rec[2])), int64(int32(rec[3]))
		rec = rec[edgeWords:]
		// geo.LeftOf at the bend of the way, and at the point itself.
		dx, dy := bx-ax, by-ay
		u := dx * (py - ay)
		bend, point := dy*(cornerX-ax)-u, dy*(px-ax)-u
		inRow := (ay - py - 1) & (py - by) // ay <= py < by
		east := (inRow & (bend ^ point)) >> 63
		north := mask >> 31 & (mask<<1>>31 ^ int32(bend>>63)) // crossesWest, and not as leftOfCorner
		label ^= uint32(mask&labelMask) & uint32(int32(east)^north)
	}
	return grid.ID(label)
}

// LocateAll writes the grid of each point to dst, grid.None where there is
// none. It panics when dst is shorter than pts.
func (x *Index) LocateAll(dst []grid.ID, pts []orb.Point) {
	// First all cells, whose loads do not wait for one another nor for a
	// branch, then the border cells.
	const block = 256
	var at [block]geo.Coord
	var border [block]uint16
	dst = dst[:len(pts)]
	for len(pts) > 0 {
		n := min(block, len(pts))
		count := 0
		for i, p := range pts[:n] {
			c, ok := x.coord(p)
			if !ok {
				dst[i] = grid.None
				continue
			}
			at[i] = c
			cell := x.cells[x.cellAt(c)]
			isBorder := cell >> 31
			dst[i] = grid.ID(cell & (labelMask | -isBorder))
			border[count&(block-1)] = uint16(i)
			count += int(isBorder)
		}
		for _, i := range border[:count] {
			dst[i] = x.walk(uint32(dst[i]), at[i])
		}
		dst, pts = dst[n:], pts[n:]
	}
}
