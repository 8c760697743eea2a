// Package store keeps what has to survive: on SQLite, in a file of its own, or
// on PostgreSQL with PostGIS. One SQL text serves both; what differs between
// them is in dialect.go, and what their error codes mean in fault.go.
//
// It holds no rules of the trade: those run in the domain packages, inside the
// transactions that it gives them. It caches nothing, and knows nothing of who
// is asking or of other processes' memory.
package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"lianqin/internal/fault"
)

// Options of a Store. The zero value is the default.
type Options struct {
	// Log gets what an operator should know: migrations that run, transactions
	// that had to be repeated often. Nil is slog.Default.
	Log *slog.Logger
	// Readers is how many connections may read at once. Default 8.
	Readers int
	// MustExist makes a missing SQLite file NotFound instead of a new database.
	MustExist bool
	// Leave keeps the schema as it is, whatever its version. Nothing but
	// Migrate, MigrationStatus and Restore works until it is the program's.
	Leave bool
}

// Store is an open database. It is safe for concurrent use, and so are several
// Stores, in one process or in many, on one database.
type Store struct {
	d       dialect
	name    string // of the database, without secrets
	log     *slog.Logger
	writer  *sql.DB // on SQLite one connection, since it has one writer
	readers *sql.DB
	fixLog  *FixLog
	fixes   fixTable
}

// Open opens the database at url, sqlite:PATH or postgres://…, and brings its
// schema up to the program's under a lock. It is Invalid for another url,
// Conflict when the schema is newer than the program, and Unavailable when the
// database cannot be reached, or lacks PostGIS and this account may not install
// it.
func Open(ctx context.Context, url string, opt Options) (*Store, error) {
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.Readers <= 0 {
		opt.Readers = 8
	}
	s, err := connect(ctx, url, opt)
	if err != nil {
		return nil, err
	}
	if opt.Leave {
		return s, nil
	}
	if err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func newStore(d dialect, name string, log *slog.Logger) *Store {
	s := &Store{d: d, name: name, log: log}
	s.fixLog, s.fixes = newFixLog(s), d.fixes(s)
	return s
}

// Name is the database's name for messages: without a password.
func (s *Store) Name() string { return s.name }

// Close ends all connections. What callers of Log still wait for is committed,
// or Unavailable.
func (s *Store) Close() error {
	s.fixLog.close()
	err := s.writer.Close()
	if s.readers != s.writer {
		err = errors.Join(err, s.readers.Close())
	}
	return err
}

// queryer is a transaction or a pool to read from.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// transaction is one transaction on one connection.
type transaction struct {
	*sql.Tx
	conn *sql.Conn
	d    dialect
}

// maxRepeats bounds how often a transaction is begun again because it met
// another.
const maxRepeats = 8

// update runs f in a transaction that sees and changes the latest state. When
// it meets another, it is repeated, f and all.
func (s *Store) update(ctx context.Context, f func(*transaction) error) error {
	for try := 1; ; try++ {
		err := s.tryUpdate(ctx, f)
		if err == nil || !repeatable(err) || ctx.Err() != nil {
			return s.faultOf(err)
		}
		if try == maxRepeats {
			return fault.New(fault.Unavailable, "%s: the transaction met others %d times: %w", s.name, try, err)
		}
		time.Sleep(time.Duration(try) * time.Duration(1+rand.IntN(10)) * time.Millisecond)
	}
}

func (s *Store) tryUpdate(ctx context.Context, f func(*transaction) error) (err error) {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // it ended already when the connection is gone
		}
	}()
	if err := f(&transaction{tx, conn, s.d}); err != nil {
		return err
	}
	return tx.Commit()
}

// view runs f in a transaction that reads one state, however long it takes.
func (s *Store) view(ctx context.Context, f func(queryer) error) error {
	return s.snapshot(ctx, func(tx *transaction) error { return f(tx) })
}

// snapshot is view with the connection as well.
func (s *Store) snapshot(ctx context.Context, f func(*transaction) error) error {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return s.faultOf(err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: s.d.snapshot, ReadOnly: true})
	if err != nil {
		return s.faultOf(err)
	}
	defer func() { _ = tx.Rollback() }() // it changed nothing
	return s.faultOf(f(&transaction{tx, conn, s.d}))
}

// eachRow calls scan for every row of a query.
func eachRow(ctx context.Context, q queryer, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// millis is an instant as it is stored; the zero Time is NULL.
func millis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

// instant is the stored form of an instant as a Time in UTC.
func instant(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}
