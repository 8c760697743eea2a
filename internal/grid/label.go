package grid

import (
	"slices"

	"github.com/paulmach/orb"
)

// labelPoint is a point well inside poly: the middle of the widest stretch
// among a few lines across it, a line nearer to the middle counting for more.
func labelPoint(poly orb.Polygon) orb.Point {
	b := poly.Bound()
	height := b.Max[1] - b.Min[1]
	best, bestWidth := b.Center(), 0.0
	for _, share := range [...]float64{0.5, 0.4, 0.6, 0.3, 0.7} {
		y := b.Min[1] + share*height
		xs := crossings(poly, y)
		central := 1 - max(share-0.5, 0.5-share)
		for i := 1; i < len(xs); i += 2 {
			if w := (xs[i] - xs[i-1]) * central; w > bestWidth {
				best, bestWidth = orb.Point{(xs[i] + xs[i-1]) / 2, y}, w
			}
		}
	}
	return best
}

// crossings are the longitudes at which the rings cross latitude y, ascending.
func crossings(poly orb.Polygon, y float64) []float64 {
	var xs []float64
	for _, r := range poly {
		for i := 1; i < len(r); i++ {
			a, b := r[i-1], r[i]
			if (a[1] <= y) != (b[1] <= y) {
				xs = append(xs, a[0]+(y-a[1])*(b[0]-a[0])/(b[1]-a[1]))
			}
		}
	}
	slices.Sort(xs)
	return xs
}
