package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"lianqin/internal/fault"
)

const (
	// blockSize is how much is read at a time.
	blockSize = 256 << 10
	// maxRow is the longest row. A longer header means that this is no table; of
	// another row that long the first keptOfLong bytes are kept.
	maxRow     = 16 << 20
	keptOfLong = 1 << 10
	// maxQuoted is the longest quoted field that runs over line ends; beyond
	// it the quote is taken for a slip and the row ends at its own line.
	maxQuoted = 256 << 10
)

var utf8BOM = []byte("\xef\xbb\xbf")

// source reads ahead of the rows: the first block is looked at before anyone
// knows what it is.
type source struct {
	r    io.Reader
	rest []byte // read, not yet handed out
	eof  bool
	read int64 // bytes from r so far
	rows int64 // handed out so far, header and blank lines included
	bom  bool  // the input began with a byte order mark, which rest lacks
	step int   // how much is read at a time
}

// newSource reads a block at a time, and less from a reader that knows how
// little it has.
func newSource(r io.Reader) *source {
	s := &source{r: r, step: blockSize}
	if l, ok := r.(interface{ Len() int }); ok {
		s.step = min(blockSize, l.Len()+1)
	}
	return s
}

// peek reads the first bytes, up to a block, and sets a byte order mark aside.
func (s *source) peek() ([]byte, error) {
	for !s.eof && len(s.rest) < 4 {
		if err := s.more(); err != nil {
			return nil, err
		}
	}
	if bytes.HasPrefix(s.rest, []byte("\xff\xfe")) || bytes.HasPrefix(s.rest, []byte("\xfe\xff")) {
		return nil, fault.New(fault.Invalid, "the input is UTF-16; save it as UTF-8 (CSV UTF-8)")
	}
	if bytes.HasPrefix(s.rest, utf8BOM) {
		s.bom, s.rest = true, s.rest[len(utf8BOM):]
	}
	if len(bytes.TrimSpace(s.rest)) == 0 && s.eof {
		return nil, fault.New(fault.Invalid, "the input is empty")
	}
	return s.rest, nil
}

func (s *source) more() error {
	s.rest = slices.Grow(s.rest, s.step)
	n, err := readSome(s.r, s.rest[len(s.rest):len(s.rest)+s.step])
	s.rest = s.rest[:len(s.rest)+n]
	s.read += int64(n)
	if err == io.EOF {
		s.eof, err = true, nil
	}
	return err
}

// readSome is one Read that brings at least a byte or an error.
func readSome(r io.Reader, b []byte) (int, error) {
	for range 100 {
		n, err := r.Read(b)
		if n > 0 && err != nil && err != io.EOF {
			err = fmt.Errorf("read: %w", err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// row takes one row off the front, with its line end; empty at the end.
func (s *source) row(split func([]byte, bool) int) ([]byte, error) {
	for {
		if end := split(s.rest, s.eof); end >= 0 {
			row := s.rest[:end]
			s.rest = s.rest[end:]
			s.rows++
			return row, nil
		}
		if s.eof {
			return nil, nil
		}
		if len(s.rest) > maxRow {
			return nil, s.tooLong()
		}
		if err := s.more(); err != nil {
			return nil, err
		}
	}
}

func (s *source) tooLong() error {
	return fault.New(fault.Invalid, "row %d is longer than %d MiB: this is not a table", s.rows+1, maxRow>>20)
}

// block fills c with whole rows: what one Read brings, or more when that does
// not complete a row. Of a row longer than maxRow it holds the beginning, and
// nothing else. io.EOF means that there are no rows left.
func (s *source) block(c *block, split func([]byte, bool) int) error {
	if cap(c.in) > 4*blockSize {
		c.in = nil // one giant row must not be paid for ever after
	}
	c.in = append(slices.Grow(c.in[:0], s.step+len(s.rest)), s.rest...)
	s.rest = s.rest[:0]
	c.ends, c.long = c.ends[:0], false
	c.first = s.rows
	before := s.read
	at := 0
	for {
		for {
			end := split(c.in[at:], s.eof)
			if end < 0 || end > maxRow {
				break
			}
			at += end
			c.ends = append(c.ends, int32(at))
		}
		if len(c.ends) > 0 || s.eof && len(c.in) <= maxRow {
			break
		}
		var err error
		if len(c.in) > maxRow {
			at, err = s.cutLong(c)
		} else {
			err = s.readInto(c)
		}
		if err != nil {
			return err
		}
	}
	s.rest = append(s.rest, c.in[at:]...)
	c.bytes = s.read - before
	s.rows += int64(len(c.ends))
	if len(c.ends) == 0 {
		return io.EOF
	}
	return nil
}

func (s *source) readInto(c *block) error {
	c.in = slices.Grow(c.in, s.step)
	n, err := readSome(s.r, c.in[len(c.in):len(c.in)+s.step])
	c.in = c.in[:len(c.in)+n]
	s.read += int64(n)
	if errors.Is(err, io.EOF) {
		s.eof, err = true, nil
	}
	return err
}

// cutLong drops all but the beginning of the row in c, to the first line end
// beyond maxRow, and leaves the beginning and that line end as c's only row.
// What came after it stays in s.rest.
func (s *source) cutLong(c *block) (int, error) {
	kept := bytes.Clone(c.in[:keptOfLong])
	c.in = c.in[maxRow:]
	for {
		if k := lineEnd(c.in, false); k >= 0 {
			s.rest = append(s.rest, c.in[k:]...)
			kept = append(kept, '\n')
			break
		}
		if s.eof {
			break
		}
		c.in = c.in[:0]
		if err := s.readInto(c); err != nil {
			return 0, err
		}
	}
	c.in, c.long = kept, true
	c.ends = append(c.ends, int32(len(kept)))
	return len(kept), nil
}

// lineEnd is the length of the first line with its line end, or -1 when it is
// not all there.
func lineEnd(b []byte, eof bool) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	if eof && len(b) > 0 {
		return len(b)
	}
	return -1
}

// rowEnd is lineEnd for CSV, where a quoted field may hold line ends. A quote
// opens a field only at the field's start, and closes it only before a
// delimiter or a line end. A field that has run over a line end and then is
// not closed properly was never meant as one: the row ends at its own line, so
// that one stray quote costs one row and not the file.
func rowEnd(b []byte, delimiter byte, eof bool) int {
	end := lineEnd(b, eof)
	limit := func() int {
		if end < 0 {
			return len(b)
		}
		return end
	}
	if bytes.IndexByte(b[:limit()], '"') < 0 {
		return end
	}
	for at := 0; ; {
		if at < len(b) && b[at] == '"' {
			next, state := quotedEnd(b, at, delimiter, eof)
			switch state {
			case needMore:
				return -1
			case broken:
				return at + lineEnd(b[at:], eof)
			}
			at = next
			if at >= limit() {
				if end = lineEnd(b[at:], eof); end >= 0 {
					end += at
				} else if eof {
					end = at
				}
			}
		}
		k := bytes.IndexByte(b[at:limit()], delimiter)
		if k < 0 {
			return end
		}
		at += k + 1
	}
}

// quoteState is how a quoted field goes on.
type quoteState uint8

const (
	closed   quoteState = iota
	needMore            // the data ends before the field does
	broken              // it never ends, or not as a quoted field should
)

// quotedEnd is the place after the closing quote of the field that opens at q.
func quotedEnd(b []byte, q int, delimiter byte, eof bool) (int, quoteState) {
	crossed := false // the field holds a line end
	slipped := false // a quote within it is not doubled
	for j := q + 1; ; {
		k := bytes.IndexByte(b[j:], '"')
		if !crossed {
			if crossed = bytes.IndexByte(b[j:j+max(k, 0)], '\n') >= 0; crossed && slipped {
				return 0, broken // readers disagree about where such a field ends
			}
		}
		if k < 0 {
			if eof || len(b)-q > maxQuoted && bytes.IndexByte(b[q:], '\n') >= 0 {
				return 0, broken
			}
			return 0, needMore
		}
		j += k + 1
		if j == len(b) || b[j] == '\r' && j+1 == len(b) {
			if eof {
				return j, closed
			}
			return 0, needMore
		}
		switch {
		case b[j] == delimiter, b[j] == '\n', b[j] == '\r' && b[j+1] == '\n':
			return j, closed
		case b[j] == '"':
			j++
			if crossed && j-q > maxQuoted {
				return 0, broken
			}
		case crossed:
			return 0, broken
		default:
			slipped = true
		}
	}
}

// trimLineEnd splits a row from its line end.
func trimLineEnd(row []byte) (body, end []byte) {
	n := len(row)
	if n > 0 && row[n-1] == '\n' {
		n--
		if n > 0 && row[n-1] == '\r' {
			n--
		}
	}
	return row[:n], row[n:]
}
