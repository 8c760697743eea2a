package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"lianqin/internal/bus/bustest"
	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

var _ patrol.Log = (*Log)(nil)

// natsServer opens connections to a server.
type natsServer struct{ *bustest.Server }

func startNATS(t testing.TB) *natsServer { return &natsServer{bustest.Start(t)} }

func (s *natsServer) open(t testing.TB, o Options) *NATS {
	t.Helper()
	n, err := s.tryOpen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func (s *natsServer) tryOpen(o Options) (*NATS, error) {
	o.URL = s.ClientURL()
	o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	return Open(context.Background(), o)
}

// TestLog holds the log to the contract that the store's keeps as well.
func TestLog(t *testing.T) {
	s := startNATS(t)
	places := 0
	storetest.Log(t, func(t *testing.T) func() patrol.Log {
		places++
		district := fmt.Sprint("d", places)
		return func() patrol.Log { return s.open(t, Options{District: district}).Log() }
	})
}

// TestServerComesAndGoes ends the server again and again while many append and
// one reads: whatever was acknowledged is read, in one order, without gaps.
func TestServerComesAndGoes(t *testing.T) {
	s := startNATS(t)
	l := s.open(t, Options{}).Log()
	reader := s.open(t, Options{}).Log()
	const senders, rounds = 8, 6
	var mu sync.Mutex
	acknowledged := make(map[string]bool)
	refused := 0
	sending, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for n := 0; sending.Err() == nil; n++ {
				data := fmt.Sprint(i, " ", n)
				_, err := l.Append(t.Context(), []byte(data))
				mu.Lock()
				if err == nil {
					acknowledged[data] = true
				} else if refused++; fault.KindOf(err) != fault.Unavailable {
					t.Errorf("while the server is away: %v", err)
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	seen := make(map[string]int)
	reading, last := make(chan error, 1), uint64(0)
	end := errors.New("end")
	go func() {
		reading <- reader.Tail(t.Context(), 1, func(seq uint64, data [][]byte) error {
			if seq != last+1 {
				return fmt.Errorf("entry %d comes after %d", seq, last)
			}
			last = seq
			for _, d := range data {
				if string(d) == "end" {
					return end
				}
				seen[string(d)]++
			}
			return nil
		})
	}()
	for range rounds {
		for target := count() + 50; count() < target; {
			time.Sleep(time.Millisecond)
		}
		s.End()
		time.Sleep(20 * time.Millisecond)
		s.Again(t)
	}
	for target := count() + 50; count() < target; {
		time.Sleep(time.Millisecond)
	}
	stop()
	wg.Wait()
	if _, err := l.Append(t.Context(), []byte("end")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-reading:
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the reader does not come to the end")
	}
	for data := range acknowledged {
		if seen[data] != 1 {
			t.Errorf("%s was acknowledged and read %d times", data, seen[data])
		}
	}
	if refused == 0 {
		t.Error("nothing was refused while the server was away")
	}
	t.Logf("%d acknowledged, %d refused, %d entries", len(acknowledged), refused, last)
}

func TestAppendRefuses(t *testing.T) {
	s := startNATS(t)
	n := s.open(t, Options{MaxBytes: 64 << 10})
	l := n.Log()
	if _, err := l.Append(t.Context(), make([]byte, 2<<20)); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("too much for a message: %v", err)
	}
	first, err := l.Append(t.Context(), []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = l.Append(t.Context(), make([]byte, 4<<10))
	}
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a full log: %v", err)
	}
	enough := errors.New("enough")
	err = l.Tail(t.Context(), first, func(_ uint64, data [][]byte) error {
		if string(data[0]) != "first" {
			t.Errorf("the full log begins with %q", data[0])
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
	s.End()
	begin := time.Now()
	if _, err := l.Append(t.Context(), []byte("x")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without a server: %v", err)
	}
	if took := time.Since(begin); took > ackWithin+time.Second {
		t.Errorf("that took %v to say", took)
	}
	n.Close()
	if _, err := l.Append(t.Context(), []byte("x")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("after Close: %v", err)
	}
	if err := l.Tail(t.Context(), 1, nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Tail after Close: %v", err)
	}
}

func TestAnotherLogIsNotFollowed(t *testing.T) {
	l := startNATS(t).open(t, Options{}).Log()
	if _, err := l.Append(t.Context(), []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := l.Tail(t.Context(), 1000, nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("from far beyond the end: %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	s := startNATS(t)
	for _, tt := range []struct {
		name string
		o    Options
		kind fault.Kind
		says string
	}{
		{"a district with dots", Options{District: "a.b"}, fault.Invalid, "a.b"},
		{"more than the disk", Options{MaxBytes: 1 << 60}, fault.Unavailable, "give it less"},
		{"more replicas than servers", Options{Replicas: 3}, fault.Unavailable, "replicas"},
		{"no such credentials", Options{Credentials: "/nonexistent/user.creds"}, fault.Unavailable, "user.creds"},
	} {
		n, err := s.tryOpen(tt.o)
		if err == nil {
			n.Close()
		}
		if fault.KindOf(err) != tt.kind || !strings.Contains(fmt.Sprint(err), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	url := strings.Replace(s.ClientURL(), "://", "://user:hunter2@", 1)
	s.End()
	if _, err := Open(t.Context(), Options{URL: url}); fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestNotices holds both forms to the same contract.
func TestNotices(t *testing.T) {
	s := startNATS(t)
	at := [2]*NATS{s.open(t, Options{}), s.open(t, Options{})}
	ctx, leave := context.WithCancel(t.Context())
	var heard [3]<-chan struct{}
	for i, l := range []struct {
		*NATS
		Topic
	}{{at[0], Roll}, {at[1], Roll}, {at[1], Boundaries}} {
		var err error
		if heard[i], err = l.Listen(ctx, l.Topic); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // of which nobody has to take any
		if err := at[0].Tell(Roll); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		select {
		case <-heard[i]:
		case <-time.After(20 * time.Second):
			t.Fatalf("listener %d hears nothing", i)
		}
	}
	if err := at[1].Tell(Boundaries); err != nil {
		t.Fatal(err)
	}
	<-heard[2]
	select {
	case <-heard[2]:
		t.Error("what was told once, of another topic a hundred times, is heard twice")
	default:
	}
	leave()
	if err := at[0].Tell(Roll); err != nil {
		t.Error(err)
	}
}

// TestListenersHearThatTheConnectionIsBack since they may have missed some.
func TestListenersHearThatTheConnectionIsBack(t *testing.T) {
	s := startNATS(t)
	n := s.open(t, Options{})
	heard, err := n.Listen(t.Context(), Roll)
	if err != nil {
		t.Fatal(err)
	}
	s.End()
	s.Again(t)
	select {
	case <-heard:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing")
	}
}

// BenchmarkAppend is how many fixes a second 32 senders of 100 each get
// acknowledged, of some 20 bytes.
func BenchmarkAppend(b *testing.B) {
	l := startNATS(b).open(b, Options{}).Log()
	data := make([]byte, 2000)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Append(b.Context(), data); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "fixes/s")
}
