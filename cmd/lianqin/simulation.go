package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/demo"
	"lianqin/internal/grid"
	"lianqin/internal/ingest"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
	"lianqin/internal/simulate"
)

// The demonstration's simulation.
const (
	demoSeed     = 1
	demoInterval = 5 * time.Second
	demoGather   = 500 * time.Millisecond
	demoBatch    = 1000
	// rosterAhead is how far ahead the roster is entered, once less than
	// rosterLeast of it is left: each entering is told in the audit chain, unit
	// by unit.
	rosterAhead = 14 * 24 * time.Hour
	rosterLeast = 5 * 24 * time.Hour
	rosterCheck = time.Hour
)

// simulation is the demonstration's patrols inside the service: who they are,
// and what their devices report.
type simulation struct {
	atlas    *grid.Atlas
	registry *patrol.Registry
	station  *ingest.Station
	gate     *auth.Gate
	log      *slog.Logger

	staff *demo.Staff
}

// startSimulation enters the demonstration's teams, units, vehicles' terminals
// and roster where there are no units yet, keeps the roster going, and has
// whoever is on duty report every five seconds, until ctx ends. Where units of
// others are entered, it leaves them alone and does nothing. What it cannot do
// is logged and no reason for the service to stop: the result is nil.
func startSimulation(ctx context.Context, atlas *grid.Atlas, registry *patrol.Registry, station *ingest.Station, gate *auth.Gate, log *slog.Logger) error {
	m := &simulation{atlas: atlas, registry: registry, station: station, gate: gate, log: log}
	if err := m.run(ctx); err != nil && ctx.Err() == nil {
		log.Error("the demonstration's patrols have stopped", "error", err.Error())
	}
	return nil
}

func (m *simulation) run(ctx context.Context) error {
	gen, ok := m.atlas.Current()
	if !ok {
		m.log.Info("no patrols are simulated: no boundaries are in force")
		return nil
	}
	var err error
	if m.staff, err = demo.Patrols(gen, demoSeed, 0); err != nil {
		return err
	}
	if len(m.registry.Staff().Units()) == 0 {
		if err := m.enlist(ctx); err != nil {
			return err
		}
	}
	if !m.recognise() {
		m.log.Info("no patrols are simulated: the units entered are not the demonstration's")
		return nil
	}
	if err := m.extend(ctx, time.Now()); err != nil {
		return err
	}
	begin := time.Now()
	fleet, err := simulate.NewFleet(locate.New(gen), crewOf(m.staff, begin), simulate.Options{
		Seed: demoSeed, Begin: begin, Interval: demoInterval, Faults: simulate.UsualFaults})
	if err != nil {
		return err
	}
	rolling, stop := context.WithCancel(ctx)
	rolled := make(chan struct{})
	go func() {
		defer close(rolled)
		m.roll(rolling)
	}()
	defer func() {
		stop()
		<-rolled
	}()
	simulate.Run(ctx, fleet, m.wire(), 1, simulate.Pace{Begin: begin, Speed: 1, Gather: demoGather}, nil, nil)
	return nil
}

// editor is the simulation as the audit chain names it.
func (m *simulation) editor() patrol.Editor {
	return patrol.Editor{Who: "demonstration", Role: string(auth.Administrator), Address: "local", May: func(street string) bool {
		gen, ok := m.atlas.Current()
		if !ok {
			return false
		}
		_, ok = gen.Street(street)
		return ok
	}}
}

// enlist enters teams, units and the vehicles' terminals.
func (m *simulation) enlist(ctx context.Context) error {
	if err := m.registry.EnterTeams(ctx, m.editor(), m.staff.Teams); err != nil {
		return err
	}
	codes := make([]string, len(m.staff.Units))
	for i, u := range m.staff.Units {
		codes[i] = u.Code
	}
	units, err := m.registry.UpdateUnits(ctx, m.editor(), codes, func(i int, u *patrol.Unit) error {
		*u = m.staff.Units[i]
		return nil
	})
	if err != nil {
		return err
	}
	for i, u := range units {
		number := m.staff.Terminal(i)
		if number == "" {
			continue
		}
		t := auth.Token{Kind: auth.Device, Name: u.Name, Jurisdiction: auth.Jurisdiction{Level: auth.Street, Code: u.Street}}
		// Nobody needs the secret: a terminal is known by its number.
		if _, err := m.gate.Issue(ctx, operator(), &t); err != nil {
			return err
		}
		if err := m.registry.BindDevice(ctx, m.editor(), patrol.Device{ID: t.ID, Unit: u.ID, Terminal: number}); err != nil {
			return err
		}
	}
	return nil
}

// recognise gives the staff the IDs of the units that are entered, and reports
// whether there are any.
func (m *simulation) recognise() bool {
	known := false
	for i := range m.staff.Units {
		if u, ok := m.registry.UnitByCode(m.staff.Units[i].Code); ok {
			m.staff.Units[i].ID = u.ID
			known = true
		}
	}
	return known
}

// roll keeps the roster going until ctx ends.
func (m *simulation) roll(ctx context.Context) {
	tick := time.NewTicker(rosterCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := m.extend(ctx, time.Now()); err != nil && ctx.Err() == nil {
			m.log.Warn("the demonstration's roster could not be continued", "error", err.Error())
		}
	}
}

// extend enters the roster up to rosterAhead from now, from yesterday on at
// first, when less than rosterLeast of it is left. What somebody entered for a
// day stays.
func (m *simulation) extend(ctx context.Context, now time.Time) error {
	from := now.AddDate(0, 0, -1)
	staff := m.registry.Staff()
	for _, u := range m.staff.Units {
		for _, sh := range staff.Shifts(u.ID, now, now.Add(2*rosterAhead)) {
			if day := sh.From.AddDate(0, 0, 1); day.After(from) {
				from = day
			}
		}
	}
	if from.Sub(now) >= rosterLeast {
		return nil
	}
	shifts := slices.DeleteFunc(m.staff.Roster(from, now.Add(rosterAhead)), func(sh patrol.Shift) bool {
		u, ok := m.registry.Unit(sh.Unit)
		return !ok || !u.Retired.IsZero()
	})
	if len(shifts) == 0 {
		return nil
	}
	return m.registry.EnterShifts(ctx, m.editor(), shifts, true)
}

// stationWire hands reports to the station inside the service, as a gateway's
// requests of the own API.
type stationWire struct {
	station *ingest.Station
	target  simulate.Target
	from    ingest.Sender
}

func (m *simulation) wire() simulate.Wire {
	w := &stationWire{station: m.station, from: ingest.Sender{Device: patrol.Device{ID: "demonstration"}, Speaks: m.speaks}}
	for _, u := range m.staff.Units {
		w.target.Devices = append(w.target.Devices, simulate.Identity{Unit: u.Code})
	}
	return w
}

func (m *simulation) speaks(code string) (patrol.Unit, bool) {
	u, ok := m.registry.UnitByCode(code)
	if !ok {
		return patrol.Unit{}, false
	}
	return *u, true
}

func (w *stationWire) Group(int) int { return 0 }
func (w *stationWire) Batch() int    { return demoBatch }
func (w *stationWire) Close()        {}

// Send leaves out who was retired, or taken out, since the simulation began:
// their devices are switched off.
func (w *stationWire) Send(ctx context.Context, reports []simulate.Report) (int, error) {
	mine := slices.DeleteFunc(slices.Clone(reports), func(r simulate.Report) bool {
		u, ok := w.from.Speaks(w.target.Devices[r.Unit].Unit)
		return !ok || !u.Retired.IsZero()
	})
	body, err := w.target.GatewayBody(mine)
	if err != nil {
		return 0, err
	}
	if _, err := w.station.Positions(ctx, w.from, ingest.JSON, body); err != nil {
		return 0, err
	}
	return len(reports), nil
}
