package attention

import (
	"context"
	"time"
)

// Store keeps who has taken on what. It is safe for concurrent use.
type Store interface {
	// Seen is what was taken on at or after since, by matter.
	Seen(ctx context.Context, since time.Time) (map[string]Seen, error)
	// See enters that who takes a matter on, and returns who has: whoever was
	// first. The audit says so.
	See(ctx context.Context, matter string, seen Seen) (Seen, error)
	// Unsee gives a matter back. It is NotFound when nobody has it. The audit
	// says so.
	Unsee(ctx context.Context, matter string) error
}

// seenFor is how long a matter stays taken on that goes on and on: after that
// somebody has to look again.
const seenFor = 7 * 24 * time.Hour

// Mark enters in matters who has taken them on, and ranks them.
func Mark(ctx context.Context, store Store, matters []Matter, now time.Time) error {
	seen, err := store.Seen(ctx, now.Add(-seenFor))
	if err != nil {
		return err
	}
	for i := range matters {
		matters[i].Seen = nil
		if s, ok := seen[matters[i].ID()]; ok {
			matters[i].Seen = &s
		}
	}
	Rank(matters, now)
	return nil
}
