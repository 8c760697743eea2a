package casework

import "slices"

// Role is what somebody does in the life of a case. It is the work of the
// moment and not an account's rank: whoever signs in brings the roles that the
// centre gave him.
type Role string

// The roles.
const (
	Patrol         Role = "patrol"          // 巡防队员
	Village        Role = "village"         // 村居工作站
	Citizen        Role = "public"          // 市民
	Hotline        Role = "12345"           // 12345 平台
	Clerk          Role = "clerk"           // 受理员
	ShiftLeader    Role = "shift-leader"    // 值班长
	Dispatcher     Role = "dispatcher"      // 派遣员
	Handler        Role = "department"      // 处置部门
	DeputyDirector Role = "deputy-director" // 分管副主任
	Inspector      Role = "inspector"       // 督查员
)

// Roles are all roles.
var Roles = []Role{Patrol, Village, Citizen, Hotline, Clerk, ShiftLeader, Dispatcher, Handler, DeputyDirector, Inspector}

// Actor is who acts: a person or a device in one role. Street and Grid are
// codes, and empty for who acts for the whole district; Department is the code
// of a Handler's.
type Actor struct {
	ID         string `json:"id"`
	Role       Role   `json:"role"`
	Street     string `json:"street,omitempty"`
	Grid       string `json:"grid,omitempty"`
	Department string `json:"department,omitempty"`
}

// Tier says at which level of command somebody has to stand.
type Tier string

const (
	// AnyTier is street or district.
	AnyTier Tier = ""
	// StreetTier is the street's centre alone.
	StreetTier Tier = "street"
	// DistrictTier is the district's centre alone.
	DistrictTier Tier = "district"
)

// reaches reports whether c is who's business: a centre's people act on what
// their centre has, the district's on everything; departments on what they
// lead, or, for party, take part in; patrols, villages and inspectors on what
// lies where they work.
func (t *Transition) reaches(c *Case, who Actor) bool {
	switch who.Role {
	case Clerk, ShiftLeader, Dispatcher, DeputyDirector:
		switch t.Tier {
		case StreetTier:
			return who.Street != "" && who.Street == c.Centre
		case DistrictTier:
			return who.Street == ""
		}
		return who.Street == "" || who.Street == c.Centre || c.State == Draft
	case Handler:
		if who.Department == "" {
			return false
		}
		return who.Department == c.Cycle.Lead.Code || t.Party && c.party(who.Department)
	case Patrol, Inspector, Village:
		return c.State == Draft || (who.Street == "" || who.Street == c.Place.Street) && (who.Grid == "" || who.Grid == c.Place.GridCode)
	}
	return true
}

// Handles reports whether c is who's to deal with, so that he may know who
// reported it: the centre that has it, and the department that leads.
func (c *Case) Handles(who Actor) bool {
	switch who.Role {
	case Clerk, ShiftLeader, Dispatcher, DeputyDirector:
		return who.Street == "" || who.Street == c.Centre
	case Handler:
		return who.Department != "" && who.Department == c.Cycle.Lead.Code
	}
	return false
}

// Concerns reports whether a department has a part in c: it leads, or takes part.
func (c *Case) Concerns(department string) bool {
	return department != "" && (department == c.Cycle.Lead.Code || c.party(department))
}

// Parties are the codes of the departments that take part beside the lead: in
// support, or in a joint duty.
func (c *Case) Parties() []string {
	var out []string
	for _, d := range c.Cycle.Support {
		out = append(out, d.Code)
	}
	if j := c.Cycle.Joint; j != nil {
		out = append(append(out, j.Core...), j.Joining...)
	}
	out = slices.DeleteFunc(out, func(code string) bool { return code == "" || code == c.Cycle.Lead.Code })
	slices.Sort(out)
	return slices.Compact(out)
}

// party reports whether a department takes part beside the lead.
func (c *Case) party(department string) bool {
	for _, d := range c.Cycle.Support {
		if d.Code == department {
			return true
		}
	}
	return c.Cycle.Joint != nil && (slices.Contains(c.Cycle.Joint.Core, department) || slices.Contains(c.Cycle.Joint.Joining, department))
}
