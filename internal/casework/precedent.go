package casework

import (
	"math"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Precedent is a ruling by coordination: who leads for that item at that
// place.
type Precedent struct {
	Case  int64           `json:"case"`
	Item  string          `json:"item"`
	At    orb.Point       `json:"at"` // WGS-84 degrees
	Lead  grid.Department `json:"lead"`
	Ruled time.Time       `json:"ruled"`
	By    string          `json:"by"`
}

// PlacedPrecedent is a Precedent and where it lies; Street and Grid are codes,
// empty outside the grids in force.
type PlacedPrecedent struct {
	Precedent
	Street string `json:"street"`
	Grid   string `json:"grid"`
}

// PrecedentOf is the precedent that an entry makes, or false: a ruling that
// names a department, on a case that has an item and a place. C is the case
// after the entry.
func PrecedentOf(c *Case, e *Entry) (Precedent, bool) {
	if e.Action != Rule && e.Action != Reassign || e.Input.Assignment == nil || c.Item == "" || c.Place.Generation == 0 {
		return Precedent{}, false
	}
	return Precedent{Case: c.ID, Item: c.Item, At: c.Place.At, Lead: e.Input.Assignment.Lead, Ruled: e.At, By: e.By.ID}, true
}

// Precedents finds rulings by item and place. It is immutable; nil has none.
type Precedents struct{ byItem map[string][]Precedent }

// NewPrecedents holds all of them.
func NewPrecedents(all []Precedent) *Precedents {
	p := &Precedents{byItem: make(map[string][]Precedent)}
	for _, r := range all {
		p.byItem[r.Item] = append(p.byItem[r.Item], r)
	}
	return p
}

// Find is the ruling on that item nearest to at and within radiusM metres, of
// several at the same place the latest; or false.
func (p *Precedents) Find(item string, at orb.Point, radiusM float64) (Precedent, bool) {
	if p == nil {
		return Precedent{}, false
	}
	var found Precedent
	best := math.Inf(1)
	for _, r := range p.byItem[item] {
		d := geo.DistanceM(at, r.At)
		if d > radiusM || d > best || d == best && !r.Ruled.After(found.Ruled) {
			continue
		}
		found, best = r, d
	}
	return found, !math.IsInf(best, 1)
}
