package httpapi

import (
	"math"
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

const (
	maxTileZoom = 16
	// tileBuffer is how far geometry runs beyond a tile, so that wide strokes
	// do not show its sides: 16 pixels of a tile drawn at 512.
	tileBuffer = 128
	// tileTolerance is how far a simplified border may stray: half a pixel. At
	// the greatest zoom, which maps enlarge further, borders are exact.
	tileTolerance = 4
	// gridLabelZoom is where grids get their names; below, streets alone.
	gridLabelZoom = 11
)

// zoomLevel is the district in whole units of one zoom. Each arc is rounded
// and simplified once, so that neighbours share their border to the unit.
type zoomLevel struct {
	z        int
	datum    geo.Datum // of the map that it is drawn on
	arcs     [][]tilePoint
	arcBoxes []tileBox
	grids    []tileBox // by place
	labels   []tilePoint
	streets  []tilePoint // their labels, by place
	bound    tileBox
}

func newZoomLevel(d *district, z int, datum geo.Datum) *zoomLevel {
	t := d.topology()
	size := math.Ldexp(tileExtent, z)
	l := &zoomLevel{z: z, datum: datum, arcs: make([][]tilePoint, len(t.arcs)), arcBoxes: make([]tileBox, len(t.arcs))}
	tolerance := float64(tileTolerance)
	if z == maxTileZoom {
		tolerance = 0
	}
	for i, a := range t.arcs {
		l.arcs[i] = simplify(l.unitPoints(a.Points, size), tolerance)
		l.arcBoxes[i] = boxOf(l.arcs[i])
		if i == 0 {
			l.bound = l.arcBoxes[0]
		}
		l.bound = l.bound.union(l.arcBoxes[i])
	}
	for i := range d.gen.Grids() {
		l.grids = append(l.grids, l.boxOfGrid(t.grids[i]))
		l.labels = append(l.labels, l.unitPoint(d.gen.Grids()[i].Label, size))
	}
	for _, p := range d.outlines().labels {
		l.streets = append(l.streets, l.unitPoint(p, size))
	}
	return l
}

func (l *zoomLevel) unitPoint(p orb.Point, size float64) tilePoint {
	x, y := mercator(l.datum.FromWGS84(p))
	return tilePoint{int32(math.Floor(x * size)), int32(math.Floor(y * size))}
}

func (l *zoomLevel) boxOfGrid(polygons []arcPolygon) (b tileBox) {
	first := true
	for _, p := range polygons {
		for _, arc := range p[0] { // holes lie inside
			if arc < 0 {
				arc = ^arc
			}
			if first {
				b, first = l.arcBoxes[arc], false
			}
			b = b.union(l.arcBoxes[arc])
		}
	}
	return b
}

// tileRange is the tiles that may hold anything, buffers included.
func (l *zoomLevel) tileRange() (minX, minY, maxX, maxY int) {
	return int(l.bound.minX-tileBuffer) / tileExtent, int(l.bound.minY-tileBuffer) / tileExtent,
		int(l.bound.maxX+tileBuffer) / tileExtent, int(l.bound.maxY+tileBuffer) / tileExtent
}

// encode makes tile x, y of the level, empty when nothing touches it.
func (l *zoomLevel) encode(d *district, x, y int) []byte {
	origin := tilePoint{int32(x * tileExtent), int32(y * tileExtent)}
	box := tileBox{origin.X - tileBuffer, origin.Y - tileBuffer, origin.X + tileExtent + tileBuffer, origin.Y + tileExtent + tileBuffer}
	tile := l.gridLayer(d, origin, box, nil).appendTo(nil)
	tile = l.borderLayer(d, origin, box).appendTo(tile)
	return l.labelLayer(d, origin).appendTo(tile)
}

// gridLayer has the grids that meet box: those that more lets pass, with what
// it adds; nil more is all of them.
func (l *zoomLevel) gridLayer(d *district, origin tilePoint, box tileBox, more func(*layer, *grid.Grid) bool) *layer {
	out := newLayer("grids")
	t := d.topology()
	for i, bounds := range l.grids {
		g := &d.gen.Grids()[i]
		if !bounds.meets(box) || more != nil && !more(out, g) {
			continue
		}
		for _, polygon := range t.grids[i] {
			l.addPolygon(out, polygon, origin, box)
		}
		out.tagUint("id", uint64(g.ID))
		out.tagText("code", g.Code)
		out.tagText("name", g.Name)
		out.tagText("kind", string(g.Kind))
		out.tagText("street", g.Street)
		out.end(uint64(g.ID), polygonGeom)
	}
	return out
}

// addPolygon adds what of a polygon lies in box. Rings that have shrunk to
// nothing are left out, and an outer ring's holes with it.
func (l *zoomLevel) addPolygon(out *layer, polygon arcPolygon, origin tilePoint, box tileBox) {
	for i, arcs := range polygon {
		ring := l.ring(arcs)
		if !boxOf(ring).within(box) {
			ring = clipRing(ring, box)
		}
		var area int64
		if len(ring) >= 3 {
			area = doubleTileArea(ring)
		}
		if area == 0 {
			if i == 0 {
				return
			}
			continue
		}
		if (area > 0) != (i == 0) {
			slices.Reverse(ring)
		}
		for j := range ring {
			ring[j].X -= origin.X
			ring[j].Y -= origin.Y
		}
		out.ring(ring)
	}
}

// ring strings arcs together, in memory of its own.
func (l *zoomLevel) ring(arcs arcRing) []tilePoint {
	var ring []tilePoint
	for _, a := range arcs {
		if a >= 0 {
			ring = append(ring, l.arcs[a]...)
			continue
		}
		for i := len(l.arcs[^a]) - 1; i >= 0; i-- {
			ring = append(ring, l.arcs[^a][i])
		}
	}
	return dropRepeats(ring)
}

func (l *zoomLevel) borderLayer(d *district, origin tilePoint, box tileBox) *layer {
	out := newLayer("borders")
	t := d.topology()
	for level := range levelNames {
		for i, line := range l.arcs {
			if t.levels[i] != borderLevel(level) || !l.arcBoxes[i].meets(box) {
				continue
			}
			clipLine(line, box, func(piece []tilePoint) {
				moved := make([]tilePoint, len(piece))
				for j, p := range piece {
					moved[j] = tilePoint{p.X - origin.X, p.Y - origin.Y}
				}
				out.line(moved)
			})
		}
		out.tagText("level", levelNames[level])
		out.end(0, lineGeom)
	}
	return out
}

// labelLayer has each name in the one tile that holds its point.
func (l *zoomLevel) labelLayer(d *district, origin tilePoint) *layer {
	out := newLayer("labels")
	add := func(p tilePoint, kind, code, name string) {
		p.X, p.Y = p.X-origin.X, p.Y-origin.Y
		if p.X < 0 || p.X >= tileExtent || p.Y < 0 || p.Y >= tileExtent {
			return
		}
		out.point(p)
		out.tagText("kind", kind)
		out.tagText("name", name)
		out.tagText("code", code)
		out.end(0, pointGeom)
	}
	for i, s := range d.gen.Streets() {
		if len(d.outlines().shapes[i]) > 0 {
			add(l.streets[i], "street", s.Code, s.Name)
		}
	}
	if l.z >= gridLabelZoom {
		for i := range d.gen.Grids() {
			g := &d.gen.Grids()[i]
			add(l.labels[i], "grid", g.Code, g.Name)
		}
	}
	return out
}
