package simulate

import (
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Crossing is a change of grid: out of From and into To at At, the first
// millisecond in the new grid. Unix milliseconds, true time.
type Crossing struct {
	At       int64
	From, To grid.ID
	// Known is when it was settled; of a plain crossing it is At.
	Known int64
}

// What a crossing must outlast to count as settled: the service's own limits,
// taken on the truth. The unit is further than settledM, or than its device is
// accurate, from the grid it left, second after second for settledFor.
const (
	settledM   = 15.0
	settledFor = 20 * time.Second
)

// Truth is where one unit truly was on one shift, as far as it was followed.
type Truth struct {
	Shift     Shift
	First     grid.ID    // where it was when the watch began
	Since     int64      // when that was
	Until     int64      // as far as it was followed
	Crossings []Crossing // every one, exact to the millisecond
	Settled   []Crossing // those after which it stayed
}

// At is the grid at ms.
func (t *Truth) At(ms int64) grid.ID {
	now := t.First
	for _, c := range t.Crossings {
		if c.At > ms {
			break
		}
		now = c.To
	}
	return now
}

// Visited reports whether the unit was in id at some moment of [from, to].
func (t *Truth) Visited(id grid.ID, from, to int64) bool {
	now, entered := t.First, t.Since
	for _, c := range t.Crossings {
		if now == id && entered <= to && c.At > from {
			return true
		}
		now, entered = c.To, c.At
	}
	return now == id && entered <= to
}

// Left reports whether the unit was out of id at some moment of [from, to].
func (t *Truth) Left(id grid.ID, from, to int64) bool {
	if t.At(from) != id {
		return true
	}
	for _, c := range t.Crossings {
		if c.At > from && c.At <= to {
			return true
		}
	}
	return false
}

// watch follows one walker and writes down its Truth.
type watch struct {
	Truth
	roads   *Roads
	limitM  float64
	now     grid.ID
	settled grid.ID
	left    int64 // when it last left the settled grid
	away    int64 // since when it has been further than limitM; 0 when it is not
}

func newWatch(r *Roads, sh Shift, at int64, c geo.Coord, limitM float64) *watch {
	id := r.index.LocateCoord(c)
	return &watch{Truth: Truth{Shift: sh, First: id, Since: at, Until: at}, roads: r, limitM: max(settledM, limitM), now: id, settled: id}
}

// A border is nearer than BorderDistance says by no more than this: its
// tolerance, that of the plane in which speeds are reckoned, and rounding.
const (
	safeShare = 0.9
	safeLessM = 0.05
)

// follow watches the unit on l up to ms. Between two looks it moves no further
// than the nearest border is away, so that no crossing escapes, however short:
// the crossings are those that looking every millisecond would find.
func (w *watch) follow(l *leg, ms int64) {
	t := w.Until
	for t < ms {
		next := ms
		if l.speed > 0 && l.a != l.b {
			safe := w.roads.index.BorderDistance(l.at(t).Point())*safeShare - safeLessM
			next = min(ms, t+max(1, int64(safe/l.speed*1000)))
		}
		if w.now != w.settled { // a look every second, to see how far away it is
			next = min(next, t-t%1000+1000)
		}
		t = next
		c := l.at(t)
		if id := w.roads.index.LocateCoord(c); id != w.now {
			w.cross(t, id)
		}
		if w.now != w.settled && t%1000 == 0 {
			w.settle(t, c)
		}
	}
	w.Until = t
}

func (w *watch) cross(t int64, id grid.ID) {
	w.Crossings = append(w.Crossings, Crossing{At: t, From: w.now, To: id, Known: t})
	if w.now == w.settled {
		w.left, w.away = t, 0
	}
	w.now = id
	if id == w.settled {
		w.away = 0
	}
}

func (w *watch) settle(t int64, c geo.Coord) {
	if !w.roads.beyond(c, w.settled, w.limitM) {
		w.away = 0
		return
	}
	if w.away == 0 {
		w.away = t
	}
	if t-w.away >= settledFor.Milliseconds() {
		w.Settled = append(w.Settled, Crossing{At: w.left, From: w.settled, To: w.now, Known: t})
		w.settled, w.away, w.left = w.now, 0, t
	}
}
