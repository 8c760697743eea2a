package simulate

import (
	"math"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/partition"
)

// spot is a place on the simulation's plane, in metres.
type spot struct{ x, y float64 }

func (a spot) to(b spot, t float64) spot { return spot{a.x + (b.x-a.x)*t, a.y + (b.y-a.y)*t} }
func (a spot) distance(b spot) float64   { return math.Hypot(b.x-a.x, b.y-a.y) }

// offset is a place so many metres east and north of a.
func (a spot) offset(dx, dy float64) spot { return spot{a.x + dx, a.y + dy} }

// plane makes metres of coordinates around the middle of a district.
type plane struct {
	origin geo.Coord
	mx, my float64 // metres a unit
}

func planeOf(b orb.Bound) plane {
	c := b.Center()
	origin, _ := geo.Quantise(c)
	s := geo.ScaleAt(c[1])
	return plane{origin, s.XM / geo.UnitsPerDegree, s.YM / geo.UnitsPerDegree}
}

func (p plane) spot(c geo.Coord) spot {
	return spot{float64(int64(c.X)-int64(p.origin.X)) * p.mx, float64(int64(c.Y)-int64(p.origin.Y)) * p.my}
}

func (p plane) coord(s spot) geo.Coord {
	return geo.Coord{X: p.origin.X + int32(math.Round(s.x/p.mx)), Y: p.origin.Y + int32(math.Round(s.y/p.my))}
}

// Roads are what patrols move along: the borders of a generation's grids,
// which follow streets and rivers. It is immutable and safe for concurrent
// use.
type Roads struct {
	plane
	index *locate.Index
	lines [][]spot                 // of the arcs
	ends  map[geo.Coord][]way      // ways that leave a node
	rings map[grid.ID]map[spot]way // ways around a grid with it on their left, by where they begin
	sides map[grid.ID][]way        // the same in order
	cores map[grid.ID]spot         // a place well inside
	homes map[string]spot          // the streets' seats
	by    map[string][]way         // ways in or beside a street
	arcs  []partition.Arc          // of the generation
}

// way is an arc in one of its directions.
type way struct {
	arc  int32
	back bool
}

// NewRoads makes the roads of x's generation.
func NewRoads(x *locate.Index) *Roads {
	gen := x.Generation()
	part := gen.Partition()
	r := &Roads{
		plane: planeOf(gen.Bound()), index: x, arcs: part.Arcs(),
		ends: make(map[geo.Coord][]way), rings: make(map[grid.ID]map[spot]way), sides: make(map[grid.ID][]way),
		cores: make(map[grid.ID]spot), homes: make(map[string]spot), by: make(map[string][]way),
	}
	r.lines = make([][]spot, len(r.arcs))
	for i, a := range r.arcs {
		line := make([]spot, len(a.Points))
		for k, c := range a.Points {
			line[k] = r.spot(c)
		}
		r.lines[i] = line
		forth, back := way{int32(i), false}, way{int32(i), true}
		r.ends[a.Points[0]] = append(r.ends[a.Points[0]], forth)
		last := a.Points[len(a.Points)-1]
		r.ends[last] = append(r.ends[last], back)
		r.border(grid.ID(a.Left), forth)
		r.border(grid.ID(a.Right), back)
	}
	for _, g := range gen.Grids() {
		label, _ := geo.Quantise(g.Label)
		r.cores[g.ID] = r.spot(label)
		for _, w := range r.sides[g.ID] {
			r.by[g.Street] = append(r.by[g.Street], w, way{w.arc, !w.back})
		}
	}
	for _, s := range gen.Streets() {
		if seat, err := geo.Quantise(s.Seat); err == nil && s.Seat != (orb.Point{}) {
			r.homes[s.Code] = r.spot(seat)
		}
	}
	return r
}

// border enters w, which has the face on its left.
func (r *Roads) border(id grid.ID, w way) {
	if r.rings[id] == nil {
		r.rings[id] = make(map[spot]way)
	}
	r.rings[id][r.at(w, 0)] = w
	r.sides[id] = append(r.sides[id], w)
}

// len is how many vertices w has.
func (r *Roads) len(w way) int { return len(r.lines[w.arc]) }

// at is the i-th vertex of w.
func (r *Roads) at(w way, i int) spot {
	line := r.lines[w.arc]
	if w.back {
		i = len(line) - 1 - i
	}
	return line[i]
}

// beside is the i-th vertex of w moved m metres to its left.
func (r *Roads) beside(w way, i int, m float64) spot {
	a, c, b := r.at(w, max(i-1, 0)), r.at(w, i), r.at(w, min(i+1, r.len(w)-1))
	l := a.distance(b)
	if l == 0 {
		return c
	}
	return spot{c.x - (b.y-a.y)/l*m, c.y + (b.x-a.x)/l*m}
}

// leaving are the ways that leave where w ends.
func (r *Roads) leaving(w way) []way {
	points := r.arcs[w.arc].Points
	if w.back {
		return r.ends[points[0]]
	}
	return r.ends[points[len(points)-1]]
}

// faces are the grids on w's left and right.
func (r *Roads) faces(w way) (left, right grid.ID) {
	a := &r.arcs[w.arc]
	if w.back {
		return grid.ID(a.Right), grid.ID(a.Left)
	}
	return grid.ID(a.Left), grid.ID(a.Right)
}

// beyond reports whether c is further than limitM from a grid, or from the
// outside of the district for grid.None.
func (r *Roads) beyond(c geo.Coord, id grid.ID, limitM float64) bool {
	return r.index.DistanceTo(c, id, limitM+1) > limitM
}

// touches reports whether one side of w is of the street.
func (r *Roads) touches(w way, street string) bool {
	a := &r.arcs[w.arc]
	for _, f := range [...]partition.FaceID{a.Left, a.Right} {
		if g, ok := r.index.Generation().Grid(grid.ID(f)); ok && g.Street == street {
			return true
		}
	}
	return false
}
