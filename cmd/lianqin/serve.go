package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"

	"lianqin/geodata"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/httpapi"
	"lianqin/internal/locate"
	"lianqin/web"
)

// serverFlags are those of every command that listens.
type serverFlags struct {
	Listen         string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on, ${default} if not said; port 0 picks a free one. 监听地址。"`
	Catalogue      string `placeholder:"FILE" help:"Catalogue of case items as CSV; the embedded one without. 事部件分类目录。"`
	Departments    string `placeholder:"FILE" help:"Departments as CSV; the embedded ones without. 部门目录。"`
	TrustForwarded bool   `help:"Believe X-Forwarded-* headers. Only behind a proxy that sets them. 信任反向代理的转发头。"`
	LogLevel       string `enum:"debug,info,warn,error" default:"info" help:"What to log: ${enum}. 日志级别。"`
}

type serveCommand struct {
	serverFlags
	boundaryFlags `group:"边界 Boundaries:"`
}

func (*serveCommand) Help() string {
	return `Serves the map at /, the API under /api/v1, tiles under /tiles, OGC API – Features under /ogc, and its own description at /openapi.json. Stops on Ctrl-C or SIGTERM after answering what is under way.

Examples 示例:

  lianqin serve --boundaries grids.gpkg --id-property code
  lianqin serve --listen 0.0.0.0:8080 --log-level warn
  LIANQIN_LISTEN=:9000 lianqin serve
  curl 'http://127.0.0.1:8080/api/v1/resolve?lon=121.247&lat=31.383'`
}

func (c *serveCommand) Run(s *session) error {
	return c.serve(s, func() (*grid.Generation, error) { return c.load(s) })
}

// serve answers for the generation that load makes, until the session ends. It
// takes the address before the work of loading: a port that is in use should
// not cost a minute to find out.
func (c *serverFlags) serve(s *session, load func() (*grid.Generation, error)) error {
	l, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	gen, err := load()
	if err != nil {
		return err
	}
	catalogue, err := c.catalogue()
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return usagef("--log-level: %w", err)
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	api, err := httpapi.New(httpapi.Config{Catalogue: catalogue, Web: web.Dist(), Log: log, Version: programVersion(), TrustForwarded: c.TrustForwarded})
	if err != nil {
		return err
	}
	defer api.Close()
	api.Publish(locate.New(gen))
	fmt.Fprintf(s.out, "联勤已就绪 ready: %s  (%d 个网格 grids, %d 个街镇 streets)\n", address(l.Addr()), len(gen.Grids()), len(gen.Streets()))
	s.notef("Ctrl-C 停止 stops")
	if err := api.Serve(s.ctx, l); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "已停止 stopped")
	return nil
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
