package simulate

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// How a phone tries again: after a second, then after twice as long, up to
// half a minute.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// maxUnsent is how many reports a group keeps unsent; the oldest go first.
// Traccar Client and OwnTracks keep thousands.
const maxUnsent = 20_000

// Count is how sending went so far.
type Count struct {
	Made     int64 // reports that devices made
	Answered int64 // answered for good
	Refused  int64 // will never be answered for good
	Dropped  int64 // given up because too many were unsent
	Retries  int64 // sendings that have to be repeated
	Unsent   int64 // still waiting
	Sends    int64 // requests, messages and frames
}

// sender keeps what is not sent yet, group by group, and hands it
// to a bounded number of workers. One group is with one worker at most, so
// that a device's reports arrive in order.
type sender struct {
	wire     Wire
	gather   time.Duration
	answered func([]Report)

	mu      sync.Mutex
	wake    *sync.Cond // for workers: something is ready
	idle    *sync.Cond // for drain: nothing is unsent
	groups  map[int]*group
	ready   []*group
	closed  bool
	count   Count
	refusal error // the first
	done    sync.WaitGroup
}

type group struct {
	unsent []Report
	listed bool // in ready, with a worker, or waiting for its time
	wait   time.Duration
}

// newSender starts workers, which end when stop is called or ctx ends.
// Answered is called with what was answered for good, by several goroutines.
func newSender(ctx context.Context, w Wire, workers int, gather time.Duration, answered func([]Report)) *sender {
	s := &sender{wire: w, gather: gather, answered: answered, groups: make(map[int]*group)}
	s.wake, s.idle = sync.NewCond(&s.mu), sync.NewCond(&s.mu)
	for range workers {
		s.done.Go(func() { s.work(ctx) })
	}
	return s
}

// push takes a report to be sent; it never waits.
func (s *sender) push(r Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.Made++
	key := s.wire.Group(r.Unit)
	g := s.groups[key]
	if g == nil {
		g = &group{}
		s.groups[key] = g
	}
	if len(g.unsent) >= maxUnsent {
		g.unsent = g.unsent[1:]
		s.count.Dropped++
		s.count.Unsent--
	}
	g.unsent = append(g.unsent, r)
	s.count.Unsent++
	s.list(g)
}

// list has g served, at once or when it has gathered enough.
func (s *sender) list(g *group) {
	switch {
	case g.listed || len(g.unsent) == 0:
	case s.gather > 0 && len(g.unsent) < s.wire.Batch():
		s.listLater(g, s.gather)
	default:
		s.enqueue(g)
	}
}

func (s *sender) enqueue(g *group) {
	g.listed = true
	s.ready = append(s.ready, g)
	s.wake.Signal()
}

func (s *sender) listLater(g *group, wait time.Duration) {
	g.listed = true
	time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.enqueue(g)
	})
}

func (s *sender) work(ctx context.Context) {
	for {
		s.mu.Lock()
		for len(s.ready) == 0 && !s.closed {
			s.wake.Wait()
		}
		if s.closed {
			s.mu.Unlock()
			return
		}
		g := s.ready[0]
		s.ready = s.ready[1:]
		n := min(len(g.unsent), s.wire.Batch())
		batch := g.unsent[:n:n]
		g.unsent = g.unsent[n:]
		s.mu.Unlock()
		n, err := s.wire.Send(ctx, batch)
		if n > 0 {
			s.answered(batch[:n])
		}
		s.settle(ctx, g, batch, n, err)
	}
}

// settle is what follows from one sending, of which the first n reports were
// answered for good.
func (s *sender) settle(ctx context.Context, g *group, batch []Report, n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.Sends++
	s.count.Answered += int64(n)
	g.listed = false
	switch {
	case err == nil:
		g.wait = 0
		s.count.Unsent -= int64(len(batch))
	case isOutage(err) || ctx.Err() != nil:
		s.count.Retries++
		s.count.Unsent -= int64(n)
		g.unsent = slices.Concat(batch[n:], g.unsent)
		g.wait = min(max(2*g.wait, firstRetry), lastRetry)
		s.listLater(g, g.wait/2+rand.N(g.wait/2)) // not all at once
		return
	default:
		if s.refusal == nil {
			s.refusal = err
		}
		s.count.Refused += int64(len(batch) - n) // a batch is refused as a whole
		s.count.Unsent -= int64(len(batch))
	}
	s.list(g)
	if s.count.Unsent == 0 {
		s.idle.Broadcast()
	}
}

// drain waits until nothing is unsent, or ctx ends.
func (s *sender) drain(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.idle.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.count.Unsent > 0 && ctx.Err() == nil {
		s.idle.Wait()
	}
}

// stop ends the workers and waits for what is under way.
func (s *sender) stop() {
	s.mu.Lock()
	s.closed = true
	s.wake.Broadcast()
	s.mu.Unlock()
	s.done.Wait()
	s.wire.Close()
}

// counts is how it went so far, and the first refusal.
func (s *sender) counts() (Count, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.refusal
}
