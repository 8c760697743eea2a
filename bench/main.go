// Command bench measures Lianqin beside its peers, in one run and on the same
// data, and prints a table for each figure. Every peer's answers are compared
// with ours before it is timed. It is a module of its own so that the peers
// stay out of the program's dependencies.
//
// It starts what it measures (servers on the loopback, a PostgreSQL cluster in
// a temporary folder) and stops it again; it leaves nothing behind.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// A figure is one table.
type figure struct {
	name string
	run  func(context.Context, *bench) error
}

var figures = []figure{
	{"points", points},
	{"scale", scale},
	{"build", build},
	{"postgis", postgis},
	{"codec", codecFigure},
	{"post", post},
	{"get", get},
	{"tiles", tiles},
	{"csv", csvFile},
	{"ingest", ingest},
	{"phones", phones},
	{"wall", wall},
	{"snapshot", snapshot},
	{"replay", replay},
	{"heat", heatFigure},
	{"cases", cases},
	{"soak", soak},
}

// bench is what the figures share.
type bench struct {
	rounds    int
	large     bool
	soak      time.Duration
	districts map[int]*district
	cluster   *cluster
	built     string // the program, once it was needed
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "serve" {
		if err := serve(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "bench serve:", err)
			os.Exit(1)
		}
		return
	}
	b := &bench{districts: make(map[int]*district)}
	only := flag.String("run", "", "measure only the figures that this regular expression matches")
	flag.IntVar(&b.rounds, "rounds", 7, "rounds of each measurement")
	flag.BoolVar(&b.large, "large", false, "also measure 106,752 grids: minutes more, and some gigabytes")
	flag.DurationVar(&b.soak, "soak", 0, "how long to run the soak; none if not said")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, b, *only)
	stop()
	if b.cluster != nil {
		b.cluster.stop()
	}
	if b.built != "" {
		_ = os.RemoveAll(filepath.Dir(b.built))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b *bench, only string) error {
	want, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	fmt.Printf("# Lianqin beside its peers\n\n%s\n", machine())
	var failed []string
	for _, f := range figures {
		if !want.MatchString(f.name) {
			continue
		}
		began := time.Now()
		if err := f.run(ctx, b); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			fmt.Printf("\n%s: %v\n", f.name, err)
			failed = append(failed, f.name)
		}
		fmt.Fprintf(os.Stderr, "%s: %s, load %s\n", f.name, time.Since(began).Round(time.Second/10), load())
		debug.FreeOSMemory()
	}
	if failed != nil {
		return fmt.Errorf("not measured: %s", strings.Join(failed, ", "))
	}
	return nil
}

// machine says where the figures come from.
func machine() string {
	cpu := ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, load %s, %s",
		cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), load(), time.Now().Format(time.DateOnly))
}

// load is the machine's load over the last minute: figures taken beside other
// work are worse than the machine's own.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
