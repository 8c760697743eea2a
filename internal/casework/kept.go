package casework

import (
	"slices"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Kept is a case as a store has it at hand without its history: what figures,
// queues and maps are made of. Instants are Unix milliseconds, and 0 for what
// did not happen.
type Kept struct {
	Case   int64
	Change int64 // number of the change that made it so

	Seq       int
	State     State
	Overlays  Overlay
	Emergency bool
	Channel   Channel
	Item      string // code
	Major     string // code
	Kind      Kind
	Key       bool // one of the 35 items for 小联勤
	Street    string
	Grid      string // code
	GridID    grid.ID
	Placed    bool // At is known
	At        geo.Coord
	Centre    string // code of the street whose centre has it; empty is the district's
	Lead      string // code
	Captured  int64
	Received  int64
	Due       int64 // what is due next, or NeverDue

	Order         string // number
	OrderDue      int64
	OrderFinished int64
	Review        int64 // when somebody has to look at it again: of a suspension, or of the watch list, the earlier

	// Of an open case alone.
	Parties       []string
	Text, Address string

	Facts []Fact // for figures; who watches has none
}

// KeptOf is what is kept of c.
func KeptOf(c *Case) *Kept {
	k := &Kept{Case: c.ID, Seq: c.Seq, State: c.State, Overlays: c.Overlays, Emergency: c.Emergency, Channel: c.Channel,
		Item: c.Item, Major: c.Class.Major, Kind: c.Class.Kind, Key: c.Class.Key, Street: c.Place.Street, Grid: c.Place.GridCode, GridID: c.Place.Grid,
		Centre: c.Centre, Lead: c.Cycle.Lead.Code, Captured: millis(c.Captured), Received: millis(c.Received), Due: DueOf(c),
		Review: millis(c.ReviewOn()), Facts: FactsOf(c)}
	if c.Place.Generation != 0 {
		at, err := geo.Quantise(c.Place.At)
		k.At, k.Placed = at, err == nil
	}
	if o := c.Order; o != nil {
		k.Order, k.OrderDue, k.OrderFinished = o.Number, millis(o.Due), millis(o.Finished)
	}
	if c.State.Open() {
		k.Parties, k.Text, k.Address = c.Parties(), c.Text, c.Place.Address
	}
	return k
}

// Open reports whether somebody still has to do something.
func (k *Kept) Open() bool { return k.State.Open() }

// Concerns reports whether a department has a part in it, while it is open.
func (k *Kept) Concerns(department string) bool {
	return department != "" && (department == k.Lead || slices.Contains(k.Parties, department))
}

// Clone is k for who keeps it, without its facts.
func (k *Kept) Clone() *Kept {
	out := *k
	out.Facts = nil
	return &out
}
