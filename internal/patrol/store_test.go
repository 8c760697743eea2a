package patrol_test

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"lianqin/internal/patrol"
	"lianqin/internal/store"
	"lianqin/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// each runs f on databases of both kinds, of which it makes as many as f wants.
func each(t *testing.T, f func(t *testing.T, fresh func() string)) {
	t.Helper()
	for name, kind := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) { f(t, func() string { return kind(t) }) })
	}
}

// database is url's, new, with units U1 to Un.
func database(t testing.TB, url string, units int) *store.Store {
	t.Helper()
	s := reopen(t, url)
	_, err := s.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) {
		c := &patrol.RollChange{}
		for i := range units {
			c.Units = append(c.Units, patrol.Unit{Code: fmt.Sprintf("U%d", i+1), Name: "张三", Kind: patrol.GridPatrol, Street: "S0", Duty: patrol.ByRoster})
		}
		return c, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reopen is url's as another process has it.
func reopen(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
