package casework

import (
	"math"
	"slices"
	"sync"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Book holds the facts of all cases in memory, so that figures cost a pass over
// those that can count and not a query. Facts that are final lie by the month
// in which they came in, and months that a window cannot touch are passed over.
// It takes about 200 bytes a case. All methods are safe for concurrent use.
type Book struct {
	mu     sync.RWMutex
	named  naming
	months []shelf // by month
	open   []row   // not final
	at     map[factID]int
	final  map[factID]struct{} // cycles after the first
	sealed map[int64]*[64]uint64
}

type factID struct {
	Case  int64
	Cycle int
}

type row struct {
	id   factID
	keys keys
	Instants
}

// shelf holds the final facts of a month, and when the first and the last of
// all their instants are.
type shelf struct {
	month       int
	first, last int64
	rows        []row
}

// NewBook is an empty book.
func NewBook() *Book {
	return &Book{at: map[factID]int{}, final: map[factID]struct{}{}, sealed: map[int64]*[64]uint64{}}
}

// Put enters a case as it stands, in the place of what the book had of it. It
// costs about a microsecond. A fact that was final does not change any more.
func (b *Book) Put(c *Case) { b.PutFacts(c.ID, FactsOf(c)) }

// PutFacts is Put for all facts of a case, where a store has kept no more than
// these.
func (b *Book) PutFacts(id int64, facts []Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range facts {
		b.put(&facts[i])
	}
	b.drop(factID{id, len(facts) + 1}) // of a cycle that turned out to be void
}

func (b *Book) put(f *Fact) {
	id := factID{f.Case, f.Cycle}
	if b.isSealed(id) {
		return
	}
	r := row{id, b.named.keys(f), f.Instants}
	if f.Final {
		b.drop(id)
		b.seal(r)
		return
	}
	if i, ok := b.at[id]; ok {
		b.open[i] = r
		return
	}
	b.at[id] = len(b.open)
	b.open = append(b.open, r)
}

// drop takes a fact that is not final out.
func (b *Book) drop(id factID) {
	i, ok := b.at[id]
	if !ok {
		return
	}
	last := len(b.open) - 1
	b.open[i] = b.open[last]
	b.at[b.open[i].id] = i
	b.open = b.open[:last]
	delete(b.at, id)
}

func (b *Book) isSealed(id factID) bool {
	if id.Cycle > 1 {
		_, ok := b.final[id]
		return ok
	}
	block := b.sealed[id.Case>>12]
	return block != nil && block[id.Case>>6&63]>>(id.Case&63)&1 != 0
}

func (b *Book) seal(r row) {
	if r.id.Cycle > 1 {
		b.final[r.id] = struct{}{}
	} else {
		block := b.sealed[r.id.Case>>12]
		if block == nil {
			block = new([64]uint64)
			b.sealed[r.id.Case>>12] = block
		}
		block[r.id.Case>>6&63] |= 1 << (r.id.Case & 63)
	}
	at := time.UnixMilli(r.Received).In(grid.Zone)
	month := at.Year()*12 + int(at.Month())
	i, ok := slices.BinarySearchFunc(b.months, month, func(s shelf, m int) int { return s.month - m })
	if !ok {
		b.months = slices.Insert(b.months, i, shelf{month: month, first: math.MaxInt64})
	}
	s := &b.months[i]
	s.rows = append(s.rows, r)
	for _, at := range [...]int64{r.Received, r.Accepted, r.Filed, r.Dispatched, r.Due, r.Disposed, r.CheckDue, r.Closed, r.OrderFinished} {
		if at != 0 {
			s.first, s.last = min(s.first, at), max(s.last, at)
		}
	}
}

// Len is the number of facts.
func (b *Book) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := len(b.open)
	for i := range b.months {
		n += len(b.months[i].rows)
	}
	return n
}

// each calls f with the facts that can count in q.
func (b *Book) each(q *Query, f func(*row)) {
	wanted, ok := b.wanted(&q.Filter)
	if !ok {
		return
	}
	visit := func(rows []row) {
		for i := range rows {
			if r := &rows[i]; wanted.passes(&r.keys) {
				f(r)
			}
		}
	}
	from, to, asOf := q.From.UnixMilli(), q.To.UnixMilli(), q.AsOf.UnixMilli()
	for i := range b.months {
		s := &b.months[i]
		within, standing := s.last >= from && s.first < to, s.first <= asOf && s.last > asOf
		if within || standing {
			visit(s.rows)
		}
	}
	visit(b.open)
}

// want is a Filter in keys: for each dimension the key, plus one, or 0; and of
// items, by key, whether it is wanted.
type want struct {
	keys  keys
	items []bool // nil: all
}

// wanted is false when the filter has a value that no fact has.
func (b *Book) wanted(f *Filter) (want, bool) {
	var w want
	for at, value := range [...]string{1: f.Street, 2: f.Grid, 3: f.Department, 5: f.Major, 6: string(f.Channel)} {
		if value == "" {
			continue
		}
		if value == None {
			value = ""
		}
		key, ok := b.named[at].at[value]
		if !ok {
			return w, false
		}
		w.keys[at] = key + 1
	}
	if len(f.Items) > 0 {
		w.items = make([]bool, len(b.named[itemwise].all))
		for _, item := range f.Items {
			if item == None {
				item = ""
			}
			if key, ok := b.named[itemwise].at[item]; ok {
				w.items[key] = true
			}
		}
	}
	return w, true
}

func (w *want) passes(k *keys) bool {
	for i, key := range w.keys {
		if key != 0 && key != k[i]+1 {
			return false
		}
	}
	return w.items == nil || w.items[k[itemwise]]
}

// Figures are all figures that q asks for, the same as Tally's of all facts.
func (b *Book) Figures(q Query) (*Figures, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := newCounter(q)
	b.each(&q, func(r *row) { n.add(&r.Instants, &r.keys, r.id.Cycle == 1) })
	return n.figures(&b.named), nil
}

// ClosedIn are the cases that f passes and that were closed in [from, to) and
// not after asOf, in order, each once. What was closed stays so: the answer
// does not change later on.
func (b *Book) ClosedIn(f Filter, from, to, asOf time.Time) []int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []int64
	first, end, last := from.UnixMilli(), to.UnixMilli(), asOf.UnixMilli()
	b.each(&Query{From: from, To: to, AsOf: asOf, Filter: f}, func(r *row) {
		if r.Closed >= first && r.Closed < end && r.Closed <= last {
			out = append(out, r.id.Case)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// Cases are the cases behind one figure of q, whose Filter and window narrow it
// down to its line: those of its denominator, or of its numerator alone, in
// order. A case that was reopened may be there once for each cycle that
// counts. NotFound says that there is no such indicator.
func (b *Book) Cases(q Query, indicator string, numerator bool) ([]int64, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(Indicators, func(d Indicator) bool { return d.Code == indicator })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "there is no indicator %q", indicator)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := newCounter(q)
	var out []int64
	b.each(&q, func(r *row) {
		traits, in, _ := n.judge(&r.Instants, r.id.Cycle == 1)
		den, num := countedIn(traits, in)
		if numerator {
			den = num
		}
		if den>>i&1 != 0 {
			out = append(out, r.id.Case)
		}
	})
	slices.Sort(out)
	return out, nil
}

// Answered are the cases whose 12345 order was finished in [from, to), in order.
func (b *Book) Answered(from, to time.Time) []int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	first, end := from.UnixMilli(), to.UnixMilli()
	var out []int64
	visit := func(rows []row) {
		for i := range rows {
			if at := rows[i].OrderFinished; at != 0 && at >= first && at < end {
				out = append(out, rows[i].id.Case)
			}
		}
	}
	for i := range b.months {
		if s := &b.months[i]; s.last >= first && s.first < end {
			visit(s.rows)
		}
	}
	visit(b.open)
	slices.Sort(out)
	return slices.Compact(out)
}
