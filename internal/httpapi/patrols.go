package httpapi

import (
	"slices"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// registry is who patrols, and the way to change it.
func (a *API) registry() (*patrol.Registry, error) {
	if a.cfg.Patrols == nil {
		return nil, fault.New(fault.Unavailable, "patrols are not kept here")
	}
	return a.cfg.Patrols, nil
}

// sight is what of patrols one caller may see.
type sight struct {
	caller auth.Caller
	staff  *patrol.Staff
	grids  *grid.Generation // in force
	own    grid.ID          // of a village's jurisdiction
}

// see begins to answer a caller about patrols.
func (a *API) see(c *gin.Context) (*sight, error) {
	r, err := a.registry()
	if err != nil {
		return nil, err
	}
	d, err := a.inForce()
	if err != nil {
		return nil, err
	}
	return sightOf(callerOf(c), r.Staff(), d.gen), nil
}

func sightOf(caller auth.Caller, staff *patrol.Staff, gen *grid.Generation) *sight {
	s := &sight{caller: caller, staff: staff, grids: gen}
	if j := caller.Jurisdiction; j.Level == auth.Village {
		if g, ok := gen.GridByCode(j.Code); ok {
			s.own = g.ID
		}
	}
	return s
}

// covers reports whether u is the caller's business: a unit is its street's,
// and of the villages whose grids it is assigned.
func (s *sight) covers(u *patrol.Unit) bool {
	j := s.caller.Jurisdiction
	if j.Level == auth.Village {
		return s.own != grid.None && slices.Contains(u.Grids, s.own)
	}
	return j.Covers(auth.Place{Street: u.Street})
}

// coversGrid reports whether g is the caller's business.
func (s *sight) coversGrid(g *grid.Grid) bool {
	return s.caller.Jurisdiction.Covers(auth.Place{Street: g.Street, Grid: g.Code})
}

// unit is the caller's unit of that code. Another's is NotFound as if there
// were none.
func (s *sight) unit(code string) (*patrol.Unit, error) {
	u, ok := s.staff.UnitByCode(code)
	if !ok || !s.covers(u) {
		return nil, fault.New(fault.NotFound, "there is no unit %q", clipText(code))
	}
	return u, nil
}

// names reports whether the caller may know who is behind a code.
func (s *sight) names() bool { return s.caller.Role != auth.Viewer }

// code is what people call a unit that the caller may see, or "".
func (s *sight) code(id patrol.UnitID) string {
	if u, ok := s.staff.Unit(id); ok && s.covers(u) {
		return u.Code
	}
	return ""
}

// editor is the caller as the registry knows who changes it.
func (s *sight) editor() patrol.Editor {
	return patrol.Editor{Who: s.caller.Name, Role: string(s.caller.Role), Address: s.caller.Address, May: func(street string) bool {
		_, ok := s.grids.Street(street)
		return ok && s.caller.Jurisdiction.Covers(auth.Place{Street: street})
	}}
}

// only is parameter i as a street that is the caller's; "" when it was not
// given.
func (s *sight) only(p *params, i int) (string, error) {
	street := p.values[i]
	if !p.has(i) {
		return "", nil
	}
	if _, ok := s.grids.Street(street); !ok {
		return "", fault.InvalidField(p.names[i], "there is no street %.40q", street)
	}
	return street, nil
}
