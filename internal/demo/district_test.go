package demo

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

// made is the district of scale 1, generated once for all tests.
var made = sync.OnceValues(func() (*grid.Generation, error) {
	src, err := District(Options{})
	if err != nil {
		return nil, err
	}
	return grid.New(1, src)
})

func district(t *testing.T) *grid.Generation {
	t.Helper()
	g, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func listed(t *testing.T) []ward {
	t.Helper()
	w, err := wards()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestDistrictHasTheListedCounts(t *testing.T) {
	g := district(t)
	type count struct{ Urban, Autonomous int }
	want, got := map[string]count{}, map[string]count{}
	total := count{}
	for _, w := range listed(t) {
		want[w.code] = count{w.urban, w.autonomous}
	}
	for _, d := range g.Grids() {
		c := got[d.Street]
		if d.Kind == grid.Urban {
			c.Urban++
			total.Urban++
		} else {
			c.Autonomous++
			total.Autonomous++
		}
		got[d.Street] = c
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grids by street (-listed +made):\n%s", diff)
	}
	if want := (count{96, 321}); total != want {
		t.Errorf("in all %+v, want %+v", total, want)
	}
	if len(g.Streets()) != 12 {
		t.Errorf("%d streets, want 12", len(g.Streets()))
	}
}

func TestDistrictHasTheListedAreas(t *testing.T) {
	g := district(t)
	all, urban := map[string]float64{}, map[string]float64{}
	urbanTotal := 0.0
	for _, d := range g.Grids() {
		all[d.Street] += d.AreaM2
		if d.Kind == grid.Urban {
			urban[d.Street] += d.AreaM2
			urbanTotal += d.AreaM2
		}
	}
	for _, w := range listed(t) {
		if off := all[w.code]/float64(w.areaM2) - 1; math.Abs(off) > 0.03 {
			t.Errorf("%s measures %.2f km², %+.1f %% off the listed %.1f", w.name, all[w.code]/1e6, off*100, float64(w.areaM2)/1e6)
		}
		if off := urban[w.code]/float64(w.urbanM2) - 1; math.Abs(off) > 0.05 {
			t.Errorf("the core of %s measures %.2f km², %+.1f %% off the listed %.1f", w.name, urban[w.code]/1e6, off*100, float64(w.urbanM2)/1e6)
		}
	}
	if urbanTotal < 88e6 || urbanTotal > 92e6 {
		t.Errorf("urban grids measure %.2f km², want 90 ± 2", urbanTotal/1e6)
	}
}

func TestEveryGridIsOneSimpleRing(t *testing.T) {
	g := district(t)
	sum := 0
	for _, d := range g.Grids() {
		p := g.Polygon(d.ID)
		if len(p) != 1 || len(p[0]) != 1 {
			t.Errorf("%s has %d parts, the first with %d rings", d.Code, len(p), len(p[0]))
			continue
		}
		n := len(p[0][0]) - 1
		sum += n
		if n < 60 || n > 260 {
			t.Errorf("%s has %d vertices, want 60 to 260", d.Code, n)
		}
		// A disc has 12.6, a square 16; 40 is a strip seven times as long as wide.
		if shape := math.Pow(lengthM(p[0][0]), 2) / d.AreaM2; shape > 36 {
			t.Errorf("%s is a tentacle: perimeter² / area is %.1f", d.Code, shape)
		}
	}
	if mean := float64(sum) / 417; mean < 125 || mean > 155 {
		t.Errorf("%.1f vertices a grid, want about 140", mean)
	}
}

func lengthM(line []orb.Point) float64 {
	sum := 0.0
	for i := 1; i < len(line); i++ {
		sum += geo.DistanceM(line[i-1], line[i])
	}
	return sum
}

func TestStreetsAndCoresAreInOnePieceAroundTheirSeats(t *testing.T) {
	g := district(t)
	for _, s := range g.Streets() {
		pieces := map[string][]partition.Shape{}
		for _, d := range g.Grids() {
			if d.Street != s.Code {
				continue
			}
			shape := partition.Shape{ID: partition.FaceID(d.ID), Rings: g.Partition().Rings(partition.FaceID(d.ID))}
			pieces["street"] = append(pieces["street"], shape)
			if d.Kind == grid.Urban {
				pieces["core"] = append(pieces["core"], shape)
			}
		}
		for what, shapes := range pieces {
			p, err := partition.New(shapes)
			if err != nil {
				t.Fatal(err)
			}
			outline := partition.MultiPolygonOf(p.Outline())
			if len(outline) != 1 || len(outline[0]) != 1 {
				t.Errorf("the %s of %s has %d parts, the first with %d rings", what, s.Name, len(outline), len(outline[0]))
				continue
			}
			if !planar.PolygonContains(outline[0], s.Seat) {
				t.Errorf("the seat of %s lies outside its %s", s.Name, what)
			}
			if edge := math.Abs(nearestM(s.Seat, outline[0][0])); edge < 300 {
				t.Errorf("the seat of %s lies %.0f m from the edge of its %s", s.Name, edge, what)
			}
		}
	}
}

func nearestM(p orb.Point, line []orb.Point) float64 {
	least := math.Inf(1)
	for i := 1; i < len(line); i++ {
		least = min(least, geo.ScaleAt(p[1]).SegmentDistanceM(p, line[i-1], line[i]))
	}
	return least
}

// The outer border keeps every vertex of the outline, in order, and strays
// from its edges by less than a unit, which rounding alone accounts for.
func TestOutlineIsRefinedOnly(t *testing.T) {
	want, err := outline()
	if err != nil {
		t.Fatal(err)
	}
	parts := district(t).Partition().Outline()
	if len(parts) != 1 || len(parts[0]) != 1 {
		t.Fatalf("the district has %d parts", len(parts))
	}
	ring := parts[0][0]
	at := 0
	for at < len(ring) && ring[at] != want[0] {
		at++
	}
	edge := 0
	for k := range ring {
		c := ring[(at+k)%len(ring)]
		if c == want[(edge+1)%len(want)] {
			edge++
			continue
		}
		a, b := want[edge%len(want)], want[(edge+1)%len(want)]
		if off := math.Abs(float64(geo.Cross(a, b, c))) / math.Hypot(float64(b.X-a.X), float64(b.Y-a.Y)); off >= 1 {
			t.Fatalf("vertex %v lies %.1f units off the edge %v–%v", c.Point(), off, a.Point(), b.Point())
		}
	}
	if edge != len(want)-1 {
		t.Errorf("%d of %d outline vertices were met in order", edge+1, len(want))
	}
}

func TestCodesNamesAndDepartments(t *testing.T) {
	g := district(t)
	for _, w := range listed(t) {
		names := map[string]bool{}
		urban, villages := 0, 0
		for _, d := range g.Grids() {
			if d.Street != w.code {
				continue
			}
			if names[d.Name] {
				t.Errorf("%s has two grids %s", w.name, d.Name)
			}
			names[d.Name] = true
			want := d
			if d.Kind == grid.Urban {
				urban++
				want.Code = fmt.Sprintf("%sU%02d", w.code, urban)
				want.Name = fmt.Sprintf("%s城区%02d网格", w.name, urban)
				want.Department = grid.Department{Code: w.code + "-S01", Name: w.name + "联勤网格化中心"}
				if villages > 0 {
					t.Errorf("%s: urban grid %s comes after autonomous ones", w.name, d.Code)
				}
			} else {
				villages++
				want.Code = fmt.Sprintf("%sA%02d", w.code, villages)
				want.Name = w.villages[villages-1]
				want.Department = grid.Department{Code: want.Code + "-S15", Name: want.Name + "综治联勤工作站"}
			}
			if diff := cmp.Diff(want, d); diff != "" {
				t.Errorf("%s (-want +got):\n%s", d.Code, diff)
			}
		}
	}
	for i, d := range g.Grids() {
		if d.ID != grid.ID(i+1) {
			t.Fatalf("grid %d has ID %d", i+1, d.ID)
		}
	}
}

func TestScaledDistrict(t *testing.T) {
	if testing.Short() {
		t.Skip("the district of 6,672 grids takes seconds to make")
	}
	src, err := District(Options{Scale: 4})
	if err != nil {
		t.Fatal(err)
	}
	if len(src.Grids) != 6672 || len(src.Partition.Faces()) != 6672 {
		t.Errorf("%d grids, %d faces, want 6672", len(src.Grids), len(src.Partition.Faces()))
	}
	sum, names := 0.0, map[string]bool{}
	vertices := 0
	for _, d := range src.Grids {
		rings := src.Partition.Rings(partition.FaceID(d.ID))
		if len(rings) != 1 {
			t.Fatalf("%s has %d rings", d.Code, len(rings))
		}
		vertices += len(rings[0])
		sum += geo.RingAreaM2(rings[0])
		if names[d.Street+d.Name] {
			t.Errorf("%s has two grids %s", d.Street, d.Name)
		}
		names[d.Street+d.Name] = true
	}
	if km2 := sum / 1e6; km2 < 463.1*16*0.99 || km2 > 463.1*16*1.01 {
		t.Errorf("%.0f km², want 16 times 463.1", km2)
	}
	if mean := vertices / 6672; mean < 120 || mean > 155 {
		t.Errorf("%d vertices a grid, want about 140", mean)
	}
	if got := src.Grids[0].Code; got != "310114001U01" {
		t.Errorf("the first code is %s", got)
	}
	if got := src.Grids[6671].Name; !strings.HasSuffix(got, "16") {
		t.Errorf("the last grid is %s, want a village's name for the sixteenth time", got)
	}
}

func TestSeedsDiffer(t *testing.T) {
	if testing.Short() {
		t.Skip("another district takes a second to make")
	}
	src, err := District(Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	other, err := grid.New(1, src)
	if err != nil {
		t.Fatal(err)
	}
	if other.Hash() == district(t).Hash() {
		t.Error("two seeds make the same district")
	}
}

func TestScaleOutOfRange(t *testing.T) {
	for _, scale := range []int{-1, MaxScale + 1} {
		_, err := District(Options{Scale: scale})
		if fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) != "scale" {
			t.Errorf("scale %d: %v, want an invalid scale", scale, err)
		}
	}
}

func BenchmarkDistrict(b *testing.B) {
	for _, scale := range []int{1, 4} {
		b.Run(fmt.Sprintf("scale=%d", scale), func(b *testing.B) {
			for b.Loop() {
				if _, err := District(Options{Scale: scale}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
