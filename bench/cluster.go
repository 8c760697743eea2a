package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is a PostgreSQL of our own in a temporary folder, reached through a
// socket in that folder and from nowhere else.
type cluster struct {
	dir    string
	server *exec.Cmd
	said   bytes.Buffer
	// databases counts those that fresh made.
	databases int
}

// postgres is the cluster that the figures share, ended by main.
func (b *bench) postgres(ctx context.Context) (*cluster, error) {
	if b.cluster == nil {
		c, err := startCluster(ctx, inMemory)
		if err != nil {
			return nil, err
		}
		b.cluster = c
	}
	return b.cluster, nil
}

func (c *cluster) dsn() string {
	return "host=" + c.dir + " user=bench dbname=postgres sslmode=disable"
}

// fresh is the address of a new database, as the program takes it.
func (c *cluster) fresh(ctx context.Context) (string, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.Background())
	c.databases++
	name := "d" + strconv.Itoa(c.databases)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return "postgres://bench@/" + name + "?sslmode=disable&host=" + url.QueryEscape(c.dir), nil
}

// inMemory are the settings of a cluster whose answers alone are measured;
// durable are PostgreSQL's own, but for what does not grow with the machine.
var (
	inMemory = []string{"fsync=off", "shared_buffers=512MB", "work_mem=256MB", "jit=off", "max_parallel_workers_per_gather=0", "autovacuum=off"}
	durable  = []string{"shared_buffers=512MB", "max_wal_size=4GB", "jit=off"}
)

// startCluster makes and starts a cluster; stop ends it and removes it.
func startCluster(ctx context.Context, settings []string) (_ *cluster, err error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lianqin-bench-")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	as, err := nobodysRights(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	args := []string{"-D", data, "-k", dir, "-c", "listen_addresses="}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	c.server = exec.Command(filepath.Join(bin, "postgres"), args...)
	c.server.SysProcAttr, c.server.Dir = as, dir
	c.server.Stdout, c.server.Stderr = &c.said, &c.said
	if err := c.server.Start(); err != nil {
		c.server = nil
		return nil, err
	}
	return c, nil
}

// connect waits until the cluster answers.
func (c *cluster) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.dsn())
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *cluster) stop() {
	if c.server != nil {
		_ = c.server.Process.Signal(os.Interrupt) // fast shutdown
		_ = c.server.Wait()
	}
	_ = os.RemoveAll(c.dir)
}

// postgresPrograms is the folder of initdb and postgres: that of the PATH, or
// the newest of Debian's.
func postgresPrograms() (string, error) {
	if at, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(at), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errors.New("no PostgreSQL is installed (apt-get install postgresql postgresql-postgis)")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// nobodysRights are another user's when we are root, under whom PostgreSQL
// refuses to run; that user then owns dir.
func nobodysRights(dir string) (*syscall.SysProcAttr, error) {
	// Of its own process group, so that an interrupt from the terminal ends
	// us first and then, through stop, the server.
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() != 0 {
		return as, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as, nil
}
