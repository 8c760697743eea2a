package httpapi

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/basemap"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// baseLayer is what a page has to know of one layer: where on this service its
// tiles are, or its file.
type baseLayer struct {
	Tiles    string       `json:"tiles,omitempty"`
	Archive  string       `json:"archive,omitempty"`
	TileSize int          `json:"tile_size"`
	MinZoom  int          `json:"minzoom"`
	MaxZoom  int          `json:"maxzoom"`
	Opacity  float64      `json:"opacity"`
	Dark     basemap.Dark `json:"dark,omitempty"`
}

// showBaseMap answers GET /api/v1/basemap; no layers say that there is none.
func (a *API) showBaseMap(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	out := struct {
		Datum       geo.Datum   `json:"datum"`
		Attribution string      `json:"attribution,omitempty"`
		Layers      []baseLayer `json:"layers"`
	}{Datum: geo.WGS84, Layers: []baseLayer{}}
	if b := a.cfg.BaseMap; b != nil {
		var err error
		if out.Datum, err = b.Setting.Datum(); err != nil {
			return err
		}
		out.Attribution = b.Setting.Attribution
		for i, l := range b.Setting.Layers {
			at := "/tiles/base/" + strconv.Itoa(i)
			layer := baseLayer{TileSize: l.TileSize, MinZoom: l.MinZoom, MaxZoom: l.MaxZoom, Opacity: l.Opacity, Dark: l.Dark}
			if l.Kind == basemap.PMTiles {
				layer.Archive = at + "/archive"
			} else {
				layer.Tiles = at + "/{z}/{x}/{y}"
			}
			out.Layers = append(out.Layers, layer)
		}
	}
	return writeValue(c, http.StatusOK, out)
}

func (a *API) baseMap(c *gin.Context) (*basemap.Source, int, error) {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return nil, 0, err
	}
	layer, err := tileNumber("layer", c.Param("layer"), 1<<8)
	if err == nil && a.cfg.BaseMap == nil {
		err = fault.New(fault.NotFound, "there is no base map")
	}
	return a.cfg.BaseMap, layer, err
}

var baseTileKept = []string{"private, max-age=86400"}

// baseTile answers GET /tiles/base/{layer}/{z}/{x}/{y}: around the district
// alone, since this service is nobody's way to the rest of the world.
func (a *API) baseTile(c *gin.Context) error {
	source, layer, err := a.baseMap(c)
	if err != nil {
		return err
	}
	var at [3]int
	for i, name := range [...]string{"z", "x", "y"} {
		limit := 1 << 22
		if i == 0 {
			limit = 23
		}
		if at[i], err = tileNumber(name, c.Param(name), limit); err != nil {
			return err
		}
	}
	d, err := a.inForce()
	if err != nil {
		return err
	}
	if !near(d.gen.Bound(), at[0], at[1], at[2]) {
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		return nil
	}
	t, err := source.Tile(c.Request.Context(), layer, at[0], at[1], at[2])
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h["Cache-Control"] = baseTileKept
	if len(t.Body) == 0 {
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		return nil
	}
	h["Content-Type"] = []string{t.Type}
	h["Content-Length"] = []string{strconv.Itoa(len(t.Body))}
	c.Writer.WriteHeader(http.StatusOK)
	if c.Request.Method != http.MethodHead {
		_, _ = c.Writer.Write(t.Body)
	}
	return nil
}

// aroundDistrict is how far from the district a base map is shown, in degrees.
const aroundDistrict = 0.5

// near reports whether tile z, x, y shows anything around bound.
func near(bound orb.Bound, z, x, y int) bool {
	bound = bound.Pad(aroundDistrict)
	size := math.Ldexp(1, z)
	minX, minY := mercator(orb.Point{bound.Min[0], bound.Max[1]})
	maxX, maxY := mercator(orb.Point{bound.Max[0], bound.Min[1]})
	return float64(x+1) > minX*size && float64(x) < maxX*size && float64(y+1) > minY*size && float64(y) < maxY*size
}

// baseArchive answers GET /tiles/base/{layer}/archive, a PMTiles file, of which
// pages ask for ranges.
func (a *API) baseArchive(c *gin.Context) error {
	source, layer, err := a.baseMap(c)
	if err != nil {
		return err
	}
	f, err := source.Archive(layer)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if c.Request.Header.Get("Range") == "" && c.Request.Method != http.MethodHead {
		return withStatus(http.StatusRequestedRangeNotSatisfiable, fault.New(fault.Invalid, "ask for ranges of the file"))
	}
	h := c.Writer.Header()
	h["Content-Type"] = []string{"application/vnd.pmtiles"}
	h["Cache-Control"] = noCache
	h["Etag"] = []string{`"` + strconv.FormatInt(info.Size(), 36) + "-" + strconv.FormatInt(info.ModTime().UnixNano(), 36) + `"`}
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, f)
	return nil
}
