package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"
	"github.com/tidwall/redcon"

	"lianqin/geodata"
	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/grid"
	"lianqin/internal/httpapi"
	"lianqin/internal/store"
)

// serve is the other side of a figure over the network, in a process of its
// own: "bench serve WHAT ARGUMENT". It listens on a free port of the loopback,
// prints the address, and ends when standard input does, so that it never
// outlives who started it.
func serve(what, argument string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	run, err := server(what, argument)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- run(l) }()
	fmt.Println(l.Addr())
	ended := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(ended) }()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return nil
	}
}

func server(what, argument string) (func(net.Listener) error, error) {
	switch what {
	case "lianqin":
		return serveLianqin()
	case "gin":
		return serveGin(argument)
	case "parts":
		return serveParts()
	case "pgtiles":
		return servePGTiles(argument)
	}
	return nil, errors.New("no server " + what)
}

// newAPI is the whole HTTP service of the demonstration district, without the
// limit on one caller's requests. It returns when the service has done what it
// does beforehand.
func newAPI(gen *grid.Generation) (*httpapi.API, error) {
	catalogue, err := casework.ReadCatalogue(reader(geodata.Departments), reader(geodata.Catalogue))
	if err != nil {
		return nil, err
	}
	atlas, gate, err := inForce(gen)
	if err != nil {
		return nil, err
	}
	api, err := httpapi.New(httpapi.Config{Gate: gate, Atlas: atlas, Public: []auth.Action{auth.ReadMap},
		Catalogue: catalogue, Limits: httpapi.Limits{Rate: -1}})
	if err != nil {
		return nil, err
	}
	for used := selfCPU(); ; {
		time.Sleep(250 * time.Millisecond)
		now := selfCPU()
		if now-used < 10*time.Millisecond {
			return api, nil
		}
		used = now
	}
}

// inForce enters gen into a database of its own, which lasts as long as the
// program.
func inForce(gen *grid.Generation) (*grid.Atlas, *auth.Gate, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lianqin-bench-*")
	if err != nil {
		return nil, nil, err
	}
	st, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "bench.db"), store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	a, err := grid.Open(ctx, st.Generations(), nil)
	if err != nil {
		return nil, nil, err
	}
	r, err := a.Import(ctx, grid.Import{Streets: gen.Streets(), Areas: grid.AreasOf(gen), Author: "bench"})
	if err != nil {
		return nil, nil, err
	}
	if _, err := a.Check(ctx, r.Number, 0, "bench"); err != nil {
		return nil, nil, err
	}
	_, err = a.Publish(ctx, grid.Publication{Number: r.Number, From: time.Unix(0, 0), By: "bench"})
	return a, auth.NewGate(st.Accounts(), time.Now), errors.Join(err, os.RemoveAll(dir))
}

func demonstration(scale int) (*grid.Generation, error) {
	src, err := demo.District(demo.Options{Scale: scale})
	if err != nil {
		return nil, err
	}
	return grid.New(1, src)
}

func serveLianqin() (func(net.Listener) error, error) {
	gen, err := demonstration(1)
	if err != nil {
		return nil, err
	}
	api, err := newAPI(gen)
	if err != nil {
		return nil, err
	}
	return func(l net.Listener) error { return api.Serve(context.Background(), l) }, nil
}

// serveGin answers a constant of so many bytes, whatever was asked.
func serveGin(length string) (func(net.Listener) error, error) {
	n, err := strconv.Atoi(length)
	if err != nil {
		return nil, err
	}
	body := bytes.Repeat([]byte("x"), n)
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.GET("/api/v1/resolve", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", body) })
	return func(l net.Listener) error { return http.Serve(l, e) }, nil
}

// serveParts speaks Tile38's protocol and finds as Tile38 does, made of the
// libraries that Tile38 is made of (redcon, rtree, geojson), without its
// command parser, cursors and log: AT lon lat answers the number of the grid.
// Tile38 itself can only be slower.
func serveParts() (func(net.Listener) error, error) {
	gen, err := demonstration(1)
	if err != nil {
		return nil, err
	}
	f, err := buildTidwall(gen)
	if err != nil {
		return nil, err
	}
	answer := func(c redcon.Conn, cmd redcon.Command) {
		if len(cmd.Args) != 3 {
			c.WriteError("ERR AT lon lat")
			return
		}
		lon, err1 := strconv.ParseFloat(string(cmd.Args[1]), 64)
		lat, err2 := strconv.ParseFloat(string(cmd.Args[2]), 64)
		if err := errors.Join(err1, err2); err != nil {
			c.WriteError("ERR " + err.Error())
			return
		}
		var id [1]grid.ID
		f.find(id[:], []orb.Point{{lon, lat}})
		c.WriteInt(int(id[0]))
	}
	return func(l net.Listener) error {
		return redcon.Serve(l, answer, func(redcon.Conn) bool { return true }, nil)
	}, nil
}

// pgTile is the query that pg_tileserv makes for a table in WGS-84, with our
// tiles' buffer.
const pgTile = `
SELECT ST_AsMVT(t, 'grids', 4096, 'geom') FROM (
	SELECT ST_AsMVTGeom(ST_Transform(ST_Force2D(g.geom), 3857), b.clip, 4096, 128) AS geom, g.id, g.code, g.name, g.kind, g.street
	FROM tile_grids g, (SELECT ST_TileEnvelope($1, $2, $3) AS clip, ST_TileEnvelope($1, $2, $3, margin => 0.03125) AS reach) b
	WHERE ST_Intersects(g.geom, ST_Transform(b.reach, 4326))
) t`

// servePGTiles answers tiles made by PostGIS for each request, as pg_tileserv
// does: one query from a pool of four connections, no cache, no compression.
func servePGTiles(dsn string) (func(net.Listener) error, error) {
	pool, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tiles/grids/{z}/{x}/{y}", func(w http.ResponseWriter, r *http.Request) {
		var z, x, y int
		if _, err := fmt.Sscanf(r.PathValue("z")+" "+r.PathValue("x")+" "+r.PathValue("y"), "%d %d %d.mvt", &z, &x, &y); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		var tile []byte
		if err := pool.QueryRow(r.Context(), pgTile, z, x, y).Scan(&tile); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if len(tile) == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.mapbox-vector-tile")
		_, _ = w.Write(tile)
	})
	return func(l net.Listener) error { return http.Serve(l, mux) }, nil
}
