package patrol

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"lianqin/internal/geo"
)

// realTracks reads GeoLife's sample of tracks in Beijing, in order of time by
// unit, moved so that the first fix of each is in the middle of the town.
func realTracks(t *testing.T) map[UnitID][]Fix {
	t.Helper()
	file, err := os.Open("../../../shared/data/real/geolife/geolife_sample.txt.gz")
	if err != nil {
		t.Skipf("the real tracks are not here: %v", err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(unzipped)
	if _, err := rows.Read(); err != nil {
		t.Fatal(err)
	}
	tracks := make(map[UnitID][]Fix)
	units := make(map[string]UnitID)
	type origin struct{ lat, lon float64 }
	origins := make(map[UnitID]origin)
	middle := spot(1.5*gridM, 1.5*gridM).Point()
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		lat, err1 := strconv.ParseFloat(row[0], 64)
		lon, err2 := strconv.ParseFloat(row[1], 64)
		when, err3 := time.Parse(time.DateTime, row[2])
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		if units[row[3]] == 0 {
			units[row[3]] = UnitID(len(units) + 1)
			origins[units[row[3]]] = origin{lat, lon}
		}
		unit := units[row[3]]
		o := origins[unit]
		// Metres stay metres.
		beijing := geo.ScaleAt(lat)
		pos, err := geo.Quantise([2]float64{middle[0] + (lon-o.lon)*beijing.XM/townScale.XM, middle[1] + (lat-o.lat)*beijing.YM/townScale.YM})
		if err != nil {
			continue // a flight
		}
		tracks[unit] = append(tracks[unit], Fix{Unit: unit, At: when.UnixMilli(), Received: when.UnixMilli(), Pos: pos, SpeedMPS: -1, HeadingDeg: -1, BatteryPct: -1}.Quantised())
	}
	for unit, fixes := range tracks {
		slices.SortStableFunc(fixes, func(a, b Fix) int { return int(a.At - b.At) })
		tracks[unit] = slices.CompactFunc(fixes, func(a, b Fix) bool { return a.At == b.At })
	}
	return tracks
}

// TestRealTracks puts leaps between the fixes of real tracks: they go into
// quarantine, and the rest is kept, but for what the receivers themselves got
// wrong.
func TestRealTracks(t *testing.T) {
	tracks := realTracks(t)
	rnd := rand.New(rand.NewPCG(7, 7))
	tr := applying(t, len(tracks))
	leaps := make(map[[2]int64]bool)
	fixes, crossed := 0, 0
	refused := make(map[[2]int64]bool)
	key := func(f *Fix) [2]int64 { return [2]int64{int64(f.Unit), f.At} }
	for unit := UnitID(1); int(unit) <= len(tracks); unit++ {
		track := tracks[unit]
		fixes += len(track)
		since := agreeing
		for i := range track {
			b := Batch{Fixes: track[i : i+1]}
			since++
			if i+1 < len(track) && since > 50 && track[i+1].At-track[i].At <= 10_000 && rnd.IntN(50) == 0 {
				since = 0
				leap := track[i]
				leap.At += (track[i+1].At - track[i].At) / 2
				leap.Received = leap.At
				m := 2000 + rnd.Float64()*20_000
				leap.Pos.X += int32(m / townScale.XM * geo.UnitsPerDegree)
				leaps[key(&leap)] = true
				b.Fixes = []Fix{track[i], leap}
			}
			tr.apply(tr.applied+1, [][]byte{AppendBatch(nil, &b)})
		}
	}
	for i := range tr.effects.Refused {
		r := &tr.effects.Refused[i]
		if r.Reason != Implausible {
			t.Errorf("%+v", r)
			continue
		}
		refused[key(r.Fix)] = true
	}
	for i := range tr.effects.Released {
		delete(refused, key(&tr.effects.Released[i]))
	}
	for _, e := range tr.effects.Events {
		if e.Kind == Crossed {
			crossed++
		}
	}
	missed, wrong := 0, 0
	for k := range leaps {
		if !refused[k] {
			missed++
		}
	}
	for k := range refused {
		if !leaps[k] {
			wrong++
		}
	}
	t.Logf("%d fixes of %d tracks, %d leaps: %d leaps kept, %d others refused, %d crossings", fixes, len(tracks), len(leaps), missed, wrong, crossed)
	if len(leaps) < 100 || missed > 0 || wrong*1000 > fixes {
		t.Errorf("%d of %d leaps kept, %d of %d others refused", missed, len(leaps), wrong, fixes)
	}
}
