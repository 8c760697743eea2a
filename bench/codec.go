package main

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"

	"github.com/bytedance/sonic"
	gojson "github.com/goccy/go-json"
	"github.com/paulmach/orb"

	"lianqin/internal/grid"
)

// batchPoints is how many points a request holds.
const batchPoints = 1000

// question and answer are the shapes of POST /api/v1/resolve.
type question struct {
	ID  int     `json:"id"`
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

type answer struct {
	ID         int       `json:"id"`
	Lon        float64   `json:"lon"`
	Lat        float64   `json:"lat"`
	Grid       *gridRef  `json:"grid"`
	Street     *namedRef `json:"street"`
	Department *namedRef `json:"department"`
}

type gridRef struct {
	ID   grid.ID   `json:"id"`
	Code string    `json:"code"`
	Name string    `json:"name"`
	Kind grid.Kind `json:"kind,omitempty"`
}

type namedRef struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// bodies are requests of batchPoints points each, all different.
func bodies(d *district, n int) [][]byte {
	var out [][]byte
	for k := range n {
		var b bytes.Buffer
		for i, p := range d.random[k*batchPoints:][:batchPoints] {
			b.WriteString(map[bool]string{true: "[", false: ","}[i == 0])
			fmt.Fprintf(&b, `{"id":%d,"lon":%s,"lat":%s}`, i, degrees(p[0]), degrees(p[1]))
		}
		b.WriteString("]")
		out = append(out, b.Bytes())
	}
	return out
}

// codec resolves a request body.
type codec struct {
	name  string
	reply func(body []byte) ([]byte, error)
}

// codecs are the whole service in process, and for each peer the least that a
// service would do with it: decode, LocateAll, look the answers up, encode.
func codecs(d *district) ([]codec, error) {
	api, err := newAPI(d.gen)
	if err != nil {
		return nil, err
	}
	refs := make(map[grid.ID]answer)
	for _, g := range d.gen.Grids() {
		s, _ := d.gen.Street(g.Street)
		refs[g.ID] = answer{
			Grid:       &gridRef{g.ID, g.Code, g.Name, g.Kind},
			Street:     &namedRef{s.Code, s.Name},
			Department: &namedRef{g.Department.Code, g.Department.Name},
		}
	}
	with := func(unmarshal func([]byte, any) error, marshal func(any) ([]byte, error)) func([]byte) ([]byte, error) {
		pts, ids := make([]orb.Point, batchPoints), make([]grid.ID, batchPoints)
		questions, answers := make([]question, 0, batchPoints), make([]answer, batchPoints)
		return func(body []byte) ([]byte, error) {
			questions = questions[:0]
			if err := unmarshal(body, &questions); err != nil {
				return nil, err
			}
			for i, q := range questions {
				pts[i] = orb.Point{q.Lon, q.Lat}
			}
			d.index.LocateAll(ids, pts[:len(questions)])
			for i, q := range questions {
				answers[i] = refs[ids[i]]
				answers[i].ID, answers[i].Lon, answers[i].Lat = q.ID, q.Lon, q.Lat
			}
			return marshal(answers[:len(questions)])
		}
	}
	return []codec{
		{"Lianqin, the whole handler", func(body []byte) ([]byte, error) { return handle(api, body) }},
		{"bytedance/sonic, codec only", with(sonic.Unmarshal, sonic.Marshal)},
		{"goccy/go-json, codec only", with(gojson.Unmarshal, gojson.Marshal)},
		{"encoding/json, codec only", with(stdjson.Unmarshal, stdjson.Marshal)},
	}, nil
}

// answerBuffer takes an answer.
type answerBuffer struct {
	header http.Header
	body   []byte
	status int
}

func (w *answerBuffer) Header() http.Header    { return w.header }
func (w *answerBuffer) WriteHeader(status int) { w.status = status }
func (w *answerBuffer) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

var answered answerBuffer

func handle(h http.Handler, body []byte) ([]byte, error) {
	r := httptest.NewRequest("POST", "/api/v1/resolve", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	answered.header, answered.body, answered.status = make(http.Header), answered.body[:0], http.StatusOK
	h.ServeHTTP(&answered, r)
	if answered.status != http.StatusOK {
		return nil, fmt.Errorf("answered %d: %s", answered.status, answered.body)
	}
	return answered.body, nil
}

// codecFigure is the figure of POST /api/v1/resolve in process, on one core.
func codecFigure(_ context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	all, err := codecs(d)
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // collecting garbage is part of the cost
	requests := bodies(d, 200)
	t := table{
		title: fmt.Sprintf("POST /api/v1/resolve, %d points JSON, in process, one core", batchPoints),
		head:  []string{"", "M points/s, median", "most", "target", "bytes a point", "same answers"},
	}
	var want any
	for i, c := range all {
		reply, err := c.reply(requests[0])
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		var got any
		if err := stdjson.Unmarshal(reply, &got); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		same := ""
		if i == 0 {
			want = got
		} else if same = "all"; !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%s answers otherwise: %s", c.name, firstLine(reply))
		}
		s, err := processor(b.rounds, len(requests)*batchPoints, func() error {
			for _, body := range requests {
				if _, err := c.reply(body); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		rate, most, target := 1000/s.median(), 1000/s.min(), ""
		if i == 0 {
			target = atLeast(rate, 2)
		}
		t.row(c.name, number(rate), number(most), target, number(float64(len(reply))/batchPoints), same)
	}
	t.note("Ours is the request from its routing to the last byte, checks and metrics included. The peers have the same shapes ready, reuse all they can, and neither check nor count.")
	t.print()
	return nil
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b[:min(len(b), 500)]), "\n")
	return line
}
