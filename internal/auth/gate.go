package auth

import (
	"cmp"
	"context"
	"sync"
	"time"

	"lianqin/internal/fault"
)

// Store keeps accounts, tokens and the audit chain. What is not there is
// fault.NotFound.
type Store interface {
	Account(ctx context.Context, login string) (Account, error)
	Accounts(ctx context.Context) ([]Account, error)
	Token(ctx context.Context, hash string) (Token, error)
	// Tokens are those of a kind, the newest first.
	Tokens(ctx context.Context, kind TokenKind) ([]Token, error)
	// Change runs f in one transaction, with the events it appends.
	Change(ctx context.Context, f func(Tx) error) error
	// Audit calls f with every entry that q chooses, in order, and returns the
	// head.
	Audit(ctx context.Context, q AuditQuery, f func(Entry) error) (Head, error)
}

// Tx is one transaction of a Store.
type Tx interface {
	Account(login string) (Account, error)
	AccountBySubject(subject string) (Account, error)
	// Administrators counts those who are not disabled.
	Administrators() (int, error)
	PutAccount(Account) error
	TokenByID(id string) (Token, error)
	PutToken(Token) error
	// RevokeSessions ends all sessions of login, but the one with ID except.
	RevokeSessions(login, except string, at time.Time) error
	Append(Event) error
}

// Gate is the keeper of accounts and tokens: it lets callers in.
type Gate struct {
	store    Store
	hasher   *Hasher
	throttle Throttle
	now      func() time.Time

	mu    sync.Mutex
	cache map[string]cached // by hash
}

type cached struct {
	token Token
	until time.Time
}

// cacheFor is how long a revocation by another process may go unnoticed;
// touchEvery is how often a token's last use is written down.
const (
	cacheFor   = 2 * time.Second
	cacheSize  = 20_000
	touchEvery = time.Minute
)

// NewGate keeps its rows in store. Its passwords are hashed one at a time, in
// this process.
func NewGate(store Store, now func() time.Time) *Gate {
	return NewGateWith(store, NewHasher(1, nil), now)
}

// NewGateWith is NewGate with another hasher, which is the gate's from now on.
func NewGateWith(store Store, h *Hasher, now func() time.Time) *Gate {
	return &Gate{store: store, hasher: h, now: now, cache: make(map[string]cached)}
}

// Close ends the hasher's helpers, after the sign-ins under way. The gate must
// not be used afterwards.
func (g *Gate) Close() { g.hasher.Close() }

// errSignIn is the one answer to every sign-in that does not succeed, whether
// the login exists or not.
var errSignIn = fault.New(fault.Denied, "wrong login or password")

// TooMany is a Denied sign-in that may be tried again after Wait.
type TooMany struct {
	Wait time.Duration
	Busy bool // others have to be let in first
}

func (e *TooMany) Error() string {
	why := "尝试过多 too many attempts"
	if e.Busy {
		why = "登录人数过多 too many are signing in"
	}
	return why + "; wait " + e.Wait.Round(time.Second).String()
}

// Unwrap makes TooMany a fault of kind Denied.
func (e *TooMany) Unwrap() error { return errSignIn }

// SignIn opens a session and returns it with its secret. The error is
// *TooMany, or Denied without saying which of login and password was wrong.
func (g *Gate) SignIn(ctx context.Context, login, password, address string) (Token, string, error) {
	now := g.now()
	a, ok, err := g.prove(ctx, login, password, address)
	if err != nil {
		return Token{}, "", err
	}
	if !ok || a.Disabled {
		e := Event{At: now, Who: login, Role: Public, Address: address, Action: "session.refuse", Subject: login}
		if err := g.store.Change(ctx, func(tx Tx) error { return tx.Append(e) }); err != nil {
			return Token{}, "", err
		}
		return Token{}, "", errSignIn
	}
	return g.open(ctx, a, address)
}

// prove reports whether password is that of login, an account that need not
// exist. The error is *TooMany after too many that were not, or when too many
// sign in at once.
func (g *Gate) prove(ctx context.Context, login, password, address string) (Account, bool, error) {
	now := g.now()
	if wait := g.throttle.Try(login, address, now); wait > 0 {
		return Account{}, false, &TooMany{Wait: wait}
	}
	a, err := g.store.Account(ctx, login)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		g.throttle.Withdraw(login, address)
		return Account{}, false, err
	}
	ok, err := g.hasher.Matches(ctx, a.PasswordHash, password)
	switch {
	case err != nil:
		g.throttle.Withdraw(login, address)
	case ok && !a.Disabled:
		g.throttle.Succeeded(login, address, now)
	default:
		g.throttle.Failed(login, address, now)
	}
	return a, ok, err
}

// open makes a session of a, who has proved to be that person.
func (g *Gate) open(ctx context.Context, a Account, address string) (Token, string, error) {
	now := g.now()
	t := Token{Kind: Session, Name: a.Name, Login: a.Login, Role: a.Role, Jurisdiction: a.Jurisdiction,
		Created: now, CreatedBy: a.Login, Expires: now.Add(SessionLife), LastSeen: now, LastAddress: address}
	who := Caller{Name: a.Login, Role: a.Role, Address: address}
	secret, err := g.issue(ctx, who, &t, "session.open")
	return t, secret, err
}

// ErrUnbound is Denied: who proved an identity at the provider has no account
// here, or a disabled one.
var ErrUnbound = fault.New(fault.Denied, "no account is bound to this identity")

// SignInSubject opens a session for the account bound to an OpenID Connect
// subject ("issuer subject"), or is ErrUnbound.
func (g *Gate) SignInSubject(ctx context.Context, subject, address string) (Token, string, error) {
	var a Account
	bound := false
	err := g.store.Change(ctx, func(tx Tx) (err error) {
		a, err = tx.AccountBySubject(subject)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		if bound = err == nil && !a.Disabled; bound {
			return nil
		}
		return tx.Append(Event{At: g.now(), Who: subject, Role: Public, Address: address, Action: "session.refuse", Subject: subject})
	})
	if err != nil {
		return Token{}, "", err
	}
	if !bound {
		return Token{}, "", ErrUnbound
	}
	return g.open(ctx, a, address)
}

// usualRole is what who holds a token is trusted with, if not said otherwise.
var usualRole = map[TokenKind]Role{Device: PatrolDevice, Link: Viewer}

// Issue makes a device or link token for by, who must cover its jurisdiction,
// and returns its secret, which is shown once and not kept. Its role is that
// of its kind, or Integration of a device.
func (g *Gate) Issue(ctx context.Context, by Caller, t *Token) (string, error) {
	if err := t.Jurisdiction.Check(); err != nil {
		return "", err
	}
	if !t.Jurisdiction.Within(by.Jurisdiction) {
		return "", fault.New(fault.Denied, "%s is outside your jurisdiction", t.Jurisdiction)
	}
	now := g.now()
	if t.Name == "" || len(t.Name) > 256 {
		return "", fault.InvalidField("name", "needs 1 to 256 bytes")
	}
	life := map[TokenKind]time.Duration{Device: DeviceLife, Link: LinkLifeLimit}[t.Kind]
	if t.Expires.IsZero() {
		t.Expires = now.Add(life)
	}
	if !t.Expires.After(now) || t.Expires.After(now.Add(life)) {
		return "", fault.InvalidField("expires", "must be in the future and at most %d days ahead", life/(24*time.Hour))
	}
	switch {
	case t.Role == Integration && t.Kind == Device:
		if t.Jurisdiction.Level != District {
			return "", fault.InvalidField("jurisdiction", "an integration reports from the whole district")
		}
	case t.Role == "" || t.Role == usualRole[t.Kind]:
		t.Role = usualRole[t.Kind]
	default:
		return "", fault.InvalidField("role", "a %s has the role %s, or a device %s", t.Kind, usualRole[t.Kind], Integration)
	}
	t.Created, t.CreatedBy, t.LastSeen = now, by.Name, now
	return g.issue(ctx, by, t, string(t.Kind)+".issue")
}

func (g *Gate) issue(ctx context.Context, by Caller, t *Token, action string) (string, error) {
	secret := NewSecret(t.Kind)
	t.Hash = HashSecret(secret)
	t.ID = t.Hash[:12]
	e := by.Event(action, t.ID)
	e.At, e.After = g.now(), Detail(t)
	err := g.store.Change(ctx, func(tx Tx) error {
		if err := tx.PutToken(*t); err != nil {
			return err
		}
		return tx.Append(e)
	})
	return secret, err
}

// Revoke ends a token within by's jurisdiction, from now on; NotFound outside
// it.
func (g *Gate) Revoke(ctx context.Context, by Caller, id string) error {
	now := g.now()
	var hash string
	err := g.store.Change(ctx, func(tx Tx) error {
		t, err := tx.TokenByID(id)
		if err != nil {
			return err
		}
		own := by.Token != nil && t.Kind == Session && t.Login == by.Token.Login
		if !own && !t.Jurisdiction.Within(by.Jurisdiction) {
			return fault.New(fault.NotFound, "there is no token %s", id)
		}
		hash = t.Hash
		if !t.Revoked.IsZero() {
			return nil
		}
		t.Revoked = now
		if err := tx.PutToken(t); err != nil {
			return err
		}
		e := by.Event(string(t.Kind)+".revoke", t.ID)
		e.At = now
		return tx.Append(e)
	})
	g.forget(hash)
	return err
}

func (g *Gate) forget(hash string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if hash == "" {
		clear(g.cache)
	}
	delete(g.cache, hash)
}

// Caller is who holds secret. Denied when it is unknown, expired or revoked.
func (g *Gate) Caller(ctx context.Context, secret, address string) (Caller, error) {
	if !LooksLikeSecret(secret) {
		return Caller{}, fault.New(fault.Denied, "not a token of ours")
	}
	t, err := g.token(ctx, HashSecret(secret))
	if err != nil {
		return Caller{}, err
	}
	now := g.now()
	if !t.Live(now) {
		return Caller{}, fault.New(fault.Denied, "the %s has ended", t.Kind)
	}
	if now.Sub(t.LastSeen) >= touchEvery {
		if err := g.touch(ctx, t, address); err != nil {
			return Caller{}, err
		}
	}
	c := Caller{Role: t.Role, Jurisdiction: t.Jurisdiction, Address: address, Token: &t}
	switch t.Kind {
	case Session:
		c.Name, c.CSRF = t.Login, CSRFToken(secret)
	default:
		c.Name = string(t.Kind) + ":" + t.ID
	}
	return c, nil
}

// Still is Denied once the token that c came by has ended or was revoked, for
// connections that stay open. It does not count as a use: a page that is only
// watched keeps no session from ending.
func (g *Gate) Still(ctx context.Context, c Caller) error {
	if c.Token == nil {
		return nil
	}
	t, err := g.token(ctx, c.Token.Hash)
	if err == nil && !t.Live(g.now()) {
		err = fault.New(fault.Denied, "the %s has ended", t.Kind)
	}
	return err
}

func (g *Gate) token(ctx context.Context, hash string) (Token, error) {
	now := g.now()
	g.mu.Lock()
	c, ok := g.cache[hash]
	g.mu.Unlock()
	if ok && now.Before(c.until) {
		return c.token, nil
	}
	t, err := g.store.Token(ctx, hash)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return Token{}, fault.New(fault.Denied, "unknown token")
	}
	if err != nil {
		return Token{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.cache) >= cacheSize {
		clear(g.cache)
	}
	g.cache[hash] = cached{t, now.Add(cacheFor)}
	return t, nil
}

// touch notes that t was used. A database that cannot be written to keeps
// nobody out who could read.
func (g *Gate) touch(ctx context.Context, t Token, address string) error {
	now := g.now()
	err := g.store.Change(ctx, func(tx Tx) error {
		fresh, err := tx.TokenByID(t.ID)
		if err != nil || !fresh.Live(now) {
			return err
		}
		fresh.LastSeen, fresh.LastAddress = now, address
		return tx.PutToken(fresh)
	})
	g.forget(t.Hash)
	if fault.KindOf(err) == fault.Unavailable {
		return nil
	}
	return err
}

// SetAccount creates or changes an account as change says, for by, who must
// cover the account before and after. A change of role, jurisdiction, password
// or a disabling ends the account's sessions.
func (g *Gate) SetAccount(ctx context.Context, by Caller, login string, change func(a *Account) error) error {
	now := g.now()
	err := g.store.Change(ctx, func(tx Tx) error {
		before, err := tx.Account(login)
		created := err != nil && fault.KindOf(err) == fault.NotFound
		if err != nil && !created {
			return err
		}
		after := before
		if created {
			after = Account{Login: login, Created: now}
		} else if !before.Jurisdiction.Within(by.Jurisdiction) {
			return fault.New(fault.NotFound, "there is no account %s", login)
		}
		if err := change(&after); err != nil {
			return err
		}
		after.Login, after.Changed = login, now
		if err := after.Check(); err != nil {
			return err
		}
		if !after.Jurisdiction.Within(by.Jurisdiction) {
			return fault.New(fault.Denied, "%s is outside your jurisdiction", after.Jurisdiction)
		}
		if err := tx.PutAccount(after); err != nil {
			return err
		}
		if n, err := tx.Administrators(); err != nil || n == 0 {
			if before.Role == Administrator {
				return cmp.Or(err, fault.New(fault.Conflict, "%s is the last administrator", login))
			}
			return cmp.Or(err, fault.New(fault.Conflict, "there is no administrator yet; make one first"))
		}
		e := by.Event("account.change", login)
		e.At, e.Before, e.After = now, Detail(before), Detail(after)
		if created {
			e.Action, e.Before = "account.create", nil
		}
		if after.PasswordHash != before.PasswordHash && !created {
			e.Action = "account.password"
		}
		if err := tx.Append(e); err != nil {
			return err
		}
		if after.Role == before.Role && after.Jurisdiction == before.Jurisdiction && after.PasswordHash == before.PasswordHash && !after.Disabled {
			return nil
		}
		except := ""
		if by.Token != nil && by.Token.Login == login {
			except = by.Token.ID
		}
		return tx.RevokeSessions(login, except, now)
	})
	g.forget("")
	return err
}

// HashPassword checks a new password of login and hashes it.
func (g *Gate) HashPassword(ctx context.Context, login, password string) (string, error) {
	if err := CheckPassword(login, password); err != nil {
		return "", err
	}
	return g.hasher.Hash(ctx, password)
}

// SignOutEverywhere ends all sessions of by's own account.
func (g *Gate) SignOutEverywhere(ctx context.Context, by Caller) error {
	now := g.now()
	e := by.Event("session.close-all", by.Name)
	e.At = now
	err := g.store.Change(ctx, func(tx Tx) error {
		if err := tx.RevokeSessions(by.Name, "", now); err != nil {
			return err
		}
		return tx.Append(e)
	})
	g.forget("")
	return err
}

// Note appends an event that changes nothing else, as a look at something
// private.
func (g *Gate) Note(ctx context.Context, e Event) error {
	e.At = g.now()
	return g.store.Change(ctx, func(tx Tx) error { return tx.Append(e) })
}

// Accounts are those within by's jurisdiction, by login.
func (g *Gate) Accounts(ctx context.Context, by Caller) ([]Account, error) {
	all, err := g.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	return within(all, by, func(a Account) Jurisdiction { return a.Jurisdiction }), nil
}

// Tokens are those of a kind within by's jurisdiction, the newest first.
func (g *Gate) Tokens(ctx context.Context, by Caller, kind TokenKind) ([]Token, error) {
	all, err := g.store.Tokens(ctx, kind)
	if err != nil {
		return nil, err
	}
	return within(all, by, func(t Token) Jurisdiction { return t.Jurisdiction }), nil
}

func within[T any](all []T, by Caller, of func(T) Jurisdiction) []T {
	out := make([]T, 0, len(all))
	for _, v := range all {
		if of(v).Within(by.Jurisdiction) {
			out = append(out, v)
		}
	}
	return out
}

// Audit calls f with every entry that q chooses, in order, and returns the head.
func (g *Gate) Audit(ctx context.Context, q AuditQuery, f func(Entry) error) (Head, error) {
	return g.store.Audit(ctx, q, f)
}

// VerifyAudit walks the whole chain. Conflict names the first row that is
// changed or missing.
func (g *Gate) VerifyAudit(ctx context.Context) (Head, error) {
	var v Verifier
	head, err := g.store.Audit(ctx, AuditQuery{}, v.Next)
	if err != nil {
		return head, err
	}
	return head, v.End(head)
}
