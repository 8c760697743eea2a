package geofile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// topology is the part of a TopoJSON file that its geometries refer to.
type topology struct {
	r                *reader
	arcs             [][]orb.Point
	quantised        bool
	scale, translate orb.Point
}

func (r *reader) readTopology(top map[string][]byte) error {
	t := &topology{r: r, scale: orb.Point{1, 1}}
	if raw := top["transform"]; !isNull(raw) {
		t.quantised = true
		for name, v := range members(raw) {
			s := &coordinateScanner{r: r, b: v}
			var err error
			switch name {
			case "scale":
				t.scale, err = s.position()
			case "translate":
				t.translate, err = s.position()
			}
			if err != nil {
				return r.invalid("transform: %s: %w", name, err)
			}
		}
	}
	arcs, err := list(&coordinateScanner{r: r, b: top["arcs"]}, "arc", positions[[]orb.Point, orb.Point], [][]orb.Point(nil))
	if err != nil {
		return r.invalid("arcs: %w", err)
	}
	for _, arc := range arcs {
		t.decode(arc)
	}
	t.arcs = arcs
	object, err := r.pickObject(top["objects"])
	if err != nil {
		return err
	}
	return t.features(object)
}

// decode turns the differences of a quantised arc into positions.
func (t *topology) decode(arc []orb.Point) {
	if !t.quantised {
		return
	}
	var sum orb.Point
	for i, d := range arc {
		sum = orb.Point{sum[0] + d[0], sum[1] + d[1]}
		arc[i] = t.position(sum)
	}
}

func (t *topology) position(p orb.Point) orb.Point {
	return orb.Point{p[0]*t.scale[0] + t.translate[0], p[1]*t.scale[1] + t.translate[1]}
}

func (r *reader) pickObject(v []byte) ([]byte, error) {
	var names []string
	var only, chosen []byte
	for name, object := range members(v) {
		names = append(names, name)
		only = object
		if name == r.opt.Layer {
			chosen = object
		}
	}
	switch {
	case chosen != nil:
		r.file.Name = r.opt.Layer
		return chosen, nil
	case len(names) == 0:
		return nil, r.invalid("a topology without objects")
	case r.opt.Layer != "" || len(names) > 1:
		return nil, r.noLayer("object", names)
	}
	r.file.Name = names[0]
	return only, nil
}

// noLayer is the error when Options.Layer is needed or fits nothing.
func (r *reader) noLayer(what string, names []string) error {
	shown := strings.Join(names[:min(len(names), 20)], ", ")
	if r.opt.Layer != "" {
		return r.invalid("no %s %q; there are %s", what, r.opt.Layer, shown)
	}
	return r.invalid("%d %ss, name one as the layer: %s", len(names), what, shown)
}

// features reads an object: each member of a GeometryCollection is a feature,
// and so is any other geometry by itself.
func (t *topology) features(object []byte) error {
	for name, v := range members(object) {
		if name != "geometries" {
			continue
		}
		for raw := range elements(v) {
			if err := t.feature(raw); err != nil {
				return err
			}
		}
		return nil
	}
	return t.feature(object)
}

func (t *topology) feature(v []byte) error {
	if err := t.r.begin(); err != nil {
		return err
	}
	var id string
	var props Properties
	var err error
	for name, member := range members(v) {
		switch name {
		case "id":
			id = idOf(member)
		case "properties":
			if props, err = t.r.properties(member); err != nil {
				return t.r.admit(id, nil, nil, err)
			}
		}
	}
	g, err := t.geometry(v, maxCollectionDepth)
	return t.r.admit(id, props, g, err)
}

func (t *topology) geometry(v []byte, depth int) (orb.Geometry, error) {
	var kind string
	var arcs, coordinates, geometries []byte
	for name, member := range members(v) {
		switch name {
		case "type":
			kind = stringOf(member)
		case "arcs":
			arcs = member
		case "coordinates":
			coordinates = member
		case "geometries":
			geometries = member
		}
	}
	s := &coordinateScanner{r: t.r, b: arcs}
	switch kind {
	case "":
		return nil, nil // {"type":null} is a feature without geometry
	case "Point":
		p, err := (&coordinateScanner{r: t.r, b: coordinates}).position()
		return t.position(p), err
	case "MultiPoint":
		points, err := positions[orb.MultiPoint](&coordinateScanner{r: t.r, b: coordinates})
		for i, p := range points {
			points[i] = t.position(p)
		}
		return points, err
	case "LineString":
		return stitch[orb.LineString](t, s)
	case "MultiLineString":
		return list(s, "line", func(s *coordinateScanner) (orb.LineString, error) { return stitch[orb.LineString](t, s) }, orb.MultiLineString(nil))
	case "Polygon":
		return t.polygon(s)
	case "MultiPolygon":
		return list(s, "polygon", t.polygon, orb.MultiPolygon(nil))
	case "GeometryCollection":
		return t.collection(geometries, depth)
	}
	return nil, fmt.Errorf("%.40q is not a kind of geometry", kind)
}

func (t *topology) collection(v []byte, depth int) (orb.Geometry, error) {
	if depth == 0 {
		return nil, errCollectionDepth
	}
	var all orb.Collection
	for raw := range elements(v) {
		g, err := t.geometry(raw, depth-1)
		if err != nil {
			return nil, at("part", len(all), err)
		}
		all = append(all, g)
	}
	return all, nil
}

func (t *topology) polygon(s *coordinateScanner) (orb.Polygon, error) {
	return list(s, "ring", func(s *coordinateScanner) (orb.Ring, error) { return stitch[orb.Ring](t, s) }, orb.Polygon(nil))
}

// stitch joins the arcs that s lists: ~i is arc i backwards, and each arc
// starts where the one before it ended.
func stitch[L ~[]orb.Point](t *topology, s *coordinateScanner) (L, error) {
	refs, err := list(s, "arc", (*coordinateScanner).arcIndex, []int(nil))
	if err != nil {
		return nil, err
	}
	var line L
	for i, ref := range refs {
		index := ref
		if ref < 0 {
			index = ^ref
		}
		if index >= len(t.arcs) {
			return nil, at("arc", i, fmt.Errorf("there is no arc %d, only %d", index, len(t.arcs)))
		}
		arc := t.arcs[index]
		if err := t.r.takeVertices(len(arc)); err != nil {
			return nil, err
		}
		from := len(line)
		line = append(line, arc...)
		if ref < 0 {
			slices.Reverse(line[from:])
		}
		if from > 0 && len(arc) > 0 {
			line = slices.Delete(line, from, from+1)
		}
	}
	return line, nil
}

func (s *coordinateScanner) arcIndex() (int, error) {
	end := endOfValue(s.b, s.i)
	raw := s.b[s.i:end]
	s.i = end
	v, err := strconv.Atoi(string(raw))
	if err != nil {
		return 0, fmt.Errorf("%.40s is not an arc's number", raw)
	}
	return v, nil
}
