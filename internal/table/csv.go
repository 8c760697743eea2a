package table

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// csvWork answers CSV rows. It is immutable once made.
type csvWork struct {
	*resolver
	shape   Layout
	fields  int // of the header; of the first row when there is none
	lon     int // places of the two columns, from 0
	lat     int
	header  []byte
	answers csvAnswers
}

// newCSV reads the header.
func newCSV(in *source, rs *resolver, opt Options) (*csvWork, error) {
	w := &csvWork{resolver: rs, shape: Layout{Format: CSV, Delimiter: opt.Delimiter, Encoding: opt.Encoding}}
	if w.shape.Encoding == "" {
		w.shape.Encoding = encodingOf(in.rest)
	}
	if err := w.shape.Encoding.check(); err != nil {
		return nil, err
	}
	if w.shape.Delimiter == 0 {
		line, err := firstLine(in)
		if err != nil {
			return nil, err
		}
		w.shape.Delimiter = delimiterOf(line)
	}
	names, row, err := w.names(in, opt.NoHeader)
	if err != nil {
		return nil, err
	}
	if opt.MaxColumns > 0 && len(names) > opt.MaxColumns {
		return nil, fault.New(fault.Invalid, "the header has more than %d columns", opt.MaxColumns)
	}
	if w.shape.Lon, w.shape.Lat, err = columnsIn(names, opt); err != nil {
		if !opt.NoHeader && looksLikeData(names) {
			hint := ""
			if opt.Settings.NoHeader != "" {
				hint = "; without a header give " + opt.Settings.NoHeader + " and the two columns' numbers"
			}
			err = fault.New(fault.Invalid, "the first row looks like data, not like a header%s (%w)", hint, err)
		}
		return nil, err
	}
	w.fields, w.lon, w.lat = len(names), w.shape.Lon.Number-1, w.shape.Lat.Number-1
	w.answers = newCSVAnswers(rs, w.shape)
	if !opt.NoHeader {
		w.shape.Repeated = repeated(names)
		w.header = w.headerOf(row)
	}
	if in.bom {
		w.header = append(bytes.Clone(utf8BOM), w.header...)
	}
	return w, nil
}

// firstLine waits for the first line, and leaves it where it is.
func firstLine(in *source) ([]byte, error) {
	for {
		if end := lineEnd(in.rest, in.eof); end >= 0 {
			return in.rest[:end], nil
		}
		if in.eof || len(in.rest) > maxRow {
			return nil, in.tooLong()
		}
		if err := in.more(); err != nil {
			return nil, err
		}
	}
}

// names takes the header off the input. Without one the names are numbers, and
// the first row stays.
func (w *csvWork) names(in *source, noHeader bool) (names []string, row []byte, err error) {
	row, err = in.row(func(b []byte, eof bool) int { return rowEnd(b, w.shape.Delimiter, eof) })
	if err != nil {
		return nil, nil, err
	}
	body, _ := trimLineEnd(row)
	_, ok := w.walk(body, func(n int, field []byte) {
		name := strconv.Itoa(n + 1)
		if !noHeader {
			name = strings.TrimSpace(w.shape.Encoding.decode(unquote(field)))
		}
		names = append(names, name)
	})
	if !ok {
		return nil, nil, fault.New(fault.Invalid, "the header has a quote that does not close: %s", listed([]string{string(body)}))
	}
	if noHeader {
		in.rest = append(bytes.Clone(row), in.rest...)
		in.rows--
	}
	return names, row, nil
}

func (w *csvWork) headerOf(row []byte) []byte {
	body, end := trimLineEnd(row)
	if len(end) == 0 {
		end = []byte("\n") // a header alone, without a line end: rows do not follow
	}
	out := bytes.Clone(body)
	for _, c := range Columns {
		out = append(append(out, w.shape.Delimiter), c...)
	}
	return append(out, end...)
}

func unquote(field []byte) []byte {
	if n := len(field); n >= 2 && field[0] == '"' && field[n-1] == '"' {
		return bytes.ReplaceAll(field[1:n-1], []byte(`""`), []byte(`"`))
	}
	return field
}

func (w *csvWork) layout() Layout   { return w.shape }
func (w *csvWork) preamble() []byte { return w.header }

func (w *csvWork) work(b *block) {
	start := 0
	for _, end := range b.ends {
		body, eol := trimLineEnd(b.in[start:end])
		start = int(end)
		if len(body) == 0 {
			b.count.Blank++
			b.out = append(b.out, eol...)
			continue
		}
		b.count.Rows++
		var a answer
		switch fields, lon, lat, ok := w.pick(body); {
		case b.long:
			a = refused(TooLong)
			b.out = w.requote(b.out, w.shape.Encoding.whole(body))
		case !ok:
			a = refused(Malformed)
			b.out = w.requote(b.out, body)
		case fields != w.fields:
			a = refused(Ragged)
			b.out = append(b.out, body...)
			for range w.fields - fields { // so that the answers stand under their names
				b.out = append(b.out, w.shape.Delimiter)
			}
		default:
			b.out = append(b.out, body...)
			a = w.answer(lon, lat, &b.count)
		}
		b.out = w.answers.append(b.out, a)
		b.out = append(b.out, eol...)
		if a.grid != grid.None {
			b.count.Inside++
		} else {
			b.count.Reasons[a.reason]++
		}
	}
}

// requote writes a row whose quotes do not close so that every reader takes it
// for one record: cut at each delimiter into as many fields as the header has,
// the rest in the last, those with a quote or a line end in them in quotes.
func (w *csvWork) requote(out, row []byte) []byte {
	for n := range w.fields {
		if n > 0 {
			out = append(out, w.shape.Delimiter)
		}
		field := row
		if k := bytes.IndexByte(row, w.shape.Delimiter); k >= 0 && n < w.fields-1 {
			field, row = row[:k], row[k+1:]
		} else {
			row = nil
		}
		out = append(out, quoteField(string(field), w.shape.Delimiter)...)
	}
	return out
}

// pick is the number of fields in a row and the two that matter, without
// quotes.
func (w *csvWork) pick(row []byte) (fields int, lon, lat []byte, ok bool) {
	if bytes.IndexByte(row, '"') >= 0 {
		fields, ok = w.walk(row, func(n int, field []byte) {
			if n == w.lon {
				lon = unquote(field)
			} else if n == w.lat {
				lat = unquote(field)
			}
		})
		return fields, lon, lat, ok
	}
	at := 0
	for n := 0; ; n++ {
		k := bytes.IndexByte(row[at:], w.shape.Delimiter)
		field := row[at:]
		if k >= 0 {
			field = row[at : at+k]
		}
		if n == w.lon {
			lon = field
		} else if n == w.lat {
			lat = field
		}
		if k < 0 {
			return n + 1, lon, lat, true
		}
		at += k + 1
	}
}

// walk calls f for each field of a row without line end, quotes included, and
// returns their number; not ok when a quote does not close.
func (w *csvWork) walk(row []byte, f func(n int, field []byte)) (int, bool) {
	at := 0
	for n := 0; ; n++ {
		end := at
		if at < len(row) && row[at] == '"' {
			next, state := quotedEnd(row, at, w.shape.Delimiter, true)
			if state != closed {
				return n, false
			}
			end = next
		}
		if k := bytes.IndexByte(row[end:], w.shape.Delimiter); k >= 0 {
			end += k
		} else {
			end = len(row)
		}
		f(n, row[at:end])
		if end == len(row) {
			return n + 1, true
		}
		at = end + 1
	}
}

// csvAnswers are the appended columns as they are written.
type csvAnswers struct {
	*resolver
	shape   Layout
	grids   texts // delimiter, four fields with delimiters between
	none    []byte
	reasons [reasons][]byte // delimiter, reason
}

func newCSVAnswers(rs *resolver, l Layout) csvAnswers {
	a := csvAnswers{resolver: rs, shape: l, grids: newTexts(rs.gen)}
	a.none = a.line("", "", "", "")
	for _, r := range Reasons() {
		a.reasons[r] = a.line(r.String())
	}
	return a
}

// line is fields with a delimiter before each.
func (a *csvAnswers) line(fields ...string) []byte {
	var out []byte
	for _, f := range fields {
		out = append(append(out, a.shape.Delimiter), a.shape.Encoding.encode(quoteField(f, a.shape.Delimiter))...)
	}
	return out
}

func (a *csvAnswers) ofGrid(id grid.ID) []byte {
	f := a.fields(id)
	return a.line(f[:]...)
}

// quoteField quotes a field that would not survive plain.
func quoteField(s string, delimiter byte) string {
	if strings.IndexByte(s, delimiter) < 0 && !strings.ContainsAny(s, "\"\r\n") {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func (a *csvAnswers) append(out []byte, is answer) []byte {
	if is.grid != grid.None {
		out = append(out, a.grids.of(is.grid, a.ofGrid)...)
	} else {
		out = append(out, a.none...)
	}
	out = append(out, a.shape.Delimiter)
	out = appendMetres(out, is.borderM)
	if is.grid != grid.None {
		return append(out, a.shape.Delimiter)
	}
	return append(out, a.reasons[is.reason]...)
}

// appendMetres writes m with one decimal, and nothing for NaN.
func appendMetres(out []byte, m float64) []byte {
	if math.IsNaN(m) || m > 1e9 {
		return out
	}
	tenths := int64(math.Round(m * 10))
	out = strconv.AppendInt(out, tenths/10, 10)
	return append(out, '.', byte('0'+tenths%10))
}
