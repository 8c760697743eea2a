package auth

import (
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

// Wait is how long address has to wait before it may try login again; zero to
// go ahead.
func (t *Throttle) Wait(login, address string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := max(t.byPair.wait(login+" "+address, pairLimit, now), t.byAddr.wait(address, addressLimit, now))
	if k, ok := t.known[login+" "+address]; !ok || now.Sub(k.last) > knownLifetime {
		wait = max(wait, t.byLogin.wait(login, loginLimit, now))
	}
	return wait
}

// Failed counts a wrong password.
func (t *Throttle) Failed(login, address string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byPair.add(login+" "+address, pairLimit, now)
	t.byAddr.add(address, addressLimit, now)
	t.byLogin.add(login, loginLimit, now)
}

// Succeeded forgets the pair's failures and knows the pair from now on.
func (t *Throttle) Succeeded(login, address string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byPair, login+" "+address)
	t.known.add(login+" "+address, 1, now)
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
