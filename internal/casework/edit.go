package casework

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Edit is what an administrator changes in a catalogue: rows that are put in,
// in the place of those of the same code, and codes that are taken out.
type Edit struct {
	Departments       []Department `json:"departments,omitempty"`
	RemoveDepartments []string     `json:"remove_departments,omitempty"`
	Items             []Item       `json:"items,omitempty"`
	RemoveItems       []string     `json:"remove_items,omitempty"`
}

// Difference is one value that one version has and another has not. Before is
// empty for a row that was added, After for one that was taken out; Column is
// empty for both.
type Difference struct {
	Table  string `json:"table"` // "departments" or "catalogue"
	Code   string `json:"code"`
	Name   string `json:"name"`
	Column string `json:"column,omitempty"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func (d Difference) String() string {
	row := d.Table + " " + d.Code + " " + d.Name
	switch {
	case d.Column != "":
		return fmt.Sprintf("%s: %s %s → %s", row, d.Column, d.Before, d.After)
	case d.Before == "":
		return row + ": added"
	}
	return row + ": removed"
}

// Edit is the next version after c, in force from that instant, and how it
// differs. It is Invalid when e names a row to take out that is not there,
// breaks a rule of the tables (a department that items name cannot go), or
// comes into force no later than c, and Conflict when nothing changes.
func (c *Catalogue) Edit(e Edit, from time.Time) (*Catalogue, []Difference, error) {
	if from = from.UTC().Truncate(time.Millisecond); !from.After(c.from) {
		return nil, nil, fault.InvalidField("from", "%s is not after %s, when version %d came into force",
			from.Format(time.RFC3339), c.from.Format(time.RFC3339), c.number)
	}
	next := newCatalogue()
	departments, err := edited("department", c.departments, e.Departments, e.RemoveDepartments, func(d Department) string { return d.Code })
	if err != nil {
		return nil, nil, err
	}
	for _, d := range departments {
		if err := next.addDepartment(d); err != nil {
			return nil, nil, inRow("department", d.Code, err)
		}
	}
	items, err := edited("item", c.items, e.Items, e.RemoveItems, func(t Item) string { return t.Code })
	if err != nil {
		return nil, nil, err
	}
	for _, t := range items {
		t.Support, t.Stages = slices.Clone(t.Support), slices.Clone(t.Stages)
		if err := next.addItem(t); err != nil {
			return nil, nil, inRow("item", t.Code, err)
		}
	}
	if next, err = next.finish(); err != nil {
		return nil, nil, err
	}
	diff := Differences(c, next)
	if len(diff) == 0 {
		return nil, nil, fault.New(fault.Conflict, "the catalogue says all this already, since version %d", c.number)
	}
	return next.Numbered(c.number+1, from), diff, nil
}

// inRow says which row an error about a column is about.
func inRow(noun, code string, err error) error {
	column := fault.FieldOf(err)
	return fault.InvalidField(column, "%s %s: %s", noun, code, strings.TrimPrefix(err.Error(), column+": "))
}

// edited is rows without those of codes in remove, and with those in put.
func edited[R any](noun string, rows, put []R, remove []string, code func(R) string) ([]R, error) {
	out := slices.Clone(rows)
	for _, r := range remove {
		i := slices.IndexFunc(out, func(row R) bool { return code(row) == r })
		if i < 0 {
			return nil, fault.InvalidField("remove", "there is no %s %q", noun, r)
		}
		out = slices.Delete(out, i, i+1)
	}
	for at, p := range put {
		if slices.ContainsFunc(put[:at], func(row R) bool { return code(row) == code(p) }) {
			return nil, fault.InvalidField("code", "%s %q is put in twice", noun, code(p))
		}
		if i := slices.IndexFunc(out, func(row R) bool { return code(row) == code(p) }); i >= 0 {
			out[i] = p
		} else {
			out = append(out, p)
		}
	}
	return out, nil
}

// Differences are what b has other than a: departments, then items, by code.
func Differences(a, b *Catalogue) []Difference {
	out := differences("departments", a.departments, b.departments, departmentColumns, func(d Department) []string {
		return []string{d.Code, d.Name, string(d.Level)}
	})
	return append(out, differences("catalogue", a.items, b.items, append(slices.Clone(itemColumns), stagesColumn), func(t Item) []string {
		return []string{t.Code, t.Major.Code, t.Major.Name, t.Name, string(t.Kind), t.Lead, strings.Join(t.Support, ";"),
			strconv.Itoa(t.ResponseMinutes), strconv.Itoa(t.DisposalHours), string(t.Clock), strconv.FormatBool(t.Key), formatStages(t.Stages)}
	})...)
}

// differences walks two tables of rows that are ordered by code.
func differences[R any](table string, a, b []R, columns []string, values func(R) []string) []Difference {
	name := slices.Index(columns, "name")
	var out []Difference
	for len(a) > 0 || len(b) > 0 {
		var before, after []string
		if len(a) > 0 {
			before = values(a[0])
		}
		if len(b) > 0 {
			after = values(b[0])
		}
		switch {
		case after == nil || before != nil && before[0] < after[0]:
			out = append(out, Difference{Table: table, Code: before[0], Name: before[name], Before: strings.Join(before, ",")})
			a = a[1:]
		case before == nil || after[0] < before[0]:
			out = append(out, Difference{Table: table, Code: after[0], Name: after[name], After: strings.Join(after, ",")})
			b = b[1:]
		default:
			for i, column := range columns {
				if before[i] != after[i] {
					out = append(out, Difference{Table: table, Code: after[0], Name: after[name], Column: column, Before: before[i], After: after[i]})
				}
			}
			a, b = a[1:], b[1:]
		}
	}
	return out
}
