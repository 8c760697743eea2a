package auth

import (
	"net/netip"
	"sync"
	"time"
)

// Throttle slows the guessing of passwords down. It counts failures per
// address, and per pair of login and address, never per login alone: nobody
// can lock a user out from elsewhere. A guess at one login from very many
// addresses is slowed by the third count, which spares addresses that the
// login has signed in from before.
//
// It keeps at most throttleSize counts of each sort in memory and forgets the
// oldest.
type Throttle struct {
	mu      sync.Mutex
	byPair  counts
	byAddr  counts
	byLogin counts
	known   counts // pairs that have signed in
}

const (
	throttleSize  = 10_000
	pairLimit     = 5
	addressLimit  = 30
	loginLimit    = 100
	throttleSpan  = 15 * time.Minute
	knownLifetime = 90 * 24 * time.Hour
)

// count decays: n failures, the last at some time, are worth n less one for
// every throttleSpan/limit since.
type count struct {
	n    int
	last time.Time
}

type counts map[string]count

// Try is how long address has to wait before it may try login again; zero to
// go ahead. Whoever goes ahead says afterwards how it went, by Failed, Succeeded
// or Withdraw; until then the attempt counts against the pair, so that many
// guesses at once are no more than as many one after the other.
func (t *Throttle) Try(login, address string, now time.Time) time.Duration {
	address = site(address)
	pair := login + " " + address
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := max(t.byPair.wait(pair, pairLimit, now), t.byAddr.wait(address, addressLimit, now))
	if k, ok := t.known[pair]; !ok || now.Sub(k.last) > knownLifetime {
		wait = max(wait, t.byLogin.wait(login, loginLimit, now))
	}
	if wait == 0 {
		t.byPair.add(pair, pairLimit, now)
	}
	return wait
}

// Failed counts a wrong password.
func (t *Throttle) Failed(login, address string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byAddr.add(site(address), addressLimit, now)
	t.byLogin.add(login, loginLimit, now)
}

// Succeeded forgets the pair's failures and knows the pair from now on.
func (t *Throttle) Succeeded(login, address string, now time.Time) {
	pair := login + " " + site(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byPair, pair)
	t.known.add(pair, 1, now)
}

// Withdraw takes back an attempt whose password was not looked at.
func (t *Throttle) Withdraw(login, address string) {
	pair := login + " " + site(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.byPair[pair]; ok {
		t.byPair[pair] = count{max(0, v.n-1), v.last}
	}
}

// site is whose address that is: one customer has at least a /64 of IPv6.
func site(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil || !addr.Is6() || addr.Is4In6() {
		return address
	}
	p, _ := addr.WithZone("").Prefix(64)
	return p.String()
}

func (c *counts) add(key string, limit int, now time.Time) {
	if *c == nil {
		*c = make(counts)
	}
	old := (*c)[key]
	(*c)[key] = count{c.left(key, limit, now) + 1, now}
	if old.n == 0 && len(*c) > throttleSize {
		oldest := key
		for k, v := range *c {
			if v.last.Before((*c)[oldest].last) {
				oldest = k
			}
		}
		delete(*c, oldest)
	}
}

// left is what remains of a count by now.
func (c *counts) left(key string, limit int, now time.Time) int {
	v := (*c)[key]
	return max(0, v.n-int(now.Sub(v.last)/(throttleSpan/time.Duration(limit))))
}

func (c *counts) wait(key string, limit int, now time.Time) time.Duration {
	n := c.left(key, limit, now)
	if n < limit {
		return 0
	}
	step := throttleSpan / time.Duration(limit)
	since := now.Sub((*c)[key].last) % step
	return time.Duration(n-limit+1)*step - since
}
