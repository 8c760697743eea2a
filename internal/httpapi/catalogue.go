package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var catalogueParams = []string{"version", "table"}

// showCatalogue answers GET /api/v1/catalogue: one version, the one in force
// now if not said, or one of its tables as CSV.
func (a *API) showCatalogue(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	p, err := readParams(c.Request.URL.RawQuery, catalogueParams)
	if err != nil {
		return err
	}
	editions := d.Procedure().Catalogues
	v, err := editions.At(a.cfg.Now())
	if p.has(0) {
		var n int
		if n, err = readCount("version", p.values[0], 1); err == nil {
			v, err = editions.Version(n)
		}
	}
	if err != nil {
		return err
	}
	switch p.values[1] {
	case "":
	case "items":
		return writeTable(c, "catalogue-"+strconv.Itoa(v.Number()), v.WriteItems)
	case "departments":
		return writeTable(c, "departments-"+strconv.Itoa(v.Number()), v.WriteDepartments)
	default:
		return fault.InvalidField("table", "%.40q is not items or departments", p.values[1])
	}
	versions := []versionAnswer{}
	for _, e := range editions.Versions() {
		versions = append(versions, versionOf(e))
	}
	return writeValue(c, http.StatusOK, struct {
		versionAnswer
		Versions    []versionAnswer       `json:"versions"`
		Items       []casework.Item       `json:"items"`
		Departments []casework.Department `json:"departments"`
	}{versionOf(v), versions, v.Items(), v.Departments()})
}

// versionAnswer is one version of the catalogue; it is in force from the
// beginning where From is left out.
type versionAnswer struct {
	Number int       `json:"number"`
	From   time.Time `json:"from,omitzero"`
	Hash   string    `json:"hash"`
	Count  int       `json:"item_count"`
}

func versionOf(v *casework.Catalogue) versionAnswer {
	out := versionAnswer{Number: v.Number(), Hash: v.Hash(), Count: len(v.Items())}
	if !v.From().IsZero() {
		out.From = v.From().In(grid.Zone)
	}
	return out
}

// writeTable answers with a table as a CSV file.
func writeTable(c *gin.Context, name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	h["Cache-Control"] = noStore
	c.Status(http.StatusOK)
	_, _ = c.Writer.Write(b.Bytes()) // to a reader that may have gone
	return nil
}

// catalogueForm is a whole catalogue, its two tables as CSV.
type catalogueForm struct {
	From        time.Time `json:"from"`
	Departments string    `json:"departments"`
	Items       string    `json:"items"`
}

// editForm is rows to put in and to take out.
type editForm struct {
	From time.Time `json:"from"`
	casework.Edit
}

// readLargeJSON is readJSON for bodies that hold tables.
func (a *API) readLargeJSON(c *gin.Context, v any) error {
	if !isJSON(c.Request) {
		return withStatus(http.StatusUnsupportedMediaType, fault.InvalidField("Content-Type", "send application/json"))
	}
	b, err := a.readBody(c.Request)
	if err != nil {
		return err
	}
	defer b.release()
	d := json.NewDecoder(bytes.NewReader(b.bytes))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fault.InvalidField("body", "not the JSON object wanted: %w", err)
	}
	return nil
}

// importCatalogue answers POST /api/v1/catalogue.
func (a *API) importCatalogue(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f catalogueForm
	if err := a.readLargeJSON(c, &f); err != nil {
		return err
	}
	next, err := casework.ReadCatalogue(strings.NewReader(f.Departments), strings.NewReader(f.Items))
	if err != nil {
		return err
	}
	diff, err := d.ImportCatalogue(c.Request.Context(), a.fromOrNow(f.From), next)
	return a.tellVersion(c, d, diff, err)
}

// editCatalogue answers PATCH /api/v1/catalogue.
func (a *API) editCatalogue(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f editForm
	if err := a.readLargeJSON(c, &f); err != nil {
		return err
	}
	diff, err := d.EditCatalogue(c.Request.Context(), a.fromOrNow(f.From), f.Edit)
	return a.tellVersion(c, d, diff, err)
}

func (a *API) fromOrNow(from time.Time) time.Time {
	if from.IsZero() {
		return a.cfg.Now()
	}
	return from
}

func (a *API) tellVersion(c *gin.Context, d *casework.Desk, diff []casework.Difference, err error) error {
	if err != nil {
		return err
	}
	all := d.Procedure().Catalogues.Versions()
	return writeValue(c, http.StatusCreated, struct {
		versionAnswer
		Differences []casework.Difference `json:"differences"`
	}{versionOf(all[len(all)-1]), diff})
}

// showCalendar answers GET /api/v1/calendar: the days that are not as the week
// has them, as CSV.
func (a *API) showCalendar(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	return writeTable(c, "calendar", d.Procedure().Calendar.WriteDays)
}

// importCalendar answers POST /api/v1/calendar: days as CSV. Those of every
// year that it knows take the place of those before.
func (a *API) importCalendar(c *gin.Context) error {
	return a.takeTable(c, func(d *casework.Desk, csv io.Reader) (any, error) {
		days, err := casework.ReadCalendar(csv, d.Procedure().Calendar.Hours())
		if err == nil {
			err = d.ImportCalendar(c.Request.Context(), days)
		}
		if err != nil {
			return nil, err
		}
		return struct {
			Imported []int `json:"imported"` // years
			Years    []int `json:"years"`    // all that are known
		}{orEmpty(days.Years()), orEmpty(d.Procedure().Calendar.Years())}, nil
	})
}

// takeTable has enter read the body as a table for the desk, and answers with
// what it returns.
func (a *API) takeTable(c *gin.Context, enter func(d *casework.Desk, csv io.Reader) (any, error)) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	b, err := a.readBody(c.Request)
	if err != nil {
		return err
	}
	defer b.release()
	answer, err := enter(d, bytes.NewReader(b.bytes))
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, answer)
}

// modeAnswer is whether the district is in emergency, and how it came to it.
type modeAnswer struct {
	Emergency bool           `json:"emergency"`
	Turns     casework.Modes `json:"turns"`
}

// showMode answers GET /api/v1/mode.
func (a *API) showMode(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	return a.tellMode(c, d)
}

func (a *API) tellMode(c *gin.Context, d *casework.Desk) error {
	m := d.Procedure().Modes
	return writeValue(c, http.StatusOK, modeAnswer{m.Emergency(a.cfg.Now()), orEmpty(m)})
}

// switchMode answers POST /api/v1/mode.
func (a *API) switchMode(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f struct {
		Emergency *bool  `json:"emergency"`
		Reason    string `json:"reason"`
	}
	if err := readJSON(c, &f); err != nil {
		return err
	}
	if f.Emergency == nil {
		return fault.InvalidField("emergency", "missing")
	}
	if err := checkTexts([]string{f.Reason}); err != nil {
		return err
	}
	if err := d.Turn(c.Request.Context(), *f.Emergency, callerOf(c).Name, f.Reason); err != nil {
		return err
	}
	return a.tellMode(c, d)
}
