package httpapi

import (
	"encoding/binary"
	"math"
)

// Mapbox Vector Tile 2.1, https://github.com/mapbox/vector-tile-spec: a tile
// is a protocol buffer of layers, a layer holds features whose tags are pairs
// of places in the layer's lists of keys and values.

// tileExtent is how many units a tile measures each way.
const tileExtent = 4096

type geomType uint64

const (
	pointGeom   geomType = 1
	lineGeom    geomType = 2
	polygonGeom geomType = 3
)

// tilePoint is a position in units of a tile's grid, y downwards.
type tilePoint struct{ X, Y int32 }

// layer collects the features of one layer.
type layer struct {
	name     string
	features []byte
	keys     []string
	values   [][]byte
	keyAt    map[string]uint64
	valueAt  map[string]uint64

	tags, geometry, message []byte
	cursor                  tilePoint
}

func newLayer(name string) *layer {
	return &layer{name: name, keyAt: make(map[string]uint64), valueAt: make(map[string]uint64)}
}

func (l *layer) tagText(key, value string) {
	v := append([]byte{1<<3 | 2}, binary.AppendUvarint(nil, uint64(len(value)))...)
	l.tag(key, append(v, value...))
}

func (l *layer) tagUint(key string, value uint64) {
	l.tag(key, binary.AppendUvarint([]byte{5 << 3}, value))
}

func (l *layer) tagDouble(key string, value float64) {
	l.tag(key, binary.LittleEndian.AppendUint64([]byte{3<<3 | 1}, math.Float64bits(value)))
}

// tag adds a key and an encoded Value to the feature that is being made.
func (l *layer) tag(key string, value []byte) {
	k, ok := l.keyAt[key]
	if !ok {
		k = uint64(len(l.keys))
		l.keyAt[key] = k
		l.keys = append(l.keys, key)
	}
	v, ok := l.valueAt[string(value)]
	if !ok {
		v = uint64(len(l.values))
		l.valueAt[string(value)] = v
		l.values = append(l.values, value)
	}
	l.tags = binary.AppendUvarint(binary.AppendUvarint(l.tags, k), v)
}

// point, line and ring add to the geometry of the feature that is being made.
// A ring's first point is not repeated.
func (l *layer) point(p tilePoint) {
	l.command(1, 1)
	l.to(p)
}

func (l *layer) line(line []tilePoint) {
	l.point(line[0])
	l.command(2, len(line)-1)
	for _, p := range line[1:] {
		l.to(p)
	}
}

func (l *layer) ring(ring []tilePoint) {
	l.line(ring)
	l.command(7, 1)
}

func (l *layer) command(id, count int) {
	l.geometry = binary.AppendUvarint(l.geometry, uint64(count<<3|id))
}

func (l *layer) to(p tilePoint) {
	l.geometry = binary.AppendUvarint(l.geometry, zigzag(p.X-l.cursor.X))
	l.geometry = binary.AppendUvarint(l.geometry, zigzag(p.Y-l.cursor.Y))
	l.cursor = p
}

func zigzag(v int32) uint64 { return uint64(uint32(v<<1 ^ v>>31)) }

// end closes the feature; one without geometry is left out.
func (l *layer) end(id uint64, kind geomType) {
	if len(l.geometry) > 0 {
		m := l.message[:0]
		if id > 0 {
			m = binary.AppendUvarint(append(m, 1<<3), id)
		}
		m = appendBytes(m, 2, l.tags)
		m = binary.AppendUvarint(append(m, 3<<3), uint64(kind))
		m = appendBytes(m, 4, l.geometry)
		l.message = m
		l.features = appendBytes(l.features, 2, m)
	}
	l.tags, l.geometry, l.cursor = l.tags[:0], l.geometry[:0], tilePoint{}
}

// appendTo appends the layer to a tile; an empty one is left out.
func (l *layer) appendTo(tile []byte) []byte {
	if len(l.features) == 0 {
		return tile
	}
	m := binary.AppendUvarint([]byte{15 << 3}, 2)
	m = appendBytes(m, 1, []byte(l.name))
	m = append(m, l.features...)
	for _, k := range l.keys {
		m = appendBytes(m, 3, []byte(k))
	}
	for _, v := range l.values {
		m = appendBytes(m, 4, v)
	}
	m = binary.AppendUvarint(append(m, 5<<3), tileExtent)
	return appendBytes(tile, 3, m)
}

// appendBytes appends a length-delimited field.
func appendBytes(b []byte, field uint64, value []byte) []byte {
	b = binary.AppendUvarint(b, field<<3|2)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}
