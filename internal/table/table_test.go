package table

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/partition"
)

// squares is a district of 2 x 2 grids of 0.01 degree from 121.2, 31.3, the
// first of them A1 in the south-west. A2's name needs quoting.
func squares(t testing.TB) *locate.Index {
	t.Helper()
	src := grid.Source{Streets: []grid.Street{{Code: "310114004", Name: "嘉定镇街道"}}}
	var shapes []partition.Shape
	for i := range 4 {
		x, y := int32(1212000000+i%2*100000), int32(313000000+i/2*100000)
		shapes = append(shapes, partition.Shape{ID: partition.FaceID(i + 1), Rings: []partition.Ring{{
			{X: x, Y: y}, {X: x + 100000, Y: y}, {X: x + 100000, Y: y + 100000}, {X: x, Y: y + 100000}}}})
		g := grid.Grid{ID: grid.ID(i + 1), Code: fmt.Sprintf("A%d", i+1), Name: fmt.Sprintf("%d号网格", i+1), Street: "310114004",
			Department: grid.Department{Code: "310114004-S01", Name: "联勤中心"}}
		if i == 1 {
			g.Name = `城区"二",网格`
		}
		src.Grids = append(src.Grids, g)
	}
	var err error
	if src.Partition, err = partition.New(shapes); err != nil {
		t.Fatal(err)
	}
	g, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	return locate.New(g)
}

func resolve(t testing.TB, in string, opt Options) (string, Summary, error) {
	t.Helper()
	if opt.Threads == 0 {
		opt.Threads = 2
	}
	opt.MinDecimals = UsualMinDecimals
	opt.Settings = Settings{"--lon-column", "--lat-column", "--no-header"}
	index := squares(t)
	var out bytes.Buffer
	s, err := Resolve(context.Background(), &out, strings.NewReader(in), index.Generation(), index, opt)
	return out.String(), s, err
}

const header = ",grid,grid_name,street,department,border_m,reason"

func TestCSVRowsKeepTheirBytes(t *testing.T) {
	in1 := ",A1,1号网格,嘉定镇街道,联勤中心,476.0,"
	in2 := `,A2,"城区""二"",网格",嘉定镇街道,联勤中心,476.0,`
	no := func(r Reason) string { return ",,,,,," + r.String() }
	cases := []struct {
		name, in, want string
	}{
		{"plain", "id,lon,lat\n1,121.205,31.305\n", "id,lon,lat" + header + "\n1,121.205,31.305" + in1 + "\n"},
		{"no newline at the end", "lon,lat\n121.205,31.305", "lon,lat" + header + "\n121.205,31.305" + in1},
		{"CRLF", "lon,lat\r\n121.205,31.305\r\n", "lon,lat" + header + "\r\n121.205,31.305" + in1 + "\r\n"},
		{"byte order mark", "\ufefflon,lat\n121.205,31.305\n", "\ufefflon,lat" + header + "\n121.205,31.305" + in1 + "\n"},
		{"semicolons", "lon;lat\n121.205;31.305\n", strings.ReplaceAll("lon,lat"+header+"\n121.205,31.305"+in1+"\n", ",", ";")},
		{"tabs, and a name with a comma", "lon\tlat\n121.215\t31.305\n",
			"lon\tlat" + strings.ReplaceAll(header, ",", "\t") + "\n121.215\t31.305\tA2\t\"城区\"\"二\"\",网格\"\t嘉定镇街道\t联勤中心\t476.0\t\n"},
		{"line ends and doubled quotes in a field", "note,lon,lat\n\"a \"\"b\"\"\r\nc,d\",121.215,31.305\n", "note,lon,lat" + header + "\n\"a \"\"b\"\"\r\nc,d\",121.215,31.305" + in2 + "\n"},
		{"quoted numbers and names", "\"lon\",\"lat\"\n\"121.205\",\" 31.305 \"\n", "\"lon\",\"lat\"" + header + "\n\"121.205\",\" 31.305 \"" + in1 + "\n"},
		{"a quote inside a field is a character", "note,lon,lat\n5\" pipe,121.205,31.305\n", "note,lon,lat" + header + "\n5\" pipe,121.205,31.305" + in1 + "\n"},
		{"an ill-quoted field on one line", "note,lon,lat\n\"a \"b\" c\",121.205,31.305\n", "note,lon,lat" + header + "\n\"a \"b\" c\",121.205,31.305" + in1 + "\n"},
		{"a quote that never closes costs one row", "note,lon,lat\n\"a,121.205,31.305\nb,121.205,31.305\n",
			"note,lon,lat" + header + "\n\"\"\"a\",121.205,31.305" + no(Malformed) + "\nb,121.205,31.305" + in1 + "\n"},
		{"a stray quote before a quoted field costs one row", "note,lon,lat\n\"a,121.205,31.305\n\"b\",121.205,31.305\n",
			"note,lon,lat" + header + "\n\"\"\"a\",121.205,31.305" + no(Malformed) + "\n\"b\",121.205,31.305" + in1 + "\n"},
		{"an unclosed quote in a row of too few fields", "note,lon,lat\n\"a\n", "note,lon,lat" + header + "\n\"\"\"a\",," + no(Malformed) + "\n"},
		{"an unclosed quote in a row of too many fields", "lon,lat\n\"a,b,c,d\n", "lon,lat" + header + "\n\"\"\"a\",\"b,c,d\"" + no(Malformed) + "\n"},
		{"an ill-quoted field that does not end on its line", "note,lon,lat\n\"a \"b,1,2\n\",121.205,31.305\n",
			"note,lon,lat" + header + "\n\"\"\"a \"\"b\",1,2" + no(Malformed) + "\n\"\"\"\",121.205,31.305" + no(Malformed) + "\n"},
		{"too few fields are filled up", "id,lon,lat\n1\n2,121.205,31.305\n", "id,lon,lat" + header + "\n1,," + no(Ragged) + "\n2,121.205,31.305" + in1 + "\n"},
		{"too many fields", "lon,lat\n121.205,31.305,9\n", "lon,lat" + header + "\n121.205,31.305,9" + no(Ragged) + "\n"},
		{"blank lines pass", "lon,lat\n\n121.205,31.305\n\r\n", "lon,lat" + header + "\n\n121.205,31.305" + in1 + "\n\r\n"},
		{"header only", "lon,lat\n", "lon,lat" + header + "\n"},
		{"header only, no line end", "lon,lat", "lon,lat" + header + "\n"},
		{"empty", "lon,lat\n,\n", "lon,lat" + header + "\n," + no(Missing) + "\n"},
		{"null", "lon,lat\nNULL,31.305\n", "lon,lat" + header + "\nNULL,31.305" + no(Missing) + "\n"},
		{"words", "lon,lat\neast,31.305\n", "lon,lat" + header + "\neast,31.305" + no(NotNumber) + "\n"},
		{"infinity", "lon,lat\nInf,31.305\n", "lon,lat" + header + "\nInf,31.305" + no(NotNumber) + "\n"},
		{"out of range", "lon,lat\n181,31.305\n", "lon,lat" + header + "\n181,31.305" + no(OutOfRange) + "\n"},
		{"zero", "lon,lat\n0.000,-0\n", "lon,lat" + header + "\n0.000,-0" + no(Zero) + "\n"},
		{"whole degrees", "lon,lat\n121.000,31\n", "lon,lat" + header + "\n121.000,31" + no(Rounded) + "\n"},
		{"one decimal each", "lon,lat\n121.2,31.3\n", "lon,lat" + header + "\n121.2,31.3" + no(Rounded) + "\n"},
		{"outside, with the distance", "lon,lat\n121.225,31.305\n", "lon,lat" + header + "\n121.225,31.305,,,,,476.0," + Outside.String() + "\n"},
		{"on a border: the east", "lon,lat\n121.21,31.305\n", "lon,lat" + header + "\n121.21,31.305" + strings.Replace(in2, "476.0", "0.0", 1) + "\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, s, err := resolve(t, c.in, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if n := s.Inside + s.Refused() + s.Reasons[Outside]; n != s.Rows {
				t.Errorf("%d rows accounted for, of %d", n, s.Rows)
			}
		})
	}
}

func TestCSVOfChineseSpreadsheets(t *testing.T) {
	gbk := func(s string) string { return string(GB18030.encode(s)) }
	got, _, err := resolve(t, gbk("名称,经度,纬度\n嘉定镇,121.205,31.305\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := gbk("名称,经度,纬度" + header + "\n嘉定镇,121.205,31.305,A1,1号网格,嘉定镇街道,联勤中心,476.0,\n"); got != want {
		t.Errorf("got %s\nwant %s", GB18030.decode([]byte(got)), GB18030.decode([]byte(want)))
	}
}

func TestNoHeader(t *testing.T) {
	got, s, err := resolve(t, "7,121.205,31.305\n8,121.215,31.315\n", Options{NoHeader: true, LonColumn: "2", LatColumn: "3"})
	if err != nil {
		t.Fatal(err)
	}
	want := "7,121.205,31.305,A1,1号网格,嘉定镇街道,联勤中心,476.0,\n8,121.215,31.315,A4,4号网格,嘉定镇街道,联勤中心,475.9,\n"
	if d := cmp.Diff(want, got); d != "" || s.Rows != 2 {
		t.Errorf("%d rows, -want +got\n%s", s.Rows, d)
	}
}

func TestDatums(t *testing.T) {
	p := geo.GCJ02.FromWGS84([2]float64{121.205, 31.305})
	in := fmt.Sprintf("lon,lat\n%.7f,%.7f\n", p[0], p[1])
	got, _, err := resolve(t, in, Options{Datum: geo.GCJ02})
	if err != nil || !strings.Contains(got, ",A1,1号网格,嘉定镇街道,联勤中心,476.0,\n") {
		t.Errorf("as GCJ-02: %v\n%s", err, got)
	}
	if got, _, _ = resolve(t, in, Options{}); strings.Contains(got, ",476.0,") {
		t.Errorf("GCJ-02 read as WGS-84 gives the same distance:\n%s", got)
	}
}

func TestNDJSON(t *testing.T) {
	const in1 = `"grid":"A1","grid_name":"1号网格","street":"嘉定镇街道","department":"联勤中心","border_m":476.0,"reason":null}`
	no := func(r Reason) string {
		return `"grid":null,"grid_name":null,"street":null,"department":null,"border_m":null,"reason":"` + r.String() + `"}`
	}
	renamed := func(prefix, answer string) string {
		for _, c := range Columns {
			answer = strings.Replace(answer, `"`+c+`":`, `"`+prefix+c+`":`, 1)
		}
		return answer
	}
	cases := []struct{ name, in, want string }{
		{"spaces and order stay", `{ "lat" : 31.305, "b":[1,{"lon":2}], "lon":121.205 }` + "\r\n", `{ "lat" : 31.305, "b":[1,{"lon":2}], "lon":121.205 ,` + in1 + "\r\n"},
		{"numbers as text", `{"lon":"121.205","lat":"31.305"}`, `{"lon":"121.205","lat":"31.305",` + in1},
		{"braces in text", `{"lon":121.205,"n":"a}\"{","lat":31.305}  `, `{"lon":121.205,"n":"a}\"{","lat":31.305,` + in1 + "  "},
		{"null", `{"lon":null,"lat":31.305}`, `{"lon":null,"lat":31.305,` + no(Missing)},
		{"no such member", "{\"lon\":1,\"lat\":2}\n{}\n", "{\"lon\":1,\"lat\":2," + no(Rounded) + "\n{" + no(Missing) + "\n"},
		{"not JSON", "{\"lon\":1,\"lat\":2}\n{\"lon\":\n", "{\"lon\":1,\"lat\":2," + no(Rounded) + "\n{\"input\":\"{\\\"lon\\\":\"," + no(Malformed) + "\n"},
		{"each object's own names", "{\"lng\":121.205,\"lat\":31.305}\n{\"longitude\":121.205,\"纬度\":31.305}\n{\"LON\":121.205,\"Latitude\":31.305}\n{\"lon\":121.205,\"lat\":31.305,\"x\":7,\"y\":8}\n",
			"{\"lng\":121.205,\"lat\":31.305," + in1 + "\n{\"longitude\":121.205,\"纬度\":31.305," + in1 + "\n{\"LON\":121.205,\"Latitude\":31.305," + in1 + "\n{\"lon\":121.205,\"lat\":31.305,\"x\":7,\"y\":8," + in1 + "\n"},
		{"the likelier name, wherever it stands", `{"x":7,"y":8,"lat":31.305,"lon":121.205}`, `{"x":7,"y":8,"lat":31.305,"lon":121.205,` + in1},
		{"the first object has no coordinates", "{\"id\":1}\n{\"lon\":121.205,\"lat\":31.305}\n", "{\"id\":1," + no(Missing) + "\n{\"lon\":121.205,\"lat\":31.305," + in1 + "\n"},
		{"a key of ours", "{\"lon\":121.205,\"lat\":31.305,\"grid\":\"old\"}\n{\"lon\":121.205,\"lat\":31.305}\n",
			"{\"lon\":121.205,\"lat\":31.305,\"grid\":\"old\"," + renamed("lianqin_", in1) + "\n{\"lon\":121.205,\"lat\":31.305," + in1 + "\n"},
		{"a key of ours, escaped", `{"lon":121.205,"lat":31.305,"re\u0061son":1}`, `{"lon":121.205,"lat":31.305,"re\u0061son":1,` + renamed("lianqin_", in1)},
		{"a key of ours without coordinates", "{\"lon\":1,\"lat\":2}\n{\"street\":1}\n", "{\"lon\":1,\"lat\":2," + no(Rounded) + "\n{\"street\":1," + renamed("lianqin_", no(Missing)) + "\n"},
		{"our own output once more", `{"lon":121.205,"lat":31.305,"grid":1,"lianqin_street":2}`, `{"lon":121.205,"lat":31.305,"grid":1,"lianqin_street":2,` + renamed("lianqin_lianqin_", in1)},
		{"escaped name", `{"l\u006fn":121.205,"lat":31.305}`, `{"l\u006fn":121.205,"lat":31.305,` + in1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, s, err := resolve(t, c.in, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if n := s.Inside + s.Refused() + s.Reasons[Outside]; n != s.Rows {
				t.Errorf("%d rows accounted for, of %d", n, s.Rows)
			}
			if n := strings.Count(got, `"lianqin_`) > 0; n != (s.Renamed == 1) {
				t.Errorf("%d renamed", s.Renamed)
			}
		})
	}
}

// TestRowsThatAreTooLong holds that one costs itself alone, in every size of
// reads, and that its answer is one record.
func TestRowsThatAreTooLong(t *testing.T) {
	const row = "1,121.205,31.305"
	x := strings.Repeat("嘉", maxRow/3+1)
	index := squares(t)
	for _, c := range []struct {
		name, in string
		records  []string // of the output, their first fields
	}{
		{"in the middle", "note,lon,lat\n" + row + "\n" + x + ",1\n" + row + "\n", []string{"note", "1", x[:1023], "1"}},
		{"at the end", "note,lon,lat\n" + row + "\n\"" + x, []string{"note", "1", `"` + x[:1023]}},
		{"two of them", "note,lon,lat\n" + x + "\n" + x + "\n" + row, []string{"note", x[:1023], x[:1023], "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for threads := range 2 {
				var out bytes.Buffer
				s, err := Resolve(t.Context(), &out, strings.NewReader(c.in), index.Generation(), index, Options{Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				records, err := csv.NewReader(&out).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, r := range records {
					got = append(got, strings.SplitN(r[0], "\n", 2)[0])
				}
				if d := cmp.Diff(c.records, got); d != "" || s.Reasons[TooLong] == 0 || s.Inside+s.Reasons[TooLong] != s.Rows {
					t.Errorf("%+v, -want +got\n%.2000s", s, d)
				}
			}
		})
	}
	in := "{\"lon\":121.205,\"lat\":31.305}\n{\"note\":\"" + x + "\"}\n{\"lon\":121.205,\"lat\":31.305}\n"
	var out bytes.Buffer
	s, err := Resolve(t.Context(), &out, strings.NewReader(in), index.Generation(), index, Options{Threads: 1})
	if err != nil || s.Inside != 2 || s.Reasons[TooLong] != 1 {
		t.Fatalf("NDJSON: %+v, %v", s, err)
	}
	for line := range strings.Lines(out.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("NDJSON: %.200s", line)
		}
	}
}

// TestEveryRowIsOneRecord reads what was stamped with a strict reader: whatever
// quotes the rows have, each is one record with the answer in its place.
func TestEveryRowIsOneRecord(t *testing.T) {
	rows := []string{`"a,121.205,31.305`, `"a`, `"a,b,c,d,e`, `"a "b,1,2`, `a,"121.205,31.305`, `"x",121.205,31.305`, `"`}
	in := "note,lon,lat\n" + strings.Join(rows, "\n") + "\n"
	got, _, err := resolve(t, in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(got)).ReadAll() // refuses rows of unequal length
	if err != nil || len(records) != len(rows)+1 {
		t.Fatalf("%d records of %d rows, %v:\n%s", len(records), len(rows), err, got)
	}
	for i, r := range records[1:] {
		if (r[8] == Malformed.String()) == (r[0] == "x") {
			t.Errorf("%s: %q", rows[i], r)
		}
	}
}

func TestCount(t *testing.T) {
	index := squares(t)
	for _, c := range []struct {
		name, in    string
		limit, want int
	}{
		{"header only", "lon,lat\n", 5, 0},
		{"rows and blank lines", "lon,lat\n\n1,2\r\n\r\n\"1\n\",2\nx", 5, 3},
		{"at the limit", "lon,lat\n" + strings.Repeat("1,2\n", 5), 5, 5},
		{"beyond it", "lon,lat\n" + strings.Repeat("1,2\n", 100), 5, 6},
		{"objects", "{\"lon\":1,\"lat\":2}\n \nx\n", 5, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Count([]byte(c.in), c.limit, index.Generation(), index, Options{})
			if err != nil || got != c.want {
				t.Errorf("got %d, %v, want %d", got, err, c.want)
			}
			if _, s, err := resolve(t, c.in, Options{}); err != nil || c.want <= c.limit && int(s.Rows) != got {
				t.Errorf("Resolve: %d rows, %v; counted %d", s.Rows, err, got)
			}
		})
	}
}

func TestErrorsNameWhatIsWrong(t *testing.T) {
	cases := []struct {
		name, in string
		opt      Options
		want     string
	}{
		{"empty", "", Options{}, "the input is empty"},
		{"UTF-16", "\xff\xfel\x00o\x00n\x00", Options{}, "the input is UTF-16; save it as UTF-8 (CSV UTF-8)"},
		{"no coordinates", "id,name\n1,a\n", Options{},
			`lon-column: none of the columns has a name like lon, lng, longitude, long; name it with --lon-column. The columns are: "id", "name"`},
		{"wrong name", "id,lon,lat\n", Options{LonColumn: "east"}, `lon-column: there is no column "east". The columns are: "id", "lon", "lat"`},
		{"twice", "lon,lat,LON\n", Options{}, `lon-column: columns 1 and 3 are both named "lon"; give the number of the right one`},
		{"the same", "lon,lat\n", Options{LonColumn: "lat"}, `lat-column: "lat" is the longitude column already`},
		{"no header", "121.2,31.3\n121.2,31.4\n", Options{},
			`the first row looks like data, not like a header; without a header give --no-header and the two columns' numbers ` +
				`(lon-column: none of the columns has a name like lon, lng, longitude, long; name it with --lon-column. The columns are: "121.2", "31.3")`},
		{"a JSON array", `[{"lon":1}]`, Options{}, "no line of the first 1 is a JSON object: one object a line is needed"},
		{"a giant header", "lon,lat" + strings.Repeat("x", maxRow+blockSize), Options{}, "row 1 is longer than 16 MiB: this is not a table"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := resolve(t, c.in, c.opt)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestOrderSurvivesThreads sends rows of very uneven cost through eight
// workers, in blocks of all sizes.
func TestOrderSurvivesThreads(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var in strings.Builder
	in.WriteString("n,lon,lat,note\n")
	const rows = 60000
	for i := range rows {
		fmt.Fprintf(&in, "%d,121.2%d,31.3%d,\"%s\"\n", i, rnd.IntN(400), rnd.IntN(400), strings.Repeat("x\n", rnd.IntN(40)))
	}
	index := squares(t)
	var whole, halves bytes.Buffer
	one, err := Resolve(context.Background(), &whole, strings.NewReader(in.String()), index.Generation(), index, Options{Threads: 8})
	if err != nil {
		t.Fatal(err)
	}
	many, err := Resolve(context.Background(), &halves, iotest.HalfReader(strings.NewReader(in.String())), index.Generation(), index, Options{Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(one, many); d != "" {
		t.Errorf("counts depend on threads:\n%s", d)
	}
	var alone bytes.Buffer
	if _, err := Resolve(context.Background(), &alone, strings.NewReader(in.String()), index.Generation(), index, Options{}); err != nil || !bytes.Equal(whole.Bytes(), alone.Bytes()) {
		t.Errorf("the output without threads differs, %v", err)
	}
	if !bytes.Equal(whole.Bytes(), halves.Bytes()) {
		t.Error("the output depends on threads or on the size of reads")
	}
	want := 0
	for line := range strings.Lines(whole.String()) {
		if n := 0; strings.Count(line, ",") > 2 {
			if _, err := fmt.Sscanf(line, "%d,", &n); err == nil {
				if n != want {
					t.Fatalf("row %d where %d belongs", n, want)
				}
				want++
			}
		}
	}
	if want != rows || one.Rows != rows {
		t.Errorf("%d rows out, %d counted, %d in", want, one.Rows, rows)
	}
}

type shortWriter struct{ n int }

func (w *shortWriter) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return len(b) / 2, nil
	}
	return len(b), nil
}

func TestFaultyOutput(t *testing.T) {
	in := "lon,lat\n" + strings.Repeat("121.205,31.305\n", 200000)
	index := squares(t)
	run := func(w io.Writer) error {
		_, err := Resolve(context.Background(), w, strings.NewReader(in), index.Generation(), index, Options{Threads: 2})
		return err
	}
	if err := run(&shortWriter{1 << 20}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short write: %v", err)
	}
	r, w := io.Pipe()
	go func() {
		io.CopyN(io.Discard, r, 1<<20)
		r.Close()
	}()
	var bad *WriteError
	if err := run(w); !errors.As(err, &bad) || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("broken pipe: %v", err)
	}
}

func TestFaultyInputKeepsWhatCame(t *testing.T) {
	index := squares(t)
	var out bytes.Buffer
	broken := errors.New("the disk is gone")
	in := io.MultiReader(strings.NewReader("lon,lat\n121.205,31.305\n121.2"), iotest.ErrReader(broken))
	_, err := Resolve(context.Background(), &out, in, index.Generation(), index, Options{Threads: 1})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d whole rows, want 2:\n%s", n, out.String())
	}
}

func TestCancelStopsABlockedRead(t *testing.T) {
	index := squares(t)
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	go func() {
		io.WriteString(w, "lon,lat\n121.205,31.305\n")
		cancel()
	}()
	if _, err := Resolve(ctx, io.Discard, r, index.Generation(), index, Options{Threads: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}
