package demo

import (
	"bytes"
	"encoding/csv"
	"strings"
	"time"

	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// TeamsCSV is the teams as the service's import reads them.
func (s *Staff) TeamsCSV() []byte {
	rows := [][]string{{"code", "name", "street"}}
	for _, t := range s.Teams {
		rows = append(rows, []string{t.Code, t.Name, t.Street})
	}
	return table(rows)
}

// UnitsCSV is the units as the service's import reads them, with gen's codes
// of their grids.
func (s *Staff) UnitsCSV(gen *grid.Generation) []byte {
	rows := [][]string{{"code", "name", "kind", "team", "street", "grids", "duty"}}
	for _, u := range s.Units {
		var grids []string
		for _, id := range u.Grids {
			if g, ok := gen.Grid(id); ok {
				grids = append(grids, g.Code)
			}
		}
		rows = append(rows, []string{u.Code, u.Name, string(u.Kind), u.Team, u.Street, strings.Join(grids, " "), string(u.Duty)})
	}
	return table(rows)
}

// RosterCSV is shifts of s as the service's import reads them.
func (s *Staff) RosterCSV(from, to time.Time) []byte {
	rows := [][]string{{"unit", "post", "from", "to"}}
	for day := dayOf(from); day < dayOf(to); day++ {
		for i := range s.Units {
			if sh, ok := s.on(i, day); ok {
				rows = append(rows, []string{s.Units[i].Code, string(sh.Post), sh.From.Format(time.RFC3339), sh.To.Format(time.RFC3339)})
			}
		}
	}
	return table(rows)
}

// AlwaysOnDuty takes all units off the roster: they are on duty day and night,
// as for a load test.
func (s *Staff) AlwaysOnDuty() {
	for i := range s.Units {
		s.Units[i].Duty = patrol.Always
	}
}

func table(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.WriteAll(rows) // into memory: nothing to fail
	return b.Bytes()
}
