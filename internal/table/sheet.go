package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"lianqin/internal/fault"
)

// Sheet is a CSV with a header and columns of known meaning, whole in memory:
// what people enter by the hundred, as a roster. What is wrong with it is
// collected cell by cell, so that one reading of it tells everything.
type Sheet struct {
	Rows    []SheetRow
	columns []SheetColumn
	places  []int // of columns in the file, -1 for one that it has not
	wrong   SheetError
}

// SheetColumn is one that a sheet may have. Names are what its header may say,
// whatever the case; messages call it by the first.
type SheetColumn struct {
	Names    []string
	Required bool // the header must have it, and every row something in it
}

// SheetRow is one row; Line is where it begins in the file, the header's being
// 1.
type SheetRow struct {
	Line  int
	cells []string
}

// maxCellFaults is how many faults are told; the rest is counted.
const maxCellFaults = 100

// CellFault is what is wrong with one cell, or with a row when Column is empty.
type CellFault struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Detail string `json:"detail"`
}

// SheetError is everything that is wrong with a sheet, a fault of kind Invalid.
type SheetError struct {
	Faults []CellFault // the first of them
	Count  int
}

func (e *SheetError) Error() string {
	f := e.Faults[0]
	where := fmt.Sprintf("line %d", f.Line)
	if f.Column != "" {
		where += ", " + f.Column
	}
	if e.Count > 1 {
		return fmt.Sprintf("%s: %s (and %d more)", where, f.Detail, e.Count-1)
	}
	return where + ": " + f.Detail
}

// Unwrap makes a SheetError Invalid.
func (e *SheetError) Unwrap() error { return fault.InvalidField("body", "%s", e.Error()) }

// ReadSheet reads data as UTF-8 or GB18030, its fields apart by comma,
// semicolon or tab. Empty rows are no rows. A file that has no header of these
// columns, or more than maxRows rows, is Invalid; so is one that is no CSV, by
// its line.
func ReadSheet(data []byte, columns []SheetColumn, maxRows int) (*Sheet, error) {
	data = bytes.TrimPrefix(data, utf8BOM)
	encoding := encodingOf(data)
	text := encoding.decode(data)
	head, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = rune(delimiterOf([]byte(head)))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	s := &Sheet{columns: columns}
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.InvalidField("body", "empty; send a CSV with a header")
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if err := s.layOut(header); err != nil {
		return nil, err
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, unreadable(err)
		}
		line, _ := r.FieldPos(0)
		if len(s.Rows) == maxRows {
			return nil, fault.InvalidField("body", "more than %d rows", maxRows)
		}
		s.take(SheetRow{line, cells}, len(header))
	}
}

func unreadable(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		e := &SheetError{Count: 1, Faults: []CellFault{{Line: p.Line, Detail: fmt.Sprintf("not CSV at character %d: %v", p.Column, p.Err)}}}
		return e
	}
	return fault.InvalidField("body", "not CSV: %w", err)
}

// layOut finds the columns in the header.
func (s *Sheet) layOut(header []string) error {
	s.places = make([]int, len(s.columns))
	for i, c := range s.columns {
		s.places[i] = -1
		for j, h := range header {
			if !c.is(h) {
				continue
			}
			if s.places[i] >= 0 {
				return fault.InvalidField("body", "the header has %s twice", c.Names[0])
			}
			s.places[i] = j
		}
		if c.Required && s.places[i] < 0 {
			return fault.InvalidField("body", "the header has no column %s; it has %.200q", strings.Join(c.Names, " or "), strings.Join(header, ","))
		}
	}
	for j, h := range header {
		if strings.TrimSpace(h) != "" && !slices.Contains(s.places, j) {
			return fault.InvalidField("body", "the header's column %.40q is not known; known are %s", h, s.names())
		}
	}
	return nil
}

func (c *SheetColumn) is(header string) bool {
	return slices.ContainsFunc(c.Names, func(n string) bool { return strings.EqualFold(n, strings.TrimSpace(header)) })
}

func (s *Sheet) names() string {
	var names []string
	for _, c := range s.columns {
		names = append(names, c.Names[0])
	}
	return strings.Join(names, ", ")
}

func (s *Sheet) take(row SheetRow, width int) {
	blank := true
	for i := range row.cells {
		row.cells[i] = strings.TrimSpace(row.cells[i])
		blank = blank && row.cells[i] == ""
	}
	if blank {
		return
	}
	s.Rows = append(s.Rows, row)
	if len(row.cells) > width {
		s.Refuse(&row, -1, "%d fields, and the header has %d", len(row.cells), width)
		return
	}
	for i, c := range s.columns {
		if c.Required && s.Text(&row, i) == "" {
			s.Refuse(&row, i, "empty")
		}
	}
}

// Column is the place of the column that messages call name, or -1.
func (s *Sheet) Column(name string) int {
	return slices.IndexFunc(s.columns, func(c SheetColumn) bool { return c.Names[0] == name })
}

// Has reports whether the file has column i.
func (s *Sheet) Has(i int) bool { return s.places[i] >= 0 }

// Text is what row has in column i, without spaces around it; "" where the row
// or the file has none.
func (s *Sheet) Text(row *SheetRow, i int) string {
	if place := s.places[i]; place >= 0 && place < len(row.cells) {
		return row.cells[place]
	}
	return ""
}

// Refuse notes what is wrong with row in column i, or as a whole for -1.
func (s *Sheet) Refuse(row *SheetRow, i int, format string, args ...any) {
	s.wrong.Count++
	if len(s.wrong.Faults) == maxCellFaults {
		return
	}
	f := CellFault{Line: row.Line, Detail: fmt.Sprintf(format, args...)}
	if i >= 0 {
		f.Column, f.Value = s.columns[i].Names[0], clip(s.Text(row, i))
	}
	s.wrong.Faults = append(s.wrong.Faults, f)
}

func clip(value string) string {
	const most = 60
	if r := []rune(value); len(r) > most {
		return string(r[:most]) + "…"
	}
	return value
}

// Err is a *SheetError with everything that was refused, in order of lines, or
// nil.
func (s *Sheet) Err() error {
	if s.wrong.Count == 0 {
		return nil
	}
	slices.SortStableFunc(s.wrong.Faults, func(a, b CellFault) int { return a.Line - b.Line })
	return &s.wrong
}
