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

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"lianqin/internal/geo"
	"lianqin/internal/patrol"
)

// postgresFixes keeps fixes in the table fix, partitioned by day in Shanghai.
type postgresFixes struct{ s *Store }

const fixPrefix = "fix_"

var fixColumns = []string{"unit", "at", "received", "lon_e7", "lat_e7", "accuracy_m", "speed_mps", "heading_deg", "altitude_m", "battery_pct", "flags", "source"}

func fixValues(f patrol.Fix) []any {
	f = f.Quantised()
	return []any{int32(f.Unit), f.At, f.Received, f.Pos.X, f.Pos.Y, f.AccuracyM, f.SpeedMPS, f.HeadingDeg, f.AltitudeM,
		int16(f.BatteryPct), int16(f.Flags), int16(f.Source)}
}

// selectFixes reads fixes in the server's own form of numbers, a third of the
// time of database/sql's way.
func selectFixes(ctx context.Context, tx *transaction, where string, args ...any) ([]patrol.Fix, error) {
	var fixes []patrol.Fix
	err := tx.conn.Raw(func(c any) error {
		rows, err := c.(*stdlib.Conn).Conn().Query(ctx, `SELECT `+strings.Join(fixColumns, ", ")+` FROM fix WHERE `+where, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			v := rows.RawValues()
			fixes = append(fixes, patrol.Fix{
				Unit: patrol.UnitID(int4(v[0])), At: int8Of(v[1]), Received: int8Of(v[2]), Pos: geo.Coord{X: int4(v[3]), Y: int4(v[4])},
				AccuracyM: float4(v[5]), SpeedMPS: float4(v[6]), HeadingDeg: float4(v[7]), AltitudeM: float4(v[8]),
				BatteryPct: int8(int2(v[9])), Flags: patrol.Flags(int2(v[10])), Source: patrol.Source(int2(v[11])),
			})
		}
		return rows.Err()
	})
	return fixes, err
}

func int2(b []byte) int16     { return int16(binary.BigEndian.Uint16(b)) }
func int4(b []byte) int32     { return int32(binary.BigEndian.Uint32(b)) }
func int8Of(b []byte) int64   { return int64(binary.BigEndian.Uint64(b)) }
func float4(b []byte) float32 { return math.Float32frombits(binary.BigEndian.Uint32(b)) }

// sought chooses the rows of some fixes: by the days between the first and the
// last of them, and by the primary key.
const sought = `at BETWEEN $1 AND $2 AND (unit, at) IN (SELECT * FROM unnest($3::integer[], $4::bigint[]))`

func soughtArgs(fixes []patrol.Fix) []any {
	units, ats := make([]int32, len(fixes)), make([]int64, len(fixes))
	for i := range fixes {
		units[i], ats[i] = int32(fixes[i].Unit), fixes[i].At
	}
	return []any{slices.Min(ats), slices.Max(ats), units, ats}
}

func (postgresFixes) known(ctx context.Context, tx *transaction, fixes []patrol.Fix) (map[fixKey]patrol.Fix, error) {
	if len(fixes) == 0 {
		return nil, nil
	}
	there, err := selectFixes(ctx, tx, sought, soughtArgs(fixes)...)
	found := make(map[fixKey]patrol.Fix, len(there))
	for _, f := range there {
		found[keyOf(&f)] = f
	}
	return found, err
}

func (t postgresFixes) entering(fixes []patrol.Fix) func(context.Context, *transaction) error {
	return func(ctx context.Context, tx *transaction) error {
		if len(fixes) == 0 {
			return nil
		}
		if err := t.makePartitions(ctx, tx, fixes); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `SAVEPOINT fixes`); err != nil {
			return err
		}
		err := copyFixes(ctx, tx, fixes)
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "23505" { // some are there: slower, one by one
			if _, err := tx.ExecContext(ctx, `ROLLBACK TO fixes`); err != nil {
				return err
			}
			err = insertFixes(ctx, tx, fixes)
		}
		if err != nil {
			return fmt.Errorf("fixes: %w", err)
		}
		_, err = tx.ExecContext(ctx, `RELEASE fixes`)
		return err
	}
}

func copyFixes(ctx context.Context, tx *transaction, fixes []patrol.Fix) error {
	return tx.conn.Raw(func(c any) error {
		_, err := c.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"fix"}, fixColumns,
			pgx.CopyFromSlice(len(fixes), func(i int) ([]any, error) { return fixValues(fixes[i]), nil }))
		return err
	})
}

// insertFixes leaves out those that are there.
func insertFixes(ctx context.Context, tx *transaction, fixes []patrol.Fix) error {
	return tx.conn.Raw(func(c any) error {
		var b pgx.Batch
		for i := range fixes {
			b.Queue(`INSERT INTO fix (`+strings.Join(fixColumns, ", ")+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
				fixValues(fixes[i])...)
		}
		return c.(*stdlib.Conn).Conn().SendBatch(ctx, &b).Close()
	})
}

// partitions are the days that have a partition.
func partitions(ctx context.Context, q queryer) ([]int64, error) {
	var names []string
	err := eachRow(ctx, q, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	}, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'fix'::regclass AND NOT i.inhdetachpending`)
	return daysNamed(names, fixPrefix), err
}

// makePartitions makes what is missing for fixes. A table that is attached
// waits for nobody who reads, unlike one that is made a partition at once.
func (postgresFixes) makePartitions(ctx context.Context, tx *transaction, fixes []patrol.Fix) error {
	days, err := partitions(ctx, tx)
	if err != nil {
		return err
	}
	for i := range fixes {
		day := dayOf(fixes[i].At)
		at, there := slices.BinarySearch(days, day)
		if there {
			continue
		}
		days = slices.Insert(days, at, day)
		name := fixPrefix + dayName(day)
		for _, query := range []string{
			`CREATE TABLE IF NOT EXISTS ` + name + ` (LIKE fix INCLUDING ALL)`, // it is there when a drop was cut short
			fmt.Sprintf(`ALTER TABLE fix ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, name, day, day+dayMS),
		} {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return fmt.Errorf("partition %s: %w", name, err)
			}
		}
	}
	return nil
}

func (t postgresFixes) remove(ctx context.Context, tx *transaction, fixes []patrol.Fix) ([]patrol.Fix, error) {
	there, err := t.known(ctx, tx, fixes)
	if err != nil || len(there) == 0 {
		return nil, err
	}
	var removed []patrol.Fix
	for _, f := range there {
		removed = append(removed, f)
	}
	slices.SortFunc(removed, byUnit)
	return removed, tx.conn.Raw(func(c any) error {
		_, err := c.(*stdlib.Conn).Conn().Exec(ctx, `DELETE FROM fix WHERE `+sought, soughtArgs(removed)...)
		return err
	})
}

func (postgresFixes) track(ctx context.Context, tx *transaction, unit patrol.UnitID, from, to int64) ([]patrol.Fix, error) {
	return selectFixes(ctx, tx, `unit = $1 AND at >= $2 AND at < $3 ORDER BY at`, int32(unit), from, to)
}

func (postgresFixes) days(ctx context.Context, tx *transaction) ([]int64, error) {
	return partitions(ctx, tx)
}

// window is short, for the memory that all of it takes, and long enough for
// empty ones to take no time.
func (postgresFixes) window() time.Duration { return 5 * time.Minute }

func (postgresFixes) all(ctx context.Context, tx *transaction, from, to int64) ([]patrol.Fix, error) {
	fixes, err := selectFixes(ctx, tx, `at >= $1 AND at < $2`, from, to)
	return inOrder(fixes, from, to), err
}

// compact tells the block ranges of what came in, without which they do not
// help, and gives the points of days that are over their index. Made while
// fixes come in, it would take more of the time of entering them than all
// else.
func (t postgresFixes) compact(ctx context.Context, now int64) error {
	return t.alone(ctx, func(c *sql.Conn) error {
		if err := dropLeftovers(ctx, c); err != nil {
			return err
		}
		days, err := partitions(ctx, c)
		if err != nil {
			return err
		}
		for _, day := range days {
			if now < day+2*dayMS { // later there is little
				err = summarise(ctx, c, fixPrefix+dayName(day))
			}
			if err == nil && now >= day+dayMS {
				err = indexPoints(ctx, c, fixPrefix+dayName(day))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// tendingLock is the advisory lock's of who tends the partitions: the letters
// "lqfixes".
const tendingLock = 0x6c716669786573

// alone runs f outside of a transaction, or not at all while another process
// is at it: two that make indexes beside whoever writes wait for each other.
func (t postgresFixes) alone(ctx context.Context, f func(*sql.Conn) error) error {
	c, err := t.s.writer.Conn(ctx)
	if err != nil {
		return t.s.faultOf(err)
	}
	defer c.Close()
	var mine bool
	if err := c.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(tendingLock)).Scan(&mine); err != nil || !mine {
		return t.s.faultOf(err)
	}
	err = f(c)
	_, unlockErr := c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(tendingLock))
	return t.s.faultOf(errors.Join(err, unlockErr))
}

func summarise(ctx context.Context, c *sql.Conn, table string) error {
	_, err := c.ExecContext(ctx, `SELECT brin_summarize_new_values(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
		WHERE i.indrelid = to_regclass($1) AND a.amname = 'brin'`, table)
	return err
}

// indexPoints makes the GiST index beside whoever writes. One whose making was
// cut short is made again.
func indexPoints(ctx context.Context, c *sql.Conn, table string) error {
	var valid bool
	err := c.QueryRowContext(ctx, `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)`, table+"_pos").Scan(&valid)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil || valid:
		return err
	default:
		if _, err := c.ExecContext(ctx, `DROP INDEX `+table+`_pos`); err != nil {
			return err
		}
	}
	if err := summarise(ctx, c, table); err != nil { // of a day that came from a backup
		return err
	}
	_, err = c.ExecContext(ctx, `CREATE INDEX CONCURRENTLY `+table+`_pos ON `+table+` USING gist (pos)`)
	return err
}

// drop takes a partition out without holding up whoever reads or writes the
// others, which a transaction cannot do.
func (t postgresFixes) drop(ctx context.Context, day int64) error {
	name := fixPrefix + dayName(day)
	return t.alone(ctx, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, `ALTER TABLE fix DETACH PARTITION `+name+` CONCURRENTLY`); err != nil {
			return err
		}
		_, err := c.ExecContext(ctx, `DROP TABLE `+name)
		return err
	})
}

// dropLeftovers completes drops that were cut short.
func dropLeftovers(ctx context.Context, c *sql.Conn) error {
	pending := make(map[string]bool)
	err := eachRow(ctx, c, func(rows *sql.Rows) error {
		var name string
		var half bool
		err := rows.Scan(&name, &half)
		pending[name] = half
		return err
	}, `SELECT c.relname, coalesce(i.inhdetachpending, false) FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname ~ '^fix_[0-9]{8}$' AND coalesce(i.inhdetachpending, true)`)
	if err != nil {
		return err
	}
	for name, half := range pending {
		if half {
			if _, err := c.ExecContext(ctx, `ALTER TABLE fix DETACH PARTITION `+name+` FINALIZE`); err != nil {
				return err
			}
		}
		if _, err := c.ExecContext(ctx, `DROP TABLE `+name); err != nil {
			return err
		}
	}
	return nil
}

func (postgresFixes) bundles(ctx context.Context, tx *transaction, start int64, f func(bundle) error) error {
	fixes, err := selectFixes(ctx, tx, `at >= $1 AND at < $2`, start, start+spanMS)
	if err != nil {
		return err
	}
	fixes = unitByUnit(fixes)
	var b []byte
	for len(fixes) > 0 {
		n := runOf(fixes, unitOf)
		b = patrol.AppendTrack(b[:0], fixes[:n])
		if err := f(bundle{fixes[0].Unit, start, b}); err != nil {
			return err
		}
		fixes = fixes[n:]
	}
	return nil
}

func (t postgresFixes) enterBundles(ctx context.Context, tx *transaction, bundles []bundle) error {
	var fixes []patrol.Fix
	for _, b := range bundles {
		some, err := b.fixes()
		if err != nil {
			return err
		}
		fixes = append(fixes, some...)
	}
	if err := t.makePartitions(ctx, tx, fixes); err != nil {
		return err
	}
	return copyFixes(ctx, tx, fixes)
}
