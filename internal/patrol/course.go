package patrol

import (
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// course is where a unit is by the borders, and since when. It takes the
// fixes of a track in order of time.
//
// A unit leaves grid A when it is outside A by more than 15 m, or by more than
// the fix's accuracy when that is worse, at two fixes in a row, or at two that
// are 20 s apart while none between them lies in A. It is then in the grid of
// the latter, since the first fix without which it was not outside that grid.
// A fix worse than 100 m tells nothing. Borders are those of the fix's time.
type course struct {
	begun bool
	shift int64   // Unix milliseconds: when the shift began
	raw   grid.ID // of the newest fix
	grid  grid.ID // confirmed
	since int64   // Unix milliseconds

	// While the unit is outside grid:
	out   uint8    // fixes in a row beyond the margin
	enter Evidence // the first fix in raw
	first Evidence // the first beyond the margin
	prior Evidence // the last beyond the margin
}

// step takes f, whose borders are x, nil for none, and returns a crossing that
// it confirms, or false.
func (c *course) step(x *locate.Index, shift int64, f *Fix) (Event, bool) {
	raw := grid.None
	if x != nil {
		raw = x.LocateCoord(f.Pos)
	}
	c.raw = raw
	if f.AccuracyM > movingAccuracyM || x == nil {
		return Event{}, false
	}
	if !c.begun || c.shift != shift {
		*c = course{begun: true, shift: shift, raw: raw, grid: raw, since: f.At}
		return c.crossing(x, f, grid.None, f.At, ruleFirst, c.evidence(f, 0)), raw != grid.None
	}
	if raw == c.grid {
		if c.enter.At != 0 {
			c.back()
		}
		return Event{}, false
	}
	if _, ok := x.Generation().Place(c.grid); !ok && c.grid != grid.None {
		return c.move(x, f, f.At, ruleBorders, c.evidence(f, 0)), true
	}
	borderM := x.DistanceTo(f.Pos, c.grid, farM)
	now := c.evidence(f, borderM)
	if c.enter.At == 0 || c.enter.Grid != raw {
		c.enter = now
	}
	if borderM <= max(leastMarginM, float64(f.AccuracyM)) {
		c.out = 0
		return Event{}, false
	}
	c.out++
	switch {
	case c.out == 2:
		return c.move(x, f, c.enter.At, ruleFixes, c.enter, c.prior, now), true
	case c.first.At != 0 && f.At-c.first.At >= outsideFor.Milliseconds():
		return c.move(x, f, c.enter.At, ruleTime, c.enter, c.first, now), true
	}
	if c.first.At == 0 {
		c.first = now
	}
	c.prior = now
	return Event{}, false
}

// settled reports whether what comes next depends on grid alone, since the
// newest fix lies in it.
func (c *course) settled() bool { return c.begun && c.raw == c.grid && c.enter.At == 0 }

// back forgets that the unit was outside.
func (c *course) back() {
	c.out, c.enter, c.first, c.prior = 0, Evidence{}, Evidence{}, Evidence{}
}

func (c *course) evidence(f *Fix, borderM float64) Evidence {
	return Evidence{At: f.At, AccuracyM: f.AccuracyM, BorderM: float32(borderM), Grid: c.raw}
}

// move is the crossing into raw at time at.
func (c *course) move(x *locate.Index, f *Fix, at int64, rule string, evidence ...Evidence) Event {
	from := c.grid
	c.grid, c.since = c.raw, at
	c.back()
	return c.crossing(x, f, from, at, rule, evidence...)
}

func (c *course) crossing(x *locate.Index, f *Fix, from grid.ID, at int64, rule string, evidence ...Evidence) Event {
	e := newEvent(f, Crossed, at, rule)
	e.From, e.To, e.Generation = from, c.grid, x.Generation().Number()
	e.Evidence = inOrder(evidence)
	return e
}

// inOrder are evidence by time, each fix once.
func inOrder(evidence []Evidence) []Evidence {
	out := make([]Evidence, 0, len(evidence))
	for _, e := range evidence {
		i := len(out)
		for i > 0 && out[i-1].At > e.At {
			i--
		}
		if i > 0 && out[i-1].At == e.At {
			continue
		}
		out = append(out, Evidence{})
		copy(out[i+1:], out[i:])
		out[i] = e
	}
	return out
}
