package casework

import (
	"context"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Preview is what opening a case would say, without opening one: to whom it
// would go, or which question would have to be asked, and what may be the same.
// Item may be empty, and then there is nothing to be asked. It is Invalid
// outside the district.
func (d *Desk) Preview(ctx context.Context, item string, at Position, captured time.Time) (*Opened, error) {
	s, now := d.set.Load(), d.cfg.Now()
	place, err := d.place(&at, captured)
	if err != nil {
		return nil, err
	}
	out := &Opened{Case: Case{Item: item, Place: place, Captured: captured, Received: now}, Outcome: Outcome{Place: place}}
	if item == "" {
		return out, nil
	}
	if out.Outcome, err = d.explain(s, item, &at, grid.None, captured, now); err != nil {
		return nil, err
	}
	out.Duplicates, err = d.duplicates(ctx, s, &out.Case)
	return out, err
}

// maxTries bounds how often something is entered again on a case that others
// change.
const maxTries = 5

// AddReport adds what somebody else says of an open case. What was added once,
// by its key, is not added again.
func (d *Desk) AddReport(ctx context.Context, id int64, who Actor, key SendKey, in Input) (*Record, error) {
	for try := 1; ; try++ {
		if r, err := d.sent(ctx, key); err != nil || r != nil {
			return r, err
		}
		r, err := d.Case(ctx, id)
		if err != nil {
			return nil, err
		}
		after, err := d.Act(ctx, Deed{Case: id, Seq: r.Case.Seq, By: []Actor{who}, Action: AddReport, Input: in, Key: key})
		if err == nil {
			after.Entries = append(r.Entries, after.Entries...)
			return after, nil
		}
		// That it moved on meanwhile does not matter to what is added.
		if moved := fault.KindOf(err) == fault.Conflict && r.Case.State.Open(); !moved || try == maxTries {
			return nil, err
		}
	}
}

// Often is how many cases of each item, by code, came in in [from, to).
func (d *Desk) Often(from, to time.Time) map[string]int { return d.book.often(from, to) }

func (b *Book) often(from, to time.Time) map[string]int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	counts := make([]int, len(b.named[itemwise].all))
	b.each(&Query{From: from, To: to, AsOf: to}, func(r *row) {
		if r.Received >= from.UnixMilli() && r.Received < to.UnixMilli() {
			counts[r.keys[itemwise]]++
		}
	})
	out := make(map[string]int, len(counts))
	for i, code := range b.named[itemwise].all {
		out[code] = counts[i]
	}
	return out
}
