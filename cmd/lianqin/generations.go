package main

import (
	"encoding/json"
	"fmt"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geofile"
	"lianqin/internal/grid"
)

type generationsCommand struct {
	List    generationsListCommand    `cmd:"" help:"List generations, and when each is in force. 列出各版边界。"`
	Import  generationsImportCommand  `cmd:"" help:"Enter a boundary file as a draft. 导入边界文件为草稿。"`
	Check   generationsCheckCommand   `cmd:"" help:"Prove a draft and compare it with the generation before. 校验草稿。"`
	Publish generationsPublishCommand `cmd:"" help:"Put a generation into force from an instant on. 发布，自某一时刻起生效。"`
	Diff    generationsDiffCommand    `cmd:"" help:"What differs between two generations. 比较两版边界。"`
	Export  generationsExportCommand  `cmd:"" help:"Write a generation to a boundary file. 导出为边界文件。"`
}

func (*generationsCommand) Help() string {
	return `Boundaries in time. A generation is imported as a draft, checked, and published with the instant from which it is in force; a report resolves by the boundaries of its own time. Nothing is deleted: publishing an earlier generation again is how to roll back. 边界按时间分版：导入、校验、发布；不删除，回滚即再次发布旧版。

Instants are written 2027-01-01, "2027-01-01 08:00" or RFC 3339, and mean Asia/Shanghai where they name no zone. 时刻按北京时间。

Examples 示例:

  lianqin generations import grids.gpkg --name 2027年调整
  lianqin generations check 2
  lianqin generations publish 2 --from 2027-01-01
  lianqin generations list`
}

const instantForm = "2006-01-02 15:04:05 -07:00"

// shanghai is an instant as it is shown; open ends are a dash.
func shanghai(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return strings.Replace(t.In(grid.Zone).Format(instantForm), ":00 ", " ", 1)
}

// instant is a moment on the command line.
type instant struct{ time.Time }

func (i *instant) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "now" {
		i.Time = time.Now()
		return nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly, "2006-01-02 15:04", time.DateTime} {
		if t, err := time.ParseInLocation(form, s, grid.Zone); err == nil {
			i.Time = t
			return nil
		}
	}
	return fmt.Errorf(`%q is no instant such as 2027-01-01, "2027-01-01 08:00", 2027-01-01T00:00:00+08:00 or now`, s)
}

// whoFlags say who does it.
type whoFlags struct {
	By string `placeholder:"NAME" help:"Who does this, for the record; the account's name if not said. 操作人。"`
}

func (w whoFlags) who() string {
	if w.By != "" {
		return w.By
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// withAtlas runs f on the atlas of an existing database, or of a new one.
func (d *databaseFlags) withAtlas(s *session, existing bool, f func(*grid.Atlas) error) error {
	st, err := d.open(s, existing)
	if err != nil {
		return err
	}
	defer st.Close()
	a, err := grid.Open(s.ctx, st.Generations(), nil)
	if err != nil {
		return err
	}
	return f(a)
}

type generationsListCommand struct {
	JSON bool `help:"Print the whole ledger as JSON, earlier versions of the schedule too. 输出 JSON。"`
	databaseFlags
}

func (c *generationsListCommand) Run(s *session) error {
	return c.withAtlas(s, true, func(a *grid.Atlas) error {
		if c.JSON {
			return printJSON(s, a.Ledger())
		}
		return printLedger(s, a.Ledger(), time.Now())
	})
}

type generationsImportCommand struct {
	File string `arg:"" optional:"" help:"Boundary file; the demonstration district without one. 边界文件，缺省为演示辖区。"`
	Name string `help:"What to call it; the file's name if not said. 名称。"`
	Note string `help:"Why it was made. 说明。"`
	whoFlags
	databaseFlags
	boundaryFlags `group:"边界 Boundaries:"`
}

func (c *generationsImportCommand) Run(s *session) error {
	if c.File != "" && c.Boundaries != "" && c.File != c.Boundaries {
		return usagef("give the file once: %s or --boundaries %s", c.File, c.Boundaries)
	}
	if c.File != "" {
		c.Boundaries = c.File
	}
	gen, err := c.load(s)
	if err != nil {
		return err
	}
	name := c.Name
	if name == "" {
		name = "演示辖区 demonstration"
		if c.Boundaries != "" {
			name = filepath.Base(c.Boundaries)
		}
	}
	return c.withAtlas(s, false, func(a *grid.Atlas) error {
		r, err := a.Import(s.ctx, grid.Import{Streets: gen.Streets(), Areas: grid.AreasOf(gen), Name: name, Note: c.Note, Author: c.who()})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "第 %d 版已导入为草稿 generation %d entered as a draft: %d 个网格 grids, %.12s\n", r.Number, r.Number, r.Grids, r.Hash)
		s.notef("下一步 next: lianqin generations check %d", r.Number)
		return nil
	})
}

type generationsCheckCommand struct {
	Number  int      `arg:"" help:"Generation to check. 版本号。"`
	Against *int     `placeholder:"NUMBER" help:"Generation to compare with; the one that the schedule ends with if not said, 0 for none. 比较基准。" xor:"base"`
	From    *instant `placeholder:"INSTANT" help:"Compare with the generation in force then. 以该时刻生效的版本为基准。" xor:"base"`
	JSON    bool     `help:"Print JSON. 输出 JSON。"`
	whoFlags
	databaseFlags
}

func (c *generationsCheckCommand) Run(s *session) error {
	return c.withAtlas(s, true, func(a *grid.Atlas) error {
		base := -1
		switch {
		case c.Against != nil:
			base = *c.Against
		case c.From != nil:
			t, _ := a.Ledger().At(c.From.Time)
			base = t.Generation
		}
		check, err := a.Check(s.ctx, c.Number, base, c.who())
		if err != nil {
			return err
		}
		if c.JSON {
			err = printJSON(s, check)
		} else {
			printCheck(s, check)
		}
		if err == nil && !check.Sound {
			return errFound
		}
		return err
	})
}

type generationsPublishCommand struct {
	Number int      `arg:"" help:"Generation to publish; one that was published before comes back as a new one. 版本号。"`
	From   instant  `required:"" placeholder:"INSTANT" help:"When it comes into force; in the past it corrects the record. 生效时刻。"`
	Until  *instant `placeholder:"INSTANT" help:"When it ends; when the next scheduled one comes if not said. 失效时刻。"`
	whoFlags
	databaseFlags
}

func (c *generationsPublishCommand) Run(s *session) error {
	return c.withAtlas(s, true, func(a *grid.Atlas) error {
		p := grid.Publication{Number: c.Number, From: c.From.Time, By: c.who(), Revision: a.Ledger().Revision}
		if c.Until != nil {
			p.Until = c.Until.Time
		}
		done, err := a.Publish(s.ctx, p)
		if err != nil {
			return err
		}
		n := done.Record.Number
		if done.Record.Again != 0 {
			fmt.Fprintf(s.out, "第 %d 版的内容重新发布为第 %d 版 the content of generation %d comes back as generation %d\n",
				done.Record.Again, n, done.Record.Again, n)
		}
		fmt.Fprintf(s.out, "第 %d 版 generation %d: 生效 in force from %s", n, n, shanghai(done.Term.From))
		if !done.Term.To.IsZero() {
			fmt.Fprintf(s.out, " 至 until %s", shanghai(done.Term.To))
		}
		fmt.Fprintln(s.out)
		if done.After != 0 {
			s.notef("注意：其后由第 %d 版接替，其内容不含本版改动 generation %d takes over then; it was made without this one's changes", done.After, done.After)
		}
		return nil
	})
}

type generationsDiffCommand struct {
	Base int  `arg:"" help:"Generation before. 旧版。"`
	Next int  `arg:"" help:"Generation after. 新版。"`
	JSON bool `help:"Print JSON, with the lineage. 输出 JSON（含沿革）。"`
	databaseFlags
}

func (c *generationsDiffCommand) Run(s *session) error {
	return c.withAtlas(s, true, func(a *grid.Atlas) error {
		base, err := a.Generation(s.ctx, c.Base)
		if err != nil {
			return err
		}
		next, err := a.Generation(s.ctx, c.Next)
		if err != nil {
			return err
		}
		d, err := grid.Compare(base, next)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, struct {
				*grid.Diff
				Lineage []grid.Descent `json:"lineage"`
			}{d, d.Lineage.Descents})
		}
		printDiff(s, d)
		return nil
	})
}

type generationsExportCommand struct {
	Number int    `arg:"" help:"Generation to export; 0 for the one in force. 版本号，0 为现行版。"`
	Out    string `arg:"" help:"File to write, in any format of convert. 输出文件。"`
	databaseFlags
}

func (c *generationsExportCommand) Run(s *session) error {
	return c.withAtlas(s, true, func(a *grid.Atlas) error {
		gen, err := wanted(s, a, c.Number)
		if err != nil {
			return err
		}
		if err := geofile.Write(c.Out, fileOf(gen)); err != nil {
			return notFound(filepath.Dir(c.Out), err)
		}
		s.notef("第 %d 版 generation %d: %d 个网格 grids → %s", gen.Number(), gen.Number(), len(gen.Grids()), filepath.Base(c.Out))
		return nil
	})
}

// wanted is generation number, or the one in force for 0.
func wanted(s *session, a *grid.Atlas, number int) (*grid.Generation, error) {
	if number != 0 {
		return a.Generation(s.ctx, number)
	}
	gen, ok := a.Current()
	if !ok {
		return nil, fault.New(fault.NotFound, "现无生效版本 no generation is in force now")
	}
	return gen, nil
}

// fileOf is a generation as a boundary file that import reads back whole, but
// for the streets' seats.
func fileOf(gen *grid.Generation) *geofile.File {
	f := &geofile.File{Name: fmt.Sprintf("generation-%d", gen.Number())}
	for i, g := range gen.Grids() {
		street := ""
		if st, ok := gen.Street(g.Street); ok {
			street = st.Name
		}
		area := gen.Polygon(g.ID)
		feature := geofile.Feature{Number: i + 1, ID: fmt.Sprint(g.ID), Geometry: area, Properties: geofile.Properties{
			{Name: "id", Value: int64(g.ID)}, {Name: "code", Value: g.Code}, {Name: "name", Value: g.Name}, {Name: "kind", Value: string(g.Kind)},
			{Name: "street", Value: g.Street}, {Name: "street_name", Value: street},
			{Name: "department", Value: g.Department.Code}, {Name: "department_name", Value: g.Department.Name}, {Name: "area_m2", Value: g.AreaM2}}}
		if len(area) == 1 {
			feature.Geometry = orb.Polygon(area[0])
		}
		f.Features = append(f.Features, feature)
	}
	return f
}

func printJSON(s *session, v any) error {
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
