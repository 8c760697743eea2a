package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
)

// maxForm is the greatest JSON body other than of points and boundaries.
const maxForm = 64 << 10

// readJSON reads a small JSON body into v. It asks for the media type, which a
// form on another site's page cannot send, and refuses unknown fields by name.
func readJSON(c *gin.Context, v any) error {
	media, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return withStatus(http.StatusUnsupportedMediaType, fault.InvalidField("Content-Type", "send application/json"))
	}
	d := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, maxForm))
	d.DisallowUnknownFields()
	err = d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("more after its end")
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(maxForm)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:] // what holds it may be ours alone
		if what == "" {
			return fault.InvalidField("body", "the JSON is no object but of type %s", wrong.Value)
		}
		return fault.InvalidField("body", "%s is of type %s, which does not fit", what, wrong.Value) // not the value: it may be a secret
	}
	return fault.InvalidField("body", "not the JSON object wanted: %w", err)
}

// writeValue answers with v as JSON, which no cache may keep.
func writeValue(c *gin.Context, status int, v any) error {
	h := c.Writer.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	c.Status(status)
	e := json.NewEncoder(c.Writer)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && !c.Writer.Written() {
		return err // nothing was encoded; otherwise the reader has gone
	}
	return nil
}

func noContent(c *gin.Context) error {
	c.Writer.Header()["Cache-Control"] = noStore
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}
