package patrol

import (
	"time"

	"lianqin/internal/grid"
)

// EventKind is what happened to a unit.
type EventKind string

const (
	// Crossed is a confirmed change of grid: out of From and into To at once.
	// From is grid.None for the first grid of a shift, To is grid.None outside
	// the district.
	Crossed EventKind = "crossed"
	// WentSilent is a unit on duty that was not heard of for SilentAfter.
	WentSilent EventKind = "silent"
	// CameBack is a silent unit heard of again.
	CameBack EventKind = "back"
	// CalledHelp is the alarm button.
	CalledHelp EventKind = "sos"
	// SuspectDatum is a device whose track fits its grids once it is read as
	// GCJ-02.
	SuspectDatum EventKind = "datum"
)

// Event is something that happened to a unit, with what it was concluded
// from. Events are kept; a correction retracts one and enters others.
type Event struct {
	ID         int64 // given by the store
	Unit       UnitID
	Kind       EventKind
	At         time.Time // when it happened: of a crossing, the first fix in the new grid
	Recorded   time.Time // when it was known
	From, To   grid.ID
	Generation int // by whose borders
	// Rule is which of the rules made it, in words of the documentation:
	// "2 fixes", "20 s", "first fix", "late fixes" …
	Rule string
	// Evidence are the fixes that it was concluded from, in order of time.
	Evidence []Evidence
	// Corrects is the event that this one stands for; 0 for none. Retracted is
	// when this one was withdrawn; zero while it holds.
	Corrects  int64
	Retracted time.Time
}

// Evidence is one fix that an event rests on.
type Evidence struct {
	At        int64   `json:"at"` // Unix milliseconds: with the unit, the fix's identity
	AccuracyM float32 `json:"accuracy_m"`
	BorderM   float32 `json:"border_m"` // distance to the grid that was left
	Grid      grid.ID `json:"grid"`
}

// Presence is what the centre sees of a unit at first glance.
type Presence uint8

const (
	OffDutyNow Presence = iota // not on shift: no position is shown
	Unheard                    // on duty, and not heard of since the shift began
	Online
	Silent // on duty, and not heard of for SilentAfter
)

// Presences are their names, in the order of the codes in frames.
var Presences = [...]string{"off-duty", "unheard", "online", "silent"}

func (p Presence) String() string { return Presences[p] }

// SilentAfter is how long a unit on duty may say nothing.
const SilentAfter = 5 * time.Minute

// State is what is known of one unit at a moment.
type State struct {
	Unit     UnitID
	Presence Presence
	Last     Fix     // the newest fix of the track; zero when there is none to show
	Raw      grid.ID // the grid of that fix: what a tablet shows
	Grid     grid.ID // the confirmed grid: what events are made of
	Since    int64   // Unix milliseconds: in Grid since then
	SOS      bool    // called for help and not heard without since
	Datum    bool    // the datum sentinel suspects its device
}

// newEvent is one that f made.
func newEvent(f *Fix, kind EventKind, at int64, rule string) Event {
	return Event{Unit: f.Unit, Kind: kind, At: time.UnixMilli(at).UTC(), Recorded: time.UnixMilli(f.Received).UTC(), Rule: rule}
}
