package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/locate"
)

// someCases are cases [from, to) of the demonstration year, as a file of
// histories.
func someCases(t testing.TB, from, to int) []byte {
	t.Helper()
	gen, err := demonstration()
	if err != nil {
		t.Fatal(err)
	}
	p, err := embeddedProcedure()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := demo.NewCases(demo.CaseOptions{Index: locate.New(gen), Procedure: p})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = writeHistories(&b, func(f func(*casework.History) error) error {
		for h, err := range cases.Part(from, to) {
			if err != nil {
				return err
			}
			l := cases.Loading(&h)
			for i := range l.Entries {
				l.Entries[i].Case = 0
			}
			if err := f(&l.History); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCasesComeAndGo imports cases, exports them, and has the same again; and
// again from what was exported, into another database.
func TestCasesComeAndGo(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	const n = 500
	file := someCases(t, 100_000, 100_000+n)
	if err := os.WriteFile(path("in.ndjson"), append(bytes.Clone(file), "{}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	first, second := "sqlite:"+path("first.db"), "sqlite:"+path("second.db")
	r := must(t, exitFound, nil, "cases", "import", path("in.ndjson"), "--database", first)
	if !strings.Contains(r.out, "added 500, 已有 known 0, 未录入 refused 1") || !strings.Contains(r.err, "line 501: ") {
		t.Fatal(r)
	}
	r = must(t, exitFound, nil, "cases", "import", path("in.ndjson"), "--database", first)
	if !strings.Contains(r.out, "added 0, 已有 known 500") {
		t.Fatal(r)
	}
	must(t, exitDone, nil, "cases", "export", "--reporters", "--out", path("out.ndjson.zst"), "--database", first)
	must(t, exitDone, nil, "cases", "import", path("out.ndjson.zst"), "--database", second)
	again := bytes.Split([]byte(must(t, exitDone, nil, "cases", "export", "--reporters", "--database", second).out), []byte("\n"))
	lines := bytes.Split(file, []byte("\n"))
	if len(again) != len(lines) {
		t.Fatalf("%d lines of %d", len(again), len(lines))
	}
	for i, line := range again[:n] {
		h, err := casework.ReadHistory(line)
		if err != nil {
			t.Fatal(err)
		}
		want, err := casework.ReadHistory(lines[i])
		if err != nil {
			t.Fatal(err)
		}
		for k := range h.Entries {
			h.Entries[k].Case = 0 // which says the number here
		}
		if diff := cmp.Diff(want, h); diff != "" {
			t.Fatalf("line %d (-in +out):\n%s", i+1, diff)
		}
	}
	facts := must(t, exitDone, nil, "cases", "export", "--facts", "--database", first).out
	if lines := strings.Count(facts, "\n"); lines < n*9/10 || !strings.HasPrefix(facts, "case,cycle,street") {
		t.Errorf("%d lines of facts", lines)
	}
	must(t, exitInput, nil, "cases", "import", path("none"), "--database", first)
}
