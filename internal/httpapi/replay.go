package httpapi

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/live"
)

var replayParams = []string{"from", "to", "speed", "step"}

const (
	replayFrom = iota
	replayTo
	replaySpeed
	replayStep
)

// showReplay answers GET /api/v1/replay: the frames of the live stream, of the
// past. It is a look at where people were, and entered in the audit chain.
func (a *API) showReplay(c *gin.Context) error {
	cfg, err := a.readReplay(c)
	if err != nil {
		return err
	}
	r, err := live.NewReplay(cfg)
	if err != nil {
		return err
	}
	if r.Over() {
		c.Writer.Header()["Cache-Control"] = noStore
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		return nil
	}
	leave, err := a.streams.replays.enter(a.clientAddr(c.Request))
	if err != nil {
		return err
	}
	defer leave()
	what := map[string]any{"from": cfg.From.In(grid.Zone), "to": cfg.To.In(grid.Zone), "speed": cfg.Speed}
	if err := a.noteLook(c, "patrols.replay", callerOf(c).Jurisdiction.String(), what); err != nil {
		return err
	}
	first, err := r.Next(c.Request.Context(), 0) // what fails by now can be told
	if err != nil {
		return err
	}
	s, err := a.openStream(c, callerOf(c))
	if s == nil {
		return err
	}
	defer s.close()
	if err == nil && s.write(first...) == nil {
		s.follow(r)
	}
	return nil
}

func (a *API) readReplay(c *gin.Context) (cfg live.ReplayConfig, err error) {
	p, err := readParams(c.Request.URL.RawQuery, replayParams)
	if err != nil {
		return cfg, err
	}
	registry, err := a.registry()
	if err != nil {
		return cfg, err
	}
	if a.cfg.Tracks == nil {
		return cfg, fault.New(fault.Unavailable, "tracks are not kept here")
	}
	cfg = live.ReplayConfig{Past: a.cfg.Tracks, Staff: registry.Staff(), Bounds: a.cfg.Indexes, Speed: live.MaxSpeed, Last: c.Request.Header.Get(lastEventID)}
	if cfg.Scope, err = a.scopeOf(callerOf(c)); err != nil {
		return cfg, err
	}
	for i, t := range [...]*time.Time{replayFrom: &cfg.From, replayTo: &cfg.To} {
		if !p.has(i) {
			return cfg, fault.InvalidField(replayParams[i], "missing")
		}
		if *t, err = readInstant(replayParams[i], p.values[i]); err != nil {
			return cfg, err
		}
	}
	if cfg.To.After(a.cfg.Now()) {
		return cfg, fault.InvalidField("to", "is in the future; the present is /api/v1/live")
	}
	if p.has(replaySpeed) {
		if cfg.Speed, err = p.number(replaySpeed); err != nil {
			return cfg, err
		}
	}
	if p.has(replayStep) {
		seconds, err := readCount("step", p.values[replayStep], 1)
		if err != nil {
			return cfg, err
		}
		cfg.Step = time.Duration(min(seconds, 1<<20)) * time.Second
	}
	return cfg, nil
}
