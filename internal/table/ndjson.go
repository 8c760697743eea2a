package table

import (
	"bytes"
	"encoding/json"
	"math"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// ndjsonWork answers JSON objects, one a line. It is immutable once made.
type ndjsonWork struct {
	*resolver
	shape    Layout
	lon, lat []byte
	bom      []byte
	grids    [][]byte // by grid.ID: the four members of a grid
	reasons  [reasons][]byte
}

// newNDJSON looks at the first object for the two members' names.
func newNDJSON(in *source, rs *resolver, gen *grid.Generation, opt Options) (*ndjsonWork, error) {
	w := &ndjsonWork{resolver: rs, shape: Layout{Format: NDJSON, Encoding: UTF8}}
	names, err := firstMembers(in)
	if err != nil {
		return nil, err
	}
	if w.shape.Lon, w.shape.Lat, err = columnsIn(names, opt); err != nil {
		return nil, err
	}
	w.shape.Lon.Number, w.shape.Lat.Number = 0, 0
	w.shape.Repeated = repeated(names)
	w.lon, w.lat = []byte(w.shape.Lon.Name), []byte(w.shape.Lat.Name)
	if in.bom {
		w.bom = utf8BOM
	}
	grids := gen.Grids()
	w.grids = make([][]byte, grids[len(grids)-1].ID+1)
	for _, g := range grids {
		for i, f := range answerFields(gen, g) {
			w.grids[g.ID] = appendMember(w.grids[g.ID], Columns[i], f)
		}
	}
	for _, r := range Reasons() {
		w.reasons[r] = quoteJSON(r.String())
	}
	return w, nil
}

// firstMembers are the members of the first line that is an object. It looks
// only at what the first read brings, and takes nothing off the input.
func firstMembers(in *source) ([]string, error) {
	if _, err := firstLine(in); err != nil {
		return nil, err
	}
	rest := in.rest
	for {
		end := lineEnd(rest, in.eof)
		if end < 0 {
			return nil, fault.New(fault.Invalid, "no line of the first %d is a JSON object: one object a line is needed", bytes.Count(in.rest, []byte{'\n'})+1)
		}
		var names []string
		if walkObject(rest[:end], func(name, _ []byte) { names = append(names, string(name)) }) {
			return names, nil
		}
		rest = rest[end:]
	}
}

func (w *ndjsonWork) layout() Layout   { return w.shape }
func (w *ndjsonWork) preamble() []byte { return w.bom }

func (w *ndjsonWork) work(b *block) {
	start := 0
	for _, end := range b.ends {
		line := b.in[start:end]
		start = int(end)
		body, eol := trimLineEnd(line)
		if len(bytes.TrimSpace(body)) == 0 {
			b.count.Blank++
			b.out = append(b.out, line...)
			continue
		}
		b.count.Rows++
		var lon, lat []byte
		members := 0
		ok := walkObject(body, func(name, value []byte) {
			members++
			if bytes.Equal(name, w.lon) {
				lon = value
			} else if bytes.Equal(name, w.lat) {
				lat = value
			}
		})
		var a answer
		tail := []byte("}")
		if ok {
			a = w.answer(unquoteJSON(lon), unquoteJSON(lat), &b.count)
			last := bytes.LastIndexByte(body, '}')
			b.out = append(b.out, body[:last]...)
			tail = body[last:]
		} else { // kept as text, so that the output is NDJSON all the same
			a = refused(Malformed)
			b.out = append(append(b.out, `{"input":`...), quoteJSON(string(body))...)
			members = 1
		}
		if members > 0 {
			b.out = append(b.out, ',')
		}
		b.out = w.append(b.out, a)
		b.out = append(append(b.out, tail...), eol...)
		if a.grid != grid.None {
			b.count.Inside++
		} else {
			b.count.Reasons[a.reason]++
		}
	}
}

func (w *ndjsonWork) append(out []byte, a answer) []byte {
	if a.grid != grid.None {
		out = append(out, w.grids[a.grid]...)
	} else {
		out = append(out, `"grid":null,"grid_name":null,"street":null,"department":null,`...)
	}
	out = append(out, `"border_m":`...)
	if math.IsNaN(a.borderM) || a.borderM > 1e9 {
		out = append(out, "null"...)
	} else {
		out = appendMetres(out, a.borderM)
	}
	out = append(out, `,"reason":`...)
	if a.grid != grid.None {
		return append(out, "null"...)
	}
	return append(out, w.reasons[a.reason]...)
}

// appendMember writes one member and a comma; an empty value is null.
func appendMember(out []byte, name, value string) []byte {
	out = append(append(append(out, '"'), name...), '"', ':')
	if value == "" {
		out = append(out, "null"...)
	} else {
		out = append(out, quoteJSON(value)...)
	}
	return append(out, ',')
}

func quoteJSON(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // a string into a buffer: nothing can fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// unquoteJSON is the text of a string, and any other value as it is written.
func unquoteJSON(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return value
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return value
	}
	return []byte(s)
}

// walkObject calls f for each member of the object that line holds, in order,
// and reports whether line is one JSON object and nothing else. The name is
// unquoted, the value as it is written.
func walkObject(line []byte, f func(name, value []byte)) bool {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' || !json.Valid(line) {
		return false
	}
	// The line is valid, so that looking for the ends of things is enough.
	at := skipSpace(line, 1)
	for line[at] == '"' {
		end := stringEnd(line, at)
		name := unquoteJSON(line[at:end])
		at = skipSpace(line, skipSpace(line, end)+1) // the colon
		end = valueEnd(line, at)
		f(name, line[at:end])
		if at = skipSpace(line, end); line[at] == ',' {
			at = skipSpace(line, at+1)
		}
	}
	return true
}

func skipSpace(b []byte, at int) int {
	for b[at] == ' ' || b[at] == '\t' || b[at] == '\r' || b[at] == '\n' {
		at++
	}
	return at
}

func stringEnd(b []byte, at int) int {
	for at++; b[at] != '"'; at++ {
		if b[at] == '\\' {
			at++
		}
	}
	return at + 1
}

func valueEnd(b []byte, at int) int {
	depth := 0
	for {
		switch b[at] {
		case '"':
			at = stringEnd(b, at)
			if depth == 0 {
				return at
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
		}
		at++
	}
}
