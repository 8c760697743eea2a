package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"lianqin/geodata"
	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/evidence"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/httpapi"
	"lianqin/internal/store"
	"lianqin/web"
)

// serverFlags are those of every command that listens.
type serverFlags struct {
	Listen         string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on, ${default} if not said; port 0 picks a free one. 监听地址。"`
	Catalogue      string `placeholder:"FILE" help:"Catalogue of case items as CSV; the embedded one without. 事部件分类目录。"`
	Departments    string `placeholder:"FILE" help:"Departments as CSV; the embedded ones without. 部门目录。"`
	BaseMap        string `name:"basemap" placeholder:"FILE" help:"Settings of a base map below the grids, as JSON (docs/basemap.md); none without. 底图设置文件。"`
	PublicMap      bool   `name:"public-map" help:"Let everybody see the map and resolve points without signing in. 地图与落格免登录。"`
	PublicMetrics  bool   `help:"Let everybody read /metrics, as Prometheus does. 指标免登录。"`
	SecureCookies  bool   `help:"Mark cookies Secure; implied by TLS that this program or a trusted proxy tells of. 仅经 HTTPS 发送 cookie。"`
	TrustForwarded bool   `help:"Believe X-Forwarded-* headers. Only behind a proxy that sets them. 信任反向代理的转发头。"`
	Rate           int    `default:"2000" placeholder:"N" help:"How many requests a second one address may send; 0 is any number, for a gateway or a load test. ${default} if not said. 单地址每秒请求上限。"`
	LogLevel       string `enum:"debug,info,warn,error" default:"info" help:"What to log: ${enum}. 日志级别。"`
	patrolFlags    `group:"巡防 Patrols:"`
	filesFlags     `group:"照片与文件 Photos and files:"`
}

// oidcFlags choose a provider of single sign-on.
type oidcFlags struct {
	OIDCIssuer           string `name:"oidc-issuer" placeholder:"URL" help:"Single sign-on by OpenID Connect at this issuer; its callback is /oidc/callback. 单点登录发行者。"`
	OIDCClientID         string `name:"oidc-client-id" placeholder:"ID" help:"This service's client id there. 客户端编号。"`
	OIDCClientSecretFile string `name:"oidc-client-secret-file" placeholder:"FILE" help:"File that holds the client's secret. 客户端密钥文件。"`
	OIDCName             string `name:"oidc-name" default:"单点登录" help:"What its button says; ${default} if not said. 按钮名称。"`
}

func (c *oidcFlags) provider() (*auth.OIDC, error) {
	if c.OIDCIssuer == "" {
		return nil, nil
	}
	if c.OIDCClientID == "" {
		return nil, usagef("--oidc-issuer needs --oidc-client-id")
	}
	cfg := auth.OIDCConfig{Name: c.OIDCName, Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID}
	if c.OIDCClientSecretFile != "" {
		secret, err := os.ReadFile(c.OIDCClientSecretFile)
		if err != nil {
			return nil, notFound(c.OIDCClientSecretFile, err)
		}
		cfg.Secret = strings.TrimSpace(string(secret))
	}
	return auth.NewOIDC(cfg), nil
}

type serveCommand struct {
	serverFlags
	oidcFlags `group:"单点登录 Single sign-on:"`
	databaseFlags
	boundaryFlags `group:"边界 Boundaries:"`
}

func (*serveCommand) Help() string {
	return `Serves the map at /, the API under /api/v1, tiles under /tiles, OGC API – Features under /ogc, and its own description at /openapi.json. Stops on Ctrl-C or SIGTERM after answering what is under way.

At the first start, when the database holds no generation, --boundaries (or the demonstration district) becomes generation 1, in force from 1970-01-01 on; later ones come by lianqin generations, or over the web. 首次启动时导入 --boundaries 为第 1 版，此后经 lianqin generations 或网页更新。

Examples 示例:

  lianqin serve --boundaries grids.gpkg --id-property code
  lianqin serve --database postgres://lianqin@db/lianqin --public-map
  lianqin serve --listen 0.0.0.0:8080 --log-level warn
  LIANQIN_LISTEN=:9000 lianqin serve
  curl 'http://127.0.0.1:8080/api/v1/resolve?lon=121.247&lat=31.383'`
}

func (c *serveCommand) Run(s *session) error {
	provider, err := c.provider()
	if err != nil {
		return err
	}
	return c.serve(s, service{oidc: provider, database: c.databaseFlags, boundaries: c.boundaryFlags, guide: inviteOperator})
}

// service is what tells one kind of serving from another.
type service struct {
	oidc       *auth.OIDC // nil for none
	database   databaseFlags
	boundaries boundaryFlags // of the first generation, and the cleaning of later ones
	// guide is called when there is no account.
	guide func(*session, *auth.Gate) error
	// prepare puts files in place before the service answers; nil is none.
	prepare func(*session, *evidence.Shelf) error
	// beside runs while the service answers, until ctx ends; nil is nothing.
	beside func(ctx context.Context, w works) error
}

// works is what works inside a service, for what runs beside.
type works struct {
	*patrols
	desk  *casework.Desk
	files *evidence.Shelf
}

// serve answers until the session ends. It takes the address before the work
// of loading: a port that is in use should not cost a minute to find out.
func (c *serverFlags) serve(s *session, sv service) (err error) {
	tuneMemory()
	l, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	catalogue, err := c.catalogue()
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return usagef("--log-level: %w", err)
	}
	if c.Rate < 0 {
		return usagef("--rate: %d is no number of requests", c.Rate)
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	st, err := store.Open(s.ctx, sv.database.Database, store.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	atlas, err := sv.atlas(s, st)
	if err != nil {
		return err
	}
	gate := auth.NewGateWith(st.Accounts(), newHasher(), time.Now)
	defer gate.Close()
	if err := guide(s, gate, sv.guide); err != nil {
		return err
	}
	p, err := c.patrols(s, st, atlas, gate, log)
	if err != nil {
		return err
	}
	defer p.close()
	heat := httpapi.NewHeat(atlas, seldom(log, "some cases are not in maps of heat"))
	cases, err := desk(s, st, p.indexes, catalogue, heat.Put)
	if err != nil {
		return err
	}
	storage, err := c.storage(s.ctx, sv.database.Database)
	if err != nil {
		return err
	}
	defer storage.Close()
	files := shelf(st, storage)
	if sv.prepare != nil {
		if err := sv.prepare(s, files); err != nil {
			return err
		}
	}
	words, err := casework.ReadPlainWords(bytes.NewReader(geodata.PlainWords))
	if err != nil {
		return err
	}
	publicKey, err := st.Key(s.ctx, "public-report")
	if err != nil {
		return err
	}
	under, err := c.baseMap()
	if err != nil {
		return err
	}
	api, err := httpapi.New(httpapi.Config{BaseMap: under, Gate: gate, OIDC: sv.oidc, Atlas: atlas, Indexes: p.indexes, Public: c.public(), SecureCookies: c.SecureCookies, Boundaries: sv.boundaries.importer(),
		Catalogue: catalogue, Desk: cases, Attention: st.Attention(), Files: files, Heat: heat, Hours: p.hours, Filters: st.Cases(), Inspections: casework.NewInspectorate(cases, st.Cases()), Live: p.hub, Patrols: p.registry, Tracker: p.tracker, Tracks: st.Tracks(), Quarantine: st.Tracks(), Ingest: p.station, Devices: p.public(),
		PlainWords: words, PublicKey: publicKey,
		Web: web.Dist(), Log: log, Version: programVersion(), Limits: c.limits(), TrustForwarded: c.TrustForwarded})
	if err != nil {
		return err
	}
	defer api.Close()
	background := inBackground(s.ctx)
	defer func() { err = errors.Join(err, background.end()) }()
	background.start(func(ctx context.Context) error {
		atlas.Follow(ctx, seldom(log, "boundaries cannot be brought up to date; those in memory stay in use"))
		return nil
	})
	background.start(func(ctx context.Context) error {
		cases.Follow(ctx, seldom(log, "cases cannot be brought up to date; figures in memory stay in use"))
		return nil
	})
	background.start(func(ctx context.Context) error {
		files.Tend(ctx, seldom(log, "photos and files that nobody claimed cannot be removed; trying again"))
		return nil
	})
	background.start(p.run)
	if gen, ok := atlas.Current(); ok {
		fmt.Fprintf(s.out, "联勤已就绪 ready: %s  (%d 个网格 grids, %d 个街镇 streets)\n", address(l.Addr()), len(gen.Grids()), len(gen.Streets()))
	} else {
		fmt.Fprintf(s.out, "联勤已启动，尚无生效边界 started: %s  (no boundaries are in force yet; see lianqin generations list)\n", address(l.Addr()))
	}
	s.notef("Ctrl-C 停止 stops")
	if sv.beside != nil {
		background.start(func(ctx context.Context) error { return sv.beside(ctx, works{p, cases, files}) })
	}
	if err := api.Serve(background.serving, l); err != nil {
		return err
	}
	if err := background.end(); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "已停止 stopped")
	return nil
}

// background is what runs beside the service. What of it fails ends the
// service; it ends itself after the last request was answered, so that what
// was acknowledged is also entered.
type background struct {
	serving context.Context // ends with the session, or when something failed
	failed  context.CancelCauseFunc
	running context.Context
	stop    context.CancelFunc
	wait    sync.WaitGroup
	once    sync.Once
}

func inBackground(ctx context.Context) *background {
	b := &background{}
	b.serving, b.failed = context.WithCancelCause(ctx)
	b.running, b.stop = context.WithCancel(context.WithoutCancel(ctx))
	return b
}

func (b *background) start(f func(context.Context) error) {
	b.wait.Go(func() {
		if err := f(b.running); err != nil {
			b.failed(err)
		}
	})
}

// end stops what runs and returns what failed: the first time, nil after.
func (b *background) end() (err error) {
	b.once.Do(func() {
		b.stop()
		b.wait.Wait()
		b.failed(nil)
		if err = context.Cause(b.serving); errors.Is(err, context.Canceled) {
			err = nil
		}
	})
	return err
}

// beginning is when the first generation comes into force: reports of before
// resolve by it, too.
var beginning = time.Date(1970, 1, 1, 0, 0, 0, 0, grid.Zone)

// atlas is the database's, with a first generation if it has none.
func (sv *service) atlas(s *session, st *store.Store) (*grid.Atlas, error) {
	a, err := grid.Open(s.ctx, st.Generations(), nil)
	if err != nil {
		return nil, err
	}
	if len(a.Ledger().Records) > 0 {
		if sv.boundaries.Boundaries != "" {
			s.notef("--boundaries 只在首次启动时导入；更新边界请用 counts at the first start only; for new boundaries use: lianqin generations import %s", sv.boundaries.Boundaries)
		}
		return a, nil
	}
	gen, err := sv.boundaries.load(s)
	if err != nil {
		return nil, err
	}
	r, err := a.Import(s.ctx, grid.Import{Streets: gen.Streets(), Areas: grid.AreasOf(gen), Name: sv.boundaries.name(), Note: "首次启动 first start", Author: whoFlags{}.who()})
	if err != nil {
		return nil, err
	}
	if _, err := a.Check(s.ctx, r.Number, 0, r.Author); err != nil {
		return nil, err
	}
	_, err = a.Publish(s.ctx, grid.Publication{Number: r.Number, From: beginning, By: r.Author})
	return a, err
}

func (c *serverFlags) public() (actions []auth.Action) {
	if c.PublicMap {
		actions = append(actions, auth.ReadMap)
	}
	if c.PublicMetrics {
		actions = append(actions, auth.ReadMetrics)
	}
	return actions
}

// guide calls how when there is no account.
func guide(s *session, g *auth.Gate, how func(*session, *auth.Gate) error) error {
	all, err := g.Accounts(s.ctx, operator())
	if err != nil || len(all) > 0 {
		return err
	}
	return how(s, g)
}

func inviteOperator(s *session, _ *auth.Gate) error {
	fmt.Fprintln(s.out, "尚无账号，请创建管理员 there is no account yet; make an administrator: lianqin user add admin --role administrator")
	return nil
}

// seldom logs what goes wrong over and over, at most once a minute.
func seldom(log *slog.Logger, what string) func(error) {
	var mu sync.Mutex
	var last time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) >= time.Minute {
			last = now
			log.Error(what, "error", err.Error())
		}
	}
}

// limits are the API's own but for what the command line says.
func (c *serverFlags) limits() (l httpapi.Limits) {
	l.Rate = float64(c.Rate)
	if c.Rate == 0 {
		l.Rate = -1
	}
	return l
}

// listen opens the address and says in words why it cannot.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	var dns *net.DNSError
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("端口已被占用 %s is in use by another program; choose another address with --listen", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("无权监听 no permission to listen on %s; ports below 1024 need root, choose another with --listen", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, usagef("--listen: 本机没有此地址 %s is not an address of this machine", address)
	case errors.As(err, &dns), strings.Contains(err.Error(), "missing port"), strings.Contains(err.Error(), "invalid port"):
		return nil, usagef("--listen: %q is not HOST:PORT, such as 127.0.0.1:8080", address)
	}
	return nil, err
}

// address is where a browser on this machine finds the service.
func address(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return a.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port)) + "/"
}

// catalogue reads the district's own catalogue, or the embedded one.
func (c *serverFlags) catalogue() (*casework.Catalogue, error) {
	departments, err := fileOr(c.Departments, geodata.Departments)
	if err != nil {
		return nil, err
	}
	items, err := fileOr(c.Catalogue, geodata.Catalogue)
	if err != nil {
		return nil, err
	}
	cat, err := casework.ReadCatalogue(departments, items)
	if err != nil && (c.Catalogue != "" || c.Departments != "") {
		return nil, fault.New(fault.Invalid, "%s %s: %w", c.Departments, c.Catalogue, err)
	}
	return cat, err
}

func fileOr(path string, embedded []byte) (io.Reader, error) {
	if path == "" {
		return bytes.NewReader(embedded), nil
	}
	data, err := os.ReadFile(path)
	return bytes.NewReader(data), notFound(path, err)
}
