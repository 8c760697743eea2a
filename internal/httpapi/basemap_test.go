package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lianqin/internal/basemap"
	"lianqin/internal/geo"
)

// TestBaseMap serves a tile service and a file behind this one.
func TestBaseMap(t *testing.T) {
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 60)...)
	asked := 0
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		_, _ = w.Write(png)
	}))
	defer up.Close()
	dir := t.TempDir()
	archive := make([]byte, 300)
	copy(archive, "PMTiles\x03")
	archive[99] = 2
	if err := os.WriteFile(filepath.Join(dir, "base.pmtiles"), archive, 0o600); err != nil {
		t.Fatal(err)
	}
	setting, err := basemap.Read(strings.NewReader(`{"crs":"gcj02","attribution":"a map","layers":[{"kind":"xyz","url":"`+up.URL+`/{z}/{x}/{y}"},{"kind":"pmtiles","url":"base.pmtiles","dark":"dim"}]}`), dir)
	if err != nil {
		t.Fatal(err)
	}
	gen := lattice(t, 4, 2)
	a := newAPI(t, Config{BaseMap: basemap.NewSource(setting, nil)}, gen)
	var got struct {
		Datum       string
		Attribution string
		Layers      []baseLayer
	}
	w := call(a, "GET", "/api/v1/basemap", "")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Datum != "gcj02" || len(got.Layers) != 2 || strings.Contains(w.Body.String(), up.URL) {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}

	x, y := mercator(gen.Bound().Center())
	at := func(z int, dx int) string {
		size := math.Ldexp(1, z)
		return tileName(z, int(x*size)+dx, int(y*size))
	}
	for _, c := range []struct {
		target string
		rng    string
		status int
		body   []byte
	}{
		{"/tiles/base/0/" + at(12, 0), "", 200, png},
		{"/tiles/base/0/" + at(12, 100), "", 204, nil}, // far from the district
		{"/tiles/base/0/" + at(19, 0), "", 404, nil},
		{"/tiles/base/0/12/5/x", "", 404, nil},
		{"/tiles/base/1/" + at(12, 0), "", 404, nil}, // a file's tiles are in the file
		{"/tiles/base/2/" + at(12, 0), "", 404, nil},
		{"/tiles/base/1/archive", "bytes=0-7", 206, archive[:8]},
		{"/tiles/base/1/archive", "", 416, nil},
		{"/tiles/base/0/archive", "bytes=0-7", 404, nil},
		{"/tiles/base/1/archive?a=1", "bytes=0-7", 400, nil},
	} {
		w := call(a, "GET", c.target, "", "Range", c.rng)
		if w.Code != c.status || c.body != nil && !bytes.Equal(w.Body.Bytes(), c.body) {
			t.Errorf("%s: %d %.60q, want %d", c.target, w.Code, w.Body, c.status)
		}
	}
	if asked != 1 {
		t.Errorf("the service was asked %d times", asked)
	}
	if w := call(newAPI(t, Config{}, gen), "GET", "/api/v1/basemap", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"layers":[]`) {
		t.Errorf("without a base map: %d %s", w.Code, w.Body)
	}
}

// TestTilesForABaseMapInGCJ02 compares every label with its place, converted.
func TestTilesForABaseMapInGCJ02(t *testing.T) {
	gen := lattice(t, 4, 2)
	a := newAPI(t, Config{}, gen)
	x, y := mercator(geo.GCJ02.FromWGS84(gen.Grids()[0].Label))
	const z = 14
	size := math.Ldexp(tileExtent, z)
	target := "/tiles/grids/" + tileName(z, int(x*size)/tileExtent, int(y*size)/tileExtent) + ".mvt"
	shifted := call(a, "GET", target+"?datum=gcj02", "")
	want := tilePoint{int32(math.Floor(x*size)) % tileExtent, int32(math.Floor(y*size)) % tileExtent}
	found := false
	for _, f := range decodeTile(t, shifted.Body.Bytes())["labels"] {
		found = found || f.tags["code"] == gen.Grids()[0].Code && f.parts[0][0] == want
	}
	if !found {
		t.Errorf("the label of %s does not lie at %v", gen.Grids()[0].Code, want)
	}
	if plain := call(a, "GET", target, ""); bytes.Equal(plain.Body.Bytes(), shifted.Body.Bytes()) {
		t.Error("a tile is the same in both datums")
	}
	if w := call(a, "GET", target+"?datum=bd09", ""); w.Code != 400 {
		t.Errorf("bd09: %d", w.Code)
	}
}

func tileName(z, x, y int) string { return fmt.Sprintf("%d/%d/%d", z, x, y) }
