package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"lianqin/internal/fault"
)

const (
	// connectTimeout is how long a server may take to answer at first.
	connectTimeout = 5 * time.Second
	// reconnectWait is how long after a lost connection the next is tried, for
	// ever.
	reconnectWait = 250 * time.Millisecond
	// pingEvery and maxPings find a server that went without a word.
	pingEvery = 5 * time.Second
	maxPings  = 2
)

// Options say where the servers are and what is kept there.
type Options struct {
	// URL is that of one or more servers, separated by commas, as
	// nats://bus:4222 or tls://user:password@bus:4222.
	URL string
	// Credentials is a file with a user's JWT and key; empty for none.
	Credentials string
	// District tells the subjects and streams of several districts on the same
	// servers apart: letters, digits, - and _; "lianqin" if empty.
	District string
	// Replicas is how many servers have each entry: 1, 3 or 5; 0 is 1.
	Replicas int
	// MaxBytes bounds the log on the servers' disks; 0 leaves it to the
	// servers' own limit. A log that is full takes no more, and forgets
	// nothing that was not trimmed.
	MaxBytes int64
	// Applied is how far the log was applied: a log that ends before is another
	// one. Begin is asked for the number of the first entry when there is no log
	// yet; nil is 1.
	Applied uint64
	Begin   func(context.Context) (uint64, error)
	// Log gets a line when the connection is lost or back; nil is
	// slog.Default.
	Log *slog.Logger
}

// NATS is a connection to servers, which is made again for ever when it is
// lost. It is safe for concurrent use.
type NATS struct {
	opts     Options
	conn     *nats.Conn
	js       jetstream.JetStream
	name     string // the servers, without secrets
	log      *Log
	stopping context.Context // ends with Close
	stop     context.CancelFunc

	mu      sync.Mutex // over the beginning of work, and the end
	working sync.WaitGroup
}

var districtForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Open connects and sees to it that the log is there. The error is Invalid
// when o is, and Unavailable when no server answers or they refuse.
func Open(ctx context.Context, o Options) (*NATS, error) {
	if o.District == "" {
		o.District = "lianqin"
	}
	if !districtForm.MatchString(o.District) {
		return nil, fault.New(fault.Invalid, "%q is no name for subjects: letters, digits, - and _", o.District)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	n := &NATS{opts: o, name: redacted(o.URL)}
	options := []nats.Option{
		nats.Name("lianqin " + o.District), nats.Timeout(connectTimeout),
		nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(maxPings),
		// While there is no connection nothing is kept to be sent later: its
		// sender is told at once that it did not succeed.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if n.stopping.Err() == nil {
				o.Log.Warn("the connection to NATS is lost; trying again", "servers", n.name, "error", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) { o.Log.Info("connected to NATS again", "server", c.ConnectedUrlRedacted()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Log.Warn("NATS", "servers", n.name, "error", err)
		}),
	}
	if o.Credentials != "" {
		options = append(options, nats.UserCredentials(o.Credentials))
	}
	n.stopping, n.stop = context.WithCancel(context.Background())
	var err error
	if n.conn, err = nats.Connect(o.URL, options...); err != nil {
		n.stop()
		return nil, n.unavailable("connect", err)
	}
	if n.js, err = jetstream.New(n.conn); err == nil {
		n.log, err = n.openLog(ctx)
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Close ends what waits and the connection. Appends under way are answered.
func (n *NATS) Close() {
	n.mu.Lock()
	n.stop()
	n.mu.Unlock()
	n.working.Wait()
	n.conn.Close()
}

// work runs f, which Close waits for; Unavailable after it.
func (n *NATS) work(f func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopping.Err() != nil {
		return fault.New(fault.Unavailable, "the connection to NATS at %s is closed", n.name)
	}
	n.working.Go(f)
	return nil
}

// Log is where devices' reports are durable; all callers share one.
func (n *NATS) Log() *Log { return n.log }

// unavailable is err as what the caller can do about it: try later.
func (n *NATS) unavailable(what string, err error) error {
	return fault.New(fault.Unavailable, "NATS at %s: %s: %w", n.name, what, err)
}

// redacted is a list of URLs without passwords.
func redacted(list string) string {
	out := ""
	for i, s := range strings.Split(list, ",") {
		if i > 0 {
			out += ","
		}
		u, err := url.Parse(s)
		if err != nil {
			return "an address that cannot be read"
		}
		u.User = nil
		out += u.String()
	}
	return out
}

// apiCode is the code of a JetStream server's refusal, or 0.
func apiCode(err error) jetstream.ErrorCode {
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) {
		return refusal.ErrorCode
	}
	return 0
}

// What JetStream refuses a stream for when it does not fit its disk, or the
// account.
const (
	codeNoStorage     jetstream.ErrorCode = 10047
	codeNoResources   jetstream.ErrorCode = 10023
	codeOverReplicas  jetstream.ErrorCode = 10074
	codeNeedsMaxBytes jetstream.ErrorCode = 10113
)

func (n *NATS) openLog(ctx context.Context) (*Log, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	cfg := jetstream.StreamConfig{
		Name:        n.opts.District + "-reports",
		Description: "What devices sent, until it is applied.",
		Subjects:    []string{n.opts.District + ".reports"},
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew, // what is not applied yet is never forgotten
		MaxBytes:    n.opts.MaxBytes,
		Replicas:    max(n.opts.Replicas, 1),
		// Fixes are told apart by unit and time where they are entered; an
		// index of the last two minutes would only take memory.
		Duplicates: 100 * time.Millisecond,
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = -1
	}
	stream, err := n.makeLog(ctx, cfg)
	switch apiCode(err) {
	case codeNoStorage, codeNoResources:
		return nil, n.unavailable(fmt.Sprintf("the log's %d bytes are more than the servers have room for; give it less", cfg.MaxBytes), err)
	case codeOverReplicas:
		return nil, n.unavailable(fmt.Sprintf("there are fewer servers than the %d replicas of the log", cfg.Replicas), err)
	case codeNeedsMaxBytes:
		return nil, n.unavailable("the account asks for a bound of the log's size", err)
	}
	if fault.KindOf(err) == fault.Conflict && err != nil {
		return nil, err
	}
	if err != nil {
		return nil, n.unavailable("open the log", err)
	}
	if last := stream.CachedInfo().State.LastSeq; last < n.opts.Applied {
		return nil, fault.New(fault.Conflict, "%s: the log there ends at entry %d, but %d were applied to the database: it is another database's log", n.name, last, n.opts.Applied)
	}
	return newLog(n, stream, cfg.Subjects[0]), nil
}

// makeLog brings the log's settings up to date, or makes it.
func (n *NATS) makeLog(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	old, err := n.js.Stream(ctx, cfg.Name)
	if err == nil {
		cfg.FirstSeq = old.CachedInfo().Config.FirstSeq
		return n.js.UpdateStream(ctx, cfg)
	}
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, err
	}
	if n.opts.Begin != nil {
		if cfg.FirstSeq, err = n.opts.Begin(ctx); err != nil {
			return nil, err
		}
	}
	return n.js.CreateStream(ctx, cfg) // the same by two processes at once is one
}
