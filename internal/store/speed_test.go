package store

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lianqin/internal/grid"
	"lianqin/internal/store/storetest"
)

// fill publishes n generations of 417 grids with about 150 vertices each, a day
// apart.
func fill(tb testing.TB, url string, n int) {
	tb.Helper()
	s := open(tb, url)
	a := atlas(tb, s)
	for i := range n {
		streets, areas := storetest.District(22, 19, 37, i)
		r, err := a.Import(tb.Context(), grid.Import{Streets: streets, Areas: areas[:417], Author: "李"})
		if err != nil {
			tb.Fatal(err)
		}
		publish(tb, a, r.Number, day(2026, 1, 1+i))
	}
}

// BenchmarkStart opens the database and loads 20 generations of 417 grids,
// proof and hash of each included.
func BenchmarkStart(b *testing.B) {
	for _, kind := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(kind.name, func(b *testing.B) {
			url := kind.url(b)
			fill(b, url, 20)
			before := spent()
			for b.Loop() {
				s := open(b, url)
				a := atlas(b, s)
				if g, ok := a.At(day(2026, 1, 20)); !ok || g.Number() != 20 {
					b.Fatal(g)
				}
			}
			b.ReportMetric(float64((spent()-before).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// spent is the processor time that this process has used: on a busy machine it
// says more than the clock.
func spent() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkAt is what asking by time costs beside a plain pointer.
func BenchmarkAt(b *testing.B) {
	url := storetest.SQLite(b)
	s := open(b, url)
	a := atlas(b, s)
	for i := range 20 {
		publish(b, a, enter(b, a, i), day(2026, 1, 1+i))
	}
	var plain atomic.Pointer[grid.Generation]
	g, _ := a.Current()
	plain.Store(g)
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			if plain.Load() == nil {
				b.Fatal("none")
			}
		}
	})
	for _, tt := range []struct {
		name string
		at   time.Time
	}{{"now", time.Now()}, {"past", day(2026, 1, 7)}} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				if _, ok := a.At(tt.at); !ok {
					b.Fatal("none")
				}
			}
		})
	}
}
