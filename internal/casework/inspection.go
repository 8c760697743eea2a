package casework

import (
	"slices"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// InspectionKind is what an inspection is for.
type InspectionKind string

// The kinds.
const (
	SampleInspection InspectionKind = "sample" // 抽查: a sample of cases
	FieldInspection  InspectionKind = "field"  // 实地督查: places
	AuditInspection  InspectionKind = "audit"  // 专项督查: all or a sample of what concerns a theme or a department
)

// InspectionState is how far an inspection has come.
type InspectionState string

// The states.
const (
	Drawn    InspectionState = "drawn"
	UnderWay InspectionState = "under-way"
	Finished InspectionState = "finished"
)

// InspectionStates are all states.
var InspectionStates = []InspectionState{Drawn, UnderWay, Finished}

const (
	// MostDrawn is how many items an inspection has at most.
	MostDrawn = 1000
	// SettledAfter is how old as-of is at least: what was done by then has been
	// committed, by every process, so that a later look finds the same.
	SettledAfter = 10 * time.Second

	maxTitle = 200 // bytes
	maxSeed  = 64
)

// Spot is a place that somebody names for a field check: a grid by its code, a
// unit by its code, or a position with words.
type Spot struct {
	Name   string     `json:"name,omitempty"`
	Unit   string     `json:"unit,omitempty"`
	Street string     `json:"street,omitempty"` // of the unit; of others it follows
	Grid   string     `json:"grid,omitempty"`
	At     *orb.Point `json:"at,omitempty"`
}

// Plan is what whoever orders an inspection asks for.
type Plan struct {
	Kind       InspectionKind `json:"kind"`
	Title      string         `json:"title"` // of an audit: its theme
	Scope      Scope          `json:"scope"`
	Places     []Spot         `json:"places,omitempty"` // FromNames
	Seed       string         `json:"seed,omitempty"`
	Size       int            `json:"size,omitzero"` // 0 is all there are
	Due        time.Time      `json:"due"`
	Inspectors []string       `json:"inspectors,omitempty"` // logins; none is any of the jurisdiction
}

// sources are what a kind may draw from.
var sources = map[InspectionKind][]Source{
	SampleInspection: {FromClosed, FromReceived},
	FieldInspection:  {FromGrids, FromNames},
	AuditInspection:  {FromClosed, FromReceived, FromGrids, FromNames},
}

// Check is Invalid, naming the field, when a plan cannot be carried out.
func (p *Plan) Check(now time.Time) error {
	may, ok := sources[p.Kind]
	switch {
	case !ok:
		return fault.InvalidField("kind", "%q is not one of %s, %s, %s", string(p.Kind), SampleInspection, FieldInspection, AuditInspection)
	case p.Title == "" || len(p.Title) > maxTitle:
		return fault.InvalidField("title", "needs 1 to %d bytes", maxTitle)
	case len(p.Seed) > maxSeed:
		return fault.InvalidField("seed", "longer than %d bytes", maxSeed)
	case p.Size < 0 || p.Size > MostDrawn:
		return fault.InvalidField("size", "%d is not 0, for all, to %d", p.Size, MostDrawn)
	case !p.Due.After(now):
		return fault.InvalidField("due", "needs a time to come")
	}
	if err := p.Scope.Check(); err != nil {
		return err
	}
	if !slices.Contains(may, p.Scope.Source) {
		return fault.InvalidField("source", "an inspection of kind %s does not draw from %s", p.Kind, p.Scope.Source)
	}
	named := p.Scope.Source == FromNames
	switch {
	case named && (len(p.Places) == 0 || len(p.Places) > MostDrawn):
		return fault.InvalidField("places", "needs 1 to %d", MostDrawn)
	case !named && len(p.Places) > 0:
		return fault.InvalidField("places", "%s has no use for them", p.Scope.Source)
	case named && (p.Size != 0 || p.Seed != ""):
		return fault.InvalidField("size", "places that are named are not drawn")
	}
	return nil
}

// InspectionItem is one case or place of an inspection, as it was when it was
// drawn.
type InspectionItem struct {
	Number     int             `json:"number"` // from 1
	Case       int64           `json:"case,omitzero"`
	Cycle      int             `json:"cycle,omitzero"` // of the case
	Name       string          `json:"name,omitempty"`
	Unit       string          `json:"unit,omitempty"`
	Street     string          `json:"street,omitempty"`
	Grid       string          `json:"grid,omitempty"`
	Department grid.Department `json:"department,omitzero"` // that leads the case
	Item       string          `json:"item,omitempty"`      // of the catalogue
	At         *orb.Point      `json:"at,omitempty"`
}

// Subject is what i is.
func (i *InspectionItem) Subject() Subject {
	if i.Case != 0 {
		return CaseSubject
	}
	return PlaceSubject
}

// Remedy is what followed a finding: an action on the case, or a new one.
type Remedy struct {
	Action Action `json:"action"`
	Case   int64  `json:"case"`
	Seq    int    `json:"seq"` // of the case's entry
}

// Remedies are the actions that may follow a finding.
var Remedies = []Action{Reopen, Rework, SendBack, Supervise, Watch, ReviewWatch, Report}

// InspectionResult is what an inspector found of one item. A later one of the same item
// takes its place and is kept beside it.
type InspectionResult struct {
	Item     int       `json:"item"` // number
	Marks    []Mark    `json:"marks"`
	Text     string    `json:"text,omitempty"`
	Evidence []string  `json:"evidence,omitempty"`
	Position *Position `json:"position,omitempty"` // of the inspector, then
	Corrects int       `json:"corrects,omitzero"`  // Seq of the entry that it takes the place of
	Remedy   *Remedy   `json:"remedy,omitempty"`
}

// Passed reports whether nothing was wrong.
func (r *InspectionResult) Passed() bool {
	return !slices.ContainsFunc(r.Marks, func(m Mark) bool { return m.Verdict == Bad })
}

// InspectionAction is what somebody does to an inspection.
type InspectionAction string

// The actions.
const (
	OrderInspection  InspectionAction = "order"
	AssignInspection InspectionAction = "assign"
	RecordResult     InspectionAction = "record"
	FinishInspection InspectionAction = "finish"
)

// InspectionEntry is one line of an inspection's history, which is appended to
// alone.
type InspectionEntry struct {
	Seq      int              `json:"seq"` // from 1, without a gap
	At       time.Time        `json:"at"`
	By       Actor            `json:"by"`
	Action   InspectionAction `json:"action"`
	Standard string           `json:"standard,omitempty"` // code/version

	Plan       *Plan              `json:"plan,omitempty"`
	Drawing    *Drawing           `json:"drawing,omitempty"`
	Items      []InspectionItem   `json:"items,omitempty"`
	Inspectors []string           `json:"inspectors,omitempty"`
	Result     *InspectionResult  `json:"result,omitempty"`
	Text       string             `json:"text,omitempty"`    // of finish: why some were not looked at
	Figures    *InspectionFigures `json:"figures,omitempty"` // of finish
}

// Inspection is an inspection as it stands. It follows from its entries alone.
type Inspection struct {
	ID         int64             `json:"id"`
	State      InspectionState   `json:"state"`
	Plan       Plan              `json:"plan"`
	Drawing    Drawing           `json:"drawing"`
	Inspectors []string          `json:"inspectors,omitempty"`
	Items      []InspectionItem  `json:"items"`
	Entries    []InspectionEntry `json:"-"`

	standing []int // by item, from 0: place in Entries of its last result, or 0 for none
}

// ReplayInspection is the inspection that a history leads to. Conflict says
// that the entries do not follow on one another.
func ReplayInspection(id int64, entries []InspectionEntry) (Inspection, error) {
	in := Inspection{ID: id}
	for i := range entries {
		var err error
		if in, err = in.With(entries[i]); err != nil {
			return in, err
		}
	}
	return in, nil
}

// With is in after e, which must be its next entry; in itself does not change.
func (in Inspection) With(e InspectionEntry) (Inspection, error) {
	n := len(in.Entries)
	if e.Seq != n+1 || (n == 0) != (e.Action == OrderInspection) {
		return in, fault.New(fault.Conflict, "entry %d (%s) of inspection %d does not follow on entry %d", e.Seq, e.Action, in.ID, n)
	}
	in.Entries = append(slices.Clip(in.Entries), e)
	switch e.Action {
	case OrderInspection:
		in.State, in.Plan, in.Drawing, in.Items, in.Inspectors = Drawn, *e.Plan, *e.Drawing, e.Items, e.Plan.Inspectors
		in.standing = make([]int, len(e.Items))
	case AssignInspection:
		in.Inspectors = e.Inspectors
	case RecordResult:
		if in.State == Drawn {
			in.State = UnderWay
		}
		in.standing = slices.Clone(in.standing)
		in.standing[e.Result.Item-1] = n
	case FinishInspection:
		in.State = Finished
	}
	return in, nil
}

// Ordered is the entry that began it.
func (in *Inspection) Ordered() *InspectionEntry { return &in.Entries[0] }

// Standing is the entry with the last result of an item, or nil.
func (in *Inspection) Standing(item int) *InspectionEntry {
	if at := in.standing[item-1]; at > 0 {
		return &in.Entries[at]
	}
	return nil
}

// Item is the item of that number, or NotFound.
func (in *Inspection) Item(number int) (*InspectionItem, error) {
	if number < 1 || number > len(in.Items) {
		return nil, fault.New(fault.NotFound, "inspection %d has no item %d", in.ID, number)
	}
	return &in.Items[number-1], nil
}

// Record is the entry that an inspector's result makes of an item, but for the
// Remedy, which is the case's to decide. About is the item's case, or nil for a
// place. Denied says that it is not his to inspect, Conflict that somebody was
// faster.
func (in *Inspection) Record(who Actor, at time.Time, r InspectionResult, about *Record) (InspectionEntry, error) {
	e := InspectionEntry{Seq: len(in.Entries) + 1, At: at, By: who, Action: RecordResult, Result: &r}
	item, err := in.Item(r.Item)
	if err != nil {
		return e, err
	}
	if who.Role != Inspector {
		return e, fault.New(fault.Denied, "%s does not inspect", who.Role)
	}
	if len(in.Inspectors) > 0 && !slices.Contains(in.Inspectors, who.ID) {
		return e, fault.New(fault.Denied, "inspection %d is not given to %q", in.ID, who.ID)
	}
	if about != nil {
		if did, ok := about.handledBy(who.ID); ok {
			return e, fault.New(fault.Denied, "case %d: %q did %s himself, and is inspected by somebody else", item.Case, who.ID, did)
		}
	}
	corrects := 0
	if last := in.Standing(r.Item); last != nil {
		corrects = last.Seq
	}
	if r.Corrects != corrects {
		return e, &fault.Error{Kind: fault.Conflict, Field: "corrects", Msg: "somebody else was faster: look at the item again"}
	}
	if in.State == Finished && corrects == 0 {
		return e, fault.New(fault.Conflict, "inspection %d is finished: results may be corrected, and no more added", in.ID)
	}
	return e, checkMarks(item.Subject(), r.Marks)
}

// ownWork are the actions after which somebody else inspects the case.
var ownWork = []Action{SelfHandle, FinishStage, Dispose, Contribute, Check, Close}

func (r *Record) handledBy(id string) (Action, bool) {
	for i := range r.Entries {
		if e := &r.Entries[i]; e.By.ID == id && slices.Contains(ownWork, e.Action) {
			return e.Action, true
		}
	}
	return "", false
}

// Finish is the entry that ends in. Text says why when items were not looked
// at.
func (in *Inspection) Finish(who Actor, at time.Time, text string) (InspectionEntry, error) {
	e := InspectionEntry{Seq: len(in.Entries) + 1, At: at, By: who, Action: FinishInspection, Text: text}
	if in.State == Finished {
		return e, fault.New(fault.Conflict, "inspection %d is finished already", in.ID)
	}
	f := in.Figures(func(*InspectionItem) bool { return true })
	if left := f.Whole.Items - f.Whole.Checked; left > 0 && text == "" {
		return e, fault.InvalidField("text", "%d items were not looked at: why?", left)
	}
	e.Figures = &f
	return e, nil
}

// Assign is the entry that gives in to other inspectors.
func (in *Inspection) Assign(who Actor, at time.Time, inspectors []string) (InspectionEntry, error) {
	e := InspectionEntry{Seq: len(in.Entries) + 1, At: at, By: who, Action: AssignInspection, Inspectors: inspectors}
	if in.State == Finished {
		return e, fault.New(fault.Conflict, "inspection %d is finished", in.ID)
	}
	return e, nil
}
