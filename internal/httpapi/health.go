package httpapi

import (
	"github.com/gin-gonic/gin"
)

// healthz says that the process answers.
func (a *API) healthz(c *gin.Context) error {
	b := append([]byte(`{"status":"ok","version":`), appendString(nil, a.cfg.Version)...)
	writeJSON(c, append(b, "}\n"...))
	return nil
}

// readyz says that boundaries are in force.
func (a *API) readyz(c *gin.Context) error {
	d, err := a.inForce()
	if err != nil {
		return err
	}
	b := append([]byte(`{"status":"ready",`), d.generation...)
	writeJSON(c, append(b, "}\n"...))
	return nil
}

var jsonType = []string{"application/json"}

// writeJSON answers with body, which no cache may keep.
func writeJSON(c *gin.Context, body []byte) {
	h := c.Writer.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	_, _ = c.Writer.Write(body) // a reader that went away needs no answer
}
