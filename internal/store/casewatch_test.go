package store

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/casework"
	"lianqin/internal/store/storetest"
)

// told is what somebody who watches was told.
type told struct {
	mu   sync.Mutex
	all  []casework.Kept
	last map[int64]casework.Kept
}

func (w *told) tell(k *casework.Kept) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[int64]casework.Kept{}
	}
	w.all = append(w.all, *k.Clone())
	w.last[k.Case] = *k.Clone()
}

// until waits until ok says so of what was told.
func (w *told) until(t *testing.T, what string, ok func([]casework.Kept) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		done := ok(w.all)
		w.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: was told of %d", what, len(w.all))
		}
	}
}

// check compares what was told last with the cases as they stand; nothing was
// told twice, and all of it in order.
func (w *told) check(t *testing.T, d *casework.Desk, ids ...int64) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 1; i < len(w.all); i++ {
		if a, b := w.all[i-1], w.all[i]; a.Change > b.Change || a.Change == b.Change && a.Case >= b.Case {
			t.Errorf("change %d of case %d, then change %d of case %d", a.Change, a.Case, b.Change, b.Case)
		}
	}
	for _, id := range ids {
		r, err := d.Case(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		want, got := casework.KeptOf(&r.Case).Clone(), w.last[id]
		want.Change = got.Change
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("case %d: %s", id, diff)
		}
	}
}

// beside runs f until the test ends.
func beside(t *testing.T, f func(ctx context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
}

// TestWatch: who watches is told of every case at the start and of each change
// after it, of this process and of another, of single actions and of whole
// loads, whether he keeps up or not.
func TestWatch(t *testing.T) {
	history := model(t)
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		first := deskOf(t, s)
		a, b := first.open(t, first.seen(unlawfulBuilding, inStreet1)), first.open(t, first.seen(unlawfulBuilding, inStreet1))
		first.through(t, b, 7)
		if n, _, refused := load(t, s, copies(history, 30)); n != 30 {
			t.Fatal(n, refused)
		}

		var everything, fresh, slow told
		release := make(chan struct{})
		o := deskWith(t, s, everything.tell)
		if len(everything.all) != 32 {
			t.Fatalf("at the start %d were told", len(everything.all))
		}
		everything.check(t, o.Desk, 1, 2, 3)
		var watching sync.WaitGroup
		watching.Add(2)
		beside(t, func(ctx context.Context) { o.Follow(ctx, func(err error) { t.Error(err) }) })
		beside(t, func(ctx context.Context) { watching.Done(); o.Watch(ctx, fresh.tell) })
		beside(t, func(ctx context.Context) {
			watching.Done()
			o.Watch(ctx, func(k *casework.Kept) {
				<-release
				slow.tell(k)
			})
		})
		watching.Wait()
		// That both stand where nothing has happened yet shows in what they are told
		// first.
		var c casework.Case
		for fresh.mu.Lock(); len(fresh.all) == 0; fresh.mu.Lock() {
			fresh.mu.Unlock()
			c = o.open(t, o.seen(unlawfulBuilding, inStreet1))
			time.Sleep(time.Millisecond)
		}
		fresh.mu.Unlock()
		o.through(t, c, 7)                            // this process
		first.pass(o.clock().Sub(first.clock()))      //
		first.through(t, a, 3)                        // another
		load(t, s, withOrders(history, 6000, 1, "X")) // more than is held, under one number each
		all := func(kept []casework.Kept) bool {
			n := 0
			for _, k := range kept {
				if k.Order != "" && k.Order[0] == 'X' {
					n++
				}
			}
			return n == 6000
		}
		everything.until(t, "from the start", all)
		fresh.until(t, "from now on", all)
		close(release)
		slow.until(t, "slowly", all)
		for _, w := range []*told{&everything, &fresh, &slow} {
			w.check(t, o.Desk, a.ID, c.ID, c.ID+1, c.ID+6000)
		}
		if !slices.ContainsFunc(everything.all, func(k casework.Kept) bool { return k.Case == c.ID && k.State == casework.ToCheck }) {
			t.Error("a state on the way was not told")
		}
	})
}

// TestKeptBefore: rows that a version before wrote tell the same.
func TestKeptBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		c := o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), 4)
		want := figures(t, o.Desk)
		if _, err := s.writer.ExecContext(t.Context(), `UPDATE case_file SET facts = $1`, []byte{1, 0}); err != nil {
			t.Fatal(err)
		}
		var w told
		again := deskWith(t, s, w.tell)
		w.check(t, again.Desk, c.ID)
		if diff := cmp.Diff(want, figures(t, again.Desk)); diff != "" {
			t.Error(diff)
		}
	})
}

// BenchmarkOpenDesk is a start on a year of cases, one in thirty of them open,
// with one who watches.
func BenchmarkOpenDesk(b *testing.B) {
	history := model(b)
	for _, kind := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(kind.name, func(b *testing.B) {
			s := open(b, kind.url(b))
			deskOf(b, s)
			load(b, s, func(yield func(casework.Batch, error) bool) {
				for batch, err := range copies(history, 298_694) {
					if !yield(func() []casework.Loading {
						all := batch()
						for i := 0; i < len(all); i += 30 {
							h := all[i].History
							h.Entries = h.Entries[:4]
							all[i] = loading(all[i].Line, h)
						}
						return all
					}, err) {
						return
					}
				}
			})
			b.ResetTimer()
			for b.Loop() {
				n := 0
				deskWith(b, s, func(*casework.Kept) { n++ })
				if n != 298_694 {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/start")
		})
	}
}
