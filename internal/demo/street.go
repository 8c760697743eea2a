package demo

import (
	"math"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// parcel is one grid's land before it has a name.
type parcel struct {
	kind grid.Kind
	ring []geo.Coord
}

// surveyor divides one street's land.
type surveyor struct {
	seed            uint64
	urban, villages course // manners of the borders between grids
}

// stepFor is the distance between vertices on borders of grids of areaM2: it
// grows slowly, so that small grids and large ones have about as many.
func stepFor(areaM2 int64) int64 {
	return 6000 + 28*int64(math.Sqrt(float64(areaM2)))
}

// divide makes the grids of street w on its land: urban ones in one core around
// the seat, with the share of the land that the list gives them, and villages
// in what is left.
func divide(land *plot, seat geo.Coord, w *ward, scale int, seed uint64) ([]parcel, error) {
	urban, villages := w.urban*scale*scale, w.autonomous*scale*scale
	core := land.area() / 10000 * (w.urbanM2 * 10000 / w.areaM2)
	urbanM2, villageM2 := w.urbanM2/int64(w.urban), (w.areaM2-w.urbanM2)/int64(w.autonomous)
	sv := &surveyor{
		seed:     seed,
		urban:    roadCourse(stepFor(urbanM2), reachFor(urbanM2)),
		villages: riverCourse(stepFor(villageM2), reachFor(villageM2)),
	}
	town, rest, err := sv.peel(land, seat, core, villages)
	if err != nil {
		return nil, err
	}
	parcels, err := sv.grids(nil, town, urban, grid.Urban, mix(seed, 1))
	for i, r := range rest {
		if err == nil {
			parcels, err = sv.grids(parcels, r.land, r.grids, grid.Autonomous, mix(seed, 2, uint64(i)))
		}
	}
	return parcels, err
}

// reachFor is the longest wave of borders between grids of areaM2: four times
// a square's side.
func reachFor(areaM2 int64) int64 { return 4000 * int64(math.Sqrt(float64(areaM2))) }

// grids divides p into n grids of about equal area and appends them to
// parcels, from the north-west on. It halves p again and again, so that
// borders meet as side roads meet a main road.
func (sv *surveyor) grids(parcels []parcel, p *plot, n int, kind grid.Kind, seed uint64) ([]parcel, error) {
	if n == 1 {
		return append(parcels, parcel{kind, p.ring}), nil
	}
	d := throw(seed, 3)
	style := sv.urban
	if kind == grid.Autonomous {
		style = sv.villages
		if d.below(3) > 0 {
			style = roadCourse(style.stepMM, style.reachMM)
		}
	}
	style.stepMM = stepFor(m2(p.area()) / int64(n))
	first, spread := n/2, 120 // of two or three grids, one may be an eighth larger than fair
	if n > 3 {
		spread = 40
	}
	if n > 4 {
		first += d.below(n/5+1) - n/10
	}
	a, b, err := p.split(int64(first)*d.around(spread), int64(n)*1000, style, seed)
	if err != nil {
		return parcels, err
	}
	second := n - first
	if b.northWest() < a.northWest() {
		a, b, first, second = b, a, second, first
	}
	if parcels, err = sv.grids(parcels, a, first, kind, mix(seed, 4)); err != nil {
		return parcels, err
	}
	return sv.grids(parcels, b, second, kind, mix(seed, 5))
}
