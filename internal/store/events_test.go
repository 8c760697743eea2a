package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// events are all that q asks for.
func events(t testing.TB, s *Store, q patrol.EventQuery) []patrol.Event {
	t.Helper()
	var all []patrol.Event
	if err := s.Tracks().Events(t.Context(), q, func(e patrol.Event) error { all = append(all, e); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 3)
		v := &saver{s: s}
		at := func(seconds int) time.Time { return midnight.Add(time.Duration(seconds) * time.Second).UTC() }
		e := patrol.Effects{Events: []patrol.Event{
			{Unit: 1, Kind: patrol.Crossed, At: at(0), Recorded: at(20), To: 7, Generation: 2, Rule: "first fix",
				Evidence: []patrol.Evidence{{At: midnight.UnixMilli(), AccuracyM: 4.7, BorderM: 12.25, Grid: 7}}},
			{Unit: 2, Kind: patrol.CalledHelp, At: at(5), Recorded: at(5)},
			{Unit: 1, Kind: patrol.Crossed, At: at(30), Recorded: at(50), From: 7, To: 9, Generation: 2, Rule: "2 fixes"},
			{Unit: 3, Kind: patrol.WentSilent, At: at(300), Recorded: at(301)},
		}}
		v.save(t, e)
		all := e.Events
		for i := range all {
			if all[i].ID != int64(i+1) {
				t.Fatalf("event %d has ID %d", i, all[i].ID)
			}
		}
		again := patrol.Effects{Events: []patrol.Event{{Unit: 3, Kind: patrol.WentSilent, At: at(300), Recorded: at(302)}}}
		v.save(t, again)
		if again.Events[0].ID != 4 {
			t.Errorf("an event that another process found has ID %d", again.Events[0].ID)
		}
		c := &patrol.Correction{Unit: 1, Retracted: []int64{3}, Entered: []patrol.Event{
			{Unit: 1, Kind: patrol.Crossed, At: at(25), Recorded: at(400), From: 7, To: 8, Rule: "late fixes: 2 fixes", Corrects: 3},
			{Unit: 1, Kind: patrol.Crossed, At: at(40), Recorded: at(400), From: 8, To: 9, Rule: "late fixes: 20 s"}}}
		for range 2 { // entering it again changes nothing
			if err := s.Tracks().Correct(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if c.Entered[0].ID != 5 || c.Entered[1].ID != 6 {
				t.Errorf("IDs %d and %d", c.Entered[0].ID, c.Entered[1].ID)
			}
		}
		retracted := all[2]
		retracted.Retracted = at(400)
		for _, tt := range []struct {
			name string
			q    patrol.EventQuery
			want []patrol.Event
		}{
			{"all that hold", patrol.EventQuery{}, []patrol.Event{all[0], all[1], c.Entered[0], c.Entered[1], all[3]}},
			{"with what was withdrawn", patrol.EventQuery{Unit: 1, Retracted: true}, []patrol.Event{all[0], c.Entered[0], retracted, c.Entered[1]}},
			{"a time", patrol.EventQuery{From: at(5), To: at(40)}, []patrol.Event{all[1], c.Entered[0]}},
			{"kinds", patrol.EventQuery{Kinds: []patrol.EventKind{patrol.WentSilent, patrol.CalledHelp}}, []patrol.Event{all[1], all[3]}},
			{"some", patrol.EventQuery{Limit: 2}, all[:2]},
		} {
			if diff := cmp.Diff(tt.want, events(t, s, tt.q)); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
		if err := s.Tracks().Correct(t.Context(), &patrol.Correction{Unit: 2, Retracted: []int64{1}}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("retracting another's event: %v", err)
		}
		for _, query := range []string{`DELETE FROM event`, `UPDATE event SET rule = 'x' WHERE id = 1`, `UPDATE event SET retracted = NULL WHERE id = 3`, `UPDATE event SET retracted = 1 WHERE id = 3`} {
			if _, err := s.writer.Exec(query); err == nil {
				t.Errorf("%s", query)
			}
		}
	})
}

func TestManyEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 50)
		var e patrol.Effects
		for i := range 2*eventsPage + 10 {
			at := midnight.Add(time.Duration(i/50) * time.Minute).UTC() // many at one time
			e.Events = append(e.Events, patrol.Event{Unit: patrol.UnitID(1 + i%50), Kind: patrol.CameBack, At: at, Recorded: at})
		}
		(&saver{s: s}).save(t, e)
		if diff := cmp.Diff(e.Events, events(t, s, patrol.EventQuery{})); diff != "" {
			t.Errorf("%.500s", diff)
		}
	})
}

func TestCorrectMovesFixes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		for _, tidy := range []bool{false, true} {
			u := url
			if tidy {
				u = map[bool]func(testing.TB) string{true: storetest.SQLite, false: storetest.Postgres}[url[:6] == "sqlite"](t)
			}
			s := patrols(t, u, 2)
			v := &saver{s: s}
			at := midnight.UnixMilli()
			in, out := fixAt(1, at+5000), fixAt(1, at+10_000)
			v.save(t, patrol.Effects{Kept: []patrol.Fix{fixAt(1, at), out, fixAt(1, at+20_000), fixAt(2, at+10_000)},
				Refused: []patrol.Refusal{{Unit: 1, At: in.At, Received: in.Received, Reason: patrol.Implausible, Fix: &in}}})
			if tidy {
				compacted(t, s, midnight)
			}
			c := &patrol.Correction{Unit: 1, Released: []patrol.Fix{in},
				Withdrawn: []patrol.Refusal{{Unit: 1, At: out.At, Received: out.Received, Reason: patrol.Implausible, Detail: "90 m/s", Fix: &out}}}
			for range 2 {
				if err := s.Tracks().Correct(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				want := []patrol.Fix{fixAt(1, at), in, fixAt(1, at+20_000)}
				if diff := cmp.Diff(want, fixesOf(t, s, 1, midnight, midnight.Add(time.Hour))); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(c.Withdrawn, refusals(t, s, patrol.RefusalQuery{})); diff != "" {
					t.Error(diff)
				}
				if got := counts(t, s, midnight, midnight.Add(time.Hour))["1 implausible-speed"]; got != 1 {
					t.Errorf("%d are counted", got)
				}
			}
			if got := fixesOf(t, s, 2, midnight, midnight.Add(time.Hour)); !slices.Equal(got, []patrol.Fix{fixAt(2, at+10_000)}) {
				t.Errorf("another unit's: %v", got)
			}
		}
	})
}
