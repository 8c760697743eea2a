package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

const (
	eventColumns = `id, unit, kind, at, recorded, from_grid, to_grid, generation, rule, evidence, corrects, retracted`
	// eventsPage is how many are read at once.
	eventsPage = 1000
)

// enterEvents returns the IDs of events: for one that another process entered
// already, that one's.
func enterEvents(ctx context.Context, tx *transaction, events []patrol.Event) ([]int64, error) {
	ids := make([]int64, len(events))
	for i := range events {
		var err error
		if ids[i], err = enterEvent(ctx, tx, &events[i]); err != nil {
			return nil, fmt.Errorf("event of unit %d at %s: %w", events[i].Unit, events[i].At.Format(time.RFC3339), err)
		}
	}
	return ids, nil
}

func enterEvent(ctx context.Context, tx *transaction, e *patrol.Event) (id int64, err error) {
	evidence := e.Evidence
	if evidence == nil {
		evidence = []patrol.Evidence{}
	}
	text, err := json.Marshal(evidence)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO event (`+eventColumns+`)
		SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL FROM event WHERE true
		ON CONFLICT (unit, kind, at) WHERE retracted IS NULL DO NOTHING RETURNING id`,
		int64(e.Unit), string(e.Kind), e.At.UnixMilli(), e.Recorded.UnixMilli(), int64(e.From), int64(e.To), e.Generation, e.Rule, string(text),
		sql.NullInt64{Int64: e.Corrects, Valid: e.Corrects != 0}).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, `SELECT id FROM event WHERE unit = $1 AND kind = $2 AND at = $3 AND retracted IS NULL`,
			int64(e.Unit), string(e.Kind), e.At.UnixMilli()).Scan(&id)
	}
	return id, err
}

// retractEvent leaves an event as it is that was retracted already. It is
// NotFound when there is none of that ID and unit.
func retractEvent(ctx context.Context, tx *transaction, unit patrol.UnitID, id int64, now time.Time) error {
	var retracted sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT retracted FROM event WHERE id = $1 AND unit = $2`, id, int64(unit)).Scan(&retracted)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "unit %d has no such event", unit)
	}
	if err != nil || retracted.Valid {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE event SET retracted = $1 WHERE id = $2`, now.UnixMilli(), id)
	return err
}

// Events implements patrol.Tracks. It holds no transaction while f runs.
func (t Tracks) Events(ctx context.Context, q patrol.EventQuery, f func(patrol.Event) error) error {
	at, id := q.From.UnixMilli(), int64(0)
	for left := q.Limit; ; {
		page, err := t.eventsPage(ctx, q, at, id)
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := f(e); errors.Is(err, patrol.ErrEnough) {
				return nil
			} else if err != nil {
				return err
			}
			at, id = e.At.UnixMilli(), e.ID
			if left--; left == 0 {
				return nil
			}
		}
		if len(page) < eventsPage {
			return nil
		}
	}
}

// eventsPage is what follows an event of that time and ID.
func (t Tracks) eventsPage(ctx context.Context, q patrol.EventQuery, at, id int64) ([]patrol.Event, error) {
	c := conditions{}
	c.add("(at, id) > (?, ?) AND at < ?", at, id, endOf(q.To))
	if q.Unit != 0 {
		c.add("unit = ?", int64(q.Unit))
	}
	if !q.Retracted {
		c.add("retracted IS NULL")
	}
	among(&c, "kind", q.Kinds)
	var page []patrol.Event
	err := eachRow(ctx, t.s.readers, func(rows *sql.Rows) error {
		var e patrol.Event
		var at, recorded, corrects, retracted sql.NullInt64
		var evidence []byte
		err := rows.Scan(&e.ID, &e.Unit, &e.Kind, &at, &recorded, &e.From, &e.To, &e.Generation, &e.Rule, &evidence, &corrects, &retracted)
		if err != nil {
			return err
		}
		e.At, e.Recorded, e.Corrects, e.Retracted = instant(at), instant(recorded), corrects.Int64, instant(retracted)
		if string(evidence) != "[]" {
			if err := json.Unmarshal(evidence, &e.Evidence); err != nil {
				return fmt.Errorf("evidence of event %d: %w", e.ID, err)
			}
		}
		page = append(page, e)
		return nil
	}, `SELECT `+eventColumns+` FROM event WHERE `+c.String()+` ORDER BY at, id LIMIT `+strconv.Itoa(eventsPage), c.args...)
	return page, t.s.faultOf(err)
}
