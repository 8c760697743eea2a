package store

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/store/storetest"
)

// model is the history of one closed case, of which others are made.
func model(t testing.TB) []casework.Entry {
	t.Helper()
	o := deskOf(t, open(t, storetest.SQLite(t)))
	c := o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), 7)
	r, err := o.Case(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r.Entries
}

// copies are n cases like model, one a minute; every 28th came with a 12345
// order's number.
func copies(model []casework.Entry, n int) iter.Seq2[[]casework.Entry, error] {
	return func(yield func([]casework.Entry, error) bool) {
		for i := range n {
			h := make([]casework.Entry, len(model))
			for k, e := range model {
				e.At = e.At.Add(time.Duration(i) * time.Minute)
				if k == 0 {
					place := *e.Input.Place
					place.At[0] += float64(i%1000) * 1e-6
					e.Input.Place = &place
					if i%28 == 0 {
						e.Order = &casework.Order{Number: fmt.Sprint("W", i), Days: 5, Issued: e.At, Due: e.At.Add(240 * time.Hour)}
					}
				}
				h[k] = e
			}
			if !yield(h, nil) {
				return
			}
		}
	}
}

func TestLoad(t *testing.T) {
	history := model(t)
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		o.open(t, o.seen(unlawfulBuilding, inStreet1))
		const n = 5000
		got, err := s.Cases().Load(t.Context(), copies(history, n))
		if err != nil || got != n {
			t.Fatalf("%d, %v", got, err)
		}
		if err := o.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f := figures(t, o.Desk).Of(casework.WholeDistrict, "", "disposal-of-accepted"); f.Numerator != n || f.Denominator != n {
			t.Errorf("%+v", f)
		}
		r, err := o.Case(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]casework.Entry, len(history))
		for i, e := range history {
			e.Case = 2
			want[i] = e
		}
		want[0].Order = &casework.Order{Number: "W0", Days: 5, Issued: want[0].At, Due: want[0].At.Add(240 * time.Hour)}
		if diff := cmp.Diff(want, r.Entries); diff != "" {
			t.Error(diff)
		}
		// It goes on like any other case.
		o.pass(n * time.Minute)
		next := o.do(t, r.Case, casework.Reopen, []casework.Actor{{ID: "sun", Role: casework.Inspector}}, casework.Input{Text: "又搭建"})
		if next.State != casework.Filed || next.Cycle.Number != 2 {
			t.Errorf("%+v", next)
		}

		if n, err := s.Cases().Load(t.Context(), copies(history, 1)); n != 0 || fault.KindOf(err) != fault.Conflict {
			t.Errorf("an order that is there: %d, %v", n, err)
		}
		broken := func(yield func([]casework.Entry, error) bool) {
			_ = yield(history, nil) && yield(history[1:], nil)
		}
		if n, err := s.Cases().Load(t.Context(), broken); n != 0 || fault.KindOf(err) != fault.Conflict {
			t.Errorf("a history that does not begin: %d, %v", n, err)
		}
		stop := errors.New("stop")
		if n, err := s.Cases().Load(t.Context(), func(yield func([]casework.Entry, error) bool) { yield(nil, stop) }); n != 0 || !errors.Is(err, stop) {
			t.Errorf("a source that fails: %d, %v", n, err)
		}
		if found := ids(t, o.Desk, casework.Search{Closed: true, Limit: 1}); len(found) != 1 || found[0] != n+1 {
			t.Errorf("the newest is %v", found)
		}
	})
}

// BenchmarkYear is a year of cases: loading it, opening a desk on it, asking
// for a page, and opening 200 cases a second.
func BenchmarkYear(b *testing.B) {
	history := model(b)
	for _, kind := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(kind.name, func(b *testing.B) {
			for b.Loop() {
				s := open(b, kind.url(b))
				deskOf(b, s)
				start, cpu := time.Now(), spent()
				if _, err := s.Cases().Load(b.Context(), copies(history, 298_694)); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(start).Seconds(), "load-s")
				b.ReportMetric((spent() - cpu).Seconds(), "load-cpu-s")
				start = time.Now()
				o := deskOf(b, s)
				b.ReportMetric(time.Since(start).Seconds(), "start-s")
				for range 50 {
					o.through(b, o.open(b, o.seen(unlawfulBuilding, inStreet1)), 3)
				}
				start = time.Now()
				found, err := o.Find(b.Context(), casework.Search{Street: "310114001", Limit: 50})
				if err != nil || len(found.Records) != 50 {
					b.Fatal(len(found.Records), err)
				}
				b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "page-ms")
				took := atRate(200, 600, func(i int) {
					place := orb.Point{121.105 + float64(i%30)*0.001, 31.205 + float64(i/30)*0.001}
					if _, err := o.Open(b.Context(), o.seen("0802", place)); err != nil {
						b.Error(err)
					}
				})
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "open-p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "open-p99-ms")
			}
		})
	}
}

// atRate calls f n times, so many a second whether or not those before have
// returned, and tells how long each took from when it was to begin, in order.
func atRate(perSecond, n int, f func(i int)) []time.Duration {
	took := make([]time.Duration, n)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			f(i)
			took[i] = time.Since(due)
		})
	}
	wg.Wait()
	slices.Sort(took)
	return took
}
