package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
)

// settingLedger counts the changes of what is set for casework, precedents
// included.
const settingLedger = "casework"

// Setting implements casework.Store.
func (k Cases) Setting(ctx context.Context, known int64) (*casework.Setting, error) {
	s := &casework.Setting{}
	err := k.s.view(ctx, func(q queryer) (err error) {
		if s.Revision, err = revision(ctx, q, settingLedger); err != nil || s.Revision == known {
			return err
		}
		s, err = readSetting(ctx, q)
		return err
	})
	return s, err
}

func readSetting(ctx context.Context, q queryer) (*casework.Setting, error) {
	s := &casework.Setting{}
	var err error
	if s.Revision, err = revision(ctx, q, settingLedger); err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var number int
		var from sql.NullInt64
		var departments, items string
		if err := rows.Scan(&number, &from, &departments, &items); err != nil {
			return err
		}
		c, err := casework.ReadCatalogue(strings.NewReader(departments), strings.NewReader(items))
		if err != nil {
			return fmt.Errorf("catalogue %d: %w", number, err)
		}
		s.Catalogues = append(s.Catalogues, c.Numbered(number, instant(from)))
		return nil
	}, `SELECT number, in_force, departments, items FROM catalogue ORDER BY number`)
	if err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&s.Calendar) }, `SELECT days FROM calendar ORDER BY number DESC LIMIT 1`)
	if err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&s.Standards) }, `SELECT versions FROM standards ORDER BY number DESC LIMIT 1`)
	if err != nil {
		return nil, err
	}
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var m casework.ModeChange
		var at sql.NullInt64
		var emergency int
		err := rows.Scan(&at, &emergency, &m.By, &m.Reason)
		m.At, m.Emergency = instant(at), emergency == 1
		s.Modes = append(s.Modes, m)
		return err
	}, `SELECT at, emergency, who, reason FROM mode_change ORDER BY at`)
	if err != nil {
		return nil, err
	}
	return s, eachRow(ctx, q, func(rows *sql.Rows) error {
		var p casework.Precedent
		var ruled sql.NullInt64
		err := rows.Scan(&p.Case, &ruled, &p.Item, &p.At[0], &p.At[1], &p.Lead.Code, &p.Lead.Name, &p.By)
		p.Ruled = instant(ruled)
		s.Precedents = append(s.Precedents, p)
		return err
	}, `SELECT case_id, ruled, item, lon, lat, lead, lead_name, who FROM precedent ORDER BY ruled, case_id`)
}

// UpdateSetting implements casework.Store.
func (k Cases) UpdateSetting(ctx context.Context, f func(*casework.Setting) (*casework.SettingChange, error)) error {
	return k.s.update(ctx, func(tx *transaction) error {
		if _, err := countUp(ctx, tx, settingLedger); err != nil {
			return err
		}
		s, err := readSetting(ctx, tx)
		if err != nil {
			return err
		}
		c, err := f(s)
		if err != nil {
			return err
		}
		return enterSetting(ctx, tx, c, time.Now())
	})
}

func enterSetting(ctx context.Context, tx *transaction, c *casework.SettingChange, now time.Time) error {
	audit := func(action, subject string) error {
		ev := callerOr(ctx, "operator").Event(action, subject)
		ev.At, ev.After = now, auth.Detail(c.Note)
		return appendAudit(ctx, tx, ev)
	}
	if v := c.Catalogue; v != nil {
		var departments, items strings.Builder
		if err := v.WriteDepartments(&departments); err != nil {
			return err
		}
		if err := v.WriteItems(&items); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO catalogue (number, in_force, hash, departments, items, recorded) VALUES ($1, $2, $3, $4, $5, $6)`,
			v.Number(), millis(v.From()), v.Hash(), departments.String(), items.String(), now.UnixMilli())
		if err != nil {
			return fmt.Errorf("catalogue %d: %w", v.Number(), err)
		}
		if err := audit("catalogue.enter", strconv.Itoa(v.Number())); err != nil {
			return err
		}
	}
	if c.Calendar != "" {
		_, err := tx.ExecContext(ctx, `INSERT INTO calendar (number, days, recorded) SELECT coalesce(max(number), 0) + 1, $1, $2 FROM calendar`,
			c.Calendar, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("calendar: %w", err)
		}
		if err := audit("calendar.enter", ""); err != nil {
			return err
		}
	}
	if c.Standards != "" {
		_, err := tx.ExecContext(ctx, `INSERT INTO standards (number, versions, recorded) SELECT coalesce(max(number), 0) + 1, $1, $2 FROM standards`,
			c.Standards, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("standards: %w", err)
		}
		if err := audit("standards.enter", ""); err != nil {
			return err
		}
	}
	if m := c.Mode; m != nil {
		emergency := 0
		if m.Emergency {
			emergency = 1
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO mode_change (at, emergency, who, reason) VALUES ($1, $2, $3, $4)`, m.At.UnixMilli(), emergency, m.By, m.Reason)
		if err != nil {
			return fmt.Errorf("switch: %w", err)
		}
		return audit("mode.turn", strconv.FormatBool(m.Emergency))
	}
	return nil
}

func enterPrecedent(ctx context.Context, tx *transaction, p *casework.Precedent) error {
	if _, err := countUp(ctx, tx, settingLedger); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO precedent (case_id, ruled, item, lon, lat, lead, lead_name, who) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.Case, p.Ruled.UnixMilli(), p.Item, p.At[0], p.At[1], p.Lead.Code, p.Lead.Name, p.By)
	if err != nil {
		return fmt.Errorf("precedent of case %d: %w", p.Case, err)
	}
	return nil
}
