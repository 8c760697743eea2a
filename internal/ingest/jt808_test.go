package ingest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/patrol"
)

// depot serves s by JT/T 808 on a loopback port until the test ends.
func depot(t testing.TB, s *Station) (addr string, stop func()) {
	t.Helper()
	return served(t, s.ServeJT808)
}

// both runs f with the version of 2013 and that of 2019.
func both(t *testing.T, f func(t *testing.T, y2019 bool)) {
	for name, y2019 := range map[string]bool{"2013": false, "2019": true} {
		t.Run(name, func(t *testing.T) { f(t, y2019) })
	}
}

// TestTheStandardsExample is the example of escaping in the standard.
func TestTheStandardsExample(t *testing.T) {
	got, err := unescape([]byte{0x30, 0x7d, 0x02, 0x08, 0x7d, 0x01, 0x55})
	if want := []byte{0x30, 0x7e, 0x08, 0x7d, 0x55}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("got % x, %v", got, err)
	}
	for _, wrong := range [][]byte{{0x7d}, {0x7d, 0x03}, {1, 0x7d, 0x7d, 2}} {
		if got, err := unescape(wrong); !errors.Is(err, errFrame) {
			t.Errorf("% x: % x, %v", wrong, got, err)
		}
	}
}

// TestRecordedFrames reads frames, each a line of hexadecimal after a name.
func TestRecordedFrames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "jt808.hex"))
	if err != nil {
		t.Fatal(err)
	}
	type read struct {
		Name, Number, Error string
		ID                  string
		Versioned           bool
		Serial              uint16
		shown
	}
	var all []read
	for line := range strings.Lines(string(text)) {
		name, frame, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(frame, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out := read{Name: name}
		f := jtFrames{r: bytes.NewReader(raw)}
		frameBytes, err := f.next()
		var m jtMessage
		if err == nil {
			m, err = readMessage(frameBytes)
		}
		if err != nil {
			out.Error = err.Error()
			all = append(all, out)
			continue
		}
		out.Number, out.ID, out.Versioned, out.Serial = m.number, fmt.Sprintf("0x%04x", m.id), m.versioned, m.serial
		s, keys, _ := newStation(t, Limits{})
		from := keys.terminals["13800138000"]
		in := s.begin(&from, patrol.FromJT808, "")
		if m.id == jtLocation || m.id == jtLocations {
			in.takeLocations(&m)
		}
		out.shown = show(in.Batch)
		all = append(all, out)
	}
	if len(all) < 8 {
		t.Fatalf("only %d frames", len(all))
	}
	golden(t, "jt808.json", indented(t, all))
}

func TestJT808(t *testing.T) {
	both(t, func(t *testing.T, y2019 bool) {
		s, _, sink := newStation(t, Limits{})
		addr, _ := depot(t, s)
		v := drive(t, addr, "13800138000", y2019)
		code := v.signOn()
		if r := v.result(0x0002, 0, nil); r != 0 {
			t.Errorf("heartbeat: %d", r)
		}
		if r := v.result(0x0200, 0, somewhere(1).body()); r != 0 {
			t.Errorf("location: %d", r)
		}
		want := patrol.Fix{Unit: 6, At: 1772352001000, Received: testNow.UnixMilli(), Pos: geo.Coord{X: 1212470460, Y: 313831250}, SpeedMPS: 10, HeadingDeg: 90, AltitudeM: 5,
			BatteryPct: -1, Source: patrol.FromJT808}
		if got := sink.all().Fixes; len(got) != 1 || got[0] != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		// All that a location can say.
		p := somewhere(2)
		p.alarm, p.status, p.altitude, p.additional = 1, 0x2|0x4|0x8, -3, nil
		if r := v.result(0x0200, 0, p.body()); r != 0 {
			t.Errorf("south and west: %d", r)
		}
		if f := sink.all().Fixes[1]; f.Pos != (geo.Coord{X: -1212470460, Y: -313831250}) || f.AltitudeM != -3 || f.Flags != patrol.SOS {
			t.Errorf("south and west: %+v", f)
		}
		if r := v.result(0x0704, 0, batch(3, somewhere(3), somewhere(4), somewhere(5))); r != 0 || len(sink.all().Fixes) != 5 {
			t.Errorf("batch: %d, %d fixes", r, len(sink.all().Fixes))
		}
		// What is no position is answered like one, or it would come for ever.
		for what, body := range map[string][]byte{"not located": func() []byte { p := somewhere(6); p.status = 0; return p.body() }(),
			"encrypted": func() []byte { p := somewhere(6); p.status = 0x23; return p.body() }(), "short": somewhere(6).body()[:20],
			"bad time": func() []byte { p := somewhere(6); p.time = "260231256070"; return p.body() }(), "beyond": func() []byte { p := somewhere(6); p.lat = 91000000; return p.body() }()} {
			if r := v.result(0x0200, 0, body); r != 0 {
				t.Errorf("%s: %d", what, r)
			}
		}
		if r := v.result(0x0200, 0x400, []byte("RSA")); r != 0 {
			t.Errorf("an encrypted body: %d", r)
		}
		if r := v.result(0x0704, 0, batch(2, somewhere(7))); r != 0 {
			t.Errorf("a short batch: %d", r)
		}
		var reasons []string
		for _, r := range sink.all().Refusals {
			reasons = append(reasons, string(r.Reason))
		}
		slices.Sort(reasons)
		if got := strings.Join(reasons, " "); got != "encrypted encrypted malformed malformed no-position no-position no-time" {
			t.Errorf("refused: %s", got)
		}
		if n := len(sink.all().Fixes); n != 6 {
			t.Errorf("%d fixes, want 6", n)
		}
		if r := v.result(0x0801, 0, []byte{1, 2, 3}); r != 3 {
			t.Errorf("a picture: %d, want unsupported", r)
		}
		if r := v.result(0x0003, 0, nil); r != 0 {
			t.Errorf("logout: %d", r)
		}
		if r := v.result(0x0200, 0, somewhere(8).body()); r != 1 {
			t.Errorf("after the logout: %d", r)
		}
		// The code stays good: a terminal registers once in its life.
		again := drive(t, addr, "13800138000", y2019)
		if r := again.result(0x0102, 0, again.authentication(code)); r != 0 {
			t.Errorf("the same code again: %d", r)
		}
	})
}

func TestJT808Datum(t *testing.T) {
	s, _, sink := newStation(t, Limits{})
	addr, _ := depot(t, s)
	v := drive(t, addr, "13800138001", true)
	v.signOn()
	at := geo.GCJ02.FromWGS84(geo.Coord{X: 1212470460, Y: 313831250}.Point())
	p := somewhere(1)
	p.lon, p.lat = int(at[0]*1e6+0.5), int(at[1]*1e6+0.5)
	if r := v.result(0x0200, 0, p.body()); r != 0 {
		t.Fatal(r)
	}
	f := sink.all().Fixes[0]
	if dx, dy := f.Pos.X-1212470460, f.Pos.Y-313831250; dx > 6 || dx < -6 || dy > 6 || dy < -6 { // a terminal rounds to 1e-6
		t.Errorf("%+v is off by %d, %d", f, dx, dy)
	}
}

func TestJT808Strangers(t *testing.T) {
	both(t, func(t *testing.T, y2019 bool) {
		s, keys, sink := newStation(t, Limits{})
		addr, _ := depot(t, s)
		v := drive(t, addr, "13900139000", y2019)
		v.write(v.frame(0x0100, 0, v.registration()))
		if a := v.read(); a.id != 0x8100 || a.body[2] != 4 || len(a.body) != 3 {
			t.Errorf("a terminal that nobody knows: %+v", a)
		}
		v = drive(t, addr, "13800138000", y2019)
		if r := v.result(0x0200, 0, somewhere(1).body()); r != 1 {
			t.Errorf("a location before all: %d", r)
		}
		code := v.signOn()
		other := drive(t, addr, "13800138001", y2019)
		for _, wrong := range []string{"", "wrong", code, code[:31]} {
			if r := other.result(0x0102, 0, other.authentication(wrong)); r != 1 {
				t.Errorf("code %q of another: %d", wrong, r)
			}
		}
		if r := other.result(0x0200, 0, somewhere(1).body()); r != 1 {
			t.Errorf("a location after a wrong code: %d", r)
		}
		v.number = "13800138001"
		if r := v.result(0x0200, 0, somewhere(1).body()); r != 1 {
			t.Errorf("in another's name: %d", r)
		}
		v.number = "13800138000"
		if r := v.result(0x0200, 0, somewhere(1).body()); r != 0 {
			t.Errorf("in its own again: %d", r)
		}
		keys.mu.Lock()
		delete(keys.terminals, "13800138000")
		keys.mu.Unlock()
		if r := v.result(0x0200, 0, somewhere(2).body()); r != 1 {
			t.Errorf("revoked: %d", r)
		}
		if !v.ended() {
			t.Error("the connection of a revoked terminal goes on")
		}
		if n := len(sink.all().Fixes); n != 1 {
			t.Errorf("%d fixes, want 1", n)
		}
		for range 2 * jtPatience {
			if r := other.result(0x0200, 0, somewhere(1).body()); r == -1 {
				return
			}
		}
		t.Error("there is no end of patience")
	})
}

func TestJT808Outage(t *testing.T) {
	s, keys, sink := newStation(t, Limits{})
	addr, _ := depot(t, s)
	v := drive(t, addr, "13800138000", true)
	v.signOn()
	reached, durable := make(chan struct{}), make(chan struct{})
	sink.before = func() { close(reached); <-durable }
	v.write(v.frame(0x0200, 0, somewhere(1).body()))
	<-reached
	_ = v.conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if n, err := v.conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatal("answered before it was durable")
	}
	close(durable)
	if r := v.expect(v.serial, 0x0200); r != 0 {
		t.Errorf("durable: %d", r)
	}
	sink.before = nil
	sink.fail(errors.New("disk full"))
	for id, body := range map[int][]byte{0x0200: somewhere(2).body(), 0x0704: batch(1, somewhere(3))} {
		if r := v.result(id, 0, body); r != 1 {
			t.Errorf("%#04x without a log: %d", id, r)
		}
	}
	sink.fail(nil)
	keys.mu.Lock()
	keys.down = true
	keys.mu.Unlock()
	if r := v.result(0x0200, 0, somewhere(2).body()); r != 1 {
		t.Errorf("without accounts: %d", r)
	}
	keys.mu.Lock()
	keys.down = false
	keys.mu.Unlock()
	if r := v.result(0x0200, 0, somewhere(2).body()); r != 0 || len(sink.all().Fixes) != 2 {
		t.Errorf("afterwards: %d, %d fixes", r, len(sink.all().Fixes))
	}
}

func TestJT808InParts(t *testing.T) {
	both(t, func(t *testing.T, y2019 bool) {
		s, _, sink := newStation(t, Limits{})
		addr, _ := depot(t, s)
		v := drive(t, addr, "13800138000", y2019)
		v.signOn()
		var places []place
		for i := range 40 {
			places = append(places, somewhere(i))
		}
		body := batch(40, places...)
		parts := slices.Collect(slices.Chunk(body, 500))
		total := len(parts)
		first := v.serial + 1
		frames := make([][]byte, total)
		for i, p := range parts {
			frames[i] = v.frame(0x0704, 0, p, total, i+1)
		}
		answers := func(want int) {
			t.Helper()
			for i := range total {
				if r := v.expect(first+i, 0x0704); r != want {
					t.Errorf("the answer to part %d: %d, want %d", i+1, r, want)
				}
			}
		}
		v.write(bytes.Join(frames, nil))
		answers(0)
		if n := len(sink.all().Fixes); n != 40 {
			t.Fatalf("%d fixes, want 40", n)
		}
		// A part whose answer was lost.
		v.write(frames[1])
		if r := v.expect(first+1, 0x0704); r != 0 || len(sink.all().Fixes) != 40 {
			t.Errorf("the same part again: %d, %d fixes", r, len(sink.all().Fixes))
		}
		// Other messages come between, parts come in any order, and one does not
		// come until it is asked for: when it waits with the first again.
		first = v.serial + 1
		for i, p := range parts {
			frames[i] = v.frame(0x0704, 0, p, total, i+1)
		}
		v.write(frames[2])
		v.write(frames[0])
		if r := v.result(0x0200, 0, somewhere(50).body()); r != 0 {
			t.Errorf("between parts: %d", r)
		}
		v.write(frames[0])
		want := join(word(first), []byte{byte(total - 2)})
		if y2019 {
			want = join(word(first), word(total-2))
		}
		for i := range total {
			if i != 0 && i != 2 {
				want = join(want, word(i+1))
			}
		}
		if a := v.read(); a.id != 0x8003 || !bytes.Equal(a.body, want) {
			t.Errorf("asked %#04x % x, want % x", a.id, a.body, want)
		}
		sink.fail(errors.New("disk full"))
		for i := range total {
			if i != 0 && i != 2 {
				v.write(frames[i])
			}
		}
		answers(1)
		sink.fail(nil)
		v.write(frames[total-1]) // sent again after the failure
		answers(0)
		if n := len(sink.all().Fixes); n != 81 {
			t.Errorf("%d fixes, want 81", n)
		}
		// The next message begins before the last is whole: that is told.
		v.write(v.frame(0x0704, 0, parts[0], total, 1))
		v.serial += 10
		v.write(v.frame(0x0704, 0, parts[0], total, 1))
		if r := v.result(0x0002, 0, nil); r != 0 {
			t.Error(r)
		}
		if got := sink.all().Refusals; len(got) != 1 || got[0].Reason != patrol.Malformed || !strings.Contains(got[0].Detail, fmt.Sprintf("%d of the %d parts", total-1, total)) {
			t.Errorf("refused %+v", got)
		}
		for _, wrong := range [][]int{{jtMaxParts + 1, 1}, {65535, 65535}, {3, 0}, {3, 4}} {
			v.write(v.frame(0x0704, 0, parts[0], wrong...))
			if r := v.expect(v.serial, 0x0704); r != 2 {
				t.Errorf("part %v: %d", wrong, r)
			}
		}
	})
}

// TestJT808Stream sends frames byte by byte, several at once, with flags that
// serve two frames, with noise between them, and with damage.
func TestJT808Stream(t *testing.T) {
	s, _, sink := newStation(t, Limits{})
	addr, _ := depot(t, s)
	v := drive(t, addr, "13800138000", true)
	v.signOn()
	for _, b := range v.frame(0x0200, 0, somewhere(1).body()) {
		v.write([]byte{b})
	}
	if r := v.expect(v.serial, 0x0200); r != 0 {
		t.Error(r)
	}
	a, b, c := v.frame(0x0200, 0, somewhere(2).body()), v.frame(0x0200, 0, somewhere(3).body()), v.frame(0x0200, 0, somewhere(4).body())
	v.write(join(a, b[1:], []byte("noise"), []byte{0x7e, 0x7e, 0x7e}, c)) // a's last flag is b's first
	for i := range 3 {
		if r := v.expect(v.serial-2+i, 0x0200); r != 0 {
			t.Errorf("%d: %d", i, r)
		}
	}
	damaged := v.frame(0x0200, 0, somewhere(5).body())
	damaged[30] ^= 1
	v.write(damaged)
	if r := v.result(0x0200, 0, somewhere(6).body()); r != 0 {
		t.Errorf("after a damaged frame: %d", r)
	}
	if n := len(sink.all().Fixes); n != 5 {
		t.Errorf("%d fixes, want 5", n)
	}
	v.write(append([]byte{0x7e}, bytes.Repeat([]byte{1}, jtMaxFrame)...))
	if !v.ended() {
		t.Error("a frame without end is waited for")
	}
}

func TestJT808Limits(t *testing.T) {
	s, _, _ := newStation(t, Limits{Handshake: 200 * time.Millisecond, Idle: 300 * time.Millisecond, PerAddress: 3})
	addr, stop := depot(t, s)
	silent := drive(t, addr, "13800138000", true)
	idle := drive(t, addr, "13800138000", true)
	idle.signOn()
	partly := drive(t, addr, "13800138001", true)
	partly.signOn()
	partly.write(partly.frame(0x0704, 0, []byte{0, 1, 1}, 3, 1))
	if turned := drive(t, addr, "13800138000", true); !turned.ended() {
		t.Error("one connection too many of an address")
	}
	for name, v := range map[string]*vehicle{"silent": silent, "idle": idle} {
		if !v.ended() {
			t.Errorf("the %s connection was kept", name)
		}
	}
	for range jtPartsAsked { // the parts that do not come are asked for, then given up
		if a := partly.read(); a.id != 0x8003 {
			t.Errorf("asked %+v", a)
		}
	}
	if !partly.ended() {
		t.Error("the one with parts was kept")
	}
	busy := drive(t, addr, "13800138000", true)
	busy.signOn()
	stop()
	if !busy.ended() {
		t.Error("stopping leaves a connection")
	}
	wantCounter(t, s, `lianqin_ingest_connections{listener="jt808"} 0`)
}

// FuzzJT808 reads any stream: in whatever pieces it comes, the same frames come
// out, and what becomes of them is within the ranges of patrol.Fix.
func FuzzJT808(f *testing.F) {
	for _, y2019 := range []bool{false, true} {
		v := &vehicle{t: f, number: "13800138000", y2019: y2019}
		f.Add(join(v.frame(0x0100, 0, v.registration()), v.frame(0x0102, 0, v.authentication("code")), v.frame(0x0200, 0, somewhere(1).body())))
		f.Add(join(v.frame(0x0704, 0, batch(2, somewhere(1), somewhere(2))), v.frame(0x0704, 0, []byte{0, 9, 1}, 2, 1)))
		f.Add(v.frame(0x0200, 0x400, []byte("secret")))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		read := func(f *jtFrames) (all [][]byte) {
			for {
				frame, err := f.next()
				if err != nil {
					return all
				}
				all = append(all, bytes.Clone(frame))
			}
		}
		frames := read(&jtFrames{r: bytes.NewReader(stream)})
		if again := read(&jtFrames{r: iotest.OneByteReader(bytes.NewReader(stream))}); !slices.EqualFunc(frames, again, bytes.Equal) {
			t.Fatalf("% x\nin one piece  % x\nbyte by byte  % x", stream, frames, again)
		}
		s, keys, _ := newStation(t, Limits{})
		from := keys.terminals["13800138000"]
		var parts jtParts
		for _, frame := range frames {
			m, err := readMessage(frame)
			if err != nil {
				continue
			}
			if m.total > 1 && m.index >= 1 && m.index <= m.total && m.total <= jtMaxParts {
				if !parts.of(&m) {
					parts.begin(&m)
				}
				parts.add(&m)
				_ = parts.resend()
				m = *parts.whole()
			}
			in := s.begin(&from, patrol.FromJT808, "")
			in.takeLocations(&m)
			_ = presentedCode(&m)
			for _, fix := range in.Fixes {
				checkFix(t, fix)
			}
			for _, r := range in.Refusals {
				if r.Detail == "" || len(r.Raw) > patrol.MaxRaw {
					t.Fatalf("%+v", r)
				}
			}
		}
	})
}

// TestFramesComeBack writes frames as the platform does and reads them.
func TestFramesComeBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	for range 1000 {
		m := jtMessage{versioned: rnd.IntN(2) == 0, phone: bcdOf("13800138000", 6)}
		if m.versioned {
			m.phone = bcdOf("13800138000", 10)
		}
		body := make([]byte, rnd.IntN(200))
		for i := range body {
			body[i] = byte(0x7c + rnd.IntN(4)) // mostly what has to be escaped
		}
		frames := jtFrames{r: bytes.NewReader(appendFrame(nil, &m, uint16(rnd.Uint32()), uint16(rnd.Uint32()), body))}
		frame, err := frames.next()
		if err != nil {
			t.Fatal(err)
		}
		got, err := readMessage(frame)
		if err != nil || got.versioned != m.versioned || got.number != "13800138000" || !bytes.Equal(got.body, body) {
			t.Fatalf("%+v, %v, want %x", got, err, body)
		}
	}
}
