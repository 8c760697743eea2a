package bus

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go"
)

// Topic is what a notice is about.
type Topic string

const (
	// Boundaries is that the schedule of generations changed.
	Boundaries Topic = "boundaries"
	// Roll is that units, teams, devices or shifts changed.
	Roll Topic = "roll"
)

// Notices tell that something changed, to whoever listens, in this process and
// the others. They say nothing more: what is true is in the database. One may
// be lost, where a connection is, so that listeners look now and then without.
type Notices interface {
	// Tell makes it known. It does not wait for those who listen.
	Tell(Topic) error
	// Listen sends on the channel it returns when something was told since the
	// last, until ctx ends. Several tellings may be one.
	Listen(context.Context, Topic) (<-chan struct{}, error)
}

// Local are the notices of a process that is alone. Its zero value is ready.
type Local struct {
	mu        sync.Mutex
	listeners map[Topic]map[chan struct{}]bool
}

// Tell implements Notices; it does not fail.
func (l *Local) Tell(t Topic) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.listeners[t] {
		nudge(c)
	}
	return nil
}

// nudge leaves one signal on c.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Listen implements Notices; it does not fail.
func (l *Local) Listen(ctx context.Context, t Topic) (<-chan struct{}, error) {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listeners == nil {
		l.listeners = make(map[Topic]map[chan struct{}]bool)
	}
	if l.listeners[t] == nil {
		l.listeners[t] = make(map[chan struct{}]bool)
	}
	l.listeners[t][c] = true
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.listeners[t], c)
	})
	return c, nil
}

func (n *NATS) topic(t Topic) string { return n.opts.District + ".notice." + string(t) }

// Tell implements Notices. It is Unavailable while there is no connection.
func (n *NATS) Tell(t Topic) error {
	if err := n.conn.Publish(n.topic(t), nil); err != nil {
		return n.unavailable("tell of "+string(t), err)
	}
	return nil
}

// Listen implements Notices. What others tell while the connection is lost is
// not heard; that it is back is a notice of its own.
func (n *NATS) Listen(ctx context.Context, t Topic) (<-chan struct{}, error) {
	c := make(chan struct{}, 1)
	sub, err := n.conn.Subscribe(n.topic(t), func(*nats.Msg) { nudge(c) })
	if err != nil {
		return nil, n.unavailable("listen for "+string(t), err)
	}
	if err := n.conn.FlushTimeout(connectTimeout); err != nil { // from now on, not from some time on
		return nil, n.unavailable("listen for "+string(t), errors.Join(err, sub.Unsubscribe()))
	}
	back := n.conn.StatusChanged(nats.CONNECTED)
	return c, n.work(func() {
		defer n.conn.RemoveStatusListener(back)
		defer func() { _ = sub.Unsubscribe() }() // which ends with the connection as well
		for {
			select {
			case <-ctx.Done():
				return
			case <-n.stopping.Done():
				return
			case <-back:
				nudge(c)
			}
		}
	})
}
