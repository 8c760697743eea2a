package httpapi

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// access is the least that a caller of a route must be allowed to do. Without
// accounts every route is open; they will be checked against this column.
type access string

const (
	anyone  access = "anyone"  // no account: probes, documents about the service, the application's files
	viewer  access = "viewer"  // may see the district's boundaries
	monitor access = "monitor" // may see how the service is doing
)

// route is one line of the route table. Paths are written as in OpenAPI.
type route struct {
	method string
	path   string
	access access
	handle func(*API, *gin.Context) error
}

// routes is every route there is, beside the web application's files, which
// answer what is left. Each has its entry in openapi.json; a test compares.
var routes = []route{
	{"GET", "/api/v1/resolve", viewer, (*API).resolve},
	{"POST", "/api/v1/resolve", viewer, (*API).resolveBatch},
	{"GET", "/api/v1/grids", viewer, (*API).listGrids},
	{"GET", "/api/v1/grids/{grid}", viewer, (*API).showGrid},
	{"GET", "/api/v1/streets", viewer, (*API).listStreets},

	{"GET", "/tiles/grids/{z}/{x}/{y}.mvt", viewer, (*API).gridTile},

	{"GET", "/ogc", viewer, (*API).ogcLanding},
	{"GET", "/ogc/api", anyone, (*API).ogcAPI},
	{"GET", "/ogc/conformance", anyone, (*API).ogcConformance},
	{"GET", "/ogc/collections", viewer, (*API).ogcCollections},
	{"GET", "/ogc/collections/{collection}", viewer, (*API).ogcCollection},
	{"GET", "/ogc/collections/{collection}/items", viewer, (*API).ogcItems},
	{"GET", "/ogc/collections/{collection}/items/{feature}", viewer, (*API).ogcItem},

	{"GET", "/openapi.json", anyone, (*API).openAPI},
	{"GET", "/healthz", anyone, (*API).healthz},
	{"GET", "/readyz", anyone, (*API).readyz},
	{"GET", "/metrics", monitor, (*API).scrape},
}

func (a *API) newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.UseRawPath = true // a code may hold an escaped slash
	e.UnescapePathValues = true
	e.Use(a.guard)
	for _, r := range routes {
		path := ginPath(r.path)
		handle := a.answer(r)
		e.Handle(r.method, path, handle)
		if r.method == http.MethodGet {
			e.HEAD(path, handle)
		}
	}
	e.NoRoute(a.answer(route{"GET", "/", anyone, (*API).webFile}))
	e.NoMethod(a.answer(route{"", "", anyone, methodNotAllowed}))
	return e
}

// ginPath turns {name} into :name. A parameter of gin runs to the next slash,
// so that an ending such as ".mvt" becomes part of name and value.
func ginPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}
