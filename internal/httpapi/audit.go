package httpapi

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

var auditParams = []string{"after", "before", "limit", "who", "action"}

const (
	auditAfter = iota
	auditBefore
	auditLimit
	auditWho
	auditAction
)

const (
	defaultEntries = 100
	maxEntries     = 1000
)

// listAudit answers GET /api/v1/audit: the latest entries, the latest before
// one, or the first after one, the newest last.
func (a *API) listAudit(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, auditParams)
	if err != nil {
		return err
	}
	q := auth.AuditQuery{Who: p.values[auditWho], Action: p.values[auditAction], Limit: defaultEntries, Latest: !p.has(auditAfter)}
	for i, least := range map[int]int{auditAfter: 0, auditBefore: 1, auditLimit: 1} {
		if !p.has(i) {
			continue
		}
		n, err := readCount(auditParams[i], p.values[i], least)
		if err != nil {
			return err
		}
		switch i {
		case auditAfter:
			q.After = int64(n)
		case auditBefore:
			q.Before = int64(n)
		case auditLimit:
			q.Limit = min(n, maxEntries)
		}
	}
	entries := make([]auth.Entry, 0, q.Limit)
	head, err := a.cfg.Gate.Audit(c.Request.Context(), q, func(e auth.Entry) error {
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return err
	}
	if q.Latest {
		slices.Reverse(entries)
	}
	return writeValue(c, http.StatusOK, struct {
		Entries []auth.Entry `json:"entries"`
		Head    auth.Head    `json:"head"`
	}{entries, head})
}

// verifyAudit answers GET /api/v1/audit/verify.
func (a *API) verifyAudit(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	head, err := a.cfg.Gate.VerifyAudit(c.Request.Context())
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return err
	}
	answer := struct {
		OK     bool      `json:"ok"`
		Head   auth.Head `json:"head"`
		Detail string    `json:"detail,omitempty"`
	}{err == nil, head, ""}
	if err != nil {
		answer.Detail = err.Error()
	}
	return writeValue(c, http.StatusOK, answer)
}
