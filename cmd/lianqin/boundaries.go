package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"lianqin/internal/fault"
	"lianqin/internal/geofile"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// boundaryFlags choose the district that a command works with.
type boundaryFlags struct {
	Boundaries         string `placeholder:"FILE" help:"Boundary file: GeoJSON, TopoJSON, Shapefile, GeoPackage, KML; the demonstration district without one. 边界文件，缺省为演示辖区。"`
	Layer              string `placeholder:"NAME" help:"Layer of a file that has several. 图层。"`
	IDProperty         string `name:"id-property" placeholder:"P" help:"Property that holds the grid's code; guessed from code, 编码, id, name… 网格编码属性。"`
	NameProperty       string `placeholder:"P" help:"Property that holds its name. 网格名称属性。"`
	StreetProperty     string `placeholder:"P" help:"Property that holds its street. 街镇属性。"`
	DepartmentProperty string `placeholder:"P" help:"Property that holds the responsible department. 责任部门属性。"`
	cleaningFlags

	web bool // the file came over the web: its sender sees neither flags nor paths
}

// cleaningFlags say what may be repaired without asking.
type cleaningFlags struct {
	Tolerance metres                `default:"3m" help:"Gaps and overlaps narrower than this are repaired. 自动修补窄于此宽度的缝隙与重叠。"`
	MaxNoise  share                 `default:"0.1%" help:"Share of the area above which a file is refused instead. 修补面积占比上限，超过则拒绝。"`
	Overlaps  partition.OverlapRule `enum:"refuse,first,larger" default:"refuse" help:"Who keeps a wider overlap: ${enum}. 较宽的重叠归谁。"`
}

func (c *cleaningFlags) options() partition.CleanOptions {
	opt := partition.CleanOptions{ToleranceM: float64(c.Tolerance), MaxNoise: float64(c.MaxNoise), Overlaps: c.Overlaps}
	if c.Overlaps == "refuse" {
		opt.Overlaps = partition.RefuseOverlaps
	}
	return opt
}

// load makes the generation that the flags choose.
func (b *boundaryFlags) load(s *session) (*grid.Generation, error) {
	if b.Boundaries == "" {
		return demonstration()
	}
	f, err := readBoundaries(b.Boundaries, b.Layer)
	if err != nil {
		return nil, err
	}
	return b.generation(s, f)
}

// generation makes one of a file that was read.
func (b *boundaryFlags) generation(s *session, f *geofile.File) (*grid.Generation, error) {
	if err := f.Err(); err != nil { // a grid that could not be read would silently be "outside"
		if b.web {
			return nil, unreadableFile(f)
		}
		return nil, err
	}
	a, err := areasOf(f, properties{id: b.IDProperty, name: b.NameProperty, street: b.StreetProperty, department: b.DepartmentProperty})
	if err != nil {
		return nil, err
	}
	name := filepath.Base(b.Boundaries)
	s.notef("%s: %d 个网格 grids", name, len(a.grids))
	for _, note := range a.notes {
		s.notef("%s: %s", name, note)
	}
	part, err := b.fit(s, name, a)
	if err != nil && !b.web {
		err = fmt.Errorf("%s: %w", b.Boundaries, err)
	}
	if err != nil {
		return nil, err
	}
	return grid.New(1, grid.Source{Streets: a.streets, Grids: a.grids, Partition: part})
}

// name is what the district is called for want of a better name.
func (b *boundaryFlags) name() string {
	if b.Boundaries == "" {
		return "演示辖区 demonstration"
	}
	return filepath.Base(b.Boundaries)
}

// usualCleaning is what the flags say when nobody does.
var usualCleaning = cleaningFlags{Tolerance: 3, MaxNoise: 0.001, Overlaps: "refuse"}

// fit proves the areas, after repairing what is small enough.
func (b *boundaryFlags) fit(s *session, name string, a *areas) (*partition.Partition, error) {
	part, err := partition.New(a.shapes)
	if _, not := errors.AsType[*partition.NotPartition](err); !not {
		return part, err
	}
	part, report, err := partition.Clean(a.shapes, b.options())
	if refused, ok := errors.AsType[*partition.Refused](err); ok {
		names := make(map[partition.FaceID]string, len(a.grids))
		for _, g := range a.grids {
			names[partition.FaceID(g.ID)] = g.Code
		}
		in := &inspection{names: names, report: report}
		if b.web {
			return nil, in.refusal(refused)
		}
		return nil, notCleaned(s, refused, in, b.Boundaries)
	}
	if err != nil {
		return nil, err
	}
	s.notef("%s: 边界已清理 borders cleaned: %s", name, repairLine(report))
	return part, nil
}

// notCleaned lists the largest defects and makes the error that says how to go
// on.
func notCleaned(s *session, refused *partition.Refused, in *inspection, path string) error {
	for _, k := range kinds {
		if k.kind != partition.Uncovered {
			in.printKind(s.err, k.kind, k.chinese, 10)
		}
	}
	msg := fmt.Sprintf("未清理 not cleaned: %s\n全部缺陷 all defects: lianqin check %s", refused.Why, path)
	if refused.Report.Totals[partition.Overlap].Count > 0 {
		msg += "\n较宽的重叠须由人裁定 somebody has to decide about the wider overlaps; or give them by rule: --overlaps first, --overlaps larger"
	}
	return fault.New(fault.Invalid, "%s", msg)
}

// repairLine sums up what Clean did.
func repairLine(r *partition.Report) string {
	c := r.Repairs
	line := fmt.Sprintf("%d 处缝隙 gaps (%s m²), %d 处重叠 overlaps (%s m²), %d 个顶点移动或去除 vertices moved or dropped",
		c.Filled.Count, squareMetres(c.Filled.AreaM2), c.Given.Count, squareMetres(c.Given.AreaM2), c.Moves.Count)
	if c.Moves.Count > 0 {
		line += fmt.Sprintf("，新边界离旧边界至多 new borders lie at most %.2f m from the old", c.Moves.MaxM)
	}
	if n := len(c.Left); n > 0 {
		line += fmt.Sprintf(", %d 处缝隙保留 gaps left open", n)
	}
	return line
}
