package httpapi

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/grid"
)

// figuresRead are figures as a client reads them.
type figuresRead struct {
	From time.Time
	AsOf time.Time `json:"as_of"`
	By   map[string][]struct {
		Key, Also, Name string
		AlsoName        string `json:"also_name"`
		Figures         []casework.Figure
	}
	Before     *window
	Indicators []definition
	Topics     []casework.Topic
}

// of is the figure of an indicator in a line; the pair's keys are joined as
// a*b.
func (f *figuresRead) of(by, key, indicator string) casework.Figure {
	for _, l := range f.By[by] {
		if l.Key == key || l.Also != "" && l.Key+"*"+l.Also == key {
			for _, x := range l.Figures {
				if x.Indicator == indicator {
					return x
				}
			}
		}
	}
	return casework.Figure{}
}

func (f *figuresRead) number(by, key, indicator string) int64 {
	return f.of(by, key, indicator).Numerator
}

// figuresPath asks for figures of the days around now.
func figuresPath(rest string) string {
	return "/api/v1/indicators" + rest + "from=" + testNow.AddDate(0, 0, -1).Format(time.DateOnly) + "&to=" + testNow.AddDate(0, 0, 2).Format(time.DateOnly)
}

const formula = `=HYPERLINK(\"http://evil.test\",\"x\")`

// figuresTown has six cases, three of them accepted: two in the first street
// and one in the second.
func figuresTown(t testing.TB) *caseTown {
	town := newCaseTown(t)
	for i := range 6 {
		body := `{"channel":"public","item":"0701","text":"` + formula + `","position":` + at(i, 0) + `,"reporter":{"name":"陈","contact":"13912345678"}}`
		c := decode[caseAnswer](t, town.district.call(town, "POST", "/api/v1/cases", body), 201)
		if i%2 != 0 {
			continue
		}
		for _, action := range []string{"ask-verification"} {
			c = decode[caseAnswer](t, town.act(town.district, c, action, "").ResponseRecorder, 200)
		}
		c = decode[caseAnswer](t, town.act(town.device, c, "verify", `,"evidence":["`+town.photo(t, town.device)+`"]`).ResponseRecorder, 200)
		decode[caseAnswer](t, town.act(town.district, c, "accept", "").ResponseRecorder, 200)
	}
	return town
}

func TestIndicatorsOverHTTP(t *testing.T) {
	town, shanghai := figuresTown(t), testNow.In(grid.Zone)
	month, day, hour := shanghai.Format("2006-01"), shanghai.Format(time.DateOnly), shanghai.Format("15")
	all := decode[figuresRead](t, town.district.call(town, "GET", figuresPath("?by=district,street,grid,department,item,major,channel,topic,month,day,hour,street*month,grid*item&before=1&"), ""), 200)
	for _, tt := range []struct {
		by, key            string
		received, accepted int64
		name               string
	}{
		{"district", "", 6, 3, ""},
		{"street", firstStreet, 4, 2, "一街"}, {"street", secondStreet, 2, 1, "二街"},
		{"grid", firstStreet + "U0000", 1, 1, ""}, {"department", "", 6, 3, ""},
		{"item", "0701", 6, 3, "占道设摊"}, {"major", "07", 6, 3, "街面秩序"}, {"channel", "public", 6, 3, "公众上报"},
		{"topic", "stalls", 6, 3, "流动设摊"}, {"topic", "enforcement", 6, 3, "执法类案件"},
		{"month", month, 6, 3, ""}, {"day", day, 6, 3, ""}, {"hour", hour, 6, 3, ""},
		{"street*month", firstStreet + "*" + month, 4, 2, ""}, {"grid*item", firstStreet + "U0000*0701", 1, 1, ""},
	} {
		if r, a := all.number(tt.by, tt.key, "received"), all.number(tt.by, tt.key, "accepted"); r != tt.received || a != tt.accepted {
			t.Errorf("%s %q: %d received and %d accepted, want %d and %d", tt.by, tt.key, r, a, tt.received, tt.accepted)
		}
		for _, l := range all.By[tt.by] {
			if l.Key == tt.key && tt.name != "" && l.Name != tt.name && tt.by != "street" {
				t.Errorf("%s %q is called %q, want %q", tt.by, tt.key, l.Name, tt.name)
			}
		}
	}
	f := all.of("district", "", "disposal-of-accepted")
	if f.Denominator != 3 || f.Before == nil || !f.AsOf.Equal(all.AsOf) || f.Rules != casework.IndicatorRules {
		t.Errorf("%+v", f)
	}
	if all.Before == nil || !all.Before.From.Equal(all.From.AddDate(-1, 0, 0)) || len(all.Indicators) != len(casework.Indicators) || len(all.Topics) != 4 {
		t.Errorf("before %+v, %d indicators, %d topics", all.Before, len(all.Indicators), len(all.Topics))
	}
	for _, d := range all.Indicators {
		if d.Name == "" || d.Text == "" || d.Numerator.Name == "" || d.Numerator.Text == "" || d.Count == (d.Denominator != nil) {
			t.Errorf("%+v is not defined", d)
		}
	}
	few := decode[figuresRead](t, town.district.call(town, "GET", figuresPath("?indicators=accepted,disposal&topic=robbery&"), ""), 200)
	if len(few.Indicators) != 2 || len(few.By["district"][0].Figures) != 2 || few.number("district", "", "accepted") != 0 {
		t.Errorf("%+v", few)
	}
	own := decode[figuresRead](t, town.two.call(town, "GET", figuresPath("?by=street&"), ""), 200)
	if len(own.By["street"]) != 1 || own.number("street", secondStreet, "accepted") != 1 {
		t.Errorf("a street sees %+v", own)
	}
	wantProblem(t, town.two.call(town, "GET", figuresPath("?street="+firstStreet+"&"), ""), 404)
}

type figureCasesRead struct {
	Total, Withheld int
	Distinct        int `json:"cases_in_all"`
	Cases           []struct {
		ID    int64
		State string
		Item  string
	}
	After int64
}

func (f figureCasesRead) ids() (out []int64) {
	for _, c := range f.Cases {
		out = append(out, c.ID)
	}
	return out
}

func TestCasesBehindAFigure(t *testing.T) {
	town := figuresTown(t)
	read := func(v visitor, rest string) figureCasesRead {
		return decode[figureCasesRead](t, v.call(town, "GET", figuresPath("/"+rest+"&"), ""), 200)
	}
	page := read(town.district, "accepted/cases?part=numerator&limit=2")
	if page.Total != 3 || page.Distinct != 3 || !slices.Equal(page.ids(), []int64{1, 3}) || page.After != 3 || page.Cases[0].State != "accepted" || page.Cases[0].Item != "0701" {
		t.Errorf("%+v", page)
	}
	if page = read(town.district, "accepted/cases?part=numerator&limit=2&after=3"); !slices.Equal(page.ids(), []int64{5}) || page.After != 0 {
		t.Errorf("%+v", page)
	}
	for _, tt := range []struct {
		name string
		who  visitor
		rest string
		want []int64
	}{
		{"a rate's denominator", town.district, "disposal-of-accepted/cases?part=denominator", []int64{1, 3, 5}},
		{"its numerator", town.district, "disposal-of-accepted/cases?part=numerator", nil},
		{"a street", town.district, "accepted/cases?part=numerator&street=" + secondStreet, []int64{5}},
		{"one's own", town.one, "accepted/cases?part=numerator", []int64{1, 3}},
		{"that nobody leads", town.district, "received/cases?part=numerator&department=-", []int64{1, 2, 3, 4, 5, 6}},
		{"a topic", town.district, "received/cases?part=numerator&topic=stalls&street=" + secondStreet, []int64{5, 6}},
		{"this hour", town.district, "received/cases?part=numerator&hour=" + testNow.In(grid.Zone).Format("15"), []int64{1, 2, 3, 4, 5, 6}},
		{"another", town.district, "received/cases?part=numerator&hour=" + testNow.In(grid.Zone).Add(time.Hour).Format("15"), nil},
	} {
		if got := read(tt.who, tt.rest); !slices.Equal(got.ids(), tt.want) || got.Total != len(tt.want) {
			t.Errorf("%s: %v of %d, want %v", tt.name, got.ids(), got.Total, tt.want)
		}
	}
	// Who sees figures and not cases.
	link, _ := holder(t, town.API, auth.Link, auth.WholeDistrict)
	for _, v := range []visitor{link, town.admin} {
		decode[figuresRead](t, v.call(town, "GET", figuresPath("?"), ""), 200)
		wantProblem(t, v.call(town, "GET", figuresPath("/accepted/cases?part=numerator&"), ""), 403)
	}
	// Nobody has the one without the other.
	for _, role := range auth.Roles {
		if both := role.May(auth.ReadIndicators) && role.May(auth.ReadCases); both != role.May(auth.ReadFigureCases) {
			t.Errorf("a %s may read figures and cases %v, and the cases behind figures %v", role, both, role.May(auth.ReadFigureCases))
		}
	}
}

func TestFiguresAsFiles(t *testing.T) {
	town := figuresTown(t)
	// The figures as CSV say what JSON says.
	all := decode[figuresRead](t, town.district.call(town, "GET", figuresPath("?by=district,street,street*month&before=1&"), ""), 200)
	w := town.district.call(town, "GET", figuresPath("?by=district,street,street*month&before=1&format=csv&bom=1&"), "")
	text, marked := strings.CutPrefix(w.Body.String(), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if w.Code != 200 || !marked || err != nil || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") || !strings.Contains(w.Header().Get("Content-Disposition"), ".csv") {
		t.Fatal(w.Code, marked, err, w.Header())
	}
	lines := 0
	for _, l := range all.By {
		lines += len(l)
	}
	if len(rows) != 1+lines*len(casework.Indicators) {
		t.Errorf("%d rows for %d lines", len(rows), lines)
	}
	for _, r := range rows[1:] {
		key := r[1]
		if r[3] != "" {
			key += "*" + r[3]
		}
		f := all.of(r[0], key, r[5])
		want := fmt.Sprintf("%d/%d", f.Numerator, f.Denominator)
		if got := strings.TrimSuffix(r[8]+"/"+r[9], "/"); got != strings.TrimSuffix(want, "/0") && f.Denominator != 0 || r[18] != all.AsOf.Format(time.RFC3339) || r[19] != casework.IndicatorRules {
			t.Errorf("%v, want %s", r, want)
		}
	}
	if w := town.district.call(town, "GET", figuresPath("?format=csv&"), ""); strings.HasPrefix(w.Body.String(), "\ufeff") {
		t.Error("a mark that nobody asked for")
	}

	w = town.district.call(town, "GET", figuresPath("?before=1&format=xlsx&"), "")
	if w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	book, err := excelize.OpenReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if d := cmp.Diff([]string{"总览 Overview", "街镇 Streets", "网格 Grids", "部门 Departments", "小类 Items", "大类 Majors", "渠道 Channels", "专题 Topics", "月 Months", "同比 Year on year", "指标定义 Definitions"}, book.GetSheetList()); d != "" {
		t.Error(d)
	}
	streets, err := book.GetRows("街镇 Streets")
	if err != nil {
		t.Fatal(err)
	}
	if len(streets) != 4 || streets[2][0] != firstStreet || streets[2][2] != "4" || streets[2][3] != "2" || streets[3][2] != "2" {
		t.Errorf("%v", streets)
	}
	defined, err := book.GetRows("指标定义 Definitions")
	if err != nil || len(defined) != 1+len(casework.Indicators) {
		t.Errorf("%d definitions, %v", len(defined), err)
	}
	pair := town.district.call(town, "GET", figuresPath("?by=street*month&format=xlsx&"), "")
	if book, err = excelize.OpenReader(bytes.NewReader(pair.Body.Bytes())); err != nil || !slices.Contains(book.GetSheetList(), "街镇×月 Streets×Months") {
		t.Errorf("%v, %v", book.GetSheetList(), err)
	}
}

// TestCasesAsFiles: nothing in a file is executed, and nobody's name is in it.
func TestCasesAsFiles(t *testing.T) {
	town := figuresTown(t)
	plain := strings.ReplaceAll(formula, `\`, "")
	w := town.one.call(town, "GET", figuresPath("/received/cases?part=numerator&format=csv&"), "")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if w.Code != 200 || err != nil || len(rows) != 5 {
		t.Fatal(w.Code, err, rows)
	}
	if last := rows[1][len(rows[1])-1]; last != "'"+plain {
		t.Errorf("the text is %q", last)
	}
	if rows[1][0] != "1" || rows[1][4] != "0701" || rows[1][5] != "占道设摊" || rows[1][7] != firstStreet {
		t.Errorf("%v", rows[1])
	}
	w = town.one.call(town, "GET", figuresPath("/received/cases?part=numerator&format=xlsx&"), "")
	book, err := excelize.OpenReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	table, err := book.GetRows("案件 Cases")
	if err != nil || len(table) != 5 {
		t.Fatal(table, err)
	}
	if last := table[1][len(table[1])-1]; last != plain {
		t.Errorf("the text is %q", last)
	}
	for column := range len(table[0]) {
		cell, _ := excelize.CoordinatesToCellName(column+1, 2)
		if f, err := book.GetCellFormula("案件 Cases", cell); err != nil || f != "" {
			t.Errorf("%s is the formula %q, %v", cell, f, err)
		}
	}
	for _, row := range append(rows, table...) {
		if line := strings.Join(row, " "); strings.Contains(line, "陈") || strings.Contains(line, "13912345678") {
			t.Errorf("%s tells who reported it", line)
		}
	}
	entries := town.inspector.call(town, "GET", "/api/v1/audit?action=cases.export", "").Body.String()
	if strings.Count(entries, `"cases.export"`) != 2 || !strings.Contains(entries, "received") {
		t.Errorf("the audit says %s", entries)
	}
}
