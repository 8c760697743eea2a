package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/casework"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/store"
)

type casesCommand struct {
	Import casesImportCommand `cmd:"" help:"Enter the cases of a file of histories, or of another system's table. 导入案件历史或外部系统的案件表。"`
	Export casesExportCommand `cmd:"" help:"Write all cases: their histories, or the facts that figures are made of. 导出案件历史或统计事实。"`
}

func (*casesCommand) Help() string {
	return `A file of histories has one case a line, with all that happened to it; docs/casework.md has the form. A table is a CSV with a header, and a mapping file says which of its columns is what. What was imported before adds nothing, and a line that cannot be entered costs itself alone: it is told with its number and why. 重复导入不增加；无法录入的行只影响自身，并给出行号和原因。

Examples 示例:

  lianqin cases export --out cases.ndjson.zst
  lianqin cases import cases.ndjson.zst
  lianqin cases import 311.csv --mapping 311.json --source baltimore-311
  lianqin cases export --facts --out facts.csv`
}

type casesImportCommand struct {
	File    string `arg:"" help:"File to read, plain or packed by gzip or zstd; - is standard input. 文件，- 为标准输入。"`
	Mapping string `placeholder:"FILE" help:"Mapping, as JSON, by which the file is read as another system's table. 字段映射文件。"`
	Source  string `placeholder:"NAME" help:"What to call the system that it is from: of a table its file's name if not said, of histories for lines that do not say. 来源系统名称。"`
	databaseFlags
	boundaryFlags `group:"边界 Boundaries:"`
}

// toldEvery is how often a long load says how far it has come.
const toldEvery = 5 * time.Second

func (c *casesImportCommand) Run(s *session) error {
	in := s.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return notFound(c.File, err)
		}
		defer f.Close()
		in = f
	}
	return c.withDesk(s, &c.boundaryFlags, func(_ *store.Store, d *casework.Desk) error {
		last := time.Now()
		done, err := c.read(s, d, in, func(m casework.Imported) {
			if now := time.Now(); now.Sub(last) >= toldEvery {
				last = now
				s.notef("已录入 entered %s", comma(int64(m.Added)))
			}
		})
		for _, r := range done.Rejected {
			fmt.Fprintf(s.err, "%s: 第 %d 行 line %d: %v\n", s.called, r.Line, r.Line, r.Error)
		}
		if more := done.Refused - len(done.Rejected); more > 0 {
			fmt.Fprintf(s.err, "%s: 另有 %d 行未录入 and %d lines more\n", s.called, more, more)
		}
		fmt.Fprintf(s.out, "新增 added %d, 已有 known %d, 未录入 refused %d\n", done.Added, done.Known, done.Refused)
		if err == nil && done.Refused > 0 {
			return errFound
		}
		return err
	})
}

func (c *casesImportCommand) read(s *session, d *casework.Desk, in io.Reader, told func(casework.Imported)) (casework.Imported, error) {
	if c.Mapping == "" {
		return d.Import(s.ctx, in, c.Source, told)
	}
	f, err := os.Open(c.Mapping)
	if err != nil {
		return casework.Imported{}, notFound(c.Mapping, err)
	}
	defer f.Close()
	m, err := casework.ReadMapping(f)
	if err != nil {
		return casework.Imported{}, fmt.Errorf("%s: %w", c.Mapping, err)
	}
	source := c.Source
	if source == "" && c.File != "-" {
		source = strings.SplitN(filepath.Base(c.File), ".", 2)[0]
	}
	return d.ImportTable(s.ctx, in, m, source, told)
}

// withDesk runs f on the casework of a database, with the demonstration's or
// the file's boundaries where it holds none.
func (c *databaseFlags) withDesk(s *session, b *boundaryFlags, f func(*store.Store, *casework.Desk) error) (err error) {
	st, err := c.open(s, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	sv := service{boundaries: *b}
	atlas, err := sv.atlas(s, st)
	if err != nil {
		return err
	}
	catalogue, err := (&serverFlags{}).catalogue()
	if err != nil {
		return err
	}
	d, err := desk(s, st, locate.NewIndexes(atlas), catalogue)
	if err != nil {
		return err
	}
	return f(st, d)
}

type casesExportCommand struct {
	Out       string `short:"o" placeholder:"FILE" help:"File to write, packed by zstd when it ends in .zst; without one standard output. 输出文件。"`
	Facts     bool   `help:"Write what figures are made of, as CSV: one line for each cycle of each case. 输出统计事实 CSV。"`
	Reporters bool   `help:"Write who reported, too; the audit says so. 含上报人信息（留审计）。"`
	databaseFlags
}

func (c *casesExportCommand) Run(s *session) (err error) {
	if c.Facts && c.Reporters {
		return usagef("--facts: 不含上报人 facts name no reporters")
	}
	st, err := c.open(s, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	file, finish, err := s.create(c.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish(err == nil)) }()
	out, err := packedBy(file, c.Out)
	if err != nil {
		return err
	}
	n := 0
	if c.Facts {
		n, err = writeFacts(s, st, out)
	} else {
		n, err = writeHistories(out, func(f func(*casework.History) error) error { return st.Cases().Histories(s.ctx, c.Reporters, f) })
	}
	if err == nil {
		err = out.Close()
	}
	if err == nil {
		s.notef("%s 行 lines", comma(int64(n)))
	}
	return err
}

// packedBy writes to w as the name says. Closing it does not close w.
func packedBy(w io.Writer, name string) (io.WriteCloser, error) {
	if strings.HasSuffix(name, ".zst") {
		return casework.PackTo(w)
	}
	return unclosed{bufio.NewWriterSize(w, 1<<20)}, nil
}

type unclosed struct{ *bufio.Writer }

func (u unclosed) Close() error { return u.Flush() }

// writeHistories writes histories, one a line, and counts them.
func writeHistories(w io.Writer, each func(func(*casework.History) error) error) (n int, err error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err = each(func(h *casework.History) error {
		n++
		return enc.Encode(h)
	})
	return n, err
}

var factColumns = []string{"case", "cycle", "street", "grid", "department", "item", "major", "kind", "channel",
	"received", "accepted", "filed", "file_due", "dispatched", "returned", "due", "disposed", "check_due", "closed", "reworked", "extended",
	"order_due", "order_finished", "hotline", "self_handled", "final"}

func writeFacts(s *session, st *store.Store, w io.Writer) (n int, err error) {
	out := csv.NewWriter(w)
	if err := out.Write(factColumns); err != nil {
		return 0, err
	}
	_, err = st.Cases().Changes(s.ctx, 0, func(k *casework.Kept) error {
		for i := range k.Facts {
			n++
			if err := out.Write(factRow(&k.Facts[i])); err != nil {
				return err
			}
		}
		return nil
	})
	out.Flush()
	return n, errors.Join(err, out.Error())
}

func factRow(f *casework.Fact) []string {
	row := []string{strconv.FormatInt(f.Case, 10), strconv.Itoa(f.Cycle), f.Street, f.Grid, f.Department, f.Item, f.Major, string(f.Kind), string(f.Channel)}
	for _, at := range [...]int64{f.Received, f.Accepted, f.Filed, f.FileDue, f.Dispatched, f.Returned, f.Due, f.Disposed, f.CheckDue, f.Closed, f.Reworked, f.Extended, f.OrderDue, f.OrderFinished} {
		text := ""
		if at != 0 {
			text = time.UnixMilli(at).In(grid.Zone).Format("2006-01-02T15:04:05.000-07:00")
		}
		row = append(row, text)
	}
	for _, set := range [...]bool{f.Hotline, f.SelfHandled, f.Final} {
		row = append(row, strconv.FormatBool(set))
	}
	return row
}
