package simulate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lianqin/internal/fault"
)

// Identity is how one unit's device makes itself known to a server.
type Identity struct {
	Unit     string `json:"unit"`               // code
	Secret   string `json:"secret,omitempty"`   // of its device token
	Terminal string `json:"terminal,omitempty"` // number of its JT/T 808 terminal
}

// Wire is one protocol to one server. Send delivers reports of one Group, the
// oldest first, and returns how many were answered for good; the error is
// Unavailable when the rest should be sent again, and anything else when the
// first of the rest was refused and will be for ever. Methods are safe for
// concurrent use, but for two Sends of one group.
type Wire interface {
	// Group is what is sent one after the other: a device, or a gateway's
	// connection.
	Group(unit int) int
	// Batch is how many reports one Send takes at most.
	Batch() int
	Send(ctx context.Context, reports []Report) (int, error)
	Close()
}

// Protocols are the names of the wire forms.
var Protocols = []string{"gateway", "api", "osmand", "traccar", "owntracks", "mqtt", "jt808"}

// Target is a server and how to reach it.
type Target struct {
	URL      string // of the service, for the forms over HTTP
	Address  string // host:port, for MQTT and JT/T 808
	Gateway  string // secret of the token that speaks for all units, for "gateway"
	Devices  []Identity
	Conns    int // greatest number of connections at once; 0 is 64
	Batch    int // greatest number of reports in a batch; 0 is 100
	Timeout  time.Duration
	JT808Old bool // the version of 2013 instead of that of 2019
}

const (
	usualConns   = 64
	usualBatch   = 100
	usualTimeout = 20 * time.Second
)

func (t Target) withDefaults() Target {
	if t.Conns == 0 {
		t.Conns = usualConns
	}
	if t.Batch == 0 {
		t.Batch = usualBatch
	}
	if t.Timeout == 0 {
		t.Timeout = usualTimeout
	}
	return t
}

// Dial makes the wire of that protocol. It connects when there is something to
// send. It is Invalid for an unknown protocol, and when a device lacks what
// the protocol needs.
func (t Target) Dial(protocol string) (Wire, error) {
	t = t.withDefaults()
	need := func(what string, of func(Identity) string) error {
		for _, d := range t.Devices {
			if of(d) == "" {
				return fault.InvalidField("devices", "unit %s has no %s, which %s needs", d.Unit, what, protocol)
			}
		}
		return nil
	}
	secret := func(d Identity) string { return d.Secret }
	switch protocol {
	case "gateway":
		if t.Gateway == "" {
			return nil, fault.InvalidField("gateway", "no secret of a gateway's token")
		}
		return newHTTPWire(&t, apiForm{gateway: true})
	case "api":
		return newHTTPWire(&t, apiForm{}, need("secret", secret))
	case "osmand":
		return newHTTPWire(&t, osmandForm{}, need("secret", secret))
	case "traccar":
		return newHTTPWire(&t, traccarForm{}, need("secret", secret))
	case "owntracks":
		return newHTTPWire(&t, ownTracksForm{}, need("secret", secret))
	case "mqtt":
		if err := need("secret", secret); err != nil {
			return nil, err
		}
		return newLinks(&t, t.dialMQTT)
	case "jt808":
		if err := need("terminal", func(d Identity) string { return d.Terminal }); err != nil {
			return nil, err
		}
		return newLinks(&t, t.dialJT808)
	}
	return nil, fault.InvalidField("protocol", "%q is not one of %v", protocol, Protocols)
}

// link is a device's own connection.
type link interface {
	send(ctx context.Context, reports []Report) (int, error)
	close()
}

// links is a Wire of which every device holds a connection, as long as there
// are not too many: then the one that was silent for longest is closed.
type links struct {
	target *Target
	dial   func(ctx context.Context, device *Identity) (link, error)

	mu   sync.Mutex
	open map[int]*heldLink
	tick int64
}

type heldLink struct {
	link
	busy bool
	used int64
}

func newLinks(t *Target, dial func(context.Context, *Identity) (link, error)) (Wire, error) {
	if t.Address == "" {
		return nil, fault.InvalidField("address", "no host:port to connect to")
	}
	return &links{target: t, dial: dial, open: make(map[int]*heldLink)}, nil
}

func (w *links) Group(unit int) int { return unit }
func (w *links) Batch() int         { return w.target.Batch }

func (w *links) Send(ctx context.Context, reports []Report) (int, error) {
	unit := reports[0].Unit
	ctx, cancel := context.WithTimeout(ctx, w.target.Timeout)
	defer cancel()
	l, err := w.take(ctx, unit)
	if err != nil {
		return 0, err
	}
	n, err := l.send(ctx, reports)
	w.mu.Lock()
	defer w.mu.Unlock()
	l.busy = false
	if err != nil {
		l.close()
		delete(w.open, unit)
	}
	return n, err
}

// take is the device's connection, made when it has none.
func (w *links) take(ctx context.Context, unit int) (*heldLink, error) {
	w.mu.Lock()
	w.tick++
	if l := w.open[unit]; l != nil {
		l.busy, l.used = true, w.tick
		w.mu.Unlock()
		return l, nil
	}
	w.makeRoom()
	l := &heldLink{busy: true, used: w.tick}
	w.open[unit] = l
	w.mu.Unlock()
	made, err := w.dial(ctx, &w.target.Devices[unit])
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		delete(w.open, unit)
		return nil, err
	}
	l.link = made
	return l, nil
}

func (w *links) makeRoom() {
	for len(w.open) >= w.target.Conns {
		oldest := -1
		for unit, l := range w.open {
			if !l.busy && (oldest < 0 || l.used < w.open[oldest].used) {
				oldest = unit
			}
		}
		if oldest < 0 {
			return // as many as there are workers
		}
		w.open[oldest].close()
		delete(w.open, oldest)
	}
}

func (w *links) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for unit, l := range w.open {
		if l.link != nil {
			l.close()
		}
		delete(w.open, unit)
	}
}

// unreached makes an outage of what went wrong with a connection.
func unreached(what string, err error) error {
	return fault.New(fault.Unavailable, "%s: %w", what, err)
}

// refusal is an answer that will not change.
func refusal(format string, args ...any) error {
	return fault.New(fault.Denied, format, args...)
}

func isOutage(err error) bool {
	return fault.KindOf(err) == fault.Unavailable || errors.Is(err, context.DeadlineExceeded)
}

// decimal is v in the shortest form with at most n places after the point.
func decimal(b []byte, v float64, n int) []byte { return fmt.Appendf(b, "%.*f", n, v) }
