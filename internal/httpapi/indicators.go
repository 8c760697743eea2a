package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var indicatorsParams = []string{"from", "to", "as_of", "by", "street", "grid", "department", "item", "major", "channel", "before", "indicator", "cases", "after", "limit"}

const (
	indicatorsFrom = iota
	indicatorsTo
	indicatorsAsOf
	indicatorsBy
	indicatorsStreet
	indicatorsGrid
	indicatorsDepartment
	indicatorsItem
	indicatorsMajor
	indicatorsChannel
	indicatorsBefore
	indicatorsIndicator
	indicatorsCases
	indicatorsAfter
	indicatorsLimit
)

const (
	maxIndicatorSpan = 10 * 366 * 24 * time.Hour
	defaultDrillDown = 100
	maxDrillDown     = 10_000
)

// indicatorQuery reads which figures of what is the caller's are asked for:
// of this year until now, if not said.
func (a *API) indicatorQuery(c *gin.Context) (q casework.Query, p params, err error) {
	if p, err = readParams(c.Request.URL.RawQuery, indicatorsParams); err != nil {
		return q, p, err
	}
	now := a.cfg.Now().In(grid.Zone)
	q.From, q.To, err = p.span(indicatorsFrom, indicatorsTo, time.Date(now.Year(), 1, 1, 0, 0, 0, 0, grid.Zone), now, maxIndicatorSpan)
	if err != nil {
		return q, p, err
	}
	q.AsOf = now
	if p.has(indicatorsAsOf) {
		if q.AsOf, err = readInstant("as_of", p.values[indicatorsAsOf]); err != nil {
			return q, p, err
		}
	}
	q.By = []casework.Dimension{casework.WholeDistrict}
	if p.has(indicatorsBy) {
		q.By = nil
		for by := range strings.SplitSeq(p.values[indicatorsBy], ",") {
			if d := casework.Dimension(by); !slices.Contains(q.By, d) {
				q.By = append(q.By, d)
			}
		}
	}
	f := &q.Filter
	f.Street, f.Grid, f.Department, f.Major = p.values[indicatorsStreet], p.values[indicatorsGrid], p.values[indicatorsDepartment], p.values[indicatorsMajor]
	f.Channel = casework.Channel(p.values[indicatorsChannel])
	if p.has(indicatorsItem) {
		f.Items = strings.Split(p.values[indicatorsItem], ",")
	}
	if err := narrow(callerOf(c).Jurisdiction, &f.Street, &f.Grid, &f.Department); err != nil {
		return q, p, err
	}
	return q, p, q.Check()
}

// definition is what a figure is called.
type definition struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Text  string `json:"text"`
	Count bool   `json:"count"`
}

// showIndicators answers GET /api/v1/indicators: all figures of a window, with
// those of the year before when they are asked for; or, with cases, the cases
// behind one of them.
func (a *API) showIndicators(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	q, p, err := a.indicatorQuery(c)
	if err != nil {
		return err
	}
	if p.has(indicatorsCases) || p.has(indicatorsIndicator) {
		return a.casesBehind(c, d, q, &p)
	}
	before, err := p.flag(indicatorsBefore)
	if err != nil {
		return err
	}
	out := struct {
		*casework.Figures
		Before     *casework.Figures `json:"before,omitempty"`
		Indicators []definition      `json:"indicators"`
	}{}
	if out.Figures, err = d.Figures(q); err != nil {
		return err
	}
	if before {
		if out.Before, err = d.Figures(q.YearBefore()); err != nil {
			return err
		}
	}
	for _, i := range casework.Indicators {
		out.Indicators = append(out.Indicators, definition{i.Code, i.Name, i.Text, i.Count})
	}
	return writeValue(c, http.StatusOK, out)
}

// casesBehind answers with the cases of a figure's numerator or denominator,
// page by page.
func (a *API) casesBehind(c *gin.Context, d *casework.Desk, q casework.Query, p *params) error {
	part := p.values[indicatorsCases]
	if part != "numerator" && part != "denominator" {
		return fault.InvalidField("cases", "%.40q is not numerator or denominator", part)
	}
	limit, err := p.limit(indicatorsLimit, defaultDrillDown, maxDrillDown)
	if err != nil {
		return err
	}
	after := 0
	if p.has(indicatorsAfter) {
		if after, err = readCount("after", p.values[indicatorsAfter], 0); err != nil {
			return err
		}
	}
	ids, err := d.CasesOf(q, p.values[indicatorsIndicator], part == "numerator")
	if fault.KindOf(err) == fault.NotFound {
		return fault.InvalidField("indicator", "%w", err)
	}
	if err != nil {
		return err
	}
	total := len(ids)
	first, _ := slices.BinarySearch(ids, int64(after)+1)
	ids = ids[first:]
	more := len(ids) > limit
	if more {
		ids = ids[:limit]
	}
	return writeValue(c, http.StatusOK, struct {
		Indicator string  `json:"indicator"`
		Total     int     `json:"total"`
		Cases     []int64 `json:"cases"`
		More      bool    `json:"more"`
	}{p.values[indicatorsIndicator], total, orEmpty(ids), more})
}
