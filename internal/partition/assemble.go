package partition

import (
	"math"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// straightUnits is how far a vertex that noding made may lie off the line
// between its neighbours to be dropped again: what rounding can do to it.
const straightUnits = 1.5

// assemble makes the partition that the plots' owners say and proves it.
func (a *allotment) assemble(original map[geo.Coord]bool) (*Partition, error) {
	var edges []edge
	for i := range a.lines {
		left, right := a.face(a.cell[2*i]), a.face(a.cell[2*i+1])
		if left != right {
			edges = append(edges, edge{a.lines[i].a, a.lines[i].b, left, right})
		}
	}
	full := newFan(edges).arcs()
	p, err := prove(straighten(full, original))
	if err != nil {
		// A part thinner than the rounding can end up on the wrong side of a
		// straightened arc. The noded lines themselves are sure.
		if p, err = prove(full); err != nil {
			return nil, fault.New(fault.Internal, "the cleaned shapes do not prove: %w", err)
		}
	}
	return p, nil
}

// verticesOf are all vertices of shapes.
func verticesOf(shapes []Shape) map[geo.Coord]bool {
	all := make(map[geo.Coord]bool)
	for _, s := range shapes {
		for _, r := range s.Rings {
			for _, c := range r {
				all[c] = true
			}
		}
	}
	return all
}

// face is the owner of cell c.
func (a *allotment) face(c int32) FaceID {
	if f := a.owner[a.of[c]]; f >= 0 {
		return a.faces[f]
	}
	return Outside
}

// prove takes arcs apart into shapes and gives them to New.
func prove(arcs []Arc) (*Partition, error) {
	p := newPartition(arcs)
	shapes := make([]Shape, len(p.faces))
	for i, f := range p.faces {
		shapes[i] = Shape{f, p.Rings(f)}
	}
	return New(shapes)
}

// straighten drops the vertices that only noding made and that do not bend
// their arc, so that a line that was kept is what it was. Arcs that would then
// meet others are left as they are.
func straighten(full []Arc, original map[geo.Coord]bool) []Arc {
	arcs := make([]Arc, len(full))
	for i, a := range full {
		arcs[i] = a
		if pts := dropStraight(a.Points, original); len(pts) >= 4 || pts[0] != pts[len(pts)-1] {
			arcs[i].Points = pts
		}
	}
	for changed := true; changed; {
		changed = false
		var edges []edge
		var of []int32
		for i, a := range arcs {
			for k := 1; k < len(a.Points); k++ {
				e := edge{a: a.Points[k-1], b: a.Points[k]}
				if !geo.Upward(e.a, e.b) {
					e.a, e.b = e.b, e.a
				}
				edges = append(edges, e)
				of = append(of, int32(i))
			}
		}
		forMeetings(edges, func(i, j int32, _ geo.Coord) {
			for _, k := range [...]int32{of[i], of[j]} {
				if len(arcs[k].Points) < len(full[k].Points) {
					arcs[k].Points = full[k].Points
					changed = true
				}
			}
		})
	}
	return arcs
}

// dropStraight keeps the ends, the original vertices, and of the others those
// at which the arc bends (after Douglas and Peucker).
func dropStraight(pts []geo.Coord, original map[geo.Coord]bool) []geo.Coord {
	out := pts[:1:1]
	from := 0
	for i := 1; i < len(pts); i++ {
		if i == len(pts)-1 || original[pts[i]] {
			out = appendBends(out, pts[from:i+1])
			from = i
		}
	}
	return out
}

// appendBends appends run without its first vertex to out.
func appendBends(out, run []geo.Coord) []geo.Coord {
	last := len(run) - 1
	at, far := 0, straightUnits
	for i := 1; i < last; i++ {
		if d := offLine(run[0], run[last], run[i]); d > far {
			at, far = i, d
		}
	}
	if at == 0 {
		return append(out, run[last])
	}
	return appendBends(appendBends(out, run[:at+1]), run[at:])
}

// offLine is the distance of c from the segment a–b, in units.
func offLine(a, b, c geo.Coord) float64 {
	if a == b {
		return math.Hypot(float64(c.X-a.X), float64(c.Y-a.Y))
	}
	e := spotEdge{b: spot{float64(int64(b.X) - int64(a.X)), float64(int64(b.Y) - int64(a.Y))}}
	return math.Sqrt(e.dist2(spot{float64(int64(c.X) - int64(a.X)), float64(int64(c.Y) - int64(a.Y))}))
}
