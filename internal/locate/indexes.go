package locate

import (
	"sync"
	"sync/atomic"
	"time"

	"lianqin/internal/grid"
)

// keptIndexes is how many generations an Indexes holds an index of; beyond,
// the one not asked for longest is made anew when it is asked for again.
const keptIndexes = 24

// Indexes are the indexes of an atlas's generations, each made when it is
// first asked for. It is safe for concurrent use.
type Indexes struct {
	atlas *grid.Atlas
	last  atomic.Pointer[Index]

	mu   sync.Mutex
	kept map[int]*keptIndex // by generation number, whose content never changes
	tick int64
}

type keptIndex struct {
	used int64 // Indexes.tick when it was last asked for
	make func() *Index
}

// NewIndexes makes none yet.
func NewIndexes(atlas *grid.Atlas) *Indexes {
	return &Indexes{atlas: atlas, kept: make(map[int]*keptIndex)}
}

// At is the index of the generation in force at that instant, in Unix
// milliseconds, by the schedule as it is known now; nil when there is none. It
// takes nanoseconds while the same generation is asked for, and the making of
// an index the first time.
func (x *Indexes) At(ms int64) *Index {
	g, ok := x.atlas.At(time.UnixMilli(ms))
	if !ok {
		return nil
	}
	if last := x.last.Load(); last != nil && last.gen == g {
		return last
	}
	i := x.Of(g)
	x.last.Store(i)
	return i
}

// Of is the index of g, which may hold the same generation under another
// pointer.
func (x *Indexes) Of(g *grid.Generation) *Index {
	x.mu.Lock()
	k := x.kept[g.Number()]
	if k == nil {
		if len(x.kept) >= keptIndexes {
			x.evict()
		}
		k = &keptIndex{make: sync.OnceValue(func() *Index { return New(g) })}
		x.kept[g.Number()] = k
	}
	x.tick++
	k.used = x.tick
	x.mu.Unlock()
	return k.make()
}

func (x *Indexes) evict() {
	oldest := -1
	for n, k := range x.kept {
		if oldest < 0 || k.used < x.kept[oldest].used {
			oldest = n
		}
	}
	delete(x.kept, oldest)
}
