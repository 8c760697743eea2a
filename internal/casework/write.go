package casework

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"lianqin/internal/fault"
)

// WriteDepartments writes the table of departments as ReadCatalogue reads it.
func (c *Catalogue) WriteDepartments(w io.Writer) error {
	rows := [][]string{departmentColumns}
	for _, d := range c.departments {
		rows = append(rows, []string{d.Code, d.Name, string(d.Level)})
	}
	return writeRows(w, rows)
}

// WriteItems writes the items as ReadCatalogue reads them: what both tables
// say then has the same Hash.
func (c *Catalogue) WriteItems(w io.Writer) error {
	rows := [][]string{append(itemColumns[:len(itemColumns):len(itemColumns)], stagesColumn)}
	for _, t := range c.items {
		key := "0"
		if t.Key {
			key = "1"
		}
		rows = append(rows, []string{t.Code, t.Major.Code, t.Major.Name, t.Name, string(t.Kind), t.Lead,
			strings.Join(t.Support, ";"), strconv.Itoa(t.ResponseMinutes), strconv.Itoa(t.DisposalHours),
			string(t.Clock), key, formatStages(t.Stages)})
	}
	return writeRows(w, rows)
}

// writeRows is Internal when w fails.
func writeRows(w io.Writer, rows [][]string) error {
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fault.New(fault.Internal, "write table: %w", err)
	}
	return nil
}
