package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

const apiGolden = `{"positions":[
{"unit":"JD-0042","time":"2026-03-01T16:00:00.250+08:00","lon":121.247046,"lat":31.383125,"accuracy":8.5,"speed":1.25,"heading":91.5,"altitude":4,"battery":83,"charging":true,"sos":false,"mock":false},
{"unit":"JD-0042","time":1772352001,"lon":121.247046,"lat":31.383125},
{"time":1772352002500,"lat":31.383125,"lon":121.247046,"unit":"JD-0042","sos":true,"mock":true,"note":"extra","steps":12},
{"unit":"JD-0\u003042","time":1772352003,"lon":121.247046,"lat":31.383125},
{"unit":"JD-0042","time":1772352004,"lon":121.247046,"lat":31.383125,"speed":null,"extra":{"a":[1,2]}},
{"unit":"JD-0042","time":1772352005,"lon":121.247046},
{"unit":"JD-0042","time":1772352005,"lon":"121.247046","lat":31.383125},
{"unit":"JD-0042","time":1772352005,"lon":1212.47,"lat":31.383125},
{"unit":"JD-0042","lon":121.247046,"lat":31.383125},
{"unit":"JD-0042","time":"2026-03-01 08:00","lon":121.247046,"lat":31.383125},
{"unit":"JD-0042","time":-5,"lon":121.247046,"lat":31.383125},
{"unit":"NX-0001","time":1772352005,"lon":121.247046,"lat":31.383125},
{"time":1772352005,"lon":121.247046,"lat":31.383125},
{"unit":"JD-0042","time":1772352005,"lon":121.247046,"lat":31.383125,"speed":"fast"},
{"unit":"JD-0042","time":1772352005,"lon":121.247046,"lat":31.383125,"charging":1},
{"unit":"JD-0042","time":1772352005,"lon":121.247046,"lat":31.383125,"lat":31.0},
5,
{"unit":"JD-0042","time":1772352006,"lon":121.247046,"lat":31.383125,"accuracy":-1,"speed":-3,"heading":-90,"battery":250}
]}`

func gateway(t testing.TB, keys *ring) Sender {
	t.Helper()
	from, err := keys.Secret(t.Context(), secrets["gateway"], "")
	if err != nil {
		t.Fatal(err)
	}
	return from
}

func TestPositions(t *testing.T) {
	s, keys, sink := newStation(t, Limits{})
	receipt, err := s.Positions(t.Context(), gateway(t, keys), JSON, []byte(apiGolden))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "api.json", indented(t, struct {
		Receipt Receipt
		Batch   shown
	}{receipt, show(sink.all())}))

	// Lines, and the array alone, say the same.
	for name, form := range map[string]struct {
		form Form
		body string
	}{
		"array":        {JSON, strings.TrimSuffix(strings.TrimPrefix(apiGolden, `{"positions":`), "}")},
		"other first":  {JSON, `{"v":1,` + apiGolden[1:]},
		"other behind": {JSON, apiGolden[:len(apiGolden)-1] + `, "v":[1] }`},
		"lines":        {NDJSON, strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(apiGolden, "{\"positions\":[\n"), "\n]}"), ",\n", "\r\n\n")},
	} {
		s, keys, other := newStation(t, Limits{})
		again, err := s.Positions(t.Context(), gateway(t, keys), form.form, []byte(form.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(receipt, again); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(sink.all(), other.all()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestPositionsRefusedAsAWhole(t *testing.T) {
	s, keys, sink := newStation(t, Limits{Fixes: 2})
	one := `{"unit":"JD-0042","time":1772352001,"lon":121.2,"lat":31.3}`
	for body, want := range map[string]string{
		``: "positions: not a JSON array", `{}`: `holds no "positions"`, `{"positions":{}}`: "positions: not a JSON array",
		`[` + one: "after position 0", `[` + one + `,]`: "position 1", `[{"lon":}]`: "position 0", `[]x`: "more text", `{"positions":[` + one + `]`: "from byte",
		`{"positions":[],"positions":[]}`: "from byte", `{"positions":[]}]`: "more text", "[\"\xff\"]": "UTF-8", `{"positions"`: "no colon", `{"a":1`: "not JSON",
	} {
		_, err := s.Positions(t.Context(), gateway(t, keys), JSON, []byte(body))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	for form, body := range map[Form]string{JSON: "[" + one + "," + one + "," + one + "]", NDJSON: one + "\n" + one + "\n" + one} {
		_, err := s.Positions(t.Context(), gateway(t, keys), form, []byte(body))
		if many, ok := errors.AsType[*TooMany](err); !ok || many.Limit != 2 || fault.KindOf(err) != fault.Invalid {
			t.Errorf("form %d, three of two: %v", form, err)
		}
	}
	if got := sink.all(); len(got.Fixes)+len(got.Refusals) != 0 {
		t.Errorf("taken in all the same: %+v", got)
	}
	if r, err := s.Positions(t.Context(), gateway(t, keys), NDJSON, []byte("{\"unit\"\n"+one)); err != nil || r.Accepted != 1 || len(r.Refused) != 1 || r.Refused[0].Reason != patrol.Malformed {
		t.Errorf("a broken line: %+v, %v", r, err)
	}
	sink.fail(errors.New("disk full"))
	if _, err := s.Positions(t.Context(), gateway(t, keys), JSON, []byte("["+one+"]")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("not durable: %v", err)
	}
}

// FuzzPositions reads the same by one pass and by encoding/json alone.
func FuzzPositions(f *testing.F) {
	f.Add([]byte(apiGolden))
	for line := range strings.Lines(apiGolden) {
		f.Add([]byte(strings.TrimRight(line, ",\r\n")))
	}
	f.Add([]byte(`{"time":"2026-03-01T08:00:00Z","lon":1e2,"lat":-0.5,"x":tru}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, bad, end, ok := scanPosition(b, 0)
		if ok && utf8.Valid(b) { // decode asks first
			want, wantBad, err := readPosition(b[:end])
			if err != nil {
				t.Fatalf("%q: one pass took what is no JSON: %v", b[:end], err)
			}
			r.lon, want.lon = nanAs(r.lon), nanAs(want.lon)
			if got, want := fmt.Sprintf("%+v", r), fmt.Sprintf("%+v", want); got != want || bad != wantBad {
				t.Fatalf("%q:\none pass       %s %q\nencoding/json  %s %q", b[:end], got, bad, want, wantBad)
			}
		}
		s, keys, _ := newStation(t, Limits{})
		for _, form := range []Form{JSON, NDJSON} {
			receipt, err := s.Positions(t.Context(), gateway(t, keys), form, b)
			if err == nil && form == JSON && !json.Valid(bytes.TrimPrefix(b, []byte("\ufeff"))) {
				t.Fatalf("%q was taken, %+v", b, receipt)
			}
		}
	})
}

func nanAs(v float64) float64 {
	if math.IsNaN(v) {
		return -999
	}
	return v
}

// batchOf is a request of n positions, as a gateway sends it.
func batchOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"positions":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"unit":"JD-0042","time":"2026-03-01T08:00:%02d.%03dZ","lon":121.%07d,"lat":31.%07d,"accuracy":8.5,"speed":1.25,"heading":91.5,"battery":83}`,
			i%60, i%1000, 2345678+i, 3456789+i)
	}
	b.WriteString("]}")
	return b.Bytes()
}

type discard struct{}

func (discard) Accept(context.Context, patrol.Batch) error { return nil }

func BenchmarkPositions(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, keys, _ := newStation(b, Limits{})
			s.cfg.Sink = discard{}
			from, body := gateway(b, keys), batchOf(n)
			b.ReportAllocs()
			for b.Loop() {
				if r, err := s.Positions(b.Context(), from, JSON, body); err != nil || r.Accepted != n {
					b.Fatal(r, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/fix")
		})
	}
}
