package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lianqin/internal/locate"
)

// tileFeature is a decoded feature: rings and lines as the tile has them.
type tileFeature struct {
	id    uint64
	kind  geomType
	tags  map[string]any
	parts [][]tilePoint
}

// decodeTile reads a tile by the specification, apart from the encoder.
func decodeTile(t *testing.T, b []byte) map[string][]tileFeature {
	t.Helper()
	out := make(map[string][]tileFeature)
	eachField(t, b, func(field int, _ uint64, layer []byte) {
		if field != 3 {
			t.Fatalf("tile has field %d", field)
		}
		var name string
		var keys []string
		var values []any
		var features [][]byte
		version, extent := uint64(0), uint64(0)
		eachField(t, layer, func(field int, v uint64, b []byte) {
			switch field {
			case 1:
				name = string(b)
			case 2:
				features = append(features, b)
			case 3:
				keys = append(keys, string(b))
			case 4:
				eachField(t, b, func(field int, v uint64, b []byte) {
					switch field {
					case 1:
						values = append(values, string(b))
					case 3:
						values = append(values, math.Float64frombits(v))
					default:
						values = append(values, v)
					}
				})
			case 5:
				extent = v
			case 15:
				version = v
			}
		})
		if version != 2 || extent != tileExtent {
			t.Fatalf("layer %s: version %d, extent %d", name, version, extent)
		}
		for _, f := range features {
			out[name] = append(out[name], decodeFeature(t, f, keys, values))
		}
	})
	return out
}

func eachField(t *testing.T, b []byte, f func(field int, v uint64, b []byte)) {
	t.Helper()
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		b = b[n:]
		if tag&7 == 1 {
			f(int(tag>>3), binary.LittleEndian.Uint64(b), nil)
			b = b[8:]
			continue
		}
		v, n := binary.Uvarint(b)
		b = b[n:]
		switch tag & 7 {
		case 0:
			f(int(tag>>3), v, nil)
		case 2:
			f(int(tag>>3), 0, b[:v])
			b = b[v:]
		default:
			t.Fatalf("wire type %d", tag&7)
		}
	}
}

func decodeFeature(t *testing.T, b []byte, keys []string, values []any) tileFeature {
	f := tileFeature{tags: make(map[string]any)}
	numbers := func(b []byte) (out []uint64) {
		for len(b) > 0 {
			v, n := binary.Uvarint(b)
			out, b = append(out, v), b[n:]
		}
		return out
	}
	eachField(t, b, func(field int, v uint64, b []byte) {
		switch field {
		case 1:
			f.id = v
		case 2:
			for pair := range slices.Chunk(numbers(b), 2) {
				f.tags[keys[pair[0]]] = values[pair[1]]
			}
		case 3:
			f.kind = geomType(v)
		case 4:
			var at tilePoint
			geometry := numbers(b)
			for len(geometry) > 0 {
				command, count := geometry[0]&7, geometry[0]>>3
				geometry = geometry[1:]
				for range count {
					if command == 7 {
						continue
					}
					at.X += int32(geometry[0]>>1) ^ -int32(geometry[0]&1)
					at.Y += int32(geometry[1]>>1) ^ -int32(geometry[1]&1)
					geometry = geometry[2:]
					if command == 1 {
						f.parts = append(f.parts, nil)
					}
					f.parts[len(f.parts)-1] = append(f.parts[len(f.parts)-1], at)
				}
			}
		}
	})
	return f
}

// TestTilesShareBorders holds, at every zoom, that in a tile each edge of a
// grid is met by exactly one neighbour's or lies on the district's outline,
// and that names appear once in all tiles of a zoom.
func TestTilesShareBorders(t *testing.T) {
	gen := lattice(t, 8, 12)
	d := newDistrict(locate.New(gen), 64<<20)
	defer d.tiles.close()
	for z := 8; z <= 15; z++ {
		names := make(map[string]int)
		level := d.tiles.levels[z]()
		minX, minY, maxX, maxY := level.tileRange()
		if (maxX-minX)*(maxY-minY) > 100 {
			minX, minY = maxX-9, maxY-9
		}
		for x := minX; x <= maxX; x++ {
			for y := minY; y <= maxY; y++ {
				doc := d.tiles.tile(z, x, y)
				if doc == nil {
					continue
				}
				layers := decodeTile(t, doc.plain.body)
				checkEdges(t, fmt.Sprintf("%d/%d/%d", z, x, y), layers)
				for _, f := range layers["labels"] {
					names[fmt.Sprint(f.tags["kind"], f.tags["code"])]++
				}
			}
		}
		for name, n := range names {
			if n != 1 {
				t.Errorf("z%d: %s is named %d times", z, name, n)
			}
		}
		if z >= gridLabelZoom && z < 13 && len(names) != len(gen.Grids())+len(gen.Streets()) {
			t.Errorf("z%d: %d names, want %d", z, len(names), len(gen.Grids())+len(gen.Streets()))
		}
	}
}

func checkEdges(t *testing.T, tile string, layers map[string][]tileFeature) {
	t.Helper()
	type edge [2]tilePoint
	inside := func(p tilePoint) bool {
		return p.X > -tileBuffer && p.X < tileExtent+tileBuffer && p.Y > -tileBuffer && p.Y < tileExtent+tileBuffer
	}
	open := make(map[edge]bool)
	for _, f := range layers["grids"] {
		if f.kind != polygonGeom || f.id == 0 || f.tags["id"] != f.id || f.tags["name"] == "" {
			t.Fatalf("%s: feature %+v", tile, f.tags)
		}
		if doubleTileArea(f.parts[0]) <= 0 {
			t.Fatalf("%s: grid %d begins with a hole", tile, f.id)
		}
		for _, ring := range f.parts {
			for i, p := range ring {
				q := ring[(i+1)%len(ring)]
				if p == q {
					t.Fatalf("%s: grid %d repeats %v", tile, f.id, p)
				}
				if open[edge{q, p}] {
					delete(open, edge{q, p})
				} else {
					open[edge{p, q}] = true
				}
			}
		}
	}
	outline := make(map[edge]bool)
	for _, f := range layers["borders"] {
		for _, line := range f.parts {
			for i := 1; i < len(line); i++ {
				if f.tags["level"] == "district" {
					outline[edge{line[i-1], line[i]}], outline[edge{line[i], line[i-1]}] = true, true
				}
			}
		}
	}
	for e := range open {
		if inside(e[0]) && inside(e[1]) && !outline[e] {
			t.Errorf("%s: the edge %v has a grid on one side only", tile, e)
		}
	}
}

// TestExactAtTheLastZoom finds every vertex of a grid in its tiles of z16.
func TestExactAtTheLastZoom(t *testing.T) {
	gen := lattice(t, 3, 4)
	d := newDistrict(locate.New(gen), 64<<20)
	defer d.tiles.close()
	for _, p := range gen.Polygon(gen.Grids()[3].ID)[0][0] {
		x, y := mercator(p)
		const size = tileExtent << maxTileZoom
		unit := tilePoint{int32(x*size + 0.5), int32(y*size + 0.5)}
		doc := d.tiles.tile(maxTileZoom, int(unit.X)/tileExtent, int(unit.Y)/tileExtent)
		found := false
		for _, f := range decodeTile(t, doc.plain.body)["grids"] {
			for _, ring := range f.parts {
				found = found || f.id == uint64(gen.Grids()[3].ID) && slices.Contains(ring, tilePoint{unit.X % tileExtent, unit.Y % tileExtent})
			}
		}
		if !found {
			t.Errorf("vertex %v is not in its tile", p)
		}
	}
}

func TestTileAddresses(t *testing.T) {
	gen := lattice(t, 4, 4)
	a := newAPI(t, Config{}, gen)
	x, y := mercator(gen.Grids()[5].Label)
	at := fmt.Sprintf("/tiles/grids/12/%d/%d.mvt", int(x*4096), int(y*4096))
	for _, tt := range []struct {
		path   string
		status int
	}{
		{at, 200}, {"/tiles/grids/0/0/0.mvt", 200}, {"/tiles/grids/16/0/0.mvt", 204}, {"/tiles/grids/16/65535/65535.mvt", 204},
		{"/tiles/grids/17/0/0.mvt", 404}, {"/tiles/grids/0/1/0.mvt", 404}, {"/tiles/grids/0/0/1.mvt", 404}, {"/tiles/grids/-1/0/0.mvt", 404},
		{"/tiles/grids/01/0/0.mvt", 404}, {"/tiles/grids/z/0/0.mvt", 404}, {"/tiles/grids/0/0/0.png", 404}, {"/tiles/grids/0/0/0", 404},
		{"/tiles/grids/99999999999999999999/0/0.mvt", 404}, {at + "?w=1", 400},
	} {
		if w := call(a, "GET", tt.path, ""); w.Code != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.path, w.Code, w.Body, tt.status)
		}
	}
	plain := call(a, "GET", at, "")
	zipped := call(a, "GET", at, "", "Accept-Encoding", "gzip, deflate")
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
		t.Errorf("gzip and plain differ: %v", err)
	}
	if plain.Header().Get("Content-Type") != mvtType || plain.Header().Get("Vary") != "Accept-Encoding" || plain.Header().Get("ETag") == zipped.Header().Get("ETag") {
		t.Errorf("headers %v and %v", plain.Header(), zipped.Header())
	}
	if w := call(a, "GET", at, "", "If-None-Match", zipped.Header().Get("ETag")); w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("unchanged: %d", w.Code)
	}
	if w := call(a, "GET", at+"?v="+gen.Hash()[:12], ""); !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("with the hash: %v", w.Header())
	}
	if w := call(a, "GET", at+"?v=0123456789ab", ""); w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("with another hash: %v", w.Header())
	}
}

// TestTileCacheIsBounded asks for more than fits.
func TestTileCacheIsBounded(t *testing.T) {
	const limit = 20_000
	d := newDistrict(locate.New(lattice(t, 6, 8)), limit)
	defer d.tiles.close()
	<-d.tiles.warm(limit).done
	minX, minY, maxX, maxY := d.tiles.levels[15]().tileRange()
	for x := minX; x <= maxX; x++ {
		for y := minY; y <= maxY; y++ {
			first := d.tiles.tile(15, x, y)
			if second := d.tiles.tile(15, x, y); (first == nil) != (second == nil) || first != nil && !bytes.Equal(first.plain.body, second.plain.body) {
				t.Fatalf("tile %d/%d changes", x, y)
			}
			if held := d.tiles.held.Load(); held > limit {
				t.Fatalf("%d bytes held of %d", held, limit)
			}
		}
	}
}

// ogr runs ogrinfo, which CI must have.
func ogr(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ogrinfo"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ogrinfo is missing: install gdal-bin")
		}
		t.Skip("ogrinfo is not installed; apt-get install gdal-bin")
	}
	out, err := exec.Command("ogrinfo", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ogrinfo %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	for _, word := range []string{"ERROR", "Warning"} {
		if strings.Contains(string(out), word) {
			t.Errorf("ogrinfo %s: %s", strings.Join(args, " "), out)
		}
	}
	return string(out)
}

// TestGDALReadsTiles has GDAL read a tile that nobody here decoded.
func TestGDALReadsTiles(t *testing.T) {
	gen := lattice(t, 6, 8)
	a := newAPI(t, Config{}, gen)
	g, _ := gen.GridByCode("310114001A0202")
	x, y := mercator(g.Label)
	w := call(a, "GET", fmt.Sprintf("/tiles/grids/11/%d/%d.mvt", int(x*2048), int(y*2048)), "")
	dir := filepath.Join(t.TempDir(), "11", fmt.Sprint(int(x*2048)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprintf("%d.mvt", int(y*2048)))
	if err := os.WriteFile(file, w.Body.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out := ogr(t, "-ro", "-al", "MVT:"+file)
	for _, want := range []string{"Layer name: grids", "Layer name: borders", "Layer name: labels", "code (String) = " + g.Code, "name (String) = " + g.Name, "level (String) = street"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in what GDAL read:\n%s", want, out)
		}
	}
	in := ogr(t, "-ro", "MVT:"+file, "-sql", "SELECT code FROM grids WHERE ST_IsValid(geometry) = 0", "-dialect", "SQLite")
	if strings.Contains(in, "OGRFeature") {
		t.Errorf("GDAL finds invalid polygons:\n%s", in)
	}
}

func FuzzClipRing(f *testing.F) {
	f.Add([]byte{0, 0, 10, 0, 10, 10, 0, 10})
	f.Add([]byte{100, 100, 200, 100, 150, 200})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var ring []tilePoint
		for p := range slices.Chunk(raw, 2) {
			if len(p) == 2 {
				ring = append(ring, tilePoint{int32(p[0]) - 128, int32(p[1]) - 128})
			}
		}
		if len(ring) == 0 {
			return
		}
		box := tileBox{-50, -50, 50, 50}
		if out := clipRing(slices.Clone(ring), box); len(out) > 0 && !boxOf(out).within(box) {
			t.Fatalf("%v clipped is %v", ring, out)
		}
		clipLine(ring, box, func(piece []tilePoint) {
			if len(piece) < 2 || !boxOf(piece).within(box) {
				t.Fatalf("%v clipped has %v", ring, piece)
			}
		})
	})
}

func TestSimplifyStaysWithin(t *testing.T) {
	var line []tilePoint
	for i := range int32(500) {
		line = append(line, tilePoint{i * 3, (i * i * 7) % 23})
	}
	for _, tolerance := range []float64{1, 4, 30} {
		got := simplify(slices.Clone(line), tolerance)
		if got[0] != line[0] || got[len(got)-1] != line[len(line)-1] {
			t.Errorf("tolerance %v: the ends moved", tolerance)
		}
		for _, p := range line {
			best := 1e18
			for i := 1; i < len(got); i++ {
				best = min(best, squareDistance(p, got[i-1], got[i]))
			}
			if best > tolerance*tolerance {
				t.Errorf("tolerance %v: %v is %v away", tolerance, p, best)
			}
		}
	}
}
