// Command lianqin (联勤) answers, for any GPS point, in which responsibility
// grid and street it lies and which department answers for it: on the command
// line, over HTTP, and on a map. It is also the workbench for the boundary
// files behind those answers.
//
// config.go is the only place of the program where flags and environment are
// read.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"lianqin/internal/fault"
	"lianqin/internal/table"
)

// Exit codes, as the README has them.
const (
	exitDone        = 0
	exitFound       = 1 // check found defects; resolve --strict refused rows
	exitUsage       = 2 // a flag, argument or column name is wrong
	exitInput       = 3 // an input file cannot be used
	exitSystem      = 4 // reading, writing or listening failed
	exitInterrupted = 130
)

// errFound ends a command that did its work, reported what it found, and wants
// exitFound.
var errFound = errors.New("defects found")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// session is what a command runs in.
type session struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer
	err    io.Writer
	quiet  bool
	called string // the command, for messages: "resolve"
}

// notef prints a line about the work to the error stream unless it is to be
// quiet.
func (s *session) notef(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.err, s.called+": "+format+"\n", args...)
	}
}

// run is the program without its process.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	s := &session{ctx: ctx, in: in, out: out, err: errOut, called: "lianqin"}
	command, err := parse(args, s)
	if err == nil && command != nil {
		err = command.Run(s)
	}
	if err == nil {
		return exitDone
	}
	code := exitCode(err)
	switch code {
	case exitFound:
	case exitInterrupted:
		fmt.Fprintf(errOut, "%s: 已中断 interrupted\n", s.called)
	default:
		fmt.Fprintf(errOut, "%s: %v\n", s.called, err)
	}
	if code == exitUsage {
		fmt.Fprintf(errOut, "用法 usage: %s --help\n", s.usage())
	}
	return code
}

func (s *session) usage() string {
	if s.called == "lianqin" {
		return s.called
	}
	return "lianqin " + s.called
}

func exitCode(err error) int {
	var usage *usageError
	var write *table.WriteError
	switch {
	case errors.Is(err, errFound):
		return exitFound
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &write):
		return exitSystem
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		if flagFields[fault.FieldOf(err)] {
			return exitUsage
		}
		return exitInput
	case fault.NotFound, fault.Conflict:
		return exitInput
	}
	return exitSystem
}
