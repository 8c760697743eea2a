package main

import (
	"fmt"
	"log/slog"

	"lianqin/internal/store"
)

// databaseFlags choose the database.
type databaseFlags struct {
	Database string `default:"sqlite:data/lianqin.db" placeholder:"URL" help:"sqlite:PATH or postgres://…; ${default} if not said. 数据库。"`
}

// open opens the database; existing refuses one that is not there.
func (d *databaseFlags) open(s *session, existing bool) (*store.Store, error) {
	return store.Open(s.ctx, d.Database, store.Options{MustExist: existing, Log: s.log()})
}

// openAsIs opens the database without touching its schema.
func (d *databaseFlags) openAsIs(s *session, existing bool) (*store.Store, error) {
	return store.Open(s.ctx, d.Database, store.Options{MustExist: existing, Leave: true, Log: s.log()})
}

// log is where the layers below say what an operator should know.
func (s *session) log() *slog.Logger {
	if s.quiet {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(s.err, nil))
}

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Bring the schema up to this program's. 升级数据库结构。"`
	Status migrateStatusCommand `cmd:"" help:"List the steps and which are taken. 查看升级状态。"`
}

func (*migrateCommand) Help() string {
	return `Every command that opens the database migrates it first, under a lock; this is for doing so beforehand, or only looking. A schema that is newer than the program is refused. 各命令启动时会自动升级；本命令用于提前升级或仅查看。

Examples 示例:

  lianqin migrate status
  lianqin migrate up --database postgres://lianqin@db/lianqin`
}

type migrateUpCommand struct{ databaseFlags }

func (c *migrateUpCommand) Run(s *session) error {
	st, err := c.open(s, false)
	if err != nil {
		return err
	}
	defer st.Close()
	return printMigrations(s, st)
}

type migrateStatusCommand struct{ databaseFlags }

func (c *migrateStatusCommand) Run(s *session) error {
	st, err := c.openAsIs(s, true)
	if err != nil {
		return err
	}
	defer st.Close()
	return printMigrations(s, st)
}

func printMigrations(s *session, st *store.Store) error {
	steps, err := st.MigrationStatus(s.ctx)
	if err != nil {
		return err
	}
	for _, m := range steps {
		state := "待执行 pending"
		if !m.Applied.IsZero() {
			state = "已执行 " + shanghai(m.Applied)
		}
		fmt.Fprintf(s.out, "%5d  %s  %s\n", m.Version, left(m.Name, 28), state)
	}
	return nil
}
