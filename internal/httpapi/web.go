package httpapi

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
)

// contentPolicy lets the application reach nothing but its own service. Blobs
// are the map's workers and images, inline styles its markers.
var contentPolicy = []string{"default-src 'self'; script-src 'self'; worker-src 'self' blob:; child-src 'self' blob:; " +
	"img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; connect-src 'self'; " +
	"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"}

// site is the built web application, in memory and compressed.
type site struct {
	files map[string]*siteFile // by URL path
}

type siteFile struct {
	*document
	cache []string
	html  bool
}

// mediaTypes do not depend on the machine's tables.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".map": "application/json", ".svg": "image/svg+xml",
	".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm",
}

// newSite reads all files of dist. Those under assets/ carry their content's
// hash in their name and never change.
func newSite(dist fs.FS) (*site, error) {
	s := &site{files: make(map[string]*siteFile)}
	if dist == nil {
		return s, nil
	}
	err := fs.WalkDir(dist, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		s.add(name, body)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil // not built
	}
	return s, err
}

func (s *site) add(name string, body []byte) {
	ext := path.Ext(name)
	mediaType := mediaTypes[ext]
	if mediaType == "" {
		if mediaType = mime.TypeByExtension(ext); mediaType == "" {
			mediaType = "application/octet-stream"
		}
	}
	f := &siteFile{document: newDocument(mediaType, body), cache: noCache, html: ext == ".html"}
	if strings.HasPrefix(name, "assets/") {
		f.cache = immutable
	}
	s.files["/"+name] = f
	if dir, ok := strings.CutSuffix(name, "index.html"); ok {
		s.files["/"+dir] = f
	}
}

// notBuilt is what "/" shows until the application was built.
const notBuilt = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>联勤 Lianqin</title><body style="font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem">
<h1>联勤 Lianqin</h1>
<p>服务正在运行，但网页尚未构建。请在源码目录执行 <code>make web</code>，然后重新启动。接口说明见 <a href="/openapi.json">/openapi.json</a>。</p>
<p lang="en">The service is running, but its web pages have not been built. Run <code>make web</code> in the source folder and start again.
The API is described in <a href="/openapi.json">/openapi.json</a>.</p>
`

// webFile answers all paths that no route has.
func (a *API) webFile(c *gin.Context) error {
	if m := c.Request.Method; m != http.MethodGet && m != http.MethodHead {
		return fault.New(fault.NotFound, "there is nothing at %s", clipText(c.Request.URL.Path))
	}
	h := c.Writer.Header()
	f, ok := a.site.files[c.Request.URL.Path]
	if !ok {
		if to, ok := withoutSlash(c.Request); ok {
			h.Set("Location", to)
			c.Status(http.StatusPermanentRedirect)
			return nil
		}
		if _, dir := a.site.files[c.Request.URL.Path+"/"]; dir {
			h.Set("Location", withQuery(path.Base(c.Request.URL.Path)+"/", c.Request))
			c.Status(http.StatusMovedPermanently)
			return nil
		}
		if c.Request.URL.Path != "/" { // without an index.html nothing was built, whatever else lies there
			return fault.New(fault.NotFound, "there is nothing at %s", clipText(c.Request.URL.Path))
		}
		h["Content-Security-Policy"] = contentPolicy
		c.Data(http.StatusOK, mediaTypes[".html"], []byte(notBuilt))
		return nil
	}
	if f.html {
		h["Content-Security-Policy"] = contentPolicy
	}
	f.serve(c, f.cache)
	return nil
}

// withoutSlash is where a path of the OGC API that ends in a slash is meant to
// go: people and programs add one to a landing page. It is relative, so that
// it holds behind every proxy's prefix.
func withoutSlash(r *http.Request) (string, bool) {
	at, ok := strings.CutSuffix(r.URL.EscapedPath(), "/")
	if !ok || at != "/ogc" && !strings.HasPrefix(at, "/ogc/") || strings.HasSuffix(at, "/") {
		return "", false
	}
	return withQuery("../"+path.Base(at), r), true
}

func withQuery(to string, r *http.Request) string {
	if r.URL.RawQuery == "" {
		return to
	}
	return to + "?" + r.URL.RawQuery
}
