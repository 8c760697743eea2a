package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// generationsLedger names the ledger of generations among the ledgers.
const generationsLedger = "generations"

// Generations is the part of a Store that keeps a grid.Atlas.
type Generations struct{ s *Store }

var _ grid.Store = Generations{}

// Generations is where the database keeps generations.
func (s *Store) Generations() Generations { return Generations{s} }

// Revision implements grid.Store.
func (g Generations) Revision(ctx context.Context) (int64, error) {
	n, err := revision(ctx, g.s.readers, generationsLedger)
	return n, g.s.faultOf(err)
}

// Ledger implements grid.Store.
func (g Generations) Ledger(ctx context.Context) (*grid.Ledger, error) {
	var l *grid.Ledger
	err := g.s.view(ctx, func(q queryer) (err error) {
		l, err = readLedger(ctx, q)
		return err
	})
	return l, err
}

func readLedger(ctx context.Context, q queryer) (*grid.Ledger, error) {
	l := &grid.Ledger{}
	var err error
	if l.Revision, err = revision(ctx, q, generationsLedger); err != nil {
		return nil, err
	}
	if err := q.QueryRowContext(ctx, `SELECT coalesce(max(greatest), 0) FROM content`).Scan(&l.Greatest); err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var r grid.Record
		var imported, again sql.NullInt64
		err := rows.Scan(&r.Number, &r.Hash, &r.Grids, &r.Name, &r.Note, &r.Author, &imported, &again)
		r.Imported, r.Again = instant(imported), int(again.Int64)
		l.Records = append(l.Records, r)
		return err
	}, `SELECT g.number, g.content, c.grids, g.name, g.note, g.author, g.imported, g.again
		FROM generation g JOIN content c ON c.hash = g.content ORDER BY g.number`)
	if err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var t grid.Term
		var from, to, recorded, replaced sql.NullInt64
		err := rows.Scan(&t.ID, &t.Generation, &from, &to, &recorded, &replaced, &t.By, &t.Revision)
		t.From, t.To, t.Recorded, t.Replaced = instant(from), instant(to), instant(recorded), instant(replaced)
		l.Terms = append(l.Terms, t)
		return err
	}, `SELECT id, generation, effective_from, effective_to, recorded, replaced, published_by, revision FROM term ORDER BY id`)
	if err != nil {
		return nil, err
	}
	return l, eachRow(ctx, q, func(rows *sql.Rows) error {
		var c grid.Check
		var base, at sql.NullInt64
		var sound int
		var findings string
		if err := rows.Scan(&c.ID, &c.Generation, &c.Hash, &base, &at, &c.By, &sound, &findings); err != nil {
			return err
		}
		c.Base, c.At, c.Sound = int(base.Int64), instant(at), sound == 1
		l.Checks = append(l.Checks, c)
		if err := json.Unmarshal([]byte(findings), &l.Checks[len(l.Checks)-1].Findings); err != nil {
			return fmt.Errorf("findings of check %d: %w", c.ID, err)
		}
		return nil
	}, `SELECT id, generation, content, base, checked, checked_by, sound, findings FROM generation_check ORDER BY id`)
}

// Content implements grid.Store.
func (g Generations) Content(ctx context.Context, hash string) (grid.Content, error) {
	var c grid.Content
	err := g.s.view(ctx, func(q queryer) error {
		c = grid.Content{}
		err := eachRow(ctx, q, func(rows *sql.Rows) error {
			var st grid.Street
			var lon, lat sql.NullFloat64
			err := rows.Scan(&st.Code, &st.Name, &lon, &lat)
			st.Seat = orb.Point{lon.Float64, lat.Float64}
			c.Streets = append(c.Streets, st)
			return err
		}, `SELECT code, name, seat_lon, seat_lat FROM street WHERE content = $1 ORDER BY code`, hash)
		if err != nil {
			return err
		}
		return eachRow(ctx, q, func(rows *sql.Rows) error {
			var a grid.Area
			var boundary sql.RawBytes
			d := &a.Grid
			if err := rows.Scan(&d.ID, &d.Code, &d.Name, &d.Kind, &d.Street, &d.Department.Code, &d.Department.Name, &boundary); err != nil {
				return err
			}
			var err error
			if a.Polygons, err = readBoundary(boundary); err != nil {
				return fmt.Errorf("grid %s: %w", d.Code, err)
			}
			c.Areas = append(c.Areas, a)
			return nil
		}, `SELECT grid, code, name, kind, street, department, department_name, boundary FROM boundary WHERE content = $1 ORDER BY grid`, hash)
	})
	if err == nil && len(c.Areas) == 0 {
		err = fault.New(fault.NotFound, "there is no content %.12s", hash)
	}
	return c, err
}

func readBoundary(b []byte) (orb.MultiPolygon, error) {
	g, err := wkb.Unmarshal(b)
	if err != nil {
		return nil, fmt.Errorf("boundary: %w", err)
	}
	mp, ok := g.(orb.MultiPolygon)
	if !ok {
		return nil, fmt.Errorf("boundary: %s is no MultiPolygon", g.GeoJSONType())
	}
	return mp, nil
}

// Lineage implements grid.Store.
func (g Generations) Lineage(ctx context.Context, parent, child int) (grid.Lineage, error) {
	l := grid.Lineage{Parent: parent, Child: child}
	err := g.s.view(ctx, func(q queryer) error {
		l.Descents = nil
		return eachRow(ctx, q, func(rows *sql.Rows) error {
			var d grid.Descent
			err := rows.Scan(&d.Parent, &d.Child, &d.Kind, &d.AreaM2, &d.ShareOfParent, &d.ShareOfChild)
			l.Descents = append(l.Descents, d)
			return err
		}, `SELECT parent_grid, child_grid, kind, area_m2, share_of_parent, share_of_child FROM lineage
			WHERE parent = $1 AND child = $2 ORDER BY child_grid, parent_grid`, parent, child)
	})
	if err == nil && len(l.Descents) == 0 {
		err = fault.New(fault.NotFound, "no lineage of generation %d from generation %d is recorded", child, parent)
	}
	return l, err
}

// Update implements grid.Store.
func (g Generations) Update(ctx context.Context, f func(*grid.Ledger) (*grid.Change, error)) (int64, error) {
	var n int64
	err := g.s.update(ctx, func(tx *transaction) error {
		var err error
		if n, err = countUp(ctx, tx, generationsLedger); err != nil {
			return err
		}
		l, err := readLedger(ctx, tx)
		if err != nil {
			return err
		}
		change, err := f(l)
		if err != nil {
			return err
		}
		if err := enterChange(ctx, tx, n, change); err != nil {
			return err
		}
		return auditChange(ctx, tx, change)
	})
	return n, err
}

func enterChange(ctx context.Context, tx *transaction, revision int64, c *grid.Change) error {
	if c.Content != nil {
		if err := enterContent(ctx, tx, c.Content); err != nil {
			return err
		}
	}
	if r := c.Record; r != nil {
		_, err := tx.ExecContext(ctx, `INSERT INTO generation (number, content, name, note, author, imported, again) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			r.Number, r.Hash, r.Name, r.Note, r.Author, millis(r.Imported), orNull(r.Again))
		if err != nil {
			return fmt.Errorf("generation %d: %w", r.Number, err)
		}
	}
	if c.Check != nil {
		if err := enterCheck(ctx, tx, c.Check); err != nil {
			return fmt.Errorf("check of generation %d: %w", c.Check.Generation, err)
		}
	}
	for _, t := range c.Replaced {
		if _, err := tx.ExecContext(ctx, `UPDATE term SET replaced = $1 WHERE id = $2`, millis(t.Replaced), t.ID); err != nil {
			return fmt.Errorf("term %d: %w", t.ID, err)
		}
	}
	for _, t := range c.Terms {
		_, err := tx.ExecContext(ctx, `INSERT INTO term (id, generation, effective_from, effective_to, recorded, replaced, published_by, revision)
			SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, NULL, $5, $6 FROM term`,
			t.Generation, millis(t.From), millis(t.To), millis(t.Recorded), t.By, revision)
		if err != nil {
			return fmt.Errorf("term of generation %d: %w", t.Generation, err)
		}
	}
	for _, l := range c.Lineages {
		if err := enterLineage(ctx, tx, l); err != nil {
			return err
		}
	}
	return nil
}

func orNull(n int) sql.NullInt64 { return sql.NullInt64{Int64: int64(n), Valid: n != 0} }

func enterContent(ctx context.Context, tx *transaction, gen *grid.Generation) error {
	var there int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM content WHERE hash = $1`, gen.Hash()).Scan(&there); err != nil || there > 0 {
		return err
	}
	grids := gen.Grids()
	_, err := tx.ExecContext(ctx, `INSERT INTO content (hash, grids, greatest) VALUES ($1, $2, $3)`,
		gen.Hash(), len(grids), int64(grids[len(grids)-1].ID))
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(grids))
	for _, st := range gen.Streets() {
		known := st.Seat != orb.Point{}
		rows = append(rows, []any{gen.Hash(), st.Code, st.Name,
			sql.NullFloat64{Float64: st.Seat[0], Valid: known}, sql.NullFloat64{Float64: st.Seat[1], Valid: known}})
	}
	if err := tx.d.bulk(ctx, tx, "street", []string{"content", "code", "name", "seat_lon", "seat_lat"}, rows); err != nil {
		return err
	}
	rows = rows[:0]
	for _, d := range grids {
		boundary, err := wkb.Marshal(gen.Polygon(d.ID), binary.LittleEndian)
		if err != nil {
			return fmt.Errorf("grid %s: %w", d.Code, err)
		}
		rows = append(rows, []any{gen.Hash(), int64(d.ID), d.Code, d.Name, string(d.Kind), d.Street,
			d.Department.Code, d.Department.Name, d.AreaM2, d.Label[0], d.Label[1], boundary})
	}
	return tx.d.bulk(ctx, tx, "boundary", []string{"content", "grid", "code", "name", "kind", "street",
		"department", "department_name", "area_m2", "label_lon", "label_lat", "boundary"}, rows)
}

func enterCheck(ctx context.Context, tx *transaction, c *grid.Check) error {
	findings := c.Findings
	if findings == nil {
		findings = []grid.Finding{}
	}
	text, err := json.Marshal(findings)
	if err != nil {
		return err
	}
	sound := 0
	if c.Sound {
		sound = 1
	}
	return tx.QueryRowContext(ctx, `INSERT INTO generation_check (id, generation, content, base, checked, checked_by, sound, findings)
		SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM generation_check RETURNING id`,
		c.Generation, c.Hash, orNull(c.Base), millis(c.At), c.By, sound, string(text)).Scan(&c.ID)
}

func enterLineage(ctx context.Context, tx *transaction, l grid.Lineage) error {
	var there int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM lineage WHERE parent = $1 AND child = $2`, l.Parent, l.Child).Scan(&there)
	if err != nil || there > 0 {
		return err // they followed each other before; content does not change
	}
	rows := make([][]any, len(l.Descents))
	for i, d := range l.Descents {
		rows[i] = []any{l.Parent, l.Child, int64(d.Parent), int64(d.Child), string(d.Kind), d.AreaM2, d.ShareOfParent, d.ShareOfChild}
	}
	return tx.d.bulk(ctx, tx, "lineage", []string{"parent", "child", "parent_grid", "child_grid", "kind",
		"area_m2", "share_of_parent", "share_of_child"}, rows)
}
