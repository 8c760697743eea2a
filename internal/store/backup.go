package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Backup writes everything to w as one state, while others read and write.
func (s *Store) Backup(ctx context.Context, w io.Writer) (*Manifest, error) {
	schema, err := s.schema(ctx)
	if err != nil {
		return nil, err
	}
	a, err := newArchiveWriter(w, schema, time.Now())
	if err != nil {
		return nil, err
	}
	err = s.snapshot(ctx, func(tx *transaction) error {
		tables, err := s.tables(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := writeTable(ctx, tx, a, t); err != nil {
				return fmt.Errorf("back up %s: %w", t.Name, err)
			}
		}
		if schema < tracksSchema {
			return nil
		}
		if err := s.writeTracks(ctx, tx, a); err != nil {
			return fmt.Errorf("back up tracks: %w", err)
		}
		return nil
	})
	if err == nil {
		err = a.close()
	}
	return &a.manifest, err
}

func writeTable(ctx context.Context, q queryer, a *archiveWriter, t table) error {
	a.begin(t)
	values := make([]any, len(t.Columns))
	into := make([]any, len(t.Columns))
	for i := range values {
		into[i] = &values[i]
	}
	err := eachRow(ctx, q, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		return a.row(values)
	}, fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s`, strings.Join(t.names(), ", "), t.Name, strings.Join(t.key, ", ")))
	return errors.Join(err, a.end())
}

// BackupFile writes a backup to a new file, which appears under its name when
// it is whole and on disk. It is Conflict when there is such a file.
func (s *Store) BackupFile(ctx context.Context, path string) (*Manifest, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fault.New(fault.Conflict, "%s exists; a backup overwrites nothing", path)
	}
	partial := path + ".partial"
	f, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) // it holds password hashes
	if err != nil {
		return nil, fault.New(fault.Unavailable, "backup: %w", err)
	}
	m, err := s.Backup(ctx, f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Link(partial, path) // unlike a rename it overwrites nothing
		if errors.Is(err, fs.ErrExist) {
			err = fault.New(fault.Conflict, "%s exists; a backup overwrites nothing", path)
		}
	}
	err = errors.Join(err, os.Remove(partial))
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	return m, err
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Verify reads a whole backup and holds it against its own checksums. It is
// Invalid when something is missing or changed.
func Verify(path string) (*Manifest, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "there is no backup %s", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := readArchive(f, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Restore fills an empty database from a backup, whichever kind of database it
// was made of, and brings the schema up to the program's. Everything is
// verified first and entered in one transaction. It is Conflict when the
// database holds anything, or a newer schema than the backup's, or the backup a
// newer one than the program's; and Invalid when the backup is not whole. Open
// the Store with Options.Leave.
func (s *Store) Restore(ctx context.Context, path string) (*Manifest, error) {
	m, err := Verify(path)
	if err != nil {
		return nil, err
	}
	if err := s.prepareFor(ctx, m, path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = s.update(ctx, func(tx *transaction) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return s.fillFrom(ctx, tx, f)
	})
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", path, err)
	}
	return m, s.Migrate(ctx)
}

// prepareFor brings the schema to the backup's.
func (s *Store) prepareFor(ctx context.Context, m *Manifest, path string) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; m.Schema > newest {
		return fault.New(fault.Conflict, "%s has schema %d, and this program knows schemas up to %d only: use the program that made it, or a newer one", path, m.Schema, newest)
	}
	have, err := s.schema(ctx)
	if err != nil {
		return err
	}
	if have > 0 { // say so before anything about schemas
		if err := s.snapshot(ctx, func(tx *transaction) error { return s.empty(ctx, tx) }); err != nil {
			return err
		}
	}
	if have > m.Schema {
		return fault.New(fault.Conflict, "%s has schema %d already, and the backup %d: restore into a new database", s.name, have, m.Schema)
	}
	return s.migrateTo(ctx, p, m.Schema)
}

// empty is a Conflict when any table has a row.
func (s *Store) empty(ctx context.Context, tx *transaction) error {
	tables, err := s.tables(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		var filled bool
		if err := tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT 1 FROM %s)`, t.Name)).Scan(&filled); err != nil {
			return err
		}
		if filled {
			return fault.New(fault.Conflict, "%s is in use: table %s has rows. A restore overwrites nothing; give it a new database", s.name, t.Name)
		}
	}
	if !slices.ContainsFunc(tables, func(t table) bool { return t.Name == "fix_log" }) {
		return nil // a schema without tracks
	}
	days, err := s.fixes.days(ctx, tx)
	if len(days) > 0 {
		return fault.New(fault.Conflict, "%s is in use: there are tracks of %s. A restore overwrites nothing; give it a new database", s.name, dayName(days[0]))
	}
	return err
}

func (s *Store) fillFrom(ctx context.Context, tx *transaction, r io.Reader) error {
	if err := s.empty(ctx, tx); err != nil {
		return err
	}
	ours, err := s.tables(ctx, tx)
	if err != nil {
		return err
	}
	filled := make(map[string]int64)
	m, err := readArchive(r, func(name string, rows []byte) error {
		folder, _, _ := strings.Cut(name, "/")
		if folder == tracksTable.Name {
			n, err := s.fillTracks(ctx, tx, rows)
			filled[folder] += n
			return err
		}
		i := slices.IndexFunc(ours, func(t table) bool { return t.Name == folder })
		if i < 0 {
			return fault.New(fault.Invalid, "the backup has a table that schema does not: %s", folder)
		}
		n, err := fillTable(ctx, tx, ours[i], rows)
		filled[folder] += n
		return err
	})
	if err != nil {
		return err
	}
	ours = append(ours, tracksTable)
	for _, t := range m.Tables {
		i := slices.IndexFunc(ours, func(o table) bool { return o.Name == t.Name })
		if i < 0 || !slices.Equal(ours[i].Columns, t.Columns) || filled[t.Name] != t.Rows {
			return fault.New(fault.Invalid, "table %s of the backup is not what its manifest says", t.Name)
		}
	}
	return nil
}

func fillTable(ctx context.Context, tx *transaction, t table, lines []byte) (int64, error) {
	rows, err := readRows(t, lines)
	if err != nil {
		return 0, err
	}
	return int64(len(rows)), tx.d.bulk(ctx, tx, t.Name, t.names(), rows)
}

func readRows(t table, lines []byte) ([][]any, error) {
	var rows [][]any
	for line := range bytes.Lines(lines) {
		values, err := readRow(line, t.Columns)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s row %d: %w", t.Name, len(rows)+1, err)
		}
		rows = append(rows, values)
	}
	return rows, nil
}
