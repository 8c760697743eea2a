package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
// already, that one's. Nobody else enters events meanwhile.
func enterEvents(ctx context.Context, tx *transaction, events []patrol.Event) ([]int64, error) {
	if len(events) == 0 {
		return nil, nil
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM event`).Scan(&last); err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(events))
	for part := range slices.Chunk(events, rowsAtOnce) {
		var rows strings.Builder
		args := make([]any, 0, eventFields*len(part))
		for i := range part {
			last++
			ids = append(ids, last)
			row, err := eventRow(last, &part[i])
			if err != nil {
				return nil, err
			}
			appendPlaceholders(&rows, len(args), eventFields)
			args = append(args, row...)
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO event (`+eventColumns+`) VALUES `+rows.String()+`
			ON CONFLICT (unit, kind, at) WHERE retracted IS NULL DO NOTHING`, args...)
		if err != nil {
			return nil, fmt.Errorf("events from that of unit %d at %s: %w", part[0].Unit, part[0].At.Format(time.RFC3339), err)
		}
		if n, err := done.RowsAffected(); err != nil {
			return nil, err
		} else if n == int64(len(part)) {
			continue
		}
		for i, e := range part {
			err := tx.QueryRowContext(ctx, `SELECT id FROM event WHERE unit = $1 AND kind = $2 AND at = $3 AND retracted IS NULL`,
				int64(e.Unit), string(e.Kind), e.At.UnixMilli()).Scan(&ids[len(ids)-len(part)+i])
			if err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

// eventFields is how many columns eventColumns has.
var eventFields = strings.Count(eventColumns, ",") + 1

func eventRow(id int64, e *patrol.Event) ([]any, error) {
	evidence := e.Evidence
	if evidence == nil {
		evidence = []patrol.Evidence{}
	}
	text, err := json.Marshal(evidence)
	return []any{id, int64(e.Unit), string(e.Kind), e.At.UnixMilli(), e.Recorded.UnixMilli(), int64(e.From), int64(e.To), e.Generation, e.Rule, string(text),
		sql.NullInt64{Int64: e.Corrects, Valid: e.Corrects != 0}, nil}, err
}

// appendPlaceholders adds one row of n placeholders, of which before stand in
// the statement already.
func appendPlaceholders(b *strings.Builder, before, n int) {
	for i := range n {
		switch {
		case i > 0:
			b.WriteString(", ")
		case before > 0:
			b.WriteString(", (")
		default:
			b.WriteByte('(')
		}
		fmt.Fprintf(b, "$%d", before+i+1)
	}
	b.WriteByte(')')
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
