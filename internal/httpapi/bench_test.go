package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/gin-gonic/gin"

	"lianqin/internal/grid"
)

// perCPU reports n things done in the benchmark as millions a second of
// processor time, all threads together: what a core does, however busy the
// machine is with others.
func perCPU(b *testing.B, n int, unit string) func() {
	before := cpuSeconds()
	return func() { b.ReportMetric(float64(n)*float64(b.N)/(cpuSeconds()-before)/1e6, "M"+unit+"/cpu-s") }
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// nullWriter takes an answer and forgets it.
type nullWriter struct {
	h http.Header
	n int
}

func (w *nullWriter) Header() http.Header         { return w.h }
func (w *nullWriter) Write(b []byte) (int, error) { w.n += len(b); return len(b), nil }
func (w *nullWriter) WriteHeader(int)             {}

func benchPoints(n int) string {
	rnd := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"lon":%.7f,"lat":%.7f}`, i, 121.12+0.24*rnd.Float64(), 31.25+0.24*rnd.Float64())
	}
	b.WriteByte(']')
	return b.String()
}

// BenchmarkDecodeJSON is the codec's first half alone.
func BenchmarkDecodeJSON(b *testing.B) {
	body := []byte(benchPoints(1000))
	points := make([]point, 0, 1000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if points, err = decodeJSON(body, 1000, points[:0]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds()/1e6, "Mpoints/s")
}

// BenchmarkResolvePost1000 is a whole request in process, on one goroutine,
// with what each parameter adds: over the lattice, whose borders are straight,
// and over the demonstration district.
func BenchmarkResolvePost1000(b *testing.B) {
	for _, d := range []struct {
		name string
		gen  *grid.Generation
	}{{"lattice", lattice(b, 20, 35)}, {"demonstration", demonstration(b)}} {
		a := newAPI(b, Config{}, d.gen)
		body := benchPoints(1000)
		<-shown(b, a).tiles.done
		for _, query := range []string{"", "?item=0101", "?border=1"} {
			b.Run(d.name+query, func(b *testing.B) {
				w := &nullWriter{h: http.Header{}}
				defer perCPU(b, 1000, "points")()
				b.ReportAllocs()
				for b.Loop() {
					r := httptest.NewRequest("POST", "/api/v1/resolve"+query, strings.NewReader(body))
					r.Header.Set("Content-Type", "application/json")
					a.ServeHTTP(w, r)
				}
				b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds()/1e6, "Mpoints/s")
				b.ReportMetric(float64(w.n)/float64(b.N)/1000, "bytes/point")
			})
		}
	}
}

// BenchmarkResolvePost1000HTTP is the same over loopback, the client on the
// same cores.
func BenchmarkResolvePost1000HTTP(b *testing.B) {
	a := newAPI(b, Config{}, lattice(b, 20, 35))
	srv := httptest.NewServer(a)
	defer srv.Close()
	body := []byte(benchPoints(1000))
	<-shown(b, a).tiles.done
	b.SetParallelism(2)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 256<<10)
		for pb.Next() {
			resp, err := http.Post(srv.URL+"/api/v1/resolve", "application/json", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf); err != nil || resp.StatusCode != 200 {
				b.Fatal(resp.Status, err)
			}
			resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds()/1e6, "Mpoints/s")
}

// BenchmarkResolveGet compares the route with a Gin handler that answers a
// constant, both in process and over loopback.
func BenchmarkResolveGet(b *testing.B) {
	a := newAPI(b, Config{}, lattice(b, 20, 35))
	<-shown(b, a).tiles.done
	gin.SetMode(gin.ReleaseMode)
	bare := gin.New()
	bare.GET("/api/v1/resolve", func(c *gin.Context) { c.Data(200, "application/json", []byte(`{"ok":true}`)) })
	const target = "/api/v1/resolve?lon=121.2471&lat=31.3831"
	for _, h := range []struct {
		name    string
		handler http.Handler
	}{{"bare", bare}, {"resolve", a}} {
		b.Run("inprocess/"+h.name, func(b *testing.B) {
			w := &nullWriter{h: http.Header{}}
			r := httptest.NewRequest("GET", target, nil)
			defer perCPU(b, 1, "req")()
			b.ReportAllocs()
			for b.Loop() {
				h.handler.ServeHTTP(w, r)
			}
		})
		b.Run("http/"+h.name, func(b *testing.B) {
			srv := httptest.NewServer(h.handler)
			defer srv.Close()
			tr := &http.Transport{MaxIdleConnsPerHost: 32}
			defer tr.CloseIdleConnections()
			client := &http.Client{Transport: tr}
			defer perCPU(b, 1, "req")()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := client.Get(srv.URL + target)
					if err != nil {
						b.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

// BenchmarkTile is a warm tile in process and over loopback, and a cold one.
func BenchmarkTile(b *testing.B) {
	a := newAPI(b, Config{}, lattice(b, 20, 35))
	d := shown(b, a)
	<-d.tiles.done
	const target = "/tiles/grids/14/13710/6688.mvt"
	if w := call(a, "GET", target, ""); w.Code != 200 {
		b.Fatal(w.Code, w.Body)
	}
	b.Run("warm", func(b *testing.B) {
		w := &nullWriter{h: http.Header{}}
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		for b.Loop() {
			a.ServeHTTP(w, r)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tiles/s")
	})
	b.Run("cold", func(b *testing.B) {
		level := d.tiles.levels[14]()
		for b.Loop() {
			newDocument(mvtType, level.encode(d, 13710, 6688))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tiles/s")
	})
	b.Run("whole district", func(b *testing.B) {
		for b.Loop() {
			fresh := newDistrict(d.index, 64<<20)
			<-fresh.tiles.warm(64 << 20).done
			b.ReportMetric(float64(fresh.tiles.held.Load())/1e6, "MB")
		}
	})
}
