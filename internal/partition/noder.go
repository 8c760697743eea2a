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

// Two lines that are almost parallel can zip up one unit a pass. So from the
// pass snapFrom on new pieces are led through the ends that they pass by half a
// unit, and old ones through new ends; and after snapAll passes all lines are snap rounded, which is sure to
// end.
const (
	snapFrom = 1
	snapAll  = 12
)

// node cuts lines, folded, where they meet, so that in the end no two of them
// have more in common than an end. Only fresh lines are compared with the
// others; the rest is taken to be noded. Crossings are rounded to the integer
// grid, which bends what crosses there by less than a unit; what that makes
// cross is cut in the next pass. Touches counts vertices that lay exactly on a
// line without a vertex there. It is Invalid when the lines meet too often.
func node(lines []line) (noded []line, touches int, err error) {
	n := newNoder(lines)
	var fresh []int32
	for i := range lines {
		if lines[i].fresh {
			fresh = append(fresh, int32(i))
		}
	}
	for pass := 0; ; pass++ {
		cuts, crossed, err := n.findCuts(fresh)
		if err != nil {
			return nil, 0, err
		}
		if pass == 0 {
			touches = len(cuts) - crossed
		}
		switch {
		case len(cuts) == 0:
			lines = n.result()
			for i := range lines {
				lines[i].fresh = false
			}
			return lines, touches, nil
		case pass > 2*snapAll:
			return nil, 0, fault.New(fault.Internal, "noding %d lines does not end: %d still meet near %v", len(lines), len(cuts), cuts[0].at.Point())
		case pass == snapAll:
			if n, err = snapRound(n.result(), n.work); err != nil {
				return nil, 0, err
			}
			fresh = n.everything()
		default:
			fresh = n.apply(cuts)
			if pass >= snapFrom {
				fresh = n.snap(fresh)
			}
		}
	}
}

// noder holds lines and the pieces they have been cut into so far. Its tree
// knows the lines as they were given; their pieces lie within drift units of
// them.
type noder struct {
	base  int // how many of the pieces are lines as given
	all   []line
	of    []int32   // the given line that each piece is of
	kids  [][]int32 // the pieces of each given line; nil while it is whole
	gone  []bool    // pieces that were cut
	tree  *tree
	drift int32
	near  []int32
	work  int
}

func newNoder(lines []line) *noder {
	n := &noder{base: len(lines), all: slices.Clip(lines), of: make([]int32, len(lines)), kids: make([][]int32, len(lines)), gone: make([]bool, len(lines))}
	for i := range n.of {
		n.of[i] = int32(i)
	}
	return n
}

func (n *noder) everything() []int32 {
	all := make([]int32, len(n.all))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// result are the pieces as they are now, folded.
func (n *noder) result() []line {
	var cutUp []int32
	var pieces []line
	for i, kids := range n.kids {
		if kids == nil {
			continue
		}
		cutUp = append(cutUp, int32(i))
		for _, k := range kids {
			pieces = append(pieces, n.all[k])
		}
	}
	out := n.all[:n.base]
	if len(cutUp) > 0 {
		out = replaceLines(out, cutUp, foldLines(pieces))
	}
	return out
}

// eachNear calls f for the pieces whose given lines come near piece i.
func (n *noder) eachNear(i int32, f func(j int32)) error {
	if n.tree == nil {
		n.tree = newTree(n.base, func(i int32) box { return boxOf(n.all[i].a, n.all[i].b) })
	}
	l := &n.all[i]
	n.near = n.tree.searchLine(l.a, l.b, n.drift, n.drift, n.near[:0])
	if n.work += len(n.near); n.work+n.tree.work > maxWork(n.base) {
		return tooTangled(l.a)
	}
	for _, b := range n.near {
		if n.kids[b] == nil {
			f(b)
			continue
		}
		n.work += len(n.kids[b])
		for _, j := range n.kids[b] {
			f(j)
		}
	}
	return nil
}

// cut is a vertex that a line is to get.
type cut struct {
	line int32
	at   geo.Coord
}

// findCuts compares the fresh pieces with all others. Crossed is how many of
// the cuts are due to crossings.
func (n *noder) findCuts(fresh []int32) (cuts []cut, crossed int, err error) {
	isFresh := make([]bool, len(n.all))
	for _, i := range fresh {
		isFresh[i] = true
	}
	var touched []cut
	for _, i := range fresh {
		e := &n.all[i]
		err := n.eachNear(i, func(j int32) {
			if j == i || isFresh[j] && j < i {
				return
			}
			f := &n.all[j]
			switch meetLines(e, f) {
			case across:
				at := crossingOf(e, f)
				cuts = append(cuts, cut{i, at}, cut{j, at})
			case touch:
				touched = append(touched, touchesOf(i, e, f)...)
				touched = append(touched, touchesOf(j, f, e)...)
			}
		})
		if err != nil {
			return nil, 0, err
		}
		if len(cuts)+len(touched) > maxMeetings(n.base) {
			return nil, 0, tooTangled(e.a)
		}
	}
	cuts, touched = dedupe(n.all, cuts), dedupe(n.all, touched)
	crossed = len(cuts)
	return dedupe(n.all, append(cuts, touched...)), crossed, nil
}

// apply replaces each cut piece by smaller ones, which it returns.
func (n *noder) apply(cuts []cut) (fresh []int32) {
	n.drift++
	for len(cuts) > 0 {
		i := cuts[0].line
		l := n.all[i]
		first := int32(len(n.all))
		from := l.a
		for ; len(cuts) > 0 && cuts[0].line == i; cuts = cuts[1:] {
			if to := cuts[0].at; to != from {
				n.all = append(n.all, l.piece(from, to))
				from = to
			}
		}
		if from != l.b {
			n.all = append(n.all, l.piece(from, l.b))
		}
		n.gone[i] = true
		kids := slices.DeleteFunc(n.kids[n.of[i]], func(k int32) bool { return k == i })
		for k := first; k < int32(len(n.all)); k++ {
			n.of, n.gone = append(n.of, n.of[i]), append(n.gone, false)
			kids, fresh = append(kids, k), append(fresh, k)
		}
		n.kids[n.of[i]] = kids
	}
	return fresh
}

// snap leads the fresh pieces through the ends of others whose unit square
// they pass, and others through theirs, and returns what is fresh then.
func (n *noder) snap(fresh []int32) []int32 {
	var led []cut
	lead := func(i, j int32) { // i through the ends of j
		l := &n.all[i]
		for _, v := range [...]geo.Coord{n.all[j].a, n.all[j].b} {
			if v != l.a && v != l.b && passes(l.a, l.b, v) {
				led = append(led, cut{i, v})
			}
		}
	}
	for _, i := range fresh {
		if err := n.eachNear(i, func(j int32) { lead(i, j); lead(j, i) }); err != nil {
			break // the next search for cuts says so
		}
	}
	fresh = append(fresh, n.apply(dedupe(n.all, led))...)
	return slices.DeleteFunc(fresh, func(i int32) bool { return n.gone[i] })
}

// snapRound is Hobby's snap rounding (Practical segment intersection with
// finite precision output, 1999): every end of a line and every rounded
// crossing makes its unit square hot, and each line is led through the middle
// of all hot squares that it passes. The lines then cross nowhere.
func snapRound(lines []line, work int) (*noder, error) {
	n := newNoder(lines)
	n.work = work
	cuts, _, err := n.findCuts(n.everything())
	if err != nil {
		return nil, err
	}
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
		near = t.searchLine(l.a, l.b, 1, 1, near[:0])
		if n.work += len(near); n.work+t.work > maxWork(len(lines)) || len(led) > maxMeetings(len(lines)) {
			return nil, tooTangled(l.a)
		}
		for _, h := range near {
			if c := hot[h]; c != l.a && c != l.b && passes(l.a, l.b, c) {
				led = append(led, cut{int32(i), c})
			}
		}
	}
	n.apply(dedupe(lines, led))
	out := newNoder(n.result())
	out.work = n.work + t.work
	return out, nil
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
