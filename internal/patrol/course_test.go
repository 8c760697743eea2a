package patrol

import (
	"fmt"
	"strings"
	"testing"

	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// TestCourse walks a unit between grids 1, 2 (east of it) and 4 (north of 1)
// of a town of 3 by 3. Places are metres east of the border between 1 and 2.
func TestCourse(t *testing.T) {
	type fix struct {
		seconds, eastM float64
		accuracyM      float32
	}
	for _, tt := range []struct {
		name  string
		fixes []fix
		want  string // crossings after the first
		grid  grid.ID
	}{
		{"well inside", []fix{{1, -100, 5}, {2, -50, 5}}, "", 1},
		{"jitter within the margin", []fix{{1, 5, 5}, {2, -5, 5}, {3, 14, 5}, {4, 14, 5}, {60, 14, 5}}, "", 1},
		{"one fix far out", []fix{{1, 100, 5}, {2, -5, 5}}, "", 1},
		{"two fixes in a row", []fix{{1, 20, 5}, {2, 25, 5}}, "1→2 at 1 by 2 fixes [1 2]", 2},
		{"dated at the first fix outside", []fix{{1, 3, 5}, {2, 9, 5}, {3, 20, 5}, {4, 25, 5}}, "1→2 at 1 by 2 fixes [1 3 4]", 2},
		{"back inside between", []fix{{1, 20, 5}, {2, -3, 5}, {3, 20, 5}, {4, -3, 5}, {5, 20, 5}}, "", 1},
		{"a doubtful fix between is not in a row", []fix{{1, 20, 5}, {2, 10, 5}, {3, 20, 5}}, "", 1},
		{"but twenty seconds are enough", []fix{{1, 20, 5}, {8, 10, 5}, {15, 20, 5}, {20.9, 10, 5}, {21, 20, 5}}, "1→2 at 1 by 20 s [1 21]", 2},
		{"doubtful for twenty seconds is not", []fix{{1, 20, 5}, {8, 10, 5}, {30, 10, 5}}, "", 1},
		{"silence for twenty seconds is no fix", []fix{{1, 20, 5}}, "", 1},
		{"the margin is the accuracy where that is worse", []fix{{1, 35, 40}, {2, 39, 40}, {3, 41, 40}, {4, 41, 40}}, "1→2 at 1 by 2 fixes [1 3 4]", 2},
		{"each fix by its own accuracy", []fix{{1, 20, 5}, {2, 20, 25}, {3, 26, 25}, {4, 16, 5}}, "1→2 at 1 by 2 fixes [1 3 4]", 2},
		{"an unknown accuracy has the least margin", []fix{{1, 16, 0}, {2, 16, 0}}, "1→2 at 1 by 2 fixes [1 2]", 2},
		{"worse than 100 m moves nothing", []fix{{1, 500, 101}, {2, 500, 101}, {30, 500, 101}}, "", 1},
		{"nor does it stand between", []fix{{1, 20, 5}, {2, -200, 150}, {3, 20, 5}}, "1→2 at 1 by 2 fixes [1 3]", 2},
		{"100 m moves", []fix{{1, 500, 100}, {2, 500, 100}}, "1→2 at 1 by 2 fixes [1 2]", 2},
		{"there and back", []fix{{1, 20, 5}, {2, 20, 5}, {3, -20, 5}, {4, -20, 5}}, "1→2 at 1 by 2 fixes [1 2]; 2→1 at 3 by 2 fixes [3 4]", 1},
		{"back needs as much", []fix{{1, 20, 5}, {2, 20, 5}, {3, -14, 5}, {4, -14, 5}}, "1→2 at 1 by 2 fixes [1 2]", 2},
		{"out of the district", []fix{{1, -gridM - 20, 5}, {2, -gridM - 20, 5}}, "1→0 at 1 by 2 fixes [1 2]", 0},
		{"out of it and in again", []fix{{1, -gridM - 20, 5}, {2, -gridM - 20, 5}, {3, -gridM + 10, 5}, {4, -gridM + 20, 5}, {5, -gridM + 20, 5}}, "1→0 at 1 by 2 fixes [1 2]; 0→1 at 3 by 2 fixes [3 4 5]", 1},
		{"through a grid with one fix", []fix{{1, 500, 5}, {2, gridM + 500, 5}}, "1→3 at 2 by 2 fixes [1 2]", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := town(t, 1, 3)
			var c course
			start := seen(1, 0, gridM-100, 500, 5)
			if e, ok := c.step(x, at(0), &start); !ok || e.Rule != ruleFirst || e.From != grid.None || e.To != 1 {
				t.Fatalf("the first fix: %+v, %v", e, ok)
			}
			var got []string
			for _, f := range tt.fixes {
				fix := seen(1, f.seconds, gridM+f.eastM, 500, f.accuracyM)
				if e, ok := c.step(x, at(0), &fix); ok {
					got = append(got, describe(e))
					if e.Recorded.UnixMilli() != fix.Received || e.Generation != 1 || c.since != e.At.UnixMilli() {
						t.Errorf("%+v, since %d", e, c.since)
					}
				}
			}
			if got := strings.Join(got, "; "); got != tt.want || c.grid != tt.grid {
				t.Errorf("got %q in grid %d, want %q in grid %d", got, c.grid, tt.want, tt.grid)
			}
		})
	}
}

// describe is a crossing in short, its times in seconds after eight.
func describe(e Event) string {
	var evidence []string
	for _, v := range e.Evidence {
		evidence = append(evidence, fmt.Sprint(float64(v.At-at(0))/1000))
	}
	return fmt.Sprintf("%d→%d at %v by %s [%s]", e.From, e.To, float64(e.At.UnixMilli()-at(0))/1000, e.Rule, strings.Join(evidence, " "))
}

func TestCourseEvidenceTellsTheDistance(t *testing.T) {
	x := town(t, 1, 3)
	var c course
	for _, f := range []Fix{seen(1, 0, gridM-100, 500, 5), seen(1, 1, gridM+16, 500, 5)} {
		c.step(x, at(0), &f)
	}
	f := seen(1, 2, gridM+40, 500, 7)
	e, ok := c.step(x, at(0), &f)
	if !ok || len(e.Evidence) != 2 {
		t.Fatalf("%+v, %v", e, ok)
	}
	last := e.Evidence[1]
	if last.BorderM < 39.8 || last.BorderM > 40.2 || last.AccuracyM != 7 || last.Grid != 2 {
		t.Errorf("%+v", last)
	}
}

func TestCourseBeginsAnewWithAShift(t *testing.T) {
	x := town(t, 1, 3)
	var c course
	step := func(x *locate.Index, shift, seconds, eastM float64) string {
		f := seen(1, seconds, eastM, 500, 5)
		e, ok := c.step(x, at(shift), &f)
		if !ok {
			return ""
		}
		return describe(e)
	}
	for _, tt := range []struct {
		name                  string
		x                     *locate.Index
		shift, seconds, eastM float64
		want                  string
	}{
		{"the first", x, 0, 10, 500, "0→1 at 10 by first fix [10]"},
		{"half out when the shift ends", x, 0, 20, gridM + 50, ""},
		{"the next shift", x, 100, 110, gridM + 50, "0→2 at 110 by first fix [110]"},
		{"which begins with nothing open", x, 100, 111, gridM - 50, ""},
		{"no borders are in force", nil, 100, 112, gridM - 50, ""},
		{"a shift that begins outside tells nothing", x, 200, 210, -50, ""},
		{"and enters by the rule", x, 200, 211, 50, ""},
		{"of two fixes", x, 200, 212, 50, "0→1 at 211 by 2 fixes [211 212]"},
		{"a grid that is no more is left at once", town(t, 2, 1), 200, 213, 50, ""},
	} {
		if got := step(tt.x, tt.shift, tt.seconds, tt.eastM); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	c.grid = 9 // which the town of one grid has not
	if got, want := step(town(t, 2, 1), 200, 214, 50), "9→1 at 214 by new borders [214]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
