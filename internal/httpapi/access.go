package httpapi

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

const (
	sessionCookie = "lianqin_session"
	linkCookie    = "lianqin_link"
	csrfHeader    = "X-CSRF-Token"
	keyParam      = "key"
)

// admit finds out who calls and whether they may use r. It reports done when
// it has answered itself.
func (a *API) admit(r route, c *gin.Context) (done bool, err error) {
	if strings.Contains(c.Request.URL.RawQuery, keyParam+"=lql_") && isSafe(c.Request.Method) {
		return true, a.exchangeKey(c)
	}
	if r.action == auth.Anyone {
		return false, nil
	}
	caller, err := a.identify(c)
	if err != nil {
		return false, err
	}
	if !a.may(caller, r.action) {
		if caller.Token == nil {
			return false, a.unauthorized(c, fault.New(fault.Denied, "sign in to use %s %s", r.method, r.path))
		}
		return false, fault.New(fault.Denied, "%s, a %s of %s, may not %s", caller.Name, caller.Role, caller.Jurisdiction, r.action)
	}
	if caller.CSRF != "" && !isSafe(c.Request.Method) && c.Request.Header.Get(csrfHeader) != caller.CSRF {
		return false, fault.New(fault.Denied, "%s is missing or wrong; GET /api/v1/session tells it", csrfHeader)
	}
	if caller.Token != nil {
		c.Request = c.Request.WithContext(auth.WithCaller(c.Request.Context(), caller))
	}
	return false, nil
}

// may reports whether caller may do action; an action on the whole district
// needs a jurisdiction as wide.
func (a *API) may(caller auth.Caller, action auth.Action) bool {
	if action == auth.Anyone || slices.Contains(a.cfg.Public, action) {
		return true
	}
	return caller.Role.May(action) && (!action.WholeDistrict() || caller.Jurisdiction.Level == auth.District)
}

// identify is who calls, by the first of a bearer token, a session and a share
// link. A bearer token that is no good is refused; a cookie that is none is as
// good as no cookie, since a browser sends it without being asked.
func (a *API) identify(c *gin.Context) (auth.Caller, error) {
	r := c.Request
	if header := r.Header.Get("Authorization"); header != "" {
		secret, ok := bearer(header)
		if !ok {
			return auth.Caller{}, a.unauthorized(c, fault.New(fault.Denied, "Authorization is not a bearer token"))
		}
		caller, err := a.cfg.Gate.Caller(r.Context(), secret, a.address(r))
		if err == nil && caller.Token.Kind == auth.Session {
			err = fault.New(fault.Denied, "a session comes as a cookie")
		}
		if err != nil && fault.KindOf(err) == fault.Denied {
			err = a.unauthorized(c, err)
		}
		caller.CSRF = "" // no other site's page can set this header
		return caller, err
	}
	if len(r.Header["Cookie"]) > 0 {
		for _, kind := range [...]auth.TokenKind{auth.Session, auth.Link} {
			cookie, err := r.Cookie(cookieOf[kind])
			if err != nil {
				continue
			}
			caller, err := a.cfg.Gate.Caller(r.Context(), cookie.Value, a.address(r))
			if err == nil && caller.Token.Kind == kind {
				caller.CSRF = auth.CSRFToken(cookie.Value)
				return caller, nil
			}
			if err != nil && fault.KindOf(err) != fault.Denied {
				return auth.Caller{}, err
			}
		}
	}
	return publicCaller(a.address(r)), nil
}

// publicCaller is who has not signed in.
func publicCaller(address string) auth.Caller {
	return auth.Caller{Name: "public", Role: auth.Public, Jurisdiction: auth.WholeDistrict, Address: address}
}

var cookieOf = map[auth.TokenKind]string{auth.Session: sessionCookie, auth.Link: linkCookie}

func bearer(header string) (string, bool) {
	scheme, secret, ok := strings.Cut(header, " ")
	return strings.TrimSpace(secret), ok && strings.EqualFold(scheme, "Bearer")
}

// callerOf is who was admitted to a route that is not for anyone.
func callerOf(c *gin.Context) auth.Caller {
	caller, _ := auth.CallerFrom(c.Request.Context())
	return caller
}

func (a *API) unauthorized(c *gin.Context, err error) error {
	c.Writer.Header().Set("WWW-Authenticate", "Bearer")
	return withStatus(http.StatusUnauthorized, err)
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// address is the caller's, as the audit chain and the throttle have it.
func (a *API) address(r *http.Request) string {
	if addr := a.clientAddr(r); addr.IsValid() {
		return addr.String()
	}
	return ""
}

// setCookie gives the browser a secret until expires, out of reach of scripts
// and of other sites' requests. An empty secret takes it away.
func (a *API) setCookie(c *gin.Context, name, secret string, expires time.Time) {
	cookie := &http.Cookie{Name: name, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: a.isSecure(c.Request)}
	if secret == "" {
		cookie.MaxAge = -1
	} else {
		cookie.MaxAge = max(1, int(expires.Sub(a.cfg.Now())/time.Second))
	}
	http.SetCookie(c.Writer, cookie)
}

func (a *API) isSecure(r *http.Request) bool {
	return a.cfg.SecureCookies || r.TLS != nil || a.cfg.TrustForwarded && firstOf(r.Header.Get("X-Forwarded-Proto")) == "https"
}

// openLink answers GET /share/{secret}: the link's secret moves into a cookie
// and out of the address bar.
func (a *API) openLink(c *gin.Context) error { return a.takeLink(c, c.Param("secret"), "/") }

// exchangeKey does the same for any address with ?key=.
func (a *API) exchangeKey(c *gin.Context) error {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return fault.InvalidField(keyParam, "the query is not encoded properly")
	}
	secret := query.Get(keyParam)
	query.Del(keyParam)
	target := url.URL{Path: "/" + strings.TrimLeft(c.Request.URL.Path, "/"), RawQuery: query.Encode()}
	return a.takeLink(c, secret, target.String())
}

func (a *API) takeLink(c *gin.Context, secret, target string) error {
	h := c.Writer.Header()
	h["Cache-Control"] = noStore
	h.Set("Referrer-Policy", "no-referrer")
	caller, err := a.cfg.Gate.Caller(c.Request.Context(), secret, a.address(c.Request))
	if err == nil && caller.Token.Kind != auth.Link || err != nil && fault.KindOf(err) == fault.Denied {
		return fault.New(fault.NotFound, "分享链接无效或已过期 the share link is not valid, or has ended")
	}
	if err != nil {
		return err
	}
	a.setCookie(c, linkCookie, secret, caller.Token.Expires)
	return seeOther(c, target)
}

var secretForm = regexp.MustCompile(`(lq[sdlr])_[A-Za-z0-9_-]{8,}`)

// redact takes secrets out of what is written to a log.
func redact(s string) string { return secretForm.ReplaceAllString(s, "${1}_…") }
