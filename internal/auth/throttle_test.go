package auth

import (
	"fmt"
	"testing"
	"time"
)

// mistake tries a wrong password, if the throttle lets it.
func mistake(th *Throttle, login, address string, now time.Time) time.Duration {
	wait := th.Try(login, address, now)
	if wait == 0 {
		th.Failed(login, address, now)
	}
	return wait
}

func TestThrottle(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	t.Run("a few mistakes are free, then one waits", func(t *testing.T) {
		var th Throttle
		for i := range pairLimit {
			if w := mistake(&th, "li", "10.0.0.1", now); w != 0 {
				t.Errorf("after %d mistakes: wait %v", i, w)
			}
		}
		w := th.Try("li", "10.0.0.1", now)
		if w <= 0 {
			t.Fatal("no wait")
		}
		if again := th.Try("li", "10.0.0.1", now.Add(w)); again != 0 {
			t.Errorf("after waiting as told: wait %v more", again)
		}
	})
	t.Run("the user elsewhere is not locked out", func(t *testing.T) {
		var th Throttle
		th.Succeeded("li", "10.0.0.2", now)
		for i := range 1000 {
			mistake(&th, "li", fmt.Sprint("10.1.0.", i), now)
		}
		if w := th.Try("li", "10.0.0.2", now); w != 0 {
			t.Errorf("from an address known before: wait %v", w)
		}
		if w := th.Try("li", "10.9.9.9", now); w <= 0 {
			t.Error("a guess from the next new address does not wait")
		}
	})
	t.Run("one address that tries many logins is slowed", func(t *testing.T) {
		var th Throttle
		for i := range addressLimit {
			mistake(&th, fmt.Sprint("user", i), "10.0.0.1", now)
		}
		if w := th.Try("another", "10.0.0.1", now); w <= 0 {
			t.Error("no wait")
		}
		if w := th.Try("another", "10.0.0.2", now); w != 0 {
			t.Errorf("another address: wait %v", w)
		}
	})
	t.Run("guesses at once count before they are known to be wrong", func(t *testing.T) {
		var th Throttle
		for i := range pairLimit {
			if w := th.Try("li", "10.0.0.1", now); w != 0 {
				t.Errorf("attempt %d: wait %v", i, w)
			}
		}
		if w := th.Try("li", "10.0.0.1", now); w <= 0 {
			t.Error("no wait")
		}
		th.Withdraw("li", "10.0.0.1")
		if w := th.Try("li", "10.0.0.1", now); w != 0 {
			t.Errorf("after one was withdrawn: wait %v", w)
		}
	})
	t.Run("a network of IPv6 is one address", func(t *testing.T) {
		var th Throttle
		for i := range pairLimit {
			mistake(&th, "li", fmt.Sprintf("2001:db8::%x", i+1), now)
		}
		if w := th.Try("li", "2001:db8::ffff", now); w <= 0 {
			t.Error("the next address of the network does not wait")
		}
		if w := th.Try("li", "2001:db8:1::1", now); w != 0 {
			t.Errorf("another network: wait %v", w)
		}
	})
	t.Run("memory is bounded", func(t *testing.T) {
		var th Throttle
		for i := range throttleSize + 500 {
			at := now.Add(time.Duration(i) * time.Millisecond)
			th.byPair.add(fmt.Sprint("li a", i), pairLimit, at)
			th.Failed("li", fmt.Sprint("a", i), at)
		}
		if len(th.byAddr) > throttleSize || len(th.byPair) > throttleSize {
			t.Errorf("%d addresses, %d pairs", len(th.byAddr), len(th.byPair))
		}
		if _, ok := th.byAddr["a0"]; ok {
			t.Error("the oldest is still there")
		}
	})
}
