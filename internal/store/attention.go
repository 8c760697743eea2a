package store

import (
	"context"
	"database/sql"
	"time"

	"lianqin/internal/attention"
	"lianqin/internal/fault"
)

// Attention is the part of a Store that keeps who has taken on what needs
// somebody.
type Attention struct{ s *Store }

var _ attention.Store = Attention{}

// Attention is where the database keeps who has taken on what.
func (s *Store) Attention() Attention { return Attention{s} }

// Seen implements attention.Store.
func (k Attention) Seen(ctx context.Context, since time.Time) (map[string]attention.Seen, error) {
	all := make(map[string]attention.Seen)
	err := eachRow(ctx, k.s.readers, func(rows *sql.Rows) error {
		var matter, who string
		var at int64
		err := rows.Scan(&matter, &who, &at)
		all[matter] = attention.Seen{By: who, At: time.UnixMilli(at).UTC()}
		return err
	}, `SELECT matter, who, seen_at FROM attention_seen WHERE seen_at >= $1`, since.UnixMilli())
	return all, k.s.faultOf(err)
}

// See implements attention.Store.
func (k Attention) See(ctx context.Context, matter string, seen attention.Seen) (attention.Seen, error) {
	var out attention.Seen
	err := k.s.update(ctx, func(tx *transaction) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO attention_seen (matter, who, seen_at) VALUES ($1, $2, $3) ON CONFLICT (matter) DO NOTHING`,
			matter, seen.By, seen.At.UnixMilli())
		if err != nil {
			return err
		}
		var at int64
		if err := tx.QueryRowContext(ctx, `SELECT who, seen_at FROM attention_seen WHERE matter = $1`, matter).Scan(&out.By, &at); err != nil {
			return err
		}
		out.At = time.UnixMilli(at).UTC()
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		ev := callerOr(ctx, seen.By).Event("attention.see", matter)
		ev.At = seen.At
		return appendAudit(ctx, tx, ev)
	})
	return out, err
}

// Unsee implements attention.Store.
func (k Attention) Unsee(ctx context.Context, matter string) error {
	return k.s.update(ctx, func(tx *transaction) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM attention_seen WHERE matter = $1`, matter)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = fault.New(fault.NotFound, "nobody has taken on %.60q", matter)
			}
			return err
		}
		ev := callerOr(ctx, "operator").Event("attention.unsee", matter)
		ev.At = time.Now()
		return appendAudit(ctx, tx, ev)
	})
}
