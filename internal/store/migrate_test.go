package store

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

func TestManyStartAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				s, err := Open(context.Background(), url, Options{Log: slog.New(slog.DiscardHandler), Readers: 2})
				if errs[i] = err; err == nil {
					errs[i] = s.Close()
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestANewerSchemaIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		if _, err := s.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), url, Options{})
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "has schema 99, and this program knows schemas up to") {
			t.Errorf("got %v", err)
		}
	})
}

func TestMigrationStatus(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := leave(t, url)
		before, err := s.MigrationStatus(t.Context())
		if err != nil || len(before) == 0 || !before[0].Applied.IsZero() {
			t.Fatalf("%+v, %v", before, err)
		}
		if n, err := s.schema(t.Context()); err != nil || n != 0 {
			t.Errorf("asking made schema %d, %v", n, err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		after, err := s.MigrationStatus(t.Context())
		if err != nil || len(after) != len(before) || after[len(after)-1].Applied.IsZero() {
			t.Errorf("%+v, %v", after, err)
		}
	})
}

func TestWithoutPostGIS(t *testing.T) {
	bare := storetest.Bare(t)
	admin := leave(t, bare)
	if _, err := admin.writer.Exec(`DROP ROLE IF EXISTS plain`); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.writer.Exec(`CREATE ROLE plain LOGIN`); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.writer.Exec(`GRANT CREATE ON SCHEMA public TO plain`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.writer.Exec(`DROP OWNED BY plain`); err != nil {
			t.Error(err)
		}
		if _, err := admin.writer.Exec(`DROP ROLE plain`); err != nil {
			t.Error(err)
		}
	})
	_, err := Open(t.Context(), strings.Replace(bare, "user=postgres", "user=plain", 1), Options{Log: slog.New(slog.DiscardHandler)})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "CREATE EXTENSION postgis") {
		t.Errorf("without the privilege to install PostGIS: %v", err)
	}
	open(t, bare) // a superuser installs it
}

// onDuty enters fixes of four units just now: one always on duty, one whose
// shift is over, one on shift, and one that is retired.
func onDuty(t *testing.T, s *Store) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	c := &patrol.RollChange{}
	e := patrol.Effects{Events: []patrol.Event{{Unit: 1, Kind: patrol.Crossed, At: now, Recorded: now, To: 7, Generation: 1}}}
	for i := range 4 {
		c.Units = append(c.Units, patrol.Unit{Code: fmt.Sprintf("P%05d", i+1), Name: "王", Kind: patrol.GridPatrol, Street: "310114001", Duty: patrol.ByRoster})
		for k := range 3 { // the newest is the one
			e.Kept = append(e.Kept, patrol.Fix{Unit: patrol.UnitID(i + 1), At: now.UnixMilli() - int64(k), Received: now.UnixMilli(),
				Pos: geo.Coord{X: 1212500001 + int32(i+100*k), Y: 313800000}, AccuracyM: 5, SpeedMPS: -1, HeadingDeg: -1, BatteryPct: -1})
		}
	}
	c.Units[0].Duty, c.Units[3].Duty, c.Units[3].Retired = patrol.Always, patrol.Always, now.Add(-time.Hour)
	change(t, s, c)
	change(t, s, &patrol.RollChange{Shifts: []patrol.Shift{
		shift(2, patrol.PatrolPost, now.Add(-2*time.Hour), now.Add(-time.Hour)), shift(3, patrol.PatrolPost, now.Add(-time.Hour), now.Add(time.Hour))}})
	(&saver{s: s}).save(t, e)
}

// TestGISReadsTheTables follows docs/postgis.md: the role it makes reads the
// views and the generated columns with psql and GDAL, and changes nothing.
func TestGISReadsTheTables(t *testing.T) {
	address := storetest.Postgres(t)
	s := open(t, address)
	a := atlas(t, s)
	publish(t, a, enter(t, a, 1), day(2026, 1, 1))
	onDuty(t, s)
	doc, err := os.ReadFile("../../docs/postgis.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sql\n(.*?)```").FindSubmatch(doc)
	if block == nil {
		t.Fatal("docs/postgis.md has no SQL")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dir, name := u.Query().Get("host"), strings.TrimPrefix(u.Path, "/")
	psql := func(account, query string) (string, error) {
		cmd := exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", dir, "-U", account, "-d", name)
		cmd.Stdin = strings.NewReader(query)
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	role := strings.ReplaceAll(string(block[1]), "DATABASE lianqin ", "DATABASE "+name+" ")
	if out, err := psql("postgres", role); err != nil {
		t.Fatalf("the role of docs/postgis.md: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := psql("postgres", `DROP OWNED BY lianqin_reader; DROP ROLE lianqin_reader`); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	for _, tt := range []struct{ query, want string }{
		{`SELECT count(*) FROM current_grid WHERE ST_IsValid(geom) AND ST_SRID(geom) = 4326`, "12"},
		{`SELECT count(*), sum(grids) FROM current_street`, "3|12"},
		{`SELECT count(*) FROM grid_history WHERE effective_from = '2026-01-01 00:00+00' AND effective_to IS NULL`, "12"},
		{`SELECT code FROM current_grid WHERE ST_Contains(geom, ST_SetSRID(ST_MakePoint(121.115, 31.215), 4326))`, "310114002U02"},
		{`SELECT ST_AsText(seat) FROM street WHERE code = '310114001'`, "POINT(121.2 31.3)"},
		{`SELECT code, ST_AsText(geom), accuracy_m, speed_mps FROM last_position ORDER BY id`, "P00001|POINT(121.2500001 31.38)|5|\nP00003|POINT(121.2500003 31.38)|5|"},
		{`SELECT unit, kind, to_grid FROM grid_event`, "P00001|crossed|7"},
		{`SELECT bool_and(abs(ST_Area(geom::geography) / area_m2 - 1) < 1e-4) FROM boundary`, "t"},
	} {
		if got, err := psql("lianqin_reader", tt.query); err != nil || got != tt.want {
			t.Errorf("%s: got %s, want %s (%v)", tt.query, got, tt.want, err)
		}
	}
	for _, query := range []string{`DELETE FROM term`, `INSERT INTO ledger VALUES ('x', 1)`, `CREATE TABLE x (y int)`, `TRUNCATE boundary`, `SELECT * FROM fix`, `SELECT name FROM unit`, `SELECT * FROM quarantine`, `SELECT data FROM fix_log`} {
		if out, err := psql("lianqin_reader", query); err == nil {
			t.Errorf("the reader may %s: %s", query, out)
		}
	}
	if _, err := exec.LookPath("ogrinfo"); err != nil {
		t.Log("ogrinfo is not installed")
		return
	}
	for layer, want := range map[string]string{"current_grid": "Feature Count: 12", "boundary(geom)": "Feature Count: 12", "current_street": "Feature Count: 3", "street": "Geometry: Point",
		"last_position": "Feature Count: 2"} {
		out, err := exec.Command("ogrinfo", "-so", fmt.Sprintf("PG:dbname=%s host=%s user=lianqin_reader", name, dir), layer).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("ogrinfo %s: %v: no %q in\n%s", layer, err, want, out)
		}
	}
}
