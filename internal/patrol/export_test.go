package patrol

import "lianqin/internal/locate"

// What the tests against the real store share with those within.
var (
	Town  = town
	Seen  = seen
	At    = at
	GridM = gridM
	Eight = eight
)

// AllTime are the borders of x for ever.
func AllTime(x *locate.Index) Boundaries { return always{x} }

// RegistryOf is a Registry of s that nothing changes.
func RegistryOf(s *Staff) *Registry {
	r := &Registry{}
	r.staff.Store(s)
	return r
}
