package casework

import (
	"context"
	"time"
)

// SavedFilter is what somebody looks for again and again: the query of a queue,
// by a name of his own.
type SavedFilter struct {
	Name  string    `json:"name"`
	Query string    `json:"query"`
	Saved time.Time `json:"saved"`
}

// Filters keeps SavedFilters, by the login of whose they are. It is safe for
// concurrent use.
type Filters interface {
	// Filters are those of login, by name.
	Filters(ctx context.Context, login string) ([]SavedFilter, error)
	// SaveFilter enters one, in the place of what it had by that name. It is
	// Conflict when that would be more than most.
	SaveFilter(ctx context.Context, login string, f SavedFilter, most int) error
	// DropFilter takes one out; NotFound when there is none of that name.
	DropFilter(ctx context.Context, login, name string) error
}
