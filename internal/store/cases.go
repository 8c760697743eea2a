package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// casesLedger counts the changes of cases. Whoever changes one counts up
// first and holds it to the end, so that numbers grow in the order of commits.
const casesLedger = "cases"

// Cases is the part of a Store that keeps a casework.Desk.
type Cases struct{ s *Store }

var _ casework.Store = Cases{}

// Cases is where the database keeps cases and what is set for them.
func (s *Store) Cases() Cases { return Cases{s} }

var fileColumns = []string{"id", "change", "seq", "state", "overlays", "is_open", "next_due", "channel", "item", "street", "grid", "centre",
	"lead", "captured", "received", "ended", "lon_e7", "lat_e7", "order_number", "facts"}

// fileRow is a case as it is searched for, in the order of fileColumns.
func fileRow(change int64, c *casework.Case) []any {
	open, ended, lon, lat, order := int64(0), sql.NullInt64{}, sql.NullInt64{}, sql.NullInt64{}, sql.NullString{}
	if c.State.Open() {
		open = 1
	} else {
		ended = sql.NullInt64{Int64: c.Ended.UnixMilli(), Valid: true}
	}
	if c.Place.Generation != 0 {
		if at, err := geo.Quantise(c.Place.At); err == nil {
			lon, lat = sql.NullInt64{Int64: int64(at.X), Valid: true}, sql.NullInt64{Int64: int64(at.Y), Valid: true}
		}
	}
	if c.Order != nil {
		order = textOrNull(c.Order.Number)
	}
	return []any{c.ID, change, int64(c.Seq), string(c.State), int64(c.Overlays), open, casework.DueOf(c), string(c.Channel), c.Item, c.Place.Street,
		c.Place.GridCode, c.Centre, c.Cycle.Lead.Code, c.Captured.UnixMilli(), c.Received.UnixMilli(), ended, lon, lat, order,
		casework.AppendKept(nil, casework.KeptOf(c))}
}

var putFile = func() string {
	marks, sets := make([]string, len(fileColumns)), make([]string, 0, len(fileColumns))
	for i, c := range fileColumns {
		marks[i] = "$" + strconv.Itoa(i+1)
		if c != "id" {
			sets = append(sets, c+" = excluded."+c)
		}
	}
	return fmt.Sprintf(`INSERT INTO case_file (%s) VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s`,
		strings.Join(fileColumns, ", "), strings.Join(marks, ", "), strings.Join(sets, ", "))
}()

// UpdateCase implements casework.Store.
func (k Cases) UpdateCase(ctx context.Context, id int64, f func(casework.Case) (*casework.Change, error)) error {
	return k.s.update(ctx, func(tx *transaction) error {
		number, err := countUp(ctx, tx, casesLedger)
		if err != nil {
			return err
		}
		c := casework.Case{ID: id}
		if id == 0 {
			if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM case_file`).Scan(&c.ID); err != nil {
				return err
			}
		} else {
			found, err := readRecords(ctx, tx, []int64{id})
			if err != nil {
				return err
			}
			if len(found) == 0 {
				return fault.New(fault.NotFound, "there is no case %d", id)
			}
			c = found[0].Case
		}
		ch, err := f(c)
		if err != nil {
			return err
		}
		return enterCaseChange(ctx, tx, number, ch)
	})
}

func enterCaseChange(ctx context.Context, tx *transaction, number int64, ch *casework.Change) error {
	id := ch.Case.ID
	if _, err := tx.ExecContext(ctx, putFile, fileRow(number, &ch.Case)...); err != nil {
		return fmt.Errorf("case %d: %w", id, err)
	}
	// First of all: what names the same files is told that it is there already.
	if ch.Key != (casework.SendKey{}) {
		if _, err := tx.ExecContext(ctx, `INSERT INTO case_sent (key, case_id) VALUES ($1, $2)`, sendKey(ch.Key), id); err != nil {
			return fmt.Errorf("what was sent to case %d: %w", id, err)
		}
	}
	if err := enterParties(ctx, tx, &ch.Case); err != nil {
		return fmt.Errorf("parties of case %d: %w", id, err)
	}
	if err := claimEvidence(ctx, tx, &ch.Entry); err != nil {
		return fmt.Errorf("case %d: %w", id, err)
	}
	packed, err := packEntries([]casework.Entry{ch.Entry})
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO case_history (case_id, seq, entries) VALUES ($1, $2, $3)`, id, int64(ch.Entry.Seq), packed); err != nil {
		return fmt.Errorf("case %d, entry %d: %w", id, ch.Entry.Seq, err)
	}
	if r := ch.Reporter; r != nil && *r != (casework.Reporter{}) {
		if _, err := tx.ExecContext(ctx, `INSERT INTO case_reporter (case_id, name, contact) VALUES ($1, $2, $3)`, id, r.Name, r.Contact); err != nil {
			return fmt.Errorf("reporter of case %d: %w", id, err)
		}
	}
	if ch.Source != "" {
		if _, err := tx.ExecContext(ctx, `INSERT INTO case_source (case_id, source, number) VALUES ($1, $2, $3)`, id, ch.Source, ch.Number); err != nil {
			return fmt.Errorf("case %s of %s: %w", ch.Number, ch.Source, err)
		}
	}
	if p := ch.Precedent; p != nil {
		if err := enterPrecedent(ctx, tx, p); err != nil {
			return err
		}
	}
	return auditCase(ctx, tx, &ch.Entry)
}

func sendKey(k casework.SendKey) string { return hex.EncodeToString(k[:]) }

// enterParties puts the parties of c in the place of those before.
func enterParties(ctx context.Context, tx *transaction, c *casework.Case) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM case_party WHERE case_id = $1`, c.ID); err != nil {
		return err
	}
	return tx.d.bulk(ctx, tx, "case_party", partyColumns, partyRows(c))
}

var partyColumns = []string{"case_id", "department"}

func partyRows(c *casework.Case) (rows [][]any) {
	if c.State.Open() {
		for _, code := range c.Parties() {
			rows = append(rows, []any{c.ID, code})
		}
	}
	return rows
}

// auditCase puts what somebody did into the audit chain: that he did it, and
// where it led; the words are in the history.
func auditCase(ctx context.Context, tx *transaction, e *casework.Entry) error {
	ev := callerOr(ctx, e.By.ID).Event("case."+string(e.Action), strconv.FormatInt(e.Case, 10))
	ev.At = e.At
	ev.After = auth.Detail(struct {
		Seq  int            `json:"seq"`
		As   casework.Role  `json:"as"`
		From casework.State `json:"from,omitempty"`
		To   casework.State `json:"to"`
	}{e.Seq, e.By.Role, e.From, e.To})
	return appendAudit(ctx, tx, ev)
}

// callerOr is on whose behalf ctx works or, for the program's own commands,
// name.
func callerOr(ctx context.Context, name string) auth.Caller {
	if who, ok := auth.CallerFrom(ctx); ok {
		return who
	}
	return auth.Operator(name)
}

// Changes implements casework.Store. It reads one column of bytes: a reading of
// each of a row's columns would cost as much again.
func (k Cases) Changes(ctx context.Context, after int64, f func(*casework.Kept) error) (int64, error) {
	last := after
	var r casework.KeptReader
	err := eachRow(ctx, k.s.readers, func(rows *sql.Rows) error {
		var id int64
		var packed sql.RawBytes
		if err := rows.Scan(&id, &last, &packed); err != nil {
			return err
		}
		kept, err := r.Read(id, last, packed)
		if errors.Is(err, casework.ErrKeptForm) {
			kept, err = k.anew(ctx, id, last)
		}
		if err != nil {
			return err
		}
		return f(&kept)
	}, `SELECT id, change, facts FROM case_file WHERE change > $1 ORDER BY change, id`, after)
	return last, k.s.faultOf(err)
}

// anew is what is kept of a case by its history, which has what the row of a
// version before does not.
func (k Cases) anew(ctx context.Context, id, change int64) (casework.Kept, error) {
	found, err := readRecords(ctx, k.s.readers, []int64{id})
	if err != nil {
		return casework.Kept{}, err
	}
	kept := casework.KeptOf(&found[0].Case)
	kept.Change = change
	return *kept, nil
}

// Standing implements casework.Store.
func (k Cases) Standing(ctx context.Context, at time.Time, f func([]casework.Entry) error) error {
	var entries []casework.Entry
	tell := func() error {
		if len(entries) == 0 {
			return nil
		}
		return f(entries)
	}
	err := eachRow(ctx, k.s.readers, func(rows *sql.Rows) error {
		var id int64
		var packed sql.RawBytes
		if err := rows.Scan(&id, &packed); err != nil {
			return err
		}
		more, err := unpackEntries(id, packed)
		if err != nil {
			return err
		}
		if len(entries) > 0 && entries[0].Case != id {
			if err := tell(); err != nil {
				return err
			}
			entries = nil
		}
		entries = append(entries, more...)
		return nil
	}, `SELECT h.case_id, h.entries FROM case_history h JOIN (
			SELECT id FROM case_file WHERE is_open = 1 AND received <= $1
			UNION ALL SELECT id FROM case_file WHERE is_open = 0 AND ended > $1 AND received <= $1
			UNION ALL SELECT id FROM case_file WHERE is_open = 0 AND ended IS NULL AND received <= $1
		) AS standing ON standing.id = h.case_id ORDER BY h.case_id, h.seq`, at.UnixMilli())
	if err == nil {
		err = tell()
	}
	return k.s.faultOf(err)
}

// Reporter implements casework.Store. The look is entered in the audit chain,
// or there is none.
func (k Cases) Reporter(ctx context.Context, id int64) (casework.Reporter, error) {
	var r casework.Reporter
	err := k.s.update(ctx, func(tx *transaction) error {
		err := tx.QueryRowContext(ctx, `SELECT name, contact FROM case_reporter WHERE case_id = $1`, id).Scan(&r.Name, &r.Contact)
		if _, err = found(r, err, "reporter of case", strconv.FormatInt(id, 10)); err != nil {
			return err
		}
		ev := callerOr(ctx, "operator").Event("case.reporter", strconv.FormatInt(id, 10))
		ev.At = time.Now()
		return appendAudit(ctx, tx, ev)
	})
	return r, err
}

// Find implements casework.Store.
func (k Cases) Find(ctx context.Context, q casework.Search) (*casework.Found, error) {
	out := &casework.Found{}
	err := k.s.view(ctx, func(tx queryer) error {
		where := searchFor(&q)
		if q.Count {
			var err error
			out.Counts, err = countCases(ctx, tx, where, &q)
			return err
		}
		ids := q.IDs
		if ids == nil {
			limit := q.Limit
			if limit == 0 {
				limit = casework.MostFound
			}
			var err error
			if ids, err = caseIDs(ctx, tx, where, limit+1); err != nil {
				return err
			}
			if len(ids) > limit {
				ids, out.More = ids[:limit], true
			}
		}
		var err error
		out.Records, err = readRecords(ctx, tx, ids)
		return err
	})
	return out, err
}

func caseIDs(ctx context.Context, q queryer, w *condition, limit int) ([]int64, error) {
	var ids []int64
	return ids, eachRow(ctx, q, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, fmt.Sprintf(`SELECT id FROM case_file WHERE %s ORDER BY %s LIMIT %d OFFSET %d`, w.text(), w.order, limit, w.skip), w.args...)
}

func countCases(ctx context.Context, q queryer, w *condition, s *casework.Search) ([]casework.Count, error) {
	now := s.AsOf.UnixMilli()
	at, soon := w.mark(now), w.mark(s.AsOf.Add(s.Within).UnixMilli())
	var out []casework.Count
	return out, eachRow(ctx, q, func(rows *sql.Rows) error {
		var n casework.Count
		err := rows.Scan(&n.State, &n.Overlays, &n.N, &n.Overdue, &n.Near)
		out = append(out, n)
		return err
	}, fmt.Sprintf(`SELECT state, overlays, count(*), sum(CASE WHEN next_due < %[1]s THEN 1 ELSE 0 END),
		sum(CASE WHEN next_due >= %[1]s AND next_due < %[2]s THEN 1 ELSE 0 END)
		FROM case_file WHERE %[3]s GROUP BY state, overlays ORDER BY state, overlays`, at, soon, w.text()), w.args...)
}

// condition is a WHERE clause with its arguments, and the order.
type condition struct {
	parts []string
	args  []any
	order string
	skip  int
}

func (w *condition) text() string { return strings.Join(w.parts, " AND ") }

// mark is the placeholder of another argument.
func (w *condition) mark(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *condition) and(format string, values ...any) {
	marks := make([]any, len(values))
	for i, v := range values {
		marks[i] = w.mark(v)
	}
	w.parts = append(w.parts, fmt.Sprintf(format, marks...))
}

// searchFor turns a Search into SQL. Which rows are open is written out, since
// the indexes of queues are of those alone.
func searchFor(q *casework.Search) *condition {
	w := &condition{order: "next_due, id"}
	switch {
	case q.Order != "":
		w.and("order_number = %s", q.Order)
		return w
	case q.Near != nil:
		w.near(q.Near)
		return w
	case q.Key != (casework.SendKey{}):
		w.and("id IN (SELECT case_id FROM case_sent WHERE key = %s)", sendKey(q.Key))
		return w
	case q.Received != nil:
		w.received(q.Received)
		return w
	case q.Closed:
		w.order = "id DESC"
		w.and("is_open = 0")
	default:
		w.and("is_open = 1")
	}
	for _, part := range [...]struct{ column, value string }{
		{"state", string(q.State)}, {"street", q.Street}, {"grid", q.Grid}, {"lead", q.Department}, {"item", q.Item}, {"channel", string(q.Channel)},
	} {
		if part.value != "" {
			w.and(part.column+" = %s", part.value)
		}
	}
	if q.Party != "" {
		w.and("id IN (SELECT case_id FROM case_party WHERE department = %s)", q.Party)
	}
	if q.Centre != nil {
		w.and("centre = %s", *q.Centre)
	}
	if q.Overlay != 0 {
		w.and("overlays & %s = %s", int64(q.Overlay), int64(q.Overlay))
	}
	if !q.DueFrom.IsZero() {
		w.and("next_due >= %s", q.DueFrom.UnixMilli())
	}
	if !q.DueTo.IsZero() {
		w.and("next_due < %s", q.DueTo.UnixMilli())
	}
	if q.After != (casework.Cursor{}) && !q.Count {
		if q.Closed {
			w.and("id < %s", q.After.Case)
		} else {
			w.and("(next_due, id) > (%s, %s)", q.After.Due, q.After.Case)
		}
	}
	return w
}

func (w *condition) near(n *casework.Near) {
	low, _ := geo.Quantise(n.Box.Min)
	high, _ := geo.Quantise(n.Box.Max)
	w.order = "id"
	w.and("item = %s", n.Item)
	w.and("lat_e7 BETWEEN %s AND %s", int64(low.Y)-1, int64(high.Y)+1)
	w.and("lon_e7 BETWEEN %s AND %s", int64(low.X)-1, int64(high.X)+1)
	w.and("(is_open = 1 OR captured BETWEEN %s AND %s)", n.From.UnixMilli(), n.To.UnixMilli())
}

func (w *condition) received(r *casework.Received) {
	w.order, w.skip = "received DESC, id DESC", r.Skip
	w.and("received >= %s", r.From.UnixMilli())
	w.and("received < %s", r.To.UnixMilli())
	if r.Open != r.Closed {
		if r.Open {
			w.and("is_open = 1")
		} else {
			w.and("is_open = 0")
		}
	}
	if len(r.Items) == 0 {
		w.and("1 = 0")
		return
	}
	marks := make([]string, len(r.Items))
	for i, code := range r.Items {
		marks[i] = w.mark(code)
	}
	w.parts = append(w.parts, "item IN ("+strings.Join(marks, ", ")+")")
}

// readRecords reads the cases of those IDs that there are, in their order.
func readRecords(ctx context.Context, q queryer, ids []int64) ([]casework.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	w := &condition{}
	marks := make([]string, len(ids))
	for i, id := range ids {
		marks[i] = w.mark(id)
	}
	histories := make(map[int64][]casework.Entry, len(ids))
	err := eachRow(ctx, q, func(rows *sql.Rows) error {
		var id int64
		var packed sql.RawBytes
		if err := rows.Scan(&id, &packed); err != nil {
			return err
		}
		entries, err := unpackEntries(id, packed)
		if err != nil {
			return err
		}
		histories[id] = append(histories[id], entries...)
		return nil
	}, `SELECT case_id, entries FROM case_history WHERE case_id IN (`+strings.Join(marks, ", ")+`) ORDER BY case_id, seq`, w.args...)
	if err != nil {
		return nil, err
	}
	out := make([]casework.Record, 0, len(ids))
	for _, id := range ids {
		entries, ok := histories[id]
		if !ok {
			continue
		}
		c, err := casework.Replay(entries)
		if err != nil {
			return nil, fault.New(fault.Internal, "history of case %d: %w", id, err)
		}
		out = append(out, casework.Record{Case: c, Entries: entries})
	}
	return out, nil
}
