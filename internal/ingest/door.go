package ingest

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// door slows down whoever tries one secret after another, which costs a
// question to the database each. Failures count by address; a secret that was
// good before passes all the same, since a mobile network hides a guesser and
// a hundred patrols behind one address.
type door struct {
	mu    sync.Mutex
	fails map[netip.Addr]failures
	known map[[32]byte]struct{} // names that were good, hashed
}

// failures decay: n, as of at.
type failures struct {
	n  float64
	at time.Time
}

const (
	failBurst     = 60               // wrong credentials that an address has free
	failEvery     = 10 * time.Second // how long it takes to earn another
	doorAddresses = 10_000           // counted at once
	doorKnown     = 50_000           // remembered at once
)

// mayTry reports whether name may be looked up for addr.
func (d *door) mayTry(name string, addr netip.Addr, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := d.fails[site(addr)]
	if !ok || f.left(now) < failBurst {
		return true
	}
	_, ok = d.known[sha256.Sum256([]byte(name))]
	return ok
}

// good remembers name.
func (d *door) good(name string) {
	h := sha256.Sum256([]byte(name))
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.known[h]; ok {
		return
	}
	if d.known == nil || len(d.known) >= doorKnown {
		d.known = make(map[[32]byte]struct{})
	}
	d.known[h] = struct{}{}
}

// bad counts a failure of addr, and forgets name.
func (d *door) bad(name string, addr netip.Addr, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, sha256.Sum256([]byte(name)))
	if d.fails == nil {
		d.fails = make(map[netip.Addr]failures)
	}
	addr = site(addr)
	if _, ok := d.fails[addr]; !ok && len(d.fails) >= doorAddresses {
		d.evict(now)
	}
	d.fails[addr] = failures{d.fails[addr].left(now) + 1, now}
}

// evict forgets the addresses that have nothing left to earn and, if that is
// not enough, some others.
func (d *door) evict(now time.Time) {
	for addr, f := range d.fails {
		if f.left(now) == 0 {
			delete(d.fails, addr)
		}
	}
	for addr := range d.fails {
		if len(d.fails) < doorAddresses*3/4 {
			return
		}
		delete(d.fails, addr)
	}
}

func (f failures) left(now time.Time) float64 {
	return max(0, f.n-max(0, now.Sub(f.at).Seconds())/failEvery.Seconds())
}

// site is whose address that is: one customer has at least a /64 of IPv6.
func site(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if !addr.Is6() {
		return addr
	}
	p, _ := addr.WithZone("").Prefix(64)
	return p.Addr()
}
