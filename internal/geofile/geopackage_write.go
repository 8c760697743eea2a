package geofile

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	orbwkb "github.com/paulmach/orb/encoding/wkb"

	"lianqin/internal/fault"
)

// gpkgSchema is GeoPackage 1.3's required part: the application id is "GPKG".
const gpkgSchema = `
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (
	srs_name TEXT NOT NULL,
	srs_id INTEGER NOT NULL PRIMARY KEY,
	organization TEXT NOT NULL,
	organization_coordsys_id INTEGER NOT NULL,
	definition TEXT NOT NULL,
	description TEXT
);
CREATE TABLE gpkg_contents (
	table_name TEXT NOT NULL PRIMARY KEY,
	data_type TEXT NOT NULL,
	identifier TEXT UNIQUE,
	description TEXT DEFAULT '',
	last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
	min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
	srs_id INTEGER,
	CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
);
CREATE TABLE gpkg_geometry_columns (
	table_name TEXT NOT NULL,
	column_name TEXT NOT NULL,
	geometry_type_name TEXT NOT NULL,
	srs_id INTEGER NOT NULL,
	z TINYINT NOT NULL,
	m TINYINT NOT NULL,
	CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
	CONSTRAINT uk_gc_table_name UNIQUE (table_name),
	CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
	CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
);
INSERT INTO gpkg_spatial_ref_sys VALUES
	('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system'),
	('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system'),
	('WGS 84 geodetic', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]', 'longitude/latitude in decimal degrees on WGS 84');
`

// encodeGeoPackage writes one feature table. The ids become the primary key
// when all are distinct integers, and otherwise a text column "id". A layer of
// polygons and multipolygons becomes all multipolygons, as QGIS wants it.
func encodeGeoPackage(w io.Writer, f *File) error {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, gpkgSchema); err != nil {
		return err
	}
	if err := fillGeoPackage(ctx, conn, f); err != nil {
		return err
	}
	var data []byte
	err = conn.Raw(func(c any) (err error) {
		data, err = c.(interface{ Serialize() ([]byte, error) }).Serialize()
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// gpkgWriter is one layer being written.
type gpkgWriter struct {
	f       *File
	table   string
	keys    []any // nil where SQLite counts
	names   []string
	columns []column
	promote bool
}

func fillGeoPackage(ctx context.Context, conn *sql.Conn, f *File) error {
	keys := integerKeys(f)
	if keys == nil {
		f = idColumn(f)
	}
	g := &gpkgWriter{f: f, keys: keys, columns: typedColumns(f), table: f.layerName()}
	if lower := strings.ToLower(g.table); strings.HasPrefix(lower, "gpkg_") || strings.HasPrefix(lower, "sqlite_") {
		g.table = "layer_" + g.table
	}
	const maxColumns = 1900 // SQLite's 2,000 less the key and the geometry
	if len(g.columns) > maxColumns {
		return fault.New(fault.Invalid, "%s: %d columns; a GeoPackage table holds %d", f.Name, len(g.columns), maxColumns)
	}
	kind := g.geometryType()
	g.promote = strings.HasPrefix(kind, "MULTI")
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, g.create(kind)); err != nil {
		return err
	}
	if err := g.register(ctx, tx, kind); err != nil {
		return err
	}
	if err := g.insert(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// integerKeys are the ids as primary keys; nil when some are not distinct
// integers, or when there are none.
func integerKeys(f *File) []any {
	seen := make(map[int64]bool)
	var keys []any
	for i := range f.Features {
		n, err := strconv.ParseInt(f.Features[i].ID, 10, 64)
		if err != nil || seen[n] || strconv.FormatInt(n, 10) != f.Features[i].ID {
			return nil
		}
		seen[n] = true
		keys = append(keys, n)
	}
	return keys
}

func (g *gpkgWriter) geometryType() string {
	kinds := make(map[string]bool)
	for i := range g.f.Features {
		if geometry := g.f.Features[i].Geometry; geometry != nil {
			kinds[strings.ToUpper(geometry.GeoJSONType())] = true
		}
	}
	if len(kinds) == 2 {
		for _, single := range []string{"POINT", "LINESTRING", "POLYGON"} {
			if kinds[single] && kinds["MULTI"+single] {
				return "MULTI" + single
			}
		}
	}
	if len(kinds) == 1 {
		for kind := range kinds {
			return kind
		}
	}
	return "GEOMETRY"
}

var sqlTypes = map[columnKind]string{boolColumn: "BOOLEAN", intColumn: "INTEGER", floatColumn: "DOUBLE", textColumn: "TEXT"}

func (g *gpkgWriter) create(kind string) string {
	taken := map[string]bool{"fid": true, "geom": true}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\"fid\" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, \"geom\" %s", quoteName(g.table), kind)
	for _, c := range g.columns {
		name := strings.ReplaceAll(c.name, "\x00", "")
		if name == "" {
			name = "column"
		}
		// SQLite does not tell Name from name.
		free := name
		for n := 2; taken[strings.ToLower(free)]; n++ {
			free = fmt.Sprintf("%s_%d", name, n)
		}
		taken[strings.ToLower(free)] = true
		g.names = append(g.names, free)
		fmt.Fprintf(&b, ", %s %s", quoteName(free), sqlTypes[c.kind])
	}
	b.WriteString(")")
	return b.String()
}

func (g *gpkgWriter) register(ctx context.Context, tx *sql.Tx, kind string) error {
	var bound [4]any // null for a layer without geometry
	if all, ok := g.bound(); ok {
		bound = [4]any{all.Min[0], all.Min[1], all.Max[0], all.Max[1]}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y, srs_id)
		VALUES ($1, 'features', $1, $2, $3, $4, $5, 4326)`, g.table, bound[0], bound[1], bound[2], bound[3])
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gpkg_geometry_columns VALUES ($1, 'geom', $2, 4326, 0, 0)`, g.table, kind)
	return err
}

func (g *gpkgWriter) bound() (all orb.Bound, ok bool) {
	for i := range g.f.Features {
		geometry := g.f.Features[i].Geometry
		switch {
		case geometry == nil:
		case !ok:
			all, ok = geometry.Bound(), true
		default:
			all = all.Union(geometry.Bound())
		}
	}
	return all, ok
}

func (g *gpkgWriter) insert(ctx context.Context, tx *sql.Tx) error {
	names := []string{`"fid"`, `"geom"`}
	place := make(map[string]int)
	for i, c := range g.columns {
		names = append(names, quoteName(g.names[i]))
		place[c.name] = i + 2
	}
	marks := strings.Repeat(", ?", len(names))[2:]
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO "+quoteName(g.table)+" ("+strings.Join(names, ", ")+") VALUES ("+marks+")")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range g.f.Features {
		ft := &g.f.Features[i]
		row := make([]any, len(names))
		if g.keys != nil {
			row[0] = g.keys[i]
		}
		if row[1], err = g.geometry(ft.Geometry); err != nil {
			return g.f.invalid(i, "%w", err)
		}
		for _, p := range ft.Properties {
			at := place[p.Name]
			row[at] = p.Value
			if g.columns[at-2].kind == textColumn && p.Value != nil {
				row[at] = text(p.Value)
			}
		}
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return g.f.invalid(i, "%w", err)
		}
	}
	return nil
}

// geometry is a GeoPackage binary, or nil.
func (g *gpkgWriter) geometry(geometry orb.Geometry) (any, error) {
	if geometry == nil {
		return nil, nil
	}
	geometry = turned(geometry)
	if g.promote {
		geometry = promoted(geometry)
	}
	body, err := orbwkb.Marshal(geometry)
	if err != nil {
		return nil, err
	}
	b := gpkgHeader()
	bound := geometry.Bound()
	for _, v := range [4]float64{bound.Min[0], bound.Max[0], bound.Min[1], bound.Max[1]} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return slices.Concat(b, body), nil
}

func promoted(g orb.Geometry) orb.Geometry {
	switch g := g.(type) {
	case orb.Point:
		return orb.MultiPoint{g}
	case orb.LineString:
		return orb.MultiLineString{g}
	case orb.Polygon:
		return orb.MultiPolygon{g}
	}
	return g
}
