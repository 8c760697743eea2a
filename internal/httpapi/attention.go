package httpapi

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/attention"
	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/heat"
	"lianqin/internal/patrol"
)

const (
	// mostMatters is how many of the matters are told; all are counted.
	mostMatters = 100
	// mattersAge is how long what was found serves: a wall asks every few
	// seconds, and so does every other.
	mattersAge = 2 * time.Second
	// owedFor is how long a grid is in debt, and silentFor how long a unit says
	// nothing, before a person has to look: a shift begins with both.
	owedFor   = 30 * time.Minute
	silentFor = 15 * time.Minute
	// heardWithin is how far back it is looked for when somebody fell silent or
	// called for help.
	heardWithin = 24 * time.Hour
)

// matters are what was found last, of the whole district.
type matters struct {
	mu    sync.Mutex
	at    time.Time
	found []attention.Matter
	units []patrol.UnitID // of each; 0 where it is about no unit
}

// find is what is the matter, for the caller to choose from; it does not change
// any more.
func (m *matters) find(ctx context.Context, a *API, d *district) (time.Time, []attention.Matter, []patrol.UnitID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := a.cfg.Now()
	if age := now.Sub(m.at); !m.at.IsZero() && age >= 0 && age < mattersAge {
		return m.at, m.found, m.units, nil
	}
	s := search{a: a, gen: d.gen, now: now}
	if err := s.calls(ctx); err != nil {
		return now, nil, nil, err
	}
	s.owed()
	if err := s.cases(); err != nil {
		return now, nil, nil, err
	}
	if err := s.rising(ctx); err != nil {
		return now, nil, nil, err
	}
	m.at, m.found, m.units = now, s.found, s.units
	return now, s.found, s.units, nil
}

// search gathers what is the matter at now.
type search struct {
	a     *API
	gen   *grid.Generation
	now   time.Time
	found []attention.Matter
	units []patrol.UnitID
}

func (s *search) add(m attention.Matter, unit patrol.UnitID) {
	s.found, s.units = append(s.found, m), append(s.units, unit)
}

// calls finds units that call for help or have fallen silent.
func (s *search) calls(ctx context.Context) error {
	cfg := &s.a.cfg
	if cfg.Tracker == nil || cfg.Patrols == nil || cfg.Tracks == nil {
		return nil
	}
	states := slices.DeleteFunc(cfg.Tracker.States(s.now, nil), func(st patrol.State) bool { return !st.SOS && st.Presence != patrol.Silent })
	if len(states) == 0 {
		return nil
	}
	since := make(map[patrol.UnitID]map[patrol.EventKind]time.Time)
	err := cfg.Tracks.Events(ctx, patrol.EventQuery{Kinds: []patrol.EventKind{patrol.CalledHelp, patrol.WentSilent}, From: s.now.Add(-heardWithin), To: s.now.Add(time.Second)},
		func(e patrol.Event) error {
			if since[e.Unit] == nil {
				since[e.Unit] = make(map[patrol.EventKind]time.Time)
			}
			since[e.Unit][e.Kind] = e.At // the last of a kind comes last
			return nil
		})
	if err != nil {
		return err
	}
	staff := cfg.Patrols.Staff()
	for _, st := range states {
		kind, at := attention.Silent, since[st.Unit][patrol.WentSilent]
		if st.SOS {
			kind, at = attention.CalledHelp, since[st.Unit][patrol.CalledHelp]
		}
		u, ok := staff.Unit(st.Unit)
		if !ok || at.IsZero() || kind == attention.Silent && s.now.Sub(at) < silentFor-patrol.SilentAfter {
			continue
		}
		where := st.Last.Pos.Point()
		m := attention.Matter{Kind: kind, Subject: u.Code, Street: u.Street, Since: at, Where: &where, Urgent: kind == attention.CalledHelp}
		if g, ok := s.gen.Grid(st.Grid); ok {
			m.Grid = g.Code
		}
		s.add(m, u.ID)
	}
	return nil
}

// owed finds grids that have gone without a visit for too long.
func (s *search) owed() {
	if s.a.cfg.Tracker == nil {
		return
	}
	at, covers := s.a.coverages.of(s.a.cfg.Tracker, s.now)
	for i := range covers {
		c := &covers[i]
		g, ok := s.gen.Grid(c.Grid)
		if !ok || c.Debt < owedFor {
			continue
		}
		where := g.Label
		s.add(attention.Matter{Kind: attention.Uncovered, Subject: g.Code, Name: g.Name, Street: g.Street, Grid: g.Code, Where: &where,
			Since: at.Add(-c.Debt), Amount: c.Debt.Minutes()}, 0)
	}
}

// cases finds what is late, about to be, and to be looked at again.
func (s *search) cases() error {
	d := s.a.cfg.Desk
	if d == nil {
		return nil
	}
	due, _, err := d.Index(casework.Search{DueTo: s.now.Add(casework.NearLimit)})
	if err != nil {
		return err
	}
	for _, k := range due {
		at := time.UnixMilli(k.Due)
		m := s.caseMatter(d, k, attention.Lapsing, at.Add(-casework.NearLimit))
		if at.Before(s.now) {
			m.Kind, m.Since = attention.Overdue, at
		}
		m.Due = at.In(grid.Zone)
		s.add(m, 0)
	}
	again, _, err := d.Index(casework.Search{Owed: casework.OwesReview, AsOf: s.now.Add(-casework.ReviewAhead)})
	if err != nil {
		return err
	}
	for _, k := range again {
		s.add(s.caseMatter(d, k, attention.Review, time.UnixMilli(k.Review)), 0)
	}
	return nil
}

// rising finds where cases rise, worked out once an hour. While others have it
// worked out, nothing rises.
func (s *search) rising(ctx context.Context) error {
	h := s.a.cfg.Heat
	if h == nil {
		return nil
	}
	h.cover(s.gen)
	k, err := h.rising.of(ctx, h.index, *usualRising(heat.Query{States: notVoid()}, s.now), s.now)
	if fault.KindOf(err) == fault.Unavailable && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	for _, c := range k.found {
		where := c.Center
		m := attention.Matter{Kind: attention.Rising, Subject: c.Grid, Grid: c.Grid, Where: &where,
			Since:  c.Since.Truncate(24 * time.Hour), // or it would be another every hour
			Amount: float64(c.Observed), Usual: math.Round(c.Expected*10) / 10}
		if g, ok := s.gen.GridByCode(c.Grid); ok {
			m.Name, m.Street = g.Name, g.Street
		}
		s.add(m, 0)
	}
	return nil
}

func (s *search) caseMatter(d *casework.Desk, k *casework.Kept, kind attention.Kind, since time.Time) attention.Matter {
	m := attention.Matter{Kind: kind, Subject: strconv.FormatInt(k.Case, 10), Name: s.itemName(d, k.Item), Street: k.Street, Grid: k.Grid, Since: since,
		Urgent: k.Emergency || k.Overlays.Has(casework.Supervised)}
	if k.Placed {
		where := k.At.Point()
		m.Where = &where
	}
	return m
}

func (s *search) itemName(d *casework.Desk, code string) string {
	c, err := d.Procedure().Catalogues.At(s.now)
	if err != nil {
		return ""
	}
	item, err := c.Item(code)
	if err != nil {
		return ""
	}
	return item.Name
}

// matterAnswer is a matter with the name to take it on by.
type matterAnswer struct {
	ID string `json:"id"`
	attention.Matter
}

// showAttention answers GET /api/v1/attention: what needs a person now, of what
// is the caller's, the most pressing first.
func (a *API) showAttention(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	at, found, err := a.attentionOf(c)
	if err != nil {
		return err
	}
	counts := make(map[attention.Kind]int)
	list := make([]matterAnswer, 0, min(len(found), mostMatters))
	for i := range found {
		counts[found[i].Kind]++
		if len(list) < mostMatters {
			m := found[i]
			m.Since = m.Since.In(grid.Zone)
			list = append(list, matterAnswer{m.ID(), m})
		}
	}
	return writeValue(c, http.StatusOK, struct {
		At      time.Time              `json:"at"`
		Counts  map[attention.Kind]int `json:"counts"`
		Matters []matterAnswer         `json:"matters"`
	}{at.In(grid.Zone), counts, list})
}

// attentionOf are the caller's matters, ranked.
func (a *API) attentionOf(c *gin.Context) (time.Time, []attention.Matter, error) {
	if a.cfg.Attention == nil {
		return time.Time{}, nil, fault.New(fault.Unavailable, "nobody watches here what needs a person")
	}
	d, err := a.inForce()
	if err != nil {
		return time.Time{}, nil, err
	}
	at, all, units, err := a.matters.find(c.Request.Context(), a, d)
	if err != nil {
		return at, nil, err
	}
	caller := callerOf(c)
	var s *sight
	if a.cfg.Patrols != nil {
		s = sightOf(caller, a.cfg.Patrols.Staff(), d.gen)
	}
	own := make([]attention.Matter, 0, len(all))
	for i := range all {
		m := &all[i]
		switch {
		case units[i] != 0:
			if s == nil || s.code(units[i]) == "" {
				continue
			}
		case !caller.Jurisdiction.Covers(auth.Place{Street: m.Street, Grid: m.Grid}):
			continue
		}
		own = append(own, *m)
	}
	return at, own, attention.Mark(c.Request.Context(), a.cfg.Attention, own, at)
}

// takeMatter answers PUT /api/v1/attention/{matter}: the caller takes it on. Who
// was first has it.
func (a *API) takeMatter(c *gin.Context) error {
	if _, err := a.matterOf(c); err != nil {
		return err
	}
	seen, err := a.cfg.Attention.See(c.Request.Context(), c.Param("matter"), attention.Seen{By: callerOf(c).Name, At: a.cfg.Now().UTC()})
	if err != nil {
		return err
	}
	seen.At = seen.At.In(grid.Zone)
	return writeValue(c, http.StatusOK, seen)
}

// giveMatter answers DELETE /api/v1/attention/{matter}: it is nobody's again.
func (a *API) giveMatter(c *gin.Context) error {
	if _, err := a.matterOf(c); err != nil {
		return err
	}
	if err := a.cfg.Attention.Unsee(c.Request.Context(), c.Param("matter")); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

// matterOf is the caller's matter that the path names; NotFound for what is over,
// or another's.
func (a *API) matterOf(c *gin.Context) (*attention.Matter, error) {
	id := c.Param("matter")
	if _, _, _, err := attention.ParseID(id); err != nil {
		return nil, err
	}
	_, own, err := a.attentionOf(c)
	if err != nil {
		return nil, err
	}
	for i := range own {
		if own[i].ID() == id {
			return &own[i], nil
		}
	}
	return nil, fault.New(fault.NotFound, "%s is not the matter any more", strconv.Quote(clipText(id)))
}
