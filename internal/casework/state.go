package casework

import (
	"encoding/json"
	"math/bits"
	"slices"

	"lianqin/internal/fault"
)

// State is how far a case has come. The zero State is that of a draft, which
// only its device knows.
type State string

// The states, in the order of a case that goes well.
const (
	Draft       State = ""
	Reported    State = "reported"
	ToVerify    State = "to-verify"    // someone looks whether it is there
	Accepted    State = "accepted"     // 受理
	NotAccepted State = "not-accepted" // final
	Filed       State = "filed"        // 立案
	NotFiled    State = "not-filed"    // final
	Dispatched  State = "dispatched"
	Returned    State = "returned" // the department says that it is not its own
	InDisposal  State = "in-disposal"
	ToCheck     State = "to-check"
	Closed      State = "closed" // final, unless it is reopened
	Void        State = "void"   // final: never was a case, or is another one's
)

// States are all states but Draft.
var States = []State{Reported, ToVerify, Accepted, NotAccepted, Filed, NotFiled, Dispatched, Returned, InDisposal, ToCheck, Closed, Void}

var open = []State{Reported, ToVerify, Accepted, Filed, Dispatched, Returned, InDisposal, ToCheck}

// Open reports whether somebody still has to do something.
func (s State) Open() bool { return slices.Contains(open, s) }

// Overlay is what lies over a state, as bits: any number at a time. In JSON it
// is a list of names.
type Overlay uint16

// The overlays.
const (
	Verified        Overlay = 1 << iota // somebody looked, and it is there
	SelfHandled                         // done by who found it
	Checked                             // the disposal was looked at, and is good
	ExtensionAsked                      // the department asks for more time
	Extended                            // and got it
	ExtendedTwice                       // and got it again, in writing
	SuspensionAsked                     // the department asks for suspension
	Suspended                           // 挂账: the disposal's clock stands, until a review
	Supervised                          // 督办: the department owes a reply
	InCoordination                      // the district rules who does it
	Escalated                           // the district's centre has it from the street's
	Watched                             // 动态管控: looked at again and again
	Reopened                            // closed once, and not good
	OrderFinished                       // the 12345 order was answered
)

var overlayNames = [...]string{"verified", "self-handled", "checked", "extension-asked", "extended", "extended-twice",
	"suspension-asked", "suspended", "supervised", "coordination", "escalated", "watched", "reopened", "order-finished"}

// standing are the overlays under which the department's clocks stand.
const standing = Suspended | InCoordination

// Has reports whether all of o are set.
func (s Overlay) Has(o Overlay) bool { return s&o == o }

// Names are the names of those that are set.
func (s Overlay) Names() []string {
	names := make([]string, 0, bits.OnesCount16(uint16(s)))
	for i, n := range overlayNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// MarshalJSON is a list of names.
func (s Overlay) MarshalJSON() ([]byte, error) { return json.Marshal(s.Names()) }

// UnmarshalJSON is Invalid with a name that is none.
func (s *Overlay) UnmarshalJSON(b []byte) error {
	var names []string
	if err := json.Unmarshal(b, &names); err != nil {
		return fault.New(fault.Invalid, "overlays: %w", err)
	}
	*s = 0
	for _, n := range names {
		one, err := ParseOverlay(n)
		if err != nil {
			return err
		}
		*s |= one
	}
	return nil
}

// ParseOverlay is the overlay of that name, or Invalid.
func ParseOverlay(name string) (Overlay, error) {
	i := slices.Index(overlayNames[:], name)
	if i < 0 {
		return 0, fault.InvalidField("overlay", "%q is none", name)
	}
	return 1 << i, nil
}

// Channel is how a case came in; it has exactly one.
type Channel string

// The channels.
const (
	ByPatrol    Channel = "patrol"
	ByVillage   Channel = "village"
	ByPublic    Channel = "public"
	ByHotline   Channel = "12345"
	ByEmergency Channel = "emergency"
)

// Channels are all channels.
var Channels = []Channel{ByPatrol, ByVillage, ByPublic, ByHotline, ByEmergency}
