package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/geofile"
	"lianqin/internal/partition"
)

type convertCommand struct {
	In     string `arg:"" help:"Boundary file to read. 输入边界文件。"`
	Out    string `arg:"" help:"File to write: .geojson, .geojson.gz, .shp, .zip (Shapefile), .gpkg, .kml. 输出文件，格式由扩展名决定。"`
	Layer  string `placeholder:"NAME" help:"Layer of a file that has several. 图层。"`
	Clean  bool   `help:"Repair narrow gaps and overlaps so that the areas fit exactly. 清理边界，使相邻面严丝合缝。"`
	Report string `placeholder:"FILE" help:"Write the repair report as JSON. 将清理报告写为 JSON。"`
	cleaningFlags
}

func (*convertCommand) Help() string {
	return `Any readable format becomes any writable one; coordinates become WGS-84. With --clean the report of what moved, how far, and how many m² changed hands goes to standard error, and with --report to a file. A file with more than noise is refused with the list and nothing is written.

Examples 示例:

  lianqin convert grids.shp grids.geojson
  lianqin convert --clean --tolerance 3m --report repairs.json grids.kml grids.gpkg`
}

func (c *convertCommand) Run(s *session) error {
	if c.Report != "" && !c.Clean {
		return usagef("--report needs --clean")
	}
	f, err := readBoundaries(c.In, c.Layer)
	if err != nil {
		return err
	}
	for _, w := range f.Warnings {
		s.notef("%s", w)
	}
	if c.Clean {
		if err := c.clean(s, f); err != nil {
			return err
		}
	}
	if err := geofile.Write(c.Out, f); err != nil {
		return noFolder(c.Out, err)
	}
	s.notef("%d 个要素 features: %s (%s) → %s", len(f.Features), filepath.Base(c.In), f.Format, filepath.Base(c.Out))
	if len(f.Refused) == 0 {
		return nil
	}
	for _, no := range f.Refused {
		fmt.Fprintf(s.err, "convert: 不可读，已缺失 unreadable and left out: %s\n", no)
	}
	return errFound
}

// clean puts the repaired areas in the place of the features' own.
func (c *convertCommand) clean(s *session, f *geofile.File) error {
	in, err := inspected(f)
	if err != nil {
		return err
	}
	if len(in.collapsed) > 0 {
		return fmt.Errorf("%s: %s", c.In, in.collapsed[0])
	}
	part, report, err := partition.Clean(in.shapes, c.options())
	in.report = report
	if refused, ok := errors.AsType[*partition.Refused](err); ok {
		return errors.Join(fmt.Errorf("%s: %w", c.In, notCleaned(s, refused, in, c.In)), c.writeReport(in, false))
	}
	if err != nil {
		return err
	}
	for i := range f.Features {
		feature := &f.Features[i]
		if _, ok := feature.Polygons(); !ok {
			continue
		}
		area := partition.MultiPolygonOf(part.Polygons(partition.FaceID(feature.Number)))
		feature.Geometry = area
		if len(area) == 1 {
			feature.Geometry = orb.Polygon(area[0])
		}
	}
	in.describeRepairs(s)
	return c.writeReport(in, true)
}

// describeRepairs prints what was done, the ten largest of each.
func (in *inspection) describeRepairs(s *session) {
	r := in.report.Repairs
	s.notef("已清理 cleaned: %s", repairLine(in.report))
	for _, e := range r.Exchanges[:min(10, len(r.Exchanges))] {
		s.notef("  %14s m²  %s → %s", squareMetres(e.AreaM2), in.nameOf(e.From), in.nameOf(e.To))
	}
	for _, m := range r.Moves.Largest[:min(10, len(r.Moves.Largest))] {
		p := m.From.Point()
		s.notef("  %14.2f m   %s 的旧顶点离新边界 an old vertex lies off the new border, at %.7f,%.7f", m.DistanceM, in.nameOf(m.Face), p[0], p[1])
	}
	for _, d := range r.Left {
		p := d.At.Point()
		s.notef("  保留 left open at %.7f,%.7f: %s m²", p[0], p[1], squareMetres(d.AreaM2))
	}
}

func (in *inspection) nameOf(f partition.FaceID) string {
	if f == partition.Outside {
		return "(无 none)"
	}
	return in.names[f]
}

// repairsJSON is the form of convert --report.
type repairsJSON struct {
	File      string         `json:"file"`
	Cleaned   bool           `json:"cleaned"`
	CoveredM2 float64        `json:"covered_m2"`
	Share     float64        `json:"repaired_share"`
	Filled    totalJSON      `json:"gaps_filled"`
	Given     totalJSON      `json:"overlaps_given"`
	Moved     int            `json:"vertices_moved"` // or dropped
	MaxMoveM  float64        `json:"max_move_m"`     // of the new borders from the old
	Moves     []moveJSON     `json:"largest_moves"`  // of old vertices to the new borders
	Exchanges []exchangeJSON `json:"exchanges"`
	Left      []defectJSON   `json:"left_open"`
	Found     []defectJSON   `json:"found"`
}

type totalJSON struct {
	Count  int     `json:"count"`
	AreaM2 float64 `json:"area_m2"`
}

type moveJSON struct {
	Area string     `json:"area"`
	From [2]float64 `json:"from"`
	To   [2]float64 `json:"to"`
	M    float64    `json:"m"`
}

type exchangeJSON struct {
	From   string  `json:"from"` // empty for what was a gap
	To     string  `json:"to"`
	AreaM2 float64 `json:"area_m2"`
}

func (c *convertCommand) writeReport(in *inspection, cleaned bool) error {
	if c.Report == "" {
		return nil
	}
	r, rep := in.report, in.report.Repairs
	out := repairsJSON{File: in.file.Name, Cleaned: cleaned, CoveredM2: math.Round(r.CoveredM2), Share: rep.Share,
		Filled: totalJSON(rep.Filled), Given: totalJSON(rep.Given), Moved: rep.Moves.Count, MaxMoveM: rep.Moves.MaxM,
		Moves: []moveJSON{}, Exchanges: []exchangeJSON{}, Left: []defectJSON{}, Found: []defectJSON{}}
	for _, m := range rep.Moves.Largest {
		out.Moves = append(out.Moves, moveJSON{in.names[m.Face], degrees(m.From), degrees(m.To), m.DistanceM})
	}
	for _, e := range rep.Exchanges {
		out.Exchanges = append(out.Exchanges, exchangeJSON{in.names[e.From], in.names[e.To], e.AreaM2})
	}
	for _, d := range rep.Left {
		out.Left = append(out.Left, in.defectJSON(d))
	}
	for _, d := range r.Defects {
		out.Found = append(out.Found, in.defectJSON(d))
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.Report, append(data, '\n'), 0o644)
}

func degrees(c geo.Coord) [2]float64 { return c.Point() }
