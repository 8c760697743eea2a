package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
	"lianqin/internal/store/storetest"
)

const password = "correct horse battery"

// gate is a Gate on s whose clock the test moves, with an administrator.
func gate(t *testing.T, s *Store) (*auth.Gate, *time.Time) {
	t.Helper()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	g := auth.NewGate(s.Accounts(), func() time.Time { return now })
	addAccount(t, g, "admin", auth.Administrator, auth.WholeDistrict)
	return g, &now
}

func addAccount(t *testing.T, g *auth.Gate, login string, role auth.Role, j auth.Jurisdiction) {
	t.Helper()
	hash, err := g.HashPassword(t.Context(), login, password)
	if err != nil {
		t.Fatal(err)
	}
	err = g.SetAccount(t.Context(), auth.Operator("root"), login, func(a *auth.Account) error {
		a.Name, a.Role, a.Jurisdiction, a.PasswordHash = "某某", role, j, hash
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func signIn(t *testing.T, g *auth.Gate, login string) (auth.Caller, string) {
	t.Helper()
	_, secret, err := g.SignIn(t.Context(), login, password, "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.Caller(t.Context(), secret, "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return c, secret
}

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		g, now := gate(t, open(t, url))
		street := auth.Jurisdiction{Level: auth.Street, Code: "310114004"}
		addAccount(t, g, "wang", auth.StreetOperator, street)
		c, secret := signIn(t, g, "wang")
		if c.Name != "wang" || c.Role != auth.StreetOperator || c.Jurisdiction != street || c.CSRF != auth.CSRFToken(secret) {
			t.Errorf("caller = %+v", c)
		}
		for name, try := range map[string][2]string{
			"a wrong password": {"wang", password + "x"}, "an unknown login": {"nobody", password}, "nothing": {"", ""},
		} {
			if _, _, err := g.SignIn(t.Context(), try[0], try[1], "10.0.0.9"); fault.KindOf(err) != fault.Denied || err.Error() != "wrong login or password" {
				t.Errorf("%s: got %v", name, err)
			}
		}
		denied := func(what, secret string) {
			t.Helper()
			if _, err := g.Caller(t.Context(), secret, "10.0.0.1"); fault.KindOf(err) != fault.Denied {
				t.Errorf("%s: got %v", what, err)
			}
		}
		denied("an invented secret", auth.NewSecret(auth.Session))
		// Used every half hour it lasts until its absolute end.
		for range 2*int(auth.SessionLife/time.Hour) - 1 {
			*now = now.Add(30 * time.Minute)
			if _, err := g.Caller(t.Context(), secret, "10.0.0.1"); err != nil {
				t.Fatalf("at %v: %v", now, err)
			}
		}
		*now = now.Add(30 * time.Minute)
		denied("past its absolute end", secret)
		_, idle := signIn(t, g, "wang")
		*now = now.Add(auth.SessionIdle)
		denied("left idle", idle)
		first, one := signIn(t, g, "wang")
		_, two := signIn(t, g, "wang")
		if err := g.SignOutEverywhere(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		denied("signed out everywhere, here", one)
		denied("signed out everywhere, there", two)
	})
}

func TestAChangedAccountLosesItsSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		g, _ := gate(t, open(t, url))
		addAccount(t, g, "wang", auth.DistrictOperator, auth.WholeDistrict)
		for name, tt := range map[string]struct {
			ends   bool
			change func(*auth.Account)
		}{
			"another name":     {false, func(a *auth.Account) { a.Name = "王五" }},
			"another role":     {true, func(a *auth.Account) { a.Role = auth.Viewer }},
			"a narrower place": {true, func(a *auth.Account) { a.Jurisdiction = auth.Jurisdiction{Level: auth.Street, Code: "310114001"} }},
			"disabled":         {true, func(a *auth.Account) { a.Disabled = true }},
		} {
			err := g.SetAccount(t.Context(), auth.Operator("root"), "wang", func(a *auth.Account) error {
				a.Disabled, a.Role, a.Jurisdiction = false, auth.DistrictOperator, auth.WholeDistrict
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			_, secret := signIn(t, g, "wang")
			err = g.SetAccount(t.Context(), auth.Operator("root"), "wang", func(a *auth.Account) error { tt.change(a); return nil })
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := g.Caller(t.Context(), secret, "10.0.0.1"); (err != nil) != tt.ends {
				t.Errorf("%s: the session gives %v", name, err)
			}
		}
		if _, _, err := g.SignIn(t.Context(), "admin", password, "10.0.0.1"); err != nil {
			t.Error(err)
		}
		err := g.SetAccount(t.Context(), auth.Operator("root"), "admin", func(a *auth.Account) error { a.Disabled = true; return nil })
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("disabling the last administrator: got %v", err)
		}
	})
}

func TestDevicesAndLinks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		g, now := gate(t, open(t, url))
		mine, other := auth.Jurisdiction{Level: auth.Street, Code: "310114004"}, auth.Jurisdiction{Level: auth.Street, Code: "310114001"}
		addAccount(t, g, "wang", auth.StreetOperator, mine)
		addAccount(t, g, "zhao", auth.StreetOperator, other)
		wang, _ := signIn(t, g, "wang")
		zhao, _ := signIn(t, g, "zhao")

		device := auth.Token{Kind: auth.Device, Name: "平板 12", Jurisdiction: mine}
		secret, err := g.Issue(t.Context(), wang, &device)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Issue(t.Context(), wang, &auth.Token{Kind: auth.Device, Name: "x", Jurisdiction: other}); fault.KindOf(err) != fault.Denied {
			t.Errorf("a device of another street: got %v", err)
		}
		c, err := g.Caller(t.Context(), secret, "10.2.0.1")
		if err != nil || c.Role != auth.PatrolDevice || c.Jurisdiction != mine || c.CSRF != "" {
			t.Errorf("the device is %+v, %v", c, err)
		}
		for _, tt := range []struct {
			who  auth.Caller
			want int
		}{{wang, 1}, {zhao, 0}, {auth.Operator("root"), 1}} {
			if got, err := g.Tokens(t.Context(), tt.who, auth.Device); len(got) != tt.want || err != nil {
				t.Errorf("%s sees %d devices, want %d (%v)", tt.who.Name, len(got), tt.want, err)
			}
		}
		if err := g.Revoke(t.Context(), zhao, device.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("revoked from another street: got %v", err)
		}
		if err := g.Revoke(t.Context(), wang, device.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Caller(t.Context(), secret, "10.2.0.1"); fault.KindOf(err) != fault.Denied {
			t.Errorf("a revoked device: got %v", err)
		}

		link := auth.Token{Kind: auth.Link, Name: "大屏", Jurisdiction: auth.WholeDistrict, Expires: now.Add(time.Hour)}
		if secret, err = g.Issue(t.Context(), auth.Operator("root"), &link); err != nil {
			t.Fatal(err)
		}
		if c, err := g.Caller(t.Context(), secret, "10.2.0.2"); err != nil || c.Role != auth.Viewer {
			t.Errorf("the link is %+v, %v", c, err)
		}
		*now = now.Add(time.Hour)
		if _, err := g.Caller(t.Context(), secret, "10.2.0.2"); fault.KindOf(err) != fault.Denied {
			t.Errorf("an expired link: got %v", err)
		}
	})
}

func TestAuditChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		g, _ := gate(t, s)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for k := range 10 {
					if err := g.Note(context.Background(), auth.Event{Who: fmt.Sprint("u", i), Action: "test", Subject: fmt.Sprint(k), After: auth.Detail(map[string]int{"k": k})}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		head, err := g.VerifyAudit(t.Context())
		if err != nil || head.Seq != 81 {
			t.Fatalf("head %+v, %v", head, err)
		}
		boom := errors.New("boom")
		err = s.Accounts().Change(t.Context(), func(tx auth.Tx) error {
			if err := tx.Append(auth.Event{At: time.UnixMilli(1), Action: "never"}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
		if again, err := g.VerifyAudit(t.Context()); err != nil || again != head {
			t.Errorf("after a change that failed: %+v, %v", again, err)
		}
		for _, harm := range []string{`UPDATE audit SET who = 'x' WHERE seq = 5`, `DELETE FROM audit WHERE seq = 5`} {
			if _, err := s.writer.Exec(harm); fault.KindOf(s.faultOf(err)) != fault.Conflict {
				t.Errorf("%s: got %v", harm, err)
			}
		}
		// Someone with the file in hand takes the guard away first.
		drop := map[string]string{"sqlite": `DROP TRIGGER audit_delete`, "postgres": `DROP TRIGGER audit_change ON audit`}[s.d.name]
		for _, q := range []string{drop, `DELETE FROM audit WHERE seq = 5`} {
			if _, err := s.writer.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := g.VerifyAudit(t.Context()); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a row missing: got %v", err)
		}
	})
}

func TestAuditIsReadInPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		err := s.Accounts().Change(t.Context(), func(tx auth.Tx) error {
			for i := range 9 { // rows 1 to 9: a b a b …, of which every third is a look
				e := auth.Event{At: time.UnixMilli(int64(i)), Who: string("ab"[i%2 : i%2+1]), Action: "change"}
				if i%3 == 2 {
					e.Action = "look"
				}
				if err := tx.Append(e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			q    auth.AuditQuery
			want []int64
		}{
			{auth.AuditQuery{}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{auth.AuditQuery{After: 7}, []int64{8, 9}},
			{auth.AuditQuery{After: 9}, nil},
			{auth.AuditQuery{Limit: 2}, []int64{1, 2}},
			{auth.AuditQuery{Limit: 2, Latest: true}, []int64{9, 8}},
			{auth.AuditQuery{Limit: 3, Latest: true, Before: 5}, []int64{4, 3, 2}},
			{auth.AuditQuery{After: 2, Before: 5}, []int64{3, 4}},
			{auth.AuditQuery{Who: "b"}, []int64{2, 4, 6, 8}},
			{auth.AuditQuery{Who: "b", Action: "look", Latest: true}, []int64{6}},
			{auth.AuditQuery{Action: "look", Latest: true, Before: 9, Limit: 1}, []int64{6}},
			{auth.AuditQuery{Who: "' OR 1=1 --"}, nil},
		} {
			var got []int64
			head, err := s.Accounts().Audit(t.Context(), tt.q, func(e auth.Entry) error {
				got = append(got, e.Seq)
				return nil
			})
			if err != nil || head.Seq != 9 || !slices.Equal(got, tt.want) {
				t.Errorf("%+v: got %v of %d, %v, want %v", tt.q, got, head.Seq, err, tt.want)
			}
		}
	})
}

func TestAccountRoundTrip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		a := auth.Account{Login: "li", Name: "李", Role: auth.Viewer, Jurisdiction: auth.Jurisdiction{Level: auth.Department, Code: "D03"},
			Subject: "https://id.example s1", Disabled: true, PasswordHash: "h", Created: time.UnixMilli(1).UTC(), Changed: time.UnixMilli(2).UTC()}
		err := s.Accounts().Change(t.Context(), func(tx auth.Tx) error { return tx.PutAccount(a) })
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Accounts().Account(t.Context(), "li")
		if diff := cmp.Diff(a, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		b := a
		b.Login = "wang"
		if err := s.Accounts().Change(t.Context(), func(tx auth.Tx) error { return tx.PutAccount(b) }); fault.KindOf(err) != fault.Conflict {
			t.Errorf("one identity for two accounts: got %v", err)
		}
		if _, err := s.writer.Exec(`DELETE FROM account`); err == nil {
			t.Error("an account was deleted")
		}
	})
}
