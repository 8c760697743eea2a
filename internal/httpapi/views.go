package httpapi

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

const (
	// maxViews is how many generations are kept ready to be shown; beyond, the
	// one not asked for longest is made anew when it is asked for again.
	maxViews = 24
	// pastTiles is the share of the tile cache that a generation not in force
	// may hold.
	pastTiles = 8
	// lookAhead is how long before a scheduled term its generation is made
	// ready.
	lookAhead = 10 * time.Minute
)

// views are the generations of an atlas as they are shown, made when they are
// first asked for. What is in force is decided for every request by the
// atlas, so that a publication, a reload or the beginning of a term shows at
// once; follow only does the work beforehand.
type views struct {
	atlas     *grid.Atlas
	indexes   *locate.Indexes
	now       func() time.Time
	tileBytes int64
	changed   func(*grid.Generation) // told of every other generation in force

	current atomic.Pointer[district]

	mu   sync.Mutex
	kept map[int]*view // by number, whose content never changes
	tick int64

	stop chan struct{}
	once sync.Once
	done chan struct{}
}

// view is one generation, being made or ready.
type view struct {
	used int64 // views.tick when it was last asked for
	make func() *district
}

func newViews(atlas *grid.Atlas, indexes *locate.Indexes, now func() time.Time, tileBytes int64, changed func(*grid.Generation)) *views {
	v := &views{atlas: atlas, indexes: indexes, now: now, tileBytes: tileBytes, changed: changed, kept: make(map[int]*view),
		stop: make(chan struct{}), done: make(chan struct{})}
	go v.follow()
	return v
}

// inForce is the generation in force now, or false.
func (v *views) inForce() (*district, bool) {
	g, ok := v.atlas.At(v.now())
	if !ok {
		return nil, false
	}
	if d := v.current.Load(); d != nil && d.gen.Number() == g.Number() {
		return d, true
	}
	d := v.of(g)
	old := v.current.Swap(d)
	if old == d {
		return d, true
	}
	if old != nil {
		old.tiles.rest(v.tileBytes / pastTiles)
	}
	select {
	case <-v.stop:
	default:
		d.tiles.warm(v.tileBytes)
	}
	v.changed(g)
	return d, true
}

// of is g's view, which may hold the same generation under another pointer.
func (v *views) of(g *grid.Generation) *district {
	v.mu.Lock()
	k := v.kept[g.Number()]
	if k == nil {
		if len(v.kept) >= maxViews {
			v.evict()
		}
		k = &view{make: sync.OnceValue(func() *district { return newDistrict(v.indexes.Of(g), v.tileBytes/pastTiles) })}
		v.kept[g.Number()] = k
	}
	v.tick++
	k.used = v.tick
	v.mu.Unlock()
	return k.make()
}

func (v *views) evict() {
	oldest := -1
	current := v.current.Load()
	for n, k := range v.kept {
		if (current == nil || n != current.gen.Number()) && (oldest < 0 || k.used < v.kept[oldest].used) {
			oldest = n
		}
	}
	delete(v.kept, oldest)
}

// number is the generation of that number, drafts included; NotFound for none.
func (v *views) number(ctx context.Context, number int) (*district, error) {
	v.mu.Lock()
	k := v.kept[number]
	v.mu.Unlock()
	if k != nil {
		return k.make(), nil
	}
	g, err := v.atlas.Generation(ctx, number)
	if err != nil {
		return nil, err
	}
	return v.of(g), nil
}

// follow makes ready what comes into force, until close.
func (v *views) follow() {
	defer close(v.done)
	for {
		changed := v.atlas.Changed()
		v.inForce()
		now := v.now()
		wait := lookAhead
		if turn, ok := v.atlas.Turns(now); ok {
			if wait = turn.Sub(now); wait < lookAhead {
				if g, ok := v.atlas.At(turn); ok {
					v.of(g)
				}
			}
			wait = min(max(wait, time.Millisecond), lookAhead)
		}
		timer := time.NewTimer(wait)
		select {
		case <-v.stop:
			timer.Stop()
			return
		case <-changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (v *views) close() {
	v.once.Do(func() { close(v.stop) })
	<-v.done
	if d := v.current.Load(); d != nil {
		d.tiles.close()
	}
}

// inForce is the district that answers a request about now.
func (a *API) inForce() (*district, error) {
	d, ok := a.views.inForce()
	if !ok {
		return nil, fault.New(fault.Unavailable, "no boundaries are in force; publish a generation")
	}
	return d, nil
}

// asOf is the district in force at parameter i of p, an instant, or now when
// it was not given. It is NotFound when none was.
func (a *API) asOf(p *params, i int) (*district, error) {
	if !p.has(i) {
		return a.inForce()
	}
	t, err := readInstant(p.names[i], p.values[i])
	if err != nil {
		return nil, err
	}
	return a.districtAt(p.names[i], t)
}

func (a *API) districtAt(param string, t time.Time) (*district, error) {
	g, ok := a.views.atlas.At(t)
	if !ok {
		return nil, &fault.Error{Kind: fault.NotFound, Field: param,
			Msg: "no boundaries were in force at " + t.In(grid.Zone).Format(time.RFC3339)}
	}
	if d := a.views.current.Load(); d != nil && d.gen.Number() == g.Number() {
		return d, nil
	}
	return a.views.of(g), nil
}

// The years of instants: JSON has none of five digits, which the last of four
// has in some zone, and SQL and people have none before the first.
const firstYear, lastYear = 1, 9998

func hasYear(t time.Time) bool { return t.UTC().Year() >= firstYear && t.UTC().Year() <= lastYear }

// readInstant reads RFC 3339, or a date, which is its midnight in Shanghai.
func readInstant(param, s string) (time.Time, error) {
	text := s
	if i := strings.LastIndexByte(text, ' '); i > len(time.DateOnly) { // a plus that was not encoded
		text = text[:i] + "+" + text[i+1:]
	}
	for _, form := range [...]string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(form, text, grid.Zone); err == nil && hasYear(t) {
			return t, nil
		}
	}
	return time.Time{}, fault.InvalidField(param, "%s is not an instant such as 2026-03-01T08:00:00+08:00, nor a date", strconv.Quote(clipText(s)))
}
