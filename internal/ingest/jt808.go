package ingest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// JT/T 808, the protocol of vehicle terminals in China, of 2013 and 2019:
// numbers are big-endian, a frame lies between flags, and each message of a
// terminal is answered.

// The messages, by their numbers in the standard.
const (
	jtTerminalAnswer  = 0x0001
	jtHeartbeat       = 0x0002
	jtLogout          = 0x0003
	jtRegister        = 0x0100
	jtAuthenticate    = 0x0102
	jtLocation        = 0x0200
	jtLocations       = 0x0704
	jtAnswer          = 0x8001
	jtResend          = 0x8003
	jtRegisterAnswer  = 0x8100
	jtFlag            = 0x7e
	jtEscape          = 0x7d
	jtMaxFrame        = 4096 // before unescaping: twice the longest message, and more
	jtLengthMask      = 1<<10 - 1
	jtEncryption      = 7 << 10 // of the body; 0 is none
	jtInParts         = 1 << 13
	jtVersioned       = 1 << 14 // from 2019 on: a version, and a longer number
	jtLocationLength  = 28      // without what may follow
	jtUnits           = 1e6     // of a degree
	jtAlarmEmergency  = 1 << 0
	jtStatusLocated   = 1 << 1
	jtStatusSouth     = 1 << 2
	jtStatusWest      = 1 << 3
	jtStatusEncrypted = 1 << 5
)

// The results of an answer.
const (
	jtDone        = 0
	jtFailed      = 1 // send it again
	jtWrong       = 2 // the message cannot be read
	jtUnsupported = 3
	jtNoTerminal  = 4 // of a registration
)

var errFrame = errors.New("not a frame of JT/T 808")

// jtFrames cuts a stream into frames.
type jtFrames struct {
	r          io.Reader
	buf        [jtMaxFrame]byte
	start, end int
}

// next is what lies between two flags, unescaped, until the next call. An
// error of the reader loses nothing that was read before it; errFrame is the
// end.
func (f *jtFrames) next() ([]byte, error) {
	for {
		if n := bytes.IndexByte(f.buf[f.start:f.end], jtFlag); n >= 0 {
			frame := f.buf[f.start : f.start+n]
			f.start += n + 1
			if n > 0 { // two flags in a row end one frame and begin the next
				return unescape(frame)
			}
			continue
		}
		copy(f.buf[:], f.buf[f.start:f.end])
		f.start, f.end = 0, f.end-f.start
		if f.end == len(f.buf) {
			return nil, fmt.Errorf("%w: longer than %d bytes", errFrame, len(f.buf))
		}
		n, err := f.r.Read(f.buf[f.end:])
		f.end += n
		if n == 0 && err != nil {
			return nil, err
		}
	}
}

// unescape puts the bytes of a frame back, in place.
func unescape(b []byte) ([]byte, error) {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] != jtEscape {
			out = append(out, b[i])
			continue
		}
		if i++; i == len(b) || b[i] != 1 && b[i] != 2 {
			return nil, fmt.Errorf("%w: a wrong escape", errFrame)
		}
		out = append(out, jtEscape+b[i]-1)
	}
	return out, nil
}

// jtMessage is one message, or one part of a message in parts.
type jtMessage struct {
	id           uint16
	serial       uint16
	phone        []byte // BCD, as long as the version has it
	number       string // the same in digits, without leading zeros
	versioned    bool
	encrypted    bool
	total, index uint16 // of parts, from 1; zero for a message that is whole
	body         []byte
}

// readMessage reads an unescaped frame, of which the message keeps the bytes.
func readMessage(b []byte) (m jtMessage, err error) {
	wrong := func(what string) (jtMessage, error) { return m, fmt.Errorf("%w: %s", errFrame, what) }
	sum := byte(0)
	for _, c := range b {
		sum ^= c
	}
	if len(b) < 2 || sum != 0 {
		return wrong("a wrong check code")
	}
	b = b[:len(b)-1]
	if len(b) < 4 {
		return wrong("too short")
	}
	m.id = binary.BigEndian.Uint16(b)
	props := binary.BigEndian.Uint16(b[2:])
	b = b[4:]
	m.versioned, m.encrypted = props&jtVersioned != 0, props&jtEncryption != 0
	digits := 6
	if m.versioned {
		digits = 10
		b = b[min(1, len(b)):] // the version of the version
	}
	need := digits + 2
	if props&jtInParts != 0 {
		need += 4
	}
	if len(b) < need {
		return wrong("too short")
	}
	m.phone = b[:digits]
	m.serial = binary.BigEndian.Uint16(b[digits:])
	if props&jtInParts != 0 {
		m.total, m.index = binary.BigEndian.Uint16(b[digits+2:]), binary.BigEndian.Uint16(b[digits+4:])
	}
	m.body = b[need:]
	if len(m.body) != int(props&jtLengthMask) {
		return wrong(fmt.Sprintf("a body of %d bytes, which says that it has %d", len(m.body), props&jtLengthMask))
	}
	number := hex.EncodeToString(m.phone)
	if strings.Trim(number, "0123456789") != "" {
		return wrong("a number that is not BCD")
	}
	m.number = strings.TrimLeft(number, "0")
	return m, nil
}

// appendFrame appends a message of the platform to the terminal of m, in its
// version.
func appendFrame(out []byte, m *jtMessage, id, serial uint16, body []byte) []byte {
	props := uint16(len(body))
	raw := binary.BigEndian.AppendUint16(nil, id)
	if m.versioned {
		raw = append(binary.BigEndian.AppendUint16(raw, props|jtVersioned), 1)
	} else {
		raw = binary.BigEndian.AppendUint16(raw, props)
	}
	raw = append(raw, m.phone...)
	raw = binary.BigEndian.AppendUint16(raw, serial)
	raw = append(raw, body...)
	sum := byte(0)
	for _, c := range raw {
		sum ^= c
	}
	out = append(out, jtFlag)
	for _, c := range append(raw, sum) {
		if c == jtFlag || c == jtEscape {
			out = append(out, jtEscape, c-jtEscape+1)
		} else {
			out = append(out, c)
		}
	}
	return append(out, jtFlag)
}

// readLocation reads the body of a location; false when it is too short. What
// follows the fixed part is not ours.
func readLocation(b []byte) (report, bool) {
	r := newReport()
	r.raw = []byte(hex.EncodeToString(b))
	if len(b) < jtLocationLength {
		return r, false
	}
	alarm, status := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	r.lat, r.lon = float64(binary.BigEndian.Uint32(b[8:]))/jtUnits, float64(binary.BigEndian.Uint32(b[12:]))/jtUnits
	if status&jtStatusSouth != 0 {
		r.lat = -r.lat
	}
	if status&jtStatusWest != 0 {
		r.lon = -r.lon
	}
	r.altitudeM = float64(int16(binary.BigEndian.Uint16(b[16:])))
	r.speedMPS = float64(binary.BigEndian.Uint16(b[18:])) / 10 / 3.6
	r.heading = float64(binary.BigEndian.Uint16(b[20:]))
	r.setBCD(b[22:28])
	r.encrypted = status&jtStatusEncrypted != 0
	if status&jtStatusLocated == 0 {
		r.invalid = "the terminal says that it has no position"
	}
	if alarm&jtAlarmEmergency != 0 {
		r.flags |= patrol.SOS
	}
	return r, true
}

// setBCD takes a time as YYMMDDhhmmss at GMT+8.
func (r *report) setBCD(b []byte) {
	digits := hex.EncodeToString(b)
	t, err := time.ParseInLocation("060102150405", digits, grid.Zone)
	if err != nil {
		r.badTime = "time: " + digits + " is not YYMMDDhhmmss"
		return
	}
	if t.Year() < 2000 { // Go takes 69 to 99 for the last century
		t = t.AddDate(100, 0, 0)
	}
	r.setMillis(float64(t.UnixMilli()))
}

// takeLocations takes in the body of a location, or of a batch of them.
func (in *intake) takeLocations(m *jtMessage) {
	switch {
	case m.encrypted:
		r := newReport()
		r.encrypted = true
		in.add(&r)
		return
	case m.id == jtLocation:
		in.takeLocation(m.body)
		return
	case len(m.body) < 3:
		in.malformed([]byte(hex.EncodeToString(m.body)), "a batch of %d bytes", len(m.body))
		return
	}
	count, b := int(binary.BigEndian.Uint16(m.body)), m.body[3:] // after the kind: live or kept
	for i := range count {
		n := 0
		if len(b) >= 2 {
			n = int(binary.BigEndian.Uint16(b))
		}
		if len(b) < 2 || len(b)-2 < n {
			in.malformed([]byte(hex.EncodeToString(b)), "the batch says that it has %d locations, and ends within the one at place %d", count, i)
			return
		}
		in.takeLocation(b[2 : 2+n])
		b = b[2+n:]
	}
	if len(b) > 0 {
		in.malformed([]byte(hex.EncodeToString(b)), "more after the %d locations of the batch", count)
	}
}

func (in *intake) takeLocation(b []byte) {
	r, ok := readLocation(b)
	if !ok {
		in.malformed(r.raw, "a location of %d bytes; it has %d at least", len(b), jtLocationLength)
		return
	}
	in.add(&r)
}

// jtCode is the authentication code of a device's terminal: it ends with the
// device's token, and nobody else can make it.
func jtCode(key []byte, d *patrol.Device) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("jt808 " + d.ID + " " + d.Terminal))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// presentedCode is the code in the body of an authentication: from 2019 on
// with its length before it, and more behind.
func presentedCode(m *jtMessage) string {
	b := m.body
	if m.versioned {
		if len(b) == 0 || len(b)-1 < int(b[0]) {
			return ""
		}
		b = b[1 : 1+int(b[0])]
	}
	return string(bytes.TrimRight(b, "\x00"))
}

const (
	jtMaxParts = 64
	// jtPartsWait is how long the next part may take to come before it is asked
	// for, and jtPartsAsked how often.
	jtPartsWait  = 10 * time.Second
	jtPartsAsked = 3
)

// jtParts puts a message in parts together, one at a time: its parts have
// consecutive serial numbers.
type jtParts struct {
	id, first uint16 // message, and serial number of part 1
	bodies    [][]byte
	missing   int
	asked     int
	message   jtMessage // of the last part
}

// of reports whether m is one of p's parts.
func (p *jtParts) of(m *jtMessage) bool {
	return p.bodies != nil && p.id == m.id && p.first == m.serial-(m.index-1) && len(p.bodies) == int(m.total)
}

// begin forgets what p had and waits for the parts of m's message.
func (p *jtParts) begin(m *jtMessage) {
	*p = jtParts{id: m.id, first: m.serial - (m.index - 1), bodies: make([][]byte, m.total), missing: int(m.total)}
}

// add takes a part in, and reports whether it was there already.
func (p *jtParts) add(m *jtMessage) (again bool) {
	p.message = *m
	p.message.body = nil
	p.message.phone = bytes.Clone(m.phone)
	if p.bodies[m.index-1] != nil {
		return true
	}
	p.bodies[m.index-1] = append(make([]byte, 0, len(m.body)), m.body...)
	p.missing--
	return false
}

// whole is the message of all parts.
func (p *jtParts) whole() *jtMessage {
	m := p.message
	m.body = bytes.Join(p.bodies, nil)
	return &m
}

// resend is the body of a request for the parts that are missing.
func (p *jtParts) resend() []byte {
	b := binary.BigEndian.AppendUint16(nil, p.first)
	if p.message.versioned {
		b = binary.BigEndian.AppendUint16(b, uint16(p.missing))
	} else {
		b = append(b, byte(p.missing))
	}
	for i, body := range p.bodies {
		if body == nil {
			b = binary.BigEndian.AppendUint16(b, uint16(i+1))
		}
	}
	return b
}
