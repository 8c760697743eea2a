package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/auth"
	"lianqin/internal/grid"
	"lianqin/internal/store/storetest"
)

// TestGenerationsAreAudited takes a generation from a file to force and back,
// for a caller and for the command line, and reads the chain.
func TestGenerationsAreAudited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		a := atlas(t, s)
		g := auth.NewGate(s.Accounts(), nil)
		first := enter(t, a, 0)
		publish(t, a, first, day(2026, 1, 1))

		wang := auth.Caller{Name: "wang", Role: auth.Approver, Jurisdiction: auth.WholeDistrict, Address: "192.0.2.7"}
		second := enter(t, a, 1)
		if _, err := a.Check(t.Context(), second, first, "王"); err != nil {
			t.Fatal(err)
		}
		ctx := auth.WithCaller(t.Context(), wang)
		if _, err := a.Publish(ctx, grid.Publication{Number: second, From: day(2027, 1, 1), By: "wang"}); err != nil {
			t.Fatal(err)
		}
		back, err := a.Publish(ctx, grid.Publication{Number: first, From: day(2028, 1, 1), By: "wang"})
		if err != nil {
			t.Fatal(err)
		}
		refused := errors.New("refused")
		if _, err := s.Generations().Update(ctx, func(*grid.Ledger) (*grid.Change, error) { return nil, refused }); !errors.Is(err, refused) {
			t.Fatal(err)
		}

		type row struct{ Who, Address, Action, Subject string }
		var got []row
		var last auth.Entry
		if _, err := g.Audit(t.Context(), auth.AuditQuery{}, func(e auth.Entry) error {
			got, last = append(got, row{e.Who, e.Address, e.Action, e.Subject}), e
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		want := []row{
			{"李", "local", "generation.import", "1"}, {"王", "local", "generation.check", "1"}, {"张", "local", "generation.publish", "1"},
			{"李", "local", "generation.import", "2"}, {"王", "local", "generation.check", "2"},
			{"wang", "192.0.2.7", "generation.publish", "2"}, {"wang", "192.0.2.7", "generation.publish", "3"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if last.Role != auth.Approver || !last.At.Equal(back.Record.Imported) || !strings.Contains(string(last.Before), `"generation":2`) ||
			!strings.Contains(string(last.After), `"again":1`) {
			t.Errorf("the rollback is recorded as %+v: before %s, after %s", last, last.Before, last.After)
		}
		if _, err := g.VerifyAudit(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
