package httpapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// OGC API – Features – Part 1: Core 1.0.1 (OGC 17-069r4), with GeoJSON.
var conformance = []string{
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
}

const (
	crs84       = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
	openAPIType = "application/vnd.oai.openapi+json;version=3.0"
)

// collection is one of the two that /ogc offers.
type collection struct {
	id, title, description string
	// filters are the properties that items can be asked for by their value.
	filters []string
	size    func(*district) int
	bound   func(d *district, place int) orb.Bound
	// property is a feature's property of that name, one of filters.
	property func(d *district, place int, name string) string
	find     func(d *district, id string) (place int, ok bool)
	feature  func(d *district, b []byte, place int) []byte // open at its end
}

var collections = []collection{
	{
		id: "grids", title: "责任网格 · Responsibility grids",
		description: "Every responsibility grid of the district with its street and department. 每个责任网格及其街镇与责任部门。",
		filters:     []string{"code", "name", "kind", "street"},
		size:        func(d *district) int { return len(d.gen.Grids()) },
		bound:       func(d *district, place int) orb.Bound { return d.gen.Grids()[place].Bound },
		property:    gridProperty,
		find: func(d *district, id string) (int, bool) {
			g, err := d.find(id)
			if err != nil {
				return 0, false
			}
			return d.gen.Place(g.ID)
		},
		feature: func(d *district, b []byte, place int) []byte { return d.appendGridFeature(b, &d.gen.Grids()[place]) },
	},
	{
		id: "streets", title: "街镇 · Streets and towns",
		description: "Every street and town of the district, the union of its grids. 每个街镇的范围，即其网格之合并。",
		filters:     []string{"code", "name"},
		size:        func(d *district) int { return len(d.gen.Streets()) },
		bound:       func(d *district, place int) orb.Bound { return d.outlines().bounds[place] },
		property: func(d *district, place int, name string) string {
			if name == "name" {
				return d.gen.Streets()[place].Name
			}
			return d.gen.Streets()[place].Code
		},
		find: func(d *district, id string) (int, bool) {
			for i, s := range d.gen.Streets() {
				if s.Code == id {
					return i, true
				}
			}
			return 0, false
		},
		feature: (*district).appendStreetFeature,
	},
}

func gridProperty(d *district, place int, name string) string {
	g := &d.gen.Grids()[place]
	switch name {
	case "name":
		return g.Name
	case "kind":
		return string(g.Kind)
	case "street":
		return g.Street
	}
	return g.Code
}

func collectionOf(c *gin.Context) (*collection, error) {
	id := c.Param("collection")
	for i := range collections {
		if collections[i].id == id {
			return &collections[i], nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no collection %q; there are grids and streets", clipText(id))
}

// link is a typed link of OGC API.
type link struct{ href, rel, mediaType, title string }

func appendLinks(b []byte, links []link) []byte {
	b = append(b, `"links":[`...)
	for i, l := range links {
		b = append(comma(b, i), `{"href":`...)
		b = appendString(b, l.href)
		b = append(b, `,"rel":`...)
		b = appendString(b, l.rel)
		b = append(b, `,"type":`...)
		b = appendString(b, l.mediaType)
		if l.title != "" {
			b = append(b, `,"title":`...)
			b = appendString(b, l.title)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// base is the URL under which the caller sees the service, without a slash at
// its end. What a proxy says counts only when it is trusted.
func (a *API) base(r *http.Request) string {
	u := url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		u.Scheme = "https"
	}
	if a.cfg.TrustForwarded {
		if p := firstOf(r.Header.Get("X-Forwarded-Proto")); p == "http" || p == "https" {
			u.Scheme = p
		}
		if h := firstOf(r.Header.Get("X-Forwarded-Host")); h != "" {
			u.Host = h
		}
		u.Path = strings.TrimRight(firstOf(r.Header.Get("X-Forwarded-Prefix")), "/")
	}
	return u.String()
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

// ogcLanding answers GET /ogc.
func (a *API) ogcLanding(c *gin.Context) error {
	if err := onlyFormat(c); err != nil {
		return err
	}
	base := a.base(c.Request)
	b := []byte(`{"title":"联勤网格 · Lianqin grids","description":"责任网格与街镇的边界。The boundaries of responsibility grids and streets.",`)
	b = appendLinks(b, []link{
		{base + "/ogc", "self", "application/json", ""},
		{base + "/ogc/api", "service-desc", openAPIType, "OpenAPI"},
		{base + "/ogc/conformance", "conformance", "application/json", ""},
		{base + "/ogc/collections", "data", "application/json", ""},
	})
	writeJSON(c, append(b, "}\n"...))
	return nil
}

// ogcConformance answers GET /ogc/conformance.
func (a *API) ogcConformance(c *gin.Context) error {
	if err := onlyFormat(c); err != nil {
		return err
	}
	b := []byte(`{"conformsTo":[`)
	for i, uri := range conformance {
		b = appendString(comma(b, i), uri)
	}
	writeJSON(c, append(b, "]}\n"...))
	return nil
}

// ogcCollections answers GET /ogc/collections.
func (a *API) ogcCollections(c *gin.Context) error {
	if err := onlyFormat(c); err != nil {
		return err
	}
	d, err := a.inForce()
	if err != nil {
		return err
	}
	base := a.base(c.Request)
	b := append([]byte{'{'}, appendLinks(nil, []link{{base + "/ogc/collections", "self", "application/json", ""}})...)
	b = append(b, `,"collections":[`...)
	for i := range collections {
		b = collections[i].describe(comma(b, i), d, base)
	}
	writeJSON(c, append(b, "]}\n"...))
	return nil
}

// ogcCollection answers GET /ogc/collections/{collection}.
func (a *API) ogcCollection(c *gin.Context) error {
	if err := onlyFormat(c); err != nil {
		return err
	}
	col, err := collectionOf(c)
	if err != nil {
		return err
	}
	d, err := a.inForce()
	if err != nil {
		return err
	}
	writeJSON(c, append(col.describe(nil, d, a.base(c.Request)), '\n'))
	return nil
}

func (col *collection) describe(b []byte, d *district, base string) []byte {
	url := base + "/ogc/collections/" + col.id
	b = append(b, `{"id":`...)
	b = appendString(b, col.id)
	b = append(b, `,"title":`...)
	b = appendString(b, col.title)
	b = append(b, `,"description":`...)
	b = appendString(b, col.description)
	b = append(b, `,"itemType":"feature","crs":["`+crs84+`"],"extent":{"spatial":{"bbox":[[`...)
	b = appendBox(b, d.gen.Bound())
	b = append(b, `]],"crs":"`+crs84+`"}},`...)
	b = appendLinks(b, []link{
		{url, "self", "application/json", ""},
		{url + "/items", "items", geoJSONType, ""},
	})
	return append(b, '}')
}

// appendBox appends west, south, east, north.
func appendBox(b []byte, box orb.Bound) []byte {
	lo, _ := geo.Quantise(box.Min) // of vertices that were quantised
	hi, _ := geo.Quantise(box.Max)
	for i, v := range [...]int32{lo.X, lo.Y, hi.X, hi.Y} {
		b = appendDegrees(comma(b, i), v)
	}
	return b
}

// onlyFormat refuses query parameters other than f=json.
func onlyFormat(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, []string{"f"})
	if err != nil {
		return err
	}
	return checkFormat(p.values[0], p.has(0), "json")
}

func checkFormat(f string, given bool, known ...string) error {
	if !given {
		return nil
	}
	for _, k := range known {
		if f == k || f == "application/"+k {
			return nil
		}
	}
	return fault.InvalidField("f", "%.40q is not %s", f, strings.Join(known, " or "))
}

var ogcItemParams = []string{"f", "datetime"}

// ogcItem answers GET /ogc/collections/{collection}/items/{feature}.
func (a *API) ogcItem(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, ogcItemParams)
	if err != nil {
		return err
	}
	if err := checkFormat(p.values[0], p.has(0), "json", "geo+json"); err != nil {
		return err
	}
	col, err := collectionOf(c)
	if err != nil {
		return err
	}
	d, err := a.during(&p, 1)
	if err != nil {
		return err
	}
	place, ok := col.find(d, c.Param("feature"))
	if !ok {
		return fault.New(fault.NotFound, "collection %s has no feature %q", col.id, clipText(c.Param("feature")))
	}
	url := a.base(c.Request) + "/ogc/collections/" + col.id
	b := append(col.feature(d, nil, place), ',')
	b = appendLinks(b, []link{
		{url + "/items/" + featureID(d, col, place), "self", geoJSONType, ""},
		{url, "collection", "application/json", ""},
	})
	newDocument(geoJSONType, append(b, "}\n"...)).serve(c, noCache)
	return nil
}

func featureID(d *district, col *collection, place int) string {
	if col.id == "streets" {
		return url.PathEscape(d.gen.Streets()[place].Code)
	}
	return strconv.FormatUint(uint64(d.gen.Grids()[place].ID), 10)
}
