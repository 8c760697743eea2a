// Package storetest gives tests databases of their own: SQLite in a temporary
// folder, and PostgreSQL in a cluster that the test run starts and stops. Only
// tests import it.
package storetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Each runs f as a subtest on a fresh database of each kind. The databases have
// no schema yet. Without PostgreSQL that half is skipped, or fails when the
// environment says CI=true.
func Each(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite is the URL of a new database.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "lianqin.db")
}

// Postgres is the URL of a new, empty database of a superuser. It is dropped
// when the test ends.
func Postgres(t testing.TB) string {
	t.Helper()
	c, err := running()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL: %v", err)
		}
		t.Skipf("PostgreSQL: %v", err)
	}
	return c.create(t)
}

// Run runs the tests of a package and stops the cluster after them. Call it
// from TestMain: os.Exit(storetest.Run(m)).
func Run(m *testing.M) int {
	defer stop()
	return m.Run()
}
