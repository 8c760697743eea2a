package main

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"lianqin/internal/auth"
)

// hashPasswordsCommand is the other end of a serving process's hasher. It ends
// with that process: its input ends then.
type hashPasswordsCommand struct{}

func (*hashPasswordsCommand) Run(s *session) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // Ctrl-C reaches it too, while others still sign in
	return auth.HelpHash(s.in, s.out)
}

// newHasher hashes on up to half of the processors, each time in a process of
// its own.
func newHasher() *auth.Hasher {
	return auth.NewHasher(max(1, runtime.GOMAXPROCS(0)/2), func() *exec.Cmd {
		self, err := os.Executable()
		if err != nil {
			self = os.Args[0]
		}
		return exec.Command(self, "hash-passwords")
	})
}
