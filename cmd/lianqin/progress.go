package main

import (
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"lianqin/internal/table"
)

// progress is a bar on the error stream while that is a terminal, and nothing
// otherwise. Its zero value is nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress makes a bar for size bytes; -1 makes it count without an end.
func newProgress(s *session, size int64) progress {
	f, ok := s.err.(*os.File)
	if s.quiet || !ok || !isatty.IsTerminal(f.Fd()) {
		return progress{}
	}
	return progress{progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(f),
		progressbar.OptionSetDescription("落格 resolving"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish())}
}

func (p progress) show(sum table.Summary) {
	if p.bar != nil {
		p.bar.Set64(sum.Bytes) // a bar that cannot be drawn is no reason to stop
	}
}

func (p progress) close() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
