package casework

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Standard is one version of one of the standards (标准) that work follows. Name
// is empty where only its code is known.
type Standard struct {
	Code    string    `json:"code"`
	Version int       `json:"version"` // from 1
	From    time.Time `json:"from"`    // in force from then on
	Name    string    `json:"name,omitempty"`
}

// ref is how a history cites s.
func (s Standard) ref() string { return s.Code + "/" + strconv.Itoa(s.Version) }

// Register is the register of standards with all their versions. It is
// immutable.
type Register struct{ standards []Standard } // by code, then version

// ReadStandards reads a table of code, version, from (2020-01-01) and name,
// which may be empty. It is Invalid, naming line and column, when a version is there twice or comes
// into force no later than the one before it.
func ReadStandards(r io.Reader) (*Register, error) {
	t, err := openTable("standards", r, "code", "version", "from", "name")
	if err != nil {
		return nil, err
	}
	var reg Register
	for t.next() {
		from, err := time.ParseInLocation(time.DateOnly, t.optional("from"), grid.Zone)
		if err != nil {
			t.wrong("from", "%q is not a date such as 2026-02-15", t.optional("from"))
		}
		s := Standard{Code: t.text("code"), Version: t.positive("version", 1<<15), From: from, Name: t.optional("name")}
		t.refuse(plain("code", s.Code))
		if s.Name != "" {
			t.refuse(plain("name", s.Name))
		}
		at, twice := slices.BinarySearchFunc(reg.standards, s, compareStandard)
		if twice {
			t.wrong("version", "%s version %d is there twice", s.Code, s.Version)
		}
		reg.standards = slices.Insert(reg.standards, at, s)
		if !reg.inOrder(at) {
			t.wrong("from", "%s version %d comes into force out of order", s.Code, s.Version)
		}
	}
	if t.err != nil {
		return nil, t.err
	}
	return &reg, nil
}

// inOrder reports whether version i comes into force after the one before it
// and before the next.
func (r *Register) inOrder(i int) bool {
	s := r.standards[i]
	return (i == 0 || r.standards[i-1].Code != s.Code || s.From.After(r.standards[i-1].From)) &&
		(i+1 == len(r.standards) || r.standards[i+1].Code != s.Code || s.From.Before(r.standards[i+1].From))
}

// With is r with the versions of other beside its own, and in the place of
// those of the same code and number: nothing goes that a history may cite. It
// is Invalid when a version would come into force no later than the one before
// it.
func (r *Register) With(other *Register) (*Register, error) {
	next := Register{slices.Clone(other.standards)}
	for _, s := range r.standards {
		if at, there := slices.BinarySearchFunc(next.standards, s, compareStandard); !there {
			next.standards = slices.Insert(next.standards, at, s)
		}
	}
	for i := 1; i < len(next.standards); i++ {
		if a, b := next.standards[i-1], next.standards[i]; a.Code == b.Code && !b.From.After(a.From) {
			return nil, fault.InvalidField("from", "%s version %d would come into force on %s, no later than version %d on %s",
				b.Code, b.Version, b.From.Format(time.DateOnly), a.Version, a.From.Format(time.DateOnly))
		}
	}
	return &next, nil
}

// WriteStandards writes the table as ReadStandards reads it.
func (r *Register) WriteStandards(w io.Writer) error {
	rows := [][]string{{"code", "version", "from", "name"}}
	for _, s := range r.standards {
		rows = append(rows, []string{s.Code, strconv.Itoa(s.Version), s.From.Format(time.DateOnly), s.Name})
	}
	return writeRows(w, rows)
}

// Cited are the standards that transitions and inspections follow, by code, and
// the actions that do.
func Cited() map[string][]Action {
	cited := map[string][]Action{inspecting: {}}
	for _, t := range LifeCycle {
		if !slices.Contains(cited[t.Standard], t.Action) {
			cited[t.Standard] = append(cited[t.Standard], t.Action)
		}
	}
	return cited
}

func compareStandard(a, b Standard) int {
	return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Version, b.Version))
}

// Standards are all versions, by code.
func (r *Register) Standards() []Standard { return r.standards }

// At is the version of a standard in force at that time; NotFound when there
// is none.
func (r *Register) At(code string, at time.Time) (Standard, error) {
	for _, s := range slices.Backward(r.standards) {
		if s.Code == code && !at.Before(s.From) {
			return s, nil
		}
	}
	return Standard{}, fault.New(fault.NotFound, "standard %s was not in force at %s", code, at.Format(time.DateOnly))
}
