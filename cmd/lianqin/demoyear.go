package main

import (
	"errors"

	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/locate"
)

type demoCasesCommand struct {
	Out    string `short:"o" placeholder:"FILE" help:"File to write, packed by zstd when it ends in .zst; without one standard output. 输出文件。" env:"-"`
	Before bool   `help:"The year before the published one in its place. 上一年。"`
	Seed   uint64 `help:"Another seed makes other cases, to the same figures. 随机种子。"`
}

func (*demoCasesCommand) Help() string {
	return `The published year of cases, 2025, as a file of histories that lianqin cases import and POST /api/v1/cases/import read. The people in it are invented. 按公布数字生成的全年案件，人物为虚构。

Examples 示例:

  lianqin demo cases --out year.ndjson.zst
  lianqin demo cases --before --out before.ndjson.zst
  lianqin cases import year.ndjson.zst`
}

func (c *demoCasesCommand) Run(s *session) (err error) {
	gen, err := demonstration()
	if err != nil {
		return err
	}
	p, err := embeddedProcedure()
	if err != nil {
		return err
	}
	cases, err := demo.NewCases(demo.CaseOptions{Index: locate.New(gen), Procedure: p, Seed: c.Seed, Before: c.Before})
	if err != nil {
		return err
	}
	s.notef("生成 making %s 件案件 cases…", comma(int64(cases.Len())))
	file, finish, err := s.create(c.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish(err == nil)) }()
	out, err := packedBy(file, c.Out)
	if err != nil {
		return err
	}
	_, err = writeHistories(out, func(f func(*casework.History) error) error {
		for h, err := range cases.All() {
			if err == nil {
				l := cases.Loading(&h)
				err = f(&l.History)
			}
			if err != nil || s.ctx.Err() != nil {
				return errors.Join(err, s.ctx.Err())
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.Close()
}
