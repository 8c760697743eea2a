package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/rivo/uniseg"

	"lianqin/internal/fault"
	"lianqin/internal/geofile"
	"lianqin/internal/partition"
)

type checkCommand struct {
	File      string `arg:"" help:"Boundary file: GeoJSON, TopoJSON, Shapefile (.shp or .zip), GeoPackage, KML. 边界文件。"`
	Layer     string `placeholder:"NAME" help:"Layer of a file that has several. 图层。"`
	Tolerance metres `default:"3m" help:"Gaps and overlaps narrower than this are slivers. 窄于此宽度的缝隙与重叠视为碎缝。"`
	JSON      bool   `help:"Print JSON with every defect. 输出 JSON。"`
	Limit     int    `default:"20" help:"Lines of each kind in the table; 0 prints all. 每类最多列出几行。"`
}

func (*checkCommand) Help() string {
	return `Lists invalid rings, overlaps, gaps and slivers with place, size and the areas concerned. Places that are plainly left out (a lake, another district's enclave) are uncovered, and no defect.

Exit code 退出码: 0 no defect 无缺陷; 1 defects 有缺陷; 3 the file cannot be read 文件不可读.

Examples 示例:

  lianqin check grids.shp
  lianqin check --tolerance 1m --limit 0 grids.gpkg
  lianqin check --json grids.geojson | jq '.defects[] | select(.kind == "overlap")'`
}

func (c *checkCommand) Run(s *session) error {
	f, err := readBoundaries(c.File, c.Layer)
	if err != nil {
		return err
	}
	in, err := inspected(f)
	if err != nil {
		return err
	}
	in.report = partition.Check(in.shapes, partition.CheckOptions{ToleranceM: float64(c.Tolerance)})
	if in.report.Err != nil {
		return in.report.Err
	}
	out := bufio.NewWriter(s.out)
	if c.JSON {
		err = in.json(out, c)
	} else {
		in.print(out, c)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return err
	}
	if !in.report.OK() || len(f.Refused) > 0 || len(in.collapsed) > 0 {
		return errFound
	}
	return nil
}

// inspection is a file with what is wrong with it. Each feature is a face of
// its own, so that a check needs no ids and misses no repeated one.
type inspection struct {
	file      *geofile.File
	shapes    []partition.Shape
	names     map[partition.FaceID]string
	others    int // features that are no areas
	collapsed []geofile.Refusal
	report    *partition.Report
}

func inspected(f *geofile.File) (*inspection, error) {
	in := &inspection{file: f, names: make(map[partition.FaceID]string)}
	naming := (&areas{}).withAreas(f)
	id, err := (&areas{}).idColumn(naming, f.Columns(), "")
	if err != nil {
		if id, err = column(f.Columns(), "name-property", "", append(nameNames, idNames...)); err != nil {
			return nil, err
		}
	}
	in.others = len(f.Features) - len(naming)
	for _, feature := range naming {
		face := partition.FaceID(feature.Number)
		if in.names[face] = codeOf(feature, id); in.names[face] == "" {
			in.names[face] = fmt.Sprintf("#%d", feature.Number)
		}
		polygons, _ := feature.Polygons()
		shape, _, err := partition.ShapeOf(face, polygons)
		if err != nil {
			in.collapsed = append(in.collapsed, geofile.Refusal{Feature: feature.Number, ID: in.names[face], Reason: err.Error()})
			continue
		}
		in.shapes = append(in.shapes, shape)
	}
	if len(in.shapes) == 0 && len(in.collapsed) == 0 && len(f.Refused) == 0 {
		return nil, fault.New(fault.Invalid, "%s 中没有面 holds no areas: %d features", f.Name, len(f.Features))
	}
	return in, nil
}

// kinds are the kinds of defects in the order of the table, with their names.
var kinds = []struct {
	kind    partition.DefectKind
	chinese string
}{
	{partition.InvalidRing, "无效环"},
	{partition.Crossing, "交叉"},
	{partition.Overlap, "重叠"},
	{partition.Gap, "缝隙"},
	{partition.Sliver, "碎缝"},
	{partition.Uncovered, "未覆盖"},
}

func (in *inspection) print(w io.Writer, c *checkCommand) {
	r := in.report
	fmt.Fprintf(w, "%s: %d 个面 areas, 覆盖 covered %s km², 容差 tolerance %g m\n",
		in.file.Name, len(in.shapes), humanize.CommafWithDigits(r.CoveredM2/1e6, 2), float64(c.Tolerance))
	if in.others > 0 {
		fmt.Fprintf(w, "%d 个要素不是面，未检查 features are no areas and were not checked\n", in.others)
	}
	for _, list := range [][]geofile.Refusal{in.file.Refused, in.collapsed} {
		for _, no := range list {
			fmt.Fprintf(w, "不可读 unreadable  %s\n", no)
		}
	}
	for _, k := range kinds {
		if k.kind == partition.Uncovered {
			continue
		}
		in.printKind(w, k.kind, k.chinese, c.Limit)
	}
	in.printVerdict(w)
	if len(r.Of(partition.Uncovered)) > 0 {
		fmt.Fprintln(w, "\n以下为未覆盖处，不是缺陷 uncovered places, which are no defects:")
		in.printKind(w, partition.Uncovered, "未覆盖", c.Limit)
	}
}

func (in *inspection) printKind(w io.Writer, kind partition.DefectKind, chinese string, limit int) {
	list := in.report.Of(kind)
	if len(list) == 0 {
		return
	}
	total := in.report.Totals[kind]
	fmt.Fprintf(w, "\n%s %s: %s 处 places, %s m²\n", chinese, kind, comma(int64(total.Count)), squareMetres(total.AreaM2))
	shown := list
	if limit > 0 && len(list) > limit {
		shown = list[:limit]
	}
	fmt.Fprintf(w, "  %s %s %s  %s\n", left("经度,纬度 lon,lat", 26), right("面积 area m²", 16), right("宽度 width m", 14), "涉及 areas")
	for _, d := range shown {
		p := d.At.Point()
		text := strings.Join(in.namesOf(d), " / ")
		if kind == partition.InvalidRing || kind == partition.Crossing || len(d.Faces) == 0 {
			text = strings.TrimPrefix(text+": "+d.Msg, ": ")
		}
		fmt.Fprintf(w, "  %s %16s %14.2f  %s\n", left(fmt.Sprintf("%.7f,%.7f", p[0], p[1]), 26), squareMetres(d.AreaM2), d.WidthM, text)
	}
	if len(shown) < len(list) {
		fmt.Fprintf(w, "  … 另有 %d 处 more: --limit 0\n", len(list)-len(shown))
	}
}

// left and right pad s to a width in terminal columns: a Chinese character
// takes two.
func left(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-uniseg.StringWidth(s)))
}

func right(s string, width int) string {
	return strings.Repeat(" ", max(0, width-uniseg.StringWidth(s))) + s
}

func squareMetres(m2 float64) string {
	if m2 < 1000 {
		return fmt.Sprintf("%.1f", m2)
	}
	return humanize.Comma(int64(math.Round(m2)))
}

func (in *inspection) namesOf(d partition.Defect) []string {
	names := make([]string, len(d.Faces))
	for i, f := range d.Faces {
		names[i] = in.names[f]
	}
	return names
}

func (in *inspection) printVerdict(w io.Writer) {
	r := in.report
	defects := len(r.Defects) - r.Totals[partition.Uncovered].Count
	switch {
	case r.Exact:
		fmt.Fprintln(w, "\n无缺陷，边界逐点吻合 no defects; the borders fit exactly")
	case r.OK():
		fmt.Fprintf(w, "\n无缺陷 no defects; 但有 %s 个顶点在邻面边界上没有对应点（看不出差别，清理时补齐） "+
			"but %s vertices have no counterpart on the neighbour's border, which convert --clean adds\n", comma(int64(r.Unmatched)), comma(int64(r.Unmatched)))
	default:
		fmt.Fprintf(w, "\n共 %s 处缺陷 defects in all; 缝隙与重叠占 gaps and overlaps take %.4f %% of the area\n", comma(int64(defects)), 100*r.Share)
	}
}

// checkJSON is the form of check --json.
type checkJSON struct {
	File       string       `json:"file"`
	Areas      int          `json:"areas"`
	ToleranceM float64      `json:"tolerance_m"`
	CoveredM2  float64      `json:"covered_m2"`
	OK         bool         `json:"ok"`
	Exact      bool         `json:"exact"`
	Share      float64      `json:"defective_share"`
	Unmatched  int          `json:"unmatched_vertices"`
	Defects    []defectJSON `json:"defects"`
	Uncovered  []defectJSON `json:"uncovered"`
	Unreadable []unreadable `json:"unreadable"`
}

type defectJSON struct {
	Kind   partition.DefectKind `json:"kind"`
	Areas  []areaJSON           `json:"areas"`
	Lon    float64              `json:"lon"`
	Lat    float64              `json:"lat"`
	AreaM2 float64              `json:"area_m2"`
	WidthM float64              `json:"width_m"`
	Detail string               `json:"detail,omitempty"`
}

type areaJSON struct {
	Feature int    `json:"feature"`
	Name    string `json:"name"`
}

type unreadable struct {
	Feature int    `json:"feature"`
	ID      string `json:"id,omitempty"`
	Reason  string `json:"reason"`
}

func (in *inspection) json(w io.Writer, c *checkCommand) error {
	r := in.report
	out := checkJSON{File: in.file.Name, Areas: len(in.shapes), ToleranceM: float64(c.Tolerance), CoveredM2: math.Round(r.CoveredM2),
		OK: r.OK() && len(in.file.Refused)+len(in.collapsed) == 0, Exact: r.Exact, Share: r.Share, Unmatched: r.Unmatched,
		Defects: []defectJSON{}, Uncovered: []defectJSON{}, Unreadable: []unreadable{}}
	for _, list := range [][]geofile.Refusal{in.file.Refused, in.collapsed} {
		for _, no := range list {
			out.Unreadable = append(out.Unreadable, unreadable(no))
		}
	}
	for _, d := range r.Defects {
		if d.Kind == partition.Uncovered {
			out.Uncovered = append(out.Uncovered, in.defectJSON(d))
		} else {
			out.Defects = append(out.Defects, in.defectJSON(d))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

func (in *inspection) defectJSON(d partition.Defect) defectJSON {
	p := d.At.Point()
	out := defectJSON{Kind: d.Kind, Areas: []areaJSON{}, Lon: p[0], Lat: p[1],
		AreaM2: math.Round(d.AreaM2*100) / 100, WidthM: math.Round(d.WidthM*1000) / 1000, Detail: d.Msg}
	for _, f := range d.Faces {
		out.Areas = append(out.Areas, areaJSON{int(f), in.names[f]})
	}
	return out
}
