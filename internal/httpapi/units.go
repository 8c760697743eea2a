package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/table"
)

// unitAnswer is a unit with its number in frames, and its grids by their codes.
type unitAnswer struct {
	ID patrol.UnitID `json:"id"`
	patrol.Unit
	Grids []string `json:"grids"`
}

func (s *sight) unitAnswer(u *patrol.Unit) unitAnswer {
	out := unitAnswer{ID: u.ID, Unit: *u, Grids: make([]string, len(u.Grids))}
	for i, id := range u.Grids {
		out.Grids[i] = s.gridCode(id)
	}
	if !s.names() {
		out.Name = ""
	}
	return out
}

// gridCode is the code of a grid in force; of one that is no longer, its ID.
func (s *sight) gridCode(id grid.ID) string {
	if g, ok := s.grids.Grid(id); ok {
		return g.Code
	}
	return strconv.FormatUint(uint64(id), 10)
}

var unitsParams = []string{"street", "team", "retired"}

// listUnits answers GET /api/v1/units.
func (a *API) listUnits(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, unitsParams)
	if err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	street, err := s.only(&p, 0)
	if err != nil {
		return err
	}
	retired, err := p.flag(2)
	if err != nil {
		return err
	}
	team, byTeam := p.values[1], p.has(1)
	key := fmt.Sprintf("units %s %t %q %q %t %t", s.caller.Jurisdiction, s.names(), street, team, byTeam, retired)
	a.rolls.of(s, key, func() any {
		units := make([]unitAnswer, 0, len(s.staff.Units()))
		for i := range s.staff.Units() {
			u := &s.staff.Units()[i]
			if s.covers(u) && (street == "" || u.Street == street) && (!byTeam || u.Team == team) && (retired || u.Retired.IsZero()) {
				units = append(units, s.unitAnswer(u))
			}
		}
		return struct {
			Revision int64        `json:"revision"`
			Units    []unitAnswer `json:"units"`
		}{s.staff.Revision(), units}
	}).serve(c, noCachePrivate)
	return nil
}

// unitPage is what the caller may know about one unit: who it is, how it is
// just now, when it is on duty, which devices report for it.
type unitPage struct {
	Unit    unitAnswer     `json:"unit"`
	State   *stateAnswer   `json:"state,omitempty"` // none where patrols are not followed
	Shifts  []shiftAnswer  `json:"shifts,omitempty"`
	Devices []deviceAnswer `json:"devices,omitempty"`
}

// stateAnswer is how a unit is at a moment; what is not known is left out.
type stateAnswer struct {
	Presence  string     `json:"presence"`
	At        time.Time  `json:"at,omitzero"` // of the last fix
	Received  time.Time  `json:"received,omitzero"`
	Position  *orb.Point `json:"position,omitempty"`
	AccuracyM float32    `json:"accuracy_m,omitempty"`
	SpeedMPS  *float32   `json:"speed_mps,omitempty"`
	Heading   *float32   `json:"heading_deg,omitempty"`
	Battery   *int8      `json:"battery_pct,omitempty"`
	Source    string     `json:"source,omitempty"`
	Raw       *gridName  `json:"raw,omitempty"`
	Grid      *gridName  `json:"grid,omitempty"`
	Since     time.Time  `json:"since,omitzero"` // in Grid
	SOS       bool       `json:"sos"`
	Datum     bool       `json:"suspect_datum"`
}

func (s *sight) stateAnswer(st *patrol.State) *stateAnswer {
	out := &stateAnswer{Presence: st.Presence.String(), SOS: st.SOS, Datum: st.Datum}
	f := &st.Last
	if f.At == 0 {
		return out
	}
	p := f.Pos.Point()
	out.At, out.Received, out.Position, out.AccuracyM, out.Source = inZone(f.At), inZone(f.Received), &p, f.AccuracyM, f.Source.String()
	out.SpeedMPS, out.Heading, out.Battery = known(f.SpeedMPS), known(f.HeadingDeg), known(f.BatteryPct)
	out.Raw, out.Grid = s.gridName(st.Raw), s.gridName(st.Grid)
	if st.Since != 0 {
		out.Since = inZone(st.Since)
	}
	return out
}

// known is v, or nil for what is negative.
func known[T float32 | int8](v T) *T {
	if v < 0 {
		return nil
	}
	return &v
}

// gridName is a grid in force, or nil.
func (s *sight) gridName(id grid.ID) *gridName {
	g, ok := s.grids.Grid(id)
	if !ok {
		return nil
	}
	return &gridName{id, g.Code, g.Name}
}

// inZone is an instant of Unix milliseconds as people here read it.
func inZone(ms int64) time.Time { return time.UnixMilli(ms).In(grid.Zone) }

// Shifts of a unit's page reach this far around now.
const (
	shiftsBefore = 24 * time.Hour
	shiftsAfter  = 7 * 24 * time.Hour
)

// showUnit answers GET /api/v1/units/{unit}.
func (a *API) showUnit(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	u, err := s.unit(c.Param("unit"))
	if err != nil {
		return err
	}
	now := a.cfg.Now()
	page := unitPage{Unit: s.unitAnswer(u)}
	if t := a.cfg.Tracker; t != nil {
		state, err := t.State(u.ID, now)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		page.State = s.stateAnswer(&state)
	}
	if a.may(s.caller, auth.ReadTracks) || a.may(s.caller, auth.ManagePatrols) {
		page.Shifts = s.shiftsOf(u, now.Add(-shiftsBefore), now.Add(shiftsAfter))
	}
	if a.may(s.caller, auth.ManageDevices) {
		if page.Devices, err = a.devicesOf(c, u); err != nil {
			return err
		}
	}
	return writeValue(c, http.StatusOK, page)
}

// rolls are the documents made of one revision of the roll, which many ask for
// whenever it changes. What holds none of the last is forgotten.
type rolls struct {
	mu         sync.Mutex
	revision   int64
	generation int
	documents  map[string]func() *document
}

// maxRolls bounds the documents that are kept.
const maxRolls = 256

func (r *rolls) of(s *sight, key string, make_ func() any) *document {
	r.mu.Lock()
	if r.documents == nil || r.revision != s.staff.Revision() || r.generation != s.grids.Number() || len(r.documents) >= maxRolls {
		r.revision, r.generation, r.documents = s.staff.Revision(), s.grids.Number(), make(map[string]func() *document)
	}
	f := r.documents[key]
	if f == nil {
		f = sync.OnceValue(func() *document {
			body, err := json.Marshal(make_())
			if err != nil {
				panic(err) // plain structs
			}
			return newDocument(jsonType[0], append(body, '\n'))
		})
		r.documents[key] = f
	}
	r.mu.Unlock()
	return f()
}

// unitForm is what is said about a unit; what is not said stays.
type unitForm struct {
	Code    string       `json:"code"`
	Name    *string      `json:"name"`
	Kind    *patrol.Kind `json:"kind"`
	Team    *string      `json:"team"`
	Street  *string      `json:"street"`
	Grids   *[]string    `json:"grids"`
	Duty    *patrol.Duty `json:"duty"`
	Retired *bool        `json:"retired"`
}

func (f *unitForm) apply(u *patrol.Unit, grids *grid.Generation, now time.Time) error {
	set(&u.Name, f.Name)
	set(&u.Kind, f.Kind)
	set(&u.Team, f.Team)
	set(&u.Street, f.Street)
	set(&u.Duty, f.Duty)
	switch {
	case f.Retired == nil:
	case !*f.Retired:
		u.Retired = time.Time{}
	case u.Retired.IsZero():
		u.Retired = now.UTC().Truncate(time.Millisecond)
	}
	if f.Grids == nil {
		return nil
	}
	old := u.Grids
	u.Grids = make([]grid.ID, 0, len(*f.Grids))
	for _, code := range *f.Grids {
		id, err := assignable(grids, code, old)
		if err != nil {
			return err
		}
		u.Grids = append(u.Grids, id)
	}
	return nil
}

// assignable is the grid that code names: one in force by its code or, among
// those assigned already, one by its ID that is in force no longer.
func assignable(grids *grid.Generation, code string, old []grid.ID) (grid.ID, error) {
	if g, ok := grids.GridByCode(code); ok {
		return g.ID, nil
	}
	if id, err := strconv.ParseUint(code, 10, 32); err == nil && slices.Contains(old, grid.ID(id)) {
		return grid.ID(id), nil
	}
	return 0, fault.InvalidField("grids", "there is no grid %q", clipText(code))
}

// createUnit answers POST /api/v1/units.
func (a *API) createUnit(c *gin.Context) error {
	var in unitForm
	if err := readJSON(c, &in); err != nil {
		return err
	}
	c.Writer.Header().Set("Location", "/api/v1/units/"+url.PathEscape(in.Code))
	return a.updateUnit(c, http.StatusCreated, in.Code, &in, func(u *patrol.Unit) error {
		if u.ID != 0 {
			return fault.New(fault.Conflict, "there is a unit %s already", clipText(in.Code))
		}
		return nil
	})
}

// changeUnit answers PATCH /api/v1/units/{unit}.
func (a *API) changeUnit(c *gin.Context) error {
	var in unitForm
	if err := readJSON(c, &in); err != nil {
		return err
	}
	code := c.Param("unit")
	if in.Code != "" && in.Code != code {
		return fault.InvalidField("code", "does not change; make another unit")
	}
	return a.updateUnit(c, http.StatusOK, code, &in, func(u *patrol.Unit) error {
		if u.ID == 0 {
			return fault.New(fault.NotFound, "there is no unit %q", clipText(code))
		}
		return nil
	})
}

func (a *API) updateUnit(c *gin.Context, status int, code string, in *unitForm, check func(*patrol.Unit) error) error {
	s, err := a.see(c)
	if err != nil {
		return err
	}
	done, err := a.cfg.Patrols.UpdateUnits(c.Request.Context(), s.editor(), []string{code}, func(_ int, u *patrol.Unit) error {
		if err := check(u); err != nil {
			return err
		}
		return in.apply(u, s.grids, a.cfg.Now())
	})
	if err != nil {
		return err
	}
	return writeValue(c, status, s.unitAnswer(&done[0]))
}

// The columns of a file of units.
const (
	unitCode = iota
	unitName
	unitKind
	unitTeam
	unitStreet
	unitGrids
	unitDuty
)

var unitColumns = []table.SheetColumn{
	unitCode:   {Names: []string{"code", "编号", "单位编号"}, Required: true},
	unitName:   {Names: []string{"name", "姓名", "名称"}},
	unitKind:   {Names: []string{"kind", "类别"}},
	unitTeam:   {Names: []string{"team", "队伍", "队伍编号"}},
	unitStreet: {Names: []string{"street", "街镇", "街镇编号"}},
	unitGrids:  {Names: []string{"grids", "网格", "责任网格"}},
	unitDuty:   {Names: []string{"duty", "值勤"}},
}

var (
	kindsByWord = map[string]patrol.Kind{"": patrol.GridPatrol, "网格巡防": patrol.GridPatrol, "机动巡防": patrol.MobilePatrol, "车辆": patrol.Vehicle}
	dutyByWord  = map[string]patrol.Duty{"": patrol.ByRoster, "按排班": patrol.ByRoster, "全天": patrol.Always, "全天在岗": patrol.Always}
)

// imported is what a file of units did.
type imported struct {
	Created  int   `json:"created"`
	Changed  int   `json:"changed"`
	Same     int   `json:"same"`
	Revision int64 `json:"revision"`
}

// importUnits answers POST /api/v1/units/import: a CSV, entered whole or not
// at all. What it has no column for stays as it is.
func (a *API) importUnits(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	sheet, err := a.readSheet(c, unitColumns)
	if err != nil {
		return err
	}
	codes := make([]string, len(sheet.Rows))
	for i := range sheet.Rows {
		codes[i] = sheet.Text(&sheet.Rows[i], unitCode)
	}
	var sum imported
	_, err = a.cfg.Patrols.UpdateUnits(c.Request.Context(), s.editor(), codes, func(i int, u *patrol.Unit) error {
		if i == 0 {
			sum = imported{} // a transaction may be tried again
		}
		before := *u
		if err := s.fromSheet(sheet, &sheet.Rows[i], u); err != nil {
			return err
		}
		switch {
		case u.ID == 0:
			sum.Created++
		case before.Name == u.Name && before.Kind == u.Kind && before.Team == u.Team && before.Street == u.Street && before.Duty == u.Duty &&
			slices.Equal(before.Grids, sorted(u.Grids)):
			sum.Same++
		default:
			sum.Changed++
		}
		return nil
	})
	if err != nil {
		return tellRows(sheet, err)
	}
	sum.Revision = a.cfg.Patrols.Revision()
	return writeValue(c, http.StatusOK, sum)
}

func sorted(ids []grid.ID) []grid.ID { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// fromSheet makes u what the row says.
func (s *sight) fromSheet(sheet *table.Sheet, row *table.SheetRow, u *patrol.Unit) error {
	var in unitForm
	text := func(i int) *string {
		if !sheet.Has(i) {
			return nil
		}
		v := sheet.Text(row, i)
		return &v
	}
	in.Name, in.Team, in.Street = text(unitName), text(unitTeam), text(unitStreet)
	if in.Street != nil {
		*in.Street = s.streetCode(*in.Street)
	}
	if v := text(unitKind); v != nil {
		in.Kind = worded(kindsByWord, *v)
	}
	if v := text(unitDuty); v != nil {
		in.Duty = worded(dutyByWord, *v)
	}
	if v := text(unitGrids); v != nil {
		codes := strings.FieldsFunc(*v, func(r rune) bool { return strings.ContainsRune(" ;、,，；", r) })
		in.Grids = &codes
	}
	return in.apply(u, s.grids, time.Time{})
}

// worded is what a word stands for, or the word itself.
func worded[T ~string](words map[string]T, word string) *T {
	v, ok := words[word]
	if !ok {
		v = T(word)
	}
	return &v
}

// streetCode is the code of the street of that name; what is no name stays.
func (s *sight) streetCode(name string) string {
	for _, street := range s.grids.Streets() {
		if street.Name == name {
			return street.Code
		}
	}
	return name
}

// listTeams answers GET /api/v1/teams.
func (a *API) listTeams(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	a.rolls.of(s, "teams "+s.caller.Jurisdiction.String(), func() any {
		teams := []patrol.Team{}
		for _, t := range s.staff.Teams() {
			if s.coversTeam(&t) {
				teams = append(teams, t)
			}
		}
		return map[string][]patrol.Team{"teams": teams}
	}).serve(c, noCachePrivate)
	return nil
}

// coversTeam reports whether the caller may know a team: its street's, and
// whoever has one of its units.
func (s *sight) coversTeam(t *patrol.Team) bool {
	if s.caller.Jurisdiction.Covers(auth.Place{Street: t.Street}) {
		return true
	}
	return slices.ContainsFunc(s.staff.Units(), func(u patrol.Unit) bool { return u.Team == t.Code && s.covers(&u) })
}

var teamColumns = []table.SheetColumn{
	{Names: []string{"code", "编号", "队伍编号"}, Required: true},
	{Names: []string{"name", "名称", "队伍"}, Required: true},
	{Names: []string{"street", "街镇", "街镇编号"}, Required: true},
}

// enterTeam answers POST /api/v1/teams: one team as JSON, or several as CSV.
// A team of a code that there is already gets the name and street that are
// said.
func (a *API) enterTeam(c *gin.Context) error {
	s, err := a.see(c)
	if err != nil {
		return err
	}
	var sheet *table.Sheet
	var teams []patrol.Team
	if isJSON(c.Request) {
		teams = make([]patrol.Team, 1)
		err = readJSON(c, &teams[0])
	} else {
		sheet, teams, err = a.readTeams(c, s)
	}
	if err != nil {
		return err
	}
	if err := a.cfg.Patrols.EnterTeams(c.Request.Context(), s.editor(), teams); err != nil {
		return tellRows(sheet, err)
	}
	return writeValue(c, http.StatusOK, map[string][]patrol.Team{"teams": teams})
}

func (a *API) readTeams(c *gin.Context, s *sight) (*table.Sheet, []patrol.Team, error) {
	sheet, err := a.readSheet(c, teamColumns)
	if err != nil {
		return nil, nil, err
	}
	teams := make([]patrol.Team, len(sheet.Rows))
	for i := range sheet.Rows {
		row := &sheet.Rows[i]
		teams[i] = patrol.Team{Code: sheet.Text(row, 0), Name: sheet.Text(row, 1), Street: s.streetCode(sheet.Text(row, 2))}
	}
	return sheet, teams, nil
}
