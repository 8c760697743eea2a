package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// onEach runs a figure on SQLite and, where it is there, on PostgreSQL, whose
// commits wait for the disk as SQLite's do. Fresh gives run an empty database.
func (b *bench) onEach(ctx context.Context, t *table, run func(name string, fresh func() (string, error)) error) error {
	if err := run("SQLite", func() (string, error) { return "sqlite", nil }); err != nil {
		return fmt.Errorf("SQLite: %w", err)
	}
	c, err := startCluster(ctx, durable)
	if err != nil {
		t.note("PostgreSQL was not measured: %v", err)
		return nil
	}
	defer c.stop()
	if err := run("PostgreSQL", func() (string, error) { return c.fresh(ctx) }); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	return nil
}

// ingestLength is how long the sustained figure is sustained.
func (b *bench) ingestLength() time.Duration {
	if b.large {
		return time.Minute
	}
	return 15 * time.Second
}

// ingest is the figure of durable batches, with readers of the stream.
func ingest(ctx context.Context, b *bench) error {
	t := table{
		title: fmt.Sprintf("Durable ingest, batches of 100 fixes of %s units, 10 readers of the stream, for %s", number(manyUnits), b.ingestLength()),
		head:  []string{"", "fixes/s", "target", "batch p50 ms", "p99 ms", "target", "server cores", "MB resident", "target", "fixes acknowledged", "found"},
	}
	err := b.onEach(ctx, &t, func(name string, fresh func() (string, error)) error {
		for _, paced := range []bool{true, false} {
			if err := b.ingestOn(ctx, &t, name, fresh, paced); err != nil {
				return err
			}
		}
		return nil
	})
	t.note("Paced: each unit once a second, so that 100,000 fixes/s are offered. Unpaced: as fast as 16 connections are answered. An answer is sent when the fixes are committed, synced to the disk.")
	t.note("%s", costNote)
	t.print()
	return err
}

func (b *bench) ingestOn(ctx context.Context, t *table, name string, fresh func() (string, error), paced bool) error {
	database, err := fresh()
	if err != nil {
		return err
	}
	s, err := b.startPatrols(ctx, name, database, manyUnits)
	if err != nil {
		return err
	}
	defer s.end()
	d, err := b.district(1)
	if err != nil {
		return err
	}
	c := newCrowd(d, s, manyUnits, 100)
	var readers []*stream
	for range 10 {
		readers = append(readers, s.open(ctx, "/api/v1/live", nil))
	}
	period, what := time.Duration(0), name+", unpaced"
	if paced {
		period, what = time.Second, name+", paced"
	}
	var l latencies
	before, began := s.cpu(), time.Now()
	acked, err := c.drive(ctx, s.addr, connections, period, b.ingestLength(), &l)
	took := time.Since(began)
	used := s.cpu() - before
	memory := resident(s.cmd.Process.Pid)
	for _, r := range readers {
		err = errors.Join(err, r.close())
	}
	if err != nil {
		return err
	}
	found, err := s.stored(ctx, acked)
	if err != nil {
		return err
	}
	rate := float64(acked) / took.Seconds()
	target := ""
	if paced {
		target = atLeast(rate, 99_000)
	}
	t.row(what, number(rate), target, number(l.quantile(.5)), number(l.quantile(.99)), atMost(l.quantile(.99), 100),
		number(used.Seconds()/took.Seconds()), number(memory), atMost(memory, 400), number(float64(acked)), number(float64(found)))
	return nil
}

// stored counts the fixes that the database holds, waiting until the service
// has applied as many as were acknowledged, or no more come.
func (s *patrolService) stored(ctx context.Context, want int64) (int64, error) {
	st, err := store.Open(ctx, s.database, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	defer st.Close()
	for last := int64(-1); ; {
		var n int64
		err := st.Tracks().Fixes(ctx, 0, time.Now().Add(-12*time.Hour), time.Now().Add(time.Hour), func(f []patrol.Fix) error {
			n += int64(len(f))
			return nil
		})
		if err != nil || n >= want || n == last {
			return n, err
		}
		last = n
		time.Sleep(3 * time.Second)
	}
}

// phones is the figure of single fixes, one request each.
func phones(ctx context.Context, b *bench) error {
	const conns, length = 64, 10 * time.Second
	t := table{title: fmt.Sprintf("Single fixes by HTTP, as phones send them (OsmAnd), %d connections, for %s", conns, length),
		head: []string{"", "requests/s", "target", "p50 ms", "p99 ms", "server µs", "acknowledged", "found"}}
	err := b.onEach(ctx, &t, func(name string, fresh func() (string, error)) error {
		database, err := fresh()
		if err != nil {
			return err
		}
		s, err := b.startPatrols(ctx, name, database, districtUnits*8)
		if err != nil {
			return err
		}
		defer s.end()
		d, err := b.district(1)
		if err != nil {
			return err
		}
		c := newCrowd(d, s, districtUnits*8, 1)
		var l latencies
		before, began := s.cpu(), time.Now()
		acked, err := c.drive(ctx, s.addr, conns, 0, length, &l)
		if err != nil {
			return err
		}
		rate := float64(acked) / time.Since(began).Seconds()
		used := s.cpu() - before
		found, err := s.stored(ctx, acked)
		if err != nil {
			return err
		}
		t.row(name, number(rate), atLeast(rate, 8000), number(l.quantile(.5)), number(l.quantile(.99)),
			number(float64(used.Microseconds())/float64(acked)), number(float64(acked)), number(float64(found)))
		return nil
	})
	t.note("%s", costNote)
	t.print()
	return err
}

// wall is the figure of what a wall costs, and how old what it shows is.
func wall(ctx context.Context, b *bench) error {
	const length = 20 * time.Second
	t := table{title: fmt.Sprintf("The wall: %s units at 1 Hz, for %s", number(districtUnits), length),
		head: []string{"readers", "fix accepted → frame read, p50 ms", "p99 ms", "target", "server, % of a core", "target", "frames a reader", "kB a frame"}}
	for _, readers := range []int{1, 500} {
		if err := b.wallWith(ctx, &t, readers, length); err != nil {
			return err
		}
	}
	t.note("Fixes come in batches of 100 (SQLite). The age is measured by one reader in the load generator's process, from the moment that the batch is answered to the moment that the frame with the unit's new position is read.")
	t.note("%s", costNote)
	t.print()
	return nil
}

func (b *bench) wallWith(ctx context.Context, t *table, readers int, length time.Duration) error {
	s, err := b.startPatrols(ctx, "SQLite", "sqlite", districtUnits)
	if err != nil {
		return err
	}
	defer s.end()
	d, err := b.district(1)
	if err != nil {
		return err
	}
	var l latencies
	watch := newWatch(&l)
	all := []*stream{s.open(ctx, "/api/v1/live", watch.frame)}
	for len(all) < readers {
		all = append(all, s.open(ctx, "/api/v1/live", nil))
	}
	c := newCrowd(d, s, districtUnits, 100)
	c.acked = watch.acked
	var batches latencies
	before, began := s.cpu(), time.Now()
	_, err = c.drive(ctx, s.addr, 4, time.Second, length, &batches)
	used, took := s.cpu()-before, time.Since(began)
	frames, bytes := all[len(all)-1].frames.Load(), all[len(all)-1].bytes.Load()
	for _, r := range all {
		err = errors.Join(err, r.close())
	}
	if err != nil {
		return err
	}
	share := 100 * used.Seconds() / took.Seconds()
	bound := 15.0
	if readers > 1 {
		bound = 100
	}
	t.row(number(float64(readers)), number(l.quantile(.5)), number(l.quantile(.99)), atMost(l.quantile(.99), 1200), number(share), atMost(share, bound),
		number(float64(frames)), number(float64(bytes)/1000/float64(max(1, frames))))
	return nil
}

// snapshot is the figure of how long a new reader waits.
func snapshot(ctx context.Context, b *bench) error {
	t := table{title: "The first frame of a new reader", head: []string{"units", "ms, median", "ms, most", "target", "MB"}}
	for _, n := range []int{districtUnits, manyUnits} {
		s, err := b.startPatrols(ctx, "SQLite", "sqlite", n)
		if err != nil {
			return err
		}
		err = func() error {
			defer s.end()
			d, err := b.district(1)
			if err != nil {
				return err
			}
			if _, err := newCrowd(d, s, n, 100).drive(ctx, s.addr, 4, 2*time.Second, 2*time.Second, &latencies{}); err != nil {
				return err
			}
			time.Sleep(3 * time.Second)
			var took sample
			var size int64
			for range 10 {
				first := make(chan struct{})
				var once sync.Once
				began := time.Now()
				r := s.open(ctx, "/api/v1/live", func([]byte) { once.Do(func() { close(first) }) })
				select {
				case <-first:
				case err := <-r.done:
					return err
				}
				took = append(took, float64(time.Since(began).Microseconds())/1000)
				size = r.bytes.Load()
				if err := r.close(); err != nil {
					return err
				}
			}
			bound := 20.0
			if n == manyUnits {
				bound = 500
			}
			t.row(number(float64(n)), number(took.median()), number(took.max()), atMost(took.median(), bound), number(float64(size)/1e6))
			return nil
		}()
		if err != nil {
			return err
		}
	}
	t.print()
	return nil
}

// replay is the figure of showing a shift again.
func replay(ctx context.Context, b *bench) error {
	hours := 1
	if b.large {
		hours = 8
	}
	t := table{title: fmt.Sprintf("Replay of %d h of %s units at 1 Hz", hours, number(districtUnits)),
		head: []string{"", "first frame ms", "target", "seconds shown in 30 s at 60 ×", "target", "server, % of a core", "as fast as it goes, ×"}}
	err := b.onEach(ctx, &t, func(name string, fresh func() (string, error)) error {
		database, err := fresh()
		if err != nil {
			return err
		}
		s, err := b.startPatrols(ctx, name, database, districtUnits)
		if err != nil {
			return err
		}
		defer s.end()
		from := time.Now().Add(-time.Duration(hours+1) * time.Hour).Truncate(time.Minute)
		to := from.Add(time.Duration(hours) * time.Hour)
		if err := s.past(ctx, b, from, to); err != nil {
			return err
		}
		first, shown, share, err := s.replay(ctx, from, to, 60, 30*time.Second)
		if err != nil {
			return err
		}
		began := time.Now()
		_, most, _, err := s.replay(ctx, from, to, 0, 10*time.Second)
		if err != nil {
			return err
		}
		took := time.Since(began).Seconds()
		t.row(name, number(first), atMost(first, 500), number(shown.Seconds()), atLeast(shown.Seconds(), 59*30), number(share), number(most.Seconds()/took))
		return nil
	})
	t.print()
	return err
}

// replay reads a replay for so long. It returns how long the first frame took
// in ms and how much of the past was shown.
func (s *patrolService) replay(ctx context.Context, from, to time.Time, speed int, length time.Duration) (first float64, shown time.Duration, share float64, err error) {
	var firstAt, last atomic.Int64
	var firstShown atomic.Int64
	path := fmt.Sprintf("/api/v1/replay?from=%s&to=%s&speed=%d", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), speed)
	began, before := time.Now(), s.cpu()
	r := s.open(ctx, path, func(data []byte) {
		at := frameTime(data)
		if at == 0 { // the end
			return
		}
		if firstAt.CompareAndSwap(0, time.Since(began).Microseconds()) {
			firstShown.Store(at)
		}
		last.Store(at)
	})
	select {
	case err := <-r.done:
		r.done <- err
	case <-time.After(length):
	}
	share = 100 * (s.cpu() - before).Seconds() / time.Since(began).Seconds()
	if err := r.close(); err != nil && !strings.Contains(err.Error(), "EOF") {
		return 0, 0, 0, err
	}
	return float64(firstAt.Load()) / 1000, time.Duration(last.Load()-firstShown.Load()) * time.Millisecond, share, nil
}

// past enters a past of all units at 1 Hz as the service would have.
func (s *patrolService) past(ctx context.Context, b *bench, from, to time.Time) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, s.database, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer st.Close()
	return enterPast(ctx, st, d, districtUnits, from, to)
}
