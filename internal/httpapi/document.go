package httpapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// document is a body that many requests get, with what HTTP wants to know
// about it computed once. Gzipped is nil where it would save nothing.
type document struct {
	contentType []string
	plain       variant
	gzipped     variant
}

// variant is one encoding of a document; the tag is strong, so each has its
// own.
type variant struct {
	body   []byte
	etag   []string
	length []string
}

var (
	noCache = []string{"no-cache"}
	// noCachePrivate is for what is asked again every time, and is one caller's.
	noCachePrivate = []string{"private, no-cache"}
	immutable      = []string{"public, max-age=31536000, immutable"}
	// kept is for what only some callers may see: no cache between may have it.
	kept           = []string{"private, max-age=31536000, immutable"}
	varyOnEncoding = []string{"Accept-Encoding"}
	gzipEncoding   = []string{"gzip"}
)

// leastGzip is where gzip begins to save more than its own header.
const leastGzip = 256

func newDocument(contentType string, body []byte) *document {
	d := &document{contentType: []string{contentType}}
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:12])
	d.plain = newVariant(body, `"`+tag+`"`)
	if len(body) >= leastGzip {
		if z := compress(body); len(z) < len(body)*9/10 {
			d.gzipped = newVariant(z, `"`+tag+`-gz"`)
		}
	}
	return d
}

func newVariant(body []byte, etag string) variant {
	return variant{body: body, etag: []string{etag}, length: []string{strconv.Itoa(len(body))}}
}

// compressors are used again: each has a megabyte of tables.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func compress(body []byte) []byte {
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	var out bytes.Buffer
	z.Reset(&out)
	_, _ = z.Write(body) // into memory
	_ = z.Close()
	return out.Bytes()
}

// serve answers with d, or 304 when the client has it.
func (d *document) serve(c *gin.Context, cacheControl []string) {
	h := c.Writer.Header()
	v := &d.plain
	if d.gzipped.body != nil {
		h["Vary"] = varyOnEncoding
		if acceptsGzip(c.Request.Header) {
			v = &d.gzipped
		}
	}
	h["Etag"] = v.etag
	h["Cache-Control"] = cacheControl
	if d.matches(c.Request.Header) {
		c.Writer.WriteHeader(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	h["Content-Type"] = d.contentType
	h["Content-Length"] = v.length
	if v == &d.gzipped {
		h["Content-Encoding"] = gzipEncoding
	}
	c.Writer.WriteHeader(http.StatusOK)
	if c.Request.Method != http.MethodHead {
		_, _ = c.Writer.Write(v.body)
	}
}

// matches reports whether If-None-Match names d in either encoding. It
// compares weakly, as RFC 9110 asks: a proxy may have weakened the tag.
func (d *document) matches(h http.Header) bool {
	for _, line := range h["If-None-Match"] {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || tag == d.plain.etag[0] || d.gzipped.etag != nil && tag == d.gzipped.etag[0] {
				return true
			}
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding: gzip, x-gzip or *, unless its q is 0.
func acceptsGzip(h http.Header) bool {
	for _, line := range h["Accept-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(coding, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip", "*":
				q, weighted := strings.CutPrefix(strings.TrimSpace(params), "q=")
				return !weighted || strings.Trim(q, "0.") != ""
			}
		}
	}
	return false
}
