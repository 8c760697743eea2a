package httpapi

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"lianqin/internal/auth"
)

// provider is an OpenID Connect provider: discovery, keys, authorization and
// tokens, with RS256 and PKCE as the standards have them.
type provider struct {
	*httptest.Server
	key, signs *rsa.PrivateKey // signs is another key where a test forges
	subject    string
	change     func(claims map[string]any)

	mu    sync.Mutex
	codes map[string]url.Values // what each code was asked for with
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, signs: key, subject: "u-42", codes: make(map[string]url.Values), change: func(map[string]any) {}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["RS256"]}`,
			p.URL, p.URL+"/authorize", p.URL+"/token", p.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"k1","n":%q,"e":%q}]}`,
			base64url(key.N.Bytes()), base64url(big.NewInt(int64(key.E)).Bytes()))
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("response_type") != "code" || q.Get("client_id") != "lianqin" || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "openid" {
			http.Error(w, "invalid_request", http.StatusBadRequest)
			return
		}
		code := rand.Text()
		p.mu.Lock()
		p.codes[code] = q
		p.mu.Unlock()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	secret, _ = url.QueryUnescape(secret) // RFC 6749, 2.3.1
	p.mu.Lock()
	q, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	p.mu.Unlock()
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || id != "lianqin" || secret != "client secret" || base64url(challenge[:]) != q.Get("code_challenge") || r.FormValue("redirect_uri") != q.Get("redirect_uri") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.URL, "sub": p.subject, "aud": "lianqin", "nonce": q.Get("nonce"),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	p.change(claims)
	body, _ := json.Marshal(claims)
	signed := base64url([]byte(`{"alg":"RS256","kid":"k1"}`)) + "." + base64url(body)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.signs, crypto.SHA256, sum[:])
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"x","token_type":"Bearer","id_token":%q}`, signed+"."+base64url(signature))
}

// signIn takes a browser from /oidc/start through the provider and back, and
// returns what the callback answers. Tamper may change the way back.
func (p *provider) signIn(t *testing.T, a *API, tamper func(back *url.URL, cookie *http.Cookie)) *httptest.ResponseRecorder {
	t.Helper()
	return p.signInFrom(t, a, "/oidc/start", tamper)
}

func (p *provider) signInFrom(t *testing.T, a *API, start string, tamper func(back *url.URL, cookie *http.Cookie)) *httptest.ResponseRecorder {
	t.Helper()
	w := call(a, "GET", "http://lianqin.test"+start, "")
	if w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != attemptPath {
		t.Errorf("cookie %v", cookie)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatal(resp.Status, err)
	}
	if tamper != nil {
		tamper(back, cookie)
	}
	return call(a, "GET", back.String(), "", "Cookie", cookie.Name+"="+cookie.Value)
}

func hasSession(w *httptest.ResponseRecorder) bool {
	return strings.Contains(strings.Join(w.Header()["Set-Cookie"], ";"), sessionCookie)
}

func TestSingleSignOn(t *testing.T) {
	p := newProvider(t)
	config := auth.OIDCConfig{Name: "单点登录", Issuer: p.URL, ClientID: "lianqin", Secret: "client secret"}
	a := closedAPI(t, Config{Now: time.Now, OIDC: auth.NewOIDC(config)}, nil)
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	addAccount(t, a, "wang", auth.Viewer, auth.WholeDistrict)
	if w := call(a, "GET", "/api/v1/session", ""); !strings.Contains(w.Body.String(), `"oidc":{"name":"单点登录"}`) {
		t.Errorf("the session does not offer it: %s", w.Body)
	}
	if w := p.signInFrom(t, a, "/oidc/start?next=/admin/", nil); w.Code != 303 || w.Header().Get("Location") != "/login/?failed=unbound&next=%2Fadmin%2F" || hasSession(w) {
		t.Errorf("an identity without an account: %d %v", w.Code, w.Header())
	}
	if w := signedIn(t, a, "root").call(a, "GET", "/api/v1/audit?action=session.refuse", ""); !strings.Contains(w.Body.String(), p.URL+" u-42") {
		t.Errorf("the audit chain does not tell of it: %s", w.Body)
	}
	bound := `{"subject":"` + p.URL + ` u-42"}`
	if w := signedIn(t, a, "root").call(a, "PATCH", "/api/v1/accounts/wang", bound); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	w := p.signIn(t, a, nil)
	if w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Fatal(w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == sessionCookie {
			if w := call(a, "GET", "/api/v1/session", "", "Cookie", c.Name+"="+c.Value); !strings.Contains(w.Body.String(), `"login":"wang"`) {
				t.Errorf("signed in as %s", w.Body)
			}
		}
	}
	if w := p.signInFrom(t, a, "/oidc/start?next=%2Fadmin%2F%3Fx%3D1%23%2Faudit", nil); w.Code != 303 || w.Header().Get("Location") != "/admin/?x=1#/audit" {
		t.Errorf("with a path to come back to: %d %v", w.Code, w.Header())
	}
	elsewhere := func(_ *url.URL, c *http.Cookie) {
		c.Value = c.Value[:strings.LastIndexByte(c.Value, '.')+1] + base64url([]byte("//evil.test/"))
	}
	if w := p.signIn(t, a, elsewhere); w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Errorf("with another site in the cookie: %d %v", w.Code, w.Header())
	}
	for _, next := range []string{"", "admin", "//evil.test", "/\\evil.test", "\\/evil.test", "https://evil.test/", "javascript:alert(1)", "/\t/evil.test", "/ x",
		"/.//evil.test", "/a/..//evil.test", "/%2e%2e//evil.test", "/\r\nSet-Cookie: x=1", "/" + strings.Repeat("a", maxNext)} {
		w := call(a, "GET", "/oidc/start?next="+url.QueryEscape(next), "")
		if p := wantProblem(t, w, 400); p.Parameter != "next" {
			t.Errorf("next=%q: %+v", next, p)
		}
	}
	query := func(name, value string) func(*url.URL, *http.Cookie) {
		return func(back *url.URL, _ *http.Cookie) {
			q := back.Query()
			q.Set(name, value)
			back.RawQuery = q.Encode()
		}
	}
	part := func(i int) func(*url.URL, *http.Cookie) {
		return func(_ *url.URL, c *http.Cookie) {
			parts := strings.Split(c.Value, ".")
			parts[i] = strings.Repeat("A", len(parts[i]))
			c.Value = strings.Join(parts, ".")
		}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func() {
		return func() { p.change = func(c map[string]any) { c[name] = value } }
	}
	for _, tt := range []struct {
		name    string
		prepare func()
		tamper  func(*url.URL, *http.Cookie)
	}{
		{"another state", nil, query("state", "x")},
		{"another browser's state", nil, part(0)},
		{"another nonce", nil, part(1)},
		{"another verifier", nil, part(2)},
		{"an invented code", nil, query("code", "x")},
		{"a refusal", nil, query("error", "access_denied")},
		{"no attempt", nil, func(_ *url.URL, c *http.Cookie) { c.Name = "other" }},
		{"another audience", claim("aud", "others"), nil},
		{"another issuer", claim("iss", "https://evil.test"), nil},
		{"an old token", claim("exp", time.Now().Add(-time.Hour).Unix()), nil},
		{"another key", func() { p.signs = other }, nil},
	} {
		p.change, p.signs = func(map[string]any) {}, p.key
		if tt.prepare != nil {
			tt.prepare()
		}
		w := p.signIn(t, a, tt.tamper)
		if w.Code != 303 || w.Header().Get("Location") != "/login/?failed=refused" || hasSession(w) {
			t.Errorf("%s: %d %s %v", tt.name, w.Code, w.Body, w.Header())
		}
	}
	gone := auth.NewOIDC(auth.OIDCConfig{Issuer: "http://127.0.0.1:1", ClientID: "x"})
	if w := call(closedAPI(t, Config{OIDC: gone}, nil), "GET", "/oidc/start", ""); w.Code != 503 {
		t.Errorf("a provider that is down: %d", w.Code)
	}
}
