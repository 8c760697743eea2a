package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/table"
)

// inGrid is a query for the label point of a grid.
func inGrid(gen *grid.Generation, code string) string {
	g, ok := gen.GridByCode(code)
	if !ok {
		panic(code)
	}
	return fmt.Sprintf("lon=%.5f&lat=%.5f", g.Label[0], g.Label[1])
}

// TestResolveGolden shows the answers that clients parse.
func TestResolveGolden(t *testing.T) {
	gen := lattice(t, 8, 6)
	a := newAPI(t, Config{}, gen)
	at := inGrid(gen, "310114001A0305")
	for _, tt := range []struct{ name, query string }{
		{"inside", at},
		{"urban", inGrid(gen, "310114002U0501")},
		{"accuracy", at + "&accuracy=900"},
		{"accuracy-of-a-point", at + "&accuracy=0"},
		{"item-component", at + "&item=0101"},
		{"item-event", at + "&item=0701"},
		{"gcj02", "lon=121.1812&lat=31.3212&datum=gcj02"},
		{"outside", "lon=121.1&lat=31.2&item=0701&accuracy=3000"},
		{"in-the-hole", "lon=121.1980&lat=31.3280"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := call(a, "GET", "/api/v1/resolve?"+tt.query, "")
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("%d %s %s", w.Code, w.Header(), w.Body)
			}
			golden(t, "resolve-"+tt.name+".json", pretty(t, w.Body.Bytes()))
		})
	}
}

func pretty(t *testing.T, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return out.Bytes()
}

// answer is what a client reads of a resolution.
type answer struct {
	ID       any
	Lon, Lat *float64
	Grid     *struct {
		ID               int
		Code, Name, Kind string
	}
	Street, Department *struct{ Code, Name string }
	BorderDistanceM    *float64 `json:"border_distance_m"`
	Nearest            *struct {
		Grid      struct{ Code string }
		DistanceM float64 `json:"distance_m"`
	}
	Shares []struct {
		Grid  *struct{ Code string }
		Share float64
	}
	Error *struct{ Field, Detail string }
}

// TestResolveAgreesWithTheIndex walks a raster of points, one by one and as a
// batch in each form.
func TestResolveAgreesWithTheIndex(t *testing.T) {
	gen := lattice(t, 6, 6)
	a := newAPI(t, Config{}, gen)
	index := locate.New(gen)
	var array, lines, rows strings.Builder
	rows.WriteString("id,lon,lat\n")
	var want []orb.Point
	b := gen.Bound().Pad(0.01)
	for i := range 20 {
		for j := range 20 {
			p := orb.Point{b.Min[0] + (b.Max[0]-b.Min[0])*float64(i)/19, b.Min[1] + (b.Max[1]-b.Min[1])*float64(j)/19}
			fmt.Fprintf(&array, `,{"lon":%v,"lat":%v,"id":%d}`, p[0], p[1], len(want))
			fmt.Fprintf(&lines, "{\"lon\":%v,\"lat\":%v,\"id\":%d}\n", p[0], p[1], len(want))
			fmt.Fprintf(&rows, "%d,%v,%v\n", len(want), p[0], p[1])
			want = append(want, p)
		}
	}
	batch := func(contentType, body string) string {
		w := call(a, "POST", "/api/v1/resolve?border=1", body, "Content-Type", contentType)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", contentType, w.Code, w.Body)
		}
		return w.Body.String()
	}
	var got []answer
	text := batch("application/json", "["+array.String()[1:]+"]")
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got) != len(want) {
		t.Fatalf("%d answers, %v", len(got), err)
	}
	asLines := strings.Split(strings.TrimSuffix(batch("application/x-ndjson", lines.String()), "\n"), "\n")
	asRows := strings.Split(strings.TrimSuffix(batch("text/csv", rows.String()), "\n"), "\n")
	if asRows[0] != "id,lon,lat,grid,grid_name,street,department,border_m,reason" {
		t.Errorf("header %q", asRows[0])
	}
	if joined := "[" + strings.Join(asLines, ",\n") + "]\n"; joined != text {
		t.Error("lines and array differ")
	}
	for i, p := range want {
		id, in := index.Locate(p)
		w := call(a, "GET", fmt.Sprintf("/api/v1/resolve?lon=%v&lat=%v", p[0], p[1]), "")
		var one answer
		if err := json.Unmarshal(w.Body.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		for _, ans := range []answer{one, got[i]} {
			if (ans.Grid != nil) != in || in && ans.Grid.ID != int(id) {
				t.Fatalf("%v: got %+v, want grid %d", p, ans.Grid, id)
			}
			if in != (ans.Nearest == nil) || in != (ans.Department != nil) {
				t.Fatalf("%v: %+v", p, ans)
			}
			if *ans.BorderDistanceM < 0 || *ans.Lon != mustQuantise(p).Point()[0] {
				t.Fatalf("%v: %+v", p, ans)
			}
		}
		if got[i].ID != float64(i) {
			t.Fatalf("answer %d has id %v", i, got[i].ID)
		}
		row := strings.Split(asRows[i+1], ",")
		if in && (row[3] != one.Grid.Code || row[5] != one.Street.Name || row[6] != one.Department.Name || row[8] != "") {
			t.Fatalf("row %q, want %+v", asRows[i+1], one.Grid)
		}
		if !in && (row[3] != "" || row[8] != table.Outside.String()) {
			t.Fatalf("row %q, want it outside", asRows[i+1])
		}
	}
}

func mustQuantise(p orb.Point) geo.Coord {
	c, err := geo.Quantise(p)
	if err != nil {
		panic(err)
	}
	return c
}

func TestResolveRefuses(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 4, 2))
	long := strings.Repeat("9", 5000)
	for _, tt := range []struct{ name, query, parameter, detail string }{
		{"nothing", "", "lon", "missing"},
		{"no lat", "lon=121", "lat", "missing"},
		{"empty", "lon=&lat=31", "lon", `"" is not a number`},
		{"lng", "lng=121&lat=31", "lng", "did you mean lon?"},
		{"a typo", "lon=121&lat=31&accurcy=5", "accurcy", "did you mean accuracy?"},
		{"unknown", "lon=121&lat=31&colour=red", "colour", "known are lon, lat, datum, accuracy, item"},
		{"twice", "lon=121&lat=31&lon=122", "lon", "more than once"},
		{"words", "lon=east&lat=31", "lon", `"east" is not a number`},
		{"NaN", "lon=NaN&lat=31", "lon", "not a number"},
		{"infinite", "lon=121&lat=Inf", "lat", "not a number"},
		{"overflow", "lon=1e999&lat=31", "lon", "not a longitude"},
		{"hexadecimal", "lon=0x79&lat=31", "lon", "not a number"},
		{"beyond the pole", "lon=121&lat=90.0000001", "lat", "not a latitude"},
		{"swapped", "lon=31&lat=121", "lat", "not a latitude"},
		{"huge", "lon=" + long + "&lat=31", "lon", "not a number"},
		{"datum", "lon=121&lat=31&datum=mars", "datum", `"mars" is not one of`},
		{"accuracy", "lon=121&lat=31&accuracy=-1", "accuracy", "metres"},
		{"accuracy too vague", "lon=121&lat=31&accuracy=10001", "accuracy", "metres"},
		{"item", "lon=121&lat=31&item=9999", "item", `no item "9999"`},
		{"bad escape", "lon=%zz&lat=31", "lon", "not encoded properly"},
		{"semicolons", "lon=121;lat=31", "lon", "not a number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := wantProblem(t, call(a, "GET", "/api/v1/resolve?"+tt.query, ""), 400)
			if p.Parameter != tt.parameter || !strings.Contains(p.Detail, tt.detail) {
				t.Errorf("got parameter %q, detail %q; want %q, %q", p.Parameter, p.Detail, tt.parameter, tt.detail)
			}
			if len(p.Detail) > 300 {
				t.Errorf("a detail of %d bytes", len(p.Detail))
			}
		})
	}
}

// wantProblem reads an RFC 9457 document with that status.
func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int) problem {
	t.Helper()
	var p problem
	if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %d %v %s, want a problem with %d", w.Code, w.Header(), w.Body, status)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p.Type != "about:blank" || p.Title == "" || p.Status != status || !strings.HasSuffix(p.Instance, w.Header().Get("X-Request-Id")) {
		t.Errorf("got %+v", p)
	}
	return p
}

func TestBatchAnswersBadElements(t *testing.T) {
	gen := lattice(t, 4, 2)
	a := newAPI(t, Config{}, gen)
	g, _ := gen.GridByCode("310114001A0002")
	body := fmt.Sprintf(`[{"id":"好","lon":%v,"lat":%v,"accuracy":50},{"id":2,"lon":121,"lat":99},{"lat":31},7,{"id":[1],"lon":0,"lat":0}]`, g.Label[0], g.Label[1])
	w := call(a, "POST", "/api/v1/resolve?item=0701", body, "Content-Type", "application/json; charset=UTF-8")
	var got []answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got) != 5 {
		t.Fatalf("%v in %d %s", err, w.Code, w.Body)
	}
	if got[0].ID != "好" || got[0].Grid.Code != g.Code || got[0].Department.Name != "第1街道城管执法中队" || len(got[0].Shares) != 1 || got[0].BorderDistanceM != nil {
		t.Errorf("point 0: %s", w.Body)
	}
	for i, field := range map[int]string{1: "lat", 2: "lon", 3: ""} {
		if got[i].Error == nil || got[i].Error.Field != field || got[i].Error.Detail == "" || got[i].Lon != nil {
			t.Errorf("point %d: got %+v, want an error of %q", i, got[i].Error, field)
		}
	}
	if got[1].ID != 2.0 || got[4].Grid != nil || got[4].Error != nil {
		t.Errorf("points 1 and 4: %s", w.Body)
	}
	if head := w.Header().Get(generationHeader); head != "1 "+gen.Hash() {
		t.Errorf("generation %q", head)
	}
}

// TestBatchItem holds that a batch says of an item what a single question says,
// inside and outside.
func TestBatchItem(t *testing.T) {
	gen := lattice(t, 6, 3)
	a := newAPI(t, Config{}, gen)
	places := []orb.Point{gen.Grids()[0].Label, gen.Grids()[7].Label, gen.Grids()[0].Label, {121.1, 31.2}}
	for _, item := range []string{"0101", "0701"} {
		var lines strings.Builder
		for _, p := range places {
			fmt.Fprintf(&lines, "{\"lon\":%v,\"lat\":%v}\n", p[0], p[1])
		}
		w := call(a, "POST", "/api/v1/resolve?border=1&item="+item, lines.String(), "Content-Type", "application/x-ndjson")
		got := strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n")
		if w.Code != 200 || len(got) != len(places) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for i, p := range places {
			one := call(a, "GET", fmt.Sprintf("/api/v1/resolve?lon=%v&lat=%v&item=%s", p[0], p[1], item), "").Body.String()
			want, _, ok := strings.Cut(one, `,"generation":`)
			if !ok || got[i] != want+"}" || !strings.Contains(got[i], `"disposal_hours":`) {
				t.Errorf("%v, item %s: got %s, want %s", p, item, got[i], want)
			}
		}
	}
}

func TestBatchCSV(t *testing.T) {
	gen := lattice(t, 4, 2)
	a := newAPI(t, Config{}, gen)
	at := gen.Grids()[0].Label
	body := fmt.Sprintf("\ufeff名称,经度,纬度\n\"a, \"\"b\"\"\",%v, %v \nx,,31\ny,abc,31\nz,181,31\nw,0,0\nv,121.0,31\nshort,1\n\n\"u,121.2,31.3\n", at[0], at[1])
	w := call(a, "POST", "/api/v1/resolve", body, "Content-Type", "text/csv")
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	golden(t, "resolve-batch.csv", w.Body.Bytes())
	w = call(a, "POST", "/api/v1/resolve?lon_column=X&lat_column=Y&item=0101", fmt.Sprintf("Y,X,lon,lat\n%v,%v,0,0\n", at[1], at[0]), "Content-Type", "text/csv")
	if !strings.Contains(w.Body.String(), "区自来水公司") {
		t.Errorf("named columns: %d %s", w.Code, w.Body)
	}
}

func TestBatchRefuses(t *testing.T) {
	a := newAPI(t, Config{Limits: Limits{BodyBytes: 1 << 16, Points: 100, BodiesBytes: 1 << 18}}, lattice(t, 4, 2))
	var bomb, notGzip bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = io.CopyN(z, zeros{}, 1<<24)
	_ = z.Close()
	notGzip.WriteString("hello")
	for _, tt := range []struct {
		name, target, contentType, body string
		status                          int
		parameter, detail               string
	}{
		{"no type", "", "", "[]", 415, "Content-Type", "cannot be read"},
		{"a form", "", "application/x-www-form-urlencoded", "lon=1", 415, "Content-Type", "is not known"},
		{"Latin by its label", "", "text/csv; charset=iso-8859-1", "lon,lat\n", 415, "Content-Type", "is not UTF-8, GBK or GB18030"},
		{"GBK JSON by its label", "", "application/json; charset=gbk", "[]", 415, "Content-Type", "is not UTF-8"},
		{"GBK JSON by its bytes", "", "application/json", "[{\"id\":\"\xbe\xad\"}]", 400, "body", "not UTF-8"},
		{"UTF-16", "", "text/csv", "\xff\xfel\x00o\x00n\x00", 400, "body", "UTF-16"},
		{"an object", "", "application/json", `{"lon":1}`, 400, "body", "not a JSON array"},
		{"cut off", "", "application/json", `[{"lon":1,"lat":2}`, 400, "body", "not JSON"},
		{"empty", "", "application/json", ``, 400, "body", "not a JSON array"},
		{"empty CSV", "", "text/csv", ``, 400, "body", "empty"},
		{"CSV without columns", "", "text/csv", "a,b\n1,2\n", 400, "lon_column", "name it with lon_column. The columns are: \"a\", \"b\""},
		{"CSV without a header", "", "text/csv", "121.2,31.3\n121.2,31.4\n", 400, "lon_column", "looks like data"},
		{"CSV of too many columns", "", "text/csv", "lon,lat" + strings.Repeat(",", 1000) + "\n", 400, "body", "more than 1000 columns"},
		{"CSV with a wrong name", "?lon_column=q", "text/csv", "lon,lat\n1,2\n", 400, "lon_column", "no column \"q\""},
		{"CSV with an unclosed header", "", "text/csv", "lon,\"lat\n1,2\n", 400, "body", "a quote that does not close"},
		{"too many points", "", "application/json", "[" + strings.Repeat("1,", 100) + "1]", 413, "", "more than 100 points"},
		{"too many lines", "", "application/x-ndjson", strings.Repeat("1\n", 101), 413, "", "more than 100 points"},
		{"too many rows", "", "text/csv", "lon,lat\n" + strings.Repeat("1,2\n", 101), 413, "", "more than 100 points"},
		{"too many bytes", "", "application/json", "[" + strings.Repeat(" ", 1<<16) + "]", 413, "", "larger than 65536 bytes"},
		{"a bomb", "gzip", "application/json", bomb.String(), 413, "", "larger than 65536 bytes"},
		{"no gzip", "gzip", "application/json", notGzip.String(), 400, "Content-Encoding", "not gzip"},
		{"half a gzip", "gzip", "application/json", bomb.String()[:50], 400, "", "ends early"},
		{"brotli", "br", "application/json", "[]", 415, "Content-Encoding", "not gzip"},
		{"unknown parameter", "?accuracy=3", "application/json", "[]", 400, "accuracy", "unknown parameter"},
		{"border", "?border=yes", "application/json", "[]", 400, "border", "not 0 or 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			query, coding := tt.target, ""
			if !strings.HasPrefix(query, "?") {
				query, coding = "", tt.target
			}
			p := wantProblem(t, call(a, "POST", "/api/v1/resolve"+query, tt.body, "Content-Type", tt.contentType, "Content-Encoding", coding), tt.status)
			if p.Parameter != tt.parameter || !strings.Contains(p.Detail, tt.detail) {
				t.Errorf("got %q, %q; want %q, %q", p.Parameter, p.Detail, tt.parameter, tt.detail)
			}
		})
	}
	if held := a.bodies.held.Load(); held != 0 {
		t.Errorf("%d bytes of bodies are still held", held)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestBatchGzip(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 4, 2))
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = io.WriteString(z, `[{"lon":121.15,"lat":31.27}]`)
	_ = z.Close()
	w := call(a, "POST", "/api/v1/resolve", body.String(), "Content-Type", "application/json", "Content-Encoding", "gzip")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"grid":{"id":`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBodiesShareABudget(t *testing.T) {
	a := newAPI(t, Config{Limits: Limits{BodiesBytes: 1 << 17}}, lattice(t, 4, 2))
	if !a.bodies.take(1 << 16) {
		t.Fatal("half the budget is refused")
	}
	p := wantProblem(t, call(a, "POST", "/api/v1/resolve", "["+strings.Repeat(" ", 1<<17)+"]", "Content-Type", "application/json"), 503)
	if !strings.Contains(p.Detail, "too many large requests") {
		t.Errorf("detail %q", p.Detail)
	}
	if held := a.bodies.held.Load(); held != 1<<16 {
		t.Errorf("%d bytes held, want %d", held, 1<<16)
	}
}

func TestNotReady(t *testing.T) {
	var log bytes.Buffer
	a := newAPI(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, nil)
	for _, path := range []string{"/readyz", "/api/v1/resolve?lon=121&lat=31", "/api/v1/grids", "/tiles/grids/10/857/417.mvt", "/ogc/collections"} {
		if w := call(a, "GET", path, ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	if w := call(a, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("/healthz: %d", w.Code)
	}
	putInForce(t, a.cfg.Atlas, lattice(t, 4, 2), day(2020, 1, 1))
	if w := call(a, "GET", "/readyz", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"number":1`) {
		t.Errorf("/readyz: %d %s", w.Code, w.Body)
	}
}

// TestPublishSwapsUnderLoad asks while generations change: every answer is of
// one generation or the other.
func TestPublishSwapsUnderLoad(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 4, 2))
	number := draft(t, a.cfg.Atlas, lattice(t, 4, 3))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 { // each makes the other come back
			p, err := a.cfg.Atlas.Publish(t.Context(), grid.Publication{Number: number, From: day(2020, 1, i+1), By: "tester"})
			if err != nil {
				t.Error(err)
				return
			}
			number = p.Before
		}
	}()
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		for _, path := range []string{"/api/v1/resolve?lon=121.15&lat=31.27", "/tiles/grids/13/6854/3345.mvt", "/api/v1/streets"} {
			if w := call(a, "GET", path, ""); w.Code != 200 && w.Code != 204 {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	}
}
