package casework

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"lianqin/internal/fault"
)

// Source is what an inspection draws from.
type Source string

// The sources.
const (
	// FromClosed are cases that were closed in the window.
	FromClosed Source = "closed"
	// FromReceived are cases that came in in the window, however they stood at
	// as-of; void ones only when that state is asked for.
	FromReceived Source = "received"
	// FromGrids are the grids in force at as-of.
	FromGrids Source = "grids"
	// FromNames are places that somebody named: nothing is drawn.
	FromNames Source = "names"
)

// Scope is what an inspection is about: its source, narrowed down. From and To
// are a window [From, To) of cases; State and Overlay are of FromReceived
// alone, as they were at as-of.
type Scope struct {
	Source Source    `json:"source"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Filter
	State   State   `json:"state,omitempty"`
	Overlay Overlay `json:"overlay,omitzero"`
}

// OfCases reports whether the scope holds cases, and not places.
func (s *Scope) OfCases() bool { return s.Source == FromClosed || s.Source == FromReceived }

// What was closed is drawn from figures in memory; of what was received, every
// history is read.
const (
	maxScopeSpan    = 366 * 24 * time.Hour
	maxReceivedSpan = 62 * 24 * time.Hour
)

// Check is Invalid, naming the field, when nothing can be drawn from s.
func (s *Scope) Check() error {
	if err := oneOf("source", s.Source, FromClosed, FromReceived, FromGrids, FromNames); err != nil {
		return err
	}
	switch {
	case s.OfCases() && !s.From.Before(s.To):
		return fault.InvalidField("to", "the window from %s to %s is empty", s.From.Format(time.RFC3339), s.To.Format(time.RFC3339))
	case s.OfCases() && s.To.Sub(s.From) > maxScopeSpan:
		return fault.InvalidField("to", "a window is at most a year")
	case s.Source == FromReceived && s.To.Sub(s.From) > maxReceivedSpan:
		return fault.InvalidField("to", "a window of cases received is at most 62 days")
	case !s.OfCases() && (!s.From.IsZero() || !s.To.IsZero()):
		return fault.InvalidField("from", "%s has no use for a window", s.Source)
	case !s.OfCases() && (s.Department != "" || len(s.Items) > 0 || s.Major != "" || s.Channel != ""):
		return fault.InvalidField("source", "places are narrowed down by street and grid alone")
	case s.Source != FromReceived && (s.State != Draft || s.Overlay != 0):
		return fault.InvalidField("state", "%s has no use for state and overlay", s.Source)
	}
	if s.State != Draft {
		if err := oneOf("state", s.State, States...); err != nil {
			return err
		}
	}
	if s.Channel != "" {
		return oneOf("channel", s.Channel, Channels...)
	}
	return nil
}

// Holds reports whether a case that came in in the window is in a scope
// FromReceived, as it stood at as-of.
func (s *Scope) Holds(c *Case) bool {
	if c.State == Void && s.State != Void || s.State != Draft && s.State != c.State || !c.Overlays.Has(s.Overlay) {
		return false
	}
	return s.passes(&Fact{Street: c.Place.Street, Grid: c.Place.GridCode, Department: c.Cycle.Lead.Code, Item: c.Item, Major: c.Class.Major, Channel: c.Channel})
}

// AsOf is how r stood then, or false when it had not come in.
func (r *Record) AsOf(at time.Time) (Case, bool) {
	n := len(r.Entries)
	for n > 0 && r.Entries[n-1].At.After(at) {
		n--
	}
	if n == len(r.Entries) {
		return r.Case, n > 0
	}
	c, err := Replay(r.Entries[:n])
	return c, err == nil && n > 0
}

// Drawing is what was drawn, and all that it takes to draw it again.
type Drawing struct {
	AsOf       time.Time `json:"as_of"`
	Generation int       `json:"generation,omitzero"` // of grids
	Population int       `json:"population"`          // how many there were to draw from
	Hash       string    `json:"hash"`                // of them all: Digest
	Sample     []int64   `json:"sample,omitempty"`    // cases, or IDs of grids
}

// Digest names a set of cases or grids, which are in order: SHA-256 over their
// numbers, eight bytes each, big-endian.
func Digest(ids []int64) string {
	h := sha256.New()
	var b [8]byte
	for _, id := range ids {
		binary.BigEndian.PutUint64(b[:], uint64(id))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
