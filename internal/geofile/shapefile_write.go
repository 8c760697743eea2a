package geofile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// wgs84PRJ is the text that Esri's and GDAL's readers both know.
const wgs84PRJ = `GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`

var shapefileParts = []string{".shp", ".shx", ".dbf", ".prj", ".cpg"}

func writeLoose(path string, f *File) error {
	parts, err := shapefileBytes(f)
	if err != nil {
		return err
	}
	base := path[:len(path)-len(filepath.Ext(path))]
	for _, ext := range shapefileParts {
		err := save(base+ext, func(w io.Writer) error {
			_, err := w.Write(parts[ext])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func encodeShapefileZip(w io.Writer, f *File) error {
	parts, err := shapefileBytes(f)
	if err != nil {
		return err
	}
	packed := zip.NewWriter(w)
	for _, ext := range shapefileParts {
		entry, err := packed.Create(strings.NewReplacer("/", "_", `\`, "_").Replace(f.layerName()) + ext)
		if err != nil {
			return err
		}
		if _, err := entry.Write(parts[ext]); err != nil {
			return err
		}
	}
	return packed.Close()
}

// shapefileBytes are the five files by extension.
func shapefileBytes(f *File) (map[string][]byte, error) {
	f = idColumn(f)
	kind, err := shapeKind(f)
	if err != nil {
		return nil, err
	}
	s := &shapeWriter{kind: kind}
	for i := range f.Features {
		if err := s.add(f.Features[i].Geometry); err != nil {
			return nil, f.invalid(i, "%w", err)
		}
	}
	dbf, err := tableBytes(f)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		".shp": s.file(s.shp.Bytes()), ".shx": s.file(s.shx.Bytes()), ".dbf": dbf,
		".prj": []byte(wgs84PRJ), ".cpg": []byte("UTF-8"),
	}, nil
}

// shapeKind is the one shape type that holds all of the file's geometries.
func shapeKind(f *File) (uint32, error) {
	kind := uint32(shapeNull)
	for i := range f.Features {
		var k uint32
		switch g := f.Features[i].Geometry.(type) {
		case nil:
			continue
		case orb.Point:
			k = shapePoint
		case orb.MultiPoint:
			k = shapeMultiPoint
		case orb.LineString, orb.MultiLineString:
			k = shapePolyLine
		case orb.Polygon, orb.MultiPolygon:
			k = shapePolygon
		default:
			return 0, f.invalid(i, "a Shapefile holds no %s", g.GeoJSONType())
		}
		switch {
		case kind == shapeNull || kind == k:
			kind = k
		case kind+k == shapePoint+shapeMultiPoint:
			kind = shapeMultiPoint
		default:
			return 0, f.invalid(i, "a Shapefile holds points, lines or polygons, not several of them")
		}
	}
	return kind, nil
}

// shapeWriter gathers the records of the .shp and the entries of the .shx.
type shapeWriter struct {
	kind     uint32
	shp, shx bytes.Buffer
	bound    orb.Bound
	hasBound bool
	records  uint32
}

// maxShapeBytes is what the format's signed count of 16-bit words can say.
const maxShapeBytes = math.MaxInt32 - 1

func (s *shapeWriter) add(g orb.Geometry) error {
	rec := s.record(g)
	if int64(s.shp.Len())+int64(len(rec))+shapeHeaderBytes+recordHeader > maxShapeBytes {
		return fault.New(fault.Invalid, "the .shp grows over %d bytes", maxShapeBytes)
	}
	s.records++
	words := uint32(len(rec) / 2)
	head := binary.BigEndian.AppendUint32(nil, s.records)
	head = binary.BigEndian.AppendUint32(head, words)
	entry := binary.BigEndian.AppendUint32(nil, uint32(shapeHeaderBytes+s.shp.Len())/2)
	s.shx.Write(binary.BigEndian.AppendUint32(entry, words))
	s.shp.Write(head)
	s.shp.Write(rec)
	if g != nil {
		if !s.hasBound {
			s.bound, s.hasBound = g.Bound(), true
		}
		s.bound = s.bound.Union(g.Bound())
	}
	return nil
}

func (s *shapeWriter) record(g orb.Geometry) []byte {
	if g == nil {
		return binary.LittleEndian.AppendUint32(nil, shapeNull)
	}
	b := binary.LittleEndian.AppendUint32(nil, s.kind)
	if p, ok := g.(orb.Point); ok && s.kind == shapePoint {
		return appendPoints(b, []orb.Point{p})
	}
	bound := g.Bound()
	b = appendPoints(b, []orb.Point{bound.Min, bound.Max})
	if s.kind == shapeMultiPoint {
		points, ok := g.(orb.MultiPoint)
		if !ok {
			points = orb.MultiPoint{g.(orb.Point)}
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(points)))
		return appendPoints(b, points)
	}
	parts := shapePartsOf(g)
	total := 0
	for _, p := range parts {
		total += len(p)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(parts)))
	b = binary.LittleEndian.AppendUint32(b, uint32(total))
	from := 0
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint32(b, uint32(from))
		from += len(p)
	}
	for _, p := range parts {
		b = appendPoints(b, p)
	}
	return b
}

func appendPoints(b []byte, points []orb.Point) []byte {
	for _, p := range points {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p[0]))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p[1]))
	}
	return b
}

// shapePartsOf turns outer rings clockwise and holes counter-clockwise, the
// contrary of GeoJSON.
func shapePartsOf(g orb.Geometry) (parts [][]orb.Point) {
	switch g := g.(type) {
	case orb.LineString:
		return [][]orb.Point{g}
	case orb.MultiLineString:
		for _, line := range g {
			parts = append(parts, line)
		}
	default:
		all, _ := polygons(turned(g))
		for _, p := range all {
			for _, ring := range p {
				slices.Reverse(ring)
				parts = append(parts, ring)
			}
		}
	}
	return parts
}

// file puts the 100-byte header before the .shp's or the .shx's content.
func (s *shapeWriter) file(content []byte) []byte {
	const version = 1000
	b := make([]byte, 24, shapeHeaderBytes+len(content))
	copy(b, shapeMagic)
	b = binary.BigEndian.AppendUint32(b, uint32(shapeHeaderBytes+len(content))/2)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, s.kind)
	b = appendPoints(b, []orb.Point{s.bound.Min, s.bound.Max})
	b = append(b, make([]byte, shapeHeaderBytes-len(b))...) // no heights, no measures
	return append(b, content...)
}
