package httpapi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

// publicTown is a caseTown with a key for Open311, items that are not public,
// and a clock that tests turn.
type publicTown struct {
	*caseTown
	key string
	mu  sync.Mutex
	now time.Time
}

func (p *publicTown) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *publicTown) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

const moreTestItems = `0109,01,公用设施,路灯不亮或损坏,component,U11,,60,24,calendar,0
0801,08,房屋与施工管理,违法建筑,event,S02,,60,8,working,1
`

func newPublicTown(t testing.TB, limits Limits) *publicTown {
	t.Helper()
	catalogue, err := casework.ReadCatalogue(strings.NewReader(testDepartments), strings.NewReader(testItems+moreTestItems))
	if err != nil {
		t.Fatal(err)
	}
	p := &publicTown{now: testNow}
	p.caseTown = newCaseTownOf(t, Config{Catalogue: catalogue, Now: p.clock, Limits: limits,
		PlainWords: casework.PlainWords{"0701": {English: "Street vendor", Words: []string{"摆摊", "小摊"}}}})
	w := p.district.call(p, "POST", "/api/v1/devices", `{"name":"市民云","role":"integration"}`)
	p.key = decode[struct{ Secret string }](t, w, 201).Secret
	return p
}

// form posts a form as fields that follow each other.
func (p *publicTown) form(path string, fields ...string) *httptest.ResponseRecorder {
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return call(p, "POST", path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// middle is the middle of the lattice's grid i, j.
func middle(i, j int) orb.Point {
	return orb.Point{121.126 + 0.012*float64(i), 31.256 + 0.012*float64(j)}
}

func (p *publicTown) post(t testing.TB, item string, at orb.Point, more ...string) int64 {
	t.Helper()
	w := p.form("/open311/v2/requests.json", append([]string{"api_key", p.key, "service_code", item, "lat", fmt.Sprint(at[1]), "long", fmt.Sprint(at[0])}, more...)...)
	list := decode[[]open311Receipt](t, w, 200)
	if len(list) != 1 || list[0].Notice == "" {
		t.Fatalf("%s", w.Body)
	}
	var id int64
	if _, err := fmt.Sscan(list[0].ID, &id); err != nil {
		t.Fatal(err)
	}
	return id
}

// step takes an action on a case as it stands.
func (p *publicTown) step(t testing.TB, v visitor, id int64, action, fields string) caseAnswer {
	t.Helper()
	p.pass(time.Minute)
	c := decode[caseAnswer](t, p.page(p.district, id).ResponseRecorder, 200)
	return decode[caseAnswer](t, p.act(v, c, action, fields).ResponseRecorder, 200)
}

func (p *publicTown) accept(t testing.TB, id int64) {
	t.Helper()
	p.step(t, p.one, id, "ask-verification", "")
	p.step(t, p.device, id, "verify", `,"evidence":["`+p.photo(t, p.device)+`"]`)
	p.step(t, p.one, id, "accept", "")
}

func (p *publicTown) request(t testing.TB, id int64) open311Seen {
	t.Helper()
	list := decode[[]open311Seen](t, call(p, "GET", fmt.Sprintf("/open311/v2/requests/%d.json", id), ""), 200)
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	return list[0]
}

// open311Seen is an answer as a program reads it.
type open311Seen struct {
	ID       string `json:"service_request_id"`
	Status   string
	Notes    string `json:"status_notes"`
	Service  string `json:"service_name"`
	Code     string `json:"service_code"`
	Text     string `json:"description"`
	Agency   string `json:"agency_responsible"`
	Expected string `json:"expected_datetime"`
	Updated  string `json:"updated_datetime"`
	Asked    string `json:"requested_datetime"`
	Address  string
	Lat      float64
	Long     float64
	Media    any `json:"media_url"`
}

func schema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("testdata/open311", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tree is JSON as names and texts: numbers as they are written, null as "".
func jsonTree(t testing.TB, v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, jsonTree(t, x))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = jsonTree(t, x)
		}
		return out
	}
	t.Fatalf("%T", v)
	return nil
}

// wrapped are the elements that are lists of others.
var wrapped = []string{"services", "service_requests", "errors", "attributes", "values", "endpoints", "formats"}

// xmlTree is an element as jsonTree has it.
func xmlTree(t testing.TB, d *xml.Decoder, name string) any {
	text, list, fields := "", []any{}, map[string]any{}
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.CharData:
			text += string(x)
		case xml.StartElement:
			child := xmlTree(t, d, x.Name.Local)
			list = append(list, child)
			if _, twice := fields[x.Name.Local]; twice && !slices.Contains(wrapped, name) {
				t.Errorf("%s has two %s", name, x.Name.Local)
			}
			fields[x.Name.Local] = child
		case xml.EndElement:
			switch {
			case slices.Contains(wrapped, name):
				return list
			case len(fields) > 0:
				return fields
			}
			return text
		}
	}
}

// both asks for path in both formats, which must say the same, and returns the
// JSON.
func (p *publicTown) both(t testing.TB, path string, status int) []byte {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	asJSON := call(p, "GET", path+".json?"+query, "")
	asXML := call(p, "GET", path+".xml?"+query, "")
	if asJSON.Code != status || asXML.Code != status || asJSON.Header().Get("Content-Type") != "application/json" || asXML.Header().Get("Content-Type") != "text/xml; charset=utf-8" {
		t.Fatalf("%s: %d %s %s, %d %s %s", path, asJSON.Code, asJSON.Header().Get("Content-Type"), asJSON.Body, asXML.Code, asXML.Header().Get("Content-Type"), asXML.Body)
	}
	if d := cmp.Diff(readJSONTree(t, asJSON.Body.Bytes()), readXMLTree(t, asXML.Body.Bytes())); d != "" {
		t.Errorf("%s: JSON and XML disagree: -json +xml\n%s", path, d)
	}
	return asJSON.Body.Bytes()
}

func readJSONTree(t testing.TB, b []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return jsonTree(t, v)
}

func readXMLTree(t testing.TB, b []byte) any {
	t.Helper()
	if !bytes.HasPrefix(b, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)) {
		t.Errorf("XML begins with %.60s", b)
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			return xmlTree(t, d, start.Name.Local)
		}
	}
}

func validate(t testing.TB, name string, body []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t, name).Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", name, err, body)
	}
}

// TestOpen311Answers has every answer in both formats, which agree, and
// against the schemas.
func TestOpen311Answers(t *testing.T) {
	p := newPublicTown(t, Limits{})
	first := p.post(t, "0701", middle(0, 0), "description", "摆摊 <占道> & \"挡路\"\x01", "address_string", "某路 1 号", "phone", "13800000000", "attribute[DANGER]", "traffic")
	p.post(t, "0101", middle(1, 1), "attribute[ASSET]", "J-1234")
	p.accept(t, first)
	p.step(t, p.one, first, "file", "")
	p.step(t, p.one, first, "dispatch", "")
	for _, tt := range []struct {
		path, schema string
		status       int
	}{
		{"/open311/v2/discovery", "discovery.json", 200},
		{"/open311/v2/services", "services.json", 200},
		{"/open311/v2/services?jurisdiction_id=310114", "services.json", 200},
		{"/open311/v2/services?jurisdiction_id=110101", "errors.json", 404},
		{"/open311/v2/services?colour=blue", "errors.json", 400},
		{"/open311/v2/services/0701", "service-definition.json", 200},
		{"/open311/v2/services/0101", "service-definition.json", 200},
		{"/open311/v2/services/0801", "errors.json", 404},
		{"/open311/v2/services/none", "errors.json", 404},
		{"/open311/v2/requests", "requests.json", 200},
		{"/open311/v2/requests?status=closed", "requests.json", 200},
		{"/open311/v2/requests?status=ajar", "errors.json", 400},
		{"/open311/v2/requests?service_code=0801", "errors.json", 404},
		{"/open311/v2/requests?start_date=2026-01-01T00:00:00%2B08:00&end_date=2026-04-02T00:00:00%2B08:00", "errors.json", 400},
		{"/open311/v2/requests?page=0", "errors.json", 400},
		{"/open311/v2/requests?page_size=1001", "errors.json", 400},
		{fmt.Sprintf("/open311/v2/requests/%d", first), "requests.json", 200},
		{"/open311/v2/requests/999", "errors.json", 404},
		{"/open311/v2/requests/x", "errors.json", 404},
		{"/open311/v2/tokens/x", "errors.json", 404},
		{"/open311/v2/tokens/" + p.writeReceipt(receipt{ownReceipt, first}), "tokens.json", 200},
	} {
		validate(t, tt.schema, p.both(t, tt.path, tt.status))
	}
	for _, path := range []string{"/open311/v2/services.yaml", "/open311/v2/nothing", "/open311/v2/requests/1"} {
		w := call(p, "GET", path, "")
		if list, ok := readXMLTree(t, w.Body.Bytes()).([]any); w.Code != 404 || !ok || len(list) != 1 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	services := decode[[]struct {
		Code     string `json:"service_code"`
		Group    string
		Keywords *string
	}](t, call(p, "GET", "/open311/v2/services.json", ""), 200)
	if len(services) != 3 || services[2].Code != "0701" || services[2].Group != "街面秩序" || *services[2].Keywords != "摆摊, 小摊" || services[0].Keywords != nil {
		t.Errorf("%+v", services)
	}
}

func TestOpen311Post(t *testing.T) {
	p := newPublicTown(t, Limits{})
	at := []string{"service_code", "0701", "lat", "31.256", "long", "121.126"}
	for name, tt := range map[string]struct {
		fields []string
		status int
		says   string
	}{
		"no key":                    {at, 403, "api_key"},
		"another's key":             {append([]string{"api_key", "lqd_nothing"}, at...), 403, "token"},
		"a patrol's key":            {append([]string{"api_key", p.device.secret}, at...), 403, "integration"},
		"no service":                {[]string{"api_key", p.key, "lat", "31.256", "long", "121.126"}, 400, "service_code"},
		"no such service":           {[]string{"api_key", p.key, "service_code", "9999", "lat", "31.256", "long", "121.126"}, 404, "service_code"},
		"one not public":            {[]string{"api_key", p.key, "service_code", "0801", "lat", "31.256", "long", "121.126"}, 404, "service_code"},
		"no place":                  {[]string{"api_key", p.key, "service_code", "0701"}, 400, "lat"},
		"half a place":              {[]string{"api_key", p.key, "service_code", "0701", "lat", "31.256"}, 400, "long"},
		"no number":                 {[]string{"api_key", p.key, "service_code", "0701", "lat", "north", "long", "121.126"}, 400, "lat"},
		"no position":               {[]string{"api_key", p.key, "service_code", "0701", "lat", "131", "long", "121.126"}, 400, "lat"},
		"not finite":                {[]string{"api_key", p.key, "service_code", "0701", "lat", "NaN", "long", "121.126"}, 400, "lat"},
		"outside":                   {[]string{"api_key", p.key, "service_code", "0701", "lat", "31.2", "long", "121.0"}, 400, "outside the district"},
		"an unknown address":        {[]string{"api_key", p.key, "service_code", "0701", "address_string", "南京路 1 号"}, 400, "address_string"},
		"an ambiguous address":      {[]string{"api_key", p.key, "service_code", "0701", "address_string", "第1街道1排1列村与第1街道1排2列村之间"}, 400, "several"},
		"an unknown address id":     {[]string{"api_key", p.key, "service_code", "0701", "address_id", "12"}, 400, "address_id"},
		"an unknown attribute":      {append([]string{"api_key", p.key, "attribute[COLOUR]", "blue"}, at...), 400, "COLOUR"},
		"an attribute that is text": {append([]string{"api_key", p.key, "attribute[ABOUT]", "x"}, at...), 400, "ABOUT"},
		"an asset of an event":      {append([]string{"api_key", p.key, "attribute[ASSET]", "x"}, at...), 400, "ASSET"},
		"no such value":             {append([]string{"api_key", p.key, "attribute[DANGER]", "very"}, at...), 400, "DANGER"},
		"an attribute twice":        {append([]string{"api_key", p.key, "attribute[DANGER]", "none", "attribute[DANGER]", "people"}, at...), 400, "DANGER"},
		"an attribute's name":       {append([]string{"api_key", p.key, "attribute[DANGER", "none"}, at...), 400, "attribute[CODE]"},
		"a field twice":             {append([]string{"api_key", p.key, "lat", "31.3"}, at...), 400, "lat"},
		"seen tomorrow":             {append([]string{"api_key", p.key, "attribute[SEEN]", "2026-03-03T00:00:00+08:00"}, at...), 400, "captured"},
		"seen sometime":             {append([]string{"api_key", p.key, "attribute[SEEN]", "yesterday"}, at...), 400, "SEEN"},
		"too vague":                 {append([]string{"api_key", p.key, "attribute[ACCURACY]", "5000"}, at...), 400, "ACCURACY"},
		"a media address":           {append([]string{"api_key", p.key, "media_url", "file:///etc/passwd"}, at...), 400, "media_url"},
		"a long description":        {append([]string{"api_key", p.key, "description", strings.Repeat("长", 2000)}, at...), 400, "description"},
		"another district":          {append([]string{"api_key", p.key, "jurisdiction_id", "110101"}, at...), 404, "jurisdiction_id"},
	} {
		for _, format := range []string{"json", "xml"} {
			w := p.form("/open311/v2/requests."+format, tt.fields...)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("%s: %d %s, want %d that says %s", name, w.Code, w.Body, tt.status, tt.says)
			}
			if format == "json" {
				validate(t, "errors.json", w.Body.Bytes())
			}
		}
	}
	if w := call(p, "POST", "/open311/v2/requests.json", `{}`, "Content-Type", "application/json"); w.Code != 400 {
		t.Errorf("JSON: %d %s", w.Code, w.Body)
	}
	if w := p.form("/open311/v2/requests.json", "description", strings.Repeat("x", maxForm)); w.Code != 400 {
		t.Errorf("a large form: %d", w.Code)
	}

	ok := append([]string{"api_key", p.key, "jurisdiction_id", "310114", "device_id", "x", "unheard_of", "y"}, at...)
	w := p.form("/open311/v2/requests.json", ok...)
	validate(t, "created.json", w.Body.Bytes())
	if w := p.form("/open311/v2/requests.xml", ok...); w.Code != 200 || !strings.Contains(w.Body.String(), "<service_requests><request><service_request_id>2</service_request_id>") {
		t.Errorf("%d %s", w.Code, w.Body)
	} else if !strings.Contains(w.Body.String(), "Request 1, 0 m away") {
		t.Errorf("nothing of the one before: %s", w.Body)
	}
	// The same again, by its key.
	for range 2 {
		w := call(p, "POST", "/open311/v2/requests.json", url.Values{"api_key": {p.key}, "service_code": {"0701"}, "lat": {"31.28"}, "long": {"121.15"}}.Encode(),
			"Content-Type", "application/x-www-form-urlencoded", "Idempotency-Key", "abc")
		if list := decode[[]open311Receipt](t, w, 200); list[0].ID != "3" {
			t.Errorf("sent again: %+v", list)
		}
	}
	// An address that names one place, and a grid's code.
	for i, fields := range [][]string{{"address_string", "第1街道2排2列村 8 号楼旁"}, {"address_id", firstStreet + "A0002"}} {
		w := p.form("/open311/v2/requests.json", append([]string{"api_key", p.key, "service_code", "0701"}, fields...)...)
		if list := decode[[]open311Receipt](t, w, 200); list[0].ID != fmt.Sprint(4+i) {
			t.Errorf("%v: %s", fields, w.Body)
		}
	}
	for id, want := range map[int64]string{4: firstStreet + "U0101", 5: firstStreet + "A0002"} {
		if c := decode[caseAnswer](t, p.page(p.district, id).ResponseRecorder, 200); c.Case.Place.GridCode != want {
			t.Errorf("case %d is in %s, want %s", id, c.Case.Place.GridCode, want)
		}
	}
}

// TestOpen311Life takes a request from its post to its end. It is not accepted
// before somebody has looked.
func TestOpen311Life(t *testing.T) {
	p := newPublicTown(t, Limits{})
	id := p.post(t, "0701", middle(0, 0), "description", "摆摊，电话 139 1234 5678", "address_string", "某路 1 号")
	c := decode[caseAnswer](t, p.page(p.one, id).ResponseRecorder, 200)
	if by := c.History[0].By; by.Role != "public" || !strings.HasPrefix(by.ID, "device:") {
		t.Errorf("reported by %+v", by)
	}
	if pr := wantProblem(t, p.act(p.one, c, "accept", "").ResponseRecorder, 409); !strings.Contains(pr.Detail, "verified") {
		t.Errorf("%+v", pr)
	}
	if r := p.request(t, id); r.Status != "open" || r.Text != "" || r.Address != "" || r.Expected != "" || r.Agency != "第1街道城管执法中队" || !strings.Contains(r.Notes, "reported") {
		t.Errorf("as it came: %+v", r)
	}
	p.accept(t, id)
	if r := p.request(t, id); r.Text != "摆摊，电话 …" || r.Address != "某路 1 号" {
		t.Errorf("accepted: %+v", r)
	}
	p.step(t, p.one, id, "file", "")
	p.step(t, p.one, id, "dispatch", "")
	r := p.request(t, id)
	expected, err := time.Parse(time.RFC3339, r.Expected)
	if r.Status != "open" || r.Agency != "第1街道城管执法中队" || err != nil || !expected.After(testNow) || !strings.HasSuffix(r.Expected, "+08:00") || !strings.Contains(r.Notes, "dispatched") {
		t.Errorf("dispatched: %+v, %v", r, err)
	}
	p.step(t, p.team, id, "take", "")
	p.step(t, p.team, id, "dispose", `,"text":"已清理，联系人王某","evidence":["`+p.photo(t, p.team)+`"]`)
	p.step(t, p.other, id, "check", `,"evidence":["`+p.photo(t, p.other)+`"]`)
	p.step(t, p.one, id, "close", "")
	if r = p.request(t, id); r.Status != "closed" || r.Media != nil || !strings.Contains(r.Notes, "closed") || r.Updated <= r.Asked {
		t.Errorf("closed: %+v", r)
	}
	for state := range stateWords {
		if stateWords[state] == "" {
			t.Errorf("no words for %s", state)
		}
	}
	for _, state := range casework.States {
		if _, ok := stateWords[state]; !ok {
			t.Errorf("no words for %s", state)
		}
	}
}

// TestOpen311TellsNothingPrivate: of a patrol's report, of the hotline's, and
// of items that are not public.
func TestOpen311TellsNothingPrivate(t *testing.T) {
	p := newPublicTown(t, Limits{})
	open := func(v visitor, body string) int64 {
		return decode[caseAnswer](t, v.call(p, "POST", "/api/v1/cases", body), 201).Case.ID
	}
	where := `"position":{"lon":121.1264567,"lat":31.2564321,"accuracy_m":5,"address":"秘密路 1 号 302 室"}`
	patrol := open(p.device, `{"item":"0701","text":"秘密的话",`+where+`}`)
	thing := open(p.device, `{"item":"0101","text":"秘密的话",`+where+`}`)
	order := open(p.district, `{"channel":"12345","item":"0701","text":"秘密的话",`+where+`,"order":{"number":"H1","days":5,"issued":"2026-02-27T09:00:00+08:00"},"reporter":{"name":"秘密人","contact":"13800000000"}}`)
	private := open(p.device, `{"item":"0801","text":"秘密的话",`+where+`}`)
	unknown := open(p.device, `{"text":"秘密的话",`+where+`}`)
	for _, path := range []string{"/open311/v2/requests", fmt.Sprintf("/open311/v2/requests?service_request_id=%d,%d,%d,%d,%d", patrol, thing, order, private, unknown)} {
		body := string(p.both(t, path, 200))
		for _, secret := range []string{"秘密", "13800000000", "H1", `"0801"`} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells %s: %s", path, secret, body)
			}
		}
		if list := decode[[]open311Seen](t, call(p, "GET", strings.Replace(path, "requests", "requests.json", 1), ""), 200); len(list) != 3 {
			t.Errorf("%s: %+v", path, list)
		}
	}
	for _, id := range []int64{private, unknown} {
		if w := call(p, "GET", fmt.Sprintf("/open311/v2/requests/%d.json", id), ""); w.Code != 404 {
			t.Errorf("case %d: %d %s", id, w.Code, w.Body)
		}
	}
	if r := p.request(t, patrol); r.Lat != 31.256 || r.Long != 121.126 {
		t.Errorf("an event without leave to publish is at %v, %v", r.Lat, r.Long)
	}
	if r := p.request(t, thing); r.Lat != 31.25643 || r.Long != 121.12646 {
		t.Errorf("a manhole cover is at %v, %v", r.Lat, r.Long)
	}
}

// TestOpen311Pages walks the list: the latest first, page by page.
func TestOpen311Pages(t *testing.T) {
	p := newPublicTown(t, Limits{})
	for i := range 5 {
		p.post(t, []string{"0701", "0101"}[i%2], middle(i, 0))
		p.pass(time.Hour)
	}
	p.pass(80 * 24 * time.Hour)
	p.post(t, "0701", middle(5, 0))
	p.pass(10*24*time.Hour - 3*time.Hour - 30*time.Minute) // the first two are older than 90 days
	for query, want := range map[string]string{
		"":                       "6 5 4 3",
		"page_size=2":            "6 5",
		"page_size=2&page=2":     "4 3",
		"page_size=2&page=3":     "",
		"service_code=0101":      "4",
		"service_code=0101,0701": "6 5 4 3",
		"service_code=0101&service_code=0701&status=open,closed": "6 5 4 3",
		"status=closed":                        "",
		"end_date=2026-03-01T18:30:00%2B08:00": "3 2 1",
		"start_date=2026-03-01T17:00:00%2B08:00&end_date=2026-03-01T19:00:00%2B08:00":  "4 3 2",
		"start_date=2026-03-01T17:30:00%2B08:00":                                       "6 5 4 3",
		"start_date=2026-03-01&end_date=2026-03-02":                                    "5 4 3 2 1",
		"service_request_id=1,6,99,x&status=closed&service_code=none&start_date=never": "1 6",
	} {
		var got []string
		for _, r := range decode[[]open311Seen](t, call(p, "GET", "/open311/v2/requests.json?"+query, ""), 200) {
			got = append(got, r.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
}

func TestOpen311NearABorder(t *testing.T) {
	p := newPublicTown(t, Limits{})
	at := p.border(t)
	w := p.form("/open311/v2/requests.json", "api_key", p.key, "service_code", "0701", "lat", fmt.Sprint(at[1]), "long", fmt.Sprint(at[0]), "attribute[ACCURACY]", "30")
	notice := string(decode[[]open311Receipt](t, w, 200)[0].Notice)
	if !strings.Contains(notice, "第1街道1排4列村") || !strings.Contains(notice, "第2街道1排5列村") {
		t.Errorf("the notice names not both: %s", notice)
	}
}

// border is a point on the border of the two streets, found by halving.
func (p *publicTown) border(t testing.TB) orb.Point {
	t.Helper()
	d, err := p.inForce()
	if err != nil {
		t.Fatal(err)
	}
	a, b := middle(3, 0), middle(4, 0)
	ours, _ := d.index.Locate(a)
	for range 40 {
		m := orb.Point{(a[0] + b[0]) / 2, a[1]}
		if id, _ := d.index.Locate(m); id == ours {
			a = m
		} else {
			b = m
		}
	}
	return a
}

func TestIntegrationsAreOfTheDistrict(t *testing.T) {
	p := newPublicTown(t, Limits{})
	for body, parameter := range map[string]string{
		`{"name":"x","role":"integration","jurisdiction":{"level":"street","code":"` + firstStreet + `"}}`: "jurisdiction",
		`{"name":"x","role":"administrator"}`: "role",
	} {
		if pr := wantProblem(t, p.district.call(p, "POST", "/api/v1/devices", body), 400); pr.Parameter != parameter {
			t.Errorf("%s: %+v", body, pr)
		}
	}
	if pr := wantProblem(t, p.district.call(p, "POST", "/api/v1/links", `{"name":"x","role":"integration"}`), 400); pr.Parameter != "role" {
		t.Errorf("a link: %+v", pr)
	}
	key := visitor{[]string{"Authorization", "Bearer " + p.key}, p.key}
	for _, path := range []string{"/api/v1/cases", "/api/v1/units", "/api/v1/resolve?lon=121.126&lat=31.256"} {
		wantProblem(t, key.call(p, "GET", path, ""), 403)
	}
}

func TestOpen311Window(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		start, end string
		days       int // 0 is an error
	}{
		{"", "", 90}, {"2026-01-01", "", 90}, {"", "2026-01-01", 90},
		{"2026-01-01", "2026-04-01", 90}, {"2026-01-01", "2026-01-02", 1},
		{"2026-01-01", "2026-04-02", 0}, {"2026-01-02", "2026-01-01", 0}, {"2026-13-01", "", 0}, {"", "10000-01-01T00:00:00Z", 0},
		{"2026-01-01T00:00:00", "", 0}, {"0000-01-01", "", 0},
	} {
		from, to, err := open311Window(tt.start, tt.end, now)
		if (err == nil) != (tt.days > 0) || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s to %s: %v", tt.start, tt.end, err)
			continue
		}
		if got := to.Sub(from).Round(time.Hour); err == nil && got != time.Duration(tt.days)*24*time.Hour {
			t.Errorf("%s to %s: %s", tt.start, tt.end, got)
		}
	}
}

func FuzzReadOpen311Form(f *testing.F) {
	for _, s := range []string{"", "a=b", "lat=31.2&long=121&attribute[DANGER]=none", "attribute%5BX%5D%5B%5D=1&attribute[X][]=2", "lat=%zz", "lat=1&lat=2", "description=%ff",
		"attribute[", "attribute[]=x", "attribute[A]B=x", "&&&=&=", "a;b=c", strings.Repeat("a=b&", maxFormPairs+1), "description=%00%01%0a〔x〕"} {
		f.Add(s)
	}
	defined := open311Attributes(testCatalogue(f), &casework.Item{Kind: casework.Component, Lead: "U02"})
	f.Fuzz(func(t *testing.T, body string) {
		form, err := readOpen311Form(body)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		for name, value := range form.fields {
			if !slices.Contains(open311Fields, name) || value != open311Clean(value) || len(value) > maxCaseText {
				t.Errorf("%q: %s is %q", body, name, value)
			}
			if err := xml.EscapeText(io.Discard, []byte(value)); err != nil {
				t.Errorf("%q: %v", body, err)
			}
		}
		said, err := form.answers(defined)
		if err != nil && (fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) == "") {
			t.Errorf("%q: %v", body, err)
		}
		text := strings.Join(append([]string{form.fields["description"]}, said.details...), "\n")
		if own := ownWords(text); strings.Contains("\n"+own, "\n"+detailMark) {
			t.Errorf("%q: published %q", body, own)
		}
	})
}

// TestWholeCatalogueIsPublished: 99 services of the demonstration catalogue.
func TestWholeCatalogueIsPublished(t *testing.T) {
	departments, err := os.ReadFile("../../geodata/departments.csv")
	if err != nil {
		t.Fatal(err)
	}
	items, err := os.ReadFile("../../geodata/catalogue.csv")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := casework.ReadCatalogue(bytes.NewReader(departments), bytes.NewReader(items))
	if err != nil {
		t.Fatal(err)
	}
	a := closedAPI(t, Config{Catalogue: catalogue}, lattice(t, 4, 2))
	w := call(a, "GET", "/open311/v2/services.json", "")
	validate(t, "services.json", w.Body.Bytes())
	list := decode[[]struct {
		Code string `json:"service_code"`
	}](t, w, 200)
	if len(list) != 99 {
		t.Errorf("%d services", len(list))
	}
	for _, s := range list {
		validate(t, "service-definition.json", call(a, "GET", "/open311/v2/services/"+s.Code+".json", "").Body.Bytes())
	}
}
