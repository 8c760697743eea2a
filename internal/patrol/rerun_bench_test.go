package patrol_test

import (
	"math"
	"testing"
	"time"

	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// BenchmarkRerun has a unit's tablet deliver ten minutes that it could not
// send, an hour after: what holds up the applying of the log is measured.
func BenchmarkRerun(b *testing.B) {
	const units = 50
	staff, bounds := members(b, units), patrol.AllTime(patrol.Town(b, 1, 3))
	s := database(b, storetest.SQLite(b), units)
	tracker, stop := running(b, patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: s.Tracks(), Now: lateNow})
	defer stop()
	at := func(unit patrol.UnitID, second float64) patrol.Fix {
		return patrol.Seen(unit, second, patrol.GridM*(1.5+1.3*math.Sin(second/500+float64(unit))), patrol.GridM*(1.5+1.3*math.Cos(second/700)), 5)
	}
	var batch patrol.Batch
	for second := 0.0; second < 3*3600; second++ {
		for unit := patrol.UnitID(1); unit <= units; unit++ {
			if second < 3600 || second >= 4200 || second == 3900 {
				batch.Fixes = append(batch.Fixes, at(unit, second))
			}
		}
		if len(batch.Fixes) > 5000 {
			if err := tracker.Accept(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch.Fixes = nil
		}
	}
	settled(b, tracker, lastEntry(b, s.Log()))
	b.ResetTimer()
	n := 0
	for b.Loop() {
		if n == units {
			b.Skip("no unit is left")
		}
		n++
		batch.Fixes = batch.Fixes[:0]
		for second := 3600.0; second < 4200; second++ {
			batch.Fixes = append(batch.Fixes, at(patrol.UnitID(n), second))
		}
		if err := tracker.Accept(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		settled(b, tracker, lastEntry(b, s.Log()))
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms")
	}
}
