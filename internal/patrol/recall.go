package patrol

import "lianqin/internal/grid"

// Recall takes crossings from before the first fix that is fed, in order of
// time: where each unit's confirmed grid was and since when, and when the
// grids it left were last visited. Other events tell a Tracker nothing.
func (t *Tracker) Recall(e *Event) {
	t.gate.Lock()
	defer t.gate.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	at := e.At.UnixMilli()
	u := t.unit(e.Unit)
	if u == nil || e.Kind != Crossed {
		return
	}
	if t.began == 0 || at < t.began {
		t.began = at
	}
	if e.From != grid.None {
		t.visits[e.From] = max(t.visits[e.From], at)
	}
	shift, _, on := t.staff().shift(e.Unit, at)
	if on {
		u.course = course{begun: true, shift: shift, raw: e.To, grid: e.To, since: at}
	}
}
