package demo

import (
	"time"

	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// A unit's roster repeats every ten days: four day shifts, two evenings, a
// night, three days off. So four tenths of a street are on duty by day, two in
// the evening and one at night, and each works 39 hours a week.
const rosterDays = 10

var cycle = [rosterDays]turn{byDay, byDay, byDay, byDay, evening, evening, night, off, off, off}

type turn uint8

const (
	off turn = iota
	byDay
	evening
	night
)

// starts are the hours at which the turns begin; each lasts turnHours, so that
// the three make a whole day.
var starts = [...]int{byDay: 7, evening: 15, night: 23}

const turnHours = 8

// dayOf numbers the days of Asia/Shanghai.
func dayOf(t time.Time) int {
	_, offset := t.In(grid.Zone).Zone()
	seconds := t.Unix() + int64(offset)
	const day = 24 * 60 * 60
	if seconds < 0 {
		return int((seconds - day + 1) / day)
	}
	return int(seconds / day)
}

func startOf(day int) time.Time {
	return time.Date(1970, 1, 1, 0, 0, 0, 0, grid.Zone).AddDate(0, 0, day)
}

// on is the shift of unit i that begins on day, or false. Of each street's
// members who keep the same days one takes the emergency post, another every
// day, so that it is manned day and night wherever there are members enough
// for all ten days.
func (s *Staff) on(i, day int) (patrol.Shift, bool) {
	u := &s.Units[i]
	t := cycle[((day+s.phase[i])%rosterDays+rosterDays)%rosterDays]
	if t == off || u.Duty != patrol.ByRoster {
		return patrol.Shift{}, false
	}
	from := startOf(day).Add(time.Duration(starts[t]) * time.Hour)
	sh := patrol.Shift{Unit: u.ID, Post: patrol.PatrolPost, From: from, To: from.Add(turnHours * time.Hour)}
	if s.place[i] == day%s.peers[i] {
		sh.Post = patrol.EmergencyPost
	}
	return sh, true
}
