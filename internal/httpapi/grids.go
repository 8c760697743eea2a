package httpapi

import (
	"strconv"
	"sync"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

const geoJSONType = "application/geo+json"

var (
	gridsParams = []string{"street", "format", "at"}
	asOfParams  = []string{"at"}
)

// listGrids answers GET /api/v1/grids.
func (a *API) listGrids(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, gridsParams)
	if err != nil {
		return err
	}
	d, err := a.asOf(&p, 2)
	if err != nil {
		return err
	}
	return d.serveGrids(c, &p)
}

// serveGrids answers with all grids or a street's, as p asks.
func (d *district) serveGrids(c *gin.Context, p *params) error {
	street, byStreet := p.values[0], p.has(0)
	if _, ok := d.gen.Street(street); byStreet && !ok {
		return fault.InvalidField("street", "there is no street %.40q", street)
	}
	switch format := p.values[1]; {
	case format == "topojson" && byStreet:
		return fault.InvalidField("format", "topojson is of the whole district; leave street out")
	case format == "topojson":
		d.topojson().serve(c, noCache)
	case p.has(1) && format != "geojson":
		return fault.InvalidField("format", "%.40q is not geojson or topojson", format)
	case byStreet:
		d.gridsOfStreet(street).serve(c, noCache)
	default:
		d.geojson().serve(c, noCache)
	}
	return nil
}

// onlyAsOf is asOf for a request that takes no other parameter.
func (a *API) onlyAsOf(c *gin.Context) (*district, error) {
	p, err := readParams(c.Request.URL.RawQuery, asOfParams)
	if err != nil {
		return nil, err
	}
	return a.asOf(&p, 0)
}

// showGrid answers GET /api/v1/grids/{grid}: an ID or a code. A code that
// looks like another grid's ID wins.
func (a *API) showGrid(c *gin.Context) error {
	d, err := a.onlyAsOf(c)
	if err != nil {
		return err
	}
	g, err := d.find(c.Param("grid"))
	if err != nil {
		return err
	}
	b := d.appendGridFeature(nil, g)
	newDocument(geoJSONType, append(b, "}\n"...)).serve(c, noCache)
	return nil
}

// find is the grid of that code or ID.
func (d *district) find(name string) (*grid.Grid, error) {
	if g, ok := d.gen.GridByCode(name); ok {
		return g, nil
	}
	if id, err := strconv.ParseUint(name, 10, 32); err == nil {
		if g, ok := d.gen.Grid(grid.ID(id)); ok {
			return g, nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no grid %.40q", name)
}

// listStreets answers GET /api/v1/streets.
func (a *API) listStreets(c *gin.Context) error {
	d, err := a.onlyAsOf(c)
	if err != nil {
		return err
	}
	d.streets().serve(c, noCache)
	return nil
}

// gridsOfStreet makes a street's document when it is first asked for. Streets
// are few, and only those that exist get here.
func (d *district) gridsOfStreet(street string) *document {
	f, ok := d.byStreet.Load(street)
	if !ok {
		f, _ = d.byStreet.LoadOrStore(street, sync.OnceValue(func() *document { return gridsGeoJSON(d, street) }))
	}
	return f.(func() *document)()
}

// gridsGeoJSON is all grids, or those of one street.
func gridsGeoJSON(d *district, street string) *document {
	b := append([]byte(`{"type":"FeatureCollection",`), d.generation...)
	b = append(b, `,"features":[`...)
	first := true
	for i := range d.gen.Grids() {
		g := &d.gen.Grids()[i]
		if street != "" && g.Street != street {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '\n')
		b = append(d.appendGridFeature(b, g), '}')
	}
	return newDocument(geoJSONType, append(b, "\n]}\n"...))
}

func streetsJSON(d *district) *document {
	b := append([]byte{'{'}, d.generation...)
	b = append(b, `,"streets":[`...)
	for i := range d.gen.Streets() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '\n')
		b = d.appendStreetProperties(b, &d.gen.Streets()[i])
	}
	return newDocument(jsonType[0], append(b, "\n]}\n"...))
}
