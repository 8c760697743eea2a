package patrol

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// patrols makes the reports of n units that walk about a town: one batch for
// every 100 of them a second.
func patrols(n, seconds int, borders bool) [][]byte {
	rnd := rand.New(rand.NewPCG(5, 6))
	pos := make([][2]float64, n)
	for i := range pos {
		pos[i] = [2]float64{rnd.Float64() * 8 * gridM, rnd.Float64() * 8 * gridM}
		if borders {
			pos[i][0] = math.Round(pos[i][0]/gridM) * gridM
		}
	}
	var out [][]byte
	var b Batch
	for s := range seconds {
		for i := range pos {
			pos[i][1] += rnd.Float64()*3 - 1.5
			f := seen(UnitID(i+1), float64(s), pos[i][0]+rnd.NormFloat64()*8, pos[i][1]+rnd.NormFloat64()*8, 8)
			b.Fixes = append(b.Fixes, f)
			if len(b.Fixes) == 100 || i == n-1 {
				out = append(out, AppendBatch(nil, &b))
				b.Fixes = b.Fixes[:0]
			}
		}
	}
	return out
}

// BenchmarkApply is what a fix costs the tracker, decoded and applied.
func BenchmarkApply(b *testing.B) {
	for _, tt := range []struct {
		name    string
		units   int
		borders bool
	}{{"1283", 1283, false}, {"1283 on borders", 1283, true}, {"100000", 100_000, false}} {
		b.Run(tt.name, func(b *testing.B) {
			seconds := max(2, 100_000/tt.units)
			entries := patrols(tt.units, seconds, tt.borders)
			staff, x := crew(b, tt.units), town(b, 1, 8)
			fixes := 0
			b.ResetTimer()
			for b.Loop() {
				b.StopTimer()
				t := newTracker(func() *Staff { return staff }, always{x}, Settings{})
				t.effects = &effects{}
				b.StartTimer()
				for i := range entries {
					t.apply(uint64(i+1), entries[i:i+1])
					if t.effects.size() > saveAt {
						t.effects = &effects{}
					}
				}
				fixes += tt.units * seconds
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(fixes), "ns/fix")
		})
	}
}

// BenchmarkStates is a frame's look at everybody, and what a unit takes.
func BenchmarkStates(b *testing.B) {
	const units = 100_000
	staff, x := crew(b, units), town(b, 1, 8)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	t := newTracker(func() *Staff { return staff }, always{x}, Settings{})
	t.effects = &effects{}
	for i, e := range patrols(units, 2, false) {
		t.apply(uint64(i+1), [][]byte{e})
		t.effects = &effects{}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	now := eight.Add(time.Minute)
	states := make([]State, 0, units)
	b.Run("States", func(b *testing.B) {
		for b.Loop() {
			states = t.States(now, states[:0])
		}
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/units, "B/unit")
		b.ReportMetric(float64(len(states)), "states")
	})
	b.Run("Coverage", func(b *testing.B) {
		for b.Loop() {
			t.Coverage(now)
		}
	})
	b.Run("checkpoint", func(b *testing.B) {
		var data []byte
		for b.Loop() {
			data = t.checkpoint(now)
		}
		b.ReportMetric(float64(len(data))/units, "B/unit")
	})
}
