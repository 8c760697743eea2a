package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/attention"
	"lianqin/internal/auth"
	"lianqin/internal/basemap"
	"lianqin/internal/casework"
	"lianqin/internal/evidence"
	"lianqin/internal/grid"
	"lianqin/internal/ingest"
	"lianqin/internal/live"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
)

// Config is what an API is made of. The zero value of every field but Gate,
// Atlas and Catalogue stands for a sensible one.
type Config struct {
	// Gate lets callers in. It is required.
	Gate *auth.Gate
	// Atlas holds the boundaries. It is required; until it has a generation in
	// force, what asks for boundaries is Unavailable.
	Atlas *grid.Atlas
	// Indexes are those of Atlas, where others use them as well; nil makes its
	// own.
	Indexes *locate.Indexes
	// Public is what callers who have not signed in may do beside Anyone.
	Public []auth.Action
	// OIDC is single sign-on beside passwords; nil is none.
	OIDC *auth.OIDC
	// SecureCookies marks cookies Secure even where TLS ends elsewhere.
	SecureCookies bool
	// Boundaries reads a boundary file for a new generation, by the rules of the
	// command line. Its error is *RefusedFile where it can tell what is wrong
	// with which grids. With none, import is Unavailable.
	Boundaries func(context.Context, BoundaryFile) ([]grid.Street, []grid.Area, error)
	// Catalogue answers item=; with none, item= is Unavailable.
	Catalogue *casework.Catalogue
	// PlainWords is how people speak of the catalogue's items.
	PlainWords casework.PlainWords
	// PublicKey makes the receipts of public reports; every process of a
	// district has the same one. With none, receipts end with the process.
	PublicKey []byte
	// Desk is where cases are; with none, what is about cases is Unavailable.
	Desk *casework.Desk
	// Filters is where accounts save their filters of cases; with none, what is
	// about them is Unavailable.
	Filters casework.Filters
	// Inspections is where cases are inspected; with none, what is about that is
	// Unavailable.
	Inspections *casework.Inspectorate
	// Files is where photos and files of cases are; with none, what is about
	// them is Unavailable.
	Files *evidence.Shelf
	// Attention is who has taken on what needs a person; with none, nobody is told
	// what does.
	Attention attention.Store
	// Heat counts them by place and time; with none, that is Unavailable.
	Heat *Heat
	// Hours are how long patrols were in each grid. With none, nothing can be
	// asked by patrol hour.
	Hours *patrol.Timesheet
	// Live makes the frames of the live stream; with none, it is Unavailable.
	Live *live.Hub
	// Patrols is who patrols. With none, what is about patrols is Unavailable.
	Patrols *patrol.Registry
	// Tracker is where they are now. With none, what asks for that is
	// Unavailable.
	Tracker *patrol.Tracker
	// Ingest is where devices report; with none, it is Unavailable.
	Ingest *ingest.Station
	// BaseMap is what lies under the map; nil is nothing.
	BaseMap *basemap.Source
	// Devices is where devices find the service from outside; without a URL it
	// is where the caller finds it.
	Devices ingest.Public
	// Tracks is where tracks and events are, Quarantine the reports that became
	// neither. With none, what asks for them is Unavailable.
	Tracks     patrol.Tracks
	Quarantine patrol.Quarantine
	// Web is the built web application, its index.html at the root. With none,
	// or an empty one, "/" says how to build it.
	Web fs.FS
	// Log gets one line for every request that failed through no fault of the
	// caller. Nil is slog.Default.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Limits bound what one caller and one request may cost.
	Limits Limits
	// Version is the program's, shown in /openapi.json and /healthz.
	Version string
	// TrustForwarded makes X-Forwarded-For, -Proto, -Host and -Prefix count.
	// Set it only behind a proxy that overwrites them.
	TrustForwarded bool
}

// API is the HTTP service. It is an http.Handler, safe for concurrent use, and
// ready while its atlas has a generation in force.
type API struct {
	cfg       Config
	engine    *gin.Engine
	views     *views
	metrics   *metrics
	limiter   *limiter
	bodies    budget // bytes of request bodies held now, all requests together
	uploads   *uploads
	openapi   *document
	site      *site
	diffs     diffs
	rolls     rolls
	coverages coverages
	matters   matters
	importing chan struct{} // held by who reads a boundary file
	standing  chan struct{} // held by who reads how cases stood
	loading   chan struct{} // held by who imports cases
	streams   streams
	cases     *caseHub // nil without a desk
	requests  requestIDs

	publicKey   []byte
	publicPages publicPages
	reports     publicLimits
}

// New makes an API, whose work in the background ends with Close. It is an
// error when the web application cannot be read.
func New(cfg Config) (*API, error) {
	if cfg.Gate == nil || cfg.Atlas == nil {
		return nil, errors.New("an API needs a gate and an atlas")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Indexes == nil {
		cfg.Indexes = locate.NewIndexes(cfg.Atlas)
	}
	cfg.Limits = cfg.Limits.withDefaults()
	site, err := newSite(cfg.Web)
	if err != nil {
		return nil, fmt.Errorf("web application: %w", err)
	}
	a := &API{
		cfg:       cfg,
		metrics:   newMetrics(cfg.Version, cfg.Ingest, cfg.Live),
		limiter:   newLimiter(cfg.Limits.Rate, cfg.Limits.Burst, cfg.Now),
		bodies:    budget{limit: cfg.Limits.BodiesBytes},
		uploads:   newUploads(cfg.Limits, cfg.Now),
		openapi:   openAPIDocument(cfg.Version),
		site:      site,
		importing: make(chan struct{}, 1),
		standing:  make(chan struct{}, 1),
		loading:   make(chan struct{}, 1),
	}
	a.streams.init(cfg.Limits)
	a.reports = newPublicLimits(cfg.Limits, cfg.Now)
	if a.publicKey = cfg.PublicKey; a.publicKey == nil {
		a.publicKey = newPublicKey()
	}
	a.requests.prefix = processPrefix()
	a.views = newViews(cfg.Atlas, cfg.Indexes, cfg.Now, cfg.Limits.TileCacheBytes, a.metrics.published)
	if cfg.Desk != nil {
		a.cases = newCaseHub(a, cfg.Desk)
	}
	a.engine = a.newEngine()
	return a, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.engine.ServeHTTP(w, r) }

// Serve answers on l until ctx ends; then it ends all streams, takes no more
// requests, waits up to Limits.Shutdown for those under way, and returns nil.
// It closes l.
func (a *API) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: a.cfg.Limits.ReadHeader,
		IdleTimeout:       a.cfg.Limits.Idle,
		MaxHeaderBytes:    a.cfg.Limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(a.cfg.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	a.streams.end()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Limits.Shutdown)
	defer cancel()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("shut down: requests still under way after %s were cut", a.cfg.Limits.Shutdown)
		_ = srv.Close()
	}
	<-failed
	return err
}

// Close ends the work in the background. The API must not be used afterwards.
func (a *API) Close() {
	a.streams.end()
	if a.cases != nil {
		a.cases.close()
	}
	a.views.close()
}
