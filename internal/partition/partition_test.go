package partition

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/geo"
)

func ring(xy ...int32) Ring {
	var r Ring
	for i := 0; i < len(xy); i += 2 {
		r = append(r, geo.Coord{X: xy[i], Y: xy[i+1]})
	}
	return r
}

func square(x, y, side int32) Ring { return ring(x, y, x+side, y, x+side, y+side, x, y+side) }

func reversed(r Ring) Ring {
	out := make(Ring, len(r))
	for i, c := range r {
		out[len(r)-1-i] = c
	}
	return out
}

func TestNewRefusesWhatIsNoPartition(t *testing.T) {
	for _, tt := range []struct {
		name   string
		shapes []Shape
		want   DefectKind // "" when it is one
	}{
		{"two squares side by side", []Shape{{1, []Ring{square(0, 0, 10)}}, {2, []Ring{square(10, 0, 10)}}}, ""},
		{"corner to corner", []Shape{{1, []Ring{square(0, 0, 10)}}, {2, []Ring{square(10, 10, 10)}}}, ""},
		{"far apart", []Shape{{1, []Ring{square(0, 0, 10)}}, {2, []Ring{square(100, 0, 10)}}}, ""},
		{"hole filled by a neighbour", []Shape{{1, []Ring{square(0, 0, 30), reversed(square(10, 10, 10))}}, {2, []Ring{square(10, 10, 10)}}}, ""},
		{"hole left empty", []Shape{{1, []Ring{square(0, 0, 30), reversed(square(10, 10, 10))}}}, ""},
		{"hole that touches the outer ring", []Shape{{1, []Ring{square(0, 0, 30), ring(0, 0, 10, 20, 20, 10)}}}, ""},
		{"the same square twice", []Shape{{1, []Ring{square(0, 0, 10)}}, {2, []Ring{square(0, 0, 10)}}}, Overlap},
		{"one inside the other without a hole", []Shape{{1, []Ring{square(0, 0, 30)}}, {2, []Ring{square(10, 10, 10)}}}, Overlap},
		{"inside and touching a corner", []Shape{{1, []Ring{square(0, 0, 30)}}, {2, []Ring{ring(0, 0, 10, 5, 5, 10)}}}, Overlap},
		{"overlap that crosses", []Shape{{1, []Ring{square(0, 0, 10)}}, {2, []Ring{square(5, 5, 10)}}}, Crossing},
		{"a vertex on a neighbour's edge that has none", []Shape{{1, []Ring{square(0, 0, 10)}}, {2, []Ring{square(10, 0, 5)}}}, Crossing},
		{"a ring that crosses itself", []Shape{{1, []Ring{ring(0, 0, 10, 10, 10, 0, 0, 10)}}}, Crossing},
		{"a spike", []Shape{{1, []Ring{ring(0, 0, 10, 0, 10, 10, 20, 10, 10, 10, 0, 10)}}}, InvalidRing},
		{"the wrong way round", []Shape{{1, []Ring{reversed(square(0, 0, 10))}}}, InvalidRing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.shapes)
			var bad *NotPartition
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				return
			case !errors.As(err, &bad):
				t.Fatalf("got %v, want a %s defect", err, tt.want)
			}
			if got := bad.Defects[0].Kind; got != tt.want {
				t.Errorf("got %v, want %s", bad, tt.want)
			}
		})
	}
}

func TestPolygonsComeBackAsTheyWentIn(t *testing.T) {
	big := Shape{1, []Ring{square(0, 0, 30), reversed(square(10, 10, 10))}}
	p, err := New([]Shape{big, {2, []Ring{square(10, 10, 10)}}, {3, []Ring{square(30, 0, 30), square(100, 0, 7)}}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[FaceID][][]Ring{
		1: {{square(0, 0, 30), reversed(square(10, 10, 10))}},
		2: {{square(10, 10, 10)}},
		3: {{square(30, 0, 30)}, {square(100, 0, 7)}},
	}
	for f, w := range want {
		if diff := cmp.Diff(normal(w), normal(p.Polygons(f))); diff != "" {
			t.Errorf("face %d (-want +got):\n%s", f, diff)
		}
	}
	if got := p.Outline(); len(got) != 2 || len(got[0]) != 1 {
		t.Errorf("outline = %v, want two parts without holes", got)
	}
	if diff := cmp.Diff([]FaceID{2, 3}, p.Neighbours(1)); diff != "" {
		t.Error(diff)
	}
}

// normal turns each ring to start at its lowest vertex.
func normal(polys [][]Ring) [][]Ring {
	for _, rings := range polys {
		for i, r := range rings {
			low := 0
			for k := range r {
				if r[k].Less(r[low]) {
					low = k
				}
			}
			rings[i] = append(append(Ring{}, r[low:]...), r[:low]...)
		}
	}
	return polys
}

func TestAPinchedFaceIsCutIntoSimpleRings(t *testing.T) {
	// Face 1 is a frame whose hole touches the outer ring at the origin.
	p, err := New([]Shape{{1, []Ring{square(0, 0, 30), ring(0, 0, 10, 20, 20, 10)}}})
	if err != nil {
		t.Fatal(err)
	}
	got := p.Polygons(1)
	if len(got) != 1 || len(got[0]) != 2 || len(got[0][0]) != 4 || len(got[0][1]) != 3 {
		t.Errorf("got %v, want one polygon with one hole", got)
	}
	if o := p.Outline(); len(o) != 1 || len(o[0]) != 2 {
		t.Errorf("outline %v, want one polygon with one hole", o)
	}
}

// TestMeetAgreesWithRationals compares the crossing test with exact parameters
// on small random segments, where all degenerate cases are common.
func TestMeetAgreesWithRationals(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	coord := func() geo.Coord { return geo.Coord{X: rnd.Int32N(7), Y: rnd.Int32N(7)} }
	seg := func() edge {
		for {
			a, b := coord(), coord()
			if a == b {
				continue
			}
			if !geo.Upward(a, b) {
				a, b = b, a
			}
			return edge{a: a, b: b}
		}
	}
	for range 200_000 {
		e, f := seg(), seg()
		_, got := meet(&e, &f)
		if want := meetSlow(e, f); got != want {
			t.Fatalf("meet(%v, %v) = %v, want %v", e, f, got, want)
		}
	}
}

// meetSlow subdivides both segments 2·k times, k the lowest common multiple of
// all determinants that a 7 x 7 grid allows, by checking each candidate point
// of intersection with exact fractions.
func meetSlow(e, f edge) bool {
	common := func(c geo.Coord) bool { return (c == e.a || c == e.b) && (c == f.a || c == f.b) }
	dx, dy := int64(e.b.X-e.a.X), int64(e.b.Y-e.a.Y)
	fx, fy := int64(f.b.X-f.a.X), int64(f.b.Y-f.a.Y)
	det := dx*fy - dy*fx
	gx, gy := int64(f.a.X-e.a.X), int64(f.a.Y-e.a.Y)
	if det != 0 {
		s, u := gx*fy-gy*fx, gx*dy-gy*dx // e.a + s/det·d = f.a + u/det·f
		if det < 0 {
			s, u, det = -s, -u, -det
		}
		if s < 0 || s > det || u < 0 || u > det {
			return false
		}
		return !(s == 0 && common(e.a) || s == det && common(e.b))
	}
	if gx*dy-gy*dx != 0 {
		return false
	}
	// In line: project on e's direction.
	len2 := dx*dx + dy*dy
	p, q := gx*dx+gy*dy, (gx+fx)*dx+(gy+fy)*dy
	lo, hi := max(0, min(p, q)), min(len2, max(p, q))
	if lo > hi {
		return false
	}
	if lo < hi {
		return true
	}
	at := e.a
	if lo == len2 {
		at = e.b
	}
	return !common(at)
}
