// Package grid holds what the district is made of: responsibility grids, the
// streets they lie in, the departments that answer for them, and the
// Generation, an immutable snapshot of all of them with their borders.
//
// It answers nothing about a point; that is locate's work.
package grid

import (
	"github.com/paulmach/orb"
)

// ID names a grid for good. Official codes may be renumbered; an ID is never
// used again for another grid. The same number is the grid's face in the
// generation's partition.
type ID uint32

const (
	// None is no grid: outside the district, or in a hole in coverage.
	None ID = 0
	// MaxID is the greatest ID.
	MaxID ID = 1<<24 - 1
)

// Kind tells who runs a grid.
type Kind string

const (
	// Urban grids are patrolled by a street's full-time team.
	Urban Kind = "urban"
	// Autonomous grids are run by villages, communities, parks and markets.
	Autonomous Kind = "autonomous"
)

// Department is an organisation that cases are dispatched to.
type Department struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Street is a street, town or development zone (街镇) of the district.
type Street struct {
	Code string    `json:"code"`
	Name string    `json:"name"`
	Seat orb.Point `json:"seat"` // of its administration, WGS-84; zero when unknown
}

// Grid is one responsibility grid. AreaM2, Label and Bound follow from its
// borders and are set by New.
type Grid struct {
	ID         ID
	Code, Name string
	Kind       Kind   // empty when a boundary file does not tell
	Street     string // code of the street; empty when the file has none
	Department Department

	AreaM2 float64
	Label  orb.Point // a point well inside, for a name
	Bound  orb.Bound
}
