package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/grid"
)

const testPassword = "correct horse battery"

// visitor is who calls in a test: headers that go with every request.
type visitor struct {
	headers []string
	secret  string
}

// call is call with the visitor's headers and, for a session, its CSRF token.
func (v visitor) call(a http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	if body != "" {
		headers = append([]string{"Content-Type", "application/json"}, headers...)
	}
	return call(a, method, target, body, slices.Concat(v.headers, headers)...)
}

// addAccount makes an account that signs in by its subject, without the cost
// of a password.
func addAccount(t testing.TB, a *API, login string, role auth.Role, j auth.Jurisdiction) {
	t.Helper()
	err := a.cfg.Gate.SetAccount(t.Context(), auth.Operator("root"), login, func(acc *auth.Account) error {
		acc.Name, acc.Role, acc.Jurisdiction, acc.Subject = "某某", role, j, "https://id.test "+login
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func signedIn(t testing.TB, a *API, login string) visitor {
	t.Helper()
	_, secret, err := a.cfg.Gate.SignInSubject(t.Context(), "https://id.test "+login, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	return visitor{[]string{"Cookie", sessionCookie + "=" + secret, csrfHeader, auth.CSRFToken(secret)}, secret}
}

func holder(t testing.TB, a *API, kind auth.TokenKind, j auth.Jurisdiction) (visitor, auth.Token) {
	t.Helper()
	tok := auth.Token{Kind: kind, Name: "test", Jurisdiction: j}
	secret, err := a.cfg.Gate.Issue(t.Context(), auth.Operator("root"), &tok)
	if err != nil {
		t.Fatal(err)
	}
	if kind == auth.Link {
		return visitor{[]string{"Cookie", linkCookie + "=" + secret}, secret}, tok
	}
	return visitor{[]string{"Authorization", "Bearer " + secret}, secret}, tok
}

// closedAPI is an API where nobody may do anything without signing in.
func closedAPI(t testing.TB, cfg Config, gen *grid.Generation) *API {
	cfg.Public = []auth.Action{}
	return newAPI(t, cfg, gen)
}

// visitors has somebody of every role of the whole district.
func visitors(t testing.TB, a *API) map[auth.Role]func() visitor {
	out := map[auth.Role]func() visitor{auth.Public: func() visitor { return visitor{} }}
	for _, role := range auth.Roles {
		if role == auth.PatrolDevice {
			out[role] = func() visitor { v, _ := holder(t, a, auth.Device, auth.WholeDistrict); return v }
			continue
		}
		addAccount(t, a, string(role), role, auth.WholeDistrict)
		out[role] = func() visitor { return signedIn(t, a, string(role)) } // anew, since some routes sign out
	}
	return out
}

var sample = strings.NewReplacer("{anything}", "pub", "{grid}", "1", "{layer}", "0", "{matter}", "sos:none:1", "{z}", "10", "{x}", "856", "{y}", "418", "{collection}", "grids", "{feature}", "1",
	"{secret}", "lql_none", "{login}", "nobody", "{id}", "none", "{number}", "1", "{next}", "1", "{unit}", "none", "{action}", "accept", "{indicator}", "accepted", "{name}", "none.jpg",
	"{format}", "json", "{code}", "0101.json", "{token}", "none.json")

// TestEveryRouteForEveryRole walks the whole table: who may use a route gets
// past the door, whatever the route then says; who may not gets 401 or 403.
// The golden file shows the table, so that a change of it is seen.
func TestEveryRouteForEveryRole(t *testing.T) {
	a := closedAPI(t, Config{}, lattice(t, 4, 2))
	who := visitors(t, a)
	roles := append(slices.Clone(auth.Roles), auth.Public)
	var matrix bytes.Buffer
	for _, r := range routes {
		if !slices.Contains(auth.Actions, r.action) {
			t.Errorf("%s %s: there is no action %q", r.method, r.path, r.action)
		}
		fmt.Fprintf(&matrix, "%-6s %-50s %-20s", r.method, r.path, r.action)
		for _, role := range roles {
			w := who[role]().call(a, r.method, sample.Replace(r.path), "")
			got := w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden
			if want := role.May(r.action); got != want {
				t.Errorf("%s %s as %s: %d %s; allowed should be %v", r.method, r.path, role, w.Code, w.Body, want)
			}
			if !got {
				status := http.StatusForbidden
				if role == auth.Public {
					status = http.StatusUnauthorized
				}
				wantProblem(t, w, status)
				if challenged := w.Header().Get("WWW-Authenticate") == "Bearer"; challenged != (role == auth.Public) {
					t.Errorf("%s %s as %s: WWW-Authenticate %q", r.method, r.path, role, w.Header().Get("WWW-Authenticate"))
				}
				continue
			}
			fmt.Fprintf(&matrix, " %s", role)
		}
		matrix.WriteByte('\n')
	}
	golden(t, "access.txt", matrix.Bytes())
}

// TestNarrowJurisdictions has the roles of the whole district's business held
// for one street only.
func TestNarrowJurisdictions(t *testing.T) {
	a := closedAPI(t, Config{}, lattice(t, 4, 2))
	street := auth.Jurisdiction{Level: auth.Street, Code: "310114004"}
	for _, role := range auth.Roles {
		if role == auth.PatrolDevice {
			continue
		}
		addAccount(t, a, string(role), role, street)
	}
	for _, r := range routes {
		for _, role := range auth.Roles {
			if role == auth.PatrolDevice || !role.May(r.action) || r.action == auth.OwnSession {
				continue
			}
			w := signedIn(t, a, string(role)).call(a, r.method, sample.Replace(r.path), "")
			if got, want := w.Code == http.StatusForbidden, r.action.WholeDistrict(); got != want {
				t.Errorf("%s %s as %s of a street: %d; refused should be %v", r.method, r.path, role, w.Code, want)
			}
		}
	}
}

func TestUnsafeMethodsNeedCSRF(t *testing.T) {
	a := closedAPI(t, Config{}, lattice(t, 4, 2))
	addAccount(t, a, "admin", auth.Administrator, auth.WholeDistrict)
	link, _ := holder(t, a, auth.Link, auth.WholeDistrict)
	for _, r := range routes {
		if r.method == "GET" || r.action == auth.Anyone || !auth.Administrator.May(r.action) {
			continue
		}
		v := signedIn(t, a, "admin")
		for name, token := range map[string]string{"none": "", "another's": auth.CSRFToken(auth.NewSecret(auth.Session))} {
			w := call(a, r.method, sample.Replace(r.path), "", "Cookie", sessionCookie+"="+v.secret, csrfHeader, token)
			if strings.HasPrefix(r.path, open311Base) { // its errors have another form
				if w.Code != 403 || !strings.Contains(w.Body.String(), csrfHeader) {
					t.Errorf("%s %s with %s: %d %s", r.method, r.path, name, w.Code, w.Body)
				}
				continue
			}
			if p := wantProblem(t, w, 403); !strings.Contains(p.Detail, csrfHeader) {
				t.Errorf("%s %s with %s: %+v", r.method, r.path, name, p)
			}
		}
		if w := v.call(a, r.method, sample.Replace(r.path), ""); w.Code == 403 {
			t.Errorf("%s %s with the token: %s", r.method, r.path, w.Body)
		}
	}
	if w := link.call(a, "POST", "/api/v1/resolve", "[]"); w.Code != 403 {
		t.Errorf("a share link's cookie without the token: %d", w.Code)
	}
	if w := link.call(a, "POST", "/api/v1/resolve", "[]", csrfHeader, auth.CSRFToken(link.secret)); w.Code != 200 {
		t.Errorf("a share link's cookie with the token: %d %s", w.Code, w.Body)
	}
	if w := call(a, "POST", "/api/v1/session", `{"login":"admin","password":"x"}`, "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("a sign-in that another site's form could send: %d", w.Code)
	}
}

func TestOthersJurisdictionIsNotThere(t *testing.T) {
	a := closedAPI(t, Config{}, nil)
	ours, theirs := auth.Jurisdiction{Level: auth.Street, Code: "310114004"}, auth.Jurisdiction{Level: auth.Street, Code: "310114001"}
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	addAccount(t, a, "admin", auth.Administrator, ours)
	addAccount(t, a, "other", auth.Viewer, theirs)
	addAccount(t, a, "near", auth.Viewer, auth.Jurisdiction{Level: auth.Village, Code: "310114004A12"})
	_, device := holder(t, a, auth.Device, theirs)
	_, link := holder(t, a, auth.Link, theirs)
	_, own := holder(t, a, auth.Device, ours)
	v := signedIn(t, a, "admin")
	for _, path := range []string{"/api/v1/accounts", "/api/v1/devices", "/api/v1/links"} {
		w := v.call(a, "GET", path, "")
		if w.Code != 200 || strings.Contains(w.Body.String(), theirs.Code) || strings.Contains(w.Body.String(), `"login":"root"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := v.call(a, "GET", "/api/v1/accounts", ""); !strings.Contains(w.Body.String(), `"near"`) {
		t.Errorf("a village of the street is missing: %s", w.Body)
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"PATCH", "/api/v1/accounts/other", `{"name":"x"}`, 404},
		{"PATCH", "/api/v1/accounts/root", `{"disabled":true}`, 404},
		{"PATCH", "/api/v1/accounts/none", `{"name":"x"}`, 404},
		{"DELETE", "/api/v1/devices/" + device.ID, "", 404},
		{"DELETE", "/api/v1/links/" + link.ID, "", 404},
		{"DELETE", "/api/v1/links/" + own.ID, "", 404}, // a device is no link
		{"DELETE", "/api/v1/devices/" + own.ID, "", 204},
		{"POST", "/api/v1/devices", `{"name":"x","jurisdiction":{"level":"street","code":"310114001"}}`, 403},
		{"POST", "/api/v1/links", `{"name":"x","jurisdiction":{"level":"district"}}`, 403},
		{"PATCH", "/api/v1/accounts/near", `{"jurisdiction":{"level":"district"}}`, 403},
		{"POST", "/api/v1/accounts", `{"login":"new","name":"x","role":"viewer","subject":"i s","jurisdiction":{"level":"district"}}`, 403},
	} {
		if w := v.call(a, tt.method, tt.path, tt.body); w.Code != tt.status {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, w.Code, w.Body, tt.status)
		}
	}
}

func TestSessionOverHTTP(t *testing.T) {
	a := closedAPI(t, Config{}, lattice(t, 4, 2))
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	root := signedIn(t, a, "root")
	body := `{"login":"wang","name":"王五","role":"street-operator","jurisdiction":{"level":"street","code":"310114004"},"password":"` + testPassword + `"}`
	if w := root.call(a, "POST", "/api/v1/accounts", body); w.Code != 201 {
		t.Fatal(w.Code, w.Body)
	}
	if w := root.call(a, "POST", "/api/v1/accounts", body); w.Code != 409 {
		t.Errorf("the same account again: %d %s", w.Code, w.Body)
	}
	type session struct {
		SignedIn bool `json:"signed_in"`
		Login    string
		Role     string
		Actions  []string
		CSRF     string
	}
	read := func(w *httptest.ResponseRecorder) (s session) {
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
		return s
	}
	if s := read(call(a, "GET", "/api/v1/session", "")); s.SignedIn || s.Role != "public" || !slices.Equal(s.Actions, []string{"anyone", "files.send", "cases.report.public"}) {
		t.Errorf("nobody: %+v", s)
	}
	w := visitor{}.call(a, "POST", "/api/v1/session", `{"login":"wang","password":"`+testPassword+`x"}`)
	if p := wantProblem(t, w, 401); strings.Contains(p.Detail, "wang") {
		t.Errorf("a wrong password: %+v", p)
	}
	w = visitor{}.call(a, "POST", "/api/v1/session", `{"login":"wang","password":"`+testPassword+`"}`)
	s := read(w)
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Secure || s.Login != "wang" || s.CSRF == "" {
		t.Errorf("cookie %v, session %+v", cookie, s)
	}
	wang := visitor{[]string{"Cookie", cookie.Name + "=" + cookie.Value, csrfHeader, s.CSRF}, cookie.Value}
	if got := read(wang.call(a, "GET", "/api/v1/session", "")); got.Login != "wang" || got.CSRF != s.CSRF || !slices.Contains(got.Actions, "devices.manage") {
		t.Errorf("signed in: %+v", got)
	}
	if w := wang.call(a, "PUT", "/api/v1/session/password", `{"old":"wrong","new":"another good one"}`); w.Code != 403 {
		t.Errorf("a wrong old password: %d", w.Code)
	}
	if w := wang.call(a, "PUT", "/api/v1/session/password", `{"old":"`+testPassword+`","new":"short"}`); w.Code != 400 {
		t.Errorf("a short password: %d", w.Code)
	}
	if w := wang.call(a, "DELETE", "/api/v1/session", ""); w.Code != 204 || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("signing out: %d %v", w.Code, w.Header())
	}
	if w := wang.call(a, "GET", "/api/v1/streets", ""); w.Code != 401 {
		t.Errorf("after signing out: %d", w.Code)
	}
	for range 5 {
		visitor{}.call(a, "POST", "/api/v1/session", `{"login":"wang","password":"guess"}`)
	}
	w = visitor{}.call(a, "POST", "/api/v1/session", `{"login":"wang","password":"`+testPassword+`"}`)
	if wantProblem(t, w, 429); w.Header().Get("Retry-After") == "" {
		t.Errorf("throttled without Retry-After")
	}
	if w := call(a, "GET", "/api/v1/streets", "", "Authorization", "Bearer "+cookie.Value); w.Code != 401 {
		t.Errorf("a session as a bearer token: %d", w.Code)
	}
}

func TestShareLinks(t *testing.T) {
	clock := clockAt(testNow)
	a := closedAPI(t, Config{Now: clock.now}, lattice(t, 4, 2))
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	w := signedIn(t, a, "root").call(a, "POST", "/api/v1/links", `{"name":"大屏","expires":"2026-04-01T00:00:00Z"}`)
	var made struct {
		Link   auth.Token
		Secret string
		URL    string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 201 || made.URL != "/share/"+made.Secret {
		t.Fatal(w.Code, w.Body)
	}
	for target, want := range map[string]string{made.URL: "/", "/?key=" + made.Secret: "/", "/wall/?a=1&key=" + made.Secret: "/wall/?a=1",
		"//evil.test/?key=" + made.Secret: "/evil.test/"} {
		w := call(a, "GET", target, "")
		if w.Code != 303 || w.Header().Get("Location") != want || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
			continue
		}
		cookie := w.Result().Cookies()[0]
		if cookie.Name != linkCookie || !cookie.HttpOnly || cookie.MaxAge != int(made.Link.Expires.Sub(clock.now())/time.Second) {
			t.Errorf("%s: cookie %v", target, cookie)
		}
	}
	wall := visitor{headers: []string{"Cookie", linkCookie + "=" + made.Secret}}
	for path, want := range map[string]int{"/api/v1/grids": 200, "/api/v1/generations": 403, "/api/v1/accounts": 403} {
		if w := wall.call(a, "GET", path, ""); w.Code != want {
			t.Errorf("%s by link: %d, want %d", path, w.Code, want)
		}
	}
	if w := call(a, "GET", "/api/v1/grids", "", "Authorization", "Bearer "+made.Secret); w.Code != 200 {
		t.Errorf("the link as a bearer token: %d", w.Code)
	}
	if w := call(a, "GET", "/share/"+auth.NewSecret(auth.Link), ""); w.Code != 404 {
		t.Errorf("an invented link: %d", w.Code)
	}
	clock.set(made.Link.Expires)
	if w := wall.call(a, "GET", "/api/v1/grids", ""); w.Code != 401 {
		t.Errorf("an expired link: %d", w.Code)
	}
}

// TestAuditOverHTTP walks back from the newest entry, page by page.
func TestAuditOverHTTP(t *testing.T) {
	a := closedAPI(t, Config{}, nil)
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	root := signedIn(t, a, "root")
	for range 7 {
		holder(t, a, auth.Link, auth.WholeDistrict)
	}
	type page struct {
		Entries []struct{ Seq int64 }
		Head    struct{ Seq int64 }
	}
	seqs := func(query string) (out []int64, head int64) {
		p := decode[page](t, root.call(a, "GET", "/api/v1/audit"+query, ""), 200)
		for _, e := range p.Entries {
			out = append(out, e.Seq)
		}
		return out, p.Head.Seq
	}
	all, head := seqs("")
	if len(all) != 9 || head != 9 || !slices.IsSorted(all) {
		t.Fatalf("entries %v of %d", all, head)
	}
	for query, want := range map[string][]int64{
		"?limit=4": {6, 7, 8, 9}, "?limit=4&before=6": {2, 3, 4, 5}, "?before=2": {1}, "?before=1": nil, "?after=7": {8, 9},
		"?after=0&limit=2": {1, 2}, "?action=link.issue&limit=2": {8, 9}, "?who=nobody": nil, "?action=session.open": {2},
		"?after=2&before=5": {3, 4}, "?limit=1000000": all,
	} {
		if got, _ := seqs(query); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
	for query, param := range map[string]string{"?before=0": "before", "?before=x": "before", "?after=-1": "after", "?limit=0": "limit", "?seq=1": "seq"} {
		if p := wantProblem(t, root.call(a, "GET", "/api/v1/audit"+query, ""), 400); p.Parameter != param {
			t.Errorf("%s: %+v", query, p)
		}
	}
}

// TestNoRoomOverHTTP lets no file grow any more, as a full disk does: writing is
// 503 with one clear line in the log, reading goes on, and writing too once
// there is room.
func TestNoRoomOverHTTP(t *testing.T) {
	var log bytes.Buffer
	s := openStore(t)
	atlas, err := grid.Open(t.Context(), s.Generations(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := closedAPI(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now, Gate: auth.NewGate(s.Accounts(), time.Now),
		Atlas: atlas, Boundaries: fileReader}, lattice(t, 4, 2))
	addAccount(t, a, "admin", auth.Administrator, auth.WholeDistrict)
	addAccount(t, a, "plan", auth.Planner, auth.WholeDistrict)
	admin, plan := signedIn(t, a, "admin"), signedIn(t, a, "plan")
	file := plan.call(a, "GET", "/api/v1/generations/1/grids", "").Body.String()

	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	limit := func(bytes uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
	}
	defer limit(was.Cur)
	limit(4 << 10)
	writes := map[string]func() *httptest.ResponseRecorder{
		"a device": func() *httptest.ResponseRecorder { return admin.call(a, "POST", "/api/v1/devices", `{"name":"x"}`) },
		"boundaries": func() *httptest.ResponseRecorder {
			return plan.call(a, "POST", "/api/v1/generations?format=geojson", file)
		},
	}
	for name, write := range writes {
		log.Reset()
		if p := wantProblem(t, write(), 503); !strings.Contains(p.Detail, "is the disk full?") {
			t.Errorf("%s: %+v", name, p)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "is the disk full?") {
			t.Errorf("%s: the log says %q", name, log.String())
		}
	}
	for _, path := range []string{"/api/v1/streets", "/api/v1/resolve?lon=121.15&lat=31.27", "/api/v1/accounts", "/api/v1/audit", "/api/v1/generations"} {
		if w := admin.call(a, "GET", path, ""); w.Code != 200 {
			t.Errorf("reading %s: %d %s", path, w.Code, w.Body)
		}
	}
	limit(was.Cur)
	for name, write := range writes {
		if w := write(); w.Code != 201 {
			t.Errorf("%s, with room again: %d %s", name, w.Code, w.Body)
		}
	}
	if _, err := a.cfg.Gate.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNoSecretIsLogged goes through every way in, then breaks the database so
// that all of it fails, and looks for the secrets in the log and in the audit
// chain.
func TestNoSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := openStore(t)
	a := closedAPI(t, Config{Log: logger, Gate: auth.NewGate(s.Accounts(), time.Now)}, lattice(t, 3, 2))
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	root := signedIn(t, a, "root")
	const other = "another long passphrase"
	device, _ := holder(t, a, auth.Device, auth.WholeDistrict)
	link, _ := holder(t, a, auth.Link, auth.WholeDistrict)
	secrets := []string{root.secret, auth.CSRFToken(root.secret), device.secret, link.secret, testPassword, other}
	flows := func() {
		root.call(a, "POST", "/api/v1/accounts", `{"login":"wang","name":"王五","role":"viewer","jurisdiction":{"level":"district"},"password":"`+testPassword+`"}`)
		root.call(a, "POST", "/api/v1/accounts", `{"login":"li","password":"`+other+`","nonsense":"`+testPassword+`"}`)
		w := visitor{}.call(a, "POST", "/api/v1/session", `{"login":"wang","password":"`+testPassword+`"}`)
		for _, c := range w.Result().Cookies() {
			v := visitor{headers: []string{"Cookie", c.Name + "=" + c.Value, csrfHeader, auth.CSRFToken(c.Value)}}
			secrets = append(secrets, c.Value)
			v.call(a, "PUT", "/api/v1/session/password", `{"old":"`+testPassword+`","new":"`+other+`"}`)
		}
		visitor{}.call(a, "POST", "/api/v1/session", `{"login":"wang","password":"`+other+`!"}`)
		for _, kind := range []string{"devices", "links"} {
			var made struct{ Secret string }
			if w := root.call(a, "POST", "/api/v1/"+kind, `{"name":"x"}`); json.Unmarshal(w.Body.Bytes(), &made) == nil && made.Secret != "" {
				secrets = append(secrets, made.Secret)
			}
		}
		device.call(a, "GET", "/api/v1/streets", "")
		link.call(a, "GET", "/api/v1/streets", "")
		call(a, "GET", "/share/"+link.secret, "")
		call(a, "GET", "/streets/"+link.secret, "")
		call(a, "GET", "/?key="+link.secret, "")
		root.call(a, "DELETE", "/api/v1/devices/"+device.secret, "")
		root.call(a, "GET", "/api/v1/audit", "")
	}
	flows()
	audit := root.call(a, "GET", "/api/v1/audit?limit=1000", "").Body.String()
	if !strings.Contains(audit, "session.open") || !strings.Contains(audit, "link.issue") {
		t.Fatalf("the audit chain lacks what was done: %s", audit)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2100 * time.Millisecond) // tokens are remembered for two seconds
	before := log.Len()
	flows()
	if log.Len() == before {
		t.Fatal("nothing was logged without a database; the test looks at nothing")
	}
	for _, secret := range secrets {
		for where, text := range map[string]string{"log": log.String(), "audit chain": audit} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s has the secret %.8s…", where, secret)
			}
		}
	}
	if strings.Contains(log.String()+audit, "argon2id") {
		t.Error("a password hash was written down")
	}
}
