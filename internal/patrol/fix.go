package patrol

import (
	"lianqin/internal/geo"
)

// Fix is one position of one unit, in WGS-84, as its device reported it. (Unit,
// At) is its identity.
type Fix struct {
	Unit     UnitID
	At       int64     // Unix milliseconds, by the device's clock
	Received int64     // Unix milliseconds, by ours
	Pos      geo.Coord // 1e-7 degree
	// AccuracyM is the radius of 68 % confidence; 0 is unknown.
	AccuracyM  float32
	SpeedMPS   float32 // negative is unknown
	HeadingDeg float32 // [0, 360), clockwise from north; negative is unknown
	AltitudeM  float32 // above the ellipsoid or the sea, as the device has it; 0 is unknown
	BatteryPct int8    // [0, 100]; negative is unknown
	Flags      Flags
	Source     Source
}

// Flags are what a device says of a fix beside numbers.
type Flags uint8

const (
	Charging Flags = 1 << iota // the battery is being charged
	Mocked                     // the phone says that another program made the position up
	SOS                        // the alarm button
)

// Source is the wire form by which a fix came.
type Source uint8

const (
	FromUnknown   Source = iota
	FromAPI              // POST /api/v1/positions
	FromOsmAnd           // query or form parameters: OsmAnd, Traccar Client up to 8 and from 10
	FromTraccar          // JSON of Traccar Client 9
	FromOwnTracks        // JSON over HTTP
	FromMQTT             // OwnTracks over MQTT
	FromJT808            // JT/T 808 over TCP
)

// Sources are their names, as metrics, quarantine and exports have them.
var Sources = [...]string{"unknown", "api", "osmand", "traccar", "owntracks", "mqtt", "jt808"}

func (s Source) String() string {
	if int(s) < len(Sources) {
		return Sources[s]
	}
	return Sources[FromUnknown]
}

// Reason is why a report is in quarantine, or was refused.
type Reason string

const (
	NoPosition       Reason = "no-position"       // missing, not numbers, out of range, 0,0, or declared invalid
	NoTime           Reason = "no-time"           // missing or unreadable
	Malformed        Reason = "malformed"         // nothing that can be read
	UnknownUnit      Reason = "unknown-unit"      // no such unit or device, retired, or outside the sender's jurisdiction
	OffDuty          Reason = "off-duty"          // counted; its position is not kept
	InFuture         Reason = "future"            // more than 5 minutes ahead of our clock
	TooOld           Reason = "too-old"           // more than 30 days
	Duplicate        Reason = "duplicate"         // the unit has a fix of that time
	Implausible      Reason = "implausible-speed" // against the neighbouring fixes in time
	Inaccurate       Reason = "inaccurate"        // worse than 1 km
	Encrypted        Reason = "encrypted"         // a JT/T 808 position that only the device can read
	WrongCredentials Reason = "wrong-credentials"
)

// Reasons are all reasons, in the order of pages.
var Reasons = []Reason{NoPosition, NoTime, Malformed, UnknownUnit, OffDuty, InFuture, TooOld, Duplicate, Implausible, Inaccurate, Encrypted, WrongCredentials}

// Refusal is a report that is no fix of a track: kept in quarantine, with its
// reason, so that nothing is dropped in silence.
type Refusal struct {
	Unit     UnitID // 0 when it is not known
	Device   string // the ID of its token, or what the report calls itself; never a secret
	Source   Source
	At       int64 // Unix milliseconds by the device's clock; 0 when it told none
	Received int64
	Reason   Reason
	Detail   string // for a person: which value, which limit
	Raw      string // the report as it came, at most MaxRaw bytes, secrets taken out; empty where a Fix says it all
	Fix      *Fix   // of a refused fix; nil when there was none, and for OffDuty
}

// MaxRaw bounds what is kept of a report that could not be read.
const MaxRaw = 2048

// Batch is what one request, message or frame brought: an entry of the log.
type Batch struct {
	Fixes    []Fix
	Refusals []Refusal
}
