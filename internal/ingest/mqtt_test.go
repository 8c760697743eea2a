package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// broker serves s over MQTT on a loopback port until the test ends.
func broker(t testing.TB, s *Station) (addr string, stop func()) {
	t.Helper()
	return served(t, s.ServeMQTT)
}

// served runs one of a Station's listeners on a loopback port until the test
// ends, or stop ends it.
func served(t testing.TB, serve func(context.Context, net.Listener) error) (addr string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

func phoneOptions(addr, user, secret string) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(user + "phone").SetUsername(user).SetPassword(secret).
		SetProtocolVersion(4).SetConnectRetry(false).SetAutoReconnect(false).SetOrderMatters(false).SetKeepAlive(time.Minute)
}

func connect(t testing.TB, o *paho.ClientOptions) paho.Client {
	t.Helper()
	c := paho.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("connect: %v", token.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func located(tst int) string {
	return fmt.Sprintf(`{"_type":"location","lat":31.383125,"lon":121.247046,"tst":%d,"acc":9,"vel":18,"batt":50,"bs":1,"tid":"17"}`, tst)
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in ten seconds: %s", what)
		}
	}
}

func TestMQTT(t *testing.T) {
	s, _, sink := newStation(t, Limits{})
	addr, _ := broker(t, s)
	tst := 1772352000
	for _, version := range []uint{3, 4} {
		c := connect(t, phoneOptions(addr, "JD-0017", secrets["bound"]).SetProtocolVersion(version))
		for qos := range byte(3) {
			for _, retained := range []bool{false, true} {
				tst++
				token := c.Publish("owntracks/JD-0017/phone", qos, retained, located(tst))
				if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
					t.Fatalf("MQTT %d, quality %d: %v", version, qos, token.Error())
				}
			}
		}
		c.Disconnect(100)
	}
	eventually(t, "twelve fixes", func() bool { return len(sink.all().Fixes) == 12 })
	for i, f := range sink.all().Fixes {
		checkFix(t, f)
		if f.Unit != 1 || f.Source != patrol.FromMQTT || f.At != int64(1772352001+i)*1000 || f.SpeedMPS != 5 {
			t.Errorf("fix %d: %+v", i, f)
		}
	}
	c := connect(t, phoneOptions(addr, "JD-0017", secrets["bound"]))
	for topic, payload := range map[string]string{
		"owntracks/JD-0017/phone/event": `{"_type":"transition","event":"enter","lat":1,"lon":2,"tst":3}`, "owntracks/JD-0017/phone": `{"_type":"lwt","tst":1}`,
		"owntracks/JD-0017/phone/waypoints": "",
	} {
		if token := c.Publish(topic, 1, false, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Errorf("%s: %v", topic, token.Error())
		}
	}
	for _, payload := range []string{"no JSON", `{"_type":"encrypted","data":"x"}`, `{"_type":"location","lat":131,"lon":121,"tst":1772352000}`} {
		if token := c.Publish("owntracks/JD-0017/phone", 1, true, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Errorf("%s: not acknowledged, %v", payload, token.Error())
		}
	}
	var reasons []patrol.Reason
	for _, r := range sink.all().Refusals {
		reasons = append(reasons, r.Reason)
	}
	if fmt.Sprint(reasons) != "[malformed encrypted no-position]" {
		t.Errorf("refused as %v", reasons)
	}
	wantCounter(t, s, `lianqin_ingest_other_total{source="mqtt"} 3`)
	wantCounter(t, s, `lianqin_ingest_connections{listener="mqtt"} 1`)
}

func TestMQTTAcknowledgesWhatIsDurable(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		s, _, sink := newStation(t, Limits{})
		addr, _ := broker(t, s)
		durable, reached := make(chan struct{}), make(chan struct{})
		sink.before = func() { close(reached); <-durable }
		c := connect(t, phoneOptions(addr, "JD-0017", secrets["bound"]))
		token := c.Publish("owntracks/JD-0017/phone", qos, true, located(1772352000))
		<-reached
		if token.WaitTimeout(50 * time.Millisecond) {
			t.Errorf("quality %d: acknowledged before it was durable", qos)
		}
		close(durable)
		if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Errorf("quality %d: %v", qos, token.Error())
		}
	}
}

// TestMQTTOutage takes the log away under a phone: the message is not
// acknowledged, the phone connects anew and sends it again until it is.
func TestMQTTOutage(t *testing.T) {
	s, _, sink := newStation(t, Limits{})
	addr, _ := broker(t, s)
	sink.fail(fault.New(fault.Unavailable, "disk full"))
	o := phoneOptions(addr, "JD-0017", secrets["bound"]).SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(20 * time.Millisecond)
	lost := make(chan struct{}, 1000)
	o.OnConnectionLost = func(paho.Client, error) { lost <- struct{}{} }
	c := connect(t, o)
	token := c.Publish("owntracks/JD-0017/phone", 1, true, located(1772352000))
	<-lost
	if token.WaitTimeout(0) && token.Error() == nil {
		t.Fatal("acknowledged without a log")
	}
	sink.fail(nil)
	eventually(t, "the message again", func() bool { return len(sink.all().Fixes) > 0 })
	if !token.WaitTimeout(10 * time.Second) {
		t.Error("never acknowledged")
	}
	for _, f := range sink.all().Fixes {
		if f.At != 1772352000000 {
			t.Errorf("%+v", f)
		}
	}
}

func TestMQTTKeepsPhonesApart(t *testing.T) {
	s, keys, sink := newStation(t, Limits{})
	addr, _ := broker(t, s)
	for name, o := range map[string]*paho.ClientOptions{
		"wrong password": phoneOptions(addr, "JD-0017", secrets["none"]), "no password": phoneOptions(addr, "JD-0017", ""),
		"another unit": phoneOptions(addr, "JD-0018", secrets["bound"]), "long ID": phoneOptions(addr, "JD-0017", secrets["bound"]).SetClientID(strings.Repeat("x", 300)),
	} {
		if token := paho.NewClient(o).Connect(); !token.WaitTimeout(10*time.Second) || token.Error() == nil {
			t.Errorf("%s: let in", name)
		}
	}
	// The other has the same client ID, listens to its own topics, and would be
	// told of everything.
	heard := make(chan paho.Message, 10)
	other := connect(t, phoneOptions(addr, "JD-0018", secrets["gcj02"]).SetClientID("same").SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { heard <- m }))
	for filter, want := range map[string]byte{"owntracks/+/+": 0x80, "#": 0x80, "$SYS/#": 0x80, "owntracks/JD-0017/phone": 0x80, "$share/g/owntracks/JD-0017/phone": 0x80,
		"owntracks/JD-0018/phone/cmd": 1, "owntracks/JD-0018/#": 1} {
		token := other.Subscribe(filter, 1, nil).(*paho.SubscribeToken)
		token.WaitTimeout(10 * time.Second)
		got := token.Result()
		if len(got) != 1 {
			t.Errorf("subscribing to %s: %v", filter, got)
		}
		for _, code := range got { // by the filter, without its group
			if code != want {
				t.Errorf("subscribing to %s: %#x, want %#x", filter, code, want)
			}
		}
	}
	c := connect(t, phoneOptions(addr, "JD-0017", secrets["bound"]).SetClientID("same").SetWill("owntracks/JD-0018/phone/cmd", `{"_type":"cmd","action":"setConfiguration"}`, 1, true))
	if !other.IsConnected() {
		t.Error("a client ID of another device takes its session over")
	}
	if token := c.Publish("owntracks/JD-0018/phone/cmd", 1, true, `{"_type":"cmd"}`); token.WaitTimeout(time.Second) && token.Error() == nil {
		t.Error("a message for another's phone was acknowledged")
	}
	eventually(t, "the end of its connection, and so its last will", func() bool { return !c.IsConnectionOpen() })
	if token := other.Publish("owntracks/JD-0018/phone", 1, true, located(1772352000)); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Error(token.Error())
	}
	select {
	case m := <-heard:
		t.Errorf("was told %s: %s", m.Topic(), m.Payload())
	case <-time.After(50 * time.Millisecond):
	}
	if got := sink.all(); len(got.Fixes) != 1 || got.Fixes[0].Unit != 2 {
		t.Errorf("%+v", got)
	}
	// Revoked in mid-session.
	keys.mu.Lock()
	delete(keys.secrets, secrets["gcj02"])
	keys.mu.Unlock()
	if token := other.Publish("owntracks/JD-0018/phone", 1, true, located(1772352001)); token.WaitTimeout(time.Second) && token.Error() == nil {
		t.Error("a message of a device that is revoked was acknowledged")
	}
	eventually(t, "the end of the revoked one's connection", func() bool { return !other.IsConnectionOpen() })
}

func TestMQTTSessionsAreBounded(t *testing.T) {
	s, _, _ := newStation(t, Limits{})
	addr, _ := broker(t, s)
	for i := range 3 * sessionsPerDevice {
		eventually(t, "a session in place of one that is not connected", func() bool {
			c := paho.NewClient(phoneOptions(addr, "JD-0017", secrets["bound"]).SetClientID(fmt.Sprint("phone", i)).SetCleanSession(false))
			if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
				return false
			}
			c.Disconnect(50)
			return true
		})
	}
	var connected []paho.Client
	for i := range sessionsPerDevice {
		eventually(t, "a connection in place of one that has just ended", func() bool {
			c := paho.NewClient(phoneOptions(addr, "JD-0017", secrets["bound"]).SetClientID(fmt.Sprint("now", i)))
			if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
				return false
			}
			t.Cleanup(func() { c.Disconnect(0) })
			connected = append(connected, c)
			return true
		})
	}
	if token := paho.NewClient(phoneOptions(addr, "JD-0017", secrets["bound"]).SetClientID("one more")).Connect(); !token.WaitTimeout(10*time.Second) || token.Error() == nil {
		t.Error("one connection too many of a device was let in")
	}
	for i, c := range connected {
		if !c.IsConnectionOpen() {
			t.Errorf("connection %d was cut", i)
		}
	}
}

// dial5 speaks MQTT 5, which the client library does not, byte by byte.
func dial5(t *testing.T, addr, user, secret string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	text := func(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }
	// CONNECT: protocol level 5, flags: user, password, clean start; keep-alive 0.
	body := text("MQTT") + "\x05\xc2\x00\x00" + "\x00" + text("five") + text(user) + text(secret)
	if _, err := io.WriteString(c, "\x10"+string(rune(len(body)))+body); err != nil || len(body) > 127 {
		t.Fatal(len(body), err)
	}
	return c
}

func read5(t *testing.T, c net.Conn) (kind byte, body []byte) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		return 0, nil
	}
	body = make([]byte, head[1]) // all are short
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	return head[0], body
}

func publish5(t *testing.T, c net.Conn, topic, payload string) {
	t.Helper()
	body := string([]byte{0, byte(len(topic))}) + topic + "\x00\x07" + "\x00" + payload // packet 7, no properties
	if _, err := io.WriteString(c, "\x32"+string([]byte{byte(len(body)&127 | 128), byte(len(body) >> 7)})+body); err != nil {
		t.Fatal(err)
	}
}

func TestMQTT5(t *testing.T) {
	s, _, sink := newStation(t, Limits{})
	addr, _ := broker(t, s)
	c := dial5(t, addr, "JD-0017", secrets["bound"])
	kind, ack := read5(t, c)
	if kind != 0x20 || ack[1] != 0 {
		t.Fatalf("CONNACK %x %x", kind, ack)
	}
	// Property 0x13 is the keep-alive that the server imposes: 15 minutes.
	if !strings.Contains(string(ack), "\x13\x03\x84") {
		t.Errorf("no limit of the keep-alive in %x", ack)
	}
	publish5(t, c, "owntracks/JD-0017/phone", located(1772352000))
	if kind, ack = read5(t, c); kind != 0x40 || ack[0] != 0 || ack[1] != 7 || len(ack) > 2 && ack[2] >= 0x80 {
		t.Errorf("PUBACK %x %x", kind, ack)
	}
	sink.fail(errors.New("disk full"))
	publish5(t, c, "owntracks/JD-0017/phone", located(1772352001))
	// A PUBACK with a reason would end the delivery; a DISCONNECT does not.
	if kind, ack = read5(t, c); kind != 0xe0 || ack[0] != 0x89 {
		t.Errorf("during an outage: %x %x, want DISCONNECT, server busy", kind, ack)
	}
	if kind, _ = read5(t, c); kind != 0 {
		t.Errorf("then %x", kind)
	}
	if n := len(sink.all().Fixes); n != 1 {
		t.Errorf("%d fixes", n)
	}
}

func TestMQTTLimits(t *testing.T) {
	s, _, _ := newStation(t, Limits{Body: 2000, Handshake: 200 * time.Millisecond, Connections: 3})
	addr, stop := broker(t, s)
	silent, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_ = silent.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a connection that says nothing: %v", err)
	}
	c := connect(t, phoneOptions(addr, "JD-0017", secrets["bound"]))
	if token := c.Publish("owntracks/JD-0017/phone", 1, false, strings.Repeat(" ", 3000)); token.WaitTimeout(time.Second) && token.Error() == nil {
		t.Error("a packet too large was acknowledged")
	}
	eventually(t, "the end of the connection", func() bool { return !c.IsConnectionOpen() })
	c = connect(t, phoneOptions(addr, "JD-0017", secrets["bound"]))
	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	eventually(t, "the client to notice", func() bool { return !c.IsConnectionOpen() })
	wantCounter(t, s, `lianqin_ingest_connections{listener="mqtt"} 0`)
}
