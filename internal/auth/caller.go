package auth

// Caller is who makes a request, once it is known. The zero Caller has no
// role and may do nothing.
type Caller struct {
	Name         string // "login", "device:ID", "link:ID" or "public"
	Role         Role
	Jurisdiction Jurisdiction
	Address      string
	Token        *Token // nil for Public
	CSRF         string // what an unsafe request must carry; empty when not from a cookie
}

// Event begins an audit event of c.
func (c Caller) Event(action, subject string) Event {
	return Event{Who: c.Name, Role: c.Role, Address: c.Address, Action: action, Subject: subject}
}

// May reports whether c may do a to a thing at p.
func (c Caller) May(a Action, p Place) bool { return c.Role.May(a) && c.Jurisdiction.Covers(p) }
