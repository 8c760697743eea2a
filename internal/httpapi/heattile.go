package httpapi

import (
	"math"
	"slices"

	"github.com/gin-gonic/gin"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/heat"
)

var heatTileParams = append(slices.Clone(heatFilters), "per", "datum")

const (
	heatTilePer   = heatMore
	heatTileDatum = heatMore + 1
	// heatCellZoom is where cells are shown as they are; at each zoom less, two
	// by two are one. So a tile has about two thousand at most.
	heatCellZoom = 13
	// emptyTile is the status of a tile with nothing in it.
	emptyTile = 204
)

// heatTile answers GET /tiles/heat/{z}/{x}/{y}.mvt.
func (a *API) heatTile(c *gin.Context) error {
	h, err := a.heat()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, heatTileParams)
	if err != nil {
		return err
	}
	z, x, y, err := tileAddress(c)
	if err != nil {
		return err
	}
	q, err := a.heatQuery(c, &p)
	if err != nil {
		return err
	}
	per, err := a.heatPer(c, &p, heatTilePer)
	if err != nil {
		return err
	}
	f, err := a.heatOfGrids(c, h, q, per)
	if err != nil {
		return err
	}
	tiles, err := f.d.tilesIn(p.values[heatTileDatum])
	if err != nil {
		return err
	}
	tile := f.encode(tiles.levels[z](), x, y)
	if len(tile) == 0 {
		c.Writer.Header()["Cache-Control"] = noCachePrivate
		c.Status(emptyTile)
		c.Writer.WriteHeaderNow()
		return nil
	}
	newDocument(mvtType, tile).serve(c, noCachePrivate)
	return nil
}

// encode makes tile x, y of a level, empty when there is nothing in it.
func (f *gridHeat) encode(level *zoomLevel, x, y int) []byte {
	origin := tilePoint{int32(x * tileExtent), int32(y * tileExtent)}
	box := tileBox{origin.X - tileBuffer, origin.Y - tileBuffer, origin.X + tileExtent + tileBuffer, origin.Y + tileExtent + tileBuffer}
	tile := level.cellLayer(f.m.Map, origin, box).appendTo(nil)
	grids := level.gridLayer(f.d, origin, box, func(out *layer, g *grid.Grid) bool {
		if !f.covers(g) {
			return false
		}
		n := f.of(g)
		out.tagUint("count", uint64(n.Count))
		out.tagDouble("per_km2", n.PerKM2)
		if n.PatrolHours != nil {
			out.tagDouble("patrol_hours", *n.PatrolHours)
		}
		if n.Value != nil {
			out.tagDouble("value", *n.Value)
		}
		return true
	})
	return grids.appendTo(tile)
}

// cellLayer has squares of cells with cases.
func (l *zoomLevel) cellLayer(m *heat.Map, origin tilePoint, box tileBox) *layer {
	out := newLayer("cells")
	r, side := m.Raster, 1<<max(0, heatCellZoom-l.z) // cells of a square, each way
	columns, rows := l.squaresWithin(r, side, box)
	for _, y := range rows {
		for _, x := range columns {
			n := uint64(0)
			for row := y; row < min(y+side, r.Height); row++ {
				for _, count := range m.Cells[row*r.Width+x : row*r.Width+min(x+side, r.Width)] {
					n += uint64(count)
				}
			}
			b := l.boxOfCells(r, x, y, side, side)
			if n == 0 || b.minX == b.maxX || b.minY == b.maxY {
				continue
			}
			west, north, east, south := b.minX-origin.X, b.minY-origin.Y, b.maxX-origin.X, b.maxY-origin.Y
			out.ring([]tilePoint{{west, north}, {east, north}, {east, south}, {west, south}})
			out.tagUint("count", n)
			out.tagDouble("per_km2", float64(n)/(float64(side*side)*r.CellM2/1e6))
			out.end(uint64(y*r.Width+x)+1, polygonGeom)
		}
	}
	return out
}

// squaresWithin are the first columns and rows of the squares that may touch
// box. Squares are laid out from the raster's south-west on, the same for every
// tile.
func (l *zoomLevel) squaresWithin(r heat.Raster, side int, box tileBox) (columns, rows []int) {
	for x := 0; x < r.Width; x += side {
		if b := l.boxOfCells(r, x, r.Height/2, side, 1); b.minX <= box.maxX && b.maxX >= box.minX {
			columns = append(columns, x)
		}
	}
	for y := 0; y < r.Height; y += side {
		if b := l.boxOfCells(r, r.Width/2, y, 1, side); b.minY <= box.maxY && b.maxY >= box.minY {
			rows = append(rows, y)
		}
	}
	return columns, rows
}

// boxOfCells is w by h cells in units of the level.
func (l *zoomLevel) boxOfCells(r heat.Raster, x, y, w, h int) tileBox {
	corner := func(x, y int) tilePoint {
		return l.unitPoint(geo.Coord{X: r.West + int32(x)*r.CellX, Y: r.South + int32(y)*r.CellY}.Point(), math.Ldexp(tileExtent, l.z))
	}
	sw, ne := corner(x, y), corner(x+w, y+h)
	return tileBox{minX: sw.X, minY: ne.Y, maxX: ne.X, maxY: sw.Y}
}
