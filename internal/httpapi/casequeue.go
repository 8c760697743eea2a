package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var casesParams = []string{"street", "grid", "department", "centre", "state", "closed", "overlay", "item", "channel", "party", "due", "q", "order", "after", "limit", "ids"}

const (
	casesStreet = iota
	casesGrid
	casesDepartment
	casesCentre
	casesState
	casesClosed
	casesOverlay
	casesItem
	casesChannel
	casesParty
	casesDue
	casesWords
	casesOrder
	casesAfter
	casesLimit
	casesIDs
)

const defaultCases = 50

// caseSearch reads what of the caller's cases the query asks for.
func (a *API) caseSearch(c *gin.Context, names []string) (*casework.Search, *params, error) {
	return a.caseSearchOf(c.Request.URL.RawQuery, callerOf(c).Jurisdiction, names)
}

// caseSearchOf reads what of j's cases a raw query asks for.
func (a *API) caseSearchOf(raw string, j auth.Jurisdiction, names []string) (*casework.Search, *params, error) {
	p, err := readParams(raw, names)
	if err != nil {
		return nil, nil, err
	}
	q := &casework.Search{Street: p.values[casesStreet], Grid: p.values[casesGrid], Department: p.values[casesDepartment],
		State: casework.State(p.values[casesState]), Item: p.values[casesItem], Channel: casework.Channel(p.values[casesChannel])}
	if err := narrow(j, &q.Street, &q.Grid, &q.Department); err != nil {
		return nil, nil, err
	}
	if p.has(casesCentre) {
		centre := p.values[casesCentre]
		if centre == string(auth.District) {
			centre = ""
		}
		q.Centre = &centre
	}
	if q.Closed, err = p.flag(casesClosed); err != nil {
		return nil, nil, err
	}
	if p.has(casesOverlay) {
		if q.Overlay, err = casework.ParseOverlay(p.values[casesOverlay]); err != nil {
			return nil, nil, err
		}
	}
	part, err := p.flag(casesParty)
	if err != nil {
		return nil, nil, err
	}
	if part {
		if q.Department == "" {
			return nil, nil, fault.InvalidField("department", "party=1 needs a department")
		}
		q.Party, q.Department = q.Department, ""
	}
	now := a.cfg.Now()
	switch p.values[casesDue] {
	case "":
	case "overdue":
		q.DueTo = now
	case "near":
		q.DueFrom, q.DueTo = now, now.Add(casework.NearLimit)
	case string(casework.OwesReview), string(casework.OwesOrder):
		q.Owed = casework.Owed(p.values[casesDue])
	default:
		return nil, nil, fault.InvalidField("due", "%.40q is not overdue, near, review or order", p.values[casesDue])
	}
	q.Words = p.values[casesWords]
	q.AsOf, q.Within = now, casework.NearLimit
	return q, &p, nil
}

// caseLine is a case in a queue.
type caseLine struct {
	ID       int64            `json:"id"`
	Seq      int              `json:"seq"`
	State    casework.State   `json:"state"`
	Overlays casework.Overlay `json:"overlays"`
	Channel  casework.Channel `json:"channel"`
	Item     string           `json:"item,omitempty"`
	Key      bool             `json:"xiaolianqin_key,omitempty"`
	Text     string           `json:"text,omitempty"`
	Received time.Time        `json:"received"`
	Place    casework.Place   `json:"place"`
	Centre   string           `json:"centre,omitempty"`
	Lead     grid.Department  `json:"lead,omitzero"`
	Order    *casework.Order  `json:"order,omitempty"`
	Next     *dueAnswer       `json:"next,omitempty"`
	Allowed  []string         `json:"allowed"` // actions
}

func (a *API) caseLine(c *casework.Case, who []casework.Actor) caseLine {
	line := caseLine{ID: c.ID, Seq: c.Seq, State: c.State, Overlays: c.Overlays, Channel: c.Channel, Item: c.Item, Key: c.Class.Key, Text: c.Text,
		Received: c.Received.In(grid.Zone), Place: c.Place, Centre: c.Centre, Lead: c.Cycle.Lead, Order: c.Order, Next: dueOf(c, a.cfg.Now()), Allowed: []string{}}
	for _, t := range allowedTo(*c, who) {
		line.Allowed = append(line.Allowed, string(t.Action))
	}
	return line
}

// maxIDs is how many cases are asked for by number at once.
const maxIDs = 100

// searchIDs asks for cases by their numbers alone.
func searchIDs(p *params) (*casework.Search, error) {
	if p.given != 1<<casesIDs {
		return nil, fault.InvalidField("ids", "stands alone")
	}
	q := &casework.Search{IDs: []int64{}}
	for text := range strings.SplitSeq(p.values[casesIDs], ",") {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id < 1 {
			return nil, fault.InvalidField("ids", "%.40q is no number of a case", text)
		}
		if q.IDs = append(q.IDs, id); len(q.IDs) > maxIDs {
			return nil, fault.InvalidField("ids", "more than %d", maxIDs)
		}
	}
	return q, nil
}

// listCases answers GET /api/v1/cases: a page of a queue, what is due first.
func (a *API) listCases(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	q, p, err := a.caseSearch(c, casesParams)
	if err != nil {
		return err
	}
	if q.Limit, err = p.limit(casesLimit, defaultCases, casework.MostFound); err != nil {
		return err
	}
	if q.After, err = casework.ParseCursor(p.values[casesAfter]); err != nil {
		return err
	}
	q.Order = p.values[casesOrder]
	if p.has(casesIDs) {
		if q, err = searchIDs(p); err != nil {
			return err
		}
	}
	found, err := d.Find(c.Request.Context(), *q)
	if err != nil {
		return err
	}
	j, who := callerOf(c).Jurisdiction, actorsOf(callerOf(c))
	lines := make([]caseLine, 0, len(found.Records))
	for i := range found.Records {
		if k := &found.Records[i].Case; coversCase(j, k) { // an order's number reaches everywhere
			lines = append(lines, a.caseLine(k, who))
		}
	}
	next := ""
	if found.More {
		next = casework.CursorOf(&found.Records[len(found.Records)-1].Case).String()
	}
	return writeValue(c, http.StatusOK, struct {
		Cases []caseLine `json:"cases"`
		After string     `json:"after,omitempty"` // of the next page
	}{lines, next})
}

var countsParams = casesParams[:casesDue]

type stateCount struct {
	State   casework.State `json:"state"`
	Cases   int            `json:"cases"`
	Overdue int            `json:"overdue"`
	Near    int            `json:"near"`
}

// countCases answers GET /api/v1/cases/counts.
func (a *API) countCases(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	q, _, err := a.caseSearch(c, countsParams)
	if err != nil {
		return err
	}
	q.Count = true
	found, err := d.Find(c.Request.Context(), *q)
	if err != nil {
		return err
	}
	states, overlays := []stateCount{}, map[string]int{}
	all := stateCount{}
	for _, n := range found.Counts {
		i := slices.IndexFunc(states, func(s stateCount) bool { return s.State == n.State })
		if i < 0 {
			i, states = len(states), append(states, stateCount{State: n.State})
		}
		for _, s := range []*stateCount{&states[i], &all} {
			s.Cases, s.Overdue, s.Near = s.Cases+n.N, s.Overdue+n.Overdue, s.Near+n.Near
		}
		for _, name := range n.Overlays.Names() {
			overlays[name] += n.N
		}
	}
	return writeValue(c, http.StatusOK, struct {
		AsOf     time.Time      `json:"as_of"`
		Cases    int            `json:"cases"`
		Overdue  int            `json:"overdue"`
		Near     int            `json:"near"`
		States   []stateCount   `json:"states"`
		Overlays map[string]int `json:"overlays"`
	}{q.AsOf.In(grid.Zone), all.Cases, all.Overdue, all.Near, states, overlays})
}
