package casework

import (
	"slices"
	"time"

	"lianqin/internal/fault"
)

// Editions are the versions of a catalogue, numbered from 1 without a gap,
// each in force from its own instant until the next one's.
type Editions struct{ versions []*Catalogue }

// NewEditions is Invalid unless the versions are numbered 1, 2, 3 … and come
// into force in that order.
func NewEditions(versions ...*Catalogue) (*Editions, error) {
	for i, c := range versions {
		if c.number != i+1 {
			return nil, fault.InvalidField("number", "version %d of the catalogue stands at place %d", c.number, i+1)
		}
		if i > 0 && !c.from.After(versions[i-1].from) {
			return nil, fault.InvalidField("from", "version %d of the catalogue does not come after version %d", c.number, i)
		}
	}
	return &Editions{slices.Clone(versions)}, nil
}

// Versions are all versions by number.
func (e *Editions) Versions() []*Catalogue { return e.versions }

// At is the version in force at that time; NotFound before the first.
func (e *Editions) At(at time.Time) (*Catalogue, error) {
	for _, c := range slices.Backward(e.versions) {
		if !at.Before(c.from) {
			return c, nil
		}
	}
	return nil, fault.New(fault.NotFound, "no catalogue is in force at %s", at.Format(time.RFC3339))
}

// Version is the version of that number, or NotFound: a case asks for the one
// that it was filed under.
func (e *Editions) Version(number int) (*Catalogue, error) {
	if number < 1 || number > len(e.versions) {
		return nil, fault.New(fault.NotFound, "there is no version %d of the catalogue", number)
	}
	return e.versions[number-1], nil
}
