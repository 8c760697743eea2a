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

// What figures are asked of, which both routes read; what follows these is
// their own.
const (
	figuresFrom = iota
	figuresTo
	figuresAsOf
	figuresStreet
	figuresGrid
	figuresDepartment
	figuresItem
	figuresMajor
	figuresChannel
	figuresTopic
	figuresHour
	figuresFormat
	figuresBOM
	figuresOwn
)

var figuresParams = []string{"from", "to", "as_of", "street", "grid", "department", "item", "major", "channel", "topic", "hour", "format", "bom"}

var indicatorsParams = append(slices.Clip(figuresParams), "by", "before", "indicators")

const (
	indicatorsBy = figuresOwn + iota
	indicatorsBefore
	indicatorsOnly
)

const (
	maxIndicatorSpan = 10*366*24*time.Hour + 24*time.Hour
	// maxFigures bounds one answer: a pair of large dimensions has more lines
	// than anybody reads.
	maxFigures = 250_000
)

// figuresQuery reads which figures of what is the caller's are asked for: of
// this year until now, if not said.
func (a *API) figuresQuery(c *gin.Context, d *casework.Desk, p *params) (q casework.Query, err error) {
	now := a.cfg.Now().In(grid.Zone)
	q.From, q.To, err = p.span(figuresFrom, figuresTo, time.Date(now.Year(), 1, 1, 0, 0, 0, 0, grid.Zone), now, maxIndicatorSpan)
	if err != nil {
		return q, err
	}
	q.From, q.To, q.AsOf = q.From.In(grid.Zone), q.To.In(grid.Zone), now
	if p.has(figuresAsOf) {
		if q.AsOf, err = readInstant("as_of", p.values[figuresAsOf]); err != nil {
			return q, err
		}
		q.AsOf = q.AsOf.In(grid.Zone)
	}
	q.By = []casework.Dimension{casework.WholeDistrict}
	f := &q.Filter
	f.Street, f.Grid, f.Department, f.Major = p.values[figuresStreet], p.values[figuresGrid], p.values[figuresDepartment], p.values[figuresMajor]
	f.Channel, f.Hour = casework.Channel(p.values[figuresChannel]), p.values[figuresHour]
	if p.has(figuresItem) {
		f.Items = strings.Split(p.values[figuresItem], ",")
	}
	if p.has(figuresTopic) {
		topic, err := casework.TopicOf(d.Topics(), p.values[figuresTopic])
		if err != nil {
			return q, err
		}
		if f.Items == nil {
			f.Items = topic.Items
		} else if f.Items = slices.DeleteFunc(f.Items, func(item string) bool { return !slices.Contains(topic.Items, item) }); len(f.Items) == 0 {
			return q, fault.InvalidField("item", "none of topic %s", topic.Code)
		}
	}
	if err := narrow(callerOf(c).Jurisdiction, &f.Street, &f.Grid, &f.Department); err != nil {
		return q, err
	}
	return q, q.Check()
}

// definition is what a figure is called and how it comes about.
type definition struct {
	Code string `json:"code"`
	casework.Words
	Count       bool            `json:"count"`
	Numerator   casework.Words  `json:"numerator"`
	Denominator *casework.Words `json:"denominator,omitempty"` // of a rate
	Beside      string          `json:"beside,omitempty"`      // the same on another base
}

func definitions() []definition {
	out := make([]definition, len(casework.Indicators))
	for i := range casework.Indicators {
		d := &casework.Indicators[i]
		out[i] = definition{Code: d.Code, Words: d.Words, Count: d.Count, Numerator: d.Numerator(), Beside: d.Beside}
		if !d.Count {
			den := d.Denominator()
			out[i].Denominator = &den
		}
	}
	return out
}

// window is a Query's, and when it was known.
type window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	AsOf time.Time `json:"as_of"`
}

// figuresAnswer is all figures of a window, with the window of a year earlier
// where the figures have what they were then beside them.
type figuresAnswer struct {
	*casework.Figures
	Filter     casework.Filter  `json:"filter"`
	Before     *window          `json:"before,omitempty"`
	Indicators []definition     `json:"indicators"`
	Topics     []casework.Topic `json:"topics"`
}

// showIndicators answers GET /api/v1/indicators: all figures of a window, with
// those of the year before when they are asked for.
func (a *API) showIndicators(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, indicatorsParams)
	if err != nil {
		return err
	}
	format, mark, err := exportFormat(&p)
	if err != nil {
		return err
	}
	q, err := a.figuresQuery(c, d, &p)
	if err != nil {
		return err
	}
	if p.has(indicatorsBy) {
		q.By = nil
		for by := range strings.SplitSeq(p.values[indicatorsBy], ",") {
			if d := casework.Dimension(by); !slices.Contains(q.By, d) {
				q.By = append(q.By, d)
			}
		}
	} else if format == "xlsx" {
		q.By = workbookDimensions
	}
	before, err := p.flag(indicatorsBefore)
	if err != nil {
		return err
	}
	all, only := definitions(), []string(nil)
	if p.has(indicatorsOnly) {
		only = strings.Split(p.values[indicatorsOnly], ",")
		for _, code := range only {
			if !slices.ContainsFunc(all, func(d definition) bool { return d.Code == code }) {
				return fault.InvalidField("indicators", "there is no indicator %.40q", code)
			}
		}
		all = slices.DeleteFunc(all, func(d definition) bool { return !slices.Contains(only, d.Code) })
	}
	out := figuresAnswer{Filter: q.Filter, Indicators: all, Topics: orEmpty(d.Topics())}
	if out.Figures, err = d.Figures(q); err != nil {
		return err
	}
	if before {
		then := q.YearBefore()
		figures, err := d.Figures(then)
		if err != nil {
			return err
		}
		out.Against(figures)
		out.Before = &window{then.From, then.To, then.AsOf}
	}
	if only != nil {
		out.Only(only)
	}
	lines := 0
	for _, l := range out.By {
		lines += len(l)
	}
	if n := lines * len(all); n > maxFigures {
		return fault.InvalidField("by", "%d figures are more than %d; ask for fewer lines, or for some indicators", n, maxFigures)
	}
	a.nameLines(d, out.Figures)
	if format != "" {
		return writeFigures(c, format, mark, &out)
	}
	return writeValue(c, http.StatusOK, out)
}
