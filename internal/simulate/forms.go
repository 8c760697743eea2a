package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The forms below are written from the formats' documentation: docs.osmand.net
// "Trip recording" and traccar.org/osmand for parameters, the JSON of
// Transistor Software's background-geolocation as Traccar Client 9 posts it,
// owntracks.org/booklet "JSON" and "HTTP".

const (
	knotMPS = 1852.0 / 3600 // one knot
	kmhMPS  = 1 / 3.6       // one kilometre an hour
)

// phonesPath is where phones' forms go, told apart by content.
const phonesPath = "ingest"

func post(u *url.URL, kind string, body []byte) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, u.String(), bytes.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", kind)
	}
	return req, err
}

func round(v float64, places int) float64 {
	p := math.Pow10(places)
	return math.Round(v*p) / p
}

// apiForm is our own JSON: a device's batch, or a gateway's of many units.
type apiForm struct{ gateway bool }

func (f apiForm) shared() bool { return f.gateway }
func (f apiForm) single() bool { return false }

type apiFix struct {
	Unit       string   `json:"unit,omitempty"`
	Time       int64    `json:"time"` // Unix milliseconds
	Lon        float64  `json:"lon"`
	Lat        float64  `json:"lat"`
	AccuracyM  float64  `json:"accuracy,omitempty"`
	SpeedMPS   *float64 `json:"speed,omitempty"`
	HeadingDeg *float64 `json:"heading,omitempty"`
	AltitudeM  float64  `json:"altitude,omitempty"`
	BatteryPct *int     `json:"battery,omitempty"`
	SOS        bool     `json:"sos,omitempty"`
}

// known is v, or nil where a negative number says that nobody knows.
func known[T int | float64](v T) *T {
	if v < 0 {
		return nil
	}
	return &v
}

func (f apiForm) request(base *url.URL, t *Target, reports []Report) (*http.Request, error) {
	body, err := f.body(t, reports)
	if err != nil {
		return nil, err
	}
	req, err := post(base.JoinPath("api/v1/positions"), "application/json", body)
	if err != nil {
		return nil, err
	}
	secret := t.Gateway
	if !f.gateway {
		secret = t.Devices[reports[0].Unit].Secret
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	return req, nil
}

func (f apiForm) body(t *Target, reports []Report) ([]byte, error) {
	fixes := make([]apiFix, len(reports))
	for i, r := range reports {
		p := r.Pos.Point()
		fixes[i] = apiFix{Time: r.At, Lon: p[0], Lat: p[1], AccuracyM: round(r.AccuracyM, 1), SpeedMPS: known(round(r.SpeedMPS, 2)),
			HeadingDeg: known(round(r.HeadingDeg, 1)), AltitudeM: round(r.AltitudeM, 1), BatteryPct: known(r.Battery), SOS: r.SOS}
		if f.gateway {
			fixes[i].Unit = t.Devices[r.Unit].Unit
		}
	}
	return json.Marshal(map[string]any{"positions": fixes})
}

// GatewayBody is reports as one request of the own API, by a gateway that
// names the unit of each.
func (t Target) GatewayBody(reports []Report) ([]byte, error) {
	return apiForm{gateway: true}.body(&t, reports)
}

// osmandForm is OsmAnd's and Traccar Client's up to 8: parameters of a GET.
type osmandForm struct{}

func (osmandForm) shared() bool { return false }
func (osmandForm) single() bool { return true }

func (osmandForm) request(base *url.URL, t *Target, reports []Report) (*http.Request, error) {
	r := &reports[0]
	p := r.Pos.Point()
	at := strconv.FormatInt(r.At, 10)
	if r.At%1000 == 0 { // the client's clock ticks in seconds
		at = strconv.FormatInt(r.At/1000, 10)
	}
	q := url.Values{
		"id": {t.Devices[r.Unit].Secret}, "timestamp": {at},
		"lat": {fmt.Sprintf("%.7f", p[1])}, "lon": {fmt.Sprintf("%.7f", p[0])},
		"altitude": {fmt.Sprintf("%.1f", r.AltitudeM)}, "accuracy": {fmt.Sprintf("%.1f", r.AccuracyM)},
	}
	if r.SpeedMPS >= 0 {
		q.Set("speed", fmt.Sprintf("%.2f", r.SpeedMPS/knotMPS))
	}
	if r.HeadingDeg >= 0 {
		q.Set("bearing", fmt.Sprintf("%.1f", r.HeadingDeg))
	}
	if r.Battery >= 0 {
		q.Set("batt", strconv.Itoa(r.Battery))
	}
	if r.SOS {
		q.Set("alarm", "sos")
	}
	u := base.JoinPath(phonesPath)
	u.RawQuery = q.Encode()
	return http.NewRequest(http.MethodGet, u.String(), nil)
}

// traccarForm is Traccar Client 9's JSON.
type traccarForm struct{}

func (traccarForm) shared() bool { return false }
func (traccarForm) single() bool { return true }

func (traccarForm) request(base *url.URL, t *Target, reports []Report) (*http.Request, error) {
	r := &reports[0]
	p := r.Pos.Point()
	location := map[string]any{
		"timestamp": time.UnixMilli(r.At).UTC().Format("2006-01-02T15:04:05.000Z"),
		"coords": map[string]any{"latitude": p[1], "longitude": p[0], "accuracy": round(r.AccuracyM, 1), "speed": round(r.SpeedMPS, 2),
			"heading": round(r.HeadingDeg, 1), "altitude": round(r.AltitudeM, 1)},
		"is_moving": r.SpeedMPS > 0, "odometer": 0, "event": "", "activity": map[string]any{"type": "unknown", "confidence": 100},
		"battery": map[string]any{"level": max(-1, float64(r.Battery)/100), "is_charging": false}, "extras": map[string]any{},
	}
	if r.SOS {
		location["extras"] = map[string]any{"alarm": "sos"}
	}
	body, err := json.Marshal(map[string]any{"device_id": t.Devices[r.Unit].Secret, "location": location})
	if err != nil {
		return nil, err
	}
	return post(base.JoinPath(phonesPath), "application/json", body)
}

// ownTracksForm is OwnTracks over HTTP.
type ownTracksForm struct{}

func (ownTracksForm) shared() bool { return false }
func (ownTracksForm) single() bool { return true }

func (ownTracksForm) request(base *url.URL, t *Target, reports []Report) (*http.Request, error) {
	r := &reports[0]
	body, err := ownTracksLocation(r)
	if err != nil {
		return nil, err
	}
	req, err := post(base.JoinPath(phonesPath), "application/json", body)
	if err != nil {
		return nil, err
	}
	d := &t.Devices[r.Unit]
	req.SetBasicAuth(d.Unit, d.Secret)
	req.Header.Set("X-Limit-U", d.Unit)
	req.Header.Set("X-Limit-D", "phone")
	return req, nil
}

// ownTracksLocation is one location message, over HTTP and MQTT alike.
func ownTracksLocation(r *Report) ([]byte, error) {
	p := r.Pos.Point()
	m := map[string]any{
		"_type": "location", "lat": p[1], "lon": p[0], "tst": r.At / 1000, "alt": int(math.Round(r.AltitudeM)),
		"tid": "p" + strconv.Itoa(r.Unit%10), "conn": "m", "created_at": r.At / 1000,
	}
	for name, v := range map[string]float64{"vel": r.SpeedMPS / kmhMPS, "cog": r.HeadingDeg, "batt": float64(r.Battery)} {
		if v >= 0 {
			m[name] = int(math.Round(v))
		}
	}
	if r.AccuracyM > 0 {
		m["acc"] = int(math.Ceil(r.AccuracyM))
	}
	if r.SOS {
		m["t"] = "u" // reported by hand; the format has no alarm
	}
	return json.Marshal(m)
}
