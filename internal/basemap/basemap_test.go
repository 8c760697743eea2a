package basemap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lianqin/internal/fault"
)

// png is as much of one as its type is told by.
var png = append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 60)...)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	header := make([]byte, 127)
	copy(header, "PMTiles\x03")
	header[99] = 2
	write("ok.pmtiles", header)
	vector := bytes.Clone(header)
	vector[99] = 1
	write("vector.pmtiles", vector)
	write("short.pmtiles", header[:20])
	write("key", []byte(" s/cret\n"))
	write("empty", nil)

	good := `{"crs":"gcj02","attribution":"©","layers":[{"kind":"wmts","url":"https://t{s}.example/vec?L={TileMatrix}&R={TileRow}&C={TileCol}&tk={key}","subdomains":["0","1"],"key_file":"key"},{"kind":"pmtiles","url":"ok.pmtiles"}]}`
	s, err := Read(strings.NewReader(good), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Layers[0].address(10, 856, 418), "https://t0.example/vec?L=10&R=418&C=856&tk=s%2Fcret"; got != want {
		t.Errorf("address = %s, want %s", got, want)
	}
	l := Layer{URL: "http://a/{z}/{x}/{-y}"}
	if got, want := l.address(3, 1, 2), "http://a/3/1/5"; got != want {
		t.Errorf("rows from the south: %s, want %s", got, want)
	}

	layer := func(s string) string { return `{"layers":[{` + s + `}]}` }
	for name, c := range map[string]struct{ text, field string }{
		"none":             {``, "basemap"},
		"two":              {good + good, "basemap"},
		"an unknown field": {`{"layer":[]}`, "basemap"},
		"no layers":        {`{"layers":[]}`, "layers"},
		"bd09":             {`{"crs":"bd09","layers":[]}`, "crs"},
		"no kind":          {layer(`"url":"http://a/{z}/{x}/{y}"`), "kind"},
		"a file's address": {layer(`"kind":"xyz","url":"file:///{z}/{x}/{y}"`), "url"},
		"no {y}":           {layer(`"kind":"xyz","url":"http://a/{z}/{x}"`), "url"},
		"no key":           {layer(`"kind":"xyz","url":"http://a/{z}/{x}/{y}?k={key}"`), "url"},
		"an empty key":     {layer(`"kind":"xyz","url":"http://a/{z}/{x}/{y}?k={key}","key_file":"empty"`), "key_file"},
		"zooms":            {layer(`"kind":"xyz","url":"http://a/{z}/{x}/{y}","minzoom":9,"maxzoom":8`), "maxzoom"},
		"size":             {layer(`"kind":"xyz","url":"http://a/{z}/{x}/{y}","tile_size":300`), "tile_size"},
		"opacity":          {layer(`"kind":"xyz","url":"http://a/{z}/{x}/{y}","opacity":2`), "opacity"},
		"dark":             {layer(`"kind":"xyz","url":"http://a/{z}/{x}/{y}","dark":"very"`), "dark"},
		"no file":          {layer(`"kind":"pmtiles","url":"none"`), "url"},
		"not PMTiles":      {layer(`"kind":"pmtiles","url":"key"`), "url"},
		"a short file":     {layer(`"kind":"pmtiles","url":"short.pmtiles"`), "url"},
		"vector tiles":     {layer(`"kind":"pmtiles","url":"vector.pmtiles"`), "url"},
	} {
		if _, err := Read(strings.NewReader(c.text), dir); fault.KindOf(err) != fault.Invalid || err == nil || fault.FieldOf(err) != c.field {
			t.Errorf("%s: %v, want Invalid %s", name, err, c.field)
		}
	}
}

// service is a tile service that counts what it is asked.
type service struct {
	*httptest.Server
	asked atomic.Int64
	wait  chan struct{} // nil answers at once
}

func newService(t *testing.T) *service {
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if s.wait != nil {
			<-s.wait
		}
		switch r.URL.Path {
		case "/5/1/1":
			_, _ = w.Write(png)
		case "/5/2/2":
			w.WriteHeader(http.StatusForbidden)
		case "/5/3/3":
			_, _ = io.WriteString(w, "<html>quota</html>")
		case "/5/4/4":
			_, _ = w.Write(append(bytes.Clone(png), make([]byte, maxTile)...))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) source() *Source {
	return NewSource(&Setting{Layers: []Layer{{Kind: XYZ, URL: s.URL + "/{z}/{x}/{y}?k={key}", MaxZoom: 18, key: "secret"}, {Kind: PMTiles}}}, s.Client())
}

func TestTile(t *testing.T) {
	up := newService(t)
	s := up.source()
	for range 3 {
		got, err := s.Tile(t.Context(), 0, 5, 1, 1)
		if err != nil || got.Type != "image/png" || !bytes.Equal(got.Body, png) {
			t.Fatalf("tile = %v, %v", got, err)
		}
		if got, err := s.Tile(t.Context(), 0, 5, 9, 9); err != nil || len(got.Body) != 0 {
			t.Fatalf("a tile that is not there = %v, %v", got, err)
		}
	}
	if n := up.asked.Load(); n != 2 {
		t.Errorf("the service was asked %d times for two tiles", n)
	}
	for _, x := range []int{2, 3, 4} {
		_, err := s.Tile(t.Context(), 0, 5, x, x)
		if fault.KindOf(err) != fault.Unavailable || err == nil {
			t.Errorf("tile %d: %v, want Unavailable", x, err)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), up.URL) {
			t.Errorf("tile %d: %q tells the key or the address", x, err)
		}
	}
	for name, at := range map[string][4]int{"layer": {2, 5, 1, 1}, "a file's layer": {1, 5, 1, 1}, "zoom": {0, 19, 1, 1}, "column": {0, 5, 32, 1}, "row": {0, 5, 1, -1}} {
		if _, err := s.Tile(t.Context(), at[0], at[1], at[2], at[3]); fault.KindOf(err) != fault.NotFound || err == nil {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	up.Close()
	if _, err := s.Tile(t.Context(), 0, 5, 7, 7); fault.KindOf(err) != fault.Unavailable || err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("no service: %v, want Unavailable", err)
	}
}

// TestTileIsFetchedOnce has many ask while it is under way, the first of whom
// leaves.
func TestTileIsFetchedOnce(t *testing.T) {
	up := newService(t)
	up.wait = make(chan struct{})
	s := up.source()
	leaving, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.Tile(leaving, 0, 5, 1, 1)
		left <- err
	}()
	for up.asked.Load() == 0 { // until the first request is at the service
		if leaving.Err() != nil {
			t.Fatal(leaving.Err())
		}
	}
	var all sync.WaitGroup
	failed := make(chan error, 20)
	for range cap(failed) {
		all.Go(func() {
			if got, err := s.Tile(t.Context(), 0, 5, 1, 1); err != nil || len(got.Body) == 0 {
				failed <- errors.Join(errors.New("no tile"), err)
			}
		})
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	close(up.wait)
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if n := up.asked.Load(); n != 1 {
		t.Errorf("the service was asked %d times", n)
	}
}
