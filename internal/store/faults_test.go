package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/store/storetest"
)

// The test binary runs itself again with childWork set, to be killed.
const (
	childWork = "LIANQIN_STORE_CHILD"
	childURL  = "LIANQIN_STORE_CHILD_URL"
	childDir  = "LIANQIN_STORE_CHILD_DIR"
)

// kills is how often each work is killed: LIANQIN_KILLS, or a few.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("LIANQIN_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		return 2
	}
	return 8
}

func TestMain(m *testing.M) {
	if work := os.Getenv(childWork); work != "" {
		err := child(context.Background(), work, os.Getenv(childURL), os.Getenv(childDir))
		fmt.Println("ended:", err)
		os.Exit(1)
	}
	os.Exit(storetest.Run(m))
}

// child does one kind of work over and over, and says when each is done.
func child(ctx context.Context, work, url, dir string) error {
	if work == "migrate" {
		return migrateOverAndOver(ctx, url, dir)
	}
	s, err := Open(ctx, url, Options{})
	if err != nil {
		return err
	}
	if work == "report" {
		return reportOverAndOver(ctx, s)
	}
	a, err := grid.Open(ctx, s.Generations(), nil)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		switch work {
		case "import":
			streets, areas := storetest.District(4, 3, 6, rand.IntN(1<<20))
			_, err = a.Import(ctx, grid.Import{Streets: streets, Areas: areas, Author: "李"})
		case "publish": // generations 1 and 2 in turns
			last := a.Ledger().Schedule()
			from := last[len(last)-1].From.Add(24 * time.Hour)
			_, err = a.Publish(ctx, grid.Publication{Number: 1 + i%2, From: from, By: "张"})
		case "backup":
			_, err = s.BackupFile(ctx, fmt.Sprintf("%s/%d-%d", dir, os.Getpid(), i))
		}
		if err != nil {
			return err
		}
		fmt.Println("done")
	}
}

// migrateOverAndOver migrates one new database after another: files in dir, or
// schemas of the database at url.
func migrateOverAndOver(ctx context.Context, url, dir string) error {
	fresh := func(i int) (string, error) {
		return fmt.Sprintf("sqlite:%s/%d-%d.db", dir, os.Getpid(), i), nil
	}
	if strings.HasPrefix(url, "postgres") {
		s, err := Open(ctx, url, Options{Leave: true})
		if err != nil {
			return err
		}
		fresh = func(i int) (string, error) {
			name := fmt.Sprintf("killed_%d_%d", os.Getpid(), i)
			_, err := s.writer.ExecContext(ctx, `CREATE SCHEMA `+name)
			return inSchema(url, name), err
		}
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		place, err := fresh(i)
		if err != nil {
			return err
		}
		s, err := Open(ctx, place, Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		s.Close()
		fmt.Println("done")
	}
}

// inSchema is url with another schema before the one that has PostGIS.
func inSchema(url, name string) string { return url + "&search_path=" + name + ",public" }

// kill starts a child, lets it work for a random while, kills it, and returns
// how much it had said was done.
func kill(t *testing.T, work, url, dir string, within time.Duration) (done int) {
	t.Helper()
	killed(t, work, url, dir, within, func(line string) {
		if done++; line != "done" {
			t.Errorf("the child says %q", line)
		}
	})
	return done
}

// killed hands on each line that the child says once it is ready.
func killed(t *testing.T, work, url, dir string, within time.Duration, says func(string)) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childWork+"="+work, childURL+"="+url, childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if line := lines.Text(); line == "ready" {
			time.AfterFunc(rand.N(within), func() { _ = cmd.Process.Kill() })
		} else {
			says(line)
		}
	}
	_ = cmd.Wait() // it was killed
}

func TestKilledAtAnyMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		rounds := kills()
		s := open(t, url)
		a := atlas(t, s)
		publish(t, a, enter(t, a, 1), day(2026, 1, 1))
		publish(t, a, enter(t, a, 2), day(2026, 1, 2))
		for _, work := range []string{"import", "publish", "backup", "migrate"} {
			t.Run(work, func(t *testing.T) {
				dir, all := t.TempDir(), 0
				within := 120 * time.Millisecond
				if work == "backup" { // takes longer the more there is
					start := time.Now()
					if _, err := s.Backup(t.Context(), io.Discard); err != nil {
						t.Fatal(err)
					}
					within = max(within, 4*time.Since(start))
				}
				for range rounds {
					before := entered(t, s)
					done := kill(t, work, url, dir, within)
					all += done
					switch n := entered(t, s) - before; work {
					case "import", "publish":
						if n != done && n != done+1 {
							t.Fatalf("%d were acknowledged and %d are there", done, n)
						}
					}
					holds(t, s)
				}
				switch work {
				case "backup":
					verified(t, dir)
				case "migrate":
					migrated(t, url, dir)
				}
				t.Logf("killed %d times, after %d that were done", rounds, all)
			})
		}
	})
}

func entered(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.readers.QueryRow(`SELECT count(*) FROM generation`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// holds asserts that the database is no half of anything.
func holds(t *testing.T, s *Store) {
	t.Helper()
	for name, query := range map[string]string{
		"content without all its grids":   `SELECT count(*) FROM content c WHERE grids <> (SELECT count(*) FROM boundary b WHERE b.content = c.hash)`,
		"content without all its streets": `SELECT count(*) FROM content c WHERE 3 <> (SELECT count(*) FROM street s WHERE s.content = c.hash)`,
		"content of no generation":        `SELECT count(*) FROM content c WHERE NOT EXISTS (SELECT 1 FROM generation g WHERE g.content = c.hash)`,
		"rollbacks without a check":       `SELECT count(*) FROM generation g WHERE again IS NOT NULL AND 1 <> (SELECT count(*) FROM generation_check c WHERE c.generation = g.number)`,
		"rollbacks without a term":        `SELECT count(*) FROM generation g WHERE again IS NOT NULL AND NOT EXISTS (SELECT 1 FROM term t WHERE t.generation = g.number)`,
		"rollbacks without lineage":       `SELECT count(*) FROM generation g WHERE again IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lineage l WHERE l.child = g.number)`,
		"schedules without one last term": `SELECT count(*) - 1 FROM term WHERE replaced IS NULL AND effective_to IS NULL`,
		"terms replaced by none":          `SELECT count(*) FROM term t WHERE replaced IS NOT NULL AND NOT EXISTS (SELECT 1 FROM term n WHERE n.recorded = t.replaced)`,
		"generations that no one imported": `SELECT count(*) FROM generation g WHERE again IS NULL AND NOT EXISTS
			(SELECT 1 FROM audit a WHERE a.action = 'generation.import' AND a.subject = CAST(g.number AS text))`,
		"terms that no one published": `SELECT count(*) FROM term t WHERE NOT EXISTS
			(SELECT 1 FROM audit a WHERE a.action = 'generation.publish' AND a.at = t.recorded)`,
		"revisions that the ledger forgets": `SELECT count(*) FROM term WHERE revision > (SELECT revision FROM ledger)`,
	} {
		var n int
		if err := s.readers.QueryRow(query).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d %s (%v)", n, name, err)
		}
	}
	if _, err := auth.NewGate(s.Accounts(), time.Now).VerifyAudit(t.Context()); err != nil {
		t.Errorf("audit chain: %v", err)
	}
	if s.d.name == sqliteDialect.name {
		intact(t, s)
	}
}

func intact(t *testing.T, s *Store) {
	t.Helper()
	var verdict string
	if err := s.readers.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %s, %v", verdict, err)
	}
	var broken int
	if err := s.readers.QueryRow(`SELECT count(*) FROM pragma_foreign_key_check`).Scan(&broken); err != nil || broken > 0 {
		t.Errorf("foreign_key_check: %d, %v", broken, err)
	}
}

// verified asserts that each backup that has its name is whole.
func verified(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, ".partial") {
			continue
		}
		if _, err := Verify(path); err != nil {
			t.Error(err)
		}
	}
}

// migrated asserts that each database that children left has no schema or all
// of it, and that another start completes it.
func migrated(t *testing.T, url, dir string) {
	t.Helper()
	var places []string
	if strings.HasPrefix(url, "postgres") {
		s := leave(t, url)
		err := eachRow(t.Context(), s.readers, func(rows *sql.Rows) error {
			var name string
			err := rows.Scan(&name)
			places = append(places, inSchema(url, name))
			return err
		}, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'killed%'`)
		if err != nil {
			t.Fatal(err)
		}
	} else {
		files, err := filepath.Glob(dir + "/*.db")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			places = append(places, "sqlite:"+path)
		}
	}
	for _, place := range places {
		before := leave(t, place)
		n, err := before.schema(t.Context())
		tables, tablesErr := before.tables(t.Context(), before.readers)
		if err = errors.Join(err, tablesErr); err != nil || (n == 0) != (len(tables) == 0) {
			t.Errorf("schema %d with %d tables, %v", n, len(tables), err)
		}
		before.Close()
		after := open(t, place)
		if after.d.name == sqliteDialect.name {
			intact(t, after)
		}
		if n, err := after.schema(t.Context()); err != nil || n == 0 {
			t.Errorf("schema %d after another start, %v", n, err)
		}
		after.Close()
	}
}

// TestFullDisk fills the disk under a database: writing is Unavailable and says
// why, reading goes on, and writing too once there is room.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "3m")
	s := open(t, "sqlite:"+dir+"/lianqin.db")
	a := atlas(t, s)
	publish(t, a, enter(t, a, 1), day(2026, 1, 1))
	fill, err := os.Create(dir + "/fill")
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = fill.Write(make([]byte, 4096))
	}
	fill.Close()
	streets, areas := storetest.District(4, 3, 300, 2)
	_, err = a.Import(t.Context(), grid.Import{Streets: streets, Areas: areas})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("importing on a full disk: %v", err)
	}
	t.Log(err)
	if _, err := atlas(t, s).Generation(t.Context(), 1); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	if _, err := s.BackupFile(t.Context(), dir+"/backup"); err == nil {
		t.Error("a backup onto a full disk")
	}
	if _, err := os.Stat(dir + "/backup"); err == nil {
		t.Error("half a backup has its name")
	}
	if err := os.Remove(dir + "/fill"); err != nil {
		t.Fatal(err)
	}
	enter(t, a, 2)
	intact(t, s)
}

// TestNoRoomToGrow needs no privilege: the process itself may write no longer
// files.
func TestNoRoomToGrow(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	a := atlas(t, s)
	publish(t, a, enter(t, a, 1), day(2026, 1, 1))
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 400 << 10, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	var err error
	for seed := 0; err == nil && seed < 100; seed++ {
		streets, areas := storetest.District(4, 3, 300, seed)
		_, err = a.Import(t.Context(), grid.Import{Streets: streets, Areas: areas})
	}
	_, readErr := atlas(t, s).Generation(t.Context(), 1)
	if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); e != nil {
		t.Fatal(e)
	}
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("importing beyond the limit: %v", err)
	}
	if readErr != nil {
		t.Errorf("reading beyond the limit: %v", readErr)
	}
	enter(t, a, 2)
	intact(t, s)
}
