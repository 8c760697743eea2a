package geofile

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// gpkgBlob is the geometry of f's first feature as GeoPackage stores it.
func gpkgBlob(t testing.TB, f *File) []byte {
	t.Helper()
	b, err := (&gpkgWriter{}).geometry(f.Features[0].Geometry)
	if err != nil {
		t.Fatal(err)
	}
	return b.([]byte)
}

// gpkgSQL is a GeoPackage of one point, changed by statements.
func gpkgSQL(t testing.TB, statements string, args ...any) []byte {
	t.Helper()
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f := &File{Name: "grids", Features: []Feature{{Properties: Properties{{"name", "a"}}, Geometry: orb.Point{121, 31}}}}
	if _, err := conn.ExecContext(ctx, gpkgSchema); err != nil {
		t.Fatal(err)
	}
	if err := fillGeoPackage(ctx, conn, f); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, statements, args...); err != nil {
		t.Fatal(err)
	}
	var data []byte
	err = conn.Raw(func(c any) (err error) {
		data, err = c.(interface{ Serialize() ([]byte, error) }).Serialize()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// gpkgWith is a GeoPackage whose one geometry is blob.
func gpkgWith(t testing.TB, blob []byte) []byte {
	t.Helper()
	return gpkgSQL(t, `UPDATE grids SET geom=$1`, blob)
}

func TestGeoPackageForms(t *testing.T) {
	const second = `CREATE TABLE streets (id INTEGER PRIMARY KEY, shape POLYGON, seat TEXT);
		INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('streets', 'features', 'streets', 4326);
		INSERT INTO gpkg_geometry_columns VALUES ('streets', 'shape', 'POLYGON', 4326, 0, 0);
		INSERT INTO streets VALUES (9, NULL, '嘉定镇');`
	point := Feature{Number: 1, ID: "1", Properties: Properties{{"name", "a"}}, Geometry: orb.Point{121, 31}}
	tests := []struct {
		name, sql, layer string
		want             []Feature
		warnings         int
	}{
		{"as written", `SELECT 1`, "", []Feature{point}, 0},
		{"tables that are no features", `CREATE TABLE notes (x); INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('notes', 'attributes', 'notes')`, "", []Feature{point}, 0},
		{"one layer of two", second, "streets", []Feature{{Number: 1, ID: "9", Properties: Properties{{"seat", "嘉定镇"}}}}, 0},
		{"every type of column", `ALTER TABLE grids ADD b BOOLEAN; ALTER TABLE grids ADD d DATE; ALTER TABLE grids ADD r REAL; ALTER TABLE grids ADD x BLOB;
			ALTER TABLE grids ADD g TEXT GENERATED ALWAYS AS (zeroblob(1000000000)) VIRTUAL;
			UPDATE grids SET b=1, d='2026-03-01', r=0.5, x=x'00'`, "",
			[]Feature{{Number: 1, ID: "1", Properties: Properties{{"name", "a"}, {"b", true}, {"d", "2026-03-01"}, {"r", 0.5}}, Geometry: orb.Point{121, 31}}}, 1},
		{"an undefined coordinate system", `UPDATE gpkg_geometry_columns SET srs_id=0`, "", []Feature{point}, 1},
		{"a coordinate system by its text", `INSERT INTO gpkg_spatial_ref_sys VALUES ('x', 100000, 'QGIS', 100000, '` + wgs84PRJ + `', ''); UPDATE gpkg_geometry_columns SET srs_id=100000`, "", []Feature{point}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ReadBytes(gpkgSQL(t, tt.sql), "x.gpkg", Options{Layer: tt.layer})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, f.Features); diff != "" {
				t.Errorf("features (-want +got):\n%s", diff)
			}
			if len(f.Warnings) != tt.warnings {
				t.Errorf("warnings %q, want %d", f.Warnings, tt.warnings)
			}
		})
	}
	_, err := ReadBytes(gpkgSQL(t, second), "x.gpkg", Options{})
	mustBeInvalid(t, err, "2 layers, name one as the layer: grids, streets")
	_, err = ReadBytes(gpkgSQL(t, second), "x.gpkg", Options{Layer: "roads"})
	mustBeInvalid(t, err, `no layer "roads"`)
}

func TestGeoPackageRefusals(t *testing.T) {
	const endless = `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT n AS fid, NULL AS geom FROM c WHERE n < 0`
	tests := []struct {
		name, sql, want string
	}{
		{"not a GeoPackage", `DROP TABLE gpkg_contents`, "gpkg_contents"},
		{"no layer", `DELETE FROM gpkg_geometry_columns`, "no feature table"},
		{"the table is missing", `DROP TABLE grids`, "grids"},
		{"the geometry column is missing", `UPDATE gpkg_geometry_columns SET column_name='shape'`, "shape"},
		{"a view that never ends", `DROP TABLE grids; CREATE VIEW grids AS ` + endless, `"grids" is not a table`},
		{"a contents view that never ends", `DROP TABLE gpkg_contents; CREATE VIEW gpkg_contents AS ` + endless, "gpkg_contents"},
		{"Beijing 1954", `INSERT INTO gpkg_spatial_ref_sys VALUES ('Beijing 1954', 2437, 'EPSG', 2437, '` + esriBeijing + `', ''); UPDATE gpkg_geometry_columns SET srs_id=2437`, "Beijing_1954"},
		{"an unknown coordinate system", `UPDATE gpkg_geometry_columns SET srs_id=7`, "srs_id 7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadBytes(gpkgSQL(t, tt.sql), "x.gpkg", Options{})
			mustBeInvalid(t, err, tt.want)
		})
	}
}

// Interior pages that name each other would keep SQLite busy for ever.
func TestGeoPackagePageCycles(t *testing.T) {
	data := gpkgSQL(t, `WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n+1 FROM c WHERE n < 2000)
		INSERT INTO grids (fid, name) SELECT n, printf('%100d', n) FROM c`)
	size := int(binary.BigEndian.Uint16(data[16:]))
	cycles := 0
	for from := size; from < len(data); from += size {
		if page := data[from:]; page[0] == pageTableInterior {
			binary.BigEndian.PutUint32(page[8:], uint32(from/size+1))
			cycles++
		}
	}
	if cycles == 0 {
		t.Fatal("the table has no interior page to damage")
	}
	_, err := ReadBytes(data, "x.gpkg", Options{})
	mustBeInvalid(t, err, "pages are damaged")
}

func TestGeoPackageInWALMode(t *testing.T) {
	data := gpkgSQL(t, `SELECT 1`)
	data[18], data[19] = 2, 2
	before := bytes.Clone(data)
	f, err := ReadBytes(data, "x.gpkg", Options{})
	if err != nil || len(f.Features) != 1 || len(f.Warnings) != 1 {
		t.Errorf("got %v, %v; want one feature and a warning", f, err)
	}
	if !bytes.Equal(before, data) {
		t.Error("the caller's bytes were changed")
	}
}

// Reading leaves nothing beside the file.
func TestGeoPackageIsReadOnly(t *testing.T) {
	path := write(t, district(), "x.gpkg")
	read(t, path)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the file: %v, %v", left, err)
	}
}

func TestBadGeometryBlobs(t *testing.T) {
	blob := gpkgBlob(t, &File{Features: []Feature{{Geometry: orb.Polygon{rectangle(0, 0, 1, 1)}}}})
	header := blob[:40]
	tests := []struct {
		name string
		blob []byte
		want string
	}{
		{"no header", []byte("POINT(1 2)"), "header"},
		{"cut off", blob[:60], "claims"},
		{"cut within the envelope", blob[:20], "shorter"},
		{"a byte order of 7", append(bytes.Clone(header), 7, 0, 0, 0, 0), "byte order"},
		{"a curve", append(bytes.Clone(header), 1, 10, 0, 0, 0, 0, 0, 0, 0), "type 10"},
		{"collections in collections", append(bytes.Clone(header), bytes.Repeat([]byte{1, 7, 0, 0, 0, 1, 0, 0, 0}, 100)...), "nested"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ReadBytes(gpkgWith(t, tt.blob), "x.gpkg", Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Refused) != 1 || f.Refused[0].ID != "1" || !strings.Contains(f.Refused[0].Reason, tt.want) {
				t.Errorf("refused %v, want feature 1 for %q", f.Refused, tt.want)
			}
		})
	}
}
