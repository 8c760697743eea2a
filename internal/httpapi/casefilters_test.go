package httpapi

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestSavedFilters(t *testing.T) {
	town := newCaseTown(t)
	path := func(name string) string { return "/api/v1/filters/" + url.PathEscape(name) }
	list := func(v visitor) (out string) {
		for _, f := range decode[struct {
			Filters []struct{ Name, Query string }
		}](t, v.call(town, "GET", "/api/v1/filters", ""), 200).Filters {
			out += f.Name + "=" + f.Query + ";"
		}
		return out
	}
	for _, f := range [][2]string{{"超时", `?due=overdue`}, {"a/b 占道", `item=0701&q=%E5%8D%A0`}, {"超时", `due=near&street=` + firstStreet}} {
		decode[struct{ Name string }](t, town.one.call(town, "PUT", path(f[0]), `{"query":"`+f[1]+`"}`), 200)
	}
	if got := list(town.one); got != "a/b 占道=item=0701&q=%E5%8D%A0;超时=due=near&street="+firstStreet+";" {
		t.Error(got)
	}
	if got := list(town.two); got != "" {
		t.Errorf("another's: %s", got)
	}
	for _, tt := range []struct{ name, query, parameter string }{
		{" x", "", "name"}, {strings.Repeat("名", 65), "", "name"}, {"x", "mood=good", "query"}, {"x", "due=soon", "query"}, {"x", "limit=3", "query"}, {"x", "street=" + secondStreet, "query"},
		{"x", strings.Repeat("q", 2001), "query"},
	} {
		if p := wantProblem(t, town.one.call(town, "PUT", path(tt.name), `{"query":"`+tt.query+`"}`), 400); p.Parameter != tt.parameter {
			t.Errorf("%q %q: %+v", tt.name, tt.query, p)
		}
	}
	for i := range maxFilters - 2 {
		decode[struct{ Name string }](t, town.one.call(town, "PUT", path(fmt.Sprint("f", i)), `{"query":""}`), 200)
	}
	wantProblem(t, town.one.call(town, "PUT", path("more"), `{"query":""}`), 409)
	if w := town.one.call(town, "DELETE", path("a/b 占道"), ""); w.Code != 204 {
		t.Error(w.Body)
	}
	wantProblem(t, town.one.call(town, "DELETE", path("a/b 占道"), ""), 404)
	wantProblem(t, town.device.call(town, "GET", "/api/v1/filters", ""), 404)
	wantProblem(t, town.admin.call(town, "GET", "/api/v1/filters", ""), 403)
}
