package httpapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/klauspost/compress/gzip"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// maxIndexed is how many cases one index may have.
const maxIndexed = 50_000

// The bits of flags in a row of the index.
const (
	flagKey = 1 << iota
	flagEmergency
	flagHotline
)

// indexColumns are the names of a row's fields, in their order.
var indexColumns = []string{"id", "seq", "lon_e5", "lat_e5", "due_s", "state", "overlays", "item", "street", "department", "received_s", "flags"}

var indexParams = append(slices.Clone(casesParams[:casesOrder]), "as_of")

const indexAsOf = casesOrder

// indexHead is what stands before the rows of an index.
type indexHead struct {
	AsOf        time.Time `json:"as_of"`
	Revision    int64     `json:"revision"`
	Columns     []string  `json:"columns"`
	Overlays    []string  `json:"overlays"` // by their bits
	States      []string  `json:"states"`
	Items       []string  `json:"items"`
	Streets     []string  `json:"streets"`
	Departments []string  `json:"departments"`
}

// indexCases answers GET /api/v1/cases/index: a short row of every case of a
// queue, now or as it stood at a past time.
func (a *API) indexCases(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	q, p, err := a.caseSearch(c, indexParams)
	if err != nil {
		return err
	}
	// Whoever may watch cases only is not told what words they have.
	if q.Words != "" && !callerOf(c).Role.May(auth.ReadCases) {
		return fault.New(fault.Denied, "cases are found by words by those who may read them")
	}
	var kept []*casework.Kept
	var revision int64
	if p.has(indexAsOf) {
		kept, err = a.indexAt(c, d, q, p.values[indexAsOf])
	} else {
		kept, revision, err = d.Index(*q)
	}
	if err != nil {
		return err
	}
	if len(kept) > maxIndexed {
		return withStatus(http.StatusRequestEntityTooLarge, fault.New(fault.Invalid, "%d cases are more than the %d of an index: narrow it by street, state or item", len(kept), maxIndexed))
	}
	return writeIndex(c, indexHead{AsOf: q.AsOf.In(grid.Zone), Revision: revision}, kept)
}

// indexAt is the index as it stood at a past time; it takes a core for a moment,
// so that one is made at a time.
func (a *API) indexAt(c *gin.Context, d *casework.Desk, q *casework.Search, text string) ([]*casework.Kept, error) {
	at, err := readInstant("as_of", text)
	if err != nil {
		return nil, err
	}
	if at.After(q.AsOf) {
		return nil, fault.InvalidField("as_of", "%s is still to come", text)
	}
	// What is overdue or near was so then.
	shift := at.Sub(q.AsOf)
	for _, due := range []*time.Time{&q.DueFrom, &q.DueTo} {
		if !due.IsZero() {
			*due = due.Add(shift)
		}
	}
	q.AsOf = at
	select {
	case a.standing <- struct{}{}:
		defer func() { <-a.standing }()
	case <-c.Request.Context().Done():
		return nil, c.Request.Context().Err()
	}
	return d.IndexAt(c.Request.Context(), *q, at)
}

// numbers gives each different text the next number; none is -1.
type numbers struct {
	all []string
	at  map[string]int64
}

func (n *numbers) of(s string) int64 {
	if s == "" {
		return -1
	}
	i, ok := n.at[s]
	if !ok {
		if n.at == nil {
			n.at = map[string]int64{}
		}
		i = int64(len(n.all))
		n.all, n.at[s] = append(n.all, s), i
	}
	return i
}

// rowBytes is about how long a row is.
const rowBytes = 80

func writeIndex(c *gin.Context, head indexHead, kept []*casework.Kept) error {
	rows := make([]byte, 0, rowBytes*len(kept)+16)
	var states, items, streets, departments numbers
	for i, k := range kept {
		if i > 0 {
			rows = append(rows, ',')
		}
		rows = append(rows, '[')
		for _, v := range [...]int64{k.Case, int64(k.Seq)} {
			rows = append(strconv.AppendInt(rows, v, 10), ',')
		}
		rows = appendPlace(rows, k)
		rows = appendDue(rows, k.Due)
		for _, v := range [...]int64{states.of(string(k.State)), int64(k.Overlays), items.of(k.Item), streets.of(k.Street), departments.of(k.Lead), k.Received / 1000} {
			rows = append(strconv.AppendInt(rows, v, 10), ',')
		}
		rows = append(strconv.AppendInt(rows, int64(flagsOf(k)), 10), ']')
	}
	head.Columns, head.Overlays = indexColumns, casework.Overlay(1<<16-1).Names()
	head.States, head.Items, head.Streets, head.Departments = orEmpty(states.all), orEmpty(items.all), orEmpty(streets.all), orEmpty(departments.all)
	out, err := json.Marshal(head)
	if err != nil {
		return err
	}
	out = append(out[:len(out)-1], `,"rows":[`...)
	return writePieces(c, out, rows, []byte("]}\n"))
}

func appendPlace(b []byte, k *casework.Kept) []byte {
	if !k.Placed {
		return append(b, "null,null,"...)
	}
	b = append(strconv.AppendInt(b, roundE5(k.At.X), 10), ',')
	return append(strconv.AppendInt(b, roundE5(k.At.Y), 10), ',')
}

// roundE5 is 1e-7 degree as 1e-5, about a metre.
func roundE5(e7 int32) int64 {
	v := int64(e7)
	if v < 0 {
		return -((-v + 50) / 100)
	}
	return (v + 50) / 100
}

func appendDue(b []byte, due int64) []byte {
	if due == casework.NeverDue {
		return append(b, "null,"...)
	}
	return append(strconv.AppendInt(b, due/1000, 10), ',')
}

func flagsOf(k *casework.Kept) (flags int) {
	if k.Key {
		flags |= flagKey
	}
	if k.Emergency {
		flags |= flagEmergency
	}
	if k.Channel == casework.ByHotline {
		flags |= flagHotline
	}
	return flags
}

// fast compresses what one reader gets once.
var fast = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one of gzip's
	}
	return z
}}

// writePieces answers with JSON in pieces, which no cache may keep.
func writePieces(c *gin.Context, pieces ...[]byte) error {
	h := c.Writer.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["Vary"] = varyOnEncoding
	c.Status(http.StatusOK)
	if !acceptsGzip(c.Request.Header) {
		for _, p := range pieces {
			_, _ = c.Writer.Write(p) // or the reader has gone
		}
		return nil
	}
	h["Content-Encoding"] = gzipEncoding
	z := fast.Get().(*gzip.Writer)
	defer fast.Put(z)
	z.Reset(c.Writer)
	for _, p := range pieces {
		_, _ = z.Write(p)
	}
	_ = z.Close()
	return nil
}
