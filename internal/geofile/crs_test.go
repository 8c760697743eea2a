package geofile

import (
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"
)

// The plane coordinates are PROJ 9.1's for 121.2471 E, 31.3831 N.
func TestProjections(t *testing.T) {
	want := orb.Point{121.2471, 31.3831}
	tests := []struct {
		name string
		epsg int
		at   orb.Point
	}{
		{"geographic", 4326, want},
		{"CGCS2000", 4490, want},
		{"Web Mercator", 3857, orb.Point{13497165.4321611, 3682602.55474601}},
		{"3-degree zone by meridian", 4549, orb.Point{618628.87717042, 3474122.06354545}},
		{"3-degree zone by number", 4528, orb.Point{40618628.8771704, 3474122.06354545}},
		{"the zone to the east", 4550, orb.Point{333251.587016493, 3474778.25464656}},
		{"6-degree zone by number", 4499, orb.Point{21333251.5870165, 3474778.25464656}},
		{"6-degree zone by meridian, ten degrees away", 4508, orb.Point{1477096.66379332, 3519254.24397065}},
		{"UTM", 32651, orb.Point{333318.286382431, 3473388.34344311}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReader("x", Options{})
			var ok bool
			if r.crs, ok = byEPSG(tt.epsg); !ok {
				t.Fatalf("EPSG:%d is not known", tt.epsg)
			}
			got, err := r.placePoint(tt.at)
			if err != nil || math.Abs(got[0]-want[0]) > 1e-9 || math.Abs(got[1]-want[1]) > 1e-9 {
				t.Errorf("EPSG:%d %v = %v, %v, want %v", tt.epsg, tt.at, got, err, want)
			}
		})
	}
}

const (
	esriCGCS2000 = `GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`
	esriGK       = `PROJCS["CGCS2000_3_Degree_GK_CM_120E",` + esriCGCS2000 + `,PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]`
	esriBeijing  = `PROJCS["Beijing_1954_3_Degree_GK_CM_120E",GEOGCS["GCS_Beijing_1954",DATUM["D_Beijing_1954",SPHEROID["Krasovsky_1940",6378245.0,298.3]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["Central_Meridian",120.0],UNIT["Meter",1.0]]`
)

func TestPRJ(t *testing.T) {
	tests := []struct {
		name, prj, want string // of CRS, or of the error
		ok              bool
	}{
		{"Esri's WGS 84", wgs84PRJ, "WGS 84", true},
		{"Esri's CGCS2000", esriCGCS2000, "CGCS2000", true},
		{"Esri's Gauss-Kruger", esriGK, "CGCS2000_3_Degree_GK_CM_120E (CGCS2000)", true},
		{"an authority's code", `GEOGCRS["anything",ID["EPSG",4490]]`, "CGCS2000 (EPSG:4490)", true},
		{"spaces and lines", strings.ReplaceAll(wgs84PRJ, ",", " ,\r\n  "), "WGS 84", true},
		{"Beijing 1954", esriBeijing, "Beijing_1954_3_Degree_GK_CM_120E", false},
		{"NAD 83", `GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`, "GCS_North_American_1983", false},
		{"feet", strings.Replace(esriGK, `UNIT["Meter",1.0]`, `UNIT["Foot",0.3048]`, 1), "CGCS2000_3_Degree_GK_CM_120E", false},
		{"grads", strings.Replace(wgs84PRJ, "0.0174532925199433", "0.0157079632679489", 1), "GCS_WGS_1984", false},
		{"not text of the kind", "EPSG:4326", "well-known text", false},
		{"unbalanced", strings.TrimSuffix(wgs84PRJ, "]"), "well-known text", false},
		{"a depth bomb", strings.Repeat("A[", 30000), "well-known text", false},
		{"megabytes", strings.Repeat("A", 1<<20), "1048576 bytes", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parts(t, threePoints())
			p[".prj"] = []byte(tt.prj)
			if strings.HasPrefix(tt.prj, "PROJCS") {
				p = parts(t, &File{Name: "x", Features: []Feature{{}}})
				p[".prj"] = []byte(tt.prj)
			}
			f, err := readParts(t, p, Options{})
			if !tt.ok {
				mustBeInvalid(t, err, tt.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if f.CRS != tt.want || len(f.Refused) > 0 {
				t.Errorf("CRS = %q, want %q; refused %v", f.CRS, tt.want, f.Refused)
			}
		})
	}
}

// Plane coordinates in a file that does not say so, or in the wrong zone, are
// refused and not taken for degrees.
func TestUndeclaredPlaneCoordinates(t *testing.T) {
	p := parts(t, &File{Name: "x", Features: []Feature{{Geometry: orb.Point{618628.9, 3474122.1}}}})
	tests := []struct {
		name, prj, want string
	}{
		{"no .prj", "", "does not say its coordinate system"},
		{"degrees declared", wgs84PRJ, "±180"},
		{"the zone's number is missing", strings.Replace(esriGK, "500000.0", "40500000.0", 1), "outside CGCS2000_3_Degree"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p[".prj"] = []byte(tt.prj)
			f, err := readParts(t, p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Features) != 0 || len(f.Refused) != 1 || !strings.Contains(f.Refused[0].Reason, tt.want) {
				t.Errorf("features %v, refused %v; want a refusal that says %q", f.Features, f.Refused, tt.want)
			}
		})
	}
}
