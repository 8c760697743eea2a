package partition

import (
	"cmp"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// Common is the land that face A of one set of shapes and face B of another
// have in common; Outside is what no shape of a set covers.
type Common struct {
	A, B   FaceID
	AreaM2 float64
}

// secondSet marks the faces of the second set while both lie in one plane.
const secondSet FaceID = 1 << 31

// Overlay lays two partitions, or parts of them, over each other and returns
// every piece of land in common, by A and then by B, without Outside on Outside.
// Borders that cross are cut at the crossing, rounded to the integer grid; it is
// exact apart from that, and what both have in common stays as it is. It is
// Invalid when an ID needs 32 bits or the borders cross too often.
func Overlay(a, b []Shape) ([]Common, error) {
	both := make([]Shape, 0, len(a)+len(b))
	for _, s := range slices.Concat(a, b) {
		if s.ID >= secondSet {
			return nil, fault.New(fault.Invalid, "face %d: greater than %d", s.ID, secondSet-1)
		}
		both = append(both, s)
	}
	for i := len(a); i < len(both); i++ {
		both[i].ID |= secondSet
	}
	faces, lines, err := gather(both)
	if err != nil {
		return nil, err
	}
	if lines, _, err = node(lines); err != nil {
		return nil, err
	}
	s, err := subdivide(faces, lines)
	if err != nil {
		return nil, err
	}
	sums := make(map[[2]FaceID]float64)
	var ring []geo.Coord
	for _, start := range s.cycle {
		cell := s.cell[start]
		if cell == 0 {
			continue
		}
		ring = append(ring[:0], s.fan.from(start))
		for h := s.fan.next(start); h != start; h = s.fan.next(h) {
			ring = append(ring, s.fan.from(h))
		}
		if pair := s.pair(cell); pair != [2]FaceID{} {
			sums[pair] += geo.RingAreaM2(ring)
		}
	}
	out := make([]Common, 0, len(sums))
	for pair, m2 := range sums {
		if m2 > 0 {
			out = append(out, Common{pair[0], pair[1], m2})
		}
	}
	slices.SortFunc(out, func(x, y Common) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return out, nil
}

// pair is the faces of either set round a cell.
func (s *subdivision) pair(cell int32) (pair [2]FaceID) {
	for _, w := range s.table.states[s.state[cell]] {
		if w.turns <= 0 {
			continue // turned over by the rounding of a crossing: next to nothing
		}
		set := 0
		if s.faces[w.face] >= secondSet {
			set = 1
		}
		if pair[set] == Outside {
			pair[set] = s.faces[w.face] &^ secondSet
		}
	}
	return pair
}
