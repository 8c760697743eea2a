package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geofile"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// areas are the features of a boundary file as grids: what the file says of
// each, and its rings under the grid's ID.
type areas struct {
	grids   []grid.Grid
	streets []grid.Street
	shapes  []partition.Shape
	// notes are what a reader of the file should know: which columns were
	// taken, what was left out.
	notes []string

	place map[grid.ID]int // in grids and shapes
	known map[string]bool // streets
}

// properties are the columns of a boundary file that say what an area is.
// Empty ones are guessed.
type properties struct{ id, name, street, streetTitle, department, departmentTitle string }

// Common names of the columns, the likeliest first. A code comes before an id,
// which is often only a row number.
var (
	idNames         = []string{"code", "grid_code", "编码", "网格编码", "代码", "admincode", "id", "gid", "grid", "编号", "number", "slug", "name", "名称", "neighborhood"}
	nameNames       = []string{"name", "名称", "grid_name", "网格名称"}
	streetNames     = []string{"street", "街镇", "街道", "street_code"}
	departmentNames = []string{"department", "责任部门", "dept"}

	// The names that go with a street's and a department's code. A Shapefile
	// holds ten bytes of a column's name and numbers those that become equal.
	streetTitles     = []string{"street_name", "street_nam"}
	departmentTitles = []string{"department_name", "departme_2", "departme_1"}
)

// areasOf reads each feature of f as a grid. Several features of one id are
// one grid in several parts. It is Invalid when the id column is missing,
// unknown or not filled in everywhere, or no feature is an area.
func areasOf(f *geofile.File, want properties) (*areas, error) {
	a := &areas{place: make(map[grid.ID]int), known: make(map[string]bool)}
	features := a.withAreas(f)
	if len(features) == 0 {
		return nil, fault.New(fault.Invalid, "%s has no areas", f.Name)
	}
	columns := f.Columns()
	var err error
	if want.id, err = a.idColumn(features, columns, want.id); err != nil {
		return nil, err
	}
	if want.name, err = column(columns, "name-property", want.name, nameNames); err != nil {
		return nil, err
	}
	if want.street, err = column(columns, "street-property", want.street, streetNames); err != nil {
		return nil, err
	}
	if want.department, err = column(columns, "department-property", want.department, departmentNames); err != nil {
		return nil, err
	}
	want.streetTitle, _ = column(columns, "", "", streetTitles)
	want.departmentTitle, _ = column(columns, "", "", departmentTitles)
	ids := numbersOf(features, want.id)
	for _, feature := range features {
		if err := a.add(feature, ids, want); err != nil {
			return nil, fmt.Errorf("feature %d (%s %q): %w", feature.Number, want.id, codeOf(feature, want.id), err)
		}
	}
	if parts := len(features) - len(a.grids); parts > 0 {
		a.notef("%d 个要素与其他要素编码相同，合并为一个网格 features share their id with another and are parts of one grid", parts)
	}
	return a, nil
}

func (a *areas) notef(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

// withAreas are the features that are areas; the others are noted.
func (a *areas) withAreas(f *geofile.File) []*geofile.Feature {
	var out []*geofile.Feature
	for i := range f.Features {
		if _, ok := f.Features[i].Polygons(); ok {
			out = append(out, &f.Features[i])
		}
	}
	if n := len(f.Features) - len(out); n > 0 {
		a.notef("%d 个要素不是面，已略过 features are no areas and were left out", n)
	}
	a.notes = append(a.notes, f.Warnings...)
	return out
}

// featureID stands for the id that a feature has beside its properties.
const featureID = "(feature id)"

func codeOf(f *geofile.Feature, column string) string {
	if column == featureID {
		return f.ID
	}
	return strings.TrimSpace(f.Text(column))
}

// idColumn is the column of ids: want, or the first likely one that is filled
// in and different everywhere, or the only one that is.
func (a *areas) idColumn(features []*geofile.Feature, columns []string, want string) (string, error) {
	if want != "" {
		c, err := column(columns, "id-property", want, nil)
		if err != nil {
			return "", err
		}
		for _, f := range features {
			if codeOf(f, c) == "" {
				return "", fault.InvalidField("id-property", "feature %d has no %q", f.Number, c)
			}
		}
		return c, nil
	}
	for _, guess := range idNames {
		if i := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, guess) }); i >= 0 && unique(features, columns[i]) {
			a.notef("按属性 %q 识别网格 grids are told by the property %q; --id-property picks another", columns[i], columns[i])
			return columns[i], nil
		}
	}
	if unique(features, featureID) {
		a.notef("按要素 id 识别网格 grids are told by the features' ids")
		return featureID, nil
	}
	likely := slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return !unique(features, c) })
	if len(likely) == 1 {
		a.notef("按属性 %q 识别网格 grids are told by the property %q", likely[0], likely[0])
		return likely[0], nil
	}
	return "", fault.InvalidField("id-property", "没有一个属性明显是编码，请指定 no property is plainly the id; name one. The properties are: %s", quoted(columns))
}

func unique(features []*geofile.Feature, column string) bool {
	seen := make(map[string]bool, len(features))
	for _, f := range features {
		code := codeOf(f, column)
		if code == "" || seen[code] {
			return false
		}
		seen[code] = true
	}
	return true
}

// column finds want, which must be there, or else the first of the guesses
// that is; empty when none is.
func column(columns []string, flag, want string, guesses []string) (string, error) {
	if want != "" {
		if slices.Contains(columns, want) {
			return want, nil
		}
		guesses = []string{want}
	}
	for _, g := range guesses {
		for _, c := range columns {
			if strings.EqualFold(c, g) {
				return c, nil
			}
		}
	}
	if want != "" {
		return "", fault.InvalidField(flag, "there is no property %q. The properties are: %s", want, quoted(columns))
	}
	return "", nil
}

func quoted(names []string) string {
	out := make([]string, 0, len(names))
	for _, n := range names[:min(len(names), 40)] {
		out = append(out, strconv.Quote(n))
	}
	if len(names) > 40 {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}

// numbersOf gives each code its grid.ID: the number that an id column or the
// feature's own id holds when that is one everywhere, so that IDs live through
// files; else 1, 2, 3 in the file's order.
func numbersOf(features []*geofile.Feature, idColumn string) map[string]grid.ID {
	for _, c := range []string{"id", featureID} {
		if ids := storedNumbers(features, idColumn, c); ids != nil {
			return ids
		}
	}
	ids := make(map[string]grid.ID)
	for _, f := range features {
		if code := codeOf(f, idColumn); ids[code] == grid.None {
			ids[code] = grid.ID(len(ids) + 1)
		}
	}
	return ids
}

func storedNumbers(features []*geofile.Feature, idColumn, from string) map[string]grid.ID {
	ids, codes := make(map[string]grid.ID), make(map[grid.ID]string)
	for _, f := range features {
		n, err := strconv.ParseUint(codeOf(f, from), 10, 32)
		code, id := codeOf(f, idColumn), grid.ID(n)
		if err != nil || id == grid.None || id > grid.MaxID {
			return nil
		}
		if other, ok := codes[id]; ok && other != code {
			return nil
		}
		if other, ok := ids[code]; ok && other != id {
			return nil
		}
		ids[code], codes[id] = id, code
	}
	return ids
}

func (a *areas) add(f *geofile.Feature, ids map[string]grid.ID, p properties) error {
	code := codeOf(f, p.id)
	id := ids[code]
	polygons, _ := f.Polygons()
	shape, collapsed, err := partition.ShapeOf(partition.FaceID(id), orb.MultiPolygon(polygons))
	if err != nil {
		return err
	}
	if collapsed > 0 {
		a.notef("要素 feature %d (%s): %d 个环小于 1 厘米，已略过 rings smaller than 1 cm were left out", f.Number, code, collapsed)
	}
	if i, ok := a.place[id]; ok {
		a.shapes[i].Rings = append(a.shapes[i].Rings, shape.Rings...)
		return nil
	}
	g := grid.Grid{ID: id, Code: code, Name: code}
	if name := strings.TrimSpace(f.Text(p.name)); name != "" {
		g.Name = name
	}
	if kind := grid.Kind(f.Text("kind")); kind == grid.Urban || kind == grid.Autonomous {
		g.Kind = kind
	}
	if g.Street = strings.TrimSpace(f.Text(p.street)); g.Street != "" {
		a.addStreet(g.Street, strings.TrimSpace(f.Text(p.streetTitle)))
	}
	if d := strings.TrimSpace(f.Text(p.department)); d != "" {
		g.Department = grid.Department{Code: d, Name: d}
		if name := strings.TrimSpace(f.Text(p.departmentTitle)); name != "" {
			g.Department.Name = name
		}
	}
	a.place[id] = len(a.grids)
	a.grids, a.shapes = append(a.grids, g), append(a.shapes, shape)
	return nil
}

func (a *areas) addStreet(code, name string) {
	if a.known[code] {
		return
	}
	a.known[code] = true
	if name == "" {
		name = code
	}
	a.streets = append(a.streets, grid.Street{Code: code, Name: name})
}
