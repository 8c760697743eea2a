package httpapi

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
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
	limit  int64
	held   atomic.Int64
	kept   sync.Map // tileKey → *document, nil when empty
	levels [maxTileZoom + 1]func() *zoomLevel

	stop chan struct{}
	once sync.Once
	done chan struct{}
}

func tileKey(z, x, y int) uint64 { return uint64(z)<<40 | uint64(x)<<20 | uint64(y) }

// newTileSet begins to make the tiles of the zooms that maps are looked at;
// close ends that.
func newTileSet(d *district, limit int64) *tileSet {
	s := &tileSet{d: d, limit: limit, stop: make(chan struct{}), done: make(chan struct{})}
	for z := range s.levels {
		s.levels[z] = sync.OnceValue(func() *zoomLevel { return newZoomLevel(d, z) })
	}
	go s.warm()
	return s
}

func (s *tileSet) close() {
	s.once.Do(func() { close(s.stop) })
	<-s.done
}

func (s *tileSet) warm() {
	defer close(s.done)
	left := maxWarmTiles
	for z := firstWarmZoom; z <= maxTileZoom; z++ {
		select {
		case <-s.stop:
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
				case <-s.stop:
					return
				default:
				}
				if s.held.Load() > s.limit*9/10 {
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
	if s.held.Add(cost) > s.limit {
		s.kept.Clear()
		s.held.Store(cost)
	}
	s.kept.Store(tileKey(z, x, y), doc)
	return doc
}

var tileParams = []string{"v"}

// gridTile answers GET /tiles/grids/{z}/{x}/{y}.mvt. With ?v= and the
// generation's hash, or at least 8 digits of it, the answer never changes.
func (a *API) gridTile(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, tileParams)
	if err != nil {
		return err
	}
	z, x, y, err := tileAddress(c)
	if err != nil {
		return err
	}
	d, err := a.inForce()
	if err != nil {
		return err
	}
	keep := noCache
	if v := p.values[0]; len(v) >= 8 && strings.HasPrefix(d.gen.Hash(), v) {
		keep = immutable
	}
	if t := d.tiles.tile(z, x, y); t != nil {
		t.serve(c, keep)
		return nil
	}
	c.Writer.Header()["Cache-Control"] = keep
	c.Status(204)
	c.Writer.WriteHeaderNow()
	return nil
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
