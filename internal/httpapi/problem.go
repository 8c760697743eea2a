package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/table"
)

// problem is an RFC 9457 problem document. Parameter names the query
// parameter, header or part of the body at fault.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Instance  string `json:"instance"`
	Parameter string `json:"parameter,omitempty"`
	// Defects are of a boundary file that was refused.
	Defects []Defect `json:"defects,omitempty"`
	// Errors are the bad cells of a sheet, or the first of them, and ErrorCount
	// how many there are.
	Errors     []table.CellFault `json:"errors,omitempty"`
	ErrorCount int               `json:"error_count,omitempty"`
	// Gaps are of an emergency roster.
	Gaps []gapAnswer `json:"gaps,omitempty"`
	// Candidates are of a dispatch that has to ask which grid it is.
	Candidates []casework.Candidate `json:"candidates,omitempty"`
	// Sides are the same of a public report.
	Sides []publicCandidate `json:"sides,omitempty"`
}

// statusOf is the one table from kinds of failure to statuses.
var statusOf = map[fault.Kind]int{
	fault.Internal:    http.StatusInternalServerError,
	fault.Invalid:     http.StatusBadRequest,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Denied:      http.StatusForbidden,
	fault.Unavailable: http.StatusServiceUnavailable,
}

var titles = map[int]string{
	http.StatusBadRequest:            "请求无效 · The request is invalid",
	http.StatusUnauthorized:          "请先登录 · Sign in first",
	http.StatusForbidden:             "没有权限 · Not allowed",
	http.StatusNotFound:              "未找到 · Not found",
	http.StatusRequestTimeout:        "请求超时 · The request took too long",
	http.StatusMethodNotAllowed:      "不支持的方法 · Method not allowed",
	http.StatusConflict:              "有冲突 · Conflict",
	http.StatusRequestEntityTooLarge: "请求过大 · The request is too large",
	http.StatusUnsupportedMediaType:  "不支持的格式 · Unsupported media type",
	http.StatusTooManyRequests:       "请求过于频繁 · Too many requests",
	http.StatusInternalServerError:   "服务内部错误 · Internal error",
	http.StatusServiceUnavailable:    "服务暂不可用 · Unavailable",
}

// statusError is a failure whose status its kind alone does not tell.
type statusError struct {
	status int
	error
}

func (e statusError) Unwrap() error { return e.error }

func withStatus(status int, err error) error { return statusError{status, err} }

// fail answers with err as a problem document.
func (a *API) fail(c *gin.Context, err error) {
	p, id := a.problemOf(c, err)
	if c.Writer.Written() {
		return // the status is gone; the reader sees a body cut short
	}
	h := c.Writer.Header()
	if many, ok := errors.AsType[*auth.TooMany](err); ok {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(many.Wait.Seconds()))))
	}
	if late, ok := errors.AsType[waitError](err); ok {
		h.Set("Retry-After", late.seconds())
	}
	h.Set("X-Request-Id", id)
	if p.Status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	for _, name := range [...]string{"ETag", "Content-Encoding", "Content-Length"} {
		h.Del(name)
	}
	if strings.HasPrefix(c.Request.URL.Path, open311Base) {
		failOpen311(c, p.Status, p.Detail)
		return
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and an int
	}
	c.Writer.WriteHeader(p.Status)
	_, _ = c.Writer.Write(append(body, '\n'))
	c.Abort()
}

// problemOf is err as a problem document, and its id. What nobody declared, and
// our own outages, are logged once under that id; their text stays here.
func (a *API) problemOf(c *gin.Context, err error) (p problem, id string) {
	status := statusOf[fault.KindOf(err)]
	if se, ok := errors.AsType[statusError](err); ok {
		status = se.status
	}
	if _, ok := errors.AsType[*auth.TooMany](err); ok {
		status = http.StatusTooManyRequests
	}
	id = a.requests.next()
	p = problem{
		Type:      "about:blank",
		Title:     titles[status],
		Status:    status,
		Detail:    err.Error(),
		Instance:  "urn:lianqin:request:" + id,
		Parameter: fault.FieldOf(err),
	}
	if refused, ok := errors.AsType[*RefusedFile](err); ok {
		p.Defects = refused.Defects[:min(len(refused.Defects), maxDefects)]
	}
	if sheet, ok := errors.AsType[*table.SheetError](err); ok {
		p.Errors, p.ErrorCount = sheet.Faults, sheet.Count
	}
	if gaps, ok := errors.AsType[*patrol.GapError](err); ok {
		p.Gaps = gapAnswers(gaps.Gaps)
	}
	if question, ok := errors.AsType[*casework.Question](err); ok {
		p.Candidates = question.Candidates
	}
	if question, ok := errors.AsType[*publicQuestion](err); ok {
		p.Sides = question.candidates
	}
	if status == http.StatusInternalServerError {
		p.Detail = ""
	}
	if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		a.cfg.Log.Error("request failed", "request", id, "method", c.Request.Method, "path", redact(c.Request.URL.Path),
			"status", status, "error", redact(err.Error()))
	}
	return p, id
}

// requestIDs numbers requests, unlike those of other processes.
type requestIDs struct {
	prefix string
	n      atomic.Uint64
}

func processPrefix() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func (r *requestIDs) next() string { return r.prefix + "-" + strconv.FormatUint(r.n.Add(1), 36) }
