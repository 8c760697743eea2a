package casework

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// Setting is what a district sets for its casework and changes over the years.
type Setting struct {
	Revision   int64        // counted up by every change
	Catalogues []*Catalogue // by number, from 1
	Calendar   string       // the table of days as ReadCalendar reads it; empty is none
	Standards  string       // the register as ReadStandards reads it; empty is the program's own
	Modes      Modes
	Precedents []Precedent
}

// SettingChange is what is added to a Setting; what is nil or empty stays.
type SettingChange struct {
	Catalogue *Catalogue // the next version
	Calendar  string     // the whole table, in the place of the last
	Standards string     // the same of the register
	Mode      *ModeChange
	Note      any // what it is about, for the audit
}

// Record is a case with its whole history.
type Record struct {
	Case    Case
	Entries []Entry
}

// Reporter is who reported a case. It is kept apart from the case, and only who
// deals with that may see it.
type Reporter struct {
	Name    string `json:"name,omitempty"`
	Contact string `json:"contact,omitempty"` // telephone, or another way to answer
}

// Change is what one action makes of a case, to be kept in one transaction.
type Change struct {
	Case      Case
	Entry     Entry
	Reporter  *Reporter // with the first entry
	Source    string    // with the first entry: what it is called in another system, or empty
	Number    string
	Precedent *Precedent // that the entry makes
	Key       SendKey    // of what made the entry: Conflict when it is there already
}

// Store keeps a Desk's cases and setting for good. All methods are safe for
// concurrent use, and so are several Desks, in several processes, on one Store.
type Store interface {
	// Setting is a consistent reading of all that is set; or, where that is still
	// revision known, the number alone: cheap, for looking often.
	Setting(ctx context.Context, known int64) (*Setting, error)
	// UpdateSetting lets f decide on the setting as it is and enters what f
	// returns, in one transaction that no other change runs beside. F may be
	// called again. Its error comes back as it is.
	UpdateSetting(ctx context.Context, f func(*Setting) (*SettingChange, error)) error
	// Find is what a Search asks for.
	Find(ctx context.Context, q Search) (*Found, error)
	// UpdateCase lets f decide on a case as it is and enters what f returns, in
	// one transaction. Case 0 is a new one, which f gets as a draft with its
	// ID. F may be called again; its error comes back as it is. It is NotFound
	// for a case that there is not, Conflict for a 12345 order or a SendKey
	// that is there already, and Invalid with the field "evidence" where the entry names a file
	// that was not sent, or that is another case's: naming a file makes it this
	// case's, in the same transaction.
	UpdateCase(ctx context.Context, id int64, f func(Case) (*Change, error)) error
	// Changes tells every case that was changed after change number after, as it
	// stands, in the order of Change and Case, and returns the last number.
	// Numbers grow in the order of commits, and all of a number are told or none.
	// A Kept and its Facts are good until f returns; Clone keeps them.
	Changes(ctx context.Context, after int64, f func(*Kept) error) (int64, error)
	// Standing tells the history of every case that may have been open at that
	// time, in the order of their numbers; those that were not are for the caller
	// to tell. F must not keep the slice's entries past its call.
	Standing(ctx context.Context, at time.Time, f func([]Entry) error) error
	// Reporter is who reported a case; the audit says who asked. NotFound says
	// that nobody gave a name.
	Reporter(ctx context.Context, id int64) (Reporter, error)
}

// DeskConfig is what a Desk works with beside its Store.
type DeskConfig struct {
	Indexes   *locate.Indexes
	Rules     Rules
	Standards *Register // until the district enters its own
	Hours     Hours
	Topics    []Topic          // what figures are broken down by beside the catalogue's own order
	Now       func() time.Time // nil is time.Now
	// Catalogue and Calendar are entered as the first when there is none.
	Catalogue *Catalogue
	Calendar  *WorkingCalendar
	// Watchers are told of every case there is while the desk is opened, by one
	// reading for all of them, and of each that changes after that while Follow
	// runs, as Watch has it.
	Watchers []func(*Kept)
	// Archive takes whole histories in; nil takes in none.
	Archive Archive
}

// Desk is where cases are opened, acted on, found and counted. It is safe for
// concurrent use.
type Desk struct {
	store Store
	cfg   DeskConfig
	set   atomic.Pointer[deskSetting]
	book  *Book
	queue *Queue
	feed  *feed

	mu     sync.Mutex // over what follows the store
	opened bool       // all cases were read
	first  int64      // change number that they were read up to
	seen   int64      // change number that book and queue have come to
}

// deskSetting is a Setting, made ready for use.
type deskSetting struct {
	revision   int64
	procedure  *Procedure
	precedents *Precedents
}

// OpenDesk reads the setting, begins it where there is none, and fills the
// book.
func OpenDesk(ctx context.Context, store Store, cfg DeskConfig) (*Desk, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := cfg.Rules.Check(); err != nil {
		return nil, err
	}
	d := &Desk{store: store, cfg: cfg, book: NewBook(), queue: newQueue(), feed: newFeed()}
	if err := d.begin(ctx); err != nil {
		return nil, err
	}
	return d, d.Reload(ctx)
}

// begin enters the first catalogue and calendar.
func (d *Desk) begin(ctx context.Context) error {
	s, err := d.store.Setting(ctx, noRevision)
	if err != nil || len(s.Catalogues) > 0 && s.Calendar != "" {
		return err
	}
	err = d.store.UpdateSetting(ctx, func(s *Setting) (*SettingChange, error) {
		c := &SettingChange{Note: "first start"}
		if len(s.Catalogues) == 0 && d.cfg.Catalogue != nil {
			c.Catalogue = d.cfg.Catalogue.Numbered(1, time.Time{})
		}
		if s.Calendar == "" && d.cfg.Calendar != nil {
			text, err := daysText(d.cfg.Calendar)
			if err != nil {
				return nil, err
			}
			c.Calendar = text
		}
		if c.Catalogue == nil && c.Calendar == "" {
			return nil, errNothingToDo
		}
		return c, nil
	})
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return err
}

// noRevision is none that a Setting has.
const noRevision = -1

var errNothingToDo = errors.New("nothing to do")

func daysText(c *WorkingCalendar) (string, error) {
	var b strings.Builder
	err := c.WriteDays(&b)
	return b.String(), err
}

// Reload brings setting and book up to the store's.
func (d *Desk) Reload(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := int64(noRevision)
	if old := d.set.Load(); old != nil {
		known = old.revision
	}
	s, err := d.store.Setting(ctx, known)
	if err != nil {
		return err
	}
	if s.Revision != known {
		ready, err := d.ready(s)
		if err != nil {
			return err
		}
		d.set.Store(ready)
	}
	return d.catchUp(ctx)
}

// catchUp has book and queue follow the store, and those who watch. The caller
// holds mu.
func (d *Desk) catchUp(ctx context.Context) error {
	if !d.opened {
		return d.readAll(ctx)
	}
	fresh := batch{after: d.seen}
	last, err := d.store.Changes(ctx, d.seen, func(k *Kept) error {
		d.book.PutFacts(k.Case, k.Facts)
		kept := k.Clone()
		d.queue.put(kept)
		fresh.add(kept)
		return nil
	})
	if err != nil || last == d.seen {
		return err
	}
	d.seen, fresh.last = last, last
	d.feed.add(fresh)
	return nil
}

// readAll tells book, queue and watchers of every case there is.
func (d *Desk) readAll(ctx context.Context) error {
	last, err := d.store.Changes(ctx, 0, func(k *Kept) error {
		d.book.PutFacts(k.Case, k.Facts)
		if k.Queued() {
			d.queue.put(k.Clone())
		}
		k.Facts = nil
		for _, tell := range d.cfg.Watchers {
			tell(k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.opened, d.first, d.seen = true, last, last
	d.feed.add(batch{last: last})
	return nil
}

// Follow reloads every second, since another process may have changed what is
// kept, and tells the Watchers of what changes, until ctx ends. What goes wrong
// is told to failed.
func (d *Desk) Follow(ctx context.Context, failed func(error)) {
	var watchers sync.WaitGroup
	defer watchers.Wait()
	for _, tell := range d.cfg.Watchers {
		watchers.Go(func() { d.watch(ctx, d.first, tell) })
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := d.Reload(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		}
	}
}

func (d *Desk) ready(s *Setting) (*deskSetting, error) {
	editions, err := NewEditions(s.Catalogues...)
	if err != nil {
		return nil, err
	}
	days := s.Calendar
	if days == "" {
		days = "date,kind,name\n"
	}
	calendar, err := ReadCalendar(strings.NewReader(days), d.cfg.Hours)
	if err != nil {
		return nil, err
	}
	standards := d.cfg.Standards
	if s.Standards != "" {
		if standards, err = ReadStandards(strings.NewReader(s.Standards)); err != nil {
			return nil, err
		}
	}
	return &deskSetting{s.Revision,
		&Procedure{Catalogues: editions, Calendar: calendar, Rules: d.cfg.Rules, Standards: standards, Modes: s.Modes},
		NewPrecedents(s.Precedents)}, nil
}

// Procedure is what decides now.
func (d *Desk) Procedure() *Procedure { return d.set.Load().procedure }

// Figures are the book's, by the desk's topics.
func (d *Desk) Figures(q Query) (*Figures, error) {
	q.Topics = d.cfg.Topics
	return d.book.Figures(q)
}

// Topics are the topics that figures are broken down by.
func (d *Desk) Topics() []Topic { return d.cfg.Topics }

// CasesOf are the cases behind a figure, as Book.Cases has them.
func (d *Desk) CasesOf(q Query, indicator string, numerator bool) ([]int64, error) {
	return d.book.Cases(q, indicator, numerator)
}

// Find is what is kept.
func (d *Desk) Find(ctx context.Context, q Search) (*Found, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if q.IDs == nil && q.inMemory() {
		return d.findInMemory(ctx, &q)
	}
	return d.store.Find(ctx, q)
}

// findInMemory has the queue say which cases they are. The first page begins
// with those of which the words are the number, whatever else is asked for.
func (d *Desk) findInMemory(ctx context.Context, q *Search) (*Found, error) {
	numbered := []Record{}
	if q.Words != "" && q.After == (Cursor{}) {
		var err error
		if numbered, err = d.numbered(ctx, strings.TrimSpace(q.Words)); err != nil {
			return nil, err
		}
	}
	if q.Closed && q.Owed == "" {
		if len(numbered) == 0 && q.After == (Cursor{}) {
			return nil, fault.InvalidField("q", "what is closed is found by its number, not by words")
		}
		return &Found{Records: numbered}, nil
	}
	kept := d.queue.find(q)
	if q.Count {
		return &Found{Counts: count(kept, q)}, nil
	}
	limit := cmp.Or(q.Limit, MostFound)
	more := len(kept) > limit
	var ids []int64
	for _, k := range kept[:min(len(kept), limit)] {
		if !slices.ContainsFunc(numbered, func(r Record) bool { return r.Case.ID == k.Case }) {
			ids = append(ids, k.Case)
		}
	}
	if len(ids) == 0 {
		return &Found{Records: numbered, More: more}, nil
	}
	found, err := d.store.Find(ctx, Search{IDs: ids})
	if err != nil {
		return nil, err
	}
	return &Found{Records: append(numbered, found.Records...), More: more}, nil
}

// numbered are the case and the 12345 order of that number.
func (d *Desk) numbered(ctx context.Context, number string) ([]Record, error) {
	out := []Record{}
	if id, err := strconv.ParseInt(number, 10, 64); err == nil && id > 0 {
		found, err := d.store.Find(ctx, Search{IDs: []int64{id}})
		if err != nil {
			return nil, err
		}
		out = append(out, found.Records...)
	}
	found, err := d.store.Find(ctx, Search{Order: number, Limit: 1})
	if err != nil {
		return nil, err
	}
	return append(out, found.Records...), nil
}

// count is how many of kept stand in which state under which overlays.
func count(kept []*Kept, q *Search) []Count {
	type stand struct {
		State
		Overlay
	}
	at := map[stand]int{}
	var out []Count
	now, soon := q.AsOf.UnixMilli(), q.AsOf.Add(q.Within).UnixMilli()
	for _, k := range kept {
		s := stand{k.State, k.Overlays}
		i, ok := at[s]
		if !ok {
			i = len(out)
			at[s], out = i, append(out, Count{State: k.State, Overlays: k.Overlays})
		}
		out[i].N++
		switch {
		case k.Due < now:
			out[i].Overdue++
		case k.Due < soon:
			out[i].Near++
		}
	}
	return out
}

// Index are all cases that q asks for, of what is open, owes a review or an
// answer, in the order in which they are due, and the number of the last change
// that they take in. They are the desk's: nobody changes them.
func (d *Desk) Index(q Search) ([]*Kept, int64, error) {
	if err := q.Check(); err != nil {
		return nil, 0, err
	}
	if q.Closed && q.Owed == "" {
		return nil, 0, fault.InvalidField("closed", "the index is of what is open")
	}
	revision := d.Revision()
	return d.queue.find(&q), revision, nil
}

// Answered are the cases whose 12345 order was finished in [from, to), in order.
func (d *Desk) Answered(from, to time.Time) []int64 { return d.book.Answered(from, to) }

// Queued is all that is still to be done, as Index has it.
func (d *Desk) Queued() []*Kept { return d.queue.all() }

// Revision is the number of the last change that the desk has read.
func (d *Desk) Revision() int64 { return d.feed.number() }

// Case is one case with its history, or NotFound.
func (d *Desk) Case(ctx context.Context, id int64) (*Record, error) {
	found, err := d.store.Find(ctx, Search{IDs: []int64{id}})
	if err != nil {
		return nil, err
	}
	if len(found.Records) == 0 {
		return nil, fault.New(fault.NotFound, "there is no case %d", id)
	}
	return &found.Records[0], nil
}

// Reporter is who reported a case, for one who deals with it as one of who;
// Denied for others.
func (d *Desk) Reporter(ctx context.Context, id int64, who []Actor) (Reporter, error) {
	f, err := d.Case(ctx, id)
	if err != nil {
		return Reporter{}, err
	}
	for _, w := range who {
		if f.Case.Handles(w) {
			return d.store.Reporter(ctx, id)
		}
	}
	return Reporter{}, fault.New(fault.Denied, "who reported case %d is told to those who deal with it", id)
}

// explain asks to whom an item at a place goes, by the borders in force when
// it was captured.
func (d *Desk) explain(s *deskSetting, item string, p *Position, answer grid.ID, captured, now time.Time) (Outcome, error) {
	x, err := d.index(captured)
	if err != nil {
		return Outcome{}, err
	}
	catalogue, err := s.procedure.Catalogues.At(now)
	if err != nil {
		return Outcome{}, err
	}
	return Explain(Inquiry{Index: x, At: p.At, AccuracyM: p.AccuracyM, Catalogue: catalogue, Item: item,
		Precedents: s.precedents, PrecedentM: s.procedure.Rules.PrecedentM, Answer: answer})
}

func (d *Desk) index(at time.Time) (*locate.Index, error) {
	x := d.cfg.Indexes.At(at.UnixMilli())
	if x == nil {
		return nil, fault.InvalidField("captured", "no boundaries were in force at %s", at.Format(time.RFC3339))
	}
	return x, nil
}

// Position is where somebody says that a case is.
type Position struct {
	At        orb.Point `json:"at"` // WGS-84 degrees
	AccuracyM float64   `json:"accuracy_m,omitempty"`
	Address   string    `json:"address,omitempty"`
}

// place is where a position lies. It is Invalid outside the district.
func (d *Desk) place(p *Position, captured time.Time) (Place, error) {
	x, err := d.index(captured)
	if err != nil {
		return Place{}, err
	}
	place := PlaceAt(x, p.At, p.AccuracyM, p.Address)
	if place.Grid == grid.None {
		near, m := x.Nearest(p.At)
		g, _ := x.Generation().Grid(near)
		return Place{}, fault.InvalidField("position", "outside the district, %.0f m from grid %s", m, g.Code)
	}
	return place, nil
}
