package grid

import (
	"sync"
	"sync/atomic"
	"time"
)

// Derived holds what is made of each generation of an Atlas, such as an index,
// made when it is first asked for and kept. Finding it again costs a few
// nanoseconds. It is safe for concurrent use.
type Derived[T any] struct {
	atlas *Atlas
	make  func(*Generation) *T

	slots atomic.Pointer[[]*slot[T]] // by generation number
	mu    sync.Mutex                 // over growing slots
}

type slot[T any] struct {
	made atomic.Pointer[T]
	once sync.Once
}

// NewDerived makes with f what is asked for, of one generation at a time but of
// several generations at once.
func NewDerived[T any](atlas *Atlas, f func(*Generation) *T) *Derived[T] {
	d := &Derived[T]{atlas: atlas, make: f}
	d.slots.Store(new([]*slot[T]))
	return d
}

// At is what was made of the generation in force at t, or false when there is
// none.
func (d *Derived[T]) At(t time.Time) (*T, bool) {
	g, ok := d.atlas.At(t)
	if !ok {
		return nil, false
	}
	return d.Of(g), true
}

// Current is At for the Atlas's own clock.
func (d *Derived[T]) Current() (*T, bool) { return d.At(d.atlas.now()) }

// Of is what was made of g, a published generation of the Atlas.
func (d *Derived[T]) Of(g *Generation) *T {
	slots := *d.slots.Load()
	if g.number < len(slots) {
		if made := slots[g.number].made.Load(); made != nil {
			return made
		}
	}
	s := d.slot(g.number)
	s.once.Do(func() { s.made.Store(d.make(g)) })
	return s.made.Load()
}

func (d *Derived[T]) slot(number int) *slot[T] {
	d.mu.Lock()
	defer d.mu.Unlock()
	slots := *d.slots.Load()
	if number < len(slots) {
		return slots[number]
	}
	grown := append(make([]*slot[T], 0, number+8), slots...)
	for len(grown) < number+8 {
		grown = append(grown, new(slot[T]))
	}
	d.slots.Store(&grown)
	return grown[number]
}
