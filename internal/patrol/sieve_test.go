package patrol

import (
	"slices"
	"testing"
)

func TestUnfit(t *testing.T) {
	const minute, day = 60_000, 24 * 60 * 60_000
	now := at(0)
	for _, tt := range []struct {
		name string
		fix  Fix
		want Reason
	}{
		{"now", Fix{At: now, Received: now}, ""},
		{"a clock five minutes ahead", Fix{At: now + 5*minute, Received: now}, ""},
		{"a clock further ahead", Fix{At: now + 5*minute + 1, Received: now}, InFuture},
		{"thirty days old", Fix{At: now - 30*day, Received: now}, ""},
		{"older", Fix{At: now - 30*day - 1, Received: now}, TooOld},
		{"a kilometre", Fix{At: now, Received: now, AccuracyM: 1000}, ""},
		{"worse", Fix{At: now, Received: now, AccuracyM: 1000.1}, Inaccurate},
	} {
		if got, detail := unfit(&tt.fix); got != tt.want || (got != "") != (detail != "") {
			t.Errorf("%s: got %q, %q, want %q", tt.name, got, detail, tt.want)
		}
	}
}

func TestSieve(t *testing.T) {
	type step struct {
		seconds, eastM float64
		want           verdict
	}
	// A walker at 1 m/s is at metre s in second s.
	warm := []step{{0, 0, kept}, {1, 1, kept}, {2, 2, kept}, {3, 3, kept}}
	for _, tt := range []struct {
		name  string
		after []step // of warm
		cold  bool   // instead of it
	}{
		{name: "walking on", after: []step{{4, 4, kept}, {5, 5, kept}}},
		{name: "the greatest speed, and both accuracies", after: []step{{4, 3 + 70 + 10, kept}}},
		{name: "a metre further", after: []step{{4, 3 + 70 + 11.1, suspect}}},
		{name: "far, but there was time", after: []step{{303, 3 + 70*300, kept}}},
		{name: "one leap and back", after: []step{{4, 5000, suspect}, {5, 5, kept}}},
		{name: "two leaps and back", after: []step{{4, 5000, suspect}, {5, 5001, suspect}, {6, 6, kept}, {7, 5003, suspect}}},
		{name: "three that agree are believed", after: []step{{4, 5000, suspect}, {5, 5001, suspect}, {6, 5002, released}, {7, 5003, kept}, {8, 8, suspect}}},
		{name: "leaps all over are not", after: []step{{4, 5000, suspect}, {5, 9000, suspect}, {6, 13000, suspect}, {7, 13001, suspect}, {8, 13002, released}}},
		{name: "the time of a fix", after: []step{{3, 3, older}, {2.5, 2, older}}},
		{name: "between the track and a suspect", after: []step{{5, 5000, suspect}, {4, 4, older}, {6, 6, kept}}},
		{name: "the time of a suspect", after: []step{{5, 5000, suspect}, {5, 5, older}}},
		{name: "a first fix that is wrong is outvoted", cold: true, after: []step{{0, 9000, kept}, {1, 1, suspect}, {2, 2, suspect}, {3, 3, outvoted}, {4, 4, kept}}},
		{name: "so are two", cold: true, after: []step{{0, 9000, kept}, {1, 9001, kept}, {2, 2, suspect}, {3, 3, suspect}, {4, 4, outvoted}}},
		{name: "three are not", cold: true, after: []step{{0, 9000, kept}, {1, 9001, kept}, {2, 9002, kept}, {3, 3, suspect}, {4, 4, suspect}, {5, 5, released}}},
		{name: "a wrong fix after a silence is outvoted", after: []step{{3600, 9000, kept}, {3601, 1, suspect}, {3602, 2, suspect}, {3603, 3, outvoted}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s sieve
			steps := tt.after
			if !tt.cold {
				steps = slices.Concat(warm, steps)
			}
			for i, st := range steps {
				f := seen(1, st.seconds, st.eastM, 0, 5)
				if got := s.step(&f, 70); got != st.want {
					t.Fatalf("step %d at %v s, %v m: got %d, want %d", i, st.seconds, st.eastM, got, st.want)
				} else if got == released || got == outvoted {
					if taken := s.take(); len(taken) != agreeing || taken[2] != f {
						t.Fatalf("released %v", taken)
					}
				}
			}
		})
	}
}
