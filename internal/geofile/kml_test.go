package geofile

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const googleEarth = `<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">
<Document>
 <name>责任网格.kml</name>
 <Style id="s"><PolyStyle><color>7f0000ff</color></PolyStyle></Style>
 <NetworkLink><Link><href>http://example.com/more.kml</href></Link></NetworkLink>
 <Folder><name>嘉定镇街道</name>
  <Folder><name>城区</name>
   <Placemark id="p1"><name> 01网格 </name><description><![CDATA[<b>a</b>&nbsp;]]></description><styleUrl>#s</styleUrl>
    <ExtendedData><Data name="code"><displayName>x</displayName><value>310114004U01</value></Data>
     <SchemaData schemaUrl="#late"><SimpleData name="households">4211</SimpleData><SimpleData name="area">1.5</SimpleData></SchemaData></ExtendedData>
    <Polygon><tessellate>1</tessellate><outerBoundaryIs><LinearRing><coordinates>
      121.2,31.3,0 121.3,31.3,0
      121.3,31.4,0 121.2,31.4,0 121.2,31.3,0
    </coordinates></LinearRing></outerBoundaryIs>
    <innerBoundaryIs><LinearRing><coordinates>121.22,31.32 121.23,31.32 121.23,31.33 121.22,31.32</coordinates></LinearRing></innerBoundaryIs></Polygon>
   </Placemark>
  </Folder>
  <Placemark><name>two</name><MultiGeometry><MultiGeometry>
    <Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 1,0 1,1 0,0</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry>
    <Polygon><outerBoundaryIs><LinearRing><coordinates>5,5 6,5 6,6 5,5</coordinates></LinearRing></outerBoundaryIs></Polygon>
  </MultiGeometry></Placemark>
 </Folder>
 <Placemark><name>bad</name><Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 1,0 1,north 0,0</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
 <Placemark><name>mixed</name><MultiGeometry><Point><coordinates>1,2,3</coordinates></Point><LineString><coordinates>1,2 3,4</coordinates></LineString></MultiGeometry></Placemark>
 <Schema name="late" id="late"><SimpleField type="int" name="households"/><SimpleField type="double" name="area"/><SimpleField type="string" name="note"/></Schema>
</Document></kml>`

func TestKML(t *testing.T) {
	f := readText(t, "x.kml", googleEarth)
	want := []Feature{
		{Number: 1, ID: "p1", Properties: Properties{
			{"households", int64(4211)}, {"area", 1.5}, {"note", nil}, {"code", "310114004U01"},
			{"name", "01网格"}, {"description", "<b>a</b>&nbsp;"}, {"folder", "嘉定镇街道/城区"}},
			Geometry: orb.Polygon{rectangle(121.2, 31.3, 121.3, 31.4), {{121.22, 31.32}, {121.23, 31.33}, {121.23, 31.32}, {121.22, 31.32}}}},
		{Number: 2, Properties: Properties{{"name", "two"}, {"folder", "嘉定镇街道"}}, Geometry: orb.MultiPolygon{
			{{{5, 5}, {6, 5}, {6, 6}, {5, 5}}}, {{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}}},
		{Number: 4, Properties: Properties{{"name", "mixed"}}, Geometry: orb.Collection{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}}},
	}
	if diff := cmp.Diff(want, f.Features); diff != "" {
		t.Errorf("features (-want +got):\n%s", diff)
	}
	if len(f.Refused) != 1 || f.Refused[0].Feature != 3 || f.Refused[0].Reason != `polygon 1: ring 1: vertex 3: "1,north" is not longitude,latitude` {
		t.Errorf("refused %v, want feature 3 for its third vertex", f.Refused)
	}
	if f.Name != "责任网格.kml" || len(f.Warnings) != 1 {
		t.Errorf("name %q, warnings %q; want the document's name and a network link", f.Name, f.Warnings)
	}
}

func TestKMLInGBK(t *testing.T) {
	b, err := simplifiedchinese.GBK.NewEncoder().String(strings.Replace(googleEarth, "UTF-8", "gb2312", 1))
	if err != nil {
		t.Fatal(err)
	}
	if got := readText(t, "x.kml", b).Features[0].Text("name"); got != "01网格" {
		t.Errorf("name = %q", got)
	}
}

func zipOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, NonUTF8: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	const point = `{"type":"Point","coordinates":[1,2]}`
	links := `<kml><Document><NetworkLink/></Document></kml>`
	tests := []struct {
		name     string
		files    map[string]string
		opt      Options
		features int
		want     string // of the error, or the layer's name
	}{
		{"a KMZ", map[string]string{"doc.kml": googleEarth, "files/a.png": "x"}, Options{}, 3, "责任网格.kml"},
		{"a KMZ that links within", map[string]string{"doc.kml": links, "layers/grids.kml": googleEarth}, Options{}, 3, "责任网格.kml"},
		{"a KMZ that links nowhere", map[string]string{"doc.kml": links}, Options{}, 0, "upload"},
		{"a zipped GeoJSON", map[string]string{"__MACOSX/._g.geojson": "x", "g/网格.v2.geojson": point}, Options{}, 1, "网格.v2"},
		{"two of them", map[string]string{"a.geojson": point, "b.geojson": point}, Options{}, 0, "name one as the layer"},
		{"one chosen of two", map[string]string{"a.geojson": point, "b.geojson": point}, Options{Layer: "b"}, 1, "b"},
		{"none", map[string]string{"readme.txt": "x"}, Options{}, 0, "no .shp"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ReadBytes(zipOf(t, tt.files), "upload.kmz", tt.opt)
			if tt.features == 0 && tt.want != "upload" {
				mustBeInvalid(t, err, tt.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Features) != tt.features || f.Name != tt.want {
				t.Errorf("%d features named %q, want %d named %q", len(f.Features), f.Name, tt.features, tt.want)
			}
		})
	}
}
