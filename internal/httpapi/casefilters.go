package httpapi

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

const (
	maxFilters     = 50 // of one account
	maxFilterName  = 64 // characters
	maxFilterQuery = 2000
)

// filters is where they are, and whose the caller's are.
func (a *API) filters(c *gin.Context) (casework.Filters, string, error) {
	if a.cfg.Filters == nil {
		return nil, "", fault.New(fault.Unavailable, "filters are not kept here")
	}
	caller := callerOf(c)
	if caller.Token.Login == "" {
		return nil, "", fault.New(fault.NotFound, "%s has no account to save filters for", caller.Name)
	}
	return a.cfg.Filters, caller.Token.Login, nil
}

// listFilters answers GET /api/v1/filters.
func (a *API) listFilters(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	f, login, err := a.filters(c)
	if err != nil {
		return err
	}
	all, err := f.Filters(c.Request.Context(), login)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, struct {
		Filters []casework.SavedFilter `json:"filters"`
	}{orEmpty(all)})
}

// saveFilter answers PUT /api/v1/filters/{name}.
func (a *API) saveFilter(c *gin.Context) error {
	f, login, err := a.filters(c)
	if err != nil {
		return err
	}
	var form struct {
		Query string `json:"query"`
	}
	if err := readJSON(c, &form); err != nil {
		return err
	}
	s := casework.SavedFilter{Name: c.Param("name"), Query: strings.TrimPrefix(form.Query, "?"), Saved: a.cfg.Now()}
	if n := utf8.RuneCountInString(s.Name); !utf8.ValidString(s.Name) || strings.TrimSpace(s.Name) != s.Name || n == 0 || n > maxFilterName {
		return fault.InvalidField("name", "needs 1 to %d characters, without spaces around them", maxFilterName)
	}
	if len(s.Query) > maxFilterQuery {
		return fault.InvalidField("query", "longer than %d bytes", maxFilterQuery)
	}
	if _, _, err := a.caseSearchOf(s.Query, callerOf(c).Jurisdiction, casesParams[:casesAfter]); err != nil {
		return fault.InvalidField("query", "%w", err)
	}
	if err := f.SaveFilter(c.Request.Context(), login, s, maxFilters); err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, s)
}

// dropFilter answers DELETE /api/v1/filters/{name}.
func (a *API) dropFilter(c *gin.Context) error {
	f, login, err := a.filters(c)
	if err != nil {
		return err
	}
	if err := f.DropFilter(c.Request.Context(), login, c.Param("name")); err != nil {
		return err
	}
	return noContent(c)
}
