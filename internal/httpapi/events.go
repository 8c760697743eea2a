package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

var eventsParams = []string{"unit", "street", "kind", "from", "to", "retracted", "limit"}

const (
	eventsUnit = iota
	eventsStreet
	eventsKind
	eventsFrom
	eventsTo
	eventsRetracted
	eventsLimit
)

const (
	defaultEvents = 200
	maxEvents     = 2000
	maxEventsSpan = 31 * 24 * time.Hour
)

var eventKinds = []patrol.EventKind{patrol.Crossed, patrol.WentSilent, patrol.CameBack, patrol.CalledHelp, patrol.SuspectDatum}

// gridName is a grid by ID, code and name as it was by the borders that an
// event was made by.
type gridName struct {
	ID   grid.ID `json:"id"`
	Code string  `json:"code"`
	Name string  `json:"name"`
}

// eventAnswer is an event with the names of its unit and grids, and what it
// was concluded from.
type eventAnswer struct {
	ID         int64             `json:"id"`
	Unit       string            `json:"unit"` // code
	Kind       patrol.EventKind  `json:"kind"`
	At         time.Time         `json:"at"`
	Recorded   time.Time         `json:"recorded"`
	From       *gridName         `json:"from,omitempty"`
	To         *gridName         `json:"to,omitempty"`
	Generation int               `json:"generation,omitempty"`
	Rule       string            `json:"rule,omitempty"`
	Evidence   []patrol.Evidence `json:"evidence,omitempty"`
	Corrects   int64             `json:"corrects,omitempty"`
	Retracted  time.Time         `json:"retracted,omitzero"`
}

// listEvents answers GET /api/v1/events: the first of what happened in
// [from, to), the last day if not said, in order of time. More says that there
// are others after them.
func (a *API) listEvents(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, eventsParams)
	if err != nil {
		return err
	}
	now := a.cfg.Now()
	q := patrol.EventQuery{}
	if q.From, q.To, err = p.span(eventsFrom, eventsTo, now.AddDate(0, 0, -1), now, maxEventsSpan); err != nil {
		return err
	}
	if q.Retracted, err = p.flag(eventsRetracted); err != nil {
		return err
	}
	limit, err := p.limit(eventsLimit, defaultEvents, maxEvents)
	if err != nil {
		return err
	}
	if k := patrol.EventKind(p.values[eventsKind]); p.has(eventsKind) {
		if !slices.Contains(eventKinds, k) {
			return fault.InvalidField("kind", "%.40q is not one of %v", k, eventKinds)
		}
		q.Kinds = []patrol.EventKind{k}
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	street, err := s.only(&p, eventsStreet)
	if err != nil {
		return err
	}
	if p.has(eventsUnit) {
		u, err := s.unit(p.values[eventsUnit])
		if err != nil {
			return err
		}
		q.Unit = u.ID
		// The grids that one person crossed are that person's track, coarsely.
		if err := a.noteLook(c, "events.read", u.Code, map[string]any{"from": q.From.In(grid.Zone), "to": q.To.In(grid.Zone)}); err != nil {
			return err
		}
	}
	if a.cfg.Tracks == nil {
		return fault.New(fault.Unavailable, "events are not kept here")
	}
	events, more, err := a.events(c.Request.Context(), s, q, street, limit)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, struct {
		Events []eventAnswer `json:"events"`
		More   bool          `json:"more"`
	}{events, more})
}

// limit is parameter i as a count from 1 to most, or usual.
func (p *params) limit(i, usual, most int) (int, error) {
	if !p.has(i) {
		return usual, nil
	}
	n, err := readCount(p.names[i], p.values[i], 1)
	return min(n, most), err
}

func (a *API) events(ctx context.Context, s *sight, q patrol.EventQuery, street string, limit int) (out []eventAnswer, more bool, err error) {
	out = []eventAnswer{}
	names := gridNames{a: a, ctx: ctx, generations: make(map[int]*grid.Generation)}
	err = a.cfg.Tracks.Events(ctx, q, func(e patrol.Event) error {
		u, ok := s.staff.Unit(e.Unit)
		if !ok || !s.covers(u) || street != "" && u.Street != street {
			return nil
		}
		if len(out) == limit {
			more = true
			return patrol.ErrEnough
		}
		answer := eventAnswer{ID: e.ID, Unit: u.Code, Kind: e.Kind, At: e.At.In(grid.Zone), Recorded: e.Recorded.In(grid.Zone), Generation: e.Generation,
			Rule: e.Rule, Evidence: e.Evidence, Corrects: e.Corrects, Retracted: e.Retracted}
		if answer.From, err = names.of(e.Generation, e.From); err != nil {
			return err
		}
		if answer.To, err = names.of(e.Generation, e.To); err != nil {
			return err
		}
		out = append(out, answer)
		return nil
	})
	if errors.Is(err, patrol.ErrEnough) {
		err = nil
	}
	return out, more, err
}

// gridNames names grids as they were in their generations.
type gridNames struct {
	a           *API
	ctx         context.Context
	generations map[int]*grid.Generation
}

func (n *gridNames) of(generation int, id grid.ID) (*gridName, error) {
	if id == grid.None || generation == 0 {
		return nil, nil
	}
	g, ok := n.generations[generation]
	if !ok {
		var err error
		if g, err = n.a.cfg.Atlas.Generation(n.ctx, generation); err != nil {
			return nil, err
		}
		n.generations[generation] = g
	}
	if found, ok := g.Grid(id); ok {
		return &gridName{id, found.Code, found.Name}, nil
	}
	return &gridName{ID: id}, nil
}
