package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"lianqin/internal/auth"
	"lianqin/internal/demo"
	"lianqin/internal/evidence"
	"lianqin/internal/geofile"
	"lianqin/internal/grid"
)

type demoCommand struct {
	Serve    demoServeCommand    `cmd:"" default:"withargs" help:"Serve the demonstration district. 启动演示辖区服务。"`
	Cases    demoCasesCommand    `cmd:"" help:"Write the demonstration year of cases to a file. 生成演示年度案件文件。"`
	District demoDistrictCommand `cmd:"" help:"Write the demonstration district to a file, at any scale. 生成演示辖区文件。"`
}

func (*demoCommand) Help() string {
	return `The district is made for demonstration: 12 streets with the numbers, areas and names of the real ones, and 417 grids with borders of their own. 演示辖区，非官方边界。

Examples 示例:

  lianqin demo
  lianqin demo --database sqlite:try.db
  lianqin demo --listen 127.0.0.1:9000
  lianqin demo district --out district.geojson`
}

// demonstration is the district that ships with the program.
func demonstration() (*grid.Generation, error) {
	src, err := demo.Embedded()
	if err != nil {
		return nil, err
	}
	return grid.New(1, src)
}

type demoServeCommand struct {
	serverFlags
	Database   string `default:"sqlite:data/demo.db" placeholder:"URL" help:"sqlite:PATH or postgres://…; ${default} if not said. 数据库。"`
	Simulation bool   `default:"true" negatable:"" help:"Have 1,283 patrol members and some vehicles report, and cases go on, on when not said. 模拟巡防队员上报与案件流转。"`
	Cases      bool   `default:"true" negatable:"" help:"Load the published year of cases, the year before and those of now, at the first start, on when not said. 首次启动时载入演示案件。"`
}

func (*demoServeCommand) Help() string { return (*demoCommand).Help(nil) }

func (c *demoServeCommand) Run(s *session) error {
	s.notef("演示辖区，非官方边界 a demonstration district, not the official boundary")
	c.PublicMap = true
	sv := service{database: databaseFlags{c.Database}, boundaries: boundaryFlags{cleaningFlags: usualCleaning}, guide: makeAdmin, prepare: placePhoto}
	sv.beside = func(ctx context.Context, w works) error {
		var running sync.WaitGroup
		defer running.Wait()
		if c.Cases {
			running.Go(func() { startCases(ctx, w, c.Simulation) })
		}
		if c.Simulation {
			return startSimulation(ctx, w.atlas, w.registry, w.station, w.gate, w.log)
		}
		return nil
	}
	return c.serve(s, sv)
}

// placePhoto puts the photo in place that the demonstration's cases show.
func placePhoto(s *session, files *evidence.Shelf) error {
	photo, err := demo.Photo()
	if err != nil {
		return err
	}
	return files.Place(s.ctx, demo.PhotoName, photo)
}

// makeAdmin makes the demonstration's administrator and tells the password,
// this once.
func makeAdmin(s *session, g *auth.Gate) error {
	password := rand.Text()
	if err := setUser(s, g, "admin", userFields{name: "管理员 Administrator", role: auth.Administrator, jurisdiction: auth.WholeDistrict, password: password}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "登录 sign in: admin  密码（只显示这一次）password, shown this once: %s\n", password)
	return err
}

type demoDistrictCommand struct {
	Out   string `short:"o" placeholder:"FILE" help:"File to write, in any format of convert; without one GeoJSON to standard output. 输出文件。" env:"-"`
	Scale int    `default:"1" help:"Enlarge the district so many times: scale² x 417 grids. 放大倍数。"`
	Seed  uint64 `help:"Another seed makes other borders. 随机种子。"`
}

func (*demoDistrictCommand) Help() string {
	return `The same scale and seed make the same bytes on every machine; scale 1 and seed 0 make the district inside the program.

Examples 示例:

  lianqin demo district --out district.geojson
  lianqin demo district --scale 2 --seed 7 --out large.gpkg`
}

func (c *demoDistrictCommand) Run(s *session) (err error) {
	if c.Scale > 1 {
		s.notef("生成 generating %s 个网格 grids…", comma(int64(417*c.Scale*c.Scale)))
	}
	src, err := demo.District(demo.Options{Scale: c.Scale, Seed: c.Seed})
	if err != nil {
		return err
	}
	if ext := strings.ToLower(filepath.Ext(c.Out)); ext != "" && ext != ".geojson" && ext != ".json" {
		var b bytes.Buffer
		if err := demo.Write(&b, src); err != nil {
			return err
		}
		f, err := geofile.ReadBytes(b.Bytes(), "demonstration-district.geojson", geofile.Options{MaxBytes: int64(b.Len())})
		if err != nil {
			return err
		}
		return noFolder(c.Out, geofile.Write(c.Out, f))
	}
	out, finish, err := s.create(c.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish(err == nil)) }()
	return demo.Write(out, src)
}
