package geofile

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// Write writes f to path in the format that the extension names: .geojson or
// .json (also with .gz behind), .shp (with .shx, .dbf, .prj and .cpg beside
// it), .zip (those five in an archive), .gpkg or .kml. Each file appears whole
// or not at all; existing ones are replaced.
//
// It is Invalid when the extension is another, or when the format cannot hold
// the features without loss, and says which feature and why. Shortened or
// repeated column names are no loss: Shapefile's ten bytes and GeoPackage's
// case-blind names make do with numbered ones.
func Write(path string, f *File) error {
	lower := strings.ToLower(path)
	switch {
	case strings.HasSuffix(lower, ".geojson.gz"), strings.HasSuffix(lower, ".json.gz"):
		return save(path, func(w io.Writer) error {
			packed := gzip.NewWriter(w)
			if err := encodeGeoJSON(packed, f); err != nil {
				return err
			}
			return packed.Close()
		})
	case strings.HasSuffix(lower, ".shp"):
		return writeLoose(path, f)
	}
	format, ok := map[string]Format{".geojson": GeoJSON, ".json": GeoJSON, ".zip": Shapefile, ".gpkg": GeoPackage, ".kml": KML}[extension(path)]
	if !ok {
		return fault.New(fault.Invalid, "%s: cannot write %q files; .geojson, .shp, .zip (Shapefile), .gpkg and .kml can be written", path, extension(path))
	}
	return save(path, func(w io.Writer) error { return Encode(w, f, format) })
}

// Encode writes f to w as GeoJSON, GeoPackage, KML, or, for Shapefile, a zip of
// its five files. Errors are as for Write; TopoJSON is not written.
func Encode(w io.Writer, f *File, format Format) error {
	switch format {
	case GeoJSON:
		return encodeGeoJSON(w, f)
	case Shapefile:
		return encodeShapefileZip(w, f)
	case GeoPackage:
		return encodeGeoPackage(w, f)
	case KML:
		return encodeKML(w, f)
	}
	return fault.New(fault.Invalid, "format %q cannot be written", format)
}

// save writes beside path and renames, so that a failure leaves the old file.
// What is there must be a regular file: nothing else is replaced.
func save(path string, encode func(io.Writer) error) (err error) {
	if there, err := os.Stat(path); err == nil && !there.Mode().IsRegular() {
		return fault.New(fault.Invalid, "%s is no regular file", path)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".lianqin-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			temp.Close()
			os.Remove(temp.Name())
		}
	}()
	w := bufio.NewWriterSize(temp, 1<<16)
	if err = encode(w); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	if err = temp.Chmod(0o644); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

func (f *File) invalid(i int, format string, args ...any) error {
	return fault.New(fault.Invalid, f.Name+": feature %d: "+format, append([]any{i + 1}, args...)...)
}

// columnKind is the type of a column in the formats that need one.
type columnKind int

const (
	noValues columnKind = iota
	boolColumn
	intColumn
	floatColumn
	textColumn
)

type column struct {
	name string
	kind columnKind
}

// typedColumns gives every column the narrowest type that holds its values.
func typedColumns(f *File) []column {
	names := f.Columns()
	columns := make([]column, len(names))
	place := make(map[string]int, len(names))
	for i, name := range names {
		columns[i].name = name
		place[name] = i
	}
	for i := range f.Features {
		for _, p := range f.Features[i].Properties {
			c := &columns[place[p.Name]]
			c.kind = wider(c.kind, kindOf(p.Value))
		}
	}
	for i := range columns {
		if columns[i].kind == noValues {
			columns[i].kind = textColumn
		}
	}
	return columns
}

func kindOf(v any) columnKind {
	switch v.(type) {
	case nil:
		return noValues
	case bool:
		return boolColumn
	case int64:
		return intColumn
	case float64:
		return floatColumn
	}
	return textColumn
}

func wider(a, b columnKind) columnKind {
	if a > b {
		a, b = b, a
	}
	if a == boolColumn && b > boolColumn {
		return textColumn
	}
	return b
}

// idColumn adds the features' ids as a first column "id" where the format has
// no other place for them and no property of that name does it already.
func idColumn(f *File) *File {
	hasIDs := slices.ContainsFunc(f.Features, func(ft Feature) bool { return ft.ID != "" })
	hasColumn := slices.ContainsFunc(f.Columns(), func(name string) bool { return strings.EqualFold(name, "id") })
	if !hasIDs || hasColumn {
		return f
	}
	out := &File{Name: f.Name, Format: f.Format, Features: slices.Clone(f.Features)}
	for i := range out.Features {
		ft := &out.Features[i]
		ft.Properties = append(Properties{{"id", ft.ID}}, ft.Properties...)
	}
	return out
}

// layerName is the file's name, or something to call it.
func (f *File) layerName() string {
	if f.Name == "" {
		return "boundaries"
	}
	return f.Name
}

// turned is a copy of a geometry whose polygons run as Feature promises, with
// holes the other way round.
func turned(g orb.Geometry) orb.Geometry {
	g = orb.Clone(g)
	switch g := g.(type) {
	case orb.Polygon:
		turn(g)
	case orb.MultiPolygon:
		for _, p := range g {
			turn(p)
		}
	case orb.Collection:
		for i := range g {
			g[i] = turned(g[i])
		}
	}
	return g
}
