package httpapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// open311Base is where the Open311 GeoReport v2 interface is: what asks for
// anything under it gets answers, and errors, in its forms.
const open311Base = "/open311/"

// open311Majors are the chapters of the catalogue that are public: things that
// everybody sees in the street. What 08 to 10 hold is about homes, businesses
// and people.
const (
	firstPublicMajor = "01"
	lastPublicMajor  = "07"
)

// open311Span is how far back an answer reaches, and how wide a question may
// be.
const open311Span = 90 * 24 * time.Hour

// open311Text is a text that may be missing: null in JSON, empty in XML.
type open311Text string

func (t open311Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// open311Clean is s as both XML and JSON can carry it: without control
// characters, which XML has no way to write.
func open311Clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || unicode.IsControl(r) || r == '\ufffe' || r == '\uffff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}

// open311Time is an instant with its offset.
func open311Time(t time.Time) open311Text {
	if t.IsZero() {
		return ""
	}
	return open311Text(t.In(grid.Zone).Format(time.RFC3339))
}

// open311Format is how an answer is written: json or xml.
type open311Format string

// open311Name is a path's last part without its format, which it must name.
func open311Name(part string) (string, open311Format, error) {
	i := strings.LastIndexByte(part, '.')
	name, format := part[:max(i, 0)], open311Format(part[i+1:])
	if i < 0 {
		name, format = part, ""
	}
	return name, format, format.check()
}

func (f open311Format) check() error {
	if f != "json" && f != "xml" {
		return fault.New(fault.NotFound, "the address ends in .json or .xml")
	}
	return nil
}

// open311Path is the format of a route whose parameter is the format alone.
func open311Path(c *gin.Context) (open311Format, error) {
	f := open311Format(c.Param("format"))
	return f, f.check()
}

// writeOpen311 answers with a list, which XML wraps: root and the name of each.
func writeOpen311[T any](c *gin.Context, status int, f open311Format, root, name string, list []T) error {
	return writeOpen311Value(c, status, f, orEmpty(list), func(e *xml.Encoder) error {
		start := xml.StartElement{Name: xml.Name{Local: root}}
		if err := e.EncodeToken(start); err != nil {
			return err
		}
		for _, v := range list {
			if err := e.EncodeElement(v, xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
				return err
			}
		}
		return e.EncodeToken(start.End())
	})
}

// writeOpen311One answers with one thing.
func writeOpen311One(c *gin.Context, f open311Format, root string, v any) error {
	return writeOpen311Value(c, http.StatusOK, f, v, func(e *xml.Encoder) error {
		return e.EncodeElement(v, xml.StartElement{Name: xml.Name{Local: root}})
	})
}

var xmlType = []string{"text/xml; charset=utf-8"}

func writeOpen311Value(c *gin.Context, status int, f open311Format, v any, asXML func(*xml.Encoder) error) error {
	if f == "json" {
		return writeValue(c, status, v)
	}
	b := takeBuffer()
	defer b.release()
	w := &appender{b.b}
	_, _ = w.Write([]byte(xml.Header))
	e := xml.NewEncoder(w)
	if err := errors.Join(asXML(e), e.Close()); err != nil {
		return err
	}
	b.b = append(w.b, '\n')
	h := c.Writer.Header()
	h["Content-Type"] = xmlType
	h["Cache-Control"] = noStore
	c.Status(status)
	_, _ = c.Writer.Write(b.b) // or the reader has gone
	return nil
}

// appender is a writer to memory.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// open311Error is one of the errors of an answer.
type open311Error struct {
	Code        int    `json:"code" xml:"code"`
	Description string `json:"description" xml:"description"`
}

// failOpen311 answers with err in the interface's form. Its statuses are 404
// for what there is not, 403 for a key, 400 for a bad question.
func failOpen311(c *gin.Context, status int, detail string) {
	switch status {
	case http.StatusUnauthorized:
		status = http.StatusForbidden
	case http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		status = http.StatusBadRequest
	}
	if detail == "" {
		detail = titles[status]
	}
	f := open311Format("xml")
	if strings.HasSuffix(c.Request.URL.Path, ".json") {
		f = "json"
	}
	_ = writeOpen311(c, status, f, "errors", "error", []open311Error{{status, open311Clean(detail)}}) // or the reader has gone
	c.Abort()
}

// jurisdiction is the code of the district: that which its streets' codes begin
// with.
func (d *district) jurisdiction() string {
	code := ""
	for i, s := range d.gen.Streets() {
		if i == 0 {
			code = s.Code[:min(districtDigits, len(s.Code))]
		}
		for !strings.HasPrefix(s.Code, code) {
			code = code[:len(code)-1]
		}
	}
	return code
}

// districtDigits is how long the code of a district is (GB/T 2260).
const districtDigits = 6

// checkJurisdiction is NotFound for another district's.
func (a *API) checkJurisdiction(asked string) error {
	if asked == "" {
		return nil
	}
	d, err := a.inForce()
	if err != nil {
		return err
	}
	if ours := d.jurisdiction(); asked != ours {
		return fault.New(fault.NotFound, "jurisdiction_id %q was not found; ours is %s", clipText(asked), ours)
	}
	return nil
}

type open311Discovery struct {
	Changeset  open311Text       `json:"changeset" xml:"changeset"`
	Contact    string            `json:"contact" xml:"contact"`
	KeyService string            `json:"key_service" xml:"key_service"`
	Endpoints  []open311Endpoint `json:"endpoints" xml:"endpoints>endpoint"`
}

type open311Endpoint struct {
	Specification string      `json:"specification" xml:"specification"`
	URL           string      `json:"url" xml:"url"`
	Changeset     open311Text `json:"changeset" xml:"changeset"`
	Type          string      `json:"type" xml:"type"`
	Formats       []string    `json:"formats" xml:"formats>format"`
}

var jurisdictionParam = []string{"jurisdiction_id"}

// open311Asked reads a query that has no more than a jurisdiction.
func (a *API) open311Asked(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, jurisdictionParam)
	if err != nil {
		return err
	}
	return a.checkJurisdiction(p.values[0])
}

// open311Discovery answers GET /open311/v2/discovery.{format}.
func (a *API) open311Discovery(c *gin.Context) error {
	f, err := open311Path(c)
	if err != nil {
		return err
	}
	if err := a.open311Asked(c); err != nil {
		return err
	}
	d, err := a.desk()
	if err != nil {
		return err
	}
	catalogue, err := d.Procedure().Catalogues.At(a.cfg.Now())
	if err != nil {
		return err
	}
	changed := catalogue.From()
	if changed.IsZero() {
		changed = time.UnixMilli(0) // from the beginning
	}
	at := open311Time(changed)
	return writeOpen311One(c, f, "discovery", open311Discovery{
		Changeset:  at,
		Contact:    "区联勤和城市网格化综合管理中心 The district's grid management centre",
		KeyService: "由区中心管理员在“设备”中以 integration 角色发放 Given by the district's administrators, as a device of the role integration",
		Endpoints: []open311Endpoint{{Specification: "http://wiki.open311.org/GeoReport_v2", URL: a.base(c.Request) + "/open311/v2",
			Changeset: at, Type: "production", Formats: []string{"text/xml", "application/json"}}},
	})
}

// publicItem reports whether everybody may see cases of an item.
func publicItem(t *casework.Item) bool {
	return t.Major.Code >= firstPublicMajor && t.Major.Code <= lastPublicMajor
}

// publicItems are the items of the catalogue in force that are public, by code.
func (a *API) publicItems() ([]casework.Item, error) {
	d, err := a.desk()
	if err != nil {
		return nil, err
	}
	catalogue, err := d.Procedure().Catalogues.At(a.cfg.Now())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(catalogue.Items()), func(t casework.Item) bool { return !publicItem(&t) }), nil
}

// publicItem is one of them; NotFound for any other code.
func (a *API) publicItem(code string) (*casework.Item, error) {
	items, err := a.publicItems()
	if err != nil {
		return nil, err
	}
	for i := range items {
		if items[i].Code == code {
			return &items[i], nil
		}
	}
	return nil, &fault.Error{Kind: fault.NotFound, Field: "service_code", Msg: "service_code " + clipText(code) + " was not found"}
}

type open311Service struct {
	Code        string      `json:"service_code" xml:"service_code"`
	Name        string      `json:"service_name" xml:"service_name"`
	Description open311Text `json:"description" xml:"description"`
	Metadata    bool        `json:"metadata" xml:"metadata"`
	Type        string      `json:"type" xml:"type"`
	Keywords    open311Text `json:"keywords" xml:"keywords"`
	Group       string      `json:"group" xml:"group"`
}

// open311Services answers GET /open311/v2/services.{format}.
func (a *API) open311Services(c *gin.Context) error {
	f, err := open311Path(c)
	if err != nil {
		return err
	}
	if err := a.open311Asked(c); err != nil {
		return err
	}
	items, err := a.publicItems()
	if err != nil {
		return err
	}
	services := make([]open311Service, len(items))
	for i := range items {
		t, words := &items[i], a.cfg.PlainWords[items[i].Code]
		services[i] = open311Service{Code: t.Code, Name: t.Name, Description: open311Text(words.English), Metadata: true, Type: "realtime",
			Keywords: open311Text(strings.Join(words.Words, ", ")), Group: t.Major.Name}
	}
	return writeOpen311(c, http.StatusOK, f, "services", "service", services)
}
