package geofile

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/paulmach/orb"
)

// readJSON reads GeoJSON (RFC 7946: a FeatureCollection, a Feature or a bare
// geometry, and the older "crs" member) or TopoJSON, whichever data is.
func (r *reader) readJSON(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		decoded, err := decodeText(data, gb18030)
		if err != nil {
			return r.invalid("neither UTF-8 nor GB18030 text")
		}
		r.warn("the text is not UTF-8; read as GB18030")
		data = decoded
	}
	if err := checkJSON(data); err != nil {
		return r.invalid("not JSON: %w", err)
	}
	top := make(map[string][]byte)
	for name, v := range members(data) {
		switch name {
		case "type", "features", "crs", "name", "objects", "arcs", "transform":
			top[name] = v
		}
	}
	if err := r.readCRSMember(top["crs"]); err != nil {
		return err
	}
	if name := stringOf(top["name"]); name != "" {
		r.file.Name = name
	}
	switch kind := stringOf(top["type"]); kind {
	case "Topology":
		r.file.Format = TopoJSON
		return r.readTopology(top)
	case "FeatureCollection":
		r.file.Format = GeoJSON
		return r.readFeatures(top["features"])
	case "Feature":
		r.file.Format = GeoJSON
		return r.readFeature(data)
	case "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection":
		r.file.Format = GeoJSON
		if err := r.begin(); err != nil {
			return err
		}
		g, err := r.geometry(data, maxCollectionDepth)
		return r.admit("", nil, g, err)
	default:
		return r.invalid("its \"type\" is %.40q, which is neither GeoJSON's nor TopoJSON's", kind)
	}
}

func (r *reader) readCRSMember(v []byte) error {
	r.crs = &crs{name: wgs84Name + " (CRS84)"}
	if isNull(v) {
		return nil
	}
	name := ""
	for key, member := range members(v) {
		if key != "properties" {
			continue
		}
		for key, value := range members(member) {
			switch key {
			case "name":
				name = stringOf(value)
			case "code": // {"type":"EPSG","properties":{"code":4326}}
				name = "EPSG:" + string(bytes.Trim(value, `"`))
			}
		}
	}
	c, ok := byName(name)
	if !ok {
		return r.invalid("its coordinate system %.80q is not supported; WGS 84, CGCS2000, its Gauss-Kruger zones, UTM and Web Mercator are", name)
	}
	r.crs = c
	return nil
}

func (r *reader) readFeatures(v []byte) error {
	if !isKind(v, '[') {
		return r.invalid("a FeatureCollection without a \"features\" array")
	}
	for raw := range elements(v) {
		if err := r.readFeature(raw); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) readFeature(v []byte) error {
	if err := r.begin(); err != nil {
		return err
	}
	var kind, id string
	var rawProps, rawGeometry []byte
	for name, member := range members(v) {
		switch name {
		case "type":
			kind = stringOf(member)
		case "id":
			id = idOf(member)
		case "properties":
			rawProps = member
		case "geometry":
			rawGeometry = member
		}
	}
	if kind != "Feature" {
		return r.admit(id, nil, nil, fmt.Errorf("not a GeoJSON Feature"))
	}
	props, err := r.properties(rawProps)
	if err != nil {
		return r.admit(id, nil, nil, err)
	}
	if isNull(rawGeometry) {
		return r.admit(id, props, nil, nil)
	}
	g, err := r.geometry(rawGeometry, maxCollectionDepth)
	return r.admit(id, props, g, err)
}

// idOf is a string's text or a number as it is written.
func idOf(v []byte) string {
	if isKind(v, '"') {
		return stringOf(v)
	}
	if len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') {
		return string(v)
	}
	return ""
}

const maxCollectionDepth = 8

var (
	errCollectionDepth = fmt.Errorf("collections nested more than %d deep", maxCollectionDepth)
	errNoCoordinates   = errors.New("no \"coordinates\" array")
)

func (r *reader) geometry(v []byte, depth int) (orb.Geometry, error) {
	var kind string
	var coordinates, geometries []byte
	for name, member := range members(v) {
		switch name {
		case "type":
			kind = stringOf(member)
		case "coordinates":
			coordinates = member
		case "geometries":
			geometries = member
		}
	}
	if kind == "GeometryCollection" {
		return r.geometryCollection(geometries, depth)
	}
	if !isKind(coordinates, '[') {
		return nil, fmt.Errorf("%.40s: %w", kind, errNoCoordinates)
	}
	if i := skipSpace(coordinates, 1); coordinates[i] == ']' {
		return nil, nil // RFC 7946, 3.1: to be read as null
	}
	s := &coordinateScanner{r: r, b: coordinates}
	switch kind {
	case "Point":
		return s.position()
	case "MultiPoint":
		return positions[orb.MultiPoint](s)
	case "LineString":
		return positions[orb.LineString](s)
	case "MultiLineString":
		return list(s, "line", positions[orb.LineString, orb.Point], orb.MultiLineString(nil))
	case "Polygon":
		return s.polygon()
	case "MultiPolygon":
		return list(s, "polygon", (*coordinateScanner).polygon, orb.MultiPolygon(nil))
	}
	return nil, fmt.Errorf("%.40q is not a kind of geometry", kind)
}

func (r *reader) geometryCollection(v []byte, depth int) (orb.Geometry, error) {
	if depth == 0 {
		return nil, errCollectionDepth
	}
	var all orb.Collection
	for raw := range elements(v) {
		g, err := r.geometry(raw, depth-1)
		if err != nil {
			return nil, at("part", len(all), err)
		}
		all = append(all, g)
	}
	return all, nil
}
