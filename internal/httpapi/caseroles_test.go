package httpapi

import (
	"testing"

	"lianqin/internal/auth"
)

// TestDividedCentre: where a centre's work is divided, each does his own part
// and no other's, in his own street.
func TestDividedCentre(t *testing.T) {
	town := newCaseTown(t)
	who := func(login string, role auth.Role, j auth.Jurisdiction) visitor {
		addAccount(t, town.API, login, role, j)
		return signedIn(t, town.API, login)
	}
	type part struct {
		name string
		visitor
	}
	clerk, leader, dispatcher := part{"clerk", who("clerk", auth.AcceptanceClerk, streetOne)}, part{"leader", who("leader", auth.ShiftLeader, streetOne)}, part{"dispatcher", who("dispatcher", auth.Dispatcher, streetOne)}
	deputy := part{"deputy", who("deputy", auth.DeputyDirector, auth.WholeDistrict)}
	elsewhere := who("elsewhere", auth.ShiftLeader, streetTwo)
	parts := []part{clerk, leader, dispatcher, deputy}

	c := town.report(t, town.device, 0, 0)
	wantProblem(t, town.page(elsewhere, c.Case.ID).ResponseRecorder, 404)
	for _, step := range []struct {
		by             part
		action, fields string
	}{
		{clerk, "accept", ""},
		{leader, "file", ""},
		{dispatcher, "dispatch", ""},
		{part{"team", town.team}, "take", ""},
		{part{"team", town.team}, "ask-extension", `,"text":"材料未到","extra_ns":28800000000000`},
		{leader, "extend", `,"text":"同意","extra_ns":28800000000000`},
		{deputy, "extend-again", `,"text":"同意","writing":"书面申请","extra_ns":28800000000000`},
	} {
		for _, p := range parts {
			if p.name != step.by.name {
				wantProblem(t, town.act(p.visitor, c, step.action, step.fields).ResponseRecorder, 403)
			}
		}
		c = decode[caseAnswer](t, town.act(step.by.visitor, c, step.action, step.fields).ResponseRecorder, 200)
	}
	// A deputy director is the district's alone.
	none := who("none", auth.DeputyDirector, streetOne)
	if got := decode[caseAnswer](t, town.page(none, c.Case.ID).ResponseRecorder, 200).allowed(); len(got) != 0 {
		t.Errorf("a deputy director of a street may %v", got)
	}
	for _, tt := range []struct {
		who    part
		path   string
		body   string
		status int
	}{
		{leader, "/api/v1/mode", `{"emergency":true,"reason":"台风"}`, 403}, // not the district's
		{deputy, "/api/v1/mode", `{"emergency":true,"reason":"台风"}`, 200},
		{dispatcher, "/api/v1/cases", `{"text":"x"}`, 403},
		{clerk, "/api/v1/orders", `{}`, 403},
	} {
		if w := tt.who.call(town, "POST", tt.path, tt.body); w.Code != tt.status {
			t.Errorf("%s at %s: %d %s", tt.who.name, tt.path, w.Code, w.Body)
		}
	}
}
