package ingest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// Public is where devices find the service from outside.
type Public struct {
	// URL is the service's own address, such as https://lianqin.example.cn or
	// http://10.1.2.3:8080/under/a/prefix.
	URL string
	// MQTT is host:port of the MQTT listener; empty when there is none.
	MQTT string
	// MQTTS says that TLS is spoken there.
	MQTTS bool
	// Interval is how often a phone reports; zero stands for ReportEvery.
	Interval time.Duration
}

// ReportEvery is how often a phone is set up to report: a walker crosses the
// 15 m of the hysteresis in that time, and a phone lasts a shift.
const ReportEvery = 10 * time.Second

// heartbeatEvery keeps a unit that stands still from being called silent.
const heartbeatEvery = patrol.SilentAfter / 5

// Setup sets up the programs that report for a unit. It holds the
// secret: whoever sets up the device is shown it, once.
type Setup struct {
	// TraccarQR is what Traccar Client (from 9 on) reads as a QR picture in its
	// settings. Opened by a camera it leads to a page that says nothing. There
	// is no app link: the client no longer takes its settings from one, since
	// any page could have redirected a phone (CVE-2026-48745).
	TraccarQR string `json:"traccar_qr"`
	// TraccarURL and TraccarID are the same by hand.
	TraccarURL string `json:"traccar_url"`
	TraccarID  string `json:"traccar_id"`
	// OwnTracksHTTP and OwnTracksMQTT are app links of OwnTracks, good as QR
	// pictures as well. OwnTracksMQTT is empty where there is no MQTT.
	OwnTracksHTTP string `json:"owntracks_http"`
	OwnTracksMQTT string `json:"owntracks_mqtt,omitempty"`
	// OsmAnd is the web address for OsmAnd's online tracking; the device is
	// then one whose speed is in m/s.
	OsmAnd string `json:"osmand"`
	// API is for programs of one's own: POST there with Token as a bearer.
	API   string `json:"api"`
	Token string `json:"token"`
}

// SetupFor makes the links that set up the device with that secret to report
// for unit. It is Invalid when an address in at is not one.
//
// Sources: the settings that Traccar Client reads from a scanned address;
// owntracks.org/booklet, "JSON" (_type=configuration) and "Configuration file"
// (owntracks:///config?inline=); OsmAnd's documentation of online tracking.
func SetupFor(at Public, unit patrol.Unit, secret string) (Setup, error) {
	base, err := url.Parse(at.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return Setup{}, fault.InvalidField("url", "%.100q is not an address such as https://lianqin.example.cn", at.URL)
	}
	every := int(cmp.Or(at.Interval, ReportEvery).Seconds())
	phones := base.JoinPath("ingest")
	phones.RawQuery, phones.Fragment = "", ""
	s := Setup{
		TraccarURL: phones.String(), TraccarID: secret,
		API: base.JoinPath("api/v1/positions").String(), Token: secret,
		OsmAnd: phones.String() + "?id=" + url.QueryEscape(secret) + "&lat={0}&lon={1}&timestamp={2}&hdop={3}&altitude={4}&speed={5}&bearing={6}",
	}
	s.TraccarQR = phones.String() + "?" + url.Values{
		"id": {secret}, "accuracy": {"high"}, "interval": {strconv.Itoa(every)}, "fastest_interval": {strconv.Itoa(every)}, "distance": {"0"},
		"heartbeat": {strconv.Itoa(int(heartbeatEvery.Seconds()))}, "buffer": {"true"},
	}.Encode()
	own := map[string]any{
		"_type": "configuration", "mode": 3, "url": phones.String(), "auth": true, "username": unit.Code, "password": secret,
		"deviceId": "phone", "tid": lastTwo(unit.Code), "monitoring": 2, "locatorInterval": every, "moveModeLocatorInterval": every,
		"ping": 1, "cmd": false, "remoteConfiguration": false, "allowRemoteLocation": false,
	}
	s.OwnTracksHTTP = ownTracksLink(own)
	if at.MQTT == "" {
		return s, nil
	}
	host, port, err := net.SplitHostPort(at.MQTT)
	number, wrong := strconv.ParseUint(port, 10, 16)
	if err != nil || wrong != nil || host == "" {
		return Setup{}, fault.InvalidField("mqtt", "%.100q is not host:port", at.MQTT)
	}
	delete(own, "url")
	own["mode"], own["host"], own["port"], own["tls"] = 0, host, number, at.MQTTS
	// 3.1.1: the level that OwnTracks for Android has by default is the one of
	// before the standard. The rest keeps what a phone could not send yet.
	own["mqttProtocolLevel"], own["keepalive"], own["cleanSession"] = 4, 60, false
	own["pubTopicBase"], own["pubQos"], own["pubRetain"], own["sub"] = "owntracks/%u/%d", 1, true, false
	s.OwnTracksMQTT = ownTracksLink(own)
	return s, nil
}

// ownTracksLink is the app link that brings a configuration.
func ownTracksLink(configuration map[string]any) string {
	text, err := json.Marshal(configuration)
	if err != nil {
		panic(err) // plain values
	}
	return "owntracks:///config?inline=" + url.QueryEscape(base64.StdEncoding.EncodeToString(text))
}

// lastTwo is what OwnTracks writes on a marker.
func lastTwo(code string) string {
	code = strings.ToUpper(code)
	runes := []rune(code)
	return string(runes[max(0, len(runes)-2):])
}
