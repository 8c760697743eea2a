package httpapi

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/live"
)

const (
	// heartbeat is how long a stream may be silent, so that its reader and the
	// proxies between can tell that it is alive.
	heartbeat = 15 * time.Second
	// parting is how long the last bytes may take.
	parting = time.Second
	// checkEvery is how often a stream asks whether its reader may still read.
	checkEvery = 3 * time.Second
)

// streams are the connections that stay open: how many, and what ends them.
type streams struct {
	ctx context.Context // ends with the service
	end context.CancelFunc
	all census
	// replays are among all; each reads and works for its reader alone.
	replays census
}

func (s *streams) init(l Limits) {
	s.ctx, s.end = context.WithCancel(context.Background())
	s.all = census{what: "streams", inAll: l.Streams, perAddress: l.StreamsPerAddress}
	s.replays = census{what: "replays", inAll: l.Replays, perAddress: l.Replays}
}

// census counts who is there, by address.
type census struct {
	what              string // is counted, in the plural
	inAll, perAddress int

	mu   sync.Mutex
	open int
	of   map[netip.Addr]int
}

// enter counts one of addr, and leave takes it out again. Too many are
// 429.
func (s *census) enter(addr netip.Addr) (leave func(), err error) {
	addr = customer(addr)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.open >= s.inAll:
		return nil, withStatus(http.StatusTooManyRequests, fault.New(fault.Unavailable, "%d %s are open, as many as may be", s.open, s.what))
	case s.of[addr] >= s.perAddress:
		return nil, withStatus(http.StatusTooManyRequests, fault.New(fault.Unavailable, "%d %s are open from this address, as many as may be", s.of[addr], s.what))
	}
	if s.of == nil {
		s.of = make(map[netip.Addr]int)
	}
	s.open++
	s.of[addr]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
		if s.of[addr]--; s.of[addr] == 0 {
			delete(s.of, addr)
		}
	}, nil
}

// stream writes Server-Sent Events to one reader. With gzip its bytes are the
// frames' deflated forms, made once for all readers, between a header and a
// trailer of its own.
type stream struct {
	api     *API
	caller  auth.Caller
	ctx     context.Context // ends with the request, the service and the stream
	end     []func()
	w       gin.ResponseWriter
	rc      *http.ResponseController
	gzip    bool
	sum     uint32 // CRC-32 of what was written, before compression
	size    uint32
	written time.Time
	checked time.Time
}

var (
	eventStream  = []string{"text/event-stream"}
	unbuffered   = []string{"no"} // nginx and its like pass each frame on at once
	retryAfter   = live.NewNote("retry: 2000\n\n")
	alive        = live.NewNote(":\n\n")
	gzipHeader   = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	deflateFinal = []byte{1, 0, 0, 0xff, 0xff} // the last block, an empty one
)

// openStream begins the answer to c, which close ends.
func (a *API) openStream(c *gin.Context, caller auth.Caller) (*stream, error) {
	leave, err := a.streams.all.enter(a.clientAddr(c.Request))
	if err != nil {
		return nil, err
	}
	s := &stream{api: a, caller: caller, w: c.Writer, rc: http.NewResponseController(c.Writer), checked: time.Now()}
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithCancel(c.Request.Context())
	unlink := context.AfterFunc(a.streams.ctx, cancel)
	s.end = []func(){func() { unlink() }, cancel, leave}
	h := c.Writer.Header()
	h["Content-Type"] = eventStream
	h["Cache-Control"] = noStore
	h["X-Accel-Buffering"] = unbuffered
	h["Vary"] = varyOnEncoding
	if s.gzip = acceptsGzip(c.Request.Header); s.gzip {
		h["Content-Encoding"] = gzipEncoding
	}
	c.Writer.WriteHeader(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		s.close()
		return nil, nil
	}
	if s.gzip {
		_, _ = c.Writer.Write(gzipHeader) // the next write fails where this one does
	}
	return s, s.write(retryAfter)
}

// source is where the frames of a stream come from, in time.
type source interface {
	// Next waits for frames, and returns none after patience.
	Next(ctx context.Context, patience time.Duration) ([]*live.Frame, error)
}

// follow writes what comes from src until it ends, or the reader leaves, is
// too slow or may read no more, or the service ends. None of that is told: the
// status is gone, and a reader that comes back is told then.
func (s *stream) follow(src source) {
	for {
		frames, err := src.Next(s.ctx, checkEvery)
		if err == nil && len(frames) > 0 {
			err = s.write(frames...)
		}
		if err == nil {
			err = s.tend()
		}
		if err != nil {
			return
		}
	}
}

// write sends frames, each as one piece, and fails when the reader does not
// take them in time.
func (s *stream) write(frames ...*live.Frame) error {
	s.written = time.Now()
	if err := s.rc.SetWriteDeadline(s.written.Add(s.api.cfg.Limits.StreamWrite)); err != nil {
		return err
	}
	for _, f := range frames {
		b := f.Bytes()
		if s.gzip {
			s.sum, s.size = crc32.Update(s.sum, crc32.IEEETable, b), s.size+uint32(len(b))
			b = f.Deflated()
		}
		if _, err := s.w.Write(b); err != nil {
			return err
		}
	}
	return s.rc.Flush()
}

// tend keeps the stream alive between frames: a heartbeat when there were none
// for long, and an error when the reader may read no more.
func (s *stream) tend() error {
	now := time.Now()
	if now.Sub(s.checked) >= checkEvery {
		s.checked = now
		// A database that is away ends no stream.
		if err := s.api.cfg.Gate.Still(s.ctx, s.caller); fault.KindOf(err) == fault.Denied && err != nil {
			return err
		}
	}
	if now.Sub(s.written) >= heartbeat {
		return s.write(alive)
	}
	return nil
}

// close ends the stream, where it can still be written to, properly.
func (s *stream) close() {
	_ = s.rc.SetWriteDeadline(time.Now().Add(parting)) // a reader who takes nothing holds up no shutdown
	if s.gzip && s.size > 0 {
		trailer := binary.LittleEndian.AppendUint32(append([]byte(nil), deflateFinal...), s.sum)
		_, _ = s.w.Write(binary.LittleEndian.AppendUint32(trailer, s.size))
	}
	for _, f := range s.end {
		f()
	}
}
