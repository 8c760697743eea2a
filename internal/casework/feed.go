package casework

import (
	"context"
	"math"
	"sync"
	"time"
)

// heldChanges is how many changes are held for those who watch. Who is further
// behind reads the store for himself.
const heldChanges = 4096

// feed holds the last changes that a desk has read, once for all who watch, each
// of whom takes them at his own pace.
type feed struct {
	mu      sync.Mutex
	batches []batch // without a gap between them
	held    int
	last    int64         // change number
	wake    chan struct{} // closed when there is more
}

// batch is what changed after a number, up to last.
type batch struct {
	after, last int64
	cases       []*Kept
	many        bool // too many to be held
}

func newFeed() *feed { return &feed{wake: make(chan struct{})} }

func (b *batch) add(k *Kept) {
	if len(b.cases) == heldChanges {
		b.cases, b.many = nil, true
	}
	if !b.many {
		b.cases = append(b.cases, k)
	}
}

// add enters the next batch and wakes who waits.
func (f *feed) add(b batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = b.last
	f.batches, f.held = append(f.batches, b), f.held+len(b.cases)
	for len(f.batches) > 0 && (b.many || f.held > heldChanges) {
		f.held -= len(f.batches[0].cases)
		f.batches[0] = batch{}
		f.batches = f.batches[1:]
	}
	close(f.wake)
	f.wake = make(chan struct{})
}

// number is the last change's.
func (f *feed) number() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// after are the batches after number seen, the first of which may begin before
// it, and the number that they lead to; held is false when they are held no
// longer. Wake is closed when there is more.
func (f *feed) after(seen int64) (batches []batch, last int64, held bool, wake <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if seen >= f.last {
		return nil, seen, true, f.wake
	}
	if len(f.batches) == 0 || f.batches[0].after > seen {
		return nil, 0, false, f.wake
	}
	i := len(f.batches)
	for i > 0 && f.batches[i-1].last > seen {
		i--
	}
	return append([]batch(nil), f.batches[i:]...), f.last, true, f.wake
}

// Watch tells f of every case that changes from now on, in whichever process,
// as it stands after the change, until ctx ends: after the commit, in order,
// none twice and none left out, but that of several changes of one case that
// are read together only the last is told. F is called by the caller's
// goroutine alone and may take its time: nobody waits for it. It must not
// change what it is told, and keeps it by Clone.
//
// Changes of other processes come about a second later, while Follow runs.
func (d *Desk) Watch(ctx context.Context, f func(*Kept)) {
	d.mu.Lock()
	seen := d.seen
	d.mu.Unlock()
	d.watch(ctx, seen, f)
}

// watchAgain is how long who has to read the store waits when it is away.
const watchAgain = time.Second

func (d *Desk) watch(ctx context.Context, seen int64, f func(*Kept)) {
	at := position{seen, math.MaxInt64}
	tell := func(k *Kept) error {
		if p := (position{k.Change, k.Case}); at.before(p) {
			at = p
			f(k)
		}
		return ctx.Err()
	}
	for ctx.Err() == nil {
		batches, last, held, wake := d.feed.after(at.whole())
		if held {
			for _, b := range batches {
				for _, k := range b.cases {
					if tell(k) != nil {
						return
					}
				}
			}
			at = position{max(last, at.change), math.MaxInt64}
			if len(batches) == 0 {
				select {
				case <-ctx.Done():
				case <-wake:
				}
			}
			continue
		}
		last, err := d.store.Changes(ctx, at.whole(), func(k *Kept) error {
			k.Facts = nil
			return tell(k)
		})
		if err == nil {
			at = position{last, math.MaxInt64}
			continue
		}
		select { // Follow says that the store is away
		case <-ctx.Done():
		case <-time.After(watchAgain):
		}
	}
}

// position is how far somebody has come in the order of changes.
type position struct{ change, id int64 }

func (p position) before(q position) bool {
	return p.change < q.change || p.change == q.change && p.id < q.id
}

// whole is the last number of which all was told.
func (p position) whole() int64 {
	if p.id == math.MaxInt64 {
		return p.change
	}
	return p.change - 1
}
