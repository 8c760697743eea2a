package demo

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// FirstYear is the published year in the demonstration; its year before is the
// one before.
const FirstYear = 2025

// CaseOptions say which cases to make.
type CaseOptions struct {
	// Index is that of the district's generation. Its grids get the cases.
	Index *locate.Index
	// Procedure is what every case goes through. Its catalogue must have been
	// in force since the year began, and its calendar should know the year.
	Procedure *casework.Procedure
	// Staff are the patrols who report; nil makes those of the district.
	Staff *Staff
	// Year is the published year, 0 for FirstYear. Before makes the year
	// before it in its place, whose figures the four changes compare with.
	Year   int
	Before bool
	Seed   uint64
	// FirstID is the number of the first case; 0 is 1. They run without a gap.
	FirstID int64
	// Photo is the name in the store of the photo that all evidence shows;
	// empty is PhotoName.
	Photo string
	// Slow has disposals take more of their limits, so that twice as much stands
	// open at a time.
	Slow bool
}

// History is a case as it stands and how it came to that. Reporter is an
// invented person, whose number begins as no mobile's does, and nil where
// patrols and villages report.
type History struct {
	casework.Record
	Reporter *casework.Reporter
}

// Cases are the cases of a year: which there are is settled, in 32 bytes each,
// and what happens to each is worked out when it is asked for: in about 30
// microseconds, ten seconds of one core for the year. It is immutable and safe
// for concurrent use. The same options give the same cases.
type Cases struct {
	opt  CaseOptions
	want figures
	// Of the year that is made. What is to be disposed of or finished is so
	// before to; nothing at all happens after end, where the demonstration
	// stands still.
	from, to, end time.Time

	catalogue *casework.Catalogue
	grids     []place
	plans     []plan
}

// NewCases settles which cases there are. It is Invalid when the catalogue
// lacks an item that the published figures speak of, and NotFound when none was
// in force as the year began.
func NewCases(opt CaseOptions) (*Cases, error) {
	opt.Year, opt.FirstID, opt.Photo = cmp.Or(opt.Year, FirstYear), cmp.Or(opt.FirstID, 1), cmp.Or(opt.Photo, PhotoName)
	c := &Cases{opt: opt, want: published}
	c.from = time.Date(opt.Year, 1, 1, 0, 0, 0, 0, grid.Zone)
	c.to = c.from.AddDate(1, 0, 0)
	c.end = c.to
	if opt.Before {
		c.want, c.to, c.from = before, c.from, c.from.AddDate(-1, 0, 0)
	}
	var err error
	if c.catalogue, err = opt.Procedure.Catalogues.At(c.from); err != nil {
		return nil, err
	}
	if opt.Staff == nil {
		if c.opt.Staff, err = Patrols(opt.Index.Generation(), opt.Seed, 0); err != nil {
			return nil, err
		}
	}
	c.grids = placesOf(opt.Index, c.opt.Staff, opt.Seed)
	if err := c.plan(); err != nil {
		return nil, err
	}
	return c, nil
}

// Len is the number of cases, those included that were not accepted.
func (c *Cases) Len() int { return len(c.plans) }

// All are the cases in the order in which they came in, and of their numbers.
// It ends at the first error, which is a bug or a procedure that the
// demonstration does not fit.
func (c *Cases) All() iter.Seq2[History, error] { return c.Part(0, len(c.plans)) }

// Source is what the cases are called the source of when they are entered
// somewhere.
func (c *Cases) Source() string { return fmt.Sprintf("demonstration-%d", c.from.Year()) }

// Loading is a case of All as it is entered somewhere, by the number that it
// has among them.
func (c *Cases) Loading(h *History) casework.Loading {
	return casework.Loading{Case: h.Case, Line: int(h.Case.ID - c.opt.FirstID + 1), History: casework.History{
		Source: c.Source(), Number: strconv.FormatInt(h.Case.ID, 10), Entries: h.Entries, Reporter: h.Reporter}}
}

// Part are cases [from, to) of All, so that several can be made at once.
func (c *Cases) Part(from, to int) iter.Seq2[History, error] {
	return func(yield func(History, error) bool) {
		for i := from; i < to; i++ {
			h, err := c.history(i)
			if !yield(h, err) || err != nil {
				return
			}
		}
	}
}

// fate is what becomes of a case.
type fate uint8

const (
	done      fate = iota // accepted, and disposed of within the year
	left                  // accepted, and not
	suspended             // the same, and it stands
	refused               // not accepted
	discarded             // void
	selfDone              // by who found it
)

// answer is what becomes of a 12345 order.
type answer uint8

const (
	inTime answer = iota
	late
	unanswered
)

// plan is one case to be.
type plan struct {
	at      int64 // Unix milliseconds when it comes in
	serial  uint32
	grid    uint32 // place in Cases.grids
	item    uint16 // place in the catalogue
	permill uint16 // of the disposal's limit that it takes; more than 1000 is late
	channel uint8  // place in casework.Channels
	days    uint8  // of an order
	fate    fate
	answer  answer
}

func (c *Cases) plan() error {
	counts, err := c.itemCounts()
	if err != nil {
		return err
	}
	k := newClimate(c)
	items := c.catalogue.Items()
	for i, n := range counts {
		for range n {
			c.add(k, i, done)
		}
	}
	if err := c.planOrders(k); err != nil {
		return err
	}
	// What is refused, void, or done by who found it.
	weights, sum := make([]int, len(items)), 0
	for i := range items {
		if items[i].Kind == casework.Event && items[i].Clock == casework.Working && !slices.Contains(Enforcement, items[i].Code) {
			weights[i] = profileOf(items[i].Code).weight
			sum += weights[i]
		}
	}
	if sum == 0 {
		return fault.New(fault.Invalid, "the catalogue has no events by the working clock")
	}
	others := oddsOf(weights)
	for f, n := range [...]int{refused: c.want.refused, discarded: c.want.discarded, selfDone: c.want.selfHandled} {
		d := throw(c.opt.Seed, 47, uint64(f), uint64(c.from.Year()))
		for range n {
			c.add(k, others.draw(d), fate(f))
		}
	}
	for i := range c.plans {
		c.plans[i].serial = uint32(i)
	}
	slices.SortFunc(c.plans, func(a, b plan) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.serial, b.serial)) })
	c.leave()
	c.leaveOrders()
	return nil
}

// itemCounts are the accepted grid cases of each item.
func (c *Cases) itemCounts() ([]int, error) {
	items, w := c.catalogue.Items(), &c.want
	counts := make([]int, len(items))
	fixed := map[string]int{Robbery: w.robberies, Stalls: w.stalls, Medicine: w.medicine}
	for _, code := range append([]string{Robbery}, Enforcement...) {
		if _, err := c.catalogue.Item(code); err != nil {
			return nil, fault.InvalidField("item", "%w, which the published figures count", err)
		}
	}
	classes := []struct {
		total int
		has   func(*casework.Item) bool
	}{
		{w.components, func(t *casework.Item) bool { return t.Kind == casework.Component }},
		{w.enforcement - w.stalls - w.medicine, func(t *casework.Item) bool {
			return t.Kind == casework.Event && slices.Contains(Enforcement, t.Code)
		}},
		{w.events - w.enforcement - w.robberies, func(t *casework.Item) bool {
			return t.Kind == casework.Event && !slices.Contains(Enforcement, t.Code)
		}},
	}
	for _, class := range classes {
		weights, sum := make([]int, len(items)), 0
		for i := range items {
			if _, ok := fixed[items[i].Code]; !ok && class.has(&items[i]) {
				weights[i] = profileOf(items[i].Code).weight
				sum += weights[i]
			}
		}
		if sum == 0 {
			return nil, fault.New(fault.Invalid, "the catalogue has no components, or no events")
		}
		for i, n := range apportion(class.total, weights) {
			counts[i] += n
		}
	}
	for i := range items {
		if n, ok := fixed[items[i].Code]; ok {
			counts[i] = n
		}
	}
	return counts, nil
}

// add plans a case of an item: where, when, by which channel.
func (c *Cases) add(k *climate, item int, f fate) *plan {
	t := &c.catalogue.Items()[item]
	d := throw(c.opt.Seed, 43, uint64(c.from.Year()), uint64(len(c.plans)))
	p := plan{item: uint16(item), fate: f, permill: pace(d, c.opt.Slow)}
	p.grid = uint32(k.where(d, profileOf(t.Code).urban))
	p.at = k.when(d, t.Code)
	if t.Code == newcomer && p.at >= k.opening && d.below(9) == 0 {
		p.grid = uint32(k.exit)
	}
	p.channel = channelOf(d, t, c.grids[p.grid].grid.Kind, f)
	c.plans = append(c.plans, p)
	return &c.plans[len(c.plans)-1]
}

// pace is how much of its limit a disposal takes, in thousandths: mostly less
// than half, or when it is slow more, and of a hundred cases two or three too
// much.
func pace(d *dice, slow bool) uint16 {
	if d.below(1000) < 26 {
		return uint16(1010 + d.below(900))
	}
	a, b := d.below(960), d.below(960)
	if slow {
		return uint16(30 + max(a, b))
	}
	return uint16(30 + min(a, b))
}

// Places in casework.Channels.
const (
	byPatrol = iota
	byVillage
	byPublic
	byHotline
	byEmergency
)

// channelOf is how a grid case comes in: in urban grids by the street's
// patrol, elsewhere mostly by the village; at once where there is danger.
func channelOf(d *dice, t *casework.Item, kind grid.Kind, f fate) uint8 {
	n := d.below(100)
	switch {
	case f == selfDone && kind == grid.Urban:
		return byPatrol
	case f == selfDone:
		return byVillage
	case t.ResponseMinutes <= 15 && n < 45:
		return byEmergency
	case f == refused && n < 70:
		return byPublic
	case kind == grid.Urban:
		return [...]uint8{byPatrol, byVillage, byPublic}[oddsOf([]int{88, 3, 9}).draw(d)]
	default:
		return [...]uint8{byPatrol, byVillage, byPublic}[oddsOf([]int{24, 65, 11}).draw(d)]
	}
}

// planOrders plans the orders of the hotline.
func (c *Cases) planOrders(k *climate) error {
	items := c.catalogue.Items()
	weights, sum := make([]int, len(items)), 0
	for i := range items {
		weights[i] = hotlineItems[items[i].Code]
		sum += weights[i]
	}
	if sum == 0 {
		return fault.New(fault.Invalid, "the catalogue has none of the items that people telephone about")
	}
	days := c.opt.Procedure.Rules.OrderDays
	for i, n := range apportion(c.want.orders, weights) {
		for j := range n {
			p := c.add(k, i, done)
			d := throw(c.opt.Seed, 53, uint64(c.from.Year()), uint64(i), uint64(j))
			p.channel, p.at = byHotline, k.whenCalled(d)
			p.days = uint8(days[min(len(days)-1, [...]int{0, 1, 2}[oddsOf([]int{12, 38, 50}).draw(d)])])
		}
	}
	return nil
}

// leave settles which grid cases are not disposed of by the end of the year:
// those that would have taken the longest, and a few that were suspended.
func (c *Cases) leave() {
	type candidate struct {
		plan int
		ends int64
	}
	var last []candidate
	rest := c.want.events + c.want.components - c.want.disposed
	recent, old := c.to.AddDate(0, -2, 0).UnixMilli(), c.from.AddDate(0, 6, 0).UnixMilli()
	suspend := rest / 10
	d := throw(c.opt.Seed, 59, uint64(c.from.Year()))
	for i := range c.plans {
		p := &c.plans[i]
		t := &c.catalogue.Items()[p.item]
		if p.fate != done || p.channel == byHotline {
			continue
		}
		switch {
		case p.at >= recent:
			limit := time.Duration(t.DisposalHours) * time.Hour * time.Duration(p.permill) / 1000
			due, _ := c.opt.Procedure.Calendar.Add(t.Clock, time.UnixMilli(p.at), limit)
			last = append(last, candidate{i, due.UnixMilli()})
		case p.at >= old && suspend > 0 && t.DisposalHours >= 80 && p.channel != byEmergency && d.below(40) == 0:
			p.fate = suspended
			suspend, rest = suspend-1, rest-1
		}
	}
	slices.SortFunc(last, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.ends, a.ends), cmp.Compare(a.plan, b.plan)) })
	for _, l := range last[:min(rest, len(last))] {
		c.plans[l.plan].fate = left
	}
}

// leaveOrders settles which orders are not finished by the end of the year,
// those due last, and which are finished late.
func (c *Cases) leaveOrders() {
	type candidate struct {
		plan int
		due  int64
	}
	var all []candidate
	for i := range c.plans {
		if p := &c.plans[i]; p.channel == byHotline {
			all = append(all, candidate{i, c.orderDue(p).UnixMilli()})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.due, a.due), cmp.Compare(a.plan, b.plan)) })
	open := c.want.orders - c.want.finished
	for _, o := range all[:open] {
		c.plans[o.plan].answer = unanswered
		if c.plans[o.plan].permill > 400 {
			c.plans[o.plan].fate = left
		}
	}
	d := throw(c.opt.Seed, 61, uint64(c.from.Year()))
	rest := all[open:]
	for n := c.want.finished - c.want.onTime; n > 0; {
		o := rest[d.below(len(rest))]
		if p := &c.plans[o.plan]; p.answer == inTime && o.due < c.to.AddDate(0, 0, -4).UnixMilli() {
			p.answer = late
			n--
		}
	}
}

// issued is when the hotline wrote an order: some minutes before it came in.
func (p *plan) issued() time.Time {
	return time.UnixMilli(p.at).Add(-time.Duration(1+p.serial%35) * time.Minute)
}

func (c *Cases) orderDue(p *plan) time.Time {
	calendar := c.opt.Procedure.Calendar
	due, _ := calendar.Add(casework.Working, p.issued(), time.Duration(p.days)*calendar.Hours().Day())
	return due
}

// Year is the year that they come in.
func (c *Cases) Year() int { return c.from.Year() }

// Since is the place in All of the first case that comes in at or after t.
func (c *Cases) Since(t time.Time) int {
	i, _ := slices.BinarySearchFunc(c.plans, t.UnixMilli(), func(p plan, at int64) int { return cmp.Compare(p.at, at) })
	return i
}

// Until is h as it stands at that time, and what is still to come of it.
func (h *History) Until(t time.Time) (past History, rest []casework.Entry, err error) {
	n := 0
	for n < len(h.Entries) && !h.Entries[n].At.After(t) {
		n++
	}
	past = *h
	if n == len(h.Entries) {
		return past, nil, nil
	}
	past.Entries, rest = h.Entries[:n:n], h.Entries[n:]
	past.Case, err = casework.Replay(past.Entries)
	return past, rest, err
}
