package grid

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/partition"
)

// Source is what a Generation is made of: streets, grids, and a partition
// whose faces are the grids' IDs.
type Source struct {
	Streets   []Street
	Grids     []Grid
	Partition *partition.Partition
}

// Generation is a district at one time: immutable, and safe for concurrent
// use. Callers do not modify what its methods return.
type Generation struct {
	number   int
	streets  []Street // by code
	grids    []Grid   // by ID
	at       []int32  // ID → place in grids, plus one
	byCode   map[string]int32
	byStreet map[string]int32
	part     *partition.Partition
	polygons []orb.MultiPolygon
	outline  orb.MultiPolygon
	bound    orb.Bound
	hash     string
}

// New makes generation number of src. It is Invalid, naming the grid, when a
// grid has no face or a face no grid, an ID is out of range, a code is empty
// or used twice, or a street is not among the streets.
func New(number int, src Source) (*Generation, error) {
	g := &Generation{
		number:   number,
		streets:  slices.SortedFunc(slices.Values(src.Streets), func(a, b Street) int { return cmp.Compare(a.Code, b.Code) }),
		grids:    slices.SortedFunc(slices.Values(src.Grids), func(a, b Grid) int { return cmp.Compare(a.ID, b.ID) }),
		byCode:   make(map[string]int32, len(src.Grids)),
		byStreet: make(map[string]int32, len(src.Streets)),
		part:     src.Partition,
	}
	if err := g.index(); err != nil {
		return nil, err
	}
	g.hash = g.contentHash(g.measure())
	return g, nil
}

// index checks the grids against the streets and the partition.
func (g *Generation) index() error {
	for i, s := range g.streets {
		if _, twice := g.byStreet[s.Code]; twice || s.Code == "" {
			return fault.InvalidField("street", "code %q is empty or used twice", s.Code)
		}
		g.byStreet[s.Code] = int32(i)
	}
	if len(g.grids) == 0 {
		return fault.New(fault.Invalid, "a generation needs at least one grid")
	}
	if last := g.grids[len(g.grids)-1].ID; last > MaxID {
		return fault.InvalidField("id", "%d is greater than %d", last, MaxID)
	}
	g.at = make([]int32, g.grids[len(g.grids)-1].ID+1)
	faces := g.part.Faces()
	for i, d := range g.grids {
		switch _, hasStreet := g.byStreet[d.Street]; {
		case d.ID == None || g.at[d.ID] != 0:
			return fault.InvalidField("id", "grid %q: id %d is zero or used twice", d.Code, d.ID)
		case d.Street != "" && !hasStreet:
			return fault.InvalidField("street", "grid %q: there is no street %q", d.Code, d.Street)
		case d.Kind != "" && d.Kind != Urban && d.Kind != Autonomous:
			return fault.InvalidField("kind", "grid %q: %q is not urban or autonomous", d.Code, d.Kind)
		}
		if other, twice := g.byCode[d.Code]; twice || d.Code == "" {
			return fault.InvalidField("code", "%q is empty or used twice (grids %d and %d)", d.Code, g.grids[other].ID, d.ID)
		}
		if _, ok := slices.BinarySearch(faces, partition.FaceID(d.ID)); !ok {
			return fault.InvalidField("geometry", "grid %q has no face in the partition", d.Code)
		}
		g.at[d.ID] = int32(i + 1)
		g.byCode[d.Code] = int32(i)
	}
	if len(faces) != len(g.grids) {
		for _, f := range faces {
			if int(f) >= len(g.at) || g.at[f] == 0 {
				return fault.InvalidField("geometry", "face %d has no grid", f)
			}
		}
	}
	return nil
}

// measure derives polygons, areas, label points and bounds from the arcs, and
// returns each grid's rings.
func (g *Generation) measure() [][]partition.Ring {
	g.polygons = make([]orb.MultiPolygon, len(g.grids))
	rings := make([][]partition.Ring, len(g.grids))
	for i := range g.grids {
		d := &g.grids[i]
		polys := g.part.Polygons(partition.FaceID(d.ID))
		rings[i] = slices.Concat(polys...)
		d.AreaM2 = 0
		for _, rings := range polys {
			for _, r := range rings {
				d.AreaM2 += geo.RingAreaM2(r)
			}
		}
		g.polygons[i] = partition.MultiPolygonOf(polys)
		d.Bound = g.polygons[i].Bound()
		d.Label = labelPoint(g.polygons[i][0])
		if i == 0 {
			g.bound = d.Bound
		}
		g.bound = g.bound.Union(d.Bound)
	}
	g.outline = partition.MultiPolygonOf(g.part.Outline())
	return rings
}

// contentHash is the SHA-256 of everything a resolution depends on, in an
// order of its own, so that equal districts hash alike however they were made.
func (g *Generation) contentHash(rings [][]partition.Ring) string {
	h := sha256.New()
	for _, s := range g.streets {
		seat, _ := geo.Quantise(s.Seat)
		hashStrings(h, s.Code, s.Name)
		hashInts(h, seat.X, seat.Y)
	}
	for i, d := range g.grids {
		hashInts(h, int32(d.ID))
		hashStrings(h, d.Code, d.Name, string(d.Kind), d.Street, d.Department.Code, d.Department.Name)
		for _, r := range canonical(rings[i]) {
			hashInts(h, int32(len(r)))
			flat := make([]int32, 0, 2*len(r))
			for _, c := range r {
				flat = append(flat, c.X, c.Y)
			}
			hashInts(h, flat...)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// canonical brings rings into an order, and each to a start, of its own.
func canonical(rings []partition.Ring) []partition.Ring {
	out := make([]partition.Ring, len(rings))
	for i, r := range rings {
		out[i] = fromLowest(r)
	}
	slices.SortFunc(out, func(a, b partition.Ring) int { return slices.CompareFunc(a, b, compareCoord) })
	return out
}

func compareCoord(a, b geo.Coord) int {
	return cmp.Or(cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X))
}

// fromLowest turns r to begin at its lowest, westernmost vertex.
func fromLowest(r partition.Ring) partition.Ring {
	low := 0
	for i := range r {
		if r[i].Less(r[low]) {
			low = i
		}
	}
	if low == 0 {
		return r
	}
	return slices.Concat(r[low:], r[:low])
}

func hashStrings(h hash.Hash, fields ...string) {
	for _, s := range fields {
		hashInts(h, int32(len(s)))
		h.Write([]byte(s))
	}
}

func hashInts(h hash.Hash, v ...int32) {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	h.Write(b)
}

// Number is the generation's number, 0 when it was never published.
func (g *Generation) Number() int { return g.number }

// Hash is the hexadecimal SHA-256 of the content: equal for equal districts.
func (g *Generation) Hash() string { return g.hash }

// Grids are all grids by ID.
func (g *Generation) Grids() []Grid { return g.grids }

// Streets are all streets by code.
func (g *Generation) Streets() []Street { return g.streets }

// Partition is the generation's borders.
func (g *Generation) Partition() *partition.Partition { return g.part }

// Bound is the box around the district in degrees.
func (g *Generation) Bound() orb.Bound { return g.bound }

// Outline is the area that all grids cover together, in degrees.
func (g *Generation) Outline() orb.MultiPolygon { return g.outline }

// Place is id's place in Grids, or false.
func (g *Generation) Place(id ID) (int, bool) {
	if int(id) >= len(g.at) || g.at[id] == 0 {
		return 0, false
	}
	return int(g.at[id] - 1), true
}

// Grid is the grid of that ID, or false.
func (g *Generation) Grid(id ID) (*Grid, bool) {
	i, ok := g.Place(id)
	if !ok {
		return nil, false
	}
	return &g.grids[i], true
}

// GridByCode is the grid of that official code, or false.
func (g *Generation) GridByCode(code string) (*Grid, bool) {
	i, ok := g.byCode[code]
	if !ok {
		return nil, false
	}
	return &g.grids[i], true
}

// Street is the street of that code, or false.
func (g *Generation) Street(code string) (*Street, bool) {
	i, ok := g.byStreet[code]
	if !ok {
		return nil, false
	}
	return &g.streets[i], true
}

// Polygon is the area of a grid in degrees, rings closed; nil for an unknown
// ID.
func (g *Generation) Polygon(id ID) orb.MultiPolygon {
	i, ok := g.Place(id)
	if !ok {
		return nil
	}
	return g.polygons[i]
}

func (g *Generation) String() string {
	return fmt.Sprintf("generation %d (%d grids, %.12s)", g.number, len(g.grids), g.hash)
}
