package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/attention"
	"lianqin/internal/fault"
	"lianqin/internal/store/storetest"
)

// TestAttentionIsTakenOnOnce has two people press the same button.
func TestAttentionIsTakenOnOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		k := open(t, url).Attention()
		noon := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
		first := attention.Seen{By: "li", At: noon}
		for _, s := range []attention.Seen{first, {By: "wang", At: noon.Add(time.Second)}} {
			got, err := k.See(t.Context(), "sos:U01:5", s)
			if err != nil || got != first {
				t.Fatalf("See by %s = %v, %v; want %v", s.By, got, err, first)
			}
		}
		for since, want := range map[time.Time]map[string]attention.Seen{
			noon:                  {"sos:U01:5": first},
			noon.Add(time.Second): {},
		} {
			got, err := k.Seen(t.Context(), since)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("seen since %s (-want +got):\n%s", since, d)
			}
		}
		if err := k.Unsee(t.Context(), "sos:U01:5"); err != nil {
			t.Fatal(err)
		}
		if err := k.Unsee(t.Context(), "sos:U01:5"); fault.KindOf(err) != fault.NotFound || err == nil {
			t.Errorf("giving back what nobody has = %v, want NotFound", err)
		}
	})
}
