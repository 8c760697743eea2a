package main

import (
	"fmt"
	"time"

	"lianqin/internal/grid"
)

var statusNames = map[grid.Status]string{
	grid.Draft: "草稿", grid.Checked: "已校验", grid.Scheduled: "待生效", grid.InForce: "生效中", grid.Superseded: "已被取代",
}

var descentNames = map[grid.DescentKind]string{
	grid.Same: "边界未变", grid.Redrawn: "边界调整", grid.Split: "拆分", grid.Merged: "合并", grid.Added: "新增", grid.Gone: "撤销",
}

// printLedger prints a line for each generation, and for each term of one that
// has several.
func printLedger(s *session, l *grid.Ledger, now time.Time) error {
	if len(l.Records) == 0 {
		s.notef("尚无版本 there are none yet; begin with: lianqin generations import FILE")
		return nil
	}
	fmt.Fprintf(s.out, "%s %s %s %s %s %s %s\n", right("版 no.", 6), left("状态 status", 22), left("生效 from", 24), left("失效 until", 24),
		right("网格 grids", 10), left(" 内容 content", 14), "名称 name")
	terms := make(map[int][]grid.Term)
	for _, t := range l.Schedule() {
		terms[t.Generation] = append(terms[t.Generation], t)
	}
	for _, r := range l.Records {
		status := l.Status(r.Number, now)
		from, until := "—", "—"
		if own := terms[r.Number]; len(own) > 0 {
			from, until = shanghai(own[0].From), shanghai(own[0].To)
		}
		name := r.Name
		if r.Again != 0 {
			name += fmt.Sprintf(" (恢复第 %d 版 again %d)", r.Again, r.Again)
		}
		fmt.Fprintf(s.out, "%6d %s %s %s %10d  %.12s  %s\n", r.Number, left(statusNames[status]+" "+string(status), 22), left(from, 24), left(until, 24), r.Grids, r.Hash, name)
		for _, t := range terms[r.Number][min(1, len(terms[r.Number])):] {
			fmt.Fprintf(s.out, "%6s %22s %s %s\n", "", "", left(shanghai(t.From), 24), left(shanghai(t.To), 24))
		}
	}
	return nil
}

func printCheck(s *session, c grid.Check) {
	against := fmt.Sprintf("对比第 %d 版 against generation %d", c.Base, c.Base)
	if c.Base == 0 {
		against = "首版 the first one"
	}
	fmt.Fprintf(s.out, "第 %d 版 generation %d (%.12s), %s\n", c.Generation, c.Generation, c.Hash, against)
	for _, f := range c.Findings {
		mark := "注意 note   "
		if f.Refuses {
			mark = "拒绝 refuse "
		}
		fmt.Fprintf(s.out, "  %s %s\n", mark, f)
	}
	if c.Sound {
		fmt.Fprintln(s.out, "通过：边界严丝合缝 sound: the borders fit exactly")
		s.notef("下一步 next: lianqin generations publish %d --from INSTANT", c.Generation)
		return
	}
	fmt.Fprintln(s.out, "未通过 not sound")
}

func printDiff(s *session, d *grid.Diff) {
	fmt.Fprintf(s.out, "第 %d 版 → 第 %d 版 generation %d → %d: %d 个网格有变 grids changed, %d 个街镇有变 streets changed; 辖区增 gained %s m², 减 lost %s m²\n",
		d.Base, d.Next, d.Base, d.Next, len(d.Grids), len(d.Streets), squareMetres(d.GainedM2), squareMetres(d.LostM2))
	if len(d.Grids) > 0 {
		fmt.Fprintf(s.out, "%s %s %s %s  %s\n", left("编码 code", 16), left("变化 change", 18), right("原面积 before m²", 18), right("现面积 after m²", 18), "来源 from / 属性 attributes")
	}
	for _, c := range d.Grids {
		detail := sharesLine("", c.Parents) + sharesLine("→ ", c.Children)
		for _, a := range c.Attributes {
			detail += fmt.Sprintf(" %s: %q → %q", a.Name, a.From, a.To)
		}
		fmt.Fprintf(s.out, "%s %s %18s %18s %s\n", left(c.Code, 16), left(descentNames[c.Kind]+" "+string(c.Kind), 18), squareMetres(c.BaseAreaM2), squareMetres(c.AreaM2), detail)
	}
	for _, st := range d.Streets {
		switch {
		case st.From == nil:
			fmt.Fprintf(s.out, "街镇 street %s %s 新增 new\n", st.To.Code, st.To.Name)
		case st.To == nil:
			fmt.Fprintf(s.out, "街镇 street %s %s 撤销 gone\n", st.From.Code, st.From.Name)
		default:
			fmt.Fprintf(s.out, "街镇 street %s %s → %s\n", st.To.Code, st.From.Name, st.To.Name)
		}
	}
}

// sharesLine names the grids that land came from or went to; those with less
// than half a thousandth are only counted.
func sharesLine(mark string, shares []grid.ParentArea) string {
	line, small := "", 0
	for _, p := range shares {
		if p.Share < 0.0005 {
			small++
			continue
		}
		line += fmt.Sprintf(" %s%s %.1f%%", mark, orOutside(p.Code), 100*p.Share)
	}
	if small > 0 {
		line += fmt.Sprintf(" +%d", small)
	}
	return line
}

func orOutside(code string) string {
	if code == "" {
		return "辖区外 outside"
	}
	return code
}
