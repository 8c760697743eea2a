package partition

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// claim is how often the rings of one face run along a line, upward (the face
// on the left) and downward (the face on the right).
type claim struct {
	face     int32 // index into the faces
	up, down int32
}

// line is an undirected edge of raw shapes, stored upward, with all that run
// along it, sorted by face. A line without claims is a bridge: it only cuts
// cells.
type line struct {
	a, b   geo.Coord
	claims []claim
	fresh  bool // not yet compared with all others
}

// gather makes lines of the shapes' rings, equal ones folded together. It is
// Invalid for what has no usable place; rings that enclose nothing are only
// left out.
func gather(shapes []Shape) (faces []FaceID, lines []line, err error) {
	n := 0
	for _, s := range shapes {
		if s.ID == Outside {
			return nil, nil, fault.New(fault.Invalid, "shape: face 0 is the outside")
		}
		faces = append(faces, s.ID)
		for _, r := range s.Rings {
			n += len(r)
		}
	}
	slices.Sort(faces)
	faces = slices.Compact(faces)
	claims := make([]claim, 0, n)
	lines = make([]line, 0, n)
	for _, s := range shapes {
		i, _ := slices.BinarySearch(faces, s.ID)
		for _, r := range s.Rings {
			for k, b := range r {
				a := r[(k+len(r)-1)%len(r)]
				if a == b {
					continue
				}
				c := claim{face: int32(i), up: 1}
				if !geo.Upward(a, b) {
					a, b, c = b, a, claim{face: int32(i), down: 1}
				}
				claims = append(claims, c)
				lines = append(lines, line{a: a, b: b, claims: claims[len(claims)-1 : len(claims) : len(claims)], fresh: true})
			}
		}
	}
	if len(lines) > 0 {
		b := boxOf(lines[0].a, lines[0].b)
		for i := range lines {
			b = b.join(boxOf(lines[i].a, lines[i].b))
		}
		if int64(b.x1)-int64(b.x0) >= MaxSpan || int64(b.y1)-int64(b.y0) >= MaxSpan {
			return nil, nil, fault.New(fault.Invalid, "the shapes span more than 107 degrees")
		}
	}
	return faces, foldLines(lines), nil
}

// foldLines sorts lines upward from their lower ends and joins equal ones.
func foldLines(lines []line) []line {
	slices.SortFunc(lines, func(e, f line) int { return compareLines(&e, &f) })
	out := lines[:0]
	for _, l := range lines {
		out = appendLine(out, l)
	}
	return out
}

// replaceLines is folded lines without those at gone, ascending, and with more,
// folded too.
func replaceLines(lines []line, gone []int32, more []line) []line {
	out := make([]line, 0, len(lines)-len(gone)+len(more))
	for i := range lines {
		if len(gone) > 0 && int(gone[0]) == i {
			gone = gone[1:]
			continue
		}
		for len(more) > 0 && compareLines(&more[0], &lines[i]) < 0 {
			out, more = append(out, more[0]), more[1:]
		}
		out = append(out, lines[i])
		if len(more) > 0 && compareLines(&more[0], &lines[i]) == 0 {
			out, more = appendLine(out, more[0]), more[1:]
		}
	}
	return append(out, more...)
}

// appendLine appends l to a folded list, or joins it with the last one.
func appendLine(out []line, l line) []line {
	if n := len(out); n > 0 && out[n-1].a == l.a && out[n-1].b == l.b {
		out[n-1].claims = joinClaims(out[n-1].claims, l.claims)
		out[n-1].fresh = out[n-1].fresh || l.fresh
		return out
	}
	return append(out, l)
}

func compareLines(e, f *line) int {
	if e.a != f.a {
		return compareCoords(e.a, f.a)
	}
	return compareCoords(e.b, f.b)
}

// compareCoords orders coordinates as geo.Coord.Less does.
func compareCoords(c, d geo.Coord) int {
	if c.Y != d.Y {
		return cmp.Compare(c.Y, d.Y)
	}
	return cmp.Compare(c.X, d.X)
}

func joinClaims(a, b []claim) []claim {
	out := make([]claim, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].face < b[0].face:
			out, a = append(out, a[0]), a[1:]
		case a[0].face > b[0].face:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, claim{a[0].face, a[0].up + b[0].up, a[0].down + b[0].down})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// piece is the part a–b of l, fresh; it may run the other way than l once its
// ends are rounded.
func (l *line) piece(a, b geo.Coord) line {
	if geo.Upward(a, b) {
		return line{a, b, l.claims, true}
	}
	turned := slices.Clone(l.claims)
	for i, c := range turned {
		turned[i].up, turned[i].down = c.down, c.up
	}
	return line{b, a, turned, true}
}

// along orders p and q as they are met on the way along l.
func (l *line) along(p, q geo.Coord) int {
	dx, dy := int64(l.b.X)-int64(l.a.X), int64(l.b.Y)-int64(l.a.Y)
	return cmp.Compare(dx*(int64(p.X)-int64(q.X))+dy*(int64(p.Y)-int64(q.Y)), 0)
}

// meeting says how two lines meet.
type meeting uint8

const (
	apart  meeting = iota
	across         // in a point inside both
	touch          // an end of one lies inside the other, once or twice
)

// meetLines says how e and f meet, other than in a common end.
func meetLines(e, f *line) meeting {
	if max(e.a.X, e.b.X) < min(f.a.X, f.b.X) || max(f.a.X, f.b.X) < min(e.a.X, e.b.X) || e.b.Y < f.a.Y || f.b.Y < e.a.Y {
		return apart
	}
	ea, eb := sign(geo.Cross(f.a, f.b, e.a)), sign(geo.Cross(f.a, f.b, e.b))
	if ea == eb && ea != 0 {
		return apart
	}
	fa, fb := sign(geo.Cross(e.a, e.b, f.a)), sign(geo.Cross(e.a, e.b, f.b))
	switch {
	case fa == fb && fa != 0:
		return apart
	case ea*eb < 0 && fa*fb < 0:
		return across
	case e.inside(f.a, fa) || e.inside(f.b, fb) || f.inside(e.a, ea) || f.inside(e.b, eb):
		return touch
	}
	return apart
}

// inside reports whether c, on the given side of l's course, lies on l and is
// no end of it.
func (l *line) inside(c geo.Coord, side int) bool {
	return side == 0 && c != l.a && c != l.b &&
		min(l.a.X, l.b.X) <= c.X && c.X <= max(l.a.X, l.b.X) && l.a.Y <= c.Y && c.Y <= l.b.Y
}

func sign(v int64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// crossingOf is the point where e and f cross, rounded to the nearest Coord,
// halves upwards. They must be across each other.
func crossingOf(e, f *line) geo.Coord {
	dx, dy := int64(e.b.X)-int64(e.a.X), int64(e.b.Y)-int64(e.a.Y)
	num := geo.Cross(f.a, f.b, e.a)
	den := num - geo.Cross(f.a, f.b, e.b)
	if den < 0 {
		num, den = -num, -den
	}
	return geo.Coord{X: int32(int64(e.a.X) + mulRound(dx, num, den)), Y: int32(int64(e.a.Y) + mulRound(dy, num, den))}
}

// mulRound is floor(d·num/den + ½) exactly, for 0 <= num <= den < 2^62 and
// |d| < 2^31.
func mulRound(d, num, den int64) int64 {
	up := uint64(den) // to be added to 2·|d|·num before the division by 2·den
	if d < 0 {
		up--
	}
	hi, lo := bits.Mul64(uint64(max(d, -d))*2, uint64(num))
	lo, carry := bits.Add64(lo, up, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(den)*2)
	if d < 0 {
		return -int64(q)
	}
	return int64(q)
}

func (l *line) String() string { return fmt.Sprintf("%v–%v", l.a.Point(), l.b.Point()) }
