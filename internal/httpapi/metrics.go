package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lianqin/internal/grid"
	"lianqin/internal/ingest"
	"lianqin/internal/live"
)

// metrics are this API's own, so that several can live in one process.
type metrics struct {
	handler    http.Handler
	requests   *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	points     [3]prometheus.Counter // by outcome
	generation *prometheus.GaugeVec
	panics     prometheus.Counter
	limited    prometheus.Counter
}

// outcome is what became of one point.
type outcome uint8

const (
	inside outcome = iota
	outside
	invalid
)

func newMetrics(version string, devices *ingest.Station, hub *live.Hub) *metrics {
	r := prometheus.NewRegistry()
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lianqin_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lianqin_http_request_seconds", Help: "Time from a request's header to the end of its answer.",
			Buckets: []float64{.00005, .0002, .001, .005, .025, .1, .5, 2, 10},
		}, []string{"method", "route"}),
		generation: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "lianqin_generation_info", Help: "The generation in force; its number of grids.",
		}, []string{"number", "hash"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lianqin_http_panics_total", Help: "Requests that ended in a panic.",
		}),
		limited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lianqin_http_rate_limited_total", Help: "Requests refused by the rate limit.",
		}),
	}
	points := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lianqin_resolved_points_total", Help: "Points resolved, one by one and in batches, by outcome.",
	}, []string{"outcome"})
	for i, name := range [...]string{"inside", "outside", "invalid"} {
		m.points[i] = points.WithLabelValues(name)
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lianqin_build_info", Help: "The program's version.",
	}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	r.MustRegister(m.requests, m.seconds, m.generation, m.panics, m.limited, points, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if devices != nil {
		r.MustRegister(devices)
	}
	if hub != nil {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "lianqin_live_readers", Help: "Readers of the live stream now.",
		}, func() float64 { return float64(hub.Figures().Readers) }), prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "lianqin_live_frames_total", Help: "Frames encoded: one a second for each jurisdiction that is read, and snapshots.",
		}, func() float64 { return float64(hub.Figures().Frames) }))
	}
	m.handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) published(g *grid.Generation) {
	m.generation.Reset()
	m.generation.WithLabelValues(strconv.Itoa(g.Number()), g.Hash()).Set(float64(len(g.Grids())))
}

// routeFigures are the series of one route, looked up once.
type routeFigures struct {
	all     *prometheus.CounterVec
	ok      prometheus.Counter
	seconds prometheus.Observer
}

func (m *metrics) route(r route) *routeFigures {
	if r.path == "" {
		r.method, r.path = "other", "other" // methods come from outside, without bound
	}
	labels := prometheus.Labels{"method": r.method, "route": r.path}
	all := m.requests.MustCurryWith(labels)
	return &routeFigures{all: all, ok: all.WithLabelValues("200"), seconds: m.seconds.With(labels)}
}

func (f *routeFigures) done(status int, took time.Duration) {
	if status == http.StatusOK {
		f.ok.Inc()
	} else {
		f.all.WithLabelValues(strconv.Itoa(status)).Inc()
	}
	f.seconds.Observe(took.Seconds())
}

func (a *API) scrape(c *gin.Context) error {
	a.metrics.handler.ServeHTTP(c.Writer, c.Request)
	return nil
}
