package table

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"unicode"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// RenamedPrefix stands before our members' names in an object that has one of
// them already; where that is taken, too, it is repeated.
const RenamedPrefix = "lianqin_"

// ndjsonWork answers JSON objects, one a line. It is immutable once made.
type ndjsonWork struct {
	*resolver
	shape    Layout
	lon, lat memberNames
	bom      []byte
	grids    texts // the four members of a grid, under their usual names
	reasons  [reasons][]byte
}

// newNDJSON looks at the first objects for the two members' names.
func newNDJSON(in *source, rs *resolver, opt Options) (*ndjsonWork, error) {
	w := &ndjsonWork{resolver: rs, shape: Layout{Format: NDJSON, Encoding: UTF8}, grids: newTexts(rs.gen)}
	var err error
	if w.shape.Lon, w.shape.Lat, err = firstMembers(in, opt); err != nil {
		return nil, err
	}
	w.shape.Lon.Number, w.shape.Lat.Number = 0, 0
	w.lon, w.lat = namesOf(w.shape.Lon, lonNames), namesOf(w.shape.Lat, latNames)
	if in.bom {
		w.bom = utf8BOM
	}
	for _, r := range Reasons() {
		w.reasons[r] = quoteJSON(r.String())
	}
	return w, nil
}

// firstMembers are the members with the coordinates in the first line that has
// them. It looks only at what the first read brings, and takes nothing off the
// input.
func firstMembers(in *source, opt Options) (lon, lat Column, err error) {
	if _, err := firstLine(in); err != nil {
		return lon, lat, err
	}
	var why error // of the first object
	for rest := in.rest; ; {
		end := lineEnd(rest, in.eof)
		if end < 0 {
			if why == nil {
				why = fault.New(fault.Invalid, "no line of the first %d is a JSON object: one object a line is needed", bytes.Count(in.rest, []byte{'\n'})+1)
			}
			return lon, lat, why
		}
		var names []string
		if walkObject(rest[:end], func(name, _ []byte) {
			if n := string(name); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}) {
			if lon, lat, err = columnsIn(names, opt); err == nil {
				return lon, lat, nil
			}
			if why == nil {
				why = err
			}
		}
		rest = rest[end:]
	}
}

// memberNames are the names that one coordinate may have, each with its rank;
// lower is likelier.
type memberNames map[string]int

// namesOf are the names that were guessed, or the one that was given.
func namesOf(c Column, guesses []string) memberNames {
	if !c.Guessed {
		return memberNames{c.Name: 0}
	}
	m := make(memberNames)
	for i, g := range guesses {
		m[g] = 2 * i
	}
	return m
}

// unranked is the rank of what is no coordinate.
const unranked = 1 << 10

// rank is name's, in whatever case; one that is written as listed comes first.
func (m memberNames) rank(name []byte) int {
	if r, ok := m[string(name)]; ok {
		return r
	}
	if len(m) == 1 || len(name) > 16 || bytes.IndexFunc(name, unicode.IsUpper) < 0 {
		return unranked
	}
	if r, ok := m[string(bytes.ToLower(name))]; ok {
		return r + 1
	}
	return unranked
}

// report is what one object says.
type report struct {
	n        int
	lon, lat []byte
	taken    bool // it has a member named like one of ours
}

// read goes through one object; not ok when line is none.
func (w *ndjsonWork) read(line []byte) (m report, ok bool) {
	lonRank, latRank := unranked-1, unranked-1
	ok = walkObject(line, func(name, value []byte) {
		m.n++
		if r := w.lon.rank(name); r <= lonRank { // of equal names the last counts
			lonRank, m.lon = r, value
		} else if r := w.lat.rank(name); r <= latRank {
			latRank, m.lat = r, value
		} else if slices.Contains(Columns, string(name)) {
			m.taken = true
		}
	})
	return m, ok
}

func (w *ndjsonWork) layout() Layout   { return w.shape }
func (w *ndjsonWork) preamble() []byte { return w.bom }

func (w *ndjsonWork) work(b *block) {
	start := 0
	for _, end := range b.ends {
		line := b.in[start:end]
		start = int(end)
		if blank(line, NDJSON) {
			b.count.Blank++
			b.out = append(b.out, line...)
			continue
		}
		b.count.Rows++
		var a answer
		body, eol := trimLineEnd(line)
		m, ok := w.read(body)
		tail, prefix := []byte("}"), ""
		if ok && !b.long {
			a = w.answer(unquoteJSON(m.lon), unquoteJSON(m.lat), &b.count)
			last := bytes.LastIndexByte(body, '}')
			b.out = append(b.out, body[:last]...)
			tail = body[last:]
			if m.taken {
				b.count.Renamed++
				prefix = freePrefix(body)
			}
		} else { // kept as text, so that the output is NDJSON all the same
			a = refused(Malformed)
			if b.long {
				a, body = refused(TooLong), UTF8.whole(body)
			}
			b.out = append(append(b.out, `{"input":`...), quoteJSON(string(body))...)
			m.n = 1
		}
		if m.n > 0 {
			b.out = append(b.out, ',')
		}
		b.out = w.append(b.out, a, prefix)
		b.out = append(append(b.out, tail...), eol...)
		if a.grid != grid.None {
			b.count.Inside++
		} else {
			b.count.Reasons[a.reason]++
		}
	}
}

// freePrefix makes all our names ones that line does not have.
func freePrefix(line []byte) string {
	for prefix := RenamedPrefix; ; prefix += RenamedPrefix {
		free := true
		walkObject(line, func(name, _ []byte) {
			rest, ok := bytes.CutPrefix(name, []byte(prefix))
			free = free && !(ok && slices.Contains(Columns, string(rest)))
		})
		if free {
			return prefix
		}
	}
}

func (w *ndjsonWork) append(out []byte, a answer, prefix string) []byte {
	switch {
	case prefix != "":
		out = appendPlace(out, prefix, w.fields(a.grid))
	case a.grid != grid.None:
		out = append(out, w.grids.of(a.grid, func(id grid.ID) []byte { return appendPlace(nil, "", w.fields(id)) })...)
	default:
		out = append(out, `"grid":null,"grid_name":null,"street":null,"department":null,`...)
	}
	out = appendName(out, prefix, "border_m")
	if math.IsNaN(a.borderM) || a.borderM > 1e9 {
		out = append(out, "null"...)
	} else {
		out = appendMetres(out, a.borderM)
	}
	out = appendName(append(out, ','), prefix, "reason")
	if a.grid != grid.None {
		return append(out, "null"...)
	}
	return append(out, w.reasons[a.reason]...)
}

// appendPlace writes the four members of a grid, each with a comma; an empty
// one is null.
func appendPlace(out []byte, prefix string, fields [4]string) []byte {
	for i, f := range fields {
		out = appendName(out, prefix, Columns[i])
		if f == "" {
			out = append(out, "null,"...)
		} else {
			out = append(append(out, quoteJSON(f)...), ',')
		}
	}
	return out
}

func appendName(out []byte, prefix, name string) []byte {
	out = append(append(out, '"'), prefix...)
	return append(append(out, name...), '"', ':')
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
