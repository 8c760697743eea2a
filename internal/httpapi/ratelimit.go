package httpapi

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	limiterShards = 16
	shardBuckets  = 4096 // so that a scan of addresses cannot fill the memory
)

// limiter is a token bucket for each address.
type limiter struct {
	rate, burst float64 // rate < 0: no limit
	now         func() time.Time
	seed        maphash.Seed
	shards      [limiterShards]struct {
		sync.Mutex
		buckets map[netip.Addr]bucket
	}
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(rate float64, burst int, now func() time.Time) *limiter {
	l := &limiter{rate: rate, burst: float64(max(burst, 1)), now: now, seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].buckets = make(map[netip.Addr]bucket)
	}
	return l
}

// take takes one token of addr's bucket, or returns how long until there is
// one.
func (l *limiter) take(addr netip.Addr) time.Duration {
	if l.rate < 0 {
		return 0
	}
	addr = customer(addr)
	s := &l.shards[maphash.Comparable(l.seed, addr)%limiterShards]
	now := l.now()
	s.Lock()
	defer s.Unlock()
	b, known := s.buckets[addr]
	if known {
		b.tokens = min(l.burst, b.tokens+l.rate*max(0, now.Sub(b.at).Seconds()))
	} else {
		if len(s.buckets) >= shardBuckets {
			l.evict(s.buckets, now)
		}
		b.tokens = l.burst
	}
	b.at = now
	if b.tokens < 1 {
		s.buckets[addr] = b
		return time.Duration((1 - b.tokens) / l.rate * float64(time.Second))
	}
	b.tokens--
	s.buckets[addr] = b
	return 0
}

// everybody is no address: the bucket of all.
var everybody netip.Addr

// customer is addr, or its /64: one customer has at least one of those.
func customer(addr netip.Addr) netip.Addr {
	if addr.Is6() && !addr.Is4In6() {
		p, _ := addr.WithZone("").Prefix(64)
		return p.Addr()
	}
	return addr
}

// evict drops the buckets that are full again and, if that leaves too many,
// some others: a flood of addresses then gets its bursts back, but no memory.
func (l *limiter) evict(buckets map[netip.Addr]bucket, now time.Time) {
	for addr, b := range buckets {
		if b.tokens+l.rate*now.Sub(b.at).Seconds() >= l.burst {
			delete(buckets, addr)
		}
	}
	for addr := range buckets {
		if len(buckets) < shardBuckets*3/4 {
			return
		}
		delete(buckets, addr)
	}
}

// clientAddr is the caller's address: the peer's or, when forwarding headers
// are trusted, the last that the proxy added.
func (a *API) clientAddr(r *http.Request) netip.Addr {
	if a.cfg.TrustForwarded {
		if all := r.Header.Values("X-Forwarded-For"); len(all) > 0 {
			last := all[len(all)-1]
			if addr, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); err == nil {
				return addr.Unmap()
			}
		}
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // a Unix socket has none: all its callers share a bucket
	return peer.Addr().Unmap()
}
