package storetest

import (
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/grid"
)

// District is cols times rows grids of about 1 km with winding borders of the
// given number of vertices between corners, one street to each row. Areas carry
// no IDs. Another seed winds the borders inside the district otherwise.
func District(cols, rows, bends, seed int) ([]grid.Street, []grid.Area) {
	var streets []grid.Street
	var areas []grid.Area
	for r := range rows {
		street := fmt.Sprintf("310114%03d", r+1)
		streets = append(streets, grid.Street{Code: street, Name: fmt.Sprintf("第%d街道", r+1), Seat: orb.Point{121.2, 31.3 + float64(r)*0.01}})
		for c := range cols {
			ring := ringOf(
				border(c, r, c+1, r, bends, seed*min(r, rows-r)),
				border(c+1, r, c+1, r+1, bends, seed*min(c+1, cols-c-1)),
				back(border(c, r+1, c+1, r+1, bends, seed*min(r+1, rows-r-1))),
				back(border(c, r, c, r+1, bends, seed*min(c, cols-c))))
			code := fmt.Sprintf("%sU%02d", street, c+1)
			areas = append(areas, grid.Area{
				Grid: grid.Grid{Code: code, Name: "网格" + code[9:], Kind: grid.Urban, Street: street,
					Department: grid.Department{Code: street + "-S01", Name: "联勤网格化中心"}},
				Polygons: orb.MultiPolygon{{ring}},
			})
		}
	}
	return streets, areas
}

// border runs from one corner to another; whoever walks it gets the same
// vertices.
func border(c0, r0, c1, r1, bends, seed int) orb.Ring {
	line := make(orb.Ring, bends+2)
	for k := range line {
		t := float64(k) / float64(bends+1)
		dx, dy := float64(c1-c0), float64(r1-r0)
		sway := 0.12 * math.Sin(math.Pi*t) * math.Sin(float64(7*k)*t+float64(3*c0+5*r0+seed))
		line[k] = orb.Point{
			math.Round((121.1+0.01*(float64(c0)+dx*t-dy*sway))*1e7) / 1e7,
			math.Round((31.2+0.01*(float64(r0)+dy*t+dx*sway))*1e7) / 1e7,
		}
	}
	return line
}

// ringOf joins borders, each but for its end.
func ringOf(lines ...orb.Ring) orb.Ring {
	var ring orb.Ring
	for _, l := range lines {
		ring = append(ring, l[:len(l)-1]...)
	}
	return append(ring, ring[0])
}

func back(line orb.Ring) orb.Ring {
	line = slices.Clone(line)
	slices.Reverse(line)
	return line
}
