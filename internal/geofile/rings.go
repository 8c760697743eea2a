package geofile

import (
	"errors"
	"fmt"

	"github.com/paulmach/orb"
)

// maxRingWork bounds the edges looked at while holes are matched to outer
// rings, over a whole file: a fraction of a second, where the largest real boundary
// files need a hundredth of it.
const maxRingWork = 100_000_000

var errRingWork = errors.New("too many nested rings to sort holes from outer rings")

// ringSorter makes polygons of a Shapefile's rings, whose roles are said by
// their direction only: outer rings clockwise, holes counter-clockwise. Files
// that break the rule are common, so a record without any clockwise ring is
// sorted by containment, and a hole in no outer ring becomes one itself.
type ringSorter struct {
	work       int
	strayHoles int
}

func (s *ringSorter) polygons(parts [][]orb.Point) (orb.Geometry, error) {
	rings := make([]orb.Ring, len(parts))
	bounds := make([]orb.Bound, len(parts))
	outer := make([]bool, len(parts))
	anyOuter := false
	for i, p := range parts {
		if len(p) < 3 {
			return nil, at("ring", i, fmt.Errorf("%d positions; a closed ring has at least 4", len(p)))
		}
		rings[i] = p
		bounds[i] = rings[i].Bound()
		outer[i] = rings[i].Orientation() == orb.CW
		anyOuter = anyOuter || outer[i]
	}
	parents, err := s.parents(rings, bounds, outer, anyOuter)
	if err != nil {
		return nil, err
	}
	var all orb.MultiPolygon
	place := make([]int, len(rings))
	for i, ring := range rings {
		if outer[i] {
			place[i] = len(all)
			all = append(all, orb.Polygon{ring})
		}
	}
	for i, ring := range rings {
		if !outer[i] {
			p := place[parents[i]]
			all[p] = append(all[p], ring)
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

// parents finds for every hole the smallest outer ring around it, and settles
// which rings are outer.
func (s *ringSorter) parents(rings []orb.Ring, bounds []orb.Bound, outer []bool, anyOuter bool) ([]int, error) {
	parents := make([]int, len(rings))
	if !anyOuter {
		// Even depth is outer. Which ring encloses which must be known for all
		// pairs before the roles are.
		depth := make([]int, len(rings))
		for i := range rings {
			for j := range rings {
				inside, err := s.inside(rings, bounds, i, j)
				if err != nil {
					return nil, err
				}
				if inside {
					depth[i]++
				}
			}
		}
		for i := range rings {
			outer[i] = depth[i]%2 == 0
		}
	}
	for i := range rings {
		if outer[i] {
			continue
		}
		parents[i] = -1
		for j := range rings {
			if !outer[j] {
				continue
			}
			inside, err := s.inside(rings, bounds, i, j)
			if err != nil {
				return nil, err
			}
			if inside && (parents[i] < 0 || boxArea(bounds[j]) < boxArea(bounds[parents[i]])) {
				parents[i] = j
			}
		}
	}
	for i := range rings {
		if !outer[i] && parents[i] < 0 {
			outer[i] = true
			s.strayHoles++
		}
	}
	return parents, nil
}

func boxArea(b orb.Bound) float64 { return (b.Max[0] - b.Min[0]) * (b.Max[1] - b.Min[1]) }

// inside reports whether ring i lies in ring j, going by its first vertex that
// is not on j's line; a ring all of whose vertices are on it counts as inside
// when its box is the smaller.
func (s *ringSorter) inside(rings []orb.Ring, bounds []orb.Bound, i, j int) (bool, error) {
	if s.work--; s.work < 0 {
		return false, errRingWork
	}
	if i == j || !bounds[j].Contains(bounds[i].Min) || !bounds[j].Contains(bounds[i].Max) {
		return false, nil
	}
	for _, p := range rings[i] {
		if s.work -= len(rings[j]); s.work < 0 {
			return false, errRingWork
		}
		if side := sideOf(rings[j], p); side != 0 {
			return side > 0, nil
		}
	}
	return boxArea(bounds[i]) < boxArea(bounds[j]), nil
}

// sideOf is 1 inside the ring, -1 outside, 0 on its line.
func sideOf(ring orb.Ring, p orb.Point) int {
	inside := false
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[j], ring[i]
		cross := (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0])
		if cross == 0 && p[0] >= min(a[0], b[0]) && p[0] <= max(a[0], b[0]) && p[1] >= min(a[1], b[1]) && p[1] <= max(a[1], b[1]) {
			return 0
		}
		if (a[1] > p[1]) != (b[1] > p[1]) && (cross > 0) == (b[1] > a[1]) {
			inside = !inside
		}
	}
	if inside {
		return 1
	}
	return -1
}
