package auth

import (
	"strings"

	"lianqin/internal/fault"
)

// Level is how wide a jurisdiction is.
type Level string

// The levels. A district, in the zero Jurisdiction too, has no code.
const (
	District   Level = "district"
	Street     Level = "street"
	Village    Level = "village"
	Department Level = "department"
)

// Jurisdiction is what a caller's role applies to: the district, a street (by
// its code), a village (by the code of its grid), or a department (by its
// code, wherever its cases lie).
type Jurisdiction struct {
	Level Level  `json:"level"`
	Code  string `json:"code,omitempty"`
}

// WholeDistrict covers everything.
var WholeDistrict = Jurisdiction{Level: District}

// ParseJurisdiction reads "district" or "street:310114004" and the like.
func ParseJurisdiction(s string) (Jurisdiction, error) {
	level, code, _ := strings.Cut(s, ":")
	j := Jurisdiction{Level(level), code}
	return j, j.Check()
}

func (j Jurisdiction) String() string {
	if j.Code == "" {
		return string(j.Level)
	}
	return string(j.Level) + ":" + j.Code
}

// Check is Invalid when the level is unknown, or has a code where it takes
// none or none where it needs one.
func (j Jurisdiction) Check() error {
	switch j.Level {
	case District:
		if j.Code != "" {
			return fault.InvalidField("jurisdiction", "a district has no code, but %q was given", j.Code)
		}
	case Street, Village, Department:
		if j.Code == "" {
			return fault.InvalidField("jurisdiction", "a %s needs a code, as in %s:310114004", j.Level, j.Level)
		}
	default:
		return fault.InvalidField("jurisdiction", "%q is not district, street, village or department", j.Level)
	}
	return nil
}

// Place is where a thing belongs: empty fields are unknown or do not apply.
type Place struct{ Street, Grid, Department string }

// Covers reports whether a thing at p is j's business.
func (j Jurisdiction) Covers(p Place) bool {
	switch j.Level {
	case District:
		return true
	case Street:
		return j.Code == p.Street
	case Village:
		return j.Code == p.Grid
	case Department:
		return j.Code == p.Department
	}
	return false
}

// Within reports whether all that j covers is covered by k, so that someone
// with k may grant j. A village lies within its street by its code's prefix.
func (j Jurisdiction) Within(k Jurisdiction) bool {
	return k.Level == District || j == k ||
		k.Level == Street && j.Level == Village && strings.HasPrefix(j.Code, k.Code)
}
