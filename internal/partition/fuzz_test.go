package partition

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// shapesFrom reads shapes out of arbitrary bytes: a step between the points of
// a small lattice, then rings of pairs of bytes, each with its face. With a
// small step rounding rules, with a larger one the tolerance does, and beyond
// it nothing is narrow.
func shapesFrom(data []byte) []Shape {
	if len(data) == 0 {
		return nil
	}
	step := []int32{1, 7, 40, 150, 1000}[data[0]%5]
	data = data[1:]
	var shapes []Shape
	for len(data) > 1 && len(shapes) < 12 {
		id, n := FaceID(1+data[0]%7), int(data[1]%12)
		data = data[2:]
		n = min(n, len(data)/2)
		r := make(Ring, n)
		for i := range r {
			// The odd lattice keeps crossings off the integer points.
			x, y := int32(data[2*i]%32), int32(data[2*i+1]%32)
			r[i] = geo.Coord{X: jiading.X + x*step + int32(data[2*i]>>5), Y: jiading.Y + y*step + int32(data[2*i+1]>>5)}
		}
		data = data[2*n:]
		shapes = append(shapes, Shape{id, []Ring{r}})
	}
	return shapes
}

func seeds(f *testing.F) {
	f.Add([]byte{2, 1, 4, 0, 0, 10, 0, 10, 10, 0, 10, 2, 4, 9, 0, 20, 0, 20, 10, 9, 10})
	f.Add([]byte{1, 1, 4, 0, 0, 10, 10, 10, 0, 0, 10, 2, 3, 0, 0, 31, 1, 31, 2})
	f.Add([]byte{0, 1, 4, 0, 0, 30, 1, 31, 30, 2, 29, 2, 4, 3, 3, 9, 4, 9, 9, 4, 9, 1, 4, 3, 3, 4, 9, 9, 9, 9, 4})
	f.Add([]byte{3, 1, 4, 0, 0, 10, 0, 10, 10, 0, 10, 2, 4, 11, 0, 20, 0, 20, 10, 11, 10, 3, 4, 0, 11, 20, 11, 20, 20, 0, 20})
}

func lengthM(shapes []Shape) (sum float64) {
	for _, s := range shapes {
		for _, r := range s.Rings {
			for i, c := range r {
				sum += geo.DistanceM(r[(i+len(r)-1)%len(r)].Point(), c.Point())
			}
		}
	}
	return sum
}

// FuzzCheck holds that Check and New agree on what is exact, that places and
// areas are right, and that nothing depends on the order of the shapes.
func FuzzCheck(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) { holdsCheck(t, shapesFrom(data)) })
}

func holdsCheck(t *testing.T, shapes []Shape) {
	t.Helper()
	rep := Check(shapes, CheckOptions{})
	if rep.Err != nil {
		t.Fatal(rep.Err)
	}
	_, err := New(shapes)
	// New does not mind narrow gaps, nor rings that shrank to a point.
	tolerated := rep.Hairlines.Count + rep.Totals[Sliver].Count
	for _, d := range rep.Of(InvalidRing) {
		if d.Owners == 0 {
			tolerated++
		}
	}
	if rep.Exact && err != nil || !rep.Exact && err == nil && tolerated == 0 {
		t.Errorf("Exact = %v, but New says %v", rep.Exact, err)
	}
	for _, d := range rep.Defects {
		if d.AreaM2 < 0 || d.WidthM < 0 || math.IsNaN(d.WidthM) || d.WidthM > 2*math.Sqrt(d.AreaM2/math.Pi)+1e-6 {
			t.Errorf("impossible sizes: %+v", d)
		}
		if d.Owners != len(d.Faces) && d.Owners > 1 || d.Owners == 0 && d.AreaM2 > 0 && len(d.Faces) == 0 {
			t.Errorf("%d owners, but faces %v", d.Owners, d.Faces)
		}
	}
	slices.Reverse(shapes)
	back := Check(shapes, CheckOptions{})
	if back.CoveredM2 != rep.CoveredM2 || len(back.Defects) != len(rep.Defects) || back.OverlapM2 != rep.OverlapM2 || back.GapM2 != rep.GapM2 {
		t.Errorf("the order of the shapes changes the report: %+v, %+v", rep, back)
	}
}

// FuzzClean holds that whatever goes in is refused or comes out proven, with
// all faces, the same covered area but for what the report accounts for, and
// nothing left to repair by the same rules.
func FuzzClean(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) { holdsClean(t, shapesFrom(data)) })
}

func holdsClean(t *testing.T, shapes []Shape) {
	t.Helper()
	for _, rule := range []OverlapRule{RefuseOverlaps, OverlapsToFirst, OverlapsToLarger} {
		p, rep, err := Clean(shapes, CleanOptions{MaxNoise: 1, Overlaps: rule})
		if err != nil {
			var refused *Refused
			if !errors.As(err, &refused) || fault.KindOf(err) != fault.Invalid || refused.Report != rep {
				t.Fatalf("%q: %v", rule, err)
			}
			continue
		}
		if _, err := New(shapesOf(p)); err != nil {
			t.Fatalf("%q: the result is no partition: %v", rule, err)
		}
		want := map[FaceID]bool{}
		for _, s := range shapes {
			want[s.ID] = true
		}
		if got := p.Faces(); len(got) != len(want) {
			t.Fatalf("%q: faces %v, want %d", rule, got, len(want))
		}
		sum := 0.0
		for _, face := range p.Faces() {
			sum += p.AreaM2(face)
		}
		// Rounding shifts a line by about a unit on its whole length.
		slack := 0.03*lengthM(shapes) + 1e-6
		if got := sum - rep.Repairs.Filled.AreaM2; math.Abs(got-rep.CoveredM2) > slack {
			t.Errorf("%q: %.3f m² after cleaning and %.3f m² of gaps filled, %.3f m² before", rule, sum, rep.Repairs.Filled.AreaM2, rep.CoveredM2)
		}
		if rep.Exact && rep.Repairs.Moves.Count > 0 {
			t.Errorf("%q: exact shapes were moved: %v", rule, rep.Repairs.Moves)
		}
		if got := rep.Repairs.Moves.MaxM; rule == RefuseOverlaps && got > 2*DefaultToleranceM {
			t.Errorf("a border moved by %.2f m", got)
		}
	}
}

// TestRandomShapes is a part of the fuzz targets in every test run.
func TestRandomShapes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(30, 1))
	for range 250 {
		data := make([]byte, 4+rnd.IntN(100))
		for i := range data {
			data[i] = byte(rnd.Uint32())
			if rnd.IntN(2) == 0 {
				data[i] &= 31 // on the lattice
			}
		}
		holdsCheck(t, shapesFrom(data))
		holdsClean(t, shapesFrom(data))
		if t.Failed() {
			t.Fatalf("with bytes %q", data)
		}
	}
}
