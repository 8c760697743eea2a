package patrol

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
)

func hours(from, to float64) (time.Time, time.Time) {
	return eight.Add(time.Duration(from * float64(time.Hour))), eight.Add(time.Duration(to * float64(time.Hour)))
}

func shift(unit UnitID, from, to float64) Shift {
	s := Shift{Unit: unit, Post: PatrolPost}
	s.From, s.To = hours(from, to)
	return s
}

func emergency(unit UnitID, from, to float64) Shift {
	s := shift(unit, from, to)
	s.Post = EmergencyPost
	return s
}

// corps is three units by roster, of which 3 is of street S1 and retires at
// hour 20, and a fourth that is always on duty.
func corps(t testing.TB, shifts ...Shift) *Staff {
	t.Helper()
	roll := &Roll{Revision: 7, Shifts: shifts, Teams: []Team{{"T", "一队", "S0"}}}
	for i, street := range []string{"S0", "S0", "S1", "S0"} {
		roll.Units = append(roll.Units, Unit{ID: UnitID(i + 1), Code: fmt.Sprintf("U%d", i+1), Name: "张三", Kind: GridPatrol, Street: street, Duty: ByRoster})
	}
	_, roll.Units[2].Retired = hours(0, 20)
	roll.Units[3].Duty = Always
	s, err := NewStaff(roll)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOnDuty(t *testing.T) {
	s := corps(t, shift(1, 8, 12), shift(1, 0, 4), shift(1, 4, 6), shift(3, 16, 24),
		shift(2, 0, 8), shift(2, 6, 10), shift(2, 7, 8)) // which overlap, as no edit lets them
	for _, tt := range []struct {
		name     string
		unit     UnitID
		hour     float64
		want     bool
		from, to float64 // of the shift
	}{
		{"before the first", 1, -0.001, false, 0, 0},
		{"its first instant", 1, 0, true, 0, 4},
		{"inside", 1, 2, true, 0, 4},
		{"where one ends and the next begins", 1, 4, true, 4, 6},
		{"an end", 1, 6, false, 0, 0},
		{"between", 1, 7, false, 0, 0},
		{"the last", 1, 11.999, true, 8, 12},
		{"after the last", 1, 12, false, 0, 0},
		{"overlap: the earlier", 2, 5, true, 0, 6},
		{"overlap: the later", 2, 7.5, true, 6, 10},
		{"overlap: its rest", 2, 9, true, 6, 10},
		{"until it retires", 3, 19.999, true, 16, 20},
		{"when it retires", 3, 20, false, 0, 0},
		{"no such unit", 9, 2, false, 0, 0},
		{"no unit", 0, 2, false, 0, 0},
	} {
		at, _ := hours(tt.hour, 0)
		from, to, got := s.shift(tt.unit, at.UnixMilli())
		if got != tt.want || s.OnDuty(tt.unit, at.UnixMilli()) != got {
			t.Errorf("%s: got %v", tt.name, got)
			continue
		}
		if wantFrom, wantTo := hours(tt.from, tt.to); got && (from != wantFrom.UnixMilli() || to != wantTo.UnixMilli()) {
			t.Errorf("%s: from %v to %v", tt.name, time.UnixMilli(from).Sub(eight), time.UnixMilli(to).Sub(eight))
		}
	}
	if !s.OnDuty(4, 0) || !s.OnDuty(4, eight.AddDate(50, 0, 0).UnixMilli()) {
		t.Error("who is always on duty is not")
	}
}

func all(string) bool { return true }

func TestGaps(t *testing.T) {
	s := corps(t, emergency(1, 0, 8), emergency(2, 9, 16), emergency(1, 14, 20), shift(2, 16, 24), emergency(3, 0, 24))
	from, to := hours(0, 24)
	got := make([]string, 0)
	for _, g := range s.Gaps(from, to, all) {
		got = append(got, fmt.Sprintf("%s %v-%v", g.Street, g.From.Sub(eight).Hours(), g.To.Sub(eight).Hours()))
	}
	want := []string{"S0 8-9", "S0 20-24", "S1 20-24"} // the last for who retired
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := s.Gaps(from, to, func(street string) bool { return street == "S2" }); len(got) != 0 {
		t.Errorf("of another street: %v", got)
	}
}

// TestReshift enters shifts for a roster of units 1 and 2 that has 0-8, 16-24.
func TestReshift(t *testing.T) {
	by := Editor{Who: "w", May: func(street string) bool { return street == "S0" }}
	for _, tt := range []struct {
		name   string
		enter  []Shift
		want   string // unit 1's shifts then
		errors string
	}{
		{"one more", []Shift{shift(1, 8, 16)}, "0-8 8-16 16-24", ""},
		{"another in its place", []Shift{shift(1, 16, 20)}, "0-8 16-20", ""},
		{"those that begin between go", []Shift{shift(1, -8, -4), shift(1, 30, 36)}, "-8--4 30-36", ""},
		{"of others none goes", []Shift{shift(2, -8, -4), shift(2, 30, 36)}, "0-8 16-24", ""},
		{"over one that began before", []Shift{shift(1, 7, 12)}, "", "0 from: overlaps the shift from 2026-03-02 08:00 to 2026-03-02 16:00 entered before"},
		{"over one that begins after", []Shift{shift(1, 8, 15), shift(1, 14, 15.5)}, "", "1 from: overlaps the shift from 2026-03-02 16:00 to 2026-03-02 23:00 entered with it"},
		{"the same twice", []Shift{shift(1, 8, 15), shift(2, 8, 15), shift(1, 8, 15)}, "", "2 the same shift is there twice"},
		{"backwards, too long, a post that there is not, another street, retired", []Shift{shift(1, 8, 8), shift(1, 0, 24.5), {Unit: 1, Post: "x"}, shift(3, 8, 12), shift(9, 8, 12)}, "",
			"0 to: the shift ends before it begins; 1 to: the shift is longer than 24h0m0s; 2 post: \"x\" is neither patrol nor emergency; 3 unit: there is no such unit; 4 unit: there is no such unit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := corps(t, shift(1, 0, 8), shift(1, 16, 24), shift(2, 0, 8), shift(2, 16, 24))
			change, err := shiftChange(s, by, tt.enter, true)
			if tt.errors != "" {
				if got := rowErrors(err); got != tt.errors {
					t.Errorf("got %s, want %s", got, tt.errors)
				}
				if fault.KindOf(err) == fault.Internal {
					t.Errorf("%v is of no kind", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			// As the store does it.
			gone := make(map[Shift]bool)
			for _, sh := range change.Replace {
				gone[sh.plain()] = true
			}
			var left []Shift
			for id := UnitID(1); id <= 4; id++ {
				for _, sh := range s.shifts(id) {
					if !gone[sh.plain()] {
						left = append(left, sh)
					}
				}
			}
			next := corps(t, append(left, change.Shifts...)...)
			var got []string
			for _, sh := range next.shifts(1) {
				got = append(got, fmt.Sprintf("%v-%v", sh.From.Sub(eight).Hours(), sh.To.Sub(eight).Hours()))
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			for _, n := range change.Audit {
				if n.Who != "w" || n.Action != "roster.change" || n.After == nil {
					t.Errorf("%+v", n)
				}
			}
		})
	}
}

func rowErrors(err error) string {
	rows, ok := err.(RowErrors)
	if !ok {
		return fmt.Sprint(err)
	}
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%d %v", r.Row, r.Err))
	}
	return strings.Join(out, "; ")
}

func TestEmergencyRosterHasNoGap(t *testing.T) {
	by := Editor{May: all}
	for _, tt := range []struct {
		name  string
		enter []Shift
		want  string
	}{
		{"joined to what was there", []Shift{emergency(2, 8, 16), emergency(1, 16, 24)}, ""},
		{"with one inside", []Shift{emergency(2, 8, 15), emergency(1, 16, 24)}, "S0 15-16"},
		{"with one before the first", []Shift{emergency(2, 9, 16)}, "S0 8-9"},
		{"long after the last", []Shift{emergency(2, 80, 90)}, ""},
		{"patrols need none", []Shift{shift(2, 9, 16), shift(1, 20, 24)}, ""},
		{"each street its own", []Shift{emergency(2, 8, 16), emergency(3, 4, 6), emergency(3, 7, 8)}, "S1 6-7"},
	} {
		s := corps(t, emergency(1, 0, 8))
		_, err := shiftChange(s, by, tt.enter, false)
		got := ""
		if e, ok := err.(*GapError); ok {
			for _, g := range e.Gaps {
				got += fmt.Sprintf("%s %v-%v", g.Street, g.From.Sub(eight).Hours(), g.To.Sub(eight).Hours())
			}
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "not manned; street S") {
				t.Errorf("%s: %v", tt.name, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestCheckUnit(t *testing.T) {
	s := corps(t)
	by := Editor{Who: "w", Role: "r", Address: "a", May: func(street string) bool { return street == "S0" }}
	good := Unit{Name: "李四", Kind: Vehicle, Team: "T", Street: "S0", Duty: Always}
	for _, tt := range []struct {
		name, code string
		change     func(*Unit)
		want       string
		kind       fault.Kind
	}{
		{"a new one", "N", func(u *Unit) {}, "", 0},
		{"one that there is", "U1", func(u *Unit) {}, "", 0},
		{"another street's", "U3", func(u *Unit) {}, `there is no unit "U3"`, fault.NotFound},
		{"into another street", "U1", func(u *Unit) { u.Street, u.Team = "S1", "" }, `street: street "S1" is not yours, or there is none`, fault.Denied},
		{"no name", "N", func(u *Unit) { u.Name = "" }, "name: empty", fault.Invalid},
		{"no code", "", func(u *Unit) {}, "code: empty", fault.Invalid},
		{"a long code", strings.Repeat("中", 65), func(u *Unit) {}, "code: longer than 64 characters", fault.Invalid},
		{"a line break", "N", func(u *Unit) { u.Name = "a\nb" }, `name: "a\nb" has characters that cannot be printed`, fault.Invalid},
		{"a space", "N ", func(u *Unit) {}, `code: "N " begins or ends with a space`, fault.Invalid},
		{"a kind", "N", func(u *Unit) { u.Kind = "dog" }, `kind: "dog" is not one of [grid-patrol mobile-patrol vehicle]`, fault.Invalid},
		{"a duty", "N", func(u *Unit) { u.Duty = "never" }, `duty: "never" is neither roster nor always`, fault.Invalid},
		{"a team", "N", func(u *Unit) { u.Team = "X" }, `team: there is no team "X"`, fault.Invalid},
		{"no street", "N", func(u *Unit) { u.Street = "" }, "street: a unit is some street's business", fault.Invalid},
	} {
		u, note, err := changedUnit(s, by, tt.code, func(u *Unit) error {
			id := u.ID
			*u = good
			u.ID, u.Code = id+7, "changed" // which it cannot
			tt.change(u)
			return nil
		})
		if tt.want != "" {
			if err == nil || err.Error() != tt.want || fault.KindOf(err) != tt.kind {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
			}
			continue
		}
		if err != nil || u.Code != tt.code || tt.code == "U1" && u.ID != 1 || tt.code == "N" && u.ID != 0 {
			t.Errorf("%s: %+v, %v", tt.name, u, err)
		}
		if want := map[string]string{"N": "unit.create", "U1": "unit.change"}[tt.code]; note.Action != want || (note.Before == nil) != (tt.code == "N") || note.After == nil || note.Who != "w" {
			t.Errorf("%s: %+v", tt.name, note)
		}
	}
}
