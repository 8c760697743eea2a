package geofile

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// zeros is n bytes of nothing.
type zeros struct{ left int64 }

func (z *zeros) Read(b []byte) (int, error) {
	if z.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), z.left)
	clear(b[:n])
	z.left -= n
	return int(n), nil
}

// claimed is a file with one four-byte count in it overwritten.
func claimed(b []byte, at int, order binary.ByteOrder, count uint32) []byte {
	b = bytes.Clone(b)
	order.PutUint32(b[at:], count)
	return b
}

// A header that claims a gigabyte is refused, naming the claim, and nothing of
// the kind is allocated.
func TestGigabyteClaims(t *testing.T) {
	const gigabyte = 1 << 30
	polygon := &File{Name: "x", Features: []Feature{{Geometry: orb.Polygon{rectangle(0, 0, 1, 1)}, Properties: Properties{{"a", int64(1)}}}}}
	p := parts(t, polygon)
	record := shapeHeaderBytes + recordHeader
	blob := func(at int, count uint32) []byte {
		return gpkgWith(t, claimed(gpkgBlob(t, polygon), at, binary.LittleEndian, count))
	}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"the .shp's length", zipParts(t, p, ".shp", claimed(p[".shp"], 24, binary.BigEndian, gigabyte/2)), fmt.Sprint(gigabyte)},
		{"a record's length", zipParts(t, p, ".shp", claimed(p[".shp"], shapeHeaderBytes+4, binary.BigEndian, gigabyte/2)), "record 1"},
		{"a polygon's rings", zipParts(t, p, ".shp", claimed(p[".shp"], record+36, binary.LittleEndian, gigabyte)), fmt.Sprint(gigabyte)},
		{"a polygon's points", zipParts(t, p, ".shp", claimed(p[".shp"], record+40, binary.LittleEndian, gigabyte)), fmt.Sprint(gigabyte)},
		{"a ring's start", zipParts(t, p, ".shp", claimed(p[".shp"], record+44, binary.LittleEndian, gigabyte)), "part 1"},
		{"the .dbf's records", zipParts(t, p, ".dbf", claimed(p[".dbf"], 4, binary.LittleEndian, gigabyte)), fmt.Sprint(gigabyte)},
		{"the .dbf's record width", zipParts(t, p, ".dbf", claimed(p[".dbf"], 8, binary.LittleEndian, 200<<16|97)), "200"},
		{"a WKB polygon's rings", blob(8+32+5, gigabyte), fmt.Sprint(gigabyte)},
		{"a WKB ring's points", blob(8+32+9, gigabyte), fmt.Sprint(gigabyte)},
		{"an entry of a zip", zipClaiming(t, gigabyte), fmt.Sprint(gigabyte)},
		{"a topology's arc", []byte(`{"type":"Topology","arcs":[],"objects":{"a":{"type":"Polygon","arcs":[[1073741824]]}}}`), fmt.Sprint(gigabyte)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := allocated()
			f, err := ReadBytes(tt.data, "upload.zip", Options{})
			if grown := allocated() - before; grown > 64<<20 {
				t.Errorf("%d MiB allocated", grown>>20)
			}
			if err == nil {
				err = f.Err()
			}
			mustBeInvalid(t, err, tt.want)
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func zipParts(t *testing.T, p map[string][]byte, ext string, b []byte) []byte {
	t.Helper()
	files := make(map[string]string)
	for e, content := range p {
		if e != ".shx" {
			files["x"+e] = string(content)
		}
	}
	files["x"+ext] = string(b)
	return zipOf(t, files)
}

func zipClaiming(t *testing.T, size uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	entry, err := w.CreateRaw(&zip.FileHeader{Name: "a.geojson", Method: zip.Deflate, UncompressedSize64: size, CompressedSize64: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write([]byte("abcd")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Bombs unpack to the allowance and no further.
func TestBombs(t *testing.T) {
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	if _, err := io.Copy(w, &zeros{16 << 20}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	entry, err := z.Create("a.geojson")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(entry, &zeros{16 << 20}); err != nil {
		t.Fatal(err)
	}
	z.Close()
	for name, data := range map[string][]byte{"bomb.geojson.gz": gz.Bytes(), "bomb.zip": packed.Bytes()} {
		before := allocated()
		_, err := ReadBytes(data, name, Options{MaxBytes: 1 << 20})
		mustBeInvalid(t, err, "1048576")
		if grown := allocated() - before; grown > 8<<20 {
			t.Errorf("%s: %d MiB allocated", name, grown>>20)
		}
	}
}

func TestOptionsBound(t *testing.T) {
	squares := &File{Name: "x"}
	for i := range 10 {
		w := float64(i)
		squares.Features = append(squares.Features, Feature{Properties: Properties{{"n", int64(i)}}, Geometry: orb.Polygon{rectangle(w, 0, w+1, 1)}})
	}
	files := make(map[string][]byte)
	for name, format := range map[string]Format{"x.geojson": GeoJSON, "x.zip": Shapefile, "x.gpkg": GeoPackage, "x.kml": KML} {
		var b bytes.Buffer
		if err := Encode(&b, squares, format); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	files["x.topojson"] = []byte(`{"type":"Topology","arcs":[[[0,0],[1,0],[1,1],[0,1],[0,0]]],"objects":{"a":{"type":"GeometryCollection","geometries":[` +
		strings.Repeat(`{"type":"Polygon","arcs":[[0]]},`, 9) + `{"type":"Polygon","arcs":[[0]]}]}}}`)
	tests := []struct {
		opt  Options
		want string
	}{
		{Options{MaxFeatures: 9}, "more than 9 features"},
		{Options{MaxVertices: 49}, "more than 49 vertices"},
		{Options{MaxBytes: 100}, "100"},
		{Options{MaxFeatures: 10, MaxVertices: 60}, ""},
	}
	for name, data := range files {
		for _, tt := range tests {
			f, err := ReadBytes(data, name, tt.opt)
			if tt.want != "" {
				mustBeInvalid(t, err, tt.want)
				if err != nil && strings.Count(err.Error(), name) != 1 {
					t.Errorf("%s: error %q does not name the file once", name, err)
				}
			} else if err != nil || len(f.Features) != 10 {
				t.Errorf("%s: %v, want its 10 features", name, err)
			}
		}
	}
}

func TestReadFrom(t *testing.T) {
	const point = `{"type":"Point","coordinates":[1,2]}`
	for _, size := range []int64{-1, int64(len(point))} {
		f, err := ReadFrom(strings.NewReader(point), size, "p.geojson", Options{})
		if err != nil || len(f.Features) != 1 {
			t.Errorf("size %d: %v, %v", size, f, err)
		}
	}
	_, err := ReadFrom(strings.NewReader(point), 1<<30, "p.geojson", Options{})
	mustBeInvalid(t, err, "1073741824 bytes")
	_, err = ReadFrom(&zeros{1 << 30}, -1, "p.geojson", Options{MaxBytes: 1 << 20})
	mustBeInvalid(t, err, "1048576")
	broken := errors.New("the line broke")
	if _, err = ReadFrom(io.MultiReader(strings.NewReader(point), errorReader{broken}), -1, "p.geojson", Options{}); !errors.Is(err, broken) {
		t.Errorf("error %v, want the reader's own", err)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestReadMissing(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "none.geojson"), Options{})
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("error %v is %v, want not-found", err, fault.KindOf(err))
	}
	_, err = Read(t.TempDir(), Options{})
	mustBeInvalid(t, err, "folder")
}

// Coordinates that are no position are refused by every binary reader.
func TestNotFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), 1e300} {
		f := &File{Name: "x", Features: []Feature{
			{Geometry: orb.Polygon{rectangle(0, 0, 9, 9), {{1, 1}, {1, 2}, {bad, 2}, {1, 1}}}},
			{Geometry: orb.Polygon{rectangle(0, 0, 1, 1)}},
		}}
		for _, format := range []Format{Shapefile, GeoPackage, KML} {
			var b bytes.Buffer
			if err := Encode(&b, f, format); err != nil {
				t.Fatal(err)
			}
			got, err := ReadBytes(b.Bytes(), "x", Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Features) != 1 || len(got.Refused) != 1 || !strings.Contains(got.Refused[0].Reason, "ring") ||
				!strings.Contains(got.Refused[0].Reason, "vertex") {
				t.Errorf("%s with %v: features %v, refused %v; want the first refused for a ring's vertex", format, bad, got.Features, got.Refused)
			}
		}
	}
}

// Rings nested a thousand deep must not take minutes to sort.
func TestRingBomb(t *testing.T) {
	var rings []orb.Ring
	for i := range 20_000 {
		d := float64(i) * 1e-4
		rings = append(rings, reversed(rectangle(-10+d, -10+d, 10-d, 10-d)), rectangle(-10+d+5e-5, -10+d+5e-5, 10-d-5e-5, 10-d-5e-5))
	}
	f, err := ReadBytes(shapeOf(rings...), "x.shp", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Refused) != 1 || !strings.Contains(f.Refused[0].Reason, "nested rings") {
		t.Errorf("refused %v, want the feature refused for its nested rings", f.Refused)
	}
}
