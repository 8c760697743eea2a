package ingest

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// vehicle is a terminal of JT/T 808 for tests, written from the tables of the
// standard and from nothing of this package.
type vehicle struct {
	t      testing.TB
	conn   net.Conn
	number string // digits
	y2019  bool
	serial int
	queue  []byte // read and not yet looked at
}

func word(v int) []byte  { return []byte{byte(v >> 8), byte(v)} }
func dword(v int) []byte { return []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }

func bcdOf(digits string, n int) []byte {
	for len(digits) < 2*n {
		digits = "0" + digits
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = (digits[2*i]-'0')*16 + digits[2*i+1] - '0'
	}
	return out
}

func join(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// seal adds the check code, escapes, and puts the flags around.
func seal(message []byte) []byte {
	check := byte(0)
	for _, b := range message {
		check ^= b
	}
	frame := []byte{0x7e}
	for _, b := range append(append([]byte{}, message...), check) {
		switch b {
		case 0x7e:
			frame = append(frame, 0x7d, 0x02)
		case 0x7d:
			frame = append(frame, 0x7d, 0x01)
		default:
			frame = append(frame, b)
		}
	}
	return append(frame, 0x7e)
}

// frame is a message of the vehicle with the next serial number; attributes are
// bits beside the length. Of a part, total and index follow.
func (v *vehicle) frame(id, attributes int, body []byte, part ...int) []byte {
	v.serial++
	return v.frameOf(v.serial, id, attributes, body, part...)
}

func (v *vehicle) frameOf(serial, id, attributes int, body []byte, part ...int) []byte {
	if v.y2019 {
		attributes |= 0x4000
	}
	if len(part) > 0 {
		attributes |= 0x2000
	}
	message := join(word(id), word(attributes|len(body)))
	if v.y2019 {
		message = join(message, []byte{1}, bcdOf(v.number, 10))
	} else {
		message = join(message, bcdOf(v.number, 6))
	}
	message = join(message, word(serial))
	for _, n := range part {
		message = join(message, word(n))
	}
	return seal(join(message, body))
}

func (v *vehicle) write(b []byte) {
	v.t.Helper()
	if _, err := v.conn.Write(b); err != nil {
		v.t.Fatal(err)
	}
}

// answer is a message of the platform: its number and body.
type answer struct {
	id   int
	body []byte
}

// read waits for the next message of the platform; id 0 is the end.
func (v *vehicle) read() answer {
	v.t.Helper()
	_ = v.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var message []byte
	for message == nil {
		for i, from := 0, -1; i < len(v.queue); i++ {
			if v.queue[i] != 0x7e {
				continue
			}
			if from < 0 {
				from = i
				continue
			}
			for j := from + 1; j < i; j++ {
				b := v.queue[j]
				if b == 0x7d {
					j++
					b = map[byte]byte{0x01: 0x7d, 0x02: 0x7e}[v.queue[j]]
				}
				message = append(message, b)
			}
			v.queue = v.queue[i+1:]
			break
		}
		if message == nil {
			more := make([]byte, 1000)
			n, err := v.conn.Read(more)
			if err != nil {
				if ne, ok := err.(net.Error); ok && ne.Timeout() {
					v.t.Fatal("no answer in ten seconds")
				}
				return answer{}
			}
			v.queue = append(v.queue, more[:n]...)
		}
	}
	check := byte(0)
	for _, b := range message {
		check ^= b
	}
	header := 12
	if v.y2019 {
		header = 17
	}
	if check != 0 || len(message) < header+1 || message[2]>>6&1 == 1 != v.y2019 {
		v.t.Fatalf("the platform sent % x", message)
	}
	body := message[header : len(message)-1]
	if int(message[2])<<8|int(message[3])&0x3ff != int(message[2])&0xfc<<8|len(body) {
		v.t.Fatalf("the platform sent a length that is not its body's: % x", message)
	}
	return answer{int(message[0])<<8 | int(message[1]), body}
}

// result sends a message and returns the result of the general answer to it.
func (v *vehicle) result(id, attributes int, body []byte) int {
	v.t.Helper()
	v.write(v.frame(id, attributes, body))
	return v.expect(v.serial, id)
}

// expect reads a general answer to the message with that serial number; -1 is
// the end of the connection.
func (v *vehicle) expect(serial, id int) int {
	v.t.Helper()
	a := v.read()
	if a.id == 0 {
		return -1
	}
	if a.id != 0x8001 || len(a.body) != 5 || string(a.body[:4]) != string(join(word(serial), word(id))) {
		v.t.Fatalf("the answer to %#04x, %d: %#04x % x", id, serial, a.id, a.body)
	}
	return int(a.body[4])
}

func filled(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

// registration is the body of 0x0100.
func (v *vehicle) registration() []byte {
	maker, model, id := 5, 20, 7
	if v.y2019 {
		maker, model, id = 11, 30, 30
	}
	return join(word(31), word(114), filled("LQ", maker), filled("T-1", model), filled("0000017", id), []byte{1}, []byte("\xbb\xa6A12345")) // 沪, GBK
}

func (v *vehicle) authentication(code string) []byte {
	if !v.y2019 {
		return []byte(code)
	}
	return join([]byte{byte(len(code))}, []byte(code), filled("860000000000017", 15), filled("1.2.3", 20))
}

// signOn registers and authenticates.
func (v *vehicle) signOn() (code string) {
	v.t.Helper()
	v.write(v.frame(0x0100, 0, v.registration()))
	a := v.read()
	if a.id != 0x8100 || len(a.body) < 4 || string(a.body[:3]) != string(append(word(v.serial), 0)) {
		v.t.Fatalf("the answer to the registration: %#04x % x", a.id, a.body)
	}
	code = string(a.body[3:])
	if r := v.result(0x0102, 0, v.authentication(code)); r != 0 {
		v.t.Fatalf("the answer to the authentication: %d", r)
	}
	return code
}

// place is the body of 0x0200.
type place struct {
	alarm, status int
	lat, lon      int // 1e-6 degree
	altitude      int
	speed, course int // 0.1 km/h, degrees
	time          string
	additional    []byte
}

// somewhere is a good position at a second of 2026-03-01 16:00 at GMT+8.
func somewhere(second int) place {
	return place{status: 0x3, lat: 31383125, lon: 121247046, altitude: 5, speed: 360, course: 90, time: fmt.Sprintf("2603011600%02d", second),
		additional: []byte{0x01, 4, 0, 0, 0, 99, 0x31, 1, 12}}
}

func (p place) body() []byte {
	return join(dword(p.alarm), dword(p.status), dword(p.lat), dword(p.lon), word(p.altitude), word(p.speed), word(p.course), bcdOf(p.time, 6), p.additional)
}

// batch is the body of 0x0704.
func batch(count int, places ...place) []byte {
	body := append(word(count), 1)
	for _, p := range places {
		one := p.body()
		body = join(body, word(len(one)), one)
	}
	return body
}

// drive connects a vehicle.
func drive(t testing.TB, addr, number string, y2019 bool) *vehicle {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &vehicle{t: t, conn: c, number: number, y2019: y2019}
}

// ended reports whether the platform closed the connection.
func (v *vehicle) ended() bool {
	v.t.Helper()
	_ = v.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.Copy(io.Discard, v.conn)
	ne, ok := err.(net.Error)
	return !ok || !ne.Timeout()
}
