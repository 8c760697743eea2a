package geofile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// Esri's shape types; +10 adds heights and measures, +20 measures. Source:
// ESRI Shapefile Technical Description, July 1998.
const (
	shapeNull       = 0
	shapePoint      = 1
	shapePolyLine   = 3
	shapePolygon    = 5
	shapeMultiPoint = 8
)

const (
	shapeHeaderBytes = 100
	recordHeader     = 8
	boxBytes         = 32
	pointBytes       = 16
)

// readShapefile reads a .shp and what lies beside it.
func (r *reader) readShapefile(shp []byte, beside siblings) error {
	r.file.Format = Shapefile
	parts := make(map[string][]byte)
	for _, ext := range []string{".dbf", ".prj", ".cpg", ".shx"} {
		data, err := beside(ext)
		if err != nil {
			return err
		}
		parts[ext] = data
	}
	if err := r.readPRJ(parts[".prj"]); err != nil {
		return err
	}
	records, err := r.shapeRecords(shp, parts[".shx"])
	if err != nil {
		return err
	}
	var t *table
	if parts[".dbf"] == nil {
		r.warn("no .dbf beside the .shp: the features have no attributes; bring the parts in one .zip")
	} else if t, err = r.readTable(parts[".dbf"], parts[".cpg"]); err != nil {
		return err
	} else if t.count != len(records) {
		r.warn("the .shp has %d records, the .dbf %d", len(records), t.count)
	}
	return r.readShapes(records, t)
}

func (r *reader) readPRJ(prj []byte) error {
	if len(prj) == 0 {
		r.warn("no .prj: the coordinates are taken as WGS 84 degrees")
		return nil
	}
	c, err := byWKT(string(prj))
	if err != nil {
		return r.invalid(".prj: %w", err)
	}
	r.crs = c
	return nil
}

func (r *reader) readShapes(records [][]byte, t *table) error {
	deleted := 0
	rings := ringSorter{work: maxRingWork}
	for i, rec := range records {
		if err := r.begin(); err != nil {
			return err
		}
		var props Properties
		if t != nil && i < t.count {
			if t.deleted(i) {
				deleted++
				continue
			}
			var err error
			if props, err = t.row(r, i); err != nil {
				return err
			}
		}
		g, err := r.shape(rec, &rings)
		if err := r.admit("", props, g, err); err != nil {
			return err
		}
	}
	if deleted > 0 {
		r.warn("%d records are marked as deleted; left out", deleted)
	}
	if rings.strayHoles > 0 {
		r.warn("%d rings run as holes but lie in no outer ring; read as outer rings", rings.strayHoles)
	}
	return nil
}

// shapeRecords are the contents of the .shp's records in feature order. The
// .shx is the authority where there is a sound one: an edited .shp may hold
// stale copies of records between the live ones.
func (r *reader) shapeRecords(shp, shx []byte) ([][]byte, error) {
	if len(shp) < shapeHeaderBytes {
		return nil, r.invalid("%d bytes are too few for a .shp header", len(shp))
	}
	claim := int64(int32(binary.BigEndian.Uint32(shp[24:]))) * 2
	if claim < shapeHeaderBytes || claim > int64(len(shp)) {
		return nil, r.invalid("the .shp header claims %d bytes; the file has %d", claim, len(shp))
	}
	if len(shx) > 0 {
		if records := indexedRecords(shp, shx); records != nil {
			return records, nil
		}
		r.warn("the .shx does not fit the .shp; records read in the .shp's order")
	}
	var records [][]byte
	for at := int64(shapeHeaderBytes); at < claim; {
		rec, end := recordAt(shp[:claim], at)
		if rec == nil {
			return nil, r.invalid("record %d at byte %d claims more bytes than the .shp's %d", len(records)+1, at, claim)
		}
		if len(records) >= r.opt.MaxFeatures {
			return nil, r.invalid("more than %d features", r.opt.MaxFeatures)
		}
		records = append(records, rec)
		at = end
	}
	return records, nil
}

// recordAt is the content of the record at byte at, and the byte after it; nil
// when it does not lie within shp.
func recordAt(shp []byte, at int64) ([]byte, int64) {
	if at < shapeHeaderBytes || at+recordHeader > int64(len(shp)) {
		return nil, 0
	}
	from := at + recordHeader
	end := from + int64(int32(binary.BigEndian.Uint32(shp[at+4:])))*2
	if end < from || end > int64(len(shp)) {
		return nil, 0
	}
	return shp[from:end:end], end
}

// indexedRecords is nil when some entry of the index has no record.
func indexedRecords(shp, shx []byte) [][]byte {
	if len(shx) < shapeHeaderBytes || (len(shx)-shapeHeaderBytes)%8 != 0 {
		return nil
	}
	entries := shx[shapeHeaderBytes:]
	records := make([][]byte, 0, len(entries)/8)
	for ; len(entries) > 0; entries = entries[8:] {
		rec, _ := recordAt(shp, int64(int32(binary.BigEndian.Uint32(entries)))*2)
		if rec == nil {
			return nil
		}
		records = append(records, rec)
	}
	return records
}

var errShortShape = errors.New("the record is too short for its shape")

// shape reads one record's geometry.
func (r *reader) shape(b []byte, rings *ringSorter) (orb.Geometry, error) {
	if len(b) < 4 {
		return nil, errShortShape
	}
	kind := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if kind == shapeNull {
		return nil, nil
	}
	if kind > shapeMultiPoint+20 {
		return nil, fmt.Errorf("shape type %d is not read", kind)
	}
	switch kind % 10 {
	case shapePoint:
		points, err := r.shapePoints(b, 1)
		if err != nil {
			return nil, err
		}
		return points[0], nil
	case shapeMultiPoint:
		if len(b) < boxBytes+4 {
			return nil, errShortShape
		}
		points, err := r.shapePoints(b[boxBytes+4:], binary.LittleEndian.Uint32(b[boxBytes:]))
		return orb.MultiPoint(points), err
	case shapePolyLine:
		parts, err := r.shapeParts(b)
		if err != nil {
			return nil, err
		}
		return lineOf(parts), nil
	case shapePolygon:
		parts, err := r.shapeParts(b)
		if err != nil {
			return nil, err
		}
		return rings.polygons(parts)
	}
	return nil, fmt.Errorf("shape type %d is not read", kind)
}

func lineOf(parts [][]orb.Point) orb.Geometry {
	if len(parts) == 1 {
		return orb.LineString(parts[0])
	}
	var lines orb.MultiLineString
	for _, p := range parts {
		lines = append(lines, p)
	}
	return lines
}

func (r *reader) shapePoints(b []byte, n uint32) ([]orb.Point, error) {
	if int64(n)*pointBytes > int64(len(b)) {
		return nil, fmt.Errorf("claims %d points in %d bytes", n, len(b))
	}
	if err := r.takeVertices(int(n)); err != nil {
		return nil, err
	}
	points := make([]orb.Point, n)
	for i := range points {
		points[i] = orb.Point{float64At(b[i*pointBytes:]), float64At(b[i*pointBytes+8:])}
	}
	return points, nil
}

func float64At(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }

// shapeParts reads the lines or rings of a record after its shape type. Empty
// parts are dropped.
func (r *reader) shapeParts(b []byte) ([][]orb.Point, error) {
	if len(b) < boxBytes+8 {
		return nil, errShortShape
	}
	nParts := int64(binary.LittleEndian.Uint32(b[boxBytes:]))
	nPoints := binary.LittleEndian.Uint32(b[boxBytes+4:])
	b = b[boxBytes+8:]
	if nParts*4 > int64(len(b)) {
		return nil, fmt.Errorf("claims %d parts in %d bytes", nParts, len(b))
	}
	starts, b := b[:nParts*4], b[nParts*4:]
	points, err := r.shapePoints(b, nPoints)
	if err != nil {
		return nil, err
	}
	var parts [][]orb.Point
	for i := range int(nParts) {
		from, to := binary.LittleEndian.Uint32(starts[i*4:]), nPoints
		if i+1 < int(nParts) {
			to = binary.LittleEndian.Uint32(starts[i*4+4:])
		}
		if from > to || to > nPoints {
			return nil, at("part", i, fmt.Errorf("runs from point %d to %d of %d", from, to, nPoints))
		}
		if from < to {
			parts = append(parts, points[from:to:to])
		}
	}
	return parts, nil
}
