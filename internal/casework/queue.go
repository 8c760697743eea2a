package casework

import (
	"cmp"
	"slices"
	"sync"
)

// Queue is what still has to be done, in memory, in the order in which it is
// due: open cases, those on the watch list, and those whose 12345 order is not
// answered. It takes about 700 bytes a case. All methods are safe for
// concurrent use.
type Queue struct {
	mu     sync.Mutex
	at     map[int64]*Kept
	order  []*Kept // by Due and Case, while sorted
	sorted bool
	lent   bool // somebody may still read order
	placed int  // since somebody asked
}

func newQueue() *Queue { return &Queue{at: map[int64]*Kept{}} }

// queued reports whether something of k is still to be done.
func queued(k *Kept) bool {
	return k.Open() || k.Review != 0 || k.Order != "" && k.OrderFinished == 0
}

// placedAtOnce is how many are put into their places one by one; after more,
// all are sorted when somebody asks.
const placedAtOnce = 256

// put enters k, which is the queue's from now on, in the place of what it had of
// that case.
func (q *Queue) put(k *Kept) {
	q.mu.Lock()
	defer q.mu.Unlock()
	old := q.at[k.Case]
	if old == nil && !queued(k) {
		return
	}
	if queued(k) {
		q.at[k.Case] = k
	} else {
		delete(q.at, k.Case)
	}
	if q.placed++; q.placed > placedAtOnce {
		q.sorted = false
	}
	if !q.sorted {
		return
	}
	if q.lent {
		q.order, q.lent = slices.Clone(q.order), false
	}
	if old != nil {
		i, _ := slices.BinarySearchFunc(q.order, old, byDue)
		q.order = slices.Delete(q.order, i, i+1)
	}
	if queued(k) {
		i, _ := slices.BinarySearchFunc(q.order, k, byDue)
		q.order = slices.Insert(q.order, i, k)
	}
}

func byDue(a, b *Kept) int { return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Case, b.Case)) }

// all are all of them, in order. The slice does not change any more.
func (q *Queue) all() []*Kept {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.placed, q.lent = 0, true
	if !q.sorted {
		q.order = make([]*Kept, 0, len(q.at))
		for _, k := range q.at {
			q.order = append(q.order, k)
		}
		slices.SortFunc(q.order, byDue)
		q.sorted = true
	}
	return q.order
}
