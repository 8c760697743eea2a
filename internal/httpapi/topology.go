package httpapi

import (
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// topology says of which arcs the rings of each grid and street are made, so
// that a border that is simplified or quantised once stays the same for all
// that share it.
type topology struct {
	arcs    []partition.Arc
	grids   [][]arcPolygon // by place in gen.Grids
	streets [][]arcPolygon // by place in gen.Streets
	levels  []borderLevel  // of each arc
}

// arcPolygon is an outer ring and its holes; arcRing lists arcs head to tail,
// the one's complement of the index where an arc runs backwards.
type (
	arcPolygon []arcRing
	arcRing    []int32
)

// borderLevel is the greatest thing that ends at an arc.
type borderLevel uint8

const (
	gridBorder borderLevel = iota
	streetBorder
	districtBorder
)

var levelNames = [...]string{"grid", "street", "district"}

func newTopology(gen *grid.Generation) *topology {
	part := gen.Partition()
	t := &topology{arcs: part.Arcs(), levels: make([]borderLevel, len(part.Arcs()))}
	hops := newHops(t.arcs)
	for _, g := range gen.Grids() {
		t.grids = append(t.grids, hops.polygons(part.Polygons(partition.FaceID(g.ID))))
	}
	street := streetFaces(gen)
	whole := part.Dissolve(street)
	for i := range gen.Streets() {
		t.streets = append(t.streets, hops.polygons(whole.Polygons(partition.FaceID(i+1))))
	}
	for i, arc := range t.arcs {
		switch {
		case arc.Left == partition.Outside || arc.Right == partition.Outside:
			t.levels[i] = districtBorder
		case street(arc.Left) != street(arc.Right):
			t.levels[i] = streetBorder
		}
	}
	return t
}

// streetFaces names the street of a grid's face: its place in gen.Streets plus
// one, and after the last for grids that have none.
func streetFaces(gen *grid.Generation) func(partition.FaceID) partition.FaceID {
	places := make(map[string]partition.FaceID)
	for i, s := range gen.Streets() {
		places[s.Code] = partition.FaceID(i + 1)
	}
	faces := make(map[partition.FaceID]partition.FaceID)
	for _, g := range gen.Grids() {
		face, ok := places[g.Street]
		if !ok {
			face = partition.FaceID(len(places) + 1)
		}
		faces[partition.FaceID(g.ID)] = face
	}
	return func(f partition.FaceID) partition.FaceID { return faces[f] }
}

// hops finds the arc that begins with a directed edge.
type hops struct {
	arcs   []partition.Arc
	starts map[[2]geo.Coord]int32
}

func newHops(arcs []partition.Arc) *hops {
	h := &hops{arcs: arcs, starts: make(map[[2]geo.Coord]int32, 2*len(arcs))}
	for i, a := range arcs {
		n := len(a.Points)
		h.starts[[2]geo.Coord{a.Points[0], a.Points[1]}] = int32(i)
		h.starts[[2]geo.Coord{a.Points[n-1], a.Points[n-2]}] = ^int32(i)
	}
	return h
}

func (h *hops) polygons(polygons [][]partition.Ring) []arcPolygon {
	out := make([]arcPolygon, len(polygons))
	for i, rings := range polygons {
		for _, r := range rings {
			out[i] = append(out[i], h.ring(r))
		}
	}
	return out
}

// ring splits r where its arcs meet. Rings touch themselves only at nodes and
// are cut there, so that whole arcs make a ring.
func (h *hops) ring(r partition.Ring) arcRing {
	at := func(i int) geo.Coord { return r[i%len(r)] }
	first := 0
	for first < len(r) {
		if _, ok := h.starts[[2]geo.Coord{at(first), at(first + 1)}]; ok {
			break
		}
		first++
	}
	var out arcRing
	for i := first; i < first+len(r); {
		arc, ok := h.starts[[2]geo.Coord{at(i), at(i + 1)}]
		if !ok {
			panic("httpapi: a ring of the partition is not made of its arcs")
		}
		out = append(out, arc)
		if arc < 0 {
			arc = ^arc
		}
		i += len(h.arcs[arc].Points) - 1
	}
	return out
}
