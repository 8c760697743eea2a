package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// both are the databases as benchmarks name them.
var both = []struct {
	name string
	url  func(testing.TB) string
}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}}

// walk is one unit's track at 1 Hz, as a phone reports it.
func walk(unit patrol.UnitID, from time.Time, n int) []patrol.Fix {
	dice := rand.New(rand.NewPCG(uint64(unit), 3))
	f := patrol.Fix{Unit: unit, At: from.UnixMilli() + dice.Int64N(1000), Pos: geo.Coord{X: 1212000000 + dice.Int32N(900_000), Y: 313000000 + dice.Int32N(900_000)},
		AccuracyM: 5, SpeedMPS: 1.2, HeadingDeg: 90, AltitudeM: 4, BatteryPct: 80, Source: patrol.FromAPI}
	fixes := make([]patrol.Fix, n)
	for i := range fixes {
		fixes[i] = f
		fixes[i].Received = f.At + 300 + dice.Int64N(500)
		f.At += 1000
		f.Pos.X += dice.Int32N(300) - 150
		f.Pos.Y += dice.Int32N(300) - 150
		f.AccuracyM = max(3, f.AccuracyM+float32(dice.IntN(20)-10)/10)
		f.SpeedMPS, f.HeadingDeg = float32(dice.IntN(200))/100, float32(dice.IntN(3600))/10
	}
	return fixes
}

// BenchmarkFixes appends batches of 100 fixes of 1,283 units from 16 senders,
// while what they appended is entered in the strides of a tracker and put in
// order: b.N batches, until all are entered; as fast as it goes, and paced.
func BenchmarkFixes(b *testing.B) {
	for _, kind := range both {
		for _, pace := range []int{0, 100_000, 20_000} {
			name := kind.name + "/flat out"
			if pace > 0 {
				name = fmt.Sprintf("%s/%d a second", kind.name, pace)
			}
			b.Run(name, func(b *testing.B) { benchmarkFixes(b, kind.url(b), pace) })
		}
	}
}

func benchmarkFixes(b *testing.B, url string, pace int) {
	const senders, each, units = 16, 100, 1283
	s := patrols(b, url, units)
	ctx, stop := context.WithCancel(context.Background())
	var beside sync.WaitGroup
	var entered atomic.Int64
	beside.Go(func() { tick(ctx, 5*time.Second, func() { _ = s.Compact(ctx, time.Now()) }) })
	beside.Go(func() { apply(ctx, b, s, &entered) })
	took := make([][]time.Duration, senders)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	before, began := spent(), time.Now()
	for i := range senders {
		wg.Go(func() {
			var data []byte
			fixes := make([]patrol.Fix, each)
			for {
				n := next.Add(1) - 1
				if n >= int64(b.N) {
					return
				}
				due := time.Now()
				if pace > 0 { // who is late is as late as its answer
					due = began.Add(time.Duration(n) * each * time.Second / time.Duration(pace))
					time.Sleep(time.Until(due))
				}
				for k := range fixes {
					j := n*each + int64(k)
					fixes[k] = fixAt(patrol.UnitID(1+j%units), midnight.UnixMilli()+j/units*100)
				}
				data = patrol.AppendBatch(data[:0], &patrol.Batch{Fixes: fixes})
				if _, err := s.Log().Append(ctx, data); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(due))
			}
		})
	}
	wg.Wait()
	for entered.Load() < int64(b.N)*each && !b.Failed() {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	stop()
	beside.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)*each/b.Elapsed().Seconds(), "fixes/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric((spent()-before).Seconds()/b.Elapsed().Seconds(), "cores")
}

func tick(ctx context.Context, every time.Duration, f func()) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(every):
			f()
		}
	}
}

// apply enters what the log brings, ten times a second or when there is much,
// and trims the log.
func apply(ctx context.Context, tb testing.TB, s *Store, entered *atomic.Int64) {
	var mu sync.Mutex
	e := &patrol.Effects{First: 1}
	full := make(chan struct{}, 1)
	save := func() {
		mu.Lock()
		now := e
		if now.Last == 0 {
			mu.Unlock()
			return
		}
		e = &patrol.Effects{First: now.Last + 1}
		mu.Unlock()
		if _, err := s.Tracks().Save(ctx, now); err != nil {
			if ctx.Err() == nil {
				tb.Error(err)
			}
			return
		}
		entered.Add(int64(len(now.Kept)))
		if err := s.Log().Trim(ctx, now.Last); err != nil && ctx.Err() == nil {
			tb.Error(err)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-full:
				save()
			case <-time.After(100 * time.Millisecond):
				save()
			}
		}
	})
	_ = s.Log().Tail(ctx, 1, func(seq uint64, data [][]byte) error {
		mu.Lock()
		defer mu.Unlock()
		e.Last = seq
		for _, d := range data {
			batch, err := patrol.DecodeBatch(d)
			if err != nil {
				tb.Error(err)
				return err
			}
			e.Kept = append(e.Kept, batch.Fixes...)
		}
		if len(e.Kept) > 20_000 {
			select {
			case full <- struct{}{}:
			default:
			}
		}
		return nil
	})
	wg.Wait()
}

// BenchmarkTracks reads tracks of 1,283 units at 1 Hz: an hour of all, of which
// the last minute came in just now, and one unit's whole day.
func BenchmarkTracks(b *testing.B) {
	for _, kind := range both {
		b.Run(kind.name, func(b *testing.B) {
			const units, minutes = 1283, 20
			s := patrols(b, kind.url(b), units)
			v := &saver{s: s}
			var kept []patrol.Fix
			kept = append(kept, walk(1, midnight.Add(2*time.Hour), 18*3600)...)
			for unit := range patrol.UnitID(units) {
				kept = append(kept, walk(unit+1, midnight, minutes*60)...)
			}
			slices.SortFunc(kept, byTime)
			recent := midnight.Add((minutes - 1) * time.Minute).UnixMilli()
			for part := range slices.Chunk(kept, 1283) {
				e := patrol.Effects{Kept: part}
				if part[0].At >= recent && part[0].At < recent+60_000 {
					continue
				}
				v.save(b, e)
			}
			start := time.Now()
			compacted(b, s, midnight.Add(48*time.Hour))
			b.Logf("%d fixes put in order in %v", len(kept), time.Since(start).Round(time.Millisecond))
			for part := range slices.Chunk(kept, 1283) {
				if part[0].At >= recent && part[0].At < recent+60_000 {
					v.save(b, patrol.Effects{Kept: part})
				}
			}
			if s.d.name == postgresDialect.name {
				if _, err := s.writer.Exec(`ANALYZE fix`); err != nil {
					b.Fatal(err)
				}
			}
			for _, tt := range []struct {
				name     string
				unit     patrol.UnitID
				from, to time.Time
				want     int
			}{
				{"day of a unit", 1, midnight.Add(2 * time.Hour), midnight.Add(24 * time.Hour), 18 * 3600},
				{"eight hours of a unit", 1, midnight.Add(4 * time.Hour), midnight.Add(12 * time.Hour), 8 * 3600},
				{"last minutes of a unit", 7, midnight.Add(10 * time.Minute), midnight.Add(minutes * time.Minute), 600},
				{"ten minutes of all", 0, midnight, midnight.Add(10 * time.Minute), units * 600},
				{"the last ten minutes of all", 0, midnight.Add(10 * time.Minute), midnight.Add(minutes * time.Minute), units * 600},
			} {
				b.Run(tt.name, func(b *testing.B) {
					b.ReportAllocs()
					before := spent()
					for b.Loop() {
						n := 0
						err := s.Tracks().Fixes(b.Context(), tt.unit, tt.from, tt.to, func(f []patrol.Fix) error { n += len(f); return nil })
						if err != nil || n < tt.want-2*units || n > tt.want {
							b.Fatalf("%d fixes, want %d: %v", n, tt.want, err)
						}
					}
					b.ReportMetric(float64((spent()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
				})
			}
		})
	}
}
