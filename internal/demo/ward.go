package demo

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"

	"math"
	"slices"
	"strconv"

	"github.com/paulmach/orb"

	"lianqin/geodata"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// ward is what the lists say of one street.
type ward struct {
	code, name        string
	seat              geo.Coord
	areaM2, urbanM2   int64
	urban, autonomous int
	villages          []string // names, as many as autonomous at least
}

// wards reads the streets and their villages, in the order of their codes.
func wards() ([]ward, error) {
	var out []ward
	err := eachRow("streets.csv", geodata.Streets, func(r row) error {
		seat, err := geo.Quantise(orb.Point{r.number("seat_lon"), r.number("seat_lat")})
		if err != nil {
			return err
		}
		out = append(out, ward{
			code: r.text("code"), name: r.text("name"), seat: seat,
			areaM2: r.km2("area_km2"), urbanM2: r.km2("urban_km2"),
			urban: int(r.number("urban_grids")), autonomous: int(r.number("autonomous_grids")),
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b ward) int { return cmp.Compare(a.code, b.code) })
	err = eachRow("villages.csv", geodata.Villages, func(r row) error {
		i, ok := slices.BinarySearchFunc(out, r.text("street_code"), func(w ward, code string) int { return cmp.Compare(w.code, code) })
		if !ok {
			return fault.InvalidField("street_code", "there is no street %q", r.text("street_code"))
		}
		out[i].villages = append(out[i].villages, r.text("name"))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, w := range out {
		if w.urban < 1 || w.autonomous < 1 || w.urbanM2 <= 0 || w.areaM2 <= w.urbanM2 || len(w.villages) < w.autonomous {
			return nil, fault.New(fault.Invalid, "street %s %s: grids, areas and villages do not agree", w.code, w.name)
		}
	}
	return out, nil
}

// row is one CSV row by column name; err is its first fault.
type row struct {
	columns map[string]int
	fields  []string
	err     *error
}

func (r row) text(column string) string {
	i, ok := r.columns[column]
	if !ok {
		*r.err = fault.InvalidField(column, "there is no such column")
		return ""
	}
	return r.fields[i]
}

func (r row) number(column string) float64 {
	v, err := strconv.ParseFloat(r.text(column), 64)
	if err != nil && *r.err == nil {
		*r.err = fault.InvalidField(column, "%w", err)
	}
	return v
}

// km2 is an area in whole square metres.
func (r row) km2(column string) int64 { return int64(math.Round(r.number(column) * 1e6)) }

func eachRow(file string, data []byte, visit func(row) error) error {
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if len(lines) == 0 {
		return fault.New(fault.Invalid, "%s: no header", file)
	}
	columns := make(map[string]int)
	for i, name := range lines[0] {
		columns[name] = i
	}
	for i, fields := range lines[1:] {
		var bad error
		if err := visit(row{columns, fields, &bad}); err != nil || bad != nil {
			return fmt.Errorf("%s row %d: %w", file, i+2, cmp.Or(bad, err))
		}
	}
	return nil
}

// outline reads the district's one ring, counter-clockwise.
func outline() ([]geo.Coord, error) {
	var file struct {
		Features []struct {
			Geometry struct {
				Type        string
				Coordinates [][]orb.Point
			}
		}
	}
	if err := json.Unmarshal(geodata.Outline, &file); err != nil {
		return nil, fmt.Errorf("jiading-outline.geojson: %w", err)
	}
	if len(file.Features) != 1 || file.Features[0].Geometry.Type != "Polygon" || len(file.Features[0].Geometry.Coordinates) != 1 {
		return nil, fault.New(fault.Invalid, "jiading-outline.geojson is not one polygon without holes")
	}
	points := file.Features[0].Geometry.Coordinates[0]
	ring := make([]geo.Coord, 0, len(points))
	for _, p := range points[:len(points)-1] {
		c, err := geo.Quantise(p)
		if err != nil {
			return nil, fmt.Errorf("jiading-outline.geojson: %w", err)
		}
		ring = append(ring, c)
	}
	if newPlot(ring, nil).area() < 0 {
		slices.Reverse(ring)
	}
	return ring, nil
}
