package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

// open311Request is a case as everybody may see it.
type open311Request struct {
	ID        string        `json:"service_request_id" xml:"service_request_id"`
	Status    string        `json:"status" xml:"status"` // open or closed
	Notes     open311Text   `json:"status_notes" xml:"status_notes"`
	Service   open311Text   `json:"service_name" xml:"service_name"`
	Code      string        `json:"service_code" xml:"service_code"`
	Text      open311Text   `json:"description" xml:"description"`
	Agency    open311Text   `json:"agency_responsible" xml:"agency_responsible"`
	Notice    open311Text   `json:"service_notice" xml:"service_notice"`
	Requested open311Text   `json:"requested_datetime" xml:"requested_datetime"`
	Updated   open311Text   `json:"updated_datetime" xml:"updated_datetime"`
	Expected  open311Text   `json:"expected_datetime" xml:"expected_datetime"`
	Address   open311Text   `json:"address" xml:"address"`
	AddressID open311Text   `json:"address_id" xml:"address_id"` // code of the grid
	Zipcode   open311Text   `json:"zipcode" xml:"zipcode"`
	Lat       open311Number `json:"lat" xml:"lat"`
	Long      open311Number `json:"long" xml:"long"`
	Media     open311Text   `json:"media_url" xml:"media_url"`
}

// open311Number is a number that may be missing: null in JSON, empty in XML.
type open311Number string

func (n open311Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return []byte(n), nil
}

// stateWords are the true states in plain words, Chinese and English.
var stateWords = map[casework.State]string{
	casework.Reported:    "已上报，待受理 reported, not accepted yet",
	casework.ToVerify:    "现场核实中 somebody looks on site",
	casework.Accepted:    "已受理 accepted",
	casework.NotAccepted: "不予受理 not accepted",
	casework.Filed:       "已立案，待派遣 filed, to be dispatched",
	casework.NotFiled:    "不予立案 not filed",
	casework.Dispatched:  "已派遣 dispatched",
	casework.Returned:    "部门提出退单，重新派遣中 the department says that it is another's",
	casework.InDisposal:  "处置中 being dealt with",
	casework.ToCheck:     "已处置，核查中 done, being checked",
	casework.Closed:      "已结案 closed",
	casework.Void:        "作废或并入另一件 void, or part of another",
}

// hidden are digits that may be somebody's telephone or identity number.
var hidden = regexp.MustCompile(`[0-9](?:[ -]?[0-9]){6,}[Xx]?`)

// open311Request shows a case. Words and address only of what its reporter let
// be published and the centre has accepted, and then without long numbers; and
// what did not come with that leave, and is no thing of the street's, not more
// exactly than to 100 m.
func (a *API) open311Request(r *casework.Record, services map[string]string) open311Request {
	c := &r.Case
	out := open311Request{ID: strconv.FormatInt(c.ID, 10), Status: "closed", Notes: open311Text(stateWords[c.State]), Code: c.Item,
		Service: open311Text(services[c.Item]), Agency: open311Text(a.agency(c)), Requested: open311Time(c.Received), Updated: open311Time(c.Changed),
		AddressID: open311Text(c.Place.GridCode)}
	if c.State.Open() {
		out.Status = "open"
	}
	if c.Overlays.Has(casework.Suspended) {
		out.Notes += "，挂账 suspended"
	}
	if t, ok := c.Clock(casework.DisposalClock); ok {
		if due, ok := t.Due(); ok {
			out.Expected = open311Time(due)
		}
	}
	intake := r.Entries[0].Input.Intake
	leave := intake != nil && intake.Publish
	if leave && !c.Cycle.Accepted.IsZero() {
		out.Text = published(ownWords(c.Text))
		out.Address = published(c.Place.Address)
	}
	if c.Place.Generation != 0 {
		digits := 5
		if !leave && c.Class.Kind != casework.Component {
			digits = 3
		}
		out.Long, out.Lat = rounded(c.Place.At[0], digits), rounded(c.Place.At[1], digits)
	}
	return out
}

func published(s string) open311Text {
	return open311Text(hidden.ReplaceAllString(open311Clean(s), "…"))
}

func rounded(v float64, digits int) open311Number {
	p := math.Pow10(digits)
	return open311Number(strconv.FormatFloat(math.Round(v*p)/p, 'f', -1, 64))
}

// agency is who deals with a case: the department that leads or, before it is
// dispatched, the one to which it would go.
func (a *API) agency(c *casework.Case) string {
	if c.Cycle.Lead.Code != "" || !c.State.Open() {
		return c.Cycle.Lead.Name
	}
	out, err := a.cfg.Desk.Explain(c)
	if err != nil || out.Assignment == nil { // it has no place, or somebody has to be asked first
		return ""
	}
	return out.Assignment.Lead.Name
}

// publicServices are the names of all items that ever were public, by code.
func publicServices(d *casework.Desk) map[string]string {
	names := map[string]string{}
	for _, version := range d.Procedure().Catalogues.Versions() {
		for i := range version.Items() {
			if t := &version.Items()[i]; publicItem(t) {
				names[t.Code] = t.Name
			}
		}
	}
	return names
}

var open311Params = []string{"jurisdiction_id", "service_request_id", "service_code", "start_date", "end_date", "status", "page", "page_size", "api_key"}

// open311Query reads a query in which a list may be one parameter with commas,
// or the same one again and again.
func open311Query(raw string) (map[string]string, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the query is not encoded properly: %w", err)
	}
	out := map[string]string{}
	for name, values := range q {
		if !slices.Contains(open311Params, name) {
			return nil, unknownParam(clipText(name), open311Params)
		}
		out[name] = strings.Join(values, ",")
	}
	return out, nil
}

func listOf(s string) (out []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// open311Search is what a query asks for.
func open311Search(q map[string]string, services map[string]string, now time.Time) (*casework.Search, error) {
	if ids := listOf(q["service_request_id"]); len(ids) > 0 {
		s := &casework.Search{}
		if len(ids) > casework.MostFound {
			return nil, fault.InvalidField("service_request_id", "more than %d at once", casework.MostFound)
		}
		for _, text := range ids {
			if id, err := strconv.ParseInt(text, 10, 64); err == nil { // others there are none
				s.IDs = append(s.IDs, id)
			}
		}
		if s.IDs == nil {
			s.IDs = []int64{}
		}
		return s, nil
	}
	r := &casework.Received{}
	for _, code := range listOf(q["service_code"]) {
		if _, ok := services[code]; !ok {
			return nil, &fault.Error{Kind: fault.NotFound, Field: "service_code", Msg: "service_code " + clipText(code) + " was not found"}
		}
		r.Items = append(r.Items, code)
	}
	if r.Items == nil {
		for code := range services {
			r.Items = append(r.Items, code)
		}
		slices.Sort(r.Items)
	}
	for _, status := range listOf(q["status"]) {
		switch status {
		case "open":
			r.Open = true
		case "closed":
			r.Closed = true
		default:
			return nil, fault.InvalidField("status", "%q is not open or closed", clipText(status))
		}
	}
	var err error
	if r.From, r.To, err = open311Window(q["start_date"], q["end_date"], now); err != nil {
		return nil, err
	}
	page, err := open311Count(q, "page", 1, 1_000_000)
	if err != nil {
		return nil, err
	}
	size, err := open311Count(q, "page_size", casework.MostReceived, casework.MostReceived)
	if err != nil {
		return nil, err
	}
	r.Skip = (page - 1) * size
	return &casework.Search{Received: r, Limit: size}, nil
}

// open311Window is the time that is asked about: of 90 days, or less.
func open311Window(start, end string, now time.Time) (from, to time.Time, err error) {
	if start != "" {
		if from, err = open311Instant("start_date", start); err != nil {
			return from, to, err
		}
	}
	if end != "" {
		if to, err = open311Instant("end_date", end); err != nil {
			return from, to, err
		}
		to = to.Add(time.Millisecond) // it is the last that counts
	}
	switch {
	case start == "" && end == "":
		from, to = now.Add(-open311Span), now.Add(time.Millisecond)
	case start == "":
		from = to.Add(-open311Span)
	case end == "":
		to = from.Add(open311Span)
	case !from.Before(to):
		return from, to, fault.InvalidField("end_date", "is before start_date")
	case to.Sub(from) > open311Span+time.Millisecond:
		return from, to, fault.InvalidField("end_date", "more than 90 days after start_date")
	}
	return from, to, nil
}

func open311Count(q map[string]string, name string, usual, most int) (int, error) {
	text, ok := q[name]
	if !ok {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fault.InvalidField(name, "%q is not 1 to %d", clipText(text), most)
	}
	return n, nil
}

// open311Requests answers GET /open311/v2/requests.{format}.
func (a *API) open311Requests(c *gin.Context) error {
	f, err := open311Path(c)
	if err != nil {
		return err
	}
	q, err := open311Query(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	if err := a.checkJurisdiction(q["jurisdiction_id"]); err != nil {
		return err
	}
	d, err := a.desk()
	if err != nil {
		return err
	}
	services := publicServices(d)
	s, err := open311Search(q, services, a.cfg.Now())
	if err != nil {
		return err
	}
	found, err := d.Find(c.Request.Context(), *s)
	if err != nil {
		return err
	}
	list := make([]open311Request, 0, len(found.Records))
	for i := range found.Records {
		if _, public := services[found.Records[i].Case.Item]; public {
			list = append(list, a.open311Request(&found.Records[i], services))
		}
	}
	return writeOpen311(c, http.StatusOK, f, "service_requests", "request", list)
}

// open311One answers GET /open311/v2/requests/{id}.
func (a *API) open311One(c *gin.Context) error {
	name, f, err := open311Name(c.Param("id"))
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
	none := fault.New(fault.NotFound, "service_request_id %s was not found", clipText(name))
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return none
	}
	r, err := d.Case(c.Request.Context(), id)
	if fault.KindOf(err) == fault.NotFound {
		return none
	}
	if err != nil {
		return err
	}
	services := publicServices(d)
	if _, public := services[r.Case.Item]; !public {
		return none
	}
	return writeOpen311(c, http.StatusOK, f, "service_requests", "request", []open311Request{a.open311Request(r, services)})
}

type open311Token struct {
	ID    string `json:"service_request_id" xml:"service_request_id"`
	Token string `json:"token" xml:"token"`
}

// open311Token answers GET /open311/v2/tokens/{token}: a token is the secret by
// which somebody follows what he reported.
func (a *API) open311Token(c *gin.Context) error {
	token, f, err := open311Name(c.Param("token"))
	if err != nil {
		return err
	}
	if err := a.open311Asked(c); err != nil {
		return err
	}
	at, err := a.readReceipt(token)
	if err != nil {
		return fault.New(fault.NotFound, "the token was not found")
	}
	return writeOpen311(c, http.StatusOK, f, "service_requests", "request", []open311Token{{fmt.Sprint(at.Case), token}})
}
