package httpapi

import (
	"strconv"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

var resolveParams = []string{"lon", "lat", "datum", "accuracy", "item", "at"}

const (
	lonParam = iota
	latParam
	datumParam
	accuracyParam
	itemParam
	atParam
)

// maxAccuracyM is the widest circle that is shared out; a fix that vague says
// nothing about a grid.
const maxAccuracyM = 10_000

// resolve answers GET /api/v1/resolve.
func (a *API) resolve(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, resolveParams)
	if err != nil {
		return a.invalidPoint(err)
	}
	q, err := a.resolution(&p)
	if err != nil {
		return a.invalidPoint(err)
	}
	d, err := a.asOf(&p, atParam)
	if err != nil {
		return err
	}
	buf := takeBuffer()
	defer buf.release()
	var found bool
	buf.b, found = d.appendResolution(buf.b, q)
	if found {
		a.metrics.points[inside].Inc()
	} else {
		a.metrics.points[outside].Inc()
	}
	writeJSON(c, buf.b)
	return nil
}

func (a *API) invalidPoint(err error) error {
	a.metrics.points[invalid].Inc()
	return err
}

// resolution is one question, checked.
type resolution struct {
	at          geo.Coord // WGS-84
	hasAccuracy bool
	accuracyM   float64
	catalogue   *casework.Catalogue
	item        *casework.Item // nil when none was named
}

func (a *API) resolution(p *params) (q resolution, err error) {
	lon, err := p.number(lonParam)
	if err != nil {
		return q, err
	}
	lat, err := p.number(latParam)
	if err != nil {
		return q, err
	}
	datum, err := geo.ParseDatum(p.values[datumParam])
	if err != nil {
		return q, err
	}
	if q.at, err = wgs84(datum, lon, lat); err != nil {
		return q, err
	}
	if q.hasAccuracy = p.has(accuracyParam); q.hasAccuracy {
		if q.accuracyM, err = p.number(accuracyParam); err != nil {
			return q, err
		}
		if err := checkAccuracy(q.accuracyM, maxAccuracyM); err != nil {
			return q, err
		}
	}
	if p.has(itemParam) {
		q.item, err = a.item(p.values[itemParam])
		q.catalogue = a.cfg.Catalogue
	}
	return q, err
}

// wgs84 checks a position in a datum and converts it.
func wgs84(datum geo.Datum, lon, lat float64) (geo.Coord, error) {
	p := orb.Point{lon, lat}
	at, err := geo.Quantise(p) // before it is converted: the caller knows its own numbers
	if err != nil || datum == geo.WGS84 {
		return at, err
	}
	return geo.Quantise(datum.ToWGS84(p))
}

func checkAccuracy(m float64, most int) error {
	if !(m >= 0 && m <= float64(most)) {
		return fault.InvalidField("accuracy", "%v is not a number of metres from 0 to %d", m, most)
	}
	return nil
}

// item is the catalogue's item of that code; an unknown one is Invalid, since
// the code is a parameter here.
func (a *API) item(code string) (*casework.Item, error) {
	if a.cfg.Catalogue == nil {
		return nil, fault.New(fault.Unavailable, "no catalogue is loaded")
	}
	item, err := a.cfg.Catalogue.Item(code)
	if err != nil {
		return nil, fault.InvalidField("item", "the catalogue has no item %.40q", code)
	}
	return item, nil
}

// appendResolution appends the whole answer to q and reports whether the point
// lies in a grid.
func (d *district) appendResolution(b []byte, q resolution) ([]byte, bool) {
	id := d.index.LocateCoord(q.at)
	at := q.at.Point()
	b = append(b, '{')
	b = appendPosition(b, q.at)
	b = append(b, ',')
	b = d.appendPlace(b, id, q)
	if id == grid.None {
		b = d.appendNearest(b, at)
	}
	b = append(b, `,"border_distance_m":`...)
	b = appendTenths(b, d.index.BorderDistance(at))
	if q.hasAccuracy {
		b = d.appendShares(b, at, q.accuracyM)
	}
	if q.item != nil {
		g, s := d.gridAndStreet(id)
		b = append(b, `,"item":`...)
		b = appendItem(b, q.catalogue, q.item, g, s)
	}
	b = append(b, ',')
	b = append(b, d.generation...)
	return append(b, "}\n"...), id != grid.None
}

func appendPosition(b []byte, c geo.Coord) []byte {
	b = append(b, `"lon":`...)
	b = appendDegrees(b, c.X)
	b = append(b, `,"lat":`...)
	return appendDegrees(b, c.Y)
}

const nowhere = `"grid":null,"street":null,"department":null`

// appendPlace appends grid, street and department: the grid's own or, when an
// item is named, the one that leads it.
func (d *district) appendPlace(b []byte, id grid.ID, q resolution) []byte {
	if id == grid.None {
		return append(b, nowhere...)
	}
	t := d.text(id)
	b = append(b, t.place...)
	b = append(b, ',')
	if q.item == nil {
		return append(b, t.department...)
	}
	g, s := d.gridAndStreet(id)
	b = append(b, `"department":`...)
	return appendDepartment(b, q.catalogue.Lead(q.item, g, s))
}

// gridAndStreet are nil where there is none.
func (d *district) gridAndStreet(id grid.ID) (*grid.Grid, *grid.Street) {
	g, ok := d.gen.Grid(id)
	if !ok {
		return nil, nil
	}
	s, ok := d.gen.Street(g.Street)
	if !ok {
		return g, nil
	}
	return g, s
}

func (d *district) appendNearest(b []byte, at orb.Point) []byte {
	id, distance := d.index.Nearest(at)
	b = append(b, `,"nearest":{"grid":`...)
	b = append(b, d.text(id).ref...)
	b = append(b, `,"distance_m":`...)
	b = appendTenths(b, distance)
	return append(b, '}')
}

// appendShares appends the shares of the accuracy circle that show at four
// decimals.
func (d *district) appendShares(b []byte, at orb.Point, accuracyM float64) []byte {
	b = append(b, `,"shares":[`...)
	first := true
	for _, s := range d.index.Shares(at, accuracyM) {
		if s.Share < 0.00005 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, `{"grid":`...)
		if s.Grid == grid.None {
			b = append(b, "null"...)
		} else {
			b = append(b, d.text(s.Grid).ref...)
		}
		b = append(b, `,"share":`...)
		b = appendShare(b, s.Share)
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendItem appends an item with its departments as they answer in grid g of
// street s.
func appendItem(b []byte, c *casework.Catalogue, t *casework.Item, g *grid.Grid, s *grid.Street) []byte {
	b = append(b, `{"code":`...)
	b = appendString(b, t.Code)
	b = append(b, `,"name":`...)
	b = appendString(b, t.Name)
	b = append(b, `,"kind":`...)
	b = appendString(b, string(t.Kind))
	b = append(b, `,"response_minutes":`...)
	b = strconv.AppendInt(b, int64(t.ResponseMinutes), 10)
	b = append(b, `,"disposal_hours":`...)
	b = strconv.AppendInt(b, int64(t.DisposalHours), 10)
	b = append(b, `,"clock":`...)
	b = appendString(b, string(t.Clock))
	b = append(b, `,"lead":`...)
	b = appendDepartment(b, c.Lead(t, g, s))
	b = append(b, `,"support":[`...)
	for i, dept := range c.Support(t, g, s) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendDepartment(b, dept)
	}
	return append(b, "]}"...)
}

// buffer is a piece of memory for one answer, used again and again.
type buffer struct{ b []byte }

// keptBuffer is the largest buffer worth keeping.
const keptBuffer = 1 << 20

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 1024)} }}

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) release() {
	if cap(b.b) <= keptBuffer {
		b.b = b.b[:0]
		buffers.Put(b)
	}
}
