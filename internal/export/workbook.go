package export

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"lianqin/internal/fault"
)

// MaxRows is how many rows a sheet of a workbook can have, by its format.
const MaxRows = excelize.TotalRows

// Workbook is an XLSX that is written sheet by sheet and row by row; large ones
// lie in a temporary file meanwhile. Texts are texts in it, whatever they begin
// with. Close gives back what it holds.
type Workbook struct {
	file   *excelize.File
	sheet  *excelize.StreamWriter
	row    int
	styles map[style]int
}

type style uint8

const (
	plain style = iota
	heading
	count
	percent
	change
	degrees
	instant
)

var styles = map[style]*excelize.Style{
	heading: {Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7EEF5"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}, Border: []excelize.Border{{Type: "bottom", Color: "8AA0B3", Style: 1}}},
	count:   {NumFmt: 3},  // #,##0
	percent: {NumFmt: 10}, // 0.00%
	change:  {CustomNumFmt: new("+0.00%;-0.00%;0.00%")},
	degrees: {CustomNumFmt: new("0.000000")},
	instant: {CustomNumFmt: new("yyyy-mm-dd hh:mm")},
}

// NewWorkbook is a workbook without sheets. Author is who it says made it.
func NewWorkbook(title, author string) (*Workbook, error) {
	w := &Workbook{file: excelize.NewFile(), styles: map[style]int{}}
	for s, look := range styles {
		id, err := w.file.NewStyle(look)
		if err != nil {
			return nil, w.failed(err)
		}
		w.styles[s] = id
	}
	err := w.file.SetDocProps(&excelize.DocProperties{Title: title, Creator: author, LastModifiedBy: author})
	return w, w.failed(err)
}

func (w *Workbook) failed(err error) error {
	if err != nil {
		return fault.New(fault.Internal, "write workbook: %w", err)
	}
	return nil
}

// Sheet is how a sheet begins.
type Sheet struct {
	Name   string    // 31 characters at most, none of : \ / ? * [ ]
	Widths []float64 // of its columns in characters; the last stands for those after it
	Head   []Row     // rows that stay in sight as one scrolls down
	Fixed  int       // columns that stay in sight as one scrolls right
	Merged []string  // cells that are one: "A1:C1"
	Filter string    // cells that get buttons to filter by: "A1:D1"
}

// Begin ends the sheet before and begins the next.
func (w *Workbook) Begin(s Sheet) error {
	if utf8.RuneCountInString(s.Name) > excelize.MaxSheetNameLength || strings.ContainsAny(s.Name, `:\/?*[]`) {
		return w.failed(fmt.Errorf("%q is no name of a sheet", s.Name))
	}
	if err := w.end(); err != nil {
		return err
	}
	if len(w.file.GetSheetList()) == 1 && w.sheet == nil {
		if err := w.file.SetSheetName(w.file.GetSheetName(0), s.Name); err != nil {
			return w.failed(err)
		}
	} else if _, err := w.file.NewSheet(s.Name); err != nil {
		return w.failed(err)
	}
	var err error
	if w.sheet, err = w.file.NewStreamWriter(s.Name); err != nil {
		return w.failed(err)
	}
	w.row = 0
	for i, width := range s.Widths {
		last := i + 1
		if i == len(s.Widths)-1 {
			last = max(last, 256)
		}
		if err := w.sheet.SetColWidth(i+1, last, width); err != nil {
			return w.failed(err)
		}
	}
	if len(s.Head) > 0 || s.Fixed > 0 {
		corner, err := excelize.CoordinatesToCellName(s.Fixed+1, len(s.Head)+1)
		if err != nil {
			return w.failed(err)
		}
		pane := "bottomRight"
		switch {
		case s.Fixed == 0:
			pane = "bottomLeft"
		case len(s.Head) == 0:
			pane = "topRight"
		}
		if err := w.sheet.SetPanes(&excelize.Panes{Freeze: true, XSplit: s.Fixed, YSplit: len(s.Head), TopLeftCell: corner, ActivePane: pane}); err != nil {
			return w.failed(err)
		}
	}
	for _, row := range s.Head {
		if err := w.write(row, heading); err != nil {
			return err
		}
	}
	for _, cells := range s.Merged {
		from, to, _ := strings.Cut(cells, ":")
		if err := w.sheet.MergeCell(from, to); err != nil {
			return w.failed(err)
		}
	}
	if s.Filter != "" {
		return w.failed(w.file.AutoFilter(s.Name, s.Filter, nil))
	}
	return nil
}

// Write writes one row of the sheet that was begun last.
func (w *Workbook) Write(row Row) error { return w.write(row, plain) }

func (w *Workbook) write(row Row, look style) error {
	cells := make([]any, len(row))
	for i, v := range row {
		cells[i] = w.cell(v, look)
	}
	w.row++
	at, err := excelize.CoordinatesToCellName(1, w.row)
	if err != nil {
		return w.failed(err)
	}
	return w.failed(w.sheet.SetRow(at, cells))
}

func (w *Workbook) cell(v any, look style) any {
	switch v := v.(type) {
	case nil:
		if look == plain {
			return nil
		}
		return excelize.Cell{StyleID: w.styles[look]}
	case string:
		return excelize.Cell{StyleID: w.styles[look], Value: clip(v)}
	case int64:
		return excelize.Cell{StyleID: w.styles[count], Value: v}
	case Ratio:
		return excelize.Cell{StyleID: w.styles[percent], Value: float64(v)}
	case Change:
		return excelize.Cell{StyleID: w.styles[change], Value: float64(v)}
	case Degrees:
		return excelize.Cell{StyleID: w.styles[degrees], Value: float64(v)}
	case time.Time:
		if v.IsZero() {
			return nil
		}
		// A spreadsheet knows no zone: what it shows is the time on the clock.
		y, m, d := v.Date()
		return excelize.Cell{StyleID: w.styles[instant], Value: time.Date(y, m, d, v.Hour(), v.Minute(), v.Second(), 0, time.UTC)}
	}
	panic("export: a cell of no known kind")
}

// clip keeps a text within what a cell can hold.
func clip(s string) string {
	if utf8.RuneCountInString(s) <= excelize.TotalCellChars {
		return s
	}
	return string([]rune(s)[:excelize.TotalCellChars])
}

func (w *Workbook) end() error {
	if w.sheet == nil {
		return nil
	}
	return w.failed(w.sheet.Flush())
}

// WriteTo ends the last sheet and writes the workbook.
func (w *Workbook) WriteTo(out io.Writer) (int64, error) {
	if err := w.end(); err != nil {
		return 0, err
	}
	n, err := w.file.WriteTo(out)
	return n, w.failed(err)
}

// Close removes what lay in temporary files.
func (w *Workbook) Close() error { return w.failed(w.file.Close()) }

// Cell is the name of a cell: column 1, row 1 is A1.
func Cell(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		panic(err) // of numbers that the program chose
	}
	return name
}
