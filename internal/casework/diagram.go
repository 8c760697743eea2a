package casework

import (
	"fmt"
	"slices"
	"strings"
)

// Diagram is the life cycle as a Mermaid state diagram: the ways from state to
// state, those between the same two together. Overlays are in Table.
func Diagram() string {
	type way struct{ from, to State }
	labels := map[way][]string{}
	var ways []way
	for _, t := range LifeCycle {
		for _, from := range t.From {
			w := way{from, t.To}
			if t.To == Draft || w.from == w.to {
				continue
			}
			if labels[w] == nil {
				ways = append(ways, w)
			}
			if !slices.Contains(labels[w], string(t.Action)) {
				labels[w] = append(labels[w], string(t.Action))
			}
		}
	}
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, w := range ways {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", node(w.from), node(w.to), strings.Join(labels[w], " / "))
	}
	for _, s := range States {
		if !s.Open() {
			fmt.Fprintf(&b, "    %s --> [*]\n", node(s))
		}
	}
	return b.String()
}

// node is a state's name as Mermaid takes it.
func node(s State) string {
	if s == Draft {
		return "[*]"
	}
	return strings.ReplaceAll(string(s), "-", "_")
}

// Table is the life cycle as a table in Markdown, a row a transition.
func Table() string {
	var b strings.Builder
	b.WriteString("| 动作 action | | 从 from | 到 to | 谁 who | 条件 when | 需要 needs | 时钟 clocks | 标记 overlays | 标准 |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, t := range LifeCycle {
		var when, marks, clocks, needs []string
		if t.Tier != AnyTier {
			when = append(when, string(t.Tier)+" centre")
		}
		when = append(when, t.Under.Names()...)
		for _, n := range t.Unless.Names() {
			when = append(when, "not "+n)
		}
		for _, n := range t.Sets.Names() {
			marks = append(marks, "+"+n)
		}
		for _, n := range t.Clears.Names() {
			marks = append(marks, "−"+n)
		}
		for _, c := range t.Clocks {
			clocks = append(clocks, fmt.Sprintf("%s %s", c.Op, c.Clock))
		}
		for _, n := range t.Needs {
			needs = append(needs, string(n))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", t.Action, t.Name, states(t.From), t.To, list(t.Who),
			strings.Join(when, ", "), strings.Join(needs, ", "), strings.Join(clocks, ", "), strings.Join(marks, ", "), t.Standard)
	}
	return b.String()
}

// FigureTable is the definitions of all figures as a table in Markdown.
func FigureTable() string {
	var b strings.Builder
	b.WriteString("| 指标 figure | | 分子 numerator | 分母 denominator | 并列 beside |\n|---|---|---|---|---|\n")
	for _, d := range Indicators {
		num, den, beside := d.Numerator(), d.Denominator(), d.Beside
		if beside != "" {
			beside = "`" + beside + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s<br>%s | %s<br>%s | %s | %s |\n", d.Code, d.Name, d.Text, num.Name, num.Text, strings.TrimSuffix(den.Name+"<br>"+den.Text, "<br>"), beside)
	}
	return b.String()
}

// states are names of states, with the usual sets by one word.
func states(from []State) string {
	switch {
	case slices.Equal(from, open):
		return "open"
	case slices.Equal(from, watchable):
		return "open, closed"
	case slices.Equal(from, reported):
		return "any"
	case slices.Equal(from, []State{Draft}):
		return "draft"
	}
	return list(from)
}

func list[S ~string](all []S) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
