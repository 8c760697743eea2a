package ingest

import (
	"github.com/prometheus/client_golang/prometheus"

	"lianqin/internal/patrol"
)

// counters are a Station's figures.
type counters struct {
	fixes       *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	others      *prometheus.CounterVec
	failures    *prometheus.CounterVec
	connections *prometheus.GaugeVec
	turnedAway  *prometheus.CounterVec
	bySource    [len(patrol.Sources)]prometheus.Counter // of fixes, looked up once
}

func newCounters() *counters {
	c := &counters{
		fixes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lianqin_ingest_fixes_total", Help: "Positions taken in, by the form in which they came. Off-duty and doubtful ones are among them.",
		}, []string{"source"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lianqin_ingest_refused_total", Help: "Reports that are no position of a unit, by form and reason.",
		}, []string{"source", "reason"}),
		others: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lianqin_ingest_other_total", Help: "Messages that carry no position: heartbeats, registrations, cards.",
		}, []string{"source"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lianqin_ingest_unavailable_total", Help: "Messages that could not be kept, so that the device has to send them again.",
		}, []string{"source"}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "lianqin_ingest_connections", Help: "Connections of devices now, by listener.",
		}, []string{"listener"}),
		turnedAway: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lianqin_ingest_turned_away_total", Help: "Connections closed at once because there were too many.",
		}, []string{"listener"}),
	}
	for i, name := range patrol.Sources {
		c.bySource[i] = c.fixes.WithLabelValues(name)
	}
	return c
}

func (c *counters) accepted(source patrol.Source, n int) { c.bySource[source].Add(float64(n)) }
func (c *counters) refused(source patrol.Source, reason patrol.Reason, n int) {
	c.refusals.WithLabelValues(source.String(), string(reason)).Add(float64(n))
}
func (c *counters) other(source patrol.Source)  { c.others.WithLabelValues(source.String()).Inc() }
func (c *counters) failed(source patrol.Source) { c.failures.WithLabelValues(source.String()).Inc() }

func (c *counters) all() []prometheus.Collector {
	return []prometheus.Collector{c.fixes, c.refusals, c.others, c.failures, c.connections, c.turnedAway}
}

// Describe is prometheus.Collector's.
func (c *counters) Describe(ch chan<- *prometheus.Desc) {
	for _, v := range c.all() {
		v.Describe(ch)
	}
}

// Collect is prometheus.Collector's.
func (c *counters) Collect(ch chan<- prometheus.Metric) {
	for _, v := range c.all() {
		v.Collect(ch)
	}
}
