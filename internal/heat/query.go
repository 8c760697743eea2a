package heat

import (
	"cmp"
	"slices"
	"time"

	"lianqin/internal/fault"
)

// Query asks for the cases of a window [From, To). A list that is nil does not
// narrow it; an empty one lets nothing pass. What the index never saw passes
// nothing either.
type Query struct {
	From, To    time.Time
	Grids       []string
	Streets     []string
	Departments []string
	Items       []string
	Channels    []string
	States      []string
	MinUrgency  uint8
}

func (q *Query) check() error {
	if !q.From.Before(q.To) {
		return fault.InvalidField("to", "the window from %s to %s is empty", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
	}
	return nil
}

// Map is the answer to a Query. Cells and Grids each add up to Total, with
// what lies outside. Nothing in it is shared with the index.
type Map struct {
	Raster  Raster
	Total   int
	Grids   []GridCount // by grid, those without a case left out; the empty grid is none
	Cells   []uint32    // by number of the cell
	Outside int         // the raster
}

// GridCount is how many cases lay in a grid.
type GridCount struct {
	Grid  string
	Count int
}

// Query counts. It is Invalid when the window is empty.
func (x *Index) Query(q Query) (*Map, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	cells := make([]uint32, x.raster.Cells()+1)
	areas := make([]uint32, len(x.areas.all))
	x.each(&q, func(b *block, i int) {
		cells[b.cell[i]]++
		areas[b.area[i]]++
	})
	m := &Map{Raster: x.raster, Cells: cells[:len(cells)-1], Outside: int(cells[len(cells)-1])}
	for n, count := range areas {
		if count > 0 {
			m.Total += int(count)
			m.Grids = append(m.Grids, GridCount{x.areas.all[n].grid, int(count)})
		}
	}
	m.Grids = joined(m.Grids)
	return m, nil
}

// joined sorts counts by grid and adds up those of one grid, which may have
// been of several streets.
func joined(counts []GridCount) []GridCount {
	slices.SortFunc(counts, func(a, b GridCount) int { return cmp.Compare(a.Grid, b.Grid) })
	out := counts[:0]
	for _, c := range counts {
		if n := len(out); n > 0 && out[n-1].Grid == c.Grid {
			out[n-1].Count += c.Count
			continue
		}
		out = append(out, c)
	}
	return out
}

// sieve is a Query in the numbers of the rows: 1 for what passes.
type sieve struct {
	from, to    uint32 // seconds, [from, to)
	areas       []uint8
	items       []uint8
	departments []uint8
	channels    [maxSmall]uint8
	states      [maxSmall]uint8
	urgency     uint8
}

func (x *Index) sieve(q *Query) *sieve {
	s := &sieve{from: second(q.From), to: second(q.To), areas: make([]uint8, len(x.areas.all)), items: make([]uint8, len(x.items.all)),
		departments: make([]uint8, len(x.departments.all)), urgency: q.MinUrgency}
	pass(s.items, q.Items, &x.items)
	pass(s.departments, q.Departments, &x.departments)
	pass(s.channels[:], q.Channels, &x.channels)
	pass(s.states[:], q.States, &x.states)
	for i, a := range x.areas.all {
		if (q.Grids == nil || slices.Contains(q.Grids, a.grid)) && (q.Streets == nil || slices.Contains(q.Streets, a.street)) {
			s.areas[i] = 1
		}
	}
	return s
}

// second is the first whole second not before t, within what rows can hold:
// rows hold whole seconds, so that [from, to) is the same in both.
func second(t time.Time) uint32 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return uint32(min(max(s, 0), 1<<32-1))
}

func pass(out []uint8, wanted []string, n *names[string]) {
	if wanted == nil {
		for i := range out {
			out[i] = 1
		}
	}
	for _, w := range wanted {
		if i, ok := n.at[w]; ok {
			out[i] = 1
		}
	}
}

// each calls f with the rows that pass. Blocks whose rows all lie outside the
// window are passed over.
func (x *Index) each(q *Query, f func(b *block, i int)) {
	s := x.sieve(q)
	span := s.to - s.from
	for n, b := range x.blocks {
		if b.last < s.from || b.first >= s.to {
			continue
		}
		for i := range min(blockRows, x.rows-n<<blockBits) {
			if b.at[i]-s.from < span && // modulo 2^32: from <= at < to
				s.items[b.item[i]]&s.departments[b.department[i]]&s.channels[b.channel[i]]&s.states[b.state[i]]&s.areas[b.area[i]] != 0 && b.urgency[i] >= s.urgency {
				f(b, i)
			}
		}
	}
}
