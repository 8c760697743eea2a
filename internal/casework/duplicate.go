package casework

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
)

// Hint says that another case may be the same.
type Hint struct {
	Case      int64         `json:"case"`
	State     State         `json:"state"`
	DistanceM float64       `json:"distance_m"`
	Apart     time.Duration `json:"apart_ns"` // between the two captures
}

// DuplicateBox is the box in which Duplicates looks for cases of that kind.
func (r *Rules) DuplicateBox(kind Kind, at orb.Point) orb.Bound {
	s, m := geo.ScaleAt(at[1]), r.DuplicateM[kind]
	return orb.Bound{Min: orb.Point{at[0] - m/s.XM, at[1] - m/s.YM}, Max: orb.Point{at[0] + m/s.XM, at[1] + m/s.YM}}
}

// Duplicates are the cases among others that may be the same as one of that
// item, seen there and then: of the same item, as near as the rules say for
// its kind, and captured within their time. A component that is still being
// dealt with is the same however long ago it was reported. The nearest come
// first; void cases and id itself do not count.
func (r *Rules) Duplicates(id int64, item *Item, at orb.Point, captured time.Time, others iter.Seq[*Case]) []Hint {
	var out []Hint
	for c := range others {
		if c.ID == id || c.Item != item.Code || c.State == Void || c.State == Draft {
			continue
		}
		d := geo.DistanceM(at, c.Place.At)
		apart := captured.Sub(c.Captured).Abs()
		if d <= r.DuplicateM[item.Kind] && (apart <= r.DuplicateFor[item.Kind] || item.Kind == Component && c.State.Open()) {
			out = append(out, Hint{Case: c.ID, State: c.State, DistanceM: d, Apart: apart})
		}
	}
	slices.SortFunc(out, func(a, b Hint) int {
		return cmp.Or(cmp.Compare(a.DistanceM, b.DistanceM), cmp.Compare(a.Apart, b.Apart), cmp.Compare(a.Case, b.Case))
	})
	return out
}
