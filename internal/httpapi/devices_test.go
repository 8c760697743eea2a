package httpapi

import (
	"net/url"
	"strings"
	"testing"

	"lianqin/internal/auth"
	"lianqin/internal/geo"
	"lianqin/internal/ingest"
)

type madeDevice struct {
	Device deviceAnswer
	Secret string
	Setup  *ingest.Setup
}

func TestDevicesReportForUnits(t *testing.T) {
	a, district, one, two := patrolTown(t, Config{Devices: ingest.Public{URL: "https://lq.example.cn", MQTT: "lq.example.cn:8883", MQTTS: true}})
	made := decode[madeDevice](t, one.call(a, "POST", "/api/v1/devices", `{"name":"张一的手机","unit":"A1","datum":"gcj02","terminal":"013800001111"}`), 201)
	d := made.Device
	if d.Unit != "A1" || d.Datum != geo.GCJ02 || d.Terminal != "13800001111" || d.SpeedMPS || d.Jurisdiction != streetOne || d.ID == "" {
		t.Errorf("made %+v", d)
	}
	if made.Setup == nil || made.Setup.TraccarID != made.Secret || made.Setup.TraccarURL != "https://lq.example.cn/ingest" || made.Setup.OwnTracksMQTT == "" {
		t.Fatalf("setup %+v", made.Setup)
	}
	if qr, err := url.Parse(made.Setup.TraccarQR); err != nil || qr.Query().Get("id") != made.Secret {
		t.Errorf("QR %s", made.Setup.TraccarQR)
	}
	if w := one.call(a, "GET", "/api/v1/devices", ""); strings.Contains(w.Body.String(), made.Secret) || !strings.Contains(w.Body.String(), `"unit":"A1"`) {
		t.Errorf("the list: %s", w.Body)
	}
	if got, ok := a.cfg.Patrols.Device(d.ID); !ok || got.Unit != 1 || got.Datum != geo.GCJ02 {
		t.Errorf("the registry has %+v, %v", got, ok)
	}
	changed := decode[deviceAnswer](t, one.call(a, "PATCH", "/api/v1/devices/"+d.ID, `{"unit":"A2","speed_mps":true}`), 200)
	if changed.Unit != "A2" || changed.Datum != geo.GCJ02 || !changed.SpeedMPS || changed.Terminal != "13800001111" {
		t.Errorf("changed %+v", changed)
	}
	if page := one.call(a, "GET", "/api/v1/units/A2", "").Body.String(); !strings.Contains(page, d.ID) {
		t.Errorf("the unit's page lacks its device: %s", page)
	}
	gateway := decode[madeDevice](t, district.call(a, "POST", "/api/v1/devices", `{"name":"平台"}`), 201)
	if gateway.Device.Unit != "" || gateway.Device.Datum != geo.WGS84 || gateway.Setup != nil || gateway.Device.Jurisdiction != auth.WholeDistrict {
		t.Errorf("a gateway %+v", gateway)
	}
	for _, tt := range []struct {
		who                visitor
		method, path, body string
		says               string
		status             int
	}{
		{one, "POST", "/api/v1/devices", `{"name":"x","unit":"B1"}`, "B1", 400},
		{one, "POST", "/api/v1/devices", `{"name":"x","unit":"A1","datum":"mars"}`, "mars", 400},
		{one, "POST", "/api/v1/devices", `{"name":"x","unit":"A1","terminal":"13800001111"}`, "another device", 400},
		{one, "POST", "/api/v1/devices", `{"name":"x","unit":"A1","terminal":"12ab"}`, "digits", 400},
		{one, "POST", "/api/v1/devices", `{"name":"","unit":"A1"}`, "name", 400},
		{two, "PATCH", "/api/v1/devices/" + d.ID, `{"datum":"wgs84"}`, d.ID, 404},
		{two, "PATCH", "/api/v1/devices/none", `{"datum":"wgs84"}`, "none", 404},
		{one, "PATCH", "/api/v1/devices/" + d.ID, `{"unit":"B1"}`, "B1", 400},
		{one, "PATCH", "/api/v1/devices/" + gateway.Device.ID, `{"unit":"A1"}`, gateway.Device.ID, 404},
	} {
		if p := wantProblem(t, tt.who.call(a, tt.method, tt.path, tt.body), tt.status); !strings.Contains(p.Detail, tt.says) {
			t.Errorf("%s %s %s: %+v", tt.method, tt.path, tt.body, p)
		}
	}
	// A token whose binding was refused is nobody's.
	live := 0
	for _, dev := range decode[struct{ Devices []deviceAnswer }](t, one.call(a, "GET", "/api/v1/devices", ""), 200).Devices {
		if dev.Revoked.IsZero() {
			live++
		}
	}
	if live != 1 {
		t.Errorf("%d devices can report, want 1", live)
	}
	if w := one.call(a, "DELETE", "/api/v1/devices/"+d.ID, ""); w.Code != 204 {
		t.Fatal(w.Code, w.Body)
	}
	wantProblem(t, one.call(a, "PATCH", "/api/v1/devices/"+d.ID, `{"datum":"wgs84"}`), 409)
}

// TestSetupLeadsToWhereTheCallerIs where the service was told no address.
func TestSetupLeadsToWhereTheCallerIs(t *testing.T) {
	a, _, one, _ := patrolTown(t, Config{TrustForwarded: true})
	made := decode[madeDevice](t, one.call(a, "POST", "/api/v1/devices", `{"name":"x","unit":"A1"}`, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "lq.example.cn"), 201)
	if made.Setup.TraccarURL != "https://lq.example.cn/ingest" || made.Setup.OwnTracksMQTT != "" {
		t.Errorf("%+v", made.Setup)
	}
}
