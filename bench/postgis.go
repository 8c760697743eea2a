package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"lianqin/internal/grid"
)

// joins are ways to resolve a table of points. Which is best depends on the
// data; all are measured. The tables hold the same: grids whole or cut up into
// pieces of at most 32 vertices, points with an index or without.
var joins = []struct{ name, from string }{
	{"grids by index", "bare_points p JOIN grids g ON ST_Intersects(g.geom, p.geom)"},
	{"grids cut up, by index", "bare_points p JOIN pieces g ON ST_Intersects(g.geom, p.geom)"},
	{"points by index", "bare_grids g JOIN points p ON ST_Intersects(g.geom, p.geom)"},
	{"grids cut up, points by index", "bare_pieces g JOIN points p ON ST_Intersects(g.geom, p.geom)"},
}

const (
	joinPoints  = 100_000
	queryPoints = 10_000
	oneQuery    = "SELECT id FROM grids WHERE ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326)) LIMIT 1"
	oneOfPieces = "SELECT id FROM pieces WHERE ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326)) LIMIT 1"
)

// postgis is the figure of points resolved by PostGIS.
func postgis(ctx context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	c, err := b.postgres(ctx)
	if err != nil {
		return err
	}
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	pts := d.random[:joinPoints]
	if err := fill(ctx, conn, d.gen, pts); err != nil {
		return err
	}
	var version string
	if err := conn.QueryRow(ctx, "SELECT 'PostgreSQL ' || current_setting('server_version') || ', PostGIS ' || postgis_lib_version()").Scan(&version); err != nil {
		return err
	}
	t := table{
		title: fmt.Sprintf("Point lookup in PostGIS, %d grids, random points, one connection", len(d.gen.Grids())),
		head:  []string{"", "ns, median", "ns, least", "ours is faster", "same answers"},
	}
	ours := b.timeFinder(oursOf(d), d.random)
	t.row(peers[0].name, number(ours.median()), number(ours.min()))
	fastest := math.Inf(1)
	for _, j := range joins {
		s, a, err := b.join(ctx, conn, d, j.from)
		if err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		fastest = min(fastest, s.median())
		t.row("join of "+number(joinPoints)+", "+j.name, number(s.median()), number(s.min()), number(s.median()/ours.median())+" ×", a.String())
	}
	for _, q := range []struct{ name, sql string }{{"a prepared query a point", oneQuery}, {"the same, grids cut up", oneOfPieces}} {
		s, a, err := b.queries(ctx, conn, d, q.sql)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		t.row(q.name, number(s.median()), number(s.min()), number(s.median()/ours.median())+" ×", a.String())
	}
	t.note("%s; its own cluster, all in memory, no parallel workers, statistics fresh.", version)
	t.note("Joins: processor time of the PostgreSQL process. Queries: by the clock, there and back through a socket.")
	t.note("Best join: ours is %s × faster (at least 35 × is the target).", number(fastest/ours.median()))
	t.print()
	return nil
}

// fill makes the tables.
func fill(ctx context.Context, conn *pgx.Conn, g *grid.Generation, pts []orb.Point) error {
	_, err := conn.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS postgis;
		CREATE TABLE grids (id int, geom geometry(MultiPolygon, 4326));
		CREATE TABLE bare_points (n int, geom geometry(Point, 4326));
		CREATE TEMP TABLE raw (n int, lon float8, lat float8)`)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, d := range g.Grids() {
		area, err := wkb.Marshal(g.Polygon(d.ID))
		if err != nil {
			return err
		}
		batch.Queue("INSERT INTO grids VALUES ($1, ST_GeomFromWKB($2, 4326))", int32(d.ID), area)
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	rows := pgx.CopyFromSlice(len(pts), func(i int) ([]any, error) { return []any{i, pts[i][0], pts[i][1]}, nil })
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"raw"}, []string{"n", "lon", "lat"}, rows); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `
		INSERT INTO bare_points SELECT n, ST_SetSRID(ST_MakePoint(lon, lat), 4326) FROM raw;
		CREATE TABLE points AS TABLE bare_points;
		CREATE TABLE bare_grids AS TABLE grids;
		CREATE TABLE pieces AS SELECT id, ST_Subdivide(geom, 32) AS geom FROM grids;
		CREATE TABLE bare_pieces AS TABLE pieces;
		CREATE INDEX ON points USING gist (geom);
		CREATE INDEX ON grids USING gist (geom);
		CREATE INDEX ON pieces USING gist (geom)`)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "VACUUM ANALYZE")
	return err
}

// join is the processor time that one join takes PostgreSQL, and compares its
// answers with ours.
func (b *bench) join(ctx context.Context, conn *pgx.Conn, d *district, from string) (sample, agreement, error) {
	want, got := make([]grid.ID, joinPoints), make([]grid.ID, joinPoints)
	d.index.LocateAll(want, d.random[:joinPoints])
	rows, err := conn.Query(ctx, "SELECT p.n, g.id FROM "+from)
	if err != nil {
		return nil, agreement{}, err
	}
	var n, id int
	_, err = pgx.ForEachRow(rows, []any{&n, &id}, func() error { got[n] = grid.ID(id); return nil })
	if err != nil {
		return nil, agreement{}, err
	}
	a := compare(d.index, d.random, want, got)
	if err := a.tooFar("PostGIS", explainedM); err != nil {
		return nil, a, err
	}
	var pid int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return nil, a, err
	}
	if processCPU(pid) == 0 {
		return nil, a, errors.New("/proc does not tell the processor time of PostgreSQL")
	}
	s, err := measure(b.rounds, joinPoints, func() time.Duration { return processCPU(pid) }, func() error {
		var count, sum int
		return conn.QueryRow(ctx, "SELECT count(*), sum(g.id) FROM "+from).Scan(&count, &sum)
	})
	return s, a, err
}

// queries times one query a point, each waiting for the one before, as a
// service asks.
func (b *bench) queries(ctx context.Context, conn *pgx.Conn, d *district, sql string) (sample, agreement, error) {
	pts := d.random[:queryPoints]
	want, got := make([]grid.ID, len(pts)), make([]grid.ID, len(pts))
	d.index.LocateAll(want, pts)
	s, err := clock(min(b.rounds, 3), len(pts), func() error {
		for i, p := range pts {
			var id int
			if err := conn.QueryRow(ctx, sql, p[0], p[1]).Scan(&id); err != nil && err != pgx.ErrNoRows {
				return err
			}
			got[i] = grid.ID(id)
		}
		return nil
	})
	if err != nil {
		return nil, agreement{}, err
	}
	a := compare(d.index, pts, want, got)
	return s, a, a.tooFar("PostGIS", explainedM)
}
