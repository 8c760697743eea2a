package export

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// hostile are texts that a spreadsheet would execute, and some that it would
// not.
var hostile = []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "a=b", "", "街镇", "'", "101-2"}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	c := NewCSV(&b, true)
	for _, s := range hostile {
		if err := c.Write(Row{s, int64(-3), Ratio(-0.125), nil, time.Date(2026, 1, 2, 3, 4, 5, 0, shanghai), time.Time{}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	rest, marked := strings.CutPrefix(b.String(), "\xef\xbb\xbf")
	if !marked {
		t.Error("no byte order mark")
	}
	if first, _, _ := strings.Cut(rest, "\n"); first != "'=1+1,-3,-0.125000,,2026-01-02T03:04:05+08:00," {
		t.Errorf("%q", first)
	}
	for _, s := range hostile {
		if got := Safe(s); got != s && got != "'"+s || got != "" && strings.ContainsAny(got[:1], "=+-@\t\r\n") {
			t.Errorf("%q becomes %q", s, got)
		}
	}
	if Safe("101-2") != "101-2" || Safe("=x") != "'=x" {
		t.Error("what is no formula changes, or what is one does not")
	}
}

func TestWorkbook(t *testing.T) {
	w, err := NewWorkbook("标题", "联勤")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, name := range []string{"总览 Overview", "街镇 Streets"} {
		if err := w.Begin(Sheet{Name: name, Widths: []float64{20, 10}, Head: []Row{{"一", nil}, {"名称 name", "数 number"}}, Fixed: 1, Merged: []string{"A1:B1"}, Filter: "A2:B2"}); err != nil {
			t.Fatal(err)
		}
		for _, s := range hostile {
			if err := w.Write(Row{s, int64(298_694), Ratio(0.9977), nil, time.Date(2026, 1, 2, 3, 4, 5, 0, shanghai)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Begin(Sheet{Name: "a/b"}); err == nil {
		t.Error("a name that Excel refuses")
	}
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d := cmp.Diff([]string{"总览 Overview", "街镇 Streets"}, f.GetSheetList()); d != "" {
		t.Error(d)
	}
	rows, err := f.GetRows("街镇 Streets")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"=1+1", "298,694", "99.77%", "", "2026-01-02 03:04"}, rows[2]); d != "" {
		t.Error(d)
	}
	for i := range hostile {
		if formula, err := f.GetCellFormula("街镇 Streets", Cell(1, i+3)); err != nil || formula != "" {
			t.Errorf("%q is the formula %q, %v", hostile[i], formula, err)
		}
	}
	if kind, err := f.GetCellType("街镇 Streets", "B3"); err != nil || kind != excelize.CellTypeNumber && kind != excelize.CellTypeUnset {
		t.Errorf("a number is of type %v, %v", kind, err)
	}
	if raw, _ := f.GetCellValue("街镇 Streets", "C3", excelize.Options{RawCellValue: true}); raw != "0.9977" {
		t.Errorf("a ratio is %q", raw)
	}
	if p, err := f.GetPanes("街镇 Streets"); err != nil || !p.Freeze || p.YSplit != 2 || p.XSplit != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("<f>")) {
			t.Errorf("%s has a formula", part.Name)
		}
	}
}
