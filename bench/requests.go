package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/encoding/wkb"

	"lianqin/internal/grid"
)

// degrees prints as clients do, with seven decimals.
func degrees(v float64) string { return strconv.FormatFloat(v, 'f', 7, 64) }

// get is the figure of GET /api/v1/resolve.
func get(ctx context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	ours, err := startService(ctx, "Lianqin, GET /api/v1/resolve", "lianqin", "")
	if err != nil {
		return err
	}
	defer ours.stop()
	const distinct = 4096
	var targets []string
	var requests, commands [][]byte
	for _, p := range d.random[:distinct] {
		lon, lat := degrees(p[0]), degrees(p[1])
		targets = append(targets, "/api/v1/resolve?lon="+lon+"&lat="+lat)
		requests = append(requests, httpRequest("GET", targets[len(targets)-1], "", nil))
		commands = append(commands, fmt.Appendf(nil, "*3\r\n$2\r\nAT\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(lon), lon, len(lat), lat))
	}
	size, err := checkGet(ours.addr, targets[:500], d)
	if err != nil {
		return err
	}
	bare, err := startService(ctx, fmt.Sprintf("a bare Gin handler, %d constant bytes", size), "gin", strconv.Itoa(size))
	if err != nil {
		return err
	}
	defer bare.stop()
	parts, err := startService(ctx, "Tile38's parts (redcon, rtree, geojson), RESP", "parts", "")
	if err != nil {
		return err
	}
	defer parts.stop()
	r, err := pressure(ctx, b.rounds, []*service{ours, bare}, [][][]byte{requests, requests}, skipHTTP)
	if err != nil {
		return err
	}
	p, err := pressure(ctx, b.rounds, []*service{parts}, [][][]byte{commands}, skipRESP)
	if err != nil {
		return err
	}
	t := loadTable(fmt.Sprintf("GET /api/v1/resolve, %d keep-alive connections", connections))
	share := r[0].rate.median() / r[1].rate.median()
	t.load(ours.name, r[0], atLeast(100*share, 90)+" % of Gin")
	t.load(bare.name, r[1], "")
	t.load(parts.name, p[0], "")
	t.note("Ours answers %d bytes on average; 500 answers were read and name the grids that Locate finds.", size)
	t.note("%s", costNote)
	t.note("%s", tile38Note)
	t.print()
	return nil
}

const (
	costNote = "Server and load generator are two processes on the same cores. The generator is the same for all: it writes prepared requests, reads the status line and skips the body, so that what it costs it costs all alike. “Server µs” is the processor time of the server process alone, in 10 ms steps."

	tile38Note = "Tile38 itself is not on the module proxy. Its parts, put together without its command parser, cursors and log, stand for the most it could reach."
)

// loadTable has a row for each service.
func loadTable(title string) *table {
	return &table{title: title, head: []string{"", "requests/s, median", "most", "server µs", "target"}}
}

func (t *table) load(name string, r loadResult, target string) {
	t.row(name, number(r.rate.median()), number(r.rate.max()), orDash(r.cpuUS.median()), target)
}

// startServices starts servers of {name, what, dsn}; stop ends those that run.
func startServices(ctx context.Context, specs [][3]string) (services []*service, stop func(), err error) {
	stop = func() {
		for _, s := range services {
			s.stop()
		}
	}
	for _, spec := range specs {
		s, err := startService(ctx, spec[0], spec[1], spec[2])
		if err != nil {
			return services, stop, err
		}
		services = append(services, s)
	}
	return services, stop, nil
}

// checkGet compares answers with the index and is their mean length.
func checkGet(addr string, targets []string, d *district) (int, error) {
	bytes := 0
	for i, target := range targets {
		body, err := fetch("http://"+addr+target, "")
		if err != nil {
			return 0, err
		}
		bytes += len(body)
		var a answer
		if err := json.Unmarshal(body, &a); err != nil {
			return 0, fmt.Errorf("%s: %w", target, err)
		}
		want, _ := d.index.Locate(orb.Point{a.Lon, a.Lat})
		if a.Grid == nil || a.Grid.ID != want {
			return 0, fmt.Errorf("%s: %s, want grid %d at %v", target, body, want, d.random[i])
		}
	}
	return bytes / len(targets), nil
}

// fetch reads one answer; an empty one counts.
func fetch(url, encoding string) ([]byte, error) {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return nil, err
	}
	if encoding != "" {
		req.Header.Set("Accept-Encoding", encoding)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	return body, err
}

// post is the figure of POST /api/v1/resolve over HTTP.
func post(ctx context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	services, stop, err := startServices(ctx, [][3]string{{"Lianqin, POST /api/v1/resolve", "lianqin"}})
	defer stop()
	if err != nil {
		return err
	}
	var requests [][]byte
	for _, body := range bodies(d, 64) {
		requests = append(requests, httpRequest("POST", "/api/v1/resolve", "Content-Type: application/json\r\n", body))
	}
	r, err := pressure(ctx, b.rounds, services, [][][]byte{requests}, skipHTTP)
	if err != nil {
		return err
	}
	points := r[0].rate.median() * batchPoints / 1e6
	core := batchPoints / r[0].cpuUS.median()
	t := table{
		title: fmt.Sprintf("POST /api/v1/resolve, %d points JSON, over HTTP, %d connections", batchPoints, connections),
		head:  []string{"", "M points/s, median", "most", "M points/s a core of the server", "target"},
	}
	t.row(services[0].name, number(points), number(r[0].rate.max()*batchPoints/1e6), orDash(core), atLeast(core, 1)+" M a core")
	t.note("%s", costNote)
	t.print()
	return nil
}

// tiles is the figure of vector tiles of all zooms from 10 to 16.
func tiles(ctx context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	c, err := b.postgres(ctx)
	if err != nil {
		return err
	}
	if err := fillTiles(ctx, c, d.gen); err != nil {
		return err
	}
	services, stop, err := startServices(ctx, [][3]string{
		{"Lianqin, gzipped", "lianqin"}, {"PostGIS ST_AsMVT through pgx, 4 connections", "pgtiles", c.dsn()},
	})
	defer stop()
	if err != nil {
		return err
	}
	var targets []string
	var requests [][]byte
	for z := 10; z <= 16; z++ {
		minX, minY := tileAt(z, d.gen.Bound().LeftTop())
		maxX, maxY := tileAt(z, d.gen.Bound().RightBottom())
		for x := minX; x <= maxX; x++ {
			for y := minY; y <= maxY; y++ {
				targets = append(targets, fmt.Sprintf("/tiles/grids/%d/%d/%d.mvt", z, x, y))
			}
		}
	}
	for i := range targets { // scattered, since neighbours cost alike
		requests = append(requests, httpRequest("GET", targets[i*7919%len(targets)], "Accept-Encoding: gzip\r\n", nil))
	}
	same, compared, err := checkTiles(services, targets)
	if err != nil {
		return err
	}
	r, err := pressure(ctx, b.rounds, services, [][][]byte{requests, requests}, skipHTTP)
	if err != nil {
		return err
	}
	t := loadTable(fmt.Sprintf("Grid tiles z10–z16, all %s of them by turns, %d connections", number(float64(len(targets))), connections))
	t.load(services[0].name, r[0], atLeast(r[0].rate.median(), 30_000))
	t.load(services[1].name, r[1], "")
	t.note("Of %d tiles compared, %d show the same grids in both; the rest differ in a few grids at the buffer around the tile.", compared, same)
	t.note("pg_tileserv is not on the module proxy; its query, through pgx and net/http, stands for it. Ours also holds borders and labels, and is compressed; PostGIS's is not. Its “server µs” leave out PostgreSQL's own processes.")
	t.note("%s", costNote)
	t.print()
	return nil
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
