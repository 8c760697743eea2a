package httpapi

import (
	"bytes"
	_ "embed"

	"github.com/gin-gonic/gin"
)

// openAPISource is the description of every route, written by hand.
//
//go:embed openapi.json
var openAPISource []byte

// openAPIDocument is the description with the program's version in it.
func openAPIDocument(version string) *document {
	quoted := appendString(nil, version)
	return newDocument(openAPIType, bytes.Replace(openAPISource, []byte(`"0.0.0"`), quoted, 1))
}

// openAPI answers GET /openapi.json.
func (a *API) openAPI(c *gin.Context) error {
	a.openapi.serve(c, noCache)
	return nil
}

// ogcAPI answers GET /ogc/api with the same document, where OGC API looks for
// it.
func (a *API) ogcAPI(c *gin.Context) error {
	if err := onlyFormat(c); err != nil {
		return err
	}
	return a.openAPI(c)
}
