package main

import (
	"container/heap"
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/evidence"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/store"
)

// The demonstration's cases of now.
const (
	// standingFor is how far back the cases of now begin: long enough that as
	// many stand open as on any working day.
	standingFor = 45 * 24 * time.Hour
	// deedPause keeps those that catch up from all acting at once.
	deedPause = 5 * time.Millisecond
	// awayFor is how long it waits for a database that is away.
	awayFor = 10 * time.Second
)

// demoCases are the demonstration's cases inside the service: those of the
// published year and the year before it, and those of now, which go on as their
// patrols, centres and departments act on them.
type demoCases struct {
	store *store.Store
	desk  *casework.Desk
	gen   *grid.Generation
	staff *demo.Staff
	files *evidence.Shelf
	log   *slog.Logger
	now   func() time.Time
	alive bool          // the cases of now go on
	since time.Duration // how far back those begin

	photo   []byte
	current *demo.Cases // the year of now
	next    int         // the first of them that has not come in yet
	deeds   deeds
}

// startCases loads the demonstration's cases and has those of now go on when
// they are to live, until ctx ends.
func startCases(ctx context.Context, w works, alive bool) {
	gen, ok := w.atlas.Current()
	if !ok {
		w.log.Info("no cases are loaded: no boundaries are in force")
		return
	}
	d := &demoCases{store: w.store, desk: w.desk, gen: gen, files: w.files, log: w.log, now: time.Now, alive: alive, since: standingFor}
	d.run(ctx)
}

// run loads what is not there yet, and then lives, until ctx ends. What it
// cannot do is logged and no reason for the service to stop.
func (d *demoCases) run(ctx context.Context) {
	if err := d.load(ctx); err != nil {
		if ctx.Err() == nil {
			d.log.Error("the demonstration's cases could not be loaded", "error", err.Error())
		}
		return
	}
	for d.alive && ctx.Err() == nil {
		wait, err := d.step(ctx)
		if errors.Is(err, errAway) {
			wait, err = awayFor, nil
		}
		if err != nil && ctx.Err() == nil {
			d.log.Error("the demonstration's cases have stopped", "error", err.Error())
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (d *demoCases) options() demo.CaseOptions {
	return demo.CaseOptions{Index: locate.New(d.gen), Procedure: d.desk.Procedure(), Staff: d.staff}
}

// load enters the cases of now, then the published year, then the year before.
func (d *demoCases) load(ctx context.Context) error {
	var err error
	if d.staff == nil {
		if d.staff, err = demo.Patrols(d.gen, demoSeed, 0); err != nil {
			return err
		}
	}
	if d.photo, err = demo.SmallPhoto(); err != nil {
		return err
	}
	now := d.now().In(grid.Zone)
	if now.Year() > demo.FirstYear {
		if err := d.turn(ctx, now); err != nil {
			return err
		}
	}
	for _, before := range []bool{false, true} {
		opt := d.options()
		opt.Before = before
		c, err := demo.NewCases(opt)
		if err != nil {
			return err
		}
		if err := d.loadYear(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// batchesOf are cases [from, to) of c, in batches that each makes.
func batchesOf(from, to int, batch func(from, to int) []casework.Loading) iter.Seq2[casework.Batch, error] {
	const some = 1000
	return func(yield func(casework.Batch, error) bool) {
		for at := from; at < to; at += some { // another at for every batch
			if !yield(func() []casework.Loading { return batch(at, min(to, at+some)) }, nil) {
				return
			}
		}
	}
}

// loadYear enters all cases of c that are not there yet. They come in order,
// so that a load that was cut short goes on where it ended.
func (d *demoCases) loadYear(ctx context.Context, c *demo.Cases) error {
	there, err := d.store.Cases().Loaded(ctx, c.Source())
	if err != nil || there >= c.Len() {
		return err
	}
	began, last, done := d.now(), d.now(), there
	d.log.Info("loading the demonstration's cases", "source", c.Source(), "cases", c.Len()-there)
	failed := make(chan error, 1)
	err = d.store.Cases().Load(ctx, batchesOf(there, c.Len(), func(from, to int) (out []casework.Loading) {
		for h, err := range c.Part(from, to) {
			if err != nil {
				tryTell(failed, err)
				return nil
			}
			out = append(out, c.Loading(&h))
		}
		return out
	}), func(all []casework.Landing) {
		done += len(all)
		if at := d.now(); at.Sub(last) >= toldEvery {
			last = at
			d.log.Info("loading the demonstration's cases", "source", c.Source(), "done", done, "of", c.Len())
		}
	})
	if err = errors.Join(err, told(failed)); err == nil {
		d.log.Info("loaded the demonstration's cases", "source", c.Source(), "cases", done-there, "took", d.now().Sub(began).Round(100*time.Millisecond))
	}
	return err
}

// turn begins the year of now: it enters what has come in since standingFor,
// as it stands, and takes on those that are there already.
func (d *demoCases) turn(ctx context.Context, now time.Time) error {
	opt := d.options()
	opt.Year, opt.Slow = now.Year(), true
	c, err := demo.NewCases(opt)
	if err != nil {
		return err
	}
	d.current, d.next = c, c.Since(now)
	d.deeds = nil
	failed := make(chan error, 1)
	var landed []casework.Landing
	err = d.store.Cases().Load(ctx, batchesOf(c.Since(now.Add(-d.since)), d.next, func(from, to int) (out []casework.Loading) {
		for h, err := range c.Part(from, to) {
			if err == nil {
				h, _, err = h.Until(now)
			}
			if err != nil {
				tryTell(failed, err)
				return nil
			}
			out = append(out, c.Loading(&h))
		}
		return out
	}), func(all []casework.Landing) { landed = append(landed, all...) })
	if err = errors.Join(err, told(failed)); err != nil || !d.alive {
		return err
	}
	if err := d.desk.Reload(ctx); err != nil {
		return err
	}
	open, err := d.standing(ctx)
	if err != nil {
		return err
	}
	for _, l := range landed {
		seq, ok := open[l.Case]
		if l.Err != nil || !ok {
			continue
		}
		for h, err := range c.Part(l.Line-1, l.Line) {
			if err != nil {
				return err
			}
			d.goOn(&deed{id: l.Case, seq: seq}, h.Entries)
		}
	}
	d.log.Info("the demonstration's cases of now", "since", now.Add(-d.since).Format(time.DateOnly), "cases", len(landed), "open", len(open), "to go on", len(d.deeds))
	return nil
}

// standing are all open cases with how many entries their histories have.
func (d *demoCases) standing(ctx context.Context) (map[int64]int, error) {
	open := map[int64]int{}
	for q := (casework.Search{}); ; {
		found, err := d.desk.Find(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range found.Records {
			c := &found.Records[i].Case
			open[c.ID], q.After = c.Seq, casework.CursorOf(c)
		}
		if !found.More {
			return open, nil
		}
	}
}

// goOn puts the next entry of a case among the deeds to come.
func (d *demoCases) goOn(on *deed, entries []casework.Entry) {
	if on.seq >= len(entries) {
		return
	}
	on.rest = entries[on.seq:]
	heap.Push(&d.deeds, on)
}

// step does what is due now, and says when to come again.
func (d *demoCases) step(ctx context.Context) (time.Duration, error) {
	if d.current == nil {
		return time.Hour, nil
	}
	now := d.now()
	if now.In(grid.Zone).Year() != d.current.Year() {
		return 0, d.turn(ctx, now.In(grid.Zone))
	}
	for d.next < d.current.Since(now) && ctx.Err() == nil {
		if err := d.open(ctx); err != nil {
			return 0, err
		}
	}
	for len(d.deeds) > 0 && !d.deeds[0].rest[0].At.After(now) && ctx.Err() == nil {
		on := heap.Pop(&d.deeds).(*deed)
		if err := d.act(ctx, on); err != nil {
			return 0, err
		}
	}
	return time.Second, ctx.Err()
}

// open has the next case come in, as who found it reports it.
func (d *demoCases) open(ctx context.Context) error {
	place := d.next
	for h, err := range d.current.Part(place, place+1) {
		if err != nil {
			return err
		}
		e, l := &h.Entries[0], d.current.Loading(&h)
		photos, err := d.evidence(ctx, e)
		if err != nil {
			return err
		}
		at := e.Input.Place
		out, err := d.desk.Open(ctx, casework.Arrival{By: []casework.Actor{e.By}, Intake: *e.Input.Intake, Item: e.Input.Item, Answer: at.Grid, Evidence: photos,
			Position: &casework.Position{At: at.At, AccuracyM: at.AccuracyM, Address: at.Address}, Reporter: h.Reporter, Source: l.Source, Number: l.Number})
		err = d.usual(err)
		if err == nil {
			d.next++
		}
		if err != nil || out == nil {
			return err
		}
		d.goOn(&deed{id: out.Case.ID, seq: out.Case.Seq}, h.Entries)
	}
	return nil
}

// act takes the next action on a case. Where somebody else was faster, the case
// is theirs from then on.
func (d *demoCases) act(ctx context.Context, on *deed) error {
	e := &on.rest[0]
	in := e.Input
	var err error
	if in.Evidence, err = d.evidence(ctx, e); err != nil {
		return err
	}
	deed := casework.Deed{Case: on.id, Seq: on.seq, By: []casework.Actor{e.By}, Action: e.Action}
	if a := in.Assignment; a != nil {
		deed.Answer = a.Why.Grid
		if a.Why.Basis == casework.ByHand {
			deed.Lead, in.Text = a.Lead.Code, a.Why.Note
		}
		in.Assignment = nil
	}
	deed.Input = in
	r, err := d.desk.Act(ctx, deed)
	if fault.KindOf(err) == fault.Unavailable {
		heap.Push(&d.deeds, on) // tried again
	}
	if err := d.usual(err); err != nil || r == nil {
		return err
	}
	on.seq, on.rest = r.Case.Seq, on.rest[1:]
	if len(on.rest) > 0 {
		heap.Push(&d.deeds, on)
	}
	time.Sleep(deedPause)
	return nil
}

// errAway says that the database is away: what is due is done later.
var errAway = errors.New("the database is away")

// usual is nil for what may happen where people work on the same cases, and
// where borders, catalogue or rules were changed since the case was made up.
func (d *demoCases) usual(err error) error {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.Denied, fault.Invalid, fault.NotFound:
		d.log.Debug("the demonstration leaves a case to others", "why", err.Error())
		return nil
	case fault.Unavailable:
		return errAway
	}
	return err
}

// tryTell keeps the first error of several goroutines for told.
func tryTell(to chan error, err error) {
	select {
	case to <- err:
	default:
	}
}

func told(failed chan error) error {
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// evidence are photos of the demonstration's own, sent as everybody's are, as
// many as e has.
func (d *demoCases) evidence(ctx context.Context, e *casework.Entry) (names []string, err error) {
	for range e.Input.Evidence {
		f, _, err := d.files.Keep(ctx, "demonstration", d.photo)
		if err != nil {
			return nil, err
		}
		names = append(names, f.Name)
	}
	return names, nil
}

// deed is what is still to happen to a case.
type deed struct {
	id   int64
	seq  int
	rest []casework.Entry
}

// deeds are a heap by when the next one is.
type deeds []*deed

func (d deeds) Len() int           { return len(d) }
func (d deeds) Less(i, j int) bool { return d[i].rest[0].At.Before(d[j].rest[0].At) }
func (d deeds) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deeds) Push(x any)        { *d = append(*d, x.(*deed)) }
func (d *deeds) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}
