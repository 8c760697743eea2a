package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/casework"
	"lianqin/internal/evidence"
	"lianqin/internal/fault"
	"lianqin/internal/store/storetest"
)

func TestFilesAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		files := open(t, url).Evidence()
		at := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
		want := sent("abc.jpg", at)
		want.Taken = at.Add(-time.Minute)
		if err := files.EnterFile(t.Context(), want, 3000+evidence.Overhead); err != nil {
			t.Fatal(err)
		}
		got, err := files.File(t.Context(), "abc.jpg")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if _, err := files.File(t.Context(), "abd.jpg"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another name: %v", err)
		}
		if err := files.EnterFile(t.Context(), sent("abd.jpg", at), 2*(3000+evidence.Overhead)-1); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("too much waits: %v", err)
		}
		public := sent("abe.jpg", at)
		public.Sender = ""
		if err := files.EnterFile(t.Context(), public, 3000+evidence.Overhead); err != nil {
			t.Errorf("what staff sent counts for the public: %v", err)
		}
		shared := sent("shared.jpg", at)
		shared.Shared = true
		if err := files.EnterFile(t.Context(), shared, 1<<30); err != nil {
			t.Fatal(err)
		}
		for limit, want := range map[int][]string{0: nil, 1: {"abc.jpg"}, 10: {"abc.jpg", "abe.jpg"}} {
			names, err := files.StaleFiles(t.Context(), at.Add(time.Millisecond), limit)
			if slices.Sort(names); len(names) != len(want) || limit == 10 && !slices.Equal(names, want) || err != nil {
				t.Errorf("%d stale: %v, %v", limit, names, err)
			}
		}
		if names, err := files.StaleFiles(t.Context(), at, 10); len(names) != 0 || err != nil {
			t.Errorf("stale a moment before: %v, %v", names, err)
		}
		for _, name := range []string{"abc.jpg", "none.jpg", "shared.jpg"} {
			if err := files.DropFile(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		if _, err := files.File(t.Context(), "abc.jpg"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("after it was dropped: %v", err)
		}
		if _, err := files.File(t.Context(), "shared.jpg"); err != nil {
			t.Errorf("what is shared was dropped: %v", err)
		}
	})
}

// TestEvidenceIsClaimed: once, by the case that names it first, with the
// action or not at all.
func TestEvidenceIsClaimed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		one, two := o.open(t, o.seen(unlawfulBuilding, inStreet1)), o.open(t, o.seen(unlawfulBuilding, inStreet1))
		own := one.Evidence[0]
		if f, err := s.Evidence().File(t.Context(), own); err != nil || f.Case != one.ID {
			t.Errorf("%+v, %v", f, err)
		}
		shared := sent("shared.jpg", o.clock())
		shared.Shared = true
		late := sent("late.jpg", o.clock().Add(-evidence.Claimable+10*time.Minute)) // and ten minutes pass
		for _, f := range []evidence.File{shared, late} {
			if err := s.Evidence().EnterFile(t.Context(), f, 1<<40); err != nil {
				t.Fatal(err)
			}
		}
		fresh := o.photo()
		o.pass(10 * time.Minute)
		for name, names := range map[string][]string{"unknown": {"none.jpg"}, "another case's": {own}, "one good, one unknown": {fresh[0], "none.jpg"}, "empty": {""},
			"shared": {"shared.jpg"}, "too late": {"late.jpg"}} {
			_, err := o.Act(t.Context(), casework.Deed{Case: two.ID, Seq: two.Seq, By: centre, Action: casework.AddNote, Input: casework.Input{Text: "x", Evidence: names}})
			if fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) != "evidence" || !strings.Contains(err.Error(), fmt.Sprintf("%q", names[len(names)-1])) {
				t.Errorf("%s: %v", name, err)
			}
			a := o.seen(unlawfulBuilding, inStreet1)
			a.Evidence = names
			if _, err := o.Open(t.Context(), a); fault.FieldOf(err) != "evidence" {
				t.Errorf("%s, with a report: %v", name, err)
			}
		}
		if r, err := o.Case(t.Context(), two.ID); err != nil || r.Case.Seq != two.Seq {
			t.Errorf("what was refused is entered: %+v, %v", r.Case, err)
		}
		if f, err := s.Evidence().File(t.Context(), fresh[0]); err != nil || f.Case != 0 {
			t.Errorf("what was refused claimed a file: %+v, %v", f, err)
		}
		two = o.do(t, two, casework.AddNote, centre, casework.Input{Text: "x", Evidence: append(fresh, fresh[0])})
		two = o.do(t, two, casework.AddNote, centre, casework.Input{Text: "x", Evidence: fresh}) // its own again
		if f, err := s.Evidence().File(t.Context(), fresh[0]); err != nil || f.Case != two.ID {
			t.Errorf("%+v, %v", f, err)
		}
		if err := s.Evidence().DropFile(t.Context(), fresh[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Evidence().File(t.Context(), fresh[0]); err != nil {
			t.Errorf("a case's file was dropped: %v", err)
		}
	})
}

// TestOneOfManyClaims has many cases name one file at once.
func TestOneOfManyClaims(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		o := deskOf(t, open(t, url))
		photo := o.photo()
		var won atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				a := casework.Arrival{By: patrolman, Item: unlawfulBuilding, Position: &casework.Position{At: inStreet1}, Evidence: photo,
					Intake: casework.Intake{Channel: casework.ByPatrol, Captured: o.clock(), Text: "x"}}
				switch _, err := o.Open(t.Context(), a); {
				case err == nil:
					won.Add(1)
				case fault.FieldOf(err) != "evidence":
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d cases claimed it", won.Load())
		}
	})
}
