package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// soon bounds how long a test waits for what ought to come.
const soon = 20 * time.Second

// Log holds an implementation of patrol.Log to its contract. Place makes a new,
// empty log and returns how to reach it: every call of that is another
// process's.
func Log(t *testing.T, place func(t *testing.T) (reach func() patrol.Log)) {
	t.Run("entries come in order to whoever is there and whoever comes later", func(t *testing.T) {
		l := place(t)()
		following := follow(t, l, 1)
		var want []string
		for i := range 50 {
			data := fmt.Sprint("entry ", i)
			appendTo(t, l, data)
			want = append(want, data)
		}
		following.wants(t, want)
		follow(t, l, 1).wants(t, want)
		follow(t, l, 0).wants(t, want)
	})

	t.Run("a seq is where its data is", func(t *testing.T) {
		l := place(t)()
		at := make(map[uint64]string)
		last := uint64(0)
		for i := range 10 {
			data := fmt.Sprint(i)
			seq := appendTo(t, l, data)
			if seq <= last {
				t.Fatalf("entry %d after %d", seq, last)
			}
			last, at[seq] = seq, data
		}
		for seq, data := range at {
			if got := follow(t, l, seq).next(t); got.seq != seq || got.data != data {
				t.Errorf("from %d: got %+v, want %s", seq, got, data)
			}
		}
	})

	t.Run("many at once: each of them once, each sender's in its order", func(t *testing.T) {
		l := place(t)()
		following := follow(t, l, 1)
		const senders, each = 16, 100
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				data := make([]byte, 8, 8+s*100)
				data = data[:cap(data)]
				last := uint64(0)
				for i := range each {
					binary.BigEndian.PutUint64(data, uint64(s*each+i))
					seq, err := l.Append(t.Context(), data) // and the next time round data is another's
					if err != nil || seq < last {
						t.Errorf("sender %d: entry %d after %d: %v", s, seq, last, err)
						return
					}
					last = seq
				}
			})
		}
		wg.Wait()
		var next [senders]int
		for range senders * each {
			n := int(binary.BigEndian.Uint64([]byte(following.next(t).data)))
			if s := n / each; n%each != next[s] {
				t.Fatalf("sender %d: %d, want %d", s, n%each, next[s])
			} else {
				next[s]++
			}
		}
	})

	t.Run("processes share a log", func(t *testing.T) {
		reach := place(t)
		logs := []patrol.Log{reach(), reach()}
		followers := []*follower{follow(t, logs[0], 1), follow(t, logs[1], 1)}
		var wg sync.WaitGroup
		for p, l := range logs {
			wg.Go(func() {
				for i := range 40 {
					if _, err := l.Append(t.Context(), fmt.Appendf(nil, "%d %d", p, i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var orders [2][]arrived
		for i, f := range followers {
			for range 80 {
				orders[i] = append(orders[i], f.next(t))
			}
		}
		if !slices.Equal(orders[0], orders[1]) {
			t.Errorf("two processes see two orders: %v and %v", orders[0], orders[1])
		}
		start := time.Now()
		appendTo(t, logs[0], "late")
		if got := followers[1].next(t); got.data != "late" {
			t.Errorf("got %+v", got)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("another process's entry took %v", d)
		}
	})

	t.Run("empty and large entries", func(t *testing.T) {
		l := place(t)()
		large := string(bytes.Repeat([]byte{0, 1, 0xff, '\n'}, 200_000))
		appendTo(t, l, "")
		appendTo(t, l, large)
		appendTo(t, l, "")
		follow(t, l, 1).wants(t, []string{"", large, ""})
	})

	t.Run("what is trimmed is gone, and numbers go on", func(t *testing.T) {
		reach := place(t)
		l := reach()
		var seqs []uint64
		for i := range 20 {
			seqs = append(seqs, appendTo(t, l, fmt.Sprint(i)))
		}
		trim := func(before uint64) {
			t.Helper()
			if err := l.Trim(t.Context(), before); err != nil {
				t.Fatal(err)
			}
		}
		trim(seqs[10])
		trim(seqs[3])
		other := reach()
		f := follow(t, other, seqs[10])
		if got := f.next(t); got.data != "10" {
			t.Errorf("the first that is left: %+v", got)
		}
		f.stop() // before what it would read is trimmed
		err := other.Tail(t.Context(), seqs[9], func(uint64, [][]byte) error { return errors.New("called") })
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("from before the first that is left: %v, want NotFound", err)
		}
		trim(seqs[19] + 1)
		trim(seqs[19] + 100)
		again := reach()
		seq := appendTo(t, again, "again")
		if seq != seqs[19]+1 {
			t.Errorf("after all was trimmed: entry %d, want %d", seq, seqs[19]+1)
		}
		if got := follow(t, again, seq).next(t); got.data != "again" {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("a call that was over before it began leaves nothing", func(t *testing.T) {
		l := place(t)()
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if seq, err := l.Append(over, []byte("over")); err == nil {
			t.Errorf("entry %d", seq)
		}
		appendTo(t, l, "after")
		follow(t, l, 1).wants(t, []string{"after"})
	})

	t.Run("a cancelled call is answered truly", func(t *testing.T) {
		l := place(t)()
		const calls = 300
		var kept atomic.Int64
		acknowledged := make([]atomic.Bool, calls)
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Microsecond)
				defer cancel()
				if _, err := l.Append(ctx, fmt.Append(nil, i)); err == nil {
					acknowledged[i].Store(true)
					kept.Add(1)
				}
			})
		}
		wg.Wait()
		appendTo(t, l, "end")
		seen := make(map[string]int)
		for f := follow(t, l, 1); seen["end"] == 0; {
			seen[f.next(t).data]++
		}
		for i := range calls {
			if n := seen[fmt.Sprint(i)]; n > 1 || n == 0 && acknowledged[i].Load() {
				t.Errorf("call %d, acknowledged: %v, is there %d times", i, acknowledged[i].Load(), n)
			}
		}
		t.Logf("%d of %d were acknowledged", kept.Load(), calls)
	})

	t.Run("a tail ends with its context and with its function", func(t *testing.T) {
		l := place(t)()
		seq := appendTo(t, l, "one")
		stop := errors.New("stop")
		if err := l.Tail(t.Context(), 1, func(uint64, [][]byte) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if err := l.Tail(ctx, seq, func(uint64, [][]byte) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := l.Tail(ctx, seq+1, func(uint64, [][]byte) error { return stop }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for what does not come: %v", err)
		}
	})
}

func appendTo(t *testing.T, l patrol.Log, data string) uint64 {
	t.Helper()
	seq, err := l.Append(t.Context(), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// arrived is the data of one call of Append as a Tail has it.
type arrived struct {
	seq  uint64
	data string
}

// follower is a Tail that is under way.
type follower struct {
	came chan arrived
	stop func() // and wait for its end
}

func follow(t *testing.T, l patrol.Log, from uint64) *follower {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	f := &follower{make(chan arrived, 1<<16), func() { cancel(); <-done }}
	last := max(from, 1) - 1
	go func() {
		defer close(done)
		err := l.Tail(ctx, from, func(seq uint64, data [][]byte) error {
			if seq != last+1 {
				t.Errorf("entry %d comes after %d", seq, last)
			}
			last = seq
			for _, d := range data {
				f.came <- arrived{seq, string(d)}
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("tail from %d: %v", from, err)
		}
	}()
	t.Cleanup(f.stop)
	return f
}

func (f *follower) next(t *testing.T) arrived {
	t.Helper()
	select {
	case a := <-f.came:
		return a
	case <-time.After(soon):
		t.Fatal("nothing comes")
	}
	return arrived{}
}

func (f *follower) wants(t *testing.T, want []string) {
	t.Helper()
	for i, w := range want {
		if got := f.next(t); got.data != w {
			t.Fatalf("%d: got %.40q, want %.40q", i, got.data, w)
		}
	}
}
