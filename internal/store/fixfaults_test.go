package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

const (
	reportUnits  = 40
	reportFixes  = 20 // of a batch
	reportSpread = 2 * time.Second
)

// reported is batch n: fixes of one unit, a refusal and, by what applies it, an
// event, none of which another batch has.
func reported(n int64) *patrol.Batch {
	unit, start := patrol.UnitID(1+n%reportUnits), midnight.UnixMilli()+n/reportUnits*reportSpread.Milliseconds()
	b := &patrol.Batch{Refusals: []patrol.Refusal{{Unit: unit, Device: fmt.Sprint("d", n/1000), At: start, Received: start, Reason: patrol.TooOld, Detail: fmt.Sprint(n)}}}
	for i := range int64(reportFixes) {
		b.Fixes = append(b.Fixes, fixAt(unit, start+i*reportSpread.Milliseconds()/reportFixes))
	}
	return b
}

// applier is the least that applies a log: it knows each unit's newest fix.
type applier struct {
	s      *Store
	newest map[patrol.UnitID]int64
	e      patrol.Effects
	saves  int
}

// run applies the log from the last checkpoint on until ctx ends or entry end
// was applied.
func (a *applier) run(ctx context.Context, end uint64) error {
	state, at, applied, err := a.s.Tracks().Checkpoint(ctx)
	if err != nil {
		return err
	}
	a.newest = make(map[patrol.UnitID]int64)
	if len(state) > 0 {
		if err := json.Unmarshal(state, &a.newest); err != nil {
			return err
		}
	}
	err = a.s.Log().Tail(ctx, at+1, func(seq uint64, data [][]byte) error {
		for _, d := range data {
			if err := a.take(d); err != nil {
				return err
			}
		}
		if seq <= applied {
			a.e = patrol.Effects{}
			return nil
		}
		if a.e.First == 0 {
			a.e.First = seq
		}
		a.e.Last = seq
		if seq < end && len(a.e.Kept)+len(a.e.Late) < 40*reportFixes && rand.IntN(4) > 0 {
			return nil
		}
		if err := a.save(ctx); err != nil || seq < end {
			return err
		}
		return patrol.ErrEnough
	})
	if errors.Is(err, patrol.ErrEnough) {
		return nil
	}
	return err
}

func (a *applier) take(data []byte) error {
	b, err := patrol.DecodeBatch(data)
	if err != nil {
		return err
	}
	for _, f := range b.Fixes {
		if f.At > a.newest[f.Unit] {
			a.newest[f.Unit] = f.At
			a.e.Kept = append(a.e.Kept, f)
		} else {
			a.e.Late = append(a.e.Late, f)
		}
	}
	a.e.Refused = append(a.e.Refused, b.Refusals...)
	at := time.UnixMilli(b.Fixes[0].At)
	a.e.Events = append(a.e.Events, patrol.Event{Unit: b.Fixes[0].Unit, Kind: patrol.Crossed, At: at, Recorded: at})
	return nil
}

func (a *applier) save(ctx context.Context) error {
	saved, err := a.s.Tracks().Save(ctx, &a.e)
	if err != nil {
		return err
	}
	if len(saved.Duplicates) > 0 {
		return fmt.Errorf("entries %d to %d: %d fixes are there already", a.e.First, a.e.Last, len(saved.Duplicates))
	}
	last := a.e.Last
	a.e = patrol.Effects{}
	if a.saves++; a.saves%5 > 0 {
		return nil
	}
	state, err := json.Marshal(a.newest)
	if err != nil {
		return err
	}
	if err := a.s.Tracks().SaveCheckpoint(ctx, last, state); err != nil {
		return err
	}
	return a.s.Log().Trim(ctx, last+1)
}

// reportOverAndOver appends batches, says which were acknowledged, applies them
// and puts tracks in order, all at once.
func reportOverAndOver(ctx context.Context, s *Store) error {
	failed := make(chan error)
	var next atomic.Int64
	first := time.Now().UnixMicro() / 10 % 1_000_000_000 // more than another child can have come to
	fmt.Println("ready")
	var out sync.Mutex
	for range 4 {
		go func() {
			for {
				n := first + next.Add(1)
				if _, err := s.Log().Append(ctx, patrol.AppendBatch(nil, reported(n))); err != nil {
					failed <- err
					return
				}
				out.Lock()
				fmt.Println(n)
				out.Unlock()
			}
		}()
	}
	go func() { failed <- (&applier{s: s}).run(ctx, 1<<62) }()
	go func() {
		for {
			time.Sleep(rand.N(50 * time.Millisecond))
			if err := s.Compact(ctx, midnight); err != nil {
				failed <- err
				return
			}
		}
	}()
	return <-failed
}

// TestKilledWhileFixesComeIn kills a process that appends, applies and compacts:
// of every batch that was acknowledged, and of each that was not but is in the
// log, all is there once.
func TestKilledWhileFixesComeIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, reportUnits)
		acknowledged := make(map[int64]bool)
		rounds := kills()
		for round := range rounds {
			killed(t, "report", url, t.TempDir(), 400*time.Millisecond, func(line string) {
				var n int64
				if _, err := fmt.Sscan(line, &n); err != nil {
					t.Errorf("the child says %q", line)
				}
				acknowledged[n] = true
			})
			if s.d.name == sqliteDialect.name {
				intact(t, s)
			}
			if round%25 == 24 || round == rounds-1 {
				allThereOnce(t, s, acknowledged)
			}
		}
		t.Logf("killed %d times, after %d batches that were acknowledged", rounds, len(acknowledged))
	})
}

// allThereOnce applies what is left of the log and compares.
func allThereOnce(t *testing.T, s *Store, acknowledged map[int64]bool) {
	t.Helper()
	var end uint64
	_, _, applied, err := s.Tracks().Checkpoint(t.Context())
	if err = errors.Join(err, s.readers.QueryRow(`SELECT coalesce(max(seq), 0) FROM fix_log`).Scan(&end)); err != nil {
		t.Fatal(err)
	}
	if applied < end {
		if err := (&applier{s: s}).run(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	compacted(t, s, midnight.Add(10*365*24*time.Hour))
	there := make(map[int64]int) // batches, and how many of their fixes
	last := fixKey{}
	err = s.Tracks().Fixes(t.Context(), 0, wholeTime[0], wholeTime[1], func(fixes []patrol.Fix) error {
		for i := range fixes {
			f := &fixes[i]
			if keyOf(f) == last || *f != fixAt(f.Unit, f.At) {
				t.Errorf("%+v is there twice, or otherwise", f)
			}
			last = keyOf(f)
			there[(f.At-midnight.UnixMilli())/reportSpread.Milliseconds()*reportUnits+int64(f.Unit)-1]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, fixes := range there {
		if fixes != reportFixes {
			t.Errorf("batch %d: %d of %d fixes", n, fixes, reportFixes)
		}
	}
	for n := range acknowledged {
		if there[n] == 0 {
			t.Errorf("batch %d was acknowledged and is lost", n)
		}
	}
	seen := make(map[string]int)
	err = s.Tracks().Refusals(t.Context(), patrol.RefusalQuery{}, func(_ int64, r patrol.Refusal) error { seen[r.Detail]++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for n := range there {
		if k := seen[fmt.Sprint(n)]; k != 1 {
			t.Errorf("batch %d is in quarantine %d times", n, k)
		}
	}
	counted := counts(t, s, wholeTime[0], wholeTime[1])
	var total int64
	for _, n := range counted {
		total += n
	}
	if len(seen) != len(there) || total != int64(len(there)) || len(events(t, s, patrol.EventQuery{})) != len(there) {
		t.Errorf("%d batches, %d refusals, counted as %d, %d events", len(there), len(seen), total, len(events(t, s, patrol.EventQuery{})))
	}
}

// TestDatabaseStopped stops the server under load: whoever appends is told at
// once, and it goes on by itself when the server is back, with nothing lost.
func TestDatabaseStopped(t *testing.T) {
	storetest.Outage(t, func(url string, stop, start func()) {
		appendThroughOutages(t, patrols(t, url, reportUnits), stop, start)
	})
}

func appendThroughOutages(t *testing.T, s *Store, stop, start func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	acknowledged := make(map[int64]bool)
	var refused atomic.Int64
	var longest atomic.Int64
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				n := next.Add(1)
				began := time.Now()
				_, err := s.Log().Append(ctx, patrol.AppendBatch(nil, reported(n)))
				longest.Store(max(longest.Load(), int64(time.Since(began))))
				switch {
				case err == nil:
					mu.Lock()
					acknowledged[n] = true
					mu.Unlock()
				case fault.KindOf(err) == fault.Unavailable:
					refused.Add(1)
					time.Sleep(5 * time.Millisecond)
				case ctx.Err() == nil:
					t.Error(err)
					return
				}
			}
		})
	}
	seen := make(map[uint64]int) // entries that a tail brought
	wg.Go(func() {
		err := s.Log().Tail(ctx, 1, func(seq uint64, data [][]byte) error {
			mu.Lock()
			defer mu.Unlock()
			seen[seq] += len(data)
			return nil
		})
		if ctx.Err() == nil {
			t.Errorf("tail: %v", err)
		}
	})
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	until(t, func() bool { return count() > 50 })
	for range 3 {
		stop()
		before := refused.Load()
		until(t, func() bool { return refused.Load() > before+20 })
		if _, err := s.Tracks().Save(t.Context(), &patrol.Effects{First: 1, Last: 1}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("saving without a database: %v", err)
		}
		start()
		now := count()
		until(t, func() bool { return count() > now+50 })
	}
	cancel()
	wg.Wait()
	allThereOnce(t, s, acknowledged)
	for seq := uint64(1); seq <= uint64(len(seen)); seq++ {
		if seen[seq] == 0 {
			t.Errorf("the tail left out entry %d of %d", seq, len(seen))
		}
	}
	t.Logf("%d acknowledged, %d refused, the longest answer after %v", len(acknowledged), refused.Load(), time.Duration(longest.Load()).Round(time.Millisecond))
}

// TestFixesOnAFullDisk fills the disk under a process that appends and applies:
// nothing that was acknowledged is lost, and all goes on once there is room.
func TestFixesOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "3m")
	s := patrols(t, "sqlite:"+dir+"/lianqin.db", reportUnits)
	a := &applier{s: s}
	acknowledged := make(map[int64]bool)
	var appendErr, saveErr error
	for n := int64(0); n < 200_000 && (appendErr == nil || saveErr == nil); n++ {
		seq, err := s.Log().Append(t.Context(), patrol.AppendBatch(nil, reported(n)))
		if err != nil {
			appendErr = err
			saveErr = s.Tracks().SaveCheckpoint(t.Context(), 0, slices.Repeat([]byte{1}, 1<<20))
			break
		}
		acknowledged[n] = true
		if n%20 == 19 {
			if saveErr = a.run(t.Context(), seq); saveErr != nil {
				break
			}
		}
	}
	for name, err := range map[string]error{"append or save": errors.Join(appendErr, saveErr), "compact": s.Compact(t.Context(), midnight)} {
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("%s on a full disk: %v", name, err)
		}
	}
	if got := fixesOf(t, s, 1, midnight, midnight.Add(time.Minute)); len(got) == 0 {
		t.Error("reading on a full disk brings nothing")
	}
	grow(t, dir, "64m")
	allThereOnce(t, s, acknowledged)
	compacted(t, s, midnight)
	allThereOnce(t, s, acknowledged)
	intact(t, s)
	t.Logf("%d batches", len(acknowledged))
}
