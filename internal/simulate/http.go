package simulate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"lianqin/internal/fault"
)

// form is a wire form over HTTP.
type form interface {
	// shared reports whether all units' reports come as one sender's.
	shared() bool
	// single reports whether a request holds one report.
	single() bool
	// request writes reports of one sender.
	request(base *url.URL, t *Target, reports []Report) (*http.Request, error)
}

// httpWire sends one form over a bounded number of kept connections.
type httpWire struct {
	form
	target *Target
	base   *url.URL
	client *http.Client
}

func newHTTPWire(t *Target, f form, wrong ...error) (Wire, error) {
	for _, err := range wrong {
		if err != nil {
			return nil, err
		}
	}
	base, err := url.Parse(t.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fault.InvalidField("server", "%q is not an address such as http://127.0.0.1:8080", t.URL)
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: t.Timeout}).DialContext,
		MaxConnsPerHost:     t.Conns,
		MaxIdleConnsPerHost: t.Conns,
		DisableCompression:  true,
	}
	return &httpWire{f, t, base, &http.Client{Transport: transport, Timeout: t.Timeout}}, nil
}

// gatewayConns is how many requests of one gateway are under way at once.
const gatewayConns = 4

func (w *httpWire) Group(unit int) int {
	if w.shared() {
		return unit % min(gatewayConns, w.target.Conns)
	}
	return unit
}

func (w *httpWire) Batch() int {
	if w.single() {
		return 1
	}
	return w.target.Batch
}

func (w *httpWire) Close() { w.client.CloseIdleConnections() }

func (w *httpWire) Send(ctx context.Context, reports []Report) (int, error) {
	req, err := w.request(w.base, w.target, reports)
	if err != nil {
		return 0, err
	}
	res, err := w.client.Do(req.WithContext(ctx))
	if err != nil {
		return 0, unreached("send", withoutURL(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	io.Copy(io.Discard, res.Body) // so that the connection can be used again
	switch {
	case err != nil:
		return 0, unreached("answer", withoutURL(err))
	case res.StatusCode/100 == 2:
		return len(reports), nil
	case res.StatusCode/100 == 5 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout:
		return 0, unreached("answer", fmt.Errorf("%s %s", res.Status, text(body)))
	}
	return 0, refusal("answer: %s %s", res.Status, text(body))
}

func text(body []byte) string {
	return strings.TrimSpace(string(bytes.ToValidUTF8(body[:min(len(body), 300)], nil)))
}

// withoutURL takes the address out of an error: it may hold a secret.
func withoutURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
