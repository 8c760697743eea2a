package casework

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Kind tells the two halves of the catalogue apart.
type Kind string

const (
	// Component is a thing that stands in the district: a manhole cover, a lamp.
	Component Kind = "component"
	// Event is something that happens: a stall, a noise, a flood.
	Event Kind = "event"
)

// Clock says in which hours a limit runs.
type Clock string

const (
	// Working counts only the hours of the district's working calendar.
	Working Clock = "working"
	// Calendar counts all hours.
	Calendar Clock = "calendar"
)

// Major is one of the catalogue's chapters (大类).
type Major struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Item is one row of the catalogue (小类). Lead and Support are codes of
// departments; those of street templates stand for the street's own instance,
// which Catalogue.Lead and Catalogue.Support find.
type Item struct {
	Code            string   `json:"code"`
	Name            string   `json:"name"`
	Major           Major    `json:"major"`
	Kind            Kind     `json:"kind"`
	Lead            string   `json:"lead_department"`
	Support         []string `json:"support_departments,omitempty"`
	ResponseMinutes int      `json:"response_minutes"` // from dispatch to the first answer, > 0
	DisposalHours   int      `json:"disposal_hours"`   // from dispatch to disposal, > 0
	Clock           Clock    `json:"clock"`
	// Key marks the items that village stations hand over to departments at
	// once (小联勤).
	Key bool `json:"xiaolianqin_key"`
	// Stages are steps of the disposal with limits of their own; the last
	// one's is the disposal's. None for most items.
	Stages []Stage `json:"stages,omitempty"`
}

// Stage is one step of a staged disposal (停工、处罚、拆除), to be done within
// Hours of dispatch, by the item's clock.
type Stage struct {
	Name  string `json:"name"`
	Hours int    `json:"hours"`
}

// Catalogue is one version of the items and of the departments they name. It
// is immutable and safe for concurrent use; callers do not modify what its
// methods return.
type Catalogue struct {
	number      int
	from        time.Time
	items       []Item // by code
	byItem      map[string]int
	departments []Department // by code
	byDept      map[string]int
	majors      map[string]string
	hash        string
}

// ReadCatalogue reads the departments and then the items that name them, both
// comma-separated UTF-8 with a header row. A mistake is Invalid and names
// table, line and column: a missing column, a code used twice, a number that
// is none, a department that is not in the table. The version has number 0 and
// is in force from the beginning, until Numbered says otherwise.
func ReadCatalogue(departments, items io.Reader) (*Catalogue, error) {
	c := newCatalogue()
	if err := c.readDepartments(departments); err != nil {
		return nil, err
	}
	if err := c.readItems(items); err != nil {
		return nil, err
	}
	return c.finish()
}

func newCatalogue() *Catalogue {
	return &Catalogue{byItem: map[string]int{}, byDept: map[string]int{}, majors: map[string]string{}}
}

// finish makes a catalogue of the rows that were added.
func (c *Catalogue) finish() (*Catalogue, error) {
	if len(c.items) == 0 {
		return nil, fault.New(fault.Invalid, "catalogue: no items")
	}
	slices.SortFunc(c.departments, func(a, b Department) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortFunc(c.items, func(a, b Item) int { return cmp.Compare(a.Code, b.Code) })
	for i, d := range c.departments {
		c.byDept[d.Code] = i
	}
	for i, t := range c.items {
		c.byItem[t.Code] = i
	}
	c.hash = c.contentHash()
	return c, nil
}

func (c *Catalogue) contentHash() string {
	h := sha256.New()
	text := func(fields ...string) {
		for _, f := range fields {
			_ = binary.Write(h, binary.LittleEndian, uint32(len(f)))
			_, _ = io.WriteString(h, f)
		}
	}
	for _, d := range c.departments {
		text("department", d.Code, d.Name, string(d.Level))
	}
	for _, t := range c.items {
		text("item", t.Code, t.Name, t.Major.Code, t.Major.Name, string(t.Kind), t.Lead, strings.Join(t.Support, ";"), string(t.Clock), formatStages(t.Stages))
		_ = binary.Write(h, binary.LittleEndian, []int64{int64(t.ResponseMinutes), int64(t.DisposalHours)})
		_ = binary.Write(h, binary.LittleEndian, t.Key)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Numbered is c as version number, in force from that instant on: c itself
// does not change.
func (c *Catalogue) Numbered(number int, from time.Time) *Catalogue {
	v := *c
	v.number, v.from = number, from.UTC().Truncate(time.Millisecond)
	return &v
}

// Number is the version's number, 0 when it was never published.
func (c *Catalogue) Number() int { return c.number }

// From is when the version came into force; zero is from the beginning.
func (c *Catalogue) From() time.Time { return c.from }

// Hash is the hexadecimal SHA-256 of the content, number and date apart: equal
// for equal catalogues.
func (c *Catalogue) Hash() string { return c.hash }

// Items are all items by code.
func (c *Catalogue) Items() []Item { return c.items }

// Departments are all departments by code, street templates included.
func (c *Catalogue) Departments() []Department { return c.departments }

// Item is the item of that code; NotFound when the catalogue has none.
func (c *Catalogue) Item(code string) (*Item, error) {
	i, ok := c.byItem[code]
	if !ok {
		return nil, fault.New(fault.NotFound, "the catalogue has no item %q", code)
	}
	return &c.items[i], nil
}

// Lead is the department that leads item t in grid g of street s. Both may be
// nil, outside every grid or street: a street's template is then returned as
// it stands.
func (c *Catalogue) Lead(t *Item, g *grid.Grid, s *grid.Street) grid.Department {
	return c.Instance(t.Lead, g, s)
}

// Support are the departments that help with item t in grid g of street s, in
// the catalogue's order.
func (c *Catalogue) Support(t *Item, g *grid.Grid, s *grid.Street) []grid.Department {
	out := make([]grid.Department, len(t.Support))
	for i, code := range t.Support {
		out[i] = c.Instance(code, g, s)
	}
	return out
}
