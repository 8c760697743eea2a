package partition

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lianqin/internal/geo"
)

// wanderer makes exact partitions of a square by splitting it at random and
// bending every border, and spoils them.
type wanderer struct {
	rnd     *rand.Rand
	used    []int32 // coordinates of splits, so that no two junctions come close
	lines   map[edgeKey][]geo.Coord
	finest  float64 // units between vertices
	corners map[geo.Coord]bool
}

// jiading is where the test districts lie: a unit is 0.95 cm by 1.11 cm.
var jiading = geo.Coord{X: 1_212_000_000, Y: 313_800_000}

// metre is about how many units a metre is there.
const metre = 95

type rect struct{ x0, y0, x1, y1 int32 }

// district is n faces of about sideM metres each, with a vertex every
// spacingM metres.
func district(t testing.TB, seed uint64, n int, sideM, spacingM float64) []Shape {
	t.Helper()
	for try := range uint64(20) {
		w := &wanderer{
			rnd: rand.New(rand.NewPCG(seed, try)), lines: map[edgeKey][]geo.Coord{},
			finest: spacingM * metre, corners: map[geo.Coord]bool{},
		}
		side := int32(sideM * metre * math.Sqrt(float64(n)))
		shapes := w.shapes(w.split(rect{jiading.X, jiading.Y, jiading.X + side, jiading.Y + side}, n))
		if _, err := New(shapes); err == nil {
			return shapes
		}
	}
	t.Fatal("no district came out as a partition in 20 tries")
	return nil
}

func (w *wanderer) split(r rect, n int) []rect {
	if n == 1 {
		return []rect{r}
	}
	left := n / 2
	lo, hi, across := r.x0, r.x1, true
	if r.x1-r.x0 < r.y1-r.y0 {
		lo, hi, across = r.y0, r.y1, false
	}
	at := w.place(lo, hi, float64(left)/float64(n))
	if across {
		return append(w.split(rect{r.x0, r.y0, at, r.y1}, left), w.split(rect{at, r.y0, r.x1, r.y1}, n-left)...)
	}
	return append(w.split(rect{r.x0, r.y0, r.x1, at}, left), w.split(rect{r.x0, at, r.x1, r.y1}, n-left)...)
}

// place is a coordinate about share of the way from lo to hi and 20 m from any
// other.
func (w *wanderer) place(lo, hi int32, share float64) int32 {
	for {
		at := lo + int32(float64(hi-lo)*(share+0.2*(w.rnd.Float64()-0.5)))
		if !slices.ContainsFunc(w.used, func(u int32) bool { return max(u-at, at-u) < 20*metre }) || w.rnd.IntN(50) == 0 {
			w.used = append(w.used, at)
			return at
		}
	}
}

func (w *wanderer) shapes(rects []rect) []Shape {
	for _, r := range rects {
		for _, c := range r.corners() {
			w.corners[c] = true
		}
	}
	var all []geo.Coord
	for c := range w.corners {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b geo.Coord) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	shapes := make([]Shape, len(rects))
	for i, r := range rects {
		var ring Ring
		cs := r.corners()
		for k, a := range cs {
			b := cs[(k+1)%4]
			stops := []geo.Coord{a}
			for _, c := range all {
				if c != a && c != b && geo.Cross(a, b, c) == 0 && boxOf(a, b).meets(boxOf(c, c)) {
					stops = append(stops, c)
				}
			}
			l := line{a: a, b: b}
			slices.SortFunc(stops, l.along)
			stops = append(stops, b)
			for m := 1; m < len(stops); m++ {
				ring = append(ring, w.border(stops[m-1], stops[m])...)
			}
		}
		shapes[i] = Shape{FaceID(i + 1), []Ring{ring}}
	}
	return shapes
}

func (r rect) corners() [4]geo.Coord {
	return [4]geo.Coord{{X: r.x0, Y: r.y0}, {X: r.x1, Y: r.y0}, {X: r.x1, Y: r.y1}, {X: r.x0, Y: r.y1}}
}

// border is the bent line from a to b without b, the same both ways.
func (w *wanderer) border(a, b geo.Coord) []geo.Coord {
	lo, hi := a, b
	if b.Less(a) {
		lo, hi = b, a
	}
	inner, ok := w.lines[edgeKey{lo, hi}]
	if !ok {
		inner = w.bend(nil, lo, hi, math.Hypot(float64(hi.X-lo.X), float64(hi.Y-lo.Y)))
		w.lines[edgeKey{lo, hi}] = inner
	}
	inner = slices.Clone(inner)
	if lo != a {
		slices.Reverse(inner)
	}
	return append([]geo.Coord{a}, inner...)
}

// bend appends the vertices between a and b, part of a line of that whole
// length: the shorter the part the straighter.
func (w *wanderer) bend(out []geo.Coord, a, b geo.Coord, whole float64) []geo.Coord {
	dx, dy := float64(b.X-a.X), float64(b.Y-a.Y)
	l := math.Hypot(dx, dy)
	if l < w.finest {
		return out
	}
	d := 0.2 * (w.rnd.Float64() - 0.5) * l / whole
	m := geo.Coord{X: a.X + int32(dx/2-d*dy), Y: a.Y + int32(dy/2+d*dx)}
	return w.bend(append(w.bend(out, a, m, whole), m), m, b, whole)
}

// spoil moves every vertex of every shape for itself by up to byM metres, and
// drops (where the border is straight to a metre) or doubles some.
func spoil(rnd *rand.Rand, shapes []Shape, byM, drop float64) []Shape {
	out := make([]Shape, len(shapes))
	for i, s := range shapes {
		out[i].ID = s.ID
		for _, r := range s.Rings {
			var ring Ring
			dropped := false
			for k, c := range r {
				straight := offLine(r[(k+len(r)-1)%len(r)], r[(k+1)%len(r)], c) < metre
				if dropped = !dropped && straight && rnd.Float64() < drop; dropped {
					continue
				}
				for range 1 + rnd.IntN(30)/29 {
					sin, cos := math.Sincos(2 * math.Pi * rnd.Float64())
					d := byM * metre * rnd.Float64()
					ring = append(ring, geo.Coord{X: c.X + int32(d*cos), Y: c.Y + int32(d*sin)})
				}
			}
			out[i].Rings = append(out[i].Rings, ring)
		}
	}
	return out
}
