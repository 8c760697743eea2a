package demo

import (
	"slices"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
)

// place is a grid as cases see it: how much happens there, the corners where
// it does, and who looks after it.
type place struct {
	grid    *grid.Grid
	street  *grid.Street
	weight  int
	lo, hi  geo.Coord // box
	corners []geo.Coord
	patrols []string // codes of units, two at least
}

// cornersOfGrid is how many spots of a grid draw more cases than others: a
// market, a crossing, a school's gate.
const cornersOfGrid = 9

func placesOf(x *locate.Index, staff *Staff, seed uint64) []place {
	gen := x.Generation()
	byStreet, walkers := map[string][]string{}, map[grid.ID][]string{}
	for i := range staff.Units {
		u := &staff.Units[i]
		switch u.Kind {
		case patrol.GridPatrol:
			for _, id := range u.Grids {
				walkers[id] = append(walkers[id], u.Code)
			}
		case patrol.MobilePatrol:
			byStreet[u.Street] = append(byStreet[u.Street], u.Code)
		}
	}
	grids := gen.Grids()
	out := make([]place, len(grids))
	for i := range grids {
		g := &grids[i]
		street, _ := gen.Street(g.Street)
		d := throw(seed, 31, uint64(g.ID))
		p := place{grid: g, street: street, weight: 300 + d.below(1400), patrols: walkers[g.ID]}
		if d.below(8) == 0 {
			p.weight *= 2
		}
		for len(p.patrols) < 2 {
			p.patrols = append(slices.Clip(p.patrols), byStreet[g.Street]...)
			p.patrols = append(p.patrols, g.Street+"-1", g.Street+"-2") // a street of hardly any members
		}
		p.lo, _ = geo.Quantise(g.Bound.Min)
		p.hi, _ = geo.Quantise(g.Bound.Max)
		for range cornersOfGrid {
			p.corners = append(p.corners, p.anywhere(x, d))
		}
		out[i] = p
	}
	return out
}

// tries bounds the search for a point; a grid is hardly ever less than a
// tenth of its box.
const tries = 400

// anywhere is a point of the grid.
func (p *place) anywhere(x *locate.Index, d *dice) geo.Coord {
	for range tries {
		c := geo.Coord{X: p.lo.X + int32(d.below(int(p.hi.X-p.lo.X)+1)), Y: p.lo.Y + int32(d.below(int(p.hi.Y-p.lo.Y)+1))}
		if x.LocateCoord(c) == p.grid.ID {
			return c
		}
	}
	c, _ := geo.Quantise(p.grid.Label)
	return c
}

// somewhere is where a case of an item lies: mostly near one of the corners,
// and each item has its own.
func (p *place) somewhere(x *locate.Index, d *dice, item uint64) geo.Coord {
	if d.below(100) < 68 {
		// The lower of two, counted from the item's own: a few corners draw
		// most.
		corner := p.corners[(min(d.below(cornersOfGrid), d.below(cornersOfGrid))+int(mix(item)>>1%3))%cornersOfGrid]
		for range 4 {
			c := geo.Coord{X: corner.X + scatter(d, 6300), Y: corner.Y + scatter(d, 5400)}
			if x.LocateCoord(c) == p.grid.ID {
				return c
			}
		}
	}
	return p.anywhere(x, d)
}

// scatter is about normal, with a deviation of that many units.
func scatter(d *dice, deviation int) int32 {
	sum := 0
	for range 3 {
		sum += d.below(2*deviation + 1)
	}
	return int32(sum - 3*deviation)
}
