package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func importHistories(a *API, v visitor, query string, body []byte) *httptest.ResponseRecorder {
	return v.call(a, "POST", "/api/v1/cases/import"+query, string(body), "Content-Type", "application/x-ndjson")
}

// handedOver is a case of town as a line of a file of histories.
func (town *caseTown) handedOver(t testing.TB, id int64) []byte {
	t.Helper()
	page := decode[struct{ History json.RawMessage }](t, town.page(town.district, id).ResponseRecorder, 200)
	line, err := json.Marshal(map[string]any{"source": "from", "number": fmt.Sprint(id), "entries": page.History, "reporter": map[string]string{"name": "王"}})
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// TestImportedCases has one district's cases come to another.
func TestImportedCases(t *testing.T) {
	from, to := newCaseTown(t), newCaseTown(t)
	c := from.report(t, from.device, 0, 0)
	c = decode[caseAnswer](t, from.act(from.one, c, "accept", "").ResponseRecorder, 200)
	second := from.report(t, from.device, 1, 1)
	lines := [][]byte{from.handedOver(t, c.Case.ID), from.handedOver(t, second.Case.ID)}
	wrong := bytes.Replace(lines[0], []byte(`"action":"accept"`), []byte(`"action":"close"`), 1)
	nowhere := bytes.ReplaceAll(lines[1], []byte(firstStreet+"U"), []byte(firstStreet+"X"))
	file := bytes.Join([][]byte{lines[0], []byte("not JSON"), {}, wrong, nowhere, lines[1]}, []byte("\n"))
	w := importHistories(to.API, to.admin, "", file)
	got := decode[importedAnswer](t, w, 200)
	if got.Added != 2 || got.Known != 0 || got.Refused != 3 || len(got.Rejected) != 3 {
		t.Fatalf("%s", w.Body)
	}
	for i, want := range []struct {
		line int
		why  string
	}{{2, "not a history"}, {4, "entry 2, close"}, {5, "no grid"}} {
		if r := got.Rejected[i]; r.Line != want.line || !strings.Contains(r.Detail, want.why) {
			t.Errorf("%+v, want line %d, %q", r, want.line, want.why)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(file)
	z.Close()
	if again := decode[importedAnswer](t, importHistories(to.API, to.admin, "", packed.Bytes()), 200); again.Added != 0 || again.Known != 2 || again.Refused != 3 {
		t.Errorf("again, gzipped: %+v", again)
	}
	// It goes on there.
	c.Case.ID = 1
	if next := decode[caseAnswer](t, to.act(to.one, c, "file", "").ResponseRecorder, 200); next.Case.State != "filed" {
		t.Errorf("%+v", next)
	}
	if page := to.page(to.two, 1); page.Code != 404 {
		t.Errorf("another street's: %d", page.Code)
	}
	wantProblem(t, importHistories(to.API, to.district, "", file), 403)
	wantProblem(t, to.admin.call(to.API, "POST", "/api/v1/cases/import", "{}"), 415)

	nameless := bytes.Replace(lines[0], []byte(`"source":"from"`), []byte(`"source":""`), 1)
	if got := decode[importedAnswer](t, importHistories(to.API, to.admin, "", nameless), 200); got.Refused != 1 {
		t.Errorf("%+v", got)
	}
	to.cfg.Limits.ImportBytes = int64(len(lines[0])) + 10
	w = importHistories(to.API, to.admin, "?source=x", file)
	if wantProblem(t, w, 413); !strings.Contains(w.Body.String(), "larger than") {
		t.Errorf("%s", w.Body)
	}
}

func realFile(t testing.TB, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "real", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the shared real data is not beside the repository: no %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// TestRealCases imports ten thousand real cases of another system through a
// mapping, and reads the overdue share back; what it has to be is computed
// from the table's own columns, as text.
func TestRealCases(t *testing.T) {
	packed := realFile(t, "baltimore311/requests.csv.gz")
	mapping, err := os.ReadFile("testdata/baltimore311.json")
	if err != nil {
		t.Fatal(err)
	}
	town := newCaseTown(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []struct {
		name string
		data []byte
	}{{"mapping", mapping}, {"table", packed}} {
		w, err := form.CreateFormFile(part.name, part.name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(part.data)
	}
	form.Close()
	send := func() importedAnswer {
		w := town.admin.call(town.API, "POST", "/api/v1/cases/import?source=baltimore-311", body.String(), "Content-Type", form.FormDataContentType())
		return decode[importedAnswer](t, w, 200)
	}
	due, late, rows := overdueByText(t, packed)
	if got := send(); got.Added != rows || got.Refused != 0 || got.Known != 0 {
		t.Fatalf("%d rows: %+v", rows, got)
	}
	if again := send(); again.Added != 0 || again.Known != rows {
		t.Errorf("again: %+v", again)
	}
	query := url.Values{"from": {"2014-01-01T00:00:00-05:00"}, "to": {"2021-01-01T00:00:00-05:00"}, "as_of": {"2021-01-01T00:00:00-05:00"}, "by": {"district,department"}}
	w := town.district.call(town.API, "GET", "/api/v1/indicators?"+query.Encode(), "")
	answer := decode[struct {
		By map[string][]struct {
			Key     string
			Figures []struct {
				Indicator              string
				Numerator, Denominator int
			}
		}
	}](t, w, 200)
	seen := 0
	for _, line := range slices.Concat(answer.By["district"], answer.By["department"]) {
		for _, f := range line.Figures {
			if f.Indicator != "disposal-on-time" || f.Denominator == 0 {
				continue
			}
			seen++
			if f.Denominator != due[line.Key] || f.Denominator-f.Numerator != late[line.Key] {
				t.Errorf("%q: %d late of %d by the service, %d of %d by the table", line.Key, f.Denominator-f.Numerator, f.Denominator, late[line.Key], due[line.Key])
			}
		}
	}
	if seen != len(due) || late[""] == 0 {
		t.Errorf("%d figures for %d agencies", seen, len(due))
	}
	t.Logf("%d of %d late: %.2f %%", late[""], due[""], 100*float64(late[""])/float64(due[""]))
}

// overdueByText counts, for each agency and for "" in all, what was due and
// what of that was closed late or not at all: by comparing the table's own
// text, and knowing nothing of time.
func overdueByText(t testing.TB, packed []byte) (due, late map[string]int, n int) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(z)
	header, err := rows.Read()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range header {
		column[name] = i
	}
	sortable := func(s string) string { // 04/12/2018 11:11:26 AM
		if s == "" {
			return ""
		}
		hour := (int(s[11]-'0')*10 + int(s[12]-'0')) % 12
		if s[20] == 'P' {
			hour += 12
		}
		return s[6:10] + s[0:2] + s[3:5] + fmt.Sprintf("%02d", hour) + s[14:16] + s[17:19]
	}
	due, late = map[string]int{}, map[string]int{}
	for {
		r, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return due, late, n
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		d, c := sortable(r[column["duedate"]]), sortable(r[column["closedate"]])
		if d == "" {
			continue
		}
		for _, key := range []string{"", r[column["agency"]]} {
			due[key]++
			if c > d || c == "" {
				late[key]++
			}
		}
	}
}
