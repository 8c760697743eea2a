package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// TestHoursOfFixesFromBefore: a database with fixes and no marks, from before
// there were any, has every hour of its days reckoned.
func TestHoursOfFixesFromBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 1)
		v := &saver{s: s}
		v.save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, midnight.UnixMilli()+3_600_000)}})
		due, err := s.Tracks().DueHours(t.Context())
		if err != nil || len(due) != 2 || due[1].Hour != midnight.Unix()/3600+1 {
			t.Fatalf("due %v, %v", due, err)
		}
		if _, err := s.writer.Exec(`DELETE FROM patrol_hour_mark`); err != nil {
			t.Fatal(err)
		}
		due, err = s.Tracks().DueHours(t.Context())
		if err != nil || len(due) != 24 || due[0].Hour != midnight.Unix()/3600 {
			t.Errorf("due %v, %v", due, err)
		}
	})
}

func TestPackedGrids(t *testing.T) {
	for _, want := range [][]patrol.GridTime{nil, {{Grid: 1, Seconds: 1}}, {{Grid: 3, Seconds: 1<<32 - 1}, {Grid: 4, Seconds: 3600}, {Grid: grid.MaxID, Seconds: 7}}} {
		got, err := unpackGrids(packGrids(want))
		if err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v: %v, %v", want, got, err)
		}
	}
	for _, bad := range [][]byte{{1}, {0x80}, {1, 0x80}, {0xff, 0xff, 0xff, 0xff, 0x7f, 1}, {1, 0xff, 0xff, 0xff, 0xff, 0x7f}} {
		if got, err := unpackGrids(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("% x: %v, %v", bad, got, err)
		}
	}
}
