package simulate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"lianqin/internal/grid"
)

// A terminal of JT/T 808, written from the tables of JT/T 808-2013 and -2019:
// it registers, authenticates, and reports; what could not be sent in time
// goes as a batch.

const (
	jtRegister      = 0x0100
	jtAuthenticate  = 0x0102
	jtLocation      = 0x0200
	jtBatch         = 0x0704
	jtAnswer        = 0x8001
	jtRegisterReply = 0x8100

	jtFlag      = 0x7e
	jtVersioned = 1 << 14 // property: the header carries a version, as from 2019
	jtMaxFrame  = 4096
	jtMaxBody   = 1<<10 - 1
)

type terminal struct {
	conn   net.Conn
	in     *bufio.Reader
	number []byte // BCD
	old    bool
	serial uint16
}

func (t *Target) dialJT808(ctx context.Context, d *Identity) (link, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, unreached("connect", err)
	}
	m := &terminal{conn: conn, in: bufio.NewReaderSize(conn, jtMaxFrame), old: t.JT808Old}
	digits := 20
	if m.old {
		digits = 12
	}
	if m.number, err = bcd(d.Terminal, digits); err == nil {
		err = m.signOn(ctx, d)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return m, nil
}

// bcd is digits, filled up with zeros in front, two a byte.
func bcd(digits string, n int) ([]byte, error) {
	if len(digits) > n || strings.Trim(digits, "0123456789") != "" {
		return nil, refusal("terminal %q is not up to %d digits", digits, n)
	}
	digits = strings.Repeat("0", n-len(digits)) + digits
	out := make([]byte, n/2)
	for i := range out {
		out[i] = (digits[2*i]-'0')<<4 | (digits[2*i+1] - '0')
	}
	return out, nil
}

func (m *terminal) signOn(ctx context.Context, d *Identity) error {
	maker, model, id := 11, 30, 30
	if m.old {
		maker, model, id = 5, 20, 7
	}
	body := binary.BigEndian.AppendUint16(nil, 31) // Shanghai
	body = binary.BigEndian.AppendUint16(body, 114)
	body = append(body, padded("LQSIM", maker)...)
	body = append(body, padded("SIM-1", model)...)
	body = append(body, padded(d.Terminal[max(0, len(d.Terminal)-7):], id)...)
	body = append(body, 1)            // a blue plate
	body = append(body, "HA00001"...) // ASCII is GBK
	answer, err := m.call(ctx, jtRegister, body, jtRegisterReply)
	if err != nil {
		return err
	}
	if len(answer) < 3 || answer[2] != 0 {
		return refusal("register %s: answer % x", d.Terminal, answer)
	}
	code := answer[3:]
	if m.old {
		body = code
	} else {
		body = append([]byte{byte(len(code))}, code...)
		body = append(body, padded("860000000000000", 15)...)
		body = append(body, padded("1.0", 20)...)
	}
	return m.confirm(ctx, jtAuthenticate, body)
}

func padded(s string, n int) []byte {
	out := make([]byte, n)
	copy(out, s)
	return out
}

func (m *terminal) send(ctx context.Context, reports []Report) (int, error) {
	if len(reports) == 1 {
		if err := m.confirm(ctx, jtLocation, location(&reports[0])); err != nil {
			return 0, err
		}
		return 1, nil
	}
	done := 0
	for done < len(reports) {
		items, n := []byte(nil), 0
		for done+n < len(reports) {
			one := location(&reports[done+n])
			if len(items)+len(one)+2+3 > jtMaxBody {
				break
			}
			items = binary.BigEndian.AppendUint16(items, uint16(len(one)))
			items = append(items, one...)
			n++
		}
		body := binary.BigEndian.AppendUint16(nil, uint16(n))
		body = append(body, 1) // made up for where there was no connection
		if err := m.confirm(ctx, jtBatch, append(body, items...)); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// location is the body of 0x0200.
func location(r *Report) []byte {
	alarm, status := uint32(0), uint32(1|2) // ignition on, position valid
	if r.SOS {
		alarm = 1
	}
	p := r.Pos.Point()
	if p[1] < 0 {
		status |= 4
	}
	if p[0] < 0 {
		status |= 8
	}
	b := binary.BigEndian.AppendUint32(nil, alarm)
	b = binary.BigEndian.AppendUint32(b, status)
	b = binary.BigEndian.AppendUint32(b, uint32(math.Round(math.Abs(p[1])*1e6)))
	b = binary.BigEndian.AppendUint32(b, uint32(math.Round(math.Abs(p[0])*1e6)))
	b = binary.BigEndian.AppendUint16(b, uint16(int16(math.Round(r.AltitudeM))))
	b = binary.BigEndian.AppendUint16(b, uint16(math.Round(max(0, r.SpeedMPS)/kmhMPS*10)))
	b = binary.BigEndian.AppendUint16(b, uint16(math.Round(max(0, r.HeadingDeg)))%360)
	at, _ := bcd(time.UnixMilli(r.At).In(grid.Zone).Format("060102150405"), 12)
	b = append(b, at...)
	b = append(b, 0x01, 4, 0, 0, 0, 0) // mileage
	return append(b, 0x31, 1, 12)      // satellites
}

// confirm sends a message and waits for the general answer to it.
func (m *terminal) confirm(ctx context.Context, id uint16, body []byte) error {
	answer, err := m.call(ctx, id, body, jtAnswer)
	if err != nil {
		return err
	}
	if len(answer) < 5 {
		return unreached("answer", fmt.Errorf("% x is too short", answer))
	}
	if result := answer[4]; result == 1 { // failed: not now
		return unreached("answer", fmt.Errorf("0x%04x failed", id))
	} else if result != 0 {
		return refusal("0x%04x: result %d", id, result)
	}
	return nil
}

// call sends a message and returns the body of the answer to it: both kinds
// begin with the serial number of what they answer.
func (m *terminal) call(ctx context.Context, id uint16, body []byte, want uint16) ([]byte, error) {
	if deadline, ok := ctx.Deadline(); ok {
		m.conn.SetDeadline(deadline)
	}
	m.serial++
	if _, err := m.conn.Write(m.frame(id, body)); err != nil {
		return nil, unreached("send", err)
	}
	for {
		got, answer, err := m.receive()
		if err != nil {
			return nil, unreached("answer", err)
		}
		if got == want && len(answer) >= 2 && binary.BigEndian.Uint16(answer) == m.serial {
			return answer, nil
		}
		// Anything else is a command of the centre's, which a simulated
		// terminal does not carry out.
	}
}

func (m *terminal) frame(id uint16, body []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	property := uint16(len(body))
	if !m.old {
		property |= jtVersioned
	}
	b = binary.BigEndian.AppendUint16(b, property)
	if !m.old {
		b = append(b, 1)
	}
	b = append(b, m.number...)
	b = binary.BigEndian.AppendUint16(b, m.serial)
	b = append(b, body...)
	sum := byte(0)
	for _, c := range b {
		sum ^= c
	}
	b = append(b, sum)
	out := []byte{jtFlag}
	for _, c := range b {
		switch c {
		case jtFlag:
			out = append(out, 0x7d, 2)
		case 0x7d:
			out = append(out, 0x7d, 1)
		default:
			out = append(out, c)
		}
	}
	return append(out, jtFlag)
}

// receive reads one frame: its message and body.
func (m *terminal) receive() (uint16, []byte, error) {
	var raw []byte
	for len(raw) == 0 { // two flags may stand between frames, or one
		chunk, err := m.in.ReadSlice(jtFlag)
		if err != nil {
			return 0, nil, err
		}
		raw = bytes.Clone(chunk[:len(chunk)-1])
	}
	b := bytes.ReplaceAll(raw, []byte{0x7d, 2}, []byte{jtFlag})
	b = bytes.ReplaceAll(b, []byte{0x7d, 1}, []byte{0x7d})
	if len(b) < 5 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	head := 12
	if binary.BigEndian.Uint16(b[2:])&jtVersioned != 0 {
		head = 17
	}
	if len(b) < head+1 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return binary.BigEndian.Uint16(b), b[head : len(b)-1], nil
}

func (m *terminal) close() { m.conn.Close() }
