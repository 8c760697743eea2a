package casework

import (
	"io"
	"strings"
)

const yearMinutes = 366 * 24 * 60

func (c *Catalogue) readDepartments(r io.Reader) error {
	t, err := openTable("departments", r, "code", "name", "level")
	if err != nil {
		return err
	}
	for t.next() {
		d := Department{
			Code:  t.text("code"),
			Name:  t.text("name"),
			Level: Level(t.oneOf("level", string(DistrictLevel), string(StreetLevel))),
		}
		if _, twice := c.byDept[d.Code]; twice {
			t.wrong("code", "%q is there twice", d.Code)
		}
		c.byDept[d.Code] = len(c.departments)
		c.departments = append(c.departments, d)
	}
	return t.err
}

func (c *Catalogue) readItems(r io.Reader) error {
	t, err := openTable("catalogue", r, "code", "major_code", "major_name", "name", "kind", "lead_department",
		"support_departments", "response_minutes", "disposal_hours", "clock", "xiaolianqin_key")
	if err != nil {
		return err
	}
	majors := map[string]string{}
	for t.next() {
		item := Item{
			Code:            t.text("code"),
			Name:            t.text("name"),
			Major:           Major{Code: t.text("major_code"), Name: t.text("major_name")},
			Kind:            Kind(t.oneOf("kind", string(Component), string(Event))),
			Lead:            c.knownDepartment(t, "lead_department", t.text("lead_department")),
			ResponseMinutes: t.positive("response_minutes", yearMinutes),
			DisposalHours:   t.positive("disposal_hours", yearMinutes/60),
			Clock:           Clock(t.oneOf("clock", string(Working), string(Calendar))),
			Key:             t.oneOf("xiaolianqin_key", "0", "1") == "1",
		}
		for code := range strings.SplitSeq(t.optional("support_departments"), ";") {
			if code = strings.TrimSpace(code); code != "" {
				item.Support = append(item.Support, c.knownDepartment(t, "support_departments", code))
			}
		}
		if name, known := majors[item.Major.Code]; known && name != item.Major.Name {
			t.wrong("major_name", "%q, but major %s was %q above", item.Major.Name, item.Major.Code, name)
		}
		majors[item.Major.Code] = item.Major.Name
		if _, twice := c.byItem[item.Code]; twice {
			t.wrong("code", "%q is there twice", item.Code)
		}
		c.byItem[item.Code] = len(c.items)
		c.items = append(c.items, item)
	}
	return t.err
}

func (c *Catalogue) knownDepartment(t *table, column, code string) string {
	if _, ok := c.byDept[code]; !ok && code != "" {
		t.wrong(column, "there is no department %q", code)
	}
	return code
}
