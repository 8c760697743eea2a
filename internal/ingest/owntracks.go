package ingest

import (
	"time"

	"lianqin/internal/patrol"
)

// ownTracks is a message of OwnTracks, over HTTP or MQTT. Only _type=location
// is a position; the others (transition, waypoint, lwt, card, status and those
// to come) are taken and forgotten, but for encrypted ones. Source:
// owntracks.org/booklet, "JSON".
type ownTracks struct {
	Type text   `json:"_type"`
	Lat  number `json:"lat"`
	Lon  number `json:"lon"`
	Tst  number `json:"tst"` // Unix seconds
	Acc  number `json:"acc"` // m
	Alt  number `json:"alt"` // m
	Vel  number `json:"vel"` // km/h
	Cog  number `json:"cog"` // degrees
	Batt number `json:"batt"`
	BS   number `json:"bs"` // 2 is charging
	from patrol.Source
	user string // unit's code, for gateways
}

// charging is the battery status of one that is being charged.
const charging = 2

func (m *ownTracks) source() patrol.Source { return m.from }
func (m *ownTracks) identity() string      { return "" } // that of the connection, never tid or topic

func (m *ownTracks) report(*patrol.Device, *time.Location) (report, bool) {
	r := newReport()
	r.unit = m.user
	switch m.Type {
	case "encrypted":
		r.encrypted = true
		return r, true
	case "location":
	default:
		return r, false
	}
	r.lat, r.lon = m.Lat.orNaN(), m.Lon.orNaN()
	if m.Tst.given {
		r.setMillis(m.Tst.v * 1000)
	}
	r.accuracyM, r.altitudeM, r.heading, r.battery = m.Acc.orNaN(), m.Alt.orNaN(), m.Cog.orNaN(), m.Batt.orNaN()
	r.speedMPS = m.Vel.orNaN() / 3.6
	if m.BS.v == charging {
		r.flags |= patrol.Charging
	}
	return r, true
}
