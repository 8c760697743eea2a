package ingest

import (
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/patrol"
)

// report is what one device said once, in the units of patrol.Fix but in the
// device's datum. NaN is what it did not say.
type report struct {
	at        int64  // Unix milliseconds; 0 when there is none that can be read
	badTime   string // why at is 0; empty when there was no time
	unit      string // the code that it names; empty for the device's own
	lon, lat  float64
	accuracyM float64
	speedMPS  float64
	heading   float64
	altitudeM float64
	battery   float64 // per cent
	flags     patrol.Flags
	invalid   string // why the device itself says that this is no position
	encrypted bool
	raw       []byte // as it came
}

func newReport() report {
	nan := math.NaN()
	return report{lon: nan, lat: nan, accuracyM: nan, speedMPS: nan, heading: nan, altitudeM: nan, battery: nan}
}

// lastInstant is the end of the year 9998 in Unix milliseconds: what is beyond
// is no time, and in some zones of five digits.
const lastInstant = 253370764799999

// setMillis takes a time in Unix milliseconds.
func (r *report) setMillis(v float64) {
	if !(v >= 1 && v <= lastInstant) {
		r.badTime = fmt.Sprintf("%v is not a time in milliseconds", v)
		return
	}
	r.at = int64(math.Round(v))
}

// intake makes the batch of one request, message or frame.
type intake struct {
	patrol.Batch
	from     *Sender
	source   patrol.Source
	received int64
	secret   string // to be taken out of what is kept; empty for none
}

// add takes r in: as a fix, for which it returns nil, or as a refusal with its
// reason, which is good until the next call.
func (in *intake) add(r *report) *patrol.Refusal {
	unit, ok := in.unitOf(r)
	switch {
	case !ok:
		return in.refuse(r, 0, patrol.UnknownUnit, in.unknown(r))
	case !unit.Retired.IsZero() && max(r.at, 1) >= unit.Retired.UnixMilli():
		return in.refuse(r, unit.ID, patrol.UnknownUnit, "unit "+unit.Code+" reports no more")
	case r.encrypted:
		return in.refuse(r, unit.ID, patrol.Encrypted, "only the device can read it")
	case r.invalid != "":
		return in.refuse(r, unit.ID, patrol.NoPosition, r.invalid)
	}
	if detail := noPosition(r.lon, r.lat); detail != "" {
		return in.refuse(r, unit.ID, patrol.NoPosition, detail)
	}
	if r.at == 0 {
		detail := r.badTime
		if detail == "" {
			detail = "the time is missing"
		}
		return in.refuse(r, unit.ID, patrol.NoTime, detail)
	}
	at := orb.Point{r.lon, r.lat}
	if d := in.from.Device.Datum; d != "" {
		at = d.ToWGS84(at)
	}
	pos, err := geo.Quantise(at)
	if err != nil {
		return in.refuse(r, unit.ID, patrol.NoPosition, err.Error())
	}
	in.Fixes = append(in.Fixes, patrol.Fix{Unit: unit.ID, At: r.at, Received: in.received, Pos: pos, AccuracyM: orZero(r.accuracyM), SpeedMPS: orUnknown(r.speedMPS),
		HeadingDeg: direction(r.heading), AltitudeM: float32(finite(r.altitudeM)), BatteryPct: percent(r.battery), Flags: r.flags, Source: in.source})
	return nil
}

// unitOf is for whom r speaks.
func (in *intake) unitOf(r *report) (patrol.Unit, bool) {
	bound := &in.from.Unit
	switch {
	case bound.ID != 0:
		return *bound, r.unit == "" || strings.EqualFold(r.unit, bound.Code)
	case r.unit == "" || in.from.Speaks == nil:
		return patrol.Unit{}, false
	}
	return in.from.Speaks(r.unit)
}

func (in *intake) unknown(r *report) string {
	switch {
	case in.from.Unit.ID != 0:
		return fmt.Sprintf("the device reports for %s, not for %.40q", in.from.Unit.Code, r.unit)
	case r.unit == "":
		return "the device is bound to no unit, and the report names none"
	}
	return fmt.Sprintf("there is no unit %.40q for this device to report for", r.unit)
}

// refuse enters a refusal. The report as it came is kept where it can be no
// position: one that might be is not for the quarantine, since nobody can tell
// whether its unit was on duty.
func (in *intake) refuse(r *report, unit patrol.UnitID, reason patrol.Reason, detail string) *patrol.Refusal {
	raw := ""
	if reason == patrol.Malformed || reason == patrol.NoPosition && r.invalid == "" {
		raw = keep(r.raw, in.secret)
	}
	in.Refusals = append(in.Refusals, patrol.Refusal{Unit: unit, Device: in.from.Device.ID, Source: in.source, At: r.at, Received: in.received,
		Reason: reason, Detail: detail, Raw: raw})
	return &in.Refusals[len(in.Refusals)-1]
}

// malformed refuses what cannot be read at all.
func (in *intake) malformed(raw []byte, format string, args ...any) *patrol.Refusal {
	return in.refuse(&report{raw: raw}, in.from.Unit.ID, patrol.Malformed, fmt.Sprintf(format, args...))
}

// keep is as much of raw as the quarantine takes, as text without the secret.
func keep(raw []byte, secret string) string {
	text := string(raw[:min(len(raw), 2*patrol.MaxRaw)])
	if secret != "" {
		text = strings.ReplaceAll(text, secret, "[secret]")
		if len(raw) > 2*patrol.MaxRaw { // the cut may have left half of one
			text = text[:max(0, len(text)-len(secret))]
		}
	}
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) > patrol.MaxRaw {
		text = strings.ToValidUTF8(text[:patrol.MaxRaw], "")
	}
	return text
}

// noPosition says why lon and lat are no position on earth; "" when they are.
// It quotes neither: of a pair that was exchanged, each tells where somebody is.
func noPosition(lon, lat float64) string {
	switch {
	case math.IsNaN(lon):
		return "lon is missing or not a number"
	case math.IsNaN(lat):
		return "lat is missing or not a number"
	case math.Abs(lon) > 180:
		return "lon is not between -180 and 180"
	case math.Abs(lat) > 90:
		return "lat is not between -90 and 90"
	case lon == 0 && lat == 0:
		return "0,0 is what a device without a position says"
	}
	return ""
}

// finite is v, or 0 for what float32 cannot hold.
func finite(v float64) float64 {
	if !(math.Abs(v) <= math.MaxFloat32) {
		return 0
	}
	return v
}

func orZero(v float64) float32 { return float32(max(0, finite(v))) }

func orUnknown(v float64) float32 {
	if !(v >= 0 && v <= math.MaxFloat32) {
		return -1
	}
	return float32(v)
}

// direction is v within [0, 360), or negative when it is unknown.
func direction(v float64) float32 {
	if d := orUnknown(math.Mod(v, 360)); d < 360 {
		return d
	}
	return 0 // rounded up
}

func percent(v float64) int8 {
	if !(v >= 0) {
		return -1
	}
	return int8(math.Round(min(v, 100)))
}
