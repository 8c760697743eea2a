package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

var quarantineParams = []string{"reason", "unit", "from", "to", "before", "limit"}

const (
	quarantineReason = iota
	quarantineUnit
	quarantineFrom
	quarantineTo
	quarantineBefore
	quarantineLimit
)

const (
	defaultRefusals   = 100
	maxRefusals       = 1000
	maxQuarantineSpan = 31 * 24 * time.Hour
)

// refusalAnswer is one report that became no fix.
type refusalAnswer struct {
	ID        int64         `json:"id"`
	Unit      string        `json:"unit,omitempty"` // code
	Device    string        `json:"device,omitempty"`
	Source    string        `json:"source"`
	At        time.Time     `json:"at,omitzero"`
	Received  time.Time     `json:"received"`
	Reason    patrol.Reason `json:"reason"`
	Detail    string        `json:"detail,omitempty"`
	Raw       string        `json:"raw,omitempty"`
	Position  *orb.Point    `json:"position,omitempty"`
	AccuracyM float32       `json:"accuracy_m,omitempty"`
}

// listQuarantine answers GET /api/v1/quarantine: the latest of the reports
// received in [from, to), the last day if not said, that became no fix, and
// how many there are by reason.
func (a *API) listQuarantine(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, quarantineParams)
	if err != nil {
		return err
	}
	now := a.cfg.Now()
	q := patrol.RefusalQuery{}
	if q.From, q.To, err = p.span(quarantineFrom, quarantineTo, now.AddDate(0, 0, -1), now.Add(time.Millisecond), maxQuarantineSpan); err != nil {
		return err
	}
	limit, err := p.limit(quarantineLimit, defaultRefusals, maxRefusals)
	if err != nil {
		return err
	}
	if p.has(quarantineBefore) {
		before, err := readCount("before", p.values[quarantineBefore], 1)
		if err != nil {
			return err
		}
		q.Before = int64(before)
	}
	if r := patrol.Reason(p.values[quarantineReason]); p.has(quarantineReason) {
		if !slices.Contains(patrol.Reasons, r) {
			return fault.InvalidField("reason", "%.40q is not one of %v", r, patrol.Reasons)
		}
		q.Reasons = []patrol.Reason{r}
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	if p.has(quarantineUnit) {
		u, err := s.unit(p.values[quarantineUnit])
		if err != nil {
			return err
		}
		q.Unit = u.ID
		if err := a.noteLook(c, "quarantine.read", u.Code, map[string]any{"from": q.From.In(grid.Zone), "to": q.To.In(grid.Zone)}); err != nil {
			return err
		}
	}
	if a.cfg.Quarantine == nil {
		return fault.New(fault.Unavailable, "refused reports are not kept here")
	}
	return a.writeQuarantine(c, s, q, limit)
}

func (a *API) writeQuarantine(c *gin.Context, s *sight, q patrol.RefusalQuery, limit int) error {
	ctx := c.Request.Context()
	visible, err := a.refusalsOf(c, s)
	if err != nil {
		return err
	}
	counts := make(map[patrol.Reason]int64, len(patrol.Reasons))
	for _, r := range patrol.Reasons {
		counts[r] = 0
	}
	err = a.cfg.Quarantine.CountRefusals(ctx, q.From, q.To, func(unit patrol.UnitID, device string, reason patrol.Reason, n int64) error {
		if visible(unit, device) && (q.Unit == 0 || q.Unit == unit) {
			counts[reason] += n
		}
		return nil
	})
	if err != nil {
		return err
	}
	refusals, more := []refusalAnswer{}, false
	err = a.cfg.Quarantine.Refusals(ctx, q, func(id int64, r patrol.Refusal) error {
		if !visible(r.Unit, r.Device) {
			return nil
		}
		if len(refusals) == limit {
			more = true
			return patrol.ErrEnough
		}
		refusals = append(refusals, s.refusalAnswer(id, &r))
		return nil
	})
	if err != nil && !errors.Is(err, patrol.ErrEnough) {
		return err
	}
	return writeValue(c, http.StatusOK, struct {
		Counts   map[patrol.Reason]int64 `json:"counts"`
		Refusals []refusalAnswer         `json:"refusals"`
		More     bool                    `json:"more"`
	}{counts, refusals, more})
}

// refusalsOf reports which refusals are the caller's business: those of its
// units and, where the unit is not known, of its devices. What nobody can be
// held to is the district's.
func (a *API) refusalsOf(c *gin.Context, s *sight) (func(patrol.UnitID, string) bool, error) {
	if s.caller.Jurisdiction.Level == auth.District {
		return func(patrol.UnitID, string) bool { return true }, nil
	}
	tokens, err := a.cfg.Gate.Tokens(c.Request.Context(), s.caller, auth.Device)
	if err != nil {
		return nil, err
	}
	own := make(map[string]bool, len(tokens))
	for _, t := range tokens {
		own[t.ID] = true
	}
	return func(unit patrol.UnitID, device string) bool {
		if u, ok := s.staff.Unit(unit); ok {
			return s.covers(u)
		}
		return own[device]
	}, nil
}

func (s *sight) refusalAnswer(id int64, r *patrol.Refusal) refusalAnswer {
	out := refusalAnswer{ID: id, Unit: s.code(r.Unit), Device: r.Device, Source: r.Source.String(), Received: inZone(r.Received),
		Reason: r.Reason, Detail: r.Detail, Raw: r.Raw}
	if r.At != 0 {
		out.At = inZone(r.At)
	}
	if r.Fix != nil {
		p := r.Fix.Pos.Point()
		out.Position, out.AccuracyM = &p, r.Fix.AccuracyM
	}
	return out
}
