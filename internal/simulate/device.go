package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"lianqin/internal/geo"
)

// Faults are how often devices err. Rates are per unit and hour, shares are of
// all devices or all fixes.
type Faults struct {
	AccuracyM  float64       // of all devices: radius of 68 % confidence; 0 spreads them between 3 and 30 m
	Boasting   float64       // share of devices that claim less than half of their error
	Tunnels    float64       // minutes without a fix
	Dead       float64       // batteries that end, for half an hour to the end of the shift
	Offline    float64       // minutes to half an hours without a connection, sent afterwards
	ClockAhead float64       // share of devices whose clock is seconds to minutes ahead
	GCJ02      float64       // share of devices that send GCJ-02 and say it is WGS-84
	Duplicates float64       // share of fixes that are sent twice
	Reordered  float64       // share of fixes that arrive after a later one
	Outliers   float64       // share of fixes that are kilometres off
	SOS        float64       // alarm buttons
	Latency    time.Duration // greatest time from a fix to its sending
	MaxClock   time.Duration // how far ahead the clocks of ClockAhead are at most
}

// UsualFaults are those of a district's mixed lot of phones and tablets.
var UsualFaults = Faults{
	Boasting: 0.05, Tunnels: 0.25, Dead: 0.01, Offline: 0.15, ClockAhead: 0.1, GCJ02: 0.02,
	Duplicates: 0.003, Reordered: 0.003, Outliers: 0.0003, SOS: 0.004,
	Latency: 900 * time.Millisecond, MaxClock: 4 * time.Minute,
}

// The parameters of noise. A GPS receiver's error drifts: most of it is as it
// was a few seconds ago. Of a two-dimensional Gaussian error 68.3 % lie within
// 1.515 standard deviations of one axis.
const (
	radiusOfSigma = 1.515
	driftShare    = 0.75 // of the variance
	driftTime     = 30.0 // seconds
)

// Nature is what a report is in truth.
type Nature uint8

const (
	Plain Nature = iota
	Outlier
	Repeat // of a report sent before
)

// Report is one position that a device sends. Times are Unix milliseconds.
type Report struct {
	Unit       int       // index in the fleet
	At         int64     // by the device's clock: with the unit, what identifies it
	Taken      int64     // in truth
	Due        int64     // when the device first tries to send it
	Pos        geo.Coord // in the datum that the device has
	Truly      geo.Coord // where the unit was
	AccuracyM  float64
	SpeedMPS   float64
	HeadingDeg float64
	AltitudeM  float64
	Battery    int // per cent
	SOS        bool
	Nature     Nature
	Held       bool // kept while offline, sent as backlog
}

// Traits are what one device is like.
type Traits struct {
	AccuracyM float64 // in truth
	Claims    float64 // what it tells of that: 1 is honest
	Ahead     time.Duration
	GCJ02     bool
}

func traitsOf(d *rand.Rand, f *Faults) Traits {
	// All dice are thrown whatever the faults, so that one rate can be changed
	// and the rest stays as it was.
	accuracy := 3 * math.Pow(10, d.Float64())
	boasts, early, liar := d.Float64(), d.Float64(), d.Float64()
	ahead := between(d, math.Log(2), math.Log(max(3, f.MaxClock.Seconds())))
	t := Traits{AccuracyM: accuracy, Claims: 1, GCJ02: liar < f.GCJ02}
	if f.AccuracyM > 0 {
		t.AccuracyM = f.AccuracyM
	}
	if boasts < f.Boasting {
		t.Claims = 0.4
	}
	if early < f.ClockAhead {
		t.Ahead = time.Duration(math.Exp(ahead)) * time.Second
	}
	return t
}

// device turns where its unit truly is into reports.
type device struct {
	Traits
	faults   *Faults
	dice     *rand.Rand
	last     int64 // true time of the fix before
	driftX   float64
	driftY   float64
	battery  float64
	mute     int64 // no fixes until then: a tunnel, a dead battery
	offline  int64 // nothing sent until then
	settling int   // fixes that are still poor after a tunnel
	alarm    int   // fixes that carry the alarm
	lastDue  int64 // of the backlog, which is sent in order
}

// begin is the beginning of a shift: charged, and with nothing known of the
// time between.
func (d *device) begin() {
	d.last, d.mute, d.settling, d.alarm = 0, 0, 0, 0
	d.battery = between(d.dice, 60, 100)
}

// mayHappen is true so often that it happens rate times an hour.
func (d *device) mayHappen(rate float64, elapsed float64) bool {
	return chance(d.dice, rate*elapsed/3600)
}

// reports are what the device makes of its unit's being at c at the true time
// ms: one, none, or one and its repetition. End is that of the shift.
func (d *device) reports(out []Report, unit int, ms, end int64, l *leg, p plane, span time.Duration) []Report {
	elapsed := span.Seconds()
	if d.last != 0 {
		elapsed = float64(ms-d.last) / 1000
	}
	d.drift(elapsed)
	d.last = ms
	d.battery = max(5, d.battery-elapsed*8/3600)
	tunnel, dead := d.mayHappen(d.faults.Tunnels, elapsed), d.mayHappen(d.faults.Dead, elapsed)
	if ms < d.mute {
		return out
	}
	switch {
	case dead:
		d.mute = ms + int64(between(d.dice, 1800, 4*3600)*1000)
		d.battery = 100
		return out
	case tunnel:
		d.mute = ms + int64(between(d.dice, 60, 300)*1000)
		d.settling = 3
		return out
	}
	if ms >= d.offline && d.mayHappen(d.faults.Offline, elapsed) {
		d.offline = min(ms+int64(between(d.dice, 120, 1800)*1000), end+60_000)
	}
	r := d.measure(unit, ms, l, p)
	d.send(&r, span)
	out = append(out, r)
	if chance(d.dice, d.faults.Duplicates) {
		again := r
		again.Nature = Repeat
		again.Due += int64(between(d.dice, 500, 30_000))
		out = append(out, again)
	}
	return out
}

// drift moves the slow part of the error, a Gauss–Markov process of unit
// variance.
func (d *device) drift(elapsed float64) {
	rho := math.Exp(-elapsed / driftTime)
	if d.driftX == 0 && d.driftY == 0 {
		rho = 0
	}
	fresh := math.Sqrt(1 - rho*rho)
	d.driftX = rho*d.driftX + fresh*d.dice.NormFloat64()
	d.driftY = rho*d.driftY + fresh*d.dice.NormFloat64()
}

func (d *device) measure(unit int, ms int64, l *leg, p plane) Report {
	accuracy := d.AccuracyM * math.Exp(d.dice.NormFloat64()*0.15)
	if d.settling > 0 {
		accuracy *= 4
		d.settling--
	}
	sigma := accuracy / radiusOfSigma
	slow, fast := sigma*math.Sqrt(driftShare), sigma*math.Sqrt(1-driftShare)
	truly := l.at(ms)
	s := p.spot(truly).offset(d.driftX*slow+d.dice.NormFloat64()*fast, d.driftY*slow+d.dice.NormFloat64()*fast)
	r := Report{
		Unit: unit, At: ms + d.Ahead.Milliseconds(), Taken: ms, Truly: truly,
		AccuracyM: max(1, accuracy*d.Claims), SpeedMPS: max(0, l.speed+d.dice.NormFloat64()*0.3), HeadingDeg: l.heading,
		AltitudeM: 4 + d.dice.NormFloat64()*3, Battery: int(d.battery),
	}
	if l.speed == 0 {
		r.SpeedMPS = 0
	}
	if chance(d.dice, d.faults.Outliers) {
		r.Nature = Outlier
		away, angle := between(d.dice, 3_000, 60_000), between(d.dice, 0, 2*math.Pi)
		s = s.offset(away*math.Cos(angle), away*math.Sin(angle))
	}
	if d.mayHappen(d.faults.SOS, 1) {
		d.alarm = 3
	}
	if d.alarm > 0 {
		r.SOS = true
		d.alarm--
	}
	r.Pos = p.coord(s)
	if d.GCJ02 {
		c, err := geo.Quantise(geo.GCJ02.FromWGS84(r.Pos.Point()))
		if err == nil {
			r.Pos = c
		}
	}
	return r
}

// send decides when r leaves the device.
func (d *device) send(r *Report, span time.Duration) {
	r.Due = r.Taken + int64(d.dice.Float64()*float64(d.faults.Latency.Milliseconds()))
	if chance(d.dice, d.faults.Reordered) {
		r.Due += int64(between(d.dice, 1.2, 3) * float64(span.Milliseconds()))
	}
	if r.Taken < d.offline {
		// All of it goes in one stream once there is a connection.
		r.Held = true
		r.Due = max(d.offline, d.lastDue+20)
		d.lastDue = r.Due
	}
}
