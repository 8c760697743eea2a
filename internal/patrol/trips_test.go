package patrol

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"lianqin/internal/geo"
)

// walk makes a track: each leg is so many seconds at so many metres a second
// east, a fix every 10 s with some metres of noise; a leg of negative speed is
// silence in place.
func walk(noiseM float64, legs ...[2]float64) []Fix {
	rnd := rand.New(rand.NewPCG(1, 2))
	scale := geo.ScaleAt(31.3)
	at, eastM := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), 0.0
	var track []Fix
	for _, leg := range legs {
		for s := 0.0; s < leg[0]; s += 10 {
			at = at.Add(10 * time.Second)
			if leg[1] < 0 {
				continue
			}
			eastM += 10 * leg[1]
			track = append(track, Fix{Unit: 1, At: at.UnixMilli(), Pos: geo.Coord{
				X: 1_212_000_000 + int32((eastM+rnd.NormFloat64()*noiseM)/scale.XM*geo.UnitsPerDegree),
				Y: 313_000_000 + int32(rnd.NormFloat64()*noiseM/scale.YM*geo.UnitsPerDegree)}})
		}
	}
	return track
}

func TestJourneys(t *testing.T) {
	const minute = 60
	for _, tt := range []struct {
		name         string
		track        []Fix
		trips, stops int
		lengthM      float64
	}{
		{"nothing", nil, 0, 0, 0},
		{"one fix", walk(0, [2]float64{10, 0}), 0, 0, 0},
		{"only walking", walk(0, [2]float64{30 * minute, 1.2}), 1, 0, 2148},
		{"walking with noise", walk(8, [2]float64{30 * minute, 1.2}), 1, 0, 2148},
		{"only standing", walk(8, [2]float64{30 * minute, 0}), 0, 1, 0},
		{"a crossing is no stop", walk(5, [2]float64{10 * minute, 1.2}, [2]float64{2 * minute, 0}, [2]float64{10 * minute, 1.2}), 1, 0, 1428},
		{"there, a talk, and on", walk(5, [2]float64{20 * minute, 1.2}, [2]float64{10 * minute, 0}, [2]float64{20 * minute, 1.2}), 2, 1, 2700},
		{"a silence parts trips", walk(0, [2]float64{20 * minute, 1.2}, [2]float64{15 * minute, -1}, [2]float64{20 * minute, 5}), 2, 0, 1428 + 5950},
		{"indoors without satellites", walk(5, [2]float64{20 * minute, 1.2}, [2]float64{30 * minute, -1}, [2]float64{20 * minute, 1.2}), 2, 1, 2700},
		{"alone between silences", walk(0, [2]float64{10, 0}, [2]float64{20 * minute, -1}, [2]float64{10, 100}), 0, 0, 0},
	} {
		trips, stops := Journeys(tt.track)
		length := 0.0
		for _, trip := range trips {
			length += trip.LengthM
			if trip.From != tt.track[trip.First].At || trip.To != tt.track[trip.Last].At || trip.Last <= trip.First {
				t.Errorf("%s: trip %+v", tt.name, trip)
			}
		}
		for _, s := range stops {
			if s.From != tt.track[s.First].At || s.To != tt.track[s.Last].At || s.To-s.From < StopAfter.Milliseconds() {
				t.Errorf("%s: stop %+v", tt.name, s)
			}
		}
		if len(trips) != tt.trips || len(stops) != tt.stops || math.Abs(length-tt.lengthM) > 0.2*tt.lengthM {
			t.Errorf("%s: %d trips of %.0f m, %d stops; want %d of %.0f m, %d", tt.name, len(trips), length, len(stops), tt.trips, tt.lengthM, tt.stops)
		}
	}
}
