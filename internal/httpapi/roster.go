package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/table"
)

// shiftAnswer is one shift. Times are as people here read them.
type shiftAnswer struct {
	Unit string      `json:"unit"` // code
	Post patrol.Post `json:"post"`
	From time.Time   `json:"from"`
	To   time.Time   `json:"to"`
}

// gapAnswer is a time at which a street's emergency post is not manned.
type gapAnswer struct {
	Street string    `json:"street"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

func gapAnswers(gaps []patrol.Gap) []gapAnswer {
	out := make([]gapAnswer, len(gaps))
	for i, g := range gaps {
		out[i] = gapAnswer{g.Street, g.From.In(grid.Zone), g.To.In(grid.Zone)}
	}
	return out
}

var rosterParams = []string{"from", "to", "street"}

// maxRoster is the longest roster that one request shows.
const maxRoster = 62 * 24 * time.Hour

// showRoster answers GET /api/v1/roster: the shifts that have a moment in
// [from, to), the week that now is in if not said, and when no emergency post
// is manned.
func (a *API) showRoster(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, rosterParams)
	if err != nil {
		return err
	}
	from := weekOf(a.cfg.Now())
	from, to, err := p.span(0, 1, from, from.AddDate(0, 0, 7), maxRoster)
	if err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	street, err := s.only(&p, 2)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("roster %s %q %d %d", s.caller.Jurisdiction, street, from.UnixMilli(), to.UnixMilli())
	a.rolls.of(s, key, func() any {
		shifts := []shiftAnswer{}
		for i := range s.staff.Units() {
			u := &s.staff.Units()[i]
			if !s.covers(u) || street != "" && u.Street != street {
				continue
			}
			for _, sh := range s.staff.Shifts(u.ID, from, to) {
				shifts = append(shifts, shiftAnswer{u.Code, sh.Post, sh.From.In(grid.Zone), sh.To.In(grid.Zone)})
			}
		}
		gaps := s.staff.Gaps(from, to, func(of string) bool {
			return (street == "" || of == street) && s.caller.Jurisdiction.Covers(auth.Place{Street: of})
		})
		return struct {
			Revision int64         `json:"revision"`
			From     time.Time     `json:"from"`
			To       time.Time     `json:"to"`
			Shifts   []shiftAnswer `json:"shifts"`
			Gaps     []gapAnswer   `json:"gaps"`
		}{s.staff.Revision(), from.In(grid.Zone), to.In(grid.Zone), shifts, gapAnswers(gaps)}
	}).serve(c, noCachePrivate)
	return nil
}

// weekOf is the Monday, midnight in Shanghai, of the week of t.
func weekOf(t time.Time) time.Time {
	t = t.In(grid.Zone)
	return time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, grid.Zone)
}

// span is the time [from, to) that parameters i and j say, or the one given,
// at most most long.
func (p *params) span(i, j int, from, to time.Time, most time.Duration) (time.Time, time.Time, error) {
	var err error
	if p.has(i) {
		if from, err = readInstant(p.names[i], p.values[i]); err != nil {
			return from, to, err
		}
	}
	if p.has(j) {
		if to, err = readInstant(p.names[j], p.values[j]); err != nil {
			return from, to, err
		}
	}
	switch {
	case !from.Before(to):
		return from, to, fault.InvalidField(p.names[j], "not after %s", p.names[i])
	case to.Sub(from) > most:
		return from, to, fault.InvalidField(p.names[j], "more than %d days after %s", most/(24*time.Hour), p.names[i])
	}
	return from, to, nil
}

// The columns of a file of shifts.
const (
	shiftUnit = iota
	shiftPost
	shiftDate
	shiftFrom
	shiftTo
)

var shiftColumns = []table.SheetColumn{
	shiftUnit: {Names: []string{"unit", "单位", "编号", "单位编号"}, Required: true},
	shiftPost: {Names: []string{"post", "岗位"}},
	shiftDate: {Names: []string{"date", "日期"}},
	shiftFrom: {Names: []string{"from", "开始", "开始时间"}, Required: true},
	shiftTo:   {Names: []string{"to", "结束", "结束时间"}, Required: true},
}

var postsByWord = map[string]patrol.Post{"": patrol.PatrolPost, "巡逻": patrol.PatrolPost, "应急": patrol.EmergencyPost, "应急值守": patrol.EmergencyPost}

var importRosterParams = []string{"gaps"}

// importRoster answers POST /api/v1/roster: a CSV, entered whole or not at
// all. It takes the place of those shifts of its units that begin within its
// time. An emergency post that it leaves unmanned is refused, told as gaps,
// unless gaps=1 lets that pass.
func (a *API) importRoster(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, importRosterParams)
	if err != nil {
		return err
	}
	withGaps, err := p.flag(0)
	if err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	sheet, err := a.readSheet(c, shiftColumns)
	if err != nil {
		return err
	}
	shifts := s.shiftsFrom(sheet)
	if err := sheet.Err(); err != nil {
		return err
	}
	if err := a.cfg.Patrols.EnterShifts(c.Request.Context(), s.editor(), shifts, withGaps); err != nil {
		return tellRows(sheet, err)
	}
	first, last := shifts[0].From, shifts[0].To
	for _, sh := range shifts {
		if sh.From.Before(first) {
			first = sh.From
		}
		if sh.To.After(last) {
			last = sh.To
		}
	}
	return writeValue(c, http.StatusOK, struct {
		Entered  int       `json:"entered"`
		From     time.Time `json:"from"`
		To       time.Time `json:"to"`
		Revision int64     `json:"revision"`
	}{len(shifts), first.In(grid.Zone), last.In(grid.Zone), a.cfg.Patrols.Revision()})
}

// shiftsFrom reads the rows, and refuses in the sheet what it cannot read.
func (s *sight) shiftsFrom(sheet *table.Sheet) []patrol.Shift {
	shifts := make([]patrol.Shift, len(sheet.Rows))
	for i := range sheet.Rows {
		row := &sheet.Rows[i]
		sh := &shifts[i]
		if code := sheet.Text(row, shiftUnit); code != "" {
			u, err := s.unit(code)
			if err != nil {
				sheet.Refuse(row, shiftUnit, "there is no such unit")
			} else {
				sh.Unit = u.ID
			}
		}
		sh.Post = *worded(postsByWord, sheet.Text(row, shiftPost))
		if sh.Post != patrol.PatrolPost && sh.Post != patrol.EmergencyPost {
			sheet.Refuse(row, shiftPost, "neither %s nor %s", patrol.PatrolPost, patrol.EmergencyPost)
		}
		readShiftTimes(sheet, row, sh)
	}
	return shifts
}

// readShiftTimes reads from and to: instants, or times of the day that date
// names; a time that is not after from is one of the next day.
func readShiftTimes(sheet *table.Sheet, row *table.SheetRow, sh *patrol.Shift) {
	from, to := sheet.Text(row, shiftFrom), sheet.Text(row, shiftTo)
	if from == "" || to == "" {
		return // refused already
	}
	day := sheet.Text(row, shiftDate)
	var ok bool
	if sh.From, ok = sheetTime(day, from); !ok {
		sheet.Refuse(row, shiftFrom, "not a time such as 2026-03-02 08:00, or 08:00 beside a date")
		return
	}
	if sh.To, ok = sheetTime(day, to); !ok {
		sheet.Refuse(row, shiftTo, "not a time such as 2026-03-02 16:00, or 16:00 beside a date")
		return
	}
	if day != "" && !sh.To.After(sh.From) {
		sh.To = sh.To.AddDate(0, 0, 1)
	}
}

// The years of a roster; another is a slip of the pen.
const firstRosterYear, lastRosterYear = 2000, 2999

// sheetForms are how spreadsheets and people write instants.
var sheetForms = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-1-2 15:04:05", "2006-1-2 15:04", "2006-01-02T15:04"}

func sheetTime(day, text string) (time.Time, bool) {
	text = strings.ReplaceAll(text, "/", "-")
	if day != "" {
		if text == "24:00" {
			t, ok := sheetTime(day, "00:00")
			return t.AddDate(0, 0, 1), ok
		}
		text = strings.ReplaceAll(day, "/", "-") + " " + text
	}
	for _, form := range sheetForms {
		if t, err := time.ParseInLocation(form, text, grid.Zone); err == nil && t.UTC().Year() >= firstRosterYear && t.UTC().Year() <= lastRosterYear {
			return t, true
		}
	}
	return time.Time{}, false
}

// shiftsOf are the shifts of u within [from, to), for an answer about it.
func (s *sight) shiftsOf(u *patrol.Unit, from, to time.Time) []shiftAnswer {
	shifts := s.staff.Shifts(u.ID, from, to)
	out := make([]shiftAnswer, 0, len(shifts))
	for _, sh := range shifts {
		out = append(out, shiftAnswer{u.Code, sh.Post, sh.From.In(grid.Zone), sh.To.In(grid.Zone)})
	}
	return slices.Clip(out)
}
