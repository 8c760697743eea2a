package casework

import (
	"time"

	"lianqin/internal/grid"
)

// Intake is how a case comes in.
type Intake struct {
	Channel  Channel   `json:"channel"`
	Captured time.Time `json:"captured"` // when it was seen; Received is when the entry is made
	Text     string    `json:"text,omitempty"`
	// Publish is that whoever reports lets Text be shown to everybody.
	Publish bool `json:"publish,omitempty"`
	// Order is the hotline's, without Due, Finished and Answer: for the channel
	// 12345 and for no other.
	Order *Order `json:"order,omitempty"`
}

// Input is what somebody gives with an action. What an action has no use for
// is refused, but for Text and Evidence, which every action may have.
type Input struct {
	Text     string   `json:"text,omitempty"`     // reason, finding, answer
	Evidence []string `json:"evidence,omitempty"` // names of photos and files in the store
	Writing  string   `json:"writing,omitempty"`  // name of the written request

	Intake     *Intake       `json:"intake,omitempty"`
	Item       string        `json:"item,omitempty"`
	Place      *Place        `json:"place,omitempty"`
	Assignment *Assignment   `json:"assignment,omitempty"`
	Review     time.Time     `json:"review,omitzero"`
	ReplyBy    time.Time     `json:"reply_by,omitzero"`
	Extra      time.Duration `json:"extra_ns,omitzero"` // by the disposal's clock
	Kind       string        `json:"kind,omitempty"`    // of coordination
	Stage      string        `json:"stage,omitempty"`
	Joint      *Joint        `json:"joint,omitempty"`
	Duplicate  int64         `json:"duplicate_of,omitzero"`
	Inspected  *Inspected    `json:"inspected,omitempty"` // of what follows from an inspection: which
}

// Inspected names the item of an inspection.
type Inspected struct {
	Inspection int64 `json:"inspection"`
	Item       int   `json:"item"` // its number
}

// Entry is one line of a case's history: who did what, when, and all that came
// of it. A history is replayed from its entries alone.
type Entry struct {
	Case     int64         `json:"case"`
	Seq      int           `json:"seq"` // from 1, without a gap
	At       time.Time     `json:"at"`
	By       Actor         `json:"by"`
	Action   Action        `json:"action"`
	From     State         `json:"from,omitempty"`
	To       State         `json:"to"`
	Sets     Overlay       `json:"sets,omitzero"`
	Clears   Overlay       `json:"clears,omitzero"`
	Clocks   []ClockChange `json:"clocks,omitempty"`
	Standard string        `json:"standard,omitempty"` // code/version of the standard that it follows
	Rules    string        `json:"rules,omitempty"`    // version of the rules
	Input    Input         `json:"input,omitzero"`

	Emergency bool    `json:"emergency,omitempty"` // at intake: which limits
	Order     *Order  `json:"order,omitempty"`     // with its due time
	Class     *Class  `json:"class,omitempty"`     // of the item, when it was given or looked up anew
	Filing    *Filing `json:"filing,omitempty"`
}

// Joint is a joint duty (1+2+X): who leads, who is core, who joins. Codes are
// of departments as they answer in the case's street.
type Joint struct {
	Template string   `json:"template"` // code
	Lead     string   `json:"lead"`
	Core     []string `json:"core"`
	Joining  []string `json:"joining,omitempty"`
}

// Assignment says to whom a case goes, and why.
type Assignment struct {
	Lead    grid.Department   `json:"lead"`
	Support []grid.Department `json:"support,omitempty"`
	Why     Why               `json:"why"`
}
