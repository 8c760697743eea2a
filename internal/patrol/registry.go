package patrol

import "context"

// Roll is everything that was entered about who patrols: what a Registry is
// made of. Shifts are those that end after the store's choosing of what is
// long past.
type Roll struct {
	Revision int64
	Teams    []Team
	Units    []Unit
	Devices  []Device
	Shifts   []Shift
}

// Register keeps the Roll.
type Register interface {
	// RollRevision is cheap, for looking often.
	RollRevision(ctx context.Context) (int64, error)
	// Roll is a consistent reading of all of it.
	Roll(ctx context.Context) (*Roll, error)
	// UpdateRoll lets f change the roll as it is, in one transaction that no
	// other runs beside: f returns what to enter, and what to say of it in the
	// audit chain, which is appended in the same transaction.
	UpdateRoll(ctx context.Context, f func(*Roll) (*RollChange, error)) (int64, error)
}

// RollChange is what to enter: rows by their keys (Team.Code, Unit.ID,
// Device.ID). A Unit with ID 0 is new and gets the next. Shifts replace all
// shifts of their units that touch a span of theirs in Replace.
type RollChange struct {
	Teams   []Team
	Units   []Unit
	Devices []Device
	Shifts  []Shift
	Replace []Shift // spans, by unit, whose shifts go before Shifts come
	Audit   []Note
}

// Note is one line for the audit chain.
type Note struct {
	Who, Role, Address string
	Action, Subject    string
	Before, After      []byte // JSON, or nil
}
