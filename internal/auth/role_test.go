package auth

import "testing"

func TestDutiesAreSeparate(t *testing.T) {
	for _, r := range append([]Role{Public}, Roles...) {
		if r.May(DraftGenerations) && r.May(PublishGenerations) {
			t.Errorf("%s both drafts and publishes", r)
		}
		if r.May(ManageAccounts) != (r == Administrator) {
			t.Errorf("%s manages accounts: %v", r, r.May(ManageAccounts))
		}
		if r.May(ReadTracks) && (!r.May(WatchPatrols) || r.May(ManageAccounts)) {
			t.Errorf("%s looks at tracks: without seeing patrols, or beside giving accounts", r)
		}
		if r.May(SendPositions) != (r == PatrolDevice) {
			t.Errorf("%s sends positions: %v", r, r.May(SendPositions))
		}
		if r.May(SendFiles) != (r == Public || r.May(ReportCases) || r.May(ActOnCases)) {
			t.Errorf("%s sends files: %v", r, r.May(SendFiles))
		}
		if !r.May(Anyone) {
			t.Errorf("%s may not even see who we are", r)
		}
		for _, a := range Actions {
			if r == Public && a != Anyone && a != SendFiles && a != ReportPublicly && r.May(a) {
				t.Errorf("the public may %s", a)
			}
		}
	}
	if Role("nobody").May(Anyone) {
		t.Error("a role that does not exist may something")
	}
	for _, a := range Actions {
		some := false
		for _, r := range Roles {
			some = some || r.May(a)
		}
		if !some {
			t.Errorf("nobody may %s", a)
		}
	}
}

func TestJurisdiction(t *testing.T) {
	at := Place{Street: "310114004", Grid: "310114004A12", Department: "310114004-S01"}
	for _, tt := range []struct {
		in     string
		ok     bool
		covers bool
	}{
		{"district", true, true},
		{"street:310114004", true, true},
		{"street:310114001", true, false},
		{"village:310114004A12", true, true},
		{"village:310114004A13", true, false},
		{"department:310114004-S01", true, true},
		{"department:D03", true, false},
		{"street", false, false},
		{"district:310114", false, false},
		{"country:1", false, false},
		{"", false, false},
	} {
		j, err := ParseJurisdiction(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("%q: got error %v", tt.in, err)
			continue
		}
		if err == nil && (j.Covers(at) != tt.covers || j.String() != tt.in) {
			t.Errorf("%q: covers %v, prints %q", tt.in, j.Covers(at), j)
		}
	}
	if (Jurisdiction{}).Covers(at) || (Jurisdiction{}).Within(Jurisdiction{Street, "1"}) {
		t.Error("the zero jurisdiction covers something")
	}
}

func TestWithin(t *testing.T) {
	parse := func(s string) Jurisdiction {
		j, err := ParseJurisdiction(s)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	for _, tt := range []struct {
		in, of string
		want   bool
	}{
		{"street:310114004", "district", true},
		{"district", "street:310114004", false},
		{"village:310114004A12", "street:310114004", true},
		{"village:310114001A12", "street:310114004", false},
		{"street:310114004", "street:310114004", true},
		{"department:D03", "street:310114004", false},
		{"department:D03", "department:D03", true},
	} {
		if got := parse(tt.in).Within(parse(tt.of)); got != tt.want {
			t.Errorf("%s within %s: got %v", tt.in, tt.of, got)
		}
	}
}
