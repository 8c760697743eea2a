package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/store/storetest"
)

// deviceToken puts a token of that ID there, as a device's binding needs one.
func deviceToken(t testing.TB, s *Store, id string) {
	t.Helper()
	err := s.Accounts().Change(t.Context(), func(tx auth.Tx) error {
		return tx.PutToken(auth.Token{ID: id, Hash: auth.HashSecret(id), Kind: auth.Device, Name: id, Role: auth.PatrolDevice,
			Jurisdiction: auth.WholeDistrict, Created: day(2026, 1, 1), Expires: day(2027, 1, 1), LastSeen: day(2026, 1, 1)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// change enters c and returns the roll's revision after it.
func change(t testing.TB, s *Store, c *patrol.RollChange) int64 {
	t.Helper()
	n, err := s.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func shift(unit patrol.UnitID, post patrol.Post, from, to time.Time) patrol.Shift {
	return patrol.Shift{Unit: unit, Post: post, From: from, To: to}
}

func TestRoll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		r := s.Register()
		deviceToken(t, s, "d1")
		deviceToken(t, s, "d2")
		now := time.Now().UTC().Truncate(time.Hour)
		if n, err := r.RollRevision(t.Context()); n != 0 || err != nil {
			t.Fatalf("an empty roll: revision %d, %v", n, err)
		}
		c := &patrol.RollChange{
			Teams: []patrol.Team{{Code: "T1", Name: "一队", Street: "310114001"}},
			Units: []patrol.Unit{
				{Code: "P001", Name: "王", Kind: patrol.GridPatrol, Team: "T1", Street: "310114001", Grids: []grid.ID{7, 3}},
				{Code: "V001", Name: "车", Kind: patrol.Vehicle, Street: "310114002", Duty: patrol.Always, Retired: now},
			},
			Audit: []patrol.Note{{Who: "li", Role: "administrator", Address: "::1", Action: "unit.create", Subject: "P001", After: []byte(`{"code":"P001"}`)}},
		}
		if n := change(t, s, c); n != 1 || c.Units[0].ID != 1 || c.Units[1].ID != 2 {
			t.Fatalf("revision %d, %+v", n, c.Units)
		}
		change(t, s, &patrol.RollChange{
			Devices: []patrol.Device{{ID: "d1", Unit: 1, Datum: geo.GCJ02, SpeedMPS: true, Terminal: "13800000001"}, {ID: "d2"}},
			Shifts: []patrol.Shift{
				shift(1, patrol.PatrolPost, now, now.Add(8*time.Hour)),
				shift(1, patrol.PatrolPost, now.Add(24*time.Hour), now.Add(32*time.Hour)),
				shift(2, patrol.EmergencyPost, now.Add(-60*24*time.Hour), now.Add(-59*24*time.Hour)),
				shift(2, patrol.EmergencyPost, now.Add(-31*24*time.Hour), now.Add(-30*24*time.Hour)),
			}})
		want := &patrol.Roll{
			Revision: 2, Teams: c.Teams,
			Units: []patrol.Unit{
				{ID: 1, Code: "P001", Name: "王", Kind: patrol.GridPatrol, Team: "T1", Street: "310114001", Grids: []grid.ID{3, 7}, Duty: patrol.ByRoster},
				{ID: 2, Code: "V001", Name: "车", Kind: patrol.Vehicle, Street: "310114002", Duty: patrol.Always, Retired: now},
			},
			Devices: []patrol.Device{{ID: "d1", Unit: 1, Datum: geo.GCJ02, SpeedMPS: true, Terminal: "13800000001"}, {ID: "d2", Datum: geo.WGS84}},
			Shifts: []patrol.Shift{
				shift(1, patrol.PatrolPost, now, now.Add(8*time.Hour)),
				shift(1, patrol.PatrolPost, now.Add(24*time.Hour), now.Add(32*time.Hour)),
				shift(2, patrol.EmergencyPost, now.Add(-31*24*time.Hour), now.Add(-30*24*time.Hour)),
			}}
		if got, err := r.Roll(t.Context()); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v: %s", err, cmp.Diff(want, got))
		}
		// A shift of ten to eighteen replaces what it touches, and not what ends
		// when it begins.
		change(t, s, &patrol.RollChange{
			Units:   []patrol.Unit{{ID: 1, Code: "P002", Name: "王", Kind: patrol.MobilePatrol, Street: "310114003"}},
			Shifts:  []patrol.Shift{shift(1, patrol.PatrolPost, now.Add(8*time.Hour), now.Add(25*time.Hour))},
			Replace: []patrol.Shift{{Unit: 1, From: now.Add(8 * time.Hour), To: now.Add(25 * time.Hour)}}})
		want.Revision = 3
		want.Units[0] = patrol.Unit{ID: 1, Code: "P002", Name: "王", Kind: patrol.MobilePatrol, Street: "310114003", Duty: patrol.ByRoster}
		want.Shifts[1] = patrol.Shift{Unit: 1, Post: patrol.PatrolPost, From: now.Add(8 * time.Hour), To: now.Add(25 * time.Hour)}
		if got, err := r.Roll(t.Context()); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v: %s", err, cmp.Diff(want, got))
		}

		chain := 0
		_, err := s.Accounts().Audit(t.Context(), auth.AuditQuery{}, func(e auth.Entry) error {
			chain++
			if e.Who != "li" || e.Action != "unit.create" || e.Subject != "P001" || string(e.After) != `{"code":"P001"}` || e.Before != nil {
				t.Errorf("audit: %+v", e)
			}
			return nil
		})
		if err != nil || chain != 1 {
			t.Errorf("%d rows of audit, %v", chain, err)
		}
	})
}

func TestRollRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		deviceToken(t, s, "d1")
		deviceToken(t, s, "d2")
		unit := patrol.Unit{Code: "P001", Kind: patrol.GridPatrol, Street: "310114001"}
		change(t, s, &patrol.RollChange{Units: []patrol.Unit{unit}, Devices: []patrol.Device{{ID: "d1", Unit: 1, Terminal: "1"}}})
		now := time.Now()
		for _, tt := range []struct {
			name string
			c    patrol.RollChange
			want fault.Kind
		}{
			{"a code twice", patrol.RollChange{Units: []patrol.Unit{unit}}, fault.Conflict},
			{"a terminal twice", patrol.RollChange{Devices: []patrol.Device{{ID: "d2", Terminal: "1"}}}, fault.Conflict},
			{"a device without a token", patrol.RollChange{Devices: []patrol.Device{{ID: "d9"}}}, fault.Invalid},
			{"a device of nobody", patrol.RollChange{Devices: []patrol.Device{{ID: "d2", Unit: 9}}}, fault.Invalid},
			{"a change of no unit", patrol.RollChange{Units: []patrol.Unit{{ID: 9, Code: "P009", Kind: patrol.Vehicle, Street: "310114001"}}}, fault.NotFound},
			{"a team that is none", patrol.RollChange{Units: []patrol.Unit{{Code: "P009", Kind: patrol.Vehicle, Team: "T9", Street: "310114001"}}}, fault.Invalid},
			{"a kind that is none", patrol.RollChange{Units: []patrol.Unit{{Code: "P009", Kind: "dog", Street: "310114001"}}}, fault.Invalid},
			{"a shift that ends before it begins", patrol.RollChange{Shifts: []patrol.Shift{shift(1, patrol.PatrolPost, now, now.Add(-1))}}, fault.Invalid},
		} {
			tt.c.Audit = []patrol.Note{{Who: "li", Action: "unit.create"}}
			_, err := s.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) { return &tt.c, nil })
			if fault.KindOf(err) != tt.want {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
			}
		}
		stop := errors.New("stop")
		if _, err := s.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) { return nil, stop }); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		n, err := s.Register().UpdateRoll(t.Context(), func(*patrol.Roll) (*patrol.RollChange, error) { return nil, nil })
		if n != 1 || err != nil {
			t.Errorf("no change: revision %d, %v", n, err)
		}
		if n, err := s.Register().RollRevision(t.Context()); n != 1 || err != nil {
			t.Errorf("revision %d, %v", n, err)
		}
		if _, err := s.Accounts().Audit(t.Context(), auth.AuditQuery{}, func(e auth.Entry) error { return fmt.Errorf("%+v", e) }); err != nil {
			t.Errorf("the audit chain tells what was not done: %v", err)
		}
		if _, err := s.writer.Exec(`DELETE FROM unit`); err == nil {
			t.Error("a unit was deleted")
		}
	})
}

// TestRollByTwo lets two processes add to the roll what each sees missing.
func TestRollByTwo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		const each = 20
		var wg sync.WaitGroup
		for range 2 {
			r := open(t, url).Register()
			wg.Go(func() {
				for range each {
					_, err := r.UpdateRoll(t.Context(), func(roll *patrol.Roll) (*patrol.RollChange, error) {
						return &patrol.RollChange{Units: []patrol.Unit{{Code: fmt.Sprintf("P%03d", len(roll.Units)+1), Kind: patrol.GridPatrol, Street: "310114001"}}}, nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		roll, err := open(t, url).Register().Roll(t.Context())
		if err != nil || roll.Revision != 2*each || len(roll.Units) != 2*each {
			t.Fatalf("revision %d, %d units, %v", roll.Revision, len(roll.Units), err)
		}
		for i, u := range roll.Units {
			if u.ID != patrol.UnitID(i+1) || u.Code != fmt.Sprintf("P%03d", i+1) {
				t.Errorf("unit %d is %+v", i+1, u)
			}
		}
	})
}
