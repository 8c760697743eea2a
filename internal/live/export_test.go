package live

import (
	"time"

	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// What the tests see beside readers.
const (
	RingFrames = ringFrames
	HeldBytes  = heldBytes
	IdleFor    = idleFor
)

var Deflate = deflate

func (h *Hub) Tick(now time.Time) { h.tick(now) }

func (h *Hub) EpochOf(s Scope) string { return h.epochOf(s) }

// Held is how many bytes h holds as it counts them and as they are, and how
// many frames of s.
func (h *Hub) Held(s Scope) (counted, bytes, frames int) {
	for _, f := range h.feeds {
		for _, frame := range f.frames {
			bytes += len(frame.Bytes())
		}
	}
	return h.held, bytes, len(h.feeds[s].frames)
}

// Forget drops all scopes, as a long time without readers does.
func (h *Hub) Forget() { clear(h.feeds) }

// Last is the last frame of s.
func (h *Hub) Last(s Scope) *Frame {
	f := h.feeds[s]
	return f.frames[len(f.frames)-1]
}

// LookerAt is Looker for a tracker of the past.
func LookerAt(staff *patrol.Staff, tracker *patrol.Tracker, gen *grid.Generation) func(time.Time) Picture {
	return looker(func() *patrol.Staff { return staff }, tracker, func(time.Time) *grid.Generation { return gen })
}
