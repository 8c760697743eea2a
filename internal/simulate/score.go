package simulate

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Concluded is what a service made of one unit. Times are by the device's
// clock, as the service has them.
type Concluded struct {
	Crossings []Crossing     // changes of grid that stand, by time; Known is when the last fix was taken that they rest on
	Retracted int            // changes of grid that were withdrawn
	Kept      map[int64]int  // fixes of the track, by their time: how many there are
	Caught    map[int64]bool // fixes in quarantine for what they say, by their time
	Suspect   bool           // the device is suspected to send GCJ-02
}

// eventSlack is how far noise and the interval of fixes may shift the time of
// an event that is true: a walker needs half a minute for the error of a poor
// device.
const eventSlack = 30 * time.Second

// seenFixes is how many fixes in the new grid make a crossing one that a
// service can have seen.
const seenFixes = 3

// Crossings is how events of grids compare with the truth.
//
// An event is false when the unit, between its time and the fix that confirmed
// it, never left the grid that it is said to have left, or came nowhere within
// the limits of the grid that it is said to have entered. It is doubtful when it is not false,
// and the unit passed by that grid within the limits and was not in it: no
// device can tell the two sides of a street apart. A true crossing is missed
// when no event enters that grid while the unit is there. Of true crossings
// those count as settled that outlast the service's own limits: more than
// 15 m, or the device's accuracy, out of the old grid for 20 s on end.
type Crossings struct {
	True          int `json:"true"`
	Settled       int `json:"settled"`
	Seen          int `json:"seen"` // of Settled: with fixes enough to be seen by
	Events        int `json:"events"`
	False         int `json:"false"`
	Doubtful      int `json:"doubtful"`
	MissedSettled int `json:"missed_settled"` // of Seen
	MissedTrue    int `json:"missed_true"`    // of True
	Retracted     int `json:"retracted"`
}

func (c *Crossings) add(d Crossings) {
	c.True += d.True
	c.Settled += d.Settled
	c.Seen += d.Seen
	c.Events += d.Events
	c.False += d.False
	c.Doubtful += d.Doubtful
	c.MissedSettled += d.MissedSettled
	c.MissedTrue += d.MissedTrue
	c.Retracted += d.Retracted
}

// judge compares m's events, in true time, with its truth. Sent are its plain
// fixes in order.
func (f *Fleet) judge(m *member, events []Crossing, sent []sending) (c Crossings) {
	slack := eventSlack.Milliseconds()
	for _, t := range m.truths {
		var mine []Crossing
		for _, e := range events {
			if e.From != grid.None && e.At >= t.Since-slack && e.At <= t.Until+slack {
				mine = append(mine, e)
			}
		}
		c.Events += len(mine)
		for _, e := range mine {
			from, until := e.At-slack, max(e.At, e.Known)+slack
			switch {
			case !t.Left(e.From, from, until):
				c.False++
			case t.Visited(e.To, from, until):
			case f.passed(m, e.To, within(sent, from, until)):
				c.Doubtful++
			default:
				c.False++
			}
		}
		c.True += len(t.Crossings)
		c.Settled += len(t.Settled)
		for i, x := range t.Crossings {
			if !told(mine, x.To, x.At-slack, endOf(t.Crossings, i, t.Until)+slack) {
				c.MissedTrue++
			}
		}
		for i, x := range t.Settled {
			end := endOf(t.Settled, i, t.Until)
			if inGrid(t, x.To, within(sent, x.Known, end)) < seenFixes {
				continue
			}
			c.Seen++
			if !told(mine, x.To, x.At-slack, end+slack) {
				c.MissedSettled++
			}
		}
	}
	return c
}

// endOf is when what began with the i-th crossing ended.
func endOf(all []Crossing, i int, until int64) int64 {
	if i+1 < len(all) {
		return all[i+1].At
	}
	return until
}

func told(events []Crossing, to grid.ID, from, until int64) bool {
	return slices.ContainsFunc(events, func(e Crossing) bool { return e.To == to && e.At >= from && e.At <= until })
}

// within are the fixes taken in [from, until).
func within(sent []sending, from, until int64) []sending {
	taken := func(s sending, ms int64) int { return cmp.Compare(s.taken, ms) }
	i, _ := slices.BinarySearchFunc(sent, from, taken)
	k, _ := slices.BinarySearchFunc(sent, until, taken)
	return sent[i:max(i, k)]
}

// passed reports whether the unit was within its limit of a grid's border when
// it took one of these fixes.
func (f *Fleet) passed(m *member, id grid.ID, sent []sending) bool {
	limit := max(settledM, m.device.AccuracyM)
	return slices.ContainsFunc(sent, func(s sending) bool { return !f.roads.beyond(s.truly, id, limit) })
}

// inGrid is how many of these fixes were taken in id.
func inGrid(t *Truth, id grid.ID, sent []sending) (n int) {
	for _, s := range sent {
		if t.At(s.taken) == id {
			n++
		}
	}
	return n
}

// Score is what a service got right and wrong of a run.
type Score struct {
	Units   int `json:"units"`
	Sent    int `json:"sent"`    // reports that were answered for good
	Unsent  int `json:"unsent"`  // reports that were given up or never answered
	Fixes   int `json:"fixes"`   // different plain fixes among those sent
	Found   int `json:"found"`   // of Fixes: in the track once
	Lost    int `json:"lost"`    // of Fixes: neither in the track nor in quarantine
	Doubled int `json:"doubled"` // of Fixes: in the track more than once
	Accused int `json:"accused"` // of Fixes: in quarantine
	// OffDuty are fixes at a time, by the device's clock, at which the unit was
	// not on duty; they are not among Fixes.
	OffDuty int `json:"off_duty"`
	// Outliers that were sent, and how many of them are in quarantine rather
	// than in the track.
	Outliers  int       `json:"outliers"`
	Caught    int       `json:"caught"`
	Crossings Crossings `json:"crossings"` // of honest devices
	// Liars are devices with a beat that sent GCJ-02, for half an hour at
	// least; Exposed are those of them
	// that are suspected, Wronged are others that are.
	Liars   int `json:"liars"`
	Exposed int `json:"exposed"`
	Wronged int `json:"wronged"`
	// Tracks and Quarantine say whether those could be read, and so whether
	// Found, Lost, Doubled, Accused and Caught mean anything.
	Tracks     bool `json:"tracks"`
	Quarantine bool `json:"quarantine"`
}

// Record is what a run remembers of what was sent, for scoring.
type Record struct {
	mu   sync.Mutex
	sent []map[int64]sending // by unit, by the device's time
}

type sending struct {
	taken    int64
	truly    geo.Coord
	nature   Nature
	answered bool
}

// NewRecord is a Record of n units.
func NewRecord(n int) *Record {
	r := &Record{sent: make([]map[int64]sending, n)}
	for i := range r.sent {
		r.sent[i] = make(map[int64]sending)
	}
	return r
}

// made enters a report that was made.
func (r *Record) made(p *Report) {
	if p.Nature == Repeat {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[p.Unit][p.At] = sending{taken: p.Taken, truly: p.Truly, nature: p.Nature}
}

// answered enters that reports were answered for good.
func (r *Record) answered(reports []Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range reports {
		if s, ok := r.sent[p.Unit][p.At]; ok {
			s.answered = true
			r.sent[p.Unit][p.At] = s
		}
	}
}

// Score compares what a service concluded of f's units with the truth; got is
// by unit.
func (f *Fleet) Score(r *Record, got []Concluded) Score {
	s := Score{Units: len(f.units)}
	for i, m := range f.units {
		ahead := m.device.Ahead.Milliseconds()
		var taken []sending
		for at, x := range r.sent[i] {
			if !x.answered {
				s.Unsent++
				continue
			}
			s.Sent++
			if x.nature == Outlier {
				s.Outliers++
				if got[i].Caught[at] && got[i].Kept[at] == 0 {
					s.Caught++
				}
				continue
			}
			taken = append(taken, x)
			if !onDuty(m.truths, at) {
				s.OffDuty++
				continue
			}
			s.Fixes++
			switch n := got[i].Kept[at]; {
			case n > 1:
				s.Doubled++
			case n == 1:
				s.Found++
			case got[i].Caught[at]:
				s.Accused++
			default:
				s.Lost++
			}
		}
		slices.SortFunc(taken, func(a, b sending) int { return cmp.Compare(a.taken, b.taken) })
		if len(m.Grids) > 0 && reported(taken) >= datumTime {
			switch {
			case m.device.GCJ02 && got[i].Suspect:
				s.Liars++
				s.Exposed++
			case m.device.GCJ02:
				s.Liars++
			case got[i].Suspect:
				s.Wronged++
			}
		}
		if m.device.GCJ02 {
			continue
		}
		events := slices.Clone(got[i].Crossings)
		for k := range events {
			events[k].At -= ahead
			events[k].Known -= ahead
		}
		slices.SortFunc(events, func(a, b Crossing) int { return cmp.Compare(a.At, b.At) })
		c := f.judge(m, events, taken)
		c.Retracted = got[i].Retracted
		s.Crossings.add(c)
	}
	return s
}

// datumTime is how long a device must have reported to be told by its datum.
const datumTime = 30 * time.Minute

// reported is for how long a device did, gaps of more than a minute left out.
func reported(sent []sending) (sum time.Duration) {
	const gap = 60_000
	for i := 1; i < len(sent); i++ {
		if d := sent[i].taken - sent[i-1].taken; d <= gap {
			sum += time.Duration(d) * time.Millisecond
		}
	}
	return sum
}

// onDuty reports whether a shift that was simulated covers at.
func onDuty(truths []*Truth, at int64) bool {
	return slices.ContainsFunc(truths, func(t *Truth) bool { return at >= t.Shift.From.UnixMilli() && at < t.Shift.To.UnixMilli() })
}

// Print writes s for people.
func (s *Score) Print(w io.Writer) error {
	line := func(text string, n, of int) string {
		if of == 0 {
			return fmt.Sprintf("  %-58s %9d\n", text, n)
		}
		return fmt.Sprintf("  %-58s %9d  %6.2f %%\n", text, n, 100*float64(n)/float64(of))
	}
	c := &s.Crossings
	text := "定位 fixes\n" + line("已应答 answered", s.Sent, 0) + line("未送达 not answered", s.Unsent, 0)
	if s.Tracks {
		text += line("轨迹中 in the track once", s.Found, s.Fixes) + line("丢失 lost", s.Lost, s.Fixes) +
			line("重复 doubled", s.Doubled, s.Fixes)
	}
	if s.Quarantine {
		text += line("误入隔离区 plain ones in quarantine", s.Accused, s.Fixes) +
			line(fmt.Sprintf("飞点被拦截 outliers caught, of %d", s.Outliers), s.Caught, s.Outliers)
	}
	text += "进出网格 crossings\n" + line("真实越界 true", c.True, 0) + line("  其中稳定 settled", c.Settled, c.True) +
		line("事件 events", c.Events, 0) + line("误报 false, of settled true crossings", c.False, c.Settled) +
		line("误报 false, of all true crossings", c.False, c.True) +
		line("存疑 doubtful: within the limits of that grid, not in it", c.Doubtful, c.Events) +
		line(fmt.Sprintf("漏报 missed, of %d settled and seen", c.Seen), c.MissedSettled, c.Seen) +
		line("漏报 missed, of all true crossings", c.MissedTrue, c.True) +
		line("更正撤回 retracted after late fixes", c.Retracted, 0)
	text += "坐标系哨兵 datum sentinel\n" + line(fmt.Sprintf("查出 found, of %d devices", s.Liars), s.Exposed, s.Liars) +
		line("误判 wrongly suspected", s.Wronged, 0)
	_, err := io.WriteString(w, text)
	return err
}
