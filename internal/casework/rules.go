package casework

import (
	"slices"
	"time"

	"lianqin/internal/fault"
)

// Limits are what the centres hold themselves to, and how far they hold the
// departments closer than the catalogue does.
type Limits struct {
	Accept   Limit `json:"accept"`
	Verify   Limit `json:"verify"`
	File     Limit `json:"file"`
	Dispatch Limit `json:"dispatch"`
	Check    Limit `json:"check"`
	// Response and Disposal, where they are set, stand in the place of the
	// catalogue's limits when those are longer or run by the working clock.
	Response Limit `json:"response,omitzero"`
	Disposal Limit `json:"disposal,omitzero"`
}

// CoordinationKind is one of the mechanisms by which a street asks the
// district for a ruling.
type CoordinationKind struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Limit Limit  `json:"limit"`
}

// JointTemplate is a kind of joint duty, 1+2+X: one department leads, Core are
// as many as they are, and others join up to MaxJoining. Codes are of the
// table of departments; street templates stand for the street's own.
type JointTemplate struct {
	Code       string   `json:"code"`
	Name       string   `json:"name"`
	Lead       string   `json:"lead"`
	Core       []string `json:"core"`
	MaxJoining int      `json:"max_joining"`
}

// Rules are what a district sets for itself, beside its catalogue. Version is
// kept with every entry and figure that they shaped.
type Rules struct {
	Version      string             `json:"version"`
	Normal       Limits             `json:"normal"`
	Emergency    Limits             `json:"emergency"`
	OrderDays    []int              `json:"order_days"` // of 12345 orders, in working days
	Coordination []CoordinationKind `json:"coordination"`
	Joint        []JointTemplate    `json:"joint"`
	MaxExtra     time.Duration      `json:"max_extra_ns"` // of one extension

	// PrecedentM is how far from where it was made a ruling serves as
	// precedent, in metres.
	PrecedentM float64 `json:"precedent_m"`
	// DuplicateM and DuplicateFor bound what may be the same case, by kind.
	DuplicateM   map[Kind]float64       `json:"duplicate_m"`
	DuplicateFor map[Kind]time.Duration `json:"duplicate_for_ns"`
}

// UsualRules are the rules of the demonstration district.
func UsualRules() Rules {
	day := 8 * time.Hour
	return Rules{
		Version: "1",
		Normal: Limits{
			Accept:   Limit{30 * time.Minute, Calendar},
			Verify:   Limit{2 * time.Hour, Calendar},
			File:     Limit{time.Hour, Calendar},
			Dispatch: Limit{30 * time.Minute, Calendar},
			Check:    Limit{day, Working},
		},
		Emergency: Limits{
			Accept:   Limit{5 * time.Minute, Calendar},
			Verify:   Limit{30 * time.Minute, Calendar},
			File:     Limit{5 * time.Minute, Calendar},
			Dispatch: Limit{5 * time.Minute, Calendar},
			Check:    Limit{4 * time.Hour, Calendar},
			Response: Limit{15 * time.Minute, Calendar},
			Disposal: Limit{24 * time.Hour, Calendar},
		},
		OrderDays: []int{1, 5, 15},
		Coordination: []CoordinationKind{
			{"meeting", "联席会议", Limit{5 * day, Working}},
			{"special", "专题协调", Limit{3 * day, Working}},
			{"on-site", "现场协调", Limit{day, Working}},
		},
		Joint: []JointTemplate{
			{"street-order", "街面秩序联合整治", "S02", []string{"S03", "S04"}, 6},
			{"unlawful-building", "违法建筑联合拆除", "S02", []string{"S06", "S03"}, 6},
			{"group-renting", "群租联合整治", "S05", []string{"S03", "S15"}, 6},
		},
		MaxExtra:     30 * 24 * time.Hour,
		PrecedentM:   50,
		DuplicateM:   map[Kind]float64{Component: 20, Event: 50},
		DuplicateFor: map[Kind]time.Duration{Component: 30 * 24 * time.Hour, Event: 24 * time.Hour},
	}
}

// Check is Invalid, naming the field, when the rules cannot be worked by.
func (r *Rules) Check() error {
	if r.Version == "" {
		return fault.InvalidField("version", "empty")
	}
	for name, set := range map[string]*Limits{"normal": &r.Normal, "emergency": &r.Emergency} {
		for _, l := range []Limit{set.Accept, set.Verify, set.File, set.Dispatch, set.Check} {
			if err := l.check(name); err != nil {
				return err
			}
		}
		for _, l := range []Limit{set.Response, set.Disposal} {
			if err := l.check(name); l != (Limit{}) && err != nil {
				return err
			}
		}
	}
	if len(r.OrderDays) == 0 || slices.Min(r.OrderDays) < 1 {
		return fault.InvalidField("order_days", "%v: whole working days, at least one", r.OrderDays)
	}
	for _, k := range r.Coordination {
		if err := k.Limit.check("coordination"); err != nil {
			return err
		}
	}
	if r.MaxExtra <= 0 {
		return fault.InvalidField("max_extra_ns", "%s is not positive", r.MaxExtra)
	}
	return nil
}

func (l Limit) check(field string) error {
	if l.Span <= 0 || l.Span > yearHours*time.Hour {
		return fault.InvalidField(field, "a limit of %s is not positive, or longer than a year", l.Span)
	}
	return oneOf(field, l.Clock, Working, Calendar)
}

// closer is l, or the stricter limit where one is set.
func (l Limit) closer(strict Limit) Limit {
	if strict == (Limit{}) || l.Clock == Calendar && l.Span <= strict.Span {
		return l
	}
	return strict
}

// ModeChange is one turn of the district's switch between normal work and
// emergency.
type ModeChange struct {
	At        time.Time `json:"at"`
	Emergency bool      `json:"emergency"`
	By        string    `json:"by"`
	Reason    string    `json:"reason"`
}

// Modes are all turns of the switch, in order of time; none is normal work.
type Modes []ModeChange

// Emergency reports whether the district was in emergency at that time.
func (m Modes) Emergency(at time.Time) bool {
	for _, c := range slices.Backward(m) {
		if !at.Before(c.At) {
			return c.Emergency
		}
	}
	return false
}

// With is m after one more turn. It is Invalid without a reason, and Conflict
// when it comes before the last one or changes nothing.
func (m Modes) With(c ModeChange) (Modes, error) {
	switch {
	case c.Reason == "" || c.By == "":
		return m, fault.InvalidField("reason", "who turns the switch says why")
	case len(m) > 0 && !c.At.After(m[len(m)-1].At):
		return m, fault.New(fault.Conflict, "the switch was turned at %s", m[len(m)-1].At.Format(time.RFC3339))
	case c.Emergency == m.Emergency(c.At):
		return m, fault.New(fault.Conflict, "the switch stands so already")
	}
	return append(slices.Clip(m), c), nil
}
