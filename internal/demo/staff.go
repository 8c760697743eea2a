package demo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lianqin/geodata"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
)

// Members is how many patrol members the district has: 948 walk the urban
// grids, 335 are mobile. Vehicles are counted apart.
const Members = 1283

const (
	vehiclesPerStreet = 3
	// terminalBase and a unit's number make the number of its JT/T 808
	// terminal: eleven digits, as a mobile number has.
	terminalBase = 19_000_000_000
)

// Staff is a patrol organisation: a team for each street, its members and its
// vehicles. The same generation, seed and number make the same staff. Units
// carry no IDs until the register gave them; shifts are reckoned, never kept,
// so that a roster reaches as far as anybody looks. It is immutable but for
// the IDs.
type Staff struct {
	Teams []patrol.Team
	Units []patrol.Unit // by code
	phase []int         // of each unit: where in the cycle of its roster it stands
	place []int         // of each unit: among those of its street and phase, for emergency duty
	peers []int         // of each unit: how many those are
}

// establishment is how many members a street has.
type establishment struct{ walking, mobile int }

// Patrols makes the staff of gen: of the demonstration's streets the listed
// numbers, of other streets as many a grid as the demonstration has on
// average. Total other than 0 enlarges or shrinks them all to so many members
// together; vehicles come on top of them. It is Invalid when gen has no
// streets.
func Patrols(gen *grid.Generation, seed uint64, total int) (*Staff, error) {
	if len(gen.Streets()) == 0 {
		return nil, fault.InvalidField("street", "the boundaries have no streets, and a patrol team belongs to one")
	}
	numbers, err := establishments(gen)
	if err != nil {
		return nil, err
	}
	if total > 0 {
		numbers = share(numbers, total)
	}
	s := &Staff{}
	width := 3
	for _, n := range numbers {
		width = max(width, len(fmt.Sprint(n.walking)), len(fmt.Sprint(n.mobile)))
	}
	for i, street := range gen.Streets() {
		s.enlist(gen, street, numbers[i], width, mix(seed, 11, uint64(i)))
	}
	return s, nil
}

// establishments are the numbers of gen's streets, in their order.
func establishments(gen *grid.Generation) ([]establishment, error) {
	listed := make(map[string]establishment)
	err := eachRow("streets.csv", geodata.Streets, func(r row) error {
		listed[r.text("code")] = establishment{int(r.number("grid_patrol")), int(r.number("mobile_patrol"))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	grids := make(map[string]int)
	for _, g := range gen.Grids() {
		grids[g.Street]++
	}
	out := make([]establishment, len(gen.Streets()))
	for i, street := range gen.Streets() {
		n, ok := listed[street.Code]
		if !ok { // 948 and 335 of 417 grids
			n = establishment{grids[street.Code] * 948 / 417, grids[street.Code] * 335 / 417}
		}
		out[i] = n
	}
	return out, nil
}

// share divides total in the proportions of numbers, by cumulated rounding.
func share(numbers []establishment, total int) []establishment {
	sum := 0
	for _, n := range numbers {
		sum += n.walking + n.mobile
	}
	out := make([]establishment, len(numbers))
	seen, given := 0, 0
	portion := func(n int) int {
		seen += n
		part := seen*total/max(sum, 1) - given
		given += part
		return part
	}
	for i, n := range numbers {
		out[i] = establishment{portion(n.walking), portion(n.mobile)}
	}
	return out
}

// enlist adds one street's team.
func (s *Staff) enlist(gen *grid.Generation, street grid.Street, n establishment, width int, seed uint64) {
	short := street.Code
	if len(short) > 3 {
		short = short[len(short)-3:]
	}
	team := patrol.Team{Code: "T" + short, Name: street.Name + "巡防队", Street: street.Code}
	if slices.ContainsFunc(s.Teams, func(t patrol.Team) bool { return t.Code == team.Code }) {
		short = street.Code
		team.Code = "T" + short
	}
	s.Teams = append(s.Teams, team)
	beats := beatsOf(gen, street.Code)
	first := len(s.Units)
	add := func(kind patrol.Kind, letter string, i int, u patrol.Unit) {
		u.Code = fmt.Sprintf("%s-%s%0*d", short, letter, width, i+1)
		u.Kind, u.Team, u.Street = kind, team.Code, street.Code
		u.Duty = cmp.Or(u.Duty, patrol.ByRoster)
		s.Units = append(s.Units, u)
	}
	d := throw(seed)
	for i := range n.walking {
		u := patrol.Unit{Name: person(d)}
		// One round of the beats fills each phase of the cycle in turn, so
		// that whenever some are on duty they are spread over all beats.
		phase := d.below(rosterDays)
		if len(beats) > 0 {
			u.Grids = beats[i%len(beats)]
			phase = i / len(beats) % rosterDays
		}
		s.phase = append(s.phase, phase)
		add(patrol.GridPatrol, "G", i, u)
	}
	for i := range n.mobile {
		s.phase = append(s.phase, i%rosterDays)
		add(patrol.MobilePatrol, "M", i, patrol.Unit{Name: person(d)})
	}
	for i := range vehiclesPerStreet {
		s.phase = append(s.phase, 0)
		add(patrol.Vehicle, "V", i, patrol.Unit{Name: fmt.Sprintf("%s巡逻车%d号", street.Name, i+1), Duty: patrol.Always})
	}
	s.seat(first)
}

// beatsOf are the beats of a street's walking patrol: its urban grids, one
// each; all its grids where none is urban.
func beatsOf(gen *grid.Generation, street string) (beats [][]grid.ID) {
	for _, kinds := range [][]grid.Kind{{grid.Urban}, {grid.Urban, grid.Autonomous, ""}} {
		for _, g := range gen.Grids() {
			if g.Street == street && slices.Contains(kinds, g.Kind) {
				beats = append(beats, []grid.ID{g.ID})
			}
		}
		if len(beats) > 0 {
			break
		}
	}
	return beats
}

// seat tells each unit of the last street its place among those of its phase.
func (s *Staff) seat(first int) {
	var peers [rosterDays]int
	for i := first; i < len(s.Units); i++ {
		s.place = append(s.place, peers[s.phase[i]])
		if s.Units[i].Duty == patrol.ByRoster {
			peers[s.phase[i]]++
		}
	}
	for i := first; i < len(s.Units); i++ {
		s.peers = append(s.peers, peers[s.phase[i]])
	}
}

// Terminal is the number of the JT/T 808 terminal in unit i, empty for units
// that are no vehicles.
func (s *Staff) Terminal(i int) string {
	if s.Units[i].Kind != patrol.Vehicle {
		return ""
	}
	return fmt.Sprint(terminalBase + i)
}

// Roster is the shifts of all units on the days [from, to), days of
// Asia/Shanghai: a night shift belongs to the day on which it begins.
func (s *Staff) Roster(from, to time.Time) []patrol.Shift {
	var out []patrol.Shift
	for day := dayOf(from); day < dayOf(to); day++ {
		for i := range s.Units {
			if sh, ok := s.on(i, day); ok {
				out = append(out, sh)
			}
		}
	}
	return out
}

// Next is the first shift of unit i that ends after t. Units that are always
// on duty have one a day, from midnight to midnight.
func (s *Staff) Next(i int, t time.Time) patrol.Shift {
	for day := dayOf(t) - 1; ; day++ {
		sh, ok := s.on(i, day)
		if s.Units[i].Duty == patrol.Always {
			sh, ok = patrol.Shift{Unit: s.Units[i].ID, Post: patrol.PatrolPost, From: startOf(day), To: startOf(day + 1)}, true
		}
		if ok && sh.To.After(t) {
			return sh
		}
	}
}
