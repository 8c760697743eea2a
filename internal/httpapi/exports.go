package httpapi

import (
	"bytes"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"lianqin/internal/export"
	"lianqin/internal/fault"
)

// exportFormat is the file that is asked for, empty for JSON; and whether a
// CSV gets a byte order mark.
func exportFormat(p *params) (format string, mark bool, err error) {
	if mark, err = p.flag(figuresBOM); err != nil {
		return "", false, err
	}
	switch format = p.values[figuresFormat]; format {
	case "json":
		format = ""
	case "", "csv", "xlsx":
	default:
		return "", false, fault.InvalidField("format", "%.40q is not json, csv or xlsx", format)
	}
	if mark && format != "csv" {
		return "", false, fault.InvalidField("bom", "is for format=csv")
	}
	return format, mark, nil
}

// tableWriter is a CSV or a workbook.
type tableWriter interface {
	Begin(export.Sheet) error
	Write(export.Row) error
}

// writeExport answers with a file, once the whole of it is there: what cannot
// be read half way is told as an error.
func writeExport(c *gin.Context, format, name string, mark bool, write func(tableWriter) error) error {
	var b bytes.Buffer
	media := "text/csv; charset=utf-8"
	if format == "csv" {
		out := export.NewCSV(&b, mark)
		if err := write(out); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	} else {
		media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		out, err := export.NewWorkbook(name, "联勤 Lianqin")
		if err != nil {
			return err
		}
		defer out.Close()
		if err := write(out); err != nil {
			return err
		}
		if _, err := out.WriteTo(&b); err != nil {
			return err
		}
	}
	h := c.Writer.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + "." + format}))
	h["Cache-Control"] = noStore
	c.Status(http.StatusOK)
	_, _ = c.Writer.Write(b.Bytes()) // to a reader that may have gone
	return nil
}
