package demo

import (
	"bufio"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// notice stands at the head of every file written.
const notice = "演示数据，非官方边界：轮廓简化，街镇与网格界线由程序生成。Demonstration data, not an official boundary: the outline is simplified, the borders of streets and grids are generated."

// head is the part of a file before its features.
type head struct {
	Type    string        `json:"type"`
	Name    string        `json:"name"`
	Notice  string        `json:"notice"`
	Streets []grid.Street `json:"streets"`
}

// properties of one grid's feature.
type properties struct {
	ID             grid.ID   `json:"id"`
	Code           string    `json:"code"`
	Name           string    `json:"name"`
	Kind           grid.Kind `json:"kind"`
	Street         string    `json:"street"`
	StreetName     string    `json:"street_name"`
	Department     string    `json:"department"`
	DepartmentName string    `json:"department_name"`
}

// WriteDistrict generates the district that geodata embeds and writes it, the
// same bytes every time.
func WriteDistrict(w io.Writer) error {
	src, err := District(Options{})
	if err != nil {
		return err
	}
	return Write(w, src)
}

// Write writes src as GeoJSON (RFC 7946): WGS-84 with seven decimals, so that
// nothing is rounded, one grid a line, in the order of src.Grids. The streets
// stand as a member of their own before the features. It is Invalid when a
// grid's face is not one ring without holes; a district made here has no
// other.
func Write(w io.Writer, src grid.Source) error {
	out := bufio.NewWriterSize(w, 1<<16)
	names := make(map[string]string, len(src.Streets))
	for _, s := range src.Streets {
		names[s.Code] = s.Name
	}
	top, err := json.Marshal(head{"FeatureCollection", "demonstration-district", notice, src.Streets})
	if err != nil {
		return err
	}
	out.Write(top[:len(top)-1])
	out.WriteString(featuresMark)
	var line []byte
	for i, g := range src.Grids {
		polygons := src.Partition.Polygons(partition.FaceID(g.ID))
		if len(polygons) != 1 || len(polygons[0]) != 1 {
			return fault.New(fault.Invalid, "grid %s is not one ring without holes", g.Code)
		}
		about, err := json.Marshal(properties{g.ID, g.Code, g.Name, g.Kind, g.Street, names[g.Street], g.Department.Code, g.Department.Name})
		if err != nil {
			return err
		}
		line = append(line[:0], `{"type":"Feature","id":`...)
		line = strconv.AppendUint(line, uint64(g.ID), 10)
		line = append(append(line, propertiesMark...), about...)
		line = appendRing(append(line, geometryMark...), polygons[0][0])
		line = append(line, `]}}`...)
		if i < len(src.Grids)-1 {
			line = append(line, ',')
		}
		out.Write(append(line, '\n'))
	}
	out.WriteString("]}\n")
	return out.Flush()
}

const (
	featuresMark   = ",\"features\":[\n"
	propertiesMark = `,"properties":`
	geometryMark   = `,"geometry":{"type":"Polygon","coordinates":[`
)

// appendRing writes ring from its lowest vertex on, and closes it.
func appendRing(line []byte, ring partition.Ring) []byte {
	low := 0
	for i := range ring {
		if ring[i].Less(ring[low]) {
			low = i
		}
	}
	closed := slices.Concat(ring[low:], ring[:low+1])
	for i, c := range closed {
		lead := ",["
		if i == 0 {
			lead = "[["
		}
		line = appendDegrees(append(line, lead...), c.X)
		line = appendDegrees(append(line, ','), c.Y)
		line = append(line, ']')
	}
	return append(line, ']')
}

// appendDegrees writes units as degrees with seven decimals.
func appendDegrees(line []byte, units int32) []byte {
	v := int64(units)
	if v < 0 {
		line, v = append(line, '-'), -v
	}
	line = strconv.AppendInt(line, v/geo.UnitsPerDegree, 10)
	part := strconv.AppendInt(nil, v%geo.UnitsPerDegree+geo.UnitsPerDegree, 10)
	part[0] = '.'
	return append(line, part...)
}
