package geofile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// table is a dBase file, the attributes of a Shapefile. Source: dBase III+
// and IV file structure as Esri's Shapefile technical description uses it.
type table struct {
	fields  []dbfField
	charset charset
	count   int
	width   int
	data    []byte // count records of width bytes, each led by a space or, deleted, '*'
}

type dbfField struct {
	name     string
	kind     byte
	offset   int
	width    int
	decimals int
}

const (
	dbfHeaderBytes = 32
	dbfFieldBytes  = 32
	dbfHeaderEnd   = 0x0d
	// dbfGBK is the language driver byte for code page 936. Others are not
	// believed: most writers leave 0 or the byte of their own machine.
	dbfGBK = 0x4d
)

// readTable reads a .dbf and its .cpg, which may be nil.
func (r *reader) readTable(data, cpg []byte) (*table, error) {
	if len(data) < dbfHeaderBytes+1 {
		return nil, r.invalid(".dbf: %d bytes are too few for a header", len(data))
	}
	count := int64(binary.LittleEndian.Uint32(data[4:]))
	head := int64(binary.LittleEndian.Uint16(data[8:]))
	width := int64(binary.LittleEndian.Uint16(data[10:]))
	if head < dbfHeaderBytes+1 || head > int64(len(data)) || width < 1 {
		return nil, r.invalid(".dbf: a header of %d bytes and records of %d in a file of %d", head, width, len(data))
	}
	if claim := head + count*width; claim > int64(len(data)) {
		return nil, r.invalid(".dbf: claims %d records of %d bytes, %d bytes in all, but has %d", count, width, claim, len(data))
	}
	if count > int64(r.opt.MaxFeatures) {
		return nil, r.invalid(".dbf: claims %d records, more than %d features", count, r.opt.MaxFeatures)
	}
	t := &table{count: int(count), width: int(width), data: data[head:]}
	raw := t.readFields(data[dbfHeaderBytes:head])
	if end := t.end(); end > t.width {
		return nil, r.invalid(".dbf: fields of %d bytes in records of %d", end, width)
	}
	t.charset = r.tableCharset(t, raw, cpg, data[29])
	for i := range t.fields {
		t.fields[i].name = decodeField(raw[i], t.charset)
	}
	r.nameFields(t)
	return t, nil
}

// readFields fills t.fields but for the names, which it returns undecoded.
func (t *table) readFields(b []byte) (names [][]byte) {
	offset := 1
	for ; len(b) >= dbfFieldBytes && b[0] != dbfHeaderEnd; b = b[dbfFieldBytes:] {
		name, _, _ := bytes.Cut(b[:11], []byte{0})
		f := dbfField{kind: b[11], offset: offset, width: int(b[16]), decimals: int(b[17])}
		offset += f.width
		t.fields = append(t.fields, f)
		names = append(names, bytes.TrimSpace(name))
	}
	return names
}

func (t *table) end() int {
	if len(t.fields) == 0 {
		return 1
	}
	last := t.fields[len(t.fields)-1]
	return last.offset + last.width
}

// nameFields makes every name distinct, so that no column hides another, and
// drops the kinds whose values lie in a file of their own.
func (r *reader) nameFields(t *table) {
	seen := make(map[string]bool)
	kept := t.fields[:0]
	for i, f := range t.fields {
		if !strings.ContainsRune("CNFLD", rune(f.kind)) {
			r.warn("column %q of kind %q is not read", f.name, f.kind)
			continue
		}
		if f.name == "" {
			f.name = fmt.Sprintf("column%d", i+1)
		}
		f.name = distinct(f.name, seen)
		kept = append(kept, f)
	}
	t.fields = kept
}

// distinct is name, or name with the first free number after it, and takes it.
func distinct(name string, taken map[string]bool) string {
	candidate := name
	for n := 2; taken[candidate]; n++ {
		candidate = fmt.Sprintf("%s_%d", name, n)
	}
	taken[candidate] = true
	return candidate
}

// tableCharset goes by the .cpg, then by the language driver where that says
// GBK, then by what the bytes can be; a .cpg that the bytes refute is not
// believed.
func (r *reader) tableCharset(t *table, names [][]byte, cpg []byte, driver byte) charset {
	samples := func(yield func([]byte) bool) {
		for _, name := range names {
			if !yield(name) {
				return
			}
		}
		for i := range t.count {
			rec := t.record(i)
			for _, f := range t.fields {
				if f.kind == 'C' && !yield(trimPadding(rec[f.offset:f.offset+f.width])) {
					return
				}
			}
		}
	}
	declared := charsetByName(string(cpg))
	if declared == unknownCharset && len(bytes.TrimSpace(cpg)) > 0 {
		r.warn("the .cpg names an unknown encoding, %.40q", cpg)
	}
	if declared == unknownCharset && driver == dbfGBK {
		declared = gb18030
	}
	guess := guessCharset(samples)
	switch {
	case declared == unknownCharset:
		if guess == windows1252 {
			r.warn("the attribute table is neither UTF-8 nor GB18030; read as Windows-1252")
		}
		return guess
	case declared == utf8Text && guess != utf8Text:
		r.warn("the attribute table is declared UTF-8 but is not; read as %s", guess)
		return guess
	}
	return declared
}

func trimPadding(b []byte) []byte { return bytes.TrimRight(b, " \x00") }

func (t *table) record(i int) []byte { return t.data[i*t.width : (i+1)*t.width] }

// deleted reports whether record i is marked as deleted.
func (t *table) deleted(i int) bool { return t.record(i)[0] == '*' }

// row is record i. A table cannot tell an empty text from none: both are nil,
// as are blank numbers and those that overflowed their column ("****").
func (t *table) row(r *reader, i int) (Properties, error) {
	if err := r.takeValues(len(t.fields)); err != nil {
		return nil, err
	}
	rec := t.record(i)
	props := make(Properties, len(t.fields))
	for j, f := range t.fields {
		props[j] = Property{f.name, f.value(rec[f.offset:f.offset+f.width], t.charset)}
	}
	return props, nil
}

func (f *dbfField) value(b []byte, c charset) any {
	b = trimPadding(b)
	if f.kind == 'C' {
		if len(b) == 0 {
			return nil
		}
		return decodeField(b, c)
	}
	s := strings.Trim(string(b), " \x00\t")
	switch f.kind {
	case 'N', 'F':
		if f.decimals == 0 {
			if n, err := strconv.ParseInt(s, 10, 64); err == nil {
				return n
			}
		}
		if v, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64); err == nil {
			return v
		}
	case 'L':
		switch s {
		case "T", "t", "Y", "y":
			return true
		case "F", "f", "N", "n":
			return false
		}
	case 'D':
		if len(s) == 8 && s != "00000000" {
			return s[:4] + "-" + s[4:6] + "-" + s[6:]
		}
	}
	return nil
}
