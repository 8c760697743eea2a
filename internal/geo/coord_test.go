package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

func TestQuantise(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    orb.Point
		want  Coord
		field string // of the fault
	}{
		{"Jiading", orb.Point{121.2471234, 31.3830001}, Coord{1212471234, 313830001}, ""},
		{"halves go up", orb.Point{0.00000005, -0.00000005}, Coord{1, 0}, ""},
		{"the date line", orb.Point{-180, 90}, Coord{-1800000000, 900000000}, ""},
		{"longitude out of range", orb.Point{180.1, 0}, Coord{}, "lon"},
		{"latitude out of range", orb.Point{0, -90.5}, Coord{}, "lat"},
		{"not a number", orb.Point{0, math.NaN()}, Coord{}, "lat"},
		{"infinite", orb.Point{math.Inf(-1), 0}, Coord{}, "lon"},
	} {
		got, err := Quantise(tt.in)
		if got != tt.want || fault.FieldOf(err) != tt.field {
			t.Errorf("%s: got %v, %v, want %v and field %q", tt.name, got, err, tt.want, tt.field)
		}
	}
}

func TestPointQuantisesBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		c := Coord{rnd.Int32N(3_600_000_001/2) - 900_000_000, rnd.Int32N(1_800_000_001) - 900_000_000}
		if got, err := Quantise(c.Point()); got != c || err != nil {
			t.Fatalf("%v became %v, %v", c, got, err)
		}
	}
}

func TestLeftOfIsHalfOpen(t *testing.T) {
	a, b := Coord{0, 0}, Coord{10, 20}
	for _, tt := range []struct {
		name string
		a, b Coord
		p    Coord
		want bool
	}{
		{"west of it", a, b, Coord{4, 10}, true},
		{"on it", a, b, Coord{5, 10}, false},
		{"east of it", a, b, Coord{6, 10}, false},
		{"on a level edge, stored westward: north of it", Coord{10, 0}, Coord{0, 0}, Coord{5, 0}, false},
		{"south of a level edge", Coord{10, 0}, Coord{0, 0}, Coord{5, -1}, true},
	} {
		if !Upward(tt.a, tt.b) {
			t.Errorf("%s: %v–%v is not upward", tt.name, tt.a, tt.b)
		}
		if got := LeftOf(tt.a, tt.b, tt.p); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}
