package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/ingest"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// takenIn is a sink that counts.
type takenIn struct {
	mu    sync.Mutex
	fixes int
	units map[patrol.UnitID]bool
	first chan struct{} // closed once a hundred units were heard of
}

func (s *takenIn) Accept(_ context.Context, b patrol.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range b.Fixes {
		s.fixes++
		s.units[f.Unit] = true
		if len(s.units) == 100 {
			select {
			case <-s.first:
			default:
				close(s.first)
			}
		}
	}
	return nil
}

// The first start enters everybody and reports of whoever is on duty; the
// second finds them there.
func TestDemonstrationSimulates(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "demo.db"), store.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	sv := service{boundaries: boundaryFlags{cleaningFlags: usualCleaning}}
	atlas, err := sv.atlas(&session{ctx: t.Context(), quiet: true}, st)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := patrol.OpenRegistry(t.Context(), st.Register())
	if err != nil {
		t.Fatal(err)
	}
	gate := auth.NewGate(st.Accounts(), time.Now)
	var audited int64
	for start := range 2 {
		sink := &takenIn{units: make(map[patrol.UnitID]bool), first: make(chan struct{})}
		station := ingest.New(ingest.Config{Keys: nil, Sink: sink, Log: log})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- startSimulation(ctx, atlas, registry, station, gate, log) }()
		select {
		case <-sink.first:
		case <-time.After(time.Minute):
			t.Fatalf("start %d: %d units are heard of", start+1, len(sink.units))
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		staff := registry.Staff()
		if n := len(staff.Units()); n != 1283+36 {
			t.Errorf("start %d: %d units are entered", start+1, n)
		}
		now := time.Now()
		onDuty := 0
		for id := range sink.units {
			if staff.OnDuty(id, now.UnixMilli()) {
				onDuty++
			}
		}
		if onDuty < len(sink.units)-5 { // a shift may have ended just now
			t.Errorf("start %d: of %d units that report %d are on duty", start+1, len(sink.units), onDuty)
		}
		if gaps := staff.Gaps(now, now.Add(rosterLeast), func(string) bool { return true }); len(gaps) > 0 {
			t.Errorf("start %d: the emergency post is not manned: %v", start+1, gaps[0])
		}
		head, err := gate.VerifyAudit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if start == 1 && head.Seq != audited {
			t.Errorf("the second start changed something: %d entries in the audit chain, then %d", audited, head.Seq)
		}
		audited = head.Seq
	}
}

func TestDemonstrationLeavesOthersUnitsAlone(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "own.db"), store.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	sv := service{boundaries: boundaryFlags{cleaningFlags: usualCleaning}}
	atlas, err := sv.atlas(&session{ctx: t.Context(), quiet: true}, st)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := patrol.OpenRegistry(t.Context(), st.Register())
	if err != nil {
		t.Fatal(err)
	}
	by := patrol.Editor{Who: "test", May: func(string) bool { return true }}
	_, err = registry.UpdateUnits(t.Context(), by, []string{"JD-1"}, func(_ int, u *patrol.Unit) error {
		u.Name, u.Street = "王五", "310114001"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	gate := auth.NewGate(st.Accounts(), time.Now)
	if err := startSimulation(t.Context(), atlas, registry, nil, gate, log); err != nil {
		t.Fatal(err)
	}
	if n := len(registry.Staff().Units()); n != 1 {
		t.Errorf("%d units, want the one that was there", n)
	}
}
