package casework

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"lianqin/internal/fault"
)

// maxTableBytes bounds a table: a catalogue of a thousand items has 100 kB.
const maxTableBytes = 16 << 20

// table reads a CSV with a header row and remembers where it is, for errors.
type table struct {
	name   string
	csv    *csv.Reader
	column map[string]int
	row    []string
	err    error
}

// openTable reads the header, which must have every wanted column; others are
// passed over.
func openTable(name string, r io.Reader, wanted ...string) (*table, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxTableBytes+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: %w", name, err)
	}
	if len(raw) > maxTableBytes {
		return nil, fault.New(fault.Invalid, "%s: more than %d MB", name, maxTableBytes>>20)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if at := invalidUTF8(raw); at >= 0 {
		return nil, fault.New(fault.Invalid, "%s line %d: not UTF-8", name, 1+bytes.Count(raw[:at], []byte("\n")))
	}
	t := &table{name: name, csv: csv.NewReader(bytes.NewReader(raw)), column: map[string]int{}}
	header, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "%s: empty, not even a header row", name)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: %w", name, err)
	}
	for i, h := range header {
		h = strings.TrimSpace(h)
		if _, twice := t.column[h]; twice {
			return nil, fault.InvalidField(h, "%s line 1: the column is there twice", name)
		}
		t.column[h] = i
	}
	for _, w := range wanted {
		if _, ok := t.column[w]; !ok {
			return nil, fault.InvalidField(w, "%s line 1: the column is missing", name)
		}
	}
	return t, nil
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// next goes to the next row, or reports false at the end and on a mistake,
// which err then holds.
func (t *table) next() bool {
	if t.err != nil {
		return false
	}
	row, err := t.csv.Read()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			t.err = fault.New(fault.Invalid, "%s: %w", t.name, err)
		}
		return false
	}
	t.row = row
	return true
}

// wrong keeps the first mistake of a row; later ones are its consequences.
func (t *table) wrong(column, format string, args ...any) {
	if t.err != nil {
		return
	}
	line, _ := t.csv.FieldPos(t.column[column])
	args = append([]any{t.name, line, column}, args...)
	t.err = fault.InvalidField(column, "%s line %d, column %s: "+format, args...)
}

// refuse is wrong with an error about a column of the row, or nil.
func (t *table) refuse(err error) {
	if err == nil || t.err != nil {
		return
	}
	column := fault.FieldOf(err)
	t.wrong(column, "%s", strings.TrimPrefix(err.Error(), column+": "))
}

// has reports whether the table has a column that may be left out.
func (t *table) has(column string) bool {
	_, ok := t.column[column]
	return ok
}

func (t *table) optional(column string) string { return strings.TrimSpace(t.row[t.column[column]]) }

func (t *table) text(column string) string {
	s := t.optional(column)
	if s == "" {
		t.wrong(column, "empty")
	}
	return s
}

func (t *table) oneOf(column string, words ...string) string {
	s := t.optional(column)
	if !slices.Contains(words, s) {
		t.wrong(column, "%q is not one of %s", s, strings.Join(words, ", "))
	}
	return s
}

func (t *table) positive(column string, limit int) int {
	s := t.optional(column)
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > limit {
		t.wrong(column, "%q is not a whole number from 1 to %d", s, limit)
	}
	return n
}
