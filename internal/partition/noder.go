package partition

import (
	"cmp"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// What Check and Clean take on, far above any boundary file and low enough that
// a hostile one is refused within seconds.

// maxMeetings is how often n lines may cross or touch in one pass.
func maxMeetings(n int) int { return 500_000 + 4*n }

// maxWork is how many steps through trees n lines may cost.
func maxWork(n int) int { return 100_000_000 + 400*n }

// Two lines that are almost parallel can zip up one unit a pass. So every
// snapEvery passes the lines that still meet are snap rounded; and after
// snapAll passes all lines are, which is sure to end.
const (
	snapEvery = 4
	snapAll   = 20
)

// node cuts lines where they meet, so that in the end no two of them have more
// in common than an end. Crossings are rounded to the integer grid, which
// bends what crosses there by less than a unit; what that makes cross is cut
// in the next pass. Touches counts vertices that lay exactly on a line without
// a vertex there. It is Invalid when the lines meet too often.
func node(lines []line) (noded []line, touches int, err error) {
	work := 0
	for pass := 0; ; pass++ {
		cuts, crossed, err := findCuts(lines, &work)
		if err != nil {
			return nil, 0, err
		}
		if pass == 0 {
			touches = len(cuts) - crossed
		}
		switch {
		case len(cuts) == 0:
			return lines, touches, nil
		case pass > snapAll+snapEvery:
			return nil, 0, fault.New(fault.Internal, "noding %d lines does not end: %d still meet near %v", len(lines), len(cuts), cuts[0].at.Point())
		case pass >= snapAll:
			lines, err = snapRound(lines, cuts, func(int32) bool { return true }, &work)
		case pass > 0 && pass%snapEvery == 0:
			meets := make(map[int32]bool)
			for _, c := range cuts {
				meets[c.line] = true
			}
			lines, err = snapRound(lines, cuts, func(i int32) bool { return meets[i] }, &work)
		default:
			lines = applyCuts(lines, cuts)
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

// cut is a vertex that a line is to get.
type cut struct {
	line int32
	at   geo.Coord
}

// findCuts compares the fresh lines with all others. Crossed is how many of
// the cuts are due to crossings.
func findCuts(lines []line, work *int) (cuts []cut, crossed int, err error) {
	var fresh []int32
	for i := range lines {
		if lines[i].fresh {
			fresh = append(fresh, int32(i))
		}
	}
	t := newTree(len(fresh), func(i int32) box { return boxOf(lines[fresh[i]].a, lines[fresh[i]].b) })
	var touched []cut
	var near []int32
	for j := range lines {
		f := &lines[j]
		near = t.searchLine(f.a, f.b, 0, 0, near[:0])
		if *work += len(near); *work+t.work > maxWork(len(lines)) || len(cuts)+len(touched) > maxMeetings(len(lines)) {
			return nil, 0, tooTangled(f.a)
		}
		for _, n := range near {
			i := fresh[n]
			if f.fresh && int(i) >= j {
				continue
			}
			e := &lines[i]
			switch meetLines(e, f) {
			case across:
				at := crossingOf(e, f)
				cuts = append(cuts, cut{i, at}, cut{int32(j), at})
			case touch:
				touched = append(touched, touchesOf(i, e, f)...)
				touched = append(touched, touchesOf(int32(j), f, e)...)
			}
		}
	}
	*work += t.work
	for _, i := range fresh {
		lines[i].fresh = false
	}
	cuts, touched = dedupe(lines, cuts), dedupe(lines, touched)
	crossed = len(cuts)
	return dedupe(lines, append(cuts, touched...)), crossed, nil
}

func tooTangled(at geo.Coord) error {
	return fault.New(fault.Invalid, "the lines cross too often to be boundaries, near %v", at.Point())
}

// touchesOf are the ends of f inside line i, which is e.
func touchesOf(i int32, e, f *line) (out []cut) {
	for _, v := range [...]geo.Coord{f.a, f.b} {
		if e.inside(v, sign(geo.Cross(e.a, e.b, v))) {
			out = append(out, cut{i, v})
		}
	}
	return out
}

// dedupe orders cuts along their lines.
func dedupe(lines []line, cuts []cut) []cut {
	slices.SortFunc(cuts, func(c, d cut) int {
		if c.line != d.line {
			return cmp.Compare(c.line, d.line)
		}
		if by := lines[c.line].along(c.at, d.at); by != 0 {
			return by
		}
		return compareCoords(c.at, d.at)
	})
	return slices.Compact(cuts)
}

// applyCuts replaces each cut line by its pieces, which are fresh.
func applyCuts(lines []line, cuts []cut) []line {
	old := make([]line, 0, len(lines))
	pieces := make([]line, 0, 2*len(cuts))
	for i := range lines {
		l := &lines[i]
		if len(cuts) == 0 || int(cuts[0].line) != i {
			old = append(old, *l)
			continue
		}
		from := l.a
		for ; len(cuts) > 0 && int(cuts[0].line) == i; cuts = cuts[1:] {
			if to := cuts[0].at; to != from {
				pieces = append(pieces, l.piece(from, to))
				from = to
			}
		}
		if from != l.b {
			pieces = append(pieces, l.piece(from, l.b))
		}
	}
	return mergeLines(old, foldLines(pieces))
}

// snapRound is Hobby's snap rounding (Practical segment intersection with
// finite precision output, 1999): every end of a line and every rounded
// crossing, which cuts has, makes its unit square hot, and each chosen line is
// led through the middle of all hot squares that it passes. When all lines are
// chosen, they then cross nowhere.
func snapRound(lines []line, cuts []cut, chosen func(i int32) bool, work *int) ([]line, error) {
	hot := make([]geo.Coord, 0, 2*len(lines)+len(cuts))
	for i := range lines {
		hot = append(hot, lines[i].a, lines[i].b)
	}
	for _, c := range cuts {
		hot = append(hot, c.at)
	}
	slices.SortFunc(hot, compareCoords)
	hot = slices.Compact(hot)
	t := newTree(len(hot), func(i int32) box { return boxOf(hot[i], hot[i]) })
	var led []cut
	var near []int32
	for i := range lines {
		l := &lines[i]
		if !chosen(int32(i)) {
			continue
		}
		near = t.searchLine(l.a, l.b, 1, 1, near[:0])
		if *work += len(near); *work+t.work > maxWork(len(lines)) || len(led) > maxMeetings(len(lines)) {
			return nil, tooTangled(l.a)
		}
		for _, h := range near {
			if c := hot[h]; c != l.a && c != l.b && passes(l.a, l.b, c) {
				led = append(led, cut{int32(i), c})
			}
		}
	}
	*work += t.work
	return applyCuts(lines, dedupe(lines, led)), nil
}

// passes reports whether a–b meets the unit square round c, [c.X-½, c.X+½) by
// [c.Y-½, c.Y+½), in doubled coordinates by the sides of its corners.
func passes(a, b, c geo.Coord) bool {
	if b.X < a.X {
		a, b = b, a
	}
	ax, ay := 2*(int64(a.X)-int64(c.X)), 2*(int64(a.Y)-int64(c.Y))
	bx, by := 2*(int64(b.X)-int64(c.X)), 2*(int64(b.Y)-int64(c.Y))
	if ax >= 1 || bx < -1 || min(ay, by) >= 1 || max(ay, by) < -1 {
		return false
	}
	if ax == bx || ay == by {
		return true
	}
	side := func(x, y int64) int { return sign((bx-ax)*(y-ay) - (by-ay)*(x-ax)) }
	up := ay < by
	nw := side(-1, 1)
	if nw == 0 {
		return !up // a line up through the open corner only grazes the square
	}
	ne := side(1, 1)
	if ne == 0 {
		return up
	}
	if nw != ne {
		return true
	}
	sw := side(-1, -1)
	if sw == 0 || sw != nw { // the only corner that belongs to the square
		return true
	}
	se := side(1, -1)
	if se == 0 {
		return !up
	}
	return se != sw
}
