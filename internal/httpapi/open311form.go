package httpapi

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/paulmach/orb"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// open311Form is a request that comes in, as its form says it.
type open311Form struct {
	fields     map[string]string
	attributes map[string][]string // by code
}

// open311Fields are the fields that have a meaning here. Others are passed
// over: programs send what other cities' services want.
var open311Fields = []string{"jurisdiction_id", "api_key", "service_code", "lat", "long", "address_string", "address_id", "email", "device_id",
	"account_id", "first_name", "last_name", "phone", "description", "media_url"}

// maxFormPairs bounds the fields of one form.
const maxFormPairs = 200

// readOpen311Form reads a form. It is Invalid, naming the field, for one that
// is there twice, is not encoded properly, is no UTF-8, or is too long.
func readOpen311Form(body string) (*open311Form, error) {
	f := &open311Form{fields: map[string]string{}, attributes: map[string][]string{}}
	for n := 0; body != ""; n++ {
		var pair string
		pair, body, _ = strings.Cut(body, "&")
		if pair == "" {
			continue
		}
		if n >= maxFormPairs {
			return nil, fault.New(fault.Invalid, "more than %d fields", maxFormPairs)
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fault.New(fault.Invalid, "the form is not encoded properly: %w", err)
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, fault.InvalidField(clipText(name), "is not encoded properly: %w", err)
		}
		if err := f.add(name, value); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *open311Form) add(name, value string) error {
	switch {
	case !utf8.ValidString(name):
		return fault.New(fault.Invalid, "a field's name is not UTF-8")
	case !utf8.ValidString(value):
		return fault.InvalidField(clipText(name), "is not UTF-8")
	case len(value) > maxCaseText:
		return fault.InvalidField(clipText(name), "longer than %d bytes", maxCaseText)
	}
	value = open311Clean(value)
	if code, ok := strings.CutPrefix(name, "attribute["); ok {
		code, rest, ok := strings.Cut(code, "]")
		if !ok || rest != "" && rest != "[]" || code == "" {
			return fault.InvalidField(clipText(name), "is not attribute[CODE]")
		}
		f.attributes[code] = append(f.attributes[code], value)
		return nil
	}
	if !slices.Contains(open311Fields, name) {
		return nil
	}
	if _, twice := f.fields[name]; twice {
		return fault.InvalidField(name, "given more than once")
	}
	f.fields[name] = value
	return nil
}

// number is a field as a finite number.
func formNumber(name, value string) (float64, error) {
	v, ok := readNumber(value)
	if !ok {
		return 0, fault.InvalidField(name, "%q is not a number", clipText(value))
	}
	return v, nil
}

// answers are what was said to an item's questions, each checked.
type answers struct {
	seen      time.Time
	accuracyM float64
	details   []string // lines for the text
}

// answers reads the attributes by their definitions; one that is not defined,
// or does not fit, is Invalid.
func (f *open311Form) answers(defined []open311Attribute) (out answers, err error) {
	for code, values := range f.attributes {
		field := "attribute[" + code + "]"
		i := slices.IndexFunc(defined, func(d open311Attribute) bool { return d.Code == code && d.Variable })
		if i < 0 {
			return out, fault.InvalidField(clipText(field), "this service asks for no such thing")
		}
		if len(values) > 1 {
			return out, fault.InvalidField(field, "given more than once")
		}
		if values[0] == "" {
			continue
		}
		switch value := values[0]; code {
		case seenAttribute:
			if out.seen, err = open311Instant(field, value); err != nil {
				return out, err
			}
		case accuracyAttribute:
			if out.accuracyM, err = formNumber(field, value); err != nil {
				return out, err
			}
			if !(out.accuracyM >= 0 && out.accuracyM <= maxCaseAccuracyM) {
				return out, fault.InvalidField(field, "%v is not between 0 and %d m", out.accuracyM, maxCaseAccuracyM)
			}
		case dangerAttribute:
			j := slices.IndexFunc(dangers, func(v open311Value) bool { return v.Key == value })
			if j < 0 {
				return out, fault.InvalidField(field, "%q is not one of its values", clipText(value))
			}
			out.details = append(out.details, detail("危险", dangers[j].Name))
		case assetAttribute:
			out.details = append(out.details, detail("编号", value))
		}
	}
	slices.Sort(out.details)
	return out, nil
}

// open311Instant reads an instant with its offset, or a day of ours.
func open311Instant(field, value string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, value); err == nil && t.Year() >= firstYear && t.Year() <= lastYear {
			return t, nil
		}
	}
	if t, err := time.ParseInLocation(time.DateOnly, value, grid.Zone); err == nil && t.Year() >= firstYear && t.Year() <= lastYear {
		return t, nil
	}
	return time.Time{}, fault.InvalidField(field, "%q is not a time with its offset, such as 2026-03-01T09:30:00+08:00", clipText(value))
}

// position is where a request lies: by lat and long, by a grid's code as
// address_id, or by an address that names one grid. Answer is the grid when
// that is what was said.
func (f *open311Form) position(d *district, accuracyM float64) (p *casework.Position, answer grid.ID, err error) {
	lat, long, address := f.fields["lat"], f.fields["long"], f.fields["address_string"]
	if lat != "" || long != "" {
		at := orb.Point{}
		if at[1], err = formNumber("lat", lat); err != nil {
			return nil, 0, err
		}
		if at[0], err = formNumber("long", long); err != nil {
			return nil, 0, err
		}
		if _, err := geo.Quantise(at); err != nil {
			return nil, 0, fault.InvalidField("lat", "%w", err)
		}
		return &casework.Position{At: at, AccuracyM: accuracyM, Address: address}, 0, nil
	}
	g, err := d.named(f.fields["address_id"], address)
	if err != nil {
		return nil, 0, err
	}
	radius := math.Sqrt(g.AreaM2 / math.Pi)
	return &casework.Position{At: g.Label, AccuracyM: math.Round(min(radius, maxCaseAccuracyM)), Address: address}, g.ID, nil
}

// named is the grid with that code or, without one, the only grid that an
// address names. It is Invalid where there is none, or several.
func (d *district) named(code, address string) (*grid.Grid, error) {
	if code == "" && address == "" {
		return nil, fault.InvalidField("lat", "where is it? lat and long, or an address")
	}
	var found *grid.Grid
	longest := 0
	for i := range d.gen.Grids() {
		g := &d.gen.Grids()[i]
		if code != "" {
			if g.Code == code {
				return g, nil
			}
			continue
		}
		name := shortGridName(g.Name)
		if strings.Contains(address, g.Code) {
			name = g.Code
		}
		if name == "" || !strings.Contains(address, name) || len(name) < longest {
			continue
		}
		if len(name) == longest {
			found = nil
			continue
		}
		found, longest = g, len(name)
	}
	switch {
	case code != "":
		return nil, fault.InvalidField("address_id", "%q is no grid's code", clipText(code))
	case found == nil && longest > 0:
		return nil, fault.InvalidField("address_string", "names several places: send lat and long as well")
	case found == nil:
		return nil, fault.InvalidField("address_string", "cannot be located: send lat and long as well")
	}
	return found, nil
}

// leastName is how many letters a name has at least to be looked for in an
// address.
const leastName = 3

// shortGridName is what of a grid's name people write in an address; empty when
// that is too little.
func shortGridName(name string) string {
	for _, suffix := range []string{"居委会", "村委会", "网格"} {
		name = strings.TrimSuffix(name, suffix)
	}
	if utf8.RuneCountInString(name) < leastName {
		return ""
	}
	return name
}

// arrival is the request as a case that comes in.
func (f *open311Form) arrival(a *API, who auth.Caller) (*casework.Arrival, error) {
	code := f.fields["service_code"]
	if code == "" {
		return nil, fault.InvalidField("service_code", "service_code was not provided")
	}
	item, err := a.publicItem(code)
	if err != nil {
		return nil, err
	}
	desk, err := a.desk()
	if err != nil {
		return nil, err
	}
	catalogue, err := desk.Procedure().Catalogues.At(a.cfg.Now())
	if err != nil {
		return nil, err
	}
	said, err := f.answers(open311Attributes(catalogue, item))
	if err != nil {
		return nil, err
	}
	d, err := a.inForce()
	if err != nil {
		return nil, err
	}
	in := &casework.Arrival{By: citizens(who), Item: code}
	if in.Position, in.Answer, err = f.position(d, said.accuracyM); err != nil {
		return nil, err
	}
	lines := append([]string{f.fields["description"]}, said.details...)
	if media := f.fields["media_url"]; media != "" {
		if u, err := url.Parse(media); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return nil, fault.InvalidField("media_url", "is no address of a picture")
		}
		lines = append(lines, detail("图片", media))
	}
	in.Intake = casework.Intake{Channel: casework.ByPublic, Captured: said.seen, Text: strings.TrimSpace(strings.Join(lines, "\n")), Publish: true}
	if in.Intake.Captured.IsZero() {
		in.Intake.Captured = a.cfg.Now()
	}
	name := strings.TrimSpace(f.fields["last_name"] + " " + f.fields["first_name"])
	contact := strings.Trim(f.fields["phone"]+" "+f.fields["email"], " ")
	if name != "" || contact != "" {
		in.Reporter = &casework.Reporter{Name: name, Contact: contact}
	}
	return in, checkTexts([]string{in.Intake.Text, name, contact})
}

// citizens is who acts for citizens: a program, or a page without a name.
func citizens(who auth.Caller) []casework.Actor {
	return []casework.Actor{{ID: who.Name, Role: casework.Citizen}}
}

type open311Receipt struct {
	ID      string      `json:"service_request_id" xml:"service_request_id"`
	Notice  open311Text `json:"service_notice" xml:"service_notice"`
	Account open311Text `json:"account_id" xml:"account_id"`
}

// postOpen311 answers POST /open311/v2/requests.{format}.
func (a *API) postOpen311(c *gin.Context) error {
	format, err := open311Path(c)
	if err != nil {
		return err
	}
	media, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return fault.InvalidField("Content-Type", "send application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxForm))
	if err != nil {
		return tooLarge(maxForm)
	}
	pairs := string(body)
	if q := c.Request.URL.RawQuery; q != "" { // some programs put the key there
		pairs += "&" + q
	}
	f, err := readOpen311Form(pairs)
	if err != nil {
		return err
	}
	who, err := a.integration(c, f.fields["api_key"])
	if err != nil {
		return err
	}
	if err := a.checkJurisdiction(f.fields["jurisdiction_id"]); err != nil {
		return err
	}
	in, err := f.arrival(a, who)
	if err != nil {
		return err
	}
	if key := c.Request.Header.Get("Idempotency-Key"); key != "" {
		in.Key = sha256.Sum256([]byte("open311 " + who.Name + " " + key))
	}
	if err := a.reports.all(); err != nil {
		return err
	}
	d, err := a.desk()
	if err != nil {
		return err
	}
	out, err := d.Open(auth.WithCaller(c.Request.Context(), who), *in)
	if err != nil {
		return err
	}
	return writeOpen311(c, http.StatusOK, format, "service_requests", "request",
		[]open311Receipt{{ID: fmt.Sprint(out.Case.ID), Notice: open311Text(openedNotice(out))}})
}

// integration is whose key it is; Denied for none of ours.
func (a *API) integration(c *gin.Context, key string) (auth.Caller, error) {
	who := callerOf(c)
	if key != "" {
		var err error
		if who, err = a.cfg.Gate.Caller(c.Request.Context(), key, a.address(c.Request)); err != nil {
			return who, err
		}
	}
	switch {
	case who.Token == nil:
		return who, fault.New(fault.Denied, "api_key was not provided")
	case who.Role != auth.Integration:
		return who, fault.New(fault.Denied, "api_key is none of an integration")
	}
	return who, nil
}

// openedNotice says what happens to a request, and what is still to be found
// out.
func openedNotice(out *casework.Opened) string {
	notice := "已收到，先由巡防人员现场核实，再受理并派遣；受理后描述会公开。Received: somebody looks on site first, then it is accepted and dispatched; its description is public once it is accepted."
	if names := candidateNames(out.Outcome.Candidates); len(names) > 1 {
		notice += " 位置在交界处（" + strings.Join(names, "、") + "），受理时确定由哪一方负责。It is near a border; who answers for it is settled then."
	}
	if len(out.Duplicates) > 0 {
		h := &out.Duplicates[0]
		notice += fmt.Sprintf(" %.0f 米内已有同类上报（%d）。Request %d, %.0f m away, may be the same.", h.DistanceM, h.Case, h.Case, h.DistanceM)
	}
	return notice
}

func candidateNames(all []casework.Candidate) (names []string) {
	for _, c := range all {
		if c.Grid != grid.None {
			names = append(names, c.GridName)
		}
	}
	return names
}
