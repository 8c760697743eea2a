package ingest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// Request is what counts of a phone's HTTP request, of any of the forms.
type Request struct {
	Query  string // of the address, as it came
	Header http.Header
	// Body is empty where TooLarge says that it exceeds Limits.Body.
	Body     []byte
	TooLarge bool
	Address  string // the caller's
}

// Answer is what the phone's protocol makes of what happened.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// message is one message in a phone's wire form.
type message interface {
	source() patrol.Source
	// identity is the secret that the message itself holds; empty for none.
	identity() string
	// report is the position that it holds, from a device such as d; false
	// when it holds none. Times without a zone are in zone.
	report(d *patrol.Device, zone *time.Location) (report, bool)
}

// HTTP takes in one request of a phone and says what to answer. What form it
// has is told by its content: JSON with _type is OwnTracks, JSON with device_id
// Traccar Client 9; all else has parameters in its address or a form as its
// body.
//
// Phones lose reports, or never get past one, by a wrong answer: OwnTracks on
// iOS deletes what got a status of 4xx, while OwnTracks on Android and Traccar
// Client 10 send the same again until it is 2xx, and everything after it waits.
// So a report that is no good gets 200 like a good one and goes into
// quarantine; 401 is for wrong credentials alone, and 503 says to keep it.
func (s *Station) HTTP(ctx context.Context, q Request) Answer {
	user, password := credentials(q.Header)
	m, unreadable := hear(&q, password != "")
	secret := cmp.Or(m.identity(), password)
	if secret == "" {
		s.refused(m.source(), patrol.WrongCredentials, 1)
		return answerTo(m, fault.New(fault.Denied, "no device is named"))
	}
	from, err := s.enter(ctx, m.source(), secret, q.Address)
	if err != nil {
		return answerTo(m, err)
	}
	if own, ok := m.(*ownTracks); ok {
		own.user = cmp.Or(user, q.Header.Get("X-Limit-U"), queryValue(q.Query, "u"))
		if !speaksAs(&from, own.user) {
			s.refused(m.source(), patrol.WrongCredentials, 1)
			return answerTo(m, fault.New(fault.Denied, "the password is another unit's"))
		}
	}
	in := s.begin(&from, m.source(), secret)
	switch {
	case q.TooLarge:
		in.malformed([]byte(q.Query), "the body is larger than %d bytes", s.cfg.Limits.Body)
	case unreadable != "":
		in.malformed([]byte(cmp.Or(string(q.Body), q.Query)), "%s", unreadable)
	default:
		if r, ok := m.report(&from.Device, s.cfg.Zone); ok {
			if r.raw = q.Body; len(r.raw) == 0 {
				r.raw = []byte(q.Query)
			}
			in.add(&r)
		}
	}
	return answerTo(m, s.take(ctx, in))
}

// hear finds out the form of a request, which may have credentials in its
// header. Unreadable says why its body is of none.
func hear(q *Request, withCredentials bool) (m message, unreadable string) {
	query, _ := url.ParseQuery(q.Query) // what can be read of it counts
	params := osmAnd(query)
	own := withCredentials && params.identity() == ""
	body := bytes.TrimSpace(bytes.TrimPrefix(q.Body, []byte("\ufeff")))
	var kind struct {
		Type     json.RawMessage `json:"_type"`
		DeviceID json.RawMessage `json:"device_id"`
	}
	switch {
	case len(body) > 0 && (body[0] == '{' || body[0] == '['):
		err := json.Unmarshal(body, &kind)
		switch {
		case err == nil && kind.DeviceID != nil:
			t := &traccar{}
			m, err = t, json.Unmarshal(body, t)
		case err == nil && kind.Type != nil:
			o := &ownTracks{from: patrol.FromOwnTracks}
			m, err = o, json.Unmarshal(body, o)
		case own:
			m, unreadable = &ownTracks{from: patrol.FromOwnTracks}, "JSON without _type"
		case params.hasPosition():
			return params, ""
		default:
			m, unreadable = params, "JSON with neither _type nor device_id"
		}
		if err != nil {
			unreadable = cannotRead(err)
		}
		return m, unreadable
	case len(body) == 0 && own:
		return &ownTracks{from: patrol.FromOwnTracks}, "" // a card that was deleted
	}
	if params.identity() == "" || !params.hasPosition() {
		form, err := url.ParseQuery(string(body))
		if err != nil && len(form) == 0 {
			return params, "neither JSON nor a form"
		}
		for name, v := range form {
			params[name] = v
		}
	}
	return params, ""
}

// credentials are those of the request's header: Basic, or a bearer token.
func credentials(h http.Header) (user, secret string) {
	r := http.Request{Header: h}
	if user, password, ok := r.BasicAuth(); ok {
		return user, password
	}
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return "", strings.TrimSpace(token)
	}
	return "", ""
}

// speaksAs reports whether user may be given as the name beside from's secret:
// none, or the unit's code. A gateway's is the unit that it speaks for now.
func speaksAs(from *Sender, user string) bool {
	return user == "" || from.Unit.ID == 0 || strings.EqualFold(user, from.Unit.Code)
}

func queryValue(query, name string) string {
	q, _ := url.ParseQuery(query)
	return q.Get(name)
}

// answerTo is the answer to m, which ended in err.
func answerTo(m message, err error) Answer {
	switch {
	case err == nil && isOwnTracks(m):
		return Answer{Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/json"}, Body: "[]"}
	case err == nil:
		return Answer{Status: http.StatusOK}
	case fault.KindOf(err) == fault.Denied:
		return Answer{http.StatusUnauthorized, map[string]string{"WWW-Authenticate": `Basic realm="lianqin", charset="UTF-8"`, "Content-Type": plainText},
			"设备未登记或密钥已失效 the device is unknown, or its secret has ended\n"}
	}
	return Answer{http.StatusServiceUnavailable, map[string]string{"Retry-After": "10", "Content-Type": plainText},
		"暂时无法接收，请稍后重发 reports cannot be taken now; send them again later\n"}
}

const plainText = "text/plain; charset=utf-8"

func isOwnTracks(m message) bool {
	_, ok := m.(*ownTracks)
	return ok
}
