package casework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// InspectionChange is what one step makes of an inspection and, with it, of a
// case, to be kept in one transaction.
type InspectionChange struct {
	Inspection Inspection // after Entry
	Entry      InspectionEntry
	Case       *Change // what follows a finding
}

// InspectionSearch asks for inspections, the newest first. What is set of
// Street, Grid and Department keeps to items there, to inspections that have
// any, and to those that are of that street or grid or are finished.
type InspectionSearch struct {
	State      InspectionState
	Kind       InspectionKind
	Inspector  string // login: given to him, or to nobody by name
	Finished   bool   // finished ones alone
	Street     string
	Grid       string
	Department string
	Before     int64 // ID; 0 is from the newest
	Limit      int
}

// InspectionHead is an inspection in a list, with its items counted as far as
// the search keeps to them.
type InspectionHead struct {
	ID         int64           `json:"id"`
	State      InspectionState `json:"state"`
	Plan       Plan            `json:"plan"` // without Places
	Population int             `json:"population"`
	Ordered    time.Time       `json:"ordered"`
	By         string          `json:"by"`
	Finished   time.Time       `json:"finished,omitzero"`
	Inspectors []string        `json:"inspectors,omitempty"`

	Items    int `json:"items"`
	Checked  int `json:"checked"`
	Findings int `json:"findings"` // items with any
}

// Head is in as a list has it, without the counts.
func (in *Inspection) Head() InspectionHead {
	first, last := in.Ordered(), &in.Entries[len(in.Entries)-1]
	h := InspectionHead{ID: in.ID, State: in.State, Plan: in.Plan, Population: in.Drawing.Population, Ordered: first.At, By: first.By.ID, Inspectors: in.Inspectors}
	h.Plan.Places = nil
	for _, e := range slices.Backward(in.Entries) {
		if last = &e; e.Action == FinishInspection {
			h.Finished = last.At
			break
		}
	}
	return h
}

// InspectionStore keeps inspections for good. All methods are safe for
// concurrent use.
type InspectionStore interface {
	// Received calls f with every case that came in in [from, to), in order of
	// IDs.
	Received(ctx context.Context, from, to time.Time, f func(*Record) error) error
	// UpdateInspection lets f decide on an inspection as it is, and on cases
	// with it, and enters both in one transaction. Inspection 0 is a new one,
	// which f gets with its ID alone. About names the case that f gets beside
	// it, 0 for none; with it f gets the draft of a new case, too. Without about
	// there are no cases. F may be called again; its error comes back as it is.
	UpdateInspection(ctx context.Context, id int64, about func(*Inspection) (int64, error), f func(in Inspection, c *Record, draft Case) (*InspectionChange, error)) error
	// Inspection is one, or NotFound.
	Inspection(ctx context.Context, id int64) (Inspection, error)
	// Inspections are what q asks for.
	Inspections(ctx context.Context, q InspectionSearch) ([]InspectionHead, error)
	// WatchList are the cases on the watch list, open and closed, by when they
	// are looked at again: up to limit of street and grid, where these are set.
	WatchList(ctx context.Context, street, grid string, limit int) ([]Case, error)
}

// Inspectorate orders inspections, draws them, and enters what they find. It
// is safe for concurrent use.
type Inspectorate struct {
	desk  *Desk
	store InspectionStore
}

// NewInspectorate inspects the cases of desk.
func NewInspectorate(desk *Desk, store InspectionStore) *Inspectorate {
	return &Inspectorate{desk, store}
}

// drawn is a population, and what the items of a sample of it are.
type drawn struct {
	generation int
	ids        []int64
	cases      map[int64]*Case // FromReceived
}

// population is all that scope holds as of that time, in order: the same
// whenever it is asked.
func (o *Inspectorate) population(ctx context.Context, s *Scope, asOf time.Time) (*drawn, error) {
	out := &drawn{}
	switch s.Source {
	case FromClosed:
		o.desk.kept(ctx)
		out.ids = o.desk.book.ClosedIn(s.Filter, s.From, s.To, asOf)
	case FromReceived:
		out.cases = map[int64]*Case{}
		to := s.To
		if after := asOf.Add(time.Millisecond); after.Before(to) {
			to = after
		}
		err := o.store.Received(ctx, s.From, to, func(r *Record) error {
			if c, ok := r.AsOf(asOf); ok && s.Holds(&c) {
				out.ids = append(out.ids, c.ID)
				out.cases[c.ID] = &c
			}
			return nil
		})
		return out, err
	case FromGrids:
		x, err := o.desk.index(asOf)
		if err != nil {
			return nil, err
		}
		g := x.Generation()
		out.generation = g.Number()
		for _, one := range g.Grids() {
			if (s.Street == "" || s.Street == one.Street) && (s.Grid == "" || s.Grid == one.Code) {
				out.ids = append(out.ids, int64(one.ID))
			}
		}
		slices.Sort(out.ids)
	}
	return out, nil
}

// asOf is when a population is looked at: at once, or earlier.
func (o *Inspectorate) asOf(asked time.Time) (time.Time, error) {
	latest := o.desk.cfg.Now().Add(-SettledAfter)
	if asked.IsZero() {
		return instant(latest), nil
	}
	if asked.After(latest) {
		return asked, fault.InvalidField("as_of", "%s is not %s past: what was done then may still come in", asked.Format(time.RFC3339), SettledAfter)
	}
	return instant(asked), nil
}

// Preview is what a plan would draw from, without the sample: nobody tries
// seeds until he likes what comes.
func (o *Inspectorate) Preview(ctx context.Context, p Plan, asOf time.Time) (Drawing, error) {
	_, d, err := o.draw(ctx, &p, asOf)
	d.Sample = nil
	return d, err
}

func (o *Inspectorate) draw(ctx context.Context, p *Plan, asked time.Time) (*drawn, Drawing, error) {
	if err := p.Check(o.desk.cfg.Now()); err != nil {
		return nil, Drawing{}, err
	}
	asOf, err := o.asOf(asked)
	if err != nil {
		return nil, Drawing{}, err
	}
	if p.Scope.Source == FromNames {
		return &drawn{}, Drawing{AsOf: asOf, Population: len(p.Places)}, nil
	}
	all, err := o.population(ctx, &p.Scope, asOf)
	if err != nil {
		return nil, Drawing{}, err
	}
	return all, all.drawing(p, asOf), nil
}

func (all *drawn) drawing(p *Plan, asOf time.Time) Drawing {
	n := p.Size
	if n == 0 {
		n = min(len(all.ids), MostDrawn)
	}
	return Drawing{AsOf: asOf, Generation: all.generation, Population: len(all.ids), Hash: Digest(all.ids), Sample: Sample(p.Seed, n, all.ids)}
}

// Order draws what p asks for and enters it. It is Invalid for a plan that
// cannot be, and when there is nothing to draw from or, without a size, more
// than MostDrawn.
func (o *Inspectorate) Order(ctx context.Context, by Actor, p Plan, asOf time.Time) (Inspection, error) {
	all, d, err := o.draw(ctx, &p, asOf)
	if err != nil {
		return Inspection{}, err
	}
	switch {
	case d.Population == 0:
		return Inspection{}, fault.InvalidField("scope", "there is nothing to draw from")
	case p.Size == 0 && d.Population > MostDrawn:
		return Inspection{}, fault.InvalidField("size", "the scope holds %d, and one inspection %d at most: say how many to draw", d.Population, MostDrawn)
	}
	p.Scope.From, p.Scope.To, p.Due = instant(p.Scope.From), instant(p.Scope.To), instant(p.Due)
	items, err := o.items(ctx, &p, all, &d)
	if err != nil {
		return Inspection{}, err
	}
	return o.update(ctx, 0, func(in Inspection) (InspectionEntry, error) {
		return InspectionEntry{Seq: 1, By: by, Action: OrderInspection, Plan: &p, Drawing: &d, Items: items}, nil
	})
}

// update enters what f makes of an inspection, with no case.
func (o *Inspectorate) update(ctx context.Context, id int64, f func(Inspection) (InspectionEntry, error)) (out Inspection, err error) {
	err = o.store.UpdateInspection(ctx, id, nil, func(in Inspection, _ *Record, _ Case) (*InspectionChange, error) {
		e, err := f(in)
		if err != nil {
			return nil, err
		}
		ch, err := o.enter(in, e)
		if err == nil {
			out = ch.Inspection
		}
		return ch, err
	})
	return out, err
}

// enter is in after e, at this time and by the standard in force.
func (o *Inspectorate) enter(in Inspection, e InspectionEntry) (*InspectionChange, error) {
	e.At = instant(o.desk.cfg.Now())
	if n := len(in.Entries); n > 0 && e.At.Before(in.Entries[n-1].At) {
		e.At = in.Entries[n-1].At // another process's clock is a little ahead
	}
	if s, err := o.desk.Procedure().Standards.At(inspecting, e.At); err == nil {
		e.Standard = s.ref()
	}
	next, err := in.With(e)
	return &InspectionChange{Inspection: next, Entry: e}, err
}

// items are what was drawn, or named, as it stands at as-of.
func (o *Inspectorate) items(ctx context.Context, p *Plan, all *drawn, d *Drawing) ([]InspectionItem, error) {
	var out []InspectionItem
	add := func(i InspectionItem) { i.Number = len(out) + 1; out = append(out, i) }
	switch p.Scope.Source {
	case FromNames:
		x, err := o.desk.index(d.AsOf)
		if err != nil {
			return nil, err
		}
		d.Generation = x.Generation().Number()
		for i, spot := range p.Places {
			item, err := spot.item(x, &p.Scope)
			if err != nil {
				return nil, fault.InvalidField("places", "%d: %w", i+1, err)
			}
			add(item)
		}
	case FromGrids:
		x, err := o.desk.index(d.AsOf)
		if err != nil {
			return nil, err
		}
		for _, id := range d.Sample {
			g, _ := x.Generation().Grid(grid.ID(id))
			add(itemOfGrid(g))
		}
	default:
		for chunk := range slices.Chunk(d.Sample, MostFound) {
			cases, err := o.casesAsOf(ctx, chunk, all, d.AsOf)
			if err != nil {
				return nil, err
			}
			for i := range cases {
				add(itemOfCase(&cases[i], p.Scope.Source))
			}
		}
	}
	return out, nil
}

func (o *Inspectorate) casesAsOf(ctx context.Context, ids []int64, all *drawn, asOf time.Time) ([]Case, error) {
	found, err := o.desk.store.Find(ctx, Search{IDs: ids})
	if err != nil {
		return nil, err
	}
	out := make([]Case, 0, len(ids))
	for i := range found.Records {
		c, ok := found.Records[i].AsOf(asOf)
		if !ok {
			return nil, fault.New(fault.Internal, "case %d was drawn as of %s, and was not there then", found.Records[i].Case.ID, asOf)
		}
		out = append(out, c)
	}
	if len(out) != len(ids) {
		return nil, fault.New(fault.Internal, "%d cases were drawn and %d found", len(ids), len(out))
	}
	return out, nil
}

// itemOfCase is about the cycle that was closed last, of closed cases.
func itemOfCase(c *Case, from Source) InspectionItem {
	y := &c.Cycle
	if n := len(c.Past); from == FromClosed && c.State != Closed && n > 0 {
		y = &c.Past[n-1]
	}
	i := InspectionItem{Case: c.ID, Cycle: y.Number, Street: c.Place.Street, Grid: c.Place.GridCode, Department: y.Lead, Item: c.Item}
	if c.Place.Generation != 0 {
		at := c.Place.At
		i.At = &at
	}
	return i
}

func itemOfGrid(g *grid.Grid) InspectionItem {
	at := g.Label
	return InspectionItem{Name: g.Name, Street: g.Street, Grid: g.Code, At: &at}
}

// item is where a spot is. It is Invalid when it says nothing, or lies outside
// the scope.
func (s Spot) item(x *locate.Index, scope *Scope) (InspectionItem, error) {
	i := InspectionItem{Name: s.Name, Unit: s.Unit, Street: s.Street}
	switch {
	case s.At != nil:
		place := PlaceAt(x, *s.At, 0, "")
		if place.Grid == grid.None {
			return i, fmt.Errorf("%v lies outside the district", *s.At)
		}
		at := *s.At
		i.Street, i.Grid, i.At = place.Street, place.GridCode, &at
	case s.Grid != "":
		g, ok := x.Generation().GridByCode(s.Grid)
		if !ok {
			return i, fmt.Errorf("there is no grid %q", s.Grid)
		}
		name := i.Name
		unit := i.Unit
		if i = itemOfGrid(g); name != "" {
			i.Name = name
		}
		i.Unit = unit
	case s.Unit == "":
		return i, fmt.Errorf("a place is a grid, a unit or a position")
	}
	if scope.Street != "" && scope.Street != i.Street || scope.Grid != "" && scope.Grid != i.Grid {
		return i, fmt.Errorf("lies outside the scope")
	}
	return i, nil
}

// Inspection is one, or NotFound.
func (o *Inspectorate) Inspection(ctx context.Context, id int64) (Inspection, error) {
	return o.store.Inspection(ctx, id)
}

// Inspections are what q asks for.
func (o *Inspectorate) Inspections(ctx context.Context, q InspectionSearch) ([]InspectionHead, error) {
	return o.store.Inspections(ctx, q)
}

// WatchList is the store's.
func (o *Inspectorate) WatchList(ctx context.Context, street, grid string, limit int) ([]Case, error) {
	return o.store.WatchList(ctx, street, grid, limit)
}

// Verification is a drawing done again.
type Verification struct {
	Same    bool    `json:"same"` // population and sample, both
	Drawing Drawing `json:"drawing"`
	Again   Drawing `json:"again"`
}

// Verify draws an inspection again, from what is kept now, as of the same
// time. It is Invalid for one whose places were named.
func (o *Inspectorate) Verify(ctx context.Context, in *Inspection) (Verification, error) {
	if in.Plan.Scope.Source == FromNames {
		return Verification{}, fault.New(fault.Invalid, "the places of inspection %d were named, not drawn", in.ID)
	}
	all, err := o.population(ctx, &in.Plan.Scope, in.Drawing.AsOf)
	if err != nil {
		return Verification{}, err
	}
	v := Verification{Drawing: in.Drawing, Again: all.drawing(&in.Plan, in.Drawing.AsOf)}
	v.Same = v.Again.Hash == in.Drawing.Hash && v.Again.Population == in.Drawing.Population && v.Again.Generation == in.Drawing.Generation &&
		slices.Equal(v.Again.Sample, in.Drawing.Sample)
	return v, nil
}

// Assign gives an inspection to other inspectors; none is any.
func (o *Inspectorate) Assign(ctx context.Context, id int64, by Actor, inspectors []string) (Inspection, error) {
	return o.update(ctx, id, func(in Inspection) (InspectionEntry, error) { return in.Assign(by, time.Time{}, inspectors) })
}

// Finish ends an inspection; text says why when items were not looked at.
func (o *Inspectorate) Finish(ctx context.Context, id int64, by Actor, text string) (Inspection, error) {
	return o.update(ctx, id, func(in Inspection) (InspectionEntry, error) { return in.Finish(by, time.Time{}, text) })
}

// Finding is a result with what is to follow it.
type Finding struct {
	Result InspectionResult // without Remedy
	Action Action           // one of Remedies; empty is none
	Seq    int              // of the case, as it was seen
	Review time.Time        // of watch and review-watch
	Reply  time.Time        // of supervise
	Report *Arrival         // of report; By, Intake.Channel and Evidence follow
}

// Record enters a result and what follows it, both or neither. What the
// action needs is as with Desk.Act.
func (o *Inspectorate) Record(ctx context.Context, id int64, by Actor, f Finding) (out Inspection, err error) {
	if f.Action != "" && !slices.Contains(Remedies, f.Action) {
		return out, fault.InvalidField("action", "%q does not follow a finding", string(f.Action))
	}
	if f.Action != "" && f.Result.Passed() {
		return out, fault.InvalidField("action", "nothing was found, so nothing follows")
	}
	var arrival Input
	s, now := o.desk.set.Load(), o.desk.cfg.Now()
	if f.Action == Report {
		if f.Report == nil {
			return out, fault.InvalidField("report", "a case that is opened needs a report")
		}
		r := f.Report
		r.By, r.Intake.Channel, r.Intake.Captured, r.Evidence = []Actor{by}, ByPatrol, now, f.Result.Evidence
		r.Inspected = &Inspected{id, f.Result.Item}
		var found Outcome
		if arrival, err = o.desk.intake(s, r, now, &found); err != nil {
			return out, err
		}
	}
	about := func(in *Inspection) (int64, error) {
		item, err := in.Item(f.Result.Item)
		switch {
		case err != nil:
			return 0, err
		case item.Case != 0:
			return item.Case, nil
		case f.Action != "" && f.Action != Report:
			return 0, fault.InvalidField("action", "item %d is no case: what can follow is to %s", item.Number, Report)
		}
		return 0, nil
	}
	err = o.store.UpdateInspection(ctx, id, about, func(in Inspection, c *Record, draft Case) (*InspectionChange, error) {
		e, err := in.Record(by, time.Time{}, f.Result, c)
		if err != nil {
			return nil, err
		}
		var follow *Change
		switch {
		case f.Action == Report:
			follow, err = s.open(draft, f.Report, now, arrival)
		case f.Action != "":
			follow, err = o.desk.decide(&Deed{Case: c.Case.ID, Seq: f.Seq, By: []Actor{by}, Action: f.Action, Input: Input{Text: f.reason(), Evidence: f.Result.Evidence,
				Review: f.Review, ReplyBy: f.Reply, Inspected: &Inspected{id, f.Result.Item}}}, c.Case)
		}
		if err != nil {
			return nil, err
		}
		if follow != nil {
			e.Result.Remedy = &Remedy{f.Action, follow.Case.ID, follow.Entry.Seq}
		}
		ch, err := o.enter(in, e)
		if err != nil {
			return nil, err
		}
		ch.Case, out = follow, ch.Inspection
		return ch, nil
	})
	if err == nil && f.Action != "" {
		o.desk.kept(ctx)
	}
	return out, err
}

// reason is what the case's history says: the inspector's words, or the
// findings'.
func (f *Finding) reason() string {
	if f.Result.Text != "" {
		return f.Result.Text
	}
	out := ""
	for _, m := range f.Result.Marks {
		if m.Verdict == Bad {
			i := slices.IndexFunc(Checklist, func(c InspectionCheck) bool { return c.Code == m.Check })
			if i < 0 {
				continue // refused below
			}
			if out != "" {
				out += "；"
			}
			out += Checklist[i].Finding + "：" + m.Text
		}
	}
	return out
}
