package httpapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"
	orbsimplify "github.com/paulmach/orb/simplify"

	"lianqin/internal/casework"
	"lianqin/internal/grid"
)

// publicPage is all that the form needs to know of the district and of what can
// be reported.
type publicPage struct {
	Bounds [4]float64     `json:"bounds"` // west, south, east, north
	Majors []publicMajor  `json:"majors"`
	Items  []publicChoice `json:"items"` // the most reported first
	Photos int            `json:"photos"`
	Bytes  int            `json:"text_bytes"`
	// Borders are of the streets, as lines; Names are of streets, and of grids.
	Borders []orb.LineString `json:"borders"`
	Names   []publicName     `json:"names"`
}

type publicMajor struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

type publicChoice struct {
	Code    string   `json:"code"`
	Name    string   `json:"name"`
	English string   `json:"english,omitempty"`
	Words   []string `json:"words"`
	Major   string   `json:"major"` // code
	Thing   bool     `json:"thing"` // a component: something that stands in the street
}

type publicName struct {
	Name   string    `json:"name"`
	At     orb.Point `json:"at"`
	Street bool      `json:"street"`
}

// borderSimplifiedDeg is how far a line drawn for citizens may be from the
// border, in degrees: about 10 m. What a place belongs to is asked of the
// service.
const borderSimplifiedDeg = 1e-4

// publicPages keeps the page's description, which many ask for, until what it
// tells may have changed.
type publicPages struct {
	mu       sync.Mutex
	document *document
	of       *district
	until    time.Time
}

// pageFor is how long what is most reported, and a new catalogue, may take to
// show.
const pageFor = 10 * time.Minute

// showPublicForm answers GET /api/v1/public/report.
func (a *API) showPublicForm(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	doc, err := a.publicPage()
	if err != nil {
		return err
	}
	doc.serve(c, noCache)
	return nil
}

func (a *API) publicPage() (*document, error) {
	d, err := a.inForce()
	if err != nil {
		return nil, err
	}
	p := &a.publicPages
	p.mu.Lock()
	defer p.mu.Unlock()
	now := a.cfg.Now()
	if p.document != nil && p.of == d && now.Before(p.until) {
		return p.document, nil
	}
	items, err := a.publicItems()
	if err != nil {
		return nil, err
	}
	page := publicPage{Photos: maxPublicPhotos, Bytes: maxPublicText}
	page.items(items, a.cfg.PlainWords, a.cfg.Desk.Often(now.Add(-365*24*time.Hour), now))
	page.district(d)
	body, err := json.Marshal(page)
	if err != nil {
		return nil, err
	}
	p.document, p.of, p.until = newDocument(jsonType[0], append(body, '\n')), d, now.Add(pageFor)
	return p.document, nil
}

func (p *publicPage) items(items []casework.Item, words casework.PlainWords, often map[string]int) {
	slices.SortStableFunc(items, func(a, b casework.Item) int { return cmp.Compare(often[b.Code], often[a.Code]) })
	for i := range items {
		t := &items[i]
		w := words[t.Code]
		p.Items = append(p.Items, publicChoice{t.Code, t.Name, w.English, orEmpty(w.Words), t.Major.Code, t.Kind == casework.Component})
		if !slices.Contains(p.Majors, publicMajor(t.Major)) {
			p.Majors = append(p.Majors, publicMajor(t.Major))
		}
	}
	slices.SortFunc(p.Majors, func(a, b publicMajor) int { return cmp.Compare(a.Code, b.Code) })
}

func (p *publicPage) district(d *district) {
	bound := orb.Bound{Min: orb.Point{180, 90}, Max: orb.Point{-180, -90}}
	for i, at := range d.outlines().labels {
		bound = bound.Union(d.outlines().bounds[i])
		p.Names = append(p.Names, publicName{d.gen.Streets()[i].Name, short(at), true})
	}
	for i := range d.gen.Grids() {
		g := &d.gen.Grids()[i]
		bound = bound.Union(g.Bound)
		if g.Kind != grid.Urban { // an urban grid's name says nothing to who lives there
			p.Names = append(p.Names, publicName{g.Name, short(g.Label), false})
		}
	}
	p.Bounds = [4]float64{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]}
	t := d.topology()
	p.Borders = []orb.LineString{}
	for i, arc := range t.arcs {
		if t.levels[i] == gridBorder {
			continue
		}
		line := make(orb.LineString, len(arc.Points))
		for j, c := range arc.Points {
			line[j] = c.Point()
		}
		line = orbsimplify.DouglasPeucker(borderSimplifiedDeg).LineString(line)
		for j := range line {
			line[j] = short(line[j])
		}
		p.Borders = append(p.Borders, line)
	}
}

// short is p to the metre.
func short(p orb.Point) orb.Point {
	const perDegree = 1e5
	return orb.Point{float64(int64(p[0]*perDegree+0.5)) / perDegree, float64(int64(p[1]*perDegree+0.5)) / perDegree}
}

// showTicket answers GET /api/v1/public/report/ticket.
func (a *API) showTicket(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	now := a.cfg.Now()
	return writeValue(c, http.StatusOK, struct {
		AsOf   time.Time `json:"as_of"`
		Ticket string    `json:"ticket"`
		WaitMS int64     `json:"wait_ms"` // before it is good
	}{now.In(grid.Zone), a.writeTicket(now), ticketYoungest.Milliseconds()})
}
