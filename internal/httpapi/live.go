package httpapi

import (
	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/live"
)

const lastEventID = "Last-Event-ID"

// showLive answers GET /api/v1/live: the frames of the caller's jurisdiction,
// until the reader leaves, is too slow or may read no more, or the service
// ends. docs/live.md describes them.
func (a *API) showLive(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	if a.cfg.Live == nil {
		return fault.New(fault.Unavailable, "this service follows no patrols")
	}
	caller := callerOf(c)
	scope, err := a.scopeOf(caller)
	if err != nil {
		return err
	}
	r, err := a.cfg.Live.Read(scope, c.Request.Header.Get(lastEventID))
	if err != nil {
		return err
	}
	defer r.Close()
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

// scopeOf is what caller may see of patrols.
func (a *API) scopeOf(caller auth.Caller) (live.Scope, error) {
	j := caller.Jurisdiction
	if caller.Token == nil { // the route is open to everybody
		j = auth.WholeDistrict
	}
	switch j.Level {
	case auth.District:
		return live.Scope{}, nil
	case auth.Street:
		return live.Scope{Street: j.Code}, nil
	case auth.Village:
		d, err := a.inForce()
		if err != nil {
			return live.Scope{}, err
		}
		g, ok := d.gen.GridByCode(j.Code)
		if !ok {
			return live.Scope{}, fault.New(fault.NotFound, "the boundaries in force have no grid %s", j.Code)
		}
		return live.Scope{Grid: g.ID}, nil
	}
	return live.Scope{}, fault.New(fault.Denied, "a %s has no patrols", j.Level)
}
