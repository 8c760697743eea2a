package patrol

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Editor is who changes the roll: as the audit chain names them, and the
// streets that are their business. May is false for a street that there is
// not.
type Editor struct {
	Who, Role, Address string
	May                func(street string) bool
}

// RowError is what is wrong with one of the things that were to be entered
// together, by its place among them.
type RowError struct {
	Row int
	Err error // fault.FieldOf names the field
}

// RowErrors is everything that is wrong, in order of rows; its kind is that of
// the first. Nothing was entered.
type RowErrors []RowError

func (e RowErrors) Error() string {
	if len(e) == 1 {
		return e[0].Err.Error()
	}
	return fmt.Sprintf("row %d: %v (and %d more)", e[0].Row, e[0].Err, len(e)-1)
}

// Unwrap is the first error.
func (e RowErrors) Unwrap() error { return e[0].Err }

func (e *RowErrors) add(row int, err error) {
	if err != nil {
		*e = append(*e, RowError{row, err})
	}
}

func (e RowErrors) err() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b RowError) int { return cmp.Compare(a.Row, b.Row) })
	return e
}

const (
	maxCode = 64  // characters
	maxName = 128 // characters
	// MaxShift is the longest shift: an emergency post may take a whole day;
	// what is longer is a slip of the pen.
	MaxShift = 24 * time.Hour
)

// UpdateUnits lets change make what it wants of the units of those codes: the
// i-th as it is, or a new one with ID 0, kind GridPatrol and duty ByRoster.
// All are entered, or none. It returns them as they were entered.
//
// RowErrors say what is wrong: change's own errors; Invalid for a code, name,
// kind, duty or street that cannot be, a team that there is not or that is of
// another street, a code given twice; NotFound for a unit of a street that is
// not by's, and Denied for moving one there.
func (r *Registry) UpdateUnits(ctx context.Context, by Editor, codes []string, change func(i int, u *Unit) error) ([]Unit, error) {
	var out []Unit
	err := r.update(ctx, func(s *Staff) (*RollChange, error) {
		var wrong RowErrors
		c := &RollChange{}
		seen := make(map[string]bool, len(codes))
		for i, code := range codes {
			if seen[code] {
				wrong.add(i, fault.InvalidField("code", "%q is there twice", code))
				continue
			}
			seen[code] = true
			u, note, err := changedUnit(s, by, code, func(u *Unit) error { return change(i, u) })
			if err != nil {
				wrong.add(i, err)
				continue
			}
			c.Units = append(c.Units, u)
			c.Audit = append(c.Audit, note)
		}
		out = c.Units
		return c, wrong.err()
	})
	if err != nil {
		return nil, err
	}
	s := r.Staff()
	for i := range out { // new ones have IDs now
		if u, ok := s.UnitByCode(out[i].Code); ok {
			out[i].ID = u.ID
		}
	}
	return out, nil
}

func changedUnit(s *Staff, by Editor, code string, change func(*Unit) error) (Unit, Note, error) {
	u, action, before := Unit{Code: code, Kind: GridPatrol, Duty: ByRoster}, "unit.create", []byte(nil)
	if old, ok := s.UnitByCode(code); ok {
		if !by.May(old.Street) {
			return u, Note{}, fault.New(fault.NotFound, "there is no unit %q", code)
		}
		u, action, before = *old, "unit.change", unitJSON(old)
		u.Grids = slices.Clone(old.Grids)
	}
	wasRetired, id := !u.Retired.IsZero(), u.ID
	if err := change(&u); err != nil {
		return u, Note{}, err
	}
	u.ID, u.Code = id, code
	slices.Sort(u.Grids)
	u.Grids = slices.Compact(u.Grids)
	if err := checkUnit(s, by, &u); err != nil {
		return u, Note{}, err
	}
	if !u.Retired.IsZero() && !wasRetired && id != 0 {
		action = "unit.retire"
	}
	return u, by.note(action, code, before, unitJSON(&u)), nil
}

func checkUnit(s *Staff, by Editor, u *Unit) error {
	if err := checkText("code", u.Code, maxCode); err != nil {
		return err
	}
	if err := checkText("name", u.Name, maxName); err != nil {
		return err
	}
	switch {
	case !slices.Contains(Kinds, u.Kind):
		return fault.InvalidField("kind", "%q is not one of %v", u.Kind, Kinds)
	case u.Duty != ByRoster && u.Duty != Always:
		return fault.InvalidField("duty", "%q is neither %s nor %s", u.Duty, ByRoster, Always)
	case u.Street == "":
		return fault.InvalidField("street", "a unit is some street's business")
	case !by.May(u.Street):
		return &fault.Error{Kind: fault.Denied, Field: "street", Msg: fmt.Sprintf("street %q is not yours, or there is none", u.Street)}
	case slices.Contains(u.Grids, grid.None):
		return fault.InvalidField("grids", "grid 0 is none")
	}
	if u.Team == "" {
		return nil
	}
	team, ok := s.Team(u.Team)
	if !ok {
		return fault.InvalidField("team", "there is no team %q", u.Team)
	}
	if team.Street != u.Street {
		return fault.InvalidField("team", "team %q is of street %q, the unit of %q", u.Team, team.Street, u.Street)
	}
	return nil
}

// checkText is Invalid unless s is 1 to most characters that can be seen, and
// spaces within them.
func checkText(field, s string, most int) error {
	switch {
	case s == "":
		return fault.InvalidField(field, "empty")
	case utf8.RuneCountInString(s) > most:
		return fault.InvalidField(field, "longer than %d characters", most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fault.InvalidField(field, "%q has characters that cannot be printed", s)
	case strings.TrimSpace(s) != s:
		return fault.InvalidField(field, "%q begins or ends with a space", s)
	}
	return nil
}

// unitJSON is u for the audit chain, its grids included.
func unitJSON(u *Unit) []byte {
	return mustJSON(struct {
		*Unit
		Grids []grid.ID `json:"grids"`
	}{u, u.Grids})
}

// mustJSON is for structures of strings and numbers, which always encode.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (e Editor) note(action, subject string, before, after []byte) Note {
	return Note{Who: e.Who, Role: e.Role, Address: e.Address, Action: action, Subject: subject, Before: before, After: after}
}

// EnterTeams creates or changes teams by their codes: all or, with RowErrors,
// none. A team whose units are of its street stays in that street.
func (r *Registry) EnterTeams(ctx context.Context, by Editor, teams []Team) error {
	return r.update(ctx, func(s *Staff) (*RollChange, error) {
		var wrong RowErrors
		c := &RollChange{Teams: teams}
		seen := make(map[string]bool, len(teams))
		for i, t := range teams {
			if seen[t.Code] {
				wrong.add(i, fault.InvalidField("code", "%q is there twice", t.Code))
				continue
			}
			seen[t.Code] = true
			note, err := checkTeam(s, by, t)
			wrong.add(i, err)
			c.Audit = append(c.Audit, note)
		}
		return c, wrong.err()
	})
}

func checkTeam(s *Staff, by Editor, t Team) (Note, error) {
	if err := errors.Join(checkText("code", t.Code, maxCode), checkText("name", t.Name, maxName)); err != nil {
		return Note{}, err
	}
	if !by.May(t.Street) {
		return Note{}, &fault.Error{Kind: fault.Denied, Field: "street", Msg: fmt.Sprintf("street %q is not yours, or there is none", t.Street)}
	}
	old, ok := s.Team(t.Code)
	if !ok {
		return by.note("team.create", t.Code, nil, mustJSON(t)), nil
	}
	if !by.May(old.Street) {
		return Note{}, fault.New(fault.Conflict, "team %q is another street's", t.Code)
	}
	if old.Street != t.Street {
		if i := slices.IndexFunc(s.units, func(u Unit) bool { return u.Team == t.Code }); i >= 0 {
			return Note{}, fault.InvalidField("street", "team %q has units in street %q, such as %q", t.Code, old.Street, s.units[i].Code)
		}
	}
	return by.note("team.change", t.Code, mustJSON(old), mustJSON(t)), nil
}

// BindDevice enters or changes how a device reports. It is NotFound for a
// device or unit of a street that is not by's, and Invalid for a retired unit,
// an unknown datum, a terminal that is no number, or one that another device
// has. Whose business a gateway is, the caller answers for.
func (r *Registry) BindDevice(ctx context.Context, by Editor, d Device) error {
	datum, err := geo.ParseDatum(string(d.Datum))
	if err != nil {
		return err
	}
	d.Datum = datum
	d.Terminal = strings.TrimLeft(d.Terminal, "0")
	if strings.ContainsFunc(d.Terminal, func(c rune) bool { return c < '0' || c > '9' }) || len(d.Terminal) > 20 {
		return fault.InvalidField("terminal", "%q is not a number of at most 20 digits", d.Terminal)
	}
	return r.update(ctx, func(s *Staff) (*RollChange, error) {
		if d.Unit != 0 {
			u, ok := s.Unit(d.Unit)
			if !ok || !by.May(u.Street) {
				return nil, &fault.Error{Kind: fault.NotFound, Field: "unit", Msg: "there is no such unit"}
			}
			if !u.Retired.IsZero() {
				return nil, fault.InvalidField("unit", "%q is retired", u.Code)
			}
		}
		action, before := "device.bind", []byte(nil)
		if old, ok := s.Device(d.ID); ok {
			if u, ok := s.Unit(old.Unit); ok && !by.May(u.Street) {
				return nil, fault.New(fault.NotFound, "there is no device %q", d.ID)
			}
			before = s.deviceJSON(old)
		}
		if other, ok := s.Terminal(d.Terminal); ok && d.Terminal != "" && other.ID != d.ID {
			return nil, fault.InvalidField("terminal", "%s is another device's", d.Terminal)
		}
		return &RollChange{Devices: []Device{d}, Audit: []Note{by.note(action, d.ID, before, s.deviceJSON(&d))}}, nil
	})
}

func (s *Staff) deviceJSON(d *Device) []byte {
	code := ""
	if u, ok := s.Unit(d.Unit); ok {
		code = u.Code
	}
	return mustJSON(struct {
		*Device
		Unit string `json:"unit,omitempty"`
	}{d, code})
}

// GapError is an emergency roster that leaves times unmanned, all of them.
type GapError struct{ Gaps []Gap }

func (e *GapError) Error() string {
	var b strings.Builder
	b.WriteString("the emergency post is not manned")
	for i, g := range e.Gaps {
		if i == 20 {
			fmt.Fprintf(&b, " (and %d more)", len(e.Gaps)-i)
			break
		}
		fmt.Fprintf(&b, "; street %s from %s to %s", g.Street, g.From.In(grid.Zone).Format("2006-01-02 15:04"), g.To.In(grid.Zone).Format("2006-01-02 15:04"))
	}
	return b.String()
}

// Unwrap makes a GapError Invalid.
func (e *GapError) Unwrap() error { return fault.InvalidField("post", "%s", e.Error()) }

// EnterShifts enters the roster of the units that shifts are of: it replaces
// those of their shifts that begin between the first of shifts and the end of
// the last. All are entered, or none.
//
// RowErrors say what is wrong: NotFound for a unit that there is not or that
// is not by's business, Invalid for a shift that ends before it begins, is
// longer than MaxShift, goes beyond the unit's retirement, or overlaps another
// of its unit, here or entered before. A *GapError tells of every time at
// which, within the emergency posts that are entered and since those entered
// before them, a street's is not manned; withGaps lets that pass.
func (r *Registry) EnterShifts(ctx context.Context, by Editor, shifts []Shift, withGaps bool) error {
	if len(shifts) == 0 {
		return fault.New(fault.Invalid, "a roster of no shifts")
	}
	return r.update(ctx, func(s *Staff) (*RollChange, error) { return shiftChange(s, by, shifts, withGaps) })
}

func shiftChange(s *Staff, by Editor, shifts []Shift, withGaps bool) (*RollChange, error) {
	if err := checkShifts(s, by, shifts); err != nil {
		return nil, err
	}
	from, to := shifts[0].From, shifts[0].To
	units := make(map[UnitID]bool)
	for _, sh := range shifts {
		units[sh.Unit] = true
		if sh.From.Before(from) {
			from = sh.From
		}
		if sh.To.After(to) {
			to = sh.To
		}
	}
	goes := func(sh Shift) bool { return !sh.From.Before(from) && sh.From.Before(to) }
	next, c, err := s.reshift(by, units, shifts, goes)
	if err != nil || withGaps {
		return c, err
	}
	if gaps := next.newGaps(s, shifts); len(gaps) > 0 {
		return nil, &GapError{gaps}
	}
	return c, nil
}

// RemoveShifts takes out the shifts of a unit that begin in [from, to).
func (r *Registry) RemoveShifts(ctx context.Context, by Editor, unit UnitID, from, to time.Time) error {
	return r.update(ctx, func(s *Staff) (*RollChange, error) {
		u, ok := s.Unit(unit)
		if !ok || !by.May(u.Street) {
			return nil, fault.New(fault.NotFound, "there is no such unit")
		}
		goes := func(sh Shift) bool { return !sh.From.Before(from) && sh.From.Before(to) }
		_, c, err := s.reshift(by, map[UnitID]bool{unit: true}, nil, goes)
		return c, err
	})
}

func checkShifts(s *Staff, by Editor, shifts []Shift) error {
	var wrong RowErrors
	seen := make(map[Shift]bool, len(shifts))
	for i, sh := range shifts {
		if seen[sh.plain()] {
			wrong.add(i, fault.New(fault.Invalid, "the same shift is there twice"))
			continue
		}
		seen[sh.plain()] = true
		u, ok := s.Unit(sh.Unit)
		switch {
		case !ok || !by.May(u.Street):
			wrong.add(i, &fault.Error{Kind: fault.NotFound, Field: "unit", Msg: "there is no such unit"})
		case sh.Post != PatrolPost && sh.Post != EmergencyPost:
			wrong.add(i, fault.InvalidField("post", "%q is neither %s nor %s", sh.Post, PatrolPost, EmergencyPost))
		case !sh.From.Before(sh.To):
			wrong.add(i, fault.InvalidField("to", "the shift ends before it begins"))
		case sh.To.Sub(sh.From) > MaxShift:
			wrong.add(i, fault.InvalidField("to", "the shift is longer than %v", MaxShift))
		case !u.Retired.IsZero() && sh.To.After(u.Retired):
			wrong.add(i, fault.InvalidField("unit", "%q retired on %s", u.Code, u.Retired.In(grid.Zone).Format(time.DateOnly)))
		}
	}
	return wrong.err()
}

// reshift is s and the change that makes it, once the shifts of units that go
// have gone and shifts have come.
func (s *Staff) reshift(by Editor, units map[UnitID]bool, shifts []Shift, goes func(Shift) bool) (*Staff, *RollChange, error) {
	c := &RollChange{Shifts: shifts}
	next := *s
	next.duties = slices.Clone(s.duties)
	for i := range next.duties {
		next.duties[i].first, next.duties[i].last = 0, 0
	}
	all := slices.Clone(shifts)
	rows := make(map[Shift]int, len(shifts))
	for i, sh := range shifts {
		rows[sh.plain()] = i
	}
	before, after := make(map[UnitID][]Shift), make(map[UnitID][]Shift)
	for _, sh := range shifts {
		after[sh.Unit] = append(after[sh.Unit], sh)
	}
	for _, u := range s.units {
		for _, sh := range s.shifts(u.ID) {
			if units[u.ID] && goes(sh) {
				c.Replace = append(c.Replace, sh)
				before[u.ID] = append(before[u.ID], sh)
				continue
			}
			all = append(all, sh)
		}
	}
	if err := overlaps(all, units, rows); err != nil {
		return nil, nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(units)) {
		if u := &s.units[s.at[id]-1]; len(before[id])+len(after[id]) > 0 {
			c.Audit = append(c.Audit, by.note("roster.change", u.Code, shiftsJSON(before[id]), shiftsJSON(after[id])))
		}
	}
	return &next, c, next.schedule(all)
}

// plain is sh by its instants alone, whatever their zones.
func (sh Shift) plain() Shift {
	return Shift{sh.Unit, sh.Post, time.UnixMilli(sh.From.UnixMilli()).UTC(), time.UnixMilli(sh.To.UnixMilli()).UTC()}
}

func (s *Staff) shifts(unit UnitID) []Shift {
	d := s.duties[unit]
	out := make([]Shift, 0, d.last-d.first)
	for _, sp := range s.spans[d.first:d.last] {
		out = append(out, Shift{unit, sp.post, time.UnixMilli(sp.from).UTC(), time.UnixMilli(sp.to).UTC()})
	}
	return out
}

// overlaps are those of units, told of the row that came.
func overlaps(all []Shift, units map[UnitID]bool, rows map[Shift]int) error {
	slices.SortFunc(all, func(a, b Shift) int {
		return cmp.Or(cmp.Compare(a.Unit, b.Unit), a.From.Compare(b.From), a.To.Compare(b.To))
	})
	var wrong RowErrors
	say := func(sh, other Shift) {
		where := "entered before"
		row, ok := rows[sh.plain()]
		if i, both := rows[other.plain()]; both && ok {
			where = "entered with it"
			row = max(i, row)
		} else if both {
			row, other = i, sh
		}
		wrong.add(row, fault.InvalidField("from", "overlaps the shift from %s to %s %s",
			other.From.In(grid.Zone).Format("2006-01-02 15:04"), other.To.In(grid.Zone).Format("2006-01-02 15:04"), where))
	}
	var last Shift // that ends last of those so far
	for _, sh := range all {
		if !units[sh.Unit] {
			continue
		}
		if sh.Unit == last.Unit && sh.From.Before(last.To) {
			say(sh, last)
		}
		if sh.Unit != last.Unit || sh.To.After(last.To) {
			last = sh
		}
	}
	return wrong.err()
}

func shiftsJSON(shifts []Shift) []byte {
	if len(shifts) == 0 {
		return nil
	}
	type row struct {
		Post Post      `json:"post"`
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	}
	out := make([]row, len(shifts))
	for i, sh := range shifts {
		out[i] = row{sh.Post, sh.From.UTC(), sh.To.UTC()}
	}
	return mustJSON(out)
}

// newGaps are the gaps of s that shifts leave between their emergency posts,
// and after the last that old had before them within MaxShift.
func (s *Staff) newGaps(old *Staff, shifts []Shift) []Gap {
	type reach struct{ from, to time.Time }
	streets := make(map[string]reach)
	for _, sh := range shifts {
		if sh.Post != EmergencyPost {
			continue
		}
		u, _ := s.Unit(sh.Unit)
		r, ok := streets[u.Street]
		if !ok || sh.From.Before(r.from) {
			r.from = sh.From
		}
		if !ok || sh.To.After(r.to) {
			r.to = sh.To
		}
		streets[u.Street] = r
	}
	var gaps []Gap
	for street, r := range streets {
		only := func(other string) bool { return other == street }
		before := old.Gaps(r.from.Add(-MaxShift), r.from, only)
		from := r.from
		if n := len(before); n > 0 && before[n-1].To.Equal(r.from) && before[n-1].From.After(r.from.Add(-MaxShift)) {
			from = before[n-1].From
		}
		gaps = append(gaps, s.Gaps(from, r.to, only)...)
	}
	slices.SortFunc(gaps, func(a, b Gap) int { return cmp.Or(cmp.Compare(a.Street, b.Street), a.From.Compare(b.From)) })
	return gaps
}

// update enters what f makes of the roll as it is, and reads it again.
func (r *Registry) update(ctx context.Context, f func(*Staff) (*RollChange, error)) error {
	_, err := r.register.UpdateRoll(ctx, func(roll *Roll) (*RollChange, error) {
		s, err := NewStaff(roll)
		if err != nil {
			return nil, err
		}
		return f(s)
	})
	if err != nil {
		return err
	}
	return r.Reload(ctx)
}
