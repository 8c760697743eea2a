package patrol

import (
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// sentinel watches whether a unit that is assigned to grids is in them, or
// would be if its device sent GCJ-02. It suspects, and never converts.
type sentinel struct {
	at       int64 // Unix milliseconds: of the newest sample
	samples  uint16
	asSent   uint16 // in its grids as they were sent
	asGCJ02  uint16 // in its grids once read as GCJ-02
	lo, hi   geo.Coord
	suspects bool
}

// The sentinel's figures. A device that sends GCJ-02 is 475 m off, so that its
// unit seems to leave a grid a kilometre wide half of the time; read right,
// it is nearly always in.
const (
	sampleEveryMS = 10_000
	leastSamples  = 120
	mostSamples   = 720  // then both counts are halved
	sampleMarginM = 30   // a guard on a grid's border is in it
	leastSpreadM  = 250  // a guard who stands in the wrong place is not a datum
	leastFit      = 0.9  // share of samples in its grids as GCJ-02
	leastBetter   = 0.15 // and so much greater than as they were sent
)

// sample takes f, a fix of a track, and reports whether suspicion arose.
func (s *sentinel) sample(x *locate.Index, grids []grid.ID, f *Fix) bool {
	if x == nil || len(grids) == 0 || f.At-s.at < sampleEveryMS || f.AccuracyM > movingAccuracyM {
		return false
	}
	s.at = f.At
	if s.samples == 0 {
		s.lo, s.hi = f.Pos, f.Pos
	}
	s.lo = geo.Coord{X: min(s.lo.X, f.Pos.X), Y: min(s.lo.Y, f.Pos.Y)}
	s.hi = geo.Coord{X: max(s.hi.X, f.Pos.X), Y: max(s.hi.Y, f.Pos.Y)}
	s.samples++
	if within(x, grids, f.Pos) {
		s.asSent++
	}
	// What was read as WGS-84 is a position of GCJ-02 now.
	if pos, err := geo.Quantise(geo.GCJ02.ToWGS84(f.Pos.Point())); err == nil && within(x, grids, pos) {
		s.asGCJ02++
	}
	suspects := s.judge()
	arose := suspects && !s.suspects
	s.suspects = suspects
	if s.samples >= mostSamples {
		s.samples, s.asSent, s.asGCJ02 = s.samples/2, s.asSent/2, s.asGCJ02/2
	}
	return arose
}

func (s *sentinel) judge() bool {
	n := float64(s.samples)
	better := float64(s.asGCJ02) - float64(s.asSent)
	if s.suspects { // until it fits as it is
		return better > 0
	}
	return s.samples >= leastSamples && float64(s.asGCJ02) >= leastFit*n && better >= leastBetter*n &&
		geo.DistanceM(s.lo.Point(), s.hi.Point()) >= leastSpreadM
}

func within(x *locate.Index, grids []grid.ID, c geo.Coord) bool {
	for _, id := range grids {
		if x.DistanceTo(c, id, sampleMarginM+1) <= sampleMarginM {
			return true
		}
	}
	return false
}
