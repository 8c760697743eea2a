package httpapi

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/evidence"
	"lianqin/internal/evidence/evidencetest"
	"lianqin/internal/grid"
	"lianqin/internal/store"
)

func testShelf(t testing.TB, s *store.Store, now func() time.Time) *evidence.Shelf {
	t.Helper()
	folder, err := evidence.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return evidence.NewShelf(s.Evidence(), folder, grid.Zone, now)
}

// form is a multipart body of one part, and its media type.
func form(t testing.TB, field, fileName string, data []byte) (body, mediaType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile(field, fileName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

func send(t testing.TB, a http.Handler, v visitor, data []byte) *httptest.ResponseRecorder {
	t.Helper()
	body, mediaType := form(t, "file", "x.exe", data)
	return v.call(a, "POST", "/api/v1/files", body, "Content-Type", mediaType)
}

// photo sends one and returns its name.
func (town *caseTown) photo(t testing.TB, v visitor) string {
	t.Helper()
	return decode[fileAnswer](t, send(t, town, v, evidencetest.JPEG(40, 30)), 201).Name
}

// TestAPhotoOverHTTP: sent, named by a case, looked at by those who may.
func TestAPhotoOverHTTP(t *testing.T) {
	town := newCaseTown(t)
	photo := evidencetest.Phone(640, 480, evidencetest.Tags{Orientation: 6, Lon: 121.2473, Lat: 31.3831, Taken: "2026:03:01 10:20:30", Offset: "+08:00"})
	w := send(t, town, town.device, photo)
	sent := decode[fileAnswer](t, w, 201)
	if sent.Type != evidence.JPEG || sent.Width != 480 || sent.Height != 640 || sent.Size >= int64(len(photo)) || !strings.HasSuffix(sent.Name, ".jpg") || len(sent.Name) != 30 ||
		sent.Position == nil || fmt.Sprintf("%.4f %.4f", sent.Position.Lon, sent.Position.Lat) != "121.2473 31.3831" || sent.Taken == nil || sent.Taken.Format(time.RFC3339) != "2026-03-01T10:20:30+08:00" {
		t.Fatal(w.Body)
	}
	opened := town.device.call(town, "POST", "/api/v1/cases", `{"item":"0701","text":"占道","position":`+at(0, 0)+`,"evidence":["`+sent.Name+`"]}`)
	c := decode[caseAnswer](t, opened, 201)
	path := fmt.Sprintf("/api/v1/cases/%d/files/", c.Case.ID)
	for _, v := range []visitor{town.one, town.district, town.device, town.inspector} {
		w := v.call(town, "GET", path+sent.Name, "")
		h := w.Header()
		if w.Code != 200 || int64(w.Body.Len()) != sent.Size || bytes.Contains(w.Body.Bytes(), []byte(evidencetest.Secret)) || h.Get("Content-Type") != "image/jpeg" ||
			h.Get("Content-Disposition") != `inline; filename="`+sent.Name+`"` || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasSuffix(h.Get("Content-Security-Policy"), "sandbox") ||
			!strings.Contains(h.Get("Cache-Control"), "private") || h.Get("Vary") == "" {
			t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), h)
		}
	}
	wantProblem(t, town.two.call(town, "GET", path+sent.Name, ""), 404)
	wantProblem(t, town.team.call(town, "GET", path+sent.Name, ""), 404)
	wantProblem(t, town.admin.call(town, "GET", path+sent.Name, ""), 403)
	wantProblem(t, visitor{}.call(town, "GET", path+sent.Name, ""), 401)

	small := town.one.call(town, "GET", path+sent.Name+"?size=thumb", "")
	m, err := jpeg.Decode(small.Body)
	if err != nil || m.Bounds().Dx() != 240 || m.Bounds().Dy() != 320 {
		t.Fatalf("small: %v, %v", err, small.Header())
	}
	if r, g, _, _ := m.At(200, 40).RGBA(); r < 0x8000 || g > 0x6000 { // its left upper corner is the right upper one
		t.Errorf("small: not turned, %x %x", r, g)
	}
	whole := town.one.call(town, "GET", path+sent.Name, "")
	tag := whole.Header().Get("ETag")
	if w := town.one.call(town, "GET", path+sent.Name, "", "If-None-Match", tag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("not modified: %d", w.Code)
	}
	if w := town.one.call(town, "GET", path+sent.Name+"?size=thumb", "", "If-None-Match", tag); w.Code != 200 {
		t.Errorf("the small one by the tag of the large: %d", w.Code)
	}
	part := town.one.call(town, "GET", path+sent.Name, "", "Range", "bytes=2-5")
	if part.Code != 206 || part.Body.String() != whole.Body.String()[2:6] || part.Header().Get("Content-Range") != fmt.Sprintf("bytes 2-5/%d", sent.Size) {
		t.Errorf("a range: %d %v", part.Code, part.Header())
	}
	if w := town.one.call(town, "HEAD", path+sent.Name, ""); w.Code != 200 || w.Header().Get("Content-Length") != strconv.FormatInt(sent.Size, 10) {
		t.Errorf("HEAD: %d %v", w.Code, w.Header())
	}

	// Another case may neither claim nor show it; it shows nothing else.
	other := town.report(t, town.device, 1, 0)
	if p := wantProblem(t, town.act(town.one, other, "note", `,"text":"x","evidence":["`+sent.Name+`"]`).ResponseRecorder, 400); p.Parameter != "evidence" || !strings.Contains(p.Detail, sent.Name) {
		t.Errorf("claimed twice: %+v", p)
	}
	wantProblem(t, town.one.call(town, "GET", fmt.Sprintf("/api/v1/cases/%d/files/%s", other.Case.ID, sent.Name), ""), 404)
	for _, name := range []string{"none.jpg", "..", "%2e%2e%2fx", town.photo(t, town.one), strings.Replace(sent.Name, ".", ".thumb.", 1), strings.ToUpper(sent.Name)} {
		wantProblem(t, town.one.call(town, "GET", path+name, ""), 404)
	}
	if p := wantProblem(t, town.one.call(town, "GET", path+sent.Name+"?size=huge", ""), 400); p.Parameter != "size" {
		t.Errorf("%+v", p)
	}
}

// TestFilesOfImportedCases: what is shared is shown, another case's is not,
// whatever the history names.
func TestFilesOfImportedCases(t *testing.T) {
	town := newCaseTown(t)
	if err := town.cfg.Files.Place(t.Context(), "shown.jpg", evidencetest.JPEG(30, 20)); err != nil {
		t.Fatal(err)
	}
	c := town.report(t, town.device, 5, 0) // in the second street
	whole := decode[struct {
		Case struct{ Evidence []string }
	}](t, town.page(town.two, c.Case.ID).ResponseRecorder, 200)
	own := whole.Case.Evidence[0]
	another := town.report(t, town.device, 0, 0)
	line := town.handedOver(t, another.Case.ID)
	first := decode[struct {
		Case struct{ Evidence []string }
	}](t, town.page(town.one, another.Case.ID).ResponseRecorder, 200).Case.Evidence[0]
	for number, name := range map[string]string{"a": own, "b": "shown.jpg"} {
		history := bytes.ReplaceAll(line, []byte(first), []byte(name))
		history = bytes.Replace(history, fmt.Appendf(nil, `"number":"%d"`, another.Case.ID), fmt.Appendf(nil, `"number":%q`, number), 1)
		if got := decode[importedAnswer](t, importHistories(town.API, town.admin, "", history), 200); got.Added != 1 {
			t.Fatalf("%+v", got)
		}
	}
	shown := 0
	for id := another.Case.ID + 1; id <= another.Case.ID+2; id++ {
		wantProblem(t, town.one.call(town, "GET", fmt.Sprintf("/api/v1/cases/%d/files/%s", id, own), ""), 404)
		if w := town.one.call(town, "GET", fmt.Sprintf("/api/v1/cases/%d/files/shown.jpg", id), ""); w.Code == 200 {
			shown++
		}
	}
	if shown != 1 {
		t.Errorf("what is shared is shown by %d cases", shown)
	}
}

func TestFilesRefused(t *testing.T) {
	town := newCaseTown(t)
	photo := evidencetest.JPEG(40, 30)
	for name, data := range map[string][]byte{
		"nothing": nil, "HTML": []byte("<html><script>alert(1)</script>"), "SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"HTML that begins like a JPEG": []byte("\xff\xd8\xff\xe0<html><script>alert(1)</script>"), "a program": []byte("MZ\x90\x00"), "half a photo": photo[:len(photo)/2],
		"HEIC": []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), "a zip": []byte("PK\x03\x04"), "a PDF cut short": []byte("%PDF-1.7\n1 0 obj"),
		"a photo before it": append([]byte("GIF89a"), photo...),
	} {
		if p := wantProblem(t, send(t, town, town.one, data), 400); p.Parameter != "file" || p.Detail == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p := wantProblem(t, send(t, town, town.one, []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")), 400); !strings.Contains(p.Detail, "HEIC") || !strings.Contains(p.Detail, "JPEG") {
		t.Errorf("%+v", p)
	}
	large := append(slices.Clone(photo), make([]byte, 12<<20)...)
	if p := wantProblem(t, send(t, town, town.one, large), 400); p.Parameter != "file" || !strings.Contains(p.Detail, "12 MB") {
		t.Errorf("%+v", p)
	}
	wantProblem(t, send(t, town, town.one, append([]byte("%PDF-1.7\n"), make([]byte, 20<<20)...)), 413)
	wantProblem(t, send(t, town, town.one, append([]byte("%PDF-1.7\n"), make([]byte, 30<<20)...)), 413)

	wrong, mediaType := form(t, "photo", "a.jpg", photo)
	if p := wantProblem(t, town.one.call(town, "POST", "/api/v1/files", wrong, "Content-Type", mediaType), 400); !strings.Contains(p.Detail, "photo") {
		t.Errorf("%+v", p)
	}
	right, mediaType := form(t, "file", "a.jpg", photo)
	wantProblem(t, town.one.call(town, "POST", "/api/v1/files", right, "Content-Type", "image/jpeg"), 415)
	wantProblem(t, town.one.call(town, "POST", "/api/v1/files", right, "Content-Type", "multipart/form-data"), 415)
	wantProblem(t, town.one.call(town, "POST", "/api/v1/files", right[:len(right)-30], "Content-Type", mediaType), 400)
	_, boundary, _ := strings.Cut(mediaType, "boundary=")
	two := strings.TrimSuffix(right, "--"+boundary+"--\r\n") + "--" + boundary + "\r\nContent-Disposition: form-data; name=\"more\"\r\n\r\nx\r\n--" + boundary + "--\r\n"
	if p := wantProblem(t, town.one.call(town, "POST", "/api/v1/files", two, "Content-Type", mediaType), 400); !strings.Contains(p.Detail, "more") {
		t.Errorf("%+v", p)
	}
	wantProblem(t, send(t, town, town.admin, photo), 403)
	without := visitor{town.one.headers[:2], town.one.secret}
	wantProblem(t, send(t, town, without, photo), 403)
	none := closedAPI(t, Config{}, nil)
	none.cfg.Files = nil
	wantProblem(t, send(t, none, visitor{}, photo), 503)
}

// TestPublicFiles: nobody needs to sign in to send, at a rate of its own.
func TestPublicFiles(t *testing.T) {
	clock := clockAt(testNow)
	a := closedAPI(t, Config{Now: clock.now, Limits: Limits{PublicFileRate: 0.1, PublicFileBurst: 3}}, lattice(t, 4, 2))
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	addAccount(t, a, "one", auth.StreetOperator, streetOne)
	photo := evidencetest.JPEG(40, 30)
	for range 3 {
		decode[fileAnswer](t, send(t, a, visitor{}, photo), 201)
	}
	w := send(t, a, visitor{}, photo)
	if wantProblem(t, w, 429); w.Header().Get("Retry-After") != "10" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	decode[fileAnswer](t, send(t, a, signedIn(t, a, "one"), photo), 201)
	clock.set(clock.now().Add(10 * time.Second))
	decode[fileAnswer](t, send(t, a, visitor{}, photo), 201)
}

// TestSlowUploads: those who never finish hold up neither the staff nor, for
// long, the public.
func TestSlowUploads(t *testing.T) {
	a := closedAPI(t, Config{Limits: Limits{Upload: 700 * time.Millisecond, PublicFileRate: -1}}, lattice(t, 4, 2))
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	addAccount(t, a, "one", auth.StreetOperator, streetOne)
	server := httptest.NewServer(a)
	defer server.Close()
	photo := evidencetest.JPEG(40, 30)
	body, mediaType := form(t, "file", "a.jpg", photo)
	var slow []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "POST /api/v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", mediaType, len(body), body[:200]); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	for until := time.Now().Add(10 * time.Second); ; {
		a.uploads.public.under.mu.Lock()
		open := a.uploads.public.under.open
		a.uploads.public.under.mu.Unlock()
		if open == 3 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%d uploads are under way", open)
		}
		time.Sleep(time.Millisecond)
	}
	post := func(v visitor) int {
		r, err := http.NewRequest("POST", server.URL+"/api/v1/files", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", mediaType)
		for i := 0; i+1 < len(v.headers); i += 2 {
			r.Header.Set(v.headers[i], v.headers[i+1])
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := post(visitor{}); got != 429 {
		t.Errorf("a fourth from the address: %d", got)
	}
	if got := post(signedIn(t, a, "one")); got != 201 {
		t.Errorf("the staff: %d", got)
	}
	for _, c := range slow {
		answer, err := io.ReadAll(c)
		if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 408")) {
			t.Errorf("a slow one is told %.40q, %v", answer, err)
		}
	}
	if got := post(visitor{}); got != 201 {
		t.Errorf("after them: %d", got)
	}
	if held := a.uploads.public.bytes.held.Load(); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
}
