package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"lianqin/internal/geo"
	"lianqin/internal/geofile"
)

func gunzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// offAreaM is how far p is from area in metres, 0 inside.
func offAreaM(p orb.Point, area orb.MultiPolygon) float64 {
	if planar.MultiPolygonContains(area, p) {
		return 0
	}
	s, best := geo.ScaleAt(p[1]), math.Inf(1)
	for _, poly := range area {
		for _, ring := range poly {
			for i := 1; i < len(ring); i++ {
				best = min(best, s.SegmentDistanceM(p, ring[i-1], ring[i]))
			}
		}
	}
	return best
}

// TestBaltimore resolves ten thousand real service requests against the city's
// neighbourhoods and compares with the neighbourhood that the city gave them.
func TestBaltimore(t *testing.T) {
	boundaries := realFile(t, "baltimore311/neighborhood.geojson.gz")
	in := gunzip(t, realFile(t, "baltimore311/requests.csv.gz"))
	r := must(t, exitDone, bytes.NewReader(in), "resolve", "--boundaries", boundaries, "--id-property", "neighborhood")

	before, after := strings.Split(string(in), "\n"), strings.Split(r.out, "\n")
	if len(before) != len(after) {
		t.Fatalf("%d lines in, %d out", len(before), len(after))
	}
	for i := range before { // no field of this file holds a line end
		if !strings.HasPrefix(after[i], strings.TrimSuffix(before[i], "\r")) {
			t.Fatalf("line %d changed:\n%s\n%s", i+1, before[i], after[i])
		}
	}
	rows, err := csv.NewReader(strings.NewReader(r.out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := make(map[string]int)
	for i, name := range rows[0] {
		at[name] = i
	}
	areas := areasByName(t, boundaries)
	var labelled, exact, flagged int
	for n, row := range rows[1:] {
		got, want, reason := row[at["grid"]], row[at["neighborhood"]], row[at["reason"]]
		if word, _, _ := strings.Cut(reason, ":"); word == "missing" || word == "rounded" {
			flagged++
			if got != "" || row[at["border_m"]] != "" {
				t.Errorf("row %d: %s, and yet grid %q", n+1, reason, got)
			}
			continue
		}
		if (got == "") != strings.HasPrefix(reason, "outside:") {
			t.Errorf("row %d: grid %q, reason %q", n+1, got, reason)
		}
		if want == "" {
			continue
		}
		labelled++
		if got == want {
			exact++
		}
		p := orb.Point{degree(t, row[at["longitude"]]), degree(t, row[at["latitude"]])}
		if d := offAreaM(p, areas[got]); got == "" || d > 1 {
			t.Errorf("row %d: resolved to %q, which is %.2f m away", n+1, got, d)
		}
		if d := offAreaM(p, areas[want]); d > 1 {
			t.Errorf("row %d: labelled %q, which is %.2f m away; resolved to %q", n+1, want, d, got)
		}
	}
	t.Logf("%d of %d labelled rows exact, %d flagged", exact, labelled, flagged)
	if labelled != 8331 || float64(exact) < 0.995*float64(labelled) {
		t.Errorf("%d of %d labelled rows are exact, want 99.5 %% of 8331", exact, labelled)
	}
	if flagged != 1482 {
		t.Errorf("%d rows flagged for missing or rounded coordinates, want 1482", flagged)
	}
	for _, want := range []string{"590 missing ", "892 rounded ", `lon = "longitude"`, `lat = "latitude"`, "边界已清理"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("%q is not reported:\n%s", want, r.err)
		}
	}
	sameAsNDJSON(t, boundaries, rows)
}

func areasByName(t *testing.T, path string) map[string]orb.MultiPolygon {
	t.Helper()
	f, err := geofile.Read(path, geofile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]orb.MultiPolygon)
	for i := range f.Features {
		area, _ := f.Features[i].Polygons()
		out[f.Features[i].Text("neighborhood")] = area
	}
	return out
}

func degree(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sameAsNDJSON resolves the same rows as objects and holds that the answers are
// the same.
func sameAsNDJSON(t *testing.T, boundaries string, rows [][]string) {
	t.Helper()
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, row := range rows[1:] {
		object := make(map[string]string)
		for i, name := range rows[0][:17] {
			object[name] = row[i]
		}
		if err := enc.Encode(object); err != nil {
			t.Fatal(err)
		}
	}
	r := must(t, exitDone, bytes.NewReader(lines.Bytes()), "resolve", "-q", "--boundaries", boundaries)
	dec := json.NewDecoder(strings.NewReader(r.out))
	for n, row := range rows[1:] {
		var got struct {
			ID     string   `json:"servicerequestnum"`
			Grid   string   `json:"grid"`
			Border *float64 `json:"border_m"`
			Reason string   `json:"reason"`
		}
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("row %d: %v", n+1, err)
		}
		border := ""
		if got.Border != nil {
			border = fmt.Sprintf("%.1f", *got.Border)
		}
		if got.ID != row[0] || got.Grid != row[17] || border != row[21] || got.Reason != row[22] {
			t.Fatalf("row %d: %+v, CSV %q", n+1, got, row)
		}
	}
}

// TestOutputFile writes over its own input, and leaves it alone on failure.
func TestOutputFile(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"squares.geojson": squares, "in.csv": "lon,lat\n121.205,31.305\n"}))
	must(t, exitDone, nil, "resolve", "-q", "--boundaries", "squares.geojson", "in.csv", "-o", "in.csv")
	const want = "lon,lat,grid,grid_name,street,department,border_m,reason\n121.205,31.305,A1,一号网格,新成路街道,,476.0,\n"
	if got, _ := os.ReadFile("in.csv"); string(got) != want {
		t.Errorf("got %s", got)
	}
	again := must(t, exitDone, nil, "resolve", "--boundaries", "squares.geojson", "in.csv", "-o", "twice.csv")
	if !strings.Contains(again.err, "输入已有同名列") {
		t.Errorf("repeated columns are not mentioned: %s", again.err)
	}
	must(t, exitUsage, nil, "resolve", "-q", "--boundaries", "squares.geojson", "--lon-column", "east", "in.csv", "-o", "in.csv")
	if got, _ := os.ReadFile("in.csv"); string(got) != want {
		t.Errorf("a failed run left %s", got)
	}
	if left, _ := filepath.Glob(".lianqin-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestOutputToADevice: what is no file is written to and not replaced, which
// as root would take /dev/null away from everybody.
func TestOutputToADevice(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"squares.geojson": squares, "in.csv": "lon,lat\n121.205,31.305\n"}))
	if err := os.Symlink(os.DevNull, "device.csv"); err != nil {
		t.Fatal(err)
	}
	must(t, exitDone, nil, "resolve", "-q", "--boundaries", "squares.geojson", "in.csv", "-o", "device.csv")
	if to, err := os.Readlink("device.csv"); to != os.DevNull {
		t.Errorf("the device was replaced: %q, %v", to, err)
	}
	if err := os.Symlink(os.DevNull, "device.geojson"); err != nil {
		t.Fatal(err)
	}
	must(t, exitInput, nil, "convert", "squares.geojson", "device.geojson")
	if to, err := os.Readlink("device.geojson"); to != os.DevNull {
		t.Errorf("convert replaced the device: %q, %v", to, err)
	}
}

// TestStrict: unusable rows make an exit code only when asked to.
func TestStrict(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"squares.geojson": squares}))
	args := []string{"resolve", "-q", "--boundaries", "squares.geojson"}
	must(t, exitDone, strings.NewReader("lon,lat\n121,31\n"), args...)
	r := must(t, exitFound, strings.NewReader("lon,lat\n121,31\n"), append(args, "--strict")...)
	if !strings.Contains(r.out, "121,31,,,,,,rounded: ") {
		t.Errorf("strict, and yet: %s", r.out)
	}
	must(t, exitDone, strings.NewReader("lon,lat\n121.3,31.25\n"), append(args, "--strict")...) // outside is no fault
}

// TestHints looks for the advice that goes with rows that are wrong alike.
func TestHints(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"squares.geojson": squares}))
	for _, c := range []struct{ in, want string }{
		{"lon,lat\n31.305,121.205\n31.306,121.205\n", "经纬度列可能颠倒"},
		{"x,y\n-1234.5,2345.6\n-1235.5,2345.6\n", "坐标似为投影坐标"},
	} {
		if r := must(t, exitDone, strings.NewReader(c.in), "resolve", "--boundaries", "squares.geojson"); !strings.Contains(r.err, c.want) {
			t.Errorf("%q: no hint %q in\n%s", c.in, c.want, r.err)
		}
	}
}

// rowSource makes rows without end or memory.
type rowSource struct {
	left int
	rest []byte
	row  []byte
}

func (r *rowSource) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(r.rest) == 0 {
			if r.left == 0 {
				if n == 0 {
					return 0, io.EOF
				}
				break
			}
			r.left--
			r.rest = r.row
		}
		k := copy(b[n:], r.rest)
		r.rest, n = r.rest[k:], n+k
	}
	return n, nil
}

// TestMemoryIsConstant pipes rows through the program and holds the most memory
// it ever had against what it needs for a handful.
func TestMemoryIsConstant(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the largest resident size is read as Linux gives it")
	}
	rows := 2_000_000
	if raceDetector {
		rows = 200_000 // every memory access is watched; 14 MB of rows still show a leak of 30
	}
	path := filepath.Join(folder(t, map[string]string{"squares.geojson": squares}), "squares.geojson")
	peak := func(rows int) int {
		c := program(t, "resolve", "-q", "--boundaries", path)
		c.Stdin = io.MultiReader(strings.NewReader("lon,lat,note\n"),
			&rowSource{left: rows, row: []byte("121.2051234,31.3054321,\"" + strings.Repeat("说明", 20) + "\"\n")})
		out := observer{process: c}
		var errOut bytes.Buffer
		c.Stdout, c.Stderr = &out, &errOut
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %s", err, errOut.String())
		}
		if out.lines != rows+1 || out.peakKB == 0 {
			t.Fatalf("%d lines came out, %d rows went in, memory %d kB", out.lines, rows, out.peakKB)
		}
		return out.peakKB >> 10
	}
	few, many := peak(100), peak(rows)
	t.Logf("%d MiB for 100 rows, %d MiB for %d", few, many, rows)
	if limit := few + 40; many > limit {
		t.Errorf("%d rows took %d MiB, more than %d MiB", rows, many, limit)
	}
}

// observer counts the lines that a process writes, and reads the most memory
// it has had so far whenever it does. (What the kernel tells of a child that
// has ended includes its parent.)
type observer struct {
	process *exec.Cmd
	lines   int
	peakKB  int
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

func (o *observer) Write(b []byte) (int, error) {
	o.lines += bytes.Count(b, []byte{'\n'})
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.process.Process.Pid))
	if m := peakLine.FindSubmatch(status); err == nil && m != nil {
		o.peakKB, _ = strconv.Atoi(string(m[1]))
	}
	return len(b), nil
}

// TestBrokenPipe holds that `lianqin resolve | head` ends, and without a word.
func TestBrokenPipe(t *testing.T) {
	path := filepath.Join(folder(t, map[string]string{"squares.geojson": squares}), "squares.geojson")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := program(t, "resolve", "-q", "--boundaries", path)
	c.Stdin = io.MultiReader(strings.NewReader("lon,lat\n"), &rowSource{left: 1 << 20, row: []byte("121.2051234,31.3054321\n")})
	var errOut bytes.Buffer
	c.Stdout, c.Stderr = w, &errOut
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	io.CopyN(io.Discard, r, 1000)
	r.Close()
	c.Wait() // by a signal, as it should be
	if status := c.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGPIPE || errOut.Len() > 0 {
		t.Errorf("ended by %v, %s", c.ProcessState, errOut.String())
	}
}
