package grid

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lianqin/internal/fault"
)

// Content is what a Store keeps of one generation's content: enough to make
// the very same Generation again. Areas carry their grids' IDs.
type Content struct {
	Streets []Street
	Areas   []Area
}

// Store keeps an Atlas's ledger and content for good. Content is known by its
// hash and kept once. All methods are safe for concurrent use.
type Store interface {
	// Revision is the ledger's revision: cheap, for looking often.
	Revision(ctx context.Context) (int64, error)
	// Ledger is a consistent reading of all that was entered.
	Ledger(ctx context.Context) (*Ledger, error)
	// Content is NotFound for a hash that was never entered.
	Content(ctx context.Context, hash string) (Content, error)
	// Lineage is NotFound when none was entered for the two.
	Lineage(ctx context.Context, parent, child int) (Lineage, error)
	// Update lets f decide on the ledger as it is and enters the Change that f
	// returns, in one transaction that no other Update runs beside. F may be
	// called again when the transaction has to be repeated. The result is the
	// new revision; f's error comes back as it is.
	Update(ctx context.Context, f func(*Ledger) (*Change, error)) (int64, error)
}

// Atlas is all published generations and the schedule by which they are in
// force. Readers get an immutable schedule through one atomic pointer and are
// never held up by writers. It is safe for concurrent use.
type Atlas struct {
	store    Store
	now      func() time.Time
	schedule atomic.Pointer[schedule]

	mu      sync.Mutex // over loading
	content map[string]*Generation
	changed chan struct{}
}

// schedule answers for a time by binary search: gens[i] is in force from
// starts[i], in Unix milliseconds, up to the next start; nil is nobody.
type schedule struct {
	starts []int64
	gens   []*Generation
	by     map[int]*Generation // every generation that ever had a term
	ledger *Ledger
}

// Open loads every published generation, several at once. Now is the clock by
// which things are recorded; nil is time.Now.
func Open(ctx context.Context, store Store, now func() time.Time) (*Atlas, error) {
	if now == nil {
		now = time.Now
	}
	a := &Atlas{store: store, now: now, content: make(map[string]*Generation), changed: make(chan struct{})}
	return a, a.Reload(ctx)
}

// At is the generation in force at t by the schedule as it is known now, or
// false when there is none. It takes nanoseconds.
func (a *Atlas) At(t time.Time) (*Generation, bool) {
	s := a.schedule.Load()
	ms := t.UnixMilli()
	i := len(s.starts) - 1
	if i < 0 || ms >= s.starts[i] { // most reports are of today
		return s.at(i)
	}
	lo := 0
	for lo < i { // the first start after ms
		mid := int(uint(lo+i) >> 1)
		if s.starts[mid] <= ms {
			lo = mid + 1
		} else {
			i = mid
		}
	}
	return s.at(lo - 1)
}

func (s *schedule) at(i int) (*Generation, bool) {
	if i < 0 || s.gens[i] == nil {
		return nil, false
	}
	return s.gens[i], true
}

// Current is At for the Atlas's own clock.
func (a *Atlas) Current() (*Generation, bool) { return a.At(a.now()) }

// AtAsKnown is the generation that was in force at t by the schedule as it was
// recorded at known: what a report of t was routed by when it came in then.
func (a *Atlas) AtAsKnown(t, known time.Time) (*Generation, bool) {
	s := a.schedule.Load()
	for _, term := range s.ledger.ScheduleAsKnown(known) {
		if term.Covers(t) {
			g, ok := s.by[term.Generation]
			return g, ok
		}
	}
	return nil, false
}

// Ledger is the ledger that the schedule in use was made of.
func (a *Atlas) Ledger() *Ledger { return a.schedule.Load().ledger }

// Turns is the first time after t at which another generation comes into
// force, or none does any more; false when the schedule holds no such time.
func (a *Atlas) Turns(t time.Time) (time.Time, bool) {
	s := a.schedule.Load()
	i, _ := slices.BinarySearch(s.starts, t.UnixMilli()+1)
	if i == len(s.starts) {
		return time.Time{}, false
	}
	return time.UnixMilli(s.starts[i]).UTC(), true
}

// Generation is the generation of that number: one of those in memory, or a
// draft, which is loaded. It is NotFound for an unknown number.
func (a *Atlas) Generation(ctx context.Context, number int) (*Generation, error) {
	if g, ok := a.schedule.Load().by[number]; ok {
		return g, nil
	}
	l, err := a.store.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	return a.load(ctx, l, number)
}

func (a *Atlas) load(ctx context.Context, l *Ledger, number int) (*Generation, error) {
	r, ok := l.Record(number)
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no generation %d", number)
	}
	a.mu.Lock()
	g := a.content[r.Hash]
	a.mu.Unlock()
	if g == nil {
		var err error
		if g, err = readContent(ctx, a.store, r); err != nil {
			return nil, err
		}
	}
	return g.numbered(number), nil
}

// readContent reads and proves a generation's content anew.
func readContent(ctx context.Context, store Store, r Record) (*Generation, error) {
	c, err := store.Content(ctx, r.Hash)
	if err != nil {
		return nil, fmt.Errorf("generation %d: %w", r.Number, err)
	}
	src, err := Assemble(c.Streets, c.Areas)
	if err != nil {
		return nil, fmt.Errorf("generation %d: %w", r.Number, err)
	}
	g, err := New(r.Number, src)
	if err != nil {
		return nil, fmt.Errorf("generation %d: %w", r.Number, err)
	}
	if g.hash != r.Hash {
		return nil, fault.New(fault.Internal, "generation %d: the stored content has hash %.12s, recorded is %.12s", r.Number, g.hash, r.Hash)
	}
	return g, nil
}

// numbered is g under another number, sharing its content.
func (g *Generation) numbered(number int) *Generation {
	if g.number == number {
		return g
	}
	again := *g
	again.number = number
	return &again
}

// Reload brings the schedule up to the store's. Content once loaded is kept.
func (a *Atlas) Reload(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	l, err := a.store.Ledger(ctx)
	if err != nil {
		return err
	}
	old := a.schedule.Load()
	if old != nil && l.Revision <= old.ledger.Revision {
		return nil
	}
	if err := a.fetch(ctx, l); err != nil {
		return err
	}
	a.schedule.Store(a.compile(l, old))
	close(a.changed)
	a.changed = make(chan struct{})
	return nil
}

// fetch loads the content of published generations that is not in memory.
func (a *Atlas) fetch(ctx context.Context, l *Ledger) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	asked := make(map[string]bool)
	for _, t := range l.Terms {
		r, ok := l.Record(t.Generation)
		if !ok {
			return fault.New(fault.Internal, "term %d: there is no generation %d", t.ID, t.Generation)
		}
		mu.Lock()
		known := a.content[r.Hash] != nil || asked[r.Hash]
		mu.Unlock()
		if known {
			continue
		}
		asked[r.Hash] = true
		group.Go(func() error {
			g, err := readContent(ctx, a.store, r)
			mu.Lock()
			defer mu.Unlock()
			a.content[r.Hash] = g
			return err
		})
	}
	err := group.Wait()
	if err != nil {
		for hash, g := range a.content {
			if g == nil {
				delete(a.content, hash)
			}
		}
	}
	return err
}

func (a *Atlas) compile(l *Ledger, old *schedule) *schedule {
	s := &schedule{by: make(map[int]*Generation), ledger: l}
	for _, t := range l.Terms {
		if s.by[t.Generation] != nil {
			continue
		}
		if old != nil && old.by[t.Generation] != nil {
			s.by[t.Generation] = old.by[t.Generation] // what was made of it is found by its pointer
			continue
		}
		r, _ := l.Record(t.Generation)
		s.by[t.Generation] = a.content[r.Hash].numbered(t.Generation)
	}
	for _, t := range l.Schedule() {
		from := t.From.UnixMilli()
		if n := len(s.starts); n > 0 && s.starts[n-1] == from { // the gap opened just before
			s.starts, s.gens = s.starts[:n-1], s.gens[:n-1]
		}
		s.starts, s.gens = append(s.starts, from), append(s.gens, s.by[t.Generation])
		if !t.To.IsZero() {
			s.starts, s.gens = append(s.starts, t.To.UnixMilli()), append(s.gens, nil)
		}
	}
	return s
}

// Changed is closed when the schedule in use is next replaced.
func (a *Atlas) Changed() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

// Poll is how often Follow looks: others' publications show within a second.
const Poll = 500 * time.Millisecond

// Follow reloads whenever another process changed the ledger, until ctx ends.
// What goes wrong is told to failed, and the schedule stays as it is until
// looking works again.
func (a *Atlas) Follow(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		revision, err := a.store.Revision(ctx)
		if err == nil && revision > a.Ledger().Revision {
			err = a.Reload(ctx)
		}
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}
