package demo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

func staff(t *testing.T, seed uint64, total int) *Staff {
	t.Helper()
	s, err := Patrols(district(t), seed, total)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Units {
		s.Units[i].ID = patrol.UnitID(i + 1)
	}
	return s
}

func TestStaffHasTheListedNumbers(t *testing.T) {
	s, g := staff(t, 1, 0), district(t)
	got := map[patrol.Kind]int{}
	codes, terminals := map[string]bool{}, map[string]bool{}
	beats := map[grid.ID]int{}
	for i, u := range s.Units {
		got[u.Kind]++
		if codes[u.Code] {
			t.Errorf("two units are called %s", u.Code)
		}
		codes[u.Code] = true
		if u.Name == "" || u.Team == "" || u.Duty == "" {
			t.Errorf("%+v is incomplete", u)
		}
		if u.Kind != patrol.Vehicle && (strings.Count(u.Name, "")-1 < 2 || strings.Count(u.Name, "")-1 > 3) {
			t.Errorf("%s is called %q", u.Code, u.Name)
		}
		for _, id := range u.Grids {
			d, ok := g.Grid(id)
			if !ok || d.Kind != grid.Urban || d.Street != u.Street || u.Kind != patrol.GridPatrol {
				t.Errorf("%s, a %s of %s, has grid %v", u.Code, u.Kind, u.Street, d)
			}
			beats[id]++
		}
		if number := s.Terminal(i); (number != "") != (u.Kind == patrol.Vehicle) || number != "" && terminals[number] {
			t.Errorf("%s has terminal %q", u.Code, number)
		} else {
			terminals[number] = true
		}
	}
	if want := (map[patrol.Kind]int{patrol.GridPatrol: 948, patrol.MobilePatrol: 335, patrol.Vehicle: 36}); !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(s.Teams) != 12 {
		t.Errorf("%d teams, want 12", len(s.Teams))
	}
	if len(beats) != 96 {
		t.Errorf("%d grids have a walking patrol, want the 96 urban ones", len(beats))
	}
}

// Whoever looks and whenever: every instant of a fortnight has the emergency
// post of every street manned, every urban grid a patrol on duty by day, and
// no unit in two places or without rest.
func TestRosterHasNoGap(t *testing.T) {
	s := staff(t, 1, 0)
	from := time.Date(2026, 2, 20, 0, 0, 0, 0, grid.Zone)
	roster := s.Roster(from.AddDate(0, 0, -1), from.AddDate(0, 0, 14))
	perUnit := map[patrol.UnitID][]patrol.Shift{}
	for _, sh := range roster {
		perUnit[sh.Unit] = append(perUnit[sh.Unit], sh)
	}
	for u, shifts := range perUnit {
		for i := 1; i < len(shifts); i++ {
			if rest := shifts[i].From.Sub(shifts[i-1].To); rest < 8*time.Hour {
				t.Fatalf("unit %d rests %v before %v", u, rest, shifts[i].From)
			}
		}
	}
	for at := from; at.Before(from.AddDate(0, 0, 14)); at = at.Add(time.Hour) {
		emergency, walked, on := map[string]int{}, map[grid.ID]bool{}, 0
		for _, sh := range roster {
			if at.Before(sh.From) || !at.Before(sh.To) {
				continue
			}
			u := s.Units[sh.Unit-1]
			on++
			if sh.Post == patrol.EmergencyPost {
				emergency[u.Street]++
			}
			for _, id := range u.Grids {
				walked[id] = true
			}
		}
		least, hour := 100, at.Hour()
		switch {
		case hour >= 7 && hour < 15:
			least = 450
			if len(walked) != 96 {
				t.Errorf("%v: %d urban grids are walked, want 96", at, len(walked))
			}
		case hour >= 15 && hour < 23:
			least = 220
		}
		if on < least {
			t.Errorf("%v: %d on duty, want %d at least", at, on, least)
		}
		if len(emergency) != 12 {
			t.Errorf("%v: the emergency post is manned in %d streets", at, len(emergency))
		}
	}
}

func TestNextIsOfTheRoster(t *testing.T) {
	s := staff(t, 1, 0)
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, grid.Zone)
	roster := s.Roster(from.AddDate(0, 0, -1), from.AddDate(0, 0, 12))
	for i := range s.Units {
		var want []patrol.Shift
		for _, sh := range roster {
			if sh.Unit == s.Units[i].ID && sh.To.After(from) {
				want = append(want, sh)
			}
		}
		if s.Units[i].Duty == patrol.Always {
			if sh := s.Next(i, from.Add(time.Hour)); !sh.From.Equal(from) || !sh.To.Equal(from.AddDate(0, 0, 1)) {
				t.Errorf("%s is on duty from %v to %v", s.Units[i].Code, sh.From, sh.To)
			}
			continue
		}
		var got []patrol.Shift
		for at := from; len(got) < len(want); at = got[len(got)-1].To {
			got = append(got, s.Next(i, at))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", s.Units[i].Code, diff)
		}
	}
}

func TestStaffIsReproducible(t *testing.T) {
	a, b, c := staff(t, 7, 0), staff(t, 7, 0), staff(t, 8, 0)
	if diff := cmp.Diff(a.Units, b.Units); diff != "" {
		t.Errorf("the same seed made another staff:\n%s", diff)
	}
	if cmp.Equal(a.Units, c.Units) {
		t.Error("two seeds made the same staff")
	}
}

func TestStaffOfAnySize(t *testing.T) {
	for _, total := range []int{12, 100, 5000, 100_000} {
		s := staff(t, 1, total)
		members := len(s.Units) - 12*vehiclesPerStreet
		codes := map[string]bool{}
		for _, u := range s.Units {
			codes[u.Code] = true
		}
		if members != total || len(codes) != len(s.Units) {
			t.Errorf("%d members with %d codes, want %d", members, len(codes)-12*vehiclesPerStreet, total)
		}
	}
}

func TestStaffOfADistrictWithoutStreets(t *testing.T) {
	src, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	src.Streets = nil
	src.Grids = slices.Clone(src.Grids)
	for i := range src.Grids {
		src.Grids[i].Street = ""
	}
	g, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Patrols(g, 1, 0); fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) != "street" {
		t.Errorf("got %v, want an invalid street", err)
	}
}
