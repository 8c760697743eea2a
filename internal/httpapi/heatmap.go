package httpapi

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/heat"
)

var heatParams = append(slices.Clone(heatFilters), "by", "per", "full")

const (
	heatBy = heatMore + iota
	heatPer
	heatFull
)

// What counts are divided by.
const (
	perCount      = "count" // nothing
	perKM2        = "km2"
	perPatrolHour = "patrol-hour"
)

// showHeat answers GET /api/v1/heat: how many cases of a window lay in each
// grid or cell.
func (a *API) showHeat(c *gin.Context) error {
	h, err := a.heat()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, heatParams)
	if err != nil {
		return err
	}
	q, err := a.heatQuery(c, &p)
	if err != nil {
		return err
	}
	per, err := a.heatPer(c, &p, heatPer)
	if err != nil {
		return err
	}
	by := p.values[heatBy]
	switch {
	case by != "" && by != "grid" && by != "cell" && by != "density":
		return fault.InvalidField("by", "%.40q is not grid, cell or density", by)
	case p.has(heatFull) && by != "density":
		return fault.InvalidField("full", "is of by=density")
	case per == perPatrolHour && by != "" && by != "grid":
		return fault.InvalidField("per", "patrol hours are kept by grid, not by cell")
	case by == "cell":
		return a.heatCells(c, h, q)
	case by == "density":
		return a.heatDensity(c, h, q, &p)
	}
	f, err := a.heatOfGrids(c, h, q, per)
	if err != nil {
		return err
	}
	return serveJSON(c, f.answer())
}

// heatPer is parameter i: what counts are to be divided by. Where patrols were
// is for those who may watch them.
func (a *API) heatPer(c *gin.Context, p *params, i int) (string, error) {
	switch per := p.values[i]; per {
	case "":
		return perCount, nil
	case perCount, perKM2:
		return per, nil
	case perPatrolHour:
		if !a.may(callerOf(c), auth.WatchPatrols) {
			return "", fault.New(fault.Denied, "per=%s needs %s", perPatrolHour, auth.WatchPatrols)
		}
		if a.cfg.Hours == nil {
			return "", fault.New(fault.Unavailable, "patrol hours are not kept here")
		}
		return per, nil
	default:
		return "", fault.InvalidField("per", "%.40q is not count, km2 or patrol-hour", per)
	}
}

// serveJSON answers with v, and 304 to whom it is nothing new.
func serveJSON(c *gin.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	newDocument(jsonType[0], append(body, '\n')).serve(c, noCachePrivate)
	return nil
}

// gridHeat are counts by grid of the generation in force, for one caller.
type gridHeat struct {
	per   string
	q     *heat.Query
	m     *heatMap
	d     *district
	hours map[grid.ID]float64
	// Of the hours: what of the window they are known of.
	since, until time.Time
	counts       map[string]int // by code
	covers       func(*grid.Grid) bool
}

// heatOfGrids counts. By patrol hour, the window is what of it patrol hours are
// known of, where they are at all: cases of other times must not be divided by
// them.
func (a *API) heatOfGrids(c *gin.Context, h *Heat, q *heat.Query, per string) (*gridHeat, error) {
	d, err := a.inForce()
	if err != nil {
		return nil, err
	}
	h.cover(d.gen)
	f := &gridHeat{per: per, q: q, d: d, counts: make(map[string]int)}
	if per == perPatrolHour {
		f.hours, f.since, f.until = a.cfg.Hours.Spent(q.From, q.To)
		if f.since.Before(f.until) {
			known := *q
			known.From = f.since // it ends with the window, or now, and no case comes in later
			f.q = &known
		}
	}
	if f.m, err = h.ask(f.q, a.cfg.Now()); err != nil {
		return nil, err
	}
	for _, n := range f.m.Grids {
		f.counts[n.Grid] = n.Count
	}
	j := callerOf(c).Jurisdiction
	f.covers = func(g *grid.Grid) bool {
		return (j.Level == auth.Department || j.Covers(auth.Place{Street: g.Street, Grid: g.Code})) &&
			(q.Streets == nil || slices.Contains(q.Streets, g.Street)) && (q.Grids == nil || slices.Contains(q.Grids, g.Code))
	}
	return f, nil
}

// gridHeatAnswer is one grid's. What has no rate, since nobody patrolled there,
// has null.
type gridHeatAnswer struct {
	Grid          gridName `json:"grid"`
	Street        string   `json:"street"`
	Count         int      `json:"count"`
	AreaKM2       float64  `json:"area_km2"`
	PerKM2        float64  `json:"per_km2"`
	PatrolHours   *float64 `json:"patrol_hours,omitempty"`
	PerPatrolHour *float64 `json:"per_patrol_hour,omitempty"`
	Value         *float64 `json:"value"` // what was asked for
}

func (f *gridHeat) of(g *grid.Grid) gridHeatAnswer {
	n := f.counts[g.Code]
	out := gridHeatAnswer{Grid: gridName{g.ID, g.Code, g.Name}, Street: g.Street, Count: n, AreaKM2: g.AreaM2 / 1e6, PerKM2: float64(n) / (g.AreaM2 / 1e6)}
	switch count := float64(n); {
	case f.per == perCount:
		out.Value = &count
	case f.per == perKM2:
		out.Value = &out.PerKM2
	case f.since.Before(f.until):
		hours := f.hours[g.ID]
		out.PatrolHours = &hours
		if hours > 0 {
			count /= hours
			out.PerPatrolHour, out.Value = &count, &count
		}
	}
	return out
}

// heatSpanAnswer is a time [From, To).
type heatSpanAnswer struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func windowOf(from, to time.Time) heatSpanAnswer {
	return heatSpanAnswer{from.In(grid.Zone), to.In(grid.Zone)}
}

// countedIn is a grid that cases were filed under and that the generation in
// force does not have.
type countedIn struct {
	Code  string `json:"code"` // empty for none
	Count int    `json:"count"`
}

func (f *gridHeat) answer() any {
	out := struct {
		heatSpanAnswer
		AsOf       time.Time        `json:"as_of"`
		Generation int              `json:"generation"`
		Per        string           `json:"per"`
		Total      int              `json:"total"`
		Patrol     *heatSpanAnswer  `json:"patrol"`
		Grids      []gridHeatAnswer `json:"grids"`
		Former     []countedIn      `json:"former"`
	}{heatSpanAnswer: windowOf(f.q.From, f.q.To), AsOf: f.m.at.In(grid.Zone), Generation: f.d.gen.Number(), Per: f.per, Total: f.m.Total,
		Grids: []gridHeatAnswer{}, Former: []countedIn{}}
	if f.since.Before(f.until) {
		w := windowOf(f.since, f.until)
		out.Patrol = &w
	}
	grids := f.d.gen.Grids()
	for i := range grids {
		if f.covers(&grids[i]) {
			out.Grids = append(out.Grids, f.of(&grids[i]))
		}
	}
	for _, n := range f.m.Grids {
		if _, ok := f.d.gen.GridByCode(n.Grid); !ok {
			out.Former = append(out.Former, countedIn{n.Grid, n.Count})
		}
	}
	return out
}

// rasterAnswer describes cells: number i is column i mod width from the west and
// row i div width from the south.
type rasterAnswer struct {
	West    float64 `json:"west"` // of the raster, degrees
	South   float64 `json:"south"`
	CellLon float64 `json:"cell_lon"` // size of a cell, degrees
	CellLat float64 `json:"cell_lat"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	CellKM2 float64 `json:"cell_km2"`
}

func rasterOf(r heat.Raster) rasterAnswer {
	return rasterAnswer{West: float64(r.West) / geo.UnitsPerDegree, South: float64(r.South) / geo.UnitsPerDegree,
		CellLon: float64(r.CellX) / geo.UnitsPerDegree, CellLat: float64(r.CellY) / geo.UnitsPerDegree, Width: r.Width, Height: r.Height, CellKM2: r.CellM2 / 1e6}
}

// heatCells answers with the cells that have cases.
func (a *API) heatCells(c *gin.Context, h *Heat, q *heat.Query) error {
	m, err := a.heatOfCells(h, q)
	if err != nil {
		return err
	}
	out := struct {
		heatSpanAnswer
		AsOf    time.Time    `json:"as_of"`
		Total   int          `json:"total"`
		Outside int          `json:"outside"` // the raster
		Raster  rasterAnswer `json:"raster"`
		Cells   []int        `json:"cells"`
		Counts  []uint32     `json:"counts"`
	}{windowOf(q.From, q.To), m.at.In(grid.Zone), m.Total, m.Outside, rasterOf(m.Raster), []int{}, []uint32{}}
	for cell, n := range m.Cells {
		if n > 0 {
			out.Cells, out.Counts = append(out.Cells, cell), append(out.Counts, n)
		}
	}
	return serveJSON(c, out)
}

func (a *API) heatOfCells(h *Heat, q *heat.Query) (*heatMap, error) {
	d, err := a.inForce()
	if err != nil {
		return nil, err
	}
	h.cover(d.gen)
	return h.ask(q, a.cfg.Now())
}

// heatDensity answers with the cells as one texture.
func (a *API) heatDensity(c *gin.Context, h *Heat, q *heat.Query, p *params) error {
	full, err := heatFullOf(p, heatFull)
	if err != nil {
		return err
	}
	m, err := a.heatOfCells(h, q)
	if err != nil {
		return err
	}
	t := m.Texture(full)
	return serveFrames(c, framesHeader{heatSpanAnswer: windowOf(q.From, q.To), AsOf: m.at.In(grid.Zone), StepS: int64(q.To.Sub(q.From) / time.Second), Full: t.Full,
		Totals: []int{m.Total}, Raster: rasterOf(m.Raster)}, []heat.Texture{t})
}

// heatFullOf is parameter i: how many cases are the brightest, 0 when it is for
// us to say.
func heatFullOf(p *params, i int) (uint32, error) {
	if !p.has(i) {
		return 0, nil
	}
	n, err := readCount(p.names[i], p.values[i], 1)
	return uint32(min(n, 1<<31)), err
}

// framesHeader describes textures. The first byte of each is the cell in the
// south-west.
type framesHeader struct {
	heatSpanAnswer
	AsOf   time.Time    `json:"as_of"`
	StepS  int64        `json:"step_s"` // seconds from one frame to the next
	Full   uint32       `json:"full"`   // cases in a cell that 255 stands for, or more
	Totals []int        `json:"totals"` // cases, by frame
	Raster rasterAnswer `json:"raster"`
}

const framesType = "application/octet-stream"

// serveFrames answers with the length of a header in four bytes, the least
// first, the header as JSON, and the frames one after the other, a byte for each
// cell.
func serveFrames(c *gin.Context, header framesHeader, frames []heat.Texture) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	n := len(text)
	body := append([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, text...)
	for i := range frames {
		body = append(body, frames[i].Cells...)
	}
	newDocument(framesType, body).serve(c, noCachePrivate)
	return nil
}
