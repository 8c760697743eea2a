package demo

import (
	"fmt"
	"strconv"
	"strings"

	"lianqin/geodata"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// departments are the names of the two kinds of department that answer for
// grids, as the list of departments has them.
type departments struct{ centre, station string }

const (
	centreCode  = "S01" // one a street, answers for its urban grids
	stationCode = "S15" // one an autonomous grid
)

func departmentNames() (departments, error) {
	var d departments
	err := eachRow("departments.csv", geodata.Departments, func(r row) error {
		switch r.text("code") {
		case centreCode:
			d.centre = r.text("name")
		case stationCode:
			d.station = r.text("name")
		}
		return nil
	})
	if err == nil && (!strings.Contains(d.centre, "街镇") || !strings.Contains(d.station, "村居")) {
		err = fault.New(fault.Invalid, "departments.csv: no templates %s for a 街镇 and %s for a 村居", centreCode, stationCode)
	}
	return d, err
}

// grid is the n-th grid of that kind in the street, without an ID. At greater
// scales the villages' names come round again, with a number.
func (w *ward) grid(kind grid.Kind, n, scale int, names departments) grid.Grid {
	g := grid.Grid{Kind: kind, Street: w.code}
	if kind == grid.Urban {
		number := padded(n, w.urban*scale*scale)
		g.Code = w.code + "U" + number
		g.Name = fmt.Sprintf("%s城区%s网格", w.name, number)
		g.Department = grid.Department{Code: w.code + "-" + centreCode, Name: strings.Replace(names.centre, "街镇", w.name, 1)}
		return g
	}
	g.Code = w.code + "A" + padded(n, w.autonomous*scale*scale)
	g.Name = w.villages[(n-1)%w.autonomous]
	if round := (n - 1) / w.autonomous; round > 0 {
		g.Name += strconv.Itoa(round + 1)
	}
	g.Department = grid.Department{Code: g.Code + "-" + stationCode, Name: strings.Replace(names.station, "村居", g.Name, 1)}
	return g
}

// padded is n with as many digits as the last of total has: two at least.
func padded(n, total int) string {
	return fmt.Sprintf("%0*d", max(2, len(strconv.Itoa(total))), n)
}
