package casework

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lianqin/internal/geo"
)

var keptFacts = cmp.AllowUnexported(Instants{}, rare{}, dueSet{})

// TestKept: what a million steps can make of cases comes back from bytes.
func TestKept(t *testing.T) {
	total, size := 0, 0
	var r KeptReader
	for _, c := range walk(t, procedure(t), 7, 300, 40, nil, func(*Case, *Entry) {}) {
		want := KeptOf(c)
		want.Change = 9
		b := AppendKept(nil, want)
		got, err := r.Read(c.ID, 9, b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, &got, keptFacts, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("case %d: %s", c.ID, diff)
		}
		total, size = total+1, size+len(b)
		for n := range b { // cut anywhere
			if _, err := new(KeptReader).Read(c.ID, 9, b[:n]); err == nil {
				t.Fatalf("case %d, cut at %d of %d: no error", c.ID, n, len(b))
			}
		}
	}
	if total == 0 {
		t.Fatal("no cases")
	}
	t.Logf("%d bytes a case", size/total)
}

func FuzzKept(f *testing.F) {
	f.Add(AppendKept(nil, &Kept{Case: 1, Seq: 3, State: InDisposal, Street: streetA, Placed: true, At: geo.Coord{X: -1, Y: 5}, Due: NeverDue, Received: 5,
		Order: "W1", OrderDue: 7, Review: 8, Parties: []string{"D05"}, Text: "占道", Facts: []Fact{{Case: 1, Cycle: 1, Instants: Instants{Received: 5, Accepted: 5, Due: 3}}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r KeptReader
		k, err := r.Read(1, 2, b)
		if err != nil {
			return
		}
		again, err := new(KeptReader).Read(1, 2, AppendKept(nil, &k))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(k, again, keptFacts, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}
