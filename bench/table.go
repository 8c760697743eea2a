package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// table is one figure: a row for Lianqin first, then one for each peer.
type table struct {
	title string
	head  []string
	rows  [][]string
	notes []string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// print writes the table as Markdown that also reads well as it is.
func (t *table) print() {
	all := append([][]string{t.head}, t.rows...)
	width := make([]int, len(t.head))
	for _, row := range all {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Printf("\n## %s\n\n", t.title)
	for n, row := range all {
		for i := range t.head {
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				fmt.Printf("| %s%s ", cell, pad)
			} else {
				fmt.Printf("| %s%s ", pad, cell)
			}
		}
		fmt.Println("|")
		if n == 0 {
			fmt.Printf("|%s|", strings.Repeat("-", width[0]+2))
			for _, w := range width[1:] {
				fmt.Printf("%s:|", strings.Repeat("-", w+1))
			}
			fmt.Println()
		}
	}
	if t.notes != nil {
		fmt.Println()
	}
	for _, n := range t.notes {
		fmt.Println("- " + n)
	}
}

// number prints whole numbers as they are and others with three digits or more.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v == math.Trunc(v) && math.Abs(v) < 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case math.Abs(v) < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if v < 0 {
		return "-" + digits
	}
	return digits
}

// atMost is a measured value against a bound from above.
func atMost(got, bound float64) string {
	if got <= bound {
		return "≤ " + number(bound) + " ✓"
	}
	return "≤ " + number(bound) + " MISSED"
}

// atLeast is a measured value against a bound from below.
func atLeast(got, bound float64) string {
	if got >= bound {
		return "≥ " + number(bound) + " ✓"
	}
	return "≥ " + number(bound) + " MISSED"
}
