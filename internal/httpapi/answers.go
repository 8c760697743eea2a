package httpapi

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/export"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var answersParams = []string{"from", "to", "format"}

const (
	answersFrom = iota
	answersTo
	answersFormat
)

// orderAnswer is what the hotline is told about one of its orders.
type orderAnswer struct {
	Number   string         `json:"number"`
	Case     int64          `json:"case"`
	State    casework.State `json:"state"`
	Issued   time.Time      `json:"issued"`
	Due      time.Time      `json:"due"`
	Finished time.Time      `json:"finished"`
	OnTime   bool           `json:"on_time"`
	Lead     string         `json:"lead,omitempty"`
	Answer   string         `json:"answer"`
}

var answerColumns = []string{"number", "case", "state", "issued", "due", "finished", "on_time", "lead", "answer"}

// listAnswers answers GET /api/v1/orders/answers: the 12345 orders that were
// finished in a window, of the last day if none is said.
func (a *API) listAnswers(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, answersParams)
	if err != nil {
		return err
	}
	d, err := a.desk()
	if err != nil {
		return err
	}
	now := a.cfg.Now().In(grid.Zone)
	from, to, err := p.span(answersFrom, answersTo, now.AddDate(0, 0, -1), now, maxIndicatorSpan)
	if err != nil {
		return err
	}
	format := p.values[answersFormat]
	if format != "" && format != "json" && format != "csv" {
		return fault.InvalidField("format", "%.40q is not json or csv", format)
	}
	answers := []orderAnswer{}
	for ids := range slices.Chunk(d.Answered(from, to), casework.MostFound) {
		found, err := d.Find(c.Request.Context(), casework.Search{IDs: ids})
		if err != nil {
			return err
		}
		for i := range found.Records {
			k := &found.Records[i].Case
			o := k.Order
			if o == nil || o.Finished.IsZero() || !coversCase(callerOf(c).Jurisdiction, k) {
				continue
			}
			answers = append(answers, orderAnswer{o.Number, k.ID, k.State, o.Issued.In(grid.Zone), o.Due.In(grid.Zone), o.Finished.In(grid.Zone),
				!o.Finished.After(o.Due), k.Cycle.Lead.Code, o.Answer})
		}
	}
	if format != "csv" {
		return writeValue(c, http.StatusOK, struct {
			Answers []orderAnswer `json:"answers"`
		}{answers})
	}
	return writeAnswers(c, answers)
}

func writeAnswers(c *gin.Context, answers []orderAnswer) error {
	h := c.Writer.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="answers.csv"`)
	h["Cache-Control"] = noStore
	c.Status(http.StatusOK)
	w := csv.NewWriter(c.Writer)
	_ = w.Write(answerColumns) // or the reader has gone
	for _, o := range answers {
		_ = w.Write([]string{export.Safe(o.Number), strconv.FormatInt(o.Case, 10), string(o.State), o.Issued.Format(time.RFC3339), o.Due.Format(time.RFC3339),
			o.Finished.Format(time.RFC3339), strconv.FormatBool(o.OnTime), o.Lead, export.Safe(o.Answer)})
	}
	w.Flush()
	return nil
}
