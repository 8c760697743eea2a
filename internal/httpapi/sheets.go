package httpapi

import (
	"errors"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
	"lianqin/internal/table"
)

// readSheet reads a CSV of people's own making from the body, whatever media
// type their browser gives it.
func (a *API) readSheet(c *gin.Context, columns []table.SheetColumn) (*table.Sheet, error) {
	b, err := a.readBody(c.Request)
	if err != nil {
		return nil, err
	}
	defer b.release()
	sheet, err := table.ReadSheet(b.bytes, columns, a.cfg.Limits.Points)
	if err != nil {
		return nil, err
	}
	if len(sheet.Rows) == 0 {
		return nil, fault.InvalidField("body", "a header without rows")
	}
	return sheet, nil
}

func isJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

// tellRows tells err's rows by line and column of the sheet that they came
// from; one thing that came by itself has none.
func tellRows(sheet *table.Sheet, err error) error {
	rows, ok := errors.AsType[patrol.RowErrors](err)
	if !ok || sheet == nil {
		return err
	}
	for _, r := range rows {
		row := &sheet.Rows[r.Row]
		detail := r.Err.Error()
		if e, ok := errors.AsType[*fault.Error](r.Err); ok {
			detail = e.Msg
		}
		sheet.Refuse(row, sheet.Column(fault.FieldOf(r.Err)), "%s", detail)
	}
	return sheet.Err()
}
