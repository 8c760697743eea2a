package auth

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	t.Run("a few mistakes are free, then one waits", func(t *testing.T) {
		var th Throttle
		for range pairLimit - 1 {
			th.Failed("li", "10.0.0.1", now)
		}
		if w := th.Wait("li", "10.0.0.1", now); w != 0 {
			t.Errorf("after %d mistakes: wait %v", pairLimit-1, w)
		}
		th.Failed("li", "10.0.0.1", now)
		w := th.Wait("li", "10.0.0.1", now)
		if w <= 0 {
			t.Fatal("no wait")
		}
		if again := th.Wait("li", "10.0.0.1", now.Add(w)); again != 0 {
			t.Errorf("after waiting as told: wait %v more", again)
		}
	})
	t.Run("the user elsewhere is not locked out", func(t *testing.T) {
		var th Throttle
		th.Succeeded("li", "10.0.0.2", now)
		for i := range 1000 {
			th.Failed("li", fmt.Sprint("10.1.0.", i), now)
		}
		if w := th.Wait("li", "10.0.0.2", now); w != 0 {
			t.Errorf("from an address known before: wait %v", w)
		}
		if w := th.Wait("li", "10.9.9.9", now); w <= 0 {
			t.Error("a guess from the next new address does not wait")
		}
	})
	t.Run("one address that tries many logins is slowed", func(t *testing.T) {
		var th Throttle
		for i := range addressLimit {
			th.Failed(fmt.Sprint("user", i), "10.0.0.1", now)
		}
		if w := th.Wait("another", "10.0.0.1", now); w <= 0 {
			t.Error("no wait")
		}
		if w := th.Wait("another", "10.0.0.2", now); w != 0 {
			t.Errorf("another address: wait %v", w)
		}
	})
	t.Run("memory is bounded", func(t *testing.T) {
		var th Throttle
		for i := range throttleSize + 500 {
			th.Failed("li", fmt.Sprint("a", i), now.Add(time.Duration(i)*time.Millisecond))
		}
		if len(th.byAddr) > throttleSize || len(th.byPair) > throttleSize {
			t.Errorf("%d addresses, %d pairs", len(th.byAddr), len(th.byPair))
		}
		if _, ok := th.byAddr["a0"]; ok {
			t.Error("the oldest is still there")
		}
	})
}
