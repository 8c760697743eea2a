package live

import (
	"cmp"
	"context"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

const (
	// MaxReplay is the longest span that one replay shows.
	MaxReplay = 24 * time.Hour
	// MaxSpeed is the greatest speed of a replay, beside as fast as it goes.
	MaxSpeed = 60
	// MaxStep is the longest from frame to frame of a replay.
	MaxStep = time.Minute
	// framesPerSecond is how many frames a replay has at most, unless a step is
	// asked for.
	framesPerSecond = 4
	// lookBack is how long before its beginning a replay looks for where units
	// were, and since when grids are counted as swept.
	lookBack = 15 * time.Minute
	// warmUp is how much of that is run through anew, for whoever is about to
	// cross a border.
	warmUp = time.Minute
	// recallFor is how far back it looks for crossings: as long as the longest
	// time that a grid is owed a visit.
	recallFor = 8 * time.Hour
	// fetchFor is how much of the past is read at a time.
	fetchFor = 2 * time.Minute
)

// Past is what was kept of the past; patrol.Tracks has it.
type Past interface {
	Fixes(ctx context.Context, unit patrol.UnitID, from, to time.Time, f func([]patrol.Fix) error) error
	Events(ctx context.Context, q patrol.EventQuery, f func(patrol.Event) error) error
}

// ReplayConfig says what a Replay shows.
type ReplayConfig struct {
	Past     Past
	Staff    *patrol.Staff
	Bounds   patrol.Boundaries
	Settings patrol.Settings
	Scope    Scope
	From, To time.Time
	// Speed is how many times as fast as it was, up to MaxSpeed; 0 is as fast
	// as it is read.
	Speed float64
	// Step is from frame to frame, up to MaxStep; 0 is such that there are few
	// frames a second.
	Step time.Duration
	// Last is the id of the last frame that the reader had; the replay goes on
	// from its moment, if it is one of this replay's.
	Last string
}

// Replay makes frames of the past, in the form of a Hub's and by the same
// code. It is for one goroutine.
type Replay struct {
	cfg     ReplayConfig
	epoch   string
	origin  geo.Coord
	tracker *patrol.Tracker
	look    func(time.Time) Picture

	at      time.Time // of the latest frame
	latest  *moment   // nil before the first
	began   time.Time // by our clock, when the first was due: at was from then
	from    time.Time
	read    []patrol.Fix // of the last fetchFor, in order of time
	ahead   []patrol.Fix // what of read is not fed yet
	fetched time.Time    // up to then
	over    bool
}

// NewReplay is Invalid when cfg's span, speed or step are.
func NewReplay(cfg ReplayConfig) (*Replay, error) {
	switch {
	case !cfg.From.Before(cfg.To):
		return nil, fault.InvalidField("to", "must be after from")
	case cfg.To.Sub(cfg.From) > MaxReplay:
		return nil, fault.InvalidField("to", "is %s after from; a replay shows at most %s", cfg.To.Sub(cfg.From), MaxReplay)
	case !(cfg.Speed == 0 || cfg.Speed >= 1 && cfg.Speed <= MaxSpeed):
		return nil, fault.InvalidField("speed", "%g is neither 0 nor from 1 to %d", cfg.Speed, MaxSpeed)
	case cfg.Step < 0 || cfg.Step > MaxStep || cfg.Step%time.Second != 0:
		return nil, fault.InvalidField("step", "%s is not from 1 to %d seconds", cfg.Step, MaxStep/time.Second)
	}
	if cfg.Step == 0 {
		cfg.Step = max(1, time.Duration(math.Ceil(cfg.Speed/framesPerSecond))) * time.Second
	}
	r := &Replay{cfg: cfg, at: cfg.From, tracker: patrol.NewReplay(cfg.Staff, cfg.Bounds, cfg.Settings)}
	inForce := func(t time.Time) *grid.Generation {
		if x := cfg.Bounds.At(t.UnixMilli()); x != nil {
			return x.Generation()
		}
		return nil
	}
	r.origin = OriginOf(inForce(cfg.From))
	r.look = looker(func() *patrol.Staff { return cfg.Staff }, r.tracker, inForce)
	sum := fnv.New64a()
	for _, v := range []string{cfg.Scope.Street, strconv.FormatUint(uint64(cfg.Scope.Grid), 10), cfg.From.UTC().String(), cfg.To.UTC().String()} {
		_, _ = sum.Write([]byte(v + "\x00")) // never fails
	}
	r.epoch = "past" + strconv.FormatUint(sum.Sum64(), 36)
	if ms, ok := sequenceOf(cfg.Last, r.epoch); ok && ms <= math.MaxInt64 {
		if at := time.UnixMilli(int64(ms)); at.After(cfg.From) {
			r.at, r.over = at, !at.Before(cfg.To)
		}
	}
	return r, nil
}

// Over reports whether the reader that came back had everything.
func (r *Replay) Over() bool { return r.over }

// Next waits until the next frame is due and returns it; none after patience.
// After the last, which is an end, the error is io.EOF; otherwise ctx's, or
// Unavailable.
func (r *Replay) Next(ctx context.Context, patience time.Duration) ([]*Frame, error) {
	switch {
	case r.over:
		return nil, io.EOF
	case r.latest == nil:
		return r.begin(ctx)
	case !r.at.Before(r.cfg.To):
		r.over = true
		return []*Frame{NewNote("id: " + r.epoch + "-" + strconv.FormatInt(r.at.UnixMilli(), 10) + "\nevent: end\ndata: {}\n\n")}, nil
	}
	next := r.at.Add(r.cfg.Step)
	if next.After(r.cfg.To) {
		next = r.cfg.To
	}
	if err := r.feed(ctx, next); err != nil {
		return nil, err
	}
	if due, err := r.wait(ctx, next, patience); !due {
		return nil, err
	}
	return r.advance(next), nil
}

// wait waits until the frame of next is due, or for patience.
func (r *Replay) wait(ctx context.Context, next time.Time, patience time.Duration) (due bool, err error) {
	left := time.Duration(0)
	if r.cfg.Speed > 0 {
		left = time.Until(r.began.Add(time.Duration(float64(next.Sub(r.from)) / r.cfg.Speed)))
	}
	if left <= 0 {
		return true, ctx.Err()
	}
	t := time.NewTimer(min(left, patience))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-t.C:
		return left <= patience, nil
	}
}

// begin shows where everyone was.
func (r *Replay) begin(ctx context.Context) ([]*Frame, error) {
	last := make(map[patrol.UnitID]patrol.Fix)
	reading, ctx := errgroup.WithContext(ctx)
	reading.Go(func() error { return r.recall(ctx) })
	reading.Go(func() error { return r.findLast(ctx, last) })
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	for _, f := range last {
		r.tracker.Feed([]patrol.Fix{f})
	}
	r.sort()
	r.tracker.Feed(r.read)
	frames := r.advance(r.at)
	r.began, r.from, r.fetched = time.Now(), r.at, r.at
	return frames, nil
}

// recall tells the tracker who crossed where before: of which the last fix of
// the evidence was before, since a crossing is dated at the first.
func (r *Replay) recall(ctx context.Context) error {
	q := patrol.EventQuery{Kinds: []patrol.EventKind{patrol.Crossed}, From: r.at.Add(-recallFor), To: r.at}
	return r.cfg.Past.Events(ctx, q, func(e patrol.Event) error {
		if n := len(e.Evidence); n == 0 || e.Evidence[n-1].At < r.at.UnixMilli() {
			r.tracker.Recall(&e)
		}
		return nil
	})
}

// findLast finds the last fix of everyone and reads, of the last minute, all: a
// tracker that is fed the whole of lookBack comes to the same, but later.
func (r *Replay) findLast(ctx context.Context, last map[patrol.UnitID]patrol.Fix) error {
	warm := r.at.Add(-warmUp).UnixMilli()
	return r.cfg.Past.Fixes(ctx, 0, r.at.Add(-lookBack), r.at, func(fixes []patrol.Fix) error {
		for i := range fixes {
			f := &fixes[i]
			if f.At >= warm {
				r.read = append(r.read, *f)
			} else if f.At > last[f.Unit].At {
				last[f.Unit] = *f
			}
		}
		return nil
	})
}

func (r *Replay) sort() {
	slices.SortFunc(r.read, func(a, b patrol.Fix) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Unit, b.Unit)) })
}

// feed tells the tracker of the fixes before next.
func (r *Replay) feed(ctx context.Context, next time.Time) error {
	for r.fetched.Before(next) {
		r.tracker.Feed(r.ahead) // all are before fetched
		if err := r.fetch(ctx); err != nil {
			return err
		}
	}
	n, _ := slices.BinarySearchFunc(r.ahead, next.UnixMilli(), func(f patrol.Fix, ms int64) int { return cmp.Compare(f.At, ms) })
	r.tracker.Feed(r.ahead[:n])
	r.ahead = r.ahead[n:]
	return nil
}

// fetch reads the fixes that come after those read.
func (r *Replay) fetch(ctx context.Context) error {
	to := r.fetched.Add(fetchFor)
	if to.After(r.cfg.To) {
		to = r.cfg.To
	}
	r.read, r.ahead = r.read[:0], nil
	err := r.cfg.Past.Fixes(ctx, 0, r.fetched, to, func(fixes []patrol.Fix) error {
		r.read = append(r.read, fixes...)
		return nil
	})
	if err != nil {
		return err
	}
	r.sort()
	r.ahead, r.fetched = r.read, to
	return nil
}

// advance goes on to the moment at, and says what changed.
func (r *Replay) advance(at time.Time) []*Frame {
	before := r.latest
	p := r.look(at)
	now := newMoment(&p, at, r.origin, before)
	r.latest, r.at = now, at
	seq := uint64(at.UnixMilli())
	return []*Frame{newFrame(seq, func() []byte {
		if before == nil {
			return now.snap(r.cfg.Scope, r.origin).event("snap", r.epoch, seq)
		}
		return compare(before, now).encode(r.cfg.Scope, r.origin, r.epoch, seq)
	})}
}
