package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"lianqin/internal/fault"
)

// faultOf turns a driver's error into a fault by its code, and leaves what is
// a fault already, or no business of the database, alone.
func (s *Store) faultOf(err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal || errors.Is(err, context.Canceled) {
		return err
	}
	kind, what := classify(err)
	if what == "" {
		return err
	}
	return fault.New(kind, "%s: %s: %w", s.name, what, err)
}

// classify is the kind of a driver's error with its meaning in words, which
// are empty for an error that nobody foresaw.
func classify(err error) (fault.Kind, string) {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteFault(e.Code())
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresFault(e.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fault.Unavailable, "the database cannot be reached"
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) {
		return fault.Unavailable, "the connection to the database broke"
	}
	return fault.Internal, ""
}

// SQLite's result codes, from https://sqlite.org/rescode.html. The low byte is
// the primary code.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadOnly   = 8
	sqliteIOErr      = 10
	sqliteCorrupt    = 11
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteConstraint = 19
	sqliteNotADB     = 26

	sqliteIOErrRead         = 10 | 1<<8
	sqliteIOErrShortRead    = 10 | 2<<8
	sqliteBusySnapshot      = 5 | 2<<8
	sqliteConstraintPrimary = 19 | 6<<8
	sqliteConstraintTrigger = 19 | 7<<8
	sqliteConstraintUnique  = 19 | 8<<8
	sqliteConstraintRowID   = 19 | 10<<8
)

func sqliteFault(code int) (fault.Kind, string) {
	switch code {
	case sqliteConstraintPrimary, sqliteConstraintUnique, sqliteConstraintRowID:
		return fault.Conflict, "there is one already"
	case sqliteConstraintTrigger:
		return fault.Conflict, "history is not overwritten"
	case sqliteIOErrRead, sqliteIOErrShortRead:
		return fault.Unavailable, "the file cannot be read"
	}
	switch code & 0xff {
	case sqliteBusy, sqliteLocked:
		return fault.Unavailable, "the database is busy"
	case sqliteFull:
		return fault.Unavailable, "the disk is full"
	case sqliteIOErr:
		return fault.Unavailable, "the file cannot be written: is the disk full?"
	case sqliteReadOnly:
		return fault.Unavailable, "the file is read-only"
	case sqliteCantOpen:
		return fault.Unavailable, "the file cannot be opened"
	case sqliteNotADB:
		return fault.Invalid, "the file is no SQLite database"
	case sqliteConstraint:
		return fault.Invalid, "a rule of the schema forbids it"
	case sqliteCorrupt:
		return fault.Internal, "the file is damaged; restore a backup"
	}
	return fault.Internal, ""
}

// PostgreSQL's codes, from its manual, appendix A. LQ001 is our triggers' own.
func postgresFault(code string) (fault.Kind, string) {
	switch code {
	case "23505": // unique_violation
		return fault.Conflict, "there is one already"
	case "23P01", "LQ001": // exclusion_violation
		return fault.Conflict, "history is not overwritten"
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return fault.Unavailable, "the transaction met another"
	case "53100": // disk_full
		return fault.Unavailable, "the disk is full"
	case "25006": // read_only_sql_transaction
		return fault.Unavailable, "the server takes no writes"
	case "42501": // insufficient_privilege
		return fault.Unavailable, "the account lacks a privilege"
	case "3D000", "28P01", "28000": // invalid_catalog_name, invalid_password, invalid_authorization
		return fault.Unavailable, "the server refuses the connection"
	}
	switch code[:min(2, len(code))] {
	case "23":
		return fault.Invalid, "a rule of the schema forbids it"
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return fault.Unavailable, "the server is not able to answer"
	}
	return fault.Internal, ""
}

// repeatable reports whether a transaction failed only because of another
// beside it.
func repeatable(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqliteBusySnapshot
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "40001" || e.Code == "40P01"
	}
	return false
}
