package patrol

import (
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// UnitID names a unit for good, inside the service. It is small and dense
// from 1, so that it indexes slices; 0 is no unit.
type UnitID uint32

// Kind is what sort of patrol a unit is.
type Kind string

const (
	// GridPatrol walks the grids of its street.
	GridPatrol Kind = "grid-patrol"
	// MobilePatrol assists enforcement wherever it is sent.
	MobilePatrol Kind = "mobile-patrol"
	// Vehicle is a car or scooter with a terminal of its own.
	Vehicle Kind = "vehicle"
)

// Kinds are all kinds, in the order of pages and of the codes in frames.
var Kinds = []Kind{GridPatrol, MobilePatrol, Vehicle}

// Duty says when a unit's positions are kept.
type Duty string

const (
	// ByRoster is on duty during its shifts, and at no other time.
	ByRoster Duty = "roster"
	// Always is for vehicles and posts that are on duty day and night.
	Always Duty = "always"
)

// Team is a patrol team (巡防队) of a street.
type Team struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Street string `json:"street"` // code
}

// Unit is one patrol member or vehicle. Code is what people call it by, and
// unique; Name is a person's, and as private.
type Unit struct {
	ID      UnitID    `json:"-"`
	Code    string    `json:"code"`
	Name    string    `json:"name"`
	Kind    Kind      `json:"kind"`
	Team    string    `json:"team"`             // code
	Street  string    `json:"street"`           // code of the street whose business it is
	Grids   []grid.ID `json:"-"`                // assigned; none for who goes everywhere
	Duty    Duty      `json:"duty"`             // ByRoster unless it says otherwise
	Retired time.Time `json:"retired,omitzero"` // from then on it reports no more
}

// Device is how one device reports: for which unit, and what its numbers
// mean. Its ID is that of its token.
type Device struct {
	ID string `json:"id"`
	// Unit is whom it reports for. With 0 it is a gateway: it names the unit
	// of every fix, which must be of its token's jurisdiction.
	Unit  UnitID    `json:"-"`
	Datum geo.Datum `json:"datum"` // of the positions it sends; WGS-84 unless it says otherwise
	// SpeedMPS says that an OsmAnd-style speed is in m/s, as the OsmAnd app
	// has it, and not in knots, as Traccar has it.
	SpeedMPS bool `json:"speed_mps,omitempty"`
	// Terminal is the number of a JT/T 808 terminal, digits without leading
	// zeros; empty for other devices. It is unique.
	Terminal string `json:"terminal,omitempty"`
}

// Post is what a shift is for.
type Post string

const (
	// PatrolPost is the ordinary round.
	PatrolPost Post = "patrol"
	// EmergencyPost is the emergency duty, which must be manned day and night.
	EmergencyPost Post = "emergency"
)

// Shift is one unit on duty during [From, To).
type Shift struct {
	Unit UnitID
	Post Post
	From time.Time
	To   time.Time
}
