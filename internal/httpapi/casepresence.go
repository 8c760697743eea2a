package httpapi

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

const (
	// viewingFor is how long somebody who does not say so again is taken to look
	// at a case.
	viewingFor = 45 * time.Second
	// maxViewing is how many cases one may look at.
	maxViewing = 20
	// sweepEvery is how often it is seen who looks no longer.
	sweepEvery = time.Second
)

// presence is who looks at which case, in this process.
type presence struct {
	mu    sync.Mutex
	cases map[int64]*looked
	of    map[string]int // cases, by who looks at them
}

// looked is a case that somebody looks at, as it stood when the last one came.
type looked struct {
	kept *casework.Kept
	by   map[string]look // by the caller's name
}

type look struct {
	name  string // of the person
	until time.Time
}

// enter has caller look at a case until then, and reports whether he did not
// before. Too many cases at once are 429.
func (p *presence) enter(k *casework.Kept, caller auth.Caller, until time.Time) (came bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.cases[k.Case]
	if l == nil {
		l = &looked{by: map[string]look{}}
	}
	if _, ok := l.by[caller.Name]; !ok {
		if p.of[caller.Name] >= maxViewing {
			return false, withStatus(http.StatusTooManyRequests, fault.New(fault.Unavailable, "%s looks at %d cases, as many as may be", caller.Name, maxViewing))
		}
		if p.of == nil {
			p.of, p.cases = map[string]int{}, map[int64]*looked{}
		}
		p.of[caller.Name]++
		came = true
	}
	l.kept, l.by[caller.Name] = k, look{caller.Token.Name, until}
	p.cases[k.Case] = l
	return came, nil
}

// leave has caller look at a case no longer, and reports whether he did.
func (p *presence) leave(id int64, caller string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drop(id, caller)
}

func (p *presence) drop(id int64, caller string) bool {
	l := p.cases[id]
	if l == nil {
		return false
	}
	if _, ok := l.by[caller]; !ok {
		return false
	}
	if delete(l.by, caller); len(l.by) == 0 {
		delete(p.cases, id)
	}
	if p.of[caller]--; p.of[caller] == 0 {
		delete(p.of, caller)
	}
	return true
}

// expire drops whose time is over, and returns the cases that they looked at.
func (p *presence) expire(now time.Time) (left []*casework.Kept) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, l := range p.cases {
		some := false
		for caller, k := range l.by {
			if !now.Before(k.until) {
				some = p.drop(id, caller) || some
			}
		}
		if some {
			left = append(left, l.kept)
		}
	}
	return left
}

// who are the names of those who look at a case, but except.
func (p *presence) who(id int64, except string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	if l := p.cases[id]; l != nil {
		for caller, k := range l.by {
			if caller != except {
				names = append(names, k.name)
			}
		}
	}
	slices.Sort(names)
	return names
}

type viewingAnswer struct {
	ID  int64    `json:"id"`
	Who []string `json:"who"`
}

// sweep tells of those who look no longer.
func (h *caseHub) sweep(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			h.swept(h.api.cfg.Now())
		}
	}
}

func (h *caseHub) swept(now time.Time) {
	for _, k := range h.presence.expire(now) {
		h.viewed(k)
	}
}

// viewCase answers PUT /api/v1/cases/{id}/viewing: the caller looks at it, for
// a while.
func (a *API) viewCase(c *gin.Context) error {
	_, r, err := a.caseOf(c)
	if err != nil {
		return err
	}
	k, caller := casework.KeptOf(&r.Case), callerOf(c)
	came, err := a.cases.presence.enter(k, caller, a.cfg.Now().Add(viewingFor))
	if err != nil {
		return err
	}
	if came {
		a.cases.viewed(k)
	}
	return writeValue(c, http.StatusOK, viewingAnswer{k.Case, a.cases.presence.who(k.Case, caller.Name)})
}

// leaveCase answers DELETE /api/v1/cases/{id}/viewing.
func (a *API) leaveCase(c *gin.Context) error {
	_, r, err := a.caseOf(c)
	if err != nil {
		return err
	}
	if k := casework.KeptOf(&r.Case); a.cases.presence.leave(k.Case, callerOf(c).Name) {
		a.cases.viewed(k)
	}
	return noContent(c)
}

// liveCases answers GET /api/v1/cases/live: every change of the caller's cases,
// until the reader leaves, is too slow or may read no more, or the service
// ends.
func (a *API) liveCases(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	if _, err := a.desk(); err != nil {
		return err
	}
	caller := callerOf(c)
	r := a.cases.read(caller)
	defer r.close()
	s, err := a.openStream(c, caller)
	if s == nil {
		return err
	}
	defer s.close()
	if err == nil {
		s.follow(r)
	}
	return nil
}
