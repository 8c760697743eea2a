package httpapi

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
)

type caseIndex struct {
	AsOf                                                   time.Time `json:"as_of"`
	Revision                                               int64
	Columns, Overlays, States, Items, Streets, Departments []string
	Rows                                                   [][]*int64
}

func (x caseIndex) ids() (out []int64) {
	for _, r := range x.Rows {
		out = append(out, *r[0])
	}
	return out
}

func (town *caseTown) index(t testing.TB, v visitor, query string) caseIndex {
	t.Helper()
	return decode[caseIndex](t, v.call(town, "GET", "/api/v1/cases/index"+query, ""), 200)
}

// TestIndex: it has what the queue has, in its order, for everybody and by
// every filter.
func TestIndex(t *testing.T) {
	town := newCaseTown(t)
	for i := range 8 {
		c := town.report(t, town.device, i, i%2)
		steps := []string{"accept", "file", "dispatch"}
		for _, action := range steps[:i%4] {
			c = decode[caseAnswer](t, town.act(town.district, c, action, "").ResponseRecorder, 200)
		}
	}
	town.report(t, town.station, 0, 2)
	if w := town.district.call(town, "POST", "/api/v1/cases", `{"channel":"12345","text":"Noise at 曹安路 1685","order":{"number":"20260301-7","days":1,"issued":"`+testNow.Add(-time.Hour).Format(time.RFC3339)+`"}}`); w.Code != 201 {
		t.Fatal(w.Body)
	}
	for _, v := range []visitor{town.district, town.one, town.two, town.station, town.team, town.inspector} {
		for _, query := range []string{"", "?state=filed", "?item=0701", "?channel=village", "?due=near", "?due=overdue", "?due=order", "?due=review", "?centre=" + secondStreet, "?q=占道", "?q=noise+1685", "?q=3", "?q=20260301-7", "?q=nothing"} {
			list := decode[caseList](t, v.call(town, "GET", "/api/v1/cases"+query, ""), 200)
			if strings.Contains(query, "q=3") || strings.Contains(query, "q=2026") {
				continue // numbers are the queue's alone
			}
			if got := town.index(t, v, query); !slices.Equal(got.ids(), list.ids()) {
				t.Errorf("%s: the index has %v, the queue %v", query, got.ids(), list.ids())
			}
		}
	}
	x := town.index(t, town.district, "")
	if len(x.Rows) != 10 || x.Revision == 0 || len(x.Columns) != 12 || x.Overlays[0] != "verified" {
		t.Errorf("%+v", x)
	}
	for _, r := range x.Rows {
		page := decode[struct {
			Case casework.Case
			Next *struct{ At time.Time }
		}](t, town.page(town.district, *r[0]).ResponseRecorder, 200)
		c := page.Case
		name := func(list []string, i *int64) string {
			if *i < 0 {
				return ""
			}
			return list[*i]
		}
		if len(r) != 12 || int(*r[1]) != c.Seq || name(x.States, r[5]) != string(c.State) || name(x.Items, r[7]) != c.Item || name(x.Streets, r[8]) != c.Place.Street ||
			name(x.Departments, r[9]) != c.Cycle.Lead.Code || *r[10] != c.Received.Unix() || casework.Overlay(*r[6]) != c.Overlays {
			t.Errorf("row %v of %+v", r, c)
		}
		if page.Next == nil || *r[4] != page.Next.At.Unix() {
			t.Errorf("case %d is due %d, not %v", c.ID, *r[4], page.Next)
		}
		if c.Place.Generation == 0 {
			if r[2] != nil || r[3] != nil || *r[11] != flagHotline {
				t.Errorf("without a place: %v", r)
			}
		} else if *r[2] != int64(c.Place.At[0]*1e5+0.5) || *r[3] != int64(c.Place.At[1]*1e5+0.5) || *r[11]&flagKey != 0 != c.Class.Key {
			t.Errorf("%v at %v", r, c.Place.At)
		}
	}
	if w := town.district.call(town, "GET", "/api/v1/cases/index", "", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", w.Header())
	}
}

func TestCasesByNumber(t *testing.T) {
	town := newCaseTown(t)
	for i := range 6 {
		town.report(t, town.device, i, 0)
	}
	town.district.call(town, "POST", "/api/v1/cases", `{"channel":"12345","text":"噪声","order":{"number":"4","days":1,"issued":"`+testNow.Add(-time.Hour).Format(time.RFC3339)+`"}}`)
	c := decode[caseAnswer](t, town.page(town.one, 2).ResponseRecorder, 200)
	c = decode[caseAnswer](t, town.act(town.one, c, "not-accept", `,"text":"重复"`).ResponseRecorder, 200)
	if c.Case.State != "not-accepted" {
		t.Fatal(c.Case.State)
	}
	list := func(v visitor, query string) []int64 {
		return decode[caseList](t, v.call(town, "GET", "/api/v1/cases"+query, ""), 200).ids()
	}
	for _, tt := range []struct {
		name, query string
		who         visitor
		want        []int64
	}{
		{"in the order asked for", "?ids=5,1,2", town.district, []int64{5, 1, 2}},
		{"its own alone", "?ids=1,5", town.one, []int64{1}},
		{"none that there is", "?ids=99", town.district, nil},
		{"a case and an order", "?q=4", town.district, []int64{4, 7}},
		{"closed, by number", "?q=2", town.one, []int64{2}},
		{"another street's", "?q=5", town.one, nil},
		{"closed, by words", "?q=占道", town.one, []int64{1, 3, 4}},
	} {
		if got := list(tt.who, tt.query); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	var paged []int64
	for page := (caseList{}); ; {
		page = decode[caseList](t, town.district.call(town, "GET", "/api/v1/cases?q=占道&limit=2&after="+page.After, ""), 200)
		if paged = append(paged, page.ids()...); page.After == "" || len(paged) > 9 {
			break
		}
	}
	if !slices.Equal(paged, []int64{1, 3, 4, 5, 6}) {
		t.Errorf("page by page: %v", paged)
	}
	many := "1" + strings.Repeat(",1", maxIDs)
	for query, parameter := range map[string]string{"?ids=" + many: "ids", "?ids=x": "ids", "?ids=": "ids", "?ids=1&street=" + firstStreet: "ids",
		"?q=占道&closed=1": "q", "?q=" + strings.Repeat("x", 300): "q"} {
		if p := wantProblem(t, town.district.call(town, "GET", "/api/v1/cases"+query, ""), 400); p.Parameter != parameter {
			t.Errorf("%s: %+v", query, p)
		}
	}
	for _, query := range []string{"?closed=1", "?state=closed"} {
		if p := wantProblem(t, town.district.call(town, "GET", "/api/v1/cases/index"+query, ""), 400); p.Parameter != "closed" {
			t.Errorf("%s: %+v", query, p)
		}
	}
}

// keptOf is n open cases as they lie in a desk.
func keptOf(n int) []*casework.Kept {
	out := make([]*casework.Kept, n)
	for i := range out {
		k := &casework.Kept{Case: int64(i + 1), Seq: 4, State: casework.States[i%8], Street: "31011400" + strconv.Itoa(i%12), Lead: fmt.Sprintf("3101140%02d-S02", i%40),
			Item: fmt.Sprintf("%04d", i%151), Placed: true, Received: 1772503200000 + int64(i)*1000, Due: 1772503200000 + int64(i)*7000}
		k.At.X, k.At.Y = 1212345678+int32(i)*31, 313456789+int32(i)*17
		out[i] = k
	}
	return out
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		for _, coding := range []string{"identity", "gzip"} {
			b.Run(fmt.Sprint(n, "/", coding), func(b *testing.B) {
				kept := keptOf(n)
				a := newAPI(b, Config{}, nil)
				a.engine.GET("/index", a.answer(route{"GET", "/index", "anyone", func(_ *API, c *gin.Context) error { return writeIndex(c, indexHead{}, kept) }}))
				size := 0
				for b.Loop() {
					r := httptest.NewRequest("GET", "/index", nil)
					r.Header.Set("Accept-Encoding", coding)
					w := httptest.NewRecorder()
					a.ServeHTTP(w, r)
					size = w.Body.Len()
				}
				b.ReportMetric(float64(size), "bytes")
				b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/index")
			})
		}
	}
}
