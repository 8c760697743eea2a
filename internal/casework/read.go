package casework

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"lianqin/internal/fault"
)

const (
	yearHours   = 366 * 24
	yearMinutes = yearHours * 60
)

var (
	departmentColumns = []string{"code", "name", "level"}
	itemColumns       = []string{"code", "major_code", "major_name", "name", "kind", "lead_department",
		"support_departments", "response_minutes", "disposal_hours", "clock", "xiaolianqin_key"}
)

// stagesColumn may be left out.
const stagesColumn = "stages"

func (c *Catalogue) readDepartments(r io.Reader) error {
	t, err := openTable("departments", r, departmentColumns...)
	if err != nil {
		return err
	}
	for t.next() {
		t.refuse(c.addDepartment(Department{
			Code:  t.text("code"),
			Name:  t.text("name"),
			Level: Level(t.optional("level")),
		}))
	}
	return t.err
}

func (c *Catalogue) readItems(r io.Reader) error {
	t, err := openTable("catalogue", r, itemColumns...)
	if err != nil {
		return err
	}
	for t.next() {
		item := Item{
			Code:            t.text("code"),
			Name:            t.text("name"),
			Major:           Major{Code: t.text("major_code"), Name: t.text("major_name")},
			Kind:            Kind(t.optional("kind")),
			Lead:            t.text("lead_department"),
			ResponseMinutes: t.positive("response_minutes", yearMinutes),
			DisposalHours:   t.positive("disposal_hours", yearHours),
			Clock:           Clock(t.optional("clock")),
			Key:             t.oneOf("xiaolianqin_key", "0", "1") == "1",
		}
		for code := range strings.SplitSeq(t.optional("support_departments"), ";") {
			if code = strings.TrimSpace(code); code != "" {
				item.Support = append(item.Support, code)
			}
		}
		if t.has(stagesColumn) {
			stages, err := parseStages(t.optional(stagesColumn))
			t.refuse(err)
			item.Stages = stages
		}
		t.refuse(c.addItem(item))
	}
	return t.err
}

// addDepartment is Invalid, naming the column, when d breaks a rule of the
// table.
func (c *Catalogue) addDepartment(d Department) error {
	if err := plain("code", d.Code); err != nil {
		return err
	}
	if err := plain("name", d.Name); err != nil {
		return err
	}
	if err := oneOf("level", d.Level, DistrictLevel, StreetLevel); err != nil {
		return err
	}
	if strings.Contains(d.Code, ";") {
		return fault.InvalidField("code", "%q: lists of departments are divided by ;", d.Code)
	}
	if _, twice := c.byDept[d.Code]; twice {
		return fault.InvalidField("code", "%q is there twice", d.Code)
	}
	c.byDept[d.Code] = len(c.departments)
	c.departments = append(c.departments, d)
	return nil
}

// addItem is Invalid, naming the column, when t breaks a rule of the table or
// names a department that is not there.
func (c *Catalogue) addItem(t Item) error {
	for _, f := range [...]struct{ column, value string }{
		{"code", t.Code}, {"major_code", t.Major.Code}, {"major_name", t.Major.Name}, {"name", t.Name},
	} {
		if err := plain(f.column, f.value); err != nil {
			return err
		}
	}
	if err := oneOf("kind", t.Kind, Component, Event); err != nil {
		return err
	}
	if err := c.known("lead_department", t.Lead); err != nil {
		return err
	}
	for _, code := range t.Support {
		if err := c.known("support_departments", code); err != nil {
			return err
		}
	}
	if err := within("response_minutes", t.ResponseMinutes, yearMinutes); err != nil {
		return err
	}
	if err := within("disposal_hours", t.DisposalHours, yearHours); err != nil {
		return err
	}
	if err := oneOf("clock", t.Clock, Working, Calendar); err != nil {
		return err
	}
	if name, known := c.majors[t.Major.Code]; known && name != t.Major.Name {
		return fault.InvalidField("major_name", "%q, but major %s was %q above", t.Major.Name, t.Major.Code, name)
	}
	if err := checkStages(t.Stages, t.DisposalHours); err != nil {
		return err
	}
	if _, twice := c.byItem[t.Code]; twice {
		return fault.InvalidField("code", "%q is there twice", t.Code)
	}
	c.majors[t.Major.Code] = t.Major.Name
	c.byItem[t.Code] = len(c.items)
	c.items = append(c.items, t)
	return nil
}

func (c *Catalogue) known(column, code string) error {
	if _, ok := c.byDept[code]; !ok {
		return fault.InvalidField(column, "there is no department %q", code)
	}
	return nil
}

// plain is Invalid unless s is text that a table can hold as it is.
func plain(column, s string) error {
	switch {
	case s == "":
		return fault.InvalidField(column, "empty")
	case strings.TrimSpace(s) != s:
		return fault.InvalidField(column, "%q has spaces around it", s)
	case strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsControl(r) }):
		return fault.InvalidField(column, "%q has a character that is no text", s)
	}
	return nil
}

func oneOf[S ~string](column string, s S, words ...S) error {
	if slices.Contains(words, s) {
		return nil
	}
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return fault.InvalidField(column, "%q is not one of %s", string(s), strings.Join(names, ", "))
}

func within(column string, n, limit int) error {
	if n < 1 || n > limit {
		return fault.InvalidField(column, "%d is not a whole number from 1 to %d", n, limit)
	}
	return nil
}

// parseStages reads "停工:4;处罚:56;拆除:160", names and hours.
func parseStages(s string) ([]Stage, error) {
	var out []Stage
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, hours, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(strings.TrimSpace(hours))
		if err != nil {
			return nil, fault.InvalidField(stagesColumn, "%q is not of the form name:hours", part)
		}
		out = append(out, Stage{Name: strings.TrimSpace(name), Hours: n})
	}
	return out, nil
}

func formatStages(stages []Stage) string {
	parts := make([]string, len(stages))
	for i, s := range stages {
		parts[i] = s.Name + ":" + strconv.Itoa(s.Hours)
	}
	return strings.Join(parts, ";")
}

// checkStages is Invalid unless the hours grow from stage to stage and end
// with the disposal's.
func checkStages(stages []Stage, disposalHours int) error {
	last := 0
	for i, s := range stages {
		if err := plain(stagesColumn, s.Name); err != nil {
			return err
		}
		if strings.ContainsAny(s.Name, ";:") {
			return fault.InvalidField(stagesColumn, "%q: a name has no ; and no :", s.Name)
		}
		if slices.ContainsFunc(stages[:i], func(t Stage) bool { return t.Name == s.Name }) {
			return fault.InvalidField(stagesColumn, "stage %q is there twice", s.Name)
		}
		if s.Hours <= last {
			return fault.InvalidField(stagesColumn, "stage %q: %d hours are not more than the %d before", s.Name, s.Hours, last)
		}
		last = s.Hours
	}
	if len(stages) > 0 && last != disposalHours {
		return fault.InvalidField(stagesColumn, "the last stage has %d hours and the disposal %d", last, disposalHours)
	}
	return nil
}
