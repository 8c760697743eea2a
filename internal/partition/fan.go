package partition

import (
	"cmp"
	"fmt"
	"slices"

	"lianqin/internal/geo"
)

// fan is the graph of edges, seen from its vertices: around each, the outgoing
// half-edges in counter-clockwise order from due east. Half-edge 2i runs up
// edge i (a→b), 2i+1 runs down it.
type fan struct {
	edges []edge
	halfs []int32 // by origin, then by angle
	first []int32 // of each vertex, into halfs; one more than there are vertices
	slot  []int32 // of each half-edge, its place in halfs
	vert  []int32 // of each half-edge, its origin
}

func newFan(edges []edge) *fan {
	g := &fan{edges: edges, halfs: make([]int32, 2*len(edges)), slot: make([]int32, 2*len(edges)), vert: make([]int32, 2*len(edges))}
	// The origin goes along as one word: half-edges lie far apart in memory.
	type outgoing struct {
		origin uint64
		half   int32
	}
	out := make([]outgoing, len(g.halfs))
	for i := range out {
		out[i] = outgoing{rank(g.from(int32(i))), int32(i)}
	}
	slices.SortFunc(out, func(h, k outgoing) int {
		if h.origin != k.origin {
			return cmp.Compare(h.origin, k.origin)
		}
		return compareAngle(g.from(h.half), g.to(h.half), g.to(k.half))
	})
	for i, o := range out {
		h := o.half
		g.halfs[i] = h
		if i == 0 || o.origin != out[i-1].origin {
			g.first = append(g.first, int32(i))
		}
		g.slot[h] = int32(i)
		g.vert[h] = int32(len(g.first) - 1)
	}
	g.first = append(g.first, int32(len(g.halfs)))
	return g
}

// rank orders coords as Coord.Less does: by Y, then X.
func rank(c geo.Coord) uint64 {
	const sign = 1 << 31
	return uint64(uint32(c.Y)^sign)<<32 | uint64(uint32(c.X)^sign)
}

// compareAngle orders the directions o→p and o→q counter-clockwise from due
// east.
func compareAngle(o, p, q geo.Coord) int {
	lower := func(c geo.Coord) int { // 0 for angles in [0, π), 1 for [π, 2π)
		if c.Y > o.Y || c.Y == o.Y && c.X > o.X {
			return 0
		}
		return 1
	}
	if d := cmp.Compare(lower(p), lower(q)); d != 0 {
		return d
	}
	return cmp.Compare(0, geo.Cross(o, p, q))
}

func (g *fan) from(h int32) geo.Coord {
	if h&1 == 0 {
		return g.edges[h>>1].a
	}
	return g.edges[h>>1].b
}

func (g *fan) to(h int32) geo.Coord { return g.from(h ^ 1) }

// left is the face on the left of h.
func (g *fan) left(h int32) FaceID {
	if h&1 == 0 {
		return g.edges[h>>1].left
	}
	return g.edges[h>>1].right
}

// around are the half-edges that leave vertex v.
func (g *fan) around(v int) []int32 { return g.halfs[g.first[v]:g.first[v+1]] }

func (g *fan) vertices() int { return len(g.first) - 1 }

// next follows h along the boundary of its left face: at its end, the
// half-edge just clockwise of the way back.
func (g *fan) next(h int32) int32 {
	back := h ^ 1
	v := g.vert[back]
	s := g.slot[back] - 1
	if s < g.first[v] {
		s = g.first[v+1] - 1
	}
	return g.halfs[s]
}

// checkWedges holds that two neighbouring half-edges name the same face for
// the wedge between them.
func (g *fan) checkWedges(bad *NotPartition) {
	for v := range g.vertices() {
		out := g.around(v)
		for i, h := range out {
			k := out[(i+1)%len(out)]
			if a, b := g.left(h), g.left(k^1); a != b {
				bad.add(Defect{Kind: Overlap, Faces: facesOf(a, b), At: g.from(h),
					Msg: fmt.Sprintf("the faces beside %v and %v do not agree", g.edges[h>>1], g.edges[k>>1])})
			}
		}
	}
}

// checkNesting holds that each connected group of edges lies in the face that
// its outer side names.
func (g *fan) checkNesting(bad *NotPartition) {
	group := g.groups()
	// Vertices are sorted upwards, so the first one of a group is its lowest,
	// westernmost; the wedge after its last half-edge opens to the south.
	lowest := make(map[int32]int)
	for v := g.vertices() - 1; v >= 0; v-- {
		lowest[group[v]] = v
	}
	slabs := newSlabs(g.edges)
	for id, v := range lowest {
		out := g.around(v)
		says := g.left(out[len(out)-1])
		at := g.from(out[0])
		is := slabs.faceAt(at, func(e int32) bool { return group[g.vert[2*e]] != id })
		if says != is {
			inner := g.left(out[0])
			d := Defect{Kind: Overlap, Faces: facesOf(inner, is), At: at, Msg: fmt.Sprintf("face %d lies in face %d, which has no hole for it", inner, is)}
			if is == Outside {
				d = Defect{Kind: InvalidRing, Faces: []FaceID{says}, At: at, Msg: fmt.Sprintf("face %d lies outside its own ring", says)}
			}
			bad.add(d)
		}
	}
}

// groups gives each vertex the number of its connected group.
func (g *fan) groups() []int32 {
	parent := make([]int32, g.vertices())
	for i := range parent {
		parent[i] = int32(i)
	}
	find := func(v int32) int32 {
		for parent[v] != v {
			parent[v] = parent[parent[v]]
			v = parent[v]
		}
		return v
	}
	for i := range g.edges {
		a, b := find(g.vert[2*i]), find(g.vert[2*i+1])
		parent[max(a, b)] = min(a, b)
	}
	for v := range parent {
		parent[v] = find(int32(v))
	}
	return parent
}

// slabs sorts edges by horizontal bands, to find the face of a point by a ray.
type slabs struct {
	edges []edge
	y0    int64
	shift uint
	start []int32
	items []int32
}

func newSlabs(edges []edge) *slabs {
	b := boundOf(edges)
	s := &slabs{edges: edges, y0: b.min.Y}
	// As many bands as pay, and not so many that tall edges fill the memory.
	for (b.max.Y-b.min.Y)>>s.shift > int64(min(4096, len(edges))) || s.entries() > int64(8*len(edges)+4096) {
		s.shift++
	}
	n := int((b.max.Y-b.min.Y)>>s.shift) + 1
	s.start = make([]int32, n+1)
	each := func(f func(e int32, band int64)) {
		for i := range edges {
			for y := (int64(edges[i].a.Y) - s.y0) >> s.shift; y <= (int64(edges[i].b.Y)-s.y0)>>s.shift; y++ {
				f(int32(i), y)
			}
		}
	}
	each(func(_ int32, y int64) { s.start[y+1]++ })
	for i := range n {
		s.start[i+1] += s.start[i]
	}
	s.items = make([]int32, s.start[n])
	fill := slices.Clone(s.start)
	each(func(e int32, y int64) { s.items[fill[y]] = e; fill[y]++ })
	return s
}

// entries is how often the edges would be entered in the bands.
func (s *slabs) entries() (n int64) {
	for i := range s.edges {
		n += (int64(s.edges[i].b.Y)-s.y0)>>s.shift - (int64(s.edges[i].a.Y)-s.y0)>>s.shift + 1
	}
	return n
}

// faceAt is the face of p by the half-open rule, by the edges that keep
// accepts: the faces across each edge west of p, added without carry, leave
// only p's own.
func (s *slabs) faceAt(p geo.Coord, keep func(e int32) bool) FaceID {
	y := (int64(p.Y) - s.y0) >> s.shift
	if y < 0 || y >= int64(len(s.start)-1) {
		return Outside
	}
	face := Outside
	for _, i := range s.items[s.start[y]:s.start[y+1]] {
		e := &s.edges[i]
		if e.a.Y <= p.Y && p.Y < e.b.Y && !geo.LeftOf(e.a, e.b, p) && keep(i) {
			face ^= e.left ^ e.right
		}
	}
	return face
}

// arcs joins edges into arcs from node to node. A node is a vertex where other
// than two edges meet; a loop without one starts at its lowest vertex.
func (g *fan) arcs() []Arc {
	var arcs []Arc
	done := make([]bool, len(g.edges))
	trace := func(h int32) {
		if done[h>>1] {
			return
		}
		arc := Arc{Points: []geo.Coord{g.from(h)}, Left: g.left(h), Right: g.left(h ^ 1)}
		for {
			done[h>>1] = true
			arc.Points = append(arc.Points, g.to(h))
			if len(g.around(int(g.vert[h^1]))) != 2 {
				break
			}
			if h = g.next(h); done[h>>1] {
				break
			}
		}
		arcs = append(arcs, arc)
	}
	for v := range g.vertices() {
		if out := g.around(v); len(out) != 2 {
			for _, h := range out {
				trace(h)
			}
		}
	}
	for v := range g.vertices() {
		trace(g.around(v)[0])
	}
	return arcs
}
