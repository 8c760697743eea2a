package geofile

import (
	"encoding/xml"
	"io"
	"math"

	"github.com/paulmach/orb"
	orbwkb "github.com/paulmach/orb/encoding/wkb"
	geomkml "github.com/twpayne/go-geom/encoding/kml"
	geomwkb "github.com/twpayne/go-geom/encoding/wkb"
	"github.com/twpayne/go-kml/v3"
)

// encodeKML writes one document with a schema, so that numbers stay numbers
// (see kmlType). The property "name" is also the placemark's name. KML cannot tell an empty
// value from none: nulls are left out.
func encodeKML(w io.Writer, f *File) error {
	const schemaID = "attributes"
	columns := typedColumns(f)
	schema := kml.NamedSchema(schemaID, f.layerName())
	for _, c := range columns {
		schema.Append(kml.SimpleField(c.name, kmlType(f, c)))
	}
	document := kml.Document(kml.Name(f.layerName()), schema)
	for i := range f.Features {
		ft := &f.Features[i]
		placemark := &kmlPlacemarkElement{id: ft.ID}
		if name := ft.Text("name"); name != "" {
			placemark.children = append(placemark.children, kml.Name(name))
		}
		data := kml.SchemaData("#" + schemaID)
		for _, p := range ft.Properties {
			if p.Value != nil {
				data.Append(kml.SimpleData(p.Name, text(p.Value)))
			}
		}
		placemark.children = append(placemark.children, kml.ExtendedData(data))
		if ft.Geometry != nil {
			g, err := kmlElement(ft.Geometry)
			if err != nil {
				return f.invalid(i, "%w", err)
			}
			placemark.children = append(placemark.children, g)
		}
		document.Append(placemark)
	}
	return kml.KML(document).WriteIndent(w, "", " ")
}

// kmlPlacemarkElement is a placemark with an id attribute, which go-kml's own
// has not.
type kmlPlacemarkElement struct {
	id       string
	children []kml.Element
}

func (p *kmlPlacemarkElement) MarshalXML(encoder *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: xml.Name{Local: "Placemark"}}
	if p.id != "" {
		start.Attr = []xml.Attr{{Name: xml.Name{Local: "id"}, Value: p.id}}
	}
	if err := encoder.EncodeToken(start); err != nil {
		return err
	}
	for _, child := range p.children {
		if err := child.MarshalXML(encoder, xml.StartElement{}); err != nil {
			return err
		}
	}
	return encoder.EncodeToken(start.End())
}

// kmlType is a column's SimpleField type. KML's int has 32 bits; a column with
// longer integers is double while that holds them exactly, and text beyond.
func kmlType(f *File, c column) string {
	const exact = 1 << 53
	switch c.kind {
	case boolColumn:
		return "bool"
	case floatColumn:
		return "double"
	case textColumn:
		return "string"
	}
	kind := "int"
	for i := range f.Features {
		v, _ := f.Features[i].Properties.Lookup(c.name)
		n, _ := v.(int64)
		if n < -exact || n > exact {
			return "string"
		}
		if n < math.MinInt32 || n > math.MaxInt32 {
			kind = "double"
		}
	}
	return kind
}

// kmlElement goes by way of WKB, the form that orb and go-geom share.
func kmlElement(g orb.Geometry) (kml.Element, error) {
	b, err := orbwkb.Marshal(turned(g))
	if err != nil {
		return nil, err
	}
	t, err := geomwkb.Unmarshal(b)
	if err != nil {
		return nil, err
	}
	return geomkml.Encode(t)
}
