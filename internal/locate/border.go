package locate

import (
	"math"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// BorderDistance is the distance in metres from p to the nearest border, of a
// grid or of the district, good to 0.1 % within 50 km of the district. NaN when
// p is no position.
func (x *Index) BorderDistance(p orb.Point) float64 {
	c, ok := x.coord(p)
	if !ok {
		_, d := x.Nearest(p)
		return d
	}
	return x.nearest(c, anyBorder, math.Inf(1))
}

// DistanceTo is the distance in metres from c to grid id, or to the outside
// of the district for grid.None: 0 within it, and at most limitM, which also
// stands for a grid that there is not. It looks no further than limitM, and is
// good to 0.1 % near the district.
func (x *Index) DistanceTo(c geo.Coord, id grid.ID, limitM float64) float64 {
	if x.LocateCoord(c) == id {
		return 0
	}
	col, row := c.X>>x.shift-x.west, c.Y>>x.shift-x.south
	if uint32(col) < uint32(x.w) && uint32(row) < uint32(x.h) {
		return x.nearest(c, int64(id), limitM)
	}
	p := c.Point()
	return min(limitM, polygonDistance(geo.ScaleAt(p[1]), p, x.gen.Polygon(id)))
}

// anyBorder stands for the label of every grid.
const anyBorder = -1

// nearest is the distance from c, in the raster, to the nearest border of the
// grid labelled of, or limitM when that is less.
func (x *Index) nearest(c geo.Coord, of int64, limitM float64) float64 {
	col, row := int(c.X>>x.shift-x.west), int(c.Y>>x.shift-x.south)
	scale := x.scales[row]
	mx, my := scale.XM/geo.UnitsPerDegree, scale.YM/geo.UnitsPerDegree
	// Distances are taken from the rounded position: 1 cm at most.
	reach := x.reach(c, mx, my)
	best := limitM * limitM
	ring := 0
	if cell := x.cells[row*int(x.w)+col]; cell < borderCell {
		ring = int(cell >> ringShift)
	}
	for last := max(col, row, int(x.w)-1-col, int(x.h)-1-row); ring <= last; ring++ {
		if ring > 0 {
			if d := reach + float64(ring-1)*x.step(mx, my); d*d >= best {
				break
			}
		}
		x.searchRing(c, of, col, row, ring, mx, my, &best)
	}
	return math.Sqrt(best)
}

// step is the shorter side of a cell in metres.
func (x *Index) step(mx, my float64) float64 { return math.Ldexp(min(mx, my), int(x.shift)) }

// reach is how far c is from the nearest side of its cell, in metres.
func (x *Index) reach(c geo.Coord, mx, my float64) float64 {
	size := int32(1) << x.shift
	ox, oy := c.X&(size-1), c.Y&(size-1)
	return min(float64(min(ox, size-ox))*mx, float64(min(oy, size-oy))*my)
}

// searchRing lowers best to the squared distance from c to the nearest edge of
// the grid labelled of in the square ring of cells around (col, row).
func (x *Index) searchRing(c geo.Coord, of int64, col, row, ring int, mx, my float64, best *float64) {
	top, bottom := row+ring, row-ring
	left, right := max(col-ring, 0), min(col+ring, int(x.w)-1)
	for r := max(bottom, 0); r <= min(top, int(x.h)-1); r++ {
		step := 1
		if r != top && r != bottom {
			step = 2 * ring // only the two ends
		}
		for k := col - ring; k <= right; k += step {
			if k < left {
				continue
			}
			if cell := x.cells[r*int(x.w)+k]; cell >= borderCell {
				x.nearestEdge(cell, c, of, mx, my, best)
			}
		}
	}
}

func (x *Index) nearestEdge(cell uint32, c geo.Coord, of int64, mx, my float64, best *float64) {
	first := cell &^ borderCell
	rec := x.records[first:]
	rec = rec[recordHead : recordHead+int(rec[1])*edgeWords]
	for at := (first + recordHead) / edgeWords; len(rec) >= edgeWords; at++ {
		if left := x.lefts[at]; of != anyBorder && int64(left) != of && int64(left^rec[4]&labelMask) != of {
			rec = rec[edgeWords:]
			continue
		}
		ax, ay := float64(int32(rec[0])-c.X)*mx, float64(int32(rec[1])-c.Y)*my
		bx, by := float64(int32(rec[2])-c.X)*mx, float64(int32(rec[3])-c.Y)*my
		rec = rec[edgeWords:]
		dx, dy := bx-ax, by-ay
		t := -(ax*dx + ay*dy)
		if l2 := dx*dx + dy*dy; t <= 0 {
			t = 0
		} else if t >= l2 {
			t = 1
		} else {
			t /= l2
		}
		px, py := ax+t*dx, ay+t*dy
		*best = min(*best, px*px+py*py)
	}
}

// Nearest is the grid at p and zero, or outside the district the grid whose
// border is nearest and the distance to it in metres, good to 0.1 % near the
// district. Beyond geo.FarM it is the distance to a vertex of some grid on the
// near side, good to 1 %. It is grid.None and NaN when p is no position.
func (x *Index) Nearest(p orb.Point) (grid.ID, float64) {
	if _, err := geo.Quantise(p); err != nil {
		return grid.None, math.NaN()
	}
	if id, ok := x.Locate(p); ok {
		return id, 0
	}
	// One plane at the latitude midway to the district.
	b := x.gen.Bound()
	scale := geo.ScaleAt((p[1] + min(max(p[1], b.Min[1]), b.Max[1])) / 2)
	id, best := grid.None, math.Inf(1)
	box := func(min, max [2]float64, _ int32, item bool) float64 { return boxDistance(scale, p, min, max) }
	x.boxes.Nearby(box, func(_, _ [2]float64, at int32, d float64) bool {
		if d > best {
			return false
		}
		g := &x.gen.Grids()[at]
		if d := polygonDistance(scale, p, x.gen.Polygon(g.ID)); d < best || d == best && g.ID < id {
			id, best = g.ID, d
		}
		return true
	})
	if best >= geo.FarM {
		best = vertexDistance(p, x.gen.Polygon(id))
	}
	return id, best
}

func vertexDistance(p orb.Point, area orb.MultiPolygon) float64 {
	best := math.Inf(1)
	for _, poly := range area {
		for _, v := range poly[0] {
			best = min(best, geo.DistanceM(p, v))
		}
	}
	return best
}

func boxDistance(s geo.Scale, p orb.Point, lo, hi [2]float64) float64 {
	near := orb.Point{min(max(p[0], lo[0]), hi[0]), min(max(p[1], lo[1]), hi[1])}
	return s.DistanceM(p, near)
}

func polygonDistance(s geo.Scale, p orb.Point, area orb.MultiPolygon) float64 {
	best := math.Inf(1)
	for _, poly := range area {
		for _, r := range poly {
			for i := 1; i < len(r); i++ {
				best = min(best, s.SegmentDistanceM(p, r[i-1], r[i]))
			}
		}
	}
	return best
}
