package httpapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
)

var (
	nosniff  = []string{"nosniff"}
	referrer = []string{"same-origin"}
	noStore  = []string{"no-store"}
)

// guard stands before every route: the headers that all answers carry, the
// rate limit, and the last stop of a panic.
func (a *API) guard(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
		a.metrics.panics.Inc()
		a.fail(c, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
	}()
	h := c.Writer.Header()
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = referrer
	if wait := a.limiter.take(a.clientAddr(c.Request)); wait > 0 && !isProbe(c.Request.URL.Path) {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		a.metrics.limited.Inc()
		a.fail(c, withStatus(http.StatusTooManyRequests,
			fault.New(fault.Unavailable, "more than %g requests a second from one address", a.cfg.Limits.Rate)))
		return
	}
	c.Next()
}

func isProbe(path string) bool { return path == "/healthz" || path == "/readyz" || path == "/metrics" }

// writeGrace is what is left to say that a body came too late.
const writeGrace = 5 * time.Second

// answer runs one route: its deadline, its failure, its figures.
func (a *API) answer(r route) gin.HandlerFunc {
	figures := a.metrics.route(r)
	return func(c *gin.Context) {
		begin := a.cfg.Now()
		deadline := time.Now().Add(a.cfg.Limits.Request) // the connection's clock is the real one
		rc := http.NewResponseController(c.Writer)
		if c.Request.ContentLength != 0 {
			_ = rc.SetReadDeadline(deadline) // not every writer has deadlines
		}
		_ = rc.SetWriteDeadline(deadline.Add(writeGrace))
		if err := a.run(r, c); err != nil {
			a.fail(c, err)
		}
		figures.done(c.Writer.Status(), a.cfg.Now().Sub(begin))
	}
}

func (a *API) run(r route, c *gin.Context) error {
	if done, err := a.admit(r, c); done || err != nil {
		return err
	}
	return r.handle(a, c)
}

func methodNotAllowed(_ *API, c *gin.Context) error {
	return withStatus(http.StatusMethodNotAllowed,
		fault.New(fault.Invalid, "%s is not among the methods of %s: %s", c.Request.Method, c.Request.URL.Path, c.Writer.Header().Get("Allow")))
}
