package bus

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"lianqin/internal/fault"
)

const (
	// maxWaiting bounds what waits to be sent, in bytes. Beyond it the senders
	// are told at once to come back later.
	maxWaiting = 64 << 20
	// headroom is what a message has beside its data.
	headroom = 1 << 10
	// ackWithin is how long the servers may take to confirm an entry before
	// its senders are told that it did not succeed.
	ackWithin = 5 * time.Second
	// fetchMessages and fetchBytes bound what a Tail has asked for ahead.
	fetchMessages = 256
	fetchBytes    = 8 << 20
	// tailAgain is how long a Tail waits for servers that went away.
	tailAgain = 200 * time.Millisecond
)

// Log is a log in a JetStream stream. It has the methods of patrol.Log, and
// their contract. An entry is a message: what was appended while the one
// before was on its way goes together.
type Log struct {
	n       *NATS
	stream  jetstream.Stream
	subject string

	mu      sync.Mutex
	waiting []*appending
	size    int  // bytes of waiting
	sending bool // a goroutine sends what waits
}

// appending is one call of Append. It is answered by the sender once it was
// taken, and by nobody before.
type appending struct {
	data []byte
	seq  uint64
	err  error
	done chan struct{}
}

func newLog(n *NATS, stream jetstream.Stream, subject string) *Log {
	return &Log{n: n, stream: stream, subject: subject}
}

// maxEntry is how large a message may be, which the servers say.
func (l *Log) maxEntry() int { return int(l.n.conn.MaxPayload()) - headroom }

// Append makes data durable and returns the place of the entry that holds it;
// several callers share one. It answers when JetStream has confirmed it, and is
// Unavailable when that does not happen in time: it may be in the log all the
// same. It is Invalid when data is more than the servers take in a message. A
// call that ends before it was sent leaves nothing behind.
func (l *Log) Append(ctx context.Context, data []byte) (uint64, error) {
	if limit := l.maxEntry() - binary.MaxVarintLen64; len(data) > limit {
		return 0, fault.New(fault.Invalid, "%d bytes are too many for one entry of the log; the servers' max_payload lets it take %d", len(data), limit)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	a := &appending{data: data, done: make(chan struct{})}
	if err := l.queue(a); err != nil {
		return 0, err
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		if l.withdraw(a) {
			return 0, ctx.Err()
		}
		<-a.done
	}
	return a.seq, a.err
}

func (l *Log) queue(a *appending) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+len(a.data) > maxWaiting && l.size > 0 {
		return fault.New(fault.Unavailable, "NATS at %s cannot keep up: %d MiB wait to be sent", l.n.name, l.size>>20)
	}
	if !l.sending {
		if err := l.n.work(l.send); err != nil {
			return err
		}
		l.sending = true
	}
	l.waiting = append(l.waiting, a)
	l.size += len(a.data)
	return nil
}

// withdraw takes a back, unless it was taken.
func (l *Log) withdraw(a *appending) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, a)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	l.size -= len(a.data)
	return true
}

// send sends what waits until nothing does.
func (l *Log) send() {
	for group := l.take(); len(group) > 0; group = l.take() {
		seq, err := l.publish(framed(group))
		for _, a := range group {
			a.seq, a.err = seq, err
			close(a.done)
		}
	}
}

// take is the next group to send, in the order in which they came.
func (l *Log) take() []*appending {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size, limit := 0, 0, l.maxEntry()
	for n < len(l.waiting) {
		more := len(l.waiting[n].data) + binary.MaxVarintLen64
		if n > 0 && size+more > limit {
			break
		}
		size += more
		l.size -= len(l.waiting[n].data)
		n++
	}
	group := l.waiting[:n:n]
	if l.waiting = l.waiting[n:]; len(l.waiting) == 0 {
		l.waiting = nil
	}
	l.sending = n > 0
	return group
}

func (l *Log) publish(data []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), ackWithin)
	defer cancel()
	ack, err := l.n.js.PublishMsg(ctx, &nats.Msg{Subject: l.subject, Data: data}, jetstream.WithExpectStream(l.stream.CachedInfo().Config.Name))
	if err != nil {
		return 0, l.n.unavailable("append to the log", err)
	}
	return ack.Sequence, nil
}

// framed puts the data of several callers into one entry, each after its
// length.
func framed(group []*appending) []byte {
	size := 0
	for _, a := range group {
		size += len(a.data) + binary.MaxVarintLen32
	}
	data := make([]byte, 0, size)
	for _, a := range group {
		data = binary.AppendUvarint(data, uint64(len(a.data)))
		data = append(data, a.data...)
	}
	return data
}

// partsOf are what framed put together.
func partsOf(seq uint64, data []byte) (parts [][]byte, err error) {
	for rest := data; len(rest) > 0; {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) {
			return nil, fmt.Errorf("entry %d of the log is damaged at byte %d of %d", seq, len(data)-len(rest), len(data))
		}
		parts = append(parts, rest[k:k+int(n):k+int(n)])
		rest = rest[k+int(n):]
	}
	return parts, nil
}

// Tail calls f with every entry from seq on, in order and without gaps, each
// the data of one or more calls of Append, and waits for more until ctx ends
// or f fails; f must not keep data. While the servers are away it waits.
// NotFound says that the entry was trimmed.
func (l *Log) Tail(ctx context.Context, from uint64, f func(seq uint64, data [][]byte) error) error {
	t := &tail{log: l, next: max(from, 1), f: f}
	for away := false; ; {
		err := t.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case l.n.stopping.Err() != nil:
			return fault.New(fault.Unavailable, "the connection to NATS is closed")
		case t.ended:
			return err
		case err != nil && !away:
			l.n.opts.Log.Warn("the log cannot be read; trying again", "servers", l.n.name, "error", err)
		}
		away = err != nil
		wait := time.NewTimer(tailAgain)
		select {
		case <-ctx.Done():
		case <-l.n.stopping.Done():
		case <-wait.C:
		}
		wait.Stop()
	}
}

// tail is a Tail under way.
type tail struct {
	log   *Log
	next  uint64
	f     func(uint64, [][]byte) error
	ended bool // what follow returned is the Tail's end, not the servers'
}

// follow reads entries until something goes wrong.
func (t *tail) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.log.n.stopping, cancel)()
	if err := t.begins(ctx); err != nil {
		return err
	}
	consumer, err := t.log.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: t.next, MaxResetAttempts: 1,
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(fetchMessages, fetchBytes))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if err := t.take(ctx, m); err != nil {
			return err
		}
	}
}

// begins ends t when its next entry was trimmed, or is of another log.
func (t *tail) begins(ctx context.Context) error {
	info, err := t.log.stream.Info(ctx)
	if err != nil {
		return err
	}
	switch {
	case t.next < info.State.FirstSeq:
		return t.forgotten(info.State.FirstSeq)
	case t.next > info.State.LastSeq+1:
		t.ended = true
		return fault.New(fault.Conflict, "the log ends at entry %d, long before %d: it is not the log that was read before", info.State.LastSeq, t.next)
	}
	return nil
}

func (t *tail) forgotten(first uint64) error {
	t.ended = true
	return fault.New(fault.NotFound, "entry %d of the log is forgotten: it begins at %d", t.next, first)
}

// take hands on one message. One that is not the next ends t: with no more to
// do about it when the next was trimmed.
func (t *tail) take(ctx context.Context, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	switch seq := meta.Sequence.Stream; {
	case seq < t.next:
		return nil // seen before the consumer was made again
	case seq > t.next:
		return t.forgotten(seq)
	}
	parts, err := partsOf(t.next, m.Data())
	if err == nil {
		err = t.f(t.next, parts)
	}
	if t.ended = err != nil; !t.ended {
		t.next++
		err = ctx.Err()
	}
	return err
}

// Trim forgets the entries before seq, but the last: numbers go on from it.
func (l *Log) Trim(ctx context.Context, before uint64) error {
	info, err := l.stream.Info(ctx)
	if err == nil && min(before, info.State.LastSeq) > info.State.FirstSeq {
		err = l.stream.Purge(ctx, jetstream.WithPurgeSequence(min(before, info.State.LastSeq)))
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	return l.n.unavailable("trim the log", err)
}
