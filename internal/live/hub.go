package live

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

const (
	// Every is the time from frame to frame.
	Every = time.Second
	// ringFrames is how many frames of a scope are held for readers who come
	// back: those of two minutes.
	ringFrames = 120
	// heldBytes bounds the frames of all scopes together, their deflated forms
	// apart: beyond, the oldest go early.
	heldBytes = 32 << 20
	// idleFor is how long a scope without readers is kept ready: as long as its
	// frames would be of use to one who comes back.
	idleFor = ringFrames * Every
)

// Config is what a Hub is made of. Look is required.
type Config struct {
	// Look is what there is to show now. It is called from one goroutine at a
	// time, and only while somebody reads.
	Look func(now time.Time) Picture
	// Origin is what positions count from; best the south-western corner of
	// the district, so that they are small numbers.
	Origin geo.Coord
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Every is the time from frame to frame; 0 is the constant of that name.
	Every time.Duration
}

// Hub makes the frames of the present and hands them to readers. All methods
// are safe for concurrent use.
type Hub struct {
	cfg   Config
	epoch uint64 // of this process: sequences of others mean nothing here

	mu      sync.Mutex
	latest  *moment // nil before the first look
	feeds   map[Scope]*feed
	readers int
	held    int // bytes of the frames of all feeds
	closed  bool

	encoded int64 // frames, of all scopes
}

// feed is the frames of one scope.
type feed struct {
	scope   Scope
	epoch   string
	frames  []*Frame      // without gaps; the last is of latest
	snap    *Frame        // of latest; nil until somebody needs it
	wake    chan struct{} // closed when a frame is added, or the hub ends
	readers int
	since   time.Time // without readers
}

// NewHub is a hub that makes frames while Run runs.
func NewHub(cfg Config) *Hub {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Every == 0 {
		cfg.Every = Every
	}
	return &Hub{cfg: cfg, epoch: rand.Uint64(), feeds: make(map[Scope]*feed)}
}

// Run makes frames until ctx ends, and then ends all readers.
func (h *Hub) Run(ctx context.Context) {
	defer h.Close()
	t := time.NewTicker(h.cfg.Every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			h.tick(h.cfg.Now())
		}
	}
}

// Close ends all readers at once; no more are taken.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	for _, f := range h.feeds {
		close(f.wake)
	}
	clear(h.feeds)
}

// Figures are counts for metrics.
type Figures struct {
	Readers int   // now
	Scopes  int   // held ready
	Frames  int64 // encoded since the start
}

// Figures are those of now.
func (h *Hub) Figures() Figures {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Figures{h.readers, len(h.feeds), h.encoded}
}

// tick makes a frame for every scope that is read, if any is.
func (h *Hub) tick(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s, f := range h.feeds {
		if f.readers == 0 && now.Sub(f.since) >= idleFor {
			for len(f.frames) > 0 {
				h.held -= f.drop()
			}
			delete(h.feeds, s)
		}
	}
	if len(h.feeds) > 0 && !h.closed {
		h.advance(now)
	}
}

// advance goes on to the next moment.
func (h *Hub) advance(now time.Time) {
	p := h.cfg.Look(now)
	before := h.latest
	h.latest = newMoment(&p, now, h.cfg.Origin, before)
	if before == nil {
		h.latest.seq = 1
		return
	}
	h.latest.seq = before.seq + 1
	c := compare(before, h.latest)
	for _, f := range h.feeds {
		frame := c.encode(f.scope, h.cfg.Origin, f.epoch, h.latest.seq)
		h.encoded++
		h.held += len(frame)
		f.add(newFrame(h.latest.seq, func() []byte { return frame }))
		if len(f.frames) > ringFrames {
			h.held -= f.drop()
		}
	}
	h.trim()
}

// trim drops the oldest frames until no more than heldBytes are held, but the
// last of each feed.
func (h *Hub) trim() {
	for h.held > heldBytes {
		oldest := h.latest.seq
		for _, f := range h.feeds {
			oldest = min(oldest, f.frames[0].Seq)
		}
		if oldest == h.latest.seq {
			return
		}
		for _, f := range h.feeds {
			if f.frames[0].Seq == oldest {
				h.held -= f.drop()
			}
		}
	}
}

// add appends a frame and wakes the readers.
func (f *feed) add(frame *Frame) {
	f.frames = append(f.frames, frame)
	f.snap = nil
	close(f.wake)
	f.wake = make(chan struct{})
}

// drop forgets the oldest frame and returns its size.
func (f *feed) drop() int {
	n := len(f.frames[0].Bytes())
	f.frames[0] = nil
	f.frames = f.frames[1:]
	return n
}

// Read begins a reader of what s covers. With the id of the last frame that it
// had, it goes on after that one where it can; otherwise its first frame is a
// snapshot. It is Unavailable once the hub is closed.
func (h *Hub) Read(s Scope, last string) (*Reader, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errEnded
	}
	if len(h.feeds) == 0 { // nobody looked for a while
		h.advance(h.cfg.Now())
	}
	f := h.feeds[s]
	if f == nil {
		f = &feed{scope: s, epoch: h.epochOf(s), wake: make(chan struct{})}
		h.feeds[s] = f
	}
	f.readers++
	h.readers++
	r := &Reader{hub: h, feed: f, next: h.latest.seq + 1, fresh: true}
	if seq, ok := sequenceOf(last, f.epoch); ok && seq <= h.latest.seq && h.latest.seq-seq <= uint64(len(f.frames)) {
		r.next, r.fresh = seq+1, false
	}
	return r, nil
}

var errEnded = fault.New(fault.Unavailable, "the live stream has ended")

// epochOf tells one process and one scope from another, since the sequence of
// one means nothing in another.
func (h *Hub) epochOf(s Scope) string {
	sum := fnv.New64a()
	_, _ = sum.Write(strconv.AppendUint([]byte(s.Street+" "), uint64(s.Grid), 10)) // never fails
	return strconv.FormatUint(sum.Sum64()^h.epoch, 36)
}

// sequenceOf is the sequence in an id of epoch's, or false.
func sequenceOf(id, epoch string) (uint64, bool) {
	of, n, _ := strings.Cut(id, "-")
	seq, err := strconv.ParseUint(n, 10, 64)
	return seq, err == nil && of == epoch
}
