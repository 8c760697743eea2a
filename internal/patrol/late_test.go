package patrol_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// TestLateFixes has batches come one after the other, and tells what is
// corrected. Places are metres east of the border between grids 1 and 2.
func TestLateFixes(t *testing.T) {
	type at struct{ second, eastM float64 }
	steps := func(from, to, eastFrom, eastTo float64) (out []at) {
		for s := from; s <= to; s += 10 {
			out = append(out, at{s, eastFrom + (eastTo-eastFrom)*(s-from)/(to-from)})
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		batches [][]at
		sos     float64  // a fix of that second calls for help
		events  []string // those that hold, in seconds
		gone    []string // those that do not
		missing []float64
	}{
		{"nothing late", [][]at{steps(0, 100, -200, -150), steps(110, 200, -100, 100)}, -1,
			[]string{"0→1 at 0 by first fix", "1→2 at 160 by 2 fixes"}, nil, nil},
		{"what came late changes nothing", [][]at{steps(0, 100, -200, -150), steps(150, 300, -150, -100), steps(110, 140, -150, -150)}, -1,
			[]string{"0→1 at 0 by first fix"}, nil, nil},
		{"there and back while nothing was heard", [][]at{steps(0, 100, -200, -150), steps(300, 400, -150, -100), steps(110, 290, 100, 100)}, -1,
			[]string{"0→1 at 0 by first fix", "1→2 at 110 by late fixes: 2 fixes", "2→1 at 300 by late fixes: 2 fixes"}, nil, nil},
		{"over earlier than was thought", [][]at{steps(0, 100, -200, -150), steps(300, 400, 100, 200), steps(110, 290, 60, 90)}, -1,
			[]string{"0→1 at 0 by first fix", "1→2 at 110 by late fixes: 2 fixes"}, []string{"1→2 at 300 by 2 fixes"}, nil},
		{"before the first of the shift", [][]at{steps(300, 400, 100, 200), steps(0, 290, -200, -100)}, -1,
			[]string{"0→1 at 0 by late fixes: first fix", "1→2 at 300 by late fixes: 2 fixes"}, []string{"0→2 at 300 by first fix"}, nil},
		{"the device's first fixes are far off", [][]at{{{0, -gridsEast * 3}, {1, -gridsEast * 3}}, steps(10, 60, -100, -100)}, -1,
			[]string{"0→1 at 10 by late fixes: first fix"}, nil, []float64{0, 1}},
		{"a fix that is far off comes late", [][]at{steps(0, 300, -200, -150), {{155, 9000}}, steps(310, 400, -150, -100)}, -1,
			[]string{"0→1 at 0 by first fix"}, nil, []float64{155}},
		{"what was far off is borne out late", [][]at{steps(0, 50, -200, -150), {{60, 9000}}, {{61, -150}, {62, -150}}, {{60.2, 9000}, {60.4, 9000}}}, -1,
			[]string{"0→1 at 0 by first fix", "1→0 at 60 by late fixes: 2 fixes"}, nil, []float64{61, 62}},
		{"a late call for help", [][]at{steps(0, 100, -200, -150), steps(300, 400, -150, -100), steps(110, 290, -150, -150)}, 200,
			[]string{"0→1 at 0 by first fix", "sos at 200 by late fixes: button"}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			staff, bounds := members(t, 1), patrol.AllTime(patrol.Town(t, 1, 3))
			s := database(t, storetest.SQLite(t), 1)
			now := patrol.Eight.Add(time.Hour)
			tracker, stop := running(t, patrol.Config{Registry: patrol.RegistryOf(staff), Boundaries: bounds, Log: s.Log(), Tracks: s.Tracks(), Now: func() time.Time { return now }})
			defer stop()
			sent, newest := 0, 0.0
			for _, batch := range tt.batches {
				var b patrol.Batch
				for _, p := range batch {
					f := patrol.Seen(1, p.second, patrol.GridM+p.eastM, 500, 5)
					f.Received = now.UnixMilli()
					if p.second == tt.sos {
						f.Flags = patrol.SOS
					}
					b.Fixes = append(b.Fixes, f)
				}
				before, _ := tracker.State(1, now)
				if err := tracker.Accept(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				sent += len(batch)
				settledBefore := lastEntry(t, s.Log())
				eventually(t, "it is applied", func() bool { return tracker.Stats().Applied >= settledBefore })
				after, _ := tracker.State(1, now)
				if last := batch[len(batch)-1].second; last < newest && after.Last != before.Last {
					t.Errorf("a late batch moved the marker from %v to %v", before.Last, after.Last)
				} else {
					newest = max(newest, last)
				}
				settled(t, tracker, settledBefore)
			}
			var events, gone []string
			q := patrol.EventQuery{Unit: 1, From: patrol.Eight, To: now, Retracted: true}
			corrects := 0
			err := s.Tracks().Events(t.Context(), q, func(e patrol.Event) error {
				text := fmt.Sprintf("%d→%d at %v by %s", e.From, e.To, e.At.Sub(patrol.Eight).Seconds(), e.Rule)
				if e.Kind == patrol.CalledHelp {
					text = fmt.Sprintf("sos at %v by %s", e.At.Sub(patrol.Eight).Seconds(), e.Rule)
				}
				if e.Retracted.IsZero() {
					events = append(events, text)
				} else {
					gone = append(gone, text)
				}
				if e.Corrects != 0 {
					corrects++
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.events, events); diff != "" {
				t.Error(diff)
			}
			if tt.gone != nil {
				if diff := cmp.Diff(tt.gone, gone); diff != "" || corrects == 0 {
					t.Errorf("%d correct another: %s", corrects, diff)
				}
			}
			track := finals(t, s.Tracks(), 1)[1]
			if len(track.Track) != sent-len(tt.missing) || len(track.Suspects) != len(tt.missing) {
				t.Errorf("%d fixes sent, %d of the track, %d in quarantine", sent, len(track.Track), len(track.Suspects))
			}
			for i, second := range tt.missing {
				if i >= len(track.Suspects) || track.Suspects[i] != patrol.At(second) {
					t.Errorf("in quarantine are %v", strings.Trim(fmt.Sprint(track.Suspects), "[]"))
				}
			}
		})
	}
}

// gridsEast is as far as a grid is wide.
var gridsEast = patrol.GridM
