package httpapi

import (
	"fmt"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/export"
)

// workbookDimensions are the sheets of a workbook for which nothing else was
// asked.
var workbookDimensions = []casework.Dimension{casework.WholeDistrict, casework.PerStreet, casework.PerMonth, casework.PerTopic, casework.PerMajor,
	casework.PerItem, casework.PerDepartment, casework.PerChannel, casework.PerGrid}

var dimensionWords = map[casework.Dimension]casework.Words{
	casework.WholeDistrict: {Name: "全区", Text: "District"}, casework.PerStreet: {Name: "街镇", Text: "Streets"}, casework.PerGrid: {Name: "网格", Text: "Grids"},
	casework.PerDepartment: {Name: "部门", Text: "Departments"}, casework.PerItem: {Name: "小类", Text: "Items"}, casework.PerMajor: {Name: "大类", Text: "Majors"},
	casework.PerChannel: {Name: "渠道", Text: "Channels"}, casework.PerTopic: {Name: "专题", Text: "Topics"}, casework.PerMonth: {Name: "月", Text: "Months"},
	casework.PerDay: {Name: "日", Text: "Days"}, casework.PerHour: {Name: "时", Text: "Hours"},
}

// sheetName is a dimension's in Chinese, with the English beside it.
func sheetName(d casework.Dimension) string {
	first, second := d.Parts()
	a, b := dimensionWords[first], dimensionWords[second]
	if second == "" {
		return a.Name + " " + a.Text
	}
	return a.Name + "×" + b.Name + " " + a.Text + "×" + b.Text
}

// writeFigures answers with figures as a file: a CSV with a row for each
// figure, or a workbook with a sheet for each dimension.
func writeFigures(c *gin.Context, format string, mark bool, f *figuresAnswer) error {
	name := "figures-" + f.From.Format("20060102") + "-" + f.To.Format("20060102")
	return writeExport(c, format, name, mark, func(out tableWriter) error {
		if format == "csv" {
			return f.tidy(out)
		}
		return f.book(out)
	})
}

// dimensions are those of f in the order in which they are known, pairs last.
func (f *figuresAnswer) dimensions() (out []casework.Dimension) {
	for _, d := range casework.Dimensions {
		if _, ok := f.By[d]; ok {
			out = append(out, d)
		}
	}
	for _, a := range casework.Dimensions {
		for _, b := range casework.Dimensions {
			if _, ok := f.By[casework.Cross(a, b)]; ok {
				out = append(out, casework.Cross(a, b))
			}
		}
	}
	return out
}

var tidyHead = export.Row{"维度 dimension", "编号 key", "名称 name", "并列编号 also", "并列名称 also name", "指标 indicator", "指标名称 indicator name", "英文 English",
	"分子 numerator", "分母 denominator", "比率 rate", "上年分子 numerator before", "上年分母 denominator before", "上年比率 rate before",
	"同比 change", "同比单位 change in", "起 from", "止（不含）to", "截止 as of", "规则 rules"}

// tidy is a row for each figure, with all that it takes to trace it.
func (f *figuresAnswer) tidy(out tableWriter) error {
	head := export.Sheet{Name: "同比 Year on year", Widths: []float64{12, 16, 20, 12, 12, 24, 24, 32, 12}, Head: []export.Row{tidyHead}, Fixed: 3,
		Filter: "A1:" + export.Cell(len(tidyHead), 1)}
	if err := out.Begin(head); err != nil {
		return err
	}
	for _, d := range f.dimensions() {
		for i := range f.By[d] {
			l := &f.By[d][i]
			for k := range l.Figures {
				x, w := &l.Figures[k], &f.Indicators[k]
				row := export.Row{string(d), l.Key, l.Name, l.Also, l.AlsoName, x.Indicator, w.Name, w.Text}
				row = append(append(row, counted(&x.Counted)...), compared(x)...)
				if err := out.Write(append(row, f.From, f.To, x.AsOf, x.Rules)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// counted are numerator, denominator and rate; of a count the number alone.
func counted(n *casework.Counted) export.Row {
	if n == nil {
		return export.Row{nil, nil, nil}
	}
	row := export.Row{n.Numerator, nil, nil}
	if rate, ok := n.Rate(); ok {
		row[1], row[2] = n.Denominator, export.Ratio(rate)
	}
	return row
}

// compared are those of the year before, by how much x changed, and in what.
func compared(x *casework.Figure) export.Row {
	row := append(counted(x.Before), nil, nil)
	if x.Before == nil {
		return row
	}
	now, ok := x.Rate()
	if then, before := x.Before.Rate(); ok && before {
		row[3], row[4] = export.Change(now-then), "百分点 pp"
	} else if change, known := x.Change(*x.Before); known && !ok && !before {
		row[3], row[4] = export.Change(change), "%"
	}
	return row
}

func (f *figuresAnswer) book(out tableWriter) error {
	if err := f.overview(out); err != nil {
		return err
	}
	for _, d := range f.dimensions() {
		if d == casework.WholeDistrict {
			continue
		}
		if err := f.sheet(out, d); err != nil {
			return err
		}
	}
	if f.Before != nil {
		if err := f.tidy(out); err != nil {
			return err
		}
	}
	return f.definitions(out)
}

// title says which figures a sheet has.
func (f *figuresAnswer) title() string {
	day := func(t time.Time) string { return t.Format("2006-01-02 15:04") }
	s := fmt.Sprintf("%s 至 to %s（不含 excluded） · 截止 as of %s · 规则 rules %s", day(f.From), day(f.To), day(f.AsOf), f.Rules)
	if f.Before != nil {
		s += fmt.Sprintf(" · 上年同期 a year earlier %s – %s", day(f.Before.From), day(f.Before.To))
	}
	w := &f.Filter
	for _, part := range []struct{ name, value string }{{"街镇 street", w.Street}, {"网格 grid", w.Grid}, {"部门 department", w.Department}, {"大类 major", w.Major},
		{"渠道 channel", string(w.Channel)}, {"时 hour", w.Hour}, {"小类 items", strings.Join(w.Items, " ")}} {
		if part.value != "" {
			s += " · " + part.name + " " + part.value
		}
	}
	return s
}

// overview has a row for each figure of all that was asked for.
func (f *figuresAnswer) overview(out tableWriter) error {
	head := export.Row{"指标", "Figure", "分子 numerator", "分母 denominator", "比率 rate", "上年分子 numerator before", "上年分母 denominator before", "上年比率 rate before", "同比 change", "同比单位 change in"}
	err := out.Begin(export.Sheet{Name: "总览 Overview", Widths: []float64{28, 38, 16, 16, 12, 16, 16, 12}, Head: []export.Row{{f.title()}, head}, Fixed: 1})
	if err != nil {
		return err
	}
	for _, l := range f.By[casework.WholeDistrict] {
		for k := range l.Figures {
			x, w := &l.Figures[k], &f.Indicators[k]
			if err := out.Write(append(append(export.Row{w.Name, w.Text}, counted(&x.Counted)...), compared(x)...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// sheet has a row for each line of a dimension: a count in one column, a rate
// in three.
func (f *figuresAnswer) sheet(out tableWriter, d casework.Dimension) error {
	top, head := export.Row{f.title(), nil}, export.Row{"编号 key", "名称 name"}
	widths, merged := []float64{16, 24}, []string(nil)
	if _, second := d.Parts(); second != "" {
		top, head, widths = append(top, nil, nil), append(head, "编号 key", "名称 name"), append(widths, 12, 16)
	}
	fixed := len(head)
	for _, w := range f.Indicators {
		column := len(head) + 1
		if w.Count {
			top, head, widths = append(top, w.Name+" "+w.Text), append(head, "件数 number"), append(widths, 12)
			continue
		}
		top, head, widths = append(top, w.Name+" "+w.Text, nil, nil), append(head, "分子 numerator", "分母 denominator", "比率 rate"), append(widths, 12, 12, 10)
		merged = append(merged, export.Cell(column, 1)+":"+export.Cell(column+2, 1))
	}
	err := out.Begin(export.Sheet{Name: sheetName(d), Widths: append(widths, 12), Head: []export.Row{top, head}, Fixed: fixed, Merged: merged,
		Filter: "A2:" + export.Cell(len(head), 2)})
	if err != nil {
		return err
	}
	for i := range f.By[d] {
		l := &f.By[d][i]
		row := export.Row{l.Key, l.Name}
		if fixed > 2 {
			row = append(row, l.Also, l.AlsoName)
		}
		for k := range l.Figures {
			if n := counted(&l.Figures[k].Counted); f.Indicators[k].Count {
				row = append(row, n[0])
			} else {
				row = append(row, n...)
			}
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// definitions says how each figure comes about.
func (f *figuresAnswer) definitions(out tableWriter) error {
	head := export.Row{"编号 code", "指标", "Figure", "分子", "分母（口径）", "Numerator", "Denominator (base)", "公式 formula", "另一口径 other base", "规则 rules"}
	if err := out.Begin(export.Sheet{Name: "指标定义 Definitions", Widths: []float64{28, 28, 38, 40, 40, 44, 44, 24, 28, 10}, Head: []export.Row{head}, Fixed: 2}); err != nil {
		return err
	}
	for _, w := range f.Indicators {
		den, formula := casework.Words{}, "分子 numerator"
		if w.Denominator != nil {
			den, formula = *w.Denominator, "分子 ÷ 分母 numerator ÷ denominator"
		}
		if err := out.Write(export.Row{w.Code, w.Name, w.Text, w.Numerator.Name, den.Name, w.Numerator.Text, den.Text, formula, w.Beside, f.Rules}); err != nil {
			return err
		}
	}
	return nil
}
