package demo

import (
	"cmp"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// chord is a straight line across a plot from one vertex to another.
type chord struct {
	from, to int
	score    int64 // the lower the better
}

// chords lists lines that cut about the doubled area want off p, on the ring
// from their first vertex to their second, the best first. Starts is how many
// first vertices are tried.
func (p *plot) chords(want int64, starts int, d *dice) []chord {
	n := len(p.ring)
	starts = min(starts, n)
	stride := max(1, n/starts)
	phase := d.below(n)
	var out []chord
	for s := range starts {
		i := (phase + s*n/starts) % n
		prev := int64(0)
		for o := stride; o < n-1; o += stride {
			j := (i + o) % n
			area := p.beyond(i, j)
			if prev < want && area >= want {
				if j = p.settle(i, j, want, stride); p.steps(i, j) > 3 {
					out = append(out, chord{i, j, p.rate(i, j)})
				}
			}
			prev = area
		}
	}
	slices.SortFunc(out, byScore)
	return out
}

func byScore(a, b chord) int {
	return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
}

// settle moves j by up to reach vertices to where the chord i–j cuts off what
// is nearest to want.
func (p *plot) settle(i, j int, want int64, reach int) int {
	n := len(p.ring)
	best, off := j, abs(p.beyond(i, j)-want)
	for o := -reach; o <= reach; o++ {
		k := ((j+o)%n + n) % n
		if k == i {
			continue
		}
		if e := abs(p.beyond(i, k) - want); e < off {
			best, off = k, e
		}
	}
	return best
}

// rate scores the chord i–j: the two pieces' compactness, made worse by acute
// corners and by ends close to the end of another border.
func (p *plot) rate(i, j int) int64 {
	beyond := p.beyond(i, j)
	across := distanceMM(p.ring[i], p.ring[j]) * 108 / 100 // it will wander
	round := p.onward(i, j)
	score := shapeOf(round+across, beyond) + shapeOf(p.perimeter()-round+across, p.area()-beyond)
	score += score / 1000 * (p.slant(i, j) + p.slant(j, i)) / 4
	return score + score/12*(p.crowd(i)+p.crowd(j))
}

// slant is how far from square the chord i–j meets the border at i.
func (p *plot) slant(i, j int) int64 {
	n := len(p.ring)
	return slant(between(p.ring[(i+n-3)%n], p.ring[(i+3)%n]), between(p.ring[i], p.ring[j]))
}

// slant is the square of the cosine between two directions, in thousandths.
func slant(t, c span) int64 {
	lt, lc := t.length()/100+1, c.length()/100+1
	dot := (t.X/100*(c.X/100) + t.Y/100*(c.Y/100)) / lc
	return min(1000, dot*dot*1000/(lt*lt))
}

// crowd is 1 when another border ends within a few vertices of vertex i.
func (p *plot) crowd(i int) int64 {
	n := len(p.ring)
	for o := -4; o <= 4; o++ {
		if p.corner[(i+o+n)%n] {
			return 1
		}
	}
	return 0
}

// border draws a way along chord c that stays inside p and clear of its
// border, as wild as style if it can be, tamer if not. Nil when even a
// straight line does not fit.
func (p *plot) border(f *fence, c chord, style course, seed uint64) []geo.Coord {
	a, b := p.ring[c.from], p.ring[c.to]
	for try, damp := range [...]int64{1000, 1000, 700, 450, 200, 60, 0} {
		path := wander(a, b, style, mix(seed, uint64(try)), damp)
		if len(path) < 2 || len(path) == 2 && p.steps(c.from, c.to) < 2 {
			return nil
		}
		if p.inward(c.from, path[1]) && p.inward(c.to, path[len(path)-2]) && f.free(path, style.stepMM*2/3) {
			return path
		}
	}
	return nil
}

// split cuts about the share first of total off p and returns that piece and
// the rest.
func (p *plot) split(first, total int64, style course, seed uint64) (beyond, rest *plot, err error) {
	want := p.area() / total * first
	f := newFence(ringSegments(p.ring))
	for round, starts := range [...]int{40, 160, 1000} {
		d := throw(seed, uint64(round))
		for k, c := range p.chords(want, starts, d) {
			if k == 60*(round+1) {
				break
			}
			if path := p.border(f, c, style, mix(seed, uint64(k))); path != nil {
				beyond, rest = p.cut(c.from, c.to, path)
				return beyond, rest, nil
			}
		}
	}
	at := p.ring[0].Point()
	return nil, nil, fault.New(fault.Internal, "no border cuts %d/%d off the plot of %d m² at %.5f,%.5f", first, total, m2(p.area()), at[0], at[1])
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}
