package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"strconv"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
)

// source is what this database is called where it hands over its own cases:
// random, and the same ever after.
func (k Cases) source(ctx context.Context) (string, error) {
	key, err := k.s.Key(ctx, "cases")
	sum := sha256.Sum256(key)
	return "lianqin-" + hex.EncodeToString(sum[:6]), err
}

// Loaded counts the cases that are here from a source.
func (k Cases) Loaded(ctx context.Context, source string) (n int, err error) {
	err = k.s.readers.QueryRowContext(ctx, `SELECT count(*) FROM case_source WHERE source = $1`, source).Scan(&n)
	return n, k.s.faultOf(err)
}

// Histories implements casework.Archive.
func (k Cases) Histories(ctx context.Context, reporters bool, f func(*casework.History) error) error {
	own, err := k.source(ctx)
	if err != nil {
		return err
	}
	err = k.s.update(ctx, func(tx *transaction) error {
		ev := callerOr(ctx, "operator").Event("case.export", "")
		ev.At, ev.After = time.Now(), auth.Detail(map[string]bool{"reporters": reporters})
		return appendAudit(ctx, tx, ev)
	})
	if err != nil {
		return err
	}
	var last int64
	var h casework.History
	tell := func() error {
		if last == 0 {
			return nil
		}
		return f(&h)
	}
	err = k.s.view(ctx, func(q queryer) error {
		err := eachRow(ctx, q, func(rows *sql.Rows) error {
			var id int64
			var packed sql.RawBytes
			var source, number, name, contact sql.NullString
			if err := rows.Scan(&id, &packed, &source, &number, &name, &contact); err != nil {
				return err
			}
			entries, err := unpackEntries(id, packed)
			if err != nil {
				return err
			}
			if id == last {
				h.Entries = append(h.Entries, entries...)
				return nil
			}
			if err := tell(); err != nil {
				return err
			}
			last = id
			h = casework.History{Source: cmp.Or(source.String, own), Number: cmp.Or(number.String, strconv.FormatInt(id, 10)), Entries: entries}
			if reporters && name.Valid {
				h.Reporter = &casework.Reporter{Name: name.String, Contact: contact.String}
			}
			return nil
		}, `SELECT h.case_id, h.entries, s.source, s.number, r.name, r.contact FROM case_history h
			LEFT JOIN case_source s ON s.case_id = h.case_id LEFT JOIN case_reporter r ON r.case_id = h.case_id ORDER BY h.case_id, h.seq`)
		if err != nil {
			return err
		}
		return tell()
	})
	return err
}
