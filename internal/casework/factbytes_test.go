package casework

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFactsKeep: what a million steps can make of cases comes back from bytes.
func TestFactsKeep(t *testing.T) {
	total, bytes := 0, 0
	for _, c := range walk(t, procedure(t), 7, 300, 40, nil, func(*Case, *Entry) {}) {
		want := FactsOf(c)
		b := AppendFacts(nil, want)
		got, err := ReadFacts(c.ID, b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Instants{}, rare{}, dueSet{})); diff != "" && len(want) > 0 {
			t.Fatalf("case %d: %s", c.ID, diff)
		}
		total, bytes = total+len(want), bytes+len(b)
		for n := range b { // cut anywhere
			if _, err := ReadFacts(c.ID, b[:n]); err == nil {
				t.Fatalf("case %d, cut at %d of %d: no error", c.ID, n, len(b))
			}
		}
	}
	if total == 0 {
		t.Fatal("no facts")
	}
	t.Logf("%d bytes a fact", bytes/total)
}

func FuzzReadFacts(f *testing.F) {
	f.Add(AppendFacts(nil, []Fact{{Case: 1, Cycle: 1, Street: streetA, Instants: Instants{Received: 5, Accepted: 5, Due: 3}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := ReadFacts(1, b)
		if err != nil {
			return
		}
		again, err := ReadFacts(1, AppendFacts(nil, facts))
		if diff := cmp.Diff(facts, again, cmp.AllowUnexported(Instants{}, rare{}, dueSet{})); err != nil || diff != "" {
			t.Fatalf("%v: %s", err, diff)
		}
	})
}
