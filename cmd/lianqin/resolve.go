package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/mattn/go-isatty"

	"lianqin/internal/geo"
	"lianqin/internal/locate"
	"lianqin/internal/table"
)

type resolveCommand struct {
	boundaryFlags `group:"边界 Boundaries:"`

	Input string `arg:"" optional:"" help:"File to read; standard input without one. 输入文件，缺省为标准输入。"`
	Out   string `short:"o" placeholder:"FILE" help:"File to write; standard output without one. 输出文件。" env:"-"`

	Format    table.Format `enum:"auto,csv,ndjson" default:"auto" help:"csv or ndjson; told by the first character. 格式。"`
	Datum     geo.Datum    `enum:"wgs84,cgcs2000,gcj02,bd09" default:"wgs84" help:"Datum of the coordinates: ${enum}. 坐标系。"`
	LonColumn string       `placeholder:"NAME" help:"Longitude column, by name or number; guessed from lon, lng, longitude, 经度, x… 经度列。"`
	LatColumn string       `placeholder:"NAME" help:"Latitude column; guessed from lat, latitude, 纬度, y… 纬度列。"`

	Delimiter   string         `placeholder:"C" help:"Field delimiter of the CSV: one character or 'tab'; told by the header. 分隔符。"`
	NoHeader    bool           `help:"The CSV has no header; columns are numbers. 无表头。"`
	Encoding    table.Encoding `enum:"auto,utf-8,gb18030" default:"auto" help:"Encoding of the CSV: ${enum}; gb18030 includes GBK. 编码。"`
	MinDecimals int            `default:"2" help:"A position with fewer decimals in both coordinates is refused as rounded; 0 takes all. 少于此小数位的坐标视为取整。"`
	Strict      bool           `help:"Exit with 1 when a row's coordinates are unusable. 有不可用坐标时退出码为 1。"`
	Threads     int            `default:"${threads}" help:"Threads to work on. 线程数。"`
}

func (*resolveCommand) Help() string {
	return `Rows keep their order and their bytes; these columns are appended:

  grid         code of the grid 网格编码
  grid_name    its name 网格名称
  street       name of its street 街镇
  department   name of the responsible department 责任部门
  border_m     metres to the nearest grid border 距最近网格边界（米）
  reason       empty, or why there is no grid, "word: sentence" 未落格原因

Reasons: outside, missing, not-a-number, out-of-range, zero, rounded, ragged, malformed, too-long. They are counted on standard error; no row is ever dropped, and no grid is ever guessed.

Examples 示例:

  lianqin resolve < reports.csv > resolved.csv
  lianqin resolve --datum gcj02 --lon-column 经度 --lat-column 纬度 reports.csv -o resolved.csv
  lianqin resolve --boundaries grids.shp --id-property CODE < points.csv > out.csv
  zcat big.ndjson.gz | lianqin resolve --format ndjson | gzip > out.ndjson.gz`
}

func (c *resolveCommand) Run(s *session) (err error) {
	opt, err := c.options()
	if err != nil {
		return err
	}
	in, size, err := c.open(s)
	if err != nil {
		return err
	}
	defer in.Close()
	gen, err := c.load(s)
	if err != nil {
		return err
	}
	out, finish, err := s.create(c.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish(err == nil || errors.Is(err, errFound))) }()

	bar := newProgress(s, size)
	opt.Begin = func(l table.Layout) { describeLayout(s, l) }
	opt.Progress = bar.show
	began := time.Now()
	sum, err := table.Resolve(s.ctx, out, in, gen, locate.New(gen), opt)
	bar.close()
	if err != nil {
		if sum.Rows > 0 && c.Out == "" {
			s.notef("已写出 %s 行后中止 stopped after writing %s rows", comma(sum.Rows), comma(sum.Rows))
		}
		return err
	}
	summarise(s, sum, time.Since(began))
	if c.Strict && sum.Refused() > 0 {
		return errFound
	}
	return nil
}

func (c *resolveCommand) options() (table.Options, error) {
	opt := table.Options{Format: c.Format, Encoding: c.Encoding, NoHeader: c.NoHeader, LonColumn: c.LonColumn, LatColumn: c.LatColumn,
		MinDecimals: c.MinDecimals, Threads: c.Threads,
		Settings: table.Settings{LonColumn: "--lon-column", LatColumn: "--lat-column", NoHeader: "--no-header"}}
	if opt.Format == "auto" {
		opt.Format = ""
	}
	if opt.Encoding == "auto" {
		opt.Encoding = ""
	}
	if c.MinDecimals < 0 || c.MinDecimals > 5 {
		return opt, usagef("--min-decimals: %d is not between 0 and 5", c.MinDecimals)
	}
	if c.Threads < 1 || c.Threads > 1024 {
		return opt, usagef("--threads: %d is not between 1 and 1024", c.Threads)
	}
	if c.NoHeader && (c.LonColumn == "" || c.LatColumn == "") {
		return opt, usagef("--no-header needs --lon-column and --lat-column as numbers")
	}
	var err error
	if opt.Datum, err = geo.ParseDatum(string(c.Datum)); err != nil {
		return opt, err
	}
	switch d := c.Delimiter; {
	case d == "":
	case d == "tab" || d == `\t`:
		opt.Delimiter = '\t'
	case len(d) == 1 && d[0] < 0x80 && !strings.ContainsAny(d, "\"\r\n"):
		opt.Delimiter = d[0]
	default:
		return opt, usagef("--delimiter: %q is not one ASCII character or 'tab'", d)
	}
	return opt, nil
}

// open is the input and its size in bytes, -1 when nobody knows.
func (c *resolveCommand) open(s *session) (io.ReadCloser, int64, error) {
	if c.Input == "" {
		if f, ok := s.in.(*os.File); ok {
			if isatty.IsTerminal(f.Fd()) {
				s.notef("从键盘读入，Ctrl-D 结束 reading from the keyboard, Ctrl-D ends; or lianqin resolve < FILE")
			}
			return io.NopCloser(f), regularSize(f), nil
		}
		return io.NopCloser(s.in), -1, nil
	}
	f, err := os.Open(c.Input)
	if err != nil {
		return nil, 0, notFound(c.Input, err)
	}
	return f, regularSize(f), nil
}

func regularSize(f *os.File) int64 {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
}

func describeLayout(s *session, l table.Layout) {
	name := func(c table.Column) string {
		text := fmt.Sprintf("%q", c.Name)
		if c.Number > 0 && fmt.Sprint(c.Number) != c.Name {
			text += fmt.Sprintf(" (第 %d 列 column %d)", c.Number, c.Number)
		}
		if c.Guessed {
			text += " 自动识别 guessed"
		}
		return text
	}
	shape := "NDJSON"
	if l.Format == table.CSV {
		delimiter := map[byte]string{',': "逗号 comma", ';': "分号 semicolon", '\t': "制表符 tab"}[l.Delimiter]
		if delimiter == "" {
			delimiter = string(rune(l.Delimiter))
		}
		shape = fmt.Sprintf("CSV, %s, %s", delimiter, l.Encoding)
	}
	s.notef("%s; 经度 lon = %s; 纬度 lat = %s", shape, name(l.Lon), name(l.Lat))
	if len(l.Repeated) > 0 {
		s.notef("输入已有同名列 the input has columns of these names already: %s; 新列在最后 the new ones come last", strings.Join(l.Repeated, ", "))
	}
}

func summarise(s *session, sum table.Summary, took time.Duration) {
	s.notef("%s 行 rows, %s: %s 落格 in a grid, %s 辖区外 outside, %s 坐标不可用 unusable",
		comma(sum.Rows), took.Round(10*time.Millisecond), comma(sum.Inside), comma(sum.Reasons[table.Outside]), comma(sum.Refused()))
	for _, r := range table.Reasons() {
		if n := sum.Reasons[r]; n > 0 && r != table.Outside {
			s.notef("  %9s %-13s %s", comma(n), r.Word(), r.Sentence())
		}
	}
	if sum.Renamed > 0 {
		s.notef("%s 个对象已有同名键，其答案键名加前缀 objects have a key of ours already; there ours are named %sgrid, …", comma(sum.Renamed), table.RenamedPrefix)
	}
	if sum.Swapped > sum.Rows/2 {
		s.notef("经纬度列可能颠倒 longitude and latitude seem to be exchanged: see --lon-column, --lat-column")
	}
	if sum.Projected > sum.Rows/2 {
		s.notef("坐标似为投影坐标（米） the coordinates look like metres of a projected system, not degrees")
	}
}

func comma(n int64) string { return humanize.Comma(n) }
