package httpapi

import (
	"io"

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
	return a.takeTable(c, func(d *casework.Desk, csv io.Reader) (any, error) {
		versions, err := casework.ReadStandards(csv)
		if err == nil {
			err = d.ImportStandards(c.Request.Context(), versions)
		}
		if err != nil {
			return nil, err
		}
		return struct {
			Imported  int                 `json:"imported"`
			Standards []casework.Standard `json:"standards"` // all
		}{len(versions.Standards()), orEmpty(d.Procedure().Standards.Standards())}, nil
	})
}
