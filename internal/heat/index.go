// Package heat counts cases by place and time: how many lay in which grid and
// in which cell of about a hundred metres, for any window, items, channels and
// states, and where there are more than the weeks before let expect.
//
// It keeps one short row of each case and answers by a pass over those that a
// window can touch. It knows no case's life, no store and no page: whoever
// keeps the cases tells it of each.
package heat

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// Case is what the index keeps of a case. Words are codes, and may be empty.
// Grid and street are those that the case was filed under, whatever became of
// the borders. Urgency is the caller's own scale, 0 is the least.
type Case struct {
	ID         int64
	At         time.Time // the instant that places it in time, to the second
	Where      geo.Coord // the zero Coord is unknown
	Grid       string    // empty is none
	Street     string
	Department string
	Item       string
	Channel    string
	State      string
	Urgency    uint8
}

// Index holds a row of every case, in columns. A case takes 19 bytes, and 4
// more where case numbers run without great gaps. All methods are safe for
// concurrent use.
type Index struct {
	version atomic.Uint64

	mu          sync.RWMutex
	raster      Raster
	blocks      []*block
	rows        int
	at          map[int64]*page // by the case's number >> pageBits
	items       names[string]
	channels    names[string]
	states      names[string]
	departments names[string]
	areas       names[area]
	beyond      map[int64]geo.Coord // the cases that lie outside the raster
}

// area is a grid and the street that it was of.
type area struct{ grid, street string }

const (
	blockBits = 12
	blockRows = 1 << blockBits
	pageBits  = 10
	// maxSmall bounds the number of channels and of states, maxItems that of
	// items and of departments, and maxAreas that of grids with their streets.
	maxSmall = 1 << 8
	maxItems = 1 << 16
	maxAreas = 1 << 24
)

// page holds the row of each case of a run of numbers, plus one.
type page [1 << pageBits]uint32

// block is a run of rows, in the order in which they came, and between which
// instants they lie.
type block struct {
	first, last uint32
	at          [blockRows]uint32 // Unix seconds
	cell        [blockRows]uint32 // Raster.Cells() is outside
	area        [blockRows]uint32
	item        [blockRows]uint16
	department  [blockRows]uint16
	channel     [blockRows]uint8
	state       [blockRows]uint8
	urgency     [blockRows]uint8
}

// names numbers words as they come.
type names[T comparable] struct {
	all []T
	at  map[T]int
}

func (n *names[T]) number(s T, limit int, field string) (int, error) {
	i, ok := n.at[s]
	if !ok {
		if len(n.all) == limit {
			return 0, fault.InvalidField(field, "%v is one more than the %d different ones that can be told apart", s, limit)
		}
		if n.at == nil {
			n.at = map[T]int{}
		}
		i = len(n.all)
		n.all, n.at[s] = append(n.all, s), i
	}
	return i, nil
}

// New is an empty index without a raster, which Cover gives it. What lies
// outside of the raster counts, but has no cell.
func New() *Index { return &Index{at: map[int64]*page{}, beyond: map[int64]geo.Coord{}} }

// Raster is the cells that the index counts in now; the zero Raster before it
// has any. Cover may enlarge it; the cells stay where they are.
func (x *Index) Raster() Raster {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.raster
}

// Len is the number of cases.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.rows
}

// Version counts up with every change of what there is to count: what was
// answered at a version holds while it does.
func (x *Index) Version() uint64 { return x.version.Load() }

// Put enters a case as it stands, in the place of what the index had of it. It
// is Invalid for an instant before 1970 or after 2105, and for more different
// words than fit.
func (x *Index) Put(c Case) error {
	s := c.At.Unix()
	if s < 0 || s >= math.MaxUint32 {
		return fault.InvalidField("at", "%s is not between 1970 and 2105", c.At.Format(time.RFC3339))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r, err := x.numbered(&c)
	if err != nil {
		return err
	}
	r.at = uint32(s)
	cell, ok := x.raster.Cell(c.Where)
	delete(x.beyond, c.ID)
	if !ok {
		cell = x.raster.Cells()
		if c.Where != (geo.Coord{}) {
			x.beyond[c.ID] = c.Where
		}
	}
	r.cell = uint32(cell)
	b, i := x.row(c.ID)
	if r != b.get(i) {
		b.set(i, r)
		x.version.Add(1)
	}
	return nil
}

// row is a case in numbers.
type row struct {
	at, cell, area   uint32
	item, department uint16
	channel, state   uint8
	urgency          uint8
}

func (x *Index) numbered(c *Case) (r row, err error) {
	number := func(n *names[string], s string, limit int, field string) (i int) {
		if err == nil {
			i, err = n.number(s, limit, field)
		}
		return i
	}
	r.item = uint16(number(&x.items, c.Item, maxItems, "item"))
	r.department = uint16(number(&x.departments, c.Department, maxItems, "department"))
	r.channel = uint8(number(&x.channels, c.Channel, maxSmall, "channel"))
	r.state = uint8(number(&x.states, c.State, maxSmall, "state"))
	r.urgency = c.Urgency
	if err == nil {
		var i int
		i, err = x.areas.number(area{c.Grid, c.Street}, maxAreas, "grid")
		r.area = uint32(i)
	}
	return r, err
}

func (b *block) get(i int) row {
	return row{b.at[i], b.cell[i], b.area[i], b.item[i], b.department[i], b.channel[i], b.state[i], b.urgency[i]}
}

func (b *block) set(i int, r row) {
	b.first, b.last = min(b.first, r.at), max(b.last, r.at)
	b.at[i], b.cell[i], b.area[i], b.item[i], b.department[i] = r.at, r.cell, r.area, r.item, r.department
	b.channel[i], b.state[i], b.urgency[i] = r.channel, r.state, r.urgency
}

// Cover begins the raster, or enlarges it until it covers bound, in WGS-84
// degrees, such as that of new borders, and gives the cases that lay outside
// their cells. Every cell stays where it is, under another number. It is
// Invalid, and nothing is changed, when that would be too many cells.
func (x *Index) Cover(bound orb.Bound) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.raster
	r, err := old.grown(bound)
	if err != nil || r == old {
		return err
	}
	if old.Width == 0 {
		old = Raster{West: r.West, South: r.South, Width: 1} // no cells
	}
	dx, dy := int(old.West-r.West)/int(r.CellX), int(old.South-r.South)/int(r.CellY)
	for n, b := range x.blocks {
		for i := range min(blockRows, x.rows-n<<blockBits) {
			if c := int(b.cell[i]); c < old.Cells() {
				b.cell[i] = uint32((c/old.Width+dy)*r.Width + c%old.Width + dx)
			} else {
				b.cell[i] = uint32(r.Cells())
			}
		}
	}
	x.raster = r
	for id, where := range x.beyond {
		if cell, ok := r.Cell(where); ok {
			b, i := x.row(id)
			b.cell[i] = uint32(cell)
			delete(x.beyond, id)
		}
	}
	x.version.Add(1)
	return nil
}

// row is where a case has its row, a new one at the end if it has none.
func (x *Index) row(id int64) (*block, int) {
	p := x.at[id>>pageBits]
	if p == nil {
		p = new(page)
		x.at[id>>pageBits] = p
	}
	slot := &p[id&(1<<pageBits-1)]
	if *slot == 0 {
		if x.rows>>blockBits == len(x.blocks) {
			x.blocks = append(x.blocks, &block{first: math.MaxUint32})
		}
		x.rows++
		*slot = uint32(x.rows)
		x.version.Add(1)
	}
	i := int(*slot - 1)
	return x.blocks[i>>blockBits], i & (blockRows - 1)
}
