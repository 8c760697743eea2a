package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/evidence"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/store"
)

// TestDemonstrationLives has a working morning of cases come in and go on, and
// takes them up again after a pause, without one twice.
func TestDemonstrationLives(t *testing.T) {
	dir := t.TempDir()
	s := &session{ctx: t.Context(), err: t.Output(), out: t.Output(), quiet: true}
	db := databaseFlags{"sqlite:" + filepath.Join(dir, "demo.db")}
	st, err := db.open(s, false)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	atlas, err := (&service{}).atlas(s, st)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, grid.Zone)
	clock := func() time.Time { return now }
	begin := func() *demoCases {
		return demoOf(t, s, st, atlas, dir, clock)
	}
	d := begin()
	if err := d.turn(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	first := d.current.Since(now.Add(-d.since))
	standing := len(d.deeds)
	if standing < 100 {
		t.Errorf("%d stand open", standing)
	}
	pass := func(d *demoCases, span time.Duration) {
		t.Helper()
		for until := now.Add(span); now.Before(until); now = now.Add(time.Minute) {
			if _, err := d.step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	complete := func() {
		t.Helper()
		n, err := st.Cases().Loaded(t.Context(), d.current.Source())
		if want := d.current.Since(now) - first; err != nil || n != want {
			t.Errorf("%d cases, want %d, %v", n, want, err)
		}
	}
	pass(d, 20*time.Minute)
	complete()
	found, err := d.desk.Find(t.Context(), casework.Search{State: casework.InDisposal, Limit: 5})
	if err != nil || len(found.Records) == 0 {
		t.Fatalf("none in disposal, %v", err)
	}
	acted := 0
	open, err := d.standing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, seq := range open {
		r, err := d.desk.Case(t.Context(), id)
		if err != nil || len(r.Entries) != seq {
			t.Fatal(id, err)
		}
		if last := r.Entries[seq-1]; last.At.After(now.Add(-19*time.Minute)) && last.Action != casework.Report {
			acted++
		}
	}
	if acted == 0 {
		t.Error("nobody acts")
	}
	if behind := due(d, now); behind > 0 {
		t.Errorf("%d deeds are behind", behind)
	}

	now = now.Add(25 * time.Minute) // the service is away
	d = begin()
	if err := d.turn(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	complete()
	pass(d, 5*time.Minute)
	complete()
	if behind := due(d, now); behind > 0 {
		t.Errorf("%d deeds are behind after a pause", behind)
	}
}

// due counts the deeds that should have been done.
func due(d *demoCases, now time.Time) (n int) {
	for _, on := range d.deeds {
		if !on.rest[0].At.After(now) {
			n++
		}
	}
	return n
}

func demoOf(t testing.TB, s *session, st *store.Store, atlas *grid.Atlas, dir string, now func() time.Time) *demoCases {
	t.Helper()
	hours, calendar, standards, err := workingRules()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := (&serverFlags{}).catalogue()
	if err != nil {
		t.Fatal(err)
	}
	desk, err := casework.OpenDesk(s.ctx, st.Cases(), casework.DeskConfig{Indexes: locate.NewIndexes(atlas), Rules: casework.UsualRules(), Standards: standards,
		Hours: hours, Catalogue: catalogue, Calendar: calendar, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := evidence.OpenFolder(filepath.Join(dir, "files"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	gen, _ := atlas.Current()
	d := &demoCases{store: st, desk: desk, gen: gen, files: evidence.NewShelf(st.Evidence(), folder, grid.Zone, now), log: slog.New(slog.DiscardHandler),
		now: now, alive: true, since: 2 * 24 * time.Hour}
	if d.staff, err = demo.Patrols(gen, demoSeed, 0); err != nil {
		t.Fatal(err)
	}
	if d.photo, err = demo.SmallPhoto(); err != nil {
		t.Fatal(err)
	}
	return d
}
