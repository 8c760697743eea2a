package httpapi

import (
	"bytes"
	"encoding/csv"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/evidence"
	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// resultAnswer is a result as it was entered.
type resultAnswer struct {
	Seq      int       `json:"seq"` // what a correction names
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Standard string    `json:"standard,omitempty"`
	Passed   bool      `json:"passed"`
	AwayM    *float64  `json:"away_m,omitempty"` // from the item to where the inspector was
	*casework.InspectionResult
}

func resultOf(item *casework.InspectionItem, e *casework.InspectionEntry) *resultAnswer {
	r := &resultAnswer{e.Seq, e.At.In(grid.Zone), e.By.ID, e.Standard, e.Result.Passed(), nil, e.Result}
	if item.At != nil && e.Result.Position != nil {
		m := geo.DistanceM(*item.At, e.Result.Position.At)
		r.AwayM = &m
	}
	return r
}

// itemAnswer is an item with the result that stands, and those before it.
type itemAnswer struct {
	casework.InspectionItem
	Result  *resultAnswer  `json:"result,omitempty"`
	Earlier []resultAnswer `json:"earlier,omitempty"`
}

func itemOf(in *casework.Inspection, number int) itemAnswer {
	item := &in.Items[number-1]
	out := itemAnswer{InspectionItem: *item}
	for i := range in.Entries {
		if e := &in.Entries[i]; e.Result != nil && e.Result.Item == number {
			if out.Result != nil {
				out.Earlier = append(out.Earlier, *out.Result)
			}
			out.Result = resultOf(item, e)
		}
	}
	return out
}

// inspectionPage is an inspection as one caller sees it: the items that are
// his business, and figures of those alone.
type inspectionPage struct {
	AsOf       time.Time                  `json:"as_of"`
	Inspection casework.InspectionHead    `json:"inspection"`
	Drawing    drawingAnswer              `json:"drawing"`
	Items      []itemAnswer               `json:"items"`
	Figures    casework.InspectionFigures `json:"figures"`
	Left       string                     `json:"left,omitempty"` // why it was finished without some
	Checks     []casework.InspectionCheck `json:"checks"`
	May        []string                   `json:"may"`
}

func (a *API) inspectionPage(c *gin.Context, in *casework.Inspection) inspectionPage {
	caller := callerOf(c)
	sees := seesItem(caller.Jurisdiction)
	page := inspectionPage{AsOf: a.cfg.Now().In(grid.Zone), Inspection: in.Head(), Drawing: drawingAnswer{in.Drawing, in.Plan.Seed}, Items: []itemAnswer{},
		Figures: in.Figures(sees), Checks: casework.Checklist, May: []string{}}
	page.Drawing.Sample = nil // the items are it
	for i := range in.Items {
		if sees(&in.Items[i]) {
			page.Items = append(page.Items, itemOf(in, i+1))
		}
	}
	w := &page.Figures.Whole
	page.Inspection.Items, page.Inspection.Checked, page.Inspection.Findings = w.Items, w.Checked, w.Checked-w.Passed
	for _, e := range in.Entries {
		if e.Action == casework.FinishInspection {
			page.Left = e.Text
		}
	}
	if in.Plan.Scope.Source != casework.FromNames && caller.Role.May(auth.OrderInspections) {
		page.May = append(page.May, "verify")
	}
	if caller.Role.May(auth.RecordInspections) && (len(in.Inspectors) == 0 || slices.Contains(in.Inspectors, caller.Name)) {
		page.May = append(page.May, "record")
	}
	if in.State != casework.Finished && caller.Role.May(auth.OrderInspections) {
		page.May = append(page.May, "assign", "finish")
	}
	return page
}

// resultForm is what an inspector found of one item, and what is to follow.
type resultForm struct {
	Item     int             `json:"item"`
	Marks    []casework.Mark `json:"marks"`
	Text     string          `json:"text"`
	Evidence []string        `json:"evidence"`
	Position *positionForm   `json:"position"`
	Corrects int             `json:"corrects"`

	Action  casework.Action `json:"action"`
	Seq     int             `json:"seq"`
	Review  time.Time       `json:"review"`
	ReplyBy time.Time       `json:"reply_by"`
	Report  *struct {
		Item     string        `json:"item"`
		Text     string        `json:"text"`
		Position *positionForm `json:"position"`
	} `json:"report"`
}

func (f *resultForm) finding() (casework.Finding, error) {
	out := casework.Finding{Action: f.Action, Seq: f.Seq, Review: f.Review, Reply: f.ReplyBy,
		Result: casework.InspectionResult{Item: f.Item, Marks: f.Marks, Text: f.Text, Evidence: f.Evidence, Corrects: f.Corrects}}
	texts := []string{f.Text}
	for _, m := range f.Marks {
		texts = append(texts, m.Text)
	}
	var err error
	if r := f.Report; r != nil {
		texts = append(texts, r.Text, r.Item)
		out.Report = &casework.Arrival{Item: r.Item, Intake: casework.Intake{Text: r.Text}}
		if out.Report.Position, err = r.Position.position(); err != nil {
			return out, err
		}
		if f.Action != casework.Report {
			return out, fault.InvalidField("report", "%q has no use for it", string(f.Action))
		}
	}
	if out.Result.Position, err = f.Position.position(); err != nil {
		return out, err
	}
	if err := checkTexts(texts); err != nil {
		return out, err
	}
	return out, checkEvidence(f.Evidence)
}

// recordResult answers POST /api/v1/inspections/{id}/results.
func (a *API) recordResult(c *gin.Context) error {
	o, in, err := a.inspectionOf(c)
	if err != nil {
		return err
	}
	var f resultForm
	if err := readJSON(c, &f); err != nil {
		return err
	}
	finding, err := f.finding()
	if err != nil {
		return err
	}
	if item, err := in.Item(f.Item); err != nil {
		return err
	} else if !seesItem(callerOf(c).Jurisdiction)(item) {
		return fault.New(fault.NotFound, "inspection %d has no item %d", in.ID, f.Item)
	}
	who := actorsOf(callerOf(c))
	if len(who) == 0 {
		return fault.New(fault.Denied, "you have no part in casework")
	}
	after, err := o.Record(c.Request.Context(), in.ID, who[0], finding)
	if err != nil {
		return err
	}
	figures := after.Figures(seesItem(callerOf(c).Jurisdiction))
	return writeValue(c, http.StatusOK, struct {
		State   casework.InspectionState   `json:"state"`
		Item    itemAnswer                 `json:"item"`
		Figures casework.InspectionFigures `json:"figures"`
	}{after.State, itemOf(&after, f.Item), figures})
}

// showInspectionFile answers GET /api/v1/inspections/{id}/files/{name}: a file
// that a result names, of an item that is the caller's business.
func (a *API) showInspectionFile(c *gin.Context) error {
	_, in, err := a.inspectionOf(c)
	if err != nil {
		return err
	}
	name, sees := c.Param("name"), seesItem(callerOf(c).Jurisdiction)
	for _, e := range in.Entries {
		if r := e.Result; r != nil && slices.Contains(r.Evidence, name) && sees(&in.Items[r.Item-1]) {
			return a.serveFile(c, func(*evidence.File) bool { return true })
		}
	}
	return fault.New(fault.NotFound, "inspection %d has no file %q", in.ID, clipText(name))
}

// exportInspection answers GET /api/v1/inspections/{id}/export: a CSV, a row
// for each item.
func (a *API) exportInspection(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	_, in, err := a.inspectionOf(c)
	if err != nil {
		return err
	}
	sees := seesItem(callerOf(c).Jurisdiction)
	return writeTable(c, "inspection-"+strconv.FormatInt(in.ID, 10), func(w io.Writer) error {
		var rows bytes.Buffer
		rows.WriteString("\ufeff") // for spreadsheets that take UTF-8 for something else
		out := csv.NewWriter(&rows)
		header := []string{"number", "case", "cycle", "name", "unit", "street", "grid", "department", "item", "lon", "lat",
			"outcome", "inspector", "at", "text", "evidence", "corrected", "remedy", "remedy_case"}
		for _, check := range casework.Checklist {
			header = append(header, check.Code)
		}
		_ = out.Write(header) // to memory
		for i := range in.Items {
			if sees(&in.Items[i]) {
				_ = out.Write(exportRow(itemOf(in, i+1)))
			}
		}
		out.Flush()
		_, err := rows.WriteTo(w)
		return err
	})
}

func exportRow(i itemAnswer) []string {
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	row := []string{strconv.Itoa(i.Number), number(i.Case), number(int64(i.Cycle)), plainCell(i.Name), plainCell(i.Unit), i.Street, i.Grid, i.Department.Code, i.Item, "", ""}
	if i.At != nil {
		row[9], row[10] = strconv.FormatFloat(i.At[0], 'f', 7, 64), strconv.FormatFloat(i.At[1], 'f', 7, 64)
	}
	r := i.Result
	if r == nil {
		return append(row, make([]string, 8+len(casework.Checklist))...)
	}
	outcome, remedy, remedyCase := "finding", "", ""
	if r.Passed {
		outcome = "pass"
	}
	if r.Remedy != nil {
		remedy, remedyCase = string(r.Remedy.Action), number(r.Remedy.Case)
	}
	row = append(row, outcome, r.By, r.At.Format(time.RFC3339), plainCell(r.Text), strconv.Itoa(len(r.Evidence)), strconv.Itoa(len(i.Earlier)), remedy, remedyCase)
	for _, check := range casework.Checklist {
		cell := ""
		if at := slices.IndexFunc(r.Marks, func(m casework.Mark) bool { return m.Check == check.Code }); at >= 0 {
			m := r.Marks[at]
			if cell = string(m.Verdict); m.Verdict == casework.Bad {
				cell = string(m.Severity) + ": " + m.Text
			}
		}
		row = append(row, cell)
	}
	return row
}

// plainCell is a text that no spreadsheet takes for a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
