package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"lianqin/internal/auth"
	"lianqin/internal/bus"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/httpapi"
	"lianqin/internal/ingest"
	"lianqin/internal/live"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// patrolFlags say where devices report beside the service's own address, and
// how long what they report is kept.
type patrolFlags struct {
	PhoneListen string `placeholder:"HOST:PORT" help:"A further address for phones that know a host and a port only, such as :5055: OsmAnd, Traccar Client, OwnTracks. 手机上报端口。"`
	MQTTListen  string `name:"mqtt-listen" placeholder:"HOST:PORT" help:"OwnTracks over MQTT, such as :1883. MQTT 端口。"`
	JT808Listen string `name:"jt808-listen" placeholder:"HOST:PORT" help:"Vehicle terminals over JT/T 808, such as :8808. 车载终端端口。"`
	PublicURL   string `name:"public-url" placeholder:"URL" help:"Where phones find the service from outside, for the links that set them up; the address that was asked if not said. 设备访问本服务的网址。"`
	TracksKept  int    `default:"90" placeholder:"DAYS" help:"How long tracks are kept; ${default} if not said. Events are kept for good. 轨迹保留天数。"`
	busFlags
	QuarantineKept int `default:"30" placeholder:"DAYS" help:"How long refused reports are kept; ${default} if not said. 隔离区保留天数。"`
}

// busFlags are for a service of several processes.
type busFlags struct {
	NATS            string `name:"nats" placeholder:"URL" help:"NATS servers with JetStream that several processes share, such as nats://bus:4222; one process alone needs none. 多进程共用的 NATS。"`
	NATSCredentials string `name:"nats-credentials" placeholder:"FILE" help:"Credentials for it. NATS 凭据文件。"`
	NATSReplicas    int    `name:"nats-replicas" default:"1" placeholder:"N" help:"How many of its servers keep each report: 1, 3 or 5; ${default} if not said. 副本数。"`
}

// open is the bus, or nil when there is none. A log that is made there goes on
// where that in the database ended.
func (f *busFlags) open(ctx context.Context, st *store.Store, log *slog.Logger) (*bus.NATS, error) {
	if f.NATS == "" {
		return nil, nil
	}
	_, put, applied, err := st.Tracks().Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	begin := func(ctx context.Context) (uint64, error) {
		last, err := st.Log().Last(ctx)
		if err == nil && (put < applied || applied < last) {
			err = fault.New(fault.Conflict, "the database holds reports that are not applied yet: start once without --nats, stop, and start again")
		}
		return applied + 1, err
	}
	return bus.Open(ctx, bus.Options{URL: f.NATS, Credentials: f.NATSCredentials, Replicas: f.NATSReplicas, Applied: applied, Begin: begin, Log: log})
}

func (f *patrolFlags) retention() store.Retention {
	const day = 24 * time.Hour
	return store.Retention{Tracks: time.Duration(f.TracksKept) * day, Quarantine: time.Duration(f.QuarantineKept) * day}
}

// patrols is the part of a service that follows patrols.
type patrols struct {
	flags    *patrolFlags
	store    *store.Store
	atlas    *grid.Atlas
	gate     *auth.Gate
	indexes  *locate.Indexes
	registry *patrol.Registry
	tracker  *patrol.Tracker
	hours    *patrol.Timesheet
	station  *ingest.Station
	hub      *live.Hub
	log      *slog.Logger
	bus      *bus.NATS // nil for a process that is alone
	// beside are the listeners of other protocols than the service's own.
	beside []beside
}

const mqtt = "MQTT"

// beside is one listener beside the service's own.
type beside struct {
	what  string
	l     net.Listener
	serve func(context.Context, net.Listener) error
}

// patrols opens what follows patrols. It takes the addresses at once, so that
// one in use is told before anything is loaded.
func (c *serverFlags) patrols(s *session, st *store.Store, atlas *grid.Atlas, gate *auth.Gate, log *slog.Logger) (p *patrols, err error) {
	if c.TracksKept < 1 || c.QuarantineKept < 1 {
		return nil, usagef("--tracks-kept and --quarantine-kept: 至少一天 keep a day at least")
	}
	p = &patrols{flags: &c.patrolFlags, store: st, atlas: atlas, gate: gate, log: log}
	if p.registry, err = patrol.OpenRegistry(s.ctx, st.Register()); err != nil {
		return nil, err
	}
	key, err := st.Key(s.ctx, "jt808")
	if err != nil {
		return nil, err
	}
	if p.bus, err = c.open(s.ctx, st, log); err != nil {
		return nil, err
	}
	reports := patrol.Log(st.Log())
	if p.bus != nil {
		reports = p.bus.Log()
	}
	p.indexes = locate.NewIndexes(atlas)
	p.tracker = patrol.NewTracker(patrol.Config{Registry: p.registry, Boundaries: p.indexes, Log: reports, Tracks: st.Tracks(), Failed: seldom(log, "patrols: what they report is not all entered yet; what was acknowledged is safe, and tried again")})
	p.hours = patrol.NewTimesheet(st.Tracks(), p.indexes, c.retention().Tracks, nil)
	p.station = ingest.New(ingest.Config{Keys: httpapi.DeviceKeys(gate, p.registry, atlas, time.Now), Sink: p.tracker, Key: key, Log: log})
	gen, _ := atlas.Current() // none is fine
	p.hub = live.NewHub(live.Config{Look: live.Looker(p.registry, p.tracker, atlas), Origin: live.OriginOf(gen)})
	return p, p.listen()
}

// listen takes the addresses of other protocols.
func (p *patrols) listen() error {
	for _, b := range []struct {
		address, what string
		serve         func(context.Context, net.Listener) error
	}{
		{p.flags.PhoneListen, "手机 phones", p.station.ServePhones},
		{p.flags.MQTTListen, mqtt, p.station.ServeMQTT},
		{p.flags.JT808Listen, "JT/T 808", p.station.ServeJT808},
	} {
		if b.address == "" {
			continue
		}
		l, err := listen(b.address)
		if err != nil {
			p.close()
			return err
		}
		p.beside = append(p.beside, beside{b.what, l, b.serve})
	}
	return nil
}

// close ends the bus, and gives back the addresses of listeners.
func (p *patrols) close() {
	if p.bus != nil {
		p.bus.Close()
	}
	for _, b := range p.beside {
		_ = b.l.Close() // it may have served, and be closed
	}
}

// run follows patrols until ctx ends, and then puts down what is known.
func (p *patrols) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.tracker.Run(ctx) })
	group.Go(func() error {
		p.registry.Follow(ctx, seldom(p.log, "the roll of patrols cannot be brought up to date; the one in memory stays in use"))
		return nil
	})
	group.Go(func() error {
		p.hours.Run(ctx, seldom(p.log, "patrol hours cannot be brought up to date; those in memory stay in use"))
		return nil
	})
	group.Go(func() error { p.hub.Run(ctx); return nil })
	group.Go(func() error {
		p.store.Tend(ctx, p.flags.retention(), time.Now)
		return nil
	})
	if p.bus != nil {
		group.Go(func() error { return p.announce(ctx, bus.Boundaries, p.atlas.Changed, p.atlas.Reload) })
		group.Go(func() error { return p.announce(ctx, bus.Roll, p.registry.Changed, p.registry.Reload) })
	}
	for _, b := range p.beside {
		group.Go(func() error {
			if err := b.serve(ctx, b.l); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", b.what, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// announce tells the other processes at once when something changed here, and
// hears of theirs. A notice that is lost costs no more than the time until
// this process looks by itself.
func (p *patrols) announce(ctx context.Context, about bus.Topic, changed func() <-chan struct{}, reload func(context.Context) error) error {
	heard, err := p.bus.Listen(ctx, about)
	if err != nil {
		return err
	}
	for {
		change := changed()
		select {
		case <-ctx.Done():
			return nil
		case <-change:
			err = p.bus.Tell(about)
		case <-heard:
			err = reload(ctx)
		}
		if err != nil && ctx.Err() == nil {
			p.log.Warn("a notice to or from other processes went astray", "about", about, "error", err.Error())
		}
	}
}

// public is where devices find the service from outside.
func (p *patrols) public() (d ingest.Public) {
	d.URL = p.flags.PublicURL
	for _, b := range p.beside {
		if b.what == mqtt {
			d.MQTT = fromOutside(b.l.Addr())
		}
	}
	return d
}

// fromOutside is an address as others reach it; where it is every address of
// this machine, the port alone.
func fromOutside(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("", fmt.Sprint(tcp.Port))
	}
	return a.String()
}
