package demo

import (
	"strings"
	"time"

	"lianqin/internal/casework"
	"lianqin/internal/grid"
)

// climate is when and where cases happen: seasons, weekdays, holidays and
// hours, and how much happens in each grid.
type climate struct {
	from   time.Time
	days   map[*[12]int]odds
	hours  map[*[24]int]odds
	calls  odds // days of the hotline's
	urban  odds // places in Cases.grids
	rural  odds
	gridOf [2][]int

	// A station's exit opens in one grid eighteen days before the year ends,
	// and bicycles are left around it: something that rises.
	exit    int // place in Cases.grids
	opening int64
}

// newcomer is the item that rises: 非机动车乱停放.
const newcomer = "0708"

// Weights of the days of a week, from Sunday.
var (
	patrolDays = [7]int{72, 108, 106, 104, 104, 104, 86}
	callDays   = [7]int{44, 124, 116, 110, 108, 104, 58}
)

const (
	springFestival = 36 // of a hundred cases on other days
	holiday        = 72
)

func newClimate(c *Cases) *climate {
	k := &climate{from: c.from, days: map[*[12]int]odds{}, hours: map[*[24]int]odds{}}
	special := map[string]casework.Day{}
	for _, day := range c.opt.Procedure.Calendar.Days() {
		special[day.Date.Format(time.DateOnly)] = day
	}
	k.calls = k.daysOf(&evenly, &callDays, c.to, special)
	for _, t := range c.catalogue.Items() {
		p := profileOf(t.Code)
		if k.days[p.season] == nil {
			k.days[p.season] = k.daysOf(p.season, &patrolDays, c.to, special)
		}
		if k.hours[p.hours] == nil {
			k.hours[p.hours] = oddsOf(p.hours[:])
		}
	}
	k.hours[&inOffice] = oddsOf(inOffice[:])
	var weights [2][]int
	for i, g := range c.grids {
		of := 0
		if g.grid.Kind != grid.Urban {
			of = 1
		}
		k.gridOf[of], weights[of] = append(k.gridOf[of], i), append(weights[of], g.weight)
	}
	for of := range weights { // a district that has but one kind
		if len(weights[of]) == 0 {
			k.gridOf[of], weights[of] = k.gridOf[1-of], weights[1-of]
		}
	}
	k.urban, k.rural = oddsOf(weights[0]), oddsOf(weights[1])
	k.exit = k.gridOf[0][int(mix(c.opt.Seed, 71, uint64(c.from.Year()))>>1%uint64(len(k.gridOf[0])))]
	k.opening = c.to.AddDate(0, 0, -18).UnixMilli()
	return k
}

// daysOf are the odds of the days of the year.
func (k *climate) daysOf(season *[12]int, week *[7]int, to time.Time, special map[string]casework.Day) odds {
	var weights []int
	for day := k.from; day.Before(to); day = day.AddDate(0, 0, 1) {
		m, n := int(day.Month())-1, day.Day()-1
		w := (season[m]*(31-n) + season[(m+1)%12]*n) * 100
		switch s, ok := special[day.Format(time.DateOnly)]; {
		case !ok:
			w = w / 100 * week[day.Weekday()]
		case s.Kind == casework.WorkingWeekend:
			w = w / 100 * week[time.Wednesday]
		case strings.Contains(s.Name, "春节"):
			w = w / 100 * springFestival
		default:
			w = w / 100 * holiday
		}
		weights = append(weights, w)
	}
	return oddsOf(weights)
}

// where is the place of a grid, of which urban percent are urban ones.
func (k *climate) where(d *dice, urban int) int {
	if d.below(100) < urban {
		return k.gridOf[0][k.urban.draw(d)]
	}
	return k.gridOf[1][k.rural.draw(d)]
}

func (k *climate) when(d *dice, item string) int64 {
	p := profileOf(item)
	return k.at(d, k.days[p.season], k.hours[p.hours])
}

// whenCalled is when an order comes in.
func (k *climate) whenCalled(d *dice) int64 { return k.at(d, k.calls, k.hours[&inOffice]) }

func (k *climate) at(d *dice, days, hours odds) int64 {
	day := k.from.AddDate(0, 0, days.draw(d))
	return day.UnixMilli() + int64(hours.draw(d))*time.Hour.Milliseconds() + int64(d.below(int(time.Hour.Milliseconds())))
}
