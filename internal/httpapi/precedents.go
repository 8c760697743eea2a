package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/grid"
)

// maxPrecedents bounds a list of rulings; item narrows it.
const maxPrecedents = 1000

var precedentParams = []string{"item"}

// listPrecedents answers GET /api/v1/precedents: the rulings that serve in the
// caller's jurisdiction, the latest first.
func (a *API) listPrecedents(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, precedentParams)
	if err != nil {
		return err
	}
	all, err := d.Precedents()
	if err != nil {
		return err
	}
	j := callerOf(c).Jurisdiction
	all = slices.DeleteFunc(all, func(r casework.PlacedPrecedent) bool {
		return !coversPrecedent(j, &r) || p.has(0) && r.Item != p.values[0]
	})
	out := all[:min(len(all), maxPrecedents)]
	for i := range out {
		out[i].Ruled = out[i].Ruled.In(grid.Zone)
	}
	return writeValue(c, http.StatusOK, struct {
		AsOf       time.Time                  `json:"as_of"`
		RadiusM    float64                    `json:"radius_m"` // how far from its place a ruling serves
		Count      int                        `json:"count"`    // in all
		Precedents []casework.PlacedPrecedent `json:"precedents"`
	}{a.cfg.Now().In(grid.Zone), d.Procedure().Rules.PrecedentM, len(all), orEmpty(out)})
}

// coversPrecedent reports whether a ruling is the caller's business: it lies in
// his jurisdiction, or names his department.
func coversPrecedent(j auth.Jurisdiction, p *casework.PlacedPrecedent) bool {
	if j.Level == auth.Department {
		return p.Lead.Code == j.Code
	}
	return j.Covers(auth.Place{Street: p.Street, Grid: p.Grid})
}
