package live

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"sync"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// Frame is one event of a stream, the same bytes for every reader of a scope.
type Frame struct {
	Seq   uint64
	plain func() []byte
	flate func() []byte
}

// Bytes are the frame as Server-Sent Events have it, up to its empty line.
func (f *Frame) Bytes() []byte { return f.plain() }

// Deflated is Bytes as a piece of a DEFLATE stream that ends at a byte and
// refers to nothing before it, so that any sequence of frames is one stream.
func (f *Frame) Deflated() []byte { return f.flate() }

// newFrame is a frame that is encoded when it is first asked for, and once.
func newFrame(seq uint64, encode func() []byte) *Frame {
	f := &Frame{Seq: seq, plain: sync.OnceValue(encode)}
	f.flate = sync.OnceValue(func() []byte { return deflate(f.plain()) })
	return f
}

// NewFrame is an event of a stream of another's making, with its empty line. It
// is encoded when it is first asked for, and once, for all who are sent it.
func NewFrame(encode func() []byte) *Frame { return newFrame(0, encode) }

// NewNote is something else that a stream says beside its frames, as a comment
// is: b with its empty line.
func NewNote(b string) *Frame { return newFrame(0, func() []byte { return []byte(b) }) }

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is one of flate's
	}
	return w
}}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	// Writing to memory does not fail.
	_, _ = w.Write(b)
	_ = w.Flush()
	return out.Bytes()
}

// body is a frame's JSON. What is empty is left out.
type body struct {
	At         int64           `json:"at"`
	Roll       int64           `json:"roll"`
	Generation int             `json:"generation"`
	Origin     *[2]int32       `json:"origin,omitempty"`
	Columns    *columnNames    `json:"columns,omitempty"`
	Units      []int64         `json:"units,omitempty"`
	Unheard    []patrol.UnitID `json:"unheard,omitempty"`
	Gone       []patrol.UnitID `json:"gone,omitempty"`
	Grids      []int64         `json:"grids,omitempty"`
	Events     []int64         `json:"events,omitempty"`
}

type columnNames struct {
	Units  []string `json:"units"`
	Grids  []string `json:"grids"`
	Events []string `json:"events"`
}

// columns are the names of what the rows below append, in their order.
var columns = columnNames{
	Units:  []string{"unit", "presence", "flags", "x", "y", "age", "accuracy", "speed", "heading", "battery", "grid", "raw", "dwell"},
	Grids:  []string{"grid", "present", "assigned", "swept", "unvisited", "debt"},
	Events: []string{"kind", "unit", "age", "from", "to"},
}

// addUnit says where unit is at moment at.
func (b *body) addUnit(unit patrol.UnitID, r *unitRow) {
	switch {
	case r.presence == patrol.OffDutyNow:
		b.Gone = append(b.Gone, unit)
	case !r.placed():
		b.Unheard = append(b.Unheard, unit)
	default:
		dwell := b.At - r.since
		if r.grid == grid.None || r.since == 0 {
			dwell = 0
		}
		b.Units = append(b.Units, int64(unit), int64(r.presence), int64(r.flags), int64(r.x), int64(r.y), b.At-r.at,
			int64(r.accuracy), int64(r.speed), int64(r.heading), int64(r.battery), int64(r.grid), int64(r.raw), dwell)
	}
}

func (b *body) addGrid(r *gridRow) {
	b.Grids = append(b.Grids, int64(r.id), int64(r.present), int64(r.assigned), int64(r.swept), int64(r.unvisited), int64(r.debt))
}

func (b *body) addEvents(c *change, s Scope) {
	for _, e := range c.events {
		if c.now.business.covers(s, e.unit) {
			b.Events = append(b.Events, int64(e.kind), int64(e.unit), b.At-e.at, int64(e.from), int64(e.to))
		}
	}
}

func (m *moment) body() *body { return &body{At: m.at, Roll: m.roll, Generation: m.generation} }

// snap is all of m that s covers.
func (m *moment) snap(s Scope, origin geo.Coord) *body {
	b := m.body()
	b.Origin, b.Columns = &[2]int32{step(origin.X), step(origin.Y)}, &columns
	b.Units = make([]int64, 0, len(columns.Units)*len(m.units))
	for i := range m.units {
		if r := &m.units[i]; r.presence != patrol.OffDutyNow && m.business.covers(s, patrol.UnitID(i)) {
			b.addUnit(patrol.UnitID(i), r)
		}
	}
	for i := range m.grids {
		if m.business.coversGrid(s, i, m.grids[i].id) {
			b.addGrid(&m.grids[i])
		}
	}
	return b
}

// tick is what of c is s's.
func (c *change) tick(s Scope) *body {
	b := c.now.body()
	for _, unit := range c.units {
		if c.now.business.covers(s, unit) {
			b.addUnit(unit, c.now.unit(unit))
		}
	}
	for _, i := range c.grids {
		if r := &c.now.grids[i]; c.now.business.coversGrid(s, i, r.id) {
			b.addGrid(r)
		}
	}
	return b
}

// encode is the frame that says c to s, under the id of stream epoch.
func (c *change) encode(s Scope, origin geo.Coord, epoch string, seq uint64) []byte {
	kind, b := "tick", (*body)(nil)
	if c.all {
		kind, b = "snap", c.now.snap(s, origin)
	} else {
		b = c.tick(s)
	}
	b.addEvents(c, s)
	return b.event(kind, epoch, seq)
}

// event is b as an event of kind with an id.
func (b *body) event(kind, epoch string, seq uint64) []byte {
	data, err := json.Marshal(b)
	if err != nil {
		panic(err) // integers and fixed strings
	}
	out := make([]byte, 0, len(data)+len(kind)+len(epoch)+48)
	out = fmt.Appendf(out, "id: %s-%d\nevent: %s\ndata: ", epoch, seq, kind)
	return append(append(out, data...), '\n', '\n')
}
