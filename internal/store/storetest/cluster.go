package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is a running PostgreSQL server without durability, reached through a
// socket in its own folder.
type cluster struct {
	dir     string
	bin     string
	server  *exec.Cmd
	ended   chan error
	created atomic.Int64
}

var (
	once    sync.Once
	only    *cluster
	startUp error
)

func running() (*cluster, error) {
	once.Do(func() { only, startUp = start() })
	return only, startUp
}

func stop() {
	if only != nil {
		only.remove()
	}
}

// halt ends the server and leaves its data.
func (c *cluster) halt() {
	_ = c.server.Process.Signal(syscall.SIGINT) // fast shutdown
	select {
	case <-c.ended:
	case <-time.After(10 * time.Second):
		_ = c.server.Process.Kill()
		<-c.ended
	}
}

func (c *cluster) remove() {
	c.halt()
	os.RemoveAll(c.dir)
}

// Outage gives f a database on a server of its own, which stop stops and start
// starts again.
func Outage(t *testing.T, f func(url string, stop, start func())) {
	t.Helper()
	Postgres(t) // or the end of the test
	c, err := start()
	if err != nil {
		t.Fatal(err)
	}
	defer c.remove()
	f(c.url("gis"), c.halt, func() {
		if err := c.launch(); err != nil {
			t.Fatal(err)
		}
	})
}

// binaries finds the newest installed server, of version 15 or later.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 && version(found[0]) >= 15 {
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no server of version 15 or later is installed")
}

func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}

func start() (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lianqin-pg-")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, bin: bin, ended: make(chan error, 1)}
	if err := c.start(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return c, nil
}

func (c *cluster) start() error {
	data := filepath.Join(c.dir, "data")
	initdb, err := c.command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	if err != nil {
		return err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := c.launch(); err != nil {
		return err
	}
	if err := c.exec("postgres", `CREATE DATABASE gis`); err != nil {
		return err
	}
	return c.exec("gis", `CREATE EXTENSION postgis`)
}

// launch starts the server on its data and waits until it answers.
func (c *cluster) launch() error {
	settings := []string{"listen_addresses=", "unix_socket_directories=" + c.dir, "fsync=off", "synchronous_commit=off",
		"full_page_writes=off", "max_connections=100", "shared_buffers=64MB", "autovacuum=off", "max_wal_size=2GB", "jit=off"}
	args := []string{"-D", filepath.Join(c.dir, "data")}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	var err error
	if c.server, err = c.command("postgres", args...); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		return err
	}
	go func() { c.ended <- c.server.Wait() }()
	return c.await()
}

// command runs as an unprivileged account when the tests run as root, which
// PostgreSQL refuses to serve. The server goes down with the test process.
func (c *cluster) command(name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	if os.Getuid() != 0 {
		return cmd, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("running as root needs the account postgres: %w", err)
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return cmd, os.Chown(c.dir, uid, gid)
}

func (c *cluster) await() error {
	for range 300 {
		select {
		case err := <-c.ended:
			return fmt.Errorf("the server ended: %w: %s", err, c.log())
		case <-time.After(50 * time.Millisecond):
		}
		if c.exec("postgres", `SELECT 1`) == nil {
			return nil
		}
	}
	return fmt.Errorf("the server does not answer: %s", c.log())
}

func (c *cluster) log() string {
	text, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (c *cluster) url(database string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=postgres", database, url.QueryEscape(c.dir))
}

func (c *cluster) exec(database, query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.url(database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, query)
	return err
}

// create copies the database that has PostGIS already: installing it takes a
// second.
func (c *cluster) create(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", c.created.Add(1))
	if err := c.exec("postgres", `CREATE DATABASE `+name+` TEMPLATE gis`); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.exec("postgres", `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return c.url(name)
}

// Bare is the URL of a new database without PostGIS.
func Bare(t testing.TB) string {
	t.Helper()
	url := Postgres(t)
	name, _, _ := strings.Cut(strings.TrimPrefix(url, "postgres:///"), "?")
	if err := only.exec(name, `DROP EXTENSION postgis`); err != nil {
		t.Fatal(err)
	}
	return url
}
