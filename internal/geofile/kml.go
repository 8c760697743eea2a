package geofile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// The parts of KML 2.2 that carry boundaries. Coordinates are always WGS-84.
type (
	kmlPlacemark struct {
		ID          string `xml:"id,attr"`
		Name        string `xml:"name"`
		Description string `xml:"description"`
		Data        []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value"`
		} `xml:"ExtendedData>Data"`
		SchemaData []struct {
			URL    string      `xml:"schemaUrl,attr"`
			Values []kmlSimple `xml:"SimpleData"`
		} `xml:"ExtendedData>SchemaData"`
		kmlGeometry
		folder string
	}
	kmlSimple struct {
		Name string `xml:"name,attr"`
		Text string `xml:",chardata"`
	}
	kmlGeometry struct {
		Points   []kmlPositions `xml:"Point"`
		Lines    []kmlPositions `xml:"LineString"`
		Rings    []kmlPositions `xml:"LinearRing"`
		Polygons []kmlPolygon   `xml:"Polygon"`
		Multi    []kmlGeometry  `xml:"MultiGeometry"`
	}
	kmlPositions struct {
		Text string `xml:"coordinates"`
	}
	kmlPolygon struct {
		Outer []kmlPositions `xml:"outerBoundaryIs>LinearRing"`
		Inner []kmlPositions `xml:"innerBoundaryIs>LinearRing"`
	}
	kmlSchema struct {
		ID     string `xml:"id,attr"`
		Name   string `xml:"name,attr"`
		Fields []struct {
			Name string `xml:"name,attr"`
			Type string `xml:"type,attr"`
		} `xml:"SimpleField"`
	}
)

const maxKMLDepth = 100

// kmlReader collects placemarks first, since a schema may come after them.
type kmlReader struct {
	r          *reader
	dec        *xml.Decoder
	placemarks []kmlPlacemark
	schemas    map[string]*kmlSchema
}

func (r *reader) readKML(data []byte) error {
	r.file.Format = KML
	r.crs = &crs{name: wgs84Name}
	k := &kmlReader{r: r, dec: xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, utf8BOM))), schemas: make(map[string]*kmlSchema)}
	k.dec.Entity = xml.HTMLEntity
	k.dec.CharsetReader = xmlCharset
	if err := k.scan(); err != nil {
		line, column := k.dec.InputPos()
		return r.invalid("KML, line %d column %d: %w", line, column, err)
	}
	for i := range k.placemarks {
		if err := k.feature(&k.placemarks[i]); err != nil {
			return err
		}
		k.placemarks[i] = kmlPlacemark{} // its text is no longer needed
	}
	return nil
}

func xmlCharset(name string, from io.Reader) (io.Reader, error) {
	c := charsetByName(name)
	if c == unknownCharset {
		return nil, fmt.Errorf("encoding %.40q is not read", name)
	}
	b, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	text, err := decodeText(b, c)
	return bytes.NewReader(text), err
}

// scan walks the document once, keeping only where it is among the folders.
func (k *kmlReader) scan() error {
	var open []string // local names
	var folders []string
	links := 0
	for {
		token, err := k.dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.EndElement:
			open = open[:len(open)-1]
			if token.Name.Local == "Folder" {
				folders = folders[:len(folders)-1]
			}
		case xml.StartElement:
			if len(open) == 0 && token.Name.Local != "kml" {
				return fmt.Errorf("the root is <%.40s>, not <kml>", token.Name.Local)
			}
			if len(open) == maxKMLDepth {
				return fmt.Errorf("nested more than %d deep", maxKMLDepth)
			}
			taken, err := k.element(token, open, folders)
			if err != nil {
				return err
			}
			if taken {
				continue
			}
			switch token.Name.Local {
			case "Folder":
				folders = append(folders, "")
			case "NetworkLink":
				links++
			}
			open = append(open, token.Name.Local)
		}
	}
	if links > 0 {
		k.r.warn("%d network links are not followed", links)
	}
	return nil
}

// element reads the elements that are taken whole.
func (k *kmlReader) element(start xml.StartElement, open, folders []string) (taken bool, err error) {
	parent := ""
	if len(open) > 0 {
		parent = open[len(open)-1]
	}
	switch start.Name.Local {
	case "Placemark":
		if len(k.placemarks) >= k.r.opt.MaxFeatures {
			return true, fmt.Errorf("more than %d features", k.r.opt.MaxFeatures)
		}
		p := kmlPlacemark{folder: strings.Join(nonEmpty(folders), "/")}
		if err := k.dec.DecodeElement(&p, &start); err != nil {
			return true, err
		}
		k.placemarks = append(k.placemarks, p)
		return true, nil
	case "Schema":
		var s kmlSchema
		if err := k.dec.DecodeElement(&s, &start); err != nil {
			return true, err
		}
		k.schemas[s.ID] = &s
		if s.Name != "" {
			k.schemas[s.Name] = &s
		}
		return true, nil
	case "name":
		var name string
		if err := k.dec.DecodeElement(&name, &start); err != nil {
			return true, err
		}
		switch name = strings.TrimSpace(name); parent {
		case "Document":
			k.r.file.Name = name
		case "Folder":
			folders[len(folders)-1] = name
		}
		return true, nil
	}
	return false, nil
}

func nonEmpty(names []string) []string {
	var kept []string
	for _, n := range names {
		if n != "" {
			kept = append(kept, n)
		}
	}
	return kept
}

func (k *kmlReader) feature(p *kmlPlacemark) error {
	if err := k.r.begin(); err != nil {
		return err
	}
	props, err := k.properties(p)
	if err != nil {
		return k.r.admit(p.ID, nil, nil, err)
	}
	parts, err := k.r.kmlGeometries(&p.kmlGeometry, maxCollectionDepth)
	if err != nil {
		return k.r.admit(p.ID, nil, nil, err)
	}
	g := gather(parts)
	if len(parts) == 1 && len(p.Multi) == 0 {
		g = parts[0]
	}
	return k.r.admit(p.ID, props, g, nil)
}

// properties are the extended data, typed where a schema says how, then name,
// description and folder where no extended value has taken that name. Every
// field of a schema in use is there, null when the placemark leaves it out.
func (k *kmlReader) properties(p *kmlPlacemark) (Properties, error) {
	place := make(map[string]int)
	var props Properties
	set := func(name string, value any) error {
		if i, ok := place[name]; ok {
			props[i].Value = value
			return nil
		}
		place[name] = len(props)
		props = append(props, Property{name, value})
		return k.r.takeValues(1)
	}
	for _, data := range p.SchemaData {
		kinds := make(map[string]string)
		if schema := k.schemas[strings.TrimPrefix(data.URL, "#")]; schema != nil {
			for _, f := range schema.Fields {
				kinds[f.Name] = f.Type
				if err := set(f.Name, nil); err != nil {
					return nil, err
				}
			}
		}
		for _, v := range data.Values {
			if err := set(v.Name, kmlValue(v.Text, kinds[v.Name])); err != nil {
				return nil, err
			}
		}
	}
	for _, v := range p.Data {
		if err := set(v.Name, v.Value); err != nil {
			return nil, err
		}
	}
	for _, v := range []kmlSimple{{"name", strings.TrimSpace(p.Name)}, {"description", p.Description}, {"folder", p.folder}} {
		if _, taken := place[v.Name]; taken || v.Text == "" {
			continue
		}
		if err := set(v.Name, v.Text); err != nil {
			return nil, err
		}
	}
	return props, nil
}

// kmlValue types text as its SimpleField says; text that is not of the type
// stays text.
func kmlValue(s, kind string) any {
	trimmed := strings.TrimSpace(s)
	switch kind {
	case "int", "uint", "short", "ushort":
		if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return n
		}
	case "float", "double":
		if f, err := strconv.ParseFloat(trimmed, 64); err == nil {
			return f
		}
	case "bool":
		switch trimmed {
		case "1", "true":
			return true
		case "0", "false":
			return false
		}
	}
	return s
}

func (r *reader) kmlGeometries(g *kmlGeometry, depth int) (orb.Collection, error) {
	if depth == 0 {
		return nil, errCollectionDepth
	}
	var parts orb.Collection
	for i, p := range g.Points {
		points, err := r.kmlPositions(p.Text)
		if err == nil && len(points) != 1 {
			err = fmt.Errorf("%d positions", len(points))
		}
		if err != nil {
			return nil, at("point", i, err)
		}
		parts = append(parts, points[0])
	}
	for i, lines := range [][]kmlPositions{g.Lines, g.Rings} {
		for j, l := range lines {
			points, err := r.kmlPositions(l.Text)
			if err != nil {
				return nil, at([]string{"line", "ring"}[i], j, err)
			}
			parts = append(parts, orb.LineString(points))
		}
	}
	for i, p := range g.Polygons {
		polygon, err := r.kmlPolygon(p)
		if err != nil {
			return nil, at("polygon", i, err)
		}
		parts = append(parts, polygon)
	}
	for i := range g.Multi {
		inner, err := r.kmlGeometries(&g.Multi[i], depth-1)
		if err != nil {
			return nil, at("part", i, err)
		}
		parts = append(parts, inner...)
	}
	return parts, nil
}

var errOneOuter = errors.New("a polygon has exactly one outer boundary")

func (r *reader) kmlPolygon(p kmlPolygon) (orb.Polygon, error) {
	if len(p.Outer) != 1 {
		return nil, errOneOuter
	}
	var polygon orb.Polygon
	for i, ring := range append(p.Outer, p.Inner...) {
		points, err := r.kmlPositions(ring.Text)
		if err != nil {
			return nil, at("ring", i, err)
		}
		polygon = append(polygon, points)
	}
	return polygon, nil
}

// kmlPositions reads "lon,lat[,height] lon,lat ...".
func (r *reader) kmlPositions(s string) ([]orb.Point, error) {
	var points []orb.Point
	for tuple := range strings.FieldsSeq(s) {
		if err := r.takeVertices(1); err != nil {
			return nil, err
		}
		lon, rest, ok := strings.Cut(tuple, ",")
		lat, _, _ := strings.Cut(rest, ",")
		p := orb.Point{parseDegree(lon), parseDegree(lat)}
		if !ok || math.IsNaN(p[0]) || math.IsNaN(p[1]) {
			return nil, at("vertex", len(points), fmt.Errorf("%.60q is not longitude,latitude", tuple))
		}
		points = append(points, p)
	}
	return points, nil
}

// parseDegree is NaN for what is not a number.
func parseDegree(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
