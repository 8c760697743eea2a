package casework

import (
	"slices"

	"lianqin/internal/fault"
)

// Subject is what an item of an inspection is.
type Subject string

// The subjects.
const (
	CaseSubject  Subject = "case"
	PlaceSubject Subject = "place" // a grid, a spot, or where a unit patrols
)

// InspectionCheck is one question of a checklist. What is not as it should be is a
// finding of that kind.
type InspectionCheck struct {
	Code    string  `json:"code"`
	Subject Subject `json:"subject"`
	Asks    string  `json:"asks"`    // Chinese: what is as it should be
	Finding string  `json:"finding"` // Chinese: what it is called when it is not
	AsksEn  string  `json:"asks_en"` // the same in English
	Text    string  `json:"text"`
}

// Checklist is what inspectors look at, by subject, in the order in which they
// do.
var Checklist = []InspectionCheck{
	{"false-disposal", CaseSubject, "处置属实", "虚假处置", "The disposal was really done", "disposal that was not done"},
	{"not-fixed", CaseSubject, "问题已解决", "问题未解决", "The problem is gone", "the problem is still there"},
	{"wrong-class", CaseSubject, "事项分类正确", "分类错误", "The item of the catalogue is right", "wrong item of the catalogue"},
	{"late-as-timely", CaseSubject, "时限记录属实", "逾期报为按时", "The times entered are true", "late, and shown as in time"},
	{"photo-mismatch", CaseSubject, "照片与现场相符", "照片不符", "Photos match the place", "photos that do not match"},
	{"wrong-grid", CaseSubject, "网格定位正确", "网格错误", "The grid is right", "wrong grid"},
	{"wrong-department", CaseSubject, "派遣部门正确", "派遣错误", "It went to the right department", "dispatched to the wrong department"},

	{"unreported", PlaceSubject, "无应报未报", "应报未报", "Nothing is left unreported", "something that nobody reported"},
	{"not-found", PlaceSubject, "在岗在位", "脱岗缺位", "People are on duty where they should be", "nobody on duty where somebody should be"},
	{"not-patrolled", PlaceSubject, "巡查到位", "巡查不到位", "Patrolled as the roster says", "not patrolled as the roster says"},
	{"records", PlaceSubject, "台账齐全", "台账不全", "Records are complete and true", "records that are missing or not true"},
}

// Severity is how bad a finding is.
type Severity string

// The severities.
const (
	MinorFinding Severity = "minor" // 轻微
	MajorFinding Severity = "major" // 一般
	GraveFinding Severity = "grave" // 严重
)

// Severities are all severities.
var Severities = []Severity{MinorFinding, MajorFinding, GraveFinding}

// Verdict is the answer to one check.
type Verdict string

// The verdicts.
const (
	Good          Verdict = "good"
	Bad           Verdict = "bad"
	NotApplicable Verdict = "not-applicable"
)

// Mark is the answer to one check; a bad one is a finding, with its severity
// and what is wrong in words.
type Mark struct {
	Check    string   `json:"check"`
	Verdict  Verdict  `json:"verdict"`
	Severity Severity `json:"severity,omitempty"`
	Text     string   `json:"text,omitempty"`
}

// ChecksOf is the checklist of a subject.
func ChecksOf(s Subject) (out []InspectionCheck) {
	for _, c := range Checklist {
		if c.Subject == s {
			out = append(out, c)
		}
	}
	return out
}

// checkMarks is Invalid unless marks answer the whole checklist of s, each
// check once, and at least one is good or bad.
func checkMarks(s Subject, marks []Mark) error {
	checks, told := ChecksOf(s), 0
	for _, c := range checks {
		n := 0
		for _, m := range marks {
			if m.Check == c.Code {
				n++
			}
		}
		if n != 1 {
			return fault.InvalidField("marks", "%s is answered %d times: every check is, once", c.Code, n)
		}
	}
	for _, m := range marks {
		if !slices.ContainsFunc(checks, func(c InspectionCheck) bool { return c.Code == m.Check }) {
			return fault.InvalidField("marks", "%q is no check of a %s", m.Check, s)
		}
		if err := oneOf("marks.verdict", m.Verdict, Good, Bad, NotApplicable); err != nil {
			return err
		}
		if m.Verdict != NotApplicable {
			told++
		}
		if m.Verdict != Bad {
			if m.Severity != "" || m.Text != "" {
				return fault.InvalidField("marks", "%s is %s: only what is bad has severity and text", m.Check, m.Verdict)
			}
			continue
		}
		if err := oneOf("marks.severity", m.Severity, Severities...); err != nil {
			return err
		}
		if m.Text == "" {
			return fault.InvalidField("marks.text", "%s: a finding says what is wrong", m.Check)
		}
	}
	if told == 0 {
		return fault.InvalidField("marks", "nothing was looked at")
	}
	return nil
}
