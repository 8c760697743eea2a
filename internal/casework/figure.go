package casework

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Counted is a numerator and what it is of, 0 for a count.
type Counted struct {
	Numerator   int64 `json:"numerator"`
	Denominator int64 `json:"denominator"`
}

// Figure is a number that can be traced: what it is of, when it was known, and
// by which definitions.
type Figure struct {
	Indicator string `json:"indicator"`
	Counted
	Before *Counted  `json:"before,omitempty"` // the same a year earlier, where it was asked for
	AsOf   time.Time `json:"as_of"`
	Rules  string    `json:"rules"`
}

// Rate is numerator by denominator; false for a count, and when there was
// nothing to count.
func (f Counted) Rate() (float64, bool) {
	if f.Denominator == 0 {
		return 0, false
	}
	return float64(f.Numerator) / float64(f.Denominator), true
}

// Percent is the rate with two decimals, rounded half up, as it is published:
// "99.77 %"; or the number itself.
func (f Counted) Percent() string {
	if f.Denominator == 0 {
		return fmt.Sprint(f.Numerator)
	}
	return hundredths(ratio(f.Numerator, 10_000, f.Denominator)) + " %"
}

// Change is by how much a count grew from before to f, in parts of before:
// −0.528 is a fall of 52.8 %. False when there was none before.
func (f Counted) Change(before Counted) (float64, bool) {
	if before.Numerator == 0 {
		return 0, false
	}
	return float64(f.Numerator-before.Numerator) / float64(before.Numerator), true
}

// ChangeText is the change from before to f with two decimals, rounded half
// away from zero: of a count in per cent of before, "-37.68 %"; of a rate in
// percentage points, "+0.31 pp". Empty where there is nothing to compare.
func (f Counted) ChangeText(before Counted) string {
	switch {
	case f.Denominator != 0 && before.Denominator != 0:
		return signed(ratio(f.Numerator*before.Denominator-before.Numerator*f.Denominator, 10_000, f.Denominator*before.Denominator)) + " pp"
	case f.Denominator == 0 && before.Denominator == 0 && before.Numerator != 0:
		return signed(ratio(f.Numerator-before.Numerator, 10_000, before.Numerator)) + " %"
	}
	return ""
}

// ratio is n × scale by d > 0, rounded half away from zero.
func ratio(n, scale, d int64) int64 {
	if n < 0 {
		return -ratio(-n, scale, d)
	}
	// Whole and rest apart, so that products of millions stay in range.
	whole, rest := n/d, n%d
	return whole*scale + (rest*2*scale+d)/(2*d)
}

func hundredths(n int64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

func signed(n int64) string {
	switch {
	case n < 0:
		return "-" + hundredths(-n)
	case n > 0:
		return "+" + hundredths(n)
	}
	return hundredths(0)
}

// Line are the figures of one value of a dimension, in the order of
// Indicators; of two values of a pair. A key is empty for the whole district,
// and for what has no value. Names are filled in by those who know them.
type Line struct {
	Key      string   `json:"key"`
	Also     string   `json:"also,omitempty"` // of the pair's second
	Name     string   `json:"name,omitempty"`
	AlsoName string   `json:"also_name,omitempty"`
	Figures  []Figure `json:"figures"`
}

// Figures are the answer to a Query: for each dimension, its lines by key.
type Figures struct {
	From  time.Time            `json:"from"`
	To    time.Time            `json:"to"`
	AsOf  time.Time            `json:"as_of"`
	Rules string               `json:"rules"`
	By    map[Dimension][]Line `json:"by"`
}

// Of is the figure of an indicator in a line, by its code; zero when there is
// no such line or indicator.
func (f *Figures) Of(d Dimension, key, indicator string) Figure {
	for _, l := range f.By[d] {
		if l.Key == key && l.Also == "" {
			return l.Of(indicator)
		}
	}
	return Figure{}
}

// Of is the figure of an indicator; zero when there is none.
func (l *Line) Of(indicator string) Figure {
	for _, x := range l.Figures {
		if x.Indicator == indicator {
			return x
		}
	}
	return Figure{}
}

// Only keeps the figures of those indicators.
func (f *Figures) Only(indicators []string) {
	for _, lines := range f.By {
		for i := range lines {
			lines[i].Figures = slices.DeleteFunc(lines[i].Figures, func(x Figure) bool { return !slices.Contains(indicators, x.Indicator) })
		}
	}
}

// Against puts the same figures of a year earlier beside those of f. A line
// that was only then is there with nothing now. Spans of time stand beside
// those of the same name a year earlier.
func (f *Figures) Against(before *Figures) {
	for d, lines := range f.By {
		first, second := d.Parts()
		type pair struct{ key, also string }
		then := map[pair][]Figure{}
		for _, l := range before.By[d] {
			then[pair{first.yearLater(l.Key), second.yearLater(l.Also)}] = l.Figures
		}
		for i := range lines {
			at := pair{lines[i].Key, lines[i].Also}
			compare(lines[i].Figures, then[at])
			delete(then, at)
		}
		for at, figures := range then {
			gone := make([]Figure, len(figures))
			for i, x := range figures {
				gone[i] = Figure{Indicator: x.Indicator, AsOf: f.AsOf, Rules: x.Rules}
			}
			compare(gone, figures)
			lines = append(lines, Line{Key: at.key, Also: at.also, Figures: gone})
		}
		slices.SortFunc(lines, byKey)
		f.By[d] = lines
	}
}

// compare tells figures what they were before; nil is all nothing.
func compare(figures, before []Figure) {
	counted := make([]Counted, len(figures))
	for i := range figures {
		if before != nil {
			counted[i] = before[i].Counted
		}
		figures[i].Before = &counted[i]
	}
}

// yearLater is a month or a day as it is called a year later.
func (d Dimension) yearLater(key string) string {
	year, rest, ok := strings.Cut(key, "-")
	if d != PerMonth && d != PerDay || !ok {
		return key
	}
	var n int
	if _, err := fmt.Sscan(year, &n); err != nil {
		return key
	}
	return fmt.Sprintf("%04d-%s", n+1, rest)
}

func byKey(a, b Line) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Also, b.Also))
}
