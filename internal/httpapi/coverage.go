package httpapi

import (
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// coverageAnswer is how one grid is covered, and who could clear its debt.
type coverageAnswer struct {
	Grid     gridName       `json:"grid"`
	Street   string         `json:"street"`
	Present  int            `json:"present"`
	Assigned int            `json:"assigned"`
	Swept    float64        `json:"swept"`
	Visited  time.Time      `json:"visited,omitzero"`
	DebtS    int64          `json:"debt_s"`
	Nearest  []reliefAnswer `json:"nearest,omitempty"`
}

// reliefAnswer is an idle unit that could visit a grid in debt.
type reliefAnswer struct {
	Unit      string  `json:"unit"` // code
	DistanceM float64 `json:"distance_m"`
	TravelS   int64   `json:"travel_s"`
	ClearsS   int64   `json:"clears_s"`
}

const (
	// reliefsEach is how many units are told for a grid, reliefsAsked how many
	// are looked for, since some may be no business of the caller's.
	reliefsEach  = 3
	reliefsAsked = 12
	// coverageAge is how long one reckoning serves: it costs tens of
	// milliseconds, and says minutes.
	coverageAge = 2 * time.Second
)

// coverages is the last reckoning, and who could clear debts by it once somebody
// has asked.
type coverages struct {
	mu      sync.Mutex
	at      time.Time
	covers  []patrol.Cover
	reliefs []patrol.Relief
	relief  bool // reliefs are of covers
}

func (k *coverages) of(t *patrol.Tracker, now time.Time) (time.Time, []patrol.Cover) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reckon(t, now)
}

// withReliefs is of, with the units that could visit the grids in debt.
func (k *coverages) withReliefs(t *patrol.Tracker, now time.Time) (time.Time, []patrol.Cover, []patrol.Relief) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, covers := k.reckon(t, now)
	if !k.relief {
		k.reliefs, k.relief = t.Reliefs(at, covers, reliefsAsked), true
	}
	return at, covers, k.reliefs
}

// reckon is for who holds mu.
func (k *coverages) reckon(t *patrol.Tracker, now time.Time) (time.Time, []patrol.Cover) {
	if age := now.Sub(k.at); k.at.IsZero() || age < 0 || age >= coverageAge {
		k.at, k.covers, k.reliefs, k.relief = now, t.Coverage(now), nil, false
	}
	return k.at, k.covers
}

var coverageParams = []string{"street"}

// showCoverage answers GET /api/v1/coverage.
func (a *API) showCoverage(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, coverageParams)
	if err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	street, err := s.only(&p, 0)
	if err != nil {
		return err
	}
	if a.cfg.Tracker == nil {
		return fault.New(fault.Unavailable, "this service follows no patrols")
	}
	at, covers, reliefs := a.coverages.withReliefs(a.cfg.Tracker, a.cfg.Now())
	grids := make([]coverageAnswer, 0, len(covers))
	places := make(map[grid.ID]int)
	for i := range covers {
		g, ok := s.grids.Grid(covers[i].Grid)
		if !ok || !s.coversGrid(g) || street != "" && g.Street != street {
			continue
		}
		places[g.ID] = len(grids)
		grids = append(grids, coverageAnswer{Grid: gridName{g.ID, g.Code, g.Name}, Street: g.Street, Present: covers[i].Present, Assigned: covers[i].Assigned,
			Swept: covers[i].Swept, Visited: covers[i].Visited, DebtS: int64(covers[i].Debt / time.Second)})
	}
	for _, r := range reliefs {
		place, ok := places[r.Grid]
		code := s.code(r.Unit)
		if !ok || code == "" || len(grids[place].Nearest) == reliefsEach {
			continue
		}
		grids[place].Nearest = append(grids[place].Nearest, reliefAnswer{code, r.DistanceM, int64(r.Travel / time.Second), int64(r.Clears / time.Second)})
	}
	return writeValue(c, http.StatusOK, struct {
		At         time.Time        `json:"at"`
		Generation int              `json:"generation"`
		Grids      []coverageAnswer `json:"grids"`
	}{at.In(grid.Zone), s.grids.Number(), grids})
}
