package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// ServePhones answers phones' HTTP requests, of any form, on any path and by
// any method, until ctx ends: for trackers that take no more than host and
// port. It closes l, and waits up to Limits.Write for requests under way.
func (s *Station) ServePhones(ctx context.Context, l net.Listener) error {
	counted := s.listen(l, "phones")
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.servePhone),
		ReadHeaderTimeout: s.cfg.Limits.Handshake,
		ReadTimeout:       2 * s.cfg.Limits.Handshake,
		WriteTimeout:      2*s.cfg.Limits.Handshake + s.cfg.Limits.Durable + s.cfg.Limits.Write,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(counted) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve phones on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Limits.Write)
	defer cancel()
	err := srv.Shutdown(grace)
	counted.cut()
	<-failed
	return err
}

func (s *Station) servePhone(w http.ResponseWriter, r *http.Request) {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	s.ServeRequest(w, r, peer.Addr().Unmap().String())
}

// ServeRequest answers one HTTP request of a phone at address. Its body may be
// gzipped; the server's deadlines bound how long it takes to arrive.
func (s *Station) ServeRequest(w http.ResponseWriter, r *http.Request, address string) {
	q := Request{Query: r.URL.RawQuery, Header: r.Header, Address: address}
	var err error
	if q.Body, q.TooLarge, err = s.readBody(r); err != nil {
		// The rest may come another time: neither 2xx nor 4xx.
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	a := s.HTTP(r.Context(), q)
	h := w.Header()
	for name, v := range a.Header {
		h.Set(name, v)
	}
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

// readBody reads the body of r. What is larger than the limit is left unread,
// and what is no gzip though it says so is taken as it is.
func (s *Station) readBody(r *http.Request) (body []byte, tooLarge bool, err error) {
	limit := s.cfg.Limits.Body
	if r.ContentLength > int64(limit) {
		return nil, true, nil
	}
	if body, err = io.ReadAll(io.LimitReader(r.Body, int64(limit)+1)); err != nil {
		return nil, false, err
	}
	if coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding == "gzip" || coding == "x-gzip" {
		if plain, err := unzip(body, limit); err == nil {
			body = plain
		}
	}
	return body, len(body) > limit, nil
}

// unzip is what body unpacks to, at most limit+1 bytes of it.
func unzip(body []byte, limit int) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, int64(limit)+1))
}
