package store

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

func TestLog(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			storetest.Log(t, func(t *testing.T) func() patrol.Log {
				place := url(t)
				return func() patrol.Log { return open(t, place).Log() }
			})
		})
	}
}

// TestLogAnswersOnce ends calls at every stage of a commit that takes long:
// those that wait leave nothing behind, the one that was taken is answered.
func TestLogAnswersOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		l := s.Log()
		if _, err := l.Append(t.Context(), []byte("first")); err != nil {
			t.Fatal(err)
		}
		block, err := s.writer.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := block.Exec(`INSERT INTO fix_log (seq, data) SELECT max(seq) + 1, $1 FROM fix_log`, []byte{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var taken, waiting error
		var wg sync.WaitGroup
		wg.Go(func() { _, taken = l.Append(ctx, []byte("taken")) })
		until(t, func() bool { return len(l.arrived) == 0 && l.idle() && hasCalls(l, 0) })
		time.Sleep(20 * time.Millisecond) // the committer is on its way into the transaction
		wg.Go(func() { _, waiting = l.Append(ctx, []byte("waiting")) })
		until(t, func() bool { return hasCalls(l, 1) })
		cancel()
		until(t, func() bool { return hasCalls(l, 0) })
		if err := block.Rollback(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if taken != nil || waiting == nil {
			t.Errorf("taken: %v, waiting: %v", taken, waiting)
		}
		entries, err := l.read(t.Context(), 1)
		if err != nil || len(entries) != 2 || !strings.HasSuffix(string(entries[1].data), "taken") {
			t.Errorf("%v, %v", entries, err)
		}
	})
}

func hasCalls(l *FixLog, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) == n
}

// until waits for a condition.
func until(t *testing.T, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come about")
		}
	}
}

// TestLogAfterAnother begins with a log once entries of another were applied:
// its own are not taken for those.
func TestLogAfterAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		if seq, err := s.Log().Append(t.Context(), nil); seq != 1 || err != nil {
			t.Fatalf("entry %d, %v", seq, err)
		}
		(&saver{s: s}).save(t, patrol.Effects{}) // up to 3
		for want := uint64(4); want < 6; want++ {
			if seq, err := s.Log().Append(t.Context(), nil); seq != want || err != nil {
				t.Errorf("entry %d, want %d: %v", seq, want, err)
			}
		}
	})
}

// TestLogIsBounded holds the writer up while much comes in.
func TestLogIsBounded(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	l := s.Log()
	block, err := s.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	data := make([]byte, maxAppend)
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = l.Append(t.Context(), data) })
	}
	wg.Go(func() {
		until(t, func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.size >= maxWaiting-maxAppend })
		time.Sleep(50 * time.Millisecond)
		if err := block.Rollback(); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	refused := 0
	for _, err := range errs {
		if err != nil {
			refused++
			if fault.KindOf(err) != fault.Unavailable {
				t.Error(err)
			}
		}
	}
	if refused == 0 || refused > 4 {
		t.Errorf("%d of %d were refused", refused, len(errs))
	}
	if _, err := l.Append(t.Context(), make([]byte, maxAppend+1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too large an entry: %v", err)
	}
}

func TestClosedLog(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	l := s.Log()
	if _, err := l.Append(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	tail := make(chan error)
	go func() { tail <- l.Tail(t.Context(), 2, func(uint64, [][]byte) error { return nil }) }()
	l.close()
	if err := <-tail; fault.KindOf(err) != fault.Unavailable {
		t.Errorf("tail: %v", err)
	}
	if _, err := l.Append(t.Context(), []byte("x")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("append: %v", err)
	}
}

// TestLogOnAFullDisk fills the disk under the log: Append is Unavailable, and
// succeeds by itself once there is room.
func TestLogOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "3m")
	s := open(t, "sqlite:"+dir+"/lianqin.db")
	l := s.Log()
	acknowledged := 0
	var err error
	for err == nil && acknowledged < 100 {
		if _, err = l.Append(t.Context(), make([]byte, 100_000)); err == nil {
			acknowledged++
		}
	}
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("appending on a full disk: %v", err)
	}
	if err := l.Trim(t.Context(), 1<<40); err != nil {
		t.Logf("trimming on a full disk: %v", err)
	}
	grow(t, dir, "16m")
	seq, err := l.Append(t.Context(), []byte("again"))
	if err != nil || seq != uint64(acknowledged)+1 {
		t.Errorf("once there is room: entry %d, %v; %d were acknowledged", seq, err, acknowledged)
	}
	intact(t, s)
}

// smallDisk is a folder with a file system of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func grow(t *testing.T, dir, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size="+size); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			l := open(b, url(b)).Log()
			data := make([]byte, 3000)
			b.ResetTimer()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := l.Append(context.Background(), data); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}
