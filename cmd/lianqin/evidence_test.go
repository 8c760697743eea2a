package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhereFilesAre(t *testing.T) {
	for _, tt := range []struct{ files, database, want string }{
		{"", "sqlite:data/lianqin.db", "data/files"},
		{"", "sqlite:/srv/lianqin.db", "/srv/files"},
		{"", "postgres://db/lianqin", "data/files"},
		{"/mnt/files", "sqlite:data/lianqin.db", "/mnt/files"},
	} {
		if got := (&filesFlags{Files: tt.files}).folder(tt.database); got != filepath.FromSlash(tt.want) {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestFilesMistakes: a place that cannot be is told at the start.
func TestFilesMistakes(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	if err := os.WriteFile(keys, []byte("[default]\naws_access_key_id = a\naws_secret_access_key = secret-b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		code int
		want string
		args []string
	}{
		"no bucket":      {exitUsage, "no bucket", []string{"--files", "s3://"}},
		"no keys":        {exitUsage, "access key", []string{"--files", "s3://b/x", "--s3-credentials", keys + "x"}},
		"no address":     {exitUsage, "s3-endpoint", []string{"--files", "s3://b/x", "--s3-credentials", keys, "--s3-endpoint", "s3.example.org"}},
		"nobody listens": {exitSystem, "bucket b", []string{"--files", "s3://b/x", "--s3-credentials", keys, "--s3-endpoint", "http://127.0.0.1:1", "--s3-region", "east"}},
		"a file":         {exitSystem, "folder of files", []string{"--files", keys}},
	} {
		r := must(t, tt.code, nil, append([]string{"demo", "--no-simulation", "--listen", "127.0.0.1:0", "--database", "sqlite:" + filepath.Join(dir, "x.db")}, tt.args...)...)
		if !strings.Contains(r.err, tt.want) || strings.Contains(r.err, "secret-b") {
			t.Errorf("%s: %s", name, r.err)
		}
	}
}
