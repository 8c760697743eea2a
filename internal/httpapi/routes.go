package httpapi

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
)

// route is one line of the route table: what it does, and what a caller must
// be allowed to do for that. Paths are written as in OpenAPI.
type route struct {
	method string
	path   string
	action auth.Action
	handle func(*API, *gin.Context) error
}

// routes is every route there is, beside the web application's files, which
// answer what is left. Each has its entry in openapi.json; a test compares.
var routes = []route{
	{"GET", "/api/v1/resolve", auth.ReadMap, (*API).resolve},
	{"POST", "/api/v1/resolve", auth.ReadMap, (*API).resolveBatch},
	{"GET", "/api/v1/grids", auth.ReadMap, (*API).listGrids},
	{"GET", "/api/v1/grids/{grid}", auth.ReadMap, (*API).showGrid},
	{"GET", "/api/v1/streets", auth.ReadMap, (*API).listStreets},

	{"GET", "/api/v1/generations", auth.ReadGenerations, (*API).listGenerations},
	{"POST", "/api/v1/generations", auth.DraftGenerations, (*API).importGeneration},
	{"GET", "/api/v1/generations/{number}", auth.ReadGenerations, (*API).showGeneration},
	{"GET", "/api/v1/generations/{number}/grids", auth.ReadGenerations, (*API).listGenerationGrids},
	{"GET", "/api/v1/generations/{number}/diff/{next}", auth.ReadGenerations, (*API).showDiff},
	{"POST", "/api/v1/generations/{number}/check", auth.DraftGenerations, (*API).checkGeneration},
	{"POST", "/api/v1/generations/{number}/publish", auth.PublishGenerations, (*API).publishGeneration},
	{"GET", "/tiles/generations/{number}/{z}/{x}/{y}.mvt", auth.ReadGenerations, (*API).generationTile},

	{"GET", "/tiles/grids/{z}/{x}/{y}.mvt", auth.ReadMap, (*API).gridTile},

	{"GET", "/api/v1/basemap", auth.ReadMap, (*API).showBaseMap},
	{"GET", "/tiles/base/{layer}/{z}/{x}/{y}", auth.ReadMap, (*API).baseTile},
	{"GET", "/tiles/base/{layer}/archive", auth.ReadMap, (*API).baseArchive},

	{"GET", "/api/v1/live", auth.WatchPatrols, (*API).showLive},
	{"GET", "/api/v1/replay", auth.WatchPatrols, (*API).showReplay},

	{"GET", "/ogc", auth.ReadMap, (*API).ogcLanding},
	{"GET", "/ogc/api", auth.Anyone, (*API).ogcAPI},
	{"GET", "/ogc/conformance", auth.Anyone, (*API).ogcConformance},
	{"GET", "/ogc/collections", auth.ReadMap, (*API).ogcCollections},
	{"GET", "/ogc/collections/{collection}", auth.ReadMap, (*API).ogcCollection},
	{"GET", "/ogc/collections/{collection}/items", auth.ReadMap, (*API).ogcItems},
	{"GET", "/ogc/collections/{collection}/items/{feature}", auth.ReadMap, (*API).ogcItem},

	{"GET", "/api/v1/session", auth.Anyone, (*API).showSession},
	{"POST", "/api/v1/session", auth.Anyone, (*API).signIn},
	{"DELETE", "/api/v1/session", auth.OwnSession, (*API).signOut},
	{"DELETE", "/api/v1/sessions", auth.OwnSession, (*API).signOutEverywhere},
	{"PUT", "/api/v1/session/password", auth.OwnSession, (*API).changePassword},
	{"GET", "/oidc/start", auth.Anyone, (*API).oidcStart},
	{"GET", "/oidc/callback", auth.Anyone, (*API).oidcCallback},
	{"GET", "/share/{secret}", auth.Anyone, (*API).openLink},

	{"GET", "/api/v1/accounts", auth.ManageAccounts, (*API).listAccounts},
	{"POST", "/api/v1/accounts", auth.ManageAccounts, (*API).createAccount},
	{"PATCH", "/api/v1/accounts/{login}", auth.ManageAccounts, (*API).changeAccount},
	{"GET", "/api/v1/devices", auth.ManageDevices, (*API).listDevices},
	{"POST", "/api/v1/devices", auth.ManageDevices, (*API).createDevice},
	{"DELETE", "/api/v1/devices/{id}", auth.ManageDevices, (*API).revokeDevice},
	{"PATCH", "/api/v1/devices/{id}", auth.ManagePatrols, (*API).changeDevice},
	{"GET", "/api/v1/links", auth.ManageLinks, (*API).listLinks},
	{"POST", "/api/v1/links", auth.ManageLinks, (*API).createLink},
	{"DELETE", "/api/v1/links/{id}", auth.ManageLinks, (*API).revokeLink},
	{"GET", "/api/v1/audit", auth.ReadAudit, (*API).listAudit},
	{"GET", "/api/v1/audit/verify", auth.ReadAudit, (*API).verifyAudit},

	{"GET", "/api/v1/units", auth.WatchPatrols, (*API).listUnits},
	{"POST", "/api/v1/units", auth.ManagePatrols, (*API).createUnit},
	{"POST", "/api/v1/units/import", auth.ManagePatrols, (*API).importUnits},
	{"GET", "/api/v1/units/{unit}", auth.WatchPatrols, (*API).showUnit},
	{"PATCH", "/api/v1/units/{unit}", auth.ManagePatrols, (*API).changeUnit},
	{"GET", "/api/v1/units/{unit}/track", auth.ReadTracks, (*API).showTrack},
	{"GET", "/api/v1/teams", auth.WatchPatrols, (*API).listTeams},
	{"POST", "/api/v1/teams", auth.ManagePatrols, (*API).enterTeam},
	{"GET", "/api/v1/roster", auth.ManagePatrols, (*API).showRoster},
	{"POST", "/api/v1/roster", auth.ManagePatrols, (*API).importRoster},
	{"GET", "/api/v1/events", auth.WatchPatrols, (*API).listEvents},
	{"GET", "/api/v1/coverage", auth.WatchPatrols, (*API).showCoverage},
	{"GET", "/api/v1/quarantine", auth.ReadQuarantine, (*API).listQuarantine},

	{"GET", "/api/v1/attention", auth.WatchCases, (*API).showAttention},
	{"PUT", "/api/v1/attention/{matter}", auth.TakeMatters, (*API).takeMatter},
	{"DELETE", "/api/v1/attention/{matter}", auth.TakeMatters, (*API).giveMatter},

	{"POST", "/api/v1/cases", auth.ReportCases, (*API).openCase},
	{"GET", "/api/v1/cases", auth.ReadCases, (*API).listCases},
	{"POST", "/api/v1/cases/import", auth.ImportCases, (*API).importCases},
	{"GET", "/api/v1/cases/counts", auth.ReadCases, (*API).countCases},
	{"GET", "/api/v1/cases/live", auth.ReadCases, (*API).liveCases},
	{"PUT", "/api/v1/cases/{id}/viewing", auth.ReadCases, (*API).viewCase},
	{"DELETE", "/api/v1/cases/{id}/viewing", auth.ReadCases, (*API).leaveCase},
	{"GET", "/api/v1/cases/index", auth.WatchCases, (*API).indexCases},
	{"GET", "/api/v1/cases/{id}", auth.ReadCases, (*API).showCase},
	{"GET", "/api/v1/cases/{id}/reporter", auth.ActOnCases, (*API).showReporter},
	{"POST", "/api/v1/files", auth.SendFiles, (*API).sendFile},
	{"GET", "/api/v1/cases/{id}/files/{name}", auth.ReadCases, (*API).showFile},
	{"POST", "/api/v1/cases/actions/{action}", auth.ActOnCases, (*API).actOnCases},
	{"POST", "/api/v1/cases/{id}/actions/{action}", auth.ActOnCases, (*API).actOnCase},
	{"GET", "/api/v1/public/report", auth.ReportPublicly, (*API).showPublicForm},
	{"GET", "/api/v1/public/report/ticket", auth.ReportPublicly, (*API).showTicket},
	{"POST", "/api/v1/public/reports", auth.ReportPublicly, (*API).reportPublicly},
	{"POST", "/api/v1/public/reports/check", auth.ReportPublicly, (*API).checkPublicly},
	{"GET", "/api/v1/public/reports/{token}", auth.ReportPublicly, (*API).followPublicly},
	{"GET", "/open311/v2/discovery.{format}", auth.ReportPublicly, (*API).open311Discovery},
	{"GET", "/open311/v2/services.{format}", auth.ReportPublicly, (*API).open311Services},
	{"GET", "/open311/v2/services/{code}", auth.ReportPublicly, (*API).open311Definition},
	{"GET", "/open311/v2/requests.{format}", auth.ReportPublicly, (*API).open311Requests},
	{"POST", "/open311/v2/requests.{format}", auth.ReportPublicly, (*API).postOpen311},
	{"GET", "/open311/v2/requests/{id}", auth.ReportPublicly, (*API).open311One},
	{"GET", "/open311/v2/tokens/{token}", auth.ReportPublicly, (*API).open311Token},
	{"GET", "/api/v1/filters", auth.ReadCases, (*API).listFilters},
	{"PUT", "/api/v1/filters/{name}", auth.ReadCases, (*API).saveFilter},
	{"DELETE", "/api/v1/filters/{name}", auth.ReadCases, (*API).dropFilter},
	{"GET", "/api/v1/orders/answers", auth.ImportOrders, (*API).listAnswers},
	{"POST", "/api/v1/orders", auth.ImportOrders, (*API).importOrders},
	{"GET", "/api/v1/indicators", auth.ReadIndicators, (*API).showIndicators},
	{"GET", "/api/v1/indicators/{indicator}/cases", auth.ReadFigureCases, (*API).listFigureCases},
	{"GET", "/api/v1/inspections", auth.ReadInspections, (*API).listInspections},
	{"POST", "/api/v1/inspections", auth.OrderInspections, (*API).orderInspection},
	{"GET", "/api/v1/inspections/{id}", auth.ReadInspections, (*API).showInspection},
	{"GET", "/api/v1/inspections/{id}/verify", auth.OrderInspections, (*API).verifyInspection},
	{"GET", "/api/v1/inspections/{id}/export", auth.ReadInspections, (*API).exportInspection},
	{"GET", "/api/v1/inspections/{id}/files/{name}", auth.ReadInspections, (*API).showInspectionFile},
	{"POST", "/api/v1/inspections/{id}/results", auth.RecordInspections, (*API).recordResult},
	{"POST", "/api/v1/inspections/{id}/assign", auth.OrderInspections, (*API).assignInspection},
	{"POST", "/api/v1/inspections/{id}/finish", auth.OrderInspections, (*API).finishInspection},
	{"GET", "/api/v1/inspectors", auth.OrderInspections, (*API).listInspectors},
	{"GET", "/api/v1/watchlist", auth.ReadCases, (*API).listWatched},
	{"GET", "/api/v1/heat", auth.ReadIndicators, (*API).showHeat},
	{"GET", "/api/v1/heat/series", auth.ReadIndicators, (*API).showHeatSeries},
	{"GET", "/api/v1/heat/rising", auth.ReadIndicators, (*API).showRising},
	{"GET", "/tiles/heat/{z}/{x}/{y}.mvt", auth.ReadIndicators, (*API).heatTile},
	{"GET", "/api/v1/catalogue", auth.ReadCatalogue, (*API).showCatalogue},
	{"POST", "/api/v1/catalogue", auth.ManageCatalogue, (*API).importCatalogue},
	{"PATCH", "/api/v1/catalogue", auth.ManageCatalogue, (*API).editCatalogue},
	{"GET", "/api/v1/calendar", auth.ReadCatalogue, (*API).showCalendar},
	{"POST", "/api/v1/calendar", auth.ManageCatalogue, (*API).importCalendar},
	{"GET", "/api/v1/mode", auth.ReadCatalogue, (*API).showMode},
	{"POST", "/api/v1/mode", auth.SwitchMode, (*API).switchMode},
	{"GET", "/api/v1/rules", auth.ReadCatalogue, (*API).showRules},
	{"GET", "/api/v1/standards", auth.ReadCatalogue, (*API).showStandards},
	{"POST", "/api/v1/standards", auth.ManageCatalogue, (*API).importStandards},
	{"GET", "/api/v1/precedents", auth.ReadCases, (*API).listPrecedents},

	{"POST", "/api/v1/positions", auth.SendPositions, (*API).takePositions},
	{"GET", "/ingest", auth.Anyone, (*API).takeReport}, // the phones' forms have credentials of their own
	{"POST", "/ingest", auth.Anyone, (*API).takeReport},
	{"GET", "/ingest/{anything}", auth.Anyone, (*API).takeReport},
	{"POST", "/ingest/{anything}", auth.Anyone, (*API).takeReport},

	{"GET", "/openapi.json", auth.Anyone, (*API).openAPI},
	{"GET", "/healthz", auth.Anyone, (*API).healthz},
	{"GET", "/readyz", auth.Anyone, (*API).readyz},
	{"GET", "/metrics", auth.ReadMetrics, (*API).scrape},
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
	e.NoRoute(a.answer(route{"GET", "/", auth.Anyone, (*API).webFile}))
	e.NoMethod(a.answer(route{"", "", auth.Anyone, methodNotAllowed}))
	return e
}

// ginPath turns {name} into :name. A parameter of gin runs to the next slash,
// so that an ending such as ".mvt" becomes part of name and value.
func ginPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}
