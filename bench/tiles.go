package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/encoding/wkb"

	"lianqin/internal/grid"
)

// tiles is the figure of vector tiles of all zooms from 10 to 16.
func tiles(ctx context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	ours, err := startService(ctx, "Lianqin, gzipped", "lianqin", "")
	if err != nil {
		return err
	}
	defer ours.stop()
	services := []*service{ours}
	peer, missing := b.startPGTiles(ctx, d.gen)
	if missing == nil {
		defer peer.stop()
		services = append(services, peer)
	}
	targets, err := tilesOf(ours, d.gen.Bound())
	if err != nil {
		return err
	}
	var requests [][]byte
	for _, target := range targets {
		requests = append(requests, httpRequest("GET", target, "Accept-Encoding: gzip\r\n", nil))
	}
	t := loadTable(fmt.Sprintf("Grid tiles z10–z16, the %s that are not empty by turns, %d connections", number(float64(len(targets))), connections))
	if missing != nil {
		t.note("PostGIS was not measured: %v", missing)
	} else {
		same, compared, err := checkTiles(services, targets)
		if err != nil {
			return err
		}
		t.note("Of %d tiles compared, %d show the same grids in both; the rest differ in a few grids at the buffer around the tile.", compared, same)
		t.note("pg_tileserv is no Go module that can be required; its query, through pgx and net/http, stands for it. Ours also holds borders and labels, and is compressed; PostGIS's is not. Its “server µs” leave out PostgreSQL's own processes.")
	}
	r, err := pressure(ctx, b.rounds, services, [][][]byte{requests, requests}[:len(services)], skipHTTP)
	if err != nil {
		return err
	}
	t.load(services[0].name, r[0], atLeast(r[0].rate.median(), 30_000))
	for i, s := range services[1:] {
		t.load(s.name, r[i+1], "")
	}
	t.note("%s", costNote)
	t.print()
	return nil
}

// tilesOf are the tiles in which there is anything to see, in no order.
func tilesOf(s *service, b orb.Bound) ([]string, error) {
	var out []string
	for z := 10; z <= 16; z++ {
		minX, minY := tileAt(z, b.LeftTop())
		maxX, maxY := tileAt(z, b.RightBottom())
		for x := minX; x <= maxX; x++ {
			for y := minY; y <= maxY; y++ {
				target := fmt.Sprintf("/tiles/grids/%d/%d/%d.mvt", z, x, y)
				body, err := fetch("http://"+s.addr+target, "gzip")
				if err != nil {
					return nil, err
				}
				if len(body) > 0 {
					out = append(out, target)
				}
			}
		}
	}
	rand.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out, nil
}

// startPGTiles is the peer that needs PostgreSQL.
func (b *bench) startPGTiles(ctx context.Context, g *grid.Generation) (*service, error) {
	c, err := b.postgres(ctx)
	if err != nil {
		return nil, err
	}
	if err := fillTiles(ctx, c, g); err != nil {
		return nil, err
	}
	return startService(ctx, "PostGIS ST_AsMVT through pgx, 4 connections", "pgtiles", c.dsn())
}

func tileAt(z int, p orb.Point) (x, y int) {
	n := math.Ldexp(1, z)
	lat := p[1] * math.Pi / 180
	return int((p[0] + 180) / 360 * n), int((1 - math.Asinh(math.Tan(lat))/math.Pi) / 2 * n)
}

func fillTiles(ctx context.Context, c *cluster, g *grid.Generation) error {
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS postgis; CREATE TABLE tile_grids (id int, code text, name text, kind text, street text, geom geometry(MultiPolygon, 4326))")
	if err != nil {
		return err
	}
	for _, d := range g.Grids() {
		area, err := wkb.Marshal(g.Polygon(d.ID))
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "INSERT INTO tile_grids VALUES ($1, $2, $3, $4, $5, ST_GeomFromWKB($6, 4326))",
			int32(d.ID), d.Code, d.Name, string(d.Kind), d.Street, area)
		if err != nil {
			return err
		}
	}
	if _, err = conn.Exec(ctx, "CREATE INDEX ON tile_grids USING gist (geom)"); err == nil {
		_, err = conn.Exec(ctx, "VACUUM ANALYZE tile_grids")
	}
	return err
}

// checkTiles reads a part of the tiles from both services and counts those
// that show the same grids. A grid that only one of them shows must lie at the
// tile's buffer; a tile that has grids in one and none in the other is an
// error.
func checkTiles(services []*service, targets []string) (same, compared int, err error) {
	for i := 0; i < len(targets); i += max(1, len(targets)/200) {
		var sets [2]map[float64]bool
		for k, s := range services {
			body, err := fetch("http://"+s.addr+targets[i], "identity")
			if err != nil {
				return 0, 0, err
			}
			if sets[k], err = gridsOfTile(body); err != nil {
				return 0, 0, fmt.Errorf("%s %s: %w", s.name, targets[i], err)
			}
		}
		compared++
		if equal(sets[0], sets[1]) {
			same++
		} else if len(sets[0]) == 0 || len(sets[1]) == 0 || len(sets[0])*2 < len(sets[1]) || len(sets[1])*2 < len(sets[0]) {
			return 0, 0, fmt.Errorf("%s: %d grids in ours, %d in PostGIS's", targets[i], len(sets[0]), len(sets[1]))
		}
	}
	return same, compared, nil
}

func equal(a, b map[float64]bool) bool {
	for id := range a {
		if !b[id] {
			return false
		}
	}
	return len(a) == len(b)
}

func gridsOfTile(body []byte) (map[float64]bool, error) {
	ids := make(map[float64]bool)
	if len(body) == 0 {
		return ids, nil
	}
	layers, err := mvt.Unmarshal(body)
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		if l.Name != "grids" {
			continue
		}
		for _, f := range l.Features {
			id, ok := f.Properties["id"].(float64)
			if !ok {
				return nil, fmt.Errorf("grid without id: %v", f.Properties)
			}
			ids[id] = true
		}
	}
	return ids, nil
}
