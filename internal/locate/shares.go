package locate

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Share is the part, in (0, 1], of a circle that lies in a grid; grid.None is
// what lies outside the district.
type Share struct {
	Grid  grid.ID
	Share float64
}

// leastShare is dropped: less than what rounding of borders can make.
const leastShare = 1e-6

// Shares are the grids that a GPS fix may be in: the shares of the circle of
// accuracyM metres around center, the greatest first, adding up to 1. An
// accuracy that is not positive means the point itself. Nil when center is no
// position.
func (x *Index) Shares(center orb.Point, accuracyM float64) []Share {
	if _, err := geo.Quantise(center); err != nil {
		return nil
	}
	home, _ := x.Locate(center)
	if !(accuracyM > 0) || x.BorderDistance(center) >= accuracyM {
		return []Share{{home, 1}}
	}
	scale := geo.ScaleAt(center[1])
	lo := orb.Point{center[0] - accuracyM/scale.XM, center[1] - accuracyM/scale.YM}
	hi := orb.Point{center[0] + accuracyM/scale.XM, center[1] + accuracyM/scale.YM}
	circle := math.Pi * accuracyM * accuracyM
	rest := 1.0
	var out []Share
	x.boxes.Search(lo, hi, func(_, _ [2]float64, at int32) bool {
		id := x.gen.Grids()[at].ID
		area := 0.0
		for _, poly := range x.gen.Polygon(id) {
			for _, r := range poly {
				area += circleOverlap(scale, center, accuracyM, r)
			}
		}
		if share := area / circle; share > leastShare {
			out = append(out, Share{id, min(share, 1)})
			rest -= share
		}
		return true
	})
	if rest > leastShare {
		out = append(out, Share{grid.None, rest})
	}
	slices.SortFunc(out, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Grid, b.Grid))
	})
	return out
}

// circleOverlap is the signed area in m² that the circle shares with the
// inside of ring: the sum over its edges of what the circle shares with the
// triangle of the edge and the centre.
func circleOverlap(s geo.Scale, center orb.Point, radiusM float64, ring orb.Ring) float64 {
	sum := 0.0
	for i := 1; i < len(ring); i++ {
		ax, ay := (ring[i-1][0]-center[0])*s.XM, (ring[i-1][1]-center[1])*s.YM
		bx, by := (ring[i][0]-center[0])*s.XM, (ring[i][1]-center[1])*s.YM
		sum += circleTriangle(ax, ay, bx, by, radiusM)
	}
	return sum
}

// circleTriangle is the signed area that the circle of radius r around the
// origin shares with the triangle (origin, a, b).
func circleTriangle(ax, ay, bx, by, r float64) float64 {
	dx, dy := bx-ax, by-ay
	l2 := dx*dx + dy*dy
	if l2 == 0 {
		return 0
	}
	sector := func(px, py, qx, qy float64) float64 {
		return r * r / 2 * math.Atan2(px*qy-py*qx, px*qx+py*qy)
	}
	// Where the line a + t·d meets the circle.
	m := -(ax*dx + ay*dy) / l2
	disc := m*m - (ax*ax+ay*ay-r*r)/l2
	if disc <= 0 {
		return sector(ax, ay, bx, by)
	}
	root := math.Sqrt(disc)
	t0, t1 := max(m-root, 0), min(m+root, 1)
	if t0 >= t1 {
		return sector(ax, ay, bx, by)
	}
	px, py := ax+t0*dx, ay+t0*dy
	qx, qy := ax+t1*dx, ay+t1*dy
	area := (px*qy - py*qx) / 2
	if t0 > 0 {
		area += sector(ax, ay, px, py)
	}
	if t1 < 1 {
		area += sector(qx, qy, bx, by)
	}
	return area
}

// InBound are the grids that have a point in common with the closed box b, in
// ascending order.
func (x *Index) InBound(b orb.Bound) []grid.ID {
	var out []grid.ID
	x.boxes.Search(b.Min, b.Max, func(_, _ [2]float64, at int32) bool {
		g := &x.gen.Grids()[at]
		if id, ok := x.Locate(b.Min); ok && id == g.ID || reaches(x.gen.Polygon(g.ID), b) {
			out = append(out, g.ID)
		}
		return true
	})
	slices.Sort(out)
	return out
}

// reaches reports whether a border of area has a point in b.
func reaches(area orb.MultiPolygon, b orb.Bound) bool {
	for _, poly := range area {
		for _, r := range poly {
			for i := 1; i < len(r); i++ {
				if segmentInBox(r[i-1], r[i], b) {
					return true
				}
			}
		}
	}
	return false
}

// segmentInBox clips the segment p–q to b (Liang and Barsky) and reports
// whether anything is left.
func segmentInBox(p, q orb.Point, b orb.Bound) bool {
	t0, t1 := 0.0, 1.0
	for axis := range 2 {
		d := q[axis] - p[axis]
		if d == 0 {
			if p[axis] < b.Min[axis] || p[axis] > b.Max[axis] {
				return false
			}
			continue
		}
		enter, leave := (b.Min[axis]-p[axis])/d, (b.Max[axis]-p[axis])/d
		t0, t1 = max(t0, min(enter, leave)), min(t1, max(enter, leave))
		if t0 > t1 {
			return false
		}
	}
	return true
}
