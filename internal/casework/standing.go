package casework

import (
	"context"
	"slices"
	"strings"
	"time"
)

// IndexAt is Index for a past time: the cases that q asks for as they stood
// then, by what was due, where and whose as it was known then. What was made
// void since was there, too.
func (d *Desk) IndexAt(ctx context.Context, q Search, at time.Time) ([]*Kept, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	q.AsOf = at
	m := matcher{&q, strings.Fields(strings.ToLower(q.Words))}
	out := []*Kept{}
	err := d.store.Standing(ctx, at, func(entries []Entry) error {
		n := 0
		for n < len(entries) && !entries[n].At.After(at) {
			n++
		}
		c, err := Replay(entries[:n])
		if err != nil {
			return err
		}
		if k := KeptOf(&c); n > 0 && m.matches(k) {
			k.Facts = nil
			out = append(out, k)
		}
		return ctx.Err()
	})
	slices.SortFunc(out, byDue)
	return out, err
}
