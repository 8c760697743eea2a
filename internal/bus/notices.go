package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
)

// Topic is what a notice is about. Notices say that something changed, and
// nothing more: what is true is in the database. One may be lost, where a
// connection is, so that listeners look now and then without.
type Topic string

const (
	// Boundaries is that the schedule of generations changed.
	Boundaries Topic = "boundaries"
	// Roll is that units, teams, devices or shifts changed.
	Roll Topic = "roll"
)

// nudge leaves one signal on c.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (n *NATS) topic(t Topic) string { return n.opts.District + ".notice." + string(t) }

// Tell makes it known to every process that listens, this one included. It
// does not wait for them. It is Unavailable while there is no connection.
func (n *NATS) Tell(t Topic) error {
	if err := n.conn.Publish(n.topic(t), nil); err != nil {
		return n.unavailable("tell of "+string(t), err)
	}
	return nil
}

// Listen sends on the channel it returns when something was told since the
// last, until ctx ends. Several tellings may be one. What others tell while the
// connection is lost is not heard; that it is back is a notice of its own.
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
