package demo

import (
	"math"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// outskirt is a piece of a street outside its urban core.
type outskirt struct {
	land  *plot
	grids int
}

// peel cuts pieces off land, each a whole number of village grids, until the
// doubled area core is left around seat. Of several attempts it keeps the one
// whose core is the most compact and holds the seat the deepest.
func (sv *surveyor) peel(land *plot, seat geo.Coord, core int64, villages int) (*plot, []outskirt, error) {
	var town *plot
	var rest []outskirt
	best := int64(math.MaxInt64)
	for try := range uint64(24) {
		t, r := sv.attempt(land, seat, core, villages, mix(sv.seed, 6, try))
		if t == nil {
			continue
		}
		if score := coreScore(t, seat) + abs(t.area()-core)/(core/1000)*60; score < best {
			best, town, rest = score, t, r
		}
	}
	if town == nil {
		at := seat.Point()
		return nil, nil, fault.New(fault.Internal, "no urban core of %d m² fits around the seat at %.5f,%.5f", m2(core), at[0], at[1])
	}
	slices.SortStableFunc(rest, func(a, b outskirt) int {
		return int(min(1, max(-1, a.land.northWest()-b.land.northWest())))
	})
	return town, rest, nil
}

// coreScore is the lower, the more compact a core is and the nearer the seat
// is to its middle.
func coreScore(t *plot, seat geo.Coord) int64 {
	lo, hi := bounds(t.ring)
	middle := geo.Coord{X: int32((int64(lo.X) + int64(hi.X)) / 2), Y: int32((int64(lo.Y) + int64(hi.Y)) / 2)}
	radius := radiusMM(t.area())
	off := distanceMM(seat, middle) * 1000 / radius
	deep := int64(math.MaxInt64)
	for i, a := range t.ring {
		deep = min(deep, segmentMM2(seat, a, t.ring[(i+1)%len(t.ring)]))
	}
	shallow := max(0, 600-int64(math.Sqrt(float64(deep)))*1000/radius)
	return shapeOf(t.perimeter(), t.area()) + off*6 + shallow*20
}

// radiusMM is the radius of the disc of that doubled area.
func radiusMM(twice int64) int64 { return int64(math.Sqrt(float64(m2(twice)*113/355))) * 1000 }

// attempt is one try at a core; nil when a cut finds no way.
func (sv *surveyor) attempt(land *plot, seat geo.Coord, core int64, villages int, seed uint64) (*plot, []outskirt) {
	each := (land.area() - core) / int64(villages)
	var rest []outskirt
	for cuts := uint64(0); villages > 0; cuts++ {
		d := throw(seed, cuts)
		found := false
		f := newFence(ringSegments(land.ring))
		for k, c := range sv.tangents(land, seat, core, each, villages, d) {
			if k == 40 {
				break
			}
			path := land.border(f, c.chord, sv.style(d), mix(seed, cuts, uint64(k)))
			if path == nil {
				continue
			}
			piece, inner := land.cut(c.from, c.to, path)
			if !inner.holds(seat) {
				continue
			}
			rest = append(rest, outskirt{piece, c.grids})
			land, found = inner, true
			villages -= c.grids
			break
		}
		if !found {
			return nil, nil
		}
	}
	return land, rest
}

func (sv *surveyor) style(d *dice) course {
	c := sv.villages
	c.stepMM = (c.stepMM + sv.urban.stepMM) / 2
	if d.below(2) == 0 {
		return roadCourse(c.stepMM, c.reachMM)
	}
	return c
}

// tangent is a chord that passes the seat at about the core's radius and cuts
// off a number of village grids.
type tangent struct {
	chord
	grids int
}

func (sv *surveyor) tangents(p *plot, seat geo.Coord, core, each int64, villages int, d *dice) []tangent {
	const starts = 72
	n := len(p.ring)
	stride := max(1, n/starts)
	radius := radiusMM(core) / 100 * (80 + int64(d.below(30)))
	var out []tangent
	for i := d.below(stride); i < n; i += stride {
		for o := stride; o < n-stride; o += stride {
			j := (i + o) % n
			a, b := p.ring[i], p.ring[j]
			if geo.Cross(a, b, seat) < 0 { // the piece would hold the seat
				continue
			}
			away := int64(math.Sqrt(float64(segmentMM2(seat, a, b))))
			if away < radius/2 || away > 2*radius {
				continue
			}
			grids := int((p.beyond(i, j) + each/2) / each)
			if grids < 1 || grids > villages {
				continue
			}
			want := int64(grids) * each
			if grids == villages {
				want = p.area() - core
			}
			j = p.settle(i, j, want, stride)
			if p.steps(i, j) <= 3 || abs(p.beyond(i, j)-want) > each/12 {
				continue
			}
			rest := shapeOf(p.perimeter()-p.onward(i, j)+distanceMM(a, b), p.area()-p.beyond(i, j))
			score := p.rate(i, j) + rest + abs(away-radius)*9000/radius
			out = append(out, tangent{chord{i, j, score / 1000 * d.around(150)}, grids})
		}
	}
	slices.SortFunc(out, func(a, b tangent) int { return byScore(a.chord, b.chord) })
	return out
}
