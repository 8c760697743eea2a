package patrol

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// checkpointVersion changes with the meaning of what is written. A Tracker
// that finds another begins without knowing where units are.
const checkpointVersion = 1

// The bits of a unit in a checkpoint.
const (
	unitSOS = 1 << iota
	unitSilent
	unitBegun
	unitSuspected
	unitOutside
	unitHeld
)

// checkpoint is all that t knows at now, as bytes. The gate is held.
func (t *Tracker) checkpoint(now time.Time) []byte {
	t.mu.RLock()
	defer t.mu.RUnlock()
	w := writer{b: []byte{checkpointVersion}}
	w.int(now.UnixMilli())
	w.int(t.began)
	w.int(int64(t.applied))
	w.visits(t.visits)
	w.backlogs(t.late)
	w.sweep(&t.sweep, now)
	n := 0
	for i := range t.units {
		if t.units[i].heard != 0 {
			n++
		}
	}
	w.int(int64(n))
	for i := range t.units {
		if t.units[i].heard != 0 {
			w.unit(UnitID(i), &t.units[i])
		}
	}
	return w.b
}

// load makes t what it was at the checkpoint b, and returns when that was put
// down. It is Invalid, and t as it was, when b is of another version or broken.
func (t *Tracker) load(b []byte) (time.Time, error) {
	r := reader{b: b}
	if v := r.byte(); v != checkpointVersion {
		return time.Time{}, fault.New(fault.Invalid, "checkpoint: version %d is not known", v)
	}
	put := r.varint()
	began, applied := r.varint(), uint64(r.varint())
	visits, late, sweep := r.visits(), r.backlogs(), r.sweep()
	var units []unitState
	fixes := series{}
	for n := r.varint(); n > 0 && !r.bad; n-- {
		id := r.varint()
		if id < int64(len(units)) || id > int64(MaxUnitID) {
			r.fail()
			break
		}
		units = append(units, make([]unitState, int(id)+1-len(units))...)
		r.unit(&units[id], &fixes)
	}
	if r.bad || len(r.b) > 0 {
		return time.Time{}, fault.New(fault.Invalid, "checkpoint: %d bytes that are not one", len(b))
	}
	t.gate.Lock()
	defer t.gate.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.began, t.applied, t.visits, t.late, t.sweep, t.units = began, applied, visits, late, sweep, units
	return instant(put), nil
}

// writer appends values that reader takes off again.
type writer struct {
	b     []byte
	fixes series
}

func (w *writer) int(v int64) { w.b = binary.AppendVarint(w.b, v) }

func (w *writer) float(v float32) {
	w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(v))
}

func (w *writer) visits(visits map[grid.ID]int64) {
	w.int(int64(len(visits)))
	for _, id := range slices.Sorted(maps.Keys(visits)) {
		w.int(int64(id))
		w.int(visits[id])
	}
}

func (r *reader) visits() map[grid.ID]int64 {
	visits := make(map[grid.ID]int64)
	for n := r.varint(); n > 0 && !r.bad; n-- {
		id := grid.ID(r.varint())
		visits[id] = r.varint()
	}
	return visits
}

func (w *writer) backlogs(late map[UnitID]*backlog) {
	w.int(int64(len(late)))
	for _, id := range slices.Sorted(maps.Keys(late)) {
		b := late[id]
		forced := int64(0)
		if b.forced {
			forced = 1
		}
		for _, v := range [...]int64{int64(id), b.from, b.to, b.first, b.last, int64(b.fixes), forced} {
			w.int(v)
		}
	}
}

func (r *reader) backlogs() map[UnitID]*backlog {
	late := make(map[UnitID]*backlog)
	for n := r.varint(); n > 0 && !r.bad; n-- {
		id := r.varint()
		if id <= 0 || id > int64(MaxUnitID) {
			r.fail()
			break
		}
		b := &backlog{from: r.varint(), to: r.varint(), first: r.varint(), last: r.varint(), fixes: int(r.varint())}
		b.forced = r.varint() != 0
		late[UnitID(id)] = b
	}
	return late
}

// sweptFor is how long a checkpoint remembers what was passed: as long as a
// shift can be.
const sweptFor = MaxShift

// sweep writes the cells that were passed, each as its distance from the one
// before, and the difference of the times.
func (w *writer) sweep(s *sweep, now time.Time) {
	for _, v := range [...]int32{int32(s.shift), s.west, s.south, s.w, s.h} {
		w.int(int64(v))
	}
	oldest := uint32(max(0, now.Add(-sweptFor).Unix()))
	last, seconds := -1, int64(0)
	for i, passed := range s.passed {
		if passed > oldest {
			w.int(int64(i - last))
			w.int(int64(passed) - seconds)
			last, seconds = i, int64(passed)
		}
	}
	w.int(0)
}

// sweep reads one that is laid out but for its generation.
func (r *reader) sweep() sweep {
	var v [5]int32
	for i := range v {
		v[i] = r.sum32(0, math.MinInt32, math.MaxInt32)
	}
	s := sweep{shift: uint8(v[0]), west: v[1], south: v[2], w: v[3], h: v[4]}
	if v[0] < 0 || v[0] > 31 || s.w < 0 || s.h < 0 || int64(s.w)*int64(s.h) > maxSweep {
		r.fail()
		return sweep{}
	}
	at, seconds := int64(-1), int64(0)
	for !r.bad {
		step := r.varint()
		if step == 0 {
			break
		}
		at += step
		seconds += r.varint()
		if step < 0 || at >= int64(s.w)*int64(s.h) || seconds < 0 || seconds > math.MaxUint32 {
			r.fail()
			return sweep{}
		}
		if s.passed == nil {
			s.passed = make([]uint32, int(s.w)*int(s.h))
		}
		s.passed[at] = uint32(seconds)
	}
	if s.passed == nil {
		return sweep{}
	}
	return s
}

func (w *writer) fix(f *Fix) { w.b = w.fixes.append(w.b, f) }

func (w *writer) evidence(e Evidence) {
	w.int(e.At)
	w.float(e.AccuracyM)
	w.float(e.BorderM)
	w.int(int64(e.Grid))
}

func (r *reader) evidence() Evidence {
	return Evidence{At: r.varint(), AccuracyM: r.float(), BorderM: r.float(), Grid: grid.ID(r.varint())}
}

func (r *reader) float() float32 {
	if len(r.b) < 4 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return math.Float32frombits(v)
}

func (w *writer) unit(id UnitID, u *unitState) {
	c, d := &u.course, &u.datum
	bits := byte(0)
	for i, set := range [...]bool{u.sos, u.silent, c.begun, d.suspects, c.enter.At != 0, len(u.sieve.suspects) > 0} {
		if set {
			bits |= 1 << i
		}
	}
	w.int(int64(id))
	w.b = append(w.b, bits)
	w.fix(&u.last)
	w.int(u.heard - u.last.Received)
	w.int(u.heardAt - u.last.At)
	s := &u.sieve
	for _, v := range [...]int64{s.last.at - u.last.At, int64(s.last.pos.X) - int64(u.last.Pos.X), int64(s.last.pos.Y) - int64(u.last.Pos.Y), int64(s.run), s.runFrom - u.last.At} {
		w.int(v)
	}
	w.float(s.last.accuracyM)
	if bits&unitHeld != 0 {
		w.int(int64(len(s.suspects)))
		for i := range s.suspects {
			w.fix(&s.suspects[i])
		}
	}
	for _, v := range [...]int64{c.shift, int64(c.raw), int64(c.grid), c.since} {
		w.int(v)
	}
	if bits&unitOutside != 0 {
		w.int(int64(c.out))
		w.evidence(c.enter)
		w.evidence(c.first)
		w.evidence(c.prior)
	}
	for _, v := range [...]int64{d.at, int64(d.samples), int64(d.asSent), int64(d.asGCJ02), int64(d.lo.X), int64(d.lo.Y), int64(d.hi.X), int64(d.hi.Y)} {
		w.int(v)
	}
}

func (r *reader) unit(u *unitState, fixes *series) {
	bits := r.byte()
	u.last = fixes.read(r)
	u.heard, u.heardAt = u.last.Received+r.varint(), u.last.At+r.varint()
	s, c, d := &u.sieve, &u.course, &u.datum
	s.last = place{at: u.last.At + r.varint(), pos: geo.Coord{X: r.sum32(u.last.Pos.X, math.MinInt32, math.MaxInt32), Y: r.sum32(u.last.Pos.Y, math.MinInt32, math.MaxInt32)}}
	s.run, s.runFrom = uint8(r.varint()), u.last.At+r.varint()
	s.last.accuracyM = r.float()
	if bits&unitHeld != 0 {
		n := r.varint()
		if n < 1 || n >= agreeing {
			r.fail()
			return
		}
		for range n {
			s.suspects = append(s.suspects, fixes.read(r))
		}
	}
	u.sos, u.silent, c.begun, d.suspects = bits&unitSOS != 0, bits&unitSilent != 0, bits&unitBegun != 0, bits&unitSuspected != 0
	c.shift, c.raw, c.grid, c.since = r.varint(), grid.ID(r.varint()), grid.ID(r.varint()), r.varint()
	if bits&unitOutside != 0 {
		c.out = uint8(r.varint())
		c.enter, c.first, c.prior = r.evidence(), r.evidence(), r.evidence()
	}
	d.at, d.samples, d.asSent, d.asGCJ02 = r.varint(), uint16(r.varint()), uint16(r.varint()), uint16(r.varint())
	d.lo = geo.Coord{X: r.sum32(0, math.MinInt32, math.MaxInt32), Y: r.sum32(0, math.MinInt32, math.MaxInt32)}
	d.hi = geo.Coord{X: r.sum32(0, math.MinInt32, math.MaxInt32), Y: r.sum32(0, math.MinInt32, math.MaxInt32)}
}
