package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

const (
	// maxAppend bounds what one call of Append may bring.
	maxAppend = 16 << 20
	// maxCommit bounds what one transaction takes of what waits: more would
	// not be faster, and hold up whoever comes next.
	maxCommit = 4 << 20
	// maxWaiting bounds what waits for a commit in all. Beyond it the senders
	// are told at once to come back later.
	maxWaiting = 64 << 20
	// maxRecent bounds what is kept in memory of what was committed last and
	// not trimmed, for those who follow the log closely.
	maxRecent = 32 << 20
	// commitTime is how long a commit may take before its senders are told
	// that it did not succeed.
	commitTime = busyFor + 5*time.Second
	// followEvery is how often a Tail looks for what other processes appended.
	followEvery = 200 * time.Millisecond
	// sliceBytes bounds what a Tail reads from the database at once, and what
	// a Trim takes away in one transaction.
	sliceBytes = 4 << 20
	sliceRows  = 256
)

// FixLog is the part of a Store that is a patrol.Log. One goroutine commits
// for all callers: while it waits for the disk, the next ones gather.
type FixLog struct {
	s     *Store
	begin sync.Once

	mu      sync.Mutex
	waiting []*appending
	size    int           // bytes of waiting
	arrived chan struct{} // of capacity 1: something waits
	stop    chan struct{} // closed by close
	ended   chan struct{} // closed when the committer is through
	closed  bool

	recent  []entry       // without gaps
	bytes   int           // of recent
	changed chan struct{} // closed, and replaced, by every commit
}

var _ patrol.Log = (*FixLog)(nil)

// entry is one row of the log.
type entry struct {
	seq  uint64
	data []byte // as framed made it
}

// appending is one call of Append. It is answered by the committer once it was
// taken, and by nobody before.
type appending struct {
	data []byte
	seq  uint64
	err  error
	done chan struct{}
}

func newFixLog(s *Store) *FixLog {
	return &FixLog{s: s, arrived: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}), changed: make(chan struct{})}
}

// Log is where the database keeps what devices sent until it is applied. All
// callers share one.
func (s *Store) Log() *FixLog { return s.fixLog }

// Append implements patrol.Log. A call that ends before a commit took it
// leaves nothing behind; once it was taken, it is answered with what came of
// it.
func (l *FixLog) Append(ctx context.Context, data []byte) (uint64, error) {
	if len(data) > maxAppend {
		return 0, fault.New(fault.Invalid, "%d bytes are too many for one entry of the log; it takes %d", len(data), maxAppend)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.begin.Do(func() { go l.commit() })
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

func (l *FixLog) queue(a *appending) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return fault.New(fault.Unavailable, "%s is closed", l.s.name)
	case l.size+len(a.data) > maxWaiting && l.size > 0:
		return fault.New(fault.Unavailable, "%s cannot keep up: %d MiB wait to be written", l.s.name, l.size>>20)
	}
	l.waiting = append(l.waiting, a)
	l.size += len(a.data)
	l.signal()
	return nil
}

func (l *FixLog) signal() {
	select {
	case l.arrived <- struct{}{}:
	default:
	}
}

// withdraw takes a back, unless it was taken.
func (l *FixLog) withdraw(a *appending) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.waiting {
		if w == a {
			l.waiting = slices.Delete(l.waiting, i, i+1)
			l.size -= len(a.data)
			return true
		}
	}
	return false
}

// take is the next group to commit, in the order in which they came.
func (l *FixLog) take() []*appending {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, bytes := 0, 0
	for n < len(l.waiting) && (n == 0 || bytes+len(l.waiting[n].data) <= maxCommit) {
		bytes += len(l.waiting[n].data)
		n++
	}
	group := l.waiting[:n:n]
	if l.waiting = l.waiting[n:]; len(l.waiting) > 0 {
		l.signal()
	} else {
		l.waiting = nil
	}
	l.size -= bytes
	return group
}

// commit serves everybody until the log is closed.
func (l *FixLog) commit() {
	defer close(l.ended)
	for {
		select {
		case <-l.arrived:
			l.commitGroup(l.take())
		case <-l.stop:
			for _, a := range l.take() {
				a.err = fault.New(fault.Unavailable, "%s is closed", l.s.name)
				close(a.done)
			}
			if l.idle() {
				return
			}
		}
	}
}

func (l *FixLog) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) == 0
}

func (l *FixLog) commitGroup(group []*appending) {
	if len(group) == 0 {
		return // withdrawn
	}
	data := framed(group)
	seq, err := l.insert(data)
	if err == nil {
		l.remember(entry{seq, data})
	}
	for _, a := range group {
		a.seq, a.err = seq, err
		close(a.done)
	}
}

// insert makes data the last entry. Where several processes append, one of
// those that chose the same number wins, and the others choose again, so that
// numbers have no gaps and become visible in order. It is never a number that
// was applied, of an entry of another log that came before this one.
func (l *FixLog) insert(data []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	var seq uint64
	err := l.s.update(ctx, func(tx *transaction) error {
		for {
			err := tx.QueryRowContext(ctx, `INSERT INTO fix_log (seq, data)
				SELECT max(seq) + 1, $1 FROM (SELECT max(seq) AS seq FROM fix_log UNION ALL SELECT seq FROM fix_applied UNION ALL SELECT 0) taken WHERE true
				ON CONFLICT (seq) DO NOTHING RETURNING seq`, data).Scan(&seq)
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
	})
	if err == nil {
		return seq, nil
	}
	if fault.KindOf(err) == fault.Internal { // nothing about what was sent can be wrong here
		err = fault.New(fault.Unavailable, "%s: append to the log of fixes: %w", l.s.name, err)
	}
	return 0, err
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

// parts are what framed put together.
func (e entry) parts() ([][]byte, error) {
	var out [][]byte
	for rest := e.data; len(rest) > 0; {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) {
			return nil, fmt.Errorf("entry %d of the log of fixes is damaged at byte %d of %d", e.seq, len(e.data)-len(rest), len(e.data))
		}
		out = append(out, rest[k:k+int(n):k+int(n)])
		rest = rest[k+int(n):]
	}
	return out, nil
}

// remember keeps e at hand and wakes those who follow. What another process
// appended in between is not at hand, and those before it no longer.
func (l *FixLog) remember(e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.recent); n > 0 && l.recent[n-1].seq+1 != e.seq {
		l.recent, l.bytes = nil, 0
	}
	l.recent = append(l.recent, e)
	l.bytes += len(e.data)
	drop := 0
	for l.bytes > maxRecent && drop < len(l.recent)-1 {
		l.bytes -= len(l.recent[drop].data)
		l.recent[drop].data = nil
		drop++
	}
	l.recent = l.recent[drop:]
	close(l.changed)
	l.changed = make(chan struct{})
}

// atHand are some remembered entries from seq on, whether there are later
// ones, and a channel that is closed when there are more.
func (l *FixLog) atHand(seq uint64) (entries []entry, ahead bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.recent); n > 0 {
		ahead = l.recent[n-1].seq >= seq
		if ahead && seq >= l.recent[0].seq {
			i := int(seq - l.recent[0].seq)
			entries = slices.Clone(l.recent[i:min(i+sliceRows, n)])
		}
	}
	return entries, ahead, l.changed
}

// Tail implements patrol.Log. While the database is Unavailable it waits.
func (l *FixLog) Tail(ctx context.Context, from uint64, f func(seq uint64, data [][]byte) error) error {
	next := max(from, 1)
	look, down := true, false
	for {
		entries, ahead, changed := l.atHand(next)
		if entries == nil && (look || ahead) {
			var err error
			entries, err = l.read(ctx, next)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && fault.KindOf(err) != fault.Unavailable:
				return err
			case err != nil && !down:
				l.s.log.Warn("the log of fixes cannot be read; trying again", "error", err)
			}
			down = err != nil
		}
		for _, e := range entries {
			if e.seq != next {
				return fault.New(fault.NotFound, "entry %d of the log of fixes is forgotten: it begins at %d", next, e.seq)
			}
			parts, err := e.parts()
			if err != nil {
				return err
			}
			if err := f(e.seq, parts); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			next++
		}
		if look = len(entries) > 0; look {
			continue
		}
		if down {
			changed = nil // what is ahead cannot be read before a while
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.stop:
			return fault.New(fault.Unavailable, "%s is closed", l.s.name)
		case <-changed:
		case <-time.After(followEvery):
			look = true
		}
	}
}

// read reads some entries from seq on.
func (l *FixLog) read(ctx context.Context, seq uint64) ([]entry, error) {
	var entries []entry
	bytes := 0
	err := eachRow(ctx, l.s.readers, func(rows *sql.Rows) error {
		var e entry
		if err := rows.Scan(&e.seq, &e.data); err != nil {
			return err
		}
		entries = append(entries, e)
		if bytes += len(e.data); bytes > sliceBytes {
			return errEnough
		}
		return nil
	}, `SELECT seq, data FROM fix_log WHERE seq >= $1 ORDER BY seq LIMIT $2`, seq, sliceRows)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return entries, l.s.faultOf(err)
}

// errEnough ends eachRow early.
var errEnough = errors.New("enough")

// Trim implements patrol.Log. The last entry stays, so that numbers go on
// from it.
func (l *FixLog) Trim(ctx context.Context, before uint64) error {
	for {
		// A few at a time: Append uses the same writer.
		var last uint64
		bytes := 0
		err := eachRow(ctx, l.s.readers, func(rows *sql.Rows) error {
			var seq uint64
			var n int
			if err := rows.Scan(&seq, &n); err != nil {
				return err
			}
			if bytes += n; last > 0 && bytes > sliceBytes {
				return errEnough
			}
			last = seq
			return nil
		}, `SELECT seq, length(data) FROM fix_log WHERE seq < $1 AND seq < (SELECT max(seq) FROM fix_log) ORDER BY seq LIMIT $2`, before, sliceRows)
		if err != nil && !errors.Is(err, errEnough) {
			return l.s.faultOf(err)
		}
		if last == 0 {
			l.drop(before)
			return nil
		}
		err = l.s.update(ctx, func(tx *transaction) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM fix_log WHERE seq <= $1`, last)
			return err
		})
		if err != nil {
			return err
		}
	}
}

// Last is the number of the last entry; 0 when there never was one.
func (l *FixLog) Last(ctx context.Context) (seq uint64, err error) {
	err = l.s.readers.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM fix_log`).Scan(&seq)
	return seq, l.s.faultOf(err)
}

// drop takes the entries before seq out of memory.
func (l *FixLog) drop(before uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.recent) > 0 && l.recent[0].seq < before {
		l.bytes -= len(l.recent[0].data)
		l.recent = l.recent[1:]
	}
	l.recent = slices.Clone(l.recent) // and not what was dropped
}

// close lets what was taken finish and refuses the rest.
func (l *FixLog) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.stop)
	}
	l.mu.Unlock()
	l.begin.Do(func() { close(l.ended) }) // nobody ever appended
	<-l.ended
}
