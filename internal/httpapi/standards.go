package httpapi

import (
	"bytes"
	"net/http"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
)

// showStandards answers GET /api/v1/standards: the register in all versions, as
// CSV.
func (a *API) showStandards(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	return writeTable(c, "standards", d.Procedure().Standards.WriteStandards)
}

// importStandards answers POST /api/v1/standards: versions of standards as CSV,
// which come beside those that are there, or in the place of the same ones.
func (a *API) importStandards(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	b, err := a.readBody(c.Request)
	if err != nil {
		return err
	}
	defer b.release()
	versions, err := casework.ReadStandards(bytes.NewReader(b.bytes))
	if err != nil {
		return err
	}
	if err := d.ImportStandards(c.Request.Context(), versions); err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, struct {
		Imported  int                 `json:"imported"`
		Standards []casework.Standard `json:"standards"` // all
	}{len(versions.Standards()), orEmpty(d.Procedure().Standards.Standards())})
}
