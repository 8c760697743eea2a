package httpapi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/heat"
)

// heatFilters are the parameters by which every count of cases is narrowed
// down; further ones come after them.
var heatFilters = []string{"street", "grid", "department", "item", "major", "channel", "state", "open", "urgent", "to", "from", "window"}

const (
	heatStreet = iota
	heatGrid
	heatDepartment
	heatItem
	heatMajor
	heatChannel
	heatState
	heatOpen
	heatUrgent
	heatTo
	heatFrom
	heatWindow
	heatMore // the first of the further ones
)

const (
	// usualWindow is the window where none is asked for.
	usualWindow = 24 * time.Hour
	// maxHeatWords bounds the words of one list.
	maxHeatWords = 200
)

// heatQuery reads which cases of what is the caller's are to be counted.
func (a *API) heatQuery(c *gin.Context, p *params) (*heat.Query, error) {
	q, err := a.heatFilter(c, p)
	if err != nil {
		return nil, err
	}
	return q, a.heatSpan(p, q)
}

// heatFilter is heatQuery but for the window.
func (a *API) heatFilter(c *gin.Context, p *params) (*heat.Query, error) {
	q := &heat.Query{}
	street, g, department := p.values[heatStreet], p.values[heatGrid], p.values[heatDepartment]
	if err := narrow(callerOf(c).Jurisdiction, &street, &g, &department); err != nil {
		return nil, err
	}
	for _, one := range [...]struct {
		list *[]string
		word string
	}{{&q.Streets, street}, {&q.Grids, g}, {&q.Departments, department}} {
		if one.word != "" {
			*one.list = []string{one.word}
		}
	}
	var err error
	if q.Items, err = a.heatItems(p); err != nil {
		return nil, err
	}
	if q.Channels, err = oneOfEach(p, heatChannel, casework.Channels); err != nil {
		return nil, err
	}
	if q.States, err = oneOfEach(p, heatState, casework.States); err != nil {
		return nil, err
	}
	open, err := p.flag(heatOpen)
	if err != nil {
		return nil, err
	}
	if q.States == nil { // what turned out to be no case is none
		q.States = notVoid()
	}
	if open {
		q.States = slices.DeleteFunc(q.States, func(s string) bool { return !casework.State(s).Open() })
	}
	urgent, err := p.flag(heatUrgent)
	if urgent {
		q.MinUrgency = 1
	}
	return q, err
}

// heatSpan reads the window: from and to, or so long up to to. To is the end of
// this minute if not said, so that who asks again within it asks the same.
func (a *API) heatSpan(p *params, q *heat.Query) (err error) {
	q.To = a.cfg.Now().Truncate(time.Minute).Add(time.Minute)
	if p.has(heatTo) {
		if q.To, err = readInstant(p.names[heatTo], p.values[heatTo]); err != nil {
			return err
		}
	}
	window := usualWindow
	if p.has(heatWindow) {
		if p.has(heatFrom) {
			return fault.InvalidField("window", "give from or window, not both")
		}
		if window, err = readSpan("window", p.values[heatWindow]); err != nil {
			return err
		}
	}
	q.From, q.To, err = p.span(heatFrom, heatTo, q.To.Add(-window), q.To, maxIndicatorSpan)
	return err
}

var spanUnits = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// readSpan reads a span such as 30m, 24h, 7d or 4w.
func readSpan(param, s string) (time.Duration, error) {
	if n := len(s) - 1; n > 0 {
		count, err := strconv.ParseUint(s[:n], 10, 16)
		if unit := spanUnits[s[n]]; err == nil && count > 0 && unit > 0 {
			return time.Duration(count) * unit, nil
		}
	}
	return 0, fault.InvalidField(param, "%s is not a span such as 30m, 24h, 7d or 4w", strconv.Quote(clipText(s)))
}

// heatItems are the items that are asked for, nil for all. A major is its items
// in all versions of the catalogue.
func (a *API) heatItems(p *params) ([]string, error) {
	if !p.has(heatItem) && !p.has(heatMajor) {
		return nil, nil
	}
	d, err := a.desk()
	if err != nil {
		return nil, err
	}
	majors := make(map[string]string) // of each item
	for _, v := range d.Procedure().Catalogues.Versions() {
		for _, item := range v.Items() {
			majors[item.Code] = item.Major.Code
		}
	}
	wanted := []string{}
	if p.has(heatItem) {
		if wanted, err = words(p, heatItem); err != nil {
			return nil, err
		}
		for _, w := range wanted {
			if _, ok := majors[w]; !ok {
				return nil, fault.InvalidField("item", "the catalogue has no item %q", clipText(w))
			}
		}
	} else {
		for item := range majors {
			wanted = append(wanted, item)
		}
	}
	if p.has(heatMajor) {
		asked, err := words(p, heatMajor)
		if err != nil {
			return nil, err
		}
		for _, w := range asked {
			if !slices.ContainsFunc(d.Procedure().Catalogues.Versions(), func(c *casework.Catalogue) bool {
				return slices.ContainsFunc(c.Items(), func(i casework.Item) bool { return i.Major.Code == w })
			}) {
				return nil, fault.InvalidField("major", "the catalogue has no major %q", clipText(w))
			}
		}
		wanted = slices.DeleteFunc(wanted, func(item string) bool { return !slices.Contains(asked, majors[item]) })
	}
	return wanted, nil
}

// words is a list that is separated by commas.
func words(p *params, i int) ([]string, error) {
	out := strings.Split(p.values[i], ",")
	if len(out) > maxHeatWords {
		return nil, fault.InvalidField(p.names[i], "more than %d", maxHeatWords)
	}
	return out, nil
}

// oneOfEach is a list of words that must be among known, nil when it was not
// given.
func oneOfEach[T ~string](p *params, i int, known []T) ([]string, error) {
	if !p.has(i) {
		return nil, nil
	}
	out, err := words(p, i)
	for _, w := range out {
		if !slices.Contains(known, T(w)) {
			return nil, fault.InvalidField(p.names[i], "%q is none of %s", clipText(w), strings.Join(wordsOf(known), ", "))
		}
	}
	return out, err
}

func wordsOf[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// notVoid are the states of what is a case.
func notVoid() []string {
	return wordsOf(slices.DeleteFunc(slices.Clone(casework.States), func(s casework.State) bool { return s == casework.Void }))
}
