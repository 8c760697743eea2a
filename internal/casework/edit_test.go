package casework

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
)

const twoItems = "0101,01,公用设施,给水井盖缺损,component,U02,S02;S15,30,4,calendar,1\n0102,01,公用设施,雨水井盖缺损,component,U02,,30,4,calendar,0\n"

func edition(t *testing.T) *Catalogue {
	t.Helper()
	c, err := small(t, twoItems)
	if err != nil {
		t.Fatal(err)
	}
	return c.Numbered(1, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

func TestEdit(t *testing.T) {
	c := edition(t)
	before := c.Hash()
	from := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	changed := *must(c.Item("0102"))
	changed.DisposalHours, changed.Stages = 8, []Stage{{"围挡", 1}, {"修复", 8}}
	next, diff, err := c.Edit(Edit{
		Departments: []Department{{"D05", "区城市管理行政执法局", DistrictLevel}},
		Items: []Item{changed, {Code: "0801", Name: "在建违法建筑", Major: Major{"08", "房屋与施工管理"}, Kind: Event, Lead: "D05",
			ResponseMinutes: 30, DisposalHours: 24, Clock: Working}},
		RemoveItems: []string{"0101"},
	}, from)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"departments D05 区城市管理行政执法局: added",
		"catalogue 0101 给水井盖缺损: removed",
		"catalogue 0102 雨水井盖缺损: disposal_hours 4 → 8",
		"catalogue 0102 雨水井盖缺损: stages  → 围挡:1;修复:8",
		"catalogue 0801 在建违法建筑: added",
	}
	var got []string
	for _, d := range diff {
		got = append(got, d.String())
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
	if next.Number() != 2 || !next.From().Equal(from) || next.Hash() == before {
		t.Errorf("next is number %d from %s, hash %.8s", next.Number(), next.From(), next.Hash())
	}
	if c.Hash() != before || len(c.Items()) != 2 || must(c.Item("0102")).DisposalHours != 4 {
		t.Error("the edit changed the version it was made on")
	}

	e, err := NewEditions(c, next)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at   time.Time
		want int
	}{{from.Add(-1), 1}, {from, 2}, {from.AddDate(5, 0, 0), 2}} {
		if v, err := e.At(tt.at); err != nil || v.Number() != tt.want {
			t.Errorf("at %s: %v, %v, want version %d", tt.at, v, err, tt.want)
		}
	}
	if _, err := e.At(c.From().Add(-1)); fault.KindOf(err) != fault.NotFound {
		t.Errorf("before the first: %v", err)
	}
	if v, err := e.Version(1); err != nil || v != c {
		t.Errorf("version 1: %v, %v", v, err)
	}
	if _, err := NewEditions(next); fault.KindOf(err) != fault.Invalid {
		t.Errorf("version 2 alone: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestEditMistakes(t *testing.T) {
	c := edition(t)
	item := *must(c.Item("0101"))
	with := func(change func(*Item)) Edit {
		i := item
		change(&i)
		return Edit{Items: []Item{i}}
	}
	later := c.From().AddDate(0, 1, 0)
	for _, tt := range []struct {
		name string
		edit Edit
		from time.Time
		kind fault.Kind
		want string
	}{
		{"nothing", Edit{}, later, fault.Conflict, "since version 1"},
		{"the same", Edit{Items: []Item{item}}, later, fault.Conflict, "since version 1"},
		{"too early", with(func(i *Item) { i.Name = "x" }), c.From(), fault.Invalid, "is not after"},
		{"a department in use", Edit{RemoveDepartments: []string{"U02"}}, later, fault.Invalid, `item 0101: there is no department "U02"`},
		{"no such item to take out", Edit{RemoveItems: []string{"0999"}}, later, fault.Invalid, `there is no item "0999"`},
		{"no item left", Edit{RemoveItems: []string{"0101", "0102"}}, later, fault.Invalid, "no items"},
		{"an unknown lead", with(func(i *Item) { i.Lead = "X" }), later, fault.Invalid, "lead_department"},
		{"no time", with(func(i *Item) { i.ResponseMinutes = 0 }), later, fault.Invalid, "response_minutes"},
		{"a line break", with(func(i *Item) { i.Name = "a\nb" }), later, fault.Invalid, "no text"},
		{"no text at all", with(func(i *Item) { i.Name = "\xff" }), later, fault.Invalid, "no text"},
		{"spaces", with(func(i *Item) { i.Name = " a" }), later, fault.Invalid, "spaces"},
		{"a stage too many", with(func(i *Item) { i.Stages = []Stage{{"a", 2}, {"b", 2}} }), later, fault.Invalid, "not more than"},
		{"stages that do not end with the limit", with(func(i *Item) { i.Stages = []Stage{{"a", 2}} }), later, fault.Invalid, "last stage"},
		{"twice", Edit{Items: []Item{item, item}}, later, fault.Invalid, "put in twice"},
		{"a department named by two", Edit{Departments: []Department{{"A;B", "x", StreetLevel}}}, later, fault.Invalid, "divided by ;"},
	} {
		_, _, err := c.Edit(tt.edit, tt.from)
		if fault.KindOf(err) != tt.kind || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %v: %q", tt.name, err, tt.kind, tt.want)
		}
	}
}

// roundTrip writes c, reads it and reports whether the same came back.
func roundTrip(t *testing.T, c *Catalogue) {
	t.Helper()
	var departments, items bytes.Buffer
	if err := c.WriteDepartments(&departments); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteItems(&items); err != nil {
		t.Fatal(err)
	}
	again, err := ReadCatalogue(&departments, &items)
	if err != nil {
		t.Fatalf("after writing: %v", err)
	}
	if again.Hash() != c.Hash() {
		t.Fatalf("after writing: %v", Differences(c, again))
	}
}

func TestExport(t *testing.T) {
	c, err := ReadCatalogue(data(t, "departments.csv"), data(t, "catalogue.csv"))
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c)
	staged := must(c.Item("0801"))
	if d := cmp.Diff([]Stage{{"停工", 4}, {"处罚", 56}, {"拆除", 160}}, staged.Stages); d != "" {
		t.Errorf("item 0801 (-want +got):\n%s", d)
	}
}
