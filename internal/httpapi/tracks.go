package httpapi

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/export"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

var trackParams = []string{"from", "to", "format"}

const (
	// maxTrack is the longest track that one request shows.
	maxTrack = 31 * 24 * time.Hour
	// maxFixes bounds what is held in memory: a fix a second for a week.
	maxFixes = 600_000
)

// track is what a unit did in a span: its fixes in order of time, parted.
type track struct {
	unit     *patrol.Unit
	from, to time.Time
	fixes    []patrol.Fix
	trips    []patrol.Trip
	stops    []patrol.Stop
}

// trackForm is a format of tracks.
type trackForm struct {
	name, mediaType string
	write           func(io.Writer, *track) error
}

var trackForms = []trackForm{
	{"geojson", geoJSONType, writeTrackGeoJSON},
	{"gpx", "application/gpx+xml", writeTrackGPX},
	{"csv", "text/csv; charset=utf-8; header=present", writeTrackCSV},
}

// showTrack answers GET /api/v1/units/{unit}/track. Every look is entered in
// the audit chain before anything is shown.
func (a *API) showTrack(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, trackParams)
	if err != nil {
		return err
	}
	form, err := trackFormOf(&p, c.Request.Header)
	if err != nil {
		return err
	}
	now := a.cfg.Now()
	from, to, err := p.span(0, 1, dayOf(now), now, maxTrack)
	if err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	u, err := s.unit(c.Param("unit"))
	if err != nil {
		return err
	}
	if a.cfg.Tracks == nil {
		return fault.New(fault.Unavailable, "tracks are not kept here")
	}
	if err := a.noteLook(c, "track.read", u.Code, map[string]any{"from": from.In(grid.Zone), "to": to.In(grid.Zone), "format": form.name}); err != nil {
		return err
	}
	t := &track{unit: u, from: from, to: to}
	if err := t.read(c, a.cfg.Tracks); err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Content-Type", form.mediaType)
	h["Cache-Control"] = noStore
	if form.name != "geojson" {
		name := u.Code + "-" + from.In(grid.Zone).Format("20060102") + "." + form.name
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	c.Status(http.StatusOK)
	_ = form.write(c.Writer, t) // to a reader that may have gone
	return nil
}

// noteLook enters in the audit chain that the caller looks at something
// private. Without that there is no look.
func (a *API) noteLook(c *gin.Context, action, subject string, what any) error {
	e := callerOf(c).Event(action, subject)
	e.After = auth.Detail(what)
	return a.cfg.Gate.Note(c.Request.Context(), e)
}

// dayOf is the midnight in Shanghai before t.
func dayOf(t time.Time) time.Time {
	t = t.In(grid.Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, grid.Zone)
}

// trackFormOf is the format that the query asks for, or the first that the
// caller accepts.
func trackFormOf(p *params, h http.Header) (*trackForm, error) {
	if p.has(2) {
		for i := range trackForms {
			if trackForms[i].name == p.values[2] {
				return &trackForms[i], nil
			}
		}
		return nil, fault.InvalidField("format", "%.40q is not geojson, gpx or csv", p.values[2])
	}
	for accepted := range strings.SplitSeq(strings.Join(h["Accept"], ","), ",") {
		media, _, _ := mime.ParseMediaType(accepted)
		for i := range trackForms {
			if own, _, _ := mime.ParseMediaType(trackForms[i].mediaType); media == own {
				return &trackForms[i], nil
			}
		}
	}
	return &trackForms[0], nil
}

func (t *track) read(c *gin.Context, tracks patrol.Tracks) error {
	err := tracks.Fixes(c.Request.Context(), t.unit.ID, t.from, t.to, func(fixes []patrol.Fix) error {
		if len(t.fixes)+len(fixes) > maxFixes {
			return fault.InvalidField("to", "more than %d positions; ask for a shorter time", maxFixes)
		}
		t.fixes = append(t.fixes, fixes...)
		return nil
	})
	if err != nil {
		return err
	}
	t.trips, t.stops = patrol.Journeys(t.fixes)
	return nil
}

func stamp(ms int64) string {
	return inZone(ms).Format("2006-01-02T15:04:05.999Z07:00")
}

// writeTrackGeoJSON writes a feature collection: the whole track with what is
// known of every fix, then its trips and its stops.
func writeTrackGeoJSON(w io.Writer, t *track) error {
	b := []byte(`{"type":"FeatureCollection","unit":`)
	b = appendString(b, t.unit.Code)
	b = append(b, `,"from":"`+stamp(t.from.UnixMilli())+`","to":"`+stamp(t.to.UnixMilli())+`","fixes":`...)
	b = strconv.AppendInt(b, int64(len(t.fixes)), 10)
	b = append(b, `,"features":[`...)
	features := 0
	feature := func(kind string, from, to int64, geometry func([]byte) []byte, more string) {
		b = append(comma(b, features), "\n{\"type\":\"Feature\",\"geometry\":"...)
		features++
		b = geometry(b)
		b = append(b, `,"properties":{"kind":"`+kind+`","from":"`+stamp(from)+`","to":"`+stamp(to)+`"`+more+`}}`...)
	}
	if n := len(t.fixes); n > 0 {
		feature("track", t.fixes[0].At, t.fixes[n-1].At, func(b []byte) []byte { return appendLine(b, t.fixes) }, fixColumns(t.fixes))
	}
	for _, trip := range t.trips {
		feature("trip", trip.From, trip.To, func(b []byte) []byte { return appendLine(b, t.fixes[trip.First:trip.Last+1]) },
			fmt.Sprintf(`,"length_m":%.0f,"fixes":%d`, trip.LengthM, trip.Last-trip.First+1))
	}
	for _, stop := range t.stops {
		feature("stop", stop.From, stop.To, func(b []byte) []byte {
			return append(appendCoord(append(b, `{"type":"Point","coordinates":`...), stop.Pos), '}')
		}, fmt.Sprintf(`,"fixes":%d`, stop.Last-stop.First+1))
	}
	_, err := w.Write(append(b, "\n]}\n"...))
	return err
}

// appendLine appends a line through fixes, or a point where there is but one.
func appendLine(b []byte, fixes []patrol.Fix) []byte {
	if len(fixes) == 1 {
		return append(appendCoord(append(b, `{"type":"Point","coordinates":`...), fixes[0].Pos), '}')
	}
	b = append(b, `{"type":"LineString","coordinates":[`...)
	for i := range fixes {
		b = appendCoord(comma(b, i), fixes[i].Pos)
	}
	return append(b, "]}"...)
}

// fixColumns are what is known of fixes beside where they are, a list for each
// property in their order; null is unknown.
func fixColumns(fixes []patrol.Fix) string {
	var b strings.Builder
	column := func(name string, value func(*patrol.Fix) string) {
		b.WriteString(`,"` + name + `":[`)
		for i := range fixes {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(value(&fixes[i]))
		}
		b.WriteByte(']')
	}
	column("times", func(f *patrol.Fix) string { return strconv.FormatInt(f.At, 10) })
	for _, m := range measures {
		column(m.name, func(f *patrol.Fix) string {
			if v := m.text(f); v != "" {
				return v
			}
			return "null"
		})
	}
	return b.String()
}

// measures are what fixes may have beside where and when; "" is unknown.
var measures = []struct {
	name string
	text func(*patrol.Fix) string
}{
	{"accuracy_m", func(f *patrol.Fix) string { return decimal(f.AccuracyM, f.AccuracyM > 0) }},
	{"speed_mps", func(f *patrol.Fix) string { return decimal(f.SpeedMPS, f.SpeedMPS >= 0) }},
	{"heading_deg", func(f *patrol.Fix) string { return decimal(f.HeadingDeg, f.HeadingDeg >= 0) }},
	{"altitude_m", func(f *patrol.Fix) string { return decimal(f.AltitudeM, f.AltitudeM != 0) }},
	{"battery_pct", func(f *patrol.Fix) string { return decimal(float32(f.BatteryPct), f.BatteryPct >= 0) }},
}

// decimal is v to a hundredth, or "" when it is not known.
func decimal(v float32, known bool) string {
	if !known || v != v {
		return ""
	}
	text := strconv.FormatFloat(float64(v), 'f', 2, 32)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// writeTrackCSV writes a row for every fix, with the trip or stop that it is
// of.
func writeTrackCSV(w io.Writer, t *track) error {
	out := csv.NewWriter(w)
	header := []string{"unit", "time", "lon", "lat"}
	for _, m := range measures {
		header = append(header, m.name)
	}
	_ = out.Write(append(header, "source", "part")) // errors come with Flush
	parts := t.parts()
	for i := range t.fixes {
		f := &t.fixes[i]
		p := f.Pos
		row := []string{export.Safe(t.unit.Code), stamp(f.At), string(appendDegrees(nil, p.X)), string(appendDegrees(nil, p.Y))}
		for _, m := range measures {
			row = append(row, m.text(f))
		}
		_ = out.Write(append(row, f.Source.String(), parts[i]))
	}
	out.Flush()
	return out.Error()
}

// parts names the trip or stop that each fix is of; one of both is the stop's.
func (t *track) parts() []string {
	parts := make([]string, len(t.fixes))
	for n, trip := range t.trips {
		for i := trip.First; i <= trip.Last; i++ {
			parts[i] = "trip " + strconv.Itoa(n+1)
		}
	}
	for n, stop := range t.stops {
		for i := stop.First; i <= stop.Last; i++ {
			parts[i] = "stop " + strconv.Itoa(n+1)
		}
	}
	return parts
}

// writeTrackGPX writes GPX 1.1 (topografix.com/GPX/1/1): a track for every
// trip and a waypoint for every stop.
func writeTrackGPX(w io.Writer, t *track) error {
	type point struct {
		Lat  string `xml:"lat,attr"`
		Lon  string `xml:"lon,attr"`
		Ele  string `xml:"ele,omitempty"`
		Time string `xml:"time,omitempty"`
		Name string `xml:"name,omitempty"`
		Desc string `xml:"desc,omitempty"`
	}
	type way struct {
		Name   string  `xml:"name"`
		Desc   string  `xml:"desc"`
		Points []point `xml:"trkseg>trkpt"`
	}
	doc := struct {
		XMLName   xml.Name `xml:"http://www.topografix.com/GPX/1/1 gpx"`
		Version   string   `xml:"version,attr"`
		Creator   string   `xml:"creator,attr"`
		Name      string   `xml:"metadata>name"`
		Time      string   `xml:"metadata>time"`
		Waypoints []point  `xml:"wpt"`
		Tracks    []way    `xml:"trk"`
	}{Version: "1.1", Creator: "Lianqin", Name: t.unit.Code, Time: utcStamp(t.from.UnixMilli())}
	for i, stop := range t.stops {
		doc.Waypoints = append(doc.Waypoints, point{Lat: string(appendDegrees(nil, stop.Pos.Y)), Lon: string(appendDegrees(nil, stop.Pos.X)),
			Time: utcStamp(stop.From), Name: fmt.Sprintf("停留 stop %d", i+1), Desc: stamp(stop.From) + " – " + stamp(stop.To)})
	}
	for i, trip := range t.trips {
		trk := way{Name: fmt.Sprintf("行程 trip %d", i+1), Desc: fmt.Sprintf("%.0f m", trip.LengthM)}
		for j := trip.First; j <= trip.Last; j++ {
			f := &t.fixes[j]
			trk.Points = append(trk.Points, point{Lat: string(appendDegrees(nil, f.Pos.Y)), Lon: string(appendDegrees(nil, f.Pos.X)),
				Ele: decimal(f.AltitudeM, f.AltitudeM != 0), Time: utcStamp(f.At)})
		}
		doc.Tracks = append(doc.Tracks, trk)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	return e.Encode(doc)
}

func utcStamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }
