package casework

import (
	"cmp"
	"slices"
	"strings"
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

// Queued reports whether something of k is still to be done.
func (k *Kept) Queued() bool {
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
	if old == nil && !k.Queued() {
		return
	}
	if k.Queued() {
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
	if k.Queued() {
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

// find are those that q asks for, in order, from where it stands on; its limit
// and what it is to count do not matter.
func (q *Queue) find(s *Search) []*Kept {
	all := q.all()
	if s.After != (Cursor{}) {
		i, found := slices.BinarySearchFunc(all, &Kept{Due: s.After.Due, Case: s.After.Case}, byDue)
		if all = all[i:]; found {
			all = all[1:]
		}
	}
	m := matcher{s, strings.Fields(strings.ToLower(s.Words))}
	out := make([]*Kept, 0, len(all))
	for _, k := range all {
		if m.matches(k) {
			out = append(out, k)
		}
	}
	return out
}

// matcher is a Search, made ready for many cases.
type matcher struct {
	*Search
	words []string
}

func (m *matcher) matches(k *Kept) bool {
	switch {
	case m.Owed == "" && !k.Open(),
		m.State != Draft && m.State != k.State,
		m.Overlay&^k.Overlays != 0,
		m.Street != "" && m.Street != k.Street,
		m.Grid != "" && m.Grid != k.Grid,
		m.Centre != nil && *m.Centre != k.Centre,
		m.Department != "" && m.Department != k.Lead,
		m.Party != "" && !slices.Contains(k.Parties, m.Party),
		m.Item != "" && m.Item != k.Item,
		m.Channel != "" && m.Channel != k.Channel,
		!m.DueFrom.IsZero() && k.Due < m.DueFrom.UnixMilli(),
		!m.DueTo.IsZero() && k.Due >= m.DueTo.UnixMilli(),
		m.Owed == OwesReview && (k.Review == 0 || k.Review >= m.AsOf.Add(ReviewAhead).UnixMilli()),
		m.Owed == OwesOrder && (k.Order == "" || k.OrderFinished != 0):
		return false
	}
	for _, w := range m.words {
		if !holds(k.Text, w) && !holds(k.Address, w) {
			return false
		}
	}
	return true
}

// holds reports whether word, in lower case, is in s in whichever.
func holds(s, word string) bool {
	return strings.Contains(s, word) || strings.Contains(strings.ToLower(s), word)
}

// inMemory reports whether the queue answers, and not the store.
func (s *Search) inMemory() bool { return s.Words != "" || s.Owed != "" }
