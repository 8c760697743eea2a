package grid

import (
	"slices"

	"lianqin/internal/fault"
)

// keptShare is how much of a grid, old and new, must be common land for a grid
// with another code to be the same grid renumbered.
const keptShare = 0.9

// Identify gives areas the IDs by which their grids are known for good. A grid
// of base keeps its ID: one whose ID the area carries, unless the code says
// otherwise; else one of the same code; else one whose code is gone and whose
// land is nearly the same, which was renumbered. All others get IDs after
// greatest. Without a base, IDs that all areas carry are kept. The areas given
// are not changed.
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
	codes := make(map[string]bool, len(out))
	for _, a := range out {
		codes[a.Grid.Code] = true
	}
	taken := make(map[ID]bool, len(out))
	for i := range out {
		d := &out[i].Grid
		given := d.ID
		d.ID = None
		if was, ok := base.GridByCode(d.Code); ok {
			d.ID = was.ID
		} else if was, ok := base.Grid(given); ok && !codes[was.Code] {
			d.ID = given
		}
		if taken[d.ID] {
			d.ID = None
		}
		if d.ID != None {
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
