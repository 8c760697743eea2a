package patrol

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

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

// Registry is the Roll in memory, as a Staff behind one atomic pointer, and
// all changes to it. It is safe for concurrent use.
type Registry struct {
	register Register
	staff    atomic.Pointer[Staff]
	mu       sync.Mutex // over loading
	changed  chan struct{}
}

// OpenRegistry reads the roll.
func OpenRegistry(ctx context.Context, register Register) (*Registry, error) {
	r := &Registry{register: register, changed: make(chan struct{})}
	return r, r.Reload(ctx)
}

// Staff is the roll as it is known now.
func (r *Registry) Staff() *Staff { return r.staff.Load() }

// Revision is that of Staff.
func (r *Registry) Revision() int64 { return r.Staff().revision }

// Unit is Staff's.
func (r *Registry) Unit(id UnitID) (*Unit, bool) { return r.Staff().Unit(id) }

// UnitByCode is Staff's.
func (r *Registry) UnitByCode(code string) (*Unit, bool) { return r.Staff().UnitByCode(code) }

// Device is Staff's.
func (r *Registry) Device(id string) (*Device, bool) { return r.Staff().Device(id) }

// Terminal is Staff's.
func (r *Registry) Terminal(number string) (*Device, bool) { return r.Staff().Terminal(number) }

// OnDuty is Staff's.
func (r *Registry) OnDuty(unit UnitID, at int64) bool { return r.Staff().OnDuty(unit, at) }

// Reload brings Staff up to the register's roll.
func (r *Registry) Reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	roll, err := r.register.Roll(ctx)
	if err != nil {
		return err
	}
	staff, err := NewStaff(roll)
	if err != nil {
		return err
	}
	old := r.staff.Swap(staff)
	if old != nil && old.revision != staff.revision {
		close(r.changed)
		r.changed = make(chan struct{})
	}
	return nil
}

// Changed is closed when Staff is next replaced by one of another revision.
func (r *Registry) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// Poll is how often Follow looks: others' changes count within a second.
const Poll = 500 * time.Millisecond

// Follow reloads whenever another process changed the roll, until ctx ends.
// What goes wrong is told to failed, and Staff stays as it is until looking
// works again.
func (r *Registry) Follow(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		revision, err := r.register.RollRevision(ctx)
		if err == nil && revision != r.Revision() {
			err = r.Reload(ctx)
		}
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}
