package patrol_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

func registry(t testing.TB, s *store.Store) *patrol.Registry {
	t.Helper()
	r, err := patrol.OpenRegistry(t.Context(), s.Register())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// chief may edit what is of street S0.
var chief = patrol.Editor{Who: "li", Role: "street-operator", Address: "::1", May: func(street string) bool { return street == "S0" }}

func token(t testing.TB, s *store.Store, id string) {
	t.Helper()
	now := time.Now()
	err := s.Accounts().Change(t.Context(), func(tx auth.Tx) error {
		return tx.PutToken(auth.Token{ID: id, Hash: auth.HashSecret(id), Kind: auth.Device, Name: id, Role: auth.PatrolDevice,
			Jurisdiction: auth.WholeDistrict, Created: now, Expires: now.AddDate(1, 0, 0), LastSeen: now})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRegistryEdits(t *testing.T) {
	each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		s := reopen(t, url)
		r := registry(t, s)
		ctx := t.Context()
		if err := r.EnterTeams(ctx, chief, []patrol.Team{{Code: "T1", Name: "一队", Street: "S0"}}); err != nil {
			t.Fatal(err)
		}
		fill := func(i int, u *patrol.Unit) error {
			if u.ID != 0 {
				return fault.New(fault.Conflict, "there is a unit %q", u.Code)
			}
			u.Name, u.Team, u.Street, u.Grids = fmt.Sprint("员", i), "T1", "S0", []grid.ID{7, 3, 7}
			return nil
		}
		made, err := r.UpdateUnits(ctx, chief, []string{"A", "B"}, fill)
		if err != nil || len(made) != 2 || made[0].ID == 0 || made[1].ID == 0 {
			t.Fatalf("%+v, %v", made, err)
		}
		a, ok := r.UnitByCode("A")
		want := patrol.Unit{ID: made[0].ID, Code: "A", Name: "员0", Kind: patrol.GridPatrol, Team: "T1", Street: "S0", Grids: []grid.ID{3, 7}, Duty: patrol.ByRoster}
		if diff := cmp.Diff(&want, a); !ok || diff != "" {
			t.Errorf("%v: %s", ok, diff)
		}

		// All or nothing, everything told.
		_, err = r.UpdateUnits(ctx, chief, []string{"C", "A", "", "C"}, fill)
		rows, ok := err.(patrol.RowErrors)
		if !ok || len(rows) != 3 || rows[0].Row != 1 || rows[1].Row != 2 || rows[2].Row != 3 || fault.KindOf(err) != fault.Conflict || fault.FieldOf(rows[1].Err) != "code" {
			t.Errorf("%v", err)
		}
		if _, ok := r.UnitByCode("C"); ok {
			t.Error("C was entered all the same")
		}
		stranger := chief
		stranger.May = func(string) bool { return false }
		if _, err := r.UpdateUnits(ctx, stranger, []string{"A"}, func(int, *patrol.Unit) error { return nil }); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another street's unit: %v", err)
		}

		token(t, s, "d1")
		token(t, s, "d2")
		if err := r.BindDevice(ctx, chief, patrol.Device{ID: "d1", Unit: a.ID, Datum: "cgcs2000", Terminal: "00138"}); err != nil {
			t.Fatal(err)
		}
		if d, ok := r.Terminal("138"); !ok || d.ID != "d1" || d.Unit != a.ID || d.Datum != geo.WGS84 {
			t.Errorf("%+v, %v", d, ok)
		}
		for name, d := range map[string]patrol.Device{
			"another's terminal": {ID: "d2", Terminal: "138"},
			"a datum":            {ID: "d2", Datum: "mars"},
			"no number":          {ID: "d2", Terminal: "12x"},
			"no such unit":       {ID: "d2", Unit: 99},
		} {
			if err := r.BindDevice(ctx, chief, d); err == nil || fault.FieldOf(err) == "" {
				t.Errorf("%s: %v", name, err)
			}
		}

		// Another process sees it, and its edit is seen.
		other := registry(t, reopen(t, url))
		if other.Revision() != r.Revision() {
			t.Errorf("revision %d here, %d there", r.Revision(), other.Revision())
		}
		follow, stop := context.WithCancel(ctx)
		followed := make(chan struct{})
		go func() { defer close(followed); r.Follow(follow, func(err error) { t.Error(err) }) }()
		from := time.Now().Truncate(time.Hour)
		shift := patrol.Shift{Unit: a.ID, Post: patrol.PatrolPost, From: from, To: from.Add(8 * time.Hour)}
		if err := other.EnterShifts(ctx, chief, []patrol.Shift{shift}, false); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the shift is known here", func() bool { return r.OnDuty(a.ID, from.UnixMilli()) })
		stop()
		<-followed
		if err := r.RemoveShifts(ctx, chief, a.ID, from, from.Add(time.Millisecond)); err != nil || r.OnDuty(a.ID, from.UnixMilli()) {
			t.Errorf("a removed shift: %v, on duty %v", err, r.OnDuty(a.ID, from.UnixMilli()))
		}
		if _, err := r.UpdateUnits(ctx, chief, []string{"A"}, func(_ int, u *patrol.Unit) error { u.Retired = from; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := r.EnterShifts(ctx, chief, []patrol.Shift{shift}, false); fault.FieldOf(err) != "unit" {
			t.Errorf("a shift of who is retired: %v", err)
		}

		var did []string
		_, err = s.Accounts().Audit(ctx, auth.AuditQuery{Who: "li"}, func(e auth.Entry) error {
			did = append(did, e.Action+" "+e.Subject)
			return nil
		})
		wantDid := []string{"team.create T1", "unit.create A", "unit.create B", "device.bind d1", "roster.change A", "roster.change A", "unit.retire A"}
		if diff := cmp.Diff(wantDid, did); err != nil || diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
	})
}

// TestTwoEditorsAtOnce has both create the same unit: one of them is told.
func TestTwoEditorsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		one, other := registry(t, reopen(t, url)), registry(t, reopen(t, url))
		errs := make(chan error, 2)
		for _, r := range []*patrol.Registry{one, other} {
			go func() {
				_, err := r.UpdateUnits(t.Context(), chief, []string{"A"}, func(_ int, u *patrol.Unit) error {
					if u.ID != 0 {
						return fault.New(fault.Conflict, "there is one")
					}
					u.Name, u.Street = "张三", "S0"
					return nil
				})
				errs <- err
			}()
		}
		a, b := <-errs, <-errs
		if a != nil {
			a, b = b, a
		}
		if a != nil || fault.KindOf(b) != fault.Conflict {
			t.Errorf("%v and %v", a, b)
		}
	})
}
