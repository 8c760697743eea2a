package partition

import (
	"cmp"
	"math"
	"slices"

	"lianqin/internal/geo"
)

// Owners of a plot that are no face.
const (
	nobody    int32 = -1
	undecided int32 = -2
)

// reachFactor is how far beyond the tolerance a border may move where it turns
// a corner: the diagonal of a strip's corner is 1.4 times its width.
const reachFactor = 1.5

// slitFactor is how deep an open slit must be, in widths of its mouth, to be
// closed: less is a corner of a real bay.
const slitFactor = 3

// allotment gives each region of a subdivision, a plot, to one face or to
// nobody.
type allotment struct {
	*subdivision
	toleranceM float64
	plots      []region
	of         []int32 // the plot of each cell
	owner      []int32 // of each plot: index of a face, nobody or undecided
	was        []int32 // owner before any was decided
	slits      []slit
	work       int
}

// slit is a narrow gap that is open at its end, as bridges cut it.
type slit struct{ plots []int32 }

// newAllotment leaves undecided what is narrow and has none or several owners,
// and gives to nobody what is wide.
func newAllotment(s *subdivision, toleranceM float64) *allotment {
	a := &allotment{subdivision: s, toleranceM: toleranceM}
	a.plots, a.of = s.regions()
	a.owner = make([]int32, len(a.plots))
	for i := range a.plots {
		r := &a.plots[i]
		set := s.ownerSet(r.owners)
		switch {
		case i == 0:
			a.owner[i] = nobody
		case len(set) == 1:
			a.owner[i] = set[0]
		default:
			s.measure(r)
			a.owner[i] = undecided
			if !s.narrow(r, toleranceM) {
				a.owner[i] = nobody
			}
		}
	}
	a.openBays()
	a.was = slices.Clone(a.owner)
	return a
}

// giveWide gives wide plots of several owners to the one that pick says.
func (a *allotment) giveWide(pick func(owners []int32) int32) {
	for i := range a.plots {
		if set := a.ownerSet(a.plots[i].owners); len(set) > 1 && a.owner[i] == nobody {
			a.owner[i] = pick(set)
		}
	}
}

// openBays takes off the list the narrow plots that bridges cut from a wide
// one but that are no slits, and finds the slits.
func (a *allotment) openBays() {
	u := newUnion(len(a.plots))
	vacant := func(r int32) bool { return a.owner[r] == undecided && a.plots[r].owners == 0 }
	a.eachBridge(func(p, q int32, _ float64) {
		if vacant(p) && vacant(q) {
			u.join(p, q)
		}
	})
	mouth, shore := make([]float64, len(a.plots)), make([]float64, len(a.plots))
	for i := range a.plots {
		if vacant(int32(i)) {
			shore[u.find(int32(i))] += a.plots[i].perimeterM
		}
	}
	a.eachBridge(func(p, q int32, lenM float64) {
		switch {
		case vacant(p) && vacant(q):
			shore[u.find(p)] -= 2 * lenM
		case vacant(p) || vacant(q):
			if !vacant(p) {
				p = q
			}
			shore[u.find(p)] -= lenM
			mouth[u.find(p)] += lenM
		}
	})
	var bays []int32
	at := make(map[int32]int) // place in slits, by the least plot
	for i := range int32(len(a.plots)) {
		r := u.find(i)
		switch {
		case !vacant(i) || mouth[r] == 0:
		case shore[r] < 2*slitFactor*mouth[r]:
			bays = append(bays, i)
		default:
			if r == i {
				at[r] = len(a.slits)
				a.slits = append(a.slits, slit{})
			}
			a.slits[at[r]].plots = append(a.slits[at[r]].plots, i)
		}
	}
	for _, i := range bays {
		a.owner[i] = nobody
	}
}

// eachBridge calls f with the plots on both sides of each bridge that parts
// two.
func (a *allotment) eachBridge(f func(p, q int32, lenM float64)) {
	for i := range a.lines {
		if len(a.lines[i].claims) > 0 {
			continue
		}
		if p, q := a.of[a.cell[2*i]], a.of[a.cell[2*i+1]]; p != q {
			f(p, q, geo.DistanceM(a.lines[i].a.Point(), a.lines[i].b.Point()))
		}
	}
}

// settle gives undecided plots to neighbours until no more can be given. A
// plot goes to the neighbour with the longest border that no border has to
// move too far for; it is never cut off from its new owner, because it borders
// on land that is his already.
func (a *allotment) settle() {
	var todo []int32
	for i := range a.plots {
		if a.owner[i] == undecided {
			todo = append(todo, int32(i))
		}
	}
	slices.SortStableFunc(todo, func(p, q int32) int { return cmp.Compare(a.plots[q].perimeterM, a.plots[p].perimeterM) })
	waiting := make([]bool, len(a.plots))
	for len(todo) > 0 {
		var next []int32
		for _, p := range todo {
			waiting[p] = false
			to := a.taker(p)
			if to < 0 {
				continue
			}
			a.owner[p] = to
			for _, h := range a.plots[p].border {
				if q := a.of[a.cell[h^1]]; a.owner[q] == undecided && !waiting[q] {
					waiting[q] = true
					next = append(next, q)
				}
			}
		}
		todo = next
	}
}

// taker is the face that plot p should go to as things stand, or nobody.
func (a *allotment) taker(p int32) int32 {
	r := &a.plots[p]
	set := a.ownerSet(r.owners)
	if a.work += len(r.border); a.work > maxWork(len(a.lines)) {
		return nobody
	}
	shares := a.shares(r, set)
	// Between two lines that cross back and forth the lengths are equal but for
	// chance. Then the lower face's line is kept throughout, so that the border
	// does not jump from the one to the other: it keeps overlaps and takes no gap.
	if len(shares) > 1 && shares[1].lenM > 0.75*shares[0].lenM && (shares[0].face < shares[1].face) == (len(set) == 0) {
		shares[0], shares[1] = shares[1], shares[0]
	}
	for _, s := range shares {
		if a.canTake(r, set, s.face) {
			return s.face
		}
	}
	return nobody
}

// share is how much of a plot's border a face has.
type share struct {
	face int32
	lenM float64
}

// shares are the faces that own land beside r, of set when it is not empty,
// the longest border first.
func (a *allotment) shares(r *region, set []int32) []share {
	var all []share
	for _, h := range r.border {
		f := a.owner[a.of[a.cell[h^1]]]
		if f < 0 || len(set) > 0 && !slices.Contains(set, f) {
			continue
		}
		lenM := geo.DistanceM(a.fan.from(h).Point(), a.fan.to(h).Point())
		if len(a.lines[h>>1].claims) == 0 {
			lenM /= 100 // a bridge is no border, but better than none
		}
		all = append(all, share{f, lenM})
	}
	slices.SortStableFunc(all, func(s, t share) int { return cmp.Compare(s.face, t.face) })
	sums := all[:0]
	for _, s := range all {
		if n := len(sums); n > 0 && sums[n-1].face == s.face {
			sums[n-1].lenM += s.lenM
		} else {
			sums = append(sums, s)
		}
	}
	slices.SortStableFunc(sums, func(s, t share) int { return cmp.Compare(t.lenM, s.lenM) })
	return sums
}

// canTake reports whether no new border lies further from the old one than the
// tolerance allows when r goes to face f: the taker's when it fills a gap, the
// losers' when it keeps an overlap. That two sides of a spike or a notch meet
// and vanish is no move. A hairline is nothing that anybody could lose.
func (a *allotment) canTake(r *region, set []int32, f int32) bool {
	limit := reachFactor * a.toleranceM
	beside := func(f int32) (with, without []int32) {
		for _, h := range r.border {
			if slices.Contains(a.ownerSet(a.owners(a.cell[h^1])), f) {
				with = append(with, h)
			} else {
				without = append(without, h)
			}
		}
		return with, without
	}
	if a.isHairline(r) {
		return true
	}
	if len(set) == 0 {
		with, without := beside(f)
		return a.reaches(r, without, with, limit)
	}
	for _, loser := range set {
		if loser == f {
			continue
		}
		if with, without := beside(loser); !a.reaches(r, with, without, limit) {
			return false
		}
	}
	return true
}

// reaches reports whether the new border lies within limit of the old one,
// both parts of r's; of a plot without an old border, whether it is small
// altogether.
func (a *allotment) reaches(r *region, now, old []int32, limit float64) bool {
	if len(now) == 0 {
		return true
	}
	b := a.boundsOf(r)
	p := planeAt(geo.Coord{X: b.x0, Y: b.y0})
	far := p.of(geo.Coord{X: b.x1, Y: b.y1})
	if math.Hypot(far.x, far.y) <= limit {
		return true
	}
	edges := make([]spotEdge, len(old))
	for i, h := range old {
		edges[i] = spotEdge{p.of(a.fan.from(h)), p.of(a.fan.to(h))}
	}
	within := func(c spot, near []int32) bool {
		return slices.ContainsFunc(near, func(i int32) bool { return edges[i].dist2(c) <= limit*limit })
	}
	if a.work += len(old) * min(len(now), 64); a.work > maxWork(len(a.lines)) {
		return false
	}
	var near []int32
	var t *tree
	if len(now) > 64 {
		t = newTree(len(old), func(i int32) box { return boxOf(a.fan.from(old[i]), a.fan.to(old[i])) })
	} else {
		for i := range edges {
			near = append(near, int32(i))
		}
	}
	for _, h := range now {
		for _, v := range [...]geo.Coord{a.fan.from(h), a.fan.to(h)} {
			if t != nil {
				near = t.search(boxOf(v, v).grow(p.units(limit)), near[:0])
				a.work += len(near)
			}
			if !within(p.of(v), near) {
				return false
			}
		}
	}
	return true
}
