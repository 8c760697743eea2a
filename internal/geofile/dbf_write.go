package geofile

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	"lianqin/internal/fault"
)

const (
	maxDBFName   = 10 // bytes
	maxDBFText   = 254
	maxDBFRecord = 65535
	dbfFloat     = 24 // the longest shortest form of a float64
)

// tableBytes is f's attribute table in UTF-8. Text over 254 bytes is an error,
// not cut.
func tableBytes(f *File) ([]byte, error) {
	columns := typedColumns(f)
	if len(columns) == 0 {
		// A table must have a column; GDAL writes the same one.
		columns = []column{{name: "FID", kind: intColumn}}
	}
	widths, err := columnWidths(f, columns)
	if err != nil {
		return nil, err
	}
	record := 1
	for _, w := range widths {
		record += w
	}
	if head := dbfHeaderBytes + len(columns)*dbfFieldBytes + 1; record > maxDBFRecord || head > maxDBFRecord {
		return nil, fault.New(fault.Invalid, "%s: %d columns of %d bytes in all do not fit a .dbf", f.Name, len(columns), record)
	}
	b := tableHeader(len(f.Features), columns, widths, record)
	place := make(map[string]int)
	for i, c := range columns {
		place[c.name] = i
	}
	for i := range f.Features {
		cells := make([]string, len(columns))
		for _, p := range f.Features[i].Properties {
			at := place[p.Name]
			cells[at] = dbfText(p.Value, columns[at].kind)
		}
		b = append(b, ' ')
		for j, cell := range cells {
			pad := strings.Repeat(" ", widths[j]-len(cell))
			if columns[j].kind == textColumn {
				b = append(append(b, cell...), pad...)
			} else {
				b = append(append(b, pad...), cell...)
			}
		}
	}
	return append(b, 0x1a), nil
}

func columnWidths(f *File, columns []column) ([]int, error) {
	widths := make([]int, len(columns))
	place := make(map[string]int)
	for i, c := range columns {
		place[c.name] = i
		widths[i] = 1
		if c.kind == floatColumn {
			widths[i] = dbfFloat
		}
	}
	for i := range f.Features {
		for _, p := range f.Features[i].Properties {
			at := place[p.Name]
			n := len(dbfText(p.Value, columns[at].kind))
			if n > maxDBFText {
				return nil, f.invalid(i, "property %q is %d bytes long; a Shapefile holds %d", p.Name, n, maxDBFText)
			}
			widths[at] = max(widths[at], n)
		}
	}
	return widths, nil
}

func dbfText(v any, kind columnKind) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if kind == boolColumn {
			return map[bool]string{true: "T", false: "F"}[v]
		}
	case float64:
		if s := strconv.FormatFloat(v, 'f', -1, 64); len(s) <= dbfFloat || kind == textColumn {
			return s
		}
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return text(v)
}

func tableHeader(records int, columns []column, widths []int, record int) []byte {
	const dBaseIII = 3
	head := dbfHeaderBytes + len(columns)*dbfFieldBytes + 1
	b := make([]byte, dbfHeaderBytes, head+records*record+1)
	// The date of last change is a fixed one: the same features make the same
	// file.
	copy(b, []byte{dBaseIII, 100, 1, 1})
	binary.LittleEndian.PutUint32(b[4:], uint32(records))
	binary.LittleEndian.PutUint16(b[8:], uint16(head))
	binary.LittleEndian.PutUint16(b[10:], uint16(record))
	taken := make(map[string]bool)
	for i, c := range columns {
		field := make([]byte, dbfFieldBytes)
		copy(field, shortName(c.name, taken))
		field[11], field[16] = 'C', byte(widths[i])
		switch c.kind {
		case boolColumn:
			field[11] = 'L'
		case intColumn:
			field[11] = 'N'
		case floatColumn:
			field[11], field[17] = 'N', 15
		}
		b = append(b, field...)
	}
	return append(b, dbfHeaderEnd)
}

// shortName is name cut to ten bytes between characters, and numbered where
// that makes it another column's.
func shortName(name string, taken map[string]bool) string {
	name = strings.ReplaceAll(name, "\x00", "")
	short := cut(name, maxDBFName)
	for n := 2; short == "" || taken[strings.ToUpper(short)]; n++ {
		suffix := "_" + strconv.Itoa(n)
		short = cut(name, maxDBFName-len(suffix)) + suffix
	}
	taken[strings.ToUpper(short)] = true
	return short
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
