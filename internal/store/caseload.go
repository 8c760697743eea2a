package store

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

// loadedAtOnce is how many cases are packed and entered together, and
// loadedInOne how many are in one transaction, which bounds what a database
// holds back for it.
const (
	loadedAtOnce = 2000
	loadedInOne  = 20_000
)

// Load enters whole histories of new cases, in the order in which they come,
// and returns how many it entered: as many thousands as were committed before
// anything went wrong. The cases get IDs of their own, whatever their entries
// say. It is Conflict for a history that does not replay, and for a 12345 order
// that is there already.
func (k Cases) Load(ctx context.Context, histories iter.Seq2[[]casework.Entry, error]) (int, error) {
	next, stop := iter.Pull2(histories)
	defer stop()
	total := 0
	for more := true; more; {
		n := 0
		var batches [][][]casework.Entry
		for n < loadedInOne && more {
			var batch [][]casework.Entry
			for len(batch) < loadedAtOnce {
				h, err, ok := next()
				if err != nil {
					return total, err
				}
				if !ok {
					more = false
					break
				}
				batch = append(batch, h)
			}
			if len(batch) > 0 {
				batches, n = append(batches, batch), n+len(batch)
			}
		}
		if n == 0 {
			break
		}
		err := k.s.update(ctx, func(tx *transaction) error { return loadCases(ctx, tx, batches, n) })
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func loadCases(ctx context.Context, tx *transaction, batches [][][]casework.Entry, n int) error {
	number, err := countUp(ctx, tx, casesLedger)
	if err != nil {
		return err
	}
	var first int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM case_file`).Scan(&first); err != nil {
		return err
	}
	id := first
	for _, batch := range batches {
		files, entries, parties := make([][]any, len(batch)), make([][]any, len(batch)), make([][][]any, len(batch))
		parts := runtime.GOMAXPROCS(0)
		var g errgroup.Group
		for p := range parts {
			g.Go(func() error {
				for i := p; i < len(batch); i += parts {
					var err error
					if files[i], entries[i], parties[i], err = loadRows(id+int64(i), number, batch[i]); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		if err := tx.d.bulk(ctx, tx, "case_file", fileColumns, files); err != nil {
			return err
		}
		if err := tx.d.bulk(ctx, tx, "case_history", []string{"case_id", "seq", "entries"}, entries); err != nil {
			return err
		}
		if err := tx.d.bulk(ctx, tx, "case_party", partyColumns, slices.Concat(parties...)); err != nil {
			return err
		}
		id += int64(len(batch))
	}
	ev := callerOr(ctx, "operator").Event("case.load", fmt.Sprintf("%d-%d", first, id-1))
	ev.At, ev.After = time.Now(), auth.Detail(map[string]int{"cases": n})
	return appendAudit(ctx, tx, ev)
}

// loadRows are the rows of a case with that ID.
func loadRows(id, change int64, history []casework.Entry) (file, entries []any, parties [][]any, err error) {
	own := make([]casework.Entry, len(history))
	for i, e := range history {
		e.Case = id
		own[i] = e
	}
	c, err := casework.Replay(own)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(own) == 0 {
		return nil, nil, nil, fault.New(fault.Invalid, "a case without a history")
	}
	packed, err := packEntries(own)
	if err != nil {
		return nil, nil, nil, err
	}
	return fileRow(change, &c), []any{id, int64(1), packed}, partyRows(&c), nil
}
