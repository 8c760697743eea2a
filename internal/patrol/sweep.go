package patrol

import (
	"math"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

const (
	// sweepShift is the size of a cell of a sweep: 2^12 units of 1e-7 degree,
	// about 39 by 46 m.
	sweepShift = 12
	// maxSweep bounds the cells of a sweep, at 8 bytes each. A region of more
	// than 15,000 km² has cells of twice the size, and so on.
	maxSweep = 1 << 23
	// sweepM is how near a unit must pass the middle of a cell to have seen it,
	// where cells are of the usual size.
	sweepM = 30
	// A unit passed what lies on the straight line between two fixes that are
	// no further apart than this.
	sweepGapMS = 60_000
	sweepGapM  = 500
)

// sweep notes when each cell of the district was last passed.
type sweep struct {
	gen         *grid.Generation
	shift       uint8 // of a cell
	west, south int32 // in cells
	w, h        int32
	reachX      float64 // metres to a unit
	reachY      float64
	grids       []uint32 // of each cell, by its middle: the grid's place in the generation, plus one; 0 outside
	cells       []int32  // how many each grid has, by place
	passed      []uint32 // Unix seconds; 0 is never
}

// layOut makes s of x's generation. What was passed stays so.
func (s *sweep) layOut(x *locate.Index) {
	gen := x.Generation()
	if gen == s.gen {
		return
	}
	old := *s
	b := gen.Bound()
	// Bounds come from coordinates, and stay within their range.
	lo, _ := geo.Quantise(b.Min)
	hi, _ := geo.Quantise(b.Max)
	*s = sweep{gen: gen}
	for s.shift = sweepShift; ; s.shift++ {
		s.west, s.south = lo.X>>s.shift, lo.Y>>s.shift
		s.w, s.h = hi.X>>s.shift-s.west+1, hi.Y>>s.shift-s.south+1
		if int64(s.w)*int64(s.h) <= maxSweep {
			break
		}
	}
	scale := geo.ScaleAt((b.Min[1] + b.Max[1]) / 2)
	s.reachX, s.reachY = scale.XM/geo.UnitsPerDegree, scale.YM/geo.UnitsPerDegree
	s.grids, s.passed = make([]uint32, int(s.w)*int(s.h)), make([]uint32, int(s.w)*int(s.h))
	s.cells = make([]int32, len(gen.Grids()))
	for row := range s.h {
		for col := range s.w {
			if place, ok := gen.Place(x.LocateCoord(s.middle(col, row))); ok {
				s.grids[row*s.w+col] = uint32(place + 1)
				s.cells[place]++
			}
		}
	}
	for row := range old.h {
		for col := range old.w {
			s.set(old.middle(col, row), old.passed[row*old.w+col])
		}
	}
}

func (s *sweep) middle(col, row int32) geo.Coord {
	return geo.Coord{X: (s.west+col)<<s.shift + 1<<(s.shift-1), Y: (s.south+row)<<s.shift + 1<<(s.shift-1)}
}

// set notes that the cell of c was passed then.
func (s *sweep) set(c geo.Coord, seconds uint32) {
	if col, row := c.X>>s.shift-s.west, c.Y>>s.shift-s.south; uint32(col) < uint32(s.w) && uint32(row) < uint32(s.h) {
		i := int(row)*int(s.w) + int(col)
		s.passed[i] = max(s.passed[i], seconds)
	}
}

// pass notes that a unit came from a to b, or was at b when a is nil.
func (s *sweep) pass(a *place, b *Fix) {
	if s.gen == nil || b.At < 0 {
		return
	}
	seconds := uint32(min(b.At/1000, math.MaxUint32))
	if a != nil && a.at != 0 && b.At-a.at <= sweepGapMS {
		dx, dy := float64(b.Pos.X-a.pos.X), float64(b.Pos.Y-a.pos.Y)
		if m := math.Hypot(dx*s.reachX, dy*s.reachY); m > sweepM && m <= sweepGapM {
			steps := math.Ceil(m / sweepM)
			for i := 1.0; i < steps; i++ {
				s.at(geo.Coord{X: a.pos.X + int32(dx*i/steps), Y: a.pos.Y + int32(dy*i/steps)}, seconds)
			}
		}
	}
	s.at(b.Pos, seconds)
}

// at notes the cells whose middle is within sweepM of c.
func (s *sweep) at(c geo.Coord, seconds uint32) {
	col, row := c.X>>s.shift-s.west, c.Y>>s.shift-s.south
	if col < 1 || row < 1 || col >= s.w-1 || row >= s.h-1 {
		s.set(c, seconds)
		return
	}
	m := s.middle(col, row)
	// From c to the middle of its cell; the other middles are whole cells on.
	ox, oy := float64(m.X-c.X)*s.reachX, float64(m.Y-c.Y)*s.reachY
	cell := float64(int(1) << s.shift)
	cx, cy := s.reachX*cell, s.reachY*cell
	reach := sweepM * cell / (1 << sweepShift)
	i := int(row)*int(s.w) + int(col)
	for dr := -1; dr <= 1; dr++ {
		y := oy + float64(dr)*cy
		rest := reach*reach - y*y
		if rest < 0 {
			continue
		}
		for dc := -1; dc <= 1; dc++ {
			if x := ox + float64(dc)*cx; x*x <= rest {
				at := &s.passed[i+dr*int(s.w)+dc]
				*at = max(*at, seconds)
			}
		}
	}
}

// shares are, of each grid by place, the share of its cells that were passed
// since then, in Unix milliseconds, by place.
func (s *sweep) shares(since []int64) []float64 {
	out := make([]float64, len(s.cells))
	for i, place := range s.grids {
		if place > 0 && s.passed[i] > 0 && int64(s.passed[i])*1000 >= since[place-1] {
			out[place-1]++
		}
	}
	for i, n := range s.cells {
		if n > 0 {
			out[i] /= float64(n)
		}
	}
	return out
}
