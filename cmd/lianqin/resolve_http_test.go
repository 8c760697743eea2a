package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// serving starts the service over boundaries in this process and returns its
// address; it stops with the test.
func serving(t *testing.T, boundaries string) string {
	t.Helper()
	return servingWith(t, "--boundaries", boundaries, "--public-map", "--database", "sqlite:"+filepath.Join(t.TempDir(), "lianqin.db"))
}

// servingWith is serving with any flags of serve but its address.
func servingWith(t *testing.T, flags ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	var errOut bytes.Buffer
	done := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...), nil, w, &errOut)
		w.Close()
		done <- code
	}()
	t.Cleanup(func() {
		stop()
		go io.Copy(io.Discard, r)
		<-done
	})
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if url := address.FindString(lines.Text()); url != "" && strings.Contains(lines.Text(), "ready") {
			return url
		}
	}
	t.Fatalf("the service did not start: %s", errOut.String())
	return ""
}

// TestFileAndRequestGiveTheSameBytes sends tables through the command and
// through the service over the same boundaries.
func TestFileAndRequestGiveTheSameBytes(t *testing.T) {
	boundaries := filepath.Join(folder(t, map[string]string{"squares.geojson": squares}), "squares.geojson")
	url := serving(t, boundaries) + "api/v1/resolve"
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String("名称,经度,纬度\r\n\"嘉定镇\",121.205,31.305\r\n外,121.9,31.9\r\n")
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{"a,121.205,31.305", "a,121.215,31.305", "outside,120.111,30.111", "empty,,31.305", "null,NULL,nan", "words,east,31.305",
		"hex,0x79,31.305", "exponent,1.21205e2,3.1305E1", "infinite,Inf,31.305", "range,181,31.305", "swapped,31.305,121.205", "zero,0,0.000",
		"rounded,121.2,31", "short", "long,121.205,31.305,4", `"quoted, ""twice""",121.205," 31.305 "`, "\"two\nlines\",121.205,31.305",
		`5" pipe,121.205,31.305`, `"ill "quoted" field",121.205,31.305`, "", `"unclosed,121.205,31.305`, "b,121.205,31.305"}
	table := "note,lon,lat\n" + strings.Join(rows, "\n")
	for _, tt := range []struct{ name, in, flags, query string }{
		{"every kind of row", table, "", ""},
		{"a line end at the end", table + "\n", "", ""},
		{"CRLF", strings.ReplaceAll(table, "\n", "\r\n"), "", ""},
		{"byte order mark", "\ufeff" + table, "", ""},
		{"GBK", gbk, "", ""},
		{"semicolons", "note;lon;lat\na;121.205;31.305\nb;1,5;31\n", "", ""},
		{"tabs", "note\tlon\tlat\na, b\t121.205\t31.305\n", "", ""},
		{"other names", "LNG,Latitude\n121.205,31.305\n", "", ""},
		{"named columns", "a,b,lon,lat\n31.305,121.205,0,0\n", "--lon-column b --lat-column a", "?lon_column=b&lat_column=a"},
		{"columns by number", "lon,lat,lon,lat\n0,0,121.205,31.305\n", "--lon-column 3 --lat-column 4", "?lon_column=3&lat_column=4"},
		{"a datum", table, "--datum gcj02", "?datum=gcj02"},
		{"header only", "lon,lat", "", ""},
		{"thousands", "note,lon,lat\n" + strings.Repeat(strings.Join(rows, "\n")+"\n", 2000), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"resolve", "--boundaries", boundaries}, strings.Fields(tt.flags)...)
			want := must(t, exitDone, strings.NewReader(tt.in), args...).out
			answer, err := http.Post(url+tt.query, "text/csv", strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			got, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%s, %v: %.500s", answer.Status, err, got)
			}
			if string(got) != want {
				t.Errorf("-command +request\n%.3000s", cmp.Diff(want, string(got)))
			}
			if strings.Count(want, "\n") < strings.Count(tt.in, "\n") || !strings.Contains(want, "grid_name") {
				t.Errorf("the command says %.300s", want)
			}
		})
	}
}
