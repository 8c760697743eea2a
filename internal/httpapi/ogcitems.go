package httpapi

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

const (
	defaultItems = 10
	maxItems     = 10_000
)

// itemsParams are those of every collection; its filters follow.
var itemsParams = []string{"bbox", "bbox-crs", "limit", "offset", "datetime", "f"}

const (
	itemsBox = iota
	itemsBoxCRS
	itemsLimit
	itemsOffset
	itemsDatetime
	itemsFormat
)

// itemsQuery is one page of a collection.
type itemsQuery struct {
	boxes         []orb.Bound // nil for everywhere; two across the antimeridian
	limit, offset int
	given         params // all of it, the collection's filters after itemsParams
}

// ogcItems answers GET /ogc/collections/{collection}/items.
func (a *API) ogcItems(c *gin.Context) error {
	col, err := collectionOf(c)
	if err != nil {
		return err
	}
	q, err := readItemsQuery(c.Request.URL.RawQuery, col)
	if err != nil {
		return err
	}
	d, err := a.during(&q.given, itemsDatetime)
	if err != nil {
		return err
	}
	matched := col.matching(d, q)
	page := matched[min(q.offset, len(matched)):]
	page = page[:min(q.limit, len(page))]
	b := append([]byte(`{"type":"FeatureCollection",`), appendLinks(nil, a.pageLinks(c, col, q, len(matched)))...)
	b = append(b, `,"timeStamp":`...)
	b = appendString(b, a.cfg.Now().UTC().Format(time.RFC3339))
	b = append(b, `,"numberMatched":`...)
	b = strconv.AppendInt(b, int64(len(matched)), 10)
	b = append(b, `,"numberReturned":`...)
	b = strconv.AppendInt(b, int64(len(page)), 10)
	b = append(b, `,"features":[`...)
	for i, place := range page {
		b = append(comma(b, i), '\n')
		b = append(col.feature(d, b, place), '}')
	}
	b = append(b, "\n]}\n"...)
	h := c.Writer.Header()
	h.Set("Content-Type", geoJSONType)
	h["Cache-Control"] = noStore
	_, _ = c.Writer.Write(b)
	return nil
}

// during is the district that parameter i of p, a datetime, asks for.
func (a *API) during(p *params, i int) (*district, error) {
	if !p.has(i) {
		return a.inForce()
	}
	t, err := readDatetime(p.values[i], a.cfg.Now())
	if err != nil {
		return nil, err
	}
	return a.districtAt("datetime", t)
}

// matching are the places of the features that q asks for, in order.
func (col *collection) matching(d *district, q itemsQuery) []int {
	within := make(map[int]bool)
	for _, box := range q.boxes {
		col.addInBox(within, d, box)
	}
	var out []int
next:
	for place := range col.size(d) {
		if q.boxes != nil && !within[place] {
			continue
		}
		for i, name := range col.filters {
			if q.given.has(len(itemsParams)+i) && col.property(d, place, name) != q.given.values[len(itemsParams)+i] {
				continue next
			}
		}
		out = append(out, place)
	}
	return out
}

// addInBox adds the features that have a point in common with box: of streets,
// those that a grid in it belongs to.
func (col *collection) addInBox(places map[int]bool, d *district, box orb.Bound) {
	for _, id := range d.index.InBound(box) {
		place := int(d.places[id])
		if col.id == "streets" {
			street, ok := col.find(d, d.gen.Grids()[place].Street)
			if !ok {
				continue
			}
			place = street
		}
		places[place] = true
	}
}

func readItemsQuery(raw string, col *collection) (q itemsQuery, err error) {
	q.limit = defaultItems
	p, err := readParams(raw, slices.Concat(itemsParams, col.filters))
	if err != nil {
		return q, err
	}
	q.given = p
	if p.has(itemsBox) {
		if q.boxes, err = readBox(p.values[itemsBox]); err != nil {
			return q, err
		}
	}
	if crs := p.values[itemsBoxCRS]; p.has(itemsBoxCRS) && crs != crs84 {
		return q, fault.InvalidField("bbox-crs", "%.80q is not %s", crs, crs84)
	}
	if p.has(itemsLimit) {
		if q.limit, err = readCount("limit", p.values[itemsLimit], 1); err != nil {
			return q, err
		}
		q.limit = min(q.limit, maxItems) // as the standard has it: more than the most is no error
	}
	if p.has(itemsOffset) {
		if q.offset, err = readCount("offset", p.values[itemsOffset], 0); err != nil {
			return q, err
		}
	}
	return q, checkFormat(p.values[itemsFormat], p.has(itemsFormat), "json", "geo+json")
}

func readCount(name, s string, least int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < least {
		return 0, fault.InvalidField(name, "%.40q is not a whole number from %d", s, least)
	}
	return n, nil
}

// readBox reads west,south,east,north, or the same with heights, which count
// for nothing. A box whose west is greater than its east crosses the
// antimeridian.
func readBox(s string) ([]orb.Bound, error) {
	fields := strings.SplitN(s, ",", 8)
	if len(fields) != 4 && len(fields) != 6 {
		return nil, fault.InvalidField("bbox", "%d numbers, not 4 or 6", len(fields))
	}
	var v [6]float64
	for i, f := range fields {
		n, ok := readNumber(f)
		if !ok || math.IsInf(n, 0) {
			return nil, fault.InvalidField("bbox", "%.40q is not a number", f)
		}
		v[i] = n
	}
	half := len(fields) / 2
	west, south, east, north := v[0], v[1], v[half], v[half+1]
	if south > north {
		return nil, fault.InvalidField("bbox", "south %v is north of %v", south, north)
	}
	if west <= east {
		return []orb.Bound{{Min: orb.Point{west, south}, Max: orb.Point{east, north}}}, nil
	}
	return []orb.Bound{
		{Min: orb.Point{west, south}, Max: orb.Point{180, north}},
		{Min: orb.Point{-180, south}, Max: orb.Point{east, north}},
	}, nil
}

// readDatetime reads an instant of RFC 3339, a date, or an interval of two, of
// which one or both may be open. All boundaries of one instant are one
// generation; an interval finds the one at its end, or now where that is open.
func readDatetime(s string, now time.Time) (time.Time, error) {
	first, last, interval := strings.Cut(s, "/")
	if !interval {
		return readInstant("datetime", first)
	}
	from, err := readEnd(first, time.Time{})
	if err != nil {
		return from, err
	}
	if now.Before(from) {
		now = from
	}
	to, err := readEnd(last, now)
	if err != nil {
		return to, err
	}
	if to.Before(from) {
		return to, fault.InvalidField("datetime", "%.60q ends before it begins", s)
	}
	return to, nil
}

func readEnd(s string, open time.Time) (time.Time, error) {
	if s == "" || s == ".." {
		return open, nil
	}
	return readInstant("datetime", s)
}

// pageLinks are this page, the ones beside it, and the collection.
func (a *API) pageLinks(c *gin.Context, col *collection, q itemsQuery, matched int) []link {
	url := a.base(c.Request) + "/ogc/collections/" + col.id
	links := []link{
		{q.pageURL(url, q.offset), "self", geoJSONType, ""},
		{url, "collection", "application/json", ""},
	}
	if q.offset < matched-q.limit {
		links = append(links, link{q.pageURL(url, q.offset+q.limit), "next", geoJSONType, ""})
	}
	if q.offset > 0 {
		links = append(links, link{q.pageURL(url, max(0, q.offset-q.limit)), "prev", geoJSONType, ""})
	}
	return links
}

// pageURL is the query with another offset.
func (q itemsQuery) pageURL(collectionURL string, offset int) string {
	v := url.Values{}
	for i, name := range q.given.names {
		if q.given.has(i) {
			v.Set(name, q.given.values[i])
		}
	}
	v.Set("limit", strconv.Itoa(q.limit))
	if offset > 0 {
		v.Set("offset", strconv.Itoa(offset))
	} else {
		v.Del("offset")
	}
	return collectionURL + "/items?" + v.Encode()
}
