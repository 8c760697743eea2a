package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

// signInWait is how long a sign-in waits for its turn: passwords are costly to
// check, and are checked one at a time.
const signInWait = 10 * time.Second

// sessionAnswer says who the caller is and what they may do.
type sessionAnswer struct {
	SignedIn     bool               `json:"signed_in"`
	Login        string             `json:"login,omitempty"`
	Name         string             `json:"name,omitempty"`
	Role         auth.Role          `json:"role"`
	Jurisdiction *auth.Jurisdiction `json:"jurisdiction,omitempty"`
	Actions      []auth.Action      `json:"actions"`
	CSRF         string             `json:"csrf,omitempty"`
	Expires      time.Time          `json:"expires,omitzero"`
	OIDC         *oidcAnswer        `json:"oidc"`
	PublicMap    bool               `json:"public_map"`
}

type oidcAnswer struct {
	Name string `json:"name"`
}

func (a *API) session(caller auth.Caller) sessionAnswer {
	s := sessionAnswer{Role: caller.Role, CSRF: caller.CSRF, PublicMap: a.may(auth.Caller{Role: auth.Public}, auth.ReadMap)}
	if o := a.cfg.OIDC; o != nil {
		s.OIDC = &oidcAnswer{o.Name()}
	}
	for _, action := range auth.Actions {
		if a.may(caller, action) {
			s.Actions = append(s.Actions, action)
		}
	}
	if t := caller.Token; t != nil {
		s.SignedIn, s.Login, s.Name, s.Jurisdiction, s.Expires = true, t.Login, t.Name, &t.Jurisdiction, t.Expires
	}
	return s
}

// showSession answers GET /api/v1/session, whoever asks.
func (a *API) showSession(c *gin.Context) error {
	caller, err := a.identify(c)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, a.session(caller))
}

// signIn answers POST /api/v1/session.
func (a *API) signIn(c *gin.Context) error {
	var in struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}
	if err := readJSON(c, &in); err != nil {
		return err
	}
	if len(in.Login) > 64 || len(in.Password) > auth.MaxPassword {
		return a.unauthorized(c, fault.New(fault.Denied, "wrong login or password"))
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), signInWait)
	defer cancel()
	t, secret, err := a.cfg.Gate.SignIn(ctx, in.Login, in.Password, a.address(c.Request))
	if _, many := errors.AsType[*auth.TooMany](err); err != nil && !many && fault.KindOf(err) == fault.Denied {
		return a.unauthorized(c, err)
	}
	if err != nil {
		return err
	}
	return a.welcome(c, t, secret)
}

// welcome gives the browser its session.
func (a *API) welcome(c *gin.Context, t auth.Token, secret string) error {
	a.setCookie(c, sessionCookie, secret, t.Expires)
	return writeValue(c, http.StatusOK, a.session(auth.Caller{Name: t.Login, Role: t.Role, Jurisdiction: t.Jurisdiction,
		Token: &t, CSRF: auth.CSRFToken(secret)}))
}

// signOut answers DELETE /api/v1/session: it ends a person's session. A share
// link is only forgotten by this browser.
func (a *API) signOut(c *gin.Context) error {
	caller := callerOf(c)
	if caller.Token.Kind == auth.Session {
		if err := a.cfg.Gate.Revoke(c.Request.Context(), caller, caller.Token.ID); err != nil {
			return err
		}
	}
	return a.farewell(c)
}

// signOutEverywhere answers DELETE /api/v1/sessions.
func (a *API) signOutEverywhere(c *gin.Context) error {
	caller := callerOf(c)
	if caller.Token.Kind != auth.Session {
		return fault.New(fault.Conflict, "%s is no person's session", caller.Name)
	}
	if err := a.cfg.Gate.SignOutEverywhere(c.Request.Context(), caller); err != nil {
		return err
	}
	return a.farewell(c)
}

func (a *API) farewell(c *gin.Context) error {
	a.setCookie(c, sessionCookie, "", time.Time{})
	a.setCookie(c, linkCookie, "", time.Time{})
	return noContent(c)
}

// changePassword answers PUT /api/v1/session/password. Other sessions of the
// account end.
func (a *API) changePassword(c *gin.Context) error {
	var in struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	if err := readJSON(c, &in); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), signInWait)
	defer cancel()
	if err := a.cfg.Gate.ChangePassword(ctx, callerOf(c), in.Old, in.New); err != nil {
		return err
	}
	return noContent(c)
}
