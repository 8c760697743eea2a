package ingest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

const (
	// topicRoot is where OwnTracks publishes: owntracks/user/device, and below.
	topicRoot = "owntracks"
	// sessionsPerDevice bounds what one secret can make us remember: a phone
	// that was set up anew has another client ID.
	sessionsPerDevice = 4
	// subscriptionsPerClient is plenty: nothing is ever sent on any of them.
	subscriptionsPerClient = 16
	// sessionLife is how long a phone that is away finds its session again, so
	// that a message of quality 2 is not begun anew.
	sessionLife = 24 * time.Hour
	maxClientID = 256
)

// ServeMQTT takes OwnTracks' messages over MQTT 3.1, 3.1.1 and 5 until ctx ends,
// and closes l. A message is acknowledged once it is durable; when it cannot be
// made so, it is not, and the connection is closed, since a client sends
// again only when it has connected anew.
//
// It is a place to report to and no broker: nothing published is passed on,
// retained or announced, and a client's last will is dropped. So one phone can
// neither see nor send commands to another.
func (s *Station) ServeMQTT(ctx context.Context, l net.Listener) error {
	limits := mqtt.NewDefaultServerCapabilities()
	limits.MaximumPacketSize = uint32(s.cfg.Limits.Body)
	limits.MaximumClientWritesPending = 16
	limits.MaximumSessionExpiryInterval = uint32(sessionLife.Seconds())
	limits.MaximumInflight = 64
	limits.ReceiveMaximum = 64
	limits.TopicAliasMaximum = 0 // an alias would pass by the check of its topic
	limits.SharedSubAvailable = 0
	server := mqtt.New(&mqtt.Options{
		Capabilities:           limits,
		Logger:                 slog.New(slog.DiscardHandler), // it logs packets whole: positions, passwords
		SysTopicResendInterval: int64((24 * time.Hour).Seconds()),
	})
	h := &mqttHook{s: s, ctx: context.WithoutCancel(ctx), server: server, phones: make(map[*mqtt.Client]*phone)}
	in := &mqttListener{listener: s.listen(l, "mqtt")}
	if err := server.AddHook(h, nil); err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	if err := server.AddListener(in); err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	in.serving.Add(1)
	if err := server.Serve(); err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	<-ctx.Done()
	err := server.Close()
	in.serving.Wait()
	return err
}

// mqttListener hands our counted connections to the server. A panic in its
// code ends one connection, not the process.
type mqttListener struct {
	*listener
	serving sync.WaitGroup
}

var _ listeners.Listener = (*mqttListener)(nil)

func (l *mqttListener) Init(*slog.Logger) error { return nil }
func (l *mqttListener) ID() string              { return l.name }
func (l *mqttListener) Address() string         { return l.Addr().String() }
func (l *mqttListener) Protocol() string        { return l.Addr().Network() }

func (l *mqttListener) Serve(establish listeners.EstablishFn) {
	defer l.serving.Done()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		l.serving.Go(func() {
			defer c.Close()
			defer func() {
				if v := recover(); v != nil {
					l.s.cfg.Log.Error("panic over MQTT", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				}
			}()
			_ = establish(l.name, c) // why a connection ended is the client's business
		})
	}
}

// Close says goodbye to all clients, then cuts every connection.
func (l *mqttListener) Close(closeClients listeners.CloseFn) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	closeClients(l.name)
	l.cut()
}

// mqttHook is what the server asks: who may connect, on which topics, and what
// to do with a message.
type mqttHook struct {
	mqtt.HookBase
	s      *Station
	ctx    context.Context
	server *mqtt.Server

	mu     sync.Mutex
	phones map[*mqtt.Client]*phone
}

// phone is who is behind a connection.
type phone struct {
	secret, user, address string
}

func (h *mqttHook) ID() string { return "ingest" }

func (h *mqttHook) Provides(b byte) bool {
	return bytes.IndexByte([]byte{mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnDisconnect}, b) >= 0
}

// OnConnect bounds how long a client may be silent, and drops its last will,
// which would go out on any topic that it names.
func (h *mqttHook) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	cl.Properties.Will = mqtt.Will{}
	if idle := uint16(min(h.s.cfg.Limits.Idle.Seconds(), 1<<15)); cl.State.Keepalive == 0 || cl.State.Keepalive > idle {
		cl.State.Keepalive, cl.State.ServerKeepalive = idle, true
	}
	if len(cl.ID) > maxClientID {
		return packets.ErrClientIdentifierNotValid
	}
	return nil
}

func (h *mqttHook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	peer, _ := netip.ParseAddrPort(cl.Net.Remote)
	p := &phone{secret: string(pk.Connect.Password), user: string(cl.Properties.Username), address: peer.Addr().Unmap().String()}
	from, err := h.enter(p)
	if err != nil {
		return false
	}
	p.user = cmp.Or(p.user, from.Unit.Code)
	// A client ID is the device's own: nobody takes over another's session.
	cl.ID = from.Device.ID + "/" + cl.ID
	if !h.makeRoom(from.Device.ID+"/", cl.ID) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.phones[cl] = p
	return true
}

// enter is the device of p, if user is its unit.
func (h *mqttHook) enter(p *phone) (Sender, error) {
	if p.secret == "" {
		h.s.refused(patrol.FromMQTT, patrol.WrongCredentials, 1)
		return Sender{}, fault.New(fault.Denied, "no password")
	}
	from, err := h.s.enter(h.ctx, patrol.FromMQTT, p.secret, p.address)
	if err == nil && !speaksAs(&from, p.user) {
		h.s.refused(patrol.FromMQTT, patrol.WrongCredentials, 1)
		err = fault.New(fault.Denied, "the password is another unit's")
	}
	return from, err
}

// makeRoom forgets the session of a device that was away for longest when it
// has too many; false when all of them are connected.
func (h *mqttHook) makeRoom(prefix, id string) bool {
	n, oldest := 0, (*mqtt.Client)(nil)
	for other, cl := range h.server.Clients.GetAll() {
		if !strings.HasPrefix(other, prefix) || other == id {
			continue
		}
		n++
		if cl.StopTime() != 0 && (oldest == nil || cl.StopTime() < oldest.StopTime()) {
			oldest = cl
		}
	}
	switch {
	case n < sessionsPerDevice:
		return true
	case oldest == nil:
		return false
	}
	h.server.UnsubscribeClient(oldest)
	oldest.ClearInflights()
	h.server.Clients.Delete(oldest.ID)
	return true
}

func (h *mqttHook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.phones, cl)
}

func (h *mqttHook) phone(cl *mqtt.Client) (*phone, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.phones[cl]
	return p, ok
}

// OnACLCheck lets a client use its own topics, owntracks/user/….
func (h *mqttHook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	p, ok := h.phone(cl)
	if !ok || !write && cl.State.Subscriptions.Len() >= subscriptionsPerClient {
		return false
	}
	root, rest, _ := strings.Cut(topic, "/")
	user, device, below := strings.Cut(rest, "/")
	return root == topicRoot && user == p.user && user != "" && below && device != ""
}

// OnPublish takes a message in. It runs before the message is acknowledged.
func (h *mqttHook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	p, ok := h.phone(cl)
	if !ok {
		return pk, packets.ErrRejectPacket
	}
	from, err := h.enter(p)
	if err == nil {
		err = h.s.hearMQTT(h.ctx, &from, p, pk.Payload)
	}
	switch {
	case err == nil:
		return pk, packets.CodeSuccessIgnore // acknowledge it, and pass it on to nobody
	case cl.Properties.ProtocolVersion < 5:
		cl.Stop(err)
	case fault.KindOf(err) == fault.Denied:
		_ = h.server.DisconnectClient(cl, packets.ErrNotAuthorized)
	default:
		_ = h.server.DisconnectClient(cl, packets.ErrServerBusy)
	}
	return pk, packets.ErrRejectPacket
}

// hearMQTT takes in one payload.
func (s *Station) hearMQTT(ctx context.Context, from *Sender, p *phone, payload []byte) error {
	in := s.begin(from, patrol.FromMQTT, p.secret)
	m := &ownTracks{from: patrol.FromMQTT, user: p.user}
	if payload = bytes.TrimSpace(payload); len(payload) > 0 {
		if err := json.Unmarshal(payload, m); err != nil {
			in.malformed(payload, "%s", cannotRead(err))
		} else if r, ok := m.report(&from.Device, s.cfg.Zone); ok {
			r.raw = payload
			in.add(&r)
		}
	}
	return s.take(ctx, in)
}
