package grid

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"lianqin/internal/geo"
	"lianqin/internal/partition"
)

// DescentKind says how a grid's area went from one generation to the next.
type DescentKind string

const (
	Same    DescentKind = "same"    // the very same borders
	Redrawn DescentKind = "redrawn" // the border moved
	Split   DescentKind = "split"   // the parent became several grids
	Merged  DescentKind = "merged"  // the child was several grids
	Added   DescentKind = "new"     // belonged to no grid before
	Gone    DescentKind = "gone"    // belongs to no grid any more
)

// Descent is the area that a grid of one generation and a grid of the next
// have in common. Parent None is land that was outside the district, Child
// None land that is outside now. The ShareOfParent of all rows with one parent
// sum to 1, as do the ShareOfChild of all rows with one child, within 1e-9.
type Descent struct {
	Parent        ID          `json:"parent"`
	Child         ID          `json:"child"`
	Kind          DescentKind `json:"kind"`
	AreaM2        float64     `json:"area_m2"`
	ShareOfParent float64     `json:"share_of_parent"`
	ShareOfChild  float64     `json:"share_of_child"`
}

// Lineage tells which grids of generation Child descend from which of
// generation Parent, by child and then by parent.
type Lineage struct {
	Parent   int       `json:"parent"`
	Child    int       `json:"child"`
	Descents []Descent `json:"descents"`
}

// LineageOf lays child over parent. Grids with the same borders in both are
// matched vertex by vertex; the others by an exact arrangement of their
// borders, whose crossings are rounded to the integer grid (1 cm): areas are as
// exact as that, and shares are taken of the areas' own sums.
func LineageOf(parent, child *Generation) (Lineage, error) {
	l := Lineage{Parent: parent.number, Child: child.number}
	parents, children := bordersOf(parent), bordersOf(child)
	var before, after []partition.Shape
	for _, d := range child.grids {
		if same, ok := parents.by[children.of[d.ID]]; ok {
			l.Descents = append(l.Descents, Descent{Parent: same, Child: d.ID, Kind: Same, AreaM2: d.AreaM2})
			continue
		}
		after = append(after, shapeOf(child, d.ID))
	}
	for _, d := range parent.grids {
		if _, ok := children.by[parents.of[d.ID]]; !ok {
			before = append(before, shapeOf(parent, d.ID))
		}
	}
	overlaps, err := partition.Overlay(before, after)
	if err != nil {
		return Lineage{}, fmt.Errorf("lineage of generation %d from %d: %w", child.number, parent.number, err)
	}
	for _, o := range overlaps {
		l.Descents = append(l.Descents, Descent{Parent: ID(o.A), Child: ID(o.B), AreaM2: o.AreaM2})
	}
	slices.SortFunc(l.Descents, func(a, b Descent) int {
		return cmp.Or(cmp.Compare(a.Child, b.Child), cmp.Compare(a.Parent, b.Parent))
	})
	l.share()
	l.nameKinds()
	return l, nil
}

func shapeOf(g *Generation, id ID) partition.Shape {
	return partition.Shape{ID: partition.FaceID(id), Rings: g.part.Rings(partition.FaceID(id))}
}

// borders finds grids by the bytes of their rings.
type borders struct {
	of map[ID]string
	by map[string]ID
}

func bordersOf(g *Generation) borders {
	b := borders{make(map[ID]string, len(g.grids)), make(map[string]ID, len(g.grids))}
	for _, d := range g.grids {
		var key []byte
		for _, r := range canonical(g.part.Rings(partition.FaceID(d.ID))) {
			key = appendRing(key, r)
		}
		b.of[d.ID], b.by[string(key)] = string(key), d.ID
	}
	return b
}

func appendRing(key []byte, r partition.Ring) []byte {
	for _, c := range append(r[:len(r):len(r)], geo.Coord{}) {
		key = append(key, byte(c.X), byte(c.X>>8), byte(c.X>>16), byte(c.X>>24), byte(c.Y), byte(c.Y>>8), byte(c.Y>>16), byte(c.Y>>24))
	}
	return key
}

// share sets the shares. Rows of None have no share of it: the outside has no
// area.
func (l *Lineage) share() {
	ofParent, ofChild := make(map[ID]float64), make(map[ID]float64)
	for _, d := range l.Descents {
		ofParent[d.Parent] += d.AreaM2
		ofChild[d.Child] += d.AreaM2
	}
	for i := range l.Descents {
		d := &l.Descents[i]
		if d.Parent != None && ofParent[d.Parent] > 0 {
			d.ShareOfParent = d.AreaM2 / ofParent[d.Parent]
		}
		if d.Child != None && ofChild[d.Child] > 0 {
			d.ShareOfChild = d.AreaM2 / ofChild[d.Child]
		}
	}
}

// nameKinds tells splits and mergers from moved borders: a grid was split when
// it is the main parent of several, and merged when it is the main child of
// several. A strip that changed hands makes neither.
func (l *Lineage) nameKinds() {
	mainParent, mainChild := make(map[ID]Descent), make(map[ID]Descent)
	for _, d := range l.Descents {
		if m, ok := mainParent[d.Child]; !ok || d.AreaM2 > m.AreaM2 {
			mainParent[d.Child] = d
		}
		if m, ok := mainChild[d.Parent]; !ok || d.AreaM2 > m.AreaM2 {
			mainChild[d.Parent] = d
		}
	}
	heirs, sources := make(map[ID]int), make(map[ID]int)
	for child, d := range mainParent {
		if child != None {
			heirs[d.Parent]++
		}
	}
	for parent, d := range mainChild {
		if parent != None {
			sources[d.Child]++
		}
	}
	for i := range l.Descents {
		d := &l.Descents[i]
		switch {
		case d.Kind == Same:
		case d.Parent == None:
			d.Kind = Added
		case d.Child == None:
			d.Kind = Gone
		case heirs[d.Parent] > 1 && mainParent[d.Child].Parent == d.Parent:
			d.Kind = Split
		case sources[d.Child] > 1 && mainChild[d.Parent].Child == d.Child:
			d.Kind = Merged
		default:
			d.Kind = Redrawn
		}
	}
}

// Parents are the rows of each child that is not None, the largest area first.
func (l *Lineage) Parents() map[ID][]Descent {
	return l.group(func(d Descent) ID { return d.Child })
}

// Children are the rows of each parent that is not None, the largest area
// first.
func (l *Lineage) Children() map[ID][]Descent {
	return l.group(func(d Descent) ID { return d.Parent })
}

func (l *Lineage) group(by func(Descent) ID) map[ID][]Descent {
	out := make(map[ID][]Descent)
	for _, d := range l.Descents {
		if id := by(d); id != None {
			out[id] = append(out[id], d)
		}
	}
	for rows := range maps.Values(out) {
		slices.SortStableFunc(rows, func(a, b Descent) int { return cmp.Compare(b.AreaM2, a.AreaM2) })
	}
	return out
}
