package casework

import (
	"cmp"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// brought is in which role a channel's cases are brought by a table.
var brought = map[Channel]Role{ByPatrol: Patrol, ByVillage: Village, ByPublic: Citizen, ByHotline: Hotline, ByEmergency: Clerk}

// History is what must have happened to f: accepted, filed, dispatched and
// taken as it was created, and disposed of, checked and closed at once. Its
// only clocks are those that its columns speak of: filing, which was in time,
// and disposal, with the due time that it has there. X is the index of the
// borders in force then, nil where there were none. It is Invalid without a
// channel, and where something was due or closed before it was created.
func (f *Foreign) History(p *Procedure, x *locate.Index) (History, error) {
	h := History{Number: f.Number}
	if f.Channel == "" {
		return h, fault.InvalidField("channel", "the mapping does not say which channel it came by")
	}
	role, ok := brought[f.Channel]
	if !ok {
		return h, fault.InvalidField("channel", "%q is no channel", clipName(string(f.Channel)))
	}
	if !f.Due.IsZero() && f.Due.Before(f.Created) || !f.Closed.IsZero() && f.Closed.Before(f.Created) {
		return h, fault.InvalidField("created", "%s is after it was due or closed", f.Created.Format(time.RFC3339))
	}
	w := foreignWriter{f: f, at: f.Created}
	in := f.Report()
	place := f.place(x)
	class, lead := f.class(p, x, place)
	report := Entry{To: Reported, By: Actor{ID: string(f.Channel), Role: role}, Input: Input{Intake: in.Intake, Item: f.Item, Place: place}, Class: class}
	if o := in.Intake.Order; o != nil && o.Days > 0 {
		order := *o
		order.Due, order.Provisional = p.orderDue(o)
		report.Order = &order
	} else {
		in.Intake.Order = nil // its own clock is not known
	}
	w.add(Report, report)
	created := &Due{At: f.Created, Set: f.Created, Why: Accept}
	w.add(Accept, Entry{From: Reported, To: Accepted, By: Actor{ID: "table", Role: Clerk},
		Clocks: []ClockChange{{Clock: FileClock, Op: Start, Limit: Limit{0, Calendar}, Due: created}}})
	filing := &Filing{Response: Limit{0, Calendar}, Disposal: Limit{0, Calendar}}
	var disposal []ClockChange
	if !f.Due.IsZero() {
		filing.Disposal.Span = f.Due.Sub(f.Created)
		disposal = []ClockChange{{Clock: DisposalClock, Op: Start, Limit: filing.Disposal, Due: &Due{At: f.Due, Set: f.Created, Why: Dispatch}}}
	}
	w.add(File, Entry{From: Accepted, To: Filed, By: Actor{ID: "table", Role: ShiftLeader}, Filing: filing, Clocks: []ClockChange{{Clock: FileClock, Op: Stop}}})
	w.add(Dispatch, Entry{From: Filed, To: Dispatched, By: Actor{ID: "table", Role: Dispatcher}, Clocks: disposal,
		Input: Input{Assignment: &Assignment{Lead: lead, Why: Why{Basis: ByHand, Item: f.Item, Note: "as the table has it"}}}})
	handler := Actor{ID: cmp.Or(lead.Code, "table"), Role: Handler, Department: lead.Code}
	w.add(Take, Entry{From: Dispatched, To: InDisposal, By: handler})
	if f.Closed.IsZero() {
		return w.h(h), nil
	}
	w.at = f.Closed
	stop := []ClockChange{}
	if disposal != nil {
		stop = append(stop, ClockChange{Clock: DisposalClock, Op: Stop, Used: f.Closed.Sub(f.Created)})
	}
	w.add(Dispose, Entry{From: InDisposal, To: ToCheck, By: handler, Clocks: stop})
	if report.Order != nil {
		w.add(FinishOrder, Entry{From: ToCheck, To: ToCheck, Sets: OrderFinished, By: Actor{ID: "table", Role: Clerk}})
	}
	w.add(Check, Entry{From: ToCheck, To: ToCheck, Sets: Checked, By: Actor{ID: "table", Role: Inspector}})
	w.add(Close, Entry{From: ToCheck, To: Closed, By: Actor{ID: "table", Role: ShiftLeader}})
	return w.h(h), nil
}

// foreignWriter numbers and dates entries.
type foreignWriter struct {
	f       *Foreign
	at      time.Time
	entries []Entry
}

func (w *foreignWriter) add(a Action, e Entry) {
	e.Action, e.At, e.Seq = a, w.at, len(w.entries)+1
	w.entries = append(w.entries, e)
}

func (w *foreignWriter) h(h History) History {
	h.Entries = w.entries
	return h
}

// place is where f lies; outside the district it is kept, and in no grid.
func (f *Foreign) place(x *locate.Index) *Place {
	if f.At[0] == 0 && f.At[1] == 0 {
		return nil
	}
	p := &Place{At: f.At}
	if x != nil {
		*p = PlaceAt(x, f.At, 0, "")
	}
	return p
}

// class is what the catalogue says of f's item, and the department that leads:
// the table's own, or else the catalogue's. Items that are in no catalogue of
// ours have no class.
func (f *Foreign) class(p *Procedure, x *locate.Index, at *Place) (*Class, grid.Department) {
	lead := grid.Department{Code: f.Department, Name: f.Department}
	catalogue, err := p.Catalogues.At(f.Created)
	if err != nil {
		return nil, lead
	}
	item, err := catalogue.Item(f.Item)
	if err != nil {
		return nil, lead
	}
	var g *grid.Grid
	var street *grid.Street
	if at != nil && at.Grid != grid.None {
		g, _ = x.Generation().Grid(at.Grid)
		street, _ = x.Generation().Street(at.Street)
	}
	if f.Department == "" {
		lead = catalogue.Lead(item, g, street)
	}
	for _, row := range catalogue.Departments() {
		if i := catalogue.Instance(row.Code, g, street); f.Department != "" && (i.Code == f.Department || row.Code == f.Department) {
			lead = i
			break
		}
	}
	return &Class{Kind: item.Kind, Major: item.Major.Code, Key: item.Key}, lead
}
