package grid

import (
	"cmp"
	"slices"
)

// Diff is what differs between two generations.
type Diff struct {
	Base     int            `json:"base"`
	Next     int            `json:"next"`
	Grids    []GridChange   `json:"grids"` // changed ones only, by code
	Streets  []StreetChange `json:"streets"`
	LostM2   float64        `json:"lost_m2"`   // no grid's any more
	GainedM2 float64        `json:"gained_m2"` // no grid's before
	Lineage  Lineage        `json:"-"`
}

// GridChange is one grid that is not what it was. Grids are told apart by ID;
// Kind is Same when only attributes differ.
type GridChange struct {
	ID         ID           `json:"id"`
	Code       string       `json:"code"` // the base's when the grid is gone
	Name       string       `json:"name"`
	Kind       DescentKind  `json:"kind"`
	BaseAreaM2 float64      `json:"base_area_m2"` // 0 when new
	AreaM2     float64      `json:"area_m2"`      // 0 when gone
	Attributes []Attribute  `json:"attributes,omitempty"`
	Parents    []ParentArea `json:"parents,omitempty"`  // whose land it has now, the largest first
	Children   []ParentArea `json:"children,omitempty"` // who has its land now, of a grid that is gone
}

// Attribute is a changed property of a grid.
type Attribute struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// ParentArea is land in common with a grid of the other generation; with none,
// ID is None and Code empty.
type ParentArea struct {
	ID     ID      `json:"id"`
	Code   string  `json:"code"`
	AreaM2 float64 `json:"area_m2"`
	Share  float64 `json:"share"` // of the grid whose change this is
}

// StreetChange is one street that is not what it was; a nil side is a street
// that is new or gone.
type StreetChange struct {
	From *Street `json:"from"`
	To   *Street `json:"to"`
}

// Same reports whether nothing differs.
func (d *Diff) Same() bool { return len(d.Grids) == 0 && len(d.Streets) == 0 }

// Compare tells what differs between base and next.
func Compare(base, next *Generation) (*Diff, error) {
	lineage, err := LineageOf(base, next)
	if err != nil {
		return nil, err
	}
	d := &Diff{Base: base.number, Next: next.number, Lineage: lineage, Streets: streetChanges(base, next)}
	parents, children := lineage.Parents(), lineage.Children()
	for i := range next.grids {
		to := &next.grids[i]
		rows := parents[to.ID]
		for _, r := range rows {
			if r.Parent == None {
				d.GainedM2 += r.AreaM2
			}
		}
		from, ok := base.Grid(to.ID)
		c := GridChange{ID: to.ID, Code: to.Code, Name: to.Name, Kind: Added, AreaM2: to.AreaM2}
		if ok {
			c.Kind, c.BaseAreaM2, c.Attributes = kindOf(rows, to.ID), from.AreaM2, attributes(from, to)
		}
		if c.Kind == Same && len(c.Attributes) == 0 {
			continue
		}
		if c.Kind != Same {
			c.Parents = sharesOf(base, rows, func(r Descent) (ID, float64) { return r.Parent, r.ShareOfChild })
		}
		d.Grids = append(d.Grids, c)
	}
	for i := range base.grids {
		from := &base.grids[i]
		rows := children[from.ID]
		for _, r := range rows {
			if r.Child == None {
				d.LostM2 += r.AreaM2
			}
		}
		if _, ok := next.Grid(from.ID); !ok {
			d.Grids = append(d.Grids, GridChange{ID: from.ID, Code: from.Code, Name: from.Name, Kind: Gone, BaseAreaM2: from.AreaM2,
				Children: sharesOf(next, rows, func(r Descent) (ID, float64) { return r.Child, r.ShareOfParent })})
		}
	}
	slices.SortFunc(d.Grids, func(a, b GridChange) int { return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.ID, b.ID)) })
	return d, nil
}

// kindOf is the kind of a child with these rows: of the row it shares with the
// grid of its own ID, or else of the largest.
func kindOf(rows []Descent, id ID) DescentKind {
	kind := rows[0].Kind
	for _, r := range rows {
		if r.Parent == id {
			kind = r.Kind
		}
	}
	if kind == Same && rows[0].Parent != id {
		kind = Redrawn // another grid's very borders under this ID
	}
	return kind
}

// moved reports whether a grid shares no land with the grid that had its ID.
func (c GridChange) moved() bool {
	return c.BaseAreaM2 > 0 && len(c.Parents) > 0 &&
		!slices.ContainsFunc(c.Parents, func(p ParentArea) bool { return p.ID == c.ID })
}

func sharesOf(other *Generation, rows []Descent, of func(Descent) (ID, float64)) []ParentArea {
	out := make([]ParentArea, len(rows))
	for i, r := range rows {
		out[i].ID, out[i].Share = of(r)
		out[i].AreaM2 = r.AreaM2
		if g, ok := other.Grid(out[i].ID); ok {
			out[i].Code = g.Code
		}
	}
	return out
}

func attributes(from, to *Grid) (out []Attribute) {
	for _, a := range [...]Attribute{
		{"code", from.Code, to.Code},
		{"name", from.Name, to.Name},
		{"kind", string(from.Kind), string(to.Kind)},
		{"street", from.Street, to.Street},
		{"department", from.Department.Code, to.Department.Code},
		{"department_name", from.Department.Name, to.Department.Name},
	} {
		if a.From != a.To {
			out = append(out, a)
		}
	}
	return out
}

func streetChanges(base, next *Generation) (out []StreetChange) {
	for i := range next.streets {
		to := &next.streets[i]
		if from, ok := base.Street(to.Code); !ok {
			out = append(out, StreetChange{nil, to})
		} else if *from != *to {
			out = append(out, StreetChange{from, to})
		}
	}
	for i := range base.streets {
		if _, ok := next.Street(base.streets[i].Code); !ok {
			out = append(out, StreetChange{&base.streets[i], nil})
		}
	}
	return out
}
