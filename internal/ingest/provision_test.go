package ingest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// inline is the configuration in an OwnTracks link, read as the apps do.
func inline(t *testing.T, link string) map[string]any {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "owntracks" || u.Path != "/config" {
		t.Fatalf("%s: %v", link, err)
	}
	text, err := base64.StdEncoding.DecodeString(u.Query().Get("inline"))
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSetupFor(t *testing.T) {
	unit := patrol.Unit{Code: "jd-0017", Name: "张三"}
	const secret = "lqd_abc-_123"
	s, err := SetupFor(Public{URL: "https://lq.example.cn/here/", MQTT: "lq.example.cn:8883", MQTTS: true}, unit, secret)
	if err != nil {
		t.Fatal(err)
	}
	qr, err := url.Parse(s.TraccarQR)
	if err != nil {
		t.Fatal(err)
	}
	if got := qr.Scheme + "://" + qr.Host + qr.Path; got != "https://lq.example.cn/here/ingest" || got != s.TraccarURL {
		t.Errorf("Traccar reports to %s, by hand %s", got, s.TraccarURL)
	}
	if q := qr.Query(); q.Get("id") != secret || q.Get("interval") != "10" || q.Get("distance") != "0" || q.Get("heartbeat") != "60" {
		t.Errorf("Traccar's settings: %v", q)
	}
	http := inline(t, s.OwnTracksHTTP)
	for key, want := range map[string]any{"_type": "configuration", "mode": 3.0, "url": "https://lq.example.cn/here/ingest", "username": "jd-0017", "password": secret,
		"auth": true, "tid": "17", "cmd": false} {
		if http[key] != want {
			t.Errorf("OwnTracks over HTTP: %s is %v, want %v", key, http[key], want)
		}
	}
	mqtt := inline(t, s.OwnTracksMQTT)
	for key, want := range map[string]any{"mode": 0.0, "host": "lq.example.cn", "port": 8883.0, "tls": true, "mqttProtocolLevel": 4.0, "pubQos": 1.0,
		"username": "jd-0017", "password": secret, "pubTopicBase": "owntracks/%u/%d", "sub": false, "url": nil} {
		if mqtt[key] != want {
			t.Errorf("OwnTracks over MQTT: %s is %v, want %v", key, mqtt[key], want)
		}
	}
	if s.API != "https://lq.example.cn/here/api/v1/positions" || s.Token != secret || !strings.Contains(s.OsmAnd, "id="+secret+"&lat={0}") {
		t.Errorf("%+v", s)
	}
	text, err := json.Marshal(s)
	if err != nil || strings.Contains(string(text), "张三") {
		t.Errorf("the setup names the person: %s, %v", text, err)
	}
}

func TestSetupForAWrongAddress(t *testing.T) {
	for _, at := range []Public{{}, {URL: "lq.example.cn"}, {URL: "ftp://lq.example.cn"}, {URL: "https://lq.example.cn", MQTT: "lq.example.cn"},
		{URL: "https://lq.example.cn", MQTT: "lq.example.cn:99999"}, {URL: "https://lq.example.cn", MQTT: ":1883"}} {
		if s, err := SetupFor(at, patrol.Unit{Code: "a"}, "lqd_x"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %+v, %v", at, s, err)
		}
	}
	if s, err := SetupFor(Public{URL: "http://10.0.0.1:8080"}, patrol.Unit{Code: "a"}, "lqd_x"); err != nil || s.OwnTracksMQTT != "" || s.TraccarURL != "http://10.0.0.1:8080/ingest" {
		t.Errorf("without MQTT: %+v, %v", s, err)
	}
}
