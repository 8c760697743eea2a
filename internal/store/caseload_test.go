package store

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
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
func copies(model []casework.Entry, n int) iter.Seq2[casework.Batch, error] {
	return withOrders(model, n, 28, "W")
}

// withOrders are n cases like model, of which every so many came with an order
// whose number begins with prefix.
func withOrders(model []casework.Entry, n, every int, prefix string) iter.Seq2[casework.Batch, error] {
	return func(yield func(casework.Batch, error) bool) {
		for from := 0; from < n; from += 1000 {
			if !yield(func() (out []casework.Loading) {
				for i := from; i < min(n, from+1000); i++ {
					out = append(out, copyOf(model, i, every, prefix))
				}
				return out
			}, nil) {
				return
			}
		}
	}
}

func copyOf(model []casework.Entry, i, every int, prefix string) casework.Loading {
	h := casework.History{Source: "elsewhere", Number: fmt.Sprint(prefix, i), Entries: make([]casework.Entry, len(model))}
	for k, e := range model {
		e.At = e.At.Add(time.Duration(i) * time.Minute)
		if k == 0 {
			place := *e.Input.Place
			place.At[0] += float64(i%1000) * 1e-6
			e.Input.Place = &place
			if i%every == 0 {
				e.Order = &casework.Order{Number: fmt.Sprint(prefix, i), Days: 5, Issued: e.At, Due: e.At.Add(240 * time.Hour)}
			}
		}
		h.Entries[k] = e
	}
	return loading(i, h)
}

func loading(line int, h casework.History) casework.Loading {
	c, err := casework.Replay(h.Entries)
	if err != nil {
		panic(err)
	}
	return casework.Loading{History: h, Case: c, Line: line}
}

// one is a batch of these cases.
func one(cases ...casework.Loading) iter.Seq2[casework.Batch, error] {
	return func(yield func(casework.Batch, error) bool) { yield(func() []casework.Loading { return cases }, nil) }
}

// load enters batches and counts what became of them.
func load(t testing.TB, s *Store, batches iter.Seq2[casework.Batch, error]) (added, known int, refused []error) {
	t.Helper()
	err := s.Cases().Load(t.Context(), batches, func(all []casework.Landing) {
		for _, l := range all {
			switch {
			case l.Err != nil:
				refused = append(refused, l.Err)
			case l.Known:
				known++
			default:
				added++
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return added, known, refused
}

func TestLoad(t *testing.T) {
	history := model(t)
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		o.open(t, o.seen(unlawfulBuilding, inStreet1))
		const n = 5000
		if added, known, refused := load(t, s, copies(history, n)); added != n || known > 0 || refused != nil {
			t.Fatalf("%d, %d, %v", added, known, refused)
		}
		if added, known, refused := load(t, s, copies(history, n)); added != 0 || known != n || refused != nil {
			t.Fatalf("again: %d, %d, %v", added, known, refused)
		}
		if got, err := s.Cases().Loaded(t.Context(), "elsewhere"); got != n || err != nil {
			t.Errorf("%d, %v", got, err)
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

		another := copyOf(history, 0, 28, "W")
		another.Number = "another"
		if _, _, refused := load(t, s, one(another)); len(refused) != 1 || fault.KindOf(refused[0]) != fault.Conflict || !strings.Contains(refused[0].Error(), "W0") {
			t.Errorf("an order that is there: %v", refused)
		}
		stop := errors.New("stop")
		n2 := 0
		err = s.Cases().Load(t.Context(), func(yield func(casework.Batch, error) bool) {
			more := copyOf(history, n+1, 28, "W")
			_ = yield(func() []casework.Loading { return []casework.Loading{more} }, nil) && yield(nil, stop)
		}, func(l []casework.Landing) { n2 += len(l) })
		if n2 != 1 || !errors.Is(err, stop) {
			t.Errorf("a source that fails: %d, %v", n2, err)
		}
		if found := ids(t, o.Desk, casework.Search{Closed: true, Limit: 1}); len(found) != 1 || found[0] != n+2 {
			t.Errorf("the newest is %v", found)
		}
	})
}

// TestLoadTranslates enters cases that name others, keeps reporters, and gives
// all out again.
func TestLoadTranslates(t *testing.T) {
	history := model(t)
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		own := o.open(t, o.seen(unlawfulBuilding, inStreet1))
		of := func(number string, change func(*casework.History)) casework.Loading {
			l := copyOf(history, 1, 28, "W")
			l.Number = number
			change(&l.History)
			return loading(1, l.History)
		}
		plain := of("70", func(h *casework.History) { h.Reporter = &casework.Reporter{Name: "王", Contact: "120"} })
		void := of("71", func(h *casework.History) {
			last := h.Entries[0]
			last.Seq, last.Action, last.From, last.To, last.Clocks = 2, casework.Discard, casework.Reported, casework.Void, nil
			last.By = casework.Actor{ID: "li", Role: casework.ShiftLeader}
			last.Input = casework.Input{Text: "重复", Duplicate: 70}
			h.Entries = []casework.Entry{h.Entries[0], last}
		})
		if _, _, refused := load(t, s, one(void)); len(refused) != 1 || !strings.Contains(refused[0].Error(), "case 70 of elsewhere") {
			t.Fatalf("a case that names one that is not here: %v", refused)
		}
		if added, _, refused := load(t, s, one(plain, void)); added != 2 {
			t.Fatal(added, refused)
		}
		r, err := o.Case(t.Context(), 3)
		if err != nil || r.Case.Duplicate != 2 {
			t.Errorf("%+v, %v", r, err)
		}
		if who, err := s.Cases().Reporter(t.Context(), 2); err != nil || who.Name != "王" {
			t.Errorf("%+v, %v", who, err)
		}
		var got []casework.History
		give := func(reporters bool) {
			got = nil
			if err := s.Cases().Histories(t.Context(), reporters, func(h *casework.History) error {
				got = append(got, *h)
				return nil
			}); err != nil || len(got) != 3 {
				t.Fatalf("%d, %v", len(got), err)
			}
		}
		if give(false); got[1].Reporter != nil || got[1].Source != "elsewhere" || got[1].Number != "70" || len(got[1].Entries) != len(plain.Entries) {
			t.Errorf("%+v", got[1])
		}
		if give(true); got[1].Reporter == nil || got[1].Reporter.Contact != "120" {
			t.Errorf("%+v", got[1].Reporter)
		}
		if got[0].Source == "elsewhere" || got[0].Number != strconv.FormatInt(own.ID, 10) {
			t.Errorf("%+v", got[0])
		}
		// What it gave out itself is known.
		mine := casework.Loading{History: got[0], Line: 1}
		if added, known, refused := load(t, s, one(mine)); added != 0 || known != 1 {
			t.Error(added, known, refused)
		}
		mine.Number = "99"
		if _, _, refused := load(t, s, one(mine)); len(refused) != 1 {
			t.Error(refused)
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
				load(b, s, copies(history, 298_694))
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
