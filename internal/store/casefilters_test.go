package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/store/storetest"
)

func TestFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		k, ctx := s.Cases(), t.Context()
		at := time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)
		for _, login := range []string{"li", "wang"} {
			if err := s.Accounts().Change(ctx, func(tx auth.Tx) error {
				return tx.PutAccount(auth.Account{Login: login, Name: login, Role: auth.Inspector, Jurisdiction: auth.WholeDistrict, Created: at, Changed: at})
			}); err != nil {
				t.Fatal(err)
			}
		}
		save := func(login, name, query string) error {
			return k.SaveFilter(ctx, login, casework.SavedFilter{Name: name, Query: query, Saved: at}, 2)
		}
		for _, f := range []struct{ login, name, query string }{{"li", "超时", "due=overdue"}, {"li", "占道", "item=0701"}, {"wang", "占道", "item=0702"}, {"li", "占道", "item=0703"}} {
			if err := save(f.login, f.name, f.query); err != nil {
				t.Fatal(err)
			}
		}
		want := []casework.SavedFilter{{Name: "占道", Query: "item=0703", Saved: at}, {Name: "超时", Query: "due=overdue", Saved: at}}
		if got, err := k.Filters(ctx, "li"); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v: %s", err, cmp.Diff(want, got))
		}
		if err := save("li", "第三", "x"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("one too many: %v", err)
		}
		if err := k.DropFilter(ctx, "li", "第三"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("none: %v", err)
		}
		if err := k.DropFilter(ctx, "li", "占道"); err != nil {
			t.Error(err)
		}
		if got, err := k.Filters(ctx, "wang"); err != nil || len(got) != 1 {
			t.Errorf("another's: %v, %v", got, err)
		}
		if err := save("nobody", "x", ""); err == nil {
			t.Error("nobody's")
		}
	})
}
