package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// rollLedger names the roll of patrols among the ledgers.
const rollLedger = "roll"

// longPast is how old the end of a shift may be for it to be in a Roll: a fix
// may be a month late, and nothing later asks who was on duty.
const longPast = 32 * 24 * time.Hour

// Register is the part of a Store that keeps a patrol.Registry.
type Register struct{ s *Store }

var _ patrol.Register = Register{}

// Register is where the database keeps who patrols.
func (s *Store) Register() Register { return Register{s} }

// RollRevision implements patrol.Register.
func (r Register) RollRevision(ctx context.Context) (int64, error) {
	n, err := revision(ctx, r.s.readers, rollLedger)
	return n, r.s.faultOf(err)
}

// Roll implements patrol.Register.
func (r Register) Roll(ctx context.Context) (*patrol.Roll, error) {
	var roll *patrol.Roll
	err := r.s.view(ctx, func(q queryer) (err error) {
		roll, err = readRoll(ctx, q, time.Now().Add(-longPast))
		return err
	})
	return roll, err
}

// readRoll reads all but shifts that ended before since.
func readRoll(ctx context.Context, q queryer, since time.Time) (*patrol.Roll, error) {
	r := &patrol.Roll{}
	var err error
	if r.Revision, err = revision(ctx, q, rollLedger); err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var t patrol.Team
		err := rows.Scan(&t.Code, &t.Name, &t.Street)
		r.Teams = append(r.Teams, t)
		return err
	}, `SELECT code, name, street FROM team ORDER BY code`)
	if err != nil {
		return nil, err
	}
	if r.Units, err = readUnits(ctx, q); err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var d patrol.Device
		var unit sql.NullInt64
		var terminal sql.NullString
		err := rows.Scan(&d.ID, &unit, &d.Datum, &d.SpeedMPS, &terminal)
		d.Unit, d.Terminal = patrol.UnitID(unit.Int64), terminal.String
		r.Devices = append(r.Devices, d)
		return err
	}, `SELECT id, unit, datum, speed_mps, terminal FROM device ORDER BY id`)
	if err != nil {
		return nil, err
	}
	return r, eachRow(ctx, q, func(rows *sql.Rows) error {
		var s patrol.Shift
		var from, to sql.NullInt64
		err := rows.Scan(&s.Unit, &s.Post, &from, &to)
		s.From, s.To = instant(from), instant(to)
		r.Shifts = append(r.Shifts, s)
		return err
	}, `SELECT unit, post, starts, ends FROM shift WHERE ends > $1 ORDER BY unit, starts, post`, millis(since))
}

func readUnits(ctx context.Context, q queryer) ([]patrol.Unit, error) {
	var units []patrol.Unit
	err := eachRow(ctx, q, func(rows *sql.Rows) error {
		var u patrol.Unit
		var team sql.NullString
		var retired sql.NullInt64
		err := rows.Scan(&u.ID, &u.Code, &u.Name, &u.Kind, &team, &u.Street, &u.Duty, &retired)
		u.Team, u.Retired = team.String, instant(retired)
		units = append(units, u)
		return err
	}, `SELECT id, code, name, kind, team, street, duty, retired FROM unit ORDER BY id`)
	if err != nil {
		return nil, err
	}
	i := 0
	return units, eachRow(ctx, q, func(rows *sql.Rows) error {
		var unit patrol.UnitID
		var g grid.ID
		if err := rows.Scan(&unit, &g); err != nil {
			return err
		}
		for units[i].ID != unit { // both are in order
			i++
		}
		units[i].Grids = append(units[i].Grids, g)
		return nil
	}, `SELECT unit, grid FROM unit_grid ORDER BY unit, grid`)
}

// UpdateRoll implements patrol.Register. A change that is nil, f's error
// apart, leaves the roll and its revision as they are. It gives new units
// their IDs, in the change itself. It is Conflict where a code or terminal is
// another's, NotFound for a unit that is none, and Invalid for a device without
// a token.
func (r Register) UpdateRoll(ctx context.Context, f func(*patrol.Roll) (*patrol.RollChange, error)) (int64, error) {
	var n int64
	var change *patrol.RollChange
	var ids []patrol.UnitID
	now := time.Now()
	err := r.s.update(ctx, func(tx *transaction) error {
		var err error
		if n, err = countUp(ctx, tx, rollLedger); err != nil {
			return err
		}
		roll, err := readRoll(ctx, tx, now.Add(-longPast))
		if err != nil {
			return err
		}
		roll.Revision = n - 1
		if change, err = f(roll); err != nil {
			return err
		}
		if change == nil {
			return errNoChange
		}
		if ids, err = enterRoll(ctx, tx, change); err != nil {
			return err
		}
		for _, note := range change.Audit {
			err := appendAudit(ctx, tx, auth.Event{At: now, Who: note.Who, Role: auth.Role(note.Role), Address: note.Address, Action: note.Action,
				Subject: note.Subject, Before: json.RawMessage(note.Before), After: json.RawMessage(note.After)})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errNoChange) {
		return n - 1, nil
	}
	if err == nil {
		for i, id := range ids {
			change.Units[i].ID = id
		}
	}
	return n, err
}

// errNoChange rolls a transaction back in which nothing is to be done.
var errNoChange = errors.New("nothing changes")

// enterRoll returns the IDs of c's units.
func enterRoll(ctx context.Context, tx *transaction, c *patrol.RollChange) ([]patrol.UnitID, error) {
	for _, t := range c.Teams {
		_, err := tx.ExecContext(ctx, `INSERT INTO team (code, name, street) VALUES ($1, $2, $3)
			ON CONFLICT (code) DO UPDATE SET name = excluded.name, street = excluded.street`, t.Code, t.Name, t.Street)
		if err != nil {
			return nil, fmt.Errorf("team %s: %w", t.Code, err)
		}
	}
	ids := make([]patrol.UnitID, len(c.Units))
	for i, u := range c.Units {
		var err error
		if ids[i], err = enterUnit(ctx, tx, u); err != nil {
			return nil, fmt.Errorf("unit %s: %w", u.Code, err)
		}
	}
	for _, d := range c.Devices {
		if err := enterDevice(ctx, tx, d); err != nil {
			return nil, fmt.Errorf("device %s: %w", d.ID, err)
		}
	}
	for _, s := range c.Replace {
		_, err := tx.ExecContext(ctx, `DELETE FROM shift WHERE unit = $1 AND starts < $2 AND ends > $3`, int64(s.Unit), millis(s.To), millis(s.From))
		if err != nil {
			return nil, fmt.Errorf("shifts of unit %d: %w", s.Unit, err)
		}
	}
	rows := make([][]any, len(c.Shifts))
	for i, s := range c.Shifts {
		rows[i] = []any{int64(s.Unit), s.From.UnixMilli(), s.To.UnixMilli(), string(s.Post)}
	}
	return ids, tx.d.bulk(ctx, tx, "shift", []string{"unit", "starts", "ends", "post"}, rows)
}

func enterDevice(ctx context.Context, tx *transaction, d patrol.Device) error {
	if d.Datum == "" {
		d.Datum = geo.WGS84
	}
	mps := 0
	if d.SpeedMPS {
		mps = 1
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO device (id, unit, datum, speed_mps, terminal) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET unit = excluded.unit, datum = excluded.datum, speed_mps = excluded.speed_mps, terminal = excluded.terminal`,
		d.ID, orNull(int(d.Unit)), string(d.Datum), mps, textOrNull(d.Terminal))
	return err
}

func enterUnit(ctx context.Context, tx *transaction, u patrol.Unit) (patrol.UnitID, error) {
	if u.Duty == "" {
		u.Duty = patrol.ByRoster
	}
	values := []any{u.Code, u.Name, string(u.Kind), textOrNull(u.Team), u.Street, string(u.Duty), millis(u.Retired)}
	if u.ID == 0 {
		err := tx.QueryRowContext(ctx, `INSERT INTO unit (id, code, name, kind, team, street, duty, retired)
			SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM unit RETURNING id`, values...).Scan(&u.ID)
		if err != nil {
			return 0, err
		}
	} else {
		done, err := tx.ExecContext(ctx, `UPDATE unit SET code = $1, name = $2, kind = $3, team = $4, street = $5, duty = $6, retired = $7 WHERE id = $8`,
			append(values, int64(u.ID))...)
		if err != nil {
			return 0, err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return 0, errors.Join(err, fault.New(fault.NotFound, "there is no unit %d", u.ID))
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM unit_grid WHERE unit = $1`, int64(u.ID)); err != nil {
			return 0, err
		}
	}
	rows := make([][]any, len(u.Grids))
	for i, g := range u.Grids {
		rows[i] = []any{int64(u.ID), int64(g)}
	}
	return u.ID, tx.d.bulk(ctx, tx, "unit_grid", []string{"unit", "grid"}, rows)
}

func textOrNull(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
