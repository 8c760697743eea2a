// Package attention ranks what in a district needs a person now: a call for
// help, a case about to lapse, a grid that nobody has visited, a place where
// cases rise, a unit that has fallen silent.
//
// It is told what is the matter and does not go looking: it knows no store, no
// clock and no page. Who may see which matter is for its caller to decide.
package attention

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// Kind is what sort of thing is the matter.
type Kind string

// The kinds. What Matter.Amount and Matter.Usual mean is said with each.
const (
	// CalledHelp is a unit whose alarm button was pressed.
	CalledHelp Kind = "sos"
	// Overdue is a case past its limit, since then.
	Overdue Kind = "overdue"
	// Lapsing is a case that will soon be, since it came near its limit.
	Lapsing Kind = "lapsing"
	// Review is a suspended or watched case whose review date has come.
	Review Kind = "review"
	// Uncovered is a grid that has gone without a visit beyond what it is
	// owed, since then. Amount is its debt in minutes.
	Uncovered Kind = "uncovered"
	// Rising is a place with more cases than the weeks before let expect.
	// Amount is how many there were, Usual how many were expected.
	Rising Kind = "rising"
	// Silent is a unit on duty that is not heard of.
	Silent Kind = "silent"
)

// Matter is one thing that needs somebody.
type Matter struct {
	Kind    Kind   `json:"kind"`
	Subject string `json:"subject"` // a unit's code, a case's number, a grid's code, or of a cluster the grid around which it lies
	Name    string `json:"name,omitempty"`
	Street  string `json:"street,omitempty"` // code
	Grid    string `json:"grid,omitempty"`   // code
	// Where is in WGS-84 degrees; nil where that is not known.
	Where *orb.Point `json:"where,omitempty"`
	// Since is when it began, which with kind and subject is the matter's
	// identity: what ends and begins anew is another matter.
	Since  time.Time `json:"since"`
	Due    time.Time `json:"due,omitzero"` // of a case: the limit
	Urgent bool      `json:"urgent,omitempty"`
	Amount float64   `json:"amount,omitempty"`
	Usual  float64   `json:"usual,omitempty"`

	Seen *Seen `json:"seen,omitempty"`
}

// ID names a matter for as long as it lasts: to the second, since no source
// knows better when it began.
func (m *Matter) ID() string {
	return string(m.Kind) + ":" + m.Subject + ":" + strconv.FormatInt(m.Since.Unix(), 10)
}

// Seen is that somebody has taken a matter on.
type Seen struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// weight is how much a kind weighs, and by how much more with every hour since
// it began, up to a bound.
type weight struct{ least, hourly, most float64 }

// Urgent cases weigh urgentMore more, and what is seen to lies below all else.
const urgentMore = 250

// weights put people before cases, cases that can still be saved before those
// that are late already, and late ones before places. What has lasted longest
// comes first of its kind, within bounds: an old matter never hides a worse
// one.
var weights = map[Kind]weight{
	CalledHelp: {1000, 1, 1024},
	Lapsing:    {400, 100, 600},
	Overdue:    {380, 5, 500},
	Review:     {300, 1, 324},
	Rising:     {340, 0, 340},
	Uncovered:  {200, 20, 400},
	Silent:     {150, 30, 300},
}

// Weight is a matter's place in the ranking at now; greater is more pressing.
func (m *Matter) Weight(now time.Time) float64 {
	w := weights[m.Kind]
	sum := min(w.least+w.hourly*max(0, now.Sub(m.Since).Hours()), w.most)
	if m.Urgent {
		sum += urgentMore
	}
	return sum
}

// Rank orders matters: what nobody has taken on first, then by weight, then
// the older, then by ID, so that equal pictures are ranked equally. It sorts
// in place.
func Rank(matters []Matter, now time.Time) {
	slices.SortFunc(matters, func(a, b Matter) int {
		return cmp.Or(
			cmp.Compare(seenTo(&a), seenTo(&b)),
			cmp.Compare(b.Weight(now), a.Weight(now)),
			a.Since.Compare(b.Since),
			cmp.Compare(a.ID(), b.ID()),
		)
	})
}

func seenTo(m *Matter) int {
	if m.Seen != nil {
		return 1
	}
	return 0
}

// ParseID reads what ID wrote; Invalid for anything else.
func ParseID(s string) (kind Kind, subject string, since time.Time, err error) {
	refused := fault.InvalidField("matter", "%.60q names no matter", s)
	first, last := strings.IndexByte(s, ':'), strings.LastIndexByte(s, ':')
	if first < 0 || last <= first+1 || len(s) > maxID {
		return "", "", time.Time{}, refused
	}
	kind, subject = Kind(s[:first]), s[first+1:last]
	seconds, convErr := strconv.ParseInt(s[last+1:], 10, 64)
	if _, known := weights[kind]; !known || convErr != nil || seconds < 0 {
		return "", "", time.Time{}, refused
	}
	return kind, subject, time.Unix(seconds, 0), nil
}

// maxID bounds a matter's ID in bytes.
const maxID = 120
