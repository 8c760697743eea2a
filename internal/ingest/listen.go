package ingest

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// listener keeps the connections of devices within limits, so that nobody uses
// up what all need, and knows them, so that none outlives the service.
type listener struct {
	net.Listener
	s    *Station
	name string

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	sites  map[netip.Addr]int
}

// listen makes l one of s's listeners, under a name for the metrics.
func (s *Station) listen(l net.Listener, name string) *listener {
	return &listener{Listener: l, s: s, name: name, conns: make(map[*conn]struct{}), sites: make(map[netip.Addr]int)}
}

// Accept is the next connection within limits; others are closed at once. It
// has a deadline for saying who it is. An error that passes, such as too many
// open files, is waited out: Accept fails once l is closed.
func (l *listener) Accept() (net.Conn, error) {
	wait := 5 * time.Millisecond
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || l.isClosed() {
				return nil, net.ErrClosed
			}
			l.s.cfg.Log.Error("device connections cannot be accepted now", "listener", l.name, "error", err.Error())
			time.Sleep(wait)
			wait = min(2*wait, time.Second)
			continue
		}
		if counted := l.enter(c); counted != nil {
			_ = counted.SetDeadline(time.Now().Add(l.s.cfg.Limits.Handshake))
			return counted, nil
		}
		l.s.turnedAway.WithLabelValues(l.name).Inc()
		_ = c.Close()
	}
}

func (l *listener) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// enter counts c, or returns nil when there are too many.
func (l *listener) enter(c net.Conn) *conn {
	peer, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	in := &conn{Conn: c, l: l, addr: peer.Addr().Unmap(), site: site(peer.Addr())}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.conns) >= l.s.cfg.Limits.Connections || l.sites[in.site] >= l.s.cfg.Limits.PerAddress {
		return nil
	}
	l.conns[in] = struct{}{}
	l.sites[in.site]++
	l.s.connections.WithLabelValues(l.name).Inc()
	return in
}

// cut closes l and every connection.
func (l *listener) cut() {
	l.mu.Lock()
	l.closed = true
	all := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		all = append(all, c)
	}
	l.mu.Unlock()
	_ = l.Listener.Close()
	for _, c := range all {
		_ = c.Close()
	}
}

// conn is a counted connection.
type conn struct {
	net.Conn
	l    *listener
	addr netip.Addr
	site netip.Addr
	once sync.Once
}

// Close closes the connection, which then counts no more.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.l.mu.Lock()
		defer c.l.mu.Unlock()
		delete(c.l.conns, c)
		if c.l.sites[c.site]--; c.l.sites[c.site] == 0 {
			delete(c.l.sites, c.site)
		}
		c.l.s.connections.WithLabelValues(c.l.name).Dec()
	})
	return c.Conn.Close()
}
