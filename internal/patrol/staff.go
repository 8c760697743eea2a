package patrol

import (
	"cmp"
	"math"
	"slices"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// MaxUnitID bounds what a Staff makes room for.
const MaxUnitID UnitID = 1<<20 - 1

// Staff is a Roll as it is asked: who patrols, with what, and who is on duty
// when. It is immutable and safe for concurrent use; callers do not modify
// what its methods return.
type Staff struct {
	revision  int64
	teams     []Team   // by code
	units     []Unit   // by ID
	devices   []Device // by ID
	at        []int32  // UnitID → place in units, plus one
	byCode    map[string]int32
	byDevice  map[string]int32
	terminals map[string]int32

	duties []duty // by UnitID
	spans  []span // of one unit together, in order of time, none over another
}

// duty is all that deciding about one fix takes.
type duty struct {
	always      bool
	retired     int64 // Unix milliseconds
	first, last uint32
}

type span struct {
	from, to int64 // Unix milliseconds
	post     Post
}

// NewStaff reads roll. It is Internal when a code or an ID is used twice or
// out of range, which a Register does not let happen.
func NewStaff(roll *Roll) (*Staff, error) {
	s := &Staff{
		revision: roll.Revision,
		teams:    slices.SortedFunc(slices.Values(roll.Teams), func(a, b Team) int { return cmp.Compare(a.Code, b.Code) }),
		units:    slices.SortedFunc(slices.Values(roll.Units), func(a, b Unit) int { return cmp.Compare(a.ID, b.ID) }),
		devices:  slices.SortedFunc(slices.Values(roll.Devices), func(a, b Device) int { return cmp.Compare(a.ID, b.ID) }),
		byCode:   make(map[string]int32, len(roll.Units)),
		byDevice: make(map[string]int32, len(roll.Devices)), terminals: make(map[string]int32),
	}
	if n := len(s.units); n > 0 {
		last := s.units[n-1].ID
		if last > MaxUnitID {
			return nil, fault.New(fault.Internal, "roll: unit %d is beyond %d", last, MaxUnitID)
		}
		s.at, s.duties = make([]int32, last+1), make([]duty, last+1)
	}
	for i, u := range s.units {
		if _, twice := s.byCode[u.Code]; twice || u.ID == 0 || s.at[u.ID] != 0 {
			return nil, fault.New(fault.Internal, "roll: unit %d, %q: its ID or code is used twice, or 0", u.ID, u.Code)
		}
		s.at[u.ID], s.byCode[u.Code] = int32(i+1), int32(i)
		d := duty{always: u.Duty == Always, retired: math.MaxInt64}
		if !u.Retired.IsZero() {
			d.retired = u.Retired.UnixMilli()
		}
		s.duties[u.ID] = d
	}
	for i, d := range s.devices {
		s.byDevice[d.ID] = int32(i)
		if d.Terminal != "" {
			s.terminals[d.Terminal] = int32(i)
		}
	}
	return s, s.schedule(roll.Shifts)
}

// schedule lays out the shifts. Where two of a unit overlap, which edits
// refuse, the earlier lasts until the later begins.
func (s *Staff) schedule(shifts []Shift) error {
	shifts = slices.SortedFunc(slices.Values(shifts), func(a, b Shift) int {
		return cmp.Or(cmp.Compare(a.Unit, b.Unit), a.From.Compare(b.From), b.To.Compare(a.To))
	})
	s.spans = make([]span, 0, len(shifts))
	for i, sh := range shifts {
		if int(sh.Unit) >= len(s.at) || s.at[sh.Unit] == 0 {
			return fault.New(fault.Internal, "roll: a shift of unit %d, which there is not", sh.Unit)
		}
		d := &s.duties[sh.Unit]
		if i == 0 || shifts[i-1].Unit != sh.Unit {
			d.first = uint32(len(s.spans))
		} else if before := &s.spans[len(s.spans)-1]; sh.To.UnixMilli() <= before.to {
			continue
		} else {
			before.to = min(before.to, sh.From.UnixMilli())
		}
		s.spans = append(s.spans, span{sh.From.UnixMilli(), sh.To.UnixMilli(), sh.Post})
		d.last = uint32(len(s.spans))
	}
	return nil
}

// Revision is the Roll's.
func (s *Staff) Revision() int64 { return s.revision }

// Teams are all teams by code.
func (s *Staff) Teams() []Team { return s.teams }

// Team is the team of that code, or false.
func (s *Staff) Team(code string) (*Team, bool) {
	i, ok := slices.BinarySearchFunc(s.teams, code, func(t Team, code string) int { return cmp.Compare(t.Code, code) })
	if !ok {
		return nil, false
	}
	return &s.teams[i], true
}

// Units are all units by ID, those retired included.
func (s *Staff) Units() []Unit { return s.units }

// Unit is the unit of that ID, or false.
func (s *Staff) Unit(id UnitID) (*Unit, bool) {
	if int(id) >= len(s.at) || s.at[id] == 0 {
		return nil, false
	}
	return &s.units[s.at[id]-1], true
}

// UnitByCode is the unit that people call code, or false.
func (s *Staff) UnitByCode(code string) (*Unit, bool) {
	i, ok := s.byCode[code]
	if !ok {
		return nil, false
	}
	return &s.units[i], true
}

// Devices are all devices by ID.
func (s *Staff) Devices() []Device { return s.devices }

// Device is the device of that token, or false.
func (s *Staff) Device(id string) (*Device, bool) {
	i, ok := s.byDevice[id]
	if !ok {
		return nil, false
	}
	return &s.devices[i], true
}

// Terminal is the device that is a JT/T 808 terminal of that number, or false.
func (s *Staff) Terminal(number string) (*Device, bool) {
	i, ok := s.terminals[number]
	if !ok {
		return nil, false
	}
	return &s.devices[i], true
}

// OnDuty reports whether unit is on duty at that instant, in Unix
// milliseconds: whether its position may be kept. It takes nanoseconds.
func (s *Staff) OnDuty(unit UnitID, at int64) bool {
	_, _, ok := s.shift(unit, at)
	return ok
}

// shift is the time [from, to) around at during which unit is on duty without
// a change of shifts; for who always is, as far as numbers reach.
func (s *Staff) shift(unit UnitID, at int64) (from, to int64, ok bool) {
	if int(unit) >= len(s.duties) || s.at[unit] == 0 {
		return 0, 0, false
	}
	d := &s.duties[unit]
	if at >= d.retired {
		return 0, 0, false
	}
	if d.always {
		return math.MinInt64, d.retired, true
	}
	lo, hi := int(d.first), int(d.last)
	for lo < hi { // the first span that ends after at
		mid := int(uint(lo+hi) >> 1)
		if s.spans[mid].to <= at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == int(d.last) || s.spans[lo].from > at {
		return 0, 0, false
	}
	return s.spans[lo].from, min(s.spans[lo].to, d.retired), true
}

// Shifts are the shifts of unit that have a moment in [from, to), in order of
// time.
func (s *Staff) Shifts(unit UnitID, from, to time.Time) []Shift {
	if int(unit) >= len(s.duties) {
		return nil
	}
	var out []Shift
	d := s.duties[unit]
	for _, sp := range s.spans[d.first:d.last] {
		if sp.to > from.UnixMilli() && sp.from < to.UnixMilli() {
			out = append(out, Shift{Unit: unit, Post: sp.post, From: time.UnixMilli(sp.from).UTC(), To: time.UnixMilli(sp.to).UTC()})
		}
	}
	return out
}

// Gap is a time during which nobody of a street has the emergency post.
type Gap struct {
	Street   string
	From, To time.Time
}

// Gaps are the times within [from, to) at which the emergency post of a street
// is not manned, by street and time, for the streets that may holds for among
// those that have units.
func (s *Staff) Gaps(from, to time.Time, may func(street string) bool) []Gap {
	manned := make(map[string][]span)
	for _, u := range s.units {
		if !may(u.Street) {
			continue
		}
		d := s.duties[u.ID]
		spans := manned[u.Street]
		for _, sp := range s.spans[d.first:d.last] {
			if sp.post == EmergencyPost && sp.to > from.UnixMilli() && sp.from < to.UnixMilli() {
				sp.to = min(sp.to, d.retired)
				spans = append(spans, sp)
			}
		}
		manned[u.Street] = spans
	}
	var gaps []Gap
	for street, spans := range manned {
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
		at := from.UnixMilli()
		for _, sp := range append(spans, span{from: to.UnixMilli(), to: to.UnixMilli()}) {
			if sp.from > at {
				gaps = append(gaps, Gap{street, time.UnixMilli(at).In(grid.Zone), time.UnixMilli(sp.from).In(grid.Zone)})
			}
			at = max(at, sp.to)
		}
	}
	slices.SortFunc(gaps, func(a, b Gap) int { return cmp.Or(cmp.Compare(a.Street, b.Street), a.From.Compare(b.From)) })
	return gaps
}
