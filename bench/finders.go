package main

import (
	"strconv"

	"github.com/golang/geo/s2"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/ringsaturn/tzf"
	tzfpb "github.com/ringsaturn/tzf/gen/go/tzf/v1"
	"github.com/tidwall/geojson/geometry"
	"github.com/tidwall/rtree"

	"lianqin/internal/grid"
)

// tidwall is the pair that Tile38 is made of: an R-tree of boxes and, in each
// polygon, an index of its edges.
type tidwall struct {
	boxes rtree.RTreeG[*tidwallGrid]
}

type tidwallGrid struct {
	id   grid.ID
	poly *geometry.Poly
}

func buildTidwall(g *grid.Generation) (finder, error) {
	x := &tidwall{}
	boxesOf(g, func(id grid.ID, box orb.Bound, p orb.Polygon) {
		var rings [][]geometry.Point
		for _, r := range p {
			ring := make([]geometry.Point, len(r))
			for i, c := range r {
				ring[i] = geometry.Point{X: c[0], Y: c[1]}
			}
			rings = append(rings, ring)
		}
		poly := geometry.NewPoly(rings[0], rings[1:], geometry.DefaultIndexOptions)
		x.boxes.Insert(box.Min, box.Max, &tidwallGrid{id, poly})
	})
	return x, nil
}

func (x *tidwall) find(dst []grid.ID, pts []orb.Point) {
	for i, p := range pts {
		id := grid.None
		x.boxes.Search(p, p, func(_, _ [2]float64, g *tidwallGrid) bool {
			if g.poly.ContainsPoint(geometry.Point{X: p[0], Y: p[1]}) {
				id = g.id
				return false
			}
			return true
		})
		dst[i] = id
	}
}

// planarTree tests every polygon whose box holds the point, edge by edge.
type planarTree struct {
	boxes rtree.RTreeG[planarGrid]
}

type planarGrid struct {
	id   grid.ID
	poly orb.Polygon
}

func buildOrb(g *grid.Generation) (finder, error) {
	x := &planarTree{}
	boxesOf(g, func(id grid.ID, box orb.Bound, p orb.Polygon) {
		x.boxes.Insert(box.Min, box.Max, planarGrid{id, p})
	})
	return x, nil
}

func (x *planarTree) find(dst []grid.ID, pts []orb.Point) {
	for i, p := range pts {
		id := grid.None
		x.boxes.Search(p, p, func(_, _ [2]float64, g planarGrid) bool {
			if planar.PolygonContains(g.poly, p) {
				id = g.id
				return false
			}
			return true
		})
		dst[i] = id
	}
}

// sphere is S2: cells of the sphere, each with the edges that cross it.
type sphere struct {
	query *s2.ContainsPointQuery
}

type sphereGrid struct {
	*s2.LaxPolygon
	id grid.ID
}

func buildS2(g *grid.Generation) (finder, error) {
	index := s2.NewShapeIndex()
	for _, d := range g.Grids() {
		var loops [][]s2.Point
		for _, p := range g.Polygon(d.ID) {
			for _, r := range p {
				loop := make([]s2.Point, len(r)-1)
				for i, c := range r[1:] {
					loop[i] = s2.PointFromLatLng(s2.LatLngFromDegrees(c[1], c[0]))
				}
				loops = append(loops, loop)
			}
		}
		index.Add(sphereGrid{s2.LaxPolygonFromPoints(loops), d.ID})
	}
	index.Build()
	return &sphere{s2.NewContainsPointQuery(index, s2.VertexModelSemiOpen)}, nil
}

func (x *sphere) find(dst []grid.ID, pts []orb.Point) {
	for i, p := range pts {
		dst[i] = grid.None
		at := s2.PointFromLatLng(s2.LatLngFromDegrees(p[1], p[0]))
		if in := x.query.ContainingShapes(at); len(in) > 0 {
			dst[i] = in[0].(sphereGrid).id
		}
	}
}

// zones is tzf, with grids for time zones. Its format holds float32 degrees,
// so that borders move by up to half a metre.
type zones struct {
	finder tzf.F
}

func buildTZF(g *grid.Generation) (finder, error) {
	points := func(r orb.Ring) (out []*tzfpb.Point) {
		for _, c := range r {
			out = append(out, &tzfpb.Point{Lng: float32(c[0]), Lat: float32(c[1])})
		}
		return out
	}
	data := &tzfpb.Timezones{}
	for _, d := range g.Grids() {
		zone := &tzfpb.Timezone{Name: strconv.Itoa(int(d.ID))}
		for _, p := range g.Polygon(d.ID) {
			poly := &tzfpb.Polygon{Points: points(p[0])}
			for _, hole := range p[1:] {
				poly.Holes = append(poly.Holes, &tzfpb.Polygon{Points: points(hole)})
			}
			zone.Polygons = append(zone.Polygons, poly)
		}
		data.Timezones = append(data.Timezones, zone)
	}
	f, err := tzf.NewFinderFromPB(data, tzf.SetDropPBTZ)
	return &zones{f}, err
}

func (x *zones) find(dst []grid.ID, pts []orb.Point) {
	for i, p := range pts {
		dst[i] = grid.None
		if name := x.finder.GetTimezoneName(p[0], p[1]); name != "" {
			id, _ := strconv.Atoi(name) // ours, of a number
			dst[i] = grid.ID(id)
		}
	}
}
