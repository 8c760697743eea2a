package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/auth"
	"lianqin/internal/patrol"
	"lianqin/internal/table"
)

const (
	firstStreet  = "310114001"
	secondStreet = "310114002"
)

var streetOne, streetTwo = auth.Jurisdiction{Level: auth.Street, Code: firstStreet}, auth.Jurisdiction{Level: auth.Street, Code: secondStreet}

// patrolTown is a district of two streets with operators of the district and
// of each street, a team in each, and two units in each.
func patrolTown(t testing.TB, cfg Config) (a *API, district, one, two visitor) {
	a = closedAPI(t, cfg, lattice(t, 8, 2))
	addAccount(t, a, "root", auth.Administrator, auth.WholeDistrict)
	addAccount(t, a, "district", auth.DistrictOperator, auth.WholeDistrict)
	addAccount(t, a, "one", auth.StreetOperator, streetOne)
	addAccount(t, a, "two", auth.StreetOperator, streetTwo)
	district, one, two = signedIn(t, a, "district"), signedIn(t, a, "one"), signedIn(t, a, "two")
	teams := "code,name,street\nT1,一队," + firstStreet + "\nT2,二队,第2街道\n"
	if w := district.call(a, "POST", "/api/v1/teams", teams, "Content-Type", "text/csv"); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	units := "编号,姓名,类别,队伍,街镇,网格,值勤\n" +
		"A1,张一,网格巡防,T1,310114001,310114001U0000 310114001U0100,按排班\n" +
		"A2,张二,车辆,,第1街道,,全天\n" +
		"B1,李一,,T2,310114002,310114002U0400,\n" +
		"B2,李二,机动巡防,T2,310114002,,\n"
	w := district.call(a, "POST", "/api/v1/units/import", units, "Content-Type", "text/csv")
	if got := decode[imported](t, w, 200); got.Created != 4 || got.Changed+got.Same != 0 {
		t.Fatalf("%+v", got)
	}
	return a, district, one, two
}

type unitList struct {
	Revision int64
	Units    []map[string]any
}

func (l unitList) codes() (out []string) {
	for _, u := range l.Units {
		out = append(out, u["code"].(string))
	}
	return out
}

func TestUnitsOverHTTP(t *testing.T) {
	a, district, one, _ := patrolTown(t, Config{})
	all := decode[unitList](t, district.call(a, "GET", "/api/v1/units", ""), 200)
	if got, want := all.codes(), []string{"A1", "A2", "B1", "B2"}; !slices.Equal(got, want) {
		t.Fatalf("units %v, want %v", got, want)
	}
	want := map[string]any{"id": 1.0, "code": "A1", "name": "张一", "kind": "grid-patrol", "team": "T1", "street": firstStreet, "duty": "roster",
		"grids": []any{"310114001U0000", "310114001U0100"}}
	if diff := cmp.Diff(want, all.Units[0]); diff != "" {
		t.Error(diff)
	}
	if all.Units[1]["duty"] != "always" || all.Units[1]["kind"] != "vehicle" || all.Units[2]["duty"] != "roster" || all.Units[2]["kind"] != "grid-patrol" {
		t.Errorf("words of the file: %v", all.Units[1:])
	}
	w := one.call(a, "POST", "/api/v1/units", `{"code":"A3","name":"王三","street":"`+firstStreet+`","team":"T1","grids":["310114001U0001"]}`)
	if made := decode[map[string]any](t, w, 201); made["id"] != 5.0 || w.Header().Get("Location") != "/api/v1/units/A3" {
		t.Errorf("made %v at %q", made, w.Header().Get("Location"))
	}
	changed := decode[map[string]any](t, one.call(a, "PATCH", "/api/v1/units/A3", `{"name":"王四","grids":[],"retired":true}`), 200)
	if changed["name"] != "王四" || changed["team"] != "T1" || changed["retired"] != testNow.Format(time.RFC3339) {
		t.Errorf("changed %v", changed)
	}
	if got := decode[unitList](t, one.call(a, "GET", "/api/v1/units", ""), 200).codes(); !slices.Equal(got, []string{"A1", "A2"}) {
		t.Errorf("who serves: %v", got)
	}
	if got := decode[unitList](t, one.call(a, "GET", "/api/v1/units?retired=1", ""), 200).codes(); !slices.Equal(got, []string{"A1", "A2", "A3"}) {
		t.Errorf("with the retired: %v", got)
	}
	again := decode[map[string]any](t, one.call(a, "PATCH", "/api/v1/units/A3", `{"retired":false}`), 200)
	if _, still := again["retired"]; still {
		t.Errorf("taken back: %v", again)
	}
	if got := decode[unitList](t, district.call(a, "GET", "/api/v1/units?street="+firstStreet+"&team=T1", ""), 200).codes(); !slices.Equal(got, []string{"A1", "A3"}) {
		t.Errorf("of a team: %v", got)
	}
	for _, tt := range []struct {
		method, path, body, says string
		status                   int
	}{
		{"POST", "/api/v1/units", `{"code":"A1","name":"x","street":"310114001"}`, "already", 409},
		{"POST", "/api/v1/units", `{"code":"N1","name":"","street":"310114001"}`, "name", 400},
		{"POST", "/api/v1/units", `{"code":"N1","name":"x","street":"310114001","kind":"tank"}`, "tank", 400},
		{"POST", "/api/v1/units", `{"code":"N1","name":"x","street":"310114001","team":"T2"}`, "T2", 400},
		{"POST", "/api/v1/units", `{"code":"N1","name":"x","street":"310114001","grids":["nowhere"]}`, "nowhere", 400},
		{"POST", "/api/v1/units", `{"code":"N1","name":"x","street":"310114009"}`, "310114009", 403},
		{"POST", "/api/v1/units", `{"code":"N1","nickname":"x"}`, "nickname", 400},
		{"PATCH", "/api/v1/units/A1", `{"code":"A9"}`, "does not change", 400},
		{"PATCH", "/api/v1/units/N1", `{"name":"x"}`, "N1", 404},
		{"GET", "/api/v1/units/N1", "", "N1", 404},
		{"GET", "/api/v1/units?street=nowhere", "", "nowhere", 400},
		{"GET", "/api/v1/units?retired=perhaps", "", "perhaps", 400},
	} {
		w := district.call(a, tt.method, tt.path, tt.body)
		if p := wantProblem(t, w, tt.status); !strings.Contains(p.Detail, tt.says) {
			t.Errorf("%s %s %s: %+v", tt.method, tt.path, tt.body, p)
		}
	}
}

// TestUnitsAreTold304 until the roll changes.
func TestUnitsAreTold304(t *testing.T) {
	a, district, one, _ := patrolTown(t, Config{})
	tag := district.call(a, "GET", "/api/v1/units", "").Header().Get("ETag")
	if w := district.call(a, "GET", "/api/v1/units", "", "If-None-Match", tag); w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("unchanged: %d", w.Code)
	}
	if w := one.call(a, "GET", "/api/v1/units", "", "If-None-Match", tag); w.Code != 200 || w.Header().Get("Cache-Control") != "private, no-cache" {
		t.Errorf("another's list: %d %v", w.Code, w.Header())
	}
	district.call(a, "PATCH", "/api/v1/units/B1", `{"name":"李三"}`)
	if w := district.call(a, "GET", "/api/v1/units", "", "If-None-Match", tag); w.Code != 200 || !strings.Contains(w.Body.String(), "李三") {
		t.Errorf("changed: %d", w.Code)
	}
}

func TestUnitsOfOthersAreNotThere(t *testing.T) {
	a, _, one, two := patrolTown(t, Config{})
	addAccount(t, a, "station", auth.VillageStation, auth.Jurisdiction{Level: auth.Village, Code: "310114001U0100"})
	addAccount(t, a, "handler", auth.Inspector, auth.Jurisdiction{Level: auth.Department, Code: "D1"})
	link, _ := holder(t, a, auth.Link, auth.WholeDistrict)
	for name, tt := range map[string]struct {
		who  visitor
		want []string
	}{
		"street one":               {one, []string{"A1", "A2"}},
		"street two":               {two, []string{"B1", "B2"}},
		"a village, those it has":  {signedIn(t, a, "station"), []string{"A1"}},
		"a department has nobody":  {signedIn(t, a, "handler"), nil},
		"a share link of them all": {link, []string{"A1", "A2", "B1", "B2"}},
	} {
		got := decode[unitList](t, tt.who.call(a, "GET", "/api/v1/units", ""), 200)
		if !slices.Equal(got.codes(), tt.want) {
			t.Errorf("%s: %v, want %v", name, got.codes(), tt.want)
		}
		for _, u := range got.Units {
			if named := u["name"] != ""; named == strings.Contains(name, "link") {
				t.Errorf("%s: names of people: %v", name, u)
			}
		}
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/api/v1/units/A1", "", 404},
		{"PATCH", "/api/v1/units/A1", `{"name":"x"}`, 404},
		{"POST", "/api/v1/units", `{"code":"A1","name":"x","street":"310114002"}`, 404}, // another's code tells nothing of its unit
		{"POST", "/api/v1/units", `{"code":"N1","name":"x","street":"310114001"}`, 403},
		{"PATCH", "/api/v1/units/B1", `{"street":"310114001","team":""}`, 403},
		{"POST", "/api/v1/teams", `{"code":"T1","name":"x","street":"310114002"}`, 409},
		{"POST", "/api/v1/teams", `{"code":"T9","name":"x","street":"310114001"}`, 403},
		{"GET", "/api/v1/units/A1/track", "", 404},
		{"GET", "/api/v1/events?unit=A1", "", 404},
		{"GET", "/api/v1/quarantine?unit=A1", "", 404},
		{"POST", "/api/v1/devices", `{"name":"x","unit":"A1"}`, 400},
	} {
		if w := two.call(a, tt.method, tt.path, tt.body); w.Code != tt.status {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, w.Code, w.Body, tt.status)
		}
	}
	var teams struct{ Teams []patrol.Team }
	if err := json.Unmarshal(two.call(a, "GET", "/api/v1/teams", "").Body.Bytes(), &teams); err != nil || len(teams.Teams) != 1 || teams.Teams[0].Code != "T2" {
		t.Errorf("teams of street two: %+v, %v", teams, err)
	}
}

// TestImportTellsEveryBadRow and enters none of them.
func TestImportTellsEveryBadRow(t *testing.T) {
	a, district, one, _ := patrolTown(t, Config{})
	file := "code,name,kind,team,street,grids\n" +
		"A1,张一,网格巡防,T1,310114001,310114001U0000\n" + // good: none is entered beside bad ones
		"N1,,,,310114001,\n" +
		"N2,某,坦克,,310114001,\n" +
		"\n" +
		",某,,,310114001,\n" +
		"N3,某,,T9,310114001,\n" +
		"N4,某,,,310114001,310114001U0000;nowhere\n" +
		"N2,某,,,310114001,\n" +
		"N5,某,,,310114001,,too,many\n"
	p := wantSheetFaults(t, district.call(a, "POST", "/api/v1/units/import", file, "Content-Type", "text/csv"))
	got := make(map[string]string)
	for _, f := range p {
		got[fmt.Sprintf("%d %s", f.Line, f.Column)] = f.Value
	}
	want := map[string]string{"3 name": "", "4 kind": "坦克", "6 code": "", "7 team": "T9", "8 grids": "310114001U0000;nowhere", "9 code": "N2", "10 ": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := decode[unitList](t, district.call(a, "GET", "/api/v1/units", ""), 200); len(got.Units) != 4 || len(got.Units[0]["grids"].([]any)) != 2 {
		t.Errorf("something was entered: %v", got)
	}
	// What is another's is told as if it were not there; what is bad of it, too.
	p = wantSheetFaults(t, one.call(a, "POST", "/api/v1/units/import", "code,name,street\nB1,x,310114001\nC1,x,310114002\n", "Content-Type", "text/csv"))
	if len(p) != 2 || p[0].Line != 2 || p[1].Line != 3 || p[1].Column != "street" {
		t.Errorf("another street's: %+v", p)
	}
	// Columns that are not there stay.
	sum := decode[imported](t, district.call(a, "POST", "/api/v1/units/import", "code,name\nA1,张三\nA2,张二\n", "Content-Type", "application/octet-stream"), 200)
	if sum.Changed != 1 || sum.Same != 1 || sum.Created != 0 {
		t.Errorf("%+v", sum)
	}
	for body, says := range map[string]string{"": "empty", "code\n": "without rows", "name\nx\n": "no column code", "code,naem\nA1,x\n": "naem"} {
		if p := wantProblem(t, district.call(a, "POST", "/api/v1/units/import", body), 400); !strings.Contains(p.Detail, says) {
			t.Errorf("%q: %+v", body, p)
		}
	}
}

func wantSheetFaults(t *testing.T, w interface {
	Result() *http.Response
}) []table.CellFault {
	t.Helper()
	var p struct {
		Status int
		Errors []table.CellFault
		Count  int `json:"error_count"`
	}
	if err := json.NewDecoder(w.Result().Body).Decode(&p); err != nil || p.Status != 400 || p.Count != len(p.Errors) || p.Count == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	return p.Errors
}

func TestEditsOfPatrolsAreAudited(t *testing.T) {
	a, district, _, _ := patrolTown(t, Config{})
	district.call(a, "PATCH", "/api/v1/units/A1", `{"retired":true}`)
	district.call(a, "POST", "/api/v1/devices", `{"name":"电话","unit":"B1"}`)
	text := signedIn(t, a, "root").call(a, "GET", "/api/v1/audit?limit=1000", "").Body.String()
	for _, want := range []string{`"action":"team.create","subject":"T1"`, `"action":"unit.create","subject":"B2"`, `"action":"unit.retire","subject":"A1"`, `"action":"device.issue"`, `"action":"device.bind"`, `"who":"district"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the audit chain lacks %s", want)
		}
	}
}
