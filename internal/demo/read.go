package demo

import (
	"bytes"
	"encoding/json"
	"fmt"

	"lianqin/geodata"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// Embedded is the demonstration district that ships with the program, read
// from geodata and proven again. It is the same as District(Options{}), at a
// fraction of the time.
func Embedded() (grid.Source, error) {
	src, err := read(geodata.District)
	if err != nil {
		return src, fmt.Errorf("district.geojson: %w", err)
	}
	return src, nil
}

// read takes in what Write writes and nothing else: other people's GeoJSON is
// geofile's work.
func read(data []byte) (grid.Source, error) {
	var src grid.Source
	first, rest, ok := bytes.Cut(data, []byte(featuresMark))
	if !ok {
		return src, fault.New(fault.Invalid, "no features")
	}
	var top head
	if err := json.Unmarshal(append(bytes.Clone(first), '}'), &top); err != nil {
		return src, err
	}
	src.Streets = top.Streets
	var shapes []partition.Shape
	for n := 1; ; n++ {
		var line []byte
		line, rest, ok = bytes.Cut(rest, []byte("\n"))
		if !ok {
			return src, fault.New(fault.Invalid, "line %d: no end", n)
		}
		if string(line) == "]}" {
			break
		}
		g, ring, err := readFeature(bytes.TrimSuffix(line, []byte(",")))
		if err != nil {
			return src, fmt.Errorf("feature %d: %w", n, err)
		}
		src.Grids = append(src.Grids, g)
		shapes = append(shapes, partition.Shape{ID: partition.FaceID(g.ID), Rings: []partition.Ring{ring}})
	}
	var err error
	src.Partition, err = partition.New(shapes)
	return src, err
}

func readFeature(line []byte) (grid.Grid, partition.Ring, error) {
	about, geometry, ok := bytes.Cut(line, []byte(geometryMark))
	_, about, ok2 := bytes.Cut(about, []byte(propertiesMark))
	if !ok || !ok2 {
		return grid.Grid{}, nil, fault.New(fault.Invalid, "not a polygon with properties")
	}
	var p properties
	if err := json.Unmarshal(about, &p); err != nil {
		return grid.Grid{}, nil, err
	}
	ring, err := readRing(geometry)
	if err != nil {
		return grid.Grid{}, nil, fmt.Errorf("%s: %w", p.Code, err)
	}
	return grid.Grid{
		ID: p.ID, Code: p.Code, Name: p.Name, Kind: p.Kind, Street: p.Street,
		Department: grid.Department{Code: p.Department, Name: p.DepartmentName},
	}, ring, nil
}

// readRing reads [[x,y],…,[x,y]] and drops the closing vertex. Degrees with
// seven decimals are units with a point in them.
func readRing(text []byte) (partition.Ring, error) {
	ring := make(partition.Ring, 0, len(text)/len(`[121.0000000,31.0000000],`))
	var pair [2]int64
	axis, digits, decimals, sign := 0, 0, -1, int64(1)
	for i, c := range text {
		switch {
		case c >= '0' && c <= '9' && digits < 10:
			pair[axis] = pair[axis]*10 + int64(c-'0')
			digits++
			if decimals >= 0 {
				decimals++
			}
		case c == '-' && digits == 0:
			sign = -1
		case c == '.' && digits > 0 && decimals < 0:
			decimals = 0
		case c == '[' && digits == 0:
		case (c == ',' || c == ']') && decimals == 7:
			pair[axis] *= sign
			if axis == 1 {
				if abs(pair[0]) > 180*geo.UnitsPerDegree || abs(pair[1]) > 90*geo.UnitsPerDegree {
					return nil, fault.New(fault.Invalid, "the position before %d is not on the globe", i)
				}
				ring = append(ring, geo.Coord{X: int32(pair[0]), Y: int32(pair[1])})
				pair = [2]int64{}
			}
			axis, digits, decimals, sign = 1-axis, 0, -1, 1
		case c == ',' && digits == 0:
		case c == ']' && digits == 0: // the ring's own end
			if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
				return nil, fault.New(fault.Invalid, "the ring does not close")
			}
			return ring[:len(ring)-1], nil
		default:
			return nil, fault.New(fault.Invalid, "%q at %d is not a coordinate with seven decimals", c, i)
		}
	}
	return nil, fault.New(fault.Invalid, "the ring has no end")
}
