package partition

import (
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// ShapeOf quantises the polygons of one area and turns their rings the right
// way round: in each polygon the first ring is the outer one and the others
// are holes, whichever way a file happens to run them. A closing vertex and
// repeated vertices are dropped. Rings that shrink to nothing on the integer
// grid are left out and counted. It is Invalid when a coordinate is unusable
// or nothing is left.
func ShapeOf(id FaceID, area orb.MultiPolygon) (s Shape, collapsed int, err error) {
	s.ID = id
	for pi, poly := range area {
		for ri, line := range poly {
			ring, err := quantiseRing(line)
			if err != nil {
				return s, collapsed, fault.New(fault.Invalid, "polygon %d ring %d: %w", pi+1, ri+1, err)
			}
			turn := doubleArea(ring)
			if len(ring) < 3 || turn == 0 {
				collapsed++
				if ri == 0 {
					break // no outer ring, so its holes are holes in nothing
				}
				continue
			}
			if (turn > 0) != (ri == 0) {
				slices.Reverse(ring)
			}
			s.Rings = append(s.Rings, ring)
		}
	}
	if len(s.Rings) == 0 {
		return s, collapsed, fault.New(fault.Invalid, "no ring encloses anything")
	}
	return s, collapsed, nil
}

func quantiseRing(line orb.Ring) (Ring, error) {
	ring := make(Ring, 0, len(line))
	for _, p := range line {
		c, err := geo.Quantise(p)
		if err != nil {
			return nil, err
		}
		if len(ring) == 0 || ring[len(ring)-1] != c {
			ring = append(ring, c)
		}
	}
	for len(ring) > 1 && ring[0] == ring[len(ring)-1] {
		ring = ring[:len(ring)-1]
	}
	return ring, nil
}

// MultiPolygonOf is Polygons in degrees, each ring closed by repeating its
// first vertex.
func MultiPolygonOf(polygons [][]Ring) orb.MultiPolygon {
	out := make(orb.MultiPolygon, len(polygons))
	for i, rings := range polygons {
		out[i] = make(orb.Polygon, len(rings))
		for j, r := range rings {
			line := make(orb.Ring, len(r)+1)
			for k, c := range r {
				line[k] = c.Point()
			}
			line[len(r)] = line[0]
			out[i][j] = line
		}
	}
	return out
}
