package store

import (
	"context"
	"crypto/rand"
	"time"
)

// keyBytes is how long a key of our own is.
const keyBytes = 32

// Key is the program's own key for a purpose: random, made when it is first
// asked for, the same for every process and ever after.
func (s *Store) Key(ctx context.Context, purpose string) ([]byte, error) {
	fresh := make([]byte, keyBytes)
	rand.Read(fresh)
	var key []byte
	err := s.update(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO own_key (name, key, created) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`,
			purpose, fresh, time.Now().UnixMilli())
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT key FROM own_key WHERE name = $1`, purpose).Scan(&key)
	})
	return key, err
}
