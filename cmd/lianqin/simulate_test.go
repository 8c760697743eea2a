package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lianqin/internal/simulate"
)

// TestSimulateScoresTheService enters patrols at a service by its own API, has
// them report over two protocols and from a file, and reads the score.
func TestSimulateScoresTheService(t *testing.T) {
	dir := t.TempDir()
	database, crew := "sqlite:"+filepath.Join(dir, "lianqin.db"), filepath.Join(dir, "devices.json")
	const password = "correct horse battery 9"
	in := func() *strings.Reader { return strings.NewReader(password + "\n") }
	must(t, exitDone, in(), "user", "add", "admin", "--role", "administrator", "--password-stdin", "--database", database)
	must(t, exitDone, in(), "user", "add", "sim", "--role", "district-operator", "--password-stdin", "--database", database)
	url := servingWith(t, "--database", database)

	must(t, exitSystem, strings.NewReader("wrong\n"), "simulate", "provision", "--server", url, "--login", "sim", "--password-stdin", "--out", crew)
	r := must(t, exitDone, in(), "simulate", "provision", "--server", url, "--login", "sim", "--password-stdin", "--out", crew,
		"--members", "48", "--on-duty", "--devices-each")
	if !strings.Contains(r.out, "84") || strings.Contains(r.out+r.err, "lqd_") {
		t.Errorf("provision says %s%s", r.out, r.err)
	}
	if info, err := os.Stat(crew); err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("the secrets' file: %v, %v, want 0600", info, err)
	}
	if again := must(t, exitUsage, in(), "simulate", "provision", "--server", url, "--login", "sim", "--password-stdin", "--out", crew); !strings.Contains(again.err, "--out") {
		t.Errorf("a second time: %s", again.err)
	}

	for _, protocol := range []string{"gateway", "osmand"} {
		r := must(t, exitDone, in(), "simulate", "--devices", crew, "--login", "sim", "--password-stdin", "--protocol", protocol, "--json",
			"--duration", "2m", "--speed", "0", "--connections", "8", "--settle", "4s")
		var s simulate.Score
		if err := json.Unmarshal([]byte(r.out[strings.IndexByte(r.out, '{'):]), &s); err != nil {
			t.Fatalf("%s: %v\n%s", protocol, err, r.out)
		}
		if !s.Tracks || !s.Quarantine || s.Units != 84 || s.Fixes < 84*20 {
			t.Errorf("%s: %+v, want tracks and quarantine of 84 units", protocol, s)
		}
		if s.Found != s.Fixes || s.Lost+s.Doubled+s.Unsent != 0 {
			t.Errorf("%s: of %d fixes %d are in the track, %d lost, %d doubled, %d unsent", protocol, s.Fixes, s.Found, s.Lost, s.Doubled, s.Unsent)
		}
		if s.Crossings.True == 0 || s.Crossings.Events == 0 {
			t.Errorf("%s: %+v, want crossings", protocol, s.Crossings)
		}
	}

	fixes := filepath.Join(dir, "fixes.csv")
	var b strings.Builder
	b.WriteString("unit,time,lon,lat\n")
	for i := range 20 {
		b.WriteString("a," + time.Unix(int64(1_700_000_000+5*i), 0).UTC().Format(time.RFC3339) + ",116.3,39.9\n")
	}
	if err := os.WriteFile(fixes, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	r = must(t, exitDone, nil, "simulate", "--devices", crew, "--replay", fixes, "--replay-to", "121.25,31.38", "--duration", "1h", "--speed", "0")
	if !strings.Contains(r.out, "answered 20,") {
		t.Errorf("the replay says %s", r.out)
	}
	for name, args := range map[string][]string{
		"no such file":       {"--replay", filepath.Join(dir, "none.csv")},
		"no such devices":    {"--devices", filepath.Join(dir, "none.json")},
		"a protocol of none": {"--protocol", "pigeon"},
		"no address":         {"--protocol", "mqtt"},
		"backwards":          {"--duration", "-1s"},
	} {
		got := lianqin(t, nil, append([]string{"simulate", "--devices", crew}, args...)...)
		if got.code != exitUsage && got.code != exitInput || got.err == "" {
			t.Errorf("%s: exit %d, %s", name, got.code, got.err)
		}
	}
}
