package httpapi

import "testing"

// TestRules: the pages' forms offer what the rules know, and name the standards
// that histories cite.
func TestRules(t *testing.T) {
	town := newCaseTown(t)
	got := decode[struct {
		OrderDays    []int                   `json:"order_days"`
		Coordination []struct{ Code string } `json:"coordination"`
		Joint        []struct {
			Code, Lead string
			Core       []string
			MaxJoining int `json:"max_joining"`
		}
		Standards []struct {
			Code, Name string
			Version    int
		}
	}](t, town.team.call(town, "GET", "/api/v1/rules", ""), 200)
	if len(got.Coordination) != 3 || got.Coordination[0].Code != "meeting" || len(got.OrderDays) != 3 {
		t.Errorf("%+v", got)
	}
	if len(got.Joint) == 0 || len(got.Joint[0].Core) != 2 || got.Joint[0].MaxJoining != 6 || got.Joint[0].Lead != "S02" {
		t.Errorf("%+v", got.Joint)
	}
	named := false
	for _, s := range got.Standards {
		named = named || s.Code == "B03" && s.Version == 1 && s.Name != ""
	}
	if !named {
		t.Errorf("%+v", got.Standards)
	}
	if w := town.team.call(town, "GET", "/api/v1/rules?x=1", ""); w.Code != 400 {
		t.Errorf("a parameter that there is not: %d", w.Code)
	}
}
