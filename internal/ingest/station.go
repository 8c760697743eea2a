package ingest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// Sender is a device that has proved which one it is.
type Sender struct {
	// Device is how it reports. Its ID is that of its token.
	Device patrol.Device
	// Unit is for whom it reports; the zero Unit for a gateway, which names the
	// unit of every report.
	Unit patrol.Unit
	// Speaks is the unit of that code, if a gateway may report for it.
	Speaks func(code string) (patrol.Unit, bool)
}

// Keys knows the devices. It is safe for concurrent use.
type Keys interface {
	// Secret is the device that holds secret; Denied when there is none, or its
	// token has ended. It is asked for every request, so it must be quick for
	// secrets that are good.
	Secret(ctx context.Context, secret, address string) (Sender, error)
	// Terminal is the device of a JT/T 808 terminal's number, digits without
	// leading zeros; Denied when there is none, or its token has ended.
	Terminal(ctx context.Context, number string) (Sender, error)
}

// Sink takes batches in.
type Sink interface {
	// Accept returns once b is durable. It is Unavailable when it cannot be, and
	// then nothing of b was taken in.
	Accept(ctx context.Context, b patrol.Batch) error
}

// Config is what a Station is made of. Keys and Sink are required.
type Config struct {
	Keys Keys
	Sink Sink
	// Key makes the authentication codes of JT/T 808 terminals. Terminals keep
	// theirs for years, so it has to stay the same; with none it is of this
	// process, and terminals register anew after a restart.
	Key []byte
	// Zone is that of times without one, as some OsmAnd-style trackers send;
	// nil is grid.Zone.
	Zone *time.Location
	// Log gets a line for what an operator should look at. Nil is slog.Default.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now    func() time.Time
	Limits Limits
}

// Limits bound what one device and one connection may cost. A zero field
// stands for its default.
type Limits struct {
	// Fixes is the greatest number of fixes in one own request: 10,000.
	Fixes int
	// Body is the greatest body that a phone may send, after decompression, and
	// the greatest MQTT packet: 128 kB.
	Body int
	// Durable is how long a sender is kept waiting for its report to become
	// durable before it is told to come again: 10 s.
	Durable time.Duration
	// Connections is how many each listener keeps at once: 5,000.
	Connections int
	// PerAddress is how many of them may come from one address: 2,000, since a
	// mobile network hides many phones behind one.
	PerAddress int
	// Handshake is how long a connection may take to say who it is, or a
	// request to arrive: 10 s.
	Handshake time.Duration
	// Idle is how long a JT/T 808 terminal may say nothing, and the longest
	// keep-alive that an MQTT client gets: 15 minutes.
	Idle time.Duration
	// Write is how long a client may take to read an answer: 10 s.
	Write time.Duration
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Fixes, 10_000)
	setDefault(&l.Body, 128<<10)
	setDefault(&l.Durable, 10*time.Second)
	setDefault(&l.Connections, 5_000)
	setDefault(&l.PerAddress, 2_000)
	setDefault(&l.Handshake, 10*time.Second)
	setDefault(&l.Idle, 15*time.Minute)
	setDefault(&l.Write, 10*time.Second)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Station is where devices report. It is safe for concurrent use, and a
// prometheus.Collector of its counters.
type Station struct {
	cfg Config
	*counters
	door door
}

// New makes a Station.
func New(cfg Config) *Station {
	if cfg.Zone == nil {
		cfg.Zone = grid.Zone
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if len(cfg.Key) == 0 {
		cfg.Key = make([]byte, 32)
		rand.Read(cfg.Key)
	}
	cfg.Limits = cfg.Limits.withDefaults()
	return &Station{cfg: cfg, counters: newCounters()}
}

// enter is who holds secret. It is Denied for a wrong secret, and Unavailable
// when that cannot be found out, or not now for who has tried too many.
func (s *Station) enter(ctx context.Context, source patrol.Source, secret, address string) (Sender, error) {
	addr, _ := netip.ParseAddr(address)
	return s.admit(source, secret, addr, func() (Sender, error) { return s.cfg.Keys.Secret(ctx, secret, address) })
}

func (s *Station) enterTerminal(ctx context.Context, number string, addr netip.Addr) (Sender, error) {
	return s.admit(patrol.FromJT808, number, addr, func() (Sender, error) { return s.cfg.Keys.Terminal(ctx, number) })
}

func (s *Station) admit(source patrol.Source, name string, addr netip.Addr, ask func() (Sender, error)) (Sender, error) {
	now := s.cfg.Now()
	if !s.door.mayTry(name, addr, now) {
		s.refused(source, patrol.WrongCredentials, 1)
		return Sender{}, fault.New(fault.Unavailable, "too many wrong credentials from %s", addr)
	}
	from, err := ask()
	switch {
	case err == nil:
		s.door.good(name)
	case fault.KindOf(err) == fault.Denied:
		s.door.bad(name, addr, now)
		s.refused(source, patrol.WrongCredentials, 1)
	default:
		s.failed(source)
	}
	return from, err
}

// begin is an empty intake of what from sent.
func (s *Station) begin(from *Sender, source patrol.Source, secret string) *intake {
	return &intake{from: from, source: source, received: s.cfg.Now().UnixMilli(), secret: secret}
}

// take makes in durable. It is Unavailable when it cannot.
func (s *Station) take(ctx context.Context, in *intake) error {
	if len(in.Fixes)+len(in.Refusals) == 0 {
		s.other(in.source)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Limits.Durable)
	defer cancel()
	if err := s.cfg.Sink.Accept(ctx, in.Batch); err != nil {
		s.failed(in.source)
		return fault.New(fault.Unavailable, "reports cannot be kept now: %w", err)
	}
	s.accepted(in.source, len(in.Fixes))
	for i := range in.Refusals {
		s.refused(in.source, in.Refusals[i].Reason, 1)
	}
	return nil
}
