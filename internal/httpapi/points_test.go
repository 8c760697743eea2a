package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
)

// referencePoints is decodeJSON by encoding/json alone.
func referencePoints(body []byte) ([]point, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, fmt.Errorf("null")
	}
	points := make([]point, len(raw))
	for i, r := range raw {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(r, &fields); err != nil || fields == nil {
			points[i] = point{accuracy: -1, bad: &badPoint{"", "not an object with lon and lat"}}
			continue
		}
		p := &points[i]
		number := func(name string, absent float64, bit int, given *int) float64 {
			text, ok := fields[name]
			if !ok || string(text) == "null" {
				return absent
			}
			*given |= bit
			var n json.Number
			if text[0] == '"' || json.Unmarshal(text, &n) != nil {
				return math.NaN()
			}
			v, _ := strconv.ParseFloat(n.String(), 64)
			return v
		}
		given := 0
		p.lon = number("lon", 0, hasLon, &given)
		p.lat = number("lat", 0, hasLat, &given)
		p.accuracy = number("accuracy", -1, hasAccuracy, &given)
		if id, ok := fields["id"]; ok {
			p.id = id
		}
		p.check(given)
		if p.bad != nil && p.bad.detail == missing {
			p.bad.detail += hintFor(p.bad.field, fields)
		}
	}
	return points, nil
}

// samePoints compares bit for bit, NaN with NaN.
func samePoints(t *testing.T, body []byte, got, want []point) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%q: got %d points, want %d", body, len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if d := cmp.Diff(w.bad, g.bad, cmp.AllowUnexported(badPoint{})); d != "" {
			t.Fatalf("%q point %d (-want +got):\n%s", body, i, d)
		}
		if string(g.id) != string(w.id) || (g.id == nil) != (w.id == nil) {
			t.Fatalf("%q point %d: got id %q, want %q", body, i, g.id, w.id)
		}
		for _, v := range [][2]float64{{g.lon, w.lon}, {g.lat, w.lat}, {g.accuracy, w.accuracy}} {
			if math.Float64bits(v[0]) != math.Float64bits(v[1]) && !(math.IsNaN(v[0]) && math.IsNaN(v[1])) {
				t.Fatalf("%q point %d: got %v, want %v", body, i, v[0], v[1])
			}
		}
	}
}

var pointBodies = []string{
	`[]`, ` [ ] `, `[{"lon":121.247,"lat":31.383}]`,
	`[{"id":7,"lon":121.247,"lat":31.383,"accuracy":12.5},{"lat":31,"lon":121,"id":"a-1"}]`,
	"[\n {\"lon\" : 121.2470000001 ,\t\"lat\":-0.0 } ,\r\n {\"lon\":1e2,\"lat\":3.1E+1}]",
	`[{"lon":121.24712345678901,"lat":31.38312345678901234567}]`,
	`[{"lon":1,"lat":2,"id":{"a":[1,"}"]}}]`, `[{"lon":1,"lat":2,"id":null}]`, `[{"lon":1,"lat":2,"id":"\u4f60\""}]`,
	`[{"lon":1,"lat":2,"lon":3}]`, `[{"l\u006fn":1,"lat":2}]`, `[{"LON":1,"lat":2}]`, `[{"lng":1,"lat":2}]`,
	`[{"lon":"1","lat":2}]`, `[{"lon":null,"lat":2}]`, `[{"lon":1e999,"lat":2}]`, `[{"lon":181,"lat":2}]`, `[{"lon":1,"lat":-90.00000001}]`,
	`[{"lon":1,"lat":2,"accuracy":-1}]`, `[{"lon":1,"lat":2,"accuracy":null}]`, `[{"lon":1,"lat":2,"accuracy":1e9}]`,
	`[1,"a",null,true,[],{}]`, `[[[[]]]]`, `[{"lon":1,"lat":2,"x":{"deep":[{}]}}]`,
	`[,]`, `[{}`, `[{]`, `[{"lon":01,"lat":2}]`, `[{"lon":1.,"lat":2}]`, `[{"lon":.5,"lat":2}]`, `[{"lon":+1,"lat":2}]`, `[{"lon":-,"lat":2}]`,
	`[{"lon":1,"lat":2},]`, `[{"lon":1,"lat":2}]x`, `[{"lon":1,"lat":2}`, `[{"lon":1 "lat":2}]`, `[{"lon":NaN,"lat":2}]`, `[{"lon":1e,"lat":2}]`,
	`{"lon":1,"lat":2}`, `null`, ``, `[`, `[{"id":"` + "\x01" + `","lon":1,"lat":2}]`, `["\"]`, `[{"lon":1,"lat":2}}]`, `[1 2]`, `["a""b"]`,
	`[{"lon":1,"lat":2,}]`, `[{,}]`, `[{"lon"}]`, `[{"lon":}]`, `[{"id":tru,"lon":1,"lat":2}]`,
}

func TestDecodeJSONAgreesWithEncodingJSON(t *testing.T) {
	for _, body := range pointBodies {
		compareDecoders(t, []byte(body))
	}
}

func compareDecoders(t *testing.T, body []byte) {
	t.Helper()
	got, err := decodeJSON(body, 1000, nil)
	want, wantErr := referencePoints(body)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: got error %v, want %v", body, err, wantErr)
	}
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%q: kind %v of %v", body, fault.KindOf(err), err)
		}
		return
	}
	samePoints(t, body, got, want)
}

func FuzzDecodePoints(f *testing.F) {
	for _, body := range pointBodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.Count(body, []byte(",")) > 900 {
			return // the limit is tested by itself
		}
		compareDecoders(t, body)
		// A line of NDJSON is an array's element.
		if bytes.ContainsAny(body, "\n\r") {
			return
		}
		lines, err := decodeLines(body, 1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		array, err := decodeJSON(append(append([]byte{'['}, body...), ']'), 1000, nil)
		if err == nil && len(array) == 1 {
			samePoints(t, body, lines, array)
		}
	})
}

func TestDecodeLines(t *testing.T) {
	got, err := decodeLines([]byte("{\"lon\":1,\"lat\":2}\r\n\n  \n{\"lon\":3,\n{\"lat\":4}\n[1]\n{\"lon\":5,\"lat\":6,\"id\":\"x\"}"), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 {
		t.Fatalf("got %d points, want 5: blank lines do not count", len(got))
	}
	if got[0].bad != nil || got[0].lon != 1 || got[4].lat != 6 || string(got[4].id) != `"x"` {
		t.Errorf("got %+v and %+v", got[0], got[4])
	}
	for i, want := range map[int]badPoint{1: {"", "not JSON: unexpected end of JSON input"}, 2: {"lon", "missing"}, 3: {"", "not an object with lon and lat"}} {
		if got[i].bad == nil || *got[i].bad != want {
			t.Errorf("line %d: got %v, want %v", i, got[i].bad, want)
		}
	}
}

func TestTooManyPoints(t *testing.T) {
	body := "[" + strings.Repeat(`{"lon":1,"lat":2},`, 3)
	if _, err := decodeJSON([]byte(body[:len(body)-1]+"]"), 3, nil); err != nil {
		t.Errorf("three of three: %v", err)
	}
	for name, f := range map[string]func() error{
		"json":  func() error { _, err := decodeJSON([]byte(body+`1]`), 3, nil); return err },
		"lines": func() error { _, err := decodeLines([]byte("1\n2\n3\n4"), 3, nil); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "more than 3 points") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestReadNumber(t *testing.T) {
	for s, want := range map[string]float64{"1": 1, " 121.5\t": 121.5, "+31.2": 31.2, ".5": 0.5, "5.": 5, "1e2": 100, "-0.25": -0.25} {
		if got, ok := readNumber(s); !ok || got != want {
			t.Errorf("%q: got %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", " ", "x", "0x10", "1_0", "NaN", "inf", "1,5", "1 2", "--1", "e5", ".", strings.Repeat("1", 500)} {
		if got, ok := readNumber(s); ok {
			t.Errorf("%q was taken as %v", s, got)
		}
	}
}

func TestAppend(t *testing.T) {
	for v, want := range map[int32]string{0: "0", 1: "0.0000001", -1: "-0.0000001", 1212470000: "121.247", 1800000000: "180", -1800000000: "-180", 95000000: "9.5", -313830001: "-31.3830001"} {
		if got := string(appendDegrees(nil, v)); got != want {
			t.Errorf("degrees %d: got %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0.0", 0.05: "0.1", 812: "812.0", 123.44: "123.4", -1.26: "-1.3", 1e6: "1000000.0"} {
		if got := string(appendTenths(nil, v)); got != want {
			t.Errorf("tenths %v: got %s, want %s", v, got, want)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		if got := string(appendTenths(nil, v)); got != "null" {
			t.Errorf("tenths %v: got %s", v, got)
		}
	}
	for v, want := range map[float64]string{1: "1", 0.85: "0.85", 0.33333: "0.3333", 0.00005: "0.0001"} {
		if got := string(appendShare(nil, v)); got != want {
			t.Errorf("share %v: got %s, want %s", v, got, want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "嘉定镇街道", "a\"b\\c\n\r\t\x00\x1f\x7f", "\xff\xfe", "</script>", "\u2028", "\xe5\x98"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		var want string
		standard, _ := json.Marshal(s)
		if err := json.Unmarshal(standard, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%q: got %q, want %q", s, got, want)
		}
	})
}

func FuzzReadParams(f *testing.F) {
	f.Add("lon=1&lat=2")
	f.Add("lon=%31&&lat=+2&datum")
	f.Add("%zz=1")
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := readParams(raw, resolveParams)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		if p.has(lonParam) {
			if v, err := p.number(lonParam); err == nil && math.IsNaN(v) {
				t.Fatalf("%q is a number that is none", raw)
			}
		}
	})
}
