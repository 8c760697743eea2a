package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

func leave(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url, Options{Leave: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// hashes are what a round trip must keep: each generation's content, as it is
// made again from the rows.
func hashes(t *testing.T, s *Store) map[int]string {
	t.Helper()
	a := atlas(t, s)
	out := make(map[int]string)
	for _, r := range a.Ledger().Records {
		g, err := a.Generation(t.Context(), r.Number)
		if err != nil {
			t.Fatal(err)
		}
		out[r.Number] = g.Hash()
	}
	return out
}

func TestBackupRoundTrip(t *testing.T) {
	for _, from := range []string{"sqlite", "postgres"} {
		for _, to := range []string{"sqlite", "postgres"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				url := map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
				s := open(t, url[from](t))
				a := atlas(t, s)
				publish(t, a, enter(t, a, 0), day(2026, 1, 1))
				publish(t, a, enter(t, a, 1), day(2026, 2, 1))
				enter(t, a, 2)
				reported := patrolled(t, s)
				path := filepath.Join(t.TempDir(), "backup")
				made, err := s.BackupFile(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				into := leave(t, url[to](t))
				if _, err := into.Restore(t.Context(), path); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(hashes(t, s), hashes(t, into)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(a.Ledger(), atlas(t, into).Ledger()); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(reported, reportOf(t, into)); diff != "" {
					t.Errorf("patrols: %.2000s", diff)
				}
				again, err := into.Backup(t.Context(), io.Discard)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(made.Tables, again.Tables, cmp.AllowUnexported(tableSummary{}, table{})); diff != "" {
					t.Errorf("a backup of the restored database differs: %s", diff)
				}
				compacted(t, into, midnight.Add(400*24*time.Hour))
				if third, err := into.Backup(t.Context(), io.Discard); err != nil || cmp.Diff(made.Tables, third.Tables, cmp.AllowUnexported(tableSummary{}, table{})) != "" {
					t.Errorf("a backup after all is put in order differs: %v: %s", err, cmp.Diff(made.Tables, third.Tables, cmp.AllowUnexported(tableSummary{}, table{})))
				}
				_, err = into.Restore(t.Context(), path)
				if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "in use") {
					t.Errorf("restoring over a database in use: %v", err)
				}
				if _, err := s.BackupFile(t.Context(), path); fault.KindOf(err) != fault.Conflict {
					t.Errorf("a backup over another: %v", err)
				}
			})
		}
	}
}

// report is what a backup must keep of patrols.
type report struct {
	Roll       *patrol.Roll
	Fixes      []patrol.Fix
	Refusals   []patrol.Refusal
	Counts     map[string]int64
	Events     []patrol.Event
	Checkpoint string
	At, Done   uint64
	Log        []string
}

// patrolled fills the tables of patrols: tracks of three days, some of them in
// order and some just come in, and a log that was applied in part.
func patrolled(t *testing.T, s *Store) report {
	t.Helper()
	deviceToken(t, s, "d1")
	c := &patrol.RollChange{Devices: []patrol.Device{{ID: "d1", Unit: 1}}}
	for i := range 30 {
		c.Units = append(c.Units, patrol.Unit{Code: fmt.Sprint("P", i+1), Name: "王", Kind: patrol.GridPatrol, Street: "310114001", Grids: []grid.ID{1, 2}})
	}
	change(t, s, c)
	dice := rand.New(rand.NewPCG(5, 5))
	v := &saver{s: s}
	known := make(map[fixKey]bool)
	for round := range 12 {
		var e patrol.Effects
		for range 400 {
			f := fixAt(patrol.UnitID(1+dice.IntN(30)), midnight.UnixMilli()+dice.Int64N(3*dayMS)-dayMS)
			if !known[keyOf(&f)] {
				known[keyOf(&f)] = true
				e.Kept = append(e.Kept, f)
			}
		}
		bad := fixAt(2, midnight.UnixMilli()+int64(round))
		e.Refused = []patrol.Refusal{{Unit: 2, Device: "d1", Received: bad.Received, At: bad.At, Reason: patrol.Implausible, Fix: &bad}, {Received: bad.At, Reason: patrol.Malformed, Raw: "\x00\xff"}}
		e.Events = []patrol.Event{{Unit: 3, Kind: patrol.Crossed, At: midnight.Add(time.Duration(round) * time.Second), Recorded: midnight, To: 1, Evidence: []patrol.Evidence{{At: 5, AccuracyM: 0.1}}}}
		v.save(t, e)
		if round == 8 {
			compacted(t, s, midnight)
		}
	}
	if err := s.Tracks().Correct(t.Context(), &patrol.Correction{Unit: 3, Retracted: []int64{1}, Entered: []patrol.Event{{Unit: 3, Kind: patrol.Crossed, At: midnight.Add(time.Minute), Recorded: midnight, Corrects: 1}}}); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if _, err := s.Log().Append(t.Context(), fmt.Append(nil, "entry ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Tracks().SaveCheckpoint(t.Context(), 30, []byte("state")), s.Log().Trim(t.Context(), 50)); err != nil {
		t.Fatal(err)
	}
	return reportOf(t, s)
}

func reportOf(t *testing.T, s *Store) report {
	t.Helper()
	roll, err := s.Register().Roll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := report{Roll: roll, Fixes: fixesOf(t, s, 0, wholeTime[0], wholeTime[1]), Refusals: refusals(t, s, patrol.RefusalQuery{}),
		Counts: counts(t, s, wholeTime[0], time.Time{}), Events: events(t, s, patrol.EventQuery{Retracted: true})}
	state, at, applied, err := s.Tracks().Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Checkpoint, r.At, r.Done = string(state), at, applied
	err = s.Log().Tail(t.Context(), 50, func(seq uint64, data [][]byte) error {
		for _, d := range data {
			r.Log = append(r.Log, fmt.Sprintf("%d %s", seq, d))
		}
		if seq == 96 { // 36 were applied before
			return patrol.ErrEnough
		}
		return nil
	})
	if !errors.Is(err, patrol.ErrEnough) {
		t.Fatal(err)
	}
	return r
}

func TestTracksOfABackupAreChecked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 1)
		at := midnight.UnixMilli()
		good := bundle{1, at, patrol.AppendTrack(nil, []patrol.Fix{fixAt(1, at), fixAt(1, at+1)})}
		for _, tt := range []struct {
			name string
			b    bundle
		}{
			{"no unit", bundle{0, at, good.track}},
			{"no such unit number", bundle{1 << 31, at, good.track}},
			{"a beginning in between", bundle{1, at + 1, good.track}},
			{"fixes of another time", bundle{1, at + spanMS, good.track}},
			{"no fixes", bundle{1, at, patrol.AppendTrack(nil, nil)}},
			{"nothing", bundle{1, at, nil}},
			{"a fix twice", bundle{1, at, patrol.AppendTrack(nil, []patrol.Fix{fixAt(1, at), fixAt(1, at)})}},
			{"backwards", bundle{1, at, patrol.AppendTrack(nil, []patrol.Fix{fixAt(1, at+1), fixAt(1, at)})}},
			{"cut short", bundle{1, at, good.track[:len(good.track)-1]}},
		} {
			line, err := appendRow(nil, tracksTable.Columns, []any{int64(tt.b.unit), tt.b.start, tt.b.track})
			if err != nil {
				t.Fatal(err)
			}
			err = s.update(t.Context(), func(tx *transaction) error { _, err := s.fillTracks(t.Context(), tx, line); return err })
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: got %v", tt.name, err)
			}
		}
	})
}

// TestBackupIsOneState makes backups while generations come in: each must be a
// ledger that once was.
func TestBackupIsOneState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		a := atlas(t, s)
		var wg sync.WaitGroup
		wg.Go(func() {
			for seed := range 6 {
				enter(t, a, seed)
			}
		})
		defer wg.Wait()
		for range 6 {
			m, err := s.Backup(t.Context(), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			rows := make(map[string]int64)
			for _, table := range m.Tables {
				rows[table.Name] = table.Rows
			}
			n := rows["generation"]
			if rows["boundary"] != 12*n || rows["street"] != 3*n || rows["content"] != n {
				t.Errorf("half a generation: %v", rows)
			}
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	a := atlas(t, s)
	publish(t, a, enter(t, a, 0), day(2026, 1, 1))
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := s.BackupFile(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	gz, err := gzip.NewReader(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	packed := func(plain []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(plain)
		w.Close()
		return b.Bytes()
	}
	changed := bytes.Replace(plain, []byte("网格U01"), []byte("网格U91"), 1)
	newer := regexp.MustCompile(`"schema": \d+`).ReplaceAllFunc(plain, func(b []byte) []byte { // as long as it is
		return regexp.MustCompile(`\d`).ReplaceAll(b, []byte("9"))
	})
	if bytes.Equal(changed, plain) || bytes.Equal(newer, plain) {
		t.Fatal("the backup does not hold what is to be changed")
	}
	for _, tt := range []struct {
		name string
		data []byte
		want fault.Kind
	}{
		{"nothing", nil, fault.Invalid},
		{"something else", []byte("PK\x03\x04 no backup"), fault.Invalid},
		{"cut in the middle", whole[:len(whole)/2], fault.Invalid},
		{"cut at the end", whole[:len(whole)-4], fault.Invalid},
		{"a tar without a manifest", packed(plain[:1024]), fault.Invalid},
		{"a changed row", packed(changed), fault.Invalid},
		{"a newer schema", packed(newer), fault.Conflict},
	} {
		path := filepath.Join(dir, "bad")
		if err := os.WriteFile(path, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		into := leave(t, storetest.SQLite(t))
		if _, err := into.Restore(t.Context(), path); fault.KindOf(err) != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
		if schema, err := into.schema(t.Context()); err != nil || schema != 0 {
			t.Errorf("%s: the database was touched: schema %d, %v", tt.name, schema, err)
		}
	}
	if _, err := Verify(filepath.Join(dir, "none")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzReadArchive(f *testing.F) {
	var b bytes.Buffer
	w, err := newArchiveWriter(&b, 1, day(2026, 1, 1))
	if err != nil {
		f.Fatal(err)
	}
	columns := []column{{"a", intColumn}, {"b", textColumn}, {"c", blobColumn}, {"d", floatColumn}}
	w.begin(table{Name: "t", Columns: columns})
	if err := w.row([]any{int64(1), "乙", []byte{0, 255}, 0.1}); err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(w.end(), w.close()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := readArchive(bytes.NewReader(data), func(_ string, rows []byte) error {
			for line := range bytes.Lines(rows) {
				if _, err := readRow(line, columns); err != nil {
					return fault.New(fault.Invalid, "%w", err)
				}
			}
			return nil
		})
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v is not Invalid", err)
		}
	})
}

func FuzzRow(f *testing.F) {
	columns := []column{{"a", intColumn}, {"b", textColumn}, {"c", blobColumn}, {"d", floatColumn}, {"e", textColumn}}
	f.Add(int64(-5), "文字\n\"", []byte{1, 0}, 1e-300)
	f.Fuzz(func(t *testing.T, a int64, b string, c []byte, d float64) {
		if c == nil {
			c = []byte{}
		}
		want := []any{a, b, c, d, nil}
		line, err := appendRow(nil, columns, want)
		if err != nil {
			return // not UTF-8, or not a number
		}
		got, err := readRow(line, columns)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBothDatabasesHaveTheSameTables(t *testing.T) {
	var all [2][]table
	for i, url := range []string{storetest.SQLite(t), storetest.Postgres(t)} {
		s := open(t, url)
		var err error
		if all[i], err = s.tables(t.Context(), s.readers); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(all[0], all[1], cmp.AllowUnexported(table{})); diff != "" {
		t.Error(diff)
	}

}
