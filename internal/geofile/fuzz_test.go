package geofile

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// fuzzOptions keep one input's work small, so that running over a bound shows
// as time or memory.
var fuzzOptions = Options{MaxBytes: 4 << 20, MaxFeatures: 10_000, MaxVertices: 200_000}

// mustHold is what Read promises of any bytes: an Invalid error, or a File
// whose features keep Feature's contract and which every writer takes or
// refuses with a reason.
func mustHold(t *testing.T, f *File, err error) {
	t.Helper()
	if err != nil {
		if kind := fault.KindOf(err); kind != fault.Invalid {
			t.Fatalf("error %v is %v, want invalid", err, kind)
		}
		return
	}
	last := 0
	for i := range f.Features {
		ft := &f.Features[i]
		if ft.Number <= last {
			t.Fatalf("feature %d after %d", ft.Number, last)
		}
		last = ft.Number
		holdGeometry(t, ft.Geometry)
		seen := make(map[string]bool)
		for _, p := range ft.Properties {
			if seen[p.Name] {
				t.Fatalf("feature %d has %q twice", ft.Number, p.Name)
			}
			seen[p.Name] = true
			if v, ok := p.Value.(float64); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
				t.Fatalf("feature %d: %s is %v", ft.Number, p.Name, v)
			}
		}
	}
	for _, refusal := range f.Refused {
		if refusal.Feature < 1 || refusal.Reason == "" {
			t.Fatalf("refusal %+v", refusal)
		}
	}
	var out bytes.Buffer
	if err := Encode(&out, f, GeoJSON); err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	again, err := ReadBytes(out.Bytes(), "again.geojson", fuzzOptions)
	if err != nil && !strings.Contains(err.Error(), "allowed") && !strings.Contains(err.Error(), "more than") {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if err == nil && (len(again.Features) != len(f.Features) || len(again.Refused) > 0) {
		t.Fatalf("%d features written, %d read, refused %v", len(f.Features), len(again.Features), again.Refused)
	}
}

func holdGeometry(t *testing.T, g orb.Geometry) {
	t.Helper()
	points := func(ps []orb.Point) {
		for _, p := range ps {
			if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
				t.Fatalf("vertex %v", p)
			}
		}
	}
	switch g := g.(type) {
	case nil:
	case orb.Point:
		points([]orb.Point{g})
	case orb.MultiPoint:
		points(g)
	case orb.LineString:
		points(g)
	case orb.MultiLineString:
		for _, l := range g {
			points(l)
		}
	case orb.Polygon:
		if len(g) == 0 {
			t.Fatal("an empty polygon")
		}
		for i, ring := range g {
			points(ring)
			if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
				t.Fatalf("ring %v is not closed", ring)
			}
			if turned := ring.Orientation(); i == 0 && turned == orb.CW || i > 0 && turned == orb.CCW {
				t.Fatalf("ring %d runs the wrong way: %v", i, ring)
			}
		}
	case orb.MultiPolygon:
		for _, p := range g {
			holdGeometry(t, p)
		}
	case orb.Collection:
		for _, part := range g {
			holdGeometry(t, part)
		}
	default:
		t.Fatalf("geometry %T", g)
	}
}

func encoded(f *testing.F, file *File, format Format) []byte {
	var b bytes.Buffer
	if err := Encode(&b, file, format); err != nil {
		f.Fatal(err)
	}
	return b.Bytes()
}

func FuzzGeoJSON(f *testing.F) {
	f.Add(encoded(f, district(), GeoJSON))
	f.Add([]byte(`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2,3]},{"type":"MultiLineString","coordinates":[[[0,0],[1,1]],[]]}]}`))
	f.Add([]byte(`{"type":"Feature","id":1e2,"properties":{"a":[1,{"b":null}],"a":-0.0},"geometry":{"type":"MultiPoint","coordinates":[[1e-400,2]]}}`))
	f.Add([]byte(`{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:4549"}},"features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[618628.8,3474122.1]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader("fuzz.geojson", fuzzOptions)
		err := r.readJSON(data)
		mustHold(t, r.done(), err)
	})
}

func FuzzTopoJSON(f *testing.F) {
	f.Add([]byte(twoSquares))
	f.Add([]byte(`{"type":"Topology","arcs":[[[0,0,7],[1,0,7],[1,1,7],[0,0,7]]],"objects":{"a":{"type":"GeometryCollection","geometries":[{"type":"GeometryCollection","geometries":[{"type":"MultiLineString","arcs":[[0,-1],[]]},{"type":"MultiPoint","coordinates":[[1,1]]}]}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadBytes(data, "fuzz.topojson", fuzzOptions)
		mustHold(t, got, err)
	})
}

func FuzzShapefile(f *testing.F) {
	for _, file := range []*File{
		district(), threePoints(),
		{Name: "lines", Features: []Feature{{Geometry: orb.MultiLineString{{{0, 0}, {1, 1}}, {{2, 2}, {3, 3}}}, Properties: Properties{{"a", 1.5}, {"b", true}}}}},
	} {
		p := parts(f, file)
		f.Add(p[".shp"], p[".dbf"], p[".shx"], p[".prj"], p[".cpg"])
		f.Add(p[".shp"], p[".dbf"], []byte(nil), []byte(nil), []byte(nil))
	}
	f.Add(shapeOf(reversed(rectangle(0, 0, 9, 9)), rectangle(1, 1, 2, 2)), gbkTable(f, "街道", "嘉定镇街道"), []byte(nil), []byte(esriCGCS2000), []byte("GBK"))
	f.Fuzz(func(t *testing.T, shp, dbf, shx, prj, cpg []byte) {
		r := newReader("fuzz.shp", fuzzOptions)
		beside := map[string][]byte{".dbf": dbf, ".shx": shx, ".prj": prj, ".cpg": cpg}
		err := r.readShapefile(shp, func(ext string) ([]byte, error) { return beside[ext], nil })
		mustHold(t, r.done(), err)
	})
}

func FuzzGeoPackage(f *testing.F) {
	f.Add(encoded(f, district(), GeoPackage))
	f.Add(encoded(f, threePoints(), GeoPackage))
	f.Add(gpkgSQL(f, `WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n+1 FROM c WHERE n < 200)
		INSERT INTO grids (fid, name) SELECT n, printf('%100d', n) FROM c`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !bytes.HasPrefix(data, sqliteMagic) {
			data = append(bytes.Clone(sqliteMagic), data...)
		}
		got, err := ReadBytes(data, "fuzz.gpkg", fuzzOptions)
		mustHold(t, got, err)
	})
}

// FuzzWKB goes where FuzzGeoPackage seldom gets: into the geometry of a sound
// database.
func FuzzWKB(f *testing.F) {
	for _, ft := range district().Features[:2] {
		f.Add(gpkgBlob(f, &File{Features: []Feature{ft}}))
	}
	f.Add(gpkgBlob(f, &File{Features: []Feature{{Geometry: orb.Collection{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}}}}}))
	f.Add([]byte("GP\x00\x00\x00\x00\x00\x00\x01\xe9\x03\x00\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\xf0\x3f"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		r := newReader("fuzz.gpkg", fuzzOptions)
		if err := r.begin(); err != nil {
			t.Fatal(err)
		}
		geometry, err := (&geoPackage{r: r}).geometry(blob)
		err = r.admit("", nil, geometry, err)
		mustHold(t, r.done(), err)
	})
}

func FuzzKML(f *testing.F) {
	f.Add([]byte(googleEarth))
	f.Add(encoded(f, district(), KML))
	f.Add([]byte(`<?xml version="1.0" encoding="gbk"?><kml><Placemark><Point><coordinates>1e300,nan</coordinates></Point></Placemark></kml>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader("fuzz.kml", fuzzOptions)
		err := r.readKML(data)
		mustHold(t, r.done(), err)
	})
}

// FuzzRead covers what is around the formats: detection, gzip and zip.
func FuzzRead(f *testing.F) {
	f.Add(encoded(f, district(), Shapefile), "")
	f.Add(encoded(f, threePoints(), GeoJSON), "x")
	f.Add(zipOf(f, map[string]string{"doc.kml": googleEarth}), "")
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), "")
	f.Fuzz(func(t *testing.T, data []byte, layer string) {
		opt := fuzzOptions
		opt.Layer = layer
		got, err := ReadBytes(data, "fuzz", opt)
		mustHold(t, got, err)
	})
}
