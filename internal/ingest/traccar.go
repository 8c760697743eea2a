package ingest

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"lianqin/internal/patrol"
)

// traccar is the JSON of Traccar Client 9, which is that of the location
// library in it. Source: traccar.org/osmand and the library's "Location Data
// Schema".
type traccar struct {
	DeviceID text             `json:"device_id"`
	Unit     text             `json:"unit"` // ours, for gateways
	Location *traccarLocation `json:"location"`
}

type traccarLocation struct {
	Timestamp text `json:"timestamp"` // ISO 8601, or milliseconds
	Coords    struct {
		Latitude  number `json:"latitude"`
		Longitude number `json:"longitude"`
		Accuracy  number `json:"accuracy"` // m; negative is unknown, as below
		Speed     number `json:"speed"`    // m/s
		Heading   number `json:"heading"`
		Altitude  number `json:"altitude"`
	} `json:"coords"`
	Mock    yes `json:"mock"`
	Battery struct {
		Level      number `json:"level"` // 0 to 1
		IsCharging yes    `json:"is_charging"`
	} `json:"battery"`
	Extras json.RawMessage `json:"extras"` // {"alarm":"sos"} from the button
}

func (m *traccar) source() patrol.Source { return patrol.FromTraccar }
func (m *traccar) identity() string      { return string(m.DeviceID) }

func (m *traccar) report(_ *patrol.Device, zone *time.Location) (report, bool) {
	r := newReport()
	l := m.Location
	if l == nil {
		return r, false // a registration for notifications
	}
	r.unit = string(m.Unit)
	c := &l.Coords
	r.lat, r.lon = c.Latitude.orNaN(), c.Longitude.orNaN()
	if ms, err := strconv.ParseInt(string(l.Timestamp), 10, 64); err == nil {
		r.setMillis(float64(ms))
	} else if l.Timestamp != "" {
		r.setISO(string(l.Timestamp), zone)
	}
	r.accuracyM, r.speedMPS, r.heading, r.altitudeM = c.Accuracy.orNaN(), c.Speed.orNaN(), c.Heading.orNaN(), c.Altitude.orNaN()
	if r.battery = l.Battery.Level.orNaN(); !math.Signbit(r.battery) {
		r.battery *= 100
	}
	if l.Battery.IsCharging {
		r.flags |= patrol.Charging
	}
	if l.Mock {
		r.flags |= patrol.Mocked
	}
	var extras struct {
		Alarm text `json:"alarm"`
	}
	if json.Unmarshal(l.Extras, &extras) == nil && extras.Alarm == "sos" { // extras may be anything
		r.flags |= patrol.SOS
	}
	return r, true
}
