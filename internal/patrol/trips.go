package patrol

import (
	"time"

	"lianqin/internal/geo"
)

// Settings of Journeys. A guard who talks to a shopkeeper stands within the
// noise of a phone for minutes; one who waits at a crossing does not reach
// StopAfter.
const (
	// StopRadiusM is how far a unit may stray and still stand.
	StopRadiusM = 50
	// StopAfter is how long it must stand for a stop.
	StopAfter = 5 * time.Minute
	// TripGap is a silence that ends a trip: nobody knows the way in between.
	TripGap = 10 * time.Minute
	// StepM is the least step that counts for a trip's length: the noise of
	// every fix would add up.
	StepM = 20
)

// Stop is a unit that stayed within StopRadiusM of a place from its first fix
// to its last, at least StopAfter. Times are Unix milliseconds.
type Stop struct {
	From, To    int64
	Pos         geo.Coord // the mean of its fixes
	First, Last int       // places in the track, both included
}

// Trip is a way between two stops, or between a stop and a silence. It shares
// its ends with the stops beside it.
type Trip struct {
	From, To    int64
	LengthM     float64 // along its fixes, in steps of at least StepM
	First, Last int     // places in the track, both included
}

// Journeys parts the track of one unit, in order of time, into stops and the
// trips between them. A fix alone between two silences is in neither.
func Journeys(track []Fix) (trips []Trip, stops []Stop) {
	begin := 0 // of the trip under way
	for i := 0; i < len(track); {
		if i > begin && silent(&track[i-1], &track[i]) {
			trips = appendTrip(trips, track, begin, i-1)
			begin = i
		}
		stop, ok := stopAt(track, i)
		if !ok {
			i++
			continue
		}
		trips = appendTrip(trips, track, begin, i)
		stops = append(stops, stop)
		begin, i = stop.Last, stop.Last+1
	}
	return appendTrip(trips, track, begin, len(track)-1), stops
}

func silent(a, b *Fix) bool { return b.At-a.At > TripGap.Milliseconds() }

// stopAt is the stop that begins with fix i, or false. A silence does not end
// a stop: a phone indoors hears no satellites, and its bearer comes out where
// he went in.
func stopAt(track []Fix, i int) (Stop, bool) {
	scale := geo.ScaleAt(track[i].Pos.Point()[1])
	var sumX, sumY int64
	j := i
	for ; j < len(track); j++ {
		mean := track[i].Pos
		if n := int64(j - i); n > 0 {
			mean = geo.Coord{X: int32(sumX / n), Y: int32(sumY / n)}
		}
		if scale.DistanceM(mean.Point(), track[j].Pos.Point()) > StopRadiusM {
			break
		}
		sumX, sumY = sumX+int64(track[j].Pos.X), sumY+int64(track[j].Pos.Y)
	}
	n := int64(j - i)
	s := Stop{From: track[i].At, To: track[j-1].At, First: i, Last: j - 1, Pos: geo.Coord{X: int32(sumX / n), Y: int32(sumY / n)}}
	return s, s.To-s.From >= StopAfter.Milliseconds()
}

func appendTrip(trips []Trip, track []Fix, first, last int) []Trip {
	if last <= first {
		return trips
	}
	t := Trip{From: track[first].At, To: track[last].At, First: first, Last: last}
	from := track[first].Pos.Point()
	for i := first + 1; i <= last; i++ {
		to := track[i].Pos.Point()
		if d := geo.DistanceM(from, to); d >= StepM || i == last {
			t.LengthM += d
			from = to
		}
	}
	return append(trips, t)
}
