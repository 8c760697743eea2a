package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"lianqin/internal/fault"
	"lianqin/migrations"
)

// Migration is one step of the schema's history.
type Migration struct {
	Version int64     `json:"version"`
	Name    string    `json:"name"`
	Applied time.Time `json:"applied,omitzero"` // zero while it is pending
}

// Migrate brings the schema up to the program's. Any number of programs may
// start at once. It is Conflict when the schema is newer.
func (s *Store) Migrate(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	sources := p.ListSources()
	return s.migrateTo(ctx, p, sources[len(sources)-1].Version)
}

func (s *Store) migrateTo(ctx context.Context, p *goose.Provider, target int64) error {
	for {
		before, err := s.schema(ctx)
		if err != nil {
			return err
		}
		if before > target {
			return fault.New(fault.Conflict, "%s has schema %d, and this program knows schemas up to %d only: use the program that made it, or a newer one",
				s.name, before, target)
		}
		if before == target {
			return nil
		}
		done, err := p.UpTo(ctx, target)
		for _, r := range done {
			s.log.Info("schema migrated", "database", s.name, "version", r.Source.Version, "took", r.Duration)
		}
		if err == nil {
			return nil
		}
		// On SQLite another program may have taken the same step first. Each step
		// is a transaction, so nothing is half done; look again what is left.
		if after, lookErr := s.schema(ctx); lookErr != nil || after == before {
			return fmt.Errorf("migrate %s from schema %d: %w", s.name, before, s.faultOf(cause(err)))
		}
	}
}

// cause takes the failed step's error out of goose's.
func cause(err error) error {
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		return fmt.Errorf("step %d: %w", partial.Failed.Source.Version, partial.Err)
	}
	return err
}

// MigrationStatus is every step the program knows, in order.
func (s *Store) MigrationStatus(ctx context.Context) ([]Migration, error) {
	p, err := s.provider()
	if err != nil {
		return nil, err
	}
	applied := make(map[int64]time.Time)
	if there, err := s.hasTable(ctx, goose.DefaultTablename); err != nil {
		return nil, err
	} else if there {
		states, err := p.Status(ctx)
		if err != nil {
			return nil, s.faultOf(err)
		}
		for _, st := range states {
			applied[st.Source.Version] = st.AppliedAt
		}
	}
	var out []Migration
	for _, src := range p.ListSources() {
		out = append(out, Migration{Version: src.Version, Name: src.Path, Applied: applied[src.Version]})
	}
	return out, nil
}

// schema is the version that the database's schema has, 0 for none.
func (s *Store) schema(ctx context.Context) (int64, error) {
	if there, err := s.hasTable(ctx, goose.DefaultTablename); err != nil || !there {
		return 0, err
	}
	var version sql.NullInt64
	err := s.writer.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	return version.Int64, s.faultOf(err)
}

func (s *Store) hasTable(ctx context.Context, name string) (bool, error) {
	var n int
	err := s.writer.QueryRowContext(ctx, s.d.hasTable, name).Scan(&n)
	return n > 0, s.faultOf(err)
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations.FS, s.d.name)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.d.name == postgresDialect.name {
		options = append(options, goose.WithSessionLocker(migrationLock{}))
	}
	return goose.NewProvider(s.d.goose, s.writer, files, options...)
}

// migrationLock lets one program at a time migrate a PostgreSQL database, and
// sees to PostGIS first.
type migrationLock struct{}

// lockID is the advisory lock's: the letters "lianqin".
const lockID = 0x6c69616e71696e

func (migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(lockID)); err != nil {
		return err
	}
	if err := installPostGIS(ctx, conn); err != nil {
		return errors.Join(err, migrationLock{}.SessionUnlock(context.WithoutCancel(ctx), conn))
	}
	return nil
}

func (migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, int64(lockID))
	return err
}

func installPostGIS(ctx context.Context, conn *sql.Conn) error {
	var there bool
	var base, account string
	err := conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgis'), current_database(), current_user`).
		Scan(&there, &base, &account)
	if err != nil || there {
		return err
	}
	_, err = conn.ExecContext(ctx, `CREATE EXTENSION postgis`)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "42501": // insufficient_privilege
			return fault.New(fault.Unavailable, "database %s lacks PostGIS and account %s may not install it: let an administrator run CREATE EXTENSION postgis in it: %w", base, account, err)
		case "0A000", "58P01", "42704": // feature_not_supported, undefined_file, undefined_object
			return fault.New(fault.Unavailable, "the server has no PostGIS: install the package postgresql-…-postgis-3 on it: %w", err)
		}
	}
	return err
}
