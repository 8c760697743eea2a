package partition

import (
	"math"

	"lianqin/internal/geo"
)

// region is a connected part of the plane in which all cells have one owner
// set.
type region struct {
	owners     int32   // number of the owner set
	border     []int32 // half-edges with the region on their left and another on their right
	areaM2     float64 // after measure
	perimeterM float64
}

// regions joins neighbouring cells of equal owners, in the order of their
// first cells. Of is the region of each cell; region 0 is the unbounded one.
// Where nobody owns, bridges part cells.
func (s *subdivision) regions() (list []region, of []int32) {
	u := newUnion(s.cells)
	for i := range s.lines {
		l, r := s.cell[2*i], s.cell[2*i+1]
		if o := s.owners(l); o == s.owners(r) && (o != 0 || len(s.lines[i].claims) > 0) {
			u.join(l, r)
		}
	}
	of = make([]int32, s.cells)
	for c := range of {
		if root := u.find(int32(c)); root != int32(c) {
			of[c] = of[root]
			continue
		}
		of[c] = int32(len(list))
		list = append(list, region{owners: s.owners(int32(c))})
	}
	count := make([]int32, len(list))
	for h, c := range s.cell {
		if of[c] != of[s.cell[h^1]] {
			count[of[c]]++
		}
	}
	for r := range list {
		list[r].border = make([]int32, 0, count[r])
	}
	for h, c := range s.cell {
		if r := of[c]; r != of[s.cell[h^1]] {
			list[r].border = append(list[r].border, int32(h))
		}
	}
	return list, of
}

// measure fills in the sizes of r.
func (s *subdivision) measure(r *region) {
	r.areaM2 = s.areaOf(r.border)
	r.perimeterM = 0
	for _, h := range r.border {
		r.perimeterM += geo.DistanceM(s.fan.from(h).Point(), s.fan.to(h).Point())
	}
}

// areaOf is the area to the left of closed lines of half-edges, in m². Edges
// are taken from near the first one's latitude, so that small areas keep their
// digits.
func (s *subdivision) areaOf(border []int32) float64 {
	sum := 0.0
	if len(border) == 0 {
		return 0
	}
	o := s.fan.from(border[0])
	for _, h := range border {
		sum += geo.RingAreaM2([]geo.Coord{o, s.fan.from(h), s.fan.to(h)})
	}
	return sum
}

// plane measures metres round a place.
type plane struct {
	o      geo.Coord
	xm, ym float64 // of a unit
}

func planeAt(o geo.Coord) plane {
	s := geo.ScaleAt(o.Point()[1])
	return plane{o, s.XM / geo.UnitsPerDegree, s.YM / geo.UnitsPerDegree}
}

type spot struct{ x, y float64 }

func (p plane) of(c geo.Coord) spot {
	return spot{float64(int64(c.X)-int64(p.o.X)) * p.xm, float64(int64(c.Y)-int64(p.o.Y)) * p.ym}
}

func (p plane) coord(s spot) geo.Coord {
	return geo.Coord{X: p.o.X + int32(math.Round(s.x/p.xm)), Y: p.o.Y + int32(math.Round(s.y/p.ym))}
}
