package main

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"lianqin/internal/evidence"
	"lianqin/internal/grid"
	"lianqin/internal/store"
)

// filesFlags say where photos and files of cases are kept.
type filesFlags struct {
	Files         string `placeholder:"DIR|s3://BUCKET/PREFIX" help:"Where photos and files of cases are kept: a folder, or S3-compatible storage; the folder files beside the database if not said, data/files with PostgreSQL. Several processes share one. 案件照片与文件的存放处。"`
	S3Endpoint    string `name:"s3-endpoint" placeholder:"URL" help:"Where that storage is, such as https://s3.example.org; Amazon's if not said. 对象存储地址。"`
	S3Region      string `name:"s3-region" placeholder:"NAME" help:"Its region; asked for if not said. 对象存储区域。"`
	S3Credentials string `name:"s3-credentials" placeholder:"FILE" help:"File with its keys, as AWS's tools have it; the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY without one. 对象存储密钥文件。"`
}

// storage opens it.
func (c *filesFlags) storage(ctx context.Context, database string) (evidence.Storage, error) {
	if place, ok := strings.CutPrefix(c.Files, "s3://"); ok {
		bucket, prefix, _ := strings.Cut(place, "/")
		if bucket == "" {
			return nil, usagef("--files: %s names no bucket", c.Files)
		}
		return evidence.OpenS3(ctx, evidence.S3Config{Endpoint: c.S3Endpoint, Region: c.S3Region, Bucket: bucket, Prefix: prefix, Credentials: c.S3Credentials})
	}
	return evidence.OpenFolder(c.folder(database))
}

func (c *filesFlags) folder(database string) string {
	if c.Files != "" {
		return c.Files
	}
	if file, ok := strings.CutPrefix(database, "sqlite:"); ok {
		return filepath.Join(filepath.Dir(file), "files")
	}
	return filepath.Join("data", "files")
}

// shelf is where a service keeps photos and files of cases.
func shelf(st *store.Store, storage evidence.Storage) *evidence.Shelf {
	return evidence.NewShelf(st.Evidence(), storage, grid.Zone, time.Now)
}
