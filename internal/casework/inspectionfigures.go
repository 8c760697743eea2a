package casework

import (
	"cmp"
	"slices"
)

// InspectionLine counts the items of one street or department. The pass rate
// is Passed / Checked.
type InspectionLine struct {
	Key     string `json:"key"` // code; empty for the whole, and for what has none
	Items   int    `json:"items"`
	Checked int    `json:"checked"`
	Passed  int    `json:"passed"`
}

// FindingCount is how many standing results have a finding of one kind and
// severity.
type FindingCount struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	N        int      `json:"n"`
}

// InspectionFigures are what came out of an inspection, by the results that
// stand.
type InspectionFigures struct {
	Whole       InspectionLine   `json:"whole"`
	Streets     []InspectionLine `json:"streets"`
	Departments []InspectionLine `json:"departments"`
	Findings    []FindingCount   `json:"findings"` // in the checklist's order
	Remedies    map[Action]int   `json:"remedies"` // of all results, corrected ones too: they were done
}

// Figures counts the items that of has.
func (in *Inspection) Figures(of func(*InspectionItem) bool) InspectionFigures {
	f := InspectionFigures{Remedies: map[Action]int{}}
	streets, departments := map[string]*InspectionLine{}, map[string]*InspectionLine{}
	findings := map[FindingCount]int{}
	for i := range in.Items {
		item := &in.Items[i]
		if !of(item) {
			continue
		}
		lines := []*InspectionLine{&f.Whole, lineOf(streets, item.Street)}
		if item.Case != 0 {
			lines = append(lines, lineOf(departments, item.Department.Code))
		}
		e := in.Standing(item.Number)
		for _, l := range lines {
			l.Items++
			if e != nil {
				l.Checked++
			}
			if e != nil && e.Result.Passed() {
				l.Passed++
			}
		}
		if e != nil {
			for _, m := range e.Result.Marks {
				if m.Verdict == Bad {
					findings[FindingCount{Check: m.Check, Severity: m.Severity}]++
				}
			}
		}
	}
	for i := range in.Entries {
		if r := in.Entries[i].Result; r != nil && r.Remedy != nil && of(&in.Items[r.Item-1]) {
			f.Remedies[r.Remedy.Action]++
		}
	}
	f.Streets, f.Departments, f.Findings = sortedLines(streets), sortedLines(departments), []FindingCount{}
	for _, c := range Checklist {
		for _, s := range Severities {
			if n := findings[FindingCount{Check: c.Code, Severity: s}]; n > 0 {
				f.Findings = append(f.Findings, FindingCount{c.Code, s, n})
			}
		}
	}
	return f
}

func lineOf(lines map[string]*InspectionLine, key string) *InspectionLine {
	if lines[key] == nil {
		lines[key] = &InspectionLine{Key: key}
	}
	return lines[key]
}

func sortedLines(lines map[string]*InspectionLine) []InspectionLine {
	out := make([]InspectionLine, 0, len(lines))
	for _, l := range lines {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b InspectionLine) int { return cmp.Compare(a.Key, b.Key) })
	return out
}
