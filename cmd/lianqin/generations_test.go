package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lianqin/internal/store/storetest"
)

// stripFile writes three grids in a row; the border between the first two lies
// at middle.
func stripFile(t *testing.T, middle string) string {
	t.Helper()
	feature := func(code, west, east string) string {
		return `{"type":"Feature","properties":{"code":"` + code + `","street":"310114001","street_name":"新成路街道","department":"310114001-S01"},` +
			`"geometry":{"type":"Polygon","coordinates":[[[` + west + `,31],[` + east + `,31],[` + east + `,31.01],[` + west + `,31.01],[` + west + `,31]]]}}`
	}
	path := filepath.Join(t.TempDir(), "grids.geojson")
	text := `{"type":"FeatureCollection","features":[` + strings.Join([]string{
		feature("U01", "121", middle), feature("U02", middle, "121.02"), feature("U03", "121.02", "121.03")}, ",") + `]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFromNothingToASecondGeneration goes the way of docs on both databases,
// by the command line alone, and takes a backup to a third.
func TestFromNothingToASecondGeneration(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		t.Setenv("LIANQIN_DATABASE", url)
		t.Setenv("LIANQIN_BY", "张三")
		says := func(code int, want string, args ...string) {
			t.Helper()
			if r := must(t, code, nil, args...); !strings.Contains(r.out+r.err, want) {
				t.Errorf("lianqin %s: no %q in\n%s%s", strings.Join(args, " "), want, r.out, r.err)
			}
		}
		if strings.HasPrefix(url, "sqlite") {
			says(exitInput, "no database", "generations", "list")
		}
		says(exitDone, "已执行", "migrate", "up")
		says(exitDone, "there are none yet", "generations", "list")
		says(exitDone, "generation 1 entered as a draft: 3 个网格", "generations", "import", stripFile(t, "121.01"))
		says(exitInput, "has not been checked", "generations", "publish", "1", "--from", "2026-01-01")
		says(exitDone, "sound", "generations", "check", "1")
		says(exitDone, "in force from 2026-01-01 00:00 +08:00", "generations", "publish", "1", "--from", "2026-01-01")
		says(exitDone, "entered as a draft", "generations", "import", stripFile(t, "121.008"), "--name", "二版")
		says(exitDone, "against generation 1", "generations", "check", "2")
		next := time.Now().AddDate(1, 0, 0).Format(time.DateOnly)
		says(exitDone, next+" 00:00 +08:00", "generations", "publish", "2", "--from", next)
		says(exitDone, "待生效 scheduled", "generations", "list")
		says(exitDone, "2 个网格有变", "generations", "diff", "1", "2")
		says(exitDone, `"share_of_child": 0.1666666`, "generations", "diff", "1", "2", "--json")
		says(exitInput, "there is no generation 9", "generations", "diff", "1", "9")
		says(exitUsage, "no instant", "generations", "publish", "2", "--from", "soon")

		// What was exported comes back the same.
		out := filepath.Join(t.TempDir(), "out.gpkg")
		says(exitDone, "generation 2: 3 个网格", "generations", "export", "2", out)
		says(exitDone, "entered", "generations", "import", out)
		says(exitDone, "nothing differs from generation 2", "generations", "check", "3")

		file := filepath.Join(t.TempDir(), "backup.tar.gz")
		says(exitDone, file, "backup", file)
		says(exitInput, "exists", "backup", file)
		says(exitDone, "完好 whole", "restore", "--verify-only", file)
		says(exitInput, "is in use", "restore", file)
		again := "sqlite:" + filepath.Join(t.TempDir(), "again.db")
		says(exitDone, "已恢复", "restore", file, "--database", again)
		before, after := must(t, exitDone, nil, "generations", "list", "--json"), must(t, exitDone, nil, "generations", "list", "--json", "--database", again)
		if before.out != after.out {
			t.Errorf("restored:\n%s\nwant:\n%s", after.out, before.out)
		}
	})
}
