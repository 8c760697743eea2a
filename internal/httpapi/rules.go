package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
)

// showRules answers GET /api/v1/rules: what the district sets for itself, the
// standards that its work follows, and which actions cite which.
func (a *API) showRules(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	p := d.Procedure()
	return writeValue(c, http.StatusOK, struct {
		casework.Rules
		Standards []casework.Standard          `json:"standards"`
		Cited     map[string][]casework.Action `json:"cited"`
	}{p.Rules, orEmpty(p.Standards.Standards()), casework.Cited()})
}
