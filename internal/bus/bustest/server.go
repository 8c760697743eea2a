// Package bustest gives tests a NATS server of their own. Only tests import it.
package bustest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a server in this process that writes through, on a free port of
// the loopback. It can be ended and started again at the same address with
// what it had stored.
type Server struct {
	Options server.Options // may be changed while it is ended
	*server.Server
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{Options: server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
		NoLog: true, NoSigs: true}}
	s.Again(t)
	s.Options.Port = s.port(t)
	t.Cleanup(s.End)
	return s
}

func (s *Server) port(t testing.TB) (port int) {
	t.Helper()
	at := s.Addr().String()
	if _, err := fmt.Sscanf(at[strings.LastIndexByte(at, ':'):], ":%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}

// Again starts a server that was ended.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	options := s.Options // which a server changes
	var err error
	if s.Server, err = server.NewServer(&options); err != nil {
		t.Fatal(err)
	}
	s.Server.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
}

// End ends the server and leaves what it stored.
func (s *Server) End() {
	s.Shutdown()
	s.WaitForShutdown()
}
