package locate

import (
	"math"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// cellsPerEdge bounds the raster: at most so many cells for each edge. On the
// demonstration district it makes cells of 2^13 units, about 78 x 91 m; half
// that size costs four times the memory and gains a tenth.
const cellsPerEdge = 6

// minShift keeps a tiny district from getting cells smaller than its digits.
const minShift = 4

// New builds the index of gen.
func New(gen *grid.Generation) *Index {
	x := &Index{gen: gen}
	edges := edgesOf(gen.Partition())
	x.layOut(edges)
	counts := x.countEdges(edges)
	x.labelCorners(edges)
	x.openRecords(counts)
	x.fillRecords(edges)
	x.measureRings()
	for i, g := range gen.Grids() {
		x.boxes.Insert(g.Bound.Min, g.Bound.Max, int32(i))
	}
	return x
}

// edge is directed upward (geo.Upward).
type edge struct {
	a, b geo.Coord
	left uint32 // label
	mask uint32 // left label XOR right label
}

func edgesOf(p *partition.Partition) []edge {
	n := 0
	for _, a := range p.Arcs() {
		n += len(a.Points) - 1
	}
	edges := make([]edge, 0, n)
	for _, arc := range p.Arcs() {
		mask := uint32(arc.Left ^ arc.Right)
		for i := 1; i < len(arc.Points); i++ {
			a, b, left := arc.Points[i-1], arc.Points[i], arc.Left
			if !geo.Upward(a, b) {
				a, b, left = b, a, arc.Right
			}
			edges = append(edges, edge{a, b, uint32(left), mask})
		}
	}
	return edges
}

// layOut chooses the cell size and the raster's place, one cell wider than the
// district all round.
func (x *Index) layOut(edges []edge) {
	lo, hi := edges[0].a, edges[0].a
	for _, e := range edges {
		lo.X, hi.X = min(lo.X, e.a.X, e.b.X), max(hi.X, e.a.X, e.b.X)
		lo.Y, hi.Y = min(lo.Y, e.a.Y), max(hi.Y, e.b.Y)
	}
	for x.shift = minShift; ; x.shift++ {
		x.west, x.south = lo.X>>x.shift-1, lo.Y>>x.shift-1
		x.w, x.h = hi.X>>x.shift+2-x.west, hi.Y>>x.shift+2-x.south
		if int64(x.w)*int64(x.h) <= cellsPerEdge*int64(len(edges))+64 {
			break
		}
	}
	size := math.Ldexp(1, int(x.shift))
	x.minX, x.maxX = float64(x.west)*size, float64(x.west+x.w)*size
	x.minY, x.maxY = float64(x.south)*size, float64(x.south+x.h)*size
	x.cells = make([]uint32, int(x.w)*int(x.h))
	x.scales = make([]geo.Scale, x.h)
	for row := range x.scales {
		x.scales[row] = geo.ScaleAt((float64(x.south) + float64(row) + 0.5) * size / geo.UnitsPerDegree)
	}
}

// touch calls f for every cell that e touches, and perhaps a few beside it.
func (x *Index) touch(e *edge, f func(cell int)) {
	dx, dy := int64(e.b.X-e.a.X), int64(e.b.Y-e.a.Y)
	west, east := min(e.a.X, e.b.X), max(e.a.X, e.b.X)
	first, last := e.a.Y>>x.shift, e.b.Y>>x.shift
	for row := first; row <= last; row++ {
		lo, hi := west, east
		if first != last { // only as far as e runs in this row
			from, to := max(e.a.Y, row<<x.shift), min(e.b.Y, (row+1)<<x.shift)
			p := int64(e.a.X) + floorDiv(int64(from-e.a.Y)*dx, dy)
			q := int64(e.a.X) + floorDiv(int64(to-e.a.Y)*dx, dy)
			lo, hi = int32(min(p, q)), int32(min(int64(east), max(p, q)+1))
		}
		base := int(row-x.south)*int(x.w) - int(x.west)
		for col := lo >> x.shift; col <= hi>>x.shift; col++ {
			f(base + int(col))
		}
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func (x *Index) countEdges(edges []edge) []uint32 {
	counts := make([]uint32, len(x.cells))
	for i := range edges {
		x.touch(&edges[i], func(cell int) { counts[cell]++ })
	}
	return counts
}

// labelCorners gives each cell the label at its south-west corner. Along the
// row of corners, the label changes by an edge's mask at the first corner that
// is not left of it; a running XOR along the row does the rest.
func (x *Index) labelCorners(edges []edge) {
	size := int32(1) << x.shift
	for i := range edges {
		e := &edges[i]
		dx, dy := int64(e.b.X-e.a.X), int64(e.b.Y-e.a.Y)
		for row := (e.a.Y + size - 1) >> x.shift; row<<x.shift < e.b.Y; row++ {
			// The first whole x on or right of the edge at this height.
			at := int64(e.a.X) - floorDiv(-int64(row<<x.shift-e.a.Y)*dx, dy)
			col := int32((at+int64(size)-1)>>x.shift) - x.west
			x.cells[int(row-x.south)*int(x.w)+int(col)] ^= e.mask
		}
	}
	for row := range int(x.h) {
		label := uint32(0)
		cells := x.cells[row*int(x.w) : (row+1)*int(x.w)]
		for col := range cells {
			label ^= cells[col]
			cells[col] = label
		}
	}
}

// openRecords turns each cell that edges touch into a border cell with room
// for them.
func (x *Index) openRecords(counts []uint32) {
	words := 0
	for _, n := range counts {
		if n > 0 {
			words += recordHead + edgeWords*int(n)
		}
	}
	x.records = make([]uint32, words)
	x.lefts = make([]uint32, (words+edgeWords-1)/edgeWords)
	at := uint32(0)
	for cell, n := range counts {
		if n > 0 {
			x.records[at] = x.cells[cell]
			x.cells[cell] = borderCell | at
			at += recordHead + edgeWords*n
		}
	}
}

func (x *Index) fillRecords(edges []edge) {
	for i := range edges {
		e := &edges[i]
		x.touch(e, func(cell int) {
			rec := x.records[x.cells[cell]&^borderCell:]
			at := recordHead + edgeWords*int(rec[1])
			rec[1]++
			x.lefts[(int(x.cells[cell]&^borderCell)+at)/edgeWords] = e.left
			rec[at], rec[at+1] = uint32(e.a.X), uint32(e.a.Y)
			rec[at+2], rec[at+3] = uint32(e.b.X), uint32(e.b.Y)
			rec[at+4] = e.mask | x.westFlags(e, cell)
		})
	}
}

// westFlags says whether e crosses the west side of cell, and then on which
// side of it the corner is.
func (x *Index) westFlags(e *edge, cell int) uint32 {
	corner := geo.Coord{
		X: (x.west + int32(cell%int(x.w))) << x.shift,
		Y: (x.south + int32(cell/int(x.w))) << x.shift,
	}
	if (e.a.X <= corner.X) == (e.b.X <= corner.X) {
		return 0
	}
	top := geo.Coord{X: corner.X, Y: corner.Y + 1<<x.shift}
	left := geo.LeftOf(e.a, e.b, corner)
	switch {
	case left == geo.LeftOf(e.a, e.b, top):
		return 0
	case left:
		return crossesWest | leftOfCorner
	}
	return crossesWest
}

// measureRings notes in each inner cell how far the nearest border cell is, in
// rings of cells: two passes of the chessboard distance transform.
func (x *Index) measureRings() {
	w := int(x.w)
	ring := func(cell int) uint32 {
		if v := x.cells[cell]; v < borderCell {
			return v >> ringShift
		}
		return 0
	}
	pass := func(cell int, others ...int) {
		if x.cells[cell] >= borderCell {
			return
		}
		near := ring(cell)
		for _, o := range others {
			near = min(near, ring(o)+1)
		}
		x.cells[cell] = x.cells[cell]&labelMask | near<<ringShift
	}
	for i, v := range x.cells {
		if v < borderCell {
			x.cells[i] = v | maxRing<<ringShift
		}
	}
	for row := range int(x.h) {
		for col := range w {
			c := row*w + col
			if col > 0 {
				pass(c, c-1)
			}
			if row > 0 {
				pass(c, c-w, c-w+min(1, w-1-col), c-w-min(1, col))
			}
		}
	}
	for row := int(x.h) - 1; row >= 0; row-- {
		for col := w - 1; col >= 0; col-- {
			c := row*w + col
			if col < w-1 {
				pass(c, c+1)
			}
			if row < int(x.h)-1 {
				pass(c, c+w, c+w-min(1, col), c+w+min(1, w-1-col))
			}
		}
	}
}
