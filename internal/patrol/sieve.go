package patrol

import (
	"fmt"
	"math"
	"slices"
	"time"

	"lianqin/internal/geo"
)

// sieve tells the fixes of a unit's track from those that cannot be. It takes
// them in order of time. A fix that could not have been reached from the one
// before it is a suspect; three suspects that could be reached from one
// another are believed, and the track goes on from them. Where fewer than
// three had been believed since the unit was last silent, those give way.
type sieve struct {
	last     place // the newest fix that is believed
	run      uint8 // how many were since the last silence, at most agreeing
	runFrom  int64 // time of the first of these
	suspects []Fix // since last, each reached from the one before it
}

// place is what judging speed takes of a fix.
type place struct {
	at        int64
	pos       geo.Coord
	accuracyM float32
}

func placeOf(f *Fix) place { return place{f.At, f.Pos, f.AccuracyM} }

type verdict uint8

const (
	kept     verdict = iota // the fix is of the track
	older                   // not newer than everything before it
	suspect                 // it is not, or not yet
	released                // so are it and the suspects before it
	outvoted                // as released, and the run before them is not
)

// step judges f. After released and outvoted, those that are released, f the
// last of them, are there to take.
func (s *sieve) step(f *Fix, maxSpeedMPS float64) verdict {
	n := len(s.suspects)
	if s.last.at != 0 && f.At <= s.last.at || n > 0 && f.At <= s.suspects[n-1].At {
		return older
	}
	p := placeOf(f)
	if s.last.at == 0 || reachable(&s.last, &p, maxSpeedMPS) {
		s.believe(p)
		s.suspects = nil
		return kept
	}
	if n > 0 {
		before := placeOf(&s.suspects[n-1])
		if !reachable(&before, &p, maxSpeedMPS) {
			s.suspects = s.suspects[:0]
		}
	}
	s.suspects = append(s.suspects, *f)
	if len(s.suspects) < agreeing {
		return suspect
	}
	v := released
	if s.run < agreeing && s.suspects[0].At-s.last.at <= SilentAfter.Milliseconds() {
		v = outvoted
	}
	s.last, s.run, s.runFrom = p, agreeing, s.suspects[0].At
	return v
}

// take are the suspects, which are forgotten.
func (s *sieve) take() []Fix {
	taken := s.suspects
	s.suspects = nil
	return taken
}

func (s *sieve) believe(p place) {
	if s.last.at == 0 || p.at-s.last.at > SilentAfter.Milliseconds() {
		s.run, s.runFrom = 0, p.at
	}
	s.run = min(s.run+1, agreeing)
	s.last = p
}

// newest is the time of the newest fix that was judged.
func (s *sieve) newest() int64 {
	if n := len(s.suspects); n > 0 {
		return max(s.last.at, s.suspects[n-1].At)
	}
	return s.last.at
}

// holds reports whether a suspect has that time.
func (s *sieve) holds(at int64) bool {
	return slices.ContainsFunc(s.suspects, func(f Fix) bool { return f.At == at })
}

// metresPerUnit bounds the length of one unit of a coordinate.
const metresPerUnit = 111_700 / geo.UnitsPerDegree

// reachable reports whether b could be reached from a, which is earlier, with
// what their accuracies leave open.
func reachable(a, b *place, maxSpeedMPS float64) bool {
	reach := maxSpeedMPS*float64(b.at-a.at)/1000 + tolerance(a.accuracyM) + tolerance(b.accuracyM)
	dx, dy := math.Abs(float64(b.pos.X)-float64(a.pos.X)), math.Abs(float64(b.pos.Y)-float64(a.pos.Y))
	if (dx+dy)*metresPerUnit <= reach { // nearly always
		return true
	}
	return geo.DistanceM(a.pos.Point(), b.pos.Point()) <= reach
}

func tolerance(accuracyM float32) float64 {
	if accuracyM == 0 {
		return unknownAccuracyM
	}
	return float64(accuracyM)
}

// implausible is f in quarantine, for its speed from last.
func implausible(f *Fix, last *place) Refusal {
	detail := "those after it agree on another place"
	if last.at < f.At {
		m := geo.DistanceM(last.pos.Point(), f.Pos.Point())
		detail = fmt.Sprintf("%.0f m from the fix %v before", m, time.Duration(f.At-last.at)*time.Millisecond)
	}
	return refusal(f, Implausible, detail)
}

func refusal(f *Fix, reason Reason, detail string) Refusal {
	fix := *f
	return Refusal{Unit: f.Unit, Source: f.Source, At: f.At, Received: f.Received, Reason: reason, Detail: detail, Fix: &fix}
}

// unfit is why f, by itself, is no fix of a track, or an empty Reason.
func unfit(f *Fix) (Reason, string) {
	switch {
	case f.At > f.Received+maxAhead.Milliseconds():
		return InFuture, fmt.Sprintf("%v ahead of our clock", time.Duration(f.At-f.Received)*time.Millisecond)
	case f.At < f.Received-maxAge.Milliseconds():
		return TooOld, fmt.Sprintf("%.0f days old", (time.Duration(f.Received-f.At)*time.Millisecond).Hours()/24)
	case f.AccuracyM > maxAccuracyM:
		return Inaccurate, fmt.Sprintf("accuracy %.0f m", f.AccuracyM)
	}
	return "", ""
}
