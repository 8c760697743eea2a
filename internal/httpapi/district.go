package httpapi

import (
	"strconv"
	"sync"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// district is one generation as it is shown: the index, and the parts of
// answers that do not depend on the request, encoded once. What is large is
// made when it is first asked for. It is immutable to its users.
type district struct {
	index *locate.Index
	gen   *grid.Generation

	generation []byte     // "generation":{…}
	texts      []gridText // by place in gen.Grids
	places     []int32    // grid ID → place in texts
	totals     map[string]streetTotal

	topology func() *topology
	geojson  func() *document
	topojson func() *document
	streets  func() *document
	byStreet sync.Map // street code → func() *document
	outlines func() *outlines
	tiles    *tileSet
	// shifted are the tiles for a base map in GCJ-02.
	shifted func() *tileSet
}

// gridText is what answers say about one grid.
type gridText struct {
	ref        []byte // {"id":…,"code":…,"name":…,"kind":…}
	place      []byte // "grid":ref,"street":…
	department []byte // "department":…
}

// streetTotal is what a street's grids add up to.
type streetTotal struct {
	grids, urban, autonomous int
	areaM2                   float64
}

func newDistrict(x *locate.Index, tileBytes int64) *district {
	g := x.Generation()
	d := &district{index: x, gen: g, totals: make(map[string]streetTotal)}
	d.generation = append(d.generation, `"generation":{"number":`...)
	d.generation = strconv.AppendInt(d.generation, int64(g.Number()), 10)
	d.generation = append(d.generation, `,"hash":`...)
	d.generation = append(appendString(d.generation, g.Hash()), '}')

	grids := g.Grids()
	d.texts = make([]gridText, len(grids))
	d.places = make([]int32, grids[len(grids)-1].ID+1)
	for i := range grids {
		d.places[grids[i].ID] = int32(i)
		d.texts[i] = newGridText(g, &grids[i])
		t := d.totals[grids[i].Street]
		t.grids++
		t.areaM2 += grids[i].AreaM2
		switch grids[i].Kind {
		case grid.Urban:
			t.urban++
		case grid.Autonomous:
			t.autonomous++
		}
		d.totals[grids[i].Street] = t
	}
	d.topology = sync.OnceValue(func() *topology { return newTopology(g) })
	d.outlines = sync.OnceValue(func() *outlines { return newOutlines(d) })
	d.geojson = sync.OnceValue(func() *document { return gridsGeoJSON(d, "") })
	d.topojson = sync.OnceValue(func() *document { return gridsTopoJSON(d) })
	d.streets = sync.OnceValue(func() *document { return streetsJSON(d) })
	d.tiles = newTileSet(d, tileBytes, geo.WGS84)
	d.shifted = sync.OnceValue(func() *tileSet { return newTileSet(d, tileBytes, geo.GCJ02) })
	return d
}

func newGridText(gen *grid.Generation, g *grid.Grid) gridText {
	var t gridText
	t.ref = appendGridRef(nil, g)
	t.place = append(append(t.place, `"grid":`...), t.ref...)
	t.place = append(t.place, `,"street":`...)
	if s, ok := gen.Street(g.Street); ok {
		t.place = appendNamed(t.place, s.Code, s.Name)
	} else {
		t.place = append(t.place, "null"...)
	}
	t.department = append(t.department, `"department":`...)
	t.department = appendDepartment(t.department, g.Department)
	return t
}

func appendGridRef(b []byte, g *grid.Grid) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, uint64(g.ID), 10)
	b = append(b, `,"code":`...)
	b = appendString(b, g.Code)
	b = append(b, `,"name":`...)
	b = appendString(b, g.Name)
	b = append(b, `,"kind":`...)
	b = appendString(b, string(g.Kind))
	return append(b, '}')
}

func appendNamed(b []byte, code, name string) []byte {
	b = append(b, `{"code":`...)
	b = appendString(b, code)
	b = append(b, `,"name":`...)
	b = appendString(b, name)
	return append(b, '}')
}

func appendDepartment(b []byte, d grid.Department) []byte {
	if d.Code == "" && d.Name == "" {
		return append(b, "null"...)
	}
	return appendNamed(b, d.Code, d.Name)
}

// text is what answers say about the grid of that ID, which exists.
func (d *district) text(id grid.ID) *gridText { return &d.texts[d.places[id]] }
