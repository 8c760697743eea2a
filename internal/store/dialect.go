package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/database"
	"modernc.org/sqlite"

	"lianqin/internal/fault"
)

// dialect is all that differs between the two databases. Both take $1, $2 … as
// placeholders.
type dialect struct {
	name     string // and its folder in migrations
	goose    database.Dialect
	snapshot sql.IsolationLevel // of a transaction that reads one state
	// hasTable counts the tables named $1.
	hasTable string
	// columns lists table, column, type and whether it is in the primary key,
	// of every table of ours, without derived columns, in order. Tracks are
	// left out: each database has them in a form of its own.
	columns string
	// references lists pairs of tables of which the first refers to the second.
	references string
	bulk       func(ctx context.Context, tx *transaction, table string, columns []string, rows [][]any) error
	fixes      func(*Store) fixTable
}

var sqliteDialect = dialect{
	name:     "sqlite",
	goose:    database.DialectSQLite3,
	snapshot: sql.LevelDefault, // a reading transaction in WAL is a snapshot
	hasTable: `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`,
	columns: `SELECT t.name, c.name, lower(c.type), c.pk > 0 FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND t.name <> 'goose_db_version'
		AND t.name <> 'fix_chunk' AND t.name NOT GLOB 'track_[0-9]*' ORDER BY t.name, c.cid`,
	references: `SELECT t.name, f."table" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'`,
	bulk:       bulkInsert,
	fixes:      func(s *Store) fixTable { return sqliteFixes{s} },
}

var postgresDialect = dialect{
	name:     "postgres",
	goose:    database.DialectPostgres,
	snapshot: sql.LevelRepeatableRead,
	hasTable: `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`,
	columns: `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), coalesce(a.attnum = ANY (i.indkey), false)
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE c.relkind = 'r' AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace AND c.relname <> 'goose_db_version'
		AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
		ORDER BY c.relname COLLATE "C", a.attnum`,
	references: `SELECT c.relname, f.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
		WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace`,
	bulk:  bulkCopy,
	fixes: func(s *Store) fixTable { return postgresFixes{s} },
}

// connect opens the pools and tries one connection.
func connect(ctx context.Context, url string, opt Options) (*Store, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return connectSQLite(ctx, rest, opt)
	case "postgres", "postgresql":
		return connectPostgres(ctx, url, opt)
	}
	return nil, fault.InvalidField("database", "%q is neither sqlite:PATH nor postgres://…", scheme)
}

// busyFor is how long one connection waits for another's lock.
const busyFor = 10 * time.Second

func connectSQLite(ctx context.Context, path string, opt Options) (*Store, error) {
	if path == "" || strings.HasPrefix(path, ":") {
		return nil, fault.InvalidField("database", "sqlite:%s names no file", path)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if opt.MustExist {
			return nil, fault.New(fault.NotFound, "there is no database %s", path)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return nil, fault.New(fault.Unavailable, "folder of the database: %w", err)
		}
		// Nobody else reads a file with password hashes; SQLite gives its other
		// files the same mode. An existing file must not be opened beside SQLite:
		// closing it would drop SQLite's locks.
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fault.New(fault.Unavailable, "the database cannot be created: %w", err)
		}
		if err == nil {
			err = f.Close()
		}
	}
	// In the DSN, so that every connection of a pool has them.
	settings := url.Values{
		"_busy_timeout": {fmt.Sprint(busyFor.Milliseconds())}, "_foreign_keys": {"1"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"},
		"_dqs": {"0"}, "_defensive": {"1"}, "_error_rc": {"1"},
		"_pragma": {"trusted_schema(0)", "temp_store(MEMORY)", "cache_size(-16384)", "journal_size_limit(67108864)"},
	}
	file := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?"
	s := newStore(sqliteDialect, "sqlite:"+path, opt.Log)
	settings.Set("_txlock", "immediate") // a transaction that reads first and writes later never finds another in between
	writing := settings.Encode()
	settings.Set("_txlock", "deferred")
	settings.Set("_query_only", "1")
	var err error
	if s.writer, err = sql.Open("sqlite", file+writing); err != nil {
		return nil, s.faultOf(err)
	}
	s.writer.SetMaxOpenConns(1)
	if s.readers, err = sql.Open("sqlite", file+settings.Encode()); err != nil {
		return nil, errors.Join(s.faultOf(err), s.writer.Close())
	}
	s.readers.SetMaxOpenConns(opt.Readers)
	s.readers.SetMaxIdleConns(opt.Readers)
	if err := s.awake(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// awake tries a connection. Turning a new file into a WAL database needs it
// alone and does not wait: of several programs that start at once, all but one
// try again.
func (s *Store) awake(ctx context.Context) error {
	until := time.Now().Add(busyFor)
	for {
		err := s.writer.PingContext(ctx)
		busy := false
		if e, ok := errors.AsType[*sqlite.Error](err); ok {
			busy = e.Code()&0xff == sqliteBusy
		}
		if !busy || time.Now().After(until) {
			return s.faultOf(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func connectPostgres(ctx context.Context, address string, opt Options) (*Store, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		// The parser's error may quote the address, password and all.
		return nil, fault.InvalidField("database", "the postgres:// address cannot be read")
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "lianqin"
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(opt.Readers + 4)
	db.SetMaxIdleConns(opt.Readers)
	s := newStore(postgresDialect, fmt.Sprintf("postgres:%s/%s", cfg.Host, cfg.Database), opt.Log)
	s.writer, s.readers = db, db
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(s.faultOf(err), s.Close())
	}
	return s, nil
}

// rowsAtOnce is how many rows one INSERT has. SQLite gains nothing beyond.
const rowsAtOnce = 50

func bulkInsert(ctx context.Context, tx *transaction, table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	query := func(n int) string {
		return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", table, strings.Join(columns, ", "), strings.TrimSuffix(strings.Repeat(row+", ", n), ", "))
	}
	full := func(args []any) (err error) {
		_, err = tx.ExecContext(ctx, query(len(args)/len(columns)), args...)
		return err
	}
	if len(rows) >= 2*rowsAtOnce { // compiled once
		st, err := tx.PrepareContext(ctx, query(rowsAtOnce))
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
		defer st.Close()
		short := full
		full = func(args []any) (err error) {
			if len(args) < rowsAtOnce*len(columns) {
				return short(args)
			}
			_, err = st.ExecContext(ctx, args...)
			return err
		}
	}
	args := make([]any, 0, rowsAtOnce*len(columns))
	for some := range slices.Chunk(rows, rowsAtOnce) {
		args = args[:0]
		for _, r := range some {
			args = append(args, r...)
		}
		if err := full(args); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

// bulkCopy sends rows by PostgreSQL's COPY, inside the transaction that the
// connection is in.
func bulkCopy(ctx context.Context, tx *transaction, table string, columns []string, rows [][]any) error {
	err := tx.conn.Raw(func(c any) error {
		_, err := c.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}
