package ingest

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/patrol"
)

// osmAnd is a request with parameters, in its address or as a form: of OsmAnd,
// of Traccar Client up to 8 (in the address, by POST) and from 10 on (a form),
// and of many small trackers. Source: traccar.org/osmand, and OsmAnd's
// documentation of online tracking.
type osmAnd url.Values

// metresPerSecond is one knot.
const metresPerSecond = 1852.0 / 3600

func (m osmAnd) source() patrol.Source { return patrol.FromOsmAnd }

// first is the value of the first of the names that has one.
func (m osmAnd) first(names ...string) string {
	for _, name := range names {
		if v := m[name]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return ""
}

func (m osmAnd) identity() string { return m.first("id", "deviceid") }

func (m osmAnd) hasPosition() bool { return m.first("lat", "lon", "location") != "" }

// report is what m says of a position. A message without one is no report: a
// heartbeat has an id and a time, a registration for notifications a token.
func (m osmAnd) report(d *patrol.Device, zone *time.Location) (report, bool) {
	r := newReport()
	if !m.hasPosition() {
		return r, false
	}
	lat, lon := m.first("lat"), m.first("lon")
	if lat == "" && lon == "" {
		lat, lon, _ = strings.Cut(m.first("location"), ",")
	}
	r.lat, r.lon = decimal(lat), decimal(lon)
	r.unit = m.first("unit")
	r.setOsmAndTime(m.first("timestamp"), zone)
	r.speedMPS = decimal(m.first("speed"))
	r.accuracyM = decimal(m.first("accuracy"))
	if d.SpeedMPS { // the OsmAnd app, which also puts its accuracy where the HDOP should be
		if math.IsNaN(r.accuracyM) {
			r.accuracyM = decimal(m.first("hdop"))
		}
	} else {
		r.speedMPS *= metresPerSecond
	}
	r.heading = decimal(m.first("bearing", "heading"))
	r.altitudeM = decimal(m.first("altitude"))
	r.battery = decimal(m.first("batt"))
	for name, flag := range map[string]patrol.Flags{"charge": patrol.Charging, "mock": patrol.Mocked} {
		if v := m.first(name); v == "1" || strings.EqualFold(v, "true") {
			r.flags |= flag
		}
	}
	if strings.EqualFold(m.first("alarm"), "sos") {
		r.flags |= patrol.SOS
	}
	if v := m.first("valid"); v != "" && v != "1" && !strings.EqualFold(v, "true") {
		r.invalid = fmt.Sprintf("the device says that it has no position: valid=%.10q", v)
	}
	return r, true
}

// setOsmAndTime takes a time in one of the forms that the protocol has: whole
// seconds below 2^31, else milliseconds; ISO 8601; or a local time in zone.
func (r *report) setOsmAndTime(s string, zone *time.Location) {
	if s == "" {
		return
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n <= math.MaxInt32 {
			n *= 1000
		}
		r.setMillis(float64(n))
		return
	}
	r.setISO(s, zone)
}

// isoForms are how devices write a time, with and without its zone; a second's
// fraction may follow any of them.
var isoForms = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", time.DateTime}

func (r *report) setISO(s string, zone *time.Location) {
	for _, form := range isoForms {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			r.setMillis(float64(t.UnixMilli()))
			return
		}
	}
	r.badTime = fmt.Sprintf("timestamp: %.40q is not a time", s)
}

// decimal is the number s, or NaN.
func decimal(s string) float64 {
	if len(s) > 64 || strings.ContainsAny(s, "xXpP_") {
		return math.NaN() // Go's own forms
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
