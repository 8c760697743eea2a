package geofile

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func writeBytes(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// parts are the files of a Shapefile of f by extension.
func parts(t testing.TB, f *File) map[string][]byte {
	t.Helper()
	p, err := shapefileBytes(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readParts(t testing.TB, p map[string][]byte, opt Options) (*File, error) {
	t.Helper()
	folder := t.TempDir()
	for ext, b := range p {
		if b != nil {
			writeBytes(t, filepath.Join(folder, "网格"+ext), b)
		}
	}
	return Read(filepath.Join(folder, "网格.shp"), opt)
}

// gbkTable is a .dbf of one text column in GBK, as Chinese desktop programs
// write it: long values are cut at the column's width, mid-character or not.
func gbkTable(t testing.TB, fieldName string, values ...string) []byte {
	t.Helper()
	enc := simplifiedchinese.GBK.NewEncoder()
	const width = 21 // odd, so that long values are cut within a character
	b := make([]byte, 32)
	copy(b, []byte{3, 124, 1, 1})
	binary.LittleEndian.PutUint32(b[4:], uint32(len(values)))
	binary.LittleEndian.PutUint16(b[8:], 32+32+1)
	binary.LittleEndian.PutUint16(b[10:], 1+width)
	name, err := enc.String(fieldName)
	if err != nil {
		t.Fatal(err)
	}
	field := make([]byte, 32)
	copy(field, name)
	field[11], field[16] = 'C', width
	b = append(append(b, field...), 0x0d)
	for _, v := range values {
		cell, err := enc.String(v)
		if err != nil {
			t.Fatal(err)
		}
		if len(cell) > width {
			cell = cell[:width]
		}
		b = append(b, ' ')
		b = append(b, cell+strings.Repeat(" ", width-len(cell))...)
	}
	return append(b, 0x1a)
}

func threePoints() *File {
	return &File{Name: "points", Features: []Feature{
		{Geometry: orb.Point{121, 31}}, {Geometry: orb.Point{121.1, 31}}, {Geometry: orb.Point{121.2, 31}},
	}}
}

func TestAttributeEncodings(t *testing.T) {
	values := []string{"嘉定镇街道", "安亭镇综治联勤工作站网格化中心", "Juyuan"}
	gbk := gbkTable(t, "街道", values...)
	withDriver := bytes.Clone(gbk)
	withDriver[29] = dbfGBK
	utf8 := parts(t, &File{Name: "x", Features: []Feature{
		{Geometry: orb.Point{}, Properties: Properties{{"街道", "嘉定镇街道"}}},
		{Geometry: orb.Point{}, Properties: Properties{{"街道", "安亭镇综治联勤工作站"}}},
		{Geometry: orb.Point{}, Properties: Properties{{"街道", "Juyuan"}}},
	}})[".dbf"]
	tests := []struct {
		name     string
		dbf, cpg []byte
		warnings int
	}{
		{"GBK without .cpg", gbk, nil, 0},
		{"GBK without .cpg, by the language driver", withDriver, nil, 0},
		{"GBK with .cpg GBK", gbk, []byte("GBK\r\n"), 0},
		{"GBK with .cpg 936", gbk, []byte("936"), 0},
		{"GBK with .cpg GB2312", gbk, []byte("GB2312"), 0},
		{"GBK with a .cpg that lies", gbk, []byte("UTF-8"), 1},
		{"GBK with a .cpg nobody knows", gbk, []byte("KOI8-R"), 1},
		{"UTF-8 without .cpg", utf8, nil, 0},
		{"UTF-8 with .cpg", utf8, []byte("UTF-8"), 0},
		{"UTF-8 with .cpg 65001", utf8, []byte("65001"), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parts(t, threePoints())
			p[".dbf"], p[".cpg"] = tt.dbf, tt.cpg
			f, err := readParts(t, p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{"嘉定镇街道", "安亭镇综治联勤工作站", "Juyuan"} {
				if got := f.Features[i].Text("街道"); got != want {
					t.Errorf("feature %d: 街道 = %q, want %q", i+1, got, want)
				}
			}
			if len(f.Warnings) != tt.warnings {
				t.Errorf("warnings %q, want %d", f.Warnings, tt.warnings)
			}
		})
	}
}

// shapeOf is a .shp of one polygon record made of rings as they are.
func shapeOf(rings ...orb.Ring) []byte {
	s := &shapeWriter{kind: shapePolygon}
	rec := binary.LittleEndian.AppendUint32(nil, shapePolygon)
	rec = append(rec, make([]byte, boxBytes)...)
	total := 0
	for _, r := range rings {
		total += len(r)
	}
	rec = binary.LittleEndian.AppendUint32(rec, uint32(len(rings)))
	rec = binary.LittleEndian.AppendUint32(rec, uint32(total))
	from := 0
	for _, r := range rings {
		rec = binary.LittleEndian.AppendUint32(rec, uint32(from))
		from += len(r)
	}
	for _, r := range rings {
		rec = appendPoints(rec, r)
	}
	head := binary.BigEndian.AppendUint32(nil, 1)
	s.shp.Write(binary.BigEndian.AppendUint32(head, uint32(len(rec)/2)))
	s.shp.Write(rec)
	return s.file(s.shp.Bytes())
}

func TestRingRoles(t *testing.T) {
	big, hole := rectangle(0, 0, 10, 10), rectangle(2, 2, 8, 8)
	island, other := rectangle(4, 4, 6, 6), rectangle(20, 0, 30, 10)
	cw, ccw := reversed, func(r orb.Ring) orb.Ring { return r }
	touching := orb.Ring{{0, 0}, {5, 3}, {3, 5}, {0, 0}} // shares a corner with big
	tests := []struct {
		name  string
		rings []orb.Ring
		want  []int // rings of each polygon, by the outer rings' order
		area  float64
	}{
		{"one, as Esri says", []orb.Ring{cw(big)}, []int{1}, 100},
		{"one, backward", []orb.Ring{ccw(big)}, []int{1}, 100},
		{"a hole", []orb.Ring{cw(big), ccw(hole)}, []int{2}, 64},
		{"a hole before its outer ring", []orb.Ring{ccw(hole), cw(big)}, []int{2}, 64},
		{"an island in the hole", []orb.Ring{cw(big), ccw(hole), cw(island)}, []int{2, 1}, 68},
		{"a hole in the island goes to the island", []orb.Ring{cw(big), ccw(hole), cw(island), ccw(rectangle(4.5, 4.5, 5.5, 5.5))}, []int{2, 2}, 67},
		{"two apart, the hole in the second", []orb.Ring{cw(other), cw(big), ccw(hole)}, []int{1, 2}, 164},
		{"all backward: by containment", []orb.Ring{ccw(big), ccw(hole), ccw(island), ccw(other)}, []int{2, 1, 1}, 168},
		{"a hole that lies nowhere becomes an area", []orb.Ring{cw(big), ccw(other)}, []int{1, 1}, 200},
		{"a hole that touches the outer ring", []orb.Ring{cw(big), ccw(touching)}, []int{2}, 92},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ReadBytes(shapeOf(tt.rings...), "x.shp", Options{})
			if err != nil {
				t.Fatal(err)
			}
			mp, _ := f.Features[0].Polygons()
			var got []int
			for _, p := range mp {
				got = append(got, len(p))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rings of each polygon (-want +got):\n%s", diff)
			}
			if area := areaOf(mp); area != tt.area {
				t.Errorf("area %v, want %v", area, tt.area)
			}
		})
	}
}

// A polygon that was edited in place leaves its old record in the .shp; only
// the .shx knows.
func TestShapefileIndexIsTheAuthority(t *testing.T) {
	p := parts(t, threePoints())
	record := func(i int) []byte { return p[".shp"][shapeHeaderBytes+28*i : shapeHeaderBytes+28*(i+1)] }
	stale := bytes.Clone(record(1))
	stale[12+5] ^= 0x01 // another longitude
	shp := bytes.Join([][]byte{p[".shp"][:shapeHeaderBytes], record(0), stale, record(2), record(1)}, nil)
	binary.BigEndian.PutUint32(shp[24:], uint32(len(shp)/2))
	binary.BigEndian.PutUint32(p[".shx"][shapeHeaderBytes+8:], (shapeHeaderBytes+28*3)/2)
	p[".shp"] = shp
	f, err := readParts(t, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range threePoints().Features {
		if got := f.Features[i].Geometry; got != want.Geometry {
			t.Errorf("feature %d at %v, want %v", i+1, got, want.Geometry)
		}
	}
	binary.BigEndian.PutUint32(p[".shx"][shapeHeaderBytes+8:], 1<<30)
	f, err = readParts(t, p, Options{})
	if err != nil || len(f.Features) != 4 || len(f.Warnings) != 2 {
		t.Errorf("with a broken index: %v, %v; want all four records, and warnings of the index and the count", f, err)
	}
}

func TestDeletedRecords(t *testing.T) {
	p := parts(t, &File{Name: "x", Features: []Feature{
		{Geometry: orb.Point{1, 1}, Properties: Properties{{"n", int64(1)}}},
		{Geometry: orb.Point{2, 2}, Properties: Properties{{"n", int64(2)}}},
	}})
	p[".dbf"][32+32+1] = '*'
	f, err := readParts(t, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Features) != 1 || f.Features[0].Number != 2 || f.Features[0].Text("n") != "2" || len(f.Warnings) != 1 {
		t.Errorf("got %v with warnings %q, want only the second", f.Features, f.Warnings)
	}
}

func TestShapefileWithoutItsParts(t *testing.T) {
	p := parts(t, threePoints())
	f, err := ReadBytes(p[".shp"], "upload.shp", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Features) != 3 || len(f.Warnings) != 2 || f.CRS != "" {
		t.Errorf("got %d features, CRS %q, warnings %q; want 3 without attributes or a coordinate system", len(f.Features), f.CRS, f.Warnings)
	}
}
