package partition_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/peterstace/simplefeatures/geom"

	"lianqin/internal/geo"
	"lianqin/internal/geofile"
	"lianqin/internal/partition"
)

// real reads a boundary file of a real city: shape i+1 is feature i.
func real(t *testing.T, name string) ([]partition.Shape, []geofile.Feature) {
	t.Helper()
	path := filepath.Join("../../../shared/data/real", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real boundary files are not here: %v", err)
	}
	f, err := geofile.Read(path, geofile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	shapes := make([]partition.Shape, len(f.Features))
	for i := range f.Features {
		area, ok := f.Features[i].Polygons()
		if !ok {
			t.Fatalf("feature %d is no area", i+1)
		}
		if shapes[i], _, err = partition.ShapeOf(partition.FaceID(i+1), area); err != nil {
			t.Fatalf("feature %d: %v", i+1, err)
		}
	}
	return shapes, f.Features
}

// TestRealFiles holds what Check says of each file, and what Clean does.
func TestRealFiles(t *testing.T) {
	type counts struct{ Invalid, Overlaps, Gaps, Slivers, Uncovered int }
	for _, tt := range []struct {
		file  string
		want  counts
		ok    bool
		exact bool // Clean changes nothing
		clean bool // Clean succeeds
	}{
		{"baltimore311/neighborhood.geojson.gz", counts{Invalid: 2, Slivers: 18}, false, false, true},
		// The ten holes are cities of their own and parks: nobody's beat.
		{"la/lapd_basic-car-areas.shp", counts{Uncovered: 10}, true, true, true},
		{"la/quxianjie_area.shp", counts{}, true, true, true},
		{"la/neighborhoods_v4_neighborhoods.shp", counts{Invalid: 22, Overlaps: 5, Slivers: 18}, false, false, false},
		{"la/neighborhoods_v6_neighborhoods.shp", counts{Overlaps: 4, Gaps: 4, Slivers: 76, Uncovered: 17}, false, false, false},
	} {
		t.Run(filepath.Base(tt.file), func(t *testing.T) {
			shapes, _ := real(t, tt.file)
			p, rep, err := partition.Clean(shapes, partition.CleanOptions{})
			got := counts{
				rep.Totals[partition.InvalidRing].Count, rep.Totals[partition.Overlap].Count, rep.Totals[partition.Gap].Count,
				rep.Totals[partition.Sliver].Count, rep.Totals[partition.Uncovered].Count,
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if rep.OK() != tt.ok || rep.Exact != tt.exact {
				t.Errorf("OK = %v, Exact = %v; want %v, %v", rep.OK(), rep.Exact, tt.ok, tt.exact)
			}
			if !tt.clean {
				var refused *partition.Refused
				if !errors.As(err, &refused) {
					t.Errorf("Clean: %v, want it refused", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.exact {
				want, err := partition.New(shapes)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want.Arcs(), p.Arcs()); diff != "" {
					t.Errorf("Clean changed an exact partition:\n%.400s", diff)
				}
			}
		})
	}
}

// TestOverlapsOfNeighborhoodsV4 holds each overlap that Check finds against the
// overlay of the two shapes by another library, and that overlay against Check.
func TestOverlapsOfNeighborhoodsV4(t *testing.T) {
	shapes, features := real(t, "la/neighborhoods_v4_neighborhoods.shp")
	rep := partition.Check(shapes, partition.CheckOptions{})
	name := func(f partition.FaceID) string { return features[f-1].Text("name") }
	sums := map[[2]partition.FaceID]float64{}
	for _, d := range append(rep.Of(partition.Overlap), rep.Of(partition.Sliver)...) {
		if d.Owners == 2 {
			sums[[2]partition.FaceID{d.Faces[0], d.Faces[1]}] += d.AreaM2
		}
	}
	for _, d := range rep.Of(partition.Overlap) {
		t.Logf("%s / %s: %.0f m², %.1f m wide at %v", name(d.Faces[0]), name(d.Faces[1]), d.AreaM2, d.WidthM, d.At.Point())
		pair := [2]partition.FaceID{d.Faces[0], d.Faces[1]}
		both, err := geom.Intersection(polygonOf(t, &features[pair[0]-1]), polygonOf(t, &features[pair[1]-1]))
		if err != nil {
			t.Fatal(err)
		}
		s := geo.ScaleAt(d.At.Point()[1])
		if want := both.Area() * s.XM * s.YM; math.Abs(sums[pair]-want) > 0.005*want+1 {
			t.Errorf("overlap of %s and %s: %.1f m², JTS finds %.1f", name(pair[0]), name(pair[1]), sums[pair], want)
		}
		at := d.At.Point()
		place := geom.NewPointXY(at[0], at[1]).AsGeometry()
		if in, err := geom.Contains(both, place); err != nil || !in {
			t.Errorf("%v is not in the overlap of %s and %s (%v)", at, name(pair[0]), name(pair[1]), err)
		}
	}
}

// polygonOf is a feature's area, rounded to units; a buffer of nothing mends
// rings that share an edge.
func polygonOf(t *testing.T, f *geofile.Feature) geom.Geometry {
	t.Helper()
	area, ok := f.Polygons()
	if !ok {
		t.Fatal("the feature is no area")
	}
	var polys []geom.Polygon
	for _, poly := range area {
		var rings []geom.LineString
		for _, r := range poly {
			var xy []float64
			for _, p := range r {
				c, err := geo.Quantise(p)
				if err != nil {
					t.Fatal(err)
				}
				xy = append(xy, c.Point()[0], c.Point()[1])
			}
			rings = append(rings, geom.NewLineString(geom.NewSequence(xy, geom.DimXY)))
		}
		polys = append(polys, geom.NewPolygon(rings))
	}
	mended, err := geom.Buffer(geom.NewMultiPolygon(polys).AsGeometry(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return mended
}

// TestBaltimoreIsCleaned: the file is good but for a few borders between three
// pairs of neighbourhoods.
func TestBaltimoreIsCleaned(t *testing.T) {
	shapes, _ := real(t, "baltimore311/neighborhood.geojson.gz")
	p, rep, err := partition.Clean(shapes, partition.CleanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Faces()); got != 278 {
		t.Errorf("%d faces, want 278", got)
	}
	r := rep.Repairs
	if r.Moves.Count == 0 || r.Moves.Count > 20 || r.Moves.MaxM > 1.5 {
		t.Errorf("moves %+v, want a few of about a metre", r.Moves)
	}
	if sum := r.Filled.AreaM2 + r.Given.AreaM2; sum < 100 || sum > 200 {
		t.Errorf("%.1f m² changed hands, want about 145", sum)
	}
	if rep.Share > 1e-6 {
		t.Errorf("noise %v, want less than a millionth", rep.Share)
	}
	raw := 0.0
	for _, s := range shapes {
		for _, ring := range s.Rings {
			raw += geo.RingAreaM2(ring)
		}
	}
	sum := 0.0
	for _, f := range p.Faces() {
		sum += p.AreaM2(f)
	}
	if want := raw - rep.OverlapM2 + r.Filled.AreaM2; math.Abs(sum-want) > 5 {
		t.Errorf("%.1f m² after cleaning, want %.1f", sum, want)
	}
}
