package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

// TestOpenAPIHasEveryRoute compares the document with the route table, both
// ways, and its query parameters with those that the handlers read.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	var doc struct {
		OpenAPI string
		Info    struct{ Version string }
		Paths   map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
			Responses   map[string]any
		}
	}
	a := newAPI(t, Config{Version: `1.2.3 "test"`}, nil)
	w := call(a, "GET", "/openapi.json", "")
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.0.3" || doc.Info.Version != `1.2.3 "test"` {
		t.Errorf("openapi %s, version %s", doc.OpenAPI, doc.Info.Version)
	}
	reads := map[string][]string{
		"GET /api/v1/resolve": resolveParams, "POST /api/v1/resolve": batchParams, "GET /api/v1/grids": gridsParams,
		"GET /tiles/grids/{z}/{x}/{y}.mvt": tileParams,
		"GET /api/v1/replay":               replayParams,
		"GET /api/v1/heat":                 heatParams, "GET /api/v1/heat/series": heatSeriesParams, "GET /api/v1/heat/rising": heatRisingParams, "GET /tiles/heat/{z}/{x}/{y}.mvt": heatTileParams,
		"GET /api/v1/grids/{grid}": asOfParams, "GET /api/v1/streets": asOfParams, "GET /api/v1/audit": auditParams, "GET /oidc/callback": callbackParams, "GET /oidc/start": startParams,
		"POST /api/v1/generations": importParams, "POST /api/v1/generations/{number}/check": checkParams,
		"GET /api/v1/generations/{number}/grids": gridsParams[:2], "GET /tiles/generations/{number}/{z}/{x}/{y}.mvt": tileParams[:1],
		"GET /ogc/collections/{collection}/items": slices.Concat(itemsParams, collections[0].filters),
		"GET /api/v1/units":                       unitsParams, "GET /api/v1/units/{unit}/track": trackParams, "GET /api/v1/roster": rosterParams, "POST /api/v1/roster": importRosterParams,
		"GET /api/v1/events": eventsParams, "GET /api/v1/quarantine": quarantineParams, "GET /api/v1/coverage": coverageParams,
		"POST /api/v1/cases/import": caseImportParams, "GET /api/v1/cases": casesParams, "GET /api/v1/cases/{id}/files/{name}": fileParams, "GET /api/v1/cases/counts": countsParams, "GET /api/v1/indicators": indicatorsParams, "GET /api/v1/indicators/{indicator}/cases": figureCasesParams, "GET /api/v1/catalogue": catalogueParams,
		"GET /api/v1/cases/index": indexParams, "GET /api/v1/orders/answers": answersParams,
		"GET /api/v1/precedents":  precedentParams,
		"GET /api/v1/inspections": inspectionsParams, "POST /api/v1/inspections": orderInspectionParams, "GET /api/v1/inspections/{id}/files/{name}": fileParams, "GET /api/v1/inspectors": inspectorsParams,
		"GET /open311/v2/discovery.{format}": jurisdictionParam, "GET /open311/v2/services.{format}": jurisdictionParam, "GET /open311/v2/services/{code}": jurisdictionParam,
		"GET /open311/v2/requests.{format}": open311Params, "GET /open311/v2/requests/{id}": jurisdictionParam, "GET /open311/v2/tokens/{token}": jurisdictionParam,
		"GET /ogc": {"f"}, "GET /ogc/api": {"f"}, "GET /ogc/conformance": {"f"}, "GET /ogc/collections": {"f"},
		"GET /ogc/collections/{collection}":                 {"f"},
		"GET /ogc/collections/{collection}/items/{feature}": ogcItemParams,
	}
	operations := make(map[string]bool)
	table := make(map[string]bool)
	for _, r := range routes {
		key := r.method + " " + r.path
		table[key] = true
		op, ok := doc.Paths[r.path][strings.ToLower(r.method)]
		if !ok {
			t.Errorf("openapi.json has no %s", key)
			continue
		}
		if operations[op.OperationID] || op.OperationID == "" || len(op.Responses) == 0 {
			t.Errorf("%s: operation %q", key, op.OperationID)
		}
		operations[op.OperationID] = true
		var query, path []string
		for _, p := range op.Parameters {
			if p.In == "query" {
				query = append(query, p.Name)
			} else {
				path = append(path, p.Name)
			}
		}
		want := slices.Sorted(slices.Values(reads[key]))
		if slices.Sort(query); !slices.Equal(query, want) {
			t.Errorf("%s: openapi.json has the parameters %v, the handler reads %v", key, query, want)
		}
		for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(r.path, -1) {
			if !slices.Contains(path, name[1]) {
				t.Errorf("%s: openapi.json does not describe {%s}", key, name[1])
			}
		}
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			if key := strings.ToUpper(method) + " " + path; !table[key] {
				t.Errorf("openapi.json has %s, which is no route", key)
			}
		}
	}
	for _, ref := range regexp.MustCompile(`"#/components/schemas/(\w+)"`).FindAllStringSubmatch(w.Body.String(), -1) {
		if !strings.Contains(w.Body.String(), `"`+ref[1]+`": {`) {
			t.Errorf("schema %s is not there", ref[1])
		}
	}
}

func TestWebApplication(t *testing.T) {
	script := strings.Repeat("console.log('联勤');", 100)
	a := newAPI(t, Config{Web: fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><title>联勤</title>")},
		"desk/index.html":      {Data: []byte("desk")},
		"assets/wall-B3f9a.js": {Data: []byte(script)},
		"assets/font-x.woff2":  {Data: []byte("font")},
		"manifest.webmanifest": {Data: []byte("{}")},
	}}, nil)
	for _, tt := range []struct {
		path, contentType, cache string
		status                   int
	}{
		{"/", "text/html; charset=utf-8", "no-cache", 200},
		{"/index.html", "text/html; charset=utf-8", "no-cache", 200},
		{"/desk/", "text/html; charset=utf-8", "no-cache", 200},
		{"/assets/wall-B3f9a.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", 200},
		{"/assets/font-x.woff2", "font/woff2", "public, max-age=31536000, immutable", 200},
		{"/manifest.webmanifest", "application/manifest+json", "no-cache", 200},
		{"/assets/gone-123.js", "application/problem+json", "no-store", 404},
		{"/assets", "application/problem+json", "no-store", 404},
		{"/../go.mod", "application/problem+json", "no-store", 404},
	} {
		w := call(a, "GET", tt.path, "")
		h := w.Header()
		if w.Code != tt.status || h.Get("Content-Type") != tt.contentType || h.Get("Cache-Control") != tt.cache || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %d %v", tt.path, w.Code, h)
		}
		policy := h.Get("Content-Security-Policy")
		if html := strings.HasPrefix(tt.contentType, "text/html"); html != (policy != "") || html && !strings.Contains(policy, "frame-ancestors") {
			t.Errorf("%s: policy %q", tt.path, policy)
		}
	}
	if w := call(a, "GET", "/assets/wall-B3f9a.js", "", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > len(script)/2 {
		t.Errorf("script: %v, %d bytes", w.Header(), w.Body.Len())
	}
	for target, to := range map[string]string{"/desk": "desk/", "/desk?next=%2Fadmin%2F%3Fa": "desk/?next=%2Fadmin%2F%3Fa"} { // relative, for proxies
		if w := call(a, "GET", target, ""); w.Code != 301 || w.Header().Get("Location") != to {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
	}
	if w := call(a, "POST", "/", "x"); w.Code != 404 {
		t.Errorf("POST /: %d", w.Code)
	}
}

func TestSlashAfterOGC(t *testing.T) {
	a := newAPI(t, Config{}, lattice(t, 4, 2))
	for _, tt := range []struct {
		target, to string
		status     int
	}{
		{"/ogc/", "../ogc", 308},
		{"/ogc/?f=json", "../ogc?f=json", 308},
		{"/ogc/collections/", "../collections", 308},
		{"/ogc//", "", 404},
		{"/ogc//evil.example/", "../evil.example", 308},
		{"/ogcs/", "", 404},
		{"/api/v1/streets/", "", 404},
	} {
		w := call(a, "GET", tt.target, "")
		if w.Code != tt.status || w.Header().Get("Location") != tt.to {
			t.Errorf("%s: got %d %q, want %d %q", tt.target, w.Code, w.Header().Get("Location"), tt.status, tt.to)
			continue
		}
		if tt.target == "/ogc/" {
			at, _ := url.Parse("http://example.org/gis/ogc/")
			if to, err := at.Parse(tt.to); err != nil || to.Path != "/gis/ogc" {
				t.Errorf("behind a prefix: %v, %v", to, err)
			}
		}
	}
}

func TestWebNotBuilt(t *testing.T) {
	for name, web := range map[string]fstest.MapFS{"none": nil, "empty": {}, "but for .gitkeep": {".gitkeep": {}}} {
		cfg := Config{}
		if web != nil {
			cfg.Web = web
		}
		w := call(newAPI(t, cfg, nil), "GET", "/", "")
		if w.Code != 200 || !strings.Contains(w.Body.String(), "make web") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestPanicIsOpaque breaks a route on purpose.
func TestPanicIsOpaque(t *testing.T) {
	var log bytes.Buffer
	a := newAPI(t, Config{Log: slog.New(slog.NewJSONHandler(&log, nil))}, nil)
	a.engine.GET("/broken", a.answer(route{"GET", "/broken", auth.Anyone, func(*API, *gin.Context) error { panic("secret table") }}))
	a.engine.GET("/failing", a.answer(route{"GET", "/failing", auth.Anyone, func(*API, *gin.Context) error { return errors.New("secret table") }}))
	for _, path := range []string{"/broken", "/failing"} {
		log.Reset()
		p := wantProblem(t, call(a, "GET", path, ""), 500)
		if p.Detail != "" || strings.Contains(p.Title, "secret") {
			t.Errorf("%s tells %+v", path, p)
		}
		var line struct{ Request, Path, Error string }
		if err := json.Unmarshal(log.Bytes(), &line); err != nil || bytes.Count(log.Bytes(), []byte("\n")) != 1 {
			t.Fatalf("%s: one line of log, got %s", path, log.Bytes())
		}
		if !strings.HasSuffix(p.Instance, line.Request) || line.Request == "" || line.Path != path || !strings.Contains(line.Error, "secret table") {
			t.Errorf("%s: logged %+v, answered %+v", path, line, p)
		}
	}
}

func TestMetrics(t *testing.T) {
	gen := lattice(t, 4, 2)
	a := newAPI(t, Config{Version: "v9"}, gen)
	call(a, "GET", "/api/v1/resolve?lon=121.15&lat=31.27", "")
	call(a, "GET", "/api/v1/resolve?lon=0&lat=0", "")
	call(a, "GET", "/api/v1/resolve?lon=x&lat=0", "")
	call(a, "POST", "/api/v1/resolve", `[{"lon":121.15,"lat":31.27},{"lon":1}]`, "Content-Type", "application/json")
	call(a, "BREW", "/api/v1/grids", "")
	text := call(a, "GET", "/metrics", "").Body.String()
	for _, want := range []string{
		`lianqin_resolved_points_total{outcome="inside"} 2`,
		`lianqin_resolved_points_total{outcome="outside"} 1`,
		`lianqin_resolved_points_total{outcome="invalid"} 2`,
		`lianqin_http_requests_total{method="GET",route="/api/v1/resolve",status="200"} 2`,
		`lianqin_http_requests_total{method="GET",route="/api/v1/resolve",status="400"} 1`,
		`lianqin_http_requests_total{method="other",route="other",status="405"} 1`,
		fmt.Sprintf(`lianqin_generation_info{hash="%s",number="1"} %d`, gen.Hash(), len(gen.Grids())),
		`lianqin_build_info{version="v9"} 1`,
		`lianqin_http_request_seconds_count{method="GET",route="/api/v1/resolve"} 3`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	clock := clockAt(testNow)
	a := newAPI(t, Config{Limits: Limits{Rate: 2, Burst: 3}, Now: clock.now}, nil)
	ask := func() int { return call(a, "GET", "/openapi.json", "").Code }
	for i := range 3 {
		if got := ask(); got != 200 {
			t.Fatalf("request %d of the burst: %d", i+1, got)
		}
	}
	w := call(a, "GET", "/openapi.json", "")
	if wantProblem(t, w, 429); w.Header().Get("Retry-After") != "1" {
		t.Errorf("429 with %v", w.Header())
	}
	for _, probe := range []string{"/healthz", "/metrics"} {
		if w := call(a, "GET", probe, ""); w.Code != 200 {
			t.Errorf("%s is limited: %d", probe, w.Code)
		}
	}
	clock.set(clock.now().Add(500 * time.Millisecond))
	if got := []int{ask(), ask()}; !slices.Equal(got, []int{200, 429}) {
		t.Errorf("half a second later: %v", got)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	clock := clockAt(testNow)
	l := newLimiter(1, 1, clock.now)
	for i := range 200_000 {
		l.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	held := 0
	for i := range l.shards {
		held += len(l.shards[i].buckets)
	}
	if held > limiterShards*shardBuckets {
		t.Errorf("%d buckets are held", held)
	}
	one, two := netip.MustParseAddr("2001:db8:1:2::1"), netip.MustParseAddr("2001:db8:1:2:ffff::9")
	if l.take(one) != 0 || l.take(two) == 0 {
		t.Error("two addresses of one /64 have a bucket each")
	}
}

func TestClientAddr(t *testing.T) {
	r, _ := http.NewRequest("GET", "/", nil)
	r.RemoteAddr = "[::ffff:192.0.2.1]:443"
	r.Header.Add("X-Forwarded-For", "203.0.113.9, 198.51.100.7")
	for trust, want := range map[bool]string{false: "192.0.2.1", true: "198.51.100.7"} {
		a := newAPI(t, Config{TrustForwarded: trust}, nil)
		if got := a.clientAddr(r).String(); got != want {
			t.Errorf("trusting %v: %s, want %s", trust, got, want)
		}
	}
}

// TestServeFinishesWhatIsUnderWay cancels while a request waits.
func TestServeFinishesWhatIsUnderWay(t *testing.T) {
	a := newAPI(t, Config{}, nil)
	entered, leave := make(chan struct{}), make(chan struct{})
	a.engine.GET("/slow", a.answer(route{"GET", "/slow", auth.Anyone, func(_ *API, c *gin.Context) error {
		close(entered)
		<-leave
		c.String(200, "done")
		return nil
	}}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, l) }()
	var body []byte
	var asked sync.WaitGroup
	asked.Go(func() {
		resp, err := http.Get("http://" + l.Addr().String() + "/slow")
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		body, _ = io.ReadAll(resp.Body)
	})
	<-entered
	cancel()
	for { // the listener closes first
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	close(leave)
	asked.Wait()
	if string(body) != "done" {
		t.Errorf("the request under way got %q", body)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeBoundsHeaders(t *testing.T) {
	a := newAPI(t, Config{Limits: Limits{HeaderBytes: 4 << 10, ReadHeader: 50 * time.Millisecond}}, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, l) }()
	defer func() { cancel(); <-served }()
	r, _ := http.NewRequest("GET", "http://"+l.Addr().String()+"/healthz", nil)
	r.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	resp, err := http.DefaultClient.Do(r)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("a header of 64 kB: %s", resp.Status)
		}
	}
	slow, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, _ = io.WriteString(slow, "GET /healthz HTTP/1.1\r\n")
	_ = slow.SetReadDeadline(time.Now().Add(20 * time.Second))
	if rest, err := io.ReadAll(slow); err != nil || strings.Contains(string(rest), "200") {
		t.Errorf("a header that never ends: %q, %v", rest, err)
	}
}

func TestSlowBodyTimesOut(t *testing.T) {
	a := newAPI(t, Config{Limits: Limits{Request: 50 * time.Millisecond}}, lattice(t, 3, 2))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, l) }()
	defer func() { cancel(); <-served }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST /api/v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[")
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
		t.Errorf("got %q, %v; want 408", answer, err)
	}
	for a.bodies.held.Load() != 0 {
		time.Sleep(time.Millisecond) // the handler is on its way out
	}
}

func TestStatusOfEveryKind(t *testing.T) {
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		if titles[statusOf[kind]] == "" {
			t.Errorf("kind %v has status %d without a title", kind, statusOf[kind])
		}
	}
	for _, status := range []int{405, 408, 413, 415, 429} {
		if titles[status] == "" {
			t.Errorf("status %d has no title", status)
		}
	}
}
