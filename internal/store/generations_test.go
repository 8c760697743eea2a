package store

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/store/storetest"
)

func TestGenerationSurvivesReopening(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		a := atlas(t, s)
		if _, ok := a.Current(); ok {
			t.Error("an empty atlas has a current generation")
		}
		n := enter(t, a, 0)
		draft, err := a.Generation(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Ledger().Status(n, time.Now()); got != grid.Draft {
			t.Errorf("imported: %s", got)
		}
		publish(t, a, n, day(2026, 1, 1))

		b := atlas(t, open(t, url))
		got, ok := b.Current()
		if !ok || got.Hash() != draft.Hash() || got.Number() != n {
			t.Fatalf("after reopening %v, want %v", got, draft)
		}
		if diff := cmp.Diff(draft.Grids(), got.Grids()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(draft.Streets(), got.Streets()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(a.Ledger(), b.Ledger()); diff != "" {
			t.Error(diff)
		}
		if _, ok := b.At(day(2026, 1, 1).Add(-time.Millisecond)); ok {
			t.Error("in force a millisecond too early")
		}
		if _, err := b.Generation(t.Context(), 99); fault.KindOf(err) != fault.NotFound {
			t.Errorf("generation 99: %v", err)
		}
	})
}

func TestScheduleKeepsWhatWasKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		a := atlas(t, open(t, url))
		first, second, third := enter(t, a, 0), enter(t, a, 1), enter(t, a, 2)
		publish(t, a, first, day(2026, 1, 1))
		publish(t, a, second, day(2027, 1, 1))
		known := time.Now()
		time.Sleep(3 * time.Millisecond)
		p := publish(t, a, third, day(2026, 3, 1)) // in retrospect
		if p.Before != first || p.After != second || !p.Term.To.Equal(day(2027, 1, 1)) {
			t.Errorf("published %+v", p)
		}
		for _, tt := range []struct {
			at        time.Time
			now, then int
		}{
			{day(2025, 12, 31), 0, 0},
			{day(2026, 1, 1), first, first},
			{day(2026, 3, 1).Add(-time.Millisecond), first, first},
			{day(2026, 3, 1), third, first},
			{day(2026, 12, 31), third, first},
			{day(2027, 1, 1), second, second},
			{day(2100, 1, 1), second, second},
		} {
			number := func(g *grid.Generation, ok bool) int {
				if !ok {
					return 0
				}
				return g.Number()
			}
			if got := number(a.At(tt.at)); got != tt.now {
				t.Errorf("at %s: got %d, want %d", tt.at, got, tt.now)
			}
			if got := number(a.AtAsKnown(tt.at, known)); got != tt.then {
				t.Errorf("at %s as known before: got %d, want %d", tt.at, got, tt.then)
			}
		}
		if turn, ok := a.Turns(day(2026, 6, 1)); !ok || !turn.Equal(day(2027, 1, 1)) {
			t.Errorf("turns at %v", turn)
		}
		for number, want := range map[int]grid.Status{first: grid.Superseded, second: grid.Scheduled, third: grid.InForce} {
			if got := a.Ledger().Status(number, day(2026, 6, 1)); got != want {
				t.Errorf("generation %d is %s, want %s", number, got, want)
			}
		}
		l, err := a.Lineage(t.Context(), third, second)
		if err != nil || len(l.Descents) < 12 {
			t.Errorf("lineage to what follows: %d rows, %v", len(l.Descents), err)
		}
	})
}

func TestRollbackIsAnotherGeneration(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		a := atlas(t, open(t, url))
		first, second := enter(t, a, 0), enter(t, a, 1)
		publish(t, a, first, day(2026, 1, 1))
		publish(t, a, second, day(2026, 2, 1))
		p, err := a.Publish(t.Context(), grid.Publication{Number: first, From: day(2026, 3, 1), By: "张"})
		if err != nil {
			t.Fatal(err)
		}
		if p.Record.Number != second+1 || p.Record.Again != first || p.Before != second {
			t.Errorf("rolled back: %+v", p)
		}
		was, _ := a.At(day(2026, 1, 1))
		is, _ := a.At(day(2026, 3, 1))
		if was.Hash() != is.Hash() || was.Number() == is.Number() {
			t.Errorf("%v then, %v now", was, is)
		}
		if _, err := a.Publish(t.Context(), grid.Publication{Number: p.Record.Number, From: day(2026, 4, 1), By: "张"}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("publishing what is in force: %v", err)
		}
	})
}

func TestPublishAsksForACheck(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		a := atlas(t, open(t, url))
		first, second, third := enter(t, a, 0), enter(t, a, 1), enter(t, a, 2)
		_, err := a.Publish(t.Context(), grid.Publication{Number: first, From: day(2026, 1, 1)})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("unchecked: %v", err)
		}
		publish(t, a, first, day(2026, 1, 1))
		for _, n := range []int{second, third} {
			if _, err := a.Check(t.Context(), n, first, "王"); err != nil {
				t.Fatal(err)
			}
		}
		if got := a.Ledger().Status(second, time.Now()); got != grid.Checked {
			t.Errorf("checked: %s", got)
		}
		seen := a.Ledger().Revision
		if _, err := a.Publish(t.Context(), grid.Publication{Number: second, From: day(2026, 2, 1), By: "张"}); err != nil {
			t.Fatal(err)
		}
		_, err = a.Publish(t.Context(), grid.Publication{Number: third, From: day(2026, 3, 1), By: "赵"})
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), fmt.Sprintf("generation %d is in force", second)) {
			t.Errorf("checked against what was replaced: %v", err)
		}
		_, err = a.Publish(t.Context(), grid.Publication{Number: third, From: day(2026, 1, 15), By: "赵", Revision: seen})
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "张") {
			t.Errorf("with an old revision: %v", err)
		}
	})
}

// TestTwoPublishAtOnce has two processes' atlases publish against the same
// schedule.
func TestTwoPublishAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		a := atlas(t, open(t, url))
		first := enter(t, a, 0)
		publish(t, a, first, day(2026, 1, 1))
		for round := range 4 {
			base, _ := a.At(day(2030, 1, 1))
			drafts := [2]int{enter(t, a, 10*round+1), enter(t, a, 10*round+2)}
			var atlases [2]*grid.Atlas
			for i, n := range drafts {
				if _, err := a.Check(t.Context(), n, base.Number(), "王"); err != nil {
					t.Fatal(err)
				}
				atlases[i] = atlas(t, open(t, url))
			}
			var wg sync.WaitGroup
			var errs [2]error
			for i := range drafts {
				wg.Go(func() {
					_, errs[i] = atlases[i].Publish(context.Background(), grid.Publication{Number: drafts[i], From: day(2026, 2, 1+round), By: fmt.Sprint("张", i)})
				})
			}
			wg.Wait()
			lost := errs[0]
			if lost == nil {
				lost = errs[1]
			}
			if (errs[0] == nil) == (errs[1] == nil) || fault.KindOf(lost) != fault.Conflict || !strings.Contains(lost.Error(), "张") {
				t.Fatalf("round %d: %v and %v, want one Conflict that tells who", round, errs[0], errs[1])
			}
			if err := a.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestDatabaseHoldsHistory goes behind the program's back.
func TestDatabaseHoldsHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		a := atlas(t, s)
		publish(t, a, enter(t, a, 0), day(2026, 1, 1))
		publish(t, a, enter(t, a, 1), day(2026, 6, 1))
		const term = `INSERT INTO term (id, generation, effective_from, effective_to, recorded, replaced, published_by, revision) VALUES `
		jan, jun := day(2026, 1, 1).UnixMilli(), day(2026, 6, 1).UnixMilli()
		for _, tt := range []struct {
			name, query string
			want        fault.Kind
		}{
			{"a term inside another", term + fmt.Sprintf(`(90, 1, %d, %d, 1, NULL, 'x', 9)`, jun+5, jun+6), fault.Conflict},
			{"a term over the end of another", term + fmt.Sprintf(`(91, 1, %d, %d, 1, NULL, 'x', 9)`, jan-5, jan+1), fault.Conflict},
			{"a term that ends where another begins", term + fmt.Sprintf(`(92, 1, %d, %d, 1, NULL, 'x', 9)`, jan-5, jan), fault.Internal},
			{"a term that was replaced before the others were known", term + fmt.Sprintf(`(93, 1, %d, %d, 1, 2, 'x', 9)`, jun, jun+9), fault.Internal},
			{"a term that ends before it begins", term + `(94, 1, 9, 8, 1, NULL, 'x', 9)`, fault.Invalid},
			{"a term of nothing", term + `(95, 77, -9, -8, 1, NULL, 'x', 9)`, fault.Invalid},
			{"another end of a term", `UPDATE term SET effective_to = 5`, fault.Conflict},
			{"a term that comes back", `UPDATE term SET replaced = NULL`, fault.Conflict},
			{"deleting terms", `DELETE FROM term`, fault.Conflict},
			{"deleting generations", `DELETE FROM generation`, fault.Conflict},
			{"changing a name", `UPDATE boundary SET name = 'x'`, fault.Conflict},
			{"deleting streets", `DELETE FROM street`, fault.Conflict},
			{"changing lineage", `UPDATE lineage SET kind = 'same'`, fault.Conflict},
			{"changing a check", `UPDATE generation_check SET sound = 1`, fault.Conflict},
			{"a second generation 1", `INSERT INTO generation SELECT * FROM generation WHERE number = 1`, fault.Conflict},
		} {
			err := s.update(t.Context(), func(tx *transaction) error {
				_, err := tx.ExecContext(t.Context(), tt.query)
				return err
			})
			if (err == nil) != (tt.want == fault.Internal) || err != nil && fault.KindOf(err) != tt.want {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
			}
		}
	})
}

func TestOthersSeeAPublicationWithinASecond(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		a, b := atlas(t, open(t, url)), atlas(t, open(t, url))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { b.Follow(ctx, func(err error) { t.Error(err) }) })
		defer wg.Wait()
		defer cancel()
		n := enter(t, a, 0)
		if _, err := a.Check(t.Context(), n, 0, "王"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Publish(t.Context(), grid.Publication{Number: n, From: day(2026, 1, 1), By: "张"}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for {
			changed := b.Changed()
			if g, ok := b.Current(); ok && g.Number() == n {
				break
			}
			select {
			case <-changed:
			case <-time.After(time.Second - time.Since(start)):
				t.Fatal("not seen within a second")
			}
		}
		t.Logf("seen after %v", time.Since(start))
	})
}

func TestSharesOfLineageSumToOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		a := atlas(t, open(t, url))
		first, second := enter(t, a, 0), enter(t, a, 5)
		publish(t, a, first, day(2026, 1, 1))
		publish(t, a, second, day(2026, 2, 1))
		l, err := a.Lineage(t.Context(), first, second)
		if err != nil {
			t.Fatal(err)
		}
		for name, rows := range map[string]map[grid.ID][]grid.Descent{"parent": l.Children(), "child": l.Parents()} {
			if len(rows) != 12 {
				t.Errorf("%d grids by %s, want 12", len(rows), name)
			}
			for id, descents := range rows {
				sum := 0.0
				for _, d := range descents {
					if name == "parent" {
						sum += d.ShareOfParent
					} else {
						sum += d.ShareOfChild
					}
				}
				if math.Abs(sum-1) > 1e-9 {
					t.Errorf("%s %d: shares sum to %.12f", name, id, sum)
				}
			}
		}
	})
}
