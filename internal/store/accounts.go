package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

// Accounts is the part of a Store that keeps an auth.Gate: people, tokens and
// the audit chain.
type Accounts struct{ s *Store }

var _ auth.Store = Accounts{}

// Accounts is where the database keeps who may come in and what was done.
func (s *Store) Accounts() Accounts { return Accounts{s} }

const (
	accountColumns = `login, name, role, level, place, subject, disabled, password_hash, created, changed`
	tokenColumns   = `id, hash, kind, name, login, role, level, place, created, created_by, expires, last_seen, last_address, revoked`
	auditColumns   = `seq, prev, hash, at, who, role, address, action, subject, before, after`
)

// scanner is a row or rows.
type scanner interface{ Scan(...any) error }

func scanAccount(row scanner) (auth.Account, error) {
	var a auth.Account
	var subject sql.NullString
	var created, changed sql.NullInt64
	err := row.Scan(&a.Login, &a.Name, &a.Role, &a.Jurisdiction.Level, &a.Jurisdiction.Code, &subject, &a.Disabled, &a.PasswordHash, &created, &changed)
	a.Subject, a.Created, a.Changed = subject.String, instant(created), instant(changed)
	return a, err
}

func scanToken(row scanner) (auth.Token, error) {
	var t auth.Token
	var login sql.NullString
	var created, expires, seen, revoked sql.NullInt64
	err := row.Scan(&t.ID, &t.Hash, &t.Kind, &t.Name, &login, &t.Role, &t.Jurisdiction.Level, &t.Jurisdiction.Code,
		&created, &t.CreatedBy, &expires, &seen, &t.LastAddress, &revoked)
	t.Login, t.Created, t.Expires, t.LastSeen, t.Revoked = login.String, instant(created), instant(expires), instant(seen), instant(revoked)
	return t, err
}

// found turns the absence of a row into NotFound.
func found[T any](v T, err error, what, name string) (T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "there is no %s %s", what, name)
	}
	return v, err
}

func account(ctx context.Context, q queryer, column, value string) (auth.Account, error) {
	a, err := scanAccount(q.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM account WHERE `+column+` = $1`, value))
	return found(a, err, "account", value)
}

// Account implements auth.Store.
func (a Accounts) Account(ctx context.Context, login string) (auth.Account, error) {
	acc, err := account(ctx, a.s.readers, "login", login)
	return acc, a.s.faultOf(err)
}

// Accounts implements auth.Store.
func (a Accounts) Accounts(ctx context.Context) ([]auth.Account, error) {
	var all []auth.Account
	err := eachRow(ctx, a.s.readers, func(rows *sql.Rows) error {
		acc, err := scanAccount(rows)
		all = append(all, acc)
		return err
	}, `SELECT `+accountColumns+` FROM account ORDER BY login`)
	return all, a.s.faultOf(err)
}

// Token implements auth.Store.
func (a Accounts) Token(ctx context.Context, hash string) (auth.Token, error) {
	t, err := scanToken(a.s.readers.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM token WHERE hash = $1`, hash))
	t, err = found(t, err, "token", "of that secret")
	return t, a.s.faultOf(err)
}

// Tokens implements auth.Store.
func (a Accounts) Tokens(ctx context.Context, kind auth.TokenKind) ([]auth.Token, error) {
	var all []auth.Token
	err := eachRow(ctx, a.s.readers, func(rows *sql.Rows) error {
		t, err := scanToken(rows)
		all = append(all, t)
		return err
	}, `SELECT `+tokenColumns+` FROM token WHERE kind = $1 ORDER BY created DESC, id`, string(kind))
	return all, a.s.faultOf(err)
}

// Audit implements auth.Store. F sees the state of one moment.
func (a Accounts) Audit(ctx context.Context, q auth.AuditQuery, f func(auth.Entry) error) (auth.Head, error) {
	query, args := auditQuery(q)
	var head auth.Head
	err := a.s.view(ctx, func(db queryer) (err error) {
		if head, err = auditHead(ctx, db); err != nil {
			return err
		}
		return eachRow(ctx, db, func(rows *sql.Rows) error {
			e, err := scanEntry(rows)
			if err != nil {
				return err
			}
			return f(e)
		}, query, args...)
	})
	return head, err
}

// auditQuery walks the rows by their sequence, whatever else is asked for: the
// chain's only index costs no writer anything.
func auditQuery(q auth.AuditQuery) (string, []any) {
	query, args := `SELECT `+auditColumns+` FROM audit WHERE seq > $1`, []any{q.After}
	arg := func(text string, value any) {
		args = append(args, value)
		query += fmt.Sprintf(" %s $%d", text, len(args))
	}
	if q.Before != 0 {
		arg(`AND seq <`, q.Before)
	}
	if q.Who != "" {
		arg(`AND who =`, q.Who)
	}
	if q.Action != "" {
		arg(`AND action =`, q.Action)
	}
	query += ` ORDER BY seq`
	if q.Latest {
		query += ` DESC`
	}
	if q.Limit != 0 {
		arg(`LIMIT`, q.Limit)
	}
	return query, args
}

func scanEntry(rows *sql.Rows) (auth.Entry, error) {
	var e auth.Entry
	var at sql.NullInt64
	var before, after string
	err := rows.Scan(&e.Seq, &e.Prev, &e.Hash, &at, &e.Who, &e.Role, &e.Address, &e.Action, &e.Subject, &before, &after)
	e.At, e.Before, e.After = instant(at), jsonOrNil(before), jsonOrNil(after)
	return e, err
}

func jsonOrNil(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

func auditHead(ctx context.Context, q queryer) (auth.Head, error) {
	var h auth.Head
	err := q.QueryRowContext(ctx, `SELECT seq, hash FROM audit_head WHERE chain = 'audit'`).Scan(&h.Seq, &h.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return auth.Head{}, nil
	}
	return h, err
}

// Change implements auth.Store.
func (a Accounts) Change(ctx context.Context, f func(auth.Tx) error) error {
	return a.s.update(ctx, func(tx *transaction) error { return f(accountsTx{ctx, tx}) })
}

// accountsTx implements auth.Tx.
type accountsTx struct {
	ctx context.Context
	tx  *transaction
}

func (t accountsTx) Account(login string) (auth.Account, error) {
	return account(t.ctx, t.tx, "login", login)
}

func (t accountsTx) AccountBySubject(subject string) (auth.Account, error) {
	return account(t.ctx, t.tx, "subject", subject)
}

func (t accountsTx) Administrators() (n int, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT count(*) FROM account WHERE role = $1 AND disabled = 0`, string(auth.Administrator)).Scan(&n)
	return n, err
}

func (t accountsTx) PutAccount(a auth.Account) error {
	disabled := 0
	if a.Disabled {
		disabled = 1
	}
	_, err := t.tx.ExecContext(t.ctx, `INSERT INTO account (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (login) DO UPDATE SET name = excluded.name, role = excluded.role, level = excluded.level, place = excluded.place,
		subject = excluded.subject, disabled = excluded.disabled, password_hash = excluded.password_hash, changed = excluded.changed`,
		a.Login, a.Name, string(a.Role), string(a.Jurisdiction.Level), a.Jurisdiction.Code,
		sql.NullString{String: a.Subject, Valid: a.Subject != ""}, disabled, a.PasswordHash, millis(a.Created), millis(a.Changed))
	if err != nil {
		return fmt.Errorf("account %s: %w", a.Login, err)
	}
	return nil
}

func (t accountsTx) TokenByID(id string) (auth.Token, error) {
	tok, err := scanToken(t.tx.QueryRowContext(t.ctx, `SELECT `+tokenColumns+` FROM token WHERE id = $1`, id))
	return found(tok, err, "token", id)
}

func (t accountsTx) PutToken(k auth.Token) error {
	_, err := t.tx.ExecContext(t.ctx, `INSERT INTO token (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen, last_address = excluded.last_address, revoked = excluded.revoked
		WHERE token.hash = excluded.hash`,
		k.ID, k.Hash, string(k.Kind), k.Name, sql.NullString{String: k.Login, Valid: k.Login != ""}, string(k.Role),
		string(k.Jurisdiction.Level), k.Jurisdiction.Code, millis(k.Created), k.CreatedBy, millis(k.Expires), millis(k.LastSeen), k.LastAddress, millis(k.Revoked))
	if err != nil {
		return fmt.Errorf("token %s: %w", k.ID, err)
	}
	return nil
}

func (t accountsTx) RevokeSessions(login, except string, at time.Time) error {
	_, err := t.tx.ExecContext(t.ctx, `UPDATE token SET revoked = $1 WHERE login = $2 AND id <> $3 AND revoked IS NULL`, millis(at), login, except)
	if err != nil {
		return fmt.Errorf("sessions of %s: %w", login, err)
	}
	return nil
}

func (t accountsTx) Append(e auth.Event) error { return appendAudit(t.ctx, t.tx, e) }

// appendAudit puts e at the end of the chain. Taking the head first makes any
// other writer of the chain wait for this transaction's end.
func appendAudit(ctx context.Context, tx *transaction, e auth.Event) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit_head (chain, seq, hash) VALUES ('audit', 0, '') ON CONFLICT (chain) DO UPDATE SET seq = audit_head.seq`)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	head, err := auditHead(ctx, tx)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	n := head.Append(e)
	_, err = tx.ExecContext(ctx, `INSERT INTO audit (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		n.Seq, n.Prev, n.Hash, millis(n.At), n.Who, string(n.Role), n.Address, n.Action, n.Subject, string(n.Before), string(n.After))
	if err != nil {
		return fmt.Errorf("audit row %d: %w", n.Seq, err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE audit_head SET seq = $1, hash = $2 WHERE chain = 'audit'`, n.Seq, n.Hash); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
