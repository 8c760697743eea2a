// Package partition keeps a district's areas as a partition of the plane: arcs
// between nodes, each with the face on its left and the face on its right, so
// that every point belongs to exactly one face. A border is stored once and
// serves both neighbours; there is no way to write down a gap or an overlap.
//
// Every decision is exact integer arithmetic on geo.Coord. New accepts only
// shapes that already fit together to the last unit, and proves it; Clean
// makes such shapes out of other people's files and reports all it moved.
package partition

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// FaceID names a face. The plane outside all shapes is Outside.
type FaceID uint32

// Outside is the face of what no shape covers, the unbounded part and
// uncovered holes alike.
const Outside FaceID = 0

// MaxSpan is the greatest extent of a partition, each way, in units (about 107
// degrees): below it all orientation tests fit in 64 bits, on doubled
// coordinates too.
const MaxSpan = 1 << 30

// Ring is a closed line; the first vertex is not repeated at the end. The area
// that it bounds lies on its left: outer rings run counter-clockwise, holes
// clockwise.
type Ring []geo.Coord

// Shape is an area as a file gives it: any number of outer rings and holes.
type Shape struct {
	ID    FaceID
	Rings []Ring
}

// Arc is a border between two nodes, or a closed loop with none (then the
// first vertex is repeated as the last). Left and Right are the faces beside
// it and differ.
type Arc struct {
	Points      []geo.Coord
	Left, Right FaceID
}

// Partition is an immutable set of proven arcs. It is safe for concurrent use;
// callers do not modify what its methods return.
type Partition struct {
	arcs  []Arc
	faces []FaceID           // sorted, without Outside
	on    map[FaceID][]int32 // arcs beside a face: index, or ^index when the face is on the right
}

// NotPartition is why shapes do not form a partition. Defects holds at most
// MaxDefects of Count.
type NotPartition struct {
	Defects []Defect
	Count   int
}

// MaxDefects is how many defects one NotPartition lists.
const MaxDefects = 1000

func (e *NotPartition) Error() string {
	msg := fmt.Sprintf("not a partition: %d defects", e.Count)
	if len(e.Defects) > 0 {
		msg += ", the first: " + e.Defects[0].String()
	}
	return msg
}

// Unwrap makes a NotPartition a fault of kind Invalid.
func (e *NotPartition) Unwrap() error { return fault.New(fault.Invalid, "not a partition") }

func (e *NotPartition) add(d Defect) {
	e.Count++
	if len(e.Defects) < MaxDefects {
		e.Defects = append(e.Defects, d)
	}
}

// New proves that shapes form a partition and returns its arcs. The proof has
// no tolerance:
//
//  1. each directed edge is cancelled by its reverse at most once; what is not
//     cancelled borders Outside;
//  2. no two edges meet except in a common end;
//  3. around every vertex the faces of neighbouring edges agree;
//  4. a connected group of edges lies inside the face that its own outer side
//     names.
//
// Together they give every point of the plane one face. The error is a
// *NotPartition, or Invalid for a shape that is no area at all.
func New(shapes []Shape) (*Partition, error) {
	edges, bad, err := cancel(shapes)
	if err != nil {
		return nil, err
	}
	if bad.Count == 0 {
		findCrossings(edges, bad)
	}
	if bad.Count > 0 {
		return nil, bad
	}
	g := newFan(edges)
	g.checkWedges(bad)
	if bad.Count == 0 {
		g.checkNesting(bad)
	}
	if bad.Count > 0 {
		return nil, bad
	}
	return newPartition(g.arcs()), nil
}

func newPartition(arcs []Arc) *Partition {
	p := &Partition{arcs: arcs, on: make(map[FaceID][]int32)}
	for i, a := range arcs {
		p.on[a.Left] = append(p.on[a.Left], int32(i))
		p.on[a.Right] = append(p.on[a.Right], ^int32(i))
	}
	delete(p.on, Outside)
	p.faces = slices.Sorted(maps.Keys(p.on))
	for i := range arcs {
		if arcs[i].Left == Outside {
			p.on[Outside] = append(p.on[Outside], int32(i))
		} else if arcs[i].Right == Outside {
			p.on[Outside] = append(p.on[Outside], ^int32(i))
		}
	}
	return p
}

// Arcs are all borders, in an order that depends only on the shapes.
func (p *Partition) Arcs() []Arc { return p.arcs }

// ArcsOf are the arcs beside f as indexes into Arcs, one's complement where f
// is on the right.
func (p *Partition) ArcsOf(f FaceID) []int32 { return p.on[f] }

// Faces are the faces of the partition in ascending order, without Outside.
func (p *Partition) Faces() []FaceID { return p.faces }

// Neighbours are the faces that share an arc with f, in ascending order,
// without Outside.
func (p *Partition) Neighbours(f FaceID) []FaceID {
	var out []FaceID
	for _, i := range p.on[f] {
		other := Outside
		if i >= 0 {
			other = p.arcs[i].Right
		} else {
			other = p.arcs[^i].Left
		}
		if other != Outside {
			out = append(out, other)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// edge is an undirected edge stored upward (geo.Upward), with its two faces.
type edge struct {
	a, b        geo.Coord
	left, right FaceID
}

func (e edge) String() string { return fmt.Sprintf("%v–%v", e.a.Point(), e.b.Point()) }

type edgeKey struct{ a, b geo.Coord }

// cancel folds the directed edges of all rings into undirected ones, sorted by
// their lower end. Err is about a shape that has no area or no usable place.
func cancel(shapes []Shape) ([]edge, *NotPartition, error) {
	n := 0
	for _, s := range shapes {
		for _, r := range s.Rings {
			n += len(r)
		}
	}
	bad := &NotPartition{}
	edges := make([]edge, 0, n/2+n/8)
	index := make(map[edgeKey]int32, n/2+n/8)
	for _, s := range shapes {
		if s.ID == Outside {
			return nil, nil, fault.New(fault.Invalid, "shape: face 0 is the outside")
		}
		if len(s.Rings) == 0 {
			return nil, nil, fault.New(fault.Invalid, "face %d has no ring", s.ID)
		}
		for ri, r := range s.Rings {
			if len(r) < 3 {
				return nil, nil, fault.New(fault.Invalid, "face %d ring %d has %d vertices", s.ID, ri+1, len(r))
			}
			prev := r[len(r)-1]
			for _, c := range r {
				if c != prev {
					edges = fold(edges, index, prev, c, s.ID, bad)
				}
				prev = c
			}
		}
	}
	for _, e := range edges {
		if e.left == e.right {
			bad.add(Defect{Kind: InvalidRing, Faces: []FaceID{e.left}, At: e.a,
				Msg: fmt.Sprintf("the ring runs along %v and back", e)})
		}
	}
	if b := boundOf(edges); b.max.X-b.min.X >= MaxSpan || b.max.Y-b.min.Y >= MaxSpan {
		return nil, nil, fault.New(fault.Invalid, "the shapes span more than 107 degrees")
	}
	slices.SortFunc(edges, func(e, f edge) int {
		if e.a != f.a {
			return cmp.Compare(rank(e.a), rank(f.a))
		}
		return cmp.Compare(rank(e.b), rank(f.b))
	})
	return edges, bad, nil
}

// fold enters the directed edge from→to, which has face on its left.
func fold(edges []edge, index map[edgeKey]int32, from, to geo.Coord, face FaceID, bad *NotPartition) []edge {
	up := geo.Upward(from, to)
	if !up {
		from, to = to, from
	}
	i, ok := index[edgeKey{from, to}]
	if !ok {
		i = int32(len(edges))
		index[edgeKey{from, to}] = i
		edges = append(edges, edge{a: from, b: to})
	}
	side := &edges[i].right
	if up {
		side = &edges[i].left
	}
	if *side != Outside {
		kind, msg := Overlap, "both lie on the same side of"
		if *side == face {
			kind, msg = InvalidRing, "runs twice along"
		}
		bad.add(Defect{Kind: kind, Faces: facesOf(*side, face), At: from, Msg: fmt.Sprintf("%s %v", msg, edges[i])})
		return edges
	}
	*side = face
	return edges
}

func facesOf(a, b FaceID) []FaceID {
	if a == b {
		return []FaceID{a}
	}
	return []FaceID{min(a, b), max(a, b)}
}

type bound struct{ min, max struct{ X, Y int64 } }

func boundOf(edges []edge) (b bound) {
	for i, e := range edges {
		lo, hi := int64(min(e.a.X, e.b.X)), int64(max(e.a.X, e.b.X))
		bottom, top := int64(e.a.Y), int64(e.b.Y)
		if i == 0 {
			b.min.X, b.max.X, b.min.Y, b.max.Y = lo, hi, bottom, top
			continue
		}
		b.min.X, b.max.X = min(b.min.X, lo), max(b.max.X, hi)
		b.min.Y, b.max.Y = min(b.min.Y, bottom), max(b.max.Y, top)
	}
	return b
}
