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
// of base keeps its ID: that of the same code, or else one whose code is gone
// and whose land is nearly the same, which was renumbered. All others get IDs
// after greatest. IDs that areas carry count only without a base, when all carry
// one: too many files number their rows. The areas given are not changed.
func Identify(streets []Street, areas []Area, base *Generation, greatest ID) ([]Area, error) {
	out := slices.Clone(areas)
	if base == nil {
		if !slices.ContainsFunc(out, func(a Area) bool { return a.Grid.ID == None || a.Grid.ID <= greatest }) {
			return out, nil
		}
		for i := range out {
			greatest++
			out[i].Grid.ID = greatest
		}
		return out, nil
	}
	taken := make(map[ID]bool, len(out))
	for i := range out {
		d := &out[i].Grid
		d.ID = None
		if was, ok := base.GridByCode(d.Code); ok {
			d.ID = was.ID // used twice when the code is, which New refuses
			taken[d.ID] = true
		}
	}
	fresh := greatest
	for i := range out {
		if out[i].Grid.ID == None {
			fresh++
			out[i].Grid.ID = fresh
		}
	}
	if fresh > MaxID {
		return nil, fault.New(fault.Invalid, "%d new grids: no IDs are left after %d", fresh-greatest, greatest)
	}
	if fresh == greatest || len(taken) == len(base.grids) {
		return out, nil
	}
	return out, renumbered(streets, out, base, greatest)
}

// renumbered gives areas with IDs after greatest, where they are grids of base
// under new codes, those grids' IDs.
func renumbered(streets []Street, areas []Area, base *Generation, greatest ID) error {
	src, err := Assemble(streets, areas)
	if err != nil {
		return err
	}
	gen, err := New(0, src)
	if err != nil {
		return err
	}
	lineage, err := LineageOf(base, gen)
	if err != nil {
		return err
	}
	kept := make(map[ID]ID)
	for _, d := range lineage.Descents {
		if _, stays := gen.Grid(d.Parent); d.Child > greatest && d.Parent != None && !stays {
			if d.Kind == Same || d.ShareOfParent >= keptShare && d.ShareOfChild >= keptShare {
				kept[d.Child] = d.Parent
			}
		}
	}
	for i := range areas {
		if was, ok := kept[areas[i].Grid.ID]; ok {
			areas[i].Grid.ID = was
		}
	}
	return nil
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
