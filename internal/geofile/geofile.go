// Package geofile reads and writes boundary files: GeoJSON, TopoJSON (reading
// only), Shapefile, GeoPackage and KML. It turns every one of them into the
// same File of Features in WGS-84 degrees, and says which features it refused
// and why.
//
// It trusts nothing in a file: every count, length and offset is held against
// the bytes that are really there before anything is allocated, and Options
// bounds the whole. It does not judge or repair topology (partition does), does
// not know what a grid or a street is, and does not follow links out of a file.
//
// All functions may be called from several goroutines at once.
package geofile

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// Format is the kind of a boundary file.
type Format string

const (
	GeoJSON    Format = "geojson"
	TopoJSON   Format = "topojson"
	Shapefile  Format = "shapefile"
	GeoPackage Format = "geopackage"
	KML        Format = "kml"
)

// File is one layer of features. A File that Read returned is the caller's to
// change.
type File struct {
	// Name is the layer's own name, or the file's without its extension.
	Name   string
	Format Format
	// CRS is the coordinate system the file declared, in words, and empty when
	// it declared none and its format implies none. Coordinates have been
	// brought to WGS-84 whatever it says.
	CRS      string
	Features []Feature
	// Refused lists the features that were left out; Warnings what was read
	// otherwise than it was written.
	Refused  []Refusal
	Warnings []string
}

// Err is nil when every feature of the file was read, and otherwise one
// Invalid error that counts the refused and quotes the first.
func (f *File) Err() error {
	if len(f.Refused) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s: %d of %d features refused: %s",
		f.Name, len(f.Refused), len(f.Refused)+len(f.Features), f.Refused[0])
}

// Columns is the name of every property that some feature has, in order of
// first appearance.
func (f *File) Columns() []string {
	var names []string
	seen := make(map[string]bool)
	for i := range f.Features {
		for _, p := range f.Features[i].Properties {
			if !seen[p.Name] {
				seen[p.Name] = true
				names = append(names, p.Name)
			}
		}
	}
	return names
}

// Refusal is a feature that could not be read. Feature counts from 1 in the
// file's order; ID is empty when the feature has none.
type Refusal struct {
	Feature int
	ID      string
	Reason  string
}

func (r Refusal) String() string {
	if r.ID == "" {
		return fmt.Sprintf("feature %d: %s", r.Feature, r.Reason)
	}
	return fmt.Sprintf("feature %d (id %s): %s", r.Feature, r.ID, r.Reason)
}

// Feature is one geometry with its attributes.
//
// Geometry is in WGS-84 degrees, longitude first, every coordinate finite and
// within ±180, ±90; nil when the feature has none or an empty one. From Read,
// a polygon's first ring is its outer ring and runs counter-clockwise, the
// others are holes and run clockwise, and each repeats its first vertex at the
// end. Heights and measures are dropped.
type Feature struct {
	// Number is the feature's place in the file it came from, from 1; refused
	// features keep theirs. Writers ignore it.
	Number int
	// ID is the GeoJSON id, the GeoPackage primary key or the KML id attribute
	// as text. Shapefiles have none.
	ID         string
	Properties Properties
	Geometry   orb.Geometry
}

// Polygons is the feature's area, sharing memory with Geometry. It is false
// for points, lines, mixtures of them with polygons, and no geometry at all.
func (f *Feature) Polygons() (orb.MultiPolygon, bool) { return polygons(f.Geometry) }

func polygons(g orb.Geometry) (orb.MultiPolygon, bool) {
	switch g := g.(type) {
	case orb.Polygon:
		return orb.MultiPolygon{g}, len(g) > 0
	case orb.MultiPolygon:
		return g, len(g) > 0
	case orb.Collection:
		var all orb.MultiPolygon
		for _, part := range g {
			mp, ok := polygons(part)
			if !ok {
				return nil, false
			}
			all = append(all, mp...)
		}
		return all, len(all) > 0
	}
	return nil, false
}

// Text is the named property as text, empty when it is absent or null. Numbers
// are in plain decimal notation; arrays and objects are JSON.
func (f *Feature) Text(property string) string {
	v, _ := f.Properties.Lookup(property)
	return text(v)
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.RawMessage:
		return string(v)
	}
	return ""
}

// Property is one attribute. Value is nil, bool, int64, float64 (finite),
// string, or, from GeoJSON and TopoJSON, a json.RawMessage that holds a whole
// array or object.
type Property struct {
	Name  string
	Value any
}

// Properties are a feature's attributes in the file's order, each name once.
type Properties []Property

// Lookup is the value of the named property and whether there is one.
func (p Properties) Lookup(name string) (any, bool) {
	for i := range p {
		if p[i].Name == name {
			return p[i].Value, true
		}
	}
	return nil, false
}
