package live

import (
	"context"
	"time"

	"lianqin/internal/fault"
)

// Reader is one reader's place in the frames of a scope. It holds no frames of
// its own. It is for one goroutine.
type Reader struct {
	hub   *Hub
	feed  *feed
	next  uint64 // sequence of the frame that comes next
	fresh bool   // a snapshot of next-1 comes first
	left  bool
}

// ErrSlow is a reader that fell behind by more than is held for it. It may
// come back.
var ErrSlow = fault.New(fault.Unavailable, "the reader is too slow for the live stream")

// Next waits for frames and returns all that are ready, the oldest first; none
// after patience without one. The error is ctx's, ErrSlow, or Unavailable when
// the hub has ended.
func (r *Reader) Next(ctx context.Context, patience time.Duration) ([]*Frame, error) {
	return Await(ctx, patience, r.ready)
}

// Await returns what ready says: at once, when there are frames or an error;
// else what it says once the channel that it told is closed; and nothing after
// patience. The error is ctx's or ready's.
func Await(ctx context.Context, patience time.Duration, ready func() ([]*Frame, <-chan struct{}, error)) ([]*Frame, error) {
	frames, wake, err := ready()
	if err != nil || len(frames) > 0 {
		return frames, err
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.C:
		return nil, nil
	case <-wake:
		frames, _, err = ready()
		return frames, err
	}
}

// ready are the frames that r has not had, or what is closed when there are
// some.
func (r *Reader) ready() (frames []*Frame, wake <-chan struct{}, err error) {
	h, f := r.hub, r.feed
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, errEnded
	}
	if r.fresh { // with whatever came since r was made
		r.fresh, r.next = false, h.latest.seq+1
		return []*Frame{f.snapshot(h)}, nil, nil
	}
	behind := h.latest.seq + 1 - r.next
	if behind > uint64(len(f.frames)) {
		return nil, nil, ErrSlow
	}
	frames = append(frames, f.frames[uint64(len(f.frames))-behind:]...)
	r.next += behind
	return frames, f.wake, nil
}

// snapshot is the latest moment as a frame, made once for all who come before
// the next.
func (f *feed) snapshot(h *Hub) *Frame {
	if f.snap == nil {
		m, s, origin, epoch := h.latest, f.scope, h.cfg.Origin, f.epoch
		f.snap = newFrame(m.seq, func() []byte { return m.snap(s, origin).event("snap", epoch, m.seq) })
		h.encoded++
	}
	return f.snap
}

// Close takes r out. It may be called more than once.
func (r *Reader) Close() {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.left {
		return
	}
	r.left = true
	h.readers--
	if r.feed.readers--; r.feed.readers == 0 {
		r.feed.since = h.cfg.Now()
	}
}
