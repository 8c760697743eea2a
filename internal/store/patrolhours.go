package store

import (
	"context"
	"database/sql"
	"encoding/binary"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

var _ patrol.HourStore = Tracks{}

// hoursLedger counts the changes of patrol hours. Whoever enters one counts up
// first and holds it to the end, so that numbers grow in the order of commits.
const hoursLedger = "patrol-hours"

// markHours notes that fixes came or went, by which some hours have to be
// reckoned anew.
func markHours(ctx context.Context, tx *transaction, fixes ...[]patrol.Fix) error {
	var hours []int64
	for _, f := range fixes {
		hours = patrol.TouchedHours(hours, f)
	}
	for _, h := range hours {
		_, err := tx.ExecContext(ctx, `INSERT INTO patrol_hour_mark (hour, mark, reckoned) VALUES ($1, 1, 0)
			ON CONFLICT (hour) DO UPDATE SET mark = patrol_hour_mark.mark + 1`, h)
		if err != nil {
			return err
		}
	}
	return nil
}

// DueHours implements patrol.HourStore.
func (t Tracks) DueHours(ctx context.Context) ([]patrol.HourMark, error) {
	var marked bool
	if err := t.s.readers.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM patrol_hour_mark)`).Scan(&marked); err != nil {
		return nil, t.s.faultOf(err)
	}
	if !marked {
		if err := t.markAll(ctx); err != nil {
			return nil, err
		}
	}
	var due []patrol.HourMark
	err := eachRow(ctx, t.s.readers, func(rows *sql.Rows) error {
		var m patrol.HourMark
		err := rows.Scan(&m.Hour, &m.Mark)
		due = append(due, m)
		return err
	}, `SELECT hour, mark FROM patrol_hour_mark WHERE mark > reckoned ORDER BY hour`)
	return due, t.s.faultOf(err)
}

// markAll marks every hour of the days that there are fixes of.
func (t Tracks) markAll(ctx context.Context) error {
	return t.s.update(ctx, func(tx *transaction) error {
		if _, err := appliedSoFar(ctx, tx); err != nil { // nobody enters fixes meanwhile
			return err
		}
		days, err := t.s.fixes.days(ctx, tx)
		if err != nil {
			return err
		}
		const hourMS = 3_600_000
		for _, day := range days {
			for at := day; at < day+dayMS; at += hourMS {
				_, err := tx.ExecContext(ctx, `INSERT INTO patrol_hour_mark (hour, mark, reckoned) VALUES ($1, 1, 0) ON CONFLICT (hour) DO NOTHING`, at/hourMS)
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// PutHour implements patrol.HourStore.
func (t Tracks) PutHour(ctx context.Context, m patrol.HourMark, grids []patrol.GridTime) error {
	return t.s.update(ctx, func(tx *transaction) error {
		done, err := tx.ExecContext(ctx, `UPDATE patrol_hour_mark SET reckoned = $1 WHERE hour = $2 AND reckoned < $1`, m.Mark, m.Hour)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 || grids == nil {
			return err
		}
		number, err := countUp(ctx, tx, hoursLedger)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO patrol_hour (hour, change, grids) VALUES ($1, $2, $3)
			ON CONFLICT (hour) DO UPDATE SET change = excluded.change, grids = excluded.grids`, m.Hour, number, packGrids(grids))
		return err
	})
}

// Hours implements patrol.HourStore.
func (t Tracks) Hours(ctx context.Context, after int64, f func(patrol.HourTime) error) (int64, error) {
	last := after
	err := eachRow(ctx, t.s.readers, func(rows *sql.Rows) error {
		var h patrol.HourTime
		var packed sql.RawBytes
		err := rows.Scan(&h.Hour, &last, &packed)
		if err != nil {
			return err
		}
		if h.Grids, err = unpackGrids(packed); err != nil {
			return fault.New(fault.Internal, "patrol hour %d: %w", h.Hour, err)
		}
		return f(h)
	}, `SELECT hour, change, grids FROM patrol_hour WHERE change > $1 ORDER BY change`, after)
	return last, t.s.faultOf(err)
}

func packGrids(grids []patrol.GridTime) []byte {
	b, last := []byte{}, grid.None
	for _, g := range grids {
		b = binary.AppendUvarint(b, uint64(g.Grid-last))
		b = binary.AppendUvarint(b, uint64(g.Seconds))
		last = g.Grid
	}
	return b
}

func unpackGrids(b []byte) ([]patrol.GridTime, error) {
	var grids []patrol.GridTime
	last := uint64(grid.None)
	for size := len(b); len(b) > 0; {
		step, n := binary.Uvarint(b)
		seconds, k := binary.Uvarint(b[max(n, 0):])
		last += step
		if n <= 0 || k <= 0 || last > uint64(grid.MaxID) || seconds > 1<<32-1 {
			return nil, fault.New(fault.Invalid, "byte %d of %d is no grid", size-len(b), size)
		}
		grids = append(grids, patrol.GridTime{Grid: grid.ID(last), Seconds: uint32(seconds)})
		b = b[n+k:]
	}
	return grids, nil
}
