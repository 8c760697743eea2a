package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lianqin/internal/casework"
	"lianqin/internal/evidence"
	"lianqin/internal/fault"
)

// Evidence is the part of a Store that keeps an evidence.Shelf's files.
type Evidence struct{ s *Store }

var _ evidence.Store = Evidence{}

// Evidence is where the database keeps which photos and files there are.
func (s *Store) Evidence() Evidence { return Evidence{s} }

// waiting are the files that no case and no inspection has claimed.
const waiting = `case_id IS NULL AND shared = 0 AND inspection_id IS NULL`

// EnterFile implements evidence.Store.
func (e Evidence) EnterFile(ctx context.Context, f evidence.File, most int64) error {
	return e.s.update(ctx, func(tx *transaction) error {
		var held int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(size + thumb_size + $2), 0) FROM evidence_file
			WHERE `+waiting+` AND (sender = '') = (CAST($1 AS TEXT) = '')`, f.Sender, int64(evidence.Overhead)).Scan(&held)
		if err != nil {
			return err
		}
		if held+f.Size+f.ThumbSize+evidence.Overhead > most {
			return fault.New(fault.Unavailable, "%d MB of files wait for a report already; send the reports first, or try again later", held>>20)
		}
		shared := 0
		if f.Shared {
			shared = 1
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO evidence_file (name, type, size, thumb_size, width, height, sha256, taken, sender, received, shared)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			f.Name, string(f.Type), f.Size, f.ThumbSize, f.Width, f.Height, f.SHA256, millis(f.Taken), f.Sender, f.Received.UnixMilli(), shared)
		if err != nil {
			return fmt.Errorf("file %s: %w", f.Name, err)
		}
		return nil
	})
}

// File implements evidence.Store.
func (e Evidence) File(ctx context.Context, name string) (evidence.File, error) {
	f := evidence.File{Name: name}
	var taken, received, owner sql.NullInt64
	err := e.s.readers.QueryRowContext(ctx, `SELECT type, size, thumb_size, width, height, sha256, taken, sender, received, case_id, shared
		FROM evidence_file WHERE name = $1`, name).
		Scan(&f.Type, &f.Size, &f.ThumbSize, &f.Width, &f.Height, &f.SHA256, &taken, &f.Sender, &received, &owner, &f.Shared)
	if errors.Is(err, sql.ErrNoRows) {
		return f, fault.New(fault.NotFound, "there is no file %.80q", name)
	}
	f.Taken, f.Received, f.Case = instant(taken), instant(received), owner.Int64
	return f, e.s.faultOf(err)
}

// StaleFiles implements evidence.Store.
func (e Evidence) StaleFiles(ctx context.Context, before time.Time, limit int) ([]string, error) {
	var names []string
	err := eachRow(ctx, e.s.readers, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	}, `SELECT name FROM evidence_file WHERE `+waiting+` AND received < $1 ORDER BY received LIMIT $2`, before.UnixMilli(), limit)
	return names, e.s.faultOf(err)
}

// DropFile implements evidence.Store.
func (e Evidence) DropFile(ctx context.Context, name string) error {
	return e.s.update(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM evidence_file WHERE name = $1 AND `+waiting, name)
		return err
	})
}

// claimEvidence makes the files that e names those of its case. It is Invalid
// for one that there is not, that is another case's, or that has waited so long
// that it is being removed.
func claimEvidence(ctx context.Context, tx *transaction, e *casework.Entry) error {
	return claimFiles(ctx, tx, `UPDATE evidence_file SET case_id = $1
		WHERE name = $2 AND shared = 0 AND (case_id = $1 OR case_id IS NULL AND inspection_id IS NULL AND received > $3)`, e.Case, e.At, e.Input.Evidence)
}

// claimByInspection is claimEvidence for what an inspector took, where no case
// claims it.
func claimByInspection(ctx context.Context, tx *transaction, id int64, e *casework.InspectionEntry) error {
	return claimFiles(ctx, tx, `UPDATE evidence_file SET inspection_id = $1
		WHERE name = $2 AND shared = 0 AND case_id IS NULL AND (inspection_id = $1 OR inspection_id IS NULL AND received > $3)`, id, e.At, e.Result.Evidence)
}

func claimFiles(ctx context.Context, tx *transaction, claim string, owner int64, at time.Time, names []string) error {
	since := at.Add(-evidence.Claimable).UnixMilli()
	for i, name := range names {
		res, err := tx.ExecContext(ctx, claim, owner, name, since)
		if err != nil {
			return fmt.Errorf("file %q: %w", name, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.InvalidField("evidence", "number %d, %.80q, is no file that was sent within a day and belongs to no other case", i+1, name)
		}
	}
	return nil
}
