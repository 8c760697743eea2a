package casework

import (
	"strings"

	"lianqin/internal/grid"
)

// Level says at which tier a department stands.
type Level string

const (
	// DistrictLevel departments answer for the whole district.
	DistrictLevel Level = "district"
	// StreetLevel departments answer for one street, or are templates that
	// every street has an instance of.
	StreetLevel Level = "street"
)

// Department is one row of the table of departments.
type Department struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Level Level  `json:"level"`
}

const (
	streetWord  = "街镇" // stands in a template's name for the street's
	villageWord = "村居" // stands in a template's name for the village's, which is its grid's
)

// Template reports whether d stands for one instance in each street (or in
// each grid): the codes S01, S02 and so on.
func (d Department) Template() bool {
	digits, ok := strings.CutPrefix(d.Code, "S")
	return ok && d.Level == StreetLevel && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// Instance is department code as it answers in grid g of street s. A template
// becomes the street's: code "310114004-S02", name with the street's in the
// place of 街镇, or before it. A village's template becomes its grid's: code
// "310114004A12-S15", name with the grid's in the place of 村居. Other
// departments are the same everywhere. The zero Department is returned for a
// code that the table does not have.
func (c *Catalogue) Instance(code string, g *grid.Grid, s *grid.Street) grid.Department {
	i, ok := c.byDept[code]
	if !ok {
		return grid.Department{}
	}
	d := c.departments[i]
	plain := grid.Department{Code: d.Code, Name: d.Name}
	if !d.Template() {
		return plain
	}
	if rest, ofVillage := strings.CutPrefix(d.Name, villageWord); ofVillage {
		if g == nil {
			return plain
		}
		instance := grid.Department{Code: g.Code + "-" + d.Code, Name: g.Name + rest}
		if g.Department.Code == instance.Code {
			return g.Department // the station's own name, where the boundary file knows it
		}
		return instance
	}
	if s == nil {
		return plain
	}
	return grid.Department{Code: s.Code + "-" + d.Code, Name: s.Name + strings.TrimPrefix(d.Name, streetWord)}
}
