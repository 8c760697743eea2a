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

// Standard is one version of one of the standards (标准) that work follows.
type Standard struct {
	Code    string    `json:"code"`
	Version int       `json:"version"` // from 1
	From    time.Time `json:"from"`    // in force from then on
	Name    string    `json:"name"`
}

// ref is how a history cites s.
func (s Standard) ref() string { return s.Code + "/" + strconv.Itoa(s.Version) }

// Register is the register of standards with all their versions. It is
// immutable.
type Register struct{ standards []Standard } // by code, then version

// ReadStandards reads a table of code, version, from (2020-01-01) and name. It
// is Invalid, naming line and column, when a version is there twice or comes
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
		s := Standard{Code: t.text("code"), Version: t.positive("version", 1<<15), From: from, Name: t.text("name")}
		t.refuse(plain("code", s.Code))
		t.refuse(plain("name", s.Name))
		at, twice := slices.BinarySearchFunc(reg.standards, s, compareStandard)
		switch {
		case twice:
			t.wrong("version", "%s version %d is there twice", s.Code, s.Version)
		case at > 0 && reg.standards[at-1].Code == s.Code && !s.From.After(reg.standards[at-1].From),
			at < len(reg.standards) && reg.standards[at].Code == s.Code && !s.From.Before(reg.standards[at].From):
			t.wrong("from", "%s version %d comes into force out of order", s.Code, s.Version)
		}
		reg.standards = slices.Insert(reg.standards, at, s)
	}
	if t.err != nil {
		return nil, t.err
	}
	return &reg, nil
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
