package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/patrol"
)

const (
	// refusalsKept bounds, for one unit, device, reason and day, the reports
	// that are kept to look at. All are counted.
	refusalsKept = 5000
	// refusalsPage is how many are read at once.
	refusalsPage = 500
	// deviceChars bounds what a report may call its device.
	deviceChars = 64
)

var refusalColumns = []string{"id", "unit", "device", "source", "at", "received", "reason", "detail", "raw", "fix"}

// tally is what refusals are counted by.
type tally struct {
	day    int64 // 20260131
	unit   patrol.UnitID
	device string
	reason patrol.Reason
}

func tallyOf(r *patrol.Refusal) tally {
	return tally{dayNumber(r.Received), r.Unit, cut(r.Device, deviceChars), r.Reason}
}

// dayNumber is the day in Shanghai as a number that people can read.
func dayNumber(at int64) int64 {
	n, err := strconv.ParseInt(dayName(dayOf(at)), 10, 64)
	if err != nil {
		return 0 // of a time that no clock shows
	}
	return n
}

// cut is s, shortened to whole characters that SQL takes.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// shows reports whether there is anything to look at beside the count.
func shows(r *patrol.Refusal) bool {
	return r.Reason != patrol.OffDuty && (r.Fix != nil || r.Raw != "" || r.Detail != "")
}

// refuse counts refusals and puts those that show something into quarantine.
func refuse(ctx context.Context, tx *transaction, refusals []patrol.Refusal) error {
	if len(refusals) == 0 {
		return nil
	}
	added := make(map[tally]int64)
	var order []tally // as they come, so that two transactions take them alike
	for i := range refusals {
		k := tallyOf(&refusals[i])
		if added[k]++; added[k] == 1 {
			order = append(order, k)
		}
	}
	room := make(map[tally]int64)
	for _, k := range order {
		total, err := count(ctx, tx, k, added[k])
		if err != nil {
			return err
		}
		room[k] = refusalsKept - (total - added[k])
	}
	var next int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM quarantine`).Scan(&next); err != nil {
		return err
	}
	var rows [][]any
	for i := range refusals {
		r := &refusals[i]
		k := tallyOf(r)
		if !shows(r) || room[k] <= 0 {
			continue
		}
		room[k]--
		next++
		rows = append(rows, refusalRow(next, r))
	}
	return tx.d.bulk(ctx, tx, "quarantine", refusalColumns, rows)
}

func refusalRow(id int64, r *patrol.Refusal) []any {
	var fix any
	if r.Fix != nil {
		fix = patrol.AppendTrack(nil, []patrol.Fix{*r.Fix})
	}
	raw := []byte(r.Raw)
	if raw = raw[:min(len(raw), patrol.MaxRaw)]; len(raw) == 0 {
		raw = []byte{}
	}
	return []any{id, orNull(int(r.Unit)), cut(r.Device, deviceChars), int64(r.Source), sql.NullInt64{Int64: r.At, Valid: r.At != 0}, r.Received,
		cut(string(r.Reason), deviceChars), cut(r.Detail, patrol.MaxRaw), raw, fix}
}

// count adds n, which may be negative, and returns the sum.
func count(ctx context.Context, tx *transaction, k tally, n int64) (total int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO quarantine_count (day, unit, device, reason, n) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (day, unit, device, reason) DO UPDATE SET n = quarantine_count.n + excluded.n RETURNING n`,
		k.day, int64(k.unit), k.device, cut(string(k.reason), deviceChars), n).Scan(&total)
	if err != nil {
		return 0, fmt.Errorf("count of refusals: %w", err)
	}
	return total, nil
}

// release takes fixes out of the quarantine, and of its counts.
func release(ctx context.Context, tx *transaction, fixes []patrol.Fix) error {
	for i := range fixes {
		f := &fixes[i]
		var gone []tally
		err := eachRow(ctx, tx, func(rows *sql.Rows) error {
			k := tally{unit: f.Unit}
			var received int64
			err := rows.Scan(&received, &k.device, &k.reason)
			k.day = dayNumber(received)
			gone = append(gone, k)
			return err
		}, `DELETE FROM quarantine WHERE unit = $1 AND at = $2 AND reason IN ($3, $4) AND fix IS NOT NULL RETURNING received, device, reason`,
			int64(f.Unit), f.At, string(patrol.Implausible), string(patrol.Inaccurate))
		if err != nil {
			return fmt.Errorf("quarantine of unit %d: %w", f.Unit, err)
		}
		for _, k := range gone {
			if _, err := count(ctx, tx, k, -1); err != nil {
				return err
			}
		}
	}
	return nil
}

// conditions collects what a query asks for, with its parameters.
type conditions struct {
	where []string
	args  []any
}

// add takes a condition in which every ? stands for the next argument.
func (c *conditions) add(condition string, args ...any) {
	for _, a := range args {
		c.args = append(c.args, a)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.where = append(c.where, condition)
}

func (c *conditions) String() string { return strings.Join(c.where, " AND ") }

// among adds that column is one of values, unless there are none.
func among[T ~string](c *conditions, column string, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	c.add(column+" IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")+")", args...)
}

// endOf is the end of a time asked for; the zero Time is none.
func endOf(to time.Time) int64 {
	if to.IsZero() {
		return math.MaxInt64
	}
	return to.UnixMilli()
}

// Refusals implements patrol.Quarantine. It holds no transaction while f runs.
func (t Tracks) Refusals(ctx context.Context, q patrol.RefusalQuery, f func(id int64, r patrol.Refusal) error) error {
	before := q.Before
	for {
		c := conditions{}
		c.add("received >= ? AND received < ?", q.From.UnixMilli(), endOf(q.To))
		if q.Unit != 0 {
			c.add("unit = ?", int64(q.Unit))
		}
		if q.Street != "" {
			c.add("unit IN (SELECT id FROM unit WHERE street = ?)", q.Street)
		}
		if before > 0 {
			c.add("id < ?", before)
		}
		among(&c, "reason", q.Reasons)
		var ids []int64
		var page []patrol.Refusal
		err := eachRow(ctx, t.s.readers, func(rows *sql.Rows) error {
			id, r, err := scanRefusal(rows)
			ids, page = append(ids, id), append(page, r)
			return err
		}, `SELECT `+strings.Join(refusalColumns, ", ")+` FROM quarantine WHERE `+c.String()+` ORDER BY id DESC LIMIT `+strconv.Itoa(refusalsPage), c.args...)
		if err != nil {
			return t.s.faultOf(err)
		}
		for i, id := range ids {
			before = id
			if err := f(id, page[i]); errors.Is(err, patrol.ErrEnough) {
				return nil
			} else if err != nil {
				return err
			}
		}
		if len(ids) < refusalsPage {
			return nil
		}
	}
}

func scanRefusal(rows *sql.Rows) (id int64, r patrol.Refusal, err error) {
	var unit, at sql.NullInt64
	var raw, fix []byte
	if err := rows.Scan(&id, &unit, &r.Device, &r.Source, &at, &r.Received, &r.Reason, &r.Detail, &raw, &fix); err != nil {
		return 0, r, err
	}
	r.Unit, r.At, r.Raw = patrol.UnitID(unit.Int64), at.Int64, string(raw)
	if fix != nil {
		fixes, err := patrol.DecodeTrack(nil, r.Unit, fix)
		if err != nil || len(fixes) != 1 {
			return 0, r, fmt.Errorf("quarantine %d: %d fixes: %w", id, len(fixes), err)
		}
		r.Fix = &fixes[0]
	}
	return id, r, nil
}

// CountRefusals implements patrol.Quarantine. It counts whole days in Shanghai,
// those that the time asked for touches.
func (t Tracks) CountRefusals(ctx context.Context, from, to time.Time, f func(unit patrol.UnitID, device string, reason patrol.Reason, n int64) error) error {
	last := int64(math.MaxInt64)
	if !to.IsZero() {
		last = dayNumber(to.UnixMilli() - 1)
	}
	type line struct {
		tally
		n int64
	}
	var lines []line
	err := eachRow(ctx, t.s.readers, func(rows *sql.Rows) error {
		var l line
		err := rows.Scan(&l.unit, &l.device, &l.reason, &l.n)
		lines = append(lines, l)
		return err
	}, `SELECT unit, device, reason, CAST(sum(n) AS bigint) FROM quarantine_count WHERE day >= $1 AND day <= $2
		GROUP BY unit, device, reason HAVING sum(n) > 0 ORDER BY unit, device, reason`, dayNumber(from.UnixMilli()), last)
	if err != nil {
		return t.s.faultOf(err)
	}
	for _, l := range lines {
		if err := f(l.unit, l.device, l.reason, l.n); errors.Is(err, patrol.ErrEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Suspects implements patrol.Tracks.
func (t Tracks) Suspects(ctx context.Context, unit patrol.UnitID, from, to time.Time, f func([]patrol.Fix) error) error {
	var fixes []patrol.Fix
	err := eachRow(ctx, t.s.readers, func(rows *sql.Rows) error {
		_, r, err := scanRefusal(rows)
		if err == nil {
			fixes = append(fixes, *r.Fix)
		}
		return err
	}, `SELECT `+strings.Join(refusalColumns, ", ")+` FROM quarantine WHERE unit = $1 AND at >= $2 AND at < $3 AND reason IN ($4, $5) AND fix IS NOT NULL
		ORDER BY at, id`, int64(unit), from.UnixMilli(), to.UnixMilli(), string(patrol.Implausible), string(patrol.Inaccurate))
	if err != nil || len(fixes) == 0 {
		return t.s.faultOf(err)
	}
	return f(fixes)
}
