package auth

import "context"

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

// Operator is whoever runs the program's commands on its own machine.
func Operator(name string) Caller {
	return Caller{Name: name, Role: Administrator, Jurisdiction: WholeDistrict, Address: "local"}
}

type callerKey struct{}

// WithCaller is ctx for work done on c's behalf, which the audit chain then
// names.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom is on whose behalf ctx works, or false.
func CallerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
