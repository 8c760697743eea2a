package httpapi

import (
	"net"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/ingest"
	"lianqin/internal/patrol"
)

// deviceAnswer is a device's token and how it reports.
type deviceAnswer struct {
	auth.Token
	Unit     string    `json:"unit,omitempty"` // code; empty for a gateway
	Datum    geo.Datum `json:"datum"`
	SpeedMPS bool      `json:"speed_mps"`
	Terminal string    `json:"terminal,omitempty"`
}

// deviceAnswer shows t as it reports; a device that was never bound is a
// gateway of WGS-84.
func (a *API) deviceAnswer(t auth.Token) deviceAnswer {
	out := deviceAnswer{Token: t, Datum: geo.WGS84}
	if a.cfg.Patrols == nil {
		return out
	}
	staff := a.cfg.Patrols.Staff()
	d, ok := staff.Device(t.ID)
	if !ok {
		return out
	}
	out.Datum, out.SpeedMPS, out.Terminal = d.Datum, d.SpeedMPS, d.Terminal
	if u, ok := staff.Unit(d.Unit); ok {
		out.Unit = u.Code
	}
	return out
}

// listDevices answers GET /api/v1/devices.
func (a *API) listDevices(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	all, err := a.cfg.Gate.Tokens(c.Request.Context(), callerOf(c), auth.Device)
	if err != nil {
		return err
	}
	devices := make([]deviceAnswer, len(all))
	for i, t := range all {
		devices[i] = a.deviceAnswer(t)
	}
	return writeValue(c, http.StatusOK, map[string][]deviceAnswer{"devices": devices})
}

// bindingForm is what is said about how a device reports; what is not said
// stays. Unit is a code, "" for a gateway.
type bindingForm struct {
	Unit     *string `json:"unit"`
	Datum    *string `json:"datum"`
	SpeedMPS *bool   `json:"speed_mps"`
	Terminal *string `json:"terminal"`
}

func (f *bindingForm) empty() bool { return *f == bindingForm{} }

// binding is d as the form changes it, and the unit that it then reports for;
// nil for a gateway.
func (s *sight) binding(d patrol.Device, f *bindingForm) (patrol.Device, *patrol.Unit, error) {
	set(&d.SpeedMPS, f.SpeedMPS)
	set(&d.Terminal, f.Terminal)
	if f.Datum != nil {
		datum, err := geo.ParseDatum(*f.Datum)
		if err != nil {
			return d, nil, err
		}
		d.Datum = datum
	}
	if f.Unit != nil {
		d.Unit = 0
		if *f.Unit != "" {
			u, err := s.unit(*f.Unit)
			if err != nil {
				return d, nil, fault.InvalidField("unit", "%w", err)
			}
			d.Unit = u.ID
		}
	}
	u, _ := s.staff.Unit(d.Unit)
	return d, u, nil
}

// createDevice answers POST /api/v1/devices with the new device, its secret
// and, when it reports for a unit, what sets up the programs that report: all
// of it is shown this once.
func (a *API) createDevice(c *gin.Context) error {
	var in struct {
		tokenForm
		bindingForm
	}
	if err := readJSON(c, &in); err != nil {
		return err
	}
	if in.bindingForm.empty() {
		t, secret, err := a.issue(c, auth.Device, &in.tokenForm)
		if err != nil {
			return err
		}
		return writeValue(c, http.StatusCreated, map[string]any{"device": a.deviceAnswer(t), "secret": secret})
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	d, u, err := s.binding(patrol.Device{Datum: geo.WGS84}, &in.bindingForm)
	if err != nil {
		return err
	}
	if u != nil && in.Jurisdiction == nil && s.caller.Jurisdiction.Level != auth.Village {
		in.Jurisdiction = &auth.Jurisdiction{Level: auth.Street, Code: u.Street}
	}
	return a.provision(c, s, &in.tokenForm, d, u)
}

// provision issues a token and binds it. What cannot be bound is revoked: its
// secret is nobody's.
func (a *API) provision(c *gin.Context, s *sight, in *tokenForm, d patrol.Device, u *patrol.Unit) error {
	ctx := c.Request.Context()
	t, secret, err := a.issue(c, auth.Device, in)
	if err != nil {
		return err
	}
	d.ID = t.ID
	answer := map[string]any{"secret": secret}
	if err = a.cfg.Patrols.BindDevice(ctx, s.editor(), d); err == nil && u != nil {
		answer["setup"], err = ingest.SetupFor(a.publicAt(c.Request), *u, secret)
	}
	if err != nil {
		if undo := a.cfg.Gate.Revoke(ctx, s.caller, t.ID); undo != nil {
			return undo
		}
		return err
	}
	answer["device"] = a.deviceAnswer(t)
	return writeValue(c, http.StatusCreated, answer)
}

// publicAt is where devices find the service: as it was told, or else as the
// caller does.
func (a *API) publicAt(r *http.Request) ingest.Public {
	at := a.cfg.Devices
	if at.URL == "" {
		at.URL = a.base(r)
	}
	if host, port, err := net.SplitHostPort(at.MQTT); err == nil && host == "" { // on every address of the machine
		if u, err := url.Parse(at.URL); err == nil {
			at.MQTT = net.JoinHostPort(u.Hostname(), port)
		}
	}
	return at
}

// changeDevice answers PATCH /api/v1/devices/{id}.
func (a *API) changeDevice(c *gin.Context) error {
	var in bindingForm
	if err := readJSON(c, &in); err != nil {
		return err
	}
	s, err := a.see(c)
	if err != nil {
		return err
	}
	t, err := a.token(c, auth.Device)
	if err != nil {
		return err
	}
	if !t.Revoked.IsZero() {
		return fault.New(fault.Conflict, "device %s is revoked", t.ID)
	}
	d := patrol.Device{ID: t.ID, Datum: geo.WGS84}
	if old, ok := s.staff.Device(t.ID); ok {
		d = *old
	}
	if d, _, err = s.binding(d, &in); err != nil {
		return err
	}
	if err := a.cfg.Patrols.BindDevice(c.Request.Context(), s.editor(), d); err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, a.deviceAnswer(t))
}

// revokeDevice answers DELETE /api/v1/devices/{id}.
func (a *API) revokeDevice(c *gin.Context) error { return a.revoke(c, auth.Device) }

// devicesOf are the devices of the caller's that report for u.
func (a *API) devicesOf(c *gin.Context, u *patrol.Unit) ([]deviceAnswer, error) {
	all, err := a.cfg.Gate.Tokens(c.Request.Context(), callerOf(c), auth.Device)
	if err != nil {
		return nil, err
	}
	devices := []deviceAnswer{}
	for _, t := range all {
		if d := a.deviceAnswer(t); d.Unit == u.Code {
			devices = append(devices, d)
		}
	}
	return devices, nil
}
