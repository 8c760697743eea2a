package casework

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// NeverDue is the Cursor's due time of a case none of whose clocks runs.
const NeverDue = math.MaxInt64

// maxWords is how long the words of a Search may be.
const maxWords = 200

// MostFound is how many cases one Search finds at most.
const MostFound = 500

// MostReceived is the same of a Search for what was Received.
const MostReceived = 1000

// Search asks for cases: by IDs alone, or by all that is set of the rest. Open
// ones come by what is due next, others the newest first.
type Search struct {
	IDs []int64

	Closed     bool // what is final, in the place of what is open
	State      State
	Overlay    Overlay // all of them
	Street     string  // where it lies
	Grid       string  // code
	Centre     *string // whose centre has it; "" is the district's
	Department string  // lead
	Party      string  // code of a department that takes part beside the lead, in what is open
	Item       string
	Channel    Channel
	DueFrom    time.Time // open ones due at or after
	DueTo      time.Time // and before
	Order      string    // number of the 12345 order, open or not
	Words      string    // all in text or address of what is open; or the number of a case or 12345 order, open or not
	Owed       Owed      // open or not
	Key        SendKey   // of what came to it, open or not
	Near       *Near
	Received   *Received

	After Cursor
	Limit int // 0 is MostFound

	// Count asks for Counts of all that is found, and not for records.
	Count  bool
	AsOf   time.Time // of counts
	Within time.Duration
}

// Owed is what somebody still has to do about a case beside its clocks.
type Owed string

// What may be owed.
const (
	OwesReview Owed = "review" // of a suspension or the watch list, within ReviewAhead from AsOf
	OwesOrder  Owed = "order"  // an answer to its 12345 order
)

// ReviewAhead is how long before it is due a review is told of.
const ReviewAhead = 7 * 24 * time.Hour

// Near asks for what may be the same as a case of that item: in the box, and
// open or captured in [From, To].
type Near struct {
	Item     string
	Box      orb.Bound
	From, To time.Time
}

// Received asks for what came in in [From, To) with an item that is one of
// Items, open or not or both, the latest first: what the public may see.
type Received struct {
	From, To     time.Time
	Items        []string // codes
	Open, Closed bool
	Skip         int // so many of the first
}

// Cursor is a place in the order of a Search; the zero Cursor is its
// beginning.
type Cursor struct {
	Due  int64 // Unix milliseconds, or NeverDue
	Case int64
}

// CursorOf is the place of c.
func CursorOf(c *Case) Cursor { return Cursor{DueOf(c), c.ID} }

// DueOf is when c is due next, in Unix milliseconds, or NeverDue.
func DueOf(c *Case) int64 {
	if next, ok := c.Next(); ok {
		return next.At.UnixMilli()
	}
	return NeverDue
}

// String is empty for the beginning.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	b := binary.AppendVarint(binary.AppendVarint(nil, c.Due), c.Case)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads what String wrote; Invalid for anything else.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	due, n := binary.Varint(b)
	if err != nil || n <= 0 {
		return Cursor{}, fault.InvalidField("after", "is no cursor")
	}
	id, m := binary.Varint(b[n:])
	if m <= 0 || n+m != len(b) {
		return Cursor{}, fault.InvalidField("after", "is no cursor")
	}
	return Cursor{due, id}, nil
}

// Found is the answer to a Search.
type Found struct {
	Records []Record
	Counts  []Count
	More    bool // there are more after the last of Records
}

// Count is how many cases stand in one state under the same overlays.
type Count struct {
	State    State
	Overlays Overlay
	N        int
	Overdue  int // due before AsOf
	Near     int // due within Within from AsOf
}

// Check is Invalid when q cannot be answered.
func (q *Search) Check() error {
	if q.State != Draft {
		if err := oneOf("state", q.State, States...); err != nil {
			return err
		}
		q.Closed = !q.State.Open()
	}
	if q.Channel != "" {
		if err := oneOf("channel", q.Channel, Channels...); err != nil {
			return err
		}
	}
	if len(q.Words) > maxWords {
		return fault.InvalidField("q", "longer than %d bytes", maxWords)
	}
	most := MostFound
	if q.Received != nil {
		most = MostReceived
	}
	if q.Limit < 0 || q.Limit > most {
		return fault.InvalidField("limit", "%d is not 1 to %d", q.Limit, most)
	}
	return nil
}
