package patrol

import (
	"context"
	"slices"
	"sync"
	"time"

	"lianqin/internal/grid"
)

// GridTime is how long units were in a grid within an hour, all together.
type GridTime struct {
	Grid    grid.ID
	Seconds uint32
}

// HourTime is what one hour comes to, by grid. Hours count from the Unix epoch.
type HourTime struct {
	Hour  int64
	Grids []GridTime
}

// HourMark names an hour, and how far its fixes had changed. Marks of an hour
// only grow.
type HourMark struct{ Hour, Mark int64 }

// HourStore keeps what hours come to, and which of them have to be reckoned
// anew: whoever enters fixes or takes some away marks the hours of TouchedHours
// in the same transaction. The store of Tracks has it as well. All methods are
// safe for concurrent use, and so are several processes.
type HourStore interface {
	// DueHours are the hours whose fixes changed since they were reckoned, in
	// order. A store that has fixes and no marks, since it comes from a time
	// before them, marks every hour of the days that it has.
	DueHours(ctx context.Context) ([]HourMark, error)
	// PutHour enters what an hour comes to, read after its mark; nothing when it
	// was reckoned meanwhile from as much or more. Nil Grids leave what is
	// entered as it is.
	PutHour(ctx context.Context, mark HourMark, grids []GridTime) error
	// Hours calls f with every hour that was entered after change number after,
	// and returns the last number.
	Hours(ctx context.Context, after int64, f func(HourTime) error) (int64, error)
	// Fixes is that of Tracks.
	Fixes(ctx context.Context, unit UnitID, from, to time.Time, f func([]Fix) error) error
}

// Timesheet keeps how long units were in each grid, hour by hour and for good,
// when their tracks are long gone. A unit is in the grid in which a fix of its
// track lies from that fix to the next, by the borders of the fix's time. Where
// the next one is SilentAfter away or more, it counts for nothing; a fix worse
// than movingAccuracyM tells nothing. There is no hysteresis as of crossings:
// over an hour the noise at a border evens out. So an hour follows from the
// fixes alone, and late ones change it like any other. It is safe for concurrent
// use, and takes about 8 bytes for an hour and a grid in which somebody was.
type Timesheet struct {
	store  HourStore
	bounds Boundaries
	kept   time.Duration // how long tracks are kept; 0 is for good
	now    func() time.Time

	reckoning sync.Mutex
	mu        sync.RWMutex
	seen      int64 // change number that hours have come to
	hours     []HourTime
}

// NewTimesheet makes one that knows nothing until Reckon or Run. Tracks are kept
// that long, 0 for good; nil now is time.Now.
func NewTimesheet(store HourStore, bounds Boundaries, kept time.Duration, now func() time.Time) *Timesheet {
	if now == nil {
		now = time.Now
	}
	return &Timesheet{store: store, bounds: bounds, kept: kept, now: now}
}

// reckonEvery is how far the hours in memory may be behind. An hour of 1,283
// units' fixes is read in a fraction of a second.
const reckonEvery = 5 * time.Minute

// Run reckons every reckonEvery until ctx ends. What goes wrong is told to
// failed and tried again.
func (s *Timesheet) Run(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(reckonEvery)
	defer tick.Stop()
	for {
		if err := s.Reckon(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Reckon reckons the hours that are due, and takes in what others have.
func (s *Timesheet) Reckon(ctx context.Context) error {
	s.reckoning.Lock()
	defer s.reckoning.Unlock()
	due, err := s.store.DueHours(ctx)
	if err != nil {
		return err
	}
	for _, mark := range due {
		var grids []GridTime
		if s.whole(mark.Hour) {
			if grids, err = s.reckon(ctx, mark.Hour); err != nil {
				return err
			}
		}
		if err := s.store.PutHour(ctx, mark, grids); err != nil {
			return err
		}
	}
	return s.follow(ctx)
}

// whole reports whether no fix that an hour rests on is past its time: one that
// came in late must not stand for all that were dropped.
func (s *Timesheet) whole(hour int64) bool {
	return s.kept == 0 || startOf(hour).Add(-SilentAfter).After(s.now().Add(-s.kept))
}

func startOf(hour int64) time.Time { return time.Unix(hour*3600, 0) }

// hourOf is the hour of an instant in Unix milliseconds.
func hourOf(ms int64) int64 {
	const hour = int64(time.Hour / time.Millisecond)
	h := ms / hour
	if ms%hour < 0 {
		h--
	}
	return h
}

// TouchedHours appends to dst the hours that fixes have a part in, each once,
// in order.
func TouchedHours(dst []int64, fixes []Fix) []int64 {
	for i := range fixes {
		for h := hourOf(fixes[i].At - SilentAfter.Milliseconds()); h <= hourOf(fixes[i].At+SilentAfter.Milliseconds()); h++ {
			if n := len(dst); n == 0 || dst[n-1] != h {
				dst = append(dst, h)
			}
		}
	}
	slices.Sort(dst)
	return slices.Compact(dst)
}

// reckon is what an hour comes to, by grid; empty, and not nil, when nobody was
// anywhere.
func (s *Timesheet) reckon(ctx context.Context, hour int64) ([]GridTime, error) {
	type stay struct {
		since int64 // 0 is not there
		grid  grid.ID
	}
	from, to := startOf(hour), startOf(hour+1)
	begin, end := from.UnixMilli(), to.UnixMilli()
	var stays []stay // by unit
	spent := make(map[grid.ID]int64)
	err := s.store.Fixes(ctx, 0, from.Add(-SilentAfter), to.Add(SilentAfter), func(fixes []Fix) error {
		for i := range fixes {
			f := &fixes[i]
			x := s.bounds.At(f.At)
			if f.AccuracyM > movingAccuracyM || x == nil || f.Unit > MaxUnitID {
				continue
			}
			if int(f.Unit) >= len(stays) {
				stays = append(stays, make([]stay, int(f.Unit)+1-len(stays))...)
			}
			u := &stays[f.Unit]
			if u.since != 0 && f.At-u.since < SilentAfter.Milliseconds() && u.grid != grid.None {
				if ms := min(f.At, end) - max(u.since, begin); ms > 0 {
					spent[u.grid] += ms
				}
			}
			*u = stay{f.At, x.LocateCoord(f.Pos)}
		}
		return nil
	})
	grids := make([]GridTime, 0, len(spent))
	for id, ms := range spent {
		if seconds := (ms + 500) / 1000; seconds > 0 {
			grids = append(grids, GridTime{id, uint32(seconds)})
		}
	}
	slices.SortFunc(grids, func(a, b GridTime) int { return int(a.Grid) - int(b.Grid) })
	return grids, err
}

// follow takes in the hours that were entered since it last did.
func (s *Timesheet) follow(ctx context.Context) error {
	var fresh []HourTime
	last, err := s.store.Hours(ctx, s.seen, func(h HourTime) error {
		fresh = append(fresh, h)
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = last
	slices.SortStableFunc(fresh, func(a, b HourTime) int { return int(a.Hour - b.Hour) })
	for _, h := range fresh {
		i, there := s.find(h.Hour)
		if there {
			s.hours[i] = h
		} else {
			s.hours = slices.Insert(s.hours, i, h)
		}
	}
	return nil
}

func (s *Timesheet) find(hour int64) (int, bool) {
	return slices.BinarySearchFunc(s.hours, hour, func(h HourTime, hour int64) int { return int(h.Hour - hour) })
}

// Spent is how long units were in each grid in [from, to), in hours, all units
// together, and the part [since, until) of that window of which it is known:
// from the first hour in which anybody was anywhere up to now. The two are equal
// when nothing is known. An hour that the window cuts counts by the share of it that
// lies within.
func (s *Timesheet) Spent(from, to time.Time) (hours map[grid.ID]float64, since, until time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.now()
	since, until = from, to
	if until.After(now) {
		until = now
	}
	begun := slices.IndexFunc(s.hours, func(h HourTime) bool { return len(h.Grids) > 0 })
	if begun < 0 {
		return nil, from, from
	}
	if first := startOf(s.hours[begun].Hour); since.Before(first) {
		since = first
	}
	if !since.Before(until) {
		return nil, from, from
	}
	hours = make(map[grid.ID]float64)
	var sums []int64 // seconds in whole hours, by grid, for it is quicker than a map
	i, _ := s.find(hourOf(since.UnixMilli()))
	for ; i < len(s.hours) && startOf(s.hours[i].Hour).Before(until); i++ {
		h := &s.hours[i]
		share := shareOf(startOf(h.Hour), since, until, now)
		for _, g := range h.Grids {
			if share < 1 || g.Grid > maxSummed {
				hours[g.Grid] += share * float64(g.Seconds) / 3600
				continue
			}
			if int(g.Grid) >= len(sums) {
				sums = append(sums, make([]int64, int(g.Grid)+1-len(sums))...)
			}
			sums[g.Grid] += int64(g.Seconds)
		}
	}
	for id, seconds := range sums {
		if seconds > 0 {
			hours[grid.ID(id)] += float64(seconds) / 3600
		}
	}
	return hours, since, until
}

// maxSummed is the greatest ID that Spent has a place for.
const maxSummed = 1 << 20

// shareOf is how much of the hour from start on, or of what of it has passed by
// now, lies in [since, until).
func shareOf(start, since, until, now time.Time) float64 {
	end := start.Add(time.Hour)
	if end.After(now) {
		end = now
	}
	first, last := start, end
	if since.After(first) {
		first = since
	}
	if until.Before(last) {
		last = until
	}
	if !first.Before(last) {
		return 0
	}
	return float64(last.Sub(first)) / float64(end.Sub(start))
}
