package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// refusals are all that q asks for.
func refusals(t testing.TB, s *Store, q patrol.RefusalQuery) []patrol.Refusal {
	t.Helper()
	var all []patrol.Refusal
	if err := s.Tracks().Refusals(t.Context(), q, func(_ int64, r patrol.Refusal) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// counts are those of CountRefusals, by "unit reason".
func counts(t testing.TB, s *Store, from, to time.Time) map[string]int64 {
	t.Helper()
	all := make(map[string]int64)
	err := s.Tracks().CountRefusals(t.Context(), from, to, func(unit patrol.UnitID, _ string, reason patrol.Reason, n int64) error {
		all[fmt.Sprint(unit, " ", reason)] += n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestQuarantine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 4)
		v := &saver{s: s}
		at := midnight.UnixMilli()
		fix := fixAt(3, at-5000)
		stranger := fixAt(0, at)
		all := []patrol.Refusal{
			{Unit: 1, Device: "d1", Source: patrol.FromOwnTracks, At: at, Received: at, Reason: patrol.NoPosition, Detail: "纬度 lat: 91", Raw: "{\"lat\":91}\xff\x00"},
			{Device: "d2", Source: patrol.FromMQTT, Received: at + 1000, Reason: patrol.Malformed, Raw: "not JSON"},
			{Unit: 2, Device: "d3", Source: patrol.FromJT808, At: at, Received: at + 2000, Reason: patrol.Encrypted, Detail: "bit 5"},
			{Unit: 3, Device: "d1", Source: patrol.FromAPI, At: fix.At, Received: at + 3000, Reason: patrol.Implausible, Detail: "80 m/s", Fix: &fix},
			{Device: "d2", Source: patrol.FromAPI, At: at, Received: at + dayMS, Reason: patrol.UnknownUnit, Detail: "X9", Fix: &stranger},
		}
		v.save(t, patrol.Effects{Refused: append(slices.Clone(all),
			patrol.Refusal{Unit: 4, Received: at, Reason: patrol.OffDuty, Detail: "no position may be kept", Fix: &fix},
			patrol.Refusal{Unit: 4, Received: at, Reason: patrol.OffDuty},
			patrol.Refusal{Unit: 4, Received: at, Reason: patrol.Duplicate})})
		slices.Reverse(all)
		for _, tt := range []struct {
			name string
			q    patrol.RefusalQuery
			want []patrol.Refusal
		}{
			{"all", patrol.RefusalQuery{}, all},
			{"a day", patrol.RefusalQuery{From: midnight, To: midnight.Add(24 * time.Hour)}, all[1:]},
			{"from and to are [from, to)", patrol.RefusalQuery{From: midnight.Add(time.Second), To: midnight.Add(3 * time.Second)}, all[2:4]},
			{"a unit", patrol.RefusalQuery{Unit: 3}, all[1:2]},
			{"a street", patrol.RefusalQuery{Street: "310114001"}, []patrol.Refusal{all[1], all[4]}},
			{"reasons", patrol.RefusalQuery{Reasons: []patrol.Reason{patrol.Malformed, patrol.Encrypted}}, all[2:4]},
			{"a reason and a unit", patrol.RefusalQuery{Unit: 3, Reasons: []patrol.Reason{patrol.Malformed}}, nil},
			{"before a row", patrol.RefusalQuery{Before: 3}, all[3:]},
		} {
			if diff := cmp.Diff(tt.want, refusals(t, s, tt.q)); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
		want := map[string]int64{"1 no-position": 1, "0 malformed": 1, "2 encrypted": 1, "3 implausible-speed": 1, "4 off-duty": 2, "4 duplicate": 1}
		if diff := cmp.Diff(want, counts(t, s, midnight, midnight.Add(24*time.Hour))); diff != "" {
			t.Errorf("counts: %s", diff)
		}
		if diff := cmp.Diff(map[string]int64{"0 unknown-unit": 1}, counts(t, s, midnight.Add(24*time.Hour), time.Time{})); diff != "" {
			t.Errorf("the next day's: %s", diff)
		}
		suspects := func() (fixes []patrol.Fix) {
			err := s.Tracks().Suspects(t.Context(), 3, midnight.Add(-time.Hour), midnight, func(f []patrol.Fix) error { fixes = append(fixes, f...); return nil })
			if err != nil {
				t.Fatal(err)
			}
			return fixes
		}
		if diff := cmp.Diff([]patrol.Fix{fix}, suspects()); diff != "" {
			t.Errorf("suspects: %s", diff)
		}
		v.save(t, patrol.Effects{Kept: []patrol.Fix{fix}, Released: []patrol.Fix{fix, fixAt(2, at)}})
		if got := suspects(); got != nil {
			t.Errorf("suspects that were released: %v", got)
		}
		if got := counts(t, s, midnight, midnight.Add(24*time.Hour)); got["3 implausible-speed"] != 0 {
			t.Errorf("counts after the release: %v", got)
		}
	})
}

func TestQuarantinePages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 1)
		v := &saver{s: s}
		const n = 2*refusalsPage + 7
		var e patrol.Effects
		for i := range n {
			e.Refused = append(e.Refused, patrol.Refusal{Unit: 1, Received: midnight.UnixMilli() + int64(i), Reason: patrol.TooOld, Detail: fmt.Sprint(i)})
		}
		v.save(t, e)
		var got []string
		for before := int64(0); ; {
			page := 0
			err := s.Tracks().Refusals(t.Context(), patrol.RefusalQuery{Before: before}, func(id int64, r patrol.Refusal) error {
				if page == 100 {
					return patrol.ErrEnough
				}
				page++
				before, got = id, append(got, r.Detail)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if page == 0 {
				break
			}
			if len(got) == 300 { // one that comes meanwhile moves none of the others
				v.save(t, patrol.Effects{Refused: []patrol.Refusal{{Unit: 1, Received: midnight.UnixMilli(), Reason: patrol.TooOld, Detail: "new"}}})
			}
		}
		if len(got) != n || got[0] != fmt.Sprint(n-1) || got[n-1] != "0" || slices.Contains(got, "new") {
			t.Errorf("%d refusals, from %s to %s", len(got), got[0], got[len(got)-1])
		}
		if got := refusals(t, s, patrol.RefusalQuery{}); len(got) != n+1 {
			t.Errorf("%d refusals at once", len(got))
		}
	})
}

// TestQuarantineIsBounded floods it: what is kept to look at has an end, the
// count has none.
func TestQuarantineIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := patrols(t, url, 1)
		v := &saver{s: s}
		for range 3 {
			var e patrol.Effects
			for range refusalsKept - 1000 {
				e.Refused = append(e.Refused, patrol.Refusal{Unit: 1, Device: strings.Repeat("长", 200), Received: midnight.UnixMilli(), Reason: patrol.TooOld, Raw: strings.Repeat("x", 3*patrol.MaxRaw)})
			}
			v.save(t, e)
		}
		got := refusals(t, s, patrol.RefusalQuery{})
		if len(got) != refusalsKept || len(got[0].Raw) != patrol.MaxRaw || got[0].Device != strings.Repeat("长", deviceChars) {
			t.Errorf("%d refusals of %d bytes", len(got), len(got[0].Raw))
		}
		if got := counts(t, s, midnight, midnight.Add(time.Hour))["1 too-old"]; got != 3*(refusalsKept-1000) {
			t.Errorf("%d were counted", got)
		}
	})
}
