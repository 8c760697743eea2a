package store

import (
	"context"
	"strconv"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/grid"
)

// auditChange puts what a change of the ledger does into the audit chain, in
// the change's own transaction: one event for the step that somebody took. A
// rollback's record and check are parts of its publication.
func auditChange(ctx context.Context, tx *transaction, c *grid.Change) error {
	switch {
	case len(c.Terms) > 0:
		next := c.Terms[len(c.Terms)-1] // those before it are what is left of replaced ones
		e := generationEvent(ctx, "generation.publish", next.Generation, next.By, next.Recorded)
		if len(c.Replaced) > 0 {
			e.Before = auth.Detail(map[string][]grid.Term{"terms": c.Replaced})
		}
		e.After = auth.Detail(struct {
			Terms  []grid.Term  `json:"terms"`
			Record *grid.Record `json:"generation,omitempty"` // when earlier content comes back
		}{c.Terms, c.Record})
		return appendAudit(ctx, tx, e)
	case c.Record != nil:
		e := generationEvent(ctx, "generation.import", c.Record.Number, c.Record.Author, c.Record.Imported)
		e.After = auth.Detail(c.Record)
		return appendAudit(ctx, tx, e)
	case c.Check != nil:
		e := generationEvent(ctx, "generation.check", c.Check.Generation, c.Check.By, c.Check.At)
		e.After = auth.Detail(struct {
			Check    int64  `json:"check"`
			Hash     string `json:"hash"`
			Base     int    `json:"base"`
			Sound    bool   `json:"sound"`
			Findings int    `json:"findings"` // the row of that check has them
		}{c.Check.ID, c.Check.Hash, c.Check.Base, c.Check.Sound, len(c.Check.Findings)})
		return appendAudit(ctx, tx, e)
	}
	return nil
}

// generationEvent names the caller on whose behalf ctx works or, for the
// program's own commands, the one that the change names.
func generationEvent(ctx context.Context, action string, number int, by string, at time.Time) auth.Event {
	who, ok := auth.CallerFrom(ctx)
	if !ok {
		who = auth.Operator(by)
	}
	e := who.Event(action, strconv.Itoa(number))
	e.At = at
	return e
}
