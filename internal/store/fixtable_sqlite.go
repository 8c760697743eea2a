package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// sqliteFixes keeps fixes as they come in fix_chunk, and by day, ten minutes
// and unit in tables track_YYYYMMDD, whose key is both at once: a unit's day
// is up to 144 rows, all units' ten minutes lie together, and a day goes with
// its table. Rows of 10 minutes take 12 bytes a fix; one row a fix would take
// 40, and be written 30 times as often by random access.
type sqliteFixes struct{ s *Store }

const (
	trackPrefix = "track_"
	// tracksLedger is counted up when fixes are taken out of tracks, so that
	// whoever is moving them from one table to another begins again.
	tracksLedger = "tracks"
	// chunkFixes bounds one row of fix_chunk.
	chunkFixes = 1 << 16
	// compactBytes bounds how much of fix_chunk is in memory at once.
	compactBytes = 8 << 20
	// compactRows and writeBytes bound what one transaction of a compaction
	// writes: Append waits for it.
	compactRows = 64
	writeBytes  = 1 << 19
	// compactTries is how often a compaction begins again that met changes.
	compactTries = 3
)

// chunk puts fixes in order of unit and time into bytes: for each unit its
// number, the length of its track, and the track.
func chunk(fixes []patrol.Fix) []byte {
	b := make([]byte, 0, 32*len(fixes))
	var track []byte
	for len(fixes) > 0 {
		n := runOf(fixes, unitOf)
		track = patrol.AppendTrack(track[:0], fixes[:n])
		b = binary.AppendUvarint(b, uint64(fixes[0].Unit))
		b = binary.AppendUvarint(b, uint64(len(track)))
		b = append(b, track...)
		fixes = fixes[n:]
	}
	return b
}

// unchunk appends to dst the fixes of those units that are wanted.
func unchunk(dst []patrol.Fix, b []byte, wanted func(patrol.UnitID) bool) ([]patrol.Fix, error) {
	for len(b) > 0 {
		unit, n := binary.Uvarint(b)
		size, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 || unit > math.MaxUint32 || size > uint64(len(b)-n-m) {
			return dst, errors.New("a chunk of fixes is damaged")
		}
		track := b[n+m : n+m+int(size)]
		b = b[n+m+int(size):]
		if !wanted(patrol.UnitID(unit)) {
			continue
		}
		var err error
		if dst, err = patrol.DecodeTrack(dst, patrol.UnitID(unit), track); err != nil {
			return dst, fmt.Errorf("a chunk of fixes, unit %d: %w", unit, err)
		}
	}
	return dst, nil
}

func everyUnit(patrol.UnitID) bool { return true }

// chunked are the fixes of wanted units in fix_chunk that lie in [from, to), in
// the order in which they were entered, each unit's in order of time.
func chunked(ctx context.Context, tx *transaction, from, to int64, wanted func(patrol.UnitID) bool) ([]patrol.Fix, error) {
	var fixes []patrol.Fix
	err := eachRow(ctx, tx, func(rows *sql.Rows) (err error) {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			return err
		}
		fixes, err = unchunk(fixes, data, wanted)
		return err
	}, `SELECT data FROM fix_chunk WHERE first < $1 AND last >= $2 ORDER BY seq`, to, from)
	return within(fixes, from, to), err
}

func (sqliteFixes) entering(fixes []patrol.Fix) func(context.Context, *transaction) error {
	fixes = unitByUnit(fixes)
	type row struct {
		first, last int64
		data        []byte
	}
	var rows []row
	for part := range slices.Chunk(fixes, chunkFixes) {
		r := row{first: math.MaxInt64, last: math.MinInt64, data: chunk(part)}
		for i := range part {
			r.first, r.last = min(r.first, part[i].At), max(r.last, part[i].At)
		}
		rows = append(rows, r)
	}
	return func(ctx context.Context, tx *transaction) error {
		for _, r := range rows {
			if _, err := tx.ExecContext(ctx, `INSERT INTO fix_chunk (first, last, data) VALUES ($1, $2, $3)`, r.first, r.last, r.data); err != nil {
				return fmt.Errorf("fixes: %w", err)
			}
		}
		return nil
	}
}

// place is where a fix is in the tables of tracks.
type place struct {
	table string
	id    int64
}

func placeOf(unit patrol.UnitID, at int64) place {
	day := dayOf(at)
	return place{trackPrefix + dayName(day), spanID(unit, at-day)}
}

// spanID is the key of a row: which trackSpan of the day, and the unit.
func spanID(unit patrol.UnitID, sinceMidnight int64) int64 {
	return sinceMidnight/spanMS<<32 | int64(unit)
}

// trackTables are the tables of tracks that there are.
func trackTables(ctx context.Context, tx *transaction) ([]string, error) {
	var names []string
	err := eachRow(ctx, tx, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	}, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'track_[0-9]*' ORDER BY name`)
	return names, err
}

// bySpan calls f with each group of fixes of one unit and trackSpan.
func bySpan(fixes []patrol.Fix, f func([]patrol.Fix) error) error {
	for len(fixes) > 0 {
		n := runOf(fixes, spanKeyOf)
		if err := f(fixes[:n]); err != nil {
			return err
		}
		fixes = fixes[n:]
	}
	return nil
}

func (t sqliteFixes) known(ctx context.Context, tx *transaction, fixes []patrol.Fix) (map[fixKey]patrol.Fix, error) {
	asked := make(map[fixKey]bool, len(fixes))
	units := make(map[patrol.UnitID]bool)
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range fixes {
		asked[keyOf(&fixes[i])], units[fixes[i].Unit] = true, true
		from, to = min(from, fixes[i].At), max(to, fixes[i].At+1)
	}
	found := make(map[fixKey]patrol.Fix)
	keep := func(there []patrol.Fix) {
		for i := range there {
			if k := keyOf(&there[i]); asked[k] {
				if _, twice := found[k]; !twice {
					found[k] = there[i]
				}
			}
		}
	}
	tables, err := trackTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	sorted := slices.SortedFunc(slices.Values(fixes), byUnit)
	err = bySpan(sorted, func(group []patrol.Fix) error {
		there, err := readSpan(ctx, tx, tables, group[0].Unit, group[0].At)
		keep(there)
		return err
	})
	if err != nil {
		return nil, err
	}
	there, err := chunked(ctx, tx, from, to, func(u patrol.UnitID) bool { return units[u] })
	keep(there)
	return found, err
}

// readSpan is what is kept of a unit's trackSpan around at; nothing when that
// is not among the tables.
func readSpan(ctx context.Context, tx *transaction, tables []string, unit patrol.UnitID, at int64) ([]patrol.Fix, error) {
	p := placeOf(unit, at)
	if _, there := slices.BinarySearch(tables, p.table); !there {
		return nil, nil
	}
	var data []byte
	err := tx.QueryRowContext(ctx, `SELECT data FROM `+p.table+` WHERE id = $1`, p.id).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return patrol.DecodeTrack(nil, unit, data)
}

// writeSpan is the reverse of readSpan. Without a track there is no row.
func writeSpan(ctx context.Context, tx *transaction, b bundle) error {
	p := placeOf(b.unit, b.start)
	if len(b.track) == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM `+p.table+` WHERE id = $1`, p.id)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO `+p.table+` (id, data) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET data = excluded.data`, p.id, b.track)
	return err
}

// makeTable makes the table for the day of at, unless it is among the tables,
// and returns them all.
func makeTable(ctx context.Context, tx *transaction, tables []string, at int64) ([]string, error) {
	name := placeOf(0, at).table
	i, there := slices.BinarySearch(tables, name)
	if there {
		return tables, nil
	}
	_, err := tx.ExecContext(ctx, `CREATE TABLE `+name+` (id INTEGER NOT NULL PRIMARY KEY, data BLOB NOT NULL) STRICT`)
	return slices.Insert(tables, i, name), err
}

func (t sqliteFixes) remove(ctx context.Context, tx *transaction, fixes []patrol.Fix) ([]patrol.Fix, error) {
	there, err := t.known(ctx, tx, fixes)
	if err != nil || len(there) == 0 {
		return nil, err
	}
	if _, err := countUp(ctx, tx, tracksLedger); err != nil {
		return nil, err
	}
	gone := func(f patrol.Fix) bool { _, ok := there[keyOf(&f)]; return ok }
	var removed []patrol.Fix
	for _, f := range there {
		removed = append(removed, f)
	}
	slices.SortFunc(removed, byUnit)
	tables, err := trackTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	err = bySpan(removed, func(group []patrol.Fix) error {
		all, err := readSpan(ctx, tx, tables, group[0].Unit, group[0].At)
		if err != nil || !slices.ContainsFunc(all, gone) {
			return err
		}
		left := bundle{group[0].Unit, spanOf(group[0].At), nil}
		if all = slices.DeleteFunc(all, gone); len(all) > 0 {
			left.track = patrol.AppendTrack(nil, all)
		}
		return writeSpan(ctx, tx, left)
	})
	if err != nil {
		return nil, err
	}
	return removed, rewriteChunks(ctx, tx, removed, gone)
}

// rewriteChunks takes fixes out of fix_chunk.
func rewriteChunks(ctx context.Context, tx *transaction, removed []patrol.Fix, gone func(patrol.Fix) bool) error {
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range removed {
		from, to = min(from, removed[i].At), max(to, removed[i].At)
	}
	left := make(map[int64][]byte)
	err := eachRow(ctx, tx, func(rows *sql.Rows) error {
		var seq int64
		var data sql.RawBytes
		if err := rows.Scan(&seq, &data); err != nil {
			return err
		}
		fixes, err := unchunk(nil, data, everyUnit)
		if err == nil && slices.ContainsFunc(fixes, gone) {
			left[seq] = chunk(slices.DeleteFunc(fixes, gone))
		}
		return err
	}, `SELECT seq, data FROM fix_chunk WHERE first <= $1 AND last >= $2`, to, from)
	if err != nil {
		return err
	}
	for seq, data := range left {
		if _, err := tx.ExecContext(ctx, `UPDATE fix_chunk SET data = $1 WHERE seq = $2`, data, seq); err != nil {
			return err
		}
	}
	return nil
}

func (t sqliteFixes) track(ctx context.Context, tx *transaction, unit patrol.UnitID, from, to int64) ([]patrol.Fix, error) {
	tables, err := trackTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	var fixes []patrol.Fix
	for _, day := range daysNamed(tables, trackPrefix) {
		if day >= to || day+dayMS <= from {
			continue
		}
		const spans = `WITH RECURSIVE span (id) AS (SELECT $1 UNION ALL SELECT id + (1 << 32) FROM span WHERE id < $2) SELECT `
		table := trackPrefix + dayName(day)
		first, last := spanID(unit, max(from-day, 0)), spanID(unit, min(to-day, dayMS)-1)
		var bytes int
		if err := tx.QueryRowContext(ctx, spans+`coalesce(sum(length(data)), 0) FROM span CROSS JOIN `+table+` USING (id)`, first, last).Scan(&bytes); err != nil {
			return nil, err
		}
		fixes = slices.Grow(fixes, bytes/fixBytes)
		err := eachRow(ctx, tx, func(rows *sql.Rows) (err error) {
			var data sql.RawBytes
			if err := rows.Scan(&data); err != nil {
				return err
			}
			fixes, err = patrol.DecodeTrack(fixes, unit, data)
			return err
		}, spans+`data FROM span CROSS JOIN `+table+` USING (id)`, first, last)
		if err != nil {
			return nil, err
		}
	}
	later, err := chunked(ctx, tx, from, to, func(u patrol.UnitID) bool { return u == unit })
	if err != nil {
		return nil, err
	}
	return merged(between(fixes, from, to), later), nil
}

func (t sqliteFixes) days(ctx context.Context, tx *transaction) ([]int64, error) {
	tables, err := trackTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	days := daysNamed(tables, trackPrefix)
	err = eachRow(ctx, tx, func(rows *sql.Rows) error {
		var first, last int64
		err := rows.Scan(&first, &last)
		for day := dayOf(first); day <= last && err == nil; day += dayMS {
			days = append(days, day)
		}
		return err
	}, `SELECT first, last FROM fix_chunk`)
	slices.Sort(days)
	return slices.Compact(days), err
}

func (sqliteFixes) window() time.Duration { return trackSpan }

func (t sqliteFixes) all(ctx context.Context, tx *transaction, from, to int64) ([]patrol.Fix, error) {
	bytes, err := t.bytes(ctx, tx, spanOf(from))
	if err != nil {
		return nil, err
	}
	fixes := make([]patrol.Fix, 0, int64(bytes/fixBytes)*(to-from)/spanMS)
	var one []patrol.Fix
	err = t.rows(ctx, tx, spanOf(from), func(unit patrol.UnitID, data []byte) (err error) {
		one, err = patrol.DecodeTrack(one[:0], unit, data)
		fixes = append(fixes, between(one, from, to)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	later, err := chunked(ctx, tx, from, to, everyUnit)
	if err != nil {
		return nil, err
	}
	return inOrder(append(fixes, later...), from, to), nil
}

// fixBytes is about what a fix takes in a track.
const fixBytes = 11

// bytes is how much the rows of a trackSpan have.
func (sqliteFixes) bytes(ctx context.Context, tx *transaction, start int64) (n int, err error) {
	tables, err := trackTables(ctx, tx)
	if err != nil {
		return 0, err
	}
	p := placeOf(0, start)
	if _, there := slices.BinarySearch(tables, p.table); there {
		err = tx.QueryRowContext(ctx, `SELECT coalesce(sum(length(data)), 0) FROM `+p.table+` WHERE id >= $1 AND id < $2`, p.id, p.id+1<<32).Scan(&n)
	}
	return n, err
}

// rows calls f with the rows of a trackSpan, by unit.
func (sqliteFixes) rows(ctx context.Context, tx *transaction, start int64, f func(patrol.UnitID, []byte) error) error {
	tables, err := trackTables(ctx, tx)
	if err != nil {
		return err
	}
	p := placeOf(0, start)
	if _, there := slices.BinarySearch(tables, p.table); !there {
		return nil
	}
	return eachRow(ctx, tx, func(rows *sql.Rows) error {
		var id int64
		var data sql.RawBytes
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		return f(patrol.UnitID(id), data)
	}, `SELECT id, data FROM `+p.table+` WHERE id >= $1 AND id < $2 ORDER BY id`, p.id, p.id+1<<32)
}

// compact moves fixes from fix_chunk into the tables of tracks, in small
// transactions: until the last of them the fixes are in both.
func (t sqliteFixes) compact(ctx context.Context, _ int64) error {
	var end int64
	err := t.s.readers.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM fix_chunk`).Scan(&end)
	if err != nil {
		return t.s.faultOf(err)
	}
	for tries := 0; ; {
		more, err := t.compactSome(ctx, end)
		switch {
		case errors.Is(err, errTracksChanged) && tries < compactTries:
			tries++
		case errors.Is(err, errTracksChanged):
			return nil // another process is at it
		case err != nil || !more:
			return err
		}
	}
}

// compactSome moves the oldest chunks up to end, and reports whether there may
// be more. Everything but the writing is done outside of the transactions that
// write; each of them counts up the ledger of tracks, so that of two processes
// at it one begins again.
func (t sqliteFixes) compactSome(ctx context.Context, end int64) (more bool, err error) {
	version, seqs, fixes, err := t.oldest(ctx, end)
	if err != nil || len(seqs) == 0 {
		return false, err
	}
	change := func(f func(*transaction) error) error {
		return t.s.update(ctx, func(tx *transaction) error {
			n, err := countUp(ctx, tx, tracksLedger)
			if err != nil {
				return err
			}
			if n != version+1 {
				return errTracksChanged
			}
			return f(tx)
		})
	}
	for fixes = unitByUnit(fixes); len(fixes) > 0 && err == nil; {
		began := time.Now()
		var bundles []bundle
		if bundles, fixes, err = t.mergeSome(ctx, version, fixes); err != nil {
			break
		}
		err = change(func(tx *transaction) error { return writeSpans(ctx, tx, bundles) })
		version++
		rest(ctx, time.Since(began))
	}
	for len(seqs) > 0 && err == nil {
		n := min(len(seqs), compactRows)
		err = change(func(tx *transaction) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM fix_chunk WHERE seq IN (`+list(seqs[:n])+`)`)
			return err
		})
		seqs = seqs[n:]
		version++
	}
	return err == nil, err
}

// rest lets others work as long as whoever rests did, who is in no hurry.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// errTracksChanged ends what rests on tracks as they were.
var errTracksChanged = fault.New(fault.Conflict, "tracks were changed meanwhile")

// oldest are the oldest chunks up to end, as many as may be in memory, and the
// revision of tracks.
func (t sqliteFixes) oldest(ctx context.Context, end int64) (version int64, seqs []int64, fixes []patrol.Fix, err error) {
	err = t.s.snapshot(ctx, func(tx *transaction) (err error) {
		if version, err = revision(ctx, tx, tracksLedger); err != nil {
			return err
		}
		bytes := 0
		err = eachRow(ctx, tx, func(rows *sql.Rows) (err error) {
			var seq int64
			var data sql.RawBytes
			if err := rows.Scan(&seq, &data); err != nil {
				return err
			}
			seqs = append(seqs, seq)
			if fixes, err = unchunk(fixes, data, everyUnit); err != nil {
				return fmt.Errorf("row %d: %w", seq, err)
			}
			if bytes += len(data); bytes > compactBytes {
				return errEnough
			}
			return nil
		}, `SELECT seq, data FROM fix_chunk WHERE seq <= $1 ORDER BY seq`, end)
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	return version, seqs, fixes, err
}

// mergeSome puts the first of fixes, which are in order of unit and time, to
// what there is of their spans, and returns what is to be written and the
// rest of fixes.
func (t sqliteFixes) mergeSome(ctx context.Context, version int64, fixes []patrol.Fix) (bundles []bundle, rest []patrol.Fix, err error) {
	err = t.s.snapshot(ctx, func(tx *transaction) error {
		now, err := revision(ctx, tx, tracksLedger)
		if err == nil && now != version {
			err = errTracksChanged
		}
		if err != nil {
			return err
		}
		tables, err := trackTables(ctx, tx)
		if err != nil {
			return err
		}
		rest = fixes
		for bytes := 0; len(rest) > 0 && len(bundles) < compactRows && bytes < writeBytes; {
			group := rest[:runOf(rest, spanKeyOf)]
			rest = rest[len(group):]
			unit, start := group[0].Unit, spanOf(group[0].At)
			there, err := readSpan(ctx, tx, tables, unit, start)
			if err != nil {
				return fmt.Errorf("unit %d: %w", unit, err)
			}
			track := patrol.AppendTrack(nil, merged(there, group))
			bundles = append(bundles, bundle{unit, start, track})
			bytes += len(track)
		}
		return nil
	})
	return bundles, rest, err
}

func writeSpans(ctx context.Context, tx *transaction, bundles []bundle) error {
	tables, err := trackTables(ctx, tx)
	if err != nil {
		return err
	}
	for _, b := range bundles {
		if tables, err = makeTable(ctx, tx, tables, b.start); err != nil {
			return err
		}
		if err := writeSpan(ctx, tx, b); err != nil {
			return err
		}
	}
	return nil
}

// list is numbers as SQL has them.
func list(numbers []int64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), "[]")
}

// drop takes a day away span by span: to give all of its pages back at once
// would hold up whoever writes.
func (t sqliteFixes) drop(ctx context.Context, day int64) error {
	table := trackPrefix + dayName(day)
	for end := spanMS; end <= dayMS; end += spanMS {
		err := t.s.update(ctx, func(tx *transaction) error {
			tables, err := trackTables(ctx, tx)
			if err != nil || !slices.Contains(tables, table) {
				return err
			}
			if _, err := countUp(ctx, tx, tracksLedger); err != nil {
				return err
			}
			if end == dayMS {
				_, err = tx.ExecContext(ctx, `DROP TABLE `+table)
			} else {
				_, err = tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE id < $1`, spanID(0, end))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t sqliteFixes) bundles(ctx context.Context, tx *transaction, start int64, f func(bundle) error) error {
	later, err := chunked(ctx, tx, start, start+spanMS, everyUnit)
	if err != nil {
		return err
	}
	later = unitByUnit(later)
	next := func() []patrol.Fix {
		n := runOf(later, unitOf)
		group := later[:n]
		later = later[n:]
		return group
	}
	give := func(fixes []patrol.Fix) error {
		return f(bundle{fixes[0].Unit, start, patrol.AppendTrack(nil, merged(nil, fixes))})
	}
	err = t.rows(ctx, tx, start, func(unit patrol.UnitID, data []byte) error {
		for len(later) > 0 && later[0].Unit < unit {
			if err := give(next()); err != nil {
				return err
			}
		}
		if len(later) == 0 || later[0].Unit != unit {
			return f(bundle{unit, start, data})
		}
		fixes, err := patrol.DecodeTrack(nil, unit, data)
		if err != nil {
			return err
		}
		return give(append(fixes, next()...))
	})
	for err == nil && len(later) > 0 {
		err = give(next())
	}
	return err
}

func (sqliteFixes) enterBundles(ctx context.Context, tx *transaction, bundles []bundle) error {
	for _, b := range bundles {
		if _, err := b.fixes(); err != nil {
			return err
		}
	}
	return writeSpans(ctx, tx, bundles)
}
