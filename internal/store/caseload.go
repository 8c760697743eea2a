package store

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
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
	loadedInOne  = 10_000
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
	// One batch is packed while the one before it is entered.
	var packing sync.WaitGroup
	defer packing.Wait()
	pack := func(i int) <-chan loadBatch {
		done := make(chan loadBatch, 1)
		at := first + int64(i*loadedAtOnce) // all but the last are as long
		packing.Go(func() { done <- packBatch(at, number, batches[i]) })
		return done
	}
	coming := pack(0)
	for i := range batches {
		b := <-coming
		if i+1 < len(batches) {
			coming = pack(i + 1)
		}
		if err := b.enter(ctx, tx); err != nil {
			return err
		}
	}
	ev := callerOr(ctx, "operator").Event("case.load", fmt.Sprintf("%d-%d", first, first+int64(n)-1))
	ev.At, ev.After = time.Now(), auth.Detail(map[string]int{"cases": n})
	return appendAudit(ctx, tx, ev)
}

// loadBatch are the rows of some cases.
type loadBatch struct {
	files, entries [][]any
	parties        [][][]any
	err            error
}

// packBatch makes the rows of histories, whose IDs begin with first, on all
// processors.
func packBatch(first, change int64, histories [][]casework.Entry) loadBatch {
	n := len(histories)
	b := loadBatch{files: make([][]any, n), entries: make([][]any, n), parties: make([][][]any, n)}
	parts := runtime.GOMAXPROCS(0)
	var g errgroup.Group
	for p := range parts {
		g.Go(func() (err error) {
			for i := p; i < n && err == nil; i += parts {
				b.files[i], b.entries[i], b.parties[i], err = loadRows(first+int64(i), change, histories[i])
			}
			return err
		})
	}
	b.err = g.Wait()
	return b
}

func (b *loadBatch) enter(ctx context.Context, tx *transaction) error {
	if b.err != nil {
		return b.err
	}
	if err := tx.d.bulk(ctx, tx, "case_file", fileColumns, b.files); err != nil {
		return err
	}
	if err := tx.d.bulk(ctx, tx, "case_history", []string{"case_id", "seq", "entries"}, b.entries); err != nil {
		return err
	}
	return tx.d.bulk(ctx, tx, "case_party", partyColumns, slices.Concat(b.parties...))
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
