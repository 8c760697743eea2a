package table

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"lianqin/internal/demo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// BenchmarkResolveCSV stamps a million rows of 80 bytes; one in three points of
// the box around the demonstration district lies outside it.
func BenchmarkResolveCSV(b *testing.B) {
	src, err := demo.District(demo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	gen, err := grid.New(1, src)
	if err != nil {
		b.Fatal(err)
	}
	index := locate.New(gen)
	const rows = 1_000_000
	in := reports(gen, rows)
	for b.Loop() {
		sum, err := Resolve(context.Background(), io.Discard, bytes.NewReader(in), gen, index, Options{Threads: runtime.GOMAXPROCS(0), MinDecimals: 2})
		if err != nil {
			b.Fatal(err)
		}
		if sum.Rows != rows || sum.Inside < rows/2 {
			b.Fatalf("%d rows, %d inside", sum.Rows, sum.Inside)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

// reports are rows as an export of cases has them, at random places in the box
// of gen.
func reports(gen *grid.Generation, rows int) []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	box := gen.Bound()
	out := []byte("id,time,item,lon,lat,address\n")
	for i := range rows {
		lon := box.Min[0] + rnd.Float64()*(box.Max[0]-box.Min[0])
		lat := box.Min[1] + rnd.Float64()*(box.Max[1]-box.Min[1])
		out = fmt.Appendf(out, "%d,2026-03-01T%02d:15:00+08:00,0101,%.6f,%.6f,嘉定区某路%d号\n", i, i%24, lon, lat, i%999)
	}
	return out
}
