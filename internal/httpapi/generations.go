package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// generationAnswer is one generation and how far it has come. Effective is
// when it is in force: the term of now, or else the latest there is.
type generationAnswer struct {
	grid.Record
	Status        grid.Status `json:"status"`
	EffectiveFrom time.Time   `json:"effective_from,omitzero"`
	EffectiveTo   time.Time   `json:"effective_to,omitzero"`
	Check         *grid.Check `json:"check,omitempty"`
}

func generationOf(l *grid.Ledger, r grid.Record, now time.Time) generationAnswer {
	g := generationAnswer{Record: r, Status: l.Status(r.Number, now)}
	for _, t := range l.Schedule() {
		if t.Generation == r.Number && (g.EffectiveFrom.IsZero() || !t.From.After(now)) {
			g.EffectiveFrom, g.EffectiveTo = t.From, t.To
		}
	}
	if c, ok := l.CheckOf(r.Number); ok {
		g.Check = &c
	}
	return g
}

// ledger is the ledger with everything that was entered until now, by other
// processes too.
func (a *API) ledger(ctx context.Context) (*grid.Ledger, error) {
	if err := a.cfg.Atlas.Reload(ctx); err != nil {
		return nil, err
	}
	return a.cfg.Atlas.Ledger(), nil
}

// listGenerations answers GET /api/v1/generations.
func (a *API) listGenerations(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	l, err := a.ledger(c.Request.Context())
	if err != nil {
		return err
	}
	answer := struct {
		Generations []generationAnswer `json:"generations"`
		Schedule    []grid.Term        `json:"schedule"`
		Revision    int64              `json:"revision"`
	}{make([]generationAnswer, 0, len(l.Records)), append([]grid.Term{}, l.Schedule()...), l.Revision}
	for _, r := range l.Records {
		answer.Generations = append(answer.Generations, generationOf(l, r, a.cfg.Now()))
	}
	return writeValue(c, http.StatusOK, answer)
}

// showGeneration answers GET /api/v1/generations/{number}.
func (a *API) showGeneration(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	number, err := generationNumber(c, "number")
	if err != nil {
		return err
	}
	return a.writeGeneration(c, http.StatusOK, number)
}

func (a *API) writeGeneration(c *gin.Context, status, number int) error {
	l, err := a.ledger(c.Request.Context())
	if err != nil {
		return err
	}
	r, ok := l.Record(number)
	if !ok {
		return fault.New(fault.NotFound, "there is no generation %d", number)
	}
	return writeValue(c, status, generationOf(l, r, a.cfg.Now()))
}

func generationNumber(c *gin.Context, param string) (int, error) {
	n, err := strconv.ParseUint(c.Param(param), 10, 31)
	if err != nil || n == 0 {
		return 0, fault.New(fault.NotFound, "%q is not the number of a generation", clipText(c.Param(param)))
	}
	return int(n), nil
}

var checkParams = []string{"base"}

// checkGeneration answers POST /api/v1/generations/{number}/check, which holds
// it against base, or the generation that the schedule ends with.
func (a *API) checkGeneration(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, checkParams)
	if err != nil {
		return err
	}
	number, err := generationNumber(c, "number")
	if err != nil {
		return err
	}
	base := -1
	if p.has(0) {
		if base, err = readCount("base", p.values[0], 0); err != nil {
			return err
		}
	}
	check, err := a.cfg.Atlas.Check(c.Request.Context(), number, base, callerOf(c).Name)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, check)
}

// publishGeneration answers POST /api/v1/generations/{number}/publish. Expect
// is the revision of the schedule that the publisher saw; it is a Conflict,
// telling what changed, when that is no longer the schedule.
func (a *API) publishGeneration(c *gin.Context) error {
	number, err := generationNumber(c, "number")
	if err != nil {
		return err
	}
	var in struct {
		From   string `json:"from"`
		Until  string `json:"until"`
		Expect int64  `json:"expect"`
	}
	if err := readJSON(c, &in); err != nil {
		return err
	}
	p := grid.Publication{Number: number, By: callerOf(c).Name, Revision: in.Expect}
	if p.From, err = readInstant("from", in.From); err != nil {
		return err
	}
	if in.Until != "" {
		if p.Until, err = readInstant("until", in.Until); err != nil {
			return err
		}
	}
	done, err := a.cfg.Atlas.Publish(c.Request.Context(), p)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, done)
}

// listGenerationGrids answers GET /api/v1/generations/{number}/grids.
func (a *API) listGenerationGrids(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, gridsParams[:2])
	if err != nil {
		return err
	}
	number, err := generationNumber(c, "number")
	if err != nil {
		return err
	}
	d, err := a.views.number(c.Request.Context(), number)
	if err != nil {
		return err
	}
	return d.serveGrids(c, &p)
}

// generationTile answers GET /tiles/generations/{number}/{z}/{x}/{y}.mvt.
func (a *API) generationTile(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, tileParams[:1])
	if err != nil {
		return err
	}
	number, err := generationNumber(c, "number")
	if err != nil {
		return err
	}
	z, x, y, err := tileAddress(c)
	if err != nil {
		return err
	}
	d, err := a.views.number(c.Request.Context(), number)
	if err != nil {
		return err
	}
	d.tiles.serve(c, z, x, y, p.values[0])
	return nil
}

// showDiff answers GET /api/v1/generations/{base}/diff/{next}: the table of
// changes, and the borders before and after of every grid that changed.
func (a *API) showDiff(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	var sides [2]*district
	for i, param := range [...]string{"number", "next"} {
		n, err := generationNumber(c, param)
		if err != nil {
			return err
		}
		if sides[i], err = a.views.number(c.Request.Context(), n); err != nil {
			return err
		}
	}
	doc, err := a.diffs.of(sides[0], sides[1])
	if err != nil {
		return err
	}
	doc.serve(c, noCache)
	return nil
}

// diffJSON is grid.Diff and its changed features as GeoJSON.
func diffJSON(base, next *district) (*document, error) {
	diff, err := grid.Compare(base.gen, next.gen)
	if err != nil {
		return nil, err
	}
	features := []byte(`{"type":"FeatureCollection","features":[`)
	first := true
	add := func(d *district, side string, change *grid.GridChange) {
		g, ok := d.gen.Grid(change.ID)
		if !ok {
			return
		}
		if !first {
			features = append(features, ',')
		}
		first = false
		features = append(features, '\n')
		features = append(d.appendGridFeature(features, g), `,"side":"`+side+`","change":"`+string(change.Kind)+`"}`...)
	}
	for i := range diff.Grids {
		add(base, "base", &diff.Grids[i])
		add(next, "next", &diff.Grids[i])
	}
	body, err := json.Marshal(struct {
		*grid.Diff
		Lineage  []grid.Descent  `json:"lineage"`
		Features json.RawMessage `json:"features"`
	}{diff, diff.Lineage.Descents, append(features, "\n]}"...)})
	if err != nil {
		return nil, err
	}
	return newDocument(jsonType[0], append(body, '\n')), nil
}
