package table

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"lianqin/internal/fault"
)

var testColumns = []SheetColumn{{Names: []string{"code", "编号"}, Required: true}, {Names: []string{"name", "姓名"}}}

func TestSheet(t *testing.T) {
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String("编号;姓名\r\nU1;张三\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, in string
		want     [][2]string
		wrong    []CellFault
		says     string // of a file that is refused as a whole
	}{
		{name: "a mark, blank rows and spaces", in: "\ufeffCode, name \nU1 , 张三\n\n , \nU2\n", want: [][2]string{{"U1", "张三"}, {"U2", ""}}},
		{name: "columns the other way round, one missing", in: "编号\nU1\n", want: [][2]string{{"U1", ""}}},
		{name: "GB18030 with semicolons", in: gbk, want: [][2]string{{"U1", "张三"}}},
		{name: "a quoted line break counts", in: "code,name\nU1,\"a\nb\"\n,x\n", want: [][2]string{{"U1", "a\nb"}, {"", "x"}},
			wrong: []CellFault{{Line: 4, Column: "code", Detail: "empty"}}},
		{name: "too many fields", in: "code,name\nU1,a,b\n", want: [][2]string{{"U1", "a"}}, wrong: []CellFault{{Line: 2, Detail: "3 fields, and the header has 2"}}},
		{name: "nothing", says: "body: empty; send a CSV with a header"},
		{name: "no such column", in: "code,nmae\nU1,x\n", says: `body: the header's column "nmae" is not known; known are code, name`},
		{name: "a column twice", in: "code,编号\nU1,x\n", says: "body: the header has code twice"},
		{name: "a column that must be there", in: "name\nx\n", says: `body: the header has no column code or 编号; it has "name"`},
		{name: "too many rows", in: "code\n" + strings.Repeat("U1\n", 11), says: "body: more than 10 rows"},
		{name: "no CSV", in: "code,name\nU1,a\"b\n", says: `line 2: not CSV at character 5: bare " in non-quoted-field`},
	} {
		s, err := ReadSheet([]byte(tt.in), testColumns, 10)
		if tt.says != "" {
			if err == nil || err.Error() != tt.says || fault.KindOf(err) != fault.Invalid || fault.FieldOf(errors.Unwrap(err)) == "" && fault.FieldOf(err) == "" {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got [][2]string
		for i := range s.Rows {
			got = append(got, [2]string{s.Text(&s.Rows[i], 0), s.Text(&s.Rows[i], 1)})
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		var wrong []CellFault
		if e, ok := errors.AsType[*SheetError](s.Err()); ok {
			wrong = e.Faults
		}
		if diff := cmp.Diff(tt.wrong, wrong); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestSheetTellsTheFirstFaultsAndCountsTheRest(t *testing.T) {
	s, err := ReadSheet([]byte("code\n"+strings.Repeat("U1\n", 500)), testColumns, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Rows {
		s.Refuse(&s.Rows[len(s.Rows)-1-i], 0, "bad")
	}
	e, ok := errors.AsType[*SheetError](s.Err())
	if !ok || e.Count != 500 || len(e.Faults) != maxCellFaults {
		t.Fatalf("got %v", s.Err())
	}
	if fault.KindOf(s.Err()) != fault.Invalid || !strings.HasSuffix(e.Error(), "code: bad (and 499 more)") {
		t.Errorf("got %v", e)
	}
}

func FuzzSheet(f *testing.F) {
	f.Add([]byte("code,name\nU1,x\n"))
	f.Add([]byte("\xef\xbb\xbf编号;姓名\n\"U1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSheet(data, testColumns, 100)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v is %v", err, fault.KindOf(err))
			}
			return
		}
		for i := range s.Rows {
			if s.Text(&s.Rows[i], 0) == "" && s.Err() == nil {
				t.Error("a row without its code is taken")
			}
		}
	})
}
