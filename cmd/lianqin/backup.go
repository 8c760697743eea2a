package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/dustin/go-humanize"

	"lianqin/internal/store"
)

type backupCommand struct {
	File string `arg:"" help:"File to write, such as lianqin-2026-11-23.tar.gz; nothing is overwritten. 备份文件。"`
	databaseFlags
}

func (*backupCommand) Help() string {
	return `Writes everything as one state while the service runs, whichever database it is on. The file holds password hashes: keep it as you keep the database. What is in photos and files of cases is not in it: copy the folder or bucket of --files after it. 在线一致备份，SQLite 与 PostgreSQL 通用，可互相恢复；照片与文件的内容不在其中，之后另行复制。

Examples 示例:

  lianqin backup lianqin-2026-11-23.tar.gz
  lianqin backup --database postgres://lianqin@db/lianqin nightly.tar.gz`
}

func (c *backupCommand) Run(s *session) error {
	st, err := c.open(s, true)
	if err != nil {
		return err
	}
	defer st.Close()
	m, err := st.BackupFile(s.ctx, c.File)
	if err != nil {
		return err
	}
	sum, size, err := checksum(c.File)
	if err != nil {
		return err
	}
	s.notef("%s: %s 行 rows, %d 张表 tables, %s", c.File, comma(m.Rows()), len(m.Tables), humanize.IBytes(uint64(size)))
	if n := m.RowsOf(store.FilesTable); n > 0 {
		s.notef("不含 %[1]s 个照片与文件的内容，请另行复制 --files 处 what is in %[1]s photos and files is not in it: copy what serve has as --files, now or later", comma(n))
	}
	_, err = fmt.Fprintf(s.out, "%s  %s\n", sum, c.File) // as sha256sum prints it
	return err
}

func checksum(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

type restoreCommand struct {
	File       string `arg:"" help:"Backup to read. 备份文件。"`
	VerifyOnly bool   `help:"Hold the file against its checksums and restore nothing. 仅校验。"`
	databaseFlags
}

func (*restoreCommand) Help() string {
	return `Fills a new database from a backup of either kind. The file is verified first, and entered as a whole or not at all. A database that holds anything is refused. 仅恢复到空库，先校验后写入。

Examples 示例:

  lianqin restore --verify-only nightly.tar.gz
  lianqin restore nightly.tar.gz --database sqlite:data/restored.db
  lianqin restore nightly.tar.gz --database postgres://lianqin@db/lianqin`
}

func (c *restoreCommand) Run(s *session) error {
	if c.VerifyOnly {
		m, err := store.Verify(c.File)
		if err == nil {
			describe(s, c.File, "完好 whole", m)
		}
		return err
	}
	st, err := c.openAsIs(s, false)
	if err != nil {
		return err
	}
	defer st.Close()
	m, err := st.Restore(s.ctx, c.File)
	if err != nil {
		return err
	}
	describe(s, c.File, "已恢复到 restored to "+st.Name(), m)
	if n := m.RowsOf(store.FilesTable); n > 0 {
		s.notef("另有 %[1]s 个照片与文件，内容须放到 serve 的 --files 处 what is in its %[1]s photos and files belongs where serve has --files", comma(n))
	}
	return nil
}

func describe(s *session, file, what string, m *store.Manifest) {
	fmt.Fprintf(s.out, "%s: %s: %s 行 rows, %d 张表 tables, 备份于 made %s, 结构 schema %d\n",
		file, what, comma(m.Rows()), len(m.Tables), shanghai(m.Created), m.Schema)
}
