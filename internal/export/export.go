// Package export writes tables for spreadsheets: CSV of which no cell is
// executed, and XLSX workbooks. It refuses to know what the tables are about.
package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// Ratio is a share from 0 to 1, which a spreadsheet shows in per cent with two
// decimals.
type Ratio float64

// Change is by how much something grew, in parts; a spreadsheet shows it in
// per cent with its sign.
type Change float64

// Degrees is an ordinate, with six decimals (0.1 m).
type Degrees float64

// Row are the cells of one row: string, int64, Ratio, Change, Degrees,
// time.Time, or nil for an empty one. The zero time is empty, too.
type Row []any

// Safe is a text as a cell of a CSV that no spreadsheet takes for a formula: an
// apostrophe stands before what begins with = + - @, a tab or a return (OWASP,
// CSV injection). Numbers are not texts and must not pass through here.
func Safe(s string) string {
	if s != "" && strings.IndexByte("=+-@\t\r\n", s[0]) >= 0 {
		return "'" + s
	}
	// The same in full width, which some spreadsheets read as the plain one.
	for _, wide := range [...]string{"＝", "＋", "－", "＠"} {
		if strings.HasPrefix(s, wide) {
			return "'" + s
		}
	}
	return s
}

// CSV writes rows as RFC 4180 has them, in UTF-8.
type CSV struct{ w *csv.Writer }

// bom tells Excel that a CSV is UTF-8.
const bom = "\ufeff"

// NewCSV begins a CSV; with mark it has a byte order mark, without which Excel
// reads Chinese as something else.
func NewCSV(w io.Writer, mark bool) *CSV {
	if mark {
		_, _ = io.WriteString(w, bom) // what fails here fails again with Close
	}
	return &CSV{csv.NewWriter(w)}
}

// Write writes one row. Ratios are decimal fractions, times RFC 3339.
func (c *CSV) Write(row Row) error {
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = text(v)
	}
	return c.w.Write(cells)
}

// Begin writes the last row of the sheet's head: a CSV is one table.
func (c *CSV) Begin(s Sheet) error {
	if len(s.Head) == 0 {
		return nil
	}
	return c.Write(s.Head[len(s.Head)-1])
}

// Close writes what is left.
func (c *CSV) Close() error {
	c.w.Flush()
	return c.w.Error()
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return Safe(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case Change:
		return strconv.FormatFloat(float64(v), 'f', 6, 64)
	case Degrees:
		return strconv.FormatFloat(float64(v), 'f', 6, 64)
	case Ratio:
		return strconv.FormatFloat(float64(v), 'f', 6, 64)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.Format(time.RFC3339)
	}
	panic("export: a cell of no known kind")
}
