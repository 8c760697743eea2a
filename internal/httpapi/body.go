package httpapi

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"lianqin/internal/fault"
)

// budget is memory that many requests share.
type budget struct {
	limit int64
	held  atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.held.Add(n) > b.limit {
		b.held.Add(-n)
		return false
	}
	return true
}

// body is a request's body in memory.
type body struct {
	bytes []byte
	taken int64
	from  *budget
}

var bodyPool = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}

func (b *body) release() {
	b.from.held.Add(-b.taken)
	if cap(b.bytes) <= keptBuffer {
		b.bytes = b.bytes[:0]
		bodyPool.Put(&b.bytes)
	}
}

// readBody reads a body, gzipped or not, that may be limit bytes long after
// decompression. Memory grows with what arrives, not with what a header
// claims.
func (a *API) readBody(r *http.Request) (*body, error) {
	limit := a.cfg.Limits.BodyBytes
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	var in io.Reader = r.Body
	switch coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, fault.InvalidField("Content-Encoding", "the body is not gzip: %w", err)
		}
		in = z
	default:
		return nil, withStatus(http.StatusUnsupportedMediaType, fault.InvalidField("Content-Encoding", "%.40q is not gzip or identity", coding))
	}
	b := &body{bytes: (*bodyPool.Get().(*[]byte))[:0], from: &a.bodies}
	if err := b.fill(in, limit); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

func (b *body) fill(in io.Reader, limit int64) error {
	for {
		if int64(cap(b.bytes)) > b.taken {
			more := int64(cap(b.bytes)) - b.taken
			if !b.from.take(more) {
				return fault.New(fault.Unavailable, "too many large requests at once")
			}
			b.taken += more
		}
		n, err := in.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if int64(len(b.bytes)) > limit {
			return tooLarge(limit)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return withStatus(http.StatusRequestTimeout, fault.New(fault.Invalid, "the body did not arrive in time"))
		case err != nil:
			return fault.New(fault.Invalid, "the body ends early or is damaged: %w", err)
		case len(b.bytes) == cap(b.bytes):
			grown := make([]byte, len(b.bytes), min(2*cap(b.bytes), int(limit)+1))
			copy(grown, b.bytes)
			b.bytes = grown
		}
	}
}

func tooLarge(limit int64) error {
	return withStatus(http.StatusRequestEntityTooLarge, fault.New(fault.Invalid, "the body is larger than %d bytes", limit))
}
