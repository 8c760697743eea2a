package simulate

import (
	"container/heap"
	"hash/fnv"
	"io"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/locate"
)

// Options say what a Fleet is like.
type Options struct {
	Seed     uint64
	Begin    time.Time     // true time of the first fixes
	Interval time.Duration // between two fixes of a unit
	Faults   Faults
	// Truth has every crossing written down; without, only positions are
	// known.
	Truth bool
}

// Fleet is many units and what their devices report, in the order in which it
// is sent. It is not safe for concurrent use.
type Fleet struct {
	roads   *Roads
	options Options
	units   []*member
	queue   queue
}

// member is one unit with its device.
type member struct {
	Unit
	number  int    // its place in the fleet
	key     uint64 // of its dice: of its code, so that it walks alike in every fleet
	walker  *walker
	watch   *watch
	truths  []*Truth // of each shift
	device  *device
	taking  int64    // when the next fix is taken, true time
	pending []Report // taken and not yet due, a heap by Due
	scratch []Report
}

// NewFleet puts units on the borders of x's generation. It is Invalid when
// there are none, or the interval is shorter than a millisecond.
func NewFleet(x *locate.Index, units []Unit, opt Options) (*Fleet, error) {
	if len(units) == 0 {
		return nil, fault.InvalidField("units", "there is nobody to simulate")
	}
	if opt.Interval < time.Millisecond {
		return nil, fault.InvalidField("rate", "more than 1,000 fixes a second of one unit")
	}
	f := &Fleet{roads: NewRoads(x), options: opt}
	for i := range units {
		m := &member{Unit: units[i], number: i, key: keyOf(units[i].Code)}
		d := dice(opt.Seed, 2, m.key)
		m.device = &device{Traits: traitsOf(d, &f.options.Faults), faults: &f.options.Faults, dice: d}
		f.start(m, opt.Begin)
		f.units = append(f.units, m)
	}
	for _, m := range f.units {
		f.fill(m)
	}
	f.queue = queue(append([]*member(nil), f.units...))
	heap.Init(&f.queue)
	return f, nil
}

// keyOf is a number for a code (FNV-1a).
func keyOf(code string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, code) // never fails
	return h.Sum64()
}

// Units is how many units there are.
func (f *Fleet) Units() int { return len(f.units) }

// Unit is the i-th unit.
func (f *Fleet) Unit(i int) *Unit { return &f.units[i].Unit }

// Traits is what the i-th unit's device is like.
func (f *Fleet) Traits(i int) Traits { return f.units[i].device.Traits }

// Truths are where the i-th unit was, shift by shift, up to the last report
// that Next returned of it.
func (f *Fleet) Truths(i int) []*Truth { return f.units[i].truths }

// Peek is when the next report is due. There is always one.
func (f *Fleet) Peek() (time.Time, bool) { return time.UnixMilli(f.queue[0].pending[0].Due), true }

// Next is the next report, by the time at which its device first tries to
// send it.
func (f *Fleet) Next() Report {
	m := f.queue[0]
	r := m.pop()
	f.fill(m)
	heap.Fix(&f.queue, 0)
	return r
}

// start puts m on its first shift after at.
func (f *Fleet) start(m *member, at time.Time) {
	sh := m.Duty(at)
	m.device.begin()
	m.walker = newWalker(f.roads, &m.Unit, f.options.Seed, m.key, sh)
	span := f.options.Interval.Milliseconds()
	from := max(sh.From.UnixMilli(), at.UnixMilli())
	phase := int64(dice(f.options.Seed, 3, m.key).Uint64() % uint64(span))
	if span >= 1000 { // clocks of positions tick in whole seconds
		from += (1000 - from%1000) % 1000
		phase -= phase % 1000
	}
	m.taking = from + phase
	for m.walker.leg.to <= from {
		m.walker.next()
	}
	if f.options.Truth {
		m.watch = newWatch(f.roads, sh, from, m.walker.leg.at(from), m.device.AccuracyM)
		m.truths = append(m.truths, &m.watch.Truth)
	}
}

// fill has m take fixes until nothing that it could still take would be due
// before what is pending.
func (f *Fleet) fill(m *member) {
	for len(m.pending) == 0 || m.pending[0].Due >= m.taking {
		if end := m.walker.shift.To.UnixMilli(); m.taking >= end {
			if len(m.pending) > 0 && m.pending[0].Due < m.nextShift() {
				return
			}
			f.start(m, m.walker.shift.To)
			continue
		}
		m.moveTo(m.taking)
		m.scratch = m.device.reports(m.scratch[:0], m.number, m.taking, m.walker.shift.To.UnixMilli(), &m.walker.leg, f.roads.plane, f.options.Interval)
		for _, r := range m.scratch {
			m.push(r)
		}
		m.taking += f.options.Interval.Milliseconds()
	}
}

// moveTo follows m to ms, which lies in its leg then.
func (m *member) moveTo(ms int64) {
	for {
		if m.watch != nil {
			m.watch.follow(&m.walker.leg, min(ms, m.walker.leg.to))
		}
		if m.walker.leg.to > ms {
			return
		}
		m.walker.next()
	}
}

// nextShift is when m's next shift begins.
func (m *member) nextShift() int64 { return m.Duty(m.walker.shift.To).From.UnixMilli() }

// push and pop keep pending a heap by Due; it is short but for a backlog.
func (m *member) push(r Report) { heap.Push((*byDue)(&m.pending), r) }
func (m *member) pop() Report   { return heap.Pop((*byDue)(&m.pending)).(Report) }

type byDue []Report

func (h byDue) Len() int { return len(h) }
func (h byDue) Less(i, j int) bool {
	return h[i].Due < h[j].Due || h[i].Due == h[j].Due && h[i].Taken < h[j].Taken
}
func (h byDue) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byDue) Push(x any)   { *h = append(*h, x.(Report)) }
func (h *byDue) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}

// queue is the units by when their next report is due.
type queue []*member

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	a, b := q[i].pending[0].Due, q[j].pending[0].Due
	return a < b || a == b && q[i].number < q[j].number
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(any)     {}             // units neither come
func (q *queue) Pop() any     { return nil } // nor go
