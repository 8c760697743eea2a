package table

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func rowsOf(t testing.TB, r io.Reader, split func([]byte, bool) int) []string {
	t.Helper()
	in := newSource(r)
	var rows []string
	for b := (&block{}); ; {
		err := in.block(b, split)
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		start := int32(0)
		for _, end := range b.ends {
			rows = append(rows, string(b.in[start:end]))
			start = end
		}
	}
}

func commaRows(b []byte, eof bool) int { return rowEnd(b, ',', eof) }

func TestRowEnd(t *testing.T) {
	cases := []struct {
		name, in string
		want     []string
	}{
		{"lines", "a\nb\r\nc", []string{"a\n", "b\r\n", "c"}},
		{"quoted line end", "\"a\nb\",c\nd\n", []string{"\"a\nb\",c\n", "d\n"}},
		{"quoted last field", "a,\"b\n\"\r\nc", []string{"a,\"b\n\"\r\n", "c"}},
		{"two of them", "\"a\nb\",\"c\nd\"\ne", []string{"\"a\nb\",\"c\nd\"\n", "e"}},
		{"doubled quotes", "\"\"\"\n\"\"\"\nb", []string{"\"\"\"\n\"\"\"\n", "b"}},
		{"quote within a field", "a\"b\nc\"\n", []string{"a\"b\n", "c\"\n"}},
		{"never closed", "\"a\nb\nc\n", []string{"\"a\n", "b\n", "c\n"}},
		{"never closed after one that is", "\"a\nb\",\"c\nd", []string{"\"a\nb\",\"c\n", "d"}},
		{"closed by another row's quote", "\"a,1\n\"b\",2\n", []string{"\"a,1\n", "\"b\",2\n"}},
		{"ill-quoted on one line", "\"a \"b\" c\",1\nd\n", []string{"\"a \"b\" c\",1\n", "d\n"}},
		{"ill-quoted and never closed", "\"a \"b\nc\",1\nd\n", []string{"\"a \"b\n", "c\",1\n", "d\n"}},
		{"ends within quotes", "\"a", []string{"\"a"}},
		{"ends after quotes", "\"a\"", []string{"\"a\""}},
		{"a carriage return after quotes", "\"a\"\rb\"\nc", []string{"\"a\"\rb\"\n", "c"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, rowsOf(t, strings.NewReader(c.in), commaRows)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if d := cmp.Diff(c.want, rowsOf(t, iotest.OneByteReader(strings.NewReader(c.in)), commaRows)); d != "" {
				t.Errorf("a byte at a time: -want +got\n%s", d)
			}
		})
	}
}

// TestQuoteBeyondReason holds that an unclosed quote does not draw a large
// file into memory.
func TestQuoteBeyondReason(t *testing.T) {
	rows := rowsOf(t, strings.NewReader("\"a,1\n"+strings.Repeat("b,2\n", maxQuoted)), commaRows)
	if len(rows) != maxQuoted+1 || rows[0] != "\"a,1\n" {
		t.Errorf("%d rows, the first %.20q", len(rows), rows[0])
	}
}

// FuzzRows holds that splitting loses and moves no byte, does not depend on
// how the input arrives, and agrees with encoding/csv wherever that is content.
func FuzzRows(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\nb\",c\r\n", "\"a,1\n\"b\",2\n", "\"\"\"\n\"\"\",x", "a\"b\n", "\"a\"\r", "\xef\xbb\xbflon\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows := rowsOf(t, bytes.NewReader(data), commaRows)
		if got := strings.Join(rows, ""); got != string(data) {
			t.Fatalf("rows join to %q", got)
		}
		if d := cmp.Diff(rows, rowsOf(t, iotest.HalfReader(bytes.NewReader(data)), commaRows)); d != "" {
			t.Fatalf("in halves:\n%s", d)
		}
		if d := cmp.Diff(rows, rowsOf(t, iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(data))), commaRows)); d != "" {
			t.Fatalf("a byte at a time:\n%s", d)
		}
		std := csv.NewReader(bytes.NewReader(data))
		std.FieldsPerRecord = -1
		records, err := std.ReadAll()
		if err != nil || bytes.Count(data, []byte("\r")) != bytes.Count(data, []byte("\r\n")) {
			return // to encoding/csv a lone carriage return is now data, now nothing
		}
		w := &csvWork{shape: Layout{Delimiter: ','}}
		n := 0
		for _, row := range rows {
			body, _ := trimLineEnd([]byte(row))
			if len(body) == 0 {
				continue
			}
			fields, _, _, ok := w.pick(body)
			if !ok || n >= len(records) || fields != len(records[n]) {
				t.Fatalf("row %d %q: %d fields, %v; encoding/csv: %q", n, row, fields, ok, records)
			}
			n++
		}
		if n != len(records) {
			t.Fatalf("%d rows, encoding/csv has %d", n, len(records))
		}
	})
}

// FuzzWalkObject holds that no line panics, and that what it accepts is what
// encoding/json calls an object.
func FuzzWalkObject(f *testing.F) {
	for _, s := range []string{`{"lon":1,"lat":[1,{"a":"]"}]}`, `{}`, `{"a":"\\"}`, `[1]`, `{"a":1}x`, ` { "\u0061" : null } `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got := make(map[string]string)
		if !walkObject(line, func(name, value []byte) { got[string(name)] = string(value) }) {
			return
		}
		if !utf8.Valid(line) {
			return // encoding/json replaces such bytes, we keep them
		}
		want, err := members(line)
		if err != nil {
			t.Fatalf("accepted %q: %v", line, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%q: -want +got\n%s", line, d)
		}
	})
}

func members(line []byte) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(raw))
	for k, v := range raw {
		out[k] = string(v)
	}
	return out, nil
}
