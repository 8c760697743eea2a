package partition

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

func randomLine(rnd *rand.Rand, side int32) line {
	for {
		a := geo.Coord{X: rnd.Int32N(side), Y: rnd.Int32N(side)}
		b := geo.Coord{X: rnd.Int32N(side), Y: rnd.Int32N(side)}
		if a != b {
			if !geo.Upward(a, b) {
				a, b = b, a
			}
			return line{a: a, b: b, claims: []claim{{face: 0, up: 1}}, fresh: true}
		}
	}
}

func TestMeetLinesAgreesWithRationals(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		e, f := randomLine(rnd, 7), randomLine(rnd, 7)
		if e.a == f.a && e.b == f.b {
			continue // folded before they are compared
		}
		got := meetLines(&e, &f) != apart
		if want := meetSlow(edge{a: e.a, b: e.b}, edge{a: f.a, b: f.b}); got != want {
			t.Fatalf("meetLines(%v, %v) = %v, want %v", &e, &f, got, want)
		}
	}
}

func TestCrossingIsRoundedExactly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	half := big.NewRat(1, 2)
	floor := func(r *big.Rat) int64 {
		return new(big.Int).Div(r.Num(), r.Denom()).Int64() // Euclidean, so a floor: Denom is positive
	}
	for _, side := range []int32{9, 1000, MaxSpan - 1} {
		for n := 0; n < 20_000; {
			e, f := randomLine(rnd, side), randomLine(rnd, side)
			if meetLines(&e, &f) != across {
				continue
			}
			n++
			// e.a + t·(e.b - e.a), t = ((f.a - e.a) × df) / (de × df)
			dx, dy := int64(e.b.X)-int64(e.a.X), int64(e.b.Y)-int64(e.a.Y)
			fx, fy := int64(f.b.X)-int64(f.a.X), int64(f.b.Y)-int64(f.a.Y)
			gx, gy := int64(f.a.X)-int64(e.a.X), int64(f.a.Y)-int64(e.a.Y)
			tt := big.NewRat(gx*fy-gy*fx, dx*fy-dy*fx)
			x := new(big.Rat).Add(new(big.Rat).Mul(tt, big.NewRat(dx, 1)), half)
			y := new(big.Rat).Add(new(big.Rat).Mul(tt, big.NewRat(dy, 1)), half)
			want := geo.Coord{X: int32(int64(e.a.X) + floor(x)), Y: int32(int64(e.a.Y) + floor(y))}
			if got := crossingOf(&e, &f); got != want {
				t.Fatalf("crossingOf(%v, %v) = %v, want %v", e, f, got, want)
			}
			if got := crossingOf(&f, &e); got != want {
				t.Fatalf("crossingOf is not symmetric for %v, %v: %v, want %v", e, f, got, want)
			}
		}
	}
}

func TestPassesTheHalfOpenSquare(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	c := geo.Coord{X: 10, Y: 10}
	hits := 0
	for range 200_000 {
		l := randomLine(rnd, 21)
		got, want := passes(l.a, l.b, c), passesSlow(l.a, l.b, c)
		if got != want {
			t.Fatalf("passes(%v, %v, %v) = %v, want %v", l.a, l.b, c, got, want)
		}
		if passes(l.b, l.a, c) != want {
			t.Fatalf("passes(%v, %v) depends on the direction", l.a, l.b)
		}
		if got {
			hits++
		}
	}
	if hits == 0 {
		t.Error("no line passed")
	}
}

// passesSlow clips a–b to [9.5, 10.5) × [9.5, 10.5) with integer fractions:
// with a denominator that all differences up to 20 divide, every bound of the
// parameter is an integer.
func passesSlow(a, b, c geo.Coord) bool {
	const den = 2 * 232792560 // lowest common multiple of 1 to 20, twice for the halves
	lo, hi := int64(0), int64(den)
	loOpen, hiOpen := false, false
	bound := func(v int64, open, upper bool) {
		if upper && (v < hi || v == hi && open) {
			hi, hiOpen = v, open
		}
		if !upper && (v > lo || v == lo && open) {
			lo, loOpen = v, open
		}
	}
	for _, axis := range [...][3]int32{{a.X, b.X, c.X}, {a.Y, b.Y, c.Y}} {
		from, d := int64(axis[0]), int64(axis[1])-int64(axis[0])
		west, east := 2*int64(axis[2])-1-2*from, 2*int64(axis[2])+1-2*from // doubled distances
		if d == 0 {
			if west > 0 || east <= 0 {
				return false
			}
			continue
		}
		tw, te := west*(den/2)/d, east*(den/2)/d
		bound(tw, false, d < 0)
		bound(te, true, d > 0)
	}
	return lo < hi || lo == hi && !loOpen && !hiOpen
}

// TestNodedLinesMeetOnlyInEnds nodes tangles of random lines, with all the
// degenerate cases of a small grid and the roundings of a larger one.
func TestNodedLinesMeetOnlyInEnds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for _, side := range []int32{6, 15, 40, 300, 100_000, MaxSpan} {
		for range 60 {
			lines := make([]line, 3+rnd.IntN(40))
			for i := range lines {
				lines[i] = randomLine(rnd, side)
			}
			raw := append([]line(nil), lines...)
			for name, f := range map[string]func([]line) ([]line, error){
				"plain": func(l []line) ([]line, error) { l, _, err := node(l); return l, err },
				"snapped": func(l []line) ([]line, error) {
					n, err := snapRound(l, 0)
					if err != nil {
						return nil, err
					}
					return n.result(), nil
				},
			} {
				noded, err := f(foldLines(append([]line(nil), raw...)))
				if err != nil {
					t.Fatal(err)
				}
				checkNoded(t, name, raw, noded)
			}
		}
	}
}

// checkNoded holds that no two lines cross (or, unless only snapped, meet
// outside their ends), and that they follow the raw ones to within rounding.
func checkNoded(t *testing.T, name string, raw, noded []line) {
	t.Helper()
	for i := range noded {
		for j := range noded[:i] {
			m := meetLines(&noded[i], &noded[j])
			if m == across || m == touch && name == "plain" {
				t.Fatalf("%s: %v and %v meet", name, &noded[i], &noded[j])
			}
		}
	}
	for _, l := range noded {
		middle := geo.Coord{X: int32((int64(l.a.X) + int64(l.b.X)) / 2), Y: int32((int64(l.a.Y) + int64(l.b.Y)) / 2)}
		near := math.Inf(1)
		for _, r := range raw {
			near = min(near, offLine(r.a, r.b, middle))
		}
		if near > 4 {
			t.Errorf("%s: %v is %.1f units off every line", name, &l, near)
		}
	}
}

func TestTooManyCrossingsAreRefused(t *testing.T) {
	// Two sheaves of 1,200 lines: a million and a half crossings.
	var comb Ring
	for i := range int32(1200) {
		comb = append(comb, geo.Coord{X: 0, Y: 40 * i}, geo.Coord{X: 200_000, Y: 40*i + 20})
	}
	turned := make(Ring, len(comb))
	for i, c := range comb {
		turned[i] = geo.Coord{X: c.Y + 7, Y: c.X - 50_000}
	}
	shapes := []Shape{{1, []Ring{comb}}, {2, []Ring{turned}}}
	if rep := Check(shapes, CheckOptions{}); rep.Err == nil || fault.KindOf(rep.Err) != fault.Invalid || rep.OK() {
		t.Errorf("Check: %v, want invalid", rep.Err)
	}
	if _, _, err := Clean(shapes, CleanOptions{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("Clean: %v, want invalid", err)
	}
}

func TestTreeFindsWhatBruteForceFinds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{0, 1, 8, 9, 64, 65, 700} {
		lines := make([]line, n)
		for i := range lines {
			lines[i] = randomLine(rnd, 1000)
			if i%7 == 0 { // a cluster far away
				lines[i].a.X += 1 << 29
				lines[i].b.X += 1 << 29
			}
		}
		tr := newTree(n, func(i int32) box { return boxOf(lines[i].a, lines[i].b) })
		for range 200 {
			q := randomLine(rnd, 1000)
			got := make(map[int32]bool)
			for _, i := range tr.search(boxOf(q.a, q.b), nil) {
				got[i] = true
			}
			onLine := make(map[int32]bool)
			for _, i := range tr.searchLine(q.a, q.b, 0, 0, nil) {
				onLine[i] = true
			}
			for i := range lines {
				if want := boxOf(q.a, q.b).meets(boxOf(lines[i].a, lines[i].b)); got[int32(i)] != want {
					t.Fatalf("n=%d: box of line %d found: %v, want %v", n, i, got[int32(i)], want)
				}
				if meetLines(&q, &lines[i]) != apart && !onLine[int32(i)] {
					t.Fatalf("n=%d: line %d meets the searched line and is not found", n, i)
				}
			}
		}
	}
}
