package geofile

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// geoPackage is a GeoPackage being read from a copy in memory, so that nothing
// beside the user's file is created or locked. Only plain tables are read: a
// view or a virtual table would run whatever its author wrote.
type geoPackage struct {
	r     *reader
	conn  *sql.Conn
	pages *sqlitePages
	roots map[string]int64 // plain tables, by name in lower case
	// left bounds the bytes that rows may yield: no more than the file holds,
	// unless its overflow pages are shared.
	left int
}

func (r *reader) readGeoPackage(data []byte) error {
	r.file.Format = GeoPackage
	pages, err := openPages(data)
	if err == nil {
		err = pages.walk(1)
	}
	if err != nil {
		return r.invalid("GeoPackage: %w", err)
	}
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
	g := &geoPackage{r: r, conn: conn, pages: pages, left: len(data)}
	if err := g.load(ctx, data); err != nil {
		return r.invalid("GeoPackage: %w", err)
	}
	return g.read(ctx)
}

// deserializer is the part of modernc.org/sqlite's connection that takes a
// whole database.
type deserializer interface{ Deserialize([]byte) error }

func (g *geoPackage) load(ctx context.Context, data []byte) error {
	// A database in WAL mode cannot be opened in memory; without its -wal file
	// it is read as if it were not. The copy is changed, not data.
	const writeVersion, readVersion = 18, 19
	if data[writeVersion] == 2 || data[readVersion] == 2 {
		data = slices.Clone(data)
		data[writeVersion], data[readVersion] = 1, 1
		g.r.warn("the GeoPackage is in WAL mode; changes that are still in a -wal file are not read")
	}
	err := g.conn.Raw(func(c any) error { return c.(deserializer).Deserialize(data) })
	if err != nil {
		return err
	}
	for limit, value := range map[int]int{
		sqlitelib.SQLITE_LIMIT_LENGTH:     max(len(data), 1<<16),
		sqlitelib.SQLITE_LIMIT_SQL_LENGTH: 1 << 20,
		sqlitelib.SQLITE_LIMIT_ATTACHED:   0,
	} {
		if _, err := sqlite.Limit(g.conn, limit, value); err != nil {
			return err
		}
	}
	for _, pragma := range []string{"trusted_schema=OFF", "query_only=ON", "cell_size_check=ON"} {
		if _, err := g.conn.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	g.roots = make(map[string]int64)
	return g.scan(ctx, "SELECT name, rootpage FROM sqlite_schema NOT INDEXED WHERE type='table' AND rootpage>0", 2, func(row []any) error {
		name, _ := row[0].(string)
		g.roots[strings.ToLower(name)], _ = row[1].(int64)
		return nil
	})
}

// open makes sure that name is a plain table with a sound tree.
func (g *geoPackage) open(name string) error {
	root, ok := g.roots[strings.ToLower(name)]
	if !ok {
		return fmt.Errorf("%q is not a table of its", name)
	}
	return g.pages.walk(root)
}

// scan hands every row to take, whose slice it may keep nothing of but values.
func (g *geoPackage) scan(ctx context.Context, query string, columns int, take func(row []any) error) error {
	rows, err := g.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]any, columns)
	pointers := make([]any, columns)
	for i := range row {
		pointers[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		for _, v := range row {
			switch v := v.(type) {
			case string:
				g.left -= len(v)
			case []byte:
				g.left -= len(v)
			}
		}
		if g.left < 0 {
			return errPages
		}
		if err := take(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// gpkgLayer is one feature table.
type gpkgLayer struct {
	table, geometry string
	srs             int64
}

func (g *geoPackage) read(ctx context.Context) error {
	layers, err := g.layers(ctx)
	if err != nil {
		return g.r.invalid("GeoPackage: %w", err)
	}
	var names []string
	for _, l := range layers {
		names = append(names, l.table)
	}
	i := 0
	switch {
	case len(layers) == 0:
		return g.r.invalid("the GeoPackage has no feature table")
	case g.r.opt.Layer != "":
		i = slices.Index(names, g.r.opt.Layer)
	case len(layers) > 1:
		i = -1
	}
	if i < 0 {
		return g.r.noLayer("layer", names)
	}
	layer := layers[i]
	g.r.file.Name = layer.table
	if err := g.readSRS(ctx, layer.srs); err != nil {
		return g.r.invalid("layer %q: %w", layer.table, err)
	}
	columns, err := g.columns(ctx, layer)
	if err == nil {
		err = g.features(ctx, layer, columns)
	}
	if err != nil {
		return g.r.invalid("layer %q: %w", layer.table, err)
	}
	return nil
}

func (g *geoPackage) layers(ctx context.Context) ([]gpkgLayer, error) {
	for _, name := range []string{"gpkg_contents", "gpkg_geometry_columns"} {
		if err := g.open(name); err != nil {
			return nil, err
		}
	}
	isFeatures := make(map[string]bool)
	err := g.scan(ctx, "SELECT table_name, data_type FROM gpkg_contents NOT INDEXED", 2, func(row []any) error {
		isFeatures[textOf(row[0])] = textOf(row[1]) == "features"
		return nil
	})
	if err != nil {
		return nil, err
	}
	var layers []gpkgLayer
	err = g.scan(ctx, "SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns NOT INDEXED", 3, func(row []any) error {
		srs, _ := row[2].(int64)
		if name := textOf(row[0]); isFeatures[name] {
			layers = append(layers, gpkgLayer{table: name, geometry: textOf(row[1]), srs: srs})
		}
		return nil
	})
	return layers, err
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// readSRS finds the layer's coordinate system. Numbers 0 and -1 are the
// standard's undefined geographic and Cartesian systems.
func (g *geoPackage) readSRS(ctx context.Context, id int64) error {
	if id == 0 || id == -1 {
		g.r.warn("the layer's coordinate system is undefined; the coordinates are taken as WGS 84 degrees")
		return nil
	}
	if err := g.open("gpkg_spatial_ref_sys"); err != nil {
		return err
	}
	var refused error
	found := false
	err := g.scan(ctx, "SELECT srs_id, organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys NOT INDEXED", 4, func(row []any) error {
		if row[0] != id || found {
			return nil
		}
		found = true
		code, _ := row[2].(int64)
		if strings.EqualFold(textOf(row[1]), "EPSG") && code > 0 && code < 1<<20 {
			if c, ok := byEPSG(int(code)); ok {
				g.r.crs = c
				return nil
			}
		}
		g.r.crs, refused = byWKT(textOf(row[3]))
		if refused != nil {
			refused = fmt.Errorf("srs_id %d (%s %d): %w", id, textOf(row[1]), code, refused)
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("srs_id %d is not in gpkg_spatial_ref_sys", id)
	}
	return errors.Join(err, refused)
}

// gpkgColumn is an attribute column as the table declares it.
type gpkgColumn struct {
	name    string
	boolean bool
}

// columns are the layer's attributes; the primary key, if it is one integer
// column, comes first under the name "".
func (g *geoPackage) columns(ctx context.Context, layer gpkgLayer) ([]gpkgColumn, error) {
	if err := g.open(layer.table); err != nil {
		return nil, err
	}
	key := ""
	var columns []gpkgColumn
	hasGeometry := false
	// table_info leaves out generated columns, which would compute what their
	// author wrote.
	err := g.scan(ctx, "SELECT name, type, pk FROM pragma_table_info("+quoteText(layer.table)+")", 3, func(row []any) error {
		name, kind := textOf(row[0]), strings.ToUpper(textOf(row[1]))
		switch {
		case row[2] == int64(1) && kind == "INTEGER":
			key = name
		case strings.EqualFold(name, layer.geometry):
			hasGeometry = true
		case strings.HasPrefix(kind, "BLOB"):
			g.r.warn("column %q of type %s is not read", name, kind)
		default:
			columns = append(columns, gpkgColumn{name: name, boolean: strings.HasPrefix(kind, "BOOL")})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !hasGeometry {
		return nil, fmt.Errorf("no geometry column %q", layer.geometry)
	}
	if key != "" {
		columns = slices.Insert(columns, 0, gpkgColumn{name: key})
		return columns, nil
	}
	return slices.Insert(columns, 0, gpkgColumn{}), nil
}

// features reads the rows. The first of columns is the key, nameless when the
// table has none.
func (g *geoPackage) features(ctx context.Context, layer gpkgLayer, columns []gpkgColumn) error {
	// The unary plus takes the declared type away, which the driver would
	// otherwise turn dates and booleans by.
	var query strings.Builder
	query.WriteString("SELECT +" + quoteName(layer.geometry))
	for _, c := range columns {
		if c.name == "" {
			query.WriteString(", NULL")
		} else {
			query.WriteString(", +" + quoteName(c.name))
		}
	}
	query.WriteString(" FROM " + quoteName(layer.table) + " NOT INDEXED")
	return g.scan(ctx, query.String(), len(columns)+1, func(row []any) error {
		if err := g.r.begin(); err != nil {
			return err
		}
		id := ""
		if n, ok := row[1].(int64); ok {
			id = strconv.FormatInt(n, 10)
		}
		if err := g.r.takeValues(len(columns)); err != nil {
			return err
		}
		props := make(Properties, 0, len(columns)-1)
		for i, c := range columns[1:] {
			props = append(props, Property{c.name, c.value(row[i+2])})
		}
		geometry, err := g.geometry(row[0])
		return g.r.admit(id, props, geometry, err)
	})
}

func (c gpkgColumn) value(v any) any {
	switch v := v.(type) {
	case int64:
		if c.boolean {
			return v != 0
		}
		return v
	case float64:
		return v
	case string:
		return strings.ToValidUTF8(v, "\ufffd")
	}
	return nil
}

var (
	errGeometryHeader = errors.New("the geometry has no GeoPackage header")
	errExtendedHeader = errors.New("an extended GeoPackage geometry is not read")
)

// geometry reads a GeoPackage binary: header, envelope, WKB. Source: GeoPackage
// 1.3, 2.1.3.
func (g *geoPackage) geometry(v any) (orb.Geometry, error) {
	if v == nil {
		return nil, nil
	}
	b, ok := v.([]byte)
	if !ok || len(b) < 8 || b[0] != 'G' || b[1] != 'P' {
		return nil, errGeometryHeader
	}
	flags := b[3]
	envelope := int(flags >> 1 & 7)
	if flags&0x20 != 0 || envelope > 4 {
		return nil, errExtendedHeader
	}
	head := 8 + [...]int{0, 32, 48, 48, 64}[envelope]
	if len(b) < head {
		return nil, errShortWKB
	}
	if flags&0x10 != 0 {
		return nil, nil
	}
	return (&wkbReader{r: g.r, b: b[head:]}).geometry(maxCollectionDepth)
}

func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
func quoteText(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// gpkgHeader is the eight bytes before the envelope of a geometry in EPSG:4326.
func gpkgHeader() []byte {
	const littleEndianXYEnvelope = 1 | 1<<1
	return binary.LittleEndian.AppendUint32([]byte{'G', 'P', 0, littleEndianXYEnvelope}, 4326)
}
