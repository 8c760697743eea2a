package store

import (
	"context"
	"database/sql"
	"errors"
)

// revision is how often the ledger of that name was changed.
func revision(ctx context.Context, q queryer, ledger string) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, `SELECT revision FROM ledger WHERE name = $1`, ledger).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// countUp is the revision that tx makes. Done first, it makes every other
// change of that ledger wait for the end of this one.
func countUp(ctx context.Context, tx *transaction, ledger string) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `INSERT INTO ledger (name, revision) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET revision = ledger.revision + 1 RETURNING revision`, ledger).Scan(&n)
	return n, err
}
