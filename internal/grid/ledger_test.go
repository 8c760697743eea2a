package grid

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at(day int) time.Time {
	if day == 0 {
		return time.Time{}
	}
	return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)
}

// enterTerm is what a store does with what carve says.
func enterTerm(l *Ledger, next Term) {
	replaced, entered := carve(l, next)
	for _, r := range replaced {
		for i := range l.Terms {
			if l.Terms[i].ID == r.ID {
				l.Terms[i] = r
			}
		}
	}
	for _, t := range entered {
		t.ID = int64(len(l.Terms) + 1)
		l.Terms = append(l.Terms, t)
	}
}

func written(terms []Term) string {
	var out []string
	for _, t := range terms {
		to := "∞"
		if !t.To.IsZero() {
			to = fmt.Sprint(t.To.YearDay())
		}
		out = append(out, fmt.Sprintf("%d[%d,%s)", t.Generation, t.From.YearDay(), to))
	}
	return strings.Join(out, " ")
}

func TestCarve(t *testing.T) {
	type step struct{ generation, from, to int }
	for _, tt := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"one", []step{{1, 5, 0}}, "1[5,∞)"},
		{"one after another", []step{{1, 5, 0}, {2, 9, 0}}, "1[5,9) 2[9,∞)"},
		{"before what is scheduled", []step{{1, 5, 0}, {2, 9, 0}, {3, 7, 0}}, "1[5,7) 3[7,9) 2[9,∞)"},
		{"in the place of what is scheduled", []step{{1, 5, 0}, {2, 9, 0}, {3, 9, 0}}, "1[5,9) 3[9,∞)"},
		{"before everything", []step{{1, 5, 0}, {2, 2, 0}}, "2[2,5) 1[5,∞)"},
		{"for a while", []step{{1, 5, 0}, {2, 7, 9}}, "1[5,7) 2[7,9) 1[9,∞)"},
		{"for a while, over others", []step{{1, 5, 0}, {2, 9, 0}, {3, 7, 12}}, "1[5,7) 3[7,12) 2[12,∞)"},
		{"with a gap before", []step{{1, 5, 7}, {2, 9, 0}}, "1[5,7) 2[9,∞)"},
		{"into a gap", []step{{1, 5, 7}, {2, 9, 0}, {3, 6, 8}}, "1[5,6) 3[6,8) 2[9,∞)"},
	} {
		l := &Ledger{}
		for i, s := range tt.steps {
			enterTerm(l, Term{Generation: s.generation, From: at(s.from), To: at(s.to), Recorded: at(1).Add(time.Duration(i) * time.Hour)})
		}
		if got := written(l.Schedule()); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestScheduleNeverOverlaps publishes at random and holds every version of the
// schedule that was ever recorded against what it was then.
func TestScheduleNeverOverlaps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		l := &Ledger{}
		var versions []string
		var times []time.Time
		for i := range 12 {
			from := 1 + rnd.IntN(28)
			to := 0
			if rnd.IntN(3) == 0 {
				to = from + 1 + rnd.IntN(30-from)
			}
			recorded := at(1).Add(time.Duration(i) * time.Hour)
			enterTerm(l, Term{Generation: i + 1, From: at(from), To: at(to), Recorded: recorded})
			if term, ok := l.At(at(from)); !ok || term.Generation != i+1 {
				t.Fatalf("published %d from %d: in force is %+v in %s", i+1, from, term, written(l.Schedule()))
			}
			versions, times = append(versions, written(l.Schedule())), append(times, recorded)
		}
		for i, known := range times {
			terms := l.ScheduleAsKnown(known)
			if diff := cmp.Diff(versions[i], written(terms)); diff != "" {
				t.Fatal(diff)
			}
			for j := 1; j < len(terms); j++ {
				if terms[j-1].To.IsZero() || terms[j-1].To.After(terms[j].From) {
					t.Fatalf("terms overlap: %s", written(terms))
				}
			}
		}
	}
}

func TestStatus(t *testing.T) {
	l := &Ledger{Records: []Record{{Number: 1}, {Number: 2}, {Number: 3}, {Number: 4}, {Number: 5}},
		Checks: []Check{{Generation: 4, Sound: true}, {Generation: 5, Sound: true}, {Generation: 5}}}
	for i, s := range []struct{ generation, from int }{{1, 2}, {2, 9}, {3, 20}} {
		enterTerm(l, Term{Generation: s.generation, From: at(s.from), Recorded: at(1).Add(time.Duration(i) * time.Hour)})
	}
	for number, want := range map[int]Status{1: Superseded, 2: InForce, 3: Scheduled, 4: Checked, 5: Draft} {
		if got := l.Status(number, at(10)); got != want {
			t.Errorf("generation %d: got %s, want %s", number, got, want)
		}
	}
	if got := l.Status(1, at(9).Add(-time.Millisecond)); got != InForce {
		t.Errorf("a millisecond before its end: %s", got)
	}
	if got := l.Status(2, at(9)); got != InForce {
		t.Errorf("at its start: %s", got)
	}
}
