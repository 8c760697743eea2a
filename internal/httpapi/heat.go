package httpapi

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/heat"
)

// Heat counts cases by place and time. Put tells it of them; it is safe for
// concurrent use.
type Heat struct {
	index   *heat.Index
	atlas   *grid.Atlas
	failed  func(error)
	covered atomic.Pointer[grid.Generation] // by the raster, the last one asked about

	maps    *lru.Cache[string, *heatMap] // recent answers, by query
	framing chan struct{}                // held by who makes a series of textures
	rising  *risings
}

// heatMap is an answer of the index, and when and of what it was.
type heatMap struct {
	*heat.Map
	at      time.Time
	version uint64
}

const (
	// keptMaps is how many answers are kept: those that tiles of a map, or
	// several screens of one wall, ask for again. One of Jiading takes half a
	// megabyte.
	keptMaps = 16
	// heatAge is how long an answer serves though cases changed meanwhile.
	heatAge = 2 * time.Second
)

// NewHeat knows no case yet. Failed is told of cases that cannot be counted.
func NewHeat(atlas *grid.Atlas, failed func(error)) *Heat {
	return &Heat{index: heat.New(), atlas: atlas, failed: failed, maps: newLRU[*heatMap](keptMaps), framing: make(chan struct{}, 1), rising: newRisings()}
}

// Put enters a case as it stands. It is a watcher of a casework.Desk. The case
// counts in the grid and the street under which it was filed, at the time at
// which it came in.
func (h *Heat) Put(k *casework.Kept) {
	c := heat.Case{ID: k.Case, At: time.UnixMilli(k.Received), Grid: k.Grid, Street: k.Street, Department: k.Lead, Item: k.Item, Channel: string(k.Channel), State: string(k.State)}
	if k.Emergency || k.Channel == casework.ByEmergency || k.Overlays.Has(casework.Supervised) {
		c.Urgency = 1
	}
	if k.Placed {
		c.Where = k.At
	}
	// The borders that it lies in may have come into force after the last that
	// anybody asked about.
	if r := h.index.Raster(); k.Placed {
		if _, ok := r.Cell(k.At); !ok {
			if g, ok := h.atlas.At(time.UnixMilli(k.Captured)); ok {
				h.cover(g)
			}
		}
	}
	if err := h.index.Put(c); err != nil {
		h.failed(fmt.Errorf("case %d: %w", k.Case, err))
	}
}

// cover makes the raster cover g, unless that would be too many cells: then
// what lies outside counts by grid alone.
func (h *Heat) cover(g *grid.Generation) {
	if h.covered.Swap(g) == g {
		return
	}
	if err := h.index.Cover(g.Bound()); err != nil {
		h.failed(fmt.Errorf("generation %d: %w", g.Number(), err))
	}
}

// ask counts what q asks for, or takes an answer of just now.
func (h *Heat) ask(q *heat.Query, now time.Time) (*heatMap, error) {
	key, version := keyOf(q), h.index.Version()
	if kept, ok := h.maps.Get(key); ok && (kept.version == version || now.Sub(kept.at).Abs() < heatAge) {
		return kept, nil
	}
	m, err := h.index.Query(*q)
	if err != nil {
		return nil, err
	}
	fresh := &heatMap{m, now, version}
	h.maps.Add(key, fresh)
	return fresh, nil
}

// newLRU holds n values. The library's one error is of an n below 1.
func newLRU[V any](n int) *lru.Cache[string, V] {
	c, err := lru.New[string, V](n)
	if err != nil {
		panic(err)
	}
	return c
}

// keyOf tells two queries apart, in whatever order their words are.
func keyOf(q *heat.Query) string {
	key := fmt.Sprint(q.From.UnixNano(), q.To.UnixNano(), q.MinUrgency)
	for _, words := range [...][]string{q.Grids, q.Streets, q.Departments, q.Items, q.Channels, q.States} {
		key += fmt.Sprintf(" %t%q", words == nil, slices.Sorted(slices.Values(words)))
	}
	return key
}

func (a *API) heat() (*Heat, error) {
	if a.cfg.Heat == nil {
		return nil, fault.New(fault.Unavailable, "cases are not counted here")
	}
	return a.cfg.Heat, nil
}
