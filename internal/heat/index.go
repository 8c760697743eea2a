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
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Case is what the index keeps of a case. Urgency is the caller's own scale,
// 0 is the least.
type Case struct {
	ID      int64
	At      time.Time // the instant that places it in time, to the second
	Where   geo.Coord
	Grid    grid.ID // None is outside
	Item    string
	Channel string
	State   string
	Urgency uint8
}

// Index holds a row of every case, in columns. A case takes 17 bytes, and 4
// more where case numbers run without great gaps. All methods are safe for
// concurrent use.
type Index struct {
	raster Raster

	mu       sync.RWMutex
	blocks   []*block
	rows     int
	at       map[int64]*page // by the case's number >> pageBits
	items    names
	channels names
	states   names
	grids    []grid.ID // by their numbers in the rows
	gridAt   map[grid.ID]uint32
}

const (
	blockBits = 12
	blockRows = 1 << blockBits
	pageBits  = 10
	// maxSmall bounds the number of channels and of states, and maxItems that
	// of items.
	maxSmall = 1 << 8
	maxItems = 1 << 16
)

// page holds the row of each case of a run of numbers, plus one.
type page [1 << pageBits]uint32

// block is a run of rows, in the order in which they came, and between which
// instants they lie.
type block struct {
	first, last uint32
	at          [blockRows]uint32 // Unix seconds
	cell        [blockRows]uint32 // Raster.Cells() is outside
	grid        [blockRows]uint32 // number in Index.grids
	item        [blockRows]uint16
	channel     [blockRows]uint8
	state       [blockRows]uint8
	urgency     [blockRows]uint8
}

// names numbers words as they come.
type names struct {
	all []string
	at  map[string]int
}

func (n *names) number(s string, limit int, field string) (int, error) {
	i, ok := n.at[s]
	if !ok {
		if len(n.all) == limit {
			return 0, fault.InvalidField(field, "%q is one more than the %d different ones that can be told apart", s, limit)
		}
		if n.at == nil {
			n.at = map[string]int{}
		}
		i = len(n.all)
		n.all, n.at[s] = append(n.all, s), i
	}
	return i, nil
}

// New is an empty index over the raster of bound, in WGS-84 degrees: a
// generation's. What lies outside of it counts, but has no cell.
func New(bound orb.Bound) (*Index, error) {
	r, err := NewRaster(bound)
	if err != nil {
		return nil, err
	}
	return &Index{raster: r, at: map[int64]*page{}, grids: []grid.ID{grid.None}, gridAt: map[grid.ID]uint32{grid.None: 0}}, nil
}

// Raster is the cells that the index counts in.
func (x *Index) Raster() Raster { return x.raster }

// Len is the number of cases.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.rows
}

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
	item, err := x.items.number(c.Item, maxItems, "item")
	if err != nil {
		return err
	}
	channel, err := x.channels.number(c.Channel, maxSmall, "channel")
	if err != nil {
		return err
	}
	state, err := x.states.number(c.State, maxSmall, "state")
	if err != nil {
		return err
	}
	cell, ok := x.raster.Cell(c.Where)
	if !ok {
		cell = x.raster.Cells()
	}
	b, i := x.row(c.ID)
	b.first, b.last = min(b.first, uint32(s)), max(b.last, uint32(s))
	b.at[i], b.cell[i], b.grid[i] = uint32(s), uint32(cell), x.gridNumber(c.Grid)
	b.item[i], b.channel[i], b.state[i], b.urgency[i] = uint16(item), uint8(channel), uint8(state), c.Urgency
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
	}
	i := int(*slot - 1)
	return x.blocks[i>>blockBits], i & (blockRows - 1)
}

func (x *Index) gridNumber(id grid.ID) uint32 {
	n, ok := x.gridAt[id]
	if !ok {
		n = uint32(len(x.grids))
		x.grids, x.gridAt[id] = append(x.grids, id), n
	}
	return n
}
