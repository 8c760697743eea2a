// Package table stamps other people's tables with answers: rows of CSV or
// lines of NDJSON go in, the same bytes come out in the same order with the
// grid, street, department and border distance appended, in constant memory.
//
// It never drops or reorders a row, rewrites none that can be read, and never
// answers for a row whose coordinates it cannot trust: such a row carries a
// Reason instead. It knows no flags, files or requests; its callers do.
package table

import (
	"bytes"
	"context"
	"errors"
	"io"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// Format is how rows are written.
type Format string

const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// Columns are the names of the appended columns, in order: code and name of
// the grid, name of the street, name of the responsible department, metres to
// the nearest border of any grid, and why there is no answer.
var Columns = []string{"grid", "grid_name", "street", "department", "border_m", "reason"}

// Options say how to read a table. Zero values stand for what is found by
// looking at the first rows.
type Options struct {
	Format    Format
	Delimiter byte     // of CSV; 0 finds comma, semicolon or tab in the header
	Encoding  Encoding // of CSV; empty tells UTF-8 from GB18030
	NoHeader  bool     // of CSV; then columns are numbers

	// LonColumn and LatColumn are names, or numbers from 1. Empty ones are
	// guessed from common names.
	LonColumn, LatColumn string
	Datum                geo.Datum

	MaxColumns int // of a CSV's header; 0 takes any number

	// MinDecimals refuses a position whose longitude and latitude both have
	// fewer decimals, as Rounded. At most 5; 0 takes all.
	MinDecimals int

	// Department is the name in the department's column of a row in a grid; nil
	// stands for the grid's own department. It is called by all threads, at
	// most a few times for a grid.
	Department func(grid.ID) string

	// Settings are the caller's own names of what errors are about.
	Settings Settings

	// Threads are the workers. 0 reads, works and writes on the caller's
	// goroutine, block by block: for input that is in memory.
	Threads int

	// Begin is called once, before the first row is written.
	Begin func(Layout)
	// Progress is called after each block that was written.
	Progress func(Summary)
}

// UsualMinDecimals is the MinDecimals of a caller that was not told otherwise:
// one decimal is 10 km, which tells no grid.
const UsualMinDecimals = 2

// Settings are what a caller calls the settings in errors, with what leads its
// flags, such as "--lon-column"; an empty NoHeader means that the caller cannot
// read a table without a header.
type Settings struct{ LonColumn, LatColumn, NoHeader string }

// Layout is what was found out about a table.
type Layout struct {
	Format    Format
	Delimiter byte
	Encoding  Encoding
	Lon, Lat  Column
	// Repeated are columns of a CSV named like one that is appended.
	Repeated []string
}

// Column is one column of the input; Number counts from 1 and is 0 in NDJSON.
type Column struct {
	Name    string
	Number  int
	Guessed bool
}

// Summary counts rows. Each row but a blank line is either Inside a grid or
// counted under one reason.
type Summary struct {
	Bytes   int64 // read
	Rows    int64 // without the header and blank lines
	Blank   int64 // empty lines, passed on as they are
	Inside  int64
	Reasons [reasons]int64

	// Renamed are objects of an NDJSON that have one of our members already, so
	// that ours are called RenamedPrefix and the usual name.
	Renamed int64

	// Swapped rows are out of range, and would not be with longitude and
	// latitude exchanged. Projected rows look like metres.
	Swapped, Projected int64
}

// Refused is the number of rows whose coordinates are unusable.
func (s *Summary) Refused() int64 {
	n := int64(0)
	for r, count := range s.Reasons {
		if Reason(r) != Outside {
			n += count
		}
	}
	return n
}

func (s *Summary) add(o *Summary) {
	s.Bytes += o.Bytes
	s.Rows += o.Rows
	s.Blank += o.Blank
	s.Inside += o.Inside
	s.Renamed += o.Renamed
	s.Swapped += o.Swapped
	s.Projected += o.Projected
	for i, n := range o.Reasons {
		s.Reasons[i] += n
	}
}

// Resolve copies r to w and appends an answer to every row. Errors are Invalid
// when the input is no table or the columns cannot be told, else those of r
// and w; what was written until then is whole rows, except that w itself may
// have cut the last one short. When ctx ends or w fails while r blocks, Resolve
// returns at once and leaves one goroutine in that Read.
func Resolve(ctx context.Context, w io.Writer, r io.Reader, gen *grid.Generation, index *locate.Index, opt Options) (Summary, error) {
	in := newSource(r)
	work, err := open(in, gen, index, opt)
	if err != nil {
		return Summary{}, err
	}
	layout := work.layout()
	if opt.Begin != nil {
		opt.Begin(layout)
	}
	p := &pipeline{in: in, split: splitterOf(layout), work: work, w: w, progress: opt.Progress, threads: opt.Threads}
	if opt.Threads < 1 {
		return p.runAlone(ctx)
	}
	return p.run(ctx)
}

// Count is how many rows Resolve would answer, without header and blank lines;
// of more than limit it says limit+1. Its errors are those that Resolve has
// before it writes anything.
func Count(b []byte, limit int, gen *grid.Generation, index *locate.Index, opt Options) (int, error) {
	in := newSource(bytes.NewReader(b))
	work, err := open(in, gen, index, opt)
	if err != nil {
		return 0, err
	}
	split, rows, c := splitterOf(work.layout()), 0, &block{}
	for rows <= limit {
		err := in.block(c, split)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return 0, err
		}
		start := 0
		for _, end := range c.ends {
			if !blank(c.in[start:end], work.layout().Format) {
				rows++
			}
			start = int(end)
		}
	}
	return limit + 1, nil
}

// blank reports whether a row is an empty line.
func blank(row []byte, f Format) bool {
	body, _ := trimLineEnd(row)
	return len(body) == 0 || f == NDJSON && len(bytes.TrimSpace(body)) == 0
}

// open looks at the first rows and makes the worker for them.
func open(in *source, gen *grid.Generation, index *locate.Index, opt Options) (worker, error) {
	head, err := in.peek()
	if err != nil {
		return nil, err
	}
	if opt.Format == "" {
		opt.Format = formatOf(head)
	}
	rs := &resolver{index: index, gen: gen, datum: opt.Datum, minDecimals: opt.MinDecimals, department: opt.Department}
	switch opt.Format {
	case CSV:
		return newCSV(in, rs, opt)
	case NDJSON:
		return newNDJSON(in, rs, opt)
	}
	return nil, fault.InvalidField("format", "%q is not csv or ndjson", opt.Format)
}

func splitterOf(l Layout) func(b []byte, eof bool) int {
	if l.Format == NDJSON {
		return lineEnd
	}
	return func(b []byte, eof bool) int { return rowEnd(b, l.Delimiter, eof) }
}

// formatOf tells NDJSON by its first character.
func formatOf(head []byte) Format {
	for _, c := range head {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{', '[':
			return NDJSON
		}
		break
	}
	return CSV
}
