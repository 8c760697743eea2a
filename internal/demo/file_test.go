package demo

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"lianqin/geodata"
	"lianqin/internal/grid"
)

var update = flag.Bool("update", false, "write geodata/district.geojson anew")

func TestEmbeddedFileIsWhatTheGeneratorMakes(t *testing.T) {
	var got bytes.Buffer
	if err := WriteDistrict(&got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("../../geodata/district.geojson", got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got.Bytes(), geodata.District) {
		t.Errorf("geodata/district.geojson (%d bytes) is not what is generated now (%d bytes); run go generate ./internal/demo", len(geodata.District), got.Len())
	}
}

func TestEmbeddedIsTheGeneratedDistrict(t *testing.T) {
	src, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	got, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	if want := district(t); got.Hash() != want.Hash() {
		t.Errorf("the embedded district has hash %s, the generated one %s", got.Hash(), want.Hash())
	}
	var again bytes.Buffer
	if err := Write(&again, src); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), geodata.District) {
		t.Error("what was read is not written as it was")
	}
}

// A reader that nobody here wrote sees the same grids.
func TestEmbeddedFileIsGeoJSON(t *testing.T) {
	if !json.Valid(geodata.District) {
		t.Fatal("not JSON")
	}
	file, err := geojson.UnmarshalFeatureCollection(geodata.District)
	if err != nil {
		t.Fatal(err)
	}
	g := district(t)
	if len(file.Features) != len(g.Grids()) {
		t.Fatalf("%d features, want %d", len(file.Features), len(g.Grids()))
	}
	for i, d := range g.Grids() {
		f := file.Features[i]
		if f.Properties.MustString("code") != d.Code || f.Properties.MustString("department_name") != d.Department.Name || f.ID != float64(d.ID) {
			t.Errorf("feature %d is %v %v, want %s", i+1, f.ID, f.Properties, d.Code)
		}
		p := f.Geometry.(orb.Polygon)
		if p[0].Orientation() != orb.CCW || !p[0].Closed() {
			t.Errorf("%s: the ring does not run counter-clockwise and close", d.Code)
		}
		if b := p.Bound(); b != d.Bound {
			t.Errorf("%s: bound %v, want %v", d.Code, b, d.Bound)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const start = `{"type":"FeatureCollection","streets":[],"features":[` + "\n"
	const good = `{"type":"Feature","id":1,"properties":{"id":1,"code":"a"},"geometry":{"type":"Polygon","coordinates":[[[1.0000000,1.0000000],[2.0000000,1.0000000],[2.0000000,2.0000000],[1.0000000,1.0000000]]]}}`
	if _, err := read([]byte(start + good + "\n]}\n")); err != nil {
		t.Fatalf("one triangle: %v", err)
	}
	tests := []struct{ name, from, to string }{
		{"ring does not close", "1.0000000]]]", "1.5000000]]]"},
		{"six decimals", "2.0000000]", "2.000000]"},
		{"not a number", "2.0000000]", "2.0000e00]"},
		{"off the globe", "[2.0000000", "[200.0000000"},
		{"no face", `"id":1,"code"`, `"id":0,"code"`},
		{"another geometry", "Polygon", "Point"},
		{"cut short", "]]]}}", ""},
		{"too many digits", "2.0000000]", "22222222222.0000000]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := bytes.ReplaceAll([]byte(good), []byte(tt.from), []byte(tt.to))
			if _, err := read([]byte(start + string(bad) + "\n]}\n")); err == nil {
				t.Errorf("read %s", bad)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	lines := bytes.SplitN(geodata.District, []byte("\n"), 3)
	one := bytes.TrimSuffix(lines[1], []byte(","))
	f.Add(bytes.Join([][]byte{lines[0], one, []byte("]}"), nil}, []byte("\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		src, err := read(data)
		if err == nil && len(src.Grids) != len(src.Partition.Faces()) {
			t.Errorf("%d grids, %d faces", len(src.Grids), len(src.Partition.Faces()))
		}
	})
}

func BenchmarkEmbedded(b *testing.B) {
	for b.Loop() {
		if _, err := Embedded(); err != nil {
			b.Fatal(err)
		}
	}
}
