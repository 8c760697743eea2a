package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"lianqin/internal/fault"
)

// Event is one thing that somebody did, for the audit chain. Before and After
// are JSON of what changed, without secrets; nil where they have no meaning.
type Event struct {
	At      time.Time       `json:"at"` // to the millisecond, UTC
	Who     string          `json:"who"`
	Role    Role            `json:"role"`
	Address string          `json:"address"`
	Action  string          `json:"action"` // as "account.create"
	Subject string          `json:"subject"`
	Before  json.RawMessage `json:"before,omitempty"`
	After   json.RawMessage `json:"after,omitempty"`
}

// Entry is an Event in its place in the chain. Each Hash covers the one before
// it, so that no row can be changed, taken out or put in without breaking all
// that follow. Seq begins at 1 and has no gap.
type Entry struct {
	Seq  int64  `json:"seq"`
	Prev string `json:"prev"`
	Hash string `json:"hash"`
	Event
}

// Head is the end of the chain, kept apart from its rows, so that a row missing
// at the end is missed as well. The zero Head is an empty chain's.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Append makes the entry that follows h.
func (h Head) Append(e Event) Entry {
	e.At = e.At.UTC().Truncate(time.Millisecond)
	entry := Entry{Seq: h.Seq + 1, Prev: h.Hash, Event: e}
	entry.Hash = entry.sum()
	return entry
}

// sum hashes every field, each with its length before it.
func (e *Entry) sum() string {
	h := sha256.New()
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	number(e.Seq)
	number(e.At.UnixMilli())
	for _, s := range []string{e.Prev, e.Who, string(e.Role), e.Address, e.Action, e.Subject, string(e.Before), string(e.After)} {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// AuditQuery chooses entries of the chain. Zero fields choose all.
type AuditQuery struct {
	After, Before int64  // only entries with After < Seq and, unless it is 0, Seq < Before
	Who, Action   string // only what this one did, only this; empty is any
	Limit         int    // at most so many; 0 is no limit
	Latest        bool   // begin with the newest, and go back
}

// Verifier walks a chain from its first entry. Its zero value is ready.
type Verifier struct{ head Head }

// Next is Conflict, naming the row, when e does not follow what came before.
func (v *Verifier) Next(e Entry) error {
	switch {
	case e.Seq != v.head.Seq+1:
		return fault.New(fault.Conflict, "audit row %d is missing: row %d follows row %d", v.head.Seq+1, e.Seq, v.head.Seq)
	case e.Prev != v.head.Hash:
		return fault.New(fault.Conflict, "audit row %d does not follow row %d: a row was put in or taken out", e.Seq, v.head.Seq)
	case e.Hash != e.sum():
		return fault.New(fault.Conflict, "audit row %d (%s, %s) was changed", e.Seq, e.Action, e.At.Format(time.RFC3339))
	}
	v.head = Head{e.Seq, e.Hash}
	return nil
}

// End is Conflict when the rows walked do not reach the chain's head.
func (v *Verifier) End(h Head) error {
	if v.head != h {
		return fault.New(fault.Conflict, "the audit chain ends at row %d, and %d rows were written", v.head.Seq, h.Seq)
	}
	return nil
}

// Detail is v as JSON for an Event; v must not hold secrets.
func Detail(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage(fmt.Sprintf("%q", err.Error()))
	}
	return b
}
