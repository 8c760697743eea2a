package httpapi

import (
	"errors"
	"math"
	"net/http"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

var auditParams = []string{"after", "limit", "who", "action"}

const (
	auditAfter = iota
	auditLimit
	auditWho
	auditAction
)

const (
	defaultEntries = 100
	maxEntries     = 1000
)

// errEnough ends a walk along the chain.
var errEnough = errors.New("enough entries")

// listAudit answers GET /api/v1/audit: the latest entries or, with after, the
// first that follow it.
func (a *API) listAudit(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, auditParams)
	if err != nil {
		return err
	}
	limit := defaultEntries
	if p.has(auditLimit) {
		if limit, err = readCount("limit", p.values[auditLimit], 1); err != nil {
			return err
		}
		limit = min(limit, maxEntries)
	}
	after, latest := 0, !p.has(auditAfter)
	if !latest {
		if after, err = readCount("after", p.values[auditAfter], 0); err != nil {
			return err
		}
	}
	ctx := c.Request.Context()
	if latest && !p.has(auditWho) && !p.has(auditAction) {
		head, err := a.cfg.Gate.Audit(ctx, math.MaxInt64, func(auth.Entry) error { return nil })
		if err != nil {
			return err
		}
		after = max(0, int(head.Seq)-limit)
	}
	entries := make([]auth.Entry, 0, limit)
	head, err := a.cfg.Gate.Audit(ctx, int64(after), func(e auth.Entry) error {
		if p.has(auditWho) && e.Who != p.values[auditWho] || p.has(auditAction) && e.Action != p.values[auditAction] {
			return nil
		}
		if len(entries) == limit {
			if !latest {
				return errEnough
			}
			entries = append(entries[:0], entries[1:]...)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
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
