package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

var _ casework.Filters = Cases{}

// Filters implements casework.Filters.
func (k Cases) Filters(ctx context.Context, login string) ([]casework.SavedFilter, error) {
	var out []casework.SavedFilter
	err := eachRow(ctx, k.s.readers, func(rows *sql.Rows) error {
		var f casework.SavedFilter
		var saved sql.NullInt64
		err := rows.Scan(&f.Name, &f.Query, &saved)
		f.Saved = instant(saved)
		out = append(out, f)
		return err
	}, `SELECT name, query, saved FROM saved_filter WHERE login = $1`, login)
	slices.SortFunc(out, func(a, b casework.SavedFilter) int { return strings.Compare(a.Name, b.Name) }) // databases differ in their order of texts
	return out, k.s.faultOf(err)
}

// SaveFilter implements casework.Filters.
func (k Cases) SaveFilter(ctx context.Context, login string, f casework.SavedFilter, most int) error {
	return k.s.update(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO saved_filter (login, name, query, saved) VALUES ($1, $2, $3, $4)
			ON CONFLICT (login, name) DO UPDATE SET query = excluded.query, saved = excluded.saved`, login, f.Name, f.Query, f.Saved.UnixMilli())
		if err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM saved_filter WHERE login = $1`, login).Scan(&n); err != nil {
			return err
		}
		if n > most {
			return fault.New(fault.Conflict, "%d filters are saved already, as many as may be", most)
		}
		return nil
	})
}

// DropFilter implements casework.Filters.
func (k Cases) DropFilter(ctx context.Context, login, name string) error {
	return k.s.update(ctx, func(tx *transaction) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM saved_filter WHERE login = $1 AND name = $2`, login, name)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return orNone(err, name)
		}
		return nil
	})
}

func orNone(err error, name string) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "there is no filter %q", name)
}
