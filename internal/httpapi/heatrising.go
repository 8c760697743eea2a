package httpapi

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/heat"
)

var heatRisingParams = append(slices.Clone(heatFilters[:heatTo+1]), "weeks", "reference", "alpha", "least")

const (
	risingWeeks = heatTo + 1 + iota
	risingReference
	risingAlpha
	risingLeast
)

const (
	// keptRisings is how many answers are kept. An answer holds for its hour.
	keptRisings = 64
	// maxRisingWait is how many may wait for their turn: each takes a core for a
	// second or two.
	maxRisingWait = 8
	// risingReplicas tell a P of 0.01 from one of 0.02.
	risingReplicas = 99
)

// risings work out one answer at a time, so that they hurt nobody, and keep it.
type risings struct {
	turn chan struct{}
	wait chan struct{}
	kept *lru.Cache[string, *heatClusters]
}

// heatClusters is what was found, and when.
type heatClusters struct {
	at    time.Time
	found []heat.Cluster
}

func newRisings() *risings {
	return &risings{make(chan struct{}, 1), make(chan struct{}, maxRisingWait), newLRU[*heatClusters](keptRisings)}
}

// of is what q finds. It is Unavailable when too many wait.
func (r *risings) of(ctx context.Context, x *heat.Index, q heat.Rising, now time.Time) (*heatClusters, error) {
	key := fmt.Sprint(keyOf(&q.Query), q.Weeks, q.Reference, q.Alpha, q.Least)
	if k, ok := r.kept.Get(key); ok {
		return k, nil
	}
	select {
	case r.wait <- struct{}{}:
		defer func() { <-r.wait }()
	default:
		return nil, fault.New(fault.Unavailable, "%d others wait for clusters; ask again in some seconds", maxRisingWait)
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if k, ok := r.kept.Get(key); ok { // somebody asked the same
		return k, nil
	}
	found, err := x.Rising(q)
	if err != nil {
		return nil, err
	}
	k := &heatClusters{now, found}
	r.kept.Add(key, k)
	return k, nil
}

// clusterAnswer is where cases rise. Bound is west, south, east, north.
type clusterAnswer struct {
	Grid     *gridName  `json:"grid"` // that has most of its recent cases; null for none of those in force
	Bound    [4]float64 `json:"bound"`
	Center   orb.Point  `json:"center"`
	SideM    float64    `json:"side_m"`
	Since    time.Time  `json:"since"`
	Weeks    int        `json:"weeks"`
	Observed int        `json:"observed"`
	Expected float64    `json:"expected"`
	Ratio    float64    `json:"ratio"`
	P        float64    `json:"p"`
}

// showRising answers GET /api/v1/heat/rising: where there are more cases than
// the weeks before let expect. It is worked out once for each hour.
func (a *API) showRising(c *gin.Context) error {
	h, err := a.heat()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, heatRisingParams)
	if err != nil {
		return err
	}
	q, err := a.risingQuery(c, &p)
	if err != nil {
		return err
	}
	d, err := a.inForce()
	if err != nil {
		return err
	}
	h.cover(d.gen)
	k, err := h.rising.of(c.Request.Context(), h.index, *q, a.cfg.Now())
	if err != nil {
		return err
	}
	out := struct {
		To        time.Time       `json:"to"`
		AsOf      time.Time       `json:"as_of"`
		Weeks     int             `json:"weeks"`
		Reference int             `json:"reference"`
		Alpha     float64         `json:"alpha"`
		Least     int             `json:"least"`
		Clusters  []clusterAnswer `json:"clusters"`
	}{q.To.In(grid.Zone), k.at.In(grid.Zone), q.Weeks, q.Reference, q.Alpha, q.Least, []clusterAnswer{}}
	for _, f := range k.found {
		n := clusterAnswer{Bound: [4]float64{f.Bound.Min[0], f.Bound.Min[1], f.Bound.Max[0], f.Bound.Max[1]}, Center: f.Center, SideM: f.SideM, Since: f.Since.In(grid.Zone),
			Weeks: f.Weeks, Observed: f.Observed, Expected: math.Round(f.Expected*100) / 100, Ratio: math.Round(f.Ratio*100) / 100, P: f.P}
		if g, ok := d.gen.GridByCode(f.Grid); ok {
			n.Grid = &gridName{g.ID, g.Code, g.Name}
		}
		out.Clusters = append(out.Clusters, n)
	}
	return serveJSON(c, out)
}

// risingQuery reads what is asked for, with what is not said filled in, so that
// equal questions are equal. The weeks end at a full hour.
func (a *API) risingQuery(c *gin.Context, p *params) (*heat.Rising, error) {
	filter, err := a.heatFilter(c, p)
	if err != nil {
		return nil, err
	}
	q := usualRising(*filter, a.cfg.Now())
	if p.has(heatTo) {
		if q.To, err = readInstant("to", p.values[heatTo]); err != nil {
			return nil, err
		}
	}
	q.To = q.To.Truncate(time.Hour)
	for _, n := range [...]struct {
		param int
		into  *int
	}{{risingWeeks, &q.Weeks}, {risingReference, &q.Reference}, {risingLeast, &q.Least}} {
		if !p.has(n.param) {
			continue
		}
		if *n.into, err = readCount(p.names[n.param], p.values[n.param], 1); err != nil {
			return nil, err
		}
	}
	if p.has(risingAlpha) {
		if q.Alpha, err = p.number(risingAlpha); err != nil {
			return nil, err
		}
		if q.Alpha < 0.01 || q.Alpha > 0.2 {
			return nil, fault.InvalidField("alpha", "%v is not from 0.01 to 0.2", q.Alpha)
		}
	}
	return q, nil
}

// usualRising is the question where nothing but a filter is said.
func usualRising(filter heat.Query, now time.Time) *heat.Rising {
	q := &heat.Rising{Query: filter, Weeks: 4, Reference: 8, Least: 5, Alpha: 0.05, Replicas: risingReplicas, Seed: 1}
	q.To = now.Truncate(time.Hour)
	return q
}
