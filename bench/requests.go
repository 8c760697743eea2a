package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/paulmach/orb"
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

	tile38Note = "Tile38 itself is not run. Its parts, put together without its command parser, cursors and log, stand for the most it could reach."
)

// loadTable has a row for each service.
func loadTable(title string) *table {
	return &table{title: title, head: []string{"", "requests/s, median", "most", "server µs", "target"}}
}

func (t *table) load(name string, r loadResult, target string) {
	t.row(name, number(r.rate.median()), number(r.rate.max()), orDash(r.cpuUS.median()), target)
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
	ours, err := startService(ctx, "Lianqin, POST /api/v1/resolve", "lianqin", "")
	if err != nil {
		return err
	}
	defer ours.stop()
	var requests [][]byte
	for _, body := range bodies(d, 64) {
		requests = append(requests, httpRequest("POST", "/api/v1/resolve", "Content-Type: application/json\r\n", body))
	}
	r, err := pressure(ctx, b.rounds, []*service{ours}, [][][]byte{requests}, skipHTTP)
	if err != nil {
		return err
	}
	points := r[0].rate.median() * batchPoints / 1e6
	core := batchPoints / r[0].cpuUS.median()
	t := table{
		title: fmt.Sprintf("POST /api/v1/resolve, %d points JSON, over HTTP, %d connections", batchPoints, connections),
		head:  []string{"", "M points/s, median", "most", "M points/s a core of the server", "target"},
	}
	t.row(ours.name, number(points), number(r[0].rate.max()*batchPoints/1e6), orDash(core), atLeast(core, 1)+" M a core")
	t.note("%s", costNote)
	t.print()
	return nil
}
