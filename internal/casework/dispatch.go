package casework

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// Basis is what decided to whom a case goes.
type Basis string

const (
	// ByCatalogue is the catalogue's row for the item, in the grid of the place.
	ByCatalogue Basis = "catalogue"
	// ByAnswer is the same, in the grid that somebody said it is.
	ByAnswer Basis = "answer"
	// ByPrecedent is a ruling on the same item, near by.
	ByPrecedent Basis = "precedent"
	// ByHand is a dispatcher who knew better, and says why.
	ByHand Basis = "by-hand"
)

// Why is the reason of a dispatch, kept with it.
type Why struct {
	Basis      Basis       `json:"basis"`
	Generation int         `json:"generation"`
	Boundaries string      `json:"boundaries"` // the generation's hash
	Grid       grid.ID     `json:"grid"`
	GridCode   string      `json:"grid_code"`
	Street     string      `json:"street"`
	BorderM    float64     `json:"border_m"` // distance to the nearest border
	AccuracyM  float64     `json:"accuracy_m,omitempty"`
	Item       string      `json:"item"`
	Catalogue  int         `json:"catalogue"`           // version
	Row        string      `json:"row"`                 // lead department in the catalogue's row, a street template as it stands there
	Precedent  int64       `json:"precedent,omitempty"` // the case that was ruled on
	Centre     string      `json:"centre"`              // code of the street whose centre decides
	Others     []Candidate `json:"others,omitempty"`    // where else the position may be, within its accuracy
	Note       string      `json:"note,omitempty"`
}

// Candidate is one of the grids that a position may lie in. Grid None is
// outside the district, and has no lead.
type Candidate struct {
	Grid     grid.ID           `json:"grid"`
	GridCode string            `json:"grid_code,omitempty"`
	GridName string            `json:"grid_name,omitempty"`
	Street   string            `json:"street,omitempty"`
	Share    float64           `json:"share"` // of the circle of accuracy, (0, 1]
	Lead     grid.Department   `json:"lead"`
	Support  []grid.Department `json:"support,omitempty"`
}

// leastShare of the circle of accuracy is worth a question.
const leastShare = 0.01

// Inquiry asks to whom a case goes. Index is that of the generation in force
// when the case was captured.
type Inquiry struct {
	Index      *locate.Index
	At         orb.Point // WGS-84 degrees
	AccuracyM  float64   // 0 is unknown: the point itself is asked for
	Catalogue  *Catalogue
	Item       string // code
	Precedents *Precedents
	PrecedentM float64 // of the rules
	// Answer is the grid that somebody chose among the candidates, once asked.
	Answer grid.ID
}

// Outcome is either an Assignment or a question: of Candidates, which one is
// it? Place has the grid that either takes as given.
type Outcome struct {
	Place      Place
	Assignment *Assignment
	Candidates []Candidate // when somebody has to be asked, the likeliest first
}

// Explain finds to whom a case goes, and why. When the accuracy of the position
// crosses a border, and what lies beyond has another lead or another street's
// centre, there is one question to be asked, unless there is a precedent or
// an answer. It is Invalid for an unknown item, for a position that is none or
// from which no grid is in reach, and for an answer that is no candidate.
func Explain(q Inquiry) (Outcome, error) {
	item, err := q.Catalogue.Item(q.Item)
	if err != nil {
		return Outcome{}, fault.InvalidField("item", "%w", err)
	}
	all := q.candidates(item)
	if len(all) == 0 {
		return Outcome{}, fault.InvalidField("place", "%v is no position", q.At)
	}
	if len(all) == 1 && all[0].Grid == grid.None {
		near, m := q.Index.Nearest(q.At)
		g, _ := q.Index.Generation().Grid(near)
		return Outcome{}, fault.InvalidField("place", "outside the district, %.0f m from grid %s", m, g.Code)
	}
	home, basis := all[0], ByCatalogue
	if id, ok := q.Index.Locate(q.At); ok {
		if i := slices.IndexFunc(all, func(c Candidate) bool { return c.Grid == id }); i >= 0 {
			home = all[i]
		}
	}
	if q.Answer != grid.None {
		i := slices.IndexFunc(all, func(c Candidate) bool { return c.Grid == q.Answer })
		if i < 0 {
			return Outcome{}, fault.InvalidField("answer", "grid %d is not one of the candidates", q.Answer)
		}
		home, basis = all[i], ByAnswer
	}
	out := Outcome{Place: q.place(home)}
	precedent, ruled := q.Precedents.Find(q.Item, q.At, q.PrecedentM)
	if !ruled && basis == ByCatalogue && divided(all) {
		out.Candidates = all
		return out, nil
	}
	why := Why{Basis: basis, Generation: out.Place.Generation, Boundaries: q.Index.Generation().Hash(),
		Grid: home.Grid, GridCode: home.GridCode, Street: home.Street,
		BorderM: math.Round(q.Index.BorderDistance(q.At)*10) / 10, AccuracyM: q.AccuracyM,
		Item: item.Code, Catalogue: q.Catalogue.Number(), Row: item.Lead, Centre: home.Street}
	for _, c := range all {
		if c.Grid != home.Grid {
			why.Others = append(why.Others, c)
		}
	}
	out.Assignment = &Assignment{Lead: home.Lead, Support: home.Support, Why: why}
	if ruled {
		out.Assignment.Lead = precedent.Lead
		out.Assignment.Why.Basis, out.Assignment.Why.Precedent = ByPrecedent, precedent.Case
		out.Assignment.Support = slices.DeleteFunc(slices.Clone(home.Support), func(d grid.Department) bool { return d.Code == precedent.Lead.Code })
	}
	return out, nil
}

// divided reports whether it matters in which of the grids the position lies.
func divided(all []Candidate) bool {
	return slices.ContainsFunc(all[1:], func(c Candidate) bool {
		return c.Lead.Code != all[0].Lead.Code || c.Street != all[0].Street
	})
}

// candidates are the grids within the accuracy, the greatest share first.
func (q *Inquiry) candidates(item *Item) []Candidate {
	var out []Candidate
	gen := q.Index.Generation()
	for _, s := range q.Index.Shares(q.At, q.AccuracyM) {
		if s.Share < leastShare {
			continue
		}
		c := Candidate{Grid: s.Grid, Share: s.Share}
		if g, ok := gen.Grid(s.Grid); ok {
			street, _ := gen.Street(g.Street)
			c.GridCode, c.GridName, c.Street = g.Code, g.Name, g.Street
			c.Lead, c.Support = q.Catalogue.Lead(item, g, street), q.Catalogue.Support(item, g, street)
		}
		out = append(out, c)
	}
	return out
}

func (q *Inquiry) place(c Candidate) Place {
	return Place{At: q.At, AccuracyM: q.AccuracyM, Generation: q.Index.Generation().Number(),
		Grid: c.Grid, GridCode: c.GridCode, Street: c.Street}
}

// PlaceAt is where a position lies, for a case that has no item yet.
func PlaceAt(x *locate.Index, at orb.Point, accuracyM float64, address string) Place {
	p := Place{At: at, AccuracyM: accuracyM, Address: address, Generation: x.Generation().Number()}
	if id, ok := x.Locate(at); ok {
		g, _ := x.Generation().Grid(id)
		p.Grid, p.GridCode, p.Street = g.ID, g.Code, g.Street
	}
	return p
}

// JointOf fills a kind of joint duty in for a grid and its street: codes of
// templates become the street's own. Joining are codes of the table of
// departments. It is Invalid for one that is not there.
func (c *Catalogue) JointOf(t JointTemplate, joining []string, g *grid.Grid, s *grid.Street) (*Joint, error) {
	var err error
	instance := func(code string) string {
		d := c.Instance(code, g, s)
		if d.Code == "" {
			err = cmp.Or(err, fault.InvalidField("joint", "there is no department %q", code))
		}
		return d.Code
	}
	j := &Joint{Template: t.Code, Lead: instance(t.Lead)}
	for _, code := range t.Core {
		j.Core = append(j.Core, instance(code))
	}
	for _, code := range joining {
		j.Joining = append(j.Joining, instance(code))
	}
	return j, err
}
