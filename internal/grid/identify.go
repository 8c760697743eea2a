package grid

import (
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// keptShare is how much of a grid, old and new, must be common land for a grid
// with another code to be the same grid renumbered.
const keptShare = 0.9

// Identify gives areas the IDs by which their grids are known for good. A grid
// of base keeps its ID where an area has its code and some of its land; or else
// where an area under another code has nearly all its land and little more,
// which is then the same grid renumbered. All others get IDs after greatest. IDs that
// areas carry count only without a base, when all carry one: too many files
// number their rows. The areas given are not changed.
func Identify(streets []Street, areas []Area, base *Generation, greatest ID) ([]Area, error) {
	out := slices.Clone(areas)
	if base == nil {
		if slices.ContainsFunc(out, func(a Area) bool { return a.Grid.ID <= greatest }) {
			for i := range out {
				out[i].Grid.ID = greatest + ID(i) + 1
			}
		}
		return out, nil
	}
	for i := range out {
		out[i].Grid.ID = ID(i) + 1 // by place, until they are known
	}
	parents, err := parentsOf(streets, out, base)
	if err != nil {
		return nil, err
	}
	known := make([]ID, len(out))
	taken := make(map[ID]bool, len(out))
	for i := range out {
		was, ok := base.GridByCode(out[i].Grid.Code)
		if ok && slices.ContainsFunc(parents[ID(i)+1], func(d Descent) bool { return d.Parent == was.ID }) {
			known[i] = was.ID
			taken[was.ID] = true
		}
	}
	for i := range out {
		if known[i] == None {
			known[i] = renumbered(parents[ID(i)+1], taken)
		}
		if known[i] == None {
			greatest++
			known[i] = greatest
		}
		out[i].Grid.ID = known[i]
	}
	if greatest > MaxID {
		return nil, fault.New(fault.Invalid, "no IDs are left for new grids after %d", MaxID)
	}
	return out, nil
}

// parentsOf is the lineage of areas from base.
func parentsOf(streets []Street, areas []Area, base *Generation) (map[ID][]Descent, error) {
	src, err := Assemble(streets, areas)
	if err != nil {
		return nil, err
	}
	gen, err := New(0, src)
	if err != nil {
		return nil, err
	}
	lineage, err := LineageOf(base, gen)
	if err != nil {
		return nil, err
	}
	return lineage.Parents(), nil
}

// renumbered is the parent that an area with these rows continues under
// another code, or None.
func renumbered(rows []Descent, taken map[ID]bool) ID {
	main := rows[0] // the largest
	if main.Parent == None || taken[main.Parent] || main.ShareOfParent < keptShare || main.ShareOfChild < keptShare {
		return None
	}
	taken[main.Parent] = true
	return main.Parent
}

// inherit gives streets what a boundary file seldom tells, where base knows it:
// the seat, and the name where there is only the code.
func inherit(streets []Street, base *Generation) []Street {
	out := slices.Clone(streets)
	for i := range out {
		was, ok := base.Street(out[i].Code)
		if !ok {
			continue
		}
		if (out[i].Seat == orb.Point{}) {
			out[i].Seat = was.Seat
		}
		if out[i].Name == out[i].Code {
			out[i].Name = was.Name
		}
	}
	return out
}

// AreasOf is a generation's grids with their areas, as Import takes them.
func AreasOf(g *Generation) []Area {
	areas := make([]Area, len(g.grids))
	for i, d := range g.grids {
		areas[i] = Area{Grid: d, Polygons: g.polygons[i]}
	}
	return areas
}
