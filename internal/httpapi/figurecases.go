package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/export"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var figureCasesParams = append(slices.Clip(figuresParams), "part", "after", "limit")

const (
	figureCasesPart = figuresOwn + iota
	figureCasesAfter
	figureCasesLimit
)

const (
	defaultDrillDown = 50
	// maxCaseRows bounds the cases of one file.
	maxCaseRows = 50_000
)

// listFigureCases answers GET /api/v1/indicators/{indicator}/cases: the cases
// behind a figure that filters and window narrow down to its line, page by
// page, or all as a file.
func (a *API) listFigureCases(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, figureCasesParams)
	if err != nil {
		return err
	}
	format, mark, err := exportFormat(&p)
	if err != nil {
		return err
	}
	q, err := a.figuresQuery(c, d, &p)
	if err != nil {
		return err
	}
	part := p.values[figureCasesPart]
	if part != "numerator" && part != "denominator" {
		return fault.InvalidField("part", "%.40q is not numerator or denominator", part)
	}
	limit, err := p.limit(figureCasesLimit, defaultDrillDown, casework.MostFound)
	if err != nil {
		return err
	}
	after := 0
	if p.has(figureCasesAfter) {
		if after, err = readCount("after", p.values[figureCasesAfter], 0); err != nil {
			return err
		}
	}
	indicator := clipText(c.Param("indicator"))
	ids, err := d.CasesOf(q, indicator, part == "numerator")
	if err != nil {
		return err
	}
	total := len(ids)
	ids = slices.Compact(ids) // a case is listed once, however many of its cycles count
	list := caseReader{a: a, c: c, d: d, names: a.keyNames(d)}
	if format != "" {
		if len(ids) > maxCaseRows {
			return withStatus(http.StatusRequestEntityTooLarge, fault.InvalidField("format", "%d cases are more than %d in one file; narrow them down", len(ids), maxCaseRows))
		}
		what := map[string]any{"indicator": indicator, "part": part, "query": c.Request.URL.RawQuery, "cases": len(ids)}
		if err := a.noteLook(c, "cases.export", indicator, what); err != nil {
			return err
		}
		return list.write(format, "cases-"+indicator, mark, ids)
	}
	distinct := len(ids)
	first, _ := slices.BinarySearch(ids, int64(after)+1)
	ids = ids[first:]
	more := len(ids) > limit
	if more {
		ids = ids[:limit]
	}
	found, withheld, err := list.find(ids)
	if err != nil {
		return err
	}
	lines := make([]caseLine, len(found))
	who := actorsOf(callerOf(c))
	for i, k := range found {
		lines[i] = a.caseLine(k, who)
	}
	next := int64(0)
	if more {
		next = ids[len(ids)-1]
	}
	return writeValue(c, http.StatusOK, struct {
		Indicator string     `json:"indicator"`
		Part      string     `json:"part"`
		AsOf      time.Time  `json:"as_of"`
		Total     int        `json:"total"` // the figure's
		Distinct  int        `json:"cases_in_all"`
		Withheld  int        `json:"withheld"` // of this page, no business of the caller's any more
		Cases     []caseLine `json:"cases"`
		After     int64      `json:"after,omitempty"` // of the next page
	}{indicator, part, q.AsOf, total, distinct, withheld, lines, next})
}

// caseReader reads the cases of a list, as the caller may see them.
type caseReader struct {
	a     *API
	c     *gin.Context
	d     *casework.Desk
	names keyNames
}

// find are the cases of those numbers, at most casework.MostFound, in the same
// order. Those that have become somebody else's are counted.
func (l *caseReader) find(ids []int64) (cases []*casework.Case, withheld int, err error) {
	if len(ids) == 0 {
		return nil, 0, nil
	}
	found, err := l.d.Find(l.c.Request.Context(), casework.Search{IDs: ids})
	if err != nil {
		return nil, 0, err
	}
	j := callerOf(l.c).Jurisdiction
	for i := range found.Records {
		if k := &found.Records[i].Case; coversCase(j, k) {
			cases = append(cases, k)
		} else {
			withheld++
		}
	}
	slices.SortFunc(cases, func(a, b *casework.Case) int { return int(a.ID - b.ID) })
	return cases, withheld, nil
}

// caseHead are the columns of a file of cases. Who reported one is in none.
var caseHead = export.Row{"编号 case", "状态 state", "渠道 channel", "12345 工单 order", "事项 item", "事项名称 item name", "大类 major", "街镇 street", "街镇名称 street name",
	"网格 grid", "网格名称 grid name", "地址 address", "经度 lon", "纬度 lat", "牵头部门 department", "部门名称 department name",
	"上报 received", "受理 accepted", "派遣 dispatched", "处置时限 due", "处置 disposed", "结案 closed", "内容 text"}

func (l *caseReader) row(k *casework.Case) export.Row {
	order, due := "", time.Time{}
	if k.Order != nil {
		order = k.Order.Number
	}
	for i := range k.Cycle.Clocks {
		if t := &k.Cycle.Clocks[i]; t.Name == casework.DisposalClock && !t.Cancelled {
			due = t.Dues[len(t.Dues)-1].At
		}
	}
	local := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.In(grid.Zone)
	}
	return export.Row{k.ID, string(k.State), channelNames[string(k.Channel)], order, k.Item, l.names.item(k.Item), l.names.major(k.Class.Major),
		k.Place.Street, l.names.street(k.Place.Street), k.Place.GridCode, l.names.grid(k.Place.GridCode), k.Place.Address,
		degrees(k.Place.At[0]), degrees(k.Place.At[1]), k.Cycle.Lead.Code, k.Cycle.Lead.Name,
		local(k.Received), local(k.Cycle.Accepted), local(k.Cycle.Dispatched), local(due), local(k.Cycle.Disposed), local(k.Cycle.Closed), k.Text}
}

// degrees is an ordinate as a number, empty where there is none.
func degrees(v float64) any {
	if v == 0 {
		return nil
	}
	return export.Degrees(v)
}

// write answers with all cases as a file, reading some hundred at a time.
func (l *caseReader) write(format, name string, mark bool, ids []int64) error {
	return writeExport(l.c, format, name, mark, func(out tableWriter) error {
		if err := out.Begin(export.Sheet{Name: "案件 Cases", Widths: []float64{14}, Head: []export.Row{caseHead}, Fixed: 1}); err != nil {
			return err
		}
		for chunk := range slices.Chunk(ids, casework.MostFound) {
			cases, _, err := l.find(chunk)
			if err != nil {
				return err
			}
			for _, k := range cases {
				if err := out.Write(l.row(k)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
