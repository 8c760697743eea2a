package casework

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

const smallDepartments = `code,name,level
C01,区联勤和城市网格化综合管理中心,district
U02,区自来水公司,district
T03,嘉定镇街道,street
S02,街镇城管执法中队,street
S14,物业服务企业,street
S15,村居综治联勤工作站,street
`

const itemHeader = "code,major_code,major_name,name,kind,lead_department,support_departments,response_minutes,disposal_hours,clock,xiaolianqin_key\n"

func small(t *testing.T, rows string) (*Catalogue, error) {
	t.Helper()
	return ReadCatalogue(strings.NewReader(smallDepartments), strings.NewReader(itemHeader+rows))
}

func TestItem(t *testing.T) {
	c, err := small(t, "0101,01,公用设施,给水井盖缺损,component,U02,S02;S15,30,4,calendar,1\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Item("0101")
	if err != nil {
		t.Fatal(err)
	}
	want := &Item{Code: "0101", Name: "给水井盖缺损", Major: Major{"01", "公用设施"}, Kind: Component, Lead: "U02",
		Support: []string{"S02", "S15"}, ResponseMinutes: 30, DisposalHours: 4, Clock: Calendar, Key: true}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("item 0101 (-want +got):\n%s", d)
	}
	if _, err := c.Item("9999"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("item 9999: got %v, want not-found", err)
	}
	if len(c.Hash()) != 64 {
		t.Errorf("hash %q", c.Hash())
	}
	other, err := small(t, "0101,01,公用设施,给水井盖缺损,component,U02,S02;S15,30,8,calendar,1\n")
	if err != nil {
		t.Fatal(err)
	}
	if other.Hash() == c.Hash() {
		t.Error("another disposal limit has the same hash")
	}
}

func TestMistakesAreNamed(t *testing.T) {
	const good = "0101,01,公用设施,给水井盖缺损,component,U02,,30,4,calendar,0\n"
	for _, tt := range []struct{ name, departments, items, want string }{
		{"no items", smallDepartments, itemHeader, "no items"},
		{"no header", smallDepartments, "", "catalogue: empty"},
		{"a column is missing", "code,name\nC01,x\n", itemHeader + good, "level: departments line 1: the column is missing"},
		{"a column twice", "code,name,level,code\n", itemHeader, "code: departments line 1: the column is there twice"},
		{"a row too short", smallDepartments, itemHeader + good + "0102,01\n", "line 3"},
		{"unknown kind", smallDepartments, itemHeader + good + strings.Replace(good, "component", "thing", 1), `line 3, column kind: "thing" is not one of component, event`},
		{"no number", smallDepartments, itemHeader + strings.Replace(good, "30", "half an hour", 1), `line 2, column response_minutes: "half an hour" is not a whole number`},
		{"no time at all", smallDepartments, itemHeader + strings.Replace(good, ",4,", ",0,", 1), "column disposal_hours"},
		{"a limit beyond a year", smallDepartments, itemHeader + strings.Replace(good, ",4,", ",999999999999999999999,", 1), "column disposal_hours"},
		{"unknown lead", smallDepartments, itemHeader + strings.Replace(good, "U02", "U99", 1), `column lead_department: there is no department "U99"`},
		{"unknown support", smallDepartments, itemHeader + strings.Replace(good, "U02,", "U02,S02;S99", 1), `column support_departments: there is no department "S99"`},
		{"code twice", smallDepartments, itemHeader + good + good, `line 3, column code: "0101" is there twice`},
		{"major renamed", smallDepartments, itemHeader + good + "0102,01,别的,名,event,U02,,30,4,working,0\n", "line 3, column major_name"},
		{"clock", smallDepartments, itemHeader + strings.Replace(good, "calendar", "lunar", 1), "column clock"},
		{"department twice", smallDepartments + "C01,x,street\n", itemHeader + good, `departments line 8, column code: "C01" is there twice`},
		{"an empty name", "code,name,level\nC01,,district\n", itemHeader + good, "departments line 2, column name: empty"},
		{"GBK", smallDepartments, itemHeader + good + "0102,01,\xb9\xab\xd3\xc3,x,event,U02,,1,1,working,0\n", "catalogue line 3: not UTF-8"},
		{"an open quote", smallDepartments, itemHeader + "\"0101,01\n", "catalogue: parse error on line 2, column 10"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadCatalogue(strings.NewReader(tt.departments), strings.NewReader(tt.items))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q in it", err, tt.want)
			}
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("kind %v, want invalid", fault.KindOf(err))
			}
		})
	}
}

func TestInstance(t *testing.T) {
	c, err := small(t, "0101,01,公用设施,给水井盖缺损,component,U02,,30,4,calendar,0\n")
	if err != nil {
		t.Fatal(err)
	}
	street := &grid.Street{Code: "310114004", Name: "嘉定镇街道"}
	village := &grid.Grid{Code: "310114004A12", Name: "叶池社区", Kind: grid.Autonomous, Street: street.Code}
	named := &grid.Grid{Code: "310114004A13", Name: "梅园社区", Department: grid.Department{Code: "310114004A13-S15", Name: "梅园社区居委会综治联勤工作站"}}
	for _, tt := range []struct {
		name string
		code string
		g    *grid.Grid
		s    *grid.Street
		want grid.Department
	}{
		{"a district's department", "U02", village, street, grid.Department{Code: "U02", Name: "区自来水公司"}},
		{"a street itself is no template", "T03", village, street, grid.Department{Code: "T03", Name: "嘉定镇街道"}},
		{"a street's template", "S02", village, street, grid.Department{Code: "310114004-S02", Name: "嘉定镇街道城管执法中队"}},
		{"a template without 街镇", "S14", village, street, grid.Department{Code: "310114004-S14", Name: "嘉定镇街道物业服务企业"}},
		{"a village's station", "S15", village, street, grid.Department{Code: "310114004A12-S15", Name: "叶池社区综治联勤工作站"}},
		{"a station the boundary file names", "S15", named, street, grid.Department{Code: "310114004A13-S15", Name: "梅园社区居委会综治联勤工作站"}},
		{"no street", "S02", nil, nil, grid.Department{Code: "S02", Name: "街镇城管执法中队"}},
		{"no grid", "S15", nil, street, grid.Department{Code: "S15", Name: "村居综治联勤工作站"}},
		{"unknown", "X99", village, street, grid.Department{}},
	} {
		if got := c.Instance(tt.code, tt.g, tt.s); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// data opens a table of the shared data, or of geodata when it is there.
func data(t testing.TB, name string) *os.File {
	t.Helper()
	for _, dir := range []string{"../../geodata", "../../../shared/data"} {
		if f, err := os.Open(filepath.Join(dir, name)); err == nil {
			t.Cleanup(func() { f.Close() })
			return f
		}
	}
	t.Skipf("neither geodata nor ../shared/data has %s", name)
	return nil
}

// TestEveryItemInEveryStreet walks the demonstration catalogue: every item has
// a lead and support that exist in every street, under the street's own name.
func TestEveryItemInEveryStreet(t *testing.T) {
	c, err := ReadCatalogue(data(t, "departments.csv"), data(t, "catalogue.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(data(t, "streets.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Items()) != 151 || len(rows) != 13 {
		t.Fatalf("got %d items and %d streets, want 151 and 12", len(c.Items()), len(rows)-1)
	}
	majors, keys := map[string]bool{}, 0
	for i := range c.Items() {
		item := &c.Items()[i]
		majors[item.Major.Code] = true
		if item.Key {
			keys++
		}
		for _, row := range rows[1:] {
			s := &grid.Street{Code: row[0], Name: row[1]}
			g := &grid.Grid{Code: row[0] + "A01", Name: "一号村", Street: row[0]}
			for _, d := range append(c.Support(item, g, s), c.Lead(item, g, s)) {
				if d.Code == "" || d.Name == "" || strings.Contains(d.Name, streetWord) || strings.Contains(d.Name, villageWord) {
					t.Errorf("item %s in %s: department %+v", item.Code, s.Name, d)
				}
				if own := strings.Contains(d.Code, "-S"); own != strings.HasPrefix(d.Code, s.Code) {
					t.Errorf("item %s in %s: department %+v is not the street's own", item.Code, s.Name, d)
				}
			}
		}
	}
	if len(majors) != 10 || keys != 35 {
		t.Errorf("got %d majors and %d key items, want 10 and 35", len(majors), keys)
	}
}

func FuzzReadCatalogue(f *testing.F) {
	f.Add(smallDepartments, itemHeader+"0101,01,公用设施,给水井盖缺损,component,U02,S02;S15,30,4,calendar,1\n")
	f.Add("code,name,level\n", itemHeader)
	f.Add(smallDepartments, "stages,"+itemHeader+"停工:4;拆除:20,0801,08,房屋,\"违法,\"\"建筑\"\"\",event,S02,,30,20,working,1\n")
	f.Add("\"", "\xff")
	f.Fuzz(func(t *testing.T, departments, items string) {
		c, err := ReadCatalogue(strings.NewReader(departments), strings.NewReader(items))
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("kind %v of %v", fault.KindOf(err), err)
			}
			return
		}
		for i := range c.Items() {
			if d := c.Lead(&c.Items()[i], nil, nil); d.Code == "" {
				t.Fatalf("item %q has no lead", c.Items()[i].Code)
			}
		}
		roundTrip(t, c)
	})
}
