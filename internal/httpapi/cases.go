package httpapi

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// positionForm is where a case is, in WGS-84 degrees.
type positionForm struct {
	Lon       *float64 `json:"lon"`
	Lat       *float64 `json:"lat"`
	AccuracyM float64  `json:"accuracy_m"`
	Address   string   `json:"address"`
}

func (p *positionForm) position() (*casework.Position, error) {
	if p == nil {
		return nil, nil
	}
	if p.Lon == nil || p.Lat == nil {
		return nil, fault.InvalidField("position", "needs lon and lat")
	}
	at := orb.Point{*p.Lon, *p.Lat}
	if _, err := geo.Quantise(at); err != nil {
		return nil, err
	}
	if p.AccuracyM < 0 || p.AccuracyM > maxCaseAccuracyM {
		return nil, fault.InvalidField("accuracy_m", "%v is not between 0 and %d m", p.AccuracyM, maxCaseAccuracyM)
	}
	return &casework.Position{At: at, AccuracyM: p.AccuracyM, Address: p.Address}, checkTexts([]string{p.Address})
}

const (
	maxCaseAccuracyM = 1000
	maxCaseText      = 4000 // bytes
	maxEvidence      = 20
)

// checkTexts is Invalid for a text that no person wrote.
func checkTexts(texts []string) error {
	for _, s := range texts {
		if len(s) > maxCaseText {
			return fault.InvalidField("text", "longer than %d bytes", maxCaseText)
		}
	}
	return nil
}

func checkEvidence(names []string) error {
	if len(names) > maxEvidence {
		return fault.InvalidField("evidence", "more than %d", maxEvidence)
	}
	return checkTexts(names)
}

// caseForm is a case that comes in. Channel may be left out by those who have
// one alone; captured is now if not said.
type caseForm struct {
	Channel  casework.Channel   `json:"channel"`
	Captured time.Time          `json:"captured"`
	Text     string             `json:"text"`
	Item     string             `json:"item"`
	Position *positionForm      `json:"position"`
	Answer   grid.ID            `json:"answer"`
	Evidence []string           `json:"evidence"`
	Order    *orderForm         `json:"order"`
	Reporter *casework.Reporter `json:"reporter"`
}

type orderForm struct {
	Number string    `json:"number"`
	Days   int       `json:"days"`
	Issued time.Time `json:"issued"`
}

var usualChannel = map[casework.Role]casework.Channel{casework.Patrol: casework.ByPatrol, casework.Village: casework.ByVillage}

// openCase answers POST /api/v1/cases.
func (a *API) openCase(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f caseForm
	if err := readJSON(c, &f); err != nil {
		return err
	}
	in := casework.Arrival{By: actorsOf(callerOf(c)), Item: f.Item, Answer: f.Answer, Evidence: f.Evidence, Reporter: f.Reporter}
	if len(in.By) > 0 && f.Channel == "" {
		f.Channel = usualChannel[in.By[0].Role]
	}
	if f.Captured.IsZero() {
		f.Captured = a.cfg.Now()
	}
	in.Intake = casework.Intake{Channel: f.Channel, Captured: f.Captured, Text: f.Text}
	if o := f.Order; o != nil {
		in.Intake.Order = &casework.Order{Number: o.Number, Days: o.Days, Issued: o.Issued}
	}
	texts := []string{f.Text, f.Item}
	if f.Reporter != nil {
		texts = append(texts, f.Reporter.Name, f.Reporter.Contact)
	}
	if err := cmp.Or(checkTexts(texts), checkEvidence(f.Evidence)); err != nil {
		return err
	}
	if in.Position, err = f.Position.position(); err != nil {
		return err
	}
	out, err := d.Open(c.Request.Context(), in)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Location", "/api/v1/cases/"+strconv.FormatInt(out.Case.ID, 10))
	return writeValue(c, http.StatusCreated, struct {
		Case       casework.Case   `json:"case"`
		Dispatch   *dispatchAnswer `json:"dispatch,omitempty"`
		Duplicates []casework.Hint `json:"duplicates"`
	}{out.Case, dispatchOf(out.Outcome), orEmpty(out.Duplicates)})
}

// dispatchAnswer is to whom a case goes, and why, or between which grids
// somebody has to choose.
type dispatchAnswer struct {
	Assignment *casework.Assignment `json:"assignment,omitempty"`
	Candidates []casework.Candidate `json:"candidates,omitempty"`
}

func dispatchOf(o casework.Outcome) *dispatchAnswer {
	if o.Assignment == nil && len(o.Candidates) == 0 {
		return nil
	}
	return &dispatchAnswer{o.Assignment, o.Candidates}
}

// orEmpty is a list that JSON writes as [] when it is empty.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// dueAnswer is what is due next.
type dueAnswer struct {
	Clock casework.ClockName `json:"clock"`
	Stage string             `json:"stage,omitempty"`
	At    time.Time          `json:"at"`
	Late  bool               `json:"late"`
}

func dueOf(c *casework.Case, now time.Time) *dueAnswer {
	next, ok := c.Next()
	if !ok {
		return nil
	}
	return &dueAnswer{next.Clock, next.Stage, next.At.In(grid.Zone), now.After(next.At)}
}

// allowedAnswer is an action that the caller may take, with what it needs.
type allowedAnswer struct {
	Action   casework.Action `json:"action"`
	Name     string          `json:"name"`
	To       casework.State  `json:"to,omitempty"`
	As       casework.Role   `json:"as"`
	Needs    []casework.Need `json:"needs"`
	Standard string          `json:"standard"`
}

func allowedTo(c casework.Case, who []casework.Actor) []allowedAnswer {
	out := []allowedAnswer{}
	for _, w := range who {
		for _, t := range casework.Allowed(c, w) {
			if slices.ContainsFunc(out, func(o allowedAnswer) bool { return o.Action == t.Action }) {
				continue
			}
			out = append(out, allowedAnswer{t.Action, t.Name, t.To, w.Role, orEmpty(t.Needs), t.Standard})
		}
	}
	return out
}

// casePage is one case as one caller sees it.
type casePage struct {
	Case     casework.Case    `json:"case"`
	Next     *dueAnswer       `json:"next,omitempty"`
	History  []casework.Entry `json:"history"`
	Allowed  []allowedAnswer  `json:"allowed"`
	Dispatch *dispatchAnswer  `json:"dispatch,omitempty"` // before it is dispatched: to whom it would go
	Viewing  []string         `json:"viewing"`            // who else looks at it
}

// showCase answers GET /api/v1/cases/{id}.
func (a *API) showCase(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	d, r, err := a.caseOf(c)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, a.casePage(c, d, r))
}

func (a *API) casePage(c *gin.Context, d *casework.Desk, r *casework.Record) casePage {
	page := casePage{Case: r.Case, Next: dueOf(&r.Case, a.cfg.Now()), History: r.Entries, Allowed: allowedTo(r.Case, actorsOf(callerOf(c))),
		Viewing: a.cases.presence.who(r.Case.ID, callerOf(c).Name)}
	switch r.Case.State {
	case casework.Reported, casework.ToVerify, casework.Accepted, casework.Filed:
		if out, err := d.Explain(&r.Case); err == nil { // or it has no item or place yet
			page.Dispatch = dispatchOf(out)
		}
	}
	return page
}

// showReporter answers GET /api/v1/cases/{id}/reporter; the audit chain says
// who asked.
func (a *API) showReporter(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	d, r, err := a.caseOf(c)
	if err != nil {
		return err
	}
	who, err := d.Reporter(c.Request.Context(), r.Case.ID, actorsOf(callerOf(c)))
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, who)
}

// deedForm is what comes with an action. Seq is that of the case as the caller
// has seen it.
type deedForm struct {
	Seq       int           `json:"seq"`
	Text      string        `json:"text"`
	Evidence  []string      `json:"evidence"`
	Writing   string        `json:"writing"`
	Item      string        `json:"item"`
	Position  *positionForm `json:"position"`
	Answer    grid.ID       `json:"answer"`
	Lead      string        `json:"lead"`
	Review    time.Time     `json:"review"`
	ReplyBy   time.Time     `json:"reply_by"`
	Extra     time.Duration `json:"extra_ns"`
	Kind      string        `json:"kind"`
	Stage     string        `json:"stage"`
	Template  string        `json:"template"`
	Joining   []string      `json:"joining"`
	Duplicate int64         `json:"duplicate_of"`
}

// deed is the action that caller wants to take, but for the case.
func (f *deedForm) deed(caller auth.Caller, action casework.Action) (d casework.Deed, err error) {
	if err := cmp.Or(checkTexts([]string{f.Text, f.Writing}), checkEvidence(f.Evidence), checkEvidence(f.Joining)); err != nil {
		return d, err
	}
	d = casework.Deed{By: actorsOf(caller), Action: action, Answer: f.Answer, Lead: f.Lead, Template: f.Template, Joining: f.Joining,
		Input: casework.Input{Text: f.Text, Evidence: f.Evidence, Writing: f.Writing, Item: f.Item, Review: f.Review, ReplyBy: f.ReplyBy,
			Extra: f.Extra, Kind: f.Kind, Stage: f.Stage, Duplicate: f.Duplicate}}
	d.Position, err = f.Position.position()
	return d, err
}

// actOnCase answers POST /api/v1/cases/{id}/actions/{action}.
func (a *API) actOnCase(c *gin.Context) error {
	d, before, err := a.caseOf(c)
	if err != nil {
		return err
	}
	var f deedForm
	if err := readJSON(c, &f); err != nil {
		return err
	}
	deed, err := f.deed(callerOf(c), casework.Action(c.Param("action")))
	if err != nil {
		return err
	}
	deed.Case, deed.Seq = before.Case.ID, f.Seq
	after, err := d.Act(c.Request.Context(), deed)
	if err != nil {
		return err
	}
	after.Entries = append(before.Entries, after.Entries...)
	return writeValue(c, http.StatusOK, a.casePage(c, d, after))
}
