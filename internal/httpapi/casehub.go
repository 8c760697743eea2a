package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/live"
)

// heldFrames is how many frames are held for the readers of a scope. Who is
// further behind is cut, and begins anew.
const heldFrames = 512

// caseScope is what readers of the same frames have in common: what they may
// see, and what they may do with it.
type caseScope struct {
	role auth.Role
	j    auth.Jurisdiction
}

func (s caseScope) covers(k *casework.Kept) bool {
	if s.j.Level == auth.Department {
		return k.Concerns(s.j.Code)
	}
	return s.j.Covers(auth.Place{Street: k.Street, Grid: k.Grid})
}

// caseHub hands every change of a case to the readers of the live desk whose
// business it is, and who looks at which case. It encodes a frame once for all
// readers of a scope. All methods are safe for concurrent use.
type caseHub struct {
	api      *API
	desk     *casework.Desk
	presence presence

	mu    sync.Mutex
	feeds map[caseScope]*caseFeed
	last  map[int64]*casework.Kept // what is still to be done, as it was told last

	stop context.CancelFunc
	work sync.WaitGroup
}

// caseFeed is the frames of one scope, while somebody reads them.
type caseFeed struct {
	scope   caseScope
	actors  []casework.Actor
	frames  []*live.Frame // the newest of them
	next    uint64        // number of the frame that comes next
	wake    chan struct{} // closed when there is more, or the feed has ended
	ended   bool
	readers int
}

// newCaseHub begins to watch d's cases, until close.
func newCaseHub(a *API, d *casework.Desk) *caseHub {
	h := &caseHub{api: a, desk: d, feeds: map[caseScope]*caseFeed{}, last: map[int64]*casework.Kept{}}
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	for _, k := range d.Queued() {
		h.last[k.Case] = k
	}
	h.work.Go(func() { d.Watch(ctx, func(k *casework.Kept) { h.changed(ctx, k) }) })
	h.work.Go(func() { h.sweep(ctx) })
	return h
}

func (h *caseHub) close() {
	h.stop()
	h.work.Wait()
}

// changed makes the frames of one change. They say how the case stands by now,
// which may be after another change already; that one then makes none.
func (h *caseHub) changed(ctx context.Context, k *casework.Kept) {
	if !h.wants(k) {
		return
	}
	record, err := h.desk.Case(ctx, k.Case)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.end() // nobody misses a change: whoever comes back begins anew
		return
	}
	now := casework.KeptOf(&record.Case)
	before := h.note(now)
	for _, f := range h.feeds {
		switch {
		case f.scope.covers(now):
			f.add(h.caseFrame(record, f.actors))
		case before != nil && f.scope.covers(before):
			f.add(eventFrame("gone", idAnswer{k.Case}))
		}
	}
}

// wants reports whether k is news to anybody. What is not is noted at once.
func (h *caseHub) wants(k *casework.Kept) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.last[k.Case]
	if before != nil && before.Seq >= k.Seq {
		return false
	}
	for _, f := range h.feeds {
		if f.scope.covers(k) || before != nil && f.scope.covers(before) {
			return true
		}
	}
	h.note(k.Clone())
	return false
}

// note keeps how a case stands, and returns how it stood before. The caller
// holds mu.
func (h *caseHub) note(k *casework.Kept) (before *casework.Kept) {
	before = h.last[k.Case]
	if k.Queued() {
		h.last[k.Case] = k
	} else {
		delete(h.last, k.Case)
	}
	return before
}

type idAnswer struct {
	ID int64 `json:"id"`
}

// caseFrame says how a case stands, and what actors may do with it. It is
// encoded when the first reader of its scope wants it.
func (h *caseHub) caseFrame(r *casework.Record, actors []casework.Actor) *live.Frame {
	return live.NewFrame(func() []byte {
		k := casework.KeptOf(&r.Case)
		return event("case", struct {
			Row  []any    `json:"row"`
			Line caseLine `json:"line"`
		}{namedRow(k), h.api.caseLine(&r.Case, actors)})
	})
}

// namedRow is a row of the index by itself, with texts in the place of
// numbers.
func namedRow(k *casework.Kept) []any {
	row := []any{k.Case, k.Seq, nil, nil, nil, k.State, int64(k.Overlays), k.Item, k.Street, k.Lead, k.Received / 1000, flagsOf(k)}
	if k.Placed {
		row[2], row[3] = roundE5(k.At.X), roundE5(k.At.Y)
	}
	if k.Due != casework.NeverDue {
		row[4] = k.Due / 1000
	}
	return row
}

func eventFrame(kind string, v any) *live.Frame {
	return live.NewFrame(func() []byte { return event(kind, v) })
}

// event is a Server-Sent Event whose data is v as JSON.
func event(kind string, v any) []byte {
	var b bytes.Buffer
	b.WriteString("event: " + kind + "\ndata: ")
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // what a case and its line hold can be encoded
	}
	b.WriteByte('\n') // after Encode's own
	return b.Bytes()
}

// viewed tells who looks at a case now.
func (h *caseHub) viewed(k *casework.Kept) {
	h.mu.Lock()
	defer h.mu.Unlock()
	who := h.presence.who(k.Case, "")
	for _, f := range h.feeds {
		if f.scope.covers(k) {
			f.add(eventFrame("viewing", viewingAnswer{k.Case, who}))
		}
	}
}

// end ends all readers. The caller holds mu.
func (h *caseHub) end() {
	for _, f := range h.feeds {
		f.ended = true
		close(f.wake)
	}
	clear(h.feeds)
}

func (f *caseFeed) add(frame *live.Frame) {
	if len(f.frames) == heldFrames {
		f.frames[0] = nil
		f.frames = f.frames[1:]
	}
	f.frames = append(f.frames, frame)
	f.next++
	close(f.wake)
	f.wake = make(chan struct{})
}

// deskReader is one reader's place in the frames of a scope. It is for one
// goroutine.
type deskReader struct {
	hub  *caseHub
	feed *caseFeed
	next uint64
	said bool // hello
}

// read begins a reader of what caller may see. Its first frame says which
// changes are not among those that follow.
func (h *caseHub) read(caller auth.Caller) *deskReader {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := caseScope{caller.Role, caller.Jurisdiction}
	f := h.feeds[s]
	if f == nil {
		f = &caseFeed{scope: s, actors: actorsOf(auth.Caller{Role: s.role, Jurisdiction: s.j}), wake: make(chan struct{})}
		h.feeds[s] = f
	}
	f.readers++
	return &deskReader{hub: h, feed: f, next: f.next}
}

// Next is source's.
func (r *deskReader) Next(ctx context.Context, patience time.Duration) ([]*live.Frame, error) {
	if !r.said {
		r.said = true
		return []*live.Frame{eventFrame("hello", struct {
			AsOf     time.Time `json:"as_of"`
			Revision int64     `json:"revision"`
		}{r.hub.api.cfg.Now().In(grid.Zone), r.hub.desk.Revision()})}, nil
	}
	return live.Await(ctx, patience, r.ready)
}

var errDeskEnded = fault.New(fault.Unavailable, "the live desk has ended")

func (r *deskReader) ready() ([]*live.Frame, <-chan struct{}, error) {
	h, f := r.hub, r.feed
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.ended {
		return nil, nil, errDeskEnded
	}
	behind := f.next - r.next
	if behind > uint64(len(f.frames)) {
		return nil, nil, live.ErrSlow
	}
	frames := append([]*live.Frame(nil), f.frames[uint64(len(f.frames))-behind:]...)
	r.next = f.next
	return frames, f.wake, nil
}

// close takes r out.
func (r *deskReader) close() {
	h, f := r.hub, r.feed
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.readers--; f.readers == 0 && !f.ended {
		delete(h.feeds, f.scope)
	}
}
