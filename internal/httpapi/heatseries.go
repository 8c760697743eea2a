package httpapi

import (
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/heat"
)

var heatSeriesParams = append(slices.Clone(heatFilters), "step", "by", "usual", "full")

const (
	seriesStep = heatMore + iota
	seriesBy
	seriesUsual
	seriesFull
)

const (
	usualWeek = 7 * 24 * time.Hour
	// usualWeeks is how many weeks before make what is usual.
	usualWeeks = 8
	// maxFrameCells bounds the textures of one answer: a hundred of Jiading.
	maxFrameCells = 12 << 20
)

// showHeatSeries answers GET /api/v1/heat/series: the counts of a window step by
// step, in all, by grid, or as textures for a slider.
func (a *API) showHeatSeries(c *gin.Context) error {
	h, err := a.heat()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, heatSeriesParams)
	if err != nil {
		return err
	}
	q, err := a.heatQuery(c, &p)
	if err != nil {
		return err
	}
	step := time.Hour
	if p.has(seriesStep) {
		if step, err = readSpan("step", p.values[seriesStep]); err != nil {
			return err
		}
	}
	usual, err := p.flag(seriesUsual)
	if err != nil {
		return err
	}
	by := p.values[seriesBy]
	switch {
	case by != "" && by != "total" && by != "grid" && by != "density":
		return fault.InvalidField("by", "%.40q is not total, grid or density", by)
	case p.has(seriesFull) && by != "density":
		return fault.InvalidField("full", "is of by=density")
	case usual && by != "" && by != "total":
		return fault.InvalidField("usual", "is of by=total")
	case by == "density":
		return a.heatFrames(c, h, q, step, &p)
	}
	return a.heatTotals(c, h, q, step, by == "grid", usual)
}

// gridSeries are one grid's counts.
type gridSeries struct {
	Code   string   `json:"code"`
	Counts []uint32 `json:"counts"`
}

func (a *API) heatTotals(c *gin.Context, h *Heat, q *heat.Query, step time.Duration, byGrid, usual bool) error {
	s, err := h.index.Series(*q, step, false)
	if err != nil {
		return err
	}
	out := struct {
		heatSpanAnswer
		AsOf   time.Time    `json:"as_of"`
		StepS  int64        `json:"step_s"`
		Totals []int        `json:"totals"`
		Usual  []float64    `json:"usual,omitempty"`
		Grids  []gridSeries `json:"grids,omitempty"`
	}{heatSpanAnswer: windowOf(q.From, q.To), AsOf: a.cfg.Now().In(grid.Zone), StepS: int64(step / time.Second), Totals: s.Totals}
	if byGrid {
		for _, g := range s.Grids {
			out.Grids = append(out.Grids, gridSeries{g.Grid, g.Counts})
		}
	}
	if usual {
		if out.Usual, err = usualOf(h.index, q, step, len(s.Totals)); err != nil {
			return err
		}
	}
	return serveJSON(c, out)
}

// usualOf is the mean of what each step came to in the weeks before, at the same
// time of the week. A window longer than a week would count itself.
func usualOf(x *heat.Index, q *heat.Query, step time.Duration, steps int) ([]float64, error) {
	if q.To.Sub(q.From) > usualWeek {
		return nil, fault.InvalidField("usual", "compares up to a week with the weeks before")
	}
	usual := make([]float64, steps)
	for n := 1; n <= usualWeeks; n++ {
		before := *q
		back := -time.Duration(n) * usualWeek
		before.From, before.To = q.From.Add(back), q.To.Add(back)
		s, err := x.Series(before, step, false)
		if err != nil {
			return nil, err
		}
		for i, total := range s.Totals {
			usual[i] += float64(total) / usualWeeks
		}
	}
	return usual, nil
}

// heatFrames answers with a texture for each step, one answer at a time: each is
// worth tens of megabytes while it is made.
func (a *API) heatFrames(c *gin.Context, h *Heat, q *heat.Query, step time.Duration, p *params) error {
	full, err := heatFullOf(p, seriesFull)
	if err != nil {
		return err
	}
	d, err := a.inForce()
	if err != nil {
		return err
	}
	h.cover(d.gen)
	steps, cells := int64((q.To.Sub(q.From)+step-1)/step), int64(h.index.Raster().Cells())
	if steps*cells > maxFrameCells {
		return fault.InvalidField("step", "makes %d steps of %d cells; at most %d steps fit into one answer", steps, cells, maxFrameCells/cells)
	}
	select {
	case h.framing <- struct{}{}:
		defer func() { <-h.framing }()
	case <-c.Request.Context().Done():
		return c.Request.Context().Err()
	}
	s, err := h.index.Series(*q, step, true)
	if err != nil {
		return err
	}
	frames := s.Textures(full)
	return serveFrames(c, framesHeader{heatSpanAnswer: windowOf(q.From, q.To), AsOf: a.cfg.Now().In(grid.Zone), StepS: int64(step / time.Second), Full: frames[0].Full,
		Totals: s.Totals, Raster: rasterOf(s.Raster)}, frames)
}
