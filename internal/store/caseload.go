package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

var _ casework.Archive = Cases{}

// Load implements casework.Archive. While one batch is entered, those after it
// are made and packed, on all processors.
func (k Cases) Load(ctx context.Context, batches iter.Seq2[casework.Batch, error], told func([]casework.Landing)) error {
	own, err := k.source(ctx)
	if err != nil {
		return err
	}
	var coming []<-chan loadBatch
	defer func() {
		for _, b := range coming { // no batch is made any more when Load has returned
			<-b
		}
	}()
	enter := func() error {
		b := <-coming[0]
		coming = coming[1:]
		if b.err != nil {
			return b.err
		}
		var landed []casework.Landing
		err := k.s.update(ctx, func(tx *transaction) (err error) {
			landed, err = b.enter(ctx, tx, own)
			return err
		})
		if err == nil {
			told(landed)
		}
		return err
	}
	ahead := runtime.GOMAXPROCS(0) + 1
	for b, err := range batches {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			for len(coming) > 0 && ctx.Err() == nil { // what came before is whole
				if before := enter(); before != nil {
					return before
				}
			}
			return err
		}
		if len(coming) == ahead {
			if err := enter(); err != nil {
				return err
			}
		}
		done := make(chan loadBatch, 1)
		go func() { done <- packBatch(b) }()
		coming = append(coming, done)
	}
	for len(coming) > 0 {
		if err := enter(); err != nil {
			return err
		}
	}
	return nil
}

// loadBatch are cases with the rows that they make, all but for their IDs.
type loadBatch struct {
	cases  []casework.Loading
	files  [][]any // as fileRow makes them
	packed [][]byte
	err    error
}

func packBatch(from casework.Batch) loadBatch {
	b := loadBatch{cases: from()}
	for i := range b.cases {
		l := &b.cases[i]
		packed, err := packEntries(l.Entries)
		if err != nil {
			b.err = fmt.Errorf("line %d: %w", l.Line, err)
			return b
		}
		b.packed = append(b.packed, packed)
		b.files = append(b.files, fileRow(0, &l.Case))
	}
	return b
}

// sourceKey is what a case is called where it comes from.
type sourceKey struct{ source, number string }

func (b *loadBatch) enter(ctx context.Context, tx *transaction, own string) ([]casework.Landing, error) {
	if len(b.cases) == 0 {
		return nil, nil
	}
	number, err := countUp(ctx, tx, casesLedger)
	if err != nil {
		return nil, err
	}
	var first int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM case_file`).Scan(&first); err != nil {
		return nil, err
	}
	w := landing{ctx: ctx, tx: tx, own: own, next: first, landed: make([]casework.Landing, len(b.cases))}
	if err := w.lookUp(b.cases); err != nil {
		return nil, err
	}
	var files, histories, sources, reporters, parties [][]any
	for i := range b.cases {
		l := &b.cases[i]
		id, renamed, err := w.land(i, l)
		if err != nil {
			return nil, err
		}
		if id == 0 {
			continue
		}
		packed := b.packed[i]
		if renamed != nil {
			if packed, err = packEntries(renamed); err != nil {
				return nil, err
			}
		}
		file := slices.Clone(b.files[i])
		file[0], file[1] = id, number
		files = append(files, file)
		histories = append(histories, []any{id, int64(1), packed})
		sources = append(sources, []any{id, l.Source, l.Number})
		if r := l.Reporter; r != nil && *r != (casework.Reporter{}) {
			reporters = append(reporters, []any{id, r.Name, r.Contact})
		}
		c := l.Case
		c.ID = id
		parties = append(parties, partyRows(&c)...)
	}
	if len(files) == 0 {
		return w.landed, nil
	}
	for _, t := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"case_file", fileColumns, files}, {"case_history", []string{"case_id", "seq", "entries"}, histories}, {"case_source", []string{"case_id", "source", "number"}, sources},
		{"case_reporter", []string{"case_id", "name", "contact"}, reporters}, {"case_party", partyColumns, parties},
	} {
		if err := tx.d.bulk(ctx, tx, t.name, t.columns, t.rows); err != nil {
			return nil, err
		}
	}
	for i := range b.cases {
		if l := w.landed[i]; l.Err == nil && !l.Known {
			if err := enterRulings(ctx, tx, l.Case, b.cases[i].Entries); err != nil {
				return nil, err
			}
		}
	}
	ev := callerOr(ctx, "operator").Event("case.load", fmt.Sprintf("%d-%d", first, w.next-1))
	ev.At, ev.After = time.Now(), auth.Detail(map[string]int{"cases": len(files)})
	return w.landed, appendAudit(ctx, tx, ev)
}

// landing finds out which cases of a batch are to be entered.
type landing struct {
	ctx    context.Context
	tx     *transaction
	own    string // what this database is called as a source
	next   int64  // ID
	known  map[sourceKey]int64
	orders map[string]int64
	landed []casework.Landing
}

// lookUp finds which cases and which 12345 orders are there already.
func (w *landing) lookUp(cases []casework.Loading) error {
	numbers, orders := map[string][]any{}, []any{}
	for i := range cases {
		l := &cases[i]
		numbers[l.Source] = append(numbers[l.Source], l.Number)
		if o := l.Case.Order; o != nil {
			orders = append(orders, o.Number)
		}
	}
	w.known, w.orders = map[sourceKey]int64{}, map[string]int64{}
	for source, all := range numbers {
		if err := w.lookUpNumbers(source, all); err != nil {
			return err
		}
	}
	return w.inChunks(orders, func(marks string, args []any) error {
		return eachRow(w.ctx, w.tx, func(rows *sql.Rows) error {
			var number string
			var id int64
			err := rows.Scan(&number, &id)
			w.orders[number] = id
			return err
		}, `SELECT order_number, id FROM case_file WHERE order_number IN (`+marks+`)`, args...)
	})
}

func (w *landing) lookUpNumbers(source string, numbers []any) error {
	query := `SELECT number, case_id FROM case_source WHERE number IN (%s) AND source = %s`
	args := []any{source}
	if source == w.own {
		query, args = `SELECT CAST(id AS text), id FROM case_file WHERE id IN (%s)`, nil
		ids := numbers[:0:0]
		for _, n := range numbers {
			if id, err := strconv.ParseInt(n.(string), 10, 64); err == nil {
				ids = append(ids, id)
			}
		}
		numbers = ids
	}
	return w.inChunks(numbers, func(marks string, some []any) error {
		all := append(slices.Clip(some), args...)
		text := fmt.Sprintf(query, marks, "$"+strconv.Itoa(len(all)))
		if source == w.own {
			text = fmt.Sprintf(query, marks)
		}
		return eachRow(w.ctx, w.tx, func(rows *sql.Rows) error {
			var number string
			var id int64
			err := rows.Scan(&number, &id)
			w.known[sourceKey{source, number}] = id
			return err
		}, text, all...)
	})
}

// inChunks calls f with some values at a time and their placeholders.
func (w *landing) inChunks(values []any, f func(marks string, some []any) error) error {
	for some := range slices.Chunk(values, 500) {
		marks := make([]string, len(some))
		for i := range some {
			marks[i] = "$" + strconv.Itoa(i+1)
		}
		if err := f(strings.Join(marks, ", "), some); err != nil {
			return err
		}
	}
	return nil
}

// land says what becomes of case i of the batch: its ID when it is to be
// entered, or 0, and its entries where they name other cases.
func (w *landing) land(i int, l *casework.Loading) (int64, []casework.Entry, error) {
	to := &w.landed[i]
	to.Line = l.Line
	key := sourceKey{l.Source, l.Number}
	if to.Case, to.Known = w.known[key]; to.Known {
		return 0, nil, nil
	}
	if l.Source == w.own {
		to.Err = fault.New(fault.Conflict, "case %s was never one of this database's, which is called %s as a source", l.Number, w.own)
		return 0, nil, nil
	}
	if o := l.Case.Order; o != nil {
		if id, there := w.orders[o.Number]; there {
			to.Err = fault.New(fault.Conflict, "the 12345 order %s is there already, with case %d", o.Number, id)
			return 0, nil, nil
		}
	}
	renamed, err := l.Referring(func(number int64) (int64, error) {
		return w.caseOf(sourceKey{l.Source, strconv.FormatInt(number, 10)})
	})
	if fault.KindOf(err) == fault.Conflict {
		to.Err, err = err, nil
	}
	if err != nil || to.Err != nil {
		return 0, nil, err
	}
	to.Case = w.next
	w.next++
	w.known[key] = to.Case
	if o := l.Case.Order; o != nil {
		w.orders[o.Number] = to.Case
	}
	return to.Case, renamed, nil
}

// caseOf is the ID here of a case of a source, or Conflict.
func (w *landing) caseOf(key sourceKey) (int64, error) {
	if _, ok := w.known[key]; !ok {
		if err := w.lookUpNumbers(key.source, []any{key.number}); err != nil {
			return 0, err
		}
	}
	id, ok := w.known[key]
	if !ok {
		return 0, fault.New(fault.Conflict, "it names case %s of %s, which is not here yet: import that first, and this again", key.number, key.source)
	}
	return id, nil
}

// enterRulings enters the precedents that a history makes.
func enterRulings(ctx context.Context, tx *transaction, id int64, entries []casework.Entry) error {
	if !slices.ContainsFunc(entries, func(e casework.Entry) bool { return e.Action == casework.Rule || e.Action == casework.Reassign }) {
		return nil
	}
	var c casework.Case
	for i := range entries {
		var err error
		if c, err = c.With(entries[i]); err != nil {
			return err
		}
		if p, ok := casework.PrecedentOf(&c, &entries[i]); ok {
			p.Case = id
			if err := enterPrecedent(ctx, tx, &p); err != nil {
				return err
			}
		}
	}
	return nil
}
