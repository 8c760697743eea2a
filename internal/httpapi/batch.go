package httpapi

import (
	"bytes"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/table"
)

var batchParams = []string{"datum", "item", "border", "lon_column", "lat_column", "at"}

const (
	batchDatum = iota
	batchItem
	batchBorder
	batchLonColumn
	batchLatColumn
	batchAt
)

// batchForm is one of the forms that a batch comes and goes in.
type batchForm uint8

const (
	jsonForm batchForm = iota
	linesForm
	csvForm
)

// batch is one POST /api/v1/resolve on its way.
type batch struct {
	api       *API
	d         *district
	datum     geo.Datum
	border    bool // also border distance and, outside, the nearest grid
	item      *casework.Item
	items     []itemText     // with an item: by place, and last for nowhere
	encoding  table.Encoding // of a CSV; empty when its bytes are to tell
	lonColumn string
	latColumn string
	points    []point
	counts    [3]int // by outcome
}

var pointsPool = sync.Pool{New: func() any { p := make([]point, 0, 1024); return &p }}

// keptPoints is the longest list of points worth keeping.
const keptPoints = 1 << 14

// resolveBatch answers POST /api/v1/resolve.
func (a *API) resolveBatch(c *gin.Context) error {
	b, err := a.newBatch(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	var form batchForm
	if form, b.encoding, err = formOf(c.Request.Header.Get("Content-Type")); err != nil {
		return err
	}
	in, err := a.readBody(c.Request)
	if err != nil {
		return err
	}
	defer in.release()
	if form == csvForm {
		return b.answerCSV(c, in.bytes)
	}
	if !utf8.Valid(in.bytes) {
		return fault.InvalidField("body", "not UTF-8, as JSON has to be")
	}
	text := bytes.TrimPrefix(in.bytes, []byte("\ufeff"))
	pooled := pointsPool.Get().(*[]point)
	defer func() {
		if cap(b.points) <= keptPoints {
			clear(b.points) // they point into the body
			*pooled = b.points[:0]
			pointsPool.Put(pooled)
		}
	}()
	b.points = (*pooled)[:0]
	decode := decodeJSON
	if form == linesForm {
		decode = decodeLines
	}
	points, err := decode(text, a.cfg.Limits.Points, b.points)
	if err != nil {
		return err
	}
	b.points = points
	return b.answerJSON(c, form)
}

func (a *API) newBatch(query string) (*batch, error) {
	p, err := readParams(query, batchParams)
	if err != nil {
		return nil, err
	}
	b := &batch{api: a, lonColumn: p.values[batchLonColumn], latColumn: p.values[batchLatColumn]}
	if b.datum, err = geo.ParseDatum(p.values[batchDatum]); err != nil {
		return nil, err
	}
	if b.border, err = p.flag(batchBorder); err != nil {
		return nil, err
	}
	if b.d, err = a.asOf(&p, batchAt); err != nil {
		return nil, err
	}
	if p.has(batchItem) {
		if b.item, err = a.item(p.values[batchItem]); err != nil {
			return nil, err
		}
		b.items = make([]itemText, len(b.d.texts)+1)
	}
	return b, nil
}

// formOf is a batch's form and, when a CSV says that it is of another encoding
// than UTF-8, that encoding.
func formOf(contentType string) (batchForm, table.Encoding, error) {
	wrong := func(why string) (batchForm, table.Encoding, error) {
		return 0, "", withStatus(http.StatusUnsupportedMediaType,
			fault.InvalidField("Content-Type", "%.60q %s; send application/json, application/x-ndjson or text/csv", contentType, why))
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return wrong("cannot be read")
	}
	form, known := mediaForms[media]
	if !known {
		return wrong("is not known")
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "us-ascii": // of a CSV its bytes decide: many label GBK with a client's default
		return form, "", nil
	case "gb18030", "gbk", "gb2312":
		if form == csvForm {
			return form, table.GB18030, nil
		}
		return wrong("is not UTF-8")
	}
	if form == csvForm {
		return wrong("is not UTF-8, GBK or GB18030")
	}
	return wrong("is not UTF-8")
}

var mediaForms = map[string]batchForm{
	"application/json": jsonForm, "text/json": jsonForm,
	"application/x-ndjson": linesForm, "application/ndjson": linesForm, "application/jsonl": linesForm, "application/x-jsonlines": linesForm,
	"text/csv": csvForm, "application/csv": csvForm,
}

// chunk is how many points go through the index together.
const chunk = 256

// located holds one chunk's positions and grids.
type located struct {
	at  [chunk]orb.Point // WGS-84; NaN for bad points
	ids [chunk]grid.ID
}

// locate finds the grids of up to chunk points.
func (b *batch) locate(points []point, l *located) {
	for i := range points {
		p := &points[i]
		if p.bad != nil {
			l.at[i] = orb.Point{math.NaN(), math.NaN()}
			b.counts[invalid]++
			continue
		}
		l.at[i] = orb.Point{p.lon, p.lat}
		if b.datum != geo.WGS84 {
			l.at[i] = b.datum.ToWGS84(l.at[i])
		}
	}
	n := len(points)
	b.d.index.LocateAll(l.ids[:n], l.at[:n])
	for _, id := range l.ids[:n] {
		if id != grid.None {
			b.counts[inside]++
		}
	}
}

// count reports what became of n points.
func (b *batch) count(n int) {
	b.counts[outside] = n - b.counts[inside] - b.counts[invalid]
	for i, k := range b.counts {
		b.api.metrics.points[i].Add(float64(k))
	}
}

// flushAt is how much of an answer is gathered before it is sent on.
const flushAt = 64 << 10

// generationHeader tells which generation answered a batch.
const generationHeader = "X-Lianqin-Generation"

func (b *batch) begin(c *gin.Context, contentType string) {
	h := c.Writer.Header()
	h.Set("Content-Type", contentType)
	h["Cache-Control"] = noStore
	h.Set(generationHeader, strconv.Itoa(b.d.gen.Number())+" "+b.d.gen.Hash())
}

func (b *batch) answerJSON(c *gin.Context, form batchForm) error {
	out := takeBuffer()
	defer out.release()
	comma, end := "\n", ""
	if form == linesForm {
		b.begin(c, "application/x-ndjson")
	} else {
		b.begin(c, "application/json")
		out.b = append(out.b, '[')
		comma, end = ",\n", "]\n"
	}
	var l located
	for from := 0; from < len(b.points); from += chunk {
		if c.Request.Context().Err() != nil {
			return nil // the reader has gone
		}
		points := b.points[from:min(from+chunk, len(b.points))]
		b.locate(points, &l)
		for i := range points {
			out.b = b.appendAnswer(out.b, &points[i], l.at[i], l.ids[i])
			if form == linesForm || from+i+1 < len(b.points) {
				out.b = append(out.b, comma...)
			}
		}
		if len(out.b) >= flushAt {
			if _, err := c.Writer.Write(out.b); err != nil {
				return nil // the reader has gone
			}
			out.b = out.b[:0]
		}
	}
	out.b = append(out.b, end...)
	_, _ = c.Writer.Write(out.b)
	b.count(len(b.points))
	return nil
}

// appendAnswer appends what became of p, which was found at a place.
func (b *batch) appendAnswer(out []byte, p *point, at orb.Point, id grid.ID) []byte {
	out = append(out, '{')
	if p.id != nil {
		out = append(out, `"id":`...)
		out = append(out, p.id...)
		out = append(out, ',')
	}
	if p.bad != nil {
		out = append(out, `"error":{"field":`...)
		out = appendString(out, p.bad.field)
		out = append(out, `,"detail":`...)
		out = appendString(out, p.bad.detail)
		return append(out, "}}"...)
	}
	if c, err := geo.Quantise(at); err == nil {
		out = appendPosition(out, c)
		out = append(out, ',')
	}
	var item *itemText
	if b.item != nil {
		item = b.itemIn(id)
	}
	if id == grid.None {
		out = append(out, nowhere...)
	} else {
		t := b.d.text(id)
		out = append(out, t.place...)
		out = append(out, ',')
		if item == nil {
			out = append(out, t.department...)
		} else {
			out = append(out, item.department...)
		}
	}
	if b.border {
		if id == grid.None {
			out = b.d.appendNearest(out, at)
		}
		out = append(out, `,"border_distance_m":`...)
		out = appendTenths(out, b.d.index.BorderDistance(at))
	}
	if p.accuracy >= 0 {
		out = b.d.appendShares(out, at, p.accuracy)
	}
	if item != nil {
		out = append(out, item.item...)
	}
	return append(out, '}')
}

// itemText is what answers say about the batch's item in one grid, or in none.
type itemText struct {
	department []byte // "department":… of the lead
	item       []byte // ,"item":…
}

// itemIn is the item's text in a grid, written when the first point falls
// there.
func (b *batch) itemIn(id grid.ID) *itemText {
	place := len(b.d.texts)
	if id != grid.None {
		place = int(b.d.places[id])
	}
	t := &b.items[place]
	if t.item == nil {
		c := b.api.cfg.Catalogue
		g, s := b.d.gridAndStreet(id)
		t.department = appendDepartment([]byte(`"department":`), c.Lead(b.item, g, s))
		t.item = appendItem([]byte(`,"item":`), c, b.item, g, s)
	}
	return t
}
