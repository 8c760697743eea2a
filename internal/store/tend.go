package store

import (
	"context"
	"time"
)

// Retention is how long each kind of data is kept; zero keeps it for good.
// Events are always kept.
type Retention struct {
	Tracks     time.Duration
	Quarantine time.Duration // and the counts of it
}

// DefaultRetention is what a district begins with.
var DefaultRetention = Retention{Tracks: 90 * 24 * time.Hour, Quarantine: 30 * 24 * time.Hour}

const (
	// tendEvery is how often fixes are put in order: what a reader finds
	// unordered is no more than came in meanwhile.
	tendEvery = 30 * time.Second
	// expireEvery is how often days are dropped that are past their time.
	expireEvery = time.Hour
	// expireRows bounds one transaction of an expiry.
	expireRows = 2000
)

// Tend looks after tracks until ctx ends: it puts in order what came in, and
// drops what is past its time. What fails is logged and tried again. Any number
// of processes may.
func (s *Store) Tend(ctx context.Context, keep Retention, now func() time.Time) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	var expired time.Time
	for {
		if err := s.Compact(ctx, now()); err != nil && ctx.Err() == nil {
			s.log.Warn("tracks cannot be put in order; trying again", "error", err)
		}
		if at := now(); at.Sub(expired) >= expireEvery {
			if err := s.Expire(ctx, at, keep); err == nil {
				expired = at
			} else if ctx.Err() == nil {
				s.log.Warn("what is past its time cannot be dropped; trying again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Compact puts in order what came in: on SQLite it gives fixes their final
// form, on PostgreSQL it brings indexes up to date. Readers see the same before,
// after and meanwhile.
func (s *Store) Compact(ctx context.Context, now time.Time) error {
	return s.fixes.compact(ctx, now.UnixMilli())
}

// Expire drops the days, in Shanghai, that ended longer ago than they are to be
// kept.
func (s *Store) Expire(ctx context.Context, now time.Time, keep Retention) error {
	if keep.Tracks > 0 {
		if err := s.expireTracks(ctx, now.Add(-keep.Tracks).UnixMilli()); err != nil {
			return err
		}
	}
	if keep.Quarantine > 0 {
		return s.expireQuarantine(ctx, dayOf(now.Add(-keep.Quarantine).UnixMilli()))
	}
	return nil
}

func (s *Store) expireTracks(ctx context.Context, before int64) error {
	if err := s.fixes.compact(ctx, before); err != nil { // what came in late may be past its time already
		return err
	}
	var days []int64
	err := s.snapshot(ctx, func(tx *transaction) (err error) {
		days, err = s.fixes.days(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, day := range days {
		if day+dayMS > before {
			break
		}
		if err := s.fixes.drop(ctx, day); err != nil {
			return err
		}
		s.log.Info("tracks dropped", "day", dayName(day))
	}
	return nil
}

// expireQuarantine deletes what was received before a time, a little at a
// time.
func (s *Store) expireQuarantine(ctx context.Context, before int64) error {
	for {
		var n int64
		err := s.update(ctx, func(tx *transaction) error {
			done, err := tx.ExecContext(ctx, `DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE received < $1 ORDER BY received LIMIT $2)`, before, expireRows)
			if err != nil {
				return err
			}
			n, err = done.RowsAffected()
			return err
		})
		if err != nil {
			return err
		}
		if n < expireRows {
			break
		}
	}
	return s.update(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM quarantine_count WHERE day < $1`, dayNumber(before))
		return err
	})
}
