package httpapi

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
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

func (a *API) inspectorate() (*casework.Inspectorate, error) {
	if a.cfg.Inspections == nil {
		return nil, fault.New(fault.Unavailable, "inspections are not kept here")
	}
	return a.cfg.Inspections, nil
}

// planForm is an inspection that somebody orders. Without a seed the service
// makes one; as_of is ten seconds ago, if not said.
type planForm struct {
	Kind       casework.InspectionKind `json:"kind"`
	Title      string                  `json:"title"`
	Source     casework.Source         `json:"source"`
	From       time.Time               `json:"from"`
	To         time.Time               `json:"to"`
	Street     string                  `json:"street"`
	Grid       string                  `json:"grid"`
	Department string                  `json:"department"`
	Items      []string                `json:"items"`
	Major      string                  `json:"major"`
	Channel    casework.Channel        `json:"channel"`
	State      casework.State          `json:"state"`
	Overlay    string                  `json:"overlay"`
	Places     []spotForm              `json:"places"`
	Seed       string                  `json:"seed"`
	Size       int                     `json:"size"`
	AsOf       time.Time               `json:"as_of"`
	Due        time.Time               `json:"due"`
	Inspectors []string                `json:"inspectors"`
}

// spotForm is a place by a grid's code, a unit's code, or a position.
type spotForm struct {
	Name string   `json:"name"`
	Unit string   `json:"unit"`
	Grid string   `json:"grid"`
	Lon  *float64 `json:"lon"`
	Lat  *float64 `json:"lat"`
}

func (a *API) spot(f *spotForm) (casework.Spot, error) {
	s := casework.Spot{Name: f.Name, Unit: f.Unit, Grid: f.Grid}
	if (f.Lon == nil) != (f.Lat == nil) {
		return s, fault.InvalidField("places", "a position needs lon and lat")
	}
	if f.Lon != nil {
		at := orb.Point{*f.Lon, *f.Lat}
		if _, err := geo.Quantise(at); err != nil {
			return s, err
		}
		s.At = &at
	}
	if f.Unit != "" {
		if a.cfg.Patrols == nil {
			return s, fault.New(fault.Unavailable, "patrols are not kept here")
		}
		u, ok := a.cfg.Patrols.UnitByCode(f.Unit)
		if !ok {
			return s, fault.InvalidField("places", "there is no unit %q", clipText(f.Unit))
		}
		s.Street, s.Name = u.Street, cmp.Or(s.Name, u.Name)
	}
	return s, checkTexts([]string{f.Name})
}

// plan is what f asks for, within the caller's jurisdiction.
func (a *API) plan(c *gin.Context, f *planForm) (casework.Plan, error) {
	p := casework.Plan{Kind: f.Kind, Title: f.Title, Seed: f.Seed, Size: f.Size, Due: f.Due, Inspectors: f.Inspectors,
		Scope: casework.Scope{Source: f.Source, From: f.From, To: f.To, State: f.State, Filter: casework.Filter{Street: f.Street, Grid: f.Grid,
			Department: f.Department, Items: f.Items, Major: f.Major, Channel: f.Channel}}}
	s := &p.Scope
	if err := narrow(callerOf(c).Jurisdiction, &s.Street, &s.Grid, &s.Department); err != nil {
		return p, err
	}
	var err error
	if f.Overlay != "" {
		if s.Overlay, err = casework.ParseOverlay(f.Overlay); err != nil {
			return p, err
		}
	}
	for i := range f.Places {
		one, err := a.spot(&f.Places[i])
		if err != nil {
			return p, err
		}
		p.Places = append(p.Places, one)
	}
	if p.Seed == "" && s.Source != casework.FromNames {
		p.Seed = newSeed()
	}
	if err := a.known(s); err != nil {
		return p, err
	}
	return p, a.checkInspectors(c, s, p.Inspectors)
}

func newSeed() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// known is Invalid for a street or grid that there is not: nothing would be
// drawn, and nobody would know why.
func (a *API) known(s *casework.Scope) error {
	gen, ok := a.cfg.Atlas.Current()
	if !ok {
		return fault.New(fault.Unavailable, "no boundaries are in force yet")
	}
	if _, ok := gen.Street(s.Street); s.Street != "" && !ok {
		return fault.InvalidField("street", "there is no street %q", clipText(s.Street))
	}
	if _, ok := gen.GridByCode(s.Grid); s.Grid != "" && !ok && !s.OfCases() {
		return fault.InvalidField("grid", "there is no grid %q", clipText(s.Grid))
	}
	return nil
}

// inspectorsOf are the accounts that may inspect what lies in a scope.
func (a *API) inspectorsOf(c *gin.Context, s *casework.Scope) ([]auth.Account, error) {
	all, err := a.cfg.Gate.Accounts(c.Request.Context(), auth.Operator("inspections"))
	if err != nil {
		return nil, err
	}
	own := auth.WholeDistrict
	switch {
	case s.Grid != "":
		own = auth.Jurisdiction{Level: auth.Village, Code: s.Grid}
	case s.Street != "":
		own = auth.Jurisdiction{Level: auth.Street, Code: s.Street}
	}
	return slices.DeleteFunc(all, func(acc auth.Account) bool {
		return acc.Disabled || acc.Role != auth.Inspector || !own.Within(acc.Jurisdiction)
	}), nil
}

func (a *API) checkInspectors(c *gin.Context, s *casework.Scope, logins []string) error {
	if len(logins) == 0 {
		return nil
	}
	may, err := a.inspectorsOf(c, s)
	if err != nil {
		return err
	}
	for i, login := range logins {
		if !slices.ContainsFunc(may, func(acc auth.Account) bool { return acc.Login == login }) || slices.Contains(logins[:i], login) {
			return fault.InvalidField("inspectors", "%q is no inspector of the whole of this, or is there twice", clipText(login))
		}
	}
	return nil
}

// orderer is the capacity in which the caller orders and ends inspections.
func orderer(c *gin.Context) (casework.Actor, error) {
	who := actorsOf(callerOf(c))
	for _, role := range []casework.Role{casework.Inspector, casework.DeputyDirector} {
		if i := slices.IndexFunc(who, func(w casework.Actor) bool { return w.Role == role }); i >= 0 {
			return who[i], nil
		}
	}
	return casework.Actor{}, fault.New(fault.Denied, "inspections are ordered by inspectors and deputy directors")
}

var orderInspectionParams = []string{"dry_run"}

// drawingAnswer is a drawing with its seed: all that it takes to do it again.
type drawingAnswer struct {
	casework.Drawing
	Seed string `json:"seed,omitempty"`
}

// orderInspection answers POST /api/v1/inspections; with dry_run=1, what would
// be drawn from.
func (a *API) orderInspection(c *gin.Context) error {
	o, err := a.inspectorate()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, orderInspectionParams)
	if err != nil {
		return err
	}
	dry, err := p.flag(0)
	if err != nil {
		return err
	}
	var f planForm
	if err := readJSON(c, &f); err != nil {
		return err
	}
	by, err := orderer(c)
	if err != nil {
		return err
	}
	plan, err := a.plan(c, &f)
	if err != nil {
		return err
	}
	if dry {
		d, err := o.Preview(c.Request.Context(), plan, f.AsOf)
		if err != nil {
			return err
		}
		return writeValue(c, http.StatusOK, drawingAnswer{d, plan.Seed})
	}
	in, err := o.Order(c.Request.Context(), by, plan, f.AsOf)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Location", "/api/v1/inspections/"+strconv.FormatInt(in.ID, 10))
	return writeValue(c, http.StatusCreated, a.inspectionPage(c, &in))
}

var inspectionsParams = []string{"state", "kind", "mine", "after", "limit"}

const (
	inspectionsState = iota
	inspectionsKind
	inspectionsMine
	inspectionsAfter
	inspectionsLimit
)

const (
	defaultInspections = 50
	maxInspections     = 200
)

// listInspections answers GET /api/v1/inspections, the newest first. Who
// orders none sees those that are finished, as far as they are about him.
func (a *API) listInspections(c *gin.Context) error {
	o, err := a.inspectorate()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, inspectionsParams)
	if err != nil {
		return err
	}
	caller := callerOf(c)
	q := casework.InspectionSearch{State: casework.InspectionState(p.values[inspectionsState]), Kind: casework.InspectionKind(p.values[inspectionsKind]),
		Finished: !caller.Role.May(auth.OrderInspections)}
	if q.State != "" && !slices.Contains(casework.InspectionStates, q.State) {
		return fault.InvalidField("state", "%.40q is none", string(q.State))
	}
	if err := narrow(caller.Jurisdiction, &q.Street, &q.Grid, &q.Department); err != nil {
		return err
	}
	mine, err := p.flag(inspectionsMine)
	if err != nil {
		return err
	}
	if mine {
		q.Inspector = caller.Name
	}
	if q.Limit, err = p.limit(inspectionsLimit, defaultInspections, maxInspections); err != nil {
		return err
	}
	if p.has(inspectionsAfter) {
		n, err := readCount("after", p.values[inspectionsAfter], 1)
		if err != nil {
			return err
		}
		q.Before = int64(n)
	}
	limit := q.Limit
	q.Limit++
	heads, err := o.Inspections(c.Request.Context(), q)
	if err != nil {
		return err
	}
	more := len(heads) > limit
	if more {
		heads = heads[:limit]
	}
	return writeValue(c, http.StatusOK, struct {
		AsOf        time.Time                 `json:"as_of"`
		Inspections []casework.InspectionHead `json:"inspections"`
		More        bool                      `json:"more"`
	}{a.cfg.Now().In(grid.Zone), orEmpty(heads), more})
}

// seesItem reports whether an item is the caller's business.
func seesItem(j auth.Jurisdiction) func(*casework.InspectionItem) bool {
	return func(i *casework.InspectionItem) bool {
		return j.Covers(auth.Place{Street: i.Street, Grid: i.Grid, Department: i.Department.Code})
	}
}

// inspectionOf is the inspection that the path names, when it is the caller's
// business: he orders such, and it is of his jurisdiction; or it is finished,
// and has items that are. Another's is NotFound as if there were none.
func (a *API) inspectionOf(c *gin.Context) (*casework.Inspectorate, *casework.Inspection, error) {
	o, err := a.inspectorate()
	if err != nil {
		return nil, nil, err
	}
	none := fault.New(fault.NotFound, "there is no inspection %q", clipText(c.Param("id")))
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id < 1 {
		return nil, nil, none
	}
	in, err := o.Inspection(c.Request.Context(), id)
	if err != nil {
		return nil, nil, err
	}
	caller, s := callerOf(c), &in.Plan.Scope
	orders := caller.Role.May(auth.OrderInspections) && caller.Jurisdiction.Covers(auth.Place{Street: s.Street, Grid: s.Grid})
	if !orders && (in.State != casework.Finished || !slices.ContainsFunc(in.Items, func(i casework.InspectionItem) bool { return seesItem(caller.Jurisdiction)(&i) })) {
		return nil, nil, none
	}
	return o, &in, nil
}

// showInspection answers GET /api/v1/inspections/{id}.
func (a *API) showInspection(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	_, in, err := a.inspectionOf(c)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, a.inspectionPage(c, in))
}

// verifyInspection answers GET /api/v1/inspections/{id}/verify: the drawing
// done again, from what is kept now.
func (a *API) verifyInspection(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	o, in, err := a.inspectionOf(c)
	if err != nil {
		return err
	}
	v, err := o.Verify(c.Request.Context(), in)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, v)
}

// assignInspection answers POST /api/v1/inspections/{id}/assign.
func (a *API) assignInspection(c *gin.Context) error {
	return a.changeInspection(c, func(o *casework.Inspectorate, in *casework.Inspection, by casework.Actor) (casework.Inspection, error) {
		var f struct {
			Inspectors []string `json:"inspectors"`
		}
		if err := readJSON(c, &f); err != nil {
			return *in, err
		}
		if err := a.checkInspectors(c, &in.Plan.Scope, f.Inspectors); err != nil {
			return *in, err
		}
		return o.Assign(c.Request.Context(), in.ID, by, f.Inspectors)
	})
}

// finishInspection answers POST /api/v1/inspections/{id}/finish.
func (a *API) finishInspection(c *gin.Context) error {
	return a.changeInspection(c, func(o *casework.Inspectorate, in *casework.Inspection, by casework.Actor) (casework.Inspection, error) {
		var f struct {
			Text string `json:"text"`
		}
		if err := readJSON(c, &f); err != nil {
			return *in, err
		}
		if err := checkTexts([]string{f.Text}); err != nil {
			return *in, err
		}
		return o.Finish(c.Request.Context(), in.ID, by, f.Text)
	})
}

func (a *API) changeInspection(c *gin.Context, change func(*casework.Inspectorate, *casework.Inspection, casework.Actor) (casework.Inspection, error)) error {
	o, in, err := a.inspectionOf(c)
	if err != nil {
		return err
	}
	by, err := orderer(c)
	if err != nil {
		return err
	}
	after, err := change(o, in, by)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, a.inspectionPage(c, &after))
}

// inspectorAnswer is an account that inspections may be given to.
type inspectorAnswer struct {
	Login        string            `json:"login"`
	Name         string            `json:"name"`
	Jurisdiction auth.Jurisdiction `json:"jurisdiction"`
}

var inspectorsParams = []string{"street", "grid"}

// listInspectors answers GET /api/v1/inspectors: who may inspect the whole of
// a street, a grid, or the caller's jurisdiction.
func (a *API) listInspectors(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, inspectorsParams)
	if err != nil {
		return err
	}
	s, department := casework.Scope{Filter: casework.Filter{Street: p.values[0], Grid: p.values[1]}}, ""
	if err := narrow(callerOf(c).Jurisdiction, &s.Street, &s.Grid, &department); err != nil {
		return err
	}
	may, err := a.inspectorsOf(c, &s)
	if err != nil {
		return err
	}
	out := make([]inspectorAnswer, 0, len(may))
	for _, acc := range may {
		out = append(out, inspectorAnswer{acc.Login, acc.Name, acc.Jurisdiction})
	}
	return writeValue(c, http.StatusOK, struct {
		Inspectors []inspectorAnswer `json:"inspectors"`
	}{out})
}

const maxWatched = 500

// watchedLine is a case on the watch list, and when it is looked at again.
type watchedLine struct {
	caseLine
	WatchOn time.Time `json:"watch_on"`
}

// listWatched answers GET /api/v1/watchlist: the caller's cases on the watch
// list, open and closed, by when they are looked at again.
func (a *API) listWatched(c *gin.Context) error {
	o, err := a.inspectorate()
	if err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	caller := callerOf(c)
	var street, gridCode, department string
	if err := narrow(caller.Jurisdiction, &street, &gridCode, &department); err != nil {
		return err
	}
	cases, err := o.WatchList(c.Request.Context(), street, gridCode, maxWatched)
	if err != nil {
		return err
	}
	lines, who := []watchedLine{}, actorsOf(caller)
	for i := range cases {
		if coversCase(caller.Jurisdiction, &cases[i]) {
			lines = append(lines, watchedLine{a.caseLine(&cases[i], who), cases[i].WatchOn.In(grid.Zone)})
		}
	}
	return writeValue(c, http.StatusOK, struct {
		AsOf  time.Time     `json:"as_of"`
		Cases []watchedLine `json:"cases"`
	}{a.cfg.Now().In(grid.Zone), lines})
}
