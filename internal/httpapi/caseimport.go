package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/table"
)

var caseImportParams = []string{"source"}

// importedAnswer says what became of the lines of an import.
type importedAnswer struct {
	Added    int               `json:"added"`
	Known    int               `json:"known"`
	Refused  int               `json:"refused"`
	Rejected []table.CellFault `json:"rejected"` // the first of them
}

// importCases answers POST /api/v1/cases/import: the body is a file of
// histories, or a form with a mapping and another system's table. It is read as
// it arrives, and may be as long as Limits.ImportBytes.
func (a *API) importCases(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, caseImportParams)
	if err != nil {
		return err
	}
	// Whoever imports uses both processors: one at a time.
	select {
	case a.loading <- struct{}{}:
		defer func() { <-a.loading }()
	default:
		return fault.New(fault.Unavailable, "another import of cases is under way")
	}
	body := &slowBody{from: http.MaxBytesReader(c.Writer, c.Request.Body, a.cfg.Limits.ImportBytes), rc: http.NewResponseController(c.Writer), pause: a.cfg.Limits.Request}
	// Lines are entered while they come: the time that takes is no reason to end.
	entered := func(casework.Imported) { body.extend() }
	var done casework.Imported
	switch form, _, ferr := formOf(c.Request.Header.Get("Content-Type")); {
	case ferr == nil && form == linesForm:
		done, err = d.Import(c.Request.Context(), body, p.values[0], entered)
	default:
		var m *casework.Mapping
		var rows io.Reader
		if m, rows, err = tableForm(c.Request, body); err == nil {
			done, err = d.ImportTable(c.Request.Context(), rows, m, p.values[0], entered)
		}
	}
	body.extend()
	if err != nil {
		if done.Added+done.Known+done.Refused > 0 {
			err = fmt.Errorf("%w (before that: %d entered, %d known, %d refused)", err, done.Added, done.Known, done.Refused)
		}
		return err
	}
	out := importedAnswer{done.Added, done.Known, done.Refused, []table.CellFault{}}
	for _, r := range done.Rejected {
		out.Rejected = append(out.Rejected, table.CellFault{Line: r.Line, Column: fault.FieldOf(r.Error), Detail: r.Error.Error()})
	}
	return writeValue(c, http.StatusOK, out)
}

// tableForm are the two parts of a form: mapping, then table.
func tableForm(r *http.Request, body io.Reader) (*casework.Mapping, io.Reader, error) {
	r.Body = io.NopCloser(body)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, withStatus(http.StatusUnsupportedMediaType, fault.InvalidField("Content-Type", "send application/x-ndjson, or multipart/form-data with the parts mapping and table"))
	}
	part, err := nextPart(parts, "mapping")
	if err != nil {
		return nil, nil, err
	}
	m, err := casework.ReadMapping(part)
	if err != nil {
		return nil, nil, err
	}
	rows, err := nextPart(parts, "table")
	return m, rows, err
}

func nextPart(parts *multipart.Reader, name string) (*multipart.Part, error) {
	part, err := parts.NextPart()
	if errors.Is(err, io.EOF) || err == nil && part.FormName() != name {
		return nil, fault.InvalidField(name, "the form has the parts mapping and table, in this order")
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "the form cannot be read: %w", err)
	}
	return part, nil
}

// slowBody is a body that may take as long as it likes, while it keeps coming.
type slowBody struct {
	from  io.Reader
	rc    *http.ResponseController
	pause time.Duration
}

func (b *slowBody) extend() {
	deadline := time.Now().Add(b.pause) // the connection's clock is the real one
	_ = b.rc.SetReadDeadline(deadline)  // not every writer has deadlines
	_ = b.rc.SetWriteDeadline(deadline.Add(writeGrace))
}

func (b *slowBody) Read(p []byte) (int, error) {
	b.extend()
	n, err := b.from.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return n, tooLarge(e.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, withStatus(http.StatusRequestTimeout, fault.New(fault.Invalid, "the body did not go on in time"))
	}
	return n, fault.New(fault.Invalid, "the body ends early or is damaged: %w", err)
}
