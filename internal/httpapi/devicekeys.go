package httpapi

import (
	"context"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/ingest"
	"lianqin/internal/patrol"
)

// deviceKeys are the devices as ingest asks for them: a token of the gate, and
// how the registry says that its holder reports.
type deviceKeys struct {
	gate  *auth.Gate
	staff func() *patrol.Staff
	atlas *grid.Atlas
	now   func() time.Time

	turn   chan struct{}         // of capacity 1: held by who reads or writes what follows
	tokens map[string]auth.Token // device tokens by ID, as of until - tokensFor
	until  time.Time
}

// tokensFor is how long a terminal may report after its token was revoked.
const tokensFor = 5 * time.Second

// DeviceKeys are the devices of a gate and a registry.
func DeviceKeys(gate *auth.Gate, registry *patrol.Registry, atlas *grid.Atlas, now func() time.Time) ingest.Keys {
	return &deviceKeys{gate: gate, staff: registry.Staff, atlas: atlas, now: now, turn: make(chan struct{}, 1)}
}

// Secret is the device that holds secret.
func (k *deviceKeys) Secret(ctx context.Context, secret, address string) (ingest.Sender, error) {
	caller, err := k.gate.Caller(ctx, secret, address)
	if err != nil {
		return ingest.Sender{}, err
	}
	if !caller.Role.May(auth.SendPositions) {
		return ingest.Sender{}, fault.New(fault.Denied, "%s is no device", caller.Name)
	}
	return senderOf(caller, k.staff(), k.atlas)
}

// Terminal is the device whose JT/T 808 terminal has that number.
func (k *deviceKeys) Terminal(ctx context.Context, number string) (ingest.Sender, error) {
	staff := k.staff()
	d, ok := staff.Terminal(number)
	if !ok {
		return ingest.Sender{}, fault.New(fault.Denied, "no terminal %.20q is registered", number)
	}
	t, err := k.token(ctx, d.ID)
	if err != nil {
		return ingest.Sender{}, err
	}
	return senderOf(auth.Caller{Name: "device:" + t.ID, Role: t.Role, Jurisdiction: t.Jurisdiction, Token: &t}, staff, k.atlas)
}

// token is the device token of that ID; Denied when it has ended. Nobody waits
// for a database that hangs longer than ctx lets him.
func (k *deviceKeys) token(ctx context.Context, id string) (auth.Token, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return auth.Token{}, fault.New(fault.Unavailable, "device %s: the database does not answer: %w", id, ctx.Err())
	}
	now := k.now()
	if !now.Before(k.until) {
		all, err := k.gate.Tokens(ctx, auth.Operator("ingest"), auth.Device)
		if err != nil {
			return auth.Token{}, err
		}
		k.tokens = make(map[string]auth.Token, len(all))
		for _, t := range all {
			k.tokens[t.ID] = t
		}
		k.until = now.Add(tokensFor)
	}
	t, ok := k.tokens[id]
	if !ok || !t.Live(now) {
		return auth.Token{}, fault.New(fault.Denied, "device %s has ended", id)
	}
	return t, nil
}

// senderOf is how the holder of a device token reports. One that was never
// bound is a gateway of WGS-84.
func senderOf(caller auth.Caller, staff *patrol.Staff, atlas *grid.Atlas) (ingest.Sender, error) {
	from := ingest.Sender{Device: patrol.Device{ID: caller.Token.ID, Datum: geo.WGS84}}
	if d, ok := staff.Device(caller.Token.ID); ok {
		from.Device = *d
	}
	if from.Device.Unit != 0 {
		if u, ok := staff.Unit(from.Device.Unit); ok {
			from.Unit = *u
		}
		return from, nil
	}
	gen, ok := atlas.Current()
	if !ok && caller.Jurisdiction.Level == auth.Village {
		return from, fault.New(fault.Unavailable, "no boundaries are in force, by which a village's units are told")
	}
	s := sightOf(caller, staff, gen)
	from.Speaks = func(code string) (patrol.Unit, bool) {
		u, err := s.unit(code)
		if err != nil {
			return patrol.Unit{}, false
		}
		return *u, true
	}
	return from, nil
}
