package casework

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Turn turns the switch between normal work and emergency, which who does, for
// a reason.
func (d *Desk) Turn(ctx context.Context, emergency bool, by, reason string) error {
	err := d.store.UpdateSetting(ctx, func(s *Setting) (*SettingChange, error) {
		m := ModeChange{At: instant(d.cfg.Now()), Emergency: emergency, By: by, Reason: reason}
		if _, err := s.Modes.With(m); err != nil {
			return nil, err
		}
		return &SettingChange{Mode: &m, Note: m}, nil
	})
	if err != nil {
		return err
	}
	return d.Reload(ctx)
}

// EditCatalogue makes the next version out of the last by e, in force from
// that instant on; what an Edit refuses is refused.
func (d *Desk) EditCatalogue(ctx context.Context, from time.Time, e Edit) ([]Difference, error) {
	return d.nextCatalogue(ctx, from, func(last *Catalogue) (*Catalogue, []Difference, error) { return last.Edit(e, from) })
}

// ImportCatalogue makes c the next version, in force from that instant on. It
// is Invalid when that is not after the last one's, and Conflict when c is the
// same as the last.
func (d *Desk) ImportCatalogue(ctx context.Context, from time.Time, c *Catalogue) ([]Difference, error) {
	return d.nextCatalogue(ctx, from, func(last *Catalogue) (*Catalogue, []Difference, error) {
		next := c.Numbered(last.Number()+1, from)
		if !next.From().After(last.From()) {
			return nil, nil, fault.InvalidField("from", "%s is not after %s, when version %d came into force",
				next.From().Format(time.RFC3339), last.From().Format(time.RFC3339), last.Number())
		}
		diff := Differences(last, next)
		if len(diff) == 0 {
			return nil, nil, fault.New(fault.Conflict, "the catalogue says all this already, since version %d", last.Number())
		}
		return next, diff, nil
	})
}

// nextCatalogue enters what next makes of the last version. A version does not
// come into force in the past: cases were filed by what was in force then.
func (d *Desk) nextCatalogue(ctx context.Context, from time.Time, next func(last *Catalogue) (*Catalogue, []Difference, error)) ([]Difference, error) {
	if now := d.cfg.Now(); from.Before(now.Add(-clockSkew)) {
		return nil, fault.InvalidField("from", "%s is past", from.Format(time.RFC3339))
	}
	var diff []Difference
	err := d.store.UpdateSetting(ctx, func(s *Setting) (*SettingChange, error) {
		if len(s.Catalogues) == 0 {
			return nil, fault.New(fault.Conflict, "there is no catalogue yet")
		}
		var c *Catalogue
		var err error
		if c, diff, err = next(s.Catalogues[len(s.Catalogues)-1]); err != nil {
			return nil, err
		}
		return &SettingChange{Catalogue: c, Note: diff}, nil
	})
	if err != nil {
		return nil, err
	}
	return diff, d.Reload(ctx)
}

// ImportCalendar enters a table of days: those of every year that it knows
// stand in the place of ours. Due times that were given stay as they are. It
// is Conflict when nothing changes.
func (d *Desk) ImportCalendar(ctx context.Context, days *WorkingCalendar) error {
	err := d.store.UpdateSetting(ctx, func(s *Setting) (*SettingChange, error) {
		ours, err := d.ready(s)
		if err != nil {
			return nil, err
		}
		text, err := daysText(ours.procedure.Calendar.With(days))
		if err != nil {
			return nil, err
		}
		if text == s.Calendar {
			return nil, fault.New(fault.Conflict, "the calendar says all this already")
		}
		return &SettingChange{Calendar: text, Note: days.Years()}, nil
	})
	if err != nil {
		return err
	}
	return d.Reload(ctx)
}

// ImportStandards enters versions of standards: those of a code and number that
// are there take the place of them, all others stay. Histories that cite them
// go on doing so. It is Conflict when nothing changes, and Invalid when a
// version would come into force no later than the one before it.
func (d *Desk) ImportStandards(ctx context.Context, versions *Register) error {
	err := d.store.UpdateSetting(ctx, func(s *Setting) (*SettingChange, error) {
		ours, err := d.ready(s)
		if err != nil {
			return nil, err
		}
		old := ours.procedure.Standards
		next, err := old.With(versions)
		if err != nil {
			return nil, err
		}
		var changed []Standard
		for _, v := range next.standards {
			if !slices.Contains(old.standards, v) {
				changed = append(changed, v)
			}
		}
		if len(changed) == 0 {
			return nil, fault.New(fault.Conflict, "the register says all this already")
		}
		var text strings.Builder
		if err := next.WriteStandards(&text); err != nil {
			return nil, err
		}
		return &SettingChange{Standards: text.String(), Note: changed}, nil
	})
	if err != nil {
		return err
	}
	return d.Reload(ctx)
}

// Precedents are all rulings, the latest first, each with where it lies by the
// borders in force.
func (d *Desk) Precedents() ([]PlacedPrecedent, error) {
	x, err := d.index(d.cfg.Now())
	if err != nil {
		return nil, err
	}
	var out []PlacedPrecedent
	for _, rulings := range d.set.Load().precedents.byItem {
		for _, p := range rulings {
			place := PlaceAt(x, p.At, 0, "")
			out = append(out, PlacedPrecedent{p, place.Street, place.GridCode})
		}
	}
	slices.SortFunc(out, func(a, b PlacedPrecedent) int {
		return cmp.Or(b.Ruled.Compare(a.Ruled), cmp.Compare(b.Case, a.Case))
	})
	return out, nil
}
