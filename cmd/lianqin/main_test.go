package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/geodata"
	"lianqin/internal/store/storetest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// real is where the real files lie, beside the repository.
const real = "../../../shared/data/real"

// here is the package's folder, for tests that go elsewhere.
var here, _ = os.Getwd()

// TestMain makes the test's own binary stand in for the program when a test
// needs a process: to be killed, measured, or called by a shell. The program's
// own helpers are it, too.
func TestMain(m *testing.M) {
	if os.Getenv("LIANQIN_TEST_AS_PROGRAM") == "1" {
		main()
	}
	os.Setenv("LIANQIN_TEST_AS_PROGRAM", "1")
	os.Exit(storetest.Run(m))
}

// result is what a run of the program left behind.
type result struct {
	code     int
	out, err string
}

func lianqin(t testing.TB, in io.Reader, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(context.Background(), args, in, &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// must is lianqin for a run that has to end with code.
func must(t testing.TB, code int, in io.Reader, args ...string) result {
	t.Helper()
	r := lianqin(t, in, args...)
	if r.code != code {
		t.Fatalf("lianqin %s: exit %d, want %d\n%s", strings.Join(args, " "), r.code, code, r.err)
	}
	return r
}

// program is the same as a process.
func program(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), "LIANQIN_TEST_AS_PROGRAM=1")
	return c
}

// realFile is the path of a real file, or the end of the test where there are
// none.
func realFile(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(real, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real files are not beside this repository: %v", err)
	}
	return path
}

// needs skips a test for want of a program, and fails it in CI.
func needs(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed: scripts/setup installs it", name)
		}
		t.Skipf("%s is not installed: scripts/setup installs it", name)
	}
}

// districtFile writes the demonstration district to a folder of the test's.
func districtFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(folder(t, map[string]string{"district.geojson": string(geodata.District)}), "district.geojson")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(here, "testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: -want +got\n%s", name, d)
	}
}

// TestEveryCommandShowsExamples also holds that help is no error and goes to
// standard output.
func TestEveryCommandShowsExamples(t *testing.T) {
	commands := []string{"serve", "resolve", "check", "convert", "demo", "demo district"}
	for _, c := range commands {
		r := must(t, exitDone, nil, append(strings.Fields(c), "--help")...)
		if !strings.Contains(r.out, "示例") || !strings.Contains(r.out, "lianqin "+c) || r.err != "" {
			t.Errorf("lianqin %s --help has no example of itself:\n%s%s", c, r.out, r.err)
		}
	}
	r := must(t, exitDone, nil)
	for _, c := range commands {
		if !strings.Contains(r.out, "  "+c) {
			t.Errorf("lianqin without arguments does not name %q", c)
		}
	}
}

// TestMistakesAreExplained runs every mistake a user is likely to make and
// holds what is printed against testdata/mistakes.golden.
func TestMistakesAreExplained(t *testing.T) {
	t.Chdir(mistakes(t))
	cases := []struct{ name, in, args string }{
		{"no such command", "", "frobnicate"},
		{"no such flag", "", "resolve --boundry x.geojson"},
		{"a misspelt datum", "", "resolve --datum wgs48"},
		{"a length that is none", "", "check --tolerance wide squares.geojson"},
		{"no tolerance", "", "check --tolerance 0 squares.geojson"},
		{"no file", "", "check"},
		{"no such boundary file", "lon,lat\n", "resolve --boundaries nowhere.geojson"},
		{"no such input", "", "resolve --boundaries squares.geojson nowhere.csv"},
		{"a file that is no boundary file", "lon,lat\n", "resolve --boundaries notes.txt"},
		{"no id to guess", "lon,lat\n", "resolve --boundaries nameless.geojson"},
		{"a wrong id property", "lon,lat\n", "resolve --boundaries squares.geojson --id-property nummer"},
		{"an id that is not everywhere", "lon,lat\n", "resolve --boundaries nameless.geojson --id-property colour"},
		{"areas that overlap", "lon,lat\n", "resolve --boundaries overlap.geojson"},
		{"lines instead of areas", "lon,lat\n", "resolve --boundaries lines.geojson"},
		{"a check of nothing", "", "check lines.geojson"},
		{"an empty input", "", "resolve --boundaries squares.geojson"},
		{"columns that are not there", "a,b\n1,2\n", "resolve -q --boundaries squares.geojson"},
		{"a column that is not there", "lon,lat\n1,2\n", "resolve -q --boundaries squares.geojson --lon-column east"},
		{"no header", "121.201,31.301\n", "resolve -q --boundaries squares.geojson"},
		{"no header, no columns", "121.201,31.301\n", "resolve --no-header"},
		{"a JSON array", "[{\"lon\":1}]", "resolve -q --boundaries squares.geojson"},
		{"an extension nobody writes", "", "convert squares.geojson squares.dwg"},
		{"a report without repairs", "", "convert --report r.json squares.geojson squares.kml"},
		{"a folder that is not there", "", "convert squares.geojson nowhere/squares.kml"},
		{"cleaning what needs a decision", "", "convert --clean overlap.geojson clean.geojson"},
		{"an address that is none", "", "serve --boundaries squares.geojson --listen 8080"},
		{"a scale out of range", "", "demo district --scale 1000"},
	}
	var all strings.Builder
	for _, c := range cases {
		r := lianqin(t, strings.NewReader(c.in), strings.Fields(c.args)...)
		all.WriteString("# " + c.name + "\n$ lianqin " + c.args + "\n" + r.out + r.err + "exit " + string(rune('0'+r.code)) + "\n\n")
		if r.code == exitDone {
			t.Errorf("%s: exit 0", c.name)
		}
	}
	golden(t, "mistakes.golden", all.String())
}

// square is a GeoJSON feature of 0.01 degree with its south-west corner at x, y.
func square(properties string, x, y float64) string {
	return fmt.Sprintf(`{"type":"Feature","properties":%s,"geometry":{"type":"Polygon","coordinates":[[[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f]]]}}`,
		properties, x, y, x+0.01, y, x+0.01, y+0.01, x, y+0.01, x, y)
}

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",\n") + "]}\n"
}

// squares are two areas side by side.
var squares = collection(
	square(`{"code":"A1","name":"一号网格","street":"新成路街道"}`, 121.20, 31.30),
	square(`{"code":"A2","name":"二号网格","street":"新成路街道"}`, 121.21, 31.30))

// mistakes is a folder of files that are wrong.
func mistakes(t *testing.T) string {
	t.Helper()
	return folder(t, map[string]string{
		"squares.geojson":  squares,
		"nameless.geojson": collection(square(`{"colour":"red"}`, 121.20, 31.30), square(`{"colour":""}`, 121.21, 31.30)),
		"overlap.geojson":  collection(square(`{"code":"A1"}`, 121.200, 31.30), square(`{"code":"A2"}`, 121.205, 31.30)),
		"lines.geojson":    collection(`{"type":"Feature","properties":{"code":"L"},"geometry":{"type":"LineString","coordinates":[[121,31],[122,32]]}}`),
		"notes.txt":        "grids, to be done\n",
	})
}

func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestServe starts the program, asks it for a grid, finds its port taken for
// another, and stops it as a service manager would.
func TestServe(t *testing.T) {
	dir := folder(t, map[string]string{"squares.geojson": squares})
	c := program(t, "serve", "--boundaries", filepath.Join(dir, "squares.geojson"), "--listen", "127.0.0.1:0", "--public-map",
		"--database", "sqlite:"+filepath.Join(dir, "lianqin.db"))
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errOut bytes.Buffer
	c.Stderr = &errOut
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.Contains(lines.Text(), "lianqin user add admin") {
		t.Errorf("without an account the first line is %q", lines.Text())
	}
	if !lines.Scan() {
		t.Fatalf("no address printed: %s", errOut.String())
	}
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(lines.Text())
	if url == "" || !strings.HasPrefix(lines.Text(), "联勤已就绪 ready: ") {
		t.Fatalf("the first line is %q", lines.Text())
	}
	answer, err := http.Get(url + "api/v1/resolve?lon=121.205&lat=31.305")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if !strings.Contains(string(body), `"code":"A1"`) {
		t.Errorf("resolve: %s", body)
	}
	taken := must(t, exitSystem, nil, "demo", "--listen", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
	if !strings.Contains(taken.err, "端口已被占用") || !strings.Contains(taken.err, "--listen") {
		t.Errorf("a taken port is explained as %q", taken.err)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { lines.Scan(); ended <- c.Wait() }()
	select {
	case err := <-ended:
		if err != nil || lines.Text() != "已停止 stopped" {
			t.Errorf("after SIGTERM: %v, %q, %s", err, lines.Text(), errOut.String())
		}
	case <-time.After(20 * time.Second):
		t.Error("still there 20 s after SIGTERM")
	}
}

// TestSettingsFromTheEnvironment holds that a flag's variable works and that
// the flag itself wins.
func TestSettingsFromTheEnvironment(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"squares.geojson": squares}))
	t.Setenv("LIANQIN_BOUNDARIES", "squares.geojson")
	t.Setenv("LIANQIN_LON_COLUMN", "east")
	t.Setenv("LIANQIN_QUIET", "true")
	in := "east,west,lat\n121.215,121.205,31.305\n"
	r := must(t, exitDone, strings.NewReader(in), "resolve")
	if !strings.Contains(r.out, ",A2,二号网格,新成路街道,") || r.err != "" {
		t.Errorf("from the environment: %s%s", r.out, r.err)
	}
	if r = must(t, exitDone, strings.NewReader(in), "resolve", "--lon-column", "west"); !strings.Contains(r.out, ",A1,一号网格,") {
		t.Errorf("the flag does not win: %s", r.out)
	}
}

// TestReadmeExamples runs the shell examples of the README in an empty folder,
// as they stand, and looks at what they make.
func TestReadmeExamples(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		script.WriteString(m[1])
	}
	// The program as it is built, not the test's binary: making a district
	// under the race detector takes a minute.
	bin, dir := t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	c := exec.Command("bash", "-euo", "pipefail", "-c", script.String())
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, want := range map[string]string{
		"defects.json":    `"exact": true`,
		"repairs.json":    `"cleaned": true`,
		"second.geojson":  `"street_name":"`,
		"resolved.csv":    "2,121,31,,,,,,rounded: ",
		"resolved.ndjson": `{"id":7,"lng":121.247,"lat":31.383,"grid":"310114004U`,
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %q: %v\n%.500s", name, want, err, got)
		}
	}
	// What is said in passing: flags and commands in the other examples.
	for _, m := range regexp.MustCompile(`(?m)^lianqin ([^#|<>\n]+)`).FindAllStringSubmatch(string(text), -1) {
		args := strings.Fields(strings.ReplaceAll(m[1], "'", ""))
		if _, err := parse(args, &session{out: io.Discard, err: io.Discard}); err != nil {
			t.Errorf("lianqin %s: %v", m[1], err)
		}
	}
}
