package httpapi

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

const (
	mvtType = "application/vnd.mapbox-vector-tile"
	// firstWarmZoom and maxWarmTiles say which tiles are made before they are
	// asked for: a district's worth, and no more than a second's work.
	firstWarmZoom = 10
	maxWarmTiles  = 16384
	// tileOverhead is what a kept tile costs beside its bytes.
	tileOverhead = 300
)

// tileSet makes tiles and keeps them while they fit into its limit; when they
// do not, it forgets all and begins anew.
type tileSet struct {
	d      *district
	limit  atomic.Int64
	held   atomic.Int64
	kept   sync.Map // tileKey → *document, nil when empty
	levels [maxTileZoom + 1]func() *zoomLevel

	mu      sync.Mutex
	warming chan struct{} // closed to end it; nil when nothing is being made
	done    chan struct{} // closed when all is made, or that was ended
}

func tileKey(z, x, y int) uint64 { return uint64(z)<<40 | uint64(x)<<20 | uint64(y) }

func newTileSet(d *district, limit int64, datum geo.Datum) *tileSet {
	s := &tileSet{d: d}
	s.limit.Store(limit)
	for z := range s.levels {
		s.levels[z] = sync.OnceValue(func() *zoomLevel { return newZoomLevel(d, z, datum) })
	}
	return s
}

// warm begins to make the tiles of the zooms that maps are looked at, up to
// limit bytes; rest and close end that.
func (s *tileSet) warm(limit int64) *tileSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit.Store(limit)
	if s.warming == nil {
		s.warming, s.done = make(chan struct{}), make(chan struct{})
		go s.makeAll(s.warming, s.done)
	}
	return s
}

// close ends what warm began, and waits for that. Tiles are still made one by
// one when they are asked for.
func (s *tileSet) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endWarming()
	if s.done != nil {
		<-s.done
	}
}

func (s *tileSet) endWarming() {
	if s.warming != nil {
		close(s.warming)
		s.warming = nil
	}
}

// rest is for a set that is asked for seldom from now on: it holds no more
// than limit. It waits for nothing.
func (s *tileSet) rest(limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endWarming()
	s.limit.Store(limit)
	s.kept.Clear()
	s.held.Store(0)
}

func (s *tileSet) makeAll(stop, done chan struct{}) {
	defer close(done)
	left := maxWarmTiles
	for z := firstWarmZoom; z <= maxTileZoom; z++ {
		select {
		case <-stop:
			return
		default:
		}
		minX, minY, maxX, maxY := s.levels[z]().tileRange()
		if left -= (maxX - minX + 1) * (maxY - minY + 1); left < 0 {
			return
		}
		for x := minX; x <= maxX; x++ {
			for y := minY; y <= maxY; y++ {
				select {
				case <-stop:
					return
				default:
				}
				if s.held.Load() > s.limit.Load()*9/10 {
					return
				}
				s.tile(z, x, y)
			}
		}
	}
}

// tile is nil where there is nothing to show.
func (s *tileSet) tile(z, x, y int) *document {
	if kept, ok := s.kept.Load(tileKey(z, x, y)); ok {
		return kept.(*document)
	}
	level := s.levels[z]()
	minX, minY, maxX, maxY := level.tileRange()
	if x < minX || x > maxX || y < minY || y > maxY {
		return nil
	}
	var doc *document
	cost := int64(tileOverhead)
	if body := level.encode(s.d, x, y); len(body) > 0 {
		doc = newDocument(mvtType, body)
		cost += int64(len(body) + len(doc.gzipped.body))
	}
	if s.held.Add(cost) > s.limit.Load() {
		s.kept.Clear()
		s.held.Store(cost)
	}
	s.kept.Store(tileKey(z, x, y), doc)
	return doc
}

var tileParams = []string{"v", "at", "datum"}

// gridTile answers GET /tiles/grids/{z}/{x}/{y}.mvt. With ?v= and the
// generation's hash, or at least 8 digits of it, the answer never changes; with
// datum=gcj02 it is drawn to lie on a map in that datum.
func (a *API) gridTile(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, tileParams)
	if err != nil {
		return err
	}
	z, x, y, err := tileAddress(c)
	if err != nil {
		return err
	}
	d, err := a.asOf(&p, 1)
	if err != nil {
		return err
	}
	tiles, err := d.tilesIn(p.values[2])
	if err != nil {
		return err
	}
	tiles.serve(c, z, x, y, p.values[0])
	return nil
}

// tilesIn are the tiles for a map in a datum.
func (d *district) tilesIn(datum string) (*tileSet, error) {
	switch geo.Datum(datum) {
	case "", geo.WGS84:
		return d.tiles, nil
	case geo.GCJ02:
		return d.shifted(), nil
	default:
		return nil, fault.InvalidField("datum", "%.40q is not wgs84 or gcj02", datum)
	}
}

// serve answers with a tile, for good when v is the content's hash.
func (s *tileSet) serve(c *gin.Context, z, x, y int, v string) {
	keep := noCache
	if len(v) >= 8 && strings.HasPrefix(s.d.gen.Hash(), v) {
		keep = kept
	}
	if t := s.tile(z, x, y); t != nil {
		t.serve(c, keep)
		return
	}
	c.Writer.Header()["Cache-Control"] = keep
	c.Status(204)
	c.Writer.WriteHeaderNow()
}

func tileAddress(c *gin.Context) (z, x, y int, err error) {
	row, ok := strings.CutSuffix(c.Param("y.mvt"), ".mvt")
	if !ok {
		return 0, 0, 0, fault.New(fault.NotFound, "tiles end in .mvt")
	}
	z, err = tileNumber("z", c.Param("z"), maxTileZoom+1)
	if err == nil {
		x, err = tileNumber("x", c.Param("x"), 1<<z)
	}
	if err == nil {
		y, err = tileNumber("y", row, 1<<z)
	}
	return z, x, y, err
}

// tileNumber reads a number of [0, end); another is a tile that is not there.
func tileNumber(name, s string, end int) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || int(n) >= end || strconv.FormatUint(n, 10) != s {
		return 0, &fault.Error{Kind: fault.NotFound, Field: name, Msg: strconv.Quote(clipText(s)) + " is not a number from 0 to " + strconv.Itoa(end-1)}
	}
	return int(n), nil
}

// clipText keeps what an error quotes of the request short.
func clipText(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
