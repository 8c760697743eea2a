package main

import (
	"path/filepath"
	"strings"
	"time"

	"lianqin/internal/evidence"
	"lianqin/internal/grid"
	"lianqin/internal/store"
)

// filesFlags say where photos and files of cases are kept.
type filesFlags struct {
	Files string `placeholder:"DIR" help:"Where photos and files of cases are kept: a folder; files beside the database if not said, data/files with PostgreSQL. Several processes share one. 案件照片与文件的存放处。"`
}

// storage opens it.
func (c *filesFlags) storage(database string) (*evidence.Folder, error) {
	dir := c.Files
	if dir == "" {
		dir = filepath.Join("data", "files")
		if file, ok := strings.CutPrefix(database, "sqlite:"); ok {
			dir = filepath.Join(filepath.Dir(file), "files")
		}
	}
	return evidence.OpenFolder(dir)
}

// shelf is where a service keeps photos and files of cases.
func shelf(st *store.Store, storage evidence.Storage) *evidence.Shelf {
	return evidence.NewShelf(st.Evidence(), storage, grid.Zone, time.Now)
}
