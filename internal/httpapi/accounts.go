package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

// listAccounts answers GET /api/v1/accounts.
func (a *API) listAccounts(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	all, err := a.cfg.Gate.Accounts(c.Request.Context(), callerOf(c))
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, struct {
		Accounts []auth.Account `json:"accounts"`
		Roles    []auth.Role    `json:"roles"`
	}{all, auth.Roles})
}

// accountForm is what is said about an account; what is not said stays.
type accountForm struct {
	Login        string             `json:"login"`
	Name         *string            `json:"name"`
	Role         *auth.Role         `json:"role"`
	Jurisdiction *auth.Jurisdiction `json:"jurisdiction"`
	Disabled     *bool              `json:"disabled"`
	Password     *string            `json:"password"`
	Subject      *string            `json:"subject"`
}

// createAccount answers POST /api/v1/accounts.
func (a *API) createAccount(c *gin.Context) error {
	var in accountForm
	if err := readJSON(c, &in); err != nil {
		return err
	}
	if in.Password == nil && (in.Subject == nil || *in.Subject == "") {
		return fault.InvalidField("password", "a new account needs a password, or the subject by which it signs in")
	}
	err := a.setAccount(c, in.Login, in, func(acc *auth.Account) error {
		if !acc.Changed.IsZero() {
			return fault.New(fault.Conflict, "there is an account %s already", in.Login)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Location", "/api/v1/accounts/"+url.PathEscape(in.Login))
	return a.showAccount(c, http.StatusCreated, in.Login)
}

// changeAccount answers PATCH /api/v1/accounts/{login}.
func (a *API) changeAccount(c *gin.Context) error {
	var in accountForm
	if err := readJSON(c, &in); err != nil {
		return err
	}
	login := c.Param("login")
	if in.Login != "" && in.Login != login {
		return fault.InvalidField("login", "does not change; make another account")
	}
	err := a.setAccount(c, login, in, func(acc *auth.Account) error {
		if acc.Changed.IsZero() {
			return fault.New(fault.NotFound, "there is no account %s", clipText(login))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.showAccount(c, http.StatusOK, login)
}

func (a *API) setAccount(c *gin.Context, login string, in accountForm, check func(*auth.Account) error) error {
	ctx, hash := c.Request.Context(), ""
	if in.Password != nil {
		var err error
		if hash, err = a.cfg.Gate.HashPassword(ctx, login, *in.Password); err != nil {
			return err
		}
	}
	return a.cfg.Gate.SetAccount(ctx, callerOf(c), login, func(acc *auth.Account) error {
		if err := check(acc); err != nil {
			return err
		}
		set(&acc.Name, in.Name)
		set(&acc.Role, in.Role)
		set(&acc.Jurisdiction, in.Jurisdiction)
		set(&acc.Disabled, in.Disabled)
		set(&acc.Subject, in.Subject)
		if hash != "" {
			acc.PasswordHash = hash
		}
		return nil
	})
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func (a *API) showAccount(c *gin.Context, status int, login string) error {
	all, err := a.cfg.Gate.Accounts(c.Request.Context(), callerOf(c))
	if err != nil {
		return err
	}
	for _, acc := range all {
		if acc.Login == login {
			return writeValue(c, status, acc)
		}
	}
	return noContent(c) // it has left the caller's jurisdiction
}

// tokenForm asks for a device or a link. A jurisdiction that is not said is
// the caller's own.
type tokenForm struct {
	Name         string             `json:"name"`
	Jurisdiction *auth.Jurisdiction `json:"jurisdiction"`
	Expires      time.Time          `json:"expires"`
	Role         auth.Role          `json:"role"` // empty is that of the kind
}

// listLinks answers GET /api/v1/links.
func (a *API) listLinks(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	all, err := a.cfg.Gate.Tokens(c.Request.Context(), callerOf(c), auth.Link)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, map[string][]auth.Token{"links": all})
}

// createLink answers POST /api/v1/links with a new secret, which is shown this
// once.
func (a *API) createLink(c *gin.Context) error {
	var in tokenForm
	if err := readJSON(c, &in); err != nil {
		return err
	}
	t, secret, err := a.issue(c, auth.Link, &in)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusCreated, map[string]any{"link": t, "secret": secret, "url": "/share/" + secret})
}

func (a *API) issue(c *gin.Context, kind auth.TokenKind, in *tokenForm) (auth.Token, string, error) {
	caller := callerOf(c)
	t := auth.Token{Kind: kind, Name: in.Name, Role: in.Role, Jurisdiction: caller.Jurisdiction, Expires: in.Expires}
	set(&t.Jurisdiction, in.Jurisdiction)
	secret, err := a.cfg.Gate.Issue(c.Request.Context(), caller, &t)
	return t, secret, err
}

func (a *API) revokeLink(c *gin.Context) error { return a.revoke(c, auth.Link) }

// revoke ends a token of that kind, and of no other: who manages devices does
// not end sessions.
func (a *API) revoke(c *gin.Context, kind auth.TokenKind) error {
	t, err := a.token(c, kind)
	if err != nil {
		return err
	}
	if err := a.cfg.Gate.Revoke(c.Request.Context(), callerOf(c), t.ID); err != nil {
		return err
	}
	return noContent(c)
}

// token is the token that the path names, of that kind and within the
// caller's jurisdiction.
func (a *API) token(c *gin.Context, kind auth.TokenKind) (auth.Token, error) {
	all, err := a.cfg.Gate.Tokens(c.Request.Context(), callerOf(c), kind)
	if err != nil {
		return auth.Token{}, err
	}
	id := c.Param("id")
	for _, t := range all {
		if t.ID == id {
			return t, nil
		}
	}
	return auth.Token{}, fault.New(fault.NotFound, "there is no %s %s", kind, clipText(id))
}
