package httpapi

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

const (
	attemptCookie = "lianqin_oidc"
	attemptPath   = "/oidc/"
	attemptLife   = 10 * time.Minute
)

func (a *API) oidc() (*auth.OIDC, error) {
	if a.cfg.OIDC == nil {
		return nil, fault.New(fault.NotFound, "there is no single sign-on here")
	}
	return a.cfg.OIDC, nil
}

func (a *API) oidcRedirect(r *http.Request) string {
	base := a.base(r)
	if a.cfg.SecureCookies {
		base = strings.Replace(base, "http://", "https://", 1)
	}
	return base + "/oidc/callback"
}

var startParams = []string{"next"}

// oidcStart answers GET /oidc/start: off to the provider. The attempt stays in
// a cookie, which has to come back from the provider's page and so is Lax; so
// does next, a path of ours to go to afterwards.
func (a *API) oidcStart(c *gin.Context) error {
	o, err := a.oidc()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, startParams)
	if err != nil {
		return err
	}
	next := "/"
	if p.has(0) {
		if next, err = ownPath(startParams[0], p.values[0]); err != nil {
			return err
		}
	}
	attempt, target, err := o.Begin(c.Request.Context(), a.oidcRedirect(c.Request))
	if err != nil {
		return err
	}
	a.setAttempt(c, strings.Join([]string{attempt.State, attempt.Nonce, attempt.Verifier,
		base64.RawURLEncoding.EncodeToString([]byte(next))}, "."), int(attemptLife/time.Second))
	return seeOther(c, target)
}

func (a *API) setAttempt(c *gin.Context, value string, maxAge int) {
	http.SetCookie(c.Writer, &http.Cookie{Name: attemptCookie, Value: value, Path: attemptPath, MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: a.isSecure(c.Request)})
}

var callbackParams = []string{"state", "code", "error", "error_description", "error_uri", "iss", "session_state", "scope"}

// oidcCallback answers GET /oidc/callback: back from the provider. A person's
// browser comes here, so that a refusal leads to the sign-in page, which tells
// of it.
func (a *API) oidcCallback(c *gin.Context) error {
	o, err := a.oidc()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, callbackParams)
	if err != nil {
		return err
	}
	next := "/"
	switch err = a.finishSignIn(c, o, &p, &next); {
	case err == nil:
		return seeOther(c, next)
	case fault.KindOf(err) != fault.Denied:
		return err
	}
	a.cfg.Log.Info("single sign-on refused", "address", a.address(c.Request), "error", redact(err.Error()))
	back := url.Values{"failed": {"refused"}}
	if errors.Is(err, auth.ErrUnbound) {
		back.Set("failed", "unbound")
	}
	if next != "/" {
		back.Set("next", next)
	}
	return seeOther(c, "/login/?"+back.Encode())
}

// finishSignIn gives the browser its session, and tells where it wanted to go.
func (a *API) finishSignIn(c *gin.Context, o *auth.OIDC, p *params, next *string) error {
	cookie, err := c.Request.Cookie(attemptCookie)
	if err != nil {
		return fault.New(fault.Denied, "the sign-in took too long, or began in another browser")
	}
	a.setAttempt(c, "", -1) // each attempt once
	parts := strings.Split(cookie.Value, ".")
	if len(parts) != 4 || subtle.ConstantTimeCompare([]byte(parts[0]), []byte(p.values[0])) != 1 {
		return fault.New(fault.Denied, "the answer belongs to another sign-in")
	}
	if b, err := base64.RawURLEncoding.DecodeString(parts[3]); err == nil { // the cookie is the browser's, and may be anything
		if own, err := ownPath("next", string(b)); err == nil {
			*next = own
		}
	}
	if p.has(2) {
		return fault.New(fault.Denied, "the provider says %s", clipText(p.values[2]))
	}
	ctx := c.Request.Context()
	subject, err := o.Finish(ctx, a.oidcRedirect(c.Request), auth.Attempt{State: parts[0], Nonce: parts[1], Verifier: parts[2]}, p.values[1])
	if err != nil {
		return err
	}
	t, secret, err := a.cfg.Gate.SignInSubject(ctx, subject, a.address(c.Request))
	if err != nil {
		return err
	}
	a.setCookie(c, sessionCookie, secret, t.Expires)
	return nil
}

// maxNext is the longest path to come back to; cookies have little room.
const maxNext = 1024

// ownPath is s when that is a path on this service, and Invalid for anything
// that a browser could take for another site's address: it reads a backslash as
// a slash, drops tabs and line ends, and resolves dots before it looks again.
func ownPath(param, s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxNext || !strings.HasPrefix(s, "/") ||
		u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "/./") || strings.Contains(u.Path, "/../") ||
		strings.ContainsFunc(s, func(r rune) bool { return r == '\\' || r <= ' ' || r == 0x7f }) {
		return "", fault.InvalidField(param, "%.80q is no path of this service, such as /admin/", s)
	}
	return s, nil
}

func seeOther(c *gin.Context, target string) error {
	h := c.Writer.Header()
	h["Cache-Control"] = noStore
	h.Set("Location", target)
	c.Status(http.StatusSeeOther)
	c.Writer.WriteHeaderNow()
	return nil
}
