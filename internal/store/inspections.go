package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

var _ casework.InspectionStore = Cases{}

// chunkOfCases is how many histories are read at once.
const chunkOfCases = 500

// Received implements casework.InspectionStore.
func (k Cases) Received(ctx context.Context, from, to time.Time, f func(*casework.Record) error) error {
	return k.s.view(ctx, func(tx queryer) error {
		w := &condition{order: "id"}
		w.and("received >= %s", from.UnixMilli())
		w.and("received < %s", to.UnixMilli())
		var ids []int64
		err := eachRow(ctx, tx, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}, `SELECT id FROM case_file WHERE `+w.text()+` ORDER BY id`, w.args...)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(ids, chunkOfCases) {
			records, err := readRecords(ctx, tx, chunk)
			if err != nil {
				return err
			}
			for i := range records {
				if err := f(&records[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// UpdateInspection implements casework.InspectionStore.
func (k Cases) UpdateInspection(ctx context.Context, id int64, about func(*casework.Inspection) (int64, error),
	f func(casework.Inspection, *casework.Record, casework.Case) (*casework.InspectionChange, error)) error {
	return k.s.update(ctx, func(tx *transaction) error {
		// Cases first, as UpdateCase does: whoever takes both takes them in this order.
		number := int64(0)
		var draft casework.Case
		if about != nil {
			var err error
			if number, err = countUp(ctx, tx, casesLedger); err != nil {
				return err
			}
			if err = tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM case_file`).Scan(&draft.ID); err != nil {
				return err
			}
		}
		if _, err := countUp(ctx, tx, inspectionsLedger); err != nil {
			return err
		}
		in := casework.Inspection{ID: id}
		var err error
		if id == 0 {
			err = tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM inspection`).Scan(&in.ID)
		} else {
			in, err = readInspection(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		var rec *casework.Record
		if about != nil {
			if rec, err = caseAbout(ctx, tx, &in, about); err != nil {
				return err
			}
		}
		ch, err := f(in, rec, draft)
		if err != nil {
			return err
		}
		if ch.Case != nil {
			if err := enterCaseChange(ctx, tx, number, ch.Case); err != nil {
				return err
			}
		}
		return enterInspection(ctx, tx, ch)
	})
}

// inspectionsLedger is counted up by every change of an inspection, so that
// one is not changed beside another.
const inspectionsLedger = "inspections"

func caseAbout(ctx context.Context, tx *transaction, in *casework.Inspection, about func(*casework.Inspection) (int64, error)) (*casework.Record, error) {
	id, err := about(in)
	if err != nil || id == 0 {
		return nil, err
	}
	found, err := readRecords(ctx, tx, []int64{id})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "there is no case %d", id)
	}
	return &found[0], nil
}

var inspectionItemColumns = []string{"inspection_id", "number", "case_id", "street", "grid", "department", "outcome"}

func enterInspection(ctx context.Context, tx *transaction, ch *casework.InspectionChange) error {
	in, e := &ch.Inspection, &ch.Entry
	head, err := json.Marshal(in.Head())
	if err != nil {
		return fault.New(fault.Internal, "inspection %d: %w", in.ID, err)
	}
	inspectors := ""
	if len(in.Inspectors) > 0 {
		inspectors = "," + strings.Join(in.Inspectors, ",") + ","
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO inspection (id, seq, state, kind, street, grid, inspectors, head) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, state = excluded.state, inspectors = excluded.inspectors, head = excluded.head`,
		in.ID, int64(e.Seq), string(in.State), string(in.Plan.Kind), in.Plan.Scope.Street, in.Plan.Scope.Grid, inspectors, string(head))
	if err != nil {
		return fmt.Errorf("inspection %d: %w", in.ID, err)
	}
	packed, err := packJSON(e)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO inspection_entry (inspection_id, seq, entry) VALUES ($1, $2, $3)`, in.ID, int64(e.Seq), packed); err != nil {
		return fmt.Errorf("inspection %d, entry %d: %w", in.ID, e.Seq, err)
	}
	if len(e.Items) > 0 {
		rows := make([][]any, len(e.Items))
		for i, item := range e.Items {
			rows[i] = []any{in.ID, int64(item.Number), sql.NullInt64{Int64: item.Case, Valid: item.Case != 0}, item.Street, item.Grid, item.Department.Code, ""}
		}
		if err := tx.d.bulk(ctx, tx, "inspection_item", inspectionItemColumns, rows); err != nil {
			return fmt.Errorf("items of inspection %d: %w", in.ID, err)
		}
	}
	if r := e.Result; r != nil {
		_, err := tx.ExecContext(ctx, `UPDATE inspection_item SET outcome = $1 WHERE inspection_id = $2 AND number = $3`, outcomeOf(r), in.ID, int64(r.Item))
		if err != nil {
			return fmt.Errorf("item %d of inspection %d: %w", r.Item, in.ID, err)
		}
		if ch.Case == nil { // else the case has them
			if err := claimByInspection(ctx, tx, in.ID, e); err != nil {
				return err
			}
		}
	}
	return auditInspection(ctx, tx, in.ID, e)
}

func outcomeOf(r *casework.InspectionResult) string {
	if r.Passed() {
		return "pass"
	}
	return "finding"
}

// auditInspection puts what somebody did into the audit chain; the words are
// in the entry.
func auditInspection(ctx context.Context, tx *transaction, id int64, e *casework.InspectionEntry) error {
	ev := callerOr(ctx, e.By.ID).Event("inspection."+string(e.Action), strconv.FormatInt(id, 10))
	ev.At = e.At
	detail := struct {
		Seq        int              `json:"seq"`
		Population int              `json:"population,omitzero"`
		Hash       string           `json:"hash,omitempty"`
		Seed       string           `json:"seed,omitempty"`
		Inspectors []string         `json:"inspectors,omitempty"`
		Item       int              `json:"item,omitzero"`
		Outcome    string           `json:"outcome,omitempty"`
		Corrects   int              `json:"corrects,omitzero"`
		Remedy     *casework.Remedy `json:"remedy,omitempty"`
	}{Seq: e.Seq, Inspectors: e.Inspectors}
	if e.Drawing != nil {
		detail.Population, detail.Hash, detail.Seed, detail.Inspectors = e.Drawing.Population, e.Drawing.Hash, e.Plan.Seed, e.Plan.Inspectors
	}
	if r := e.Result; r != nil {
		detail.Item, detail.Outcome, detail.Corrects, detail.Remedy = r.Item, outcomeOf(r), r.Corrects, r.Remedy
	}
	ev.After = auth.Detail(detail)
	return appendAudit(ctx, tx, ev)
}

// Inspection implements casework.InspectionStore.
func (k Cases) Inspection(ctx context.Context, id int64) (in casework.Inspection, err error) {
	err = k.s.view(ctx, func(tx queryer) error {
		in, err = readInspection(ctx, tx, id)
		return err
	})
	return in, err
}

func readInspection(ctx context.Context, q queryer, id int64) (casework.Inspection, error) {
	var entries []casework.InspectionEntry
	err := eachRow(ctx, q, func(rows *sql.Rows) error {
		var packed sql.RawBytes
		if err := rows.Scan(&packed); err != nil {
			return err
		}
		var e casework.InspectionEntry
		err := unpackJSON(packed, &e)
		entries = append(entries, e)
		return err
	}, `SELECT entry FROM inspection_entry WHERE inspection_id = $1 ORDER BY seq`, id)
	if err != nil {
		return casework.Inspection{}, fmt.Errorf("inspection %d: %w", id, err)
	}
	if len(entries) == 0 {
		return casework.Inspection{}, fault.New(fault.NotFound, "there is no inspection %d", id)
	}
	in, err := casework.ReplayInspection(id, entries)
	if err != nil {
		return in, fault.New(fault.Internal, "inspection %d: %w", id, err)
	}
	return in, nil
}

// Inspections implements casework.InspectionStore.
func (k Cases) Inspections(ctx context.Context, q casework.InspectionSearch) ([]casework.InspectionHead, error) {
	w := &condition{}
	w.and("t.inspection_id = i.id")
	for _, part := range [...]struct{ column, value string }{
		{"i.state", string(q.State)}, {"i.kind", string(q.Kind)}, {"t.street", q.Street}, {"t.grid", q.Grid}, {"t.department", q.Department},
	} {
		if part.value != "" {
			w.and(part.column+" = %s", part.value)
		}
	}
	if q.Finished || q.Department != "" {
		w.and("i.state = 'finished'")
	}
	if q.Street != "" {
		w.and("(i.street = %s OR i.state = 'finished')", q.Street)
	}
	if q.Grid != "" {
		w.and("(i.grid = %s OR i.state = 'finished')", q.Grid)
	}
	if q.Inspector != "" {
		w.and(`(i.inspectors = '' OR i.inspectors LIKE %s ESCAPE '\')`, "%,"+strings.NewReplacer(`\`, `\\`, "_", `\_`, "%", `\%`).Replace(q.Inspector)+",%")
	}
	if q.Before > 0 {
		w.and("i.id < %s", q.Before)
	}
	out := []casework.InspectionHead{}
	err := eachRow(ctx, k.s.readers, func(rows *sql.Rows) error {
		var text string
		var items, checked, findings int
		if err := rows.Scan(&text, &items, &checked, &findings); err != nil {
			return err
		}
		var h casework.InspectionHead
		if err := json.Unmarshal([]byte(text), &h); err != nil {
			return fault.New(fault.Internal, "head of an inspection: %w", err)
		}
		h.Items, h.Checked, h.Findings = items, checked, findings
		out = append(out, h)
		return nil
	}, fmt.Sprintf(`SELECT i.head, count(*), sum(CASE WHEN t.outcome <> '' THEN 1 ELSE 0 END), sum(CASE WHEN t.outcome = 'finding' THEN 1 ELSE 0 END)
		FROM inspection i, inspection_item t WHERE %s GROUP BY i.id, i.head ORDER BY i.id DESC LIMIT %d`, w.text(), q.Limit), w.args...)
	return out, k.s.faultOf(err)
}

// watched is written out, as the index has it.
const watched = "overlays & 2048 <> 0"

// WatchList implements casework.InspectionStore.
func (k Cases) WatchList(ctx context.Context, street, grid string, limit int) ([]casework.Case, error) {
	var out []casework.Case
	err := k.s.view(ctx, func(tx queryer) error {
		w := &condition{order: "id DESC"}
		w.and(watched)
		if street != "" {
			w.and("street = %s", street)
		}
		if grid != "" {
			w.and("grid = %s", grid)
		}
		ids, err := caseIDs(ctx, tx, w, limit)
		if err != nil {
			return err
		}
		records, err := readRecords(ctx, tx, ids)
		for i := range records {
			out = append(out, records[i].Case)
		}
		return err
	})
	slices.SortStableFunc(out, func(a, b casework.Case) int { return a.WatchOn.Compare(b.WatchOn) })
	return out, err
}
