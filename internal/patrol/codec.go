package patrol

import (
	"encoding/binary"
	"math"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// Two forms of fixes as bytes: a Batch, as the log has it, and a track, one
// unit's fixes in order of time, as the store keeps a window that is past.
// Both are a version, a count, and for each fix what differs from the one
// before it: a byte of bits that say what, and varints. A track at 1 Hz takes
// about 12 bytes a fix.
//
// A fix is quantised when it is first written, and the same ever after:
// accuracy and altitude to 0.1 m, speed to 0.01 m/s, heading to 0.1°.
const (
	batchVersion = 1
	trackVersion = 1
)

// The bits that say what follows the position.
const (
	stepDiffers     = 1 << iota // of At, from the step before
	lagDiffers                  // of Received after At
	accuracyDiffers             // each of these four is its difference
	speedDiffers
	headingDiffers
	altitudeDiffers
	restDiffers // battery, flags, source and, in a batch, unit follow
	allBits     = 1<<7 - 1
)

// leastFixBytes bounds what a count may claim: the bits and the position.
const leastFixBytes = 3

// What a quantum stands for, and how far each reaches: beyond is clipped.
const (
	accuracyPerM  = 10
	speedPerMPS   = 100
	headingPerDeg = 10
	altitudePerM  = 10
	maxQuanta     = 10_000_000
	unknown       = -1
)

// quanta is a Fix as it is written.
type quanta struct {
	unit         uint32
	at, received int64
	x, y         int32
	accuracy     int32 // 0 is unknown
	speed        int32 // unknown when negative
	heading      int32
	altitude     int32
	battery      int8
	flags        Flags
	source       Source
}

func quantaOf(f *Fix) quanta {
	q := quanta{
		unit: uint32(f.Unit), at: f.At, received: f.Received, x: f.Pos.X, y: f.Pos.Y,
		accuracy: quantum(f.AccuracyM, accuracyPerM, 0),
		speed:    quantum(f.SpeedMPS, speedPerMPS, unknown),
		heading:  quantum(f.HeadingDeg, headingPerDeg, unknown),
		altitude: quantum(f.AltitudeM, altitudePerM, 0),
		battery:  max(f.BatteryPct, unknown), flags: f.Flags, source: f.Source,
	}
	q.accuracy = max(q.accuracy, 0)
	if q.accuracy == 0 && f.AccuracyM > 0 {
		q.accuracy = 1 // known, if better than can be written
	}
	if f.SpeedMPS < 0 {
		q.speed = unknown
	}
	if f.HeadingDeg < 0 {
		q.heading = unknown
	}
	if q.heading > 0 {
		q.heading %= 360 * headingPerDeg
	}
	return q
}

// quantum is v·per rounded, or none for what is no number.
func quantum(v float32, per float64, none int32) int32 {
	f := math.Round(float64(v) * per)
	if f != f {
		return none
	}
	return int32(min(max(f, -maxQuanta), maxQuanta))
}

func (q *quanta) fix() Fix {
	return Fix{
		Unit: UnitID(q.unit), At: q.at, Received: q.received, Pos: geo.Coord{X: q.x, Y: q.y},
		AccuracyM:  float32(float64(q.accuracy) / accuracyPerM),
		SpeedMPS:   known(q.speed, speedPerMPS),
		HeadingDeg: known(q.heading, headingPerDeg),
		AltitudeM:  float32(float64(q.altitude) / altitudePerM),
		BatteryPct: q.battery, Flags: q.flags, Source: q.source,
	}
}

func known(q int32, per float64) float32 {
	if q < 0 {
		return unknown
	}
	return float32(float64(q) / per)
}

// Quantised is f as it reads after it was written.
func (f Fix) Quantised() Fix {
	q := quantaOf(&f)
	return q.fix()
}

// series writes or reads fixes one after the other. Arithmetic on times wraps
// around, so that it has no bounds to check.
type series struct {
	prev quanta
	step int64
}

func (s *series) append(b []byte, f *Fix) []byte {
	q := quantaOf(f)
	p := &s.prev
	step := q.at - p.at
	lag := (q.received - p.received) - step
	bits := byte(0)
	if step != s.step {
		bits |= stepDiffers
	}
	if q.received != p.received {
		bits |= lagDiffers
	}
	if q.accuracy != p.accuracy {
		bits |= accuracyDiffers
	}
	if q.speed != p.speed {
		bits |= speedDiffers
	}
	if q.heading != p.heading {
		bits |= headingDiffers
	}
	if q.altitude != p.altitude {
		bits |= altitudeDiffers
	}
	if q.battery != p.battery || q.flags != p.flags || q.source != p.source || q.unit != p.unit {
		bits |= restDiffers
	}
	b = append(b, bits)
	b = binary.AppendVarint(b, int64(q.x)-int64(p.x))
	b = binary.AppendVarint(b, int64(q.y)-int64(p.y))
	if bits&stepDiffers != 0 {
		b = binary.AppendVarint(b, step)
	}
	if bits&lagDiffers != 0 {
		b = binary.AppendVarint(b, lag)
	}
	if bits&accuracyDiffers != 0 {
		b = binary.AppendVarint(b, int64(q.accuracy)-int64(p.accuracy))
	}
	if bits&speedDiffers != 0 {
		b = binary.AppendVarint(b, int64(q.speed)-int64(p.speed))
	}
	if bits&headingDiffers != 0 {
		b = binary.AppendVarint(b, int64(q.heading)-int64(p.heading))
	}
	if bits&altitudeDiffers != 0 {
		b = binary.AppendVarint(b, int64(q.altitude)-int64(p.altitude))
	}
	if bits&restDiffers != 0 {
		b = append(b, byte(q.battery), byte(q.flags), byte(q.source))
		b = binary.AppendVarint(b, int64(q.unit)-int64(p.unit))
	}
	s.prev, s.step = q, step
	return b
}

func (s *series) read(r *reader) Fix {
	q := s.prev
	bits := r.byte()
	if bits&^allBits != 0 {
		r.fail()
	}
	q.x = r.sum32(q.x, math.MinInt32, math.MaxInt32)
	q.y = r.sum32(q.y, math.MinInt32, math.MaxInt32)
	if bits&stepDiffers != 0 {
		s.step = r.varint()
	}
	q.at += s.step
	if bits&lagDiffers != 0 {
		q.received += s.step + r.varint()
	}
	if bits&accuracyDiffers != 0 {
		q.accuracy = r.sum32(q.accuracy, 0, maxQuanta)
	}
	if bits&speedDiffers != 0 {
		q.speed = r.sum32(q.speed, unknown, maxQuanta)
	}
	if bits&headingDiffers != 0 {
		q.heading = r.sum32(q.heading, unknown, 360*headingPerDeg-1)
	}
	if bits&altitudeDiffers != 0 {
		q.altitude = r.sum32(q.altitude, -maxQuanta, maxQuanta)
	}
	if bits&restDiffers != 0 {
		q.battery, q.flags, q.source = int8(r.byte()), Flags(r.byte()), Source(r.byte())
		if q.battery < unknown {
			r.fail()
		}
		unit := int64(q.unit) + r.varint()
		if unit < 0 || unit > math.MaxUint32 {
			r.fail()
		}
		q.unit = uint32(unit)
	}
	s.prev = q
	return q.fix()
}

// AppendTrack appends fixes of one unit, whatever their Unit says.
func AppendTrack(b []byte, fixes []Fix) []byte {
	b = append(b, trackVersion)
	b = binary.AppendUvarint(b, uint64(len(fixes)))
	var s series
	if len(fixes) > 0 {
		s.prev.unit = uint32(fixes[0].Unit)
	}
	for i := range fixes {
		f := fixes[i]
		f.Unit = UnitID(s.prev.unit)
		b = s.append(b, &f)
	}
	return b
}

// DecodeTrack appends to dst the fixes that AppendTrack wrote, as those of
// unit. It is Invalid when b is anything else.
func DecodeTrack(dst []Fix, unit UnitID, b []byte) ([]Fix, error) {
	r := reader{b: b}
	if v := r.byte(); v != trackVersion {
		return dst, fault.New(fault.Invalid, "track: version %d is not known", v)
	}
	n := r.count(leastFixBytes)
	s := series{prev: quanta{unit: uint32(unit)}}
	start := len(dst)
	dst = slices.Grow(dst, n)
	for range n {
		dst = append(dst, s.read(&r))
	}
	if r.bad || len(r.b) > 0 || s.prev.unit != uint32(unit) {
		return dst[:start], fault.New(fault.Invalid, "track: %d bytes that are not one", len(b))
	}
	return dst, nil
}

// AppendBatch appends batch as an entry of the log.
func AppendBatch(b []byte, batch *Batch) []byte {
	b = append(b, batchVersion)
	b = binary.AppendUvarint(b, uint64(len(batch.Fixes)))
	b = binary.AppendUvarint(b, uint64(len(batch.Refusals)))
	var s series
	for i := range batch.Fixes {
		b = s.append(b, &batch.Fixes[i])
	}
	for i := range batch.Refusals {
		b = appendRefusal(b, &batch.Refusals[i], &s)
	}
	return b
}

// leastRefusalBytes bounds what a count may claim.
const leastRefusalBytes = 9

func appendRefusal(b []byte, r *Refusal, s *series) []byte {
	b = binary.AppendUvarint(b, uint64(r.Unit))
	b = append(b, byte(r.Source))
	b = binary.AppendVarint(b, r.At)
	b = binary.AppendVarint(b, r.Received)
	for _, text := range [...]string{r.Device, string(r.Reason), r.Detail, r.Raw} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	if r.Fix == nil {
		return append(b, 0)
	}
	return s.append(append(b, 1), r.Fix)
}

func readRefusal(r *reader, s *series) Refusal {
	unit := r.uvarint()
	if unit > math.MaxUint32 {
		r.fail()
	}
	f := Refusal{Unit: UnitID(unit), Source: Source(r.byte()), At: r.varint(), Received: r.varint()}
	f.Device, f.Reason, f.Detail, f.Raw = r.text(), Reason(r.text()), r.text(), r.text()
	switch r.byte() {
	case 0:
	case 1:
		fix := s.read(r)
		f.Fix = &fix
	default:
		r.fail()
	}
	return f
}

// DecodeBatch reads what AppendBatch wrote. It is Invalid when b is anything
// else.
func DecodeBatch(b []byte) (Batch, error) {
	var batch Batch
	err := decodeBatch(b, &batch)
	return batch, err
}

// decodeBatch is DecodeBatch into the room that batch has already.
func decodeBatch(b []byte, batch *Batch) error {
	batch.Fixes, batch.Refusals = batch.Fixes[:0], batch.Refusals[:0]
	r := reader{b: b}
	if v := r.byte(); v != batchVersion {
		return fault.New(fault.Invalid, "batch: version %d is not known", v)
	}
	fixes, refusals := r.count(leastFixBytes), r.count(leastRefusalBytes)
	batch.Fixes = slices.Grow(batch.Fixes, fixes)
	var s series
	for range fixes {
		batch.Fixes = append(batch.Fixes, s.read(&r))
	}
	for range refusals {
		batch.Refusals = append(batch.Refusals, readRefusal(&r, &s))
		if r.bad {
			break
		}
	}
	if r.bad || len(r.b) > 0 {
		batch.Fixes, batch.Refusals = batch.Fixes[:0], batch.Refusals[:0]
		return fault.New(fault.Invalid, "batch: %d bytes that are not one", len(b))
	}
	return nil
}

// reader takes values off b; once something was missing it is bad, and all
// that follows is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.bad, r.b = true, nil }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // most are small
		v := r.b[0]
		r.b = r.b[1:]
		return int64(v>>1) ^ -int64(v&1)
	}
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// sum32 is v and a difference that is read, which must lie in [lo, hi].
func (r *reader) sum32(v, lo, hi int32) int32 {
	d := r.varint()
	if d < math.MinInt32*2 || d > math.MaxInt32*2+1 {
		r.fail()
		return v
	}
	sum := int64(v) + d
	if sum < int64(lo) || sum > int64(hi) {
		r.fail()
		return v
	}
	return int32(sum)
}

// count is how many things of at least each bytes follow.
func (r *reader) count(each int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/each) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count(1)
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
