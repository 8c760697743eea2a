package store

import (
	"context"
	"log/slog"

	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/store/storetest"
)

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url, Options{Log: slog.New(slog.DiscardHandler)})
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

func atlas(t testing.TB, s *Store) *grid.Atlas {
	t.Helper()
	a, err := grid.Open(context.Background(), s.Generations(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// enter imports a small district and returns its number.
func enter(t testing.TB, a *grid.Atlas, seed int) int {
	t.Helper()
	streets, areas := storetest.District(4, 3, 6, seed)
	r, err := a.Import(t.Context(), grid.Import{Streets: streets, Areas: areas, Name: "网格", Author: "李"})
	if err != nil {
		t.Fatal(err)
	}
	return r.Number
}

// publish checks and publishes generation number from a day on.
func publish(t testing.TB, a *grid.Atlas, number int, from time.Time) grid.Published {
	t.Helper()
	base := 0
	if g, ok := a.At(from); ok {
		base = g.Number()
	}
	c, err := a.Check(t.Context(), number, base, "王")
	if err != nil || !c.Sound {
		t.Fatalf("check of %d: %+v, %v", number, c, err)
	}
	p, err := a.Publish(t.Context(), grid.Publication{Number: number, From: from, By: "张"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func day(year, month, d int) time.Time {
	return time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC)
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		want      fault.Kind
	}{
		{"another scheme", "mysql://x", fault.Invalid},
		{"no scheme", "lianqin.db", fault.Invalid},
		{"a database in memory, which every connection would have alone", "sqlite::memory:", fault.Invalid},
		{"no path", "sqlite:", fault.Invalid},
		{"a missing file", "sqlite:" + t.TempDir() + "/none.db", fault.NotFound},
		{"nobody listens", "postgres://127.0.0.1:1/x?connect_timeout=2", fault.Unavailable},
		{"an unreadable address", "postgres://u:secret@[::1/x", fault.Invalid},
	} {
		_, err := Open(t.Context(), tt.url, Options{MustExist: true})
		if got := fault.KindOf(err); got != tt.want {
			t.Errorf("%s: got %v (%v), want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestPlaceholdersAndSettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		var a, b, again string
		err := s.readers.QueryRow(`SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)`, "one", "two").Scan(&b, &a, &again)
		if err != nil || a != "one" || b != "two" || again != "two" {
			t.Errorf("$2, $1, $2 = %s, %s, %s, %v", b, a, again, err)
		}
		if s.d.name != sqliteDialect.name {
			return
		}
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
			for name, db := range map[string]interface {
				queryer
			}{"writer": s.writer, "readers": s.readers} {
				var got string
				if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s of %s = %s, want %s (%v)", pragma, name, got, want, err)
				}
			}
		}
	})
}
