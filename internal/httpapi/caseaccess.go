package httpapi

import (
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

// caseRoles is what an account's role does in the life of a case, and for how
// wide a jurisdiction that has a meaning. A role that is not here, or is held
// for another, has no part in it.
var caseRoles = map[auth.Role]struct {
	does   []casework.Role
	levels []auth.Level
}{
	auth.DistrictOperator: {[]casework.Role{casework.Clerk, casework.ShiftLeader, casework.Dispatcher, casework.DeputyDirector, casework.Hotline},
		[]auth.Level{auth.District, auth.Street}},
	auth.StreetOperator:    {[]casework.Role{casework.Clerk, casework.ShiftLeader, casework.Dispatcher}, []auth.Level{auth.Street}},
	auth.AcceptanceClerk:   {[]casework.Role{casework.Clerk, casework.Hotline}, []auth.Level{auth.District, auth.Street}},
	auth.ShiftLeader:       {[]casework.Role{casework.ShiftLeader}, []auth.Level{auth.District, auth.Street}},
	auth.Dispatcher:        {[]casework.Role{casework.Dispatcher}, []auth.Level{auth.District, auth.Street}},
	auth.DeputyDirector:    {[]casework.Role{casework.DeputyDirector}, []auth.Level{auth.District}},
	auth.VillageStation:    {[]casework.Role{casework.Village}, []auth.Level{auth.Village}},
	auth.DepartmentHandler: {[]casework.Role{casework.Handler}, []auth.Level{auth.Department}},
	auth.Inspector:         {[]casework.Role{casework.Inspector}, []auth.Level{auth.District, auth.Street, auth.Village}},
	auth.PatrolDevice:      {[]casework.Role{casework.Patrol}, []auth.Level{auth.District, auth.Street, auth.Village}},
}

// actorsOf is caller in each of the capacities in which he may act.
func actorsOf(caller auth.Caller) []casework.Actor {
	table, j := caseRoles[caller.Role], caller.Jurisdiction
	if !slices.Contains(table.levels, j.Level) {
		return nil
	}
	out := make([]casework.Actor, len(table.does))
	for i, role := range table.does {
		out[i] = casework.Actor{ID: caller.Name, Role: role}
		switch j.Level {
		case auth.Street:
			out[i].Street = j.Code
		case auth.Village:
			out[i].Grid = j.Code
		case auth.Department:
			out[i].Department = j.Code
		}
	}
	return out
}

// coversCase reports whether c is the caller's business: what lies in his
// jurisdiction, and of a department what it leads or has a part in.
func coversCase(j auth.Jurisdiction, c *casework.Case) bool {
	if j.Level == auth.Department {
		return c.Concerns(j.Code)
	}
	return j.Covers(auth.Place{Street: c.Place.Street, Grid: c.Place.GridCode})
}

func (a *API) desk() (*casework.Desk, error) {
	if a.cfg.Desk == nil {
		return nil, fault.New(fault.Unavailable, "cases are not kept here")
	}
	return a.cfg.Desk, nil
}

// caseOf is the case that the path names. Another's is NotFound as if there
// were none.
func (a *API) caseOf(c *gin.Context) (*casework.Desk, *casework.Record, error) {
	d, err := a.desk()
	if err != nil {
		return nil, nil, err
	}
	none := fault.New(fault.NotFound, "there is no case %q", clipText(c.Param("id")))
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id < 1 {
		return nil, nil, none
	}
	r, err := d.Case(c.Request.Context(), id)
	if err != nil {
		return nil, nil, err
	}
	if !coversCase(callerOf(c).Jurisdiction, &r.Case) {
		return nil, nil, none
	}
	return d, r, nil
}

// narrowed is what a filter asks for within what is the caller's: his own
// where it asks for nothing, and NotFound where it asks for another's.
func narrowed(param, asked, own string) (string, error) {
	if asked == "" || asked == own {
		return own, nil
	}
	return "", &fault.Error{Kind: fault.NotFound, Field: param, Msg: "there is no " + param + " " + strconv.Quote(clipText(asked))}
}

// narrow keeps a filter by street, grid and department within j.
func narrow(j auth.Jurisdiction, street, grid, department *string) (err error) {
	switch j.Level {
	case auth.Street:
		*street, err = narrowed("street", *street, j.Code)
	case auth.Village:
		*grid, err = narrowed("grid", *grid, j.Code)
	case auth.Department:
		*department, err = narrowed("department", *department, j.Code)
	}
	return err
}
